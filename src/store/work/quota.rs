//! What a source counts otherwise than by tokens of a bucket: calls of a day, and points of its own.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use crate::args;
use crate::ids::{AccountId, SourceId};
use crate::store::{StoreError, Tx};

/// Takes one call of the day; `None` when all of them are used.
///
/// # Errors
/// When the engine refuses.
pub async fn take_daily(
    tx: &mut Tx,
    account: &AccountId,
    (source, operation): (&SourceId, &str),
    day: NaiveDate,
    per_day: u32,
) -> Result<Option<i64>, StoreError> {
    // A process whose clock is behind counts into the later day.
    let row = tx
        .row(
            "INSERT INTO quota (account_id, source, operation, day, used) VALUES ($1, $2, $3, $4, 1)
             ON CONFLICT (account_id, source, operation) DO UPDATE SET
                 used = CASE WHEN excluded.day > quota.day THEN 1 ELSE quota.used + 1 END,
                 day = CASE WHEN excluded.day > quota.day THEN excluded.day ELSE quota.day END
             WHERE excluded.day > quota.day OR quota.used < $5
             RETURNING used",
            args![account, source, operation, day, per_day],
        )
        .await?;
    row.map(|row| row.get("used")).transpose()
}

/// What an answer told about points, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub available: i64,
    pub maximum: i64,
    /// A second.
    pub restore: i64,
    /// Of the call, as it was reserved at the source.
    pub requested: i64,
    /// As it came out; 0 for a call that was not let in.
    pub actual: i64,
}

/// Reserves the points of one call and says how long to wait until they are there. Nothing is known before the first
/// answer: then there is no wait.
///
/// # Errors
/// When the engine refuses.
pub async fn spend(
    tx: &mut Tx,
    account: &AccountId,
    (source, operation): (&SourceId, &str),
    now: DateTime<Utc>,
) -> Result<Duration, StoreError> {
    let row = tx
        .row(
            "UPDATE points SET
                 available = CASE
                     WHEN told_at >= $4 THEN available
                     WHEN available + ($4 - told_at) * restore / 1000 > maximum THEN maximum
                     ELSE available + ($4 - told_at) * restore / 1000 END - cost,
                 told_at = CASE WHEN told_at >= $4 THEN told_at ELSE $4 END
             WHERE account_id = $1 AND source = $2 AND operation = $3
             RETURNING available, restore, told_at",
            args![account, source, operation, now],
        )
        .await?;
    let Some(row) = row else {
        return Ok(Duration::zero());
    };
    let (available, restore): (i64, i64) = (row.get("available")?, row.get("restore")?);
    if available >= 0 {
        return Ok(Duration::zero());
    }
    let missing = available.saturating_neg();
    let ms = missing.saturating_mul(1000).saturating_add(restore - 1) / restore.max(1);
    Ok(Duration::milliseconds(ms))
}

/// Takes over what an answer told: never more than the source says, and never more than is left after what others have
/// reserved meanwhile.
///
/// # Errors
/// When the engine refuses.
pub async fn learn(
    tx: &mut Tx,
    account: &AccountId,
    (source, operation): (&SourceId, &str),
    told: Told,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO points (account_id, source, operation, available, maximum, restore, cost, told_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_id, source, operation) DO UPDATE SET
             available = CASE
                 WHEN points.told_at >= excluded.told_at AND points.available + points.cost - $9 < excluded.available
                     THEN points.available + points.cost - $9
                 WHEN points.told_at < excluded.told_at
                     AND points.available + (excluded.told_at - points.told_at) * points.restore / 1000
                         + points.cost - $9 < excluded.available
                     THEN points.available + (excluded.told_at - points.told_at) * points.restore / 1000
                         + points.cost - $9
                 ELSE excluded.available END,
             maximum = excluded.maximum, restore = excluded.restore,
             cost = CASE WHEN excluded.cost > points.cost THEN excluded.cost ELSE points.cost END,
             told_at = CASE WHEN excluded.told_at > points.told_at THEN excluded.told_at ELSE points.told_at END",
        args![
            account,
            source,
            operation,
            told.available,
            told.maximum,
            told.restore,
            told.requested,
            now,
            told.actual
        ],
    )
    .await
    .map(drop)
}
