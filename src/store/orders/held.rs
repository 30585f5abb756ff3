//! Approved lines that wait for a person.

use chrono::{DateTime, Utc};

use super::{corrupt, to_json};
use crate::args;
use crate::ids::{AccountId, PlanId, Sku, WarehouseCode};
use crate::order::gate::Finding;
use crate::store::{StoreError, Tx};

/// An approved line that waits for a person to mend something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLine {
    pub plan: PlanId,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    /// `order::Mode::code`; empty for a line held before parts were told apart.
    pub mode: String,
    pub units: i64,
    pub problems: Vec<Finding>,
    /// Since when; `None` before it is stored.
    pub since: Option<DateTime<Utc>>,
}

/// Remembers why an approved line was not booked.
///
/// # Errors
/// When the engine refuses.
pub async fn hold(
    tx: &mut Tx,
    account: &AccountId,
    line: &HeldLine,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let problems = to_json("problems", &line.problems)?;
    tx.execute(
        "INSERT INTO held_line (account_id, plan_id, warehouse, sku, mode, units, problems, since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, plan_id, warehouse, sku, mode)
         DO UPDATE SET units = excluded.units, problems = excluded.problems",
        args![
            account,
            &line.plan,
            &line.warehouse,
            &line.sku,
            &line.mode,
            line.units,
            problems,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Lines of a plan that wait for a person, each with the instant since when.
///
/// # Errors
/// When the engine refuses.
pub async fn held(tx: &mut Tx, account: &AccountId, plan: &PlanId) -> Result<Vec<HeldLine>, StoreError> {
    tx.rows(
        "SELECT warehouse, sku, mode, units, problems, since FROM held_line
         WHERE account_id = $1 AND plan_id = $2 ORDER BY warehouse, sku, mode",
        args![account, plan],
    )
    .await?
    .iter()
    .map(|row| {
        let problems: String = row.get("problems")?;
        Ok(HeldLine {
            plan: plan.clone(),
            warehouse: row.get("warehouse")?,
            sku: row.get("sku")?,
            mode: row.get("mode")?,
            units: row.get("units")?,
            problems: serde_json::from_str(&problems).map_err(|error| corrupt("problems", &error))?,
            since: Some(row.get("since")?),
        })
    })
    .collect()
}
