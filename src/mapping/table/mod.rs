//! Tables that people and systems send: CSV, TSV, XLSX. What a file is, its bytes say; its name does not.
//!
//! [`read`] gives texts with their places; [`Table::columns`] finds the header row and maps heads to columns;
//! [`Row`] reads typed values and collects every fault of a row before the row is judged.

mod columns;
mod delimited;
mod row;
mod text;
mod unsolved;
mod workbook;

pub use columns::{Column, Columns};
pub use row::Row;
pub(crate) use text::decode;
pub use text::{date_from, day_and_time, decimal_from, flag_from, half_width, int_from};
pub(crate) use workbook::check_parts;

use crate::problem::Problem;

/// Bounds on a foreign table. Beyond any of them the file is refused as a whole, never cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub bytes: usize,
    /// What the parts of a workbook may unpack to, together, and what all its texts may take.
    pub unpacked_bytes: u64,
    pub rows: usize,
    pub columns: usize,
    pub cell_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            unpacked_bytes: 512 << 20,
            rows: 200_000,
            columns: 400,
            cell_chars: 32_767,
        }
    }
}

/// One row that is not empty, with its number in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawRow {
    /// Counted from 1: the line of a text file (where the record begins), the row of a sheet.
    pub number: usize,
    pub cells: Vec<String>,
}

/// Where a table came from decides how a place in it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Sheet,
}

/// All rows of one table as texts, as they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    file: String,
    kind: Kind,
    sheet: Option<String>,
    rows: Vec<RawRow>,
}

impl Table {
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Rows that are not empty, header included.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The sheet it was read from; a text file has none.
    #[must_use]
    pub fn sheet(&self) -> Option<&str> {
        self.sheet.as_deref()
    }

    pub(crate) fn rows(&self) -> &[RawRow] {
        &self.rows
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The cells of each row with their number, for readers that have no header.
    pub fn raw_rows(&self) -> impl Iterator<Item = (usize, &[String])> {
        self.rows.iter().map(|row| (row.number, row.cells.as_slice()))
    }

    /// `line 7`, or `cell D7` when the column is known and the file is a workbook.
    pub(crate) fn place(&self, number: usize, column: Option<usize>) -> String {
        match (self.kind, column) {
            (Kind::Text, _) => format!("line {number}"),
            (Kind::Sheet, None) => format!("row {number}"),
            (Kind::Sheet, Some(column)) => format!("cell {}{number}", column_letters(column)),
        }
    }
}

/// `0` is `A`, `26` is `AA`.
#[must_use]
pub fn column_letters(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// Reads the first sheet of a workbook, or a text table.
///
/// # Errors
/// One [`Problem`] for the file as a whole: not a table, too large, broken, no rows.
pub fn read(file_name: &str, bytes: &[u8], limits: &Limits) -> Result<Table, Problem> {
    read_sheet(file_name, bytes, None, limits)
}

/// As [`read`], but a named sheet of a workbook. A text table has no sheets: the name is ignored there.
///
/// # Errors
/// As [`read`], and when the workbook has no sheet of that name.
pub fn read_sheet(
    file_name: &str,
    bytes: &[u8],
    sheet: Option<&str>,
    limits: &Limits,
) -> Result<Table, Problem> {
    let refuse = |found: &str, wanted: &str| Problem::new(file_name, "", "", found, wanted);
    if bytes.len() > limits.bytes {
        return Err(refuse(
            &format!("{} bytes", bytes.len()),
            &format!("at most {} bytes", limits.bytes),
        ));
    }
    let mut name = None;
    let (kind, rows) = match sniff(bytes) {
        Content::Empty => return Err(refuse("an empty file", "a table with a header row")),
        Content::Refused(what) => {
            return Err(refuse(what, "a CSV, TSV or XLSX table"));
        }
        Content::Xlsx => {
            let (sheet, rows) = workbook::rows(file_name, bytes, sheet, limits)?;
            name = Some(sheet);
            (Kind::Sheet, rows)
        }
        Content::Text => {
            let text = text::decode(bytes).map_err(|found| refuse(&found, "text in UTF-8, UTF-16 or GBK"))?;
            // A page saved as `.xls` by a web system: nothing in it can be trusted to be one table.
            if text.trim_start().starts_with('<') {
                return Err(refuse(
                    "an HTML or XML page",
                    "a CSV, TSV or XLSX table (open it in a spreadsheet and save it as XLSX)",
                ));
            }
            (Kind::Text, delimited::rows(file_name, &text, limits)?)
        }
    };
    if rows.is_empty() {
        return Err(refuse("no rows", "a table with a header row"));
    }
    Ok(Table {
        file: file_name.to_owned(),
        kind,
        sheet: name,
        rows,
    })
}

enum Content {
    Empty,
    Xlsx,
    Text,
    Refused(&'static str),
}

fn sniff(bytes: &[u8]) -> Content {
    const OLE: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    if bytes.iter().all(u8::is_ascii_whitespace) {
        Content::Empty
    } else if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        Content::Xlsx
    } else if bytes.starts_with(&OLE) {
        // calamine takes the memory that such a file claims to need: five kilobytes can end the process.
        Content::Refused("an old XLS workbook, or one with a password")
    } else if bytes.starts_with(b"%PDF") {
        Content::Refused("a PDF document")
    } else if bytes.starts_with(&[0x1F, 0x8B]) {
        Content::Refused("a gzip archive")
    } else {
        Content::Text
    }
}

/// What bytes that should be a workbook are instead, as a person would say; `None` when they may be one.
pub(crate) fn no_workbook(bytes: &[u8]) -> Option<&'static str> {
    match sniff(bytes) {
        Content::Xlsx => None,
        Content::Empty => Some("an empty file"),
        Content::Refused(what) => Some(what),
        Content::Text => {
            let start = String::from_utf8_lossy(bytes.get(..64).unwrap_or(bytes));
            match start.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
                true => Some("an HTML or XML page"),
                false => Some("a text, or something else that is no workbook"),
            }
        }
    }
}

/// Keeps the limits while rows are gathered, whatever the format.
pub(crate) struct Gather<'a> {
    file: &'a str,
    kind: Kind,
    limits: &'a Limits,
    rows: Vec<RawRow>,
    /// Memory of the rows. A workbook names one long text a million times at the price of a few bytes each.
    held: u64,
}

impl<'a> Gather<'a> {
    pub(crate) fn new(file: &'a str, kind: Kind, limits: &'a Limits) -> Self {
        Self {
            file,
            kind,
            limits,
            rows: Vec::new(),
            held: 0,
        }
    }

    /// Takes a row unless all its cells are blank.
    pub(crate) fn push(&mut self, number: usize, mut cells: Vec<String>) -> Result<(), Problem> {
        while cells.last().is_some_and(|cell| cell.trim().is_empty()) {
            cells.pop();
        }
        if cells.is_empty() {
            return Ok(());
        }
        let place = match self.kind {
            Kind::Text => format!("line {number}"),
            Kind::Sheet => format!("row {number}"),
        };
        if self.rows.len() >= self.limits.rows {
            let wanted = format!("at most {} rows", self.limits.rows);
            return Err(Problem::new(self.file, place, "", "one more row", wanted));
        }
        if cells.len() > self.limits.columns {
            let found = format!("{} columns", cells.len());
            let wanted = format!("at most {} columns", self.limits.columns);
            return Err(Problem::new(self.file, place, "", found, wanted));
        }
        for cell in &cells {
            // Bytes bound characters from above, so most cells are never counted.
            if cell.len() > self.limits.cell_chars && cell.chars().count() > self.limits.cell_chars {
                let wanted = format!("a cell of at most {} characters", self.limits.cell_chars);
                return Err(Problem::new(self.file, place, "", cell, wanted));
            }
        }
        let size = |cell: &String| u64::try_from(cell.len() + size_of::<String>()).unwrap_or(u64::MAX);
        self.held = cells.iter().map(size).fold(self.held, u64::saturating_add);
        if self.held > self.limits.unpacked_bytes {
            let wanted = format!("at most {} bytes of text", self.limits.unpacked_bytes);
            return Err(Problem::new(self.file, place, "", "more", wanted));
        }
        self.rows.push(RawRow { number, cells });
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<RawRow> {
        self.rows
    }
}

#[cfg(test)]
mod tests;
