//! Runs of the night and their steps.

use chrono::{DateTime, NaiveDate, Utc};

use super::{StoreError, Tx};
use crate::args;
use crate::ids::AccountId;

/// A run as `status` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunView {
    pub run_id: String,
    pub kind: String,
    pub civil_date: NaiveDate,
    pub state: String,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub steps: Vec<StepView>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepView {
    pub step: String,
    pub state: String,
    /// JSON object of counts.
    pub counts: String,
    pub problem: Option<String>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// Starts a run, or takes up the one of the same id after a crash. Steps already done keep their result.
///
/// # Errors
/// When the engine refuses.
pub async fn start(
    tx: &mut Tx,
    account: &AccountId,
    run_id: &str,
    kind: &str,
    civil_date: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO run (account_id, run_id, kind, civil_date, state, started_at) VALUES ($1, $2, $3, $4, 'running', $5)
         ON CONFLICT (account_id, run_id) DO UPDATE SET state = 'running', ended_at = NULL",
        args![account, run_id, kind, civil_date, now],
    )
    .await?;
    Ok(())
}

/// # Errors
/// When the run does not exist or the engine refuses.
pub async fn finish(
    tx: &mut Tx,
    account: &AccountId,
    run_id: &str,
    state: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE run SET state = $3, ended_at = $4 WHERE account_id = $1 AND run_id = $2",
        args![account, run_id, state, now],
    )
    .await
}

/// Records the state of a step; a later record of the same step replaces it.
///
/// # Errors
/// When the engine refuses.
pub async fn record_step(
    tx: &mut Tx,
    account: &AccountId,
    run_id: &str,
    step: &StepView,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO run_step (account_id, run_id, step, state, counts, problem, started_at, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_id, run_id, step) DO UPDATE SET state = excluded.state, counts = excluded.counts,
             problem = excluded.problem, started_at = excluded.started_at, ended_at = excluded.ended_at",
        args![
            account,
            run_id,
            &step.step,
            &step.state,
            &step.counts,
            step.problem.clone(),
            step.started_at,
            step.ended_at
        ],
    )
    .await?;
    Ok(())
}

/// The newest runs, newest first, with their steps in the order they started.
///
/// # Errors
/// When the engine refuses.
pub async fn latest(tx: &mut Tx, account: &AccountId, limit: u32) -> Result<Vec<RunView>, StoreError> {
    let rows = tx
        .rows(
            "SELECT run_id, kind, civil_date, state, started_at, ended_at FROM run
             WHERE account_id = $1 ORDER BY started_at DESC, run_id DESC LIMIT $2",
            args![account, limit],
        )
        .await?;
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows {
        let run_id: String = row.get("run_id")?;
        runs.push(RunView {
            steps: steps(tx, account, &run_id).await?,
            run_id,
            kind: row.get("kind")?,
            civil_date: row.get("civil_date")?,
            state: row.get("state")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
        });
    }
    Ok(runs)
}

/// How many runs ended in each state.
///
/// # Errors
/// When the engine refuses.
pub async fn count_by_state(tx: &mut Tx, account: &AccountId) -> Result<Vec<(String, i64)>, StoreError> {
    tx.rows(
        "SELECT state, COUNT(*) AS n FROM run WHERE account_id = $1 GROUP BY state ORDER BY state",
        args![account],
    )
    .await?
    .iter()
    .map(|row| Ok((row.get("state")?, row.get("n")?)))
    .collect()
}

/// # Errors
/// When the engine refuses.
pub async fn steps(tx: &mut Tx, account: &AccountId, run_id: &str) -> Result<Vec<StepView>, StoreError> {
    tx.rows(
        "SELECT step, state, counts, problem, started_at, ended_at FROM run_step
         WHERE account_id = $1 AND run_id = $2 ORDER BY started_at, step",
        args![account, run_id],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(StepView {
            step: row.get("step")?,
            state: row.get("state")?,
            counts: row.get("counts")?,
            problem: row.get("problem")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
        })
    })
    .collect()
}
