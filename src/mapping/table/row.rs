//! One row: typed values, and every fault of the row at once.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::text::{date_from, decimal_from, flag_from, half_width, int_from};
use super::{Columns, Kind, RawRow};
use crate::problem::Problem;

/// Reads cells by column name. A blank cell is `None`; an unreadable one is `None` and a [`Problem`].
#[derive(Debug)]
pub struct Row<'c> {
    columns: &'c Columns<'c>,
    raw: &'c RawRow,
    problems: Vec<Problem>,
}

impl<'c> Row<'c> {
    pub(super) fn new(columns: &'c Columns<'c>, raw: &'c RawRow) -> Self {
        let mut row = Self {
            columns,
            raw,
            problems: Vec::new(),
        };
        // A comma inside an unquoted text shifts all that follows: such a row must not be half believed. In a sheet
        // nothing shifts; what stands beside the table there is a person's note.
        if columns.table.kind == Kind::Text && raw.cells.len() > columns.width {
            let found = format!("{} cells", raw.cells.len());
            let wanted = format!("at most {}, as the header has", columns.width);
            let place = columns.table.place(raw.number, None);
            row.problems
                .push(Problem::new(columns.table.file(), place, "", found, wanted));
        }
        row
    }

    /// Line of a text file or row of a sheet, counted from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.raw.number
    }

    /// Where a column of this row stands: `line 7` or `cell D7`.
    #[must_use]
    pub fn place(&self, name: &str) -> String {
        self.columns
            .table
            .place(self.raw.number, self.columns.index(name))
    }

    /// Where the row stands: `line 7` or `row 7`.
    #[must_use]
    pub fn row_place(&self) -> String {
        self.columns.table.place(self.raw.number, None)
    }

    /// The cell as it stands in the file, without blanks at its ends; empty when there is none.
    #[must_use]
    pub fn cell(&self, name: &str) -> &'c str {
        self.columns
            .index(name)
            .and_then(|index| self.raw.cells.get(index))
            .map_or("", |cell| cell.trim())
    }

    /// A text for people: line ends and other control characters become blanks.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let spaced = self.cell(name).replace(char::is_control, " ");
        spaced.trim().to_owned()
    }

    /// A code: full-width letters and digits become their ASCII twins.
    #[must_use]
    pub fn code(&self, name: &str) -> Option<String> {
        let code = half_width(self.cell(name));
        (!code.is_empty()).then_some(code)
    }

    /// A code that must be there.
    pub fn required_code(&mut self, name: &str, wanted: &str) -> Option<String> {
        let code = self.code(name);
        if code.is_none() {
            self.refuse(name, wanted);
        }
        code
    }

    /// A value read by `read`; what it cannot read is a fault.
    pub fn parsed<T>(&mut self, name: &str, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let cell = self.cell(name);
        if cell.is_empty() {
            return None;
        }
        let value = read(cell);
        if value.is_none() {
            self.refuse(name, wanted);
        }
        value
    }

    /// As [`Row::parsed`], and a blank cell is a fault too.
    pub fn required<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.cell(name));
        if value.is_none() {
            self.refuse(name, wanted);
        }
        value
    }

    pub fn int(&mut self, name: &str) -> Option<i64> {
        self.parsed(name, "a whole number", int_from)
    }

    pub fn decimal(&mut self, name: &str) -> Option<Decimal> {
        self.parsed(name, "a number", decimal_from)
    }

    pub fn date(&mut self, name: &str) -> Option<NaiveDate> {
        self.parsed(name, "a date like 2026-11-22", date_from)
    }

    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, "yes or no (是 or 否)", flag_from)
    }

    /// Adds a fault of this row: what stands in the column is not what is wanted.
    pub fn refuse(&mut self, name: &str, wanted: impl Into<String>) {
        let found = self.cell(name);
        self.refuse_found(name, found, wanted);
    }

    /// As [`Row::refuse`] when the fault is not in the one cell alone.
    pub fn refuse_found(&mut self, name: &str, found: impl AsRef<str>, wanted: impl Into<String>) {
        let place = self.place(name);
        self.problems.push(Problem::new(
            self.columns.table.file(),
            place,
            name,
            found,
            wanted,
        ));
    }

    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether a fault of this column is already listed: a second one would only repeat it.
    #[must_use]
    pub fn is_refused(&self, name: &str) -> bool {
        self.problems.iter().any(|problem| problem.field == name)
    }

    #[must_use]
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}
