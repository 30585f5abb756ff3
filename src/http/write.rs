//! Requests with an effect: sent once, never repeated by themselves; and the look whether an earlier one arrived.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::call::{RENEWALS, blank};
use super::puller::{Step, StreamRun};
use super::{Client, Failure, FailureKind};
use crate::clock::Clock;
use crate::connector::answer::{Heard, Verdict};
use crate::connector::definition::{Find, Write};
use crate::connector::record::{Facts, OwnCode};
use crate::connector::request::{Fresh, Request};
use crate::connector::window::Resume;
use crate::connector::{Bound, text_at};
use crate::ledger::InboundNotice;
use crate::order::StockingOrder;

/// What became of a request with an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Done; the other side's number of it.
    Done(String),
    /// Understood and refused: nothing was done.
    Refused { why: String, answer: Option<Json> },
    /// Not done: it did not reach anybody, or was asked to wait.
    NotNow(String),
    /// It may have been done.
    Unclear(String),
}

/// Makes the request, anew when a token has run out.
type Make<'a> = &'a (dyn Fn(&Fresh) -> Result<Request, String> + Sync);

impl Client {
    /// Sends a request with an effect, once. Only where the other side said that a token has run out, which it does
    /// before it looks at anything else, it is sent again.
    pub async fn tell(&self, bound: &Bound, clock: &dyn Clock, write: &Write, make: Make<'_>) -> Told {
        let session = self.session(&bound.source);
        let not_now = |failure: Failure| match failure.kind {
            FailureKind::Configuration
            | FailureKind::Forbidden
            | FailureKind::Expired
            | FailureKind::TokenLost => Told::Refused {
                why: failure.to_string(),
                answer: None,
            },
            _ => Told::NotNow(failure.to_string()),
        };
        let mut stale = None;
        let mut renewed = 0;
        loop {
            if let Err(failure) = self
                .take_turns(bound, clock, &session, write.request.limits())
                .await
            {
                return not_now(failure);
            }
            let token = match self.token(bound, clock, &session, stale.as_ref()).await {
                Ok(token) => token,
                Err(failure) => return not_now(failure),
            };
            let request = match make(&self.fresh(clock, token.clone())) {
                Ok(request) => request,
                Err(why) => return not_now(Failure::new(FailureKind::Configuration, why)),
            };
            let place = match self.place(bound, clock).await {
                Ok(place) => place,
                Err(failure) => return not_now(failure),
            };
            let sent = self.send_to(bound, &request).await;
            self.give_back(place).await;
            let raw = match sent {
                Ok(raw) => raw,
                Err(failure) if failure.kind == FailureKind::Configuration => return not_now(failure),
                // Also a connection that was not made: which of them it was is not known for certain.
                Err(failure) => return Told::Unclear(failure.to_string()),
            };
            let json: Option<Json> = serde_json::from_slice(&raw.body).ok();
            let verdict = bound.judge(&Heard {
                status: raw.status,
                header: &|name| raw.header(name),
                body: &raw.body,
                json: json.as_ref(),
            });
            let shown = |text: String| blank(bound, token.as_ref(), text);
            let refused = |text: String| Told::Refused {
                why: shown(text),
                answer: json.clone(),
            };
            return match verdict {
                Verdict::Good => match text_at(json.as_ref(), write.number.get_ref()) {
                    Ok(Some(number)) if !number.is_empty() => Told::Done(number),
                    _ => Told::Unclear(format!(
                        "HTTP {}: a good answer without a number at `{}`",
                        raw.status,
                        write.number.get_ref()
                    )),
                },
                Verdict::Expired(_) if token.is_some() && renewed < RENEWALS => {
                    stale = token;
                    renewed += 1;
                    continue;
                }
                Verdict::Throttled(text) | Verdict::Retry(text) => Told::NotNow(shown(text)),
                Verdict::Broken(text) => Told::Unclear(shown(text)),
                Verdict::Expired(text)
                | Verdict::Forbidden(text)
                | Verdict::Unauthorised(text)
                | Verdict::Refused(text)
                | Verdict::Split(text)
                | Verdict::Configuration(text) => refused(text),
                Verdict::Empty => refused("there is nothing for this request".to_owned()),
            };
        }
    }

    /// Every code of goods that the other side has, with its number of it.
    ///
    /// # Errors
    /// When the other side could not be asked, or a row cannot be read: it may be one that is looked for.
    pub async fn codes(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        stream: &str,
    ) -> Result<Vec<OwnCode>, Failure> {
        let mut run = StreamRun::new(self, bound, clock, stream, Resume::default())?;
        let mut found = Vec::new();
        while let Some(step) = run.next().await? {
            let Step::Page(page) = step else { continue };
            if let Some(problem) = page.rows.rejected.first() {
                return Err(Failure::new(FailureKind::WrongSchema, problem.to_string()));
            }
            if let Facts::Codes(codes) = page.rows.facts {
                found.extend(codes);
            }
        }
        Ok(found)
    }

    /// The inbounds under our reference at the other side, the first one first. What the other side has sent by way of
    /// a place that is not configured here is ours too.
    ///
    /// # Errors
    /// When the other side could not be asked: then nothing is known.
    pub async fn known_under(
        &self,
        bound: &Bound,
        clock: &dyn Clock,
        find: &Find,
        order: &StockingOrder,
        since: DateTime<Utc>,
    ) -> Result<Vec<InboundNotice>, Failure> {
        let resume = Resume {
            since: Some(since),
            until: Some(since),
            ..Resume::default()
        };
        let mut run = StreamRun::new(self, bound, clock, find.stream.get_ref(), resume)?
            .counting_elsewhere_for(&order.warehouse);
        let mut found: Vec<InboundNotice> = Vec::new();
        while let Some(step) = run.next().await? {
            let Step::Page(page) = step else { continue };
            if let Some(problem) = page.rows.rejected.first() {
                // It may be the very one.
                return Err(Failure::new(FailureKind::WrongSchema, problem.to_string()));
            }
            let Facts::Inbounds(notices) = page.rows.facts else {
                continue;
            };
            for notice in notices {
                let ours =
                    notice.reference.trim() == order.number.as_str() && !find.gone.contains(&notice.state);
                if ours && found.iter().all(|known| known.inbound_no != notice.inbound_no) {
                    found.push(notice);
                }
            }
        }
        found.sort_by(|a, b| a.inbound_no.cmp(&b.inbound_no));
        Ok(found)
    }
}
