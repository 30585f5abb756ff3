//! Rows of tables: which column is which, and what people's tables have besides data.

use std::collections::BTreeMap;

use super::{MAX_ROWS, Row, ShapeError, Work};
use crate::connector::decode::{Table, Written, is_no_result};
use crate::connector::definition::RecordKind;
use crate::connector::expr::Expr;
use crate::connector::load::FieldMap;
use crate::connector::pipe::{Pipe, Source};
use crate::connector::record::Mapped;

impl Work<'_> {
    pub(super) fn table(&mut self, table: &mut Table<'_>) -> Result<(), ShapeError> {
        let reading = self.reading;
        let heads = self.bound.heads(self.name);
        if table.as_written().is_some() {
            table.find_header(&|head| heads.name_of(head), &self.needed())?;
        }
        let header = std::mem::take(&mut table.header);
        let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, name) in header.iter().enumerate() {
            let name = if self.known.contains(name.as_str()) {
                name
            } else {
                reading.declared_name(name)
            };
            columns.insert(name, index);
        }
        let mut missing: Vec<(String, String)> = Vec::new();
        for (field, map) in self.stream.record.fields().iter().zip(&self.reading.fields) {
            let Some(map) = map else { continue };
            let Some(column) = lost(map, &columns) else {
                continue;
            };
            if field.required {
                missing.push((column.to_owned(), field.name.to_owned()));
            } else {
                self.warn(format!("column `{column}` is missing"));
            }
        }
        let (only, must) = (self.bound.only(self.name), self.bound.must(self.name));
        for (field, condition) in [("only", only), ("must", must)] {
            for path in condition.into_iter().flat_map(Expr::paths) {
                let known = missing.iter().any(|(column, _)| column == path.text());
                if !columns.contains_key(path.text()) && !known {
                    missing.push((path.text().to_owned(), field.to_owned()));
                }
            }
        }
        none_missing(missing, table)?;
        if table.as_written().is_some() {
            self.remember_columns(&columns);
        }
        for column in columns.keys() {
            if !self.known.contains(column) {
                self.warn(format!("column `{column}` is new"));
            }
        }
        let mut record = csv::StringRecord::new();
        while table.next(&mut record)? {
            if self.out.seen >= MAX_ROWS {
                return Err(ShapeError::TooMany(MAX_ROWS));
            }
            self.spot = table.as_written().map(Written::spot);
            if self.is_total(&record) {
                self.out.seen += 1;
                self.out.skipped += 1;
            } else if record.len() == header.len() {
                self.row(Row::Table(&columns, &record));
            } else {
                self.out.seen += 1;
                let found = format!("{} columns", record.len());
                self.reject("", &found, &format!("{}, as in the header", header.len()));
            }
        }
        Ok(())
    }

    /// A sum at the end of a table that people wrote.
    fn is_total(&self, record: &csv::StringRecord) -> bool {
        let words = &self.stream.totals;
        self.spot.is_some() && record.iter().any(|cell| words.iter().any(|word| word == cell))
    }

    /// Columns without which nothing can be read.
    fn needed(&self) -> Vec<String> {
        let fields = self.stream.record.fields().iter().zip(&self.reading.fields);
        fields
            .filter_map(|(field, map)| match &map.as_ref()?.source {
                Source::Path(path) if field.required => Some(path.text().to_owned()),
                _ => None,
            })
            .collect()
    }

    /// Where the columns stand that a field, or a condition, reads.
    fn remember_columns(&mut self, columns: &BTreeMap<&str, usize>) {
        for (field, map) in self.stream.record.fields().iter().zip(&self.reading.fields) {
            let mut sources = map.iter().flat_map(FieldMap::sources);
            let at = sources.find_map(|source| match source {
                Source::Path(path) => columns.get(path.text()),
                _ => None,
            });
            if let Some(at) = at {
                self.at.insert(field.name.to_owned(), *at);
            }
        }
        for (column, at) in columns {
            self.at.entry((*column).to_owned()).or_insert(*at);
        }
    }

    /// Fields whose cell holds no result: an error of the spreadsheet, or a formula nobody has worked out.
    pub(super) fn without_result(&self, row: Row<'_>) -> Vec<(String, String, String)> {
        let (Row::Table(columns, record), true) = (row, self.spot.is_some()) else {
            return Vec::new();
        };
        let mut faults = Vec::new();
        for (field, map) in self.stream.record.fields().iter().zip(&self.reading.fields) {
            for source in map.iter().flat_map(FieldMap::sources) {
                let Source::Path(path) = source else { continue };
                let cell = columns.get(path.text()).and_then(|index| record.get(*index));
                let Some(text) = cell.filter(|text| is_no_result(text)) else {
                    continue;
                };
                let wanted = if text.starts_with('=') {
                    "a value: this formula was never worked out, open the file in a spreadsheet and save it"
                } else {
                    "a value: the formula of this cell has none"
                };
                faults.push((field.name.to_owned(), text.to_owned(), wanted.to_owned()));
            }
        }
        faults
    }

    pub(super) fn in_shared_file(&self) -> bool {
        self.reader.file.is_some_and(|file| file.shared)
    }

    /// Whether nobody says whose stock the row is, in a file of several warehouses. Then it is kept out.
    pub(super) fn is_nobodys(&mut self, mapped: &Mapped<'_>) -> bool {
        const WAREHOUSE: usize = 1;
        let nobodys = self.in_shared_file()
            && self.stream.record == RecordKind::Stock
            && mapped.cell(WAREHOUSE).is_null();
        if nobodys {
            self.reject(
                "warehouse",
                "",
                "the warehouse, in a file that tells the stock of several",
            );
        }
        nobodys
    }

    /// A row of another warehouse in a file of several.
    pub(super) fn elsewhere(&mut self, code: &str) {
        self.out.skipped += 1;
        if !self.bound.warehouses.contains_key(code) {
            self.warn(format!("warehouse `{code}` is not configured"));
        }
    }
}

fn none_missing(mut missing: Vec<(String, String)>, table: &Table<'_>) -> Result<(), ShapeError> {
    if missing.is_empty() {
        return Ok(());
    }
    match table.as_written() {
        // All of them at once, for who mends the file.
        Some(written) => Err(ShapeError::Columns {
            place: written.spot().place(None),
            missing,
            found: written
                .heads()
                .iter()
                .filter(|head| !head.is_empty())
                .cloned()
                .collect(),
        }),
        None => {
            let (column, field) = missing.swap_remove(0);
            Err(ShapeError::Column { column, field })
        }
    }
}

/// The column that is missing, unless another source stands in for it.
fn lost<'m>(map: &'m FieldMap, columns: &BTreeMap<&str, usize>) -> Option<&'m str> {
    let Source::Path(path) = &map.source else {
        return None;
    };
    let there = |source: &Source| match source {
        Source::Path(path) => columns.contains_key(path.text()),
        _ => true,
    };
    let stands_in = map.pipes.iter().any(|pipe| match pipe {
        Pipe::Coalesce(sources) => sources.iter().any(there),
        Pipe::Default(_) => true,
        _ => false,
    });
    (!columns.contains_key(path.text()) && !stands_in).then(|| path.text())
}
