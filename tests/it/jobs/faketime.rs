//! The real daemon through the autumn night, under libfaketime: 02:30 in Berlin comes twice and the night once.

use std::process::{Command, Stdio};
use std::time::Duration;

use linkstar::clock::FixedClock;
use linkstar::schedule::{configured, tick};
use linkstar::store::Store;
use linkstar::store::work::{self, JobFilter, JobState, OccurrenceState};

use super::super::services::has;
use super::account;

const CONFIG: &str =
    "[account]\nid='main'\nname='Shop'\nzone='Europe/Berlin'\n[night]\nat='02:30'\n[log]\nlevel='error'\n";

/// Where the library lies is known to the program that comes with it.
fn preload() -> String {
    let shown = Command::new("faketime")
        .args(["-m", "-f", "+0", "env"])
        .output()
        .expect("faketime runs");
    String::from_utf8_lossy(&shown.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("LD_PRELOAD=").map(str::to_owned))
        .expect("faketime preloads its library")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_passes_the_doubled_hour_of_an_autumn_night_once() {
    if !has("faketime", "faketime") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("linkstar.toml");
    std::fs::write(&config, CONFIG).unwrap();
    // The daemon has run the day before.
    let url = format!("sqlite:{}", dir.path().join("data/linkstar.db").display());
    let store = Store::open(&url).await.unwrap();
    let noon = FixedClock::new("2026-10-24T10:00:00Z".parse().unwrap());
    let schedules = configured(&linkstar::config::load(&config).unwrap());
    tick(&store, &noon, &account(), &schedules).await.unwrap();
    store.close().await;

    // From 02:20 in summer to after 02:30 in winter, ten minutes of it a second. Only the wall clock is led astray:
    // timers run as they do. Not under `faketime` itself, which would take the signal.
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .arg("--config")
        .arg(&config)
        .arg("run")
        .env("LD_PRELOAD", preload())
        .env("FAKETIME", "@2026-10-25 00:20:00 x600")
        .env("TZ", "UTC")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the daemon starts");
    tokio::time::sleep(Duration::from_secs(12)).await;
    let alive = daemon.try_wait().unwrap().is_none();
    let stopped = Command::new("kill")
        .args(["-TERM", &daemon.id().to_string()])
        .status()
        .unwrap();
    assert!(alive && stopped.success(), "the daemon ended by itself");
    assert_eq!(daemon.wait().unwrap().code(), Some(0));

    let store = Store::open(&url).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let dates = work::list_occurrences(&mut tx, &account(), 10).await.unwrap();
    let seen: Vec<_> = dates
        .iter()
        .map(|one| (one.civil_date.to_string(), one.state, one.due_at.to_rfc3339()))
        .collect();
    assert_eq!(
        seen,
        [
            (
                "2026-10-25".to_owned(),
                OccurrenceState::Done,
                "2026-10-25T00:30:00+00:00".to_owned()
            ),
            (
                "2026-10-24".to_owned(),
                OccurrenceState::Skipped,
                "2026-10-24T00:30:00+00:00".to_owned()
            )
        ]
    );
    let jobs = work::list(&mut tx, &account(), &JobFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].state, JobState::Done);
    // A lease of minutes is over in less than a second here: on a busy machine the worker may have to take it again.
    let attempts = work::job_attempts(&mut tx, &account(), &jobs[0].job_id)
        .await
        .unwrap();
    let mut ended: Vec<_> = attempts.iter().filter_map(|one| one.outcome.as_deref()).collect();
    ended.retain(|outcome| *outcome != "lost");
    assert_eq!(ended, ["done"], "{attempts:?}");
    let second = "2026-10-25T01:30:00Z"
        .parse::<chrono::DateTime<chrono::Utc>>()
        .unwrap();
    assert!(
        jobs[0].created_at < second,
        "at the first 02:30, {}",
        jobs[0].created_at
    );
}
