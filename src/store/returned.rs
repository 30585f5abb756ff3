//! What customers sent back. A row told again replaces what it said before.

use chrono::{DateTime, Utc};

use super::{Row, StoreError, Tx, Value};
use crate::args;
use crate::ids::{AccountId, SourceId};
use crate::ledger::CustomerReturn;

/// Stores returns; the same again changes nothing, one that is told differently is brought up to date.
///
/// # Errors
/// When the engine refuses.
pub async fn merge(
    tx: &mut Tx,
    account: &AccountId,
    returns: &[CustomerReturn],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    // A statement must not meet one key twice: of rows with one key the last one counts.
    let mut last = std::collections::BTreeMap::new();
    for one in returns {
        last.insert((&one.source, &one.key), one);
    }
    let rows: Vec<Vec<Value>> = last
        .into_values()
        .map(|one| {
            args![
                account,
                &one.source,
                &one.key,
                &one.order_id,
                &one.sku_code,
                one.units,
                one.returned_at,
                one.disposition.clone(),
                one.reason.clone(),
                one.centre.clone(),
                now
            ]
            .to_vec()
        })
        .collect();
    tx.insert_many(
        "INSERT INTO customer_return (account_id, source, return_key, order_id, sku_code, units, returned_at,
             disposition, reason, centre, recorded_at)",
        &rows,
        "ON CONFLICT (account_id, source, return_key) DO UPDATE SET order_id = excluded.order_id,
             sku_code = excluded.sku_code, units = excluded.units, returned_at = excluded.returned_at,
             disposition = excluded.disposition, reason = excluded.reason, centre = excluded.centre",
    )
    .await
}

/// Returns taken in since a moment, in the order of their times.
///
/// # Errors
/// When the engine refuses, or a stored return cannot be read back.
pub async fn since(
    tx: &mut Tx,
    account: &AccountId,
    from: DateTime<Utc>,
) -> Result<Vec<CustomerReturn>, StoreError> {
    tx.rows(
        "SELECT source, return_key, order_id, sku_code, units, returned_at, disposition, reason, centre
         FROM customer_return WHERE account_id = $1 AND returned_at >= $2 ORDER BY returned_at, source, return_key",
        args![account, from],
    )
    .await?
    .iter()
    .map(returned)
    .collect()
}

/// Units that came back in one state since a moment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sum {
    pub source: SourceId,
    /// In the source's words; empty where it says none.
    pub disposition: String,
    pub units: i64,
}

/// Units by source and disposition.
///
/// # Errors
/// When the engine refuses.
pub async fn sums(tx: &mut Tx, account: &AccountId, from: DateTime<Utc>) -> Result<Vec<Sum>, StoreError> {
    tx.rows(
        "SELECT source, COALESCE(disposition, '') AS disposition, CAST(SUM(units) AS BIGINT) AS units
         FROM customer_return WHERE account_id = $1 AND returned_at >= $2
         GROUP BY source, COALESCE(disposition, '') ORDER BY source, disposition",
        args![account, from],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Sum {
            source: row.get("source")?,
            disposition: row.get("disposition")?,
            units: row.get("units")?,
        })
    })
    .collect()
}

fn returned(row: &Row) -> Result<CustomerReturn, StoreError> {
    Ok(CustomerReturn {
        source: row.get("source")?,
        key: row.get("return_key")?,
        order_id: row.get("order_id")?,
        sku_code: row.get("sku_code")?,
        units: row.get("units")?,
        returned_at: row.get("returned_at")?,
        disposition: row.get("disposition")?,
        reason: row.get("reason")?,
        centre: row.get("centre")?,
    })
}
