//! R28: an order told to a warehouse arrives once, whatever happens in between. The warehouse is a server that does
//! not mind the same reference twice, so that a second inbound would be seen.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use linkstar::connector::Bound;
use linkstar::connector::write::Ids;
use linkstar::delivery::State;
use linkstar::http::Told;
use linkstar::order::{OrderEvent, OrderEventKind};
use linkstar::store::outbox;
use linkstar::store::{Store, facts, orders};
use serde_json::{Value as Json, json};

use super::letter::{Fault, KEY, Letter, cut, order_to, says, source};
use super::{account, at, engines, found};

#[derive(Default)]
struct Desk {
    fault: Fault,
    inbounds: Vec<Json>,
    looks: usize,
}

type Warehouse = Arc<Mutex<Desk>>;

async fn open() -> (Warehouse, String) {
    let desk = Warehouse::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let app = Router::new().fallback(serve).with_state(Arc::clone(&desk));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (desk, url)
}

async fn serve(Shared(desk): Shared<Warehouse>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut desk = desk.lock().expect("the desk");
    if headers.get("app-key").is_none_or(|key| key != "key-of-ours") {
        return says(200, &json!({"ask": "Failure", "message": "invalid app-key"}));
    }
    let body: Json = serde_json::from_slice(&body).expect("JSON");
    match uri.path() {
        "/inbound_order/create_grn" => {
            // What the documented payload must have, each of its type.
            assert!(body["reference_no"].is_string() && body["items"].is_array());
            assert!(body["receiving_shipping_type"].is_i64() && body["transit_type"] == 0);
            for item in body["items"].as_array().expect("boxes") {
                assert!(item["box_no"].is_i64() && item["box_details"][0]["quantity"].is_i64());
            }
            match desk.fault {
                Fault::LostAndCut => return cut(),
                Fault::Throttled => return says(429, &json!({"ask": "Failure", "message": "slow down"})),
                Fault::Refuses => {
                    let sku = &body["items"][0]["box_details"][0]["product_sku"];
                    let text = format!("SKU {} 不存在", sku.as_str().expect("a SKU"));
                    let error = json!({"errCode": "10008", "errMessage": text});
                    return says(
                        200,
                        &json!({"ask": "Failure", "message": "failed", "Error": error}),
                    );
                }
                Fault::None | Fault::StoredAndCut => {}
            }
            let number = format!("RV{:03}", desk.inbounds.len() + 1);
            let inbound = json!({"receiving_code": number, "reference_no": body["reference_no"], "receiving_status": 1,
                "warehouse_code": body["warehouse_code"], "update_at": "2026-11-20 10:00:00"});
            desk.inbounds.push(inbound);
            if desk.fault == Fault::StoredAndCut {
                return cut();
            }
            says(
                200,
                &json!({"ask": "Success", "message": "Success", "data": {"receiving_code": number}}),
            )
        }
        "/inbound_order/get_grn_list" => {
            desk.looks += 1;
            let rows = &desk.inbounds;
            says(200, &json!({"ask": "Success", "count": rows.len(), "data": rows}))
        }
        other => says(404, &json!({"ask": "Failure", "message": other})),
    }
}

/// One order with its message in the outbox of one engine, and the warehouse.
struct Scene {
    letter: Letter,
    desk: Warehouse,
}

impl Scene {
    async fn new(store: Store, fault: Fault) -> Self {
        let (desk, url) = open().await;
        desk.lock().expect("the desk").fault = fault;
        let secrets = [("app_key", "key-of-ours"), ("app_token", "token-of-ours")];
        let warehouse = ("UKMA", "goodcang:UKMA");
        let config = source("goodcang.toml", &[("base_url", &url)], &secrets, warehouse);
        Self {
            letter: Letter::new(store, config, order_to("goodcang:UKMA")).await,
            desk,
        }
    }

    async fn deliver(&self, second: i64) -> (State, String) {
        self.letter.deliver(second).await
    }

    fn heal(&self) {
        self.desk.lock().expect("the desk").fault = Fault::None;
    }

    fn there(&self) -> usize {
        self.desk.lock().expect("the desk").inbounds.len()
    }

    async fn linked(&self) -> Vec<(String, String)> {
        self.letter.linked().await
    }
}

#[tokio::test]
async fn r28_an_order_is_announced_once_and_its_number_is_linked() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(store, Fault::None).await;
        assert_eq!(scene.deliver(1).await, (State::Sent, "RV001".to_owned()));
        assert_eq!(
            scene.linked().await,
            [("RV001".to_owned(), scene.letter.order.number.to_string())]
        );
        // What was said is what was ordered, box by box.
        {
            let desk = scene.desk.lock().unwrap();
            assert_eq!((desk.inbounds.len(), desk.looks), (1, 1));
        }
        assert_eq!(scene.deliver(9_000).await.0, State::Sent);
        assert_eq!(scene.there(), 1);
        // A later pull that names no reference does not cut the link.
        let mut tx = scene.letter.store.write().await.unwrap();
        let (mut notices, _) = facts::inbounds(&mut tx, &account()).await.unwrap();
        notices[0].reference.clear();
        facts::merge_inbounds(&mut tx, &account(), &notices)
            .await
            .unwrap();
        let (after, _) = facts::inbounds(&mut tx, &account()).await.unwrap();
        assert_eq!(after[0].reference, scene.letter.order.number.as_str());
    }
}

#[tokio::test]
async fn r28_an_answer_that_was_lost_is_looked_for_and_adopted_never_created_twice() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(store, Fault::StoredAndCut).await;
        let (state, why) = scene.deliver(1).await;
        assert_eq!(state, State::Due);
        assert!(why.starts_with("it is not known whether it was done"), "{why}");
        scene.heal();
        // Not before a look can be trusted.
        let (state, why) = scene.deliver(40).await;
        assert_eq!(state, State::Due);
        assert!(why.contains("a little later"), "{why}");
        let (state, receipt) = scene.deliver(4_000).await;
        assert_eq!(
            (state, receipt.as_str()),
            (State::Sent, "RV001, which was there already")
        );
        assert_eq!(scene.there(), 1);
        assert_eq!(
            scene.linked().await,
            [("RV001".to_owned(), scene.letter.order.number.to_string())]
        );
    }
}

#[tokio::test]
async fn r28_a_request_that_was_lost_is_made_again_after_the_look() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(store, Fault::LostAndCut).await;
        assert_eq!(scene.deliver(1).await.0, State::Due);
        scene.heal();
        assert_eq!(scene.deliver(4_000).await, (State::Sent, "RV001".to_owned()));
        assert_eq!(scene.there(), 1);
    }
}

#[tokio::test]
async fn r28_a_crash_between_sending_and_storing_adopts_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(store, Fault::None).await;
        // A worker claims, marks, sends — and is gone before it writes anything down.
        let announcement = scene.letter.claimed_by_the_dead().await;
        let bound = Bound::new(&scene.letter.config).unwrap();
        let write = bound.write("create_inbound").unwrap();
        let make = |fresh: &_| bound.write_request(write, &announcement, &Ids::ToBeAsked, fresh);
        let told = scene
            .letter
            .client
            .tell(&bound, &scene.letter.clock, write, &make)
            .await;
        assert_eq!(told, Told::Done("RV001".to_owned()));
        assert_eq!(scene.deliver(60).await.0, State::Leased, "its lease still holds");
        let (state, receipt) = scene.deliver(200).await;
        assert_eq!(
            (state, receipt.as_str()),
            (State::Sent, "RV001, which was there already")
        );
        assert_eq!(scene.there(), 1);
    }
}

#[tokio::test]
async fn r28_one_refused_sku_refuses_the_whole_and_names_our_line() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(store, Fault::Refuses).await;
        let (state, why) = scene.deliver(1).await;
        assert_eq!(state, State::Refused);
        let first = scene.letter.order.cartons[0].contents[0].line;
        let code = &scene.letter.order.lines[usize::try_from(first).unwrap() - 1]
            .goods
            .warehouse_sku;
        let wanted = format!(
            "{}, line {first}: found `{code}`, wanted SKU {code} 不存在",
            scene.letter.order.number
        );
        assert!(why.contains(&wanted), "{why}\n{wanted}");
        assert!(!why.contains("key-of-ours") && !why.contains("token-of-ours"));
        assert_eq!((scene.there(), scene.linked().await), (0, Vec::new()));
        // Mended at the other side, a person lets it go again.
        scene.heal();
        let mut tx = scene.letter.store.write().await.unwrap();
        let _ = outbox::retry(&mut tx, &account(), KEY, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(scene.deliver(3).await, (State::Sent, "RV001".to_owned()));
    }
}

#[tokio::test]
async fn r28_too_many_requests_is_no_lost_answer_and_waits_no_longer_than_told() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(store, Fault::Throttled).await;
        assert_eq!(scene.deliver(1).await.0, State::Due);
        assert_eq!(
            found(&scene.letter.store, KEY).await.handed_at,
            None,
            "nothing was done"
        );
        scene.heal();
        assert_eq!(scene.deliver(30).await, (State::Sent, "RV001".to_owned()));
    }
}

#[tokio::test]
async fn r28_an_order_that_was_cancelled_meanwhile_is_not_announced() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(store, Fault::None).await;
        let mut tx = scene.letter.store.write().await.unwrap();
        let event = OrderEvent {
            at: at(0),
            by: "test".to_owned(),
            kind: OrderEventKind::Cancelled {
                reason: "changed my mind".to_owned(),
            },
        };
        orders::append(&mut tx, &account(), &scene.letter.order.number, event)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            scene.deliver(1).await,
            (State::Refused, "the order was cancelled".to_owned())
        );
        assert_eq!(scene.there(), 0);
    }
}
