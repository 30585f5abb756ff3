//! What comes back, in all its shapes: paging over a real server, cursors, jobs, keys, personal data. One small
//! connector per test, written as a user would.

use std::collections::BTreeMap;
use std::sync::Arc;

use linkstar::args;
use linkstar::connector::{ConnectorConfig, Definition, run_tests};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::store::blob;
use linkstar::store::facts::{self, PullState, StreamNote};
use serde_json::{Value as Json, json};

use super::stage::{House, Reply, Stage, gzip, stream};

const HEAD: &str = r#"
version = 1
name = "shapes"
zone = "UTC"
doctor = "it"
[params.base_url]
about = "the server"
[params.keep_pii]
about = "whether buyers' data is kept"
default = "no"
[http]
base = "${param:base_url}"
[retry]
attempts = 2
first_wait_ms = 1
[answer]
message = ["msg"]
"#;

const ORDER_MAP: &str = r#"
[stream.it.map]
order_id = "id"
line = "line"
sku_code = "sku"
marketplace = "'shop'"
fulfilment = "'Merchant'"
ordered_at = "at | ts('rfc3339')"
updated_at = "at | ts('rfc3339')"
state = "'shipped'"
units = "n | int"
"#;

pub fn shaped(stage: &Stage, text: &str) -> ConnectorConfig {
    let text = match text.contains("[stream.it]") {
        true => format!("{HEAD}{text}"),
        false => format!(
            "{}{text}",
            HEAD.replace("doctor = \"it\"", "doctor = \"inbound\"")
        ),
    };
    let definition = Definition::parse("shapes.toml", &text).expect("the file the test wrote");
    ConnectorConfig {
        id: SourceId::new("shapes").expect("an id"),
        definition: Arc::new(definition),
        params: BTreeMap::from([("base_url".to_owned(), stage.url.clone())]),
        secrets: BTreeMap::new(),
        warehouses: BTreeMap::from([("W1".to_owned(), WarehouseCode::new("shapes:W1").expect("a code"))]),
    }
}

/// A stream of order lines with these further keys.
fn orders(stage: &Stage, keys: &str) -> ConnectorConfig {
    shaped(
        stage,
        &format!("[stream.it]\nrecord = \"order_line\"\nsnapshot = \"partial\"\n{keys}\n{ORDER_MAP}"),
    )
}

fn row(id: u32, line: u32, day: u32, units: u32) -> Json {
    json!({"id": format!("O{id}"), "line": line, "sku": format!("S{id}"), "at": format!("2026-03-{day:02}T10:00:00Z"), "n": units})
}

pub async fn house() -> House {
    House::new("2026-04-01T02:00:00Z").await
}

/// Order, line and units of everything stored.
async fn stored(house: &House) -> Vec<(String, String, i64)> {
    let mut tx = house.store.read().await.expect("a transaction");
    tx.rows(
        "SELECT order_id, fact_key, units FROM order_line WHERE account_id = $1 ORDER BY order_id, fact_key",
        args![&house.account],
    )
    .await
    .expect("rows")
    .iter()
    .map(|row| {
        (
            row.get("order_id").expect("an order"),
            row.get("fact_key").expect("a key"),
            row.get("units").expect("units"),
        )
    })
    .collect()
}

#[tokio::test]
async fn a_server_that_repeats_one_token_for_ever_ends_with_an_error() {
    let stage = Stage::open().await;
    stage.json("/it", json!({"rows": [row(1, 1, 1, 1)], "next": "again"}));
    let config = orders(
        &stage,
        "request = { method = \"GET\", path = \"/it\" }\nrows = \"rows[]\"\nknown = [\"next\"]\npage = { kind = \"token\", next = \"next\", query = \"t\" }",
    );
    let report = house().await.pull(&config).await;
    let it = stream(&report, "it");
    assert_eq!(it.state, PullState::Partial);
    assert!(
        it.problem.as_ref().unwrap().contains("was given before"),
        "{it:?}"
    );
    assert_eq!(stage.asked("/it").len(), 2);
}

#[tokio::test]
async fn a_link_header_and_a_verbatim_query_are_followed_over_http() {
    let stage = Stage::open().await;
    let link = format!("<{}/it/2?a=1>; rel=\"next\"", stage.url);
    stage.on("/it", Reply::With(200, vec![("link", link)], json!([])));
    stage.json("/it/2", json!([]));
    let config = orders(
        &stage,
        "request = { method = \"GET\", path = \"/it\" }\npage = { kind = \"link\" }\nrows = \"[]\"",
    );
    let report = house().await.pull(&config).await;
    assert_eq!(stream(&report, "it").pages, 2, "{report:?}");
    assert_eq!(stage.asked("/it/2")[0].query, "a=1");

    let stage = Stage::open().await;
    stage.json(
        "/it",
        json!({"rows": [row(1, 1, 1, 1)], "next": "?limit=1&so=2%3D"}),
    );
    stage.json("/it", json!({"rows": [row(2, 1, 1, 1)]}));
    let config = orders(
        &stage,
        "request = { method = \"GET\", path = \"/it\", query = { limit = \"1\", since = \"x\" } }\nrows = \"rows[]\"\npage = { kind = \"query\", next = \"next\" }",
    );
    let report = house().await.pull(&config).await;
    assert_eq!(stream(&report, "it").rows, 2, "{report:?}");
    let asked = stage.asked("/it");
    assert_eq!(
        (asked[0].query.as_str(), asked[1].query.as_str()),
        ("limit=1&since=x", "limit=1&so=2%3D")
    );
}

#[tokio::test]
async fn a_next_page_at_another_host_is_not_asked_for() {
    let (stage, other) = (Stage::open().await, Stage::open().await);
    stage.json(
        "/it",
        json!({"rows": [row(1, 1, 1, 1)], "next": format!("{}/it", other.url)}),
    );
    let config = orders(
        &stage,
        "request = { method = \"GET\", path = \"/it\" }\nrows = \"rows[]\"\npage = { kind = \"url\", next = \"next\" }",
    );
    let report = house().await.pull(&config).await;
    assert!(
        stream(&report, "it")
            .problem
            .as_ref()
            .unwrap()
            .contains("another host"),
        "{report:?}"
    );
    assert!(other.asked("/it").is_empty());
}

/// eBay and GoodCang page by number over a set that moves while it is read: rows come twice, and some not at all.
#[tokio::test]
async fn trap_9_a_row_that_moves_to_the_next_page_is_not_counted_twice_and_a_changed_total_is_noticed() {
    let stage = Stage::open().await;
    let page = |rows: &[Json], total: u32| json!({"rows": rows, "total": total});
    stage.json("/it", page(&[row(1, 1, 1, 5), row(2, 1, 1, 7)], 4));
    // A new order came in front: the second one is told again.
    stage.json("/it", page(&[row(2, 1, 1, 7), row(3, 1, 1, 9)], 4));
    let keys = "request = { method = \"GET\", path = \"/it\", query = { offset = \"{offset}\" } }\nrows = \"rows[]\"\nkey = [\"order_id\", \"line\"]\nnewest = \"updated_at\"\npage = { kind = \"offset\", total = \"total\", size = 2 }";
    let config = orders(&stage, keys);
    let house_1 = house().await;
    let report = house_1.pull(&config).await;
    let it = stream(&report, "it");
    assert_eq!((it.state, it.rows), (PullState::Ok, 3), "{it:?}");
    assert_eq!(it.warnings["row that came again, word for word"], 1);
    assert_eq!(stage.asked("/it")[1].query, "offset=2");
    let units: i64 = stored(&house_1).await.iter().map(|(.., units)| units).sum();
    assert_eq!(units, 21);

    let stage = Stage::open().await;
    stage.json("/it", page(&[row(1, 1, 1, 5), row(2, 1, 1, 7)], 4));
    stage.json("/it", page(&[row(2, 1, 1, 7), row(3, 1, 1, 9)], 5));
    let report = house().await.pull(&orders(&stage, keys)).await;
    let it = stream(&report, "it");
    assert!(
        it.problem.as_ref().unwrap().contains("changed from 4 to 5"),
        "{it:?}"
    );
}

/// A list that says how long it is and then leaves rows out is no success, and what came of it stays.
#[tokio::test]
async fn complaint_76465_rows_that_a_full_read_drops_are_told_by_number() {
    let stage = Stage::open().await;
    let page = |rows: &[Json]| json!({"rows": rows, "total": 4});
    stage.json("/it", page(&[row(1, 1, 1, 5), row(2, 1, 1, 7)]));
    stage.json("/it", page(&[row(4, 1, 1, 9)]));
    let keys = "request = { method = \"GET\", path = \"/it\", query = { page = \"{page}\" } }\nrows = \"rows[]\"\npage = { kind = \"number\", total = \"total\", size = 2 }";
    let house = house().await;
    let report = house.pull(&orders(&stage, keys)).await;
    let it = stream(&report, "it");
    assert_eq!((it.state, it.rows), (PullState::Partial, 2), "{it:?}");
    insta::assert_snapshot!(it.problem.as_ref().unwrap(), @"paging: page 2 has 1 rows, but 1 are still to come and a page holds 2");
    assert_eq!(stored(&house).await.len(), 2);
}

#[tokio::test]
async fn of_two_states_of_a_row_the_newest_counts_whatever_order_they_come_in() {
    let stage = Stage::open().await;
    stage.json(
        "/it",
        json!({"rows": [row(1, 1, 20, 5), row(1, 1, 10, 9), row(2, 1, 10, 1), row(2, 1, 11, 2)]}),
    );
    let config = orders(
        &stage,
        "request = { method = \"GET\", path = \"/it\" }\nrows = \"rows[]\"\nkey = [\"order_id\", \"line\"]\nnewest = \"updated_at\"",
    );
    let house = house().await;
    let report = house.pull(&config).await;
    assert_eq!(
        stream(&report, "it").warnings["row of which a newer state came"],
        2
    );
    assert_eq!(
        stored(&house).await,
        [
            ("O1".to_owned(), "O1|#1".to_owned(), 5),
            ("O2".to_owned(), "O2|#1".to_owned(), 2)
        ]
    );
}

#[tokio::test]
async fn personal_data_is_taken_out_of_what_is_stored_unless_asked_for() {
    let keys = "request = { method = \"GET\", path = \"/it\" }\nrows = \"rows[]\"\npii = [\"buyer\", \"shipTo.phone\"]\nkeep_pii = \"${param:keep_pii}\"\nknown = [\"shipTo\"]";
    let mut told = row(1, 1, 1, 5);
    told["buyer"] = json!({"name": "Ada Lovelace", "email": "ada@example.com"});
    told["shipTo"] = json!({"city": "Leeds", "phone": "0113 496 0000"});
    let stage = Stage::open().await;
    stage.json("/it", json!({"rows": [told]}));
    for (keep, there) in [("no", false), ("yes", true)] {
        let mut config = orders(&stage, keys);
        config.params.insert("keep_pii".to_owned(), keep.to_owned());
        let house = house().await;
        let report = house.pull(&config).await;
        assert_eq!(stream(&report, "it").rows, 1, "{report:?}");
        let mut tx = house.store.read().await.unwrap();
        let row = tx
            .row(
                "SELECT sha256 FROM raw_page WHERE account_id = $1",
                args![&house.account],
            )
            .await
            .unwrap()
            .unwrap();
        let sha256: String = row.get("sha256").unwrap();
        let (_, bytes) = blob::look(&mut tx, &house.account, &sha256).await.unwrap();
        let text = String::from_utf8(bytes.unwrap()).unwrap();
        for secret in ["Ada", "ada@example.com", "0113"] {
            assert_eq!(text.contains(secret), there, "{secret} in {text}");
        }
        assert!(text.contains("Leeds"));
    }
}

#[test]
fn personal_data_cannot_be_mapped() {
    let text = format!(
        "{HEAD}[stream.it]\nrecord = \"order_line\"\nsnapshot = \"partial\"\nrequest = {{ method = \"GET\", path = \"/it\" }}\nrows = \"rows[]\"\npii = [\"sku\"]\n{ORDER_MAP}"
    );
    let said = Definition::parse("shapes.toml", &text).unwrap_err().to_string();
    assert!(
        said.contains("`stream.it.pii`: found `sku`, wanted no personal data in a map"),
        "{said}"
    );
}

const BULK: &str = r#"
[stream.it]
record = "order_line"
snapshot = "partial"
decode = ["jsonl"]
rows = "rows[].LineItem[]?"
known = ["id", "__parentId"]
[stream.it.cursor]
start_days = "10"
window_days = 30
[stream.it.report]
create = { method = "POST", path = "/bulk", body = { from = "{from}", to = "{to}" } }
id = "data.bulk.id"
poll = { method = "GET", path = "/bulk/{report}" }
status = "data.node.status"
pending = ["CREATED", "RUNNING"]
done = ["COMPLETED"]
cancelled = ["CANCELED"]
failed = ["FAILED", "EXPIRED"]
reason = "data.node.errorCode"
every_seconds = 5
longest_minutes = 60
url = "data.node.url"
count = "data.node.objectCount"
keep_hours = 24
at_most_every_minutes = 30
[stream.it.map]
order_id = "^.name"
sku_code = "sku"
marketplace = "'shop'"
fulfilment = "'Merchant'"
ordered_at = "^.createdAt | ts('rfc3339')"
updated_at = "^.updatedAt | ts('rfc3339')"
state = "^.cancelledAt | if_set('cancelled') | coalesce(^.displayFulfillmentStatus) | enum(cancelled=cancelled, FULFILLED=shipped, UNFULFILLED=unshipped)"
units = "quantity | int"
"#;

const RESULT: &str = r#"{"id":"gid://shopify/Order/1","name":"A1","createdAt":"2026-03-25T10:00:00Z","updatedAt":"2026-03-26T10:00:00Z","cancelledAt":null,"displayFulfillmentStatus":"FULFILLED"}
{"id":"gid://shopify/LineItem/11","sku":"S1","quantity":3,"__parentId":"gid://shopify/Order/1"}
{"id":"gid://shopify/LineItem/12","sku":"S2","quantity":4,"__parentId":"gid://shopify/Order/1"}
"#;

fn bulk(stage: &Stage, status: &str, count: &str, result: &str) {
    stage.json("/bulk", json!({"data": {"bulk": {"id": "B1"}}}));
    let url = (status == "COMPLETED").then(|| format!("{}/result?sig=1", stage.url));
    stage.json(
        "/bulk/B1",
        json!({"data": {"node": {"status": status, "errorCode": "TIMEOUT", "objectCount": count, "url": url}}}),
    );
    stage.on("/result", Reply::Bytes(result.as_bytes().to_vec()));
}

async fn until(house: &House) -> Option<String> {
    let mut tx = house.store.read().await.expect("a transaction");
    let source = SourceId::new("shapes").expect("an id");
    let text = facts::stream_note(&mut tx, &house.account, &source, "it", StreamNote::Resume)
        .await
        .expect("a state")?;
    let state: Json = serde_json::from_str(&text).expect("JSON");
    state["until"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_bulk_result_is_read_from_the_address_that_the_poll_gives() {
    let stage = Stage::open().await;
    bulk(&stage, "COMPLETED", "3", RESULT);
    let house = house().await;
    let report = house.pull(&shaped(&stage, BULK)).await;
    let it = stream(&report, "it");
    assert_eq!((it.state, it.rows), (PullState::Ok, 2), "{it:?}");
    assert!(until(&house).await.is_some());
    // The address never carries what proves who asks.
    assert!(!stage.asked("/result")[0].headers.contains_key("authorization"));

    // Asked again a minute later, the source is left in peace, and nothing is lost.
    house.clock.set(super::stage::at("2026-04-01T02:01:00Z"));
    let again = house.pull(&shaped(&stage, BULK)).await;
    let it = stream(&again, "it");
    assert_eq!((it.state, it.rows), (PullState::Ok, 0), "{it:?}");
    assert!(
        it.warnings
            .keys()
            .any(|text| text.contains("at most once every 30 minutes")),
        "{it:?}"
    );
    assert_eq!(stage.asked("/bulk").len(), 1);
}

/// A sync that "succeeded" with a dropped result moved on and lost it (airbyte 85372).
#[tokio::test]
async fn complaint_85372_a_bulk_result_that_failed_or_is_not_whole_never_moves_the_cursor() {
    let half: String = RESULT.lines().take(2).map(|line| format!("{line}\n")).collect();
    for (status, count, result, says) in [
        ("FAILED", "0", RESULT, "ended FAILED: TIMEOUT"),
        ("EXPIRED", "3", RESULT, "ended EXPIRED"),
        ("COMPLETED", "3", half.as_str(), "2 objects, but 3 were promised"),
        ("COMPLETED", "3", "", "0 objects, but 3 were promised"),
        (
            "COMPLETED",
            "3",
            "{\"id\": \"gid",
            "line 1 of the answer is no JSON",
        ),
        ("SOMETHING", "3", RESULT, "unknown state"),
    ] {
        let stage = Stage::open().await;
        bulk(&stage, status, count, result);
        let house = house().await;
        let report = house.pull(&shaped(&stage, BULK)).await;
        let it = stream(&report, "it");
        assert_eq!(it.state, PullState::Failed, "{status} {it:?}");
        assert!(it.problem.as_ref().unwrap().contains(says), "{says}: {it:?}");
        assert_eq!(until(&house).await, None, "{status}");
        assert!(stored(&house).await.is_empty());
    }
}

#[tokio::test]
async fn an_empty_bulk_result_has_no_address_and_is_an_answer() {
    let stage = Stage::open().await;
    stage.json("/bulk", json!({"data": {"bulk": {"id": "B1"}}}));
    stage.json(
        "/bulk/B1",
        json!({"data": {"node": {"status": "COMPLETED", "objectCount": "0", "url": null}}}),
    );
    let house = house().await;
    let report = house.pull(&shaped(&stage, BULK)).await;
    assert_eq!(stream(&report, "it").state, PullState::Ok, "{report:?}");
    assert!(until(&house).await.is_some());
}

#[tokio::test]
async fn a_truncated_gzip_is_never_half_a_table() {
    let text: String = std::iter::once("id,line,sku,at,n\n".to_owned())
        .chain((0..4_000).map(|id| format!("O{id},1,S{id},2026-03-01T10:00:00Z,{}\n", id % 7)))
        .collect();
    let packed = gzip(&text);
    let stage = Stage::open().await;
    stage.on("/it", Reply::Bytes(packed[..packed.len() / 2].to_vec()));
    let keys = "request = { method = \"GET\", path = \"/it\" }\ndecode = [\"gzip\", \"csv\"]";
    let house = house().await;
    let report = house.pull(&orders(&stage, keys)).await;
    let it = stream(&report, "it");
    assert_eq!((it.state, it.rows), (PullState::Failed, 0), "{it:?}");
    assert!(
        it.problem.as_ref().unwrap().contains("cut off or damaged"),
        "{it:?}"
    );
    assert!(stored(&house).await.is_empty());
    stage.clear();
    stage.on("/it", Reply::Bytes(packed));
    assert_eq!(stream(&house.pull(&orders(&stage, keys)).await, "it").rows, 4_000);
}

/// Amazon's reports have other headers per marketplace (airbyte 33779), its ledger report with and without blanks.
#[test]
fn complaint_33779_columns_may_go_by_other_names_and_missing_ones_are_named() {
    let file = |header: &str, rejected: &str| {
        format!(
            "{HEAD}[stream.it]\nrecord = \"order_line\"\nsnapshot = \"partial\"\nrequest = {{ method = \"GET\", path = \"/it\" }}\ndecode = [\"tsv\"]\nalias = {{ sku = [\"Seller SKU\", \"卖家商品编码\"], n = [\"quantity-purchased\"] }}\n{ORDER_MAP}\n[[test]]\nname = \"headers\"\nstream = \"it\"\npage = \"{header}\\nO1\\t1\\tS1\\t2026-03-01T10:00:00Z\\t5\\n\"\nrows = [{{ order_id = \"O1\", line = \"1\", sku_code = \"S1\", marketplace = \"shop\", fulfilment = \"Merchant\", ordered_at = \"2026-03-01T10:00:00Z\", updated_at = \"2026-03-01T10:00:00Z\", state = \"shipped\", units = \"5\" }}]\n{rejected}"
        )
    };
    let test = |header: &str| {
        let text = file(header, "params = { base_url = \"http://127.0.0.1\" }");
        run_tests(&Definition::parse("shapes.toml", &text).unwrap_or_else(|error| panic!("{error}")))
    };
    for sku in ["sku", "SellerSKU", "seller-sku", "卖家商品编码"] {
        for units in ["n", "QuantityPurchased", "quantity-purchased"] {
            assert_eq!(
                test(&format!("id\\tline\\t{sku}\\tat\\t{units}")),
                Ok(1),
                "{sku} {units}"
            );
        }
    }
    let said = format!("{:?}", test("id\\tline\\tmsku\\tat\\tn").unwrap_err());
    assert!(said.contains("required column `sku` is missing"), "{said}");
}
