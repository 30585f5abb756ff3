//! Laws that hold for any history.

use linkstar::order::Mode;
use linkstar::planner::{
    Cause, InboundShipment, ItemSeries, MoqPolicy, Plan, Policy, Snapshot, canonical, diff, diff_plans,
};
use proptest::prelude::*;

use super::{after, day, item, lane, lumpy, only, plan, snapshot};

fn policy() -> Policy {
    Policy {
        paths: 100,
        horizon_days: 120,
        ..Policy::default()
    }
}

fn facts(items: Vec<ItemSeries>) -> Snapshot {
    snapshot(
        day("2026-11-22"),
        vec![lane(Mode::Sea, 35, 45, 1), lane(Mode::Air, 8, 10, 2)],
        items,
    )
}

fn inbound(units: i64, in_days: i64) -> InboundShipment {
    InboundShipment {
        reference: "SO-1".to_owned(),
        units,
        shipped_on: None,
        mode: None,
        eta: Some(after(day("2026-11-22"), in_days)),
        known: true,
    }
}

fn need(plan: &Plan) -> i64 {
    only(plan).need_units.expect("computed")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn more_stock_or_inbound_never_raises_the_quantity(
        seed in 0_u64..1000, stock in 0_i64..400, more in 1_i64..200, units in 0_i64..300, in_days in 0_i64..80,
    ) {
        let mut low = item("A", day("2026-11-22"), &lumpy(seed, 300), stock);
        low.inbound = vec![inbound(units, in_days)];
        let mut high = low.clone();
        high.available = Some(stock + more);
        let mut coming = low.clone();
        coming.inbound = vec![inbound(units + more, in_days)];
        let base = need(&plan(&facts(vec![low]), &policy()));
        prop_assert!(need(&plan(&facts(vec![high]), &policy())) <= base);
        prop_assert!(need(&plan(&facts(vec![coming]), &policy())) <= base);
    }

    #[test]
    fn a_later_arrival_never_makes_a_stock_out_later_nor_the_quantity_smaller(
        seed in 0_u64..1000, stock in 0_i64..300, in_days in 0_i64..60, delay in 1_i64..40,
    ) {
        let line = |days| {
            let mut line = item("A", day("2026-11-22"), &lumpy(seed, 300), stock);
            line.inbound = vec![inbound(200, days)];
            plan(&facts(vec![line]), &policy())
        };
        let (early, late) = (line(in_days), line(in_days + delay));
        let (early, late) = (only(&early), only(&late));
        let dates = |line: &linkstar::planner::PlanLine| {
            [line.stockout.p10, line.stockout.p50, line.stockout.p90].map(|date| date.unwrap_or(chrono::NaiveDate::MAX))
        };
        for (early, late) in dates(early).into_iter().zip(dates(late)) {
            prop_assert!(late <= early);
        }
        prop_assert!(late.need_units >= early.need_units);
    }

    #[test]
    fn demand_and_stock_times_k_is_the_level_times_k(seed in 0_u64..1000, k in 2_u32..9) {
        let days = lumpy(seed, 300);
        let times: Vec<u32> = days.iter().map(|units| units * k).collect();
        let one = plan(&facts(vec![item("A", day("2026-11-22"), &days, 0)]), &policy());
        let many = plan(&facts(vec![item("A", day("2026-11-22"), &times, 0)]), &policy());
        let level = |plan: &Plan| only(plan).explain.units_of("order_up_to").unwrap();
        // Rounding up to units happens after the multiplication.
        let (one, many, k) = (level(&one), level(&many), i64::from(k));
        prop_assert!(many <= one * k && many > (one - 1) * k, "{one} × {k} against {many}");
    }

    #[test]
    fn terms_add_up_and_no_number_is_negative_or_absurd(
        seed in 0_u64..1000, stock in -20_i64..500, carton in proptest::option::of(0_i64..50),
        moq in proptest::option::of(0_i64..400), wait in any::<bool>(),
    ) {
        let mut line = item("A", day("2026-11-22"), &lumpy(seed, 200), stock);
        line.inbound = vec![inbound(100, 20), inbound(70, 90)];
        line.carton_units = carton;
        line.moq = moq;
        let policy = Policy { moq: if wait { MoqPolicy::Wait } else { MoqPolicy::Raise }, ..policy() };
        let plan = plan(&facts(vec![line]), &policy);
        let line = only(&plan);
        prop_assert_eq!(line.explain.broken_sums(), Vec::<String>::new());
        let units = line.suggested_units.unwrap();
        prop_assert!(units >= 0 && units < 100_000);
        if let Some(carton) = carton.filter(|carton| *carton > 0) {
            prop_assert_eq!(units % carton, 0);
            prop_assert_eq!(line.suggested_cartons, Some(units / carton));
        }
        for day in &line.projection {
            prop_assert!(0 <= day.low && day.low <= day.mid && day.mid <= day.high);
        }
        let dates = [line.stockout.p10, line.stockout.p50, line.stockout.p90];
        for pair in dates.windows(2) {
            prop_assert!(pair[0].unwrap_or(chrono::NaiveDate::MAX) <= pair[1].unwrap_or(chrono::NaiveDate::MAX));
        }
    }
}

fn shop() -> Vec<ItemSeries> {
    (0..30)
        .map(|n| {
            let stock = i64::try_from(n).expect("small") * 13;
            let mut line = item(&format!("S{n:02}"), day("2026-11-22"), &lumpy(n, 400), stock);
            line.inbound = vec![inbound(50, 30), inbound(20, 3)];
            line
        })
        .collect()
}

#[test]
fn the_order_of_the_input_and_the_number_of_threads_do_not_matter() {
    let forward = facts(shop());
    let mut backward = forward.clone();
    backward.series.reverse();
    backward.warehouses[0].lanes.reverse();
    for line in &mut backward.series {
        line.inbound.reverse();
    }
    let bytes = |facts: &Snapshot| serde_json::to_vec(&plan(facts, &policy())).unwrap();
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let expected = bytes(&forward);
    assert_eq!(expected, one_thread.install(|| bytes(&forward)));
    assert_eq!(expected, bytes(&backward));
    assert_eq!(expected, bytes(&canonical(&backward)));
    let again: Snapshot = serde_json::from_slice(&serde_json::to_vec(&canonical(&forward)).unwrap()).unwrap();
    assert_eq!(expected, bytes(&again));
}

#[test]
fn any_changed_fact_or_policy_makes_another_plan_id() {
    let base = facts(shop());
    let id = |facts: &Snapshot, policy: &Policy| plan(facts, policy).id;
    let first = id(&base, &policy());
    let mut stock = base.clone();
    stock.series[7].available = Some(1);
    let mut sale = base.clone();
    sale.series[7].sales.units.set(100, None);
    let other = Policy {
        review_days: 8,
        ..policy()
    };
    assert_eq!(first, id(&base, &policy()));
    let ids = [
        first.clone(),
        id(&stock, &policy()),
        id(&sale, &policy()),
        id(&base, &other),
    ];
    let child = linkstar::planner::plan(&base, &policy(), Some(&plan(&base, &policy()))).id;
    assert_eq!(
        ids.iter()
            .chain([&child])
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        5
    );
}

#[test]
fn r79_a_difference_names_its_causes_and_they_add_up() {
    let before = facts(shop());
    let mut after_ = before.clone();
    after_.as_of = after(before.as_of, 1);
    for (n, line) in after_.series.iter_mut().enumerate() {
        line.sales.units.push(Some(if n % 3 == 0 { 60 } else { 1 }));
        match n % 4 {
            0 => line.available = line.available.map(|units| units + 40),
            1 => line.inbound.clear(),
            2 => line.carton_units = Some(24),
            _ => {}
        }
    }
    after_.series.pop();
    let gone = before.series[29].sku.clone();
    let (old, new) = (plan(&before, &policy()), plan(&after_, &policy()));
    let exact = diff((&before, &policy(), &old), (&after_, &policy(), &new));
    assert!(exact.changes.len() > 10);
    for diff in [&exact, &diff_plans(&old, &new)] {
        for change in &diff.changes {
            let sum: i64 = change.causes.iter().map(|(_, units)| units).sum();
            assert_eq!(
                sum,
                change.after.unwrap_or(0) - change.before.unwrap_or(0),
                "{change:?}"
            );
        }
    }
    let of = |sku: &str| exact.changes.iter().find(|change| change.sku.as_str() == sku);
    let causes = |sku: &str| of(sku).map(|change| change.causes.clone()).unwrap_or_default();
    assert!(
        causes("S04")
            .iter()
            .any(|(cause, units)| *cause == Cause::Stock && *units < 0)
    );
    assert!(
        causes("S01")
            .iter()
            .any(|(cause, units)| *cause == Cause::Inbound && *units > 0)
    );
    assert!(
        causes("S03")
            .iter()
            .any(|(cause, units)| *cause == Cause::Sales && *units > 0)
    );
    assert!(causes("S02").iter().any(|(cause, _)| *cause == Cause::Parameter));
    assert_eq!(
        of(gone.as_str()).map(|change| change.causes[0].0),
        Some(Cause::GoneLine)
    );
}
