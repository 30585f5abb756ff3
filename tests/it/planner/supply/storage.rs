//! Age and fees (R15), returns (R71), stages under way (R17, R21).

use super::*;

#[test]
fn r15_400_days_of_cover_show_excess_capital_next_tier_and_its_daily_fee() {
    let as_of = day("2026-11-22");
    let mut line = item("A", as_of, &[1; 365], 400);
    line.unit_cost = Some(cny("20"));
    let mut facts = snapshot(as_of, vec![lane(Mode::Sea, 40, 40, 1)], vec![line]);
    facts.supply.items = vec![ItemTerms {
        volume_cm3: Some(10_000),
        pallet_cartons: None,
        ..terms("A")
    }];
    facts.supply.storage = vec![tier(0, "0"), tier(31, "0.40"), tier(91, "0.80")];
    // 91 days old on 12 January.
    facts.supply.lots = vec![Lot {
        warehouse: code("goodcang:UKMA"),
        sku: Sku::new("A").unwrap(),
        since: Some(day("2026-10-13")),
        units: 400,
    }];
    let found = plan(&facts, &Policy::default());
    let shown = only(&found);
    assert_eq!(shown.level, Some(AlertLevel::Overstock));
    let ageing = shown
        .supply
        .as_ref()
        .and_then(|supply| supply.ageing.as_ref())
        .unwrap();
    assert_eq!(ageing.excess_units, 220, "beyond 180 days");
    assert_eq!(ageing.excess_cost, Some(cny("4400")));
    let next = ageing.next_tier.as_ref().unwrap();
    assert_eq!((next.date, next.from_age), (day("2027-01-12"), 91));
    // 51 days at one a day leave 349 units, 10 litres each, at 0.80.
    assert_eq!(next.units, 349);
    assert_eq!(next.daily_fee.unwrap().to_string(), "2.79 GBP");
    sound(&found);
    // An unknown cost leaves the units standing.
    facts.series[0].unit_cost = None;
    let unknown = plan(&facts, &Policy::default());
    let ageing = only(&unknown)
        .supply
        .as_ref()
        .and_then(|supply| supply.ageing.clone())
        .unwrap();
    assert_eq!((ageing.excess_units, ageing.excess_cost), (220, None));
}

#[test]
fn r71_8_percent_back_60_percent_resellable_adds_exactly_that_after_the_delay() {
    let as_of = day("2026-11-22");
    let mut facts = snapshot(
        as_of,
        vec![lane(Mode::Sea, 49, 49, 1)],
        vec![item("A", as_of, &[100; 365], 0)],
    );
    let without = only(&plan(&facts, &Policy::default())).need_units.unwrap();
    facts.supply.returns = vec![ReturnTerms {
        warehouse: code("goodcang:UKMA"),
        sku: None,
        rate_permille: 80,
        resellable_permille: 600,
        delay_days: 14,
        destroy_fee: Some(cny("2")),
    }];
    let with = plan(&facts, &Policy::default());
    let line = only(&with);
    // 49 + 7 days at 100 × 8 % × 60 % = 4.8 a day, told by the week: 8 weeks, 268 of 268.8 units.
    assert_eq!(line.explain.units_of("less_returns"), Some(-268));
    assert_eq!(without - line.need_units.unwrap(), 268);
    // 30 days × 100 × 8 % × 40 % at 2 each.
    let cost = line.supply.as_ref().and_then(|supply| supply.destroy_cost);
    assert_eq!(cost, Some(cny("192")));
    sound(&with);
}

#[test]
fn r71_what_was_sold_before_the_delay_is_known_and_comes_back_as_it_was() {
    let as_of = day("2026-11-22");
    let mut days = vec![10; 365];
    days[365 - 10] = 500; // ten days ago
    let mut facts = snapshot(
        as_of,
        vec![lane(Mode::Sea, 20, 20, 1)],
        vec![item("A", as_of, &days, 0)],
    );
    facts.supply.returns = vec![ReturnTerms {
        warehouse: code("goodcang:UKMA"),
        sku: Some(Sku::new("A").unwrap()),
        rate_permille: 100,
        resellable_permille: 1000,
        delay_days: 12,
        destroy_fee: None,
    }];
    let found = plan(&facts, &Policy::default());
    let first: i64 = only(&found).projection[..7].iter().map(|day| day.arrivals).sum();
    // Sold from 12 to 6 days ago: six days of 10 and one of 500, a tenth of it.
    assert_eq!(first, 56);
}

#[test]
fn r21_an_exam_of_one_in_eight_widens_the_late_edge_and_not_the_median() {
    let as_of = day("2026-11-22");
    let mut facts = snapshot(
        as_of,
        vec![lane(Mode::Sea, 40, 44, 1)],
        vec![item("A", as_of, &[10; 365], 100)],
    );
    let plain = plan(&facts, &Policy::default());
    facts.supply.exams = vec![CustomsExam {
        warehouse: None,
        mode: Some(Mode::Sea),
        share_permille: 125,
        days_p50: 14,
        days_p90: 20,
    }];
    let opened = plan(&facts, &Policy::default());
    let of = |plan: &Plan, key: &str| only(plan).explain.units_of(key).unwrap();
    assert!((0..=1).contains(&(of(&opened, "lead_p50") - of(&plain, "lead_p50"))));
    assert!(of(&opened, "lead_p90") >= of(&plain, "lead_p90") + 4);
    sound(&opened);
}

#[test]
fn r17_a_shipment_whose_stage_is_known_is_dated_from_there() {
    let as_of = day("2026-11-22");
    let mut sea = lane(Mode::Sea, 40, 50, 1);
    sea.stages = vec![
        times(Stage::Sail, 30, 36),
        times(Stage::Clearance, 3, 6),
        times(Stage::Drayage, 2, 4),
    ];
    let mut line = item("A", as_of, &[10; 365], 100);
    line.inbound = vec![InboundShipment {
        reference: "SO-1".to_owned(),
        units: 500,
        shipped_on: Some(after(as_of, -20)),
        mode: Some(Mode::Sea),
        eta: None,
        known: true,
    }];
    let mut facts = snapshot(as_of, vec![sea], vec![line]);
    let by_age = only(&plan(&facts, &Policy::default())).inbound[0].clone();
    // It sailed fast and is in clearance since yesterday.
    facts.supply.whereabouts = vec![Whereabouts {
        reference: "SO-1".to_owned(),
        stage: Stage::Clearance,
        since: after(as_of, -1),
    }];
    let by_stage = only(&plan(&facts, &Policy::default())).inbound[0].clone();
    assert!(
        by_stage.eta_p50 <= after(as_of, 6) && by_stage.eta_p50 >= after(as_of, 2),
        "{by_stage:?}"
    );
    assert!(by_stage.eta_p90 < by_age.eta_p90 && by_age.eta_p50 > after(as_of, 10));
}
