//! One token for all processes, kept sealed in the store: refresh tokens that work once, and logins of which the newest
//! ends the others.
//!
//! Whoever holds the row's lease asks; the others wait and read what came. A process that dies in between leaves a
//! request whose fate nobody knows: the token is tried once more (if the server has used it up, its successor died with
//! that process), and when it is refused the row says `lost`, which only a new authorisation ends.

use std::time::Duration as Span;

use chrono::{DateTime, Duration, Utc};

use super::shared::Shared;
use super::token::{Denied, Granted};
use super::vault::{Kept, Vault};
use super::{Client, Failure, FailureKind, Token};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::template::{Part, Template};
use crate::secret::Secret;
use crate::store::work::credential::{self, Claim, Credential, Key, State};
use crate::store::{StoreError, Tx};

/// Between two looks at a row that another process holds.
const LOOK: Span = Span::from_millis(50);
/// A lease outlives the longest request by this much.
const MARGIN: Duration = Duration::seconds(30);
/// Storing what the server gave is tried this often before the process goes on with it in memory only.
const SAVES: u32 = 20;
const BETWEEN_SAVES: Span = Span::from_millis(500);

/// One look at the row.
enum Look {
    Good(Kept),
    Busy { owner: String },
    Free { fence: i64 },
}

/// What one attempt came to.
enum Came {
    Granted(Granted),
    /// Wait, then again; somebody else may try meanwhile.
    Again(Failure, Option<super::send::RawAnswer>),
    Stop(Failure),
}

impl Client {
    pub(super) async fn kept_token(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        stale: Option<&Secret>,
    ) -> Result<Token, Failure> {
        let Some(shared) = self.shared.get() else {
            return Err(Failure::new(
                FailureKind::Configuration,
                "this source's token is kept in the database, and there is none here",
            ));
        };
        let context = format!("{}/{}", shared.account, bound.source);
        let vault = Vault::new(&root(bound)?, &context)
            .map_err(|error| Failure::new(FailureKind::Configuration, error.to_string()))?;
        let key = Key {
            account: shared.account.clone(),
            source: bound.source.clone(),
            origin: vault.origin.clone(),
        };
        let attempts = bound.definition.file.retry.attempts;
        let patience = bound.timeout + MARGIN.to_std().unwrap_or_default();
        let (mut attempt, mut waited) = (0, Span::ZERO);
        loop {
            let fence = match self.look(shared, &vault, &key, bound, clock, stale).await? {
                Look::Good(kept) => {
                    return Ok(Token {
                        value: kept.token,
                        until: kept.until,
                    });
                }
                Look::Busy { owner } => {
                    if waited >= patience {
                        return Err(Failure::new(
                            FailureKind::Unreachable,
                            format!(
                                "process {owner} has been asking for a token for {} s",
                                waited.as_secs()
                            ),
                        ));
                    }
                    // Others ask in real time, whatever this clock does.
                    tokio::time::sleep(LOOK).await;
                    waited += LOOK;
                    continue;
                }
                Look::Free { fence } => fence,
            };
            let lease = Duration::from_std(bound.timeout).unwrap_or(MARGIN) + MARGIN;
            let during = (clock.now(), lease);
            let claimed = shared
                .write(async |tx| credential::claim(tx, &key, fence, &shared.owner, during).await)
                .await
                .map_err(|error| unstored(&error))?;
            let Some(claim) = claimed else { continue };
            attempt += 1;
            match self.ask_kept(shared, &vault, &key, bound, clock, &claim).await {
                Came::Granted(granted) => {
                    return Ok(Token {
                        value: granted.token,
                        until: granted.until,
                    });
                }
                Came::Stop(failure) => return Err(failure),
                Came::Again(failure, raw) => {
                    self.wait_after(bound, clock, (attempts, attempt), (failure, raw), &[])
                        .await?;
                }
            }
        }
    }

    async fn look(
        &self,
        shared: &Shared,
        vault: &Vault,
        key: &Key,
        bound: &Bound,
        clock: &dyn Clock,
        stale: Option<&Secret>,
    ) -> Result<Look, Failure> {
        let row = shared
            .read(async |tx| credential::read(tx, key).await)
            .await
            .map_err(|error| unstored(&error))?;
        let Some(row) = row else {
            return Ok(Look::Free { fence: 0 });
        };
        match row.state {
            State::Lost => Err(lost(bound, row.unclear_at)),
            State::Asking if row.lease_until.is_some_and(|until| until > clock.now()) => Ok(Look::Busy {
                owner: row.owner.unwrap_or_default(),
            }),
            State::Asking => Ok(Look::Free { fence: row.fence }),
            State::Ready => Ok(match open(vault, &row)? {
                Some(kept) if stale != Some(&kept.token) && kept.until > self.now(clock) => Look::Good(kept),
                _ => Look::Free { fence: row.fence },
            }),
        }
    }

    /// Asks once, under a claim, and leaves the row as the answer says.
    async fn ask_kept(
        &self,
        shared: &Shared,
        vault: &Vault,
        key: &Key,
        bound: &Bound,
        clock: &dyn Clock,
        claim: &Claim,
    ) -> Came {
        let refresh = match refresh_token(bound, vault, claim) {
            Ok(refresh) => refresh,
            Err(failure) => return Came::Stop(failure),
        };
        let rotating = bound.definition.file.auth.rotating.is_some();
        let now = clock.now();
        let (came, left) = match self.ask_token(bound, clock, refresh.as_ref()).await {
            Ok(granted) => {
                self.save(shared, vault, key, bound, claim, &granted, clock).await;
                return Came::Granted(granted);
            }
            // A token whose fate was not known, and now it is.
            Err(Denied::Credentials(_)) if rotating && claim.unclear_at.is_some() => (
                Came::Stop(lost(bound, claim.unclear_at)),
                (true, claim.unclear_at),
            ),
            Err(Denied::Credentials(failure)) => (Came::Stop(failure), (false, None)),
            Err(Denied::Unclear(failure)) => (Came::Again(failure, None), (false, Some(now))),
            Err(Denied::Said(failure, raw)) => match failure.kind {
                FailureKind::Throttled => (Came::Again(failure, raw), (false, claim.unclear_at)),
                // In trouble after it took the token, or before: who knows.
                FailureKind::Unreachable => (Came::Again(failure, raw), (false, Some(now))),
                // It said yes in words we do not understand.
                FailureKind::WrongSchema => (Came::Stop(failure), (false, Some(now))),
                _ => (Came::Stop(failure), (false, claim.unclear_at)),
            },
        };
        let released = shared
            .write(async |tx| credential::release(tx, key, claim.fence, left, clock.now()).await)
            .await;
        match released {
            Ok(()) => came,
            Err(error) => Came::Stop(unstored(&error)),
        }
    }

    /// Stores the answer. The server has used the old token up: nothing is more important now.
    #[expect(
        clippy::too_many_arguments,
        reason = "a step of `ask_kept`, which has them all"
    )]
    async fn save(
        &self,
        shared: &Shared,
        vault: &Vault,
        key: &Key,
        bound: &Bound,
        claim: &Claim,
        granted: &Granted,
        clock: &dyn Clock,
    ) {
        let kept = Kept {
            token: granted.token.clone(),
            until: granted.until,
            refresh: granted.next.clone(),
        };
        let sealed = match vault.seal(&kept, &self.random) {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::error!(source = %bound.source, error = &error as &dyn std::error::Error, "the new token cannot be sealed: authorise again when this one has run out");
                return;
            }
        };
        for turn in 1..=SAVES {
            let settled = shared
                .write(async |tx| credential::settle(tx, key, claim.fence, &sealed, clock.now()).await)
                .await;
            match settled {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(source = %bound.source, "another process has got a newer token meanwhile");
                    return;
                }
                Err(error) => {
                    tracing::warn!(source = %bound.source, turn, error = &error as &dyn std::error::Error, "the new token is not stored yet");
                    tokio::time::sleep(BETWEEN_SAVES).await;
                }
            }
        }
        tracing::error!(source = %bound.source, "the new token could not be stored: if the source refuses the next refresh, authorise again");
    }
}

impl Shared {
    async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tx = self.store.read().await?;
        work(&mut tx).await
    }

    async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tx = self.store.write().await?;
        let done = work(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }
}

/// What the seal is derived from: the first refresh token, or every secret of a login. A client secret that is renewed
/// must not lose the refresh token, so it is not among them.
fn root(bound: &Bound) -> Result<String, Failure> {
    match &bound.definition.file.auth.rotating {
        Some(rotating) => first(bound, rotating.first.get_ref()).map(|first| first.expose().to_owned()),
        None => Ok(bound
            .given
            .secrets
            .iter()
            .map(|(name, secret)| format!("{name}={}\n", secret.expose()))
            .collect()),
    }
}

fn first(bound: &Bound, text: &str) -> Result<Secret, Failure> {
    bound
        .given
        .fill_text(text)
        .map(Secret::new)
        .map_err(|why| Failure::new(FailureKind::Configuration, why))
}

/// The refresh token to send: the newest, else the one the authorisation gave.
fn refresh_token(bound: &Bound, vault: &Vault, claim: &Claim) -> Result<Option<Secret>, Failure> {
    let Some(rotating) = &bound.definition.file.auth.rotating else {
        return Ok(None);
    };
    let newest = match &claim.sealed {
        Some(sealed) => vault.open(sealed).map_err(|error| damaged(&error))?.refresh,
        None => None,
    };
    newest
        .map_or_else(|| first(bound, rotating.first.get_ref()), Ok)
        .map(Some)
}

fn open(vault: &Vault, row: &Credential) -> Result<Option<Kept>, Failure> {
    row.sealed
        .as_deref()
        .map(|sealed| vault.open(sealed).map_err(|error| damaged(&error)))
        .transpose()
}

fn damaged(error: &super::vault::VaultError) -> Failure {
    Failure::new(FailureKind::Configuration, error.to_string())
}

fn unstored(error: &StoreError) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        format!("the token that all processes share cannot be read or stored: {error}"),
    )
}

fn lost(bound: &Bound, unclear_at: Option<DateTime<Utc>>) -> Failure {
    let rotating = bound.definition.file.auth.rotating.as_ref();
    let names: Vec<String> = rotating
        .and_then(|rotating| Template::parse(rotating.first.get_ref()).ok())
        .iter()
        .flat_map(Template::parts)
        .filter_map(|part| match part {
            Part::Secret(name) => Some(format!("`{name}`")),
            _ => None,
        })
        .collect();
    let at = unclear_at.map_or_else(String::new, |at| {
        format!(" at {}", at.format("%Y-%m-%d %H:%M:%S UTC"))
    });
    Failure::new(
        FailureKind::TokenLost,
        format!(
            "the refresh token, which works once, was sent{at}, its answer never arrived, and the source takes it no more: \
             authorise again and give the new refresh token as secret {}",
            names.join(", ")
        ),
    )
}
