//! Plain tables for machines: a header row and one row for each element, as a workbook or as delimited text.

mod csv;
mod sheet;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::mapping::value::{Each, Fault, Scope, Template, scopes};
use crate::mapping::xlsx::cell::{CellType, Want, evaluate};
use crate::money::round_cents;
use crate::problem::Problem;

pub use csv::{CSV_MEDIA_TYPE, CsvMapping};
pub use sheet::XlsxTable;

/// Somebody's import sheet; more columns than this is a slip.
const MAX_COLUMNS: usize = 500;
/// A table that is wrong everywhere need not be listed to the end.
const MAX_PROBLEMS: usize = 100;

/// One table: what its rows are and what stands in them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub each: Vec<Each>,
    pub columns: Vec<Column>,
    /// How a row is called when something is missing in it; named once, not on every row.
    row_name: Option<Template>,
    #[serde(default)]
    checks: Vec<TotalCheck>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub title: String,
    value: Template,
    #[serde(default, rename = "type")]
    kind: CellType,
    #[serde(default)]
    required: bool,
    when: Option<Template>,
    /// In characters, for a workbook.
    pub width: Option<f64>,
}

/// A total that the rows must add up to: by the title of a column, or two to multiply.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TotalCheck {
    total: Template,
    sum: Vec<String>,
    /// Products are added up by this column and each sum is rounded to cents, as an order's lines are.
    by: Option<String>,
}

impl Table {
    pub(super) fn faults(&self, file: &str, place: &str, shape: &Scope<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.columns.is_empty() || self.columns.len() > MAX_COLUMNS {
            let found = self.columns.len().to_string();
            let wanted = format!("1 to {MAX_COLUMNS} columns");
            problems.push(Problem::new(file, place, "columns", found, wanted));
        }
        let inner = match scopes(&self.each, shape) {
            Ok(inner) => inner.into_iter().next(),
            Err(fault) => {
                problems.push(fault.problem(file, &format!("{place}, each")));
                None
            }
        };
        if let Some(inner) = &inner {
            let columns = self.columns.iter().flat_map(|column| {
                let templates = std::iter::once(&column.value).chain(&column.when);
                templates.map(|template| (column.title.as_str(), template))
            });
            for (title, template) in columns.chain(self.row_name.iter().map(|name| ("row_name", name))) {
                let faults = template.faults(inner).into_iter();
                problems.extend(faults.map(|fault| fault.problem(file, &format!("{place}, column {title}"))));
            }
        }
        for check in &self.checks {
            let faults = check.total.faults(shape).into_iter();
            problems.extend(faults.map(|fault| fault.problem(file, &format!("{place}, checks"))));
            for title in check.sum.iter().chain(&check.by) {
                if self.place_of(title).is_none() {
                    problems.push(Problem::new(
                        file,
                        format!("{place}, checks"),
                        "",
                        title,
                        "the title of a column",
                    ));
                }
            }
        }
        problems
    }

    fn place_of(&self, title: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.title == title)
    }

    /// Gives every row to the sink, numbered from 0; then the totals must hold.
    pub(super) fn rows(
        &self,
        file: &str,
        place: &str,
        scope: &Scope<'_>,
        sink: &mut dyn FnMut(usize, &[Want]) -> Result<(), Problem>,
    ) -> Result<(), Vec<Problem>> {
        let all = scopes(&self.each, scope).map_err(|fault| vec![fault.problem(file, place)])?;
        let mut problems: Vec<Problem> = Vec::new();
        let mut sums: Vec<BTreeMap<String, Decimal>> = vec![BTreeMap::new(); self.checks.len()];
        let mut cells = Vec::with_capacity(self.columns.len());
        for (no, inner) in all.iter().enumerate() {
            cells.clear();
            for column in &self.columns {
                let when = column.when.as_ref();
                match evaluate(&column.value, column.kind, column.required, when, inner) {
                    Ok(want) => cells.push(want),
                    Err(fault) => {
                        cells.push(Want::Empty);
                        let problem = self.fault(file, place, no, column, inner, &fault);
                        if problems.len() < MAX_PROBLEMS && !problems.contains(&problem) {
                            problems.push(problem);
                        }
                    }
                }
            }
            for (check, sums) in self.checks.iter().zip(&mut sums) {
                self.add(check, &cells, sums);
            }
            if problems.is_empty()
                && let Err(problem) = sink(no, &cells)
            {
                return Err(vec![problem]);
            }
        }
        if problems.is_empty() {
            for (check, sums) in self.checks.iter().zip(sums) {
                problems.extend(check.wrong(file, place, sums, scope));
            }
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems),
        }
    }

    fn fault(
        &self,
        file: &str,
        place: &str,
        no: usize,
        column: &Column,
        inner: &Scope<'_>,
        fault: &Fault,
    ) -> Problem {
        let name = self
            .row_name
            .as_ref()
            .and_then(|name| name.fill(inner).ok().flatten());
        let row = name.unwrap_or_else(|| format!("row {}", no + 1));
        let place = match place.is_empty() {
            true => row,
            false => format!("{place}, {row}"),
        };
        let field = format!("{}: {}", column.title, fault.path);
        Problem::new(file, place, field, &fault.found, fault.wanted.as_str())
    }

    fn add(&self, check: &TotalCheck, cells: &[Want], sums: &mut BTreeMap<String, Decimal>) {
        let cell = |title: &String| self.place_of(title).and_then(|place| cells.get(place));
        let mut product = Decimal::ONE;
        for title in &check.sum {
            let number = match cell(title) {
                Some(Want::Number(number)) => *number,
                _ => Decimal::ZERO,
            };
            product = product.checked_mul(number).unwrap_or_default();
        }
        let by = check.by.as_ref().and_then(cell).map(Want::shown);
        let sum = sums.entry(by.unwrap_or_default()).or_default();
        *sum = sum.checked_add(product).unwrap_or(Decimal::MAX);
    }
}

impl TotalCheck {
    fn wrong(
        &self,
        file: &str,
        place: &str,
        sums: BTreeMap<String, Decimal>,
        scope: &Scope<'_>,
    ) -> Option<Problem> {
        let wanted = match self.total.fill(scope) {
            Ok(text) => text
                .and_then(|text| text.parse::<Decimal>().ok())
                .unwrap_or_default(),
            Err(fault) => return Some(fault.problem(file, place)),
        };
        let rounded = sums.into_values().map(|sum| match self.by {
            Some(_) => round_cents(sum),
            None => sum,
        });
        let found = rounded.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add);
        (found != Some(wanted)).then(|| {
            let shown = found.map_or_else(|| "a number too large".to_owned(), |sum| sum.to_string());
            let field = format!("{} = {}", self.sum.join(" × "), self.total.source());
            Problem::new(file, place, field, shown, wanted.to_string())
        })
    }
}
