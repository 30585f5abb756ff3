//! What left and has not arrived: shipped = moving + received + closed short.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::order::StockingOrder;

/// What left under one order number, one line per SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    pub order: OrderNo,
    pub warehouse: WarehouseCode,
    pub shipped_on: NaiveDate,
    pub eta_p50: NaiveDate,
    pub eta_p90: NaiveDate,
    pub units: BTreeMap<Sku, i64>,
}

impl Shipment {
    /// What an order sends; two lines of one SKU are one.
    #[must_use]
    pub fn of(order: &StockingOrder, shipped_on: NaiveDate, eta_p50: NaiveDate, eta_p90: NaiveDate) -> Self {
        let mut units: BTreeMap<Sku, i64> = BTreeMap::new();
        for line in &order.lines {
            *units.entry(line.goods.sku.clone()).or_default() += line.units;
        }
        Self {
            order: order.number.clone(),
            warehouse: order.warehouse.clone(),
            shipped_on,
            eta_p50,
            eta_p90,
            units,
        }
    }
}

/// One SKU of one shipment, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitLine {
    pub order: OrderNo,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub shipped: i64,
    /// Units of this line that the warehouse has, whatever reference it counted them under. Never above `shipped`:
    /// what a warehouse counts beyond it did not come out of this line.
    pub received: i64,
    /// Given up: a matter for a claim, not for the plan.
    pub closed_short: i64,
    pub shipped_on: NaiveDate,
    pub eta_p50: NaiveDate,
    pub eta_p90: NaiveDate,
}

impl TransitLine {
    /// Units still on their way.
    #[must_use]
    pub fn moving(&self) -> i64 {
        (self.shipped - self.received - self.closed_short).max(0)
    }

    /// Whether units are still on their way after the day nine of ten shipments have arrived by.
    #[must_use]
    pub fn is_overdue(&self, as_of: NaiveDate) -> bool {
        self.moving() > 0 && as_of > self.eta_p90
    }
}

/// Lines from what left, what arrived and what was given up, keyed by order and SKU. Units leave transit exactly
/// when they are reported; units on a shelf are the same units that were counted at the dock.
#[must_use]
pub fn lines(
    shipments: &[Shipment],
    arrived: &BTreeMap<(OrderNo, Sku), i64>,
    closed_short: &BTreeMap<(OrderNo, Sku), i64>,
) -> Vec<TransitLine> {
    let mut lines: Vec<TransitLine> = shipments
        .iter()
        .flat_map(|shipment| {
            shipment
                .units
                .iter()
                .map(move |(sku, units)| (shipment, sku, *units))
        })
        .map(|(shipment, sku, shipped)| {
            let key = (shipment.order.clone(), sku.clone());
            TransitLine {
                order: shipment.order.clone(),
                warehouse: shipment.warehouse.clone(),
                sku: sku.clone(),
                shipped,
                received: arrived.get(&key).copied().unwrap_or(0).clamp(0, shipped.max(0)),
                closed_short: closed_short.get(&key).copied().unwrap_or(0),
                shipped_on: shipment.shipped_on,
                eta_p50: shipment.eta_p50,
                eta_p90: shipment.eta_p90,
            }
        })
        .collect();
    lines.sort_by(|a, b| (&a.order, &a.sku).cmp(&(&b.order, &b.sku)));
    lines
}

/// Units on their way to a warehouse, over all its lines of a SKU.
#[must_use]
pub fn moving_to(lines: &[TransitLine], warehouse: &WarehouseCode, sku: &Sku) -> i64 {
    lines
        .iter()
        .filter(|line| line.warehouse == *warehouse && line.sku == *sku)
        .map(TransitLine::moving)
        .sum()
}

/// A line whose units do not add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    pub order: OrderNo,
    pub sku: Sku,
    /// What left, by the shipments.
    pub left: i64,
    /// The lines of this order and SKU; more or fewer than one is itself a breach.
    pub lines: Vec<TransitLine>,
}

/// The law of conservation: every unit that left is in exactly one line, and there either moving, received or
/// closed short. Returns what breaks it, with the rows.
#[must_use]
pub fn check(shipments: &[Shipment], lines: &[TransitLine]) -> Vec<Breach> {
    let mut left: BTreeMap<(&OrderNo, &Sku), i64> = BTreeMap::new();
    for shipment in shipments {
        for (sku, units) in &shipment.units {
            *left.entry((&shipment.order, sku)).or_default() += units;
        }
    }
    let mut found: BTreeMap<(&OrderNo, &Sku), Vec<&TransitLine>> = BTreeMap::new();
    for line in lines {
        found.entry((&line.order, &line.sku)).or_default().push(line);
    }
    let keys: std::collections::BTreeSet<_> = left.keys().chain(found.keys()).copied().collect();
    keys.into_iter()
        .filter_map(|key| {
            let units = left.get(&key).copied();
            let rows = found.get(&key).map(Vec::as_slice).unwrap_or_default();
            let holds = match (units, rows) {
                (Some(units), [line]) => {
                    line.shipped == units
                        && line.received >= 0
                        && line.closed_short >= 0
                        && line.moving() + line.received + line.closed_short == units
                }
                _ => false,
            };
            (!holds).then(|| Breach {
                order: key.0.clone(),
                sku: key.1.clone(),
                left: units.unwrap_or(0),
                lines: rows.iter().map(|line| (*line).clone()).collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn shipment() -> Shipment {
        Shipment {
            order: OrderNo::new("SO-1").unwrap(),
            warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
            shipped_on: day("2026-10-01"),
            eta_p50: day("2026-11-05"),
            eta_p90: day("2026-11-20"),
            units: BTreeMap::from([(Sku::new("A1").unwrap(), 1_000)]),
        }
    }

    fn key() -> (OrderNo, Sku) {
        (OrderNo::new("SO-1").unwrap(), Sku::new("A1").unwrap())
    }

    #[test]
    fn r17_of_a_thousand_units_400_received_leave_600_moving() {
        let lines = lines(&[shipment()], &BTreeMap::from([(key(), 400)]), &BTreeMap::new());
        assert_eq!(lines[0].moving(), 600);
        assert_eq!(moving_to(&lines, &shipment().warehouse, &key().1), 600);
        assert!(!lines[0].is_overdue(day("2026-11-20")) && lines[0].is_overdue(day("2026-11-21")));
        assert!(check(&[shipment()], &lines).is_empty());
    }

    #[test]
    fn closed_short_units_are_neither_moving_nor_received() {
        let lines = lines(
            &[shipment()],
            &BTreeMap::from([(key(), 980)]),
            &BTreeMap::from([(key(), 20)]),
        );
        assert_eq!((lines[0].moving(), lines[0].closed_short), (0, 20));
        assert!(check(&[shipment()], &lines).is_empty());
    }

    #[test]
    fn an_over_receipt_does_not_make_negative_transit() {
        let lines = lines(&[shipment()], &BTreeMap::from([(key(), 1_020)]), &BTreeMap::new());
        assert_eq!((lines[0].moving(), lines[0].received), (0, 1_000));
    }

    #[test]
    fn a_breach_is_returned_with_its_rows() {
        let good = lines(&[shipment()], &BTreeMap::new(), &BTreeMap::new());
        let mut given_up_twice = good.clone();
        given_up_twice[0].received = 1_000;
        given_up_twice[0].closed_short = 1;
        let mut lost_units = good.clone();
        lost_units[0].shipped = 999;
        let doubled = [good.clone(), good.clone()].concat();
        for wrong in [given_up_twice, lost_units, doubled, Vec::new()] {
            let breaches = check(&[shipment()], &wrong);
            assert_eq!((breaches.len(), breaches[0].left), (1, 1_000));
            assert_eq!(breaches[0].lines, wrong);
        }
        assert_eq!(check(&[], &good)[0].left, 0);
    }
}
