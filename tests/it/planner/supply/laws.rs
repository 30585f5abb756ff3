//! Laws that hold whatever the chain is.

use super::*;

#[test]
fn the_order_of_the_chain_s_facts_does_not_matter_and_they_are_part_of_the_name() {
    let mut facts = two_warehouses(900, 10, way("goodcang:A", "goodcang:B"));
    facts.supply.storage = vec![tier(0, "0"), tier(31, "0.40"), tier(91, "0.80")];
    facts.supply.closures = ["2026-12-24", "2026-10-01"]
        .map(|from| Closure {
            calendar: "wh".to_owned(),
            name: String::new(),
            from: day(from),
            to: after(day(from), 3),
            stages: vec![Stage::Transit],
            warehouse: None,
            mode: None,
        })
        .to_vec();
    let bytes = |facts: &Snapshot| serde_json::to_vec(&plan(facts, &Policy::default())).unwrap();
    let mut backward = facts.clone();
    backward.supply.storage.reverse();
    backward.supply.closures.reverse();
    backward.warehouses.reverse();
    backward.series.reverse();
    assert_eq!(bytes(&facts), bytes(&backward));
    assert_eq!(bytes(&facts), bytes(&linkstar::planner::canonical(&backward)));
    let text = serde_json::to_vec(&facts).unwrap();
    let again: Snapshot = serde_json::from_slice(&text).unwrap();
    assert_eq!(facts, again);
    let mut other = facts.clone();
    other.supply.storage[1].rate = "0.41".parse().unwrap();
    let id = |facts: &Snapshot| plan(facts, &Policy::default()).id;
    assert_ne!(id(&facts), id(&other));
}

/// Everything that touches one line: closures, exams, returns, prices of two modes, an event.
fn everything(stock: i64, in_days: i64, units: i64, seed: u64) -> Snapshot {
    let as_of = day("2027-01-20");
    let mut line = item("A", as_of, &super::super::lumpy(seed, 300), stock);
    line.unit_cost = Some(cny("20"));
    line.carton_units = Some(6);
    line.inbound = vec![InboundShipment {
        reference: "SO-1".to_owned(),
        units,
        shipped_on: Some(after(as_of, in_days - 40)),
        mode: Some(Mode::Sea),
        eta: Some(after(as_of, in_days)),
        known: true,
    }];
    let mut sea = lane(Mode::Sea, 35, 45, 1);
    sea.stages.push(times(Stage::Production, 15, 18));
    let mut facts = snapshot(as_of, vec![sea, lane(Mode::Air, 8, 10, 2)], vec![line]);
    facts.supply.items = vec![ItemTerms {
        margin: Some(cny("30")),
        ..terms("A")
    }];
    facts.supply.freight = vec![freight(Mode::Sea, "2"), freight(Mode::Air, "12")];
    facts.supply.exams = vec![CustomsExam {
        warehouse: None,
        mode: Some(Mode::Sea),
        share_permille: 100,
        days_p50: 10,
        days_p90: 15,
    }];
    facts.supply.returns = vec![ReturnTerms {
        warehouse: code("goodcang:UKMA"),
        sku: None,
        rate_permille: 100,
        resellable_permille: 500,
        delay_days: 10,
        destroy_fee: None,
    }];
    facts.supply.deadlines = vec![ArrivalDeadline {
        calendar: "event".to_owned(),
        name: "Spring".to_owned(),
        date: day("2027-04-20"),
        warehouse: None,
    }];
    facts
}

mod any {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn with_a_whole_chain_more_stock_never_raises_an_order_and_terms_add_up(
            seed in 0_u64..1000, stock in 0_i64..400, more in 1_i64..200, units in 0_i64..300, in_days in 0_i64..60,
        ) {
            let policy = Policy { paths: 100, ..Policy::default() };
            let low = plan(&everything(stock, in_days, units, seed), &policy);
            let high = plan(&everything(stock + more, in_days, units, seed), &policy);
            let coming = plan(&everything(stock, in_days, units + more, seed), &policy);
            sound(&low);
            let need = |plan: &Plan| only(plan).need_units.unwrap();
            prop_assert!(need(&high) <= need(&low));
            prop_assert!(need(&coming) <= need(&low));
        }

        #[test]
        fn with_a_whole_chain_a_later_arrival_never_makes_a_stock_out_later(
            seed in 0_u64..1000, stock in 0_i64..300, in_days in 0_i64..50, delay in 1_i64..30,
        ) {
            let policy = Policy { paths: 100, ..Policy::default() };
            let (early, late) = (
                plan(&everything(stock, in_days, 200, seed), &policy),
                plan(&everything(stock, in_days + delay, 200, seed), &policy),
            );
            let dates = |plan: &Plan| {
                let dates = &only(plan).stockout;
                [dates.p10, dates.p50, dates.p90].map(|date| date.unwrap_or(chrono::NaiveDate::MAX))
            };
            for (early, late) in dates(&early).into_iter().zip(dates(&late)) {
                prop_assert!(late <= early);
            }
        }
    }
}
