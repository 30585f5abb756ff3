//! The first sheet: what it comes to, and how the units moved.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_xlsxwriter::{
    Chart, ChartFont, ChartLegendPosition, ChartLine, ChartType, Color, Worksheet, XlsxError,
};

use super::{Cell, Column, FlowDay, ReconciliationReport, head, page, put};
use crate::ids::WarehouseCode;
use crate::money::Currency;
use crate::reconcile::{Kind, Standing};
use crate::report::workbook::{Styles, write_text};

/// Else large letters run into the line below.
const TITLE_HEIGHT: f64 = 22.0;
/// As the words around it.
const CHART_TITLE: f64 = 12.0;
const SHIPPED: u32 = 0x5B_6671;
const RECEIVED: u32 = 0x2F_6FB3;
const PUT_AWAY: u32 = 0x3A_8F5C;
const GRID: u32 = 0xDD_E2E7;

pub(super) fn write(
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
    sheet.set_row_height(0, TITLE_HEIGHT)?;
    write_text(sheet, 0, 0, title, &styles.title)?;
    write_text(sheet, 1, 0, &report.word("hint"), &styles.hint)?;

    let columns = [
        ("warehouse", Column::Text(0.0)),
        ("shipped", Column::Whole(0.0)),
        ("received", Column::Whole(0.0)),
        ("put_away", Column::Whole(0.0)),
        ("pending_putaway", Column::Whole(0.0)),
        ("damaged", Column::Whole(0.0)),
        ("set_aside", Column::Whole(0.0)),
        ("moving", Column::Whole(0.0)),
        ("closed_short", Column::Whole(0.0)),
    ];
    head(sheet, 3, report, styles, &columns)?;
    let mut sums: BTreeMap<Option<&WarehouseCode>, [i64; 8]> = BTreeMap::new();
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
            line.set_aside,
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
    chart
        .title()
        .set_name(report.word("chart.title").as_str())
        .set_font(ChartFont::new().set_bold().set_size(CHART_TITLE));
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
