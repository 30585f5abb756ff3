//! Streams of events that stand on their own: by an ascending id, and of goods on their way.

use linkstar::store::facts::PullState;
use linkstar::store::tracking;
use serde_json::{Value as Json, json};

use super::shape::{house, shaped};
use super::shape_stock::received;
use super::stage::{Stage, stream};

const HISTORY: &str = r#"
[stream.it]
record = "receipt"
snapshot = "partial"
only = "kind == 'Receive'"
request = { method = "GET", path = "/history", query = { after = "{after}" } }
cursor = { kind = "id", id = "event_id" }
page = { kind = "row", next = "event_id", size = 2 }
rows = "[]"
[stream.it.map]
inbound_no = "wro"
warehouse = "'W1'"
sku_code = "sku"
kind = "'received'"
units = "n | int"
at = "at | ts('rfc3339')"
event_id = "event_id"
"#;

fn event(id: u32, kind: &str) -> Json {
    json!({"event_id": id, "kind": kind, "wro": "W-1", "sku": "A", "n": 10, "at": "2026-03-01T10:00:00Z"})
}

#[tokio::test]
async fn an_ascending_id_is_the_cursor_and_goes_on_where_it_stood() {
    let stage = Stage::open().await;
    stage.json("/history", json!([event(3, "Receive"), event(5, "Move")]));
    stage.json("/history", json!([event(8, "Receive")]));
    stage.json("/history", json!([]));
    let (house, config) = (house().await, shaped(&stage, HISTORY));
    let report = house.pull(&config).await;
    let it = stream(&report, "it");
    assert_eq!((it.state, it.rows, it.skipped), (PullState::Ok, 2, 1), "{it:?}");
    house.pull(&config).await;
    let asked: Vec<String> = stage
        .asked("/history")
        .into_iter()
        .map(|asked| asked.query)
        .collect();
    assert_eq!(asked, ["after=0", "after=5", "after=8"]);
    assert_eq!(received(&house).await, (20, 2));
    // A server that goes back would be read for ever.
    stage.clear();
    stage.json("/history", json!([event(7, "Receive"), event(8, "Receive")]));
    let report = house.pull(&config).await;
    assert!(
        stream(&report, "it")
            .problem
            .as_ref()
            .unwrap()
            .contains("do not ascend"),
        "{report:?}"
    );
    assert_eq!(received(&house).await, (20, 2));
}

const DCSA: &str = r#"
[stream.it]
record = "event"
snapshot = "partial"
request = { method = "GET", path = "/v2/events", query = { equipmentReference = "MSKU1234567" } }
rows = "[]"
known = ["eventType"]
[stream.it.map]
event_id = "eventID"
container = "equipmentReference"
shipment = "documentReferences[documentReferenceType=BKG].documentReferenceValue"
kind = "transportEventTypeCode | coalesce(equipmentEventTypeCode, shipmentEventTypeCode)"
status = "eventClassifierCode | enum(PLN=planned, EST=estimated, ACT=actual)"
at = "eventDateTime | ts('rfc3339')"
told_at = "eventCreatedDateTime | ts('rfc3339')"
place = "eventLocation.UNLocationCode | coalesce(transportCall.UNLocationCode)"
vessel = "transportCall.vessel.vesselName"
voyage = "transportCall.exportVoyageNumber"
"#;

#[tokio::test]
async fn events_of_a_container_are_appended_once_and_a_new_estimate_is_a_new_event() {
    let told = |id: &str, class: &str, day: u32| {
        json!({
            "eventID": id, "eventType": "TRANSPORT", "eventCreatedDateTime": "2026-03-01T00:00:00Z",
            "eventClassifierCode": class, "transportEventTypeCode": "ARRI", "eventDateTime": format!("2026-04-{day:02}T08:00:00+01:00"),
            "equipmentReference": "MSKU1234567", "documentReferences": [{"documentReferenceType": "BKG", "documentReferenceValue": "BK-9"}],
            "transportCall": {"UNLocationCode": "GBFXT", "exportVoyageNumber": "2610W", "vessel": {"vesselName": "EVER GIVEN"}},
        })
    };
    let stage = Stage::open().await;
    stage.json("/v2/events", json!([told("E1", "EST", 20)]));
    stage.json(
        "/v2/events",
        json!([
            told("E1", "EST", 20),
            told("E2", "EST", 22),
            told("E3", "ACT", 23)
        ]),
    );
    let (house, config) = (house().await, shaped(&stage, DCSA));
    house.pull(&config).await;
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "it").state, PullState::Ok, "{report:?}");
    let mut tx = house.store.read().await.unwrap();
    let events = tracking::events_of(&mut tx, &house.account, "BK-9")
        .await
        .unwrap();
    let said: Vec<String> = events
        .iter()
        .map(|event| {
            let place = event.place.clone().unwrap_or_default();
            format!("{} {} {} {place}", event.at, event.status.code(), event.kind)
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    2026-04-20 07:00:00 UTC estimated ARRI GBFXT
    2026-04-22 07:00:00 UTC estimated ARRI GBFXT
    2026-04-23 07:00:00 UTC actual ARRI GBFXT
    ");
    assert_eq!(
        tracking::events_of(&mut tx, &house.account, "MSKU1234567")
            .await
            .unwrap(),
        events
    );
}
