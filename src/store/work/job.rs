//! Jobs: claimed under a lease, fenced by their attempt, kept as history when they end.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::occurrence::{OccurrenceState, follow_job};
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

/// The right to change a claimed job: lost as soon as another attempt begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobClaim {
    pub account: AccountId,
    pub job_id: String,
    pub attempt: u32,
    pub owner: String,
}

/// One attempt at a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub attempt: u32,
    pub owner: String,
    /// `done`, `retry`, `dead` or `lost`; `None` while it runs.
    pub outcome: Option<String>,
    pub error: Option<String>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "job_id, kind, dedupe_key, payload, state, priority, run_after, attempt, max_attempts, \
    lease_owner, lease_until, schedule, civil_date, last_error, created_at, updated_at";

fn job(row: &Row) -> Result<Job, StoreError> {
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

/// Enqueues in the caller's transaction; `None` when a live job of the kind already has the key.
///
/// # Errors
/// When the engine refuses.
pub async fn enqueue(
    tx: &mut Tx,
    account: &AccountId,
    new: &NewJob<'_>,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    // The id follows from what the job is and how often it was there before: no randomness, and two processes that
    // enqueue the same thing at once meet on the same key.
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
    let digest = sha256_hex(format!("{}\n{}\n{before}", new.kind, new.dedupe_key).as_bytes());
    let job_id = digest.get(..16).unwrap_or(&digest).to_owned();
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
    Ok((inserted == 1).then_some(job_id))
}

/// Leases the next ready job of the given kinds: highest priority first, then longest due.
///
/// # Errors
/// When the engine refuses.
pub async fn claim(
    tx: &mut Tx,
    account: &AccountId,
    kinds: &[&str],
    owner: &str,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<Option<(JobClaim, Job)>, StoreError> {
    if kinds.is_empty() {
        return Ok(None);
    }
    let mut arguments = args![account, now, owner, now + lease].to_vec();
    let places: Vec<String> = kinds
        .iter()
        .map(|kind| {
            arguments.push((*kind).into());
            format!("${}", arguments.len())
        })
        .collect();
    let skip_locked = tx.engine().for_update_skip_locked();
    let row = tx
        .row(
            format!(
                "UPDATE job SET state = 'leased', attempt = attempt + 1, lease_owner = $3, lease_until = $4,
                     updated_at = $2
                 WHERE account_id = $1 AND job_id = (
                     SELECT job_id FROM job
                     WHERE account_id = $1 AND state = 'ready' AND run_after <= $2 AND kind IN ({})
                     ORDER BY priority DESC, run_after, job_id LIMIT 1{skip_locked})
                 RETURNING {COLUMNS}",
                places.join(", ")
            ),
            &arguments,
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let job = job(&row)?;
    tx.execute(
        "INSERT INTO job_attempt (account_id, job_id, attempt, owner, started_at) VALUES ($1, $2, $3, $4, $5)",
        args![account, &job.job_id, job.attempt, owner, now],
    )
    .await?;
    follow_job(tx, account, &job.job_id, OccurrenceState::Running, None, now).await?;
    let claim = JobClaim {
        account: account.clone(),
        job_id: job.job_id.clone(),
        attempt: job.attempt,
        owner: owner.to_owned(),
    };
    Ok(Some((claim, job)))
}

/// Keeps the lease for another while.
///
/// # Errors
/// [`StoreError::Affected`] when the lease is lost: stop working on it.
pub async fn heartbeat(
    tx: &mut Tx,
    claim: &JobClaim,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE job SET lease_until = $5, updated_at = $6
         WHERE account_id = $1 AND job_id = $2 AND state = 'leased' AND attempt = $3 AND lease_owner = $4",
        args![
            &claim.account,
            &claim.job_id,
            claim.attempt,
            &claim.owner,
            now + lease,
            now
        ],
    )
    .await
}

/// Records success. Run it in the transaction that commits the job's result and the next step's job.
///
/// # Errors
/// [`StoreError::Affected`] when the lease is lost: drop the transaction, another worker's result stands.
pub async fn complete(tx: &mut Tx, claim: &JobClaim, now: DateTime<Utc>) -> Result<(), StoreError> {
    end(tx, claim, JobState::Done, "done", None, None, now).await
}

/// Records failure: ready again at `retry_at`, or dead when there is none.
///
/// # Errors
/// [`StoreError::Affected`] when the lease is lost.
pub async fn fail(
    tx: &mut Tx,
    claim: &JobClaim,
    error: &str,
    retry_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (state, outcome) = match retry_at {
        Some(_) => (JobState::Ready, "retry"),
        None => (JobState::Dead, "dead"),
    };
    end(tx, claim, state, outcome, Some(error), retry_at, now).await
}

async fn end(
    tx: &mut Tx,
    claim: &JobClaim,
    state: JobState,
    outcome: &str,
    error: Option<&str>,
    run_after: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE job SET state = $5, run_after = COALESCE($6, run_after), last_error = COALESCE($7, last_error),
             updated_at = $8, lease_owner = NULL, lease_until = NULL
         WHERE account_id = $1 AND job_id = $2 AND state = 'leased' AND attempt = $3 AND lease_owner = $4",
        args![
            &claim.account,
            &claim.job_id,
            claim.attempt,
            &claim.owner,
            state.as_str(),
            run_after,
            error,
            now
        ],
    )
    .await?;
    tx.execute_exactly(
        1,
        "UPDATE job_attempt SET outcome = $4, error = $5, ended_at = $6
         WHERE account_id = $1 AND job_id = $2 AND attempt = $3 AND ended_at IS NULL",
        args![&claim.account, &claim.job_id, claim.attempt, outcome, error, now],
    )
    .await?;
    follow_job(
        tx,
        &claim.account,
        &claim.job_id,
        state.of_occurrence(),
        error,
        now,
    )
    .await
}

/// Takes back the leases that ran out and, at start, those that `own` still holds from before a crash. A job whose
/// attempts are used up is dead: one that kills its process must not do so for ever.
///
/// # Errors
/// When the engine refuses.
pub async fn requeue_lost(
    tx: &mut Tx,
    account: &AccountId,
    own: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<JobClaim>, StoreError> {
    let skip_locked = tx.engine().for_update_skip_locked();
    // At start nothing may be passed over: a row that the database still locks for our dead self is waited for.
    let lock = match own {
        Some(_) => skip_locked.trim_end_matches(" SKIP LOCKED"),
        None => skip_locked,
    };
    let rows = tx
        .rows(
            format!(
                "SELECT job_id, attempt, max_attempts, lease_owner FROM job
                 WHERE account_id = $1 AND state = 'leased' AND (lease_until <= $2 OR lease_owner = $3)
                 ORDER BY job_id{lock}"
            ),
            args![account, now, own],
        )
        .await?;
    let mut lost = Vec::with_capacity(rows.len());
    for row in rows {
        let claim = JobClaim {
            account: account.clone(),
            job_id: row.get("job_id")?,
            attempt: row.get("attempt")?,
            owner: row.get("lease_owner")?,
        };
        let max_attempts: u32 = row.get("max_attempts")?;
        let (state, run_after) = if claim.attempt < max_attempts {
            (JobState::Ready, Some(now))
        } else {
            (JobState::Dead, None)
        };
        let why = format!("worker `{}` was lost during the attempt", claim.owner);
        end(tx, &claim, state, "lost", Some(&why), run_after, now).await?;
        lost.push(claim);
    }
    Ok(lost)
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

/// Jobs, the last changed first; all states when none is given.
///
/// # Errors
/// When the engine refuses.
pub async fn list(
    tx: &mut Tx,
    account: &AccountId,
    state: Option<JobState>,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    tx.rows(
        format!(
            "SELECT {COLUMNS} FROM job WHERE account_id = $1 AND ($2 = '' OR state = $2)
             ORDER BY updated_at DESC, job_id LIMIT $3"
        ),
        args![account, state.map_or("", JobState::as_str), limit],
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
    .await?
    .iter()
    .map(|row| {
        Ok(Attempt {
            attempt: row.get("attempt")?,
            owner: row.get("owner")?,
            outcome: row.get("outcome")?,
            error: row.get("error")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
        })
    })
    .collect()
}

/// Makes a dead job ready again with as many attempts as it had at first; `false` when it is not dead.
///
/// # Errors
/// When the engine refuses, or a live job with the same key exists.
pub async fn retry(
    tx: &mut Tx,
    account: &AccountId,
    job_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE job SET state = 'ready', max_attempts = max_attempts + attempt, run_after = $3, updated_at = $3
             WHERE account_id = $1 AND job_id = $2 AND state = 'dead'",
            args![account, job_id, now],
        )
        .await?;
    if changed == 1 {
        follow_job(tx, account, job_id, OccurrenceState::Due, None, now).await?;
    }
    Ok(changed == 1)
}

/// Takes a job away that no worker holds; `false` when it is leased or already ended.
///
/// # Errors
/// When the engine refuses.
pub async fn drop_job(
    tx: &mut Tx,
    account: &AccountId,
    job_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE job SET state = 'dropped', updated_at = $3
             WHERE account_id = $1 AND job_id = $2 AND state IN ('ready', 'dead')",
            args![account, job_id, now],
        )
        .await?;
    if changed == 1 {
        follow_job(
            tx,
            account,
            job_id,
            OccurrenceState::Skipped,
            Some("dropped by a person"),
            now,
        )
        .await?;
    }
    Ok(changed == 1)
}
