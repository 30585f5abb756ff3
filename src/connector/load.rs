//! From the text of a connector file to a definition that can be run, with every fault named at its line.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde_json::Value as Json;

use super::definition::{AuthKind, Call, File, PageKind, RecordKind, Snapshot, Stream, Text};
use super::expr::Expr;
use super::path::Path;
use super::pipe::{self, Pipe, Source};
use super::template::{Part, Template};
use crate::problem::{Problem, nearest};

/// A connector file that was read and checked.
#[derive(Debug, Clone)]
pub struct Definition {
    pub file: File,
    /// How each stream reads rows.
    pub streams: BTreeMap<String, Reading>,
    /// File name for messages.
    pub origin: String,
}

/// The compiled map of a stream.
#[derive(Debug, Clone)]
pub struct Reading {
    pub rows: Option<Path>,
    /// One per field of the record, in its order; None where the field is not mapped.
    pub fields: Vec<Option<FieldMap>>,
}

#[derive(Debug, Clone)]
pub struct FieldMap {
    pub source: Source,
    pub pipes: Vec<Pipe>,
}

/// Everything that is wrong with a connector file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for DefinitionError {}

const VERSION: u32 = 1;
const PLACES: [&str; 12] = [
    "from",
    "to",
    "page",
    "size",
    "token",
    "warehouse",
    "report",
    "document",
    "parent",
    "now",
    "start",
    "end",
];

impl Definition {
    /// Reads and checks a connector file.
    ///
    /// # Errors
    /// Every fault at once, unless the file is not even TOML of the right shape: then the first one.
    pub fn parse(origin: &str, text: &str) -> Result<Self, DefinitionError> {
        let file: File = toml::from_str(text).map_err(|error| DefinitionError {
            problems: vec![shape_problem(origin, text, &error)],
        })?;
        let mut check = Check {
            origin,
            text,
            file: &file,
            problems: Vec::new(),
        };
        let streams = check.everything();
        let problems = check.problems;
        if problems.is_empty() {
            Ok(Self {
                file,
                streams,
                origin: origin.to_owned(),
            })
        } else {
            Err(DefinitionError { problems })
        }
    }

    /// Streams that are asked for once per row of this one.
    pub fn children<'a>(&'a self, stream: &'a str) -> impl Iterator<Item = &'a str> {
        self.file
            .stream
            .iter()
            .filter(move |(_, child)| {
                child
                    .parent
                    .as_ref()
                    .is_some_and(|parent| parent.get_ref() == stream)
            })
            .map(|(name, _)| name.as_str())
    }

    /// Streams that stand on their own.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.file
            .stream
            .iter()
            .filter(|(_, stream)| stream.parent.is_none())
            .map(|(name, _)| name.as_str())
    }
}

fn line_of(text: &str, span: Range<usize>) -> String {
    let before = text.get(..span.start).unwrap_or_default();
    format!("line {}", before.matches('\n').count() + 1)
}

/// Serde says "unknown field `x`, expected one of `a`, `b`"; a person wants the nearest of them.
fn shape_problem(origin: &str, text: &str, error: &toml::de::Error) -> Problem {
    let place = error.span().map_or(String::new(), |span| line_of(text, span));
    let message = error.message().trim();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match (message.starts_with("unknown field"), quoted.split_first()) {
        (true, Some((found, known))) => {
            let wanted = match nearest(found, known.iter().copied()) {
                Some(near) => format!("a known key, did you mean `{near}`?"),
                None => format!("one of {}", known.join(", ")),
            };
            Problem::new(origin, place, "key", found, wanted)
        }
        _ => Problem::new(
            origin,
            place,
            "",
            message,
            "a connector file of version 1 (docs/connectors.md)",
        ),
    }
}

struct Check<'a> {
    origin: &'a str,
    text: &'a str,
    file: &'a File,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn say(&mut self, at: Option<&Text>, field: &str, found: &str, wanted: impl Into<String>) {
        let place = at.map_or(String::new(), |text| line_of(self.text, text.span()));
        self.problems
            .push(Problem::new(self.origin, place, field, found, wanted));
    }

    fn name_in<'n>(&mut self, at: &Text, field: &str, known: impl Iterator<Item = &'n str> + Clone) {
        if !known.clone().any(|name| name == at.get_ref()) {
            let wanted = match nearest(at.get_ref(), known.clone()) {
                Some(near) => format!("a name of this file, did you mean `{near}`?"),
                None => format!("one of {}", known.collect::<Vec<_>>().join(", ")),
            };
            self.say(Some(at), field, at.get_ref(), wanted);
        }
    }

    fn everything(&mut self) -> BTreeMap<String, Reading> {
        let file = self.file;
        if file.version != VERSION {
            self.say(
                None,
                "version",
                &file.version.to_string(),
                "1, the version this program reads",
            );
        }
        for (name, limit) in &file.limits {
            if limit.rate.is_nan() || limit.rate <= 0.0 || limit.burst == 0 {
                self.say(
                    None,
                    &format!("limits.{name}"),
                    &format!("{limit:?}"),
                    "a rate and a burst above 0",
                );
            }
        }
        for (name, param) in &file.params {
            if let Some(from) = &param.from
                && !file.params.contains_key(from)
            {
                self.say(
                    None,
                    &format!("params.{name}.from"),
                    from,
                    "the name of another parameter",
                );
            }
        }
        self.name_in(&file.doctor, "doctor", file.stream.keys().map(String::as_str));
        for text in [&file.zone, &file.http.base, &file.http.timeout_seconds] {
            self.template(text, "");
        }
        for text in file
            .http
            .headers
            .values()
            .chain(file.auth.headers.values())
            .chain(file.auth.form.values())
        {
            self.template(text, "");
        }
        if file.auth.kind == AuthKind::RefreshToken {
            match &file.auth.url {
                Some(url) => self.template(url, "auth.url"),
                None => self.say(None, "auth.url", "", "where to ask for an access token"),
            }
            if file.auth.header.is_none() {
                self.say(
                    None,
                    "auth.header",
                    "",
                    "the header that carries the access token",
                );
            }
        }
        for text in [&file.answer.ok, &file.answer.throttled].into_iter().flatten() {
            if let Err(why) = Expr::parse(text.get_ref()) {
                self.say(Some(text), "answer", text.get_ref(), why);
            }
        }
        for text in &file.answer.message {
            if let Err(why) = Path::parse(text.get_ref()) {
                self.say(Some(text), "answer.message", text.get_ref(), why);
            }
        }
        let streams = file
            .stream
            .iter()
            .map(|(name, stream)| (name.clone(), self.stream(name, stream)))
            .collect();
        for test in &file.test {
            self.name_in(
                &test.stream,
                "test.stream",
                file.stream.keys().map(String::as_str),
            );
        }
        streams
    }

    fn template(&mut self, text: &Text, field: &str) {
        match Template::parse(text.get_ref()) {
            Err(why) => self.say(Some(text), field, text.get_ref(), why),
            Ok(template) => {
                for part in template.parts() {
                    self.part(Some(text), field, part);
                }
            }
        }
    }

    fn part(&mut self, at: Option<&Text>, field: &str, part: &Part) {
        let file = self.file;
        let (name, known): (&str, Vec<&str>) = match part {
            Part::Text(_) => return,
            Part::Param(name) => (name, file.params.keys().map(String::as_str).collect()),
            Part::Secret(name) => (name, file.secrets.keys().map(String::as_str).collect()),
            Part::Place(name) if name.starts_with("parent.") => return,
            Part::Place(name) => (name, PLACES.to_vec()),
        };
        if !known.contains(&name) {
            let wanted = match nearest(name, known.iter().copied()) {
                Some(near) => format!("a declared name, did you mean `{near}`?"),
                None => format!("one of {}", known.join(", ")),
            };
            self.say(at, field, name, wanted);
        }
    }

    fn call(&mut self, field: &str, call: &Call) {
        if let Some(limit) = &call.limit {
            let file = self.file;
            self.name_in(
                limit,
                &format!("{field}.limit"),
                file.limits.keys().map(String::as_str),
            );
        }
        for text in std::iter::once(&call.path)
            .chain(call.query.values())
            .chain(call.headers.values())
        {
            self.template(text, field);
        }
        if let Some(body) = &call.body {
            self.body(field, body);
        }
    }

    fn body(&mut self, field: &str, body: &Json) {
        match body {
            Json::String(text) => match Template::parse(text) {
                Err(why) => self.say(None, field, text, why),
                Ok(template) => {
                    for part in template.parts() {
                        self.part(None, field, part);
                    }
                }
            },
            Json::Array(items) => items.iter().for_each(|item| self.body(field, item)),
            Json::Object(fields) => fields.values().for_each(|item| self.body(field, item)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn stream(&mut self, name: &str, stream: &Stream) -> Reading {
        let file = self.file;
        let field = |part: &str| format!("stream.{name}.{part}");
        match (&stream.request, &stream.report) {
            (Some(call), None) => self.call(&field("request"), call),
            (None, Some(report)) => {
                for (part, call) in [
                    ("report.create", &report.create),
                    ("report.poll", &report.poll),
                    ("report.document", &report.document),
                ] {
                    self.call(&field(part), call);
                }
                for path in [
                    &report.id,
                    &report.status,
                    &report.document_id,
                    &report.url,
                    &report.compression,
                ] {
                    self.path(&field("report"), path);
                }
            }
            _ => self.say(None, &field("request"), "", "either `request` or `report`"),
        }
        if let Some(parent) = &stream.parent {
            self.name_in(parent, &field("parent"), file.stream.keys().map(String::as_str));
        }
        if (stream.record == RecordKind::Stock) != stream.warehouse.is_some() {
            self.say(
                None,
                &field("warehouse"),
                "",
                "set for stock and only there: the provider's code, or `*` for one run per warehouse",
            );
        }
        if (stream.record == RecordKind::Stock) != (stream.snapshot == Snapshot::Complete) {
            self.say(
                None,
                &field("snapshot"),
                "",
                "`complete` for stock, `partial` for everything else",
            );
        }
        if let Some(cursor) = &stream.cursor {
            for text in [&cursor.start_days, &cursor.format, &cursor.zone] {
                self.template(text, &field("cursor"));
            }
            if cursor.window_days == 0 {
                self.say(None, &field("cursor.window_days"), "0", "at least 1");
            }
        }
        match stream.page.kind {
            PageKind::None => {}
            PageKind::Token => match &stream.page.next {
                Some(next) => drop(self.path(&field("page.next"), next)),
                None => self.say(None, &field("page.next"), "", "the path of the next page's token"),
            },
            PageKind::Number => {
                match &stream.page.total {
                    Some(total) => drop(self.path(&field("page.total"), total)),
                    None => self.say(None, &field("page.total"), "", "the path of the number of rows"),
                }
                if stream.page.size.is_none_or(|size| size == 0) {
                    self.say(None, &field("page.size"), "", "the number of rows per page");
                }
            }
        }
        for encoding in &stream.decode.encoding {
            if encoding_rs::Encoding::for_label(encoding.get_ref().as_bytes()).is_none() {
                self.say(
                    Some(encoding),
                    &field("decode.encoding"),
                    encoding.get_ref(),
                    "the name of an encoding such as utf-8, iso-8859-1, gbk",
                );
            }
        }
        if let Some(only) = &stream.only {
            self.template(only, &field("only"));
        }
        let rows = stream
            .rows
            .as_ref()
            .and_then(|rows| self.path(&field("rows"), rows));
        self.map(name, stream, rows)
    }

    fn path(&mut self, field: &str, text: &Text) -> Option<Path> {
        Path::parse(text.get_ref())
            .map_err(|why| self.say(Some(text), field, text.get_ref(), why))
            .ok()
    }

    fn map(&mut self, name: &str, stream: &Stream, rows: Option<Path>) -> Reading {
        let known = stream.record.fields();
        for (field, text) in &stream.map {
            if !known.iter().any(|known| known.name == field) {
                let names = known.iter().map(|field| field.name);
                let wanted = match nearest(field, names.clone()) {
                    Some(near) => format!("a field of the record, did you mean `{near}`?"),
                    None => format!("one of {}", names.collect::<Vec<_>>().join(", ")),
                };
                self.say(Some(text), &format!("stream.{name}.map"), field, wanted);
            }
        }
        let fields = known
            .iter()
            .map(|field| {
                let place = format!("stream.{name}.map.{}", field.name);
                let Some(text) = stream.map.get(field.name) else {
                    if field.required {
                        self.say(None, &place, "", "a path: the record cannot be without it");
                    }
                    return None;
                };
                let mut parts = pipe::split_outside_quotes(text.get_ref(), '|').into_iter();
                let source = Source::parse(&parts.next().unwrap_or_default());
                let pipes: Result<Vec<Pipe>, String> = parts.map(|part| pipe::parse(&part)).collect();
                match (source, pipes) {
                    (Ok(source), Ok(pipes)) => Some(FieldMap { source, pipes }),
                    (Err(why), _) | (_, Err(why)) => {
                        self.say(Some(text), &place, text.get_ref(), why);
                        None
                    }
                }
            })
            .collect();
        Reading { rows, fields }
    }
}
