//! The policies of the textbooks by name, and the place calibration reads at.

use linkstar::order::Mode;
use linkstar::planner::{Calibration, Method, Plan, Policy, SalesClass, explain_text};
use linkstar::wording::Lang;

use super::{code, day, item, lane, lumpy, only, plan, snapshot};

const AS_OF: &str = "2026-11-22";

fn planned(policy: &Policy, available: i64) -> Plan {
    let series = vec![item("LAMP", day(AS_OF), &lumpy(7, 365), available)];
    plan(
        &snapshot(day(AS_OF), vec![lane(Mode::Sea, 30, 38, 1)], series),
        policy,
    )
}

fn by(method: Method) -> Policy {
    Policy {
        method,
        ..Policy::default()
    }
}

#[test]
fn r13_each_named_policy_says_its_parameters_and_its_terms_add_up() {
    for method in Method::ALL {
        for available in [0, 100, 140, 170, 200, 1_000] {
            let plan = planned(&by(method), available);
            let line = only(&plan);
            assert!(line.explain.broken_sums().is_empty(), "{method:?} at {available}");
            assert_eq!(line.explain.find("method").is_some(), method != Method::Linkstar);
            assert!(line.need_units.expect("computed") >= 0);
        }
    }
    let text = |method: Method, lang: Lang| explain_text(only(&planned(&by(method), 100)), lang);
    for (method, wanted) in [
        (Method::ReviewUpTo, "Method: R,S"),
        (Method::PointUpTo, "s: reorder at or below"),
        (Method::PointLot, "Q: lot"),
        (Method::BaseStock, "S: order up to"),
    ] {
        let english = text(method, Lang::En);
        assert!(english.contains(wanted), "{english}");
        let all = english + &text(method, Lang::Zh);
        assert!(!all.contains("[plan."), "{all}");
    }
}

#[test]
fn r13_a_point_and_a_lot_decide_when_and_how_much() {
    let of = |method: Method, available: i64, key: &str| {
        let plan = planned(&by(method), available);
        let line = only(&plan);
        (
            line.explain.units_of(key).expect("shown"),
            line.need_units.expect("computed"),
        )
    };
    let (point, _) = of(Method::PointLot, 0, "method.r");
    let (lot, _) = of(Method::PointLot, 0, "method.Q");
    assert_eq!(
        of(Method::PointLot, point + 1, "method.r").1,
        0,
        "above the point"
    );
    assert_eq!(
        of(Method::PointLot, point, "method.r").1,
        lot,
        "at the point one lot"
    );
    let (least, need) = of(Method::PointUpTo, point, "method.s");
    assert_eq!(least, point, "the same point");
    assert_eq!(need, lot, "up to s and a lot");
    assert_eq!(of(Method::BaseStock, point - 5, "method.S"), (point, 5));
}

#[test]
fn r13_more_stock_never_raises_an_order_whatever_the_method() {
    for method in Method::ALL {
        let mut last = i64::MAX;
        for available in (0..400).step_by(10) {
            let plan = planned(&by(method), available);
            let need = only(&plan).need_units.expect("computed");
            assert!(need <= last, "{method:?} at {available}");
            last = need;
        }
    }
}

#[test]
fn a_lot_of_known_costs_is_wilsons() {
    use linkstar::money::{Currency, Money};
    let mut series = item("LAMP", day(AS_OF), &[10; 365], 0);
    series.unit_cost = Some(Money::new("36.5".parse().expect("an amount"), Currency::CNY));
    let policy = Policy {
        order_cost: Some(Money::new("100".parse().expect("an amount"), Currency::CNY)),
        holding_permille: 200,
        ..by(Method::PointLot)
    };
    let plan = plan(
        &snapshot(day(AS_OF), vec![lane(Mode::Sea, 30, 38, 1)], vec![series]),
        &policy,
    );
    // 2 x 100 x 10 / (36.5 x 0.2 / 365) = 100,000, of which the root is 316.
    assert_eq!(only(&plan).explain.units_of("method.Q"), Some(316));
}

fn calibrated(shift_ppm: i64, outcomes: i64) -> Policy {
    Policy {
        calibration: vec![Calibration {
            warehouse: code("goodcang:UKMA"),
            mode: Mode::Sea,
            class: SalesClass::Weekly,
            target_permille: 950,
            shift_ppm,
            outcomes,
            days: 12,
            read_ppm: 950_000,
            attained_ppm: 938_000,
        }],
        ..Policy::default()
    }
}

#[test]
fn what_was_attained_moves_the_level_and_is_told() {
    let level = |policy: &Policy| {
        only(&planned(policy, 0))
            .explain
            .units_of("order_up_to")
            .expect("shown")
    };
    let (plain, higher, lower) = (
        level(&Policy::default()),
        level(&calibrated(12_000, 400)),
        level(&calibrated(-20_000, 400)),
    );
    assert!(lower < plain && plain < higher, "{lower} {plain} {higher}");
    assert_eq!(
        level(&calibrated(12_000, 199)),
        plain,
        "too few outcomes move nothing"
    );
    let plan = planned(&calibrated(12_000, 400), 0);
    let english = explain_text(only(&plan), Lang::En);
    let told = "Target moved by what earlier decisions attained: 96.2 %\n    Decisions judged: 400\n    Read by earlier decisions: 95 %\n    Attained by earlier decisions: 93.8 %";
    assert!(english.contains(told), "{english}");
    assert!(!explain_text(only(&plan), Lang::Zh).contains("[plan."));
}

#[test]
fn a_policy_that_asks_for_nothing_new_is_written_as_before() {
    let text = serde_json::to_string(&Policy::default()).expect("JSON");
    for key in ["method", "lot_days", "order_cost", "holding", "calibrat"] {
        assert!(!text.contains(key), "{text}");
    }
}
