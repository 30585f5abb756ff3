//! R28 at 4PX and ShipBob: servers that keep the documented rules, and do not mind the same order twice unless the
//! vendor does.

use std::sync::{Arc, Mutex};

use axum::Router;
use linkstar::connector::Bound;
use linkstar::connector::write::{Announcement, Ids};
use linkstar::delivery::State;
use linkstar::http::Told;
use linkstar::order::StockingOrder;
use linkstar::store::{Store, outbox};
use serde_json::{Value as Json, json};

use super::announced_desks::{Desk, Vendor, Warehouse, serve};
use super::letter::{Fault, KEY, Letter, order_to, source};
use super::{account, at, engines};

struct Scene {
    letter: Letter,
    desk: Warehouse,
}

fn order_for(vendor: Vendor) -> StockingOrder {
    let mut order = order_to(match vendor {
        Vendor::FourPx => "fourpx:USLAXA",
        Vendor::ShipBob => "shipbob:CA",
    });
    let from = &mut order.shipper.address;
    "CN".clone_into(&mut from.country);
    "广东省".clone_into(&mut from.region);
    "深圳市".clone_into(&mut from.city);
    order
}

impl Scene {
    async fn new(vendor: Vendor, store: Store, fault: Fault) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let order = order_for(vendor);
        // Goods of others, some without a code, before ours; each number by the line.
        let mut goods: Vec<Json> = (0..5)
            .map(|n| json!({"inventory_id": 100 + n, "sku": (n > 2).then(|| format!("OTHER-{n}"))}))
            .collect();
        for line in &order.lines {
            goods.push(json!({"inventory_id": 8_000 + line.no, "sku": line.goods.warehouse_sku}));
        }
        let desk = Warehouse::new(Mutex::new(Desk {
            vendor,
            fault,
            url: url.clone(),
            inbounds: Vec::new(),
            bodies: Vec::new(),
            goods,
            hub: None,
            looks: 0,
        }));
        let app = Router::new().fallback(serve).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let config = match vendor {
            Vendor::FourPx => source(
                "fourpx.toml",
                &[("base_url", &url), ("district", "宝安区")],
                &[("app_key", "AK"), ("app_secret", "SK")],
                ("USLAXA", "fourpx:USLAXA"),
            ),
            Vendor::ShipBob => source(
                "shipbob.toml",
                &[("base_url", &url)],
                &[("token", "token-of-ours")],
                ("10", "shipbob:CA"),
            ),
        };
        Self {
            letter: Letter::new(store, config, order).await,
            desk,
        }
    }

    fn with<T>(&self, what: impl FnOnce(&mut Desk) -> T) -> T {
        what(&mut self.desk.lock().expect("the desk"))
    }

    fn heal(&self) {
        self.with(|desk| desk.fault = Fault::None);
    }

    fn first(&self) -> &'static str {
        self.with(|desk| match desk.vendor {
            Vendor::FourPx => "IC001",
            Vendor::ShipBob => "443001",
        })
    }

    async fn is_told_once(&self) {
        assert_eq!(self.with(|desk| desk.inbounds.len()), 1);
        let ours = (self.first().to_owned(), self.letter.order.number.to_string());
        assert_eq!(self.letter.linked().await, [ours]);
    }
}

/// Units by carton and code, as they were sent and as they were ordered.
fn sent(vendor: Vendor, body: &Json, order: &StockingOrder) -> Vec<(String, String, i64)> {
    let mut told = Vec::new();
    match vendor {
        Vendor::FourPx => {
            for row in body["iconsignment_sku"].as_array().expect("rows") {
                let text = |name: &str| row[name].as_str().expect("a text").to_owned();
                told.push((
                    text("box_barcode"),
                    text("sku_code"),
                    row["plan_qty"].as_i64().expect("units"),
                ));
            }
        }
        Vendor::ShipBob => {
            for one in body["boxes"].as_array().expect("boxes") {
                for item in one["box_items"].as_array().expect("items") {
                    let no = item["inventory_id"].as_i64().expect("a number") - 8_000;
                    let line = order
                        .line(u32::try_from(no).expect("a line"))
                        .expect("a line of ours");
                    let mark = one["tracking_number"].as_str().expect("a mark").to_owned();
                    let units = item["quantity"].as_i64().expect("units");
                    told.push((mark, line.goods.warehouse_sku.clone(), units));
                }
            }
        }
    }
    told
}

fn ordered(order: &StockingOrder) -> Vec<(String, String, i64)> {
    let mut told = Vec::new();
    for carton in &order.cartons {
        for content in &carton.contents {
            let code = order
                .line(content.line)
                .expect("a line")
                .goods
                .warehouse_sku
                .clone();
            told.push((carton.mark.clone(), code, content.units));
        }
    }
    told
}

const VENDORS: [Vendor; 2] = [Vendor::FourPx, Vendor::ShipBob];

#[tokio::test]
async fn r28_4px_and_shipbob_are_told_an_order_once_box_by_box() {
    for vendor in VENDORS {
        let dir = tempfile::tempdir().unwrap();
        for store in engines(dir.path()).await {
            let scene = Scene::new(vendor, store, Fault::None).await;
            assert_eq!(
                scene.letter.deliver(1).await,
                (State::Sent, scene.first().to_owned())
            );
            scene.is_told_once().await;
            let body = scene.with(|desk| desk.bodies[0].clone());
            let order = &scene.letter.order;
            assert_eq!(sent(vendor, &body, order), ordered(order));
            assert_eq!(scene.letter.deliver(9_000).await.0, State::Sent);
            assert_eq!(scene.with(|desk| (desk.inbounds.len(), desk.looks)), (1, 1));
        }
    }
}

#[tokio::test]
async fn r28_4px_and_shipbob_are_looked_at_after_a_lost_answer_and_what_is_there_is_adopted() {
    for vendor in VENDORS {
        let dir = tempfile::tempdir().unwrap();
        for store in engines(dir.path()).await {
            let scene = Scene::new(vendor, store, Fault::StoredAndCut).await;
            assert_eq!(scene.letter.deliver(1).await.0, State::Due);
            scene.heal();
            let (state, receipt) = scene.letter.deliver(4_000).await;
            assert_eq!(state, State::Sent, "{receipt}");
            assert_eq!(receipt, format!("{}, which was there already", scene.first()));
            scene.is_told_once().await;
        }
    }
}

#[tokio::test]
async fn r28_4px_and_shipbob_are_told_again_where_the_request_was_lost() {
    for vendor in VENDORS {
        let dir = tempfile::tempdir().unwrap();
        for store in engines(dir.path()).await {
            let scene = Scene::new(vendor, store, Fault::LostAndCut).await;
            assert_eq!(scene.letter.deliver(1).await.0, State::Due);
            scene.heal();
            assert_eq!(
                scene.letter.deliver(4_000).await,
                (State::Sent, scene.first().to_owned())
            );
            scene.is_told_once().await;
        }
    }
}

#[tokio::test]
async fn r28_a_crash_after_sending_to_4px_or_shipbob_adopts_what_is_there() {
    for vendor in VENDORS {
        let dir = tempfile::tempdir().unwrap();
        for store in engines(dir.path()).await {
            let scene = Scene::new(vendor, store, Fault::None).await;
            let announcement: Announcement = scene.letter.claimed_by_the_dead().await;
            let bound = Bound::new(&scene.letter.config).unwrap();
            let write = bound.write("create_inbound").unwrap();
            let numbers = announcement.order.lines.iter().map(|line| {
                let id = (8_000 + line.no).to_string();
                (line.goods.warehouse_sku.clone(), id)
            });
            let ids = Ids::Known(numbers.collect());
            let make = |fresh: &_| bound.write_request(write, &announcement, &ids, fresh);
            let told = scene
                .letter
                .client
                .tell(&bound, &scene.letter.clock, write, &make)
                .await;
            assert_eq!(told, Told::Done(scene.first().to_owned()));
            assert_eq!(scene.letter.deliver(60).await.0, State::Leased);
            let (state, receipt) = scene.letter.deliver(200).await;
            assert_eq!(state, State::Sent, "{receipt}");
            scene.is_told_once().await;
        }
    }
}

#[tokio::test]
async fn r28_a_refusal_of_4px_or_shipbob_creates_nothing_and_is_shown() {
    for vendor in VENDORS {
        let dir = tempfile::tempdir().unwrap();
        for store in engines(dir.path()).await {
            let scene = Scene::new(vendor, store, Fault::Refuses).await;
            let (state, why) = scene.letter.deliver(1).await;
            assert_eq!(state, State::Refused, "{why}");
            let order = &scene.letter.order;
            let line = order.cartons[0].contents[0].line;
            let code = &order.line(line).unwrap().goods.warehouse_sku;
            let wanted = match vendor {
                Vendor::FourPx => {
                    format!("line {line}, `ERR_INBOUND_CONSIGNMENT_SKU_SKU_NOT_FOUND`: found `{code}`")
                }
                Vendor::ShipBob => "`boxes[0].box_items[0].quantity`".to_owned(),
            };
            assert!(why.contains(&wanted), "{why}\n{wanted}");
            assert!(!why.contains("token-of-ours"), "{why}");
            assert_eq!(scene.letter.linked().await, []);
            scene.heal();
            let mut tx = scene.letter.store.write().await.unwrap();
            let _ = outbox::retry(&mut tx, &account(), KEY, at(2)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(scene.letter.deliver(3).await.0, State::Sent);
            scene.is_told_once().await;
        }
    }
}

#[tokio::test]
async fn r28_too_many_requests_at_4px_and_shipbob_is_no_lost_answer() {
    for vendor in VENDORS {
        let dir = tempfile::tempdir().unwrap();
        for store in engines(dir.path()).await {
            let scene = Scene::new(vendor, store, Fault::Throttled).await;
            assert_eq!(scene.letter.deliver(1).await.0, State::Due);
            scene.heal();
            assert_eq!(scene.letter.deliver(30).await.0, State::Sent);
            scene.is_told_once().await;
        }
    }
}

#[tokio::test]
async fn r28_goods_that_shipbob_does_not_know_are_named_and_nothing_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(Vendor::ShipBob, store, Fault::None).await;
        let code = scene.letter.order.lines[0].goods.warehouse_sku.clone();
        scene.with(|desk| desk.goods.retain(|item| item["sku"] != code.as_str()));
        let (state, why) = scene.letter.deliver(1).await;
        assert_eq!(state, State::Refused);
        let wanted = format!(
            "line 1, `warehouse_sku`: found `{code}`, wanted a code of goods that the warehouse knows"
        );
        assert!(why.contains(&wanted), "{why}");
        // One code for two things says nothing about which of them is meant.
        scene.with(|desk| {
            desk.goods.push(json!({"inventory_id": 8_001, "sku": code}));
            desk.goods.push(json!({"inventory_id": 9_001, "sku": code}));
        });
        let mut tx = scene.letter.store.write().await.unwrap();
        let _ = outbox::retry(&mut tx, &account(), KEY, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        let (state, why) = scene.letter.deliver(3).await;
        assert_eq!(state, State::Refused);
        assert!(why.contains("it is 8001 and 9001"), "{why}");
        assert_eq!(scene.with(|desk| desk.bodies.len()), 0);
    }
}

#[tokio::test]
async fn r28_a_receiving_order_that_shipbob_sends_by_way_of_a_hub_is_ours_too() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let scene = Scene::new(Vendor::ShipBob, store, Fault::StoredAndCut).await;
        scene.with(|desk| desk.hub = Some(77));
        assert_eq!(scene.letter.deliver(1).await.0, State::Due);
        scene.heal();
        assert_eq!(scene.letter.deliver(4_000).await.0, State::Sent);
        scene.is_told_once().await;
    }
}
