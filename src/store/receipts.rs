//! Receipt events, and how the lines they belong to have stood.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::{Row, StoreError, Tx, Value};
use crate::args;
use crate::ids::{AccountId, OrderNo, Sku};
use crate::ledger::{ReceiptEvent, ReceiptKind};
use crate::money::{Currency, Money};
use crate::reconcile::{Line, Reconciliation, kind_code, origin_of};
use crate::wording::{Lang, text};

/// What appending did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appended {
    /// Events that were not known.
    pub new: u64,
    /// Known events that came with another content. The first content stays: a correction is an event of its own,
    /// and a source that rewrites its batches must be looked at by a person.
    pub restated: Vec<ReceiptEvent>,
}

/// Appends events. The same event again, from whatever file, changes nothing.
///
/// # Errors
/// When the engine refuses, or a stored event cannot be read back.
pub async fn append(
    tx: &mut Tx,
    account: &AccountId,
    events: &[ReceiptEvent],
    now: DateTime<Utc>,
) -> Result<Appended, StoreError> {
    let held = held(tx, account, events).await?;
    let same = |a: &ReceiptEvent, b: &ReceiptEvent| {
        // Where it was read does not matter, and the store keeps milliseconds.
        let told = |event: &ReceiptEvent| ReceiptEvent {
            source: String::new(),
            at: DateTime::from_timestamp_millis(event.at.timestamp_millis()).unwrap_or(event.at),
            ..event.clone()
        };
        told(a) == told(b)
    };
    let mut restated = Vec::new();
    let mut unknown = Vec::new();
    for event in events {
        match held.get(&(origin_of(event).to_owned(), event.key.clone())) {
            None => unknown.push(event),
            Some(held) if same(held, event) => {}
            Some(_) => restated.push(event.clone()),
        }
    }
    let rows: Vec<Vec<Value>> = unknown
        .into_iter()
        .map(|event| {
            args![
                account,
                origin_of(event),
                &event.key,
                &event.source,
                &event.warehouse,
                &event.reference,
                event.carton.clone(),
                &event.sku_code,
                kind_code(event.kind),
                event.units,
                event.at,
                event.lot.clone(),
                event.unit_value.map(|value| value.amount),
                event.unit_value.map(|value| value.currency.to_string()),
                now
            ]
            .to_vec()
        })
        .collect();
    tx.insert_many(
        "INSERT INTO receipt_event (account_id, origin, event_key, source, warehouse, reference, carton, sku_code,
             kind, units, happened_at, lot, unit_value, value_currency, recorded_at)",
        &rows,
        "ON CONFLICT (account_id, origin, event_key) DO NOTHING",
    )
    .await
    .map(|new| Appended { new, restated })
}

/// Takes what has come in all per line, and appends what came on top of what is known; less is a negative event. The
/// same total again changes nothing.
///
/// # Errors
/// When the engine refuses, or a stored event cannot be read back.
pub async fn append_totals(
    tx: &mut Tx,
    account: &AccountId,
    totals: &[ReceiptEvent],
    now: DateTime<Utc>,
) -> Result<Appended, StoreError> {
    let line = |event: &ReceiptEvent| {
        (
            origin_of(event).to_owned(),
            event.reference.clone(),
            event.carton.clone(),
            event.sku_code.clone(),
            kind_code(event.kind),
        )
    };
    // Several rows of one line are parts of its total.
    let mut lines: BTreeMap<_, ReceiptEvent> = BTreeMap::new();
    for total in totals {
        lines
            .entry(line(total))
            .and_modify(|sum| {
                sum.units = sum.units.saturating_add(total.units);
                sum.at = sum.at.max(total.at);
            })
            .or_insert_with(|| total.clone());
    }
    let mut known: BTreeMap<_, (i64, u64)> = BTreeMap::new();
    let mut references: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for total in totals {
        references
            .entry(origin_of(total))
            .or_default()
            .insert(&total.reference);
    }
    for (origin, references) in references {
        let references: Vec<&str> = references.into_iter().collect();
        for some in references.chunks(TEXTS_PER_STATEMENT) {
            let mut args = vec![Value::from(account), Value::from(origin)];
            args.extend(some.iter().map(|reference| Value::from(*reference)));
            let sql = format!(
                "SELECT {EVENT_COLUMNS} FROM receipt_event
                 WHERE account_id = $1 AND origin = $2 AND reference IN ({})",
                places(3, some.len())
            );
            for row in &tx.rows(sql, &args).await? {
                let event = event(row)?;
                let so_far: &mut (i64, u64) = known.entry(line(&event)).or_default();
                so_far.0 = so_far.0.saturating_add(event.units);
                so_far.1 += 1;
            }
        }
    }
    let mut more = Vec::new();
    for (line, total) in lines {
        let (before, events) = known.get(&line).copied().unwrap_or_default();
        if total.units == before {
            continue;
        }
        more.push(ReceiptEvent {
            // The how manieth event of the line it is makes it one of its own when a total comes back.
            key: format!(
                "{}|{}|total {}|{}|{}|{}: {before} to {}",
                total.source,
                total.reference,
                kind_code(total.kind),
                total.carton.as_deref().unwrap_or_default(),
                total.sku_code,
                events + 1,
                total.units
            ),
            units: total.units.saturating_sub(before),
            ..total
        });
    }
    append(tx, account, &more, now).await
}

/// Keys and references go into statements of at most this many places.
const TEXTS_PER_STATEMENT: usize = 500;

type Held = BTreeMap<(String, String), ReceiptEvent>;

/// Those of the events that are known already, as they are known.
async fn held(tx: &mut Tx, account: &AccountId, events: &[ReceiptEvent]) -> Result<Held, StoreError> {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for event in events {
        keys.entry(origin_of(event)).or_default().insert(&event.key);
    }
    let mut held = Held::new();
    for (origin, keys) in keys {
        let keys: Vec<&str> = keys.into_iter().collect();
        for some in keys.chunks(TEXTS_PER_STATEMENT) {
            let mut args = vec![Value::from(account), Value::from(origin)];
            args.extend(some.iter().map(|key| Value::from(*key)));
            let sql = format!(
                "SELECT {EVENT_COLUMNS} FROM receipt_event
                 WHERE account_id = $1 AND origin = $2 AND event_key IN ({})",
                places(3, some.len())
            );
            for row in &tx.rows(sql, &args).await? {
                let event = event(row)?;
                held.insert((origin.to_owned(), event.key.clone()), event);
            }
        }
    }
    Ok(held)
}

/// `$3, $4, $5`
pub(super) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

const EVENT_COLUMNS: &str = "origin, event_key, source, warehouse, reference, carton, sku_code, kind, units, happened_at, lot, unit_value, value_currency";

/// All events since an instant, whatever they refer to: units nobody expected must be seen too.
///
/// # Errors
/// When the engine refuses, or a stored event cannot be read back.
pub async fn load_since(
    tx: &mut Tx,
    account: &AccountId,
    since: DateTime<Utc>,
) -> Result<Vec<ReceiptEvent>, StoreError> {
    let rows = tx
        .rows(
            format!("SELECT {EVENT_COLUMNS} FROM receipt_event WHERE account_id = $1 AND happened_at >= $2"),
            args![account, since],
        )
        .await?;
    in_order(&rows)
}

/// Events of some references: order numbers, and the inbound numbers that carry them.
///
/// # Errors
/// When the engine refuses, or a stored event cannot be read back.
pub async fn load_for(
    tx: &mut Tx,
    account: &AccountId,
    references: &[String],
) -> Result<Vec<ReceiptEvent>, StoreError> {
    let distinct: Vec<&String> = references.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut rows = Vec::new();
    for some in distinct.chunks(TEXTS_PER_STATEMENT) {
        let mut args = vec![Value::from(account)];
        args.extend(some.iter().map(|reference| Value::from(*reference)));
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM receipt_event WHERE account_id = $1 AND reference IN ({})",
            places(2, some.len())
        );
        rows.extend(tx.rows(sql, &args).await?);
    }
    in_order(&rows)
}

/// By time, then identity; sorted here because the two engines do not order texts alike.
fn in_order(rows: &[Row]) -> Result<Vec<ReceiptEvent>, StoreError> {
    let mut events: Vec<ReceiptEvent> = rows.iter().map(event).collect::<Result<_, _>>()?;
    events.sort_by(|a, b| (a.at, origin_of(a), &a.key).cmp(&(b.at, origin_of(b), &b.key)));
    Ok(events)
}

pub(super) const KINDS: [ReceiptKind; 5] = [
    ReceiptKind::Received,
    ReceiptKind::PutAway,
    ReceiptKind::Damaged,
    ReceiptKind::Mislabelled,
    ReceiptKind::SetAside,
];

fn event(row: &Row) -> Result<ReceiptEvent, StoreError> {
    let kind: String = row.get("kind")?;
    let amount: Option<Decimal> = row.get("unit_value")?;
    let currency: Option<String> = row.get("value_currency")?;
    Ok(ReceiptEvent {
        source: row.get("source")?,
        key: row.get("event_key")?,
        warehouse: row.get("warehouse")?,
        reference: row.get("reference")?,
        carton: row.get("carton")?,
        sku_code: row.get("sku_code")?,
        kind: KINDS
            .into_iter()
            .find(|known| kind_code(*known) == kind)
            .ok_or_else(|| corrupt("kind of receipt", &kind))?,
        units: row.get("units")?,
        at: row.get("happened_at")?,
        lot: row.get("lot")?,
        unit_value: amount
            .zip(currency)
            .map(|(amount, currency)| {
                let currency =
                    Currency::new(&currency).map_err(|error| corrupt("currency of receipt", &error))?;
                Ok::<_, StoreError>(Money::new(amount, currency))
            })
            .transpose()?,
    })
}

fn corrupt(what: &str, why: &impl ToString) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: why.to_string(),
    }
}

/// A line that stands otherwise than when it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChange {
    /// None: seen for the first time.
    pub before: Option<Line>,
    pub after: Line,
    pub as_of: NaiveDate,
}

impl LineChange {
    /// One sentence for a person.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let line = &self.after;
        let difference = line.difference.to_string();
        let verdict = line.verdict.text(lang);
        let before = self.before.as_ref().filter(|before| before.differs());
        let before = before.map(|before| before.verdict.text(lang));
        let mut filled = vec![
            ("order", line.order.as_str()),
            ("sku", line.sku.as_str()),
            ("difference", &difference),
            ("verdict", &verdict),
        ];
        match &before {
            None => text(lang, "receipts.change.opened", &filled),
            Some(before) => {
                filled.push(("before", before));
                text(lang, "receipts.change.changed", &filled)
            }
        }
    }

    /// Whether a person should hear of it: a difference appeared, changed, or went away.
    #[must_use]
    pub fn is_news(&self) -> bool {
        let told = |line: &Line| {
            line.differs()
                .then_some((line.verdict, line.difference, line.damaged, line.set_aside))
        };
        self.before.as_ref().and_then(told) != told(&self.after)
    }
}

/// Keeps how each line stands and returns what changed since the last time, by order and SKU. Saving the same
/// reconciliation twice changes nothing.
///
/// # Errors
/// When the engine refuses, or a stored line cannot be read back.
pub async fn save(
    tx: &mut Tx,
    account: &AccountId,
    done: &Reconciliation,
    now: DateTime<Utc>,
) -> Result<Vec<LineChange>, StoreError> {
    let mut held = newest(tx, account).await?;
    let mut changes = Vec::new();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for line in &done.lines {
        let before = held.remove(&(line.order.clone(), line.sku.clone()));
        if before.as_ref().is_some_and(|(_, before)| before == line) {
            continue;
        }
        let body = serde_json::to_string(line).map_err(|error| corrupt("receipt line", &error))?;
        let revision = before.as_ref().map_or(1, |(revision, _)| revision + 1);
        rows.push(
            args![
                account,
                &line.order,
                &line.sku,
                revision,
                done.as_of,
                line.state.code(),
                line.verdict.code(),
                line.difference,
                body,
                now
            ]
            .to_vec(),
        );
        changes.push(LineChange {
            before: before.map(|(_, line)| line),
            after: line.clone(),
            as_of: done.as_of,
        });
    }
    tx.insert_many(
        "INSERT INTO receipt_line (account_id, order_no, sku, revision, as_of, state, verdict, difference, body,
             recorded_at)",
        &rows,
        "",
    )
    .await?;
    Ok(changes)
}

type Newest = BTreeMap<(OrderNo, Sku), (i64, Line)>;

async fn newest(tx: &mut Tx, account: &AccountId) -> Result<Newest, StoreError> {
    tx.rows(
        "SELECT order_no, sku, revision, body FROM (
             SELECT order_no, sku, revision, body,
                 ROW_NUMBER() OVER (PARTITION BY order_no, sku ORDER BY revision DESC) AS place
             FROM receipt_line WHERE account_id = $1
         ) AS revisions WHERE place = 1",
        args![account],
    )
    .await?
    .iter()
    .map(|row| {
        let key = (row.get::<OrderNo>("order_no")?, row.get::<Sku>("sku")?);
        Ok((key, (row.get("revision")?, line(row)?)))
    })
    .collect()
}

fn line(row: &Row) -> Result<Line, StoreError> {
    serde_json::from_str(&row.get::<String>("body")?).map_err(|error| corrupt("receipt line", &error))
}

/// How every line stands now, by order and SKU.
///
/// # Errors
/// When the engine refuses, or a stored line cannot be read back.
pub async fn current(tx: &mut Tx, account: &AccountId) -> Result<Vec<Line>, StoreError> {
    Ok(newest(tx, account)
        .await?
        .into_values()
        .map(|(_, line)| line)
        .collect())
}

/// What changed on a day, by order and SKU: the mail shows what was closed since yesterday. A line that changed
/// several times that day is one change, from how it stood before the day.
///
/// # Errors
/// When the engine refuses, or a stored line cannot be read back.
pub async fn changes_on(
    tx: &mut Tx,
    account: &AccountId,
    as_of: NaiveDate,
) -> Result<Vec<LineChange>, StoreError> {
    let rows = tx
        .rows(
            "SELECT order_no, sku, as_of, body FROM receipt_line
             WHERE account_id = $1 AND as_of <= $2 AND (order_no, sku) IN (
                 SELECT order_no, sku FROM receipt_line WHERE account_id = $1 AND as_of = $2
             ) ORDER BY revision",
            args![account, as_of],
        )
        .await?;
    let mut changes: BTreeMap<(OrderNo, Sku), (Option<Line>, Option<Line>)> = BTreeMap::new();
    for row in &rows {
        let line = line(row)?;
        let entry = changes.entry((line.order.clone(), line.sku.clone())).or_default();
        if row.get::<NaiveDate>("as_of")? < as_of {
            entry.0 = Some(line);
        } else {
            entry.1 = Some(line);
        }
    }
    Ok(changes
        .into_values()
        .filter_map(|(before, after)| {
            let after = after.filter(|after| before.as_ref() != Some(after))?;
            Some(LineChange { before, after, as_of })
        })
        .collect())
}
