//! Code 128: written with one implementation, read back with another before a label leaves.

use barcoders::sym::code128::Code128;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CodeError {
    #[error("Code 128 holds only printable ASCII, not `{0}`")]
    Character(char),
    #[error("a code needs at least one character")]
    Empty,
    #[error("encode `{0}` as Code 128")]
    Encode(String, #[source] barcoders::error::Error),
    #[error("`{wanted}` reads back as `{found}`")]
    ReadBack { wanted: String, found: String },
    #[error("the bars do not read back: {0}")]
    Unreadable(#[from] DecodeError),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("no symbol has the widths at symbol {0}")]
    Symbol(usize),
    #[error("no start symbol")]
    Start,
    #[error("no stop symbol")]
    Stop,
    #[error("check symbol {found}, computed {computed}")]
    Check { found: usize, computed: usize },
    #[error("symbol {0} has no character in its set")]
    Set(usize),
}

/// What the function character 1 is called in a text: GS1 begins with it and separates by it.
pub const FNC1: char = '\u{1d}';

/// Bars (true) and spaces (false), one entry per module, without quiet zones. [`FNC1`] is the one character that is not printed.
///
/// # Errors
/// When the text cannot be a Code 128, or when the pattern does not read back as the same text.
pub fn modules(text: &str) -> Result<Vec<bool>, CodeError> {
    if text.is_empty() {
        return Err(CodeError::Empty);
    }
    if let Some(bad) = text.chars().find(|c| !(' '..='~').contains(c) && *c != FNC1) {
        return Err(CodeError::Character(bad));
    }
    let pattern: Vec<bool> = Code128::new(with_set_switches(text))
        .map_err(|error| CodeError::Encode(text.to_owned(), error))?
        .encode()
        .into_iter()
        .map(|module| module == 1)
        .collect();
    let found = decode(&pattern)?;
    if found != text {
        return Err(CodeError::ReadBack {
            wanted: text.to_owned(),
            found,
        });
    }
    Ok(pattern)
}

/// Puts the set switches in: set C packs two digits into a symbol and pays for its switch from six digits on,
/// from four at either end.
fn with_set_switches(text: &str) -> String {
    const SET_B: char = '\u{181}';
    const SET_C: char = '\u{106}';
    const FUNCTION_1: char = '\u{179}';
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 4);
    let mut set = ' ';
    let mut rest = chars.as_slice();
    while let Some(first) = rest.first() {
        if *first == FNC1 {
            // It stands in every set: the one that the digits behind it want saves a switch.
            rest = rest.get(1..).unwrap_or_default();
            if set == ' ' {
                let pairs = rest.iter().take_while(|c| c.is_ascii_digit()).count() >= 2;
                set = if pairs { SET_C } else { SET_B };
                out.push(set);
            }
            out.push(FUNCTION_1);
            continue;
        }
        let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let at_an_end = set == ' ' || digits == rest.len();
        let packed = digits - digits % 2;
        let worth = match (set, at_an_end) {
            (SET_C, _) => 2,
            (_, true) => 4,
            (_, false) => 6,
        };
        if packed >= worth {
            // An odd run leaves its first digit in set B, so that a run at the end still ends in pairs.
            let leading = if set == SET_B { digits % 2 } else { 0 };
            if leading == 1 {
                out.push(*first);
            }
            if set != SET_C {
                out.push(SET_C);
                set = SET_C;
            }
            let taken = leading + packed;
            out.extend(rest.iter().skip(leading).take(packed));
            rest = rest.get(taken..).unwrap_or_default();
        } else {
            if set != SET_B {
                out.push(SET_B);
                set = SET_B;
            }
            // A short run stays in set B whole; its tail must not look like a new run.
            let taken = digits.max(1);
            out.extend(rest.iter().take(taken));
            rest = rest.get(taken..).unwrap_or_default();
        }
    }
    out
}

/// Bar and space widths of the symbol values 0..=105, as ISO/IEC 15417 tabulates them.
const WIDTHS: [&[u8; 6]; 106] = [
    b"212222", b"222122", b"222221", b"121223", b"121322", b"131222", b"122213", b"122312", b"132212",
    b"221213", b"221312", b"231212", b"112232", b"122132", b"122231", b"113222", b"123122", b"123221",
    b"223211", b"221132", b"221231", b"213212", b"223112", b"312131", b"311222", b"321122", b"321221",
    b"312212", b"322112", b"322211", b"212123", b"212321", b"232121", b"111323", b"131123", b"131321",
    b"112313", b"132113", b"132311", b"211313", b"231113", b"231311", b"112133", b"112331", b"132131",
    b"113123", b"113321", b"133121", b"313121", b"211331", b"231131", b"213113", b"213311", b"213131",
    b"311123", b"311321", b"331121", b"312113", b"312311", b"332111", b"314111", b"221411", b"431111",
    b"111224", b"111422", b"121124", b"121421", b"141122", b"141221", b"112214", b"112412", b"122114",
    b"122411", b"142112", b"142211", b"241211", b"221114", b"413111", b"241112", b"134111", b"111242",
    b"121142", b"121241", b"114212", b"124112", b"124211", b"411212", b"421112", b"421211", b"212141",
    b"214121", b"412121", b"111143", b"111341", b"131141", b"114113", b"114311", b"411113", b"411311",
    b"113141", b"114131", b"311141", b"411131", b"211412", b"211214", b"211232",
];
const STOP: &[u8] = b"2331112";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    A,
    B,
    C,
}

/// Reads a module pattern the way a scanner does: by widths, with its own table and its own check sum.
///
/// # Errors
/// [`DecodeError`] says what a scanner would trip over.
pub fn decode(pattern: &[bool]) -> Result<String, DecodeError> {
    let mut widths: Vec<u8> = Vec::new();
    for (index, bar) in pattern.iter().enumerate() {
        match widths.last_mut() {
            Some(width) if index > 0 && pattern.get(index - 1) == Some(bar) => {
                *width = width.saturating_add(1);
            }
            _ => widths.push(b'1'),
        }
    }
    if pattern.first() != Some(&true) {
        return Err(DecodeError::Start);
    }
    let body = widths.strip_suffix(STOP).ok_or(DecodeError::Stop)?;
    let values: Vec<usize> = body
        .chunks(6)
        .enumerate()
        .map(|(place, symbol)| {
            WIDTHS
                .iter()
                .position(|known| known.as_slice() == symbol)
                .ok_or(DecodeError::Symbol(place))
        })
        .collect::<Result<_, _>>()?;
    let [start, data @ .., check] = values.as_slice() else {
        return Err(DecodeError::Start);
    };
    let weighted: usize = data
        .iter()
        .enumerate()
        .map(|(place, value)| (place + 1) * value)
        .sum();
    let computed = (start + weighted) % 103;
    if computed != *check {
        return Err(DecodeError::Check {
            found: *check,
            computed,
        });
    }
    let mut set = match start {
        103 => Set::A,
        104 => Set::B,
        105 => Set::C,
        _ => return Err(DecodeError::Start),
    };
    let mut out = String::new();
    for (place, value) in data.iter().enumerate() {
        match (set, value) {
            (Set::C, 0..=99) => out.push_str(&format!("{value:02}")),
            (Set::A | Set::B, 99) => set = Set::C,
            (Set::A | Set::C, 100) => set = Set::B,
            (Set::A | Set::B | Set::C, 102) => out.push(FNC1),
            (Set::B | Set::C, 101) => set = Set::A,
            (Set::B, 0..=94) | (Set::A, 0..=63) => {
                let code = u32::try_from(value + 32).ok().and_then(char::from_u32);
                out.push(code.ok_or(DecodeError::Set(place))?);
            }
            _ => return Err(DecodeError::Set(place)),
        }
    }
    Ok(out)
}

/// Reads a row of printer dots: paper, bars whose modules are all the same number of dots wide, paper.
///
/// # Errors
/// As [`decode`]; a row without bars has no start.
pub fn decode_dots(row: &[bool]) -> Result<String, DecodeError> {
    let first = row.iter().position(|dot| *dot).ok_or(DecodeError::Start)?;
    let last = row.iter().rposition(|dot| *dot).ok_or(DecodeError::Start)?;
    let bars = row.get(first..=last).unwrap_or_default();
    // The start symbol begins with a bar of two modules.
    let start = bars.iter().take_while(|dot| **dot).count();
    let module = (start / 2).max(1);
    let mut pattern = Vec::with_capacity(bars.len() / module);
    for (place, run) in bars.chunk_by(|a, b| a == b).enumerate() {
        if !run.len().is_multiple_of(module) {
            return Err(DecodeError::Symbol(place / 6));
        }
        pattern.extend(run.iter().step_by(module));
    }
    decode(&pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_are_packed_and_the_rest_is_not() {
        // start + 3 pairs + check + stop (13 modules)
        assert_eq!(modules("123456").unwrap().len(), 11 * 5 + 13);
        assert_eq!(
            decode(&modules("SO-20260102-001U000017").unwrap()).unwrap(),
            "SO-20260102-001U000017"
        );
        assert_eq!(decode(&modules("7").unwrap()).unwrap(), "7");
        assert_eq!(decode(&modules("12345").unwrap()).unwrap(), "12345");
    }

    #[test]
    fn what_is_not_ascii_is_refused_by_name() {
        assert_eq!(modules("箱1"), Err(CodeError::Character('箱')));
        assert_eq!(modules("A\n"), Err(CodeError::Character('\n')));
        assert_eq!(modules(""), Err(CodeError::Empty));
    }

    #[test]
    fn a_bar_wider_than_any_symbol_does_not_read() {
        assert_eq!(decode(&[true; 1_000]), Err(DecodeError::Stop));
        assert_eq!(decode_dots(&[true; 1_000]), Err(DecodeError::Stop));
    }

    #[test]
    fn a_damaged_bar_does_not_read() {
        let mut pattern = modules("FBA15DLPMX7U000001").unwrap();
        pattern.swap(40, 41);
        pattern.swap(52, 53);
        assert!(decode(&pattern).is_err());
        assert_eq!(decode(&[]), Err(DecodeError::Start));
    }

    proptest! {
        #[test]
        fn every_printable_text_reads_back(text in "[ -~]{1,40}") {
            prop_assert_eq!(decode(&modules(&text).unwrap()).unwrap(), text);
        }

        #[test]
        fn function_characters_between_and_before_read_back(
            parts in proptest::collection::vec("[0-9A-Z/]{0,9}", 1..5),
            module in 2_usize..5,
        ) {
            let text = format!("{FNC1}{}", parts.join("\u{1d}"));
            let pattern = modules(&text).unwrap();
            prop_assert_eq!(&decode(&pattern).unwrap(), &text);
            let mut dots = vec![false; 17];
            dots.extend(pattern.iter().flat_map(|bar| std::iter::repeat_n(*bar, module)));
            dots.extend([false; 9]);
            prop_assert_eq!(decode_dots(&dots).unwrap(), text);
        }

        #[test]
        fn mixed_digits_read_back(text in "[A-Z]{0,3}[0-9]{1,9}[A-Z/%]{0,2}[0-9]{0,7}") {
            prop_assert_eq!(decode(&modules(&text).unwrap()).unwrap(), text);
        }
    }
}
