//! What is remembered of a target's server.

use chrono::{DateTime, Utc};

use crate::args;
use crate::delivery::{Capabilities, Channel};
use crate::ids::AccountId;
use crate::store::{StoreError, Tx};

/// What a server was found to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownServer {
    /// The extensions it announced then.
    pub announced: String,
    pub capabilities: Capabilities,
    pub probed_at: DateTime<Utc>,
}

/// What is known of a target's server, if it was ever probed.
///
/// # Errors
/// When the engine refuses.
pub async fn known_server(
    tx: &mut Tx,
    account: &AccountId,
    (channel, target): (Channel, &str),
) -> Result<Option<KnownServer>, StoreError> {
    let row = tx
        .row(
            "SELECT announced, capabilities, probed_at FROM outbox_server
             WHERE account_id = $1 AND channel = $2 AND target = $3",
            args![account, channel.as_str(), target],
        )
        .await?;
    row.map(|row| {
        let text: String = row.get("capabilities")?;
        Ok(KnownServer {
            announced: row.get("announced")?,
            capabilities: serde_json::from_str(&text).map_err(|error| StoreError::Corrupt {
                what: format!("capabilities of `{target}`"),
                why: error.to_string(),
            })?,
            probed_at: row.get("probed_at")?,
        })
    })
    .transpose()
}

/// Remembers what a probe found.
///
/// # Errors
/// When the engine refuses.
pub async fn remember_server(
    tx: &mut Tx,
    account: &AccountId,
    (channel, target): (Channel, &str),
    server: &KnownServer,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(&server.capabilities).map_err(|error| StoreError::Corrupt {
        what: format!("capabilities of `{target}`"),
        why: error.to_string(),
    })?;
    tx.execute(
        "INSERT INTO outbox_server (account_id, channel, target, announced, capabilities, probed_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, channel, target) DO UPDATE SET
             announced = excluded.announced, capabilities = excluded.capabilities, probed_at = excluded.probed_at",
        args![
            account,
            channel.as_str(),
            target,
            &server.announced,
            text,
            server.probed_at
        ],
    )
    .await
    .map(drop)
}
