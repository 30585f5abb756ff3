//! Jobs, schedules and the pace that processes share, on both engines.

mod clock;
mod commands;
pub mod contract;
mod faketime;
mod kill;
mod pace;
mod slots;
mod wake;
mod watch;

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

/// Where each engine keeps a database of this test alone; PostgreSQL only when its server runs.
async fn databases(dir: &Path) -> Vec<String> {
    let mut urls = vec![format!("sqlite:{}", dir.join("linkstar.db").display())];
    if let Some(services) = services() {
        urls.push(fresh_database(&services).await);
    }
    urls
}

async fn engines(dir: &Path) -> Vec<Store> {
    let mut stores = Vec::new();
    for url in databases(dir).await {
        stores.push(Store::open(&url).await.expect("the store opens"));
    }
    stores
}
