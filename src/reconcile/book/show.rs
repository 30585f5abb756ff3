//! What the books say, with names again: lines, differences with their evidence, and the sum that must hold.

use std::collections::BTreeSet;

use super::classify::{Found, left_after};
use super::gather::{Count, Sheet};
use super::names::NONE;
use super::{Book, Event, STRAY, day_of};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::ledger::ReceiptKind;
use crate::reconcile::{Difference, DifferenceId, Kind, LineState, MatchKey, Pointer, PointerKind};
use chrono::NaiveDate;

/// One SKU of one shipment as the books have it.
#[derive(Debug, Clone)]
pub struct LineView<'b> {
    pub sku: &'b str,
    pub shipped: i64,
    pub announced: Option<i64>,
    pub received: i64,
    pub put_away: i64,
    pub damaged: i64,
    pub mislabelled: i64,
    pub set_aside: i64,
    /// Orders whose counts have to do with it.
    pub pooled: Vec<(&'b str, i64)>,
    /// Received, after pooling, less shipped.
    pub left: i64,
    pub state: LineState,
    pub first: Option<NaiveDate>,
    pub last: Option<NaiveDate>,
    pub by: [i64; 4],
    /// Where several origins told of the same units.
    pub sources: Vec<&'b str>,
    pub negative: Option<i64>,
}

impl Book {
    fn number_of_order(&self, order: &str) -> Option<u32> {
        let shipment = self.find(order)?;
        let known = self.shipments.get(shipment as usize)?;
        (self.references.text(known.order) == super::fold(order)).then_some(shipment)
    }

    /// How the lines of a shipment stand, and when its closed inbound got a later event.
    #[must_use]
    pub fn lines(&self, order: &str) -> (Vec<LineView<'_>>, Option<i64>) {
        let Some(shipment) = self.number_of_order(order) else {
            return (Vec::new(), None);
        };
        let sheet = self.gather(shipment);
        let left = left_after(self, shipment, &sheet);
        let lines = (0..sheet.counts.len())
            .filter(|at| !sheet.counts[*at].unread)
            .map(|at| self.line(shipment, &sheet, at, &left))
            .collect();
        (lines, sheet.reopened)
    }

    fn line<'b>(&'b self, shipment: u32, sheet: &Sheet, at: usize, left: &[i64]) -> LineView<'b> {
        let count = &sheet.counts[at];
        let shares = self.shares_of(shipment, count.sku);
        let shared: i64 = shares.iter().map(|share| share.units).sum();
        let by_count = left[at] - (count.arrived() - count.shipped + shared);
        let mut by = count.by;
        by[MatchKey::Quantity as usize] += by_count;
        for share in shares.iter().filter(|share| share.other & STRAY != 0) {
            by[MatchKey::Quantity as usize] += share.units;
        }
        let mut pooled: Vec<(&str, i64)> = shares
            .iter()
            .map(|share| (self.name(share.other), share.units))
            .collect();
        pooled.sort_unstable();
        LineView {
            sku: self.skus.text(count.sku),
            shipped: count.shipped,
            announced: count.announced,
            received: count.arrived() + by_count,
            put_away: count.put_away,
            damaged: count.damaged,
            mislabelled: count.mislabelled,
            set_aside: count.aside,
            pooled,
            left: left[at],
            state: sheet.state,
            first: count.first.or(sheet.first).and_then(day_of),
            last: count.last.or(sheet.last).and_then(day_of),
            by,
            sources: count
                .sources
                .iter()
                .filter_map(|origin| self.origins.get(usize::from(*origin)).map(String::as_str))
                .collect(),
            negative: count.negative,
        }
    }

    fn name(&self, place: u32) -> &str {
        let number = self
            .shipments
            .get(place as usize)
            .map_or(place & !STRAY, |one| one.order);
        self.references.text(number)
    }

    /// Shipped, still moving, arrived and given up, of each line of a shipment: the first is the sum of the others.
    #[must_use]
    pub fn conserved(&self, order: &str) -> Vec<[i64; 4]> {
        let (lines, _) = self.lines(order);
        lines
            .iter()
            .map(|line| {
                let arrived = (line.shipped + line.left).clamp(0, line.shipped);
                let given_up = if line.state.is_final() {
                    (-line.left).max(0)
                } else {
                    0
                };
                [line.shipped, line.shipped - arrived - given_up, arrived, given_up]
            })
            .collect()
    }

    /// What was counted of a shipment, and what reached the shelf, day by day as it was told.
    #[must_use]
    pub fn flow(&self, order: &str) -> Vec<(NaiveDate, ReceiptKind, i64)> {
        let Some(shipment) = self.number_of_order(order) else {
            return Vec::new();
        };
        let events = self.events_of(shipment);
        let same = |a: &&Event, b: &&Event| (a.sku, a.kind) == (b.sku, b.kind);
        let fullest = events
            .chunk_by(same)
            .flat_map(|kind| self.fullest(kind, &mut Count::default()).0);
        fullest
            .filter(|event| !self.unread.contains(&event.sku))
            .filter_map(|event| {
                let kind = match event.kind {
                    0 => ReceiptKind::Received,
                    1 => ReceiptKind::PutAway,
                    _ => return None,
                };
                Some((day_of(event.on)?, kind, event.units))
            })
            .collect()
    }

    /// How many differences stand.
    #[must_use]
    pub fn found(&self) -> usize {
        self.found.values().map(Vec::len).sum()
    }

    /// Differences that stand by their kind and by whether they are determined.
    pub fn tally(&self) -> std::collections::BTreeMap<(Kind, bool), (u64, i64)> {
        let mut tally = std::collections::BTreeMap::new();
        for found in self.found.values().flatten() {
            let sum: &mut (u64, i64) = tally.entry((found.kind, found.or.is_empty())).or_default();
            *sum = (sum.0 + 1, sum.1 + found.units);
        }
        tally
    }

    /// The differences of a shipment, by SKU, kind and carton.
    #[must_use]
    pub fn differences(&self, warehouse: &WarehouseCode, order: &OrderNo) -> Vec<Difference> {
        let Some(shipment) = self.number_of_order(order.as_str()) else {
            return Vec::new();
        };
        let Some(found) = self.found.get(&shipment) else {
            return Vec::new();
        };
        let sheet = self.gather(shipment);
        let left = left_after(self, shipment, &sheet);
        let mut differences: Vec<Difference> = found
            .iter()
            .filter_map(|found| {
                let at = sheet.counts.iter().position(|count| count.sku == found.sku)?;
                let line = self.line(shipment, &sheet, at, &left);
                self.difference(warehouse, order, shipment, &sheet.counts[at], &line, found)
            })
            .collect();
        differences
            .sort_by(|a, b| (&a.sku, a.kind, &a.carton, &a.id).cmp(&(&b.sku, b.kind, &b.carton, &b.id)));
        differences
    }

    fn difference(
        &self,
        warehouse: &WarehouseCode,
        order: &OrderNo,
        shipment: u32,
        count: &Count,
        line: &LineView<'_>,
        found: &Found,
    ) -> Option<Difference> {
        let sku = Sku::new(line.sku).ok()?;
        let counted_as = (found.counted_as != NONE)
            .then(|| Sku::new(self.skus.text(found.counted_as)).ok())
            .flatten();
        let carton = (found.carton != NONE).then(|| self.cartons.text(found.carton).to_owned());
        let (expected, told) = found.papers.clone().unzip();
        let subject = told.as_deref().or(carton.as_deref());
        let strays = match found.kind {
            Kind::Short | Kind::CartonMissing => self.strays_near(shipment, count.sku),
            _ => Vec::new(),
        };
        let confidence = if strays.is_empty() {
            found.confidence
        } else {
            found.confidence.min(60)
        };
        let keys = MatchKey::ALL.into_iter().zip(line.by);
        Some(Difference {
            id: DifferenceId::of(order, subject, &sku, found.kind, counted_as.as_ref()),
            order: order.clone(),
            warehouse: warehouse.clone(),
            evidence: self.evidence(order, shipment, found, line, &strays),
            carton,
            sku,
            kind: found.kind,
            or: found.or.clone(),
            units: found.units,
            shipped: line.shipped,
            received: line.received,
            standing: found.standing,
            confidence,
            matched_by: keys
                .filter(|(_, units)| *units != 0)
                .map(|(key, _)| key)
                .next_back(),
            counted_as,
            expected,
            found: told,
            last_event: line.last,
        })
    }

    fn evidence(
        &self,
        order: &OrderNo,
        shipment: u32,
        found: &Found,
        line: &LineView<'_>,
        strays: &[(u32, i64)],
    ) -> Vec<Pointer> {
        let mut evidence: BTreeSet<Pointer> = BTreeSet::new();
        let as_of = self.as_of.unwrap_or(super::UNKNOWN_DAY);
        for number in self.chain(shipment) {
            let event = self.events[number as usize];
            let about = event.sku == found.sku || event.sku == found.counted_as;
            let here = found.carton == NONE || event.carton == found.carton;
            if about && here && event.on <= as_of {
                let key = self.keys.text(number);
                evidence.insert(Pointer {
                    kind: PointerKind::Event,
                    source: self
                        .origins
                        .get(usize::from(event.origin))
                        .cloned()
                        .unwrap_or_default(),
                    key: key.chars().skip(1).collect(),
                    units: event.units,
                    by: Some(self.by(&event)),
                });
            }
        }
        let one = self.shipments[shipment as usize];
        for row in self.rows_of(&one) {
            if row.sku == found.sku
                && row.carton != NONE
                && (found.carton == NONE || row.carton == found.carton)
            {
                evidence.insert(Pointer {
                    kind: PointerKind::Carton,
                    source: order.to_string(),
                    key: self.cartons.text(row.carton).to_owned(),
                    units: row.units,
                    by: None,
                });
            }
        }
        evidence.extend(line.pooled.iter().map(|(other, units)| Pointer {
            kind: PointerKind::Shipment,
            source: String::new(),
            key: (*other).to_owned(),
            units: *units,
            by: None,
        }));
        evidence.extend(strays.iter().map(|(reference, units)| Pointer {
            kind: PointerKind::Reference,
            source: String::new(),
            key: self.references.text(*reference).to_owned(),
            units: *units,
            by: None,
        }));
        evidence.into_iter().take(Difference::MAX_EVIDENCE).collect()
    }
}
