//! What happened, or will happen, to goods on their way.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::FactKey;
use crate::ids::SourceId;

/// How sure the time of an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// By the schedule.
    Planned,
    /// By who carries it, while it is under way.
    Estimated,
    /// It has happened.
    Actual,
}

impl EventStatus {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Estimated => "estimated",
            Self::Actual => "actual",
        }
    }

    /// The status of a code; None for anything else.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        [Self::Planned, Self::Estimated, Self::Actual]
            .into_iter()
            .find(|status| status.code() == code)
    }
}

/// One event of a shipment or container, as a carrier or tracker tells it. A changed estimate is another event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingEvent {
    pub source: SourceId,
    /// The teller's own number of the event, or everything it says.
    pub key: FactKey,
    /// Booking, bill of lading or tracking number.
    pub shipment: Option<String>,
    pub container: Option<String>,
    /// In the teller's words: `ARRI`, `DEPA`, `GTIN`, …
    pub kind: String,
    pub status: EventStatus,
    pub at: DateTime<Utc>,
    /// UN/LOCODE where there is one.
    pub place: Option<String>,
    pub vessel: Option<String>,
    pub voyage: Option<String>,
    pub text: Option<String>,
    /// When the teller learned of it.
    pub told_at: Option<DateTime<Utc>>,
}

impl TrackingEvent {
    /// Gives the event its identity: the same event told again is the same event.
    #[must_use]
    pub fn with_key(mut self, own: Option<&str>) -> Self {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
        self.key = match own {
            Some(own) => format!("id|{own}"),
            None => [
                "said",
                &or_none(&self.shipment),
                &or_none(&self.container),
                &self.kind,
                self.status.code(),
                &self.at.to_rfc3339_opts(SecondsFormat::Millis, true),
                &or_none(&self.place),
                &or_none(&self.voyage),
                &or_none(&self.text),
            ]
            .join("|"),
        };
        self
    }
}
