//! Totals that reports state, and what was found beside counts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::receipts::{self, Appended};
use super::{Row, StoreError, Tx, Value};
use crate::args;
use crate::digest::sha256_hex;
use crate::ids::AccountId;
use crate::ledger::statement::{Contradiction, Statement, change, postings};
use crate::ledger::{Finding, ReceiptEvent};
use crate::reconcile::kind_code;

/// What stating did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// Receipt events that were posted.
    pub new: u64,
    /// Totals said at one instant that are not alike.
    pub contradictions: Vec<Contradiction>,
}

/// Names of documents and references go into statements of at most this many places.
const TEXTS_PER_STATEMENT: usize = 500;

/// Remembers statements and posts what they change. The same statement again, or statements in another order, leave the
/// same ledger.
///
/// # Errors
/// When the engine refuses, or a stored statement cannot be read back.
pub async fn state(
    tx: &mut Tx,
    account: &AccountId,
    statements: &[Statement],
    now: DateTime<Utc>,
) -> Result<Stated, StoreError> {
    let mut by_origin: BTreeMap<&str, Vec<&Statement>> = BTreeMap::new();
    for statement in statements {
        by_origin
            .entry(&statement.total.source)
            .or_default()
            .push(statement);
    }
    let mut stated = Stated::default();
    for (origin, statements) in by_origin {
        let mut known = known(tx, account, origin, &statements).await?;
        let mut touched: BTreeMap<&str, Vec<&Statement>> = BTreeMap::new();
        for statement in statements {
            touched.entry(&statement.document).or_default().push(statement);
        }
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let mut events: Vec<ReceiptEvent> = Vec::new();
        for (document, said) in touched {
            let before = known.remove(document).unwrap_or_default();
            let mut after = before.clone();
            for statement in said {
                if !after.iter().any(|held| content(held) == content(statement)) {
                    rows.push(row(account, origin, statement, now));
                    after.push(statement.clone());
                }
            }
            let (posted, contradictions) = postings(&after);
            stated.contradictions.extend(contradictions);
            // More statements than ever before: the number of them makes the keys new.
            let told = after.len();
            for (place, (posting, units)) in (1..).zip(change(&postings(&before).0, &posted)) {
                let key = format!("{document}#{told}.{place}");
                events.push(posting.event(origin, key, units));
            }
        }
        tx.insert_many(
            "INSERT INTO receipt_statement (account_id, origin, document, line, said_at, content, warehouse, reference, carton,
                 sku_code, kind, units, happened_at, lot, recorded_at)",
            &rows,
            "",
        )
        .await?;
        let Appended { new, .. } = receipts::append(tx, account, &events, now).await?;
        stated.new += new;
    }
    Ok(stated)
}

fn row(account: &AccountId, origin: &str, statement: &Statement, now: DateTime<Utc>) -> Vec<Value> {
    let total = &statement.total;
    args![
        account,
        origin,
        &statement.document,
        &statement.line,
        statement.said_at,
        content(statement),
        &total.warehouse,
        &total.reference,
        total.carton.clone(),
        &total.sku_code,
        kind_code(total.kind),
        total.units,
        total.at,
        total.lot.clone(),
        now
    ]
    .to_vec()
}

/// What makes a statement another one of its document. The store keeps milliseconds.
fn content(statement: &Statement) -> String {
    let total = &statement.total;
    let parts = [
        statement.line.clone(),
        statement.said_at.timestamp_millis().to_string(),
        total.warehouse.to_string(),
        total.reference.clone(),
        total.carton.clone().unwrap_or_default(),
        total.sku_code.clone(),
        kind_code(total.kind).to_owned(),
        total.units.to_string(),
        total.at.timestamp_millis().to_string(),
        total.lot.clone().unwrap_or_default(),
    ];
    let hash = sha256_hex(parts.join("\u{1f}").as_bytes());
    hash.chars().take(32).collect()
}

async fn known(
    tx: &mut Tx,
    account: &AccountId,
    origin: &str,
    statements: &[&Statement],
) -> Result<BTreeMap<String, Vec<Statement>>, StoreError> {
    let documents: BTreeSet<&str> = statements
        .iter()
        .map(|statement| statement.document.as_str())
        .collect();
    let documents: Vec<&str> = documents.into_iter().collect();
    let mut known: BTreeMap<String, Vec<Statement>> = BTreeMap::new();
    for some in documents.chunks(TEXTS_PER_STATEMENT) {
        let mut args = vec![Value::from(account), Value::from(origin)];
        args.extend(some.iter().map(|document| Value::from(*document)));
        let sql = format!(
            "SELECT document, line, said_at, warehouse, reference, carton, sku_code, kind, units, happened_at, lot
             FROM receipt_statement WHERE account_id = $1 AND origin = $2 AND document IN ({})",
            receipts::places(3, some.len())
        );
        for row in &tx.rows(sql, &args).await? {
            let statement = statement(row, origin)?;
            known
                .entry(statement.document.clone())
                .or_default()
                .push(statement);
        }
    }
    Ok(known)
}

fn statement(row: &Row, origin: &str) -> Result<Statement, StoreError> {
    let kind: String = row.get("kind")?;
    Ok(Statement {
        document: row.get("document")?,
        line: row.get("line")?,
        said_at: row.get("said_at")?,
        total: ReceiptEvent {
            source: origin.to_owned(),
            key: String::new(),
            warehouse: row.get("warehouse")?,
            reference: row.get("reference")?,
            carton: row.get("carton")?,
            sku_code: row.get("sku_code")?,
            kind: receipts::KINDS
                .into_iter()
                .find(|known| kind_code(*known) == kind)
                .ok_or_else(|| corrupt("kind of receipt", &kind))?,
            units: row.get("units")?,
            at: row.get("happened_at")?,
            lot: row.get("lot")?,
            unit_value: None,
        },
    })
}

/// Remembers findings; the same one again changes nothing.
///
/// # Errors
/// When the engine refuses.
pub async fn find(
    tx: &mut Tx,
    account: &AccountId,
    findings: &[Finding],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for finding in findings {
        let body = serde_json::to_string(finding).map_err(|error| corrupt("finding", &error))?;
        let origin = finding
            .source
            .split_once(':')
            .map_or(finding.source.as_str(), |(origin, _)| origin);
        rows.push(
            args![
                account,
                origin,
                &finding.key,
                &finding.reference,
                &finding.sku_code,
                body,
                now
            ]
            .to_vec(),
        );
    }
    tx.insert_many(
        "INSERT INTO receipt_finding (account_id, origin, finding_key, reference, sku_code, body, recorded_at)",
        &rows,
        "ON CONFLICT (account_id, origin, finding_key) DO NOTHING",
    )
    .await
}

/// What was found under some references, by time.
///
/// # Errors
/// When the engine refuses, or a stored finding cannot be read back.
pub async fn findings_for(
    tx: &mut Tx,
    account: &AccountId,
    references: &[String],
) -> Result<Vec<Finding>, StoreError> {
    let distinct: Vec<&String> = references.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut found: Vec<Finding> = Vec::new();
    for some in distinct.chunks(TEXTS_PER_STATEMENT) {
        let mut args = vec![Value::from(account)];
        args.extend(some.iter().map(|reference| Value::from(*reference)));
        let sql = format!(
            "SELECT body FROM receipt_finding WHERE account_id = $1 AND reference IN ({})",
            receipts::places(2, some.len())
        );
        for row in &tx.rows(sql, &args).await? {
            let body: String = row.get("body")?;
            found.push(serde_json::from_str(&body).map_err(|error| corrupt("finding", &error))?);
        }
    }
    found.sort_by(|a, b| (a.at, &a.source, &a.key).cmp(&(b.at, &b.source, &b.key)));
    Ok(found)
}

fn corrupt(what: &str, why: &impl ToString) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: why.to_string(),
    }
}
