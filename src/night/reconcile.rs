//! Reconcile: takes no input, recomputes everything that is open, and writes down what it means for orders and for
//! tomorrow's plan.

mod chain;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};

pub use self::chain::chains;
pub use self::names::under_our_numbers;
use super::assemble::STOCK_KINDS;
use super::step::{StepReport, StepState, chain as causes};
use super::{Night, NightError, whereabouts};
use crate::calendar::civil_day;
use crate::catalog::{Catalog, CodeKind, Resolved};
use crate::ids::{OrderNo, Sku, SourceId, WarehouseCode};
use crate::ledger::transit::Shipment;
use crate::ledger::{InboundNotice, ReceiptEvent, ReceiptKind};
use crate::money::Money;
use crate::order::{OrderEvent, OrderEventKind, OrderLine, OrderState};
use crate::planner::Stage;
use crate::reconcile::{Evidence, Line, LineState, Meaning, Packing, Reconciliation, Rules, reconcile};
use crate::store::catalog::UnmappedCode;
use crate::store::lead_forecasts;
use crate::store::lead_times::{self, LeadTime};
use crate::store::orders::{self, StoredOrder};
use crate::store::{Tx, catalog, differences, facts, receipts};

/// Receipts older than this belong to orders that were closed long ago.
const LOOK_BACK_DAYS: i64 = 400;

pub(super) async fn step(night: &Night<'_>) -> StepReport {
    match run(night).await {
        Ok(report) => report,
        Err(error) => StepReport::failed(causes(&error)),
    }
}

/// Everything the reconciliation looks at, and what it says.
pub struct Books {
    pub orders: Vec<StoredOrder>,
    pub packing: BTreeMap<OrderNo, Packing>,
    pub events: Vec<ReceiptEvent>,
    pub notices: Vec<InboundNotice>,
    pub done: Reconciliation,
}

/// Recomputes the books as of today. Writes nothing.
///
/// # Errors
/// When the store fails.
pub async fn books(night: &Night<'_>, tx: &mut Tx, catalog: &Catalog) -> Result<Books, NightError> {
    books_on(night, tx, catalog, night.today()).await
}

/// The same as of the end of a day, with what is known by now of the days until then.
///
/// # Errors
/// When the store fails.
pub async fn books_on(
    night: &Night<'_>,
    tx: &mut Tx,
    catalog: &Catalog,
    as_of: NaiveDate,
) -> Result<Books, NightError> {
    let account = night.account();
    let orders = orders::all(tx, account).await?;
    let since = night.now() - Duration::days(LOOK_BACK_DAYS);
    let mut events = receipts::load_since(tx, account, since).await?;
    let (mut notices, announced) = facts::inbounds(tx, account).await?;
    under_our_numbers(tx, account, &orders, &mut notices, &mut events).await?;
    // Shipments that ended before linkstar taught their lead times and are nobody's open question.
    let past: BTreeSet<String> = lead_times::all(tx, account)
        .await?
        .into_iter()
        .map(|passage| passage.reference)
        .collect();
    let is_past = |reference: &str| {
        past.contains(reference)
            && !orders
                .iter()
                .any(|stored| stored.order.number.as_str() == reference)
    };
    let past_inbounds: BTreeSet<String> = notices
        .iter()
        .filter(|notice| is_past(&notice.reference))
        .map(|notice| notice.inbound_no.clone())
        .collect();
    notices.retain(|notice| !past_inbounds.contains(&notice.inbound_no));
    events.retain(|event| !is_past(&event.reference) && !past_inbounds.contains(&event.reference));
    let shipments: Vec<Shipment> = orders
        .iter()
        .filter(|stored| stored.state != OrderState::Draft && stored.state != OrderState::Cancelled)
        .map(|stored| {
            let shipped_on = stored.shipped_on.unwrap_or(stored.order.created_on);
            Shipment::of(&stored.order, shipped_on, stored.order.eta, stored.eta_p90)
        })
        .collect();
    let zones = catalog
        .warehouses
        .values()
        .map(|warehouse| (warehouse.code.clone(), warehouse.zone))
        .collect();
    let rules = Rules {
        zones,
        ..night.config.receipts.rules()
    };
    let packing: BTreeMap<OrderNo, Packing> = orders.iter().map(packing).collect();
    let evidence = Evidence {
        shipments: &shipments,
        packing: &packing,
        packs: &packs(catalog),
        events: &events,
        notices: &notices,
        announced: &announced,
    };
    let sources = sources_of(night);
    let resolve = |warehouse: &WarehouseCode, code: &str, on: NaiveDate| {
        resolve(&sources, catalog, warehouse, code, on)
    };
    let done = reconcile(evidence, &rules, &resolve, as_of);
    Ok(Books {
        orders,
        packing,
        events,
        notices,
        done,
    })
}

/// The papers of an order: what stands in which carton, and what a unit was declared at.
fn packing(stored: &StoredOrder) -> (OrderNo, Packing) {
    let order = &stored.order;
    let lines: BTreeMap<u32, &OrderLine> = order.lines.iter().map(|line| (line.no, line)).collect();
    let contents = order
        .cartons
        .iter()
        .flat_map(|carton| carton.contents.iter().map(move |content| (carton, content)));
    let cartons = contents
        .filter_map(|(carton, content)| {
            let line = lines.get(&content.line)?;
            Some((carton.mark.clone(), line.goods.sku.clone(), content.units))
        })
        .collect();
    let values = order
        .lines
        .iter()
        .map(|line| {
            (
                line.goods.sku.clone(),
                Money::new(line.unit_value, order.currency),
            )
        })
        .collect();
    let packing = Packing {
        cartons,
        values,
        lots: BTreeMap::new(),
    };
    (order.number.clone(), packing)
}

/// How many units a code of another system, or a carton, stands for.
fn packs(catalog: &Catalog) -> BTreeMap<Sku, BTreeSet<i64>> {
    let mut packs: BTreeMap<Sku, BTreeSet<i64>> = BTreeMap::new();
    for mapping in catalog.codes.iter().filter(|mapping| mapping.multiple > 1) {
        packs
            .entry(mapping.sku.clone())
            .or_default()
            .insert(mapping.multiple);
    }
    for item in catalog.items.values() {
        if let Some(units) = item.carton_units.filter(|units| *units > 1) {
            packs.entry(item.sku.clone()).or_default().insert(units);
        }
    }
    packs
}

pub(super) fn sources_of(night: &Night<'_>) -> BTreeMap<WarehouseCode, BTreeSet<SourceId>> {
    let mut sources: BTreeMap<WarehouseCode, BTreeSet<SourceId>> = BTreeMap::new();
    for connector in &night.config.connectors {
        for warehouse in connector.warehouses.values() {
            sources
                .entry(warehouse.clone())
                .or_default()
                .insert(connector.id.clone());
        }
    }
    sources
}

/// What a code in a receipt means: as the systems behind the warehouse call it, or a master SKU written out by a person.
pub(super) fn resolve(
    sources: &BTreeMap<WarehouseCode, BTreeSet<SourceId>>,
    catalog: &Catalog,
    warehouse: &WarehouseCode,
    code: &str,
    on: NaiveDate,
) -> Option<Meaning> {
    let systems = || sources.get(warehouse).into_iter().flatten();
    let found = |kinds: &[CodeKind]| {
        systems()
            .flat_map(|system| kinds.iter().map(move |kind| (system, *kind)))
            .find_map(|(system, kind)| catalog.resolve(system, kind, code, on))
    };
    let own = || {
        let sku = Sku::new(code).ok()?;
        catalog
            .items
            .contains_key(&sku)
            .then_some(Resolved { sku, multiple: 1 })
    };
    let by_code = found(&STOCK_KINDS).or_else(own);
    let barcode = by_code.is_none();
    let resolved = by_code.or_else(|| found(&[CodeKind::Barcode]))?;
    Some(Meaning { resolved, barcode })
}

async fn run(night: &Night<'_>) -> Result<StepReport, NightError> {
    let mut report = StepReport::default();
    let account = night.account();
    let mut tx = night.store.write().await?;
    let catalog = catalog::load(&mut tx, account, night.today()).await?;
    let books = books(night, &mut tx, &catalog).await?;
    let changes = receipts::save(&mut tx, account, &books.done, night.now()).await?;
    let found = &books.done.classified;
    let happened = differences::save(&mut tx, account, found, night.today(), night.now()).await?;
    let mut moved = 0;
    for stored in &books.orders {
        moved += advance(night, &mut tx, stored, &books).await?;
    }
    let mut passages = passages(&books, &catalog);
    let (stretches, odd) =
        whereabouts::stretches(night, &mut tx, &under_way(&books, night), &catalog).await?;
    passages.extend(stretches);
    let learned = lead_times::learn(&mut tx, account, &passages).await?;
    for stored in &books.orders {
        if let Some(day) = sellable_on(&books, &catalog, stored) {
            lead_forecasts::arrived(&mut tx, account, stored.order.number.as_str(), day).await?;
        }
    }
    let unmapped = unmapped(night, &books.done);
    catalog::record_unmapped(&mut tx, account, &unmapped, night.now()).await?;
    let cases = super::cases::follow(night, &mut tx, &catalog).await?;
    tx.commit().await?;

    report.count("lines", books.done.lines.len());
    report.count("changed", changes.len());
    report.count("differences", books.done.classified.len());
    report.count("difference_events", happened.len());
    report.count("order_events", moved);
    report.count("cases", cases.opened);
    report.count("learned", usize::try_from(learned).unwrap_or(0));
    report.problems.extend(odd);
    for anomaly in &books.done.anomalies {
        report.problems.push(serde_json::to_string(anomaly)?);
    }
    for breach in &books.done.breaches {
        report
            .problems
            .push(format!("the books do not add up: {breach:?}"));
        report.state = StepState::Failed;
    }
    Ok(report)
}

fn unmapped(night: &Night<'_>, done: &Reconciliation) -> Vec<UnmappedCode> {
    let sources = sources_of(night);
    done.unmapped
        .iter()
        .filter_map(|((warehouse, code), times)| {
            let source = sources.get(warehouse)?.iter().next()?.clone();
            Some(UnmappedCode {
                source,
                kind: STOCK_KINDS[0],
                code: code.clone(),
                times: *times,
            })
        })
        .collect()
}

/// Milestones that the facts show and the order's log does not have yet.
async fn advance(
    night: &Night<'_>,
    tx: &mut Tx,
    stored: &StoredOrder,
    books: &Books,
) -> Result<usize, NightError> {
    let number = &stored.order.number;
    let lines: Vec<&Line> = books
        .done
        .lines
        .iter()
        .filter(|line| line.order == *number && line.shipped > 0)
        .collect();
    let held = super::hand_over::held(night, tx, stored).await?;
    let mut wanted: Vec<(String, OrderEventKind)> = Vec::new();
    let mut state = stored.state;
    let mut reach = |to: OrderState, by: &str, state: &mut OrderState| {
        let event = OrderEventKind::Reached { state: to };
        if let Ok(next) = crate::order::state::apply(Some(*state), &event) {
            wanted.push((by.to_owned(), event));
            *state = next;
        }
    };
    if let Some(notice) = books
        .notices
        .iter()
        .find(|notice| notice.reference == number.as_str())
    {
        // Labels that hold the goods hold a word of them too; what a warehouse receives is there all the same.
        if !held {
            reach(OrderState::HandedOver, notice.source.as_str(), &mut state);
        }
    }
    let arrived = lines.iter().any(|line| line.received != 0 || line.put_away != 0);
    if arrived && !state.is_over() {
        reach(OrderState::Receiving, "reconcile", &mut state);
    }
    let all_final = !lines.is_empty() && lines.iter().all(|line| line.state.is_final());
    if state.is_over() && arrived && lines.iter().any(|line| line.state == LineState::Receiving) {
        wanted.push(("reconcile".to_owned(), OrderEventKind::Reopened));
    } else if all_final && state == OrderState::Receiving {
        let missing: i64 = lines.iter().map(|line| line.closed_short).sum();
        let end = if missing > 0 {
            OrderEventKind::ShortClosed { missing }
        } else {
            OrderEventKind::Closed
        };
        wanted.push(("reconcile".to_owned(), end));
    }
    let count = wanted.len();
    for (by, kind) in wanted {
        orders::append(
            tx,
            night.account(),
            number,
            OrderEvent {
                at: night.now(),
                by,
                kind,
            },
        )
        .await?;
    }
    Ok(count)
}

/// Orders whose way may still teach something new, each with its first receipt.
fn under_way<'b>(books: &'b Books, night: &Night<'_>) -> Vec<(&'b StoredOrder, Option<DateTime<Utc>>)> {
    const LATE_WORDS_DAYS: i64 = 30;
    books
        .orders
        .iter()
        .map(|stored| {
            let received = first_event(books, &stored.order.number, ReceiptKind::Received);
            (stored, received)
        })
        .filter(|(stored, received)| {
            let lately = received.is_some_and(|at| night.now() - at < Duration::days(LATE_WORDS_DAYS));
            stored.state.is_moving() || (lately && stored.state.is_over())
        })
        .collect()
}

/// Hand-over to first receipt, and first receipt to first shelf, of every order that got so far.
fn passages(books: &Books, catalog: &Catalog) -> Vec<LeadTime> {
    let mut passages = Vec::new();
    for stored in &books.orders {
        let number = &stored.order.number;
        let zone = catalog
            .warehouses
            .get(&stored.order.warehouse)
            .map_or(chrono_tz::UTC, |warehouse| warehouse.zone);
        let first = |kind: ReceiptKind| first_event(books, number, kind).map(|at| civil_day(at, zone));
        let received = first(ReceiptKind::Received);
        let passage = |stage: Stage, from: NaiveDate, to: NaiveDate| LeadTime {
            warehouse: stored.order.warehouse.clone(),
            mode: stored.order.mode.code().to_owned(),
            stage: stage.code().to_owned(),
            reference: number.to_string(),
            from,
            to,
        };
        if let (Some(shipped_on), Some(received)) = (stored.shipped_on, received) {
            passages.push(passage(Stage::Transit, shipped_on, received));
        }
        if let (Some(received), Some(put_away)) = (received, first(ReceiptKind::PutAway)) {
            passages.push(passage(Stage::Putaway, received, put_away));
        }
    }
    passages
}

/// The civil day of the first goods on the shelf.
fn sellable_on(books: &Books, catalog: &Catalog, stored: &StoredOrder) -> Option<NaiveDate> {
    let warehouse = catalog.warehouses.get(&stored.order.warehouse);
    let zone = warehouse.map_or(chrono_tz::UTC, |warehouse| warehouse.zone);
    first_event(books, &stored.order.number, ReceiptKind::PutAway).map(|at| civil_day(at, zone))
}

fn first_event(books: &Books, order: &OrderNo, kind: ReceiptKind) -> Option<chrono::DateTime<chrono::Utc>> {
    let inbound = books
        .notices
        .iter()
        .find(|notice| notice.reference == order.as_str());
    books
        .events
        .iter()
        .filter(|event| event.kind == kind && event.units > 0)
        .filter(|event| {
            event.reference == order.as_str()
                || inbound.is_some_and(|inbound| inbound.inbound_no == event.reference)
        })
        .map(|event| event.at)
        .min()
}
