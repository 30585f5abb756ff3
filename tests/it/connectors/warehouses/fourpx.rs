//! 4PX: one address, MD5 over the query and the body, windows of at most three months.

use std::sync::{Arc, Mutex};

use linkstar::clock::Clock as _;
use linkstar::connector::ConnectorConfig;
use linkstar::store::facts::PullState;
use serde_json::{Value as Json, json};

use super::super::desk::{Desk, Heard, Said, said};
use super::super::settled::{Sent, at_the_end_of, books};
use super::super::stage::{House, stream};
use super::yard::{Books, Gate, md5_hex, number, page, resent, source};

const SECRETS: [(&str, &str); 2] = [("app_key", "AK"), ("app_secret", "SK")];

/// What the warehouse knows.
#[derive(Default)]
struct Warehouse {
    stock: Vec<Json>,
    inbounds: Vec<Json>,
}

fn ask<'h>(heard: &'h Heard, name: &str) -> &'h str {
    heard.query.get(name).map_or("", String::as_str)
}

fn failed(code: &str, text: &str) -> Said {
    said(
        200,
        json!({"result": "0", "msg": "System processing failed", "data": null,
            "errors": [{"error_code": code, "error_msg": text}]}),
    )
}

fn answer(warehouse: &Warehouse, heard: &Heard) -> Said {
    let q = |name| ask(heard, name);
    let plain = format!(
        "app_key{}format{}method{}timestamp{}v{}{}SK",
        q("app_key"),
        q("format"),
        q("method"),
        q("timestamp"),
        q("v"),
        heard.body
    );
    if q("sign") != md5_hex(&plain) || q("app_key") != "AK" || heard.path != "/router/api/service" {
        return failed("000002", "签名错误");
    }
    let asked = heard.json();
    let size = number(&asked, "page_size");
    if size > 100 {
        return failed("DS000041", "page_size 最大100");
    }
    let rows: Vec<Json> = match q("method") {
        "fu.wms.inventory.get" => warehouse
            .stock
            .iter()
            .filter(|row| row["warehouse_code"] == asked["warehouse_code"])
            .cloned()
            .collect(),
        "fu.wms.inbound.getlist" => {
            let (from, to) = (
                number(&asked, "create_time_start"),
                number(&asked, "create_time_end"),
            );
            if to < from || to - from > 90 * 86_400_000 {
                return failed("FU000129", "最大支持3个月数据查询");
            }
            warehouse
                .inbounds
                .iter()
                .filter(|row| (from..to).contains(&number(row, "create_time")))
                .cloned()
                .collect()
        }
        other => return failed("000001", other),
    };
    let page = page(&rows, number(&asked, "page_no"), size);
    said(
        200,
        json!({"result": "1", "msg": "System processing successful", "errors": null,
            "data": {"page_no": asked["page_no"], "page_size": size, "total": rows.len(), "data": page}}),
    )
}

async fn open(warehouse: &Arc<Mutex<Warehouse>>, every: u32) -> Desk {
    let (gate, warehouse) = (Gate::every(every), Arc::clone(warehouse));
    Desk::open(move |heard| {
        gate.closed()
            .unwrap_or_else(|| answer(&warehouse.lock().expect("a warehouse"), heard))
    })
    .await
}

fn config(url: &str, secrets: &[(&str, &str)]) -> ConnectorConfig {
    source("fourpx", url, &[], secrets, &[("USLAXA", "fourpx:USLAXA")])
}

fn row(sku: &str, batch: &str, units: i64) -> Json {
    json!({"customer_code": "900278", "warehouse_code": "USLAXA", "sku_id": "1", "sku_code": sku, "batch_no": batch,
        "available_stock": units, "pending_stock": 2, "onway_stock": 10, "stock_quality": "G"})
}

fn inbound(number: &str, created: i64, status: &str, received: &str) -> Json {
    json!({"consignment_no": number, "customer_code": "900278", "ref_no": format!("SO-{number}"),
        "to_warehouse_code": "USLAXA", "status": status, "create_time": created,
        "lstsku": [{"box_no": "1", "sku_code": "A", "plan_qty": "100", "received_qty": received, "putaway_qty": received, "exception_qty": "0"},
            {"box_no": "2", "sku_code": "A", "plan_qty": "100", "received_qty": null, "putaway_qty": null}]})
}

/// 2026-01-02T00:00:00Z
const CREATED: i64 = 1_767_312_000_000;

#[tokio::test]
async fn a_pull_of_4px_signs_each_attempt_and_adds_batches_up() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    {
        let mut warehouse = warehouse.lock().unwrap();
        // 149 SKUs, two batches of one of them with the same numbers: a full page and one that is not.
        warehouse.stock = (0..149).map(|n| row(&format!("S{n:03}"), "B1", n)).collect();
        warehouse.stock.push(row("S007", "B2", 7));
        // The same batch again: rows that moved from one page to the next one come twice.
        warehouse.stock.push(row("S008", "B1", 8));
        warehouse.inbounds = vec![inbound("IC1", CREATED, "G", "60")];
    }
    let desk = open(&warehouse, 2).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");

    let books = Books::of(&house).await;
    assert_eq!(books.stock.len(), 149);
    // Waiting to go out is reserved, not waiting for a shelf.
    assert_eq!(
        books.stock["S007"],
        [Some(14), Some(4), None, Some(20), None, None]
    );
    assert_eq!(books.stock["S008"][0], Some(8));
    assert_eq!(books.inbound("IC1"), ("fourpx:USLAXA", "SO-IC1", "G", false));
    assert_eq!(books.line("IC1", "1", "A"), (Some(100), Some(60)));
    assert_eq!(books.line("IC1", "2", "A"), (Some(100), None));
    assert_eq!(books.receipt("IC1", "A", "received"), (60, 1));

    let heard = desk.heard();
    assert!(
        heard.len() > 4,
        "every second request is one too many: {}",
        heard.len()
    );
    assert_eq!(resent(&heard, |heard| ask(heard, "sign").to_owned()), 0);
    // One list tells the lines and what came in, and is asked again when it is too many: no call per inbound.
    let lists = heard
        .iter()
        .filter(|heard| ask(heard, "method") == "fu.wms.inbound.getlist");
    assert!(lists.count() <= 3, "{}", heard.len());
}

#[tokio::test]
async fn trap_7_a_running_total_of_4px_is_taken_once_and_announced_once() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().inbounds = vec![inbound("IC1", CREATED, "G", "60")];
    warehouse.lock().unwrap().stock = vec![row("A", "B1", 1)];
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    for (received, status, expected) in [
        ("60", "G", (60, 1)),
        ("60", "V", (60, 1)),
        ("98", "C", (98, 2)),
        ("97", "C", (97, 3)),
    ] {
        warehouse.lock().unwrap().inbounds = vec![inbound("IC1", CREATED, status, received)];
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        let books = Books::of(&house).await;
        assert_eq!(books.receipt("IC1", "A", "received"), expected, "{status}");
        assert_eq!(books.receipt("IC1", "A", "put_away"), expected, "{status}");
        assert_eq!(books.line("IC1", "1", "A").0, Some(100));
        assert_eq!(books.lines.len(), 2);
        assert_eq!(books.inbound("IC1").3, status == "C");
        house.clock.set(house.clock.now() + chrono::Duration::days(1));
    }
}

#[tokio::test]
async fn trap_4_windows_of_4px_are_at_most_three_months_and_reach_back_over_the_life_of_an_inbound() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().stock = vec![row("A", "B1", 1)];
    // Created on the first day of a year of history.
    let created = CREATED - 300 * 86_400_000;
    warehouse.lock().unwrap().inbounds = vec![
        inbound("IC0", created, "C", "100"),
        inbound("IC1", CREATED, "G", "60"),
    ];
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let mut config = config(&desk.url, &SECRETS);
    config.params.insert("history_days".to_owned(), "365".to_owned());
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(Books::of(&house).await.inbounds.len(), 2);
    let asked = desk.heard().len();

    // Three weeks later the second one, created seven weeks before, is on the shelf: the list is asked by creation.
    house.clock.set("2026-02-20T02:00:00Z".parse().unwrap());
    warehouse.lock().unwrap().inbounds = vec![inbound("IC1", CREATED, "C", "100")];
    house.pull(&config).await;
    let books = Books::of(&house).await;
    assert_eq!(books.receipt("IC1", "A", "received").0, 100);
    let later = desk.heard().len() - asked;
    assert!(later <= 4, "{later} calls for 120 days");
}

#[tokio::test]
async fn an_error_of_4px_in_200_keeps_the_stock_and_says_why() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().stock = vec![row("A", "B1", 5)];
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    house.pull(&config(&desk.url, &SECRETS)).await;
    let report = house
        .pull(&config(&desk.url, &[("app_key", "AK"), ("app_secret", "other")]))
        .await;
    assert_eq!(stream(&report, "stock").state, PullState::Failed);
    let books = Books::of(&house).await;
    assert_eq!(books.stock["A"][0], Some(5));
    assert!(books.stale[0].contains("签名错误"), "{:?}", books.stale);

    // A quality nobody has told us about is no stock to sell, and not an empty one either.
    warehouse.lock().unwrap().stock[0]["stock_quality"] = json!("Q");
    let report = house.pull(&config(&desk.url, &SECRETS)).await;
    assert_eq!(stream(&report, "stock").state, PullState::Failed);
    let books = Books::of(&house).await;
    assert_eq!(books.stock["A"][0], Some(5));
    assert!(books.stale[0].contains("`Q`"), "{:?}", books.stale);
}

/// Its totals grow, are restated lower and end: the lines follow, carton by carton. What it puts aside as an exception is
/// neither received nor lost until it says which.
#[tokio::test]
async fn r55_totals_of_4px_reconcile_to_the_line() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    let desk = open(&warehouse, 7).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    let sent = Sent {
        order: "SO-IC1",
        warehouse: "fourpx:USLAXA",
        units: &[("A", 200)],
    };
    let open_line = "receiving open";
    // Day, status; received, put away and exception of the first box; what the second box has of both.
    let days = [
        (
            ("2026-01-22", "G"),
            ["60", "0", "0"],
            None,
            format!("A 200: 60 received, 0 shelved, 0 damaged, {open_line}"),
        ),
        (
            ("2026-01-23", "V"),
            ["100", "70", "0"],
            Some("90"),
            format!("A 200: 190 received, 160 shelved, 0 damaged, {open_line}"),
        ),
        (
            ("2026-01-24", "K"),
            ["99", "99", "1"],
            Some("90"),
            format!("A 200: 189 received, 189 shelved, 0 damaged, 1 set aside, {open_line}"),
        ),
        (
            ("2026-01-25", "C"),
            ["99", "99", "1"],
            Some("90"),
            "A 200: 189 received, 189 shelved, 0 damaged, 1 set aside, closed short -11".to_owned(),
        ),
    ];
    let tell = |status: &str, first: [&str; 3], second: Option<&str>| {
        let mut one = inbound("IC1", CREATED, status, first[0]);
        one["lstsku"][0]["putaway_qty"] = json!(first[1]);
        one["lstsku"][0]["exception_qty"] = json!(first[2]);
        for field in ["received_qty", "putaway_qty"] {
            one["lstsku"][1][field] = json!(second);
        }
        warehouse.lock().unwrap().inbounds = vec![one];
        warehouse.lock().unwrap().stock = vec![row("A", "B1", 1)];
    };
    for ((day, status), first, second, wanted) in days {
        tell(status, first, second);
        at_the_end_of((&house, &config, &sent), &format!("{day}T02:00:00Z"), &wanted).await;
    }
    let kinds = async |day: &str| {
        let done = books(&house, &sent, day).await;
        let found = done.classified.iter();
        found
            .map(|one| format!("{} {} {}", one.kind.code(), one.units, one.is_claimable()))
            .collect::<Vec<_>>()
    };
    // Eleven are missing, and one of them is in the warehouse: ten are to be paid for.
    assert_eq!(kinds("2026-01-25").await, ["short 10 true", "set_aside 1 false"]);
    // It was good after all.
    tell("C", ["100", "100", "0"], Some("90"));
    let wanted = "A 200: 190 received, 190 shelved, 0 damaged, closed short -10";
    at_the_end_of((&house, &config, &sent), "2026-01-26T02:00:00Z", wanted).await;
    assert_eq!(kinds("2026-01-26").await, ["short 10 true"]);
    // Or it was not, and is gone: then it is missing like the others.
    tell("C", ["99", "99", "0"], Some("90"));
    let wanted = "A 200: 189 received, 189 shelved, 0 damaged, closed short -11";
    at_the_end_of((&house, &config, &sent), "2026-01-27T02:00:00Z", wanted).await;
    assert_eq!(kinds("2026-01-27").await, ["short 11 true"]);
}
