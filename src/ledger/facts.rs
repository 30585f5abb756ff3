//! Canonical facts, whatever system they came from. Codes are the other system's own until the catalog resolves them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{SourceId, WarehouseCode};
use crate::money::Money;

/// What makes a fact the same fact when it is seen again.
pub type FactKey = String;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderLineState {
    Pending,
    Unshipped,
    Shipped,
    Cancelled,
}

impl OrderLineState {
    /// Whether the units are demand: everything that was ordered and not cancelled (order-date demand).
    #[must_use]
    pub fn is_demand(self) -> bool {
        !matches!(self, Self::Cancelled)
    }
}

/// One line of a marketplace order. A later `updated_at` of the same key supersedes the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLineFact {
    pub source: SourceId,
    pub key: FactKey,
    pub order_id: String,
    /// The marketplace's own SKU (MSKU).
    pub sku_code: String,
    pub marketplace: String,
    /// `Amazon`, `Merchant`, …: decides which warehouse serves the line.
    pub fulfilment: String,
    pub ordered_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub state: OrderLineState,
    pub units: i64,
    pub replacement: bool,
}

/// Stock buckets (R9, R10). `None` is unknown, never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    pub available: Option<i64>,
    pub reserved: Option<i64>,
    pub pending_putaway: Option<i64>,
    /// What the warehouse itself says is on its way.
    pub inbound: Option<i64>,
    pub unsellable: Option<i64>,
    pub frozen: Option<i64>,
    /// Amazon: moving between fulfilment centres.
    pub transfer: Option<i64>,
}

/// One row of a stock snapshot; the snapshot as a whole is complete, or it is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRow {
    pub source: SourceId,
    pub warehouse: WarehouseCode,
    /// The warehouse's own SKU code.
    pub sku_code: String,
    pub buckets: Buckets,
    /// The provider's own total when it gives one, to compare with the sum of the buckets.
    pub total: Option<i64>,
}

/// An inbound (ASN, GRN, 入库单) as the warehouse knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundNotice {
    pub source: SourceId,
    pub warehouse: WarehouseCode,
    pub inbound_no: String,
    /// Our order number, as the warehouse stored it.
    pub reference: String,
    /// The warehouse's own state text, and whether it counts as closed.
    pub state: String,
    pub closed: bool,
    pub updated_at: Option<DateTime<Utc>>,
}

/// What was announced per SKU (and carton) of an inbound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundLine {
    pub source: SourceId,
    pub inbound_no: String,
    pub carton: Option<String>,
    pub sku_code: String,
    pub announced: Option<i64>,
    /// Put away so far, as the warehouse sums it.
    pub put_away: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// Counted at the dock (收货).
    Received,
    /// On the shelf and sellable (上架).
    PutAway,
    /// Counted but not sellable.
    Damaged,
    /// Counted, under a wrong or missing label.
    Mislabelled,
    /// Put aside as an exception (异常): what is wrong with them is not said, nor whether they are among the received.
    SetAside,
}

/// One batch of units that a warehouse says arrived. Corrections are negative events, not edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptEvent {
    /// `goodcang-uk`, or `file:<name>` for a report somebody dropped in.
    pub source: String,
    /// Identity of the event: the same key again is the same event.
    pub key: FactKey,
    pub warehouse: WarehouseCode,
    /// Inbound number or our order number, as the report gives it.
    pub reference: String,
    pub carton: Option<String>,
    pub sku_code: String,
    pub kind: ReceiptKind,
    /// May be negative.
    pub units: i64,
    pub at: DateTime<Utc>,
    /// The batch or lot on the goods, where the report names it.
    pub lot: Option<String>,
    /// What one unit is worth by the report, where it says so.
    pub unit_value: Option<Money>,
}
