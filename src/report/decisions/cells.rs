//! The cells of a foreign workbook, within limits, and what stands in them.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{DataRef, Xlsx};

use crate::mapping::table::{Limits, check_parts, no_workbook};
use crate::problem::Problem;

/// What a person can still make in a spreadsheet by hand, with room above.
const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;
const MAX_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;
const MAX_CELLS: usize = 5_000_000;

/// Neither large, nor larger inside than it says.
pub(super) fn check_size(file: &str, bytes: &[u8]) -> Result<(), Problem> {
    if bytes.len() > MAX_FILE_BYTES {
        let found = format!("{} bytes", bytes.len());
        return Err(Problem::new(
            file,
            "",
            "",
            found,
            format!("at most {MAX_FILE_BYTES} bytes"),
        ));
    }
    if let Some(what) = no_workbook(bytes) {
        return Err(Problem::new(
            file,
            "",
            "",
            what,
            "the XLSX workbook of a daily mail",
        ));
    }
    let limits = Limits {
        unpacked_bytes: MAX_UNPACKED_BYTES,
        ..Limits::default()
    };
    check_parts(file, bytes, &limits)
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    Other(String),
}

impl Value {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Other(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The filled cells of a sheet. Sparse: a single cell in the last corner must not allocate the whole sheet.
pub(super) struct Grid(pub(super) BTreeMap<u32, BTreeMap<u32, Value>>);

impl Grid {
    pub(super) fn read(book: &mut Xlsx<Cursor<&[u8]>>, sheet: &str) -> Result<Self, String> {
        let mut reader = book
            .worksheet_cells_reader(sheet)
            .map_err(|error| error.to_string())?;
        let mut rows: BTreeMap<u32, BTreeMap<u32, Value>> = BTreeMap::new();
        let mut cells = 0_usize;
        while let Some(cell) = reader.next_cell().map_err(|error| error.to_string())? {
            let value = match cell.get_value() {
                DataRef::Empty => continue,
                DataRef::String(text) => Value::Text(text.clone()),
                DataRef::SharedString(text) => Value::Text((*text).to_owned()),
                DataRef::Float(number) => Value::Number(*number),
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "checked to be whole and small before use"
                )]
                DataRef::Int(number) => Value::Number(*number as f64),
                other => Value::Other(format!("{other:?}")),
            };
            if matches!(&value, Value::Text(text) if text.trim().is_empty()) {
                continue;
            }
            cells += 1;
            if cells > MAX_CELLS {
                return Err(format!("more than {MAX_CELLS} filled cells"));
            }
            let (row, column) = cell.get_position();
            rows.entry(row).or_default().insert(column, value);
        }
        Ok(Self(rows))
    }
}

/// Full-width digits, signs and letters as their plain ones.
pub(super) fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' => ' ',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '−' => '-',
            other => other,
        })
        .collect()
}

/// `480`, `480.0`, `４８０`, `1,200`; not `480.5`, `1,20`, `12 boxes`.
pub(super) fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            let whole = number.is_finite() && number.fract() == 0.0 && number.abs() < 9e15;
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            whole.then_some(*number as i64)
        }
        Value::Text(text) => {
            let text = half_width(text);
            let text = text.trim();
            if let Some((head, tail)) = text.split_once(',') {
                let groups = tail.split(',').all(|group| group.len() == 3);
                if !groups || head.is_empty() || head.trim_start_matches('-').len() > 3 {
                    return None;
                }
            }
            let digits = text.replace(',', "");
            digits.strip_suffix(".0").unwrap_or(&digits).parse().ok()
        }
        Value::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(words: &str) -> Option<i64> {
        whole_number(&Value::Text(words.to_owned()))
    }

    #[test]
    fn only_whole_numbers_are_whole() {
        assert_eq!(text("４８０"), Some(480));
        assert_eq!(text(" 1,200 "), Some(1200));
        assert_eq!(text("1,200,300"), Some(1_200_300));
        assert_eq!(text("−5"), Some(-5));
        for words in [
            "1,20", "1200,300", ",300", "480.5", "12 boxes", "", "1e3", "0x10", "4 80",
        ] {
            assert_eq!(text(words), None, "{words}");
        }
        for number in [f64::NAN, f64::INFINITY, 1e300, 0.5] {
            assert_eq!(whole_number(&Value::Number(number)), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn a_quantity_is_read_however_it_is_typed(units in -10_000_000_i64..=10_000_000) {
            let plain = units.to_string();
            let wide: String = plain
                .chars()
                .map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap())
                .collect();
            let grouped = crate::report::figures::grouped(units);
            prop_assert_eq!(text(&plain), Some(units));
            prop_assert_eq!(text(&wide), Some(units));
            prop_assert_eq!(text(&grouped), Some(units));
        }
    }
}
