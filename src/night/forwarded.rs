//! What forwarders' files say of orders: confirmations and rejections move them, tracking lists are events of theirs, the
//! rest is linked to them.

use chrono::{DateTime, Utc};

use super::hand_over::{HandOver, hand_over, in_the_way};
use super::notice::Notice;
use super::receive::Taken;
use super::{Night, NightError, billed, customs_receipts};
use crate::ids::{OrderNo, SourceId};
use crate::ledger::{EventStatus, TrackingEvent};
use crate::mapping::inbound::{InboundKind, Reading, Record};
use crate::order::{OrderEvent, OrderEventKind, ReferenceKind};
use crate::problem::Problem;
use crate::store::inbox as store_inbox;
use crate::store::orders::{self as store_orders, StoredOrder};
use crate::store::{Tx, references, tracking};

/// What forwarders call our orders, and what carriers are then asked for.
const LINKED: [(&str, ReferenceKind); 2] = [
    ("inbound_no", ReferenceKind::Inbound),
    ("container", ReferenceKind::Container),
];

/// What a tracking list says, as an event of the order.
fn tracked(
    origin: &str,
    order: &OrderNo,
    record: &Record,
) -> Result<TrackingEvent, (&'static str, String, String)> {
    let text = |field: &str| {
        record
            .get(field)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let source = SourceId::new(origin)
        .map_err(|error| ("source", origin.to_owned(), format!("who told it ({error})")))?;
    let at = record.instant("at").ok_or_else(|| {
        (
            "at",
            text("at").unwrap_or_default(),
            "the time of the event".to_owned(),
        )
    })?;
    let certainty = text("certainty").unwrap_or_default();
    let status = match certainty.to_lowercase().as_str() {
        "" | "actual" | "实际" => EventStatus::Actual,
        "estimated" | "预计" => EventStatus::Estimated,
        "planned" | "计划" => EventStatus::Planned,
        _ => {
            let wanted = "actual, estimated or planned (实际, 预计, 计划)".to_owned();
            return Err(("certainty", certainty, wanted));
        }
    };
    Ok(TrackingEvent {
        source,
        key: String::new(),
        shipment: Some(order.to_string()),
        container: text("container"),
        kind: text("status").unwrap_or_default(),
        status,
        at,
        place: text("place"),
        vessel: text("vessel"),
        voyage: None,
        text: None,
        told_at: None,
    }
    .with_key(None))
}

/// Confirmations, rejections and receipts of customs move their orders; a tracking list's rows are events; bills are kept
/// and linked, and their charges stand beside what was expected.
pub(super) async fn apply(
    night: &Night<'_>,
    tx: &mut Tx,
    (origin, name): (&str, &str),
    (readings, first_rows): (Vec<Reading>, Vec<String>),
    orders: &[StoredOrder],
) -> Result<Taken, NightError> {
    let mut taken = Taken::default();
    // A receipt of nobody's order waits for a person; what was taken of the others is known when it is read again.
    let mut unplaced = false;
    for reading in &readings {
        taken.problems.extend(reading.problems.iter().cloned());
        if reading.is(InboundKind::Bill) {
            let order_of = |given: &str| named_order(given, orders);
            billed::keep(night, tx, (origin, name), reading, order_of, &mut taken.problems).await?;
        }
        for record in &reading.records {
            let receipt = reading.is(InboundKind::CustomsReceipt);
            let known = match (record.get("order"), receipt) {
                (Some(given), _) => named_order(given, orders),
                (None, true) => customs_receipts::order_of(night, tx, record).await?,
                (None, false) => continue,
            };
            let Some(number) = known else {
                let given = record.get("order").unwrap_or_default();
                let wanted = match receipt {
                    true => "the number of one of our orders, or of a declaration that was told with one",
                    false => "the number of one of our orders",
                };
                taken
                    .problems
                    .push(Problem::new(name, &record.place, "order", given, wanted));
                unplaced |= receipt;
                continue;
            };
            let Some(stored) = orders.iter().find(|stored| stored.order.number == number) else {
                continue;
            };
            taken.orders.insert(number);
            for (field, kind) in LINKED {
                if let Some(name) = record.get(field).filter(|name| !name.is_empty()) {
                    let link = (&stored.order.number, kind, name);
                    references::link(tx, night.account(), link, origin, night.now()).await?;
                }
            }
            if receipt {
                customs_receipts::take(night, tx, (origin, name), (stored, record), &mut taken).await?;
            }
            if reading.is(InboundKind::Tracking) {
                match tracked(origin, &stored.order.number, record) {
                    Ok(event) => {
                        tracking::append(tx, night.account(), &[event], night.now()).await?;
                    }
                    Err((field, found, wanted)) => {
                        taken
                            .problems
                            .push(Problem::new(name, &record.place, field, found, wanted));
                    }
                }
            }
            let event = if reading.is(InboundKind::BookingConfirmation) {
                taken.problems.extend(compare(name, record, stored));
                let at = record.instant("accepted_at").unwrap_or_else(|| night.now());
                match hand_over(night, tx, stored, (at, origin)).await {
                    Ok(HandOver::Waits) => {
                        let problem = in_the_way(&stored.order.number);
                        let place = format!("{} {}", record.place, problem.file);
                        let (field, found, wanted) = (problem.field, problem.found, problem.wanted);
                        taken
                            .problems
                            .push(Problem::new(name, place, field, found, wanted));
                    }
                    // A confirmation of what has gone on since is no news.
                    Ok(HandOver::Done) | Err(store_orders::OrderStoreError::State { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
                None
            } else if reading.is(InboundKind::BookingRejection) {
                let reason = record.get("reason").unwrap_or_default().to_owned();
                Some((
                    record.instant("rejected_at"),
                    OrderEventKind::BookingRejected { reason },
                ))
            } else {
                None
            };
            if let Some((at, kind)) = event {
                move_order(night, tx, (origin, name), stored, at, kind, &mut taken).await?;
            }
        }
    }
    taken.kind = readings
        .iter()
        .find(|reading| !reading.records.is_empty())
        .map(|reading| reading.kind.clone())
        .unwrap_or_default();
    if unplaced {
        taken.kind = store_inbox::QUARANTINE.to_owned();
        taken.first_rows = first_rows;
    }
    taken.facts = readings;
    Ok(taken)
}

/// Appends what the forwarder says of an order. A rejection of what has gone on since is a contradiction that a person must
/// hear of.
async fn move_order(
    night: &Night<'_>,
    tx: &mut Tx,
    (origin, name): (&str, &str),
    stored: &StoredOrder,
    at: Option<DateTime<Utc>>,
    kind: OrderEventKind,
    taken: &mut Taken,
) -> Result<(), NightError> {
    let number = &stored.order.number;
    let reason = match &kind {
        OrderEventKind::BookingRejected { reason } => Some(reason.clone()),
        _ => None,
    };
    let event = OrderEvent {
        at: at.unwrap_or_else(|| night.now()),
        by: origin.to_owned(),
        kind,
    };
    match store_orders::append(tx, night.account(), number, event).await {
        Ok(()) => {
            if let Some(reason) = reason {
                taken.notices.push(Notice::BookingRejected {
                    order: number.to_string(),
                    forwarder: stored.order.forwarder.to_string(),
                    reason,
                });
            }
        }
        Err(store_orders::OrderStoreError::State { source, .. }) => {
            if let Some(reason) = reason {
                let wanted = format!("a rejection before the goods are handed over ({number}: {source})");
                taken
                    .problems
                    .push(Problem::new(name, "", "order", reason, wanted));
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What was accepted against what was booked. Figures the forwarder does not repeat are not compared.
fn compare(name: &str, record: &Record, stored: &StoredOrder) -> Vec<Problem> {
    let totals = stored.order.totals();
    [("cartons", totals.cartons), ("units", totals.units)]
        .into_iter()
        .filter_map(|(field, wanted)| {
            let found = record.int(field).filter(|found| *found != wanted)?;
            let wanted = format!("{wanted}, as order {} says", stored.order.number);
            Some(Problem::new(
                name,
                &record.place,
                field,
                found.to_string(),
                wanted,
            ))
        })
        .collect()
}

/// The order that a text names: its number alone, or as the beginning of a file name of ours.
pub(super) fn named_order(given: &str, orders: &[StoredOrder]) -> Option<OrderNo> {
    let given = given.trim();
    let names = |number: &str| {
        given
            .strip_prefix(number)
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    };
    orders
        .iter()
        .map(|stored| &stored.order.number)
        .filter(|number| names(number.as_str()))
        .max_by_key(|number| number.as_str().len())
        .cloned()
}
