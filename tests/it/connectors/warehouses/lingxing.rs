//! 领星 ERP: a token from id and secret, AES over the MD5 of all fields, a bucket of one per call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt as _, KeyInit as _};
use base64::Engine as _;
use linkstar::connector::ConnectorConfig;
use linkstar::store::facts::PullState;
use serde_json::{Value as Json, json};

use super::super::desk::{Desk, Heard, Said, pairs, said};
use super::super::settled::{Sent, at_the_end_of};
use super::super::stage::{House, stream};
use super::yard::{Books, Gate, canonical, civil, md5_hex, number, source};

const ID: &str = "ak_0123456789abc";
const SECRETS: [(&str, &str); 2] = [("app_id", ID), ("app_secret", "s3cret+with/signs==")];

#[derive(Default)]
struct Erp {
    tokens: u32,
    stock: Vec<Json>,
    inbounds: Vec<Json>,
    receipts: Vec<Json>,
    /// Requests this token is good for.
    left: u32,
}

fn error(code: i64, text: &str) -> Said {
    said(200, json!({"code": code, "message": text, "data": []}))
}

/// What stands in a signature, read with the key.
fn opened(sign: &str) -> Option<String> {
    let mut bytes = base64::prelude::BASE64_STANDARD.decode(sign).ok()?;
    let cipher = Aes128::new_from_slice(ID.as_bytes()).ok()?;
    for chunk in bytes.chunks_exact_mut(16) {
        let mut block = aes::Block::try_from(&*chunk).ok()?;
        cipher.decrypt_block(&mut block);
        chunk.copy_from_slice(&block);
    }
    let padding = usize::from(*bytes.last()?);
    bytes.truncate(bytes.len().checked_sub(padding)?);
    String::from_utf8(bytes).ok()
}

fn signed(heard: &Heard) -> bool {
    let mut fields: BTreeMap<String, String> = heard.query.clone();
    let sign = fields.remove("sign").unwrap_or_default();
    for (name, value) in heard.json().as_object().expect("an object") {
        let text = value.as_str().map_or_else(|| canonical(value), str::to_owned);
        fields.insert(name.clone(), text);
    }
    fields.retain(|_, value| !value.is_empty());
    let plain: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    opened(&sign) == Some(md5_hex(&plain.join("&")).to_uppercase())
}

fn some(rows: &[Json], from: u64, size: u64) -> Said {
    let skip = usize::try_from(from).expect("a number");
    let take = usize::try_from(size).expect("a number");
    let data: Vec<&Json> = rows.iter().skip(skip).take(take).collect();
    said(
        200,
        json!({"code": 0, "message": "success", "error_details": [], "data": data, "total": rows.len()}),
    )
}

fn answer(erp: &mut Erp, heard: &Heard) -> Said {
    if heard.path == "/api/auth-server/oauth/access-token" {
        let form = pairs(&heard.body);
        if form.get("appId").map(String::as_str) != Some(ID)
            || form.get("appSecret").map(String::as_str) != Some("s3cret+with/signs==")
        {
            return said(
                200,
                json!({"code": "2001002", "msg": "app secret not correct", "data": null}),
            );
        }
        erp.tokens += 1;
        erp.left = 7;
        let token = format!("token-{}", erp.tokens);
        return said(
            200,
            json!({"code": "200", "msg": "OK", "data": {"access_token": token, "refresh_token": "r", "expires_in": 7199}}),
        );
    }
    let token = format!("token-{}", erp.tokens);
    if heard.query.get("access_token") != Some(&token) || erp.left == 0 {
        return error(2_001_003, "access token is missing or expire");
    }
    erp.left -= 1;
    if !signed(heard) {
        return error(2_001_006, "api sign not correct");
    }
    let asked = heard.json();
    match heard.path.as_str() {
        "/erp/sc/routing/data/local_inventory/inventoryDetails" => {
            let size = number(&asked, "length");
            if size > 800 {
                return error(500, "length最大800");
            }
            let wid: Option<i64> = asked["wid"].as_str().and_then(|wid| wid.parse().ok());
            let own = |row: &&Json| row["wid"].as_i64() == wid;
            let rows: Vec<Json> = erp.stock.iter().filter(own).cloned().collect();
            some(&rows, number(&asked, "offset"), size)
        }
        "/erp/sc/routing/owms/inbound/listInbound" => {
            let size = number(&asked, "page_size");
            if size > 50 || asked["date_type"] != "update_time" {
                return error(500, "page_size最大50");
            }
            let (from, to) = (civil(&asked["create_time_from"]), civil(&asked["create_time_to"]));
            let changed = |row: &&Json| (from..=to).contains(&civil(&row["update_time"]));
            let rows: Vec<Json> = erp.inbounds.iter().filter(changed).cloned().collect();
            some(&rows, (number(&asked, "page") - 1) * size, size)
        }
        "/erp/sc/routing/owms/inbound/getReceiveGoodRecords" => {
            let own = |row: &&Json| row["overseas_order_no"] == asked["overseas_order_no"];
            let rows: Vec<Json> = erp.receipts.iter().filter(own).cloned().collect();
            some(&rows, number(&asked, "offset"), number(&asked, "length"))
        }
        other => error(404, other),
    }
}

async fn open(erp: &Arc<Mutex<Erp>>, every: u32) -> Desk {
    let (gate, erp) = (Gate::every(every), Arc::clone(erp));
    Desk::open(move |heard| {
        if gate.closed().is_some() {
            // Too many at once is told in a good answer here.
            return error(3_001_008, "requests too frequently. please request later.");
        }
        answer(&mut erp.lock().expect("an ERP"), heard)
    })
    .await
}

fn config(url: &str, secrets: &[(&str, &str)]) -> ConnectorConfig {
    source(
        "lingxing-erp",
        url,
        &[],
        secrets,
        &[("9", "own:US1"), ("1771", "own:CN1")],
    )
}

fn row(wid: i64, sku: &str, shop: &str, valid: i64) -> Json {
    json!({"wid": wid, "product_id": 7, "sku": sku, "seller_id": shop, "fnsku": "", "product_total": valid + 21,
        "product_valid_num": valid, "product_bad_num": 1, "product_qc_num": 8, "product_lock_num": 12,
        "quantity_receive": "5.00", "product_onway": 30, "third_inventory": []})
}

fn inbound(number: &str, status: i64, deleted: i64, changed: &str) -> Json {
    json!({"overseas_order_no": number, "inbound_order_no": "", "customer_reference_no": format!("SO-{number}"), "s_wid": 53,
        "r_wid": 9, "status": status, "is_delete": deleted, "update_time": changed,
        "products": [{"product_id": 7, "sku": "A", "stock_num": 100, "receive_num": 0}]})
}

fn received(number: &str, units: i64, at: &str) -> Json {
    json!({"woop_id": 1, "overseas_order_no": number, "current_receive_num": units, "receive_num": 100, "update_time": at,
        "sku": "A", "real_receive_at": "2026-01-21 00:00:00"})
}

#[tokio::test]
async fn a_pull_of_lingxing_renews_its_token_and_reads_both_warehouses_whole() {
    let erp = Arc::new(Mutex::new(Erp::default()));
    {
        let mut erp = erp.lock().unwrap();
        erp.stock = (0..810).map(|n| row(9, &format!("S{n:03}"), "0", n)).collect();
        // Two shops hold as many of one SKU each: both count.
        erp.stock.push(row(9, "S005", "22", 5));
        erp.stock.push(row(1771, "HOME", "0", 40));
        erp.inbounds = vec![
            inbound("OWS1", 50, 0, "2026-01-21 09:00:00"),
            inbound("OWS2", 40, 1, "2026-01-21 09:00:00"),
        ];
        // Two batches, one of them twice in a second (trap 7).
        erp.receipts = vec![
            received("OWS1", 60, "2026-01-20 11:08:22"),
            received("OWS1", 19, "2026-01-21 09:00:00"),
            received("OWS1", 19, "2026-01-21 09:00:00"),
        ];
    }
    let desk = open(&erp, 5).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    for _ in 0..2 {
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        let books = Books::of(&house).await;
        assert_eq!(books.stock.len(), 811);
        assert_eq!(
            books.stock["S005"],
            [Some(10), Some(24), Some(16), Some(70), Some(2), None]
        );
        assert_eq!(books.stock["HOME"][0], Some(40));
        assert_eq!(books.inbound("OWS1"), ("own:US1", "SO-OWS1", "50", false));
        assert_eq!(books.inbound("OWS2"), ("own:US1", "SO-OWS2", "40", true));
        assert_eq!(books.line("OWS1", "", "A"), (Some(100), None));
        assert_eq!(books.receipt("OWS1", "A", "received"), (98, 3));
    }
    let erp = erp.lock().unwrap();
    assert!(erp.tokens > 1, "a token that runs out is renewed");
    let asked = desk.heard();
    let logins = asked
        .iter()
        .filter(|heard| heard.path.ends_with("access-token"))
        .count();
    assert!(logins <= asked.len() / 4, "{logins} of {}", asked.len());
}

#[tokio::test]
async fn the_errors_of_lingxing_come_in_200_and_mean_what_its_page_says() {
    for (code, kind) in [
        (3_001_002, "forbidden"),
        (2_001_004, "forbidden"),
        (2_001_006, "refused"),
        (3_001_008, "throttled"),
    ] {
        let desk = Desk::open(move |heard| {
            if heard.path.ends_with("access-token") {
                return said(
                    200,
                    json!({"code": "200", "data": {"access_token": "t", "expires_in": 7199}}),
                );
            }
            error(code, "said by the vendor")
        })
        .await;
        let house = House::new("2026-01-22T02:00:00Z").await;
        let report = house.pull(&config(&desk.url, &SECRETS)).await;
        let stock = stream(&report, "stock");
        assert_eq!(stock.state, PullState::Failed);
        let why = stock.problem.as_ref().unwrap();
        assert!(
            why.contains(kind) && why.contains("said by the vendor"),
            "{code}: {why}"
        );
    }
}

#[tokio::test]
async fn a_secret_of_lingxing_that_is_wrong_is_told_by_the_login() {
    let erp = Arc::new(Mutex::new(Erp::default()));
    let desk = open(&erp, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let report = house
        .pull(&config(&desk.url, &[("app_id", ID), ("app_secret", "other")]))
        .await;
    let why = stream(&report, "stock").problem.clone().unwrap();
    assert!(why.contains("app secret not correct"), "{why}");
    assert!(!why.contains("other"), "{why}");
}

/// Several rows of one product, two of them alike, and one that takes back.
#[tokio::test]
async fn r55_rows_of_lingxing_reconcile_to_the_line_and_a_negative_one_takes_back() {
    let erp = Arc::new(Mutex::new(Erp::default()));
    let desk = open(&erp, 1_000).await;
    let house = House::new("2026-01-20T06:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    let sent = Sent {
        order: "SO-OWS1",
        warehouse: "own:US1",
        units: &[("A", 100)],
    };
    let rows = [
        received("OWS1", 60, "2026-01-20 11:08:22"),
        received("OWS1", 20, "2026-01-21 09:00:00"),
        received("OWS1", 20, "2026-01-21 09:00:00"),
        received("OWS1", -5, "2026-01-22 09:00:00"),
    ];
    let days = [
        (
            "2026-01-20",
            50,
            1,
            "A 100: 60 received, 0 shelved, 0 damaged, receiving open",
        ),
        (
            "2026-01-21",
            50,
            3,
            "A 100: 100 received, 0 shelved, 0 damaged, receiving open",
        ),
        (
            "2026-01-22",
            60,
            4,
            "A 100: 95 received, 0 shelved, 0 damaged, closed short -5",
        ),
    ];
    for (day, status, known, wanted) in days {
        {
            let mut erp = erp.lock().unwrap();
            erp.stock = vec![row(9, "A", "0", 1), row(1771, "A", "0", 1)];
            erp.inbounds = vec![inbound("OWS1", status, 0, &format!("{day} 10:00:00"))];
            erp.receipts = rows[..known].to_vec();
        }
        at_the_end_of((&house, &config, &sent), &format!("{day}T06:00:00Z"), wanted).await;
    }
}
