//! Tables: a header row and records, read one after the other.

use super::DecodeError;
use super::written::Written;
use crate::connector::definition::Decode;

/// A table whose records are still text.
#[derive(Debug)]
pub struct Table<'a> {
    /// Empty until it was looked for ([`Table::find_header`]), where people wrote the table.
    pub header: Vec<String>,
    records: Records<'a>,
}

#[derive(Debug)]
enum Records<'a> {
    Text(Box<csv::Reader<&'a [u8]>>),
    Written(Written),
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
        Ok(Self {
            header,
            records: Records::Text(Box::new(reader)),
        })
    }

    /// A table as people write it, in a workbook or a text.
    pub(super) fn written(how: &Decode, bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self {
            header: Vec::new(),
            records: Records::Written(Written::read(how, bytes)?),
        })
    }

    /// The table as people wrote it, if they did.
    #[must_use]
    pub fn as_written(&self) -> Option<&Written> {
        match &self.records {
            Records::Text(_) => None,
            Records::Written(written) => Some(written),
        }
    }

    /// Looks for the header among the first rows of a table that people wrote: the row with the most heads that
    /// `wanted` knows, under the name it gives them. Other tables begin with theirs.
    ///
    /// # Errors
    /// When no row has any, or one of them stands twice.
    pub fn find_header(
        &mut self,
        wanted: &dyn Fn(&str) -> Option<String>,
        names: &[String],
    ) -> Result<(), DecodeError> {
        if let Records::Written(written) = &mut self.records {
            self.header = written.find_header(wanted, names)?;
        }
        Ok(())
    }

    /// Reads the next record; false when there is none.
    ///
    /// # Errors
    /// When the text cannot be read as a table from here on.
    pub fn next(&mut self, record: &mut csv::StringRecord) -> Result<bool, DecodeError> {
        match &mut self.records {
            Records::Text(reader) => reader.read_record(record).map_err(|error| damaged(&error)),
            Records::Written(written) => Ok(written.next(record)),
        }
    }
}

fn damaged(error: &csv::Error) -> DecodeError {
    DecodeError::Table {
        line: error.position().map_or(0, csv::Position::line),
        why: error.to_string(),
    }
}
