//! Duties of now against alerts of before.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use super::book::RuleBook;
use super::model::{Alert, Duty, Member, Notice, Rule, Severity, Told, Why};

/// Done alerts are kept so long: a fact that comes and goes must not be told anew.
const KEEP_DONE_DAYS: i64 = 30;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Every alert that is kept, by rule and subject.
    pub alerts: Vec<Alert>,
    /// What must be told now, the worst first.
    pub notices: Vec<Notice>,
}

type Key = (Rule, String);
type Heading = (std::cmp::Reverse<Severity>, Rule, Why, Option<String>);

/// Compares. Asked again at the same instant with its own answer, it tells nothing; the order of the arguments does not
/// matter.
#[must_use]
pub fn watch(before: &[Alert], duties: &[Duty], book: &RuleBook, now: DateTime<Utc>) -> Watched {
    let mut alerts: BTreeMap<Key, Alert> = before
        .iter()
        .map(|alert| ((alert.rule, alert.subject.clone()), alert.clone()))
        .collect();
    // Two facts of one clock: the one that ends first holds, a known one before an unknown one.
    let mut wanted: BTreeMap<Key, &Duty> = BTreeMap::new();
    for duty in duties {
        let end = |duty: &Duty| (duty.due.is_none(), duty.due);
        wanted
            .entry((duty.rule, duty.subject.clone()))
            .and_modify(|first| {
                if (end(duty), &duty.group, &duty.missing) < (end(first), &first.group, &first.missing) {
                    *first = duty;
                }
            })
            .or_insert(duty);
    }
    let mut told: BTreeMap<Heading, Notice> = BTreeMap::new();
    for (key, duty) in &wanted {
        let alert = alerts.entry(key.clone()).or_insert_with(|| new_alert(duty, now));
        refresh(alert, duty, book, now);
        if let Some((why, step)) = what_to_tell(alert, book, now) {
            alert.told = Some(Told {
                step,
                due: alert.due,
                at: now,
            });
            alert.snoozed_until = None;
            if why == Why::Nearer {
                // Whoever took it on knows another end.
                alert.acknowledged = None;
                alert.escalated_at = None;
            }
            add(&mut told, alert, why);
        } else if let (Some(told), Some(due)) = (&mut alert.told, alert.due) {
            // A clock that ends later than told: its reminders come again in their time.
            if told.due.is_some_and(|known| due > known) {
                told.step = told.step.min(book.step(alert.rule, due, now));
                told.due = Some(due);
            }
        }
        if escalates(alert, book, now) {
            alert.escalated_at = Some(now);
            add(&mut told, alert, Why::Escalated);
        }
    }
    for (key, alert) in &mut alerts {
        if !wanted.contains_key(key) && alert.is_open() {
            alert.resolved_at = Some(now);
            if alert.told.is_some() && alert.severity >= Severity::Critical {
                add(&mut told, alert, Why::Resolved);
            }
        }
    }
    alerts.retain(|_, alert| {
        alert
            .resolved_at
            .is_none_or(|done| now - done < Duration::days(KEEP_DONE_DAYS))
    });
    Watched {
        alerts: alerts.into_values().collect(),
        notices: told
            .into_values()
            .map(|mut notice| {
                notice.members.sort_by(|a, b| {
                    (a.due.is_none(), a.due, &a.subject).cmp(&(b.due.is_none(), b.due, &b.subject))
                });
                notice
            })
            .collect(),
    }
}

fn new_alert(duty: &Duty, now: DateTime<Utc>) -> Alert {
    Alert {
        rule: duty.rule,
        subject: duty.subject.clone(),
        group: None,
        owner: None,
        zone: duty.zone,
        due: duty.due,
        not_before: None,
        severity: Severity::Notice,
        missing: Vec::new(),
        facts: Vec::new(),
        first_seen: now,
        told: None,
        acknowledged: None,
        snoozed_until: None,
        resolved_at: None,
        escalated_at: None,
    }
}

fn refresh(alert: &mut Alert, duty: &Duty, book: &RuleBook, now: DateTime<Utc>) {
    alert.group.clone_from(&duty.group);
    alert.owner.clone_from(&duty.owner);
    alert.missing.clone_from(&duty.missing);
    alert.facts.clone_from(&duty.facts);
    alert.zone = duty.zone;
    alert.due = duty.due;
    alert.not_before = duty.not_before;
    alert.severity = book.severity(duty.rule, duty.due, now);
    // What was done and is due again is another matter.
    if alert.resolved_at.take().is_some() {
        alert.escalated_at = None;
    }
}

/// Why, and how far it is told then.
fn what_to_tell(alert: &Alert, book: &RuleBook, now: DateTime<Utc>) -> Option<(Why, usize)> {
    let told_step = alert.told.as_ref().map_or(0, |told| told.step);
    let Some(due) = alert.due else {
        let again = alert.told.as_ref().is_none_or(|told| {
            told.due.is_some() || (alert.acknowledged.is_none() && now - told.at >= RuleBook::unknown_again())
        });
        let asleep = alert.snoozed_until.is_some_and(|until| now < until);
        return (again && !asleep).then_some((Why::Unknown, told_step));
    };
    let step = book.step(alert.rule, due, now);
    let missed = alert.severity == Severity::Missed;
    let nearer = alert
        .told
        .as_ref()
        .and_then(|told| told.due)
        .is_some_and(|known| due < known);
    match alert.snoozed_until {
        Some(until) if now < until && !(missed && step > told_step) => return None,
        Some(until) if now >= until && step > 0 => return Some((Why::Snoozed, step)),
        _ => {}
    }
    if nearer && step > 0 {
        return Some((if missed { Why::Missed } else { Why::Nearer }, step));
    }
    if step <= told_step {
        return None;
    }
    if missed {
        return Some((Why::Missed, step));
    }
    // Somebody is on it: only what is critical is told.
    if alert.acknowledged.is_some() && alert.severity < Severity::Critical {
        return None;
    }
    let why = if told_step == 0 { Why::New } else { Why::Reminder };
    Some((why, step))
}

/// Told as urgent, and nobody has said since that he is on it: once, until its end moves.
fn escalates(alert: &Alert, book: &RuleBook, now: DateTime<Utc>) -> bool {
    let Some(after) = book.escalate() else {
        return false;
    };
    let asleep = alert.snoozed_until.is_some_and(|until| now < until);
    let waits = alert.told.as_ref().is_some_and(|told| now - told.at >= after);
    alert.escalated_at.is_none()
        && alert.acknowledged.is_none()
        && alert.severity >= Severity::Critical
        && waits
        && !asleep
}

fn add(told: &mut BTreeMap<Heading, Notice>, alert: &Alert, why: Why) {
    let group = alert.group.clone();
    // What has no group stands for itself.
    let apart = group.clone().or_else(|| Some(format!("\u{0}{}", alert.subject)));
    told.entry((std::cmp::Reverse(alert.severity), alert.rule, why, apart))
        .or_insert_with(|| Notice {
            severity: alert.severity,
            rule: alert.rule,
            why,
            group,
            zone: alert.zone,
            members: Vec::new(),
        })
        .members
        .push(Member {
            due: alert.due,
            subject: alert.subject.clone(),
            owner: alert.owner.clone(),
            missing: alert.missing.clone(),
            facts: alert.facts.clone(),
        });
}

/// Somebody is on it. False when there is no such open alert.
pub fn acknowledge(alerts: &mut [Alert], rule: Rule, subject: &str, by: &str) -> bool {
    with(alerts, rule, subject, |alert| {
        alert.acknowledged = Some(by.to_owned());
    })
}

/// Not before then. False when there is no such open alert.
pub fn snooze(alerts: &mut [Alert], rule: Rule, subject: &str, until: DateTime<Utc>) -> bool {
    with(alerts, rule, subject, |alert| alert.snoozed_until = Some(until))
}

fn with(alerts: &mut [Alert], rule: Rule, subject: &str, change: impl FnOnce(&mut Alert)) -> bool {
    let found = alerts
        .iter_mut()
        .find(|alert| alert.is_open() && alert.rule == rule && alert.subject == subject);
    found.map(change).is_some()
}
