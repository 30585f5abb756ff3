//! Cell addresses: `B12`, `A1:T93`.

use std::fmt;

use serde::Deserialize;

/// Excel's own limits.
pub const MAX_ROW: u32 = 1_048_576;
pub const MAX_COLUMN: u32 = 16_384;

/// A cell, counted from 1 in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct At {
    pub row: u32,
    pub column: u32,
}

/// A rectangle of cells, both corners inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Area {
    pub from: At,
    pub to: At,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cell such as B12")]
pub struct AddressError(String);

impl TryFrom<String> for At {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text).ok_or(AddressError(text))
    }
}

impl At {
    /// Without `$` and inside Excel's limits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| c.is_ascii_digit())?;
        let (letters, digits) = text.split_at_checked(digits)?;
        if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let row = digits.parse().ok().filter(|row| (1..=MAX_ROW).contains(row))?;
        Some(Self {
            row,
            column: column_number(letters)?,
        })
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", column_letters(self.column), self.row)
    }
}

impl Area {
    /// `A1:T93`, or one cell.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once(':').unwrap_or((text, text));
        let (from, to) = (At::parse(from)?, At::parse(to)?);
        Some(Self {
            from: At {
                row: from.row.min(to.row),
                column: from.column.min(to.column),
            },
            to: At {
                row: from.row.max(to.row),
                column: from.column.max(to.column),
            },
        })
    }

    #[must_use]
    pub fn contains(&self, at: At) -> bool {
        (self.from.row..=self.to.row).contains(&at.row)
            && (self.from.column..=self.to.column).contains(&at.column)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from == self.to {
            true => write!(f, "{}", self.from),
            false => write!(f, "{}:{}", self.from, self.to),
        }
    }
}

/// `A` is 1, `XFD` is 16384.
#[must_use]
pub fn column_number(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let mut number = 0_u32;
    for byte in letters.bytes() {
        if !byte.is_ascii_uppercase() {
            return None;
        }
        number = number * 26 + u32::from(byte - b'A') + 1;
    }
    (number <= MAX_COLUMN).then_some(number)
}

#[must_use]
pub fn column_letters(mut column: u32) -> String {
    let mut letters = Vec::new();
    while column > 0 {
        let digit = u8::try_from((column - 1) % 26).unwrap_or_default();
        letters.push(char::from(b'A' + digit));
        column = (column - 1) / 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        assert_eq!(At::parse("B12"), Some(At { row: 12, column: 2 }));
        assert_eq!(At::parse("XFD1048576").unwrap().to_string(), "XFD1048576");
        for wrong in [
            "", "A", "12", "A0", "XFE1", "A1048577", "a1", "A1x", "$A$1", "A01",
        ] {
            assert_eq!(At::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Area::parse("C3:A1").unwrap().to_string(), "A1:C3");
        assert_eq!(Area::parse("B2").unwrap().to_string(), "B2");
    }

    proptest::proptest! {
        #[test]
        fn letters_and_numbers_are_the_same_column(column in 1_u32..=MAX_COLUMN) {
            proptest::prop_assert_eq!(column_number(&column_letters(column)), Some(column));
        }
    }
}
