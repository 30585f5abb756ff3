//! Order lines and the sales days derived from them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{DayCoverage, series};
use crate::args;
use crate::calendar::civil_day;
use crate::ids::{AccountId, SourceId};
use crate::ledger::{OrderLineFact, OrderLineState};
use crate::planner::history::large;
use crate::store::value::Repeated;
use crate::store::{StoreError, Tx, Value};

/// Lines that are made into rows at a time: a row takes more memory than its line.
const LINES_AT_ONCE: usize = 2_000;
/// Places of an `IN (…)` list per statement.
const IN_LIST: usize = 400;

fn state_code(state: OrderLineState) -> &'static str {
    match state {
        OrderLineState::Pending => "pending",
        OrderLineState::Unshipped => "unshipped",
        OrderLineState::Shipped => "shipped",
        OrderLineState::Cancelled => "cancelled",
    }
}

fn places(from: usize, count: usize) -> String {
    (from..from + count)
        .map(|place| format!("${place}"))
        .collect::<Vec<_>>()
        .join(",")
}

/// Takes the lines of whole orders. An order that is not older than what is stored replaces its stored lines, so
/// that pulling a window twice changes nothing and a late cancellation reduces the day the order was placed on.
/// The sales days change with them. Returns the number of orders written.
///
/// # Errors
/// When the engine refuses.
pub async fn merge_order_lines(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    zone: Tz,
    lines: &[OrderLineFact],
) -> Result<u64, StoreError> {
    let mut orders: BTreeMap<&str, Vec<&OrderLineFact>> = BTreeMap::new();
    for line in lines {
        orders.entry(&line.order_id).or_default().push(line);
    }
    let whole = series::lock(tx, account, source).await?;
    let stored = stored_orders(tx, account, source, &orders).await?;
    let mut change = DayChange::new();
    let mut demand: BTreeMap<(NaiveDate, &str, &str), i64> = BTreeMap::new();
    let mut replaced = Vec::new();
    let mut taken: Vec<(NaiveDate, &OrderLineFact)> = Vec::with_capacity(lines.len());
    let mut written = 0;
    for (order_id, lines) in orders {
        let newest = lines.iter().map(|line| line.updated_at).max();
        if let Some(known) = stored.get(order_id) {
            if Some(known.updated_at) > newest {
                continue;
            }
            for (key, units) in &known.demand {
                *change.entry(key.clone()).or_insert(0) -= units;
            }
            replaced.push(order_id);
        }
        written += 1;
        for line in lines {
            let day = civil_day(line.ordered_at, zone);
            if line.state.is_demand() {
                let key = (day, line.fulfilment.as_str(), line.sku_code.as_str());
                *demand.entry(key).or_insert(0) += line.units;
            }
            taken.push((day, line));
        }
    }
    for ((day, fulfilment, sku_code), units) in demand {
        let key = (day, fulfilment.to_owned(), sku_code.to_owned());
        *change.entry(key).or_insert(0) += units;
    }
    for chunk in replaced.chunks(IN_LIST) {
        let mut args = vec![Value::from(account), Value::from(source)];
        args.extend(chunk.iter().map(|id| Value::from(*id)));
        let list = places(3, chunk.len());
        tx.execute(
            format!("DELETE FROM order_line WHERE account_id = $1 AND source = $2 AND order_id IN ({list})"),
            &args,
        )
        .await?;
    }
    insert_lines(tx, account, source, &taken).await?;
    change_locked(tx, account, source, &change, whole).await?;
    Ok(written)
}

async fn insert_lines(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    lines: &[(NaiveDate, &OrderLineFact)],
) -> Result<(), StoreError> {
    let (account_value, source_value) = (Value::from(account), Value::from(source));
    let (mut marketplace, mut fulfilment) = (Repeated::default(), Repeated::default());
    let mut state = Repeated::default();
    for part in lines.chunks(LINES_AT_ONCE) {
        let rows: Vec<Vec<Value>> = part
            .iter()
            .map(|(day, line)| {
                vec![
                    account_value.clone(),
                    source_value.clone(),
                    (&line.order_id).into(),
                    (&line.key).into(),
                    (&line.sku_code).into(),
                    marketplace.value(&line.marketplace),
                    fulfilment.value(&line.fulfilment),
                    line.ordered_at.into(),
                    line.updated_at.into(),
                    (*day).into(),
                    state.value(state_code(line.state)),
                    line.units.into(),
                    line.replacement.into(),
                ]
            })
            .collect();
        tx.insert_many(
            "INSERT INTO order_line (account_id, source, order_id, fact_key, sku_code, marketplace, fulfilment,
                 ordered_at, updated_at, day, state, units, replacement)",
            &rows,
            "",
        )
        .await?;
    }
    Ok(())
}

/// Units per day, fulfilment and SKU code that come on top of what the days say.
pub type DayChange = BTreeMap<(NaiveDate, String, String), i64>;

struct StoredOrder {
    updated_at: DateTime<Utc>,
    /// What the order counts for now.
    demand: DayChange,
}

async fn stored_orders(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    orders: &BTreeMap<&str, Vec<&OrderLineFact>>,
) -> Result<BTreeMap<String, StoredOrder>, StoreError> {
    let mut stored: BTreeMap<String, StoredOrder> = BTreeMap::new();
    let ids: Vec<&str> = orders.keys().copied().collect();
    for chunk in ids.chunks(IN_LIST) {
        let mut args = vec![Value::from(account), Value::from(source)];
        args.extend(chunk.iter().map(|id| Value::from(*id)));
        let list = places(3, chunk.len());
        let rows = tx
            .rows(
                format!(
                    "SELECT order_id, updated_at, day, fulfilment, sku_code, units, state FROM order_line
                     WHERE account_id = $1 AND source = $2 AND order_id IN ({list})"
                ),
                &args,
            )
            .await?;
        for row in rows {
            let updated_at = row.get("updated_at")?;
            let entry = stored.entry(row.get("order_id")?).or_insert_with(|| StoredOrder {
                updated_at,
                demand: DayChange::new(),
            });
            entry.updated_at = entry.updated_at.max(updated_at);
            if row.get::<String>("state")? != state_code(OrderLineState::Cancelled) {
                let key = (row.get("day")?, row.get("fulfilment")?, row.get("sku_code")?);
                *entry.demand.entry(key).or_insert(0) += row.get::<i64>("units")?;
            }
        }
    }
    Ok(stored)
}

/// Changes sales days, and their series with them. [`merge_order_lines`] does so with what its orders come to; a history
/// that has no orders may come this way.
///
/// # Errors
/// When the engine refuses.
pub async fn change_days(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    change: &DayChange,
) -> Result<(), StoreError> {
    let whole = series::lock(tx, account, source).await?;
    change_locked(tx, account, source, change, whole).await
}

/// Days are changed by what was added and taken away: summing whole days anew for every page made a long history cost
/// its square.
async fn change_locked(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    change: &DayChange,
    whole: bool,
) -> Result<(), StoreError> {
    change_rows(tx, account, source, change).await?;
    if whole {
        series::patch(tx, account, source, change).await
    } else {
        series::pack_locked(tx, account, source).await.map(drop)
    }
}

async fn change_rows(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    change: &DayChange,
) -> Result<(), StoreError> {
    let (account_value, source_value) = (Value::from(account), Value::from(source));
    // By day, so that its text is made once.
    let (mut of_day, mut day_value) = (None, Value::from(""));
    let mut channel = Repeated::default();
    let rows: Vec<Vec<Value>> = change
        .iter()
        .filter(|(_, units)| **units != 0)
        .map(|((day, fulfilment, sku_code), units)| {
            if of_day != Some(*day) {
                (of_day, day_value) = (Some(*day), (*day).into());
            }
            vec![
                account_value.clone(),
                source_value.clone(),
                day_value.clone(),
                channel.value(fulfilment),
                sku_code.into(),
                (*units).into(),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO sales_day (account_id, source, day, fulfilment, sku_code, units)",
        &rows,
        "ON CONFLICT (account_id, source, day, fulfilment, sku_code)
             DO UPDATE SET units = sales_day.units + excluded.units",
    )
    .await?;
    // What was all cancelled leaves no row, as if it had never been seen.
    let less: BTreeSet<NaiveDate> = change
        .iter()
        .filter(|(_, units)| **units < 0)
        .map(|((day, ..), _)| *day)
        .collect();
    let less: Vec<NaiveDate> = less.into_iter().collect();
    for chunk in less.chunks(IN_LIST) {
        let mut args = vec![Value::from(account), Value::from(source)];
        args.extend(chunk.iter().map(|day| Value::from(*day)));
        let list = places(3, chunk.len());
        tx.execute(
            format!(
                "DELETE FROM sales_day WHERE account_id = $1 AND source = $2 AND day IN ({list}) AND units = 0"
            ),
            &args,
        )
        .await?;
    }
    Ok(())
}

/// Says how far a stream of a source has answered for each of these days. A complete day never becomes partial again: later
/// pulls only add late changes to it.
///
/// # Errors
/// When the engine refuses.
pub async fn mark_covered(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    stream: &str,
    days: &BTreeMap<NaiveDate, DayCoverage>,
) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = days
        .iter()
        .map(|(day, coverage)| {
            let state = match coverage {
                DayCoverage::Complete => "complete",
                DayCoverage::Partial => "partial",
            };
            vec![
                account.into(),
                source.into(),
                (*day).into(),
                stream.into(),
                state.into(),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO source_day (account_id, source, day, stream, state)",
        &rows,
        "ON CONFLICT (account_id, source, day) DO UPDATE SET
             state = CASE WHEN source_day.state = 'complete' THEN 'complete' ELSE excluded.state END",
    )
    .await?;
    Ok(())
}

/// The days the source has answered for, both ends included. Days that are not in the map are gaps.
///
/// # Errors
/// When the engine refuses.
pub async fn covered_days(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<BTreeMap<NaiveDate, DayCoverage>, StoreError> {
    tx.rows(
        "SELECT day, state FROM source_day
         WHERE account_id = $1 AND source = $2 AND day >= $3 AND day <= $4 ORDER BY day",
        args![account, source, from, to],
    )
    .await?
    .iter()
    .map(|row| {
        let coverage = match row.get::<String>("state")?.as_str() {
            "complete" => DayCoverage::Complete,
            _ => DayCoverage::Partial,
        };
        Ok((row.get("day")?, coverage))
    })
    .collect()
}

/// An order line of many units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeLine {
    pub source: SourceId,
    pub fulfilment: String,
    pub sku_code: String,
    pub day: NaiveDate,
    pub units: i64,
}

/// Order lines of at least [`large::LEAST_UNITS`] units that are demand, both ends included. By source, fulfilment, SKU
/// code, day and units.
///
/// # Errors
/// When the engine refuses.
pub async fn large_lines(
    tx: &mut Tx,
    account: &AccountId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<LargeLine>, StoreError> {
    // The number of units is written out: an index of such lines alone is used only where the engine reads it.
    const { assert!(large::LEAST_UNITS == 20) };
    tx.rows(
        "SELECT source, fulfilment, sku_code, day, units FROM order_line
         WHERE account_id = $1 AND day >= $2 AND day <= $3 AND units >= 20 AND state <> 'cancelled'
         ORDER BY source, fulfilment, sku_code, day, units",
        args![account, from, to],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(LargeLine {
            source: row.get("source")?,
            fulfilment: row.get("fulfilment")?,
            sku_code: row.get("sku_code")?,
            day: row.get("day")?,
            units: row.get("units")?,
        })
    })
    .collect()
}
