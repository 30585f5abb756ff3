//! Sends what is due: targets side by side, the messages of one target in their order.

mod batch;
mod calls;
mod files;
mod mail;
mod withdraw;

pub use calls::Callers;
pub use withdraw::{CancelNote, WithdrawError, Withdrawn, cancel_key, withdraw};

use std::future::Future;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};

use crate::clock::Clock;
use crate::delivery::{Backoff, Channel, Envelope, Outcome, State, Verdict, after_attempt};
use crate::ids::AccountId;
use crate::store::outbox::{self, Claim, Lost, Message};
use crate::store::{Store, StoreError, Tx};
use crate::transport::folder::FolderTarget;
use crate::transport::sftp::Target;

/// How a mail server took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailOutcome {
    /// It answered yes after the last byte.
    Accepted { reply: String },
    /// It will not take it as it is.
    Refused { why: String },
    /// It did not take it now.
    Retry { why: String },
    /// The connection broke after the last byte and before the answer.
    Doubtful { why: String },
    /// Its recipients were answered apart; none of them may be `Apart` again.
    Apart(Vec<(String, MailOutcome)>),
}

/// Sends mail; implemented where SMTP is spoken.
pub trait MailSender: Send + Sync {
    fn send<'a>(&'a self, raw: &'a [u8], envelope: &'a Envelope) -> BoxFuture<'a, MailOutcome>;

    /// Asks the other side whether the message arrived; `None` when it cannot be asked or is not sure. `Some(false)`
    /// sends it again.
    fn arrived<'a>(&'a self, message_id: &'a str) -> BoxFuture<'a, Option<bool>> {
        let _ = message_id;
        Box::pin(async { None })
    }
}

/// How long a claim holds, and how long a failed message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub lease: Duration,
    pub backoff: Backoff,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(120),
            backoff: Backoff::default(),
        }
    }
}

/// Where messages can go. Mails stay due while there is no mail sender.
#[derive(Clone, Copy, Default)]
pub struct Senders<'a> {
    pub sftp: &'a [Target],
    pub folders: &'a [FolderTarget],
    pub mail: Option<&'a dyn MailSender>,
    /// Requests stay due while there is nobody to make them.
    pub calls: Option<Callers<'a>>,
    pub pace: Pace,
}

/// One attempt as it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub business_key: String,
    pub channel: Channel,
    pub target: String,
    /// The state it led to; `Due` means that it will be tried again.
    pub state: State,
    /// The receipt, or why not.
    pub detail: String,
}

/// What one call of [`deliver_due`] did, by channel and target, in the order of sending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReport {
    pub attempts: Vec<Delivered>,
    /// Messages of workers that are gone.
    pub lost: Vec<Lost>,
    /// Doubtful mails that the other side could be asked about, and what they became.
    pub resolved: Vec<(String, State)>,
}

impl DeliveryReport {
    /// How many attempts led to the state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.attempts
            .iter()
            .filter(|attempt| attempt.state == state)
            .count()
    }
}

/// Claims and sends everything that is due now, and returns when nothing more can be claimed.
///
/// # Errors
/// When the store refuses; whatever was sent until then is recorded, or found at the other side next time.
pub async fn deliver_due(
    store: &Store,
    clock: &dyn Clock,
    account: &AccountId,
    senders: &Senders<'_>,
    owner: &str,
) -> Result<DeliveryReport, StoreError> {
    let run = Run {
        store,
        clock,
        account,
        senders,
        owner,
    };
    let mut report = DeliveryReport {
        lost: run.requeue_lost().await?,
        resolved: run.resolve_doubtful().await?,
        attempts: Vec::new(),
    };
    let targets = {
        let mut tx = store.read().await?;
        outbox::targets_due(&mut tx, account, clock.now()).await?
    };
    // Boxed one by one: a closure over borrowed targets makes a future that a worker cannot move between threads.
    let mut drains: Vec<BoxFuture<'_, Result<Vec<Delivered>, StoreError>>> = Vec::new();
    for (channel, target) in &targets {
        match channel {
            Channel::Mail if senders.mail.is_some() => drains.push(Box::pin(run.drain_mails(target))),
            Channel::Api => {
                if let Some(callers) = senders.calls {
                    drains.push(Box::pin(run.drain_calls(callers, target)));
                }
            }
            Channel::Sftp | Channel::Folder => drains.push(Box::pin(run.drain_files(*channel, target))),
            Channel::Mail => {}
        }
    }
    for drained in join_all(drains).await {
        report.attempts.extend(drained?);
    }
    Ok(report)
}

/// Tries to write down how a delivery ended; a database that is away is waited for within each.
const RECORD_TRIES: u32 = 3;
const RECORD_PAUSE: Duration = Duration::from_secs(1);

struct Run<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    account: &'a AccountId,
    senders: &'a Senders<'a>,
    owner: &'a str,
}

/// Why an attempt has no outcome to record.
enum Broken {
    LeaseLost,
    Store(StoreError),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Affected { .. } => Self::LeaseLost,
            error => Self::Store(error),
        }
    }
}

impl Run<'_> {
    async fn requeue_lost(&self) -> Result<Vec<Lost>, StoreError> {
        let mut tx = self.store.write().await?;
        let lost = outbox::requeue_lost(&mut tx, self.account, None, self.clock.now()).await?;
        tx.commit().await?;
        Ok(lost)
    }

    async fn resolve_doubtful(&self) -> Result<Vec<(String, State)>, StoreError> {
        let Some(mail) = self.senders.mail else {
            return Ok(Vec::new());
        };
        let doubtful = {
            let mut tx = self.store.read().await?;
            outbox::list(&mut tx, self.account, Some(State::Doubtful), 1000).await?
        };
        let mut resolved = Vec::new();
        for message in doubtful {
            let Some(id) = message.message_id.as_deref() else {
                continue;
            };
            let Some(arrived) = mail.arrived(id).await else {
                continue;
            };
            let (key, now) = (&message.business_key, self.clock.now());
            let mut tx = self.store.write().await?;
            let change = if arrived {
                outbox::confirm_sent(&mut tx, self.account, key, "the other side has it", now).await?
            } else {
                outbox::retry(&mut tx, self.account, key, now).await?
            };
            tx.commit().await?;
            if matches!(change, outbox::Change::Done { .. }) {
                let state = if arrived { State::Sent } else { State::Due };
                resolved.push((message.business_key, state));
            }
        }
        Ok(resolved)
    }

    /// The next message to a target of which one goes at a time.
    async fn claim(&self, channel: Channel, target: &str) -> Result<Option<(Claim, Message)>, StoreError> {
        let mut tx = self.store.write().await?;
        let claimed = outbox::claim(
            &mut tx,
            self.account,
            (channel, target),
            self.owner,
            self.clock.now(),
            lease_of(self.senders.pace),
        )
        .await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// What the store writes after an attempt that ended like this.
    fn verdict(&self, claim: &Claim, outcome: Outcome) -> Verdict {
        let backoff = &self.senders.pace.backoff;
        after_attempt(
            outcome,
            &claim.business_key,
            claim.attempt,
            backoff,
            self.clock.now(),
        )
    }

    /// What has happened outside must be written down: when the database goes away just then, it is tried again, while
    /// the lease still holds. Otherwise a file would be sent once more, and a mail be doubtful.
    async fn record_again(&self, tries: &mut u32, error: StoreError) -> Result<(), StoreError> {
        *tries += 1;
        if *tries > RECORD_TRIES {
            return Err(error);
        }
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the end of a delivery is not written down yet"
        );
        tokio::time::sleep(RECORD_PAUSE).await;
        Ok(())
    }

    /// Writes how an attempt ended; `None` when another worker has the message by now.
    async fn finish(
        &self,
        tx: &mut Tx,
        (claim, message): (&Claim, &Message),
        verdict: Verdict,
    ) -> Result<Option<Delivered>, StoreError> {
        match outbox::finish(tx, claim, &verdict, self.clock.now()).await {
            Ok(()) => {}
            Err(StoreError::Affected { .. }) => {
                tracing::warn!(
                    key = claim.business_key,
                    "lease lost before the result was written"
                );
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let detail = verdict.receipt.or(verdict.error).unwrap_or_default();
        tracing::info!(key = message.business_key, state = %verdict.state, detail, "delivery attempt");
        Ok(Some(Delivered {
            business_key: message.business_key.clone(),
            channel: message.channel,
            target: message.target.clone(),
            state: verdict.state,
            detail,
        }))
    }

    /// Keeps the leases while the work runs; drops the work when one of them is lost.
    async fn guarded<T>(
        &self,
        claims: &[Claim],
        work: impl Future<Output = Result<T, Broken>>,
    ) -> Result<T, Broken> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(self.senders.pace.lease / 3) => match self.heartbeat(claims).await {
                    Ok(()) => {}
                    Err(Broken::LeaseLost) => return Err(Broken::LeaseLost),
                    // Two thirds of the lease are left: the next beat may get through.
                    Err(Broken::Store(error)) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "lease not renewed");
                    }
                },
            }
        }
    }

    async fn heartbeat(&self, claims: &[Claim]) -> Result<(), Broken> {
        let mut tx = self.store.write().await?;
        for claim in claims {
            outbox::heartbeat(&mut tx, claim, self.clock.now(), lease_of(self.senders.pace)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn lease_of(pace: Pace) -> chrono::Duration {
    chrono::Duration::from_std(pace.lease).unwrap_or(chrono::Duration::MAX)
}
