//! The three layouts, each with its load, its night and its two reads.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use linkstar::args;
use linkstar::ids::SourceId;
use linkstar::store::dialect::Engine;
use linkstar::store::{Store, Tx, Value, facts as stored};

use super::facts::{DAYS, Sale, Seller, Sum, date};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Day,
    Sku,
    Packed,
}

/// Days loaded in one transaction.
const DAYS_OF_A_LOAD: usize = 30;
/// Places of an `IN (…)` list, as in the product.
const IN_LIST: usize = 400;

/// The account is the first column of every key here as everywhere.
pub async fn create(store: &Store) {
    let (blob, tail) = match store.engine() {
        Engine::Sqlite => ("BLOB", " STRICT, WITHOUT ROWID"),
        Engine::Postgres => ("BYTEA", ""),
    };
    let integer = match store.engine() {
        Engine::Sqlite => "INTEGER",
        Engine::Postgres => "BIGINT",
    };
    let mut tx = store.write().await.expect("a transaction");
    for statement in [
        format!(
            "CREATE TABLE sales_sku (account_id TEXT NOT NULL, source TEXT NOT NULL, fulfilment TEXT NOT NULL,
                 sku_code TEXT NOT NULL, day TEXT NOT NULL, units {integer} NOT NULL,
                 PRIMARY KEY (account_id, source, fulfilment, sku_code, day)){tail}"
        ),
        format!(
            "CREATE TABLE sales_series (account_id TEXT NOT NULL, source TEXT NOT NULL, fulfilment TEXT NOT NULL,
                 sku_code TEXT NOT NULL, year {integer} NOT NULL, units {blob} NOT NULL,
                 PRIMARY KEY (account_id, source, fulfilment, sku_code, year)){tail}"
        ),
    ] {
        tx.execute(statement, args![]).await.expect("a table");
    }
    tx.commit().await.expect("a table");
}

fn source() -> SourceId {
    SourceId::new("amazon-uk").expect("a source")
}

impl Layout {
    pub const ALL: [Self; 3] = [Self::Day, Self::Sku, Self::Packed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Sku => "sku",
            Self::Packed => "packed",
        }
    }

    /// The whole history, day after day as the pulls brought it. `Packed` is made from the rows of `Day`, which are
    /// there by then.
    pub async fn load(self, store: &Store, seller: &Seller) -> usize {
        let mut rows = 0;
        if self == Self::Packed {
            let series = self.read_days(store, seller, None).await;
            let mut tx = store.write().await.expect("a transaction");
            put_series(&mut tx, seller, pack(&series)).await;
            tx.commit().await.expect("committed");
            return 0;
        }
        for first in (0..DAYS).step_by(DAYS_OF_A_LOAD) {
            let sales: Vec<Sale> = (first..(first + DAYS_OF_A_LOAD).min(DAYS))
                .flat_map(|day| seller.day(day))
                .collect();
            rows += sales.len();
            let mut tx = store.write().await.expect("a transaction");
            self.upsert(&mut tx, seller, &sales).await;
            tx.commit().await.expect("committed");
        }
        rows
    }

    /// A new day and late corrections, in one transaction.
    pub async fn night(self, store: &Store, seller: &Seller) -> usize {
        let changes = seller.night();
        let mut tx = store.write().await.expect("a transaction");
        if self == Self::Packed {
            // `Day` has had its rows already: this is what comes on top of them.
            patch(&mut tx, seller, &changes).await;
        } else {
            self.upsert(&mut tx, seller, &changes).await;
        }
        tx.commit().await.expect("committed");
        changes.len()
    }

    async fn upsert(self, tx: &mut Tx, seller: &Seller, sales: &[Sale]) {
        let source = source();
        let rows: Vec<Vec<Value>> = sales
            .iter()
            .map(|sale| {
                vec![
                    Value::from(&seller.account),
                    Value::from(&source),
                    Value::from(date(sale.day)),
                    Value::from(Seller::fulfilment(sale.series)),
                    Value::from(seller.sku(sale.series)),
                    Value::from(sale.units),
                ]
            })
            .collect();
        let (head, tail) = match self {
            Self::Day => (
                "INSERT INTO sales_day (account_id, source, day, fulfilment, sku_code, units)",
                "ON CONFLICT (account_id, source, day, fulfilment, sku_code)
                     DO UPDATE SET units = sales_day.units + excluded.units",
            ),
            Self::Sku | Self::Packed => (
                "INSERT INTO sales_sku (account_id, source, day, fulfilment, sku_code, units)",
                "ON CONFLICT (account_id, source, fulfilment, sku_code, day)
                     DO UPDATE SET units = sales_sku.units + excluded.units",
            ),
        };
        tx.insert_many(head, &rows, tail).await.expect("written");
    }

    /// Everything of a seller, as a plan wants it: dense series.
    pub async fn whole(self, store: &Store, seller: &Seller) -> Sum {
        let series = match self {
            Self::Packed => read_series(store, seller, None).await,
            Self::Day | Self::Sku => self.read_days(store, seller, None).await,
        };
        Sum::of(&series.into_values().collect::<Vec<_>>())
    }

    /// One SKU over all its channels.
    pub async fn one(self, store: &Store, seller: &Seller, sku: &str) -> Sum {
        let series = match self {
            Self::Packed => read_series(store, seller, Some(sku)).await,
            Self::Day | Self::Sku => self.read_days(store, seller, Some(sku)).await,
        };
        Sum::of(&series.into_values().collect::<Vec<_>>())
    }

    async fn read_days(self, store: &Store, seller: &Seller, sku: Option<&str>) -> Series {
        let mut tx = store.read().await.expect("a transaction");
        let mut series = Series::new();
        if matches!(self, Self::Day | Self::Packed) && sku.is_none() {
            let rows = stored::sales_history(&mut tx, &seller.account, date(0), date(DAYS))
                .await
                .expect("the history");
            for row in rows {
                set(&mut series, (row.fulfilment, row.sku_code), row.day, row.units);
            }
            return series;
        }
        let table = if self == Self::Sku {
            "sales_sku"
        } else {
            "sales_day"
        };
        let rows = match sku {
            None => {
                let text = format!(
                    "SELECT source, fulfilment, sku_code, day, units FROM {table}
                     WHERE account_id = $1 AND day >= $2 AND day <= $3 ORDER BY source, fulfilment, sku_code, day"
                );
                tx.rows(text, args![&seller.account, date(0), date(DAYS)]).await
            }
            Some(sku) => {
                // The channels of a SKU are known from the catalog, so that the key's columns before it are given.
                let text = format!(
                    "SELECT source, fulfilment, sku_code, day, units FROM {table}
                     WHERE account_id = $1 AND source = $2 AND fulfilment IN ('Amazon', 'Merchant') AND sku_code = $3
                       AND day >= $4 AND day <= $5 ORDER BY source, fulfilment, sku_code, day"
                );
                tx.rows(text, args![&seller.account, &source(), sku, date(0), date(DAYS)])
                    .await
            }
        };
        for row in rows.expect("the history") {
            let key = (
                row.get("fulfilment").expect("channel"),
                row.get("sku_code").expect("code"),
            );
            set(
                &mut series,
                key,
                row.get("day").expect("day"),
                row.get("units").expect("units"),
            );
        }
        series
    }

    pub async fn bytes(self, store: &Store) -> i64 {
        let table = match self {
            Self::Day => "sales_day",
            Self::Sku => "sales_sku",
            Self::Packed => "sales_series",
        };
        let mut tx = store.read().await.expect("a transaction");
        let sql = match store.engine() {
            Engine::Sqlite => {
                "SELECT SUM(pgsize) AS bytes FROM dbstat('main', 1)
                 WHERE name = $1 OR name = 'sqlite_autoindex_' || $1 || '_1'"
            }
            Engine::Postgres => "SELECT pg_total_relation_size(($1::TEXT)::REGCLASS) AS bytes",
        };
        tx.row(sql, args![table])
            .await
            .expect("the size")
            .expect("the size")
            .get("bytes")
            .expect("the size")
    }
}

/// Channel and SKU code, and the units of every day.
type Series = BTreeMap<(String, String), Vec<u32>>;
/// Channel, SKU code and year, and the packed units of its days.
type Packed = BTreeMap<(String, String, i64), Vec<u8>>;

fn set(series: &mut Series, key: (String, String), day: NaiveDate, units: i64) {
    let place = usize::try_from((day - date(0)).num_days()).expect("a day of the bench");
    let days = series.entry(key).or_insert_with(|| vec![0; DAYS + 1]);
    days[place] = u32::try_from(units).expect("units");
}

/// Units of the days of a year, each in as many bytes of seven bits as it needs, up to the last day that sold.
fn encode(units: &[u32]) -> Vec<u8> {
    let end = units
        .iter()
        .rposition(|units| *units > 0)
        .map_or(0, |last| last + 1);
    let mut bytes = Vec::with_capacity(end);
    for units in &units[..end] {
        let mut rest = *units;
        while rest > 0x7f {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
    bytes
}

fn decode(bytes: &[u8]) -> Vec<u32> {
    let mut units = Vec::with_capacity(366);
    let (mut value, mut shift) = (0_u32, 0);
    for byte in bytes {
        value |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            units.push(value);
            (value, shift) = (0, 0);
        }
    }
    units
}

fn first_of(year: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(i32::try_from(year).expect("a year"), 1, 1).expect("a date")
}

fn pack(series: &Series) -> Packed {
    let mut packed = Packed::new();
    for ((fulfilment, sku), days) in series {
        let mut years: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for (place, units) in days.iter().enumerate() {
            let day = date(place);
            let year = years.entry(day.year().into()).or_default();
            year.resize(day.ordinal0() as usize, 0);
            year.push(*units);
        }
        for (year, units) in years {
            packed.insert((fulfilment.clone(), sku.clone(), year), encode(&units));
        }
    }
    packed
}

async fn put_series(tx: &mut Tx, seller: &Seller, packed: Packed) {
    let source = source();
    let rows: Vec<Vec<Value>> = packed
        .into_iter()
        .map(|((fulfilment, sku, year), units)| {
            vec![
                Value::from(&seller.account),
                Value::from(&source),
                Value::from(fulfilment),
                Value::from(sku),
                Value::from(year),
                Value::from(units),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO sales_series (account_id, source, fulfilment, sku_code, year, units)",
        &rows,
        "ON CONFLICT (account_id, source, fulfilment, sku_code, year) DO UPDATE SET units = excluded.units",
    )
    .await
    .expect("written");
}

/// Reads the series that changed, changes their days, writes them back.
async fn patch(tx: &mut Tx, seller: &Seller, changes: &[Sale]) {
    let mut touched: BTreeMap<(String, i64), Vec<&Sale>> = BTreeMap::new();
    for change in changes {
        let year = date(change.day).year().into();
        touched
            .entry((seller.sku(change.series), year))
            .or_default()
            .push(change);
    }
    let source = source();
    let mut packed = Packed::new();
    let skus: Vec<&String> = touched.keys().map(|(sku, _)| sku).collect();
    let year = date(DAYS).year();
    for chunk in skus.chunks(IN_LIST) {
        let mut args = vec![
            Value::from(&seller.account),
            Value::from(&source),
            Value::from(year),
        ];
        args.extend(chunk.iter().map(|sku| Value::from(*sku)));
        let places: Vec<String> = (4..4 + chunk.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT fulfilment, sku_code, year, units FROM sales_series
             WHERE account_id = $1 AND source = $2 AND fulfilment IN ('Amazon', 'Merchant') AND year = $3
               AND sku_code IN ({})",
            places.join(",")
        );
        for row in tx.rows(sql, &args).await.expect("the series") {
            packed.insert(
                (
                    row.get("fulfilment").expect("channel"),
                    row.get("sku_code").expect("code"),
                    row.get("year").expect("year"),
                ),
                row.get("units").expect("units"),
            );
        }
    }
    for ((sku, year), changes) in touched {
        let fulfilment = Seller::fulfilment(changes[0].series).to_owned();
        let bytes = packed.entry((fulfilment, sku, year)).or_default();
        let mut units = decode(bytes);
        for change in changes {
            let place = date(change.day).ordinal0() as usize;
            units.resize(units.len().max(place + 1), 0);
            units[place] += u32::try_from(change.units).expect("units");
        }
        *bytes = encode(&units);
    }
    put_series(tx, seller, packed).await;
}

async fn read_series(store: &Store, seller: &Seller, sku: Option<&str>) -> Series {
    let mut tx = store.read().await.expect("a transaction");
    let rows = match sku {
        None => {
            tx.rows(
                "SELECT fulfilment, sku_code, year, units FROM sales_series
                 WHERE account_id = $1 AND year >= $2 ORDER BY source, fulfilment, sku_code, year",
                args![&seller.account, date(0).year()],
            )
            .await
        }
        Some(sku) => {
            tx.rows(
                "SELECT fulfilment, sku_code, year, units FROM sales_series
                 WHERE account_id = $1 AND source = $2 AND fulfilment IN ('Amazon', 'Merchant') AND sku_code = $3
                   AND year >= $4 ORDER BY fulfilment, sku_code, year",
                args![&seller.account, &source(), sku, date(0).year()],
            )
            .await
        }
    };
    let mut series = Series::new();
    for row in rows.expect("the series") {
        let key = (
            row.get("fulfilment").expect("channel"),
            row.get("sku_code").expect("code"),
        );
        let days = series.entry(key).or_insert_with(|| vec![0; DAYS + 1]);
        let year: i64 = row.get("year").expect("year");
        let start = (first_of(year) - date(0)).num_days();
        let bytes: Vec<u8> = row.get("units").expect("units");
        for (ordinal, units) in decode(&bytes).into_iter().enumerate() {
            let place = start + i64::try_from(ordinal).expect("a day");
            if let Some(day) = usize::try_from(place).ok().and_then(|place| days.get_mut(place)) {
                *day = units;
            }
        }
    }
    series
}
