//! Who tries passwords must wait. Counted in this process; a password takes its time besides.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};

/// Failures are remembered for so long.
const WINDOW_MINUTES: i64 = 15;
/// Of one person from one address.
const MOST_HERE: u32 = 5;
/// Of one address, whoever it says it is.
const MOST_OF_ADDRESS: u32 = 30;
/// Of one person from everywhere: more, so that a stranger does not easily lock somebody out.
const MOST_OF_USER: u32 = 100;
/// Remembered at most; the oldest go first.
const MOST_KEYS: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Here(String, IpAddr),
    Address(IpAddr),
    User(String),
}

impl Key {
    fn most(&self) -> u32 {
        match self {
            Self::Here(..) => MOST_HERE,
            Self::Address(_) => MOST_OF_ADDRESS,
            Self::User(_) => MOST_OF_USER,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<BTreeMap<Key, (u32, DateTime<Utc>)>>);

fn keys(user: &str, from: IpAddr) -> [Key; 3] {
    let user = user.to_lowercase();
    [Key::Here(user.clone(), from), Key::Address(from), Key::User(user)]
}

impl Throttle {
    /// Seconds to wait before another try is looked at; `None` when it may be.
    pub(super) fn wait(&self, user: &str, from: IpAddr, now: DateTime<Utc>) -> Option<i64> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys(user, from)
            .iter()
            .filter_map(|key| {
                let (count, since) = failures.get(key)?;
                let left = (*since + Duration::minutes(WINDOW_MINUTES) - now).num_seconds();
                (*count >= key.most() && left > 0).then_some(left)
            })
            .max()
    }

    /// Counts a try before it is looked at, so that many at once are many.
    pub(super) fn count(&self, user: &str, from: IpAddr, now: DateTime<Utc>) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |since: DateTime<Utc>| now - since >= Duration::minutes(WINDOW_MINUTES) || since > now;
        if failures.len() + 3 > MOST_KEYS {
            failures.retain(|_, (_, since)| !over(*since));
        }
        while failures.len() + 3 > MOST_KEYS {
            let oldest = failures
                .iter()
                .min_by_key(|(_, (_, since))| *since)
                .map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            failures.remove(&oldest);
        }
        for key in keys(user, from) {
            let entry = failures.entry(key).or_insert((0, now));
            if over(entry.1) {
                *entry = (0, now);
            }
            entry.0 += 1;
        }
    }

    /// It was the right one: what was counted against this person here is forgotten.
    pub(super) fn forgive(&self, user: &str, from: IpAddr) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [here, address, user] = keys(user, from);
        let forgiven = failures.remove(&here).map_or(0, |(count, _)| count);
        for key in [address, user] {
            if let Some((count, _)) = failures.get_mut(&key) {
                *count = count.saturating_sub(forgiven);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + second, 0).unwrap()
    }

    fn from(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn the_sixth_try_waits_and_others_do_not() {
        let throttle = Throttle::default();
        for second in 0..5 {
            assert_eq!(throttle.wait("wang", from(1), at(second)), None);
            throttle.count("wang", from(1), at(second));
        }
        assert_eq!(throttle.wait("Wang", from(1), at(10)), Some(890));
        assert_eq!(throttle.wait("li", from(1), at(10)), None);
        assert_eq!(throttle.wait("wang", from(2), at(10)), None);
        assert_eq!(throttle.wait("wang", from(1), at(900)), None);
    }

    #[test]
    fn the_right_password_forgives_and_an_address_that_tries_everybody_waits() {
        let throttle = Throttle::default();
        for _ in 0..4 {
            throttle.count("wang", from(1), at(0));
        }
        throttle.forgive("wang", from(1));
        assert_eq!(throttle.wait("wang", from(1), at(0)), None);
        for number in 0..30 {
            throttle.count(&format!("user{number}"), from(1), at(0));
        }
        assert!(throttle.wait("somebody", from(1), at(1)).is_some());
        assert!(throttle.wait("somebody", from(3), at(1)).is_none());
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let throttle = Throttle::default();
        for number in 0..20_000_i64 {
            throttle.count(&format!("user{number}"), from(1), at(number / 100));
        }
        assert!(throttle.0.lock().unwrap().len() <= MOST_KEYS);
    }
}
