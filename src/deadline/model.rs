//! Clocks, alerts, and what is told of them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What kind of clock it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 截单: the papers must be with the carrier.
    DocumentCutOff,
    /// 截重 (VGM)
    WeightCutOff,
    /// 截关/截港: the goods must be at the port.
    CargoCutOff,
    /// The eight importer elements of the security filing (ISF 10+2).
    IsfImporter,
    /// Stuffing location and consolidator of the same filing.
    IsfStuffing,
    /// The last day to hand the goods over.
    ShipBy,
    /// A slot must be asked for: the warehouse wants to know so many days ahead.
    BookSlot,
    /// The warehouse's slot.
    Appointment,
    /// Delivered and not on the shelf for longer than this warehouse takes.
    Putaway,
    /// The last day without storage fees.
    FreePeriodEnd,
    /// The day the next tier of storage fees begins.
    StorageTier,
    /// A stretch of the way (customs above all) that takes longer than it does nine times in ten.
    Dwell,
    /// The carrier or warehouse must be told of a loss.
    ClaimNotice,
    /// After this the claim is lost.
    ClaimLastDay,
    /// A certificate or registration of goods.
    CertificateExpiry,
    /// A contract or licence of a party.
    ContractExpiry,
}

impl Rule {
    pub const ALL: [Self; 16] = [
        Self::DocumentCutOff,
        Self::WeightCutOff,
        Self::CargoCutOff,
        Self::IsfImporter,
        Self::IsfStuffing,
        Self::ShipBy,
        Self::BookSlot,
        Self::Appointment,
        Self::Putaway,
        Self::FreePeriodEnd,
        Self::StorageTier,
        Self::Dwell,
        Self::ClaimNotice,
        Self::ClaimLastDay,
        Self::CertificateExpiry,
        Self::ContractExpiry,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::DocumentCutOff => "document_cut_off",
            Self::WeightCutOff => "weight_cut_off",
            Self::CargoCutOff => "cargo_cut_off",
            Self::IsfImporter => "isf_importer",
            Self::IsfStuffing => "isf_stuffing",
            Self::ShipBy => "ship_by",
            Self::BookSlot => "book_slot",
            Self::Appointment => "appointment",
            Self::Putaway => "putaway",
            Self::FreePeriodEnd => "free_period_end",
            Self::StorageTier => "storage_tier",
            Self::Dwell => "dwell",
            Self::ClaimNotice => "claim_notice",
            Self::ClaimLastDay => "claim_last_day",
            Self::CertificateExpiry => "certificate_expiry",
            Self::ContractExpiry => "contract_expiry",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }
}

/// One clock of one subject, as the facts of now have it. What is done has no duty any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    pub rule: Rule,
    /// Order, shipment, lot, claim or certificate: one clock a rule.
    pub subject: String,
    /// `None`: nobody knows it yet, which is itself something to be told.
    pub due: Option<DateTime<Utc>>,
    /// Too early before that (claims).
    pub not_before: Option<DateTime<Utc>>,
    /// Whose civil time it is told in.
    pub zone: Tz,
    /// What many duties have in common, a vessel above all: they are told as one.
    pub group: Option<String>,
    pub owner: Option<String>,
    /// What must be there before the duty can be done, and is not.
    pub missing: Vec<String>,
    /// Units, fees, names: what a person needs to see beside it.
    pub facts: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Notice,
    Warning,
    /// Told at once, not with the day's mail.
    Critical,
    Missed,
}

impl Severity {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Missed => "missed",
        }
    }
}

/// How far an alert was told: the reminders count from 1, the last one is the clock's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub step: usize,
    pub due: Option<DateTime<Utc>>,
    pub at: DateTime<Utc>,
}

/// A duty that was seen. It is kept until somebody does what is due, and some time beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub rule: Rule,
    pub subject: String,
    pub group: Option<String>,
    pub owner: Option<String>,
    pub zone: Tz,
    pub due: Option<DateTime<Utc>>,
    pub not_before: Option<DateTime<Utc>>,
    pub severity: Severity,
    pub missing: Vec<String>,
    pub facts: Vec<(String, String)>,
    pub first_seen: DateTime<Utc>,
    pub told: Option<Told>,
    /// Somebody is on it: only the last reminders, a nearer clock and its end are told.
    pub acknowledged: Option<String>,
    /// Not told before, unless its end comes first.
    pub snoozed_until: Option<DateTime<Utc>>,
    pub resolved_at: Option<DateTime<Utc>>,
    /// A second person was told, because nobody had taken it on.
    #[serde(default)]
    pub escalated_at: Option<DateTime<Utc>>,
}

impl Alert {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }
}

/// Why something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    New,
    Reminder,
    /// The clock ends earlier than was told.
    Nearer,
    /// Nobody knows when it ends.
    Unknown,
    /// Asked to be told again now.
    Snoozed,
    Missed,
    /// Nobody has taken on what is urgent: for a second person.
    Escalated,
    /// What was told as critical or missed is done.
    Resolved,
}

impl Why {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reminder => "reminder",
            Self::Nearer => "nearer",
            Self::Unknown => "unknown",
            Self::Snoozed => "snoozed",
            Self::Missed => "missed",
            Self::Escalated => "escalated",
            Self::Resolved => "resolved",
        }
    }
}

/// One subject of a notice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Member {
    pub due: Option<DateTime<Utc>>,
    pub subject: String,
    pub owner: Option<String>,
    pub missing: Vec<String>,
    /// Units, fees: what a person needs to see beside it.
    pub facts: Vec<(String, String)>,
}

/// What a person is told now: all subjects of one rule, group, severity and cause together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    pub severity: Severity,
    pub rule: Rule,
    pub why: Why,
    pub group: Option<String>,
    pub zone: Tz,
    /// The nearest one first.
    pub members: Vec<Member>,
}
