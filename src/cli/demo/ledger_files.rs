//! The reconciliation as files a bookkeeper opens: a CSV for programs, and the product's own workbook for people.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::CliError;
use crate::reconcile::Line;

const COLUMNS: [&str; 11] = [
    "order",
    "warehouse",
    "sku",
    "shipped",
    "announced",
    "received",
    "put_away",
    "damaged",
    "difference",
    "state",
    "verdict",
];

pub fn write(folder: &Path, lines: &[Line], book: &[u8]) -> Result<(), CliError> {
    for (name, bytes) in [
        ("reconciliation.csv", csv(lines).as_bytes()),
        ("reconciliation.xlsx", book),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|source| CliError::File {
            what: "write",
            path,
            source,
        })?;
    }
    Ok(())
}

fn csv(lines: &[Line]) -> String {
    let mut out = COLUMNS.join(",");
    out.push('\n');
    for line in lines {
        let announced = line.announced.map_or_else(String::new, |units| units.to_string());
        let _ = writeln!(
            out,
            "{},{},{},{},{announced},{},{},{},{},{},{}",
            line.order,
            line.warehouse,
            line.sku,
            line.shipped,
            line.received,
            line.put_away,
            line.damaged,
            line.difference,
            line.state.code(),
            line.verdict.code()
        );
    }
    out
}
