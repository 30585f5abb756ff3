//! CSV and TSV.

use super::{Gather, Kind, Limits, RawRow};
use crate::problem::Problem;

const DELIMITERS: [char; 3] = [',', '\t', ';'];

pub(super) fn rows(file: &str, text: &str, limits: &Limits) -> Result<Vec<RawRow>, Problem> {
    let delimiter = delimiter(text);
    match gather(file, text, delimiter, true, limits) {
        // Reports with tabs often mean a quotation mark as itself (5" pipe), so an open quote there is no fault.
        Err(_) if delimiter == '\t' => gather(file, text, delimiter, false, limits),
        done => done,
    }
}

/// The delimiter that the first line with text has most of, outside quotation marks.
fn delimiter(text: &str) -> char {
    let first = text
        .lines()
        .find(|line| line.contains(DELIMITERS))
        .unwrap_or_default();
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for c in first.chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if quoted {
            continue;
        }
        for (count, delimiter) in counts.iter_mut().zip(DELIMITERS) {
            *count += usize::from(c == delimiter);
        }
    }
    let mut best = (0, ',');
    for (count, delimiter) in counts.into_iter().zip(DELIMITERS) {
        if count > best.0 {
            best = (count, delimiter);
        }
    }
    best.1
}

fn gather(
    file: &str,
    text: &str,
    delimiter: char,
    quoting: bool,
    limits: &Limits,
) -> Result<Vec<RawRow>, Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .quoting(quoting)
        .delimiter(u8::try_from(delimiter).unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut lines = Lines::new(text);
    let mut gathered = Gather::new(file, Kind::Text, limits);
    let mut record = csv::StringRecord::new();
    loop {
        let start = byte_of(reader.position());
        let more = reader.read_record(&mut record).map_err(|error| {
            let place = format!("line {}", lines.at(start));
            Problem::new(file, place, "", error.to_string(), "a row of the table")
        })?;
        if !more {
            break;
        }
        let number = lines.at(start);
        let raw = text
            .get(lines.byte..byte_of(reader.position()))
            .unwrap_or_default();
        if quoting && left_open(raw) {
            return Err(Problem::new(
                file,
                format!("line {number}"),
                "",
                raw,
                "a closing quotation mark (\") before the end of the file",
            ));
        }
        gathered.push(number, record.iter().map(str::to_owned).collect())?;
    }
    Ok(gathered.finish())
}

fn byte_of(position: &csv::Position) -> usize {
    usize::try_from(position.byte()).unwrap_or(usize::MAX)
}

/// A quoted cell holds its quotation marks doubled, so an odd number over several lines means one was never closed.
fn left_open(raw: &str) -> bool {
    raw.trim_end().contains('\n') && raw.matches('"').count() % 2 == 1
}

/// Line numbers of growing byte offsets. The reader's own count stands at the blank lines before a record.
struct Lines<'a> {
    text: &'a str,
    byte: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            line: 1,
        }
    }

    /// The line of the first character at or after `byte` that is not a line end.
    fn at(&mut self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = byte.max(self.byte).min(bytes.len());
        while matches!(bytes.get(end), Some(b'\r' | b'\n')) {
            end += 1;
        }
        let passed = bytes.get(self.byte..end).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.byte = end;
        self.line
    }
}
