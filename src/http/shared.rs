//! The pace that all processes of one database keep together: token buckets and places live in the store.

use std::sync::PoisonError;
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::{Client, Failure, FailureKind, Session};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::bucket::{Bucket, Pace, Rate};
use crate::connector::definition::Cost;
use crate::ids::AccountId;
use crate::store::work::quota::{self, Told};
use crate::store::work::slots::{self, SlotLease};
use crate::store::{Store, StoreError};

/// Where the pace is kept, and for whom.
pub(super) struct Shared {
    pub store: Store,
    pub account: AccountId,
    pub owner: String,
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
            let now = self.now(clock);
            let shared = self.shared.get();
            let wait = match (pace, shared) {
                (Pace::Bucket(rate), shared) => {
                    let own = session.bucket(name, rate, |bucket| bucket.take(now));
                    let all = match shared {
                        None => Duration::ZERO,
                        Some(shared) => told(bound, shared.take(bound, now, (name, rate)).await),
                    };
                    all.max(own.to_std().unwrap_or_default())
                }
                // Days and points are counted for all processes, or not at all.
                (Pace::Daily(_) | Pace::Cost(_), None) => Duration::ZERO,
                (Pace::Daily(per_day), Some(shared)) => {
                    shared.take_daily(bound, now, (name, per_day)).await?;
                    Duration::ZERO
                }
                (Pace::Cost(_), Some(shared)) => told(bound, shared.spend(bound, now, name).await),
            };
            longest = longest.max(wait);
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
        bound: &Bound,
        clock: &dyn Clock,
        limits: &[String],
        json: Option<&Json>,
        good: bool,
    ) {
        let Some(shared) = self.shared.get() else { return };
        for (name, pace) in paces(bound, limits) {
            let Pace::Cost(cost) = pace else { continue };
            let Some(told) = points(&cost, json, good) else {
                continue;
            };
            if let Err(error) = shared.learn(bound, self.now(clock), name, told).await {
                tracing::warn!(source = %bound.source, error = &error as &dyn std::error::Error, "the points are not shared");
            }
        }
    }

    /// Waits for one of the places that the definition allows at the source, if it says how many.
    pub(super) async fn place(&self, bound: &Bound, clock: &dyn Clock) -> Result<Option<SlotLease>, Failure> {
        let (Some(shared), Some(places)) = (self.shared.get(), bound.definition.file.http().parallel) else {
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

/// The points an answer tells; None when it does not.
fn points(cost: &Cost, json: Option<&Json>, good: bool) -> Option<Told> {
    let at = |path: &str| -> Option<i64> {
        let text = crate::connector::text_at(json, path).ok().flatten()?;
        let thousandths = text
            .trim()
            .parse::<Decimal>()
            .ok()?
            .checked_mul(Decimal::ONE_THOUSAND)?;
        i64::try_from(thousandths.trunc())
            .ok()
            .filter(|points| *points >= 0)
    };
    let requested = at(&cost.requested).unwrap_or(i64::from(cost.first) * 1000);
    Some(Told {
        available: at(&cost.available)?,
        maximum: at(&cost.maximum)?,
        restore: at(&cost.restore).filter(|restore| *restore > 0)?,
        requested,
        // A call that was not let in has cost nothing.
        actual: at(&cost.actual).unwrap_or(if good { requested } else { 0 }),
    })
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

    /// Counts a call of the civil day, or says that none is left.
    async fn take_daily(
        &self,
        bound: &Bound,
        now: Instant,
        (name, per_day): (&str, u32),
    ) -> Result<(), Failure> {
        let limit = bound.definition.file.limits.get(name);
        let zone = limit
            .and_then(|limit| limit.zone.as_ref())
            .map(|zone| zone.get_ref().as_str());
        let zone = bound.given.fill_text(zone.unwrap_or("UTC")).unwrap_or_default();
        let zone: chrono_tz::Tz = zone.parse().map_err(|_| {
            Failure::new(
                FailureKind::Configuration,
                format!("limit `{name}`: `{zone}` is no time zone"),
            )
        })?;
        let day = crate::calendar::civil_day(now, zone);
        let of = (&bound.source, name);
        let taken = async {
            let mut tx = self.store.write().await?;
            let used = quota::take_daily(&mut tx, &self.account, of, day, per_day).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(used)
        };
        match taken.await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Failure::new(
                FailureKind::Throttled,
                format!(
                    "all {per_day} calls a day of `{name}` are used; the next day begins at midnight, {zone}"
                ),
            )),
            Err(error) => {
                tracing::warn!(source = %bound.source, error = &error as &dyn std::error::Error, "the call is not counted");
                Ok(())
            }
        }
    }

    async fn spend(&self, bound: &Bound, now: Instant, name: &str) -> Result<chrono::Duration, StoreError> {
        let mut tx = self.store.write().await?;
        let wait = quota::spend(&mut tx, &self.account, (&bound.source, name), now).await?;
        tx.commit().await?;
        Ok(wait)
    }

    async fn learn(&self, bound: &Bound, now: Instant, name: &str, told: Told) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        quota::learn(&mut tx, &self.account, (&bound.source, name), told, now).await?;
        tx.commit().await
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
