//! One process at a time works on an account's night and reads its answers.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Night;
use crate::store::turn::{self, Held, NIGHT, Turn};
use crate::store::{Store, StoreError};
use crate::telemetry::Stopwatch;

const LEASE: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// What to do while another process has the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Leave it: what is there to do is still there next time.
    No,
    /// Ask again for so long, then fail with [`StoreError::TurnHeld`].
    For(Duration),
}

impl Night<'_> {
    /// Takes back what dead processes of this home held; once in a process's life, before it claims anything.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn take_back(&self) -> Result<(), StoreError> {
        super::presence::take_back_once(self).await
    }

    /// Runs the work in this account's turn; `None` when another process has it and nobody waits. The work gets a
    /// night whose writes fail as soon as the turn is lost.
    ///
    /// # Errors
    /// When the store fails, or the turn cannot be had or kept.
    pub async fn in_turn<T: Send>(
        &self,
        wait: Wait,
        work: impl for<'n> FnOnce(&'n Night<'n>) -> BoxFuture<'n, Result<T, StoreError>> + Send,
    ) -> Result<Option<T>, StoreError> {
        self.take_back().await?;
        let Some(turn) = self.take_turn(wait).await? else {
            return Ok(None);
        };
        let store: Store = self.store.fenced(turn.clone());
        let night = Night {
            store: &store,
            ..*self
        };
        let done = tokio::select! {
            done = work(&night) => done.map(Some),
            lost = self.keep_turn(&turn) => Err(lost),
        };
        let mut tx = self.store.write().await?;
        turn::give_back(&mut tx, &turn, self.now()).await?;
        tx.commit().await?;
        done
    }

    async fn take_turn(&self, wait: Wait) -> Result<Option<Turn>, StoreError> {
        let watch = Stopwatch::start();
        let owner = self.owner();
        let mut told = false;
        loop {
            let mut tx = self.store.write().await?;
            let taken = turn::take(&mut tx, self.account(), NIGHT, &owner, self.now(), lease()).await?;
            let Held { owner: other, until } = match taken {
                Ok(turn) => {
                    tx.commit().await?;
                    return Ok(Some(turn));
                }
                Err(held) => held,
            };
            drop(tx);
            match wait {
                Wait::No => return Ok(None),
                Wait::For(longest) if watch.elapsed() < longest => {
                    if !told {
                        tracing::warn!(owner = other, %until, "another process works on this account: waiting");
                        told = true;
                    }
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                Wait::For(_) => {
                    return Err(StoreError::TurnHeld {
                        account: self.account().to_string(),
                        owner: other,
                        until,
                    });
                }
            }
        }
    }

    /// Returns only when the turn is lost.
    async fn keep_turn(&self, turn: &Turn) -> StoreError {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            match self.renew(turn).await {
                Ok(()) => {}
                Err(lost @ StoreError::TurnLost { .. }) => return lost,
                // Two thirds of the lease are left; and if they pass, the fence keeps us from writing.
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "turn not renewed");
                }
            }
        }
    }

    async fn renew(&self, turn: &Turn) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        turn::keep(&mut tx, turn, self.now(), lease()).await?;
        tx.commit().await
    }
}

fn lease() -> chrono::Duration {
    chrono::Duration::from_std(LEASE).unwrap_or(chrono::Duration::MAX)
}
