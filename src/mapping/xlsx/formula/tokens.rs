//! Where the references of a formula stand: cells, areas and whole rows, each with the sheet it points to.

use std::borrow::Cow;

use super::super::address::{At, MAX_ROW, column_letters, column_number};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellRef {
    pub at: At,
    pub column_fixed: bool,
    pub row_fixed: bool,
}

impl CellRef {
    fn push(&self, out: &mut String) {
        let dollar = |fixed: bool| if fixed { "$" } else { "" };
        out.push_str(dollar(self.column_fixed));
        out.push_str(&column_letters(self.at.column));
        out.push_str(dollar(self.row_fixed));
        out.push_str(&self.at.row.to_string());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    Cell(CellRef),
    Area(CellRef, CellRef),
    /// `5:9`, `$1:$4`: the row and whether it is fixed, twice.
    Rows((u32, bool), (u32, bool)),
}

impl Reference {
    fn push(&self, out: &mut String) {
        match self {
            Self::Cell(cell) => cell.push(out),
            Self::Area(from, to) => {
                from.push(out);
                out.push(':');
                to.push(out);
            }
            Self::Rows(from, to) => {
                for (place, (row, fixed)) in [from, to].into_iter().enumerate() {
                    out.push_str(if place == 1 { ":" } else { "" });
                    out.push_str(if *fixed { "$" } else { "" });
                    out.push_str(&row.to_string());
                }
            }
        }
    }
}

/// What becomes of a reference.
pub(super) enum Now {
    Same,
    Other(Reference),
    /// It points outside the sheet now.
    Lost,
}

/// The formula with every reference asked for: `change(sheet, reference)`, where the sheet is `None` when the
/// reference names none, and another workbook's or a range of sheets is never asked for.
pub(super) fn rewritten<'f>(
    formula: &'f str,
    change: &dyn Fn(Option<&str>, Reference) -> Now,
) -> Cow<'f, str> {
    let tokens = tokens(formula);
    let mut out = String::new();
    let (mut copied, mut changed) = (0, false);
    let mut sheet = Sheet::Own;
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        let (reference, end, steps) = match token {
            Token::Text(text) => {
                if text.text != ":" {
                    sheet = sheet_of(text.text);
                }
                place += 1;
                continue;
            }
            Token::Rows(from, to, span) => (Reference::Rows(*from, *to), span.1, 1),
            Token::Cell(from, span) => match (tokens.get(place + 1), tokens.get(place + 2)) {
                (Some(Token::Text(colon)), Some(Token::Cell(to, end))) if colon.text == ":" => {
                    (Reference::Area(*from, *to), end.1, 3)
                }
                _ => (Reference::Cell(*from), span.1, 1),
            },
        };
        let start = match token {
            Token::Cell(_, span) | Token::Rows(_, _, span) => span.0,
            Token::Text(text) => text.start,
        };
        place += steps;
        let name = match &sheet {
            Sheet::Own => None,
            Sheet::Named(name) => Some(name.as_str()),
            Sheet::Foreign => continue,
        };
        let now = change(name, reference);
        if matches!(now, Now::Same) {
            continue;
        }
        changed = true;
        out.push_str(formula.get(copied..start).unwrap_or_default());
        match now {
            Now::Other(reference) => reference.push(&mut out),
            _ => out.push_str("#REF!"),
        }
        copied = end;
    }
    if !changed {
        return Cow::Borrowed(formula);
    }
    out.push_str(formula.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

enum Sheet {
    Own,
    Named(String),
    /// Another workbook, or several sheets at once.
    Foreign,
}

/// The sheet named at the end of a text: `SUM('订单 1'!` gives `订单 1`.
fn sheet_of(text: &str) -> Sheet {
    let Some(text) = text.strip_suffix('!') else {
        return Sheet::Own;
    };
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
        let name = quoted.get(start..).unwrap_or_default();
        return match name.contains(['[', ':']) {
            true => Sheet::Foreign,
            false => Sheet::Named(name.replace("''", "'")),
        };
    }
    let start = text
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let before = text.get(..start).unwrap_or_default();
    // `[1]Sheet!` is another workbook, `First:Last!` several sheets; a `:` alone belongs to an area.
    if before.ends_with(']') || (before.ends_with(':') && before.len() > 1) {
        return Sheet::Foreign;
    }
    Sheet::Named(text.get(start..).unwrap_or_default().to_owned())
}

#[derive(Debug, PartialEq, Eq)]
struct Text<'a> {
    text: &'a str,
    start: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Text(Text<'a>),
    Cell(CellRef, (usize, usize)),
    Rows((u32, bool), (u32, bool), (usize, usize)),
}

/// Texts in quotes, names of sheets, functions and names are never taken for a reference.
fn tokens(formula: &str) -> Vec<Token<'_>> {
    let bytes = formula.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut text_from) = (0, 0);
    let word_end = |from: usize| {
        let step = bytes.iter().skip(from).position(|byte| !is_word(*byte));
        step.map_or(bytes.len(), |step| from + step)
    };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => at = after_quoted(bytes, at),
            b'[' => at = after_brackets(bytes, at),
            byte if is_word(*byte) => {
                let end = word_end(at);
                let word = formula.get(at..end).unwrap_or_default();
                let mut found = None;
                if let Some(cell) = reference(word)
                    && !matches!(bytes.get(end), Some(b'(' | b'!'))
                {
                    found = Some((Token::Cell(cell, (at, end)), end));
                } else if let Some(from) = row_of(word)
                    && bytes.get(end) == Some(&b':')
                {
                    let last = word_end(end + 1);
                    if let Some(to) = formula.get(end + 1..last).and_then(row_of) {
                        found = Some((Token::Rows(from, to, (at, last)), last));
                    }
                }
                match found {
                    Some((token, end)) => {
                        push_text(&mut tokens, formula, text_from, at);
                        tokens.push(token);
                        (at, text_from) = (end, end);
                    }
                    None => at = end,
                }
            }
            _ => at += 1,
        }
    }
    push_text(&mut tokens, formula, text_from, formula.len());
    tokens
}

fn push_text<'a>(tokens: &mut Vec<Token<'a>>, formula: &'a str, start: usize, end: usize) {
    if start < end {
        let text = formula.get(start..end).unwrap_or_default();
        tokens.push(Token::Text(Text { text, start }));
    }
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

/// Columns of tables, which may nest: `Table1[[#This Row],[Qty]]`.
fn after_brackets(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'[' => depth += 1,
            b']' if depth == 1 => return at + 1,
            b']' => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b'\\') || !byte.is_ascii()
}

fn row_of(word: &str) -> Option<(u32, bool)> {
    let (fixed, digits) = word.strip_prefix('$').map_or((false, word), |rest| (true, rest));
    let plain = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    let row = plain.then(|| digits.parse().ok()).flatten()?;
    (1..=MAX_ROW).contains(&row).then_some((row, fixed))
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
