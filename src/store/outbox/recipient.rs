//! What became of each recipient of a mail, and what came back later.

use chrono::{DateTime, Utc};

use super::{COLUMNS, Claim, Message, message, word};
use crate::args;
use crate::delivery::{Bounce, RecipientState};
use crate::ids::AccountId;
use crate::store::{StoreError, Tx};

/// One recipient of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientResult {
    pub recipient: String,
    pub state: RecipientState,
    /// The server's words.
    pub answer: String,
    pub updated_at: DateTime<Utc>,
}

/// Records what the server said about a recipient; to be called before the attempt is finished.
///
/// # Errors
/// When the engine refuses.
pub async fn record_recipient(
    tx: &mut Tx,
    claim: &Claim,
    recipient: &str,
    (state, answer): (RecipientState, &str),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO outbox_recipient (account_id, business_key, recipient, state, answer, attempt, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account_id, business_key, recipient) DO UPDATE SET
             state = excluded.state, answer = excluded.answer, attempt = excluded.attempt,
             updated_at = excluded.updated_at",
        args![
            &claim.account,
            &claim.business_key,
            recipient,
            state.as_str(),
            answer,
            claim.attempt,
            now
        ],
    )
    .await
    .map(drop)
}

/// The recipients that were answered about so far, by address.
///
/// # Errors
/// When the engine refuses.
pub async fn recipients(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
) -> Result<Vec<RecipientResult>, StoreError> {
    tx.rows(
        "SELECT recipient, state, answer, updated_at FROM outbox_recipient
         WHERE account_id = $1 AND business_key = $2 ORDER BY recipient",
        args![account, business_key],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(RecipientResult {
            recipient: row.get("recipient")?,
            state: word(row, "state")?,
            answer: row.get("answer")?,
            updated_at: row.get("updated_at")?,
        })
    })
    .collect()
}

/// A bounce as logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedBounce {
    pub recipient: String,
    pub action: String,
    pub status: String,
    pub diagnostic: String,
    pub received_at: DateTime<Utc>,
}

/// The bounces of a mail, oldest first.
///
/// # Errors
/// When the engine refuses.
pub async fn bounces(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
) -> Result<Vec<LoggedBounce>, StoreError> {
    tx.rows(
        "SELECT recipient, action, status, diagnostic, received_at FROM outbox_bounce
         WHERE account_id = $1 AND business_key = $2 ORDER BY received_at, recipient, report_sha256",
        args![account, business_key],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(LoggedBounce {
            recipient: row.get("recipient")?,
            action: row.get("action")?,
            status: row.get("status")?,
            diagnostic: row.get("diagnostic")?,
            received_at: row.get("received_at")?,
        })
    })
    .collect()
}

/// Mails that came back since an instant, with who did not get them.
///
/// # Errors
/// When the engine refuses.
pub async fn bounced_since(
    tx: &mut Tx,
    account: &AccountId,
    since: DateTime<Utc>,
) -> Result<Vec<(String, LoggedBounce)>, StoreError> {
    tx.rows(
        "SELECT business_key, recipient, action, status, diagnostic, received_at FROM outbox_bounce
         WHERE account_id = $1 AND received_at > $2 AND action = 'failed'
         ORDER BY received_at, business_key, recipient, report_sha256 LIMIT 100",
        args![account, since],
    )
    .await?
    .iter()
    .map(|row| {
        let bounce = LoggedBounce {
            recipient: row.get("recipient")?,
            action: row.get("action")?,
            status: row.get("status")?,
            diagnostic: row.get("diagnostic")?,
            received_at: row.get("received_at")?,
        };
        Ok((row.get("business_key")?, bounce))
    })
    .collect()
}

/// What became of a bounce.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// Written on this message, for so many recipients.
    On { business_key: String, recipients: usize },
    /// The same report was logged before.
    Already { business_key: String },
    /// No mail of ours has that Message-ID.
    Unknown,
}

/// Logs a bounce on the mail it is about. The mail stays as it is: it did leave.
///
/// # Errors
/// When the engine refuses.
pub async fn log_bounce(
    tx: &mut Tx,
    account: &AccountId,
    report_sha256: &str,
    bounce: &Bounce,
    now: DateTime<Utc>,
) -> Result<Logged, StoreError> {
    let mut about = None;
    for id in &bounce.message_ids {
        about = by_message_id(tx, account, id).await?;
        if about.is_some() {
            break;
        }
    }
    let Some(about) = about else {
        return Ok(Logged::Unknown);
    };
    let mut fresh = 0;
    for failed in &bounce.recipients {
        let inserted = tx
            .execute(
                "INSERT INTO outbox_bounce (account_id, report_sha256, recipient, business_key, action, status,
                     diagnostic, received_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (account_id, report_sha256, recipient) DO NOTHING",
                args![
                    account,
                    report_sha256,
                    &failed.recipient,
                    &about.business_key,
                    &failed.action,
                    &failed.status,
                    &failed.diagnostic,
                    now
                ],
            )
            .await?;
        if inserted == 0 {
            continue;
        }
        fresh += 1;
        if failed.is_final() {
            mark_bounced(tx, account, &about, &failed.recipient, &failed.told(), now).await?;
        }
    }
    Ok(if fresh == 0 {
        Logged::Already {
            business_key: about.business_key,
        }
    } else {
        Logged::On {
            business_key: about.business_key,
            recipients: fresh,
        }
    })
}

async fn mark_bounced(
    tx: &mut Tx,
    account: &AccountId,
    about: &Message,
    recipient: &str,
    told: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO outbox_recipient (account_id, business_key, recipient, state, answer, attempt, updated_at)
         VALUES ($1, $2, $3, 'bounced', $4, $5, $6)
         ON CONFLICT (account_id, business_key, recipient) DO UPDATE SET
             state = excluded.state, answer = excluded.answer, updated_at = excluded.updated_at",
        args![account, &about.business_key, recipient, told, about.attempt, now],
    )
    .await?;
    tx.execute_exactly(
        1,
        "UPDATE outbox SET first_error = COALESCE(first_error, $3), last_error = $3, updated_at = $4
         WHERE account_id = $1 AND business_key = $2",
        args![
            account,
            &about.business_key,
            format!("bounced: {recipient}: {told}"),
            now
        ],
    )
    .await
}

/// The mail of that Message-ID, if it is ours.
///
/// # Errors
/// When the engine refuses.
pub async fn by_message_id(
    tx: &mut Tx,
    account: &AccountId,
    message_id: &str,
) -> Result<Option<Message>, StoreError> {
    tx.row(
        format!(
            "SELECT {COLUMNS} FROM outbox WHERE account_id = $1 AND message_id = $2 AND channel = 'mail'
             ORDER BY sequence LIMIT 1"
        ),
        args![account, message_id],
    )
    .await?
    .as_ref()
    .map(message)
    .transpose()
}
