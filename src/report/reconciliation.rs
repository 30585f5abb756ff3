//! The workbook of a reconciliation, to be sent on: what it comes to, with a chart of how the units moved, every line,
//! every difference. The same report makes the same bytes.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use rust_xlsxwriter::{
    Chart, ChartLegendPosition, ChartLine, ChartType, Color, DocProperties, ExcelDateTime, Workbook,
    Worksheet, XlsxError,
};

use super::ReportError;
use super::workbook::{Styles, write_text};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::money::{Currency, Money, round_cents};
use crate::reconcile::{Anomaly, Difference, Flow, Kind, Line, Pointer, PointerKind, Standing};
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
}

/// The chart reads badly with more; then days are taken together.
const MAX_POINTS: usize = 120;
/// A sheet holds 1,048,576 rows.
const MAX_ROWS: usize = 1_000_000;
const SHIPPED: u32 = 0x5B_6671;
const RECEIVED: u32 = 0x2F_6FB3;
const GRID: u32 = 0xDD_E2E7;
const PUT_AWAY: u32 = 0x3A_8F5C;

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

    /// Days until the last, each with what had come until then; taken together where there are too many.
    fn steps(&self) -> Vec<FlowDay> {
        let mut sum = Flow::default();
        let mut days: Vec<FlowDay> = Vec::new();
        for (day, flow) in self.flow {
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
        kept.filter(|(at, _)| (count - 1 - at) % together == 0)
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
    summary(book.add_worksheet(), report, &styles, &title, &steps)?;
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

fn summary(
    sheet: &mut Worksheet,
    report: &ReconciliationReport<'_>,
    styles: &Styles,
    title: &str,
    steps: &[FlowDay],
) -> Result<(), XlsxError> {
    page(sheet, &report.word("sheet.summary"))?;
    for (column, width) in (0_u16..).zip([30.0, 12.0, 12.0, 12.0, 14.0, 12.0, 12.0, 16.0, 10.0]) {
        sheet.set_column_width(column, width)?;
    }
    write_text(sheet, 0, 0, title, &styles.title)?;
    write_text(sheet, 1, 0, &report.word("hint"), &styles.hint)?;

    let columns = [
        ("warehouse", Column::Text(0.0)),
        ("shipped", Column::Whole(0.0)),
        ("received", Column::Whole(0.0)),
        ("put_away", Column::Whole(0.0)),
        ("pending_putaway", Column::Whole(0.0)),
        ("damaged", Column::Whole(0.0)),
        ("moving", Column::Whole(0.0)),
        ("closed_short", Column::Whole(0.0)),
    ];
    head(sheet, 3, report, styles, &columns)?;
    let mut sums: BTreeMap<Option<&WarehouseCode>, [i64; 7]> = BTreeMap::new();
    for line in report.lines {
        let moving = if line.state.is_final() {
            0
        } else {
            (-line.difference).max(0)
        };
        let own = [
            line.shipped,
            line.received,
            line.put_away,
            line.pending_putaway,
            line.damaged,
            moving,
            line.closed_short,
        ];
        for key in [Some(&line.warehouse), None] {
            let sum = sums.entry(key).or_default();
            for (sum, units) in sum.iter_mut().zip(own) {
                *sum += units;
            }
        }
    }
    // The total stands under its parts.
    let total = sums.remove(&None).unwrap_or_default();
    let mut row = 4;
    let named = sums
        .into_iter()
        .filter_map(|(warehouse, sum)| Some((warehouse?.to_string(), sum)));
    for (name, sum) in named.chain([(report.word("total"), total)]) {
        put(sheet, row, 0, &name.into(), styles)?;
        for (column, units) in (1_u16..).zip(sum) {
            put(sheet, row, column, &units.into(), styles)?;
        }
        row += 1;
    }
    row = kinds(sheet, row + 1, report, styles)?;
    if steps.len() > 1 {
        let chart = chart(report, steps.len())?;
        sheet.insert_chart(row + 1, 0, &chart)?;
    }
    Ok(())
}

/// Differences by kind, and what they come to at declared values.
fn kinds(
    sheet: &mut Worksheet,
    row: u32,
    report: &ReconciliationReport<'_>,
    styles: &Styles,
) -> Result<u32, XlsxError> {
    let columns = [
        ("kind", Column::Text(0.0)),
        ("differences", Column::Whole(0.0)),
        ("units", Column::Whole(0.0)),
        ("final", Column::Whole(0.0)),
        ("undetermined", Column::Whole(0.0)),
        ("claimable", Column::Whole(0.0)),
        ("unvalued", Column::Whole(0.0)),
        ("value", Column::Money(0.0)),
        ("currency", Column::Text(0.0)),
    ];
    head(sheet, row, report, styles, &columns)?;
    type Sums = ([i64; 6], Decimal);
    let mut sums: BTreeMap<(Kind, Option<Currency>), Sums> = BTreeMap::new();
    for one in report.differences {
        let value = report.value(&one.order, &one.sku, one.units);
        let sum = sums
            .entry((one.kind, value.map(|value| value.currency)))
            .or_default();
        let own = [
            1,
            one.units,
            if one.standing == Standing::Final {
                one.units
            } else {
                0
            },
            if one.is_determined() { 0 } else { one.units },
            if one.is_claimable() { one.units } else { 0 },
            if value.is_none() { one.units } else { 0 },
        ];
        for (sum, units) in sum.0.iter_mut().zip(own) {
            *sum += units;
        }
        sum.1 += value.map_or(Decimal::ZERO, |value| value.amount);
    }
    let mut row = row + 1;
    for ((kind, currency), (figures, value)) in sums {
        put(sheet, row, 0, &kind.text(report.lang).into(), styles)?;
        for (column, units) in (1_u16..).zip(figures) {
            put(sheet, row, column, &units.into(), styles)?;
        }
        let (value, currency) = match currency {
            Some(currency) => (Cell::Money(value), currency.to_string().into()),
            None => (Cell::Empty, Cell::Empty),
        };
        put(sheet, row, 7, &value, styles)?;
        put(sheet, row, 8, &currency, styles)?;
        row += 1;
    }
    if report.differences.is_empty() {
        put(sheet, row, 0, &report.word("none").into(), styles)?;
        row += 1;
    }
    Ok(row)
}

fn chart(report: &ReconciliationReport<'_>, points: usize) -> Result<Chart, XlsxError> {
    let sheet = report.word("sheet.flow");
    let last = u32::try_from(points).unwrap_or(u32::MAX);
    let mut chart = Chart::new(ChartType::Line);
    for (column, color) in [(1_u16, SHIPPED), (2, RECEIVED), (3, PUT_AWAY)] {
        chart
            .add_series()
            .set_name((sheet.as_str(), 0, column))
            .set_categories((sheet.as_str(), 1, 0, last, 0))
            .set_values((sheet.as_str(), 1, column, last, column))
            .set_format(ChartLine::new().set_color(Color::RGB(color)).set_width(2));
    }
    chart.title().set_name(report.word("chart.title").as_str());
    chart
        .x_axis()
        .set_date_axis(true)
        .set_num_format("mm-dd")
        .set_name(report.word("chart.day").as_str());
    chart
        .y_axis()
        .set_name(report.word("chart.units").as_str())
        .set_num_format("#,##0")
        .set_min(0)
        .set_major_gridlines_line(ChartLine::new().set_color(Color::RGB(GRID)));
    chart.legend().set_position(ChartLegendPosition::Bottom);
    chart.set_width(980).set_height(340);
    Ok(chart)
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
        ("currency", Column::Text(9.0)),
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
        ("order", Column::Text(17.0)),
        ("warehouse", Column::Text(17.0)),
        ("sku", Column::Text(18.0)),
        ("shipped_on", Column::Date(12.0)),
        ("shipped", Column::Whole(10.0)),
        ("announced", Column::Whole(10.0)),
        ("received", Column::Whole(10.0)),
        ("put_away", Column::Whole(10.0)),
        ("pending_putaway", Column::Whole(10.0)),
        ("damaged", Column::Whole(10.0)),
        ("pooled", Column::Whole(10.0)),
        ("difference", Column::Whole(10.0)),
        ("value", Column::Money(12.0)),
        ("currency", Column::Text(9.0)),
        ("state", Column::Text(16.0)),
        ("verdict", Column::Text(26.0)),
        ("last_event", Column::Date(12.0)),
    ];
    let rows = report.lines.iter().map(|line| {
        let value = report.value(&line.order, &line.sku, line.difference);
        let value = value.filter(|_| line.state.is_final());
        vec![
            line.order.to_string().into(),
            line.warehouse.to_string().into(),
            line.sku.to_string().into(),
            Cell::Date(line.shipped_on),
            line.shipped.into(),
            line.announced.map_or(Cell::Empty, Cell::Whole),
            line.received.into(),
            line.put_away.into(),
            line.pending_putaway.into(),
            line.damaged.into(),
            line.pooled.iter().map(|pooled| pooled.units).sum::<i64>().into(),
            line.difference.into(),
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
