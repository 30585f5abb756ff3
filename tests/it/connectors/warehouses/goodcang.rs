//! GoodCang in its own odd ways: two envelopes, two spellings of paging, numbers as text, dates of zeros, a set that moves
//! under the pages, and a server that does not answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use linkstar::connector::ConnectorConfig;
use linkstar::store::facts::PullState;
use serde_json::{Value as Json, json};

use super::super::desk::{Desk, Heard, Said, said};
use super::super::settled::{Sent, at_the_end_of};
use super::super::stage::{House, Reply, Stage, stream};
use super::yard::{Books, Gate, civil, number, page, source};

const SECRETS: [(&str, &str); 2] = [("app_key", "K"), ("app_token", "T")];

#[derive(Default)]
struct Warehouse {
    stock: Vec<Json>,
    inbounds: Vec<Json>,
    batches: Vec<Json>,
    shelved: Vec<Json>,
}

/// The older half of its calls answers with words, the newer half with codes.
fn failure(new: bool, text: &str) -> Said {
    said(
        200,
        if new {
            json!({"code": 50001, "message": text, "data": null})
        } else {
            json!({"ask": "Failure", "message": text})
        },
    )
}

fn answer(warehouse: &Warehouse, heard: &Heard) -> Said {
    let new = heard.path.starts_with("/inbound_order/");
    if (heard.header("app-key"), heard.header("app-token")) != ("K", "T") {
        return failure(new, "鉴权失败");
    }
    let asked = heard.json();
    let good = |data: Json, count: usize| {
        said(
            200,
            if new {
                json!({"code": 0, "message": "success", "count": count, "data": data})
            } else {
                json!({"ask": "Success", "message": "Success", "count": count.to_string(), "data": data})
            },
        )
    };
    match heard.path.as_str() {
        "/inventory/get_product_inventory" => {
            // Only this spelling counts; the other one is not heard, and a page then holds ten rows.
            let size = asked.get("pageSize").map_or(10, |_| number(&asked, "pageSize"));
            if size > 200 {
                return failure(new, "pageSize最大200");
            }
            good(
                json!(page(&warehouse.stock, number(&asked, "page"), size)),
                warehouse.stock.len(),
            )
        }
        "/inbound_order/get_grn_list" => {
            let size = asked.get("page_size").map_or(10, |_| number(&asked, "page_size"));
            if size > 100 {
                return failure(new, "page_size最大100");
            }
            let (from, to) = (civil(&asked["modify_date_from"]), civil(&asked["modify_date_to"]));
            let changed = |row: &&Json| {
                row["update_at"].as_str().is_some_and(|at| at.starts_with("0000"))
                    || (from..=to).contains(&civil(&row["update_at"]))
            };
            let rows: Vec<Json> = warehouse.inbounds.iter().filter(changed).cloned().collect();
            good(json!(page(&rows, number(&asked, "page"), size)), rows.len())
        }
        "/inbound_order/get_grn_detail" => good(
            json!({"overseas_detail ": [
            {"box_no ": "1", "product_sku": "A", "overseas_pre_count": "100", "overseas_shelves_count ": "0"}]}),
            1,
        ),
        "/inbound_order/get_receipt_batch" => good(
            json!({"gc_receiving_data": warehouse.batches, "transit_data": []}),
            1,
        ),
        "/inbound_order/get_batch" => good(json!(warehouse.shelved), warehouse.shelved.len()),
        other => failure(new, other),
    }
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
    source("goodcang", url, &[], secrets, &[("UKMA", "goodcang:UKMA")])
}

fn row(sku: &str, sellable: &str) -> Json {
    json!({"product_sku": sku, "warehouse_code": "UKMA", "onway ": "1482", "pending": "31", "sellable": sellable, "unsellable": "2",
        "reserved": "10", "pi_freeze": 0})
}

fn inbound(number: &str, status: i64, changed: &str) -> Json {
    json!({"receiving_code": number, "reference_no": format!("SO-{number}"), "receiving_status": status.to_string(), "update_at": changed,
        "warehouse_code": "UKMA", "box_total_count ": 2, "eta_date ": "0000-00-00"})
}

fn batch(received: &str, at: &str) -> Json {
    json!({"receiving_code": "RV1", "box_no": "1", "product_sku": "A", "received_qty": received, "received_time": at, "quantity": "100"})
}

#[tokio::test]
async fn trap_5_texts_for_numbers_blanks_behind_keys_zero_dates_two_envelopes_and_two_spellings_of_paging() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    {
        let mut warehouse = warehouse.lock().unwrap();
        warehouse.stock = (0..201)
            .map(|n| row(&format!("S{n:03}"), &n.to_string()))
            .collect();
        warehouse.inbounds = (0..101)
            .map(|n| inbound(&format!("RV{n}"), 9, "2026-01-20 09:00:00"))
            .collect();
        warehouse.inbounds[7]["update_at"] = json!("0000-00-00 00:00:00");
        warehouse.inbounds[8]["receiving_status"] = json!(10);
    }
    let desk = open(&warehouse, 9).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let mut config = config(&desk.url, &SECRETS);
    config.params.insert("history_days".to_owned(), "20".to_owned());
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let books = Books::of(&house).await;
    assert_eq!(books.stock.len(), 201);
    assert_eq!(
        books.stock["S200"],
        [Some(200), Some(10), Some(31), Some(1482), Some(2), Some(0)]
    );
    assert_eq!(books.inbounds.len(), 101);
    assert!(books.inbound("RV8").3 && !books.inbound("RV7").3);
    assert_eq!(books.line("RV7", "1", "A"), (Some(100), Some(0)));

    // Both envelopes tell their errors in 200.
    let mut wrong = config.clone();
    let token = linkstar::connector::Secret::new("x");
    wrong.secrets.insert("app_token".to_owned(), token);
    let report = house.pull(&wrong).await;
    for name in ["stock", "inbound"] {
        let one = stream(&report, name);
        assert_eq!(one.state, PullState::Failed, "{name}");
        assert!(one.problem.as_ref().unwrap().contains("鉴权失败"), "{one:?}");
    }
    assert_eq!(Books::of(&house).await.stock.len(), 201);
}

#[tokio::test]
async fn trap_7_batches_of_a_box_are_summed_and_what_was_announced_counts_once() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    {
        let mut warehouse = warehouse.lock().unwrap();
        warehouse.stock = vec![row("A", "1")];
        warehouse.inbounds = vec![inbound("RV1", 9, "2026-01-21 09:00:00")];
        warehouse.batches = vec![
            batch("60", "2026-01-20 09:38:59"),
            batch("38", "2026-01-21 09:48:07"),
        ];
    }
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    for (round, expected) in [(98, 2), (98, 2), (99, 3)].into_iter().enumerate() {
        if round == 2 {
            let late = batch("1", "2026-01-22 08:00:00");
            warehouse.lock().unwrap().batches.push(late);
        }
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        let books = Books::of(&house).await;
        assert_eq!(books.receipt("RV1", "A", "received"), expected, "round {round}");
        assert_eq!(books.line("RV1", "1", "A").0, Some(100));
        assert_eq!(books.lines.len(), 1);
    }
}

#[tokio::test]
async fn trap_8_a_server_that_does_not_answer_holds_up_nobody() {
    let stage = Stage::open().await;
    stage.on(
        "/inventory/get_product_inventory",
        Reply::Silent(Duration::from_secs(60)),
    );
    stage.json(
        "/inbound_order/get_grn_list",
        json!({"ask": "Success", "count": 0, "data": []}),
    );
    let house = House::new("2026-01-22T02:00:00Z").await;
    let mut config = config(&stage.url, &SECRETS);
    config.params.insert("timeout_seconds".to_owned(), "1".to_owned());
    let report = tokio::time::timeout(Duration::from_secs(30), house.pull(&config))
        .await
        .expect("deadlines that fire");
    let stock = stream(&report, "stock");
    assert_eq!(stock.state, PullState::Failed);
    assert!(
        stock
            .problem
            .as_ref()
            .unwrap()
            .contains("did not finish its answer within 1 s"),
        "{stock:?}"
    );
    assert_eq!(stream(&report, "inbound").state, PullState::Ok);
}

#[tokio::test]
async fn trap_9_a_row_that_pages_over_a_moving_set_skipped_comes_with_the_next_pull() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    {
        let mut warehouse = warehouse.lock().unwrap();
        warehouse.stock = vec![row("A", "1")];
        warehouse.inbounds = (0..150)
            .map(|n| inbound(&format!("RV{n}"), 9, "2026-01-20 09:00:00"))
            .collect();
    }
    let inner = Arc::clone(&warehouse);
    let moved = std::sync::atomic::AtomicBool::new(false);
    // Between two pages the first row changes and goes to the end: everybody moves up, and the row that was to be the
    // first of the second page stands on neither.
    let desk = Desk::open(move |heard| {
        let mut warehouse = inner.lock().expect("a warehouse");
        if heard.path == "/inbound_order/get_grn_list"
            && heard.json()["page"] == 2
            && !moved.swap(true, std::sync::atomic::Ordering::Relaxed)
        {
            let first = warehouse.inbounds.remove(0);
            warehouse.inbounds.push(first);
        }
        answer(&warehouse, heard)
    })
    .await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let mut config = config(&desk.url, &SECRETS);
    config.params.insert("history_days".to_owned(), "20".to_owned());
    house.pull(&config).await;
    let first = Books::of(&house).await.inbounds.len();
    assert_eq!(first, 149, "one row was between two pages");

    // The next pull reaches back three days and finds it, without anything having happened to it.
    house.clock.set("2026-01-23T00:00:00Z".parse().unwrap());
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(Books::of(&house).await.inbounds.len(), 150);
}

/// Batches and shelves of two days, a correction, two that cannot be sold, and the close.
#[tokio::test]
async fn r55_batches_and_shelves_of_goodcang_reconcile_to_the_line() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    let desk = open(&warehouse, 7).await;
    let house = House::new("2026-01-21T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    let sent = Sent {
        order: "SO-RV1",
        warehouse: "goodcang:UKMA",
        units: &[("A", 100)],
    };
    let shelf = |units: &str, kind: &str, at: &str| json!({"product_sku": "A", "quantity": units, "putaway_time": at, "inventory_type": kind});
    let days = [
        (
            ("2026-01-21", 9),
            vec![batch("60", "2026-01-20 09:38:59")],
            Vec::new(),
            "A 100: 60 received, 0 shelved, 0 damaged, receiving open",
        ),
        (
            ("2026-01-22", 9),
            vec![
                batch("60", "2026-01-20 09:38:59"),
                batch("41", "2026-01-21 15:00:00"),
                batch("-3", "2026-01-21 18:00:00"),
            ],
            vec![
                shelf("90", "1", "2026-01-21 20:00:00"),
                shelf("2", "2", "2026-01-21 20:00:00"),
            ],
            "A 100: 98 received, 90 shelved, 2 damaged, receiving open",
        ),
        (
            ("2026-01-24", 10),
            vec![
                batch("60", "2026-01-20 09:38:59"),
                batch("41", "2026-01-21 15:00:00"),
                batch("-3", "2026-01-21 18:00:00"),
            ],
            vec![
                shelf("90", "1", "2026-01-21 20:00:00"),
                shelf("2", "2", "2026-01-21 20:00:00"),
                shelf("6", "1", "2026-01-23 10:00:00"),
            ],
            "A 100: 98 received, 96 shelved, 2 damaged, closed short -2",
        ),
    ];
    for ((day, status), batches, shelved, wanted) in days {
        {
            let mut warehouse = warehouse.lock().unwrap();
            warehouse.stock = vec![row("A", "1")];
            warehouse.inbounds = vec![inbound("RV1", status, &format!("{day} 09:00:00"))];
            warehouse.batches = batches;
            warehouse.shelved = shelved;
        }
        at_the_end_of((&house, &config, &sent), &format!("{day}T02:00:00Z"), wanted).await;
    }
}
