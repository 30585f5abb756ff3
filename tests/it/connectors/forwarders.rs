//! ShipBob, DCSA carriers and 17TRACK: the shipped files against the published models, played by Stoplight Prism, and
//! against scripts of what those systems do over several pages and pulls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use linkstar::clock::Clock as _;
use linkstar::connector::write::{Announcement, Ids};
use linkstar::connector::{Bound, ConnectorConfig, Secret};
use linkstar::http::{Client, Pace, Told, doctor};
use linkstar::ids::{OrderNo, SourceId, WarehouseCode};
use linkstar::order::{ReferenceKind, StockingOrder};
use linkstar::store::facts::{self, PullState};
use linkstar::store::{orders, receipts, references, tracking};
use serde_json::{Value as Json, json};

use super::prism::{prism, serve_file};
use super::stage::{House, Reply, Stage, at, definition, stream};
use crate::papers::orders::order as random_order;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/connectors")
        .join(name)
}

fn config(file: &str, url: &str, secret: &str, params: &[(&str, &str)]) -> ConnectorConfig {
    let mut given: BTreeMap<String, String> = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    given.insert("base_url".to_owned(), url.to_owned());
    given.insert("timeout_seconds".to_owned(), "20".to_owned());
    ConnectorConfig {
        id: SourceId::new("the-source").expect("an id"),
        definition: definition(file),
        params: given,
        secrets: BTreeMap::from([(secret.to_owned(), Secret::new("s3cret-of-ours"))]),
        warehouses: BTreeMap::from([("10".to_owned(), WarehouseCode::new("shipbob:CA").expect("a code"))]),
    }
}

fn shipbob(url: &str) -> ConnectorConfig {
    config("shipbob.toml", url, "token", &[("history_days", "20")])
}

fn carrier(url: &str) -> ConnectorConfig {
    config("dcsa-track-trace.toml", url, "authorization", &[])
}

fn of_ours(number: &str) -> StockingOrder {
    let mut order = random_order(7);
    order.number = OrderNo::new(number).expect("a number");
    order
}

/// Orders under way, each with one name that others have for it.
async fn under_way(house: &House, kind: ReferenceKind, names: &[String]) {
    let mut tx = house.store.write().await.expect("a transaction");
    for (place, name) in names.iter().enumerate() {
        let order = of_ours(&format!("BH-{place:03}"));
        let day = order.eta;
        orders::create(
            &mut tx,
            &house.account,
            &order,
            day,
            "test",
            at("2026-03-01T00:00:00Z"),
        )
        .await
        .expect("an order");
        let link = (&order.number, kind, name.as_str());
        references::link(&mut tx, &house.account, link, "test", at("2026-03-01T00:00:00Z"))
            .await
            .expect("linked");
    }
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn shipbobs_model_takes_our_requests_and_its_stock_pages_stay_at_its_host() {
    let Some(program) = prism() else { return };
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("shipbob.json");
    let made = std::process::Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/prism_model.py"))
        .args([fixture("shipbob/openapi-2026-01.json"), model.clone()])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (_prism, url) = serve_file(&program, &model).await;
    let house = House::new("2026-03-02T02:00:00Z").await;
    let config = shipbob(&url);
    let diagnosis = doctor(&Client::new(Pace::Skip).unwrap(), &house.clock, &config).await;
    // The model's example of the next address is no address of its host.
    assert_eq!(diagnosis.code, "paging", "{diagnosis:?}");
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "stock").state, PullState::Failed, "{report:?}");
    let inbound = stream(&report, "inbound");
    // Asked and paged as the model says; its one example belongs to a site that is not ours.
    assert_eq!(
        (inbound.problem.as_deref(), inbound.skipped),
        (None, 1),
        "{report:?}"
    );
}

fn wro(id: u32, status: &str, day: u32) -> Json {
    json!({"id": id, "status": status, "purchase_order_number": "SO-1", "last_updated_date": format!("2026-02-{day}T03:14:26Z"),
        "insert_date": "2026-02-18T00:00:00Z", "fulfillment_center": {"id": 10, "name": "Moreno Valley (CA)", "email": "someone@example.com"}})
}

fn sums(id: u32, expected: i64, received: i64, stowed: i64) -> Json {
    json!({"id": id, "inventory_quantities": [{"inventory_id": 8001, "sku": "MUG-1", "expected_quantity": expected,
        "received_quantity": received, "stowed_quantity": stowed}]})
}

fn shipbob_stock(stage: &Stage) {
    let item = |sku: &str, units: i64| {
        json!({"inventory_id": 1, "sku": sku, "name": sku, "locations": [{"location_id": 10, "name": "CA",
            "on_hand_quantity": units + 2, "fulfillable_quantity": units, "committed_quantity": 2, "awaiting_quantity": 40,
            "internal_transfer_quantity": 0}]})
    };
    let path = "/2026-01/inventory-level/locations";
    let next = "/2026-01/inventory-level/locations?cursor=abc&LocationId=10";
    stage.json(path, json!({"items": [item("MUG-1", 80)], "next": next}));
    stage.json(path, json!({"items": [item("MUG-2", 5)], "next": null}));
}

#[tokio::test]
async fn trap_6_a_receiving_order_that_staff_split_is_counted_by_purchase_order_and_sku() {
    let stage = Stage::open().await;
    let list = |orders: Json| {
        let pages = ["Total-Pages", "total-pages"][1];
        Reply::With(200, vec![(pages, "1".to_owned())], orders)
    };
    shipbob_stock(&stage);
    stage.on("/2026-01/receiving", list(json!([wro(1, "Processing", 19)])));
    stage.json("/2026-01/receiving/1", sums(1, 100, 40, 30));
    let house = House::new("2026-02-20T02:00:00Z").await;
    let config = shipbob(&stage.url);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let asked = stage.asked("/2026-01/inventory-level/locations");
    assert_eq!(asked[0].headers["authorization"], "Bearer s3cret-of-ours");
    assert!(asked[1].query.contains("cursor=abc"), "{}", asked[1].query);
    // The rest was moved to an order of its own that says nothing of the first but the purchase order.
    stage.clear();
    shipbob_stock(&stage);
    stage.on(
        "/2026-01/receiving",
        list(json!([wro(1, "Completed", 20), wro(2, "Processing", 21)])),
    );
    stage.json("/2026-01/receiving/1", sums(1, 60, 60, 60));
    stage.json("/2026-01/receiving/2", sums(2, 40, 39, 10));
    house.clock.set(at("2026-02-22T02:00:00Z"));
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let mut tx = house.store.read().await.unwrap();
    let (notices, lines) = facts::inbounds(&mut tx, &house.account).await.unwrap();
    let known: Vec<_> = notices
        .iter()
        .map(|n| (n.inbound_no.as_str(), n.reference.as_str(), n.closed))
        .collect();
    assert_eq!(known, [("1", "SO-1", true), ("2", "SO-1", false)]);
    assert_eq!(
        lines.iter().filter_map(|line| line.announced).sum::<i64>(),
        100,
        "announced once"
    );
    let events = receipts::load_since(&mut tx, &house.account, at("2026-01-01T00:00:00Z"))
        .await
        .unwrap();
    let mut by_kind: BTreeMap<String, i64> = BTreeMap::new();
    for event in &events {
        *by_kind.entry(format!("{:?}", event.kind)).or_default() += event.units;
    }
    assert_eq!(
        by_kind.values().copied().collect::<Vec<_>>(),
        [70, 99],
        "{by_kind:?}"
    );
    let view = &facts::latest_stock(&mut tx, &house.account).await.unwrap()[0];
    assert_eq!(view.rows.len(), 2);
    assert_eq!(
        (view.rows[0].buckets.available, view.rows[0].buckets.inbound),
        (Some(80), Some(40))
    );
}

#[tokio::test]
async fn a_receiving_order_that_was_closed_and_read_is_asked_for_again_only_when_it_changes() {
    let stage = Stage::open().await;
    let detail = "/2026-01/receiving/1";
    let house = House::new("2026-02-20T02:00:00Z").await;
    let config = shipbob(&stage.url);
    let pull = async |day: u32, status: &str, answer: Reply| {
        stage.clear();
        shipbob_stock(&stage);
        let list = Reply::With(
            200,
            vec![("total-pages", "1".to_owned())],
            json!([wro(1, status, day)]),
        );
        stage.on("/2026-01/receiving", list);
        stage.on(detail, answer);
        let before = stage.asked(detail).len();
        house.clock.set(house.clock.now() + chrono::Duration::days(1));
        let report = house.pull(&config).await;
        (report.state(), stage.asked(detail).len() - before)
    };
    let good = || Reply::Json(200, sums(1, 100, 98, 98));
    assert_eq!(pull(19, "Processing", good()).await, (PullState::Ok, 1));
    assert_eq!(pull(20, "Completed", good()).await, (PullState::Ok, 1));
    assert_eq!(pull(20, "Completed", good()).await, (PullState::Ok, 0));
    // A change, and a failure under way: it stays to be asked for until it was read.
    let bad = || Reply::Json(400, json!({"title": "no"}));
    let (state, asked) = pull(21, "Completed", bad()).await;
    assert!(state != PullState::Ok && asked >= 1, "{state:?} {asked}");
    assert_eq!(pull(21, "Completed", good()).await, (PullState::Ok, 1));
    assert_eq!(pull(21, "Completed", good()).await, (PullState::Ok, 0));
}

#[tokio::test]
async fn dcsas_model_of_events_takes_our_requests() {
    let Some(program) = prism() else { return };
    let (_prism, url) = serve_file(&program, &fixture("dcsa/tnt_v2.3.0.bundled.yaml")).await;
    let house = House::new("2026-03-02T02:00:00Z").await;
    under_way(&house, ReferenceKind::Container, &["MSKU1234565".to_owned()]).await;
    let report = house.pull(&carrier(&url)).await;
    let events = stream(&report, "container_events");
    // A request that the model does not know is answered with 400; the example's next page is at another host.
    let problem = events.problem.clone().unwrap_or_default();
    assert!(problem.contains("at another host"), "{report:?}");
    assert_eq!(
        stream(&report, "booking_events").pages,
        0,
        "no order under way has a booking"
    );
}

#[tokio::test]
async fn events_are_asked_for_the_containers_of_orders_under_way_page_by_page() {
    let stage = Stage::open().await;
    let event = |id: &str, class: &str| {
        json!({"eventID": id, "eventType": "TRANSPORT", "eventCreatedDateTime": "2026-03-01T00:00:00Z", "eventClassifierCode": class,
            "transportEventTypeCode": "ARRI", "eventDateTime": "2026-04-20T08:00:00Z", "equipmentReference": "MSKU1234565"})
    };
    let next = format!("{}/v2/events?cursor=p2", stage.url);
    stage.on(
        "/v2/events",
        Reply::With(
            200,
            vec![("next-page", next)],
            json!([event("E1", "PLN"), event("E2", "EST")]),
        ),
    );
    stage.json("/v2/events", json!([event("E3", "ACT")]));
    let house = House::new("2026-03-02T02:00:00Z").await;
    let config = carrier(&stage.url);
    let report = house.pull(&config).await;
    assert!(
        stage.asked("/v2/events").is_empty(),
        "no order, no question: {report:?}"
    );
    under_way(&house, ReferenceKind::Container, &["MSKU1234565".to_owned()]).await;
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let asked = stage.asked("/v2/events");
    assert_eq!(asked[0].query, "equipmentReference=MSKU1234565&limit=100");
    assert_eq!(asked[1].query, "cursor=p2");
    let mut tx = house.store.read().await.unwrap();
    let events = tracking::events_of(&mut tx, &house.account, "MSKU1234565")
        .await
        .unwrap();
    let states: Vec<_> = events.iter().map(|event| event.status.code()).collect();
    assert_eq!(states, ["planned", "estimated", "actual"]);
}

#[tokio::test]
async fn forty_numbers_go_into_one_request_to_17track() {
    let stage = Stage::open().await;
    stage.json(
        "/track/v2.2/gettrackinfo",
        json!({"code": 0, "data": {"accepted": [], "rejected": []}}),
    );
    let house = House::new("2026-03-02T02:00:00Z").await;
    let numbers: Vec<String> = (0..45).map(|n| format!("RR{n:09}CN")).collect();
    under_way(&house, ReferenceKind::Tracking, &numbers).await;
    let report = house
        .pull(&config("17track.toml", &stage.url, "token", &[]))
        .await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let asked = stage.asked("/track/v2.2/gettrackinfo");
    let sizes: Vec<usize> = asked
        .iter()
        .map(|asked| serde_json::from_str::<Vec<Json>>(&asked.body).unwrap().len())
        .collect();
    assert_eq!(sizes, [40, 5]);
    assert_eq!(asked[0].headers["17token"], "s3cret-of-ours");
    assert!(
        asked[0].body.starts_with(r#"[{"number":"RR000000000CN"},"#),
        "{}",
        asked[0].body
    );
}

#[tokio::test]
async fn r28_shipbobs_model_takes_our_receiving_order() {
    let Some(program) = prism() else { return };
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("shipbob.json");
    let made = std::process::Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/prism_model.py"))
        .args([fixture("shipbob/openapi-2026-01.json"), model.clone()])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (_prism, url) = serve_file(&program, &model).await;
    let house = House::new("2026-03-02T02:00:00Z").await;
    let bound = Bound::new(&shipbob(&url)).unwrap();
    let write = bound.write("create_inbound").unwrap();
    let announcement = Announcement::example("create_inbound", "10").unwrap();
    let ids = [("SKU-A", "8001"), ("SKU-B", "8002")].map(|(code, id)| (code.to_owned(), id.to_owned()));
    let tell = async |ids: Ids| {
        let make = |fresh: &_| bound.write_request(write, &announcement, &ids, fresh);
        house.client.tell(&bound, &house.clock, write, &make).await
    };
    let told = tell(Ids::Known(ids.into())).await;
    assert!(
        matches!(&told, Told::Done(number) if !number.is_empty()),
        "{told:?}"
    );
    // The model judges what is sent: a text where a number belongs is refused, with the place of it.
    let told = tell(Ids::ToBeAsked).await;
    assert!(matches!(&told, Told::Refused { .. }), "{told:?}");
    // Its list of goods is asked as it wants to be; its example of the next address is at no host of its own.
    let listed = house.client.codes(&bound, &house.clock, "codes").await;
    let failure = listed.unwrap_err().to_string();
    assert!(!failure.contains("HTTP 4"), "{failure}");
}

#[tokio::test]
async fn dcsas_model_of_bookings_takes_our_request() {
    let Some(program) = prism() else { return };
    let (_prism, url) = serve_file(&program, &fixture("dcsa/BKG_v2.0.5.yaml")).await;
    let house = House::new("2026-03-02T02:00:00Z").await;
    let bound = Bound::new(&carrier(&url)).unwrap();
    let write = bound.write("create_booking").unwrap();
    let mut order = of_ours("BH-001");
    "Yantian".clone_into(&mut order.port_of_loading);
    "Felixstowe".clone_into(&mut order.port_of_discharge);
    "Chen Wei".clone_into(&mut order.shipper.contact);
    "+86 755 2888 0000".clone_into(&mut order.shipper.phone);
    order.shipper.address.lines = vec!["Room 1203, Block B".to_owned()];
    for line in &mut order.lines {
        "LED lamp".clone_into(&mut line.goods.name_en);
        "9405420000".clone_into(&mut line.goods.hs_cn);
    }
    let announcement = Announcement {
        write: "create_booking".to_owned(),
        warehouse: String::new(),
        order,
        multiples: BTreeMap::new(),
    };
    let make = |fresh: &_| bound.write_request(write, &announcement, &Ids::ToBeAsked, fresh);
    let told = house.client.tell(&bound, &house.clock, write, &make).await;
    assert!(
        matches!(&told, Told::Done(number) if !number.is_empty()),
        "{told:?}"
    );
}
