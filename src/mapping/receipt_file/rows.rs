//! Tables: our own columns, a warehouse's export, Amazon's ledger, running totals.
//!
//! Each row is one batch, known again by what it says. Totals are told apart by their heads and must say of what time
//! they are: added up day after day they would count the same units again, so a row without a time is refused.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::times::instant;
use super::words::{is_other_ledger_event, kind_from};
use super::{MAX_UNITS, ReceiptFile, Teller};
use crate::calendar::civil_day;
use crate::digest::sha256_hex;
use crate::ledger::{CountUnit, Finding, ReceiptEvent, ReceiptKind, Statement, in_units_of_code};
use crate::mapping::table::{Column, Columns, Row, Table, int_from};
use crate::problem::Problem;
use crate::reconcile::kind_code;

const COLUMNS: [Column; 37] = [
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
    Column::optional("received_units").or(&[
        "收货数量",
        "已收货数量",
        "实收数量",
        "收货数",
        "counted_units",
        "清点数量",
        "点数",
    ]),
    Column::optional("put_away_units").or(&["上架数量", "已上架数量", "上架数"]),
    Column::optional("damaged_units").or(&["破损数量", "不良品数量", "残次数量"]),
    Column::optional("set_aside_units").or(&["异常数量", "异常收货数量", "异常件数", "exception_units"]),
    Column::optional("at").or(&["收货时间", "收货日期", "时间", "日期", "Date", "Date and Time"]),
    Column::optional("put_away_at").or(&["上架时间", "上架日期"]),
    Column::optional("disposition").or(&["库存状态"]),
    Column::optional("unit").or(&["单位", "计量单位", "UOM", "unit_of_count"]),
    Column::optional("pack_units").or(&["每套数量", "装箱数", "每箱件数", "qty_per_pack"]),
    Column::optional("expected_units").or(&["预报数量", "应收数量", "预期数量", "expected"]),
    Column::optional("scanned_units").or(&["扫描数量", "scanned"]),
    Column::optional("wrong_label_units").or(&["错标数量", "贴错标数量", "标签错误数量", "wrong_label"]),
    Column::optional("wrong_item_units").or(&["错货数量", "错发数量", "wrong_item"]),
    Column::optional("photos").or(&["照片", "图片", "photo", "pictures"]),
    Column::optional("lot").or(&["批次", "批次号", "lot_no", "batch_no"]),
    Column::optional("note").or(&["备注", "异常说明", "remark"]),
    Column::optional("received_total").or(&["累计收货数量", "累计收货", "total_received"]),
    Column::optional("put_away_total").or(&["累计上架数量", "累计上架", "total_put_away"]),
    Column::optional("damaged_total").or(&["累计破损数量", "累计破损", "total_damaged"]),
    Column::optional("set_aside_total").or(&["累计异常数量", "累计异常", "total_exception"]),
    Column::optional("as_of").or(&["截至", "截止时间", "统计时间", "报表时间", "报告时间"]),
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

/// Counts that post nothing: kept as findings.
const BESIDE: [&str; 3] = ["expected_units", "scanned_units", "wrong_item_units"];

/// How the rows of a report say what happened.
enum Layout {
    /// One kind and one count a row.
    Kinds { ledger: bool },
    /// A column of counts for each kind.
    Counts,
    /// The same, of all that has come so far.
    Totals,
}

/// Reads a report of one warehouse.
#[must_use]
pub fn read_receipts(table: &Table, teller: &Teller<'_>) -> ReceiptFile {
    let mut file = ReceiptFile::default();
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
    let mut reader = Reader {
        file: table.file(),
        teller: *teller,
        seen: BTreeMap::new(),
        found: file,
    };
    for mut row in columns.rows() {
        let batches = match layout {
            Layout::Kinds { ledger } => kind_row(&mut row, ledger, teller.zone),
            Layout::Counts => count_row(&mut row, teller.zone),
            Layout::Totals => total_row(&mut row, teller.zone),
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
            (Batches::Other, _, _) => reader.found.other_rows += 1,
            (Batches::Some(batches), Some(reference), Some(sku_code)) if row.problems().is_empty() => {
                let totals = matches!(layout, Layout::Totals);
                reader.take(&mut row, (reference, sku_code), &batches, totals);
                reader.found.problems.extend(row.into_problems());
            }
            _ => {
                // What stands beside the counts is looked at too, so that all faults of the row are told at once.
                for name in BESIDE {
                    units(&mut row, name);
                }
                reader.found.problems.extend(row.into_problems());
            }
        }
    }
    reader.found
}

type Batch = (ReceiptKind, i64, DateTime<Utc>);

/// Collects what rows tell.
struct Reader<'a> {
    file: &'a str,
    teller: Teller<'a>,
    /// How often a content was seen in this file.
    seen: BTreeMap<String, u32>,
    found: ReceiptFile,
}

impl Reader<'_> {
    fn take(
        &mut self,
        row: &mut Row<'_>,
        (reference, sku_code): (String, String),
        batches: &[Batch],
        totals: bool,
    ) {
        let unit = CountUnit::parse(row.cell("unit"));
        let in_pack = units(row, "pack_units").filter(|units| *units > 0);
        let at = batches.first().map(|(.., at)| *at);
        let mut counted: Vec<(Batch, i64, String)> = Vec::new();
        for batch in batches {
            if let Some((units, code)) = self.count(row, (batch.1, &unit, in_pack), &sku_code, batch.2) {
                counted.push((*batch, units, code));
            }
        }
        if !row.problems().is_empty() {
            return;
        }
        let carton = row.code("carton");
        for ((kind, told, at), units, code) in counted {
            let mut event = ReceiptEvent {
                source: format!("file:{}", self.file),
                key: String::new(),
                warehouse: self.teller.warehouse.clone(),
                reference: reference.clone(),
                carton: carton.clone(),
                sku_code: sku_code.clone(),
                kind,
                units: told,
                at,
                lot: row.code("lot"),
                unit_value: None,
            };
            if totals {
                "totals".clone_into(&mut event.source);
                event.units = units;
                event.sku_code = code;
                let parts = [&event.reference, carton.as_deref().unwrap_or_default(), &sku_code];
                let line = format!("{}|{}|{}", event.warehouse, parts.join("|"), kind_code(kind));
                self.found.statements.push(Statement {
                    document: line.clone(),
                    line,
                    said_at: at,
                    total: event,
                });
                continue;
            }
            // Known again by what the row says, whatever the catalog makes of it.
            let content = content(&event);
            let occurrence = self.seen.entry(content.clone()).or_default();
            *occurrence += 1;
            event.key = format!("{content}.{occurrence}");
            event.units = units;
            event.sku_code = code;
            self.found.events.push(event);
        }
        if let Some(at) = at {
            self.find(row, (reference, sku_code), batches, (&unit, in_pack), at);
        }
    }

    /// A count in units of the code, and of which code.
    fn count(
        &self,
        row: &mut Row<'_>,
        (units, unit, in_pack): (i64, &CountUnit, Option<i64>),
        sku_code: &str,
        at: DateTime<Utc>,
    ) -> Option<(i64, String)> {
        let pack = (self.teller.packs)(sku_code, civil_day(at, self.teller.zone));
        match in_units_of_code(units, unit, in_pack, pack.as_ref()) {
            Ok((units, single)) => Some((units, single.unwrap_or_else(|| sku_code.to_owned()))),
            Err(wanted) => {
                if !row.is_refused("unit") {
                    let found = format!("{units} {}", row.cell("unit"));
                    row.refuse_found("unit", found, wanted.to_string());
                }
                None
            }
        }
    }

    /// What stands beside the counts.
    fn find(
        &mut self,
        row: &mut Row<'_>,
        (reference, sku_code): (String, String),
        batches: &[Batch],
        (unit, in_pack): (&CountUnit, Option<i64>),
        at: DateTime<Utc>,
    ) {
        let mut told = |name: &str| -> Option<i64> {
            let told = units(row, name)?;
            self.count(row, (told, unit, in_pack), &sku_code, at)
                .map(|(units, _)| units)
        };
        let counts = [
            told("expected_units"),
            told("scanned_units"),
            told("wrong_label_units"),
            told("wrong_item_units"),
        ];
        let received = batches.iter().find(|(kind, ..)| *kind == ReceiptKind::Received);
        let mut finding = Finding {
            source: format!("file:{}", self.file),
            key: String::new(),
            warehouse: self.teller.warehouse.clone(),
            reference,
            carton: row.code("carton"),
            sku_code,
            expected: counts[0],
            counted: received.map(|(_, units, _)| *units),
            scanned: counts[1],
            wrong_label: counts[2],
            wrong_item: counts[3],
            photos: photos(row.cell("photos")),
            note: row.text("note").chars().take(MAX_TEXT).collect(),
            at,
        };
        if finding.is_empty() {
            return;
        }
        let parts = [
            finding.warehouse.as_str(),
            &finding.reference,
            finding.carton.as_deref().unwrap_or_default(),
            &finding.sku_code,
            &format!("{counts:?} {:?} {:?}", finding.counted, finding.photos),
            &finding.note,
            &at.timestamp_millis().to_string(),
        ];
        finding.key = short_hash(&parts.join("\u{1f}"));
        self.found.findings.push(finding);
    }
}

const MAX_TEXT: usize = 500;
const MAX_PHOTOS: usize = 50;

/// Names or addresses, divided by blanks, commas or semicolons.
fn photos(text: &str) -> Vec<String> {
    text.split([';', ',', ';', ',', ' ', '\n', '\t'])
        .map(str::trim)
        .filter(|name| !name.is_empty() && name.chars().count() <= MAX_TEXT)
        .take(MAX_PHOTOS)
        .map(str::to_owned)
        .collect()
}

fn short_hash(text: &str) -> String {
    sha256_hex(text.as_bytes()).chars().take(32).collect()
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
    short_hash(&parts.join("\u{1f}"))
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
    let totals = [
        "received_total",
        "put_away_total",
        "damaged_total",
        "set_aside_total",
    ]
    .iter()
    .any(|name| columns.has(name));
    if totals && !columns.has("as_of") {
        problems.push(need(
            "as_of",
            "a column `as_of` (截至): of what time the totals are",
        ));
    }
    if !totals && !columns.has("at") && !columns.has("put_away_at") {
        problems.push(need(
            "at",
            "a column `at` (收货时间): the time of each batch, not a report of totals",
        ));
    }
    let counts = [
        "received_units",
        "put_away_units",
        "damaged_units",
        "set_aside_units",
    ];
    let layout = if totals {
        Some(Layout::Totals)
    } else if columns.has("kind") && columns.has("units") {
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
    Some(Vec<Batch>),
}

fn kind_row(row: &mut Row<'_>, ledger: bool, zone: Tz) -> Batches {
    if ledger && is_other_ledger_event(row.cell("kind")) {
        return Batches::Other;
    }
    let kind = row.required(
        "kind",
        "received, put_away, damaged, mislabelled or set_aside (收货, 上架, 破损, 错标, 异常)",
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
        (ReceiptKind::Mislabelled, "wrong_label_units", "at"),
        (ReceiptKind::SetAside, "set_aside_units", "at"),
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

fn total_row(row: &mut Row<'_>, zone: Tz) -> Batches {
    let totals = [
        (ReceiptKind::Received, "received_total"),
        (ReceiptKind::PutAway, "put_away_total"),
        (ReceiptKind::Damaged, "damaged_total"),
        (ReceiptKind::SetAside, "set_aside_total"),
    ];
    let at = instant(row, "as_of", zone, false);
    let told: Vec<(ReceiptKind, Option<i64>)> = totals.map(|(kind, name)| (kind, units(row, name))).to_vec();
    if told.iter().all(|(_, total)| total.is_none()) && row.problems().is_empty() {
        row.refuse("received_total", "a total of at least one kind");
    }
    let Some(at) = at else {
        return Batches::Some(Vec::new());
    };
    let batches = told
        .into_iter()
        .filter_map(|(kind, total)| Some((kind, total?, at)));
    Batches::Some(batches.collect())
}

fn units(row: &mut Row<'_>, name: &str) -> Option<i64> {
    let wanted = format!("a whole number between -{MAX_UNITS} and {MAX_UNITS}");
    row.parsed(name, &wanted, |text| {
        int_from(text).filter(|units| (-MAX_UNITS..=MAX_UNITS).contains(units))
    })
}
