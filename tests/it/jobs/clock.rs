//! Civil dates against clocks that change, jump and stand still: every date once, on both engines.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc, Weekday};
use chrono_tz::America::Los_Angeles;
use chrono_tz::Europe::Berlin;
use chrono_tz::Tz;
use linkstar::clock::FixedClock;
use linkstar::schedule::{CatchUp, RunDate, Schedule, run_date, tick};
use linkstar::store::Store;
use linkstar::store::work::{self, JobFilter, Occurrence, OccurrenceState};

use super::{account, engines};

fn schedule(name: &str, zone: Tz, time: (u32, u32), catch_up: CatchUp) -> Schedule {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    Schedule {
        name: name.to_owned(),
        time: NaiveTime::from_hms_opt(time.0, time.1, 0).expect("a time"),
        zone,
        days: vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun],
        catch_up,
        max_age: Duration::hours(60),
        watch: false,
    }
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Ticks through a span, as a daemon would that looks every `step`.
async fn play(store: &Store, schedules: &[Schedule], from: &str, to: &str, step: Duration) {
    let (mut now, to) = (utc(from), utc(to));
    while now <= to {
        tick(store, &FixedClock::new(now), &account(), schedules)
            .await
            .expect("a tick");
        now += step;
    }
}

async fn occurrences(store: &Store) -> Vec<Occurrence> {
    let mut tx = store.read().await.expect("a transaction");
    let mut all = work::list_occurrences(&mut tx, &account(), 1000)
        .await
        .expect("dates");
    all.reverse();
    all
}

/// How many jobs each (schedule, date) has led to.
async fn jobs(store: &Store) -> BTreeMap<(String, NaiveDate), usize> {
    let mut tx = store.read().await.expect("a transaction");
    let mut count = BTreeMap::new();
    for job in work::list(&mut tx, &account(), &JobFilter::default(), 1000)
        .await
        .expect("jobs")
    {
        let key = (job.kind, job.civil_date.expect("a date"));
        *count.entry(key).or_insert(0) += 1;
    }
    count
}

#[tokio::test]
async fn on_four_nights_of_a_clock_change_every_date_happens_once_and_at_its_instant() {
    // The night, the time, and when that is. In spring 02:30 does not exist in either zone; in autumn Berlin has 02:30
    // twice and Los Angeles 01:30.
    let nights = [
        (Berlin, "2026-03-29", (1, 30), "2026-03-29T00:30:00Z"),
        (Berlin, "2026-03-29", (2, 30), "2026-03-29T01:00:00Z"),
        (Berlin, "2026-10-25", (1, 30), "2026-10-24T23:30:00Z"),
        (Berlin, "2026-10-25", (2, 30), "2026-10-25T00:30:00Z"),
        (Los_Angeles, "2026-03-08", (1, 30), "2026-03-08T09:30:00Z"),
        (Los_Angeles, "2026-03-08", (2, 30), "2026-03-08T10:00:00Z"),
        (Los_Angeles, "2026-11-01", (1, 30), "2026-11-01T08:30:00Z"),
        (Los_Angeles, "2026-11-01", (2, 30), "2026-11-01T10:30:00Z"),
    ];
    let spans = [
        ("2026-03-07T06:00:00Z", "2026-03-09T14:00:00Z", "2026-03-07"),
        ("2026-03-27T22:00:00Z", "2026-03-30T06:00:00Z", "2026-03-28"),
        ("2026-10-23T22:00:00Z", "2026-10-26T06:00:00Z", "2026-10-24"),
        ("2026-10-31T06:00:00Z", "2026-11-02T14:00:00Z", "2026-10-31"),
    ];
    let schedules: Vec<Schedule> = [("berlin", Berlin), ("los-angeles", Los_Angeles)]
        .into_iter()
        .flat_map(|(name, zone)| {
            [(1, 30), (2, 30)].map(|time| {
                let name = format!("{name}-{:02}{}", time.0, time.1);
                schedule(&name, zone, time, CatchUp::All)
            })
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        for (from, to, _) in spans {
            play(&store, &schedules, from, to, Duration::minutes(9)).await;
        }
        let all = occurrences(&store).await;
        for (zone, date, time, due_at) in nights {
            let schedule = schedules
                .iter()
                .find(|one| {
                    one.zone == zone && one.time == NaiveTime::from_hms_opt(time.0, time.1, 0).unwrap()
                })
                .unwrap();
            let of_night: Vec<_> = all
                .iter()
                .filter(|one| one.schedule == schedule.name && one.civil_date == day(date))
                .collect();
            assert_eq!(of_night.len(), 1, "{} {date}", schedule.name);
            assert_eq!(of_night[0].due_at, utc(due_at), "{} {date}", schedule.name);
        }
        let jobs = jobs(&store).await;
        assert!(jobs.values().all(|count| *count == 1), "{jobs:?}");
        for (_, to, first) in spans {
            for schedule in &schedules {
                // The day a play begins on may be before the first start or too old to be caught up.
                let dates = day(first).iter_days().skip(1);
                for date in dates.take_while(|date| schedule.due_at(*date) <= utc(to)) {
                    let key = (schedule.name.clone(), date);
                    assert!(jobs.contains_key(&key), "{key:?}");
                }
            }
        }
    }
}

async fn dates(store: &Store, name: &str) -> Vec<(String, OccurrenceState)> {
    occurrences(store)
        .await
        .into_iter()
        .filter(|one| one.schedule == name)
        .map(|one| (one.civil_date.to_string(), one.state))
        .collect()
}

#[tokio::test]
async fn after_three_days_of_downtime_each_policy_runs_what_it_says_and_records_the_rest() {
    use OccurrenceState::{Due, Skipped};
    let schedules = [
        schedule("none", Berlin, (6, 0), CatchUp::None),
        schedule("latest", Berlin, (6, 0), CatchUp::Latest),
        schedule("all", Berlin, (6, 0), CatchUp::All),
    ];
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let minute = Duration::minutes(5);
        play(
            &store,
            &schedules,
            "2026-11-18T04:50:00Z",
            "2026-11-18T05:10:00Z",
            minute,
        )
        .await;
        // Off from the 18th on; at 10:00 on the 21st three dates are past: 53, 29 and 5 hours old.
        play(
            &store,
            &schedules,
            "2026-11-21T09:00:00Z",
            "2026-11-21T09:30:00Z",
            minute,
        )
        .await;
        for (name, wanted) in [
            ("none", [Due, Skipped, Skipped, Skipped]),
            ("latest", [Due, Skipped, Skipped, Due]),
            ("all", [Due, Due, Due, Due]),
        ] {
            let seen = dates(&store, name).await;
            let states: Vec<_> = seen.iter().skip(1).map(|(_, state)| *state).collect();
            assert_eq!(
                seen[0],
                ("2026-11-17".to_owned(), Skipped),
                "{name}: before the first start"
            );
            assert_eq!(states, wanted, "{name}");
        }
        let notes: Vec<_> = occurrences(&store)
            .await
            .into_iter()
            .filter(|one| one.schedule == "latest" && one.state == Skipped)
            .map(|one| one.note.unwrap_or_default())
            .collect();
        assert_eq!(
            notes,
            [
                "before the first start",
                "missed, a later one is caught up instead",
                "missed, a later one is caught up instead"
            ]
        );
    }
}

#[tokio::test]
async fn a_clock_set_back_by_an_hour_or_by_two_days_repeats_nothing_and_loses_nothing() {
    let schedules = [
        schedule("night", Berlin, (2, 30), CatchUp::Latest),
        schedule("west", Los_Angeles, (1, 30), CatchUp::Latest),
    ];
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let step = Duration::minutes(8);
        for (from, to) in [
            ("2026-10-22T00:00:00Z", "2026-10-24T20:00:00Z"),
            // Both 02:30 of the 25th pass, then the clock is set back by an hour, between the two.
            ("2026-10-24T20:00:00Z", "2026-10-25T01:35:00Z"),
            ("2026-10-25T00:35:00Z", "2026-10-25T12:00:00Z"),
            // Set back by two days, and on from there.
            ("2026-10-23T12:00:00Z", "2026-10-26T12:00:00Z"),
        ] {
            play(&store, &schedules, from, to, step).await;
        }
        let jobs = jobs(&store).await;
        let night: Vec<_> = jobs
            .keys()
            .filter(|(name, _)| name == "night")
            .map(|(_, date)| date.to_string())
            .collect();
        assert_eq!(
            night,
            [
                "2026-10-22",
                "2026-10-23",
                "2026-10-24",
                "2026-10-25",
                "2026-10-26"
            ]
        );
        assert!(jobs.values().all(|count| *count == 1), "{jobs:?}");
        let west: Vec<_> = dates(&store, "west")
            .await
            .into_iter()
            .map(|(date, _)| date)
            .collect();
        assert_eq!(
            west,
            [
                "2026-10-21",
                "2026-10-22",
                "2026-10-23",
                "2026-10-24",
                "2026-10-25",
                "2026-10-26"
            ]
        );
    }
}

#[tokio::test]
async fn a_date_by_hand_happens_once_and_hides_none_before_it() {
    use OccurrenceState::{Due, Skipped};
    let night = schedule("night", Berlin, (6, 0), CatchUp::None);
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let step = Duration::minutes(5);
        let schedules = std::slice::from_ref(&night);
        play(
            &store,
            schedules,
            "2026-11-18T04:50:00Z",
            "2026-11-18T05:10:00Z",
            step,
        )
        .await;
        // Two days later, an hour before the time of the 20th, which a person wants now.
        let clock = FixedClock::new(utc("2026-11-20T04:00:00Z"));
        let wish = |date: &str| {
            let date = day(date);
            let (store, clock, night) = (&store, &clock, &night);
            async move { run_date(store, clock, &account(), night, date).await.unwrap() }
        };
        assert!(matches!(wish("2026-11-20").await, RunDate::Enqueued { .. }));
        assert_eq!(wish("2026-11-20").await, RunDate::Already(Due));
        assert_eq!(
            wish("2026-11-21").await,
            RunDate::Ahead {
                today: day("2026-11-20")
            }
        );
        // Its hour comes and goes.
        play(
            &store,
            schedules,
            "2026-11-20T04:55:00Z",
            "2026-11-20T05:30:00Z",
            step,
        )
        .await;
        let expected = [
            ("2026-11-17", Skipped),
            ("2026-11-18", Due),
            ("2026-11-19", Skipped),
            ("2026-11-20", Due),
        ]
        .map(|(date, state)| (date.to_owned(), state));
        assert_eq!(dates(&store, "night").await, expected);
        // The skipped one is wanted after all, once.
        assert!(matches!(wish("2026-11-19").await, RunDate::Enqueued { .. }));
        assert_eq!(wish("2026-11-19").await, RunDate::Already(Due));
        assert!(jobs(&store).await.values().all(|count| *count == 1));
    }
}
