//! `linkstar copy`: every row arrives, whatever happens on the way.

use std::io::{BufRead as _, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};

use linkstar::store::copy::{CopyError, Proof, Step, contents, copy};
use linkstar::store::{Store, tables};

use super::{raw, rows, sqlite_url};
use crate::services::{fresh_database, services};

/// Several pieces of one table; of the others a few rows.
const MANY: usize = 4_500;

async fn source(dir: &Path) -> String {
    let url = sqlite_url(dir, "from.db");
    let store = Store::open(&url).await.expect("a database");
    rows::fill(&store, 4).await;
    let mut tx = store.write().await.expect("a transaction");
    let all = tables::read(&mut tx).await.expect("the catalog");
    let table = all
        .iter()
        .find(|table| table.name == "sales_day")
        .expect("a table");
    rows::insert(&mut tx, &all, table, 4..MANY).await;
    tx.commit().await.expect("committed");
    store.close().await;
    url
}

fn on(_: Step<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

async fn same(from: &str, to: &str) {
    let (from, to) = (
        Store::open_as_is(from).await.expect("the source"),
        Store::open_as_is(to).await.expect("the target"),
    );
    assert_eq!(
        contents(&from).await.expect("readable"),
        contents(&to).await.expect("readable")
    );
    from.close().await;
    to.close().await;
}

async fn targets(dir: &Path) -> Vec<String> {
    let mut targets = vec![sqlite_url(dir, "to.db")];
    if let Some(services) = services() {
        targets.push(fresh_database(&services).await);
    }
    targets
}

#[tokio::test]
async fn every_row_arrives_and_both_sides_are_proven_equal() {
    let dir = tempfile::tempdir().unwrap();
    let from = source(dir.path()).await;
    for to in targets(dir.path()).await {
        let proofs = copy(&from, &to, &mut on).await.unwrap();
        assert!(proofs.iter().all(Proof::holds), "{proofs:?}");
        let rows = |name: &str| proofs.iter().find(|proof| proof.table == name).unwrap().to.rows;
        assert_eq!((rows("sales_day"), rows("blob"), rows("outbox")), (4_500, 4, 4));
        same(&from, &to).await;
        // An ordinary database from here on: it opens, and is not taken for an unfinished copy.
        Store::open(&to).await.unwrap().close().await;
        let again = copy(&from, &to, &mut on).await.unwrap_err();
        assert!(matches!(again, CopyError::NotEmpty { .. }), "{again}");
        // And back: what PostgreSQL gives is what SQLite gave.
        let back = sqlite_url(dir.path(), &format!("back-{}.db", to.starts_with("postgres")));
        assert!(copy(&to, &back, &mut on).await.unwrap().iter().all(Proof::holds));
        same(&from, &back).await;
    }
}

#[tokio::test]
async fn stopped_after_any_piece_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let from = source(dir.path()).await;
    for to in targets(dir.path()).await {
        let mut stops = 0;
        let proofs = loop {
            let mut left = stops + 1;
            let done = copy(&from, &to, &mut |_| {
                left -= 1;
                if left == 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .await;
            match done {
                Ok(proofs) => break proofs,
                Err(CopyError::Stopped) => stops += 1,
                Err(other) => panic!("{other:?}"),
            }
            assert!(stops < 500, "it does not come forward");
        };
        assert!(stops > 5, "{stops}");
        assert!(proofs.iter().all(Proof::holds), "{proofs:?}");
        same(&from, &to).await;
    }
}

/// The real program, killed by SIGKILL while it tells how far it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_instant_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let from = source(dir.path()).await;
    for to in targets(dir.path()).await {
        let command = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_linkstar"));
            command
                .args(["copy", "--from", &from, "--to", &to, "--json"])
                .stdin(Stdio::null());
            command
        };
        let mut killed = 0;
        for lines in [1, 3, 7, 12, 25] {
            let mut child = command()
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let told = BufReader::new(child.stderr.take().unwrap());
            let seen = tokio::task::block_in_place(|| told.lines().take(lines).count());
            child.kill().unwrap();
            child.wait().unwrap();
            killed += usize::from(seen == lines);
        }
        assert_eq!(killed, 5);
        let last = tokio::task::block_in_place(|| command().output()).unwrap();
        let err = String::from_utf8_lossy(&last.stderr);
        assert_eq!(last.status.code(), Some(0), "{err}");
        let said: serde_json::Value = serde_json::from_slice(&last.stdout).unwrap();
        assert_eq!(said["same"], true, "{said}");
        same(&from, &to).await;
    }
}

#[tokio::test]
async fn what_changed_in_the_target_before_the_end_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let from = source(dir.path()).await;
    for to in targets(dir.path()).await {
        let stopped = copy(&from, &to, &mut |step| {
            if step.verifying {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await;
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        raw(&to, "UPDATE sales_day SET units = units + 1 WHERE units = 17").await;
        raw(&to, "DELETE FROM unmapped_code WHERE times = 2").await;
        let proofs = copy(&from, &to, &mut on).await.unwrap();
        let wrong: Vec<&str> = proofs
            .iter()
            .filter(|proof| !proof.holds())
            .map(|proof| proof.table.as_str())
            .collect();
        assert_eq!(wrong, ["sales_day", "unmapped_code"]);
        // Not released: it says so again.
        assert!(!copy(&from, &to, &mut on).await.unwrap().iter().all(Proof::holds));
    }
}

async fn refused(from: &str, to: &str) -> String {
    copy(from, to, &mut on).await.expect_err("refused").to_string()
}

#[tokio::test]
async fn what_must_not_be_copied_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let url = |name: &str| sqlite_url(dir.path(), name);
    let from = source(dir.path()).await;
    let (newest, _) = *linkstar::store::migration_list().last().unwrap();

    let old = Store::open_at_version(&url("old.db"), 3).await.unwrap();
    old.close().await;
    assert_eq!(
        refused(&url("old.db"), &url("a.db")).await,
        format!(
            "the database to copy from is at version 3, this program at {newest}: run `linkstar status` on it once, \
             that brings it up"
        )
    );
    assert_eq!(
        refused(&from, &url("old.db")).await,
        format!(
            "the database to copy to has another schema (version 3) than the one to copy from ({newest})"
        )
    );

    let full = Store::open(&url("full.db")).await.unwrap();
    rows::fill(&full, 2).await;
    full.close().await;
    assert_eq!(
        refused(&from, &url("full.db")).await,
        "the database to copy to is not empty: `alert_ack` has 2 rows"
    );

    raw_file(&dir.path().join("other.db")).await;
    assert_eq!(
        refused(&from, &url("other.db")).await,
        "the database to copy to is not empty: `notes` has 1 rows"
    );
    assert!(
        refused(&url("other.db"), &url("b.db"))
            .await
            .ends_with("it is no database of linkstar")
    );

    // The unfinished copy of another database.
    let stopped = copy(&from, &url("half.db"), &mut |_| ControlFlow::Break(())).await;
    assert!(matches!(stopped, Err(CopyError::Stopped)));
    assert_eq!(
        refused(&url("full.db"), &url("half.db")).await,
        "the database to copy to holds the unfinished copy of another database; empty it first"
    );

    assert_eq!(
        refused(&url("missing.db"), &url("c.db")).await,
        "cannot open the database to copy from"
    );
    assert!(!dir.path().join("missing.db").exists() && !dir.path().join("c.db").exists());
    assert_eq!(
        refused(&from, "mysql://u:secret@h/d").await,
        "cannot open the database to copy to"
    );
}

async fn raw_file(path: &Path) {
    std::fs::write(path, "").expect("a file");
    raw(
        &format!("sqlite:{}", path.display()),
        "CREATE TABLE notes (n INTEGER); INSERT INTO notes VALUES (1)",
    )
    .await;
}

/// 160 MiB of papers pass through a process that never holds more than a few pieces of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_with_the_papers() {
    let dir = tempfile::tempdir().unwrap();
    let from = sqlite_url(dir.path(), "from.db");
    Store::open(&from).await.unwrap().close().await;
    raw(
        &from,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80)
         INSERT INTO blob SELECT 'main', printf('%064d', i), 'document', 2097152, 'plain', randomblob(2097152), 0 FROM n",
    )
    .await;
    let to = sqlite_url(dir.path(), "to.db");
    let mut child = Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .args(["copy", "--from", &from, "--to", &to])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let told = BufReader::new(child.stderr.take().unwrap());
    let peak = tokio::task::block_in_place(|| {
        told.lines()
            .map_while(Result::ok)
            .filter_map(|_| {
                let status = std::fs::read_to_string(&status).ok()?;
                let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
                line.split_whitespace().next()?.parse::<u64>().ok()
            })
            .max()
    });
    assert!(child.wait().unwrap().success());
    let peak = peak.expect("it told how far it is") / 1024;
    println!("160 MiB copied with {peak} MiB");
    assert!(peak < 140, "{peak} MiB");
}
