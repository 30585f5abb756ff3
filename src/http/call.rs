//! One call: paced by its limits, made anew for every attempt, repeated as the definition says, with a fresh access
//! token when the old one ran out.

use serde_json::Value as Json;

use super::send::{Allowed, RawAnswer, allowed};
use super::{Client, Failure, FailureKind, Session};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::answer::{Heard, Verdict};
use crate::connector::cell::Cell;
use crate::connector::decode::{Layer, parse, unpack};
use crate::connector::definition::Decode;
use crate::connector::expr::Expr;
use crate::connector::request::{Fresh, Request};
use crate::connector::tree::{Node, Want};
use crate::connector::wait::{Wait, rest, wait};
use crate::ids::SourceId;
use crate::secret::Secret;

/// A good answer.
pub(super) struct Answer {
    pub body: Vec<u8>,
    /// The body, when it was asked for as JSON.
    pub json: Option<Json>,
    headers: Box<reqwest::header::HeaderMap>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    }
}

/// How an answer is read, to be judged.
#[derive(Clone, Copy)]
pub(super) enum Reads<'a> {
    /// As JSON, which [`Answer::json`] then has.
    Json,
    /// As the stream declares. Read here only when something in it decides whether the answer is good.
    Stream {
        decode: &'a Decode,
        /// The condition that says "too much at once".
        too_much: Option<&'a str>,
    },
    /// Not at all.
    Bytes,
}

impl Reads<'_> {
    /// `costs`: whether the answer tells what it cost.
    fn json(self, bound: &Bound, raw: &RawAnswer, costs: bool) -> Option<Json> {
        let bad = raw.status >= 300;
        let plain = || serde_json::from_slice(&raw.body).ok();
        match self {
            Self::Json => plain(),
            Self::Bytes => bad.then(plain).flatten(),
            Self::Stream { decode, too_much } => {
                let answer = &bound.definition.file.answer;
                let judged = answer.ok.is_some()
                    || answer.throttled.is_some()
                    || answer.rules.iter().any(|rule| rule.when.is_some())
                    || bound
                        .definition
                        .file
                        .auth
                        .expired
                        .as_ref()
                        .is_some_and(|rule| rule.when.is_some())
                    || too_much.is_some()
                    || costs;
                if !judged && !bad {
                    return None;
                }
                envelope(bound, decode, &raw.body).or_else(|| bad.then(plain).flatten())
            }
        }
    }

    /// Whether an answer that is no JSON is none.
    fn needs_json(self) -> bool {
        match self {
            Self::Json => true,
            Self::Bytes | Self::Stream { .. } => false,
        }
    }

    fn too_much(self, json: Option<&Json>) -> bool {
        let Self::Stream {
            too_much: Some(condition),
            ..
        } = self
        else {
            return false;
        };
        Expr::parse(condition).is_ok_and(|condition| {
            json.is_some_and(|json| {
                condition.holds(&|path| {
                    let found = path.get(json)?;
                    Cell::of_json(found).show().map(std::borrow::Cow::into_owned)
                })
            })
        })
    }
}

/// The answer as JSON, when the stream's layers end in a tree; tables and lines carry no envelope.
fn envelope(bound: &Bound, decode: &Decode, body: &[u8]) -> Option<Json> {
    let limit = bound.definition.file.max_bytes();
    match decode.last() {
        Layer::Json if decode.is_plain_json() => serde_json::from_slice(body).ok(),
        Layer::Json => serde_json::from_slice(&unpack(decode, body, limit).ok()?).ok(),
        Layer::Xml => {
            let bytes = unpack(decode, body, limit).ok()?;
            let page = parse(decode, &bytes, &Want::all()).ok()?;
            page.tree().map(Node::to_json)
        }
        _ => None,
    }
}

/// How often one call gets a new token. Once would be enough for a token that ran out; but the source's streams share
/// it, and what another of them is refused may end the token that this one has only just got.
pub(super) const RENEWALS: u32 = 2;

/// What to send and what to expect.
pub(super) struct Ask<'a> {
    /// Makes the request anew for every attempt.
    pub make: &'a (dyn Fn(&Fresh) -> Result<Request, String> + Sync),
    /// Keys into the definition's limits.
    pub limits: &'a [String],
    pub reads: Reads<'a>,
    /// Whether to send the access token: never to an address that an answer gave.
    pub authorised: bool,
}

/// What becomes of an attempt that did not bring an answer.
pub(super) enum Next {
    /// Wait, then again.
    Again(Failure, Option<RawAnswer>),
    /// Again with a new token, [`RENEWALS`] times.
    Renew(String),
    Stop(Failure),
}

impl Client {
    pub(super) async fn call(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        ask: &Ask<'_>,
    ) -> Result<Answer, Failure> {
        let session = self.session(&bound.source);
        let attempts = bound.definition.file.retry.attempts;
        let mut renewed = 0;
        let mut attempt = 0;
        loop {
            attempt += 1;
            self.take_turns(bound, clock, &session, ask.limits).await?;
            // After the turn: a wait may be longer than the life of a token or of a signed timestamp.
            let token = if ask.authorised && !self.plays() {
                self.token(bound, clock, &session, None).await?
            } else {
                None
            };
            let next = match self.attempt(bound, clock, &session, ask, token.as_ref()).await {
                Ok(answer) => return Ok(answer),
                Err(next) => next,
            };
            match next {
                Next::Stop(failure) => return Err(failure),
                Next::Renew(text) => match &token {
                    Some(stale) if renewed < RENEWALS => {
                        renewed += 1;
                        self.token(bound, clock, &session, Some(stale)).await?;
                        // Not an attempt that failed: the same request again, at the same page.
                        attempt -= 1;
                    }
                    _ => return Err(Failure::new(FailureKind::Expired, text)),
                },
                Next::Again(failure, raw) => {
                    let throttled = failure.kind == FailureKind::Throttled;
                    let limits = if throttled { ask.limits } else { &[] };
                    self.wait_after(bound, clock, (attempts, attempt), (failure, raw), limits)
                        .await?;
                }
            }
        }
    }

    async fn attempt(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        session: &Session,
        ask: &Ask<'_>,
        token: Option<&Secret>,
    ) -> Result<Answer, Next> {
        let place = self.place(bound, clock).await.map_err(Next::Stop)?;
        let fresh = self.fresh(clock, token.cloned());
        let raw = match (ask.make)(&fresh) {
            Ok(request) if self.plays() => self.played(&request.ask),
            Ok(request) => {
                let raw = self.send_to(bound, &request).await;
                if let Ok(raw) = &raw {
                    self.keep(&request.ask, raw);
                }
                raw
            }
            Err(why) => Err(Failure::new(FailureKind::Configuration, why)),
        };
        self.give_back(place).await;
        let raw = match raw {
            Ok(raw) => raw,
            Err(failure) if matches!(failure.kind, FailureKind::Unreachable | FailureKind::Slow) => {
                return Err(Next::Again(failure, None));
            }
            Err(failure) => return Err(Next::Stop(failure)),
        };
        let limits = &bound.definition.file.limits;
        let costs = |name: &String| limits.get(name).is_some_and(|limit| limit.cost.is_some());
        let json = ask.reads.json(bound, &raw, ask.limits.iter().any(costs));
        if ask.reads.too_much(json.as_ref()) {
            let text = format!("HTTP {}: too much at once", raw.status);
            return Err(Next::Stop(Failure::new(FailureKind::TooMuch, text)));
        }
        let header = |name: &str| raw.header(name);
        let verdict = bound.judge(&Heard {
            status: raw.status,
            header: &header,
            body: &raw.body,
            json: json.as_ref(),
        });
        let good = verdict == Verdict::Good;
        self.learn(bound, clock, ask.limits, json.as_ref(), good).await;
        let stop = |kind, text: String| Err(Next::Stop(Failure::new(kind, blank(bound, token, text))));
        match verdict {
            Verdict::Good if ask.reads.needs_json() && json.is_none() => stop(
                FailureKind::WrongSchema,
                format!(
                    "the answer (HTTP {}, {} bytes) is no JSON",
                    raw.status,
                    raw.body.len()
                ),
            ),
            Verdict::Good => {
                if let Some(rest) = rest(&bound.definition.file.retry, &header, self.now(clock)) {
                    self.hold_all(bound, clock, session, ask.limits, rest).await;
                }
                Ok(Answer {
                    body: raw.body,
                    json,
                    headers: raw.headers,
                })
            }
            Verdict::Expired(text) => Err(Next::Renew(blank(bound, token, text))),
            Verdict::Throttled(text) => Err(again(FailureKind::Throttled, blank(bound, token, text), raw)),
            Verdict::Broken(text) => Err(again(FailureKind::Unreachable, blank(bound, token, text), raw)),
            Verdict::Retry(text) => Err(again(FailureKind::Refused, blank(bound, token, text), raw)),
            Verdict::Forbidden(text) => stop(FailureKind::Forbidden, text),
            Verdict::Unauthorised(text) => stop(FailureKind::Expired, text),
            Verdict::Refused(text) => stop(FailureKind::Refused, text),
            Verdict::Configuration(text) => stop(FailureKind::Configuration, text),
            Verdict::Empty => stop(FailureKind::Empty, "nothing for this question".to_owned()),
            Verdict::Split(text) => stop(FailureKind::TooMuch, text),
        }
    }

    pub(super) fn fresh(&self, clock: &dyn Clock, token: Option<Secret>) -> Fresh {
        Fresh {
            now: self.now(clock),
            nonce: self.nonce(),
            token,
        }
    }

    /// Waits before the next attempt, or gives up with the failure.
    pub(super) async fn wait_after(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        (attempts, attempt): (u32, u32),
        (failure, raw): (Failure, Option<RawAnswer>),
        throttled: &[String],
    ) -> Result<(), Failure> {
        if attempt >= attempts {
            return Err(if attempt > 1 {
                Failure::new(
                    failure.kind,
                    format!("{} (after {attempt} attempts)", failure.text),
                )
            } else {
                failure
            });
        }
        let header = |name: &str| raw.as_ref().and_then(|raw| raw.header(name));
        let retry = &bound.definition.file.retry;
        match wait(retry, &header, attempt, seed(&bound.source), self.now(clock)) {
            Wait::For(wait) => {
                tracing::debug!(source = %bound.source, attempt, wait_ms = wait.as_millis(), why = %failure, "waiting before the next attempt");
                let session = self.session(&bound.source);
                self.hold_all(bound, clock, &session, throttled, wait).await;
                self.pause(wait).await;
                Ok(())
            }
            Wait::TooLong(asked) => Err(Failure::new(
                failure.kind,
                format!("{}; asked to wait {} s", failure.text, asked.as_secs()),
            )),
        }
    }

    pub(super) async fn send_to(&self, bound: &Bound, request: &Request) -> Result<RawAnswer, Failure> {
        let file = &bound.definition.file;
        let token_url = match &file.auth.url {
            Some(url) => bound.given.fill_text(url.get_ref()).unwrap_or_default(),
            None => String::new(),
        };
        let to = Allowed {
            own: &[&bound.base, &token_url],
            others: &file.http().hosts,
        };
        let url = allowed(&request.url, &to)?;
        self.send(url, request, bound.timeout, file.max_bytes()).await
    }
}

fn again(kind: FailureKind, text: String, raw: RawAnswer) -> Next {
    Next::Again(Failure::new(kind, text), Some(raw))
}

/// A server may repeat what it was sent: the text without any secret of this source.
pub(super) fn blank(bound: &Bound, token: Option<&Secret>, text: String) -> String {
    bound
        .given
        .secrets
        .values()
        .chain(token)
        .map(Secret::expose)
        .filter(|secret| secret.len() >= 4)
        .fold(text, |text, secret| text.replace(secret, "[redacted]"))
}

/// Sources wait differently, each the same every time.
fn seed(source: &SourceId) -> u64 {
    source.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
