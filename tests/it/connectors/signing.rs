//! Signatures: every vector, and a new one for every attempt.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Duration, Utc};
use linkstar::clock::FixedClock;
use linkstar::connector::request::Fresh;
use linkstar::connector::template::Places;
use linkstar::http::{Client, FailureKind, Pace};
use serde_json::{Value as Json, json};

use super::desk::{Desk, Heard, ask, said, source_at, stock};
use super::stage::at;

fn vectors() -> Json {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/connectors/warehouse-cn/sign_vectors.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the vectors")).expect("JSON")
}

fn text<'a>(vector: &'a Json, path: &str) -> &'a str {
    path.split('.')
        .fold(vector, |at, name| &at[name])
        .as_str()
        .expect("a text")
}

/// The request that a file makes of its stream's call at this moment.
fn made(access: &str, secrets: &[(&str, &str)], now: DateTime<Utc>, token: Option<&str>) -> (Heard, String) {
    let bound = source_at("http://127.0.0.1:1", "desk", access, secrets);
    let call = bound
        .stream("stock")
        .expect("stock")
        .0
        .request
        .as_ref()
        .expect("a call");
    let fresh = Fresh {
        now,
        nonce: [7; 16],
        token: token.map(linkstar::connector::Secret::new),
    };
    let request = bound
        .request(call, &Places::default(), None, &fresh)
        .expect("a request");
    let (_, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let heard = Heard {
        method: format!("{:?}", request.method),
        path: String::new(),
        query: super::desk::pairs(query),
        headers: request.headers.iter().cloned().collect(),
        body: request
            .body
            .as_ref()
            .map(|body| String::from_utf8_lossy(body).into_owned())
            .unwrap_or_default(),
    };
    (heard, format!("{request:?}"))
}

const FOURPX: &str = r#"
[auth]
kind = "keys"
query = { app_key = "${secret:app_key}", format = "json", timestamp = "{timestamp}", v = "1.0.0" }
[[sign]]
kind = "md5_wrap"
into = "query.sign"
key = "${secret:app_secret}"
parts = ["app_key{query.app_key}", "format{query.format}", "method{query.method}", "timestamp{query.timestamp}", "v{query.v}", "{body}"]
[stream.stock]
request = { method = "POST", path = "/router", query = { method = "fu.wms.inbound.getlist" }, body = { warehouse_code = "USNYCA", page_no = 1, page_size = 100 } }
"#;

const WINIT: &str = r#"
[stamp]
timestamp = "%Y-%m-%d %H:%M:%S"
zone = "Asia/Shanghai"
[auth]
kind = "keys"
body = { action = "", app_key = "${secret:app_key}", format = "json", platform = "DEMO", sign_method = "md5", timestamp = "{timestamp}", version = "1.0" }
[[sign]]
kind = "md5_wrap"
into = "body.sign"
key = "${secret:token}"
key_at = "around"
case = "upper"
sorted = true
parts = ["action{body.action}", "app_key{body.app_key}", "data{body.data}", "format{body.format}", "platform{body.platform}", "sign_method{body.sign_method}", "timestamp{body.timestamp}", "version{body.version}"]
[[sign]]
kind = "md5_wrap"
into = "body.client_sign"
key = "${secret:client_secret}"
key_at = "around"
case = "upper"
sorted = true
parts = ["action{body.action}", "app_key{body.app_key}", "data{body.data}", "format{body.format}", "platform{body.platform}", "sign_method{body.sign_method}", "timestamp{body.timestamp}", "version{body.version}"]
[stream.stock]
request = { method = "POST", path = "", body = { action = "queryWarehouseStorage", data = { warehouseID = "1000008", pageSize = 200, pageNum = 1 } } }
"#;

pub const XLWMS: &str = r#"
[stamp]
timestamp = "s"
[auth]
kind = "keys"
body = { appKey = "${secret:app_key}", reqTime = "{timestamp}" }
[[sign]]
kind = "hmac_sorted_json"
into = "query.authcode"
key = "${secret:app_secret}"
parts = ["{body.appKey}", "{body.data}", "{body.reqTime}"]
[retry]
attempts = 4
first_wait_ms = 2000
[answer]
ok = "code == 200"
message = ["msg"]
rules = [
    { when = "code == 11002", is = "retry" },
    { when = "code == 10002", is = "configuration", message = "the window is missing or too long" },
]
[stream.stock]
request = { method = "POST", path = "/v1/integratedInventory/pageOpen", body = { data = { whCodeList = "HOU2", startTime = "2026-01-01 00:00:00", endTime = "2026-01-31 00:00:00", pageSize = 100, page = 1 } } }
"#;

const LINGXING: &str = r#"
[stamp]
timestamp = "s"
[auth]
kind = "client_credentials"
url = "${param:url}/token"
json = { appId = "${secret:app_id}", appSecret = "${secret:app_secret}" }
answer = { token = "data.access_token", life = "data.expires_in" }
query = { access_token = "{access_token}", app_key = "${secret:app_id}", timestamp = "{timestamp}" }
[[sign]]
kind = "aes_ecb_md5"
into = "query.sign"
key = "${secret:app_id}"
fields = ["query", "body"]
[stream.stock]
request = { method = "POST", path = "/erp", body = { page = 1, page_size = 20, sku = "" } }
"#;

const SEA: &str = r#"
[stamp]
timestamp = "s"
number = true
[auth]
kind = "keys"
headers = { AppKey = "K" }
[[sign]]
kind = "body_md5"
into = "header.Signature"
key = "${secret:app_secret}"
[stream.stock]
request = { method = "POST", path = "/sea", body = { requestTimestamp = "{timestamp}", pageSize = 100 } }
"#;

#[test]
fn every_signing_vector_is_equal() {
    let vectors = vectors();
    let secrets = |vector: &Json, names: &[&'static str]| -> Vec<(&'static str, String)> {
        names
            .iter()
            .map(|name| (*name, text(vector, &format!("input.{name}")).to_owned()))
            .collect()
    };
    let with = |secrets: &[(&'static str, String)]| -> Vec<(&'static str, &'static str)> {
        secrets
            .iter()
            .map(|(name, value)| (*name, &*value.clone().leak()))
            .collect()
    };

    let fourpx = &vectors["fourpx"];
    let millis: i64 = text(fourpx, "input.timestamp").parse().unwrap();
    let now = DateTime::from_timestamp_millis(millis).unwrap();
    let keys = secrets(fourpx, &["app_key", "app_secret"]);
    let (heard, shown) = made(FOURPX, &with(&keys), now, None);
    assert_eq!(
        heard.body,
        text(fourpx, "input.body"),
        "keys in the order of the file"
    );
    assert_eq!(heard.query["sign"], text(fourpx, "sign"));
    assert!(!shown.contains("AK") && !shown.contains("sign"), "{shown}");

    let winit = &vectors["winit"];
    let keys = secrets(winit, &["app_key", "token", "client_secret"]);
    let (heard, _) = made(WINIT, &with(&keys), at("2026-01-01T19:04:05Z"), None);
    let body = heard.json();
    assert_eq!(body["timestamp"], winit["input"]["timestamp"], "Shanghai's time");
    assert_eq!(body["sign"], winit["sign"]);
    assert_eq!(body["client_sign"], winit["client_sign"]);

    let xlwms = &vectors["xlwms"];
    let seconds: i64 = text(xlwms, "input.reqTime").parse().unwrap();
    let keys = [
        ("app_key", text(xlwms, "input.appKey")),
        ("app_secret", text(xlwms, "input.appSecret")),
    ];
    let (heard, _) = made(XLWMS, &keys, DateTime::from_timestamp(seconds, 0).unwrap(), None);
    assert_eq!(heard.query["authcode"], text(xlwms, "authcode"));
    assert_eq!(heard.json()["reqTime"], xlwms["input"]["reqTime"]);

    let lingxing = &vectors["lingxing_erp"];
    let seconds: i64 = text(lingxing, "input.timestamp").parse().unwrap();
    let keys = [
        ("app_id", text(lingxing, "input.app_key")),
        ("app_secret", "unused"),
    ];
    let now = DateTime::from_timestamp(seconds, 0).unwrap();
    let (heard, _) = made(LINGXING, &keys, now, Some(text(lingxing, "input.access_token")));
    assert_eq!(heard.query["sign"], text(lingxing, "sign"));

    let sea = &vectors["sea_wms"];
    let keys = [("app_secret", text(sea, "input.appSecret"))];
    let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let (heard, _) = made(SEA, &keys, now, None);
    assert_eq!(heard.body, text(sea, "input.body"));
    assert_eq!(heard.headers["signature"], text(sea, "signature"));
}

const KEYS: [(&str, &str); 2] = [("app_key", "APPKEY"), ("app_secret", "APPSECRET")];

/// The provider's side, written apart from ours: which signature a request must carry.
fn authcode(heard: &Heard) -> String {
    let body = heard.json();
    let data = &body["data"];
    let mut names: Vec<&String> = data.as_object().expect("an object").keys().collect();
    names.sort();
    let fields: Vec<String> = names
        .iter()
        .map(|name| format!("\"{name}\":{}", data[name.as_str()]))
        .collect();
    let plain = format!(
        "{}{{{}}}{}",
        body["appKey"].as_str().unwrap_or_default(),
        fields.join(","),
        body["reqTime"].as_str().unwrap_or_default()
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"APPSECRET");
    linkstar::digest::hex(ring::hmac::sign(&key, plain.as_bytes()).as_ref())
}

#[tokio::test]
async fn trap_3_re_sign_on_each_retry() {
    let times = AtomicU32::new(0);
    let desk = Desk::open(move |heard| {
        if heard.query.get("authcode") != Some(&authcode(heard)) {
            return said(200, json!({"code": 10001, "msg": "bad authcode"}));
        }
        if times.fetch_add(1, Ordering::Relaxed) < 2 {
            return said(200, json!({"code": 11002, "msg": "时间超时，请重新生产时间戳"}));
        }
        said(200, json!({"code": 200, "data": [{"sku": "A", "n": 1}]}))
    })
    .await;
    let bound = desk.source(XLWMS, &KEYS);
    let client = Client::new(Pace::Skip).unwrap();
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    let page = ask(&client, &bound, &clock).await.unwrap();
    assert_eq!(page.rows.seen, 1);
    let heard = desk.heard();
    assert_eq!(heard.len(), 3);
    let codes: std::collections::BTreeSet<&String> =
        heard.iter().map(|heard| &heard.query["authcode"]).collect();
    assert_eq!(codes.len(), 3, "every attempt is signed anew: {codes:?}");
}

#[tokio::test]
async fn trap_3_a_timestamp_that_stays_wrong_ends_with_the_servers_words() {
    let desk = Desk::open(|_| said(200, json!({"code": 11002, "msg": "时间超时"}))).await;
    let client = Client::new(Pace::Skip).unwrap();
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    let failure = ask(&client, &desk.source(XLWMS, &KEYS), &clock)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(failure.text, "HTTP 200: 时间超时 (after 4 attempts)");
    assert_eq!(desk.heard().len(), 4);
}

#[tokio::test]
async fn trap_2_a_window_that_is_missing_or_too_long_is_the_files_fault_and_not_tried_again() {
    let desk = Desk::open(|_| said(200, json!({"code": 10002, "msg": "查询超过最大条数限制"}))).await;
    let client = Client::new(Pace::Skip).unwrap();
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    let failure = ask(&client, &desk.source(XLWMS, &KEYS), &clock)
        .await
        .unwrap_err();
    assert_eq!(
        failure.to_string(),
        "configuration: the window is missing or too long (HTTP 200: 查询超过最大条数限制)"
    );
    assert_eq!(desk.heard().len(), 1);
}

#[tokio::test]
async fn a_request_is_stamped_after_its_turn_has_come_and_not_before() {
    let desk = Desk::open(|_| said(200, json!({"code": 200, "data": [{"sku": "A", "n": 1}]}))).await;
    let access = XLWMS
        .replace(
            "[retry]",
            "[limits]\nslow = { rate = 0.0056, burst = 1 }\n[retry]",
        )
        .replace("pageOpen\",", "pageOpen\", limit = \"slow\",");
    let bound = desk.source(&access, &KEYS);
    let client = Client::new(Pace::Skip).unwrap();
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    for _ in 0..2 {
        ask(&client, &bound, &clock).await.unwrap();
    }
    let times: Vec<i64> = desk
        .heard()
        .iter()
        .map(|heard| heard.json()["reqTime"].as_str().unwrap().parse().unwrap())
        .collect();
    let waited = Duration::seconds(times[1] - times[0]);
    assert!(waited >= Duration::seconds(178), "{times:?}");
}

#[tokio::test]
async fn a_signing_key_of_the_wrong_length_is_named_without_being_shown() {
    let desk = Desk::open(|heard| match heard.path.as_str() {
        "/token" => said(200, json!({"data": {"access_token": "tok", "expires_in": 7200}})),
        _ => stock(),
    })
    .await;
    let bound = desk.source(LINGXING, &[("app_id", "too-short"), ("app_secret", "s")]);
    let client = Client::new(Pace::Skip).unwrap();
    let failure = ask(&client, &bound, &FixedClock::new(at("2026-04-02T02:00:00Z")))
        .await
        .unwrap_err();
    assert_eq!(
        failure.to_string(),
        "configuration: the signing key must be 16 bytes for `aes_ecb_md5`, it has 9"
    );
}
