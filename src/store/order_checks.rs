//! What the gates said of orders, and what was declared before.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{StoreError, Tx};
use crate::args;
use crate::ids::{AccountId, OrderNo};
use crate::money::Money;
use crate::order::StockingOrder;
use crate::order::cash::Cash;
use crate::order::gate::{DeclaredBefore, Finding, Rates, Surcharge};

/// One look of the gates at a revision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderCheck {
    pub findings: Vec<Finding>,
    /// The rates of that look: a value is not judged anew by a later rate.
    pub rates: Rates,
    pub surcharges: Vec<Surcharge>,
    /// What it costs besides the goods, by the rates of that day.
    pub cash: Option<Cash>,
}

fn corrupt(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: error.to_string(),
    }
}

/// Keeps the newest look at a revision.
///
/// # Errors
/// When the engine refuses.
pub async fn keep(
    tx: &mut Tx,
    account: &AccountId,
    order: &StockingOrder,
    check: &OrderCheck,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let body = serde_json::to_string(check).map_err(|error| corrupt("order check", &error))?;
    tx.execute(
        "INSERT INTO order_check (account_id, order_no, revision, checked_at, body) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, order_no, revision)
         DO UPDATE SET checked_at = excluded.checked_at, body = excluded.body",
        args![account, &order.number, order.revision, now, body],
    )
    .await?;
    Ok(())
}

/// The look at the newest revision that was looked at.
///
/// # Errors
/// When the engine refuses or it cannot be read.
pub async fn of_order(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Option<OrderCheck>, StoreError> {
    tx.row(
        "SELECT body FROM order_check WHERE account_id = $1 AND order_no = $2 ORDER BY revision DESC LIMIT 1",
        args![account, order],
    )
    .await?
    .map(|row| {
        let body: String = row.get("body")?;
        serde_json::from_str(&body).map_err(|error| corrupt("order check", &error))
    })
    .transpose()
}

/// What was declared of goods since a day, oldest first; orders that were given up declare nothing.
///
/// # Errors
/// When the engine refuses or a stored order cannot be read.
pub async fn declared_since(
    tx: &mut Tx,
    account: &AccountId,
    since: NaiveDate,
) -> Result<Vec<DeclaredBefore>, StoreError> {
    let rows = tx
        .rows(
            "SELECT model FROM stocking_order WHERE account_id = $1 AND created_on >= $2 AND state <> 'cancelled'
             ORDER BY created_on, order_no",
            args![account, since],
        )
        .await?;
    let mut declared = Vec::new();
    for row in &rows {
        let model: String = row.get("model")?;
        let order: StockingOrder = serde_json::from_str(&model).map_err(|error| corrupt("order", &error))?;
        let valued = order.lines.iter().filter(|line| !line.unit_value.is_zero());
        declared.extend(valued.map(|line| DeclaredBefore {
            order: order.number.clone(),
            on: order.created_on,
            sku: line.goods.sku.clone(),
            hs: line.goods.hs_cn.clone(),
            value: Money::new(line.unit_value, order.currency),
        }));
    }
    Ok(declared)
}
