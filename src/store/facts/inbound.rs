//! Inbounds (ASN, 入库单) as the warehouse knows them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::args;
use crate::ids::{AccountId, SourceId};
use crate::ledger::{InboundLine, InboundNotice};
use crate::store::{StoreError, Tx, Value};

/// Takes the newest state of inbounds.
///
/// # Errors
/// When the engine refuses.
pub async fn merge_inbounds(
    tx: &mut Tx,
    account: &AccountId,
    notices: &[InboundNotice],
) -> Result<(), StoreError> {
    // One statement may not touch a row twice; of two states in one page the later one counts.
    let newest: BTreeMap<(&SourceId, &str), &InboundNotice> = notices
        .iter()
        .map(|notice| ((&notice.source, notice.inbound_no.as_str()), notice))
        .collect();
    let rows: Vec<Vec<Value>> = newest
        .into_values()
        .map(|notice| {
            vec![
                account.into(),
                (&notice.source).into(),
                (&notice.inbound_no).into(),
                (&notice.warehouse).into(),
                (&notice.reference).into(),
                (&notice.state).into(),
                notice.closed.into(),
                notice.updated_at.into(),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO inbound_notice (account_id, source, inbound_no, warehouse, reference, state, closed, updated_at)",
        &rows,
        // A list that leaves out what the detail tells does not make it unknown again.
        "ON CONFLICT (account_id, source, inbound_no) DO UPDATE SET warehouse = excluded.warehouse,
             reference = CASE WHEN excluded.reference = '' THEN inbound_notice.reference ELSE excluded.reference END,
             state = excluded.state, closed = excluded.closed,
             updated_at = COALESCE(excluded.updated_at, inbound_notice.updated_at)",
    )
    .await?;
    Ok(())
}

/// What a closed inbound said when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub state: String,
    pub updated_at: Option<DateTime<Utc>>,
}

/// The closed inbounds of a source whose lines are known, by their numbers.
///
/// # Errors
/// When the engine refuses.
pub async fn closed_inbounds(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
) -> Result<BTreeMap<String, Closed>, StoreError> {
    tx.rows(
        "SELECT n.inbound_no, n.state, n.updated_at FROM inbound_notice n
         WHERE n.account_id = $1 AND n.source = $2 AND n.closed = $3 AND EXISTS (
             SELECT 1 FROM inbound_line l
             WHERE l.account_id = $1 AND l.source = n.source AND l.inbound_no = n.inbound_no)",
        args![account, source, true],
    )
    .await?
    .iter()
    .map(|row| {
        let closed = Closed {
            state: row.get("state")?,
            updated_at: row.get("updated_at")?,
        };
        Ok((row.get("inbound_no")?, closed))
    })
    .collect()
}

/// Takes what was announced in one inbound, in place of what was known of it.
///
/// # Errors
/// When the engine refuses.
pub async fn replace_inbound_lines(
    tx: &mut Tx,
    account: &AccountId,
    source: &SourceId,
    inbound_no: &str,
    lines: &[InboundLine],
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM inbound_line WHERE account_id = $1 AND source = $2 AND inbound_no = $3",
        args![account, source, inbound_no],
    )
    .await?;
    let rows: Vec<Vec<Value>> = (1_i64..)
        .zip(lines)
        .map(|(line_no, line)| {
            vec![
                account.into(),
                source.into(),
                inbound_no.into(),
                line_no.into(),
                line.carton.clone().into(),
                (&line.sku_code).into(),
                line.announced.into(),
                line.put_away.into(),
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO inbound_line (account_id, source, inbound_no, line_no, carton, sku_code, announced, put_away)",
        &rows,
        "",
    )
    .await?;
    Ok(())
}

/// Every inbound and its announced lines, in the order of source and number.
///
/// # Errors
/// When the engine refuses.
pub async fn inbounds(
    tx: &mut Tx,
    account: &AccountId,
) -> Result<(Vec<InboundNotice>, Vec<InboundLine>), StoreError> {
    let notices = tx
        .rows(
            "SELECT source, inbound_no, warehouse, reference, state, closed, updated_at FROM inbound_notice
             WHERE account_id = $1 ORDER BY source, inbound_no",
            args![account],
        )
        .await?
        .iter()
        .map(|row| {
            Ok(InboundNotice {
                source: row.get("source")?,
                warehouse: row.get("warehouse")?,
                inbound_no: row.get("inbound_no")?,
                reference: row.get("reference")?,
                state: row.get("state")?,
                closed: row.get("closed")?,
                updated_at: row.get("updated_at")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    let lines = tx
        .rows(
            "SELECT source, inbound_no, carton, sku_code, announced, put_away FROM inbound_line
             WHERE account_id = $1 ORDER BY source, inbound_no, line_no",
            args![account],
        )
        .await?
        .iter()
        .map(|row| {
            Ok(InboundLine {
                source: row.get("source")?,
                inbound_no: row.get("inbound_no")?,
                carton: row.get("carton")?,
                sku_code: row.get("sku_code")?,
                announced: row.get("announced")?,
                put_away: row.get("put_away")?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok((notices, lines))
}
