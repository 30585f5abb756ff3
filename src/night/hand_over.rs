//! Hand-over: goods whose labels were not seen to stay, and so do the papers of their cartons (R32).

use chrono::{DateTime, Utc};

use super::Night;
use super::amend::{self, AmendError};
use super::issue::enqueue_document;
use crate::ids::{ForwarderId, OrderNo};
use crate::order::labels::{Labels, ScanBack};
use crate::order::{OrderEvent, OrderEventKind, OrderState};
use crate::problem::Problem;
use crate::store::orders::{self, OrderStoreError, StoredOrder};
use crate::store::{StoreError, Tx, blob};

/// What came of a word that goods were handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    Done,
    /// The labels hold it; what was said is kept, and counts once they are seen to.
    Waits,
}

/// What a forwarder's orders want of their labels.
#[must_use]
pub fn wanted(night: &Night<'_>, forwarder: &ForwarderId) -> ScanBack {
    let section = night
        .config
        .forwarders
        .iter()
        .find(|known| known.id == *forwarder);
    section
        .and_then(|section| section.scan_back)
        .unwrap_or(night.config.order.scan_back)
}

/// Whether the labels hold the order.
///
/// # Errors
/// When the store fails.
pub async fn held(night: &Night<'_>, tx: &mut Tx, stored: &StoredOrder) -> Result<bool, StoreError> {
    // What has left is not held back by a paper.
    if !stored.state.is_at_home() {
        return Ok(false);
    }
    let events = orders::events(tx, night.account(), &stored.order.number).await?;
    Ok(Labels::of(&events).hold(wanted(night, &stored.order.forwarder)))
}

/// The order was handed over, as somebody says; or it waits for its labels.
///
/// # Errors
/// When the order is not where it can be handed over, or the store fails.
pub async fn hand_over(
    night: &Night<'_>,
    tx: &mut Tx,
    stored: &StoredOrder,
    (at, by): (DateTime<Utc>, &str),
) -> Result<HandOver, OrderStoreError> {
    let number = &stored.order.number;
    let event = |kind| OrderEvent {
        at,
        by: by.to_owned(),
        kind,
    };
    if held(night, tx, stored).await? {
        let events = orders::events(tx, night.account(), number).await?;
        if Labels::of(&events).waits.is_none() {
            orders::append(tx, night.account(), number, event(OrderEventKind::HandOverWaits)).await?;
        }
        return Ok(HandOver::Waits);
    }
    let reached = OrderEventKind::Reached {
        state: OrderState::HandedOver,
    };
    orders::append(tx, night.account(), number, event(reached)).await?;
    Ok(HandOver::Done)
}

/// What the labels held back goes: papers of the cartons, and the hand-over that somebody told of meanwhile.
///
/// # Errors
/// When the store fails.
pub(super) async fn release(night: &Night<'_>, tx: &mut Tx, number: &OrderNo) -> Result<(), AmendError> {
    let account = night.account();
    let Some(stored) = orders::get(tx, account, number).await? else {
        return Ok(());
    };
    if held(night, tx, &stored).await? {
        return Ok(());
    }
    let forwarders = &night.config.forwarders;
    if let Some(forwarder) = forwarders.iter().find(|known| known.id == stored.order.forwarder) {
        let documents = orders::documents(tx, account, number).await?;
        for document in documents
            .iter()
            .filter(|document| document.revision == stored.order.revision)
        {
            let bytes = blob::get(tx, account, &document.sha256).await?;
            enqueue_document(night, tx, forwarder, document, &bytes).await?;
        }
    }
    let events = orders::events(tx, account, number).await?;
    if let Some((at, by)) = Labels::of(&events).waits {
        let reached = OrderEventKind::Reached {
            state: OrderState::HandedOver,
        };
        let event = OrderEvent {
            at,
            by,
            kind: reached,
        };
        orders::append(tx, account, number, event).await?;
    }
    Ok(())
}

/// A person hands the goods over; `unverified` says why they go although nobody has seen to their labels.
///
/// # Errors
/// When the labels hold it and nobody said why it goes all the same, or the order is not where it can be handed over.
pub async fn by_hand(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    (unverified, by): (Option<&str>, &str),
) -> Result<StoredOrder, AmendError> {
    let stored = amend::held(night, tx, number).await?;
    let account = night.account();
    if held(night, tx, &stored).await? {
        let Some(reason) = unverified else {
            return Err(AmendError::Problems(vec![in_the_way(number)]));
        };
        let waived = OrderEventKind::LabelsWaived {
            reason: reason.to_owned(),
        };
        orders::append(tx, account, number, amend::event(night, by, waived)).await?;
        release(night, tx, number).await?;
    }
    let now = orders::get(tx, account, number).await?.unwrap_or(stored);
    if now.state.is_at_home() {
        hand_over(night, tx, &now, (night.now(), by)).await?;
    }
    let handed = orders::get(tx, account, number).await?;
    Ok(handed.unwrap_or(now))
}

/// What keeps goods from being handed over.
#[must_use]
pub fn in_the_way(number: &OrderNo) -> Problem {
    let wanted = "labels scanned back or photographed without a finding (`order scan`), or `order hand-over --unverified` with a reason";
    Problem::new(
        format!("order {number}"),
        "",
        "labels",
        "packed, unverified",
        wanted,
    )
}
