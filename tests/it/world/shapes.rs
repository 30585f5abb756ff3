//! Marketplace and warehouse: fields, texts, paging, tokens, faults.

use std::collections::BTreeSet;
use std::io::Read as _;

use linkstar::simulate::{EndpointFault, Endpoints, FaultKind};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::{at, world};

async fn token(client: &Client, to: &Endpoints) -> String {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &to.amazon_refresh_token),
        ("client_id", &to.amazon_client_id),
        ("client_secret", &to.amazon_client_secret),
    ];
    let response = client
        .post(&to.amazon_token_url)
        .form(&form)
        .send()
        .await
        .expect("the world answers");
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.expect("the world answers");
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("bearer"), &json!(3600))
    );
    body["access_token"]
        .as_str()
        .expect("the world answers")
        .to_owned()
}

async fn get(client: &Client, url: &str, token: &str) -> Response {
    client
        .get(url)
        .header("x-amz-access-token", token)
        .send()
        .await
        .expect("the world answers")
}

async fn report(client: &Client, to: &Endpoints, token: &str, from: &str, until: &str) -> Vec<u8> {
    let body = json!({
        "reportType": "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
        "marketplaceIds": [to.amazon_marketplace],
        "dataStartTime": from,
        "dataEndTime": until,
    });
    let reports = format!("{}/reports/2021-06-30/reports", to.amazon_base);
    let request = client
        .post(&reports)
        .header("x-amz-access-token", token)
        .json(&body);
    let created = request.send().await.expect("the world answers");
    assert_eq!(created.status(), StatusCode::ACCEPTED);
    assert_eq!(created.headers()["x-amzn-ratelimit-limit"], "0.0167");
    let id = created.json::<Value>().await.expect("the world answers")["reportId"]
        .as_str()
        .expect("the world answers")
        .to_owned();
    let mut seen = Vec::new();
    let document = loop {
        let report: Value = get(client, &format!("{reports}/{id}"), token)
            .await
            .json()
            .await
            .expect("the world answers");
        for field in ["processingStatus", "reportId", "reportType", "createdTime"] {
            assert!(report[field].is_string(), "{report}");
        }
        seen.push(
            report["processingStatus"]
                .as_str()
                .expect("the world answers")
                .to_owned(),
        );
        if let Some(document) = report["reportDocumentId"].as_str() {
            break document.to_owned();
        }
    };
    assert_eq!(seen, ["IN_QUEUE", "IN_PROGRESS", "DONE"]);
    let url = format!("{}/reports/2021-06-30/documents/{document}", to.amazon_base);
    let document: Value = get(client, &url, token)
        .await
        .json()
        .await
        .expect("the world answers");
    assert_eq!(document["compressionAlgorithm"], "GZIP");
    // The address needs no token, only its signature.
    let packed = client
        .get(document["url"].as_str().expect("the world answers"))
        .send()
        .await
        .expect("the world answers");
    assert_eq!(packed.status(), StatusCode::OK);
    packed.bytes().await.expect("the world answers").to_vec()
}

fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut plain)
        .expect("the world answers");
    plain
}

#[tokio::test]
async fn the_orders_report_has_31_columns_latin1_and_the_same_bytes_for_the_same_seed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (world(one.path()).await, world(two.path()).await);
    let client = Client::new();
    let mut reports = Vec::new();
    for running in [&first, &second] {
        running.advance_to(at("2026-05-13T18:00:00Z")).unwrap();
        let to = running.endpoints();
        let token = token(&client, to).await;
        reports.push(
            report(
                &client,
                to,
                &token,
                "2026-04-20T00:00:00Z",
                "2026-05-13T18:00:00Z",
            )
            .await,
        );
    }
    assert!(reports[0] == reports[1], "the same seed gives the same report");
    let plain = unpack(&reports[0]);
    assert!(
        std::str::from_utf8(&plain).is_err(),
        "the report is Latin-1, not UTF-8"
    );
    let text: String = plain.iter().map(|byte| char::from(*byte)).collect();
    assert!(text.contains("Café Diner Wall Clock Blue"));
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split('\t').collect();
    assert_eq!(
        (columns.len(), columns[0], columns[30]),
        (31, "amazon-order-id", "price-designation")
    );
    let (mut channels, mut states, mut ids, mut rows) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), 0);
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(cells.len(), 31, "{line}");
        let updated = at(cells[3]);
        assert!(updated >= at("2026-04-20T00:00:00Z") && updated < at("2026-05-13T18:00:00Z"));
        assert!(cells[13].parse::<i64>().unwrap() > 0);
        channels.insert(cells[5]);
        states.insert(cells[4]);
        ids.insert(cells[0]);
        rows += 1;
    }
    assert!(channels == BTreeSet::from(["Amazon", "Merchant"]));
    assert!(states == BTreeSet::from(["Cancelled", "Shipped", "Unshipped"]));
    assert!(
        rows > 2000 && ids.len() < rows,
        "{rows} rows, {} orders: some have two lines",
        ids.len()
    );
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn tokens_are_checked_and_expire_with_amazons_words() {
    let dir = tempfile::tempdir().unwrap();
    let running = world(dir.path()).await;
    let (client, to) = (Client::new(), running.endpoints().clone());
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "Atzr|wrong"),
        ("client_id", &to.amazon_client_id),
        ("client_secret", &to.amazon_client_secret),
    ];
    let refused = client
        .post(&to.amazon_token_url)
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"], "invalid_grant");
    let url = format!("{}/reports/2021-06-30/reports", to.amazon_base);
    let details = async |response: Response| {
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["code"], "Unauthorized");
        body["errors"][0]["details"].as_str().unwrap().to_owned()
    };
    let missing = client.get(&url).send().await.unwrap();
    assert_eq!(
        details(missing).await,
        "Access token is missing in the request header."
    );
    let token = token(&client, &to).await;
    assert_eq!(get(&client, &url, &token).await.status(), StatusCode::OK);
    running.advance_to(at("2026-05-11T19:00:00Z")).unwrap();
    let expired = get(&client, &url, &token).await;
    assert_eq!(
        details(expired).await,
        "The access token you provided has expired."
    );
}

#[tokio::test]
async fn inventory_comes_in_pages_and_agrees_with_the_truth() {
    let dir = tempfile::tempdir().unwrap();
    let running = world(dir.path()).await;
    let (client, to) = (Client::new(), running.endpoints().clone());
    let token = token(&client, &to).await;
    let base = format!(
        "{}/fba/inventory/v1/summaries?details=true&granularityType=Marketplace&granularityId={m}&marketplaceIds={m}",
        to.amazon_base,
        m = to.amazon_marketplace
    );
    let (mut url, mut rows, mut pages) = (base.clone(), Vec::new(), 0);
    loop {
        let page: Value = get(&client, &url, &token).await.json().await.unwrap();
        assert_eq!(page["payload"]["granularity"]["granularityType"], "Marketplace");
        rows.extend(page["payload"]["inventorySummaries"].as_array().unwrap().clone());
        pages += 1;
        match page["pagination"]["nextToken"].as_str() {
            Some(next) => url = format!("{base}&nextToken={next}"),
            None => break,
        }
    }
    assert_eq!((rows.len(), pages), (59, 3));
    let truth = running.truth();
    for row in &rows {
        let sku = row["sellerSku"].as_str().unwrap().strip_suffix("-FBA").unwrap();
        let stock = truth
            .stock
            .iter()
            .find(|s| s.sku == sku && s.warehouse.code() == "amazon:GB")
            .unwrap();
        let details = &row["inventoryDetails"];
        assert_eq!(details["fulfillableQuantity"], stock.shelf.available);
        assert_eq!(
            details["reservedQuantity"]["totalReservedQuantity"],
            stock.shelf.reserved
        );
        let inbound: i64 = [
            "inboundWorkingQuantity",
            "inboundShippedQuantity",
            "inboundReceivingQuantity",
        ]
        .iter()
        .map(|key| details[*key].as_i64().unwrap())
        .sum();
        assert_eq!(inbound, stock.moving + stock.shelf.dock);
    }
    running.advance_to(at("2026-05-11T18:01:00Z")).unwrap();
    assert_eq!(
        get(&client, &url, &token).await.status(),
        StatusCode::BAD_REQUEST,
        "a token lives 30 s"
    );
    let wrong = format!(
        "{}/fba/inventory/v1/summaries?granularityType=Marketplace",
        to.amazon_base
    );
    let body: Value = get(&client, &wrong, &token).await.json().await.unwrap();
    assert_eq!(body["errors"][0]["code"], "InvalidInput");
}

async fn goodcang(client: &Client, to: &Endpoints, path: &str, body: &Value) -> Value {
    let request = client.post(format!("{}{path}", to.goodcang_base)).json(body);
    let request = request
        .header("app-key", &to.goodcang_app_key)
        .header("app-token", &to.goodcang_app_token);
    request
        .send()
        .await
        .expect("the world answers")
        .json()
        .await
        .expect("the world answers")
}

#[tokio::test]
async fn the_warehouse_answers_as_documented_quirks_included() {
    let dir = tempfile::tempdir().unwrap();
    let running = world(dir.path()).await;
    let (client, to) = (Client::new(), running.endpoints().clone());
    let denied = client
        .post(format!("{}/base_data/get_warehouse", to.goodcang_base))
        .send()
        .await
        .unwrap();
    assert_eq!(denied.json::<Value>().await.unwrap()["ask"], "Failure");
    let first = goodcang(&client, &to, "/base_data/get_warehouse", &json!({})).await;
    assert_eq!(first["data"][0]["warehouse_code"], "UKMA");
    let mut rows = Vec::new();
    for page in 1..=2 {
        let body = json!({ "page": page, "pageSize": 50, "warehouse_code": "UKMA" });
        let page = goodcang(&client, &to, "/inventory/get_product_inventory", &body).await;
        assert_eq!((&page["ask"], &page["count"]), (&json!("Success"), &json!("59")));
        rows.extend(page["data"].as_array().unwrap().clone());
    }
    assert_eq!(rows.len(), 59);
    let truth = running.truth();
    let pack = rows
        .iter()
        .find(|row| row["product_sku"].as_str().unwrap().ends_with("-3P"))
        .unwrap();
    let pencils = truth
        .stock
        .iter()
        .find(|s| s.sku == "PEN-20974" && s.warehouse.code() == "goodcang:UKMA")
        .unwrap();
    assert_eq!(pack["sellable"], (pencils.shelf.available / 3).to_string());
    assert_eq!(
        rows.last().unwrap()["product_sku"],
        "LT-SAMPLE-0001",
        "one code nobody mapped"
    );
    // Past inbounds are archived; of the four under way most are counted five weeks later.
    running.advance_to(at("2026-06-15T18:00:00Z")).unwrap();
    let truth = running.truth();
    let list = goodcang(
        &client,
        &to,
        "/inbound_order/get_grn_list",
        &json!({ "page": 1, "page_size": 100 }),
    )
    .await;
    let grns = list["data"].as_array().unwrap().clone();
    assert!(
        grns.iter()
            .all(|grn| grn.get("box_total_count ").is_some() && grn.get("box_total_count").is_none())
    );
    let mut seen = 0;
    for grn in &grns {
        let body = json!({ "receiving_code": grn["receiving_code"] });
        let detail = goodcang(&client, &to, "/inbound_order/get_grn_detail", &body).await;
        assert_eq!(detail["data"]["eta_date "], "0000-00-00 00:00:00");
        let batches = goodcang(&client, &to, "/inbound_order/get_receipt_batch", &body).await;
        let put_away = goodcang(&client, &to, "/inbound_order/get_batch", &body).await;
        let sum = |rows: &Value, key: &str| -> i64 {
            rows.as_array()
                .unwrap()
                .iter()
                .map(|row| row[key].as_str().unwrap().parse::<i64>().unwrap())
                .sum()
        };
        let order = truth.shipment(grn["reference_no"].as_str().unwrap()).unwrap();
        let (reported, shelved) = order.lines.iter().fold((0, 0), |(reported, shelved), line| {
            let pack = if line.sku == "PEN-20974" { 3 } else { 1 };
            (
                reported + line.reported_received / pack,
                shelved + (line.put_away + line.damaged) / pack,
            )
        });
        assert_eq!(
            sum(&batches["data"]["gc_receiving_data"], "received_qty"),
            reported
        );
        assert_eq!(sum(&put_away["data"], "quantity"), shelved);
        seen += i64::from(reported > 0);
    }
    assert!(
        grns.len() == 4 && seen > 1,
        "{} inbounds, {seen} received",
        grns.len()
    );
    let none = json!({ "modify_date_from": "2026-06-16 02:00:00", "page": 1, "page_size": 100 });
    let list = goodcang(&client, &to, "/inbound_order/get_grn_list", &none).await;
    assert_eq!(
        list["count"], "0",
        "18:00 in London is 02:00 of the next day in Beijing"
    );
}

#[tokio::test]
async fn faults_can_be_switched_on_per_endpoint() {
    let dir = tempfile::tempdir().unwrap();
    let running = world(dir.path()).await;
    let (client, to) = (Client::new(), running.endpoints().clone());
    let inject = async |endpoint: &str, fault: FaultKind| {
        let fault = EndpointFault {
            endpoint: endpoint.into(),
            fault,
            times: Some(1),
        };
        let sent = client
            .post(format!("{}/fault", to.control_url))
            .json(&fault)
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), StatusCode::NO_CONTENT);
    };
    let inventory = || {
        let request = client.post(format!("{}/inventory/get_product_inventory", to.goodcang_base));
        request
            .header("app-key", &to.goodcang_app_key)
            .header("app-token", &to.goodcang_app_token)
            .json(&json!({ "page": 1, "pageSize": 200 }))
    };
    const NAME: &str = "goodcang.get_product_inventory";
    inject(
        NAME,
        FaultKind::TooManyRequests {
            retry_after_s: Some(2),
        },
    )
    .await;
    let limited = inventory().send().await.unwrap();
    assert_eq!(
        (limited.status(), &limited.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"2".parse().unwrap())
    );
    inject(NAME, FaultKind::TooManyRequests { retry_after_s: None }).await;
    assert!(
        inventory()
            .send()
            .await
            .unwrap()
            .headers()
            .get("retry-after")
            .is_none()
    );
    inject(NAME, FaultKind::Unavailable).await;
    assert_eq!(
        inventory().send().await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    inject(NAME, FaultKind::Reset).await;
    let cut = inventory().send().await.unwrap();
    assert_eq!(cut.status(), StatusCode::OK);
    assert!(cut.bytes().await.is_err(), "the body ends early");
    inject(NAME, FaultKind::HalfPage).await;
    let half: Value = inventory().send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (half["count"].as_str(), half["data"].as_array().unwrap().len()),
        (Some("59"), 29)
    );
    inject(NAME, FaultKind::EmptyList).await;
    let empty: Value = inventory().send().await.unwrap().json().await.unwrap();
    assert_eq!(empty["count"], "0");
    inject(NAME, FaultKind::ChangedColumn).await;
    let changed: Value = inventory().send().await.unwrap().json().await.unwrap();
    assert!(changed["data"][0].get("sellable").is_none());
    inject(NAME, FaultKind::ExpiredToken).await;
    let expired: Value = inventory().send().await.unwrap().json().await.unwrap();
    assert_eq!(expired["ask"], "Failure");
    let well: Value = inventory().send().await.unwrap().json().await.unwrap();
    assert_eq!(well["data"].as_array().unwrap().len(), 59);

    let access = token(&client, &to).await;
    inject("amazon.download", FaultKind::ChangedColumn).await;
    let changed = report(
        &client,
        &to,
        &access,
        "2026-05-10T00:00:00Z",
        "2026-05-11T00:00:00Z",
    )
    .await;
    let text: String = unpack(&changed).iter().map(|byte| char::from(*byte)).collect();
    assert!(text.lines().next().unwrap().contains("quantity-purchased"));
    inject("amazon.download", FaultKind::HalfPage).await;
    let half = report(
        &client,
        &to,
        &access,
        "2026-05-10T00:00:00Z",
        "2026-05-11T00:00:00Z",
    )
    .await;
    let mut plain = Vec::new();
    assert!(
        flate2::read::GzDecoder::new(half.as_slice())
            .read_to_end(&mut plain)
            .is_err()
    );
    inject("amazon.get_reports", FaultKind::ExpiredToken).await;
    let url = format!("{}/reports/2021-06-30/reports", to.amazon_base);
    assert_eq!(get(&client, &url, &access).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        get(&client, &url, &access).await.status(),
        StatusCode::FORBIDDEN,
        "an expired token stays so"
    );
}
