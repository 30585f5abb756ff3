//! How long to wait before the next attempt: as the server says, else longer each time, with seeded jitter.

use chrono::{DateTime, Utc};
use std::time::Duration;

use super::definition::Retry;

/// What the wait was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    For(Duration),
    /// The server asks for more patience than the definition allows.
    TooLong(Duration),
}

/// The wait after attempt number `attempt` (the first is 1).
#[must_use]
pub fn wait(
    retry: &Retry,
    header: &dyn Fn(&str) -> Option<String>,
    attempt: u32,
    seed: u64,
    now: DateTime<Utc>,
) -> Wait {
    let longest = Duration::from_secs(retry.longest_wait_seconds);
    let asked = header("retry-after")
        .and_then(|text| retry_after(&text, now))
        .or_else(|| {
            let name = retry.rate_header.as_deref()?;
            reciprocal(&header(name)?)
        });
    match asked {
        Some(asked) if asked > longest => Wait::TooLong(asked),
        Some(asked) => Wait::For(asked),
        None => Wait::For(backoff(retry, attempt, seed).min(longest)),
    }
}

/// `Retry-After`: seconds, or an HTTP date. A date that has passed is no wait.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some((at.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

/// One over requests per second. The header may hold anything.
fn reciprocal(text: &str) -> Option<Duration> {
    let rate: f64 = text.trim().parse().ok()?;
    (rate.is_finite() && rate > 0.0)
        .then(|| Duration::try_from_secs_f64(1.0 / rate).ok())
        .flatten()
}

/// Doubles each time; between half and the whole of it, by a seed, so that many sources do not come back at once and a
/// replay waits the same.
fn backoff(retry: &Retry, attempt: u32, seed: u64) -> Duration {
    let whole = retry
        .first_wait_ms
        .saturating_mul(1_u64 << attempt.saturating_sub(1).min(20));
    let half = whole / 2;
    let jitter = mix(seed.wrapping_add(u64::from(attempt))) % (whole - half + 1);
    Duration::from_millis(half + jitter)
}

/// A bijection that spreads neighbouring numbers over all 64 bits (the finaliser of SplitMix64).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry() -> Retry {
        Retry {
            rate_header: Some("x-rate".to_owned()),
            ..Retry::default()
        }
    }

    fn with(name: &str, value: &str) -> Wait {
        let now = DateTime::parse_from_rfc3339("2026-10-21T07:28:00Z")
            .unwrap()
            .with_timezone(&Utc);
        wait(
            &retry(),
            &|asked| (asked == name).then(|| value.to_owned()),
            1,
            7,
            now,
        )
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(with("retry-after", "3"), Wait::For(Duration::from_secs(3)));
        assert_eq!(
            with("retry-after", "Wed, 21 Oct 2026 07:28:05 GMT"),
            Wait::For(Duration::from_secs(5))
        );
        assert_eq!(
            with("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT"),
            Wait::For(Duration::ZERO)
        );
        assert_eq!(
            with("retry-after", "86400"),
            Wait::TooLong(Duration::from_secs(86_400))
        );
    }

    #[test]
    fn a_rate_header_is_turned_over_and_nonsense_in_it_falls_back() {
        assert_eq!(with("x-rate", "0.5"), Wait::For(Duration::from_secs(2)));
        for nonsense in ["string", "0", "-1", "NaN", "inf", ""] {
            assert!(
                matches!(with("x-rate", nonsense), Wait::For(wait) if wait <= Duration::from_millis(500))
            );
        }
    }

    #[test]
    fn backoff_doubles_within_its_bounds_and_repeats_for_the_same_seed() {
        for attempt in 1..12 {
            let wait = backoff(&retry(), attempt, 42);
            let whole = 500 << (attempt - 1);
            assert!((whole / 2..=whole).contains(&u64::try_from(wait.as_millis()).unwrap()));
            assert_eq!(wait, backoff(&retry(), attempt, 42));
        }
    }
}
