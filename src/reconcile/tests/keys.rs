//! What an event is known by, and what the tolerances leave alone.

use super::*;

fn packed(number: &str, cartons: &[(&str, &str, i64)]) -> (OrderNo, Packing) {
    let cartons = cartons
        .iter()
        .map(|(mark, code, units)| ((*mark).to_owned(), sku(code), *units))
        .collect();
    let packing = Packing {
        cartons,
        ..Packing::default()
    };
    (order(number), packing)
}

fn in_carton(key: &str, reference: &str, carton: &str, code: &str, units: i64) -> ReceiptEvent {
    ReceiptEvent {
        carton: Some(carton.to_owned()),
        ..received(key, reference, code, units, "2026-11-01")
    }
}

fn kinds(done: &Reconciliation) -> Vec<(Kind, Vec<Kind>, i64)> {
    let said = done.classified.iter();
    said.map(|one| (one.kind, one.or.clone(), one.units)).collect()
}

#[test]
fn r55_a_shipment_split_by_the_warehouse_is_found_by_its_cartons() {
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 36)])],
        &[
            in_carton("1", "SPLIT-7", "U1", "A1", 12),
            in_carton("2", "SPLIT-8", "U2", "A1", 12),
        ],
    );
    world.packing = [packed(
        "SO-1",
        &[("U1", "A1", 12), ("U2", "A1", 12), ("U3", "A1", 12)],
    )]
    .into();
    let done = world.on("2026-11-20");
    let line = line(&done, "SO-1", "A1");
    assert_eq!(line.matched_by, [(MatchKey::Carton, 24)].into());
    assert_eq!(kinds(&done), [(Kind::CartonMissing, vec![], 12)]);
    assert_eq!(done.classified[0].carton.as_deref(), Some("U3"));
    assert_eq!(
        done.anomalies,
        [],
        "the numbers are nobody's, the cartons are ours"
    );
}

#[test]
fn r55_the_carton_outranks_the_reference_it_was_counted_under() {
    let mut world = World::new(
        &[shipment("SO-A", &[("A1", 12)]), shipment("SO-B", &[("A1", 12)])],
        &[
            in_carton("1", "SO-B", "UA", "A1", 12),
            in_carton("2", "SO-A", "UB", "A1", 12),
        ],
    );
    world.packing = [
        packed("SO-A", &[("UA", "A1", 12)]),
        packed("SO-B", &[("UB", "A1", 12)]),
    ]
    .into();
    let done = world.on("2026-11-20");
    assert!(
        done.lines
            .iter()
            .all(|line| line.verdict == Verdict::Exact && line.pooled.is_empty())
    );
}

#[test]
fn r55_a_barcode_is_asked_last_and_recorded() {
    let done = World::new(
        &[shipment("SO-1", &[("A1", 100)])],
        &[
            received("1", "SO-1", "A1", 60, "2026-11-01"),
            received("2", "SO-1", "5012345678900", 40, "2026-11-02"),
        ],
    )
    .on("2026-11-20");
    let line = line(&done, "SO-1", "A1");
    assert_eq!(
        line.matched_by,
        [(MatchKey::Sku, 60), (MatchKey::Barcode, 40)].into()
    );
    assert_eq!(line.verdict, Verdict::Exact);
}

#[test]
fn r55_units_under_a_number_nobody_knows_count_where_their_count_alone_fits() {
    let events = [
        received("1", "SO-1", "A1", 80, "2026-11-01"),
        received("2", "LOST-1", "A1", 20, "2026-11-03"),
    ];
    let done = World::new(&[shipment("SO-1", &[("A1", 100)])], &events).on("2026-11-20");
    let found = line(&done, "SO-1", "A1");
    assert_eq!(found.matched_by[&MatchKey::Quantity], 20);
    assert_eq!(
        (found.verdict, done.claim_candidates().count()),
        (Verdict::CrossReceived, 0)
    );

    // Another count is no match: the short stands, less sure, and points at them.
    let mut events = events;
    events[1].units = 19;
    let done = World::new(&[shipment("SO-1", &[("A1", 100)])], &events).on("2026-11-20");
    let one = &done.classified[0];
    assert_eq!((one.kind, one.units, one.confidence), (Kind::Short, 20, 60));
    assert!(
        one.evidence
            .iter()
            .any(|pointer| pointer.kind == PointerKind::Reference)
    );

    // Nor is it one when two shipments lack as many.
    events[1].units = 20;
    let both = [shipment("SO-1", &[("A1", 100)]), shipment("SO-2", &[("A1", 100)])];
    let other = received("3", "SO-2", "A1", 80, "2026-11-02");
    let done = World::new(&both, &[events.to_vec(), vec![other]].concat()).on("2026-11-20");
    assert_eq!(done.claim_candidates().count(), 2);
}

#[test]
fn r55_each_warehouse_has_its_own_tolerance() {
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 100)])],
        &[received("1", "SO-1", "A1", 98, "2026-11-01")],
    );
    assert_eq!(kinds(&world.on("2026-11-20")), [(Kind::Short, vec![], 2)]);
    let two = Tolerance {
        units: 2,
        ..Tolerance::NONE
    };
    world.rules.tolerances = [(warehouse(), (two, Tolerance::NONE))].into();
    let done = world.on("2026-11-20");
    assert_eq!(line(&done, "SO-1", "A1").verdict, Verdict::WithinTolerance);
    assert_eq!(kinds(&done), []);
}

#[test]
fn r56_two_kinds_are_both_listed_and_none_is_closed() {
    // Whole cartons' worth is missing, and nobody counted by carton.
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 36)])],
        &[received("1", "SO-1", "A1", 24, "2026-11-01")],
    );
    world.packing = [packed(
        "SO-1",
        &[("U1", "A1", 12), ("U2", "A1", 12), ("U3", "A1", 12)],
    )]
    .into();
    world.rules.short.units = 50;
    let done = world.on("2026-11-20");
    assert_eq!(kinds(&done), [(Kind::Short, vec![Kind::CartonMissing], 12)]);
    assert_eq!(
        line(&done, "SO-1", "A1").verdict,
        Verdict::Short,
        "a tolerance closes what is plain only"
    );
    assert!(!done.classified[0].is_claimable());
}

#[test]
fn r56_a_difference_keeps_its_name_while_its_units_change() {
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 100)])],
        &[received("1", "SO-1", "A1", 80, "2026-11-01")],
    );
    let before = world.on("2026-11-20").classified[0].clone();
    world.events.push(received("2", "SO-1", "A1", 5, "2026-11-12"));
    let after = world.on("2026-11-20").classified[0].clone();
    assert_eq!((before.id, before.units, after.units), (after.id, 20, 15));
    world.events.push(received("3", "SO-1", "A1", 15, "2026-11-14"));
    assert_eq!(world.on("2026-11-20").classified, []);
}
