//! Amazon: shipments to FBA, the inventory ledger, what reports suffer, and AWD.

use std::collections::BTreeMap;

use linkstar::args;
use linkstar::connector::Definition;
use linkstar::store::facts::PullState;
use serde_json::json;

use super::amazon_orders::{config, in_report};
use super::sandbox::awd;
use super::stage::{House, REPORTS, Reply, Stage, amazon, at, gzip, query, report_text, sold, stream, units};

const SHIPMENTS: &str = "/fba/inbound/v0/shipments";

#[tokio::test]
async fn complaint_18958_and_59680_late_changes_are_asked_for_again_as_far_back_as_they_come() {
    let stage = Stage::open().await;
    // One document without rows for both reports: its head has the columns of both.
    let head = LEDGER.lines().next().unwrap();
    let both = format!("{}\t{head}\n", report_text(&[]).trim_end());
    stage.with_token().with_report(&both).with_summaries(&[("A", 1)]);
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["inbounds"]);
    house.pull(&config).await;
    let first = stage.asked(REPORTS).len();
    house.clock.set(at("2026-04-03T02:00:00Z"));
    house.pull(&config).await;
    let bodies: Vec<String> = stage.asked(REPORTS)[first..]
        .iter()
        .map(|asked| asked.body.clone())
        .collect();
    let starts = |kind: &str| bodies.iter().find(|body| body.contains(kind)).cloned().unwrap();
    // Orders: two days behind the last end. The ledger: two weeks.
    assert!(
        starts("ALL_ORDERS").contains(r#""dataStartTime":"2026-03-31T01:55:00Z""#),
        "{bodies:?}"
    );
    assert!(
        starts("LEDGER").contains(r#""dataStartTime":"2026-03-19T01:55:00Z""#),
        "{bodies:?}"
    );
    let shipments = query(&stage.asked(SHIPMENTS).last().unwrap().query);
    assert_eq!(shipments["LastUpdatedAfter"], "2026-03-30T01:55:00Z");
}

#[tokio::test]
async fn shipments_to_fba_their_lines_and_the_second_page_as_another_kind_of_question() {
    let stage = Stage::open().await;
    stage.with_token().with_report(LEDGER).with_summaries(&[("A", 1)]);
    let shipment = |id: &str, status: &str| json!({"ShipmentId": id, "ShipmentName": format!("SO-{id}"), "ShipmentStatus": status});
    stage.json(
        SHIPMENTS,
        json!({"payload": {"ShipmentData": [shipment("FBA1", "RECEIVING")], "NextToken": "AA=="}}),
    );
    stage.json(
        SHIPMENTS,
        json!({"payload": {"ShipmentData": [shipment("FBA2", "CLOSED")]}}),
    );
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    let items = |received: u32| json!({"payload": {"ItemData": [{"SellerSKU": "A", "QuantityShipped": 100, "QuantityReceived": received}]}});
    stage.json(&format!("{SHIPMENTS}/FBA1/items"), items(60));
    stage.json(&format!("{SHIPMENTS}/FBA2/items"), items(98));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config(&stage, &["inbounds"])).await;
    assert_eq!(stream(&report, "inbound").state, PullState::Ok, "{report:?}");
    assert_eq!(stream(&report, "inbound_lines").rows, 2);
    let first = query(&stage.asked(SHIPMENTS)[0].query);
    assert_eq!(
        (
            first["QueryType"].as_str(),
            first.contains_key("LastUpdatedAfter")
        ),
        ("DATE_RANGE", true)
    );
    let second = query(&stage.asked(SHIPMENTS)[1].query);
    let expected = [
        ("MarketplaceId", "A1F83G8C2ARO7P"),
        ("NextToken", "AA=="),
        ("QueryType", "NEXT_TOKEN"),
    ];
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    assert_eq!(second, expected);
    let mut tx = house.store.read().await.unwrap();
    let rows = tx
        .rows("SELECT inbound_no, announced, put_away FROM inbound_line WHERE account_id = $1 ORDER BY inbound_no", args![&house.account])
        .await
        .unwrap();
    let lines: Vec<(String, i64, i64)> = rows
        .iter()
        .map(|row| {
            (
                row.get("inbound_no").unwrap(),
                row.get("announced").unwrap(),
                row.get("put_away").unwrap(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [("FBA1".to_owned(), 100, 60), ("FBA2".to_owned(), 100, 98)]
    );
}

const LEDGER: &str = "Date\tFNSKU\tASIN\tMSKU\tTitle\tEvent Type\tReference ID\tQuantity\tFulfillment Center\tDisposition\tReason\tCountry\tReconciled Quantity\tUnreconciled Quantity\tDate and Time\n\
03/20/2026\tX1\tB1\tA\tCaf\u{e9}\tReceipts\tFBA1\t60\tLTN4\tSELLABLE\t\tGB\t60\t0\t2026-03-20T00:00:00+0000\n\
03/20/2026\tX1\tB1\tA\tCaf\u{e9}\tReceipts\tFBA1\t60\tLTN4\tSELLABLE\t\tGB\t60\t0\t2026-03-20T00:00:00+0000\n\
03/21/2026\tX1\tB1\tA\tCaf\u{e9}\tReceipts\tFBA1\t3\tLTN4\tDEFECTIVE\t\tGB\t3\t0\t2026-03-21T00:00:00+0000\n\
03/21/2026\tX1\tB1\tA\tCaf\u{e9}\tCustomerReturns\tR1\t1\tLTN4\tSELLABLE\t\tGB\t1\t0\t2026-03-21T00:00:00+0000\n";

async fn receipts(house: &House) -> BTreeMap<String, i64> {
    let mut tx = house.store.read().await.expect("a transaction");
    let rows = tx
        .rows(
            "SELECT kind, units FROM receipt_event WHERE account_id = $1",
            args![&house.account],
        )
        .await
        .expect("receipts");
    let mut sums = BTreeMap::new();
    for row in &rows {
        let kind: String = row.get("kind").expect("a kind");
        *sums.entry(kind).or_insert(0) += row.get::<i64>("units").expect("units");
    }
    sums
}

#[tokio::test]
async fn receipts_of_the_ledger_count_once_however_often_they_are_told() {
    let stage = Stage::open().await;
    // As Amazon writes it: in Latin-1.
    let latin: Vec<u8> = LEDGER
        .chars()
        .map(|sign| u8::try_from(u32::from(sign)).expect("Latin-1"))
        .collect();
    stage.with_token().with_summaries(&[("A", 1)]);
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    stage.on(REPORTS, Reply::Json(202, json!({"reportId": "R1"})));
    stage.json(
        &format!("{REPORTS}/R1"),
        json!({"processingStatus": "DONE", "reportId": "R1", "reportDocumentId": "D1"}),
    );
    stage.json(
        "/reports/2021-06-30/documents/D1",
        json!({"reportDocumentId": "D1", "url": format!("{}/doc/D1", stage.url)}),
    );
    stage.on("/doc/D1", Reply::Bytes(latin));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["inbounds"]);
    let expected = BTreeMap::from([
        ("damaged".to_owned(), 3),
        ("put_away".to_owned(), 120),
        ("received".to_owned(), 123),
    ]);
    for night in ["2026-04-02T02:00:00Z", "2026-04-03T02:00:00Z"] {
        house.clock.set(at(night));
        let report = house.pull(&config).await;
        let ledger = stream(&report, "receipts");
        assert_eq!((ledger.state, ledger.skipped), (PullState::Ok, 1), "{ledger:?}");
        assert_eq!(receipts(&house).await, expected);
    }
}

#[tokio::test]
async fn complaints_1641_and_2004_a_report_is_not_asked_for_sooner_than_its_kind_allows() {
    let stage = Stage::open().await;
    stage.with_token().with_report(LEDGER).with_summaries(&[("A", 1)]);
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["inbounds"]);
    let ledgers = || {
        stage
            .asked(REPORTS)
            .iter()
            .filter(|asked| asked.body.contains("LEDGER"))
            .count()
    };
    house.pull(&config).await;
    assert_eq!(ledgers(), 1);
    house.clock.set(at("2026-04-02T05:59:00Z"));
    let report = house.pull(&config).await;
    assert_eq!(ledgers(), 1);
    let warnings = &stream(&report, "receipts").warnings;
    assert!(
        warnings
            .keys()
            .any(|text| text.starts_with("not asked for: at most once every 240 minutes")),
        "{warnings:?}"
    );
    house.clock.set(at("2026-04-02T06:01:00Z"));
    house.pull(&config).await;
    assert_eq!(ledgers(), 2);
}

#[tokio::test]
async fn complaint_33779_headers_in_another_language_are_named_and_an_alias_reads_them() {
    let german = LEDGER
        .replace("Event Type", "Ereignistyp")
        .replace("Reference ID", "Referenz-ID");
    let stage = Stage::open().await;
    stage
        .with_token()
        .with_report(&german)
        .with_summaries(&[("A", 1)]);
    stage.json(SHIPMENTS, json!({"payload": {"ShipmentData": []}}));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let mut config = config(&stage, &["inbounds"]);
    let report = house.pull(&config).await;
    let problem = stream(&report, "receipts").problem.clone().unwrap();
    assert!(
        problem.contains("required column `ReferenceID` is missing"),
        "{problem}"
    );
    assert_eq!(receipts(&house).await, BTreeMap::new());

    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors/amazon-sp-api.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let text = text
        .replace(
            r#"EventType = ["Event Type"]"#,
            r#"EventType = ["Event Type", "Ereignistyp"]"#,
        )
        .replace(
            r#"ReferenceID = ["Reference ID"]"#,
            r#"ReferenceID = ["Reference ID", "Referenz-ID"]"#,
        );
    config.definition =
        std::sync::Arc::new(Definition::parse("own.toml", &text).unwrap_or_else(|error| panic!("{error}")));
    house.clock.set(at("2026-04-02T08:00:00Z"));
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "receipts").state, PullState::Ok, "{report:?}");
    assert_eq!(receipts(&house).await["received"], 123);
}

#[tokio::test]
async fn complaint_82_a_fatal_report_without_a_word_is_told_as_fatal_and_nothing_moves() {
    let stage = Stage::open().await;
    stage.with_token().with_summaries(&[("A", 1)]);
    stage.on(REPORTS, Reply::Json(202, json!({"reportId": "R1"})));
    stage.json(
        &format!("{REPORTS}/R1"),
        json!({"processingStatus": "FATAL", "reportId": "R1"}),
    );
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&amazon(&stage)).await;
    let orders = stream(&report, "orders");
    assert_eq!(orders.state, PullState::Failed, "{orders:?}");
    assert!(
        orders
            .problem
            .as_ref()
            .unwrap()
            .ends_with("report R1 ended FATAL"),
        "{orders:?}"
    );
    assert_eq!(orders.as_of, None);
}

/// The address of a document lives five minutes. It is told and fetched in one breath, and told anew when it is dead.
#[tokio::test]
async fn complaint_presigned_addresses_that_died_are_told_anew() {
    let stage = Stage::open().await;
    stage.with_token().with_summaries(&[("A", 1)]);
    stage.on(REPORTS, Reply::Json(202, json!({"reportId": "R1"})));
    stage.json(
        &format!("{REPORTS}/R1"),
        json!({"processingStatus": "DONE", "reportId": "R1", "reportDocumentId": "D1"}),
    );
    let document = "/reports/2021-06-30/documents/D1";
    let told = |name: &str| json!({"reportDocumentId": "D1", "url": format!("{}/doc/{name}", stage.url), "compressionAlgorithm": "GZIP"});
    stage.json(document, told("old"));
    stage.json(document, told("new"));
    // Storage answers with XML and 403 once five minutes are over.
    stage.on(
        "/doc/old",
        Reply::With(403, Vec::new(), json!("Request has expired")),
    );
    let text = report_text(&[in_report("1", "2026-03-31T11:00:00+00:00", "A", 2)]);
    stage.on("/doc/new", Reply::Bytes(gzip(&text)));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = amazon(&stage);
    // What was told is never kept: the pull after one that met a dead address asks for a living one.
    for _ in 0..2 {
        let report = house.pull(&config).await;
        if stream(&report, "orders").state == PullState::Ok {
            break;
        }
    }
    assert_eq!(sold(&house).await, units(&[("A", 2)]));
    // The report itself is not made again; the second pull only looks back two days, as every pull does.
    let asked = stage.asked(REPORTS);
    assert!(
        asked[0]
            .body
            .contains(r#""dataStartTime":"2026-03-13T00:00:00Z""#),
        "{asked:?}"
    );
    assert!(
        asked[1..]
            .iter()
            .all(|asked| asked.body.contains(r#""dataStartTime":"2026-03-31T01:55:00Z""#)),
        "{asked:?}"
    );
    assert_eq!(
        (stage.asked("/doc/old").len(), stage.asked("/doc/new").len()),
        (1, asked.len())
    );
    assert!(
        !stage.asked("/doc/new")[0]
            .headers
            .contains_key("x-amz-access-token")
    );
}

/// `getReports` refuses a token that does not come alone.
#[tokio::test]
async fn the_token_of_get_reports_goes_alone() {
    let stage = Stage::open().await;
    stage.with_token();
    let report = |id: &str| json!({"reportId": id, "processingStatus": "DONE"});
    stage.json(
        REPORTS,
        json!({"reports": [report("R1")], "nextToken": "VGhp/cw=="}),
    );
    stage.json(REPORTS, json!({"reports": [report("R2")]}));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors/amazon-sp-api.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let head = text
        .split("# Orders changed in a window.")
        .next()
        .unwrap()
        .replace("doctor = \"stock\"", "doctor = \"made\"");
    let text = format!(
        "{head}\n[stream.made]\nrecord = \"inbound\"\nsnapshot = \"partial\"\nrequest = {{ method = \"GET\", path = \"{REPORTS}\", query = {{ reportTypes = \"GET_LEDGER_DETAIL_VIEW_DATA\", pageSize = \"100\" }} }}\npage = {{ kind = \"token\", next = \"nextToken\", query = \"nextToken\", alone = true }}\nrows = \"reports[]\"\n[stream.made.map]\ninbound_no = \"reportId\"\nwarehouse = \"'Amazon'\"\nstate = \"processingStatus\"\nclosed = \"'no'\"\n"
    );
    let mut config = amazon(&stage);
    config.definition = std::sync::Arc::new(
        Definition::parse("reports.toml", &text).unwrap_or_else(|error| panic!("{error}")),
    );
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "made").rows, 2, "{report:?}");
    let asked = stage.asked(REPORTS);
    assert_eq!(query(&asked[0].query).len(), 2);
    assert_eq!(asked[1].query, "nextToken=VGhp%2Fcw%3D%3D");
}

#[tokio::test]
async fn awd_tells_stock_announced_and_received_and_a_running_total_counts_once() {
    let stage = Stage::open().await;
    stage.with_token();
    let stock = |sku: &str, free: u32| json!({"sku": sku, "totalOnhandQuantity": free, "totalInboundQuantity": 5, "inventoryDetails": {"availableDistributableQuantity": free, "reservedDistributableQuantity": 0}});
    stage.json(
        "/awd/2024-05-09/inventory",
        json!({"inventory": [stock("A", 100)], "nextToken": "t2"}),
    );
    stage.json("/awd/2024-05-09/inventory", json!({"inventory": [stock("B", 7)]}));
    let list = json!({"shipments": [{"orderId": "AO-1", "shipmentId": "AS-1", "externalReferenceId": "SO-1", "shipmentStatus": "RECEIVING", "updatedAt": "2026-03-31T10:00:00Z"}]});
    stage.json("/awd/2024-05-09/inboundShipments", list);
    let shipment = |received: u32| json!({"orderId": "AO-1", "shipmentId": "AS-1", "shipmentStatus": "RECEIVING", "shipmentSkuQuantities": [{"sku": "A", "expectedQuantity": {"quantity": 200, "unitOfMeasurement": "PRODUCT_UNITS"}, "receivedQuantity": {"quantity": received, "unitOfMeasurement": "PRODUCT_UNITS"}}]});
    stage.json("/awd/2024-05-09/inboundShipments/AS-1", shipment(120));
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = awd(&stage);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    assert_eq!(stream(&report, "stock").rows, 2);
    let second = &stage.asked("/awd/2024-05-09/inventory")[1].query;
    assert!(
        second.contains("nextToken=t2") && second.contains("details=SHOW"),
        "{second}"
    );
    let counted =
        |units: i64| BTreeMap::from([("put_away".to_owned(), units), ("received".to_owned(), units)]);
    assert_eq!(receipts(&house).await, counted(120));

    stage.clear();
    stage.with_token();
    stage.json(
        "/awd/2024-05-09/inventory",
        json!({"inventory": [stock("A", 100), stock("B", 7)]}),
    );
    stage.json(
        "/awd/2024-05-09/inboundShipments",
        json!({"shipments": [{"orderId": "AO-1", "shipmentId": "AS-1", "shipmentStatus": "CLOSED"}]}),
    );
    stage.json("/awd/2024-05-09/inboundShipments/AS-1", shipment(180));
    for night in ["2026-04-03T02:00:00Z", "2026-04-04T02:00:00Z"] {
        house.clock.set(at(night));
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        assert_eq!(receipts(&house).await, counted(180));
    }
}
