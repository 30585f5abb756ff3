//! Daily sales as packed series beside the rows of `sales_day`.
//!
//! The rows are the truth: sums, late corrections and checks are SQL on them. Who plans reads the whole history of a
//! seller, and reads it from here, 80 times cheaper (docs/decisions/0006). A series is changed in the transaction that
//! changes its rows; `sales_packed` says of each source whether its series are whole. Those of a database that is older
//! than the series are packed by the first change of the source's days, and read from the rows until then.

mod packed;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate};

use self::packed::{FORM, Packer, merge, place, unpack};
use super::sales::DayChange;
use crate::args;
use crate::ids::{AccountId, SourceId};
use crate::store::{StoreError, Tx, Value};

/// Units of one SKU code in one channel: the civil days that have any, in their order.
///
/// A day that is not among them sold nothing only where [`super::covered_days`] calls it complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesSeries {
    pub source: SourceId,
    pub fulfilment: String,
    pub sku_code: String,
    pub days: Vec<(NaiveDate, i64)>,
}

/// A packed year's place within its source: fulfilment, SKU code, year.
type YearKey = (String, String, i64);

/// Places of an `IN (…)` list per statement.
const IN_LIST: usize = 400;

/// Takes the source's lock before any of its days is changed, and tells whether its series are whole.
pub(super) async fn lock(tx: &mut Tx, account: &AccountId, source: &SourceId) -> Result<bool, StoreError> {
    if let Some(form) = locked_form(tx, account, source).await? {
        return Ok(form == FORM);
    }
    // Of two that make it, one waits here and finds the other's.
    tx.execute(
        "INSERT INTO sales_packed (account_id, source, form) VALUES ($1, $2, 0)
         ON CONFLICT (account_id, source) DO NOTHING",
        args![account, source],
    )
    .await?;
    Ok(locked_form(tx, account, source).await? == Some(FORM))
}

async fn locked_form(tx: &mut Tx, account: &AccountId, source: &SourceId) -> Result<Option<i64>, StoreError> {
    let lock = tx.engine().for_update();
    tx.row(
        format!("SELECT form FROM sales_packed WHERE account_id = $1 AND source = $2{lock}"),
        args![account, source],
    )
    .await?
    .map(|row| row.get("form"))
    .transpose()
}

/// Changes the series as the rows were changed. The series of the source must be whole, and locked.
pub(super) async fn patch(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    change: &DayChange,
) -> Result<(), StoreError> {
    // By SKU: days of the year and what was added.
    type Changes<'a> = BTreeMap<&'a str, Vec<(u32, i64)>>;
    let mut touched: BTreeMap<(&str, i64), Changes<'_>> = BTreeMap::new();
    for ((day, fulfilment, sku_code), units) in change.iter().filter(|(_, units)| **units != 0) {
        let (year, ordinal) = place(*day);
        let skus = touched.entry((fulfilment, year)).or_default();
        skus.entry(sku_code).or_default().push((ordinal, *units));
    }
    let mut rows = Vec::new();
    let mut emptied = Vec::new();
    for ((fulfilment, year), skus) in &touched {
        let codes: Vec<&str> = skus.keys().copied().collect();
        let mut stored = years(tx, account, source, (fulfilment, *year), &codes).await?;
        for (sku_code, changes) in skus {
            let before = stored.remove(*sku_code).unwrap_or_default();
            let packed = merge(*year, &before, changes)
                .map_err(|why| corrupt(source, fulfilment, sku_code, *year, &why))?;
            if packed.is_empty() {
                emptied.push((*fulfilment, *sku_code, *year));
            } else {
                rows.push(row(account, source, (fulfilment, sku_code, *year), packed));
            }
        }
    }
    put(tx, &rows).await?;
    for (fulfilment, sku_code, year) in emptied {
        tx.execute(
            "DELETE FROM sales_series WHERE account_id = $1 AND source = $2 AND fulfilment = $3 AND sku_code = $4
                 AND year = $5",
            args![account, source, fulfilment, sku_code, year],
        )
        .await?;
    }
    Ok(())
}

/// The stored bytes of some SKU codes in one channel and year.
async fn years(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    (fulfilment, year): (&str, i64),
    codes: &[&str],
) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let mut found: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for chunk in codes.chunks(IN_LIST) {
        let mut arguments = args![account, source, fulfilment, year].to_vec();
        let places: Vec<String> = chunk
            .iter()
            .map(|code| {
                arguments.push(Value::from(*code));
                format!("${}", arguments.len())
            })
            .collect();
        let list = places.join(",");
        let rows = tx
            .rows(
                format!(
                    "SELECT sku_code, days FROM sales_series
                     WHERE account_id = $1 AND source = $2 AND fulfilment = $3 AND year = $4 AND sku_code IN ({list})"
                ),
                &arguments,
            )
            .await?;
        for row in rows {
            found.insert(row.get("sku_code")?, row.get("days")?);
        }
    }
    Ok(found)
}

fn corrupt(source: &SourceId, fulfilment: &str, sku_code: &str, year: i64, why: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!(
            "sales series {source} {fulfilment} `{sku_code}` {year} (`linkstar db repack` makes it anew)"
        ),
        why: why.to_owned(),
    }
}

fn row(
    account: &AccountId,
    source: &SourceId,
    (fulfilment, sku_code, year): (&str, &str, i64),
    packed: Vec<u8>,
) -> Vec<Value> {
    args![account, source, fulfilment, sku_code, year, packed].to_vec()
}

async fn put(tx: &mut Tx, rows: &[Vec<Value>]) -> Result<(), StoreError> {
    tx.insert_many(
        "INSERT INTO sales_series (account_id, source, fulfilment, sku_code, year, days)",
        rows,
        "ON CONFLICT (account_id, source, fulfilment, sku_code, year) DO UPDATE SET days = excluded.days",
    )
    .await?;
    Ok(())
}

/// Packs the rows of a source anew, whatever its series say, and calls them whole. Returns how many years there are.
///
/// # Errors
/// When the engine refuses.
pub async fn repack(tx: &mut Tx, account: &AccountId, source: &SourceId) -> Result<usize, StoreError> {
    lock(tx, account, source).await?;
    pack_locked(tx, account, source).await
}

pub(super) async fn pack_locked(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
) -> Result<usize, StoreError> {
    let packed = from_rows(tx, account.as_str(), source.as_str()).await?;
    tx.execute(
        "DELETE FROM sales_series WHERE account_id = $1 AND source = $2",
        args![account, source],
    )
    .await?;
    let rows: Vec<Vec<Value>> = packed
        .into_iter()
        .map(|((fulfilment, sku_code, year), bytes)| {
            row(account, source, (&fulfilment, &sku_code, year), bytes)
        })
        .collect();
    put(tx, &rows).await?;
    tx.execute_exactly(
        1,
        "UPDATE sales_packed SET form = $3 WHERE account_id = $1 AND source = $2",
        args![account, source, FORM],
    )
    .await?;
    Ok(rows.len())
}

/// The rows of a source, packed as they come.
async fn from_rows(
    tx: &mut Tx,
    account: &str,
    source: &str,
) -> Result<BTreeMap<YearKey, Vec<u8>>, StoreError> {
    let mut packers: BTreeMap<YearKey, Packer> = BTreeMap::new();
    tx.each(
        "SELECT day, fulfilment, sku_code, units FROM sales_day WHERE account_id = $1 AND source = $2 ORDER BY day",
        args![account, source],
        |row| {
            let day: NaiveDate = row.get("day")?;
            let (year, ordinal) = place(day);
            let key = (row.get("fulfilment")?, row.get("sku_code")?, year);
            if packers.entry(key).or_default().push(ordinal, row.get("units")?) {
                Ok(())
            } else {
                Err(row.bad("day", &format!("{day} does not come in its order")))
            }
        },
    )
    .await?;
    Ok(packers
        .into_iter()
        .map(|(key, packer)| (key, packer.bytes()))
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect())
}

/// The series of an account with the days from `from` to `to`, both included; series without any such day are left
/// out. By source, fulfilment and SKU code.
///
/// # Errors
/// When the engine refuses, or a series cannot be read.
pub async fn sales_history(
    tx: &mut Tx,
    account: &AccountId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<SalesSeries>, StoreError> {
    let mut series: BTreeMap<(SourceId, String, String), Vec<(NaiveDate, i64)>> = BTreeMap::new();
    let within = from..=to;
    let unpacked: BTreeSet<SourceId> = tx
        .rows(
            "SELECT source FROM sales_packed WHERE account_id = $1 AND form <> $2",
            args![account, FORM],
        )
        .await?
        .iter()
        .map(|row| row.get("source"))
        .collect::<Result<_, _>>()?;
    tx.each(
        "SELECT source, fulfilment, sku_code, year, days FROM sales_series
         WHERE account_id = $1 AND year >= $2 AND year <= $3 ORDER BY source, fulfilment, sku_code, year",
        args![account, from.year(), to.year()],
        |row| {
            let source: SourceId = row.get("source")?;
            if unpacked.contains(&source) {
                return Ok(());
            }
            let (fulfilment, sku_code): (String, String) = (row.get("fulfilment")?, row.get("sku_code")?);
            let year: i64 = row.get("year")?;
            let days = unpack(year, &row.get::<Vec<u8>>("days")?)
                .map_err(|why| corrupt(&source, &fulfilment, &sku_code, year, &why))?;
            let wanted = days.into_iter().filter(|(day, _)| within.contains(day));
            series
                .entry((source, fulfilment, sku_code))
                .or_default()
                .extend(wanted);
            Ok(())
        },
    )
    .await?;
    for source in unpacked {
        for ((fulfilment, sku_code, year), bytes) in from_rows(tx, account.as_str(), source.as_str()).await? {
            let days =
                unpack(year, &bytes).map_err(|why| corrupt(&source, &fulfilment, &sku_code, year, &why))?;
            let wanted = days.into_iter().filter(|(day, _)| within.contains(day));
            series
                .entry((source.clone(), fulfilment, sku_code))
                .or_default()
                .extend(wanted);
        }
    }
    Ok(series
        .into_iter()
        .filter(|(_, days)| !days.is_empty())
        .map(|((source, fulfilment, sku_code), days)| SalesSeries {
            source,
            fulfilment,
            sku_code,
            days,
        })
        .collect())
}

/// How the series of a source compare with its rows, packed anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Packed years that were compared.
    pub years: u64,
    pub differences: Vec<String>,
}

/// Packs the rows of a source anew and compares. A source whose series are not packed yet has nothing to compare.
///
/// # Errors
/// When the engine refuses.
pub async fn compare(tx: &mut Tx, account: &str, source: &str) -> Result<Compared, StoreError> {
    let form: Option<i64> = tx
        .row(
            "SELECT form FROM sales_packed WHERE account_id = $1 AND source = $2",
            args![account, source],
        )
        .await?
        .map(|row| row.get("form"))
        .transpose()?;
    if form.is_some_and(|form| form != FORM) {
        return Ok(Compared::default());
    }
    let mut compared = Compared::default();
    let mut left = from_rows(tx, account, source).await?;
    tx.each(
        "SELECT fulfilment, sku_code, year, days FROM sales_series WHERE account_id = $1 AND source = $2
         ORDER BY fulfilment, sku_code, year",
        args![account, source],
        |row| {
            let key: YearKey = (row.get("fulfilment")?, row.get("sku_code")?, row.get("year")?);
            let stored: Vec<u8> = row.get("days")?;
            let anew = left.remove(&key).unwrap_or_default();
            compared.years += 1;
            if stored != anew {
                compared
                    .differences
                    .push(difference(account, source, &key, &stored, &anew));
            }
            Ok(())
        },
    )
    .await?;
    for (key, anew) in left {
        compared.years += 1;
        compared
            .differences
            .push(difference(account, source, &key, &[], &anew));
    }
    Ok(compared)
}

/// The first day on which they differ.
fn difference(account: &str, source: &str, key: &YearKey, stored: &[u8], anew: &[u8]) -> String {
    let (fulfilment, sku_code, year) = key;
    let place = format!("{account}: {source} {fulfilment} `{sku_code}` {year}");
    let (stored, anew) = match (unpack(*year, stored), unpack(*year, anew)) {
        (Ok(stored), Ok(anew)) => (stored, anew),
        (Err(why), _) | (_, Err(why)) => return format!("{place}: the series cannot be read: {why}"),
    };
    let (stored, anew): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (stored.into_iter().collect(), anew.into_iter().collect());
    let days: BTreeSet<&NaiveDate> = stored.keys().chain(anew.keys()).collect();
    let units = |days: &BTreeMap<NaiveDate, i64>, day: &NaiveDate| days.get(day).copied().unwrap_or(0);
    match days.into_iter().find(|day| stored.get(*day) != anew.get(*day)) {
        Some(day) => format!(
            "{place}: {} units in the series on {day}, {} in the sales days",
            units(&stored, day),
            units(&anew, day)
        ),
        None => format!("{place}: the series says the same in other bytes"),
    }
}
