//! Who is logged in to the web page. The token is only in the browser; here stands its hash.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx};
use crate::args;
use crate::ids::AccountId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub token_sha256: String,
    pub user: String,
    /// Says which password or token the login was made with.
    pub credential: String,
    pub expires_at: DateTime<Utc>,
}

/// Remembers a login, and forgets those of the account that have ended.
///
/// # Errors
/// When the engine refuses.
pub async fn begin(
    tx: &mut Tx,
    account: &AccountId,
    session: &Session,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM web_session WHERE account_id = $1 AND expires_at <= $2",
        args![account, now],
    )
    .await?;
    tx.execute_exactly(
        1,
        "INSERT INTO web_session (account_id, token_sha256, user_name, credential, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![
            account,
            &session.token_sha256,
            &session.user,
            &session.credential,
            now,
            session.expires_at
        ],
    )
    .await
}

/// The session of a token that has not ended.
///
/// # Errors
/// When the engine refuses.
pub async fn find(
    tx: &mut Tx,
    account: &AccountId,
    token_sha256: &str,
    now: DateTime<Utc>,
) -> Result<Option<Session>, StoreError> {
    tx.row(
        "SELECT token_sha256, user_name, credential, expires_at FROM web_session
         WHERE account_id = $1 AND token_sha256 = $2 AND expires_at > $3",
        args![account, token_sha256, now],
    )
    .await?
    .map(|row| {
        Ok(Session {
            token_sha256: row.get("token_sha256")?,
            user: row.get("user_name")?,
            credential: row.get("credential")?,
            expires_at: row.get("expires_at")?,
        })
    })
    .transpose()
}

/// Ends a session; true when it was there.
///
/// # Errors
/// When the engine refuses.
pub async fn end(tx: &mut Tx, account: &AccountId, token_sha256: &str) -> Result<bool, StoreError> {
    let ended = tx
        .execute(
            "DELETE FROM web_session WHERE account_id = $1 AND token_sha256 = $2",
            args![account, token_sha256],
        )
        .await?;
    Ok(ended == 1)
}
