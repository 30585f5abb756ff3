//! What receipts teach is in the plan of the next night: days of each stage, put-away, and what a way loses (R21, R57).

use std::collections::BTreeMap;

use chrono::Duration;
use linkstar::ids::OrderNo;
use linkstar::order::{OrderEvent, OrderEventKind, OrderState};
use linkstar::planner::{Explain, Plan};
use linkstar::store::{orders, plans};
use serde_json::Value;

use super::clocks::ordered;
use super::shop::{Shop, morning};

const SHIPMENTS: i64 = 6;

fn find<'e>(explain: &'e Explain, key: &str) -> Option<&'e Explain> {
    if &*explain.key == key {
        return Some(explain);
    }
    explain.terms.iter().find_map(|term| find(term, key))
}

async fn plan(shop: &Shop, day: i64) -> Plan {
    let opened = shop.open(morning(day)).await;
    let mut tx = opened.store.read().await.expect("the store works");
    let plan = plans::latest(&mut tx, opened.night(false).account()).await;
    plan.expect("read").expect("a plan")
}

/// By SKU, of the lines of one warehouse that go one way: passages behind a stage, and units ordered for what gets lost.
fn seen(plan: &Plan, warehouse: &str, mode: &str) -> BTreeMap<String, (i64, i64, i64)> {
    let figure = |explain: Option<&Explain>| -> i64 {
        let value = explain.map(|explain| explain.value.to_string());
        value.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    let lines = plan.lines.iter().filter(|line| {
        line.warehouse.as_str() == warehouse && line.mode.is_some_and(|own| own.code() == mode)
    });
    lines
        .map(|line| {
            let stage = |name: &str| {
                let stage = find(&line.explain, name);
                figure(stage.and_then(|stage| find(stage, "observations")))
            };
            let lost = figure(find(&line.explain, "loss_allowance"));
            (
                line.sku.to_string(),
                (stage("stage.transit"), stage("stage.putaway"), lost),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_what_receipts_teach_of_days_and_losses_is_in_the_plan_of_the_next_night() {
    let (shop, number) = ordered().await;
    let before = plan(&shop, 1).await;
    let opened = shop.open(morning(1)).await;
    let account = opened.night(false).account().clone();
    let mut tx = opened.store.write().await.expect("the store works");
    let known = orders::get(&mut tx, &account, &OrderNo::new(number).expect("a number")).await;
    let known = known.expect("read").expect("the order");
    let mut report = "reference,carton,sku,kind,units,at\n".to_owned();
    for n in 0..SHIPMENTS {
        let left = morning(1) - Duration::days(70 + n);
        let mut order = known.order.clone();
        order.number = OrderNo::new(format!("LS-OLD-{n}")).expect("a number");
        order.plan = None;
        order.created_on = (left - Duration::days(5)).date_naive();
        order.ship_by = left.date_naive();
        order.eta = (left + Duration::days(30)).date_naive();
        for carton in &mut order.cartons {
            carton.mark = format!("{}-OLD-{n}", carton.mark);
        }
        let late = order.eta + Duration::days(5);
        orders::create(&mut tx, &account, &order, late, "wang", left)
            .await
            .expect("an order");
        let kind = OrderEventKind::Reached {
            state: OrderState::HandedOver,
        };
        let event = OrderEvent {
            at: left,
            by: "wang".to_owned(),
            kind,
        };
        orders::append(&mut tx, &account, &order.number, event)
            .await
            .expect("handed over");
        for line in &order.lines {
            // A tenth of everything never comes.
            let units = line.units - line.units / 10;
            for (kind, days) in [("received", 31), ("put_away", 37)] {
                let at = (left + Duration::days(days)).format("%Y-%m-%d %H:%M");
                report += &format!("{},,{},{kind},{units},{at}\n", order.number, line.goods.sku);
            }
        }
    }
    tx.commit().await.expect("committed");
    opened.store.close().await;
    let file = shop.home.join("old.csv");
    std::fs::write(&file, report).expect("a report");
    let read = shop.linkstar(&[
        "receive",
        &file.display().to_string(),
        "--at",
        &morning(1).to_rfc3339(),
    ]);
    assert!(matches!(read.code, Some(0 | 1)), "{read:#?}");
    shop.advance(morning(2));
    shop.night(2).await;

    let after = plan(&shop, 2).await;
    let (warehouse, mode) = (known.order.warehouse.as_str(), known.order.mode.code());
    let (was, is) = (seen(&before, warehouse, mode), seen(&after, warehouse, mode));
    assert!(!is.is_empty(), "lines of {warehouse} by {mode}");
    for (sku, (transit, putaway, _)) in &is {
        let (old_transit, old_putaway, _) = was.get(sku).copied().unwrap_or_default();
        assert!(
            *transit >= old_transit + SHIPMENTS,
            "{sku}: {old_transit} and then {transit}"
        );
        assert!(
            *putaway >= old_putaway + SHIPMENTS,
            "{sku}: {old_putaway} and then {putaway}"
        );
    }
    let lost = |seen: &BTreeMap<String, (i64, i64, i64)>| seen.values().map(|one| one.2).sum::<i64>();
    assert!(lost(&is) > lost(&was), "{} and then {}", lost(&was), lost(&is));

    // The same to look at, and the mail of that morning names the cases.
    let shown = shop.linkstar(&["lead-times", "--json"]);
    let shown: Value = serde_json::from_str(&shown.out).expect("JSON");
    let stage = |name: &str| {
        let stages = shown["stages"].as_array().expect("stages");
        let own = |one: &&Value| one["warehouse"] == warehouse && one["mode"] == mode && one["stage"] == name;
        stages
            .iter()
            .find(own)
            .and_then(|one| one["passages"].as_i64())
            .unwrap_or(0)
    };
    assert!(stage("putaway") >= SHIPMENTS, "{shown:#}");
    assert!(
        !shown["losses"].as_array().expect("losses").is_empty(),
        "{shown:#}"
    );
    let page = Shop::page(&shop.last_mail());
    assert!(page.contains("LS-OLD-"), "{page}");

    // A shipment with a unit that the warehouse put aside teaches no loss: what is lost of it is not known.
    let shipments = |shown: &Value| {
        let losses = shown["losses"].as_array().expect("losses");
        let own = |one: &&Value| one["warehouse"] == warehouse && one["mode"] == mode;
        losses.iter().find(own).and_then(|one| one["shipments"].as_i64())
    };
    let taught = shipments(&shown).expect("shipments of this way");
    let sku = &known.order.lines[0].goods.sku;
    let at = (morning(1) - Duration::days(70 - 37)).format("%Y-%m-%d %H:%M");
    let aside = format!("reference,carton,sku,kind,units,at\nLS-OLD-0,,{sku},set_aside,1,{at}\n");
    std::fs::write(&file, aside).expect("a report");
    let read = shop.linkstar(&[
        "receive",
        &file.display().to_string(),
        "--at",
        &morning(2).to_rfc3339(),
    ]);
    assert!(matches!(read.code, Some(0 | 1)), "{read:#?}");
    let shown = shop.linkstar(&["lead-times", "--json"]);
    let shown: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(shipments(&shown), Some(taught - 1), "{shown:#}");
}
