//! A definition together with one source's parameters, secrets and warehouses.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use super::ConnectorConfig;
use super::definition::{FileNames, Param, Stream};
use super::expr::Expr;
use super::file_name::{NamePattern, WAREHOUSE};
use super::load::{Definition, Heads, Reading};
use super::template::{Given, Places, Template};
use crate::ids::{SourceId, WarehouseCode};
use crate::problem::{Problem, nearest};

/// Ready to be asked for requests. Made once per pull.
#[derive(Debug, Clone)]
pub struct Bound {
    pub source: SourceId,
    pub definition: Arc<Definition>,
    pub given: Given,
    pub warehouses: BTreeMap<String, WarehouseCode>,
    pub zone: Tz,
    pub base: String,
    pub timeout: Duration,
    /// Where its files lie, if it reads any.
    pub folder: Option<PathBuf>,
    only: BTreeMap<String, Expr>,
    must: BTreeMap<String, Expr>,
}

impl Bound {
    /// Resolves parameters and checks that nothing is missing.
    ///
    /// # Errors
    /// Every missing or unknown parameter and secret, at once.
    pub fn new(config: &ConnectorConfig) -> Result<Self, Vec<Problem>> {
        let file = &config.definition.file;
        let mut problems = Vec::new();
        let origin = format!("source {}", config.id);
        let mut say = |field: String, found: &str, wanted: String| {
            problems.push(Problem::new(origin.clone(), "", field, found, wanted));
        };
        for given in config.params.keys() {
            if !file.params.contains_key(given) {
                say(format!("params.{given}"), given, offer(given, file.params.keys()));
            }
        }
        for given in config.secrets.keys() {
            if !file.secrets.contains_key(given) {
                say(
                    format!("secrets.{given}"),
                    given,
                    offer(given, file.secrets.keys()),
                );
            }
        }
        for (name, needed) in &file.secrets {
            if config
                .secrets
                .get(name)
                .is_none_or(|secret| secret.expose().is_empty())
            {
                say(format!("secrets.{name}"), "", needed.about.clone());
            }
        }
        let mut params = BTreeMap::new();
        for (name, param) in &file.params {
            match resolve(config, name, param) {
                Ok(value) => {
                    params.insert(name.clone(), value);
                }
                Err((found, wanted)) => say(format!("params.{name}"), &found, wanted),
            }
        }
        let given = Given {
            params,
            secrets: config.secrets.clone(),
        };
        for stream in file
            .stream
            .values()
            .filter(|stream| switch(stream, &given) == Some(true))
        {
            if let Some(code) = stream.warehouse.as_ref().map(|code| code.get_ref().as_str())
                && (config.warehouses.is_empty() || code != "*" && !config.warehouses.contains_key(code))
            {
                let code = if code == "*" { "CODE" } else { code };
                say(
                    format!("warehouses.{code}"),
                    "",
                    "our code of the warehouse whose stock this source tells".to_owned(),
                );
            }
        }
        let zone = given.fill_text(file.zone.get_ref()).unwrap_or_default();
        let zone: Option<Tz> = match zone.parse() {
            Ok(zone) => Some(zone),
            Err(_) => {
                say(
                    "zone".to_owned(),
                    &zone,
                    "a time zone such as Europe/London".to_owned(),
                );
                None
            }
        };
        let http = file.http();
        let timeout = given
            .fill_text(http.timeout_seconds.get_ref())
            .unwrap_or_default();
        let timeout: Option<u32> = match timeout.parse() {
            Ok(seconds) => Some(seconds),
            Err(_) => {
                say("timeout_seconds".to_owned(), &timeout, "whole seconds".to_owned());
                None
            }
        };
        let base = given.fill_text(http.base.get_ref()).unwrap_or_default();
        let (mut only, mut must) = (BTreeMap::new(), BTreeMap::new());
        for (name, stream) in &file.stream {
            if switch(stream, &given).is_none() {
                let text = stream.enabled.as_ref().map_or("", |text| text.get_ref());
                let found = given.fill_text(text).unwrap_or_default();
                say(
                    format!("stream.{name}.enabled"),
                    &found,
                    format!("yes or no, as `{text}`"),
                );
            }
            for (key, text, into) in [
                ("only", &stream.only, &mut only),
                ("must", &stream.must, &mut must),
            ] {
                let Some(text) = text else { continue };
                match given
                    .fill_text(text.get_ref())
                    .and_then(|text| Expr::parse(&text))
                {
                    Ok(expr) => {
                        into.insert(name.clone(), expr);
                    }
                    Err(why) => say(format!("stream.{name}.{key}"), text.get_ref(), why),
                }
            }
        }
        let folder = file.files.as_ref().map(|files| {
            let folder = given.fill_text(files.folder.get_ref()).unwrap_or_default();
            if folder.trim().is_empty() {
                say(
                    "files.folder".to_owned(),
                    &folder,
                    "the folder the files lie in".to_owned(),
                );
            }
            config.definition.home.join(folder.trim())
        });
        for (name, stream) in &file.stream {
            if let Err((found, wanted)) = whose_stock(config, &given, name, stream) {
                say(format!("stream.{name}.file"), &found, wanted);
            }
        }
        match (zone, timeout) {
            (Some(zone), Some(timeout)) if problems.is_empty() => Ok(Self {
                source: config.id.clone(),
                definition: Arc::clone(&config.definition),
                given,
                warehouses: config.warehouses.clone(),
                zone,
                base: base.trim_end_matches('/').to_owned(),
                timeout: Duration::from_secs(u64::from(timeout)),
                folder,
                only,
                must,
            }),
            _ => Err(problems),
        }
    }

    #[must_use]
    pub fn stream(&self, name: &str) -> Option<(&Stream, &Reading)> {
        self.definition
            .file
            .stream
            .get(name)
            .zip(self.definition.streams.get(name))
    }

    pub(super) fn only(&self, stream: &str) -> Option<&Expr> {
        self.only.get(stream)
    }

    pub(super) fn must(&self, stream: &str) -> Option<&Expr> {
        self.must.get(stream)
    }

    /// Streams that stand on their own and are asked for.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.definition.roots().filter(|name| self.asks_for(name))
    }

    /// Whether a stream is asked for: it is switched on, and so is the one it stands below.
    #[must_use]
    pub fn asks_for(&self, name: &str) -> bool {
        self.stream(name).is_some_and(|(stream, _)| {
            let above = stream.parent.as_ref();
            switch(stream, &self.given) == Some(true)
                && above.is_none_or(|parent| self.asks_for(parent.get_ref()))
        })
    }

    /// The heads that a stream reads in a table that people wrote.
    #[must_use]
    pub fn heads(&self, name: &str) -> Heads {
        let Some((stream, reading)) = self.stream(name) else {
            return Heads::default();
        };
        let conditions = [self.only(name), self.must(name)].into_iter().flatten();
        let columns = stream.as_of.0.iter().filter_map(|way| way.column.as_ref());
        let more = conditions
            .flat_map(Expr::paths)
            .map(super::path::Path::text)
            .chain(columns.map(|column| column.get_ref().as_str()));
        Heads::new(reading, more)
    }

    /// The names of a stream's files; of those of one warehouse, where its stock is asked for.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn file_patterns(
        &self,
        stream: &Stream,
        code: Option<&str>,
    ) -> Result<Vec<(String, NamePattern)>, String> {
        let Some(names) = &stream.file else {
            return Ok(Vec::new());
        };
        file_names(names, &self.given)?
            .into_iter()
            .map(|name| {
                let pattern = NamePattern::of_warehouse(&name, code)?;
                let shown = code.map_or_else(|| name.clone(), |code| name.replace(WAREHOUSE, code));
                Ok((shown, pattern))
            })
            .collect()
    }

    /// Whether rows of several warehouses may stand in one file of the stream.
    #[must_use]
    pub fn is_shared(&self, stream: &Stream) -> bool {
        let Some(names) = &stream.file else { return false };
        let names = file_names(names, &self.given).unwrap_or_default();
        let by_name = names.iter().all(|name| name.contains(WAREHOUSE));
        stream.warehouse.is_some() && self.warehouses.len() > 1 && !by_name
    }

    /// The provider's codes and ours of the warehouses a stock stream is asked for, one run each.
    #[must_use]
    pub fn snapshots(&self, stream: &Stream) -> Vec<(String, WarehouseCode)> {
        let asked = stream.warehouse.as_ref().map(|code| code.get_ref().as_str());
        self.warehouses
            .iter()
            .filter(|(code, _)| asked == Some("*") || asked == Some(code.as_str()))
            .map(|(code, ours)| (code.clone(), ours.clone()))
            .collect()
    }
}

/// With several warehouses, each file or each row must say whose stock it is; names that parameters give must be names.
fn whose_stock(
    config: &ConnectorConfig,
    given: &Given,
    name: &str,
    stream: &Stream,
) -> Result<(), (String, String)> {
    let Some(names) = &stream.file else { return Ok(()) };
    let filled = file_names(names, given).map_err(|why| (String::new(), why))?;
    for name in &filled {
        NamePattern::parse(name).map_err(|why| (name.clone(), why))?;
    }
    let in_name = filled.iter().all(|name| name.contains(WAREHOUSE));
    let in_rows = stream.map.contains_key("warehouse");
    let one = stream.warehouse.as_ref().is_none_or(|code| code.get_ref() != "*");
    if one || in_name || in_rows || config.warehouses.len() < 2 || switch(stream, given) != Some(true) {
        return Ok(());
    }
    Err((
        filled.join(", "),
        format!(
            "names with `{WAREHOUSE}`, or a mapped column `warehouse` in `{name}`: with {} warehouses somebody must say \
             whose stock a row is",
            config.warehouses.len()
        ),
    ))
}

/// The names of a stream's files, with the parameters in them; `{warehouse}` stays.
fn file_names(names: &FileNames, given: &Given) -> Result<Vec<String>, String> {
    let mut places = Places::default();
    places.text("warehouse", WAREHOUSE);
    let mut all = Vec::new();
    for text in &names.0 {
        let filled = given.fill(&Template::parse(text.get_ref())?, &places, str::to_owned)?;
        all.extend(filled.split('|').map(|name| name.trim().to_owned()));
    }
    Ok(all)
}

/// Whether a stream is asked for; None when its switch holds another word.
fn switch(stream: &Stream, given: &Given) -> Option<bool> {
    let Some(text) = &stream.enabled else {
        return Some(true);
    };
    match given.fill_text(text.get_ref()).ok()?.trim() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

fn offer<'a>(given: &str, known: impl Iterator<Item = &'a String> + Clone) -> String {
    match nearest(given, known.clone().map(String::as_str)) {
        Some(near) => format!("a name the connector declares, did you mean `{near}`?"),
        None => format!(
            "one of {}",
            known.map(String::as_str).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn resolve(config: &ConnectorConfig, name: &str, param: &Param) -> Result<String, (String, String)> {
    if let Some(value) = config.params.get(name) {
        return Ok(value.clone());
    }
    if let Some(from) = &param.from {
        let key = config.params.get(from).or_else(|| {
            let from = config.definition.file.params.get(from)?;
            from.default.as_ref()
        });
        if let Some(value) = key.and_then(|key| param.values.get(key)) {
            return Ok(value.clone());
        }
    }
    param
        .default
        .clone()
        .ok_or_else(|| (String::new(), param.about.clone()))
}
