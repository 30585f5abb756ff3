//! Access tokens: asked for when there is none or the old one ran out, by one task at a time.

use chrono::{DateTime, Duration, Utc};
use serde_json::Value as Json;

use super::call::blank;
use super::send::RawAnswer;
use super::{Client, Failure, FailureKind, Session, Token};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::answer::{Heard, holds, said_at};
use crate::secret::Secret;

/// Access tokens are taken to end this much before they do.
const TOKEN_MARGIN: Duration = Duration::seconds(60);
/// No token is believed to live longer.
const LONGEST_LIFE: i64 = 30 * 86_400;

/// A token endpoint's good answer.
pub(super) struct Granted {
    pub token: Secret,
    pub until: DateTime<Utc>,
    /// The refresh token to use the next time, where each works once.
    pub next: Option<Secret>,
}

/// Why there is none.
pub(super) enum Denied {
    /// Whether the server has seen the request is not known.
    Unclear(Failure),
    /// The server said no, or come back later.
    Said(Failure, Option<RawAnswer>),
    /// The credentials are refused.
    Credentials(Failure),
}

impl Client {
    /// The access token. With `stale`, a new one, unless another task or process has already got it.
    pub(super) async fn token(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        session: &Session,
        stale: Option<&Secret>,
    ) -> Result<Option<Secret>, Failure> {
        if !bound.needs_token() {
            return Ok(None);
        }
        let mut held = session.token.lock().await;
        if let Some(token) = held.as_ref()
            && stale != Some(&token.value)
            && token.until > self.now(clock)
        {
            return Ok(Some(token.value.clone()));
        }
        let auth = &bound.definition.file.auth;
        let token = if auth.rotating.is_some() || auth.one_session {
            self.kept_token(bound, clock, stale).await?
        } else {
            self.fetch_token(bound, clock).await?
        };
        let value = token.value.clone();
        *held = Some(token);
        Ok(Some(value))
    }

    async fn fetch_token(&self, bound: &Bound, clock: &dyn Clock) -> Result<Token, Failure> {
        let attempts = bound.definition.file.retry.attempts;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (failure, raw) = match self.ask_token(bound, clock, None).await {
                Ok(granted) => {
                    return Ok(Token {
                        value: granted.token,
                        until: granted.until,
                    });
                }
                Err(Denied::Credentials(failure)) => return Err(failure),
                Err(Denied::Unclear(failure)) => (failure, None),
                Err(Denied::Said(failure, raw)) => match failure.kind {
                    FailureKind::Throttled | FailureKind::Unreachable => (failure, raw),
                    _ => return Err(failure),
                },
            };
            self.wait_after(bound, clock, (attempts, attempt), (failure, raw), &[])
                .await?;
        }
    }

    /// Asks once.
    pub(super) async fn ask_token(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        refresh: Option<&Secret>,
    ) -> Result<Granted, Denied> {
        let fail = |kind, text: String| Denied::Said(Failure::new(kind, blank(bound, refresh, text)), None);
        let request = bound
            .token_request(&self.fresh(clock, None), refresh)
            .and_then(|request| request.ok_or_else(|| "this source has no token".to_owned()))
            .map_err(|why| fail(FailureKind::Configuration, why))?;
        let raw = self
            .send_to(bound, &request)
            .await
            .map_err(|failure| match failure.kind {
                FailureKind::Unreachable | FailureKind::Slow => Denied::Unclear(failure),
                _ => Denied::Said(failure, None),
            })?;
        let json: Option<Json> = serde_json::from_slice(&raw.body).ok();
        let answer = &bound.definition.file.auth.answer;
        let header = |name: &str| raw.header(name);
        let heard = Heard {
            status: raw.status,
            header: &header,
            body: &raw.body,
            json: json.as_ref(),
        };
        let said = said_at(answer.message.iter().map(String::as_str), json.as_ref())
            .unwrap_or_else(|| "no reason given".to_owned());
        let credentials = |text: String| {
            Denied::Credentials(Failure::new(FailureKind::Expired, blank(bound, refresh, text)))
        };
        let status = raw.status;
        match status {
            200..=299 if holds(answer.ok.as_ref(), &heard) == Some(false) => Err(credentials(format!(
                "the token endpoint refused the credentials ({said})"
            ))),
            200..=299 => self.granted(bound, clock, json.as_ref()),
            400 | 401 => Err(credentials(format!(
                "the token endpoint refused the credentials (HTTP {status}, {said})"
            ))),
            403 => Err(fail(
                FailureKind::Forbidden,
                "the token endpoint forbids this (HTTP 403)".to_owned(),
            )),
            429 => Err(Denied::Said(
                Failure::new(FailureKind::Throttled, "token endpoint: HTTP 429"),
                Some(raw),
            )),
            _ => Err(Denied::Said(
                Failure::new(FailureKind::Unreachable, format!("token endpoint: HTTP {status}")),
                Some(raw),
            )),
        }
    }

    fn granted(&self, bound: &Bound, clock: &dyn Clock, json: Option<&Json>) -> Result<Granted, Denied> {
        let auth = &bound.definition.file.auth;
        let at = |path: &str| crate::connector::text_at(json, path).ok().flatten();
        let missing = |path: &str| {
            let text = format!("the token endpoint's answer has no {path}");
            Denied::Said(Failure::new(FailureKind::WrongSchema, text), None)
        };
        let token = at(&auth.answer.token).ok_or_else(|| missing(&auth.answer.token))?;
        let life = at(&auth.answer.life)
            .and_then(|text| text.trim().parse::<i64>().ok())
            .unwrap_or(i64::from(auth.answer.life_seconds))
            .clamp(0, LONGEST_LIFE);
        // A short life is used to nine tenths, so that a token is not old before it is sent.
        let margin = TOKEN_MARGIN.min(Duration::seconds(life) / 10);
        let next = match &auth.rotating {
            None => None,
            Some(rotating) => Some(Secret::new(
                at(rotating.next.get_ref()).ok_or_else(|| missing(rotating.next.get_ref()))?,
            )),
        };
        Ok(Granted {
            token: Secret::new(token),
            until: self.now(clock) + Duration::seconds(life) - margin,
            next,
        })
    }
}
