//! Several accounts, several processes: every night once.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use linkstar::store::Store;

use super::kill::stop;
use crate::night::state::dump;
use crate::services::{fresh_database, services};

const ACCOUNTS: usize = 6;

fn account(folder: &Path, number: usize, url: &str) {
    let home = folder.join(format!("shop-{number}"));
    fs::create_dir_all(&home).expect("a home");
    let text = format!(
        "[account]\nid = 'shop-{number}'\nname = 'Shop {number}'\n[store]\nurl = '{url}'\n[night]\nat = '08:10'\npoll_seconds = 1\n"
    );
    fs::write(home.join("linkstar.toml"), text).expect("a configuration");
}

fn daemon(folder: &Path, role: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .arg("--config")
        .arg(folder)
        .args(["run", "--role", role, "--at", "2026-05-05T00:10:30Z"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the daemons are other processes and live by the wall clock"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_accounts_is_served_by_two_workers_and_every_night_runs_once() {
    let Some(services) = services() else { return };
    let url = fresh_database(&services).await;
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..ACCOUNTS {
        account(folder.path(), number, &url);
    }
    // Nobody has made the schema yet: they all find an empty database at once.
    let mut all: Vec<Child> = ["worker", "worker", "scheduler", "scheduler"]
        .iter()
        .map(|role| daemon(folder.path(), role))
        .collect();
    let store = Store::open(&url).await.expect("the store opens");
    let started = Instant::now();
    let done = loop {
        let jobs = dump(&store, "job", "account_id kind state").await;
        if jobs.len() == ACCOUNTS && jobs.iter().all(|job| job.ends_with("done")) {
            break jobs;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{jobs:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let wanted: Vec<String> = (0..ACCOUNTS)
        .map(|number| format!("shop-{number} | night | done"))
        .collect();
    assert_eq!(done, wanted);
    for child in &mut all {
        stop(child).await;
    }
    let attempts = dump(&store, "job_attempt", "account_id attempt outcome").await;
    assert_eq!(
        attempts.len(),
        ACCOUNTS,
        "each night was begun once: {attempts:?}"
    );
    let runs = dump(&store, "run", "account_id run_id state").await;
    assert_eq!(runs.len(), ACCOUNTS, "{runs:?}");
    let owners = dump(&store, "job_attempt", "owner").await;
    assert!(owners.iter().all(|owner| owner.contains("/shop-")), "{owners:?}");
    store.close().await;
}
