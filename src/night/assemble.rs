//! Facts of one moment put together into what the planner reads. Pure: the same facts give the same snapshot.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::catalog::{Catalog, CodeKind, Lane, Status, Warehouse};
use crate::config::ConnectorSection;
use crate::ids::{OrderNo, Sku, SourceId, WarehouseCode};
use crate::ledger::StockRow;
use crate::mapping::plan_folder::demand::DemandFiles;
use crate::order::Mode;
use crate::planner::history::mask;
use crate::planner::supply::loss::LossSeen;
use crate::planner::{
    DailySales, DataState, DayUnits, DemandFacts, InboundShipment, ItemSeries, LaneOption, Lot, Observation,
    Snapshot, SourceState, Stage, StageTimes, SupplyFacts, WarehouseFacts,
};
use crate::store::facts::{DayCoverage, LargeLine, SalesSeries, StockSnapshotView};
use crate::store::lead_times::LeadTime;

mod chain;
mod large;
mod on_hand;
mod past;

use on_hand::on_hand;
pub use past::{freight, recorded};

/// Units of an order that left and were not reported yet.
#[derive(Debug, Clone)]
pub struct Moving {
    pub order: OrderNo,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub units: i64,
    pub shipped_on: Option<NaiveDate>,
    pub mode: Mode,
    pub eta: NaiveDate,
}

/// An inbound that the warehouse announces and no order of ours explains.
#[derive(Debug, Clone)]
pub struct UnknownInbound {
    pub source: SourceId,
    pub warehouse: WarehouseCode,
    pub inbound_no: String,
    pub sku_code: String,
    pub units: i64,
}

pub type StockDay = (WarehouseCode, String, NaiveDate, Option<i64>);

/// Everything that is known at one moment.
pub struct Facts<'a> {
    pub as_of: NaiveDate,
    /// The oldest day of sales and stock that is looked at.
    pub from: NaiveDate,
    pub catalog: &'a Catalog,
    pub connectors: &'a [ConnectorSection],
    pub sources: Vec<SourceState>,
    pub sales: Vec<SalesSeries>,
    /// Only of sources that pull sales.
    pub coverage: BTreeMap<SourceId, BTreeMap<NaiveDate, DayCoverage>>,
    pub stock: Vec<StockSnapshotView>,
    /// Systems that have no bucket of units pending putaway: there its absence says nothing.
    pub without_pending: BTreeSet<SourceId>,
    /// Systems that tell what changed and never everything: there a SKU that was not told of is unknown.
    pub partial_stock: BTreeSet<SourceId>,
    pub stock_days: Vec<StockDay>,
    /// Order lines that may be out of all proportion.
    pub large_lines: Vec<LargeLine>,
    pub moving: Vec<Moving>,
    pub unknown_inbound: Vec<UnknownInbound>,
    pub lead_times: Vec<LeadTime>,
    /// What came in together, by the receipts.
    pub lots: Vec<Lot>,
    /// Shipments whose end is known.
    pub losses: Vec<LossSeen>,
    /// What the folder `demand` says: sets, rules, overrides, promotions, events.
    pub demand: DemandFiles,
    /// Calendars, prices, limits: from the folder of the chain.
    pub supply: SupplyFacts,
}

/// A code that no item claims: it goes to a queue, never to zero.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmapped {
    pub source: SourceId,
    pub kind: CodeKind,
    pub code: String,
}

/// The snapshot, and what could not be placed in it.
pub struct Assembled {
    pub snapshot: Snapshot,
    pub unmapped: BTreeSet<Unmapped>,
}

/// Kinds a stock or receipt row's code may be of, the likeliest first.
pub const STOCK_KINDS: [CodeKind; 3] = [CodeKind::WarehouseSku, CodeKind::Fnsku, CodeKind::Msku];

type Key = (WarehouseCode, Sku);

struct Assembler<'a> {
    facts: &'a Facts<'a>,
    first_day: NaiveDate,
    unmapped: BTreeSet<Unmapped>,
}

#[must_use]
pub fn assemble(facts: &Facts<'_>) -> Assembled {
    let mut assembler = Assembler {
        facts,
        first_day: facts.from,
        unmapped: BTreeSet::new(),
    };
    let sold = assembler.sold();
    let in_stock = assembler.closing();
    let stock = assembler.stock();
    let inbound = assembler.inbound();
    let mut series = Vec::new();
    for warehouse in facts.catalog.warehouses.keys() {
        let coverage = assembler.known_days(warehouse);
        let snapshot = facts.stock.iter().find(|view| view.warehouse == *warehouse);
        let worst_sales = assembler.sales_state(warehouse);
        for item in facts.catalog.items.values() {
            let key = (warehouse.clone(), item.sku.clone());
            let has_signal =
                sold.contains_key(&key) || stock.contains_key(&key) || inbound.contains_key(&key);
            if !has_signal {
                continue;
            }
            let mut sales = assembler.daily(sold.get(&key), &coverage);
            let closing = in_stock.get(&key);
            if let Some(closing) = closing {
                mask::apply(&mut sales, |day| closing.get(&day).copied());
            }
            let mut seen = closing.into_iter().flatten().filter(|(_, left)| **left > 0);
            mask::begin(&mut sales, seen.next().map(|(day, _)| *day));
            let on_hand = on_hand(snapshot, stock.get(&key), facts);
            series.push(ItemSeries {
                warehouse: warehouse.clone(),
                sku: item.sku.clone(),
                name_zh: item.name_zh.clone(),
                name_en: item.name_en.clone(),
                active: item.status == Status::Active,
                sales,
                sales_state: worst_sales,
                available: on_hand.available,
                pending_putaway: on_hand.pending,
                stock_state: on_hand.state,
                inbound: inbound.get(&key).cloned().unwrap_or_default(),
                production: None,
                carton_units: item.carton_units,
                moq: item.moq,
                unit_cost: item.unit_cost,
                service_permille: None,
            });
        }
    }
    let warehouses = facts
        .catalog
        .warehouses
        .values()
        .map(|warehouse| warehouse_facts(facts, warehouse))
        .collect();
    let demand = DemandFacts {
        large: assembler.large(),
        ..facts.demand.facts.clone()
    };
    Assembled {
        snapshot: Snapshot {
            as_of: facts.as_of,
            sources: facts.sources.clone(),
            warehouses,
            series,
            demand,
            supply: chain::supply(facts),
        },
        unmapped: assembler.unmapped,
    }
}

impl Assembler<'_> {
    fn resolve(
        &mut self,
        source: &SourceId,
        kinds: &[CodeKind],
        code: &str,
        on: NaiveDate,
    ) -> Option<(Sku, i64)> {
        for kind in kinds {
            if let Some(found) = self.facts.catalog.resolve(source, *kind, code, on) {
                return Some((found.sku, found.multiple));
            }
        }
        let kind = kinds.first().copied().unwrap_or(CodeKind::WarehouseSku);
        self.unmapped.insert(Unmapped {
            source: source.clone(),
            kind,
            code: code.to_owned(),
        });
        None
    }

    fn served_by(&self, source: &SourceId, fulfilment: &str) -> Option<WarehouseCode> {
        let connector = self
            .facts
            .connectors
            .iter()
            .find(|connector| connector.id == *source)?;
        connector.warehouses.get(fulfilment).cloned()
    }

    fn sold(&mut self) -> BTreeMap<Key, Vec<i64>> {
        let mut sold: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
        let facts = self.facts;
        let length = usize::try_from((facts.as_of - self.first_day).num_days()).unwrap_or(0) + 1;
        for series in &facts.sales {
            let Some(warehouse) = self.served_by(&series.source, &series.fulfilment) else {
                continue;
            };
            for run in self.runs(series) {
                let Some((day, _)) = run.first() else { continue };
                let Some((sku, multiple)) =
                    self.resolve(&series.source, &[CodeKind::Msku], &series.sku_code, *day)
                else {
                    continue;
                };
                // A set takes its components off the shelf.
                for (sku, multiple) in facts.demand.bundles.opened(&sku, multiple) {
                    let days = sold
                        .entry((warehouse.clone(), sku))
                        .or_insert_with(|| vec![0; length]);
                    for (day, units) in run {
                        if let Some(sum) = place(self.first_day, *day).and_then(|place| days.get_mut(place)) {
                            *sum += units * multiple;
                        }
                    }
                }
            }
        }
        sold
    }

    fn runs<'a>(&self, series: &'a SalesSeries) -> std::slice::Chunks<'a, (NaiveDate, i64)> {
        let steady = match series.days.as_slice() {
            [(first, _), .., (last, _)] => {
                let period = (*first, *last);
                self.facts
                    .catalog
                    .is_steady(&series.source, CodeKind::Msku, &series.sku_code, period)
            }
            _ => true,
        };
        series
            .days
            .chunks(if steady { series.days.len().max(1) } else { 1 })
    }

    /// What was there at the end of a day, over all codes of a SKU.
    fn closing(&mut self) -> BTreeMap<Key, BTreeMap<NaiveDate, i64>> {
        let mut days: BTreeMap<Key, BTreeMap<NaiveDate, i64>> = BTreeMap::new();
        let facts = self.facts;
        for (warehouse, code, day, available) in &facts.stock_days {
            let source = facts
                .stock
                .iter()
                .find(|view| view.warehouse == *warehouse)
                .map(|view| &view.source);
            let (Some(source), Some(available)) = (source, available) else {
                continue;
            };
            let Some((sku, multiple)) = self.resolve(source, &STOCK_KINDS, code, *day) else {
                continue;
            };
            let left = days
                .entry((warehouse.clone(), sku))
                .or_default()
                .entry(*day)
                .or_default();
            // What one code owes is not taken from what another has.
            *left = left.saturating_add((*available).max(0).saturating_mul(multiple));
        }
        days
    }

    fn stock(&mut self) -> BTreeMap<Key, Vec<(StockRow, i64)>> {
        let mut stock: BTreeMap<Key, Vec<(StockRow, i64)>> = BTreeMap::new();
        let facts = self.facts;
        for view in &facts.stock {
            for row in &view.rows {
                if let Some((sku, multiple)) =
                    self.resolve(&view.source, &STOCK_KINDS, &row.sku_code, facts.as_of)
                {
                    stock
                        .entry((row.warehouse.clone(), sku))
                        .or_default()
                        .push((row.clone(), multiple));
                }
            }
        }
        stock
    }

    fn inbound(&mut self) -> BTreeMap<Key, Vec<InboundShipment>> {
        let mut inbound: BTreeMap<Key, Vec<InboundShipment>> = BTreeMap::new();
        let facts = self.facts;
        for moving in facts.moving.iter().filter(|moving| moving.units > 0) {
            inbound
                .entry((moving.warehouse.clone(), moving.sku.clone()))
                .or_default()
                .push(InboundShipment {
                    reference: moving.order.to_string(),
                    units: moving.units,
                    shipped_on: moving.shipped_on,
                    mode: Some(moving.mode),
                    eta: Some(moving.eta),
                    known: true,
                });
        }
        for unknown in &facts.unknown_inbound {
            if let Some((sku, multiple)) =
                self.resolve(&unknown.source, &STOCK_KINDS, &unknown.sku_code, facts.as_of)
            {
                inbound
                    .entry((unknown.warehouse.clone(), sku))
                    .or_default()
                    .push(InboundShipment {
                        reference: unknown.inbound_no.clone(),
                        units: unknown.units * multiple,
                        shipped_on: None,
                        mode: None,
                        eta: None,
                        known: false,
                    });
            }
        }
        inbound
    }

    /// Sources that sell from this warehouse.
    fn sellers<'a>(&'a self, warehouse: &'a WarehouseCode) -> impl Iterator<Item = &'a SourceId> + 'a {
        self.facts
            .connectors
            .iter()
            .filter(move |connector| connector.warehouses.values().any(|served| served == warehouse))
            .map(|connector| &connector.id)
            .filter(|id| self.facts.coverage.contains_key(*id))
    }

    /// Days on which every source that sells from the warehouse has answered in full.
    fn known_days(&self, warehouse: &WarehouseCode) -> BTreeSet<NaiveDate> {
        let sellers: Vec<&SourceId> = self.sellers(warehouse).collect();
        if sellers.is_empty() {
            return BTreeSet::new();
        }
        self.first_day
            .iter_days()
            .take_while(|day| *day < self.facts.as_of)
            .filter(|day| {
                sellers.iter().all(|source| {
                    let days = self.facts.coverage.get(*source);
                    days.and_then(|days| days.get(day)) == Some(&DayCoverage::Complete)
                })
            })
            .collect()
    }

    fn sales_state(&self, warehouse: &WarehouseCode) -> DataState {
        let sellers: Vec<&SourceId> = self.sellers(warehouse).collect();
        self.facts
            .sources
            .iter()
            .filter(|state| sellers.contains(&&state.source) && !is_stock_stream(self.facts, state))
            .map(|state| state.state)
            .max()
            .unwrap_or(DataState::Missing)
    }

    fn daily(&self, sold: Option<&Vec<i64>>, known: &BTreeSet<NaiveDate>) -> DailySales {
        let days = self
            .first_day
            .iter_days()
            .take_while(|day| *day < self.facts.as_of);
        let units: DayUnits = days
            .map(|day| {
                let place = place(self.first_day, day);
                let units = sold
                    .zip(place)
                    .and_then(|(sold, place)| sold.get(place))
                    .copied()
                    .unwrap_or(0);
                // A net return of a whole day cannot be demand below zero.
                known
                    .contains(&day)
                    .then(|| u32::try_from(units.max(0)).unwrap_or(u32::MAX))
            })
            .collect();
        DailySales {
            first_day: self.first_day,
            units,
            in_stock: Vec::new(),
        }
    }
}

fn place(first: NaiveDate, day: NaiveDate) -> Option<usize> {
    usize::try_from((day - first).num_days()).ok()
}

/// A stream that brings stock is one of a source that has a snapshot and whose name says so.
fn is_stock_stream(facts: &Facts<'_>, state: &SourceState) -> bool {
    facts.stock.iter().any(|view| view.source == state.source) && !state.stream.contains("order")
}

fn warehouse_facts(facts: &Facts<'_>, warehouse: &Warehouse) -> WarehouseFacts {
    let lanes: Vec<&Lane> = facts
        .catalog
        .lanes
        .iter()
        .filter(|lane| lane.warehouse == warehouse.code)
        .collect();
    let observed = |mode: Option<Mode>, stage: Stage| -> Vec<Observation> {
        facts
            .lead_times
            .iter()
            .filter(|seen| seen.warehouse == warehouse.code && seen.stage == stage.code())
            .filter(|seen| mode.is_none_or(|mode| mode.code() == seen.mode))
            .map(|seen| Observation {
                from: seen.from,
                to: seen.to,
            })
            .collect()
    };
    let putaway = lanes.iter().find_map(|lane| lane.putaway);
    WarehouseFacts {
        warehouse: warehouse.code.clone(),
        putaway: Some(StageTimes {
            stage: Stage::Putaway,
            p50: putaway.map(|days| days.p50),
            p90: putaway.map(|days| days.p90),
            observed: observed(None, Stage::Putaway),
        }),
        lanes: lanes
            .iter()
            .map(|lane| LaneOption {
                mode: lane.mode,
                forwarder: Some(lane.forwarder.clone()),
                service: lane.service.clone(),
                priority: lane.priority.unwrap_or(i64::MAX),
                stages: vec![
                    StageTimes {
                        stage: Stage::Production,
                        p50: lane.production.map(|days| days.p50),
                        p90: lane.production.map(|days| days.p90),
                        observed: observed(Some(lane.mode), Stage::Production),
                    },
                    StageTimes {
                        stage: Stage::Transit,
                        p50: lane.transit.map(|days| days.p50),
                        p90: lane.transit.map(|days| days.p90),
                        observed: observed(Some(lane.mode), Stage::Transit),
                    },
                ],
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests;
