//! Writes the occurrences that are due, each with its job, in one transaction.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::civil::{Decision, Schedule, due_occurrences};
use crate::calendar::civil_day;
use crate::clock::Clock;
use crate::ids::AccountId;
use crate::store::work::{self, JobClaim, NewJob, Occurrence, OccurrenceState};
use crate::store::{Store, StoreError, Tx};

/// What one tick wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ticked {
    /// Schedule and civil date of the occurrences that became jobs.
    pub started: Vec<(String, NaiveDate)>,
    /// The ones recorded as skipped, with the reason.
    pub skipped: Vec<(String, NaiveDate, String)>,
    /// Jobs taken back from workers whose lease ran out: perhaps no worker is idle to see it.
    pub lost: Vec<JobClaim>,
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
    let mut ticked = Ticked {
        lost: take_back(store, clock, account).await?,
        ..Ticked::default()
    };
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
                    if enqueue_date(&mut tx, account, schedule, one.date, ON_TIME, now)
                        .await?
                        .is_some()
                    {
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

async fn take_back(
    store: &Store,
    clock: &dyn Clock,
    account: &AccountId,
) -> Result<Vec<JobClaim>, StoreError> {
    let mut tx = store.write().await?;
    let lost = work::requeue_lost(&mut tx, account, None, clock.now()).await?;
    tx.commit().await?;
    Ok(lost)
}

/// Priority of what is due by itself, and of what a person wants now.
const ON_TIME: i64 = 0;
pub(super) const BY_HAND: i64 = 10;

/// The job of an occurrence; its payload is `{"schedule": …, "civil_date": …}`.
pub(super) async fn enqueue_date(
    tx: &mut Tx,
    account: &AccountId,
    schedule: &Schedule,
    date: NaiveDate,
    priority: i64,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let key = date.to_string();
    let payload = serde_json::json!({ "schedule": schedule.name, "civil_date": key }).to_string();
    let job = NewJob {
        kind: &schedule.name,
        dedupe_key: &key,
        payload: &payload,
        priority,
        run_after: now,
        max_attempts: MAX_ATTEMPTS,
        occurrence: Some((&schedule.name, date)),
    };
    work::enqueue(tx, account, &job, now).await
}
