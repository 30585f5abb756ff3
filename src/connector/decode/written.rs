//! Tables that people write and export by hand: a title and a date above the header, other names for the columns,
//! full-width signs, a sum at the end. Where each value stands is known to the cell.

use super::DecodeError;
use crate::connector::definition::Decode;
use crate::mapping::table::{self, Kind, Limits, half_width};

/// All rows of such a table.
#[derive(Debug)]
pub struct Written {
    table: table::Table,
    within: u32,
    /// Index of the row that is read next.
    next: usize,
    width: usize,
    /// The header as it stands there.
    heads: Vec<String>,
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// `sheet 库存, `, or nothing.
    before: String,
    kind: Kind,
    number: usize,
}

impl Spot {
    /// `line 7`, `sheet 库存, cell D7`, or `sheet 库存, row 7` when no one column is meant.
    #[must_use]
    pub fn place(&self, column: Option<usize>) -> String {
        let (before, number) = (&self.before, self.number);
        match (self.kind, column) {
            (Kind::Text, _) => format!("{before}line {number}"),
            (Kind::Sheet, None) => format!("{before}row {number}"),
            (Kind::Sheet, Some(column)) => format!("{before}cell {}{number}", table::column_letters(column)),
        }
    }
}

/// What a cell says without what the way it was written adds.
#[must_use]
pub fn cell_text(cell: &str) -> String {
    half_width(cell)
}

/// `#N/A` and its like, and a formula whose result nobody stored: no value, and not nothing either.
#[must_use]
pub fn is_no_result(text: &str) -> bool {
    const ERRORS: [&str; 10] = [
        "#DIV/0!",
        "#N/A",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#REF!",
        "#VALUE!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
    ];
    ERRORS.contains(&text) || text.starts_with('=')
}

impl Written {
    pub(super) fn read(how: &Decode, bytes: &[u8]) -> Result<Self, DecodeError> {
        let limits = Limits {
            // What was allowed to come was judged where it came from.
            bytes: bytes.len(),
            ..Limits::default()
        };
        let table = table::read_sheet("the table", bytes, how.sheet.as_deref(), &limits)
            .map_err(|problem| DecodeError::Written(Box::new(problem)))?;
        Ok(Self {
            table,
            within: how.header_within,
            next: 0,
            width: 0,
            heads: Vec::new(),
        })
    }

    pub(super) fn find_header(
        &mut self,
        wanted: &dyn Fn(&str) -> Option<String>,
        names: &[String],
    ) -> Result<Vec<String>, DecodeError> {
        let rows = self.table.rows();
        let within = usize::try_from(self.within).unwrap_or(usize::MAX);
        let known = |cells: &[String]| {
            let found = cells.iter().filter_map(|cell| wanted(&cell_text(cell)));
            found.collect::<std::collections::BTreeSet<String>>().len()
        };
        let mut best = (0, 0);
        for (index, row) in rows.iter().enumerate().take(within) {
            let count = known(&row.cells);
            if count > best.1 {
                best = (index, count);
            }
        }
        let Some(row) = rows.get(best.0).filter(|_| best.1 > 0) else {
            return Err(DecodeError::NoKnownHeader {
                within: self.within,
                wanted: names.to_vec(),
            });
        };
        let spot = self.spot_of(row.number);
        let mut header: Vec<String> = Vec::with_capacity(row.cells.len());
        for (index, cell) in row.cells.iter().enumerate() {
            let text = cell_text(cell);
            let Some(name) = wanted(&text) else {
                header.push(text);
                continue;
            };
            if let Some(first) = header.iter().position(|before| *before == name) {
                return Err(DecodeError::Twice {
                    found: text,
                    column: name,
                    first: spot.place(Some(first)),
                    second: spot.place(Some(index)),
                });
            }
            header.push(name);
        }
        let heads = row.cells.clone();
        self.next = best.0 + 1;
        self.width = header.len();
        self.heads = heads;
        Ok(header)
    }

    /// Gives as many cells as the header has; more of them when a line of a text has more.
    pub(super) fn next(&mut self, record: &mut csv::StringRecord) -> bool {
        record.clear();
        let Some(row) = self.table.rows().get(self.next) else {
            return false;
        };
        self.next += 1;
        // What stands beside the table of a sheet is a note; in a text a comma too many has shifted what follows.
        let most = match self.table.kind() {
            Kind::Sheet => self.width,
            Kind::Text => usize::MAX,
        };
        for cell in row.cells.iter().take(most) {
            record.push_field(&cell_text(cell));
        }
        for _ in row.cells.len()..self.width {
            record.push_field("");
        }
        true
    }

    fn spot_of(&self, number: usize) -> Spot {
        Spot {
            before: self
                .table
                .sheet()
                .map_or_else(String::new, |sheet| format!("sheet {sheet}, ")),
            kind: self.table.kind(),
            number,
        }
    }

    /// Where the row stands that was given last.
    #[must_use]
    pub fn spot(&self) -> Spot {
        let row = self
            .next
            .checked_sub(1)
            .and_then(|index| self.table.rows().get(index));
        self.spot_of(row.map_or(0, |row| row.number))
    }

    /// The cell at a row and column of the file, both from 0.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> Option<String> {
        let rows = self.table.rows();
        let index = rows.binary_search_by_key(&(row + 1), |row| row.number).ok()?;
        let text = cell_text(rows.get(index)?.cells.get(column)?);
        (!text.is_empty()).then_some(text)
    }

    /// Every value of a column below the header.
    pub fn column(&self, column: usize) -> impl Iterator<Item = (Spot, String)> {
        self.table
            .rows()
            .iter()
            .skip(self.next)
            .filter_map(move |row| Some((self.spot_of(row.number), cell_text(row.cells.get(column)?))))
            .filter(|(_, text)| !text.is_empty())
    }

    /// The header as it stands there, once it was found.
    #[must_use]
    pub fn heads(&self) -> &[String] {
        &self.heads
    }
}
