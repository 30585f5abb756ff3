//! The workbook a person answers in: suggestions with a decision column, where each number comes from, the data
//! behind it, the receipts. The same report makes the same bytes.

mod background;
pub(super) mod columns;
mod suggestions;

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::cash::{self, PlannedCash};
use super::model::{DailyReport, ReportError, ToMend};
use super::problem_list;
use crate::wording::text;

const INK: u32 = 0x1D_2329;
const GREY: u32 = 0x5B_6671;
const HEAD: u32 = 0xE8_EBEE;
const RULE: u32 = 0xDD_E2E7;
const ANSWER: u32 = 0xFF_F8DC;

pub(super) fn write(report: &DailyReport<'_>) -> Result<Vec<u8>, ReportError> {
    let mut book = Workbook::new();
    book.set_properties(&properties(report)?);
    let styles = Styles::new();
    suggestions::write(&mut book, report, &styles)?;
    background::explain(&mut book, report, &styles)?;
    background::freshness(&mut book, report, &styles)?;
    background::receipts(&mut book, report, &styles)?;
    let to_mend: Vec<&ToMend> = report.to_mend.iter().collect();
    if !to_mend.is_empty() {
        problem_list::sheet(&mut book, report.lang, &to_mend, &styles)?;
    }
    let planned: Vec<&PlannedCash> = report
        .cash
        .iter()
        .filter(|one| {
            let own = report.owner.as_ref();
            own.is_none_or(|owner| one.skus.iter().any(|sku| owner.skus.contains(sku)))
        })
        .collect();
    if !planned.is_empty() {
        cash::sheet(&mut book, report.lang, &planned, &styles)?;
    }
    Ok(book.save_to_buffer()?)
}

/// The creation time is the report's day, not the clock's: the bytes depend on the report alone.
fn properties(report: &DailyReport<'_>) -> Result<DocProperties, XlsxError> {
    let created = ExcelDateTime::from_timestamp(
        report
            .as_of
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp(),
    )?;
    let title = text(
        report.lang,
        "mail.book.title",
        &[
            ("date", &report.as_of.to_string()),
            ("plan", report.plan.id.short()),
        ],
    );
    Ok(DocProperties::new()
        .set_title(title)
        .set_author("linkstar")
        .set_creation_datetime(&created))
}

pub(super) struct Styles {
    pub title: Format,
    pub hint: Format,
    pub head: Format,
    pub head_number: Format,
    pub head_answer: Format,
    pub text: Format,
    pub wrapped: Format,
    /// Like `wrapped`, in the middle of a row that is higher than its text.
    pub centred: Format,
    pub small: Format,
    pub whole: Format,
    pub rate: Format,
    pub money: Format,
    /// A number with as many places as it has.
    pub figure: Format,
    pub date: Format,
    pub answer: Format,
    pub answer_units: Format,
}

impl Styles {
    pub(super) fn new() -> Self {
        let base = Format::new()
            .set_font_color(Color::RGB(INK))
            .set_align(FormatAlign::Top);
        let cell = base
            .clone()
            .set_border_bottom(FormatBorder::Thin)
            .set_border_color(Color::RGB(RULE));
        let head = base
            .clone()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter)
            .set_background_color(Color::RGB(HEAD))
            .set_border_bottom(FormatBorder::Thin);
        let answer = cell.clone().set_background_color(Color::RGB(ANSWER));
        // `quote_prefix`: a foreign text that begins like a formula stays a text even after its cell was edited.
        Self {
            title: base.clone().set_bold().set_font_size(14),
            hint: base.set_font_color(Color::RGB(GREY)),
            head_answer: indented(&head).set_background_color(Color::RGB(0xFF_E9A8)),
            head: indented(&head),
            head_number: head.set_align(FormatAlign::Right),
            text: indented(&cell).set_quote_prefix(),
            wrapped: indented(&cell).set_quote_prefix().set_text_wrap(),
            centred: indented(&cell)
                .set_quote_prefix()
                .set_text_wrap()
                .set_align(FormatAlign::VerticalCenter),
            small: cell
                .clone()
                .set_font_size(8)
                .set_font_color(Color::RGB(GREY))
                .set_quote_prefix(),
            whole: cell.clone().set_num_format("#,##0"),
            rate: cell.clone().set_num_format("#,##0.0"),
            figure: cell.clone().set_num_format("#,##0.###"),
            money: cell.clone().set_num_format("#,##0.00"),
            date: cell.set_num_format("yyyy-mm-dd"),
            answer_units: answer.clone().set_num_format("#,##0"),
            answer: indented(&answer),
        }
    }
}

/// Texts keep a little distance from the number at their left.
fn indented(format: &Format) -> Format {
    format.clone().set_align(FormatAlign::Left).set_indent(1)
}

/// Texts longer than a cell may hold are cut, not refused.
pub(super) fn write_text(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    words: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    const MAX_CELL_CHARS: usize = 32_000;
    if words.len() <= MAX_CELL_CHARS && !words.chars().any(char::is_control) {
        sheet.write_string_with_format(row, column, words, format)?;
        return Ok(());
    }
    let words: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_CELL_CHARS)
        .collect();
    sheet.write_string_with_format(row, column, words, format)?;
    Ok(())
}
