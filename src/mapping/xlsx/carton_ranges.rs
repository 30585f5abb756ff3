//! Carton numbers as people write them (R30): `1-10,12`, one below the other, in either width.

use std::collections::BTreeSet;

/// More than any container holds; a slip such as `1-100000000` must not fill the memory.
const MAX_CARTON: u32 = 99_999;

/// Why a text is not a set of carton numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    #[error("no carton number")]
    Empty,
    #[error("`{0}` is not a carton number from 1 to 99999 or a range such as 1-10")]
    NotANumber(String),
    #[error("range `{0}` ends before it begins")]
    Backwards(String),
    #[error("carton {0} is named twice")]
    Twice(u32),
}

/// Parses `1-10,12`, `1,2\n3`, `１～３；5`: each carton once, in rising order.
///
/// # Errors
/// [`RangeError`] names the part that is wrong; a carton named twice is wrong too, because its weight would count twice.
pub fn parse(text: &str) -> Result<Vec<u32>, RangeError> {
    let plain: String = text.chars().map(half_width).collect();
    let mut seen = BTreeSet::new();
    for part in plain.split([',', ';', '\n', '\r', '\t', '、']) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let (from, to) = match part.split_once('-') {
            Some((from, to)) => (number(from, part)?, number(to, part)?),
            None => (number(part, part)?, number(part, part)?),
        };
        if to < from {
            return Err(RangeError::Backwards(part.to_owned()));
        }
        for carton in from..=to {
            if !seen.insert(carton) {
                return Err(RangeError::Twice(carton));
            }
        }
    }
    if seen.is_empty() {
        return Err(RangeError::Empty);
    }
    Ok(seen.into_iter().collect())
}

fn number(text: &str, part: &str) -> Result<u32, RangeError> {
    let digits = text.trim();
    let value = match digits.chars().all(|c| c.is_ascii_digit()) {
        true => digits.parse().ok(),
        false => None,
    };
    value
        .filter(|value| (1..=MAX_CARTON).contains(value))
        .ok_or_else(|| RangeError::NotANumber(part.chars().take(40).collect()))
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '，' => ',',
        '；' => ';',
        '～' | '~' | '–' | '—' | '－' | '至' => '-',
        c => c,
    }
}

/// The shortest text that [`parse`] reads back: neighbours become ranges.
#[must_use]
pub fn shown(cartons: &[u32]) -> String {
    let sorted: BTreeSet<u32> = cartons.iter().copied().collect();
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for carton in sorted {
        match parts.last_mut() {
            Some((_, to)) if to.checked_add(1) == Some(carton) => *to = carton,
            _ => parts.push((carton, carton)),
        }
    }
    let texts: Vec<String> = parts
        .into_iter()
        .map(|(from, to)| match from == to {
            true => from.to_string(),
            false => format!("{from}-{to}"),
        })
        .collect();
    texts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r30_ranges_and_lists_are_read() {
        assert_eq!(parse("1-3,12"), Ok(vec![1, 2, 3, 12]));
        assert_eq!(parse("1,2\n3"), Ok(vec![1, 2, 3]));
        assert_eq!(parse(" １～３；５ "), Ok(vec![1, 2, 3, 5]));
        assert_eq!(parse("7"), Ok(vec![7]));
    }

    #[test]
    fn r30_backwards_overlap_and_duplicates_are_refused() {
        assert_eq!(parse("10-1"), Err(RangeError::Backwards("10-1".to_owned())));
        assert_eq!(parse("1-10,5-12"), Err(RangeError::Twice(5)));
        assert_eq!(parse("3,3"), Err(RangeError::Twice(3)));
        assert_eq!(parse(" ,\n"), Err(RangeError::Empty));
        for wrong in ["0", "1-", "-3", "a", "1-2-3", "1.5", "100000", "1-4294967296"] {
            assert!(matches!(parse(wrong), Err(RangeError::NotANumber(_))), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_is_read_back(cartons in proptest::collection::btree_set(1_u32..500, 1..80)) {
            let cartons: Vec<u32> = cartons.into_iter().collect();
            proptest::prop_assert_eq!(parse(&shown(&cartons)), Ok(cartons));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }
}
