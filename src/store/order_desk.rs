//! What people change about orders that have not left.

use chrono::NaiveDate;

use super::orders::OrderStoreError;
use super::{StoreError, Tx};
use crate::args;
use crate::ids::{AccountId, OrderNo};
use crate::order::StockingOrder;

/// Puts another model in the place of a draft's, or of an order's at the same revision.
///
/// # Errors
/// When the order was changed meanwhile, or the engine refuses.
pub async fn replace(
    tx: &mut Tx,
    account: &AccountId,
    order: &StockingOrder,
    eta_p90: NaiveDate,
) -> Result<(), OrderStoreError> {
    let model = serde_json::to_string(order).map_err(|error| StoreError::Corrupt {
        what: "order".to_owned(),
        why: error.to_string(),
    })?;
    tx.execute_exactly(
        1,
        "UPDATE stocking_order SET forwarder = $3, mode = $4, ship_by = $5, eta_p50 = $6, eta_p90 = $7, model = $8
         WHERE account_id = $1 AND order_no = $2 AND revision = $9",
        args![
            account,
            &order.number,
            &order.forwarder,
            order.mode.code(),
            order.ship_by,
            order.eta,
            eta_p90,
            model,
            order.revision
        ],
    )
    .await?;
    Ok(())
}

/// Plan lines of goods that went from one order into another.
///
/// # Errors
/// When the engine refuses.
pub async fn move_line(
    tx: &mut Tx,
    account: &AccountId,
    sku: &crate::ids::Sku,
    (from, to): (&OrderNo, &OrderNo),
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE ordered_line SET order_no = $4 WHERE account_id = $1 AND sku = $2 AND order_no = $3",
        args![account, sku, from, to],
    )
    .await?;
    Ok(())
}

/// Keeps an order as it stands beside the one that takes its place.
///
/// # Errors
/// When the engine refuses.
pub async fn keep_revision(tx: &mut Tx, account: &AccountId, order: &OrderNo) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO order_revision (account_id, order_no, revision, model)
         SELECT account_id, order_no, revision, model FROM stocking_order WHERE account_id = $1 AND order_no = $2
         ON CONFLICT (account_id, order_no, revision) DO NOTHING",
        args![account, order],
    )
    .await?;
    Ok(())
}

/// An order as it was in its earlier revisions, oldest first.
///
/// # Errors
/// When the engine refuses or one cannot be read.
pub async fn revisions(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Vec<StockingOrder>, StoreError> {
    tx.rows(
        "SELECT model FROM order_revision WHERE account_id = $1 AND order_no = $2 ORDER BY revision",
        args![account, order],
    )
    .await?
    .iter()
    .map(|row| {
        let model: String = row.get("model")?;
        serde_json::from_str(&model).map_err(|error| StoreError::Corrupt {
            what: "order revision".to_owned(),
            why: error.to_string(),
        })
    })
    .collect()
}
