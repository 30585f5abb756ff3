//! History has an end: what is over is deleted after its time, a batch at a time.

use chrono::{DateTime, Utc};

use crate::args;
use crate::ids::AccountId;
use crate::store::{StoreError, Tx};

/// What one batch took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleaned {
    pub jobs: u64,
    pub attempts: u64,
    pub occurrences: u64,
}

impl Cleaned {
    /// Whether there may be more.
    #[must_use]
    pub fn is_full(&self, batch: u32) -> bool {
        self.jobs >= u64::from(batch) || self.occurrences >= u64::from(batch)
    }

    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            jobs: self.jobs + more.jobs,
            attempts: self.attempts + more.attempts,
            occurrences: self.occurrences + more.occurrences,
        }
    }
}

/// Deletes at most `batch` done or dropped jobs that ended before `jobs_before`, with their attempts, and at most
/// `batch` settled occurrences whose date was due before `occurrences_before`. Dead jobs stay until a person decides,
/// and the newest occurrence of a schedule stays for ever: it says from where on dates count.
///
/// # Errors
/// When the engine refuses.
pub async fn clean(
    tx: &mut Tx,
    account: &AccountId,
    jobs_before: DateTime<Utc>,
    occurrences_before: DateTime<Utc>,
    batch: u32,
) -> Result<Cleaned, StoreError> {
    let skip_locked = tx.engine().for_update_skip_locked();
    // Several processes may clean at once: each takes rows that no other has.
    let old: Vec<String> = tx
        .rows(
            format!(
                "SELECT job_id FROM job
                 WHERE account_id = $1 AND state IN ('done', 'dropped') AND updated_at < $2
                 ORDER BY updated_at, job_id LIMIT $3{skip_locked}"
            ),
            args![account, jobs_before, batch],
        )
        .await?
        .iter()
        .map(|row| row.get("job_id"))
        .collect::<Result<_, _>>()?;
    let mut cleaned = Cleaned::default();
    if !old.is_empty() {
        let mut arguments = args![account].to_vec();
        let places: Vec<String> = old
            .into_iter()
            .map(|job_id| {
                arguments.push(job_id.into());
                format!("${}", arguments.len())
            })
            .collect();
        let places = places.join(", ");
        cleaned.attempts = tx
            .execute(
                format!("DELETE FROM job_attempt WHERE account_id = $1 AND job_id IN ({places})"),
                &arguments,
            )
            .await?;
        cleaned.jobs = tx
            .execute(
                format!("DELETE FROM job WHERE account_id = $1 AND job_id IN ({places})"),
                &arguments,
            )
            .await?;
    }
    let old = tx
        .rows(
            format!(
                "SELECT o.schedule, o.civil_date FROM occurrence o
                 WHERE o.account_id = $1 AND o.due_at < $2 AND o.state IN ('done', 'failed', 'skipped')
                   AND o.civil_date < (SELECT MAX(n.civil_date) FROM occurrence n
                       WHERE n.account_id = o.account_id AND n.schedule = o.schedule)
                   AND NOT EXISTS (SELECT 1 FROM job j WHERE j.account_id = o.account_id
                       AND j.schedule = o.schedule AND j.civil_date = o.civil_date)
                 ORDER BY o.schedule, o.civil_date LIMIT $3{skip_locked}"
            ),
            args![account, occurrences_before, batch],
        )
        .await?;
    for row in &old {
        let schedule: String = row.get("schedule")?;
        let date: String = row.get("civil_date")?;
        cleaned.occurrences += tx
            .execute(
                "DELETE FROM occurrence WHERE account_id = $1 AND schedule = $2 AND civil_date = $3",
                args![account, schedule, date],
            )
            .await?;
    }
    Ok(cleaned)
}
