//! What carriers and trackers tell of goods on their way. Appended, never changed.

use chrono::{DateTime, Utc};

use super::{Row, StoreError, Tx, Value};
use crate::args;
use crate::ids::AccountId;
use crate::ledger::{EventStatus, TrackingEvent};

/// Appends events; the number of those that were not known. The same event again changes nothing.
///
/// # Errors
/// When the engine refuses.
pub async fn append(
    tx: &mut Tx,
    account: &AccountId,
    events: &[TrackingEvent],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let rows: Vec<Vec<Value>> = events
        .iter()
        .map(|event| {
            args![
                account,
                &event.source,
                &event.key,
                event.shipment.clone(),
                event.container.clone(),
                &event.kind,
                event.status.code(),
                event.at,
                event.place.clone(),
                event.vessel.clone(),
                event.voyage.clone(),
                event.text.clone(),
                event.told_at,
                now
            ]
            .to_vec()
        })
        .collect();
    tx.insert_many(
        "INSERT INTO tracking_event (account_id, source, event_key, shipment, container, kind, status, happened_at,
             place, vessel, voyage, said, told_at, recorded_at)",
        &rows,
        "ON CONFLICT (account_id, source, event_key) DO NOTHING",
    )
    .await
}

/// The events of a shipment or container, in the order of their times.
///
/// # Errors
/// When the engine refuses, or a stored event cannot be read back.
pub async fn events_of(
    tx: &mut Tx,
    account: &AccountId,
    reference: &str,
) -> Result<Vec<TrackingEvent>, StoreError> {
    tx.rows(
        "SELECT source, event_key, shipment, container, kind, status, happened_at, place, vessel, voyage, said, told_at
         FROM tracking_event WHERE account_id = $1 AND (shipment = $2 OR container = $2)
         ORDER BY happened_at, source, event_key",
        args![account, reference],
    )
    .await?
    .iter()
    .map(event)
    .collect()
}

fn event(row: &Row) -> Result<TrackingEvent, StoreError> {
    let status: String = row.get("status")?;
    Ok(TrackingEvent {
        source: row.get("source")?,
        key: row.get("event_key")?,
        shipment: row.get("shipment")?,
        container: row.get("container")?,
        kind: row.get("kind")?,
        status: EventStatus::of_code(&status).ok_or_else(|| StoreError::Corrupt {
            what: "tracking event".to_owned(),
            why: format!("status `{status}`"),
        })?,
        at: row.get("happened_at")?,
        place: row.get("place")?,
        vessel: row.get("vessel")?,
        voyage: row.get("voyage")?,
        text: row.get("said")?,
        told_at: row.get("told_at")?,
    })
}
