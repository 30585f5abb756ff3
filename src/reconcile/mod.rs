//! Shipped against announced against received against put away (R54–R56).
//!
//! [`reconcile`] takes everything that is known and says how each line stands. It keeps nothing between runs: the
//! same events in another order, or twice, give the same answer, and a late correction simply changes it. The work is
//! done in the [`book`] of each warehouse, which can also be kept and fed batch by batch.
//!
//! Words: *received* is counted at the dock, damaged units included; *put away* is on the shelf and sellable;
//! *damaged* says how many of the received ones cannot be sold; *set aside* is what the warehouse calls an exception
//! without saying what is wrong, nor whether it is among the received.

mod anomaly;
mod arrivals;
pub mod book;
mod chain;
mod difference;
mod model;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};

pub use anomaly::Anomaly;
pub use arrivals::{kind_code, origin_of};
pub use chain::Chain;
pub use difference::{Difference, DifferenceId, Kind, MatchKey, Pointer, PointerKind, Standing};
pub use model::{Flow, Line, LineState, Pooled, Reconciliation, Reopened, Rules, Tolerance, Verdict};

use crate::catalog::Resolved;
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::ledger::transit::{self, Shipment};
use crate::ledger::{InboundLine, InboundNotice, ReceiptEvent, ReceiptKind};
use crate::money::Money;
use arrivals::{Gathered, References};
use book::{Book, LineView, Packed, Sent};

/// What a warehouse's own code means on a day; `None` is unmapped.
pub type Resolve<'a> = &'a dyn Fn(&WarehouseCode, &str, NaiveDate) -> Option<Meaning>;

/// What a code means, and what kind of code said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    pub resolved: Resolved,
    /// It is the barcode on the unit, not the warehouse's own code.
    pub barcode: bool,
}

/// What the papers of a shipment say beside its units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packing {
    /// Mark of the carton, SKU, units.
    pub cartons: Vec<(String, Sku, i64)>,
    /// Declared value of one unit.
    pub values: BTreeMap<Sku, Money>,
    pub lots: BTreeMap<Sku, BTreeSet<String>>,
}

/// Everything a reconciliation looks at.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    pub shipments: &'a [Shipment],
    pub packing: &'a BTreeMap<OrderNo, Packing>,
    /// How many master units one of the warehouse's may hold.
    pub packs: &'a BTreeMap<Sku, BTreeSet<i64>>,
    pub events: &'a [ReceiptEvent],
    pub notices: &'a [InboundNotice],
    pub announced: &'a [InboundLine],
}

/// How every shipped line stands at the end of a day. Events after that day are not looked at.
#[must_use]
pub fn reconcile(
    evidence: Evidence<'_>,
    rules: &Rules,
    resolve: Resolve<'_>,
    as_of: NaiveDate,
) -> Reconciliation {
    let references = References::new(evidence);
    let mut books = open(evidence, rules);
    let Gathered {
        mut anomalies,
        unmapped,
        closings,
    } = arrivals::gather(evidence, rules, resolve, as_of, &references, &mut books);
    for book in books.values_mut() {
        book.judge(book::number_of(as_of));
    }

    let mut reopened = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    let mut classified: Vec<Difference> = Vec::new();
    let mut flow: BTreeMap<NaiveDate, Flow> = BTreeMap::new();
    for (index, shipment) in evidence.shipments.iter().enumerate() {
        let Some(book) = books.get(&shipment.warehouse) else {
            continue;
        };
        let (views, again) = book.lines(shipment.order.as_str());
        if let (Some(event_at), Some(closing)) = (
            again.and_then(DateTime::from_timestamp_millis),
            closings.get(&index),
        ) {
            reopened.push(Reopened {
                order: shipment.order.clone(),
                inbound_no: closing.inbound_no.clone(),
                closed_at: closing.at,
                event_at,
            });
        }
        for (day, kind, units) in book.flow(shipment.order.as_str()) {
            let flow = flow.entry(day).or_default();
            if kind == ReceiptKind::Received {
                flow.received = flow.received.saturating_add(units);
            } else {
                flow.put_away = flow.put_away.saturating_add(units);
            }
        }
        if shipment.shipped_on <= as_of {
            flow.entry(shipment.shipped_on).or_default().shipped += shipment.units.values().sum::<i64>();
        }
        let mut found = book.differences(&shipment.warehouse, &shipment.order);
        for pointer in found.iter_mut().flat_map(|one| &mut one.evidence) {
            if pointer.kind == PointerKind::Shipment {
                pointer.key = references.order(evidence, &pointer.key);
            }
        }
        for view in &views {
            anomalies.extend(arrivals::of_view(&shipment.order, view));
            lines.extend(line(evidence, &references, shipment, view, &found, rules));
        }
        classified.extend(found);
    }
    lines.sort_by(|a, b| (&a.order, &a.sku).cmp(&(&b.order, &b.sku)));
    classified.sort_by(|a, b| {
        (&a.order, &a.sku, a.kind, &a.carton, &a.id).cmp(&(&b.order, &b.sku, b.kind, &b.carton, &b.id))
    });
    anomalies.extend(lines.iter().flat_map(|line| anomaly::of_line(line, rules)));
    anomalies.sort();
    anomalies.dedup();
    reopened.sort();

    let transit = transit_of(evidence.shipments, &lines);
    Reconciliation {
        as_of,
        breaches: transit::check(evidence.shipments, &transit),
        transit,
        lines,
        classified,
        flow,
        anomalies,
        reopened,
        unmapped,
    }
}

/// The books of each warehouse, with what was sent to it. Shipments go in by their number, so that nothing depends on
/// the order they were given in.
fn open(evidence: Evidence<'_>, rules: &Rules) -> BTreeMap<WarehouseCode, Book> {
    let mut books: BTreeMap<WarehouseCode, Book> = BTreeMap::new();
    let mut shipments: Vec<&Shipment> = evidence.shipments.iter().collect();
    shipments.sort_by(|a, b| a.order.cmp(&b.order));
    let nothing = Packing::default();
    for shipment in shipments {
        let book = books
            .entry(shipment.warehouse.clone())
            .or_insert_with(|| Book::new(rules.book(&shipment.warehouse)));
        let packing = evidence.packing.get(&shipment.order).unwrap_or(&nothing);
        let mut rows: Vec<Packed<'_>> = Vec::new();
        for (sku, units) in &shipment.units {
            let cartons = packing.cartons.iter().filter(|(_, packed, _)| packed == sku);
            let packed: i64 = cartons.clone().map(|(.., units)| *units).sum();
            // The order says how many left; a packing list that holds more does not say in what.
            let told = (packed <= *units).then_some(cartons).into_iter().flatten();
            rows.extend(told.map(|(mark, _, units)| Packed {
                carton: Some(mark.as_str()),
                sku: sku.as_str(),
                units: *units,
            }));
            let loose = if packed <= *units { units - packed } else { *units };
            if loose != 0 || packed == 0 {
                rows.push(Packed {
                    carton: None,
                    sku: sku.as_str(),
                    units: loose,
                });
            }
            if let Some(packs) = evidence.packs.get(sku) {
                book.packs(sku.as_str(), &packs.iter().copied().collect::<Vec<_>>());
            }
        }
        book.ship(&Sent {
            order: shipment.order.as_str(),
            inbounds: &[],
            eta_p90: book::number_of(shipment.eta_p90),
            rows: &rows,
        });
        for sku in shipment.units.keys() {
            let value = packing.values.get(sku).map(arrivals::value_text);
            let lots: Vec<&str> = packing
                .lots
                .get(sku)
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            if value.is_some() || !lots.is_empty() {
                book.expect(shipment.order.as_str(), sku.as_str(), &lots, value.as_deref());
            }
        }
    }
    books
}

fn line(
    evidence: Evidence<'_>,
    references: &References,
    shipment: &Shipment,
    view: &LineView<'_>,
    found: &[Difference],
    rules: &Rules,
) -> Option<Line> {
    let pooled: Vec<Pooled> = view
        .pooled
        .iter()
        .filter_map(|(other, units)| {
            Some(Pooled {
                other: OrderNo::new(references.order(evidence, other)).ok()?,
                units: *units,
            })
        })
        .collect();
    let keys = MatchKey::ALL.into_iter().zip(view.by);
    let mut line = Line {
        order: shipment.order.clone(),
        warehouse: shipment.warehouse.clone(),
        sku: Sku::new(view.sku).ok()?,
        shipped: view.shipped,
        announced: view.announced,
        received: view.received,
        put_away: view.put_away,
        damaged: view.damaged,
        pending_putaway: (view.received - view.put_away - view.damaged).max(0),
        mislabelled: view.mislabelled,
        set_aside: view.set_aside,
        matched_by: keys.filter(|(_, units)| *units != 0).collect(),
        pooled,
        closed_short: 0,
        difference: view.left,
        state: view.state,
        verdict: Verdict::Open,
        shipped_on: shipment.shipped_on,
        eta_p50: shipment.eta_p50,
        eta_p90: shipment.eta_p90,
        first_receipt: view.first,
        last_receipt: view.last,
    };
    judge(&mut line, found, rules);
    Some(line)
}

/// What is left of the difference after pooling, against the tolerance. What may be two things is not closed by it.
fn judge(line: &mut Line, found: &[Difference], rules: &Rules) {
    if !line.state.is_final() {
        return;
    }
    line.closed_short = (-line.difference).max(0);
    let (short, over) = rules.tolerances_of(&line.warehouse);
    let open = found
        .iter()
        .any(|one| one.sku == line.sku && !one.is_determined());
    line.verdict = if line.difference == 0 {
        if line.pooled.is_empty() {
            Verdict::Exact
        } else {
            Verdict::CrossReceived
        }
    } else if line.difference < 0 {
        if short.allows(-line.difference, line.shipped) && !open {
            Verdict::WithinTolerance
        } else {
            Verdict::Short
        }
    } else if over.allows(line.difference, line.shipped) && !open {
        Verdict::WithinTolerance
    } else {
        Verdict::Over
    };
}

fn transit_of(shipments: &[Shipment], lines: &[Line]) -> Vec<transit::TransitLine> {
    let mut arrived = BTreeMap::new();
    let mut closed_short = BTreeMap::new();
    for line in lines {
        let key = (line.order.clone(), line.sku.clone());
        arrived.insert(key.clone(), line.shipped + line.difference);
        closed_short.insert(key, line.closed_short);
    }
    transit::lines(shipments, &arrived, &closed_short)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
