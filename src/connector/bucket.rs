//! Token buckets: never above the published rate and burst, whoever asks and however often.

use chrono::{DateTime, Duration, Utc};

use super::definition::{Cost, Limit};

/// A limit that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace {
    Bucket(Rate),
    /// Requests per civil day.
    Daily(u32),
    Cost(Cost),
}

/// A bucket's measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Between two tokens.
    pub interval: Duration,
    /// How many at once after a rest.
    pub burst: u32,
}

impl Rate {
    /// The moment from which the `count`-th request (from 1) may go, counted from a full bucket.
    #[must_use]
    pub fn after(&self, count: u64) -> Duration {
        let waited = count.saturating_sub(u64::from(self.burst.max(1)));
        let micros = self.interval.num_microseconds().unwrap_or(i64::MAX);
        Duration::microseconds(micros.saturating_mul(i64::try_from(waited).unwrap_or(i64::MAX)))
    }
}

impl Pace {
    /// # Errors
    /// What is wanted instead.
    pub fn of(limit: &Limit) -> Result<Self, &'static str> {
        let bucket = limit.rate.is_some() || (limit.burst.is_some() && limit.requests.is_none());
        let window = limit.requests.is_some() || limit.seconds.is_some();
        let said = [bucket, window, limit.per_day.is_some(), limit.cost.is_some()];
        if said.into_iter().filter(|said| *said).count() != 1 {
            return Err("one of `rate` and `burst`, `requests` and `seconds`, `per_day`, `cost`");
        }
        if let Some(cost) = &limit.cost {
            return Ok(Self::Cost(cost.clone()));
        }
        if let Some(per_day) = limit.per_day {
            return (per_day > 0)
                .then_some(Self::Daily(per_day))
                .ok_or("at least 1 a day");
        }
        if window {
            return windowed(limit);
        }
        match (limit.rate, limit.burst) {
            (Some(rate), Some(burst)) if rate.is_finite() && rate > 0.0 && burst > 0 => {
                // Rounded up, so that the rate is never exceeded by the rounding.
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a float becomes the nearest integer in range, and a rate is no count"
                )]
                let micros = (1e6 / rate).ceil().min(1e15) as i64;
                Ok(Self::Bucket(Rate {
                    interval: Duration::microseconds(micros),
                    burst,
                }))
            }
            _ => Err("a rate and a burst above 0"),
        }
    }
}

/// So many in any so many seconds: a bucket whose burst and refill together never give more.
///
/// A bucket lets `burst` and one more each interval through. Within `seconds` that is `burst + (seconds / interval) - 1`
/// at most, counted half-open, which is `requests` for this interval.
fn windowed(limit: &Limit) -> Result<Pace, &'static str> {
    let (Some(requests), Some(seconds)) = (limit.requests, limit.seconds) else {
        return Err("`requests` together with `seconds`");
    };
    if requests == 0 || seconds == 0 {
        return Err("at least 1 request in at least 1 second");
    }
    let burst = limit.burst.unwrap_or((requests / 10).max(1));
    if burst == 0 || burst > requests {
        return Err("a burst between 1 and `requests`");
    }
    let span = i64::from(seconds) * 1_000_000;
    let steps = i64::from(requests - burst) + 1;
    Ok(Pace::Bucket(Rate {
        interval: Duration::microseconds((span + steps - 1) / steps),
        burst,
    }))
}

/// A bucket that hands out places in time: a taken place is reserved, and the caller waits until it comes.
#[derive(Debug, Clone)]
pub struct Bucket {
    interval: Duration,
    /// `burst - 1` intervals: how far reservations may run ahead of the clock.
    slack: Duration,
    /// When the bucket would be full again but for one token.
    next: Option<DateTime<Utc>>,
}

impl Bucket {
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            interval: rate.interval,
            slack: rate.interval * i32::try_from(rate.burst.saturating_sub(1)).unwrap_or(i32::MAX),
            next: None,
        }
    }

    /// Takes one token and says how long to wait before using it.
    pub fn take(&mut self, now: DateTime<Utc>) -> Duration {
        let next = self.next.map_or(now, |next| next.max(now));
        self.next = Some(next + self.interval);
        (next - self.slack - now).max(Duration::zero())
    }

    /// No token before this moment.
    pub fn hold(&mut self, until: DateTime<Utc>) {
        let next = until + self.slack;
        self.next = Some(self.next.map_or(next, |known| known.max(next)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(rate: f64, burst: u32) -> Rate {
        let limit = Limit {
            rate: Some(rate),
            burst: Some(burst),
            ..Limit::default()
        };
        match Pace::of(&limit) {
            Ok(Pace::Bucket(rate)) => rate,
            other => panic!("{other:?}"),
        }
    }

    fn sent(mut bucket: Bucket, gaps: Vec<i64>) -> Vec<DateTime<Utc>> {
        let mut now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        gaps.into_iter()
            .map(|gap| {
                now += Duration::milliseconds(gap);
                now + bucket.take(now)
            })
            .collect()
    }

    proptest! {
        /// In any span, at most burst + rate × span requests go out.
        #[test]
        fn never_above_rate_and_burst(per_second in 0.01_f64..20.0, burst in 1_u32..30, gaps in prop::collection::vec(0_i64..30_000, 1..80)) {
            let sent = sent(Bucket::new(rate(per_second, burst)), gaps);
            for (index, first) in sent.iter().enumerate() {
                for (count, last) in sent[index..].iter().enumerate() {
                    let seconds = (*last - *first).num_nanoseconds().unwrap() as f64 / 1e9;
                    prop_assert!((count as f64) < f64::from(burst) + per_second * seconds + 1e-6);
                }
            }
        }

        /// "150 in any minute" is kept in every minute, wherever it begins.
        #[test]
        fn never_more_than_so_many_in_any_window(requests in 1_u32..60, seconds in 1_u32..100, burst in 1_u32..60, gaps in prop::collection::vec(0_i64..3_000, 1..200)) {
            let limit = Limit { requests: Some(requests), seconds: Some(seconds), burst: Some(burst.min(requests)), ..Limit::default() };
            let Ok(Pace::Bucket(rate)) = Pace::of(&limit) else { panic!("a bucket") };
            let sent = sent(Bucket::new(rate), gaps);
            for (index, first) in sent.iter().enumerate() {
                let end = *first + Duration::seconds(i64::from(seconds));
                let inside = sent[index..].iter().filter(|at| **at < end).count();
                prop_assert!(inside <= requests as usize);
            }
        }
    }

    #[test]
    fn a_full_bucket_lets_the_burst_through_at_once() {
        let mut bucket = Bucket::new(rate(2.0, 2));
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let waits: Vec<i64> = (0..4).map(|_| bucket.take(now).num_milliseconds()).collect();
        assert_eq!(waits, [0, 0, 500, 1000]);
        bucket.hold(now + Duration::seconds(60));
        assert_eq!(bucket.take(now).num_milliseconds(), 60_000);
    }

    #[test]
    fn a_limit_is_said_in_exactly_one_way() {
        let both = Limit {
            rate: Some(1.0),
            burst: Some(1),
            per_day: Some(1),
            ..Limit::default()
        };
        assert!(Pace::of(&both).is_err());
        assert!(Pace::of(&Limit::default()).is_err());
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let limit = Limit {
                rate: Some(wrong),
                burst: Some(1),
                ..Limit::default()
            };
            assert!(Pace::of(&limit).is_err());
        }
    }
}
