use proptest::prelude::*;

use super::*;

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + hour * 3_600, 0).unwrap()
}

fn seen(point: Point, cartons: i64, hour: i64) -> Seen {
    Seen {
        point,
        cartons: Some(cartons),
        clean: Some(true),
        at: Some(at(hour)),
        source: point.code().to_owned(),
    }
}

fn custody(seen: Vec<Seen>) -> Custody {
    Custody {
        cartons: 20,
        seen,
        exams: Vec::new(),
    }
}

#[test]
fn r68_a_clean_delivery_of_20_and_a_count_of_18_is_the_warehouse() {
    let found = propose(&custody(vec![
        seen(Point::Counted, 18, 9),
        seen(Point::Delivered, 20, 5),
    ]));
    assert_eq!((found.party, found.why), (Some(Party::Warehouse), Why::LastClean));
    assert_eq!(found.last_clean.unwrap().point, Point::Delivered);
    // The pack scan and the forwarder's receipt would make it stronger.
    assert_eq!(found.missing, [Paper::PackScan, Paper::CarrierReceipt]);
}

#[test]
fn r68_a_delivery_of_18_is_the_carrier() {
    let found = propose(&custody(vec![
        seen(Point::Packed, 20, 1),
        seen(Point::Delivered, 18, 5),
    ]));
    assert_eq!(found.party, Some(Party::Carrier));
    let with_receipt = propose(&custody(vec![
        seen(Point::PickedUp, 20, 2),
        seen(Point::Delivered, 18, 5),
        seen(Point::Counted, 18, 9),
    ]));
    assert_eq!(with_receipt.party, Some(Party::Carrier));
    assert_eq!(with_receipt.first_bad.unwrap().point, Point::Delivered);
}

#[test]
fn r68_a_pack_scan_of_18_is_the_shipper() {
    let found = propose(&custody(vec![
        seen(Point::Packed, 18, 1),
        seen(Point::Delivered, 18, 5),
    ]));
    assert_eq!((found.party, found.why), (Some(Party::Shipper), Why::PackedShort));
    let at_the_door = propose(&custody(vec![
        seen(Point::Packed, 20, 1),
        seen(Point::PickedUp, 18, 2),
    ]));
    assert_eq!(at_the_door.party, Some(Party::Shipper));
}

#[test]
fn r68_an_exam_between_the_clean_and_the_short_hand_over_is_customs() {
    let mut story = custody(vec![seen(Point::PickedUp, 20, 1), seen(Point::Delivered, 18, 9)]);
    story.exams = vec![at(5)];
    let found = propose(&story);
    assert_eq!((found.party, found.why), (Some(Party::Customs), Why::Examined));
    // Everything came through the exam, so it was not there.
    story.seen = vec![seen(Point::Delivered, 20, 9), seen(Point::Counted, 18, 11)];
    assert_eq!(propose(&story).party, Some(Party::Warehouse));
}

#[test]
fn r68_conflicting_evidence_is_undetermined_with_the_conflict_named() {
    let mut other = seen(Point::Delivered, 18, 5);
    other.source = "carrier".to_owned();
    let found = propose(&custody(vec![
        seen(Point::PickedUp, 20, 2),
        seen(Point::Delivered, 20, 5),
        other,
        seen(Point::Counted, 18, 9),
    ]));
    assert_eq!((found.party, found.why), (None, Why::Conflict));
    insta::assert_snapshot!(found.text(Lang::En), @"The evidence contradicts itself: proof of delivery says two things (carrier: 18 / delivered: 20). It may have been: carrier or forwarder, warehouse.");
    let grew = propose(&custody(vec![
        seen(Point::Packed, 18, 1),
        seen(Point::Delivered, 20, 5),
    ]));
    assert_eq!(grew.party, None);
    insta::assert_snapshot!(grew.text(Lang::Zh));
}

#[test]
fn r68_without_a_proof_of_delivery_it_is_undetermined_and_the_proof_is_missing() {
    let found = propose(&custody(vec![
        seen(Point::PickedUp, 20, 1),
        seen(Point::Counted, 18, 9),
    ]));
    assert_eq!((found.party, found.why), (None, Why::Between));
    assert_eq!(found.candidates, [Party::Carrier, Party::Warehouse]);
    assert!(found.missing.contains(&Paper::DeliveryProof));
}

#[test]
fn r68_all_cartons_there_and_units_missing_inside_asks_for_photos() {
    let found = propose(&custody(vec![
        seen(Point::Delivered, 20, 5),
        seen(Point::Counted, 20, 9),
    ]));
    assert_eq!((found.party, found.why), (None, Why::Concealed));
    assert_eq!(found.candidates, [Party::Shipper, Party::Warehouse]);
    assert!(found.missing.contains(&Paper::CartonPhotos));
    let scanned = propose(&custody(vec![
        seen(Point::Packed, 20, 1),
        seen(Point::Delivered, 20, 5),
        seen(Point::Counted, 20, 9),
    ]));
    assert_eq!(
        (scanned.party, scanned.why),
        (Some(Party::Warehouse), Why::Scanned)
    );
    // A signature without a count is no clean hand-over.
    let mut uncounted = seen(Point::Delivered, 20, 5);
    uncounted.cartons = None;
    let found = propose(&custody(vec![uncounted, seen(Point::Counted, 18, 9)]));
    assert_eq!(found.party, None);
}

#[test]
fn r68_a_remark_of_damage_on_the_delivery_is_the_carrier_and_later_damage_the_warehouse() {
    let mut remarked = seen(Point::Delivered, 20, 5);
    remarked.clean = Some(false);
    let found = propose(&custody(vec![seen(Point::PickedUp, 20, 1), remarked]));
    assert_eq!(found.party, Some(Party::Carrier));
    let mut broken = seen(Point::Counted, 20, 9);
    broken.clean = Some(false);
    let found = propose(&custody(vec![seen(Point::Delivered, 20, 5), broken]));
    assert_eq!(found.party, Some(Party::Warehouse));
}

proptest! {
    /// The order of the papers does not matter, one told twice neither; whoever is named is a candidate, and where papers
    /// contradict each other nobody is.
    #[test]
    fn r68_the_order_of_evidence_does_not_matter(
        points in proptest::collection::vec((0_usize..4, proptest::option::of(15_i64..22), proptest::option::of(any::<bool>())), 0..7),
        exam in proptest::option::of(0_i64..10),
        turn in 0_usize..7,
    ) {
        let all: Vec<Seen> = points
            .iter()
            .enumerate()
            .map(|(number, (point, cartons, clean))| Seen {
                point: Point::ALL[*point],
                cartons: *cartons,
                clean: *clean,
                at: Some(at(*point as i64 * 2)),
                source: number.to_string(),
            })
            .collect();
        let mut story = custody(all);
        story.exams = exam.map(at).into_iter().collect();
        let first = propose(&story);
        let turn = turn.min(story.seen.len());
        story.seen.rotate_left(turn);
        let again = story.seen.first().cloned();
        story.seen.extend(again);
        let second = propose(&story);
        prop_assert_eq!(first.party, second.party);
        prop_assert_eq!(&first.candidates, &second.candidates);
        prop_assert_eq!(&first.missing, &second.missing);
        if let Some(party) = first.party {
            prop_assert!(first.candidates.contains(&party));
            prop_assert!(first.conflicts.is_empty());
        }
    }
}
