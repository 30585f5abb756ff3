//! Writes the occurrences that are due, each with its job, in one transaction.

use chrono::{Duration, NaiveDate};

use super::civil::{Decision, Schedule, due_occurrences};
use crate::calendar::civil_day;
use crate::clock::Clock;
use crate::ids::AccountId;
use crate::store::work::{self, NewJob, Occurrence, OccurrenceState};
use crate::store::{Store, StoreError};

/// What one tick wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ticked {
    /// Schedule and civil date of the occurrences that became jobs.
    pub started: Vec<(String, NaiveDate)>,
    /// The ones recorded as skipped, with the reason.
    pub skipped: Vec<(String, NaiveDate, String)>,
}

/// A run that does not end well is tried this often before a person must look.
const MAX_ATTEMPTS: u32 = 5;

/// Inserts what is due. Several processes may tick at once: the row of an occurrence can only be inserted once, and
/// who inserts it enqueues its job.
///
/// # Errors
/// When the store refuses; then nothing of that schedule was written, and the next tick does it again.
pub async fn tick(
    store: &Store,
    clock: &dyn Clock,
    account: &AccountId,
    schedules: &[Schedule],
) -> Result<Ticked, StoreError> {
    let mut ticked = Ticked::default();
    for schedule in schedules {
        let now = clock.now();
        // One day of margin: the zone's today may be ahead of the date the instant falls on.
        let until = civil_day(now, schedule.zone) + Duration::days(1);
        let last = {
            let mut tx = store.read().await?;
            work::last_occurrence(&mut tx, account, &schedule.name, until).await?
        };
        let planned = due_occurrences(schedule, last, now);
        if planned.is_empty() {
            continue;
        }
        let mut tx = store.write().await?;
        let mut here = Ticked::default();
        for one in planned {
            let (state, note) = match one.decision {
                Decision::Run => (OccurrenceState::Due, None),
                Decision::Skip(why) => (OccurrenceState::Skipped, Some(why)),
            };
            let occurrence = Occurrence {
                schedule: schedule.name.clone(),
                civil_date: one.date,
                state,
                due_at: one.due_at,
                note: note.clone(),
            };
            if !work::insert_occurrence(&mut tx, account, &occurrence, now).await? {
                continue;
            }
            match note {
                Some(why) => here.skipped.push((schedule.name.clone(), one.date, why)),
                None => {
                    let date = one.date.to_string();
                    let payload =
                        serde_json::json!({ "schedule": schedule.name, "civil_date": date }).to_string();
                    let job = NewJob {
                        kind: &schedule.name,
                        dedupe_key: &date,
                        payload: &payload,
                        priority: 0,
                        run_after: now,
                        max_attempts: MAX_ATTEMPTS,
                        occurrence: Some((&schedule.name, one.date)),
                    };
                    if work::enqueue(&mut tx, account, &job, now).await?.is_some() {
                        here.started.push((schedule.name.clone(), one.date));
                    }
                }
            }
        }
        tx.commit().await?;
        ticked.started.append(&mut here.started);
        ticked.skipped.append(&mut here.skipped);
    }
    Ok(ticked)
}
