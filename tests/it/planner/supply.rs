//! The chain behind a line: calendars, deadlines, modes side by side, other warehouses, storage.

use std::collections::BTreeMap;

use linkstar::ids::{Sku, WarehouseCode};
use linkstar::money::{Currency, Money};
use linkstar::order::Mode;
use linkstar::planner::{
    AlertLevel, ArrivalDeadline, Capacity, Closure, CustomsExam, DataState, Freight, InboundShipment,
    ItemTerms, Lot, NoTransfer, Plan, PlanLine, Policy, Reason, ReturnTerms, Snapshot, Stage, StorageTier,
    SupplyPolicy, TargetRule, TransferWay, WarehouseFacts, Whereabouts,
};
use linkstar::wording::Lang;

use super::{after, code, day, item, lane, only, plan, snapshot, times};

fn cny(amount: &str) -> Money {
    Money::new(amount.parse().expect("an amount"), Currency::CNY)
}

fn terms(sku: &str) -> ItemTerms {
    ItemTerms {
        sku: Sku::new(sku).expect("a SKU"),
        warehouse: None,
        margin: None,
        low_stock_fee: None,
        weight_g: None,
        volume_cm3: None,
    }
}

fn freight(mode: Mode, per_unit: &str) -> Freight {
    Freight {
        warehouse: code("goodcang:UKMA"),
        mode,
        forwarder: None,
        per_unit: Some(cny(per_unit)),
        per_kg: None,
    }
}

fn line<'a>(plan: &'a Plan, warehouse: &str) -> &'a PlanLine {
    let found = plan
        .lines
        .iter()
        .find(|line| line.warehouse.as_str() == warehouse);
    found.expect("a line of the warehouse")
}

/// Every tree adds up, and parts are the suggestion.
fn sound(plan: &Plan) {
    for line in &plan.lines {
        assert_eq!(line.explain.broken_sums(), Vec::<String>::new(), "{}", line.sku);
        for lang in [Lang::Zh, Lang::En] {
            let text = linkstar::planner::explain_text(line, lang);
            assert!(!text.contains("[plan."), "{text}");
        }
        let Some(supply) = &line.supply else { continue };
        if !supply.parts.is_empty() {
            let sum: i64 = supply.parts.iter().map(|part| part.units).sum();
            assert_eq!(Some(sum), line.suggested_units);
        }
    }
}

// R16: events and closures.

fn event(as_of: &str, lanes: Vec<linkstar::planner::LaneOption>) -> Snapshot {
    let as_of = day(as_of);
    let mut facts = snapshot(as_of, lanes, vec![item("A", as_of, &[10; 365], 780)]);
    facts.supply.deadlines = vec![ArrivalDeadline {
        calendar: "bfcm".to_owned(),
        name: "BFCM".to_owned(),
        date: day("2026-10-30"),
        warehouse: None,
    }];
    facts
}

fn sea_and_air() -> Vec<linkstar::planner::LaneOption> {
    let mut sea = lane(Mode::Sea, 45, 45, 1);
    let mut air = lane(Mode::Air, 10, 10, 2);
    sea.stages.push(times(Stage::Production, 20, 20));
    air.stages.push(times(Stage::Production, 20, 20));
    vec![sea, air]
}

#[test]
fn r16_deadline_30_october_sea_45_days_production_20_is_order_by_26_august() {
    let policy = Policy::default();
    let before = plan(&event("2026-08-20", sea_and_air()), &policy);
    let line = only(&before);
    let deadline = line
        .supply
        .as_ref()
        .and_then(|supply| supply.deadline.as_ref())
        .unwrap();
    assert_eq!(deadline.modes[0].order_by, day("2026-08-26"));
    assert!(deadline.modes[0].in_time);
    assert_eq!(
        (line.mode, line.order_by),
        (Some(Mode::Sea), Some(day("2026-08-26")))
    );
    // The day after the sea has missed it the plan flies.
    let late = plan(&event("2026-08-27", sea_and_air()), &policy);
    let line = only(&late);
    assert_eq!(line.mode, Some(Mode::Air));
    assert!(
        line.reasons.contains(&Reason::DeadlineFaster),
        "{:?}",
        line.reasons
    );
    // Thirty days before it nothing is there in time.
    let never = plan(&event("2026-10-05", sea_and_air()), &policy);
    assert!(only(&never).reasons.contains(&Reason::DeadlineMissed));
    for plan in [&before, &late, &never] {
        sound(plan);
    }
}

#[test]
fn r16_the_new_year_pushes_what_is_ready_and_the_order_before_it() {
    let as_of = day("2027-01-25");
    let facts = snapshot(as_of, sea_and_air(), vec![item("A", as_of, &[10; 365], 300)]);
    let shut = plan(&facts, &Policy::default());
    let open = plan(
        &facts,
        &Policy {
            supply: SupplyPolicy {
                origin_calendar: "none".to_owned(),
                ..SupplyPolicy::default()
            },
            ..Policy::default()
        },
    );
    let (shut, open) = (only(&shut), only(&open));
    // Factories are shut from 30 January to 20 February: 22 days.
    assert_eq!(shut.explain.units_of("calendar_days"), Some(22));
    assert!(shut.reasons.contains(&Reason::CalendarStops));
    assert_eq!(
        (shut.eta.unwrap() - open.eta.unwrap()).num_days(),
        22,
        "the ready date moves by the closure"
    );
    assert!(shut.order_by < open.order_by);
    assert!(shut.need_units > open.need_units, "the next order is late too");
}

#[test]
fn r16_a_year_that_no_calendar_has_is_an_error_that_names_it_and_not_a_silent_cannot_catch() {
    let as_of = day("2027-12-20");
    let facts = snapshot(as_of, sea_and_air(), vec![item("A", as_of, &[10; 365], 300)]);
    let plan = plan(&facts, &Policy::default());
    let line = only(&plan);
    assert!(line.reasons.contains(&Reason::CalendarMissing));
    assert_eq!(line.data, DataState::Incomplete);
    let missing = line
        .supply
        .as_ref()
        .and_then(|supply| supply.calendar_missing.as_ref());
    let text = missing.map(ToString::to_string);
    assert_eq!(text.as_deref(), Some("calendar `cn` not extended to 2028"));
    assert!(line.suggested_units.is_some(), "the row keeps its quantity");
    sound(&plan);
    // The user's own file extends it.
    let mut own = facts.clone();
    own.supply.closures.push(Closure {
        calendar: "cn".to_owned(),
        name: "cny".to_owned(),
        from: day("2028-01-19"),
        to: day("2028-02-09"),
        stages: vec![Stage::Production],
        warehouse: None,
        mode: None,
    });
    let plan = super::plan(&own, &Policy::default());
    assert!(!only(&plan).reasons.contains(&Reason::CalendarMissing));
    // A calendar of deadlines ends as well.
    let mut events = facts;
    events.supply = own.supply;
    events.supply.deadlines = vec![ArrivalDeadline {
        calendar: "prime_day".to_owned(),
        name: "Prime Day".to_owned(),
        date: day("2027-12-30"),
        warehouse: None,
    }];
    let plan = super::plan(&events, &Policy::default());
    let missing = only(&plan)
        .supply
        .as_ref()
        .and_then(|supply| supply.calendar_missing.clone());
    assert_eq!(
        missing.map(|missing| missing.to_string()).as_deref(),
        Some("calendar `prime_day` not extended to 2028")
    );
}

#[test]
fn r16_a_blank_sailing_stops_the_passage_it_names_and_no_other_mode() {
    let as_of = day("2026-09-20");
    let mut facts = snapshot(
        as_of,
        vec![lane(Mode::Sea, 40, 40, 1), lane(Mode::Air, 8, 8, 2)],
        vec![item("A", as_of, &[10; 365], 4000)],
    );
    facts.supply.closures.push(Closure {
        calendar: "carrier".to_owned(),
        name: "blank sailing".to_owned(),
        from: day("2026-10-01"),
        to: day("2026-10-10"),
        stages: vec![Stage::Transit],
        warehouse: None,
        mode: Some(Mode::Sea),
    });
    let with = plan(&facts, &Policy::default());
    assert_eq!(only(&with).explain.units_of("calendar_days"), Some(10));
    facts.supply.closures[0].mode = Some(Mode::Rail);
    let without = plan(&facts, &Policy::default());
    assert_eq!(only(&without).explain.units_of("calendar_days"), None);
}

// R37: two modes.

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

// R12 and R19: other warehouses.

fn two_warehouses(a_stock: i64, b_stock: i64, way: TransferWay) -> Snapshot {
    let as_of = day("2026-11-22");
    let mut b = item("A", as_of, &[1; 365], b_stock);
    b.warehouse = way.to.clone();
    let mut a = item("A", as_of, &[1; 365], a_stock);
    a.warehouse = way.from.clone();
    let mut facts = snapshot(
        as_of,
        vec![lane(Mode::Sea, 30, 30, 1), lane(Mode::Air, 8, 8, 2)],
        vec![a, b],
    );
    let lanes = facts.warehouses[0].lanes.clone();
    facts.warehouses = [&way.from, &way.to]
        .map(|warehouse| WarehouseFacts {
            warehouse: warehouse.clone(),
            lanes: lanes.clone(),
            putaway: None,
        })
        .to_vec();
    facts.supply.freight = vec![Freight {
        warehouse: way.to.clone(),
        ..freight(Mode::Air, "30")
    }];
    facts.supply.transfers = vec![way];
    facts
}

fn way(from: &str, to: &str) -> TransferWay {
    TransferWay {
        from: code(from),
        to: code(to),
        days_p50: Some(3),
        days_p90: Some(5),
        cost: Some(cny("4")),
        relay: false,
        cartons: false,
        review_days: None,
    }
}

#[test]
fn r12_what_a_has_40_days_too_much_of_goes_to_b_before_anything_is_ordered() {
    let alone = plan(
        &{
            let mut facts = two_warehouses(500, 0, way("goodcang:A", "goodcang:B"));
            facts.supply.transfers.clear();
            facts
        },
        &Policy::default(),
    );
    let (target, need) = (
        line(&alone, "goodcang:A")
            .explain
            .units_of("order_up_to")
            .unwrap(),
        line(&alone, "goodcang:B").need_units.unwrap(),
    );
    // B is short of 30; A stands 40 days (40 units) above its target.
    let (a_stock, b_stock) = (target + 40, need - 30);
    let both = plan(
        &two_warehouses(a_stock, b_stock, way("goodcang:A", "goodcang:B")),
        &Policy::default(),
    );
    let (a, b) = (line(&both, "goodcang:A"), line(&both, "goodcang:B"));
    let sent = &b.supply.as_ref().unwrap().transfers_in;
    assert_eq!(
        sent.iter().map(|transfer| transfer.units).collect::<Vec<_>>(),
        vec![30]
    );
    assert_eq!((b.need_units, b.suggested_units), (Some(0), Some(0)));
    assert_eq!(b.explain.units_of("less_transfer"), Some(-30));
    assert_eq!(a.supply.as_ref().unwrap().transfers_out.len(), 1);
    sound(&both);
    // A at its own target gives nothing: it would fall below its safety stock.
    let none = plan(
        &two_warehouses(target, b_stock, way("goodcang:A", "goodcang:B")),
        &Policy::default(),
    );
    let b = line(&none, "goodcang:B");
    assert_eq!(b.suggested_units, Some(30));
    let why = b.supply.as_ref().and_then(|supply| supply.no_transfer);
    assert_eq!(why, Some(NoTransfer::NothingToSpare));
}

#[test]
fn r12_an_unknown_way_or_a_dearer_one_is_no_suggestion_and_says_why() {
    let unknown = TransferWay {
        cost: None,
        ..way("goodcang:A", "goodcang:B")
    };
    let dear = TransferWay {
        cost: Some(cny("31")),
        ..way("goodcang:A", "goodcang:B")
    };
    for (way, wanted) in [(unknown, NoTransfer::WayUnknown), (dear, NoTransfer::Dearer)] {
        let plan = plan(&two_warehouses(900, 10, way), &Policy::default());
        let b = line(&plan, "goodcang:B");
        let supply = b.supply.as_ref().unwrap();
        assert_eq!((supply.no_transfer, supply.transfers_in.len()), (Some(wanted), 0));
        assert!(b.suggested_units > Some(0));
    }
}

fn relay(fba_stock: i64, overseas_stock: i64) -> Snapshot {
    let way = TransferWay {
        relay: true,
        ..way("goodcang:UKMA", "amazon:GB")
    };
    let mut facts = two_warehouses(overseas_stock, fba_stock, way);
    // Nothing is sold from the overseas warehouse, and nothing goes to the platform's directly.
    facts.series[0].sales_state = DataState::Missing;
    facts.series[0].sales = linkstar::planner::DailySales::empty(facts.as_of);
    facts.warehouses[1].lanes.clear();
    facts.series[1].sales.units = (0..365).map(|_| Some(10)).collect();
    facts
}

#[test]
fn r19_the_overseas_warehouse_sends_first_and_china_is_asked_for_the_rest_once() {
    let facts = relay(0, 300);
    let both = plan(&facts, &Policy::default());
    let (up, down) = (line(&both, "goodcang:UKMA"), line(&both, "amazon:GB"));
    let wanted = down.supply.as_ref().unwrap().wanted_now.unwrap();
    let sent: i64 = down
        .supply
        .as_ref()
        .unwrap()
        .transfers_in
        .iter()
        .map(|one| one.units)
        .sum();
    assert!(wanted > 0 && sent == wanted.min(300), "{wanted} {sent}");
    assert_eq!(down.suggested_units, Some(0), "nothing is ordered for it twice");
    let target = down.explain.units_of("order_up_to").unwrap();
    assert_eq!(up.explain.units_of("downstream_need"), Some(target));
    assert_eq!(up.suggested_units, Some(target - 300));
    assert!(up.eta.is_some() && up.mode.is_some());
    sound(&both);
}

#[test]
fn r19_fba_short_of_200_and_500_overseas_is_a_transfer_of_200_and_no_order_when_that_is_enough() {
    let need = |stock: i64| {
        let both = plan(&relay(stock, 0), &Policy::default());
        line(&both, "amazon:GB")
            .supply
            .as_ref()
            .unwrap()
            .wanted_now
            .unwrap()
    };
    let whole = need(0);
    let facts = relay(whole - 200, 500);
    let both = plan(&facts, &Policy::default());
    let (up, down) = (line(&both, "goodcang:UKMA"), line(&both, "amazon:GB"));
    let sent = &down.supply.as_ref().unwrap().transfers_in;
    assert_eq!(sent.iter().map(|one| one.units).sum::<i64>(), 200);
    let target = down.explain.units_of("order_up_to").unwrap();
    assert_eq!(up.suggested_units, Some((target - (whole - 200) - 500).max(0)));
    assert_eq!(down.suggested_units, Some(0));
}

#[test]
fn r19_a_capacity_limit_caps_what_is_sent_and_the_rest_is_reported() {
    let mut facts = relay(0, 500);
    facts.supply.capacity = vec![Capacity {
        warehouse: code("amazon:GB"),
        units: Some(60),
        volume_l: None,
    }];
    let both = plan(&facts, &Policy::default());
    let down = line(&both, "amazon:GB");
    let supply = down.supply.as_ref().unwrap();
    let sent: i64 = supply.transfers_in.iter().map(|one| one.units).sum();
    assert_eq!(sent, 60);
    assert_eq!(supply.over_capacity, supply.wanted_now.unwrap().min(500) - 60);
    assert!(down.reasons.contains(&Reason::OverCapacity));
    let out = &line(&both, "goodcang:UKMA")
        .supply
        .as_ref()
        .unwrap()
        .transfers_out;
    assert_eq!(out.iter().map(|one| one.units).sum::<i64>(), 60);
    sound(&both);
}

// R15, R58: storage.

fn tier(from_age: i64, rate: &str) -> StorageTier {
    StorageTier {
        warehouse: code("goodcang:UKMA"),
        from_age,
        rate: rate.parse().expect("a rate"),
        currency: Currency::GBP,
    }
}

#[test]
fn r15_400_days_of_cover_show_excess_capital_next_tier_and_its_daily_fee() {
    let as_of = day("2026-11-22");
    let mut line = item("A", as_of, &[1; 365], 400);
    line.unit_cost = Some(cny("20"));
    let mut facts = snapshot(as_of, vec![lane(Mode::Sea, 40, 40, 1)], vec![line]);
    facts.supply.items = vec![ItemTerms {
        volume_cm3: Some(10_000),
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

// R71: returns.

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

// Costs.

#[test]
fn the_newsvendor_s_target_stands_beside_the_service_class_and_is_used_when_chosen() {
    let as_of = day("2026-11-22");
    let mut line = item("A", as_of, &super::lumpy(7, 365), 0);
    line.unit_cost = Some(cny("100"));
    let mut facts = snapshot(as_of, vec![lane(Mode::Sea, 40, 50, 1)], vec![line]);
    facts.supply.items = vec![ItemTerms {
        margin: Some(cny("10")),
        volume_cm3: Some(50_000),
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

fn shop(count: u64) -> Snapshot {
    let as_of = day("2026-11-22");
    let items: Vec<_> = (0..count)
        .map(|n| {
            let mut line = item(
                &format!("S{n:02}"),
                as_of,
                &super::lumpy(n, 365),
                i64::try_from(n).unwrap() * 7,
            );
            line.unit_cost = Some(cny(&format!("{}", 5 + n % 7)));
            line.carton_units = Some(6 + i64::try_from(n % 3).unwrap());
            line
        })
        .collect();
    let mut facts = snapshot(as_of, vec![lane(Mode::Sea, 35, 45, 1)], items);
    facts.supply.items = (0..count)
        .map(|n| ItemTerms {
            margin: Some(cny(&format!("{}", 3 + n % 11))),
            volume_cm3: Some(2_000),
            weight_g: Some(500),
            ..terms(&format!("S{n:02}"))
        })
        .collect();
    facts
}

fn money(plan: &Plan) -> rust_decimal::Decimal {
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
    let mut backward = facts.clone();
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

// Lead times.

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

/// Units move, they do not multiply: what is sent and ordered together never exceeds what is missing, but for cartons.
#[test]
fn transfers_and_orders_together_never_exceed_the_needs_of_both() {
    for seed in 0..200_u64 {
        let stock = |k: u64| i64::try_from((seed * 7919 + k * 104_729) % 700).unwrap();
        let mut facts = match seed % 2 {
            0 => two_warehouses(stock(1), stock(2), way("goodcang:A", "goodcang:B")),
            _ => relay(stock(1), stock(2)),
        };
        let coupled = plan(&facts, &Policy::default());
        sound(&coupled);
        let sent: BTreeMap<&WarehouseCode, i64> = coupled
            .lines
            .iter()
            .map(|line| {
                let out = line.supply.iter().flat_map(|supply| &supply.transfers_out);
                (&line.warehouse, out.map(|one| one.units).sum())
            })
            .collect();
        for line in &coupled.lines {
            assert!(sent[&line.warehouse] <= line.available.unwrap(), "seed {seed}");
            assert!(line.suggested_units.is_none_or(|units| units >= 0));
        }
        let ordered: i64 = coupled.lines.iter().filter_map(|line| line.suggested_units).sum();
        facts.supply.transfers.clear();
        if seed % 2 == 0 {
            let apart = plan(&facts, &Policy::default());
            let wanted: i64 = apart.lines.iter().filter_map(|line| line.suggested_units).sum();
            assert_eq!(ordered + sent.values().sum::<i64>(), wanted, "seed {seed}");
        }
    }
}

/// Everything that touches one line: closures, exams, returns, prices of two modes, an event.
fn everything(stock: i64, in_days: i64, units: i64, seed: u64) -> Snapshot {
    let as_of = day("2027-01-20");
    let mut line = item("A", as_of, &super::lumpy(seed, 300), stock);
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

mod laws {
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
