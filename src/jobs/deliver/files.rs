//! Files: those of one target travel together over one connection, each with its own claim, mark and result.

use std::sync::Arc;

use super::batch::{Files, Link, Loaded, Step, Way, close, hold_back};
use super::{Broken, Delivered, Run, lease_of};
use crate::delivery::{Channel, Outcome, State, Verdict, check_remote_name};
use crate::store::outbox::{self, BatchLimits, Claim, KnownServer, Message};
use crate::store::{StoreError, blob};
use crate::transport::sftp::{Session, SftpError, Target};

/// Messages on their way at once.
const BATCH_MESSAGES: usize = 64;
/// Their bytes are held in memory together.
const BATCH_BYTES: i64 = 32 * 1024 * 1024;
/// A server is tried again after so long, even when it announces the same.
const PROBE_DAYS: i64 = 30;

/// From here on a file is hashed while it is being sent.
const LARGE: i64 = 4 * 1024 * 1024;

impl Run<'_> {
    /// Sends the files of one target until one has to wait.
    pub(super) async fn drain_files(
        &self,
        channel: Channel,
        target: &str,
    ) -> Result<Vec<Delivered>, StoreError> {
        let way = match channel {
            Channel::Sftp => self
                .senders
                .sftp
                .iter()
                .find(|to| to.id == target)
                .map_or(Way::Nowhere, Way::Sftp),
            _ => self
                .senders
                .folders
                .iter()
                .find(|to| to.id == target)
                .map_or(Way::Nowhere, Way::Folder),
        };
        let mut link = Link::Closed;
        let mut done = Vec::new();
        let result = loop {
            match self.next_batch(channel, target, &way, &mut link).await {
                Ok(batch) if batch.is_empty() => break Ok(()),
                Ok(batch) => {
                    let waits = batch.iter().any(|delivered| delivered.state == State::Due);
                    done.extend(batch);
                    if waits {
                        break Ok(());
                    }
                }
                Err(Broken::LeaseLost) => {
                    // Requests of the abandoned attempt may still be on their way.
                    close(&mut link).await;
                    tracing::warn!(%channel, target, "lease lost, another worker has the message");
                }
                Err(Broken::Store(error)) => break Err(error),
            }
        };
        close(&mut link).await;
        result.map(|()| done)
    }

    async fn next_batch(
        &self,
        channel: Channel,
        target: &str,
        way: &Way<'_>,
        link: &mut Link,
    ) -> Result<Vec<Delivered>, Broken> {
        // Before the connection stands, one message finds out whether it can.
        let stands = matches!((way, &*link), (Way::Folder(_), _) | (_, Link::Open { .. }));
        let limits = BatchLimits {
            messages: if stands { BATCH_MESSAGES } else { 1 },
            bytes: BATCH_BYTES,
            per_minute: match way {
                Way::Sftp(to) => to.tuning.messages_per_minute,
                _ => None,
            },
        };
        let mut tx = self.store.write().await?;
        let claimed = outbox::claim_batch(
            &mut tx,
            self.account,
            (channel, target),
            self.owner,
            self.clock.now(),
            lease_of(self.senders.pace),
            limits,
        )
        .await?;
        tx.commit().await?;
        let (claims, messages): (Vec<Claim>, Vec<Message>) = claimed.into_iter().unzip();
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let steps = self
            .guarded(&claims, self.send(&claims, &messages, way, link))
            .await?;
        let mut ends = Vec::with_capacity(steps.len());
        for ((claim, message), step) in claims.iter().zip(&messages).zip(steps) {
            match step {
                Step::Ended(outcome) => ends.push((claim, message, self.verdict(claim, outcome), true)),
                Step::Lost => {}
                Step::Loaded(_) | Step::Staged(..) | Step::Behind => {
                    ends.push((claim, message, self.put_back(), false));
                }
            }
        }
        let mut tries = 0;
        loop {
            match self.record_files(&ends).await {
                Ok(delivered) => return Ok(delivered),
                Err(error) => self.record_again(&mut tries, error).await?,
            }
        }
    }

    /// The ends of a batch; true for those that are told.
    async fn record_files(
        &self,
        ends: &[(&Claim, &Message, Verdict, bool)],
    ) -> Result<Vec<Delivered>, StoreError> {
        let mut delivered = Vec::with_capacity(ends.len());
        let mut tx = self.store.write().await?;
        for (claim, message, verdict, told) in ends {
            let ended = self.finish(&mut tx, (claim, message), verdict.clone()).await?;
            delivered.extend(ended.filter(|_| *told));
        }
        tx.commit().await?;
        Ok(delivered)
    }

    /// A message that was claimed and not tried.
    fn put_back(&self) -> Verdict {
        Verdict {
            state: State::Due,
            run_after: Some(self.clock.now()),
            receipt: None,
            error: None,
        }
    }

    async fn send(
        &self,
        claims: &[Claim],
        messages: &[Message],
        way: &Way<'_>,
        link: &mut Link,
    ) -> Result<Vec<Step>, Broken> {
        let refused: Vec<Option<String>> = messages
            .iter()
            .map(|message| refused_unseen(message, way))
            .collect();
        let closed = matches!(link, Link::Closed) && refused.iter().any(Option::is_none);
        let connect = async {
            match way {
                Way::Sftp(to) if closed => Ok(Some(self.open(to).await?)),
                _ => Ok::<_, Broken>(None),
            }
        };
        // A large file is unpacked and hashed while the other side is greeted.
        let (steps, opened) = tokio::join!(self.load(messages, refused), connect);
        if let Some(opened) = opened? {
            *link = opened;
        }
        let mut steps = steps?;
        let files = Files {
            claims,
            messages,
            way,
        };
        files.stage(&mut steps, link).await;
        hold_back(&mut steps);
        self.mark(claims, &mut steps).await?;
        files.publish(&mut steps, link).await;
        let broke = steps
            .iter()
            .any(|step| matches!(step, Step::Ended(Outcome::Retry { .. })));
        if broke {
            files.clear_behind(&steps, link).await;
        }
        Ok(steps)
    }

    async fn load(&self, messages: &[Message], refused: Vec<Option<String>>) -> Result<Vec<Step>, Broken> {
        let mut steps = Vec::with_capacity(messages.len());
        let mut tx = self.store.read().await?;
        for (message, refused) in messages.iter().zip(refused) {
            let refuse = |why: String| Step::Ended(Outcome::Refused { why });
            steps.push(match refused {
                Some(why) => refuse(why),
                None => {
                    let hashed = message.channel != Channel::Sftp || message.size < LARGE;
                    let bytes = if hashed {
                        blob::get(&mut tx, self.account, &message.sha256).await
                    } else {
                        blob::get_unhashed(&mut tx, self.account, &message.sha256).await
                    };
                    match bytes {
                        Ok(bytes) => Step::Loaded(Loaded {
                            bytes: Arc::new(bytes),
                            hashed,
                        }),
                        Err(StoreError::Corrupt { what, why }) => refuse(format!("{what}: {why}")),
                        Err(error) => return Err(error.into()),
                    }
                }
            });
        }
        Ok(steps)
    }

    /// Records for each staged message that its final name is about to be given.
    async fn mark(&self, claims: &[Claim], steps: &mut [Step]) -> Result<(), Broken> {
        let mut tx = self.store.write().await?;
        for (claim, step) in claims.iter().zip(steps) {
            if !matches!(step, Step::Staged(..)) {
                continue;
            }
            match outbox::mark_handed(&mut tx, claim, self.clock.now()).await {
                Ok(()) => {}
                Err(StoreError::Affected { .. }) => *step = Step::Lost,
                Err(error) => return Err(error.into()),
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn open(&self, to: &Target) -> Result<Link, Broken> {
        let mut session = match Session::open(to).await {
            Ok(session) => session,
            Err(error) => return Ok(Link::Failed(error.outcome())),
        };
        if let Err(error) = self.know_server(&mut session, to).await? {
            session.close().await;
            return Ok(Link::Failed(error.outcome()));
        }
        self.sweep(&session, to).await?;
        Ok(Link::Open {
            session: Box::new(session),
            beside: Vec::new(),
        })
    }

    /// Goes by what is remembered of the server, or tries it. That nothing can be made in its folder is told by the
    /// message that is staged there.
    async fn know_server(&self, session: &mut Session, to: &Target) -> Result<Result<(), SftpError>, Broken> {
        let place = (Channel::Sftp, to.id.as_str());
        let known = {
            let mut tx = self.store.read().await?;
            outbox::known_server(&mut tx, self.account, place).await?
        };
        let now = self.clock.now();
        let announced = session.announced();
        if let Some(known) = known
            && known.announced == announced
            && now - known.probed_at < chrono::Duration::days(PROBE_DAYS)
        {
            session.rely_on(known.capabilities);
            return Ok(Ok(()));
        }
        match session.probe(self.owner).await {
            Ok(capabilities) => {
                tracing::info!(target_id = to.id, found = capabilities.summary(), "server tried");
                let server = KnownServer {
                    announced,
                    capabilities,
                    probed_at: now,
                };
                let mut tx = self.store.write().await?;
                outbox::remember_server(&mut tx, self.account, place, &server).await?;
                tx.commit().await?;
                Ok(Ok(()))
            }
            Err(error) if error.broke_the_connection() => Ok(Err(error)),
            Err(error) => {
                tracing::debug!(target_id = to.id, %error, "server could not be tried");
                Ok(Ok(()))
            }
        }
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

/// Why a message cannot leave whatever the other side says.
fn refused_unseen(message: &Message, way: &Way<'_>) -> Option<String> {
    if matches!(way, Way::Nowhere) {
        return Some(format!(
            "no {} target `{}` is configured",
            message.channel, message.target
        ));
    }
    check_remote_name(&message.remote_name)
        .err()
        .map(|error| error.to_string())
}
