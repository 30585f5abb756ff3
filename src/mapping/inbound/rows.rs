//! Recognises a file and reads its records.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Document;
use super::definition::{FieldType, Format, Inbound, InboundKind, Source};
use super::document::shown;
use crate::calendar::instant_of;
use crate::mapping::table::{date_from, day_and_time, decimal_from, half_width, int_from};
use crate::mapping::xml::tree::Node;
use crate::problem::Problem;

/// One fact record: its facts as canonical texts (RFC 3339, ISO days, plain numbers).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `line 7`, `item 2`; empty when the file is one record.
    pub place: String,
    pub facts: BTreeMap<String, String>,
}

impl Record {
    #[must_use]
    pub fn get(&self, fact: &str) -> Option<&str> {
        self.facts.get(fact).map(String::as_str)
    }

    #[must_use]
    pub fn int(&self, fact: &str) -> Option<i64> {
        self.get(fact)?.parse().ok()
    }

    #[must_use]
    pub fn instant(&self, fact: &str) -> Option<DateTime<Utc>> {
        self.get(fact)?.parse().ok()
    }
}

/// What one mapping read from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// `huatuo-booking-confirmation@1`
    pub mapping: String,
    pub kind: String,
    pub records: Vec<Record>,
    pub problems: Vec<Problem>,
}

impl Reading {
    #[must_use]
    pub fn is(&self, kind: InboundKind) -> bool {
        self.kind == kind.code()
    }
}

const MAX_RECORDS: usize = 50_000;
/// A title and a date may stand above the header; further down it is data.
const HEADER_WITHIN_ROWS: usize = 20;
const MAX_TEXT_CHARS: usize = 500;
const MAX_CODE_CHARS: usize = 80;

/// Texts of one row by the place they stand in.
type Found<'d> = Box<dyn Fn(&str) -> Option<String> + 'd>;

impl Inbound {
    /// Reads the file, or `None` when it is not what this mapping is for.
    #[must_use]
    pub fn read(&self, document: &Document<'_>, zone: Tz) -> Option<Reading> {
        let rows = self.rows(document)?;
        let zone = self.zone.unwrap_or(zone);
        let mut reading = Reading {
            mapping: format!("{}@{}", self.id, self.version),
            kind: self.kind.code().to_owned(),
            records: Vec::new(),
            problems: Vec::new(),
        };
        let mut mine = false;
        for (place, found) in rows.into_iter().take(MAX_RECORDS) {
            let said = |at: &str, words: &Vec<String>| {
                found(at).is_some_and(|text| words.is_empty() || words.iter().any(|word| same(word, &text)))
            };
            if !self.when.iter().all(|(at, words)| said(at, words)) {
                continue;
            }
            mine = true;
            match self.record(document.name(), &place, &found, zone) {
                Ok(facts) => reading.records.push(Record { place, facts }),
                Err(problems) => reading.problems.extend(problems),
            }
        }
        mine.then_some(reading)
    }

    fn record(
        &self,
        file: &str,
        place: &str,
        found: &Found<'_>,
        zone: Tz,
    ) -> Result<BTreeMap<String, String>, Vec<Problem>> {
        let mut facts = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, kind, needed) in self.kind.fields() {
            let Some(source) = self.fields.get(*name) else {
                continue;
            };
            let raw = first(source, found);
            match raw {
                None if *needed => {
                    problems.push(Problem::new(file, place, *name, "", wanted(*kind)));
                }
                None => {}
                Some(raw) => {
                    let raw = source
                        .map
                        .iter()
                        .find(|(word, _)| same(word, &raw))
                        .map_or(raw.clone(), |(_, ours)| ours.clone());
                    match value(*kind, &raw, zone) {
                        Some(value) => {
                            facts.insert((*name).to_owned(), value);
                        }
                        None => problems.push(Problem::new(file, place, *name, raw, wanted(*kind))),
                    }
                }
            }
        }
        if problems.is_empty() {
            Ok(facts)
        } else {
            Err(problems)
        }
    }

    /// The rows of the file, when it has the layout of this mapping.
    fn rows<'d>(&'d self, document: &'d Document<'_>) -> Option<Vec<(String, Found<'d>)>> {
        match self.format {
            Format::Table => self.table_rows(document),
            Format::Json => self.json_rows(document.json()?),
            Format::Xml => self.xml_rows(document.xml()?.ok()?),
            Format::Text => self.text_row(document.text()?),
        }
    }

    /// Facts every record of this kind has, and the conditions, must have their place in the layout.
    fn needs(&self) -> impl Iterator<Item = Vec<&str>> {
        let facts = self
            .kind
            .fields()
            .iter()
            .filter(|(_, _, needed)| *needed)
            .filter_map(|(name, _, _)| self.fields.get(*name))
            .map(|source| source.from.iter().map(String::as_str).collect());
        facts.chain(self.when.keys().map(|at| vec![at.as_str()]))
    }

    fn table_rows<'d>(&'d self, document: &'d Document<'_>) -> Option<Vec<(String, Found<'d>)>> {
        let table = document.table().ok()?;
        let rows: Vec<(usize, &[String])> = table.raw_rows().collect();
        let (header, heads) =
            rows.iter()
                .take(HEADER_WITHIN_ROWS)
                .enumerate()
                .find_map(|(at, (_, cells))| {
                    let mut heads: BTreeMap<String, usize> = BTreeMap::new();
                    for (column, cell) in cells.iter().enumerate() {
                        heads.entry(fold(cell)).or_insert(column);
                    }
                    let all = self
                        .needs()
                        .all(|any| any.iter().any(|head| heads.contains_key(&fold(head))));
                    all.then_some((at, heads))
                })?;
        let heads = std::rc::Rc::new(heads);
        Some(
            rows.into_iter()
                .skip(header + 1)
                .map(|(number, cells)| {
                    let heads = std::rc::Rc::clone(&heads);
                    let found: Found<'d> = Box::new(move |head| {
                        let cell = cells.get(*heads.get(&fold(head))?)?.trim();
                        (!cell.is_empty()).then(|| cell.to_owned())
                    });
                    (table.place(number, None), found)
                })
                .collect(),
        )
    }

    fn json_rows<'d>(&'d self, root: &'d Value) -> Option<Vec<(String, Found<'d>)>> {
        let rows: Vec<&Value> = match at_path(root, &self.rows)? {
            Value::Array(rows) => rows.iter().collect(),
            one => vec![one],
        };
        let has = |row: &Value| {
            row.is_object()
                && self
                    .needs()
                    .all(|any| any.iter().any(|path| at_path(row, path).is_some()))
        };
        if !rows.first().is_some_and(|row| has(row)) {
            return None;
        }
        let many = rows.len() > 1;
        Some(
            rows.into_iter()
                .enumerate()
                .map(|(number, row)| {
                    let found: Found<'d> = Box::new(move |path| json_text(at_path(row, path)?));
                    (place_of(many, number), found)
                })
                .collect(),
        )
    }

    fn xml_rows<'d>(&'d self, root: &'d Node) -> Option<Vec<(String, Found<'d>)>> {
        // The path names the root too: another document with the same parts is not taken for this one.
        let (first, rest) = self.rows.split_once('/').unwrap_or((self.rows.as_str(), ""));
        if local(&root.name) != first {
            return None;
        }
        let rows = xml_nodes(root, rest);
        let has = |row: &Node| {
            self.needs()
                .all(|any| any.iter().any(|path| !xml_nodes(row, path).is_empty()))
        };
        if !rows.first().is_some_and(|row| has(row)) {
            return None;
        }
        let many = rows.len() > 1;
        Some(
            rows.into_iter()
                .enumerate()
                .map(|(number, row)| {
                    let found: Found<'d> = Box::new(move |path| {
                        let text = xml_nodes(row, path).first()?.text.trim().to_owned();
                        (!text.is_empty()).then_some(text)
                    });
                    (place_of(many, number), found)
                })
                .collect(),
        )
    }

    fn text_row<'d>(&'d self, text: &'d str) -> Option<Vec<(String, Found<'d>)>> {
        let found = move |start: &str| -> Option<String> {
            let said = if start == "*" {
                let rest: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
                rest.join(" ").trim().to_owned()
            } else {
                text.lines()
                    .find_map(|line| line.trim().strip_prefix(start))?
                    .trim()
                    .to_owned()
            };
            (!said.is_empty()).then_some(said)
        };
        // The first line must be one of theirs; anything could follow in a letter.
        let begins = self
            .fields
            .values()
            .flat_map(|source| &source.from)
            .any(|start| start != "*" && text.trim_start().starts_with(start.as_str()));
        let all = self
            .needs()
            .all(|any| any.iter().any(|start| found(start).is_some()));
        (begins && all).then(|| vec![(String::new(), Box::new(found) as Found<'d>)])
    }
}

fn place_of(many: bool, number: usize) -> String {
    if many {
        format!("item {}", number + 1)
    } else {
        String::new()
    }
}

fn first(source: &Source, found: &Found<'_>) -> Option<String> {
    source.from.iter().find_map(|at| found(at))
}

fn same(word: &str, text: &str) -> bool {
    fold(word) == fold(text)
}

/// Full-width letters, case, blanks, `_` and `-` do not tell words apart.
fn fold(text: &str) -> String {
    half_width(text)
        .to_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '*'))
        .collect()
}

fn at_path<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .filter(|step| !step.is_empty())
        .try_fold(value, |value, step| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => value.get(step),
        })
}

fn json_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn local(name: &str) -> &str {
    name.rsplit('}').next().unwrap_or(name)
}

fn xml_nodes<'n>(node: &'n Node, path: &str) -> Vec<&'n Node> {
    path.split('/')
        .filter(|step| !step.is_empty())
        .fold(vec![node], |nodes, step| {
            nodes
                .into_iter()
                .flat_map(|node| {
                    node.children
                        .iter()
                        .filter(move |child| local(&child.name) == step)
                })
                .collect()
        })
}

fn wanted(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "a text",
        FieldType::Code => "a number or code of at most 80 characters",
        FieldType::Int => "a whole number of 0 or more",
        FieldType::Decimal => "a number",
        FieldType::Day => "a date like 2026-11-22",
        FieldType::Instant => "a time like 2026-11-22 10:30",
    }
}

/// The canonical text of a fact.
fn value(kind: FieldType, raw: &str, zone: Tz) -> Option<String> {
    match kind {
        FieldType::Text => Some(shown(raw, MAX_TEXT_CHARS)),
        FieldType::Code => {
            let code = half_width(raw);
            let sound = code.chars().count() <= MAX_CODE_CHARS && !code.chars().any(char::is_control);
            (sound && !code.is_empty()).then_some(code)
        }
        FieldType::Int => int_from(raw).filter(|n| *n >= 0).map(|n| n.to_string()),
        FieldType::Decimal => decimal_from(raw).map(|n| n.to_string()),
        FieldType::Day => date_from(raw).map(|day| day.to_string()),
        FieldType::Instant => instant(raw, zone).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
    }
}

fn instant(raw: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(raw) {
        return Some(at.with_timezone(&Utc));
    }
    // Customs systems write 20260504T021000 without marks: format 304 of UN/EDIFACT 2379.
    if let Ok(at) = NaiveDateTime::parse_from_str(raw.trim_end_matches('Z'), "%Y%m%d%H%M%S") {
        return Some(if raw.ends_with('Z') {
            at.and_utc()
        } else {
            instant_of(at.date(), at.time(), zone)
        });
    }
    let (local, offset) = day_and_time(raw)?;
    Some(match offset {
        Some(seconds) => (local - Duration::seconds(i64::from(seconds))).and_utc(),
        None => instant_of(local.date(), local.time(), zone),
    })
}
