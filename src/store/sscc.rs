//! Serial numbers for the codes of cartons and pallets.

use super::{StoreError, Tx};
use crate::args;
use crate::ids::AccountId;

/// Takes the next numbers of a prefix and gives the first; a number that was taken is never given again, also when what it was taken
/// for is cancelled.
///
/// # Errors
/// When the engine refuses.
pub async fn take(tx: &mut Tx, account: &AccountId, prefix: &str, count: i64) -> Result<i64, StoreError> {
    let row = tx
        .row(
            "SELECT next FROM sscc_serial WHERE account_id = $1 AND prefix = $2",
            args![account, prefix],
        )
        .await?;
    let first: i64 = match row {
        Some(row) => row.get("next")?,
        None => 0,
    };
    tx.execute(
        "INSERT INTO sscc_serial (account_id, prefix, next) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, prefix) DO UPDATE SET next = excluded.next",
        args![account, prefix, first.saturating_add(count)],
    )
    .await?;
    Ok(first)
}
