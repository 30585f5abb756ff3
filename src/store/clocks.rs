//! Deadlines that were seen: what the watch over them remembers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{StoreError, Tx, Value};
use crate::args;
use crate::deadline::Alert;
use crate::ids::AccountId;

/// Every alert that is remembered, by kind and subject.
///
/// # Errors
/// When the engine refuses, or a stored alert cannot be read back.
pub async fn all(tx: &mut Tx, account: &AccountId) -> Result<Vec<Alert>, StoreError> {
    tx.rows(
        "SELECT rule, subject, body FROM clock_alert WHERE account_id = $1 ORDER BY rule, subject",
        args![account],
    )
    .await?
    .iter()
    .map(|row| {
        let body: String = row.get("body")?;
        serde_json::from_str(&body).map_err(|error| StoreError::Corrupt {
            what: format!(
                "alert {} of {}",
                row.get::<String>("rule").unwrap_or_default(),
                row.get::<String>("subject").unwrap_or_default()
            ),
            why: error.to_string(),
        })
    })
    .collect()
}

/// Remembers `after` in place of `before`; only what differs is written.
///
/// # Errors
/// When the engine refuses.
pub async fn replace(
    tx: &mut Tx,
    account: &AccountId,
    before: &[Alert],
    after: &[Alert],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let key = |alert: &'_ Alert| (alert.rule, alert.subject.clone());
    let mut gone: BTreeMap<_, &Alert> = before.iter().map(|alert| (key(alert), alert)).collect();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for alert in after {
        if gone.remove(&key(alert)) == Some(alert) {
            continue;
        }
        let body = serde_json::to_string(alert).map_err(|error| StoreError::Corrupt {
            what: format!("alert {} of {}", alert.rule.code(), alert.subject),
            why: error.to_string(),
        })?;
        rows.push(args![account, alert.rule.code(), &alert.subject, body, now].to_vec());
    }
    tx.insert_many(
        "INSERT INTO clock_alert (account_id, rule, subject, body, changed_at)",
        &rows,
        "ON CONFLICT (account_id, rule, subject) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at",
    )
    .await?;
    for (rule, subject) in gone.into_keys() {
        tx.execute(
            "DELETE FROM clock_alert WHERE account_id = $1 AND rule = $2 AND subject = $3",
            args![account, rule.code(), subject],
        )
        .await?;
    }
    Ok(())
}
