//! Work that survives a crash: the delivery of due messages, and a worker for jobs.
//!
//! Start and recovery are the same code: [`recover`] takes back what an earlier life of the same owner still holds,
//! then the ordinary loops go on.

mod deliver;
mod post;
mod worker;

pub use deliver::{
    Callers, CancelNote, Delivered, DeliveryReport, MailOutcome, MailSender, Pace, Senders, WithdrawError,
    Withdrawn, cancel_key, deliver_due, withdraw,
};
pub use post::{Letter, post};
pub use worker::{JobEnd, JobFailure, JobHandler, Ran, Stopped, Worker, WorkerOptions};

use crate::clock::Clock;
use crate::ids::AccountId;
use crate::store::outbox::{self, Lost};
use crate::store::work::{self, JobClaim};
use crate::store::{Store, StoreError};

/// What [`recover`] took back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    pub messages: Vec<Lost>,
    pub jobs: Vec<JobClaim>,
}

/// To be called once at start, before anything is claimed. `owner` must be the same after a restart and different
/// from every other living process; its leases, and those that ran out, are taken back.
///
/// # Errors
/// When the store refuses.
pub async fn recover(
    store: &Store,
    clock: &dyn Clock,
    account: &AccountId,
    owner: &str,
) -> Result<Recovered, StoreError> {
    let now = clock.now();
    let mut tx = store.write().await?;
    let recovered = Recovered {
        messages: outbox::requeue_lost(&mut tx, account, Some(owner), now).await?,
        jobs: work::requeue_lost(&mut tx, account, Some(owner), now).await?,
    };
    tx.commit().await?;
    Ok(recovered)
}
