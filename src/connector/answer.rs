//! What an answer means: good, come back later, ask for a new token, or no.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::Bound;
use super::cell::Cell;
use super::definition::{Expired, Meaning, Rule, Text};
use super::expr::Expr;
use super::path::Path;

/// The meaning of an answer. Whether to try again is decided here, where it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// There is nothing for this question.
    Empty,
    /// Too much for one answer: ask for less.
    Split(String),
    /// The token has run out: get a new one, then the same request again.
    Expired(String),
    /// Too many requests: wait, then again.
    Throttled(String),
    /// The server is in trouble: wait, then again.
    Broken(String),
    /// Made anew, the same request may work: a timestamp that was too old, a lock that is gone by then.
    Retry(String),
    /// The key, token or address is not allowed. Trying again changes nothing.
    Forbidden(String),
    /// The credentials are not (or no longer) valid.
    Unauthorised(String),
    /// Understood and refused.
    Refused(String),
    /// The server does not do what the connector file or the configuration asks for.
    Configuration(String),
}

/// What came back, as far as it is judged.
pub struct Heard<'a> {
    pub status: u16,
    pub header: &'a dyn Fn(&str) -> Option<String>,
    pub body: &'a [u8],
    /// The body, when it is JSON.
    pub json: Option<&'a Json>,
}

const MAX_MESSAGE_CHARS: usize = 300;

impl Bound {
    /// Judges an answer: by the rules of the file, then by what says that the token has run out, then by the status,
    /// then by the envelope.
    #[must_use]
    pub fn judge(&self, heard: &Heard<'_>) -> Verdict {
        let file = &self.definition.file;
        let status = heard.status;
        if let Some(rule) = file.answer.rules.iter().find(|rule| rule_holds(rule, heard)) {
            let text = match (rule.message.as_str(), self.said(heard)) {
                ("", said) => said,
                (own, said) => format!("{own} ({said})"),
            };
            return match rule.is {
                Meaning::Ok => Verdict::Good,
                Meaning::Empty => Verdict::Empty,
                Meaning::Split => Verdict::Split(text),
                Meaning::Retry => Verdict::Retry(text),
                Meaning::Throttled => Verdict::Throttled(text),
                Meaning::Expired => Verdict::Expired(text),
                Meaning::Forbidden => Verdict::Forbidden(text),
                Meaning::Refused => Verdict::Refused(text),
                Meaning::Configuration => Verdict::Configuration(text),
            };
        }
        if file
            .auth
            .expired
            .as_ref()
            .is_some_and(|rule| is_expired(rule, heard))
        {
            return Verdict::Expired(self.said(heard));
        }
        match status {
            200..=299 => {}
            // Without a word on what an expired token looks like: 401, and a new one may help.
            401 if file.auth.expired.is_none() && file.auth.kind.asks() => {
                return Verdict::Expired(self.said(heard));
            }
            401 => return Verdict::Unauthorised(self.said(heard)),
            403 => return Verdict::Forbidden(self.said(heard)),
            408 => return Verdict::Broken(self.said(heard)),
            429 => return Verdict::Throttled(self.said(heard)),
            500..=599 => return Verdict::Broken(self.said(heard)),
            _ => return Verdict::Refused(self.said(heard)),
        }
        if holds(file.answer.throttled.as_ref(), heard) == Some(true) {
            return Verdict::Throttled(self.said(heard));
        }
        // Only JSON carries the envelope; a downloaded table has none.
        if heard.json.is_some() && holds(file.answer.ok.as_ref(), heard) == Some(false) {
            return Verdict::Refused(self.said(heard));
        }
        Verdict::Good
    }

    /// The status and what the error says about itself.
    fn said(&self, heard: &Heard<'_>) -> String {
        let paths = self.definition.file.answer.message.iter();
        let status = heard.status;
        match said_at(paths.map(|path| path.get_ref().as_str()), heard.json) {
            Some(text) => format!("HTTP {status}: {text}"),
            None => format!("HTTP {status}"),
        }
    }
}

/// The first text at one of these paths, cut and without control characters.
pub fn said_at<'p>(paths: impl Iterator<Item = &'p str>, json: Option<&Json>) -> Option<String> {
    let json = json?;
    paths.into_iter().find_map(|text| {
        let path = Path::parse(text).ok()?;
        let said: Vec<String> = path
            .all(json)
            .into_iter()
            .filter_map(|value| Cell::of_json(value).show().map(Cow::into_owned))
            .collect();
        let said: String = said
            .join("; ")
            .chars()
            .filter(|sign| !sign.is_control())
            .take(MAX_MESSAGE_CHARS)
            .collect();
        (!said.is_empty()).then_some(said)
    })
}

/// Whether a condition holds for an answer; None when it says nothing.
#[must_use]
pub fn holds(text: Option<&Text>, heard: &Heard<'_>) -> Option<bool> {
    let expr = Expr::parse(text?.get_ref()).ok()?;
    Some(expr.holds(&|path| {
        let value = path.get(heard.json?)?;
        Cell::of_json(value).show().map(Cow::into_owned)
    }))
}

fn contains(body: &[u8], text: &str) -> bool {
    text.is_empty()
        || String::from_utf8_lossy(body)
            .to_lowercase()
            .contains(&text.to_lowercase())
}

fn rule_holds(rule: &Rule, heard: &Heard<'_>) -> bool {
    (rule.status.is_empty() || rule.status.contains(&heard.status))
        && rule.header.iter().all(|(name, text)| {
            (heard.header)(name).is_some_and(|value| value.to_lowercase().contains(&text.to_lowercase()))
        })
        && contains(heard.body, &rule.text)
        // A condition needs a body to hold for: `code != 0` says nothing about a page of HTML.
        && (rule.when.is_none() || heard.json.is_some() && holds(rule.when.as_ref(), heard) == Some(true))
}

fn is_expired(rule: &Expired, heard: &Heard<'_>) -> bool {
    (rule.status.is_empty() || rule.status.contains(&heard.status))
        && contains(heard.body, &rule.text)
        && (rule.when.is_none() || heard.json.is_some() && holds(rule.when.as_ref(), heard) == Some(true))
}
