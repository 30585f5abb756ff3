//! What a person does with a message.

use chrono::{DateTime, Utc};

use super::find;
use crate::args;
use crate::delivery::State;
use crate::ids::AccountId;
use crate::store::archive::{Kind, Note};
use crate::store::{StoreError, Tx};

/// Whether a person's wish could be followed.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Done {
        from: State,
    },
    /// The state does not allow it; nothing changed.
    NotFrom(State),
    /// No such message.
    Unknown,
}

/// Makes a doubtful, refused or conflicting message due again.
///
/// # Errors
/// When the engine refuses.
pub async fn retry(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
    now: DateTime<Utc>,
) -> Result<Change, StoreError> {
    let changed = change(
        tx,
        account,
        business_key,
        State::Due,
        "sent again by a person",
        now,
    )
    .await?;
    // The person has looked: a request is made again without asking whether an earlier one arrived.
    tx.execute(
        "UPDATE outbox SET handed_at = NULL
         WHERE account_id = $1 AND business_key = $2 AND channel = 'api' AND state = 'due'",
        args![account, business_key],
    )
    .await?;
    Ok(changed)
}

/// Takes a message back that has not left.
///
/// # Errors
/// When the engine refuses.
pub async fn withdraw(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<Change, StoreError> {
    change(tx, account, business_key, State::Withdrawn, why, now).await
}

/// Records that a doubtful message did arrive: a person, or the other side, has seen it.
///
/// # Errors
/// When the engine refuses.
pub async fn confirm_sent(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
    seen_by: &str,
    now: DateTime<Utc>,
) -> Result<Change, StoreError> {
    change(tx, account, business_key, State::Sent, seen_by, now).await
}

async fn change(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
    to: State,
    note: &str,
    now: DateTime<Utc>,
) -> Result<Change, StoreError> {
    let Some(message) = find(tx, account, business_key).await? else {
        return Ok(Change::Unknown);
    };
    let from = message.state;
    // A lease belongs to its worker: the table allows its results, not a person's wish.
    if from == State::Leased || !from.may_become(to) {
        return Ok(Change::NotFrom(from));
    }
    let receipt = (to == State::Sent).then_some(note);
    let error = (to == State::Withdrawn).then_some(note);
    let sent_at = (to == State::Sent).then_some(now);
    tx.execute_exactly(
        1,
        "UPDATE outbox SET state = $5, run_after = $6, updated_at = $6, receipt = COALESCE($7, receipt),
             last_error = COALESCE($8, last_error), sent_at = $9
         WHERE account_id = $1 AND business_key = $2 AND state = $3 AND attempt = $4",
        args![
            account,
            business_key,
            from.as_str(),
            message.attempt,
            to.as_str(),
            now,
            receipt,
            error,
            sent_at
        ],
    )
    .await?;
    if to == State::Due {
        tx.execute(
            "UPDATE outbox_recipient SET state = 'retry', updated_at = $3
             WHERE account_id = $1 AND business_key = $2 AND state IN ('refused', 'doubtful')",
            args![account, business_key, now],
        )
        .await?;
    }
    if to == State::Sent {
        tx.execute(
            "UPDATE outbox_recipient SET state = 'accepted', answer = $3, updated_at = $4
             WHERE account_id = $1 AND business_key = $2 AND state = 'doubtful'",
            args![account, business_key, note, now],
        )
        .await?;
        tx.note(account, Note::new(Kind::Sent, business_key, &message.sha256, now));
    }
    Ok(Change::Done { from })
}
