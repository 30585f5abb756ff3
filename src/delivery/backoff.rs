//! When to try again.

use chrono::Duration;

use crate::digest::sha256_hex;

/// Doubles from `first` up to `longest`. A quarter of each wait is taken from the key and the attempt, so that a
/// hundred messages refused at once do not come back at once, and the same run waits the same time twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::seconds(20),
            longest: Duration::minutes(30),
        }
    }
}

impl Backoff {
    /// The wait after attempt number `attempt` (the first is 1).
    #[must_use]
    pub fn delay(&self, key: &str, attempt: u32) -> Duration {
        let first = self.first.num_milliseconds().max(1);
        let longest = self.longest.num_milliseconds().max(first);
        let doublings = attempt.saturating_sub(1).min(40);
        let whole = first.saturating_mul(1_i64 << doublings).min(longest);
        let spread = whole / 4;
        let draw = sha256_hex(format!("{key}\n{attempt}").as_bytes());
        let draw = i64::from_str_radix(draw.get(..12).unwrap_or("0"), 16).unwrap_or(0);
        let cut = if spread == 0 { 0 } else { draw % (spread + 1) };
        Duration::milliseconds(whole - cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wait_is_between_three_quarters_and_all_of_its_step(key in ".{0,40}", attempt in 0_u32..200) {
            let backoff = Backoff::default();
            let step = (20_000_i64 << attempt.saturating_sub(1).min(20)).min(1_800_000);
            let wait = backoff.delay(&key, attempt).num_milliseconds();
            prop_assert!(wait <= step && wait >= step - step / 4);
            prop_assert_eq!(wait, backoff.delay(&key, attempt).num_milliseconds());
        }
    }

    #[test]
    fn neighbours_do_not_come_back_together() {
        let backoff = Backoff::default();
        let mut waits: Vec<i64> = (0..50)
            .map(|n| backoff.delay(&format!("message-{n}"), 4).num_milliseconds())
            .collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 45, "{} different waits of 50", waits.len());
    }
}
