//! Plans a history at many past days with the future hidden, and compares the order-up-to level with what was
//! really wanted until the next order would have arrived.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use linkstar::planner::{DailySales, Observation, Policy, Snapshot, Stage, StageTimes, plan};

use super::shop;

const REVIEW: i64 = 7;
const STEP: usize = 21;
const LEVELS: [u16; 3] = [900, 950, 980];

/// Windows seen, windows covered, sum of level / mean demand, sum of demand / mean demand.
#[derive(Default, Clone, Copy)]
struct Score {
    windows: f64,
    covered: f64,
    level: f64,
}

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 20 days and a sum of exponentials: mean 34, standard deviation 8.
    fn lead(&mut self) -> u64 {
        let tail: f64 = (0..3).map(|_| -(1.0 - self.next()).ln() * 4.67).sum();
        (20.0 + tail).round() as u64
    }
}

/// Reads `sku,date,qty[,…]` and prints coverage by service level and by how often an item sells.
pub fn run(path: &str) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut sales: BTreeMap<&str, BTreeMap<NaiveDate, u32>> = BTreeMap::new();
    for row in text.lines().skip(1) {
        let mut cells = row.split(',');
        let (Some(sku), Some(date), Some(units)) = (cells.next(), cells.next(), cells.next()) else {
            continue;
        };
        if let (Ok(date), Ok(units)) = (date.parse::<NaiveDate>(), units.parse::<u32>()) {
            *sales.entry(sku).or_default().entry(date).or_default() += units;
        }
    }
    let days = sales.values().flat_map(BTreeMap::keys);
    let (Some(first), Some(last)) = (days.clone().min().copied(), days.max().copied()) else {
        println!("`{path}` has no rows `sku,date,qty`");
        return;
    };
    let length = (last - first).num_days();
    let mut scores: BTreeMap<(usize, &str), Score> = BTreeMap::new();
    let mut dice = Dice(0x5EED);
    for origin in (365..length - 60).step_by(STEP) {
        let as_of = first + Days::new(origin.unsigned_abs());
        let facts = snapshot(&sales, as_of, &mut dice);
        let windows: BTreeMap<&str, (f64, f64, &str)> = sales
            .iter()
            .filter_map(|(sku, days)| {
                let ahead = dice.lead() + REVIEW.unsigned_abs();
                let truth: u32 = days
                    .range(as_of..as_of + Days::new(ahead))
                    .map(|(_, units)| units)
                    .sum();
                let start = *days.keys().next()?;
                let mean = days.values().map(|units| f64::from(*units)).sum::<f64>()
                    / ((last - start).num_days() + 1) as f64
                    * ahead as f64;
                let old =
                    days.range(..as_of).count() as f64 / (as_of - start).num_days().clamp(1, 365 * 2) as f64;
                let class = match old {
                    share if share > 0.5 => "sells on > 50 % of days",
                    share if share > 0.25 => "sells on 25-50 %",
                    share if share > 0.1 => "sells on 10-25 %",
                    _ => "sells on < 10 %",
                };
                Some((*sku, (f64::from(truth), mean, class)))
            })
            .collect();
        for (index, service_permille) in LEVELS.into_iter().enumerate() {
            let policy = Policy {
                review_days: REVIEW,
                service_permille,
                ..Policy::default()
            };
            for line in plan(&facts, &policy, None).lines {
                let Some((truth, mean, class)) = windows.get(line.sku.as_str()) else {
                    continue;
                };
                let Some(level) = line.explain.units_of("order_up_to") else {
                    continue;
                };
                for key in ["all", class] {
                    let score = scores.entry((index, key)).or_default();
                    score.windows += 1.0;
                    score.covered += f64::from(u8::from(*truth <= level as f64));
                    score.level += level as f64 / mean.max(0.5);
                }
            }
        }
    }
    for ((index, class), score) in scores {
        println!(
            "target {:.3}  {class:24} windows {:6}  coverage {:.3}  level / mean demand {:.2}",
            f64::from(LEVELS[index]) / 1000.0,
            score.windows,
            score.covered / score.windows,
            score.level / score.windows
        );
    }
}

fn snapshot(sales: &BTreeMap<&str, BTreeMap<NaiveDate, u32>>, as_of: NaiveDate, dice: &mut Dice) -> Snapshot {
    let series = sales
        .iter()
        .filter_map(|(sku, days)| {
            let first_day = *days.keys().next()?;
            let length = usize::try_from((as_of - first_day).num_days()).ok()?;
            // Younger items cannot be judged: half of their history would be the window.
            (length >= 56).then(|| {
                shop::item(
                    sku,
                    DailySales {
                        first_day,
                        units: (0..length)
                            .map(|day| {
                                Some(
                                    days.get(&(first_day + Days::new(day as u64)))
                                        .copied()
                                        .unwrap_or(0),
                                )
                            })
                            .collect(),
                        in_stock: Vec::new(),
                    },
                )
            })
        })
        .collect();
    let shipped = as_of - Days::new(200);
    shop::snapshot(
        as_of,
        StageTimes {
            stage: Stage::Transit,
            p50: None,
            p90: None,
            observed: (0..30)
                .map(|_| Observation {
                    from: shipped,
                    to: shipped + Days::new(dice.lead()),
                })
                .collect(),
        },
        series,
    )
}
