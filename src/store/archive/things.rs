//! Everything the archive must hold an entry for, as the other tables tell it.

use chrono::{DateTime, Utc};

use super::{Kind, Note};
use crate::args;
use crate::digest::sha256_hex;
use crate::ids::AccountId;
use crate::store::{StoreError, Tx};

/// Kind, and the things of it as `subject, sha256, order_no, at`. An event has no hash of its own: its text is given.
const THINGS: [(Kind, &str); 8] = [
    (
        Kind::Plan,
        "SELECT account_id, 'plan/' || plan_id AS subject, plan_sha256 AS sha256, created_at AS at FROM plan WHERE account_id = $1",
    ),
    (
        Kind::PlanSnapshot,
        "SELECT account_id, 'plan/' || plan_id AS subject, snapshot_sha256 AS sha256, created_at AS at FROM plan WHERE account_id = $1
         UNION ALL
         SELECT p.account_id, 'plan/' || p.plan_id, p.sha256, q.created_at FROM plan_part p
         JOIN plan q ON q.account_id = p.account_id AND q.plan_id = p.plan_id WHERE p.account_id = $1",
    ),
    (
        Kind::PlanPolicy,
        "SELECT account_id, 'plan/' || plan_id AS subject, policy_sha256 AS sha256, created_at AS at FROM plan WHERE account_id = $1",
    ),
    (
        Kind::Document,
        "SELECT account_id, 'order/' || order_no || '/r' || CAST(revision AS TEXT) || '/' || document AS subject,
             sha256, CAST(NULL AS BIGINT) AS at FROM order_document WHERE account_id = $1",
    ),
    (
        Kind::Message,
        "SELECT account_id, business_key AS subject, sha256, created_at AS at FROM outbox WHERE account_id = $1",
    ),
    (
        Kind::Received,
        "SELECT account_id, 'inbox/' || origin || '/' || name AS subject, sha256, read_at AS at FROM inbox_file WHERE account_id = $1",
    ),
    (
        Kind::Page,
        "SELECT account_id, 'page/' || source || '/' || stream AS subject, sha256, first_seen AS at FROM raw_page WHERE account_id = $1",
    ),
    (
        Kind::Sent,
        "SELECT account_id, business_key AS subject, sha256, sent_at AS at FROM outbox WHERE account_id = $1 AND state = 'sent'",
    ),
];

/// The subject of an order's event.
#[must_use]
pub fn event_subject(order: &str, seq: i64) -> String {
    format!("order/{order}/event/{seq}")
}

/// Things that have no entry: everything before the archive began, nothing afterwards. `at` stands in for an instant
/// that was not kept.
pub async fn without_entry(
    tx: &mut Tx,
    account: &AccountId,
    at: Option<DateTime<Utc>>,
) -> Result<Vec<Note>, StoreError> {
    let unknown = at.unwrap_or_default();
    let mut notes = Vec::new();
    for (kind, things) in THINGS {
        let rows = tx
            .rows(
                format!(
                    "SELECT t.subject AS subject, t.sha256 AS sha256, t.at AS at FROM ({things}) AS t
                     LEFT JOIN archive_entry e ON e.account_id = t.account_id AND e.kind = $2
                         AND e.subject = t.subject AND e.sha256 = t.sha256
                     WHERE t.account_id = $1 AND e.seq IS NULL"
                ),
                args![account, kind.code()],
            )
            .await?;
        for row in &rows {
            let subject: String = row.get("subject")?;
            let sha256: String = row.get("sha256")?;
            let when: Option<DateTime<Utc>> = row.get("at")?;
            notes.push(Note::new(kind, subject, &sha256, when.unwrap_or(unknown)));
        }
    }
    notes.extend(events_without_entry(tx, account, unknown).await?);
    // By time, then name: what stood before is archived in the order it came, the same on both engines.
    notes.sort_by(|a, b| (a.at, &a.subject, a.kind).cmp(&(b.at, &b.subject, b.kind)));
    Ok(notes)
}

async fn events_without_entry(
    tx: &mut Tx,
    account: &AccountId,
    unknown: DateTime<Utc>,
) -> Result<Vec<Note>, StoreError> {
    let rows = tx
        .rows(
            "SELECT v.order_no AS order_no, v.seq AS seq, v.event AS event FROM order_event v
             LEFT JOIN archive_entry e ON e.account_id = v.account_id AND e.kind = $2
                 AND e.subject = 'order/' || v.order_no || '/event/' || CAST(v.seq AS TEXT)
             WHERE v.account_id = $1 AND e.seq IS NULL",
            args![account, Kind::Event.code()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let order: String = row.get("order_no")?;
            let event: String = row.get("event")?;
            let at =
                serde_json::from_str::<crate::order::OrderEvent>(&event).map_or(unknown, |event| event.at);
            let subject = event_subject(&order, row.get("seq")?);
            Ok(Note::new(Kind::Event, subject, &sha256_hex(event.as_bytes()), at))
        })
        .collect()
}
