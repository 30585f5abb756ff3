//! Reading the workbook back: every value, every total, every picture.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::super::address::{At, MAX_ROW, column_number};
use super::super::book::{Book, Found, Grid, differences, number_of};
use super::super::part::SheetPart;
use super::expected::lay_out;
use super::room::Rows;
use super::{SheetSpec, TableSpec, TotalSpec, XlsxTemplate, pictures};
use crate::mapping::model::Pictures;
use crate::mapping::value::Scope;
use crate::money::round_cents;
use crate::problem::Problem;

impl XlsxTemplate {
    /// Reads the file with another program's eyes and compares every value and total.
    pub(crate) fn check(
        &self,
        name: &str,
        bytes: &[u8],
        scope: &Scope<'_>,
        images: &Pictures,
    ) -> Vec<Problem> {
        let mut book = match Book::open(name, bytes) {
            Ok(book) => book,
            Err(problem) => return vec![problem],
        };
        let parts = match self.parts(&self.bytes) {
            Ok(parts) => parts,
            Err(problem) => return vec![problem],
        };
        let mut problems = Vec::new();
        for spec in &self.sheets {
            let grid = match book.grid(&spec.name) {
                Ok(grid) => grid,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let part = parts
                .get(&spec.name)
                .and_then(|xml| SheetPart::parse(&spec.name, &spec.name, xml).ok());
            let rows = spec
                .table
                .as_ref()
                .zip(part.as_ref())
                .map(|(table, part)| Rows::of(spec, table, part, scope));
            let place = |at: At| rows.as_ref().map_or(at, |rows| rows.moved(at));
            let moved = spec.moved_headers(name, &grid, &place);
            if !moved.is_empty() {
                problems.extend(moved);
                continue;
            }
            match lay_out(name, spec, rows.as_ref(), scope) {
                Ok(laid) => {
                    problems.extend(differences(name, &spec.name, &grid, &laid.expected));
                    problems.extend(pictures::missing(name, spec, bytes, &laid.pictures, images));
                }
                Err(more) => problems.extend(more),
            }
            if let (Some(table), Some(rows)) = (&spec.table, &rows) {
                problems.extend(added_rows(name, spec, table, rows, &grid));
                problems.extend(wrong_totals(name, spec, table, rows, &grid, scope));
            }
        }
        problems
    }
}

/// Rows that a person added below ours.
fn added_rows(file: &str, spec: &SheetSpec, table: &TableSpec, rows: &Rows, grid: &Grid) -> Vec<Problem> {
    let last = rows.last;
    let end = rows.room.below.map_or(MAX_ROW, |_| rows.room.last.max(last));
    let key = column_number(&table.key).unwrap_or_default();
    let added = grid
        .cells
        .iter()
        .filter(|(at, _)| at.column == key && at.row > last && at.row <= end);
    added
        .map(|(at, found)| {
            let place = format!("sheet {}, cell {at}", spec.name);
            let wanted = format!("nothing below row {last}, the order's last");
            Problem::new(file, place, "row", found.shown(), wanted)
        })
        .collect()
}

fn wrong_totals(
    file: &str,
    spec: &SheetSpec,
    table: &TableSpec,
    rows: &Rows,
    grid: &Grid,
    scope: &Scope<'_>,
) -> Vec<Problem> {
    let last = rows.last;
    let mut problems = Vec::new();
    for check in &table.checks {
        let wanted = match check.total.fill(scope) {
            Ok(wanted) => wanted
                .and_then(|text| text.parse::<Decimal>().ok())
                .unwrap_or_default(),
            Err(fault) => {
                problems.push(fault.problem(file, &spec.name));
                continue;
            }
        };
        let found = added_up(check, grid, table.first_row, last);
        if found != Some(wanted) {
            let place = format!("sheet {}, column {}", spec.name, check.sum);
            let shown = found.map_or_else(|| "a number too large".to_owned(), |sum| sum.to_string());
            problems.push(Problem::new(
                file,
                place,
                check.total.source(),
                shown,
                wanted.to_string(),
            ));
        }
    }
    problems
}

/// `None` when the numbers do not fit.
fn added_up(check: &TotalSpec, grid: &Grid, first: u32, last: u32) -> Option<Decimal> {
    let number = |row: u32, letters: &str| -> Decimal {
        let column = column_number(letters.trim()).unwrap_or_default();
        match grid.cells.get(&At { row, column }) {
            Some(Found::Number(number)) => *number,
            Some(Found::Text(text)) => number_of(text).unwrap_or_default(),
            _ => Decimal::ZERO,
        }
    };
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for row in first..=last {
        let mut product = Decimal::ONE;
        for letters in check.sum.split('*') {
            product = product.checked_mul(number(row, letters))?;
        }
        let by = check
            .by
            .as_deref()
            .and_then(column_number)
            .map(|column| At { row, column });
        let by = by.and_then(|at| grid.cells.get(&at)).map(Found::shown);
        let sum = sums.entry(by.unwrap_or_default()).or_default();
        *sum = sum.checked_add(product)?;
    }
    let rounded = sums.into_values().map(|sum| match check.by {
        Some(_) => round_cents(sum),
        None => sum,
    });
    rounded.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}
