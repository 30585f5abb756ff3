//! Which civil dates are due.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;

use crate::calendar::{civil_day, instant_of};

/// What to do with the dates that passed while nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// Only what is due now.
    None,
    /// The last one of them.
    Latest,
    /// Each of them, oldest first.
    All,
}

/// A daily time in a named zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Also the kind of the jobs it makes.
    pub name: String,
    pub time: NaiveTime,
    pub zone: Tz,
    /// Weekdays on which it runs.
    pub days: Vec<Weekday>,
    pub catch_up: CatchUp,
    /// A date that is later than this is not caught up any more.
    pub max_age: Duration,
    /// Whether it watches over the others: its jobs run beside theirs, on a worker of their own, because a night that
    /// hangs must not hold back the one who tells of it.
    pub watch: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("schedule `{name}` runs on no weekday")]
    NoDays { name: String },
    #[error(
        "schedule `{name}` has a maximum age of {minutes} minutes, at least {ON_TIME_MINUTES} are needed"
    )]
    MaxAge { name: String, minutes: i64 },
}

impl Schedule {
    /// # Errors
    /// When it could never run.
    pub fn check(&self) -> Result<(), ScheduleError> {
        if self.days.is_empty() {
            return Err(ScheduleError::NoDays {
                name: self.name.clone(),
            });
        }
        if self.max_age < Duration::minutes(ON_TIME_MINUTES) {
            return Err(ScheduleError::MaxAge {
                name: self.name.clone(),
                minutes: self.max_age.num_minutes(),
            });
        }
        Ok(())
    }

    /// The next `count` dates whose instant is after `now`.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>, count: usize) -> Vec<(NaiveDate, DateTime<Utc>)> {
        // A zone far west is a day behind its neighbours; the instant decides.
        let from = civil_day(now, self.zone) - Duration::days(1);
        from.iter_days()
            .take(if self.days.is_empty() {
                0
            } else {
                (count + 2).saturating_mul(7)
            })
            .filter(|date| self.days.contains(&date.weekday()))
            .map(|date| (date, self.due_at(date)))
            .filter(|(_, due_at)| *due_at > now)
            .take(count)
            .collect()
    }

    /// The instant of a civil date: [`instant_of`] has the rules for nights when the clocks change.
    #[must_use]
    pub fn due_at(&self, date: NaiveDate) -> DateTime<Utc> {
        instant_of(date, self.time, self.zone)
    }
}

/// What happens with a date that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Run,
    /// Recorded with its reason, so that a gap is never silent.
    Skip(String),
}

/// A date that is due and what happens with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub date: NaiveDate,
    pub due_at: DateTime<Utc>,
    pub decision: Decision,
}

/// Within this time after its instant a date is on time and needs no catching up.
const ON_TIME_MINUTES: i64 = 10;
/// More days than this are not recorded one by one, should a clock jump by years.
const MAX_DAYS_BACK: i64 = 400;

/// The dates after `last` that are due at `now`, oldest first. The first time, when there is no `last`, the latest
/// past date is recorded as skipped: from there on every date happens exactly once.
#[must_use]
pub fn due_occurrences(schedule: &Schedule, last: Option<NaiveDate>, now: DateTime<Utc>) -> Vec<Planned> {
    // A zone far east is a day ahead of its neighbours; one more day costs nothing, the instant decides.
    let today = civil_day(now, schedule.zone) + Duration::days(1);
    let oldest = today - Duration::days(MAX_DAYS_BACK);
    let from = last.map_or(oldest, |last| (last + Duration::days(1)).max(oldest));
    let mut due: Vec<(NaiveDate, DateTime<Utc>)> = from
        .iter_days()
        .take_while(|date| *date <= today)
        .filter(|date| schedule.days.contains(&date.weekday()))
        .map(|date| (date, schedule.due_at(date)))
        .filter(|(_, due_at)| *due_at <= now)
        .collect();
    if last.is_none() {
        due.drain(..due.len().saturating_sub(1));
    }
    let count = due.len();
    due.into_iter()
        .enumerate()
        .map(|(index, (date, due_at))| Planned {
            date,
            due_at,
            decision: decide(schedule, last.is_none(), index + 1 == count, now - due_at),
        })
        .collect()
}

fn decide(schedule: &Schedule, first_start: bool, is_latest: bool, age: Duration) -> Decision {
    let on_time = age <= Duration::minutes(ON_TIME_MINUTES);
    if on_time && is_latest {
        return Decision::Run;
    }
    if first_start {
        return Decision::Skip("before the first start".to_owned());
    }
    if age > schedule.max_age {
        return Decision::Skip(format!(
            "missed by {} h, more than {} h is not caught up",
            age.num_hours(),
            schedule.max_age.num_hours()
        ));
    }
    match schedule.catch_up {
        CatchUp::All => Decision::Run,
        CatchUp::Latest if is_latest => Decision::Run,
        CatchUp::Latest => Decision::Skip("missed, a later one is caught up instead".to_owned()),
        CatchUp::None => Decision::Skip("missed, nothing is caught up".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{America::New_York, Asia::Shanghai, Europe::Berlin};
    use proptest::prelude::*;

    fn night(zone: Tz, hour: u32, minute: u32, catch_up: CatchUp) -> Schedule {
        Schedule {
            name: "night".to_owned(),
            time: NaiveTime::from_hms_opt(hour, minute, 0).unwrap(),
            zone,
            days: [
                Weekday::Mon,
                Weekday::Tue,
                Weekday::Wed,
                Weekday::Thu,
                Weekday::Fri,
                Weekday::Sat,
                Weekday::Sun,
            ]
            .to_vec(),
            catch_up,
            max_age: Duration::hours(60),
            watch: false,
        }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Ticks every `step` from `from` on, as the daemon does, and collects what is decided.
    fn play(schedule: &Schedule, from: &str, hours: i64, step: Duration) -> Vec<Planned> {
        let mut now = utc(from);
        let end = now + Duration::hours(hours);
        let mut last = Some(civil_day(now, schedule.zone) - Duration::days(1));
        let mut all = Vec::new();
        while now < end {
            for planned in due_occurrences(schedule, last, now) {
                last = Some(planned.date);
                all.push(planned);
            }
            now += step;
        }
        all
    }

    #[test]
    fn on_both_nights_of_a_clock_change_every_date_happens_exactly_once() {
        for (zone, from) in [
            (Berlin, "2026-03-27T12:00:00Z"),
            (Berlin, "2026-10-23T12:00:00Z"),
            (New_York, "2026-03-06T12:00:00Z"),
            (New_York, "2026-10-30T12:00:00Z"),
        ] {
            for (hour, minute) in [(0, 0), (1, 30), (2, 0), (2, 30), (3, 0)] {
                let schedule = night(zone, hour, minute, CatchUp::Latest);
                let all = play(&schedule, from, 24 * 5, Duration::minutes(5));
                let dates: Vec<_> = all.iter().map(|planned| planned.date).collect();
                let first = dates[0];
                let wanted: Vec<_> = first.iter_days().take(dates.len()).collect();
                assert_eq!(dates, wanted, "{zone} {hour}:{minute}");
                assert!(dates.len() >= 5);
                // The first may have been past when the play began.
                assert!(
                    all.iter()
                        .skip(1)
                        .all(|planned| planned.decision == Decision::Run)
                );
            }
        }
    }

    fn after_three_days(catch_up: CatchUp) -> Vec<(String, bool)> {
        let schedule = night(Shanghai, 6, 0, catch_up);
        // The machine was off from the 18th on and starts on the 22nd at 09:00 in Shanghai.
        due_occurrences(&schedule, Some(day("2026-11-18")), utc("2026-11-22T01:00:00Z"))
            .into_iter()
            .map(|planned| (planned.date.to_string(), planned.decision == Decision::Run))
            .collect()
    }

    #[test]
    fn after_three_days_of_downtime_each_policy_does_what_it_says_and_records_the_rest() {
        let runs = |catch_up| {
            let all = after_three_days(catch_up);
            assert_eq!(all.len(), 4, "the 19th to the 22nd are all recorded");
            all.into_iter()
                .filter(|(_, run)| *run)
                .map(|(date, _)| date)
                .collect::<Vec<_>>()
        };
        assert!(runs(CatchUp::None).is_empty());
        assert_eq!(runs(CatchUp::Latest), ["2026-11-22"]);
        // The 19th is 75 hours old: beyond the maximum age.
        assert_eq!(runs(CatchUp::All), ["2026-11-20", "2026-11-21", "2026-11-22"]);
    }

    #[test]
    fn a_clock_set_back_repeats_nothing_and_the_first_start_only_sets_the_mark() {
        let schedule = night(Berlin, 2, 30, CatchUp::All);
        let last = Some(day("2026-11-22"));
        assert!(due_occurrences(&schedule, last, utc("2026-11-22T10:00:00Z")).is_empty());
        assert!(due_occurrences(&schedule, last, utc("2026-11-15T10:00:00Z")).is_empty());

        let first = due_occurrences(&schedule, None, utc("2026-11-22T10:00:00Z"));
        assert_eq!(first.len(), 1);
        assert_eq!(
            (first[0].date, &first[0].decision),
            (
                day("2026-11-22"),
                &Decision::Skip("before the first start".to_owned())
            )
        );
        let punctual = due_occurrences(&schedule, None, utc("2026-11-22T01:32:00Z"));
        assert_eq!(punctual[0].decision, Decision::Run);
    }

    #[test]
    fn only_the_given_weekdays_count() {
        let schedule = Schedule {
            days: vec![Weekday::Mon],
            ..night(Berlin, 6, 0, CatchUp::All)
        };
        let due = due_occurrences(&schedule, Some(day("2026-11-08")), utc("2026-11-24T00:00:00Z"));
        let dates: Vec<_> = due.iter().map(|planned| planned.date.to_string()).collect();
        assert_eq!(dates, ["2026-11-09", "2026-11-16", "2026-11-23"]);
        assert!(
            Schedule {
                days: vec![],
                ..schedule
            }
            .check()
            .is_err()
        );
    }

    #[test]
    fn the_next_dates_are_civil_ones_also_across_a_clock_change() {
        let schedule = night(Berlin, 2, 30, CatchUp::All);
        let shown = |now: &str| -> Vec<String> {
            schedule
                .next(utc(now), 3)
                .into_iter()
                .map(|(date, due_at)| format!("{date} {}", due_at.format("%m-%d %H:%M")))
                .collect()
        };
        assert_eq!(
            shown("2026-03-28T01:30:00Z"),
            [
                "2026-03-29 03-29 01:00",
                "2026-03-30 03-30 00:30",
                "2026-03-31 03-31 00:30"
            ]
        );
        assert_eq!(
            shown("2026-10-24T12:00:00Z"),
            [
                "2026-10-25 10-25 00:30",
                "2026-10-26 10-26 01:30",
                "2026-10-27 10-27 01:30"
            ]
        );
        let mondays = Schedule {
            days: vec![Weekday::Mon],
            ..schedule.clone()
        };
        let dates: Vec<_> = mondays.next(utc("2026-11-22T10:00:00Z"), 4);
        assert_eq!(dates.len(), 4);
        assert_eq!(dates[3].0, day("2026-12-14"));
    }

    proptest! {
        #[test]
        fn whatever_the_gaps_every_date_is_decided_once_and_in_order(
            gaps in prop::collection::vec(1_i64..6000, 1..60),
            hour in 0_u32..24,
            zone in prop::sample::select(vec![Berlin, New_York, Shanghai, chrono_tz::Pacific::Apia]),
        ) {
            let schedule = night(zone, hour, 30, CatchUp::Latest);
            let mut now = utc("2026-03-01T00:00:00Z");
            let mut last = Some(civil_day(now, zone) - Duration::days(1));
            let mut dates = Vec::new();
            for gap in gaps {
                for planned in due_occurrences(&schedule, last, now) {
                    last = Some(planned.date);
                    dates.push(planned.date);
                }
                now += Duration::minutes(gap);
            }
            let wanted: Vec<_> = dates.first().map(|first| first.iter_days().take(dates.len()).collect()).unwrap_or_default();
            prop_assert_eq!(dates, wanted);
        }
    }
}
