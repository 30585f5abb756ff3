//! The ledger of decisions and what they attained, by segment.

use chrono::NaiveDate;

use super::row::Row;
use super::{StoreError, Tx, Value};
use crate::args;
use crate::ids::{AccountId, WarehouseCode};
use crate::order::Mode;
use crate::planner::calibration::{Decision, Outcome};
use crate::planner::{Calibration, SalesClass};

/// Where every segment stands, in a fixed order.
///
/// # Errors
/// When the engine refuses.
pub async fn states(tx: &mut Tx, account: &AccountId) -> Result<Vec<Calibration>, StoreError> {
    let rows = tx
        .rows(
            "SELECT warehouse, mode, class, target_permille, shift_ppm, outcomes, days, read_ppm, attained_ppm
             FROM calibration WHERE account_id = $1 ORDER BY warehouse, mode, class, target_permille",
            args![account],
        )
        .await?;
    let mut states = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some((mode, class)) = segment(row)? else {
            continue;
        };
        states.push(Calibration {
            warehouse: row.get("warehouse")?,
            mode,
            class,
            target_permille: small(row.get("target_permille")?),
            shift_ppm: row.get("shift_ppm")?,
            outcomes: row.get("outcomes")?,
            days: row.get("days")?,
            read_ppm: row.get("read_ppm")?,
            attained_ppm: row.get("attained_ppm")?,
        });
    }
    states.sort();
    Ok(states)
}

/// A mode or class that this program does not know any more is no segment of its plans.
fn segment(row: &Row) -> Result<Option<(Mode, SalesClass)>, StoreError> {
    let (mode, class): (String, String) = (row.get("mode")?, row.get("class")?);
    Ok(Mode::parse(&mode).zip(SalesClass::from_code(&class)))
}

fn small(permille: i64) -> u16 {
    u16::try_from(permille).unwrap_or(0)
}

/// Decisions whose interval has passed and that nobody judged yet.
///
/// # Errors
/// When the engine refuses.
pub async fn due(tx: &mut Tx, account: &AccountId, today: NaiveDate) -> Result<Vec<Decision>, StoreError> {
    let rows = tx
        .rows(
            "SELECT as_of, warehouse, sku, mode, class, target_permille, read_permille, position, mean,
                    rate_milli, days
             FROM calibration_decision WHERE account_id = $1 AND due <= $2 AND judged_on IS NULL
             ORDER BY as_of, warehouse, sku",
            args![account, today],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let days: String = row.get("days")?;
        let (Some((mode, class)), Ok(days)) = (segment(row)?, serde_json::from_str(&days)) else {
            continue;
        };
        found.push(Decision {
            as_of: row.get("as_of")?,
            warehouse: row.get("warehouse")?,
            sku: row.get("sku")?,
            mode,
            class,
            target_permille: small(row.get("target_permille")?),
            read_permille: small(row.get("read_permille")?),
            position: row.get("position")?,
            mean: row.get("mean")?,
            rate_milli: row.get("rate_milli")?,
            days,
        });
    }
    Ok(found)
}

/// The last day of which decisions were written down.
///
/// # Errors
/// When the engine refuses.
pub async fn last_recorded(tx: &mut Tx, account: &AccountId) -> Result<Option<NaiveDate>, StoreError> {
    let rows = tx
        .rows(
            "SELECT as_of FROM calibration_decision WHERE account_id = $1 ORDER BY as_of DESC LIMIT 1",
            args![account],
        )
        .await?;
    rows.first().map(|row| row.get("as_of")).transpose()
}

/// Writes down what a plan decided; a plan made again on the same day replaces what the earlier one decided.
///
/// # Errors
/// When the engine refuses.
pub async fn record(tx: &mut Tx, account: &AccountId, decisions: &[Decision]) -> Result<u64, StoreError> {
    let rows: Vec<Vec<Value>> = decisions
        .iter()
        .map(|decision| {
            vec![
                Value::from(account),
                Value::from(decision.as_of),
                Value::from(&decision.warehouse),
                Value::from(&decision.sku),
                Value::from(decision.mode.code()),
                Value::from(decision.class.code()),
                Value::from(i64::from(decision.target_permille)),
                Value::from(i64::from(decision.read_permille)),
                Value::from(decision.position),
                Value::from(decision.mean),
                Value::from(decision.rate_milli),
                Value::from(serde_json::json!(decision.days).to_string()),
                Value::from(decision.due()),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO calibration_decision (account_id, as_of, warehouse, sku, mode, class, target_permille,
             read_permille, position, mean, rate_milli, days, due)",
        &rows,
        "ON CONFLICT (account_id, as_of, warehouse, sku) DO UPDATE SET mode = excluded.mode, class = excluded.class,
             target_permille = excluded.target_permille, read_permille = excluded.read_permille,
             position = excluded.position, mean = excluded.mean, rate_milli = excluded.rate_milli, days = excluded.days, due = excluded.due",
    )
    .await
}

/// Keeps what was judged on a day, and where the segments stand after it.
///
/// # Errors
/// When the engine refuses.
pub async fn keep(
    tx: &mut Tx,
    account: &AccountId,
    today: NaiveDate,
    judged: &[(Decision, Option<Outcome>)],
    states: &[Calibration],
) -> Result<(), StoreError> {
    for (decision, outcome) in judged {
        tx.execute(
            "UPDATE calibration_decision SET judged_on = $5, covered_ppm = $6, wanted = $7
             WHERE account_id = $1 AND as_of = $2 AND warehouse = $3 AND sku = $4",
            args![
                account,
                decision.as_of,
                &decision.warehouse,
                &decision.sku,
                today,
                outcome.map(|outcome| outcome.covered_ppm),
                outcome.map(|outcome| outcome.wanted)
            ],
        )
        .await?;
    }
    let rows: Vec<Vec<Value>> = states
        .iter()
        .map(|state| {
            vec![
                Value::from(account),
                Value::from(&state.warehouse),
                Value::from(state.mode.code()),
                Value::from(state.class.code()),
                Value::from(i64::from(state.target_permille)),
                Value::from(state.shift_ppm),
                Value::from(state.outcomes),
                Value::from(state.days),
                Value::from(state.read_ppm),
                Value::from(state.attained_ppm),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO calibration (account_id, warehouse, mode, class, target_permille, shift_ppm, outcomes, days,
             read_ppm, attained_ppm)",
        &rows,
        "ON CONFLICT (account_id, warehouse, mode, class, target_permille) DO UPDATE SET shift_ppm = excluded.shift_ppm,
             outcomes = excluded.outcomes, days = excluded.days, read_ppm = excluded.read_ppm,
             attained_ppm = excluded.attained_ppm",
    )
    .await?;
    Ok(())
}

/// How good the forecasts behind judged decisions were, by warehouse and how often items sell.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Accuracy {
    pub warehouse: WarehouseCode,
    pub class: String,
    pub decisions: i64,
    /// Mean share covered, in millionths.
    pub covered_ppm: i64,
    pub expected: i64,
    pub wanted: i64,
    /// Sum of |wanted − expected|.
    pub error: i64,
}

/// Of decisions judged since a day.
///
/// # Errors
/// When the engine refuses.
pub async fn accuracy(
    tx: &mut Tx,
    account: &AccountId,
    since: NaiveDate,
) -> Result<Vec<Accuracy>, StoreError> {
    tx.rows(
        "SELECT warehouse, class, COUNT(*) AS decisions, CAST(SUM(covered_ppm) AS BIGINT) AS covered,
             CAST(SUM(mean) AS BIGINT) AS expected, CAST(SUM(wanted) AS BIGINT) AS wanted,
             CAST(SUM(ABS(wanted - mean)) AS BIGINT) AS error
         FROM calibration_decision
         WHERE account_id = $1 AND judged_on >= $2 AND covered_ppm IS NOT NULL
         GROUP BY warehouse, class ORDER BY warehouse, class",
        args![account, since],
    )
    .await?
    .iter()
    .map(|row| {
        let (decisions, covered): (i64, i64) = (row.get("decisions")?, row.get("covered")?);
        Ok(Accuracy {
            warehouse: row.get("warehouse")?,
            class: row.get("class")?,
            decisions,
            covered_ppm: covered / decisions.max(1),
            expected: row.get("expected")?,
            wanted: row.get("wanted")?,
            error: row.get("error")?,
        })
    })
    .collect()
}
