//! Tables: a header row and records, read one after the other.

use super::DecodeError;
use crate::connector::definition::Decode;

/// A table whose records are still text.
#[derive(Debug)]
pub struct Table<'a> {
    pub header: Vec<String>,
    reader: csv::Reader<&'a [u8]>,
}

impl<'a> Table<'a> {
    pub(super) fn new(how: &Decode, text: &'a str, delimiter: u8, quoted: bool) -> Result<Self, DecodeError> {
        let delimiter = how
            .delimiter
            .as_ref()
            .and_then(|sign| sign.bytes().next())
            .unwrap_or(delimiter);
        let mut rest = text;
        for _ in 0..how.skip_lines {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            // Tab-separated reports do not quote: a lone quote in a product name would swallow the lines after it.
            .quoting(quoted)
            .flexible(true)
            .has_headers(false)
            .from_reader(rest.as_bytes());
        let mut first = csv::StringRecord::new();
        if !reader.read_record(&mut first).map_err(|error| damaged(&error))? {
            return Err(DecodeError::NoHeader);
        }
        let header: Vec<String> = first
            .iter()
            .map(|name| name.trim().trim_start_matches('\u{feff}').to_owned())
            .collect();
        if header.iter().all(String::is_empty) {
            return Err(DecodeError::NoHeader);
        }
        Ok(Self { header, reader })
    }

    /// Reads the next record; false when there is none.
    ///
    /// # Errors
    /// When the text cannot be read as a table from here on.
    pub fn next(&mut self, record: &mut csv::StringRecord) -> Result<bool, DecodeError> {
        self.reader.read_record(record).map_err(|error| damaged(&error))
    }
}

fn damaged(error: &csv::Error) -> DecodeError {
    DecodeError::Table {
        line: error.position().map_or(0, csv::Position::line),
        why: error.to_string(),
    }
}
