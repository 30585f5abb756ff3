//! The pace that all processes of one database keep together: token buckets and places live in the store.

use std::time::Duration;

use super::{Client, Failure, FailureKind};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::definition::Limit;
use crate::ids::AccountId;
use crate::store::work::slots::{self, Rate, SlotLease};
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

    /// How long to wait for the token just taken from the bucket that all processes share. Without the store the
    /// process keeps to its own bucket: pages cannot be stored then either.
    pub(super) async fn shared_turn(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        (name, limit): (&str, Limit),
    ) -> Duration {
        let Some(shared) = self.shared.get() else {
            return Duration::ZERO;
        };
        match shared.take(bound, self.now(clock), (name, limit)).await {
            Ok(wait) => wait.to_std().unwrap_or_default(),
            Err(error) => {
                tracing::warn!(source = %bound.source, error = &error as &dyn std::error::Error, "no token from the shared bucket");
                Duration::ZERO
            }
        }
    }

    /// The server asked for a rest: nobody asks it before that is over.
    pub(super) async fn shared_rest(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        limit: Option<&str>,
        wait: Duration,
    ) {
        let known = limit.and_then(|name| bound.definition.file.limits.get_key_value(name));
        let (Some(shared), Some((name, limit))) = (self.shared.get(), known) else {
            return;
        };
        if let Err(error) = shared.hold(bound, self.now(clock), (name, *limit), wait).await {
            tracing::warn!(source = %bound.source, error = &error as &dyn std::error::Error, "the rest is not shared");
        }
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

fn rate(limit: Limit) -> Rate {
    // Rounded up, so that the rate is never exceeded by the rounding.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float becomes the nearest integer in range, and a rate is no count"
    )]
    let micros = (1e6 / limit.rate).ceil().min(1e15) as i64;
    Rate {
        interval: chrono::Duration::microseconds(micros),
        burst: limit.burst,
    }
}

type Instant = chrono::DateTime<chrono::Utc>;

impl Shared {
    async fn take(
        &self,
        bound: &Bound,
        now: Instant,
        (name, limit): (&str, Limit),
    ) -> Result<chrono::Duration, StoreError> {
        let mut tx = self.store.write().await?;
        let of = (&bound.source, name);
        let wait = slots::take(&mut tx, &self.account, of, &rate(limit), now).await?;
        tx.commit().await?;
        Ok(wait)
    }

    async fn hold(
        &self,
        bound: &Bound,
        now: Instant,
        (name, limit): (&str, Limit),
        wait: Duration,
    ) -> Result<(), StoreError> {
        let until = now + chrono::Duration::from_std(wait).unwrap_or_default();
        let of = (&bound.source, name);
        let mut tx = self.store.write().await?;
        slots::hold(&mut tx, &self.account, of, &rate(limit), (now, until)).await?;
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
