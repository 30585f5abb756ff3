//! What an answer means: good, come back later, ask for a new token, or no.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::Bound;
use super::cell::Cell;
use super::definition::Expired;
use super::expr::Expr;
use super::path::Path;

/// The meaning of an answer. Whether to try again is decided here, where it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// The access token has run out: get a new one, then the same request again.
    Expired(String),
    /// Too many requests: wait, then again.
    Throttled(String),
    /// The server is in trouble: wait, then again.
    Broken(String),
    /// The key, token or address is not allowed. Trying again changes nothing.
    Forbidden(String),
    /// The credentials are not (or no longer) valid.
    Unauthorised(String),
    /// Understood and refused.
    Refused(String),
}

const MAX_MESSAGE_CHARS: usize = 300;

impl Bound {
    /// Judges an answer. `json` is its body when that is JSON.
    #[must_use]
    pub fn judge(&self, status: u16, body: &[u8], json: Option<&Json>) -> Verdict {
        let file = &self.definition.file;
        let message = || {
            let text = self.message(json).unwrap_or_default();
            if text.is_empty() {
                format!("HTTP {status}")
            } else {
                format!("HTTP {status}: {text}")
            }
        };
        if file
            .auth
            .expired
            .as_ref()
            .is_some_and(|rule| is_expired(rule, status, body))
        {
            return Verdict::Expired(message());
        }
        match status {
            200..=299 => {}
            401 => return Verdict::Unauthorised(message()),
            403 => return Verdict::Forbidden(message()),
            408 => return Verdict::Broken(message()),
            429 => return Verdict::Throttled(message()),
            500..=599 => return Verdict::Broken(message()),
            _ => return Verdict::Refused(message()),
        }
        let holds = |text: Option<&super::definition::Text>| {
            let expr = Expr::parse(text?.get_ref()).ok()?;
            Some(expr.holds(&|path| {
                let value = path.get(json?)?;
                Cell::of_json(value).show().map(Cow::into_owned)
            }))
        };
        if holds(file.answer.throttled.as_ref()) == Some(true) {
            return Verdict::Throttled(message());
        }
        // Only JSON carries the envelope; a downloaded table has none.
        if json.is_some() && holds(file.answer.ok.as_ref()) == Some(false) {
            return Verdict::Refused(message());
        }
        Verdict::Good
    }

    /// What the error says about itself, cut and without control characters.
    fn message(&self, json: Option<&Json>) -> Option<String> {
        let json = json?;
        self.definition.file.answer.message.iter().find_map(|text| {
            let path = Path::parse(text.get_ref()).ok()?;
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
}

fn is_expired(rule: &Expired, status: u16, body: &[u8]) -> bool {
    rule.status.contains(&status)
        && (rule.text.is_empty()
            || String::from_utf8_lossy(body)
                .to_lowercase()
                .contains(&rule.text.to_lowercase()))
}
