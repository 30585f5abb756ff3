//! The simulated world: marketplace, warehouse, forwarder and mail played by servers on loopback.
//!
//! [`truth`] is what really happens, pure and seeded; everything else shows parts of it through the interfaces the
//! real parties have. Nothing moves unless [`RunningWorld::advance_to`] is called. See docs/world.md.

mod amazon;
mod control;
pub mod faults;
mod forwarder;
mod goodcang;
pub mod goods;
mod inbox;
mod keys;
mod running;
mod sftp;
pub mod shop;
pub mod truth;

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};

pub use faults::{EndpointFault, FaultKind, Faults};
pub use goods::catalog_files;
pub use inbox::Mail;
pub use running::{Advance, Endpoints, RunningWorld, WorldOptions, start};
pub use truth::{OpeningFiles, Truth, World};

/// Why the world cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("read {0}")]
    Data(String),
    #[error("start the world on {start}: it has orders to live on from {first} to {last}")]
    Start {
        start: NaiveDate,
        first: NaiveDate,
        last: NaiveDate,
    },
    #[error("{what}")]
    Io {
        what: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{what}")]
    Setup {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl WorldError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    fn setup<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        what: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Setup {
            what: what.to_owned(),
            source: source.into(),
        }
    }
}

/// What all servers of one world share.
struct Shared {
    seed: u64,
    world: Mutex<World>,
    faults: Faults,
}

impl Shared {
    fn new(seed: u64, world: World) -> Arc<Self> {
        Arc::new(Self {
            seed,
            world: Mutex::new(world),
            faults: Faults::default(),
        })
    }

    fn now(&self) -> DateTime<Utc> {
        self.with_world(|world| world.now())
    }

    fn with_world<T>(&self, read: impl FnOnce(&mut World) -> T) -> T {
        read(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
