//! Two processes that ask one source keep its limits together, over real HTTP.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use linkstar::connector::{ConnectorConfig, Definition};
use linkstar::http::{Client, Pace};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::night::pull::pull;
use linkstar::store::Store;
use linkstar::store::facts::PullState;
use linkstar::telemetry::SystemClock;
use tokio::time::Instant;

use super::{account, databases};

const CONNECTOR: &str = r#"version = 1
name = "x"
zone = "UTC"
doctor = "stock"
[http]
base = "BASE"
parallel = 1
[limits]
all = { rate = 20.0, burst = 2 }
[stream.stock]
record = "stock"
snapshot = "complete"
warehouse = "*"
request = { method = "GET", path = "/stock", limit = "all" }
rows = "data[]"
[stream.stock.map]
sku_code = "sku"
available = "units | int"
"#;

#[derive(Default)]
struct Seen {
    at: Mutex<Vec<Instant>>,
    now: AtomicU32,
    most: AtomicU32,
}

async fn stock(State(seen): State<Arc<Seen>>) -> axum::Json<serde_json::Value> {
    let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most.fetch_max(now, Ordering::SeqCst);
    seen.at.lock().expect("a list").push(Instant::now());
    tokio::time::sleep(Duration::from_millis(20)).await;
    seen.now.fetch_sub(1, Ordering::SeqCst);
    axum::Json(serde_json::json!({"data": [{"sku": "A", "units": "1"}]}))
}

async fn server() -> (String, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let router = Router::new()
        .route("/stock", get(stock))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r78_two_processes_keep_the_rate_and_the_places_of_a_source_together() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()).await {
        let (url, seen) = server().await;
        let definition = Definition::parse("x.toml", &CONNECTOR.replace("BASE", &url)).unwrap();
        let definition = Arc::new(definition);
        let pulls = (0..2).map(|process| {
            let (database, definition) = (database.clone(), Arc::clone(&definition));
            tokio::spawn(async move {
                // A store and a client each: nothing but the database is shared.
                let store = Store::open(&database).await.expect("a store");
                let client = Client::new(Pace::Real).expect("a client");
                client.share(&store, &account(), format!("process-{process}"));
                let config = ConnectorConfig {
                    id: SourceId::new("goodcang-uk").expect("an id"),
                    definition,
                    params: BTreeMap::new(),
                    secrets: BTreeMap::new(),
                    warehouses: [("W", "goodcang:UKMA"), ("V", "goodcang:DEBE")]
                        .map(|(theirs, ours)| (theirs.to_owned(), WarehouseCode::new(ours).expect("a code")))
                        .into(),
                };
                for _ in 0..4 {
                    let report = pull(&store, &SystemClock, &account(), &config, &client, None).await;
                    assert_eq!(report.state(), PullState::Ok, "{report:?}");
                }
                store.close().await;
            })
        });
        for pull in pulls {
            pull.await.unwrap();
        }
        let mut at = seen.at.lock().unwrap().clone();
        at.sort();
        assert_eq!(at.len(), 16);
        assert_eq!(seen.most.load(Ordering::SeqCst), 1, "one place for both");
        // Two at once, then one every 50 ms; what comes late on the way may be close to its follower.
        let took = at[at.len() - 1] - at[0];
        assert!(
            took >= Duration::from_millis(14 * 50 - 60),
            "16 requests within {took:?}"
        );
    }
}
