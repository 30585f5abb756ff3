//! Amazon: orders by call, beside the order report.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use linkstar::args;
use linkstar::connector::ConnectorConfig;
use linkstar::store::facts::{self, DayCoverage, PullState};
use serde_json::{Value as Json, json};

use super::stage::{
    House, REPORTS, Stage, amazon, at, line, query, report_text, sold, sold_days, stream, units,
};

const SEARCH: &str = "/orders/2026-01-01/orders";
const SHIPMENTS: &str = "/fba/inbound/v0/shipments";

pub fn config(stage: &Stage, switches: &[&str]) -> ConnectorConfig {
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

pub fn in_report(id: &str, updated: &str, sku: &str, count: i64) -> String {
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

/// The report has no key of its own: two lines that say the same are two lines, in every pull.
#[tokio::test]
async fn complaint_47702_two_lines_alike_are_two_lines_and_stay_two() {
    let stage = Stage::open().await;
    let line = in_report("1", "2026-03-31T11:00:00+00:00", "A", 2);
    stage
        .with_token()
        .with_report(&report_text(&[line.clone(), line]))
        .with_summaries(&[("A", 1)]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = amazon(&stage);
    for _ in 0..2 {
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        assert_eq!(sold(&house).await, units(&[("A", 4)]));
    }
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
    let row = |day: &str, units: i64| (day.to_owned(), "Amazon".to_owned(), "A".to_owned(), units);
    assert_eq!(
        sold_days(&house).await,
        [row("2026-04-01", 2), row("2026-04-02", 5)]
    );
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
