//! The part of a history that is lived through again.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::dice;
use super::lead::LeadTable;
use crate::ids::{Sku, WarehouseCode};
use crate::order::Mode;
use crate::planner::{
    DailySales, DayUnits, ItemSeries, Policy, SalesClass, Snapshot, StageTimes, WarehouseFacts,
};

/// Everything known of the seller up to a day.
#[derive(Debug, Clone)]
pub struct History {
    pub snapshot: Snapshot,
    pub policy: Policy,
    /// Sellable units at a day's end, where they were recorded.
    pub stock: BTreeMap<(WarehouseCode, Sku), BTreeMap<NaiveDate, i64>>,
    pub rates: BTreeMap<(WarehouseCode, Sku), Rates>,
}

/// What keeping and moving a unit costs; unknown is not free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    pub currency: crate::money::Currency,
    /// A unit a day.
    pub storage: Option<Decimal>,
    /// A unit brought by the first lane.
    pub freight: Option<Decimal>,
}

/// How the backtest is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Weeks lived through, the warm-up among them; None is up to a year, and no more than half of the history.
    pub weeks: Option<i64>,
    /// Lives of each policy, each with lead times of its own.
    pub runs: u32,
    pub seed: u64,
    /// Only this warehouse.
    pub warehouse: Option<WarehouseCode>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            weeks: None,
            runs: 3,
            seed: 0,
            warehouse: None,
        }
    }
}

/// Why nothing can be concluded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    #[error("the history has {days} days, at least {LEAST_HISTORY} are needed")]
    ShortHistory { days: i64 },
    #[error("{weeks} weeks leave {left} of {days} days to learn from, at least {LEAST_LEARNT} are needed")]
    TooManyWeeks { weeks: i64, left: i64, days: i64 },
    #[error("no item can be run: {}", told(left_out))]
    NoItem { left_out: BTreeMap<LeftOut, usize> },
}

fn told(left_out: &BTreeMap<LeftOut, usize>) -> String {
    let parts: Vec<String> = left_out
        .iter()
        .map(|(why, count)| format!("{count} {}", why.code()))
        .collect();
    if parts.is_empty() {
        "there is none".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Why an item takes no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    Inactive,
    /// Fewer than [`LEAST_LEARNT`] in-stock days before the start.
    TooYoung,
    NeverSold,
    LeadTimeUnknown,
}

impl LeftOut {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::TooYoung => "too_young",
            Self::NeverSold => "never_sold",
            Self::LeadTimeUnknown => "lead_time_unknown",
        }
    }
}

/// Days of history below which nothing is concluded.
pub const LEAST_HISTORY: i64 = 60;
/// Days a policy learns from before its first decision.
pub const LEAST_LEARNT: i64 = 28;
const YEAR: i64 = 364;
/// Days before one whose demand nobody saw that stand in for it: what came later must not show.
const NEAR_DAYS: i64 = 84;

/// A way goods come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldLane {
    pub mode: Mode,
    pub times: LeadTable,
}

/// One item's part.
#[derive(Debug, Clone)]
pub struct WorldItem {
    /// As it stood before the start: nothing later is in it.
    pub series: ItemSeries,
    pub class: SalesClass,
    /// What was wanted, by day from the start on.
    pub demand: Vec<u32>,
    /// Days of it that nobody saw and near days stand in for.
    pub filled: i64,
    /// Days that were out of stock.
    pub unserved: Vec<bool>,
    /// By lane, in the order the planner uses them.
    pub lanes: Arc<Vec<WorldLane>>,
    /// On hand when it begins.
    pub opening: i64,
    /// What was really on hand at the end of each day, where it was recorded.
    pub happened: Vec<Option<i64>>,
    pub rates: Option<Rates>,
    pub name: u64,
}

/// A history cut in two: what a policy knows at the start, and what then comes.
#[derive(Debug, Clone)]
pub struct World {
    pub start: NaiveDate,
    pub days: usize,
    pub warm_up: usize,
    pub policy: Policy,
    pub warehouses: Vec<WarehouseFacts>,
    pub items: Vec<WorldItem>,
    pub left_out: BTreeMap<LeftOut, usize>,
    /// Lanes whose receipts were known to nobody at the start, and are lent to the policies all the same.
    pub lent_lead_times: bool,
}

impl World {
    /// # Errors
    /// When the history is too short, or no item can take part.
    pub fn of(history: &History, settings: &Settings) -> Result<Self, Refusal> {
        let end = history.snapshot.as_of;
        let wanted = |item: &&ItemSeries| {
            settings
                .warehouse
                .as_ref()
                .is_none_or(|warehouse| *warehouse == item.warehouse)
        };
        let first = history
            .snapshot
            .series
            .iter()
            .filter(wanted)
            .filter_map(|item| first_known(&item.sales))
            .min();
        let known = first.map_or(0, |first| (end - first).num_days());
        if known < LEAST_HISTORY {
            return Err(Refusal::ShortHistory { days: known.max(0) });
        }
        let days = match settings.weeks {
            Some(weeks) => weeks.max(1).saturating_mul(7),
            None => (known / 2).min(YEAR) / 7 * 7,
        };
        if known - days < LEAST_LEARNT {
            return Err(Refusal::TooManyWeeks {
                weeks: days / 7,
                left: (known - days).max(0),
                days: known,
            });
        }
        let start = end - Days::new(days.unsigned_abs());
        let policy = history.policy.clone();
        let mut lent_lead_times = false;
        let warehouses: Vec<WarehouseFacts> = history
            .snapshot
            .warehouses
            .iter()
            .map(|facts| before(facts, start, &policy, &mut lent_lead_times))
            .collect();
        let mut left_out = BTreeMap::new();
        let mut items = Vec::new();
        let mut series: Vec<&ItemSeries> = history.snapshot.series.iter().filter(wanted).collect();
        series.sort_by_key(|item| (&item.warehouse, &item.sku));
        let mut shared: BTreeMap<&WarehouseCode, Arc<Vec<WorldLane>>> = BTreeMap::new();
        let span = usize::try_from(days).unwrap_or(0);
        for item in series {
            let facts = history
                .snapshot
                .warehouses
                .iter()
                .find(|facts| facts.warehouse == item.warehouse);
            let learn = || Arc::new(lanes_of(facts, item.production.as_ref(), &policy, settings.seed));
            let lanes = match &item.production {
                Some(_) => learn(),
                None => Arc::clone(shared.entry(&item.warehouse).or_insert_with(learn)),
            };
            let recorded = history.stock.get(&(item.warehouse.clone(), item.sku.clone()));
            match live(item, lanes, recorded, (start, span), &policy, settings.seed) {
                Ok(mut live) => {
                    live.rates = history
                        .rates
                        .get(&(item.warehouse.clone(), item.sku.clone()))
                        .copied();
                    items.push(live);
                }
                Err(why) => *left_out.entry(why).or_default() += 1,
            }
        }
        if items.is_empty() {
            return Err(Refusal::NoItem { left_out });
        }
        let slowest = items
            .iter()
            .filter_map(|item| item.lanes.first())
            .map(|lane| lane.times.total_at(900))
            .max()
            .unwrap_or(0);
        let settled = usize::try_from((slowest + policy.review_days.max(1) + 6) / 7 * 7).unwrap_or(0);
        Ok(Self {
            start,
            days: span,
            warm_up: settled.min(span / 14 * 7),
            policy,
            warehouses,
            items,
            left_out,
            lent_lead_times,
        })
    }

    /// Days that count.
    #[must_use]
    pub fn measured(&self) -> usize {
        self.days - self.warm_up
    }

    /// Parts of the measured days, about thirteen weeks each.
    #[must_use]
    pub fn quarters(&self) -> usize {
        ((self.measured() + 45) / 91).max(1)
    }

    /// The part a day belongs to; none in the warm-up.
    #[must_use]
    pub fn quarter(&self, day: usize) -> Option<usize> {
        let counted = day.checked_sub(self.warm_up)?;
        Some((counted * self.quarters() / self.measured().max(1)).min(self.quarters() - 1))
    }

    #[must_use]
    pub fn day(&self, day: usize) -> NaiveDate {
        self.start + Days::new(day as u64)
    }
}

fn first_known(sales: &DailySales) -> Option<NaiveDate> {
    let place = sales.units.iter().position(|units| units.is_some())?;
    Some(sales.first_day + Days::new(place as u64))
}

/// What was known of the ways on a day. Passages that ended later are not: but where nothing else would be known, they
/// are lent to all policies alike, and it is said.
fn before(facts: &WarehouseFacts, start: NaiveDate, policy: &Policy, lent: &mut bool) -> WarehouseFacts {
    let mut facts = facts.clone();
    let stages = facts.lanes.iter_mut().flat_map(|lane| &mut lane.stages);
    for times in stages.chain(&mut facts.putaway) {
        let known = times.observed.iter().filter(|seen| seen.to < start).count() as i64;
        let would_be = times.observed.len() as i64;
        if times.p50.is_none() && known < policy.min_observations && would_be >= policy.min_observations {
            *lent = true;
            for seen in &mut times.observed {
                let days = seen.to - seen.from;
                seen.to = seen.to.min(start - Days::new(1));
                seen.from = seen.to - days;
            }
        } else {
            times.observed.retain(|seen| seen.to < start);
        }
    }
    facts
}

/// The ways to a warehouse in the order the planner uses them; those with a stage nobody knows are none.
fn lanes_of(
    facts: Option<&WarehouseFacts>,
    production: Option<&StageTimes>,
    policy: &Policy,
    seed: u64,
) -> Vec<WorldLane> {
    let Some(facts) = facts else {
        return Vec::new();
    };
    let mut options: Vec<_> = facts.lanes.iter().collect();
    options.sort_by(|a, b| {
        (a.priority, a.mode, &a.forwarder, &a.service).cmp(&(b.priority, b.mode, &b.forwarder, &b.service))
    });
    options
        .into_iter()
        .filter_map(|lane| {
            let seed = dice::name(&[facts.warehouse.as_str(), lane.mode.code()]) ^ seed;
            let times = LeadTable::learn(
                lane,
                production,
                facts.putaway.as_ref(),
                policy.min_observations,
                seed,
            )?;
            Some(WorldLane {
                mode: lane.mode,
                times,
            })
        })
        .collect()
}

fn live(
    item: &ItemSeries,
    lanes: Arc<Vec<WorldLane>>,
    recorded: Option<&BTreeMap<NaiveDate, i64>>,
    (start, span): (NaiveDate, usize),
    policy: &Policy,
    seed: u64,
) -> Result<WorldItem, LeftOut> {
    if !item.active {
        return Err(LeftOut::Inactive);
    }
    let name = dice::name(&[item.warehouse.as_str(), item.sku.as_str()]);
    let Some(first_lane) = lanes.first() else {
        return Err(LeftOut::LeadTimeUnknown);
    };
    let offset = (start - item.sales.first_day).num_days();
    let seen = |day: i64| -> Option<u32> {
        let index = usize::try_from(day).ok()?;
        if item.sales.out_of_stock(index) {
            return None;
        }
        item.sales.units.get(index)
    };
    let (mut learnt, mut demand_days, mut sold) = (0, 0, 0_u64);
    for day in (offset - policy.history_days.max(1)).max(0)..offset {
        if let Some(units) = seen(day) {
            learnt += 1;
            demand_days += i64::from(units > 0);
            sold += u64::from(units);
        }
    }
    if learnt < LEAST_LEARNT {
        return Err(LeftOut::TooYoung);
    }
    let mut filled = 0;
    let demand: Vec<u32> = (0..span as i64)
        .map(|ahead| {
            let day = offset + ahead;
            seen(day).unwrap_or_else(|| {
                filled += 1;
                let near: Vec<u32> = (day - NEAR_DAYS..day).filter_map(seen).collect();
                let chance = dice::unit(seed, &[name, 1, ahead.unsigned_abs()]);
                let place = (chance * near.len() as f64) as usize;
                near.get(place).copied().unwrap_or(0)
            })
        })
        .collect();
    if sold == 0 && demand.iter().all(|units| *units == 0) {
        return Err(LeftOut::NeverSold);
    }
    let mut series = item.clone();
    series.sales = cut(&item.sales, offset);
    series.inbound = Vec::new();
    series.pending_putaway = Some(0);
    series.available = Some(0);
    series.stock_state = crate::planner::DataState::Complete;
    series.sales_state = crate::planner::DataState::Complete;
    let rate = sold as f64 / learnt as f64;
    let cover = first_lane.times.total_at(900) + policy.review_days.max(1);
    let opening = recorded
        .and_then(|days| days.get(&(start - Days::new(1))).copied())
        .unwrap_or_else(|| (rate * cover as f64).ceil() as i64)
        .max(0);
    Ok(WorldItem {
        class: SalesClass::of(demand_days, learnt),
        demand,
        filled,
        unserved: (0..span as i64)
            .map(|ahead| usize::try_from(offset + ahead).is_ok_and(|day| item.sales.out_of_stock(day)))
            .collect(),
        lanes,
        opening,
        happened: (0..span)
            .map(|day| recorded?.get(&(start + Days::new(day as u64))).copied())
            .collect(),
        rates: None,
        name,
        series,
    })
}

/// The days before the start alone, in memory of their own: what comes later is not there to be seen.
fn cut(sales: &DailySales, offset: i64) -> DailySales {
    let length = usize::try_from(offset).unwrap_or(0);
    let mut units: DayUnits = sales.units.iter().take(length).collect();
    while units.len() < length {
        units.push(None);
    }
    let mut in_stock: Vec<Option<bool>> = sales.in_stock.iter().take(length).copied().collect();
    in_stock.resize(length, None);
    DailySales {
        first_day: sales.first_day,
        units,
        in_stock,
    }
}
