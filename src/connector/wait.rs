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
    let asked = retry
        .wait_headers
        .iter()
        .find_map(|name| retry_after(&header(name)?, now))
        .or_else(|| reset(retry, header, now))
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

/// The rest that a good answer asks for, because few requests are left.
#[must_use]
pub fn rest(retry: &Retry, header: &dyn Fn(&str) -> Option<String>, now: DateTime<Utc>) -> Option<Duration> {
    let remaining = retry.remaining.as_ref()?;
    let left: f64 = header(&remaining.header)?.trim().parse().ok()?;
    if left.is_nan() || left >= f64::from(remaining.keep) {
        return None;
    }
    let longest = Duration::from_secs(retry.longest_wait_seconds);
    let rest = reset(retry, header, now).unwrap_or(Duration::from_millis(remaining.rest_ms));
    Some(rest.min(longest))
}

fn reset(retry: &Retry, header: &dyn Fn(&str) -> Option<String>, now: DateTime<Utc>) -> Option<Duration> {
    let name = retry.reset_header.as_deref()?;
    until(&header(name)?, now)
}

/// Unix milliseconds, Unix seconds, seconds from now (told apart by their size), or a date.
fn until(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return match number {
            number if !number.is_finite() || number < 0.0 => None,
            number if number >= 1e11 => passed(number / 1e3, now),
            number if number >= 1e9 => passed(number, now),
            number => Duration::try_from_secs_f64(number).ok(),
        };
    }
    date(text, now)
}

/// From now to a moment in Unix seconds.
fn passed(unix: f64, now: DateTime<Utc>) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "a wait is exact to the microsecond")]
    let now = now.timestamp_micros() as f64 / 1e6;
    Duration::try_from_secs_f64((unix - now).max(0.0)).ok()
}

/// From now to a date as HTTP or RFC 3339 writes it. One that has passed is no wait.
fn date(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let at = DateTime::parse_from_rfc2822(text)
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .ok()?;
    Some((at.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

/// Seconds (with decimals, too), or a date.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Duration::try_from_secs_f64(seconds).ok(),
        Ok(_) => None,
        Err(_) => date(text, now),
    }
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
    fn a_reset_time_is_unix_seconds_or_milliseconds_a_date_or_seconds_from_now() {
        let now = DateTime::parse_from_rfc3339("2026-10-21T07:28:00Z")
            .unwrap()
            .with_timezone(&Utc);
        let unix = now.timestamp();
        for text in [
            (unix + 5).to_string(),
            ((unix + 5) * 1000).to_string(),
            "5".to_owned(),
            "2026-10-21T07:28:05Z".to_owned(),
            "Wed, 21 Oct 2026 07:28:05 GMT".to_owned(),
        ] {
            assert_eq!(until(&text, now), Some(Duration::from_secs(5)), "{text}");
        }
        assert_eq!(until(&(unix - 5).to_string(), now), Some(Duration::ZERO));
        for nonsense in ["string", "", "NaN", "-3", "inf"] {
            assert_eq!(until(nonsense, now), None, "{nonsense}");
        }
    }

    #[test]
    fn few_requests_left_ask_for_a_rest_and_nonsense_asks_for_none() {
        use crate::connector::definition::Remaining;
        let retry = Retry {
            remaining: Some(Remaining {
                header: "x-remaining-calls".to_owned(),
                keep: 5,
                rest_ms: 700,
            }),
            ..Retry::default()
        };
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let with = |left: &str| rest(&retry, &|_| Some(left.to_owned()), now);
        assert_eq!(with("4"), Some(Duration::from_millis(700)));
        for enough in ["5", "149", "string", "", "NaN"] {
            assert_eq!(with(enough), None, "{enough}");
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
