use super::*;

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + hour * 3_600, 0).unwrap()
}

fn usual() -> Timing {
    Timing {
        due: at(100),
        taken: Some(at(0)),
        hold: None,
        refused: false,
        papers: vec![Paper::DeliveryProof],
    }
}

fn who(timing: &Timing, late: bool) -> (Option<Party>, Why) {
    let found = propose_timing(timing, late);
    (found.party, found.why)
}

#[test]
fn r53_whoever_had_the_goods_at_the_hour_of_the_slot_is_proposed() {
    let carrier = usual();
    assert_eq!(who(&carrier, false), (Some(Party::Carrier), Why::HadThem));
    assert_eq!(propose_timing(&carrier, false).missing, [Paper::CarrierReceipt]);
    let home = Timing {
        taken: None,
        ..usual()
    };
    assert_eq!(who(&home, false), (Some(Party::Shipper), Why::NotGone));
    let after = Timing {
        taken: Some(at(101)),
        ..usual()
    };
    assert_eq!(who(&after, false), (Some(Party::Shipper), Why::NotGone));
    let turned_away = Timing {
        refused: true,
        ..usual()
    };
    assert_eq!(who(&turned_away, false), (Some(Party::Warehouse), Why::Refused));
}

#[test]
fn r68_customs_answer_for_what_they_held_then_and_may_for_what_they_held_before() {
    let held = |from, to| Timing {
        hold: Some(Hold { from: at(from), to }),
        ..usual()
    };
    assert_eq!(who(&held(90, None), true), (Some(Party::Customs), Why::Held));
    assert_eq!(
        who(&held(90, Some(at(110))), false),
        (Some(Party::Customs), Why::Held)
    );
    // Released in time for the slot: the carrier came late by himself. Of days on the way nobody can say.
    assert_eq!(
        who(&held(50, Some(at(60))), false),
        (Some(Party::Carrier), Why::HadThem)
    );
    let unclear = propose_timing(&held(50, Some(at(60))), true);
    assert_eq!((unclear.party, unclear.why), (None, Why::HeldBefore));
    assert_eq!(unclear.candidates, [Party::Carrier, Party::Customs]);
    assert!(unclear.missing.contains(&Paper::CustomsNotice));
    // After the slot it explains nothing.
    assert_eq!(who(&held(120, None), true), (Some(Party::Carrier), Why::HadThem));
}
