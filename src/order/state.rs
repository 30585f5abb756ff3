//! The life of an order (R22): an event log whose replay is the state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    Draft,
    Approved,
    Packed,
    /// The forwarder refused the booking: to be mended and booked again, or cancelled.
    BookingRejected,
    HandedOver,
    Exported,
    Departed,
    Arrived,
    Cleared,
    Delivered,
    Receiving,
    Closed,
    ShortClosed,
    Cancelled,
}

impl OrderState {
    pub const ALL: [Self; 14] = [
        Self::Draft,
        Self::Approved,
        Self::Packed,
        Self::BookingRejected,
        Self::HandedOver,
        Self::Exported,
        Self::Departed,
        Self::Arrived,
        Self::Cleared,
        Self::Delivered,
        Self::Receiving,
        Self::Closed,
        Self::ShortClosed,
        Self::Cancelled,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Packed => "packed",
            Self::BookingRejected => "booking_rejected",
            Self::HandedOver => "handed_over",
            Self::Exported => "exported",
            Self::Departed => "departed",
            Self::Arrived => "arrived",
            Self::Cleared => "cleared",
            Self::Delivered => "delivered",
            Self::Receiving => "receiving",
            Self::Closed => "closed",
            Self::ShortClosed => "short_closed",
            Self::Cancelled => "cancelled",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Nothing follows, except that a closed order reopens when the warehouse reports again.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::ShortClosed | Self::Cancelled)
    }

    /// Units that left and are not accounted for yet count as moving.
    #[must_use]
    pub fn is_moving(self) -> bool {
        !self.is_over() && self != Self::Draft
    }

    /// Place on the way from draft to the shelf; the three ends have none.
    fn step(self) -> Option<u8> {
        // Back in the drawer of approved orders: whatever comes after a booking may follow.
        if self == Self::BookingRejected {
            return Self::Approved.step();
        }
        let on_the_way = [
            Self::Draft,
            Self::Approved,
            Self::Packed,
            Self::HandedOver,
            Self::Exported,
            Self::Departed,
            Self::Arrived,
            Self::Cleared,
            Self::Delivered,
            Self::Receiving,
        ];
        on_the_way
            .iter()
            .position(|state| *state == self)
            .and_then(|place| u8::try_from(place).ok())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum OrderEventKind {
    Created,
    /// The order reached a state; milestones nobody reported in between are simply not in the log.
    Reached {
        state: OrderState,
    },
    Cancelled {
        reason: String,
    },
    /// The forwarder does not take it as it was booked.
    BookingRejected {
        reason: String,
    },
    /// Mended and booked anew, under the papers of a new revision.
    Reissued {
        revision: u32,
        reason: String,
    },
    /// Everything that was shipped is accounted for.
    Closed,
    /// Closed with units missing; they go to claims.
    ShortClosed {
        missing: i64,
    },
    /// The warehouse reported again after the close.
    Reopened,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    pub at: DateTime<Utc>,
    /// Who says so: a person, `plan`, a source id.
    pub by: String,
    #[serde(flatten)]
    pub kind: OrderEventKind,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    #[error("an order log must begin with `created`")]
    NotCreated,
    #[error("an order that is {} cannot become {to}", .from.code())]
    Illegal { from: OrderState, to: &'static str },
}

/// The state after one more event. Milestones may be skipped, never undone.
///
/// # Errors
/// [`StateError`] when the event cannot follow.
pub fn apply(state: Option<OrderState>, event: &OrderEventKind) -> Result<OrderState, StateError> {
    let Some(from) = state else {
        return match event {
            OrderEventKind::Created => Ok(OrderState::Draft),
            _ => Err(StateError::NotCreated),
        };
    };
    let illegal = |to: &'static str| Err(StateError::Illegal { from, to });
    match event {
        OrderEventKind::Created => illegal("created again"),
        // Only with its reason.
        OrderEventKind::Reached {
            state: to @ OrderState::BookingRejected,
        } => illegal(to.code()),
        OrderEventKind::BookingRejected { .. } => match from {
            OrderState::Approved | OrderState::Packed | OrderState::BookingRejected => {
                Ok(OrderState::BookingRejected)
            }
            _ => illegal("booking_rejected"),
        },
        OrderEventKind::Reached { state: to } => match (from.step(), to.step()) {
            // Leaving the drawer needs an approval: a draft becomes approved and nothing else.
            (Some(0), Some(next)) if next != 1 => illegal(to.code()),
            (Some(now), Some(next)) if next > now => Ok(*to),
            _ => illegal(to.code()),
        },
        OrderEventKind::Cancelled { .. } => {
            if from
                .step()
                .is_some_and(|step| step < OrderState::HandedOver.step().unwrap_or(0))
            {
                Ok(OrderState::Cancelled)
            } else {
                illegal("cancelled")
            }
        }
        OrderEventKind::Reissued { .. } => match from {
            OrderState::Approved | OrderState::Packed | OrderState::BookingRejected => {
                Ok(OrderState::Approved)
            }
            _ => illegal("reissued"),
        },
        OrderEventKind::Closed if from == OrderState::Receiving => Ok(OrderState::Closed),
        OrderEventKind::Closed => illegal("closed"),
        OrderEventKind::ShortClosed { .. }
            if from
                .step()
                .is_some_and(|step| step >= OrderState::HandedOver.step().unwrap_or(0)) =>
        {
            Ok(OrderState::ShortClosed)
        }
        OrderEventKind::ShortClosed { .. } => illegal("short_closed"),
        OrderEventKind::Reopened => match from {
            OrderState::Closed | OrderState::ShortClosed => Ok(OrderState::Receiving),
            _ => illegal("reopened"),
        },
    }
}

/// The state a log of events ends in.
///
/// # Errors
/// [`StateError`] at the first event that cannot follow.
pub fn replay<'a>(events: impl IntoIterator<Item = &'a OrderEventKind>) -> Result<OrderState, StateError> {
    let mut state = None;
    for event in events {
        state = Some(apply(state, event)?);
    }
    state.ok_or(StateError::NotCreated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reached(state: OrderState) -> OrderEventKind {
        OrderEventKind::Reached { state }
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
        let again = OrderEventKind::Reissued {
            revision: 2,
            reason: "MSDS added".to_owned(),
        };
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
            Just(OrderEventKind::Reissued {
                revision: 2,
                reason: "x".to_owned()
            }),
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
}
