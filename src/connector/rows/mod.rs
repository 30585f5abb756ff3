//! From a decoded answer to mapped rows and facts. New columns and unknown words are counted, a missing required
//! column is an error with its name, a bad row is kept out with its reason.

mod counts;
mod seen;
mod shape;
mod table;
mod typed;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Bound;
use super::cell::Cell;
use super::decode::{Content, Page, Spot};
use super::definition::{RecordKind, Stream};
use super::load::{FieldMap, Reading};
use super::path::Path;
use super::pipe::{self, FileFact, Source};
use super::record::{Facts, Field, Maker, Mapped, NoFact};
use super::tree::Node;
use crate::ids::WarehouseCode;
use crate::problem::Problem;

pub use seen::Seen;
use seen::Told;
pub use shape::ShapeError;
use typed::typed;

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
    /// What streams below each row are asked with, kept only when asked for.
    pub below: Vec<BTreeMap<String, String>>,
    /// The same row again, word for word.
    pub duplicates: u64,
    /// An older state of a row that came too.
    pub superseded: u64,
    /// Rows without the row they belong to.
    pub orphans: u64,
    /// What the next page goes on from, when rows say it.
    pub last: Option<String>,
    /// The id of the last row, for cursors that ascend.
    pub id: Option<String>,
}

impl PageRows {
    /// The rows of an answer that has none.
    #[must_use]
    pub fn nothing(record: RecordKind) -> Self {
        Self {
            facts: Facts::none(record),
            ..Self::default()
        }
    }
}

impl Default for PageRows {
    fn default() -> Self {
        Self {
            facts: Facts::Stock(Vec::new()),
            seen: 0,
            skipped: 0,
            rejected: Vec::new(),
            rejected_count: 0,
            warnings: BTreeMap::new(),
            texts: Vec::new(),
            below: Vec::new(),
            duplicates: 0,
            superseded: 0,
            orphans: 0,
            last: None,
            id: None,
        }
    }
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
    /// Whether streams below these rows will be asked.
    pub keep_below: bool,
    /// When running totals are known that do not say it themselves.
    pub now: Option<DateTime<Utc>>,
    /// What rows of a warehouse that is not configured count for; None: they are not ours.
    pub elsewhere: Option<&'a WarehouseCode>,
    /// `page 3`, for messages.
    pub page: u64,
    /// The file the rows stand in.
    pub file: Option<InFile<'a>>,
}

/// What is known of a file besides its rows.
#[derive(Debug, Clone, Copy)]
pub struct InFile<'a> {
    pub name: &'a str,
    pub made: DateTime<Utc>,
    /// Whether it may tell the stock of several warehouses.
    pub shared: bool,
}

/// One row, wherever it stands.
#[derive(Clone, Copy)]
enum Row<'a> {
    /// The root of the answer, and the chain of enclosing elements with the row itself last.
    Tree(&'a Node<'a>, &'a [&'a Node<'a>]),
    Table(&'a BTreeMap<&'a str, usize>, &'a csv::StringRecord),
}

struct Work<'b> {
    bound: &'b Bound,
    name: &'b str,
    stream: &'b Stream,
    reading: &'b Reading,
    reader: Reader<'b>,
    maker: Maker<'b>,
    out: PageRows,
    /// Top-level names the map reads, and those the definition knows and leaves.
    known: BTreeSet<&'b str>,
    /// What the rows that were taken are known by; empty when it is nothing.
    told: Vec<Told>,
    /// Where the row stands that is read, in a table that people wrote, and where its columns stand.
    spot: Option<Spot>,
    at: BTreeMap<String, usize>,
}

impl Bound {
    /// Reads the rows of an answer. `seen` holds what earlier answers of the same run said.
    ///
    /// # Errors
    /// When the answer has another shape than the definition says.
    pub fn read(
        &self,
        name: &str,
        page: &mut Page<'_>,
        reader: Reader<'_>,
        seen: &mut Seen,
    ) -> Result<PageRows, ShapeError> {
        let (stream, reading) = self
            .stream(name)
            .ok_or_else(|| ShapeError::Stream(name.to_owned()))?;
        let mut maker = Maker::new(stream.record, &self.source, &self.warehouses, reader.asked);
        if stream.running_total {
            maker.now = reader.now;
        }
        maker.elsewhere = reader.elsewhere;
        if matches!(stream.record, RecordKind::InboundLine | RecordKind::Receipt) {
            maker.inbound = reader
                .parent
                .and_then(|parent| parent.get("inbound_no"))
                .map(String::as_str);
        }
        let mut work = Work {
            bound: self,
            name,
            stream,
            reading,
            reader,
            maker,
            out: PageRows::default(),
            known: self.known_names(name),
            told: Vec::new(),
            spot: None,
            at: BTreeMap::new(),
        };
        for _ in 0..page.orphans {
            work.orphan("", "a row whose parent came too");
        }
        match &mut page.content {
            Content::Table(table) => work.table(table)?,
            Content::Tree(root) => {
                let root: &Node<'_> = root;
                match &reading.rows {
                    Some(rows) => {
                        let mut too_many = false;
                        rows.each_row(root, &mut |chain| {
                            too_many |= work.out.seen >= MAX_ROWS;
                            if !too_many {
                                work.row(Row::Tree(root, chain));
                            }
                        })
                        .map_err(ShapeError::Rows)?;
                        if too_many {
                            return Err(ShapeError::TooMany(MAX_ROWS));
                        }
                    }
                    None => work.row(Row::Tree(root, &[root])),
                }
            }
        }
        let Work {
            mut out, maker, told, ..
        } = work;
        out.facts = maker.finish();
        if !told.is_empty() {
            let kept = seen.sift(&told);
            out.duplicates = kept.duplicates;
            out.superseded = kept.superseded;
            out.facts.keep(&kept.keep);
            for list in [&mut out.texts, &mut out.below] {
                let mut keep = kept.keep.iter();
                list.retain(|_| keep.next().copied().unwrap_or(true));
            }
        }
        Ok(out)
    }

    fn known_names(&self, name: &str) -> BTreeSet<&str> {
        let Some((stream, reading)) = self.stream(name) else {
            return BTreeSet::new();
        };
        let mapped = reading.sources().filter_map(|source| match source {
            Source::Path(path) => Some(path),
            _ => None,
        });
        mapped
            .chain(&reading.last)
            .chain(&reading.id)
            .chain(self.only(name).into_iter().flat_map(super::expr::Expr::paths))
            .chain(self.must(name).into_iter().flat_map(super::expr::Expr::paths))
            .filter(|path| path.up() == 0)
            .map(Path::head)
            .chain(stream.known.iter().map(String::as_str))
            // Personal data lies one level below, or is the field itself.
            .chain(
                stream
                    .pii
                    .iter()
                    .map(|name| name.get_ref().split('.').next().unwrap_or_default()),
            )
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
        self.fault(field, found, wanted);
    }

    /// One of the reasons why a row is kept out.
    fn fault(&mut self, field: &str, found: &str, wanted: &str) {
        if self.out.rejected.len() >= MAX_PROBLEMS {
            return;
        }
        let place = match (&self.spot, self.reader.page) {
            (Some(spot), _) => spot.place(self.at.get(field).copied()),
            (None, 0) => format!("row {}", self.out.seen),
            (None, page) => format!("page {page}, row {}", self.out.seen),
        };
        let file = match self.reader.file {
            Some(file) => file.name.to_owned(),
            None => format!("{}/{}", self.bound.source, self.name),
        };
        self.out
            .rejected
            .push(Problem::new(file, place, field, found, wanted));
    }

    /// A row that has lost the row it belongs to: kept out, with a reason, and counted on its own.
    fn orphan(&mut self, found: &str, wanted: &str) {
        self.out.orphans += 1;
        self.reject("parent", found, wanted);
    }

    fn row(&mut self, row: Row<'_>) {
        self.out.seen += 1;
        if let Row::Tree(_, chain) = row
            && let Some(fields) = chain.last()
        {
            for name in fields.names() {
                if !self.known.contains(name.trim_end()) {
                    self.warn(format!("field `{name}` is new"));
                }
            }
        }
        let reading = self.reading;
        let shown = |path: &Path| cell_at(row, path).show().map(std::borrow::Cow::into_owned);
        if let Some(path) = &reading.last {
            self.out.last = shown(path);
        }
        if let Some(path) = &reading.id {
            self.out.id = shown(path);
        }
        if !self.counts(row) {
            return;
        }
        // In an answer one reason is enough; who mends a file by hand wants to see all of them.
        let mut faults = self.without_result(row);
        let mut cells = Vec::with_capacity(reading.fields.len());
        for (field, map) in self.stream.record.fields().iter().zip(&reading.fields) {
            match self.field(row, field, map.as_ref()) {
                Ok(cell) => cells.push(cell),
                // What has come in all and is not told yet is no total, and nothing is wrong with the row.
                Err((found, _)) if self.stream.running_total && field.name == "units" && found.is_empty() => {
                    self.out.skipped += 1;
                    return;
                }
                Err((found, wanted)) if self.spot.is_some() => {
                    if !faults.iter().any(|(known, ..)| known == field.name) {
                        faults.push((field.name.to_owned(), found, wanted));
                    }
                }
                Err((found, wanted)) => {
                    self.reject(field.name, &found, &wanted);
                    return;
                }
            }
        }
        if !faults.is_empty() {
            self.out.rejected_count += 1;
            for (field, found, wanted) in faults {
                self.fault(&field, &found, &wanted);
            }
            return;
        }
        let mapped = Mapped(cells);
        if self.is_nobodys(&mapped) {
            return;
        }
        match self.maker.take(&mapped) {
            Ok(()) => self.taken(row, &mapped),
            Err(NoFact::UnknownWarehouse(code)) => {
                self.out.skipped += 1;
                self.warn(format!("warehouse `{code}` is not configured"));
            }
            // Its own run takes it.
            Err(NoFact::OtherWarehouse(code)) if self.in_shared_file() => self.elsewhere(&code),
            Err(NoFact::Unnamed) => self.out.skipped += 1,
            Err(NoFact::OtherWarehouse(code)) => {
                self.reject("warehouse", &code, "rows of the warehouse that was asked for");
            }
            Err(NoFact::OtherParent { said, asked }) => {
                self.orphan(&said, &format!("rows below `{asked}`, which was asked for"));
            }
            Err(NoFact::Needs { field, wanted }) => self.reject(field, "", wanted),
        }
    }

    fn taken(&mut self, row: Row<'_>, mapped: &Mapped<'_>) {
        let reading = self.reading;
        self.told.extend(Told::of(self.stream.record, reading, mapped));
        let (texts, below) = (self.reader.keep_texts, self.reader.keep_below);
        if !texts && !below {
            return;
        }
        let fields = mapped.texts(self.stream.record);
        let mut all = if below { fields.clone() } else { BTreeMap::new() };
        for (name, map) in &reading.pass {
            // What cannot be passed on is missed, and told, by the stream below.
            if let Ok(cell) = self.value(row, map, &mut Vec::new())
                && let Some(text) = cell.show()
            {
                all.insert(name.clone(), text.into_owned());
            }
        }
        if texts {
            self.out.texts.push(fields);
        }
        if below {
            self.out.below.push(all);
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
        let mut unknown = Vec::new();
        let cell = self.value(row, map, &mut unknown)?;
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

    /// The value after its pipes.
    fn value<'r>(
        &self,
        row: Row<'r>,
        map: &FieldMap,
        unknown: &mut Vec<String>,
    ) -> Result<Cell<'r>, (String, String)> {
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
                Source::File(fact) => match (fact, self.reader.file) {
                    (FileFact::Time, Some(file)) => Cell::Time(file.made),
                    (FileFact::Name, Some(file)) => Cell::Text(std::borrow::Cow::Owned(file.name.to_owned())),
                    (_, None) => Cell::Null,
                },
                Source::Page(path) => match row {
                    Row::Tree(root, _) => path.get(root).map_or(Cell::Null, Cell::of_node),
                    Row::Table(..) => Cell::Null,
                },
            }
        };
        let mut cell = look(&map.source);
        for pipe in &map.pipes {
            cell = pipe::apply(pipe, cell, &look, &mut |text| unknown.push(text.to_owned()))
                .map_err(|refused| (refused.found, refused.wanted))?;
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
        Row::Tree(_, chain) => {
            let Some(at) = chain
                .len()
                .checked_sub(1 + path.up())
                .and_then(|index| chain.get(index).copied())
            else {
                return Cell::Null;
            };
            if path.is_list() {
                Cell::List(path.all(at).into_iter().map(Cell::of_node).collect())
            } else {
                path.get(at).map_or(Cell::Null, Cell::of_node)
            }
        }
    }
}
