//! Bench `workbook`.

fn main() {}
