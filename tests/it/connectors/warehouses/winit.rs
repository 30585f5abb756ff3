//! Winit: one address, the action in the body, two MD5 signatures around two secrets.

use std::sync::{Arc, Mutex};

use linkstar::connector::ConnectorConfig;
use linkstar::store::facts::PullState;
use serde_json::{Value as Json, json};

use super::super::desk::{Desk, Heard, Said, said};
use super::super::settled::{Sent, at_the_end_of};
use super::super::stage::{House, stream};
use super::yard::{Books, Gate, canonical, md5_hex, number, page, resent, source};

const SECRETS: [(&str, &str); 4] = [
    ("app_key", "seller@example.test"),
    ("token", "TOKEN123"),
    ("client_id", "CLIENT"),
    ("client_secret", "CSECRET456"),
];

#[derive(Default)]
struct Warehouse {
    /// What it answered, the throttled questions left out.
    answered: Vec<Json>,
    stock: Vec<Json>,
    /// Details of inbounds; the list tells a part of them.
    inbounds: Vec<Json>,
}

fn error(code: &str, text: &str) -> Said {
    said(200, json!({"code": code, "msg": text, "data": null}))
}

fn signature(body: &Json, secret: &str) -> String {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let mut plain = secret.to_owned();
    for name in ["action", "app_key"] {
        plain += &format!("{name}{}", text(name));
    }
    plain += &format!("data{}", canonical(&body["data"]));
    for name in ["format", "platform", "sign_method", "timestamp", "version"] {
        plain += &format!("{name}{}", text(name));
    }
    plain += secret;
    md5_hex(&plain).to_uppercase()
}

fn answer(warehouse: &Warehouse, heard: &Heard) -> Said {
    let body = heard.json();
    if heard.path != "/openapi/service" || body["client_id"] != "CLIENT" || body["platform"] != "DEMO" {
        return error("1000001", "应用不存在");
    }
    if body["sign"] != signature(&body, "TOKEN123") {
        return error("1000003", "sign错误");
    }
    if body["client_sign"] != signature(&body, "CSECRET456") {
        return error("1000004", "client_sign错误");
    }
    let data = &body["data"];
    match body["action"].as_str() {
        Some("queryWarehouseStorage") if data["warehouseID"] == "1000008" => {
            let size = number(data, "pageSize");
            if size > 200 {
                return error("1000009", "pageSize最大200");
            }
            let own = |row: &&Json| row["isReturnInventory"] == data["inReturnInventory"];
            let rows: Vec<Json> = warehouse.stock.iter().filter(own).cloned().collect();
            let list = page(&rows, number(data, "pageNum"), size);
            // The number 0 here, the text "0" elsewhere: clients have seen both.
            said(
                200,
                json!({"code": 0, "msg": "操作成功", "data": {"total": rows.len(), "list": list}}),
            )
        }
        Some("winit.wh.inbound.getOrderList") => {
            let day = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
            let (from, to) = (day("orderCreateDateStart"), day("orderCreateDateEnd"));
            assert_eq!((from.len(), to.len()), (10, 10), "days");
            let own = |row: &&Json| {
                let created: String = row["createdDate"]
                    .as_str()
                    .unwrap_or_default()
                    .chars()
                    .take(10)
                    .collect();
                row["destinationWarehouseCode"] == data["destinationWareHouseCode"]
                    && from <= created
                    && created <= to
            };
            let rows: Vec<Json> = warehouse
                .inbounds
                .iter()
                .filter(own)
                .map(|row| json!({"orderNo": row["orderNo"], "status": row["status"], "orderCreateDate": row["createdDate"]}))
                .collect();
            let list = page(
                &rows,
                number(data, "pageParams.pageNo"),
                number(data, "pageParams.pageSize"),
            );
            said(
                200,
                json!({"code": "0", "msg": "", "data": {"pageParams": {"totalCount": rows.len()}, "orderList": list}}),
            )
        }
        Some("winit.wh.inbound.getOrderDetail") => {
            let found = warehouse
                .inbounds
                .iter()
                .find(|row| row["orderNo"] == data["orderNo"]);
            said(200, json!({"code": "0", "msg": "", "data": found}))
        }
        other => error("1000002", &format!("{other:?}")),
    }
}

async fn open(warehouse: &Arc<Mutex<Warehouse>>, every: u32) -> Desk {
    let (gate, warehouse) = (Gate::every(every), Arc::clone(warehouse));
    Desk::open(move |heard| {
        gate.closed().unwrap_or_else(|| {
            let mut warehouse = warehouse.lock().expect("a warehouse");
            warehouse.answered.push(heard.json());
            answer(&warehouse, heard)
        })
    })
    .await
}

fn config(url: &str, secrets: &[(&str, &str)]) -> ConnectorConfig {
    let params = [
        ("platform", "DEMO"),
        ("warehouse_id", "1000008"),
        ("warehouse_code", "US0001"),
    ];
    source("winit", url, &params, secrets, &[("US0001", "winit:US0001")])
}

fn row(sku: &str, available: i64, returned: &str) -> Json {
    json!({"productCode": sku, "warehouseCode": "US0001", "qtyAvailable": available.to_string(), "qtyWaitOut": "12",
        "qtyFrozen": 1, "qtyLostConfirming": 2, "prohibitFrozenQty": "0", "prohibitUsableQty": 3, "qtyDestruction": 4,
        "pipelineInventory": "40", "inStockQty": (available + 22).to_string(), "isReturnInventory": returned})
}

fn inbound(number: &str, created: &str, status: &str, shelved: i64) -> Json {
    json!({"orderNo": number, "status": status, "sellerOrderNo": format!("SO-{number}"), "destinationWarehouseCode": "US0001",
        "createdDate": created, "shelveCompletedDate": if status == "SHD" { json!("2026-01-21 10:00:00") } else { Json::Null },
        "pickupAddress": "深圳市一路 1", "packageList": [],
        "merchandiseList": [{"sku": "M1", "merchandiseCode": "A", "quantity": 100, "inspectionQty": 100, "actualQuantity": shelved}]})
}

#[tokio::test]
async fn a_pull_of_winit_signs_twice_and_learns_the_reference_from_the_detail() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    {
        let mut warehouse = warehouse.lock().unwrap();
        warehouse.stock = (0..250).map(|n| row(&format!("S{n:03}"), n, "N")).collect();
        warehouse.stock.push(row("BACK", 9, "Y"));
        warehouse.inbounds = vec![
            inbound("WI1", "2026-01-02 10:00:00", "SHD", 98),
            inbound("WI2", "2026-01-22 09:59:00", "OD", 0),
        ];
    }
    let desk = open(&warehouse, 4).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let totals: Vec<&String> = report
        .streams
        .iter()
        .flat_map(|stream| stream.warnings.keys())
        .filter(|warning| warning.contains("add up"))
        .collect();
    assert_eq!(
        totals,
        Vec::<&String>::new(),
        "the buckets add up to what the source says"
    );

    let books = Books::of(&house).await;
    assert_eq!(books.stock.len(), 250, "what came back is not for sale");
    assert_eq!(
        books.stock["S007"],
        [Some(7), Some(12), None, Some(40), Some(4), Some(6)]
    );
    assert_eq!(books.inbound("WI1"), ("winit:US0001", "SO-WI1", "SHD", true));
    assert_eq!(books.inbound("WI2"), ("winit:US0001", "SO-WI2", "OD", false));
    assert_eq!(books.line("WI1", "", "A"), (Some(100), Some(98)));
    // Inspected in China is not received overseas.
    assert_eq!(books.receipt("WI1", "A", "put_away"), (98, 1));
    assert_eq!(books.receipts.len(), 1, "{:?}", books.receipts);

    let heard = desk.heard();
    // Windows are cut in days: the day on which one ends and the next begins is read in both, and so is what it holds.
    let mut details: Vec<String> = warehouse
        .lock()
        .unwrap()
        .answered
        .iter()
        .filter(|asked| asked["action"] == "winit.wh.inbound.getOrderDetail")
        .map(|asked| asked["data"]["orderNo"].as_str().unwrap().to_owned())
        .collect();
    details.sort();
    assert_eq!(details, ["WI1", "WI2", "WI2"]);
    let stamps: Vec<String> = heard
        .iter()
        .map(|heard| heard.json()["timestamp"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        stamps.iter().all(|at| at.starts_with("2026-01-22 10:")),
        "China's time: {stamps:?}"
    );
    assert!(resent(&heard, |heard| heard.json()["sign"].to_string()) < heard.len());

    // The list of the next night does not make the reference unknown again, and a total is taken once (trap 7).
    house.clock.set("2026-01-23T02:00:00Z".parse().unwrap());
    warehouse.lock().unwrap().inbounds[1] = inbound("WI2", "2026-01-22 09:59:00", "SHD", 60);
    house.pull(&config).await;
    let books = Books::of(&house).await;
    assert_eq!(books.inbound("WI2"), ("winit:US0001", "SO-WI2", "SHD", true));
    assert_eq!(books.receipt("WI1", "A", "put_away"), (98, 1));
    assert_eq!(books.receipt("WI2", "A", "put_away"), (60, 1));
}

#[tokio::test]
async fn a_wrong_signature_of_winit_is_told_by_the_one_that_is_wrong() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().stock = vec![row("A", 5, "N")];
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    house.pull(&config(&desk.url, &SECRETS)).await;
    for (name, says) in [("token", ": sign错误"), ("client_secret", "client_sign错误")] {
        let mut secrets = SECRETS;
        for secret in &mut secrets {
            if secret.0 == name {
                secret.1 = "another";
            }
        }
        let report = house.pull(&config(&desk.url, &secrets)).await;
        let stock = stream(&report, "stock");
        assert_eq!(stock.state, PullState::Failed);
        assert!(stock.problem.as_ref().unwrap().contains(says), "{stock:?}");
        assert!(!stock.problem.as_ref().unwrap().contains("another"), "{stock:?}");
        assert_eq!(Books::of(&house).await.stock["A"][0], Some(5));
    }
}

/// Winit tells the shelf alone: what lies there has been received.
#[tokio::test]
async fn r55_shelves_of_winit_reconcile_to_the_line() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    let desk = open(&warehouse, 7).await;
    let house = House::new("2026-01-21T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    let sent = Sent {
        order: "SO-WI1",
        warehouse: "winit:US0001",
        units: &[("A", 100)],
    };
    let days = [
        (
            "2026-01-19",
            "EWC",
            0,
            "A 100: 0 received, 0 shelved, 0 damaged, moving open",
        ),
        (
            "2026-01-20",
            "PS",
            70,
            "A 100: 70 received, 70 shelved, 0 damaged, receiving open",
        ),
        (
            "2026-01-22",
            "SHD",
            98,
            "A 100: 98 received, 98 shelved, 0 damaged, closed short -2",
        ),
    ];
    for (day, status, shelved, wanted) in days {
        let one = inbound("WI1", "2026-01-02 10:00:00", status, shelved);
        warehouse.lock().unwrap().inbounds = vec![one];
        warehouse.lock().unwrap().stock = vec![row("A", 1, "N")];
        at_the_end_of((&house, &config, &sent), &format!("{day}T02:00:00Z"), wanted).await;
    }
}
