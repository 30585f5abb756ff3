//! Plans in parts and by another policy: the same figures as the whole plan.

use chrono::{DateTime, Utc};
use linkstar::ids::AccountId;
use linkstar::money::{Currency, Money};
use linkstar::night::whatif::{Compared, WhatIfError, compare};
use linkstar::order::Mode;
use linkstar::planner::{
    Briefing, Capacity, Figures, ItemSeries, Plan, PlanLine, Policy, Reason, Snapshot, Stage, WarehouseFacts,
    brief, plan,
};
use linkstar::store::{Store, plans};
use proptest::prelude::*;

use super::{code, day, item, lane, lumpy, snapshot, times};
use crate::services::{fresh_database, services};

fn now() -> DateTime<Utc> {
    "2026-11-22T02:30:00Z".parse().expect("an instant")
}

fn account() -> AccountId {
    AccountId::new("main").expect("an account")
}

/// Two warehouses, items with and without stock, costs, gaps, productions of their own.
fn shop(seed: u64, items: u64) -> Snapshot {
    let as_of = day("2026-11-22");
    let lanes = vec![lane(Mode::Sea, 35, 45, 1), lane(Mode::Air, 8, 10, 2)];
    let mut facts = snapshot(as_of, lanes.clone(), Vec::new());
    facts.warehouses.push(WarehouseFacts {
        warehouse: code("goodcang:DEFR"),
        lanes,
        putaway: None,
    });
    facts.series = (0..items)
        .map(|n| {
            let own = seed.wrapping_mul(31).wrapping_add(n);
            let length = 40 + usize::try_from(own * 7 % 340).expect("small");
            let mut line = item(&format!("S{n:03}"), as_of, &lumpy(own, length), 0);
            if n % 2 == 1 {
                line.warehouse = code("goodcang:DEFR");
            }
            // Nobody described this one.
            if n % 13 == 12 {
                line.warehouse = code("goodcang:PLGD");
            }
            line.available = (n % 7 != 3).then_some(i64::try_from(own % 90).expect("small"));
            line.carton_units = (n % 5 != 0).then_some(12);
            line.active = n % 11 != 10;
            line.unit_cost = (n % 3 != 0).then(|| Money::new(7.into(), Currency::CNY));
            line.production = (n % 4 == 2).then(|| times(Stage::Production, 10 + (own % 5) as i64, 20));
            line
        })
        .collect();
    facts
}

fn few_paths() -> Policy {
    Policy {
        paths: 100,
        ..Policy::default()
    }
}

/// Every line of the plan in parts is the whole plan's.
fn same_figures(facts: &Snapshot, whole: &Plan, policy: &Policy) -> Result<(), TestCaseError> {
    let head = Snapshot {
        series: Vec::new(),
        ..facts.clone()
    };
    let mut sorted = facts.series.clone();
    sorted.sort_by(|a, b| (&a.warehouse, &a.sku).cmp(&(&b.warehouse, &b.sku)));
    let parts = brief::parts(sorted);
    let all: Vec<ItemSeries> = parts.iter().flatten().cloned().collect();
    prop_assert_eq!(all.len(), facts.series.len());
    let mut briefing = Briefing::new(&head, &all, policy).expect("nothing couples the lines");
    for part in &parts {
        for (item, line) in part.iter().zip(briefing.plan(part)) {
            let line = line.expect("a known warehouse");
            let found = whole
                .lines
                .iter()
                .find(|whole| (&whole.warehouse, &whole.sku) == (&item.warehouse, &item.sku))
                .expect("in the whole plan");
            prop_assert_eq!(&line.figures, &Figures::of(found));
            prop_assert_eq!((&line.reasons, line.cost), (&found.reasons, found.cost));
        }
    }
    prop_assert_eq!(briefing.funnel(), whole.funnel.clone());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_plan_in_parts_has_the_whole_plans_figures(seed in 0_u64..10_000, items in 1_u64..40) {
        let facts = shop(seed, items);
        let policy = few_paths();
        same_figures(&facts, &plan(&facts, &policy, None), &policy)?;
    }
}

#[test]
fn those_who_teach_come_first_and_no_part_mixes_warehouses() {
    let mut facts = shop(1, 12);
    let first = facts.series.remove(0);
    let many: Vec<ItemSeries> = (0..4_500)
        .map(|n| ItemSeries {
            sku: linkstar::ids::Sku::new(format!("M{n:05}")).expect("a SKU"),
            ..first.clone()
        })
        .collect();
    let parts = brief::parts(many);
    let skus: Vec<&str> = parts.iter().flatten().map(|item| item.sku.as_str()).collect();
    assert_eq!((parts.len(), skus.len()), (10, 4_500));
    assert_eq!(brief::teachers(4_500), 2_250);
    assert_eq!(skus[..3], ["M00000", "M00002", "M00004"]);
    assert_eq!((skus[2_249], skus[2_250]), ("M04498", "M00001"));
    let parts = brief::parts(facts.series);
    assert!(
        parts
            .iter()
            .all(|part| part.iter().all(|item| item.warehouse == part[0].warehouse))
    );
}

async fn saved(store: &Store, facts: &Snapshot, policy: &Policy) -> Plan {
    let plan = plan(facts, policy, None);
    let mut tx = store.write().await.expect("a transaction");
    plans::save(&mut tx, &account(), &plan, facts, policy, &Vec::new(), now())
        .await
        .expect("saved");
    tx.commit().await.expect("committed");
    plan
}

async fn asked(store: &Store, settings: &[&str]) -> Result<Compared, WhatIfError> {
    let mut tx = store.read().await.expect("a transaction");
    let head = plans::latest_head(&mut tx, &account()).await?.expect("a plan");
    let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
    compare(&mut tx, &account(), &head, &settings, 5, &|_, _| {}).await
}

fn suggested(plan: &Plan) -> i64 {
    plan.lines.iter().filter_map(|line| line.suggested_units).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_policy_would_order_is_told_before_it_is_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut urls = vec![format!("sqlite:{}", folder.path().join("linkstar.db").display())];
    if let Some(services) = services() {
        urls.push(fresh_database(&services).await);
    }
    let mut told = Vec::new();
    for url in urls {
        let store = Store::open(&url).await.expect("a store");
        let (facts, policy) = (shop(7, 30), few_paths());
        let before = saved(&store, &facts, &policy).await;
        let compared = asked(&store, &["service_permille=990", "review_days=21"])
            .await
            .expect("compared");
        let other = Policy {
            service_permille: 990,
            review_days: 21,
            ..policy.clone()
        };
        let after = plan(&facts, &other, None);
        let units = |totals: &std::collections::BTreeMap<_, linkstar::night::whatif::Totals>| -> i64 {
            totals.values().map(|totals| totals.units).sum()
        };
        assert_eq!(units(&compared.before), suggested(&before));
        // Without stock, or without a way to the warehouse; what is no longer ordered is not among them.
        let unknown =
            |line: &&PlanLine| line.suggested_units.is_none() && !line.reasons.contains(&Reason::Inactive);
        let unknown = before.lines.iter().filter(unknown).count();
        let told_unknown: i64 = compared.before.values().map(|totals| totals.unknown).sum();
        assert_eq!((told_unknown, compared.before.len()), (unknown as i64, 3));
        assert!(
            unknown > 2
                && before
                    .lines
                    .iter()
                    .any(|line| line.reasons.contains(&Reason::Inactive))
        );
        assert_eq!(units(&compared.after), suggested(&after));
        assert_eq!(compared.funnel_after, after.funnel);
        assert!(
            compared.changed > 5 && compared.changes.len() == 5,
            "{compared:?}"
        );
        let far = |change: &linkstar::night::whatif::Change| {
            change.after.unwrap_or(0).abs_diff(change.before.unwrap_or(0))
        };
        assert!(
            compared
                .changes
                .windows(2)
                .all(|pair| far(&pair[0]) >= far(&pair[1]))
        );
        // Without settings it is the plan itself.
        let same = asked(&store, &[]).await.expect("compared");
        assert_eq!((same.before == same.after, same.changed), (true, 0));
        assert_eq!(same.funnel_before, before.funnel);
        // The parts are the plan's inputs: it replays to its bytes.
        let mut tx = store.read().await.expect("a transaction");
        assert!(
            plans::replay(&mut tx, &account(), before.id.as_str())
                .await
                .expect("replayed")
                .identical
        );
        told.push(serde_json::to_string_pretty(&compared).expect("JSON"));
        drop(tx);
        store.close().await;
    }
    assert!(
        told.windows(2).all(|pair| pair[0] == pair[1]),
        "the engines disagree"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_lines_share_something_the_whole_is_planned_twice() {
    let store = Store::open("sqlite::memory:").await.expect("a store");
    let mut facts = shop(3, 20);
    facts.supply.capacity = vec![Capacity {
        warehouse: code("goodcang:DEFR"),
        units: Some(40),
        volume_l: None,
    }];
    let policy = few_paths();
    assert!(Briefing::new(&facts, &[], &policy).is_none());
    let before = saved(&store, &facts, &policy).await;
    let compared = asked(&store, &["service_permille=500"]).await.expect("compared");
    let total: i64 = compared.before.values().map(|totals| totals.units).sum();
    assert_eq!(total, suggested(&before));
    assert!(compared.changed > 0);
    let refused = asked(&store, &["budget=12"]).await.expect_err("no such key");
    assert!(
        refused.to_string().contains("unknown field `budget`"),
        "{refused}"
    );
}
