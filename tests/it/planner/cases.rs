//! Acceptance and bad-input cases of the requirements, by number.

use linkstar::money::{Currency, Money};
use linkstar::order::Mode;
use linkstar::planner::{
    AlertLevel, CertainShortage, DataState, InboundShipment, MoqPolicy, Observation, Policy, Reason, Stage,
    StageTimes, plan as plan_with,
};

use super::{after, day, item, lane, lumpy, only, plan, snapshot, times};

fn shipment(reference: &str, units: i64, eta: Option<chrono::NaiveDate>) -> InboundShipment {
    InboundShipment {
        reference: reference.to_owned(),
        units,
        shipped_on: None,
        mode: None,
        eta,
        known: true,
    }
}

#[test]
fn r13_halloween_sea_cycle_of_65_days_from_10_august_arrives_14_october() {
    let as_of = day("2026-08-10");
    let lane = lane(Mode::Sea, 45, 45, 1);
    let mut lane = lane;
    lane.stages.push(times(Stage::Production, 20, 20));
    let plan = plan(
        &snapshot(as_of, vec![lane], vec![item("HW", as_of, &[10; 365], 0)]),
        &Policy::default(),
    );
    assert_eq!(only(&plan).eta, Some(day("2026-10-14")));
}

#[test]
fn r13_12_a_day_300_in_stock_45_day_cycle_is_out_in_25_days_with_a_gap_of_20_days_and_240_units() {
    let as_of = day("2026-11-22");
    let items = vec![item("A", as_of, &[12; 365], 300)];
    let plan = plan(
        &snapshot(as_of, vec![lane(Mode::Sea, 45, 45, 1)], items),
        &Policy::default(),
    );
    let line = only(&plan);
    assert_eq!(line.velocity.map(|v| v.to_string()).as_deref(), Some("12"));
    assert_eq!(line.stockout.p50, Some(after(as_of, 25)));
    assert_eq!(line.explain.units_of("gap_until_arrival"), Some(20));
    assert_eq!(line.explain.units_of("certain_shortage"), Some(240));
    assert_eq!(line.level, Some(AlertLevel::Critical));
    assert!(line.reasons.contains(&Reason::CertainShortage) && line.reasons.contains(&Reason::TooLate));
    assert_eq!(line.order_by, Some(after(as_of, -20)));
}

#[test]
fn r13_unknown_velocity_lead_or_stock_keeps_the_row_without_a_quantity_and_says_why() {
    let as_of = day("2026-11-22");
    let lanes = || vec![lane(Mode::Sea, 40, 50, 1)];
    let mut no_sales = item("A", as_of, &[], 10);
    no_sales.sales_state = DataState::Missing;
    let mut never_in_stock = item("B", as_of, &[0; 100], 10);
    never_in_stock.sales.in_stock = vec![Some(false); 100];
    let mut no_stock = item("C", as_of, &[3; 100], 0);
    no_stock.available = None;
    no_stock.stock_state = DataState::Missing;
    let known = plan(
        &snapshot(as_of, lanes(), vec![no_sales, never_in_stock, no_stock]),
        &Policy::default(),
    );
    let no_lane = plan(
        &snapshot(as_of, vec![], vec![item("D", as_of, &[3; 100], 5)]),
        &Policy::default(),
    );
    let wanted = [
        ("A", Reason::SalesUnknown),
        ("B", Reason::SalesUnknown),
        ("C", Reason::StockUnknown),
        ("D", Reason::LeadTimeUnknown),
    ];
    for (sku, reason) in wanted {
        let line = known
            .lines
            .iter()
            .chain(&no_lane.lines)
            .find(|line| line.sku.as_str() == sku)
            .unwrap();
        assert_eq!((line.need_units, line.suggested_units), (None, None), "{sku}");
        assert!(line.reasons.contains(&reason), "{sku}: {:?}", line.reasons);
    }
    assert_eq!(known.funnel.seen, 3);
    assert_eq!(known.funnel.computed, 0);
    assert_eq!(known.funnel.dropped.iter().map(|(_, _, n)| n).sum::<i64>(), 3);
}

#[test]
fn r10_100_available_and_50_awaiting_putaway_differ_from_150_available() {
    let as_of = day("2026-11-22");
    let mut pending = item("A", as_of, &[40; 365], 100);
    pending.pending_putaway = Some(50);
    let whole = item("A", as_of, &[40; 365], 150);
    let stockout = |item| {
        let mut facts = snapshot(as_of, vec![lane(Mode::Sea, 30, 30, 1)], vec![item]);
        facts.warehouses[0].putaway = Some(times(Stage::Putaway, 4, 4));
        only(&plan(&facts, &Policy::default())).stockout.p50
    };
    assert_eq!(stockout(pending.clone()), Some(after(as_of, 2)));
    assert_eq!(stockout(whole), Some(after(as_of, 3)));
    pending.pending_putaway = None;
    let facts = snapshot(as_of, vec![lane(Mode::Sea, 30, 30, 1)], vec![pending]);
    assert_eq!(
        only(&plan(&facts, &Policy::default())).data,
        DataState::Incomplete
    );
}

#[test]
fn r17_1000_units_in_30_days_do_not_rescue_stock_for_5_days_nor_cover_days_5_to_30() {
    let as_of = day("2026-11-22");
    let mut line = item("A", as_of, &[20; 365], 100);
    line.inbound = vec![shipment("SO-1", 1000, Some(after(as_of, 30)))];
    let facts = snapshot(
        as_of,
        vec![lane(Mode::Air, 4, 4, 1), lane(Mode::Sea, 45, 45, 2)],
        vec![line.clone()],
    );
    let policy = Policy::default();
    let sea_only = snapshot(as_of, vec![lane(Mode::Sea, 45, 45, 1)], vec![line.clone()]);
    let with_sea = plan(&sea_only, &policy);
    let with_sea = only(&with_sea);
    assert_eq!(with_sea.stockout.p50, Some(after(as_of, 5)));
    // Days 5 to 30 want 500 units; the thousand that come later serve none of them.
    assert!(with_sea.need_units >= Some(500), "{:?}", with_sea.need_units);
    assert!(with_sea.explain.units_of("late_inbound") > Some(0));
    // A far shipment does not hide the need of a short interval.
    let mut without = line;
    without.inbound.clear();
    let bare = snapshot(as_of, facts.warehouses[0].lanes.clone(), vec![without]);
    assert_eq!(
        only(&plan(&facts, &policy)).need_units,
        only(&plan(&bare, &policy)).need_units
    );
    // On request what nothing can serve is taken off.
    let less = Policy {
        certain_shortage: CertainShortage::Subtract,
        ..Policy::default()
    };
    let reduced = plan(&sea_only, &less);
    let lost = only(&reduced).explain.units_of("certain_shortage").unwrap();
    assert_eq!(lost, 500);
    assert_eq!(
        only(&reduced).need_units,
        Some((with_sea.need_units.unwrap() - lost).max(0))
    );
}

#[test]
fn r17_an_overdue_shipment_is_predicted_anew_and_an_unknown_one_listed_but_not_counted() {
    let as_of = day("2026-11-22");
    let mut line = item("A", as_of, &[20; 365], 500);
    let mut overdue = shipment("late", 400, Some(after(as_of, -10)));
    overdue.shipped_on = Some(after(as_of, -50));
    overdue.mode = Some(Mode::Sea);
    let mut foreign = shipment("theirs", 300, Some(after(as_of, 5)));
    foreign.known = false;
    line.inbound = vec![overdue, foreign];
    let facts = snapshot(as_of, vec![lane(Mode::Sea, 40, 45, 1)], vec![line]);
    let first = plan(&facts, &Policy::default());
    let first = only(&first);
    let late = first
        .inbound
        .iter()
        .find(|view| view.reference == "late")
        .unwrap();
    assert!(late.overdue && late.eta_p50 > as_of, "{late:?}");
    assert!(first.reasons.contains(&Reason::OverdueInbound));
    assert!(first.reasons.contains(&Reason::UnknownInbound));
    assert_eq!(first.explain.units_of("less_inbound"), Some(-400));
    let counting = Policy {
        count_unknown_inbound: true,
        ..Policy::default()
    };
    let second = plan(&facts, &counting);
    assert_eq!(only(&second).explain.units_of("less_inbound"), Some(-700));
}

#[test]
fn r20_carton_unknown_rounds_to_units_and_says_so_and_the_minimum_follows_the_policy() {
    let as_of = day("2026-11-22");
    let mut line = item("A", as_of, &[1; 365], 40);
    line.carton_units = Some(0);
    line.moq = Some(1000);
    let facts = snapshot(as_of, vec![lane(Mode::Sea, 40, 40, 1)], vec![line]);
    let raised = plan(&facts, &Policy::default());
    let raised = only(&raised);
    assert_eq!(
        (raised.suggested_units, raised.suggested_cartons),
        (Some(1000), None)
    );
    assert!(raised.reasons.contains(&Reason::CartonUnknown) && raised.reasons.contains(&Reason::MoqRaised));
    let wait = Policy {
        moq: MoqPolicy::Wait,
        ..Policy::default()
    };
    let waiting = plan(&facts, &wait);
    assert_eq!(only(&waiting).suggested_units, Some(0));
    assert!(only(&waiting).reasons.contains(&Reason::BelowMoq));
    assert_eq!(waiting.funnel.due, 1);
    assert_eq!(waiting.funnel.suggested, 0);
}

#[test]
fn r21_thirty_shipments_teach_a_p90_within_a_day_and_four_fall_back_and_say_so() {
    let as_of = day("2026-11-22");
    // A generator whose 90th percentile is 20 + 18 days: even steps over 20 days.
    let observed: Vec<Observation> = (0..30)
        .map(|n| Observation {
            from: after(as_of, -200),
            to: after(as_of, -200 + 20 + (n * 20) / 29),
        })
        .collect();
    let learn = |observed: Vec<Observation>| {
        let mut sea = lane(Mode::Sea, 60, 70, 1);
        sea.stages[0].observed = observed;
        let plan = plan(
            &snapshot(as_of, vec![sea], vec![item("A", as_of, &[5; 365], 50)]),
            &Policy::default(),
        );
        only(&plan).clone()
    };
    let learned = learn(observed.clone());
    let p90 = learned.explain.units_of("lead_p90").unwrap();
    assert!((p90 - 38).abs() <= 1, "p90 {p90}");
    assert!(!learned.reasons.contains(&Reason::LeadTimeFallback));
    let few = learn(observed[..4].to_vec());
    assert_eq!(few.explain.units_of("lead_p50"), Some(60));
    assert!(few.reasons.contains(&Reason::LeadTimeFallback));
}

#[test]
fn r21_negative_and_1970_stages_are_left_out_and_reported() {
    let as_of = day("2026-11-22");
    let mut sea = lane(Mode::Sea, 40, 50, 1);
    let seen = |from: &str, to: &str| Observation {
        from: day(from),
        to: day(to),
    };
    sea.stages[0].observed = vec![seen("2026-05-01", "2026-04-01"), seen("1970-01-01", "2026-04-01")];
    sea.stages[0]
        .observed
        .extend([seen("2026-04-01", "2026-05-01"); 5]);
    let plan = plan(
        &snapshot(as_of, vec![sea], vec![item("A", as_of, &[5; 365], 50)]),
        &Policy::default(),
    );
    let line = only(&plan);
    // Five passages of 30 days, beside a table of 40 to 50: not wider than that, and without the impossible ones.
    assert!((30..=36).contains(&line.explain.units_of("lead_p90").unwrap()));
    assert_eq!(line.explain.units_of("observations_dropped"), Some(2));
    assert!(line.reasons.contains(&Reason::ObservationDropped));
}

#[test]
fn r16_order_by_counts_back_the_p90_of_the_way_and_falls_to_a_faster_mode() {
    // Stock-out on 30 October, production 20 days, sea p90 45 days: order by 26 August.
    let as_of = day("2026-08-20");
    let days = (day("2026-10-30") - as_of).num_days();
    let mut sea = lane(Mode::Sea, 35, 45, 1);
    sea.stages.push(times(Stage::Production, 20, 20));
    let mut air = lane(Mode::Air, 8, 10, 2);
    air.stages.push(times(Stage::Production, 20, 20));
    let facts = |as_of, stock| {
        snapshot(
            as_of,
            vec![sea.clone(), air.clone()],
            vec![item("A", as_of, &[10; 365], stock)],
        )
    };
    let policy = Policy::default();
    let in_time = plan(&facts(as_of, days * 10), &policy);
    let line = only(&in_time);
    assert_eq!(
        (line.mode, line.order_by),
        (Some(Mode::Sea), Some(day("2026-08-26")))
    );
    let later = day("2026-09-10");
    let late = plan(
        &facts(later, (day("2026-10-30") - later).num_days() * 10),
        &policy,
    );
    let line = only(&late);
    assert_eq!(
        (line.mode, line.order_by),
        // Production waits for the first week of October.
        (Some(Mode::Air), Some(day("2026-09-23")))
    );
    assert!(line.explain.find("faster_mode").is_some());
}

#[test]
fn a_stock_out_that_no_mode_comes_before_and_goods_under_way_end_is_no_reason_to_fly() {
    let as_of = day("2026-08-20");
    let mode = |arrival: Option<i64>| {
        let mut line = item("A", as_of, &[10; 365], 0);
        line.inbound = arrival
            .map(|days| shipment("SO-1", 450, Some(after(as_of, days))))
            .into_iter()
            .collect();
        let lanes = vec![lane(Mode::Sea, 40, 45, 1), lane(Mode::Air, 8, 10, 2)];
        let made = plan(&snapshot(as_of, lanes, vec![line]), &Policy::default());
        let line = only(&made);
        assert!(line.need_units > Some(0), "{:?}", line.need_units);
        assert_eq!(line.stockout.p50, Some(as_of));
        line.mode
    };
    // Empty today, 45 days of stock in two days: what is lost is lost by air as well.
    assert_eq!(mode(Some(2)), Some(Mode::Sea));
    // Only from day 20: air saves the days from 8 on.
    assert_eq!(mode(Some(20)), Some(Mode::Air));
    assert_eq!(mode(None), Some(Mode::Air));
}

#[test]
fn r14_critical_today_is_one_open_alert_tomorrow_and_escalates_when_three_days_nearer() {
    let facts = |as_of, stock| {
        snapshot(
            as_of,
            vec![lane(Mode::Sea, 20, 20, 1)],
            vec![item("A", as_of, &[10; 365], stock)],
        )
    };
    let policy = Policy::default();
    let monday = day("2026-11-16");
    let first = plan(&facts(monday, 200), &policy);
    assert_eq!(only(&first).order_by, Some(monday));
    assert_eq!(first.alerts.len(), 1);
    assert!(first.alerts[0].tell && first.alerts[0].level == AlertLevel::Critical);
    // The next day, the same stock-out date: still one, not told again.
    let second = plan_with(&facts(after(monday, 1), 190), &policy, Some(&first));
    assert_eq!((second.alerts.len(), second.alerts[0].tell), (1, false));
    assert_eq!(second.alerts[0].first_seen, monday);
    // Acknowledged, and a unit more or less: silent.
    let mut acknowledged = second.clone();
    acknowledged.alerts[0].acknowledged = true;
    let third = plan_with(&facts(after(monday, 2), 182), &policy, Some(&acknowledged));
    assert!(!third.alerts[0].tell && third.alerts[0].acknowledged);
    // Three days nearer: told, and the acknowledgement is over.
    let fourth = plan_with(&facts(after(monday, 3), 140), &policy, Some(&third));
    assert!(fourth.alerts[0].tell && !fourth.alerts[0].acknowledged);
    // Not acknowledged and old: a reminder.
    let week = plan_with(&facts(after(monday, 7), 130), &policy, Some(&second));
    assert!(week.alerts[0].tell);
}

#[test]
fn r14_flapping_by_a_unit_around_the_threshold_opens_one_alert() {
    let as_of = day("2026-11-16");
    let policy = Policy::default();
    let mut parent = None;
    let mut told = 0;
    for days in 0..10 {
        let today = after(as_of, days);
        // Order-by moves between 7 and 8 days ahead, the edge of the warning.
        let stock = if days % 2 == 0 { 270 } else { 280 };
        let facts = snapshot(
            today,
            vec![lane(Mode::Sea, 20, 20, 1)],
            vec![item("A", today, &[10; 365], stock)],
        );
        let policy = Policy {
            remind_days: 100,
            ..policy.clone()
        };
        let plan = plan_with(&facts, &policy, parent.as_ref());
        assert_eq!(plan.alerts.len(), 1, "day {days}");
        told += usize::from(plan.alerts[0].tell);
        parent = Some(plan);
    }
    assert_eq!(told, 1);
}

#[test]
fn out_of_stock_days_and_gaps_never_lower_the_velocity() {
    let as_of = day("2026-11-22");
    let mut days = vec![6_u32; 200];
    days[150..190].fill(0);
    let mut line = item("A", as_of, &days, 100);
    line.sales.in_stock = vec![None; 200];
    for index in 150..190 {
        line.sales.in_stock[index] = Some(false);
    }
    for index in 100..110 {
        line.sales.units.set(index, None);
    }
    let plan = plan(
        &snapshot(as_of, vec![lane(Mode::Sea, 40, 50, 1)], vec![line]),
        &Policy::default(),
    );
    let line = only(&plan);
    let velocities = [line.velocity_7, line.velocity_30, line.velocity_90, line.velocity];
    assert!(
        velocities
            .iter()
            .all(|v| v.map(|v| v.to_string()).as_deref() == Some("6")),
        "{velocities:?}"
    );
    assert_eq!(line.out_of_stock_days, 40);
    assert_eq!(line.explain.units_of("gap_days"), Some(10));
}

#[test]
fn r15_400_days_of_cover_show_the_excess_and_its_money_or_not_known() {
    let as_of = day("2026-11-22");
    let run = |cost| {
        let mut line = item("A", as_of, &[2; 365], 800);
        line.unit_cost = cost;
        let facts = snapshot(as_of, vec![lane(Mode::Sea, 40, 50, 1)], vec![line]);
        only(&plan(&facts, &Policy::default())).clone()
    };
    let money = Money::new("3.50".parse().unwrap(), Currency::CNY);
    let line = run(Some(money));
    assert_eq!(
        (line.level, line.suggested_units),
        (Some(AlertLevel::Overstock), Some(0))
    );
    assert_eq!(
        line.cover_days.map(|days| days.to_string()).as_deref(),
        Some("400")
    );
    // 180 days at 2 a day are enough.
    assert_eq!(line.explain.units_of("excess_units"), Some(440));
    assert_eq!(line.explain.find("excess_cost").unwrap().value, "1540.00 CNY");
    let unknown = run(None);
    assert_eq!(unknown.explain.units_of("excess_units"), Some(440));
    assert_eq!(unknown.explain.find("excess_cost").unwrap().value, "");
}

#[test]
fn a_level_of_nothing_is_a_known_zero() {
    let as_of = day("2026-11-22");
    let plan = plan(
        &snapshot(
            as_of,
            vec![lane(Mode::Sea, 40, 50, 1)],
            vec![item("A", as_of, &[0; 365], 0)],
        ),
        &Policy::default(),
    );
    let line = only(&plan);
    assert_eq!(
        (line.explain.units_of("order_up_to"), line.need_units),
        (Some(0), Some(0))
    );
    assert_eq!(line.reasons.first(), Some(&Reason::NoRecentSales));
}

#[test]
fn a_production_time_of_the_item_is_added_to_every_lane() {
    let as_of = day("2026-11-22");
    let mut line = item("A", as_of, &lumpy(3, 365), 0);
    line.production = Some(StageTimes {
        observed: Vec::new(),
        ..times(Stage::Production, 15, 15)
    });
    let plan = plan(
        &snapshot(as_of, vec![lane(Mode::Sea, 40, 40, 1)], vec![line]),
        &Policy::default(),
    );
    assert_eq!(only(&plan).eta, Some(after(as_of, 55)));
}
