//! A database of every earlier version comes up to the newest and keeps its rows.

use std::collections::BTreeMap;

use linkstar::store::tables::{self, Table};
use linkstar::store::{Store, migration_list};

use super::{rows, sqlite_url};
use crate::services::{fresh_database, services};

/// Every row of these columns as text, by table, sorted: the engines order text differently.
async fn dump(store: &Store, wanted: &[Table]) -> BTreeMap<String, Vec<String>> {
    let mut tx = store.read().await.expect("a transaction");
    let mut found = BTreeMap::new();
    for table in wanted {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("CAST(\"{0}\" AS TEXT) AS \"{0}\"", column.name))
            .collect();
        let sql = format!("SELECT {} FROM \"{}\"", columns.join(", "), table.name);
        let mut lines: Vec<String> = tx
            .rows(sql, &[])
            .await
            .expect("the table")
            .iter()
            .map(|row| {
                let cells: Vec<Option<String>> = table
                    .columns
                    .iter()
                    .map(|column| {
                        // Bytes cast to text are not text on SQLite.
                        row.get(&column.name).unwrap_or(None)
                    })
                    .collect();
                format!("{cells:?}")
            })
            .collect();
        lines.sort();
        found.insert(table.name.clone(), lines);
    }
    found
}

async fn every_version_comes_up(urls: impl AsyncFn(i64) -> String) {
    let newest = Store::open(&urls(0).await).await.expect("a new database");
    let mut tx = newest.read().await.expect("a transaction");
    let wanted = tables::read(&mut tx).await.expect("the catalog");
    drop(tx);
    newest.close().await;
    for (version, name) in migration_list() {
        let url = urls(version).await;
        let old = Store::open_at_version(&url, version)
            .await
            .expect("an old database");
        rows::fill(&old, 4).await;
        let mut tx = old.read().await.expect("a transaction");
        let tables = tables::read(&mut tx).await.expect("the catalog");
        drop(tx);
        let before = dump(&old, &tables).await;
        assert!(before.values().all(|rows| rows.len() == 4), "{version}");
        assert_eq!(
            old.applied().await.expect("its version").len(),
            migration_list()
                .iter()
                .filter(|(known, _)| *known <= version)
                .count()
        );
        old.close().await;

        let up = Store::open(&url).await.expect("the newest version");
        let mut tx = up.read().await.expect("a transaction");
        let now = tables::read(&mut tx).await.expect("the catalog");
        drop(tx);
        assert_eq!(now, wanted, "columns after coming up from {version} ({name})");
        assert_eq!(
            dump(&up, &tables).await,
            before,
            "rows of version {version} ({name})"
        );
        up.close().await;
    }
}

#[tokio::test]
async fn sqlite_of_every_version_comes_up_and_keeps_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    every_version_comes_up(async |version| sqlite_url(dir.path(), &format!("v{version}.db"))).await;
}

#[tokio::test]
async fn postgresql_of_every_version_comes_up_and_keeps_its_rows() {
    let Some(services) = services() else { return };
    every_version_comes_up(async |_| fresh_database(&services).await).await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let url = sqlite_url(dir.path(), "newer.db");
    Store::open(&url).await.unwrap().close().await;
    super::raw(
        &url,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'tomorrow', TRUE, x'00', 0)",
    )
    .await;
    let error = Store::open(&url).await.err().expect("refused");
    let chain = linkstar::night::step::chain(&error);
    assert!(chain.contains("9999"), "{chain}");
}
