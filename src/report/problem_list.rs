//! The problem list (问题清单): everything in the way of orders, each row with the field to mend, as a sheet.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::ReportError;
use super::model::ToMend;
use super::workbook::{Styles, write_text};
use crate::wording::{Lang, text};

const COLUMNS: [(&str, f64); 8] = [
    ("level", 9.0),
    ("about", 20.0),
    ("gate", 12.0),
    ("field", 24.0),
    ("found", 20.0),
    ("wanted", 58.0),
    ("where", 22.0),
    ("since", 12.0),
];

/// Writes the sheet into a workbook.
pub(super) fn sheet(
    book: &mut Workbook,
    lang: Lang,
    rows: &[&ToMend],
    styles: &Styles,
) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(text(lang, "gate.sheet.name", &[]))?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3);
    sheet.set_footer("&L&8&A&R&8&P / &N");
    sheet.set_row_height(0, HEAD_POINTS)?;
    for ((column, width), place) in COLUMNS.iter().zip(0_u16..) {
        sheet.set_column_width(place, *width)?;
        let title = text(lang, &format!("gate.sheet.{column}"), &[]);
        write_text(sheet, 0, place, &title, &styles.head)?;
    }
    for (one, row) in rows.iter().zip(1_u32..) {
        let finding = &one.finding;
        let cells = [
            text(lang, &format!("gate.level.{}", finding.level.code()), &[]),
            one.about.clone(),
            text(lang, &format!("gate.gate.{}", finding.gate.code()), &[]),
            finding.problem.field.clone(),
            finding.problem.found.clone(),
            finding.wanted(lang).to_owned(),
            one.place(),
            one.since.map_or_else(String::new, |day| day.to_string()),
        ];
        for (cell, column) in cells.iter().zip(0_u16..) {
            write_text(sheet, row, column, cell, &styles.centred)?;
        }
        // Not every program makes room for a second line by itself.
        let lines = cells
            .iter()
            .zip(&COLUMNS)
            .map(|(cell, (_, width))| lines(cell, *width));
        sheet.set_row_height(row, lines.fold(1.0, f64::max) * LINE_POINTS + ROOM_POINTS)?;
    }
    let last = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    sheet.autofilter(0, 0, last, 7)?;
    Ok(())
}

pub(super) const LINE_POINTS: f64 = 15.0;
/// Between a row's text and its borders.
pub(super) const ROOM_POINTS: f64 = 5.0;
/// A row of titles.
pub(super) const HEAD_POINTS: f64 = 22.0;

/// Lines a text breaks into; words leave some room at the end of each, and a wide character takes that of two.
pub(super) fn lines(text: &str, width: f64) -> f64 {
    let shown: f64 = text.chars().map(|c| if c.is_ascii() { 1.0 } else { 2.0 }).sum();
    (shown / (width - 2.0)).ceil().max(1.0)
}

/// The list as a workbook of its own.
///
/// # Errors
/// When the writer refuses.
pub fn problem_list(lang: Lang, rows: &[ToMend]) -> Result<Vec<u8>, ReportError> {
    let mut book = Workbook::new();
    let made = rust_xlsxwriter::ExcelDateTime::from_timestamp(0)?;
    book.set_properties(
        &rust_xlsxwriter::DocProperties::new()
            .set_author("linkstar")
            .set_creation_datetime(&made),
    );
    let rows: Vec<&ToMend> = rows.iter().collect();
    sheet(&mut book, lang, &rows, &Styles::new())?;
    Ok(book.save_to_buffer()?)
}
