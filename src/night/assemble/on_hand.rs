//! What stands in a warehouse, and what is not known of it.

use super::Facts;
use crate::ledger::StockRow;
use crate::planner::DataState;
use crate::store::facts::StockSnapshotView;

/// Of one SKU in one warehouse.
pub(super) struct OnHand {
    pub available: Option<i64>,
    pub pending: Option<i64>,
    pub state: DataState,
}

pub(super) fn on_hand(
    view: Option<&StockSnapshotView>,
    rows: Option<&Vec<(StockRow, i64)>>,
    facts: &Facts<'_>,
) -> OnHand {
    let Some(view) = view.filter(|view| view.as_of.is_some()) else {
        return OnHand {
            available: None,
            pending: None,
            state: DataState::Missing,
        };
    };
    let fresh = if view.stale_since.is_some() {
        DataState::Stale
    } else {
        DataState::Complete
    };
    let Some(rows) = rows else {
        if facts.partial_stock.contains(&view.source) {
            return OnHand {
                available: None,
                pending: None,
                state: DataState::Incomplete,
            };
        }
        // The snapshot is whole: a SKU without a row has nothing there.
        return OnHand {
            available: Some(0),
            pending: Some(0),
            state: fresh,
        };
    };
    let sum = |bucket: fn(&StockRow) -> Option<i64>| -> Option<i64> {
        rows.iter()
            .map(|(row, multiple)| bucket(row).map(|units| units * multiple))
            .sum()
    };
    let available = sum(|row| {
        row.buckets
            .available
            .map(|units| units + row.buckets.transfer.unwrap_or(0))
    });
    let state = if available.is_none() {
        DataState::Incomplete
    } else {
        fresh
    };
    // A system that has the bucket and did not send it leaves the number unknown, not zero.
    let pending = if facts.without_pending.contains(&view.source) {
        Some(0)
    } else {
        sum(|row| row.buckets.pending_putaway)
    };
    OnHand {
        available,
        pending,
        state,
    }
}
