//! Plans, decisions and acknowledged alerts.
//!
//! A plan is stored with everything it was computed from, so that it can be computed again to the same bytes.

mod basis;
mod decisions;
mod parts;

pub use basis::{Basis, basis};
pub use decisions::{Choice, Decision, Recorded, decide, decided_since, decisions, is_decided};
pub use parts::{Inputs, Part, PartRef, read as read_part};

use chrono::{DateTime, NaiveDate, Utc};

use super::archive::{Kind, Note};
use super::{Row, StoreError, Tx, blob};
use crate::args;
use crate::ids::{AccountId, PlanId, Sku, WarehouseCode};
use crate::planner::{self, ENGINE, Plan, Policy, Snapshot};

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("plan `{asked}` is not stored")]
    NotFound { asked: String },
    #[error("plan `{asked}` is not unique: {found} plans begin with it, write more of its id")]
    Ambiguous { asked: String, found: usize },
    #[error("plan `{}` is no longer current: `{}` replaced it, decide on that one", plan.short(), current.short())]
    NotCurrent { plan: PlanId, current: PlanId },
    #[error("plan `{}` has no line for {sku} at {warehouse}", plan.short())]
    NoSuchLine {
        plan: PlanId,
        warehouse: WarehouseCode,
        sku: Sku,
    },
    #[error("decision on {sku} at {warehouse}: {why}")]
    Decision {
        warehouse: WarehouseCode,
        sku: Sku,
        why: String,
    },
    #[error("the {what} of plan `{}` cannot be read", plan.short())]
    Input {
        plan: PlanId,
        what: &'static str,
        #[source]
        source: StoreError,
    },
    #[error("the {what} of plan `{}` cannot be understood", plan.short())]
    Decode {
        plan: PlanId,
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("cannot write the {what} as JSON")]
    Encode {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One stored plan, without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanHead {
    pub id: PlanId,
    pub seq: i64,
    pub parent: Option<PlanId>,
    pub as_of: NaiveDate,
    pub engine: String,
    pub created_at: DateTime<Utc>,
    snapshot_sha256: String,
    policy_sha256: String,
    plan_sha256: String,
    acknowledged: String,
}

/// The plan the next one is compared with, its acknowledged alerts marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    pub plan: Plan,
    /// Must be given to [`save`] with the plan that was computed from this parent.
    pub acknowledged: Acknowledged,
}

pub type Acknowledged = Vec<(WarehouseCode, Sku)>;

/// What computing a stored plan again gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    pub stored: Plan,
    pub computed: Plan,
    /// Whether the two are the same to the byte.
    pub identical: bool,
    /// The engine of the stored plan, when it is not this one's.
    pub other_engine: Option<String>,
}

const HEAD: &str = "SELECT plan_id, seq, parent_id, as_of, engine, snapshot_sha256, policy_sha256, plan_sha256, \
                    acknowledged, created_at FROM plan WHERE account_id = $1";

fn head_of(row: &Row) -> Result<PlanHead, StoreError> {
    Ok(PlanHead {
        id: row.get("plan_id")?,
        seq: row.get("seq")?,
        parent: row.get("parent_id")?,
        as_of: row.get("as_of")?,
        engine: row.get("engine")?,
        created_at: row.get("created_at")?,
        snapshot_sha256: row.get("snapshot_sha256")?,
        policy_sha256: row.get("policy_sha256")?,
        plan_sha256: row.get("plan_sha256")?,
        acknowledged: row.get("acknowledged")?,
    })
}

fn encode<T: serde::Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>, PlanError> {
    serde_json::to_vec(value).map_err(|source| PlanError::Encode { what, source })
}

/// Stores a plan with its inputs and makes it the current one. Storing the same plan again changes nothing.
///
/// # Errors
/// When the engine refuses.
pub async fn save(
    tx: &mut Tx,
    account: &AccountId,
    plan: &Plan,
    snapshot: &Snapshot,
    policy: &Policy,
    acknowledged: &Acknowledged,
    now: DateTime<Utc>,
) -> Result<(), PlanError> {
    let mut head = planner::canonical(snapshot);
    let series = std::mem::take(&mut head.series);
    let snapshot_sha256 = blob::put(tx, account, "plan-snapshot", &encode("snapshot", &head)?, now).await?;
    let policy_sha256 = blob::put(tx, account, "plan-policy", &encode("policy", policy)?, now).await?;
    let plan_sha256 = blob::put(tx, account, "plan", &encode("plan", plan)?, now).await?;
    let acknowledged = String::from_utf8_lossy(&encode("acknowledged alerts", acknowledged)?).into_owned();
    let new = tx.execute(
        "INSERT INTO plan (account_id, plan_id, seq, parent_id, as_of, engine, snapshot_sha256, policy_sha256,
                           plan_sha256, acknowledged, created_at)
         SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10 FROM plan WHERE account_id = $1
         ON CONFLICT (account_id, plan_id) DO NOTHING",
        args![
            account,
            &plan.id,
            plan.parent.as_ref(),
            plan.as_of,
            &plan.engine,
            &snapshot_sha256,
            &policy_sha256,
            &plan_sha256,
            &acknowledged,
            now
        ],
    )
    .await?;
    if new == 1 {
        let subject = format!("plan/{}", plan.id);
        parts::save(tx, account, &plan.id, series, now).await?;
        for (kind, sha256) in [
            (Kind::Plan, &plan_sha256),
            (Kind::PlanSnapshot, &snapshot_sha256),
            (Kind::PlanPolicy, &policy_sha256),
        ] {
            tx.note(account, Note::new(kind, subject.clone(), sha256, now));
        }
    }
    // Alerts acknowledged before this plan are in it now.
    tx.execute("DELETE FROM alert_ack WHERE account_id = $1", args![account])
        .await?;
    Ok(())
}

/// The current plan's head.
///
/// # Errors
/// When the engine refuses.
pub async fn latest_head(tx: &mut Tx, account: &AccountId) -> Result<Option<PlanHead>, PlanError> {
    let row = tx
        .row(format!("{HEAD} ORDER BY seq DESC LIMIT 1"), args![account])
        .await?;
    Ok(row.as_ref().map(head_of).transpose()?)
}

/// The current plan.
///
/// # Errors
/// When the engine refuses, or the stored plan cannot be read back.
pub async fn latest(tx: &mut Tx, account: &AccountId) -> Result<Option<Plan>, PlanError> {
    match latest_head(tx, account).await? {
        Some(head) => Ok(Some(load(tx, account, &head).await?)),
        None => Ok(None),
    }
}

/// The newest plans, newest first.
///
/// # Errors
/// When the engine refuses.
pub async fn history(tx: &mut Tx, account: &AccountId, most: i64) -> Result<Vec<PlanHead>, PlanError> {
    let rows = tx
        .rows(format!("{HEAD} ORDER BY seq DESC LIMIT $2"), args![account, most])
        .await?;
    Ok(rows.iter().map(head_of).collect::<Result<_, _>>()?)
}

/// The last plan of each day that is still ahead of it, from a day on, oldest first.
///
/// # Errors
/// When the engine refuses.
pub async fn last_of_each_day(
    tx: &mut Tx,
    account: &AccountId,
    since: NaiveDate,
) -> Result<Vec<PlanHead>, PlanError> {
    let rows = tx
        .rows(
            format!(
                "{HEAD} AND as_of >= $2 AND NOT EXISTS (SELECT 1 FROM plan later WHERE later.account_id = $1
                     AND later.as_of = plan.as_of AND later.seq > plan.seq) ORDER BY as_of"
            ),
            args![account, since],
        )
        .await?;
    Ok(rows.iter().map(head_of).collect::<Result<_, _>>()?)
}

/// The head of the plan whose id begins so.
///
/// # Errors
/// When none or several do.
pub async fn head(tx: &mut Tx, account: &AccountId, asked: &str) -> Result<PlanHead, PlanError> {
    let asked = asked.trim().to_ascii_lowercase();
    let hex = !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_hexdigit());
    let rows = if hex {
        tx.rows(
            format!("{HEAD} AND plan_id LIKE $2 ORDER BY seq DESC"),
            args![account, format!("{asked}%")],
        )
        .await?
    } else {
        Vec::new()
    };
    match rows.as_slice() {
        [] => Err(PlanError::NotFound { asked }),
        [row] => Ok(head_of(row)?),
        several => Err(PlanError::Ambiguous {
            asked,
            found: several.len(),
        }),
    }
}

/// The plan whose id begins so.
///
/// # Errors
/// When none or several do, or the stored plan cannot be read back.
pub async fn get(tx: &mut Tx, account: &AccountId, asked: &str) -> Result<Plan, PlanError> {
    let head = head(tx, account, asked).await?;
    load(tx, account, &head).await
}

async fn part<T: serde::de::DeserializeOwned>(
    tx: &mut Tx,
    account: &AccountId,
    plan: &PlanId,
    what: &'static str,
    sha256: &str,
) -> Result<(T, Vec<u8>), PlanError> {
    let bytes = blob::get(tx, account, sha256)
        .await
        .map_err(|source| PlanError::Input {
            plan: plan.clone(),
            what,
            source,
        })?;
    let value = serde_json::from_slice(&bytes).map_err(|source| PlanError::Decode {
        plan: plan.clone(),
        what,
        source,
    })?;
    Ok((value, bytes))
}

async fn load(tx: &mut Tx, account: &AccountId, head: &PlanHead) -> Result<Plan, PlanError> {
    Ok(part(tx, account, &head.id, "plan", &head.plan_sha256).await?.0)
}

/// What a plan was computed from.
///
/// # Errors
/// When an input is missing or has changed; the error says which.
pub async fn inputs(
    tx: &mut Tx,
    account: &AccountId,
    head: &PlanHead,
) -> Result<(Snapshot, Policy), PlanError> {
    let mut inputs = Inputs::of(tx, account, head).await?;
    let mut series = Vec::new();
    for at in std::mem::take(&mut inputs.parts) {
        series.extend(parts::read(tx, account, &at).await?.open()?);
    }
    inputs.head.series.extend(series);
    Ok((inputs.head, inputs.policy))
}

/// The current plan as the next one's parent, with the alerts that were acknowledged since.
///
/// # Errors
/// When the engine refuses, or the stored plan cannot be read back.
pub async fn parent(tx: &mut Tx, account: &AccountId) -> Result<Option<Parent>, PlanError> {
    let Some(mut plan) = latest(tx, account).await? else {
        return Ok(None);
    };
    let rows = tx
        .rows(
            "SELECT warehouse, sku FROM alert_ack WHERE account_id = $1 ORDER BY warehouse, sku",
            args![account],
        )
        .await?;
    let acknowledged = rows
        .iter()
        .map(|row| Ok((row.get("warehouse")?, row.get("sku")?)))
        .collect::<Result<Acknowledged, StoreError>>()?;
    mark(&mut plan, &acknowledged);
    Ok(Some(Parent { plan, acknowledged }))
}

fn mark(plan: &mut Plan, acknowledged: &Acknowledged) {
    for alert in &mut plan.alerts {
        alert.acknowledged |= acknowledged
            .iter()
            .any(|(warehouse, sku)| *warehouse == alert.warehouse && *sku == alert.sku);
    }
}

/// Silences an alert until it is worse. Returns whether the current plan has such an alert.
///
/// # Errors
/// When the engine refuses.
pub async fn acknowledge(
    tx: &mut Tx,
    account: &AccountId,
    warehouse: &WarehouseCode,
    sku: &Sku,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, PlanError> {
    let open = latest(tx, account).await?.is_some_and(|plan| {
        let mut alerts = plan.alerts.iter();
        alerts.any(|alert| alert.warehouse == *warehouse && alert.sku == *sku)
    });
    if open {
        tx.execute(
            "INSERT INTO alert_ack (account_id, warehouse, sku, acknowledged_by, acknowledged_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id, warehouse, sku) DO NOTHING",
            args![account, warehouse, sku, by, now],
        )
        .await?;
    }
    Ok(open)
}

/// Computes a stored plan again from its stored inputs.
///
/// # Errors
/// When an input is missing or has changed; the error says which.
pub async fn replay(tx: &mut Tx, account: &AccountId, asked: &str) -> Result<Replay, PlanError> {
    let head = head(tx, account, asked).await?;
    let (stored, stored_bytes): (Plan, _) = part(tx, account, &head.id, "plan", &head.plan_sha256).await?;
    let (snapshot, policy) = inputs(tx, account, &head).await?;
    let parent = match &head.parent {
        Some(parent) => {
            let mut plan = get(tx, account, parent.as_str()).await?;
            let acknowledged: Acknowledged =
                serde_json::from_str(&head.acknowledged).map_err(|source| PlanError::Decode {
                    plan: head.id.clone(),
                    what: "acknowledged alerts",
                    source,
                })?;
            mark(&mut plan, &acknowledged);
            Some(plan)
        }
        None => None,
    };
    let computed = planner::plan(&snapshot, &policy, parent.as_ref());
    let identical = encode("plan", &computed)? == stored_bytes;
    Ok(Replay {
        stored,
        computed,
        identical,
        other_engine: (head.engine != ENGINE).then_some(head.engine),
    })
}
