//! The daemon: a tick every few seconds, and a worker beside it.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio_cron_scheduler::{Job as CronJob, JobScheduler, JobSchedulerError};

use super::civil::{Schedule, ScheduleError};
use super::errands::{Errand, enqueue_errand};
use super::housekeep::housekeep;
use super::tick::tick;
use crate::clock::Clock;
use crate::ids::AccountId;
use crate::jobs::{JobHandler, Stopped, Worker, WorkerOptions, recover};
use crate::store::{Store, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("schedule cannot run")]
    Schedule(#[from] ScheduleError),
    #[error("cannot start the tick")]
    Tick(#[from] JobSchedulerError),
    #[error("store failed")]
    Store(#[from] StoreError),
}

/// What the daemon works with.
pub struct Daemon {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    pub account: AccountId,
    /// The same after a restart, and different from every other living process.
    pub owner: String,
    pub schedules: Vec<Schedule>,
    /// What is done again and again between the dates.
    pub errands: Vec<Errand>,
    pub options: WorkerOptions,
    pub part: Part,
    /// Jobs that run side by side in this process, whatever account they are of. What watches does not stand in line.
    pub gate: Option<Arc<Semaphore>>,
}

/// What a daemon does; several processes may share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Writes down what is due.
    Ticks,
    /// Does it.
    Works,
    Both,
}

/// Seconds, minutes, hours, day, month, weekday, in UTC. The tick decides nothing: what is due follows from civil
/// times and from the rows that are there.
const EVERY_TWO_SECONDS: &str = "*/2 * * * * *";

/// Runs until `shutdown` turns true, then stops ticking and claiming and waits for the running job. `handler` gets
/// the job of each occurrence; its payload is `{"schedule": …, "civil_date": …}`.
///
/// # Errors
/// When a schedule can never run, the tick cannot start, or the store refuses the worker.
pub async fn run(
    daemon: &Daemon,
    handler: Arc<dyn JobHandler>,
    shutdown: watch::Receiver<bool>,
) -> Result<Stopped, DaemonError> {
    for schedule in &daemon.schedules {
        schedule.check()?;
    }
    let works = async {
        if daemon.part == Part::Ticks {
            return Ok(Stopped::default());
        }
        let worker = daemon.worker(false, &handler).await?;
        let watcher = daemon.worker(true, &handler).await?;
        let (stopped, watched) = tokio::join!(worker.run(shutdown.clone()), watcher.run(shutdown.clone()));
        let (stopped, watched) = (stopped?, watched?);
        Ok::<Stopped, StoreError>(Stopped {
            done: stopped.done + watched.done,
            failed: stopped.failed + watched.failed,
            cancelled: stopped.cancelled || watched.cancelled,
        })
    };
    if daemon.part == Part::Works {
        return Ok(works.await?);
    }

    // One place in the channel: ticks that come while one is being worked on are one.
    let (send, receive) = mpsc::channel::<()>(1);
    let mut scheduler = JobScheduler::new().await?;
    scheduler
        .add(CronJob::new_async(EVERY_TWO_SECONDS, move |_, _| {
            let send = send.clone();
            Box::pin(async move {
                let _ = send.try_send(());
            })
        })?)
        .await?;
    scheduler.start().await?;
    let ((), stopped) = tokio::join!(tick_until(daemon, receive, shutdown.clone()), works);
    scheduler.shutdown().await?;
    Ok(stopped?)
}

/// The name under which a process holds the jobs that watch.
#[must_use]
pub fn watcher(owner: &str) -> String {
    format!("{owner}/watch")
}

impl Daemon {
    /// The worker of the schedules of one kind, after it has taken up again what its last life left.
    async fn worker(&self, watch: bool, handler: &Arc<dyn JobHandler>) -> Result<Worker, StoreError> {
        let owner = if watch {
            watcher(&self.owner)
        } else {
            self.owner.clone()
        };
        let recovered = recover(&self.store, self.clock.as_ref(), &self.account, &owner).await?;
        if !recovered.jobs.is_empty() || !recovered.messages.is_empty() {
            tracing::warn!(
                owner,
                jobs = recovered.jobs.len(),
                messages = recovered.messages.len(),
                "taken up again after a crash"
            );
        }
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let mut worker = Worker::new(store, clock, self.account.clone(), owner, self.options);
        for schedule in self.schedules.iter().filter(|schedule| schedule.watch == watch) {
            worker = worker.handle(schedule.name.clone(), Arc::clone(handler));
        }
        for errand in self.errands.iter().filter(|errand| errand.watches() == watch) {
            worker = worker.handle(errand.kind, Arc::clone(handler));
        }
        if let (false, Some(gate)) = (watch, &self.gate) {
            worker = worker.gate(Arc::clone(gate));
        }
        Ok(worker)
    }
}

/// Between two cleanings.
const CLEAN_EVERY: chrono::Duration = chrono::Duration::hours(1);

async fn tick_until(daemon: &Daemon, mut ticks: mpsc::Receiver<()>, mut shutdown: watch::Receiver<bool>) {
    let mut cleaned_at = None;
    loop {
        let ticked = tick(
            &daemon.store,
            daemon.clock.as_ref(),
            &daemon.account,
            &daemon.schedules,
        )
        .await;
        match ticked {
            Ok(ticked) => {
                for (schedule, date) in ticked.started {
                    tracing::info!(schedule, %date, "due");
                }
                for (schedule, date, why) in ticked.skipped {
                    tracing::warn!(schedule, %date, why, "skipped");
                }
                for claim in ticked.lost {
                    tracing::warn!(
                        job = claim.job_id,
                        owner = claim.owner,
                        "taken back from a worker that is gone"
                    );
                }
            }
            // A database that is away for a moment must not end the daemon: the next tick tries again.
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "tick failed"),
        }
        for errand in &daemon.errands {
            let written =
                enqueue_errand(&daemon.store, daemon.clock.as_ref(), &daemon.account, *errand).await;
            if let Err(error) = written {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, errand = errand.kind, "errand not written down");
            }
        }
        let now = daemon.clock.now();
        if cleaned_at.is_none_or(|at| now < at || now - at >= CLEAN_EVERY) {
            match housekeep(&daemon.store, daemon.clock.as_ref(), &daemon.account).await {
                Ok(cleaned) => tracing::debug!(?cleaned, "cleaned"),
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "cleaning failed"),
            }
            cleaned_at = Some(now);
        }
        tokio::select! {
            tick = ticks.recv() => {
                if tick.is_none() {
                    return;
                }
            }
            _ = shutdown.wait_for(|stop| *stop) => return,
        }
    }
}
