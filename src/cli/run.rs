//! `linkstar run`: the daemon. The night at its hour; the inbox and the outbox all the time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::args::Cli;
use super::context::Context;
use super::{CliError, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::{JobEnd, JobFailure, JobHandler, WorkerOptions};
use crate::night::{Night, Tools, step::chain};
use crate::schedule::{self, daemon::Daemon};
use crate::store::Store;
use crate::store::work::{Job, JobClaim};
use crate::telemetry::SystemClock;

/// What the daemon's tasks share.
struct Shop {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    config: Config,
    tools: Tools,
    /// The night and the inbox watch take turns: both issue orders from answers.
    turn: tokio::sync::Mutex<()>,
}

impl Shop {
    fn night(&self) -> Night<'_> {
        Night {
            store: &self.store,
            clock: &*self.clock,
            config: &self.config,
            tools: &self.tools,
            dry_run: false,
        }
    }
}

impl JobHandler for Shop {
    fn run<'a>(&'a self, job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move { schedule::handle(&self.night(), &self.turn, job).await })
    }
}

pub async fn run(cli: &Cli) -> Result<Exit, CliError> {
    let Context {
        config, store, tools, ..
    } = Context::open(cli, None).await?;
    let shop = Arc::new(Shop {
        store: Arc::new(store),
        clock: Arc::new(SystemClock),
        config,
        tools,
        turn: tokio::sync::Mutex::new(()),
    });
    let daemon = Daemon {
        store: Arc::clone(&shop.store),
        clock: Arc::clone(&shop.clock),
        account: shop.config.account.id.clone(),
        owner: shop.night().owner(),
        schedules: schedule::configured(&shop.config),
        options: WorkerOptions::default(),
    };
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("stopping: no new work is claimed");
        let _ = stop.send(true);
    });
    tracing::info!(account = %daemon.account, night = %shop.config.night.at, zone = %shop.config.account.zone, "running");
    let handler: Arc<dyn JobHandler> = Arc::clone(&shop) as Arc<dyn JobHandler>;
    let (stopped, ()) = tokio::join!(
        schedule::daemon::run(&daemon, handler, stopping.clone()),
        watch_boxes(&shop, stopping)
    );
    shop.store.close().await;
    match stopped {
        Ok(stopped) if stopped.cancelled => Ok(Exit::Findings),
        Ok(_) => Ok(Exit::Done),
        Err(error) => Err(CliError::Usage(chain(&error))),
    }
}

/// Answers are taken and messages sent between the nights too: a person who answers at ten does not wait for tomorrow.
async fn watch_boxes(shop: &Shop, mut stopping: watch::Receiver<bool>) {
    let pause = Duration::from_secs(shop.config.night.poll_seconds.max(1));
    loop {
        if *stopping.borrow() {
            return;
        }
        {
            let _turn = shop.turn.lock().await;
            let night = shop.night();
            match crate::night::decide::run(&night).await {
                Ok(report) => {
                    for problem in report.problems {
                        tracing::warn!("inbox: {problem}");
                    }
                }
                Err(error) => tracing::error!("inbox: {}", chain(&error)),
            }
            for problem in night.deliver().await.problems {
                tracing::warn!("deliver: {problem}");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            changed = stopping.changed() => if changed.is_err() { return },
        }
    }
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
