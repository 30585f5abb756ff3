//! Tables from foreign files: CSV, TSV and XLSX in any of their disguises, as rows of text with their places.
