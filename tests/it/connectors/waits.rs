//! How long: points that a source counts itself, calls that are left, and the waits that servers ask for.

use std::collections::VecDeque;
use std::sync::Mutex;

use linkstar::clock::FixedClock;
use linkstar::http::{Client, FailureKind, Pace};
use serde_json::{Value as Json, json};

use super::desk::{Desk, Said, ask, databases, process, said, source_at, stock};
use super::stage::at;

/// Shopify's way to count: a bucket of points, told in every answer.
const POINTS: &str = r#"
[stamp]
timestamp = "ms"
[auth]
kind = "keys"
headers = { x-now = "{timestamp}" }
[retry]
attempts = 3
[limits]
points = { cost = {} }
[answer]
rules = [{ when = "errors[].extensions.code == 'THROTTLED'", is = "throttled" }]
[stream.stock]
request = { method = "POST", path = "/graphql", limit = "points", graphql = { query = "{ shop { name } }" } }
"#;

/// 1000 points, 50 a second, 400 a call of which 300 are given back.
fn shop() -> impl Fn(&super::desk::Heard) -> Said + Send + Sync {
    let bucket: Mutex<Option<(f64, i64)>> = Mutex::new(None);
    move |heard| {
        let now: i64 = heard.header("x-now").parse().expect("a time");
        let mut bucket = bucket.lock().expect("a bucket");
        let (mut left, then) = bucket.unwrap_or((1000.0, now));
        left = (left + (now - then).max(0) as f64 / 1000.0 * 50.0).min(1000.0);
        let let_in = left >= 400.0;
        if let_in {
            left -= 100.0;
        }
        *bucket = Some((left, now.max(then)));
        let mut body = json!({
            "data": [{"sku": "A", "n": 1}],
            "extensions": {"cost": {"requestedQueryCost": 400, "actualQueryCost": if let_in { json!(100) } else { Json::Null },
                "throttleStatus": {"maximumAvailable": 1000.0, "currentlyAvailable": left.floor(), "restoreRate": 50.0}}},
        });
        if !let_in {
            body["errors"] = json!([{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]);
        }
        said(200, body)
    }
}

#[tokio::test]
async fn points_are_learned_from_answers_and_reserved_so_that_nobody_is_throttled() {
    let (_folder, urls) = databases().await;
    for url in urls {
        let desk = Desk::open(shop()).await;
        let bound = desk.source(POINTS, &[]);
        let (client, _store) = process(&url, "one", Pace::Skip).await;
        let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
        let mut bodies = VecDeque::new();
        for _ in 0..25 {
            bodies.push_back(ask(&client, &bound, &clock).await.unwrap().raw);
        }
        let throttled = bodies
            .iter()
            .filter(|raw| String::from_utf8_lossy(raw).contains("THROTTLED"))
            .count();
        assert_eq!((throttled, desk.heard().len()), (0, 25), "{url}");
        let times: Vec<i64> = desk
            .heard()
            .iter()
            .map(|heard| heard.header("x-now").parse().unwrap())
            .collect();
        // 1000 to begin with, then 50 a second for 100 a call: 25 calls need 2500 - 600 points.
        let waited = times[24] - times[0];
        assert!((30_000..=48_000).contains(&waited), "{waited} ms, {url}");
    }
}

#[tokio::test]
async fn points_that_others_have_spent_are_waited_for_and_the_call_is_made_again() {
    let (_folder, urls) = databases().await;
    let desk = Desk::open(shop()).await;
    let (one, _a) = process(&urls[0], "one", Pace::Skip).await;
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    // Another program of the seller empties the bucket; we do not know of it.
    let other = Client::new(Pace::Skip).unwrap();
    let bound = desk.source(POINTS, &[]);
    for _ in 0..7 {
        ask(&other, &bound, &clock).await.unwrap();
    }
    ask(&one, &bound, &clock).await.unwrap();
    let before = desk.heard().len();
    ask(&one, &bound, &clock).await.unwrap();
    assert_eq!(desk.heard().len(), before + 1, "knows by now what is left");
}

#[tokio::test]
async fn few_calls_left_slow_everybody_down_before_a_429() {
    let access = r#"
[stamp]
timestamp = "ms"
[auth]
kind = "keys"
headers = { x-now = "{timestamp}" }
[retry]
attempts = 1
wait_headers = ["retry-after", "x-retry-after"]
remaining = { header = "x-remaining-calls", keep = 3, rest_ms = 30000 }
[limits]
minute = { requests = 150, seconds = 60 }
[stream.stock]
request = { method = "GET", path = "/stock", limit = "minute" }
"#;
    // The server counts other programs of the seller, too: 5 calls are left of the minute.
    let calls: Mutex<Vec<i64>> = Mutex::default();
    let desk = Desk::open(move |heard| {
        let now: i64 = heard.header("x-now").parse().expect("a time");
        let mut calls = calls.lock().expect("calls");
        calls.retain(|at| *at > now - 60_000);
        calls.push(now);
        if calls.len() > 5 {
            return said(429, json!({}));
        }
        let mut answer = stock();
        answer
            .headers
            .push(("x-remaining-calls", (5 - calls.len()).to_string()));
        answer
    })
    .await;
    let bound = desk.source(access, &[]);
    let client = Client::new(Pace::Skip).unwrap();
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    for _ in 0..20 {
        ask(&client, &bound, &clock).await.unwrap();
    }
    assert_eq!(desk.heard().len(), 20);
}

#[tokio::test]
async fn waits_are_taken_from_whatever_header_the_source_has() {
    let plain = "[retry]\nattempts = 2\nlongest_wait_seconds = 600\n";
    let now = at("2026-04-02T02:00:00Z");
    for (setting, header, value, seconds) in [
        ("", "retry-after", "7".to_owned(), 7),
        ("", "retry-after", "Thu, 02 Apr 2026 02:00:09 GMT".to_owned(), 9),
        (
            "wait_headers = [\"x-retry-after\"]",
            "x-retry-after",
            "12".to_owned(),
            12,
        ),
        (
            "rate_header = \"x-amzn-RateLimit-Limit\"",
            "x-amzn-ratelimit-limit",
            "0.0167".to_owned(),
            59,
        ),
        (
            "reset_header = \"x-reset\"",
            "x-reset",
            (now.timestamp() + 20).to_string(),
            20,
        ),
        (
            "reset_header = \"x-reset\"",
            "x-reset",
            ((now.timestamp() + 21) * 1000).to_string(),
            21,
        ),
        (
            "reset_header = \"x-reset\"",
            "x-reset",
            "2026-04-02T02:00:22Z".to_owned(),
            22,
        ),
        // A non-number falls back to our own patience of half a second or less.
        (
            "rate_header = \"x-amzn-RateLimit-Limit\"",
            "x-amzn-ratelimit-limit",
            "string".to_owned(),
            0,
        ),
    ] {
        let access = format!(
            "[stamp]\ntimestamp = \"ms\"\n[auth]\nkind = \"keys\"\nheaders = {{ x-now = \"{{timestamp}}\" }}\n{plain}{setting}\n"
        );
        let first = Mutex::new(true);
        let (header, told): (&'static str, String) = (header, value.clone());
        let desk = Desk::open(move |_| {
            if std::mem::take(&mut *first.lock().expect("first")) {
                let mut answer = said(429, json!({}));
                answer.headers.push((header, told.clone()));
                return answer;
            }
            stock()
        })
        .await;
        let bound = source_at(&desk.url, "desk", &access, &[]);
        ask(&Client::new(Pace::Skip).unwrap(), &bound, &FixedClock::new(now))
            .await
            .unwrap();
        let times: Vec<i64> = desk
            .heard()
            .iter()
            .map(|heard| heard.header("x-now").parse().unwrap())
            .collect();
        let waited = (times[1] - times[0]) / 1000;
        assert_eq!(waited, seconds, "{header}: {value}");
    }
}

#[tokio::test]
async fn a_wait_beyond_all_patience_is_told_and_not_waited() {
    let desk = Desk::open(|_| {
        let mut answer = said(429, json!({}));
        answer.headers.push(("retry-after", "100000".to_owned()));
        answer
    })
    .await;
    let bound = desk.source("[retry]\nattempts = 5\n", &[]);
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    let failure = ask(&Client::new(Pace::Skip).unwrap(), &bound, &clock)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Throttled);
    assert_eq!(failure.text, "HTTP 429; asked to wait 100000 s");
}
