//! What a job is, and how it gets in.

use chrono::{DateTime, NaiveDate, Utc};

use super::state::JobState;
use super::word;
use crate::args;
use crate::digest::sha256_hex;
use crate::ids::AccountId;
use crate::store::{Row, StoreError, Tx};

/// A thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob<'a> {
    pub kind: &'a str,
    /// At most one live job of a kind has this key.
    pub dedupe_key: &'a str,
    /// JSON.
    pub payload: &'a str,
    /// Higher goes first.
    pub priority: i64,
    pub run_after: DateTime<Utc>,
    pub max_attempts: u32,
    /// The occurrence that led to it.
    pub occurrence: Option<(&'a str, NaiveDate)>,
}

/// A job as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub job_id: String,
    pub kind: String,
    pub dedupe_key: String,
    pub payload: String,
    pub state: JobState,
    pub priority: i64,
    pub run_after: DateTime<Utc>,
    pub attempt: u32,
    pub max_attempts: u32,
    pub lease_owner: Option<String>,
    pub lease_until: Option<DateTime<Utc>>,
    pub schedule: Option<String>,
    pub civil_date: Option<NaiveDate>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Job {
    /// The occurrence that led to it.
    #[must_use]
    pub fn occurrence(&self) -> Option<(&str, NaiveDate)> {
        self.schedule.as_deref().zip(self.civil_date)
    }
}

/// The right to change a claimed job: lost as soon as another attempt begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobClaim {
    pub account: AccountId,
    pub job_id: String,
    pub attempt: u32,
    pub owner: String,
}

pub(super) const COLUMNS: &str = "job_id, kind, dedupe_key, payload, state, priority, run_after, attempt, max_attempts, \
    lease_owner, lease_until, schedule, civil_date, last_error, created_at, updated_at";

pub(super) fn job(row: &Row) -> Result<Job, StoreError> {
    Ok(Job {
        job_id: row.get("job_id")?,
        kind: row.get("kind")?,
        dedupe_key: row.get("dedupe_key")?,
        payload: row.get("payload")?,
        state: word(row, "state", JobState::parse)?,
        priority: row.get("priority")?,
        run_after: row.get("run_after")?,
        attempt: row.get("attempt")?,
        max_attempts: row.get("max_attempts")?,
        lease_owner: row.get("lease_owner")?,
        lease_until: row.get("lease_until")?,
        schedule: row.get("schedule")?,
        civil_date: row.get("civil_date")?,
        last_error: row.get("last_error")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// Enqueues in the caller's transaction, which wakes the workers when it commits; `None` when a live job of the kind
/// already has the key.
///
/// # Errors
/// When the engine refuses.
pub async fn enqueue(
    tx: &mut Tx,
    account: &AccountId,
    new: &NewJob<'_>,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    // The id follows from what the job is, when it came and how often it was there before: no randomness. Without the
    // instant a life that was cleaned away would give its number to a later one.
    let before: i64 = match tx
        .row(
            "SELECT COUNT(*) AS n FROM job WHERE account_id = $1 AND kind = $2 AND dedupe_key = $3",
            args![account, new.kind, new.dedupe_key],
        )
        .await?
    {
        Some(row) => row.get("n")?,
        None => 0,
    };
    let instant = now.timestamp_millis();
    let digest = sha256_hex(format!("{}\n{}\n{instant}\n{before}", new.kind, new.dedupe_key).as_bytes());
    let job_id = digest.get(..16).unwrap_or(&digest).to_owned();
    // Whichever of its keys is met first: two that enqueue it in one instant give it the same id, and PostgreSQL looks at that of
    // a row that is not committed yet before it looks at the other.
    let inserted = tx
        .execute(
            "INSERT INTO job (account_id, job_id, kind, dedupe_key, payload, state, priority, run_after, attempt,
                 max_attempts, schedule, civil_date, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, 'ready', $6, $7, 0, $8, $9, $10, $11, $11)
             ON CONFLICT DO NOTHING",
            args![
                account,
                &job_id,
                new.kind,
                new.dedupe_key,
                new.payload,
                new.priority,
                new.run_after,
                new.max_attempts,
                new.occurrence.map(|(schedule, _)| schedule),
                new.occurrence.map(|(_, date)| date),
                now
            ],
        )
        .await?;
    if inserted == 1 && new.run_after <= now {
        tx.wake_workers().await?;
    }
    Ok((inserted == 1).then_some(job_id))
}
