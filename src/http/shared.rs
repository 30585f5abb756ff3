//! The pace that all processes of one database keep together: token buckets and places live in the store.

use std::sync::PoisonError;
use std::time::Duration;

use serde_json::Value as Json;

use super::{Client, Failure, FailureKind, Session};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::bucket::{Bucket, Pace, Rate};
use crate::ids::AccountId;
use crate::store::work::slots::{self, SlotLease};
use crate::store::{Store, StoreError};

/// Where the pace is kept, and for whom.
pub(super) struct Shared {
    store: Store,
    account: AccountId,
    owner: String,
}

/// Between two looks for a free place.
const LOOK: Duration = Duration::from_millis(50);
/// A place outlives the longest request by this much.
const MARGIN: Duration = Duration::from_secs(30);

impl Session {
    fn bucket<T>(&self, name: &str, rate: Rate, change: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        change(
            buckets
                .entry(name.to_owned())
                .or_insert_with(|| Bucket::new(rate)),
        )
    }
}

impl Client {
    /// From here on the limits of every source hold for all processes that work on this store. Only the first call
    /// counts.
    pub fn share(&self, store: &Store, account: &AccountId, owner: impl Into<String>) {
        let _ = self.shared.set(Shared {
            store: store.clone(),
            account: account.clone(),
            owner: owner.into(),
        });
    }

    /// Takes a turn in every limit of a call, and waits until the last of them has come.
    pub(super) async fn take_turns(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        session: &Session,
        limits: &[String],
    ) -> Result<(), Failure> {
        let mut longest = Duration::ZERO;
        for (name, pace) in paces(bound, limits) {
            if let Pace::Bucket(rate) = pace {
                let own = session.bucket(name, rate, |bucket| bucket.take(self.now(clock)));
                let shared = match self.shared.get() {
                    None => Duration::ZERO,
                    Some(shared) => told(bound, shared.take(bound, self.now(clock), (name, rate)).await),
                };
                longest = longest.max(shared).max(own.to_std().unwrap_or_default());
            }
        }
        self.pause(longest).await;
        Ok(())
    }

    /// The server asked for a rest: nobody asks it before that is over.
    pub(super) async fn hold_all(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        session: &Session,
        limits: &[String],
        rest: Duration,
    ) {
        let now = self.now(clock);
        let until = now + chrono::Duration::from_std(rest).unwrap_or_default();
        for (name, pace) in paces(bound, limits) {
            let Pace::Bucket(rate) = pace else { continue };
            session.bucket(name, rate, |bucket| bucket.hold(until));
            let Some(shared) = self.shared.get() else { continue };
            if let Err(error) = shared.hold(bound, now, (name, rate), until).await {
                tracing::warn!(source = %bound.source, error = &error as &dyn std::error::Error, "the rest is not shared");
            }
        }
    }

    /// Notes what an answer says about points.
    pub(super) async fn learn(
        &self,
        _bound: &Bound,
        _clock: &dyn Clock,
        _session: &Session,
        _limits: &[String],
        _json: Option<&Json>,
    ) {
    }

    /// Waits for one of the places that the definition allows at the source, if it says how many.
    pub(super) async fn place(&self, bound: &Bound, clock: &dyn Clock) -> Result<Option<SlotLease>, Failure> {
        let (Some(shared), Some(places)) = (self.shared.get(), bound.definition.file.http.parallel) else {
            return Ok(None);
        };
        let patience = Duration::from_secs(bound.definition.file.retry.longest_wait_seconds);
        let mut waited = Duration::ZERO;
        loop {
            match shared.acquire(bound, clock, places).await {
                Ok(Some(place)) => return Ok(Some(place)),
                Ok(None) if waited >= patience => {
                    return Err(Failure::new(
                        FailureKind::Throttled,
                        format!(
                            "all {places} places at `{}` are taken, after {} s of waiting",
                            bound.source,
                            waited.as_secs()
                        ),
                    ));
                }
                Ok(None) => {}
                // The source may end a session that has too many requests: without a place nothing is sent.
                Err(error) => {
                    return Err(Failure::new(
                        FailureKind::Throttled,
                        format!("no place at `{}` can be had: {error}", bound.source),
                    ));
                }
            }
            // Others hold the places in real time, whatever this clock does.
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }

    pub(super) async fn give_back(&self, place: Option<SlotLease>) {
        let (Some(shared), Some(place)) = (self.shared.get(), place) else {
            return;
        };
        if let Err(error) = shared.release(&place).await {
            tracing::warn!(source = %place.source, error = &error as &dyn std::error::Error, "place not given back; its lease ends it");
        }
    }
}

/// The limits that count a call. They were read before, when the file was checked.
fn paces<'a>(bound: &'a Bound, limits: &'a [String]) -> impl Iterator<Item = (&'a str, Pace)> {
    limits.iter().filter_map(|name| {
        let limit = bound.definition.file.limits.get(name)?;
        Some((name.as_str(), Pace::of(limit).ok()?))
    })
}

/// Without the store the process keeps to its own bucket: pages cannot be stored then either.
fn told(bound: &Bound, wait: Result<chrono::Duration, StoreError>) -> Duration {
    match wait {
        Ok(wait) => wait.to_std().unwrap_or_default(),
        Err(error) => {
            tracing::warn!(source = %bound.source, error = &error as &dyn std::error::Error, "no token from the shared bucket");
            Duration::ZERO
        }
    }
}

fn stored(rate: Rate) -> slots::Rate {
    slots::Rate {
        interval: rate.interval,
        burst: rate.burst,
    }
}

type Instant = chrono::DateTime<chrono::Utc>;

impl Shared {
    async fn take(
        &self,
        bound: &Bound,
        now: Instant,
        (name, rate): (&str, Rate),
    ) -> Result<chrono::Duration, StoreError> {
        let mut tx = self.store.write().await?;
        let of = (&bound.source, name);
        let wait = slots::take(&mut tx, &self.account, of, &stored(rate), now).await?;
        tx.commit().await?;
        Ok(wait)
    }

    async fn hold(
        &self,
        bound: &Bound,
        now: Instant,
        (name, rate): (&str, Rate),
        until: Instant,
    ) -> Result<(), StoreError> {
        let of = (&bound.source, name);
        let mut tx = self.store.write().await?;
        slots::hold(&mut tx, &self.account, of, &stored(rate), (now, until)).await?;
        tx.commit().await
    }

    async fn acquire(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        places: u32,
    ) -> Result<Option<SlotLease>, StoreError> {
        let lease = chrono::Duration::from_std(bound.timeout + MARGIN).unwrap_or(chrono::Duration::MAX);
        let during = (clock.now(), lease);
        let mut tx = self.store.write().await?;
        let source = &bound.source;
        let place = slots::acquire(&mut tx, &self.account, source, places, &self.owner, during).await?;
        tx.commit().await?;
        Ok(place)
    }

    async fn release(&self, place: &SlotLease) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        slots::release(&mut tx, place).await?;
        tx.commit().await
    }
}
