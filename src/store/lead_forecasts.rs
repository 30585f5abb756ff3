//! What was expected of an order's way, and what came.

use chrono::NaiveDate;

use super::{StoreError, Tx, Value};
use crate::args;
use crate::ids::{AccountId, WarehouseCode};

/// One order's expected days, and the day its goods could be sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadForecast {
    pub reference: String,
    pub warehouse: WarehouseCode,
    /// `order::Mode::code`
    pub mode: String,
    pub made_on: NaiveDate,
    pub p50: NaiveDate,
    pub p90: NaiveDate,
    pub arrived: Option<NaiveDate>,
}

/// Records expectations; the first one of an order stands.
///
/// # Errors
/// When the engine refuses.
pub async fn expect(tx: &mut Tx, account: &AccountId, made: &[LeadForecast]) -> Result<u64, StoreError> {
    let rows: Vec<Vec<Value>> = made
        .iter()
        .map(|forecast| {
            vec![
                Value::from(account),
                Value::from(forecast.reference.as_str()),
                Value::from(&forecast.warehouse),
                Value::from(forecast.mode.as_str()),
                Value::from(forecast.made_on),
                Value::from(forecast.p50),
                Value::from(forecast.p90),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO lead_time_forecast (account_id, reference, warehouse, mode, made_on, p50_day, p90_day)",
        &rows,
        "ON CONFLICT (account_id, reference) DO NOTHING",
    )
    .await
}

/// The day the first goods of an order could be sold; the first one told stands.
///
/// # Errors
/// When the engine refuses.
pub async fn arrived(
    tx: &mut Tx,
    account: &AccountId,
    reference: &str,
    day: NaiveDate,
) -> Result<u64, StoreError> {
    tx.execute(
        "UPDATE lead_time_forecast SET arrived_on = $3
         WHERE account_id = $1 AND reference = $2 AND arrived_on IS NULL",
        args![account, reference, day],
    )
    .await
}

/// Everything expected, in a fixed order.
///
/// # Errors
/// When the engine refuses.
pub async fn all(tx: &mut Tx, account: &AccountId) -> Result<Vec<LeadForecast>, StoreError> {
    tx.rows(
        "SELECT reference, warehouse, mode, made_on, p50_day, p90_day, arrived_on FROM lead_time_forecast
         WHERE account_id = $1 ORDER BY reference",
        args![account],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(LeadForecast {
            reference: row.get("reference")?,
            warehouse: row.get("warehouse")?,
            mode: row.get("mode")?,
            made_on: row.get("made_on")?,
            p50: row.get("p50_day")?,
            p90: row.get("p90_day")?,
            arrived: row.get("arrived_on")?,
        })
    })
    .collect()
}
