//! Closures, deadlines, years that nobody maintains (R16).

use super::*;

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
    let plan = crate::planner::plan(&own, &Policy::default());
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
    let plan = crate::planner::plan(&events, &Policy::default());
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
