//! A server that plays what a test writes into its script, and a source that points to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use futures_util::stream;
use linkstar::clock::FixedClock;
use linkstar::connector::{ConnectorConfig, Definition, Secret};
use linkstar::http::{Client, Pace};
use linkstar::ids::{AccountId, SourceId, WarehouseCode};
use linkstar::night::pull::{PullReport, StreamReport, pull};
use linkstar::store::Store;
use serde_json::Value as Json;

use crate::services::services;

/// One answer of the server.
#[derive(Clone)]
pub enum Reply {
    Json(u16, Json),
    With(u16, Vec<(&'static str, String)>, Json),
    Bytes(Vec<u8>),
    /// Some bytes of the promised body, then the connection is cut.
    CutOff(Vec<u8>),
    /// The answer for this access token; any other one has expired.
    ForToken(&'static str, u16, Json),
    /// Nothing for this long.
    Silent(Duration),
}

#[derive(Default)]
struct Script {
    replies: BTreeMap<String, VecDeque<Reply>>,
    asked: Vec<Asked>,
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// A server on loopback. The last answer written for a path stays.
#[derive(Clone)]
pub struct Stage {
    script: Arc<Mutex<Script>>,
    pub url: String,
}

impl Stage {
    pub async fn open() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(play).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { script, url }
    }

    /// Adds an answer for a path (without query).
    pub fn on(&self, path: &str, reply: Reply) -> &Self {
        let mut script = self.script.lock().expect("script");
        script
            .replies
            .entry(path.to_owned())
            .or_default()
            .push_back(reply);
        self
    }

    pub fn json(&self, path: &str, json: Json) -> &Self {
        self.on(path, Reply::Json(200, json))
    }

    /// Forgets every answer, keeps the list of what was asked.
    pub fn clear(&self) {
        self.script.lock().expect("script").replies.clear();
    }

    pub fn asked(&self, path: &str) -> Vec<Asked> {
        let script = self.script.lock().expect("script");
        script
            .asked
            .iter()
            .filter(|asked| asked.path == path)
            .cloned()
            .collect()
    }
}

async fn play(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a request body");
    let path = parts.uri.path().to_owned();
    let token = parts.headers.get("x-amz-access-token").cloned();
    let reply = {
        let mut script = script.lock().expect("script");
        script.asked.push(Asked {
            path: path.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
                .collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        match script.replies.get_mut(&path) {
            Some(replies) if replies.len() > 1 => replies.pop_front(),
            Some(replies) => replies.front().cloned(),
            None => None,
        }
    };
    let json = |status: u16, headers: Vec<(&'static str, String)>, json: Json| {
        let mut answer = Response::builder()
            .status(status)
            .header("content-type", "application/json");
        for (name, value) in headers {
            answer = answer.header(name, value);
        }
        answer.body(Body::from(json.to_string())).expect("an answer")
    };
    match reply {
        None => json(
            404,
            Vec::new(),
            serde_json::json!({"errors": [{"message": "not in the script"}]}),
        ),
        Some(Reply::Json(status, body)) => json(status, Vec::new(), body),
        Some(Reply::With(status, headers, body)) => json(status, headers, body),
        Some(Reply::ForToken(wanted, status, body))
            if token.as_ref().is_some_and(|token| token == wanted) =>
        {
            json(status, Vec::new(), body)
        }
        Some(Reply::ForToken(..)) => {
            let text = "The access token you provided has expired.";
            json(
                403,
                Vec::new(),
                serde_json::json!({"errors": [{"message": text}]}),
            )
        }
        Some(Reply::Bytes(bytes)) => Response::new(Body::from(bytes)),
        Some(Reply::CutOff(bytes)) => {
            let parts = vec![Ok(Bytes::from(bytes)), Err(std::io::Error::other("cut"))];
            Response::new(Body::from_stream(stream::iter(parts)))
        }
        Some(Reply::Silent(wait)) => {
            tokio::time::sleep(wait).await;
            Response::new(Body::empty())
        }
    }
}

pub const TOKEN: &str = "/auth/o2/token";
pub const REPORTS: &str = "/reports/2021-06-30/reports";
pub const SUMMARIES: &str = "/fba/inventory/v1/summaries";

pub fn definition(file: &str) -> Arc<Definition> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("connectors")
        .join(file);
    let text = std::fs::read_to_string(path).expect("a connector file");
    Arc::new(Definition::parse(file, &text).expect("a good connector file"))
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn secrets(names: &[&str]) -> BTreeMap<String, Secret> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), Secret::new(format!("s3cret-{name}"))))
        .collect()
}

fn warehouses(pairs: &[(&str, &str)]) -> BTreeMap<String, WarehouseCode> {
    pairs
        .iter()
        .map(|(code, ours)| ((*code).to_owned(), WarehouseCode::new(ours).expect("a code")))
        .collect()
}

/// The demo seller's store at Amazon.
pub fn amazon(stage: &Stage) -> ConnectorConfig {
    ConnectorConfig {
        id: SourceId::new("amazon-uk").expect("an id"),
        definition: definition("amazon-sp-api.toml"),
        params: texts(&[
            ("marketplace_id", "A1F83G8C2ARO7P"),
            ("base_url", &stage.url),
            ("token_url", &format!("{}{TOKEN}", stage.url)),
            ("history_days", "20"),
            ("timeout_seconds", "2"),
        ]),
        secrets: secrets(&["client_id", "client_secret", "refresh_token"]),
        warehouses: warehouses(&[("Amazon", "amazon:GB"), ("Merchant", "goodcang:UKMA")]),
    }
}

pub fn goodcang(stage: &Stage) -> ConnectorConfig {
    ConnectorConfig {
        id: SourceId::new("goodcang-uk").expect("an id"),
        definition: definition("goodcang.toml"),
        params: texts(&[
            ("base_url", &stage.url),
            ("zone", "Europe/London"),
            ("history_days", "20"),
            ("timeout_seconds", "2"),
        ]),
        secrets: secrets(&["app_key", "app_token"]),
        warehouses: warehouses(&[("UKMA", "goodcang:UKMA")]),
    }
}

/// Store, clock and client of one test.
pub struct House {
    pub store: Store,
    pub clock: FixedClock,
    pub client: Client,
    pub account: AccountId,
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

impl House {
    /// In the PostgreSQL of the services, where every test is an account of its own; in memory where there is none.
    pub async fn new(now: &str) -> Self {
        static ACCOUNTS: AtomicU32 = AtomicU32::new(0);
        let url = services().map_or_else(|| "sqlite::memory:".to_owned(), |found| found.database_url);
        let number = ACCOUNTS.fetch_add(1, Ordering::Relaxed);
        let store = Store::open(&url).await.expect("a store");
        Self::of(store, now, &format!("main-{}-{number}", std::process::id()))
    }

    pub fn of(store: Store, now: &str, account: &str) -> Self {
        let house = Self {
            store,
            clock: FixedClock::new(at(now)),
            client: Client::new(Pace::Skip).expect("a client"),
            account: AccountId::new(account).expect("an account"),
        };
        house.client.share(&house.store, &house.account, "test");
        house
    }

    pub async fn pull(&self, config: &ConnectorConfig) -> PullReport {
        self.pull_in(None, config).await
    }

    pub async fn pull_in(&self, run: Option<&str>, config: &ConnectorConfig) -> PullReport {
        pull(&self.store, &self.clock, &self.account, config, &self.client, run).await
    }
}

pub fn stream<'a>(report: &'a PullReport, name: &str) -> &'a StreamReport {
    report
        .streams
        .iter()
        .find(|stream| stream.stream == name)
        .expect("a stream of that name")
}

pub fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("gzip");
    encoder.finish().expect("gzip")
}

pub const HEADER: &str = "amazon-order-id\tpurchase-date\tlast-updated-date\torder-status\tfulfillment-channel\tsales-channel\tsku\titem-status\tquantity";

/// One line of the order report: id, ordered, updated, state, channel, SKU, units.
pub fn line(
    id: &str,
    ordered: &str,
    updated: &str,
    state: &str,
    channel: &str,
    sku: &str,
    units: i64,
) -> String {
    format!("{id}\t{ordered}\t{updated}\t{state}\t{channel}\tAmazon.co.uk\t{sku}\t{state}\t{units}")
}

pub fn report_text(lines: &[String]) -> String {
    std::iter::once(HEADER.to_owned())
        .chain(lines.iter().cloned())
        .map(|line| line + "\n")
        .collect()
}

impl Stage {
    /// A token endpoint that always gives `token`.
    pub fn with_token(&self) -> &Self {
        self.json(
            TOKEN,
            serde_json::json!({"access_token": "token-1", "token_type": "bearer", "expires_in": 3600}),
        )
    }

    /// A report that is done at once and has this text.
    pub fn with_report(&self, text: &str) -> &Self {
        self.on(REPORTS, Reply::Json(202, serde_json::json!({"reportId": "R1"})))
            .json(
                &format!("{REPORTS}/R1"),
                serde_json::json!({"processingStatus": "DONE", "reportId": "R1", "reportDocumentId": "D1"}),
            )
            .json(
                "/reports/2021-06-30/documents/D1",
                serde_json::json!({"reportDocumentId": "D1", "url": format!("{}/doc/D1?sig=x", self.url), "compressionAlgorithm": "GZIP"}),
            )
            .on("/doc/D1", Reply::Bytes(gzip(text)))
    }

    pub fn with_summaries(&self, rows: &[(&str, i64)]) -> &Self {
        self.json(SUMMARIES, summaries(rows, None))
    }
}

pub fn summaries(rows: &[(&str, i64)], next: Option<&str>) -> Json {
    let rows: Vec<Json> = rows
        .iter()
        .map(|(sku, units)| {
            serde_json::json!({"sellerSku": sku, "totalQuantity": units, "inventoryDetails": {"fulfillableQuantity": units}})
        })
        .collect();
    serde_json::json!({
        "payload": {"granularity": {"granularityType": "Marketplace"}, "inventorySummaries": rows},
        "pagination": next.map_or_else(|| serde_json::json!({}), |token| serde_json::json!({"nextToken": token})),
    })
}

/// The parameters of a query, as a server reads them.
pub fn query(text: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            let digit = |byte: Option<u8>| {
                byte.and_then(|byte| char::from(byte).to_digit(16))
                    .expect("a hex digit")
            };
            bytes.push(match byte {
                b'%' => u8::try_from(digit(rest.next()) * 16 + digit(rest.next())).expect("a byte"),
                b'+' => b' ',
                byte => byte,
            });
        }
        String::from_utf8(bytes).expect("UTF-8")
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Day, fulfilment, SKU code and units of everything sold.
pub async fn sold_days(house: &House) -> Vec<(String, String, String, i64)> {
    let mut tx = house.store.read().await.expect("a transaction");
    let day = |text: &str| text.parse().expect("a day");
    let history =
        linkstar::store::facts::sales_history(&mut tx, &house.account, day("2020-01-01"), day("2030-01-01"));
    let mut sold = Vec::new();
    for series in history.await.expect("history") {
        for (day, units) in series.days {
            let (fulfilment, code) = (series.fulfilment.clone(), series.sku_code.clone());
            sold.push((day.to_string(), fulfilment, code, units));
        }
    }
    sold.sort();
    sold
}

/// Units per SKU code of all days.
pub async fn sold(house: &House) -> BTreeMap<String, i64> {
    let mut sold = BTreeMap::new();
    for (_, _, code, units) in sold_days(house).await {
        *sold.entry(code).or_insert(0) += units;
    }
    sold
}

pub fn units(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    pairs
        .iter()
        .map(|(sku, units)| ((*sku).to_owned(), *units))
        .collect()
}
