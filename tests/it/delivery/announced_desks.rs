//! 4PX and ShipBob as they are documented: what they ask for, refuse, store and list.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use md5::{Digest as _, Md5};
use serde_json::{Value as Json, json};

use super::at;
use super::letter::{Fault, cut, says};
use crate::connectors::desk::pairs;

#[derive(Clone, Copy, PartialEq)]
pub enum Vendor {
    FourPx,
    ShipBob,
}

pub struct Desk {
    pub vendor: Vendor,
    pub fault: Fault,
    pub url: String,
    pub inbounds: Vec<Json>,
    /// What was sent to create each.
    pub bodies: Vec<Json>,
    /// The warehouse's own numbers of goods, where it has some.
    pub goods: Vec<Json>,
    /// By way of which place it takes goods in.
    pub hub: Option<i64>,
    pub looks: usize,
}

pub type Warehouse = Arc<Mutex<Desk>>;

fn asked_at() -> i64 {
    at(0).timestamp_millis()
}

fn four_px(desk: &mut Desk, query: &str, body: &Bytes) -> Response {
    let text = String::from_utf8_lossy(body);
    let query = pairs(query);
    let q = |name: &str| query.get(name).map_or("", String::as_str);
    let failed = |code: &str, text: &str| {
        let errors = json!([{"error_code": code, "error_msg": text}]);
        says(
            200,
            &json!({"result": "0", "msg": "System processing failed", "data": null, "errors": errors}),
        )
    };
    let plain = format!(
        "app_key{}format{}method{}timestamp{}v{}{text}SK",
        q("app_key"),
        q("format"),
        q("method"),
        q("timestamp"),
        q("v")
    );
    let sign: String = Md5::digest(plain.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if q("app_key") != "AK" || q("sign") != sign {
        return failed("000002", "签名错误");
    }
    let body: Json = serde_json::from_str(&text).expect("JSON");
    let done = |data: Json| {
        says(
            200,
            &json!({"result": "1", "msg": "System processing successful", "errors": null, "data": data}),
        )
    };
    match q("method") {
        "fu.wms.inbound.getlist" => {
            desk.looks += 1;
            let window = |name: &str| body[name].as_i64().expect("milliseconds");
            let (from, to) = (window("create_time_start"), window("create_time_end"));
            if to - from > 90 * 86_400_000 {
                return failed("FU000129", "最大支持3个月数据查询");
            }
            let rows: Vec<&Json> = desk
                .inbounds
                .iter()
                .filter(|row| (from..=to).contains(&row["create_time"].as_i64().expect("a time")))
                .collect();
            done(json!({"page_no": 1, "page_size": 100, "total": rows.len(), "data": rows}))
        }
        "fu.wms.inbound.create" => {
            if let Some(wrong) = wrong_at_four_px(&body) {
                return failed("ERR_FIELD", &wrong);
            }
            match desk.fault {
                Fault::LostAndCut => return cut(),
                Fault::Throttled => return says(429, &json!({"msg": "slow down"})),
                Fault::Refuses => {
                    let sku = body["iconsignment_sku"][0]["sku_code"].as_str().expect("a SKU");
                    return failed(
                        "ERR_INBOUND_CONSIGNMENT_SKU_SKU_NOT_FOUND",
                        &format!("SKU {sku} 不存在"),
                    );
                }
                Fault::None | Fault::StoredAndCut => {}
            }
            let same = |row: &&Json| row["ref_no"] == body["ref_no"];
            if desk.inbounds.iter().any(|row| same(&row)) {
                return failed("ERR_INBOUND_CONSIGNMENT_REF_NO_REPEAT", "入库委托参考号重复");
            }
            let number = format!("IC{:03}", desk.inbounds.len() + 1);
            desk.inbounds
                .push(json!({"consignment_no": number, "ref_no": body["ref_no"], "status": "S", "create_time": asked_at(),
                    "to_warehouse_code": body["to_warehouse_code"], "lstsku": []}));
            desk.bodies.push(body);
            if desk.fault == Fault::StoredAndCut {
                return cut();
            }
            done(json!({"consignment_no": number, "4px_tracking_no": "9082324423"}))
        }
        other => failed("000001", other),
    }
}

/// The fields that the public clients of 4PX say are required, of their types and within their bounds.
fn wrong_at_four_px(body: &Json) -> Option<String> {
    let text = |at: &Json, name: &str| at[name].as_str().is_some_and(|text| !text.is_empty());
    for name in ["ref_no", "from_warehouse_code", "to_warehouse_code"] {
        if !text(body, name) {
            return Some(format!("{name} 不能为空"));
        }
    }
    for (name, words) in [
        ("is_pickup", &["N"][..]),
        ("transport_type", &["A", "S", "E", "G", "R"]),
        ("ocustoms_service", &["D1", "D2", "D5", "D6"]),
        ("icustoms_service", &["D3", "D4"]),
        ("print_box_no", &["Y"]),
        ("print_box_type", &["P", "Z"]),
    ] {
        if !body[name].as_str().is_some_and(|word| words.contains(&word)) {
            return Some(format!("{name} 值不正确"));
        }
    }
    for (name, most) in [
        ("total_volume", 999_999_999_999.999),
        ("total_weight", 99_999.999),
    ] {
        let number = body[name].as_f64();
        if !number.is_some_and(|number| (0.001..=most).contains(&number)) {
            return Some(format!("{name} 数值不正确"));
        }
    }
    let from = &body["supplier_address"];
    let needed = ["country", "state", "city", "district"];
    if needed.iter().any(|name| !text(from, name)) || !from["plan_arrive_time"].is_i64() {
        return Some(format!("supplier_address {from}"));
    }
    if !body["logistics_service_info"].is_object() {
        return Some("logistics_service_info".to_owned());
    }
    let mut told = BTreeSet::new();
    let rows = body["iconsignment_sku"].as_array()?;
    for row in rows {
        let box_no = row["box_no"].as_str().and_then(|text| text.parse::<u32>().ok());
        let units = row["plan_qty"].as_i64();
        let good = box_no.is_some_and(|no| (1..=9_999_999).contains(&no))
            && units.is_some_and(|units| (1..=99_999).contains(&units))
            && text(row, "sku_code")
            && text(row, "box_barcode");
        if !good || !told.insert((box_no, row["sku_code"].to_string())) {
            return Some(format!("iconsignment_sku {row}"));
        }
    }
    rows.is_empty().then(|| "iconsignment_sku".to_owned())
}

fn ship_bob(desk: &mut Desk, asked: (&Method, &Uri, &HeaderMap), body: &Bytes) -> Response {
    let (method, uri, headers) = asked;
    if headers
        .get("authorization")
        .is_none_or(|key| key != "Bearer token-of-ours")
    {
        return says(401, &json!({}));
    }
    let query = pairs(uri.query().unwrap_or_default());
    match (method.as_str(), uri.path()) {
        ("GET", "/2026-01/inventory") => {
            let half = desk.goods.len() / 2;
            let second = query.contains_key("cursor");
            let next = format!("{}/2026-01/inventory?cursor=two", desk.url);
            let (items, next) = if second {
                (&desk.goods[half..], Json::Null)
            } else {
                (&desk.goods[..half], Json::from(next))
            };
            says(200, &json!({"items": items, "next": next}))
        }
        ("GET", "/2026-01/receiving") => {
            desk.looks += 1;
            let from: chrono::DateTime<chrono::Utc> = query["InsertStartDate"].parse().expect("a moment");
            let rows: Vec<&Json> = desk.inbounds.iter().filter(|_| from <= at(0)).collect();
            let answer = Response::builder().header("total-pages", "1");
            answer.body(json!(rows).to_string().into()).expect("an answer")
        }
        ("POST", "/2026-01/receiving") => {
            let body: Json = serde_json::from_slice(body).expect("JSON");
            if let Some((field, wrong)) = wrong_at_ship_bob(&body) {
                return says(400, &json!({ field: [wrong] }));
            }
            match desk.fault {
                Fault::LostAndCut => return cut(),
                Fault::Throttled => return says(429, &json!({"message": "slow down"})),
                Fault::Refuses => {
                    return says(
                        400,
                        &json!({"boxes[0].box_items[0].quantity": ["The inventory item takes no goods"]}),
                    );
                }
                Fault::None | Fault::StoredAndCut => {}
            }
            let id = 443_001 + i64::try_from(desk.inbounds.len()).expect("few");
            let center = desk
                .hub
                .map_or(body["fulfillment_center"]["id"].clone(), Json::from);
            let order = json!({"id": id, "status": "Awaiting", "purchase_order_number": body["purchase_order_number"],
                "last_updated_date": "2026-11-20T10:00:00Z", "fulfillment_center": {"id": center, "name": "X"}});
            desk.inbounds.push(order.clone());
            desk.bodies.push(body);
            if desk.fault == Fault::StoredAndCut {
                return cut();
            }
            says(201, &order)
        }
        _ => says(404, &json!({"title": "Not Found"})),
    }
}

/// As the published model has it: these fields, of these types, and no other.
fn wrong_at_ship_bob(body: &Json) -> Option<(&'static str, String)> {
    let keys = |at: &Json| -> Vec<String> {
        let fields = at.as_object().map(|fields| fields.keys().cloned().collect());
        let mut keys: Vec<String> = fields.unwrap_or_default();
        keys.sort();
        keys
    };
    let all = [
        "box_packaging_type",
        "boxes",
        "expected_arrival_date",
        "fulfillment_center",
        "package_type",
        "purchase_order_number",
    ];
    if keys(body) != all || !body["fulfillment_center"]["id"].is_i64() {
        return Some(("body", format!("{:?}", keys(body))));
    }
    let date = body["expected_arrival_date"].as_str().unwrap_or_default();
    if chrono::DateTime::parse_from_rfc3339(date).is_err() {
        return Some(("expected_arrival_date", date.to_owned()));
    }
    let boxes = body["boxes"].as_array()?;
    let packed = body["box_packaging_type"].as_str().unwrap_or_default();
    let single = boxes.len() == 1;
    if single != (packed == "EverythingInOneBox") {
        return Some(("box_packaging_type", packed.to_owned()));
    }
    for one in boxes {
        let items = one["box_items"].as_array()?;
        let good = |item: &Json| {
            keys(item) == ["inventory_id", "quantity"]
                && item["inventory_id"].as_i64().is_some_and(|id| id > 0)
                && item["quantity"].as_i64().is_some_and(|units| units > 0)
        };
        if keys(one) != ["box_items", "tracking_number"] || items.is_empty() || !items.iter().all(good) {
            return Some(("boxes", one.to_string()));
        }
    }
    None
}

pub async fn serve(
    Shared(desk): Shared<Warehouse>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut desk = desk.lock().expect("the desk");
    match desk.vendor {
        Vendor::FourPx => four_px(&mut desk, uri.query().unwrap_or_default(), &body),
        Vendor::ShipBob => ship_bob(&mut desk, (&method, &uri, &headers), &body),
    }
}
