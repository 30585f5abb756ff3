//! A fast part beside a slow one (R37), targets from costs, a budget, containers.

use linkstar::planner::explain_text;

use super::*;

fn bridge(air: &str, sea: &str) -> Plan {
    let as_of = day("2026-11-22");
    let mut facts = snapshot(
        as_of,
        vec![lane(Mode::Sea, 45, 45, 1), lane(Mode::Air, 10, 10, 2)],
        vec![item("A", as_of, &[12; 365], 300)],
    );
    facts.supply.items = vec![ItemTerms {
        margin: Some(cny("50")),
        ..terms("A")
    }];
    facts.supply.freight = vec![freight(Mode::Air, air), freight(Mode::Sea, sea)];
    plan(&facts, &Policy::default())
}

#[test]
fn r37_air_saves_240_units_of_margin_so_they_fly_and_the_rest_goes_by_sea() {
    let split = bridge("40", "5");
    let line = only(&split);
    let supply = line.supply.as_ref().unwrap();
    let parts: Vec<(Mode, i64)> = supply.parts.iter().map(|part| (part.mode, part.units)).collect();
    assert_eq!(parts[0], (Mode::Air, 240));
    assert_eq!(parts[1].0, Mode::Sea);
    assert_eq!(Some(parts[1].1 + 240), line.suggested_units);
    assert_eq!(supply.parts[0].freight, Some(cny("9600")));
    assert!(line.reasons.contains(&Reason::ModeSplit));
    sound(&split);
    // Flying costs more than the margin: everything by sea.
    let sea = bridge("60", "5");
    let line = only(&sea);
    assert_eq!(line.mode, Some(Mode::Sea));
    assert!(line.supply.is_none(), "{:?}", line.supply);
    assert_eq!(line.suggested_units, only(&split).suggested_units);
}

#[test]
fn r37_without_a_rate_nothing_is_weighed_and_the_mode_moves_as_before() {
    let as_of = day("2026-11-22");
    let lanes = vec![lane(Mode::Sea, 45, 45, 1), lane(Mode::Air, 10, 10, 2)];
    let mut facts = snapshot(as_of, lanes, vec![item("A", as_of, &[12; 365], 300)]);
    facts.supply.items = vec![ItemTerms {
        margin: Some(cny("50")),
        ..terms("A")
    }];
    facts.supply.freight = vec![freight(Mode::Sea, "5")];
    let one_rate = plan(&facts, &Policy::default());
    assert_eq!(only(&one_rate).mode, Some(Mode::Air));
    assert!(only(&one_rate).supply.is_none());
}

#[test]
fn the_newsvendor_s_target_stands_beside_the_service_class_and_is_used_when_chosen() {
    let as_of = day("2026-11-22");
    let mut line = item("A", as_of, &super::super::lumpy(7, 365), 0);
    line.unit_cost = Some(cny("100"));
    let mut facts = snapshot(as_of, vec![lane(Mode::Sea, 40, 50, 1)], vec![line]);
    facts.supply.items = vec![ItemTerms {
        margin: Some(cny("10")),
        volume_cm3: Some(50_000),
        pallet_cartons: None,
        ..terms("A")
    }];
    facts.supply.storage = vec![StorageTier {
        currency: Currency::CNY,
        ..tier(0, "8")
    }];
    let policy = |target| Policy {
        review_days: 14,
        supply: SupplyPolicy {
            target,
            ..SupplyPolicy::default()
        },
        ..Policy::default()
    };
    let (service, cost) = (
        plan(&facts, &policy(TargetRule::Service)),
        plan(&facts, &policy(TargetRule::Cost)),
    );
    for (plan, used) in [(&service, "95"), (&cost, "62.3")] {
        let view = only(plan)
            .supply
            .as_ref()
            .and_then(|supply| supply.target.clone())
            .unwrap();
        // 10 / (10 + 0.05 m³ × 8 × 14 days + 100 × 12 % × 14 / 365)
        assert_eq!((view.service_permille, view.cost_permille), (950, 623));
        let target = only(plan).explain.find("service_target").unwrap();
        assert_eq!(target.value, used);
        sound(plan);
    }
    assert!(only(&cost).need_units < only(&service).need_units);
}

#[test]
fn the_fee_of_low_stock_counts_by_its_test_and_what_is_not_known_is_named() {
    let as_of = day("2026-11-22");
    let with = |days_30: Option<&str>, days_90: Option<&str>| {
        let mut line = item("A", as_of, &[12; 365], 0);
        line.unit_cost = Some(cny("100"));
        let mut facts = snapshot(as_of, vec![lane(Mode::Sea, 40, 50, 1)], vec![line]);
        let number = |text: Option<&str>| text.map(|text| text.parse().expect("a number"));
        facts.supply.items = vec![ItemTerms {
            margin: Some(cny("10")),
            low_stock_fee: Some(cny("5")),
            supply_days_30: number(days_30),
            supply_days_90: number(days_90),
            ..terms("A")
        }];
        plan(&facts, &Policy::default())
    };
    for (days_30, days_90, costs, found, missing) in [
        (Some("14"), Some("42"), "10", "low_stock_supplied", None),
        (Some("14"), Some("27.5"), "15", "low_stock_taken", None),
        (
            Some("14"),
            None,
            "15",
            "low_stock_unknown",
            Some("supply_days_90"),
        ),
        (
            None,
            None,
            "15",
            "low_stock_unknown",
            Some("supply_days_30, supply_days_90"),
        ),
    ] {
        let plan = with(days_30, days_90);
        let explain = &only(&plan).explain;
        assert_eq!(
            explain.find("missing_costs").map(|term| &*term.value),
            Some(costs)
        );
        let fee = explain.find("low_stock_fee").expect("a fee was stated");
        assert_eq!(fee.value, found);
        assert_eq!(fee.find("low_stock_missing").map(|term| &*term.value), missing);
        assert_eq!(fee.find("low_stock_limit").map(|term| &*term.value), Some("28"));
        for lang in [Lang::Zh, Lang::En] {
            let text = explain_text(only(&plan), lang);
            assert!(
                !text.contains("low_stock_") && !text.contains("[explain."),
                "{text}"
            );
        }
    }
}

pub fn shop(count: u64) -> Snapshot {
    let as_of = day("2026-11-22");
    let items: Vec<_> = (0..count)
        .map(|n| {
            let mut line = item(
                &format!("S{n:02}"),
                as_of,
                &super::super::lumpy(n, 365),
                i64::try_from(n).expect("small") * 7,
            );
            line.unit_cost = Some(cny(&format!("{}", 5 + n % 7)));
            line.carton_units = Some(6 + i64::try_from(n % 3).expect("small"));
            line
        })
        .collect();
    let mut facts = snapshot(as_of, vec![lane(Mode::Sea, 35, 45, 1)], items);
    facts.supply.items = (0..count)
        .map(|n| ItemTerms {
            margin: Some(cny(&format!("{}", 3 + n % 11))),
            volume_cm3: Some(2_000),
            pallet_cartons: None,
            weight_g: Some(500),
            ..terms(&format!("S{n:02}"))
        })
        .collect();
    facts
}

pub fn money(plan: &Plan) -> rust_decimal::Decimal {
    plan.lines
        .iter()
        .filter_map(|line| line.cost.map(|cost| cost.amount))
        .sum()
}

#[test]
fn a_budget_is_kept_and_every_cut_is_a_term() {
    let facts = shop(25);
    let free = plan(&facts, &Policy::default());
    let budget = money(&free) / rust_decimal::Decimal::from(2);
    let policy = Policy {
        supply: SupplyPolicy {
            budget: Some(Money::new(budget, Currency::CNY)),
            ..SupplyPolicy::default()
        },
        ..Policy::default()
    };
    let cut = plan(&facts, &policy);
    assert!(money(&cut) <= budget && money(&cut) > budget * rust_decimal::Decimal::new(95, 2));
    for line in cut
        .lines
        .iter()
        .filter(|line| line.reasons.contains(&Reason::BudgetCut))
    {
        assert!(line.explain.units_of("budget") < Some(0));
        assert_eq!(
            line.suggested_units.unwrap() % line.suggested_cartons.unwrap().max(1),
            0
        );
    }
    sound(&cut);
    let mut backward = facts;
    backward.series.reverse();
    backward.supply.items.reverse();
    let again = plan(&backward, &policy);
    assert_eq!(
        serde_json::to_vec(&cut).unwrap(),
        serde_json::to_vec(&again).unwrap()
    );
}

#[test]
fn a_container_is_filled_up_to_the_next_whole_one_by_volume_and_weight() {
    let facts = shop(25);
    let policy = |kg| Policy {
        supply: SupplyPolicy {
            container_l: Some(4_000),
            container_kg: kg,
            ..SupplyPolicy::default()
        },
        ..Policy::default()
    };
    let litres = |plan: &Plan| {
        plan.lines
            .iter()
            .filter_map(|line| line.suggested_units)
            .sum::<i64>()
            * 2
    };
    let (free, full) = (plan(&facts, &Policy::default()), plan(&facts, &policy(None)));
    let whole = (litres(&free) + 3_999) / 4_000 * 4_000;
    assert!(litres(&full) <= whole && litres(&full) > litres(&free));
    let filled = full
        .lines
        .iter()
        .filter(|line| line.reasons.contains(&Reason::ContainerFilled));
    assert!(filled.clone().count() > 0);
    for line in filled {
        assert!(line.explain.units_of("container_fill") > Some(0));
    }
    sound(&full);
    // By weight: half a kilogram a unit, so 4,000 kg are 16,000 litres; the volume binds still. 800 kg bind earlier.
    let heavy = plan(&facts, &policy(Some(800)));
    let kilograms = litres(&heavy) / 4;
    assert!(kilograms % 800 == 0 || kilograms > litres(&free) / 4);
    sound(&heavy);
}
