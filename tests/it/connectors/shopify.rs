//! Shopify, against a shop that validates every GraphQL text with Shopify's own schema and executes it
//! (tests/servers/shopify.mjs).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use linkstar::connector::{ConnectorConfig, Secret};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::store::facts::{self, PullState};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::stage::{House, at, definition, sold, stream, units};
use crate::services::missing;

struct Shop {
    _program: Child,
    url: String,
}

impl Shop {
    async fn open() -> Option<Self> {
        let Some(folder) = std::env::var_os("LINKSTAR_SHOPIFY") else {
            missing("LINKSTAR_SHOPIFY names no folder where `npm i graphql@16` was run");
            return None;
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let mut program = Command::new("node")
            .arg(root.join("servers/shopify.mjs"))
            .arg(root.join("fixtures/connectors/shopify/admin_2026-10.json.gz"))
            .env("LINKSTAR_SHOPIFY", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let out = program.stdout.take().expect("its output");
        let mut url = String::new();
        BufReader::new(out)
            .read_line(&mut url)
            .await
            .expect("its address");
        Some(Self {
            _program: program,
            url: url.trim().to_owned(),
        })
    }

    /// One request beside the API: what the shop holds, what goes wrong, what it was asked.
    async fn tell(&self, path: &str, body: &Json) -> Json {
        let host = self.url.strip_prefix("http://").expect("an address");
        let mut stream = tokio::net::TcpStream::connect(host).await.expect("a connection");
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let start = answer.find("\r\n\r\n").expect("a body") + 4;
        let body = &answer[start..];
        let (from, to) = (
            body.find(['{', '[']).expect("JSON"),
            body.rfind(['}', ']']).expect("JSON"),
        );
        serde_json::from_str(&body[from..=to]).expect("JSON")
    }

    async fn sell(&self, orders: &[Json]) {
        let level = |id: u32, sku: &str, free: i64| json!({"item": {"id": format!("gid://shopify/InventoryItem/{id}"), "sku": sku}, "quantities": {"available": free, "committed": 2, "reserved": 0, "incoming": 30, "damaged": 1, "quality_control": 0, "safety_stock": 0, "on_hand": free + 3}});
        let levels: Vec<Json> = (1..=130)
            .map(|id| level(id, &format!("S{id}"), i64::from(id)))
            .collect();
        self.tell("/shop", &json!({"orders": orders, "locations": {LONDON: levels}}))
            .await;
    }

    fn config(&self) -> ConnectorConfig {
        let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        ConnectorConfig {
            id: SourceId::new("shop").expect("an id"),
            definition: definition("shopify.toml"),
            params: BTreeMap::from([
                text("shop_url", &self.url),
                text("zone", "Europe/London"),
                text("history_days", "30"),
            ]),
            secrets: BTreeMap::from([("access_token".to_owned(), Secret::new("s3cret-access_token"))]),
            warehouses: BTreeMap::from([(
                LONDON.to_owned(),
                WarehouseCode::new("shopify:GB").expect("a code"),
            )]),
        }
    }
}

const LONDON: &str = "gid://shopify/Location/1";

fn order(id: u32, updated: &str, lines: &[(u32, &str, u32)]) -> Json {
    let lines: Vec<Json> = lines
        .iter()
        .map(|(line, sku, units)| json!({"id": format!("gid://shopify/LineItem/{line}"), "sku": sku, "quantity": units}))
        .collect();
    json!({"id": format!("gid://shopify/Order/{id}"), "test": false, "processedAt": "2026-03-20T10:00:00Z", "updatedAt": updated, "cancelledAt": null, "displayFulfillmentStatus": "UNFULFILLED", "lines": lines})
}

/// Forty orders long ago and forty-five today, which is three pages.
fn orders() -> Vec<Json> {
    let old = (1..=40).map(|id| order(id, "2026-03-20T11:00:00Z", &[(id, "A", 1), (1000 + id, "B", 2)]));
    let new = (101..=145).map(|id| order(id, "2026-04-01T20:00:00Z", &[(id, "A", 1)]));
    old.chain(new).collect()
}

async fn house() -> House {
    House::new("2026-04-02T02:00:00Z").await
}

#[tokio::test]
async fn goal_g_every_graphql_text_validates_against_the_schema_and_is_executed() {
    let Some(shop) = Shop::open().await else { return };
    shop.sell(&orders()).await;
    let house = house().await;
    let report = house.pull(&shop.config()).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    // Orders came in bulk and by page; each counts once.
    assert_eq!(sold(&house).await, units(&[("A", 85), ("B", 80)]));
    assert_eq!(stream(&report, "orders").rows, 125);
    let recent = stream(&report, "orders_recent");
    assert_eq!((recent.pages, recent.rows), (5, 45), "{recent:?}");
    let stock = stream(&report, "stock");
    assert_eq!((stock.pages, stock.rows), (2, 130), "{stock:?}");
    let asked = shop.tell("/asked", &json!({})).await;
    let asked = asked.as_array().unwrap();
    for text in asked {
        assert_eq!(text["errors"], json!([]), "{text}");
    }
    // Every text of the file was among them, the one inside the bulk operation too.
    let said = |name: &str| {
        asked
            .iter()
            .any(|text| text["query"].as_str().is_some_and(|query| query.contains(name)))
    };
    let inner = asked.iter().filter(|text| text["inner"].is_string()).count();
    assert!(
        [
            "OrdersInBulk(",
            "OrdersInBulkState",
            "OrdersByPage",
            "StockOfLocation"
        ]
        .iter()
        .all(|name| said(name))
            && inner == 1
    );
    let file = definition("shopify.toml");
    let shipped = file.file.stream.values().flat_map(|stream| {
        let report = stream
            .report
            .iter()
            .flat_map(|report| [&report.create, &report.poll]);
        stream
            .request
            .iter()
            .chain(report)
            .filter_map(|call| call.graphql.as_ref())
    });
    assert_eq!(shipped.count(), 4);
    let mut tx = house.store.read().await.unwrap();
    let views = facts::latest_stock(&mut tx, &house.account).await.unwrap();
    let first = views[0].rows.iter().find(|row| row.sku_code == "S7").unwrap();
    assert_eq!(
        (
            first.buckets.available,
            first.buckets.reserved,
            first.buckets.inbound,
            first.buckets.unsellable
        ),
        (Some(7), Some(2), Some(30), Some(1))
    );
}

#[tokio::test]
async fn a_schema_that_does_not_know_a_field_refuses_the_text() {
    let Some(shop) = Shop::open().await else { return };
    shop.sell(&orders()).await;
    let mut config = shop.config();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors/shopify.toml");
    let text = std::fs::read_to_string(path)
        .unwrap()
        .replace("item { id sku tracked }", "item { id sku tracked nosuchfield }");
    config.definition =
        std::sync::Arc::new(linkstar::connector::Definition::parse("own.toml", &text).unwrap());
    let report = house().await.pull(&config).await;
    let stock = stream(&report, "stock");
    assert_eq!(stock.state, PullState::Failed);
    assert!(
        stock
            .problem
            .as_ref()
            .unwrap()
            .contains("Cannot query field \"nosuchfield\" on type \"InventoryItem\""),
        "{stock:?}"
    );
}

#[tokio::test]
async fn throttled_answers_are_waited_for_by_the_points_they_tell() {
    let Some(shop) = Shop::open().await else { return };
    shop.sell(&orders()).await;
    shop.tell("/play", &json!({"throttled": 3})).await;
    let house = house().await;
    let report = house.pull(&shop.config()).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(sold(&house).await, units(&[("A", 85), ("B", 80)]));
}

#[tokio::test]
async fn complaint_62499_a_server_error_leaves_no_slice_out() {
    let Some(shop) = Shop::open().await else { return };
    shop.sell(&orders()).await;
    shop.tell("/play", &json!({"server_errors": 1000})).await;
    let house = house().await;
    let config = shop.config();
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Failed, "{report:?}");
    let problem = stream(&report, "orders_recent").problem.clone().unwrap();
    assert!(problem.contains("Internal error"), "{problem}");
    // The next pull asks for all of it.
    shop.tell("/play", &json!({})).await;
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(sold(&house).await, units(&[("A", 85), ("B", 80)]));
}

/// A job that ended without its result, or with a part of it, never moves the cursor.
#[tokio::test]
async fn complaint_85372_a_dropped_result_never_advances_the_state() {
    let Some(shop) = Shop::open().await else { return };
    shop.sell(&orders()).await;
    let config = shop.config();
    for (wrong, said) in [
        (
            json!({"drop": 3}),
            "the result has 207 objects, but 210 were promised",
        ),
        (json!({"cut": true}), ""),
        (json!({"bulk": "FAILED"}), "INTERNAL_SERVER_ERROR"),
        (json!({"bulk": "EXPIRED"}), "is a gap"),
    ] {
        let house = house().await;
        shop.tell("/play", &wrong).await;
        let report = house.pull(&config).await;
        let bulk = stream(&report, "orders");
        assert_ne!(bulk.state, PullState::Ok, "{wrong}");
        assert!(bulk.problem.as_ref().unwrap().contains(said), "{bulk:?}");
        assert_eq!(sold(&house).await.get("B"), None, "{wrong}");
        // The next night asks for the same time, and gets all of it.
        shop.tell("/play", &json!({})).await;
        house.clock.set(at("2026-04-03T02:00:00Z"));
        let report = house.pull(&config).await;
        assert_eq!(stream(&report, "orders").state, PullState::Ok, "{report:?}");
        assert_eq!(sold(&house).await, units(&[("A", 85), ("B", 80)]), "{wrong}");
    }
}

#[tokio::test]
async fn a_location_that_is_gone_is_an_error_and_not_an_empty_shelf() {
    let Some(shop) = Shop::open().await else { return };
    shop.sell(&orders()).await;
    let house = house().await;
    let config = shop.config();
    house.pull(&config).await;
    shop.tell("/shop", &json!({"orders": [], "locations": {}})).await;
    let report = house.pull(&config).await;
    let stock = stream(&report, "stock");
    assert_eq!(stock.state, PullState::Failed, "{stock:?}");
    let mut tx = house.store.read().await.unwrap();
    let views = facts::latest_stock(&mut tx, &house.account).await.unwrap();
    assert_eq!(views[0].rows.len(), 130);
}

#[tokio::test]
async fn doctor_knows_a_good_token_from_a_wrong_one() {
    let Some(shop) = Shop::open().await else { return };
    shop.sell(&orders()).await;
    let house = house().await;
    let mut config = shop.config();
    let diagnosis = linkstar::http::doctor(&house.client, &house.clock, &config).await;
    assert_eq!(diagnosis.code, "ok", "{diagnosis:?}");
    config
        .secrets
        .insert("access_token".to_owned(), Secret::new("other"));
    let diagnosis = linkstar::http::doctor(&house.client, &house.clock, &config).await;
    assert!(
        !diagnosis.healthy && diagnosis.text.contains("Invalid API key"),
        "{diagnosis:?}"
    );
    assert!(!diagnosis.text.contains("other"), "{diagnosis:?}");
}
