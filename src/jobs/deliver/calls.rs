//! Requests that a connector file declares: one at a time, each looked up at the other side before it is made.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveTime};

use super::{Broken, Delivered, Run};
use crate::connector::definition::{Gives, Write};
use crate::connector::write::{Announcement, Ids};
use crate::connector::{Bound, ConnectorConfig};
use crate::delivery::{Channel, Outcome, State};
use crate::http::{Client, Failure, FailureKind, Told};
use crate::ids::SourceId;
use crate::ledger::InboundNotice;
use crate::order::{OrderState, ReferenceKind};
use crate::store::outbox::{self, Claim, Message};
use crate::store::{StoreError, Tx, blob, facts, orders, references};

/// The configured sources, and who asks them.
#[derive(Clone, Copy)]
pub struct Callers<'a> {
    pub client: &'a Client,
    pub connectors: &'a [ConnectorConfig],
}

/// How an attempt ended, and the inbounds that are now known to be ours.
struct Ended {
    outcome: Outcome,
    /// Whether the other side said that nothing was done, so that the next attempt need not wait.
    nothing_done: bool,
    gave: Option<Gave>,
}

struct Gave {
    announcement: Announcement,
    source: SourceId,
    numbers: Vec<(ReferenceKind, String)>,
    notices: Vec<InboundNotice>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            nothing_done: false,
            gave: None,
        }
    }
}

fn refused(why: impl Into<String>) -> Ended {
    Outcome::Refused { why: why.into() }.into()
}

fn later(why: impl Into<String>) -> Ended {
    Outcome::Retry { why: why.into() }.into()
}

impl Run<'_> {
    /// Makes the requests to one source until one has to wait.
    pub(super) async fn drain_calls(
        &self,
        callers: Callers<'_>,
        target: &str,
    ) -> Result<Vec<Delivered>, StoreError> {
        let mut done = Vec::new();
        loop {
            match self.next_call(callers, target).await {
                Ok(None) => return Ok(done),
                Ok(Some(delivered)) => {
                    let waits = delivered.state == State::Due;
                    done.push(delivered);
                    if waits {
                        return Ok(done);
                    }
                }
                Err(Broken::LeaseLost) => {
                    tracing::warn!(target, "lease lost, another worker has the request");
                }
                Err(Broken::Store(error)) => return Err(error),
            }
        }
    }

    async fn next_call(&self, callers: Callers<'_>, target: &str) -> Result<Option<Delivered>, Broken> {
        let Some((claim, message)) = self.claim(Channel::Api, target).await? else {
            return Ok(None);
        };
        let claims = [claim];
        let [claim] = &claims;
        let ended = self.guarded(&claims, self.call(callers, claim, &message)).await?;
        let mut tries = 0;
        loop {
            match self.record_call((claim, &message), &ended).await {
                Ok(Some(delivered)) => return Ok(Some(delivered)),
                Ok(None) => return Err(Broken::LeaseLost),
                Err(error) => self.record_again(&mut tries, error).await?,
            }
        }
    }

    /// The state, the number and the link to the order, or none of them.
    async fn record_call(
        &self,
        (claim, message): (&Claim, &Message),
        ended: &Ended,
    ) -> Result<Option<Delivered>, StoreError> {
        let mut tx = self.store.write().await?;
        if ended.nothing_done {
            match outbox::unmark_handed(&mut tx, claim, self.clock.now()).await {
                Err(StoreError::Affected { .. }) => return Ok(None),
                other => other?,
            }
        }
        if let Some(gave) = &ended.gave {
            self.link(&mut tx, gave).await?;
        }
        let verdict = self.verdict(claim, ended.outcome.clone());
        let delivered = self.finish(&mut tx, (claim, message), verdict).await?;
        if delivered.is_some() {
            tx.commit().await?;
        }
        Ok(delivered)
    }

    async fn link(&self, tx: &mut Tx, gave: &Gave) -> Result<(), StoreError> {
        let (order, now) = (&gave.announcement.order, self.clock.now());
        for (kind, number) in &gave.numbers {
            let name = (&order.number, *kind, number.as_str());
            references::link(tx, self.account, name, gave.source.as_str(), now).await?;
        }
        // Receipts may name the number before the next pull has seen the inbound itself.
        facts::merge_inbounds(tx, self.account, &gave.notices).await
    }

    async fn call(&self, callers: Callers<'_>, claim: &Claim, message: &Message) -> Result<Ended, Broken> {
        let Some(config) = callers
            .connectors
            .iter()
            .find(|config| config.id.as_str() == message.target)
        else {
            return Ok(refused(format!("no source `{}` is configured", message.target)));
        };
        let bound = match Bound::new(config) {
            Ok(bound) => bound,
            Err(problems) => {
                let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
                return Ok(refused(why.join("; ")));
            }
        };
        let (announcement, stored) = {
            let mut tx = self.store.read().await?;
            let bytes = match blob::get(&mut tx, self.account, &message.sha256).await {
                Ok(bytes) => bytes,
                Err(StoreError::Corrupt { what, why }) => return Ok(refused(format!("{what}: {why}"))),
                Err(error) => return Err(error.into()),
            };
            let announcement: Announcement = match serde_json::from_slice(&bytes) {
                Ok(announcement) => announcement,
                Err(error) => return Ok(refused(format!("the stored order cannot be read: {error}"))),
            };
            let stored = orders::get(&mut tx, self.account, &announcement.order.number).await?;
            (announcement, stored)
        };
        let Some(write) = bound.write(&announcement.write) else {
            return Ok(refused(format!(
                "`{}` has no [write.{}]",
                message.target, announcement.write
            )));
        };
        let order = &announcement.order;
        let now = self.clock.now();
        let settled = |handed| now >= handed + Duration::seconds(i64::from(write.settle_seconds));
        if message.handed_at.is_some_and(|handed| !settled(handed)) {
            return Ok(later(
                "an earlier answer was lost; it is looked for a little later",
            ));
        }
        match (&write.find, message.handed_at) {
            (Some(find), _) => {
                let since = (order.created_on - Duration::days(1))
                    .and_time(NaiveTime::MIN)
                    .and_utc();
                match callers
                    .client
                    .known_under(&bound, self.clock, find, order, since)
                    .await
                {
                    Ok(found) if !found.is_empty() => {
                        return Ok(adopted(announcement, bound.source.clone(), found));
                    }
                    Ok(_) => {}
                    Err(failure) => return Ok(not_asked("not looked up", &failure)),
                }
            }
            (None, Some(_)) => {
                let why = "an answer was lost, and this system cannot be asked whether it did it";
                return Ok(Outcome::Doubtful { why: why.to_owned() }.into());
            }
            (None, None) => {}
        }
        // What was given up or changed since is not made any more; what is there already was adopted above.
        match stored {
            Some(stored) if stored.state == OrderState::Cancelled => {
                return Ok(refused("the order was cancelled"));
            }
            Some(stored) if stored.order.revision != order.revision => {
                return Ok(refused(format!(
                    "revision {} has taken its place",
                    stored.order.revision
                )));
            }
            _ => {}
        }
        let ids = match &write.ids {
            None => Ids::Known(BTreeMap::new()),
            Some(stream) => {
                let listed = callers.client.codes(&bound, self.clock, stream.get_ref()).await;
                match listed.map(|listed| bound.pick_ids(&announcement, &listed)) {
                    Ok(Ok(ids)) => ids,
                    Ok(Err(problems)) => {
                        let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
                        return Ok(refused(why.join("\n")));
                    }
                    Err(failure) => return Ok(not_asked("the goods were not looked up", &failure)),
                }
            }
        };
        let mut tx = self.store.write().await?;
        outbox::mark_handed(&mut tx, claim, now).await?;
        tx.commit().await?;
        let make = |fresh: &_| bound.write_request(write, &announcement, &ids, fresh);
        let told = callers.client.tell(&bound, self.clock, write, &make).await;
        Ok(ended(&bound, write, announcement, told))
    }
}

/// A question that comes before the request failed: nothing was done.
fn not_asked(what: &str, failure: &Failure) -> Ended {
    let why = format!("{what}: {failure}");
    match failure.kind {
        FailureKind::Configuration | FailureKind::Forbidden | FailureKind::Expired => refused(why),
        _ => later(why),
    }
}

fn adopted(announcement: Announcement, source: SourceId, found: Vec<InboundNotice>) -> Ended {
    let numbers: Vec<String> = found.iter().map(|notice| notice.inbound_no.clone()).collect();
    Ended {
        outcome: Outcome::Sent {
            receipt: format!("{}, which was there already", numbers.join(", ")),
        },
        nothing_done: false,
        gave: Some(Gave {
            announcement,
            source,
            numbers: numbers
                .into_iter()
                .map(|number| (ReferenceKind::Inbound, number))
                .collect(),
            notices: found,
        }),
    }
}

fn ended(bound: &Bound, write: &Write, announcement: Announcement, told: Told) -> Ended {
    match told {
        Told::Done(number) => {
            let order = &announcement.order;
            let (kind, notices) = match write.gives {
                Gives::Inbound => {
                    let notice = InboundNotice {
                        source: bound.source.clone(),
                        warehouse: order.warehouse.clone(),
                        inbound_no: number.clone(),
                        reference: order.number.to_string(),
                        state: "announced".to_owned(),
                        closed: false,
                        updated_at: None,
                    };
                    (ReferenceKind::Inbound, vec![notice])
                }
                Gives::Booking => (ReferenceKind::Booking, Vec::new()),
            };
            Ended {
                outcome: Outcome::Sent {
                    receipt: number.clone(),
                },
                nothing_done: false,
                gave: Some(Gave {
                    announcement,
                    source: bound.source.clone(),
                    numbers: vec![(kind, number)],
                    notices,
                }),
            }
        }
        Told::Refused { why, answer } => {
            let problems = bound.refusal(write, &announcement, &why, answer.as_ref());
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Ended {
                nothing_done: true,
                ..refused(format!("{why}\n{}", said.join("\n")))
            }
        }
        Told::NotNow(why) => Ended {
            nothing_done: true,
            ..later(why)
        },
        Told::Unclear(why) if write.find.is_none() => Outcome::Doubtful {
            why: format!("it may have been done, and this system cannot be asked: {why}"),
        }
        .into(),
        Told::Unclear(why) => later(format!("it is not known whether it was done: {why}")),
    }
}
