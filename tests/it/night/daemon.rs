//! The daemon by the wall clock.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{NaiveTime, Utc};
use chrono_tz::{Asia::Shanghai, Tz};

use super::shop::Shop;
use super::state::dump;

const NIGHT_TAKES_AT_MOST: Duration = Duration::from_secs(90);
const STOP_TAKES_AT_MOST: Duration = Duration::from_secs(10);

/// By the wall clock the shipped connectors wait as long as real sources want it: minutes.
fn hurry(shop: &Shop) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors");
    let own = shop.home.join("connectors");
    fs::create_dir_all(&own).expect("a folder");
    for (name, slow, fast) in [
        ("amazon-sp-api", "every_seconds = 30", "every_seconds = 1"),
        (
            "goodcang",
            "all = { rate = 2.0, burst = 5 }",
            "all = { rate = 500.0, burst = 50 }",
        ),
    ] {
        let text = fs::read_to_string(shipped.join(format!("{name}.toml"))).expect("a connector");
        assert!(text.contains(slow), "{name}");
        let file = format!("connectors/{name}.toml");
        fs::write(shop.home.join(&file), text.replacen(slow, fast, 1)).expect("a connector");
        shop.edit_config(&format!(r#"uses = "{name}""#), &format!(r#"uses = "{file}""#));
    }
    shop.edit_config(
        "params = { marketplace_id",
        "params = { history_days = '20', marketplace_id",
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "the daemon is another process and lives by the wall clock"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_runs_the_night_that_is_due_and_stops_cleanly_on_sigterm() {
    let shop = Shop::new(7).await;
    // Five minutes ago, in a zone where that was today.
    let ago = chrono::Duration::minutes(5);
    let late_enough = |zone: Tz| {
        let now = Utc::now().with_timezone(&zone).time();
        now > NaiveTime::MIN + ago * 2
    };
    let zone = if late_enough(Shanghai) { Shanghai } else { Tz::UTC };
    let at = (Utc::now() - ago)
        .with_timezone(&zone)
        .format("%H:%M")
        .to_string();
    shop.edit_config(r#"at = "08:10""#, &format!(r#"at = "{at}""#));
    shop.edit_config(r#"zone = "Asia/Shanghai""#, &format!(r#"zone = "{zone}""#));
    shop.edit_config("mail_by", "poll_seconds = 1\nmail_by");
    hurry(&shop);
    let mut daemon = shop
        .command(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the daemon starts");
    let store = shop.store().await;
    let started = Instant::now();
    let ended = loop {
        let runs = dump(&store, "run", "kind state").await;
        if runs.iter().any(|run| !run.ends_with("running")) {
            break runs;
        }
        assert!(
            daemon.try_wait().expect("a child").is_none(),
            "the daemon ended by itself"
        );
        assert!(
            started.elapsed() < NIGHT_TAKES_AT_MOST,
            "no night was run: {runs:?}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    // The world stands in May, so that the marketplace may have nothing to say about today: partial is honest.
    assert!(
        ["night | done", "night | partial"].contains(&ended[0].as_str()),
        "{ended:?}"
    );
    assert_eq!(ended.len(), 1);
    // The watch over the mail has a mark of its own.
    let dates = dump(&store, "occurrence", "schedule").await;
    assert_eq!(dates, ["mail_by", "night"]);
    // The look into the boxes may have taken one of them; then it is on its way when the night ends.
    while shop.world.inbox().len() < 2 {
        assert!(started.elapsed() < NIGHT_TAKES_AT_MOST, "both readers are told");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(shop.world.inbox().len(), 2, "each once");
    let asked = Instant::now();
    let killed = Command::new("kill")
        .args(["-TERM", &daemon.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(killed.success());
    let status = loop {
        if let Some(status) = daemon.try_wait().expect("a child") {
            break status;
        }
        assert!(asked.elapsed() < STOP_TAKES_AT_MOST, "the daemon does not stop");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(status.code(), Some(0));
    let mut jobs = dump(&store, "job", "kind state").await;
    // Ten minutes a day its hour is now; errands come at any time.
    jobs.retain(|job| !["mail_by | done", "receive | done", "clocks | done"].contains(&job.as_str()));
    assert_eq!(jobs, ["night | done"], "no job is left half done");
    store.close().await;
}
