//! Where each stream of each source stands, and the history of pulls.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::args;
use crate::ids::{AccountId, SourceId};
use crate::planner::{DataState, SourceState};
use crate::store::archive::{Kind, Note};
use crate::store::{Row, StoreError, Tx, blob};

/// How a pull of one stream ended. Partial is never success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    Ok,
    Partial,
    Failed,
}

impl PullState {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

/// What is written down when a pull ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullOutcome {
    pub state: PullState,
    pub pages: i64,
    pub rows: i64,
    /// Kind of warning and how often.
    pub warnings: BTreeMap<String, i64>,
    pub problem: Option<String>,
    /// As-of of the data, when the pull came to its end.
    pub as_of: Option<DateTime<Utc>>,
    /// When data older than this counts as stale.
    pub max_age: Duration,
    /// The same run has ended this pull before: its rows are counted anew, and compared with the run before still.
    pub again: bool,
}

/// One line of the history of pulls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    pub source: SourceId,
    pub stream: String,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    /// `running`, `ok`, `partial`, `failed`, `interrupted`.
    pub state: String,
    pub pages: i64,
    pub rows: i64,
    /// JSON object of warning and count.
    pub warnings: String,
    pub problem: Option<String>,
}

/// Notes that a pull starts; it says `running` until [`end_pull`].
///
/// # Errors
/// When the engine refuses.
pub async fn begin_pull(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    stream: &str,
    max_age: Duration,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO pull_history (account_id, source, stream, started_at, state, pages, row_count, warnings)
         VALUES ($1, $2, $3, $4, 'running', 0, 0, '{}')
         ON CONFLICT (account_id, source, stream, started_at) DO UPDATE SET state = 'running', ended_at = NULL",
        args![account, source, stream, now],
    )
    .await?;
    tx.execute(
        "INSERT INTO source_stream (account_id, source, stream, max_age_ms, state) VALUES ($1, $2, $3, $4, 'running')
         ON CONFLICT (account_id, source, stream) DO UPDATE SET state = 'running', max_age_ms = excluded.max_age_ms",
        args![account, source, stream, max_age.num_milliseconds()],
    )
    .await?;
    Ok(())
}

/// Closes the pull that started at `started`.
///
/// # Errors
/// When there is no such pull or the engine refuses.
pub async fn end_pull(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    stream: &str,
    (started, now): (DateTime<Utc>, DateTime<Utc>),
    outcome: &PullOutcome,
) -> Result<(), StoreError> {
    let warnings = serde_json::to_string(&outcome.warnings).map_err(|error| StoreError::Corrupt {
        what: "warnings".to_owned(),
        why: error.to_string(),
    })?;
    tx.execute_exactly(
        1,
        "UPDATE pull_history SET ended_at = $5, state = $6, pages = $7, row_count = $8, warnings = $9, problem = $10
         WHERE account_id = $1 AND source = $2 AND stream = $3 AND started_at = $4",
        args![
            account,
            source,
            stream,
            started,
            now,
            outcome.state.code(),
            outcome.pages,
            outcome.rows,
            warnings,
            outcome.problem.clone()
        ],
    )
    .await?;
    let (rows, as_of) = match outcome.state {
        PullState::Ok => (Some(outcome.rows), outcome.as_of),
        // Up to there everything was asked for; what is missing before it stands in the problem and in the gaps.
        PullState::Partial => (None, outcome.as_of),
        PullState::Failed => (None, None),
    };
    tx.execute_exactly(
        1,
        "UPDATE source_stream SET state = $4, problem = $5, as_of = COALESCE($6, as_of),
             rows_before = CASE WHEN $7 IS NULL OR $9 = 1 THEN rows_before ELSE last_rows END,
             last_rows = COALESCE($7, last_rows), max_age_ms = $8
         WHERE account_id = $1 AND source = $2 AND stream = $3",
        args![
            account,
            source,
            stream,
            outcome.state.code(),
            outcome.problem.clone(),
            as_of,
            rows,
            outcome.max_age.num_milliseconds(),
            outcome.again
        ],
    )
    .await
}

/// A pull still `running` when no process can be running it was cut off: says so. Call at start, before any pull.
///
/// # Errors
/// When the engine refuses.
pub async fn mark_interrupted(
    tx: &mut Tx,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    const WHY: &str = "the process ended before the pull did";
    tx.execute(
        "UPDATE source_stream SET state = 'interrupted', problem = $2 WHERE account_id = $1 AND state = 'running'",
        args![account, WHY],
    )
    .await?;
    tx.execute(
        "UPDATE pull_history SET state = 'interrupted', ended_at = $2, problem = $3
         WHERE account_id = $1 AND state = 'running'",
        args![account, now, WHY],
    )
    .await
}

/// The newest pulls first.
///
/// # Errors
/// When the engine refuses.
pub async fn history(tx: &mut Tx, account: &AccountId, limit: u32) -> Result<Vec<HistoryRow>, StoreError> {
    tx.rows(
        "SELECT source, stream, started_at, ended_at, state, pages, row_count, warnings, problem FROM pull_history
         WHERE account_id = $1 ORDER BY started_at DESC, source, stream LIMIT $2",
        args![account, limit],
    )
    .await?
    .iter()
    .map(told)
    .collect()
}

/// The pulls that have not ended, or were cut off and not begun again.
///
/// # Errors
/// When the engine refuses.
pub async fn running(tx: &mut Tx, account: &AccountId) -> Result<Vec<HistoryRow>, StoreError> {
    tx.rows(
        "SELECT source, stream, started_at, ended_at, state, pages, row_count, warnings, problem FROM pull_history
         WHERE account_id = $1 AND state = 'running' ORDER BY started_at, source, stream",
        args![account],
    )
    .await?
    .iter()
    .map(told)
    .collect()
}

fn told(row: &Row) -> Result<HistoryRow, StoreError> {
    Ok(HistoryRow {
        source: row.get("source")?,
        stream: row.get("stream")?,
        started_at: row.get("started_at")?,
        ended_at: row.get("ended_at")?,
        state: row.get("state")?,
        pages: row.get("pages")?,
        rows: row.get("row_count")?,
        warnings: row.get("warnings")?,
        problem: row.get("problem")?,
    })
}

/// What a stream keeps of its own between pulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamNote {
    /// What it goes on from: cursor, report under way, windows to ask again. Saved with the rows it speaks for.
    Resume,
    /// What a pull had counted when it was cut off or ended. Saved with the resume state or the end it belongs to.
    Progress,
}

/// # Errors
/// When the engine refuses.
pub async fn stream_note(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    stream: &str,
    note: StreamNote,
) -> Result<Option<String>, StoreError> {
    tx.row(
        "SELECT resume, progress FROM source_stream WHERE account_id = $1 AND source = $2 AND stream = $3",
        args![account, source, stream],
    )
    .await?
    .map_or(Ok(None), |row| {
        row.get(match note {
            StreamNote::Resume => "resume",
            StreamNote::Progress => "progress",
        })
    })
}

/// # Errors
/// When the stream was never begun or the engine refuses.
pub async fn save_stream_note(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    stream: &str,
    note: StreamNote,
    text: &str,
) -> Result<(), StoreError> {
    let sql = match note {
        StreamNote::Resume => {
            "UPDATE source_stream SET resume = $4 WHERE account_id = $1 AND source = $2 AND stream = $3"
        }
        StreamNote::Progress => {
            "UPDATE source_stream SET progress = $4 WHERE account_id = $1 AND source = $2 AND stream = $3"
        }
    };
    tx.execute_exactly(1, sql, args![account, source, stream, text])
        .await
}

/// Keeps an answer as it came, once per content.
///
/// # Errors
/// When the engine refuses.
pub async fn keep_raw_page(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    stream: &str,
    bytes: &[u8],
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    let sha256 = blob::put(tx, account, "page", bytes, now).await?;
    let new = tx.execute(
        "INSERT INTO raw_page (account_id, source, stream, sha256, first_seen) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, source, stream, sha256) DO NOTHING",
        args![account, source, stream, &sha256, now],
    )
    .await?;
    if new == 1 {
        let subject = format!("page/{source}/{stream}");
        tx.note(account, Note::new(Kind::Page, subject, &sha256, now));
    }
    Ok(sha256)
}

/// Freshness of every stream, as a plan shows it.
///
/// # Errors
/// When the engine refuses.
pub async fn source_states(
    tx: &mut Tx,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<Vec<SourceState>, StoreError> {
    let rows = tx
        .rows(
            "SELECT source, stream, as_of, max_age_ms, last_rows, rows_before, state, problem FROM source_stream
             WHERE account_id = $1 ORDER BY source, stream",
            args![account],
        )
        .await?;
    let mut gaps = missing_days(tx, account).await?;
    rows.iter()
        .map(|row| {
            let source: SourceId = row.get("source")?;
            let as_of: Option<DateTime<Utc>> = row.get("as_of")?;
            let max_age = Duration::milliseconds(row.get("max_age_ms")?);
            let last: String = row.get("state")?;
            let state = match as_of {
                None => DataState::Missing,
                Some(as_of) if now - as_of > max_age => DataState::Stale,
                Some(_) if matches!(last.as_str(), "ok" | "running") => DataState::Complete,
                Some(_) if last == "partial" => DataState::Incomplete,
                Some(_) => DataState::Stale,
            };
            let stream: String = row.get("stream")?;
            Ok(SourceState {
                missing_days: gaps.remove(&(source.clone(), stream.clone())).unwrap_or_default(),
                source,
                stream,
                state,
                as_of,
                rows: row.get("last_rows")?,
                rows_before: row.get("rows_before")?,
                problem: row.get("problem")?,
            })
        })
        .collect()
}

/// Days between a stream's first and last covered day that it has not completely answered for; the last day itself
/// is still running and no gap.
async fn missing_days(
    tx: &mut Tx,
    account: &AccountId,
) -> Result<BTreeMap<(SourceId, String), Vec<NaiveDate>>, StoreError> {
    let mut days: BTreeMap<(SourceId, String), BTreeMap<NaiveDate, bool>> = BTreeMap::new();
    for row in tx
        .rows(
            "SELECT source, stream, day, state FROM source_day WHERE account_id = $1 ORDER BY source, day",
            args![account],
        )
        .await?
    {
        days.entry((row.get("source")?, row.get("stream")?))
            .or_default()
            .insert(row.get("day")?, row.get::<String>("state")? == "complete");
    }
    Ok(days
        .into_iter()
        .map(|(source, days)| {
            let first = days.first_key_value().map(|(day, _)| *day);
            let last = days.last_key_value().map(|(day, _)| *day);
            let missing = first
                .zip(last)
                .map(|(first, last)| {
                    first
                        .iter_days()
                        .take_while(|day| *day < last)
                        .filter(|day| days.get(day) != Some(&true))
                        .collect()
                })
                .unwrap_or_default();
            (source, missing)
        })
        .collect())
}
