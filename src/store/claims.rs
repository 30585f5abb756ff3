//! Cases and claims: logs whose replay is how they stand, the units each claim holds, and the money that came.
//!
//! Everything that writes here does so under [`hold`]: one writer an account at a time.

mod units;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::archive::{Kind, Note};
use super::{Row, StoreError, Tx, blob, turn};
use crate::args;
use crate::claim::case::{self, Case, CaseError, CaseEvent, CaseEventKind, Missing, Subject};
use crate::claim::evidence::Evidence;
use crate::claim::state::{self, Asked, Claim, ClaimError, ClaimEvent, ClaimEventKind};
use crate::ids::AccountId;
use crate::money::{Currency, Money};

pub use units::{free, held};

#[derive(Debug, thiserror::Error)]
pub enum ClaimStoreError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("there is no case `{0}`")]
    NoCase(String),
    #[error("there is no claim `{0}`")]
    NoClaim(String),
    #[error("difference {difference} is in no case")]
    NoLine { difference: String },
    #[error("{wanted} units of difference {difference} are asked for and {free} are free{by}")]
    Taken {
        difference: String,
        wanted: i64,
        free: i64,
        /// Names the claims that hold the others.
        by: String,
    },
}

fn corrupt(what: &str, why: &impl ToString) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: why.to_string(),
    }
}

fn json<T: serde::Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| corrupt(what, &error))
}

/// Makes everybody else who writes cases of the account wait until this transaction ends.
///
/// # Errors
/// When the engine refuses.
pub async fn hold(tx: &mut Tx, account: &AccountId, now: DateTime<Utc>) -> Result<(), StoreError> {
    turn::hold(tx, account, turn::CLAIMS, now).await
}

/// The case of a subject; made when there is none.
///
/// # Errors
/// When the engine refuses, or there is no such order.
pub async fn open(
    tx: &mut Tx,
    account: &AccountId,
    subject: &Subject,
    (by, now): (&str, DateTime<Utc>),
) -> Result<Case, ClaimStoreError> {
    let number = subject.number();
    if let Some(case) = get(tx, account, &number).await? {
        return Ok(case);
    }
    let event = CaseEvent {
        at: now,
        by: by.to_owned(),
        kind: CaseEventKind::Opened {
            subject: subject.clone(),
        },
    };
    let case = case::apply(None, &event)?;
    tx.execute_exactly(
        1,
        "INSERT INTO claim_case (account_id, case_no, order_no, state, opened_at) VALUES ($1, $2, $3, $4, $5)",
        args![account, &number, &subject.order, case.state.code(), now],
    )
    .await?;
    insert_case_event(tx, account, &number, 1, &event).await?;
    Ok(case)
}

async fn insert_case_event(
    tx: &mut Tx,
    account: &AccountId,
    number: &str,
    seq: i64,
    event: &CaseEvent,
) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "INSERT INTO case_event (account_id, case_no, seq, event) VALUES ($1, $2, $3, $4)",
        args![account, number, seq, json("case event", event)?],
    )
    .await
}

/// Appends an event when it may follow.
///
/// # Errors
/// When it may not, the case is not there, or the engine refuses.
pub async fn append(
    tx: &mut Tx,
    account: &AccountId,
    number: &str,
    event: CaseEvent,
) -> Result<Case, ClaimStoreError> {
    let log = case_events(tx, account, number).await?;
    if log.is_empty() {
        return Err(ClaimStoreError::NoCase(number.to_owned()));
    }
    let before = case::replay(&log)?;
    let after = case::apply(Some(before), &event)?;
    if let CaseEventKind::Units { line, .. } = &event.kind {
        set_units(tx, account, number, line).await?;
    }
    let seq = i64::try_from(log.len()).unwrap_or(i64::MAX).saturating_add(1);
    insert_case_event(tx, account, number, seq, &event).await?;
    tx.execute_exactly(
        1,
        "UPDATE claim_case SET state = $3 WHERE account_id = $1 AND case_no = $2",
        args![account, number, after.state.code()],
    )
    .await?;
    Ok(after)
}

/// The database refuses fewer than are claimed, and a difference that is in another case.
async fn set_units(tx: &mut Tx, account: &AccountId, number: &str, line: &Missing) -> Result<(), StoreError> {
    let changed = tx
        .execute(
            "UPDATE case_line SET units = $4 WHERE account_id = $1 AND difference_id = $2 AND case_no = $3",
            args![account, &line.difference, number, line.units],
        )
        .await?;
    if changed == 0 {
        tx.execute_exactly(
            1,
            "INSERT INTO case_line (account_id, difference_id, case_no, units) VALUES ($1, $2, $3, $4)",
            args![account, &line.difference, number, line.units],
        )
        .await?;
    }
    Ok(())
}

/// Keeps a paper and puts it to a case.
///
/// # Errors
/// When the same paper is there already, the case is closed, or the engine refuses.
pub async fn add_evidence(
    tx: &mut Tx,
    account: &AccountId,
    number: &str,
    (evidence, bytes): (Evidence, &[u8]),
    (by, now): (&str, DateTime<Utc>),
) -> Result<Case, ClaimStoreError> {
    let sha256 = blob::put(tx, account, "evidence", bytes, now).await?;
    let subject = format!("case/{number}/{}/{}", evidence.paper.code(), evidence.name);
    let event = CaseEvent {
        at: now,
        by: by.to_owned(),
        kind: CaseEventKind::EvidenceAdded {
            evidence: Evidence {
                sha256: sha256.clone(),
                ..evidence
            },
        },
    };
    let case = append(tx, account, number, event).await?;
    let note = Note::new(Kind::Received, subject, &sha256, now).of_order(case.subject.order.as_str());
    tx.note(account, note);
    Ok(case)
}

fn event_of<T: serde::de::DeserializeOwned>(what: &str, row: &Row) -> Result<T, StoreError> {
    serde_json::from_str(&row.get::<String>("event")?).map_err(|error| corrupt(what, &error))
}

/// The log of a case.
///
/// # Errors
/// When the engine refuses, or an event cannot be read back.
pub async fn case_events(
    tx: &mut Tx,
    account: &AccountId,
    number: &str,
) -> Result<Vec<CaseEvent>, StoreError> {
    tx.rows(
        "SELECT event FROM case_event WHERE account_id = $1 AND case_no = $2 ORDER BY seq",
        args![account, number],
    )
    .await?
    .iter()
    .map(|row| event_of("case event", row))
    .collect()
}

/// A case as it stands.
///
/// # Errors
/// When the engine refuses, or its log cannot be read back.
pub async fn get(tx: &mut Tx, account: &AccountId, number: &str) -> Result<Option<Case>, ClaimStoreError> {
    let log = case_events(tx, account, number).await?;
    if log.is_empty() {
        return Ok(None);
    }
    Ok(Some(case::replay(&log)?))
}

/// Every case, by number.
///
/// # Errors
/// When the engine refuses, or a log cannot be read back.
pub async fn cases(tx: &mut Tx, account: &AccountId) -> Result<Vec<Case>, ClaimStoreError> {
    let mut logs: BTreeMap<String, Vec<CaseEvent>> = BTreeMap::new();
    for row in &tx
        .rows(
            "SELECT case_no, event FROM case_event WHERE account_id = $1 ORDER BY case_no, seq",
            args![account],
        )
        .await?
    {
        logs.entry(row.get("case_no")?)
            .or_default()
            .push(event_of("case event", row)?);
    }
    logs.values().map(|log| Ok(case::replay(log)?)).collect()
}

/// Stores a draft and takes its units.
///
/// # Errors
/// When other claims hold them; the database itself refuses a second claim on a unit.
pub async fn draft(
    tx: &mut Tx,
    account: &AccountId,
    asked: Asked,
    (by, now): (&str, DateTime<Utc>),
) -> Result<Claim, ClaimStoreError> {
    let row = tx
        .row(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM claim WHERE account_id = $1 AND case_no = $2",
            args![account, &asked.case],
        )
        .await?;
    let before: i64 = row.map_or(Ok(0), |row| row.get("n"))?;
    let number = format!("{}-{}", asked.case, before + 1);
    let lines = asked.lines.clone();
    let case = asked.case.clone();
    let event = ClaimEvent {
        at: now,
        by: by.to_owned(),
        kind: ClaimEventKind::Drafted { asked },
    };
    let claim = state::apply(&number, None, &event)?;
    tx.execute_exactly(
        1,
        "INSERT INTO claim (account_id, claim_no, case_no, state, drafted_at) VALUES ($1, $2, $3, $4, $5)",
        args![account, &number, case, claim.state.code(), now],
    )
    .await?;
    for line in &lines {
        units::take(tx, account, &number, line).await?;
    }
    insert_claim_event(tx, account, &number, 1, &event).await?;
    Ok(claim)
}

async fn insert_claim_event(
    tx: &mut Tx,
    account: &AccountId,
    number: &str,
    seq: i64,
    event: &ClaimEvent,
) -> Result<(), StoreError> {
    tx.execute_exactly(
        1,
        "INSERT INTO claim_event (account_id, claim_no, seq, event) VALUES ($1, $2, $3, $4)",
        args![account, number, seq, json("claim event", event)?],
    )
    .await
}

/// Appends an event when it may follow; a payment that is known changes nothing.
///
/// # Errors
/// When it may not, the claim is not there, or the engine refuses.
pub async fn append_claim(
    tx: &mut Tx,
    account: &AccountId,
    number: &str,
    event: ClaimEvent,
) -> Result<Claim, ClaimStoreError> {
    let log = claim_events(tx, account, number).await?;
    if log.is_empty() {
        return Err(ClaimStoreError::NoClaim(number.to_owned()));
    }
    let before = state::replay(number, &log)?;
    let after = state::apply(number, Some(before.clone()), &event)?;
    if after == before {
        return Ok(after);
    }
    match &event.kind {
        ClaimEventKind::Withdrawn { .. } => {
            units::give_back(tx, account, number).await?;
        }
        ClaimEventKind::Reduced { lines, .. } => {
            for line in &before.asked.lines {
                let kept = lines
                    .iter()
                    .find(|one| one.difference == line.difference)
                    .map_or(0, |one| one.units);
                units::keep_only(tx, account, number, &line.difference, kept).await?;
            }
        }
        ClaimEventKind::Paid { payment } => {
            tx.execute_exactly(
                1,
                "INSERT INTO recovery (account_id, claim_no, reference, amount, currency, paid_on, recorded_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                args![
                    account,
                    number,
                    &payment.reference,
                    payment.amount.amount.to_string(),
                    payment.amount.currency.code(),
                    payment.on,
                    event.at
                ],
            )
            .await?;
        }
        _ => {}
    }
    let seq = i64::try_from(log.len()).unwrap_or(i64::MAX).saturating_add(1);
    insert_claim_event(tx, account, number, seq, &event).await?;
    tx.execute_exactly(
        1,
        "UPDATE claim SET state = $3 WHERE account_id = $1 AND claim_no = $2",
        args![account, number, after.state.code()],
    )
    .await?;
    Ok(after)
}

/// Units of a difference came to light that a claim holds which is out already: they are given back, and the claim says so.
///
/// # Errors
/// When the engine refuses.
pub async fn found(
    tx: &mut Tx,
    account: &AccountId,
    claim: &Claim,
    (difference, kept): (&str, i64),
    (by, now): (&str, DateTime<Utc>),
) -> Result<Claim, ClaimStoreError> {
    let gone = units::keep_only(tx, account, &claim.number, difference, kept).await?;
    let event = ClaimEvent {
        at: now,
        by: by.to_owned(),
        kind: ClaimEventKind::Found {
            units: claim.found.saturating_add(gone),
        },
    };
    append_claim(tx, account, &claim.number, event).await
}

/// The log of a claim.
///
/// # Errors
/// When the engine refuses, or an event cannot be read back.
pub async fn claim_events(
    tx: &mut Tx,
    account: &AccountId,
    number: &str,
) -> Result<Vec<ClaimEvent>, StoreError> {
    tx.rows(
        "SELECT event FROM claim_event WHERE account_id = $1 AND claim_no = $2 ORDER BY seq",
        args![account, number],
    )
    .await?
    .iter()
    .map(|row| event_of("claim event", row))
    .collect()
}

/// A claim as it stands.
///
/// # Errors
/// When the engine refuses, or its log cannot be read back.
pub async fn claim(tx: &mut Tx, account: &AccountId, number: &str) -> Result<Option<Claim>, ClaimStoreError> {
    let log = claim_events(tx, account, number).await?;
    if log.is_empty() {
        return Ok(None);
    }
    Ok(Some(state::replay(number, &log)?))
}

/// Every claim, by number.
///
/// # Errors
/// When the engine refuses, or a log cannot be read back.
pub async fn claims(tx: &mut Tx, account: &AccountId) -> Result<Vec<Claim>, ClaimStoreError> {
    let mut logs: BTreeMap<String, Vec<ClaimEvent>> = BTreeMap::new();
    for row in &tx
        .rows(
            "SELECT claim_no, event FROM claim_event WHERE account_id = $1 ORDER BY claim_no, seq",
            args![account],
        )
        .await?
    {
        logs.entry(row.get("claim_no")?)
            .or_default()
            .push(event_of("claim event", row)?);
    }
    logs.iter()
        .map(|(number, log)| Ok(state::replay(number, log)?))
        .collect()
}

/// One payment of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recovery {
    pub claim: String,
    pub reference: String,
    pub amount: Money,
    pub paid_on: NaiveDate,
}

/// Money that came, by day, claim and number.
///
/// # Errors
/// When the engine refuses, or a stored payment cannot be read back.
pub async fn recoveries(tx: &mut Tx, account: &AccountId) -> Result<Vec<Recovery>, StoreError> {
    tx.rows(
        "SELECT claim_no, reference, amount, currency, paid_on FROM recovery WHERE account_id = $1
         ORDER BY paid_on, claim_no, reference",
        args![account],
    )
    .await?
    .iter()
    .map(|row| {
        let amount: String = row.get("amount")?;
        let currency: String = row.get("currency")?;
        Ok(Recovery {
            claim: row.get("claim_no")?,
            reference: row.get("reference")?,
            amount: Money::new(
                amount
                    .parse::<Decimal>()
                    .map_err(|error| corrupt("payment", &error))?,
                Currency::new(&currency).map_err(|error| corrupt("payment", &error))?,
            ),
            paid_on: row.get("paid_on")?,
        })
    })
    .collect()
}
