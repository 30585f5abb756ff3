//! The state a newcomer finds: order history, stock that is here short and there long, shipments behind and under way.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chrono::{DateTime, Duration, NaiveTime, Utc};
use chrono_tz::Europe::London;

use super::draw::Draw;
use super::market::{OrderState, Place, orders_of_day};
use super::{Announcement, Carton, Event, Shipment, World, shipment};
use crate::calendar::{civil_day, instant_of};
use crate::order::model::Mode;
use crate::simulate::goods::Assortment;

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

/// A shipment under way on the first morning.
struct Open {
    days_ago: i64,
    mode: Mode,
    place: Place,
    /// Expected within two weeks or so: what is short is on this one.
    soon: bool,
}

const fn under_way_since(days_ago: i64, mode: Mode, place: Place, soon: bool) -> Open {
    Open {
        days_ago,
        mode,
        place,
        soon,
    }
}

const OPEN: [Open; 8] = [
    under_way_since(38, Mode::Sea, Place::Goodcang, true),
    under_way_since(31, Mode::Sea, Place::Amazon, true),
    under_way_since(24, Mode::Sea, Place::Goodcang, false),
    under_way_since(13, Mode::Sea, Place::Amazon, false),
    under_way_since(12, Mode::Rail, Place::Goodcang, true),
    under_way_since(8, Mode::Sea, Place::Goodcang, false),
    under_way_since(10, Mode::Rail, Place::Amazon, true),
    under_way_since(3, Mode::Air, Place::Amazon, true),
];
const PAST: usize = 30;

pub fn open(world: &mut World) {
    let zone = London;
    let first_day = civil_day(world.options.start, zone);
    let midnight = instant_of(first_day, NaiveTime::MIN, zone);
    write_history(world, midnight);
    let wants = wants(world, midnight);
    let covers = covers(world.options.seed, &world.assortment, &wants);
    let loads = under_way(world, &wants, &covers);
    send_past(world, midnight, &wants);
    send_open(world, midnight, &loads);
    world.now = midnight - Duration::days(3650);
    world.advance_to(midnight);
    stock_shelves(world, &wants, &covers);
    world.opening = files(world, midnight);
    world.at(midnight, Event::Day(first_day));
    world.advance_to(world.options.start);
}

/// Orders before the first day: placed without asking the stock, settled unless their fate lies ahead.
fn write_history(world: &mut World, midnight: DateTime<Utc>) {
    let first_day = civil_day(midnight, London);
    let gaps = gaps(world.options.seed, &world.assortment);
    for back in (1..=world.options.history_days.clamp(0, 800)).rev() {
        let day = first_day - Duration::days(back);
        for mut order in orders_of_day(world.options.seed, day, &world.assortment) {
            let multiple = world
                .good(order.good)
                .map_or(1, |good| order.place.multiple(good));
            let tally = world.sales.entry((day, order.place, order.good)).or_default();
            tally.wanted += order.units * multiple;
            if gaps
                .get(&(order.place, order.good))
                .is_some_and(|gap| gap.contains(&back))
            {
                continue;
            }
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

/// So many goods were out of stock once in the past year.
const GAPS: usize = 5;

/// The goods that were sold out for some weeks of the history, and when, in days before the first.
fn gaps(seed: u64, assortment: &Assortment) -> BTreeMap<(Place, usize), RangeInclusive<i64>> {
    let mut ranked: Vec<(u64, Place, usize)> = Vec::new();
    for (index, good) in assortment.goods.iter().enumerate() {
        for place in Place::ALL {
            if place.listing(good).is_some() {
                let rank = Draw::new(seed, &["gap rank", place.code(), &good.sku]).bits();
                ranked.push((rank, place, index));
            }
        }
    }
    ranked.sort_unstable();
    ranked
        .into_iter()
        .take(GAPS)
        .map(|(rank, place, index)| {
            let mut draw = Draw::new(rank, &["gap"]);
            let end = draw.between(25, 260);
            ((place, index), end..=end + draw.between(14, 35))
        })
        .collect()
}

/// What buyers of one good in one warehouse did, in units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Want {
    /// A day over the eight weeks before the start, in thousandths, so that no float decides a stock.
    recent: i64,
    /// Over the two months to come: what a good nobody has sold yet was bought for.
    coming: i64,
    /// What a careful buyer wants to own, on the shelf and under way: eleven weeks, and the swings of a year.
    level: i64,
}

type Wants = BTreeMap<(Place, usize), Want>;

/// From an order to the shelf and until the next order, in days.
const REACH: i64 = 77;

fn wants(world: &World, midnight: DateTime<Utc>) -> Wants {
    let (year, recent_days, coming_days) = (365, 56, 60);
    let day = civil_day(midnight, London);
    let mut daily: BTreeMap<(Place, usize), BTreeMap<i64, i64>> = BTreeMap::new();
    for (index, good) in world.assortment.goods.iter().enumerate() {
        for place in Place::ALL {
            if place.listing(good).is_some() {
                daily.insert((place, index), BTreeMap::new());
            }
        }
    }
    for offset in -year..coming_days {
        for order in orders_of_day(
            world.options.seed,
            day + Duration::days(offset),
            &world.assortment,
        ) {
            let multiple = world
                .good(order.good)
                .map_or(1, |good| order.place.multiple(good));
            if let Some(days) = daily.get_mut(&(order.place, order.good)) {
                *days.entry(offset).or_default() += order.units * multiple;
            }
        }
    }
    let want = |days: BTreeMap<i64, i64>| {
        let recent = days.range(-recent_days..0).map(|(_, units)| units).sum::<i64>();
        let sum: i64 = days.range(..0).map(|(_, units)| units).sum();
        let squares: i64 = days.range(..0).map(|(_, units)| units * units).sum();
        let variance = (squares / year - (sum / year) * (sum / year)).max(0);
        // 1.65 standard deviations of the reach: one swing in twenty is larger.
        let swings = (variance * REACH).isqrt() * 165 / 100;
        Want {
            recent: recent * 1000 / recent_days,
            coming: days.range(0..).map(|(_, units)| units).sum(),
            level: (sum * REACH / year + swings).max(recent * REACH * 7 / (recent_days * 4)),
        }
    };
    daily.into_iter().map(|(pair, days)| (pair, want(days))).collect()
}

/// How a good stands in a warehouse on the first morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    Out,
    Short,
    Healthy,
    Over,
    /// Next to nobody buys it, or nobody yet, and there is a heap of it.
    Idle,
}

/// Of a thousand living goods so many are out, short, and too many; the rest is healthy.
const OUT: usize = 50;
const SHORT: usize = 120;
const OVER: usize = 80;
/// A living good sells at least this much, in thousandths of a unit a day.
const ALIVE: i64 = 200;

/// Which good stands how: the shares are the same in every world, the goods are drawn.
fn covers(seed: u64, assortment: &Assortment, wants: &Wants) -> BTreeMap<(Place, usize), Cover> {
    let mut covers = BTreeMap::new();
    let mut living = Vec::new();
    for ((place, index), want) in wants {
        let sku = assortment.goods.get(*index).map_or("", |good| good.sku.as_str());
        if want.recent < ALIVE {
            covers.insert((*place, *index), Cover::Idle);
        } else {
            let rank = Draw::new(seed, &["opening rank", place.code(), sku]).bits();
            living.push((rank, (*place, *index)));
        }
    }
    living.sort_unstable();
    let share = |permille: usize| (living.len() * permille + 500) / 1000;
    let (out, short, over) = (share(OUT), share(SHORT), share(OVER));
    for (number, (_, pair)) in living.into_iter().enumerate() {
        let cover = match number {
            n if n < out => Cover::Out,
            n if n < out + short => Cover::Short,
            n if n < out + short + over => Cover::Over,
            _ => Cover::Healthy,
        };
        covers.insert(pair, cover);
    }
    covers
}

/// Units on the shelf and under way, as parts of what a careful buyer wants to own.
fn position(seed: u64, place: Place, sku: &str, want: Want, cover: Cover) -> (i64, i64) {
    let mut draw = Draw::new(seed, &["opening", place.code(), sku]);
    let mut part = |low: i64, high: i64| want.level * draw.between(low, high) / 100;
    match cover {
        Cover::Out => (0, part(35, 60)),
        Cover::Short => {
            let shelf = part(4, 18);
            // One in three of the short ones nobody has ordered yet.
            let moving = part(35, 60);
            (shelf, if draw.below(3) == 0 { 0 } else { moving })
        }
        Cover::Healthy => {
            let all = part(84, 106);
            let moving = all * draw.between(34, 48) / 100;
            (all - moving, moving)
        }
        Cover::Over => (part(190, 270), 0),
        Cover::Idle => (want.coming.max(draw.between(30, 120)), 0),
    }
}

fn stock_shelves(world: &mut World, wants: &Wants, covers: &BTreeMap<(Place, usize), Cover>) {
    for ((place, index), cover) in covers {
        let Some(good) = world.good(*index) else { continue };
        let want = wants.get(&(*place, *index)).copied().unwrap_or_default();
        let (shelf, _) = position(world.options.seed, *place, &good.sku, want, *cover);
        let multiple = place.multiple(good);
        let units = shelf / multiple * multiple;
        world.shelves.entry((*place, *index)).or_default().available = units;
    }
}

/// Goods under way: cartons by shipment (an index into [`OPEN`]) and good.
fn under_way(
    world: &World,
    wants: &Wants,
    covers: &BTreeMap<(Place, usize), Cover>,
) -> BTreeMap<usize, BTreeMap<usize, i64>> {
    let seed = world.options.seed;
    let mut loads: BTreeMap<usize, BTreeMap<usize, i64>> = BTreeMap::new();
    for ((place, index), cover) in covers {
        let Some(good) = world.good(*index) else { continue };
        let want = wants.get(&(*place, *index)).copied().unwrap_or_default();
        let (_, units) = position(seed, *place, &good.sku, want, *cover);
        let cartons = (units + good.carton_units / 2) / good.carton_units;
        let mut draw = Draw::new(seed, &["under way", place.code(), &good.sku]);
        let mut load = |fits: &dyn Fn(&Open) -> bool, cartons: i64| {
            let ships: Vec<usize> = OPEN
                .iter()
                .enumerate()
                .filter(|(_, open)| open.place == *place && fits(open))
                .map(|(number, _)| number)
                .collect();
            let pick = draw.below(i64::try_from(ships.len()).unwrap_or(0));
            let ship = usize::try_from(pick).ok().and_then(|pick| ships.get(pick));
            if let (Some(ship), true) = (ship, cartons > 0) {
                *loads.entry(*ship).or_default().entry(*index).or_default() += cartons;
            }
        };
        if matches!(cover, Cover::Out | Cover::Short) {
            // A part by air where there is one, the rest with the next to arrive.
            let hurried = cartons.min(cartons / 3 + 1);
            load(&|open| open.soon, hurried);
            load(&|open| open.soon && open.mode != Mode::Air, cartons - hurried);
        } else {
            load(&|open| open.soon && open.mode != Mode::Air, cartons / 2);
            load(&|open| !open.soon, cartons - cartons / 2);
        }
    }
    loads
}

fn order_no(at: DateTime<Utc>, number: usize) -> String {
    format!("SO-{}-{:02}", at.format("%Y%m%d"), number % 100)
}

/// Ten in the morning in Shenzhen, so many days before the first.
fn sent_at(midnight: DateTime<Utc>, days_ago: i64) -> DateTime<Utc> {
    midnight - Duration::days(days_ago) + Duration::hours(2)
}

fn send_past(world: &mut World, midnight: DateTime<Utc>, wants: &Wants) {
    for number in 0..PAST {
        let mode = [Mode::Sea, Mode::Rail, Mode::Sea, Mode::Sea, Mode::Air][number % 5];
        let place = Place::ALL[number % 2];
        let at = sent_at(midnight, 450 - i64::try_from(number).unwrap_or(0) * 10);
        let order = order_no(at, number);
        let lines = basket(world, &order, mode, place, wants);
        send(world, order, mode, place, &lines, at);
    }
}

fn send_open(world: &mut World, midnight: DateTime<Utc>, loads: &BTreeMap<usize, BTreeMap<usize, i64>>) {
    let seed = world.options.seed;
    for (number, open) in OPEN.iter().enumerate() {
        let Some(load) = loads.get(&number) else { continue };
        let lines: Vec<(usize, i64)> = load.iter().map(|(good, cartons)| (*good, *cartons)).collect();
        let still_moving = |days_ago: &i64| {
            let at = sent_at(midnight, *days_ago);
            shipment::milestones(seed, &order_no(at, PAST + number), open.mode, at)
                .last()
                .is_some_and(|delivered| delivered.at > midnight)
        };
        // A lucky vessel would have it in the warehouse by now: then it left some days later.
        let days_ago = (1..=open.days_ago).rev().find(still_moving).unwrap_or(1);
        let at = sent_at(midnight, days_ago);
        send(
            world,
            order_no(at, PAST + number),
            open.mode,
            open.place,
            &lines,
            at,
        );
    }
}

/// What a past shipment held: a few goods, some weeks of each, in cartons.
fn basket(world: &World, order: &str, mode: Mode, place: Place, wants: &Wants) -> Vec<(usize, i64)> {
    let mut draw = Draw::new(world.options.seed, &["basket", order]);
    let mut candidates: Vec<usize> = wants
        .iter()
        .filter(|((at, _), want)| *at == place && want.recent > 0)
        .map(|((_, good), _)| *good)
        .collect();
    let wanted = draw.between(4, 9);
    let mut lines = Vec::new();
    while i64::try_from(lines.len()).unwrap_or(i64::MAX) < wanted && !candidates.is_empty() {
        let pick = usize::try_from(draw.below(i64::try_from(candidates.len()).unwrap_or(0))).unwrap_or(0);
        let index = candidates.swap_remove(pick);
        let Some(good) = world.good(index) else { continue };
        let per_day = wants.get(&(place, index)).map_or(0, |want| want.recent);
        let days = if mode == Mode::Air { 8 } else { 24 };
        lines.push((index, (per_day * days / 1000 / good.carton_units).clamp(1, 12)));
    }
    lines
}

fn send(
    world: &mut World,
    order: String,
    mode: Mode,
    place: Place,
    goods: &[(usize, i64)],
    at: DateTime<Utc>,
) {
    let mut lines = Vec::new();
    let mut cartons: Vec<Carton> = Vec::new();
    for (index, count) in goods {
        let Some(good) = world.good(*index) else { continue };
        for _ in 0..*count {
            cartons.push(Carton {
                mark: format!("{order}U{:06}", cartons.len() + 1),
                contents: vec![(lines.len(), good.carton_units)],
            });
        }
        lines.push((good.sku.clone(), *index, count * good.carton_units));
    }
    let announcement = Announcement {
        order,
        place,
        mode,
        ready_at: None,
        lines,
        cartons,
    };
    // A shipment that would be refused is a fault of this module; its tests say so.
    let refused = world.announce_at(announcement, at).err();
    debug_assert!(refused.is_none(), "{refused:?}");
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
