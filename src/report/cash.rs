//! What suggestions would cost besides their goods, as a sheet, and the words of cash views.

use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{Color, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::problem_list::{HEAD_POINTS, LINE_POINTS, ROOM_POINTS, lines};
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
    ("source", 52.0),
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
    sheet.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3);
    sheet.set_footer("&L&8&A&R&8&P / &N");
    sheet.set_row_height(0, HEAD_POINTS)?;
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
    let look = Looks::new(styles);
    let mut row = 1;
    for one in planned {
        let mode = text(lang, &format!("plan.value.{}", one.mode.code()), &[]);
        let shipment = format!("{} {mode}", one.warehouse);
        let units = one.units.to_f64().unwrap_or(0.0);
        let currency = one.cash.currency.code();
        let mut begin = |sheet: &mut Worksheet, what: &str, source: &str| -> Result<u32, XlsxError> {
            let this = row;
            row += 1;
            // A row is bordered across, whatever is known of it.
            for column in 3..7 {
                sheet.write_blank(this, column, &look.text)?;
            }
            write_text(sheet, this, 0, &shipment, &look.text)?;
            sheet.write_number_with_format(this, 1, units, &look.whole)?;
            write_text(sheet, this, 2, what, &look.text)?;
            write_text(sheet, this, 7, currency, &look.text)?;
            write_text(sheet, this, 8, source, &look.text)?;
            let high = lines(what, COLUMNS[2].1).max(lines(source, COLUMNS[8].1));
            sheet.set_row_height(this, high * LINE_POINTS + ROOM_POINTS)?;
            Ok(this)
        };
        for line in &one.cash.lines {
            let row = begin(sheet, &cost_name(lang, line), &cost_source(lang, line))?;
            if let Some(base) = line.base {
                sheet.write_with_format(row, 3, base.amount, &look.money)?;
            }
            if let Some(percent) = line.percent {
                sheet.write_with_format(row, 4, percent, &look.figure)?;
            }
            write_text(sheet, row, 5, &line.charged.to_string(), &look.right)?;
            if let Some(amount) = line.amount {
                sheet.write_with_format(row, 6, amount, &look.money)?;
            }
        }
        let unknown = text(lang, "cash.unknown", &[]);
        for one in &one.cash.unknown {
            let row = begin(sheet, &lacking(lang, one), "")?;
            write_text(sheet, row, 6, &unknown, &look.right)?;
        }
        let row = begin(sheet, &text(lang, "cash.total", &[]), "")?;
        // A total is seen from afar, across all its columns.
        for column in [1, 3, 4, 5, 8] {
            sheet.write_blank(row, column, &look.total)?;
        }
        write_text(sheet, row, 0, &shipment, &look.total)?;
        write_text(sheet, row, 2, &text(lang, "cash.total", &[]), &look.total)?;
        match one.cash.total() {
            Some(total) => sheet.write_with_format(row, 6, total, &look.total_money)?,
            None => sheet.write_string_with_format(row, 6, unknown, &look.total_money)?,
        };
        write_text(sheet, row, 7, currency, &look.total)?;
    }
    Ok(())
}

/// The usual looks, in the middle of rows that are higher than their text.
struct Looks {
    text: Format,
    right: Format,
    whole: Format,
    money: Format,
    figure: Format,
    total: Format,
    total_money: Format,
}

impl Looks {
    fn new(styles: &Styles) -> Self {
        let middle = |format: &Format| format.clone().set_align(FormatAlign::VerticalCenter);
        let total = |format: &Format| middle(format).set_bold().set_background_color(Color::RGB(TOTAL));
        Self {
            text: styles.centred.clone(),
            right: middle(&styles.money)
                .set_align(FormatAlign::Right)
                .set_quote_prefix(),
            whole: middle(&styles.whole),
            money: middle(&styles.money),
            figure: middle(&styles.figure),
            total: total(&styles.centred),
            total_money: total(&styles.money).set_align(FormatAlign::Right),
        }
    }
}

const TOTAL: u32 = 0xF4_F6F8;
