//! Checks of a connector file that its shape does not tell: names that must exist, texts that must compile.

use std::collections::BTreeMap;

use super::check_access;
use super::definition::{File, Text};
use super::load::Reading;
use super::template::{Part, Template};
use crate::declared::{locate, place_at, within};
use crate::problem::{Problem, nearest};

#[cfg(test)]
mod faults;
mod files;
mod map;
mod stream;
mod write;

const VERSION: u32 = 1;
const PLACES: [&str; 15] = [
    "reference",
    "from",
    "to",
    "page",
    "size",
    "offset",
    "token",
    "after",
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
    /// What `{each.…}` and `{parent.…}` may name in the stream that is looked at; outside of streams, in any.
    pub asked: Vec<String>,
    pub problems: Vec<Problem>,
    /// Places that are known besides the usual ones.
    pub extra: &'static [&'static str],
}

impl Check<'_> {
    pub(super) fn say(&mut self, at: Option<&Text>, field: &str, found: &str, wanted: impl Into<String>) {
        // A value by default stands nowhere.
        let place = match at.map(|text| text.span()).filter(|span| !span.is_empty()) {
            Some(span) => {
                let spot = if found.is_empty() || at.is_some_and(|text| text.get_ref() == found) {
                    None
                } else {
                    within(self.text, span.clone(), found)
                };
                place_at(self.text, spot.unwrap_or(span.start))
            }
            None => locate(self.text, field, found),
        };
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
        self.one_origin();
        let http = file.http();
        if http.parallel == Some(0) {
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
        for text in [&file.zone, &http.base, &http.timeout_seconds] {
            self.template(text, "");
        }
        for text in http.headers.values() {
            self.template(text, "");
        }
        self.asked = file
            .stream
            .values()
            .flat_map(|stream| self.asked_with(stream))
            .collect();
        self.access();
        let streams = file
            .stream
            .iter()
            .map(|(name, stream)| (name.clone(), self.stream(name, stream)))
            .collect();
        for (name, write) in &file.write {
            self.write(name, write);
        }
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
            Part::Place(name) if name.starts_with("parent.") || name.starts_with("each.") => {
                (name, self.asked.iter().map(String::as_str).collect())
            }
            part if check_access::of_request(part) => return,
            Part::Place(name) => (
                name,
                [&PLACES[..], &check_access::PLACES[..], self.extra].concat(),
            ),
        };
        if !known.contains(&name) {
            let wanted = declared_name(name, &known);
            self.say(at, field, name, wanted);
        }
    }
}

/// The nearest of the declared names, or all there are.
fn declared_name(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("a declared name, did you mean `{near}`?"),
        None if known.is_empty() => "a declared name; none is declared".to_owned(),
        None => format!("a declared name; there are {}", known.join(", ")),
    }
}
