//! A worker: claims jobs of the kinds it knows, one at a time. It is woken when one is enqueued, and looks anyway after
//! an idle time.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::delivery::Backoff;
use crate::ids::AccountId;
use crate::store::work::{self, Job, JobClaim};
use crate::store::{Store, StoreError};

/// How a handler ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// The worker records success.
    Done,
    /// The handler recorded it itself, in the transaction of its result.
    Committed,
}

/// Why a job failed, and whether another attempt can help: decided where it is understood.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct JobFailure {
    pub why: String,
    pub retry: bool,
}

impl JobFailure {
    pub fn retry(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            retry: true,
        }
    }

    pub fn fail(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            retry: false,
        }
    }
}

/// Does the jobs of one kind. A job may run again after a crash: it must be repeatable without a second effect.
pub trait JobHandler: Send + Sync {
    fn run<'a>(&'a self, job: &'a Job, claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerOptions {
    pub lease: Duration,
    pub backoff: Backoff,
    /// Pause after finding nothing to do.
    pub idle: Duration,
    /// How long a stop waits for the running job.
    pub patience: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(120),
            backoff: Backoff::default(),
            idle: Duration::from_secs(2),
            patience: Duration::from_secs(30),
        }
    }
}

/// What became of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    Done {
        job_id: String,
    },
    Retry {
        job_id: String,
        why: String,
    },
    Dead {
        job_id: String,
        why: String,
    },
    LeaseLost {
        job_id: String,
    },
    /// Cut off by a stop; ready again at once.
    Cancelled {
        job_id: String,
    },
}

/// How the worker stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stopped {
    pub done: u64,
    pub failed: u64,
    /// Whether a job was cut off.
    pub cancelled: bool,
}

/// Claims and runs jobs until told to stop.
pub struct Worker {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    account: AccountId,
    owner: String,
    options: WorkerOptions,
    handlers: BTreeMap<String, Arc<dyn JobHandler>>,
    /// When leases that ran out were last looked for.
    looked: Mutex<Option<DateTime<Utc>>>,
}

/// So many refusals of the store in a row, an idle time apart, end the worker.
const MAX_REFUSALS: u32 = 30;

enum Ended {
    Finished(Result<JobEnd, JobFailure>),
    LeaseLost,
    Cancelled,
}

impl Worker {
    pub fn new(
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        account: AccountId,
        owner: impl Into<String>,
        options: WorkerOptions,
    ) -> Self {
        Self {
            store,
            clock,
            account,
            owner: owner.into(),
            options,
            handlers: BTreeMap::new(),
            looked: Mutex::new(None),
        }
    }

    #[must_use]
    pub fn handle(mut self, kind: impl Into<String>, handler: Arc<dyn JobHandler>) -> Self {
        self.handlers.insert(kind.into(), handler);
        self
    }

    /// Runs until `shutdown` turns true: stops claiming, waits for the running job, then cuts it off.
    ///
    /// # Errors
    /// When the store refuses many times in a row; a database that is away for a moment is waited for.
    pub async fn run(&self, shutdown: watch::Receiver<bool>) -> Result<Stopped, StoreError> {
        tokio::select! {
            stopped = self.work(shutdown) => stopped,
            () = self.store.carry_wake_ups() => Ok(Stopped::default()),
        }
    }

    async fn work(&self, mut shutdown: watch::Receiver<bool>) -> Result<Stopped, StoreError> {
        let mut stopped = Stopped::default();
        let mut refusals = 0_u32;
        let mut wake_ups = self.store.wake_ups();
        // Without a sender nobody could ever stop it.
        while !*shutdown.borrow() && shutdown.has_changed().is_ok() {
            // Seen before the claim: what is enqueued from here on ends the rest at once.
            wake_ups.borrow_and_update();
            let ran = self.run_one(&mut shutdown).await;
            match &ran {
                Ok(Some(Ran::Done { .. })) => stopped.done += 1,
                Ok(Some(Ran::Retry { .. } | Ran::Dead { .. } | Ran::LeaseLost { .. })) => stopped.failed += 1,
                Ok(Some(Ran::Cancelled { .. })) => stopped.cancelled = true,
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(
                        error = error as &dyn std::error::Error,
                        "worker cannot use the store"
                    );
                }
            }
            match ran {
                Ok(Some(_)) => refusals = 0,
                Ok(None) => {
                    refusals = 0;
                    self.rest(&mut shutdown, &mut wake_ups).await;
                }
                Err(error) => {
                    refusals += 1;
                    if refusals >= MAX_REFUSALS {
                        return Err(error);
                    }
                    self.rest(&mut shutdown, &mut wake_ups).await;
                }
            }
        }
        Ok(stopped)
    }

    async fn rest(&self, shutdown: &mut watch::Receiver<bool>, wake_ups: &mut watch::Receiver<u64>) {
        tokio::select! {
            () = tokio::time::sleep(self.options.idle) => {}
            Ok(()) = wake_ups.changed() => {}
            () = asked_to_stop(shutdown) => {}
        }
    }

    /// Claims and runs one job; `None` when there is none.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn run_one(&self, shutdown: &mut watch::Receiver<bool>) -> Result<Option<Ran>, StoreError> {
        let kinds: Vec<&str> = self.handlers.keys().map(String::as_str).collect();
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let looked = self.look_is_due(now);
        if looked {
            work::requeue_lost(&mut tx, &self.account, None, now).await?;
        }
        let claimed = work::claim(&mut tx, &self.account, &kinds, &self.owner, now, self.lease()).await?;
        tx.commit().await?;
        if looked {
            self.looked(now);
        }
        let Some((claim, job)) = claimed else {
            return Ok(None);
        };
        let Some(handler) = self.handlers.get(&job.kind) else {
            return Err(StoreError::Corrupt {
                what: format!("job {}", job.job_id),
                why: format!("kind `{}` was not asked for", job.kind),
            });
        };
        let ended = self.guarded(handler.as_ref(), &job, &claim, shutdown).await;
        self.record(&job, &claim, ended).await.map(Some)
    }

    /// Leases that ran out are looked for once in an idle time, not with every claim. A clock that was set back looks
    /// at once.
    fn look_is_due(&self, now: DateTime<Utc>) -> bool {
        let idle = chrono::Duration::from_std(self.options.idle).unwrap_or(chrono::Duration::MAX);
        let looked = *self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.is_none_or(|looked| now < looked || now - looked >= idle)
    }

    fn looked(&self, now: DateTime<Utc>) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    async fn guarded(
        &self,
        handler: &dyn JobHandler,
        job: &Job,
        claim: &JobClaim,
        shutdown: &mut watch::Receiver<bool>,
    ) -> Ended {
        // A handler may panic before it returns its future, too.
        let work = AssertUnwindSafe(async { handler.run(job, claim).await }).catch_unwind();
        let mut work = std::pin::pin!(work);
        let mut deadline = std::pin::pin!(async {
            asked_to_stop(shutdown).await;
            tokio::time::sleep(self.options.patience).await;
        });
        loop {
            tokio::select! {
                done = &mut work => {
                    return Ended::Finished(done.unwrap_or_else(|panic| {
                        Err(JobFailure::retry(format!("the job panicked: {}", panic_text(&*panic))))
                    }));
                }
                () = &mut deadline => return Ended::Cancelled,
                () = tokio::time::sleep(self.options.lease / 3) => match self.heartbeat(claim).await {
                    Ok(()) => {}
                    Err(StoreError::Affected { .. }) => return Ended::LeaseLost,
                    // Two thirds of the lease are left: the next beat may get through.
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "lease not renewed");
                    }
                },
            }
        }
    }

    async fn heartbeat(&self, claim: &JobClaim) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        work::heartbeat(&mut tx, claim, now, self.lease()).await?;
        // Busy workers look after the dead ones too: perhaps nobody is idle.
        work::requeue_lost(&mut tx, &self.account, None, now).await?;
        tx.commit().await
    }

    /// Writes down how the job ended. A database that is away for a moment is asked again for as long as the lease
    /// may still be ours: the work is done, and doing it again is the worse way.
    async fn record(&self, job: &Job, claim: &JobClaim, ended: Ended) -> Result<Ran, StoreError> {
        let mut waited = Duration::ZERO;
        loop {
            match self.try_record(job, claim, &ended).await {
                Err(error) if waited < self.options.lease / 2 => {
                    tracing::warn!(
                        job = job.job_id,
                        error = &error as &dyn std::error::Error,
                        "end of the job not recorded"
                    );
                    let pause = self.options.idle.min(self.options.lease / 8);
                    tokio::time::sleep(pause).await;
                    waited += pause.max(Duration::from_millis(1));
                }
                recorded => return recorded,
            }
        }
    }

    async fn try_record(&self, job: &Job, claim: &JobClaim, ended: &Ended) -> Result<Ran, StoreError> {
        let job_id = job.job_id.clone();
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let (written, ran) = match ended {
            Ended::LeaseLost => return Ok(Ran::LeaseLost { job_id }),
            Ended::Finished(Ok(JobEnd::Committed)) => return Ok(Ran::Done { job_id }),
            Ended::Finished(Ok(JobEnd::Done)) => {
                (work::complete(&mut tx, claim, now).await, Ran::Done { job_id })
            }
            Ended::Cancelled => (
                work::fail(&mut tx, claim, "cut off by a stop", Some(now), now).await,
                Ran::Cancelled { job_id },
            ),
            Ended::Finished(Err(failure)) => {
                let again = failure.retry && job.attempt < job.max_attempts;
                let retry_at = again.then(|| now + self.options.backoff.delay(&job.job_id, job.attempt));
                let why = failure.why.clone();
                let written = work::fail(&mut tx, claim, &why, retry_at, now).await;
                let ran = if again {
                    Ran::Retry { job_id, why }
                } else {
                    tracing::error!(job = job.job_id, kind = job.kind, why, "job is dead");
                    Ran::Dead { job_id, why }
                };
                (written, ran)
            }
        };
        match written {
            Ok(()) => tx.commit().await.map(|()| ran),
            Err(StoreError::Affected { .. }) => Ok(Ran::LeaseLost {
                job_id: job.job_id.clone(),
            }),
            Err(error) => Err(error),
        }
    }

    fn lease(&self) -> chrono::Duration {
        chrono::Duration::from_std(self.options.lease).unwrap_or(chrono::Duration::MAX)
    }
}

/// Returns when the flag turns true, or when nobody is left who could turn it.
async fn asked_to_stop(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        tracing::warn!("the shutdown channel is gone: stopping");
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
