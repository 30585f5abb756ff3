//! How long the archive keeps what: dated rules per kind and country, `config/retention.toml` unless another is named.

use std::path::Path;

use chrono::{Datelike as _, NaiveDate};
use serde::Deserialize;

use crate::declared::Sections;
use crate::problem::Problem;

const SHIPPED: &str = include_str!("../../config/retention.toml");
const VERSION: i64 = 1;
/// Nobody's law asks for more; a longer one is a slip of the hand.
const MAX_YEARS: i32 = 100;

/// Kinds that a rule may name. Order events, holds and deletions are kept for ever.
pub const KINDS: [&str; 5] = ["document", "message", "received", "plan", "page"];

/// One kind in one country.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    /// One of [`KINDS`].
    pub kind: String,
    /// Destination of the order (ISO 3166 alpha-2), or `*` for everything.
    pub country: String,
    /// Full calendar years after the year in which it was archived.
    pub years: i32,
    /// First day on which the rule holds; of one kind and country the newest counts.
    pub from: NaiveDate,
    /// Which law or habit asks for it.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRules {
    rules: Vec<RetentionRule>,
}

impl RetentionRules {
    /// The rules that ship with linkstar.
    ///
    /// # Errors
    /// Never with the file this program was built with (a test reads it).
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        Self::parse("retention.toml", SHIPPED)
    }

    /// The rules of a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&name, &text),
            Err(error) => Err(vec![Problem::new(
                name,
                "",
                "",
                error.to_string(),
                "a readable file of retention rules",
            )]),
        }
    }

    /// # Errors
    /// Everything that is wrong with the text, at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let mut sections = Sections::parse(file, text)?;
        sections.expect_version(VERSION);
        let rules: Vec<RetentionRule> = sections.take_each("rule");
        for rule in &rules {
            if !KINDS.contains(&rule.kind.as_str()) {
                sections.fault("rule.kind", &rule.kind, format!("one of {}", KINDS.join(", ")));
            }
            let country = rule.country.as_str();
            if country != "*" && !(country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase())) {
                sections.fault("rule.country", country, "`*` or two letters such as GB");
            }
            if !(1..=MAX_YEARS).contains(&rule.years) {
                sections.fault("rule.years", rule.years.to_string(), format!("1 to {MAX_YEARS}"));
            }
        }
        for kind in KINDS {
            if !rules.iter().any(|rule| rule.kind == kind && rule.country == "*") {
                sections.fault("rule", kind, "a rule of this kind for country `*`");
            }
        }
        sections.finish(&["version", "rule"])?;
        Ok(Self { rules })
    }

    /// Last day on which a thing archived on `since` must be kept, by the rules in force `today`: the longest of the
    /// rule for every country and that of its own. `None` keeps it for ever.
    #[must_use]
    pub fn until(
        &self,
        kind: &str,
        country: Option<&str>,
        since: NaiveDate,
        today: NaiveDate,
    ) -> Option<NaiveDate> {
        let years = ["*"]
            .into_iter()
            .chain(country)
            .filter_map(|country| {
                self.rules
                    .iter()
                    .filter(|rule| rule.kind == kind && rule.country == country && rule.from <= today)
                    .max_by_key(|rule| rule.from)
            })
            .map(|rule| rule.years)
            .max()?;
        NaiveDate::from_ymd_opt(since.year().checked_add(years)?, 12, 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn r72_the_longest_rule_in_force_counts_to_the_end_of_its_last_year() {
        let text = r#"
version = 1
rule = [
  { kind = "document", country = "*", years = 5, from = 2020-01-01, why = "x" },
  { kind = "document", country = "DE", years = 8, from = 2025-01-01, why = "x" },
  { kind = "document", country = "DE", years = 10, from = 2007-01-01, why = "x" },
  { kind = "document", country = "GB", years = 3, from = 2007-01-01, why = "x" },
  { kind = "message", country = "*", years = 1, from = 2020-01-01, why = "x" },
  { kind = "received", country = "*", years = 1, from = 2020-01-01, why = "x" },
  { kind = "plan", country = "*", years = 1, from = 2030-01-01, why = "x" },
  { kind = "page", country = "*", years = 1, from = 2020-01-01, why = "x" },
]
"#
        .replace("from = 2", "from = \"2")
        .replace("-01-01,", "-01-01\",");
        let rules = RetentionRules::parse("r.toml", &text).unwrap();
        let until = |country, today| rules.until("document", country, day("2024-02-01"), day(today));
        assert_eq!(until(None, "2026-01-01"), Some(day("2029-12-31")));
        assert_eq!(
            until(Some("GB"), "2026-01-01"),
            Some(day("2029-12-31")),
            "never shorter"
        );
        assert_eq!(until(Some("DE"), "2024-12-31"), Some(day("2034-12-31")));
        assert_eq!(until(Some("DE"), "2026-01-01"), Some(day("2032-12-31")));
        assert_eq!(
            rules.until("plan", None, day("2024-02-01"), day("2026-01-01")),
            None
        );
        assert_eq!(
            rules.until("event", None, day("2024-02-01"), day("2026-01-01")),
            None
        );
    }

    #[test]
    fn the_shipped_rules_are_valid_and_faults_are_named_all_at_once() {
        assert!(RetentionRules::shipped().is_ok());
        let text = "version = 2\n[[rule]]\nkind = 'documents'\ncountry = 'gb'\nyears = 0\nfrom = '2024-01-01'\nwhy = ''\n";
        let said: Vec<String> = RetentionRules::parse("r.toml", text)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        r.toml, `version`: found `2`, wanted 1
        r.toml, `rule.kind`: found `documents`, wanted one of document, message, received, plan, page
        r.toml, `rule.country`: found `gb`, wanted `*` or two letters such as GB
        r.toml, `rule.years`: found `0`, wanted 1 to 100
        r.toml, `rule`: found `document`, wanted a rule of this kind for country `*`
        r.toml, `rule`: found `message`, wanted a rule of this kind for country `*`
        r.toml, `rule`: found `received`, wanted a rule of this kind for country `*`
        r.toml, `rule`: found `plan`, wanted a rule of this kind for country `*`
        r.toml, `rule`: found `page`, wanted a rule of this kind for country `*`
        ");
    }
}
