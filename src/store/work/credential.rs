//! One token for all processes: who may ask for the next one, and what came of it.
//!
//! A refresh token that works once must never be sent twice at once, and the one that comes back must never be lost.
//! A row is claimed before the request leaves and settled with the answer in one statement each. A claim that ran out
//! was somebody who died in between: whether the server has used the token up is then unknown, and the row says so.

use chrono::{DateTime, Duration, Utc};

use crate::args;
use crate::ids::{AccountId, SourceId};
use crate::store::{StoreError, Tx};

/// Whose token: a source of an account, under one authorisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub account: AccountId,
    pub source: SourceId,
    pub origin: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ready,
    Asking,
    /// The token was used up and the next one never reached us: only a new authorisation helps.
    Lost,
}

/// The row as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub state: State,
    pub fence: i64,
    pub owner: Option<String>,
    pub lease_until: Option<DateTime<Utc>>,
    pub unclear_at: Option<DateTime<Utc>>,
    pub sealed: Option<Vec<u8>>,
}

/// The right to ask, until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub fence: i64,
    pub unclear_at: Option<DateTime<Utc>>,
    pub sealed: Option<Vec<u8>>,
}

/// # Errors
/// When the engine refuses.
pub async fn read(tx: &mut Tx, key: &Key) -> Result<Option<Credential>, StoreError> {
    let row = tx
        .row(
            "SELECT state, fence, owner, lease_until, unclear_at, sealed FROM credential
             WHERE account_id = $1 AND source = $2 AND origin = $3",
            args![&key.account, &key.source, &key.origin],
        )
        .await?;
    row.map(|row| {
        Ok(Credential {
            state: super::word(&row, "state", |word| match word {
                "ready" => Some(State::Ready),
                "asking" => Some(State::Asking),
                "lost" => Some(State::Lost),
                _ => None,
            })?,
            fence: row.get("fence")?,
            owner: row.get("owner")?,
            lease_until: row.get("lease_until")?,
            unclear_at: row.get("unclear_at")?,
            sealed: row.get("sealed")?,
        })
    })
    .transpose()
}

/// Takes the right to ask; `None` when somebody else has it, or has got a token since `seen` (the fence of the row that
/// was read, 0 when there was none).
///
/// # Errors
/// When the engine refuses.
pub async fn claim(
    tx: &mut Tx,
    key: &Key,
    seen: i64,
    owner: &str,
    (now, lease): (DateTime<Utc>, Duration),
) -> Result<Option<Claim>, StoreError> {
    let row = tx
        .row(
            "INSERT INTO credential (account_id, source, origin, state, fence, owner, lease_until, updated_at)
             VALUES ($1, $2, $3, 'asking', 1, $4, $5, $6)
             ON CONFLICT (account_id, source, origin) DO UPDATE SET
                 state = 'asking', fence = credential.fence + 1, owner = excluded.owner,
                 lease_until = excluded.lease_until, updated_at = excluded.updated_at,
                 unclear_at = CASE WHEN credential.state = 'asking' AND credential.unclear_at IS NULL
                     THEN credential.updated_at ELSE credential.unclear_at END
             WHERE (credential.state = 'ready' AND credential.fence = $7)
                OR (credential.state = 'asking' AND credential.lease_until <= excluded.updated_at)
             RETURNING fence, unclear_at, sealed",
            args![
                &key.account,
                &key.source,
                &key.origin,
                owner,
                now + lease,
                now,
                seen
            ],
        )
        .await?;
    row.map(|row| {
        Ok(Claim {
            fence: row.get("fence")?,
            unclear_at: row.get("unclear_at")?,
            sealed: row.get("sealed")?,
        })
    })
    .transpose()
}

/// Stores what the server gave; false when somebody else has asked since. What a late one brings is taken all the same
/// where the token was thought lost: then it is the only living one.
///
/// # Errors
/// When the engine refuses.
pub async fn settle(
    tx: &mut Tx,
    key: &Key,
    fence: i64,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    tx.execute(
        "UPDATE credential SET state = 'ready', sealed = $5, owner = NULL, lease_until = NULL, unclear_at = NULL,
             updated_at = $6
         WHERE account_id = $1 AND source = $2 AND origin = $3 AND (fence = $4 OR state = 'lost')",
        args![&key.account, &key.source, &key.origin, fence, sealed, now],
    )
    .await
    .map(|changed| changed == 1)
}

/// Gives the right back without a token.
///
/// # Errors
/// When the engine refuses.
pub async fn release(
    tx: &mut Tx,
    key: &Key,
    fence: i64,
    (lost, unclear_at): (bool, Option<DateTime<Utc>>),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let state = if lost { "lost" } else { "ready" };
    tx.execute(
        "UPDATE credential SET state = $5, owner = NULL, lease_until = NULL, unclear_at = $6, updated_at = $7
         WHERE account_id = $1 AND source = $2 AND origin = $3 AND fence = $4",
        args![
            &key.account,
            &key.source,
            &key.origin,
            fence,
            state,
            unclear_at,
            now
        ],
    )
    .await
    .map(drop)
}
