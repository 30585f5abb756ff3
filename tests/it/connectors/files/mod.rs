//! Sources that are a folder of exports: the shipped file `linkstar-files` over real files.

mod docs;
mod hostile;
mod kill;
mod night;
mod orders;
mod stock;
mod workbooks;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use linkstar::connector::{ConnectorConfig, Definition};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::store::Store;
use linkstar::store::facts;

use super::stage::{House, at, definition};

/// Noon in Shenzhen.
pub const NOW: &str = "2026-11-23T04:00:00Z";

/// The shipped file over a folder.
pub fn source(folder: &Path, params: &[(&str, &str)], warehouses: &[&str]) -> ConnectorConfig {
    let mut all = BTreeMap::from([
        ("folder".to_owned(), folder.display().to_string()),
        ("zone".to_owned(), "Europe/London".to_owned()),
    ]);
    all.extend(
        params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    ConnectorConfig {
        id: SourceId::new("uk-files").expect("an id"),
        definition: definition("linkstar-files.toml"),
        params: all,
        secrets: BTreeMap::new(),
        warehouses: warehouses
            .iter()
            .map(|code| {
                let ours = WarehouseCode::new(format!("files:{code}")).expect("a code");
                ((*code).to_owned(), ours)
            })
            .collect(),
    }
}

pub fn only(stream: &str) -> Vec<(&'static str, &'static str)> {
    ["stock", "inbound", "receipts", "orders"]
        .into_iter()
        .map(|name| {
            let param = match name {
                "stock" => "with_stock",
                "inbound" => "with_inbound",
                "receipts" => "with_receipts",
                _ => "with_orders",
            };
            (param, if name == stream { "yes" } else { "no" })
        })
        .chain([("fulfilment", "UKMA")])
        .collect()
}

/// A definition of one's own over a folder, with `${param:folder}`.
pub fn own(text: &str, folder: &Path) -> ConnectorConfig {
    let definition = Definition::parse("own.toml", text).expect("a good file");
    ConnectorConfig {
        definition: Arc::new(definition),
        params: BTreeMap::from([("folder".to_owned(), folder.display().to_string())]),
        ..source(folder, &[], &["UKMA"])
    }
}

/// Writes a file that was changed last at this time.
pub fn put(folder: &Path, name: &str, bytes: &[u8], modified: &str) {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("written");
    touch(&path, modified);
}

pub fn touch(path: &Path, modified: &str) {
    let since = u64::try_from(at(modified).timestamp()).expect("after 1970");
    let file = File::options().write(true).open(path).expect("opened");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(since))
        .expect("a time");
}

/// SQLite, and PostgreSQL where it is.
pub async fn both_engines() -> Vec<House> {
    let memory = Store::open("sqlite::memory:").await.expect("a store");
    vec![House::of(memory, NOW, "main"), House::new(NOW).await]
}

/// What is known of a warehouse: when of, since when stale, and the available units by SKU.
pub struct Known {
    pub as_of: Option<String>,
    pub stale: bool,
    pub problem: Option<String>,
    pub available: Vec<(String, Option<i64>)>,
}

pub async fn known(house: &House, warehouse: &str) -> Option<Known> {
    let mut tx = house.store.read().await.expect("the store reads");
    let views = facts::latest_stock(&mut tx, &house.account).await.expect("stock");
    let view = views
        .into_iter()
        .find(|view| view.warehouse.to_string() == warehouse)?;
    Some(Known {
        as_of: view.as_of.map(|at| at.to_rfc3339()),
        stale: view.stale_since.is_some(),
        problem: view.problem,
        available: view
            .rows
            .into_iter()
            .map(|row| (row.sku_code, row.buckets.available))
            .collect(),
    })
}

pub fn beside(folder: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.join(format!("{name}.problems.txt"))).ok()
}
