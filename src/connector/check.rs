//! Checks of a connector file that its shape does not tell: names that must exist, texts that must compile.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::definition::{AuthKind, Call, File, Text};
use super::expr::Expr;
use super::load::{Reading, line_of};
use super::path::Path;
use super::template::{Part, Template};
use crate::problem::{Problem, nearest};

mod map;
mod stream;

const VERSION: u32 = 1;
const PLACES: [&str; 14] = [
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
            Part::Place(name) if name.starts_with("parent.") || name.starts_with("each.") => return,
            Part::Place(name) => (name, PLACES.to_vec()),
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

    pub(super) fn call(&mut self, field: &str, call: &Call) {
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
}
