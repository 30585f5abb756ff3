//! Receipt reports that somebody drops in: our own columns, a warehouse's export, Amazon's ledger.
//!
//! Each row is one batch. A report of running totals cannot be read: added up day after day it would count the same
//! units again, so a row without the time of its batch is refused.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::table::{Column, Columns, Row, Table, day_and_time, half_width, int_from};
use crate::calendar::instant_of;
use crate::digest::sha256_hex;
use crate::ids::WarehouseCode;
use crate::ledger::{ReceiptEvent, ReceiptKind};
use crate::problem::Problem;
use crate::reconcile::kind_code;

/// Events of one file, and what is wrong with the rows that gave none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptFile {
    pub events: Vec<ReceiptEvent>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// Rows of a ledger that tell of something else than receipts.
    pub other_rows: usize,
}

const COLUMNS: [Column; 22] = [
    Column::optional("reference").or(&[
        "参考号",
        "客户参考号",
        "备货单号",
        "货件单号",
        "货件号",
        "Reference ID",
        "order",
        "order_no",
    ]),
    Column::optional("inbound_no").or(&["入库单号", "入库单", "Shipment ID", "receiving_code"]),
    Column::optional("carton").or(&["箱号", "箱唛号", "入库单箱号", "box_no", "carton_no"]),
    Column::required("sku").or(&[
        "MSKU",
        "商品SKU",
        "产品SKU",
        "商品编码",
        "产品编码",
        "SKU编码",
        "product_sku",
    ]),
    Column::optional("kind").or(&["类型", "事件类型", "Event Type"]),
    Column::optional("units").or(&["数量", "件数", "Quantity", "qty"]),
    Column::optional("received_units").or(&["收货数量", "已收货数量", "实收数量", "收货数"]),
    Column::optional("put_away_units").or(&["上架数量", "已上架数量", "上架数"]),
    Column::optional("damaged_units").or(&["破损数量", "不良品数量", "残次数量"]),
    Column::optional("at").or(&["收货时间", "收货日期", "时间", "日期", "Date", "Date and Time"]),
    Column::optional("put_away_at").or(&["上架时间", "上架日期"]),
    Column::optional("disposition").or(&["库存状态"]),
    // Heads of the same reports that say nothing of a receipt; known, so that they are no warnings.
    Column::optional("FNSKU"),
    Column::optional("ASIN"),
    Column::optional("Title").or(&["品名", "商品名称", "产品名称"]),
    Column::optional("Fulfillment Center"),
    Column::optional("Reason"),
    Column::optional("Country"),
    Column::optional("Reconciled Quantity"),
    Column::optional("Unreconciled Quantity"),
    Column::optional("Store"),
    Column::optional("仓库"),
];

/// How the rows of a report say what happened.
enum Layout {
    /// One kind and one count a row.
    Kinds { ledger: bool },
    /// A column of counts for each kind.
    Counts,
}

/// Far above any truck load; below it sums cannot overflow.
const MAX_UNITS: i64 = 1_000_000_000;

/// Reads a report of one warehouse. Times without offset are civil times of its `zone`.
#[must_use]
pub fn read_receipts(table: &Table, warehouse: &WarehouseCode, zone: Tz) -> ReceiptFile {
    let mut file = ReceiptFile {
        events: Vec::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
        other_rows: 0,
    };
    let columns = match table.columns(&COLUMNS) {
        Ok(columns) => columns,
        Err(problems) => {
            file.problems = problems;
            return file;
        }
    };
    file.warnings = columns.warnings().to_vec();
    let layout = match layout(table, &columns) {
        Ok(layout) => layout,
        Err(problems) => {
            file.problems = problems;
            return file;
        }
    };
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for mut row in columns.rows() {
        let batches = match layout {
            Layout::Kinds { ledger } => kind_row(&mut row, ledger, zone),
            Layout::Counts => count_row(&mut row, zone),
        };
        let reference = row.code("reference").or_else(|| row.code("inbound_no"));
        if reference.is_none() && !matches!(batches, Batches::Other) {
            let name = if columns.has("reference") {
                "reference"
            } else {
                "inbound_no"
            };
            row.refuse(name, "an order number or inbound number");
        }
        let sku_code = row.required_code("sku", "the warehouse's SKU code");
        match (batches, reference, sku_code) {
            (Batches::Other, _, _) => file.other_rows += 1,
            (Batches::Some(batches), Some(reference), Some(sku_code)) if row.problems().is_empty() => {
                let carton = row.code("carton");
                for (kind, units, at) in batches {
                    let mut event = ReceiptEvent {
                        source: format!("file:{}", table.file()),
                        key: String::new(),
                        warehouse: warehouse.clone(),
                        reference: reference.clone(),
                        carton: carton.clone(),
                        sku_code: sku_code.clone(),
                        kind,
                        units,
                        at,
                        lot: None,
                        unit_value: None,
                    };
                    let content = content(&event);
                    let occurrence = seen.entry(content.clone()).or_default();
                    *occurrence += 1;
                    event.key = format!("{content}.{occurrence}");
                    file.events.push(event);
                }
            }
            _ => file.problems.extend(row.into_problems()),
        }
    }
    file
}

/// Everything the row says, but not the file it stands in: the same row in a renamed file is the same event. Two
/// equal rows of one file are two events, told apart by their count.
fn content(event: &ReceiptEvent) -> String {
    let units = event.units.to_string();
    let at = event.at.timestamp_millis().to_string();
    let parts = [
        event.warehouse.as_str(),
        &event.reference,
        event.carton.as_deref().unwrap_or_default(),
        &event.sku_code,
        kind_code(event.kind),
        &units,
        &at,
    ];
    sha256_hex(parts.join("\u{1f}").as_bytes())
        .chars()
        .take(32)
        .collect()
}

fn layout(table: &Table, columns: &Columns<'_>) -> Result<Layout, Vec<Problem>> {
    let need = |field: &str, wanted: &str| Problem::new(table.file(), "", field, "no such column", wanted);
    let mut problems = Vec::new();
    if !columns.has("reference") && !columns.has("inbound_no") {
        problems.push(need(
            "reference",
            "a column `reference` (参考号) or `inbound_no` (入库单号)",
        ));
    }
    if !columns.has("at") && !columns.has("put_away_at") {
        problems.push(need(
            "at",
            "a column `at` (收货时间): the time of each batch, not a report of totals",
        ));
    }
    let counts = ["received_units", "put_away_units", "damaged_units"];
    let layout = if columns.has("kind") && columns.has("units") {
        Some(Layout::Kinds {
            ledger: columns.has("disposition"),
        })
    } else if counts.iter().any(|name| columns.has(name)) {
        Some(Layout::Counts)
    } else {
        problems.push(need(
            "kind",
            "columns `kind` and `units`, or `received_units` (收货数量) and `put_away_units` (上架数量)",
        ));
        None
    };
    match layout {
        Some(layout) if problems.is_empty() => Ok(layout),
        _ => Err(problems),
    }
}

enum Batches {
    /// The row tells of something else.
    Other,
    Some(Vec<(ReceiptKind, i64, DateTime<Utc>)>),
}

fn kind_row(row: &mut Row<'_>, ledger: bool, zone: Tz) -> Batches {
    if ledger && is_other_ledger_event(row.cell("kind")) {
        return Batches::Other;
    }
    let kind = row.required(
        "kind",
        "received, put_away or damaged (收货, 上架, 破损)",
        kind_from,
    );
    let count = units(row, "units");
    if count.is_none() && !row.is_refused("units") {
        row.refuse("units", "a whole number");
    }
    let at = instant(row, "at", zone, ledger);
    let (Some(kind), Some(count), Some(at)) = (kind, count, at) else {
        return Batches::Some(Vec::new());
    };
    let mut batches = vec![(kind, count, at)];
    // Amazon's ledger receives into a disposition: what is not sellable was received damaged.
    let disposition = row.cell("disposition");
    if ledger && kind == ReceiptKind::Received && !disposition.is_empty() && disposition != "SELLABLE" {
        batches.push((ReceiptKind::Damaged, count, at));
    }
    Batches::Some(batches)
}

fn count_row(row: &mut Row<'_>, zone: Tz) -> Batches {
    let counts = [
        (ReceiptKind::Received, "received_units", "at"),
        (ReceiptKind::PutAway, "put_away_units", "put_away_at"),
        (ReceiptKind::Damaged, "damaged_units", "at"),
    ];
    let mut batches = Vec::new();
    let mut any = false;
    for (kind, name, time) in counts {
        let Some(count) = units(row, name) else { continue };
        any = true;
        if count == 0 {
            continue;
        }
        let time = if row.cell(time).is_empty() && !row.cell("at").is_empty() {
            "at"
        } else {
            time
        };
        if let Some(at) = instant(row, time, zone, false) {
            batches.push((kind, count, at));
        }
    }
    if !any && row.problems().is_empty() {
        row.refuse("received_units", "a count of at least one kind");
    }
    Batches::Some(batches)
}

fn units(row: &mut Row<'_>, name: &str) -> Option<i64> {
    let wanted = format!("a whole number between -{MAX_UNITS} and {MAX_UNITS}");
    row.parsed(name, &wanted, |text| {
        int_from(text).filter(|units| (-MAX_UNITS..=MAX_UNITS).contains(units))
    })
}

fn kind_from(text: &str) -> Option<ReceiptKind> {
    match half_width(text).to_lowercase().replace([' ', '-'], "_").as_str() {
        "received" | "receipt" | "receipts" | "收货" | "已收货" => Some(ReceiptKind::Received),
        "put_away" | "putaway" | "stowed" | "上架" | "已上架" => Some(ReceiptKind::PutAway),
        "damaged" | "破损" | "残次" | "不良品" => Some(ReceiptKind::Damaged),
        "mislabelled" | "wrong_label" | "错标" | "贴错标" | "标签错误" => {
            Some(ReceiptKind::Mislabelled)
        }
        _ => None,
    }
}

/// The other event types of Amazon's ledger.
fn is_other_ledger_event(text: &str) -> bool {
    [
        "Shipments",
        "CustomerReturns",
        "WhseTransfers",
        "VendorReturns",
        "Adjustments",
    ]
    .contains(&text)
}

fn instant(row: &mut Row<'_>, name: &str, zone: Tz, ledger: bool) -> Option<DateTime<Utc>> {
    let wanted = if ledger {
        "the time of the batch, like 11/22/2026 or 2026-11-22"
    } else {
        "the time of the batch, like 2026-11-22 10:30"
    };
    let read = |text: &str| -> Option<(NaiveDateTime, Option<i32>)> {
        day_and_time(text).or_else(|| {
            // Amazon's ledger alone writes the month first.
            let day = ledger.then(|| NaiveDate::parse_from_str(text, "%m/%d/%Y").ok())??;
            Some((day.and_hms_opt(0, 0, 0)?, None))
        })
    };
    let (local, offset) = row.required(name, wanted, |text| read(text).filter(|(at, _)| plausible(*at)))?;
    Some(match offset {
        Some(seconds) => (local - Duration::seconds(i64::from(seconds))).and_utc(),
        None => instant_of(local.date(), local.time(), zone),
    })
}

/// A year out of this range is a slip or an empty date in disguise (1970, 1900).
fn plausible(at: NaiveDateTime) -> bool {
    use chrono::Datelike as _;
    (2000..=2100).contains(&at.year())
}

#[cfg(test)]
mod tests;
