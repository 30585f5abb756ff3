//! `csv`: delimited text, in the encoding and with the delimiter the other side reads.

use ::csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use serde::Deserialize;

use super::Table;
use crate::mapping::value::Scope;
use crate::mapping::xlsx::cell::Want;
use crate::problem::Problem;

pub const CSV_MEDIA_TYPE: &str = "text/csv";
/// What a spreadsheet program takes for a formula when it opens the text.
const FORMULA_SIGNS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Section `[csv]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvMapping {
    #[serde(default)]
    delimiter: Delimiter,
    #[serde(default)]
    encoding: Encoding,
    #[serde(default)]
    line_end: LineEnd,
    /// Whether the first line holds the titles.
    #[serde(default = "yes")]
    header: bool,
    /// Whether every field stands in quotes, or only those that need them.
    #[serde(default)]
    quote_all: bool,
    /// What keeps a text that begins with `=`, `+`, `-` or `@` from becoming a formula.
    #[serde(default)]
    formulas: Formulas,
    table: Table,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Delimiter {
    #[default]
    Comma,
    Semicolon,
    Tab,
    Pipe,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// With a byte order mark, so that Excel sees that it is UTF-8.
    #[serde(rename = "utf-8-bom")]
    Utf8Mark,
    #[serde(rename = "gbk")]
    Gbk,
    #[serde(rename = "gb18030")]
    Gb18030,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LineEnd {
    #[default]
    Crlf,
    Lf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Formulas {
    /// An apostrophe before the text, as people write it into cells.
    #[default]
    Escape,
    /// Left as it is, for a reader that is no spreadsheet.
    Keep,
    /// The document is not written.
    Refuse,
}

impl CsvMapping {
    pub(crate) fn faults(&self, file: &str, shape: &Scope<'_>) -> Vec<Problem> {
        self.table.faults(file, "[csv]", shape)
    }

    fn delimiter(&self) -> u8 {
        match self.delimiter {
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
            Delimiter::Pipe => b'|',
        }
    }

    /// A field as it stands in the file.
    fn field(&self, want: &Want) -> String {
        let text = match want {
            Want::Text(text) => text,
            other => return other.shown(),
        };
        match self.formulas {
            Formulas::Escape if text.starts_with(FORMULA_SIGNS) => format!("'{text}"),
            _ => text.clone(),
        }
    }

    /// # Errors
    /// Everything that is missing, and characters that the encoding does not have.
    pub(crate) fn write(&self, file: &str, scope: &Scope<'_>) -> Result<Vec<u8>, Vec<Problem>> {
        let mut out = WriterBuilder::new()
            .delimiter(self.delimiter())
            .terminator(match self.line_end {
                LineEnd::Crlf => Terminator::CRLF,
                LineEnd::Lf => Terminator::Any(b'\n'),
            })
            .quote_style(match self.quote_all {
                true => QuoteStyle::Always,
                false => QuoteStyle::Necessary,
            })
            .from_writer(Vec::new());
        let failed = |error: String| Problem::new(file, "", "", error, "a table that can be written");
        if self.header {
            let titles = self.table.columns.iter().map(|column| column.title.as_str());
            out.write_record(titles)
                .map_err(|error| vec![failed(error.to_string())])?;
        }
        self.table.rows(file, "", scope, &mut |no, cells| {
            for (column, want) in self.table.columns.iter().zip(cells) {
                if let (Formulas::Refuse, Want::Text(text)) = (self.formulas, want)
                    && text.starts_with(FORMULA_SIGNS)
                {
                    let place = format!("row {}", no + 1);
                    let wanted = "a text that no program takes for a formula";
                    return Err(Problem::new(file, place, &column.title, text, wanted));
                }
            }
            out.write_record(cells.iter().map(|want| self.field(want)))
                .map_err(|error| failed(error.to_string()))
        })?;
        let bytes = out
            .into_inner()
            .map_err(|error| vec![failed(error.to_string())])?;
        let text = String::from_utf8(bytes).map_err(|error| vec![failed(error.to_string())])?;
        let encoding = match self.encoding {
            Encoding::Utf8 => return Ok(text.into_bytes()),
            Encoding::Utf8Mark => return Ok(format!("\u{feff}{text}").into_bytes()),
            Encoding::Gbk => encoding_rs::GBK,
            Encoding::Gb18030 => encoding_rs::GB18030,
        };
        let (bytes, _, unmappable) = encoding.encode(&text);
        if unmappable {
            let strange = text.chars().find(|c| encoding.encode(&c.to_string()).2);
            let found = strange.map_or_else(String::new, |c| c.to_string());
            let wanted = format!("characters that {} has", encoding.name());
            return Err(vec![Problem::new(file, "", "encoding", found, wanted)]);
        }
        Ok(bytes.into_owned())
    }

    /// Decodes and parses the file again, and compares every field.
    pub(crate) fn check(&self, name: &str, bytes: &[u8], scope: &Scope<'_>) -> Vec<Problem> {
        let text = match crate::mapping::table::decode(bytes) {
            Ok(text) => text,
            Err(found) => return vec![Problem::new(name, "", "", found, "text that can be read")],
        };
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter())
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let mut problems = Vec::new();
        let mut compare = |place: String, wanted: &[String]| {
            let found = match records.next() {
                Some(Ok(record)) => record,
                Some(Err(error)) => {
                    problems.push(Problem::new(name, place, "", error.to_string(), "a record"));
                    return;
                }
                None => {
                    problems.push(Problem::new(
                        name,
                        place,
                        "",
                        "the end of the file",
                        "one more record",
                    ));
                    return;
                }
            };
            if found.len() != wanted.len() {
                let wanted = format!("{} fields", wanted.len());
                problems.push(Problem::new(
                    name,
                    &place,
                    "",
                    format!("{} fields", found.len()),
                    wanted,
                ));
            }
            for ((column, wanted), found) in self.table.columns.iter().zip(wanted).zip(&found) {
                if found != wanted {
                    problems.push(Problem::new(name, &place, &column.title, found, wanted.as_str()));
                }
            }
        };
        if self.header {
            let titles: Vec<String> = self
                .table
                .columns
                .iter()
                .map(|column| column.title.clone())
                .collect();
            compare("header".to_owned(), &titles);
        }
        let walked = self.table.rows(name, "", scope, &mut |no, cells| {
            let fields: Vec<String> = cells.iter().map(|want| self.field(want)).collect();
            compare(format!("row {}", no + 1), &fields);
            Ok(())
        });
        problems.extend(walked.err().unwrap_or_default());
        if let Some(Ok(more)) = records.next() {
            let found = more.iter().collect::<Vec<_>>().join(",");
            problems.push(Problem::new(
                name,
                "end",
                "row",
                found,
                "nothing after the order's last row",
            ));
        }
        problems
    }
}
