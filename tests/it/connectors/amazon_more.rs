//! Amazon beyond the order report: orders by call, shipments to FBA, the ledger, AWD.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use linkstar::args;
use linkstar::connector::{ConnectorConfig, Definition};
use linkstar::store::facts::{self, DayCoverage, PullState};
use serde_json::{Value as Json, json};

use super::sandbox::awd;
use super::stage::{House, REPORTS, Reply, Stage, amazon, at, gzip, line, query, report_text, stream};

const SEARCH: &str = "/orders/2026-01-01/orders";
const SHIPMENTS: &str = "/fba/inbound/v0/shipments";

fn config(stage: &Stage, switches: &[&str]) -> ConnectorConfig {
    let mut config = amazon(stage);
    for switch in switches {
        config.params.insert((*switch).to_owned(), "yes".to_owned());
    }
    config
}

fn item(id: &str, sku: &str, units: u32) -> Json {
    json!({"orderItemId": id, "quantityOrdered": units, "product": {"sellerSku": sku}})
}

fn order(id: &str, updated: &str, status: &str, items: &[Json]) -> Json {
    json!({
        "orderId": id, "createdTime": "2026-03-31T10:00:00Z", "lastUpdatedTime": updated,
        "salesChannel": {"channelName": "AMAZON", "marketplaceName": "Amazon.co.uk"},
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "AMAZON"}, "orderItems": items,
    })
}

fn orders(orders: &[Json], next: Option<&str>) -> Json {
    json!({"orders": orders, "pagination": next.map_or_else(|| json!({}), |token| json!({"nextToken": token}))})
}

/// Units per SKU code of all sales days.
async fn sold(house: &House) -> BTreeMap<String, i64> {
    let mut tx = house.store.read().await.expect("a transaction");
    let day = |text: &str| text.parse().expect("a day");
    let history = facts::sales_history(&mut tx, &house.account, day("2020-01-01"), day("2030-01-01"));
    let mut sold = BTreeMap::new();
    for row in history.await.expect("history") {
        *sold.entry(row.sku_code).or_insert(0) += row.units;
    }
    sold
}

fn units(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    pairs
        .iter()
        .map(|(sku, units)| ((*sku).to_owned(), *units))
        .collect()
}

fn in_report(id: &str, updated: &str, sku: &str, count: i64) -> String {
    line(
        id,
        "2026-03-31T10:00:00+00:00",
        updated,
        "Shipped",
        "Amazon",
        sku,
        count,
    )
}

#[tokio::test]
async fn an_order_that_comes_by_report_and_by_call_counts_once_and_the_newer_state_wins() {
    let stage = Stage::open().await;
    let report = [
        in_report("1", "2026-03-31T11:00:00+00:00", "A", 2),
        in_report("1", "2026-03-31T11:00:00+00:00", "A", 3),
        in_report("2", "2026-03-31T11:00:00+00:00", "B", 4),
    ];
    stage
        .with_token()
        .with_report(&report_text(&report))
        .with_summaries(&[("A", 1)]);
    // The same state of the first, a newer one of the second, and one the report does not have yet.
    let by_call = [
        order(
            "1",
            "2026-03-31T11:00:00Z",
            "SHIPPED",
            &[item("11", "A", 2), item("12", "A", 3)],
        ),
        order("2", "2026-04-01T09:00:00Z", "CANCELLED", &[item("21", "B", 4)]),
        order("3", "2026-04-02T01:00:00Z", "UNSHIPPED", &[item("31", "C", 6)]),
    ];
    stage.json(SEARCH, orders(&by_call, None));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["recent_orders"]);
    for _ in 0..2 {
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        assert_eq!(sold(&house).await, units(&[("A", 5), ("C", 6)]));
    }
    let mut tx = house.store.read().await.unwrap();
    let lines = tx
        .rows(
            "SELECT fact_key FROM order_line WHERE account_id = $1 AND order_id = '1'",
            args![&house.account],
        )
        .await
        .unwrap();
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn the_call_is_asked_only_when_it_is_switched_on_and_a_switch_knows_two_words() {
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report(&report_text(&[]))
        .with_summaries(&[("A", 1)]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&amazon(&stage)).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert!(stage.asked(SEARCH).is_empty() && stage.asked(SHIPMENTS).is_empty());
    let names: Vec<&str> = report
        .streams
        .iter()
        .map(|stream| stream.stream.as_str())
        .collect();
    assert_eq!(names, ["orders", "stock"]);

    let mut config = amazon(&stage);
    config.params.insert("recent_orders".to_owned(), "on".to_owned());
    let report = house.pull(&config).await;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @"source amazon-uk, `stream.orders_recent.enabled`: found `on`, wanted yes or no, as `${param:recent_orders}`");
}

#[tokio::test]
async fn complaint_52592_the_call_ends_two_minutes_ago_and_asks_for_one_kind_of_time() {
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report(&report_text(&[]))
        .with_summaries(&[("A", 1)]);
    stage.json(SEARCH, orders(&[], None));
    let house = House::new("2026-04-02T02:00:00Z").await;
    house.pull(&config(&stage, &["recent_orders"])).await;
    let asked: Vec<BTreeMap<String, String>> = stage
        .asked(SEARCH)
        .iter()
        .map(|asked| query(&asked.query))
        .collect();
    let windows: Vec<(DateTime<Utc>, DateTime<Utc>)> = asked
        .iter()
        .map(|query| (at(&query["lastUpdatedAfter"]), at(&query["lastUpdatedBefore"])))
        .collect();
    // From midnight in London (summer time) two days ago, without holes, until three minutes ago.
    assert_eq!(windows.first().unwrap().0, at("2026-03-30T23:00:00Z"));
    assert!(
        windows.windows(2).all(|pair| pair[0].1 == pair[1].0),
        "{windows:?}"
    );
    assert_eq!(windows.last().unwrap().1, at("2026-04-02T01:57:00Z"));
    for query in &asked {
        assert!(!query.contains_key("createdAfter") && !query.contains_key("createdBefore"));
        assert_eq!(query["marketplaceIds"], "A1F83G8C2ARO7P");
    }
}

#[tokio::test]
async fn complaint_38467_days_in_japan_are_japanese_and_no_window_starts_in_the_future() {
    let stage = Stage::open().await;
    let line = "1\t2026-04-01T23:30:00+09:00\t2026-04-02T00:30:00+09:00\tShipped\tAmazon\tAmazon.co.jp\tA\tShipped\t2\n2\t2026-04-02T00:30:00+09:00\t2026-04-02T01:30:00+09:00\tShipped\tAmazon\tAmazon.co.jp\tA\tShipped\t5\n";
    let header = report_text(&[]);
    stage
        .with_token()
        .with_report(&format!("{header}{line}"))
        .with_summaries(&[("A", 1)]);
    stage.json(SEARCH, orders(&[], None));
    // Two in the morning in Tokyo, still the day before in UTC.
    let house = House::new("2026-04-01T17:00:00Z").await;
    let mut config = config(&stage, &["recent_orders"]);
    config
        .params
        .insert("marketplace_id".to_owned(), "A1VC38T7YXB528".to_owned());
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    for asked in stage.asked(SEARCH) {
        let query = query(&asked.query);
        assert!(at(&query["lastUpdatedAfter"]) < at(&query["lastUpdatedBefore"]));
        assert!(at(&query["lastUpdatedBefore"]) < at("2026-04-01T17:00:00Z"));
    }
    let mut tx = house.store.read().await.unwrap();
    let day = |text: &str| text.parse().unwrap();
    let history = facts::sales_history(&mut tx, &house.account, day("2026-03-01"), day("2026-05-01"))
        .await
        .unwrap();
    let days: Vec<(String, i64)> = history
        .iter()
        .map(|row| (row.day.to_string(), row.units))
        .collect();
    assert_eq!(days, [("2026-04-01".to_owned(), 2), ("2026-04-02".to_owned(), 5)]);
}

#[tokio::test]
async fn after_a_lost_week_the_call_starts_anew_and_the_report_has_the_days_between() {
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report(&report_text(&[]))
        .with_summaries(&[("A", 1)]);
    stage.json(SEARCH, orders(&[], None));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["recent_orders"]);
    house.pull(&config).await;
    let before = stage.asked(SEARCH).len();

    house.clock.set(at("2026-04-09T02:00:00Z"));
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let asked = stage.asked(SEARCH);
    assert_eq!(
        query(&asked[before].query)["lastUpdatedAfter"],
        "2026-04-06T23:00:00Z"
    );
    assert_eq!(asked.len() - before, 3);
    // The report looks back two days behind where it stood, and every day between is answered for.
    let last = stage.asked(REPORTS).last().unwrap().body.clone();
    assert!(
        last.contains(r#""dataStartTime":"2026-03-31T01:55:00Z""#),
        "{last}"
    );
    let mut tx = house.store.read().await.unwrap();
    let days = facts::covered_days(
        &mut tx,
        &house.account,
        &config.id,
        "2026-04-02".parse().unwrap(),
        "2026-04-08".parse().unwrap(),
    )
    .await
    .unwrap();
    assert!(
        days.len() == 7 && days.values().all(|day| *day == DayCoverage::Complete),
        "{days:?}"
    );
}

#[tokio::test]
async fn complaint_18958_and_59680_late_changes_are_asked_for_again_as_far_back_as_they_come() {
    let stage = Stage::open().await;
    // One document without rows for both reports: its head has the columns of both.
    let head = LEDGER.lines().next().unwrap();
    let both = format!("{}\t{head}\n", report_text(&[]).trim_end());
    stage.with_token().with_report(&both).with_summaries(&[("A", 1)]);
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["inbounds"]);
    house.pull(&config).await;
    let first = stage.asked(REPORTS).len();
    house.clock.set(at("2026-04-03T02:00:00Z"));
    house.pull(&config).await;
    let bodies: Vec<String> = stage.asked(REPORTS)[first..]
        .iter()
        .map(|asked| asked.body.clone())
        .collect();
    let starts = |kind: &str| bodies.iter().find(|body| body.contains(kind)).cloned().unwrap();
    // Orders: two days behind the last end. The ledger: two weeks.
    assert!(
        starts("ALL_ORDERS").contains(r#""dataStartTime":"2026-03-31T01:55:00Z""#),
        "{bodies:?}"
    );
    assert!(
        starts("LEDGER").contains(r#""dataStartTime":"2026-03-19T01:55:00Z""#),
        "{bodies:?}"
    );
    let shipments = query(&stage.asked(SHIPMENTS).last().unwrap().query);
    assert_eq!(shipments["LastUpdatedAfter"], "2026-03-30T01:55:00Z");
}

#[tokio::test]
async fn complaint_39566_an_order_that_is_told_twice_counts_once() {
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report(&report_text(&[]))
        .with_summaries(&[("A", 1)]);
    let twice = order("1", "2026-04-01T11:00:00Z", "SHIPPED", &[item("11", "A", 2)]);
    let newer = order("1", "2026-04-01T12:00:00Z", "SHIPPED", &[item("11", "A", 7)]);
    stage.json(SEARCH, orders(&[twice.clone(), twice.clone()], Some("t2")));
    stage.json(SEARCH, orders(&[newer, twice], None));
    stage.json(SEARCH, orders(&[], None));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config(&stage, &["recent_orders"])).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(sold(&house).await, units(&[("A", 7)]));
    let second = query(&stage.asked(SEARCH)[1].query);
    assert_eq!(
        (
            second["paginationToken"].as_str(),
            second.contains_key("lastUpdatedAfter")
        ),
        ("t2", true)
    );
}

#[tokio::test]
async fn complaints_54713_and_53140_pages_are_read_to_the_end_and_an_endless_token_ends() {
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report(&report_text(&[]))
        .with_summaries(&[("A", 1)]);
    // A page without orders in the middle is not the end.
    let one = |id: &str| order(id, "2026-04-01T11:00:00Z", "SHIPPED", &[item(id, "A", 1)]);
    stage.json(SEARCH, orders(&[one("1")], Some("t2")));
    stage.json(SEARCH, orders(&[], Some("t3")));
    stage.json(SEARCH, orders(&[one("2")], None));
    stage.json(SEARCH, orders(&[], None));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config(&stage, &["recent_orders"])).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(sold(&house).await, units(&[("A", 2)]));

    stage.clear();
    stage
        .with_token()
        .with_report(&report_text(&[]))
        .with_summaries(&[("A", 1)]);
    stage.json(SEARCH, orders(&[one("3")], Some("again")));
    let report = house.pull(&config(&stage, &["recent_orders"])).await;
    let recent = stream(&report, "orders_recent");
    assert_eq!(recent.state, PullState::Partial);
    assert!(
        recent.problem.as_ref().unwrap().contains("was given before"),
        "{recent:?}"
    );
}

#[tokio::test]
async fn shipments_to_fba_their_lines_and_the_second_page_as_another_kind_of_question() {
    let stage = Stage::open().await;
    stage.with_token().with_report(LEDGER).with_summaries(&[("A", 1)]);
    let shipment = |id: &str, status: &str| json!({"ShipmentId": id, "ShipmentName": format!("SO-{id}"), "ShipmentStatus": status});
    stage.json(
        SHIPMENTS,
        json!({"payload": {"ShipmentData": [shipment("FBA1", "RECEIVING")], "NextToken": "AA=="}}),
    );
    stage.json(
        SHIPMENTS,
        json!({"payload": {"ShipmentData": [shipment("FBA2", "CLOSED")]}}),
    );
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    let items = |received: u32| json!({"payload": {"ItemData": [{"SellerSKU": "A", "QuantityShipped": 100, "QuantityReceived": received}]}});
    stage.json(&format!("{SHIPMENTS}/FBA1/items"), items(60));
    stage.json(&format!("{SHIPMENTS}/FBA2/items"), items(98));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config(&stage, &["inbounds"])).await;
    assert_eq!(stream(&report, "inbound").state, PullState::Ok, "{report:?}");
    assert_eq!(stream(&report, "inbound_lines").rows, 2);
    let first = query(&stage.asked(SHIPMENTS)[0].query);
    assert_eq!(
        (
            first["QueryType"].as_str(),
            first.contains_key("LastUpdatedAfter")
        ),
        ("DATE_RANGE", true)
    );
    let second = query(&stage.asked(SHIPMENTS)[1].query);
    let expected = [
        ("MarketplaceId", "A1F83G8C2ARO7P"),
        ("NextToken", "AA=="),
        ("QueryType", "NEXT_TOKEN"),
    ];
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    assert_eq!(second, expected);
    let mut tx = house.store.read().await.unwrap();
    let rows = tx
        .rows("SELECT inbound_no, announced, put_away FROM inbound_line WHERE account_id = $1 ORDER BY inbound_no", args![&house.account])
        .await
        .unwrap();
    let lines: Vec<(String, i64, i64)> = rows
        .iter()
        .map(|row| {
            (
                row.get("inbound_no").unwrap(),
                row.get("announced").unwrap(),
                row.get("put_away").unwrap(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [("FBA1".to_owned(), 100, 60), ("FBA2".to_owned(), 100, 98)]
    );
}

const LEDGER: &str = "Date\tFNSKU\tASIN\tMSKU\tTitle\tEvent Type\tReference ID\tQuantity\tFulfillment Center\tDisposition\tReason\tCountry\tReconciled Quantity\tUnreconciled Quantity\tDate and Time\n\
03/20/2026\tX1\tB1\tA\tCaf\u{e9}\tReceipts\tFBA1\t60\tLTN4\tSELLABLE\t\tGB\t60\t0\t2026-03-20T00:00:00+0000\n\
03/20/2026\tX1\tB1\tA\tCaf\u{e9}\tReceipts\tFBA1\t60\tLTN4\tSELLABLE\t\tGB\t60\t0\t2026-03-20T00:00:00+0000\n\
03/21/2026\tX1\tB1\tA\tCaf\u{e9}\tReceipts\tFBA1\t3\tLTN4\tDEFECTIVE\t\tGB\t3\t0\t2026-03-21T00:00:00+0000\n\
03/21/2026\tX1\tB1\tA\tCaf\u{e9}\tCustomerReturns\tR1\t1\tLTN4\tSELLABLE\t\tGB\t1\t0\t2026-03-21T00:00:00+0000\n";

async fn receipts(house: &House) -> BTreeMap<String, i64> {
    let mut tx = house.store.read().await.expect("a transaction");
    let rows = tx
        .rows(
            "SELECT kind, units FROM receipt_event WHERE account_id = $1",
            args![&house.account],
        )
        .await
        .expect("receipts");
    let mut sums = BTreeMap::new();
    for row in &rows {
        let kind: String = row.get("kind").expect("a kind");
        *sums.entry(kind).or_insert(0) += row.get::<i64>("units").expect("units");
    }
    sums
}

#[tokio::test]
async fn receipts_of_the_ledger_count_once_however_often_they_are_told() {
    let stage = Stage::open().await;
    // As Amazon writes it: in Latin-1.
    let latin: Vec<u8> = LEDGER
        .chars()
        .map(|sign| u8::try_from(u32::from(sign)).expect("Latin-1"))
        .collect();
    stage.with_token().with_summaries(&[("A", 1)]);
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    stage.on(REPORTS, Reply::Json(202, json!({"reportId": "R1"})));
    stage.json(
        &format!("{REPORTS}/R1"),
        json!({"processingStatus": "DONE", "reportId": "R1", "reportDocumentId": "D1"}),
    );
    stage.json(
        "/reports/2021-06-30/documents/D1",
        json!({"reportDocumentId": "D1", "url": format!("{}/doc/D1", stage.url)}),
    );
    stage.on("/doc/D1", Reply::Bytes(latin));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["inbounds"]);
    let expected = BTreeMap::from([
        ("damaged".to_owned(), 3),
        ("put_away".to_owned(), 120),
        ("received".to_owned(), 123),
    ]);
    for night in ["2026-04-02T02:00:00Z", "2026-04-03T02:00:00Z"] {
        house.clock.set(at(night));
        let report = house.pull(&config).await;
        let ledger = stream(&report, "receipts");
        assert_eq!((ledger.state, ledger.skipped), (PullState::Ok, 1), "{ledger:?}");
        assert_eq!(receipts(&house).await, expected);
    }
}

#[tokio::test]
async fn complaints_1641_and_2004_a_report_is_not_asked_for_sooner_than_its_kind_allows() {
    let stage = Stage::open().await;
    stage.with_token().with_report(LEDGER).with_summaries(&[("A", 1)]);
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["inbounds"]);
    let ledgers = || {
        stage
            .asked(REPORTS)
            .iter()
            .filter(|asked| asked.body.contains("LEDGER"))
            .count()
    };
    house.pull(&config).await;
    assert_eq!(ledgers(), 1);
    house.clock.set(at("2026-04-02T05:59:00Z"));
    let report = house.pull(&config).await;
    assert_eq!(ledgers(), 1);
    let warnings = &stream(&report, "receipts").warnings;
    assert!(
        warnings
            .keys()
            .any(|text| text.starts_with("not asked for: at most once every 240 minutes")),
        "{warnings:?}"
    );
    house.clock.set(at("2026-04-02T06:01:00Z"));
    house.pull(&config).await;
    assert_eq!(ledgers(), 2);
}

#[tokio::test]
async fn complaint_33779_headers_in_another_language_are_named_and_an_alias_reads_them() {
    let german = LEDGER
        .replace("Event Type", "Ereignistyp")
        .replace("Reference ID", "Referenz-ID");
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report(&german)
        .with_summaries(&[("A", 1)]);
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let mut config = config(&stage, &["inbounds"]);
    let report = house.pull(&config).await;
    let problem = stream(&report, "receipts").problem.clone().unwrap();
    assert!(
        problem.contains("required column `ReferenceID` is missing"),
        "{problem}"
    );
    assert_eq!(receipts(&house).await, BTreeMap::new());

    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors/amazon-sp-api.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let text = text
        .replace(
            r#"EventType = ["Event Type"]"#,
            r#"EventType = ["Event Type", "Ereignistyp"]"#,
        )
        .replace(
            r#"ReferenceID = ["Reference ID"]"#,
            r#"ReferenceID = ["Reference ID", "Referenz-ID"]"#,
        );
    config.definition =
        std::sync::Arc::new(Definition::parse("own.toml", &text).unwrap_or_else(|error| panic!("{error}")));
    house.clock.set(at("2026-04-02T08:00:00Z"));
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "receipts").state, PullState::Ok, "{report:?}");
    assert_eq!(receipts(&house).await["received"], 123);
}

/// The address of a document lives five minutes. It is told and fetched in one breath, and told anew when it is dead.
#[tokio::test]
async fn complaint_presigned_addresses_that_died_are_told_anew() {
    let stage = Stage::open().await;
    stage.with_token().with_summaries(&[("A", 1)]);
    stage.on(REPORTS, Reply::Json(202, json!({"reportId": "R1"})));
    stage.json(
        &format!("{REPORTS}/R1"),
        json!({"processingStatus": "DONE", "reportId": "R1", "reportDocumentId": "D1"}),
    );
    let document = "/reports/2021-06-30/documents/D1";
    let told = |name: &str| json!({"reportDocumentId": "D1", "url": format!("{}/doc/{name}", stage.url), "compressionAlgorithm": "GZIP"});
    stage.json(document, told("old"));
    stage.json(document, told("new"));
    // Storage answers with XML and 403 once five minutes are over.
    stage.on(
        "/doc/old",
        Reply::With(403, Vec::new(), json!("Request has expired")),
    );
    let text = report_text(&[in_report("1", "2026-03-31T11:00:00+00:00", "A", 2)]);
    stage.on("/doc/new", Reply::Bytes(gzip(&text)));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = amazon(&stage);
    // What was told is never kept: the pull after one that met a dead address asks for a living one.
    for _ in 0..2 {
        let report = house.pull(&config).await;
        if stream(&report, "orders").state == PullState::Ok {
            break;
        }
    }
    assert_eq!(sold(&house).await, units(&[("A", 2)]));
    // The report itself is not made again; the second pull only looks back two days, as every pull does.
    let asked = stage.asked(REPORTS);
    assert!(
        asked[0]
            .body
            .contains(r#""dataStartTime":"2026-03-13T00:00:00Z""#),
        "{asked:?}"
    );
    assert!(
        asked[1..]
            .iter()
            .all(|asked| asked.body.contains(r#""dataStartTime":"2026-03-31T01:55:00Z""#)),
        "{asked:?}"
    );
    assert_eq!(
        (stage.asked("/doc/old").len(), stage.asked("/doc/new").len()),
        (1, asked.len())
    );
    assert!(
        !stage.asked("/doc/new")[0]
            .headers
            .contains_key("x-amz-access-token")
    );
}

/// `getReports` refuses a token that does not come alone.
#[tokio::test]
async fn the_token_of_get_reports_goes_alone() {
    let stage = Stage::open().await;
    stage.with_token();
    let report = |id: &str| json!({"reportId": id, "processingStatus": "DONE"});
    stage.json(
        REPORTS,
        json!({"reports": [report("R1")], "nextToken": "VGhp/cw=="}),
    );
    stage.json(REPORTS, json!({"reports": [report("R2")]}));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors/amazon-sp-api.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let head = text
        .split("# Orders changed in a window.")
        .next()
        .unwrap()
        .replace("doctor = \"stock\"", "doctor = \"made\"");
    let text = format!(
        "{head}\n[stream.made]\nrecord = \"inbound\"\nsnapshot = \"partial\"\nrequest = {{ method = \"GET\", path = \"{REPORTS}\", query = {{ reportTypes = \"GET_LEDGER_DETAIL_VIEW_DATA\", pageSize = \"100\" }} }}\npage = {{ kind = \"token\", next = \"nextToken\", query = \"nextToken\", alone = true }}\nrows = \"reports[]\"\n[stream.made.map]\ninbound_no = \"reportId\"\nwarehouse = \"'Amazon'\"\nstate = \"processingStatus\"\nclosed = \"'no'\"\n"
    );
    let mut config = amazon(&stage);
    config.definition = std::sync::Arc::new(
        Definition::parse("reports.toml", &text).unwrap_or_else(|error| panic!("{error}")),
    );
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "made").rows, 2, "{report:?}");
    let asked = stage.asked(REPORTS);
    assert_eq!(query(&asked[0].query).len(), 2);
    assert_eq!(asked[1].query, "nextToken=VGhp%2Fcw%3D%3D");
}

#[tokio::test]
async fn awd_tells_stock_announced_and_received_and_a_running_total_counts_once() {
    let stage = Stage::open().await;
    stage.with_token();
    let stock = |sku: &str, free: u32| json!({"sku": sku, "totalOnhandQuantity": free, "totalInboundQuantity": 5, "inventoryDetails": {"availableDistributableQuantity": free, "reservedDistributableQuantity": 0}});
    stage.json(
        "/awd/2024-05-09/inventory",
        json!({"inventory": [stock("A", 100)], "nextToken": "t2"}),
    );
    stage.json("/awd/2024-05-09/inventory", json!({"inventory": [stock("B", 7)]}));
    let list = json!({"shipments": [{"orderId": "AO-1", "shipmentId": "AS-1", "externalReferenceId": "SO-1", "shipmentStatus": "RECEIVING", "updatedAt": "2026-03-31T10:00:00Z"}]});
    stage.json("/awd/2024-05-09/inboundShipments", list);
    let shipment = |received: u32| json!({"orderId": "AO-1", "shipmentId": "AS-1", "shipmentStatus": "RECEIVING", "shipmentSkuQuantities": [{"sku": "A", "expectedQuantity": {"quantity": 200, "unitOfMeasurement": "PRODUCT_UNITS"}, "receivedQuantity": {"quantity": received, "unitOfMeasurement": "PRODUCT_UNITS"}}]});
    stage.json("/awd/2024-05-09/inboundShipments/AS-1", shipment(120));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = awd(&stage);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(stream(&report, "stock").rows, 2);
    let second = &stage.asked("/awd/2024-05-09/inventory")[1].query;
    assert!(
        second.contains("nextToken=t2") && second.contains("details=SHOW"),
        "{second}"
    );
    let counted =
        |units: i64| BTreeMap::from([("put_away".to_owned(), units), ("received".to_owned(), units)]);
    assert_eq!(receipts(&house).await, counted(120));

    stage.clear();
    stage.with_token();
    stage.json(
        "/awd/2024-05-09/inventory",
        json!({"inventory": [stock("A", 100), stock("B", 7)]}),
    );
    stage.json(
        "/awd/2024-05-09/inboundShipments",
        json!({"shipments": [{"orderId": "AO-1", "shipmentId": "AS-1", "shipmentStatus": "CLOSED"}]}),
    );
    stage.json("/awd/2024-05-09/inboundShipments/AS-1", shipment(180));
    for night in ["2026-04-03T02:00:00Z", "2026-04-04T02:00:00Z"] {
        house.clock.set(at(night));
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        assert_eq!(receipts(&house).await, counted(180));
    }
}
