//! Code mappings and the queue of codes without one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::ImportReport;
use crate::args;
use crate::catalog::{CodeClash, CodeKind, CodeMapping, Codes, Taken};
use crate::ids::{AccountId, SourceId};
use crate::mapping::catalog_file::{Parsed, Placed};
use crate::problem::{Problem, nearest};
use crate::store::{Row, StoreError, Tx, Value};

/// Takes code mappings. A code that another SKU holds in an overlapping period is refused and the old one stays;
/// so is a mapping to a SKU that no items file has named. Mapped codes leave the queue of unmapped ones.
///
/// # Errors
/// When the engine refuses.
pub async fn import_codes(
    tx: &mut Tx,
    account: &AccountId,
    parsed: &Parsed<CodeMapping>,
    now: DateTime<Utc>,
) -> Result<ImportReport, StoreError> {
    let mut report = ImportReport {
        problems: parsed.problems.clone(),
        warnings: parsed.warnings.clone(),
        ..ImportReport::default()
    };
    let (mut codes, revisions) = load_claims(tx, account).await?;
    let skus = known_skus(tx, account).await?;
    let mut waiting: Vec<&Placed<CodeMapping>> = Vec::new();
    for row in &parsed.rows {
        let sku = row.value.sku.as_str();
        if skus.contains(sku) {
            waiting.push(row);
            continue;
        }
        let hint = nearest(sku, skus.iter().map(String::as_str))
            .map(|near| format!(", perhaps `{near}`"))
            .unwrap_or_default();
        let wanted = format!("a SKU of the items file{hint}");
        report
            .problems
            .push(Problem::new(&parsed.file, &row.place, "sku", sku, wanted));
    }

    let mut added: Vec<Vec<Value>> = Vec::new();
    let mut mapped: Vec<&CodeMapping> = Vec::new();
    // A row may end the claim that stands in the way of an earlier row, so clashes are tried again after a change.
    loop {
        let mut ended_one = false;
        let mut clashes: Vec<(&Placed<CodeMapping>, CodeClash)> = Vec::new();
        for row in waiting {
            match codes.take(row.value.clone()) {
                Ok(Taken::Same) => report.same += 1,
                Ok(taken) => {
                    if taken == Taken::New {
                        report.new += 1;
                    } else {
                        report.changed += 1;
                        ended_one = true;
                    }
                    let revision = revisions.get(&claim_key(&row.value)).copied().unwrap_or(0) + 1;
                    added.push(claim_row(account, &row.value, revision, &parsed.file, now));
                    mapped.push(&row.value);
                }
                Err(clash) => clashes.push((row, clash)),
            }
        }
        if !ended_one || clashes.is_empty() {
            report.problems.extend(clashes.iter().map(|(row, clash)| {
                let period = row.value.period();
                let found = format!("{} for {} {period}", row.value.code, row.value.sku);
                let wanted = format!("a code that is free then: {clash}");
                Problem::new(&parsed.file, &row.place, "code", found, wanted)
            }));
            break;
        }
        waiting = clashes.into_iter().map(|(row, _)| row).collect();
    }
    tx.insert_many(
        "INSERT INTO code_claim (account_id, source, store, kind, code, sku, valid_from, revision, multiple,
             valid_to, file, recorded_at)",
        &added,
        "",
    )
    .await?;
    for mapping in mapped {
        tx.execute(
            "UPDATE unmapped_code SET mapped_at = $5
             WHERE account_id = $1 AND source = $2 AND kind = $3 AND code = $4 AND mapped_at IS NULL",
            args![account, &mapping.system, mapping.kind.code(), &mapping.code, now],
        )
        .await?;
    }
    Ok(report)
}

fn iso(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// Everything that makes a claim the same claim.
type ClaimKey = [String; 6];

fn claim_key(mapping: &CodeMapping) -> ClaimKey {
    [
        mapping.system.to_string(),
        mapping.store.clone(),
        mapping.kind.code().to_owned(),
        mapping.code.clone(),
        mapping.sku.to_string(),
        iso(mapping.valid_from),
    ]
}

fn claim_row(
    account: &AccountId,
    mapping: &CodeMapping,
    revision: i64,
    file: &str,
    now: DateTime<Utc>,
) -> Vec<Value> {
    args![
        account,
        &mapping.system,
        &mapping.store,
        mapping.kind.code(),
        &mapping.code,
        &mapping.sku,
        iso(mapping.valid_from),
        revision,
        mapping.multiple,
        iso(mapping.valid_to),
        file,
        now
    ]
    .to_vec()
}

async fn known_skus(tx: &mut Tx, account: &AccountId) -> Result<BTreeSet<String>, StoreError> {
    tx.rows(
        "SELECT DISTINCT record_key FROM master_version WHERE account_id = $1 AND kind = 'item'",
        args![account],
    )
    .await?
    .iter()
    .map(|row| row.get("record_key"))
    .collect()
}

pub(super) async fn load(tx: &mut Tx, account: &AccountId) -> Result<Codes, StoreError> {
    Ok(load_claims(tx, account).await?.0)
}

async fn load_claims(
    tx: &mut Tx,
    account: &AccountId,
) -> Result<(Codes, BTreeMap<ClaimKey, i64>), StoreError> {
    let rows = tx
        .rows(
            "SELECT source, store, kind, code, sku, valid_from, revision, multiple, valid_to FROM code_claim
             WHERE account_id = $1 ORDER BY recorded_at, revision",
            args![account],
        )
        .await?;
    let mut newest: BTreeMap<ClaimKey, (i64, CodeMapping)> = BTreeMap::new();
    for row in &rows {
        let mapping = claim(row)?;
        let revision: i64 = row.get("revision")?;
        let held = newest
            .entry(claim_key(&mapping))
            .or_insert((revision, mapping.clone()));
        if held.0 <= revision {
            *held = (revision, mapping);
        }
    }
    let mut codes = Codes::default();
    let mut revisions = BTreeMap::new();
    for (key, (revision, mapping)) in newest {
        codes
            .take(mapping)
            .map_err(|clash| corrupt("code mapping", &clash.to_string()))?;
        revisions.insert(key, revision);
    }
    Ok((codes, revisions))
}

fn corrupt(what: &str, why: &str) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: why.to_owned(),
    }
}

fn kind(row: &Row) -> Result<CodeKind, StoreError> {
    let text: String = row.get("kind")?;
    CodeKind::parse(&text).ok_or_else(|| corrupt("kind of code", &text))
}

fn claim(row: &Row) -> Result<CodeMapping, StoreError> {
    let day = |column: &str| -> Result<Option<NaiveDate>, StoreError> {
        let text: String = row.get(column)?;
        if text.is_empty() {
            Ok(None)
        } else {
            row.get(column).map(Some)
        }
    };
    Ok(CodeMapping {
        system: row.get("source")?,
        store: row.get("store")?,
        kind: kind(row)?,
        code: row.get("code")?,
        sku: row.get("sku")?,
        multiple: row.get("multiple")?,
        valid_from: day("valid_from")?,
        valid_to: day("valid_to")?,
    })
}

/// A code that came in without a mapping, and in how many rows of one pull.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnmappedCode {
    pub source: SourceId,
    pub kind: CodeKind,
    pub code: String,
    pub times: i64,
}

/// A line of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    pub source: SourceId,
    pub kind: CodeKind,
    pub code: String,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
    /// Rows it came in with, over all pulls.
    pub times: i64,
}

/// Puts codes into the queue. The same sighting (same instant) recorded again changes nothing, so a step of the
/// night may be repeated. A code that was mapped once and comes back unmapped is open again.
///
/// # Errors
/// When the engine refuses.
pub async fn record_unmapped(
    tx: &mut Tx,
    account: &AccountId,
    seen: &[UnmappedCode],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut sums: BTreeMap<(&SourceId, CodeKind, &str), i64> = BTreeMap::new();
    for code in seen {
        *sums.entry((&code.source, code.kind, &code.code)).or_default() += code.times;
    }
    let rows: Vec<Vec<Value>> = sums
        .into_iter()
        .map(|((source, kind, code), times)| {
            args![account, source, kind.code(), code, now, now, times].to_vec()
        })
        .collect();
    tx.insert_many(
        "INSERT INTO unmapped_code (account_id, source, kind, code, first_seen, last_seen, times)",
        &rows,
        "ON CONFLICT (account_id, source, kind, code) DO UPDATE SET last_seen = excluded.last_seen,
             times = unmapped_code.times + excluded.times, mapped_at = NULL
         WHERE unmapped_code.last_seen < excluded.last_seen",
    )
    .await
}

/// Codes that wait for a mapping, the most frequent first.
///
/// # Errors
/// When the engine refuses.
pub async fn unmapped(tx: &mut Tx, account: &AccountId) -> Result<Vec<Unmapped>, StoreError> {
    let mut queue: Vec<Unmapped> = tx
        .rows(
            "SELECT source, kind, code, first_seen, last_seen, times FROM unmapped_code
             WHERE account_id = $1 AND mapped_at IS NULL",
            args![account],
        )
        .await?
        .iter()
        .map(|row| {
            Ok(Unmapped {
                source: row.get("source")?,
                kind: kind(row)?,
                code: row.get("code")?,
                first_seen: row.get("first_seen")?,
                last_seen: row.get("last_seen")?,
                times: row.get("times")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    // Sorted here: the two engines do not order texts alike.
    queue.sort_by(|a, b| (b.times, &a.source, a.kind, &a.code).cmp(&(a.times, &b.source, b.kind, &b.code)));
    Ok(queue)
}
