//! References inside a formula: moved when its row is copied, widened when its range grew.

use super::address::{At, MAX_ROW, column_letters, column_number};

/// A copied row's formula: relative rows move by as many rows, `$` rows stay.
pub fn moved(formula: &str, rows: i64) -> String {
    let mut out = String::with_capacity(formula.len());
    for token in tokens(formula) {
        match token {
            Token::Text(text) => out.push_str(text),
            Token::Cell(cell) => {
                let row = match cell.row_fixed {
                    true => i64::from(cell.at.row),
                    false => i64::from(cell.at.row) + rows,
                };
                match u32::try_from(row).ok().filter(|row| (1..=MAX_ROW).contains(row)) {
                    Some(row) => cell.push(row, &mut out),
                    None => out.push_str("#REF!"),
                }
            }
        }
    }
    out
}

/// The table's prepared rows on a sheet, and the last row it has now.
#[derive(Debug, Clone)]
pub struct Growth {
    pub sheet: String,
    pub first: u32,
    pub last: u32,
    pub now: u32,
}

impl Growth {
    /// A range that ended with the table ends with it again.
    pub fn grown(&self, from: u32, to: u32) -> u32 {
        match to == self.last && (self.first..=self.last).contains(&from) {
            true => self.now,
            false => to,
        }
    }

    /// Widens ranges over the table in a formula that stands on sheet `on`.
    pub fn widened(&self, formula: &str, on: &str) -> String {
        let tokens = tokens(formula);
        let mut out = String::with_capacity(formula.len());
        let mut sheet: Option<String> = None;
        for (place, token) in tokens.iter().enumerate() {
            let before = |steps: usize| place.checked_sub(steps).and_then(|place| tokens.get(place));
            match token {
                Token::Text(text) => {
                    if *text != ":" {
                        sheet = sheet_of(text);
                    }
                    out.push_str(text);
                }
                Token::Cell(cell) => {
                    let here = sheet.as_deref().unwrap_or(on);
                    let row = match (before(2), before(1)) {
                        (Some(Token::Cell(from)), Some(Token::Text(":"))) if here == self.sheet => {
                            self.grown(from.at.row, cell.at.row)
                        }
                        _ => cell.at.row,
                    };
                    cell.push(row, &mut out);
                }
            }
        }
        out
    }
}

/// The sheet named at the end of a text: `SUM('订单 1'!` gives `订单 1`.
fn sheet_of(text: &str) -> Option<String> {
    let text = text.strip_suffix('!')?;
    if let Some(quoted) = text.strip_suffix('\'') {
        let mut start = quoted.len();
        let bytes = quoted.as_bytes();
        while start > 0 {
            if bytes.get(start - 1) == Some(&b'\'') {
                match start >= 2 && bytes.get(start - 2) == Some(&b'\'') {
                    true => start -= 1,
                    false => break,
                }
            }
            start -= 1;
        }
        return quoted.get(start..).map(|name| name.replace("''", "'"));
    }
    let start = text
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    text.get(start..).map(str::to_owned)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CellRef {
    at: At,
    column_fixed: bool,
    row_fixed: bool,
}

impl CellRef {
    fn push(&self, row: u32, out: &mut String) {
        let dollar = |fixed: bool| if fixed { "$" } else { "" };
        out.push_str(dollar(self.column_fixed));
        out.push_str(&column_letters(self.at.column));
        out.push_str(dollar(self.row_fixed));
        out.push_str(&row.to_string());
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Text(&'a str),
    Cell(CellRef),
}

/// Texts in quotes, names of sheets, functions and names are never taken for a reference.
fn tokens(formula: &str) -> Vec<Token<'_>> {
    let bytes = formula.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut text_from) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => at = after_quoted(bytes, at),
            b'[' => {
                at = bytes
                    .iter()
                    .skip(at)
                    .position(|byte| *byte == b']')
                    .map_or(bytes.len(), |step| at + step + 1);
            }
            byte if is_word(*byte) => {
                let end = bytes
                    .iter()
                    .skip(at)
                    .position(|byte| !is_word(*byte))
                    .map_or(bytes.len(), |step| at + step);
                let word = formula.get(at..end).unwrap_or_default();
                let follows = bytes.get(end);
                if let Some(cell) = reference(word)
                    && !matches!(follows, Some(b'(' | b'!'))
                {
                    if text_from < at {
                        tokens.push(Token::Text(formula.get(text_from..at).unwrap_or_default()));
                    }
                    tokens.push(Token::Cell(cell));
                    text_from = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if text_from < formula.len() {
        tokens.push(Token::Text(formula.get(text_from..).unwrap_or_default()));
    }
    tokens
}

/// A quote inside quotes is doubled.
fn after_quoted(bytes: &[u8], start: usize) -> usize {
    let quote = bytes.get(start);
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes.get(at) == quote {
            if bytes.get(at + 1) != quote {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b'\\') || !byte.is_ascii()
}

fn reference(word: &str) -> Option<CellRef> {
    let (column_fixed, rest) = word.strip_prefix('$').map_or((false, word), |rest| (true, rest));
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic())?;
    let (letters, rest) = rest.split_at_checked(letters)?;
    let (row_fixed, digits) = rest.strip_prefix('$').map_or((false, rest), |rest| (true, rest));
    let column = column_number(&letters.to_ascii_uppercase())?;
    let at = At::parse(&format!("{}{digits}", column_letters(column)))?;
    Some(CellRef {
        at,
        column_fixed,
        row_fixed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_row_moves_its_relative_rows_only() {
        assert_eq!(moved("E12*F12", 3), "E15*F15");
        assert_eq!(moved("$E12*F$12+SUM(A$1:A12)", 1), "$E13*F$12+SUM(A$1:A13)");
        assert_eq!(
            moved("LOG10(A1)&\"A1\"&'A1 B2'!C3", 2),
            "LOG10(A3)&\"A1\"&'A1 B2'!C5"
        );
        assert_eq!(
            moved("IF(A1=\"say \"\"B2\"\"\",TAX2024,Table1[B2])", 1),
            "IF(A2=\"say \"\"B2\"\"\",TAX2025,Table1[B2])"
        );
        assert_eq!(moved("A1", -1), "#REF!");
        assert_eq!(moved("汇总!A1+Sheet1!$B$2", 1), "汇总!A2+Sheet1!$B$2");
    }

    #[test]
    fn ranges_that_ended_with_the_table_end_with_it_again() {
        let growth = Growth {
            sheet: "订单 1".to_owned(),
            first: 6,
            last: 15,
            now: 40,
        };
        assert_eq!(growth.widened("SUM(F6:F15)", "订单 1"), "SUM(F6:F40)");
        assert_eq!(
            growth.widened("SUM('订单 1'!$F$6:$F$15)+F15", "别的"),
            "SUM('订单 1'!$F$6:$F$40)+F15"
        );
        assert_eq!(
            growth.widened("SUM(F6:F15)+SUM(F6:F14)", "别的"),
            "SUM(F6:F15)+SUM(F6:F14)"
        );
        assert_eq!(
            growth.widened("SUM(F6:F15,F1:F15)", "订单 1"),
            "SUM(F6:F40,F1:F15)"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_a_move_by_nothing(text in "[A-Z0-9$:!'\"(),.&+ 表\\[\\]]{0,40}") {
            let _ = moved(&text, 1);
            let _ = sheet_of(&text);
        }
    }
}
