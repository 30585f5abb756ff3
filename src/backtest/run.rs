//! One policy's life in a world, day by day.

use std::collections::{BTreeMap, VecDeque};

use super::dice;
use super::rule::{Rule, Seen};
use super::score::{Cell, Tally};
use super::world::{World, WorldItem};
use crate::ids::{Sku, WarehouseCode};
use crate::planner::calibration::{Calibration, Decision, decisions, learn};
use crate::planner::{self, InboundShipment, Policy, Snapshot, round_need};

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub policy: String,
    pub run: u32,
    pub day: usize,
    pub days: usize,
}

/// What a life left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    pub tally: Tally,
    /// Every order: day from the start, place of the item, units.
    pub orders: Vec<(usize, usize, i64)>,
    /// Where calibration stood at the end.
    pub calibration: Vec<Calibration>,
}

/// Units on their way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shipment {
    ordered: usize,
    /// Days from the start at which it is handed over, and sellable.
    shipped: i64,
    arrives: i64,
    units: i64,
    lane: usize,
}

/// One item's stock.
#[derive(Debug, Clone, Default)]
struct Shelf {
    on_hand: i64,
    way: Vec<Shipment>,
}

impl Shelf {
    fn position(&self) -> i64 {
        self.on_hand + self.way.iter().map(|shipment| shipment.units).sum::<i64>()
    }
}

/// Lives the world through once under a policy. The same `run` number throws the same lead times for every policy.
#[must_use]
pub fn run(world: &World, rule: &Rule, run: u32, seed: u64, progress: &mut dyn FnMut(&Progress)) -> Life {
    let mut shelves: Vec<Shelf> = world
        .items
        .iter()
        .map(|item| Shelf {
            on_hand: item.opening,
            way: Vec::new(),
        })
        .collect();
    let mut decider = Decider::new(world, rule);
    let mut placed = Vec::new();
    let mut tally = Tally::new(world.items.len(), world.quarters());
    let sums: Vec<Vec<i64>> = world.items.iter().map(running_sums).collect();
    let review = usize::try_from(world.policy.review_days.max(1)).unwrap_or(7);
    let lead = |item: &WorldItem, day: usize, lane: usize| -> (i64, i64) {
        let chance = dice::unit(seed, &[item.name, 2, u64::from(run), day as u64]);
        item.lanes.get(lane).map_or((0, 0), |lane| lane.times.at(chance))
    };
    for day in 0..world.days {
        for shelf in &mut shelves {
            shelf.way.retain(|shipment| {
                if shipment.arrives <= day as i64 {
                    shelf.on_hand += shipment.units;
                    return false;
                }
                true
            });
        }
        if day % review == 0 {
            progress(&Progress {
                policy: rule.name().to_owned(),
                run,
                day,
                days: world.days,
            });
            let orders = decider.decide(world, rule, &shelves, day);
            for (index, ((item, shelf), order)) in
                world.items.iter().zip(&mut shelves).zip(orders).enumerate()
            {
                let (before, after) = lead(item, day, order.lane);
                if order.units > 0 {
                    placed.push((day, index, order.units));
                    shelf.way.push(Shipment {
                        ordered: day,
                        shipped: day as i64 + before,
                        arrives: day as i64 + (before + after).max(1),
                        units: order.units,
                        lane: order.lane,
                    });
                }
                let interval = usize::try_from(before + after).unwrap_or(0) + review;
                if let Some(cell) = tally.cell(index, world.quarter(day)) {
                    cell.orders += i64::from(order.units > 0);
                    cell.ordered += order.units;
                    if let Some(wanted) = wanted(&sums[index], day, interval) {
                        cell.decisions += 1;
                        cell.covered += i64::from(wanted <= shelf.position());
                    }
                }
            }
        }
        for (index, (item, shelf)) in world.items.iter().zip(&mut shelves).enumerate() {
            let wanted = i64::from(item.demand.get(day).copied().unwrap_or(0));
            let stocked = shelf.on_hand > 0;
            let sold = wanted.min(shelf.on_hand);
            shelf.on_hand -= sold;
            decider.sold(index, sold, stocked);
            if let Some(cell) = tally.cell(index, world.quarter(day)) {
                cell.add(&Cell {
                    days: 1,
                    demand: wanted,
                    sold,
                    out_days: i64::from(!stocked),
                    stock_days: shelf.on_hand,
                    way_days: shelf.position() - shelf.on_hand,
                    ..Cell::default()
                });
            }
        }
    }
    Life {
        tally,
        orders: placed,
        calibration: decider.policy.calibration,
    }
}

fn running_sums(item: &WorldItem) -> Vec<i64> {
    let mut sum = 0;
    let after = item.demand.iter().map(|units| {
        sum += i64::from(*units);
        sum
    });
    std::iter::once(0).chain(after).collect()
}

/// Demand of an interval that ends within the days lived.
fn wanted(sums: &[i64], day: usize, interval: usize) -> Option<i64> {
    Some(sums.get(day + interval)? - sums.get(day)?)
}

#[derive(Debug, Clone, Copy, Default)]
struct Order {
    units: i64,
    lane: usize,
}

/// A policy with everything it has seen so far, and nothing else.
struct Decider<'a> {
    /// What it is handed: grows by a day at a time.
    live: Snapshot,
    policy: Policy,
    places: BTreeMap<(&'a WarehouseCode, &'a Sku), usize>,
    /// Decisions to be judged, the oldest first.
    open: VecDeque<Decision>,
}

impl<'a> Decider<'a> {
    fn new(world: &'a World, rule: &Rule) -> Self {
        Self {
            live: Snapshot {
                as_of: world.start,
                sources: Vec::new(),
                warehouses: world.warehouses.clone(),
                series: world.items.iter().map(|item| item.series.clone()).collect(),
                demand: crate::planner::DemandFacts::default(),
                supply: crate::planner::SupplyFacts::default(),
            },
            policy: match rule {
                Rule::Plan { policy, .. } => policy.clone(),
                _ => world.policy.clone(),
            },
            places: world
                .items
                .iter()
                .enumerate()
                .map(|(index, item)| ((&item.series.warehouse, &item.series.sku), index))
                .collect(),
            open: VecDeque::new(),
        }
    }

    fn sold(&mut self, index: usize, units: i64, stocked: bool) {
        if let Some(item) = self.live.series.get_mut(index) {
            item.sales
                .units
                .push(Some(u32::try_from(units).unwrap_or(u32::MAX)));
            item.sales.in_stock.push(Some(stocked));
        }
    }

    fn decide(&mut self, world: &World, rule: &Rule, shelves: &[Shelf], day: usize) -> Vec<Order> {
        self.live.as_of = world.day(day);
        match rule {
            Rule::Plan { .. } => self.plan(world, shelves, day),
            simple => world
                .items
                .iter()
                .zip(&self.live.series)
                .zip(shelves)
                .map(|((item, seen), shelf)| {
                    let lead = item.lanes.first().map_or(0, |lane| lane.times.total_at(500));
                    let (level, below) = simple.level(&Seen(&seen.sales), lead, &self.policy);
                    let position = shelf.position();
                    let need = if position < below || position < level && below == level {
                        level - position
                    } else {
                        0
                    };
                    let rounded = round_need(need, seen.carton_units, seen.moq, self.policy.moq);
                    Order {
                        units: rounded.units,
                        lane: 0,
                    }
                })
                .collect(),
        }
    }

    fn plan(&mut self, world: &World, shelves: &[Shelf], day: usize) -> Vec<Order> {
        for ((item, seen), shelf) in world.items.iter().zip(&mut self.live.series).zip(shelves) {
            seen.available = Some(shelf.on_hand);
            seen.inbound.clear();
            seen.inbound.extend(
                shelf
                    .way
                    .iter()
                    .map(|shipment| announced(world, item, shipment, day)),
            );
        }
        self.calibrate();
        let plan = planner::plan(&self.live, &self.policy, None);
        if self.policy.calibrate {
            self.open.extend(decisions(&self.live, &self.policy, &plan));
        }
        let mut orders = vec![Order::default(); world.items.len()];
        for line in &plan.lines {
            let Some(index) = self.places.get(&(&line.warehouse, &line.sku)) else {
                continue;
            };
            let lanes = world.items.get(*index).map(|item| &item.lanes);
            let lane = lanes.and_then(|lanes| lanes.iter().position(|lane| Some(lane.mode) == line.mode));
            if let Some(order) = orders.get_mut(*index) {
                *order = Order {
                    units: line.suggested_units.unwrap_or(0),
                    lane: lane.unwrap_or(0),
                };
            }
        }
        orders
    }

    /// What the night does before it plans: judge the decisions whose intervals have passed.
    fn calibrate(&mut self) {
        let today = self.live.as_of;
        let (due, open): (VecDeque<Decision>, VecDeque<Decision>) =
            self.open.drain(..).partition(|decision| decision.due() <= today);
        self.open = open;
        let judged: Vec<(&Decision, i64)> = due
            .iter()
            .filter_map(|decision| {
                let index = self.places.get(&(&decision.warehouse, &decision.sku))?;
                let item = self.live.series.get(*index)?;
                Some((decision, decision.judge(&item.sales)?.covered_ppm))
            })
            .collect();
        learn(&mut self.policy.calibration, judged.into_iter());
    }
}

/// A shipment as the seller knows it: when it was handed over, once it was.
fn announced(world: &World, item: &WorldItem, shipment: &Shipment, day: usize) -> InboundShipment {
    let lane = item.lanes.get(shipment.lane);
    let today = day as i64;
    let shipped = if shipment.shipped <= today {
        shipment.shipped
    } else {
        // Not yet: expected as such things usually go.
        let usual = lane.map_or(0, |lane| lane.times.at(0.5).0);
        (shipment.ordered as i64 + usual).max(today)
    };
    InboundShipment {
        reference: format!("{:05}", shipment.ordered),
        units: shipment.units,
        shipped_on: Some(world.start + chrono::Duration::days(shipped)),
        mode: lane.map(|lane| lane.mode),
        eta: None,
        known: true,
    }
}
