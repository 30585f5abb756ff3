//! Visits to the forwarders' folders between two nights: one job at a time, whoever writes it down.

use chrono::{DateTime, Duration, Utc};

use crate::clock::Clock;
use crate::config::Config;
use crate::ids::AccountId;
use crate::store::work::{self, JobFilter, JobState, NewJob};
use crate::store::{Store, StoreError, Tx};

/// Kind of the job.
pub const RECEIVE: &str = "receive";
/// All forwarders of an account are visited by one job.
const KEY: &str = "forwarders";

/// A forwarder that cannot be reached is told of and visited next time; only a store that refuses, or a worker that
/// dies, makes another attempt.
const MAX_ATTEMPTS: u32 = 5;

/// How long after a visit the next one is due; `None` where nobody leaves files for us, or only the night looks.
#[must_use]
pub fn visits_every(config: &Config) -> Option<Duration> {
    let minutes = config.inbox.receive_every_minutes;
    let anybody = config.forwarders.iter().any(|forwarder| {
        forwarder.folder.is_some() || forwarder.sftp.as_ref().is_some_and(|sftp| sftp.in_dir.is_some())
    });
    (minutes > 0 && anybody).then(|| Duration::minutes(i64::from(minutes)))
}

/// Writes the next visit down when it is due. As long as one waits or runs there is no other, and afterwards the time
/// counts from when the last one was written down: several processes that tick make no more visits than one.
///
/// # Errors
/// When the store refuses; the next tick does it again.
pub async fn enqueue_visit(
    store: &Store,
    clock: &dyn Clock,
    account: &AccountId,
    every: Duration,
) -> Result<bool, StoreError> {
    let now = clock.now();
    let mut tx = store.read().await?;
    if !is_due(&mut tx, account, every, now).await? {
        return Ok(false);
    }
    drop(tx);
    let mut tx = store.write().await?;
    // Another process may have been quicker.
    if !is_due(&mut tx, account, every, now).await? {
        return Ok(false);
    }
    let job = NewJob {
        kind: RECEIVE,
        dedupe_key: KEY,
        payload: "{}",
        priority: -1,
        run_after: now,
        max_attempts: MAX_ATTEMPTS,
        occurrence: None,
    };
    let new = work::enqueue(&mut tx, account, &job, now).await?.is_some();
    tx.commit().await?;
    Ok(new)
}

async fn is_due(
    tx: &mut Tx,
    account: &AccountId,
    every: Duration,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let filter = JobFilter {
        kind: Some(RECEIVE),
        ..JobFilter::default()
    };
    let last = work::list(tx, account, &filter, 1).await?.into_iter().next();
    // One from a time to come is of a clock that was set back.
    Ok(last.is_none_or(|last| {
        let live = matches!(last.state, JobState::Ready | JobState::Leased);
        !live && (now - last.created_at >= every || last.created_at > now)
    }))
}
