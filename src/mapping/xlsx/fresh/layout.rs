//! From blocks to rows of cells: the same walk writes a workbook and says what must be read back.

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::cell::{CellType, Want, evaluate};
use super::{Align, Block, ColumnSpec, Columns, FieldSpec, TableSpec, TextBlock, TextLook, XlsxNew};
use crate::mapping::value::{Fault, Scope, Template, scopes};
use crate::problem::Problem;

/// A page that is wrong everywhere need not be listed to the end.
const MAX_PROBLEMS: usize = 100;
const LINE_POINTS: f64 = 13.5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Look {
    Text(TextLook),
    Label,
    Value,
    Header,
    Cell,
    Total,
}

impl Look {
    /// Size of its letters.
    pub(in crate::mapping) fn points(self) -> f64 {
        match self {
            Self::Text(TextLook::Title) => 17.0,
            Self::Text(TextLook::Subtitle | TextLook::Strong) => 10.0,
            Self::Text(TextLook::Note) | Self::Label | Self::Header => 8.0,
            Self::Text(TextLook::Warning) | Self::Value | Self::Cell | Self::Total => 9.0,
        }
    }

    pub(in crate::mapping) fn is_bold(self) -> bool {
        match self {
            Self::Text(look) => !matches!(look, TextLook::Subtitle | TextLook::Note),
            Self::Header | Self::Total => true,
            Self::Label | Self::Value | Self::Cell => false,
        }
    }

    /// What only accompanies the values is grey.
    pub(in crate::mapping) fn is_muted(self) -> bool {
        matches!(
            self,
            Self::Label | Self::Text(TextLook::Subtitle | TextLook::Note)
        )
    }

    /// Whether it has a border: the cells of a table.
    pub(in crate::mapping) fn is_boxed(self) -> bool {
        matches!(self, Self::Header | Self::Cell | Self::Total)
    }
}

#[derive(Debug)]
pub(in crate::mapping) struct PageCell<'a> {
    pub columns: Columns,
    pub want: Want,
    pub style: Style<'a>,
    pub field: &'a str,
}

/// A style by reference: nothing is allocated for a cell of a long table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) struct Style<'a> {
    pub look: Look,
    pub align: Align,
    pub format: Option<&'a str>,
}

#[derive(Debug)]
pub(in crate::mapping) struct PageRow<'a> {
    /// From 1.
    pub no: u32,
    pub height: Option<f64>,
    pub cells: Vec<PageCell<'a>>,
    /// A table's header: the last one of a sheet is repeated on its printed pages, so that none stands over the rows of
    /// another table.
    pub repeated: bool,
    /// The sheet it stands on, from 0.
    pub sheet: usize,
}

pub(in crate::mapping) enum Rows<'r> {
    OfModel,
    Streamed(&'r mut dyn Iterator<Item = Value>),
}

/// What a page knows of itself when it is laid out: totals and what the columns above them add up to.
#[derive(Debug, Default)]
pub(in crate::mapping) struct LaidOut {
    sums: Vec<(String, Decimal, Decimal)>,
    /// How many rows each sheet has.
    pub rows: Vec<u32>,
}

impl LaidOut {
    pub(in crate::mapping) fn wrong_totals(&self, file: &str, sheet: &str) -> Vec<Problem> {
        let wrong = self.sums.iter().filter(|(_, sum, total)| sum != total);
        wrong
            .map(|(title, sum, total)| {
                let wanted = format!("{total}, the order's total");
                Problem::new(
                    file,
                    format!("sheet {sheet}, total"),
                    title,
                    sum.to_string(),
                    wanted,
                )
            })
            .collect()
    }
}

type Sink<'s> = &'s mut dyn FnMut(&PageRow<'_>) -> Result<(), Problem>;

struct Walk<'s, 'f> {
    page: &'s XlsxNew,
    file: &'f str,
    sink: Sink<'s>,
    next: u32,
    problems: Vec<Problem>,
    laid: LaidOut,
}

impl XlsxNew {
    /// Gives every row of the page to the sink, top down.
    pub(in crate::mapping) fn lay_out(
        &self,
        file: &str,
        scope: &Scope<'_>,
        mut rows: Rows<'_>,
        sink: Sink<'_>,
    ) -> Result<LaidOut, Vec<Problem>> {
        let mut walk = Walk {
            page: self,
            file,
            sink,
            next: 1,
            problems: Vec::new(),
            laid: LaidOut::default(),
        };
        for (block, begins) in self.blocks.iter().zip(self.begins(scope)) {
            walk.block(block, scope, &mut rows);
            if begins {
                walk.laid.rows.push(walk.next - 1);
                walk.next = 1;
            }
        }
        walk.laid.rows.push(walk.next - 1);
        match walk.problems.is_empty() {
            true => Ok(walk.laid),
            false => Err(walk.problems),
        }
    }

    /// Points for a text in its columns: lines it breaks into, counted with wide characters as two.
    fn height<'t>(&self, texts: impl Iterator<Item = (Columns, &'t str)>, line: f64) -> f64 {
        let place = |column: u32| usize::try_from(column).unwrap_or_default();
        let lines = texts.map(|(columns, text)| {
            let widths = self
                .widths
                .get(place(columns.from).saturating_sub(1)..place(columns.to))
                .unwrap_or_default();
            let width = widths.iter().sum::<f64>().max(1.0);
            let lines = text
                .split('\n')
                .map(|part| (shown_width(part) / width).ceil().max(1.0));
            lines.sum::<f64>()
        });
        lines.fold(1.0, f64::max) * line + 4.0
    }
}

fn shown_width(text: &str) -> f64 {
    let width = |c: char| match u32::from(c) {
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F
        | 0xFF00..=0xFF60 => 1.85,
        _ => 1.0,
    };
    // Column widths are counted in characters of 11 points, ours have 9.
    text.chars().map(width).sum::<f64>() * 0.84
}

impl Walk<'_, '_> {
    fn emit(&mut self, height: Option<f64>, cells: Vec<PageCell<'_>>, repeated: bool) {
        let row = PageRow {
            no: self.next,
            height,
            cells,
            repeated,
            sheet: self.laid.rows.len(),
        };
        self.next += 1;
        if let Err(problem) = (self.sink)(&row) {
            self.problem(problem);
        }
    }

    fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn fault(&mut self, fault: &Fault, field: &str) {
        let place = format!("row {}", self.next);
        let field = match field.is_empty() {
            true => fault.path.clone(),
            false => format!("{}: {}", field.replace('\n', " "), fault.path),
        };
        self.problem(Problem::new(
            self.file,
            place,
            field,
            &fault.found,
            fault.wanted.as_str(),
        ));
    }

    /// The same gap of the same goods is named once, not for every carton they are in.
    fn row_fault(&mut self, fault: &Fault, field: &str, row_name: Option<String>) {
        let Some(name) = row_name else {
            return self.fault(fault, field);
        };
        let field = format!("{}: {}", field.replace('\n', " "), fault.path);
        let problem = Problem::new(self.file, name, field, &fault.found, fault.wanted.as_str());
        if !self.problems.contains(&problem) {
            self.problem(problem);
        }
    }

    fn block(&mut self, block: &Block, scope: &Scope<'_>, rows: &mut Rows<'_>) {
        if let Some(text) = &block.text {
            self.text(text, scope);
        }
        for fields in block.fields.iter().flatten() {
            self.fields(fields, scope);
        }
        if let Some(table) = &block.table {
            self.table(table, scope, rows);
        }
        if let Some(points) = block.gap {
            self.emit(Some(points), Vec::new(), false);
        }
    }

    fn text(&mut self, block: &TextBlock, scope: &Scope<'_>) {
        let text = match block.value.fill(scope) {
            Ok(Some(text)) => text,
            Ok(None) => return,
            Err(fault) => return self.fault(&fault, ""),
        };
        let columns = block.columns.unwrap_or_else(|| self.whole());
        self.text_row(text, columns, block.look);
    }

    fn whole(&self) -> Columns {
        Columns {
            from: 1,
            to: u32::try_from(self.page.widths.len()).unwrap_or(1).max(1),
        }
    }

    fn text_row(&mut self, text: String, columns: Columns, look: TextLook) {
        let line = match look {
            TextLook::Title => 24.0,
            TextLook::Subtitle => 16.0,
            _ => LINE_POINTS,
        };
        let align = match look {
            TextLook::Title | TextLook::Subtitle => Align::Center,
            _ => Align::Left,
        };
        // A large letter takes the room of two small ones.
        let measured = match look {
            TextLook::Title => String::new(),
            _ => text.clone(),
        };
        let height = self
            .page
            .height(std::iter::once((columns, measured.as_str())), line);
        let cell = PageCell {
            columns,
            want: Want::Text(text),
            style: Style {
                look: Look::Text(look),
                align,
                format: None,
            },
            field: "text",
        };
        self.emit(Some(height), vec![cell], false);
    }

    fn fields(&mut self, fields: &[FieldSpec], scope: &Scope<'_>) {
        let mut cells = Vec::new();
        let mut texts = Vec::new();
        for field in fields {
            let want = match evaluate(&field.value, field.kind, field.required, None, scope) {
                Ok(want) => want,
                Err(fault) => {
                    self.fault(&fault, &field.label);
                    continue;
                }
            };
            texts.push((field.columns, want.shown()));
            texts.push((field.label_columns, field.label.clone()));
            let style = |look| Style {
                look,
                align: Align::Left,
                format: match field.kind {
                    CellType::Date => Some("yyyy-mm-dd"),
                    _ => None,
                },
            };
            cells.push(PageCell {
                columns: field.label_columns,
                want: Want::Text(field.label.clone()),
                style: style(Look::Label),
                field: "label",
            });
            cells.push(PageCell {
                columns: field.columns,
                want,
                style: style(Look::Value),
                field: &field.label,
            });
        }
        cells.sort_by_key(|cell| cell.columns.from);
        let texts = texts.iter().map(|(columns, text)| (*columns, text.as_str()));
        let height = self.page.height(texts, LINE_POINTS);
        self.emit(Some(height), cells, false);
    }

    fn table(&mut self, table: &TableSpec, scope: &Scope<'_>, rows: &mut Rows<'_>) {
        let inner = match rows {
            Rows::OfModel => match scopes(&table.each, scope) {
                Ok(inner) => inner,
                Err(fault) => return self.fault(&fault, "each"),
            },
            Rows::Streamed(_) => Vec::new(),
        };
        if inner.is_empty() && table.hide_empty {
            return;
        }
        if let Some(heading) = &table.heading {
            match heading.fill(scope) {
                Ok(Some(text)) => self.text_row(text, self.whole(), TextLook::Strong),
                Ok(None) => {}
                Err(fault) => self.fault(&fault, "heading"),
            }
        }
        self.header(table);
        let mut sums = vec![Decimal::ZERO; table.columns.len()];
        match rows {
            Rows::OfModel => inner.iter().for_each(|inner| self.row(table, inner, &mut sums)),
            Rows::Streamed(values) => {
                let name = table.each.first().map_or("row", |each| each.name());
                for value in values {
                    self.row(table, &scope.with(name, &value), &mut sums);
                    if self.problems.len() >= MAX_PROBLEMS {
                        break;
                    }
                }
            }
        }
        if table.total_label.is_some() {
            self.total(table, scope, &sums);
        }
    }

    fn header(&mut self, table: &TableSpec) {
        let cells = table.columns.iter().map(|column| PageCell {
            columns: column.columns,
            want: Want::Text(column.title.clone()),
            style: Style {
                look: Look::Header,
                align: Align::Center,
                format: None,
            },
            field: "title",
        });
        let titles = table
            .columns
            .iter()
            .map(|column| (column.columns, column.title.as_str()));
        let height = self.page.height(titles, LINE_POINTS);
        self.emit(Some(height), cells.collect(), true);
    }

    fn row(&mut self, table: &TableSpec, scope: &Scope<'_>, sums: &mut [Decimal]) {
        let mut cells = Vec::with_capacity(table.columns.len());
        let mut lines = false;
        for (column, sum) in table.columns.iter().zip(sums) {
            match evaluate(
                &column.value,
                column.kind,
                column.required,
                column.when.as_ref(),
                scope,
            ) {
                Ok(want) => {
                    if let Want::Number(number) = &want {
                        *sum = sum.saturating_add(*number);
                    }
                    lines |= matches!(&want, Want::Text(_));
                    cells.push(column_cell(column, want, Look::Cell));
                }
                Err(fault) => {
                    let name = table
                        .row_name
                        .as_ref()
                        .and_then(|name| name.fill(scope).ok().flatten());
                    self.row_fault(&fault, &column.title, name);
                }
            }
        }
        let height = lines.then(|| {
            let texts = cells.iter().filter_map(|cell| match &cell.want {
                Want::Text(text) => Some((cell.columns, text.as_str())),
                _ => None,
            });
            self.page.height(texts, LINE_POINTS)
        });
        self.emit(height.filter(|height| *height > LINE_POINTS + 5.0), cells, false);
    }

    fn total(&mut self, table: &TableSpec, scope: &Scope<'_>, sums: &[Decimal]) {
        let mut cells: Vec<PageCell<'_>> = Vec::new();
        let mut label = table.total_label.as_ref();
        // The label takes the room up to the first total: a narrow first column does not cut it.
        let mut in_label = false;
        for (column, sum) in table.columns.iter().zip(sums) {
            if in_label && column.total.is_none() {
                if let Some(last) = cells.last_mut() {
                    last.columns.to = column.columns.to;
                }
                continue;
            }
            in_label = column.total.is_none() && label.is_some();
            let (template, kind): (Option<&Template>, CellType) = match &column.total {
                Some(total) => (Some(total), column.kind),
                None => (label.take(), CellType::Text),
            };
            let want = template.map_or(Ok(Want::Empty), |template| {
                evaluate(template, kind, true, None, scope)
            });
            match want {
                Ok(want) => {
                    if let (Want::Number(total), true) = (&want, column.adds_up) {
                        let title = column.title.replace('\n', " ");
                        self.laid.sums.push((title, *sum, *total));
                    }
                    cells.push(column_cell(column, want, Look::Total));
                }
                Err(fault) => self.fault(&fault, &column.title),
            }
        }
        self.emit(Some(LINE_POINTS + 6.0), cells, false);
    }
}

fn column_cell(column: &ColumnSpec, want: Want, look: Look) -> PageCell<'_> {
    let format = match (&want, column.kind) {
        (_, CellType::Date) => Some("yyyy-mm-dd"),
        _ => column.format.as_deref(),
    };
    PageCell {
        columns: column.columns,
        want,
        style: Style {
            look,
            align: column.alignment(),
            format,
        },
        field: &column.title,
    }
}
