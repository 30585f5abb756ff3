//! Inbox and outbox between the nights: a person who answers at ten does not wait for tomorrow.

use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::accounts::Shop;
use crate::night::{Wait, decide, inbox, step::chain};

/// Looks again and again until told to stop.
pub(super) async fn watch(shop: &Shop, looks: &Semaphore, mut stopping: watch::Receiver<bool>) {
    let pause = Duration::from_secs(shop.config.night.poll_seconds.max(1));
    while !*stopping.borrow() {
        // Only closed when the process ends.
        let Ok(permit) = looks.acquire().await else { return };
        look(shop).await;
        drop(permit);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            changed = stopping.changed() => if changed.is_err() { return },
        }
    }
}

async fn look(shop: &Shop) {
    let night = shop.night();
    let account = shop.account();
    // While a night runs here or elsewhere, answers wait for its end; messages do not.
    if inbox::is_waiting(&night)
        && let Ok(_busy) = shop.busy.try_lock()
    {
        let decided = night
            .in_turn(Wait::No, |night| {
                Box::pin(async move { Ok(decide::run(night).await) })
            })
            .await;
        match decided {
            Ok(Some(Ok(report))) => {
                for problem in report.problems {
                    tracing::warn!(%account, "inbox: {problem}");
                }
            }
            Ok(Some(Err(error))) => tracing::error!(%account, "inbox: {}", chain(&error)),
            Ok(None) => {}
            Err(error) => tracing::error!(%account, "inbox: {}", chain(&error)),
        }
    }
    for problem in night.deliver().await.problems {
        tracing::warn!(%account, "deliver: {problem}");
    }
}
