//! Stored plans and what people decide on them, on SQLite and, where one can be had, on PostgreSQL.

use chrono::{DateTime, Utc};
use linkstar::ids::{AccountId, Sku};
use linkstar::order::Mode;
use linkstar::planner::{Plan, Policy, Snapshot, plan};
use linkstar::store::plans::{self, Choice, Decision, PlanError, Recorded};
use linkstar::store::{Store, Tx};

use super::{after, code, day, item, lane, lumpy, snapshot};

fn now() -> DateTime<Utc> {
    "2026-11-22T02:30:00Z".parse().expect("an instant")
}

fn account() -> AccountId {
    AccountId::new("main").expect("an account")
}

fn facts(days: i64) -> Snapshot {
    let as_of = after(day("2026-11-22"), days);
    let items = (0..5)
        .map(|n| item(&format!("S{n}"), as_of, &lumpy(n, 200), 40 - days))
        .collect();
    snapshot(as_of, vec![lane(Mode::Sea, 30, 40, 1)], items)
}

async fn store() -> Store {
    Store::open("sqlite::memory:").await.expect("a store")
}

/// Plans and saves the next day.
async fn next(tx: &mut Tx, days: i64) -> Plan {
    let (facts, policy) = (facts(days), Policy::default());
    let parent = plans::parent(tx, &account()).await.expect("readable");
    let plan = plan(&facts, &policy, parent.as_ref().map(|parent| &parent.plan));
    let acknowledged = parent.map(|parent| parent.acknowledged).unwrap_or_default();
    plans::save(tx, &account(), &plan, &facts, &policy, &acknowledged, now())
        .await
        .expect("saved");
    plan
}

fn decision(plan: &Plan, choice: Choice, units: Option<i64>) -> Decision {
    Decision {
        plan: plan.id.clone(),
        warehouse: code("goodcang:UKMA"),
        sku: Sku::new("S1").expect("a SKU"),
        source: "cli".to_owned(),
        choice,
        units,
        by: "小王".to_owned(),
        reason: String::new(),
    }
}

#[tokio::test]
async fn r79_thirty_stored_plans_replay_to_the_same_bytes_with_acknowledged_alerts() {
    let store = store().await;
    let mut tx = store.write().await.unwrap();
    let mut ids = Vec::new();
    for days in 0..30 {
        let plan = next(&mut tx, days).await;
        if days == 3 {
            let alert = plan.alerts.first().expect("low stock alerts");
            assert!(
                plans::acknowledge(&mut tx, &account(), &alert.warehouse, &alert.sku, "小王", now())
                    .await
                    .unwrap()
            );
        }
        if days == 4 {
            assert!(plan.alerts.iter().any(|alert| alert.acknowledged));
        }
        ids.push(plan.id);
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    for id in &ids {
        let replay = plans::replay(&mut tx, &account(), id.short()).await.unwrap();
        assert!(replay.identical && replay.other_engine.is_none(), "{id}");
        assert_eq!(replay.stored.id, *id);
    }
    let latest = plans::latest(&mut tx, &account()).await.unwrap().unwrap();
    assert_eq!(Some(&latest.id), ids.last());
    assert_eq!(plans::history(&mut tx, &account(), 7).await.unwrap().len(), 7);
}

#[tokio::test]
async fn r79_a_lost_input_is_named() {
    let store = store().await;
    let mut tx = store.write().await.unwrap();
    let plan = next(&mut tx, 0).await;
    tx.execute("DELETE FROM blob WHERE kind = 'plan-policy'", linkstar::args![])
        .await
        .unwrap();
    let error = plans::replay(&mut tx, &account(), plan.id.as_str())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the policy of plan"), "{error}");
    let error = plans::get(&mut tx, &account(), "ffffffffffff").await.unwrap_err();
    assert!(matches!(error, PlanError::NotFound { .. }));
    let error = plans::get(&mut tx, &account(), "%").await.unwrap_err();
    assert!(matches!(error, PlanError::NotFound { .. }));
}

#[tokio::test]
async fn saving_the_same_plan_twice_stores_one() {
    let store = store().await;
    let mut tx = store.write().await.unwrap();
    let (facts, policy) = (facts(0), Policy::default());
    let plan = plan(&facts, &policy, None);
    for _ in 0..2 {
        plans::save(&mut tx, &account(), &plan, &facts, &policy, &Vec::new(), now())
            .await
            .unwrap();
    }
    assert_eq!(plans::history(&mut tx, &account(), 9).await.unwrap().len(), 1);
    assert_eq!(
        plans::get(&mut tx, &account(), plan.id.short()).await.unwrap(),
        plan
    );
}

#[tokio::test]
async fn a_decision_counts_once_and_only_on_the_current_plan() {
    let store = store().await;
    let mut tx = store.write().await.unwrap();
    let first = next(&mut tx, 0).await;
    let adopt = decision(&first, Choice::Adopt, None);
    let record = async |tx: &mut Tx, plan: &Plan, decision: &Decision| {
        plans::decide(tx, &account(), plan, decision, now()).await
    };
    assert_eq!(record(&mut tx, &first, &adopt).await.unwrap(), Recorded::New);
    assert_eq!(record(&mut tx, &first, &adopt).await.unwrap(), Recorded::Same);
    let change = decision(&first, Choice::Change, Some(77));
    assert_eq!(record(&mut tx, &first, &change).await.unwrap(), Recorded::Changed);
    let stored = plans::decisions(&mut tx, &account(), &first.id).await.unwrap();
    assert_eq!(stored, vec![change]);
    let line = &stored[0];
    assert!(
        plans::is_decided(&mut tx, &account(), &first.id, &line.warehouse, &line.sku)
            .await
            .unwrap()
    );
    for (choice, units) in [
        (Choice::Change, None),
        (Choice::Change, Some(-3)),
        (Choice::Reject, Some(5)),
        (Choice::Adopt, Some(1)),
    ] {
        let error = record(&mut tx, &first, &decision(&first, choice, units))
            .await
            .unwrap_err();
        assert!(matches!(error, PlanError::Decision { .. }), "{error}");
    }
    let mut stranger = decision(&first, Choice::Watch, None);
    stranger.sku = Sku::new("nobody").unwrap();
    let error = record(&mut tx, &first, &stranger).await.unwrap_err();
    assert!(matches!(error, PlanError::NoSuchLine { .. }), "{error}");
    let second = next(&mut tx, 1).await;
    let error = record(&mut tx, &first, &adopt).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "plan `{}` is no longer current: `{}` replaced it, decide on that one",
            first.id.short(),
            second.id.short()
        )
    );
}
