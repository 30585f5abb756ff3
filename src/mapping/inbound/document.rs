//! A file that came in, opened in each format at most once.

use std::cell::OnceCell;

use serde_json::Value;

use crate::mapping::table::{self, Limits, Table, decode};
use crate::mapping::xml::tree::{self, Node};
use crate::problem::Problem;

/// Bounds on what is read as one value in memory.
const MAX_JSON_BYTES: usize = 8 << 20;
const MAX_TEXT_BYTES: usize = 256 << 10;
const MAX_ROWS: usize = 50_000;
const MAX_UNPACKED_BYTES: u64 = 128 << 20;

/// How much of an unreadable file a person is shown.
const SHOWN_ROWS: usize = 5;
const SHOWN_CELLS: usize = 12;
const SHOWN_CHARS: usize = 40;
const SHOWN_LINE_CHARS: usize = 200;

pub struct Document<'a> {
    name: &'a str,
    bytes: &'a [u8],
    table: OnceCell<Result<Table, Problem>>,
    json: OnceCell<Option<Value>>,
    xml: OnceCell<Result<Node, Problem>>,
    text: OnceCell<Option<String>>,
}

impl<'a> Document<'a> {
    #[must_use]
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self {
            name,
            bytes,
            table: OnceCell::new(),
            json: OnceCell::new(),
            xml: OnceCell::new(),
            text: OnceCell::new(),
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// # Errors
    /// When the file is no table that can be read.
    pub fn table(&self) -> Result<&Table, &Problem> {
        let limits = Limits {
            rows: MAX_ROWS,
            unpacked_bytes: MAX_UNPACKED_BYTES,
            ..Limits::default()
        };
        self.table
            .get_or_init(|| table::read(self.name, self.bytes, &limits))
            .as_ref()
    }

    pub(super) fn json(&self) -> Option<&Value> {
        let looks = self
            .bytes
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            .is_some_and(|byte| matches!(byte, b'{' | b'[' | 0xEF));
        if !looks || self.bytes.len() > MAX_JSON_BYTES {
            return None;
        }
        self.json
            .get_or_init(|| {
                let text = decode(self.bytes).ok()?;
                serde_json::from_str(&text).ok()
            })
            .as_ref()
    }

    /// Entities of its own, and so every trick with them, are refused by the reader.
    pub(super) fn xml(&self) -> Option<Result<&Node, &Problem>> {
        let looks = self
            .bytes
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            .is_some_and(|byte| matches!(byte, b'<' | 0xEF));
        if !looks {
            return None;
        }
        Some(
            self.xml
                .get_or_init(|| tree::read(self.name, self.bytes))
                .as_ref(),
        )
    }

    pub(super) fn text(&self) -> Option<&str> {
        if self.bytes.len() > MAX_TEXT_BYTES || self.bytes.contains(&0) {
            return None;
        }
        self.text
            .get_or_init(|| decode(self.bytes).ok().map(std::borrow::Cow::into_owned))
            .as_deref()
    }

    /// Why nobody can read it, when the format itself says so.
    #[must_use]
    pub fn broken(&self) -> Option<Problem> {
        match self.xml() {
            Some(Err(problem)) => Some(problem.clone()),
            Some(Ok(_)) => None,
            None => self.table().err().cloned(),
        }
    }

    /// The first rows for a person, cells cut and everything escaped that could rewrite a screen.
    #[must_use]
    pub fn first_rows(&self) -> Vec<String> {
        if let Ok(table) = self.table()
            && table.row_count() > 0
        {
            return table
                .raw_rows()
                .take(SHOWN_ROWS)
                .map(|(number, cells)| {
                    let shown: Vec<String> = cells
                        .iter()
                        .take(SHOWN_CELLS)
                        .map(|cell| shown(cell.trim(), SHOWN_CHARS))
                        .collect();
                    let more = if cells.len() > SHOWN_CELLS { " | …" } else { "" };
                    format!("{number}: {}{more}", shown.join(" | "))
                })
                .collect();
        }
        let head = self
            .bytes
            .get(..MAX_TEXT_BYTES.min(self.bytes.len()))
            .unwrap_or_default();
        if head.contains(&0) || head.starts_with(b"PK") || head.starts_with(b"%PDF") {
            let hex: String = head.iter().take(16).map(|byte| format!("{byte:02x} ")).collect();
            return vec![format!(
                "{} bytes, begins with {}",
                self.bytes.len(),
                hex.trim_end()
            )];
        }
        String::from_utf8_lossy(head)
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(SHOWN_ROWS)
            .map(|line| shown(line.trim(), SHOWN_LINE_CHARS))
            .collect()
    }
}

/// A foreign text on one line: cut, without control characters and without marks that turn the reading direction.
#[must_use]
pub fn shown(text: &str, most: usize) -> String {
    let mut out = String::new();
    for c in text.chars().take(most) {
        if c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}
