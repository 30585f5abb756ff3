//! Work that survives a crash: occurrences of a schedule, the jobs they lead to, and the pace that all processes share.

mod claim;
mod cleanup;
pub mod credential;
mod job;
mod occurrence;
mod person;
pub mod quota;
pub mod slots;
mod state;
mod wake;

pub use claim::{MOST_LOST, claim, complete, fail, heartbeat, requeue_lost};
pub use cleanup::{Cleaned, clean};
pub use job::{Job, JobClaim, NewJob, enqueue};
pub use occurrence::{
    Occurrence, OccurrenceState, find_occurrence, insert_occurrence, last_occurrence, list_occurrences,
    revive_occurrence,
};
pub use person::{
    JobChange, JobFilter, count_jobs, drop_job, find, find_by_prefix, job_attempts, list, retry,
};
pub use state::JobState;
pub(super) use wake::Wake;

use super::{Row, StoreError};

fn word<T>(row: &Row, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| StoreError::Corrupt {
        what: column.to_owned(),
        why: format!("`{text}` is not a known word"),
    })
}
