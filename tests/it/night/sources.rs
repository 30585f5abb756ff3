//! Bad days of the sources: the night goes on, and the plan and the mail say what is missing.

use std::collections::BTreeMap;
use std::fs;

use linkstar::ids::WarehouseCode;
use linkstar::night::{NightReport, Step, StepState};
use linkstar::planner::{DataState, Plan};
use linkstar::simulate::FaultKind;
use linkstar::store::plans;

use super::shop::{Shop, morning, step};
use super::state::dump;

async fn plan(shop: &Shop) -> Plan {
    let opened = shop.open(morning(0)).await;
    let mut tx = opened.store.read().await.expect("the store reads");
    let plan = plans::latest(&mut tx, opened.night(false).account())
        .await
        .expect("the plan is read")
        .expect("a plan");
    drop(tx);
    opened.store.close().await;
    plan
}

/// Available units of one warehouse, by SKU.
fn stock(plan: &Plan, warehouse: &str) -> BTreeMap<String, Option<i64>> {
    let warehouse = WarehouseCode::new(warehouse).expect("a code");
    plan.lines
        .iter()
        .filter(|line| line.warehouse == warehouse)
        .map(|line| (line.sku.to_string(), line.available))
        .collect()
}

fn states(plan: &Plan, warehouse: &str) -> Vec<DataState> {
    let warehouse = WarehouseCode::new(warehouse).expect("a code");
    let mut states: Vec<DataState> = plan
        .lines
        .iter()
        .filter(|line| line.warehouse == warehouse)
        .map(|line| line.data)
        .collect();
    states.dedup();
    states
}

/// A second night after a good first one.
async fn second_night(shop: &Shop) -> NightReport {
    shop.advance(morning(1));
    shop.night(1).await
}

fn went_out(report: &NightReport) {
    for wanted in [Step::Plan, Step::Suggest, Step::Deliver] {
        let state = step(report, wanted).state;
        assert_ne!(state, StepState::Failed, "{wanted:?}: {report:?}");
    }
    assert_eq!(
        step(report, Step::Deliver).counts.get("sent"),
        Some(&2),
        "{report:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_page_keeps_the_older_snapshot_as_stale_and_never_as_zero() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    let before = plan(&shop).await;
    shop.fault("goodcang.get_product_inventory", FaultKind::HalfPage, None);
    let report = second_night(&shop).await;
    let pulled = step(&report, Step::Pull);
    assert_eq!(pulled.state, StepState::Partial);
    assert!(
        pulled
            .problems
            .iter()
            .any(|problem| problem.contains("goodcang:UKMA: the snapshot was discarded")),
        "{:?}",
        pulled.problems
    );
    went_out(&report);
    let after = plan(&shop).await;
    assert_eq!(
        stock(&after, "goodcang:UKMA"),
        stock(&before, "goodcang:UKMA"),
        "yesterday's figures stay"
    );
    assert_eq!(states(&after, "goodcang:UKMA"), [DataState::Stale]);
    assert!(!states(&after, "amazon:GB").contains(&DataState::Stale));
    let mail = fs::read_to_string(&shop.mails_to("buyer@").pop().expect("a mail").file).expect("a mail");
    let subject: String = mail
        .lines()
        .skip_while(|line| !line.starts_with("Subject:"))
        .enumerate()
        .take_while(|(number, line)| *number == 0 || line.starts_with(' '))
        .map(|(_, line)| line)
        .collect();
    assert!(subject.contains("stale"), "{subject}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expires_in_the_middle_of_a_pull_is_renewed() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    shop.fault("amazon.inventory", FaultKind::ExpiredToken, Some(1));
    shop.fault("amazon.get_report", FaultKind::ExpiredToken, Some(1));
    let report = second_night(&shop).await;
    assert_eq!(step(&report, Step::Pull).state, StepState::Done, "{report:?}");
    went_out(&report);
    assert!(
        states(&plan(&shop).await, "amazon:GB")
            .iter()
            .all(|state| *state == DataState::Complete)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_429_is_waited_out_with_and_without_retry_after() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    let busy = |retry_after_s| FaultKind::TooManyRequests { retry_after_s };
    shop.fault("amazon.inventory", busy(Some(7)), Some(2));
    shop.fault("amazon.create_report", busy(None), Some(2));
    shop.fault("goodcang.get_grn_list", busy(None), Some(1));
    let report = second_night(&shop).await;
    assert_eq!(step(&report, Step::Pull).state, StepState::Done, "{report:?}");
    went_out(&report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r78_one_source_that_cannot_be_reached_does_not_stop_the_night() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    let store = shop.store().await;
    let covered = dump(&store, "source_day", "source day state").await;
    store.close().await;
    // A port that nobody listens on.
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    let base = shop.world.endpoints().goodcang_base.clone();
    shop.edit_config(&base, &format!("http://{closed}/public_open"));
    let report = second_night(&shop).await;
    let pulled = step(&report, Step::Pull);
    assert_eq!(pulled.state, StepState::Partial);
    let named: Vec<&String> = pulled
        .problems
        .iter()
        .filter(|problem| problem.starts_with("goodcang-uk"))
        .collect();
    assert!(
        !named.is_empty() && named.len() == pulled.problems.len(),
        "{pulled:?}"
    );
    went_out(&report);
    let after = plan(&shop).await;
    assert_eq!(states(&after, "goodcang:UKMA"), [DataState::Stale]);
    assert!(
        stock(&after, "goodcang:UKMA")
            .values()
            .any(|units| units.is_some_and(|units| units > 0))
    );
    let store = shop.store().await;
    assert_ne!(
        dump(&store, "source_day", "source day state").await,
        covered,
        "the marketplace was pulled all the same: {pulled:?}"
    );
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_computes_everything_and_nothing_leaves() {
    let shop = Shop::new(7).await;
    let at = morning(0).to_rfc3339();
    let ran = shop.linkstar(&["night", "--dry-run", "--at", &at]);
    assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    let store = shop.store().await;
    for table in ["outbox", "stocking_order", "inbox_file"] {
        let rows = dump(&store, table, "account_id").await;
        let ours = if table == "stocking_order" { 8 } else { 0 };
        assert_eq!(
            rows.len(),
            ours,
            "{table}: only the opening shipments may be there"
        );
    }
    assert!(
        dump(&store, "plan", "plan_id").await.is_empty(),
        "a trial leaves no plan to answer"
    );
    store.close().await;
    assert!(shop.dropped().is_empty() && shop.world.inbox().is_empty());
    let preview = shop.home.join("data/dry-run/2026-05-04");
    let written = super::shop::files(&preview);
    for wanted in ["ops_lanting_example.html", "buyer_lanting_example.txt"] {
        assert!(written.contains_key(wanted), "{:?}", written.keys());
    }
}
