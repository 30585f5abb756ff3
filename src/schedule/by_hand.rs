//! A date that a person wants to happen now.

use chrono::NaiveDate;

use super::civil::Schedule;
use super::tick::{BY_HAND, enqueue_date, tick};
use crate::calendar::civil_day;
use crate::clock::Clock;
use crate::ids::AccountId;
use crate::store::work::{self, Occurrence, OccurrenceState};
use crate::store::{Store, StoreError};

/// What became of the wish.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunDate {
    /// Its job waits for the next worker.
    Enqueued { job_id: String },
    /// It has happened, or is about to: every date happens once.
    Already(OccurrenceState),
    /// A date that is not there yet would hide the ones before it.
    Ahead { today: NaiveDate },
}

/// Makes the occurrence of a date happen now, once: a date that was skipped or failed is revived, one that has not come
/// up yet is made. What was missed before it is recorded first, as a tick would.
///
/// # Errors
/// When the store refuses.
pub async fn run_date(
    store: &Store,
    clock: &dyn Clock,
    account: &AccountId,
    schedule: &Schedule,
    date: NaiveDate,
) -> Result<RunDate, StoreError> {
    let now = clock.now();
    let today = civil_day(now, schedule.zone);
    if date > today {
        return Ok(RunDate::Ahead { today });
    }
    tick(store, clock, account, std::slice::from_ref(schedule)).await?;
    let mut tx = store.write().await?;
    let occurrence = Occurrence {
        schedule: schedule.name.clone(),
        civil_date: date,
        state: OccurrenceState::Due,
        due_at: schedule.due_at(date),
        note: None,
    };
    let made = work::insert_occurrence(&mut tx, account, &occurrence, now).await?
        || work::revive_occurrence(&mut tx, account, &schedule.name, date, now).await?;
    let enqueued = match made {
        true => enqueue_date(&mut tx, account, schedule, date, BY_HAND, now).await?,
        false => None,
    };
    let done = match enqueued {
        Some(job_id) => RunDate::Enqueued { job_id },
        None => {
            let there = work::find_occurrence(&mut tx, account, &schedule.name, date).await?;
            RunDate::Already(there.map_or(OccurrenceState::Due, |there| there.state))
        }
    };
    tx.commit().await?;
    Ok(done)
}
