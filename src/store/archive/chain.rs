//! What an entry says and how entries are chained: pure, so that an export is checked without a database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::sha256_hex;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A paper written for an order.
    Document,
    /// A message put into the outbox.
    Message,
    /// The same message when the other side had it.
    Sent,
    /// A file that came in.
    Received,
    Event,
    Plan,
    PlanSnapshot,
    PlanPolicy,
    /// An answer of a marketplace or warehouse as it came.
    Page,
    /// A legal hold that was placed or lifted.
    Hold,
    /// What the retention job took away, and by which rule.
    Deletion,
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::Document,
        Self::Message,
        Self::Sent,
        Self::Received,
        Self::Event,
        Self::Plan,
        Self::PlanSnapshot,
        Self::PlanPolicy,
        Self::Page,
        Self::Hold,
        Self::Deletion,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Message => "message",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Event => "event",
            Self::Plan => "plan",
            Self::PlanSnapshot => "plan_snapshot",
            Self::PlanPolicy => "plan_policy",
            Self::Page => "page",
            Self::Hold => "hold",
            Self::Deletion => "deletion",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What happened to which content; its place in the chain comes when the transaction commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub kind: Kind,
    /// What a person would call it, unique enough to be found: `order/BH260504-01/r1/packing-list`.
    pub subject: String,
    /// The order it belongs to, when it belongs to one.
    pub order: Option<String>,
    pub sha256: String,
    pub at: DateTime<Utc>,
}

impl Note {
    /// The order is read from a subject that begins with `order/NUMBER/`.
    #[must_use]
    pub fn new(kind: Kind, subject: impl Into<String>, sha256: &str, at: DateTime<Utc>) -> Self {
        let subject = subject.into();
        let order = subject
            .strip_prefix("order/")
            .and_then(|rest| rest.split_once('/'))
            .map(|(order, _)| order.to_owned());
        Self {
            kind,
            subject,
            order,
            sha256: sha256.to_owned(),
            at,
        }
    }

    #[must_use]
    pub fn of_order(mut self, order: &str) -> Self {
        self.order = Some(order.to_owned());
        self
    }
}

/// An entry as it stands in the chain. The kind is a text here: a forged one must be readable too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub seq: i64,
    pub kind: String,
    pub subject: String,
    pub order: Option<String>,
    pub sha256: String,
    pub previous: String,
    pub hash: String,
    /// Unix milliseconds, by the clock of that moment; the chain's order is `seq`.
    pub at: i64,
}

/// What stands before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Entry {
    /// Puts a note behind `previous`.
    #[must_use]
    pub fn chained(account: &str, seq: i64, note: Note, previous: &str) -> Self {
        let mut entry = Self {
            seq,
            kind: note.kind.code().to_owned(),
            subject: note.subject,
            order: note.order,
            sha256: note.sha256,
            previous: previous.to_owned(),
            hash: String::new(),
            at: note.at.timestamp_millis(),
        };
        entry.hash = entry.computed(account);
        entry
    }

    /// Hash of everything the entry says but its place in the chain: tells nothing of the content to who has only it.
    #[must_use]
    pub fn body(&self) -> String {
        let said = serde_json::json!([self.kind, self.subject, self.order, self.sha256, self.at]);
        sha256_hex(said.to_string().as_bytes())
    }

    /// The hash this entry must have.
    #[must_use]
    pub fn computed(&self, account: &str) -> String {
        link(account, self.seq, &self.previous, &self.body())
    }
}

/// Hash of an entry from its place and its body.
#[must_use]
pub fn link(account: &str, seq: i64, previous: &str, body: &str) -> String {
    let said = serde_json::json!(["linkstar archive 1", account, seq, previous, body]);
    sha256_hex(said.to_string().as_bytes())
}
