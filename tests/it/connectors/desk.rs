//! A server whose answers a test computes, and small sources written in the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use linkstar::clock::Clock;
use linkstar::connector::window::Resume;
use linkstar::connector::{Bound, ConnectorConfig, Definition, Secret};
use linkstar::http::puller::{PulledPage, Step, StreamRun};
use linkstar::http::{Client, Failure};
use linkstar::ids::{AccountId, SourceId, WarehouseCode};
use linkstar::store::Store;
use serde_json::Value as Json;

use crate::services::{fresh_database, services};

/// A request as the server got it.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Heard {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or(Json::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Said {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

#[expect(clippy::needless_pass_by_value, reason = "every test writes `json!` there")]
pub fn said(status: u16, body: Json) -> Said {
    Said {
        status,
        headers: Vec::new(),
        body: body.to_string(),
    }
}

/// One SKU: the answer every small source understands.
pub fn stock() -> Said {
    said(
        200,
        serde_json::json!({"code": 0, "data": [{"sku": "A", "n": 1}]}),
    )
}

type Answer = Arc<dyn Fn(&Heard) -> Said + Send + Sync>;

#[derive(Clone)]
pub struct Desk {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Desk {
    pub async fn open(answer: impl Fn(&Heard) -> Said + Send + Sync + 'static) -> Self {
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state: (Answer, _) = (Arc::new(answer), Arc::clone(&heard));
        let app = Router::new().fallback(take).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, heard }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("heard").clone()
    }

    pub fn at(&self, path: &str) -> Vec<Heard> {
        self.heard()
            .into_iter()
            .filter(|heard| heard.path == path)
            .collect()
    }

    /// A source that asks this server.
    pub fn source(&self, access: &str, secrets: &[(&str, &str)]) -> Bound {
        source_at(&self.url, "desk", access, secrets)
    }
}

async fn take(State((answer, log)): State<(Answer, Arc<Mutex<Vec<Heard>>>)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a request body");
    let query = parts.uri.query().unwrap_or_default();
    let heard = Heard {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: pairs(query),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    log.lock().expect("heard").push(heard.clone());
    let said = answer(&heard);
    let mut response = Response::builder().status(said.status);
    for (name, value) in said.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(said.body)).expect("an answer")
}

/// `a=b&c=d`, unescaped by the same rules as any form.
pub fn pairs(text: &str) -> BTreeMap<String, String> {
    let url = format!("http://x/?{text}");
    reqwest::Url::parse(&url)
        .expect("a query")
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// The text of a connector file with one stream `stock`.
pub fn file(access: &str, secrets: &[(&str, &str)]) -> String {
    let request = if access.contains("[stream.stock]") {
        ""
    } else {
        "[stream.stock]\nrequest = { method = \"GET\", path = \"/stock\" }"
    };
    let declared: String = secrets
        .iter()
        .map(|(name, _)| format!("[secrets.{name}]\nabout = \"the {name}\"\n"))
        .collect();
    format!(
        "version = 1\nname = \"desk\"\nzone = \"UTC\"\ndoctor = \"stock\"\n[params.url]\nabout = \"where\"\n{declared}\
         [http]\nbase = \"${{param:url}}\"\ntimeout_seconds = \"2\"\n{access}\n{request}\nrecord = \"stock\"\n\
         snapshot = \"complete\"\nwarehouse = \"*\"\nrows = \"data[]\"\n[stream.stock.map]\nsku_code = \"sku\"\n\
         available = \"n | int\"\n"
    )
}

pub fn config_at(url: &str, id: &str, access: &str, secrets: &[(&str, &str)]) -> ConnectorConfig {
    let text = file(access, secrets);
    let definition = Definition::parse("desk.toml", &text).expect("the file the test wrote");
    ConnectorConfig {
        id: SourceId::new(id).expect("an id"),
        definition: Arc::new(definition),
        params: BTreeMap::from([("url".to_owned(), url.to_owned())]),
        secrets: secrets
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
            .collect(),
        warehouses: BTreeMap::from([("W".to_owned(), WarehouseCode::new("desk:W").expect("a warehouse"))]),
    }
}

pub fn source_at(url: &str, id: &str, access: &str, secrets: &[(&str, &str)]) -> Bound {
    Bound::new(&config_at(url, id, access, secrets)).expect("the source the test wrote")
}

/// The first page of a stream.
pub async fn ask_stream(
    client: &Client,
    bound: &Bound,
    clock: &dyn Clock,
    stream: &str,
) -> Result<PulledPage, Failure> {
    let mut run = StreamRun::new(client, bound, clock, stream, Resume::default())?;
    let declared = bound.stream(stream).expect("a stream").0;
    if let Some(warehouse) = bound.snapshots(declared).into_iter().next() {
        run = run.for_warehouse(warehouse);
    }
    let step = run.next().await?;
    let shown = format!("{step:?}");
    let page = match step {
        Some(Step::Page(page)) => Some(*page),
        _ => None,
    };
    Ok(page.expect(&shown))
}

pub async fn ask(client: &Client, bound: &Bound, clock: &dyn Clock) -> Result<PulledPage, Failure> {
    ask_stream(client, bound, clock, "stock").await
}

/// Addresses of fresh databases: SQLite always, PostgreSQL where there is one. The folder must outlive them.
pub async fn databases() -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut urls = vec![format!("sqlite:{}", folder.path().join("linkstar.db").display())];
    if let Some(services) = services() {
        urls.push(fresh_database(&services).await);
    }
    (folder, urls)
}

/// A process's client with a connection of its own to the database.
pub async fn process(url: &str, name: &str, pace: linkstar::http::Pace) -> (Client, Store) {
    let store = Store::open(url).await.expect("a store");
    let client = Client::new(pace).expect("a client");
    client.share(&store, &AccountId::new("main").expect("an account"), name);
    (client, store)
}
