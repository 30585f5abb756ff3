//! Tariff codes by the Harmonized System 2022.

use std::sync::LazyLock;

use super::Flaw;

static SUBHEADINGS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("data/hs2022.txt").lines().collect());

/// Whether the six digits are a subheading of the Harmonized System 2022.
#[must_use]
pub fn hs6(digits: &str) -> bool {
    SUBHEADINGS.binary_search(&digits).is_ok()
}

/// A national tariff code: digits of the country's length, whose first six the Harmonized System has. `country` is ISO 3166
/// alpha-2; China writes ten, Japan nine, Australia eight or ten,
/// the US, the EU and GB ten.
///
/// # Errors
/// Why it cannot be one.
pub fn tariff_code(code: &str, country: &str) -> Result<(), Flaw> {
    let (lengths, form): (&[usize], &'static str) = match country {
        "CN" => (&[10, 13], "10 digits, or 13 with the code of inspection"),
        "JP" => (&[6, 9], "6 or 9 digits"),
        _ => (&[6, 8, 10], "6, 8 or 10 digits"),
    };
    if !code.bytes().all(|byte| byte.is_ascii_digit()) || !lengths.contains(&code.len()) {
        return Err(Flaw::Form(form));
    }
    let chapter = code.get(..2).unwrap_or_default();
    // Chapters 98 and 99 are each country's own.
    if matches!(chapter, "98" | "99") || hs6(code.get(..6).unwrap_or_default()) {
        Ok(())
    } else {
        Err(Flaw::Unlisted(
            "the Harmonized System 2022 by its first six digits",
        ))
    }
}

/// Whether two countries' codes name the same subheading. Countries classify by themselves: a difference is worth a look,
/// it is no error.
#[must_use]
pub fn agree(one: &str, other: &str) -> bool {
    matches!((one.get(..6), other.get(..6)), (Some(one), Some(other)) if one == other)
}
