//! Order lines, sales days, stock snapshots, inbounds, and where each source stands.
//!
//! Orders and stock come from other systems: the functions here take canonical facts ([`crate::ledger`]) and keep
//! them so that seeing the same fact again changes nothing.

mod inbound;
mod sales;
mod series;
mod sources;
mod stock;

use chrono::{DateTime, Utc};

pub use inbound::{Closed, closed_inbounds, inbounds, merge_inbounds, replace_inbound_lines};
pub use sales::{
    DayChange, LargeLine, change_days, covered_days, large_lines, mark_covered, merge_order_lines,
};
pub use series::{Compared, SalesSeries, compare, repack, sales_history};
pub use sources::{
    HistoryRow, PullOutcome, PullState, StreamNote, begin_pull, end_pull, history, keep_raw_page,
    mark_interrupted, running, save_stream_note, source_states, stream_note,
};
pub use stock::{
    SnapshotRefused, confirm_snapshot, discard_snapshot, latest_stock, merge_stock, put_snapshot, stock_days,
};

use crate::ids::{SourceId, WarehouseCode};
use crate::ledger::StockRow;

/// How far a source has answered for a civil day. A day that is in no map was never asked for: a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayCoverage {
    Complete,
    Partial,
}

/// The newest snapshot of one warehouse. Where the stream tells everything, a SKU without a row has no stock there; where it
/// tells changes, nothing is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockSnapshotView {
    pub source: SourceId,
    pub warehouse: WarehouseCode,
    /// None: never taken whole; then there are no rows and nothing is known.
    pub as_of: Option<DateTime<Utc>>,
    /// Set when a later pull failed: since when this is no longer the present.
    pub stale_since: Option<DateTime<Utc>>,
    pub problem: Option<String>,
    pub rows: Vec<StockRow>,
}
