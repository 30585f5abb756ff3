//! Wakes workers when there is something to do. A wake-up is a courtesy: what counts is the poll, so a lost one costs
//! an idle time and nothing else.
//!
//! Inside a process every commit that enqueued wakes its workers. Between processes PostgreSQL carries a NOTIFY, sent
//! in the transaction that enqueues. A listener whose connection is lost leaves the workers to their poll, and so does a
//! pooler that shares the database's processes by transaction: nobody listens through it.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnection, PgListener, PgPool};
use tokio::sync::{Mutex, watch};

use crate::store::{Store, StoreError, dialect};

/// The one channel. Its name is part of what processes of different versions agree on.
pub(in crate::store) const CHANNEL: &str = "linkstar_jobs";

/// Between two tries of a listener that cannot connect.
const AGAIN: Duration = Duration::from_secs(5);

/// How often a pooler is looked for: one that others keep busy may not show itself at once.
const LOOKS: usize = 3;

/// Who waits for work in this process.
#[derive(Debug, Clone)]
pub struct Wake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    count: watch::Sender<u64>,
    /// One listener a process: the workers take turns to hold it.
    listening: Mutex<()>,
}

impl Default for Wake {
    fn default() -> Self {
        Self(Arc::new(Inner {
            count: watch::Sender::new(0),
            listening: Mutex::new(()),
        }))
    }
}

impl Wake {
    pub(in crate::store) fn ring(&self) {
        self.0.count.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Store {
    /// Changes whenever there may be a job to claim.
    #[must_use]
    pub fn wake_ups(&self) -> watch::Receiver<u64> {
        self.wake.0.count.subscribe()
    }

    /// Carries the wake-ups of other processes into this one, for as long as it is polled. Never ends: without a
    /// PostgreSQL behind the store, or after it was closed, there is just nothing to carry. Only one of several
    /// callers listens; when it stops, the next one does.
    pub async fn carry_wake_ups(&self) {
        let _turn = self.wake.0.listening.lock().await;
        let mut told = false;
        loop {
            match self.listen().await {
                Ok(()) => return std::future::pending().await,
                Err(error) => {
                    // Said once: the poll goes on, and the workers say it themselves when the database is away.
                    if !told {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "no wake-ups from the database; its jobs are polled"
                        );
                    }
                    told = true;
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Ends well when there is nothing to listen to.
    async fn listen(&self) -> Result<(), StoreError> {
        let Some(pool) = self.postgres() else {
            return Ok(());
        };
        match shares_processes(pool).await {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!("a pooler shares the database's processes by transaction; jobs are polled");
                return Ok(());
            }
            Err(sqlx::Error::PoolClosed) => return Ok(()),
            Err(error) => return Err(StoreError::Open(error)),
        }
        let mut listener = match PgListener::connect_with(pool).await {
            Ok(listener) => listener,
            Err(sqlx::Error::PoolClosed) => return Ok(()),
            Err(error) => return Err(StoreError::Open(error)),
        };
        listener.listen(CHANNEL).await.map_err(StoreError::Open)?;
        loop {
            match listener.try_recv().await {
                // `None` is a connection that was lost and is there again: something may have been missed.
                Ok(_) => self.wake.ring(),
                Err(sqlx::Error::PoolClosed) => return Ok(()),
                Err(error) => return Err(StoreError::Open(error)),
            }
        }
    }
}

/// Whether one process of the database serves several connections in turn. A LISTEN would stay with the process and put
/// its notifications among the answers to whoever is served next.
async fn shares_processes(pool: &PgPool) -> Result<bool, sqlx::Error> {
    async fn process(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
        sqlx::query_scalar(dialect::SERVING_PROCESS)
            .fetch_one(connection)
            .await
    }
    let (mut one, mut other) = (pool.acquire().await?, pool.acquire().await?);
    for _ in 0..LOOKS {
        let before = process(&mut one).await?;
        let mut held = other.begin().await?;
        let holds = process(&mut held).await?;
        let after = process(&mut one).await?;
        held.rollback().await?;
        if holds == before || after != before {
            return Ok(true);
        }
    }
    Ok(false)
}
