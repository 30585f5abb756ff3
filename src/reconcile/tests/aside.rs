//! Units the warehouse has put aside as an exception: named, and neither lost nor counted twice.

use super::*;

const ON: &str = "2026-11-20";

fn aside(key: &str, units: i64, on: &str) -> ReceiptEvent {
    event(key, "SO-1", "A1", ReceiptKind::SetAside, units, on)
}

fn shelved(key: &str, units: i64) -> ReceiptEvent {
    event(key, "SO-1", "A1", ReceiptKind::PutAway, units, "2026-11-02")
}

fn world(counted: i64, on_shelf: i64, put_aside: i64) -> World {
    World::new(
        &[shipment("SO-1", &[("A1", 100)])],
        &[
            received("1", "SO-1", "A1", counted, "2026-11-01"),
            shelved("2", on_shelf),
            aside("3", put_aside, "2026-11-02"),
        ],
    )
}

fn kinds(done: &Reconciliation) -> Vec<(Kind, Vec<Kind>, i64)> {
    let said = done.classified.iter();
    said.map(|one| (one.kind, one.or.clone(), one.units)).collect()
}

#[test]
fn r56_what_is_put_aside_and_not_received_is_not_short_besides() {
    let done = world(90, 90, 3).on(ON);
    assert_eq!(
        kinds(&done),
        [(Kind::Short, vec![], 7), (Kind::SetAside, vec![], 3)]
    );
    let line = line(&done, "SO-1", "A1");
    assert_eq!((line.received, line.set_aside, line.closed_short), (90, 3, 10));
    // Nothing but what was put aside is missing: nobody is asked to pay.
    let done = world(97, 97, 3).on(ON);
    assert_eq!(kinds(&done), [(Kind::SetAside, vec![], 3)]);
    assert_eq!(done.claim_candidates().count(), 0);
}

#[test]
fn r56_what_is_put_aside_among_the_received_is_no_put_away_gap_besides() {
    let done = world(100, 92, 3).on(ON);
    assert_eq!(
        kinds(&done),
        [(Kind::PutAwayGap, vec![], 5), (Kind::SetAside, vec![], 3)]
    );
    let line = line(&done, "SO-1", "A1");
    assert_eq!((line.received, line.pending_putaway, line.set_aside), (100, 8, 3));
}

#[test]
fn r56_where_it_may_be_either_both_are_listed_and_nothing_is_claimed() {
    let mut both = world(99, 98, 1);
    both.rules.short.units = 5;
    let done = both.on(ON);
    assert_eq!(
        kinds(&done),
        [
            (Kind::Short, vec![Kind::SetAside], 1),
            (Kind::PutAwayGap, vec![Kind::SetAside], 1),
            (Kind::SetAside, vec![Kind::Short], 1),
        ]
    );
    assert_eq!(
        line(&done, "SO-1", "A1").verdict,
        Verdict::Short,
        "what is open is not closed"
    );
    assert!(done.classified.iter().all(|one| !one.is_claimable()));
    // The warehouse says: broken. Then it is that, and nothing else.
    both.events.push(aside("4", -1, "2026-11-03"));
    both.events
        .push(event("5", "SO-1", "A1", ReceiptKind::Damaged, 1, "2026-11-03"));
    both.events.push(received("6", "SO-1", "A1", 1, "2026-11-03"));
    let done = both.on(ON);
    assert_eq!(
        kinds(&done),
        [(Kind::Damaged, vec![], 1), (Kind::PutAwayGap, vec![], 1)]
    );
}

#[test]
fn r56_a_carton_put_aside_whole_has_come() {
    let in_carton = |key: &str, carton: &str, kind, units| ReceiptEvent {
        carton: Some(carton.to_owned()),
        ..event(key, "SO-1", "A1", kind, units, "2026-11-01")
    };
    let packing = Packing {
        cartons: ["U1", "U2", "U3"]
            .map(|mark| (mark.to_owned(), sku("A1"), 12))
            .to_vec(),
        ..Packing::default()
    };
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 36)])],
        &[
            in_carton("1", "U1", ReceiptKind::Received, 12),
            in_carton("2", "U1", ReceiptKind::PutAway, 12),
            in_carton("3", "U2", ReceiptKind::SetAside, 12),
        ],
    );
    world.packing = [(order("SO-1"), packing)].into();
    let done = world.on(ON);
    assert_eq!(
        kinds(&done),
        [(Kind::CartonMissing, vec![], 12), (Kind::SetAside, vec![], 12)]
    );
    assert_eq!(done.classified[0].carton.as_deref(), Some("U3"));
}
