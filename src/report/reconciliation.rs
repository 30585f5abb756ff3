//! The workbook of a reconciliation, to be sent on: what it comes to, with a chart of how the units moved, every line,
//! every difference. The same report makes the same bytes.

mod summary;

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

use super::ReportError;
use super::workbook::{Styles, write_text};
use crate::ids::{OrderNo, Sku};
use crate::money::{Money, round_cents};
use crate::reconcile::{Anomaly, Chain, Difference, Flow, Line, LineState, Pointer, PointerKind};
use crate::wording::{Lang, text};

/// Units that have left, been counted and been put away until the end of a day.
pub type FlowDay = (NaiveDate, Flow);

/// Everything the workbook is made from.
pub struct ReconciliationReport<'a> {
    pub lang: Lang,
    pub seller: &'a str,
    pub as_of: NaiveDate,
    pub lines: &'a [Line],
    pub differences: &'a [Difference],
    pub flow: &'a BTreeMap<NaiveDate, Flow>,
    pub anomalies: &'a [Anomaly],
    /// Declared value of one unit.
    pub values: &'a BTreeMap<(OrderNo, Sku), Money>,
    /// What plan, papers and proof of delivery say.
    pub chains: &'a BTreeMap<(OrderNo, Sku), Chain>,
}

/// The chart reads badly with more; then days are taken together.
const MAX_POINTS: usize = 120;
/// A sheet holds 1,048,576 rows.
const MAX_ROWS: usize = 1_000_000;
/// Two lines of a head.
const HEAD_HEIGHT: f64 = 30.0;

impl ReconciliationReport<'_> {
    fn word(&self, key: &str) -> String {
        text(self.lang, &format!("differences.book.{key}"), &[])
    }

    /// Units times the declared value; nothing is said where no value is known.
    fn value(&self, order: &OrderNo, sku: &Sku, units: i64) -> Option<Money> {
        self.values
            .get(&(order.clone(), sku.clone()))
            .map(|money| money.times(units))
    }

    /// Days until the last, each with what had come until then, and the days before they change; taken together where there are
    /// too many.
    fn steps(&self) -> Vec<FlowDay> {
        let mut sum = Flow::default();
        let mut days: Vec<FlowDay> = Vec::new();
        for (day, flow) in self.flow {
            // Nothing happened until the day before: without it the line would climb over all the days between.
            let before = day.pred_opt();
            let since = days.last().map(|last| last.0);
            if let Some(before) = before.filter(|before| since.is_some_and(|since| since < *before)) {
                days.push((before, sum));
            }
            sum.shipped += flow.shipped;
            sum.received += flow.received;
            sum.put_away += flow.put_away;
            days.push((*day, sum));
        }
        if let Some(last) = days.last().filter(|last| last.0 < self.as_of) {
            days.push((self.as_of, last.1));
        }
        let together = days.len().div_ceil(MAX_POINTS).max(1);
        let count = days.len();
        let kept = days.into_iter().enumerate();
        kept.filter(|(at, _)| (count - 1 - at).is_multiple_of(together))
            .map(|(_, day)| day)
            .collect()
    }
}

/// # Errors
/// When the writer of the format refuses.
pub fn reconciliation_workbook(report: &ReconciliationReport<'_>) -> Result<Vec<u8>, ReportError> {
    let mut book = Workbook::new();
    let created = report.as_of.and_time(NaiveTime::MIN).and_utc().timestamp();
    let title = title(report);
    book.set_properties(
        &DocProperties::new()
            .set_title(&title)
            .set_author("linkstar")
            .set_creation_datetime(&ExcelDateTime::from_timestamp(created)?),
    );
    let styles = Styles::new();
    let steps = report.steps();
    summary::write(book.add_worksheet(), report, &styles, &title, &steps)?;
    differences(book.add_worksheet(), report, &styles)?;
    lines(book.add_worksheet(), report, &styles)?;
    flow(book.add_worksheet(), report, &styles, &steps)?;
    anomalies(book.add_worksheet(), report, &styles)?;
    Ok(book.save_to_buffer()?)
}

fn title(report: &ReconciliationReport<'_>) -> String {
    let date = report.as_of.to_string();
    text(
        report.lang,
        "differences.book.title",
        &[("date", &date), ("seller", report.seller)],
    )
}

fn page(sheet: &mut Worksheet, name: &str) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    sheet.set_screen_gridlines(false);
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    Ok(())
}

fn head(
    sheet: &mut Worksheet,
    row: u32,
    report: &ReconciliationReport<'_>,
    styles: &Styles,
    columns: &[(&str, Column)],
) -> Result<(), XlsxError> {
    sheet.set_row_height(row, HEAD_HEIGHT)?;
    for (at, (key, column)) in (0_u16..).zip(columns) {
        let style = if matches!(column, Column::Text(_)) {
            &styles.head
        } else {
            &styles.head_number
        };
        write_text(sheet, row, at, &report.word(&format!("column.{key}")), style)?;
    }
    Ok(())
}

/// What stands in a column, and how wide it is.
#[derive(Clone, Copy)]
enum Column {
    Text(f64),
    Whole(f64),
    Money(f64),
    Date(f64),
}

impl Column {
    fn width(self) -> f64 {
        match self {
            Self::Text(width) | Self::Whole(width) | Self::Money(width) | Self::Date(width) => width,
        }
    }
}

enum Cell {
    Text(String),
    Whole(i64),
    Money(Decimal),
    Date(NaiveDate),
    Empty,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(units: i64) -> Self {
        Self::Whole(units)
    }
}

fn put(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, styles: &Styles) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(words) => write_text(sheet, row, column, words, &styles.text)?,
        Cell::Whole(units) => {
            sheet.write_with_format(row, column, *units, &styles.whole)?;
        }
        Cell::Money(amount) => {
            sheet.write_with_format(row, column, round_cents(*amount), &styles.money)?;
        }
        Cell::Date(day) => {
            sheet.write_with_format(row, column, day, &styles.date)?;
        }
        Cell::Empty => {
            sheet.write_blank(row, column, &styles.text)?;
        }
    }
    Ok(())
}

fn table(
    sheet: &mut Worksheet,
    report: &ReconciliationReport<'_>,
    styles: &Styles,
    columns: &[(&str, Column)],
    printed: u16,
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<(), XlsxError> {
    head(sheet, 0, report, styles, columns)?;
    for (at, (_, column)) in (0_u16..).zip(columns) {
        sheet.set_column_width(at, column.width())?;
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    let mut last = 0;
    for (row, cells) in (1_u32..).zip(rows.take(MAX_ROWS)) {
        for (column, cell) in (0_u16..).zip(&cells) {
            put(sheet, row, column, cell, styles)?;
        }
        last = row;
    }
    let width = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.autofilter(0, 0, last.max(1), width)?;
    // What is long is for the screen.
    sheet.set_print_area(0, 0, last.max(1), width.min(printed.saturating_sub(1)))?;
    Ok(())
}

fn differences(
    sheet: &mut Worksheet,
    report: &ReconciliationReport<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    page(sheet, &report.word("sheet.differences"))?;
    let columns = [
        ("id", Column::Text(19.0)),
        ("order", Column::Text(17.0)),
        ("warehouse", Column::Text(17.0)),
        ("sku", Column::Text(18.0)),
        ("carton", Column::Text(22.0)),
        ("kind", Column::Text(24.0)),
        ("or", Column::Text(24.0)),
        ("units", Column::Whole(9.0)),
        ("value", Column::Money(12.0)),
        ("currency", Column::Text(10.0)),
        ("standing", Column::Text(11.0)),
        ("confidence", Column::Whole(10.0)),
        ("key", Column::Text(18.0)),
        ("last_event", Column::Date(12.0)),
        ("papers", Column::Text(30.0)),
        ("evidence", Column::Text(60.0)),
    ];
    let lang = report.lang;
    let rows = report.differences.iter().map(|one| {
        let value = report.value(&one.order, &one.sku, one.units);
        let or: Vec<String> = one.or.iter().map(|kind| kind.text(lang)).collect();
        let counted_as = one.counted_as.as_ref().map(|sku| format!("{} → {sku}", one.sku));
        let papers = match (&one.expected, &one.found) {
            (Some(expected), Some(found)) => format!("{expected} → {found}"),
            _ => counted_as.unwrap_or_default(),
        };
        vec![
            one.id.to_string().into(),
            one.order.to_string().into(),
            one.warehouse.to_string().into(),
            one.sku.to_string().into(),
            one.carton.clone().unwrap_or_default().into(),
            one.kind.text(lang).into(),
            or.join(" / ").into(),
            one.units.into(),
            value.map_or(Cell::Empty, |value| Cell::Money(value.amount)),
            value.map_or(Cell::Empty, |value| value.currency.to_string().into()),
            one.standing.text(lang).into(),
            i64::from(one.confidence).into(),
            one.matched_by.map_or(Cell::Empty, |key| key.text(lang).into()),
            one.last_event.map_or(Cell::Empty, Cell::Date),
            papers.into(),
            shown(&one.evidence, lang).into(),
        ]
    });
    table(sheet, report, styles, &columns, 11, rows)
}

/// The first few pointers in words; `differences show` has them all.
fn shown(evidence: &[Pointer], lang: Lang) -> String {
    const FEW: usize = 3;
    let mut words: Vec<String> = evidence
        .iter()
        .take(FEW)
        .map(|pointer| pointer_text(pointer, lang))
        .collect();
    if evidence.len() > FEW {
        words.push(format!("… +{}", evidence.len() - FEW));
    }
    words.join("; ")
}

/// One pointer in words.
#[must_use]
pub fn pointer_text(pointer: &Pointer, lang: Lang) -> String {
    let kind = match pointer.kind {
        PointerKind::Event => "event",
        PointerKind::Carton => "carton",
        PointerKind::Shipment => "shipment",
        PointerKind::Reference => "reference",
    };
    let units = format!("{:+}", pointer.units);
    text(
        lang,
        &format!("differences.pointer.{kind}"),
        &[
            ("source", &pointer.source),
            ("key", &pointer.key),
            ("units", &units),
        ],
    )
}

fn lines(sheet: &mut Worksheet, report: &ReconciliationReport<'_>, styles: &Styles) -> Result<(), XlsxError> {
    page(sheet, &report.word("sheet.lines"))?;
    let columns = [
        ("order", Column::Text(16.0)),
        ("warehouse", Column::Text(17.0)),
        ("sku", Column::Text(16.0)),
        ("shipped_on", Column::Date(11.0)),
        ("planned", Column::Whole(8.5)),
        ("packed", Column::Whole(8.5)),
        ("declared", Column::Whole(8.5)),
        ("shipped", Column::Whole(8.5)),
        ("announced", Column::Whole(10.0)),
        ("cartons", Column::Whole(8.5)),
        ("delivered_cartons", Column::Whole(8.5)),
        ("received", Column::Whole(8.5)),
        ("put_away", Column::Whole(8.5)),
        ("pending_putaway", Column::Whole(8.5)),
        ("damaged", Column::Whole(8.5)),
        ("set_aside", Column::Whole(8.5)),
        ("pooled", Column::Whole(8.5)),
        ("difference", Column::Whole(10.0)),
        ("value", Column::Money(12.0)),
        ("currency", Column::Text(10.0)),
        ("state", Column::Text(13.0)),
        ("verdict", Column::Text(20.0)),
        ("last_event", Column::Date(11.0)),
    ];
    let rows = report.lines.iter().map(|line| {
        let value = report.value(&line.order, &line.sku, line.difference);
        let value = value.filter(|_| line.state.is_final());
        let chain = report.chains.get(&(line.order.clone(), line.sku.clone()));
        let told =
            |figure: fn(&Chain) -> Option<i64>| chain.and_then(figure).map_or(Cell::Empty, Cell::Whole);
        vec![
            line.order.to_string().into(),
            line.warehouse.to_string().into(),
            line.sku.to_string().into(),
            Cell::Date(line.shipped_on),
            told(|chain| chain.planned),
            told(|chain| chain.packed),
            told(|chain| chain.declared),
            line.shipped.into(),
            line.announced.map_or(Cell::Empty, Cell::Whole),
            told(|chain| chain.cartons),
            told(|chain| chain.delivered_cartons),
            line.received.into(),
            line.put_away.into(),
            line.pending_putaway.into(),
            line.damaged.into(),
            line.set_aside.into(),
            line.pooled.iter().map(|pooled| pooled.units).sum::<i64>().into(),
            // Nothing arrived of a line that is on its way: the units are not missing.
            match line.state {
                LineState::Moving => Cell::Empty,
                _ => line.difference.into(),
            },
            value.map_or(Cell::Empty, |value| Cell::Money(value.amount)),
            value.map_or(Cell::Empty, |value| value.currency.to_string().into()),
            line.state.text(report.lang).into(),
            line.verdict.text(report.lang).into(),
            line.last_receipt.map_or(Cell::Empty, Cell::Date),
        ]
    });
    table(sheet, report, styles, &columns, u16::MAX, rows)
}

fn flow(
    sheet: &mut Worksheet,
    report: &ReconciliationReport<'_>,
    styles: &Styles,
    steps: &[FlowDay],
) -> Result<(), XlsxError> {
    page(sheet, &report.word("sheet.flow"))?;
    let columns = [
        ("day", Column::Date(14.0)),
        ("shipped", Column::Whole(14.0)),
        ("received", Column::Whole(14.0)),
        ("put_away", Column::Whole(14.0)),
    ];
    let rows = steps.iter().map(|(day, flow)| {
        vec![
            Cell::Date(*day),
            flow.shipped.into(),
            flow.received.into(),
            flow.put_away.into(),
        ]
    });
    table(sheet, report, styles, &columns, u16::MAX, rows)
}

fn anomalies(
    sheet: &mut Worksheet,
    report: &ReconciliationReport<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    page(sheet, &report.word("sheet.anomalies"))?;
    let columns = [("anomaly", Column::Text(120.0))];
    let rows = report
        .anomalies
        .iter()
        .map(|one| vec![one.text(report.lang).into()]);
    table(sheet, report, styles, &columns, u16::MAX, rows)
}
