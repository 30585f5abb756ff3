//! What people ordered beside what was suggested (R77).

use chrono::NaiveDate;
use linkstar::ids::Sku;
use linkstar::order::Mode;
use linkstar::planner::shadow::{Answer, Comparing, Comparison, OwnOrder};
use linkstar::planner::{InboundShipment, Plan, Policy};

use super::{after, code, day, item, lane, plan, snapshot};

const FIRST: &str = "2026-09-01";

/// The plan of a day on which this much is left of an item that sells ten a day and needs forty days to come.
fn plan_of(as_of: NaiveDate, available: i64, moving: i64) -> Plan {
    let mut box_ = item("BOX", as_of, &[10; 365], available);
    box_.carton_units = Some(20);
    if moving > 0 {
        box_.inbound.push(InboundShipment {
            reference: "OWN-1".to_owned(),
            units: moving,
            shipped_on: Some(as_of),
            mode: Some(Mode::Sea),
            eta: Some(after(as_of, 35)),
            known: true,
        });
    }
    plan(
        &snapshot(as_of, vec![lane(Mode::Sea, 40, 50, 1)], vec![box_]),
        &Policy::default(),
    )
}

fn own(date: NaiveDate, units: i64) -> OwnOrder {
    OwnOrder {
        day: date,
        warehouse: code("goodcang:UKMA"),
        sku: Sku::new("BOX").expect("a SKU"),
        units,
    }
}

/// Twenty days from 700 units on; people order so much on the given day, and the plans know it from the next day on.
fn twenty_days(ordered: Option<(i64, i64)>) -> Comparison {
    let first = day(FIRST);
    let orders = ordered.map(|(on, units)| own(after(first, on), units));
    let mut comparing = Comparing::new(orders, 7);
    for n in 0..20 {
        let moving = ordered.filter(|(on, _)| n > *on).map_or(0, |(_, units)| units);
        comparing.plan(&plan_of(after(first, n), 700 - 10 * n, moving));
    }
    comparing.finish()
}

/// The day from which the plans suggest something, and how much on day `n`.
fn suggested_on(n: i64) -> i64 {
    plan_of(after(day(FIRST), n), 700 - 10 * n, 0).lines[0]
        .suggested_units
        .expect("known")
}

#[test]
fn r77_an_order_is_compared_with_the_suggestion_of_its_day() {
    let begun = (0..20).find(|n| suggested_on(*n) > 0).expect("the stock sinks");
    let on = begun + 8;
    let wanted = suggested_on(on);
    let found = twenty_days(Some((on, wanted)));
    assert_eq!(found.ordered.len(), 1);
    let answer = &found.ordered[0];
    assert_eq!(
        (answer.answer, answer.suggested, answer.since),
        (Answer::Alike, Some(wanted), Some(after(day(FIRST), begun)))
    );
    assert_eq!(found.units(), (wanted, wanted));
    // What is suggested again later, because the stock goes on sinking, is another suggestion.
    assert!(found.left_out.iter().all(|left| left.since > answer.day));
    // Half of it is less, a carton more is the same, twice as much is more.
    let of = |units: i64| twenty_days(Some((on, units))).ordered[0].answer;
    assert_eq!(of(wanted / 2), Answer::Less);
    assert_eq!(of(wanted + 20), Answer::Alike);
    assert_eq!(of(wanted * 2 + 100), Answer::More);
}

#[test]
fn r77_an_order_nobody_suggested_and_a_suggestion_nobody_followed_are_told() {
    let found = twenty_days(Some((0, 40)));
    let begun = (0..20).find(|n| suggested_on(*n) > 0).expect("the stock sinks");
    assert_eq!(found.count(Answer::Unasked), usize::from(begun > 0));
    let found = twenty_days(None);
    assert_eq!(found.left_out.len(), 1);
    let left = &found.left_out[0];
    assert_eq!((left.since, left.until), (after(day(FIRST), begun), None));
    assert!(left.last_units > left.first_units);
    // The goods would not have come yet: nothing can be said of what it cost.
    assert_eq!(left.out_of_stock_days, None);
}

#[test]
fn r77_a_suggestion_left_out_until_its_arrival_shows_the_days_without_stock() {
    let first = day(FIRST);
    let mut comparing = Comparing::new(None, 7);
    for n in 0..70 {
        comparing.plan(&plan_of(after(first, n), (500 - 10 * n).max(0), 0));
    }
    let found = comparing.finish();
    // It was due on the first day, would have come on day 40, and from day 50 on nothing is left.
    assert_eq!(found.left_out.len(), 1);
    assert_eq!(found.left_out[0].out_of_stock_days, Some(20));
}

#[test]
fn orders_from_before_the_first_plan_are_compared_with_nothing() {
    let first = day(FIRST);
    let mut comparing = Comparing::new([own(after(first, -1), 400)], 7);
    comparing.plan(&plan_of(first, 300, 0));
    assert!(comparing.finish().ordered.is_empty());
    assert_eq!(Comparing::new([own(first, 1)], 7).finish(), Comparison::default());
}
