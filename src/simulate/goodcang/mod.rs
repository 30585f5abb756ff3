//! The third-party warehouse: GoodCang's OMS interface, with the habits its documentation shows
//! (numbers as texts, Beijing time without offset, zero dates, keys with a trailing space).

mod inbound;

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
use super::truth::{Place, World};

pub const APP_KEY: &str = "simulated-app-key";
pub const APP_TOKEN: &str = "simulated-app-token";
pub const WAREHOUSE: &str = "UKMA";
const WAREHOUSE_NAME: &str = "英国米德兰仓";
/// A product in the warehouse that the seller's catalog does not know.
pub const UNMAPPED_CODE: &str = "LT-SAMPLE-0001";

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
        ("inbound_order", "get_grn_list") => inbound::list(world, &request, fault),
        ("inbound_order", "get_grn_detail") => inbound::with(world, &request, inbound::detail),
        ("inbound_order", "get_receipt_batch") => inbound::with(world, &request, inbound::receipt_batch),
        ("inbound_order", "get_batch") => inbound::with(world, &request, inbound::putaway_batch),
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
