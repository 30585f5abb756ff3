//! What the tests of all warehouses share: a source at a server of the test, the vendor's side of signatures, and what
//! the books say after a pull.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::NaiveDateTime;
use linkstar::connector::{ConnectorConfig, Secret};
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::store::facts;
use md5::{Digest as _, Md5};
use serde_json::{Value as Json, json};

use super::super::desk::{Heard, Said};
use super::super::stage::{House, definition};

type Pairs<'a> = &'a [(&'a str, &'a str)];

pub fn source(
    file: &str,
    url: &str,
    params: Pairs<'_>,
    secrets: Pairs<'_>,
    codes: Pairs<'_>,
) -> ConnectorConfig {
    let texts = |pairs: Pairs<'_>| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let mut all = texts(&[
        ("base_url", url),
        ("history_days", "60"),
        ("timeout_seconds", "2"),
    ]);
    all.extend(texts(params));
    ConnectorConfig {
        id: SourceId::new(file).expect("an id"),
        definition: definition(&format!("{file}.toml")),
        params: all,
        secrets: texts(secrets)
            .into_iter()
            .map(|(name, value)| (name, Secret::new(value)))
            .collect(),
        warehouses: codes
            .iter()
            .map(|(code, ours)| ((*code).to_owned(), WarehouseCode::new(*ours).expect("a code")))
            .collect(),
    }
}

/// Every so manieth request is one too many.
pub struct Gate {
    asked: AtomicU32,
    every: u32,
}

impl Gate {
    pub fn every(every: u32) -> Self {
        Self {
            asked: AtomicU32::new(0),
            every,
        }
    }

    pub fn closed(&self) -> Option<Said> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        asked.is_multiple_of(self.every).then(|| Said {
            status: 429,
            headers: vec![("retry-after", "3".to_owned())],
            body: json!({"message": "too many requests"}).to_string(),
        })
    }
}

pub fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON as the vendors sign it: keys by their bytes, nothing between.
pub fn canonical(json: &Json) -> String {
    match json {
        Json::Object(fields) => {
            let sorted: BTreeMap<&String, &Json> = fields.iter().collect();
            let fields: Vec<String> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Json::from(name.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// One page of rows, numbered from 1.
pub fn page(rows: &[Json], number: u64, size: u64) -> Vec<Json> {
    let size = usize::try_from(size).expect("a size");
    let before = usize::try_from(number - 1).expect("a page") * size;
    rows.iter().skip(before).take(size).cloned().collect()
}

pub fn number(heard: &Json, path: &str) -> u64 {
    path.split('.')
        .fold(heard, |at, name| &at[name])
        .as_u64()
        .ok_or_else(|| format!("`{path}` of {heard}"))
        .expect("a number")
}

/// A civil time as vendors write it.
pub fn civil(text: &Json) -> NaiveDateTime {
    let text = text.as_str().expect("a text");
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a civil time")
}

/// Requests that came with a signature that had been used before: none of them was made anew.
pub fn resent(heard: &[Heard], signature: impl Fn(&Heard) -> String) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    heard
        .iter()
        .filter(|heard| !seen.insert(signature(heard)))
        .count()
}

/// Announced, put away.
type Line = (Option<i64>, Option<i64>);

/// What the books say.
pub struct Books {
    /// SKU: available, reserved, pending putaway, inbound, unsellable, frozen.
    pub stock: BTreeMap<String, [Option<i64>; 6]>,
    /// Number: warehouse, reference, state, closed.
    pub inbounds: BTreeMap<String, (String, String, String, bool)>,
    /// Number, carton, SKU: announced, put away.
    pub lines: BTreeMap<(String, String, String), Line>,
    /// Number, SKU, kind: units in all, in how many events.
    pub receipts: BTreeMap<(String, String, String), (i64, i64)>,
    /// Why a stock is not of today.
    pub stale: Vec<String>,
}

impl Books {
    pub async fn of(house: &House) -> Self {
        let mut tx = house.store.read().await.expect("a transaction");
        let views = facts::latest_stock(&mut tx, &house.account).await.expect("stock");
        let mut stock = BTreeMap::new();
        let mut stale = Vec::new();
        for view in views {
            stale.extend(view.problem.clone());
            for row in view.rows {
                let buckets = row.buckets;
                let known = [
                    buckets.available,
                    buckets.reserved,
                    buckets.pending_putaway,
                    buckets.inbound,
                    buckets.unsellable,
                    buckets.frozen,
                ];
                let before = stock.insert(row.sku_code.clone(), known);
                assert_eq!(before, None, "{} twice", row.sku_code);
            }
        }
        let (notices, lines) = facts::inbounds(&mut tx, &house.account).await.expect("inbounds");
        let rows = tx
            .rows(
                "SELECT reference, sku_code, kind, CAST(SUM(units) AS BIGINT) AS units, COUNT(*) AS events
                 FROM receipt_event WHERE account_id = $1 GROUP BY reference, sku_code, kind",
                linkstar::args![&house.account],
            )
            .await
            .expect("receipts");
        let text = |row: &linkstar::store::Row, name: &str| row.get::<String>(name).expect("a text");
        let count = |row: &linkstar::store::Row, name: &str| row.get::<i64>(name).expect("a number");
        Self {
            stock,
            stale,
            inbounds: notices
                .into_iter()
                .map(|notice| {
                    let warehouse = notice.warehouse.to_string();
                    let said = (warehouse, notice.reference, notice.state, notice.closed);
                    (notice.inbound_no, said)
                })
                .collect(),
            lines: lines
                .into_iter()
                .map(|line| {
                    let carton = line.carton.unwrap_or_default();
                    let key = (line.inbound_no, carton, line.sku_code);
                    (key, (line.announced, line.put_away))
                })
                .collect(),
            receipts: rows
                .iter()
                .map(|row| {
                    let key = (text(row, "reference"), text(row, "sku_code"), text(row, "kind"));
                    (key, (count(row, "units"), count(row, "events")))
                })
                .collect(),
        }
    }

    pub fn line(&self, inbound: &str, carton: &str, sku: &str) -> Line {
        let key = (inbound.to_owned(), carton.to_owned(), sku.to_owned());
        let found = self.lines.get(&key);
        *found.ok_or((key, &self.lines)).expect("a line")
    }

    /// Units in all, and in how many events.
    pub fn receipt(&self, inbound: &str, sku: &str, kind: &str) -> (i64, i64) {
        let key = (inbound.to_owned(), sku.to_owned(), kind.to_owned());
        let found = self.receipts.get(&key);
        *found.ok_or((key, &self.receipts)).expect("a receipt")
    }

    /// Warehouse, reference, state, closed.
    pub fn inbound(&self, number: &str) -> (&str, &str, &str, bool) {
        let found = self.inbounds.get(number);
        let (warehouse, reference, state, closed) =
            found.ok_or((number, &self.inbounds)).expect("an inbound");
        (warehouse, reference, state, *closed)
    }
}
