//! 领星 OMS/WMS: HMAC over sorted JSON, windows of a month, one state per call, stock only of what moved.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use linkstar::connector::ConnectorConfig;
use linkstar::store::facts::PullState;
use serde_json::{Value as Json, json};

use super::super::desk::{Desk, Heard, Said, said};
use super::super::stage::{House, stream};
use super::yard::{Books, Gate, canonical, civil, hex, number, page, resent, source};

const SECRETS: [(&str, &str); 2] = [("app_key", "APPKEY"), ("app_secret", "APPSECRET")];

#[derive(Default)]
struct Warehouse {
    /// When it last moved, in China, and its row.
    stock: Vec<(String, Json)>,
    inbounds: Vec<Json>,
    boxes: Vec<Json>,
    /// Inbounds whose boxes were told, once each time they were.
    told: Vec<String>,
}

fn error(code: i64, text: &str) -> Said {
    said(200, json!({"code": code, "msg": text, "data": null}))
}

fn records(rows: &[Json], data: &Json) -> Said {
    let size = number(data, "pageSize");
    if size > 100 {
        return error(10001, "pageSize不能超过100");
    }
    let pages = (rows.len() as u64).div_ceil(size);
    said(
        200,
        json!({"code": 200, "msg": "ok", "data": {"pages": pages, "total": rows.len(),
            "records": page(rows, number(data, "page"), size)}}),
    )
}

fn answer(warehouse: &mut Warehouse, heard: &Heard) -> Said {
    let body = heard.json();
    let data = &body["data"];
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let plain = format!("{}{}{}", text("appKey"), canonical(data), text("reqTime"));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"APPSECRET");
    let authcode = hex(ring::hmac::sign(&key, plain.as_bytes()).as_ref());
    if heard.query.get("authcode") != Some(&authcode) || text("appKey") != "APPKEY" {
        return error(11001, "签名错误");
    }
    let window = || {
        let (from, to) = (data.get("startTime")?, data.get("endTime")?);
        let (from, to) = (civil(from), civil(to));
        (to - from <= chrono::Duration::days(31)).then_some((from, to))
    };
    match heard.path.as_str() {
        "/v1/integratedInventory/pageOpen" => {
            let Some((from, to)) = window() else {
                return error(10002, "查询超过最大条数限制");
            };
            // Left closed, right open: and what did not move in between is not there.
            let moved = |row: &&(String, Json)| {
                (from..to).contains(&civil(&json!(row.0))) && row.1["whCode"] == data["whCodeList"]
            };
            let rows: Vec<Json> = warehouse
                .stock
                .iter()
                .filter(moved)
                .map(|row| row.1.clone())
                .collect();
            records(&rows, data)
        }
        "/v1/inboundOrder/pageList" => {
            let Some((from, to)) = window() else {
                return error(10002, "查询超过最大条数限制");
            };
            if !data["status"].is_i64() {
                return error(10001, "status只能是一个数字");
            }
            let own = |row: &&Json| {
                row["status"] == data["status"] && (from..to).contains(&civil(&row["orderCreateTime"]))
            };
            let rows: Vec<Json> = warehouse.inbounds.iter().filter(own).cloned().collect();
            records(&rows, data)
        }
        "/v1/inboundOrder/pageBoxSkuList" if data["inboundType"] == 1 => {
            let own = |row: &&Json| {
                row["shippingMark"]
                    .as_str()
                    .unwrap_or_default()
                    .starts_with(data["inboundOrderNo"].as_str().unwrap_or("?"))
            };
            let rows: Vec<Json> = warehouse.boxes.iter().filter(own).cloned().collect();
            let inbound = data["inboundOrderNo"].as_str().unwrap_or_default();
            warehouse.told.push(inbound.to_owned());
            records(&rows, data)
        }
        other => error(404, other),
    }
}

async fn open(warehouse: &Arc<Mutex<Warehouse>>, every: u32) -> Desk {
    let (gate, warehouse) = (Gate::every(every), Arc::clone(warehouse));
    let old = AtomicU32::new(0);
    Desk::open(move |heard| {
        if let Some(closed) = gate.closed() {
            return closed;
        }
        // Every fifth timestamp is found too old.
        if old.fetch_add(1, Ordering::Relaxed) % 5 == 4 {
            return error(11002, "时间超时，请重新生产时间戳");
        }
        answer(&mut warehouse.lock().expect("a warehouse"), heard)
    })
    .await
}

fn config(url: &str, secrets: &[(&str, &str)]) -> ConnectorConfig {
    source(
        "xlwms",
        url,
        &[("stock_days", "120")],
        secrets,
        &[("HOU2", "xlwms:HOU2")],
    )
}

fn moved(sku: &str, at: &str, available: i64) -> (String, Json) {
    let row = json!({"whCode": "HOU2", "whName": "休斯顿仓", "sku": sku, "productName": "示例", "productTotalAmount": available + 20,
        "productStockDtl": {"availableAmount": available, "lockAmount": 20, "transportAmount": 40},
        "fbaReturnTotalAmount": 3, "fbaReturnStockDtl": {"availableAmount": 3, "lockAmount": 0, "transportAmount": 0}});
    (at.to_owned(), row)
}

fn inbound(number: &str, created: &str, status: i64) -> Json {
    json!({"inboundOrderNo": number, "inboundType": 1, "whCode": "HOU2", "status": status, "referOrderNo": format!("SO-{number}"),
        "receivedEndTime": null, "shelfEndTime": null, "orderCreateTime": created})
}

fn boxed(mark: &str, sku: &str, received: i64) -> Json {
    json!({"shippingMark": mark, "productList": [{"sku": sku, "quantity": 100, "receivedQuantity": received}]})
}

#[tokio::test]
async fn trap_1_a_sku_that_did_not_move_keeps_its_stock() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().stock = vec![
        moved("OLD", "2025-10-05 10:00:00", 700),
        moved("NEW", "2026-01-21 10:00:00", 100),
        // Moved before anybody looked back to: unknown, not zero.
        moved("OLDER", "2025-01-05 10:00:00", 9),
    ];
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let books = Books::of(&house).await;
    assert_eq!(
        books.stock["NEW"],
        [Some(100), Some(20), None, Some(40), None, None]
    );
    assert_eq!(books.stock["OLD"][0], Some(700));
    assert_eq!(books.stock.len(), 2);

    // A week later only NEW has moved; OLD is not in the answer, and nothing has happened to it.
    house.clock.set("2026-01-29T02:00:00Z".parse().unwrap());
    let before = desk.heard().len();
    warehouse.lock().unwrap().stock = vec![moved("NEW", "2026-01-28 10:00:00", 80)];
    house.pull(&config).await;
    let books = Books::of(&house).await;
    assert_eq!(
        (books.stock["NEW"][0], books.stock["OLD"][0]),
        (Some(80), Some(700))
    );
    let asked = desk.heard().split_off(before);
    let stock: Vec<&Heard> = asked
        .iter()
        .filter(|heard| heard.path.ends_with("pageOpen"))
        .collect();
    assert!(stock.len() <= 2, "{}", stock.len());

    // Nothing at all moved: not an empty warehouse.
    house.clock.set("2026-02-10T02:00:00Z".parse().unwrap());
    warehouse.lock().unwrap().stock.clear();
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "stock").state, PullState::Ok, "{report:?}");
    assert_eq!(Books::of(&house).await.stock["OLD"][0], Some(700));
}

#[tokio::test]
async fn trap_2_inbounds_are_asked_one_state_a_call_in_windows_of_china_time_below_a_month() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    {
        let mut warehouse = warehouse.lock().unwrap();
        warehouse.stock = vec![moved("A", "2026-01-21 10:00:00", 1)];
        warehouse.inbounds = vec![
            inbound("IB1", "2026-01-02 10:00:00", 2),
            inbound("IB2", "2025-12-02 10:00:00", 4),
            // 2026-01-22 02:00 in London is 10:00 in China: created a minute ago.
            inbound("IB3", "2026-01-22 09:59:00", 0),
        ];
        warehouse.boxes = vec![
            boxed("IB1-1", "A", 98),
            boxed("IB1-2", "A", 0),
            boxed("IB2-1", "B", 100),
        ];
    }
    let desk = open(&warehouse, 6).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let books = Books::of(&house).await;
    assert_eq!(books.inbound("IB1"), ("xlwms:HOU2", "SO-IB1", "2", false));
    assert_eq!(books.inbound("IB2"), ("xlwms:HOU2", "SO-IB2", "4", true));
    assert_eq!(books.inbound("IB3").2, "0");
    assert_eq!(books.line("IB1", "IB1-2", "A"), (Some(100), None));
    assert_eq!(books.receipt("IB1", "A", "received"), (98, 1));
    // No box of the third has been packed.
    assert_eq!(books.lines.len(), 3);

    // Boxes and what came in of them are one answered call per inbound; refused ones are asked again.
    let mut told = warehouse.lock().unwrap().told.clone();
    told.sort();
    assert_eq!(told, ["IB1", "IB2", "IB3"]);
    let heard = desk.heard();
    assert_eq!(
        resent(&heard, |heard| heard.query["authcode"].clone()),
        0,
        "signed anew each time"
    );

    // Next night the states have moved on; totals are taken once (trap 7).
    house.clock.set("2026-01-23T02:00:00Z".parse().unwrap());
    warehouse.lock().unwrap().inbounds[0]["status"] = json!(4);
    warehouse.lock().unwrap().boxes[1] = boxed("IB1-2", "A", 99);
    house.pull(&config).await;
    let books = Books::of(&house).await;
    assert_eq!(books.inbound("IB1"), ("xlwms:HOU2", "SO-IB1", "4", true));
    assert_eq!(books.receipt("IB1", "A", "received"), (197, 2));
}

#[tokio::test]
async fn trap_2_too_much_for_one_answer_is_asked_again_in_halves() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().stock = vec![
        moved("A", "2026-01-02 10:00:00", 5),
        moved("B", "2026-01-21 10:00:00", 6),
    ];
    let inner = Arc::clone(&warehouse);
    // A day when the vendor answers for ten days at most.
    let desk = Desk::open(move |heard| {
        let data = &heard.json()["data"];
        if data.get("startTime").is_some()
            && civil(&data["endTime"]) - civil(&data["startTime"]) > chrono::Duration::days(10)
        {
            return error(10002, "查询超过最大条数限制");
        }
        answer(&mut inner.lock().expect("a warehouse"), heard)
    })
    .await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let report = house.pull(&config(&desk.url, &SECRETS)).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let books = Books::of(&house).await;
    assert_eq!((books.stock["A"][0], books.stock["B"][0]), (Some(5), Some(6)));
}

#[tokio::test]
async fn trap_3_a_timestamp_that_was_too_old_is_made_and_signed_anew() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().stock = vec![moved("A", "2026-01-21 10:00:00", 5)];
    let inner = Arc::clone(&warehouse);
    let asked: Mutex<BTreeMap<String, u32>> = Mutex::default();
    // The first two attempts of each call come too late.
    let desk = Desk::open(move |heard| {
        let call = format!("{} {}", heard.path, heard.json()["data"]);
        let mut asked = asked.lock().expect("a count");
        let times = asked.entry(call).or_default();
        *times += 1;
        if *times <= 2 {
            return error(11002, "时间超时，请重新生产时间戳");
        }
        answer(&mut inner.lock().expect("a warehouse"), heard)
    })
    .await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let mut config = config(&desk.url, &SECRETS);
    config.params.insert("stock_days".to_owned(), "20".to_owned());
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(Books::of(&house).await.stock["A"][0], Some(5));
    let heard = desk.heard();
    assert!(heard.len() >= 3 * 17, "{}", heard.len());
    assert_eq!(resent(&heard, |heard| heard.query["authcode"].clone()), 0);
}

#[tokio::test]
async fn trap_4_windows_are_left_closed_and_right_open_so_that_a_movement_on_their_border_is_told_once() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    // Windows begin at midnight of the first day, in the zone of the source (UTC): 08:00 in China, every 30 days.
    warehouse.lock().unwrap().stock = vec![moved("A", "2025-10-24 08:00:00", 5)];
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let report = house.pull(&config(&desk.url, &SECRETS)).await;
    assert_eq!(stream(&report, "stock").rows, 1, "{report:?}");
    let windows: Vec<(String, String)> = desk
        .heard()
        .iter()
        .filter(|heard| heard.path.ends_with("pageOpen"))
        .map(|heard| {
            let data = heard.json()["data"].clone();
            (
                data["startTime"].as_str().unwrap().to_owned(),
                data["endTime"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert!(
        windows.iter().any(|(from, _)| from == "2025-10-24 08:00:00"),
        "{windows:?}"
    );
    let borders: Vec<bool> = windows
        .windows(2)
        .map(|pair| pair[0].1 == pair[1].0 || pair[0] == pair[1])
        .collect();
    assert!(borders.iter().all(|holds| *holds), "{windows:?}");
}

#[tokio::test]
async fn a_key_without_the_right_to_a_call_is_forbidden() {
    let desk = Desk::open(|_| error(11008, "无接口权限")).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let report = house.pull(&config(&desk.url, &SECRETS)).await;
    let stock = stream(&report, "stock");
    assert_eq!(stock.state, PullState::Failed);
    let why = stock.problem.as_ref().unwrap();
    assert!(why.contains("forbidden") && why.contains("无接口权限"), "{why}");
}
