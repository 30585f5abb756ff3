//! The tree of numbers behind a line. A node whose rule is `sum` is exactly the sum of its terms.

use chrono::NaiveDate;

use super::model::{Explain, Word};
use super::rounding::round_stat;

impl Explain {
    /// A heading or a figure that is not computed from others here.
    #[must_use]
    pub fn fact(key: impl Into<Word>, value: impl Into<Word>, unit: impl Into<Word>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            unit: unit.into(),
            rule: Word::default(),
            terms: Vec::new(),
        }
    }

    #[must_use]
    pub fn heading(key: impl Into<Word>, terms: Vec<Self>) -> Self {
        Self {
            terms,
            ..Self::fact(key, "", "")
        }
    }

    #[must_use]
    pub fn units(key: impl Into<Word>, units: i64) -> Self {
        Self::fact(key, units.to_string(), "units")
    }

    #[must_use]
    pub fn days(key: impl Into<Word>, days: i64) -> Self {
        Self::fact(key, days.to_string(), "days")
    }

    #[must_use]
    pub fn rate(key: impl Into<Word>, rate: f64) -> Self {
        let value = round_stat(rate).map_or_else(String::new, |rate| rate.to_string());
        Self::fact(key, value, "units_per_day")
    }

    #[must_use]
    pub fn date(key: impl Into<Word>, date: Option<NaiveDate>) -> Self {
        Self::fact(
            key,
            date.map_or_else(String::new, |date| date.to_string()),
            "date",
        )
    }

    /// Thousandths as percent: `950` is `95`, `955` is `95.5`.
    #[must_use]
    pub fn percent(key: impl Into<Word>, permille: i64) -> Self {
        let value = rust_decimal::Decimal::new(permille, 1).normalize().to_string();
        Self::fact(key, value, "percent")
    }

    /// Units that are the sum of the terms. Terms of nothing are left out, but for the two everybody asks for.
    #[must_use]
    pub fn sum(key: impl Into<Word>, value: i64, terms: Vec<(Self, i64)>) -> Self {
        Self {
            rule: Word::Borrowed("sum"),
            terms: terms
                .into_iter()
                .filter(|(term, units)| *units != 0 || ["need", "order_up_to"].contains(&term.key.as_ref()))
                .map(|(term, units)| Self {
                    value: Word::Owned(units.to_string()),
                    unit: Word::Borrowed("units"),
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
                broken.push(self.key.to_string());
            }
        }
        broken
    }
}
