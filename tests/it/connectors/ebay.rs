//! eBay, against a server that keeps eBay's rules: Basic for a token, Bearer for the rest, at most 200 orders a page, a
//! window with two ends, pages by offset over a set that moves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use chrono::{DateTime, Duration, Utc};
use linkstar::connector::{ConnectorConfig, Secret};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::store::facts::{self, PullState};
use serde_json::{Value as Json, json};

use super::stage::{House, at, definition, query, stream};

#[derive(Clone)]
struct Order {
    id: u32,
    modified: DateTime<Utc>,
    lines: u32,
}

#[derive(Default)]
struct Shop {
    orders: Vec<Order>,
    /// After this many pages one order is changed by its buyer.
    moves: Option<(u32, u32)>,
    pages: u32,
    asked: Vec<BTreeMap<String, String>>,
}

type Shared = Arc<Mutex<Shop>>;

fn refused(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let body = json!({"errors": [{"errorId": 1001, "domain": "API_FULFILLMENT", "message": message}]});
    (status, axum::Json(body)).into_response()
}

fn shown(order: &Order) -> Json {
    let lines: Vec<Json> = (1..=order.lines)
        .map(|line| {
            json!({"lineItemId": format!("{}-{line}", order.id), "sku": format!("S{line}"), "quantity": 1,
                "lineItemFulfillmentStatus": "FULFILLED", "purchaseMarketplaceId": "EBAY_GB"})
        })
        .collect();
    json!({"orderId": format!("11-{:05}", order.id), "creationDate": "2026-03-20T10:00:00.000Z",
        "lastModifiedDate": order.modified.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
        "buyer": {"username": "a-buyer"}, "lineItems": lines})
}

async fn play(State(shop): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let body = axum::body::to_bytes(body, 1 << 16).await.expect("a body");
    let given = query(parts.uri.query().unwrap_or_default());
    let mut shop = shop.lock().expect("the shop");
    match parts.uri.path() {
        "/identity/v1/oauth2/token" => {
            let basic = base64::prelude::BASE64_STANDARD.encode("app:cert");
            let form = query(std::str::from_utf8(&body).expect("a form"));
            let good = header("authorization") == format!("Basic {basic}")
                && header("content-type") == "application/x-www-form-urlencoded"
                && form["grant_type"] == "refresh_token"
                && form["refresh_token"] == "v^1.1#r"
                && form["scope"].contains("sell.fulfillment.readonly");
            if !good {
                return (
                    StatusCode::UNAUTHORIZED,
                    axum::Json(json!({"error": "invalid_client"})),
                )
                    .into_response();
            }
            axum::Json(
                json!({"access_token": "v^1.1#t", "expires_in": 7200, "token_type": "User Access Token"}),
            )
            .into_response()
        }
        _ if header("authorization") != "Bearer v^1.1#t" => refused(401, "Invalid access token"),
        "/sell/inventory/v1/inventory_item" => {
            let item = |sku: &str, units: u32| json!({"sku": sku, "availability": {"shipToLocationAvailability": {"quantity": units}}});
            axum::Json(json!({"total": 2, "size": 2, "inventoryItems": [item("S1", 4), item("S2", 0)]}))
                .into_response()
        }
        "/sell/fulfillment/v1/order" => {
            shop.asked.push(given.clone());
            let filter = given["filter"]
                .strip_prefix("lastmodifieddate:[")
                .and_then(|rest| rest.strip_suffix(']'));
            let Some((from, to)) = filter.and_then(|filter| filter.split_once("..")) else {
                return refused(400, "Invalid filter");
            };
            let (from, to) = (at(from), at(to));
            let limit: usize = given["limit"].parse().expect("a limit");
            let offset: usize = given["offset"].parse().expect("an offset");
            if limit > 200 || from > to || to > at("2026-04-02T02:00:00Z") {
                return refused(400, "Invalid limit or dates");
            }
            let mut inside: Vec<&Order> = shop
                .orders
                .iter()
                .filter(|order| order.modified >= from && order.modified <= to)
                .collect();
            inside.sort_by_key(|order| order.id);
            let page: Vec<Json> = inside
                .iter()
                .skip(offset)
                .take(limit)
                .map(|order| shown(order))
                .collect();
            let answer =
                json!({"href": "-", "total": inside.len(), "limit": limit, "offset": offset, "orders": page});
            shop.pages += 1;
            if let Some((page, id)) = shop.moves
                && page == shop.pages
            {
                for order in shop.orders.iter_mut().filter(|order| order.id == id) {
                    order.modified = at("2026-04-02T01:59:00Z");
                }
            }
            axum::Json(answer).into_response()
        }
        _ => refused(404, "Not found"),
    }
}

async fn open(orders: Vec<Order>, moves: Option<(u32, u32)>) -> (Shared, ConnectorConfig) {
    let shop = Arc::new(Mutex::new(Shop {
        orders,
        moves,
        ..Shop::default()
    }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let app = Router::new().fallback(play).with_state(Arc::clone(&shop));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let secret = |name: &str, text: &str| (name.to_owned(), Secret::new(text));
    let config = ConnectorConfig {
        id: SourceId::new("ebay-uk").expect("an id"),
        definition: definition("ebay.toml"),
        params: BTreeMap::from([
            text("marketplace_id", "EBAY_GB"),
            text("base_url", &url),
            text("token_url", &format!("{url}/identity/v1/oauth2/token")),
            text("history_days", "6"),
            text("stock", "yes"),
        ]),
        secrets: BTreeMap::from([
            secret("client_id", "app"),
            secret("client_secret", "cert"),
            secret("refresh_token", "v^1.1#r"),
        ]),
        warehouses: BTreeMap::from([("eBay".to_owned(), WarehouseCode::new("ebay:GB").expect("a code"))]),
    };
    (shop, config)
}

fn orders(count: u32) -> Vec<Order> {
    let start = at("2026-03-28T00:00:00Z");
    (1..=count)
        .map(|id| Order {
            id,
            modified: start + Duration::minutes(i64::from(id)),
            lines: 1 + id % 3,
        })
        .collect()
}

async fn counted(house: &House) -> (usize, i64) {
    let mut tx = house.store.read().await.expect("a transaction");
    let rows = tx
        .rows(
            "SELECT order_id, units FROM order_line WHERE account_id = $1",
            linkstar::args![&house.account],
        )
        .await
        .expect("rows");
    let ids: std::collections::BTreeSet<String> = rows
        .iter()
        .map(|row| row.get("order_id").expect("an id"))
        .collect();
    (
        ids.len(),
        rows.iter()
            .map(|row| row.get::<i64>("units").expect("units"))
            .sum(),
    )
}

#[tokio::test]
async fn orders_are_paged_by_orders_and_not_by_their_lines() {
    let (shop, config) = open(orders(450), None).await;
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let lines: i64 = orders(450).iter().map(|order| i64::from(order.lines)).sum();
    assert_eq!(counted(&house).await, (450, lines));
    let offsets: Vec<String> = shop
        .lock()
        .unwrap()
        .asked
        .iter()
        .map(|asked| asked["offset"].clone())
        .collect();
    assert_eq!(offsets, ["0", "200", "400"]);
    // The last answer ends a second before the window does: both ends are counted in.
    let filter = shop.lock().unwrap().asked[0]["filter"].clone();
    assert_eq!(
        filter,
        "lastmodifieddate:[2026-03-27T00:00:00.000Z..2026-04-02T01:54:59.000Z]"
    );
    let mut tx = house.store.read().await.unwrap();
    let views = facts::latest_stock(&mut tx, &house.account).await.unwrap();
    let stock: Vec<(&str, Option<i64>)> = views
        .iter()
        .flat_map(|view| &view.rows)
        .map(|row| (row.sku_code.as_str(), row.buckets.available))
        .collect();
    assert_eq!(stock, [("S1", Some(4)), ("S2", Some(0))]);
}

/// An order that its buyer changes leaves the window, and the one behind it slips into a page that was read.
#[tokio::test]
async fn trap_9_an_order_that_moves_while_pages_are_read_hides_no_other() {
    let (shop, config) = open(orders(450), Some((1, 5))).await;
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "orders").state, PullState::Ok, "{report:?}");
    let offsets: Vec<String> = shop
        .lock()
        .unwrap()
        .asked
        .iter()
        .map(|asked| asked["offset"].clone())
        .collect();
    // The total went from 450 to 449: the window is read again from its start.
    assert_eq!(offsets, ["0", "200", "0", "200", "400"]);
    let lines: i64 = orders(450).iter().map(|order| i64::from(order.lines)).sum();
    assert_eq!(counted(&house).await, (450, lines));
}

#[tokio::test]
async fn a_keyset_that_is_wrong_is_told_as_such() {
    let (_shop, mut config) = open(orders(1), None).await;
    config
        .secrets
        .insert("client_secret".to_owned(), Secret::new("other"));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let diagnosis = linkstar::http::doctor(&house.client, &house.clock, &config).await;
    assert!(matches!(diagnosis.code, "expired" | "forbidden"), "{diagnosis:?}");
    assert!(diagnosis.text.contains("invalid_client"), "{diagnosis:?}");
}
