//! What a reconciliation says, and the rules it follows.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::book::BookRules;
use super::{Anomaly, Difference, Kind, MatchKey};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::ledger::transit::{Breach, TransitLine};
use crate::wording::{Lang, text};

/// How many units may be missing, or too many, without anybody being asked: the larger of the two figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tolerance {
    pub units: i64,
    /// Of the shipped units; parts of a unit do not count.
    pub percent: Decimal,
}

impl Tolerance {
    pub const NONE: Self = Self {
        units: 0,
        percent: Decimal::ZERO,
    };

    #[must_use]
    pub fn allows(&self, units: i64, shipped: i64) -> bool {
        let share = (Decimal::from(shipped) * self.percent / Decimal::ONE_HUNDRED).floor();
        Decimal::from(units) <= share.max(Decimal::from(self.units))
    }
}

/// The seller's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Days without an event after which a shipment counts as settled.
    pub silent_days: i64,
    /// Receipts of two shipments this many days apart may have been counted under each other's number.
    pub pool_days: i64,
    pub short: Tolerance,
    pub over: Tolerance,
    /// Short and over of the warehouses that have their own.
    pub tolerances: BTreeMap<WarehouseCode, (Tolerance, Tolerance)>,
    /// Days after the last count at the dock by which units should be on the shelf.
    pub putaway_days: i64,
    /// Received more than so many times shipped: the unit of count is in doubt.
    pub excess_factor: i64,
    /// Whose midnight a warehouse's days end at; UTC where it is not said.
    pub zones: BTreeMap<WarehouseCode, Tz>,
}

impl Rules {
    /// How many may be missing, and how many too many, at a warehouse.
    #[must_use]
    pub fn tolerances_of(&self, warehouse: &WarehouseCode) -> (Tolerance, Tolerance) {
        self.tolerances
            .get(warehouse)
            .copied()
            .unwrap_or((self.short, self.over))
    }

    /// What the books of a warehouse follow.
    #[must_use]
    pub fn book(&self, warehouse: &WarehouseCode) -> BookRules {
        let days = |days: i64| i32::try_from(days).unwrap_or(i32::MAX);
        let (short, over) = self.tolerances_of(warehouse);
        BookRules {
            silent_days: days(self.silent_days),
            pool_days: days(self.pool_days),
            putaway_days: days(self.putaway_days),
            short,
            over,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            silent_days: 5,
            pool_days: 14,
            short: Tolerance::NONE,
            over: Tolerance::NONE,
            tolerances: BTreeMap::new(),
            putaway_days: 7,
            excess_factor: 3,
            zones: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Nothing of the shipment is reported yet.
    Moving,
    Receiving,
    /// Long enough silent; a later event opens it again.
    Settled,
    /// The warehouse says it is done.
    Closed,
}

impl LineState {
    /// Whether a difference counts as one: before that the rest may still come.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Settled | Self::Closed)
    }

    /// The word for a person.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        text(lang, &format!("receipts.state.{}", self.code()), &[])
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Moving => "moving",
            Self::Receiving => "receiving",
            Self::Settled => "settled",
            Self::Closed => "closed",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Too early to say.
    Open,
    Exact,
    /// A difference nobody is asked about.
    WithinTolerance,
    /// The whole difference was counted under another shipment.
    CrossReceived,
    /// A claim candidate.
    Short,
    Over,
}

impl Verdict {
    /// The word for a person.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        text(lang, &format!("receipts.verdict.{}", self.code()), &[])
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Exact => "exact",
            Self::WithinTolerance => "within_tolerance",
            Self::CrossReceived => "cross_received",
            Self::Short => "short",
            Self::Over => "over",
        }
    }
}

/// Units of this line that another shipment's receipts show (positive), or the other way round (negative).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pooled {
    pub other: OrderNo,
    pub units: i64,
}

/// One SKU of one shipment. A SKU that was received but never shipped stands with `shipped` 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub order: OrderNo,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub shipped: i64,
    /// What the warehouse was told to expect, when it says so for every carton.
    pub announced: Option<i64>,
    /// Units the warehouse has under this shipment's number: counted at the dock, or put away where it does not
    /// report the dock.
    pub received: i64,
    pub put_away: i64,
    /// Of the received ones, those that cannot be sold.
    pub damaged: i64,
    pub pending_putaway: i64,
    /// Of the received ones, those under a wrong or missing label.
    #[serde(default)]
    pub mislabelled: i64,
    /// Put aside as an exception: the warehouse has not said what is wrong, nor whether they are among the received.
    /// They add to no other figure.
    #[serde(default)]
    pub set_aside: i64,
    /// Received units by what they were known by.
    #[serde(default)]
    pub matched_by: BTreeMap<MatchKey, i64>,
    pub pooled: Vec<Pooled>,
    pub closed_short: i64,
    /// Received, after pooling, less shipped.
    pub difference: i64,
    pub state: LineState,
    pub verdict: Verdict,
    pub shipped_on: NaiveDate,
    pub eta_p50: NaiveDate,
    pub eta_p90: NaiveDate,
    /// Of this SKU, else of the shipment.
    pub first_receipt: Option<NaiveDate>,
    pub last_receipt: Option<NaiveDate>,
}

impl Line {
    /// Whether there is something to tell: a final difference, pooled or not, damage, or units put aside.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.damaged != 0 || self.set_aside != 0 || !matches!(self.verdict, Verdict::Open | Verdict::Exact)
    }
}

/// A closed inbound that got a later event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reopened {
    pub order: OrderNo,
    pub inbound_no: String,
    pub closed_at: DateTime<Utc>,
    /// The first event after that.
    pub event_at: DateTime<Utc>,
}

impl Reopened {
    /// One sentence for a person.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let places = [("order", self.order.as_str()), ("inbound_no", &self.inbound_no)];
        text(lang, "receipts.change.reopened", &places)
    }
}

/// Units of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    pub shipped: i64,
    pub received: i64,
    pub put_away: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    pub as_of: NaiveDate,
    /// By order and SKU.
    pub lines: Vec<Line>,
    pub transit: Vec<TransitLine>,
    /// What is not as it should be, by order, SKU, kind and carton.
    pub classified: Vec<Difference>,
    /// Units that left, were counted and were put away on each day.
    pub flow: BTreeMap<NaiveDate, Flow>,
    /// What cannot be right, for a person to look at.
    pub anomalies: Vec<Anomaly>,
    pub reopened: Vec<Reopened>,
    /// Warehouse codes without a mapping, with the number of rows: for the queue of unmapped codes.
    pub unmapped: BTreeMap<(WarehouseCode, String), i64>,
    /// Empty, or the books are wrong.
    pub breaches: Vec<Breach>,
}

impl Reconciliation {
    /// Lines with something to tell.
    pub fn differences(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.differs())
    }

    /// Lines short beyond tolerance and pooling, whose units nothing else explains for sure.
    pub fn claim_candidates(&self) -> impl Iterator<Item = &Line> {
        let lost = |line: &Line| {
            self.classified.iter().any(|one| {
                one.order == line.order
                    && one.sku == line.sku
                    && matches!(one.kind, Kind::Short | Kind::CartonMissing)
            })
        };
        self.lines
            .iter()
            .filter(move |line| line.verdict == Verdict::Short && lost(line))
    }

    #[must_use]
    pub fn line(&self, order: &OrderNo, sku: &Sku) -> Option<&Line> {
        self.lines
            .iter()
            .find(|line| line.order == *order && line.sku == *sku)
    }
}
