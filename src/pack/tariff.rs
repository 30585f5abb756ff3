//! What the Chinese tariff asks of a code: how many 申报要素, and whether there is a second legal unit. Nobody publishes the
//! table for machines; the agent or the seller keeps the codes in use in a file.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::problem::Problem;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// When somebody last compared the file with the tariff.
    #[serde(default)]
    pub checked: Option<NaiveDate>,
    /// `[code.9405500000]`
    #[serde(default)]
    pub code: BTreeMap<String, TariffRule>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TariffRule {
    /// How many 申报要素 are declared.
    pub elements: Option<usize>,
    /// 法定第一计量单位
    pub legal_unit: Option<String>,
    /// 法定第二计量单位; empty: the code has none.
    pub second_legal_unit: Option<String>,
    /// 监管条件 B: inspected before it is declared, by an electronic ledger (电子底账).
    #[serde(default)]
    pub inspection: bool,
    /// How many days before the goods leave the inspection is asked for; a week where nothing is said.
    pub inspection_days: Option<u64>,
}

/// The tariff changes with the year, and conditions in between: an older file is told.
const OLD_DAYS: i64 = 180;

/// A week.
const INSPECTION_DAYS: u64 = 7;

impl Tariff {
    /// # Errors
    /// What is wrong with the file, with its lines.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        crate::declared::read(file, text)
    }

    /// How many days before they leave the goods of these codes have to be sent for inspection; `None`: none of them has to.
    #[must_use]
    pub fn inspection_days<'c>(&self, codes: impl Iterator<Item = &'c str>) -> Option<u64> {
        codes
            .filter_map(|code| self.code.get(code).filter(|rule| rule.inspection))
            .map(|rule| rule.inspection_days.unwrap_or(INSPECTION_DAYS))
            .max()
    }

    /// How old a file is that somebody should compare again.
    #[must_use]
    pub fn stale_days(&self, today: NaiveDate) -> Option<i64> {
        let age = (today - self.checked?).num_days();
        (age > OLD_DAYS).then_some(age)
    }
}
