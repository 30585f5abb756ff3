//! Sends what is due: targets side by side, the messages of one target one after the other.

use std::future::Future;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};

use crate::clock::Clock;
use crate::delivery::{
    Backoff, Channel, Envelope, Outcome, Outgoing, State, after_attempt, check_remote_name,
};
use crate::ids::AccountId;
use crate::store::outbox::{self, Claim, Lost, Message};
use crate::store::{Store, StoreError, blob};
use crate::transport::folder::FolderTarget;
use crate::transport::sftp::{Session, SftpError, Target};

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
    let drains = targets
        .iter()
        .filter(|(channel, _)| *channel != Channel::Mail || senders.mail.is_some())
        .map(|(channel, target)| run.drain(*channel, target));
    for drained in join_all(drains).await {
        report.attempts.extend(drained?);
    }
    Ok(report)
}

struct Run<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    account: &'a AccountId,
    senders: &'a Senders<'a>,
    owner: &'a str,
}

/// The connection of one target while its messages are sent.
enum Link {
    Closed,
    Open(Box<Session>),
    /// Connecting failed: the same is true for each further message, without connecting again.
    Failed(Outcome),
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

    /// Sends the messages of one target until one has to wait.
    async fn drain(&self, channel: Channel, target: &str) -> Result<Vec<Delivered>, StoreError> {
        let mut link = Link::Closed;
        let mut done = Vec::new();
        let result = loop {
            match self.next(channel, target, &mut link).await {
                Ok(None) => break Ok(()),
                Ok(Some(delivered)) => {
                    let waits = delivered.state == State::Due;
                    done.push(delivered);
                    if waits {
                        break Ok(());
                    }
                }
                Err(Broken::LeaseLost) => {
                    // Requests of the abandoned attempt may still be on their way.
                    if let Link::Open(session) = std::mem::replace(&mut link, Link::Closed) {
                        session.close().await;
                    }
                    tracing::warn!(%channel, target, "lease lost, another worker has the message");
                }
                Err(Broken::Store(error)) => break Err(error),
            }
        };
        if let Link::Open(session) = link {
            session.close().await;
        }
        result.map(|()| done)
    }

    async fn next(
        &self,
        channel: Channel,
        target: &str,
        link: &mut Link,
    ) -> Result<Option<Delivered>, Broken> {
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
        let Some((claim, message)) = claimed else {
            return Ok(None);
        };
        let outcome = self.guarded(&claim, self.attempt(&claim, &message, link)).await?;
        let now = self.clock.now();
        let verdict = after_attempt(
            outcome,
            &claim.business_key,
            claim.attempt,
            &self.senders.pace.backoff,
            now,
        );
        let mut tx = self.store.write().await?;
        outbox::finish(&mut tx, &claim, &verdict, now).await?;
        tx.commit().await?;
        let detail = verdict.receipt.or(verdict.error).unwrap_or_default();
        tracing::info!(key = message.business_key, state = %verdict.state, detail, "delivery attempt");
        Ok(Some(Delivered {
            business_key: message.business_key,
            channel,
            target: target.to_owned(),
            state: verdict.state,
            detail,
        }))
    }

    /// Keeps the lease while the work runs; drops the work when the lease is lost.
    async fn guarded(
        &self,
        claim: &Claim,
        work: impl Future<Output = Result<Outcome, Broken>>,
    ) -> Result<Outcome, Broken> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(self.senders.pace.lease / 3) => match self.heartbeat(claim).await {
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

    async fn heartbeat(&self, claim: &Claim) -> Result<(), Broken> {
        let mut tx = self.store.write().await?;
        outbox::heartbeat(&mut tx, claim, self.clock.now(), lease_of(self.senders.pace)).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn attempt(&self, claim: &Claim, message: &Message, link: &mut Link) -> Result<Outcome, Broken> {
        let bytes = {
            let mut tx = self.store.read().await?;
            match blob::get(&mut tx, self.account, &message.sha256).await {
                Ok(bytes) => bytes,
                Err(StoreError::Corrupt { what, why }) => {
                    return Ok(Outcome::Refused {
                        why: format!("{what}: {why}"),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        };
        if message.channel == Channel::Mail {
            return self.mail(claim, message, &bytes).await;
        }
        if let Err(error) = check_remote_name(&message.remote_name) {
            return Ok(Outcome::Refused {
                why: error.to_string(),
            });
        }
        let file = Outgoing {
            name: &message.remote_name,
            bytes: &bytes,
            sha256: &message.sha256,
            attempt: claim.attempt,
        };
        let outcome = match message.channel {
            Channel::Sftp => match self.senders.sftp.iter().find(|to| to.id == message.target) {
                Some(to) => Some(self.sftp(claim, &file, to, link).await?),
                None => None,
            },
            _ => match self.senders.folders.iter().find(|to| to.id == message.target) {
                Some(to) => Some(self.folder(claim, &file, to).await?),
                None => None,
            },
        };
        Ok(outcome.unwrap_or_else(|| Outcome::Refused {
            why: format!("no {} target `{}` is configured", message.channel, message.target),
        }))
    }

    async fn mark_handed(&self, claim: &Claim) -> Result<(), Broken> {
        let mut tx = self.store.write().await?;
        outbox::mark_handed(&mut tx, claim, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn mail(&self, claim: &Claim, message: &Message, raw: &[u8]) -> Result<Outcome, Broken> {
        let refused = |why: String| Ok(Outcome::Refused { why });
        let Some(sender) = self.senders.mail else {
            return refused("no mail server is configured".to_owned());
        };
        let envelope: Envelope = match serde_json::from_str(message.envelope.as_deref().unwrap_or_default()) {
            Ok(envelope) => envelope,
            Err(error) => return refused(format!("the stored envelope cannot be read: {error}")),
        };
        self.mark_handed(claim).await?;
        Ok(match sender.send(raw, &envelope).await {
            MailOutcome::Accepted { reply } => Outcome::Sent { receipt: reply },
            MailOutcome::Refused { why } => Outcome::Refused { why },
            MailOutcome::Retry { why } => Outcome::Retry { why },
            MailOutcome::Doubtful { why } => Outcome::Doubtful { why },
        })
    }

    async fn folder(&self, claim: &Claim, file: &Outgoing<'_>, to: &FolderTarget) -> Result<Outcome, Broken> {
        let staged = match to.stage(file).await {
            Ok(staged) => staged,
            Err(error) => return Ok(error.outcome()),
        };
        self.mark_handed(claim).await?;
        Ok(match to.publish(file, &staged).await {
            Ok(receipt) => Outcome::Sent { receipt },
            Err(error) => error.outcome(),
        })
    }

    async fn sftp(
        &self,
        claim: &Claim,
        file: &Outgoing<'_>,
        to: &Target,
        link: &mut Link,
    ) -> Result<Outcome, Broken> {
        if matches!(link, Link::Closed) {
            *link = self.open(to).await?;
        }
        let session = match link {
            Link::Open(session) => session,
            Link::Failed(outcome) => return Ok(outcome.clone()),
            Link::Closed => {
                return Ok(Outcome::Retry {
                    why: format!("cannot reach {}", to.address()),
                });
            }
        };
        let staged = match session.stage(file).await {
            Ok(staged) => staged,
            Err(error) => return Ok(failed(&error, link)),
        };
        self.mark_handed(claim).await?;
        Ok(match session.publish(file, &staged).await {
            Ok(receipt) => Outcome::Sent { receipt },
            Err(error) => failed(&error, link),
        })
    }

    async fn open(&self, to: &Target) -> Result<Link, Broken> {
        let session = match Session::open(to).await {
            Ok(session) => session,
            Err(error) => return Ok(Link::Failed(error.outcome())),
        };
        self.sweep(&session, to).await?;
        Ok(Link::Open(Box::new(session)))
    }

    /// Removes unfinished files of messages that have left or were withdrawn: a server may still have been creating
    /// one while we died.
    async fn sweep(&self, session: &Session, to: &Target) -> Result<(), Broken> {
        // A folder that cannot be read shows itself, with its name, when the message is staged.
        for partial in session.partials().await.unwrap_or_default() {
            let owner = {
                let mut tx = self.store.read().await?;
                outbox::find_by_partial(&mut tx, self.account, (Channel::Sftp, &to.id), &partial).await?
            };
            let over = owner.is_some_and(|message| matches!(message.state, State::Sent | State::Withdrawn));
            if !over {
                continue;
            }
            if let Err(error) = session.remove_partial(&partial).await {
                tracing::warn!(name = partial.file_name(), %error, "unfinished file stays at the server");
            }
        }
        Ok(())
    }
}

/// A connection that broke, or fell silent, is not used again.
fn failed(error: &SftpError, link: &mut Link) -> Outcome {
    if matches!(error, SftpError::Lost { .. } | SftpError::Silent { .. }) {
        *link = Link::Closed;
    }
    error.outcome()
}

fn lease_of(pace: Pace) -> chrono::Duration {
    chrono::Duration::from_std(pace.lease).unwrap_or(chrono::Duration::MAX)
}
