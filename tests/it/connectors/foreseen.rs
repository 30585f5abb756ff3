//! A long pull says what it will ask and how long that takes before it asks, and while it runs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linkstar::telemetry::Stopwatch;
use serde_json::{Value as Json, json};

use super::desk::{Desk, said};
use super::tape::run;
use crate::fleet::children::kill;

const FILE: &str = r#"
version = 1
name = "slow"
zone = "UTC"
doctor = "inbound"
[params.url]
about = "where"
[http]
base = "${param:url}"
[limits]
list = { rate = 0.01, burst = 1 }
[stream.inbound]
record = "inbound"
request = { method = "GET", path = "/list", limit = "list", query = { from = "{from}", to = "{to}" } }
rows = "data[]"
map = { inbound_no = "no", warehouse = "'W'", state = "'open'", closed = "'false'" }
[stream.inbound.cursor]
start_days = "365"
window_days = 30
"#;

fn home(folder: &Path, url: &str, language: &str) {
    let config = format!(
        "[account]\nid = 'main'\nname = 'test'\nlanguage = '{language}'\n\
         [[connector]]\nid = 'slow'\nuses = 'slow.toml'\nparams = {{ url = '{url}' }}\nwarehouses = {{ W = 'slow:W' }}\n"
    );
    std::fs::write(folder.join("linkstar.toml"), config).expect("written");
    std::fs::write(folder.join("slow.toml"), FILE).expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_of_a_year_tells_its_plan_before_its_first_request_and_in_status() {
    for (language, first, plan, running) in [
        (
            "en",
            "slow/inbound: the first pull has not begun, 13 windows, at least about 0.4 hours",
            "This pull is a long one. It will ask for at least (and its limits make it take at least):\n  \
             slow/inbound: 13 windows, calls list 13; the limit list makes it take about 0.4 hours\n",
            "slow/inbound: being pulled since ",
        ),
        (
            "zh-CN",
            "slow/inbound：首次拉取尚未开始，13 个时间窗，至少约需 0.4 小时",
            "本次拉取较久，先说明计划（时间为限速下的最短时间）：\n  slow/inbound: 13 个时间窗，调用 list 13；受 list 限速，约需 0.4 小时\n",
            "slow/inbound：自 ",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let errors = folder.path().join("errors");
        // What stood on standard error when the first request came.
        let before: Arc<Mutex<Option<String>>> = Arc::default();
        let (seen, file) = (Arc::clone(&before), errors.clone());
        let desk = Desk::open(move |_| {
            let mut seen = seen.lock().expect("seen");
            seen.get_or_insert_with(|| std::fs::read_to_string(&file).unwrap_or_default());
            said(200, json!({"data": []}))
        })
        .await;
        home(folder.path(), &desk.url, language);
        let status = run(folder.path(), &["status"]).await;
        assert!(status.out.contains(first), "{}", status.out);

        let mut pull = Command::new(env!("CARGO_BIN_EXE_linkstar"))
            .arg("--config")
            .arg(folder.path().join("linkstar.toml"))
            .arg("pull")
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let patience = Stopwatch::start();
        while before.lock().unwrap().is_none() && patience.elapsed() < Duration::from_secs(30) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let told = before.lock().unwrap().clone().expect("a request");
        assert!(told.contains(plan), "{told}");

        // The first window is answered and written down; twelve are left.
        let patience = Stopwatch::start();
        loop {
            let status = run(folder.path(), &["status"]).await;
            if status.out.contains(running) && status.out.contains(" 12 ") {
                break;
            }
            assert!(patience.elapsed() < Duration::from_secs(20), "{}", status.out);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let status: Json =
            serde_json::from_str(&run(folder.path(), &["status", "--json"]).await.out).unwrap();
        let shown = &status["pulls"][0];
        assert_eq!(
            (&shown["stream"], &shown["windows"]),
            (&json!("slow/inbound"), &json!(12))
        );
        assert!(
            shown["since"].is_string() && shown["seconds"].as_i64() > Some(1_000),
            "{shown}"
        );
        assert!(kill(&mut pull));
    }
}
