//! What a worker does with messages.

use chrono::{DateTime, Duration, Utc};

use super::{COLUMNS, Message, message, word};
use crate::args;
use crate::delivery::{Channel, PartialName, State, Verdict, after_lost_lease};
use crate::ids::AccountId;
use crate::store::archive::{Kind, Note};
use crate::store::lease::lock_of_lost;
use crate::store::{StoreError, Tx};

/// The right to change a claimed message: lost as soon as another attempt begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub account: AccountId,
    pub business_key: String,
    pub attempt: u32,
    pub owner: String,
}

/// A message whose worker is gone, and the state it was put into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub business_key: String,
    pub owner: String,
    pub state: State,
}

/// Targets that have a message to claim now.
///
/// # Errors
/// When the engine refuses.
pub async fn targets_due(
    tx: &mut Tx,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<Vec<(Channel, String)>, StoreError> {
    tx.rows(
        "SELECT DISTINCT channel, target FROM outbox
         WHERE account_id = $1 AND state = 'due' AND run_after <= $2 ORDER BY channel, target",
        args![account, now],
    )
    .await?
    .iter()
    .map(|row| Ok((word(row, "channel")?, row.get("target")?)))
    .collect()
}

/// Leases the next message of a target: the oldest that is still to be sent, when it is due and what it depends on
/// has been sent. An older message that waits for its next attempt holds the later ones back; one that waits for
/// another message does not.
///
/// # Errors
/// When the engine refuses.
pub async fn claim(
    tx: &mut Tx,
    account: &AccountId,
    (channel, target): (Channel, &str),
    owner: &str,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<Option<(Claim, Message)>, StoreError> {
    let skip_locked = tx.engine().for_update_skip_locked();
    let row = tx
        .row(
            format!(
                "UPDATE outbox SET state = 'leased', attempt = attempt + 1, lease_owner = $5, lease_until = $6,
                     handed_at = CASE WHEN channel = 'api' THEN handed_at END, updated_at = $4
                 WHERE account_id = $1 AND business_key = (
                     SELECT o.business_key FROM outbox o
                     WHERE o.account_id = $1 AND o.channel = $2 AND o.target = $3
                       AND o.state = 'due' AND o.run_after <= $4
                       AND NOT EXISTS (SELECT 1 FROM outbox e
                           WHERE e.account_id = o.account_id AND e.channel = o.channel AND e.target = o.target
                             AND e.sequence < o.sequence AND e.state IN ('due', 'leased')
                             AND (e.depends_on IS NULL OR EXISTS (SELECT 1 FROM outbox f
                                 WHERE f.account_id = e.account_id AND f.business_key = e.depends_on
                                   AND f.state = 'sent')))
                       AND (o.depends_on IS NULL OR EXISTS (SELECT 1 FROM outbox d
                           WHERE d.account_id = o.account_id AND d.business_key = o.depends_on
                             AND d.state = 'sent'))
                     ORDER BY o.sequence LIMIT 1{skip_locked})
                 RETURNING {COLUMNS}"
            ),
            args![account, channel.as_str(), target, now, owner, now + lease],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    begin_attempt(tx, account, message(&row)?, owner, now)
        .await
        .map(Some)
}

/// How much one claim of [`claim_batch`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    pub messages: usize,
    /// The first message is taken whatever its size.
    pub bytes: i64,
    /// Attempts at this target, by all processes, in one minute of the clock.
    pub per_minute: Option<u32>,
}

/// Leases the next message of a target as [`claim`] does, and those right behind it in their order, as far as the
/// limits go. Holding the first keeps every other worker away from the target until the end of the transaction.
///
/// # Errors
/// When the engine refuses.
pub async fn claim_batch(
    tx: &mut Tx,
    account: &AccountId,
    (channel, target): (Channel, &str),
    owner: &str,
    now: DateTime<Utc>,
    lease: Duration,
    limits: BatchLimits,
) -> Result<Vec<(Claim, Message)>, StoreError> {
    let mut allowed = limits.messages;
    if let Some(per_minute) = limits.per_minute {
        let left = i64::from(per_minute) - used_this_minute(tx, account, (channel, target), now).await?;
        allowed = allowed.min(usize::try_from(left).unwrap_or(0));
    }
    if allowed == 0 {
        return Ok(Vec::new());
    }
    let Some((claim, first)) = claim(tx, account, (channel, target), owner, now, lease).await? else {
        return Ok(Vec::new());
    };
    let mut claims = Vec::with_capacity(allowed);
    let behind = followers(tx, account, &first, now, allowed - 1, limits.bytes).await?;
    claims.push((claim, first));
    for business_key in behind {
        if let Some(next) = claim_named(tx, account, &business_key, owner, now, lease).await? {
            claims.push(next);
        }
    }
    if limits.per_minute.is_some() {
        let taken = i64::try_from(claims.len()).unwrap_or(i64::MAX);
        count_attempts(tx, account, (channel, target), now, taken).await?;
    }
    Ok(claims)
}

/// Keys of the messages right behind one that was claimed, up to the first that must wait.
async fn followers(
    tx: &mut Tx,
    account: &AccountId,
    first: &Message,
    now: DateTime<Utc>,
    count: usize,
    bytes: i64,
) -> Result<Vec<String>, StoreError> {
    let mut left = bytes - first.size;
    if count == 0 || left <= 0 {
        return Ok(Vec::new());
    }
    let rows = tx
        .rows(
            "SELECT o.business_key, o.size, o.state, o.run_after, o.depends_on, d.state AS waits_for
             FROM outbox o LEFT JOIN outbox d ON d.account_id = o.account_id AND d.business_key = o.depends_on
             WHERE o.account_id = $1 AND o.channel = $2 AND o.target = $3 AND o.state IN ('due', 'leased')
               AND o.sequence > $4
             ORDER BY o.sequence LIMIT $5",
            args![
                account,
                first.channel.as_str(),
                &first.target,
                first.sequence,
                i64::try_from(count).unwrap_or(i64::MAX)
            ],
        )
        .await?;
    let mut keys = Vec::new();
    for row in rows {
        let depends_on: Option<String> = row.get("depends_on")?;
        let waits_for: Option<String> = row.get("waits_for")?;
        if depends_on.is_some() && waits_for.as_deref() != Some(State::Sent.as_str()) {
            continue;
        }
        let (state, run_after): (State, DateTime<Utc>) = (word(&row, "state")?, row.get("run_after")?);
        left -= row.get::<i64>("size")?;
        if state != State::Due || run_after > now || left < 0 {
            break;
        }
        keys.push(row.get("business_key")?);
    }
    Ok(keys)
}

async fn claim_named(
    tx: &mut Tx,
    account: &AccountId,
    business_key: &str,
    owner: &str,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<Option<(Claim, Message)>, StoreError> {
    let row = tx
        .row(
            format!(
                "UPDATE outbox SET state = 'leased', attempt = attempt + 1, lease_owner = $3, lease_until = $4,
                     handed_at = CASE WHEN channel = 'api' THEN handed_at END, updated_at = $5
                 WHERE account_id = $1 AND business_key = $2 AND state = 'due'
                 RETURNING {COLUMNS}"
            ),
            args![account, business_key, owner, now + lease, now],
        )
        .await?;
    match row {
        Some(row) => begin_attempt(tx, account, message(&row)?, owner, now)
            .await
            .map(Some),
        None => Ok(None),
    }
}

async fn begin_attempt(
    tx: &mut Tx,
    account: &AccountId,
    message: Message,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<(Claim, Message), StoreError> {
    tx.execute(
        "INSERT INTO outbox_attempt (account_id, business_key, attempt, owner, started_at)
         VALUES ($1, $2, $3, $4, $5)",
        args![account, &message.business_key, message.attempt, owner, now],
    )
    .await?;
    let claim = Claim {
        account: account.clone(),
        business_key: message.business_key.clone(),
        attempt: message.attempt,
        owner: owner.to_owned(),
    };
    Ok((claim, message))
}

fn minute_of(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(60)
}

async fn used_this_minute(
    tx: &mut Tx,
    account: &AccountId,
    (channel, target): (Channel, &str),
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    tx.row(
        "SELECT used FROM outbox_minute
         WHERE account_id = $1 AND channel = $2 AND target = $3 AND minute = $4",
        args![account, channel.as_str(), target, minute_of(now)],
    )
    .await?
    .map_or(Ok(0), |row| row.get("used"))
}

async fn count_attempts(
    tx: &mut Tx,
    account: &AccountId,
    (channel, target): (Channel, &str),
    now: DateTime<Utc>,
    taken: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO outbox_minute (account_id, channel, target, minute, used) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, channel, target) DO UPDATE SET
             used = CASE WHEN outbox_minute.minute = excluded.minute THEN outbox_minute.used ELSE 0 END
                 + excluded.used,
             minute = excluded.minute",
        args![account, channel.as_str(), target, minute_of(now), taken],
    )
    .await
    .map(drop)
}

/// Keeps the lease for another while.
///
/// # Errors
/// [`StoreError::Affected`] when the lease is lost: stop working on it.
pub async fn heartbeat(
    tx: &mut Tx,
    claim: &Claim,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE outbox SET lease_until = $5, updated_at = $6
         WHERE account_id = $1 AND business_key = $2 AND state = 'leased' AND attempt = $3 AND lease_owner = $4",
        args![
            &claim.account,
            &claim.business_key,
            claim.attempt,
            &claim.owner,
            now + lease,
            now
        ],
    )
    .await
}

/// Records, before the step that cannot be taken back, that it is about to happen.
///
/// # Errors
/// [`StoreError::Affected`] when the lease is lost: do not take the step.
pub async fn mark_handed(tx: &mut Tx, claim: &Claim, now: DateTime<Utc>) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE outbox SET handed_at = $5, updated_at = $5
         WHERE account_id = $1 AND business_key = $2 AND state = 'leased' AND attempt = $3 AND lease_owner = $4",
        args![
            &claim.account,
            &claim.business_key,
            claim.attempt,
            &claim.owner,
            now
        ],
    )
    .await
}

/// Takes the mark back: the other side said that the step did not happen.
///
/// # Errors
/// [`StoreError::Affected`] when the lease is lost.
pub async fn unmark_handed(tx: &mut Tx, claim: &Claim, now: DateTime<Utc>) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE outbox SET handed_at = NULL, updated_at = $5
         WHERE account_id = $1 AND business_key = $2 AND state = 'leased' AND attempt = $3 AND lease_owner = $4",
        args![
            &claim.account,
            &claim.business_key,
            claim.attempt,
            &claim.owner,
            now
        ],
    )
    .await
}

/// Records how the attempt ended and gives the lease back.
///
/// # Errors
/// [`StoreError::Affected`] when the lease is lost: another worker's result stands.
pub async fn finish(
    tx: &mut Tx,
    claim: &Claim,
    verdict: &Verdict,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sent_at = (verdict.state == State::Sent).then_some(now);
    tx.execute_exactly(
        1,
        "UPDATE outbox SET state = $5, run_after = COALESCE($6, run_after), receipt = COALESCE($7, receipt),
             first_error = COALESCE(first_error, $8), last_error = COALESCE($8, last_error),
             sent_at = $9, updated_at = $10, lease_owner = NULL, lease_until = NULL
         WHERE account_id = $1 AND business_key = $2 AND state = 'leased' AND attempt = $3 AND lease_owner = $4",
        args![
            &claim.account,
            &claim.business_key,
            claim.attempt,
            &claim.owner,
            verdict.state.as_str(),
            verdict.run_after,
            verdict.receipt.clone(),
            verdict.error.clone(),
            sent_at,
            now
        ],
    )
    .await?;
    if verdict.state == State::Sent {
        let row = tx
            .row(
                "SELECT sha256 FROM outbox WHERE account_id = $1 AND business_key = $2",
                args![&claim.account, &claim.business_key],
            )
            .await?;
        if let Some(row) = row {
            let sha256: String = row.get("sha256")?;
            tx.note(
                &claim.account,
                Note::new(Kind::Sent, &claim.business_key, &sha256, now),
            );
        }
    }
    end_attempt(tx, claim, verdict.state.as_str(), verdict.error.as_deref(), now).await
}

async fn end_attempt(
    tx: &mut Tx,
    claim: &Claim,
    outcome: &str,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "UPDATE outbox_attempt SET outcome = $4, error = $5, ended_at = $6
         WHERE account_id = $1 AND business_key = $2 AND attempt = $3 AND ended_at IS NULL",
        args![
            &claim.account,
            &claim.business_key,
            claim.attempt,
            outcome,
            error,
            now
        ],
    )
    .await
}

/// Takes back the leases that ran out and, at start, those that `own` still holds from before a crash.
///
/// `own` must be a name that no other living process uses.
///
/// # Errors
/// When the engine refuses.
pub async fn requeue_lost(
    tx: &mut Tx,
    account: &AccountId,
    own: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<Lost>, StoreError> {
    let lock = lock_of_lost(tx, own);
    let rows = tx
        .rows(
            format!(
                "SELECT business_key, channel, attempt, lease_owner, handed_at FROM outbox
                 WHERE account_id = $1 AND state = 'leased' AND (lease_until <= $2 OR lease_owner = $3)
                 ORDER BY channel, target, sequence{lock}"
            ),
            args![account, now, own],
        )
        .await?;
    let mut lost = Vec::with_capacity(rows.len());
    for row in rows {
        let claim = Claim {
            account: account.clone(),
            business_key: row.get("business_key")?,
            attempt: row.get("attempt")?,
            owner: row.get("lease_owner")?,
        };
        let handed: Option<DateTime<Utc>> = row.get("handed_at")?;
        let state = after_lost_lease(word(&row, "channel")?, handed.is_some());
        let verdict = Verdict {
            state,
            run_after: (state == State::Due).then_some(now),
            receipt: None,
            error: Some(format!("worker `{}` was lost during the attempt", claim.owner)),
        };
        finish(tx, &claim, &verdict, now).await?;
        lost.push(Lost {
            business_key: claim.business_key,
            owner: claim.owner,
            state,
        });
    }
    Ok(lost)
}

/// The message that an unfinished file at the other side belongs to.
///
/// # Errors
/// When the engine refuses.
pub async fn find_by_partial(
    tx: &mut Tx,
    account: &AccountId,
    (channel, target): (Channel, &str),
    partial: &PartialName,
) -> Result<Option<Message>, StoreError> {
    tx.row(
        format!(
            "SELECT {COLUMNS} FROM outbox WHERE account_id = $1 AND channel = $2 AND target = $3
               AND remote_name = $4 AND substr(sha256, 1, {}) = $5
             ORDER BY sequence DESC LIMIT 1",
            partial.short_hash.len()
        ),
        args![
            account,
            channel.as_str(),
            target,
            &partial.remote_name,
            &partial.short_hash
        ],
    )
    .await?
    .as_ref()
    .map(message)
    .transpose()
}
