//! History has an end.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::configured::RETENTION;
use crate::clock::Clock;
use crate::config::{Config, RetentionRules};
use crate::ids::AccountId;
use crate::problem::Problem;
use crate::store::archive::{self, Retained, RetentionRun};
use crate::store::run::{self, StepView};
use crate::store::work::{Cleaned, clean};
use crate::store::{Store, StoreError};

/// How long a job that ended well, or was dropped, is shown.
const JOBS_KEPT: Duration = Duration::days(30);
/// How long it is shown which dates ran and which were skipped.
const OCCURRENCES_KEPT: Duration = Duration::days(400);
/// Rows per transaction: other writers wait no longer than that.
const BATCH: u32 = 500;

/// Deletes what is over for long, a batch a transaction.
///
/// # Errors
/// When the store refuses; the batches before stay done.
pub async fn housekeep(store: &Store, clock: &dyn Clock, account: &AccountId) -> Result<Cleaned, StoreError> {
    let now = clock.now();
    let mut all = Cleaned::default();
    loop {
        let mut tx = store.write().await?;
        let cleaned = clean(&mut tx, account, now - JOBS_KEPT, now - OCCURRENCES_KEPT, BATCH).await?;
        tx.commit().await?;
        all = all.plus(cleaned);
        if !cleaned.is_full(BATCH) {
            return Ok(all);
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RetainError {
    #[error("rules of retention are wrong: {}", said(.0))]
    Rules(Vec<Problem>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn said(problems: &[Problem]) -> String {
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    said.join("; ")
}

/// Takes away what the account's rules no longer keep on this date, and records a run of it: deletion, log and record
/// are one transaction. Done again for the same date it finds what came to its end since, mostly nothing.
///
/// # Errors
/// When the rules cannot be read, or the store refuses.
pub async fn retain(
    store: &Store,
    config: &Config,
    date: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Retained, RetainError> {
    let Some(path) = &config.archive.retention else {
        return Ok(Retained::default());
    };
    let rules = RetentionRules::read(&config.path(path)).map_err(RetainError::Rules)?;
    let account = &config.account.id;
    let by_rules = RetentionRun {
        rules: &rules,
        today: date,
        now,
        by: RETENTION,
    };
    let run_id = format!("{RETENTION}-{date}");
    let mut tx = store.write().await?;
    run::start(&mut tx, account, &run_id, RETENTION, date, now).await?;
    let retained = archive::retain(&mut tx, account, by_rules, false).await?;
    let step = StepView {
        step: RETENTION.to_owned(),
        state: "done".to_owned(),
        counts: serde_json::json!({"deleted": retained.deleted.len(), "held": retained.held.len()})
            .to_string(),
        problem: None,
        started_at: now,
        ended_at: Some(now),
    };
    run::record_step(&mut tx, account, &run_id, &step).await?;
    run::finish(&mut tx, account, &run_id, "done", now).await?;
    tx.commit().await?;
    Ok(retained)
}
