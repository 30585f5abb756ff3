//! Telling an order to the system that waits for it: the warehouse's inbound, the carrier's booking.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Night, NightError};
use crate::catalog::CodeKind;
use crate::connector::request::{Fresh, Request};
use crate::connector::write::{Announcement, Ids};
use crate::connector::{Bound, ConnectorConfig};
use crate::delivery::{Channel, State};
use crate::ids::{OrderNo, SourceId};
use crate::order::{OrderState, StockingOrder};
use crate::problem::{Problem, nearest};
use crate::store::outbox::{self, Enqueued, NewMessage};
use crate::store::{Tx, catalog, orders};

/// Why an order is not told.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    #[error("no order `{0}`")]
    Unknown(OrderNo),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
    #[error("the order is {}: only one that waits to arrive is told", .0.code())]
    Over(OrderState),
    #[error("revision {revision} was told before: change it at {source_id}, or withdraw `{key}` first")]
    Earlier {
        revision: u32,
        source_id: SourceId,
        key: String,
    },
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error(transparent)]
    Night(#[from] NightError),
}

/// What is to be told, and to whom.
pub struct Prepared {
    pub source: SourceId,
    pub announcement: Announcement,
    /// As it would be sent now; secrets are in its headers and address.
    request: Request,
}

impl Prepared {
    /// Method, path and body, without what proves who asks.
    #[must_use]
    pub fn shown(&self) -> Json {
        let body = self.request.body.as_deref().unwrap_or_default();
        let body: Json = serde_json::from_slice(body)
            .unwrap_or_else(|_| Json::String(String::from_utf8_lossy(body).into_owned()));
        serde_json::json!({"source": self.source, "request": self.request.ask, "body": body})
    }
}

/// Key of the message: one per order, source and revision, for ever.
#[must_use]
pub fn announce_key(order: &OrderNo, write: &str, source: &SourceId, revision: u32) -> String {
    format!("{}r{revision}", key_head(order, write, source))
}

fn key_head(order: &OrderNo, write: &str, source: &SourceId) -> String {
    format!("order/{order}/{write}/{source}/")
}

/// Builds what would be told. Writes nothing and asks nobody.
///
/// # Errors
/// Everything in its way, at once.
pub async fn prepare(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    to: Option<&str>,
) -> Result<Prepared, AnnounceError> {
    let account = night.account();
    let stored = orders::get(tx, account, number)
        .await?
        .ok_or_else(|| AnnounceError::Unknown(number.clone()))?;
    if stored.state.is_over() || stored.state == OrderState::Draft {
        return Err(AnnounceError::Over(stored.state));
    }
    let order = stored.order;
    let config = choose(&night.tools.connectors, &order, to)?;
    let file = &config.definition.file;
    let write = file.write.keys().next().cloned().ok_or_else(|| {
        wanted(
            to.unwrap_or_default(),
            "a source whose connector file has a [write.…]",
        )
    })?;
    let catalog = catalog::load(tx, account, night.today()).await?;
    let multiples: BTreeMap<u32, i64> = order
        .lines
        .iter()
        .filter_map(|line| {
            let code = &line.goods.warehouse_sku;
            let found = CodeKind::ALL
                .iter()
                .find_map(|kind| catalog.resolve(&config.id, *kind, code, night.today()))?;
            Some((line.no, found.multiple))
        })
        .collect();
    let warehouse = config
        .warehouses
        .iter()
        .find(|(_, ours)| **ours == order.warehouse)
        .map(|(theirs, _)| theirs.clone())
        .unwrap_or_default();
    let announcement = Announcement {
        write: write.clone(),
        warehouse,
        order,
        multiples,
    };
    let problems = announcement.problems();
    if !problems.is_empty() {
        return Err(AnnounceError::Problems(problems));
    }
    let bound = Bound::new(config).map_err(AnnounceError::Problems)?;
    let fresh = Fresh {
        now: night.now(),
        ..Fresh::default()
    };
    let declared = bound
        .write(&write)
        .ok_or_else(|| wanted(&write, "a [write.…] of the connector file"))?;
    let request = bound
        .write_request(declared, &announcement, &Ids::ToBeAsked, &fresh)
        .map_err(|why| wanted(&format!("write.{write}"), &why))?;
    Ok(Prepared {
        source: config.id.clone(),
        announcement,
        request,
    })
}

fn wanted(found: &str, what: &str) -> AnnounceError {
    AnnounceError::Problems(vec![Problem::new("linkstar.toml", "", "connector", found, what)])
}

/// The source that was named, or the only one that serves the order's warehouse and can be told.
fn choose<'c>(
    connectors: &'c [ConnectorConfig],
    order: &StockingOrder,
    to: Option<&str>,
) -> Result<&'c ConnectorConfig, AnnounceError> {
    let mut able = connectors
        .iter()
        .filter(|config| !config.definition.file.write.is_empty());
    if let Some(to) = to {
        let names = able.clone().map(|config| config.id.as_str());
        let near = nearest(to, names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return able.find(|config| config.id.as_str() == to).ok_or_else(|| {
            wanted(
                to,
                &format!("a source whose connector file has a [write.…]{near}"),
            )
        });
    }
    let serving: Vec<&ConnectorConfig> = able
        .filter(|config| config.warehouses.values().any(|ours| *ours == order.warehouse))
        .collect();
    match serving.as_slice() {
        [one] => Ok(one),
        [] => Err(wanted(
            order.warehouse.as_str(),
            "a source of this warehouse whose connector file has a [write.…]",
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|config| config.id.as_str()).collect();
            Err(wanted(&names.join(", "), "one of them, named with --to"))
        }
    }
}

/// Puts the message into the outbox, in the caller's transaction. The same again is the same message.
///
/// # Errors
/// When an earlier revision may be known at the other side, or the engine refuses.
pub async fn enqueue(
    night: &Night<'_>,
    tx: &mut Tx,
    prepared: &Prepared,
) -> Result<(String, State), AnnounceError> {
    let (account, announcement) = (night.account(), &prepared.announcement);
    let (number, revision) = (&announcement.order.number, announcement.order.revision);
    let key = announce_key(number, &announcement.write, &prepared.source, revision);
    let head = key_head(number, &announcement.write, &prepared.source);
    for earlier in outbox::beginning(tx, account, &head).await? {
        let other = earlier.business_key != key;
        let gone = matches!(earlier.state, State::Withdrawn | State::Refused);
        if other && !gone {
            let told = earlier
                .business_key
                .rsplit_once('r')
                .and_then(|(_, text)| text.parse().ok());
            return Err(AnnounceError::Earlier {
                revision: told.unwrap_or(0),
                source_id: prepared.source.clone(),
                key: earlier.business_key,
            });
        }
        if !other {
            return Ok((key, earlier.state));
        }
    }
    let bytes = serde_json::to_vec(announcement).map_err(|error| crate::store::StoreError::Corrupt {
        what: format!("announcement of `{number}`"),
        why: error.to_string(),
    })?;
    let message = NewMessage {
        business_key: &key,
        channel: Channel::Api,
        target: prepared.source.as_str(),
        remote_name: number.as_str(),
        kind: "announcement",
        bytes: &bytes,
        envelope: None,
        message_id: None,
        depends_on: None,
        run_after: night.now(),
    };
    Ok(match outbox::enqueue(tx, account, &message, night.now()).await? {
        Enqueued::New => (key, State::Due),
        Enqueued::Already(state) | Enqueued::Taken { state, .. } => (key, state),
    })
}
