//! What others call our orders: inbound numbers, bookings, containers, tracking numbers.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx};
use crate::args;
use crate::ids::{AccountId, OrderNo};
use crate::order::ReferenceKind;

/// One name of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReference {
    pub order: OrderNo,
    /// `ReferenceKind::code`
    pub kind: String,
    pub reference: String,
    /// A source, or the file it was read in.
    pub origin: String,
}

/// Links a name to an order; the same again changes nothing.
///
/// # Errors
/// When the engine refuses, or there is no such order.
pub async fn link(
    tx: &mut Tx,
    account: &AccountId,
    (order, kind, reference): (&OrderNo, ReferenceKind, &str),
    origin: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO order_reference (account_id, order_no, kind, reference, origin, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, order_no, kind, reference) DO NOTHING",
        args![account, order, kind.code(), reference, origin, now],
    )
    .await?;
    Ok(())
}

/// The names of an order, by kind.
///
/// # Errors
/// When the engine refuses.
pub async fn of_order(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Vec<OrderReference>, StoreError> {
    tx.rows(
        "SELECT order_no, kind, reference, origin FROM order_reference
         WHERE account_id = $1 AND order_no = $2 ORDER BY kind, reference",
        args![account, order],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(OrderReference {
            order: row.get("order_no")?,
            kind: row.get("kind")?,
            reference: row.get("reference")?,
            origin: row.get("origin")?,
        })
    })
    .collect()
}

/// The order that others call so; of several the newest.
///
/// # Errors
/// When the engine refuses.
pub async fn order_of(
    tx: &mut Tx,
    account: &AccountId,
    kind: ReferenceKind,
    reference: &str,
) -> Result<Option<OrderNo>, StoreError> {
    tx.row(
        "SELECT order_no FROM order_reference WHERE account_id = $1 AND kind = $2 AND reference = $3
         ORDER BY created_at DESC, order_no DESC LIMIT 1",
        args![account, kind.code(), reference],
    )
    .await?
    .map(|row| row.get("order_no"))
    .transpose()
}

/// Names that mean one shipment, each with the only order it is linked to. A container may hold several orders and comes again with
/// others; a declaration is customs' name.
///
/// # Errors
/// When the engine refuses.
pub async fn of_one_order(tx: &mut Tx, account: &AccountId) -> Result<Vec<(String, OrderNo)>, StoreError> {
    let mut names: Vec<(String, OrderNo)> = tx
        .rows(
            "SELECT reference, MIN(order_no) AS order_no FROM order_reference
         WHERE account_id = $1 AND kind IN ('inbound', 'booking', 'tracking')
         GROUP BY reference HAVING COUNT(DISTINCT order_no) = 1",
            args![account],
        )
        .await?
        .iter()
        .map(|row| Ok((row.get("reference")?, row.get("order_no")?)))
        .collect::<Result<_, StoreError>>()?;
    // The two engines do not order texts alike.
    names.sort();
    Ok(names)
}

/// The names of one kind that orders under way have.
///
/// # Errors
/// When the engine refuses.
pub async fn open(tx: &mut Tx, account: &AccountId, kind: ReferenceKind) -> Result<Vec<String>, StoreError> {
    tx.rows(
        "SELECT DISTINCT r.reference FROM order_reference r
         JOIN stocking_order o ON o.account_id = r.account_id AND o.order_no = r.order_no
         WHERE r.account_id = $1 AND r.kind = $2 AND o.state NOT IN ('closed', 'short_closed', 'cancelled')
         ORDER BY r.reference",
        args![account, kind.code()],
    )
    .await?
    .iter()
    .map(|row| row.get("reference"))
    .collect()
}
