//! The ledger of decisions and what they attained, by segment.

use chrono::NaiveDate;

use super::row::Row;
use super::{StoreError, Tx, Value};
use crate::args;
use crate::ids::AccountId;
use crate::order::Mode;
use crate::planner::calibration::Decision;
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
            "SELECT as_of, warehouse, sku, mode, class, target_permille, read_permille, position, rate_milli, days
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
                Value::from(decision.rate_milli),
                Value::from(serde_json::json!(decision.days).to_string()),
                Value::from(decision.due()),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO calibration_decision (account_id, as_of, warehouse, sku, mode, class, target_permille,
             read_permille, position, rate_milli, days, due)",
        &rows,
        "ON CONFLICT (account_id, as_of, warehouse, sku) DO UPDATE SET mode = excluded.mode, class = excluded.class,
             target_permille = excluded.target_permille, read_permille = excluded.read_permille,
             position = excluded.position, rate_milli = excluded.rate_milli, days = excluded.days, due = excluded.due",
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
    judged: &[(Decision, Option<i64>)],
    states: &[Calibration],
) -> Result<(), StoreError> {
    for (decision, covered) in judged {
        tx.execute(
            "UPDATE calibration_decision SET judged_on = $5, covered_ppm = $6
             WHERE account_id = $1 AND as_of = $2 AND warehouse = $3 AND sku = $4",
            args![
                account,
                decision.as_of,
                &decision.warehouse,
                &decision.sku,
                today,
                *covered
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
