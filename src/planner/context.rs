//! What all lines of a plan share, computed once: lead times and the season ahead.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

use super::brief::teacher_step;
use super::history::analogue::Groups;
use super::history::class::{Rank, ranks};
use super::history::{DemandIndex, Events};
use super::lead::{LaneDays, World};
use super::season::{SEASON_TUNING, Season, SeasonLearner};
use super::snapshot::{
    ItemSeries, LaneOption, Observation, Policy, Snapshot, Stage, StageTimes, WarehouseFacts,
};
use super::supply::calendar::Calendars;
use super::supply::deadline::Deadlines;
use super::supply::joint::Scores;
use super::supply::law::Pools;
use super::supply::stage::StageDays;
use super::supply::{SupplyFacts, Terms, TransferWay};
use crate::ids::{Sku, WarehouseCode};
use crate::order::Mode;

/// Bounds of what a policy may ask for: a slip of the hand must not fill the memory.
const PATHS: (u32, u32) = (100, 10_000);
const HORIZON: (i64, i64) = (30, 400);
/// Longest interval demand is sampled for: the longest lead time and the longest review.
const LONGEST_AHEAD: usize = 800;

/// One warehouse, ready for its lines.
pub struct WarehouseContext<'a> {
    pub lanes: Vec<LaneDays>,
    code: Option<&'a WarehouseCode>,
    /// What the lanes were learned from.
    options: Vec<LaneOption>,
    putaway_times: Option<&'a StageTimes>,
    /// The lanes of items with a production time of their own: many items share one.
    by_production: BTreeMap<ProductionKey, Vec<LaneDays>>,
    pub deadlines: Deadlines<'a>,
    /// The way everything comes here by, when it comes through another warehouse.
    pub relay: Option<Relay<'a>>,
    /// Others are supplied from here: without sales of its own it still plans.
    pub feeds_others: bool,
    /// Days until pending units are sellable: (median, p90).
    pub putaway: Option<(i64, i64)>,
    pub season: Season,
    /// Running sums of the season's factors from `as_of` on.
    pub season_ahead: Vec<f64>,
    /// The season's factor `k + 1` days before `as_of`.
    pub season_back: Vec<f64>,
    /// Named events, learned from all items.
    pub events: Events,
    /// Items alike, for those that are new.
    pub groups: Groups<'a>,
    pub ranks: BTreeMap<&'a Sku, Rank>,
}

/// The last leg of goods that come through another warehouse.
pub struct Relay<'a> {
    pub from: &'a WarehouseCode,
    pub lane: LaneDays,
    pub review_days: i64,
}

pub struct Context<'a> {
    pub as_of: NaiveDate,
    pub policy: &'a Policy,
    pub paths: usize,
    pub horizon: usize,
    pub demand: DemandIndex<'a>,
    pub scores: Scores,
    pub terms: Terms<'a>,
    supply: &'a SupplyFacts,
    warehouses: &'a [WarehouseFacts],
    calendars: Calendars,
    pools: Pools,
    /// What stands in warehouses that pass goods on.
    passing: BTreeMap<&'a WarehouseCode, BTreeMap<&'a Sku, i64>>,
}

impl<'a> Context<'a> {
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, policy: &'a Policy) -> Self {
        let paths = policy.paths.clamp(PATHS.0, PATHS.1) as usize;
        Self {
            demand: DemandIndex::new(&snapshot.demand),
            scores: Scores::default(),
            terms: Terms::new(&snapshot.supply),
            supply: &snapshot.supply,
            warehouses: &snapshot.warehouses,
            calendars: Calendars::new(&snapshot.supply, policy),
            pools: Pools::new(snapshot),
            passing: passing(snapshot),
            as_of: snapshot.as_of,
            policy,
            paths,
            horizon: policy.horizon_days.clamp(HORIZON.0, HORIZON.1) as usize,
        }
    }

    /// Units that stand upstream for a line whose goods come through there.
    #[must_use]
    pub fn upstream(&self, relay: &Relay<'_>, sku: &Sku) -> i64 {
        let here = self.passing.get(relay.from).and_then(|here| here.get(sku));
        here.copied().unwrap_or(0).max(0)
    }

    /// Prepares a warehouse. `items` are its lines, in a fixed order.
    #[must_use]
    pub fn warehouse(
        &self,
        facts: Option<&'a WarehouseFacts>,
        items: &[&'a ItemSeries],
    ) -> WarehouseContext<'a> {
        let code = facts.map(|facts| &facts.warehouse);
        let way = code.and_then(|code| self.terms.relay_to(code));
        let mut options: Vec<LaneOption> = facts.map_or_else(Vec::new, |facts| self.lanes_of(facts));
        if let Some(way) = way.filter(|_| options.is_empty()) {
            options = self.through(way);
        }
        options.sort_by(|a, b| {
            (a.priority, a.mode, &a.forwarder, &a.service).cmp(&(
                b.priority,
                b.mode,
                &b.forwarder,
                &b.service,
            ))
        });
        let putaway_times = facts.and_then(|facts| facts.putaway.as_ref());
        let review = self.policy.review_days;
        let learn = |options: &[LaneOption], review_days: i64| {
            self.learn_lanes((code, putaway_times), options, None, review_days)
        };
        let lanes = learn(&options, review);
        let relay = way.and_then(|way| {
            let review = way.review_days.unwrap_or(review).clamp(0, 365);
            let lane = learn(&[transfer_lane(way)], review).pop()?;
            Some(Relay {
                from: &way.from,
                lane,
                review_days: review,
            })
        });
        let slowest = lanes.iter().map(|lane| lane.total_at(900)).max().unwrap_or(0);
        let reach = slowest + review + self.policy.warning_days;
        let deadlines = match code {
            Some(code) => Deadlines::new(&self.supply.deadlines, code, self.as_of, reach),
            None => Deadlines::default(),
        };
        let feeds_others = self
            .terms
            .transfers()
            .iter()
            .any(|way| way.relay && Some(&way.from) == code);
        let events = self.learn_events(facts, items);
        let season = if self.policy.season {
            self.learn_season(items, &events)
        } else {
            Season::flat()
        };
        let mut sum = 0.0;
        let mut season_ahead = Vec::with_capacity(LONGEST_AHEAD + 1);
        season_ahead.push(sum);
        for (ahead, day) in self.as_of.iter_days().take(LONGEST_AHEAD).enumerate() {
            sum += events.ahead(ahead) * season.factor(day.ordinal0() as usize);
            season_ahead.push(sum);
        }
        let back = days_of_the_year(self.as_of).enumerate();
        let season_back = back
            .map(|(place, day)| events.back(place + 1) * season.factor(day))
            .collect();
        let putaway = putaway_times
            .zip(self.world(code, review))
            .and_then(|(times, world)| {
                StageDays::learn(times, Mode::Sea, &world, self.policy.min_observations)
            })
            .map(|days| (days.p50, days.p90));
        let mut warehouse = WarehouseContext {
            lanes,
            code,
            options,
            putaway_times,
            by_production: BTreeMap::new(),
            deadlines,
            relay,
            feeds_others,
            putaway,
            season,
            season_ahead,
            season_back,
            events,
            groups: Groups::new(items, &self.demand),
            ranks: ranks(items, &self.demand),
        };
        for production in items.iter().filter_map(|item| item.production.as_ref()) {
            self.learn_production(&mut warehouse, production);
        }
        warehouse
    }

    /// Makes the lanes of items with this production time, once.
    pub fn learn_production(&self, warehouse: &mut WarehouseContext<'a>, production: &StageTimes) {
        let key = production_key(production);
        if warehouse.by_production.contains_key(&key) {
            return;
        }
        let from = (warehouse.code, warehouse.putaway_times);
        let review = self.policy.review_days;
        let lanes = self.learn_lanes(from, &warehouse.options, Some(production), review);
        warehouse.by_production.insert(key, lanes);
    }

    fn learn_lanes(
        &self,
        (code, putaway): (Option<&'a WarehouseCode>, Option<&StageTimes>),
        options: &[LaneOption],
        production: Option<&StageTimes>,
        review_days: i64,
    ) -> Vec<LaneDays> {
        let Some(world) = self.world(code, review_days) else {
            return Vec::new();
        };
        let learn = |lane| LaneDays::learn(lane, production, putaway, self.policy, self.paths, &world);
        options.iter().filter_map(learn).collect()
    }

    fn learn_events(&self, facts: Option<&WarehouseFacts>, items: &[&ItemSeries]) -> Events {
        if self.demand.events.is_empty() {
            return Events::default();
        }
        let step = teacher_step(items.len());
        let days: Vec<Vec<(usize, f64)>> = items
            .iter()
            .step_by(step)
            .map(|item| {
                known_days(item, self.as_of, SEASON_HISTORY_DAYS as usize)
                    .map(|(back, units)| (back, f64::from(units)))
                    .collect()
            })
            .collect();
        Events::learn(
            &self.demand.events,
            facts.map(|facts| &facts.warehouse),
            self.as_of,
            (SEASON_HISTORY_DAYS as usize, LONGEST_AHEAD),
            days.iter().map(Vec::as_slice),
        )
    }

    fn lanes_of(&self, facts: &WarehouseFacts) -> Vec<LaneOption> {
        let finer = |lane| self.supply.finer(&facts.warehouse, lane);
        facts.lanes.iter().map(finer).collect()
    }

    fn world(&self, code: Option<&'a WarehouseCode>, review_days: i64) -> Option<World<'_>> {
        let warehouse = code?;
        let country = self.supply.countries.iter().find(|(of, _)| of == warehouse);
        Some(World {
            as_of: self.as_of,
            review_days,
            warehouse,
            country: country.map_or("", |(_, country)| country.as_str()),
            pools: &self.pools,
            calendars: &self.calendars,
            exams: &self.supply.exams,
        })
    }

    /// The lanes of the warehouse upstream, and from there on.
    fn through(&self, way: &TransferWay) -> Vec<LaneOption> {
        let Some(upstream) = self.warehouses.iter().find(|facts| facts.warehouse == way.from) else {
            return Vec::new();
        };
        let shelved = upstream.putaway.as_ref();
        let mut lanes = self.lanes_of(upstream);
        for lane in &mut lanes {
            let mut transfer = transfer_times(way);
            // Goods are shelved upstream before they go on.
            let shelf = lane.stages.iter().position(|times| times.stage == Stage::Putaway);
            let shelf = match shelf {
                Some(place) => Some(lane.stages.remove(place)),
                None => shelved.cloned(),
            };
            if let Some(shelf) = shelf {
                transfer.p50 = transfer.p50.map(|days| days + shelf.p50.unwrap_or(0));
                transfer.p90 = transfer
                    .p90
                    .map(|days| days + shelf.p90.or(shelf.p50).unwrap_or(0));
            }
            lane.stages.push(transfer);
        }
        lanes
    }

    fn learn_season(&self, items: &[&ItemSeries], events: &Events) -> Season {
        let mut learner = SeasonLearner::default();
        // The day of the year of each day back, once for all items.
        let day_of_year: Vec<usize> = days_of_the_year(self.as_of).collect();
        let mut days: Vec<(usize, f64)> = Vec::with_capacity(day_of_year.len());
        // A pattern is learned as well from a fixed share of very many items.
        let step = teacher_step(items.len());
        for item in items.iter().step_by(step) {
            days.clear();
            days.extend(
                known_days(item, self.as_of, SEASON_HISTORY_DAYS as usize).map(|(back, units)| {
                    let day = day_of_year.get(back - 1).copied().unwrap_or(0);
                    // What an event brought is not the season's.
                    (day, f64::from(units) / events.back(back))
                }),
            );
            learner.teach(&SEASON_TUNING, days.iter().copied());
        }
        learner.finish(&SEASON_TUNING)
    }
}

fn passing(snapshot: &Snapshot) -> BTreeMap<&WarehouseCode, BTreeMap<&Sku, i64>> {
    let mut passing: BTreeMap<&WarehouseCode, BTreeMap<&Sku, i64>> = BTreeMap::new();
    for way in snapshot.supply.transfers.iter().filter(|way| way.relay) {
        passing.entry(&way.from).or_default();
    }
    if !passing.is_empty() {
        for item in &snapshot.series {
            if let (Some(here), Some(units)) = (passing.get_mut(&item.warehouse), item.available) {
                here.insert(&item.sku, units);
            }
        }
    }
    passing
}

fn transfer_times(way: &TransferWay) -> StageTimes {
    StageTimes {
        stage: Stage::Transfer,
        p50: way.days_p50,
        p90: way.days_p90.or(way.days_p50),
        observed: Vec::new(),
    }
}

fn transfer_lane(way: &TransferWay) -> LaneOption {
    LaneOption {
        mode: Mode::Truck,
        forwarder: None,
        service: String::new(),
        priority: 1,
        stages: vec![transfer_times(way)],
    }
}

/// The day of the year of yesterday, the day before, and so on, as far as the season looks back.
fn days_of_the_year(as_of: NaiveDate) -> impl Iterator<Item = usize> {
    let days = std::iter::successors(as_of.pred_opt(), NaiveDate::pred_opt);
    days.take(SEASON_HISTORY_DAYS as usize)
        .map(|day| day.ordinal0() as usize)
}

/// Two whole years teach the season.
const SEASON_HISTORY_DAYS: i64 = 731;
pub const MOST_TEACHERS: usize = 2_000;

impl WarehouseContext<'_> {
    /// The lanes of an item with a production time of its own.
    #[must_use]
    pub fn lanes_with(&self, production: &StageTimes) -> &[LaneDays] {
        self.by_production
            .get(&production_key(production))
            .map_or(&[], Vec::as_slice)
    }
}

/// What makes two production times the same one.
type ProductionKey = (Option<i64>, Option<i64>, Vec<Observation>);

fn production_key(times: &StageTimes) -> ProductionKey {
    (times.p50, times.p90, times.observed.clone())
}

/// In-stock days with data before `as_of`, newest first: days back (1 is yesterday) and units.
#[inline]
pub fn known_days(
    item: &ItemSeries,
    as_of: NaiveDate,
    most_back: usize,
) -> impl Iterator<Item = (usize, u32)> {
    let sales = &item.sales;
    let end = (as_of - sales.first_day).num_days();
    // Days after the last that has data are gaps.
    let known = sales.units.len() as i64;
    let first_back = (end - known).max(0) as usize;
    let newest = usize::try_from(end.min(known)).unwrap_or(0);
    let masked = !sales.in_stock.is_empty();
    sales
        .units
        .newest_first(newest)
        .enumerate()
        .map(move |(place, units)| (newest - 1 - place, first_back + place + 1, units))
        .take_while(move |(_, back, _)| *back <= most_back)
        .filter(move |(index, _, units)| units.is_some() && !(masked && sales.out_of_stock(*index)))
        .filter_map(|(_, back, units)| Some((back, units?)))
}
