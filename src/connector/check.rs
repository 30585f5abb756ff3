//! Checks of a connector file that its shape does not tell: names that must exist, texts that must compile.

use std::collections::BTreeMap;

use super::check_access;
use super::definition::{File, PageKind, RecordKind, Snapshot, Stream, Text};
use super::load::{FieldMap, Reading, line_of};
use super::path::Path;
use super::pipe::{self, Pipe, Source};
use super::template::{Part, Template};
use crate::problem::{Problem, nearest};

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

pub(super) struct Check<'a> {
    pub origin: &'a str,
    pub text: &'a str,
    pub file: &'a File,
    pub problems: Vec<Problem>,
}

impl Check<'_> {
    pub(super) fn say(&mut self, at: Option<&Text>, field: &str, found: &str, wanted: impl Into<String>) {
        let place = at.map_or(String::new(), |text| line_of(self.text, text.span()));
        self.problems
            .push(Problem::new(self.origin, place, field, found, wanted));
    }

    pub(super) fn name_in<'n>(
        &mut self,
        at: &Text,
        field: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        if !known.clone().any(|name| name == at.get_ref()) {
            let wanted = match nearest(at.get_ref(), known.clone()) {
                Some(near) => format!("a name of this file, did you mean `{near}`?"),
                None => format!("one of {}", known.collect::<Vec<_>>().join(", ")),
            };
            self.say(Some(at), field, at.get_ref(), wanted);
        }
    }

    pub fn everything(&mut self) -> BTreeMap<String, Reading> {
        let file = self.file;
        if file.version != VERSION {
            self.say(
                None,
                "version",
                &file.version.to_string(),
                "1, the version this program reads",
            );
        }
        if file.http.parallel == Some(0) {
            self.say(None, "http.parallel", "0", "at least 1, or nothing at all");
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
        for text in file.http.headers.values() {
            self.template(text, "");
        }
        self.access();
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

    pub(super) fn template(&mut self, text: &Text, field: &str) {
        match Template::parse(text.get_ref()) {
            Err(why) => self.say(Some(text), field, text.get_ref(), why),
            Ok(template) => {
                for part in template.parts() {
                    self.part(Some(text), field, part);
                }
            }
        }
    }

    pub(super) fn part(&mut self, at: Option<&Text>, field: &str, part: &Part) {
        let file = self.file;
        let (name, known): (&str, Vec<&str>) = match part {
            Part::Text(_) => return,
            Part::Param(name) => (name, file.params.keys().map(String::as_str).collect()),
            Part::Secret(name) => (name, file.secrets.keys().map(String::as_str).collect()),
            Part::Place(name) if name.starts_with("parent.") => return,
            part if check_access::of_request(part) => return,
            Part::Place(name) => (name, [&PLACES[..], &check_access::PLACES[..]].concat()),
        };
        if !known.contains(&name) {
            let wanted = match nearest(name, known.iter().copied()) {
                Some(near) => format!("a declared name, did you mean `{near}`?"),
                None if known.is_empty() => "a declared name; none is declared".to_owned(),
                None => format!("one of {}", known.join(", ")),
            };
            self.say(at, field, name, wanted);
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
                Some(next) => {
                    self.path(&field("page.next"), next);
                }
                None => self.say(None, &field("page.next"), "", "the path of the next page's token"),
            },
            PageKind::Number => {
                match &stream.page.total {
                    Some(total) => {
                        self.path(&field("page.total"), total);
                    }
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
                    (Ok(source), Ok(pipes)) => {
                        self.source(stream, text, &place, &source);
                        Some(FieldMap { source, pipes })
                    }
                    (Err(why), _) | (_, Err(why)) => {
                        self.say(Some(text), &place, text.get_ref(), why);
                        None
                    }
                }
            })
            .collect();
        Reading { rows, fields }
    }

    /// A parameter must be declared, a parent's field must be one of its record.
    fn source(&mut self, stream: &Stream, text: &Text, place: &str, source: &Source) {
        let file = self.file;
        let (name, known): (&str, Vec<&str>) = match source {
            Source::Path(_) | Source::Page(_) | Source::Literal(_) => return,
            Source::Param(name) => (name, file.params.keys().map(String::as_str).collect()),
            Source::Parent(name) => {
                let parent = stream
                    .parent
                    .as_ref()
                    .and_then(|parent| file.stream.get(parent.get_ref()));
                let fields = parent.map_or(&[][..], |parent| parent.record.fields());
                (name, fields.iter().map(|field| field.name).collect())
            }
        };
        if !known.contains(&name) {
            let wanted = match nearest(name, known.iter().copied()) {
                Some(near) => format!("a declared name, did you mean `{near}`?"),
                None if known.is_empty() => "a declared name; none is declared".to_owned(),
                None => format!("a declared name; there are {}", known.join(", ")),
            };
            self.say(Some(text), place, name, wanted);
        }
    }
}
