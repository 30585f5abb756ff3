//! Differences: how each stands now, and everything that happened to it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::{Row, StoreError, Tx, Value};
use crate::args;
use crate::ids::{AccountId, OrderNo};
use crate::reconcile::{Difference, DifferenceId};

/// A difference as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDifference {
    pub difference: Difference,
    /// 1 when it was first seen; every change after that is one more.
    pub revision: i64,
    pub first_seen: NaiveDate,
    /// The day of the last change.
    pub as_of: NaiveDate,
    /// The day it went away: the units were found, or the reports now say something else.
    pub undone_on: Option<NaiveDate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceEventKind {
    Opened,
    /// Other units, another standing, more evidence.
    Changed,
    /// What was built on it (a claim draft) has lost its ground.
    Undone,
}

impl DifferenceEventKind {
    const ALL: [Self; 3] = [Self::Opened, Self::Changed, Self::Undone];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Undone => "undone",
        }
    }
}

/// One thing that happened to a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferenceEvent {
    pub revision: i64,
    pub as_of: NaiveDate,
    pub kind: DifferenceEventKind,
    /// As it stood after that; of one undone, as it stood before.
    pub difference: Difference,
    pub recorded_at: DateTime<Utc>,
}

/// Keeps the differences of a reconciliation and returns what happened, by id. One that is not among them any more is
/// undone. Saving the same twice changes nothing.
///
/// # Errors
/// When the engine refuses, or a stored difference cannot be read back.
pub async fn save(
    tx: &mut Tx,
    account: &AccountId,
    differences: &[Difference],
    as_of: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<DifferenceEvent>, StoreError> {
    let mut held: BTreeMap<DifferenceId, StoredDifference> = all(tx, account)
        .await?
        .into_iter()
        .map(|stored| (stored.difference.id.clone(), stored))
        .collect();
    let mut happened: Vec<(DifferenceEvent, NaiveDate, Option<NaiveDate>)> = Vec::new();
    let event = |revision, kind, difference: &Difference| DifferenceEvent {
        revision,
        as_of,
        kind,
        difference: difference.clone(),
        recorded_at: now,
    };
    for difference in differences {
        match held.remove(&difference.id) {
            None => happened.push((event(1, DifferenceEventKind::Opened, difference), as_of, None)),
            Some(before) if before.undone_on.is_some() => happened.push((
                event(before.revision + 1, DifferenceEventKind::Opened, difference),
                before.first_seen,
                None,
            )),
            Some(before) if before.difference != *difference => happened.push((
                event(before.revision + 1, DifferenceEventKind::Changed, difference),
                before.first_seen,
                None,
            )),
            Some(_) => {}
        }
    }
    for gone in held.into_values().filter(|stored| stored.undone_on.is_none()) {
        happened.push((
            event(gone.revision + 1, DifferenceEventKind::Undone, &gone.difference),
            gone.first_seen,
            Some(as_of),
        ));
    }
    happened.sort_by(|a, b| a.0.difference.id.cmp(&b.0.difference.id));
    let mut current: Vec<Vec<Value>> = Vec::new();
    let mut events: Vec<Vec<Value>> = Vec::new();
    for (event, first_seen, undone_on) in &happened {
        let body = serde_json::to_string(&event.difference).map_err(|error| corrupt("difference", &error))?;
        let difference = &event.difference;
        current.push(
            args![
                account,
                difference.id.as_str(),
                event.revision,
                &difference.order,
                *first_seen,
                as_of,
                *undone_on,
                body.clone(),
                now
            ]
            .to_vec(),
        );
        events.push(
            args![
                account,
                difference.id.as_str(),
                event.revision,
                as_of,
                event.kind.code(),
                body,
                now
            ]
            .to_vec(),
        );
    }
    tx.insert_many(
        "INSERT INTO difference (account_id, difference_id, revision, order_no, first_seen, as_of, undone_on, body,
             changed_at)",
        &current,
        "ON CONFLICT (account_id, difference_id) DO UPDATE SET revision = excluded.revision, as_of = excluded.as_of,
             undone_on = excluded.undone_on, body = excluded.body, changed_at = excluded.changed_at",
    )
    .await?;
    tx.insert_many(
        "INSERT INTO difference_event (account_id, difference_id, revision, as_of, event, body, recorded_at)",
        &events,
        "",
    )
    .await?;
    Ok(happened.into_iter().map(|(event, ..)| event).collect())
}

/// Every difference there ever was, undone ones too, by id.
///
/// # Errors
/// When the engine refuses, or a stored difference cannot be read back.
pub async fn all(tx: &mut Tx, account: &AccountId) -> Result<Vec<StoredDifference>, StoreError> {
    tx.rows(
        "SELECT revision, first_seen, as_of, undone_on, body FROM difference
         WHERE account_id = $1 ORDER BY difference_id",
        args![account],
    )
    .await?
    .iter()
    .map(stored)
    .collect()
}

/// Those that stand, by id.
///
/// # Errors
/// When the engine refuses, or a stored difference cannot be read back.
pub async fn open(tx: &mut Tx, account: &AccountId) -> Result<Vec<StoredDifference>, StoreError> {
    tx.rows(
        "SELECT revision, first_seen, as_of, undone_on, body FROM difference
         WHERE account_id = $1 AND undone_on IS NULL ORDER BY difference_id",
        args![account],
    )
    .await?
    .iter()
    .map(stored)
    .collect()
}

/// Those of one order, undone ones too, by id.
///
/// # Errors
/// When the engine refuses, or a stored difference cannot be read back.
pub async fn of_order(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Vec<StoredDifference>, StoreError> {
    tx.rows(
        "SELECT revision, first_seen, as_of, undone_on, body FROM difference
         WHERE account_id = $1 AND order_no = $2 ORDER BY difference_id",
        args![account, order],
    )
    .await?
    .iter()
    .map(stored)
    .collect()
}

/// One difference, by its whole id.
///
/// # Errors
/// When the engine refuses, or the stored difference cannot be read back.
pub async fn get(
    tx: &mut Tx,
    account: &AccountId,
    id: &DifferenceId,
) -> Result<Option<StoredDifference>, StoreError> {
    tx.rows(
        "SELECT revision, first_seen, as_of, undone_on, body FROM difference
         WHERE account_id = $1 AND difference_id = $2",
        args![account, id.as_str()],
    )
    .await?
    .first()
    .map(stored)
    .transpose()
}

/// Everything that happened to one difference, in order.
///
/// # Errors
/// When the engine refuses, or a stored difference cannot be read back.
pub async fn history(
    tx: &mut Tx,
    account: &AccountId,
    id: &DifferenceId,
) -> Result<Vec<DifferenceEvent>, StoreError> {
    tx.rows(
        "SELECT revision, as_of, event, body, recorded_at FROM difference_event
         WHERE account_id = $1 AND difference_id = $2 ORDER BY revision",
        args![account, id.as_str()],
    )
    .await?
    .iter()
    .map(event)
    .collect()
}

/// What happened on the days from one on, by day, id and revision.
///
/// # Errors
/// When the engine refuses, or a stored difference cannot be read back.
pub async fn events_since(
    tx: &mut Tx,
    account: &AccountId,
    as_of: NaiveDate,
) -> Result<Vec<DifferenceEvent>, StoreError> {
    tx.rows(
        "SELECT revision, as_of, event, body, recorded_at FROM difference_event
         WHERE account_id = $1 AND as_of >= $2 ORDER BY as_of, difference_id, revision",
        args![account, as_of],
    )
    .await?
    .iter()
    .map(event)
    .collect()
}

fn stored(row: &Row) -> Result<StoredDifference, StoreError> {
    Ok(StoredDifference {
        difference: body(row)?,
        revision: row.get("revision")?,
        first_seen: row.get("first_seen")?,
        as_of: row.get("as_of")?,
        undone_on: row.get("undone_on")?,
    })
}

fn event(row: &Row) -> Result<DifferenceEvent, StoreError> {
    let code: String = row.get("event")?;
    Ok(DifferenceEvent {
        revision: row.get("revision")?,
        as_of: row.get("as_of")?,
        kind: DifferenceEventKind::ALL
            .into_iter()
            .find(|known| known.code() == code)
            .ok_or_else(|| corrupt("event of a difference", &code))?,
        difference: body(row)?,
        recorded_at: row.get("recorded_at")?,
    })
}

fn body(row: &Row) -> Result<Difference, StoreError> {
    serde_json::from_str(&row.get::<String>("body")?).map_err(|error| corrupt("difference", &error))
}

fn corrupt(what: &str, why: &impl ToString) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: why.to_string(),
    }
}
