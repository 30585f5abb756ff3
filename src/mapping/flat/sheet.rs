//! `xlsx-table`: a workbook of plain tables, one on each sheet.

use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use serde::Deserialize;

use super::{Column, Table};
use crate::mapping::value::Scope;
use crate::mapping::xlsx::At;
use crate::mapping::xlsx::book::{Book, Expected, differences};
use crate::mapping::xlsx::cell::Want;
use crate::problem::Problem;

/// Section `[xlsx-table]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XlsxTable {
    sheets: Vec<Sheet>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    name: String,
    /// A line above the header row, such as a title the importer skips.
    above: Option<crate::mapping::value::Template>,
    table: Table,
}

impl Sheet {
    /// The row of the header, counted from 0.
    fn header_row(&self) -> u32 {
        u32::from(self.above.is_some())
    }
}

impl XlsxTable {
    pub(crate) fn faults(&self, file: &str, shape: &Scope<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.sheets.is_empty() {
            problems.push(Problem::new(
                file,
                "[xlsx-table]",
                "sheets",
                "none",
                "at least one sheet",
            ));
        }
        for sheet in &self.sheets {
            let place = format!("[xlsx-table] sheet {}", sheet.name);
            if let Some(above) = &sheet.above {
                let faults = above.faults(shape).into_iter();
                problems.extend(faults.map(|fault| fault.problem(file, &place)));
            }
            problems.extend(sheet.table.faults(file, &place, shape));
        }
        problems
    }

    /// # Errors
    /// Everything that is missing, of all sheets.
    pub(crate) fn write(&self, file: &str, scope: &Scope<'_>) -> Result<Vec<u8>, Vec<Problem>> {
        let refused =
            |error: &XlsxError| Problem::new(file, "", "", error.to_string(), "a sheet Excel can hold");
        let mut book = Workbook::new();
        // The same order gives the same bytes on every day.
        let made = ExcelDateTime::from_ymd(2000, 1, 1).map_err(|error| vec![refused(&error)])?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&made));
        let mut problems = Vec::new();
        for sheet in &self.sheets {
            if let Err(more) = self.fill(&mut book, sheet, file, scope, &refused) {
                problems.extend(more);
            }
        }
        match problems.is_empty() {
            true => book.save_to_buffer().map_err(|error| vec![refused(&error)]),
            false => Err(problems),
        }
    }

    fn fill(
        &self,
        book: &mut Workbook,
        sheet: &Sheet,
        file: &str,
        scope: &Scope<'_>,
        refused: &dyn Fn(&XlsxError) -> Problem,
    ) -> Result<(), Vec<Problem>> {
        let wrong = |error: XlsxError| vec![refused(&error)];
        let page = book.add_worksheet_with_constant_memory().map_err(wrong)?;
        page.set_name(&sheet.name).map_err(wrong)?;
        let (bold, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
        let date = Format::new().set_num_format("yyyy-mm-dd");
        let mut widths = Vec::with_capacity(sheet.table.columns.len());
        for spec in &sheet.table.columns {
            let shown = shown_width(&spec.title);
            widths.push(spec.width.unwrap_or(shown.clamp(9.0, 40.0) + 2.0));
        }
        let header = sheet.header_row();
        page.set_freeze_panes(header + 1, 0).map_err(wrong)?;
        if let Some(above) = sheet
            .above
            .as_ref()
            .and_then(|above| above.fill(scope).ok().flatten())
        {
            page.write_string_with_format(0, 0, above, &bold).map_err(wrong)?;
        }
        for (column, spec) in (0_u16..).zip(&sheet.table.columns) {
            page.write_string_with_format(header, column, &spec.title, &bold)
                .map_err(wrong)?;
        }
        let place = format!("sheet {}", sheet.name);
        sheet.table.rows(file, &place, scope, &mut |no, cells| {
            let row = u32::try_from(no).unwrap_or(u32::MAX).saturating_add(header + 1);
            if no < MEASURED_ROWS {
                widen(&mut widths, &sheet.table.columns, cells);
            }
            for (column, want) in (0_u16..).zip(cells) {
                let written = match want {
                    Want::Empty => continue,
                    Want::Text(words) => page.write_string_with_format(row, column, words, &text),
                    Want::Number(number) => {
                        page.write_number(row, column, number.to_f64().unwrap_or(f64::NAN))
                    }
                    Want::Date(day) => page.write_datetime_with_format(row, column, day, &date),
                };
                written.map_err(|error| refused(&error))?;
            }
            Ok(())
        })?;
        printed(page, &widths, header).map_err(wrong)
    }

    /// Reads the file with another reader and compares every cell.
    pub(crate) fn check(&self, name: &str, bytes: &[u8], scope: &Scope<'_>) -> Vec<Problem> {
        let mut book = match Book::open(name, bytes) {
            Ok(book) => book,
            Err(problem) => return vec![problem],
        };
        let mut problems = Vec::new();
        for sheet in &self.sheets {
            let grid = match book.grid(&sheet.name) {
                Ok(grid) => grid,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let header = sheet.header_row() + 1;
            let at = |row: u32, column: usize| At {
                row,
                column: u32::try_from(column + 1).unwrap_or(u32::MAX),
            };
            let mut expected: Vec<Expected> = sheet
                .table
                .columns
                .iter()
                .enumerate()
                .map(|(column, spec)| Expected {
                    at: at(header, column),
                    field: "header".to_owned(),
                    want: Want::Text(spec.title.clone()),
                })
                .collect();
            let mut last = header;
            let place = format!("sheet {}", sheet.name);
            let walked = sheet.table.rows(name, &place, scope, &mut |no, cells| {
                last = u32::try_from(no).unwrap_or(u32::MAX).saturating_add(header + 1);
                expected.extend(cells.iter().enumerate().map(|(column, want)| {
                    Expected {
                        at: at(last, column),
                        field: sheet
                            .table
                            .columns
                            .get(column)
                            .map_or_else(String::new, |c| c.title.clone()),
                        want: want.clone(),
                    }
                }));
                Ok(())
            });
            problems.extend(walked.err().unwrap_or_default());
            problems.extend(differences(name, &sheet.name, &grid, &expected));
            for (at, found) in grid.cells.iter().filter(|(at, _)| at.row > last) {
                let place = format!("{place}, cell {at}");
                let wanted = format!("nothing below row {last}, the order's last");
                problems.push(Problem::new(name, place, "row", found.shown(), wanted));
            }
        }
        problems
    }
}

/// So many rows tell how wide a column must be; a table of any length is written in constant memory.
const MEASURED_ROWS: usize = 200;
/// Characters that fit on a page on its long side and can still be read.
const PAGE_CHARACTERS: f64 = 240.0;

fn shown_width(text: &str) -> f64 {
    let width = |c: char| if c.is_ascii() { 1.1 } else { 2.1 };
    text.chars().map(width).sum()
}

/// A column takes the longest of its values, up to a limit: what is longer goes on behind the next cell.
fn widen(widths: &mut [f64], columns: &[Column], cells: &[Want]) {
    for ((width, spec), want) in widths.iter_mut().zip(columns).zip(cells) {
        if spec.width.is_none()
            && let Want::Text(text) = want
        {
            *width = width.max((shown_width(text) + 1.0).min(44.0));
        }
    }
}

/// For paper: A4 on its long side, as few pages side by side as can be read, the titles on every one.
fn printed(page: &mut Worksheet, widths: &[f64], header: u32) -> Result<(), XlsxError> {
    for (column, width) in (0_u16..).zip(widths) {
        page.set_column_width(column, *width)?;
    }
    let across = (widths.iter().sum::<f64>() / PAGE_CHARACTERS).ceil().max(1.0);
    page.set_paper_size(9)
        .set_landscape()
        .set_print_fit_to_pages(across.to_u16().unwrap_or(1), 0)
        .set_print_gridlines(true)
        .set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3)
        .set_footer("&L&8&A&R&8&P / &N")
        .set_repeat_rows(0, header)?;
    Ok(())
}
