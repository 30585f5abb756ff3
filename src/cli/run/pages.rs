//! The pages beside the work, and what a service manager is told.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::accounts::Shop;
use crate::cli::CliError;
use crate::cli::args::Role;
use crate::night::Night;
use crate::night::step::chain;
use crate::telemetry::notify::ServiceManager;
use crate::web::{self, Bound, Seller};

impl Seller for Shop {
    fn night(&self) -> Night<'_> {
        Self::night(self)
    }
}

/// Takes the addresses of the pages. Where all work is done in one process they are served when a configuration asks
/// for them; a process that is only for them refuses to start without.
pub(super) async fn bind(shops: &[Arc<Shop>], role: Role) -> Result<Option<Bound>, CliError> {
    let wanted = match role {
        Role::Web => true,
        Role::All => shops.iter().any(|shop| shop.config.web.is_some()),
        Role::Worker | Role::Scheduler => false,
    };
    if !wanted {
        return Ok(None);
    }
    let sellers: Vec<Arc<dyn Seller>> = shops
        .iter()
        .map(|shop| Arc::clone(shop) as Arc<dyn Seller>)
        .collect();
    match web::bind(&sellers).await {
        Ok(bound) => Ok(Some(bound)),
        Err(error) => Err(CliError::Usage(chain(&error))),
    }
}

/// Serves until told to stop; at once where there is nothing to serve.
pub(super) async fn serve(bound: Option<Bound>, stopping: watch::Receiver<bool>) {
    if let Some(bound) = bound {
        bound.run(stopping).await;
    }
}

/// Ends the task with the process's work.
pub(super) struct Told(Option<JoinHandle<()>>);

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Tells the service manager that everything is open, then that we live, then that we stop.
pub(super) fn tell_manager(mut stopping: watch::Receiver<bool>) -> Told {
    let Some(manager) = ServiceManager::find() else {
        return Told(None);
    };
    manager.say("READY=1");
    Told(Some(tokio::spawn(async move {
        loop {
            let beat = async {
                match manager.beat {
                    Some(beat) => tokio::time::sleep(beat).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = beat => manager.say("WATCHDOG=1"),
                _ = stopping.wait_for(|stop| *stop) => break,
            }
        }
        manager.say("STOPPING=1");
        // The work that is under way may take its time; we still live.
        while let Some(beat) = manager.beat {
            tokio::time::sleep(beat).await;
            manager.say("WATCHDOG=1");
        }
    })))
}
