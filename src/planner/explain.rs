//! The tree of numbers behind a line. A node whose rule is `sum` is exactly the sum of its terms.

use chrono::NaiveDate;

use super::model::Explain;
use super::rounding::round_stat;

impl Explain {
    /// A heading or a figure that is not computed from others here.
    #[must_use]
    pub fn fact(key: &str, value: impl Into<String>, unit: &str) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
            unit: unit.to_owned(),
            rule: String::new(),
            terms: Vec::new(),
        }
    }

    #[must_use]
    pub fn heading(key: &str, terms: Vec<Self>) -> Self {
        Self {
            terms,
            ..Self::fact(key, "", "")
        }
    }

    #[must_use]
    pub fn units(key: &str, units: i64) -> Self {
        Self::fact(key, units.to_string(), "units")
    }

    #[must_use]
    pub fn days(key: &str, days: i64) -> Self {
        Self::fact(key, days.to_string(), "days")
    }

    #[must_use]
    pub fn rate(key: &str, rate: f64) -> Self {
        let value = round_stat(rate).map_or_else(String::new, |rate| rate.to_string());
        Self::fact(key, value, "units_per_day")
    }

    #[must_use]
    pub fn date(key: &str, date: Option<NaiveDate>) -> Self {
        Self::fact(
            key,
            date.map_or_else(String::new, |date| date.to_string()),
            "date",
        )
    }

    /// Thousandths as percent: `950` is `95`, `955` is `95.5`.
    #[must_use]
    pub fn percent(key: &str, permille: i64) -> Self {
        let value = rust_decimal::Decimal::new(permille, 1).normalize().to_string();
        Self::fact(key, value, "percent")
    }

    /// Units that are the sum of the terms. Terms of nothing are left out, but for the two everybody asks for.
    #[must_use]
    pub fn sum(key: &str, value: i64, terms: Vec<(Self, i64)>) -> Self {
        Self {
            rule: "sum".to_owned(),
            terms: terms
                .into_iter()
                .filter(|(term, units)| *units != 0 || ["need", "order_up_to"].contains(&term.key.as_str()))
                .map(|(term, units)| Self {
                    value: units.to_string(),
                    unit: "units".to_owned(),
                    ..term
                })
                .collect(),
            ..Self::units(key, value)
        }
    }

    /// The first node of this key, depth first.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Self> {
        if self.key == key {
            return Some(self);
        }
        self.terms.iter().find_map(|term| term.find(key))
    }

    /// The units of a node by key.
    #[must_use]
    pub fn units_of(&self, key: &str) -> Option<i64> {
        self.find(key)?.value.parse().ok()
    }

    /// Nodes that claim to be a sum and are not: always empty, and checked after every plan in the tests.
    #[must_use]
    pub fn broken_sums(&self) -> Vec<String> {
        let mut broken: Vec<String> = self.terms.iter().flat_map(Self::broken_sums).collect();
        if self.rule == "sum" && !self.value.is_empty() {
            let parts: Option<i64> = self.terms.iter().map(|term| term.value.parse::<i64>().ok()).sum();
            if parts != self.value.parse().ok() {
                broken.push(self.key.clone());
            }
        }
        broken
    }
}
