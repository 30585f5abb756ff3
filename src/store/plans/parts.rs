//! A plan's series in parts, so that a million of them are read, planned and forgotten one part after the other.

use chrono::{DateTime, Utc};

use super::{PlanError, PlanHead, encode, part};
use crate::args;
use crate::ids::{AccountId, PlanId, WarehouseCode};
use crate::planner::{ItemSeries, Policy, Snapshot, brief};
use crate::store::archive::{Kind, Note};
use crate::store::{Tx, blob};

/// What a plan was computed from, its series yet to be read.
pub struct Inputs {
    /// Its series are empty, but for a plan stored before there were parts.
    pub head: Snapshot,
    pub policy: Policy,
    pub parts: Vec<PartRef>,
}

/// A part that is not read yet.
#[derive(Debug, Clone)]
pub struct PartRef {
    plan: PlanId,
    pub warehouse: WarehouseCode,
    pub items: usize,
    sha256: String,
}

/// A part as it is stored.
pub struct Part {
    plan: PlanId,
    packed: blob::Packed,
}

const WHAT: &str = "series";

impl Part {
    /// Unpacks, checks and reads the part: work for a thread that has nothing else to do.
    ///
    /// # Errors
    /// When it has changed since it was stored.
    pub fn open(self) -> Result<Vec<ItemSeries>, PlanError> {
        let plan = self.plan;
        let bytes = self.packed.open().map_err(|source| PlanError::Input {
            plan: plan.clone(),
            what: WHAT,
            source,
        })?;
        serde_json::from_slice(&bytes).map_err(|source| PlanError::Decode {
            plan,
            what: WHAT,
            source,
        })
    }
}

impl Inputs {
    /// # Errors
    /// When an input is missing or has changed.
    pub async fn of(tx: &mut Tx, account: &AccountId, plan: &PlanHead) -> Result<Self, PlanError> {
        let (head, _) = part(tx, account, &plan.id, "snapshot", &plan.snapshot_sha256).await?;
        let (policy, _) = part(tx, account, &plan.id, "policy", &plan.policy_sha256).await?;
        let rows = tx
            .rows(
                "SELECT warehouse, items, sha256 FROM plan_part WHERE account_id = $1 AND plan_id = $2 ORDER BY place",
                args![account, &plan.id],
            )
            .await?;
        let mut parts = Vec::with_capacity(rows.len());
        for row in &rows {
            let items: i64 = row.get("items")?;
            parts.push(PartRef {
                plan: plan.id.clone(),
                warehouse: row.get("warehouse")?,
                items: usize::try_from(items).unwrap_or(0),
                sha256: row.get("sha256")?,
            });
        }
        Ok(Self { head, policy, parts })
    }
}

/// Reads a part as it is stored.
///
/// # Errors
/// When it is missing.
pub async fn read(tx: &mut Tx, account: &AccountId, at: &PartRef) -> Result<Part, PlanError> {
    let packed = blob::packed(tx, account, &at.sha256)
        .await
        .map_err(|source| PlanError::Input {
            plan: at.plan.clone(),
            what: WHAT,
            source,
        })?;
    Ok(Part {
        plan: at.plan.clone(),
        packed,
    })
}

/// Stores the series of a new plan.
pub(super) async fn save(
    tx: &mut Tx,
    account: &AccountId,
    plan: &PlanId,
    series: Vec<ItemSeries>,
    now: DateTime<Utc>,
) -> Result<(), PlanError> {
    for (place, items) in brief::parts(series).into_iter().enumerate() {
        let Some(first) = items.first() else { continue };
        let sha256 = blob::put(tx, account, "plan-series", &encode(WHAT, &items)?, now).await?;
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        tx.execute_exactly(
            1,
            "INSERT INTO plan_part (account_id, plan_id, place, warehouse, items, sha256)
             VALUES ($1, $2, $3, $4, $5, $6)",
            args![account, plan, place, &first.warehouse, count, &sha256],
        )
        .await?;
        tx.note(
            account,
            Note::new(Kind::PlanSnapshot, format!("plan/{plan}"), &sha256, now),
        );
    }
    Ok(())
}
