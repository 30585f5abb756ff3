//! A forwarder's own workbook as a declared document: which value goes to which cell, and how to know that the
//! workbook is still the one this was written for.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::address::{At, column_number};
use super::book::{Book, Found, Grid};
use super::cell::CellType;
use super::package::{Package, chain};
use super::part::SheetPart;
use crate::digest::sha256_hex;
use crate::mapping::definition::Assets;
use crate::mapping::value::{Each, Scope, Template, scopes};
use crate::problem::Problem;

mod fill;
mod lists;

/// Section `[xlsx-template]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XlsxTemplate {
    /// The workbook, by its name below `mappings/`.
    template: String,
    /// SHA-256 of the workbook: another file is refused until somebody has looked at it.
    #[serde(default)]
    sha256: Option<String>,
    sheets: Vec<SheetSpec>,
    #[serde(skip)]
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SheetSpec {
    name: String,
    /// Texts that must stand where they stood, by cell.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    cells: Vec<CellSpec>,
    table: Option<TableSpec>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellSpec {
    at: At,
    /// The text that must stand left of the cell (or at `label_at`).
    label: Option<String>,
    label_at: Option<At>,
    value: Template,
    #[serde(default, rename = "type")]
    kind: CellType,
    #[serde(default)]
    required: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableSpec {
    each: Vec<Each>,
    header_row: u32,
    first_row: u32,
    /// The last row the forwarder prepared; found by itself when absent.
    last_row: Option<u32>,
    /// Rows at the top that hold the forwarder's example and are overwritten.
    #[serde(default)]
    sample_rows: u32,
    /// Column that is filled in every used row: an empty cell there means a free row.
    key: String,
    /// Row whose styles (and formulas) rows without their own take.
    style_row: Option<u32>,
    columns: Vec<ColumnSpec>,
    /// How a row is called when something is missing in it, e.g. `{content.goods.sku}`; named once, not on every row.
    row_name: Option<Template>,
    #[serde(default)]
    checks: Vec<TotalSpec>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnSpec {
    column: String,
    /// The text that must stand in the header row.
    title: Option<String>,
    value: Template,
    #[serde(default, rename = "type")]
    kind: CellType,
    #[serde(default)]
    required: bool,
    /// Written only where this gives `true`, e.g. `{content.first}` for what must not be counted twice.
    when: Option<Template>,
}

/// A total that must be found again by adding up what was written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TotalSpec {
    total: Template,
    /// A column, or two to multiply: `F`, `E*F`.
    sum: String,
    /// Products are added up by this column and each sum is rounded to cents, as an order's lines are.
    by: Option<String>,
}

impl CellSpec {
    fn label_cell(&self) -> Option<At> {
        self.label_at.or(match self.at.column {
            0 | 1 => None,
            column => Some(At {
                column: column - 1,
                ..self.at
            }),
        })
    }

    fn field(&self) -> String {
        self.label
            .clone()
            .unwrap_or_else(|| self.value.source().to_owned())
    }
}

impl ColumnSpec {
    fn number(&self) -> u32 {
        column_number(&self.column).unwrap_or_default()
    }

    fn field(&self) -> String {
        self.title
            .clone()
            .unwrap_or_else(|| self.value.source().to_owned())
    }
}

impl SheetSpec {
    /// Every text that says "this is the workbook the mapping was written for".
    fn fingerprint(&self) -> Vec<(At, &str)> {
        let mut texts: Vec<(At, &str)> = self
            .headers
            .iter()
            .filter_map(|(at, text)| Some((At::parse(at)?, text.as_str())))
            .collect();
        for cell in &self.cells {
            if let (Some(at), Some(text)) = (cell.label_cell(), &cell.label) {
                texts.push((at, text));
            }
        }
        if let Some(table) = &self.table {
            for column in &table.columns {
                if let Some(title) = &column.title {
                    let at = At {
                        row: table.header_row,
                        column: column.number(),
                    };
                    texts.push((at, title));
                }
            }
        }
        texts
    }

    /// A header that is not where it was: nothing may be written into a column that means something else now.
    fn moved_headers(&self, file: &str, grid: &Grid) -> Vec<Problem> {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut problems = Vec::new();
        for (at, text) in self.fingerprint() {
            let found = grid.cells.get(&at).map(Found::shown).unwrap_or_default();
            if squeezed(&found) == squeezed(text) {
                continue;
            }
            let now = grid
                .cells
                .iter()
                .find(|(_, found)| squeezed(&found.shown()) == squeezed(text));
            let hint = now.map_or_else(String::new, |(at, _)| format!(" (it stands at {at} now)"));
            let place = format!("sheet {}, cell {at}", self.name);
            problems.push(Problem::new(
                file,
                place,
                "header",
                found,
                format!("{text}{hint}"),
            ));
        }
        problems
    }
}

impl XlsxTemplate {
    /// Loads the workbook and checks the mapping against it and against the model.
    pub(crate) fn prepare(&mut self, file: &str, shape: &Scope<'_>, assets: Assets<'_>) -> Vec<Problem> {
        let mut problems = self.faults(file, shape);
        let Some(bytes) = assets(&self.template) else {
            let wanted = "a workbook below the folder of the mappings";
            problems.push(Problem::new(
                file,
                "[xlsx-template]",
                "template",
                &self.template,
                wanted,
            ));
            return problems;
        };
        let found = sha256_hex(&bytes);
        if let Some(wanted) = &self.sha256
            && !wanted.eq_ignore_ascii_case(&found)
        {
            let wanted = format!(
                "{wanted}: the forwarder's workbook has changed, look at it before you set the new value"
            );
            problems.push(Problem::new(&self.template, "", "sha256", found, wanted));
        }
        match Book::open(&self.template, &bytes) {
            Ok(mut book) => {
                for sheet in &self.sheets {
                    match book.grid(&sheet.name) {
                        Ok(grid) => problems.extend(sheet.moved_headers(&self.template, &grid)),
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            Err(problem) => problems.push(problem),
        }
        if problems.is_empty() {
            problems = self.hidden_targets(&bytes);
        }
        self.bytes = bytes;
        problems
    }

    /// Everything wrong in the section itself.
    fn faults(&self, file: &str, shape: &Scope<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for sheet in &self.sheets {
            let place = |what: &str| format!("[xlsx-template] sheet {}, {what}", sheet.name);
            for at in sheet.headers.keys().filter(|at| At::parse(at).is_none()) {
                problems.push(Problem::new(file, place("headers"), "", at, "a cell such as B12"));
            }
            for cell in &sheet.cells {
                let faults = cell.value.faults(shape).into_iter();
                problems
                    .extend(faults.map(|fault| fault.problem(file, &place(&format!("cell {}", cell.at)))));
            }
            let Some(table) = &sheet.table else {
                continue;
            };
            let inner = match scopes(&table.each, shape) {
                Ok(inner) => inner.into_iter().next(),
                Err(fault) => {
                    problems.push(fault.problem(file, &place("table each")));
                    None
                }
            };
            if let (Some(inner), Some(name)) = (&inner, &table.row_name) {
                let faults = name.faults(inner).into_iter();
                problems.extend(faults.map(|fault| fault.problem(file, &place("row_name"))));
            }
            for column in &table.columns {
                let place = place(&format!("column {}", column.column));
                if column_number(&column.column).is_none() {
                    problems.push(Problem::new(
                        file,
                        &place,
                        "column",
                        &column.column,
                        "letters such as AB",
                    ));
                }
                let Some(inner) = &inner else { continue };
                for template in std::iter::once(&column.value).chain(&column.when) {
                    problems.extend(
                        template
                            .faults(inner)
                            .into_iter()
                            .map(|fault| fault.problem(file, &place)),
                    );
                }
            }
            if table.columns.iter().all(|column| column.column != table.key) {
                problems.push(Problem::new(
                    file,
                    place("table"),
                    "key",
                    &table.key,
                    "one of the table's columns",
                ));
            }
            for check in &table.checks {
                let faults = check.total.faults(shape).into_iter();
                problems.extend(faults.map(|fault| fault.problem(file, &place("checks"))));
                let columns = check.sum.split('*').chain(check.by.as_deref());
                for column in columns.filter(|column| column_number(column.trim()).is_none()) {
                    problems.push(Problem::new(
                        file,
                        place("checks"),
                        "sum",
                        column,
                        "columns such as F or E*F",
                    ));
                }
            }
        }
        problems
    }

    /// Cells that nobody would see: covered by a merge, or a formula that would be lost.
    fn hidden_targets(&self, bytes: &[u8]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let parts = match self.parts(bytes) {
            Ok(parts) => parts,
            Err(problem) => return vec![problem],
        };
        for sheet in &self.sheets {
            let Some(xml) = parts.get(&sheet.name) else {
                continue;
            };
            let part = match SheetPart::parse(&sheet.name, &sheet.name, xml) {
                Ok(part) => part,
                Err(error) => {
                    problems.push(self.unreadable(&error));
                    continue;
                }
            };
            let table = sheet.table.iter().flat_map(|table| {
                table.columns.iter().map(|column| At {
                    row: table.first_row,
                    column: column.number(),
                })
            });
            for at in sheet.cells.iter().map(|cell| cell.at).chain(table) {
                let place = format!("sheet {}, cell {at}", sheet.name);
                if let Some(area) = part
                    .merges
                    .iter()
                    .find(|area| area.contains(at) && area.from != at)
                {
                    let found = format!("covered by the merge {area}");
                    problems.push(Problem::new(
                        &self.template,
                        &place,
                        "",
                        found,
                        "a cell that is seen",
                    ));
                }
                if part.has_formula(at) {
                    problems.push(Problem::new(
                        &self.template,
                        &place,
                        "",
                        "a formula",
                        "a cell for a value",
                    ));
                }
            }
        }
        problems
    }

    /// The XML of every sheet, by name.
    fn parts(&self, bytes: &[u8]) -> Result<BTreeMap<String, String>, Problem> {
        let mut package = Package::open(bytes).map_err(|error| self.unreadable(&error))?;
        let sheets = package.sheets().map_err(|error| self.unreadable(&error))?;
        let mut parts = BTreeMap::new();
        for (name, part) in sheets {
            let text = package.text(&part).map_err(|error| self.unreadable(&error))?;
            parts.insert(name, text);
        }
        Ok(parts)
    }

    fn unreadable(&self, error: &dyn std::error::Error) -> Problem {
        Problem::new(
            &self.template,
            "",
            "",
            chain(error),
            "a workbook (.xlsx) that can be read",
        )
    }
}
