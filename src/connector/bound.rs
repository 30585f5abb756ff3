//! A definition together with one source's parameters, secrets and warehouses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use super::ConnectorConfig;
use super::definition::{Param, Stream};
use super::expr::Expr;
use super::load::{Definition, Reading};
use super::template::Given;
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
        let timeout = given
            .fill_text(file.http.timeout_seconds.get_ref())
            .unwrap_or_default();
        let timeout: Option<u32> = match timeout.parse() {
            Ok(seconds) => Some(seconds),
            Err(_) => {
                say("timeout_seconds".to_owned(), &timeout, "whole seconds".to_owned());
                None
            }
        };
        let base = given.fill_text(file.http.base.get_ref()).unwrap_or_default();
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
        match (zone, timeout) {
            (Some(zone), Some(timeout)) if problems.is_empty() => Ok(Self {
                source: config.id.clone(),
                definition: Arc::clone(&config.definition),
                given,
                warehouses: config.warehouses.clone(),
                zone,
                base: base.trim_end_matches('/').to_owned(),
                timeout: Duration::from_secs(u64::from(timeout)),
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
