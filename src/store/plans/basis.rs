//! What a plan stands on: compared before it is stored, because computing takes time and people do not wait.

use crate::args;
use crate::ids::AccountId;
use crate::store::{StoreError, Tx};

/// Grows with everything that would make the next plan another one: plans, decisions, events of orders, receipts,
/// acknowledged alerts. Two that are equal saw the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis {
    newest_plan: i64,
    decisions: i64,
    order_events: i64,
    receipts: i64,
    acknowledged: i64,
}

/// # Errors
/// When the engine refuses.
pub async fn basis(tx: &mut Tx, account: &AccountId) -> Result<Basis, StoreError> {
    let row = tx
        .row(
            "SELECT (SELECT COALESCE(MAX(seq), 0) FROM plan WHERE account_id = $1) AS newest_plan,
                    (SELECT COUNT(*) FROM decision WHERE account_id = $1) AS decisions,
                    (SELECT COUNT(*) FROM order_event WHERE account_id = $1) AS order_events,
                    (SELECT COUNT(*) FROM receipt_event WHERE account_id = $1) AS receipts,
                    (SELECT COUNT(*) FROM alert_ack WHERE account_id = $1) AS acknowledged",
            args![account],
        )
        .await?
        .ok_or_else(|| StoreError::Corrupt {
            what: "basis of a plan".to_owned(),
            why: "counting gave no row".to_owned(),
        })?;
    Ok(Basis {
        newest_plan: row.get("newest_plan")?,
        decisions: row.get("decisions")?,
        order_events: row.get("order_events")?,
        receipts: row.get("receipts")?,
        acknowledged: row.get("acknowledged")?,
    })
}
