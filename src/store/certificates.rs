//! Certificates and registrations, and the papers themselves by their SHA-256.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx, blob};
use crate::args;
use crate::ids::AccountId;
use crate::order::Certificate;

/// What an import did with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    New,
    Changed,
    Same,
}

fn corrupt(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: error.to_string(),
    }
}

/// Keeps a certificate, with its paper when there is one; the same bytes are stored once. A row without a paper keeps the
/// one that was given before.
///
/// # Errors
/// When the engine refuses.
pub async fn keep(
    tx: &mut Tx,
    account: &AccountId,
    certificate: &Certificate,
    paper: Option<&[u8]>,
    now: DateTime<Utc>,
) -> Result<Kept, StoreError> {
    let mut certificate = certificate.clone();
    let before = find(tx, account, &certificate).await?;
    certificate.sha256 = match paper {
        Some(bytes) => Some(blob::put(tx, account, "certificate", bytes, now).await?),
        None => {
            if let Some(known) = &before {
                certificate.file_name.clone_from(&known.file_name);
            }
            before.as_ref().and_then(|known| known.sha256.clone())
        }
    };
    let kept = match &before {
        Some(known) if *known == certificate => return Ok(Kept::Same),
        Some(_) => Kept::Changed,
        None => Kept::New,
    };
    let body = serde_json::to_string(&certificate).map_err(|error| corrupt("certificate", &error))?;
    tx.execute(
        "INSERT INTO certificate (account_id, kind, number, country, sha256, body, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, kind, number, country)
         DO UPDATE SET sha256 = excluded.sha256, body = excluded.body, recorded_at = excluded.recorded_at",
        args![
            account,
            &certificate.kind,
            &certificate.number,
            &certificate.country,
            certificate.sha256.as_ref(),
            body,
            now
        ],
    )
    .await?;
    Ok(kept)
}

async fn find(
    tx: &mut Tx,
    account: &AccountId,
    certificate: &Certificate,
) -> Result<Option<Certificate>, StoreError> {
    tx.row(
        "SELECT body FROM certificate WHERE account_id = $1 AND kind = $2 AND number = $3 AND country = $4",
        args![
            account,
            &certificate.kind,
            &certificate.number,
            &certificate.country
        ],
    )
    .await?
    .map(|row| {
        let body: String = row.get("body")?;
        serde_json::from_str(&body).map_err(|error| corrupt("certificate", &error))
    })
    .transpose()
}

/// Every certificate, by type and number.
///
/// # Errors
/// When the engine refuses or a stored one cannot be read.
pub async fn all(tx: &mut Tx, account: &AccountId) -> Result<Vec<Certificate>, StoreError> {
    tx.rows(
        "SELECT body FROM certificate WHERE account_id = $1 ORDER BY kind, number, country",
        args![account],
    )
    .await?
    .iter()
    .map(|row| {
        let body: String = row.get("body")?;
        serde_json::from_str(&body).map_err(|error| corrupt("certificate", &error))
    })
    .collect()
}
