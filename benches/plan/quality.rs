//! Open loop, fixed intervals: how good the engine's own distribution of the coming demand is, on rows `sku,date,qty`.
//!
//! `quality daily.csv [cap]`: sums of 42 days from weekly origins in the second year, pinball loss over mean demand and
//! coverage at .90, .95 and .98, by half of the items, by how often an item sells and by quarter. `cap` cuts a day's
//! sales to the item's own 99.5 % quantile, as the closed loop does. `weekly weekly.csv`: error of 12-week sums.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use linkstar::planner::{DailySales, PlanLine, Policy, Snapshot, Stage, StageTimes, plan};

use super::shop;

const REVIEW: i64 = 7;
const STEP: usize = 7;
const TARGETS: [(f64, &str); 3] = [(0.90, "demand_p90"), (0.95, "demand_p95"), (0.98, "demand_p98")];
/// Items with fewer days before the second year have no year to be judged from.
const LEAST_DAYS: usize = 56;

struct Item {
    sku: String,
    /// Units by day from the first day of all; `from` is the first with a sale.
    days: Vec<u32>,
    from: usize,
}

/// Losses, units and windows covered, by target.
#[derive(Default, Clone, Copy)]
struct Score {
    windows: f64,
    units: f64,
    mean: f64,
    error: f64,
    loss: [f64; 3],
    level: [f64; 3],
    covered: [f64; 3],
}

fn read(path: &str) -> (NaiveDate, Vec<Item>) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut sales: BTreeMap<&str, BTreeMap<NaiveDate, u32>> = BTreeMap::new();
    for row in text.lines().skip(1) {
        let mut cells = row.split(',');
        if let (Some(sku), Some(Ok(date)), Some(Ok(units))) = (
            cells.next(),
            cells.next().map(str::parse::<NaiveDate>),
            cells.next().map(str::parse::<u32>),
        ) {
            *sales.entry(sku).or_default().entry(date).or_default() += units;
        }
    }
    let days = sales.values().flat_map(BTreeMap::keys);
    let first = days.clone().min().copied().unwrap_or_default();
    let last = days.max().copied().unwrap_or_default();
    let length = usize::try_from((last - first).num_days() + 1).unwrap_or(0);
    let items = sales
        .into_iter()
        .map(|(sku, sold)| {
            let mut days = vec![0; length];
            for (day, units) in &sold {
                days[usize::try_from((*day - first).num_days()).unwrap_or(0)] = *units;
            }
            let from = days.iter().position(|units| *units > 0).unwrap_or(length);
            Item {
                sku: sku.to_owned(),
                days,
                from,
            }
        })
        .collect();
    (first, items)
}

/// Cuts days above the item's own 99.5 % quantile of all days (linear between ranks).
fn cap(item: &mut Item) {
    let mut sorted = item.days.clone();
    sorted.sort_unstable();
    let place = 0.995 * (sorted.len() - 1) as f64;
    let (low, share) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    let limit = f64::from(sorted[low]) * (1.0 - share) + f64::from(sorted[high]) * share;
    for units in &mut item.days {
        *units = (*units).min(limit.round() as u32);
    }
}

pub fn daily(path: &str, capped: bool) {
    let (first, mut items) = read(path);
    items.retain(|item| item.from + LEAST_DAYS <= 365);
    if capped {
        items.iter_mut().for_each(cap);
    }
    let (Some(length), window) = (items.first().map(|item| item.days.len()), 42) else {
        println!("`{path}` has no rows `sku,date,qty`");
        return;
    };
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for origin in (365..=length.saturating_sub(window)).step_by(STEP) {
        for (place, line) in planned(first, &items, origin, window) {
            let item = &items[place];
            let share = item.days[..origin].iter().filter(|units| **units > 0).count() as f64
                / (origin - item.from) as f64;
            let class = match share {
                share if share > 0.5 => "sells on > 50 % of days",
                share if share > 0.25 => "sells on 25-50 %",
                share if share > 0.1 => "sells on 10-25 %",
                _ => "sells on < 10 %",
            };
            let came: f64 = item.days[origin..origin + window]
                .iter()
                .map(|units| f64::from(*units))
                .sum();
            let half = ["half A", "half B"][place % 2];
            let quarter = format!("quarter {}", 1 + (origin - 365) / 83);
            for key in ["all", class, half, &quarter] {
                add(scores.entry(key.to_owned()).or_default(), &line, came);
            }
        }
    }
    for (key, score) in scores {
        let text: Vec<String> = (0..3)
            .map(|target| {
                format!(
                    "{:.4} {:.3} {:.2}",
                    score.loss[target] / score.units,
                    score.covered[target] / score.windows,
                    score.level[target] / score.units
                )
            })
            .collect();
        println!(
            "{key:24} windows {:6}  {}  bias {:+.3} wape {:.3}",
            score.windows,
            text.join("   "),
            (score.units - score.mean) / score.units,
            score.error / score.units
        );
    }
}

fn add(score: &mut Score, line: &PlanLine, came: f64) {
    let units = |key: &str| line.explain.units_of(key).unwrap_or(0) as f64;
    score.windows += 1.0;
    score.units += came;
    let mean = units("order_up_to") - units("safety");
    score.mean += mean;
    score.error += (came - mean).abs();
    for (index, (target, key)) in TARGETS.into_iter().enumerate() {
        let level = units(key);
        let short = came - level;
        score.loss[index] += if short >= 0.0 {
            target * short
        } else {
            (target - 1.0) * short
        };
        score.covered[index] += f64::from(u8::from(short <= 0.0));
        score.level[index] += level;
    }
}

/// Error of 12-week sums, each week's units on its first day.
pub fn weekly(path: &str) {
    let (first, items) = read(path);
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for text in ["2011-07-11", "2011-08-08", "2011-09-05"] {
        let Ok(day) = text.parse::<NaiveDate>() else {
            continue;
        };
        let origin = usize::try_from((day - first).num_days()).unwrap_or(0);
        for (place, line) in planned(first, &items, origin, 84) {
            let item = &items[place];
            if item.from + 364 > origin {
                continue;
            }
            let came: f64 = item.days[origin..origin + 84]
                .iter()
                .map(|units| f64::from(*units))
                .sum();
            for key in ["all", ["half A", "half B"][place % 2], text] {
                add(scores.entry(key.to_owned()).or_default(), &line, came);
            }
        }
    }
    for (key, score) in scores {
        println!(
            "{key:12} items and origins {:6}  WAPE {:.4}  bias {:+.1} %",
            score.windows,
            score.error / score.units,
            (score.units - score.mean) / score.units * 100.0
        );
    }
}

fn planned(first: NaiveDate, items: &[Item], origin: usize, window: usize) -> Vec<(usize, PlanLine)> {
    let as_of = first + Days::new(origin as u64);
    let places: BTreeMap<&str, usize> = items
        .iter()
        .enumerate()
        .map(|(place, item)| (item.sku.as_str(), place))
        .collect();
    let facts = snapshot(items, first, as_of, origin, window);
    let policy = Policy {
        review_days: REVIEW,
        ..Policy::default()
    };
    plan(&facts, &policy, None)
        .lines
        .into_iter()
        .filter_map(|line| Some((*places.get(line.sku.as_str())?, line)))
        .collect()
}

fn snapshot(items: &[Item], first: NaiveDate, as_of: NaiveDate, origin: usize, window: usize) -> Snapshot {
    let days = window as i64 - REVIEW;
    let series = items
        .iter()
        .filter(|item| item.from + LEAST_DAYS <= origin)
        .map(|item| {
            shop::item(
                &item.sku,
                DailySales {
                    first_day: first + Days::new(item.from as u64),
                    units: item.days[item.from..origin]
                        .iter()
                        .map(|units| Some(*units))
                        .collect(),
                    in_stock: Vec::new(),
                },
            )
        })
        .collect();
    shop::snapshot(
        as_of,
        StageTimes {
            stage: Stage::Transit,
            p50: Some(days),
            p90: Some(days),
            observed: Vec::new(),
        },
        series,
    )
}
