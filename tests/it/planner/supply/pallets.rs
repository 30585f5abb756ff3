//! R20: a way that takes whole pallets, or containers, only.

use linkstar::money::{Currency, Money};
use linkstar::order::Mode;
use linkstar::planner::{ItemTerms, Plan, Policy, Reason, RoundTo, Rounding, Snapshot, SupplyPolicy};
use rust_decimal::Decimal;

use super::modes::{money, shop};
use super::{sound, terms};
use crate::planner::{code, plan};

fn rounded(to: RoundTo, mode: Option<Mode>) -> Vec<Rounding> {
    vec![Rounding {
        warehouse: code("goodcang:UKMA"),
        mode,
        to,
    }]
}

/// Cartons of the first 24 items' pallets: 8, 9 and 10; nobody knows those of the last one.
fn palletised() -> Snapshot {
    let mut facts = shop(25);
    facts.supply.rounding = rounded(RoundTo::Pallet, Some(Mode::Sea));
    for (n, item) in facts.supply.items.iter_mut().enumerate().take(24) {
        item.pallet_cartons = Some(8 + n as i64 % 3);
    }
    facts
}

/// Units of a pallet, by the number in the SKU.
fn pallet(sku: &str) -> i64 {
    let n: i64 = sku[1..].parse().expect("a number");
    (6 + n % 3) * (8 + n % 3)
}

fn whole_pallets(plan: &Plan) {
    for line in plan.lines.iter().filter(|line| line.sku.as_str() != "S24") {
        let units = line.suggested_units.expect("known");
        assert_eq!(units % pallet(line.sku.as_str()), 0, "{}", line.sku);
    }
    sound(plan);
}

#[test]
fn r20_a_way_of_pallets_gets_whole_ones_and_the_rounding_is_a_term() {
    let free = plan(&shop(25), &Policy::default());
    let full = plan(&palletised(), &Policy::default());
    whole_pallets(&full);
    let mut rounded = 0;
    for (line, before) in full.lines.iter().zip(&free.lines) {
        let added = line.explain.units_of("pallet_rounding").unwrap_or(0);
        assert_eq!((&line.sku, line.need_units), (&before.sku, before.need_units));
        assert_eq!(
            line.suggested_units,
            before.suggested_units.map(|units| units + added)
        );
        assert_eq!(line.reasons.contains(&Reason::PalletRounded), added > 0);
        rounded += usize::from(added > 0);
    }
    assert!(rounded > 5, "{rounded}");
}

#[test]
fn r20_a_pallet_nobody_knows_stays_in_cartons_and_says_so() {
    let mut facts = palletised();
    for item in &mut facts.supply.items {
        item.pallet_cartons = None;
    }
    let free = plan(&shop(25), &Policy::default());
    let full = plan(&facts, &Policy::default());
    for (line, before) in full.lines.iter().zip(&free.lines) {
        assert_eq!(line.suggested_units, before.suggested_units);
        let ordered = line.suggested_units > Some(0);
        assert_eq!(
            line.reasons.contains(&Reason::PalletUnknown),
            ordered,
            "{}",
            line.sku
        );
    }
}

#[test]
fn r20_another_way_is_not_rounded_to_pallets() {
    let mut facts = palletised();
    facts.supply.rounding = rounded(RoundTo::Pallet, Some(Mode::Air));
    let lines =
        |plan: Plan| -> Vec<Option<i64>> { plan.lines.iter().map(|line| line.suggested_units).collect() };
    let policy = Policy::default();
    assert_eq!(lines(plan(&facts, &policy)), lines(plan(&shop(25), &policy)));
}

#[test]
fn a_budget_and_a_full_warehouse_take_whole_pallets_away() {
    let mut facts = palletised();
    let free = plan(&facts, &Policy::default());
    let budget = Money::new(money(&free) / Decimal::from(2), Currency::CNY);
    let policy = Policy {
        supply: SupplyPolicy {
            budget: Some(budget),
            ..SupplyPolicy::default()
        },
        ..Policy::default()
    };
    let cut = plan(&facts, &policy);
    assert!(money(&cut) <= budget.amount && money(&cut) > budget.amount * Decimal::new(8, 1));
    whole_pallets(&cut);

    let units: i64 = free.lines.iter().filter_map(|line| line.suggested_units).sum();
    let there: i64 = facts.series.iter().filter_map(|item| item.available).sum();
    facts.supply.capacity = vec![linkstar::planner::Capacity {
        warehouse: code("goodcang:UKMA"),
        units: Some(there + units / 2),
        volume_l: None,
    }];
    let capped = plan(&facts, &Policy::default());
    let ordered: i64 = capped.lines.iter().filter_map(|line| line.suggested_units).sum();
    assert!(ordered <= units / 2 && ordered > 0);
    whole_pallets(&capped);
}

#[test]
fn r20_containers_are_filled_only_on_the_ways_that_take_them_and_from_what_the_budget_leaves() {
    let container = |budget: Option<Decimal>| Policy {
        supply: SupplyPolicy {
            container_l: Some(4_000),
            budget: budget.map(|amount| Money::new(amount, Currency::CNY)),
            ..SupplyPolicy::default()
        },
        ..Policy::default()
    };
    let mut facts = shop(25);
    let free = plan(&facts, &Policy::default());
    let filled = plan(&facts, &container(None));
    let added = money(&filled) - money(&free);
    assert!(added > Decimal::ZERO);
    // Half of what the filling costs is left: it is filled for that and no more.
    let budget = money(&free) + added / Decimal::from(2);
    let tight = plan(&facts, &container(Some(budget)));
    assert!(money(&tight) <= budget && money(&tight) > money(&free));
    assert!(
        tight
            .lines
            .iter()
            .any(|line| line.reasons.contains(&Reason::ContainerFilled))
    );
    sound(&tight);
    // Nothing is left: nothing is filled.
    let none = plan(&facts, &container(Some(money(&free))));
    assert_eq!(money(&none), money(&free));
    // A way of cartons is not filled, a way of containers is.
    facts.supply.rounding = rounded(RoundTo::Carton, None);
    assert_eq!(money(&plan(&facts, &container(None))), money(&free));
    facts.supply.rounding = rounded(RoundTo::Container, Some(Mode::Sea));
    assert_eq!(money(&plan(&facts, &container(None))), money(&filled));
}

#[test]
fn an_item_that_flies_a_part_keeps_it_and_the_ship_carries_whole_pallets() {
    let as_of = chrono::NaiveDate::from_ymd_opt(2026, 3, 1).expect("a date");
    let lanes = vec![
        crate::planner::lane(Mode::Sea, 45, 45, 1),
        crate::planner::lane(Mode::Air, 10, 10, 2),
    ];
    let mut one = crate::planner::item("A", as_of, &[12; 365], 300);
    one.carton_units = Some(10);
    let mut facts = crate::planner::snapshot(as_of, lanes, vec![one]);
    facts.supply.items = vec![ItemTerms {
        margin: Some(super::cny("50")),
        pallet_cartons: Some(7),
        ..terms("A")
    }];
    facts.supply.freight = vec![super::freight(Mode::Air, "8"), super::freight(Mode::Sea, "1")];
    let free = plan(&facts, &Policy::default());
    facts.supply.rounding = rounded(RoundTo::Pallet, Some(Mode::Sea));
    let full = plan(&facts, &Policy::default());
    let parts = |plan: &Plan| -> Vec<(Mode, i64)> {
        let supply = plan.lines[0].supply.as_ref().expect("parts");
        supply.parts.iter().map(|part| (part.mode, part.units)).collect()
    };
    let (free, full_parts) = (parts(&free), parts(&full));
    assert_eq!(free[0], full_parts[0]);
    assert_eq!(full_parts[0].0, Mode::Air);
    assert_eq!(full_parts[1].1 % 70, 0);
    assert!(full_parts[1].1 > free[1].1 && full_parts[1].1 - free[1].1 < 70);
    sound(&full);
}
