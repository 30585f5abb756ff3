//! Checks of who asks, how and how often.

use serde_json::Value as Json;

use super::bucket::Pace;
use super::check::Check;
use super::definition::{AuthKind, Call, Fields, Names, Rule, Sign, SignKind, Text};
use super::expr::Expr;
use super::path::Path;
use super::template::{Part, Template};
use toml::Spanned;

/// Places that only the access part fills.
pub(super) const PLACES: [&str; 6] = [
    "timestamp",
    "nonce",
    "access_token",
    "refresh_token",
    "json",
    "body",
];

impl Check<'_> {
    pub fn access(&mut self) {
        let file = self.file;
        self.auth();
        for (name, limit) in &file.limits {
            if let Err(wanted) = Pace::of(limit) {
                self.say(None, &format!("limits.{name}"), "", wanted);
            }
            if let Some(zone) = &limit.zone {
                self.template(zone, &format!("limits.{name}.zone"));
            }
        }
        self.stamp();
        for (index, sign) in file.sign.iter().enumerate() {
            self.sign(&format!("sign[{}]", index + 1), sign);
        }
        if let Some(soap) = &file.soap {
            self.fields("soap.fields", &soap.fields);
            if !is_xml_name(&soap.operation) {
                self.say(
                    None,
                    "soap.operation",
                    &soap.operation,
                    "the name of an XML element",
                );
            }
        }
        if file.retry.attempts == 0 {
            self.say(None, "retry.attempts", "0", "at least 1, the first one counted");
        }
        for text in [&file.answer.ok, &file.answer.throttled].into_iter().flatten() {
            self.condition("answer", text);
        }
        for text in &file.answer.message {
            if let Err(why) = Path::parse(text.get_ref()) {
                self.say(Some(text), "answer.message", text.get_ref(), why);
            }
        }
        for test in &file.request_test {
            match (&test.stream, &test.write) {
                (Some(stream), None) => {
                    let known = file.stream.keys().map(String::as_str);
                    self.name_in(stream, "request_test.stream", known);
                }
                (None, Some(write)) => {
                    let known = file.write.keys().map(String::as_str);
                    self.name_in(write, "request_test.write", known);
                }
                _ => self.say(None, "request_test", &test.name, "either `stream` or `write`"),
            }
        }
        for (index, rule) in file.answer.rules.iter().enumerate() {
            self.rule(&format!("answer.rules[{}]", index + 1), rule);
        }
    }

    pub(super) fn condition(&mut self, field: &str, text: &Text) {
        if let Err(why) = Expr::parse(text.get_ref()) {
            self.say(Some(text), field, text.get_ref(), why);
        }
    }

    fn rule(&mut self, field: &str, rule: &Rule) {
        if let Some(when) = &rule.when {
            self.condition(&format!("{field}.when"), when);
        }
        if rule.status.is_empty() && rule.header.is_empty() && rule.text.is_empty() && rule.when.is_none() {
            self.say(
                None,
                field,
                "",
                "a `status`, `header`, `text` or `when`: it would hold for every answer",
            );
        }
    }

    fn auth(&mut self) {
        let auth = &self.file.auth;
        for text in auth.headers.values().chain(auth.request_headers.values()) {
            self.template(text, "auth.headers");
        }
        self.fields("auth.query", &auth.query);
        for (name, json) in [("auth.body", &auth.body), ("auth.json", &auth.json)] {
            if let Some(json) = json {
                self.json(name, json);
            }
        }
        if let Some(form) = &auth.form {
            self.fields("auth.form", form);
        }
        if let Some(basic) = &auth.basic {
            self.template(&basic.user, "auth.basic.user");
            self.template(&basic.password, "auth.basic.password");
        } else if auth.kind == AuthKind::Basic {
            self.say(None, "auth.basic", "", "`{ user = …, password = … }`");
        }
        if let Some(when) = auth.expired.as_ref().and_then(|expired| expired.when.as_ref()) {
            self.condition("auth.expired.when", when);
        }
        if let Some(rule) = &auth.expired
            && rule.status.is_empty()
            && rule.text.is_empty()
            && rule.when.is_none()
        {
            self.say(
                None,
                "auth.expired",
                "",
                "a `status`, `text` or `when`: it would hold for every answer",
            );
        }
        if auth.kind.asks() {
            match &auth.url {
                Some(url) => self.template(url, "auth.url"),
                None => self.say(None, "auth.url", "", "where to ask for a token"),
            }
            for path in [&auth.answer.token, &auth.answer.life]
                .into_iter()
                .chain(&auth.answer.message)
            {
                if let Err(why) = Path::parse(path) {
                    self.say(None, "auth.answer", path, why);
                }
            }
            if let Some(ok) = &auth.answer.ok {
                self.condition("auth.answer.ok", ok);
            }
            if auth.form.is_some() && auth.json.is_some() {
                self.say(None, "auth.json", "", "either `form` or `json`");
            }
            let mut texts: Vec<String> = auth.headers.values().map(|text| text.get_ref().clone()).collect();
            texts.extend(auth.query.0.iter().map(|(_, text)| text.get_ref().clone()));
            texts.extend(auth.body.iter().map(Json::to_string));
            texts.extend(
                self.file
                    .soap
                    .iter()
                    .flat_map(|soap| soap.fields.0.iter())
                    .map(|(_, text)| text.get_ref().clone()),
            );
            texts.extend(self.file.sign.iter().map(|sign| sign.key.get_ref().clone()));
            if auth.header.is_none() && !texts.iter().any(|text| text.contains("{access_token}")) {
                self.say(
                    None,
                    "auth.header",
                    "",
                    "the header that carries the token, or `{access_token}` in `headers`, `query` or `body`",
                );
            }
        }
        if let Some(rotating) = &auth.rotating {
            self.template(&rotating.first, "auth.rotating.first");
            if let Err(why) = Path::parse(rotating.next.get_ref()) {
                self.say(
                    Some(&rotating.next),
                    "auth.rotating.next",
                    rotating.next.get_ref(),
                    why,
                );
            }
            let mut sent: Vec<String> = auth
                .form
                .iter()
                .flat_map(|form| &form.0)
                .map(|(_, text)| text.get_ref().clone())
                .collect();
            sent.extend(auth.json.iter().map(Json::to_string));
            if auth.kind != AuthKind::RefreshToken
                || !sent.iter().any(|text| text.contains("{refresh_token}"))
            {
                self.say(
                    Some(&rotating.first),
                    "auth.rotating",
                    "",
                    "`kind = \"refresh_token\"` and `{refresh_token}` in `form` or `json`",
                );
            }
        }
    }

    fn stamp(&mut self) {
        use chrono::format::{Item, StrftimeItems};
        let stamp = &self.file.stamp;
        let format = stamp.timestamp.get_ref().as_str();
        if !["ms", "s", "rfc3339"].contains(&format)
            && (!format.contains('%') || StrftimeItems::new(format).any(|item| matches!(item, Item::Error)))
        {
            self.say(
                Some(&stamp.timestamp),
                "stamp.timestamp",
                format,
                "`ms`, `s`, `rfc3339` or a pattern such as `%Y-%m-%d %H:%M:%S`",
            );
        }
        self.template(&stamp.zone, "stamp.zone");
    }

    fn sign(&mut self, field: &str, sign: &Sign) {
        let into = sign.into.get_ref();
        let good = into
            .split_once('.')
            .is_some_and(|(place, name)| ["query", "header", "body"].contains(&place) && !name.is_empty());
        if !good {
            self.say(
                Some(&sign.into),
                &format!("{field}.into"),
                into,
                "`query.NAME`, `header.NAME` or `body.PATH`",
            );
        }
        self.template(&sign.key, &format!("{field}.key"));
        for part in &sign.parts {
            self.template(part, &format!("{field}.parts"));
        }
        let (needed, parts, fields) = match sign.kind {
            SignKind::Md5Wrap | SignKind::HmacSortedJson => ("parts", sign.parts.is_empty(), false),
            SignKind::AesEcbMd5 => ("fields", false, sign.fields.is_empty()),
            SignKind::BodyMd5 => ("", false, false),
        };
        if parts || fields {
            self.say(
                Some(&sign.into),
                &format!("{field}.{needed}"),
                "",
                "what is signed, in its order",
            );
        }
    }

    pub(super) fn fields(&mut self, field: &str, fields: &Fields) {
        for (_, text) in &fields.0 {
            self.template(text, field);
        }
    }

    fn limits(&mut self, field: &str, limits: &Spanned<Names>) {
        let file = self.file;
        for name in &limits.get_ref().0 {
            let at = Text::new(limits.span(), name.clone());
            self.name_in(
                &at,
                &format!("{field}.limit"),
                file.limits.keys().map(String::as_str),
            );
        }
    }

    pub(super) fn call(&mut self, field: &str, call: &Call) {
        if let Some(limits) = &call.limit {
            self.limits(field, limits);
        }
        for text in std::iter::once(&call.path)
            .chain(call.query.values())
            .chain(call.headers.values())
            .chain(&call.text)
        {
            self.template(text, field);
        }
        if let Some(form) = &call.form {
            self.fields(&format!("{field}.form"), form);
        }
        if let Some(body) = &call.body {
            self.json(&format!("{field}.body"), body);
        }
        if let Some(graphql) = &call.graphql
            && let Some(variables) = &graphql.variables
        {
            self.json(&format!("{field}.graphql.variables"), variables);
        }
        if let Some(soap) = &call.soap {
            self.fields(&format!("{field}.soap"), soap);
            if self.file.soap.is_none() {
                self.say(
                    Some(&call.path),
                    &format!("{field}.soap"),
                    "",
                    "a table `[soap]` with the envelope",
                );
            }
            let own = self.file.soap.iter().flat_map(|own| &own.fields.0);
            let wrong = own.chain(&soap.0).find(|(name, _)| !is_xml_name(name));
            if let Some((name, text)) = wrong {
                self.say(
                    Some(text),
                    &format!("{field}.soap"),
                    name,
                    "the name of an XML element",
                );
            }
        }
        let bodies = [
            call.form.is_some(),
            call.text.is_some(),
            call.graphql.is_some(),
            call.body.is_some() || call.soap.is_some(),
        ];
        if bodies.into_iter().filter(|said| *said).count() > 1 {
            self.say(
                Some(&call.path),
                field,
                "",
                "one of `body`, `form`, `text`, `graphql`, or `soap` with the `body` inside it",
            );
        }
    }

    pub(super) fn json(&mut self, field: &str, body: &Json) {
        match body {
            Json::String(text) => match Template::parse(text) {
                Err(why) => self.say(None, field, text, why),
                Ok(template) => {
                    for part in template.parts() {
                        self.part(None, field, part);
                    }
                }
            },
            Json::Array(items) => items.iter().for_each(|item| self.json(field, item)),
            Json::Object(fields) => fields.values().for_each(|item| self.json(field, item)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

/// Whether the request itself fills this place, in what is signed.
pub(super) fn of_request(part: &Part) -> bool {
    matches!(part, Part::Place(name)
        if ["body", "method", "path"].contains(&name.as_str()) || name.starts_with("body.") || name.starts_with("query."))
}

fn is_xml_name(name: &str) -> bool {
    let mut signs = name.chars();
    signs
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && signs.all(|sign| sign.is_alphanumeric() || "_-.".contains(sign))
}
