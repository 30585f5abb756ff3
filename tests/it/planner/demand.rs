//! What is known of demand beside the sales: sets, promotions, events, rules, overrides, classes, items alike.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use linkstar::mapping::plan_folder::{FolderInput, read};
use linkstar::planner::{BulkUnits, Explain, Plan, PlanLine, canonical, plan};
use proptest::prelude::*;

use super::{after, day};

const AS_OF: &str = "2026-11-22";

fn folder(list: &[(&str, String)]) -> FolderInput {
    let files: BTreeMap<String, Vec<u8>> = list
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.clone().into_bytes()))
        .collect();
    read(&files, day(AS_OF)).expect("a plan can be made")
}

/// Sales of a year of several items by days back (1 is yesterday).
fn sales(items: &[(&str, &dyn Fn(i64) -> u32)]) -> String {
    let mut text = "sku,date,units\n".to_owned();
    for (sku, units) in items {
        for back in (1..=365).rev() {
            let _ = writeln!(text, "{sku},{},{}", after(day(AS_OF), -back), units(back));
        }
    }
    text
}

fn with(extra: &[(&str, &str)], sold: String) -> (Plan, FolderInput) {
    let mut list = vec![
        ("sales.csv", sold),
        (
            "warehouses.csv",
            "code,mode,lead_p50,lead_p90\nmain,sea,35,35\n".to_owned(),
        ),
    ];
    list.extend(extra.iter().map(|(name, text)| (*name, (*text).to_owned())));
    if !extra.iter().any(|(name, _)| *name == "stock.csv") {
        list.push(("stock.csv", "sku,available\nA,0\n".to_owned()));
    }
    let input = folder(&list);
    let plan = plan(&input.snapshot, &input.policy, None);
    for line in &plan.lines {
        assert_eq!(line.explain.broken_sums(), Vec::<String>::new());
    }
    (plan, input)
}

fn line<'a>(plan: &'a Plan, sku: &str) -> &'a PlanLine {
    plan.lines
        .iter()
        .find(|line| line.sku.as_str() == sku)
        .expect("the line")
}

fn value(line: &PlanLine, key: &str) -> f64 {
    let found = line
        .explain
        .find(key)
        .and_then(|term: &Explain| term.value.parse().ok());
    assert!(found.is_some(), "no number `{key}` in {:?}", line.explain);
    found.unwrap_or_default()
}

fn mean(plan: &Plan) -> f64 {
    value(line(plan, "A"), "demand_mean")
}

#[test]
fn r13_twelve_a_day_is_twelve_a_day() {
    let (plan, _) = with(&[], sales(&[("A", &|_| 12)]));
    // Review 7 days and lead time 35.
    assert_eq!(mean(&plan), 504.0);
    assert_eq!(value(line(&plan, "A"), "rate"), 12.0);
    let class = line(&plan, "A").explain.find("class_demand").expect("shown");
    assert_eq!(class.value, "smooth");
}

#[test]
fn an_override_holds_for_its_days_is_shown_and_ends() {
    let head = "sku,from,until,factor,units_per_day,author,note\n";
    let sold = || sales(&[("A", &|_| 10)]);
    let (plain, _) = with(&[], sold());
    let twice = format!("{head}A,2026-11-22,2026-12-05,2,,li,rival gone\n");
    let (doubled, _) = with(&[("overrides.csv", &twice)], sold());
    // Fourteen days of ten more.
    assert_eq!(mean(&doubled) - mean(&plain), 140.0);
    let term = line(&doubled, "A").explain.find("override").expect("shown");
    assert_eq!((&*term.value, &*term.unit), ("200", "percent"));
    let about: Vec<&str> = term.terms.iter().map(|term| &*term.value).collect();
    assert_eq!(about, ["2026-11-22", "2026-12-05", "li", "rival gone"]);
    let fixed = format!("{head}A,2026-11-22,2026-12-05,,3,li,\n");
    let (fixed, _) = with(&[("overrides.csv", &fixed)], sold());
    assert_eq!(mean(&plain) - mean(&fixed), 98.0);
    // It ended yesterday: told of, and without effect.
    let ended = format!("{head}A,2026-10-01,2026-11-21,5,,li,\n");
    let (ended, _) = with(&[("overrides.csv", &ended)], sold());
    assert_eq!(mean(&ended), mean(&plain));
    assert!(line(&ended, "A").explain.find("override").is_some());
    let long_ago = format!("{head}A,2026-08-01,2026-09-21,5,,li,\n");
    let (gone, _) = with(&[("overrides.csv", &long_ago)], sold());
    assert!(line(&gone, "A").explain.find("override").is_none());
}

#[test]
fn a_chosen_velocity_rule_is_used_between_its_days_and_ours_stands_beside() {
    let sold = || sales(&[("A", &|back| if back <= 7 { 20 } else { 10 })]);
    let head = "sku,from,until,fixed,w7,w30,use\n";
    let used = format!("{head}A,2026-11-01,2026-12-31,,0.7,0.3,yes\n");
    let (used, _) = with(&[("velocity.csv", &used)], sold());
    // 0.7 × 20 + 0.3 × (7 × 20 + 23 × 10) ÷ 30
    assert_eq!(value(line(&used, "A"), "rule_used"), 17.7);
    assert_eq!(value(line(&used, "A"), "rate"), 17.7);
    assert_eq!(mean(&used), (17.7_f64 * 42.0).round());
    let ours = value(line(&used, "A"), "rate_ours");
    let beside = format!("{head}A,2026-11-01,,,0.7,0.3,no\n");
    let (beside, _) = with(&[("velocity.csv", &beside)], sold());
    assert_eq!(value(line(&beside, "A"), "rule_beside"), 17.7);
    assert_eq!(value(line(&beside, "A"), "rate"), ours);
    let ended = format!("{head}A,2026-10-01,2026-11-21,30,,,yes\n");
    let (ended, _) = with(&[("velocity.csv", &ended)], sold());
    assert_eq!(value(line(&ended, "A"), "rate"), ours);
    assert!(line(&ended, "A").explain.find("rule_used").is_none());
}

#[test]
fn promoted_days_are_divided_out_and_their_units_shown() {
    let promoted = |back: i64| if (20..=26).contains(&back) { 30 } else { 10 };
    let (plain, _) = with(&[], sales(&[("A", &promoted)]));
    let days = format!("{},{}", after(day(AS_OF), -26), after(day(AS_OF), -20));
    let named = format!("sku,from,until,uplift\nA,{days},3\n");
    let (named, _) = with(&[("promotions.csv", &named)], sales(&[("A", &promoted)]));
    assert_eq!(value(line(&named, "A"), "promotion_units"), 140.0);
    assert_eq!(mean(&named), 420.0);
    assert!(mean(&plain) > 420.0);
    // Learned from seven days: half believed.
    let learned = format!("sku,from,until\nA,{days}\n");
    let (learned, _) = with(&[("promotions.csv", &learned)], sales(&[("A", &promoted)]));
    assert_eq!(value(line(&learned, "A"), "promotion_units"), 105.0);
    // A coming one raises what is expected.
    let coming = "sku,from,until,uplift\nA,2026-12-01,2026-12-07,2\n";
    let (coming, _) = with(&[("promotions.csv", coming)], sales(&[("A", &|_| 10)]));
    assert_eq!(mean(&coming), 490.0);
}

#[test]
fn r16_an_event_ahead_moves_demand_and_its_past_is_not_the_level() {
    let items: Vec<String> = (0..30).map(|n| format!("S{n}")).chain(["A".to_owned()]).collect();
    let sold = |back: i64| -> u32 { if (100..=103).contains(&back) { 25 } else { 10 } };
    let all: Vec<(&str, &dyn Fn(i64) -> u32)> = items
        .iter()
        .map(|sku| (sku.as_str(), &sold as &dyn Fn(i64) -> u32))
        .collect();
    let past = format!(
        "prime_day,{},{},1.2\n",
        after(day(AS_OF), -103),
        after(day(AS_OF), -100)
    );
    let dates = format!("name,from,until,multiplier\n{past}prime_day,2026-12-01,2026-12-04,1.2\n");
    let (plan, _) = with(&[("events.csv", &dates)], sales(&all));
    let multiplier = value(line(&plan, "A"), "event") / 100.0;
    // 124 selling days seen against a prior of 60: (124 × 2.5 + 60 × 1.2) ÷ 184.
    assert!((multiplier - 2.076).abs() < 0.01, "{multiplier}");
    let extra = 4.0 * (multiplier - 1.0) * 10.0;
    assert!((mean(&plan) - 420.0 - extra).abs() < 12.0, "{}", mean(&plan));
}

#[test]
fn r16_an_event_without_its_next_dates_is_told_of() {
    let input = folder(&[
        ("sales.csv", sales(&[("A", &|_| 10)])),
        (
            "events.csv",
            "name,from,until,multiplier\nprime_day,2026-07-11,2026-07-12,2\nbfcm,2025-11-28,2025-12-01,2\nbfcm,2026-11-27,2026-11-30,2\n"
                .to_owned(),
        ),
    ]);
    let told: Vec<String> = input.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("prime_day") && told[0].contains("not extended beyond 2026-07-12"),
        "{told:#?}"
    );
}

#[test]
fn r13_sets_sell_their_components() {
    let sold = sales(&[("A", &|_| 2), ("SET", &|_| 3)]);
    let (plan, input) = with(
        &[("bundles.csv", "bundle,component,units\nSET,A,4\nSET,BOX,1\n")],
        sold,
    );
    assert_eq!(value(line(&plan, "A"), "rate"), 14.0);
    assert_eq!(value(line(&plan, "BOX"), "rate"), 3.0);
    assert!(plan.lines.iter().all(|line| line.sku.as_str() != "SET"));
    assert!(
        input
            .assumptions
            .iter()
            .any(|assumed| assumed.code == "sets_opened")
    );
}

#[test]
fn r8_a_line_of_500_is_split_off_by_its_size_and_a_later_day_does_not_change_that() {
    let sold = sales(&[("A", &|back| if back == 40 { 510 } else { 10 })]);
    let (_, input) = with(&[], sold);
    let mut facts = input.snapshot;
    let (warehouse, sku) = (facts.series[0].warehouse.clone(), facts.series[0].sku.clone());
    let large = |back: i64, units: u32| BulkUnits {
        warehouse: warehouse.clone(),
        sku: sku.clone(),
        day: after(day(AS_OF), -back),
        units,
    };
    let (order, customer) = (large(40, 500), large(20, 25));
    facts.demand.large = vec![order.clone(), customer];
    let found = plan(&facts, &input.policy, None);
    assert_eq!(value(line(&found, "A"), "bulk_units"), 500.0);
    // What a person names of the item is all of it.
    facts.demand.bulk = vec![BulkUnits { units: 300, ..order }];
    let named = plan(&facts, &input.policy, None);
    assert_eq!(value(line(&named, "A"), "bulk_units"), 300.0);
}

#[test]
fn bulk_orders_are_a_stream_of_their_own() {
    let sold = sales(&[("A", &|back| if back == 40 { 510 } else { 10 })]);
    let bulk = format!("sku,date,units\nA,{},500\n", after(day(AS_OF), -40));
    let (plan, _) = with(&[("bulk.csv", &bulk)], sold);
    assert_eq!(value(line(&plan, "A"), "bulk_units"), 500.0);
    // Half of the rate such orders came at: 500 ÷ 365 ÷ 2.
    assert_eq!(value(line(&plan, "A"), "bulk_rate"), 0.685);
    assert_eq!(value(line(&plan, "A"), "rate"), 10.685);
}

#[test]
fn closing_stock_tells_the_days_that_had_nothing_to_sell() {
    let out = |back: i64| (50..=79).contains(&back);
    let sold = sales(&[("A", &|back| if out(back) { 0 } else { 10 })]);
    let mut closing = "sku,date,closing\n".to_owned();
    // Every third day is looked at.
    for back in (1..=365).rev().filter(|back| back % 3 == 0) {
        let left = if out(back) { 0 } else { 200 };
        let _ = writeln!(closing, "A,{},{left}", after(day(AS_OF), -back));
    }
    let (blind, _) = with(&[], sold.clone());
    let (seen, _) = with(&[("stock_days.csv", &closing)], sold);
    assert!(mean(&blind) < 410.0);
    assert_eq!(mean(&seen), 420.0);
    assert!((28..=30).contains(&line(&seen, "A").out_of_stock_days));
}

#[test]
fn a_new_item_sells_like_others_of_its_kind_until_it_knows_better() {
    let mut sold = sales(&[("P", &|_| 9), ("Q", &|_| 10), ("R", &|_| 11)]);
    for back in 1..=14 {
        let _ = writeln!(sold, "A,{},2", after(day(AS_OF), -back));
    }
    let traits = "sku,category,brand\nA,lamp,x\nP,lamp,x\nQ,lamp,x\nR,lamp,y\n";
    let (alone, _) = with(&[], sold.clone());
    let (plan, _) = with(&[("traits.csv", traits)], sold);
    assert_eq!(value(line(&alone, "A"), "rate"), 2.0);
    let new = line(&plan, "A");
    assert_eq!(value(new, "group_items"), 3.0);
    assert_eq!(value(new, "group_rate"), 10.0);
    // Peers as alike as these count for ten days (mean ÷ variance).
    assert_eq!(value(new, "group_own_weight"), 58.3);
    assert!((value(new, "rate") - (14.0 * 2.0 + 10.0 * 10.0) / 24.0).abs() < 0.001);
    assert_eq!(new.explain.find("class_life").expect("shown").value, "new");
}

#[test]
fn targets_by_rank_of_margin() {
    let sold = sales(&[("A", &|_| 10), ("B", &|_| 10), ("C", &|_| 10)]);
    let traits = "sku,margin\nA,100\nB,15\nC,1\n";
    let policy = "service_level = 0.9\nservice_a = 0.98\nservice_c = 0.8\n";
    let stock = "sku,available\nA,0\nB,0\nC,0\n";
    let (plan, _) = with(
        &[
            ("traits.csv", traits),
            ("policy.toml", policy),
            ("stock.csv", stock),
        ],
        sold,
    );
    let target = |sku| value(line(&plan, sku), "service_target");
    assert_eq!((target("A"), target("B"), target("C")), (98.0, 90.0, 80.0));
    assert_eq!(
        line(&plan, "A")
            .explain
            .find("class_margin")
            .expect("shown")
            .value,
        "A"
    );
}

#[test]
fn wrong_cells_of_demand_are_listed_and_the_plan_is_made() {
    let input = folder(&[
        ("sales.csv", sales(&[("A", &|_| 10)])),
        (
            "overrides.csv",
            "sku,from,until,factor,author\nA,2026-12-01,2026-11-01,2,li\n".to_owned(),
        ),
        (
            "promotions.csv",
            "sku,from,until,uplift\nA,2026-12-01,2026-12-02,many\n".to_owned(),
        ),
        (
            "velocity.csv",
            "sku,from,w7,w30,use\nA,2026-12-01,0.7,0.7,yes\n".to_owned(),
        ),
    ]);
    let told: Vec<String> = input.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(input.snapshot.demand.is_empty());
}

fn known() -> FolderInput {
    folder(&[
        (
            "sales.csv",
            sales(&[
                ("A", &|back| (back * 7919 % 13) as u32),
                ("B", &|back| (back % 5) as u32),
            ]),
        ),
        ("stock.csv", "sku,available\nA,10\nB,4\n".to_owned()),
        (
            "warehouses.csv",
            "code,mode,lead_p50,lead_p90\nmain,sea,35,45\n".to_owned(),
        ),
        (
            "promotions.csv",
            "sku,from,until\nA,2026-10-01,2026-10-07\nB,2026-09-01,2026-09-03\n".to_owned(),
        ),
        (
            "events.csv",
            "name,from,until,multiplier\nx,2026-11-27,2026-11-30,2\ny,2026-12-20,2026-12-24,1.5\n".to_owned(),
        ),
        (
            "overrides.csv",
            "sku,from,until,factor,author\nA,2026-12-01,2026-12-11,2,li\nA,2026-12-05,2026-12-20,3,wu\n"
                .to_owned(),
        ),
    ])
}

#[test]
fn the_order_of_what_is_known_does_not_show_and_a_stored_snapshot_reads_back() {
    let input = known();
    let first = plan(&input.snapshot, &input.policy, None);
    let mut turned = input.snapshot.clone();
    turned.demand.promotions.reverse();
    turned.demand.events.reverse();
    turned.demand.overrides.reverse();
    assert_eq!(plan(&turned, &input.policy, None), first);
    let stored = serde_json::to_string(&canonical(&turned)).expect("written");
    let back = serde_json::from_str(&stored).expect("read back");
    assert_eq!(plan(&back, &input.policy, None), first);
    // A snapshot of before has none of it.
    let mut old = serde_json::to_value(&input.snapshot).expect("written");
    old.as_object_mut().expect("an object").remove("demand");
    let old: linkstar::planner::Snapshot = serde_json::from_value(old).expect("read");
    assert!(old.demand.is_empty());
    assert_ne!(plan(&old, &input.policy, None).id, first.id);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn days_without_data_alone_never_change_the_class(seed in 0_u64..500, gap in 3_usize..40) {
        let as_of = day(AS_OF);
        let mut item = super::item("A", as_of, &super::lumpy(seed, 280), 0);
        let facts = |item| super::snapshot(as_of, vec![super::lane(linkstar::order::Mode::Sea, 35, 45, 1)], vec![item]);
        let class = |plan: &Plan| {
            let find = |key| super::only(plan).explain.find(key).map(|term| term.value.clone());
            (find("class_demand"), find("class_life"))
        };
        let policy = linkstar::planner::Policy { season: false, ..Default::default() };
        let whole = super::plan(&facts(item.clone()), &policy);
        // The same days, a hole of days without data among them.
        let mut units: Vec<Option<u32>> = item.sales.units.iter().collect();
        let hole = units.len() / 2;
        units.splice(hole..hole, std::iter::repeat_n(None, gap));
        item.sales.first_day = after(item.sales.first_day, -(gap as i64));
        item.sales.units = units.into_iter().collect();
        let gappy = super::plan(&facts(item), &policy);
        prop_assert_eq!(class(&gappy), class(&whole));
        prop_assert_eq!(super::only(&gappy).need_units, super::only(&whole).need_units);
    }

    #[test]
    fn scaling_demand_and_stock_scales_the_need(seed in 0_u64..500, times in 2_u32..9) {
        let as_of = day(AS_OF);
        let units = super::lumpy(seed, 365);
        let many: Vec<u32> = units.iter().map(|units| units * times * 100).collect();
        let base: Vec<u32> = units.iter().map(|units| units * 100).collect();
        let facts = |days: &[u32], stock| super::snapshot(
            as_of,
            vec![super::lane(linkstar::order::Mode::Sea, 35, 45, 1)],
            vec![super::item("A", as_of, days, stock)],
        );
        let policy = linkstar::planner::Policy::default();
        let one = super::only(&super::plan(&facts(&base, 500), &policy)).need_units.expect("computed");
        let stock = 500 * i64::from(times);
        let all = super::only(&super::plan(&facts(&many, stock), &policy)).need_units.expect("computed");
        // Whole units are rounded up on both sides, and a search ends within a millionth.
        prop_assert!((all - one * i64::from(times)).abs() <= i64::from(times) + 2 + all / 100_000, "{} {}", all, one);
    }
}
