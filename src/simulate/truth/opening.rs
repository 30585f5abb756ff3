//! The state a newcomer finds: order history, stock that is here short and there long, shipments behind and under way.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveTime, Utc};
use chrono_tz::Europe::London;

use super::draw::Draw;
use super::market::{OrderState, Place, orders_of_day};
use super::{Announcement, Carton, Event, Shipment, World};
use crate::calendar::{civil_day, instant_of};
use crate::order::model::Mode;

/// What the seller's own spreadsheet knew before the first night, as CSV texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpeningFiles {
    /// `order,warehouse,mode,forwarder,ordered_on,shipped_on,delivered_on,received_on,put_away_on`, one row per
    /// finished shipment: lead times to learn from.
    pub past_shipments: String,
    /// `order,warehouse,mode,forwarder,shipped_on,sku,units,cartons`, one row per line under way.
    pub open_shipments: String,
    /// Orders of `open_shipments`.
    pub open_orders: BTreeSet<String>,
}

/// Shipments before the start: days ago, mode, warehouse.
const OPEN: [(i64, Mode, Place); 8] = [
    (38, Mode::Sea, Place::Goodcang),
    (31, Mode::Sea, Place::Amazon),
    (24, Mode::Sea, Place::Goodcang),
    (13, Mode::Sea, Place::Amazon),
    (12, Mode::Rail, Place::Goodcang),
    (8, Mode::Sea, Place::Goodcang),
    (6, Mode::Rail, Place::Amazon),
    (3, Mode::Air, Place::Amazon),
];
const PAST: usize = 30;

pub fn open(world: &mut World) {
    let zone = London;
    let first_day = civil_day(world.options.start, zone);
    let midnight = instant_of(first_day, NaiveTime::MIN, zone);
    write_history(world, midnight);
    let demand = recent_demand(world, midnight);
    send_shipments(world, midnight, &demand);
    world.now = midnight - Duration::days(3650);
    world.advance_to(midnight);
    stock_shelves(world, midnight, &demand);
    world.opening = files(world, midnight);
    world.at(midnight, Event::Day(first_day));
    world.advance_to(world.options.start);
}

/// Orders before the first day: placed without asking the stock, settled unless their fate lies ahead.
fn write_history(world: &mut World, midnight: DateTime<Utc>) {
    let first_day = civil_day(midnight, London);
    for back in (1..=world.options.history_days.clamp(0, 800)).rev() {
        let day = first_day - Duration::days(back);
        for mut order in orders_of_day(world.options.seed, day, &world.assortment) {
            let multiple = world
                .good(order.good)
                .map_or(1, |good| order.place.multiple(good));
            let tally = world.sales.entry((day, order.place, order.good)).or_default();
            tally.wanted += order.units * multiple;
            tally.sold += order.units * multiple;
            if order.fate_at < midnight {
                order.state = order.fate;
                order.updated_at = order.fate_at;
                if order.fate == OrderState::Cancelled {
                    tally.cancelled += order.units * multiple;
                }
                world.orders.push(order);
            } else {
                let shelf = world.shelves.entry((order.place, order.good)).or_default();
                shelf.reserved += order.units * multiple;
                let fate_at = order.fate_at;
                world.orders.push(order);
                let index = world.orders.len() - 1;
                world.at(fate_at, Event::Fate(index));
            }
        }
    }
}

/// Units a day over the eight weeks before the start; for a good not yet launched, over its first month.
fn recent_demand(world: &World, midnight: DateTime<Utc>) -> BTreeMap<(Place, usize), i64> {
    // Thousandths of a unit a day, so that no float decides a stock.
    let mut demand = BTreeMap::new();
    let day = civil_day(midnight, London);
    for (index, good) in world.assortment.goods.iter().enumerate() {
        let sum = |from: i64, to: i64| -> i64 {
            world
                .assortment
                .days
                .range(day + Duration::days(from)..day + Duration::days(to))
                .flat_map(|(_, days)| days)
                .filter(|entry| entry.good == index)
                .map(|entry| entry.units)
                .sum()
        };
        let per_day = match sum(-56, 0) * 1000 / 56 {
            0 => sum(0, 30) * 1000 / 30,
            recent => recent,
        };
        for place in Place::ALL
            .into_iter()
            .filter(|place| place.listing(good).is_some())
        {
            let share = match (good.fba.is_some() && good.merchant.is_some(), place) {
                (false, _) => 1000,
                (true, Place::Amazon) => 620,
                (true, Place::Goodcang) => 380,
            };
            demand.insert((place, index), per_day * share / 1000);
        }
    }
    demand
}

fn stock_shelves(world: &mut World, midnight: DateTime<Utc>, demand: &BTreeMap<(Place, usize), i64>) {
    let seed = world.options.seed;
    for ((place, index), per_day) in demand {
        let Some(good) = world.good(*index) else { continue };
        let mut draw = Draw::new(seed, &["opening", place.code(), &good.sku]);
        // One in six nearly out, one in eight far too much, the rest a month or two.
        let days = match draw.below(24) {
            0..=3 => draw.between(4, 14),
            4..=6 => draw.between(110, 190),
            _ => draw.between(22, 64),
        };
        let multiple = place.multiple(good);
        let units = (per_day * days / 1000 / multiple).max(1) * multiple;
        world.shelves.entry((*place, *index)).or_default().available = units;
    }
    debug_assert!(world.now <= midnight);
}

fn send_shipments(world: &mut World, midnight: DateTime<Utc>, demand: &BTreeMap<(Place, usize), i64>) {
    let mut plans = Vec::new();
    for number in 0..PAST {
        let mode = [Mode::Sea, Mode::Rail, Mode::Sea, Mode::Sea, Mode::Air][number % 5];
        let place = Place::ALL[number % 2];
        plans.push((425 - i64::try_from(number).unwrap_or(0) * 12, mode, place));
    }
    plans.extend(OPEN);
    plans.sort_by_key(|(back, ..)| std::cmp::Reverse(*back));
    for (number, (back, mode, place)) in plans.into_iter().enumerate() {
        // Ten in the morning in Shenzhen.
        let at = midnight - Duration::days(back) + Duration::hours(2);
        let order = format!("SO-{}-{:02}", at.format("%Y%m%d"), number % 100);
        let announcement = pack(world, order, mode, place, demand);
        // A shipment that would be refused is a fault of this function; its tests say so.
        let refused = world.announce_at(announcement, at).err();
        debug_assert!(refused.is_none(), "{refused:?}");
    }
}

fn pack(
    world: &World,
    order: String,
    mode: Mode,
    place: Place,
    demand: &BTreeMap<(Place, usize), i64>,
) -> Announcement {
    let mut draw = Draw::new(world.options.seed, &["basket", &order]);
    let mut candidates: Vec<usize> = demand
        .iter()
        .filter(|((at, _), per_day)| *at == place && **per_day > 0)
        .map(|((_, good), _)| *good)
        .collect();
    let wanted = draw.between(4, 9);
    let mut lines = Vec::new();
    let mut cartons: Vec<Carton> = Vec::new();
    while i64::try_from(lines.len()).unwrap_or(i64::MAX) < wanted && !candidates.is_empty() {
        let pick = usize::try_from(draw.below(i64::try_from(candidates.len()).unwrap_or(0))).unwrap_or(0);
        let index = candidates.swap_remove(pick);
        let Some(good) = world.good(index) else { continue };
        let per_day = demand.get(&(place, index)).copied().unwrap_or(0);
        let days = if mode == Mode::Air { 8 } else { 24 };
        let count = (per_day * days / 1000 / good.carton_units).clamp(1, 12);
        for _ in 0..count {
            let mark = format!("{order}U{:06}", cartons.len() + 1);
            cartons.push(Carton {
                mark,
                contents: vec![(lines.len(), good.carton_units)],
            });
        }
        lines.push((good.sku.clone(), index, count * good.carton_units));
    }
    Announcement {
        order,
        place,
        mode,
        lines,
        cartons,
    }
}

fn files(world: &World, midnight: DateTime<Utc>) -> OpeningFiles {
    let mut past = String::from(
        "order,warehouse,mode,forwarder,ordered_on,shipped_on,delivered_on,received_on,put_away_on\n",
    );
    let mut open = String::from("order,warehouse,mode,forwarder,shipped_on,sku,units,cartons\n");
    let mut open_orders = BTreeSet::new();
    let mut shipments: Vec<&Shipment> = world.shipments.values().collect();
    shipments.sort_by(|a, b| (a.announced_at, &a.order).cmp(&(b.announced_at, &b.order)));
    let date = |at: Option<DateTime<Utc>>| at.map_or(String::new(), |at| civil_day(at, London).to_string());
    for shipment in shipments {
        let head = format!(
            "{},{},{},huatuo",
            shipment.order,
            shipment.place.code(),
            shipment.mode.code()
        );
        let first = shipment.counts.iter().map(|count| count.at).min();
        let last = shipment
            .counts
            .iter()
            .filter(|count| !count.found_late)
            .map(|count| count.shelved_at)
            .max();
        let shipped = date(shipment.milestone("handed_over"));
        if last.is_some_and(|last| last < midnight) {
            let ordered = date(Some(shipment.announced_at - Duration::days(18)));
            let delivered = date(shipment.milestone("delivered"));
            past.push_str(&format!(
                "{head},{ordered},{shipped},{delivered},{},{}\n",
                date(first),
                date(last)
            ));
            continue;
        }
        open_orders.insert(shipment.order.clone());
        for (index, line) in shipment.lines.iter().enumerate() {
            let cartons = shipment
                .cartons
                .iter()
                .filter(|carton| carton.contents.iter().any(|(of, _)| *of == index))
                .count();
            open.push_str(&format!(
                "{head},{shipped},{},{},{cartons}\n",
                line.code, line.announced
            ));
        }
    }
    OpeningFiles {
        past_shipments: past,
        open_shipments: open,
        open_orders,
    }
}
