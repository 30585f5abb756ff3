//! Work that survives a crash: occurrences of a schedule and the jobs they lead to.

mod job;
mod occurrence;
mod state;

pub use job::{
    Attempt, Job, JobClaim, NewJob, claim, complete, drop_job, enqueue, fail, find, heartbeat, job_attempts,
    list, requeue_lost, retry,
};
pub use occurrence::{Occurrence, OccurrenceState, insert_occurrence, last_occurrence, list_occurrences};
pub use state::JobState;

use super::{Row, StoreError};

fn word<T>(row: &Row, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| StoreError::Corrupt {
        what: column.to_owned(),
        why: format!("`{text}` is not a known word"),
    })
}
