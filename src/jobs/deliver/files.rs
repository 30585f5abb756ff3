//! Files: those of one target travel together over one connection, each with its own claim, mark and result.

use futures_util::future::{BoxFuture, join_all};

use super::{Broken, Delivered, Run, lease_of};
use crate::delivery::{Channel, Outcome, Outgoing, Staged, State, Verdict, check_remote_name};
use crate::store::outbox::{self, BatchLimits, Claim, KnownServer, Message};
use crate::store::{StoreError, blob};
use crate::transport::folder::FolderTarget;
use crate::transport::sftp::{Session, SftpError, Target};

/// Messages on their way at once.
const BATCH_MESSAGES: usize = 64;
/// Their bytes are held in memory together.
const BATCH_BYTES: i64 = 32 * 1024 * 1024;
/// A server is tried again after so long, even when it announces the same.
const PROBE_DAYS: i64 = 30;

/// Where the files go.
enum Way<'a> {
    Sftp(&'a Target),
    Folder(&'a FolderTarget),
    Nowhere,
}

/// The connection of one target while its messages are sent.
enum Link {
    Closed,
    Open(Box<Session>),
    /// Connecting failed: the same is true for each further message, without connecting again.
    Failed(Outcome),
}

/// What a batch has come to for one message.
enum Step {
    /// Its bytes wait to be staged.
    Loaded(Vec<u8>),
    Staged(Vec<u8>, Staged),
    Ended(Outcome),
    /// An earlier message of the target has to wait, and so has this one.
    Behind,
    /// Another worker has it.
    Lost,
}

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
        let stands = matches!((way, &*link), (Way::Folder(_), _) | (_, Link::Open(_)));
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
                None => match blob::get(&mut tx, self.account, &message.sha256).await {
                    Ok(bytes) => Step::Loaded(bytes),
                    Err(StoreError::Corrupt { what, why }) => refuse(format!("{what}: {why}")),
                    Err(error) => return Err(error.into()),
                },
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
        Ok(Link::Open(Box::new(session)))
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

/// What stands behind a message that has to wait does not overtake it.
fn hold_back(steps: &mut [Step]) {
    let mut waits = false;
    for step in steps {
        if waits && matches!(step, Step::Staged(..) | Step::Loaded(_)) {
            *step = Step::Behind;
        }
        waits |= matches!(step, Step::Ended(Outcome::Retry { .. }));
    }
}

async fn close(link: &mut Link) {
    if let Link::Open(session) = std::mem::replace(link, Link::Closed) {
        session.close().await;
    }
}

/// The messages of a batch and where they go.
struct Files<'a> {
    claims: &'a [Claim],
    messages: &'a [Message],
    way: &'a Way<'a>,
}

impl Files<'_> {
    fn file<'b>(&'b self, number: usize, bytes: &'b [u8]) -> Option<Outgoing<'b>> {
        let message = self.messages.get(number)?;
        Some(Outgoing {
            name: &message.remote_name,
            bytes,
            sha256: &message.sha256,
            attempt: self.claims.get(number)?.attempt,
        })
    }

    /// Stages all that are loaded, at once.
    async fn stage(&self, steps: &mut [Step], link: &mut Link) {
        let mut broken = false;
        let staged = {
            let mut work: Vec<BoxFuture<'_, Option<Result<Staged, Failed>>>> = Vec::new();
            for (number, step) in steps.iter().enumerate() {
                let file = match step {
                    Step::Loaded(bytes) => self.file(number, bytes),
                    _ => None,
                };
                work.push(Box::pin(self.stage_one(file, link)));
            }
            join_all(work).await
        };
        for (step, staged) in steps.iter_mut().zip(staged) {
            let Some(staged) = staged else { continue };
            match (std::mem::replace(step, Step::Behind), staged) {
                (Step::Loaded(bytes), Ok(staged)) => *step = Step::Staged(bytes, staged),
                (_, Ok(_)) => {}
                (_, Err(failed)) => {
                    broken |= failed.broke;
                    *step = Step::Ended(failed.outcome);
                }
            }
        }
        if broken {
            close(link).await;
        }
    }

    async fn stage_one(&self, file: Option<Outgoing<'_>>, link: &Link) -> Option<Result<Staged, Failed>> {
        let file = file?;
        Some(match (self.way, link) {
            (Way::Folder(to), _) => to.stage(&file).await.map_err(|error| Failed {
                outcome: error.outcome(),
                broke: false,
            }),
            (_, Link::Open(session)) => session.stage(&file).await.map_err(Failed::from),
            (_, Link::Failed(outcome)) => Err(Failed {
                outcome: outcome.clone(),
                broke: false,
            }),
            (_, Link::Closed) => Err(Failed::gone()),
        })
    }

    /// Gives all that are marked their final names, in their order: requests are sent one behind the other, and a
    /// server answers them so.
    async fn publish(&self, steps: &mut [Step], link: &mut Link) {
        let mut broken = false;
        let published = {
            let mut work: Vec<BoxFuture<'_, Option<Result<String, Failed>>>> = Vec::new();
            for (number, step) in steps.iter().enumerate() {
                let ready = match step {
                    Step::Staged(bytes, staged) => self.file(number, bytes).map(|file| (file, staged)),
                    _ => None,
                };
                work.push(Box::pin(self.publish_one(ready, link)));
            }
            join_all(work).await
        };
        for (step, published) in steps.iter_mut().zip(published) {
            match published {
                None => {}
                Some(Ok(receipt)) => *step = Step::Ended(Outcome::Sent { receipt }),
                Some(Err(failed)) => {
                    broken |= failed.broke;
                    *step = Step::Ended(failed.outcome);
                }
            }
        }
        if broken {
            close(link).await;
        }
    }

    async fn publish_one(
        &self,
        ready: Option<(Outgoing<'_>, &Staged)>,
        link: &Link,
    ) -> Option<Result<String, Failed>> {
        let (file, staged) = ready?;
        Some(match (self.way, link) {
            (Way::Folder(to), _) => to.publish(&file, staged).await.map_err(|error| Failed {
                outcome: error.outcome(),
                broke: false,
            }),
            (_, Link::Open(session)) => session.publish(&file, staged).await.map_err(Failed::from),
            _ => Err(Failed::gone()),
        })
    }

    /// Takes the hidden files away of those that were held back; what cannot be, the next attempt clears.
    async fn clear_behind(&self, steps: &[Step], link: &Link) {
        let Link::Open(session) = link else { return };
        for ((claim, message), step) in self.claims.iter().zip(self.messages).zip(steps) {
            if matches!(step, Step::Behind) {
                let partial =
                    crate::delivery::PartialName::new(&message.remote_name, &message.sha256, claim.attempt);
                if let Err(error) = session.remove_partial(&partial).await {
                    tracing::warn!(name = partial.file_name(), %error, "unfinished file stays at the server");
                }
            }
        }
    }
}

struct Failed {
    outcome: Outcome,
    /// The connection is not used again.
    broke: bool,
}

impl Failed {
    fn gone() -> Self {
        Self {
            outcome: Outcome::Retry {
                why: "the connection is gone".to_owned(),
            },
            broke: false,
        }
    }
}

impl From<SftpError> for Failed {
    fn from(error: SftpError) -> Self {
        Self {
            outcome: error.outcome(),
            broke: error.broke_the_connection(),
        }
    }
}
