//! From the bytes of an answer to a tree or a table, layer by layer.
//!
//! First [`unpack`] opens what is packed, until the bytes are those of the last layer; then [`parse`] reads them, with
//! what it gives borrowing from them.

mod archive;
mod jsonl;
mod table;
mod written;
mod xml;

use std::borrow::Cow;

use encoding_rs::Encoding;

pub use archive::{gunzip, unzip};
pub use table::Table;
pub use written::{Spot, Written, is_no_result};

use super::definition::Decode;
use super::path::Path;
use super::tree::{self, Node, Want};
use crate::problem::{Problem, nearest};

/// An answer that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the compressed answer is cut off or damaged: {why}")]
    Gzip { why: String },
    #[error("the archive cannot be read: {why}")]
    Zip { why: String },
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the answer is no JSON: {why}")]
    Json { why: String },
    #[error("line {line} of the answer is no JSON: {why}")]
    Line { line: u64, why: String },
    #[error("the answer is no XML: {why}")]
    Xml { why: String },
    #[error("the answer declares a document type, which XML from outside may not")]
    DocumentType,
    #[error("the answer has no text at `{path}`")]
    Inside { path: String },
    #[error("the answer has bytes that are not {encoding}")]
    Encoding { encoding: String },
    #[error("the table cannot be read at line {line}: {why}")]
    Table { line: u64, why: String },
    #[error("the table has no header row")]
    NoHeader,
    #[error("none of the first {within} rows has a column of the file: {}", .wanted.join(", "))]
    NoKnownHeader { within: u32, wanted: Vec<String> },
    #[error("column `{column}` stands twice, at {first} and, as `{found}`, at {second}")]
    Twice {
        column: String,
        /// The second head as it is written.
        found: String,
        first: String,
        second: String,
    },
    #[error("{0}")]
    Written(Box<Problem>),
    #[error("the answer is no XLSX workbook")]
    NoWorkbook,
    #[error("compression `{name}` is not known")]
    Compression { name: String },
}

/// One step from bytes towards rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    Gzip,
    Zip,
    Json,
    Jsonl,
    Xml,
    Csv,
    Tsv,
    /// A workbook, read as people write tables: its header is looked for.
    Xlsx,
    /// The same of whatever it is: XLSX, or text with commas, semicolons or tabs in any encoding of the trade.
    Table,
}

impl Layer {
    pub const NAMES: [&'static str; 9] = [
        "gzip", "zip", "json", "jsonl", "xml", "csv", "tsv", "xlsx", "table",
    ];

    /// # Errors
    /// What is wanted instead, with the nearest name.
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "gzip" => Self::Gzip,
            "zip" => Self::Zip,
            "json" => Self::Json,
            "jsonl" => Self::Jsonl,
            "xml" => Self::Xml,
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "xlsx" => Self::Xlsx,
            "table" => Self::Table,
            _ => {
                return Err(match nearest(name, Self::NAMES) {
                    Some(near) => format!("a layer that exists, did you mean `{near}`?"),
                    None => format!("one of {}", Self::NAMES.join(", ")),
                });
            }
        })
    }

    /// Whether it opens what another layer reads.
    #[must_use]
    pub fn is_packing(self) -> bool {
        matches!(self, Self::Gzip | Self::Zip)
    }

    #[must_use]
    pub fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv) || self.is_written()
    }

    /// A table as people write it.
    #[must_use]
    pub fn is_written(self) -> bool {
        matches!(self, Self::Xlsx | Self::Table)
    }
}

/// What an answer holds.
#[derive(Debug)]
pub enum Content<'a> {
    Tree(Node<'a>),
    Table(Table<'a>),
}

#[derive(Debug)]
pub struct Page<'a> {
    pub content: Content<'a>,
    /// Objects that came, where the format counts them (`jsonl`).
    pub objects: Option<u64>,
    /// Objects whose parent did not come with them.
    pub orphans: u64,
}

impl<'a> Page<'a> {
    #[must_use]
    pub fn tree(&self) -> Option<&Node<'a>> {
        match &self.content {
            Content::Tree(tree) => Some(tree),
            Content::Table(_) => None,
        }
    }

    #[must_use]
    pub fn table(&self) -> Option<&Table<'a>> {
        match &self.content {
            Content::Tree(_) => None,
            Content::Table(table) => Some(table),
        }
    }
}

impl Decode {
    /// The last layer: what the rows are read from.
    #[must_use]
    pub fn last(&self) -> Layer {
        self.layers
            .last()
            .and_then(|name| Layer::parse(name.get_ref()).ok())
            .unwrap_or(Layer::Json)
    }

    /// Whether the answer is JSON as it stands.
    #[must_use]
    pub fn is_plain_json(&self) -> bool {
        self.layers.len() == 1 && self.last() == Layer::Json && self.encoding.is_empty()
    }
}

/// Opens every layer but the last, never beyond the limit: a small answer can hold a very large one.
///
/// # Errors
/// When a layer is cut off, damaged, too large or not what the stream declares.
pub fn unpack<'a>(how: &Decode, bytes: &'a [u8], limit: u64) -> Result<Cow<'a, [u8]>, DecodeError> {
    unpack_from(how, bytes, limit, true)
}

/// [`unpack`], without what is no text: for pages that a person wrote down.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_text<'a>(how: &Decode, text: &'a [u8], limit: u64) -> Result<Cow<'a, [u8]>, DecodeError> {
    unpack_from(how, text, limit, false)
}

fn unpack_from<'a>(
    how: &Decode,
    bytes: &'a [u8],
    limit: u64,
    packed: bool,
) -> Result<Cow<'a, [u8]>, DecodeError> {
    let mut now = Cow::Borrowed(bytes);
    let before_last = how.layers.len().saturating_sub(1);
    for name in how.layers.iter().take(before_last) {
        now = match Layer::parse(name.get_ref()) {
            Ok(Layer::Gzip) if packed => Cow::Owned(gunzip(&now, limit)?),
            Ok(Layer::Zip) if packed => Cow::Owned(unzip(&now, how.member.as_deref(), limit)?),
            Ok(Layer::Gzip | Layer::Zip) => now,
            Ok(Layer::Xml) => Cow::Owned(inside(how, &xml::parse(as_text(&now)?)?)?.into_bytes()),
            Ok(Layer::Json) => {
                let tree = tree::parse(&now, &Want::all()).map_err(|error| DecodeError::Json {
                    why: error.to_string(),
                })?;
                Cow::Owned(inside(how, &tree)?.into_bytes())
            }
            _ => {
                return Err(DecodeError::Compression {
                    name: name.get_ref().clone(),
                });
            }
        };
    }
    match how.last() {
        Layer::Json if how.encoding.is_empty() => Ok(now),
        Layer::Xlsx if packed && !now.starts_with(b"PK") => Err(DecodeError::NoWorkbook),
        // The bytes themselves say how they are to be read.
        Layer::Xlsx | Layer::Table => Ok(now),
        _ => match now {
            Cow::Borrowed(bytes) => Ok(match text(how, bytes)? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
            Cow::Owned(bytes) => Ok(match text(how, &bytes)? {
                Cow::Borrowed(text) if text.len() == bytes.len() => Cow::Owned(bytes),
                Cow::Borrowed(text) => Cow::Owned(text.as_bytes().to_vec()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
        },
    }
}

/// Reads the last layer of what [`unpack`] gave.
///
/// # Errors
/// When the bytes are not what the stream declares.
pub fn parse<'a>(how: &Decode, bytes: &'a [u8], want: &Want) -> Result<Page<'a>, DecodeError> {
    let page = |content| Page {
        content,
        objects: None,
        orphans: 0,
    };
    match how.last() {
        Layer::Jsonl => jsonl::parse(bytes),
        Layer::Xml => xml::parse(as_text(bytes)?).map(Content::Tree).map(page),
        Layer::Csv => Table::new(how, as_text(bytes)?, b',', true)
            .map(Content::Table)
            .map(page),
        Layer::Tsv => Table::new(how, as_text(bytes)?, b'\t', false)
            .map(Content::Table)
            .map(page),
        Layer::Xlsx | Layer::Table => Table::written(how, bytes).map(Content::Table).map(page),
        Layer::Json | Layer::Gzip | Layer::Zip => tree::parse(bytes, want)
            .map(Content::Tree)
            .map(page)
            .map_err(|error| DecodeError::Json {
                why: error.to_string(),
            }),
    }
}

/// The text that the next layer reads.
fn inside(how: &Decode, tree: &Node<'_>) -> Result<String, DecodeError> {
    let path = how.inside.as_ref().map_or("", |path| path.get_ref().as_str());
    let missing = || DecodeError::Inside {
        path: path.to_owned(),
    };
    let found = Path::parse(path).ok();
    let found = found
        .as_ref()
        .and_then(|path| path.get(tree))
        .ok_or_else(missing)?;
    match super::cell::Cell::of_node(found) {
        super::cell::Cell::Text(text) => Ok(text.into_owned()),
        _ => Err(missing()),
    }
}

fn as_text(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| DecodeError::Encoding {
        encoding: "utf-8".to_owned(),
    })
}

/// The text in the first declared encoding that takes every byte, without a byte order mark.
fn text<'a>(how: &Decode, bytes: &'a [u8]) -> Result<Cow<'a, str>, DecodeError> {
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
            return Ok(text);
        }
    }
    Err(DecodeError::Encoding {
        encoding: labels.join(" or "),
    })
}

#[cfg(test)]
mod tests;
