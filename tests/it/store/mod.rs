//! The store as a whole: two engines that say the same, migrations, copies, checks, backups.

mod cancelled;
mod claimed;
mod contract;
mod copy;
mod desk;
mod literals;
mod loads;
mod migrations;
mod rows;
mod schema;
mod series;
mod stated;
mod statements;
mod upkeep;

use std::path::Path;

use linkstar::store::Store;

use super::services::{fresh_database, services};

fn sqlite_url(dir: &Path, name: &str) -> String {
    format!("sqlite:{}", dir.join(name).display())
}

async fn sqlite(dir: &Path) -> Store {
    Store::open(&sqlite_url(dir, "linkstar.db"))
        .await
        .expect("SQLite opens")
}

/// Both engines, PostgreSQL only when its server runs.
async fn engines(dir: &Path) -> Vec<Store> {
    let mut stores = vec![sqlite(dir).await];
    if let Some(services) = services() {
        let url = fresh_database(&services).await;
        stores.push(Store::open(&url).await.expect("PostgreSQL opens"));
    }
    stores
}

/// A statement beside the store, with foreign keys off on SQLite: how a database is broken on purpose.
async fn raw(url: &str, sql: &str) {
    use sqlx::Connection as _;
    let text = sqlx::AssertSqlSafe(sql.to_owned());
    if let Some(path) = url.strip_prefix("sqlite:") {
        use std::str::FromStr as _;
        let options = sqlx::sqlite::SqliteConnectOptions::from_str(&format!("sqlite:{path}"))
            .expect("a path")
            .foreign_keys(false);
        let mut connection = sqlx::SqliteConnection::connect_with(&options)
            .await
            .expect("SQLite opens");
        sqlx::raw_sql(text).execute(&mut connection).await.expect(sql);
        connection.close().await.expect("closed");
    } else {
        let mut connection = sqlx::PgConnection::connect(url)
            .await
            .expect("PostgreSQL answers");
        sqlx::raw_sql(text).execute(&mut connection).await.expect(sql);
        connection.close().await.expect("closed");
    }
}
