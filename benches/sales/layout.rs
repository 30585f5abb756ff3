//! The two layouts, each with its load, its night and its reads.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use linkstar::args;
use linkstar::ids::SourceId;
use linkstar::store::dialect::Engine;
use linkstar::store::facts::{self as stored, DayChange};
use linkstar::store::{Row, Store, Tx, Value};

use super::facts::{DAYS, Sale, Seller, Sum, date};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One row a day and nothing else: `sales_day` under another name.
    Rows,
    /// The product: `sales_day`, and the packed series that are written with it.
    Series,
}

/// Days loaded in one transaction, as the pull of a report's window brings them.
const DAYS_OF_A_LOAD: usize = 30;

/// How rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// All at once, as a plan did before there were series.
    AtOnce,
    /// As they come.
    Stream,
    /// The product's read.
    Series,
}

pub async fn create(store: &Store) {
    let (integer, tail) = match store.engine() {
        Engine::Sqlite => ("INTEGER", " STRICT"),
        Engine::Postgres => ("BIGINT", ""),
    };
    let mut tx = store.write().await.expect("a transaction");
    tx.execute(
        format!(
            "CREATE TABLE sales_rows (account_id TEXT NOT NULL, source TEXT NOT NULL, day TEXT NOT NULL,
                 fulfilment TEXT NOT NULL, sku_code TEXT NOT NULL, units {integer} NOT NULL,
                 PRIMARY KEY (account_id, source, day, fulfilment, sku_code)){tail}"
        ),
        args![],
    )
    .await
    .expect("a table");
    tx.commit().await.expect("a table");
}

fn source() -> SourceId {
    SourceId::new("amazon-uk").expect("a source")
}

impl Layout {
    pub const ALL: [Self; 2] = [Self::Rows, Self::Series];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Series => "series",
        }
    }

    /// The whole history, window after window as the pulls bring it.
    pub async fn load(self, store: &Store, seller: &Seller) -> usize {
        let mut rows = 0;
        for first in (0..DAYS).step_by(DAYS_OF_A_LOAD) {
            let sales: Vec<Sale> = (first..(first + DAYS_OF_A_LOAD).min(DAYS))
                .flat_map(|day| seller.day(day))
                .collect();
            rows += sales.len();
            self.change(store, seller, &sales).await;
        }
        rows
    }

    /// A new day and late corrections, in one transaction.
    pub async fn night(self, store: &Store, seller: &Seller) -> usize {
        let changes = seller.night();
        self.change(store, seller, &changes).await;
        changes.len()
    }

    async fn change(self, store: &Store, seller: &Seller, sales: &[Sale]) {
        let mut tx = store.write().await.expect("a transaction");
        match self {
            Self::Rows => upsert(&mut tx, seller, sales).await,
            Self::Series => {
                let mut change = DayChange::new();
                for sale in sales {
                    let fulfilment = Seller::fulfilment(sale.series).to_owned();
                    let key = (date(sale.day), fulfilment, seller.sku(sale.series));
                    *change.entry(key).or_insert(0) += sale.units;
                }
                stored::change_days(&mut tx, &seller.account, &source(), &change)
                    .await
                    .expect("written");
            }
        }
        tx.commit().await.expect("committed");
    }

    pub fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Rows => &["sales_rows"],
            Self::Series => &["sales_day", "sales_series"],
        }
    }
}

/// The product's own statement, on the table of the bench.
async fn upsert(tx: &mut Tx, seller: &Seller, sales: &[Sale]) {
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
    tx.insert_many(
        "INSERT INTO sales_rows (account_id, source, day, fulfilment, sku_code, units)",
        &rows,
        "ON CONFLICT (account_id, source, day, fulfilment, sku_code)
             DO UPDATE SET units = sales_rows.units + excluded.units",
    )
    .await
    .expect("written");
}

const ALL_ROWS: &str = "SELECT source, fulfilment, sku_code, day, units FROM sales_rows
     WHERE account_id = $1 AND day >= $2 AND day <= $3 ORDER BY source, fulfilment, sku_code, day";

/// The whole history by `COPY` into an empty table, in the same windows: what the product's way of loading is measured
/// against. Needs a connection of its own.
pub async fn copy_in(url: &str, sellers: &[Seller]) -> usize {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(url).await.expect("PostgreSQL");
    let raw = |text: &'static str| sqlx::raw_sql(text);
    raw("CREATE TABLE sales_copied (LIKE sales_rows INCLUDING ALL)")
        .execute(&mut connection)
        .await
        .expect("a table");
    let mut rows = 0;
    for seller in sellers {
        for first in (0..DAYS).step_by(DAYS_OF_A_LOAD) {
            let mut text = String::new();
            for sale in (first..(first + DAYS_OF_A_LOAD).min(DAYS)).flat_map(|day| seller.day(day)) {
                use std::fmt::Write as _;
                writeln!(
                    text,
                    "{}\tamazon-uk\t{}\t{}\t{}\t{}",
                    seller.account.as_str(),
                    date(sale.day),
                    Seller::fulfilment(sale.series),
                    seller.sku(sale.series),
                    sale.units
                )
                .expect("text");
                rows += 1;
            }
            let mut copy = connection
                .copy_in_raw("COPY sales_copied FROM STDIN")
                .await
                .expect("taken");
            copy.send(text.as_bytes()).await.expect("sent");
            copy.finish().await.expect("loaded");
        }
    }
    // Open, so that the server's account of it is there to be read.
    std::mem::forget(connection);
    rows
}

/// Everything of a seller, as a plan wants it: dense series.
pub async fn whole(read: Read, store: &Store, seller: &Seller) -> Sum {
    let mut tx = store.read().await.expect("a transaction");
    let mut series = Dense::new();
    let places = args![&seller.account, date(0), date(DAYS)];
    match read {
        Read::AtOnce => {
            for row in tx.rows(ALL_ROWS, places).await.expect("the history") {
                take(&mut series, &row);
            }
        }
        Read::Stream => {
            tx.each(ALL_ROWS, places, |row| {
                take(&mut series, row);
                Ok(())
            })
            .await
            .expect("the history");
        }
        Read::Series => {
            let stored = stored::sales_history(&mut tx, &seller.account, date(0), date(DAYS))
                .await
                .expect("the history");
            for one in stored {
                let key = (one.fulfilment, one.sku_code);
                let days = series.entry(key).or_insert_with(|| vec![0; DAYS + 1]);
                for (day, units) in one.days {
                    set(days, day, units);
                }
            }
        }
    }
    Sum::of(&series.into_values().collect::<Vec<_>>())
}

/// Packs the rows of a seller anew and compares, as `db check` does; gives the number of years.
pub async fn check(store: &Store, seller: &Seller) -> u64 {
    let mut tx = store.read().await.expect("a transaction");
    let compared = stored::compare(&mut tx, seller.account.as_str(), source().as_str())
        .await
        .expect("compared");
    assert_eq!(compared.differences, Vec::<String>::new());
    compared.years
}

/// Channel and SKU code, and the units of every day.
type Dense = BTreeMap<(String, String), Vec<u32>>;

fn take(series: &mut Dense, row: &Row) {
    let key = (
        row.get("fulfilment").expect("channel"),
        row.get("sku_code").expect("code"),
    );
    let days = series.entry(key).or_insert_with(|| vec![0; DAYS + 1]);
    set(
        days,
        row.get("day").expect("day"),
        row.get("units").expect("units"),
    );
}

fn set(days: &mut [u32], day: NaiveDate, units: i64) {
    let place = usize::try_from((day - date(0)).num_days()).expect("a day of the bench");
    days[place] = u32::try_from(units).expect("units");
}

pub async fn bytes(store: &Store, table: &str) -> i64 {
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
