//! What a person sees of jobs, and does with them.

use chrono::{DateTime, Utc};

use super::job::{COLUMNS, Job, job};
use super::occurrence::{OccurrenceState, follow};
use super::state::JobState;
use crate::args;
use crate::ids::AccountId;
use crate::store::lease::{self, Attempt};
use crate::store::{StoreError, Tx};

/// Which jobs to list. Everything that is empty lets all pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter<'a> {
    pub state: Option<JobState>,
    pub kind: Option<&'a str>,
    /// Changed at or after this instant.
    pub since: Option<DateTime<Utc>>,
}

/// Whether a person's wish could be followed.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobChange {
    Done {
        from: JobState,
    },
    /// The state does not allow it; nothing changed.
    NotFrom(JobState),
    /// A live job does the same thing.
    Superseded {
        by: String,
    },
    Unknown,
}

/// # Errors
/// When the engine refuses.
pub async fn find(tx: &mut Tx, account: &AccountId, job_id: &str) -> Result<Option<Job>, StoreError> {
    tx.row(
        format!("SELECT {COLUMNS} FROM job WHERE account_id = $1 AND job_id = $2"),
        args![account, job_id],
    )
    .await?
    .as_ref()
    .map(job)
    .transpose()
}

/// Jobs whose id begins so, at most two: enough to know whether it is one.
///
/// # Errors
/// When the engine refuses.
pub async fn find_by_prefix(tx: &mut Tx, account: &AccountId, prefix: &str) -> Result<Vec<Job>, StoreError> {
    tx.rows(
        format!(
            "SELECT {COLUMNS} FROM job WHERE account_id = $1 AND substr(job_id, 1, $2) = $3 ORDER BY job_id LIMIT 2"
        ),
        args![
            account,
            i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX),
            prefix
        ],
    )
    .await?
    .iter()
    .map(job)
    .collect()
}

/// Jobs, the last changed first.
///
/// # Errors
/// When the engine refuses.
pub async fn list(
    tx: &mut Tx,
    account: &AccountId,
    filter: &JobFilter<'_>,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    tx.rows(
        format!(
            "SELECT {COLUMNS} FROM job
             WHERE account_id = $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR kind = $3) AND updated_at >= $4
             ORDER BY updated_at DESC, job_id LIMIT $5"
        ),
        args![
            account,
            filter.state.map_or("", JobState::as_str),
            filter.kind.unwrap_or_default(),
            filter.since.map_or(i64::MIN, |since| since.timestamp_millis()),
            limit
        ],
    )
    .await?
    .iter()
    .map(job)
    .collect()
}

/// The attempts at a job, oldest first.
///
/// # Errors
/// When the engine refuses.
pub async fn job_attempts(
    tx: &mut Tx,
    account: &AccountId,
    job_id: &str,
) -> Result<Vec<Attempt>, StoreError> {
    tx.rows(
        "SELECT attempt, owner, outcome, error, started_at, ended_at FROM job_attempt
         WHERE account_id = $1 AND job_id = $2 ORDER BY attempt",
        args![account, job_id],
    )
    .await
    .and_then(|rows| lease::attempts(&rows))
}

/// So many attempts a person's wish gives to a dead job.
const FRESH_ATTEMPTS: i64 = 5;

/// Makes a dead job ready again, with fresh attempts.
///
/// # Errors
/// When the engine refuses.
pub async fn retry(
    tx: &mut Tx,
    account: &AccountId,
    job_id: &str,
    now: DateTime<Utc>,
) -> Result<JobChange, StoreError> {
    let Some(job) = find(tx, account, job_id).await? else {
        return Ok(JobChange::Unknown);
    };
    if job.state != JobState::Dead {
        return Ok(JobChange::NotFrom(job.state));
    }
    let live = tx
        .row(
            "SELECT job_id FROM job
             WHERE account_id = $1 AND kind = $2 AND dedupe_key = $3 AND state IN ('ready', 'leased')",
            args![account, &job.kind, &job.dedupe_key],
        )
        .await?;
    if let Some(row) = live {
        return Ok(JobChange::Superseded {
            by: row.get("job_id")?,
        });
    }
    tx.execute_exactly(
        1,
        "UPDATE job SET state = 'ready', lost = 0, max_attempts = attempt + $4, run_after = $3, updated_at = $3
         WHERE account_id = $1 AND job_id = $2 AND state = 'dead'",
        args![account, job_id, now, FRESH_ATTEMPTS],
    )
    .await?;
    follow(tx, account, job.occurrence(), OccurrenceState::Due, None, now).await?;
    tx.wake_workers().await?;
    Ok(JobChange::Done { from: job.state })
}

/// Takes a job away that no worker holds.
///
/// # Errors
/// When the engine refuses.
pub async fn drop_job(
    tx: &mut Tx,
    account: &AccountId,
    job_id: &str,
    now: DateTime<Utc>,
) -> Result<JobChange, StoreError> {
    let Some(job) = find(tx, account, job_id).await? else {
        return Ok(JobChange::Unknown);
    };
    let changed = tx
        .execute(
            "UPDATE job SET state = 'dropped', updated_at = $3
             WHERE account_id = $1 AND job_id = $2 AND state IN ('ready', 'dead')",
            args![account, job_id, now],
        )
        .await?;
    if changed == 0 {
        return Ok(JobChange::NotFrom(job.state));
    }
    follow(
        tx,
        account,
        job.occurrence(),
        OccurrenceState::Skipped,
        Some("dropped by a person"),
        now,
    )
    .await?;
    Ok(JobChange::Done { from: job.state })
}

/// How many jobs there are in each state that occurs.
///
/// # Errors
/// When the engine refuses.
pub async fn count_jobs(tx: &mut Tx, account: &AccountId) -> Result<Vec<(JobState, i64)>, StoreError> {
    tx.rows(
        "SELECT state, COUNT(*) AS n FROM job WHERE account_id = $1 GROUP BY state ORDER BY state",
        args![account],
    )
    .await?
    .iter()
    .map(|row| Ok((super::word(row, "state", JobState::parse)?, row.get("n")?)))
    .collect()
}
