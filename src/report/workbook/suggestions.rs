//! Sheet 1: every line of the plan, with the columns a person answers in at the left.

use rust_xlsxwriter::{
    Color, ConditionalFormatFormula, DataValidation, DataValidationErrorStyle, DataValidationRule, Format,
    Workbook, Worksheet, XlsxError,
};

use super::columns::{Choice, Column, line_key};
use super::{Styles, write_text};
use crate::planner::{AlertLevel, DataState, PlanLine};
use crate::report::chain;
use crate::report::model::DailyReport;
use crate::report::reason::{level_key, name_of, sentence, state_key};
use crate::report::view::owned_lines;
use crate::wording::text;

/// Title, how to answer, headings.
const HEAD_ROW: u32 = 2;
/// Columns that stay in view when the sheet is moved sideways: up to the SKU.
const FROZEN_COLUMNS: u16 = 5;

pub(super) fn write(book: &mut Workbook, report: &DailyReport<'_>, styles: &Styles) -> Result<(), XlsxError> {
    let lang = report.lang;
    let sheet = book.add_worksheet();
    sheet.set_name(text(lang, "mail.sheet.suggestions", &[]))?;
    sheet.set_screen_gridlines(false);
    let title = text(
        lang,
        "mail.book.title",
        &[
            ("date", &report.as_of.to_string()),
            ("plan", report.plan.id.short()),
        ],
    );
    write_text(sheet, 0, 0, &title, &styles.title)?;
    write_text(sheet, 1, 0, &text(lang, "mail.book.how", &[]), &styles.hint)?;
    sheet.set_row_height(0, 24)?;
    sheet.set_row_height(1, 20)?;
    sheet.set_row_height(HEAD_ROW, 32)?;
    for (at, column) in (0_u16..).zip(Column::ALL) {
        sheet.set_column_width(at, column.width())?;
        let head = match column {
            Column::Decision | Column::NewUnits | Column::Reason => &styles.head_answer,
            other if other.is_number() => &styles.head_number,
            _ => &styles.head,
        };
        write_text(sheet, HEAD_ROW, at, &column.title(lang), head)?;
    }
    let lines = owned_lines(report);
    let mut row = HEAD_ROW;
    for line in &lines {
        row += 1;
        sheet.set_row_height(row, row_height(report, line))?;
        for (at, column) in (0_u16..).zip(Column::ALL) {
            cell(sheet, row, at, column, line, report, styles)?;
        }
    }
    sheet.set_freeze_panes(HEAD_ROW + 1, FROZEN_COLUMNS)?;
    let last_column = u16::try_from(Column::ALL.len() - 1).unwrap_or(u16::MAX);
    if row > HEAD_ROW {
        sheet.autofilter(HEAD_ROW, 0, row, last_column)?;
        validations(sheet, report, row)?;
        colours(sheet, report, row, last_column)?;
    }
    page(sheet, row)?;
    Ok(())
}

/// Not every program finds the height of a wrapped text by itself.
fn row_height(report: &DailyReport<'_>, line: &PlanLine) -> u32 {
    let lines = |words: &str, column: Column| {
        // Chinese characters are about two columns wide.
        let wide: u32 = words.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        wide.div_ceil(column.text_width()).clamp(1, 4)
    };
    let why = lines(&sentence(report.lang, line, report.as_of, &[]), Column::Why);
    let name = lines(name_of(report.lang, line), Column::Name);
    4 + 14 * why.max(name)
}

/// On paper only what is decided by: the columns up to the reason, one page wide.
fn page(sheet: &mut Worksheet, last: u32) -> Result<(), XlsxError> {
    sheet.set_print_area(0, 0, last, place_of(Column::Why))?;
    sheet.set_margins(0.4, 0.4, 0.5, 0.5, 0.3, 0.3);
    sheet.set_footer("&C&P / &N");
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(HEAD_ROW, HEAD_ROW)?;
    Ok(())
}

fn validations(sheet: &mut Worksheet, report: &DailyReport<'_>, last: u32) -> Result<(), XlsxError> {
    let lang = report.lang;
    let words: Vec<String> = Choice::ALL.iter().map(|choice| choice.word(lang)).collect();
    let choice = DataValidation::new()
        .allow_list_strings(&words)?
        .set_input_message(text(lang, "mail.book.decision_help", &[]))?
        .set_error_style(DataValidationErrorStyle::Stop);
    sheet.add_data_validation(HEAD_ROW + 1, 0, last, 0, &choice)?;
    let units = DataValidation::new()
        .allow_whole_number(DataValidationRule::GreaterThan(0))
        .set_input_message(text(lang, "mail.book.units_help", &[]))?
        .set_error_style(DataValidationErrorStyle::Stop);
    sheet.add_data_validation(HEAD_ROW + 1, 1, last, 1, &units)?;
    Ok(())
}

/// By formula, so that the colours follow a row when the sheet is sorted.
fn colours(
    sheet: &mut Worksheet,
    report: &DailyReport<'_>,
    last: u32,
    last_column: u16,
) -> Result<(), XlsxError> {
    let first = HEAD_ROW + 2;
    let complete = text(report.lang, state_key(DataState::Complete), &[]);
    let data = rust_xlsxwriter::utility::column_number_to_name(place_of(Column::Data));
    let grey = ConditionalFormatFormula::new()
        .set_rule(format!("=${data}{first}<>\"{complete}\"").as_str())
        .set_format(Format::new().set_font_color(Color::RGB(0x8A_939C)))
        .set_stop_if_true(true);
    sheet.add_conditional_format(HEAD_ROW + 1, 3, last, last_column, &grey)?;
    let level = rust_xlsxwriter::utility::column_number_to_name(place_of(Column::Level));
    for (of, ink, paper) in [
        (AlertLevel::Critical, 0xB3_261E, 0xFC_E8E6),
        (AlertLevel::Warning, 0x8A_5A00, 0xFF_F1CC),
        (AlertLevel::Notice, 0x0B_57A4, 0xE3_EFFC),
        (AlertLevel::Overstock, 0x5F_3D9C, 0xEF_E8FA),
    ] {
        let word = text(report.lang, level_key(Some(of)), &[]);
        let rule = ConditionalFormatFormula::new()
            .set_rule(format!("=${level}{first}=\"{word}\"").as_str())
            .set_format(
                Format::new()
                    .set_font_color(Color::RGB(ink))
                    .set_background_color(Color::RGB(paper)),
            );
        sheet.add_conditional_format(HEAD_ROW + 1, 3, last, 4, &rule)?;
    }
    Ok(())
}

fn place_of(column: Column) -> u16 {
    (0_u16..)
        .zip(Column::ALL)
        .find(|(_, other)| *other == column)
        .map_or(0, |(at, _)| at)
}

fn cell(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    column: Column,
    line: &PlanLine,
    report: &DailyReport<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let lang = report.lang;
    let inbound = || {
        (!line.reasons.contains(&crate::planner::Reason::UnknownInbound)).then(|| {
            line.inbound
                .iter()
                .fold(0_i64, |sum, inbound| sum.saturating_add(inbound.units))
        })
    };
    match column {
        Column::Decision | Column::Reason => {
            sheet.write_blank(row, at, &styles.answer)?;
        }
        Column::NewUnits => {
            sheet.write_blank(row, at, &styles.answer_units)?;
        }
        Column::Level => write_text(
            sheet,
            row,
            at,
            &text(lang, level_key(line.level), &[]),
            &styles.text,
        )?,
        Column::Sku => write_text(sheet, row, at, line.sku.as_str(), &styles.text)?,
        Column::Name => write_text(sheet, row, at, name_of(lang, line), &styles.wrapped)?,
        Column::Warehouse => write_text(sheet, row, at, line.warehouse.as_str(), &styles.text)?,
        Column::Suggested if line.data == DataState::Complete => {
            whole(sheet, row, at, line.suggested_units, styles)?;
        }
        Column::Suggested => known(sheet, row, at, line.suggested_units, styles)?,
        Column::Cartons => whole(sheet, row, at, line.suggested_cartons, styles)?,
        Column::Mode => {
            let modes = chain::modes(lang, line).unwrap_or_default();
            write_text(sheet, row, at, &modes, &styles.text)?;
        }
        Column::OrderBy => date(sheet, row, at, line.order_by, styles)?,
        Column::ShipBy => date(sheet, row, at, line.ship_by, styles)?,
        Column::Eta => date(sheet, row, at, line.eta, styles)?,
        Column::StockoutP50 => date(sheet, row, at, line.stockout.p50, styles)?,
        Column::StockoutP90 => date(sheet, row, at, line.stockout.p90, styles)?,
        Column::Available => known(sheet, row, at, line.available, styles)?,
        Column::Pending => known(sheet, row, at, line.pending_putaway, styles)?,
        Column::Inbound => known(sheet, row, at, inbound(), styles)?,
        Column::Cover => rate(sheet, row, at, line.cover_days, styles)?,
        Column::Velocity7 => rate(sheet, row, at, line.velocity_7, styles)?,
        Column::Velocity30 => rate(sheet, row, at, line.velocity_30, styles)?,
        Column::Velocity90 => rate(sheet, row, at, line.velocity_90, styles)?,
        Column::OutDays => whole(sheet, row, at, Some(line.out_of_stock_days), styles)?,
        Column::Safety => whole(sheet, row, at, line.safety_units, styles)?,
        Column::Need => whole(sheet, row, at, line.need_units, styles)?,
        Column::Cost => match line.cost {
            Some(cost) => {
                sheet.write_with_format(row, at, cost.amount, &styles.money)?;
            }
            None => blank(sheet, row, at, styles)?,
        },
        Column::Currency => {
            let code = line
                .cost
                .map_or_else(String::new, |cost| cost.currency.to_string());
            write_text(sheet, row, at, &code, &styles.text)?;
        }
        Column::Data => write_text(
            sheet,
            row,
            at,
            &text(lang, state_key(line.data), &[]),
            &styles.text,
        )?,
        Column::Why => write_text(
            sheet,
            row,
            at,
            &sentence(lang, line, report.as_of, &[]),
            &styles.wrapped,
        )?,
        Column::Plan => write_text(sheet, row, at, report.plan.id.as_str(), &styles.small)?,
        Column::Key => {
            let key = line_key(&report.plan.id, &line.warehouse, &line.sku, line.suggested_units);
            write_text(sheet, row, at, &key, &styles.small)?;
        }
    }
    Ok(())
}

fn blank(sheet: &mut Worksheet, row: u32, at: u16, styles: &Styles) -> Result<(), XlsxError> {
    sheet.write_blank(row, at, &styles.text)?;
    Ok(())
}

/// A count that may not exist for this line: an empty cell then.
pub(super) fn whole(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    units: Option<i64>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    match units {
        // Exact to 2^53, far above any count of goods; above it the text is kept instead of a wrong number.
        Some(units) if units.unsigned_abs() < (1 << 53) => {
            sheet.write_with_format(row, at, rust_decimal::Decimal::from(units), &styles.whole)?;
        }
        Some(units) => write_text(sheet, row, at, &units.to_string(), &styles.text)?,
        None => blank(sheet, row, at, styles)?,
    }
    Ok(())
}

/// A count that does exist, known or not: unknown is written out, never left to look like nothing.
pub(super) fn known(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    units: Option<i64>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    match units {
        Some(_) => whole(sheet, row, at, units, styles),
        None => write_text(sheet, row, at, crate::report::figures::UNKNOWN, &styles.text),
    }
}

fn rate(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    value: Option<rust_decimal::Decimal>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    match value {
        Some(value) => {
            sheet.write_with_format(row, at, value, &styles.rate)?;
            Ok(())
        }
        None => write_text(sheet, row, at, crate::report::figures::UNKNOWN, &styles.text),
    }
}

fn date(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    day: Option<chrono::NaiveDate>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    match day {
        Some(day) => {
            sheet.write_datetime_with_format(row, at, day, &styles.date)?;
            Ok(())
        }
        None => blank(sheet, row, at, styles),
    }
}
