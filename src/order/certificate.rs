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

/// Largest paper that is kept.
pub const MAX_PAPER_BYTES: u64 = 20 << 20;

/// What is wrong with the bytes of a paper, as the words after "wanted"; `None`: they can be kept.
#[must_use]
pub fn paper_fault(bytes: &[u8]) -> Option<&'static str> {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    if bytes.is_empty() {
        Some("a file that is not empty")
    } else if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_PAPER_BYTES {
        Some("at most 20 MiB")
    } else if bytes.starts_with(b"%PDF-") {
        has(b"/Encrypt").then_some("a PDF without a password")
    } else if bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        None
    } else {
        Some("a PDF, JPEG or PNG")
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r25_empty_wrong_encrypted_and_too_large_papers_are_refused() {
        assert_eq!(paper_fault(b"%PDF-1.7\n1 0 obj\n"), None);
        assert_eq!(paper_fault(b""), Some("a file that is not empty"));
        assert_eq!(paper_fault(b"MZ\x90\x00"), Some("a PDF, JPEG or PNG"));
        assert_eq!(
            paper_fault(b"%PDF-1.7\ntrailer << /Encrypt 5 0 R >>"),
            Some("a PDF without a password")
        );
        let mut huge = b"%PDF-1.7".to_vec();
        huge.resize(21 << 20, 0);
        assert_eq!(paper_fault(&huge), Some("at most 20 MiB"));
    }

    #[test]
    fn r26_a_paper_covers_its_country_goods_and_kind() {
        let paper = Certificate {
            kind: "weee".to_owned(),
            number: "1".to_owned(),
            issuer: String::new(),
            country: "DE".to_owned(),
            skus: Vec::new(),
            categories: vec!["lamp".to_owned()],
            valid_from: None,
            valid_to: None,
            owner: String::new(),
            sha256: None,
            file_name: String::new(),
        };
        let sku = Sku::new("A").unwrap();
        assert!(paper.covers(&sku, "lamp", "DE"));
        assert!(!paper.covers(&sku, "lamp", "FR") && !paper.covers(&sku, "toy", "DE"));
    }
}
