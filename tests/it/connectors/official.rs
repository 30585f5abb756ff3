//! Receipts in the shapes that Amazon and ShipBob publish, from their models played by Prism to the lines of the
//! reconciliation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use linkstar::connector::{ConnectorConfig, Secret};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::store::facts::PullState;
use serde_json::{Value as Json, json};

use super::prism::{prism, serve_file};
use super::settled::{Sent, books, lines};
use super::stage::{House, Reply, Stage, amazon, definition, stream};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/connectors")
        .join(name)
}

/// A copy of a model whose good answers of these paths are ours: the rest of it, and what it allows to be asked, is theirs.
fn answering(model: &Path, answers: &[(&str, Json)], folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(model).expect("a model");
    let mut model: Json = serde_json::from_str(&text).expect("JSON");
    let swagger = model.get("swagger").is_some();
    for (path, answer) in answers {
        let good = &mut model["paths"][*path]["get"]["responses"]["200"];
        assert!(good.is_object(), "{path} is in the model");
        if swagger {
            good["examples"] = json!({"application/json": answer});
        } else {
            let content = &mut good["content"]["application/json"];
            content["example"] = answer.clone();
            if let Some(content) = content.as_object_mut() {
                content.remove("examples");
            }
        }
    }
    let copy = folder.join(format!("{}.json", crate::services::unique()));
    std::fs::write(&copy, model.to_string()).expect("written");
    copy
}

const V0: &str = "/fba/inbound/v0/shipments";

fn shipment(status: &str) -> Json {
    json!({"payload": {"ShipmentData": [{"ShipmentId": "FBA15DF2763D", "ShipmentName": "SO-1", "DestinationFulfillmentCenterId": "LTN4",
        "ShipmentStatus": status, "AreCasesRequired": false, "ShipFromAddress": {"Name": "x", "AddressLine1": "1", "City": "Shenzhen",
        "CountryCode": "CN", "PostalCode": "518000"}}]}})
}

fn items(received: [i64; 2]) -> Json {
    let item = |sku: &str, shipped: i64, received: i64| {
        json!({"ShipmentId": "FBA15DF2763D", "SellerSKU": sku, "FulfillmentNetworkSKU": format!("X-{sku}"),
            "QuantityShipped": shipped, "QuantityReceived": received, "QuantityInCase": 0})
    };
    json!({"payload": {"ItemData": [item("A", 100, received[0]), item("SET-B", 10, received[1])]}})
}

const TO_FBA: Sent<'_> = Sent {
    order: "SO-1",
    warehouse: "amazon:GB",
    units: &[("A", 100), ("B", 60)],
};

#[tokio::test]
async fn r55_amazons_inbound_model_reconciles_received_restated_and_closed() {
    let Some(program) = prism() else { return };
    let stage = Stage::open().await;
    stage.with_token();
    let folder = tempfile::tempdir().unwrap();
    let house = House::new("2026-01-20T02:00:00Z").await;
    let days = [
        (
            "2026-01-20",
            "RECEIVING",
            [60, 10],
            [
                "A 100: 60 received, 60 shelved, 0 damaged",
                "B 60: 60 received, 60 shelved, 0 damaged",
            ],
        ),
        // Amazon counts again, and takes two back.
        (
            "2026-01-21",
            "RECEIVING",
            [58, 10],
            [
                "A 100: 58 received, 58 shelved, 0 damaged",
                "B 60: 60 received, 60 shelved, 0 damaged",
            ],
        ),
        (
            "2026-02-10",
            "CLOSED",
            [98, 10],
            [
                "A 100: 98 received, 98 shelved, 0 damaged, closed short -2",
                "B 60: 60 received, 60 shelved, 0 damaged, closed exact +0",
            ],
        ),
    ];
    for (day, status, received, wanted) in days {
        let answers = [
            (V0, shipment(status)),
            ("/fba/inbound/v0/shipments/{shipmentId}/items", items(received)),
        ];
        let model = answering(
            &fixture("amazon/fulfillmentInboundV0.json"),
            &answers,
            folder.path(),
        );
        let (_prism, url) = serve_file(&program, &model).await;
        let mut config = amazon(&stage);
        config.params.insert("base_url".to_owned(), url);
        config.params.insert("inbounds".to_owned(), "yes".to_owned());
        config
            .params
            .insert("timeout_seconds".to_owned(), "20".to_owned());
        house.clock.set(format!("{day}T02:00:00Z").parse().unwrap());
        let report = house.pull(&config).await;
        let inbound = stream(&report, "inbound");
        assert_eq!(
            (inbound.state, inbound.rejected_count),
            (PullState::Ok, 0),
            "{inbound:?}"
        );
        let found = lines(&house, &TO_FBA, day).await;
        assert_eq!(found.len(), 2);
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with(wanted), "{day}: {found}");
        }
    }
}

/// The ledger and the shipments at once: the ledger's days and damages count, and units are not added to the totals.
#[tokio::test]
async fn r55_amazons_ledger_and_its_shipments_tell_the_same_units_once() {
    let stage = Stage::open().await;
    let head = "Date\tFNSKU\tASIN\tMSKU\tTitle\tEvent Type\tReference ID\tQuantity\tFulfillment Center\tDisposition\tReason\tCountry\tReconciled Quantity\tUnreconciled Quantity\tDate and Time";
    let row = |day: &str, sku: &str, units: i64, disposition: &str| {
        format!(
            "01/{day}/2026\tX1\tB1\t{sku}\tMug\tReceipts\tFBA15DF2763D\t{units}\tLTN4\t{disposition}\t\tGB\t0\t0\t2026-01-{day}T00:00:00+0000"
        )
    };
    let ledger = [
        head.to_owned(),
        row("16", "A", 60, "SELLABLE"),
        row("17", "A", 36, "SELLABLE"),
        row("17", "A", 2, "WAREHOUSE_DAMAGED"),
        row("18", "A", -1, "SELLABLE"),
        row("17", "SET-B", 10, "SELLABLE"),
    ]
    .join("\n");
    stage
        .with_token()
        .with_report(&ledger)
        .with_summaries(&[("A", 1)]);
    stage.json(V0, shipment("CLOSED"));
    stage.json(&format!("{V0}/FBA15DF2763D/items"), items([97, 10]));
    let house = House::new("2026-01-20T02:00:00Z").await;
    let mut config = amazon(&stage);
    config.params.insert("inbounds".to_owned(), "yes".to_owned());
    for day in ["2026-01-20", "2026-01-21"] {
        house.clock.set(format!("{day}T02:00:00Z").parse().unwrap());
        house.pull(&config).await;
        assert_eq!(
            lines(&house, &TO_FBA, "2026-02-10").await,
            [
                "A 100: 97 received, 95 shelved, 2 damaged, closed short -3",
                "B 60: 60 received, 60 shelved, 0 damaged, closed exact +0"
            ]
        );
    }
}

fn wro(status: &str, day: &str, [received, stowed]: [i64; 2]) -> Json {
    let quantities = json!([{"inventory_id": 8001, "sku": "A", "expected_quantity": 100, "received_quantity": received,
        "stowed_quantity": stowed}]);
    json!({"id": 442946, "purchase_order_number": "SO-1", "status": status, "package_type": "Package",
        "box_packaging_type": "EverythingInOneBox", "expected_arrival_date": "2026-01-10T00:00:00Z",
        "insert_date": "2026-01-02T00:00:00Z", "last_updated_date": format!("{day}T10:00:00Z"),
        "external_sync_timestamp": null, "box_labels_uri": "https://api.shipbob.com/2026-01/receiving/442946/labels",
        "inventory_quantities": quantities, "status_history": [],
        "fulfillment_center": {"id": 10, "name": "Cicero (IL)", "address1": "5900 W Ogden Ave", "city": "Cicero", "state": "IL",
            "zip_code": "60804", "country": "USA", "timezone": "Central Standard Time", "email": "x@example.com", "phone_number": "5"}})
}

#[tokio::test]
async fn r55_shipbobs_model_reconciles_received_and_stowed_apart_and_what_it_takes_back() {
    let Some(program) = prism() else { return };
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.json");
    let made = std::process::Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/prism_model.py"))
        .args([fixture("shipbob/openapi-2026-01.json"), plain.clone()])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let house = House::new("2026-01-16T12:00:00Z").await;
    let sent = Sent {
        order: "SO-1",
        warehouse: "shipbob:CICERO",
        units: &[("A", 100)],
    };
    let days = [
        (
            "2026-01-16",
            "Processing",
            [60, 40],
            "A 100: 60 received, 40 shelved, 0 damaged, receiving open",
        ),
        (
            "2026-01-17",
            "Processing",
            [99, 90],
            "A 100: 99 received, 90 shelved, 0 damaged, receiving open",
        ),
        (
            "2026-01-18",
            "Completed",
            [97, 97],
            "A 100: 97 received, 97 shelved, 0 damaged, closed short -3",
        ),
    ];
    for (day, status, counts, wanted) in days {
        let one = wro(status, day, counts);
        let answers = [
            ("/2026-01/receiving", json!([one])),
            ("/2026-01/receiving/{id}", one),
        ];
        let model = answering(&plain, &answers, folder.path());
        let (_prism, url) = serve_file(&program, &model).await;
        let texts = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let config = ConnectorConfig {
            id: SourceId::new("shipbob").unwrap(),
            definition: definition("shipbob.toml"),
            params: texts(&[
                ("base_url", &url),
                ("history_days", "20"),
                ("timeout_seconds", "20"),
            ]),
            secrets: BTreeMap::from([("token".to_owned(), Secret::new("t"))]),
            warehouses: BTreeMap::from([("10".to_owned(), WarehouseCode::new("shipbob:CICERO").unwrap())]),
        };
        house.clock.set(format!("{day}T12:00:00Z").parse().unwrap());
        let report = house.pull(&config).await;
        for name in ["inbound", "inbound_lines", "receipts", "putaway"] {
            let one = stream(&report, name);
            assert_eq!(
                (one.state, one.rejected_count),
                (PullState::Ok, 0),
                "{name}: {one:?}"
            );
        }
        let found = lines(&house, &sent, day).await;
        assert!(
            found.len() == 1 && found[0].starts_with(wanted),
            "{day}: {found:?}"
        );
    }
}

/// An inbound that was closed and goes on: the line is open again, and that is told.
#[tokio::test]
async fn r54_an_inbound_of_amazon_awd_that_closed_and_goes_on_is_reopened() {
    let stage = Stage::open().await;
    stage.with_token();
    let shipment = |received: u32| {
        json!({"orderId": "AO-1", "shipmentId": "AS-1", "shipmentStatus": "CLOSED", "shipmentSkuQuantities": [
        {"sku": "A", "expectedQuantity": {"quantity": 100, "unitOfMeasurement": "PRODUCT_UNITS"}, "receivedQuantity": {"quantity": received, "unitOfMeasurement": "PRODUCT_UNITS"}}]})
    };
    let list = |at: &str| json!({"shipments": [{"orderId": "AO-1", "shipmentId": "AS-1", "externalReferenceId": "SO-1", "shipmentStatus": "CLOSED", "updatedAt": at}]});
    let house = House::new("2026-01-16T12:00:00Z").await;
    let sent = Sent {
        order: "SO-1",
        warehouse: "amazon:AWD",
        units: &[("A", 100)],
    };
    let mut said = Vec::new();
    let closed = "2026-01-16T08:00:00Z";
    for (day, received) in [("2026-01-16", 90), ("2026-01-18", 98)] {
        stage.clear();
        stage.with_token();
        stage.on(
            "/awd/2024-05-09/inventory",
            Reply::Json(200, json!({"inventory": []})),
        );
        stage.json("/awd/2024-05-09/inboundShipments", list(closed));
        stage.json("/awd/2024-05-09/inboundShipments/AS-1", shipment(received));
        house.clock.set(format!("{day}T12:00:00Z").parse().unwrap());
        house.pull(&super::sandbox::awd(&stage)).await;
        let done = books(&house, &sent, day).await;
        said.push((
            done.lines[0].received,
            done.lines[0].state.code(),
            done.reopened.len(),
        ));
    }
    assert_eq!(said, [(90, "closed", 0), (98, "receiving", 1)]);
}
