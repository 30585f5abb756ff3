//! Bytes by their SHA-256.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx};
use crate::args;
use crate::digest::sha256_hex;
use crate::ids::AccountId;

/// Stores the bytes once and returns their SHA-256.
///
/// # Errors
/// When the engine refuses.
pub async fn put(
    tx: &mut Tx,
    account: &AccountId,
    kind: &str,
    bytes: &[u8],
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    let sha256 = sha256_hex(bytes);
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO blob (account_id, sha256, kind, size, bytes, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, sha256) DO NOTHING",
        args![account, &sha256, kind, size, bytes, now],
    )
    .await?;
    Ok(sha256)
}

/// The bytes, checked against their name.
///
/// # Errors
/// When they are missing, or changed since they were stored.
pub async fn get(tx: &mut Tx, account: &AccountId, sha256: &str) -> Result<Vec<u8>, StoreError> {
    let corrupt = |why: &str| StoreError::Corrupt {
        what: format!("blob {sha256}"),
        why: why.to_owned(),
    };
    let row = tx
        .row(
            "SELECT bytes FROM blob WHERE account_id = $1 AND sha256 = $2",
            args![account, sha256],
        )
        .await?
        .ok_or_else(|| corrupt("it is missing"))?;
    let bytes: Vec<u8> = row.get("bytes")?;
    if sha256_hex(&bytes) == sha256 {
        Ok(bytes)
    } else {
        Err(corrupt("its bytes have changed"))
    }
}
