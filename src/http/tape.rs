//! A tape of what a source was asked and answered: recorded once, played without the network as often as one likes.
//!
//! Requests are told apart by what the connector file puts into them (page, token, warehouse, parent), not by what is
//! new each time (time, signature, window's end): a tape outlives the day it was made on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::send::RawAnswer;
use super::{Client, Failure, FailureKind};
use crate::delivery::Sight;

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub ask: String,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    #[serde(skip)]
    pub body: Vec<u8>,
}

const MODIFIED: &str = "modified";

fn file_ask(stream: &str, name: &str) -> String {
    format!("{FILE}{stream} {name}")
}

/// What the question of a file begins with.
pub const FILE: &str = "file ";

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

    /// Whether answers come from a tape.
    pub fn plays(&self) -> bool {
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

    /// A file of a folder is kept as the answer to its name.
    pub(super) fn keep_file(&self, stream: &str, sight: &Sight, bytes: &[u8]) {
        let Some(Tape::Recording(kept)) = self.tape.get() else {
            return;
        };
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Exchange {
                ask: file_ask(stream, &sight.name),
                status: 200,
                headers: BTreeMap::from([(MODIFIED.to_owned(), sight.modified.to_string())]),
                body: bytes.to_vec(),
            });
    }

    /// The files of a stream that the tape holds, as they would lie in the folder.
    pub(super) fn played_files(&self, stream: &str) -> Vec<Sight> {
        let Some(Tape::Playing(left)) = self.tape.get() else {
            return Vec::new();
        };
        let left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let before = file_ask(stream, "");
        left.iter()
            .filter_map(|(ask, exchanges)| Some((ask.strip_prefix(&before)?, exchanges.front()?)))
            .map(|(name, exchange)| Sight {
                name: name.to_owned(),
                size: u64::try_from(exchange.body.len()).unwrap_or(u64::MAX),
                modified: exchange
                    .headers
                    .get(MODIFIED)
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0),
            })
            .collect()
    }

    /// The same without taking it off the tape.
    pub(super) fn peeked_file(&self, stream: &str, name: &str) -> Vec<u8> {
        let Some(Tape::Playing(left)) = self.tape.get() else {
            return Vec::new();
        };
        let left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let exchange = left.get(&file_ask(stream, name)).and_then(VecDeque::front);
        exchange.map(|exchange| exchange.body.clone()).unwrap_or_default()
    }

    pub(super) fn played_file(&self, stream: &str, name: &str) -> Result<Vec<u8>, Failure> {
        self.played(&file_ask(stream, name)).map(|raw| raw.body)
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
