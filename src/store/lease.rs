//! What jobs and messages have in common: attempts under a lease.

use chrono::{DateTime, Utc};

use super::{Row, StoreError, Tx};

/// One attempt at a job or a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub attempt: u32,
    pub owner: String,
    /// Of a job `done`, `retry`, `dead` or `lost`, of a message the state it led to; `None` while it runs.
    pub outcome: Option<String>,
    pub error: Option<String>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

pub(super) fn attempts(rows: &[Row]) -> Result<Vec<Attempt>, StoreError> {
    rows.iter()
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

/// The lock under which lost leases are read. At start, for what a life before this one (`own`) still holds, nothing may
/// be passed over: a row that the database still locks for our dead self is waited for.
pub(super) fn lock_of_lost(tx: &Tx, own: Option<&str>) -> &'static str {
    match own {
        Some(_) => tx.engine().for_update(),
        None => tx.engine().for_update_skip_locked(),
    }
}
