//! The edited workbook read back: what a person decided, line by line, and every cell that cannot be understood.

mod cells;
pub mod statistics;

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Reader, Xlsx};

use self::cells::{Grid, Value, check_size, half_width, whole_number};
use super::workbook::columns::{Column, line_key};
use crate::ids::{PlanId, Sku, WarehouseCode};
use crate::problem::Problem;
use crate::wording::Lang;

pub use super::workbook::columns::Choice;

const MAX_PROBLEMS: usize = 200;
/// Headings are looked for this far down: somebody may have put rows above them.
const HEAD_ROWS: u32 = 30;
const MAX_UNITS: i64 = 10_000_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionSheet {
    pub plan_id: PlanId,
    pub decisions: Vec<Decision>,
    /// Cells that could not be understood; their lines are not among the decisions.
    pub problems: Vec<Problem>,
}

/// One line a person decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub choice: Choice,
    /// Only with [`Choice::Change`].
    pub units: Option<i64>,
    pub reason: String,
    /// `Suggestions!A7`, for a message about it later.
    pub place: String,
}

/// Reads an edited workbook; rows may be sorted, filtered and moved, columns too.
///
/// # Errors
/// When the file as a whole cannot be used: not a workbook, too large, or not one of ours.
pub fn read(file_name: &str, bytes: &[u8]) -> Result<DecisionSheet, Vec<Problem>> {
    check_size(file_name, bytes).map_err(|problem| vec![problem])?;
    // Where arithmetic is checked, calamine panics on addresses beyond any sheet: that is the file's fault, not ours.
    std::panic::catch_unwind(|| read_book(file_name, bytes)).unwrap_or_else(|_| {
        let found = "cells at places that do not exist";
        Err(vec![Problem::new(
            file_name,
            "",
            "",
            found,
            "a workbook that opens",
        )])
    })
}

fn read_book(file_name: &str, bytes: &[u8]) -> Result<DecisionSheet, Vec<Problem>> {
    let refuse = |found: &str, wanted: &str| vec![Problem::new(file_name, "", "", found, wanted)];
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes))
        .map_err(|error| refuse(&error.to_string(), "the XLSX workbook of a daily mail"))?;
    for sheet in book.sheet_names() {
        let grid = Grid::read(&mut book, &sheet).map_err(|found| refuse(&found, "a readable sheet"))?;
        if let Some(found) = Headings::find(&grid) {
            return Rows {
                file: file_name,
                sheet: &sheet,
                grid: &grid,
                headings: &found,
                problems: Vec::new(),
            }
            .read();
        }
    }
    let wanted = format!(
        "a sheet with the columns `{}` and `{}`: the workbook of a daily mail",
        Column::Plan.title(Lang::En),
        Column::Key.title(Lang::En)
    );
    Err(refuse("no such sheet", &wanted))
}

/// A quantity as people type it, in a cell or on the web page: `480`, `４８０`, `1,200`; from 1 to ten million.
#[must_use]
pub fn quantity(typed: &str) -> Option<i64> {
    whole_number(&Value::Text(typed.to_owned())).filter(|units| (1..=MAX_UNITS).contains(units))
}

/// Where each column is, by its heading in either language.
struct Headings {
    row: u32,
    columns: BTreeMap<Column, u32>,
}

impl Headings {
    fn find(grid: &Grid) -> Option<Self> {
        grid.0.range(..HEAD_ROWS).find_map(|(row, cells)| {
            let mut columns = BTreeMap::new();
            for (at, value) in cells {
                let Value::Text(title) = value else { continue };
                let title = title.trim();
                let known = Column::ALL.into_iter().find(|column| {
                    [Lang::Zh, Lang::En]
                        .into_iter()
                        .any(|lang| column.title(lang) == title)
                });
                if let Some(column) = known {
                    columns.entry(column).or_insert(*at);
                }
            }
            (columns.contains_key(&Column::Plan) && columns.contains_key(&Column::Key))
                .then_some(Self { row: *row, columns })
        })
    }
}

struct Rows<'a> {
    file: &'a str,
    sheet: &'a str,
    grid: &'a Grid,
    headings: &'a Headings,
    problems: Vec<Problem>,
}

impl Rows<'_> {
    fn read(mut self) -> Result<DecisionSheet, Vec<Problem>> {
        for column in [
            Column::Decision,
            Column::NewUnits,
            Column::Reason,
            Column::Sku,
            Column::Warehouse,
            Column::Suggested,
        ] {
            if !self.headings.columns.contains_key(&column) {
                let wanted = format!("the column `{}`", column.title(Lang::En));
                let place = format!("row {}", self.headings.row + 1);
                self.problems
                    .push(Problem::new(self.file, place, "", "no such heading", wanted));
            }
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let Some(plan_id) = self.plan_id() else {
            return Err(self.problems);
        };
        let mut decisions: Vec<Decision> = Vec::new();
        let mut seen: BTreeMap<(WarehouseCode, Sku), String> = BTreeMap::new();
        let grid = self.grid;
        for row in grid.0.range(self.headings.row + 1..).map(|(row, _)| *row) {
            if self.problems.len() >= MAX_PROBLEMS {
                self.problem(
                    row,
                    Column::Decision,
                    "more problems",
                    "these to be settled first",
                );
                break;
            }
            let Some(decision) = self.decision(row, &plan_id) else {
                continue;
            };
            let line = (decision.warehouse.clone(), decision.sku.clone());
            if let Some(first) = seen.insert(line, decision.place.clone()) {
                let wanted = format!("one decision a line; {first} decides it already");
                self.problem(row, Column::Decision, decision.choice.code(), wanted);
                continue;
            }
            decisions.push(decision);
        }
        Ok(DecisionSheet {
            plan_id,
            decisions,
            problems: self.problems,
        })
    }

    /// One sheet answers one plan.
    fn plan_id(&mut self) -> Option<PlanId> {
        let mut found: Option<(String, u32)> = None;
        let grid = self.grid;
        for row in grid.0.range(self.headings.row + 1..).map(|(row, _)| *row) {
            let Some(text) = self.text(row, Column::Plan) else {
                continue;
            };
            match &found {
                None => found = Some((text, row)),
                Some((first, _)) if *first != text => {
                    let wanted = format!("the plan of the other rows, `{first}`");
                    self.problem(row, Column::Plan, &text, wanted);
                    return None;
                }
                Some(_) => {}
            }
        }
        match found.map(|(text, row)| (PlanId::new(&text), text, row)) {
            Some((Ok(id), _, _)) => Some(id),
            Some((Err(error), text, row)) => {
                self.problem(row, Column::Plan, &text, error.to_string());
                None
            }
            None => {
                self.problem(self.headings.row + 1, Column::Plan, "", "a plan id");
                None
            }
        }
    }

    fn value(&self, row: u32, column: Column) -> Option<&Value> {
        let at = self.headings.columns.get(&column)?;
        self.grid.0.get(&row)?.get(at)
    }

    fn text(&self, row: u32, column: Column) -> Option<String> {
        self.value(row, column)
            .map(Value::shown)
            .filter(|text| !text.is_empty())
    }

    fn place(&self, row: u32, column: Column) -> String {
        let letters = self
            .headings
            .columns
            .get(&column)
            .and_then(|at| u16::try_from(*at).ok())
            .map(rust_xlsxwriter::utility::column_number_to_name)
            .unwrap_or_default();
        format!("{}!{letters}{}", self.sheet, row + 1)
    }

    fn problem(&mut self, row: u32, column: Column, found: &str, wanted: impl Into<String>) {
        let place = format!("cell {}", self.place(row, column));
        self.problems.push(Problem::new(
            self.file,
            place,
            column.title(Lang::En),
            found,
            wanted,
        ));
    }

    /// `None` for a row without a decision, and for one that cannot be understood (then a problem is noted).
    fn decision(&mut self, row: u32, plan_id: &PlanId) -> Option<Decision> {
        let word = self.text(row, Column::Decision);
        let quantity = self.value(row, Column::NewUnits).cloned();
        let Some(word) = word else {
            if let Some(quantity) = quantity {
                let shown = quantity.shown();
                self.problem(
                    row,
                    Column::NewUnits,
                    &shown,
                    "a decision beside it (改量 / change), or no quantity",
                );
            }
            return None;
        };
        let before = self.problems.len();
        let choice = Choice::parse(&half_width(&word));
        if choice.is_none() {
            let all: Vec<String> = Choice::ALL
                .iter()
                .map(|choice| format!("{}/{}", choice.word(Lang::Zh), choice.code()))
                .collect();
            let wanted = format!("one of {}, or nothing", all.join(", "));
            self.problem(row, Column::Decision, &word, wanted);
        }
        let suggested = self.value(row, Column::Suggested).and_then(whole_number);
        let units = self.units(row, choice, quantity.as_ref());
        let line = self.line(row, plan_id, suggested);
        if choice == Some(Choice::Adopt) && line.is_some() && suggested.is_none_or(|units| units <= 0) {
            let wanted = "a suggestion to adopt; without one only 改量 / change orders something";
            self.problem(row, Column::Decision, &word, wanted);
        }
        if self.problems.len() > before {
            return None;
        }
        let (warehouse, sku) = line?;
        Some(Decision {
            warehouse,
            sku,
            choice: choice?,
            units,
            reason: self.text(row, Column::Reason).unwrap_or_default(),
            place: self.place(row, Column::Decision),
        })
    }

    fn units(&mut self, row: u32, choice: Option<Choice>, quantity: Option<&Value>) -> Option<i64> {
        match (choice, quantity) {
            (Some(Choice::Change), None) => {
                self.problem(
                    row,
                    Column::NewUnits,
                    "",
                    "a whole number above 0 beside 改量 / change",
                );
                None
            }
            (Some(Choice::Change) | None, Some(value)) => {
                let units = whole_number(value).filter(|units| (1..=MAX_UNITS).contains(units));
                if units.is_none() {
                    let wanted = format!("a whole number from 1 to {MAX_UNITS}");
                    self.problem(row, Column::NewUnits, &value.shown(), wanted);
                }
                units
            }
            (Some(other), Some(value)) => {
                let wanted = format!(
                    "no quantity beside `{}`; a quantity needs 改量 / change",
                    other.code()
                );
                self.problem(row, Column::NewUnits, &value.shown(), wanted);
                None
            }
            (_, None) => None,
        }
    }

    /// The line the row stands for, only when its key still fits.
    fn line(&mut self, row: u32, plan_id: &PlanId, suggested: Option<i64>) -> Option<(WarehouseCode, Sku)> {
        let (warehouse, sku) = (self.text(row, Column::Warehouse), self.text(row, Column::Sku));
        let warehouse = match WarehouseCode::new(warehouse.unwrap_or_default()) {
            Ok(code) => Some(code),
            Err(error) => {
                self.problem(row, Column::Warehouse, "", error.to_string());
                None
            }
        };
        let sku = match Sku::new(sku.unwrap_or_default()) {
            Ok(sku) => Some(sku),
            Err(error) => {
                self.problem(row, Column::Sku, "", error.to_string());
                None
            }
        };
        let (warehouse, sku) = (warehouse?, sku?);
        let key = self.text(row, Column::Key).unwrap_or_default();
        if key != line_key(plan_id, &warehouse, &sku, suggested) {
            let wanted = format!(
                "the key of {sku} at {warehouse}: only the yellow columns may be edited (a quantity goes \
                 into 改后数量 / New quantity), and rows are sorted as a whole"
            );
            self.problem(row, Column::Key, &key, wanted);
            return None;
        }
        Some((warehouse, sku))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(read("x.xlsx", &bytes).is_err());
        }
    }
}
