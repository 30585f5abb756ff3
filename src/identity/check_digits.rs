//! Containers, goods, cartons and Chinese companies.

use super::{Flaw, digits};

/// Marks of a freight container: owner, `U`, serial number and check digit (ISO 6346).
///
/// # Errors
/// Why it cannot be one.
pub fn iso6346(text: &str) -> Result<(), Flaw> {
    const FORM: Flaw = Flaw::Form("four letters, the fourth U, J or Z, and seven digits");
    let chars: Vec<char> = text.chars().collect();
    let (Some(owner), Some(serial)) = (chars.get(..4), chars.get(4..)) else {
        return Err(FORM);
    };
    let letters = owner.iter().all(char::is_ascii_uppercase) && matches!(owner.last(), Some('U' | 'J' | 'Z'));
    if !letters || serial.len() != 7 || !serial.iter().all(char::is_ascii_digit) {
        return Err(FORM);
    }
    let sum: u32 = (0_u32..)
        .zip(chars.iter().take(10))
        .map(|(place, c)| letter_value(*c) << place)
        .sum();
    let wanted = sum % 11 % 10;
    if chars.last().and_then(|c| c.to_digit(10)) == Some(wanted) {
        Ok(())
    } else {
        Err(Flaw::CheckDigit {
            wanted: wanted.to_string(),
        })
    }
}

/// Digits count as they are, letters from 10 on; multiples of eleven are left out.
fn letter_value(c: char) -> u32 {
    if let Some(digit) = c.to_digit(10) {
        return digit;
    }
    let place = u32::from(c).saturating_sub(u32::from('A'));
    10 + place + u32::from(place >= 1) + u32::from(place >= 11) + u32::from(place >= 21)
}

/// A trade item number of 8, 12, 13 or 14 digits (EAN, UPC, ITF-14).
///
/// # Errors
/// Why it cannot be one.
pub fn gtin(text: &str) -> Result<(), Flaw> {
    gs1(text, &[8, 12, 13, 14], "8, 12, 13 or 14 digits")
}

/// A serial shipping container code.
///
/// # Errors
/// Why it cannot be one.
pub fn sscc(text: &str) -> Result<(), Flaw> {
    gs1(text, &[18], "18 digits")
}

fn gs1(text: &str, lengths: &[usize], form: &'static str) -> Result<(), Flaw> {
    let digits = digits(text, lengths).ok_or(Flaw::Form(form))?;
    let (Some(last), Some(before)) = (digits.last(), digits.get(..digits.len() - 1)) else {
        return Err(Flaw::Form(form));
    };
    let wanted = gtin_check_digit(before);
    if *last == wanted {
        Ok(())
    } else {
        Err(Flaw::CheckDigit {
            wanted: wanted.to_string(),
        })
    }
}

/// The check digit that GS1 puts behind the digits of a GTIN or SSCC.
#[must_use]
pub fn gtin_check_digit(before: &[u32]) -> u32 {
    let sum: u32 = before
        .iter()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    (10 - sum % 10) % 10
}

/// 统一社会信用代码.
///
/// # Errors
/// Why it cannot be one.
pub fn uscc(text: &str) -> Result<(), Flaw> {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    const FORM: Flaw = Flaw::Form("18 digits and capital letters without I, O, S, V and Z");
    let values: Option<Vec<usize>> = text.chars().map(|c| ALPHABET.find(c)).collect();
    let values = values.filter(|values| values.len() == 18).ok_or(FORM)?;
    let mut weight = 1;
    let mut sum = 0;
    for value in values.iter().take(17) {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    let wanted = (31 - sum % 31) % 31;
    if values.last() == Some(&wanted) {
        Ok(())
    } else {
        let wanted = ALPHABET.chars().nth(wanted).map(String::from).unwrap_or_default();
        Err(Flaw::CheckDigit { wanted })
    }
}
