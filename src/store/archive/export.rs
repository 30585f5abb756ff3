//! Everything of one order as one file that is checked elsewhere.

use std::collections::BTreeSet;

use super::dossier::{self, Content, Index, Item};
use super::verify::event_text;
use super::{COLUMNS, Entry, Kind, entries, entry};
use crate::args;
use crate::ids::{AccountId, OrderNo};
use crate::store::blob;
use crate::store::{StoreError, Tx};

/// The order's documents, messages, events, holds, received files and its plan, with the stretch of the chain they
/// stand in. The same archive gives the same bytes.
///
/// # Errors
/// When the engine refuses, or a content is missing or has changed: an export that proves nothing is not made.
pub async fn export_order(tx: &mut Tx, account: &AccountId, order: &OrderNo) -> Result<Vec<u8>, StoreError> {
    let chosen = entries_of(tx, account, order).await?;
    let (Some(first), Some(last)) = (chosen.first().cloned(), chosen.last().cloned()) else {
        return Err(StoreError::Corrupt {
            what: format!("archive of order {order}"),
            why: "it has no entries".to_owned(),
        });
    };
    let mut items = Vec::with_capacity(chosen.len());
    for entry in chosen {
        let content = match entry.kind.as_str() {
            kind if kind == Kind::Event.code() => {
                let text = event_text(tx, account, &entry.subject).await?;
                Content::Bytes(text.unwrap_or_default().into_bytes())
            }
            _ => match blob::look(tx, account, &entry.sha256).await? {
                (blob::Content::Deleted, _) => Content::Deleted,
                (_, Some(bytes)) => Content::Bytes(bytes),
                _ => Content::Bytes(blob::get(tx, account, &entry.sha256).await?),
            },
        };
        let name = file_name(tx, account, order, &entry).await?;
        items.push(Item { entry, name, content });
    }
    let mut links = Vec::new();
    let mut seq = first.seq - 1;
    while seq < last.seq {
        let batch = entries(tx, account, seq, 1_000).await?;
        let Some(end) = batch.last() else { break };
        seq = end.seq;
        links.extend(
            batch
                .iter()
                .filter(|entry| entry.seq <= last.seq)
                .map(Entry::body),
        );
    }
    let index = Index::new(account.as_str(), order.as_str(), &first, &last);
    dossier::write(index, items, &links).map_err(|error| StoreError::Corrupt {
        what: format!("export of order {order}"),
        why: error.to_string(),
    })
}

async fn entries_of(tx: &mut Tx, account: &AccountId, order: &OrderNo) -> Result<Vec<Entry>, StoreError> {
    let rows = tx
        .rows(
            format!(
                "SELECT {COLUMNS} FROM archive_entry WHERE account_id = $1 AND (order_no = $2
                     OR (kind = $3 AND sha256 IN (
                         SELECT sha256 FROM inbox_link WHERE account_id = $1 AND order_no = $2))
                     OR (kind IN ($4, $5, $6) AND subject IN (
                         SELECT 'plan/' || plan_id FROM stocking_order WHERE account_id = $1 AND order_no = $2)))
                 ORDER BY seq"
            ),
            args![
                account,
                order,
                Kind::Received.code(),
                Kind::Plan.code(),
                Kind::PlanSnapshot.code(),
                Kind::PlanPolicy.code()
            ],
        )
        .await?;
    let mut seen = BTreeSet::new();
    let mut chosen = Vec::with_capacity(rows.len());
    for row in &rows {
        let entry = entry(row)?;
        if seen.insert(entry.seq) {
            chosen.push(entry);
        }
    }
    Ok(chosen)
}

/// What the file was called where a person met it; the number before it keeps names apart.
async fn file_name(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
    entry: &Entry,
) -> Result<String, StoreError> {
    let given: Option<String> = match Kind::parse(&entry.kind) {
        Some(Kind::Document) => {
            let row = tx
                .row(
                    "SELECT file_name AS name FROM order_document
                     WHERE account_id = $1 AND order_no = $2 AND sha256 = $3 ORDER BY revision, document",
                    args![account, order, &entry.sha256],
                )
                .await?;
            row.map(|row| row.get("name")).transpose()?
        }
        Some(Kind::Message | Kind::Sent) => {
            let row = tx
                .row(
                    "SELECT remote_name AS name FROM outbox WHERE account_id = $1 AND business_key = $2",
                    args![account, &entry.subject],
                )
                .await?;
            row.map(|row| row.get("name")).transpose()?
        }
        Some(Kind::Received) => entry.subject.rsplit('/').next().map(str::to_owned),
        Some(Kind::Page) => None,
        _ => Some(format!("{}.json", entry.kind)),
    };
    Ok(dossier::content_name(entry.seq, &entry.kind, given.as_deref()))
}
