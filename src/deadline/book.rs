//! How early each kind of clock is told: `config/deadlines.toml`, or the seller's own file.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::Deserialize;

use super::model::{Rule, Severity};
use crate::declared::Sections;
use crate::problem::Problem;

const SHIPPED: &str = include_str!("../../config/deadlines.toml");
const VERSION: i64 = 1;
/// Reminders of one rule: more would be noise.
const MOST_REMINDERS: usize = 8;
/// An unknown clock is told again after so long.
const UNKNOWN_AGAIN_DAYS: i64 = 7;

/// One kind of clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookRule {
    pub rule: Rule,
    /// Before the end, longest first.
    pub remind: Vec<Duration>,
    /// Within this time before the end it is critical.
    pub critical: Duration,
    /// Who says so.
    pub source: String,
    pub checked: NaiveDate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    remind: Vec<String>,
    critical: String,
    source: String,
    checked: NaiveDate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleBook {
    rules: BTreeMap<Rule, BookRule>,
    /// What is urgent and nobody has taken on is told to a second person after so long.
    escalate: Option<Duration>,
}

impl RuleBook {
    /// The rules that ship with linkstar.
    ///
    /// # Errors
    /// Never with the file this program was built with (a test reads it).
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        Self::parse("deadlines.toml", SHIPPED)
    }

    /// # Errors
    /// Everything that is wrong with the file, at once: every kind must be there, and once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let mut sections = Sections::parse(file, text)?;
        sections.expect_version(VERSION);
        let mut rules = BTreeMap::new();
        for (place, written) in sections.take_each::<Written>("rule").into_iter().enumerate() {
            let field = |name: &str| format!("rule[{}].{name}", place + 1);
            let Some(rule) = Rule::parse(&written.id) else {
                let known = Rule::ALL.map(Rule::code).join(", ");
                sections.fault(&field("id"), &written.id, format!("one of {known}"));
                continue;
            };
            let mut faulty = false;
            let mut span = |name: &str, text: &str| {
                let found = span_of(text);
                if found.is_none() {
                    faulty = true;
                    sections.fault(&field(name), text, "a time such as 7d or 72h");
                }
                found.unwrap_or_default()
            };
            let remind: Vec<Duration> = written.remind.iter().map(|text| span("remind", text)).collect();
            let critical = span("critical", &written.critical);
            if remind.is_empty() || remind.len() > MOST_REMINDERS || !remind.is_sorted_by(|a, b| a > b) {
                faulty = true;
                sections.fault(
                    &field("remind"),
                    written.remind.join(", "),
                    format!("1 to {MOST_REMINDERS} times, the longest first"),
                );
            }
            if faulty {
                continue;
            }
            let book = BookRule {
                rule,
                remind,
                critical,
                source: written.source,
                checked: written.checked,
            };
            if rules.insert(rule, book).is_some() {
                sections.fault(&field("id"), rule.code(), "one entry each");
            }
        }
        let lacking: Vec<&str> = Rule::ALL
            .into_iter()
            .filter(|rule| !rules.contains_key(rule))
            .map(Rule::code)
            .collect();
        if !lacking.is_empty() {
            sections.fault("rule", "", format!("entries for {} too", lacking.join(", ")));
        }
        sections.finish(&["version", "rule"])?;
        Ok(Self {
            rules,
            escalate: None,
        })
    }

    /// The same, with a second person who is told after so long.
    #[must_use]
    pub fn with_escalation(self, after: Duration) -> Self {
        Self {
            escalate: Some(after),
            ..self
        }
    }

    pub(super) fn escalate(&self) -> Option<Duration> {
        self.escalate
    }

    /// What holds for a kind.
    #[must_use]
    pub fn rule(&self, rule: Rule) -> Option<&BookRule> {
        self.rules.get(&rule)
    }

    /// Reminders that have come: 0 before the first, one more than there are when the clock has run out.
    pub(super) fn step(&self, rule: Rule, due: DateTime<Utc>, now: DateTime<Utc>) -> usize {
        let remind = self.rules.get(&rule).map_or(&[][..], |rule| &rule.remind);
        if now >= due {
            return remind.len() + 1;
        }
        remind.iter().filter(|before| now >= due - **before).count()
    }

    pub(super) fn severity(&self, rule: Rule, due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Severity {
        let Some(due) = due else { return Severity::Warning };
        let Some(book) = self.rules.get(&rule) else {
            return Severity::Warning;
        };
        if now >= due {
            Severity::Missed
        } else if now >= due - book.critical {
            Severity::Critical
        } else if self.step(rule, due, now) > 1 {
            Severity::Warning
        } else {
            Severity::Notice
        }
    }

    pub(super) fn unknown_again() -> Duration {
        Duration::days(UNKNOWN_AGAIN_DAYS)
    }
}

/// `7d`, `72h`; whole and above zero, at most two years.
fn span_of(text: &str) -> Option<Duration> {
    let (number, hours) = match text.trim().split_at_checked(text.trim().len().checked_sub(1)?)? {
        (number, "d") => (number, 24),
        (number, "h") => (number, 1),
        _ => return None,
    };
    let number: i64 = number
        .parse()
        .ok()
        .filter(|number| (1..=17_520).contains(number))?;
    Some(Duration::hours(number * hours)).filter(|span| *span <= Duration::days(730))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_hold_every_kind() {
        let book = RuleBook::shipped().unwrap();
        for rule in Rule::ALL {
            assert!(
                book.rule(rule).is_some_and(|rule| !rule.source.is_empty()),
                "{rule:?}"
            );
        }
        let isf = book.rule(Rule::IsfImporter).unwrap();
        assert_eq!(isf.remind, [7 * 24, 72, 48, 30].map(Duration::hours));
    }

    #[test]
    fn a_bad_file_is_told_with_everything_in_it() {
        let text = "version = 2\n[[rule]]\nid = 'isf'\nremind = ['7d']\ncritical = '1d'\nsource = ''\nchecked = '2026-11-01'\n\
                    [[rule]]\nid = 'ship_by'\nremind = ['1d', '7d']\ncritical = 'soon'\nsource = ''\nchecked = '2026-11-01'\n";
        let told: Vec<String> = RuleBook::parse("d.toml", text)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(told.len(), 5, "{told:#?}");
    }
}
