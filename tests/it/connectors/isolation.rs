//! R78: one that hangs or fails never blocks the others, and the history says how it went.

use std::time::Duration;

use futures_util::future::join_all;
use linkstar::planner::DataState;
use linkstar::store::facts::{self, PullState};
use serde_json::json;

use super::stage::{House, Reply, SUMMARIES, Stage, amazon, goodcang, report_text, stream};

#[tokio::test]
async fn r78_one_source_of_four_hangs_and_the_others_finish() {
    let house = House::new("2026-04-02T02:00:00Z").await;
    let (good, hanging, dead) = (Stage::open().await, Stage::open().await, Stage::open().await);
    good.with_token()
        .with_report(&report_text(&[]))
        .with_summaries(&[("A", 1)]);
    good.json(
        "/inventory/get_product_inventory",
        json!({"ask": "Success", "count": "0", "data": []}),
    );
    good.json(
        "/inbound_order/get_grn_list",
        json!({"ask": "Success", "count": "0", "data": []}),
    );
    hanging
        .with_token()
        .on(SUMMARIES, Reply::Silent(Duration::from_secs(60)));
    let mut configs = [amazon(&good), goodcang(&good), amazon(&hanging), goodcang(&dead)];
    for (index, config) in configs.iter_mut().enumerate() {
        config.id = linkstar::ids::SourceId::new(format!("source-{index}")).unwrap();
        config.params.insert("timeout_seconds".to_owned(), "1".to_owned());
        let mut definition = (*config.definition).clone();
        definition.file.retry.attempts = 2;
        config.definition = std::sync::Arc::new(definition);
    }
    let reports = tokio::time::timeout(
        Duration::from_secs(20),
        join_all(configs.iter().map(|config| house.pull(config))),
    )
    .await
    .expect("a hanging source ends in time");
    let states: Vec<PullState> = reports
        .iter()
        .map(linkstar::night::pull::PullReport::state)
        .collect();
    assert_eq!(
        states,
        [PullState::Ok, PullState::Ok, PullState::Failed, PullState::Failed],
        "{reports:#?}"
    );
    assert_eq!(stream(&reports[2], "stock").state, PullState::Failed);

    let mut tx = house.store.read().await.unwrap();
    let now = "2026-04-02T02:00:00Z".parse().unwrap();
    let states = facts::source_states(&mut tx, &house.account, now).await.unwrap();
    let state = |source: &str, stream: &str| {
        states
            .iter()
            .find(|state| state.source.as_str() == source && state.stream == stream)
            .map(|state| state.state)
    };
    assert_eq!(state("source-0", "orders"), Some(DataState::Complete));
    assert_eq!(state("source-2", "stock"), Some(DataState::Missing));
    assert_eq!(state("source-3", "inbound"), Some(DataState::Missing));
    let later = "2026-04-04T02:00:00Z".parse().unwrap();
    let states = facts::source_states(&mut tx, &house.account, later)
        .await
        .unwrap();
    assert!(
        states.iter().all(|state| state.state != DataState::Complete),
        "{states:?}"
    );
    let history = facts::history(&mut tx, &house.account, 50).await.unwrap();
    assert!(history.iter().any(|row| row.state == "failed") && history.iter().any(|row| row.state == "ok"));
    assert!(history.iter().all(|row| row.state != "running"));
}
