//! Sheets 2 to 4: where the numbers come from.

use rust_decimal::Decimal;
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::suggestions::{known, whole};
use super::{Styles, write_text};
use crate::planner::Explain;
use crate::report::figures;
use crate::report::model::DailyReport;
use crate::report::reason::{reason_key, state_key};
use crate::report::view::freshness::{named, stream_name};
use crate::report::view::{owned_lines, still_open};
use crate::wording::{Lang, text};

/// A sheet holds 1,048,576 rows; explanations stop well before, and say so.
const MAX_EXPLAIN_ROWS: u32 = 500_000;
const MAX_DEPTH: usize = 32;

fn start<'b>(
    book: &'b mut Workbook,
    report: &DailyReport<'_>,
    styles: &Styles,
    name: &str,
    columns: &[(&str, f64)],
) -> Result<&'b mut Worksheet, XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(text(report.lang, name, &[]))?;
    sheet.set_screen_gridlines(false);
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(0, 0)?;
    head(sheet, 0, report, styles, columns)?;
    for (at, (_, width)) in (0_u16..).zip(columns) {
        sheet.set_column_width(at, *width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(sheet)
}

fn head(
    sheet: &mut Worksheet,
    row: u32,
    report: &DailyReport<'_>,
    styles: &Styles,
    columns: &[(&str, f64)],
) -> Result<(), XlsxError> {
    for (at, (key, _)) in (0_u16..).zip(columns) {
        let title = text(report.lang, &format!("mail.book.{key}"), &[]);
        write_text(sheet, row, at, &title, &styles.head)?;
    }
    Ok(())
}

/// The planner's own name of a figure, or the bare key when the catalogue does not know it.
fn figure_name(lang: Lang, key: &str) -> String {
    let named = text(lang, &format!("plan.explain.{key}"), &[]);
    if named.starts_with("[plan.") {
        key.to_owned()
    } else {
        named
    }
}

pub(super) fn explain(
    book: &mut Workbook,
    report: &DailyReport<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let columns = [
        ("sku", 18.0),
        ("warehouse", 18.0),
        ("depth", 6.0),
        ("figure", 46.0),
        ("value", 16.0),
        ("unit", 14.0),
        ("rule", 22.0),
        ("term", 24.0),
    ];
    let sheet = start(book, report, styles, "mail.sheet.explain", &columns)?;
    let mut row = 0;
    for line in owned_lines(report) {
        let mut stack = vec![(0_usize, &line.explain)];
        while let Some((depth, term)) = stack.pop() {
            row += 1;
            if row > MAX_EXPLAIN_ROWS {
                return write_text(sheet, row, 0, "…", &styles.text);
            }
            write_text(sheet, row, 0, line.sku.as_str(), &styles.text)?;
            write_text(sheet, row, 1, line.warehouse.as_str(), &styles.text)?;
            whole(sheet, row, 2, i64::try_from(depth).ok(), styles)?;
            explain_row(sheet, row, report.lang, depth, term, styles)?;
            if depth < MAX_DEPTH {
                stack.extend(term.terms.iter().rev().map(|term| (depth + 1, term)));
            }
        }
    }
    if row > 0 {
        sheet.autofilter(0, 0, row, 7)?;
    }
    Ok(())
}

fn explain_row(
    sheet: &mut Worksheet,
    row: u32,
    lang: Lang,
    depth: usize,
    term: &Explain,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let name = format!("{}{}", "    ".repeat(depth), figure_name(lang, &term.key));
    write_text(sheet, row, 3, &name, &styles.text)?;
    value(sheet, row, lang, term, styles)?;
    let word = |area: &str, code: &str| named(lang, area, code).unwrap_or_else(|| code.to_owned());
    let unit = if term.unit.is_empty() {
        String::new()
    } else {
        word("mail.unit", &term.unit)
    };
    write_text(sheet, row, 5, &unit, &styles.text)?;
    let rule = if term.rule.is_empty() {
        String::new()
    } else {
        word("mail.rule", &term.rule)
    };
    write_text(sheet, row, 6, &rule, &styles.text)?;
    write_text(sheet, row, 7, &term.key, &styles.small)
}

/// A number as a number, a date as a date, so that a person can go on calculating.
fn value(
    sheet: &mut Worksheet,
    row: u32,
    lang: Lang,
    term: &Explain,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let raw = term.value.as_ref();
    match term.unit.as_ref() {
        "mode" | "source" | "class" if !raw.is_empty() => {
            let words = named(lang, "plan.value", raw).unwrap_or_else(|| raw.to_owned());
            write_text(sheet, row, 4, &words, &styles.text)
        }
        "date" if raw.is_empty() => write_text(
            sheet,
            row,
            4,
            &text(lang, "plan.value.not_in_horizon", &[]),
            &styles.text,
        ),
        "date" => match raw.parse::<chrono::NaiveDate>() {
            Ok(day) => {
                sheet.write_datetime_with_format(row, 4, day, &styles.date)?;
                Ok(())
            }
            Err(_) => write_text(sheet, row, 4, raw, &styles.text),
        },
        "" if raw.is_empty() => write_text(sheet, row, 4, "", &styles.text),
        _ if raw.is_empty() => write_text(
            sheet,
            row,
            4,
            &text(lang, "plan.value.unknown", &[]),
            &styles.text,
        ),
        _ => match raw.parse::<Decimal>() {
            Ok(number) => {
                sheet.write_with_format(row, 4, number, &styles.figure)?;
                Ok(())
            }
            Err(_) => write_text(sheet, row, 4, raw, &styles.text),
        },
    }
}

pub(super) fn freshness(
    book: &mut Workbook,
    report: &DailyReport<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let lang = report.lang;
    let columns = [
        ("source", 20.0),
        ("stream", 20.0),
        ("state", 10.0),
        ("as_of", 20.0),
        ("rows", 10.0),
        ("rows_before", 14.0),
        ("missing_days", 30.0),
        ("problem", 60.0),
    ];
    let sheet = start(book, report, styles, "mail.sheet.freshness", &columns)?;
    let mut row = 0;
    for source in &report.plan.sources {
        row += 1;
        write_text(sheet, row, 0, source.source.as_str(), &styles.text)?;
        write_text(sheet, row, 1, &stream_name(lang, &source.stream), &styles.text)?;
        write_text(
            sheet,
            row,
            2,
            &text(lang, state_key(source.state), &[]),
            &styles.text,
        )?;
        let as_of = source.as_of.map_or_else(
            || figures::UNKNOWN.to_owned(),
            |at| at.format("%Y-%m-%d %H:%M:%S").to_string(),
        );
        write_text(sheet, row, 3, &as_of, &styles.text)?;
        known(sheet, row, 4, source.rows, styles)?;
        known(sheet, row, 5, source.rows_before, styles)?;
        let days: Vec<String> = source.missing_days.iter().map(ToString::to_string).collect();
        write_text(sheet, row, 6, &days.join(" "), &styles.text)?;
        write_text(
            sheet,
            row,
            7,
            source.problem.as_deref().unwrap_or_default(),
            &styles.text,
        )?;
    }
    row += 2;
    head(
        sheet,
        row,
        report,
        styles,
        &[("stage", 0.0), ("reason", 0.0), ("count", 0.0)],
    )?;
    let funnel = &report.plan.funnel;
    for (key, n) in [
        ("seen", funnel.seen),
        ("active", funnel.active),
        ("computed", funnel.computed),
        ("due", funnel.due),
        ("suggested", funnel.suggested),
    ] {
        row += 1;
        write_text(
            sheet,
            row,
            0,
            &text(lang, &format!("mail.funnel.{key}"), &[]),
            &styles.text,
        )?;
        write_text(sheet, row, 1, "", &styles.text)?;
        whole(sheet, row, 2, Some(n), styles)?;
    }
    for (stage, reason, n) in &funnel.dropped {
        row += 1;
        let stage = named(lang, "mail.funnel", stage).unwrap_or_else(|| stage.clone());
        write_text(sheet, row, 0, &stage, &styles.text)?;
        write_text(sheet, row, 1, &text(lang, reason_key(*reason), &[]), &styles.text)?;
        whole(sheet, row, 2, Some(*n), styles)?;
    }
    Ok(())
}

pub(super) fn receipts(
    book: &mut Workbook,
    report: &DailyReport<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let columns = [
        ("order", 18.0),
        ("warehouse", 18.0),
        ("sku", 18.0),
        ("shipped", 10.0),
        ("received", 10.0),
        ("put_away", 10.0),
        ("difference", 10.0),
        ("state", 40.0),
    ];
    let sheet = start(book, report, styles, "mail.sheet.receipts", &columns)?;
    if report.receipts.is_empty() {
        write_text(
            sheet,
            1,
            0,
            &text(report.lang, "mail.book.no_receipts", &[]),
            &styles.text,
        )?;
    }
    for (row, receipt) in (1_u32..).zip(&report.receipts) {
        write_text(sheet, row, 0, receipt.order.as_str(), &styles.text)?;
        write_text(sheet, row, 1, receipt.warehouse.as_str(), &styles.text)?;
        write_text(sheet, row, 2, receipt.sku.as_str(), &styles.text)?;
        known(sheet, row, 3, receipt.shipped, styles)?;
        known(sheet, row, 4, receipt.received, styles)?;
        known(sheet, row, 5, receipt.put_away, styles)?;
        known(sheet, row, 6, receipt.difference, styles)?;
        let open = (receipt.open > 0).then(|| still_open(receipt, report.lang));
        let said = Some(receipt.state.clone()).filter(|state| !state.is_empty());
        let stands: Vec<String> = said.into_iter().chain(open).collect();
        write_text(sheet, row, 7, &stands.join(" · "), &styles.text)?;
    }
    Ok(())
}
