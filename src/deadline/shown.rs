//! Alerts as a person reads them: what many subjects share is one entry, and a time stands in the zone of who must meet it.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::model::{Alert, Notice, Rule, Severity};
use crate::wording::{Lang, text};

/// One entry of a list of deadlines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub severity: Severity,
    pub rule: Rule,
    pub due: Option<DateTime<Utc>>,
    pub zone: Tz,
    pub group: Option<String>,
    pub subjects: Vec<String>,
    pub owners: Vec<String>,
    pub missing: Vec<String>,
    /// Of the one subject, or what all subjects together come to.
    pub facts: Vec<(String, String)>,
}

/// What is said beside a deadline, in this order; counts of several subjects are added.
const FACTS: [(&str, bool); 13] = [
    ("paper", false),
    ("units", true),
    ("lost_sales", true),
    ("days", false),
    ("at_door", false),
    ("at_port", false),
    ("by_order", false),
    ("notice_days", false),
    ("fee", false),
    ("daily_fee", false),
    ("fee_30", false),
    ("fee_90", false),
    ("assumed_oldest", false),
];

/// Facts of one subject as they are; of several only the counts, added.
fn together<'f>(all: impl Iterator<Item = &'f [(String, String)]>) -> Vec<(String, String)> {
    let all: Vec<&[(String, String)]> = all.collect();
    let mut found = Vec::new();
    for (name, adds) in FACTS {
        let values = all
            .iter()
            .flat_map(|facts| facts.iter())
            .filter(|(fact, _)| fact == name)
            .map(|(_, value)| value);
        let value = if all.len() == 1 {
            values.max().cloned()
        } else if adds {
            let counts: Vec<i64> = values.filter_map(|value| value.parse().ok()).collect();
            let sum = counts.iter().copied().fold(0_i64, i64::saturating_add);
            (!counts.is_empty()).then(|| sum.to_string())
        } else {
            None
        };
        found.extend(value.map(|value| (name.to_owned(), value)));
    }
    found
}

/// `; 400 units; 21 sales lost in a week`
#[must_use]
pub fn facts_text(facts: &[(String, String)], lang: Lang) -> String {
    facts
        .iter()
        .filter(|(name, _)| FACTS.iter().any(|(known, _)| known == name))
        .map(|(name, value)| {
            text(
                lang,
                &format!("deadline.fact.{name}"),
                &[("value", value.as_str())],
            )
        })
        .collect()
}

/// Subjects named of a group; the others are counted.
const NAMED: usize = 3;

/// Open alerts that end before `until`, are missed, or whose end nobody knows; the nearest first.
#[must_use]
pub fn shown(alerts: &[Alert], until: DateTime<Utc>) -> Vec<Shown> {
    let mut entries: BTreeMap<_, Shown> = BTreeMap::new();
    let mut of_entry: BTreeMap<_, Vec<&[(String, String)]>> = BTreeMap::new();
    for alert in alerts.iter().filter(|alert| alert.is_open()) {
        if alert.due.is_some_and(|due| due > until) {
            continue;
        }
        // Those with an end come in its order; the unknown ones are first of all, for nobody can plan with them.
        let apart = alert
            .group
            .clone()
            .unwrap_or_else(|| format!("\u{0}{}", alert.subject));
        let name = apart.clone();
        let entry = entries
            .entry((alert.due, alert.rule, apart))
            .or_insert_with(|| Shown {
                severity: alert.severity,
                rule: alert.rule,
                due: alert.due,
                zone: alert.zone,
                group: alert.group.clone(),
                subjects: Vec::new(),
                owners: Vec::new(),
                missing: Vec::new(),
                facts: Vec::new(),
            });
        of_entry
            .entry((alert.due, alert.rule, name))
            .or_default()
            .push(&alert.facts);
        entry.subjects.push(alert.subject.clone());
        entry.owners.extend(alert.owner.clone());
        entry.missing.extend(alert.missing.iter().cloned());
    }
    for (key, facts) in of_entry {
        if let Some(entry) = entries.get_mut(&key) {
            entry.facts = together(facts.into_iter());
        }
    }
    let mut all: Vec<Shown> = entries.into_values().collect();
    for entry in &mut all {
        for list in [&mut entry.subjects, &mut entry.owners, &mut entry.missing] {
            list.sort();
            list.dedup();
        }
    }
    all
}

impl Shown {
    /// The orders it is about, the vessel they share, and what a person needs to see beside them.
    #[must_use]
    pub fn reference(&self, lang: Lang) -> String {
        let names = named(&self.subjects, lang);
        let facts = facts_text(&self.facts, lang);
        match &self.group {
            Some(group) => format!("{group}: {names}{facts}"),
            None => names + &facts,
        }
    }
}

fn named(subjects: &[String], lang: Lang) -> String {
    let first = subjects
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if subjects.len() <= NAMED {
        return first;
    }
    let more = (subjects.len() - NAMED).to_string();
    text(lang, "deadline.and_more", &[("first", &first), ("n", &more)])
}

/// `2026-11-30 18:00 Asia/Shanghai`; a clock that ends with a day is told by that day.
#[must_use]
pub fn when(due: DateTime<Utc>, zone: Tz) -> String {
    let local = due.with_timezone(&zone);
    if local.time() == NaiveTime::MIN {
        return (local.date_naive() - Duration::days(1)).to_string();
    }
    format!("{} {zone}", local.format("%Y-%m-%d %H:%M"))
}

/// What a kind of clock is called.
#[must_use]
pub fn rule_text(rule: Rule, lang: Lang) -> String {
    text(lang, &format!("deadline.rule.{}", rule.code()), &[])
}

/// How bad it is.
#[must_use]
pub fn severity_text(severity: Severity, lang: Lang) -> String {
    text(lang, &format!("deadline.severity.{}", severity.code()), &[])
}

/// One sentence of a notice, with local time and UTC.
#[must_use]
pub fn notice_text(notice: &Notice, lang: Lang) -> String {
    let subjects: Vec<String> = notice
        .members
        .iter()
        .map(|member| member.subject.clone())
        .collect();
    let due = notice.members.iter().find_map(|member| member.due);
    let when = due.map_or_else(
        || text(lang, "deadline.unknown", &[]),
        |due| {
            format!(
                "{} ({})",
                when(due, notice.zone),
                due.format("%Y-%m-%d %H:%M UTC")
            )
        },
    );
    let who = match &notice.group {
        Some(group) => format!("{group}: {}", named(&subjects, lang)),
        None => named(&subjects, lang),
    };
    let mut missing: Vec<&str> = notice
        .members
        .iter()
        .flat_map(|member| member.missing.iter().map(String::as_str))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let places = [
        ("severity", severity_text(notice.severity, lang)),
        ("rule", rule_text(notice.rule, lang)),
        (
            "why",
            text(lang, &format!("deadline.why.{}", notice.why.code()), &[]),
        ),
        ("who", who),
        ("when", when),
    ];
    let places: Vec<(&str, &str)> = places
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut out = text(lang, "deadline.notice", &places);
    let facts = together(notice.members.iter().map(|member| member.facts.as_slice()));
    out.push_str(&facts_text(&facts, lang));
    if !missing.is_empty() {
        out.push_str(&text(lang, "deadline.missing", &[("what", &missing.join(", "))]));
    }
    out
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::*;
    use crate::deadline::{Duty, RuleBook, watch};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse::<DateTime<chrono::FixedOffset>>().unwrap().to_utc()
    }

    #[test]
    fn a_vessel_is_one_entry_and_a_day_is_told_as_the_day() {
        let now = at("2026-11-29T00:00:00Z");
        let duty = |n: usize| Duty {
            rule: Rule::IsfImporter,
            subject: format!("BH-{n:02}"),
            due: Some(at("2026-11-30T18:00:00+08:00")),
            not_before: None,
            zone: Shanghai,
            group: Some("EVER GIVEN 123E".to_owned()),
            owner: None,
            missing: vec!["HTS-6 of LAMP-01".to_owned()],
            facts: Vec::new(),
        };
        let mut duties: Vec<Duty> = (1..=5).map(duty).collect();
        duties.push(Duty {
            rule: Rule::ShipBy,
            due: Some(at("2026-12-01T00:00:00+08:00")),
            group: None,
            missing: Vec::new(),
            ..duty(9)
        });
        let watched = watch(&[], &duties, &RuleBook::shipped().unwrap(), now);
        let list = shown(&watched.alerts, now + Duration::days(7));
        assert_eq!(list.len(), 2);
        assert_eq!(
            list[0].reference(Lang::En),
            "EVER GIVEN 123E: BH-01, BH-02, BH-03 and 2 more"
        );
        assert_eq!(when(list[1].due.unwrap(), list[1].zone), "2026-11-30");
        let told: Vec<String> = watched
            .notices
            .iter()
            .map(|notice| notice_text(notice, Lang::En))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        [warning] ISF filing (8 importer elements) (new): EVER GIVEN 123E: BH-01, BH-02, BH-03 and 2 more, 2026-11-30 18:00 Asia/Shanghai (2026-11-30 10:00 UTC); missing: HTS-6 of LAMP-01
        [warning] Latest hand-over (new): BH-09, 2026-11-30 (2026-11-30 16:00 UTC)
        "#);
        insta::assert_snapshot!(notice_text(&watched.notices[0], Lang::Zh), @r#"
        [注意] ISF 申报(进口商 8 项)(新): EVER GIVEN 123E: BH-01, BH-02, BH-03 等另 2 项,2026-11-30 18:00 Asia/Shanghai (2026-11-30 10:00 UTC);还缺: HTS-6 of LAMP-01
        "#);
    }
}
