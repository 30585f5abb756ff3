//! Health, metrics, roles, and what the configuration may not say.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use linkstar::clock::FixedClock;
use linkstar::schedule::{configured, tick};
use reqwest::StatusCode;

use super::stage::{self, Pages};
use crate::night::shop::{Shop, morning};
use crate::services::{fresh_database, services};

async fn ask(pages: &Pages, path: &str) -> (StatusCode, String) {
    let answer = reqwest::get(format!("{}{path}", pages.health))
        .await
        .expect("an answer");
    (answer.status(), answer.text().await.expect("a text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_says_what_is_missing_and_metrics_count() {
    let mut urls = vec![None];
    if let Some(services) = services() {
        urls.push(Some(fresh_database(&services).await));
    }
    for url in urls {
        let shop = stage::shop(url.as_deref()).await;
        let pages = stage::serve(&shop, "").await;
        assert_eq!(ask(&pages, "/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
        // Nobody schedules anything here.
        let (status, said) = ask(&pages, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            said.starts_with("main: no scheduler: a date is due for "),
            "{said}"
        );
        let opened = shop.open(morning(0) + chrono::Duration::hours(1)).await;
        let clock = FixedClock::new(morning(0) + chrono::Duration::hours(1));
        let schedules = configured(&opened.config);
        tick(&opened.store, &clock, &opened.config.account.id, &schedules)
            .await
            .expect("the store works");
        assert_eq!(
            ask(&pages, "/readyz").await,
            (StatusCode::OK, "main: ok\n".to_owned())
        );
        opened.store.close().await;

        let (status, text) = ask(&pages, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        for wanted in [
            "linkstar_database_up{account=\"main\"} 1\n",
            "linkstar_runs{account=\"main\",state=\"",
            "linkstar_outbox_messages{account=\"main\",state=\"sent\"} 2\n",
            "linkstar_source_age_seconds{account=\"main\",source=\"amazon-uk\",stream=\"orders\"} ",
            "linkstar_last_delivered_plan_timestamp_seconds{account=\"main\"} 1777852800\n",
            "linkstar_schedule_overdue_seconds{account=\"main\"} 0\n",
            "process_resident_memory_bytes ",
            "linkstar_build_info{version=\"",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        judge(&text);
        // Nothing of it is served where the pages are.
        let mut stranger = pages.browser();
        for path in ["/metrics", "/readyz", "/healthz"] {
            assert_eq!(stranger.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(pages.stop().await, Some(0));
    }
}

/// Prometheus' own reader, where it is installed.
fn judge(text: &str) {
    use std::io::Write as _;
    let Ok(mut child) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        println!("skipped: promtool is not installed");
        return;
    };
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(text.as_bytes())
        .expect("written");
    let out = child.wait_with_output().expect("an end");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_does_everything_and_tells_the_service_manager() {
    let shop = Shop::new(7).await;
    let ports = stage::ports();
    let text = fs::read_to_string(&shop.config_file).expect("a configuration");
    let web = stage::section(&shop.home, ports, "");
    fs::write(&shop.config_file, text + &web).expect("a configuration");
    let socket = shop.folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .expect("a timeout");
    let at = (morning(0) - chrono::Duration::hours(2)).to_rfc3339();
    let mut child = shop
        .command(&["run", "--at", &at])
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "400000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let heard = || {
        let mut bytes = [0; 64];
        let length = manager.recv(&mut bytes).expect("a word");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    assert_eq!(heard(), "READY=1");
    assert_eq!(heard(), "WATCHDOG=1");
    let answer = reqwest::get(format!("http://127.0.0.1:{}/login", ports.0))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let out = shop.linkstar(&["doctor"]);
    let line = out
        .out
        .lines()
        .find(|line| line.contains("http://127.0.0.1"))
        .unwrap_or_default();
    assert!(
        line.contains(&ports.0.to_string()) && line.contains(" served; 2 users"),
        "{out:?}"
    );
    crate::fleet::kill::stop(&mut child).await;
    while heard() != "STOPPING=1" {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_open_to_everybody_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("linkstar.toml");
    let said = |web: &str| {
        fs::write(&config, format!("[account]\nid = 'main'\nname = 'x'\n{web}")).expect("a configuration");
        let out = Command::new(env!("CARGO_BIN_EXE_linkstar"))
            .arg("--config")
            .arg(&config)
            .args(["run", "--role", "web"])
            .env("SHORT", "hunter2")
            .output()
            .expect("the binary runs");
        assert_eq!(out.status.code(), Some(2));
        String::from_utf8_lossy(&out.stderr).trim().to_owned()
    };
    let mut all = vec![
        said(""),
        said("[web]\nlisten = '0.0.0.0:8420'\nhealth = '0.0.0.0:8421'\nsession_hours = 0\n"),
        said("[web]\n[[web.users]]\nname = 'wang'\npassword_hash = 'hunter2'\n"),
        said("[web]\n[[web.users]]\nname = 'wang'\n[[web.users]]\nname = 'wang'\ntoken = '${env:SHORT}'\n"),
        said("[web]\n[[web.users]]\nname = 'wang'\npassword_hash = '${env:SHORT}'\npasswort = 'x'\n"),
        said("[web]\n[[web.users]]\nname = 'wang'\npassword_hash = '${env:SHORT}'\n"),
    ];
    assert!(all.iter().all(|said| !said.contains("hunter2")), "{all:?}");
    all.iter_mut().for_each(|said| said.push('\n'));
    insta::assert_snapshot!("refused", all.join("\n"));
    // An address that is taken.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let said = said(&format!("[web]\nlisten = '{address}'\n"));
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
}

#[test]
fn a_password_is_hashed_from_standard_input() {
    use std::io::Write as _;
    let hash = |typed: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_linkstar"))
            .args(["web", "hash"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(typed.as_bytes())
            .expect("written");
        child.wait_with_output().expect("an end")
    };
    let out = hash("correct horse\nsecond line");
    let text = String::from_utf8(out.stdout).expect("a text");
    let kept = linkstar::secret::password::PasswordHash::parse(text.trim()).expect("a hash");
    assert!(kept.fits("correct horse"));
    let out = hash("short\n");
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("wanted a password of 10 to 512 characters"));
}
