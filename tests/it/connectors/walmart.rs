//! Walmart, against a server that keeps Walmart's rules: Basic and its own headers for a token, the token in a header of
//! its own, the cursor of the next page as a query sent back word for word.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use linkstar::connector::{ConnectorConfig, Secret};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::store::facts::{self, PullState};
use serde_json::{Value as Json, json};

use super::stage::{House, definition, query, sold_days, stream};

/// As Walmart writes it: with signs that a client is tempted to write anew.
const CURSOR: &str = "?limit=200&hasMoreElements=true&soIndex=300&poIndex=200&partnerId=1&sellerId=2&createdStartDate=2026-03-01T00:00:00.000+0000";

#[derive(Default)]
struct Heard {
    queries: Vec<String>,
    correlations: Vec<String>,
    tokens: u32,
    throttle: bool,
}

type Shared = Arc<Mutex<Heard>>;

fn order(id: &str, node: &str, parts: &[(&str, u32)]) -> Json {
    let statuses: Vec<Json> = parts
        .iter()
        .map(|(status, units)| json!({"status": status, "statusQuantity": {"unitOfMeasurement": "EACH", "amount": units.to_string()}}))
        .collect();
    let line = json!({"lineNumber": "1", "item": {"sku": "A"}, "statusDate": 1_774_951_200_000_i64, "orderLineStatuses": {"orderLineStatus": statuses}});
    json!({"purchaseOrderId": id, "orderDate": 1_774_864_800_000_i64, "shipNode": {"type": node}, "orderLines": {"orderLine": [line]}})
}

fn page(orders: &[Json], cursor: Option<&str>) -> Response {
    axum::Json(json!({"list": {"meta": {"totalCount": 3, "limit": 200, "nextCursor": cursor}, "elements": {"order": orders}}})).into_response()
}

fn refused(status: StatusCode, text: &str) -> Response {
    (
        status,
        axum::Json(json!({"error": [{"code": "X", "description": text}]})),
    )
        .into_response()
}

async fn play(State(heard): State<Shared>, request: Request) -> Response {
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
    let mut heard = heard.lock().expect("what was heard");
    let id = header("wm_qos.correlation_id");
    if header("wm_svc.name") != "Walmart Marketplace" || id.len() != 36 || heard.correlations.contains(&id) {
        return refused(
            StatusCode::BAD_REQUEST,
            "WM_SVC.NAME or WM_QOS.CORRELATION_ID is missing or not new",
        );
    }
    heard.correlations.push(id);
    if parts.uri.path() == "/v3/token" {
        heard.tokens += 1;
        let basic = base64::prelude::BASE64_STANDARD.encode("id:secret");
        let good =
            header("authorization") == format!("Basic {basic}") && body == "grant_type=client_credentials";
        return if good {
            axum::Json(json!({"access_token": "tok", "token_type": "Bearer", "expires_in": 900}))
                .into_response()
        } else {
            refused(StatusCode::UNAUTHORIZED, "invalid client")
        };
    }
    if header("wm_sec.access_token") != "tok" {
        return refused(StatusCode::UNAUTHORIZED, "token");
    }
    let asked = parts.uri.query().unwrap_or_default().to_owned();
    if std::mem::take(&mut heard.throttle) {
        return refused(StatusCode::TOO_MANY_REQUESTS, "REQUEST_THRESHOLD_VIOLATED");
    }
    heard.queries.push(asked.clone());
    let given = query(&asked);
    match parts.uri.path() {
        "/v3/orders" if Some(asked.as_str()) == CURSOR.strip_prefix('?') => {
            page(&[order("PO-2", "SellerFulfilled", &[("Acknowledged", 5)])], None)
        }
        "/v3/orders" if given.contains_key("soIndex") => {
            refused(StatusCode::BAD_REQUEST, "the cursor was changed")
        }
        "/v3/orders" => match given["shipNodeType"].as_str() {
            "SellerFulfilled" => page(
                &[order(
                    "PO-1",
                    "SellerFulfilled",
                    &[("Shipped", 2), ("Cancelled", 1)],
                )],
                Some(CURSOR),
            ),
            _ => page(&[order("PO-3", "WFSFulfilled", &[("Delivered", 7)])], None),
        },
        "/v3/fulfillment/inventory" => {
            let offset: usize = given["offset"].parse().expect("an offset");
            let items: Vec<Json> = (0..301)
                .skip(offset)
                .take(300)
                .map(|sku| json!({"sku": format!("S{sku}"), "shipNodes": [{"shipNodeType": "WFSFulfilled", "availToSellQty": 2, "onHandQty": 3}, {"shipNodeType": "WFSFulfilled", "availToSellQty": 1, "onHandQty": 1}]}))
                .collect();
            axum::Json(json!({"headers": {"totalCount": 301, "limit": 300, "offset": offset}, "payload": {"inventory": items}})).into_response()
        }
        _ => refused(StatusCode::NOT_FOUND, "no such path"),
    }
}

async fn open() -> (Shared, ConnectorConfig) {
    let heard = Shared::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let app = Router::new().fallback(play).with_state(Arc::clone(&heard));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let config = ConnectorConfig {
        id: SourceId::new("walmart-us").expect("an id"),
        definition: definition("walmart.toml"),
        params: BTreeMap::from([
            text("base_url", &url),
            text("history_days", "5"),
            text("wfs", "yes"),
        ]),
        secrets: BTreeMap::from([
            ("client_id".to_owned(), Secret::new("id")),
            ("client_secret".to_owned(), Secret::new("secret")),
        ]),
        warehouses: BTreeMap::from([(
            "WFS".to_owned(),
            WarehouseCode::new("walmart:US").expect("a code"),
        )]),
    };
    (heard, config)
}

#[tokio::test]
async fn the_cursor_goes_back_word_for_word_and_every_request_has_a_number_of_its_own() {
    let (heard, config) = open().await;
    heard.lock().unwrap().throttle = true;
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    // What was cancelled of a line is no sale; Walmart's own warehouse is another way to ship. The day is New York's.
    let row = |fulfilment: &str| {
        let (day, sku) = ("2026-03-30".to_owned(), "A".to_owned());
        (day, fulfilment.to_owned(), sku, 7)
    };
    assert_eq!(sold_days(&house).await, [row("Merchant"), row("WFS")]);
    let mut tx = house.store.read().await.unwrap();
    assert!(
        heard
            .lock()
            .unwrap()
            .queries
            .iter()
            .any(|asked| Some(asked.as_str()) == CURSOR.strip_prefix('?'))
    );
    assert_eq!(heard.lock().unwrap().tokens, 1);
    let stock = stream(&report, "stock");
    assert_eq!((stock.pages, stock.rows), (2, 301), "{stock:?}");
    let views = facts::latest_stock(&mut tx, &house.account).await.unwrap();
    assert!(views[0].rows.iter().all(|row| row.buckets.available == Some(3)));
}
