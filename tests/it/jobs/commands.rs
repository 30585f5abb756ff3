//! `linkstar jobs`, `schedule` and `status`: the real binary, by the wall clock.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{Duration, Timelike as _};
use linkstar::clock::Clock as _;
use linkstar::ids::AccountId;
use linkstar::store::Store;
use linkstar::store::work::{self, NewJob};
use linkstar::telemetry::SystemClock;
use serde_json::Value;

use super::account;

/// A home whose mail server is not there: nothing listens on port 1.
const CONFIG: &str = "[account]\nid='main'\nname='Shop'\nlanguage='en'\nzone='Asia/Shanghai'\n[night]\nat='00:00'\nmail_by='00:01'\n\
    [log]\nlevel='error'\n[mail]\nhost='127.0.0.1'\nport=1\nuser='u'\npassword='${file:password}'\nfrom='l@example.com'\n\
    [[mail.recipients]]\naddress='ops@example.com'\nlanguage='en'\n";

fn home(dir: &Path, config: &str) -> PathBuf {
    std::fs::write(dir.join("password"), "p").expect("a password");
    let file = dir.join("linkstar.toml");
    std::fs::write(&file, config).expect("a configuration");
    file
}

/// A zone with its midnight in UTC and its offset, where it is not about midnight: this binary goes by the wall clock,
/// and in the first minute of a day the mail of that day is not late yet.
fn zone_by_day() -> (&'static str, &'static str, &'static str) {
    match SystemClock.now().hour() {
        15 | 16 => ("America/Phoenix", "T07:00:00", "-07:00"),
        _ => ("Asia/Shanghai", "T16:00:00", "+08:00"),
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn linkstar(config: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .arg("--config")
        .arg(config)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn json(ran: &Ran) -> Value {
    assert!(!ran.out.is_empty(), "nothing was shown: {}", ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

/// Three jobs, one of them dead.
async fn some_jobs(store: &Store) -> String {
    let now = SystemClock.now();
    let mut tx = store.write().await.expect("a transaction");
    let mut first = None;
    for (kind, key) in [("fetch", "a"), ("fetch", "b"), ("other", "c")] {
        let new = NewJob {
            kind,
            dedupe_key: key,
            payload: r#"{"n": 1}"#,
            priority: 0,
            run_after: now,
            max_attempts: 1,
            occurrence: None,
        };
        let id = work::enqueue(&mut tx, &account(), &new, now)
            .await
            .expect("enqueued");
        first = first.or(id);
    }
    let (claim, _) = work::claim(&mut tx, &account(), &["fetch"], "w", now, Duration::seconds(60))
        .await
        .expect("a claim")
        .expect("a job");
    work::fail(&mut tx, &claim, "the disk is full", None, now)
        .await
        .expect("failed");
    tx.commit().await.expect("a commit");
    claim.job_id
}

#[tokio::test]
async fn jobs_are_listed_filtered_shown_retried_and_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let config = home(dir.path(), "[account]\nid='main'\nname='Shop'\nlanguage='en'\n");
    assert_eq!(linkstar(&config, &["jobs", "list"]).out, "No jobs.\n");
    let url = format!("sqlite:{}", dir.path().join("data/linkstar.db").display());
    let store = Store::open(&url).await.unwrap();
    let dead = some_jobs(&store).await;

    let all = linkstar(&config, &["jobs", "list", "--json"]);
    assert_eq!(all.code, Some(1), "a dead job needs a person");
    assert_eq!(json(&all).as_array().unwrap().len(), 3);
    for (filter, count, code) in [
        (["--state", "dead"], 1, 1),
        (["--state", "ready"], 2, 0),
        (["--kind", "other"], 1, 0),
        (["--since", "2200-01-01T00:00:00Z"], 0, 0),
        (["--limit", "2"], 2, 1),
    ] {
        let ran = linkstar(&config, &["jobs", "list", "--json", filter[0], filter[1]]);
        let shown = json(&ran).as_array().unwrap().len();
        assert_eq!(shown, count, "{filter:?}");
        if filter[0] != "--limit" {
            assert_eq!(ran.code, Some(code), "{filter:?}");
        }
    }
    let shown = linkstar(&config, &["jobs", "show", &dead[..6], "--json"]);
    let shown = json(&shown);
    assert_eq!(shown["state"], "dead");
    assert_eq!(shown["attempts"][0]["error"], "the disk is full");
    assert_eq!(shown["payload"]["n"], 1);
    let table = linkstar(&config, &["jobs", "show", &dead]);
    assert!(
        table.out.contains("the disk is full") && table.out.contains("OUTCOME"),
        "{}",
        table.out
    );
    let status = linkstar(&config, &["status"]);
    assert!(status.out.contains("is dead: the disk is full"), "{}", status.out);
    assert_eq!(status.code, Some(1));

    let retried = linkstar(&config, &["jobs", "retry", &dead[..6]]);
    assert_eq!(
        (retried.code, retried.out),
        (Some(0), format!("{dead}: dead -> ready\n"))
    );
    let again = linkstar(&config, &["jobs", "retry", &dead]);
    assert_eq!(again.code, Some(2));
    assert_eq!(
        again.err,
        format!("error: job {dead} is ready: only a dead job is tried again\n")
    );
    // One wrong id, and nothing is dropped.
    let wrong = linkstar(&config, &["jobs", "drop", &dead, "nobody"]);
    assert_eq!(
        (wrong.code, wrong.err.as_str()),
        (
            Some(2),
            "error: no job `nobody`; `linkstar jobs list` shows them\n"
        )
    );
    let dropped = linkstar(&config, &["jobs", "drop", &dead]);
    assert_eq!(dropped.out, format!("{dead}: ready -> dropped\n"));
    assert_eq!(linkstar(&config, &["jobs", "list"]).code, Some(0));
    assert_eq!(
        linkstar(&config, &["jobs", "list", "--state", "gone"]).code,
        Some(2)
    );

    // A worker that holds a job for longer than its lease is not shown as running.
    let long_ago = SystemClock.now() - Duration::hours(1);
    let mut tx = store.write().await.unwrap();
    work::claim(
        &mut tx,
        &AccountId::new("main").unwrap(),
        &["other"],
        "gone",
        long_ago + Duration::hours(1),
        Duration::milliseconds(1),
    )
    .await
    .unwrap()
    .unwrap();
    tx.commit().await.unwrap();
    let lost = linkstar(&config, &["jobs", "list", "--kind", "other", "--json"]);
    assert_eq!(json(&lost)[0]["state"], "lost");
    store.close().await;
}

#[tokio::test]
async fn r75_where_the_mail_server_is_what_is_broken_status_says_so_and_ends_with_1() {
    let dir = tempfile::tempdir().unwrap();
    let (zone, utc, offset) = zone_by_day();
    let config = home(dir.path(), &CONFIG.replace("Asia/Shanghai", zone));
    let next = linkstar(&config, &["schedule", "next", "-n", "3", "--json"]);
    let next = json(&next);
    assert_eq!(next.as_array().unwrap().len(), 6, "{next}");
    assert_eq!(next[0]["schedule"], "night");
    let civil = format!("00:00 {offset}");
    assert!(next[0]["civil"].as_str().unwrap().ends_with(&civil));
    assert!(next[0]["utc"].as_str().unwrap().contains(utc));

    // The watch of today, by hand: it tells the readers, and the mail cannot leave.
    let ran = linkstar(&config, &["schedule", "run", "mail_by"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.out, ran.err);
    let again = linkstar(&config, &["schedule", "run", "mail_by"]);
    assert_eq!(again.code, Some(2), "{}", again.out);
    assert!(again.err.contains("every date happens once"), "{}", again.err);
    let outbox = json(&linkstar(&config, &["outbox", "list", "--json"]));
    assert_eq!(outbox.as_array().unwrap().len(), 1, "{outbox}");
    let key = outbox[0]["message"].as_str().unwrap();
    assert!(key.starts_with("mail/alert/"), "{key}");
    assert_eq!(outbox[0]["state"], "due");
    assert!(!outbox[0]["last_error"].is_null());

    let status = linkstar(&config, &["status", "--json"]);
    assert_eq!(status.code, Some(1));
    let status = json(&status);
    assert_eq!(status["mail_late"], true);
    assert!(status["mail_absence"]["last_step"].is_null());
    let screen = linkstar(&config, &["status"]);
    assert_eq!(screen.code, Some(1));
    assert!(
        screen.out.contains("The night of that date was not begun."),
        "{}",
        screen.out
    );

    let listed = linkstar(&config, &["schedule", "list", "--json"]);
    assert_eq!(listed.code, Some(0));
    let listed = json(&listed);
    assert_eq!(listed["schedules"][1]["schedule"], "mail_by");
    assert_eq!(listed["schedules"][1]["last"]["state"], "done");
    let table = linkstar(&config, &["schedule", "list"]);
    assert!(table.out.contains(zone), "{}", table.out);
    let unknown = linkstar(&config, &["schedule", "run", "nigth"]);
    assert_eq!(
        (unknown.code, unknown.err.as_str()),
        (
            Some(2),
            "error: no schedule `nigth`, there is night, mail_by; did you mean `night`?\n"
        )
    );
    let ahead = linkstar(&config, &["schedule", "run", "night", "--date", "2999-01-01"]);
    assert!(
        ahead.err.contains("2999-01-01 is ahead: today is"),
        "{}",
        ahead.err
    );
}
