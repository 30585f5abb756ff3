//! One call: paced by its bucket, repeated as the definition says, with a fresh access token when the old one ran out.

use chrono::Duration;
use serde_json::Value as Json;

use super::send::{Allowed, RawAnswer, allowed};
use super::{Client, Failure, FailureKind, Session, Token};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::answer::Verdict;
use crate::connector::bucket::Bucket;
use crate::connector::cell::Cell;
use crate::connector::decode::{Layer, parse, unpack};
use crate::connector::definition::Decode;
use crate::connector::expr::Expr;
use crate::connector::request::Request;
use crate::connector::tree::{Node, Want};
use crate::connector::wait::{Wait, wait};
use crate::ids::SourceId;

/// A good answer.
pub(super) struct Answer {
    pub body: Vec<u8>,
    /// The body, when it was asked for as JSON.
    pub json: Option<Json>,
    headers: reqwest::header::HeaderMap,
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
    fn json(self, bound: &Bound, raw: &RawAnswer) -> Option<Json> {
        let bad = raw.status >= 300;
        let plain = || serde_json::from_slice(&raw.body).ok();
        match self {
            Self::Json => plain(),
            Self::Bytes => bad.then(plain).flatten(),
            Self::Stream { decode, too_much } => {
                let answer = &bound.definition.file.answer;
                let judged = answer.ok.is_some() || answer.throttled.is_some() || too_much.is_some();
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
    let limit = bound.definition.file.http.max_body_bytes;
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

/// What to send and what to expect.
pub(super) struct Ask<'a> {
    /// Made anew for every attempt.
    pub make: &'a (dyn Fn() -> Result<Request, String> + Sync),
    pub reads: Reads<'a>,
    /// Whether to send the access token: never to an address that an answer gave.
    pub authorised: bool,
}

/// Access tokens are taken to end this much before they do.
const TOKEN_MARGIN: Duration = Duration::seconds(60);

impl Client {
    pub(super) async fn call(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        ask: &Ask<'_>,
    ) -> Result<Answer, Failure> {
        let session = self.session(&bound.source);
        let retry = &bound.definition.file.retry;
        let mut refreshed = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut request = (ask.make)().map_err(|why| Failure::new(FailureKind::Configuration, why))?;
            let token = if ask.authorised {
                self.token(bound, clock, &session, None).await?
            } else {
                None
            };
            if let (Some(token), Some(header)) = (&token, &bound.definition.file.auth.header) {
                let value = format!("{}{token}", bound.definition.file.auth.prefix);
                request.headers.push((header.to_ascii_lowercase(), value));
            }
            self.take_turn(bound, clock, &session, request.limit.as_deref())
                .await;
            let place = self.place(bound, clock).await?;
            let raw = self.send_to(bound, &request).await;
            self.give_back(place).await;
            let failure = match raw {
                Err(failure) => match failure.kind {
                    FailureKind::Unreachable | FailureKind::Slow => (failure, None),
                    _ => return Err(failure),
                },
                Ok(raw) => {
                    let json = ask.reads.json(bound, &raw);
                    if ask.reads.too_much(json.as_ref()) {
                        let text = format!("HTTP {}: too much at once", raw.status);
                        return Err(Failure::new(FailureKind::TooMuch, text));
                    }
                    match bound.judge(raw.status, &raw.body, json.as_ref()) {
                        Verdict::Good if ask.reads.needs_json() && json.is_none() => {
                            return Err(Failure::new(
                                FailureKind::WrongSchema,
                                format!(
                                    "the answer (HTTP {}, {} bytes) is no JSON",
                                    raw.status,
                                    raw.body.len()
                                ),
                            ));
                        }
                        Verdict::Good => {
                            return Ok(Answer {
                                body: raw.body,
                                json,
                                headers: raw.headers,
                            });
                        }
                        Verdict::Expired(text) => {
                            if refreshed || token.is_none() {
                                return Err(Failure::new(FailureKind::Expired, text));
                            }
                            refreshed = true;
                            self.token(bound, clock, &session, token.as_deref()).await?;
                            // Not an attempt that failed: the same request again, at the same page.
                            attempt -= 1;
                            continue;
                        }
                        Verdict::Throttled(text) => (Failure::new(FailureKind::Throttled, text), Some(raw)),
                        Verdict::Broken(text) => (Failure::new(FailureKind::Unreachable, text), Some(raw)),
                        Verdict::Forbidden(text) => return Err(Failure::new(FailureKind::Forbidden, text)),
                        Verdict::Unauthorised(text) => return Err(Failure::new(FailureKind::Expired, text)),
                        Verdict::Refused(text) => return Err(Failure::new(FailureKind::Refused, text)),
                    }
                }
            };
            let throttled = failure.0.kind == FailureKind::Throttled;
            let limit = request.limit.as_deref().filter(|_| throttled);
            self.wait_after(bound, clock, (retry.attempts, attempt), failure, limit)
                .await?;
        }
    }

    /// Waits before the next attempt, or gives up with the failure.
    async fn wait_after(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        (attempts, attempt): (u32, u32),
        (failure, raw): (Failure, Option<RawAnswer>),
        throttled: Option<&str>,
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
                self.shared_rest(bound, clock, throttled, wait).await;
                self.pause(wait).await;
                Ok(())
            }
            Wait::TooLong(asked) => Err(Failure::new(
                failure.kind,
                format!("{}; asked to wait {} s", failure.text, asked.as_secs()),
            )),
        }
    }

    async fn send_to(&self, bound: &Bound, request: &Request) -> Result<RawAnswer, Failure> {
        let file = &bound.definition.file;
        let token_url = match &file.auth.url {
            Some(url) => bound.given.fill_text(url.get_ref()).unwrap_or_default(),
            None => String::new(),
        };
        let to = Allowed {
            own: &[&bound.base, &token_url],
            others: &file.http.hosts,
        };
        let url = allowed(&request.url, &to)?;
        self.send(url, request, bound.timeout, file.http.max_body_bytes)
            .await
    }

    async fn take_turn(&self, bound: &Bound, clock: &dyn Clock, session: &Session, limit: Option<&str>) {
        let Some((name, limit)) = limit.and_then(|name| bound.definition.file.limits.get_key_value(name))
        else {
            return;
        };
        let wait = {
            let mut buckets = session
                .buckets
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            buckets
                .entry(name.clone())
                .or_insert_with(|| Bucket::new(*limit))
                .take(self.now(clock))
        };
        let shared = self.shared_turn(bound, clock, (name, *limit)).await;
        self.pause(wait.to_std().unwrap_or_default().max(shared)).await;
    }

    /// The access token. With `stale`, a new one, unless another task has already got it: a refresh token may be
    /// single-use, so nobody refreshes at the same time.
    async fn token(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        session: &Session,
        stale: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let request = bound
            .token_request()
            .map_err(|why| Failure::new(FailureKind::Configuration, why))?;
        let Some(request) = request else {
            return Ok(None);
        };
        let mut held = session.token.lock().await;
        if let Some(token) = held.as_ref()
            && stale != Some(token.value.as_str())
            && token.until > self.now(clock)
        {
            return Ok(Some(token.value.clone()));
        }
        let token = self.fetch_token(bound, clock, &request).await?;
        let value = token.value.clone();
        *held = Some(token);
        Ok(Some(value))
    }

    async fn fetch_token(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        request: &Request,
    ) -> Result<Token, Failure> {
        let attempts = bound.definition.file.retry.attempts;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match self.send_to(bound, request).await {
                Err(failure) if matches!(failure.kind, FailureKind::Unreachable | FailureKind::Slow) => {
                    (failure, None)
                }
                Err(failure) => return Err(failure),
                Ok(raw) => {
                    let json: Option<Json> = serde_json::from_slice(&raw.body).ok();
                    let field = |name: &str| json.as_ref().and_then(|json| json.get(name));
                    match (raw.status, field("access_token").and_then(Json::as_str)) {
                        (200..=299, Some(token)) => {
                            let seconds = field("expires_in").and_then(Json::as_i64).unwrap_or(3600);
                            let life = Duration::seconds(seconds.clamp(0, 86_400)) - TOKEN_MARGIN;
                            return Ok(Token {
                                value: token.to_owned(),
                                until: self.now(clock) + life,
                            });
                        }
                        (200..=299, None) => {
                            let text = "the token endpoint's answer has no access_token";
                            return Err(Failure::new(FailureKind::WrongSchema, text));
                        }
                        (429, _) => (
                            Failure::new(FailureKind::Throttled, "token endpoint: HTTP 429"),
                            Some(raw),
                        ),
                        (status @ (400 | 401), _) => {
                            let code = field("error").and_then(Json::as_str).unwrap_or("no reason given");
                            let text =
                                format!("the token endpoint refused the credentials (HTTP {status}, {code})");
                            return Err(Failure::new(FailureKind::Expired, text));
                        }
                        (403, _) => {
                            let text = "the token endpoint forbids this (HTTP 403)";
                            return Err(Failure::new(FailureKind::Forbidden, text));
                        }
                        (status, _) => {
                            let text = format!("token endpoint: HTTP {status}");
                            (Failure::new(FailureKind::Unreachable, text), Some(raw))
                        }
                    }
                }
            };
            self.wait_after(bound, clock, (attempts, attempt), failure, None)
                .await?;
        }
    }
}

/// Sources wait differently, each the same every time.
fn seed(source: &SourceId) -> u64 {
    source.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
