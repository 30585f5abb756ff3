//! What people made of a suggestion.

use chrono::{DateTime, NaiveDate, Utc};

use super::super::{Row, StoreError, Tx};
use super::{PlanError, latest_head};
use crate::args;
use crate::ids::{AccountId, PlanId, Sku, WarehouseCode};
use crate::planner::Plan;

/// 采纳 / 改量 / 拒绝 / 观察
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    Adopt,
    Change,
    Reject,
    Watch,
}

impl Choice {
    pub const ALL: [Self; 4] = [Self::Adopt, Self::Change, Self::Reject, Self::Watch];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Change => "change",
            Self::Reject => "reject",
            Self::Watch => "watch",
        }
    }

    /// The code, or what people write in the decision column.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        match text.as_str() {
            "采纳" | "同意" => Some(Self::Adopt),
            "改量" | "修改" => Some(Self::Change),
            "拒绝" | "不要" => Some(Self::Reject),
            "观察" => Some(Self::Watch),
            _ => Self::ALL.into_iter().find(|choice| choice.code() == text),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub plan: PlanId,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    /// Where it came from: `cli`, `file:<name>`.
    pub source: String,
    pub choice: Choice,
    /// Units to order. Adopting may leave it out: the suggestion is meant. Rejecting and watching have none.
    pub units: Option<i64>,
    pub by: String,
    pub reason: String,
}

/// What recording did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    New,
    /// The same decision from the same source was already there.
    Same,
    /// The source's earlier decision was replaced.
    Changed,
}

/// Records a decision on the current plan. The same decision again has no second effect.
///
/// # Errors
/// When the plan is no longer the current one, has no such line, or the units do not fit the choice.
pub async fn decide(
    tx: &mut Tx,
    account: &AccountId,
    plan: &Plan,
    decision: &Decision,
    now: DateTime<Utc>,
) -> Result<Recorded, PlanError> {
    let current = latest_head(tx, account)
        .await?
        .ok_or_else(|| PlanError::NotFound {
            asked: decision.plan.to_string(),
        })?;
    if current.id != decision.plan || plan.id != decision.plan {
        return Err(PlanError::NotCurrent {
            plan: decision.plan.clone(),
            current: current.id,
        });
    }
    let units = units_of(plan, decision)?;
    let key = args![
        account,
        &decision.plan,
        &decision.warehouse,
        &decision.sku,
        &decision.source
    ];
    let before = tx
        .row(
            "SELECT decision, units, decided_by, reason FROM decision WHERE account_id = $1 AND plan_id = $2
             AND warehouse = $3 AND sku = $4 AND source = $5",
            key,
        )
        .await?;
    if let Some(row) = &before {
        let same = row.get::<String>("decision")? == decision.choice.code()
            && row.get::<Option<i64>>("units")? == units
            && row.get::<String>("decided_by")? == decision.by
            && row.get::<String>("reason")? == decision.reason;
        if same {
            return Ok(Recorded::Same);
        }
    }
    tx.execute_exactly(
        1,
        "INSERT INTO decision (account_id, plan_id, warehouse, sku, source, decision, units, decided_by, reason,
                               decided_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (account_id, plan_id, warehouse, sku, source) DO UPDATE SET decision = excluded.decision,
             units = excluded.units, decided_by = excluded.decided_by, reason = excluded.reason,
             decided_at = excluded.decided_at",
        args![
            account,
            &decision.plan,
            &decision.warehouse,
            &decision.sku,
            &decision.source,
            decision.choice.code(),
            units,
            &decision.by,
            &decision.reason,
            now
        ],
    )
    .await?;
    Ok(if before.is_some() {
        Recorded::Changed
    } else {
        Recorded::New
    })
}

fn units_of(plan: &Plan, decision: &Decision) -> Result<Option<i64>, PlanError> {
    let line = plan
        .lines
        .iter()
        .find(|line| line.warehouse == decision.warehouse && line.sku == decision.sku)
        .ok_or_else(|| PlanError::NoSuchLine {
            plan: plan.id.clone(),
            warehouse: decision.warehouse.clone(),
            sku: decision.sku.clone(),
        })?;
    let wrong = |why: String| PlanError::Decision {
        warehouse: decision.warehouse.clone(),
        sku: decision.sku.clone(),
        why,
    };
    match (decision.choice, decision.units) {
        (Choice::Adopt, None) => match line.suggested_units {
            Some(units) => Ok(Some(units)),
            None => Err(wrong(
                "there is no suggestion to adopt, write the units to order".to_owned(),
            )),
        },
        (Choice::Adopt, Some(units)) if Some(units) == line.suggested_units => Ok(Some(units)),
        (Choice::Adopt, Some(units)) => Err(wrong(format!(
            "adopting {units} units, but {} are suggested; other units are a change",
            line.suggested_units
                .map_or_else(|| "no".to_owned(), |units| units.to_string()),
        ))),
        (Choice::Change, Some(units)) if units > 0 => Ok(Some(units)),
        (Choice::Change, units) => Err(wrong(format!(
            "a change needs units above 0, got {}",
            units.map_or_else(|| "none".to_owned(), |units| units.to_string())
        ))),
        (Choice::Reject | Choice::Watch, None | Some(0)) => Ok(None),
        (Choice::Reject | Choice::Watch, Some(units)) => Err(wrong(format!(
            "{} orders nothing, got {units} units",
            decision.choice.code()
        ))),
    }
}

const DECISION: &str = "SELECT d.plan_id, d.warehouse, d.sku, d.source, d.decision, d.units, d.decided_by, d.reason \
                        FROM decision d JOIN plan p ON p.account_id = d.account_id AND p.plan_id = d.plan_id \
                        WHERE d.account_id = $1";

/// All decisions on a plan, by warehouse, SKU and source.
///
/// # Errors
/// When the engine refuses.
pub async fn decisions(tx: &mut Tx, account: &AccountId, plan: &PlanId) -> Result<Vec<Decision>, PlanError> {
    let sql = format!("{DECISION} AND d.plan_id = $2 ORDER BY d.warehouse, d.sku, d.source");
    let rows = tx.rows(sql, args![account, plan]).await?;
    rows.iter().map(decision_of).collect()
}

/// All decisions on plans of a day and later, plan by plan in the order they were made, each plan's in the order they
/// were taken.
///
/// # Errors
/// When the engine refuses.
pub async fn decided_since(
    tx: &mut Tx,
    account: &AccountId,
    since: NaiveDate,
) -> Result<Vec<Decision>, PlanError> {
    let sql = format!(
        "{DECISION} AND p.as_of >= $2
         ORDER BY p.seq, d.decided_at, d.warehouse, d.sku, d.source"
    );
    let rows = tx.rows(sql, args![account, since]).await?;
    rows.iter().map(decision_of).collect()
}

fn decision_of(row: &Row) -> Result<Decision, PlanError> {
    let plan: PlanId = row.get("plan_id")?;
    let code: String = row.get("decision")?;
    let choice = Choice::parse(&code).ok_or_else(|| StoreError::Corrupt {
        what: format!("decision of plan {}", plan.short()),
        why: format!("`{code}` is no decision"),
    })?;
    Ok(Decision {
        plan,
        warehouse: row.get("warehouse")?,
        sku: row.get("sku")?,
        source: row.get("source")?,
        choice,
        units: row.get("units")?,
        by: row.get("decided_by")?,
        reason: row.get("reason")?,
    })
}

/// Whether anybody decided on a line of the plan.
///
/// # Errors
/// When the engine refuses.
pub async fn is_decided(
    tx: &mut Tx,
    account: &AccountId,
    plan: &PlanId,
    warehouse: &WarehouseCode,
    sku: &Sku,
) -> Result<bool, PlanError> {
    let row = tx
        .row(
            "SELECT 1 AS found FROM decision WHERE account_id = $1 AND plan_id = $2 AND warehouse = $3 AND sku = $4
             LIMIT 1",
            args![account, plan, warehouse, sku],
        )
        .await?;
    Ok(row.is_some())
}
