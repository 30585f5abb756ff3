//! How fast and how many at a time, shared by every process that works on the same database.
//!
//! A [`take`] is one atomic statement: it reserves the next place of a token bucket, and the caller waits until it
//! comes. An [`acquire`] holds one of so many places at a source under a lease that ends by itself, so that a process
//! that died gives its place back.
//!
//! Clocks of the processes may differ by less than [`SKEW`]; then the rate is never exceeded, a process whose clock is
//! behind only waits longer. A bucket whose last token was taken later than that was written before a clock was set
//! back, and moves back with it.

use chrono::{DateTime, Duration, Utc};

use crate::args;
use crate::ids::{AccountId, SourceId};
use crate::store::{StoreError, Tx};

/// More than this between two clocks means that one was set.
pub const SKEW: Duration = Duration::seconds(60);

/// The pace of one operation of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Between two tokens.
    pub interval: Duration,
    /// How many at once after a rest.
    pub burst: u32,
}

/// A place at a source, held until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotLease {
    pub account: AccountId,
    pub source: SourceId,
    pub place: i64,
    pub fence: i64,
}

/// Takes one token and says how long to wait before using it.
///
/// # Errors
/// When the engine refuses.
pub async fn take(
    tx: &mut Tx,
    account: &AccountId,
    (source, operation): (&SourceId, &str),
    rate: &Rate,
    now: DateTime<Utc>,
) -> Result<Duration, StoreError> {
    // Rounded up, so that the rounding never exceeds the rate.
    let interval = microseconds(rate.interval).max(1);
    let slack = interval.saturating_mul(i64::from(rate.burst.saturating_sub(1)));
    let now = now.timestamp_micros();
    let row = tx
        .row(
            "INSERT INTO bucket (account_id, source, operation, next_us, taken_us) VALUES ($1, $2, $3, $4 + $5, $4)
             ON CONFLICT (account_id, source, operation) DO UPDATE SET
                 next_us = $5 + CASE
                     WHEN bucket.taken_us > $4 + $6 AND bucket.next_us > bucket.taken_us
                         THEN bucket.next_us - bucket.taken_us + $4
                     WHEN bucket.taken_us > $4 + $6 OR bucket.next_us < $4 THEN $4
                     ELSE bucket.next_us END,
                 taken_us = $4
             RETURNING next_us",
            args![account, source, operation, now, interval, microseconds(SKEW)],
        )
        .await?;
    let Some(row) = row else {
        return Err(StoreError::Affected {
            what: format!("take a token of {source}/{operation}"),
            wanted: 1,
            changed: 0,
        });
    };
    let next: i64 = row.get("next_us")?;
    Ok(Duration::microseconds((next - interval - slack - now).max(0)))
}

/// Nobody takes a token of the operation before `until`: the server asked for a rest, and asked all of us.
///
/// # Errors
/// When the engine refuses.
pub async fn hold(
    tx: &mut Tx,
    account: &AccountId,
    (source, operation): (&SourceId, &str),
    rate: &Rate,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), StoreError> {
    let interval = microseconds(rate.interval).max(1);
    let slack = interval.saturating_mul(i64::from(rate.burst.saturating_sub(1)));
    tx.execute(
        "INSERT INTO bucket (account_id, source, operation, next_us, taken_us) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, source, operation) DO UPDATE SET
             next_us = CASE WHEN bucket.next_us > $4 THEN bucket.next_us ELSE $4 END",
        args![
            account,
            source,
            operation,
            until.timestamp_micros().saturating_add(slack),
            now.timestamp_micros()
        ],
    )
    .await
    .map(drop)
}

fn microseconds(duration: Duration) -> i64 {
    let whole = duration.num_microseconds().unwrap_or(i64::MAX / 4);
    if duration > Duration::microseconds(whole) {
        whole + 1
    } else {
        whole
    }
}

/// Takes one of `places` at a source; `None` when all are held. Every process uses the same `lease`.
///
/// # Errors
/// When the engine refuses.
pub async fn acquire(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    places: u32,
    owner: &str,
    (now, lease): (DateTime<Utc>, Duration),
) -> Result<Option<SlotLease>, StoreError> {
    if let Some(held) = free_place(tx, account, source, places, owner, (now, lease)).await? {
        return Ok(Some(held));
    }
    // The first time, and when more places were allowed since.
    let rows: Vec<_> = (0..places)
        .map(|place| args![account, source, place, 0_i64].to_vec())
        .collect();
    let made = tx
        .insert_many(
            "INSERT INTO slot (account_id, source, place, fence)",
            &rows,
            "ON CONFLICT (account_id, source, place) DO NOTHING",
        )
        .await?;
    if made == 0 {
        return Ok(None);
    }
    free_place(tx, account, source, places, owner, (now, lease)).await
}

async fn free_place(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    places: u32,
    owner: &str,
    (now, lease): (DateTime<Utc>, Duration),
) -> Result<Option<SlotLease>, StoreError> {
    let skip_locked = tx.engine().for_update_skip_locked();
    let row = tx
        .row(
            format!(
                "UPDATE slot SET owner = $4, lease_until = $6, fence = fence + 1
                 WHERE account_id = $1 AND source = $2 AND place = (
                     SELECT place FROM slot
                     WHERE account_id = $1 AND source = $2 AND place < $3
                       AND (owner IS NULL OR lease_until <= $5 OR lease_until > $7)
                     ORDER BY place LIMIT 1{skip_locked})
                 RETURNING place, fence"
            ),
            // A lease that ends later than any could was given before a clock was set back.
            args![
                account,
                source,
                places,
                owner,
                now,
                now + lease,
                now + lease + SKEW
            ],
        )
        .await?;
    row.map(|row| {
        Ok(SlotLease {
            account: account.clone(),
            source: source.clone(),
            place: row.get("place")?,
            fence: row.get("fence")?,
        })
    })
    .transpose()
}

/// Keeps the place for another while.
///
/// # Errors
/// [`StoreError::Affected`] when somebody else holds it by now: more than allowed may be at work, so stop.
pub async fn renew(
    tx: &mut Tx,
    held: &SlotLease,
    (now, lease): (DateTime<Utc>, Duration),
) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE slot SET lease_until = $5
         WHERE account_id = $1 AND source = $2 AND place = $3 AND fence = $4 AND owner IS NOT NULL",
        args![&held.account, &held.source, held.place, held.fence, now + lease],
    )
    .await
}

/// Gives the place back; nothing happens when it was lost before.
///
/// # Errors
/// When the engine refuses.
pub async fn release(tx: &mut Tx, held: &SlotLease) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE slot SET owner = NULL, lease_until = NULL
         WHERE account_id = $1 AND source = $2 AND place = $3 AND fence = $4",
        args![&held.account, &held.source, held.place, held.fence],
    )
    .await
    .map(drop)
}
