//! Bytes by their SHA-256.

use std::io::{Read as _, Write as _};

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

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
    let known = tx
        .row(
            "SELECT encoding FROM blob WHERE account_id = $1 AND sha256 = $2",
            args![account, &sha256],
        )
        .await?
        .map(|row| row.get::<String>("encoding"))
        .transpose()?;
    // What retention took away and somebody stores anew is there again.
    if known.is_some_and(|encoding| encoding != DELETED) {
        return Ok(sha256);
    }
    let (encoding, stored) = pack(bytes);
    tx.execute(
        "INSERT INTO blob (account_id, sha256, kind, size, encoding, bytes, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, sha256)
         DO UPDATE SET encoding = excluded.encoding, bytes = excluded.bytes WHERE blob.encoding = 'deleted'",
        args![account, &sha256, kind, size, encoding, stored, now],
    )
    .await?;
    Ok(sha256)
}

/// The bytes as they are stored, not hashed: whoever sends them hashes them meanwhile.
///
/// # Errors
/// When they are missing, deleted by retention, or cannot be unpacked.
pub async fn get_unhashed(tx: &mut Tx, account: &AccountId, sha256: &str) -> Result<Vec<u8>, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt {
        what: format!("blob {sha256}"),
        why,
    };
    let row = tx
        .row(
            "SELECT bytes, encoding, size FROM blob WHERE account_id = $1 AND sha256 = $2",
            args![account, sha256],
        )
        .await?
        .ok_or_else(|| corrupt("it is missing".to_owned()))?;
    let (encoding, size): (String, i64) = (row.get("encoding")?, row.get("size")?);
    if encoding == DELETED {
        return Err(corrupt("it was deleted by retention".to_owned()));
    }
    let stored: Vec<u8> = row.get("bytes")?;
    tokio::task::spawn_blocking(move || unpack(&encoding, stored, size))
        .await
        .map_err(|error| corrupt(error.to_string()))?
        .map_err(|error| corrupt(format!("its bytes have changed ({error})")))
}

/// How stored bytes stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Whole,
    /// Taken away by the retention job.
    Deleted,
    Missing,
    /// Not what their name says, and how.
    Changed(String),
}

/// How the bytes of a hash stand, and the bytes when they are whole.
///
/// # Errors
/// When the engine refuses.
pub async fn look(
    tx: &mut Tx,
    account: &AccountId,
    sha256: &str,
) -> Result<(Content, Option<Vec<u8>>), StoreError> {
    let Some(row) = tx
        .row(
            "SELECT bytes, encoding, size FROM blob WHERE account_id = $1 AND sha256 = $2",
            args![account, sha256],
        )
        .await?
    else {
        return Ok((Content::Missing, None));
    };
    let encoding: String = row.get("encoding")?;
    let size: i64 = row.get("size")?;
    if encoding == DELETED {
        return Ok((Content::Deleted, None));
    }
    let stored: Vec<u8> = row.get("bytes")?;
    if stored.len() < LONG {
        return Ok(open(&encoding, stored, size, sha256));
    }
    let name = sha256.to_owned();
    let opened = tokio::task::spawn_blocking(move || open(&encoding, stored, size, &name)).await;
    opened.map_err(|error| StoreError::Corrupt {
        what: format!("blob {sha256}"),
        why: error.to_string(),
    })
}

/// Bytes as they are stored, to be unpacked and checked where there is time for it.
#[derive(Debug)]
pub struct Packed {
    sha256: String,
    encoding: String,
    size: i64,
    bytes: Vec<u8>,
}

impl Packed {
    /// # Errors
    /// When they were deleted by retention, or changed since they were stored.
    pub fn open(self) -> Result<Vec<u8>, StoreError> {
        let why = match self.encoding.as_str() {
            DELETED => "it was deleted by retention".to_owned(),
            encoding => match open(encoding, self.bytes, self.size, &self.sha256) {
                (Content::Changed(why), _) => why,
                (_, Some(bytes)) => return Ok(bytes),
                (_, None) => "it is missing".to_owned(),
            },
        };
        Err(StoreError::Corrupt {
            what: format!("blob {}", self.sha256),
            why,
        })
    }
}

/// The bytes of a hash, not yet unpacked.
///
/// # Errors
/// When they are missing.
pub async fn packed(tx: &mut Tx, account: &AccountId, sha256: &str) -> Result<Packed, StoreError> {
    let row = tx
        .row(
            "SELECT bytes, encoding, size FROM blob WHERE account_id = $1 AND sha256 = $2",
            args![account, sha256],
        )
        .await?
        .ok_or_else(|| StoreError::Corrupt {
            what: format!("blob {sha256}"),
            why: "it is missing".to_owned(),
        })?;
    Ok(Packed {
        sha256: sha256.to_owned(),
        encoding: row.get("encoding")?,
        size: row.get("size")?,
        bytes: row.get("bytes")?,
    })
}

/// Unpacking and hashing so much takes long enough to be kept away from what else the thread has to do.
const LONG: usize = 1 << 20;

fn open(encoding: &str, stored: Vec<u8>, size: i64, sha256: &str) -> (Content, Option<Vec<u8>>) {
    match unpack(encoding, stored, size) {
        Ok(bytes) if sha256_hex(&bytes) == sha256 => (Content::Whole, Some(bytes)),
        Ok(_) => (Content::Changed("its bytes have changed".to_owned()), None),
        Err(error) => (
            Content::Changed(format!("its bytes have changed ({error})")),
            None,
        ),
    }
}

/// The bytes, checked against their name.
///
/// # Errors
/// When they are missing, deleted by retention, or changed since they were stored.
pub async fn get(tx: &mut Tx, account: &AccountId, sha256: &str) -> Result<Vec<u8>, StoreError> {
    let why = match look(tx, account, sha256).await? {
        (Content::Whole, Some(bytes)) => return Ok(bytes),
        (Content::Whole | Content::Missing, _) => "it is missing".to_owned(),
        (Content::Deleted, _) => "it was deleted by retention".to_owned(),
        (Content::Changed(why), _) => why,
    };
    Err(StoreError::Corrupt {
        what: format!("blob {sha256}"),
        why,
    })
}

/// Takes the bytes away and keeps their name and size. Only the retention job does so, and logs it.
pub(super) async fn delete(tx: &mut Tx, account: &AccountId, sha256: &str) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE blob SET bytes = $3, encoding = $4 WHERE account_id = $1 AND sha256 = $2",
        args![account, sha256, Vec::<u8>::new(), DELETED],
    )
    .await
}

const PLAIN: &str = "plain";
const DEFLATE: &str = "deflate";
const DELETED: &str = "deleted";
/// Below this the saving is not worth a look.
const SMALL: usize = 512;

/// Plans, pages and mails are text and shrink to a tenth; workbooks are zips already and stay as they are.
fn pack(bytes: &[u8]) -> (&'static str, Vec<u8>) {
    if bytes.len() >= SMALL {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
        if encoder.write_all(bytes).is_ok()
            && let Ok(packed) = encoder.finish()
            && packed.len() < bytes.len() - bytes.len() / 10
        {
            return (DEFLATE, packed);
        }
    }
    (PLAIN, bytes.to_vec())
}

fn unpack(encoding: &str, stored: Vec<u8>, size: i64) -> std::io::Result<Vec<u8>> {
    if encoding != DEFLATE {
        return Ok(stored);
    }
    let size = u64::try_from(size).unwrap_or(0);
    let mut bytes = Vec::new();
    // One byte more than promised is enough to see that the promise was wrong; the hash tells the rest.
    DeflateDecoder::new(stored.as_slice())
        .take(size + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_shrinks_noise_stays_and_both_come_back() {
        let text = "shipped = moving + received + closed short\n"
            .repeat(100)
            .into_bytes();
        // Hashes in hex would shrink by half; as numbers they do not.
        let noise: Vec<u8> = (0..400_u32)
            .flat_map(|n| {
                let hash = sha256_hex(&n.to_be_bytes());
                let word = u64::from_str_radix(&hash[..16], 16).unwrap_or(0);
                word.to_be_bytes()
            })
            .collect();
        for (bytes, expected) in [(text, DEFLATE), (noise, PLAIN), (Vec::new(), PLAIN)] {
            let (encoding, stored) = pack(&bytes);
            assert_eq!(encoding, expected);
            let size = i64::try_from(bytes.len()).unwrap();
            assert_eq!(unpack(encoding, stored, size).unwrap(), bytes);
        }
    }
}
