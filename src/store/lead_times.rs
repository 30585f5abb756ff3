//! How long the stages of a lane took: learned from receipts, or imported from before linkstar.

use chrono::NaiveDate;

use super::{StoreError, Tx, Value};
use crate::args;
use crate::ids::{AccountId, WarehouseCode};

/// One passage of one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadTime {
    pub warehouse: WarehouseCode,
    /// `order::Mode::code`
    pub mode: String,
    /// `planner::Stage::code`
    pub stage: String,
    /// Order or shipment it was seen on: the same passage is learned once.
    pub reference: String,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// Learns passages; a later, longer view of the same passage replaces the earlier one.
///
/// # Errors
/// When the engine refuses.
pub async fn learn(tx: &mut Tx, account: &AccountId, seen: &[LeadTime]) -> Result<u64, StoreError> {
    let rows: Vec<Vec<Value>> = seen
        .iter()
        .map(|passage| {
            vec![
                Value::from(account),
                Value::from(&passage.warehouse),
                Value::from(&passage.mode),
                Value::from(&passage.stage),
                Value::from(&passage.reference),
                Value::from(passage.from),
                Value::from(passage.to),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO lead_time (account_id, warehouse, mode, stage, reference, from_day, to_day)",
        &rows,
        "ON CONFLICT (account_id, warehouse, mode, stage, reference) DO UPDATE SET from_day = excluded.from_day,
             to_day = excluded.to_day
         WHERE lead_time.from_day <> excluded.from_day OR lead_time.to_day <> excluded.to_day",
    )
    .await
}

/// Everything learned, in a fixed order.
///
/// # Errors
/// When the engine refuses.
pub async fn all(tx: &mut Tx, account: &AccountId) -> Result<Vec<LeadTime>, StoreError> {
    tx.rows(
        "SELECT warehouse, mode, stage, reference, from_day, to_day FROM lead_time WHERE account_id = $1
         ORDER BY warehouse, mode, stage, reference",
        args![account],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(LeadTime {
            warehouse: row.get("warehouse")?,
            mode: row.get("mode")?,
            stage: row.get("stage")?,
            reference: row.get("reference")?,
            from: row.get("from_day")?,
            to: row.get("to_day")?,
        })
    })
    .collect()
}
