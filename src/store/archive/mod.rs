//! The archive (R72): what was written, sent, received and decided, chained by hash.
//!
//! Whoever stores a thing notes it on the transaction with [`Tx::note`]. The entries are written when that
//! transaction commits, so that an entry and its thing are there together or not at all, and so that the row of the
//! chain's end, which all writers of an account share, is locked for the last moment of a transaction only.

mod chain;
mod dossier;
mod export;
mod retention;
mod things;
mod verify;

pub use chain::{Entry, GENESIS, Kind, Note, link};
pub use dossier::{Dossier, DossierError, read_dossier};
pub use export::export_order;
pub use retention::{Due, Hold, Retained, RetentionRun, holds, lift_hold, place_hold, retain};
pub use things::event_subject;
pub use verify::{Deletions, Fault, Verified, deletions, verify};

use std::collections::{BTreeMap, BTreeSet};

use super::{Row, StoreError, Tx, Value};
use crate::args;
use crate::ids::AccountId;

impl Tx {
    /// Notes a thing for the archive: its entry is written when this transaction commits.
    pub fn note(&mut self, account: &AccountId, note: Note) {
        self.noted.push((account.clone(), note));
    }
}

/// Writes the entries of everything noted. Accounts are taken in order, so that no two transactions wait for each
/// other's chain.
pub(super) async fn flush(tx: &mut Tx) -> Result<(), StoreError> {
    let mut chains: BTreeMap<AccountId, Vec<Note>> = BTreeMap::new();
    for (account, note) in std::mem::take(&mut tx.noted) {
        chains.entry(account).or_default().push(note);
    }
    for (account, notes) in chains {
        append(tx, &account, notes).await?;
    }
    Ok(())
}

async fn append(tx: &mut Tx, account: &AccountId, mut notes: Vec<Note>) -> Result<(), StoreError> {
    let before = match reserve(tx, account, notes.len()).await? {
        Some(before) => before,
        None => {
            let at = notes.first().map(|note| note.at);
            if begin(tx, account).await? {
                // What stood here before the archive began, and what this transaction itself stored.
                let stood = things::without_entry(tx, account, at).await?;
                let known: BTreeSet<_> = stood.iter().map(identity).collect();
                notes.retain(|note| !known.contains(&identity(note)));
                notes = stood.into_iter().chain(notes).collect();
            }
            reserve(tx, account, notes.len())
                .await?
                .ok_or_else(|| StoreError::Corrupt {
                    what: "archive".to_owned(),
                    why: "its end was neither made nor found".to_owned(),
                })?
        }
    };
    let (mut seq, mut hash) = before;
    let mut rows = Vec::with_capacity(notes.len());
    for note in notes {
        seq += 1;
        let entry = Entry::chained(account.as_str(), seq, note, &hash);
        hash.clone_from(&entry.hash);
        rows.push(values(account, entry));
    }
    tx.insert_many(
        "INSERT INTO archive_entry (account_id, seq, kind, subject, order_no, sha256, previous, hash, recorded_at)",
        &rows,
        "",
    )
    .await?;
    tx.execute_exactly(
        1,
        "UPDATE archive_head SET hash = $3 WHERE account_id = $1 AND seq = $2",
        args![account, seq, hash],
    )
    .await
}

fn identity(note: &Note) -> (Kind, String, String) {
    (note.kind, note.subject.clone(), note.sha256.clone())
}

/// Takes the next numbers and returns where the chain ended; locks the end until the transaction is over.
async fn reserve(
    tx: &mut Tx,
    account: &AccountId,
    count: usize,
) -> Result<Option<(i64, String)>, StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let row = tx
        .row(
            "UPDATE archive_head SET seq = seq + $2 WHERE account_id = $1 RETURNING seq, hash",
            args![account, count],
        )
        .await?;
    row.map(|row| Ok((row.get::<i64>("seq")? - count, row.get("hash")?)))
        .transpose()
}

/// Makes the end of an empty chain; false when another process has just made it.
async fn begin(tx: &mut Tx, account: &AccountId) -> Result<bool, StoreError> {
    let made = tx
        .execute(
            "INSERT INTO archive_head (account_id, chain, seq, hash) VALUES ($1, 'main', 0, $2)
             ON CONFLICT (account_id, chain) DO NOTHING",
            args![account, GENESIS],
        )
        .await?;
    Ok(made == 1)
}

fn values(account: &AccountId, entry: Entry) -> Vec<Value> {
    args![
        account,
        entry.seq,
        entry.kind,
        entry.subject,
        entry.order,
        entry.sha256,
        entry.previous,
        entry.hash,
        entry.at
    ]
    .to_vec()
}

const COLUMNS: &str = "seq, kind, subject, order_no, sha256, previous, hash, recorded_at";

fn entry(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        seq: row.get("seq")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        order: row.get("order_no")?,
        sha256: row.get("sha256")?,
        previous: row.get("previous")?,
        hash: row.get("hash")?,
        at: row.get("recorded_at")?,
    })
}

/// Number and hash of the newest entry; `None` before anything was archived.
///
/// # Errors
/// When the engine refuses.
pub async fn head(tx: &mut Tx, account: &AccountId) -> Result<Option<(i64, String)>, StoreError> {
    tx.row(
        "SELECT seq, hash FROM archive_head WHERE account_id = $1",
        args![account],
    )
    .await?
    .map(|row| Ok((row.get("seq")?, row.get("hash")?)))
    .transpose()
}

/// Entries after `after`, at most `most`, in the order of the chain.
///
/// # Errors
/// When the engine refuses.
pub async fn entries(
    tx: &mut Tx,
    account: &AccountId,
    after: i64,
    most: u32,
) -> Result<Vec<Entry>, StoreError> {
    tx.rows(
        format!(
            "SELECT {COLUMNS} FROM archive_entry WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
        ),
        args![account, after, most],
    )
    .await?
    .iter()
    .map(entry)
    .collect()
}
