//! `audit verify`: every entry, every content, and everything that should have an entry.

use std::collections::{BTreeMap, HashSet};

use super::{GENESIS, Kind, entries, head, things};
use crate::args;
use crate::digest::sha256_hex;
use crate::ids::{AccountId, OrderNo};
use crate::store::blob::{self, Content};
use crate::store::{StoreError, Tx};

/// One thing that is not as it was archived.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The entry's number; absent when there is no entry.
    pub seq: Option<i64>,
    pub kind: String,
    pub subject: String,
    pub why: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.seq {
            Some(seq) => write!(f, "entry {seq}")?,
            None => f.write_str("no entry")?,
        }
        write!(f, ", {} `{}`: {}", self.kind, self.subject, self.why)
    }
}

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Verified {
    pub entries: i64,
    /// Contents that were read and hashed.
    pub contents: usize,
    /// Entries whose content the retention job took away, each with the deletion that says so.
    pub deleted: Vec<Fault>,
    pub faults: Vec<Fault>,
    /// Hash of the newest entry: written down elsewhere, it proves later that nothing before it was changed.
    pub head: String,
}

/// What the deletion entries say was taken away: content hash and the day.
pub type Deletions = BTreeMap<String, String>;

const BATCH: u32 = 1_000;

/// Walks the whole chain of an account. Reads only.
///
/// # Errors
/// When the engine refuses; what is wrong with the archive is in the result.
pub async fn verify(tx: &mut Tx, account: &AccountId) -> Result<Verified, StoreError> {
    let mut found = Verified::default();
    let end = head(tx, account).await?;
    let (last, last_hash) = end.clone().unwrap_or((0, GENESIS.to_owned()));
    let deletions = deletions(tx, account).await?;
    let mut checked: HashSet<String> = HashSet::new();
    let (mut seq, mut hash) = (0, GENESIS.to_owned());
    loop {
        let batch = entries(tx, account, seq, BATCH).await?;
        for entry in &batch {
            // Written after this look began.
            if entry.seq > last {
                continue;
            }
            let fault = |why: String| Fault {
                seq: Some(entry.seq),
                kind: entry.kind.clone(),
                subject: entry.subject.clone(),
                why,
            };
            if entry.seq != seq + 1 {
                let gone = match entry.seq - seq - 1 {
                    1 => format!("entry {} before it is missing", seq + 1),
                    _ => format!("entries {}..{} before it are missing", seq + 1, entry.seq - 1),
                };
                found.faults.push(fault(gone));
            } else if entry.previous != hash {
                found
                    .faults
                    .push(fault("it does not follow the entry before it".to_owned()));
            }
            if entry.computed(account.as_str()) != entry.hash {
                found.faults.push(fault(
                    "the entry itself was changed, or moved to another place".to_owned(),
                ));
            }
            if checked.insert(content_key(&entry.kind, &entry.subject, &entry.sha256)) {
                match content(tx, account, &entry.kind, &entry.subject, &entry.sha256).await? {
                    Content::Whole => found.contents += 1,
                    Content::Deleted => {
                        match deletions.get(&entry.sha256) {
                            Some(day) => found
                                .deleted
                                .push(fault(format!("deleted by retention on {day}"))),
                            None => found.faults.push(fault(
                                "its content is gone and no deletion tells of it".to_owned(),
                            )),
                        }
                        // Every entry of a deleted content is told, not only the first.
                        checked.remove(&content_key(&entry.kind, &entry.subject, &entry.sha256));
                    }
                    Content::Missing => found.faults.push(fault("its content is missing".to_owned())),
                    Content::Changed(why) => found.faults.push(fault(why)),
                }
            }
            found.entries += 1;
            seq = entry.seq;
            hash.clone_from(&entry.hash);
        }
        if batch.last().is_none_or(|entry| entry.seq >= last) {
            break;
        }
    }
    if seq != last || hash != last_hash {
        found.faults.push(Fault {
            seq: Some(last),
            kind: "chain".to_owned(),
            subject: "end".to_owned(),
            why: if seq < last {
                format!("the chain should end at entry {last} and ends at {seq}")
            } else {
                "the last entry is not the one the archive ended with".to_owned()
            },
        });
    }
    for note in things::without_entry(tx, account, None).await? {
        found.faults.push(Fault {
            seq: None,
            kind: note.kind.code().to_owned(),
            subject: note.subject,
            why: format!("stored (sha256 {}) but not archived as such", note.sha256),
        });
    }
    found.head = last_hash;
    Ok(found)
}

/// Events have a content of their own each; all else is a blob, read once however many entries name it.
fn content_key(kind: &str, subject: &str, sha256: &str) -> String {
    if kind == Kind::Event.code() {
        format!("{subject} {sha256}")
    } else {
        sha256.to_owned()
    }
}

async fn content(
    tx: &mut Tx,
    account: &AccountId,
    kind: &str,
    subject: &str,
    sha256: &str,
) -> Result<Content, StoreError> {
    if kind != Kind::Event.code() {
        return blob::look(tx, account, sha256).await.map(|(content, _)| content);
    }
    Ok(match event_text(tx, account, subject).await? {
        None => Content::Missing,
        Some(event) if sha256_hex(event.as_bytes()) == sha256 => Content::Whole,
        Some(_) => Content::Changed("its bytes have changed".to_owned()),
    })
}

/// The stored text of an event, found by its subject.
pub(super) async fn event_text(
    tx: &mut Tx,
    account: &AccountId,
    subject: &str,
) -> Result<Option<String>, StoreError> {
    let place = subject
        .strip_prefix("order/")
        .and_then(|rest| rest.rsplit_once("/event/"))
        .and_then(|(order, seq)| Some((OrderNo::new(order).ok()?, seq.parse::<i64>().ok()?)));
    let Some((order, seq)) = place else {
        return Ok(None);
    };
    tx.row(
        "SELECT event FROM order_event WHERE account_id = $1 AND order_no = $2 AND seq = $3",
        args![account, &order, seq],
    )
    .await?
    .map(|row| row.get("event"))
    .transpose()
}

/// What deletions say, from their own archived logs; a log that was changed says nothing.
///
/// # Errors
/// When the engine refuses.
pub async fn deletions(tx: &mut Tx, account: &AccountId) -> Result<Deletions, StoreError> {
    let logs = tx
        .rows(
            "SELECT sha256 FROM archive_entry WHERE account_id = $1 AND kind = $2 ORDER BY seq",
            args![account, Kind::Deletion.code()],
        )
        .await?;
    let mut all = Deletions::new();
    for log in &logs {
        let sha256: String = log.get("sha256")?;
        let (_, bytes) = blob::look(tx, account, &sha256).await?;
        let read = bytes.and_then(|bytes| serde_json::from_slice::<super::retention::Log>(&bytes).ok());
        for gone in read.iter().flat_map(|log| &log.deleted) {
            let day = read.as_ref().map_or_else(String::new, |log| log.day.to_string());
            all.entry(gone.sha256.clone()).or_insert(day);
        }
    }
    Ok(all)
}
