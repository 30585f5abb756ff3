//! One order on its way to a warehouse: its message in the outbox of one engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use linkstar::clock::FixedClock;
use linkstar::connector::write::Announcement;
use linkstar::connector::{ConnectorConfig, Definition, Secret};
use linkstar::delivery::{Channel, State};
use linkstar::http::{Client, Pace};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::jobs::{Callers, Senders, deliver_due};
use linkstar::order::StockingOrder;
use linkstar::store::outbox::{self, NewMessage};
use linkstar::store::{Store, facts, orders, references};
use serde_json::Value as Json;

use super::{account, at, found};
use crate::papers::orders::order as random_order;

pub const KEY: &str = "order/X/create_inbound/the-source/r1";

#[derive(Clone, Copy, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// Stores it; the answer breaks off.
    StoredAndCut,
    /// Stores nothing; the answer breaks off.
    LostAndCut,
    /// Too many requests.
    Throttled,
    /// Does not know this SKU.
    Refuses,
}

pub fn cut() -> Response {
    let parts = vec![
        Ok(Bytes::from_static(b"{\"ask\":")),
        Err(std::io::Error::other("cut")),
    ];
    Response::new(Body::from_stream(futures_util::stream::iter(parts)))
}

pub fn says(status: u16, json: &Json) -> Response {
    let answer = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    answer.body(Body::from(json.to_string())).expect("an answer")
}

/// A shipped file, a server, and a warehouse by their code and ours.
pub fn source(
    file: &str,
    params: &[(&str, &str)],
    secrets: &[(&str, &str)],
    (theirs, ours): (&str, &str),
) -> ConnectorConfig {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("connectors")
        .join(file);
    let text = std::fs::read_to_string(path).expect("a connector file");
    let definition = Arc::new(Definition::parse(file, &text).expect("a good connector file"));
    ConnectorConfig {
        id: SourceId::new("the-source").expect("an id"),
        definition,
        params: params
            .iter()
            .chain(&[("timeout_seconds", "2")])
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        secrets: secrets
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
            .collect(),
        warehouses: BTreeMap::from([(theirs.to_owned(), WarehouseCode::new(ours).expect("a code"))]),
    }
}

/// The order every letter is about, for a warehouse of ours.
pub fn order_to(warehouse: &str) -> StockingOrder {
    let mut order = random_order(7);
    order.warehouse = WarehouseCode::new(warehouse).expect("a code");
    order.created_on = at(0).date_naive();
    order
}

pub struct Letter {
    pub store: Store,
    pub clock: FixedClock,
    pub client: Client,
    pub config: ConnectorConfig,
    pub order: StockingOrder,
}

impl Letter {
    pub async fn new(store: Store, config: ConnectorConfig, order: StockingOrder) -> Self {
        let (warehouse, ours) = config.warehouses.iter().next().expect("a warehouse");
        assert_eq!(*ours, order.warehouse);
        let announcement = Announcement {
            write: "create_inbound".to_owned(),
            warehouse: warehouse.clone(),
            order: order.clone(),
            multiples: BTreeMap::new(),
        };
        assert_eq!(announcement.problems(), []);
        let mut tx = store.write().await.expect("the store answers");
        orders::create(&mut tx, &account(), &order, order.eta, "test", at(0))
            .await
            .expect("an order");
        let message = NewMessage {
            business_key: KEY,
            channel: Channel::Api,
            target: config.id.as_str(),
            remote_name: order.number.as_str(),
            kind: "announcement",
            bytes: &serde_json::to_vec(&announcement).expect("JSON"),
            envelope: None,
            message_id: None,
            depends_on: None,
            run_after: at(0),
        };
        let _ = outbox::enqueue(&mut tx, &account(), &message, at(0))
            .await
            .expect("enqueued");
        tx.commit().await.expect("committed");
        Self {
            store,
            clock: FixedClock::new(at(0)),
            client: Client::new(Pace::Skip).expect("a client"),
            config,
            order,
        }
    }

    pub async fn deliver(&self, second: i64) -> (State, String) {
        self.clock.set(at(second));
        let connectors = [self.config.clone()];
        let senders = Senders {
            calls: Some(Callers {
                client: &self.client,
                connectors: &connectors,
            }),
            ..Senders::default()
        };
        deliver_due(&self.store, &self.clock, &account(), &senders, "worker")
            .await
            .expect("the store answers");
        let message = found(&self.store, KEY).await;
        (
            message.state,
            message.receipt.or(message.last_error).unwrap_or_default(),
        )
    }

    /// A worker claims it, writes down that it goes out, and is gone: what it was to say is given.
    pub async fn claimed_by_the_dead(&self) -> Announcement {
        let mut tx = self.store.write().await.expect("the store answers");
        let way = (Channel::Api, self.config.id.as_str());
        let lease = chrono::Duration::seconds(120);
        let (claim, message) = outbox::claim(&mut tx, &account(), way, "dead", at(1), lease)
            .await
            .expect("the store answers")
            .expect("a message");
        outbox::mark_handed(&mut tx, &claim, at(1)).await.expect("marked");
        let bytes = linkstar::store::blob::get(&mut tx, &account(), &message.sha256)
            .await
            .expect("the announcement");
        tx.commit().await.expect("committed");
        serde_json::from_slice(&bytes).expect("an announcement")
    }

    /// Number and reference of the inbounds that we know.
    pub async fn linked(&self) -> Vec<(String, String)> {
        let mut tx = self.store.read().await.expect("the store answers");
        let names = references::of_order(&mut tx, &account(), &self.order.number)
            .await
            .expect("names");
        let (notices, _) = facts::inbounds(&mut tx, &account()).await.expect("inbounds");
        let known: Vec<_> = notices.iter().map(|notice| notice.inbound_no.clone()).collect();
        assert_eq!(
            names
                .iter()
                .map(|name| name.reference.clone())
                .collect::<Vec<_>>(),
            known
        );
        assert!(
            notices
                .iter()
                .all(|notice| notice.warehouse == self.order.warehouse)
        );
        notices
            .into_iter()
            .map(|notice| (notice.inbound_no, notice.reference))
            .collect()
    }
}
