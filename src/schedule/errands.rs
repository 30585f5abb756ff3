//! Errands between two nights, again and again: visits to the forwarders' folders, a look at the clocks. One job of a kind
//! at a time, whoever writes it down.

use chrono::{DateTime, Duration, Utc};

use crate::clock::Clock;
use crate::config::Config;
use crate::ids::AccountId;
use crate::store::work::{self, JobFilter, JobState, NewJob};
use crate::store::{Store, StoreError, Tx};

/// Takes what forwarders have left.
pub const RECEIVE: &str = "receive";
/// Looks at the deadlines.
pub const CLOCKS: &str = "clocks";

/// Reminders are hours apart: a quarter of one is soon enough.
const LOOK_MINUTES: i64 = 15;

/// What fails is told of and done again next time; only a store that refuses, or a worker that dies, makes another
/// attempt.
const MAX_ATTEMPTS: u32 = 5;

/// Something that is done again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errand {
    /// Kind of its job.
    pub kind: &'static str,
    /// How long after one was written down the next one is due.
    pub every: Duration,
}

impl Errand {
    /// Whether it goes on while a night hangs.
    #[must_use]
    pub fn watches(self) -> bool {
        self.kind == CLOCKS
    }
}

/// The errands that a configuration leads to: no visits where nobody leaves files or only the night looks, and clocks where
/// somebody can be told.
#[must_use]
pub fn errands(config: &Config) -> Vec<Errand> {
    let minutes = config.inbox.receive_every_minutes;
    let anybody = config.forwarders.iter().any(|forwarder| {
        forwarder.folder.is_some() || forwarder.sftp.as_ref().is_some_and(|sftp| sftp.in_dir.is_some())
    });
    let visits = (minutes > 0 && anybody).then(|| Errand {
        kind: RECEIVE,
        every: Duration::minutes(i64::from(minutes)),
    });
    let clocks = config.mail.is_some().then_some(Errand {
        kind: CLOCKS,
        every: Duration::minutes(LOOK_MINUTES),
    });
    visits.into_iter().chain(clocks).collect()
}

/// Writes the next one down when it is due. As long as one waits or runs there is no other, and afterwards the time
/// counts from when the last one was written down: several processes that tick make no more of them than one.
///
/// # Errors
/// When the store refuses; the next tick does it again.
pub async fn enqueue_errand(
    store: &Store,
    clock: &dyn Clock,
    account: &AccountId,
    errand: Errand,
) -> Result<bool, StoreError> {
    let now = clock.now();
    let mut tx = store.read().await?;
    if !is_due(&mut tx, account, errand, now).await? {
        return Ok(false);
    }
    drop(tx);
    let mut tx = store.write().await?;
    // Another process may have been quicker.
    if !is_due(&mut tx, account, errand, now).await? {
        return Ok(false);
    }
    let job = NewJob {
        kind: errand.kind,
        // All of an account in one job.
        dedupe_key: errand.kind,
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
    errand: Errand,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let filter = JobFilter {
        kind: Some(errand.kind),
        ..JobFilter::default()
    };
    let last = work::list(tx, account, &filter, 1).await?.into_iter().next();
    // One from a time to come is of a clock that was set back.
    Ok(last.is_none_or(|last| {
        let live = matches!(last.state, JobState::Ready | JobState::Leased);
        !live && (now - last.created_at >= errand.every || last.created_at > now)
    }))
}
