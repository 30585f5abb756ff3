//! The files of one batch on their way over one connection: staged at once, published in their order.

use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};

use crate::delivery::{Outcome, Outgoing, PartialName, Staged};
use crate::digest::sha256_hex;
use crate::store::outbox::{Claim, Message};
use crate::transport::folder::FolderTarget;
use crate::transport::sftp::{Session, SftpError, Target};

/// Where the files go.
pub(super) enum Way<'a> {
    Sftp(&'a Target),
    Folder(&'a FolderTarget),
    Nowhere,
}

/// The connection of one target while its messages are sent.
pub(super) enum Link {
    Closed,
    Open {
        session: Box<Session>,
        /// Further channels of the same connection, for many files at once; empty until there are many.
        beside: Vec<Session>,
    },
    /// Connecting failed: the same is true for each further message, without connecting again.
    Failed(Outcome),
}

/// What a batch has come to for one message.
pub(super) enum Step {
    /// Its bytes wait to be staged.
    Loaded(Loaded),
    Staged(Loaded, Staged),
    Ended(Outcome),
    /// An earlier message of the target has to wait, and so has this one.
    Behind,
    /// Another worker has it.
    Lost,
}

/// The bytes of a message.
pub(super) struct Loaded {
    pub(super) bytes: Arc<Vec<u8>>,
    /// They were compared with their name. Those of a large file are on their way meanwhile, and it gets its final
    /// name when they were.
    pub(super) hashed: bool,
}

/// What stands behind a message that has to wait does not overtake it.
pub(super) fn hold_back(steps: &mut [Step]) {
    let mut waits = false;
    for step in steps {
        if waits && matches!(step, Step::Staged(..) | Step::Loaded(_)) {
            *step = Step::Behind;
        }
        waits |= matches!(step, Step::Ended(Outcome::Retry { .. }));
    }
}

/// From so many files on further channels are worth opening.
const MANY: usize = 16;
/// How many; servers commonly allow ten.
const BESIDE: usize = 3;

async fn open_beside(link: &mut Link) {
    if let Link::Open { session, beside } = link
        && beside.is_empty()
        && !session.is_limited()
    {
        let opened = join_all((0..BESIDE).map(|_| session.beside())).await;
        beside.extend(opened.into_iter().flatten());
    }
}

impl Link {
    /// The channel that stages the file of that number. One file stays in one channel: its handle is known there only.
    fn channel(&self, number: usize) -> Result<&Session, Failed> {
        match self {
            Self::Open { session, beside } => Ok(match number % (beside.len() + 1) {
                0 => session,
                other => beside.get(other - 1).unwrap_or(session),
            }),
            Self::Failed(outcome) => Err(Failed {
                outcome: outcome.clone(),
                broke: false,
            }),
            Self::Closed => Err(Failed::gone()),
        }
    }
}

pub(super) async fn close(link: &mut Link) {
    if let Link::Open { session, .. } = std::mem::replace(link, Link::Closed) {
        session.close().await;
    }
}

/// The messages of a batch and where they go.
pub(super) struct Files<'a> {
    pub(super) claims: &'a [Claim],
    pub(super) messages: &'a [Message],
    pub(super) way: &'a Way<'a>,
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
    pub(super) async fn stage(&self, steps: &mut [Step], link: &mut Link) {
        if steps.len() >= MANY {
            open_beside(link).await;
        }
        let mut broken = false;
        let staged = {
            let mut work: Vec<BoxFuture<'_, Option<Result<Staged, Failed>>>> = Vec::new();
            for (number, step) in steps.iter().enumerate() {
                let loaded = match step {
                    Step::Loaded(loaded) => self.file(number, &loaded.bytes).map(|file| (file, loaded)),
                    _ => None,
                };
                work.push(Box::pin(self.stage_one(loaded, link.channel(number))));
            }
            join_all(work).await
        };
        for (step, staged) in steps.iter_mut().zip(staged) {
            let Some(staged) = staged else { continue };
            match (std::mem::replace(step, Step::Behind), staged) {
                (Step::Loaded(loaded), Ok(staged)) => *step = Step::Staged(loaded, staged),
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

    async fn stage_one(
        &self,
        loaded: Option<(Outgoing<'_>, &Loaded)>,
        channel: Result<&Session, Failed>,
    ) -> Option<Result<Staged, Failed>> {
        let (file, loaded) = loaded?;
        if let Way::Folder(to) = self.way {
            return Some(to.stage(&file).await.map_err(|error| Failed {
                outcome: error.outcome(),
                broke: false,
            }));
        }
        let session = match channel {
            Ok(session) => session,
            Err(failed) => return Some(Err(failed)),
        };
        if loaded.hashed {
            return Some(session.stage(&file).await.map_err(Failed::from));
        }
        let (staged, hash) = tokio::join!(session.stage(&file), loaded.hash());
        Some(match staged {
            Ok(ready @ Staged::Ready { .. }) if hash != file.sha256 => {
                session.abandon(&ready).await;
                Err(Failed::changed(file.sha256))
            }
            staged => staged.map_err(Failed::from),
        })
    }

    /// Gives all that are marked their final names, in their order: requests are sent one behind the other, and a
    /// server answers them so.
    pub(super) async fn publish(&self, steps: &mut [Step], link: &mut Link) {
        let mut broken = false;
        let published = {
            let mut work: Vec<BoxFuture<'_, Option<Result<String, Failed>>>> = Vec::new();
            for (number, step) in steps.iter().enumerate() {
                let ready = match step {
                    Step::Staged(loaded, staged) => {
                        self.file(number, &loaded.bytes).map(|file| (file, staged))
                    }
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
            (_, Link::Open { session, .. }) => session.publish(&file, staged).await.map_err(Failed::from),
            _ => Err(Failed::gone()),
        })
    }

    /// Takes the hidden files away of those that were held back; what cannot be, the next attempt clears.
    pub(super) async fn clear_behind(&self, steps: &[Step], link: &Link) {
        let Link::Open { session, .. } = link else { return };
        for ((claim, message), step) in self.claims.iter().zip(self.messages).zip(steps) {
            if matches!(step, Step::Behind) {
                let partial = PartialName::new(&message.remote_name, &message.sha256, claim.attempt);
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

impl Loaded {
    /// SHA-256 of the bytes, made beside everything else; nothing that is a hash when it could not be made.
    async fn hash(&self) -> String {
        let bytes = Arc::clone(&self.bytes);
        tokio::task::spawn_blocking(move || sha256_hex(&bytes))
            .await
            .unwrap_or_default()
    }
}

impl Failed {
    /// Our own bytes are not what they were.
    fn changed(sha256: &str) -> Self {
        Self {
            outcome: Outcome::Refused {
                why: format!("blob {sha256}: its bytes have changed"),
            },
            broke: false,
        }
    }

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
