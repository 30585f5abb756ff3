//! Civil times that came due.

use chrono::{DateTime, NaiveDate, Utc};

use super::word;
use crate::args;
use crate::ids::AccountId;
use crate::store::{Row, StoreError, Tx};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OccurrenceState {
    Due,
    Running,
    Done,
    Failed,
    /// Not caught up after downtime; the note says why.
    Skipped,
}

impl OccurrenceState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Due, Self::Running, Self::Done, Self::Failed, Self::Skipped]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// An occurrence as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    pub schedule: String,
    pub civil_date: NaiveDate,
    pub state: OccurrenceState,
    pub due_at: DateTime<Utc>,
    pub note: Option<String>,
}

/// Inserts the occurrence; `false` when somebody did so before.
///
/// # Errors
/// When the engine refuses.
pub async fn insert_occurrence(
    tx: &mut Tx,
    account: &AccountId,
    occurrence: &Occurrence,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let inserted = tx
        .execute(
            "INSERT INTO occurrence (account_id, schedule, civil_date, state, due_at, note, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
             ON CONFLICT (account_id, schedule, civil_date) DO NOTHING",
            args![
                account,
                &occurrence.schedule,
                occurrence.civil_date,
                occurrence.state.as_str(),
                occurrence.due_at,
                occurrence.note.clone(),
                now
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// The latest civil date up to `until` that the schedule has an occurrence for, whatever became of it. Later ones,
/// from a clock that ran ahead, do not hide the dates before them.
///
/// # Errors
/// When the engine refuses.
pub async fn last_occurrence(
    tx: &mut Tx,
    account: &AccountId,
    schedule: &str,
    until: NaiveDate,
) -> Result<Option<NaiveDate>, StoreError> {
    match tx
        .row(
            "SELECT MAX(civil_date) AS civil_date FROM occurrence
             WHERE account_id = $1 AND schedule = $2 AND civil_date <= $3",
            args![account, schedule, until],
        )
        .await?
    {
        Some(row) => row.get("civil_date"),
        None => Ok(None),
    }
}

/// Lets the occurrence a job was made for, if any, follow the job.
pub(super) async fn follow(
    tx: &mut Tx,
    account: &AccountId,
    occurrence: Option<(&str, NaiveDate)>,
    state: OccurrenceState,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some((schedule, date)) = occurrence else {
        return Ok(());
    };
    tx.execute_exactly(
        1,
        "UPDATE occurrence SET state = $4, note = $5, updated_at = $6
         WHERE account_id = $1 AND schedule = $2 AND civil_date = $3",
        args![account, schedule, date, state.as_str(), note, now],
    )
    .await
}

/// The occurrence of one date.
///
/// # Errors
/// When the engine refuses.
pub async fn find_occurrence(
    tx: &mut Tx,
    account: &AccountId,
    schedule: &str,
    date: NaiveDate,
) -> Result<Option<Occurrence>, StoreError> {
    tx.row(
        "SELECT schedule, civil_date, state, due_at, note FROM occurrence
         WHERE account_id = $1 AND schedule = $2 AND civil_date = $3",
        args![account, schedule, date],
    )
    .await?
    .as_ref()
    .map(occurrence)
    .transpose()
}

/// Makes a skipped or failed date due again, because a person wants it; `false` when it is neither.
///
/// # Errors
/// When the engine refuses.
pub async fn revive_occurrence(
    tx: &mut Tx,
    account: &AccountId,
    schedule: &str,
    date: NaiveDate,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE occurrence SET state = 'due', note = NULL, updated_at = $4
             WHERE account_id = $1 AND schedule = $2 AND civil_date = $3 AND state IN ('skipped', 'failed')",
            args![account, schedule, date, now],
        )
        .await?;
    Ok(changed == 1)
}

fn occurrence(row: &Row) -> Result<Occurrence, StoreError> {
    Ok(Occurrence {
        schedule: row.get("schedule")?,
        civil_date: row.get("civil_date")?,
        state: word(row, "state", OccurrenceState::parse)?,
        due_at: row.get("due_at")?,
        note: row.get("note")?,
    })
}

/// The newest occurrences of every schedule, newest first.
///
/// # Errors
/// When the engine refuses.
pub async fn list_occurrences(
    tx: &mut Tx,
    account: &AccountId,
    limit: u32,
) -> Result<Vec<Occurrence>, StoreError> {
    tx.rows(
        "SELECT schedule, civil_date, state, due_at, note FROM occurrence
         WHERE account_id = $1 ORDER BY civil_date DESC, schedule LIMIT $2",
        args![account, limit],
    )
    .await?
    .iter()
    .map(occurrence)
    .collect()
}
