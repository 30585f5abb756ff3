//! Receipt reports that somebody dropped in, as CSV or XLSX.
