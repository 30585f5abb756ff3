//! Receipt reports that somebody drops in or mails: tables of a warehouse, Amazon's ledger, UBL receipt advices, X12 944 and 861.
//!
//! A row of a table is one batch and becomes an event. A line of a document, and a running total, is a statement: said
//! again, it replaces what it said before.

mod draft;
mod rows;
mod times;
mod ubl;
mod words;
mod x12;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::table::{self, Limits};
use super::xml::tree;
use crate::ids::WarehouseCode;
use crate::ledger::{Finding, Pack, ReceiptEvent, Statement};
use crate::problem::Problem;

pub use rows::read_receipts;

/// Whose report it is, and what its words mean.
#[derive(Clone, Copy)]
pub struct Teller<'a> {
    pub warehouse: &'a WarehouseCode,
    /// Times without offset are civil times of this zone.
    pub zone: Tz,
    /// How one of its codes counts; nothing for a code that is not mapped.
    pub packs: &'a (dyn Fn(&str, NaiveDate) -> Option<Pack> + Sync),
    /// Whether a number is one of our orders or inbounds: documents carry many numbers.
    pub is_ours: &'a (dyn Fn(&str) -> bool + Sync),
}

/// What one file tells, and what is wrong with what gave nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiptFile {
    pub events: Vec<ReceiptEvent>,
    pub statements: Vec<Statement>,
    pub findings: Vec<Finding>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// Rows of a ledger that tell of something else than receipts.
    pub other_rows: usize,
}

impl ReceiptFile {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.statements.is_empty() && self.findings.is_empty()
    }

    /// Every reference that something is told of.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let events = self.events.iter().map(|event| event.reference.as_str());
        let statements = self
            .statements
            .iter()
            .map(|statement| statement.total.reference.as_str());
        let findings = self.findings.iter().map(|finding| finding.reference.as_str());
        events.chain(statements).chain(findings)
    }
}

/// Far above any truck load; below it sums cannot overflow.
const MAX_UNITS: i64 = 1_000_000_000;

/// Reads a report in whatever form it has; the file's name decides nothing.
///
/// # Errors
/// When it is no file of a form that is known.
pub fn read(name: &str, bytes: &[u8], teller: &Teller<'_>) -> Result<ReceiptFile, Problem> {
    if x12::is_interchange(bytes) {
        return Ok(x12::read(name, bytes, teller));
    }
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'<')) || bytes.starts_with(b"\xEF\xBB\xBF<") {
        let root = tree::read(name, bytes)?;
        return ubl::read(name, &root, teller);
    }
    Ok(read_receipts(
        &table::read(name, bytes, &Limits::default())?,
        teller,
    ))
}

/// Places that name receipts: what a report of `name` speaks of, as far as any text of it says so.
#[must_use]
pub fn texts(name: &str, bytes: &[u8]) -> Vec<String> {
    const MOST: usize = 100_000;
    if x12::is_interchange(bytes) {
        return x12::texts(bytes, MOST);
    }
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'<')) || bytes.starts_with(b"\xEF\xBB\xBF<") {
        return tree::read(name, bytes).map_or_else(|_| Vec::new(), |root| ubl::texts(&root, MOST));
    }
    let Ok(table) = table::read(name, bytes, &Limits::default()) else {
        return Vec::new();
    };
    let cells = table.raw_rows().flat_map(|(_, cells)| cells.iter());
    cells.map(|cell| cell.trim().to_owned()).take(MOST).collect()
}

#[cfg(test)]
mod documents_tests;
#[cfg(test)]
mod tests;
