//! History has an end.

use chrono::Duration;

use crate::clock::Clock;
use crate::ids::AccountId;
use crate::store::work::{Cleaned, clean};
use crate::store::{Store, StoreError};

/// How long a job that ended well, or was dropped, is shown.
const JOBS_KEPT: Duration = Duration::days(30);
/// How long it is shown which dates ran and which were skipped.
const OCCURRENCES_KEPT: Duration = Duration::days(400);
/// Rows per transaction: other writers wait no longer than that.
const BATCH: u32 = 500;

/// Deletes what is over for long, a batch a transaction.
///
/// # Errors
/// When the store refuses; the batches before stay done.
pub async fn housekeep(store: &Store, clock: &dyn Clock, account: &AccountId) -> Result<Cleaned, StoreError> {
    let now = clock.now();
    let mut all = Cleaned::default();
    loop {
        let mut tx = store.write().await?;
        let cleaned = clean(&mut tx, account, now - JOBS_KEPT, now - OCCURRENCES_KEPT, BATCH).await?;
        tx.commit().await?;
        all = all.plus(cleaned);
        if !cleaned.is_full(BATCH) {
            return Ok(all);
        }
    }
}
