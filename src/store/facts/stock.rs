//! Stock snapshots: whole or not at all, per warehouse.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::StockSnapshotView;
use crate::args;
use crate::calendar::civil_day;
use crate::ids::{AccountId, SourceId, WarehouseCode};
use crate::ledger::{Buckets, StockRow};
use crate::store::{StoreError, Tx, Value};

/// Why a snapshot that arrived whole was still not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotRefused {
    #[error("the answer is empty, but {before} SKUs were there before")]
    EmptyAfterMany { before: i64 },
}

/// From how many SKUs on an empty answer is a failure of the source and not an empty warehouse.
const MANY: i64 = 3;

/// Takes a whole snapshot of one warehouse in place of the previous one, and notes what was available on its day.
///
/// # Errors
/// When the engine refuses. An empty answer after many SKUs is `Ok(Err(…))`: nothing was changed, see
/// [`discard_snapshot`].
pub async fn put_snapshot(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    warehouse: &WarehouseCode,
    zone: Tz,
    as_of: DateTime<Utc>,
    rows: &[StockRow],
) -> Result<Result<(), SnapshotRefused>, StoreError> {
    let before: Vec<String> = tx
        .rows(
            "SELECT sku_code FROM stock_row WHERE account_id = $1 AND source = $2 AND warehouse = $3 ORDER BY sku_code",
            args![account, source, warehouse],
        )
        .await?
        .iter()
        .map(|row| row.get("sku_code"))
        .collect::<Result<_, _>>()?;
    let count = i64::try_from(before.len()).unwrap_or(i64::MAX);
    if rows.is_empty() && count >= MANY {
        return Ok(Err(SnapshotRefused::EmptyAfterMany { before: count }));
    }
    tx.execute(
        "DELETE FROM stock_row WHERE account_id = $1 AND source = $2 AND warehouse = $3",
        args![account, source, warehouse],
    )
    .await?;
    let stored: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| {
            let buckets = row.buckets;
            vec![
                account.into(),
                source.into(),
                warehouse.into(),
                (&row.sku_code).into(),
                buckets.available.into(),
                buckets.reserved.into(),
                buckets.pending_putaway.into(),
                buckets.inbound.into(),
                buckets.unsellable.into(),
                buckets.frozen.into(),
                buckets.transfer.into(),
                row.total.into(),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO stock_row (account_id, source, warehouse, sku_code, available, reserved, pending_putaway,
             inbound, unsellable, frozen, transfer, total)",
        &stored,
        "",
    )
    .await?;
    note_day(tx, account, warehouse, civil_day(as_of, zone), &before, rows).await?;
    tx.execute(
        "INSERT INTO stock_snapshot (account_id, source, warehouse, as_of, stale_since, problem)
         VALUES ($1, $2, $3, $4, NULL, NULL)
         ON CONFLICT (account_id, source, warehouse) DO UPDATE SET as_of = excluded.as_of, stale_since = NULL,
             problem = NULL",
        args![account, source, warehouse, as_of],
    )
    .await?;
    Ok(Ok(()))
}

/// Takes the rows of an answer that tells only some SKUs: those change, all others stay as they were.
///
/// # Errors
/// When the engine refuses.
pub async fn merge_stock(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    warehouse: &WarehouseCode,
    zone: Tz,
    as_of: DateTime<Utc>,
    rows: &[StockRow],
) -> Result<(), StoreError> {
    let told: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.sku_code.as_str()).collect();
    let mut all = rows_of(tx, account, source, warehouse).await?;
    all.retain(|row| !told.contains(row.sku_code.as_str()));
    all.extend(rows.iter().cloned());
    all.sort_by(|a, b| a.sku_code.cmp(&b.sku_code));
    // With every known SKU in it, nothing is absent, and so nothing becomes zero.
    put_snapshot(tx, account, source, warehouse, zone, as_of, &all)
        .await
        .map(|_| ())
}

async fn note_day(
    tx: &mut Tx,
    account: &AccountId,
    warehouse: &WarehouseCode,
    day: NaiveDate,
    before: &[String],
    rows: &[StockRow],
) -> Result<(), StoreError> {
    let here: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.sku_code.as_str()).collect();
    // In a complete snapshot a SKU that is gone has no stock: the one place where absence means zero.
    let gone = before
        .iter()
        .filter(|sku| !here.contains(sku.as_str()))
        .map(|sku| (sku.as_str(), Some(0)));
    let stored: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| (row.sku_code.as_str(), row.buckets.available))
        .chain(gone)
        .map(|(sku_code, available)| {
            vec![
                account.into(),
                warehouse.into(),
                sku_code.into(),
                day.into(),
                available.into(),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO stock_day (account_id, warehouse, sku_code, day, available)",
        &stored,
        "ON CONFLICT (account_id, warehouse, sku_code, day) DO UPDATE SET available = excluded.available",
    )
    .await?;
    Ok(())
}

/// Keeps the previous snapshot and says since when, and why, it is no longer the present.
///
/// # Errors
/// When the engine refuses.
pub async fn discard_snapshot(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    warehouse: &WarehouseCode,
    problem: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO stock_snapshot (account_id, source, warehouse, as_of, stale_since, problem)
         VALUES ($1, $2, $3, NULL, $5, $4)
         ON CONFLICT (account_id, source, warehouse) DO UPDATE SET problem = excluded.problem,
             stale_since = COALESCE(stock_snapshot.stale_since, excluded.stale_since)",
        args![account, source, warehouse, problem, now],
    )
    .await?;
    Ok(())
}

/// The snapshot that is there is still the newest: what stood in its way is gone.
///
/// # Errors
/// When the engine refuses.
pub async fn confirm_snapshot(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    warehouse: &WarehouseCode,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE stock_snapshot SET stale_since = NULL, problem = NULL
         WHERE account_id = $1 AND source = $2 AND warehouse = $3 AND as_of IS NOT NULL",
        args![account, source, warehouse],
    )
    .await?;
    Ok(())
}

/// The newest whole snapshot of every warehouse, with its rows in the order of their SKU codes.
///
/// # Errors
/// When the engine refuses.
pub async fn latest_stock(tx: &mut Tx, account: &AccountId) -> Result<Vec<StockSnapshotView>, StoreError> {
    let mut views = Vec::new();
    for row in tx
        .rows(
            "SELECT source, warehouse, as_of, stale_since, problem FROM stock_snapshot
             WHERE account_id = $1 ORDER BY source, warehouse",
            args![account],
        )
        .await?
    {
        let source: SourceId = row.get("source")?;
        let warehouse: WarehouseCode = row.get("warehouse")?;
        let rows = rows_of(tx, account, &source, &warehouse).await?;
        views.push(StockSnapshotView {
            source,
            warehouse,
            as_of: row.get("as_of")?,
            stale_since: row.get("stale_since")?,
            problem: row.get("problem")?,
            rows,
        });
    }
    Ok(views)
}

async fn rows_of(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    warehouse: &WarehouseCode,
) -> Result<Vec<StockRow>, StoreError> {
    tx.rows(
        "SELECT sku_code, available, reserved, pending_putaway, inbound, unsellable, frozen, transfer, total
         FROM stock_row WHERE account_id = $1 AND source = $2 AND warehouse = $3 ORDER BY sku_code",
        args![account, source, warehouse],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(StockRow {
            source: source.clone(),
            warehouse: warehouse.clone(),
            sku_code: row.get("sku_code")?,
            buckets: Buckets {
                available: row.get("available")?,
                reserved: row.get("reserved")?,
                pending_putaway: row.get("pending_putaway")?,
                inbound: row.get("inbound")?,
                unsellable: row.get("unsellable")?,
                frozen: row.get("frozen")?,
                transfer: row.get("transfer")?,
            },
            total: row.get("total")?,
        })
    })
    .collect()
}

/// What was available at the end of each day that has a snapshot, both ends included. A day without a row is
/// unknown, a row with None came without the bucket.
///
/// # Errors
/// When the engine refuses.
pub async fn stock_days(
    tx: &mut Tx,
    account: &AccountId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(WarehouseCode, String, NaiveDate, Option<i64>)>, StoreError> {
    tx.rows(
        "SELECT warehouse, sku_code, day, available FROM stock_day
         WHERE account_id = $1 AND day >= $2 AND day <= $3 ORDER BY warehouse, sku_code, day",
        args![account, from, to],
    )
    .await?
    .iter()
    .map(|row| {
        Ok((
            row.get("warehouse")?,
            row.get("sku_code")?,
            row.get("day")?,
            row.get("available")?,
        ))
    })
    .collect()
}
