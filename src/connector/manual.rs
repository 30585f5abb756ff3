//! What a connector file pulls, asks and needs, in words for the person who has to get the credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration};

use super::definition::{Cursor, CursorKind, Limit, Param, Snapshot, Stream, Text};
use super::forecast::Work;
use super::window::Resume;
use super::{Bound, ConnectorConfig, Definition, Secret};
use crate::ids::SourceId;
use crate::wording::{self, Lang};

/// The whole page.
#[must_use]
pub fn manual(definition: &Definition, lang: Lang) -> String {
    let mut page = Page {
        lang,
        lines: Vec::new(),
    };
    let file = &definition.file;
    page.put("", "title", &[("name", &file.name), ("about", &file.about)]);
    page.lines.push(String::new());
    page.put("", "needs", &[]);
    for (name, secret) in &file.secrets {
        page.put("- ", "secret", &[("name", name), ("about", &secret.about)]);
    }
    for (name, param) in &file.params {
        page.param(name, param);
    }
    if file.stream.values().any(|stream| stream.warehouse.is_some()) {
        page.put("- ", "warehouses", &[]);
    }
    page.lines.push(String::new());
    page.put("", if file.files.is_some() { "reads" } else { "calls" }, &[]);
    if let Some(files) = &file.files {
        let folder = page.shown(definition, &files.folder);
        page.put("- ", "folder", &[("folder", &folder)]);
    }
    let hosts = file
        .http
        .iter()
        .map(|http| &http.base)
        .chain(&file.auth.url)
        .map(|text| page.shown(definition, text));
    for host in hosts.chain(file.http().hosts.iter().cloned()).collect::<Vec<_>>() {
        page.put("- ", "host", &[("host", &host)]);
    }
    for (name, limit) in &file.limits {
        let pace = page.pace(limit);
        page.put("- ", "limit", &[("name", name), ("pace", &pace)]);
    }
    let zone = page.shown(definition, &file.zone);
    page.put("- ", "zone", &[("zone", &zone)]);
    let doctor = if file.files.is_some() {
        "doctor.file"
    } else {
        "doctor"
    };
    page.put("- ", doctor, &[("stream", file.doctor.get_ref())]);
    page.lines.push(String::new());
    page.put("", "pulls", &[]);
    let bound = pretended(definition);
    for (name, stream) in &file.stream {
        page.stream(name, stream, definition);
        if let Some(bound) = &bound {
            page.takes(bound, name, stream);
        }
    }
    page.lines.join("\n") + "\n"
}

struct Page {
    lang: Lang,
    lines: Vec<String>,
}

impl Page {
    fn say(&self, key: &str, places: &[(&str, &str)]) -> String {
        wording::text(self.lang, &format!("connector.{key}"), places)
    }

    fn put(&mut self, before: &str, key: &str, places: &[(&str, &str)]) {
        let line = format!("{before}{}", self.say(key, places));
        self.lines.push(line);
    }

    fn param(&mut self, name: &str, param: &Param) {
        let about = ("about", param.about.as_str());
        match (&param.from, &param.default) {
            (Some(from), _) => self.put("- ", "param.from", &[("name", name), ("from", from), about]),
            (None, Some(default)) => {
                self.put(
                    "- ",
                    "param.default",
                    &[("name", name), ("default", default), about],
                );
            }
            (None, None) => self.put("- ", "param", &[("name", name), about]),
        }
    }

    /// A text with the defaults of parameters put in; what has none stays `NAME`.
    fn shown(&self, definition: &Definition, text: &Text) -> String {
        let mut shown = text.get_ref().clone();
        for (name, param) in &definition.file.params {
            // Not known before the configuration gives it: the parameter by its name, which is told above.
            let value = param.default.clone().unwrap_or_else(|| format!("{{{name}}}"));
            shown = shown.replace(&format!("${{param:{name}}}"), &value);
        }
        shown
    }

    fn pace(&self, limit: &Limit) -> String {
        let number = |number: Option<u32>| number.unwrap_or_default().to_string();
        if let Some(rate) = limit.rate {
            let places = [("rate", rate.to_string()), ("burst", number(limit.burst))];
            return self.say(
                "pace.rate",
                &places.each_ref().map(|(name, text)| (*name, text.as_str())),
            );
        }
        if limit.requests.is_some() {
            let (requests, seconds) = (number(limit.requests), number(limit.seconds));
            return self.say("pace.requests", &[("requests", &requests), ("seconds", &seconds)]);
        }
        if limit.per_day.is_some() {
            return self.say("pace.daily", &[("requests", &number(limit.per_day))]);
        }
        self.say("pace.cost", &[])
    }

    fn stream(&mut self, name: &str, stream: &Stream, definition: &Definition) {
        let record = self.say(&format!("record.{}", stream.record.word()), &[]);
        self.lines.push(format!("- {name}: {record}"));
        let kind = match stream.snapshot {
            Snapshot::Complete => "complete",
            Snapshot::Partial => "partial",
        };
        self.put("  - ", kind, &[]);
        if let Some(names) = &stream.file {
            let names: Vec<String> = names.0.iter().map(|name| self.shown(definition, name)).collect();
            self.put("  - ", "file", &[("names", &names.join(" | "))]);
            for (declared, others) in &stream.alias {
                self.put(
                    "  - ",
                    "heads",
                    &[("name", declared), ("others", &others.join(", "))],
                );
            }
        }
        if stream.report.is_some() {
            self.put("  - ", "report", &[]);
        }
        if let Some(parent) = &stream.parent {
            self.put("  - ", "parent", &[("parent", parent.get_ref())]);
        }
        if let Some(cursor) = &stream.cursor {
            self.cursor(cursor, definition);
        }
        if stream.parent.is_none() {
            self.put("  - ", "age", &[("hours", &stream.max_age_hours.to_string())]);
        }
        let names: Vec<&str> = stream.pii.iter().map(|name| name.get_ref().as_str()).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            match &stream.keep_pii {
                Some(keep) => self.put("  - ", "pii.kept", &[("names", &names), ("keep", keep.get_ref())]),
                None => self.put("  - ", "pii", &[("names", &names)]),
            }
        }
    }

    fn cursor(&mut self, cursor: &Cursor, definition: &Definition) {
        if cursor.kind == CursorKind::Id {
            self.put("  - ", "ascending", &[]);
            return;
        }
        let window = match (cursor.window_days, cursor.window_hours) {
            (Some(days), _) => self.say("days", &[("n", &days.to_string())]),
            (None, hours) => self.say("hours", &[("n", &hours.unwrap_or_default().to_string())]),
        };
        if let Some(days) = &cursor.start_days {
            let days = self.shown(definition, days);
            self.put("  - ", "first", &[("days", &days), ("window", &window)]);
        }
        if cursor.lookback_hours > 0 {
            let hours = cursor.lookback_hours.to_string();
            self.put("  - ", "lookback", &[("hours", &hours)]);
        }
        if cursor.hold_back_minutes > 0 {
            let minutes = cursor.hold_back_minutes.to_string();
            self.put("  - ", "hold_back", &[("minutes", &minutes)]);
        }
    }

    /// How many calls the first pull makes and how long its limits make it take, as far as the file tells.
    fn takes(&mut self, bound: &Bound, name: &str, stream: &Stream) {
        let work = Work {
            windows: first_windows(bound, stream),
            ..Work::default()
        };
        let Some(forecast) = bound.forecast(name, work) else {
            return;
        };
        let calls = forecast.calls_in_words();
        if stream.parent.is_some() {
            self.put("  - ", "takes.row", &[("calls", &calls)]);
            return;
        }
        let time = if forecast.takes < Duration::minutes(1) {
            self.say("soon", &[])
        } else {
            let minutes = (forecast.takes.num_seconds() + 59) / 60;
            self.say("minutes", &[("n", &minutes.to_string())])
        };
        self.put("  - ", "takes", &[("calls", &calls), ("time", &time)]);
    }
}

/// A source as it would be with every default, so that its calls can be counted; None when the file leaves too much open.
fn pretended(definition: &Definition) -> Option<Bound> {
    let file = &definition.file;
    let mut params = BTreeMap::new();
    for (name, param) in &file.params {
        if param.default.is_none() && param.from.is_none() {
            // A value that the parameters which follow from it know.
            let known = file
                .params
                .values()
                .filter(|other| other.from.as_ref() == Some(name))
                .find_map(|other| other.values.keys().next());
            let value = known.map_or(if name == "zone" { "UTC" } else { "0" }, String::as_str);
            params.insert(name.clone(), value.to_owned());
        }
    }
    let secrets = file
        .secrets
        .keys()
        .map(|name| (name.clone(), Secret::new("none")))
        .collect();
    let warehouses = file
        .stream
        .values()
        .filter_map(|stream| stream.warehouse.as_ref())
        .map(|code| code.get_ref().as_str())
        .map(|code| if code == "*" { "ONE" } else { code })
        .filter_map(|code| Some((code.to_owned(), "none:ONE".parse().ok()?)))
        .collect();
    let config = ConnectorConfig {
        id: SourceId::new("none").ok()?,
        definition: Arc::new(definition.clone()),
        params,
        secrets,
        warehouses,
    };
    Bound::new(&config).ok()
}

/// The windows a first pull asks for. Any day will do: only their number counts.
fn first_windows(bound: &Bound, stream: &Stream) -> u64 {
    let days = stream
        .cursor
        .as_ref()
        .and_then(|cursor| cursor.start_days.as_ref())
        .and_then(|days| bound.given.fill_text(days.get_ref()).ok())
        .and_then(|days| days.trim().parse().ok());
    let (Some(cursor), Some(days), Some(now)) =
        (&stream.cursor, days, DateTime::from_timestamp(86_400 * 20_500, 0))
    else {
        return 1;
    };
    let windows = Resume::default().windows(cursor, days, bound.zone, now).len();
    u64::try_from(windows).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(name: &str, lang: Lang) -> String {
        let path = format!("{}/connectors/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let definition = Definition::parse(name, &std::fs::read_to_string(path).unwrap()).unwrap();
        manual(&definition, lang)
    }

    #[test]
    fn goodcang_in_both_languages() {
        insta::assert_snapshot!("goodcang_en", shipped("goodcang", Lang::En));
        insta::assert_snapshot!("goodcang_zh", shipped("goodcang", Lang::Zh));
    }

    /// What the vendor's rates make of the first pull of 400 days stands there before anybody starts it.
    #[test]
    fn amazon_says_what_the_first_pull_takes() {
        insta::assert_snapshot!("amazon_en", shipped("amazon-sp-api", Lang::En));
    }
}
