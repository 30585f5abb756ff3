//! What customs answer an export declaration (R45): each receipt is an event of its order, in words that the book of milestones knows;
//! a release moves the order, a return is a task, and nothing is ever moved back.

use super::Night;
use super::receive::Taken;
use crate::ids::{OrderNo, SourceId};
use crate::ledger::milestone::{Milestone, Words};
use crate::ledger::{EventStatus, TrackingEvent};
use crate::mapping::inbound::Record;
use crate::order::{OrderEvent, OrderEventKind, OrderState, ReferenceKind};
use crate::problem::Problem;
use crate::store::orders::{self, OrderStoreError, StoredOrder};
use crate::store::{StoreError, Tx, references, tracking};

/// How receipts of export declarations are told apart from what trackers say of the border on the other side.
const KIND: &str = "export customs: ";

/// Digits of a declaration's number (海关编号).
const DIGITS: usize = 18;

/// Whether a text is a declaration's number.
#[must_use]
pub fn is_declaration_no(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Numbers of declarations in a file's name.
pub(super) fn numbers_in(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter(|part| is_declaration_no(part))
}

/// The order of a receipt that names only its declaration.
///
/// # Errors
/// When the store fails.
pub(super) async fn order_of(
    night: &Night<'_>,
    tx: &mut Tx,
    record: &Record,
) -> Result<Option<OrderNo>, StoreError> {
    let Some(number) = record.get("declaration_no") else {
        return Ok(None);
    };
    references::order_of(tx, night.account(), ReferenceKind::Declaration, number.trim()).await
}

/// Takes one receipt.
pub(super) async fn take(
    night: &Night<'_>,
    tx: &mut Tx,
    (origin, name): (&str, &str),
    (stored, record): (&StoredOrder, &Record),
    taken: &mut Taken,
) -> Result<(), OrderStoreError> {
    let number = &stored.order.number;
    let declaration = record.get("declaration_no").unwrap_or_default().trim().to_owned();
    let status = record.get("status").unwrap_or_default().trim().to_owned();
    let mut tell = |field: &str, found: &str, wanted: &str| {
        let problem = Problem::new(name, &record.place, field, found, wanted);
        taken.problems.push(problem);
    };
    // A number with letters (an MRN) is of customs elsewhere: the receipt is kept and linked.
    if declaration.bytes().any(|byte| !byte.is_ascii_digit()) {
        return Ok(());
    }
    if !is_declaration_no(&declaration) {
        tell(
            "declaration_no",
            &declaration,
            "the 18 digits of an export declaration",
        );
        return Ok(());
    }
    let Some(at) = record.instant("at") else {
        let found = record.get("at").unwrap_or_default();
        tell("at", found, "when customs said so");
        return Ok(());
    };
    let Ok(source) = SourceId::new(origin) else {
        tell("source", origin, "who told it");
        return Ok(());
    };
    let kind = format!("{KIND}{status}");
    let note = record.get("note").map(str::trim).filter(|note| !note.is_empty());
    let meaning = night.tools.words.means(&kind, None);
    if meaning.is_none() {
        tell(
            "status",
            &status,
            "a status that is known; a word of your own goes into [deadlines] milestones, as `export customs: …`",
        );
    }
    let account = night.account();
    let link = (number, ReferenceKind::Declaration, declaration.as_str());
    references::link(tx, account, link, origin, night.now()).await?;
    let event = TrackingEvent {
        source,
        key: String::new(),
        shipment: Some(number.to_string()),
        container: None,
        kind,
        status: EventStatus::Actual,
        at,
        place: None,
        vessel: None,
        voyage: None,
        text: Some(match note {
            Some(note) => format!("{declaration}: {note}"),
            None => declaration,
        }),
        told_at: None,
    }
    .with_key(None);
    taken.new_events += tracking::append(tx, account, &[event], night.now()).await?;
    if matches!(meaning, Some(Milestone::ExportReleased | Milestone::ExportClosed)) {
        let kind = OrderEventKind::Reached {
            state: OrderState::Exported,
        };
        let event = OrderEvent {
            at,
            by: origin.to_owned(),
            kind,
        };
        match orders::append(tx, account, number, event).await {
            // Told late or twice: the order has gone on, and stays where it is.
            Ok(()) | Err(OrderStoreError::State { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What customs want mended of a declaration: the newest receipt, when it is a return.
///
/// # Errors
/// When the store fails.
pub(super) async fn returned(
    night: &Night<'_>,
    tx: &mut Tx,
    words: &Words,
    number: &OrderNo,
) -> Result<Option<(chrono::DateTime<chrono::Utc>, Problem)>, StoreError> {
    let events = tracking::events_of(tx, night.account(), number.as_str()).await?;
    let newest = events.iter().rev().find_map(|event| {
        let said = event.kind.starts_with(KIND).then_some(event)?;
        // A word nobody knows answers nothing.
        Some((said, words.means(&said.kind, None)?))
    });
    let Some((event, Milestone::ExportReturned)) = newest else {
        return Ok(None);
    };
    let found = event.text.clone().unwrap_or_default();
    let wanted = "a declaration that customs take: mended as they say, and sent again";
    let problem = Problem::new(format!("order {number}"), "", "export_declaration", found, wanted);
    Ok(Some((event.at, problem)))
}
