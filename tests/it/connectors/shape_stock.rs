//! Stock, inbounds and receipts in the shapes the warehouses give them.

use linkstar::args;
use linkstar::connector::Definition;
use linkstar::store::facts::{self, PullState};
use serde_json::{Value as Json, json};

use super::shape::{house, shaped};
use super::stage::{House, Reply, Stage, at, stream};

/// SKU and available units, as the store has them.
async fn stock(house: &House) -> Vec<(String, Option<i64>)> {
    let mut tx = house.store.read().await.expect("a transaction");
    let views = facts::latest_stock(&mut tx, &house.account).await.expect("stock");
    views
        .iter()
        .flat_map(|view| &view.rows)
        .map(|row| (row.sku_code.clone(), row.buckets.available))
        .collect()
}

fn sku(name: &str, units: Option<i64>) -> (String, Option<i64>) {
    (name.to_owned(), units)
}

const XLWMS_STOCK: &str = r#"
[stream.it]
record = "stock"
snapshot = "partial"
warehouse = "*"
request = { method = "POST", path = "/stock", body = { page = "{page}", whCodeList = "{warehouse}", startTime = "{from}", endTime = "{to}" } }
page = { kind = "number", total = "data.total", size = 100 }
cursor = { start_days = "60", window_days = 30, lookback_hours = 1, format = "%Y-%m-%d %H:%M:%S", zone = "Asia/Shanghai" }
rows = "data.records[]"
[stream.it.map]
sku_code = "sku"
available = "dtl.available | int"
"#;

fn records(rows: &[(&str, i64)]) -> Json {
    let rows: Vec<Json> = rows
        .iter()
        .map(|(sku, units)| json!({"sku": sku, "dtl": {"available": units}}))
        .collect();
    json!({"data": {"total": rows.len(), "records": rows}})
}

#[tokio::test]
async fn trap_1_a_sku_that_did_not_move_is_not_in_the_answer_and_keeps_its_stock() {
    let stage = Stage::open().await;
    stage.json("/stock", records(&[("A", 10), ("B", 4)]));
    stage.json("/stock", records(&[]));
    let (house, config) = (house().await, shaped(&stage, XLWMS_STOCK));
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "it").state, PullState::Ok, "{report:?}");
    assert_eq!(stock(&house).await, [sku("A", Some(10)), sku("B", Some(4))]);

    // A day later only B moved, later nothing did.
    stage.clear();
    stage.json("/stock", records(&[("B", 3)]));
    house.clock.set(at("2026-04-02T02:00:00Z"));
    house.pull(&config).await;
    assert_eq!(stock(&house).await, [sku("A", Some(10)), sku("B", Some(3))]);
    stage.clear();
    stage.json("/stock", records(&[]));
    house.clock.set(at("2026-04-03T02:00:00Z"));
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "it").state, PullState::Ok, "{report:?}");
    assert_eq!(stock(&house).await, [sku("A", Some(10)), sku("B", Some(3))]);
    let last: Json = serde_json::from_str(&stage.asked("/stock").last().unwrap().body).unwrap();
    let window = (&last["startTime"], &last["endTime"]);
    assert_eq!(
        window,
        (&json!("2026-04-02 09:00:00"), &json!("2026-04-03 10:00:00"))
    );
}

#[tokio::test]
async fn a_partial_stream_that_fails_in_the_middle_changes_nothing_and_asks_again() {
    let stage = Stage::open().await;
    stage.json("/stock", records(&[("A", 10)]));
    stage.on("/stock", Reply::Json(400, json!({"msg": "no"})));
    let (house, config) = (house().await, shaped(&stage, XLWMS_STOCK));
    house.pull(&config).await;
    assert_eq!(stock(&house).await, []);
    stage.clear();
    stage.json("/stock", records(&[("A", 10)]));
    house.pull(&config).await;
    assert_eq!(stock(&house).await, [sku("A", Some(10))]);
    let first: Vec<bool> = stage
        .asked("/stock")
        .iter()
        .map(|asked| asked.body.contains("\"startTime\":\"2026-01-31"))
        .collect();
    assert_eq!(first.iter().filter(|from_the_start| **from_the_start).count(), 2);
}

#[tokio::test]
async fn a_complete_snapshot_that_comes_in_half_is_discarded() {
    let whole = XLWMS_STOCK
        .replace("\"partial\"", "\"complete\"")
        .replace("size = 100", "size = 2");
    let whole: String = whole
        .lines()
        .filter(|line| !line.starts_with("cursor"))
        .map(|line| format!("{line}\n"))
        .collect();
    let whole = whole.replace(", startTime = \"{from}\", endTime = \"{to}\"", "");
    let stage = Stage::open().await;
    stage.json("/stock", records(&[("A", 10), ("B", 4)]));
    let (house, config) = (house().await, shaped(&stage, &whole));
    house.pull(&config).await;
    stage.clear();
    let half = |rows: Json| json!({"data": {"total": 3, "records": rows}});
    stage.json(
        "/stock",
        half(json!([{"sku": "A", "dtl": {"available": 1}}, {"sku": "C", "dtl": {"available": 1}}])),
    );
    stage.on("/stock", Reply::CutOff(b"{\"data\": {\"total\": 3, ".to_vec()));
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "it").state, PullState::Failed, "{report:?}");
    assert_eq!(stock(&house).await, [sku("A", Some(10)), sku("B", Some(4))]);
    // Complete again, A alone: now the absence of B is its end.
    stage.clear();
    stage.json("/stock", records(&[("A", 9)]));
    house.pull(&config).await;
    assert_eq!(stock(&house).await, [sku("A", Some(9))]);
}

const XLWMS_INBOUND: &str = r#"
[[answer.rules]]
is = "split"
when = "code == 10002"
[stream.inbound]
record = "inbound"
snapshot = "partial"
each = { status = ["1", "2", "3"] }
request = { method = "POST", path = "/list", body = { page = "{page}", status = "{each.status}", startTime = "{from}", endTime = "{to}" } }
page = { kind = "number", total = "data.total", size = 50 }
cursor = { start_days = "90", window_days = 30, format = "%Y-%m-%d %H:%M:%S", zone = "Asia/Shanghai" }
rows = "data.records[]"
pass = { type = "inboundType" }
[stream.inbound.map]
inbound_no = "no"
warehouse = "whCode"
state = "status"
closed = "status | enum(4=true, 5=true, *=false)"
[stream.lines]
record = "inbound_line"
snapshot = "partial"
parent = "inbound"
request = { method = "POST", path = "/lines", body = { no = "{parent.inbound_no}", type = "{parent.type}" } }
rows = "data.records[]"
[stream.lines.map]
inbound_no = "parent:inbound_no"
sku_code = "sku"
carton = "mark"
announced = "quantity | int"
[stream.receipts]
record = "receipt"
snapshot = "partial"
parent = "inbound"
running_total = true
request = { method = "POST", path = "/lines", body = { no = "{parent.inbound_no}", type = "{parent.type}" } }
rows = "data.records[]"
[stream.receipts.map]
inbound_no = "parent:inbound_no"
warehouse = "parent:warehouse"
sku_code = "sku"
carton = "mark"
kind = "'received'"
units = "receivedQuantity | int"
"#;

fn inbound(no: &str) -> Json {
    json!({"code": 200, "data": {"total": 1, "records": [{"no": no, "whCode": "W1", "status": 2, "inboundType": 7}]}})
}

fn none() -> Json {
    json!({"code": 200, "data": {"total": 0, "records": []}})
}

fn lines(received: &[i64]) -> Json {
    let rows: Vec<Json> = received
        .iter()
        .map(|units| json!({"mark": "B-1", "sku": "A", "quantity": 100, "receivedQuantity": units}))
        .collect();
    json!({"code": 200, "data": {"records": rows}})
}

/// Units and events received of SKU A.
pub async fn received(house: &House) -> (i64, i64) {
    let mut tx = house.store.read().await.expect("a transaction");
    let row = tx
        .row(
            "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) AS units, COUNT(*) AS events FROM receipt_event
             WHERE account_id = $1 AND sku_code = 'A'",
            args![&house.account],
        )
        .await
        .expect("a sum")
        .expect("a row");
    (
        row.get("units").expect("units"),
        row.get("events").expect("events"),
    )
}

#[tokio::test]
async fn trap_2_every_window_is_short_every_status_is_asked_for_alone_in_china_time() {
    let stage = Stage::open().await;
    stage.json("/list", none());
    let house = house().await;
    let report = house.pull(&shaped(&stage, XLWMS_INBOUND)).await;
    assert_eq!(stream(&report, "inbound").state, PullState::Ok, "{report:?}");
    let asked: Vec<Json> = stage
        .asked("/list")
        .iter()
        .map(|asked| serde_json::from_str(&asked.body).unwrap())
        .collect();
    // 90 days from midnight UTC to 02:00 are four windows of at most 30 days, with three states each.
    assert_eq!(asked.len(), 12);
    let read = |text: &Json| {
        chrono::NaiveDateTime::parse_from_str(text.as_str().unwrap(), "%Y-%m-%d %H:%M:%S").unwrap()
    };
    for (index, body) in asked.iter().enumerate() {
        assert_eq!(body["status"], json!((index % 3 + 1).to_string()));
        let (from, to) = (read(&body["startTime"]), read(&body["endTime"]));
        assert!(to > from && to - from <= chrono::Duration::days(30), "{body}");
    }
    assert_eq!(asked[11]["endTime"], json!("2026-04-01 10:00:00"));
}

#[tokio::test]
async fn a_window_that_is_too_much_is_asked_for_in_halves_and_nothing_twice() {
    let stage = Stage::open().await;
    let too_much = json!({"code": 10002, "msg": "查询超过最大条数限制", "data": null});
    let one = XLWMS_INBOUND
        .replace("[\"1\", \"2\", \"3\"]", "[\"2\"]")
        .replace("start_days = \"90\"", "start_days = \"20\"");
    for reply in [too_much.clone(), too_much, inbound("I1"), inbound("I2"), none()] {
        stage.json("/list", reply);
    }
    stage.json("/lines", lines(&[0]));
    let house = house().await;
    let report = house.pull(&shaped(&stage, &one)).await;
    let it = stream(&report, "inbound");
    assert_eq!((it.state, it.rows), (PullState::Ok, 2), "{report:?}");
    let spans: Vec<(String, String)> = stage
        .asked("/list")
        .iter()
        .map(|asked| {
            let body: Json = serde_json::from_str(&asked.body).unwrap();
            let text = |key: &str| body[key].as_str().unwrap().to_owned();
            (text("startTime"), text("endTime"))
        })
        .collect();
    // The whole, its first half, the two halves of that, and the second half.
    assert_eq!(spans.len(), 5);
    assert_eq!(spans[0].0, spans[2].0);
    assert_eq!(spans[2].1, spans[3].0);
    assert_eq!(spans[3].1, spans[1].1);
    assert_eq!(spans[4], (spans[1].1.clone(), spans[0].1.clone()));
    // The state is past everything.
    let again = house.pull(&shaped(&stage, &one)).await;
    assert_eq!(stream(&again, "inbound").rows, 0);
}

#[tokio::test]
async fn a_window_that_stays_too_much_ends_with_an_error() {
    let stage = Stage::open().await;
    stage.json("/list", json!({"code": 10002, "msg": "no", "data": null}));
    let report = house().await.pull(&shaped(&stage, XLWMS_INBOUND)).await;
    let it = stream(&report, "inbound");
    assert!(it.problem.as_ref().unwrap().contains("too_much"), "{it:?}");
    assert!(stage.asked("/list").len() < 30);
}

#[test]
fn trap_4_windows_are_half_open_or_closed_and_never_longer_than_the_api_allows() {
    use linkstar::connector::definition::{Bounds, Cursor};
    use linkstar::connector::pipe::TimeFormat;
    use linkstar::connector::window::{Resume, ends};
    let now = at("2026-04-01T02:00:00Z");
    let plan = |text: &str, days: u32| {
        let cursor: Cursor = toml::from_str(&format!("start_days = '{days}'\n{text}")).unwrap();
        let format = TimeFormat::parse(cursor.format.get_ref(), cursor.zone.get_ref()).unwrap();
        let windows = Resume::default().windows(&cursor, days, chrono_tz::UTC, now);
        (windows, format, cursor.bounds)
    };
    // Winit 24 hours, xlwms 30 days, GoodCang's log 31 days, 4PX 3 months.
    for (text, days, longest) in [
        ("window_hours = 24", 10, chrono::Duration::hours(24)),
        ("window_days = 30", 100, chrono::Duration::days(30)),
        ("window_days = 31", 100, chrono::Duration::days(31)),
        (
            "window_days = 89\nformat = 'epoch_ms'",
            400,
            chrono::Duration::days(89),
        ),
    ] {
        let (windows, ..) = plan(text, days);
        assert!(
            windows.iter().all(|window| window.to - window.from <= longest),
            "{text}"
        );
        assert!(
            windows.windows(2).all(|pair| pair[0].to == pair[1].from),
            "{text}"
        );
        assert_eq!(windows.last().unwrap().to, now);
    }
    let (windows, format, bounds) = plan(
        "window_hours = 24\nformat = '%Y-%m-%d %H:%M:%S'\nbounds = 'closed'",
        2,
    );
    assert_eq!(bounds, Bounds::Closed);
    let sent: Vec<(String, String)> = windows
        .iter()
        .map(|window| ends(*window, &format, bounds))
        .collect();
    assert_eq!(
        sent[0],
        ("2026-03-30 00:00:00".to_owned(), "2026-03-30 23:59:59".to_owned())
    );
    assert_eq!(sent[1].0, "2026-03-31 00:00:00");
    let (windows, format, bounds) = plan("window_days = 31\nformat = '%Y-%m-%d'\nbounds = 'closed'", 31);
    assert_eq!(
        ends(windows[0], &format, bounds),
        ("2026-03-01".to_owned(), "2026-03-31".to_owned())
    );
}

#[tokio::test]
async fn trap_7_what_came_in_all_is_told_again_and_again_and_counted_once() {
    let stage = Stage::open().await;
    let one = XLWMS_INBOUND
        .replace("[\"1\", \"2\", \"3\"]", "[\"2\"]")
        .replace("\"90\"", "\"20\"");
    stage.json("/list", inbound("I1"));
    let (house, config) = (house().await, shaped(&stage, &one));
    // Two batches of one box are parts of its total; a correction is an event of less.
    for (day, told, units, events) in [
        (1, &[60][..], 60, 1),
        (2, &[60][..], 60, 1),
        (3, &[60, 38][..], 98, 2),
        (4, &[97][..], 97, 3),
        (5, &[98][..], 98, 4),
    ] {
        stage.clear();
        stage.json("/list", inbound("I1")).json("/lines", lines(told));
        house.clock.set(at(&format!("2026-04-0{day}T02:00:00Z")));
        let report = house.pull(&config).await;
        assert_eq!(stream(&report, "receipts").state, PullState::Ok, "{report:?}");
        assert_eq!(received(&house).await, (units, events), "{told:?}");
    }
    assert!(stage.asked("/lines")[0].body.contains("\"type\":\"7\""));
    // What was announced is announced once, however often its batches come.
    let mut tx = house.store.read().await.unwrap();
    let rows = tx
        .rows(
            "SELECT announced FROM inbound_line WHERE account_id = $1",
            args![&house.account],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn rows_of_another_inbound_than_the_one_asked_for_are_kept_out_and_counted() {
    let stage = Stage::open().await;
    let own = XLWMS_INBOUND.replace("[\"1\", \"2\", \"3\"]", "[\"2\"]").replace(
        "inbound_no = \"parent:inbound_no\"\nsku_code",
        "inbound_no = \"no\"\nsku_code",
    );
    stage.json("/list", inbound("I1"));
    stage.json("/list", none());
    stage.json(
        "/lines",
        json!({"code": 200, "data": {"records": [
            {"no": "I1", "mark": "B", "sku": "A", "quantity": 1, "receivedQuantity": 0},
            {"no": "I2", "mark": "B", "sku": "Z", "quantity": 9, "receivedQuantity": 0},
        ]}}),
    );
    let report = house().await.pull(&shaped(&stage, &own)).await;
    let lines = stream(&report, "lines");
    assert_eq!(
        (lines.state, lines.rows, lines.rejected_count),
        (PullState::Partial, 1, 1),
        "{lines:?}"
    );
    assert_eq!(lines.warnings["row without the row it belongs to"], 1);
    assert!(
        lines.problem.as_ref().unwrap().contains("rows below `I1`"),
        "{lines:?}"
    );
    assert_eq!(stream(&report, "inbound").rows, 1);
}

#[test]
fn trap_5_goodcang_writes_numbers_as_texts_blanks_behind_names_dates_of_zero_and_two_envelopes() {
    // The file's own tests are its answers as they came.
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors/goodcang.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let definition = Definition::parse("goodcang.toml", &text).unwrap();
    for oddity in [
        "\"box_total_count \"",
        "\"0000-00-00 00:00:00\"",
        "\"count\": \"3\"",
        "ask == 'Success' or code == 0",
    ] {
        assert!(text.contains(oddity), "{oddity}");
    }
    assert_eq!(
        linkstar::connector::run_tests(&definition),
        Ok(definition.file.test.len())
    );
}
