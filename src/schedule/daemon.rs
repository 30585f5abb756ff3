//! The daemon: a tick every few seconds, and a worker beside it.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio_cron_scheduler::{Job as CronJob, JobScheduler, JobSchedulerError};

use super::civil::{Schedule, ScheduleError};
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
    pub options: WorkerOptions,
    pub part: Part,
    /// Jobs that run side by side in this process, whatever account they are of.
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
    let recovered = recover(
        &daemon.store,
        daemon.clock.as_ref(),
        &daemon.account,
        &daemon.owner,
    )
    .await?;
    if !recovered.jobs.is_empty() || !recovered.messages.is_empty() {
        tracing::warn!(
            jobs = recovered.jobs.len(),
            messages = recovered.messages.len(),
            "taken up again after a crash"
        );
    }
    let mut worker = Worker::new(
        Arc::clone(&daemon.store),
        Arc::clone(&daemon.clock),
        daemon.account.clone(),
        daemon.owner.clone(),
        daemon.options,
    );
    if let Some(gate) = &daemon.gate {
        worker = worker.gate(Arc::clone(gate));
    }
    for schedule in &daemon.schedules {
        worker = worker.handle(schedule.name.clone(), Arc::clone(&handler));
    }
    if daemon.part == Part::Works {
        return Ok(worker.run(shutdown).await?);
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
    let ((), stopped) = tokio::join!(tick_until(daemon, receive, shutdown.clone()), async {
        match daemon.part {
            Part::Ticks => Ok(Stopped::default()),
            Part::Works | Part::Both => worker.run(shutdown).await,
        }
    });
    scheduler.shutdown().await?;
    Ok(stopped?)
}

async fn tick_until(daemon: &Daemon, mut ticks: mpsc::Receiver<()>, mut shutdown: watch::Receiver<bool>) {
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
            }
            // A database that is away for a moment must not end the daemon: the next tick tries again.
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "tick failed"),
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
