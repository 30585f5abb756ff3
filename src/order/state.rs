//! The life of an order (R22): an event log whose replay is the state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::OrderNo;

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

    /// Not handed over yet: it may still be changed or given up.
    #[must_use]
    pub fn is_at_home(self) -> bool {
        matches!(
            self,
            Self::Draft | Self::Approved | Self::Packed | Self::BookingRejected
        )
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
    /// A draft was changed before it was issued.
    Edited {
        reason: String,
    },
    /// The warehouse said how it packed; from now on the cartons stand.
    Packed {
        cartons: u32,
        /// The list it said it by.
        sha256: String,
        /// Why it may be more than the domestic warehouse has, when it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        beyond_stock: Option<String>,
    },
    /// The labels on the cartons were scanned back; without findings they are verified.
    Scanned {
        findings: u32,
        sha256: String,
        /// Photographs were listed, instead of codes.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        photos: bool,
    },
    /// Somebody wants the labels scanned back, or photographed, before the goods go.
    ScanAsked,
    /// The goods go although nobody has seen to their labels, and why.
    LabelsWaived {
        reason: String,
    },
    /// Somebody told that the goods were handed over, while their labels hold them.
    HandOverWaits,
    /// Some lines went into an order of their own.
    SplitInto {
        order: OrderNo,
    },
    SplitFrom {
        order: OrderNo,
    },
    /// The lines of another order came here, or these went there.
    MergedFrom {
        order: OrderNo,
    },
    MergedInto {
        order: OrderNo,
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
            if from.is_at_home() {
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
        OrderEventKind::Edited { .. } if from == OrderState::Draft => Ok(OrderState::Draft),
        OrderEventKind::Edited { .. } => illegal("edited"),
        OrderEventKind::Packed { .. } => match from {
            OrderState::Approved => Ok(OrderState::Packed),
            _ => illegal("packed"),
        },
        OrderEventKind::Scanned { .. } if from == OrderState::Packed => Ok(OrderState::Packed),
        OrderEventKind::Scanned { .. } => illegal("scanned"),
        OrderEventKind::ScanAsked | OrderEventKind::LabelsWaived { .. } | OrderEventKind::HandOverWaits => {
            match from {
                OrderState::Approved | OrderState::Packed => Ok(from),
                _ => illegal("held by its labels"),
            }
        }
        // Notes beside the revision that changes the lines.
        OrderEventKind::SplitInto { .. }
        | OrderEventKind::SplitFrom { .. }
        | OrderEventKind::MergedFrom { .. }
        | OrderEventKind::MergedInto { .. } => {
            if from.is_at_home() {
                Ok(from)
            } else {
                illegal("split or merged")
            }
        }
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

/// Whether the newest packing was scanned back without findings; `None` while nothing is packed.
pub fn is_verified<'a>(events: impl IntoIterator<Item = &'a OrderEventKind>) -> Option<bool> {
    let mut verified = None;
    for event in events {
        match event {
            OrderEventKind::Packed { .. } => verified = Some(false),
            OrderEventKind::Reissued { .. } => verified = None,
            OrderEventKind::Scanned { findings, .. } => verified = Some(*findings == 0),
            _ => {}
        }
    }
    verified
}

#[cfg(test)]
pub(in crate::order) mod tests;
