//! Money: an exact decimal and its currency, never a float.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// ISO 4217 code, three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("currency `{0}` is not a three-letter ISO 4217 code")]
pub struct CurrencyError(pub String);

impl Currency {
    pub const USD: Self = Self(*b"USD");
    pub const CNY: Self = Self(*b"CNY");
    pub const GBP: Self = Self(*b"GBP");

    /// # Errors
    /// When the text is not three ASCII letters (case is forgiven).
    pub fn new(code: &str) -> Result<Self, CurrencyError> {
        let upper = code.trim().to_ascii_uppercase();
        match <[u8; 3]>::try_from(upper.as_bytes()) {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_uppercase) => Ok(Self(bytes)),
            _ => Err(CurrencyError(code.to_owned())),
        }
    }

    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;
    fn try_from(value: String) -> Result<Self, CurrencyError> {
        Self::new(&value)
    }
}

impl From<Currency> for String {
    fn from(value: Currency) -> Self {
        value.code().to_owned()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

impl Money {
    #[must_use]
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Amount times a count, exact.
    #[must_use]
    pub fn times(&self, units: i64) -> Self {
        Self::new(self.amount * Decimal::from(units), self.currency)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", round_cents(self.amount), self.currency)
    }
}

/// The one rounding of money that people and documents see: two places, halves away from zero.
#[must_use]
pub fn round_cents(amount: Decimal) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(2);
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_halves_away_from_zero_and_keeps_two_places() {
        assert_eq!(round_cents(Decimal::new(12345, 3)).to_string(), "12.35");
        assert_eq!(round_cents(Decimal::new(-12345, 3)).to_string(), "-12.35");
        assert_eq!(round_cents(Decimal::from(3)).to_string(), "3.00");
    }

    #[test]
    fn currency_refuses_symbols() {
        assert_eq!(Currency::new("gbp").unwrap(), Currency::GBP);
        assert!(Currency::new("¥").is_err());
        assert!(Currency::new("RMB1").is_err());
    }
}
