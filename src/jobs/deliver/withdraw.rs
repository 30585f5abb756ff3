//! Taking back: what has not left stays here, what has left is followed by a cancel file.

use chrono::{DateTime, Utc};

use crate::delivery::{Channel, NameError, State, check_remote_name};
use crate::ids::AccountId;
use crate::store::outbox::{self, Change, Enqueued, Message, NewMessage};
use crate::store::{StoreError, Tx};

/// The name and the text of a cancel file, as the forwarder wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelNote<'a> {
    /// `{name}` and `{stem}` of the file taken back are filled in.
    pub name: &'a str,
    /// `{name}`, `{sha256}`, `{reason}` and `{date}` are filled in.
    pub text: &'a str,
}

/// What became of the wish.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawn {
    /// It had not left, and will not.
    Kept {
        from: State,
    },
    /// It had left, or may have: a cancel file follows it.
    Followed {
        from: State,
        business_key: String,
        name: String,
    },
    /// A cancel file was written before; there is one.
    Already {
        business_key: String,
        state: State,
    },
    /// A mail that has left cannot be taken back, and one being sent belongs to its worker.
    NotFrom(State),
    Unknown,
}

#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    #[error("the cancel file's name cannot be used")]
    Name(#[from] NameError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Key of the cancel file of a message: one each, for ever.
#[must_use]
pub fn cancel_key(business_key: &str) -> String {
    format!("cancel/{business_key}")
}

/// Withdraws a message. One that was sent as a file is followed by one cancel file, which leaves after it.
///
/// # Errors
/// When the store refuses, or the declared name is no file name.
pub async fn withdraw(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
    reason: &str,
    note: CancelNote<'_>,
    now: DateTime<Utc>,
) -> Result<Withdrawn, WithdrawError> {
    let Some(message) = outbox::find(tx, account, business_key).await? else {
        return Ok(Withdrawn::Unknown);
    };
    let from = message.state;
    // The rename was under way when the connection broke: nobody has looked since.
    let may_be_there = message.handed_at.is_some() && matches!(from, State::Due | State::Refused);
    let is_file = !matches!(message.channel, Channel::Mail | Channel::Api);
    if from == State::Sent {
        if !is_file {
            return Ok(Withdrawn::NotFrom(from));
        }
        return follow(tx, account, &message, reason, note, now).await;
    }
    match outbox::withdraw(tx, account, business_key, reason, now).await? {
        Change::Done { from } if is_file && may_be_there => {
            tracing::info!(business_key, %from, "withdrawn, and may be there");
            follow(tx, account, &message, reason, note, now).await
        }
        Change::Done { from } => Ok(Withdrawn::Kept { from }),
        Change::NotFrom(state) => Ok(Withdrawn::NotFrom(state)),
        Change::Unknown => Ok(Withdrawn::Unknown),
    }
}

async fn follow(
    tx: &mut Tx,
    account: &AccountId,
    message: &Message,
    reason: &str,
    note: CancelNote<'_>,
    now: DateTime<Utc>,
) -> Result<Withdrawn, WithdrawError> {
    let business_key = cancel_key(&message.business_key);
    if let Some(there) = outbox::find(tx, account, &business_key).await? {
        return Ok(Withdrawn::Already {
            business_key,
            state: there.state,
        });
    }
    let stem = message
        .remote_name
        .rsplit_once('.')
        .map_or(message.remote_name.as_str(), |(stem, _)| stem);
    let name = note
        .name
        .replace("{name}", &message.remote_name)
        .replace("{stem}", stem);
    check_remote_name(&name)?;
    let text = note
        .text
        .replace("{name}", &message.remote_name)
        .replace("{sha256}", &message.sha256)
        .replace("{date}", &now.format("%Y-%m-%d %H:%M UTC").to_string())
        .replace("{reason}", reason);
    let new = NewMessage {
        business_key: &business_key,
        channel: message.channel,
        target: &message.target,
        remote_name: &name,
        kind: "cancel",
        bytes: text.as_bytes(),
        envelope: None,
        message_id: None,
        // Its number in the target's order is later anyway; one that is not known to be there is waited for by nobody.
        depends_on: (message.state == State::Sent).then_some(message.business_key.as_str()),
        run_after: now,
    };
    Ok(match outbox::enqueue(tx, account, &new, now).await? {
        Enqueued::New => Withdrawn::Followed {
            from: message.state,
            business_key,
            name,
        },
        Enqueued::Already(state) | Enqueued::Taken { state, .. } => {
            Withdrawn::Already { business_key, state }
        }
    })
}
