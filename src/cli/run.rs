//! `linkstar run`: the daemon. The night of every account at its hour; inboxes and outboxes all the time.
//!
//! Any number of processes may run beside each other on one PostgreSQL, each serving every account: what is due is a
//! row, who does it is a claim. Nothing else is shared.

mod accounts;
mod boxes;
mod pages;

use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};
use tokio::sync::{Semaphore, watch};

use self::accounts::Shop;
use super::args::{Cli, Role, RunArgs};
use super::{CliError, Exit};
use crate::jobs::{JobEnd, JobFailure, JobHandler, Stopped, WorkerOptions};
use crate::night::step::chain;
use crate::schedule;
use crate::schedule::daemon::{Daemon, Part};
use crate::store::work::{Job, JobClaim};

/// Accounts whose boxes are looked at side by side in one process.
const BOXES_AT_ONCE: usize = 8;

impl JobHandler for Shop {
    fn run<'a>(&'a self, job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move { schedule::handle(&self.night(), &self.busy, job).await })
    }
}

pub async fn run(cli: &Cli, args: &RunArgs) -> Result<Exit, CliError> {
    let (stop, stopping) = watch::channel(false);
    let stop = Arc::new(stop);
    let asked = Arc::clone(&stop);
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("stopping: no new work is claimed");
        asked.send_replace(true);
    });
    // After the signals are listened to: opening may wait for a database.
    let shops = accounts::open(cli, args.at.at).await?;
    // Before any work is claimed: an address that is taken ends the process at once.
    let pages = pages::bind(&shops, args.role).await?;
    let _told = pages::tell_manager(stopping.clone());
    for shop in &shops {
        shop.night().take_back().await?;
    }
    // First come, first served: an account with many jobs stands in line again after each of them.
    let nights = Arc::new(Semaphore::new(usize::from(args.nights.max(1))));
    let looks = Semaphore::new(BOXES_AT_ONCE);
    let works: &[Arc<Shop>] = if args.role == Role::Web { &[] } else { &shops };
    let served = works.iter().map(|shop| {
        let (nights, stop, looks) = (Arc::clone(&nights), Arc::clone(&stop), &looks);
        let stopping = stopping.clone();
        async move {
            let boxes = async {
                if args.role != Role::Scheduler {
                    boxes::watch(shop, looks, stopping.clone()).await;
                }
            };
            let (done, ()) = tokio::join!(daemon(shop, args.role, nights, stopping.clone(), &stop), boxes);
            done
        }
    });
    let served = join_all(served);
    let (done, ()): (Vec<Result<Stopped, CliError>>, ()) =
        tokio::join!(served, pages::serve(pages, stopping.clone()));
    for store in accounts::stores(&shops) {
        store.close().await;
    }
    let mut cut_off = false;
    for stopped in done {
        cut_off |= stopped?.cancelled;
    }
    Ok(if cut_off { Exit::Findings } else { Exit::Done })
}

/// The ticks and the nights of one account. A fault that cannot be waited out ends the whole process, so that whoever
/// started it sees it.
async fn daemon(
    shop: &Arc<Shop>,
    role: Role,
    nights: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
    stop: &watch::Sender<bool>,
) -> Result<Stopped, CliError> {
    let daemon = Daemon {
        store: Arc::clone(&shop.store),
        clock: Arc::clone(&shop.clock),
        account: shop.config.account.id.clone(),
        owner: shop.night().owner(),
        schedules: schedule::configured(&shop.config),
        errands: schedule::errands(&shop.config),
        options: WorkerOptions::default(),
        part: match role {
            Role::All => Part::Both,
            Role::Worker => Part::Works,
            Role::Scheduler => Part::Ticks,
            // Does neither; `run` starts no daemon for it.
            Role::Web => return Ok(Stopped::default()),
        },
        gate: Some(nights),
    };
    tracing::info!(account = %daemon.account, owner = daemon.owner, role = role.word(), night = %shop.config.night.at, zone = %shop.config.account.zone, "running");
    let handler: Arc<dyn JobHandler> = Arc::clone(shop) as Arc<dyn JobHandler>;
    schedule::daemon::run(&daemon, handler, stopping)
        .await
        .map_err(|error| {
            stop.send_replace(true);
            CliError::Usage(format!("account `{}`: {}", daemon.account, chain(&error)))
        })
}

/// SIGTERM or Ctrl-C.
async fn stop_signal() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::error!("cannot listen for SIGTERM: {error}");
            let _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
