//! Turns: who may work on an account now, across all processes.
//!
//! A turn is a row with an owner, an end and a fence. It only saves work that would be done twice; what keeps a
//! process that lost its turn without noticing from writing is the fence, checked inside every write transaction of a
//! [fenced store](super::Store::fenced). [`hold`] is the short form: a row lock to the end of the transaction.

use chrono::{DateTime, Duration, Utc};

use super::{StoreError, Tx};
use crate::args;
use crate::ids::AccountId;

/// The night of an account, and reading what people answered.
pub const NIGHT: &str = "night";
/// Whatever gives numbers to orders or moves them on.
pub const ORDERS: &str = "orders";
/// Telling of deadlines.
pub const CLOCKS: &str = "clocks";
/// Cases and claims.
pub const CLAIMS: &str = "claims";

/// A turn that was taken. Lost as soon as somebody else takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub account: AccountId,
    pub name: String,
    pub owner: String,
    pub fence: i64,
}

/// Somebody else's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub owner: String,
    pub until: DateTime<Utc>,
}

/// Takes the turn when it is free, ran out, or is held under the same name by a life before this one.
///
/// # Errors
/// When the engine refuses.
pub async fn take(
    tx: &mut Tx,
    account: &AccountId,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<Result<Turn, Held>, StoreError> {
    let row = tx
        .row(
            "INSERT INTO turn (account_id, name, owner, fence, taken_at, lease_until) VALUES ($1, $2, $3, 1, $4, $5)
             ON CONFLICT (account_id, name) DO UPDATE SET owner = excluded.owner, fence = turn.fence + 1,
                 taken_at = excluded.taken_at, lease_until = excluded.lease_until
             WHERE turn.lease_until <= excluded.taken_at OR turn.owner = excluded.owner
             RETURNING fence",
            args![account, name, owner, now, now + lease],
        )
        .await?;
    if let Some(row) = row {
        return Ok(Ok(Turn {
            account: account.clone(),
            name: name.to_owned(),
            owner: owner.to_owned(),
            fence: row.get("fence")?,
        }));
    }
    let row = tx
        .row(
            "SELECT owner, lease_until FROM turn WHERE account_id = $1 AND name = $2",
            args![account, name],
        )
        .await?
        .ok_or_else(|| StoreError::Corrupt {
            what: format!("turn `{name}`"),
            why: "it could neither be taken nor read".to_owned(),
        })?;
    Ok(Err(Held {
        owner: row.get("owner")?,
        until: row.get("lease_until")?,
    }))
}

/// Keeps the turn for another while.
///
/// # Errors
/// [`StoreError::TurnLost`] when somebody else has taken it.
pub async fn keep(tx: &mut Tx, turn: &Turn, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError> {
    let changed = tx
        .execute(
            "UPDATE turn SET lease_until = $4 WHERE account_id = $1 AND name = $2 AND fence = $3",
            args![&turn.account, &turn.name, turn.fence, now + lease],
        )
        .await?;
    had(turn, changed)
}

/// Gives the turn back; one that is lost already stays with whom it is.
///
/// # Errors
/// When the engine refuses.
pub async fn give_back(tx: &mut Tx, turn: &Turn, now: DateTime<Utc>) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE turn SET lease_until = $4 WHERE account_id = $1 AND name = $2 AND fence = $3",
        args![&turn.account, &turn.name, turn.fence, now],
    )
    .await
    .map(drop)
}

/// Ends the turns of an owner that is known to be dead.
///
/// # Errors
/// When the engine refuses.
pub async fn give_back_of(
    tx: &mut Tx,
    account: &AccountId,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    tx.execute(
        "UPDATE turn SET lease_until = $3 WHERE account_id = $1 AND owner = $2 AND lease_until > $3",
        args![account, owner, now],
    )
    .await
}

/// Makes sure that the turn is still ours, and that it cannot be taken before this transaction ends.
///
/// # Errors
/// [`StoreError::TurnLost`] when somebody else has taken it.
pub(super) async fn check(tx: &mut Tx, turn: &Turn) -> Result<(), StoreError> {
    let lock = tx.engine().for_share();
    let row = tx
        .row(
            format!("SELECT fence FROM turn WHERE account_id = $1 AND name = $2 AND fence = $3{lock}"),
            args![&turn.account, &turn.name, turn.fence],
        )
        .await?;
    had(turn, u64::from(row.is_some()))
}

fn had(turn: &Turn, rows: u64) -> Result<(), StoreError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreError::TurnLost {
            account: turn.account.to_string(),
            name: turn.name.clone(),
        })
    }
}

/// Makes everybody who holds the same name wait until this transaction ends. On SQLite the writer's lock does so
/// already; the row is written there too, so that both engines do the same.
///
/// # Errors
/// When the engine refuses.
pub async fn hold(
    tx: &mut Tx,
    account: &AccountId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO turn (account_id, name, owner, fence, taken_at, lease_until) VALUES ($1, $2, '', 1, $3, $3)
         ON CONFLICT (account_id, name) DO UPDATE SET fence = turn.fence + 1, taken_at = excluded.taken_at",
        args![account, name, now],
    )
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_000_000 + 60 * minute, 0).unwrap()
    }

    async fn taken(store: &Store, owner: &str, minute: i64) -> Result<Turn, Held> {
        let account = AccountId::new("main").unwrap();
        let mut tx = store.write().await.unwrap();
        let taken = take(&mut tx, &account, NIGHT, owner, at(minute), Duration::minutes(2))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        taken
    }

    #[tokio::test]
    async fn a_turn_is_one_owners_until_it_ends_and_the_late_one_cannot_write() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let first = taken(&store, "a", 0).await.unwrap();
        let held = taken(&store, "b", 1).await.unwrap_err();
        assert_eq!((held.owner.as_str(), held.until), ("a", at(2)));

        let second = taken(&store, "b", 2).await.unwrap();
        assert!(second.fence > first.fence);
        let late = store.fenced(first.clone());
        let error = late.write().await.err().unwrap();
        assert_eq!(
            error.to_string(),
            "the turn `night` of account `main` went to another process; it goes on from here"
        );
        // Reading is no harm.
        late.read().await.unwrap();
        store.fenced(second.clone()).write().await.unwrap();

        let mut tx = store.write().await.unwrap();
        assert!(keep(&mut tx, &first, at(3), Duration::minutes(2)).await.is_err());
        keep(&mut tx, &second, at(3), Duration::minutes(2)).await.unwrap();
        give_back(&mut tx, &second, at(3)).await.unwrap();
        tx.commit().await.unwrap();
        taken(&store, "c", 3).await.unwrap();
    }

    #[tokio::test]
    async fn a_restart_under_the_same_name_takes_its_turn_again_at_once() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let before = taken(&store, "a", 0).await.unwrap();
        let after = taken(&store, "a", 0).await.unwrap();
        assert!(after.fence > before.fence, "the life before is fenced out");
    }
}
