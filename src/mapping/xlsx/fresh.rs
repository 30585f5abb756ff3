//! Workbooks of our own design: blocks of text, fields and tables on one page width, declared in a mapping file.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::address::column_number;
use super::book::{Book, Expected, differences};
use super::cell::CellType;
use crate::mapping::value::{Each, Scope, Template, scopes};
use crate::problem::Problem;

pub(in crate::mapping) mod layout;
mod paint;

use layout::{PageRow, Rows};

/// Section `[xlsx-new]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XlsxNew {
    pub(in crate::mapping) sheet: String,
    /// Title in the file's properties.
    pub(in crate::mapping) title: Template,
    #[serde(default)]
    pub(in crate::mapping) landscape: bool,
    /// Widths of the columns A, B, C … in characters: the grid all blocks stand on.
    pub(in crate::mapping) widths: Vec<f64>,
    blocks: Vec<Block>,
}

/// One of the five; they follow each other down the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    text: Option<TextBlock>,
    /// Rows of labelled values.
    fields: Option<Vec<Vec<FieldSpec>>>,
    table: Option<TableSpec>,
    /// White space, in points.
    gap: Option<f64>,
    /// What follows stands on a sheet of its own, with this name: a printed page repeats one table's header only.
    sheet: Option<String>,
    /// With `sheet`: only when the tables above it on its sheet have more rows than this, because what would follow them
    /// on one page stands beyond their last page then, under titles that are not its own.
    beyond: Option<usize>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextBlock {
    value: Template,
    #[serde(default)]
    look: TextLook,
    /// Columns it stands on, the whole width when absent.
    columns: Option<Columns>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::mapping) enum TextLook {
    Title,
    Subtitle,
    Strong,
    Warning,
    #[default]
    Note,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSpec {
    label: String,
    label_columns: Columns,
    value: Template,
    columns: Columns,
    #[serde(default, rename = "type")]
    kind: CellType,
    #[serde(default)]
    required: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableSpec {
    /// A line above the table.
    heading: Option<Template>,
    each: Vec<Each>,
    /// Left out altogether, heading too, when there is no row.
    #[serde(default)]
    hide_empty: bool,
    columns: Vec<ColumnSpec>,
    /// How a row is called when something is missing in it, e.g. `{line.goods.sku}`; named once, not on every row.
    row_name: Option<Template>,
    /// First cell of the totals row; without it there is none.
    total_label: Option<Template>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnSpec {
    title: String,
    columns: Columns,
    value: Template,
    #[serde(default, rename = "type")]
    kind: CellType,
    /// Excel number format, e.g. `#,##0.000`.
    format: Option<String>,
    align: Option<Align>,
    #[serde(default)]
    required: bool,
    when: Option<Template>,
    /// What stands in the totals row.
    total: Option<Template>,
    /// The column's numbers must add up to `total`; false for figures that are rounded row by row.
    #[serde(default = "yes")]
    adds_up: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::mapping) enum Align {
    Left,
    Center,
    Right,
}

/// `B` or `B:D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::mapping) struct Columns {
    pub(in crate::mapping) from: u32,
    pub(in crate::mapping) to: u32,
}

impl TryFrom<String> for Columns {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (from, to) = text.split_once(':').unwrap_or((&text, &text));
        match (column_number(from), column_number(to)) {
            (Some(from), Some(to)) if from <= to => Ok(Self { from, to }),
            _ => Err(format!(
                "`{text}`: wanted a column such as B or columns such as B:D"
            )),
        }
    }
}

impl XlsxNew {
    /// Everything wrong in the section itself.
    pub(crate) fn faults(&self, file: &str, shape: &Scope<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let width = u32::try_from(self.widths.len()).unwrap_or(u32::MAX);
        for (no, block) in self.blocks.iter().enumerate() {
            let place = format!("[[xlsx-new.blocks]] {}", no + 1);
            let kinds = [
                block.text.is_some(),
                block.fields.is_some(),
                block.table.is_some(),
                block.gap.is_some(),
                block.sheet.is_some(),
            ];
            if kinds.iter().filter(|kind| **kind).count() != 1 {
                problems.push(Problem::new(
                    file,
                    &place,
                    "",
                    "",
                    "one of text, fields, table, gap and sheet",
                ));
            }
            if block.beyond.is_some() && block.sheet.is_none() {
                let wanted = "`sheet` beside it: it says when that sheet begins";
                problems.push(Problem::new(file, &place, "beyond", "", wanted));
            }
            for columns in block.columns().into_iter().filter(|columns| columns.to > width) {
                let found = super::address::column_letters(columns.to);
                problems.push(Problem::new(
                    file,
                    &place,
                    "columns",
                    found,
                    "a column that `widths` has",
                ));
            }
            let mut templates: Vec<(&Template, Scope<'_>)> = Vec::new();
            templates.extend(block.text.iter().map(|text| (&text.value, shape.clone())));
            for field in block.fields.iter().flatten().flatten() {
                templates.push((&field.value, shape.clone()));
            }
            if let Some(table) = &block.table {
                templates.extend(
                    table
                        .heading
                        .iter()
                        .chain(&table.total_label)
                        .map(|text| (text, shape.clone())),
                );
                match scopes(&table.each, shape) {
                    Ok(inner) => {
                        templates.extend(table.row_name.iter().zip(inner.first().cloned()));
                        for (column, inner) in table
                            .columns
                            .iter()
                            .flat_map(|column| inner.first().map(|inner| (column, inner)))
                        {
                            templates.push((&column.value, inner.clone()));
                            templates.extend(column.when.iter().map(|when| (when, inner.clone())));
                            templates.extend(column.total.iter().map(|total| (total, shape.clone())));
                        }
                    }
                    Err(fault) => problems.push(fault.problem(file, &format!("{place}, each"))),
                }
            }
            for (template, scope) in templates {
                problems.extend(
                    template
                        .faults(&scope)
                        .into_iter()
                        .map(|fault| fault.problem(file, &place)),
                );
            }
        }
        problems
    }

    /// # Errors
    /// Everything that is missing, all at once.
    pub(crate) fn write(&self, file: &str, scope: &Scope<'_>) -> Result<Vec<u8>, Vec<Problem>> {
        self.paint(file, scope, Rows::OfModel, false)
    }

    /// A workbook whose first table takes its rows from an iterator instead of the model, in constant memory (through
    /// a temporary file of the writer's): for tables of any length. What it writes is not read back.
    ///
    /// # Errors
    /// As for a document; the first hundred problems.
    pub fn stream(
        &self,
        file: &str,
        scope: &Scope<'_>,
        rows: &mut dyn Iterator<Item = Value>,
    ) -> Result<Vec<u8>, Vec<Problem>> {
        self.paint(file, scope, Rows::Streamed(rows), true)
    }

    /// The number formats of its columns, with their titles.
    pub(in crate::mapping) fn formats(&self) -> impl Iterator<Item = (&str, &str)> {
        let tables = self.blocks.iter().filter_map(|block| block.table.as_ref());
        let columns = tables.flat_map(|table| &table.columns);
        columns.filter_map(|column| Some((column.title.as_str(), column.format.as_deref()?)))
    }

    /// Names of the sheets, in their order.
    fn sheets(&self, scope: &Scope<'_>) -> Vec<&str> {
        let begins = self.begins(scope);
        let blocks = self.blocks.iter().zip(begins).filter(|(_, begins)| *begins);
        let further = blocks.filter_map(|(block, _)| block.sheet.as_deref());
        std::iter::once(self.sheet.as_str()).chain(further).collect()
    }

    /// For each block, whether a sheet begins with it.
    fn begins(&self, scope: &Scope<'_>) -> Vec<bool> {
        let mut rows = 0;
        let mut begins = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            if let Some(table) = &block.table {
                rows += scopes(&table.each, scope).map_or(0, |inner| inner.len());
            }
            let begins_here = block.sheet.is_some() && block.beyond.is_none_or(|most| rows > most);
            if begins_here {
                rows = 0;
            }
            begins.push(begins_here);
        }
        begins
    }

    /// Reads the file with another reader and compares every cell and total.
    pub(crate) fn check(&self, name: &str, bytes: &[u8], scope: &Scope<'_>) -> Vec<Problem> {
        let sheets = self.sheets(scope);
        let mut pages: Vec<Vec<Expected>> = vec![Vec::new(); sheets.len()];
        let mut problems = Vec::new();
        let mut collect = |row: &PageRow<'_>| {
            let Some(expected) = pages.get_mut(row.sheet) else {
                return Ok(());
            };
            for cell in &row.cells {
                expected.push(Expected {
                    at: super::address::At {
                        row: row.no,
                        column: cell.columns.from,
                    },
                    field: cell.field.to_owned(),
                    want: cell.want.clone(),
                });
            }
            Ok(())
        };
        let laid = match self.lay_out(name, scope, Rows::OfModel, &mut collect) {
            Ok(laid) => laid,
            Err(more) => return more,
        };
        let mut book = match Book::open(name, bytes) {
            Ok(book) => book,
            Err(problem) => return vec![problem],
        };
        for (sheet, expected) in sheets.into_iter().zip(&pages) {
            let grid = match book.grid(sheet) {
                Ok(grid) => grid,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            problems.extend(differences(name, sheet, &grid, expected));
            let known: BTreeSet<_> = expected.iter().map(|expected| expected.at).collect();
            for (at, found) in grid.cells.iter().filter(|(at, _)| !known.contains(at)) {
                let place = format!("sheet {sheet}, cell {at}");
                let wanted = "an empty cell: the document ends here";
                problems.push(Problem::new(name, place, "", found.shown(), wanted));
            }
        }
        problems.extend(laid.wrong_totals(name, &self.sheet));
        problems
    }
}

impl Block {
    fn columns(&self) -> Vec<Columns> {
        let mut all: Vec<Columns> = self.text.iter().filter_map(|text| text.columns).collect();
        for field in self.fields.iter().flatten().flatten() {
            all.extend([field.label_columns, field.columns]);
        }
        if let Some(table) = &self.table {
            all.extend(table.columns.iter().map(|column| column.columns));
        }
        all
    }
}

impl ColumnSpec {
    fn alignment(&self) -> Align {
        self.align.unwrap_or(match self.kind {
            CellType::Number => Align::Right,
            CellType::Date => Align::Center,
            CellType::Text => Align::Left,
        })
    }
}
