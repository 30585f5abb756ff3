//! A forwarder's own workbook as a declared document: which value goes to which cell, and how to know that the
//! workbook is still the one this was written for.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::address::{At, column_number};
use super::book::{Book, Found, Grid};
use super::cell::CellType;
use super::package::{Package, chain};
use super::plain::root_name;
use crate::digest::sha256_hex;
use crate::mapping::definition::Assets;
use crate::mapping::value::{Each, Scope, Template};
use crate::problem::Problem;

mod across;
mod expected;
mod faults;
mod fill;
mod lists;
mod pictures;
mod read_back;
mod room;

/// Kinds of workbooks besides the usual one, and the ending each needs.
const WORKBOOKS: [(&str, &str); 3] = [
    ("vnd.ms-excel.sheet.macroEnabled.main+xml", ".xlsm"),
    ("vnd.ms-excel.template.macroEnabled.main+xml", ".xltm"),
    ("spreadsheetml.template.main+xml", ".xltx"),
];

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
    /// Columns that go on to the right, one for each carton, say.
    across: Option<AcrossSpec>,
    /// Rows that the workbook's own formulas fill from another sheet.
    derived: Option<DerivedSpec>,
}

/// Rows of formulas, one for each element: more elements than rows are refused, rows without an element are hidden.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DerivedSpec {
    each: Vec<Each>,
    first_row: u32,
    last_row: u32,
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
    /// The workbook's own formula gives way to the value, such as a date that says `TODAY()`.
    #[serde(default)]
    replace_formula: bool,
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
    /// Rows that one element takes, such as three on a customs declaration.
    #[serde(default = "one")]
    rows_per_item: u32,
    /// More elements than this are refused, whatever room there is.
    most: Option<u32>,
    /// What happens when the prepared rows are used up and something stands below them.
    #[serde(default)]
    overflow: Overflow,
    columns: Vec<ColumnSpec>,
    /// How a row is called when something is missing in it, e.g. `{content.goods.sku}`; named once, not on every row.
    row_name: Option<Template>,
    #[serde(default)]
    checks: Vec<TotalSpec>,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Overflow {
    /// Rows are inserted: what stands below moves down, and what points there follows.
    #[default]
    Insert,
    Refuse,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnSpec {
    column: String,
    /// The row of the element it stands in, from 1, where an element has several.
    #[serde(default = "one")]
    row: u32,
    /// The text that must stand in the header row.
    title: Option<String>,
    value: Template,
    #[serde(default, rename = "type")]
    kind: CellType,
    #[serde(default)]
    required: bool,
    /// Written only where this gives `true`, e.g. `{content.first}` for what must not be counted twice.
    when: Option<Template>,
    /// Rows that follow each other with the same text here share one merged cell, e.g. `{carton.no}`.
    merge_by: Option<Template>,
    /// The value names a picture, which is put into the cell.
    picture: Option<PictureKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PictureKind {
    /// Anchored to its cell on the sheet's drawing: every program shows it.
    Drawing,
    /// Inside the cell, as WPS does (`DISPIMG`): other programs show nothing.
    Wps,
}

/// Columns that go on to the right: one for each element, beside the rows of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcrossSpec {
    each: Vec<Each>,
    first_column: String,
    /// Cells of each column at fixed rows.
    #[serde(default)]
    rows: Vec<AcrossRow>,
    /// The cell of each table row in each column.
    cell: Option<CrossSpec>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcrossRow {
    row: u32,
    value: Template,
    #[serde(default, rename = "type")]
    kind: CellType,
    #[serde(default)]
    required: bool,
}

/// Where a row of the table meets a column: the first element of `each` for which both texts of `same` are equal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CrossSpec {
    each: Each,
    same: [Template; 2],
    value: Template,
    #[serde(default, rename = "type")]
    kind: CellType,
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
                        row: table.header_row.saturating_add(column.row.saturating_sub(1)),
                        column: column.number(),
                    };
                    texts.push((at, title));
                }
            }
        }
        texts
    }

    /// A header that is not where it was: nothing may be written into a column that means something else now.
    /// `moved` says where a place of the workbook stands after rows were inserted.
    fn moved_headers(&self, file: &str, grid: &Grid, moved: &dyn Fn(At) -> At) -> Vec<Problem> {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut problems = Vec::new();
        for (at, text) in self.fingerprint() {
            let at = moved(at);
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
    pub(crate) fn prepare(
        &mut self,
        (file, file_name): (&str, &Template),
        shape: &Scope<'_>,
        assets: Assets<'_>,
    ) -> Vec<Problem> {
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
                        Ok(grid) => problems.extend(sheet.moved_headers(&self.template, &grid, &|at| at)),
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            Err(problem) => problems.push(problem),
        }
        if problems.is_empty() {
            problems = self.hidden_targets(&bytes);
            problems.extend(self.other_ending(file_name, &bytes));
        }
        self.bytes = bytes;
        problems
    }

    /// Excel does not open a workbook whose ending says something else than what it is.
    fn other_ending(&self, file_name: &Template, bytes: &[u8]) -> Option<Problem> {
        let types = Package::open(bytes).and_then(|mut package| package.text("[Content_Types].xml"));
        let types = types.unwrap_or_default();
        let wanted = WORKBOOKS
            .iter()
            .find(|(kind, _)| types.contains(kind))
            .map_or(".xlsx", |(_, ending)| ending);
        let ends = file_name.source().to_lowercase().ends_with(wanted);
        let wanted = match wanted {
            ".xltx" | ".xltm" => {
                format!("{wanted}: the workbook is a template of Excel's own; save it as a workbook first")
            }
            _ => format!("{wanted}, as `{}` is", self.template),
        };
        (!ends).then(|| {
            Problem::new(
                &self.template,
                "[mapping]",
                "file_name",
                file_name.source(),
                wanted,
            )
        })
    }

    /// The XML of every sheet, by name.
    fn parts(&self, bytes: &[u8]) -> Result<BTreeMap<String, String>, Problem> {
        let mut package = Package::open(bytes).map_err(|error| self.unreadable(&error))?;
        let sheets = package.sheets().map_err(|error| self.unreadable(&error))?;
        let mut parts = BTreeMap::new();
        for (name, part) in sheets {
            let text = package.text(&part).map_err(|error| self.unreadable(&error))?;
            // A tab that holds a chart has no cells, and stays as it is.
            if root_name(&text).is_none_or(|root| root == "worksheet") {
                parts.insert(name, text);
            }
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
