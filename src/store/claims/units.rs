//! Which units a claim holds. They are numbered within their difference, and the key of the table is the number.

use std::collections::BTreeSet;

use super::ClaimStoreError;
use crate::args;
use crate::claim::state::Claimed;
use crate::ids::AccountId;
use crate::store::{StoreError, Tx, Value};

/// So many units of a difference a claim holds: by claim.
///
/// # Errors
/// When the engine refuses.
pub async fn held(
    tx: &mut Tx,
    account: &AccountId,
    difference: &str,
) -> Result<Vec<(String, i64)>, StoreError> {
    tx.rows(
        "SELECT claim_no, CAST(COUNT(*) AS BIGINT) AS n FROM claim_unit
         WHERE account_id = $1 AND difference_id = $2 GROUP BY claim_no ORDER BY claim_no",
        args![account, difference],
    )
    .await?
    .iter()
    .map(|row| Ok((row.get("claim_no")?, row.get("n")?)))
    .collect()
}

/// Units of a difference that are missing and in no claim; `None` when it is in no case.
///
/// # Errors
/// When the engine refuses.
pub async fn free(tx: &mut Tx, account: &AccountId, difference: &str) -> Result<Option<i64>, StoreError> {
    let Some(missing) = missing(tx, account, difference).await? else {
        return Ok(None);
    };
    let held: i64 = held(tx, account, difference).await?.iter().map(|(_, n)| n).sum();
    Ok(Some(missing - held))
}

async fn missing(tx: &mut Tx, account: &AccountId, difference: &str) -> Result<Option<i64>, StoreError> {
    tx.row(
        "SELECT units FROM case_line WHERE account_id = $1 AND difference_id = $2",
        args![account, difference],
    )
    .await?
    .map(|row| row.get("units"))
    .transpose()
}

/// Takes the lowest free numbers.
pub(super) async fn take(
    tx: &mut Tx,
    account: &AccountId,
    claim: &str,
    line: &Claimed,
) -> Result<(), ClaimStoreError> {
    let difference = &line.difference;
    let Some(missing) = missing(tx, account, difference).await? else {
        return Err(ClaimStoreError::NoLine {
            difference: difference.clone(),
        });
    };
    let taken: BTreeSet<i64> = tx
        .rows(
            "SELECT unit FROM claim_unit WHERE account_id = $1 AND difference_id = $2 ORDER BY unit",
            args![account, difference],
        )
        .await?
        .iter()
        .map(|row| row.get("unit"))
        .collect::<Result<_, StoreError>>()?;
    let wanted = usize::try_from(line.units).unwrap_or(usize::MAX);
    let rows: Vec<Vec<Value>> = (1..=missing)
        .filter(|unit| !taken.contains(unit))
        .take(wanted)
        .map(|unit| args![account, difference, unit, missing, claim].to_vec())
        .collect();
    if rows.len() < wanted {
        let holders = held(tx, account, difference).await?;
        let names: Vec<String> = holders
            .iter()
            .map(|(claim, units)| format!("{claim} holds {units}"))
            .collect();
        return Err(ClaimStoreError::Taken {
            difference: difference.clone(),
            wanted: line.units,
            free: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            by: if names.is_empty() {
                String::new()
            } else {
                format!(": {}", names.join(", "))
            },
        });
    }
    tx.insert_many(
        "INSERT INTO claim_unit (account_id, difference_id, unit, units, claim_no)",
        &rows,
        "",
    )
    .await?;
    Ok(())
}

/// Gives back all units of a claim.
pub(super) async fn give_back(tx: &mut Tx, account: &AccountId, claim: &str) -> Result<u64, StoreError> {
    tx.execute(
        "DELETE FROM claim_unit WHERE account_id = $1 AND claim_no = $2",
        args![account, claim],
    )
    .await
}

/// Gives back all units of a difference but so many, and moves all that are held to the lowest numbers, so that fewer can be
/// missing. Returns how many were given back.
pub(super) async fn keep_only(
    tx: &mut Tx,
    account: &AccountId,
    claim: &str,
    difference: &str,
    kept: i64,
) -> Result<i64, StoreError> {
    let Some(missing) = missing(tx, account, difference).await? else {
        return Ok(0);
    };
    let before = held(tx, account, difference).await?;
    tx.execute(
        "DELETE FROM claim_unit WHERE account_id = $1 AND difference_id = $2",
        args![account, difference],
    )
    .await?;
    let mut unit = 0;
    let mut gone = 0;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for (holder, units) in before {
        let keeps = if holder == claim {
            units.min(kept.max(0))
        } else {
            units
        };
        gone += units - keeps;
        for _ in 0..keeps {
            unit += 1;
            rows.push(args![account, difference, unit, missing, &holder].to_vec());
        }
    }
    tx.insert_many(
        "INSERT INTO claim_unit (account_id, difference_id, unit, units, claim_no)",
        &rows,
        "",
    )
    .await?;
    Ok(gone)
}
