//! Files that came in: each is read once, by its bytes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::archive::{Kind, Note};
use super::{Row, StoreError, Tx, blob};
use crate::args;
use crate::ids::{AccountId, OrderNo};
use crate::mapping::inbound::Reading;
use crate::problem::Problem;

/// The kind of a file nobody could read.
pub const QUARANTINE: &str = "quarantine";
/// The kind of one that a person put aside.
pub const DROPPED: &str = "dropped";

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxFile {
    pub sha256: String,
    /// `inbox`, `cli` or a forwarder's id.
    pub origin: String,
    pub name: String,
    /// `decisions`, `receipts`, the kind of an inbound mapping, `quarantine`, `dropped`.
    pub kind: String,
    pub problems: Vec<Problem>,
    /// What the inbound mappings read.
    pub facts: Vec<Reading>,
    /// Of a file nobody could read: its first rows, escaped.
    pub first_rows: Vec<String>,
    pub read_at: DateTime<Utc>,
}

/// How a file that waits looked when it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub name: String,
    pub size: i64,
    /// Unix milliseconds.
    pub modified: i64,
}

/// A look at a file that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    pub look: Look,
    /// When it was first seen so.
    pub since: DateTime<Utc>,
    /// Its bytes, when they were taken and it stays where it is.
    pub sha256: Option<String>,
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

/// Whether a file of these bytes was read before.
///
/// # Errors
/// When the engine refuses.
pub async fn is_known(tx: &mut Tx, account: &AccountId, sha256: &str) -> Result<bool, StoreError> {
    let row = tx
        .row(
            "SELECT sha256 FROM inbox_file WHERE account_id = $1 AND sha256 = $2",
            args![account, sha256],
        )
        .await?;
    Ok(row.is_some())
}

fn json<T: serde::Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| corrupt(what, &error))
}

fn corrupt(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: error.to_string(),
    }
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
    let new = tx
        .execute(
            "INSERT INTO inbox_file (account_id, sha256, origin, name, kind, problems, read_at, facts, first_rows)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account_id, sha256) DO NOTHING",
            args![
                account,
                &file.sha256,
                &file.origin,
                &file.name,
                &file.kind,
                json("problems", &file.problems)?,
                file.read_at,
                json("facts", &file.facts)?,
                json("first rows", &file.first_rows)?
            ],
        )
        .await?;
    if new == 1 {
        let subject = format!("inbox/{}/{}", file.origin, file.name);
        tx.note(
            account,
            Note::new(Kind::Received, subject, &file.sha256, file.read_at),
        );
    }
    Ok(new == 1)
}

/// Changes what a quarantined file is: it was read after all, or put aside. False when it is not in quarantine.
///
/// # Errors
/// When the engine refuses.
pub async fn settle(tx: &mut Tx, account: &AccountId, file: &InboxFile) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE inbox_file SET kind = $3, problems = $4, facts = $5, first_rows = $6
             WHERE account_id = $1 AND sha256 = $2 AND kind = $7",
            args![
                account,
                &file.sha256,
                &file.kind,
                json("problems", &file.problems)?,
                json("facts", &file.facts)?,
                json("first rows", &file.first_rows)?,
                QUARANTINE
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Links a file to an order it speaks of.
///
/// # Errors
/// When the engine refuses, or the order does not exist.
pub async fn link(tx: &mut Tx, account: &AccountId, sha256: &str, order: &OrderNo) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO inbox_link (account_id, order_no, sha256) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, order_no, sha256) DO NOTHING",
        args![account, order, sha256],
    )
    .await?;
    Ok(())
}

const FILE_COLUMNS: &str = "sha256, origin, name, kind, problems, read_at, facts, first_rows";

fn file(row: &Row) -> Result<InboxFile, StoreError> {
    let problems: String = row.get("problems")?;
    // Files of earlier versions have neither.
    let facts: Option<String> = row.get("facts")?;
    let first_rows: Option<String> = row.get("first_rows")?;
    Ok(InboxFile {
        sha256: row.get("sha256")?,
        origin: row.get("origin")?,
        name: row.get("name")?,
        kind: row.get("kind")?,
        problems: serde_json::from_str(&problems).map_err(|error| corrupt("problems", &error))?,
        facts: serde_json::from_str(facts.as_deref().unwrap_or("[]"))
            .map_err(|error| corrupt("facts", &error))?,
        first_rows: serde_json::from_str(first_rows.as_deref().unwrap_or("[]"))
            .map_err(|error| corrupt("first rows", &error))?,
        read_at: row.get("read_at")?,
    })
}

/// Files nobody could read, newest first.
///
/// # Errors
/// When the engine refuses, or a stored row cannot be read back.
pub async fn quarantined(tx: &mut Tx, account: &AccountId) -> Result<Vec<InboxFile>, StoreError> {
    tx.rows(
        format!(
            "SELECT {FILE_COLUMNS} FROM inbox_file WHERE account_id = $1 AND kind = $2
             ORDER BY read_at DESC, sha256"
        ),
        args![account, QUARANTINE],
    )
    .await?
    .iter()
    .map(file)
    .collect()
}

/// The newest files, newest first.
///
/// # Errors
/// When the engine refuses, or a stored row cannot be read back.
pub async fn newest(tx: &mut Tx, account: &AccountId, most: u32) -> Result<Vec<InboxFile>, StoreError> {
    tx.rows(
        format!(
            "SELECT {FILE_COLUMNS} FROM inbox_file WHERE account_id = $1 ORDER BY read_at DESC, sha256 LIMIT $2"
        ),
        args![account, most],
    )
    .await?
    .iter()
    .map(file)
    .collect()
}

/// Files that a hash begins with, or of that name; at most two, for more than one is none.
///
/// # Errors
/// When the engine refuses, or a stored row cannot be read back.
pub async fn find(tx: &mut Tx, account: &AccountId, given: &str) -> Result<Vec<InboxFile>, StoreError> {
    let length = i64::try_from(given.chars().count()).unwrap_or(i64::MAX);
    tx.rows(
        format!(
            "SELECT {FILE_COLUMNS} FROM inbox_file WHERE account_id = $1 AND (substr(sha256, 1, {length}) = $2 OR name = $2)
             ORDER BY read_at DESC, sha256 LIMIT 2"
        ),
        args![account, given],
    )
    .await?
    .iter()
    .map(file)
    .collect()
}

/// Files that speak of an order, oldest first.
///
/// # Errors
/// When the engine refuses, or a stored row cannot be read back.
pub async fn of_order(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Vec<InboxFile>, StoreError> {
    tx.rows(
        "SELECT f.sha256 AS sha256, f.origin AS origin, f.name AS name, f.kind AS kind, f.problems AS problems,
             f.read_at AS read_at, f.facts AS facts, f.first_rows AS first_rows
         FROM inbox_link l JOIN inbox_file f ON f.account_id = l.account_id AND f.sha256 = l.sha256
         WHERE l.account_id = $1 AND l.order_no = $2 ORDER BY f.read_at, f.sha256",
        args![account, order],
    )
    .await?
    .iter()
    .map(file)
    .collect()
}

/// Orders by the file that speaks of them.
///
/// # Errors
/// When the engine refuses.
pub async fn links(tx: &mut Tx, account: &AccountId) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in tx
        .rows(
            "SELECT sha256, order_no FROM inbox_link WHERE account_id = $1 ORDER BY sha256, order_no",
            args![account],
        )
        .await?
    {
        links
            .entry(row.get("sha256")?)
            .or_default()
            .push(row.get("order_no")?);
    }
    Ok(links)
}

/// How the waiting files of an origin look, and since when.
///
/// # Errors
/// When the engine refuses.
pub async fn looks(tx: &mut Tx, account: &AccountId, origin: &str) -> Result<Vec<Looked>, StoreError> {
    tx.rows(
        "SELECT name, size, modified, seen_at, sha256 FROM inbox_look WHERE account_id = $1 AND origin = $2
         ORDER BY name",
        args![account, origin],
    )
    .await?
    .iter()
    .map(|row| {
        let look = Look {
            name: row.get("name")?,
            size: row.get("size")?,
            modified: row.get("modified")?,
        };
        Ok(Looked {
            look,
            since: row.get("seen_at")?,
            sha256: row.get("sha256")?,
        })
    })
    .collect()
}

/// Remembers how the waiting files look and since when, and forgets those that are gone.
///
/// # Errors
/// When the engine refuses.
pub async fn save_looks(
    tx: &mut Tx,
    account: &AccountId,
    origin: &str,
    now_there: &[Looked],
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM inbox_look WHERE account_id = $1 AND origin = $2",
        args![account, origin],
    )
    .await?;
    let rows: Vec<_> = now_there
        .iter()
        .map(|Looked { look, since, sha256 }| {
            let sha256 = sha256.as_deref();
            args![
                account,
                origin,
                &look.name,
                look.size,
                look.modified,
                *since,
                sha256
            ]
            .to_vec()
        })
        .collect();
    tx.insert_many(
        "INSERT INTO inbox_look (account_id, origin, name, size, modified, seen_at, sha256)",
        &rows,
        "ON CONFLICT (account_id, origin, name) DO NOTHING",
    )
    .await?;
    Ok(())
}
