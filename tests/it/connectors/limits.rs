//! How often: no operation ever above its rate and burst, one process or three.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Duration, Utc};
use linkstar::clock::{Clock as _, FixedClock};
use linkstar::connector::Bound;
use linkstar::http::{Client, Pace};
use serde_json::json;

use super::desk::{Desk, Said, ask, ask_stream, databases, process, said, stock};
use super::stage::at;

struct Operation {
    name: String,
    rate: f64,
    burst: u32,
}

/// Amazon's table of usage plans; operations without a published rate are left away.
fn operations() -> Vec<Operation> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/connectors/amazon/operations_rate_limits.csv");
    let mut rows = csv::Reader::from_path(path).expect("the table");
    let mut found: Vec<Operation> = Vec::new();
    for row in rows.records() {
        let row = row.expect("a row");
        let Ok(rate) = row[2].parse() else { continue };
        let model = row[0].trim_end_matches(".json").replace(['.', '-'], "_");
        found.push(Operation {
            name: format!("{model}_{}", &row[1]),
            rate,
            burst: row[3].parse().expect("a burst"),
        });
    }
    found
}

fn access(operations: &[Operation]) -> String {
    // Microseconds: the server judges by what the client says of the time.
    let mut text =
        "[stamp]\ntimestamp = \"%s%6f\"\n[auth]\nkind = \"keys\"\nheaders = { x-now = \"{timestamp}\" }\n\
                    [retry]\nattempts = 1\n[limits]\n"
            .to_owned();
    for operation in operations {
        text.push_str(&format!(
            "{} = {{ rate = {}, burst = {} }}\n",
            operation.name, operation.rate, operation.burst
        ));
    }
    for operation in operations {
        let name = &operation.name;
        text.push_str(&format!(
            "[stream.{name}]\nrecord = \"inbound\"\nsnapshot = \"partial\"\nrows = \"data[]\"\n\
             request = {{ method = \"GET\", path = \"/op/{name}\", limit = \"{name}\" }}\n[stream.{name}.map]\n\
             inbound_no = \"sku\"\nwarehouse = \"'W'\"\nstate = \"'x'\"\nclosed = \"'false'\"\n"
        ));
    }
    text
}

/// A server with Amazon's buckets: tokens that refill with time and are taken by requests, 429 when there is none.
#[derive(Clone, Default)]
struct Gate {
    plans: Arc<BTreeMap<String, (f64, u32)>>,
    buckets: Arc<Mutex<BTreeMap<String, (f64, i64)>>>,
    seen: Arc<Mutex<BTreeMap<String, Vec<i64>>>>,
}

impl Gate {
    fn new(operations: &[Operation]) -> Self {
        let plans = operations
            .iter()
            .map(|operation| (operation.name.clone(), (operation.rate, operation.burst)))
            .collect();
        Self {
            plans: Arc::new(plans),
            ..Self::default()
        }
    }

    fn answer(&self, path: &str, now: i64) -> Said {
        let Some(name) = path.strip_prefix("/op/") else {
            return stock();
        };
        let (rate, burst) = self.plans[name];
        self.seen
            .lock()
            .expect("seen")
            .entry(name.to_owned())
            .or_default()
            .push(now);
        let mut buckets = self.buckets.lock().expect("buckets");
        let (tokens, last) = buckets.entry(name.to_owned()).or_insert((f64::from(burst), now));
        *tokens = (*tokens + (now - *last) as f64 / 1e6 * rate).min(f64::from(burst));
        *last = now;
        // A millionth of a token is the rounding of microseconds.
        if *tokens < 1.0 - 1e-6 {
            return said(429, json!({"errors": [{"code": "QuotaExceeded"}]}));
        }
        *tokens -= 1.0;
        stock()
    }

    async fn open(&self) -> Desk {
        let gate = self.clone();
        Desk::open(move |heard| gate.answer(&heard.path, heard.header("x-now").parse().expect("a time")))
            .await
    }

    /// In any span, at most burst + rate × span.
    fn never_above(&self) -> usize {
        let seen = self.seen.lock().expect("seen");
        for (name, times) in seen.iter() {
            let (rate, burst) = self.plans[name];
            let mut times = times.clone();
            times.sort_unstable();
            for (first, from) in times.iter().enumerate() {
                for (count, to) in times[first..].iter().enumerate() {
                    let span = (to - from) as f64 / 1e6;
                    assert!(
                        (count + 1) as f64 <= f64::from(burst) + rate * span + 1e-6,
                        "{name}: {} requests within {span} s",
                        count + 1
                    );
                }
            }
        }
        seen.values().map(Vec::len).sum()
    }
}

#[tokio::test]
async fn no_operation_of_amazon_is_asked_above_its_rate_and_burst_and_none_answers_429() {
    let operations = operations();
    assert!(operations.len() > 120, "{}", operations.len());
    let gate = Gate::new(&operations);
    let desk = gate.open().await;
    let bound = desk.source(&access(&operations), &[]);
    let client = Client::new(Pace::Skip).unwrap();
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    for operation in &operations {
        for _ in 0..operation.burst + 4 {
            // 429 would be a failure: there is one attempt only.
            ask_stream(&client, &bound, &clock, &operation.name)
                .await
                .unwrap();
        }
    }
    assert_eq!(
        gate.never_above(),
        operations
            .iter()
            .map(|operation| operation.burst as usize + 4)
            .sum::<usize>()
    );
}

/// One process of three: its client, whose clock is put back to the common time before each operation.
struct Process {
    client: Client,
    clock: FixedClock,
    now: DateTime<Utc>,
}

impl Process {
    /// Puts what the client believes to be now to `time`, whatever it has skipped.
    fn meet(&mut self, time: DateTime<Utc>) {
        let skipped = self.now - self.clock.now();
        self.clock.set(time - skipped);
        self.now = time;
    }

    async fn ask(&mut self, bound: &Bound, gate: &Gate, name: &str) {
        ask_stream(&self.client, bound, &self.clock, name)
            .await
            .expect("as the test set it up");
        let seen = gate.seen.lock().expect("as the test set it up");
        let sent = *seen[name].last().expect("as the test set it up");
        self.now = DateTime::from_timestamp_micros(sent).expect("as the test set it up");
    }
}

#[tokio::test]
async fn three_processes_together_never_ask_above_the_rate_and_burst_of_any_operation() {
    let all = operations();
    let (_folder, urls) = databases().await;
    for url in urls {
        let gate = Gate::new(&all);
        let desk = gate.open().await;
        let bound = desk.source(&access(&all), &[]);
        let start = at("2026-04-02T02:00:00Z");
        let mut processes = Vec::new();
        for name in ["one", "two", "three"] {
            let (client, _) = process(&url, name, Pace::Skip).await;
            processes.push(Process {
                client,
                clock: FixedClock::new(start),
                now: start,
            });
        }
        for (number, operation) in all.iter().enumerate() {
            let begin = start + Duration::days(i64::try_from(number).unwrap());
            for process in &mut processes {
                process.meet(begin);
            }
            for _ in 0..operation.burst + 4 {
                // Whose time is earliest asks next: three at once, in the order of their clocks.
                let next = processes.iter_mut().min_by_key(|process| process.now).unwrap();
                next.ask(&bound, &gate, &operation.name).await;
            }
        }
        gate.never_above();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_processes_in_real_time_stay_below_one_bucket() {
    let operation = [Operation {
        name: "quick".to_owned(),
        rate: 25.0,
        burst: 5,
    }];
    let (_folder, urls) = databases().await;
    for url in urls {
        let gate = Gate::new(&operation);
        let counted = gate.clone();
        let desk = Desk::open(move |heard| {
            let now = heard.header("x-now").parse().expect("a time");
            counted
                .seen
                .lock()
                .expect("seen")
                .entry("quick".to_owned())
                .or_default()
                .push(now);
            stock()
        })
        .await;
        let bound = Arc::new(desk.source(&access(&operation), &[]));
        let mut working = Vec::new();
        for name in ["one", "two", "three"] {
            let (client, store) = process(&url, name, Pace::Real).await;
            let bound = Arc::clone(&bound);
            working.push(tokio::spawn(async move {
                let clock = linkstar::telemetry::SystemClock;
                for _ in 0..12 {
                    ask_stream(&client, &bound, &clock, "quick")
                        .await
                        .expect("an answer");
                }
                drop(store);
            }));
        }
        for work in working {
            work.await.unwrap();
        }
        // Stamped a moment after the turn came, never before it: what is stamped late stands closer to the next.
        let times = gate.seen.lock().unwrap()["quick"].clone();
        let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert_eq!(times.len(), 36);
        let span = (last - first) as f64 / 1e6;
        assert!(36.0 <= 5.0 + 25.0 * span + 1.0, "36 requests in {span} s, {url}");
    }
}

#[tokio::test]
async fn complaint_1641_a_call_counts_against_every_limit_it_names_and_the_slowest_decides() {
    let desk = Desk::open(|_| stock()).await;
    let access = r#"
[stamp]
timestamp = "ms"
[auth]
kind = "keys"
headers = { x-now = "{timestamp}" }
[limits]
account = { rate = 10, burst = 1 }
app = { requests = 2, seconds = 60 }
[stream.stock]
request = { method = "GET", path = "/stock", limit = ["account", "app"] }
"#;
    let bound = desk.source(access, &[]);
    let client = Client::new(Pace::Skip).unwrap();
    let clock = FixedClock::new(at("2026-04-02T02:00:00Z"));
    for _ in 0..6 {
        ask(&client, &bound, &clock).await.unwrap();
    }
    let times: Vec<i64> = desk
        .heard()
        .iter()
        .map(|heard| heard.header("x-now").parse().unwrap())
        .collect();
    for (index, from) in times.iter().enumerate() {
        let inside = times[index..].iter().filter(|at| **at < from + 60_000).count();
        assert!(inside <= 2, "{times:?}");
    }
    assert!(
        times[5] - times[0] <= 150_000,
        "and no slower than it must: {times:?}"
    );
}

#[tokio::test]
async fn a_daily_quota_is_kept_by_all_processes_and_ends_at_midnight_of_its_zone() {
    let (_folder, urls) = databases().await;
    for url in urls {
        let desk = Desk::open(|_| stock()).await;
        let access = r#"
[limits]
day = { per_day = 3, zone = "Asia/Shanghai" }
[stream.stock]
request = { method = "GET", path = "/stock", limit = "day" }
"#;
        let bound = desk.source(access, &[]);
        let (one, _a) = process(&url, "one", Pace::Skip).await;
        let (two, _b) = process(&url, "two", Pace::Skip).await;
        let clock = FixedClock::new(at("2026-04-02T15:59:00Z"));
        for client in [&one, &two, &one] {
            ask(client, &bound, &clock).await.unwrap();
        }
        let failure = ask(&two, &bound, &clock).await.unwrap_err();
        assert_eq!(
            failure.to_string(),
            "throttled: all 3 calls a day of `day` are used; the next day begins at midnight, Asia/Shanghai"
        );
        assert_eq!(desk.heard().len(), 3);
        clock.set(at("2026-04-02T16:00:00Z"));
        ask(&two, &bound, &clock).await.unwrap();
    }
}
