//! Amend: an order that was issued and has not left is issued anew, or given up. Its papers are taken back in the
//! same transaction.

use std::collections::{BTreeMap, BTreeSet};

use super::gates::Basis;
use super::issue::{ApprovedLine, Booking, Ready, late};
use super::{Night, hand_over, trial};
use crate::config::Config;
use crate::delivery::State;
use crate::ids::{OrderNo, Sku};
use crate::jobs::{CancelNote, WithdrawError, Withdrawn, withdraw};
use crate::order::gate::Finding;
use crate::order::{OrderEvent, OrderEventKind, Packed, StockingOrder};
use crate::problem::Problem;
use crate::store::order_checks;
use crate::store::orders::{self, OrderStoreError, StoredOrder};
use crate::store::outbox;
use crate::store::{StoreError, Tx, catalog, turn};
use crate::wording::{Lang, text};

#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    #[error("order {0} does not exist")]
    Unknown(OrderNo),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
    #[error(transparent)]
    Order(OrderStoreError),
    #[error("order {0} is packed and its cartons stand; revise it first")]
    Packed(OrderNo),
    #[error("order {0} is no draft")]
    NotDraft(OrderNo),
    #[error("`{0}` is just being sent; try again in a minute")]
    BeingSent(String),
    #[error("forwarder.cancel.name")]
    CancelName(#[source] crate::delivery::NameError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OrderStoreError> for AmendError {
    fn from(error: OrderStoreError) -> Self {
        match error {
            OrderStoreError::Store(error) => Self::Store(error),
            error => Self::Order(error),
        }
    }
}

impl From<WithdrawError> for AmendError {
    fn from(error: WithdrawError) -> Self {
        match error {
            WithdrawError::Store(error) => Self::Store(error),
            WithdrawError::Name(error) => Self::CancelName(error),
        }
    }
}

/// What became of the papers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Had not left, and will not.
    pub kept: usize,
    /// Had left, or may have: a cancel file follows each.
    pub followed: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reissued {
    pub revision: u32,
    pub documents: usize,
    pub taken_back: TakenBack,
}

/// Issues an order anew: the same number and lines, all else from the catalog and the configuration as they are now,
/// papers under new names. Those of the revision before are taken back, so the forwarder gets the cancel files first.
///
/// # Errors
/// Everything that is in the way at once, and then nothing is changed; or when the order has gone on.
pub async fn reissue(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    units: &BTreeMap<Sku, i64>,
    reason: &str,
    by: &str,
) -> Result<Reissued, AmendError> {
    let stored = held(night, tx, number).await?;
    let lines = lines(&stored.order, units).map_err(AmendError::Problems)?;
    reissue_with(night, tx, &stored, (&lines, None), (reason, by)).await
}

/// Issues an order anew with these lines, and these cartons where they are packed already.
pub(super) async fn reissue_with(
    night: &Night<'_>,
    tx: &mut Tx,
    stored: &StoredOrder,
    (lines, packing): (&[ApprovedLine], Option<&Packed>),
    (reason, by): (&str, &str),
) -> Result<Reissued, AmendError> {
    let before = &stored.order;
    let number = &before.number;
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let skus = lines.iter().map(|line| &line.sku);
    let basis = Basis::for_papers(night, tx, &catalog, skus).await?;
    let booking = Booking {
        night,
        plan: before.plan.as_ref(),
        catalog: &catalog,
        basis: &basis,
        number: number.clone(),
        warehouse: before.warehouse.clone(),
        mode: before.mode,
        before: Some(before),
        draft: None,
        reason: Some(reason),
    };
    let untrusted = trial::admit_again(night, tx, number, lines).await?;
    if !untrusted.is_empty() {
        return Err(AmendError::Problems(untrusted));
    }
    let lines: Vec<&ApprovedLine> = lines.iter().collect();
    let Ready {
        order,
        documents,
        check,
        lane,
        forwarder,
    } = booking.ready(&lines, packing).map_err(stopping)?;
    let taken: BTreeSet<String> = orders::documents(tx, night.account(), number)
        .await?
        .into_iter()
        .map(|document| document.file_name)
        .collect();
    let same: Vec<Problem> = documents
        .iter()
        .filter(|document| taken.contains(&document.written.file_name))
        .map(|document| {
            let name = &document.written.file_name;
            let wanted = "a name of its own for each revision: `{order.revision}` in the mapping's file_name";
            booking.problem("", "file_name", name, wanted)
        })
        .collect();
    if !same.is_empty() {
        return Err(AmendError::Problems(same));
    }
    let taken_back = take_back(night, tx, before, reason).await?;
    let revision = order.revision;
    let event = event(
        night,
        by,
        OrderEventKind::Reissued {
            revision,
            reason: reason.to_owned(),
        },
    );
    orders::reissue(tx, night.account(), &order, late(lane, order.eta), event).await?;
    order_checks::keep(tx, night.account(), &order, &check, night.now()).await?;
    // Papers of cartons that stand go when somebody has seen to their labels.
    let now = StoredOrder {
        order,
        ..stored.clone()
    };
    let wait = packing.is_some() && hand_over::held(night, tx, &now).await?;
    let order = now.order;
    for document in &documents {
        if wait {
            booking.keep(tx, &order, document).await?;
        } else {
            booking.send(tx, forwarder, &order, document).await?;
        }
    }
    Ok(Reissued {
        revision,
        documents: documents.len(),
        taken_back,
    })
}

/// What stops an order, for the person who asked; what is only told comes with the order that goes.
pub(super) fn stopping(findings: Vec<Finding>) -> AmendError {
    AmendError::Problems(
        findings
            .into_iter()
            .filter(|finding| finding.level.stops())
            .map(|finding| finding.problem)
            .collect(),
    )
}

/// Gives an order up, and takes its papers back.
///
/// # Errors
/// When the order has gone on, or the store fails.
pub async fn cancel(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    reason: &str,
    by: &str,
) -> Result<TakenBack, AmendError> {
    let stored = held(night, tx, number).await?;
    let kind = OrderEventKind::Cancelled {
        reason: reason.to_owned(),
    };
    orders::append(tx, night.account(), number, event(night, by, kind)).await?;
    take_back(night, tx, &stored.order, reason).await
}

/// The order, while nobody else changes orders.
pub(super) async fn held(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
) -> Result<StoredOrder, AmendError> {
    turn::hold(tx, night.account(), turn::ORDERS, night.now()).await?;
    let stored = orders::get(tx, night.account(), number).await?;
    stored.ok_or_else(|| AmendError::Unknown(number.clone()))
}

pub(super) fn event(night: &Night<'_>, by: &str, kind: OrderEventKind) -> OrderEvent {
    OrderEvent {
        at: night.now(),
        by: by.to_owned(),
        kind,
    }
}

fn lines(before: &StockingOrder, units: &BTreeMap<Sku, i64>) -> Result<Vec<ApprovedLine>, Vec<Problem>> {
    let strangers: Vec<Problem> = units
        .keys()
        .filter(|sku| !before.lines.iter().any(|line| line.goods.sku == **sku))
        .map(|sku| {
            let order = format!("order {} to {}", before.number, before.warehouse);
            Problem::new(order, "", "units", sku.as_str(), "a SKU of this order")
        })
        .collect();
    if !strangers.is_empty() {
        return Err(strangers);
    }
    Ok(before
        .lines
        .iter()
        .map(|line| ApprovedLine {
            warehouse: before.warehouse.clone(),
            sku: line.goods.sku.clone(),
            units: units.get(&line.goods.sku).copied().unwrap_or(line.units),
            suggested: line.suggested_units,
            mode: before.mode,
        })
        .collect())
}

/// Takes the papers of a revision back.
async fn take_back(
    night: &Night<'_>,
    tx: &mut Tx,
    order: &StockingOrder,
    reason: &str,
) -> Result<TakenBack, AmendError> {
    let account = night.account();
    let papers: Vec<String> = orders::documents(tx, account, &order.number)
        .await?
        .into_iter()
        .filter(|document| document.revision == order.revision)
        .map(|document| document_key(&order.number, order.revision, &document.document))
        .collect();
    let mut taken_back = TakenBack::default();
    for key in papers {
        let Some(message) = outbox::find(tx, account, &key).await? else {
            continue;
        };
        let (name, words) = cancel_words(night.config, &message.target);
        let note = CancelNote {
            name: &name,
            text: &words,
        };
        match withdraw(tx, account, &key, reason, note, night.now()).await? {
            Withdrawn::Kept { .. } => taken_back.kept += 1,
            Withdrawn::Followed { .. } | Withdrawn::Already { .. } => taken_back.followed += 1,
            // Taken back by hand before.
            Withdrawn::NotFrom(State::Withdrawn) => taken_back.kept += 1,
            Withdrawn::NotFrom(_) => return Err(AmendError::BeingSent(key)),
            Withdrawn::Unknown => {}
        }
    }
    Ok(taken_back)
}

/// Business key of an order's paper.
pub(super) fn document_key(order: &OrderNo, revision: u32, document: &str) -> String {
    format!("order/{order}/r{revision}/{document}")
}

/// Name and text of a target's cancel files. The forwarder reads Chinese, the warehouse abroad may not: both, unless
/// his own wording is declared.
#[must_use]
pub fn cancel_words(config: &Config, target: &str) -> (String, String) {
    let declared = config
        .forwarders
        .iter()
        .find(|forwarder| forwarder.id.as_str() == target)
        .map(|forwarder| forwarder.cancel.clone())
        .unwrap_or_default();
    let both = || {
        format!(
            "{}\r\n{}\r\n",
            text(Lang::Zh, "cli.outbox.cancel", &[]),
            text(Lang::En, "cli.outbox.cancel", &[])
        )
    };
    (declared.name, declared.text.unwrap_or_else(both))
}
