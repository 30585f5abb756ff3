//! From a decoded answer to mapped rows and facts. New columns and unknown words are counted, a missing required
//! column is an error with its name, a bad row is kept out with its reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Bound;
use super::cell::Cell;
use super::decode::{Page, Table};
use super::definition::Stream;
use super::load::FieldMap;
use super::path::Path;
use super::pipe::{self, Source};
use super::record::{Facts, Field, FieldKind, Maker, Mapped, NoFact};
use crate::ids::WarehouseCode;
use crate::problem::Problem;

/// What one answer held.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRows {
    pub facts: Facts,
    /// Rows in the answer, whatever became of them.
    pub seen: u64,
    /// Rows that belong to somebody else.
    pub skipped: u64,
    /// Rows that were kept out, with the reason.
    pub rejected: Vec<Problem>,
    pub rejected_count: u64,
    /// What is new or odd, and how often.
    pub warnings: BTreeMap<String, i64>,
    /// The mapped rows as text, kept only when asked for (tests, `connector test`).
    pub texts: Vec<BTreeMap<String, String>>,
}

/// The answer is not what the definition says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    #[error("{0}")]
    Rows(String),
    #[error("required column `{column}` is missing (wanted for `{field}`)")]
    Column { column: String, field: String },
    #[error("stream `{0}` is not declared")]
    Stream(String),
    #[error("more than {0} rows in one answer")]
    TooMany(u64),
}

/// Problems kept per page; all are counted.
const MAX_PROBLEMS: usize = 50;
const MAX_ROWS: u64 = 2_000_000;
const MAX_WARNING_KINDS: usize = 100;

/// What a page is read for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reader<'a> {
    /// Mapped texts of the parent row.
    pub parent: Option<&'a BTreeMap<String, String>>,
    /// Codes of the warehouse a snapshot was asked for.
    pub asked: Option<&'a (String, WarehouseCode)>,
    pub keep_texts: bool,
    /// `page 3`, for messages.
    pub page: u64,
}

/// One row, wherever it stands.
#[derive(Clone, Copy)]
enum Row<'a> {
    /// The root of the answer, and the chain of enclosing elements with the row itself last.
    Json(&'a Json, &'a [&'a Json]),
    Table(&'a BTreeMap<&'a str, usize>, &'a csv::StringRecord),
}

struct Work<'b> {
    bound: &'b Bound,
    name: &'b str,
    stream: &'b Stream,
    fields: &'b [Option<FieldMap>],
    reader: Reader<'b>,
    maker: Maker<'b>,
    out: PageRows,
    /// Top-level names the map reads, and those the definition knows and leaves.
    known: BTreeSet<&'b str>,
}

impl Bound {
    /// Reads the rows of an answer.
    ///
    /// # Errors
    /// When the answer has another shape than the definition says.
    pub fn read(&self, name: &str, page: &Page, reader: Reader<'_>) -> Result<PageRows, ShapeError> {
        let (stream, reading) = self
            .stream(name)
            .ok_or_else(|| ShapeError::Stream(name.to_owned()))?;
        let mut work = Work {
            bound: self,
            name,
            stream,
            fields: &reading.fields,
            reader,
            maker: Maker::new(stream.record, &self.source, &self.warehouses, reader.asked),
            out: PageRows {
                facts: Facts::Stock(Vec::new()),
                seen: 0,
                skipped: 0,
                rejected: Vec::new(),
                rejected_count: 0,
                warnings: BTreeMap::new(),
                texts: Vec::new(),
            },
            known: self.known_names(name),
        };
        match page {
            Page::Table(table) => work.table(table)?,
            Page::Json(root) => match &reading.rows {
                Some(rows) => {
                    let mut too_many = false;
                    rows.each_row(root, &mut |chain| {
                        too_many |= work.out.seen >= MAX_ROWS;
                        if !too_many {
                            work.row(Row::Json(root, chain));
                        }
                    })
                    .map_err(ShapeError::Rows)?;
                    if too_many {
                        return Err(ShapeError::TooMany(MAX_ROWS));
                    }
                }
                None => work.row(Row::Json(root, &[root])),
            },
        }
        let Work { mut out, maker, .. } = work;
        out.facts = maker.finish();
        Ok(out)
    }

    fn known_names(&self, name: &str) -> BTreeSet<&str> {
        let Some((stream, reading)) = self.stream(name) else {
            return BTreeSet::new();
        };
        let mapped = reading.fields.iter().flatten().flat_map(|map| {
            let elsewhere = map.pipes.iter().flat_map(|pipe| match pipe {
                pipe::Pipe::Coalesce(sources) | pipe::Pipe::Sum(sources) => sources.as_slice(),
                _ => &[],
            });
            std::iter::once(&map.source).chain(elsewhere)
        });
        let mapped = mapped.filter_map(|source| match source {
            Source::Path(path) => Some(path),
            _ => None,
        });
        mapped
            .chain(self.only(name).into_iter().flat_map(super::expr::Expr::paths))
            .filter(|path| path.up() == 0)
            .map(Path::head)
            .chain(stream.known.iter().map(String::as_str))
            .collect()
    }
}

impl Work<'_> {
    fn warn(&mut self, what: String) {
        if self.out.warnings.len() < MAX_WARNING_KINDS || self.out.warnings.contains_key(&what) {
            *self.out.warnings.entry(what).or_insert(0) += 1;
        }
    }

    fn reject(&mut self, field: &str, found: &str, wanted: &str) {
        self.out.rejected_count += 1;
        if self.out.rejected.len() < MAX_PROBLEMS {
            let place = match self.reader.page {
                0 => format!("row {}", self.out.seen),
                page => format!("page {page}, row {}", self.out.seen),
            };
            let file = format!("{}/{}", self.bound.source, self.name);
            self.out
                .rejected
                .push(Problem::new(file, place, field, found, wanted));
        }
    }

    fn table(&mut self, table: &Table) -> Result<(), ShapeError> {
        let columns: BTreeMap<&str, usize> = table
            .header
            .iter()
            .enumerate()
            .map(|(index, name)| (name.as_str(), index))
            .collect();
        for (field, map) in self.stream.record.fields().iter().zip(self.fields) {
            let Some(Source::Path(path)) = map.as_ref().map(|map| &map.source) else {
                continue;
            };
            if columns.contains_key(path.text()) {
                continue;
            }
            if field.required {
                return Err(ShapeError::Column {
                    column: path.text().to_owned(),
                    field: field.name.to_owned(),
                });
            }
            self.warn(format!("column `{}` is missing", path.text()));
        }
        for path in self
            .bound
            .only(self.name)
            .into_iter()
            .flat_map(super::expr::Expr::paths)
        {
            if !columns.contains_key(path.text()) {
                return Err(ShapeError::Column {
                    column: path.text().to_owned(),
                    field: "only".to_owned(),
                });
            }
        }
        for column in &table.header {
            if !self.known.contains(column.as_str()) {
                self.warn(format!("column `{column}` is new"));
            }
        }
        for record in &table.records {
            if self.out.seen >= MAX_ROWS {
                return Err(ShapeError::TooMany(MAX_ROWS));
            }
            if record.len() == table.header.len() {
                self.row(Row::Table(&columns, record));
            } else {
                self.out.seen += 1;
                let found = format!("{} columns", record.len());
                self.reject("", &found, &format!("{}, as in the header", table.header.len()));
            }
        }
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) {
        self.out.seen += 1;
        if let Row::Json(_, chain) = row
            && let Some(Json::Object(fields)) = chain.last()
        {
            for name in fields.keys() {
                if !self.known.contains(name.trim_end()) {
                    self.warn(format!("field `{name}` is new"));
                }
            }
        }
        if let Some(only) = self.bound.only(self.name) {
            let look = |path: &Path| cell_at(row, path).show().map(std::borrow::Cow::into_owned);
            // A row that does not say whose it is is refused: guessing would give it to the wrong marketplace.
            if let Some(silent) = only.paths().find(|path| look(path).is_none()) {
                let name = silent.text().to_owned();
                self.reject(&name, "", "a value: without it the row cannot be told to be ours");
                return;
            }
            if !only.holds(&look) {
                self.out.skipped += 1;
                return;
            }
        }
        let mut cells = Vec::with_capacity(self.fields.len());
        let fields = self.fields;
        for (field, map) in self.stream.record.fields().iter().zip(fields) {
            match self.field(row, field, map.as_ref()) {
                Ok(cell) => cells.push(cell),
                Err((found, wanted)) => {
                    self.reject(field.name, &found, &wanted);
                    return;
                }
            }
        }
        let mapped = Mapped(cells);
        match self.maker.take(&mapped) {
            Ok(()) => {
                if self.reader.keep_texts {
                    self.out.texts.push(mapped.texts(self.stream.record));
                }
            }
            Err(NoFact::UnknownWarehouse(code)) => {
                self.out.skipped += 1;
                self.warn(format!("warehouse `{code}` is not configured"));
            }
            Err(NoFact::OtherWarehouse(code)) => {
                self.reject("warehouse", &code, "rows of the warehouse that was asked for");
            }
        }
    }

    fn field<'r>(
        &mut self,
        row: Row<'r>,
        field: &Field,
        map: Option<&FieldMap>,
    ) -> Result<Cell<'r>, (String, String)> {
        let Some(map) = map else {
            return Ok(Cell::Null);
        };
        let (given, parent) = (&self.bound.given, self.reader.parent);
        let look = |source: &Source| -> Cell<'r> {
            let owned = |text: Option<&String>| {
                text.map_or(Cell::Null, |text| {
                    Cell::Text(std::borrow::Cow::Owned(text.clone()))
                })
            };
            match source {
                Source::Path(path) => cell_at(row, path),
                Source::Literal(text) => owned(Some(text)),
                Source::Param(name) => owned(given.params.get(name)),
                Source::Parent(name) => owned(parent.and_then(|parent| parent.get(name))),
                Source::Page(path) => match row {
                    Row::Json(root, _) => path.get(root).map_or(Cell::Null, Cell::of_json),
                    Row::Table(..) => Cell::Null,
                },
            }
        };
        let mut unknown = Vec::new();
        let mut cell = look(&map.source);
        for pipe in &map.pipes {
            cell = pipe::apply(pipe, cell, &look, &mut |text| unknown.push(text.to_owned()))
                .map_err(|refused| (refused.found, refused.wanted))?;
        }
        for text in unknown {
            let text: String = text.chars().take(40).collect();
            self.warn(format!("unknown value `{text}` of `{}`", field.name));
        }
        let cell = typed(cell, field.kind)?;
        if field.required && cell.is_null() {
            return Err((String::new(), "a value".to_owned()));
        }
        Ok(cell)
    }
}

fn cell_at<'r>(row: Row<'r>, path: &Path) -> Cell<'r> {
    match row {
        Row::Table(columns, record) => columns
            .get(path.text())
            .and_then(|index| record.get(*index))
            .map_or(Cell::Null, Cell::of_text),
        Row::Json(_, chain) => {
            let Some(at) = chain
                .len()
                .checked_sub(1 + path.up())
                .and_then(|index| chain.get(index))
            else {
                return Cell::Null;
            };
            if path.is_list() {
                Cell::List(path.all(at).into_iter().map(Cell::of_json).collect())
            } else {
                path.get(at).map_or(Cell::Null, Cell::of_json)
            }
        }
    }
}

/// The kind the record wants, or what was found and what is wanted.
fn typed(cell: Cell<'_>, kind: FieldKind) -> Result<Cell<'_>, (String, String)> {
    if cell.is_null() {
        return Ok(Cell::Null);
    }
    let shown = || {
        cell.show()
            .map_or_else(|| "a list".to_owned(), std::borrow::Cow::into_owned)
    };
    match kind {
        FieldKind::Text => match cell.show() {
            Some(text) if text.trim().is_empty() => Ok(Cell::Null),
            Some(_) => Ok(cell),
            None => Err((shown(), "one text".to_owned())),
        },
        FieldKind::Int => cell
            .int()
            .map(|value| value.map_or(Cell::Null, Cell::Int))
            .map_err(|found| (found, "a whole number".to_owned())),
        FieldKind::Time => match cell {
            Cell::Time(_) => Ok(cell),
            _ => Err((shown(), "a time; the map needs `ts(…)`".to_owned())),
        },
        FieldKind::Flag => match shown().trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Cell::Bool(true)),
            "false" | "no" | "0" => Ok(Cell::Bool(false)),
            _ => Err((shown(), "true or false".to_owned())),
        },
        FieldKind::Word(words) => {
            if words.contains(&shown().as_str()) {
                Ok(cell)
            } else {
                Err((
                    shown(),
                    format!("one of {}; the map needs `enum(…)`", words.join(", ")),
                ))
            }
        }
    }
}
