//! Reading a workbook back: the independent eye on what was written, and on what a person changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use calamine::{DataRef, Reader as _, Xlsx};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::address::{Area, At};
use super::cell::Want;
use super::package::{Package, chain};
use crate::mapping::table::{Limits, check_parts};
use crate::problem::Problem;

const MAX_FILE_BYTES: usize = 50 * 1024 * 1024;
/// Cells with content on one sheet: more is not a paper of ours.
const MAX_CELLS: usize = 4_000_000;

const IMPOSSIBLE: &str = "cells at places that do not exist";

#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    Text(String),
    Number(Decimal),
    Date(NaiveDate),
    /// `#REF!` and its like.
    Error(String),
}

impl Found {
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Error(text) => text.clone(),
            Self::Number(number) => number.normalize().to_string(),
            Self::Date(date) => date.to_string(),
        }
    }
}

/// The cells of one sheet that hold something.
#[derive(Debug, Default)]
pub struct Grid {
    pub cells: BTreeMap<At, Found>,
    pub formulas: BTreeSet<At>,
    pub merges: Vec<Area>,
}

pub struct Book {
    name: String,
    book: Xlsx<Cursor<Vec<u8>>>,
}

impl Book {
    pub fn open(name: &str, bytes: &[u8]) -> Result<Self, Problem> {
        let unreadable =
            |found: String| Problem::new(name, "", "", found, "a workbook (.xlsx) that can be read");
        if bytes.len() > MAX_FILE_BYTES {
            return Err(unreadable(format!("{} bytes", bytes.len())));
        }
        if let Some(what) = crate::mapping::table::no_workbook(bytes) {
            return Err(unreadable(what.to_owned()));
        }
        let package = Package::open(bytes).map_err(|error| unreadable(chain(&error)))?;
        if !package.has("xl/workbook.xml") {
            return Err(unreadable("a package without xl/workbook.xml".to_owned()));
        }
        check_parts(name, bytes, &Limits::default())?;
        // Where arithmetic is checked, calamine panics on sizes that run backwards: that is the file's fault, not ours.
        let opened = std::panic::catch_unwind(|| Xlsx::new(Cursor::new(bytes.to_vec())));
        let book = opened
            .map_err(|_| unreadable(IMPOSSIBLE.to_owned()))?
            .map_err(|error| unreadable(error.to_string()))?;
        Ok(Self {
            name: name.to_owned(),
            book,
        })
    }

    pub fn defined_name(&self, name: &str) -> Option<String> {
        let mut names = self.book.defined_names().iter();
        names
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, formula)| formula.clone())
    }

    pub fn grid(&mut self, sheet: &str) -> Result<Grid, Problem> {
        let name = self.name.clone();
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.read_grid(sheet)));
        read.unwrap_or_else(|_| {
            let wanted = "a sheet that can be read";
            Err(Problem::new(name, sheet, "sheet", IMPOSSIBLE, wanted))
        })
    }

    fn read_grid(&mut self, sheet: &str) -> Result<Grid, Problem> {
        let name = self.name.clone();
        let sheets = self.book.sheet_names();
        if !sheets.iter().any(|known| known == sheet) {
            let wanted = format!("a sheet `{sheet}`");
            return Err(Problem::new(name, "", "sheet", sheets.join(", "), wanted));
        }
        let wrong = |error: &dyn std::fmt::Display| {
            Problem::new(
                &name,
                sheet,
                "sheet",
                error.to_string(),
                "a sheet that can be read",
            )
        };
        let mut grid = Grid::default();
        let mut reader = self
            .book
            .worksheet_cells_reader(sheet)
            .map_err(|error| wrong(&error))?;
        while let Some(cell) = reader.next_cell().map_err(|error| wrong(&error))? {
            let (row, column) = cell.get_position();
            let at = At {
                row: row.saturating_add(1),
                column: column.saturating_add(1),
            };
            if let Some(found) = found(cell.get_value()) {
                grid.cells.insert(at, found);
            }
            if grid.cells.len() > MAX_CELLS {
                return Err(wrong(&format!("more than {MAX_CELLS} cells")));
            }
        }
        drop(reader);
        let mut reader = self
            .book
            .worksheet_cells_reader(sheet)
            .map_err(|error| wrong(&error))?;
        while let Some(cell) = reader.next_formula().map_err(|error| wrong(&error))? {
            let (row, column) = cell.get_position();
            if !cell.get_value().is_empty() {
                grid.formulas.insert(At {
                    row: row.saturating_add(1),
                    column: column.saturating_add(1),
                });
            }
        }
        drop(reader);
        let merges = self
            .book
            .merge_cells_by_sheet_name(sheet)
            .map_err(|error| wrong(&error))?;
        let at = |(row, column): (u32, u32)| At {
            row: row.saturating_add(1),
            column: column.saturating_add(1),
        };
        grid.merges = merges
            .iter()
            .map(|area| Area {
                from: at(area.start),
                to: at(area.end),
            })
            .collect();
        Ok(grid)
    }
}

fn found(value: &DataRef<'_>) -> Option<Found> {
    let text = |text: &str| match text.is_empty() {
        true => None,
        false => Some(Found::Text(text.to_owned())),
    };
    match value {
        DataRef::Empty => None,
        DataRef::Int(number) => Some(Found::Number(Decimal::from(*number))),
        DataRef::Float(number) => Some(float(*number)),
        DataRef::String(value) => text(value),
        DataRef::SharedString(value) => text(value),
        DataRef::Bool(flag) => Some(Found::Text(if *flag { "TRUE" } else { "FALSE" }.to_owned())),
        DataRef::DateTime(date) => match date.as_datetime() {
            Some(instant) => Some(Found::Date(instant.date())),
            None => Some(float(date.as_f64())),
        },
        DataRef::DateTimeIso(value) | DataRef::DurationIso(value) => match value.get(..10).map(str::parse) {
            Some(Ok(date)) => Some(Found::Date(date)),
            _ => text(value),
        },
        DataRef::Error(error) => Some(Found::Error(error.to_string())),
    }
}

/// The shortest decimal that is this float: what a person typed, not its binary tail.
fn float(number: f64) -> Found {
    let text = number.to_string();
    match text.parse() {
        Ok(decimal) => Found::Number(decimal),
        Err(_) => Found::Text(text),
    }
}

/// One cell that must hold one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    pub at: At,
    /// The column's title or the cell's label, as a person knows it.
    pub field: String,
    pub want: Want,
}

/// Every cell that does not hold what it must, named with what was found.
pub fn differences(file: &str, sheet: &str, grid: &Grid, expected: &[Expected]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for Expected { at, field, want } in expected {
        let mut found = grid.cells.get(at);
        let mut cover = None;
        if found.is_none() && *want != Want::Empty {
            // Somebody merged cells: the value of the merge stands in its first cell.
            cover = grid
                .merges
                .iter()
                .find(|area| area.contains(*at) && area.from != *at);
            found = cover.and_then(|area| grid.cells.get(&area.from));
        }
        if holds(found, want) {
            continue;
        }
        let mut wanted = match want {
            Want::Empty => "an empty cell".to_owned(),
            want => want.shown(),
        };
        if found.is_none() && grid.formulas.contains(at) {
            wanted.push_str(
                " (the cell holds a formula without a result: open, recalculate and save the file)",
            );
        } else if grid.formulas.contains(at) {
            wanted.push_str(" (the cell holds a formula)");
        } else if let Some(area) = cover {
            wanted.push_str(&format!(" (the cell is covered by the merge {area})"));
        }
        let shown = found.map(Found::shown).unwrap_or_default();
        problems.push(Problem::new(
            file,
            format!("sheet {sheet}, cell {at}"),
            field,
            shown,
            wanted,
        ));
    }
    problems
}

/// Numbers kept as text are tolerated, so are dates kept as text; a different value is not.
fn holds(found: Option<&Found>, want: &Want) -> bool {
    match (found, want) {
        (None, Want::Empty) => true,
        (None, _) | (Some(_), Want::Empty) => false,
        (Some(Found::Error(_)), _) => false,
        (Some(found), Want::Text(text)) => same_text(&found.shown(), text),
        (Some(found), Want::Number(number)) => match found {
            Found::Number(found) => found == number,
            Found::Text(text) => number_of(text).as_ref() == Some(number),
            _ => false,
        },
        (Some(found), Want::Date(date)) => match found {
            Found::Date(found) => found == date,
            Found::Text(text) => text.trim().parse() == Ok(*date),
            _ => false,
        },
    }
}

/// Line ends differ between programs, and Excel drops blanks at the end of a cell that was edited.
fn same_text(found: &str, wanted: &str) -> bool {
    found == wanted || found.replace("\r\n", "\n").trim_end() == wanted.trim_end()
}

pub(super) fn number_of(text: &str) -> Option<Decimal> {
    text.trim().replace(',', "").parse().ok()
}
