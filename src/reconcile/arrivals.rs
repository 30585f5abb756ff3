//! What is known, put into the books of each warehouse: same event once, reference to order, code to master SKU.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::book::{Book, Known, LineView, Told, number_of};
use super::{Anomaly, Evidence, Resolve, Rules};
use crate::calendar::civil_day;
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::ledger::{ReceiptEvent, ReceiptKind};
use crate::money::Money;

/// When the warehouse said that it is done with a shipment.
pub(super) struct Closing {
    pub inbound_no: String,
    pub at: DateTime<Utc>,
}

pub(super) struct Gathered {
    pub anomalies: Vec<Anomaly>,
    pub unmapped: BTreeMap<(WarehouseCode, String), i64>,
    /// By the place of the shipment.
    pub closings: BTreeMap<usize, Closing>,
}

/// A code that means nothing yet stands in the books as one of these, which no master SKU is.
const UNREAD: char = '\u{1}';

/// The name of a kind of receipt where it is stored or hashed.
#[must_use]
pub fn kind_code(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Received => "received",
        ReceiptKind::PutAway => "put_away",
        ReceiptKind::Damaged => "damaged",
        ReceiptKind::Mislabelled => "mislabelled",
        ReceiptKind::SetAside => "set_aside",
    }
}

/// Where an event's key is unique: an API source, or all files together, because the same rows come in renamed files.
#[must_use]
pub fn origin_of(event: &ReceiptEvent) -> &str {
    match event.source.split_once(':') {
        Some(("file", _)) => "file",
        _ => &event.source,
    }
}

/// How money stands in the books: the same value is the same text.
pub(super) fn value_text(value: &Money) -> String {
    format!("{} {}", value.amount.normalize(), value.currency)
}

/// The same event once, whatever order and however often it comes. Of one key with two contents the smaller counts,
/// and the key is named.
fn distinct<'a>(
    events: impl Iterator<Item = &'a ReceiptEvent>,
) -> (Vec<&'a ReceiptEvent>, BTreeSet<(&'a str, &'a str)>) {
    fn content(event: &ReceiptEvent) -> impl Ord + use<'_> {
        (
            (&event.warehouse, &event.reference, &event.sku_code),
            (event.kind, event.units, event.at, event.carton.as_deref()),
            (event.lot.as_deref(), event.unit_value.as_ref().map(value_text)),
        )
    }
    let mut by_key: BTreeMap<(&str, &str), &ReceiptEvent> = BTreeMap::new();
    let mut reused = BTreeSet::new();
    for event in events {
        let key = (origin_of(event), event.key.as_str());
        let kept = by_key.entry(key).or_insert(event);
        if content(kept) != content(event) {
            reused.insert(key);
            if content(event) < content(kept) {
                *kept = event;
            }
        }
    }
    (by_key.into_values().collect(), reused)
}

fn fold(reference: &str) -> String {
    reference.trim().to_uppercase()
}

/// Which shipment a reference means: our order number, or an inbound number that carries it.
pub(super) struct References {
    shipments: BTreeMap<String, usize>,
}

impl References {
    pub(super) fn new(evidence: Evidence<'_>) -> Self {
        let mut shipments: BTreeMap<String, usize> = BTreeMap::new();
        for (index, shipment) in evidence.shipments.iter().enumerate() {
            shipments.insert(fold(shipment.order.as_str()), index);
        }
        let by_inbound: Vec<(String, usize)> = evidence
            .notices
            .iter()
            .filter_map(|notice| {
                let index = shipments.get(&fold(&notice.reference))?;
                Some((fold(&notice.inbound_no), *index))
            })
            .collect();
        for (inbound_no, index) in by_inbound {
            // An order number is never overruled by what a warehouse calls its inbound.
            shipments.entry(inbound_no).or_insert(index);
        }
        Self { shipments }
    }

    /// The order number behind a folded name; a name that is none stays as it is.
    pub(super) fn order(&self, evidence: Evidence<'_>, name: &str) -> String {
        let shipment = self.find(name).and_then(|index| evidence.shipments.get(index));
        shipment.map_or_else(|| name.to_owned(), |shipment| shipment.order.to_string())
    }

    fn find(&self, reference: &str) -> Option<usize> {
        self.shipments.get(&fold(reference)).copied()
    }
}

pub(super) fn gather(
    evidence: Evidence<'_>,
    rules: &Rules,
    resolve: Resolve<'_>,
    as_of: NaiveDate,
    references: &References,
    books: &mut BTreeMap<WarehouseCode, Book>,
) -> Gathered {
    let mut gathered = Gathered {
        anomalies: Vec::new(),
        unmapped: BTreeMap::new(),
        closings: BTreeMap::new(),
    };
    for notice in evidence.notices {
        for book in books.values_mut() {
            book.inbound(&notice.inbound_no, &notice.reference);
        }
    }
    let zone = |warehouse: &WarehouseCode| rules.zones.get(warehouse).copied().unwrap_or(Tz::UTC);
    let day_of = |event: &ReceiptEvent| civil_day(event.at, zone(&event.warehouse));
    let (events, reused) = distinct(evidence.events.iter().filter(|event| day_of(event) <= as_of));
    let mut unknown: BTreeMap<(WarehouseCode, String), i64> = BTreeMap::new();
    for event in events {
        let book = books
            .entry(event.warehouse.clone())
            .or_insert_with(|| Book::new(rules.book(&event.warehouse)));
        let is_known = book.knows(&event.reference, event.carton.as_deref());
        if !is_known {
            if let Some(index) = references.find(&event.reference) {
                gathered
                    .anomalies
                    .extend(
                        evidence
                            .shipments
                            .get(index)
                            .map(|shipment| Anomaly::OtherWarehouse {
                                order: shipment.order.clone(),
                                sent_to: shipment.warehouse.clone(),
                                reported_by: event.warehouse.clone(),
                            }),
                    );
                continue;
            }
            let units = if event.kind == ReceiptKind::Received {
                event.units
            } else {
                0
            };
            *unknown
                .entry((event.warehouse.clone(), event.reference.clone()))
                .or_default() += units;
        }
        let on = day_of(event);
        let meaning = resolve(&event.warehouse, &event.sku_code, on);
        if meaning.is_none() && is_known {
            let code = (event.warehouse.clone(), event.sku_code.clone());
            *gathered.unmapped.entry(code).or_default() += 1;
        }
        let value = event.unit_value.as_ref().map(value_text);
        let sku = meaning.as_ref().map_or_else(
            || format!("{UNREAD}{}", event.sku_code),
            |meaning| meaning.resolved.sku.to_string(),
        );
        let multiple = meaning.as_ref().map_or(1, |meaning| meaning.resolved.multiple);
        book.take(&Told {
            origin: origin_of(event),
            key: &event.key,
            reference: &event.reference,
            carton: event.carton.as_deref(),
            sku: &sku,
            known: match meaning {
                None => Known::No,
                Some(meaning) if meaning.barcode => Known::Barcode,
                Some(_) => Known::Code,
            },
            kind: event.kind,
            units: event.units.saturating_mul(multiple),
            at: event.at.timestamp_millis(),
            on: number_of(on),
            lot: event.lot.as_deref(),
            value: value.as_deref(),
        });
    }
    for (origin, key) in reused {
        for book in books.values_mut() {
            book.doubt(origin, key);
        }
        gathered.anomalies.push(Anomaly::KeyReused {
            source: origin.to_owned(),
            key: key.to_owned(),
        });
    }
    gathered
        .anomalies
        .extend(
            unknown
                .into_iter()
                .map(|((warehouse, reference), units)| Anomaly::UnknownReference {
                    warehouse,
                    reference,
                    units,
                }),
        );
    announced(evidence, references, resolve, as_of, books, &mut gathered);
    closing(evidence, references, zone, as_of, books, &mut gathered);
    gathered
}

/// What was announced, and put away as the warehouse itself sums it (used where it sends no put-away events).
fn announced(
    evidence: Evidence<'_>,
    references: &References,
    resolve: Resolve<'_>,
    as_of: NaiveDate,
    books: &mut BTreeMap<WarehouseCode, Book>,
    gathered: &mut Gathered,
) {
    type Sum = (Option<i64>, Option<i64>);
    let mut sums: BTreeMap<(usize, Sku), Sum> = BTreeMap::new();
    let add = |sum: Option<i64>, units: Option<i64>, multiple: i64| {
        Some(sum?.saturating_add(units?.saturating_mul(multiple)))
    };
    for line in evidence.announced {
        let Some(index) = references.find(&line.inbound_no) else {
            continue;
        };
        let Some(shipment) = evidence.shipments.get(index) else {
            continue;
        };
        let Some(meaning) = resolve(&shipment.warehouse, &line.sku_code, as_of) else {
            let code = (shipment.warehouse.clone(), line.sku_code.clone());
            *gathered.unmapped.entry(code).or_default() += 1;
            continue;
        };
        let meaning = meaning.resolved;
        let sum = sums.entry((index, meaning.sku)).or_insert((Some(0), Some(0)));
        *sum = (
            add(sum.0, line.announced, meaning.multiple),
            add(sum.1, line.put_away, meaning.multiple),
        );
    }
    for ((index, sku), (announced, put_away)) in sums {
        if let Some(shipment) = evidence.shipments.get(index)
            && let Some(book) = books.get_mut(&shipment.warehouse)
        {
            book.announce(shipment.order.as_str(), sku.as_str(), announced, put_away);
        }
    }
}

/// Whether the warehouse says it is done.
fn closing(
    evidence: Evidence<'_>,
    references: &References,
    zone: impl Fn(&WarehouseCode) -> Tz,
    as_of: NaiveDate,
    books: &mut BTreeMap<WarehouseCode, Book>,
    gathered: &mut Gathered,
) {
    let mut by_shipment: BTreeMap<usize, Vec<&crate::ledger::InboundNotice>> = BTreeMap::new();
    for notice in evidence.notices {
        if let Some(index) = references.find(&notice.reference) {
            by_shipment.entry(index).or_default().push(notice);
        }
    }
    for (index, notices) in by_shipment {
        let Some(shipment) = evidence.shipments.get(index) else {
            continue;
        };
        let Some(book) = books.get_mut(&shipment.warehouse) else {
            continue;
        };
        let day = |at: DateTime<Utc>| civil_day(at, zone(&shipment.warehouse));
        let is_closed = notices
            .iter()
            .all(|notice| notice.closed && notice.updated_at.is_none_or(|at| day(at) <= as_of));
        if !is_closed {
            continue;
        }
        let last = notices
            .iter()
            .filter_map(|notice| Some((notice.updated_at?, &notice.inbound_no)))
            .max();
        // Closed at no known time: no event can be told to be later, and the pool has no day for it.
        let closed = last.map_or((i64::MAX, i32::MIN), |(at, _)| {
            (at.timestamp_millis(), number_of(day(at)))
        });
        book.close(shipment.order.as_str(), Some(closed));
        if let Some((at, inbound_no)) = last {
            let inbound_no = inbound_no.clone();
            gathered.closings.insert(index, Closing { inbound_no, at });
        }
    }
}

/// The anomalies of a line that only its events show.
pub(super) fn of_view(order: &OrderNo, view: &LineView<'_>) -> Vec<Anomaly> {
    let Ok(sku) = Sku::new(view.sku) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if !view.sources.is_empty() {
        let mut sources: Vec<String> = view.sources.iter().map(|source| (*source).to_owned()).collect();
        sources.sort_unstable();
        found.push(Anomaly::TwoSources {
            order: order.clone(),
            sku: sku.clone(),
            sources,
        });
    }
    found.extend(view.negative.map(|units| Anomaly::NegativeTotal {
        order: order.clone(),
        sku,
        units,
    }));
    found
}
