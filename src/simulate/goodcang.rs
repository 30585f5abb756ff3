//! The third-party warehouse: GoodCang's OMS interface, with the habits its documentation shows
//! (numbers as texts, Beijing time without offset, zero dates, keys with a trailing space).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use chrono::{DateTime, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Asia::Shanghai;
use serde_json::{Value, json};

use super::Shared;
use super::faults::{Answer, FaultKind, serve};
use super::truth::{Place, ReceiptKind, Shipment, World};
use crate::order::model::Mode;

pub const APP_KEY: &str = "simulated-app-key";
pub const APP_TOKEN: &str = "simulated-app-token";
pub const WAREHOUSE: &str = "UKMA";
const WAREHOUSE_NAME: &str = "英国米德兰仓";
/// A product in the warehouse that the seller's catalog does not know.
pub const UNMAPPED_CODE: &str = "LT-SAMPLE-0001";
const ZERO_DATE: &str = "0000-00-00 00:00:00";

pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/public_open/{group}/{call}", post(call))
        .with_state(shared)
}

async fn call(
    State(shared): State<Arc<Shared>>,
    Path((group, call)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let endpoint = format!("goodcang.{call}");
    serve(&shared.faults, &endpoint, refusal, |fault| {
        answer(&shared, &group, &call, &headers, &body, fault)
    })
    .await
}

fn refusal(status: StatusCode) -> Answer {
    let text = if status == StatusCode::TOO_MANY_REQUESTS {
        "请求过于频繁，请稍后再试"
    } else {
        "服务暂不可用"
    };
    failure(status, &status.as_u16().to_string(), text)
}

fn failure(status: StatusCode, code: &str, text: &str) -> Answer {
    let error = json!({ "errCode": code, "errMessage": text });
    Answer::json(
        status,
        &json!({ "ask": "Failure", "message": text, "Error": error }),
    )
}

fn success(mut fields: Value) -> Answer {
    let mut body = json!({ "ask": "Success", "message": "Success" });
    if let (Some(body), Some(fields)) = (body.as_object_mut(), fields.as_object_mut()) {
        body.append(fields);
    }
    Answer::json(StatusCode::OK, &body)
}

fn answer(
    shared: &Shared,
    group: &str,
    call: &str,
    headers: &HeaderMap,
    body: &Bytes,
    fault: Option<&FaultKind>,
) -> Answer {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if header("app-key") != APP_KEY
        || header("app-token") != APP_TOKEN
        || fault == Some(&FaultKind::ExpiredToken)
    {
        return failure(StatusCode::OK, "10001", "appToken或appKey错误或已失效");
    }
    let request: Value = match serde_json::from_slice(if body.is_empty() { b"{}" } else { body }) {
        Ok(request) => request,
        Err(_) => return failure(StatusCode::OK, "10002", "请求参数不是合法的JSON"),
    };
    let mut answer = shared.with_world(|world| match (group, call) {
        ("base_data", "get_warehouse") => success(json!({
            "data": [{
                "warehouse_code": WAREHOUSE,
                "warehouse_name": WAREHOUSE_NAME,
                "country_code": "GB",
                "wp_list": [{ "wp_code": "UKMA01", "wp_name": "英国米德兰1号仓" }],
            }],
        })),
        ("inventory", "get_product_inventory") => inventory(world, &request, fault),
        ("inbound_order", "get_grn_list") => grn_list(world, &request, fault),
        ("inbound_order", "get_grn_detail") => with_grn(world, &request, grn_detail),
        ("inbound_order", "get_receipt_batch") => with_grn(world, &request, receipt_batch),
        ("inbound_order", "get_batch") => with_grn(world, &request, putaway_batch),
        _ => failure(StatusCode::NOT_FOUND, "404", "接口不存在"),
    });
    if fault == Some(&FaultKind::ChangedColumn) {
        let mut text = String::from_utf8_lossy(&answer.body).into_owned();
        for (name, other) in [
            ("\"sellable\"", "\"sellable_qty\""),
            ("\"received_qty\"", "\"receive_quantity\""),
        ] {
            text = text.replace(name, other);
        }
        answer.body = text.into_bytes();
    }
    answer
}

fn beijing(at: DateTime<Utc>) -> String {
    at.with_timezone(&Shanghai)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

fn parse_beijing(text: &str) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S").or_else(|_| {
        NaiveDateTime::parse_from_str(&format!("{} 00:00:00", text.trim()), "%Y-%m-%d %H:%M:%S")
    });
    Shanghai
        .from_local_datetime(&local.ok()?)
        .earliest()
        .map(|at| at.with_timezone(&Utc))
}

/// Page number and size; numbers are accepted as numbers or texts.
fn paging(request: &Value, size_key: &str, default: usize, max: usize) -> Result<(usize, usize), Answer> {
    let read = |key: &str, default: usize| match request.get(key) {
        None | Some(Value::Null) => Some(default),
        Some(Value::Number(number)) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    match (read("page", 1), read(size_key, default)) {
        (Some(page), Some(size)) if page >= 1 && (1..=max).contains(&size) => Ok((page, size)),
        _ => Err(failure(
            StatusCode::OK,
            "10003",
            &format!("page或{size_key}不正确，{size_key}最大{max}"),
        )),
    }
}

/// One page of rows with the whole count as text; the faults of lists happen here.
fn list(rows: Vec<Value>, page: usize, size: usize, fault: Option<&FaultKind>) -> Answer {
    let count = rows.len();
    let mut shown: Vec<Value> = rows
        .into_iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .collect();
    match fault {
        Some(FaultKind::EmptyList) => return success(json!({ "count": "0", "data": [] })),
        Some(FaultKind::HalfPage) => shown.truncate(shown.len() / 2),
        _ => {}
    }
    success(json!({ "count": count.to_string(), "data": shown }))
}

fn wanted(request: &Value, key: &str, value: &str) -> bool {
    let single = request
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    let many = request
        .get(format!("{key}_arr"))
        .and_then(Value::as_array)
        .filter(|codes| !codes.is_empty());
    single.is_none_or(|one| one == value)
        && many.is_none_or(|codes| codes.iter().any(|code| code.as_str() == Some(value)))
}

fn inventory(world: &World, request: &Value, fault: Option<&FaultKind>) -> Answer {
    let (page, size) = match paging(request, "pageSize", 20, 200) {
        Ok(paging) => paging,
        Err(answer) => return answer,
    };
    if !wanted(request, "warehouse_code", WAREHOUSE) {
        return list(Vec::new(), page, size, fault);
    }
    let row = |code: &str, counts: [i64; 6]| {
        let [onway, pending, sellable, unsellable, reserved, shipped] = counts.map(|count| count.to_string());
        json!({
            "product_barcode": format!("000011-{code}"),
            "product_sku": code,
            "warehouse_code": WAREHOUSE,
            "onway": onway,
            "pending": pending,
            "sellable": sellable,
            "unsellable": unsellable,
            "reserved": reserved,
            "shipped": shipped,
            "sold_shared": "0",
            "tune_out": 0,
            "tune_in": 0,
            "product_sales_value": "0.00",
            "warehouse_desc": WAREHOUSE_NAME,
            "stocking": 0,
            "pi_no_stock": 0,
            "pi_freeze": 0,
        })
    };
    let mut rows = Vec::new();
    for (index, good) in world.assortment().goods.iter().enumerate() {
        let Some(listing) = &good.merchant else { continue };
        let shelf = world.shelf(Place::Goodcang, index);
        let moving = world.moving(Place::Goodcang, index);
        if wanted(request, "product_sku", &listing.warehouse_code) {
            let counts = [
                moving,
                shelf.dock,
                shelf.available,
                shelf.damaged,
                shelf.reserved,
                shelf.shipped,
            ];
            rows.push(row(
                &listing.warehouse_code,
                counts.map(|units| units / listing.multiple),
            ));
        }
    }
    if wanted(request, "product_sku", UNMAPPED_CODE) {
        rows.push(row(UNMAPPED_CODE, [0, 0, 37, 0, 0, 3]));
    }
    list(rows, page, size, fault)
}

/// 7 under way, 8 being counted, 9 counted, 10 put away; 1 until the goods are handed over.
fn status(world: &World, shipment: &Shipment) -> i64 {
    let now = world.now();
    if !shipment.handed_over {
        1
    } else if shipment.receipts.is_empty() {
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

fn grn_list(world: &World, request: &Value, fault: Option<&FaultKind>) -> Answer {
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
        .filter(|shipment| shipment.place == Place::Goodcang)
        .filter(|shipment| inside(shipment.updated_at, 0, 1) && inside(shipment.announced_at, 2, 3))
        .filter(|shipment| wanted(request, "receiving_code", &shipment.inbound_no))
        .collect();
    shipments.sort_by(|a, b| (a.updated_at, &a.inbound_no).cmp(&(b.updated_at, &b.inbound_no)));
    let rows = shipments
        .into_iter()
        .map(|shipment| grn_row(world, shipment))
        .collect();
    list(rows, page, size, fault)
}

fn grn_row(world: &World, shipment: &Shipment) -> Value {
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

fn with_grn(world: &World, request: &Value, make: fn(&World, &Shipment) -> Value) -> Answer {
    let wanted = request
        .get("receiving_code")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let found = world
        .shipments()
        .values()
        .find(|shipment| shipment.place == Place::Goodcang && shipment.inbound_no == wanted);
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

fn grn_detail(world: &World, shipment: &Shipment) -> Value {
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
    let mut data = grn_row(world, shipment);
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

fn receipt_batch(world: &World, shipment: &Shipment) -> Value {
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
fn putaway_batch(world: &World, shipment: &Shipment) -> Value {
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
