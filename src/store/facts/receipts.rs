//! Receipt events as they are pulled.

use chrono::{DateTime, Utc};

use crate::ids::AccountId;
use crate::ledger::{ReceiptEvent, ReceiptKind};
use crate::store::{StoreError, Tx, Value};

/// Appends events; one that is known by its key is the same event. Returns how many were new.
///
/// # Errors
/// When the engine refuses.
pub async fn append_receipts(
    tx: &mut Tx,
    account: &AccountId,
    events: &[ReceiptEvent],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let rows: Vec<Vec<Value>> = events
        .iter()
        .map(|event| {
            let kind = match event.kind {
                ReceiptKind::Received => "received",
                ReceiptKind::PutAway => "put_away",
                ReceiptKind::Damaged => "damaged",
            };
            vec![
                account.into(),
                (&event.source).into(),
                (&event.key).into(),
                (&event.warehouse).into(),
                (&event.reference).into(),
                event.carton.clone().into(),
                (&event.sku_code).into(),
                kind.into(),
                event.units.into(),
                event.at.into(),
                now.into(),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO pulled_receipt (account_id, source, event_key, warehouse, reference, carton, sku_code, kind,
             units, at, seen_at)",
        &rows,
        "ON CONFLICT (account_id, source, event_key) DO NOTHING",
    )
    .await
}
