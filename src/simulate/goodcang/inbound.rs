//! Inbounds (入库单, GRN): list, detail, batches received and put away.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::{WAREHOUSE, beijing, failure, paging, parse_beijing, success, wanted};
use crate::order::model::Mode;
use crate::simulate::faults::{Answer, FaultKind};
use crate::simulate::truth::{Place, ReceiptKind, Shipment, World};

const ZERO_DATE: &str = "0000-00-00 00:00:00";

/// 7 under way, 8 being counted, 9 counted, 10 put away. The forwarder announces what he has taken over, so none is
/// a draft.
fn status(world: &World, shipment: &Shipment) -> i64 {
    let now = world.now();
    if shipment.receipts.is_empty() {
        7
    } else if !shipment.closed {
        8
    } else if shipment
        .counts
        .iter()
        .filter(|count| !count.found_late)
        .all(|count| count.shelved_at <= now)
    {
        10
    } else {
        9
    }
}

fn shipping_type(mode: Mode) -> i64 {
    match mode {
        Mode::Air => 0,
        Mode::Sea => 1,
        Mode::Express => 2,
        Mode::Rail | Mode::Truck => 5,
    }
}

fn announced_units(world: &World, shipment: &Shipment) -> i64 {
    shipment
        .lines
        .iter()
        .map(|line| line.announced / multiple(world, line.good))
        .sum()
}

fn multiple(world: &World, good: usize) -> i64 {
    world
        .assortment()
        .goods
        .get(good)
        .map_or(1, |good| Place::Goodcang.multiple(good))
}

fn code(world: &World, good: usize) -> String {
    world
        .assortment()
        .goods
        .get(good)
        .and_then(|good| good.merchant.as_ref())
        .map_or_else(String::new, |listing| listing.warehouse_code.clone())
}

/// Units of one line counted (or put away) so far, in the warehouse's own units.
fn summed(world: &World, shipment: &Shipment, kind: ReceiptKind) -> i64 {
    shipment
        .receipts
        .iter()
        .filter(|receipt| receipt.kind == kind)
        .filter_map(|receipt| {
            let line = shipment.lines.get(receipt.line)?;
            Some(receipt.units / multiple(world, line.good))
        })
        .sum()
}

/// Finished inbounds are listed for so long.
const LISTED_DAYS: i64 = 60;

fn is_listed(world: &World, shipment: &Shipment) -> bool {
    let fresh = world.now() - shipment.updated_at <= Duration::days(LISTED_DAYS);
    shipment.place == Place::Goodcang && shipment.handed_over && (fresh || status(world, shipment) != 10)
}

pub fn list(world: &World, request: &Value, fault: Option<&FaultKind>) -> Answer {
    let (page, size) = match paging(request, "page_size", 20, 100) {
        Ok(paging) => paging,
        Err(answer) => return answer,
    };
    let mut bounds = Vec::new();
    for key in [
        "modify_date_from",
        "modify_date_to",
        "create_date_from",
        "create_date_to",
    ] {
        match request
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
        {
            None => bounds.push(None),
            Some(text) => match parse_beijing(text) {
                Some(at) => bounds.push(Some(at)),
                None => return failure(StatusCode::OK, "10004", &format!("{key}格式应为Y-m-d H:i:s")),
            },
        }
    }
    let inside = |at: DateTime<Utc>, from: usize, to: usize| {
        let bound = |index: usize| bounds.get(index).copied().flatten();
        bound(from).is_none_or(|from| at >= from) && bound(to).is_none_or(|to| at <= to)
    };
    let mut shipments: Vec<&Shipment> = world
        .shipments()
        .values()
        .filter(|shipment| is_listed(world, shipment))
        .filter(|shipment| inside(shipment.updated_at, 0, 1) && inside(shipment.announced_at, 2, 3))
        .filter(|shipment| wanted(request, "receiving_code", &shipment.inbound_no))
        .collect();
    shipments.sort_by(|a, b| (a.updated_at, &a.inbound_no).cmp(&(b.updated_at, &b.inbound_no)));
    let rows = shipments
        .into_iter()
        .map(|shipment| row(world, shipment))
        .collect();
    super::list(rows, page, size, fault)
}

fn row(world: &World, shipment: &Shipment) -> Value {
    json!({
        "receiving_code": shipment.inbound_no,
        "reference_no": shipment.order,
        "transit_type": 0,
        "sm_code": "",
        "receiving_status": status(world, shipment),
        "receiving_shipping_type": shipping_type(shipment.mode),
        "create_at": beijing(shipment.announced_at),
        "update_at": beijing(shipment.updated_at),
        "warehouse_code": WAREHOUSE,
        "box_total_count ": shipment.cartons.len().to_string(),
        "sku_total_count": announced_units(world, shipment).to_string(),
        "overseas_box_total": shipment.cartons.len().to_string(),
        "overseas_sku_total": summed(world, shipment, ReceiptKind::Received).to_string(),
        "tracking_number": "",
        "transit_warehouse_code": "",
        "wp_code": "UKMA01",
        "remark": "",
        "customs_docs_status": 2,
        "is_rollover": 0,
        "track_status": "",
        "declaration_examine": "",
    })
}

pub fn with(world: &World, request: &Value, make: fn(&World, &Shipment) -> Value) -> Answer {
    let wanted = request
        .get("receiving_code")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let found = world
        .shipments()
        .values()
        .filter(|shipment| shipment.place == Place::Goodcang && shipment.handed_over)
        .find(|shipment| shipment.inbound_no == wanted);
    match found {
        Some(shipment) => success(make(world, shipment)),
        None => failure(StatusCode::OK, "20001", &format!("入库单{wanted}不存在")),
    }
}

fn box_no(shipment: &Shipment, carton: usize) -> String {
    format!("{}-{}", shipment.inbound_no, carton + 1)
}

/// Announced units per carton and line, and put away so far; a carton with a foreign SKU has a row for it too.
fn per_box(world: &World, shipment: &Shipment, kind: ReceiptKind) -> BTreeMap<(usize, usize), (i64, i64)> {
    let mut boxes: BTreeMap<(usize, usize), (i64, i64)> = BTreeMap::new();
    for (carton, contents) in shipment.cartons.iter().enumerate() {
        for (line, units) in contents.contents.iter().copied() {
            let Some(good) = shipment.lines.get(line).map(|line| line.good) else {
                continue;
            };
            boxes.entry((carton, line)).or_default().0 += units / multiple(world, good);
        }
    }
    for receipt in shipment.receipts.iter().filter(|receipt| receipt.kind == kind) {
        let Some(good) = shipment.lines.get(receipt.line).map(|line| line.good) else {
            continue;
        };
        boxes.entry((receipt.carton, receipt.line)).or_default().1 += receipt.units / multiple(world, good);
    }
    boxes
}

fn line_code(world: &World, shipment: &Shipment, line: usize) -> String {
    shipment
        .lines
        .get(line)
        .map_or_else(String::new, |line| code(world, line.good))
}

pub fn detail(world: &World, shipment: &Shipment) -> Value {
    let shelved = shipment
        .receipts
        .iter()
        .filter(|r| r.kind == ReceiptKind::PutAway)
        .map(|r| r.at)
        .max();
    let done = status(world, shipment) == 10;
    let rows: Vec<Value> = per_box(world, shipment, ReceiptKind::PutAway)
        .into_iter()
        .map(|((carton, line), (announced, put_away))| {
            json!({
                "box_no": box_no(shipment, carton),
                "product_sku": line_code(world, shipment, line),
                "fba_product_code": "",
                "overseas_pre_count": announced.to_string(),
                "overseas_shelves_count": put_away.to_string(),
                "reference_box_no": shipment.cartons.get(carton).map_or("", |carton| carton.mark.as_str()),
                "sn_list": [],
            })
        })
        .collect();
    let mut data = row(world, shipment);
    data["eta_date "] = json!(ZERO_DATE);
    data["gc_putaway_time"] = json!(
        shelved
            .filter(|_| done)
            .map_or_else(|| ZERO_DATE.to_owned(), beijing)
    );
    data["transfer_detail"] = json!([]);
    data["overseas_detail"] = json!(rows);
    json!({ "data": data })
}

pub fn receipt_batch(world: &World, shipment: &Shipment) -> Value {
    let boxes = per_box(world, shipment, ReceiptKind::Received);
    let rows: Vec<Value> = shipment
        .receipts
        .iter()
        .filter(|receipt| receipt.kind == ReceiptKind::Received)
        .filter_map(|receipt| {
            let line = shipment.lines.get(receipt.line)?;
            let good = world.assortment().goods.get(line.good)?;
            let announced = boxes
                .get(&(receipt.carton, receipt.line))
                .map_or(0, |(announced, _)| *announced);
            let [length, width, height] = good.unit_mm.map(|mm| format!("{}.{}0", mm / 10, mm % 10));
            Some(json!({
                "receiving_code": shipment.inbound_no,
                "box_no": box_no(shipment, receipt.carton),
                "product_sku": code(world, line.good),
                "received_qty": (receipt.units / multiple(world, line.good)).to_string(),
                "received_time": beijing(receipt.at),
                "product_weight": format!("{}.{:03}", good.unit_gross_g / 1000, good.unit_gross_g % 1000),
                "product_length": length,
                "product_width": width,
                "product_height": height,
                "quantity": announced.to_string(),
            }))
        })
        .collect();
    let status = status(world, shipment);
    json!({
        "transit_type": 0,
        "receiving_status": status.to_string(),
        "data": {
            "gc_receiving_data": rows,
            "transit_data": [],
            "transit_box_data": [],
            "receiving_status": status,
            "transit_type": 0,
        },
    })
}

/// One row per time, SKU and quality: the warehouse puts away by SKU, not by carton.
pub fn putaway_batch(world: &World, shipment: &Shipment) -> Value {
    let mut batches: BTreeMap<(DateTime<Utc>, usize, ReceiptKind), i64> = BTreeMap::new();
    for receipt in shipment
        .receipts
        .iter()
        .filter(|receipt| receipt.kind != ReceiptKind::Received)
    {
        if let Some(line) = shipment.lines.get(receipt.line) {
            *batches.entry((receipt.at, line.good, receipt.kind)).or_default() +=
                receipt.units / multiple(world, line.good);
        }
    }
    let rows: Vec<Value> = batches
        .into_iter()
        .map(|((at, good, kind), units)| {
            json!({
                "receiving_code": shipment.inbound_no,
                "receiving_status": "S",
                "product_sku": code(world, good),
                "quantity": units.to_string(),
                "putaway_time": beijing(at),
                "inventory_type": if kind == ReceiptKind::Damaged { 2 } else { 1 },
                "shelf_lift": 0,
                "shelf_lift_day": 0,
                "shelf_life_list": [],
            })
        })
        .collect();
    json!({ "data": rows })
}
