//! What all lines of a plan share, computed once: lead times, the season ahead, the draws.

use chrono::{Datelike as _, NaiveDate};

use super::balance::day_after;
use super::demand::{TUNING, level_draws};
use super::lead::{LaneDays, StageDays};
use super::season::{SEASON_TUNING, Season, SeasonLearner};
use super::snapshot::{ItemSeries, LaneOption, Policy, StageTimes, WarehouseFacts};

/// Bounds of what a policy may ask for: a slip of the hand must not fill the memory.
const PATHS: (u32, u32) = (100, 10_000);
const HORIZON: (i64, i64) = (30, 400);
/// Longest interval demand is sampled for: the longest lead time and the longest review.
const LONGEST_AHEAD: usize = 800;

/// One warehouse, ready for its lines.
pub struct WarehouseContext<'a> {
    pub lanes: Vec<LaneDays>,
    options: Vec<&'a LaneOption>,
    putaway_times: Option<&'a StageTimes>,
    /// Days until pending units are sellable: (median, p90).
    pub putaway: Option<(i64, i64)>,
    pub season: Season,
    /// Running sums of the season's factors from `as_of` on.
    pub season_ahead: Vec<f64>,
    /// The season's factor `k + 1` days before `as_of`.
    pub season_back: Vec<f64>,
}

pub struct Context<'a> {
    pub as_of: NaiveDate,
    pub policy: &'a Policy,
    pub paths: usize,
    pub horizon: usize,
    pub draws: Vec<f64>,
}

impl<'a> Context<'a> {
    #[must_use]
    pub fn new(as_of: NaiveDate, policy: &'a Policy) -> Self {
        let paths = policy.paths.clamp(PATHS.0, PATHS.1) as usize;
        Self {
            as_of,
            policy,
            paths,
            horizon: policy.horizon_days.clamp(HORIZON.0, HORIZON.1) as usize,
            draws: level_draws(&TUNING, paths),
        }
    }

    /// Prepares a warehouse. `items` are its lines, in a fixed order.
    #[must_use]
    pub fn warehouse(
        &self,
        facts: Option<&'a WarehouseFacts>,
        items: &[&ItemSeries],
    ) -> WarehouseContext<'a> {
        let mut options: Vec<&LaneOption> = facts.map_or_else(Vec::new, |facts| facts.lanes.iter().collect());
        options.sort_by(|a, b| {
            (a.priority, a.mode, &a.forwarder, &a.service).cmp(&(
                b.priority,
                b.mode,
                &b.forwarder,
                &b.service,
            ))
        });
        let putaway_times = facts.and_then(|facts| facts.putaway.as_ref());
        let lanes = options
            .iter()
            .filter_map(|lane| LaneDays::learn(lane, None, putaway_times, self.policy, self.paths))
            .collect();
        let season = if self.policy.season {
            self.learn_season(items)
        } else {
            Season::flat()
        };
        let factor = |days: i64| season.factor(day_after(self.as_of, days).ordinal0() as usize);
        let mut sum = 0.0;
        let mut season_ahead = vec![0.0];
        for day in 0..LONGEST_AHEAD {
            sum += factor(day as i64);
            season_ahead.push(sum);
        }
        let season_back = (1..=SEASON_HISTORY_DAYS).map(|back| factor(-back)).collect();
        let putaway = putaway_times
            .and_then(|times| StageDays::learn(times, self.policy.min_observations))
            .map(|days| (days.p50, days.p90));
        WarehouseContext {
            lanes,
            options,
            putaway_times,
            putaway,
            season,
            season_ahead,
            season_back,
        }
    }

    fn learn_season(&self, items: &[&ItemSeries]) -> Season {
        let mut learner = SeasonLearner::default();
        // The day of the year of each day back, once for all items.
        let day_of_year: Vec<usize> = (1..=SEASON_HISTORY_DAYS)
            .map(|back| day_after(self.as_of, -back).ordinal0() as usize)
            .collect();
        let mut days: Vec<(usize, f64)> = Vec::with_capacity(day_of_year.len());
        // A pattern is learned as well from a fixed share of very many items.
        let step = (items.len() / MOST_TEACHERS).max(1);
        for item in items.iter().step_by(step) {
            days.clear();
            days.extend(
                known_days(item, self.as_of, SEASON_HISTORY_DAYS as usize)
                    .map(|(back, units)| (day_of_year.get(back - 1).copied().unwrap_or(0), f64::from(units))),
            );
            learner.teach(&SEASON_TUNING, days.iter().copied());
        }
        learner.finish(&SEASON_TUNING)
    }
}

/// Two whole years teach the season.
const SEASON_HISTORY_DAYS: i64 = 731;
const MOST_TEACHERS: usize = 2_000;

impl WarehouseContext<'_> {
    /// The lanes of an item with a production time of its own.
    #[must_use]
    pub fn lanes_with(&self, production: &StageTimes, policy: &Policy, paths: usize) -> Vec<LaneDays> {
        self.options
            .iter()
            .filter_map(|lane| LaneDays::learn(lane, Some(production), self.putaway_times, policy, paths))
            .collect()
    }
}

/// In-stock days with data before `as_of`, newest first: days back (1 is yesterday) and units.
pub fn known_days(
    item: &ItemSeries,
    as_of: NaiveDate,
    most_back: usize,
) -> impl Iterator<Item = (usize, u32)> {
    let sales = &item.sales;
    let end = (as_of - sales.first_day).num_days();
    (1..=most_back)
        .map_while(move |back| {
            let index = usize::try_from(end - back as i64).ok()?;
            Some((index, back))
        })
        .filter(|(index, _)| !sales.out_of_stock(*index))
        .filter_map(|(index, back)| Some((back, sales.units.get(index)?)))
}
