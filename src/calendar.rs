//! Civil time: which day a sale belongs to, and when "02:30 in Berlin" is.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// The civil day of an instant in a named zone: the sales day of an order.
#[must_use]
pub fn civil_day(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    instant.with_timezone(&zone).date_naive()
}

/// The instant of a civil time in a zone.
///
/// Two rules, so that a daily time happens exactly once on each civil date: a time that does not exist
/// (spring) becomes the first instant after the gap; a time that exists twice (autumn) is the first one.
#[must_use]
pub fn instant_of(date: NaiveDate, time: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let local = NaiveDateTime::new(date, time);
    match zone.from_local_datetime(&local).earliest() {
        Some(instant) => instant.with_timezone(&Utc),
        None => first_instant_after_gap(local, zone),
    }
}

fn first_instant_after_gap(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // No zone skips more than a day (Samoa skipped one whole day); step in minutes from before the gap.
    let mut probe = local;
    for _ in 0..=(26 * 60) {
        probe += Duration::minutes(1);
        if let Some(instant) = zone.from_local_datetime(&probe).earliest() {
            return instant.with_timezone(&Utc);
        }
    }
    let offset = zone.offset_from_utc_datetime(&local).fix();
    DateTime::from_naive_utc_and_offset(
        local - Duration::seconds(i64::from(offset.local_minus_utc())),
        Utc,
    )
}

/// Midnight to midnight of a civil day in a zone, as a half-open range of instants.
#[must_use]
pub fn day_bounds(date: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    (
        instant_of(date, NaiveTime::MIN, zone),
        instant_of(date + Duration::days(1), NaiveTime::MIN, zone),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{America::Los_Angeles, Europe::Berlin};

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    #[test]
    fn an_order_just_before_midnight_stays_on_its_day_across_dst() {
        // R8: 2026-03-08 is the night the clocks change in the United States.
        let instant = instant_of(date("2026-03-08"), at(23, 30), Los_Angeles);
        assert_eq!(instant.to_rfc3339(), "2026-03-09T06:30:00+00:00");
        assert_eq!(civil_day(instant, Los_Angeles), date("2026-03-08"));
    }

    #[test]
    fn a_skipped_time_happens_right_after_the_gap_and_a_doubled_one_once() {
        let spring = instant_of(date("2026-03-29"), at(2, 30), Berlin);
        assert_eq!(spring.to_rfc3339(), "2026-03-29T01:00:00+00:00");
        let autumn = instant_of(date("2026-10-25"), at(2, 30), Berlin);
        assert_eq!(autumn.to_rfc3339(), "2026-10-25T00:30:00+00:00");
    }

    #[test]
    fn the_day_of_the_change_has_23_or_25_hours() {
        let hours = |day| {
            let (from, to) = day_bounds(date(day), Berlin);
            (to - from).num_hours()
        };
        assert_eq!((hours("2026-03-29"), hours("2026-10-25")), (23, 25));
    }
}
