//! Stocking orders, their events and documents.

use chrono::{DateTime, NaiveDate, Utc};

use super::archive::{self, Kind, Note};
use super::{Row, StoreError, Tx};
use crate::args;
use crate::digest::sha256_hex;
use crate::ids::{AccountId, OrderNo, PlanId, Sku, WarehouseCode};
use crate::order::state::{StateError, apply};
use crate::order::{OrderEvent, OrderEventKind, OrderState, StockingOrder};

mod held;

pub use held::{HeldLine, held, hold};

/// An order as it stands: the frozen model and where it is on its way.
#[derive(Debug, Clone)]
pub struct StoredOrder {
    pub order: StockingOrder,
    pub state: OrderState,
    pub eta_p90: NaiveDate,
    /// Day of hand-over, once somebody said so.
    pub shipped_on: Option<NaiveDate>,
}

#[derive(Debug, thiserror::Error)]
pub enum OrderStoreError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("order {order}")]
    State {
        order: OrderNo,
        #[source]
        source: StateError,
    },
    #[error("order {0} does not exist")]
    Unknown(OrderNo),
}

/// A document that was written for a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    pub order: OrderNo,
    pub revision: u32,
    pub document: String,
    pub file_name: String,
    pub media_type: String,
    pub sha256: String,
    /// The day that is written on it; `None`: from before it was kept.
    pub issued_on: Option<NaiveDate>,
}

/// A plan line, or the part of it that goes by one mode, in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedLine {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    /// `order::Mode::code`
    pub mode: String,
    pub order: OrderNo,
}

fn corrupt(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        why: error.to_string(),
    }
}

fn to_json<T: serde::Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| corrupt(what, &error))
}

/// Numbers are `BH<yymmdd>-<nn>`, counted per account and day, never reused.
///
/// # Errors
/// When the engine refuses.
pub async fn next_number(tx: &mut Tx, account: &AccountId, day: NaiveDate) -> Result<OrderNo, StoreError> {
    let row = tx
        .row(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM stocking_order WHERE account_id = $1 AND created_on = $2",
            args![account, day],
        )
        .await?;
    let used: i64 = row.map_or(Ok(0), |row| row.get("n"))?;
    OrderNo::new(format!("BH{}-{:02}", day.format("%y%m%d"), used + 1)).map_err(|error| StoreError::Corrupt {
        what: "order number".to_owned(),
        why: error.to_string(),
    })
}

/// Plan lines of this plan that already belong to an order.
///
/// # Errors
/// When the engine refuses.
pub async fn ordered_lines(
    tx: &mut Tx,
    account: &AccountId,
    plan: &PlanId,
) -> Result<Vec<OrderedLine>, StoreError> {
    tx.rows(
        "SELECT warehouse, sku, mode, order_no FROM ordered_line WHERE account_id = $1 AND plan_id = $2
         ORDER BY warehouse, sku, mode",
        args![account, plan],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(OrderedLine {
            warehouse: row.get("warehouse")?,
            sku: row.get("sku")?,
            mode: row.get("mode")?,
            order: row.get("order_no")?,
        })
    })
    .collect()
}

/// Stores a new order that is approved with it; its plan lines are taken, so that a second approval finds them used.
///
/// # Errors
/// When one of the lines is already in another order, or the engine refuses.
pub async fn create(
    tx: &mut Tx,
    account: &AccountId,
    order: &StockingOrder,
    eta_p90: NaiveDate,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), OrderStoreError> {
    draft(tx, account, order, eta_p90, by, now).await?;
    if order.plan.is_some() {
        take_lines(tx, account, order).await?;
    }
    let approved = OrderEventKind::Reached {
        state: OrderState::Approved,
    };
    append(tx, account, &order.number, event(by, now, approved)).await
}

/// Stores a new order as a draft; no plan line is taken.
///
/// # Errors
/// When its number is taken, or the engine refuses.
pub async fn draft(
    tx: &mut Tx,
    account: &AccountId,
    order: &StockingOrder,
    eta_p90: NaiveDate,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), OrderStoreError> {
    let model = to_json("order", order)?;
    tx.execute_exactly(
        1,
        "INSERT INTO stocking_order (account_id, order_no, revision, state, warehouse, forwarder, mode, plan_id,
             created_on, ship_by, eta_p50, eta_p90, shipped_on, model)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, $13)",
        args![
            account,
            &order.number,
            order.revision,
            OrderState::Draft.code(),
            &order.warehouse,
            &order.forwarder,
            order.mode.code(),
            order.plan.as_ref(),
            order.created_on,
            order.ship_by,
            order.eta,
            eta_p90,
            model
        ],
    )
    .await?;
    let created = event(by, now, OrderEventKind::Created);
    insert_event(tx, account, &order.number, 1, &created).await?;
    Ok(())
}

/// The plan lines of an order are its own; what was held of them waits no longer.
async fn take_lines(tx: &mut Tx, account: &AccountId, order: &StockingOrder) -> Result<(), StoreError> {
    if let Some(plan) = &order.plan {
        for line in &order.lines {
            tx.execute_exactly(
                1,
                "INSERT INTO ordered_line (account_id, plan_id, warehouse, sku, mode, order_no)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                args![
                    account,
                    plan,
                    &order.warehouse,
                    &line.goods.sku,
                    order.mode.code(),
                    &order.number
                ],
            )
            .await?;
            // What was held waits no longer.
            tx.execute(
                "DELETE FROM held_line WHERE account_id = $1 AND plan_id = $2 AND warehouse = $3 AND sku = $4
                     AND (mode = $5 OR mode = '')",
                args![
                    account,
                    plan,
                    &order.warehouse,
                    &line.goods.sku,
                    order.mode.code()
                ],
            )
            .await?;
        }
    }
    Ok(())
}

fn event(by: &str, at: DateTime<Utc>, kind: OrderEventKind) -> OrderEvent {
    OrderEvent {
        at,
        by: by.to_owned(),
        kind,
    }
}

async fn insert_event(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
    seq: i64,
    event: &OrderEvent,
) -> Result<(), StoreError> {
    let json = to_json("order event", event)?;
    let subject = archive::event_subject(order.as_str(), seq);
    tx.note(
        account,
        Note::new(Kind::Event, subject, &sha256_hex(json.as_bytes()), event.at),
    );
    tx.execute_exactly(
        1,
        "INSERT INTO order_event (account_id, order_no, seq, event) VALUES ($1, $2, $3, $4)",
        args![account, order, seq, json],
    )
    .await
}

/// Appends an event when it may follow, and moves the state.
///
/// # Errors
/// [`OrderStoreError::State`] when it may not follow.
pub async fn append(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
    event: OrderEvent,
) -> Result<(), OrderStoreError> {
    let row = tx
        .row(
            "SELECT o.state AS state, (SELECT CAST(MAX(e.seq) AS BIGINT) FROM order_event e
                 WHERE e.account_id = o.account_id AND e.order_no = o.order_no) AS seq
             FROM stocking_order o WHERE o.account_id = $1 AND o.order_no = $2",
            args![account, order],
        )
        .await?
        .ok_or_else(|| OrderStoreError::Unknown(order.clone()))?;
    let state = read_state(&row)?;
    let next = apply(Some(state), &event.kind).map_err(|source| OrderStoreError::State {
        order: order.clone(),
        source,
    })?;
    let seq: Option<i64> = row.get("seq")?;
    insert_event(tx, account, order, seq.unwrap_or(0) + 1, &event).await?;
    tx.execute_exactly(
        1,
        "UPDATE stocking_order SET state = $3 WHERE account_id = $1 AND order_no = $2",
        args![account, order, next.code()],
    )
    .await?;
    if next == OrderState::HandedOver {
        tx.execute(
            "UPDATE stocking_order SET shipped_on = $3 WHERE account_id = $1 AND order_no = $2 AND shipped_on IS NULL",
            args![account, order, event.at.date_naive()],
        )
        .await?;
    }
    Ok(())
}

/// Puts a new revision in the place of the one before it.
///
/// # Errors
/// When the order went on or was changed meanwhile, or the engine refuses.
pub async fn reissue(
    tx: &mut Tx,
    account: &AccountId,
    order: &StockingOrder,
    eta_p90: NaiveDate,
    event: OrderEvent,
) -> Result<(), OrderStoreError> {
    super::order_desk::keep_revision(tx, account, &order.number).await?;
    let model = to_json("order", order)?;
    tx.execute_exactly(
        1,
        "UPDATE stocking_order SET revision = $3, forwarder = $4, ship_by = $5, eta_p50 = $6, eta_p90 = $7, model = $8
         WHERE account_id = $1 AND order_no = $2 AND revision = $9",
        args![
            account,
            &order.number,
            order.revision,
            &order.forwarder,
            order.ship_by,
            order.eta,
            eta_p90,
            model,
            order.revision.saturating_sub(1)
        ],
    )
    .await?;
    append(tx, account, &order.number, event).await
}

fn read_state(row: &Row) -> Result<OrderState, StoreError> {
    let code: String = row.get("state")?;
    OrderState::parse(&code).ok_or_else(|| StoreError::Corrupt {
        what: "order state".to_owned(),
        why: format!("`{code}` is no state"),
    })
}

const COLUMNS: &str =
    "SELECT order_no, state, eta_p90, shipped_on, model FROM stocking_order WHERE account_id = $1";

fn read_order(row: &Row) -> Result<StoredOrder, StoreError> {
    let model: String = row.get("model")?;
    Ok(StoredOrder {
        order: serde_json::from_str(&model).map_err(|error| corrupt("order", &error))?,
        state: read_state(row)?,
        eta_p90: row.get("eta_p90")?,
        shipped_on: row.get("shipped_on")?,
    })
}

/// Every order, oldest first.
///
/// # Errors
/// When the engine refuses or a stored order cannot be read.
pub async fn all(tx: &mut Tx, account: &AccountId) -> Result<Vec<StoredOrder>, StoreError> {
    tx.rows(format!("{COLUMNS} ORDER BY created_on, order_no"), args![account])
        .await?
        .iter()
        .map(read_order)
        .collect()
}

/// # Errors
/// When the engine refuses or the stored order cannot be read.
pub async fn get(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Option<StoredOrder>, StoreError> {
    tx.row(format!("{COLUMNS} AND order_no = $2"), args![account, order])
        .await?
        .as_ref()
        .map(read_order)
        .transpose()
}

/// The log of an order, in order.
///
/// # Errors
/// When the engine refuses or an event cannot be read.
pub async fn events(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Vec<OrderEvent>, StoreError> {
    tx.rows(
        "SELECT event FROM order_event WHERE account_id = $1 AND order_no = $2 ORDER BY seq",
        args![account, order],
    )
    .await?
    .iter()
    .map(|row| {
        let json: String = row.get("event")?;
        serde_json::from_str(&json).map_err(|error| corrupt("order event", &error))
    })
    .collect()
}

/// Records a written document; writing the same bytes again changes nothing.
///
/// # Errors
/// When the engine refuses.
pub async fn add_document(
    tx: &mut Tx,
    account: &AccountId,
    document: &StoredDocument,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let new = tx.execute(
        "INSERT INTO order_document (account_id, order_no, revision, document, file_name, media_type, sha256, issued_on)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, order_no, revision, document) DO NOTHING",
        args![
            account,
            &document.order,
            document.revision,
            &document.document,
            &document.file_name,
            &document.media_type,
            &document.sha256,
            document.issued_on
        ],
    )
    .await?;
    if new == 1 {
        let subject = format!(
            "order/{}/r{}/{}",
            document.order, document.revision, document.document
        );
        tx.note(account, Note::new(Kind::Document, subject, &document.sha256, now));
    }
    Ok(())
}

/// Documents of an order, newest revision last.
///
/// # Errors
/// When the engine refuses.
pub async fn documents(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Vec<StoredDocument>, StoreError> {
    tx.rows(
        "SELECT revision, document, file_name, media_type, sha256, issued_on FROM order_document
         WHERE account_id = $1 AND order_no = $2 ORDER BY revision, document",
        args![account, order],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(StoredDocument {
            order: order.clone(),
            revision: row.get("revision")?,
            document: row.get("document")?,
            file_name: row.get("file_name")?,
            media_type: row.get("media_type")?,
            sha256: row.get("sha256")?,
            issued_on: row.get("issued_on")?,
        })
    })
    .collect()
}

/// The day that is written on an order's papers: the one on which those of its revision were issued, else the order's own.
#[must_use]
pub fn written_on(order: &StockingOrder, documents: &[StoredDocument]) -> NaiveDate {
    documents
        .iter()
        .filter(|document| document.revision == order.revision)
        .find_map(|document| document.issued_on)
        .unwrap_or(order.created_on)
}
