//! GS1 element strings: `(00)106141411234567897` as people write them, and as bars carry them.

use super::code128::FNC1;
use crate::identity;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gs1Error {
    #[error("elements like (00)106141411234567897, each with its identifier in brackets")]
    Form,
    #[error("an application identifier this program knows instead of ({0})")]
    Unknown(String),
    #[error("({identifier}) followed by {wanted}")]
    Value {
        identifier: &'static str,
        wanted: String,
    },
}

/// What may stand behind an identifier.
struct Identifier {
    code: &'static str,
    least: usize,
    most: usize,
    digits: bool,
    /// Its length is fixed by the standard, so that no separator follows it.
    predefined: bool,
    check_digit: bool,
}

const fn digits(code: &'static str, least: usize, most: usize) -> Identifier {
    Identifier {
        code,
        least,
        most,
        digits: true,
        predefined: false,
        check_digit: false,
    }
}

const fn fixed(code: &'static str, length: usize) -> Identifier {
    Identifier {
        predefined: true,
        ..digits(code, length, length)
    }
}

const fn checked(code: &'static str, length: usize) -> Identifier {
    Identifier {
        check_digit: true,
        ..fixed(code, length)
    }
}

const fn text(code: &'static str, most: usize) -> Identifier {
    Identifier {
        digits: false,
        ..digits(code, 1, most)
    }
}

/// Those of goods, cartons, pallets and where they go. `310` and its like take a fourth digit: the places after the point.
const IDENTIFIERS: [Identifier; 32] = [
    checked("00", 18),
    checked("01", 14),
    checked("02", 14),
    text("10", 20),
    fixed("11", 6),
    fixed("13", 6),
    fixed("15", 6),
    fixed("17", 6),
    text("21", 20),
    text("240", 30),
    text("241", 30),
    digits("30", 1, 8),
    fixed("310", 7),
    fixed("311", 7),
    fixed("312", 7),
    fixed("313", 7),
    fixed("314", 7),
    fixed("316", 7),
    fixed("330", 7),
    fixed("331", 7),
    fixed("332", 7),
    fixed("333", 7),
    fixed("336", 7),
    digits("37", 1, 8),
    text("400", 30),
    text("401", 30),
    Identifier {
        check_digit: true,
        ..digits("402", 17, 17)
    },
    text("403", 30),
    checked("410", 13),
    text("420", 20),
    digits("422", 3, 3),
    text("91", 90),
];

impl Identifier {
    fn check(&self, value: &str) -> Result<(), Gs1Error> {
        let count = value.chars().count();
        let right_length = (self.least..=self.most).contains(&count);
        let right_kind = if self.digits {
            value.bytes().all(|byte| byte.is_ascii_digit())
        } else {
            value
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"#$@[\\]^`{|}~".contains(&byte))
        };
        let wanted = match (self.digits, self.least == self.most) {
            (true, true) => format!("{} digits", self.least),
            (true, false) => format!("{} to {} digits", self.least, self.most),
            (false, _) => format!("1 to {} letters, digits and common signs", self.most),
        };
        let fault = |wanted| Gs1Error::Value {
            identifier: self.code,
            wanted,
        };
        if !right_length || !right_kind {
            return Err(fault(wanted));
        }
        if self.check_digit {
            let digits: Vec<u32> = value.chars().filter_map(|c| c.to_digit(10)).collect();
            let (Some(last), Some(before)) = (digits.last(), digits.get(..digits.len() - 1)) else {
                return Err(fault(wanted));
            };
            let right = identity::gtin_check_digit(before);
            if *last != right {
                return Err(fault(format!("{wanted} with check digit {right}")));
            }
        }
        Ok(())
    }
}

/// What the bars of these elements say: no brackets, [`FNC1`] in front and behind every element of open length that another one
/// follows.
///
/// # Errors
/// The first element that is none.
pub fn message(shown: &str) -> Result<String, Gs1Error> {
    let mut out = String::from(FNC1);
    let mut rest = shown.trim();
    if rest.is_empty() {
        return Err(Gs1Error::Form);
    }
    let mut open = false;
    while !rest.is_empty() {
        let (code, behind) = rest
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
            .ok_or(Gs1Error::Form)?;
        let identifier = find(code).ok_or_else(|| Gs1Error::Unknown(code.to_owned()))?;
        // An opening bracket begins the next element only when what follows it is one.
        let end = behind
            .match_indices('(')
            .map(|(at, _)| at)
            .find(|at| {
                let next = behind.get(at + 1..).and_then(|next| next.split_once(')'));
                next.is_some_and(|(code, _)| find(code).is_some())
            })
            .unwrap_or(behind.len());
        let (value, behind) = behind.split_at(end);
        // The fourth digit of a measure belongs to the value that is judged.
        let judged = format!("{}{value}", code.get(identifier.code.len()..).unwrap_or_default());
        identifier.check(&judged)?;
        if open {
            out.push(FNC1);
        }
        out.push_str(code);
        out.push_str(value);
        open = !identifier.predefined;
        rest = behind;
    }
    Ok(out)
}

/// The elements that bars say, as people write them.
///
/// # Errors
/// When it is no GS1 message.
pub fn shown(message: &str) -> Result<String, Gs1Error> {
    let mut rest = message.strip_prefix(FNC1).ok_or(Gs1Error::Form)?;
    let mut out = String::new();
    while !rest.is_empty() {
        let identifier = IDENTIFIERS
            .iter()
            .find(|identifier| rest.starts_with(identifier.code))
            .ok_or_else(|| Gs1Error::Unknown(rest.chars().take(4).collect()))?;
        let (_, behind) = rest.split_at(identifier.code.len());
        let end = if identifier.predefined {
            identifier.most.min(behind.len())
        } else {
            behind.find(FNC1).unwrap_or(behind.len())
        };
        let (value, behind) = behind.split_at_checked(end).ok_or(Gs1Error::Form)?;
        identifier.check(value)?;
        // A measure shows its places inside the brackets.
        let inside = usize::from(identifier.code.len() == 3 && identifier.code.starts_with('3'));
        let (places, value) = value.split_at(inside);
        out.push_str(&format!("({}{places}){value}", identifier.code));
        rest = behind.strip_prefix(FNC1).unwrap_or(behind);
    }
    Ok(out)
}

fn find(code: &str) -> Option<&'static Identifier> {
    IDENTIFIERS.iter().find(|identifier| {
        let measure = identifier.code.len() == 3 && identifier.code.starts_with('3');
        if measure {
            code.len() == 4
                && code.starts_with(identifier.code)
                && code.ends_with(|last: char| last.is_ascii_digit())
        } else {
            identifier.code == code
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_separator_follows_what_has_no_fixed_length_and_only_when_more_follows() {
        assert_eq!(
            message("(00)106141411234567897").unwrap(),
            "\u{1d}00106141411234567897"
        );
        assert_eq!(
            message("(01)09501101530003(10)LOT-7(37)24").unwrap(),
            "\u{1d}010950110153000310LOT-7\u{1d}3724"
        );
        assert_eq!(
            message("(02)09501101530003(3103)001250(37)8(400)PO-1").unwrap(),
            "\u{1d}02095011015300033103001250378\u{1d}400PO-1"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |text: &str| message(text).unwrap_err().to_string();
        assert_eq!(
            said("(00)106141411234567890"),
            "(00) followed by 18 digits with check digit 7"
        );
        assert_eq!(said("(00)12"), "(00) followed by 18 digits");
        assert_eq!(
            said("(99)1"),
            "an application identifier this program knows instead of (99)"
        );
        assert_eq!(said("106141411234567897"), Gs1Error::Form.to_string());
        assert_eq!(said(""), Gs1Error::Form.to_string());
        assert_eq!(
            said("(10)批次"),
            "(10) followed by 1 to 20 letters, digits and common signs"
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_meant(
            serial in "[0-9]{17}", lot in "[A-Z0-9/-]{1,20}", count in 1_u32..99_999, weight in 0_u32..999_999,
        ) {
            let digits: Vec<u32> = serial.chars().filter_map(|c| c.to_digit(10)).collect();
            let text = format!(
                "(00){serial}{}(10){lot}(37){count}(3302){weight:06}",
                identity::gtin_check_digit(&digits)
            );
            prop_assert_eq!(shown(&message(&text).unwrap()).unwrap(), text);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = message(&text);
            let _ = shown(&format!("{FNC1}{text}"));
        }
    }
}
