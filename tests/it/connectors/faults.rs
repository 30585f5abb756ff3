//! What servers do wrong, and what becomes of it.

use std::time::Duration;

use linkstar::store::facts::{self, PullState, StreamNote};
use serde_json::{Value as Json, json};

use super::stage::{
    HEADER, House, REPORTS, Reply, SUMMARIES, Stage, TOKEN, amazon, line, report_text, stream, summaries,
};

fn error(message: &str) -> Json {
    json!({"errors": [{"code": "X", "message": message, "details": ""}]})
}

fn orders() -> String {
    report_text(&[line(
        "1",
        "2026-03-20T10:00:00+00:00",
        "2026-03-20T11:00:00+00:00",
        "Shipped",
        "Amazon",
        "A",
        4,
    )])
}

async fn house() -> House {
    House::new("2026-04-02T02:00:00Z").await
}

#[tokio::test]
async fn r4_a_token_that_expires_between_two_pages_is_refreshed_once_and_the_same_page_is_asked_again() {
    let stage = Stage::open().await;
    stage.with_report(&orders());
    for token in ["token-1", "token-2"] {
        stage.json(TOKEN, json!({"access_token": token, "expires_in": 3600}));
    }
    stage.json(SUMMARIES, summaries(&[("A", 1)], Some("next")));
    stage.on(
        SUMMARIES,
        Reply::Json(
            403,
            error("Access to requested resource is denied. The access token you provided has expired."),
        ),
    );
    stage.json(SUMMARIES, summaries(&[("B", 2)], None));
    let house = house().await;
    let report = house.pull(&amazon(&stage)).await;
    let stock = stream(&report, "stock");
    assert_eq!((stock.state, stock.rows), (PullState::Ok, 2), "{report:?}");
    let asked = stage.asked(SUMMARIES);
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[1].query, asked[2].query);
    assert_eq!(asked[2].headers["x-amz-access-token"], "token-2");
    assert_eq!(stage.asked(TOKEN).len(), 2);
}

#[tokio::test]
async fn r4_two_streams_that_meet_the_same_expired_token_refresh_it_once() {
    let stage = Stage::open().await;
    for token in ["token-1", "token-2", "token-3"] {
        stage.json(TOKEN, json!({"access_token": token, "expires_in": 3600}));
    }
    let created = json!({"reportId": "R1"});
    stage.on(REPORTS, Reply::ForToken("token-2", 202, created.clone()));
    stage.on(REPORTS, Reply::ForToken("token-2", 202, created));
    stage.on(
        SUMMARIES,
        Reply::ForToken("token-2", 200, summaries(&[("A", 1)], None)),
    );
    stage.with_report(&orders());
    let report = house().await.pull(&amazon(&stage)).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(stage.asked(TOKEN).len(), 2);
}

#[tokio::test]
async fn a_token_that_stays_expired_is_not_refreshed_for_ever() {
    let stage = Stage::open().await;
    stage.with_token().with_report(&orders());
    stage.on(
        SUMMARIES,
        Reply::Json(403, error("The access token you provided has expired.")),
    );
    let report = house().await.pull(&amazon(&stage)).await;
    assert!(
        stream(&report, "stock")
            .problem
            .as_ref()
            .unwrap()
            .contains("expired:"),
        "{report:?}"
    );
    assert_eq!(stage.asked(SUMMARIES).len(), 3);
}

#[tokio::test]
async fn http_429_is_waited_for_with_and_without_retry_after_and_a_header_that_is_no_number() {
    let stage = Stage::open().await;
    stage.with_token().with_report(&orders());
    let quota = || error("You exceeded your quota for the requested resource.");
    stage.on(
        SUMMARIES,
        Reply::With(429, vec![("retry-after", "2".to_owned())], quota()),
    );
    stage.on(
        SUMMARIES,
        Reply::With(
            429,
            vec![("x-amzn-RateLimit-Limit", "string".to_owned())],
            quota(),
        ),
    );
    stage.on(
        SUMMARIES,
        Reply::With(429, vec![("x-amzn-RateLimit-Limit", "0.5".to_owned())], quota()),
    );
    stage.on(SUMMARIES, Reply::Json(503, error("try later")));
    stage.json(SUMMARIES, summaries(&[("A", 1)], None));
    let report = house().await.pull(&amazon(&stage)).await;
    assert_eq!(stream(&report, "stock").state, PullState::Ok, "{report:?}");
    assert_eq!(stage.asked(SUMMARIES).len(), 5);
}

#[tokio::test]
async fn a_wait_that_is_too_long_ends_the_stream_with_its_reason() {
    let stage = Stage::open().await;
    stage.with_token().with_report(&orders());
    stage.on(
        SUMMARIES,
        Reply::With(429, vec![("retry-after", "86400".to_owned())], error("quota")),
    );
    let report = house().await.pull(&amazon(&stage)).await;
    let problem = stream(&report, "stock").problem.clone().unwrap();
    assert!(
        problem.contains("throttled") && problem.contains("86400 s"),
        "{problem}"
    );
    assert_eq!(stage.asked(SUMMARIES).len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_body_is_tried_again() {
    let stage = Stage::open().await;
    stage.with_token().with_report(&orders());
    stage.on(
        SUMMARIES,
        Reply::CutOff(b"{\"payload\": {\"inventorySummaries\": [".to_vec()),
    );
    stage.json(SUMMARIES, summaries(&[("A", 1)], None));
    let report = house().await.pull(&amazon(&stage)).await;
    assert_eq!(stream(&report, "stock").state, PullState::Ok, "{report:?}");
}

#[tokio::test]
async fn a_truncated_gzip_is_fetched_again_and_never_half_taken() {
    let stage = Stage::open().await;
    let whole = super::stage::gzip(&orders());
    stage.on("/doc/D1", Reply::Bytes(whole[..whole.len() - 10].to_vec()));
    stage
        .with_token()
        .with_report(&orders())
        .with_summaries(&[("A", 1)]);
    let house = house().await;
    let report = house.pull(&amazon(&stage)).await;
    assert_eq!(
        (stream(&report, "orders").state, stream(&report, "orders").rows),
        (PullState::Ok, 1),
        "{report:?}"
    );
    assert_eq!(stage.asked("/doc/D1").len(), 2);

    let broken = Stage::open().await;
    broken.on("/doc/D1", Reply::Bytes(whole[..whole.len() - 10].to_vec()));
    broken
        .with_token()
        .with_report(&orders())
        .with_summaries(&[("A", 1)]);
    broken.clear();
    broken.with_token().with_summaries(&[("A", 1)]);
    broken.on(REPORTS, Reply::Json(202, json!({"reportId": "R1"})));
    broken.json(
        &format!("{REPORTS}/R1"),
        json!({"processingStatus": "DONE", "reportDocumentId": "D1"}),
    );
    broken.json(
        "/reports/2021-06-30/documents/D1",
        json!({"url": format!("{}/doc/D1", broken.url), "compressionAlgorithm": "GZIP"}),
    );
    broken.on("/doc/D1", Reply::Bytes(whole[..whole.len() - 10].to_vec()));
    let report = self::house().await.pull(&amazon(&broken)).await;
    let orders = stream(&report, "orders");
    assert_eq!((orders.state, orders.rows), (PullState::Failed, 0));
    assert!(
        orders.problem.as_ref().unwrap().contains("cut off or damaged"),
        "{orders:?}"
    );
}

#[tokio::test]
async fn a_missing_column_is_named_and_a_new_one_is_counted() {
    let stage = Stage::open().await;
    let text = orders().replace("quantity", "quantity-purchased");
    stage.with_token().with_report(&text).with_summaries(&[("A", 1)]);
    let report = house().await.pull(&amazon(&stage)).await;
    let problem = stream(&report, "orders").problem.clone().unwrap();
    assert_eq!(
        problem,
        "wrong_schema: required column `quantity` is missing (wanted for `units`)"
    );

    let stage = Stage::open().await;
    let text = orders()
        .replace(HEADER, &format!("{HEADER}\tverge-of-madness"))
        .replace("\t4\n", "\t4\tx\n");
    stage.with_token().with_report(&text).with_summaries(&[("A", 1)]);
    let report = house().await.pull(&amazon(&stage)).await;
    let orders = stream(&report, "orders");
    assert_eq!((orders.state, orders.rows), (PullState::Ok, 1), "{orders:?}");
    assert!(
        orders.warnings.contains_key("column `verge-of-madness` is new"),
        "{orders:?}"
    );
}

#[tokio::test]
async fn rows_with_faults_are_kept_out_with_their_reason_and_the_good_ones_load() {
    let stage = Stage::open().await;
    let ordered = "2026-03-20T10:00:00+00:00";
    let good = line("1", ordered, ordered, "Shipped", "Amazon", "A", 4);
    let faults = [
        good.replace("Amazon.co.uk", "").replace("1\t", "2\t"),
        good.replace("\t4", "\tfour"),
        good.replace(ordered, "yesterday"),
        good.replace("\tAmazon\t", "\tDrone\t"),
        "1\thalf a line".to_owned(),
    ];
    let lines: Vec<String> = std::iter::once(good.clone()).chain(faults).collect();
    stage
        .with_token()
        .with_report(&report_text(&lines))
        .with_summaries(&[("A", 1)]);
    let report = house().await.pull(&amazon(&stage)).await;
    let orders = stream(&report, "orders");
    assert_eq!(
        (orders.state, orders.rows, orders.rejected_count),
        (PullState::Partial, 1, 5),
        "{orders:?}"
    );
    let said: Vec<String> = orders.rejected.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    amazon-uk/orders, page 1, row 2, `sales-channel`: found ``, wanted a value: without it the row cannot be told to be ours
    amazon-uk/orders, page 1, row 3, `units`: found `four`, wanted a whole number
    amazon-uk/orders, page 1, row 4, `ordered_at`: found `yesterday`, wanted a time such as 2026-01-20T08:00:00+00:00
    amazon-uk/orders, page 1, row 5, `fulfilment`: found `Drone`, wanted one of Amazon, AFN, Merchant, MFN
    amazon-uk/orders, page 1, row 6: found `2 columns`, wanted 9, as in the header
    "#);
}

#[tokio::test]
async fn a_pager_that_repeats_itself_ends_and_nothing_is_taken() {
    let stage = Stage::open().await;
    stage.with_token().with_report(&orders());
    stage.json(SUMMARIES, summaries(&[("A", 1)], Some("again")));
    let report = house().await.pull(&amazon(&stage)).await;
    let problem = stream(&report, "stock").problem.clone().unwrap();
    assert!(problem.contains("was given before"), "{problem}");
    assert_eq!(stage.asked(SUMMARIES).len(), 2);
}

#[tokio::test]
async fn secrets_are_in_no_debug_text_and_no_error() {
    let stage = Stage::open().await;
    stage.on(
        TOKEN,
        Reply::Json(
            400,
            json!({"error": "invalid_grant", "error_description": "s3cret-refresh_token"}),
        ),
    );
    let house = house().await;
    let config = amazon(&stage);
    let report = house.pull(&config).await;
    let shown = format!("{report:?} {config:?} {:?}", house.client);
    assert!(shown.contains("invalid_grant"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn rows_and_cursor_are_one_transaction_so_a_killed_pull_leaves_both_or_neither() {
    let house = house().await;
    let account = house.account.clone();
    let source = linkstar::ids::SourceId::new("amazon-uk").unwrap();
    let begun = linkstar::clock::Clock::now(&house.clock);
    let mut tx = house.store.write().await.unwrap();
    facts::begin_pull(
        &mut tx,
        &account,
        &source,
        "orders",
        chrono::Duration::hours(36),
        begun,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let fact = linkstar::ledger::OrderLineFact {
        source: source.clone(),
        key: "1|A|1".to_owned(),
        order_id: "1".to_owned(),
        sku_code: "A".to_owned(),
        marketplace: "Amazon.co.uk".to_owned(),
        fulfilment: "Amazon".to_owned(),
        ordered_at: begun,
        updated_at: begun,
        state: linkstar::ledger::OrderLineState::Shipped,
        units: 4,
        replacement: false,
    };
    for killed in [true, false] {
        let mut tx = house.store.write().await.unwrap();
        let zone = chrono_tz::Europe::London;
        facts::merge_order_lines(&mut tx, &account, &source, zone, std::slice::from_ref(&fact))
            .await
            .unwrap();
        facts::save_stream_note(&mut tx, &account, &source, "orders", StreamNote::Resume, "{}")
            .await
            .unwrap();
        if killed {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
        }
        let mut tx = house.store.read().await.unwrap();
        let day = begun.date_naive();
        let rows = facts::sales_history(&mut tx, &account, day, day).await.unwrap();
        let resume = facts::stream_note(&mut tx, &account, &source, "orders", StreamNote::Resume)
            .await
            .unwrap();
        assert_eq!(
            (rows.len(), resume.is_some()),
            if killed { (0, false) } else { (1, true) }
        );
    }
    // At the next start the pull that never ended is called interrupted.
    let mut tx = house.store.write().await.unwrap();
    assert_eq!(
        facts::mark_interrupted(&mut tx, &account, begun).await.unwrap(),
        1
    );
    let history = facts::history(&mut tx, &account, 10).await.unwrap();
    assert_eq!(history[0].state, "interrupted");
    let states = facts::source_states(&mut tx, &account, begun).await.unwrap();
    assert_eq!(
        states[0].problem.as_deref(),
        Some("the process ended before the pull did")
    );
}

#[tokio::test]
async fn a_slow_answer_is_given_up_in_time() {
    let stage = Stage::open().await;
    stage.with_token().with_report(&orders());
    stage.on(SUMMARIES, Reply::Silent(Duration::from_secs(30)));
    let mut config = amazon(&stage);
    config.params.insert("timeout_seconds".to_owned(), "1".to_owned());
    let mut definition = (*config.definition).clone();
    definition.file.retry.attempts = 1;
    config.definition = std::sync::Arc::new(definition);
    let report = house().await.pull(&config).await;
    let problem = stream(&report, "stock").problem.clone().unwrap();
    assert!(
        problem.contains("slow: 127.0.0.1 did not finish its answer within 1 s"),
        "{problem}"
    );
    assert_eq!(stream(&report, "orders").state, PullState::Ok);
}
