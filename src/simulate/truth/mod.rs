//! The truth of the simulated world: pure, seeded, moved by [`World::advance_to`] and by nothing else.
//!
//! Same seed and same announcements at the same instants give the same world. What the servers of
//! [`super`] answer is read from here; what tests and the demo compare against is [`World::truth`].

mod draw;
mod faults;
mod market;
mod opening;
mod report;
mod shipment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::Europe::London;

pub use draw::Draw;
pub use faults::FaultRates;
pub use market::{MarketOrder, OrderState, Place};
pub use opening::OpeningFiles;
pub use report::{LineTruth, SalesDay, ShipmentTruth, StockTruth, Truth};
pub use shipment::{Announcement, Carton, Fault, Injected, Milestone, Receipt, ReceiptKind, Shipment};

use super::goods::{Assortment, Good};
use crate::calendar::{civil_day, instant_of};

/// Stock of one good in one warehouse, in master units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Shelf {
    pub available: i64,
    pub reserved: i64,
    /// Counted at the dock, phantom counts included.
    pub dock: i64,
    pub damaged: i64,
    /// Sent to buyers so far.
    pub shipped: i64,
}

#[derive(Debug)]
enum Event {
    Day(NaiveDate),
    Order(Box<MarketOrder>),
    Fate(usize),
    HandOver(String),
    Count(String, usize),
    Close(String),
    Shelve(String, usize),
}

/// Why an announcement was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("order `{0}` is already announced")]
    Twice(String),
    #[error("order `{order}` sends `{sku}` to {place}, which does not know it")]
    Unlisted {
        order: String,
        sku: String,
        place: &'static str,
    },
    #[error("order `{order}`, `{code}`: {units} units are not a positive multiple of {multiple}")]
    Units {
        order: String,
        code: String,
        units: i64,
        multiple: i64,
    },
    #[error("order `{order}`, `{code}`: the cartons hold {packed} units, the lines {units}")]
    Packed {
        order: String,
        code: String,
        packed: i64,
        units: i64,
    },
    #[error("order `{0}` has no lines")]
    Empty(String),
}

/// What the world is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthOptions {
    pub seed: u64,
    pub start: DateTime<Utc>,
    /// Days of order history before the start that the marketplace still reports.
    pub history_days: i64,
    /// Multiplies the probabilities of receipt faults; 1 is the figures of docs/world.md.
    pub fault_factor: f64,
}

pub struct World {
    options: TruthOptions,
    assortment: Arc<Assortment>,
    now: DateTime<Utc>,
    queue: BTreeMap<(DateTime<Utc>, u64), Event>,
    sequence: u64,
    orders: Vec<MarketOrder>,
    shelves: BTreeMap<(Place, usize), Shelf>,
    shipments: BTreeMap<String, Shipment>,
    sales: BTreeMap<(NaiveDate, Place, usize), SalesDay>,
    inbound_count: u32,
    opening: OpeningFiles,
}

impl World {
    /// Builds history, opening stock and shipments under way, and stands at `options.start`.
    #[must_use]
    pub fn new(assortment: Arc<Assortment>, options: TruthOptions) -> Self {
        let mut world = Self {
            options,
            assortment,
            now: options.start,
            queue: BTreeMap::new(),
            sequence: 0,
            orders: Vec::new(),
            shelves: BTreeMap::new(),
            shipments: BTreeMap::new(),
            sales: BTreeMap::new(),
            inbound_count: 0,
            opening: OpeningFiles::default(),
        };
        opening::open(&mut world);
        world
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    #[must_use]
    pub fn assortment(&self) -> &Assortment {
        &self.assortment
    }

    /// Every order the marketplace knows at this instant, in order of placement.
    #[must_use]
    pub fn orders(&self) -> &[MarketOrder] {
        &self.orders
    }

    #[must_use]
    pub fn shipments(&self) -> &BTreeMap<String, Shipment> {
        &self.shipments
    }

    #[must_use]
    pub fn shelf(&self, place: Place, good: usize) -> Shelf {
        self.shelves.get(&(place, good)).copied().unwrap_or_default()
    }

    /// Master units of a good that are on their way to a warehouse and not counted there yet.
    #[must_use]
    pub fn moving(&self, place: Place, good: usize) -> i64 {
        self.shipments
            .values()
            .filter(|shipment| shipment.place == place)
            .flat_map(|shipment| &shipment.lines)
            .filter(|line| line.good == good)
            // The warehouse only knows what was announced to it.
            .map(|line| line.moving.min(line.announced))
            .sum()
    }

    /// Past and open shipments of the seller before the start, as the files the demo imports.
    #[must_use]
    pub fn opening_files(&self) -> &OpeningFiles {
        &self.opening
    }

    fn good(&self, index: usize) -> Option<&Good> {
        self.assortment.goods.get(index)
    }

    fn at(&mut self, at: DateTime<Utc>, event: Event) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), event);
    }

    /// Announces an inbound at the warehouse and hands the goods to the carrier.
    ///
    /// # Errors
    /// [`Refusal`]: an order announced twice, a good the warehouse does not list, units it cannot count.
    pub fn announce(&mut self, announcement: Announcement) -> Result<String, Refusal> {
        let at = self.now;
        self.announce_at(announcement, at)
    }

    fn announce_at(&mut self, announcement: Announcement, at: DateTime<Utc>) -> Result<String, Refusal> {
        let order = announcement.order.clone();
        if self.shipments.contains_key(&order) {
            return Err(Refusal::Twice(order));
        }
        let multiples = self.check(&announcement)?;
        self.inbound_count += 1;
        let inbound_no = match announcement.place {
            Place::Goodcang => format!("RVLT001-{}-{:04}", at.format("%y%m%d"), self.inbound_count),
            Place::Amazon => format!("FBA15{:07}", 4_000_000 + self.inbound_count),
        };
        let rates = FaultRates {
            factor: self.options.fault_factor,
        };
        let shipment = shipment::dispatch(
            self.options.seed,
            rates,
            announcement,
            inbound_no.clone(),
            at,
            &multiples,
        );
        if let Some(handed_over) = shipment.milestone("handed_over") {
            self.at(handed_over, Event::HandOver(order.clone()));
        }
        for (index, count) in shipment.counts.iter().enumerate() {
            self.at(count.at, Event::Count(order.clone(), index));
            if count.good != 0 || count.damaged != 0 {
                self.at(count.shelved_at, Event::Shelve(order.clone(), index));
            }
        }
        self.at(shipment.closes_at, Event::Close(order.clone()));
        self.shipments.insert(order, shipment);
        Ok(inbound_no)
    }

    fn check(&self, announcement: &Announcement) -> Result<Vec<i64>, Refusal> {
        let order = || announcement.order.clone();
        if announcement.lines.is_empty() {
            return Err(Refusal::Empty(order()));
        }
        let mut multiples = Vec::new();
        for (index, (code, good, units)) in announcement.lines.iter().enumerate() {
            let good = self
                .good(*good)
                .filter(|good| announcement.place.listing(good).is_some());
            let Some(good) = good else {
                return Err(Refusal::Unlisted {
                    order: order(),
                    sku: code.clone(),
                    place: announcement.place.code(),
                });
            };
            let multiple = announcement.place.multiple(good);
            let packed: Vec<i64> = announcement
                .cartons
                .iter()
                .flat_map(|carton| &carton.contents)
                .filter(|(line, _)| *line == index)
                .map(|(_, units)| *units)
                .collect();
            if *units <= 0
                || packed
                    .iter()
                    .chain([units])
                    .any(|units| *units <= 0 || units % multiple != 0)
            {
                return Err(Refusal::Units {
                    order: order(),
                    code: code.clone(),
                    units: *units,
                    multiple,
                });
            }
            let packed: i64 = packed.iter().sum();
            if packed != *units {
                return Err(Refusal::Packed {
                    order: order(),
                    code: code.clone(),
                    packed,
                    units: *units,
                });
            }
            multiples.push(multiple);
        }
        Ok(multiples)
    }

    /// Moves the world forward; going back is ignored.
    pub fn advance_to(&mut self, to: DateTime<Utc>) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > to {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(at, event);
        }
        self.now = self.now.max(to);
    }

    fn happen(&mut self, at: DateTime<Utc>, event: Event) {
        match event {
            Event::Day(date) => self.open_day(date),
            Event::Order(order) => self.place_order(*order),
            Event::Fate(index) => self.settle(index, at),
            Event::HandOver(order) => {
                if let Some(shipment) = self.shipments.get_mut(&order) {
                    shipment.handed_over = true;
                    shipment.updated_at = at;
                }
            }
            Event::Count(order, index) => self.count(&order, index),
            Event::Close(order) => {
                if let Some(shipment) = self.shipments.get_mut(&order) {
                    shipment.closed = true;
                    shipment.updated_at = at;
                    for line in &mut shipment.lines {
                        line.missing += std::mem::take(&mut line.moving);
                    }
                }
            }
            Event::Shelve(order, index) => self.shelve(&order, index),
        }
    }

    fn open_day(&mut self, date: NaiveDate) {
        for order in market::orders_of_day(self.options.seed, date, &self.assortment) {
            self.at(order.ordered_at, Event::Order(Box::new(order)));
        }
        let tomorrow = date + Duration::days(1);
        self.at(instant_of(tomorrow, NaiveTime::MIN, London), Event::Day(tomorrow));
    }

    /// A buyer buys what is there; the rest is a lost sale that nobody reports.
    fn place_order(&mut self, mut order: MarketOrder) {
        let multiple = self.good(order.good).map_or(1, |good| order.place.multiple(good));
        let shelf = self.shelves.entry((order.place, order.good)).or_default();
        let wanted = order.units;
        let sold = wanted.min(shelf.available / multiple).max(0);
        shelf.available -= sold * multiple;
        shelf.reserved += sold * multiple;
        let day = civil_day(order.ordered_at, London);
        let tally = self.sales.entry((day, order.place, order.good)).or_default();
        tally.wanted += wanted * multiple;
        tally.sold += sold * multiple;
        if sold == 0 {
            return;
        }
        if sold < wanted {
            order.second_line = None;
        }
        order.units = sold;
        let fate_at = order.fate_at;
        self.orders.push(order);
        self.at(fate_at, Event::Fate(self.orders.len() - 1));
    }

    fn settle(&mut self, index: usize, at: DateTime<Utc>) {
        let Some(order) = self.orders.get_mut(index) else {
            return;
        };
        order.state = order.fate;
        order.updated_at = at;
        let multiple = self
            .assortment
            .goods
            .get(order.good)
            .map_or(1, |good| order.place.multiple(good));
        let units = order.units * multiple;
        let shelf = self.shelves.entry((order.place, order.good)).or_default();
        shelf.reserved -= units;
        if order.fate == OrderState::Cancelled {
            shelf.available += units;
            let day = civil_day(order.ordered_at, London);
            self.sales
                .entry((day, order.place, order.good))
                .or_default()
                .cancelled += units;
        } else {
            shelf.shipped += units;
        }
    }

    fn count(&mut self, order: &str, index: usize) {
        let Some(shipment) = self.shipments.get_mut(order) else {
            return;
        };
        let Some(count) = shipment.counts.get(index).cloned() else {
            return;
        };
        let Some(line) = shipment.lines.get_mut(count.line) else {
            return;
        };
        let real = count.good + count.damaged;
        if count.found_late {
            line.missing -= real;
        } else {
            line.moving -= real;
        }
        line.dock += real;
        line.phantom += count.phantom;
        shipment.updated_at = count.at;
        shipment.receipts.push(Receipt {
            at: count.at,
            carton: count.carton,
            line: count.line,
            kind: ReceiptKind::Received,
            units: real + count.phantom,
        });
        let key = (shipment.place, line.good);
        self.shelves.entry(key).or_default().dock += real + count.phantom;
    }

    fn shelve(&mut self, order: &str, index: usize) {
        let Some(shipment) = self.shipments.get_mut(order) else {
            return;
        };
        let Some(count) = shipment.counts.get(index).cloned() else {
            return;
        };
        let Some(line) = shipment.lines.get_mut(count.line) else {
            return;
        };
        line.dock -= count.good + count.damaged;
        line.put_away += count.good;
        line.damaged += count.damaged;
        shipment.updated_at = count.shelved_at;
        for (kind, units) in [
            (ReceiptKind::PutAway, count.good),
            (ReceiptKind::Damaged, count.damaged),
        ] {
            if units != 0 {
                let (carton, line) = (count.carton, count.line);
                shipment.receipts.push(Receipt {
                    at: count.shelved_at,
                    carton,
                    line,
                    kind,
                    units,
                });
            }
        }
        let shelf = self.shelves.entry((shipment.place, line.good)).or_default();
        shelf.dock -= count.good + count.damaged;
        shelf.available += count.good;
        shelf.damaged += count.damaged;
    }
}
