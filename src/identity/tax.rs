//! Numbers by which tax and customs offices know a person.

use super::{Flaw, digits, weighted};

/// A value added tax number with its country's prefix (`GB`, `DE`, `XI`; Greece writes `EL`).
///
/// # Errors
/// Why it cannot be one.
pub fn vat(text: &str) -> Result<(), Flaw> {
    let form = |form: &'static str| Err(Flaw::Form(form));
    let Some((prefix, rest)) = text.split_at_checked(2) else {
        return form("a VAT number that begins with its country, like GB123456789");
    };
    if !rest
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    {
        return form("a VAT number of digits and capital letters, like GB123456789");
    }
    match prefix {
        "AT" => at(rest),
        "BE" => sum_of(rest, &[10], "10 digits behind BE", belgian),
        "BG" => sum_of(rest, &[9, 10], "9 or 10 digits behind BG", |_| true),
        "CY" => framed(rest, 8, 1, "8 digits and a letter behind CY"),
        "CZ" => sum_of(rest, &[8, 9, 10], "8 to 10 digits behind CZ", czech),
        "DE" => sum_of(rest, &[9], "9 digits behind DE", mod_11_10),
        "DK" => sum_of(rest, &[8], "8 digits behind DK", |d| {
            weighted(d, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
        }),
        "EE" => sum_of(rest, &[9], "9 digits behind EE", |d| {
            weighted(d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
        }),
        "EL" => sum_of(rest, &[9], "9 digits behind EL", |d| {
            weighted(d, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == last(d)
        }),
        "ES" => es(rest),
        "FI" => sum_of(rest, &[8], "8 digits behind FI", |d| {
            weighted(d, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11)
        }),
        "FR" => fr(rest),
        "GB" | "XI" => gb(rest),
        "HR" => sum_of(rest, &[11], "11 digits behind HR", mod_11_10),
        "HU" => sum_of(rest, &[8], "8 digits behind HU", |d| {
            weighted(d, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10)
        }),
        "IE" => ie(rest),
        "IT" => sum_of(rest, &[11], "11 digits behind IT", italian),
        "LT" => sum_of(rest, &[9, 12], "9 or 12 digits behind LT", |_| true),
        "LU" => sum_of(rest, &[8], "8 digits behind LU", |d| {
            number(d.get(..6)) % 89 == number(d.get(6..))
        }),
        "LV" => sum_of(rest, &[11], "11 digits behind LV", |_| true),
        "MT" => sum_of(rest, &[8], "8 digits behind MT", |d| {
            weighted(d, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37)
        }),
        "NL" => nl(text, rest),
        "PL" => sum_of(rest, &[10], "10 digits behind PL", |d| {
            weighted(d, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == last(d)
        }),
        "PT" => sum_of(rest, &[9], "9 digits behind PT, the first not 0", |d| {
            d.first() != Some(&0) && (11 - weighted(d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10 == last(d)
        }),
        "RO" => sum_of(
            rest,
            &[2, 3, 4, 5, 6, 7, 8, 9, 10],
            "2 to 10 digits behind RO",
            |_| true,
        ),
        "SE" => sum_of(rest, &[12], "12 digits behind SE", |d| {
            d.get(..10).is_some_and(luhn)
        }),
        "SI" => sum_of(rest, &[8], "8 digits behind SI", |d| {
            (11 - weighted(d, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10 == last(d)
        }),
        "SK" => sum_of(rest, &[10], "10 digits behind SK", slovak),
        _ => form("a VAT number of the EU, GB or XI, beginning with its country"),
    }
}

const CHECK_SUM: Flaw = Flaw::CheckSum("a VAT number");

/// So many digits, and the country's own sum over them.
fn sum_of(
    rest: &str,
    lengths: &[usize],
    form: &'static str,
    holds: impl Fn(&[u32]) -> bool,
) -> Result<(), Flaw> {
    let digits = digits(rest, lengths).ok_or(Flaw::Form(form))?;
    if holds(&digits) { Ok(()) } else { Err(CHECK_SUM) }
}

/// So many digits and then so many letters; the sum is not judged.
fn framed(rest: &str, count: usize, letters: usize, form: &'static str) -> Result<(), Flaw> {
    let (head, tail) = rest.split_at_checked(count).ok_or(Flaw::Form(form))?;
    let good = digits(head, &[count]).is_some()
        && tail.len() == letters
        && tail.bytes().all(|byte| byte.is_ascii_uppercase());
    if good { Ok(()) } else { Err(Flaw::Form(form)) }
}

fn last(digits: &[u32]) -> u32 {
    digits.last().copied().unwrap_or(u32::MAX)
}

fn number(digits: Option<&[u32]>) -> u64 {
    digits
        .unwrap_or_default()
        .iter()
        .fold(0, |sum, digit| sum * 10 + u64::from(*digit))
}

/// Every second digit from the right doubled, its own digits added up.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|value| value / 10 + value % 10)
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 7064 mod 11, 10.
fn mod_11_10(digits: &[u32]) -> bool {
    let mut product = 10;
    for digit in digits.iter().take(digits.len().saturating_sub(1)) {
        let sum = (digit + product) % 10;
        product = if sum == 0 { 10 } else { sum } * 2 % 11;
    }
    (product + last(digits)) % 10 == 1
}

fn belgian(digits: &[u32]) -> bool {
    digits.first().is_some_and(|first| *first <= 1)
        && (number(digits.get(..8)) + number(digits.get(8..))).is_multiple_of(97)
}

/// Companies have eight digits with a sum; persons' numbers of nine and ten are judged by their length.
fn czech(digits: &[u32]) -> bool {
    if digits.len() != 8 {
        return true;
    }
    let sum = (11 - weighted(digits, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    (if sum == 0 { 1 } else { sum }) % 10 == last(digits)
}

/// Digits eight to ten name the office that gave the number out.
fn italian(digits: &[u32]) -> bool {
    let office = number(digits.get(7..10));
    luhn(digits) && matches!(office, 1..=100 | 120 | 121 | 888 | 999)
}

/// Companies have no month in the third digit; persons carry their day of birth, women with 50 added to the month.
fn slovak(digits: &[u32]) -> bool {
    let company = digits.first() != Some(&0) && matches!(digits.get(2), Some(2 | 3 | 4 | 7 | 8 | 9));
    let born =
        matches!(number(digits.get(2..4)) % 50, 1..=12) && (1..=31).contains(&number(digits.get(4..6)));
    company && number(Some(digits)).is_multiple_of(11)
        || born && number(digits.get(..9)) % 11 % 10 == u64::from(last(digits))
}

fn at(rest: &str) -> Result<(), Flaw> {
    const FORM: &str = "U and 8 digits behind AT";
    let digits = rest
        .strip_prefix('U')
        .and_then(|rest| digits(rest, &[8]))
        .ok_or(Flaw::Form(FORM))?;
    let sum: u32 = digits
        .iter()
        .take(7)
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|value| value / 10 + value % 10)
        .sum();
    if (10 - (sum + 4) % 10) % 10 == last(&digits) {
        Ok(())
    } else {
        Err(CHECK_SUM)
    }
}

/// Nine digits, or twelve with a branch; government and health departments have a number of five characters.
fn gb(rest: &str) -> Result<(), Flaw> {
    const FORM: &str = "9 or 12 digits behind GB or XI";
    if let Some(department) = rest.strip_prefix("GD").or_else(|| rest.strip_prefix("HA")) {
        return digits(department, &[3]).map(|_| ()).ok_or(Flaw::Form(FORM));
    }
    sum_of(rest, &[9, 12], FORM, |digits| {
        let sum = u64::from(weighted(digits, &[8, 7, 6, 5, 4, 3, 2])) + number(digits.get(7..9));
        // The ranges from 100 on were given out by three rules, one after the other.
        match sum % 97 {
            0 => true,
            42 | 55 => number(digits.get(..3)) >= 100,
            _ => false,
        }
    })
}

/// A key of two characters before the SIREN; the key is judged where it is two digits.
fn fr(rest: &str) -> Result<(), Flaw> {
    const FORM: &str = "2 characters and 9 digits behind FR";
    let (key, siren) = rest.split_at_checked(2).ok_or(Flaw::Form(FORM))?;
    let company = digits(siren, &[9]).ok_or(Flaw::Form(FORM))?;
    if key.contains(['I', 'O']) {
        return Err(Flaw::Form("2 characters without I and O, and 9 digits behind FR"));
    }
    // Monaco's companies carry a French number of the range 000, which has no Luhn sum.
    if !siren.starts_with("000") && !luhn(&company) {
        return Err(CHECK_SUM);
    }
    match digits(key, &[2]) {
        Some(key) if number(Some(&key)) != (12 + 3 * (number(Some(&company)) % 97)) % 97 => Err(CHECK_SUM),
        _ => Ok(()),
    }
}

/// Seven digits, a check letter, and in newer numbers one more letter that counts nine times.
fn ie(rest: &str) -> Result<(), Flaw> {
    const FORM: &str = "7 digits and 1 or 2 letters behind IE";
    const LETTERS: &str = "WABCDEFGHIJKLMNOPQRSTUV";
    let (head, tail) = rest.split_at_checked(7).ok_or(Flaw::Form(FORM))?;
    let mut tail_chars = tail.chars();
    let (check, more) = (tail_chars.next(), tail_chars.next());
    // Numbers from before 2013 have a letter or sign in the second place.
    let old_style = head.chars().nth(1).is_some_and(|c| !c.is_ascii_digit());
    if old_style {
        return framed_old_irish(head, check, more, FORM);
    }
    let digits = digits(head, &[7]).ok_or(Flaw::Form(FORM))?;
    let (Some(check), None) = (check, tail_chars.next()) else {
        return Err(Flaw::Form(FORM));
    };
    let second = match more {
        None => 0,
        Some('W') => 0,
        Some(letter @ 'A'..='I') => u32::from(letter) - u32::from('A') + 1,
        Some(_) => return Err(Flaw::Form(FORM)),
    };
    let sum = weighted(&digits, &[8, 7, 6, 5, 4, 3, 2]) + second * 9;
    let wanted = LETTERS.chars().nth(usize::try_from(sum % 23).unwrap_or_default());
    if wanted == Some(check) {
        Ok(())
    } else {
        Err(CHECK_SUM)
    }
}

fn framed_old_irish(
    head: &str,
    check: Option<char>,
    more: Option<char>,
    form: &'static str,
) -> Result<(), Flaw> {
    let good = head
        .chars()
        .enumerate()
        .all(|(place, c)| place == 1 || c.is_ascii_digit())
        && check.is_some_and(|c| c.is_ascii_uppercase())
        && more.is_none();
    if good { Ok(()) } else { Err(Flaw::Form(form)) }
}

/// Nine digits, `B` and two digits: the older by the sum of eleven, the newer by ISO 7064 mod 97.
fn nl(text: &str, rest: &str) -> Result<(), Flaw> {
    const FORM: &str = "9 digits, B and 2 digits behind NL";
    let (head, tail) = rest.split_once('B').ok_or(Flaw::Form(FORM))?;
    let (Some(head), Some(_)) = (digits(head, &[9]), digits(tail, &[2])) else {
        return Err(Flaw::Form(FORM));
    };
    let older = {
        let sum = weighted(&head, &[9, 8, 7, 6, 5, 4, 3, 2]);
        sum % 11 == last(&head)
    };
    let newer = text
        .chars()
        .filter_map(|c| c.to_digit(36))
        .fold(0_u64, |sum, value| {
            (sum * if value > 9 { 100 } else { 10 } + u64::from(value)) % 97
        })
        == 1;
    if older || newer { Ok(()) } else { Err(CHECK_SUM) }
}

/// Persons: eight digits or a letter and seven, with a letter of twenty-three; companies: a letter, seven digits and a
/// check digit or letter.
fn es(rest: &str) -> Result<(), Flaw> {
    const FORM: &str = "9 characters behind ES: digits with a letter at one end or both";
    const PERSON: &str = "TRWAGMYFPDXBNJZSQVHLCKE";
    const COMPANY: &str = "JABCDEFGHI";
    let chars: Vec<char> = rest.chars().collect();
    let ([first, .., end], true) = (chars.as_slice(), chars.len() == 9) else {
        return Err(Flaw::Form(FORM));
    };
    let middle = digits(rest.get(1..8).unwrap_or_default(), &[7]).ok_or(Flaw::Form(FORM))?;
    let person = |number: u64| {
        usize::try_from(number % 23)
            .ok()
            .and_then(|place| PERSON.chars().nth(place))
            == Some(*end)
    };
    let holds = match first {
        '0'..='9' => {
            person(u64::from(first.to_digit(10).unwrap_or_default()) * 10_000_000 + number(Some(&middle)))
        }
        'K' | 'L' | 'M' | 'X' => person(number(Some(&middle))),
        'Y' => person(10_000_000 + number(Some(&middle))),
        'Z' => person(20_000_000 + number(Some(&middle))),
        'A'..='H' | 'J' | 'N' | 'P'..='S' | 'U'..='W' => {
            let sum: u32 = middle
                .iter()
                .zip([2, 1].into_iter().cycle())
                .map(|(digit, weight)| digit * weight)
                .map(|value| value / 10 + value % 10)
                .sum();
            let check = (10 - sum % 10) % 10;
            let letter = usize::try_from(check)
                .ok()
                .and_then(|place| COMPANY.chars().nth(place));
            end.to_digit(10) == Some(check) || letter == Some(*end)
        }
        _ => return Err(Flaw::Form(FORM)),
    };
    if holds { Ok(()) } else { Err(CHECK_SUM) }
}

/// An EORI number for a destination: the frame only, because the published tables of lengths contradict each other.
/// `country` is where it clears: GB asks for GB, Northern Ireland's XI goes too, the EU takes any member's.
///
/// # Errors
/// Why it cannot be one.
pub fn eori(text: &str, country: &str) -> Result<(), Flaw> {
    let Some((prefix, rest)) = text.split_at_checked(2) else {
        return Err(Flaw::Form("two letters and 1 to 15 letters or digits"));
    };
    let framed = prefix.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=15).contains(&rest.len())
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if !framed {
        return Err(Flaw::Form("two letters and 1 to 15 letters or digits"));
    }
    let british = matches!(prefix, "GB" | "XI");
    if british && digits(rest, &[12, 15]).is_none() {
        return Err(Flaw::Form("GB or XI and 12 or 15 digits"));
    }
    match (country, british) {
        ("GB", false) => Err(Flaw::Form("an EORI number of GB (or XI): GB and 12 or 15 digits")),
        ("GB", true) | (_, false) => Ok(()),
        (_, true) if prefix == "XI" => Ok(()),
        (_, true) => Err(Flaw::Form(
            "an EORI number that a member state of the EU gave: one of GB does not hold there",
        )),
    }
}

/// How the US customs know an importer: EIN (with its suffix), social security number, or one that customs gave.
///
/// # Errors
/// Why it cannot be one.
pub fn importer_number(text: &str) -> Result<(), Flaw> {
    let groups: Vec<&str> = text.split('-').collect();
    let all_digits = |text: &str, count: usize| digits(text, &[count]).is_some();
    let good = match groups.as_slice() {
        // EIN, with or without the two characters that customs put behind it; then the number that customs gave.
        [first, rest] => {
            let ein = all_digits(first, 2)
                && rest.split_at_checked(7).is_some_and(|(number, suffix)| {
                    all_digits(number, 7)
                        && (suffix.is_empty()
                            || suffix.len() == 2 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()))
                });
            ein || (all_digits(first, 6) && all_digits(rest, 5))
        }
        [area, group, serial] => all_digits(area, 3) && all_digits(group, 2) && all_digits(serial, 4),
        _ => false,
    };
    if good {
        Ok(())
    } else {
        Err(Flaw::Form(
            "an importer number like 12-3456789, 12-3456789AB, 123-45-6789 or 260101-12345",
        ))
    }
}

/// Australian business number.
///
/// # Errors
/// Why it cannot be one.
pub fn abn(text: &str) -> Result<(), Flaw> {
    let mut digits = digits(text, &[11]).ok_or(Flaw::Form("an ABN of 11 digits"))?;
    if let Some(first) = digits.first_mut() {
        *first = first
            .checked_sub(1)
            .ok_or(Flaw::Form("an ABN of 11 digits, the first not 0"))?;
    }
    if weighted(&digits, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]).is_multiple_of(89) {
        Ok(())
    } else {
        Err(Flaw::CheckSum("an ABN"))
    }
}

/// 法人番号: a check digit before twelve digits.
///
/// # Errors
/// Why it cannot be one.
pub fn jp_corporate(text: &str) -> Result<(), Flaw> {
    let digits = digits(text, &[13]).ok_or(Flaw::Form("a corporate number of 13 digits"))?;
    let (Some(check), Some(rest)) = (digits.first(), digits.get(1..)) else {
        return Err(Flaw::Form("a corporate number of 13 digits"));
    };
    let wanted = 9 - weighted(rest, &[2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]) % 9;
    if *check == wanted {
        Ok(())
    } else {
        Err(Flaw::CheckDigit {
            wanted: wanted.to_string(),
        })
    }
}
