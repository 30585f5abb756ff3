//! Items, warehouses and lanes: one table of versions, the record itself as JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ImportReport;
use crate::args;
use crate::catalog::{Item, Lane, UnknownWarehouse, Warehouse};
use crate::ids::{AccountId, Sku};
use crate::mapping::catalog_file::{Parsed, Placed};
use crate::problem::Problem;
use crate::store::{StoreError, Tx, Value};

/// A kind of master record: its name in the store, and what makes two versions the same record.
pub(super) trait Record: Serialize + DeserializeOwned {
    const KIND: &'static str;
    fn key(&self) -> String;
}

impl Record for Item {
    const KIND: &'static str = "item";
    fn key(&self) -> String {
        self.sku.to_string()
    }
}

impl Record for Warehouse {
    const KIND: &'static str = "warehouse";
    fn key(&self) -> String {
        self.code.to_string()
    }
}

impl Record for Lane {
    const KIND: &'static str = "lane";
    fn key(&self) -> String {
        // A control character cannot stand in an id, so the parts cannot run into each other.
        [
            self.warehouse.as_str(),
            self.mode.code(),
            self.forwarder.as_str(),
            &self.service,
        ]
        .join("\u{1f}")
    }
}

/// Takes items as of a day: what differs from the version then valid becomes a new one.
///
/// # Errors
/// When the engine refuses.
pub async fn import_items(
    tx: &mut Tx,
    account: &AccountId,
    parsed: &Parsed<Item>,
    effective: NaiveDate,
    now: DateTime<Utc>,
) -> Result<ImportReport, StoreError> {
    let rows: Vec<&Item> = parsed.values().collect();
    import(tx, account, parsed, &rows, Vec::new(), effective, now).await
}

/// Takes warehouse profiles as of a day.
///
/// # Errors
/// When the engine refuses.
pub async fn import_warehouses(
    tx: &mut Tx,
    account: &AccountId,
    parsed: &Parsed<Warehouse>,
    effective: NaiveDate,
    now: DateTime<Utc>,
) -> Result<ImportReport, StoreError> {
    let rows: Vec<&Warehouse> = parsed.values().collect();
    import(tx, account, parsed, &rows, Vec::new(), effective, now).await
}

/// Takes lanes as of a day. A lane into a warehouse without profile is refused, with the nearest codes.
///
/// # Errors
/// When the engine refuses.
pub async fn import_lanes(
    tx: &mut Tx,
    account: &AccountId,
    parsed: &Parsed<Lane>,
    effective: NaiveDate,
    now: DateTime<Utc>,
) -> Result<ImportReport, StoreError> {
    let catalog = super::load(tx, account, effective).await?;
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for Placed { place, value } in &parsed.rows {
        match catalog.warehouse(value.warehouse.as_str()) {
            Ok(warehouse) if warehouse.code == value.warehouse => rows.push(value),
            other => {
                let nearest = match other {
                    Ok(warehouse) => vec![warehouse.code.to_string()],
                    Err(UnknownWarehouse::Unknown { nearest, .. }) => nearest,
                    Err(UnknownWarehouse::Ambiguous { candidates, .. }) => candidates,
                };
                let wanted = if nearest.is_empty() {
                    "a warehouse of the warehouses file".to_owned()
                } else {
                    format!("a known warehouse; the nearest are {}", nearest.join(", "))
                };
                problems.push(Problem::new(
                    &parsed.file,
                    place,
                    "warehouse",
                    value.warehouse.as_str(),
                    wanted,
                ));
            }
        }
    }
    import(tx, account, parsed, &rows, problems, effective, now).await
}

async fn import<T: Record>(
    tx: &mut Tx,
    account: &AccountId,
    parsed: &Parsed<T>,
    rows: &[&T],
    refused: Vec<Problem>,
    effective: NaiveDate,
    now: DateTime<Utc>,
) -> Result<ImportReport, StoreError> {
    let mut report = ImportReport {
        problems: parsed.problems.clone(),
        warnings: parsed.warnings.clone(),
        ..ImportReport::default()
    };
    report.problems.extend(refused);
    let valid = bodies(tx, account, T::KIND, effective).await?;
    let revisions = revisions_of(tx, account, T::KIND, effective).await?;
    let mut added: Vec<Vec<Value>> = Vec::new();
    for record in rows {
        let key = record.key();
        let body = serde_json::to_string(record).map_err(|error| StoreError::Corrupt {
            what: format!("{} `{key}`", T::KIND),
            why: error.to_string(),
        })?;
        match valid.get(&key) {
            Some(held) if *held == body => {
                report.same += 1;
                continue;
            }
            Some(_) => report.changed += 1,
            None => report.new += 1,
        }
        let revision = revisions.get(&key).copied().unwrap_or(0) + 1;
        added.push(
            args![
                account,
                T::KIND,
                key,
                effective,
                revision,
                body,
                &parsed.file,
                now
            ]
            .to_vec(),
        );
    }
    tx.insert_many(
        "INSERT INTO master_version
             (account_id, kind, record_key, valid_from, revision, body, file, recorded_at)",
        &added,
        "",
    )
    .await?;
    Ok(report)
}

async fn bodies(
    tx: &mut Tx,
    account: &AccountId,
    kind: &str,
    as_of: NaiveDate,
) -> Result<BTreeMap<String, String>, StoreError> {
    tx.rows(
        "SELECT record_key, body FROM (
             SELECT record_key, body,
                 ROW_NUMBER() OVER (PARTITION BY record_key ORDER BY valid_from DESC, revision DESC) AS place
             FROM master_version WHERE account_id = $1 AND kind = $2 AND valid_from <= $3
         ) AS versions WHERE place = 1",
        args![account, kind, as_of],
    )
    .await?
    .iter()
    .map(|row| Ok((row.get("record_key")?, row.get("body")?)))
    .collect()
}

async fn revisions_of(
    tx: &mut Tx,
    account: &AccountId,
    kind: &str,
    valid_from: NaiveDate,
) -> Result<BTreeMap<String, i64>, StoreError> {
    tx.rows(
        "SELECT record_key, MAX(revision) AS revision FROM master_version
         WHERE account_id = $1 AND kind = $2 AND valid_from = $3 GROUP BY record_key",
        args![account, kind, valid_from],
    )
    .await?
    .iter()
    .map(|row| Ok((row.get("record_key")?, row.get("revision")?)))
    .collect()
}

fn decode<T: Record>(key: &str, body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt {
        what: format!("{} `{key}`", T::KIND),
        why: error.to_string(),
    })
}

/// All records of a kind valid on a day, by key.
pub(super) async fn load<T: Record>(
    tx: &mut Tx,
    account: &AccountId,
    as_of: NaiveDate,
) -> Result<Vec<T>, StoreError> {
    bodies(tx, account, T::KIND, as_of)
        .await?
        .iter()
        .map(|(key, body)| decode(key, body))
        .collect()
}

/// One version of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemVersion {
    pub valid_from: NaiveDate,
    /// 1, and more when a version of the same day was corrected.
    pub revision: i64,
    pub file: String,
    pub item: Item,
}

/// The history of one SKU, oldest first.
///
/// # Errors
/// When the engine refuses, or a stored item cannot be read back.
pub async fn item_versions(
    tx: &mut Tx,
    account: &AccountId,
    sku: &Sku,
) -> Result<Vec<ItemVersion>, StoreError> {
    tx.rows(
        "SELECT valid_from, revision, file, body FROM master_version
         WHERE account_id = $1 AND kind = $2 AND record_key = $3 ORDER BY valid_from, revision",
        args![account, Item::KIND, sku],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(ItemVersion {
            valid_from: row.get("valid_from")?,
            revision: row.get("revision")?,
            file: row.get("file")?,
            item: decode(sku.as_str(), &row.get::<String>("body")?)?,
        })
    })
    .collect()
}
