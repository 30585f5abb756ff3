//! Master data by effective date.
