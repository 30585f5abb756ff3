//! Everything the world knows, in a form that can be compared and sent.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::market::Place;
use super::shipment::{Injected, Milestone};
use super::{Shelf, World};

/// Demand of one civil day (London) in master units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SalesDay {
    /// What buyers wanted.
    pub wanted: i64,
    /// What they could order; `wanted - sold` is lost.
    pub sold: i64,
    /// Of `sold`, what was cancelled later.
    pub cancelled: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineTruth {
    pub sku: String,
    pub announced: i64,
    pub loaded: i64,
    pub moving: i64,
    pub dock: i64,
    pub put_away: i64,
    pub damaged: i64,
    pub missing: i64,
    /// Sum of what the warehouse has reported as received, corrections included.
    pub reported_received: i64,
    pub injected: Vec<Injected>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShipmentTruth {
    pub order: String,
    pub inbound_no: String,
    pub warehouse: Place,
    pub mode: &'static str,
    pub announced_at: DateTime<Utc>,
    pub cartons: usize,
    /// Only what has happened.
    pub milestones: Vec<Milestone>,
    pub closed: bool,
    pub lines: Vec<LineTruth>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StockTruth {
    pub warehouse: Place,
    pub sku: String,
    #[serde(flatten)]
    pub shelf: Shelf,
    pub moving: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SalesTruth {
    pub day: NaiveDate,
    pub warehouse: Place,
    pub sku: String,
    #[serde(flatten)]
    pub units: SalesDay,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    pub now: DateTime<Utc>,
    pub seed: u64,
    pub shipments: Vec<ShipmentTruth>,
    pub stock: Vec<StockTruth>,
    pub sales: Vec<SalesTruth>,
}

impl Truth {
    #[must_use]
    pub fn shipment(&self, order: &str) -> Option<&ShipmentTruth> {
        self.shipments.iter().find(|shipment| shipment.order == order)
    }
}

impl World {
    #[must_use]
    pub fn truth(&self) -> Truth {
        let sku = |good: usize| self.good(good).map_or_else(String::new, |good| good.sku.clone());
        Truth {
            now: self.now,
            seed: self.options.seed,
            shipments: self
                .shipments
                .values()
                .map(|shipment| ShipmentTruth {
                    order: shipment.order.clone(),
                    inbound_no: shipment.inbound_no.clone(),
                    warehouse: shipment.place,
                    mode: shipment.mode.code(),
                    announced_at: shipment.announced_at,
                    cartons: shipment.cartons.len(),
                    milestones: shipment
                        .milestones
                        .iter()
                        .filter(|milestone| milestone.at <= self.now)
                        .copied()
                        .collect(),
                    closed: shipment.closed,
                    lines: shipment
                        .lines
                        .iter()
                        .map(|line| LineTruth {
                            sku: sku(line.good),
                            announced: line.announced,
                            loaded: line.loaded,
                            moving: line.moving,
                            dock: line.dock,
                            put_away: line.put_away,
                            damaged: line.damaged,
                            missing: line.missing,
                            reported_received: line.dock + line.put_away + line.damaged + line.phantom,
                            injected: line.injected.clone(),
                        })
                        .collect(),
                })
                .collect(),
            stock: self
                .shelves
                .iter()
                .map(|((place, good), shelf)| StockTruth {
                    warehouse: *place,
                    sku: sku(*good),
                    shelf: *shelf,
                    moving: self.moving(*place, *good),
                })
                .collect(),
            sales: self
                .sales
                .iter()
                .map(|((day, place, good), units)| SalesTruth {
                    day: *day,
                    warehouse: *place,
                    sku: sku(*good),
                    units: *units,
                })
                .collect(),
        }
    }
}
