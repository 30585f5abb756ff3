//! Both engines hold the same tables, and every key begins with the account.

use std::collections::{BTreeMap, BTreeSet};

use linkstar::args;
use linkstar::store::dialect::Engine;
use linkstar::store::{Store, Tx};

use super::{engines, sqlite};

/// Name and whether it may be missing, of each column of each table.
type Tables = BTreeMap<String, Vec<(String, String, bool)>>;
/// Kind, table and columns of each key.
type Keys = BTreeSet<(String, String, Vec<String>)>;

async fn tables(store: &Store) -> Tables {
    let mut tx = store.read().await.expect("a transaction");
    let sql = match store.engine() {
        Engine::Sqlite => {
            "SELECT m.name AS t, c.name AS c, c.type AS k, CAST(c.\"notnull\" AS INTEGER) AS n
             FROM sqlite_schema m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"
        }
        Engine::Postgres => {
            "SELECT table_name::TEXT AS t, column_name::TEXT AS c, data_type::TEXT AS k,
                 CASE is_nullable WHEN 'NO' THEN 1::BIGINT ELSE 0::BIGINT END AS n
             FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        }
    };
    let mut found = Tables::new();
    for row in tx.rows(sql, args![]).await.expect("the catalog") {
        let table: String = row.get("t").expect("table");
        if table == "_sqlx_migrations" {
            continue;
        }
        let declared: String = row.get("k").expect("type");
        let class = match declared.to_uppercase().as_str() {
            "INTEGER" | "BIGINT" => "int",
            "TEXT" => "text",
            "BLOB" | "BYTEA" => "bytes",
            _ => declared.as_str(),
        };
        let not_null: i64 = row.get("n").expect("nullability");
        found.entry(table).or_default().push((
            row.get("c").expect("column"),
            class.to_owned(),
            not_null == 1,
        ));
    }
    found
}

async fn keys(store: &Store) -> Keys {
    let mut tx = store.read().await.expect("a transaction");
    match store.engine() {
        Engine::Sqlite => sqlite_keys(&mut tx).await,
        Engine::Postgres => postgres_keys(&mut tx).await,
    }
}

async fn sqlite_keys(tx: &mut Tx) -> Keys {
    let unique = "SELECT m.name AS t, il.name AS k, ii.name AS c, 'unique' AS kind
         FROM sqlite_schema m JOIN pragma_index_list(m.name) il JOIN pragma_index_info(il.name) ii
         WHERE m.type = 'table' AND il.\"unique\" = 1 ORDER BY m.name, il.name, ii.seqno";
    let foreign = "SELECT m.name AS t, CAST(f.id AS TEXT) AS k, f.\"from\" AS c, 'foreign' AS kind
         FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
         WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq";
    collect(tx, &[unique, foreign]).await
}

async fn postgres_keys(tx: &mut Tx) -> Keys {
    let unique = "SELECT t.relname::TEXT AS t, i.relname::TEXT AS k, a.attname::TEXT AS c, 'unique' AS kind
         FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
         JOIN pg_namespace n ON n.oid = t.relnamespace
         CROSS JOIN LATERAL unnest(x.indkey::SMALLINT[]) WITH ORDINALITY AS u(attnum, place)
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.attnum
         WHERE n.nspname = 'public' AND x.indisunique ORDER BY t.relname, i.relname, u.place";
    let foreign = "SELECT t.relname::TEXT AS t, c.conname::TEXT AS k, a.attname::TEXT AS c, 'foreign' AS kind
         FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
         CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS u(attnum, place)
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.attnum
         WHERE c.contype = 'f' ORDER BY t.relname, c.conname, u.place";
    collect(tx, &[unique, foreign]).await
}

async fn collect(tx: &mut Tx, statements: &[&str]) -> Keys {
    let mut columns: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
    for sql in statements {
        for row in tx.rows(*sql, args![]).await.expect("the catalog") {
            let table: String = row.get("t").expect("table");
            if table != "_sqlx_migrations" {
                columns
                    .entry((row.get("kind").expect("kind"), table, row.get("k").expect("key")))
                    .or_default()
                    .push(row.get("c").expect("column"));
            }
        }
    }
    columns
        .into_iter()
        .map(|((kind, table, _), columns)| (kind, table, columns))
        .collect()
}

#[tokio::test]
async fn both_engines_have_had_the_same_migrations() {
    let dir = tempfile::tempdir().unwrap();
    let wanted: Vec<(i64, String, bool)> = linkstar::store::migration_list()
        .into_iter()
        .map(|(version, name)| (version, name.to_owned(), true))
        .collect();
    for store in engines(dir.path()).await {
        let applied = store.applied().await.unwrap();
        let applied: Vec<(i64, String, bool)> = applied
            .into_iter()
            .map(|migration| (migration.version, migration.name, migration.whole))
            .collect();
        assert_eq!(applied, wanted, "{:?}", store.engine());
    }
}

/// The product's own reader of the catalogs, which `copy` relies on: primary keys in their order and foreign keys with
/// what they point at are the same too.
#[tokio::test]
async fn both_catalogs_read_alike() {
    let dir = tempfile::tempdir().unwrap();
    let mut read = Vec::new();
    for store in engines(dir.path()).await {
        let mut tx = store.read().await.unwrap();
        read.push(linkstar::store::tables::read(&mut tx).await.unwrap());
    }
    assert!(read.iter().all(|tables| *tables == read[0]));
    assert!(read[0].iter().all(|table| !table.key.is_empty()));
}

#[tokio::test]
async fn both_engines_hold_the_same_tables_and_keys() {
    let dir = tempfile::tempdir().unwrap();
    let stores = engines(dir.path()).await;
    let [sqlite, postgres] = stores.as_slice() else {
        return;
    };
    assert_eq!(tables(sqlite).await, tables(postgres).await);
    assert_eq!(keys(sqlite).await, keys(postgres).await);
}

/// Tables whose rows belong to no account, each with its reason: they stay local when PostgreSQL is spread over
/// several machines.
const OF_NO_ACCOUNT: [(&str, &str); 0] = [];

#[tokio::test]
async fn every_unique_and_foreign_key_begins_with_the_account() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let tables = tables(&store).await;
        let keys = keys(&store).await;
        assert!(tables.len() > 8 && keys.len() > 10, "the catalog was read");
        let excepted = |table: &str| OF_NO_ACCOUNT.iter().any(|(name, _)| *name == table);
        for (table, columns) in tables.iter().filter(|(table, _)| !excepted(table)) {
            assert_eq!(columns[0].0, "account_id", "first column of {table}");
            assert!(
                keys.iter().any(|(kind, of, _)| kind == "unique" && of == table),
                "{table} has a key"
            );
        }
        let without: Vec<_> = keys
            .iter()
            .filter(|(_, table, columns)| columns[0] != "account_id" && !excepted(table))
            .collect();
        assert!(without.is_empty(), "{:?}: {without:?}", store.engine());
    }
}

#[tokio::test]
async fn a_database_can_be_opened_again_and_its_migrations_are_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let before = {
        let store = sqlite(dir.path()).await;
        let before = tables(&store).await;
        store.close().await;
        before
    };
    let store = sqlite(dir.path()).await;
    assert_eq!(tables(&store).await, before);
    let numbers: Vec<i64> = linkstar::store::migration_list()
        .iter()
        .map(|(version, _)| *version)
        .collect();
    assert!(
        numbers.iter().zip(numbers.iter().skip(1)).all(|(a, b)| a < b),
        "in order, each once: {numbers:?}"
    );
}
