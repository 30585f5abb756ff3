use chrono::{DateTime, Utc};

use super::*;
use crate::ids::{OrderNo, Sku, SourceId};
use crate::ledger::ReceiptKind;
use crate::wording::Lang;

mod aside;
mod keys;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}T10:00:00Z").parse().unwrap()
}

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn order(text: &str) -> OrderNo {
    OrderNo::new(text).unwrap()
}

fn warehouse() -> WarehouseCode {
    WarehouseCode::new("goodcang:UKMA").unwrap()
}

fn shipment(number: &str, units: &[(&str, i64)]) -> Shipment {
    Shipment {
        order: order(number),
        warehouse: warehouse(),
        shipped_on: day("2026-09-20"),
        eta_p50: day("2026-10-30"),
        eta_p90: day("2026-11-10"),
        units: units.iter().map(|(code, units)| (sku(code), *units)).collect(),
    }
}

fn event(key: &str, reference: &str, code: &str, kind: ReceiptKind, units: i64, on: &str) -> ReceiptEvent {
    ReceiptEvent {
        source: "goodcang-uk".into(),
        key: key.into(),
        warehouse: warehouse(),
        reference: reference.into(),
        carton: None,
        sku_code: code.into(),
        kind,
        units,
        at: at(on),
        lot: None,
        unit_value: None,
    }
}

fn received(key: &str, reference: &str, code: &str, units: i64, on: &str) -> ReceiptEvent {
    event(key, reference, code, ReceiptKind::Received, units, on)
}

fn notice(inbound_no: &str, reference: &str, closed_on: Option<&str>) -> InboundNotice {
    InboundNotice {
        source: SourceId::new("goodcang-uk").unwrap(),
        warehouse: warehouse(),
        inbound_no: inbound_no.into(),
        reference: reference.into(),
        state: String::new(),
        closed: closed_on.is_some(),
        updated_at: Some(at(closed_on.unwrap_or("2026-09-21"))),
    }
}

/// Codes are the SKU itself; `SET-3` is three of A1, `?…` is unmapped.
fn meaning(_: &WarehouseCode, code: &str, _: NaiveDate) -> Option<Meaning> {
    let (sku, multiple) = match code {
        "SET-3" => (sku("A1"), 3),
        "5012345678900" => (sku("A1"), 1),
        unmapped if unmapped.starts_with('?') => return None,
        own => (sku(own), 1),
    };
    Some(Meaning {
        resolved: Resolved { sku, multiple },
        barcode: code.starts_with('5'),
    })
}

struct World {
    shipments: Vec<Shipment>,
    events: Vec<ReceiptEvent>,
    notices: Vec<InboundNotice>,
    announced: Vec<InboundLine>,
    packing: BTreeMap<OrderNo, Packing>,
    packs: BTreeMap<Sku, BTreeSet<i64>>,
    rules: Rules,
}

impl World {
    fn new(shipments: &[Shipment], events: &[ReceiptEvent]) -> Self {
        Self {
            shipments: shipments.to_vec(),
            events: events.to_vec(),
            notices: Vec::new(),
            announced: Vec::new(),
            packing: BTreeMap::new(),
            packs: BTreeMap::new(),
            rules: Rules::default(),
        }
    }

    fn on(&self, as_of: &str) -> Reconciliation {
        let evidence = Evidence {
            shipments: &self.shipments,
            packing: &self.packing,
            packs: &self.packs,
            events: &self.events,
            notices: &self.notices,
            announced: &self.announced,
        };
        let done = reconcile(evidence, &self.rules, &meaning, day(as_of));
        assert_eq!(done.breaches, [], "conservation holds");
        done
    }
}

fn line<'a>(done: &'a Reconciliation, number: &str, code: &str) -> &'a Line {
    done.line(&order(number), &sku(code)).unwrap()
}

#[test]
fn r54_batches_400_150_40_with_one_repeated_are_590_and_560_on_the_shelf_leave_30_pending() {
    let batches = [
        received("b1", "SO-1", "A1", 400, "2026-11-01"),
        received("b2", "SO-1", "A1", 150, "2026-11-02"),
        received("b3", "SO-1", "A1", 40, "2026-11-03"),
        received("b2", "SO-1", "A1", 150, "2026-11-02"),
        event("p1", "SO-1", "A1", ReceiptKind::PutAway, 560, "2026-11-04"),
    ];
    let done = World::new(&[shipment("SO-1", &[("A1", 600)])], &batches).on("2026-11-05");
    let line = line(&done, "SO-1", "A1");
    assert_eq!(
        (line.received, line.put_away, line.pending_putaway),
        (590, 560, 30)
    );
    assert_eq!(
        (line.state, line.verdict, line.closed_short),
        (LineState::Receiving, Verdict::Open, 0)
    );
    assert_eq!(
        done.transit[0].moving(),
        10,
        "put-away units are not counted a second time"
    );
}

#[test]
fn r17_a_partial_receipt_waits_for_the_rest_until_it_is_overdue_and_silent() {
    let world = World::new(
        &[shipment("SO-1", &[("A1", 1_000)])],
        &[received("b1", "SO-1", "A1", 400, "2026-10-28")],
    );
    for (as_of, moving, state) in [
        ("2026-10-27", 1_000, LineState::Moving),
        ("2026-10-28", 600, LineState::Receiving),
        // Silent for long, but the other truck may still come.
        ("2026-11-10", 600, LineState::Receiving),
        ("2026-11-11", 0, LineState::Settled),
    ] {
        let done = world.on(as_of);
        assert_eq!(
            (done.transit[0].moving(), line(&done, "SO-1", "A1").state),
            (moving, state),
            "{as_of}"
        );
    }
    assert_eq!(world.on("2026-11-11").transit[0].closed_short, 600);
}

#[test]
fn r54_negative_corrections_are_batches_too() {
    let done = World::new(
        &[shipment("SO-1", &[("A1", 100)])],
        &[
            received("b1", "SO-1", "A1", 105, "2026-11-01"),
            received("b2", "SO-1", "A1", -5, "2026-11-03"),
        ],
    )
    .on("2026-11-08");
    assert_eq!(line(&done, "SO-1", "A1").verdict, Verdict::Exact);
    assert_eq!(done.differences().count(), 0);
}

#[test]
fn r54_a_closed_inbound_opens_again_when_a_later_event_comes() {
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 100)])],
        &[received("b1", "GRN-1", "A1", 80, "2026-10-20")],
    );
    world.notices = vec![notice("GRN-1", "SO-1", Some("2026-10-21"))];
    let done = world.on("2026-10-22");
    let closed = line(&done, "SO-1", "A1");
    assert_eq!(
        (closed.state, closed.verdict, closed.closed_short),
        (LineState::Closed, Verdict::Short, 20)
    );
    assert_eq!(done.claim_candidates().count(), 1);

    world.events.push(received("b2", "GRN-1", "A1", 20, "2026-10-25"));
    let done = world.on("2026-10-26");
    assert_eq!(line(&done, "SO-1", "A1").state, LineState::Receiving);
    assert_eq!(done.reopened[0].inbound_no, "GRN-1");
    let done = world.on("2026-10-30");
    assert_eq!(line(&done, "SO-1", "A1").verdict, Verdict::Exact);
    // The past is replayed as it was.
    assert_eq!(
        line(&world.on("2026-10-22"), "SO-1", "A1").verdict,
        Verdict::Short
    );
}

#[test]
fn r54_sets_count_as_their_pieces() {
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 30)])],
        &[received("b1", "SO-1", "SET-3", 10, "2026-11-01")],
    );
    world.announced = vec![InboundLine {
        source: SourceId::new("goodcang-uk").unwrap(),
        inbound_no: "SO-1".into(),
        carton: None,
        sku_code: "SET-3".into(),
        announced: Some(10),
        put_away: Some(4),
    }];
    let done = world.on("2026-11-06");
    let line = line(&done, "SO-1", "A1");
    assert_eq!((line.received, line.announced, line.put_away), (30, Some(30), 12));
    assert_eq!((line.pending_putaway, line.verdict), (18, Verdict::Exact));
}

#[test]
fn r55_a_short_20_and_b_over_20_within_14_days_are_cross_received_and_alone_a_claim() {
    let shipments = [shipment("SO-A", &[("A1", 100)]), shipment("SO-B", &[("A1", 200)])];
    let short = received("a", "SO-A", "A1", 80, "2026-10-20");
    let over = |on: &str| received("b", "SO-B", "A1", 220, on);

    let together = World::new(&shipments, &[short.clone(), over("2026-11-03")]).on("2026-11-20");
    let a = line(&together, "SO-A", "A1");
    assert_eq!(
        (a.verdict, a.difference, a.closed_short),
        (Verdict::CrossReceived, 0, 0)
    );
    assert_eq!(
        a.pooled,
        [Pooled {
            other: order("SO-B"),
            units: 20
        }]
    );
    assert_eq!(line(&together, "SO-B", "A1").verdict, Verdict::CrossReceived);
    assert_eq!(together.claim_candidates().count(), 0);
    assert!(
        together
            .transit
            .iter()
            .all(|line| line.moving() == 0 && line.closed_short == 0)
    );

    let apart = World::new(&shipments, &[short.clone(), over("2026-11-04")]).on("2026-11-20");
    assert_eq!(line(&apart, "SO-A", "A1").verdict, Verdict::Short);
    assert_eq!(line(&apart, "SO-B", "A1").verdict, Verdict::Over);

    let alone = World::new(&shipments[..1], &[short]).on("2026-11-20");
    assert_eq!(
        alone
            .claim_candidates()
            .map(|line| -line.difference)
            .collect::<Vec<_>>(),
        [20]
    );
}

#[test]
fn r55_a_shipment_counted_wholly_under_another_number_is_no_claim() {
    let mut world = World::new(
        &[shipment("SO-A", &[("A1", 50)]), shipment("SO-B", &[("A1", 50)])],
        &[received("1", "SO-B", "A1", 100, "2026-10-20")],
    );
    world.notices = vec![notice("GRN-A", "SO-A", Some("2026-10-25"))];
    let done = world.on("2026-10-26");
    assert_eq!(line(&done, "SO-A", "A1").verdict, Verdict::CrossReceived);
    world.notices = vec![notice("GRN-A", "SO-A", Some("2026-12-25"))];
    assert_eq!(
        line(&world.on("2026-12-26"), "SO-A", "A1").verdict,
        Verdict::Short
    );
}

#[test]
fn r55_a_sku_counted_under_a_shipment_that_never_had_it_is_named_and_pooled() {
    let done = World::new(
        &[
            shipment("SO-A", &[("A1", 50), ("B1", 10)]),
            shipment("SO-B", &[("B1", 10)]),
        ],
        &[
            received("1", "SO-A", "B1", 10, "2026-11-01"),
            received("2", "SO-B", "A1", 50, "2026-11-02"),
            received("3", "SO-B", "B1", 10, "2026-11-02"),
        ],
    )
    .on("2026-11-20");
    assert_eq!(line(&done, "SO-A", "A1").verdict, Verdict::CrossReceived);
    assert!(matches!(
        &done.anomalies[..],
        [Anomaly::NeverShipped { units: 50, .. }]
    ));
}

#[test]
fn r55_inside_the_tolerance_nobody_is_asked() {
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 1_000), ("B1", 100)])],
        &[
            received("1", "SO-1", "A1", 991, "2026-11-01"),
            received("2", "SO-1", "B1", 102, "2026-11-01"),
        ],
    );
    world.rules.short.percent = "0.95".parse().unwrap();
    world.rules.over.units = 2;
    let done = world.on("2026-11-20");
    assert_eq!(line(&done, "SO-1", "A1").verdict, Verdict::WithinTolerance);
    assert_eq!(line(&done, "SO-1", "B1").verdict, Verdict::WithinTolerance);
    // The nine units are off the road all the same.
    assert_eq!((done.transit[0].moving(), done.transit[0].closed_short), (0, 9));
    world.events[0].units = 990;
    assert_eq!(
        line(&world.on("2026-11-20"), "SO-1", "A1").verdict,
        Verdict::Short
    );
}

#[test]
fn r55_what_cannot_be_right_is_listed_by_name_in_both_languages() {
    let mut stray = received("6", "SO-1", "B1", 1, "2026-11-01");
    stray.warehouse = WarehouseCode::new("amazon:GB").unwrap();
    let mut from_file = received("7", "SO-1", "B1", 9, "2026-11-01");
    from_file.source = "file:receipts.csv".into();
    let mut world = World::new(
        &[shipment("SO-1", &[("A1", 10), ("B1", 10)])],
        &[
            received("1", "SO-1", "A1", 31, "2026-09-19"),
            received("2", "SO-1", "C1", 5, "2026-11-01"),
            received("3", "SO-77", "A1", 12, "2026-11-01"),
            received("3", "SO-77", "A1", 13, "2026-11-01"),
            received("4", "SO-1", "?X", 7, "2026-11-01"),
            received("5", "SO-1", "B1", 10, "2026-11-01"),
            event("8", "SO-1", "B1", ReceiptKind::PutAway, -3, "2026-11-02"),
            stray,
            from_file,
        ],
    );
    world.notices = vec![notice("GRN-1", "SO-1", None)];
    world.announced = vec![InboundLine {
        source: SourceId::new("goodcang-uk").unwrap(),
        inbound_no: "GRN-1".into(),
        carton: None,
        sku_code: "B1".into(),
        announced: Some(12),
        put_away: None,
    }];
    let done = world.on("2026-11-20");
    assert_eq!(done.unmapped.values().sum::<i64>(), 1);
    assert_eq!(
        line(&done, "SO-1", "B1").received,
        10,
        "two reports of ten are ten"
    );
    for lang in [Lang::En, Lang::Zh] {
        let texts: Vec<String> = done.anomalies.iter().map(|anomaly| anomaly.text(lang)).collect();
        assert!(texts.iter().all(|text| !text.contains(['{', '['])), "{texts:?}");
    }
    let texts: Vec<String> = done
        .anomalies
        .iter()
        .map(|anomaly| anomaly.text(Lang::En))
        .collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    goodcang:UKMA reports 12 units for `SO-77`, which is no order or inbound of ours.
    C1 was never shipped with SO-1, yet 5 units were received.
    A1 of SO-1 was received on 2026-09-19, before it was shipped on 2026-09-20.
    A1 of SO-1: 10 shipped, 31 received; check the unit of count (set or piece).
    B1 of SO-1: 10 shipped, but 12 were announced.
    SO-1 was sent to goodcang:UKMA, but amazon:GB reports receipts; they are not counted.
    B1 of SO-1 is reported by file, goodcang-uk; only the fuller report is counted.
    B1 of SO-1 adds up to -3 units: corrections take away more than was received.
    Receipt 3 of goodcang-uk came with two contents.
    "#);
}

#[test]
fn damage_is_a_part_of_what_was_received() {
    let done = World::new(
        &[shipment("SO-1", &[("A1", 100)])],
        &[
            received("1", "SO-1", "A1", 100, "2026-11-01"),
            event("2", "SO-1", "A1", ReceiptKind::Damaged, 4, "2026-11-01"),
            event("3", "SO-1", "A1", ReceiptKind::PutAway, 90, "2026-11-02"),
        ],
    )
    .on("2026-11-20");
    let line = line(&done, "SO-1", "A1");
    assert_eq!((line.received, line.damaged, line.pending_putaway), (100, 4, 6));
    assert_eq!((line.verdict, line.differs()), (Verdict::Exact, true));
}

#[test]
fn a_warehouse_that_reports_only_the_shelf_has_received_what_lies_there() {
    let done = World::new(
        &[shipment("SO-1", &[("A1", 100)])],
        &[event("1", "so-1 ", "A1", ReceiptKind::PutAway, 70, "2026-11-02")],
    )
    .on("2026-11-03");
    assert_eq!(
        (line(&done, "SO-1", "A1").received, done.transit[0].moving()),
        (70, 30)
    );
}

#[test]
fn days_end_at_the_warehouses_midnight() {
    let mut late = received("1", "SO-1", "A1", 10, "2026-11-02");
    late.at = "2026-11-03T03:00:00Z".parse().unwrap();
    let mut world = World::new(&[shipment("SO-1", &[("A1", 10)])], &[late]);
    assert_eq!(line(&world.on("2026-11-02"), "SO-1", "A1").received, 0);
    world
        .rules
        .zones
        .insert(warehouse(), chrono_tz::America::New_York);
    assert_eq!(line(&world.on("2026-11-02"), "SO-1", "A1").received, 10);
}
