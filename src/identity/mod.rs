//! Numbers that name persons, goods, containers and places: whether one can be what it is said to be.
//!
//! A number that passes may still belong to nobody; one that does not pass is a slip in writing, and a paper with it comes
//! back. Public tables disagree about some of them (EORI): there only the frame is judged.

mod check_digits;
mod places;
mod tariff;
mod tax;

use std::fmt;

pub use check_digits::{gtin, gtin_check_digit, iso6346, sscc, uscc};
pub use places::{Functions, function_of, port};
pub use tariff::{agree, hs6, tariff_code};
pub use tax::{abn, eori, importer_number, jp_corporate, vat};

/// Why a number cannot be right, as the words that follow "wanted".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// Another number of characters or other characters.
    Form(&'static str),
    /// Another digit or letter than the one that its other characters give.
    CheckDigit { wanted: String },
    /// The check over all characters does not come out.
    CheckSum(&'static str),
    /// Nothing of that name in the list.
    Unlisted(&'static str),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(form) => f.write_str(form),
            Self::CheckDigit { wanted } => {
                write!(
                    f,
                    "check digit {wanted}: one of the characters before it, or it, is mistyped"
                )
            }
            Self::CheckSum(what) => write!(f, "{what} whose check sum comes out: a character is mistyped"),
            Self::Unlisted(list) => write!(f, "a code of {list}"),
        }
    }
}

/// The digits of a text that holds nothing else, of one of these lengths.
fn digits(text: &str, lengths: &[usize]) -> Option<Vec<u32>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    digits.filter(|digits| lengths.contains(&digits.len()))
}

/// Each digit times its weight, added up.
fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum()
}

#[cfg(test)]
mod tests;
