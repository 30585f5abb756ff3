//! Events to shipments: same event once, reference to order, code to master SKU, units per kind.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{Anomaly, Evidence, Reopened, Resolve, Rules};
use crate::calendar::civil_day;
use crate::ids::{Sku, WarehouseCode};
use crate::ledger::{InboundNotice, ReceiptEvent, ReceiptKind};

/// One SKU of one shipment, summed.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    received: i64,
    pub put_away: i64,
    pub damaged: i64,
    pub announced: Option<i64>,
    pub first: Option<NaiveDate>,
    pub last: Option<NaiveDate>,
}

impl Counts {
    /// What is on a shelf has passed the dock, also where the dock reports late or not at all.
    pub(super) fn arrived(&self) -> i64 {
        self.received
            .max(self.put_away.saturating_add(self.damaged))
            .max(0)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct ShipmentArrivals {
    /// Every SKU that was shipped or received.
    pub lines: BTreeMap<Sku, Counts>,
    pub first: Option<NaiveDate>,
    pub last: Option<NaiveDate>,
    /// All inbounds of the order are closed, and there is at least one.
    pub closed: bool,
    pub closed_on: Option<NaiveDate>,
    pub reopened: Vec<Reopened>,
}

pub(super) struct Arrivals {
    /// As many as shipments, in their order.
    pub shipments: Vec<ShipmentArrivals>,
    pub anomalies: Vec<Anomaly>,
    pub unmapped: BTreeMap<(WarehouseCode, String), i64>,
}

/// The name of a kind of receipt where it is stored or hashed.
#[must_use]
pub fn kind_code(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Received => "received",
        ReceiptKind::PutAway => "put_away",
        ReceiptKind::Damaged => "damaged",
        ReceiptKind::Mislabelled => "mislabelled",
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

/// The same event once, whatever order and however often it comes. One key with two contents is named.
fn distinct<'a>(
    events: impl Iterator<Item = &'a ReceiptEvent>,
    anomalies: &mut Vec<Anomaly>,
) -> Vec<&'a ReceiptEvent> {
    type Content<'a> = (
        &'a WarehouseCode,
        &'a str,
        &'a str,
        ReceiptKind,
        i64,
        DateTime<Utc>,
        Option<&'a str>,
    );
    fn content(event: &ReceiptEvent) -> Content<'_> {
        (
            &event.warehouse,
            &event.reference,
            &event.sku_code,
            event.kind,
            event.units,
            event.at,
            event.carton.as_deref(),
        )
    }
    let mut by_key: BTreeMap<(&str, &str), &ReceiptEvent> = BTreeMap::new();
    for event in events {
        let kept = by_key.entry((origin_of(event), &event.key)).or_insert(event);
        if content(kept) != content(event) {
            anomalies.push(Anomaly::KeyReused {
                source: origin_of(event).to_owned(),
                key: event.key.clone(),
            });
            if content(event) < content(kept) {
                *kept = event;
            }
        }
    }
    by_key.into_values().collect()
}

fn fold(reference: &str) -> String {
    reference.trim().to_uppercase()
}

/// Which shipment a reference means: our order number, or an inbound number that carries it.
struct References {
    shipments: BTreeMap<String, usize>,
}

impl References {
    fn new(evidence: Evidence<'_>) -> Self {
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

    fn find(&self, reference: &str) -> Option<usize> {
        self.shipments.get(&fold(reference)).copied()
    }
}

pub(super) fn gather(
    evidence: Evidence<'_>,
    rules: &Rules,
    resolve: Resolve<'_>,
    as_of: NaiveDate,
) -> Arrivals {
    let zone = |warehouse: &WarehouseCode| rules.zones.get(warehouse).copied().unwrap_or(Tz::UTC);
    let references = References::new(evidence);
    let mut gathered = Arrivals {
        shipments: evidence
            .shipments
            .iter()
            .map(|shipment| ShipmentArrivals {
                lines: shipment
                    .units
                    .keys()
                    .map(|sku| (sku.clone(), Counts::default()))
                    .collect(),
                ..ShipmentArrivals::default()
            })
            .collect(),
        anomalies: Vec::new(),
        unmapped: BTreeMap::new(),
    };

    type Sums<'a> = BTreeMap<(usize, Sku, ReceiptKind), BTreeMap<&'a str, i64>>;
    let mut sums: Sums<'_> = BTreeMap::new();
    let mut unknown: BTreeMap<(WarehouseCode, String), i64> = BTreeMap::new();
    let mut last_event: BTreeMap<usize, Vec<DateTime<Utc>>> = BTreeMap::new();
    let day_of = |event: &ReceiptEvent| civil_day(event.at, zone(&event.warehouse));
    let known = evidence.events.iter().filter(|event| day_of(event) <= as_of);
    for event in distinct(known, &mut gathered.anomalies) {
        let on = day_of(event);
        let Some(index) = references.find(&event.reference) else {
            let units = if event.kind == ReceiptKind::Received {
                event.units
            } else {
                0
            };
            *unknown
                .entry((event.warehouse.clone(), event.reference.clone()))
                .or_default() += units;
            continue;
        };
        let (Some(shipment), Some(arrived)) =
            (evidence.shipments.get(index), gathered.shipments.get_mut(index))
        else {
            continue;
        };
        if event.warehouse != shipment.warehouse {
            gathered.anomalies.push(Anomaly::OtherWarehouse {
                order: shipment.order.clone(),
                sent_to: shipment.warehouse.clone(),
                reported_by: event.warehouse.clone(),
            });
            continue;
        }
        let Some(meaning) = resolve(&event.warehouse, &event.sku_code, on) else {
            let code = (event.warehouse.clone(), event.sku_code.clone());
            *gathered.unmapped.entry(code).or_default() += 1;
            continue;
        };
        let units = event.units.saturating_mul(meaning.multiple);
        let counts = arrived.lines.entry(meaning.sku.clone()).or_default();
        for first in [&mut counts.first, &mut arrived.first] {
            *first = Some(first.map_or(on, |day| day.min(on)));
        }
        for last in [&mut counts.last, &mut arrived.last] {
            *last = Some(last.map_or(on, |day| day.max(on)));
        }
        last_event.entry(index).or_default().push(event.at);
        let sum = sums.entry((index, meaning.sku, event.kind)).or_default();
        let sum = sum.entry(origin_of(event)).or_default();
        *sum = sum.saturating_add(units);
    }

    for ((index, sku, kind), by_origin) in sums {
        let (Some(shipment), Some(arrived)) =
            (evidence.shipments.get(index), gathered.shipments.get_mut(index))
        else {
            continue;
        };
        // Two reports of the same units must not be added: the fuller one counts, and a person is told.
        let units = by_origin.values().copied().max().unwrap_or(0);
        if by_origin.len() > 1 {
            gathered.anomalies.push(Anomaly::TwoSources {
                order: shipment.order.clone(),
                sku: sku.clone(),
                sources: by_origin.keys().map(|source| (*source).to_owned()).collect(),
            });
        }
        if units < 0 {
            gathered.anomalies.push(Anomaly::NegativeTotal {
                order: shipment.order.clone(),
                sku: sku.clone(),
                units,
            });
        }
        let counts = arrived.lines.entry(sku).or_default();
        match kind {
            ReceiptKind::Received => counts.received = units,
            ReceiptKind::PutAway => counts.put_away = units.max(0),
            ReceiptKind::Damaged => counts.damaged = units.max(0),
            ReceiptKind::Mislabelled => {}
        }
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
    announced(evidence, &references, resolve, as_of, &mut gathered);
    closing(evidence, &references, &last_event, zone, as_of, &mut gathered);
    gathered
}

/// What was announced, and put away as the warehouse itself sums it (used where it sends no put-away events).
fn announced(
    evidence: Evidence<'_>,
    references: &References,
    resolve: Resolve<'_>,
    as_of: NaiveDate,
    gathered: &mut Arrivals,
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
        let sum = sums.entry((index, meaning.sku)).or_insert((Some(0), Some(0)));
        *sum = (
            add(sum.0, line.announced, meaning.multiple),
            add(sum.1, line.put_away, meaning.multiple),
        );
    }
    for ((index, sku), (announced, put_away)) in sums {
        let Some(arrived) = gathered.shipments.get_mut(index) else {
            continue;
        };
        let counts = arrived.lines.entry(sku).or_default();
        counts.announced = announced;
        if let Some(put_away) = put_away.filter(|_| counts.put_away == 0) {
            counts.put_away = put_away.max(0);
        }
    }
}

/// Whether the warehouse says it is done, and whether it went on all the same.
fn closing(
    evidence: Evidence<'_>,
    references: &References,
    events: &BTreeMap<usize, Vec<DateTime<Utc>>>,
    zone: impl Fn(&WarehouseCode) -> Tz,
    as_of: NaiveDate,
    gathered: &mut Arrivals,
) {
    let mut by_shipment: BTreeMap<usize, Vec<&InboundNotice>> = BTreeMap::new();
    for notice in evidence.notices {
        if let Some(index) = references.find(&notice.reference) {
            by_shipment.entry(index).or_default().push(notice);
        }
    }
    for (index, notices) in by_shipment {
        let (Some(shipment), Some(arrived)) =
            (evidence.shipments.get(index), gathered.shipments.get_mut(index))
        else {
            continue;
        };
        let closed_by_then = |notice: &&InboundNotice| {
            let later = notice
                .updated_at
                .is_some_and(|at| civil_day(at, zone(&shipment.warehouse)) > as_of);
            notice.closed && !later
        };
        arrived.closed = notices.iter().all(closed_by_then);
        let Some(last) = notices
            .iter()
            .filter_map(|notice| notice.updated_at.map(|at| (at, notice)))
            .max_by(|a, b| (a.0, &a.1.inbound_no).cmp(&(b.0, &b.1.inbound_no)))
        else {
            continue;
        };
        arrived.closed_on = arrived
            .closed
            .then(|| civil_day(last.0, zone(&shipment.warehouse)));
        let after = events
            .get(&index)
            .into_iter()
            .flatten()
            .filter(|at| **at > last.0)
            .min();
        if let (true, Some(event_at)) = (arrived.closed, after) {
            arrived.reopened.push(Reopened {
                order: shipment.order.clone(),
                inbound_no: last.1.inbound_no.clone(),
                closed_at: last.0,
                event_at: *event_at,
            });
        }
    }
}
