//! How good forecasts were, by day, warehouse and class of demand.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::{StoreError, Tx, Value};
use crate::args;
use crate::ids::{AccountId, PlanId, WarehouseCode};
use crate::planner::history::accuracy::Accuracy;

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    pub made_on: NaiveDate,
    pub warehouse: WarehouseCode,
    pub class: String,
    pub plan: PlanId,
    pub accuracy: Accuracy,
}

/// Keeps what was judged. A day is judged once: another plan of it changes nothing.
///
/// # Errors
/// When the engine refuses.
pub async fn keep(
    tx: &mut Tx,
    account: &AccountId,
    judged: &[Judged],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let rows: Vec<Vec<Value>> = judged
        .iter()
        .map(|row| {
            let score = &row.accuracy;
            vec![
                Value::from(account),
                Value::from(row.made_on),
                Value::from(&row.warehouse),
                Value::from(row.class.as_str()),
                Value::from(&row.plan),
                Value::from(score.lines),
                Value::from(score.left_out),
                Value::from(score.sold),
                Value::from(score.expected),
                Value::from(score.error),
                Value::from(score.loss[0]),
                Value::from(score.loss[1]),
                Value::from(score.loss[2]),
                Value::from(score.covered[0]),
                Value::from(score.covered[1]),
                Value::from(score.covered[2]),
                Value::from(now),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO forecast_accuracy (account_id, made_on, warehouse, class, plan_id, lines, left_out, sold,
             expected, error, loss_900, loss_950, loss_980, covered_900, covered_950, covered_980, judged_at)",
        &rows,
        "ON CONFLICT (account_id, made_on, warehouse, class) DO NOTHING",
    )
    .await
}

/// The days that were judged, from one on.
///
/// # Errors
/// When the engine refuses.
pub async fn judged_days(
    tx: &mut Tx,
    account: &AccountId,
    from: NaiveDate,
) -> Result<Vec<NaiveDate>, StoreError> {
    tx.rows(
        "SELECT DISTINCT made_on FROM forecast_accuracy WHERE account_id = $1 AND made_on >= $2 ORDER BY made_on",
        args![account, from],
    )
    .await?
    .iter()
    .map(|row| row.get("made_on"))
    .collect()
}

/// Everything judged of forecasts made from one day on, oldest first.
///
/// # Errors
/// When the engine refuses.
pub async fn since(tx: &mut Tx, account: &AccountId, from: NaiveDate) -> Result<Vec<Judged>, StoreError> {
    tx.rows(
        "SELECT made_on, warehouse, class, plan_id, lines, left_out, sold, expected, error, loss_900, loss_950,
             loss_980, covered_900, covered_950, covered_980 FROM forecast_accuracy
         WHERE account_id = $1 AND made_on >= $2 ORDER BY made_on, warehouse, class",
        args![account, from],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Judged {
            made_on: row.get("made_on")?,
            warehouse: row.get("warehouse")?,
            class: row.get("class")?,
            plan: row.get("plan_id")?,
            accuracy: Accuracy {
                lines: row.get("lines")?,
                left_out: row.get("left_out")?,
                sold: row.get("sold")?,
                expected: row.get("expected")?,
                error: row.get("error")?,
                loss: [row.get("loss_900")?, row.get("loss_950")?, row.get("loss_980")?],
                covered: [row.get("covered_900")?, row.get("covered_950")?, row.get("covered_980")?],
            },
        })
    })
    .collect()
}
