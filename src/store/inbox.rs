//! Files that came in: each is read once, by its bytes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::archive::{Kind, Note};
use super::{StoreError, Tx, blob};
use crate::args;
use crate::ids::AccountId;
use crate::problem::Problem;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxFile {
    pub sha256: String,
    /// `inbox` or a forwarder's id.
    pub origin: String,
    pub name: String,
    /// `decisions`, `receipts`, `quarantine`.
    pub kind: String,
    pub problems: Vec<Problem>,
    pub read_at: DateTime<Utc>,
}

/// Hashes of everything that was read before.
///
/// # Errors
/// When the engine refuses.
pub async fn known(tx: &mut Tx, account: &AccountId) -> Result<BTreeSet<String>, StoreError> {
    tx.rows(
        "SELECT sha256 FROM inbox_file WHERE account_id = $1",
        args![account],
    )
    .await?
    .iter()
    .map(|row| row.get("sha256"))
    .collect()
}

/// Keeps the bytes and remembers that they were read. Returns false when they were read before.
///
/// # Errors
/// When the engine refuses.
pub async fn remember(
    tx: &mut Tx,
    account: &AccountId,
    file: &InboxFile,
    bytes: &[u8],
) -> Result<bool, StoreError> {
    blob::put(tx, account, "inbox", bytes, file.read_at).await?;
    let problems = serde_json::to_string(&file.problems).map_err(|error| StoreError::Corrupt {
        what: "problems".to_owned(),
        why: error.to_string(),
    })?;
    let new = tx
        .execute(
            "INSERT INTO inbox_file (account_id, sha256, origin, name, kind, problems, read_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, sha256) DO NOTHING",
            args![
                account,
                &file.sha256,
                &file.origin,
                &file.name,
                &file.kind,
                problems,
                file.read_at
            ],
        )
        .await?;
    if new == 1 {
        let subject = format!("inbox/{}/{}", file.origin, file.name);
        tx.note(account, Note::new(Kind::Received, subject, &file.sha256, file.read_at));
    }
    Ok(new == 1)
}
