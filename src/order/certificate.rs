//! Certificates of goods and registrations of the seller, with their days (R25, R26).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::Sku;

/// One paper. Its file, when there is one, is named by its SHA-256 and stored once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// A type of `config/rules/kinds.toml`, such as `ce` or `weee`.
    pub kind: String,
    pub number: String,
    pub issuer: String,
    /// ISO 3166 alpha-2; empty: not of one country.
    pub country: String,
    /// Empty: of all goods (of the categories named).
    pub skus: Vec<Sku>,
    /// Empty: of every category.
    pub categories: Vec<String>,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
    pub owner: String,
    pub sha256: Option<String>,
    pub file_name: String,
}

impl Certificate {
    /// Whether it speaks of goods in a country.
    #[must_use]
    pub fn covers(&self, sku: &Sku, category: &str, country: &str) -> bool {
        let place = self.country.is_empty() || self.country == country;
        let goods = self.skus.is_empty() || self.skus.contains(sku);
        let kind = self.categories.is_empty() || self.categories.iter().any(|known| known == category);
        place && goods && kind
    }

    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|first| first <= day) && self.valid_to.is_none_or(|last| day <= last)
    }
}
