//! What came in and waits for a person, recorded as data so that every reader is told in their own language.

use serde::{Deserialize, Serialize};

use crate::ids::AccountId;
use crate::order::{OrderEventKind, OrderState};
use crate::store::{StoreError, Tx, inbox, orders};
use crate::wording::{Lang, text};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case", deny_unknown_fields)]
pub enum Notice {
    BookingRejected {
        order: String,
        forwarder: String,
        reason: String,
    },
    /// A message that a person must look at.
    Undelivered {
        message: String,
        target: String,
        state: String,
        why: String,
    },
    /// A mail that was accepted and came back from one of its readers.
    Bounced {
        message: String,
        recipient: String,
        why: String,
    },
    /// So many files nobody could read, told by the newest.
    Quarantined { n: usize, name: String, row: String },
}

/// Longer reasons are in `linkstar order show`.
const TOLD_CHARS: usize = 200;

impl Notice {
    /// As it stands among the problems of a step.
    #[must_use]
    pub fn recorded(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    #[must_use]
    pub fn read(problem: &str) -> Option<Self> {
        serde_json::from_str(problem).ok()
    }

    /// Two rejected orders are two things to do, each with its reason.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::BookingRejected { order, .. } => format!("booking_rejected {order}"),
            Self::Undelivered { message, .. } => format!("undelivered {message}"),
            Self::Bounced {
                message, recipient, ..
            } => format!("bounced {message} {recipient}"),
            Self::Quarantined { .. } => "quarantined".to_owned(),
        }
    }

    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::BookingRejected {
                order,
                forwarder,
                reason,
            } => {
                let reason: String = reason.chars().take(TOLD_CHARS).collect();
                let places = [
                    ("order", order.as_str()),
                    ("forwarder", forwarder),
                    ("reason", &reason),
                ];
                text(lang, "mail.notice.booking_rejected", &places)
            }
            Self::Undelivered {
                message,
                target,
                state,
                why,
            } => {
                let state = text(lang, &format!("cli.message.{state}"), &[]);
                let why: String = why.chars().take(TOLD_CHARS).collect();
                let places = [
                    ("message", message.as_str()),
                    ("target", target),
                    ("state", &state),
                    ("why", &why),
                ];
                text(lang, "mail.notice.undelivered", &places)
            }
            Self::Bounced {
                message,
                recipient,
                why,
            } => {
                let why: String = why.chars().take(TOLD_CHARS).collect();
                let places = [
                    ("message", message.as_str()),
                    ("recipient", recipient),
                    ("why", &why),
                ];
                text(lang, "mail.notice.bounced", &places)
            }
            Self::Quarantined { n, name, row } => {
                let n = n.to_string();
                let row: String = row.chars().take(TOLD_CHARS).collect();
                text(
                    lang,
                    "mail.notice.quarantined",
                    &[("n", &n), ("name", name), ("row", &row)],
                )
            }
        }
    }
}

/// Everything that waits now: rejected bookings, oldest order first, then the quarantine.
///
/// # Errors
/// When the store fails.
pub async fn standing(tx: &mut Tx, account: &AccountId) -> Result<Vec<Notice>, StoreError> {
    let mut notices = Vec::new();
    for stored in orders::all(tx, account).await? {
        if stored.state == OrderState::BookingRejected {
            let number = &stored.order.number;
            let reason = orders::events(tx, account, number)
                .await?
                .into_iter()
                .rev()
                .find_map(|event| match event.kind {
                    OrderEventKind::BookingRejected { reason } => Some(reason),
                    _ => None,
                });
            notices.push(Notice::BookingRejected {
                order: number.to_string(),
                forwarder: stored.order.forwarder.to_string(),
                reason: reason.unwrap_or_default(),
            });
        }
    }
    let waiting = inbox::quarantined(tx, account).await?;
    if let Some(newest) = waiting.first() {
        notices.push(Notice::Quarantined {
            n: waiting.len(),
            name: newest.name.clone(),
            row: newest.first_rows.first().cloned().unwrap_or_default(),
        });
    }
    Ok(notices)
}
