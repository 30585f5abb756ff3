//! Nights keep what their decisions attained, and backtests read what nights have pulled.

use linkstar::ids::AccountId;
use linkstar::planner::Calibration;
use linkstar::planner::calibration::Decision;
use linkstar::store::{Store, calibration, plans};

use super::shop::{Shop, date, morning};

async fn kept(store: &Store) -> (Vec<Decision>, Vec<Calibration>) {
    let account = AccountId::new("main").expect("an account");
    let mut tx = store.read().await.expect("a transaction");
    let open = calibration::due(&mut tx, &account, date(400))
        .await
        .expect("readable");
    let states = calibration::states(&mut tx, &account).await.expect("readable");
    (open, states)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_writes_down_what_it_decided_and_a_later_one_judges_it() {
    let shop = Shop::new(23).await;
    shop.night(0).await;
    let store = shop.store().await;
    let (first, states) = kept(&store).await;
    assert!(!first.is_empty() && states.is_empty());
    assert!(
        first
            .iter()
            .all(|decision| decision.as_of == date(0) && decision.due() > date(7))
    );
    // The same night again, and a night before the next review: nothing is written twice.
    shop.night(0).await;
    shop.night(1).await;
    assert_eq!(kept(&store).await.0, first);

    let last = first.iter().map(Decision::due).max().expect("some");
    let later = (last - date(0)).num_days();
    shop.advance(morning(later));
    shop.night(later).await;
    let (open, states) = kept(&store).await;
    assert!(
        open.iter().all(|decision| decision.as_of == date(later)),
        "{open:?}"
    );
    let judged: i64 = states.iter().map(|state| state.outcomes).sum();
    assert!(judged > 0 && judged <= first.len() as i64, "{states:?}");

    // The state is part of what the plan was made from: it replays to the byte.
    let account = AccountId::new("main").expect("an account");
    let mut tx = store.read().await.expect("a transaction");
    let plan = plans::latest(&mut tx, &account)
        .await
        .expect("readable")
        .expect("a plan");
    let head = plans::head(&mut tx, &account, plan.id.as_str())
        .await
        .expect("a head");
    let (_, policy) = plans::inputs(&mut tx, &account, &head).await.expect("its inputs");
    assert_eq!(policy.calibration, states);
    let replay = plans::replay(&mut tx, &account, plan.id.as_str())
        .await
        .expect("readable");
    assert!(replay.identical);
    drop(tx);

    let ran = shop.linkstar(&["accuracy", "--days", "3650", "--json"]);
    let ledger: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let counted: i64 = ledger
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["decisions"].as_i64())
        .sum();
    assert_eq!((ran.code, counted), (Some(0), judged), "{ledger}");

    let until = date(later).to_string();
    let ran = shop.linkstar(&[
        "backtest",
        "--as-of",
        &until,
        "--runs",
        "1",
        "--json",
        "--policy",
        "linkstar,min-max",
    ]);
    assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    let value: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(value["backtest"]["end"], until.as_str());
    assert!(
        value["backtest"]["policies"][0]["all"]["fill"]["value"].is_string(),
        "{}",
        ran.out
    );
    assert!(!value["backtest"]["happened"].is_null() || value["backtest"]["items"].as_u64() > Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_calibration_nothing_is_written_down() {
    let shop = Shop::new(29).await;
    shop.edit_config("[plan]\n", "[plan]\ncalibrate = false\n");
    shop.night(0).await;
    let store = shop.store().await;
    assert_eq!(kept(&store).await, (Vec::new(), Vec::new()));
}
