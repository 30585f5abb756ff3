//! Legal holds, and the job that takes old contents away. The entries and their hashes stay.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Entry, Kind, Note, entries};
use crate::args;
use crate::config::RetentionRules;
use crate::ids::{AccountId, OrderNo};
use crate::store::{StoreError, Tx, blob, orders};

/// A legal hold on an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    pub order: OrderNo,
    pub reason: String,
    pub placed_by: String,
    pub placed_at: DateTime<Utc>,
    pub lifted_by: Option<String>,
    pub lifted_at: Option<DateTime<Utc>>,
}

/// What a deletion entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub day: NaiveDate,
    pub by: String,
    pub deleted: Vec<Due>,
}

/// A content whose time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    pub seq: i64,
    pub kind: String,
    pub subject: String,
    pub sha256: String,
    /// The last day on which it had to be kept.
    pub until: NaiveDate,
}

/// What one run of the retention job did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Retained {
    pub deleted: Vec<Due>,
    /// Old enough, but held back by a legal hold.
    pub held: Vec<Due>,
}

/// Who runs the job and by which rules.
#[derive(Debug, Clone, Copy)]
pub struct RetentionRun<'a> {
    pub rules: &'a RetentionRules,
    pub today: NaiveDate,
    pub now: DateTime<Utc>,
    pub by: &'a str,
}

/// # Errors
/// When the engine refuses.
pub async fn holds(tx: &mut Tx, account: &AccountId) -> Result<Vec<Hold>, StoreError> {
    tx.rows(
        "SELECT order_no, reason, placed_by, placed_at, lifted_by, lifted_at FROM legal_hold
         WHERE account_id = $1 ORDER BY placed_at, order_no",
        args![account],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Hold {
            order: row.get("order_no")?,
            reason: row.get("reason")?,
            placed_by: row.get("placed_by")?,
            placed_at: row.get("placed_at")?,
            lifted_by: row.get("lifted_by")?,
            lifted_at: row.get("lifted_at")?,
        })
    })
    .collect()
}

/// Holds an order; false when it is held already. The order must exist.
///
/// # Errors
/// When the engine refuses.
pub async fn place_hold(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
    (by, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let held = holds(tx, account).await?;
    if held
        .iter()
        .any(|hold| hold.order == *order && hold.lifted_at.is_none())
    {
        return Ok(false);
    }
    tx.execute_exactly(
        1,
        "INSERT INTO legal_hold (account_id, order_no, placed_at, placed_by, reason) VALUES ($1, $2, $3, $4, $5)",
        args![account, order, now, by, reason],
    )
    .await?;
    log_hold(tx, account, order, ("placed", by, reason), now).await?;
    Ok(true)
}

/// Lifts the hold of an order; false when there is none.
///
/// # Errors
/// When the engine refuses.
pub async fn lift_hold(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let lifted = tx
        .execute(
            "UPDATE legal_hold SET lifted_at = $3, lifted_by = $4
             WHERE account_id = $1 AND order_no = $2 AND lifted_at IS NULL",
            args![account, order, now, by],
        )
        .await?;
    if lifted == 0 {
        return Ok(false);
    }
    log_hold(tx, account, order, ("lifted", by, ""), now).await?;
    Ok(true)
}

async fn log_hold(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
    (what, by, reason): (&str, &str, &str),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let said = serde_json::json!({"hold": what, "order": order, "by": by, "reason": reason, "at": now});
    let sha256 = blob::put(tx, account, "hold", said.to_string().as_bytes(), now).await?;
    let subject = format!("order/{order}/hold/{what}");
    tx.note(account, Note::new(Kind::Hold, subject, &sha256, now));
    Ok(())
}

/// Takes away the contents whose time is over, and logs each in the same transaction; with `dry_run` only says which.
/// Kept are: what a rule still keeps, everything of orders that are under way or held, messages that have not ended
/// their way, the current plan and its parent, and every content that anything kept shares.
///
/// # Errors
/// When the engine refuses, or a stored order cannot be read.
pub async fn retain(
    tx: &mut Tx,
    account: &AccountId,
    run: RetentionRun<'_>,
    dry_run: bool,
) -> Result<Retained, StoreError> {
    let keeper = Keeper::load(tx, account).await?;
    let mut kept: BTreeSet<String> = keeper.gone.clone();
    let mut due: BTreeMap<String, Vec<Due>> = BTreeMap::new();
    let mut held = Vec::new();
    let mut seq = 0;
    loop {
        let batch = entries(tx, account, seq, 1_000).await?;
        let Some(last) = batch.last() else { break };
        seq = last.seq;
        for entry in batch {
            match keeper.judge(&entry, run) {
                Judged::Keep => {
                    kept.insert(entry.sha256);
                }
                Judged::Held(until) => {
                    kept.insert(entry.sha256.clone());
                    held.push(due_of(&entry, until));
                }
                Judged::Due(until) => {
                    let due_now = due_of(&entry, until);
                    due.entry(entry.sha256).or_default().push(due_now);
                }
            }
        }
    }
    due.retain(|sha256, _| !kept.contains(sha256));
    let mut deleted: Vec<Due> = due.values().flatten().cloned().collect();
    deleted.sort_by_key(|due| due.seq);
    if !dry_run && !deleted.is_empty() {
        for sha256 in due.keys() {
            blob::delete(tx, account, sha256).await?;
        }
        let log = Log {
            day: run.today,
            by: run.by.to_owned(),
            deleted: deleted.clone(),
        };
        let bytes = serde_json::to_vec(&log).map_err(|error| StoreError::Corrupt {
            what: "deletion log".to_owned(),
            why: error.to_string(),
        })?;
        let sha256 = blob::put(tx, account, "deletion", &bytes, run.now).await?;
        let subject = format!("retention/{}", run.today);
        tx.note(account, Note::new(Kind::Deletion, subject, &sha256, run.now));
    }
    Ok(Retained { deleted, held })
}

fn due_of(entry: &Entry, until: NaiveDate) -> Due {
    Due {
        seq: entry.seq,
        kind: entry.kind.clone(),
        subject: entry.subject.clone(),
        sha256: entry.sha256.clone(),
        until,
    }
}

enum Judged {
    Keep,
    Held(NaiveDate),
    Due(NaiveDate),
}

/// What the other tables say about whether an entry's content may go.
struct Keeper {
    /// Orders with their destination and whether they are over.
    orders: BTreeMap<String, (String, bool)>,
    held: BTreeSet<String>,
    /// Messages that have not ended their way.
    on_their_way: BTreeSet<String>,
    /// The current plan and its parent.
    plans: BTreeSet<String>,
    /// Orders by the received files that speak of them, and by the plan they came from.
    by_file: BTreeMap<String, BTreeSet<String>>,
    by_plan: BTreeMap<String, BTreeSet<String>>,
    /// Contents taken away before.
    gone: BTreeSet<String>,
}

impl Keeper {
    async fn load(tx: &mut Tx, account: &AccountId) -> Result<Self, StoreError> {
        let mut keeper = Self {
            orders: BTreeMap::new(),
            held: BTreeSet::new(),
            on_their_way: BTreeSet::new(),
            plans: BTreeSet::new(),
            by_file: BTreeMap::new(),
            by_plan: BTreeMap::new(),
            gone: BTreeSet::new(),
        };
        for stored in orders::all(tx, account).await? {
            let number = stored.order.number.to_string();
            if let Some(plan) = &stored.order.plan {
                let orders = keeper.by_plan.entry(format!("plan/{plan}")).or_default();
                orders.insert(number.clone());
            }
            let country = stored.order.deliver_to.address.country.clone();
            keeper.orders.insert(number, (country, stored.state.is_over()));
        }
        keeper.held = holds(tx, account)
            .await?
            .into_iter()
            .filter(|hold| hold.lifted_at.is_none())
            .map(|hold| hold.order.to_string())
            .collect();
        let texts = |sql: &'static str| (sql, args![account].to_vec());
        for (sql, into) in [
            (
                texts(
                    "SELECT business_key AS name FROM outbox
                     WHERE account_id = $1 AND state NOT IN ('sent', 'withdrawn')",
                ),
                &mut keeper.on_their_way,
            ),
            (
                texts(
                    "SELECT 'plan/' || plan_id AS name FROM plan WHERE account_id = $1
                     AND seq >= (SELECT MAX(seq) - 1 FROM plan WHERE account_id = $1)",
                ),
                &mut keeper.plans,
            ),
            (
                texts("SELECT sha256 AS name FROM blob WHERE account_id = $1 AND encoding = 'deleted'"),
                &mut keeper.gone,
            ),
        ] {
            for row in tx.rows(sql.0, &sql.1).await? {
                into.insert(row.get("name")?);
            }
        }
        for row in tx
            .rows(
                "SELECT order_no, sha256 FROM inbox_link WHERE account_id = $1",
                args![account],
            )
            .await?
        {
            let orders = keeper.by_file.entry(row.get("sha256")?).or_default();
            orders.insert(row.get("order_no")?);
        }
        Ok(keeper)
    }

    fn judge(&self, entry: &Entry, run: RetentionRun<'_>) -> Judged {
        let kind = match Kind::parse(&entry.kind) {
            Some(Kind::Document) => "document",
            Some(Kind::Message | Kind::Sent) => "message",
            Some(Kind::Received) => "received",
            Some(Kind::Plan | Kind::PlanSnapshot | Kind::PlanPolicy) => "plan",
            Some(Kind::Page) => "page",
            Some(Kind::Event | Kind::Hold | Kind::Deletion) | None => return Judged::Keep,
        };
        let of = self.orders_of(entry, kind);
        let known: Vec<_> = of.iter().filter_map(|order| self.orders.get(*order)).collect();
        // What belongs to an order that cannot be found is not touched.
        let open = known.len() < of.len() || known.iter().any(|(_, over)| !over);
        let since = DateTime::from_timestamp_millis(entry.at).map(|at| at.date_naive());
        let countries: Vec<Option<&str>> = match known.is_empty() {
            true => vec![None],
            false => known.iter().map(|(country, _)| Some(country.as_str())).collect(),
        };
        let until = since.and_then(|since| {
            countries
                .iter()
                .map(|country| run.rules.until(kind, *country, since, run.today))
                .collect::<Option<Vec<_>>>()?
                .into_iter()
                .max()
        });
        match until {
            Some(until) if until < run.today => {
                if open || self.on_their_way.contains(&entry.subject) || self.plans.contains(&entry.subject) {
                    Judged::Keep
                } else if of.iter().any(|order| self.held.contains(*order)) {
                    Judged::Held(until)
                } else {
                    Judged::Due(until)
                }
            }
            _ => Judged::Keep,
        }
    }

    /// The orders an entry belongs to: its own, those a received file speaks of, those that came from a plan.
    fn orders_of<'a>(&'a self, entry: &'a Entry, kind: &str) -> BTreeSet<&'a str> {
        let mut of: BTreeSet<&str> = entry.order.as_deref().into_iter().collect();
        let linked = match kind {
            "received" => self.by_file.get(&entry.sha256),
            "plan" => self.by_plan.get(&entry.subject),
            _ => None,
        };
        of.extend(linked.into_iter().flatten().map(String::as_str));
        of
    }
}
