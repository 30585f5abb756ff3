//! What the Chinese tariff asks of a code: how many 申报要素, and whether there is a second legal unit. Nobody publishes the
//! table for machines; the agent or the seller keeps the codes in use in a file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::problem::Problem;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
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
}

impl Tariff {
    /// # Errors
    /// What is wrong with the file, with its lines.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        crate::declared::read(file, text)
    }
}
