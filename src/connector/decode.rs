//! From the bytes of an answer to JSON or a table.

use std::io::Read as _;

use encoding_rs::Encoding;
use serde_json::Value as Json;

use super::definition::{Decode, DecodeKind};

/// An answer that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the compressed answer is cut off or damaged: {why}")]
    Gzip { why: String },
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the answer is no JSON: {why}")]
    Json { why: String },
    #[error("the answer has bytes that are not {encoding}")]
    Encoding { encoding: String },
    #[error("the table cannot be read at line {line}: {why}")]
    Table { line: u64, why: String },
    #[error("the table has no header row")]
    NoHeader,
    #[error("compression `{name}` is not known")]
    Compression { name: String },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    Json(Json),
    Table(Table),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub header: Vec<String>,
    pub records: Vec<csv::StringRecord>,
}

/// Inflates, never beyond the limit: a small answer can hold a very large one.
///
/// # Errors
/// When the stream is cut off, damaged or too large.
pub fn gunzip(bytes: &[u8], limit: u64) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(limit.saturating_add(1))
        .read_to_end(&mut out)
        .map_err(|error| DecodeError::Gzip {
            why: error.to_string(),
        })?;
    if u64::try_from(out.len()).unwrap_or(u64::MAX) > limit {
        return Err(DecodeError::TooLarge { limit });
    }
    Ok(out)
}

/// # Errors
/// When the bytes are not what the stream declares.
pub fn decode(how: &Decode, bytes: &[u8]) -> Result<Page, DecodeError> {
    match how.kind {
        DecodeKind::Json => {
            serde_json::from_slice(bytes)
                .map(Page::Json)
                .map_err(|error| DecodeError::Json {
                    why: error.to_string(),
                })
        }
        DecodeKind::Tsv => table(&text(how, bytes)?, b'\t', false),
        DecodeKind::Csv => table(&text(how, bytes)?, b',', true),
    }
}

/// The first declared encoding that takes every byte.
fn text(how: &Decode, bytes: &[u8]) -> Result<String, DecodeError> {
    let labels: Vec<&str> = how
        .encoding
        .iter()
        .map(|label| label.get_ref().as_str())
        .collect();
    let labels = if labels.is_empty() { vec!["utf-8"] } else { labels };
    for label in &labels {
        let Some(encoding) = Encoding::for_label(label.as_bytes()) else {
            continue;
        };
        let (text, _, damaged) = encoding.decode(bytes);
        if !damaged {
            return Ok(text.into_owned());
        }
    }
    Err(DecodeError::Encoding {
        encoding: labels.join(" or "),
    })
}

fn table(text: &str, delimiter: u8, quoted: bool) -> Result<Page, DecodeError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        // Tab-separated reports do not quote: a lone quote in a product name would swallow the lines after it.
        .quoting(quoted)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records().map(|record| {
        record.map_err(|error| DecodeError::Table {
            line: error.position().map_or(0, csv::Position::line),
            why: error.to_string(),
        })
    });
    let header = records.next().transpose()?.ok_or(DecodeError::NoHeader)?;
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if header.iter().all(String::is_empty) {
        return Err(DecodeError::NoHeader);
    }
    Ok(Page::Table(Table {
        header,
        records: records.collect::<Result<_, _>>()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn tsv() -> Decode {
        #[derive(serde::Deserialize)]
        struct Wrap {
            decode: Decode,
        }
        toml::from_str::<Wrap>("decode = { kind = 'tsv', encoding = ['utf-8', 'iso-8859-1'] }")
            .unwrap()
            .decode
    }

    #[test]
    fn a_cut_off_gzip_is_an_error_and_a_bomb_is_stopped() {
        let packed = gzip(&vec![b'x'; 100_000]);
        assert_eq!(gunzip(&packed, 100_000).unwrap().len(), 100_000);
        assert!(matches!(
            gunzip(&packed[..packed.len() - 9], 100_000),
            Err(DecodeError::Gzip { .. })
        ));
        assert_eq!(
            gunzip(&packed, 99_999),
            Err(DecodeError::TooLarge { limit: 99_999 })
        );
    }

    #[test]
    fn latin_1_is_read_when_it_is_no_utf_8_and_quotes_in_names_are_letters() {
        let Page::Table(table) = decode(&tsv(), b"sku\tname\nA\tCaf\xe9 \"24\n").unwrap() else {
            panic!("a table");
        };
        assert_eq!(table.header, ["sku", "name"]);
        assert_eq!(table.records[0].get(1), Some("Café \"24"));
        assert_eq!(decode(&tsv(), b""), Err(DecodeError::NoHeader));
    }
}
