//! Token buckets: never above the published rate and burst, whoever asks and however often.

use chrono::{DateTime, Duration, Utc};

use super::definition::Limit;

/// A bucket that hands out places in time: a taken place is reserved, and the caller waits until it comes.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Between two tokens.
    interval: Duration,
    /// `burst - 1` intervals: how far reservations may run ahead of the clock.
    slack: Duration,
    /// When the bucket would be full again but for one token.
    next: Option<DateTime<Utc>>,
}

impl Bucket {
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        // Rounded up, so that the rate is never exceeded by the rounding.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float becomes the nearest integer in range, and a rate is no count"
        )]
        let nanos = (1e9 / limit.rate).ceil().min(1e18) as i64;
        let interval = Duration::nanoseconds(nanos);
        Self {
            interval,
            slack: interval * i32::try_from(limit.burst.saturating_sub(1)).unwrap_or(i32::MAX),
            next: None,
        }
    }

    /// Takes one token and says how long to wait before using it.
    pub fn take(&mut self, now: DateTime<Utc>) -> Duration {
        let next = self.next.map_or(now, |next| next.max(now));
        self.next = Some(next + self.interval);
        (next - self.slack - now).max(Duration::zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// In any span, at most burst + rate × span requests go out.
        #[test]
        fn never_above_rate_and_burst(rate in 0.01_f64..20.0, burst in 1_u32..30, gaps in prop::collection::vec(0_i64..30_000, 1..80)) {
            let mut bucket = Bucket::new(Limit { rate, burst });
            let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
            let mut now = start;
            let mut sent = Vec::new();
            for gap in gaps {
                now += Duration::milliseconds(gap);
                sent.push(now + bucket.take(now));
            }
            for (index, first) in sent.iter().enumerate() {
                for (count, last) in sent[index..].iter().enumerate() {
                    let seconds = (*last - *first).num_nanoseconds().unwrap() as f64 / 1e9;
                    prop_assert!((count as f64) < f64::from(burst) + rate * seconds + 1e-6);
                }
            }
        }
    }

    #[test]
    fn a_full_bucket_lets_the_burst_through_at_once() {
        let mut bucket = Bucket::new(Limit { rate: 2.0, burst: 2 });
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let waits: Vec<i64> = (0..4).map(|_| bucket.take(now).num_milliseconds()).collect();
        assert_eq!(waits, [0, 0, 500, 1000]);
    }
}
