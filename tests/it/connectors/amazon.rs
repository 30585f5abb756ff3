//! Amazon: orders by report, sales days, FBA stock.

use chrono::NaiveDate;
use linkstar::connector::{Definition, run_tests};
use linkstar::store::facts::{self, DayCoverage, PullState};

use super::stage::{
    House, REPORTS, Reply, SUMMARIES, Stage, TOKEN, amazon, line, report_text, stream, summaries,
};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

async fn sold(house: &House) -> Vec<(String, String, String, i64)> {
    let mut tx = house.store.read().await.expect("a transaction");
    facts::sales_history(&mut tx, &house.account, day("2020-01-01"), day("2030-01-01"))
        .await
        .expect("history")
        .into_iter()
        .flat_map(|series| {
            let (fulfilment, code) = (series.fulfilment, series.sku_code);
            series
                .days
                .into_iter()
                .map(move |(day, units)| (day.to_string(), fulfilment.clone(), code.clone(), units))
        })
        .collect()
}

fn row(day: &str, fulfilment: &str, sku: &str, units: i64) -> (String, String, String, i64) {
    (day.to_owned(), fulfilment.to_owned(), sku.to_owned(), units)
}

#[test]
fn the_shipped_connector_files_pass_their_own_tests() {
    for (name, text) in linkstar::night::tools::CONNECTORS {
        let file = Definition::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(*name, file.file.name, "the file is called as the connector");
        let tests = run_tests(&file).unwrap_or_else(|failures| panic!("{name}: {failures:#?}"));
        assert!(tests >= 2, "{name}");
    }
}

#[test]
fn the_worked_example_of_the_docs_holds() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/connectors.md");
    let docs = std::fs::read_to_string(docs).expect("docs/connectors.md");
    let example = docs
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("an example");
    let definition =
        Definition::parse("docs/connectors.md", example).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run_tests(&definition), Ok(1));
    // A test of a file can fail: with another expectation it says what differs.
    let wrong = example.replace("available = \"12\"", "available = \"13\"");
    let definition = Definition::parse("docs/connectors.md", &wrong).expect("still a good file");
    let failures = run_tests(&definition).expect_err("a difference");
    assert_eq!(
        failures[0].to_string(),
        "test `a bucket that is absent is unknown` failed: row 1, `available`: expected `13`, got `12`"
    );
}

#[tokio::test]
async fn r8_orders_become_sales_days_and_a_second_pull_of_the_same_window_changes_nothing() {
    let stage = Stage::open().await;
    let text = report_text(&[
        // 23:30 in London on 28 March, the night before the clocks go forward; and the night they go back.
        line(
            "1",
            "2026-03-28T23:30:00+00:00",
            "2026-03-29T09:00:00+00:00",
            "Shipped",
            "Amazon",
            "A",
            2,
        ),
        line(
            "2",
            "2026-03-29T22:30:00+00:00",
            "2026-03-30T09:00:00+00:00",
            "Shipped",
            "Amazon",
            "A",
            3,
        ),
        line(
            "3",
            "2026-03-29T23:30:00+00:00",
            "2026-03-30T09:00:00+00:00",
            "Shipped",
            "Merchant",
            "A",
            5,
        ),
        line(
            "4",
            "2026-03-30T10:00:00+00:00",
            "2026-03-30T10:00:00+00:00",
            "Pending",
            "Amazon",
            "B",
            1,
        ),
        line(
            "4",
            "2026-03-30T10:00:00+00:00",
            "2026-03-30T10:00:00+00:00",
            "Pending",
            "Amazon",
            "B",
            1,
        ),
    ]);
    stage.with_token().with_report(&text).with_summaries(&[("A", 10)]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = amazon(&stage);
    let expected = vec![
        row("2026-03-28", "Amazon", "A", 2),
        row("2026-03-29", "Amazon", "A", 3),
        row("2026-03-30", "Amazon", "B", 2),
        row("2026-03-30", "Merchant", "A", 5),
    ];
    for _ in 0..2 {
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        let mut found = sold(&house).await;
        found.sort();
        assert_eq!(found, expected);
    }
    let asked = stage.asked(REPORTS);
    assert!(
        asked[0].body.contains(r#""marketplaceIds":["A1F83G8C2ARO7P"]"#),
        "{}",
        asked[0].body
    );
    assert!(
        asked[0]
            .body
            .contains(r#""dataStartTime":"2026-03-13T00:00:00Z""#),
        "{}",
        asked[0].body
    );
    assert_eq!(asked[0].headers["x-amz-access-token"], "token-1");
    // The document's address is not Amazon's API: it gets no token.
    assert!(
        !stage.asked("/doc/D1")[0]
            .headers
            .contains_key("x-amz-access-token")
    );
    assert_eq!(stage.asked(TOKEN).len(), 1);
    assert!(stage.asked(TOKEN)[0].body.contains("grant_type=refresh_token"));
}

#[tokio::test]
async fn r8_the_autumn_night_counts_both_hours_for_one_day() {
    let stage = Stage::open().await;
    // 2026-10-25 in London has 25 hours: 00:30 and 01:30 UTC are both 01:30 there.
    let text = report_text(&[
        line(
            "1",
            "2026-10-25T00:30:00+00:00",
            "2026-10-25T09:00:00+00:00",
            "Shipped",
            "Amazon",
            "A",
            1,
        ),
        line(
            "2",
            "2026-10-25T01:30:00+00:00",
            "2026-10-25T09:00:00+00:00",
            "Shipped",
            "Amazon",
            "A",
            1,
        ),
        line(
            "3",
            "2026-10-25T23:59:59+00:00",
            "2026-10-26T09:00:00+00:00",
            "Shipped",
            "Amazon",
            "A",
            1,
        ),
        line(
            "4",
            "2026-10-24T22:59:59+00:00",
            "2026-10-25T09:00:00+00:00",
            "Shipped",
            "Amazon",
            "A",
            1,
        ),
    ]);
    stage.with_token().with_report(&text).with_summaries(&[("A", 10)]);
    let house = House::new("2026-10-27T02:00:00Z").await;
    house.pull(&amazon(&stage)).await;
    let expected = vec![
        row("2026-10-24", "Amazon", "A", 1),
        row("2026-10-25", "Amazon", "A", 3),
    ];
    assert_eq!(sold(&house).await, expected);
}

#[tokio::test]
async fn r8_a_late_cancellation_reduces_the_day_the_order_was_placed_on() {
    let stage = Stage::open().await;
    let ordered = "2026-03-20T10:00:00+00:00";
    let before = [
        line(
            "1",
            ordered,
            "2026-03-20T11:00:00+00:00",
            "Shipped",
            "Amazon",
            "A",
            4,
        ),
        line(
            "2",
            ordered,
            "2026-03-20T11:00:00+00:00",
            "Unshipped",
            "Amazon",
            "A",
            3,
        ),
    ];
    stage
        .with_token()
        .with_report(&report_text(&before))
        .with_summaries(&[("A", 10)]);
    let house = House::new("2026-03-21T02:00:00Z").await;
    let config = amazon(&stage);
    house.pull(&config).await;
    assert_eq!(sold(&house).await, [row("2026-03-20", "Amazon", "A", 7)]);

    stage.clear();
    let cancelled = line(
        "2",
        ordered,
        "2026-03-22T08:00:00+00:00",
        "Cancelled",
        "Amazon",
        "A",
        3,
    );
    stage
        .with_token()
        .with_report(&report_text(&[cancelled]))
        .with_summaries(&[("A", 10)]);
    house.clock.set("2026-03-23T02:00:00Z".parse().unwrap());
    house.pull(&config).await;
    assert_eq!(sold(&house).await, [row("2026-03-20", "Amazon", "A", 4)]);

    // An older state that comes late does not bring it back.
    stage.clear();
    stage
        .with_token()
        .with_report(&report_text(&before))
        .with_summaries(&[("A", 10)]);
    house.pull(&config).await;
    assert_eq!(sold(&house).await, [row("2026-03-20", "Amazon", "A", 4)]);
}

#[tokio::test]
async fn r8_a_day_nobody_answered_for_is_a_gap_and_not_a_day_without_sales() {
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report(&report_text(&[]))
        .with_summaries(&[("A", 10)]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = amazon(&stage);
    house.pull(&config).await;
    let mut tx = house.store.read().await.unwrap();
    let days = facts::covered_days(
        &mut tx,
        &house.account,
        &config.id,
        day("2026-03-01"),
        day("2026-04-10"),
    )
    .await
    .unwrap();
    assert_eq!(
        days.first_key_value(),
        Some((&day("2026-03-13"), &DayCoverage::Complete))
    );
    assert_eq!(days.get(&day("2026-04-01")), Some(&DayCoverage::Complete));
    assert_eq!(days.get(&day("2026-04-02")), Some(&DayCoverage::Partial));
    assert_eq!(days.get(&day("2026-04-03")), None);
}

#[tokio::test]
async fn r8_complaint_1329_a_cancelled_report_leaves_a_gap_that_is_asked_for_again() {
    let stage = Stage::open().await;
    stage.with_token().with_summaries(&[("A", 10)]);
    stage.on(REPORTS, Reply::Json(202, serde_json::json!({"reportId": "R1"})));
    stage.json(
        &format!("{REPORTS}/R1"),
        serde_json::json!({"processingStatus": "CANCELLED", "reportId": "R1"}),
    );
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = amazon(&stage);
    let report = house.pull(&config).await;
    let orders = stream(&report, "orders");
    assert_eq!(orders.state, PullState::Partial);
    assert!(
        orders.problem.as_ref().unwrap().contains("is a gap"),
        "{:?}",
        orders.problem
    );
    let first = stage.asked(REPORTS)[0].body.clone();

    stage.clear();
    let lines = [line(
        "1",
        "2026-03-20T10:00:00+00:00",
        "2026-03-20T11:00:00+00:00",
        "Shipped",
        "Amazon",
        "A",
        4,
    )];
    stage
        .with_token()
        .with_report(&report_text(&lines))
        .with_summaries(&[("A", 10)]);
    let mut tx = house.store.read().await.unwrap();
    let now = "2026-04-02T02:00:00Z".parse().unwrap();
    let states = facts::source_states(&mut tx, &house.account, now).await.unwrap();
    let gaps: Vec<(&str, usize)> = states
        .iter()
        .map(|state| (state.stream.as_str(), state.missing_days.len()))
        .collect();
    assert_eq!(gaps, [("orders", 20), ("stock", 0)]);
    drop(tx);
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "orders").state, PullState::Ok, "{report:?}");
    assert_eq!(stage.asked(REPORTS)[1].body, first);
    let mut tx = house.store.read().await.unwrap();
    let days = facts::covered_days(
        &mut tx,
        &house.account,
        &config.id,
        day("2026-03-13"),
        day("2026-04-01"),
    )
    .await
    .unwrap();
    assert!(
        days.len() == 20 && days.values().all(|day| *day == DayCoverage::Complete),
        "{days:?}"
    );
}

#[tokio::test]
async fn r8_complaint_82_a_fatal_report_tells_why_and_is_not_asked_about_again() {
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report("{\"errorDetails\":\"dates out of range\"}")
        .with_summaries(&[("A", 10)]);
    let fatal = serde_json::json!({"processingStatus": "FATAL", "reportId": "R1", "reportDocumentId": "D1"});
    stage.clear();
    stage.with_token().with_summaries(&[("A", 10)]);
    stage.on(REPORTS, Reply::Json(202, serde_json::json!({"reportId": "R1"})));
    stage.json(&format!("{REPORTS}/R1"), fatal);
    stage.json(
        "/reports/2021-06-30/documents/D1",
        serde_json::json!({"reportDocumentId": "D1", "url": format!("{}/doc/D1", stage.url)}),
    );
    stage.on(
        "/doc/D1",
        Reply::Bytes(b"{\"errorDetails\":\"dates out of range\"}".to_vec()),
    );
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = amazon(&stage);
    let report = house.pull(&config).await;
    let orders = stream(&report, "orders");
    assert_eq!(orders.state, PullState::Failed);
    assert!(
        orders.problem.as_ref().unwrap().contains("dates out of range"),
        "{:?}",
        orders.problem
    );
    assert_eq!(stream(&report, "stock").state, PullState::Ok);
    house.pull(&config).await;
    assert_eq!(stage.asked(REPORTS).len(), 2, "a new report is asked for");
}

#[tokio::test]
async fn a_report_that_was_asked_for_before_a_crash_is_read_and_not_asked_for_again() {
    let stage = Stage::open().await;
    stage.with_token().with_summaries(&[("A", 10)]);
    stage.on(REPORTS, Reply::Json(202, serde_json::json!({"reportId": "R1"})));
    // The process ends while the report is under way: here, the poll fails for good.
    stage.on(
        &format!("{REPORTS}/R1"),
        Reply::Json(403, serde_json::json!({"errors": [{"message": "no"}]})),
    );
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = amazon(&stage);
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "orders").state, PullState::Failed);

    stage.clear();
    let lines = [line(
        "1",
        "2026-03-20T10:00:00+00:00",
        "2026-03-20T11:00:00+00:00",
        "Shipped",
        "Amazon",
        "A",
        4,
    )];
    stage
        .with_token()
        .with_report(&report_text(&lines))
        .with_summaries(&[("A", 10)]);
    house.clock.set("2026-04-02T02:05:00Z".parse().unwrap());
    house.pull(&config).await;
    assert_eq!(sold(&house).await, [row("2026-03-20", "Amazon", "A", 4)]);
    // One for the first window before the crash, one for the few minutes since.
    let bodies: Vec<String> = stage.asked(REPORTS).into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies.len(), 2);
    assert_ne!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn r9_fba_stock_comes_in_pages_and_tells_buckets_that_do_not_add_up() {
    let stage = Stage::open().await;
    stage.with_token().with_report(&report_text(&[]));
    stage.json(SUMMARIES, summaries(&[("A", 10), ("B", -2)], Some("next")));
    stage.json(
        SUMMARIES,
        serde_json::json!({"payload": {"inventorySummaries": [
            {"sellerSku": "C", "totalQuantity": 9, "inventoryDetails": {"fulfillableQuantity": 8,
                "reservedQuantity": {"pendingCustomerOrderQuantity": 0, "pendingTransshipmentQuantity": 0, "fcProcessingQuantity": 0}}}
        ]}, "pagination": {}}),
    );
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&amazon(&stage)).await;
    let stock = stream(&report, "stock");
    assert_eq!((stock.state, stock.pages, stock.rows), (PullState::Ok, 2, 3));
    let warnings: Vec<&str> = stock.warnings.keys().map(String::as_str).collect();
    assert_eq!(
        warnings,
        [
            "SKU `B` has a negative quantity",
            "SKU `C`: the buckets add up to 8, the source says 9"
        ]
    );
    assert!(stage.asked(SUMMARIES)[1].query.contains("nextToken=next"));
    let mut tx = house.store.read().await.unwrap();
    let views = facts::latest_stock(&mut tx, &house.account).await.unwrap();
    assert_eq!(views.len(), 1);
    assert_eq!(views[0].warehouse.as_str(), "amazon:GB");
    let buckets: Vec<_> = views[0]
        .rows
        .iter()
        .map(|row| (row.buckets.available, row.buckets.reserved))
        .collect();
    // Reserved did not come for A and B: unknown, not zero.
    assert_eq!(buckets, [(Some(10), None), (Some(-2), None), (Some(8), Some(0))]);
}
