//! R22: the life of an order.

use super::*;
use proptest::prelude::*;

fn reached(state: OrderState) -> OrderEventKind {
    OrderEventKind::Reached { state }
}

pub(in crate::order) fn packed() -> OrderEventKind {
    OrderEventKind::Packed {
        cartons: 12,
        sha256: String::new(),
        beyond_stock: None,
    }
}

pub(in crate::order) fn scanned(findings: u32) -> OrderEventKind {
    OrderEventKind::Scanned {
        findings,
        sha256: String::new(),
        photos: false,
    }
}

pub(in crate::order) fn reissued() -> OrderEventKind {
    OrderEventKind::Reissued {
        revision: 2,
        reason: "one carton more".to_owned(),
    }
}

#[test]
fn r22_the_whole_way_is_legal_and_may_skip_milestones() {
    let way = [
        OrderEventKind::Created,
        reached(OrderState::Approved),
        reached(OrderState::HandedOver),
        reached(OrderState::Departed),
        reached(OrderState::Receiving),
        OrderEventKind::Closed,
        OrderEventKind::Reopened,
        OrderEventKind::ShortClosed { missing: 3 },
    ];
    assert_eq!(replay(&way), Ok(OrderState::ShortClosed));
}

#[test]
fn r22_a_draft_cannot_be_handed_over_and_goods_on_the_water_cannot_be_cancelled() {
    let draft = [OrderEventKind::Created, reached(OrderState::HandedOver)];
    assert_eq!(
        replay(&draft).unwrap_err().to_string(),
        "an order that is draft cannot become handed_over"
    );
    let sailing = [
        OrderEventKind::Created,
        reached(OrderState::Approved),
        reached(OrderState::Departed),
        OrderEventKind::Cancelled {
            reason: String::new(),
        },
    ];
    assert!(replay(&sailing).is_err());
}

#[test]
fn r41_a_rejected_booking_goes_back_and_may_be_taken_after_all_but_not_once_the_goods_are_gone() {
    let rejected = OrderEventKind::BookingRejected {
        reason: "battery without MSDS".to_owned(),
    };
    let mut way = vec![
        OrderEventKind::Created,
        reached(OrderState::Approved),
        reached(OrderState::Packed),
        rejected.clone(),
    ];
    assert_eq!(replay(&way), Ok(OrderState::BookingRejected));
    way.push(reached(OrderState::HandedOver));
    assert_eq!(replay(&way), Ok(OrderState::HandedOver));
    way.push(rejected);
    assert_eq!(
        replay(&way).unwrap_err().to_string(),
        "an order that is handed_over cannot become booking_rejected"
    );
    assert!(replay(&[OrderEventKind::Created, reached(OrderState::BookingRejected)]).is_err());
}

#[test]
fn r41_a_rejected_booking_is_booked_anew_or_cancelled_and_nothing_is_booked_anew_once_it_left() {
    let again = reissued();
    let mut way = vec![
        OrderEventKind::Created,
        reached(OrderState::Approved),
        OrderEventKind::BookingRejected {
            reason: "battery without MSDS".to_owned(),
        },
    ];
    let cancelled = [
        way.clone(),
        vec![OrderEventKind::Cancelled {
            reason: "no longer wanted".to_owned(),
        }],
    ]
    .concat();
    assert_eq!(replay(&cancelled), Ok(OrderState::Cancelled));
    way.push(again.clone());
    assert_eq!(replay(&way), Ok(OrderState::Approved));
    way.extend([reached(OrderState::HandedOver), again.clone()]);
    assert_eq!(
        replay(&way).unwrap_err().to_string(),
        "an order that is handed_over cannot become reissued"
    );
    assert!(
        replay(&[OrderEventKind::Created, again]).is_err(),
        "a draft was never issued"
    );
}

fn other() -> OrderNo {
    OrderNo::new("BH2").unwrap()
}

/// Every transition there is, by the code of the state it begins in and the name of the event: whatever is not named
/// here is refused.
#[test]
fn r22_all_legal_transitions_and_no_illegal_ones() {
    use OrderState as S;
    let named: Vec<(&str, OrderEventKind)> = vec![
        ("created", OrderEventKind::Created),
        (
            "cancelled",
            OrderEventKind::Cancelled {
                reason: String::new(),
            },
        ),
        (
            "rejected",
            OrderEventKind::BookingRejected {
                reason: String::new(),
            },
        ),
        ("reissued", reissued()),
        (
            "edited",
            OrderEventKind::Edited {
                reason: String::new(),
            },
        ),
        ("packed", packed()),
        ("scanned", scanned(0)),
        ("labels", OrderEventKind::ScanAsked),
        ("labels", OrderEventKind::HandOverWaits),
        (
            "labels",
            OrderEventKind::LabelsWaived {
                reason: String::new(),
            },
        ),
        ("split", OrderEventKind::SplitInto { order: other() }),
        ("merged", OrderEventKind::MergedFrom { order: other() }),
        ("closed", OrderEventKind::Closed),
        ("short", OrderEventKind::ShortClosed { missing: 1 }),
        ("reopened", OrderEventKind::Reopened),
    ];
    let way = [
        S::Draft,
        S::Approved,
        S::Packed,
        S::HandedOver,
        S::Exported,
        S::Departed,
        S::Arrived,
        S::Cleared,
        S::Delivered,
        S::Receiving,
    ];
    let place = |state: S| match state {
        S::BookingRejected => Some(1),
        state => way.iter().position(|one| *one == state),
    };
    let wanted = |from: S, event: &str| -> Option<S> {
        let home = matches!(from, S::Draft | S::Approved | S::Packed | S::BookingRejected);
        let issued = home && from != S::Draft;
        let left = place(from).is_some_and(|place| place >= 3);
        match event {
            "cancelled" => home.then_some(S::Cancelled),
            "rejected" => issued.then_some(S::BookingRejected),
            "reissued" => issued.then_some(S::Approved),
            "edited" => (from == S::Draft).then_some(S::Draft),
            "packed" => (from == S::Approved).then_some(S::Packed),
            "scanned" => (from == S::Packed).then_some(S::Packed),
            "labels" => matches!(from, S::Approved | S::Packed).then_some(from),
            "split" | "merged" => home.then_some(from),
            "closed" => (from == S::Receiving).then_some(S::Closed),
            "short" => left.then_some(S::ShortClosed),
            "reopened" => matches!(from, S::Closed | S::ShortClosed).then_some(S::Receiving),
            _ => None,
        }
    };
    for from in S::ALL {
        for (name, event) in &named {
            assert_eq!(
                apply(Some(from), event).ok(),
                wanted(from, name),
                "{from:?} {name}"
            );
        }
        for to in S::ALL {
            let legal = match (place(from), place(to)) {
                _ if to == S::BookingRejected => false,
                (Some(0), Some(next)) => next == 1,
                (Some(now), Some(next)) => next > now,
                _ => false,
            };
            assert_eq!(
                apply(Some(from), &reached(to)).is_ok(),
                legal,
                "{from:?} to {to:?}"
            );
        }
    }
    for (name, event) in &named {
        assert_eq!(apply(None, event).is_ok(), *name == "created");
    }
}

#[test]
fn r32_packed_stays_unverified_until_a_scan_without_findings() {
    assert_eq!(is_verified(&[OrderEventKind::Created]), None);
    assert_eq!(is_verified(&[packed()]), Some(false));
    assert_eq!(is_verified(&[packed(), scanned(3)]), Some(false));
    assert_eq!(is_verified(&[packed(), scanned(3), scanned(0)]), Some(true));
    assert_eq!(is_verified(&[packed(), scanned(0), packed()]), Some(false));
}

fn any_event() -> impl Strategy<Value = OrderEventKind> {
    prop_oneof![
        Just(OrderEventKind::Created),
        proptest::sample::select(&OrderState::ALL[..]).prop_map(reached),
        Just(OrderEventKind::Cancelled {
            reason: "x".to_owned()
        }),
        Just(OrderEventKind::BookingRejected {
            reason: "x".to_owned()
        }),
        Just(reissued()),
        Just(OrderEventKind::Closed),
        Just(OrderEventKind::ShortClosed { missing: 1 }),
        Just(OrderEventKind::Reopened),
    ]
}

proptest! {
    /// Whatever arrives, accepted events only move forward, except for a reopening; and replaying what was
    /// accepted gives the same state.
    #[test]
    fn r22_accepted_events_replay_to_the_same_state(events in proptest::collection::vec(any_event(), 0..40)) {
        let mut log = Vec::new();
        let mut state: Option<OrderState> = None;
        for event in events {
            let Ok(next) = apply(state, &event) else { continue };
            if let (Some(from), OrderEventKind::Reached { .. }) = (state, &event) {
                prop_assert!(next.step() > from.step());
            }
            prop_assert!(state != Some(OrderState::Cancelled), "nothing follows a cancellation");
            state = Some(next);
            log.push(event);
        }
        prop_assert_eq!(replay(&log).ok(), state);
    }
}
