//! Whether an order's labels let it be handed over (R32): what the log says of them, and what is asked for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::state::{OrderEvent, OrderEventKind, OrderState, is_verified};

/// When goods are not handed over before their labels were scanned back, or photographed, without a finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanBack {
    Always,
    /// Once somebody asked for it, or has tried.
    #[default]
    Asked,
    Never,
}

/// What an order's log says of its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// `None`: nothing is packed.
    pub verified: Option<bool>,
    /// A scan or a photo list was asked for, or came.
    pub asked: bool,
    /// Why the newest packing may go unverified, and who says so.
    pub waived: Option<(String, String)>,
    /// Since when a hand-over waits for the labels, and who told of it.
    pub waits: Option<(DateTime<Utc>, String)>,
}

impl Labels {
    #[must_use]
    pub fn of(events: &[OrderEvent]) -> Self {
        let mut labels = Self {
            verified: is_verified(events.iter().map(|event| &event.kind)),
            asked: false,
            waived: None,
            waits: None,
        };
        for event in events {
            match &event.kind {
                OrderEventKind::ScanAsked | OrderEventKind::Scanned { .. } => labels.asked = true,
                // Other cartons, other labels.
                OrderEventKind::Packed { .. } | OrderEventKind::Reissued { .. } => labels.waived = None,
                OrderEventKind::LabelsWaived { reason } => {
                    labels.waived = Some((event.by.clone(), reason.clone()));
                }
                OrderEventKind::HandOverWaits => labels.waits = Some((event.at, event.by.clone())),
                OrderEventKind::Reached { state } if *state >= OrderState::HandedOver => labels.waits = None,
                OrderEventKind::Cancelled { .. } | OrderEventKind::BookingRejected { .. } => {
                    labels.waits = None;
                }
                _ => {}
            }
        }
        labels
    }

    /// Whether the goods, and the papers of their cartons, stay here until the labels are seen to.
    #[must_use]
    pub fn hold(&self, wanted: ScanBack) -> bool {
        let seen_to = self.verified == Some(true) || self.waived.is_some();
        match wanted {
            ScanBack::Never => false,
            ScanBack::Asked => self.asked && !seen_to,
            ScanBack::Always => !seen_to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::{packed, reissued, scanned};
    use super::*;

    fn log(kinds: &[OrderEventKind]) -> Vec<OrderEvent> {
        let at: DateTime<Utc> = "2026-11-23T08:00:00Z".parse().unwrap();
        kinds
            .iter()
            .map(|kind| OrderEvent {
                at,
                by: "wang".to_owned(),
                kind: kind.clone(),
            })
            .collect()
    }

    #[test]
    fn r32_labels_hold_an_order_when_always_wanted_once_asked_for_and_never() {
        let waived = OrderEventKind::LabelsWaived {
            reason: "truck waits".to_owned(),
        };
        // Held where: always, once asked for, never.
        let cases: [(&[OrderEventKind], [bool; 3]); 7] = [
            (&[], [true, false, false]),
            (&[packed()], [true, false, false]),
            (&[OrderEventKind::ScanAsked, packed()], [true, true, false]),
            (&[packed(), scanned(3)], [true, true, false]),
            (&[packed(), scanned(3), scanned(0)], [false, false, false]),
            (&[packed(), scanned(3), waived.clone()], [false, false, false]),
            // What was seen of other cartons says nothing of these.
            (
                &[packed(), scanned(0), waived, reissued(), packed()],
                [true, true, false],
            ),
        ];
        for (kinds, held) in cases {
            let labels = Labels::of(&log(kinds));
            let found =
                [ScanBack::Always, ScanBack::Asked, ScanBack::Never].map(|wanted| labels.hold(wanted));
            assert_eq!(found, held, "{kinds:?}");
        }
    }
}
