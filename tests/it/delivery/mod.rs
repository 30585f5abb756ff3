//! Delivery against real servers: OpenSSH, PostgreSQL, a proxy that breaks connections.

mod contract;
mod schema;
mod upload;

use std::path::Path;

use chrono::{DateTime, Utc};
use linkstar::ids::AccountId;
use linkstar::store::Store;

use super::services::{fresh_database, services};

fn account() -> AccountId {
    AccountId::new("main").expect("an account id")
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + second, 0).expect("an instant")
}

async fn sqlite(dir: &Path) -> Store {
    let url = format!("sqlite:{}", dir.join("linkstar.db").display());
    Store::open(&url).await.expect("SQLite opens")
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
