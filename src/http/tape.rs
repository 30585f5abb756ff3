//! A tape of what a source was asked and answered: recorded once, played without the network as often as one likes.
//!
//! Requests are told apart by what the connector file puts into them (page, token, warehouse, parent), not by what is
//! new each time (time, signature, window's end): a tape outlives the day it was made on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::send::RawAnswer;
use super::{Client, Failure, FailureKind};

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub ask: String,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    #[serde(skip)]
    pub body: Vec<u8>,
}

/// What a client does besides asking.
pub(super) enum Tape {
    Recording(Mutex<Vec<Exchange>>),
    Playing(Mutex<BTreeMap<String, VecDeque<Exchange>>>),
}

/// Headers that say something about rows or waits. Others may say something about the seller.
fn worth_keeping(name: &str) -> bool {
    const SIGNS: [&str; 9] = [
        "content-type",
        "content-encoding",
        "link",
        "page",
        "total",
        "count",
        "limit",
        "retry",
        "remaining",
    ];
    let about_who = ["cookie", "auth", "key", "secret"];
    SIGNS.iter().any(|sign| name.contains(sign)) && !about_who.iter().any(|word| name.contains(word))
}

impl Client {
    /// From here on everything that is asked is kept.
    pub fn record(&self) {
        let _ = self.tape.set(Tape::Recording(Mutex::default()));
    }

    /// From here on nothing goes out: answers come from a tape.
    pub fn play(&self, exchanges: Vec<Exchange>) {
        let mut by_ask: BTreeMap<String, VecDeque<Exchange>> = BTreeMap::new();
        for exchange in exchanges {
            by_ask
                .entry(exchange.ask.clone())
                .or_default()
                .push_back(exchange);
        }
        let _ = self.tape.set(Tape::Playing(Mutex::new(by_ask)));
    }

    /// What was recorded, in the order of the answers.
    #[must_use]
    pub fn recorded(&self) -> Vec<Exchange> {
        match self.tape.get() {
            Some(Tape::Recording(kept)) => kept.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Some(Tape::Playing(_)) | None => Vec::new(),
        }
    }

    /// What a tape holds that nobody asked for.
    #[must_use]
    pub fn unplayed(&self) -> Vec<String> {
        match self.tape.get() {
            Some(Tape::Playing(left)) => {
                let left = left.lock().unwrap_or_else(PoisonError::into_inner);
                left.values()
                    .flatten()
                    .map(|exchange| exchange.ask.clone())
                    .collect()
            }
            Some(Tape::Recording(_)) | None => Vec::new(),
        }
    }

    pub(super) fn plays(&self) -> bool {
        matches!(self.tape.get(), Some(Tape::Playing(_)))
    }

    pub(super) fn keep(&self, ask: &str, raw: &RawAnswer) {
        let Some(Tape::Recording(kept)) = self.tape.get() else {
            return;
        };
        let headers = raw
            .headers
            .iter()
            .filter(|(name, _)| worth_keeping(name.as_str()))
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Exchange {
                ask: ask.to_owned(),
                status: raw.status,
                headers,
                body: raw.body.clone(),
            });
    }

    /// The next answer of the tape to this question.
    pub(super) fn played(&self, ask: &str) -> Result<RawAnswer, Failure> {
        let none = || {
            let text = format!("the tape holds no (further) answer to `{ask}`");
            Failure::new(FailureKind::Configuration, text)
        };
        let Some(Tape::Playing(left)) = self.tape.get() else {
            return Err(none());
        };
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let exchange = left.get_mut(ask).and_then(VecDeque::pop_front).ok_or_else(none)?;
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in &exchange.headers {
            if let (Ok(name), Ok(value)) = (
                reqwest::header::HeaderName::from_bytes(name.as_bytes()),
                reqwest::header::HeaderValue::from_str(value),
            ) {
                headers.append(name, value);
            }
        }
        Ok(RawAnswer {
            status: exchange.status,
            headers: Box::new(headers),
            body: exchange.body,
        })
    }
}
