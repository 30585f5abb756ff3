//! What suggestions would cost besides their goods, as a sheet, and the words of cash views.

use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::workbook::{Styles, write_text};
use crate::ids::{Sku, WarehouseCode};
use crate::order::Mode;
use crate::order::cash::{Cash, CashLine, Unknown};
use crate::wording::{Lang, text};

/// Suggestions that would travel together, and what they cost.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PlannedCash {
    pub warehouse: WarehouseCode,
    pub mode: Mode,
    pub units: i64,
    pub cartons: usize,
    pub skus: Vec<Sku>,
    #[serde(flatten)]
    pub cash: Cash,
}

fn named(lang: Lang, what: &str) -> String {
    let key = format!("cash.what.{what}");
    let words = text(lang, &key, &[]);
    if words == format!("[{key}]") {
        what.to_owned()
    } else {
        words
    }
}

/// What a line is for, with what comes on top and the cartons it is about.
#[must_use]
pub fn cost_name(lang: Lang, line: &CashLine) -> String {
    let mut name = named(lang, &line.what);
    if !line.layer.is_empty() {
        name = format!("{name} {}", line.layer);
    }
    if !line.cartons.is_empty() {
        name = format!("{name} × {}", line.cartons.len());
    }
    name
}

/// What nobody has said, as a sentence.
#[must_use]
pub fn lacking(lang: Lang, unknown: &Unknown) -> String {
    let key = format!("cash.lacks.{}", unknown.lacks);
    let said = text(
        lang,
        &key,
        &[("what", &named(lang, &unknown.what)), ("of", &unknown.of)],
    );
    match &unknown.sku {
        Some(sku) => format!("{said} [{sku}]"),
        None => said,
    }
}

/// Who says so, and when somebody compared.
#[must_use]
pub fn cost_source(lang: Lang, line: &CashLine) -> String {
    match line.checked {
        Some(day) => format!(
            "{}; {}",
            line.source,
            text(lang, "cash.old", &[("day", &day.to_string())])
        ),
        None => line.source.clone(),
    }
}

const COLUMNS: [(&str, f64); 9] = [
    ("shipment", 24.0),
    ("units", 9.0),
    ("what", 34.0),
    ("base", 16.0),
    ("percent", 8.0),
    ("charged", 16.0),
    ("amount", 14.0),
    ("currency", 9.0),
    ("source", 44.0),
];

/// Writes the sheet into a workbook.
pub(super) fn sheet(
    book: &mut Workbook,
    lang: Lang,
    planned: &[&PlannedCash],
    styles: &Styles,
) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(text(lang, "cash.sheet.name", &[]))?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(0, 0)?;
    for ((column, width), place) in COLUMNS.iter().zip(0_u16..) {
        sheet.set_column_width(place, *width)?;
        let title = text(lang, &format!("cash.sheet.{column}"), &[]);
        let style = if (3..7).contains(&place) || place == 1 {
            &styles.head_number
        } else {
            &styles.head
        };
        write_text(sheet, 0, place, &title, style)?;
    }
    let mut row = 1;
    for one in planned {
        let mode = text(lang, &format!("plan.value.{}", one.mode.code()), &[]);
        let shipment = format!("{} {mode}", one.warehouse);
        let units = one.units.to_f64().unwrap_or(0.0);
        let currency = one.cash.currency.code();
        for line in &one.cash.lines {
            begin(sheet, row, (&shipment, units), &cost_name(lang, line), styles)?;
            if let Some(base) = line.base {
                sheet.write_with_format(row, 3, base.amount, &styles.money)?;
            }
            if let Some(percent) = line.percent {
                sheet.write_with_format(row, 4, percent, &styles.figure)?;
            }
            write_text(sheet, row, 5, &line.charged.to_string(), &styles.text)?;
            if let Some(amount) = line.amount {
                sheet.write_with_format(row, 6, amount, &styles.money)?;
            }
            write_text(sheet, row, 7, currency, &styles.text)?;
            write_text(sheet, row, 8, &cost_source(lang, line), &styles.wrapped)?;
            row += 1;
        }
        for unknown in &one.cash.unknown {
            begin(sheet, row, (&shipment, units), &lacking(lang, unknown), styles)?;
            write_text(sheet, row, 6, &text(lang, "cash.unknown", &[]), &styles.text)?;
            row += 1;
        }
        begin(
            sheet,
            row,
            (&shipment, units),
            &text(lang, "cash.total", &[]),
            styles,
        )?;
        match one.cash.total() {
            Some(total) => sheet.write_with_format(row, 6, total, &styles.money)?,
            None => sheet.write_string_with_format(row, 6, text(lang, "cash.unknown", &[]), &styles.text)?,
        };
        write_text(sheet, row, 7, currency, &styles.text)?;
        row += 1;
    }
    Ok(())
}

fn begin(
    sheet: &mut Worksheet,
    row: u32,
    (shipment, units): (&str, f64),
    what: &str,
    styles: &Styles,
) -> Result<(), XlsxError> {
    write_text(sheet, row, 0, shipment, &styles.text)?;
    sheet.write_number_with_format(row, 1, units, &styles.whole)?;
    write_text(sheet, row, 2, what, &styles.wrapped)
}
