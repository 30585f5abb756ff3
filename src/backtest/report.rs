//! What the lives came to, with how far chance reaches, and what may be concluded from it.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

use super::range::{Measure, Ranges};
use super::run::Life;
use super::score::{Cell, Tally};
use super::world::{LeftOut, Settings, World, WorldItem};
use crate::planner::{Calibration, ENGINE, SalesClass, round_stat};

/// A figure and the interval that 95 of 100 other sets of such items would lie in; no interval for too few items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Range {
    pub value: Decimal,
    pub low: Option<Decimal>,
    pub high: Option<Decimal>,
}

/// One group's figures. None is what nobody can know, never zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub items: usize,
    pub decisions: i64,
    /// Share of decisions whose position covered the demand of their own interval (cycle service).
    pub coverage: Option<Range>,
    /// Share of the units wanted that were served.
    pub fill: Option<Range>,
    /// Share of days that began with nothing to sell.
    pub out_of_stock: Option<Range>,
    /// Days of an item's own demand on hand, mean over items (a year at most each).
    pub stock_days: Option<Range>,
    pub stock_days_median: Option<Decimal>,
    /// Money in the units on hand, mean over days.
    pub capital: Option<Range>,
    pub storage_fees: Option<Range>,
    pub freight: Option<Range>,
}

/// One policy's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyReport {
    pub policy: String,
    pub all: Figures,
    /// By how often an item sold before the start.
    pub classes: Vec<(SalesClass, Figures)>,
    pub quarters: Vec<Figures>,
    /// Against the policy named first; none for that one itself.
    pub against_first: Option<Comparison>,
    /// Where calibration stood at the end.
    pub calibration: Vec<Calibration>,
}

/// A difference to the first policy, item by item on the same demand and lead times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub fill: Option<Range>,
    pub stock_days: Option<Range>,
    pub conclusion: Conclusion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Too few items, days or decisions to say anything.
    TooLittle,
    NoDifference,
    /// More service or less stock, and nothing paid for it.
    Better,
    Worse,
    /// More service for more stock.
    Dearer,
    /// Less service for less stock.
    Leaner,
}

impl Conclusion {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLittle => "too_little",
            Self::NoDifference => "no_difference",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Dearer => "dearer",
            Self::Leaner => "leaner",
        }
    }
}

/// A quarter's days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

/// The whole backtest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub engine: String,
    pub start: NaiveDate,
    /// The first day that counts, and the first one that does not any more.
    pub counted_from: NaiveDate,
    pub end: NaiveDate,
    pub review_days: i64,
    pub service_permille: u16,
    pub runs: u32,
    pub seed: u64,
    pub items: usize,
    pub left_out: BTreeMap<LeftOut, usize>,
    /// Days of all items on which nobody saw the demand, and near days stand in for it.
    pub filled_days: i64,
    pub item_days: i64,
    /// The policies were lent lead times that were not known then.
    pub lent_lead_times: bool,
    /// Whether there is enough to conclude from at all.
    pub conclusive: bool,
    pub quarters: Vec<Shown>,
    pub policies: Vec<PolicyReport>,
    /// What was really on the shelf, where it was recorded.
    pub happened: Option<Figures>,
    pub currency: Option<String>,
}

/// Fewer items than this, or counted days, carry no conclusion.
pub const LEAST_ITEMS: usize = 8;
pub const LEAST_DAYS: usize = 28;
const LEAST_DECISIONS: i64 = 100;
/// An item that sold next to nothing has stock for ever: a year of it says so.
const MOST_STOCK_DAYS: f64 = 365.0;

/// Puts the lives together. `lives` are the policies in the order they were named, each with its runs.
#[must_use]
pub fn report(world: &World, lives: &[(String, Vec<Life>)], settings: &Settings) -> Report {
    let conclusive = world.items.len() >= LEAST_ITEMS && world.measured() >= LEAST_DAYS;
    let ranges = Ranges::new(world.items.len(), settings.seed, conclusive);
    let tallies: Vec<Tally> = lives
        .iter()
        .map(|(_, runs)| {
            let mut sum = Tally::new(world.items.len(), world.quarters());
            runs.iter().for_each(|life| sum.add(&life.tally));
            sum
        })
        .collect();
    let runs = i64::from(settings.runs.max(1));
    let books = Books::of(world);
    let policies: Vec<PolicyReport> = lives
        .iter()
        .zip(&tallies)
        .enumerate()
        .map(|(place, ((name, lives), tally))| {
            let group = |wanted: &dyn Fn(&WorldItem, usize) -> bool| {
                figures(world, tally, wanted, &ranges, &books, runs)
            };
            PolicyReport {
                policy: name.clone(),
                all: group(&|_, _| true),
                classes: SalesClass::ALL
                    .into_iter()
                    .filter(|class| world.items.iter().any(|item| item.class == *class))
                    .map(|class| (class, group(&|item, _| item.class == class)))
                    .collect(),
                quarters: (0..world.quarters())
                    .map(|quarter| group(&|_, of| of == quarter))
                    .collect(),
                against_first: (place > 0)
                    .then(|| tallies.first())
                    .flatten()
                    .map(|first| compare(tally, first, &ranges, conclusive)),
                calibration: lives
                    .first()
                    .map_or_else(Vec::new, |life| life.calibration.clone()),
            }
        })
        .collect();
    let shown = (0..world.quarters()).filter_map(|quarter| {
        let mut days = (0..world.days).filter(|day| world.quarter(*day) == Some(quarter));
        let first = days.next()?;
        let last = days.next_back().unwrap_or(first);
        Some(Shown {
            from: world.day(first),
            until: world.day(last),
        })
    });
    Report {
        engine: ENGINE.to_owned(),
        start: world.start,
        counted_from: world.day(world.warm_up),
        end: world.start + Days::new(world.days as u64),
        review_days: world.policy.review_days,
        service_permille: world.policy.service_permille,
        runs: settings.runs,
        seed: settings.seed,
        items: world.items.len(),
        left_out: world.left_out.clone(),
        filled_days: world.items.iter().map(|item| item.filled).sum(),
        item_days: (world.items.len() * world.days) as i64,
        lent_lead_times: world.lent_lead_times,
        conclusive,
        quarters: shown.collect(),
        policies,
        happened: happened(world, &ranges, &books),
        currency: books.currency.clone(),
    }
}

/// What units cost, where all items' costs are known in one currency. Figures made of it are means with intervals,
/// statistics and no amounts that are booked.
struct Books {
    currency: Option<String>,
    unit_cost: Option<Vec<f64>>,
    storage: Option<Vec<f64>>,
    freight: Option<Vec<f64>>,
}

impl Books {
    fn of(world: &World) -> Self {
        let costs: Option<Vec<_>> = world.items.iter().map(|item| item.series.unit_cost).collect();
        let rates: Option<Vec<_>> = world.items.iter().map(|item| item.rates).collect();
        let mut currencies: Vec<String> = Vec::new();
        currencies.extend(costs.iter().flatten().map(|cost| cost.currency.to_string()));
        currencies.extend(rates.iter().flatten().map(|rate| rate.currency.to_string()));
        currencies.sort();
        currencies.dedup();
        let [currency] = currencies.as_slice() else {
            // Two currencies are not added up.
            return Self {
                currency: None,
                unit_cost: None,
                storage: None,
                freight: None,
            };
        };
        let rate = |of: fn(&super::world::Rates) -> Option<Decimal>| -> Option<Vec<f64>> {
            let rates = rates.as_ref()?;
            rates.iter().map(|rate| of(rate)?.to_f64()).collect()
        };
        Self {
            currency: Some(currency.clone()),
            unit_cost: costs.and_then(|costs| costs.iter().map(|cost| cost.amount.to_f64()).collect()),
            storage: rate(|rate| rate.storage),
            freight: rate(|rate| rate.freight),
        }
    }
}

fn sums(world: &World, tally: &Tally, wanted: &dyn Fn(&WorldItem, usize) -> bool) -> Vec<Cell> {
    world
        .items
        .iter()
        .zip(&tally.cells)
        .map(|(item, quarters)| {
            let mut sum = Cell::default();
            for (quarter, cell) in quarters.iter().enumerate() {
                if wanted(item, quarter) {
                    sum.add(cell);
                }
            }
            sum
        })
        .collect()
}

fn figures(
    world: &World,
    tally: &Tally,
    wanted: &dyn Fn(&WorldItem, usize) -> bool,
    ranges: &Ranges,
    books: &Books,
    runs: i64,
) -> Figures {
    let cells = sums(world, tally, wanted);
    let mut days: Vec<f64> = cells.iter().filter_map(stock_days).collect();
    days.sort_by(f64::total_cmp);
    // Each run is the same days lived again.
    let lived = cells.iter().map(|cell| cell.days).max().unwrap_or(0).max(1) as f64;
    let total = |rates: &Option<Vec<f64>>, of: &dyn Fn(&Cell) -> f64| -> Option<Range> {
        let rates = rates.as_ref()?;
        let values = cells.iter().zip(rates).map(|(cell, rate)| of(cell) * rate);
        ranges.of(&Measure::total(values.collect()))
    };
    Figures {
        items: cells.iter().filter(|cell| cell.days > 0).count(),
        decisions: cells.iter().map(|cell| cell.decisions).sum(),
        coverage: ranges.of(&ratio(&cells, |cell| cell.covered, |cell| cell.decisions)),
        fill: ranges.of(&fill(&cells)),
        out_of_stock: ranges.of(&ratio(&cells, |cell| cell.out_days, |cell| cell.days)),
        stock_days: ranges.of(&stock(&cells)),
        stock_days_median: days.get(days.len() / 2).copied().and_then(round_stat),
        capital: total(&books.unit_cost, &|cell| cell.stock_days as f64 / lived),
        storage_fees: total(&books.storage, &|cell| cell.stock_days as f64 / runs as f64),
        freight: total(&books.freight, &|cell| cell.ordered as f64 / runs as f64),
    }
}

fn stock_days(cell: &Cell) -> Option<f64> {
    (cell.demand > 0).then(|| (cell.stock_days as f64 / cell.demand as f64).min(MOST_STOCK_DAYS))
}

fn ratio(cells: &[Cell], part: fn(&Cell) -> i64, whole: fn(&Cell) -> i64) -> Measure {
    Measure::ratio(
        cells.iter().map(|cell| part(cell) as f64).collect(),
        cells.iter().map(|cell| whole(cell) as f64).collect(),
    )
}

fn fill(cells: &[Cell]) -> Measure {
    ratio(cells, |cell| cell.sold, |cell| cell.demand)
}

fn stock(cells: &[Cell]) -> Measure {
    Measure::ratio(
        cells.iter().map(|cell| stock_days(cell).unwrap_or(0.0)).collect(),
        cells
            .iter()
            .map(|cell| f64::from(u8::from(cell.demand > 0)))
            .collect(),
    )
}

fn compare(tally: &Tally, first: &Tally, ranges: &Ranges, conclusive: bool) -> Comparison {
    let whole = |tally: &Tally| -> Vec<Cell> {
        let quarters = tally.cells.iter();
        quarters
            .map(|quarters| {
                let mut sum = Cell::default();
                quarters.iter().for_each(|cell| sum.add(cell));
                sum
            })
            .collect()
    };
    let (mine, theirs) = (whole(tally), whole(first));
    let served = ranges.difference(&fill(&mine), &fill(&theirs));
    let held = ranges.difference(&stock(&mine), &stock(&theirs));
    let decisions: i64 = mine.iter().map(|cell| cell.decisions).sum();
    let conclusion = if conclusive && decisions >= LEAST_DECISIONS {
        conclude(served, held)
    } else {
        Conclusion::TooLittle
    };
    Comparison {
        fill: served,
        stock_days: held,
        conclusion,
    }
}

/// What two intervals of differences allow to say: one that holds zero shows nothing.
fn conclude(fill: Option<Range>, stock: Option<Range>) -> Conclusion {
    let side = |range: Option<Range>| -> Option<i8> {
        let range = range?;
        let (low, high) = (range.low?, range.high?);
        Some(i8::from(low > Decimal::ZERO) - i8::from(high < Decimal::ZERO))
    };
    match (side(fill), side(stock)) {
        (None, _) | (_, None) => Conclusion::TooLittle,
        (Some(0), Some(0)) => Conclusion::NoDifference,
        (Some(1), Some(1)) => Conclusion::Dearer,
        (Some(-1), Some(-1)) => Conclusion::Leaner,
        (Some(1), _) | (Some(0), Some(-1)) => Conclusion::Better,
        _ => Conclusion::Worse,
    }
}

/// Items whose shelf was recorded on at least half of the counted days, on the days it was.
fn happened(world: &World, ranges: &Ranges, books: &Books) -> Option<Figures> {
    let mut tally = Tally::new(world.items.len(), world.quarters());
    let mut any = false;
    for (index, item) in world.items.iter().enumerate() {
        let recorded = item.happened.iter().skip(world.warm_up).flatten().count();
        if recorded * 2 < world.measured() {
            continue;
        }
        any = true;
        for (day, stock) in item.happened.iter().enumerate() {
            let (Some(stock), Some(cell)) = (stock, tally.cell(index, world.quarter(day))) else {
                continue;
            };
            let wanted = i64::from(item.demand.get(day).copied().unwrap_or(0));
            let out = item.unserved.get(day).copied().unwrap_or(false);
            cell.add(&Cell {
                days: 1,
                demand: wanted,
                sold: if out { 0 } else { wanted },
                out_days: i64::from(out || *stock <= 0),
                stock_days: (*stock).max(0),
                ..Cell::default()
            });
        }
    }
    let mut figures = any.then(|| figures(world, &tally, &|_, _| true, ranges, books, 1))?;
    // Nobody wrote down what was decided, nor what of it was shipped.
    figures.freight = None;
    Some(figures)
}
