//! Which head is which column: names, aliases, order and title lines above the header do not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::{Row, Table, half_width};
use crate::problem::{Problem, nearest};

/// A column that a reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// Other heads of the same column, the most trusted first.
    pub aliases: &'static [&'static str],
    pub required: bool,
}

impl Column {
    #[must_use]
    pub const fn required(name: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            required: true,
        }
    }

    #[must_use]
    pub const fn optional(name: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            required: false,
        }
    }

    #[must_use]
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    fn heads(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// Reports put a title and a date above their header; further down it is data.
const HEADER_WITHIN_ROWS: usize = 20;

/// A table with its header understood.
#[derive(Debug)]
pub struct Columns<'t> {
    pub(super) table: &'t Table,
    header: usize,
    pub(super) width: usize,
    at: BTreeMap<&'static str, usize>,
    warnings: Vec<Problem>,
}

/// `Event Type`, `event_type` and `ＥＶＥＮＴ－ＴＹＰＥ` are one head; a star marks required fields in many forms.
fn fold(head: &str) -> String {
    half_width(head)
        .to_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '*'))
        .collect()
}

impl Table {
    /// Finds the header and the known columns in it.
    ///
    /// # Errors
    /// One [`Problem`] for each required column that is missing and each known head that stands there twice.
    pub fn columns(&self, known: &[Column]) -> Result<Columns<'_>, Vec<Problem>> {
        let heads: BTreeSet<String> = known.iter().flat_map(Column::heads).map(fold).collect();
        let matches = |cells: &[String]| {
            let found: BTreeSet<String> = cells.iter().map(|cell| fold(cell)).collect();
            found.intersection(&heads).count()
        };
        let mut header = (0, 0);
        for (index, row) in self.rows.iter().take(HEADER_WITHIN_ROWS).enumerate() {
            let count = matches(&row.cells);
            if count > header.1 {
                header = (index, count);
            }
        }
        let Some(row) = self.rows.get(header.0) else {
            return Err(vec![Problem::new(&self.file, "", "", "no rows", "a header row")]);
        };

        let mut problems = Vec::new();
        let mut by_head: BTreeMap<String, usize> = BTreeMap::new();
        let mut unknown: Vec<usize> = Vec::new();
        for (index, cell) in row.cells.iter().enumerate() {
            let head = fold(cell);
            if head.is_empty() {
                continue;
            }
            if !heads.contains(&head) {
                unknown.push(index);
            } else if let Some(first) = by_head.insert(head, index) {
                let wanted = format!(
                    "this column once, it stands at {} too",
                    self.place(row.number, Some(first))
                );
                problems.push(Problem::new(
                    &self.file,
                    self.place(row.number, Some(index)),
                    cell,
                    cell,
                    wanted,
                ));
            }
        }
        let mut at = BTreeMap::new();
        for column in known {
            match column.heads().find_map(|head| by_head.get(&fold(head))) {
                Some(index) => {
                    at.insert(column.name, *index);
                }
                None if column.required => {
                    problems.push(self.missing(column, row.number, &row.cells, &unknown));
                }
                None => {}
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let free: Vec<&str> = known
            .iter()
            .map(|column| column.name)
            .filter(|name| !at.contains_key(name))
            .collect();
        let warnings = unknown
            .iter()
            .filter_map(|index| row.cells.get(*index).map(|cell| (*index, cell)))
            .map(|(index, cell)| {
                let place = self.place(row.number, Some(index));
                let wanted = nearest(&half_width(cell).to_lowercase(), free.iter().copied()).map_or_else(
                    || "a known column (this one is not read)".to_owned(),
                    |name| format!("a known column (this one is not read), perhaps `{name}`"),
                );
                Problem::new(&self.file, place, cell.trim(), cell.trim(), wanted)
            })
            .collect();
        Ok(Columns {
            table: self,
            header: header.0,
            width: row.cells.len(),
            at,
            warnings,
        })
    }

    fn missing(&self, column: &Column, number: usize, cells: &[String], unknown: &[usize]) -> Problem {
        let free = unknown
            .iter()
            .filter_map(|index| cells.get(*index))
            .map(|cell| cell.trim());
        let hint = nearest(column.name, free)
            .map(|near| format!(" (is it `{near}`?)"))
            .unwrap_or_default();
        let found = cells
            .iter()
            .map(|cell| cell.trim())
            .collect::<Vec<_>>()
            .join(", ");
        let wanted = format!("a column `{}`{hint}", column.name);
        Problem::new(&self.file, self.place(number, None), column.name, found, wanted)
    }
}

impl<'t> Columns<'t> {
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.at.contains_key(name)
    }

    /// Heads that nobody reads, each with the nearest known name. The rows are read all the same.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The rows below the header.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.table
            .rows
            .iter()
            .skip(self.header + 1)
            .map(|raw| Row::new(self, raw))
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.at.get(name).copied()
    }
}
