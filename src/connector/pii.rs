//! Takes personal data out of an answer before it is stored.

use serde_json::Value as Json;

use super::Bound;
use super::decode::{Content, DecodeError, Layer, parse};
use super::definition::{Decode, Stream};
use super::load::{Heads, Reading, plain_name};
use super::tree::Want;

/// What stands where something was taken out.
const GONE: &str = "";

impl Bound {
    /// What is left of an unpacked answer without the personal data that the stream names; None when it may be stored
    /// as it came, because it holds none or the configuration asks to keep it.
    ///
    /// # Errors
    /// When the answer cannot be read: then nothing of it may be stored.
    pub fn redacted(
        &self,
        (stream, reading): (&Stream, &Reading),
        unpacked: &[u8],
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        let kept = stream
            .keep_pii
            .as_ref()
            .and_then(|text| self.given.fill_text(text.get_ref()).ok())
            .is_some_and(|text| matches!(text.trim(), "yes" | "true"));
        if stream.pii.is_empty() || kept {
            return Ok(None);
        }
        let names: Vec<Vec<&str>> = stream
            .pii
            .iter()
            .map(|name| name.get_ref().split('.').collect())
            .collect();
        without(&stream.decode, reading, &names, unpacked).map(Some)
    }
}

fn without(
    how: &Decode,
    reading: &Reading,
    names: &[Vec<&str>],
    unpacked: &[u8],
) -> Result<Vec<u8>, DecodeError> {
    match how.last() {
        Layer::Json | Layer::Gzip | Layer::Zip => json(unpacked, names, None),
        Layer::Jsonl => {
            let mut out = Vec::with_capacity(unpacked.len());
            for (number, line) in unpacked.split(|byte| *byte == b'\n').enumerate() {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                let number = u64::try_from(number + 1).unwrap_or(u64::MAX);
                out.extend(json(line, names, Some(number))?);
                out.push(b'\n');
            }
            Ok(out)
        }
        Layer::Xml => match parse(how, unpacked, &Want::all())?.content {
            Content::Tree(tree) => {
                let mut tree = tree.to_json();
                blank(&mut tree, &mut Vec::new(), names);
                Ok(tree.to_string().into_bytes())
            }
            Content::Table(_) => Ok(Vec::new()),
        },
        Layer::Csv | Layer::Tsv | Layer::Xlsx | Layer::Table => table(how, reading, names, unpacked),
    }
}

fn json(bytes: &[u8], names: &[Vec<&str>], line: Option<u64>) -> Result<Vec<u8>, DecodeError> {
    let mut tree: Json = serde_json::from_slice(bytes).map_err(|error| {
        let why = error.to_string();
        match line {
            Some(line) => DecodeError::Line { line, why },
            None => DecodeError::Json { why },
        }
    })?;
    blank(&mut tree, &mut Vec::new(), names);
    Ok(tree.to_string().into_bytes())
}

/// A name stands for every field of that name, `a.b` for every `b` right below an `a`; lists in between do not count.
fn blank(at: &mut Json, way: &mut Vec<String>, names: &[Vec<&str>]) {
    match at {
        Json::Array(items) => items.iter_mut().for_each(|item| blank(item, way, names)),
        Json::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                way.push(name.trim_end().to_owned());
                if names.iter().any(|named| ends_with(way, named)) {
                    *value = Json::String(GONE.to_owned());
                } else {
                    blank(value, way, names);
                }
                way.pop();
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn ends_with(way: &[String], named: &[&str]) -> bool {
    way.len()
        .checked_sub(named.len())
        .and_then(|from| way.get(from..))
        .is_some_and(|end| end.iter().zip(named).all(|(a, b)| a == b))
}

fn table(
    how: &Decode,
    reading: &Reading,
    names: &[Vec<&str>],
    unpacked: &[u8],
) -> Result<Vec<u8>, DecodeError> {
    let Content::Table(mut table) = parse(how, unpacked, &Want::all())?.content else {
        return Ok(Vec::new());
    };
    let heads = Heads::new(reading, std::iter::empty());
    table.find_header(&|head| heads.name_of(head), &[])?;
    let gone: Vec<bool> = table
        .header
        .iter()
        .map(|column| {
            let declared = reading.declared_name(column);
            let is = |name: &str| {
                name == column
                    || name == declared
                    || how.last().is_written() && plain_name(name) == plain_name(column)
            };
            names
                .iter()
                .any(|named| matches!(named.as_slice(), [name] if is(name)))
        })
        .collect();
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .delimiter(if how.last() == Layer::Tsv { b'\t' } else { b',' })
        .quote_style(if how.last() == Layer::Tsv {
            csv::QuoteStyle::Never
        } else {
            csv::QuoteStyle::Necessary
        })
        .from_writer(Vec::new());
    let wrong = |why: String| DecodeError::Table { line: 0, why };
    let heads = match table.as_written() {
        Some(written) => written.heads().to_vec(),
        None => table.header.clone(),
    };
    writer
        .write_record(&heads)
        .map_err(|error| wrong(error.to_string()))?;
    let mut record = csv::StringRecord::new();
    while table.next(&mut record)? {
        let cells = record.iter().enumerate().map(|(index, cell)| {
            // A row that is too long may hold it anywhere behind the header.
            if gone.get(index).copied().unwrap_or(true) {
                GONE
            } else {
                cell
            }
        });
        writer
            .write_record(cells)
            .map_err(|error| wrong(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| wrong(error.to_string()))
}
