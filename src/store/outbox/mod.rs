//! Messages that must leave exactly once.
//!
//! Enqueue takes the caller's transaction: the order and its messages appear together or not at all. A worker claims
//! one message of a target at a time, in the order they were enqueued; every later change names the attempt it was
//! claimed with, so a worker that lost its lease can change nothing.

mod claim;
mod person;
mod recipient;
mod server;

pub use claim::{
    BatchLimits, Claim, Lost, claim, claim_batch, find_by_partial, finish, heartbeat, mark_handed,
    requeue_lost, targets_due, unmark_handed,
};
pub use person::{Change, confirm_sent, retry, withdraw};
pub use recipient::{
    Logged, LoggedBounce, RecipientResult, bounced_since, bounces, by_message_id, log_bounce, recipients,
    record_recipient,
};
pub use server::{KnownServer, known_server, remember_server};

use chrono::{DateTime, NaiveDate, Utc};

use super::archive::{Kind, Note};
use super::lease::{self, Attempt};
use super::{Row, StoreError, Tx, blob};
use crate::args;
use crate::delivery::{Channel, State};
use crate::ids::AccountId;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage<'a> {
    /// Says what it is, for ever: `order/SO-0001/packing-list/r1`. The same key never leaves twice.
    pub business_key: &'a str,
    pub channel: Channel,
    /// Forwarder id of an SFTP or folder target, recipient of a mail. Messages of one target leave in order.
    pub target: &'a str,
    /// File name at the other side; the subject for a mail.
    pub remote_name: &'a str,
    /// Kind of the stored bytes, for people who look at them.
    pub kind: &'a str,
    pub bytes: &'a [u8],
    /// Envelope of a mail as JSON: sender and recipients.
    pub envelope: Option<&'a str>,
    /// Message-ID of a mail, the same on every attempt.
    pub message_id: Option<&'a str>,
    /// Business key that must have been sent before.
    pub depends_on: Option<&'a str>,
    /// Not before this instant.
    pub run_after: DateTime<Utc>,
}

/// What became of an enqueue.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    New,
    /// The same key with the same bytes is already there; nothing changed.
    Already(State),
    /// The key is taken by other bytes. Nothing changed: the caller needs a new revision.
    Taken {
        sha256: String,
        state: State,
    },
}

/// A message as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub business_key: String,
    pub channel: Channel,
    pub target: String,
    pub sequence: i64,
    pub depends_on: Option<String>,
    pub remote_name: String,
    pub sha256: String,
    pub size: i64,
    pub envelope: Option<String>,
    pub message_id: Option<String>,
    pub state: State,
    pub attempt: u32,
    pub run_after: DateTime<Utc>,
    pub lease_owner: Option<String>,
    pub lease_until: Option<DateTime<Utc>>,
    pub handed_at: Option<DateTime<Utc>>,
    pub receipt: Option<String>,
    pub first_error: Option<String>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "business_key, channel, target, sequence, depends_on, remote_name, sha256, size, envelope, \
    message_id, state, attempt, run_after, lease_owner, lease_until, handed_at, receipt, first_error, last_error, \
    created_at, updated_at, sent_at";

fn word<T: std::str::FromStr>(row: &Row, column: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| StoreError::Corrupt {
        what: format!("outbox {column}"),
        why: error.to_string(),
    })
}

fn message(row: &Row) -> Result<Message, StoreError> {
    Ok(Message {
        business_key: row.get("business_key")?,
        channel: word(row, "channel")?,
        target: row.get("target")?,
        sequence: row.get("sequence")?,
        depends_on: row.get("depends_on")?,
        remote_name: row.get("remote_name")?,
        sha256: row.get("sha256")?,
        size: row.get("size")?,
        envelope: row.get("envelope")?,
        message_id: row.get("message_id")?,
        state: word(row, "state")?,
        attempt: row.get("attempt")?,
        run_after: row.get("run_after")?,
        lease_owner: row.get("lease_owner")?,
        lease_until: row.get("lease_until")?,
        handed_at: row.get("handed_at")?,
        receipt: row.get("receipt")?,
        first_error: row.get("first_error")?,
        last_error: row.get("last_error")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        sent_at: row.get("sent_at")?,
    })
}

/// Puts a message into the outbox, with its bytes, in the caller's transaction.
///
/// # Errors
/// When the engine refuses, or `depends_on` names no message.
pub async fn enqueue(
    tx: &mut Tx,
    account: &AccountId,
    new: &NewMessage<'_>,
    now: DateTime<Utc>,
) -> Result<Enqueued, StoreError> {
    let sha256 = blob::put(tx, account, new.kind, new.bytes, now).await?;
    if let Some(there) = existing(tx, account, new.business_key, &sha256).await? {
        return Ok(there);
    }
    let sequence = next_sequence(tx, account, new.channel, new.target).await?;
    let size = i64::try_from(new.bytes.len()).unwrap_or(i64::MAX);
    let inserted = tx
        .execute(
            "INSERT INTO outbox (account_id, business_key, channel, target, sequence, depends_on, remote_name,
                 sha256, size, envelope, message_id, state, attempt, run_after, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'due', 0, $12, $13, $13)
             ON CONFLICT (account_id, business_key) DO NOTHING",
            args![
                account,
                new.business_key,
                new.channel.as_str(),
                new.target,
                sequence,
                new.depends_on,
                new.remote_name,
                &sha256,
                size,
                new.envelope,
                new.message_id,
                new.run_after,
                now
            ],
        )
        .await?;
    if inserted == 1 {
        tx.note(account, Note::new(Kind::Message, new.business_key, &sha256, now));
        return Ok(Enqueued::New);
    }
    // Another process enqueued the same key between our look and our insert.
    existing(tx, account, new.business_key, &sha256)
        .await?
        .ok_or_else(|| StoreError::Corrupt {
            what: format!("outbox message `{}`", new.business_key),
            why: "it was neither inserted nor found".to_owned(),
        })
}

async fn existing(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
    sha256: &str,
) -> Result<Option<Enqueued>, StoreError> {
    let Some(there) = find(tx, account, business_key).await? else {
        return Ok(None);
    };
    Ok(Some(if there.sha256 == sha256 {
        Enqueued::Already(there.state)
    } else {
        Enqueued::Taken {
            sha256: there.sha256,
            state: there.state,
        }
    }))
}

async fn next_sequence(
    tx: &mut Tx,
    account: &AccountId,
    channel: Channel,
    target: &str,
) -> Result<i64, StoreError> {
    tx.row(
        "INSERT INTO outbox_target (account_id, channel, target, last_sequence) VALUES ($1, $2, $3, 1)
         ON CONFLICT (account_id, channel, target)
             DO UPDATE SET last_sequence = outbox_target.last_sequence + 1
         RETURNING last_sequence",
        args![account, channel.as_str(), target],
    )
    .await?
    .ok_or_else(|| StoreError::Corrupt {
        what: format!("sequence of target `{target}`"),
        why: "the engine returned no row".to_owned(),
    })?
    .get("last_sequence")
}

/// One message, if it exists.
///
/// # Errors
/// When the engine refuses.
pub async fn find(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
) -> Result<Option<Message>, StoreError> {
    tx.row(
        format!("SELECT {COLUMNS} FROM outbox WHERE account_id = $1 AND business_key = $2"),
        args![account, business_key],
    )
    .await?
    .as_ref()
    .map(message)
    .transpose()
}

/// Messages in the order they were enqueued per target; all states when none is given.
///
/// # Errors
/// When the engine refuses.
pub async fn list(
    tx: &mut Tx,
    account: &AccountId,
    state: Option<State>,
    limit: u32,
) -> Result<Vec<Message>, StoreError> {
    tx.rows(
        format!(
            "SELECT {COLUMNS} FROM outbox WHERE account_id = $1 AND ($2 = '' OR state = $2)
             ORDER BY channel, target, sequence LIMIT $3"
        ),
        args![account, state.map_or("", State::as_str), limit],
    )
    .await?
    .iter()
    .map(message)
    .collect()
}

/// What has left, newest first.
///
/// # Errors
/// When the engine refuses.
pub async fn newest_sent(tx: &mut Tx, account: &AccountId, most: u32) -> Result<Vec<Message>, StoreError> {
    tx.rows(
        format!(
            "SELECT {COLUMNS} FROM outbox WHERE account_id = $1 AND state = 'sent'
             ORDER BY sent_at DESC, business_key LIMIT $2"
        ),
        args![account, most],
    )
    .await?
    .iter()
    .map(message)
    .collect()
}

/// The newest date whose daily mail has left to anybody.
///
/// # Errors
/// When the engine refuses.
pub async fn last_daily(tx: &mut Tx, account: &AccountId) -> Result<Option<NaiveDate>, StoreError> {
    let row = tx
        .row(
            "SELECT MAX(business_key) AS newest FROM outbox
             WHERE account_id = $1 AND state = 'sent' AND business_key LIKE $2",
            args![account, "mail/daily/%"],
        )
        .await?;
    let newest: Option<String> = row.map_or(Ok(None), |row| row.get("newest"))?;
    Ok(newest.and_then(|key| key.split('/').nth(2)?.parse().ok()))
}

/// Messages whose key begins so, in the order they were enqueued per target.
///
/// # Errors
/// When the engine refuses.
pub async fn beginning(tx: &mut Tx, account: &AccountId, prefix: &str) -> Result<Vec<Message>, StoreError> {
    let mut found: Vec<Message> = tx
        .rows(
            format!(
                "SELECT {COLUMNS} FROM outbox WHERE account_id = $1 AND business_key LIKE $2
                 ORDER BY channel, target, sequence"
            ),
            args![account, format!("{prefix}%")],
        )
        .await?
        .iter()
        .map(message)
        .collect::<Result<_, _>>()?;
    // What LIKE takes for a wildcard may stand in a key, and SQLite's knows no case.
    found.retain(|message| message.business_key.starts_with(prefix));
    Ok(found)
}

/// How many messages stand in each state, in the order of the states.
///
/// # Errors
/// When the engine refuses.
pub async fn count_by_state(tx: &mut Tx, account: &AccountId) -> Result<Vec<(State, i64)>, StoreError> {
    let mut counts = tx
        .rows(
            "SELECT state, COUNT(*) AS n FROM outbox WHERE account_id = $1 GROUP BY state",
            args![account],
        )
        .await?
        .iter()
        .map(|row| Ok((word(row, "state")?, row.get("n")?)))
        .collect::<Result<Vec<(State, i64)>, StoreError>>()?;
    counts.sort_unstable();
    Ok(counts)
}

/// The attempts at a message, oldest first.
///
/// # Errors
/// When the engine refuses.
pub async fn attempts(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
) -> Result<Vec<Attempt>, StoreError> {
    tx.rows(
        "SELECT attempt, owner, outcome, error, started_at, ended_at FROM outbox_attempt
         WHERE account_id = $1 AND business_key = $2 ORDER BY attempt",
        args![account, business_key],
    )
    .await
    .and_then(|rows| lease::attempts(&rows))
}
