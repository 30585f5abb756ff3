//! What a worker does with jobs: claimed under a lease, fenced by their attempt.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::job::{COLUMNS, Job, JobClaim, job};
use super::occurrence::{OccurrenceState, follow};
use super::slots::SKEW;
use super::state::JobState;
use crate::args;
use crate::ids::AccountId;
use crate::store::lease::lock_of_lost;
use crate::store::{StoreError, Tx};

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
    follow(tx, account, job.occurrence(), OccurrenceState::Running, None, now).await?;
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
    let row = tx
        .row(
            "UPDATE job SET state = $5, run_after = COALESCE($6, run_after), last_error = COALESCE($7, last_error),
                 updated_at = $8, lease_owner = NULL, lease_until = NULL
             WHERE account_id = $1 AND job_id = $2 AND state = 'leased' AND attempt = $3 AND lease_owner = $4
             RETURNING schedule, civil_date",
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
    let Some(row) = row else {
        return Err(StoreError::Affected {
            what: format!("end attempt {} of job {}", claim.attempt, claim.job_id),
            wanted: 1,
            changed: 0,
        });
    };
    tx.execute_exactly(
        1,
        "UPDATE job_attempt SET outcome = $4, error = $5, ended_at = $6
         WHERE account_id = $1 AND job_id = $2 AND attempt = $3 AND ended_at IS NULL",
        args![&claim.account, &claim.job_id, claim.attempt, outcome, error, now],
    )
    .await?;
    let schedule: Option<String> = row.get("schedule")?;
    let date: Option<NaiveDate> = row.get("civil_date")?;
    let occurrence = schedule.as_deref().zip(date);
    follow(tx, &claim.account, occurrence, state.of_occurrence(), error, now).await
}

/// So many workers in a row may die under a job; the next one is not risked. More than a job's own failures: a machine
/// that is switched off a few times says nothing about the job.
pub const MOST_LOST: u32 = 10;

/// Takes back the leases that ran out and, at start, those that `own` still holds from before a crash. Such an attempt
/// is no failure of the job and uses none of its attempts up; it is counted apart, and a job under which
/// [`MOST_LOST`] workers died is dead: one that kills its process must not do so for ever.
///
/// # Errors
/// When the engine refuses.
pub async fn requeue_lost(
    tx: &mut Tx,
    account: &AccountId,
    own: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<JobClaim>, StoreError> {
    // A clock that was set back would leave a dead worker's lease standing until it has caught up again: such leases
    // move back with it. A living worker's next heartbeat says the same.
    tx.execute(
        "UPDATE job SET lease_until = lease_until - updated_at + $2, updated_at = $2
         WHERE account_id = $1 AND state = 'leased' AND updated_at > $3",
        args![account, now, now + SKEW],
    )
    .await?;
    let lock = lock_of_lost(tx, own);
    let rows = tx
        .rows(
            format!(
                "SELECT job_id, attempt, lost, lease_owner FROM job
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
        let times = row.get::<u32>("lost")? + 1;
        let mut why = format!("worker `{}` was lost during the attempt", claim.owner);
        let (state, run_after) = if times < MOST_LOST {
            (JobState::Ready, Some(now))
        } else {
            why.push_str(&format!(
                "; {times} workers died under this job, which may be what kills them"
            ));
            (JobState::Dead, None)
        };
        // The lost attempt is given back to those the job may fail at.
        tx.execute_exactly(
            1,
            "UPDATE job SET lost = lost + 1, max_attempts = max_attempts + 1
             WHERE account_id = $1 AND job_id = $2 AND state = 'leased' AND attempt = $3",
            args![account, &claim.job_id, claim.attempt],
        )
        .await?;
        end(tx, &claim, state, "lost", Some(&why), run_after, now).await?;
        lost.push(claim);
    }
    if !lost.is_empty() {
        tx.wake_workers().await?;
    }
    Ok(lost)
}
