//! `linkstar db`: what is broken is named, what is backed up comes back.

use std::path::Path;
use std::process::Command;

use chrono::NaiveDate;
use linkstar::store::copy::contents;
use linkstar::store::upkeep::{self, BackupError, Part, Sample};
use linkstar::store::{Store, blob};

use super::{raw, rows, sqlite_url};
use crate::services::{fresh_database, has, services};

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date")
}

/// A database whose papers are real ones, and its URL; PostgreSQL when its server runs.
async fn databases(dir: &Path) -> Vec<String> {
    let mut urls = vec![sqlite_url(dir, "linkstar.db")];
    if let Some(services) = services() {
        urls.push(fresh_database(&services).await);
    }
    for url in &urls {
        let store = Store::open(url).await.expect("a database");
        let account = linkstar::ids::AccountId::new("main").expect("an account");
        let now = day().and_hms_opt(2, 30, 0).expect("a time").and_utc();
        let mut tx = store.write().await.expect("a transaction");
        for n in 0..10 {
            blob::put(
                &mut tx,
                &account,
                "document",
                format!("paper {n}").repeat(100).as_bytes(),
                now,
            )
            .await
            .expect("stored");
        }
        tx.commit().await.expect("committed");
        store.close().await;
    }
    urls
}

async fn findings(url: &str) -> Vec<(Part, Vec<String>)> {
    let store = Store::open_as_is(url).await.expect("the database");
    let checked = upkeep::check(&store, Sample::All, day()).await.expect("checked");
    store.close().await;
    checked
        .into_iter()
        .filter(|part| !part.findings.is_empty())
        .map(|part| (part.part, part.findings))
        .collect()
}

#[tokio::test]
async fn what_is_broken_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for url in databases(dir.path()).await {
        assert_eq!(findings(&url).await, []);
        raw(
            &url,
            "INSERT INTO sales_day VALUES ('main', 'amazon-uk', '2026-11-20', 'Amazon', '22423', 3)",
        )
        .await;
        let no_keys = if url.starts_with("postgres") {
            "SET session_replication_role = replica; "
        } else {
            ""
        };
        raw(
            &url,
            &format!(
                "{no_keys}INSERT INTO run_step VALUES ('main', 'gone', 'pull', 'done', '{{}}', NULL, 0, 0)"
            ),
        )
        .await;
        raw(
            &url,
            "INSERT INTO inbox_file (account_id, sha256, origin, name, kind, problems, read_at)
             VALUES ('main', 'abc', 'inbox', 'a.xlsx', 'receipts', '[]', 0)",
        )
        .await;
        raw(
            &url,
            "UPDATE blob SET size = size + 1, bytes = (SELECT b.bytes FROM blob b ORDER BY b.sha256 DESC LIMIT 1)
             WHERE sha256 = (SELECT MIN(sha256) FROM blob)",
        )
        .await;
        let found = findings(&url).await;
        let parts: Vec<Part> = found.iter().map(|(part, _)| *part).collect();
        assert_eq!(
            parts,
            [Part::Keys, Part::Papers, Part::Bytes, Part::Sales, Part::Series],
            "{found:?}"
        );
        assert_eq!(
            found[0].1,
            ["1 rows of `run_step` point at no row of `run` (account_id, run_id)"]
        );
        assert_eq!(
            found[1].1,
            ["1 rows of `inbox_file` name bytes (sha256) that are not stored"]
        );
        assert!(
            found[2].1.len() == 1 && found[2].1[0].ends_with("cannot be read back: its bytes have changed")
        );
        assert_eq!(
            found[3].1,
            ["main: amazon-uk 2026-11-20 `22423`: 3 units stored, 0 in the order lines"]
        );
        assert_eq!(
            found[4].1,
            ["main: amazon-uk Amazon `22423` 2026: 0 units in the series on 2026-11-20, 3 in the sales days"]
        );
    }
}

#[tokio::test]
async fn a_sample_has_every_paper_in_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    for url in databases(dir.path()).await {
        raw(
            &url,
            "UPDATE blob SET bytes = (SELECT b.bytes FROM blob b ORDER BY b.sha256 DESC LIMIT 1), size = 1
             WHERE sha256 = (SELECT MIN(sha256) FROM blob)",
        )
        .await;
        let store = Store::open_as_is(&url).await.unwrap();
        let mut days_that_found_it = 0;
        for later in 0..5 {
            let checked = upkeep::check(&store, Sample::About(2), day() + chrono::Duration::days(later))
                .await
                .unwrap();
            let bytes = checked.iter().find(|part| part.part == Part::Bytes).unwrap();
            assert_eq!((bytes.looked_at, bytes.of), (2, 10));
            days_that_found_it += bytes.findings.len();
        }
        assert_eq!(days_that_found_it, 1);
        store.close().await;
    }
}

#[tokio::test]
async fn a_database_of_another_version_is_not_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let url = sqlite_url(dir.path(), "old.db");
    Store::open_at_version(&url, 5).await.unwrap().close().await;
    let found = findings(&url).await;
    assert_eq!(found.len(), 1);
    assert!(
        found[0].1[0].starts_with("migration 6 (orders) is missing"),
        "{found:?}"
    );
    let store = Store::open_as_is(&url).await.unwrap();
    assert_eq!(store.applied().await.unwrap().len(), 5, "a check changes nothing");
    store.close().await;
}

#[tokio::test]
async fn a_torn_page_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let url = sqlite_url(dir.path(), "torn.db");
    let store = Store::open(&url).await.unwrap();
    rows::fill(&store, 400).await;
    upkeep::vacuum(&store).await.unwrap();
    store.close().await;
    let file = dir.path().join("torn.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 512].fill(0x5a);
    std::fs::write(&file, bytes).unwrap();
    let store = Store::open_as_is(&url).await.unwrap();
    let found = match upkeep::check(&store, Sample::All, day()).await {
        Ok(checked) => checked
            .iter()
            .any(|part| part.part == Part::Structure && !part.findings.is_empty()),
        Err(error) => linkstar::night::step::chain(&error).contains("malformed"),
    };
    assert!(found);
}

#[tokio::test]
async fn a_vacuum_gives_space_back_and_keeps_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    for url in databases(dir.path()).await {
        let store = Store::open(&url).await.unwrap();
        rows::fill(&store, 3_000).await;
        raw(
            &url,
            "DELETE FROM sales_day; DELETE FROM order_line; DELETE FROM stock_row",
        )
        .await;
        let before = contents(&store).await.unwrap();
        let sizes = upkeep::vacuum(&store).await.unwrap();
        assert!(sizes.after < sizes.before, "{sizes:?}");
        assert_eq!(contents(&store).await.unwrap(), before);
        store.close().await;
    }
}

#[tokio::test]
async fn a_backup_is_the_database_of_that_moment_and_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let url = sqlite_url(dir.path(), "linkstar.db");
    let store = Store::open(&url).await.unwrap();
    rows::fill(&store, 300).await;
    let before = contents(&store).await.unwrap();
    let file = dir.path().join("it's a backup.db");
    // Left by one that was killed.
    std::fs::write(dir.path().join("it's a backup.db.part"), "half").unwrap();
    let bytes = upkeep::backup(&store, &file).await.unwrap();
    assert_eq!(bytes, std::fs::metadata(&file).unwrap().len());
    raw(&url, "DELETE FROM sales_day").await;
    let left: Vec<String> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("backup"))
        .collect();
    assert_eq!(left, ["it's a backup.db"]);
    let restored = Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
    assert_eq!(contents(&restored).await.unwrap(), before);
    restored.close().await;
    let again = upkeep::backup(&store, &file).await.unwrap_err();
    assert!(matches!(again, BackupError::There { .. }), "{again}");
    store.close().await;
}

/// The way of docs/storage.md: pg_dump, a new database, pg_restore.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_backed_up_by_its_own_program_and_comes_back() {
    let Some(services) = services() else { return };
    if !has("pg_dump", "postgresql-client") || !has("pg_restore", "postgresql-client") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let url = fresh_database(&services).await;
    let store = Store::open(&url).await.unwrap();
    rows::fill(&store, 300).await;
    let file = dir.path().join("linkstar.dump");
    let refused = upkeep::backup(&store, &file).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("PostgreSQL is backed up by its own program: pg_dump --format=custom"),
        "{refused}"
    );
    let run = |program: &str, args: &[&str]| {
        let output = tokio::task::block_in_place(|| Command::new(program).args(args).output()).unwrap();
        assert!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let path = file.display().to_string();
    run("pg_dump", &["--format=custom", "--file", &path, &url]);
    let fresh = fresh_database(&services).await;
    run(
        "pg_restore",
        &["--exit-on-error", "--no-owner", "--dbname", &fresh, &path],
    );
    let restored = Store::open(&fresh).await.unwrap();
    assert_eq!(
        contents(&restored).await.unwrap(),
        contents(&store).await.unwrap()
    );
    assert_eq!(findings_of_version(&restored).await, 0);
    restored.close().await;
    store.close().await;
}

async fn findings_of_version(store: &Store) -> usize {
    let checked = upkeep::check(store, Sample::About(10), day())
        .await
        .expect("checked");
    checked
        .iter()
        .filter(|part| matches!(part.part, Part::Version | Part::Structure | Part::Keys))
        .map(|part| part.findings.len())
        .sum()
}
