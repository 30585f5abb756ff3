//! No alert twice, none lost (R67).

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Asia::Shanghai;
use proptest::prelude::*;

use super::model::{Alert, Duty, Rule, Severity, Why};
use super::{RuleBook, Watched, acknowledge, snooze, watch};

fn start() -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn hour(n: i64) -> DateTime<Utc> {
    start() + Duration::hours(n)
}

fn duty(rule: Rule, subject: &str, due: Option<DateTime<Utc>>) -> Duty {
    Duty {
        rule,
        subject: subject.to_owned(),
        due,
        not_before: None,
        zone: Shanghai,
        group: None,
        owner: None,
        missing: Vec::new(),
        facts: Vec::new(),
    }
}

/// The hour, why, how bad, and of what.
type Telling = (i64, Why, Severity, Vec<String>);

/// Watches at each hour, and gives what was told when.
fn live(
    hours: impl IntoIterator<Item = i64>,
    duties: impl Fn(i64) -> Vec<Duty>,
    mut between: impl FnMut(i64, &mut Vec<Alert>),
) -> (Vec<Alert>, Vec<Telling>) {
    let book = RuleBook::shipped().unwrap();
    let mut alerts = Vec::new();
    let mut told = Vec::new();
    for n in hours {
        let Watched {
            alerts: next,
            notices,
        } = watch(&alerts, &duties(n), &book, hour(n));
        let again = watch(&next, &duties(n), &book, hour(n));
        assert_eq!(
            (&again.alerts, again.notices.len()),
            (&next, 0),
            "told twice at {n}"
        );
        alerts = next;
        for notice in notices {
            let members = notice.members.into_iter().map(|member| member.subject).collect();
            told.push((n, notice.why, notice.severity, members));
        }
        between(n, &mut alerts);
    }
    (alerts, told)
}

fn whys(told: &[Telling]) -> Vec<(i64, Why)> {
    told.iter().map(|(n, why, ..)| (*n, *why)).collect()
}

#[test]
fn r49_reminders_come_7_days_72_48_and_30_hours_before_and_at_the_end() {
    let due = 300;
    let (_, told) = live(
        0..310,
        |_| vec![duty(Rule::IsfImporter, "A", Some(hour(due)))],
        |_, _| {},
    );
    assert_eq!(
        whys(&told),
        [
            (due - 168, Why::New),
            (due - 72, Why::Reminder),
            (due - 48, Why::Reminder),
            (due - 30, Why::Reminder),
            (due, Why::Missed),
        ]
    );
    let severities: Vec<Severity> = told.iter().map(|(_, _, severity, _)| *severity).collect();
    use Severity::{Critical, Missed, Notice, Warning};
    assert_eq!(severities, [Notice, Warning, Warning, Critical, Missed]);
}

#[test]
fn r49_an_earlier_departure_is_told_again_and_a_filing_ends_it() {
    let (alerts, told) = live(
        0..300,
        |n| match n {
            0..150 => vec![duty(Rule::IsfImporter, "A", Some(hour(310)))],
            150..200 => vec![duty(Rule::IsfImporter, "A", Some(hour(290)))],
            _ => Vec::new(),
        },
        |_, _| {},
    );
    assert_eq!(whys(&told), [(142, Why::New), (150, Why::Nearer)]);
    assert!(!alerts[0].is_open());
}

#[test]
fn r49_an_unknown_departure_is_told_and_again_after_a_week() {
    let (_, told) = live(0..200, |_| vec![duty(Rule::IsfImporter, "A", None)], |_, _| {});
    assert_eq!(whys(&told), [(0, Why::Unknown), (168, Why::Unknown)]);
}

#[test]
fn r67_a_hundred_shipments_late_by_one_vessel_are_one_alert_and_end_by_themselves() {
    let (alerts, told) = live(
        [0, 1, 2, 3],
        |n| {
            let late = if n < 3 { 0..100 } else { 0..0 };
            late.map(|order| Duty {
                group: Some("EVER GIVEN 123E".to_owned()),
                ..duty(Rule::Dwell, &format!("BH-{order:03}"), Some(hour(2)))
            })
            .collect()
        },
        |_, _| {},
    );
    assert_eq!(whys(&told), [(0, Why::New), (2, Why::Missed), (3, Why::Resolved)]);
    assert!(told.iter().all(|(_, _, _, members)| members.len() == 100));
    assert!(alerts.iter().all(|alert| !alert.is_open()));
}

#[test]
fn an_acknowledged_alert_is_told_only_when_it_is_critical_or_comes_nearer() {
    let (_, told) = live(
        0..310,
        |n| {
            vec![duty(
                Rule::IsfImporter,
                "A",
                Some(hour(if n < 200 { 305 } else { 300 })),
            )]
        },
        |n, alerts| {
            if n == 140 || n == 201 {
                assert!(acknowledge(alerts, Rule::IsfImporter, "A", "wang"));
            }
            assert!(!acknowledge(alerts, Rule::IsfImporter, "B", "wang"));
        },
    );
    assert_eq!(
        whys(&told),
        [
            (137, Why::New),
            (200, Why::Nearer),
            (270, Why::Reminder),
            (300, Why::Missed)
        ]
    );
}

#[test]
fn a_snoozed_alert_is_told_at_its_hour_and_when_it_is_missed() {
    let (_, told) = live(
        0..320,
        |_| vec![duty(Rule::IsfImporter, "A", Some(hour(300)))],
        |n, alerts| match n {
            140 => assert!(snooze(alerts, Rule::IsfImporter, "A", hour(240))),
            250 => assert!(snooze(alerts, Rule::IsfImporter, "A", hour(310))),
            _ => {}
        },
    );
    assert_eq!(
        whys(&told),
        [(132, Why::New), (240, Why::Snoozed), (300, Why::Missed)]
    );
}

#[test]
fn r67_what_is_urgent_and_nobody_takes_on_is_told_to_a_second_person_once() {
    let book = RuleBook::shipped().unwrap().with_escalation(Duration::hours(4));
    let lived = |acknowledged_at: Option<i64>, due: &dyn Fn(i64) -> i64| {
        let mut alerts = Vec::new();
        let mut told = Vec::new();
        for n in 0..320 {
            let duties = [duty(Rule::IsfImporter, "A", Some(hour(due(n))))];
            let watched = watch(&alerts, &duties, &book, hour(n));
            assert_eq!(watch(&watched.alerts, &duties, &book, hour(n)).notices, []);
            alerts = watched.alerts;
            told.extend(watched.notices.iter().map(|notice| (n, notice.why)));
            if acknowledged_at == Some(n) {
                assert!(acknowledge(&mut alerts, Rule::IsfImporter, "A", "wang"));
            }
        }
        told.retain(|(_, why)| *why == Why::Escalated);
        told
    };
    // Critical 30 hours before the end, and nobody for four hours.
    assert_eq!(lived(None, &|_| 300), [(274, Why::Escalated)]);
    assert_eq!(lived(Some(272), &|_| 300), []);
    assert_eq!(lived(Some(250), &|_| 300), []);
    // Another end makes it another matter, also for who took it on.
    assert_eq!(
        lived(Some(272), &|n| if n < 280 { 300 } else { 295 }),
        [(284, Why::Escalated)]
    );
}

#[test]
fn r14_a_fact_that_comes_and_goes_is_not_told_each_time() {
    let (_, told) = live(
        0..100,
        |n| {
            if n % 2 == 0 {
                vec![duty(Rule::FreePeriodEnd, "LOT", Some(hour(150)))]
            } else {
                Vec::new()
            }
        },
        |_, _| {},
    );
    assert_eq!(whys(&told), [(0, Why::New)]);
}

fn anything() -> impl Strategy<Value = Vec<(Rule, u8, Option<i64>)>> {
    prop::collection::vec(
        (
            prop::sample::select(Rule::ALL.to_vec()),
            0..4_u8,
            prop::option::weighted(0.9, 0..900_i64),
        ),
        0..12,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_facts_and_alerts_does_not_matter(facts in anything(), at in 0..900_i64, later in 1..100_i64) {
        let book = RuleBook::shipped().unwrap();
        let duties: Vec<Duty> = facts
            .iter()
            .map(|(rule, subject, due)| duty(*rule, &format!("S{subject}"), due.map(hour)))
            .collect();
        let turned: Vec<Duty> = duties.iter().rev().cloned().collect();
        let first = watch(&[], &duties, &book, hour(at));
        prop_assert_eq!(&first, &watch(&[], &turned, &book, hour(at)));
        let before: Vec<Alert> = first.alerts.iter().rev().cloned().collect();
        prop_assert_eq!(
            watch(&first.alerts, &turned, &book, hour(at + later)),
            watch(&before, &duties, &book, hour(at + later))
        );
    }

    #[test]
    fn whenever_it_is_looked_at_no_end_passes_untold(due in 50..500_i64, mut looks in prop::collection::vec(0..600_i64, 1..40)) {
        looks.sort_unstable();
        looks.dedup();
        let (_, told) = live(
            looks.clone(),
            |_| vec![duty(Rule::IsfImporter, "A", Some(hour(due)))],
            |_, _| {},
        );
        // At most once for each reminder and once for the end; and at the first look after the end at the latest.
        prop_assert!(told.len() <= 5);
        let after = looks.iter().copied().find(|look| *look >= due);
        let missed = told.iter().find(|(_, why, ..)| *why == Why::Missed).map(|(n, ..)| *n);
        prop_assert_eq!(after, missed);
    }
}
