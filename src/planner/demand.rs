//! The distribution of demand over review + lead time, from what was really sold.
//!
//! In closed form, from the sums of weeks of in-stock days: a level that follows the recent weeks, and a spread around
//! it that is the item's own. Two things make the spread. What happens inside a period (orders, runs, weekdays) shrinks
//! with its length; that the coming weeks are simply better or worse ones does not. Sums are never a daily deviation
//! times a root of days. The constants were fitted on one half of the items and judged on the other
//! (`docs/planning.md`); nothing is per SKU.
//!
//! Statistics are f64 inside and leave this file rounded up to units.

mod interval;

use super::models::{DemandPattern, classify};

pub use interval::{Interval, LeadSlices};

/// In-stock days of a week.
pub const WEEK: usize = 7;
/// Weeks of a month.
const MONTH: usize = 4;
/// The weeks before the newest from which "this time last year" begins: the coming twelve weeks, a year back.
const YEAR_AGO: usize = 43;
/// Fewer weeks that old say nothing of last year.
const LEAST_YEAR_AGO: usize = 4;
/// Weeks from there on that say whether it is the item's season.
const SEASON_AGO: usize = 12;

/// What was fitted. One set for all items.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Shares of the levels, the rest is the whole history's: half-life of three weeks, of one, and this time last year.
    pub quick: f64,
    pub latest: f64,
    pub last_year: f64,
    /// A week counts at most so many times the median selling week: one large order is not a new level. The first for
    /// the quick levels, the second for the whole history's.
    pub cap: (f64, f64),
    /// An item that hardly sold in so many recent weeks and at this time last year, against what it sold in over the whole
    /// history, has a season of its own and is out of it. Weeks added to both, and how many times as seldom it may sell
    /// before that is believed.
    pub off_season: (usize, f64, f64),
    /// Bounds of every multiplicative factor.
    pub factor_bound: f64,
    /// Squared variation of an item that never varied.
    pub drift: f64,
    /// What the item's own squared variation between months adds, at any length.
    pub months: f64,
    /// Squared variation between months of an item nothing is known of, and the months it counts for.
    pub months_prior: (f64, f64),
    /// What its squared variation between weeks adds, divided by the weeks of the interval.
    pub weeks: f64,
    /// What is added, divided by the number of demand days: a level known from few sales.
    pub few_sales: f64,
    /// How much what lasts grows for a history shorter than a year.
    pub young: f64,
    /// How both variations grow as an item sells on fewer of its days: the share of days at which they are as the terms
    /// above say, and the power of it.
    pub seldom: (f64, f64),
    /// How much longer than the gamma's the upper tail is.
    pub tail: f64,
}

pub const TUNING: Tuning = Tuning {
    quick: 0.33,
    latest: 0.15,
    last_year: 0.14,
    cap: (4.0, 7.0),
    off_season: (13, 1.0, 1.5),
    factor_bound: 3.0,
    drift: 0.005,
    months: 0.28,
    months_prior: (0.3, 2.0),
    weeks: 0.54,
    few_sales: 0.3,
    young: 0.1,
    seldom: (0.36, 0.8),
    tail: 0.45,
};

/// No squared variation is larger: beyond it a shape of mean one has its mass at zero.
const MOST_VARIATION: f64 = 9.0;
/// Squared variations of months and weeks above these are one order in a year.
const MOST_MONTHS: f64 = 6.0;
const MOST_WEEKS: f64 = 60.0;
/// Items that sell on a smaller share of their days were not among those fitted on: they are taken for such.
const LEAST_SHARE: f64 = 0.1;
/// Days that the usual share counts for beside the item's own.
const SHARE_DAYS: f64 = 28.0;

/// A small seeded generator (SplitMix64). Seeded by the item's name, so that a day more of history moves a quantity
/// by what it says and not by other dice.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    #[must_use]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform below `n`, for small `n`.
    #[must_use]
    pub fn below(&mut self, n: usize) -> usize {
        (((self.next() >> 32) * n as u64) >> 32) as usize
    }
}

/// Quantile of the standard normal (Acklam's rational approximation, error below 1.2e-9 relative).
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
    ];
    let p = p.clamp(1e-12, 1.0 - 1e-12);
    let tail = |q: f64| {
        (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5])
            / ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1.0)
    };
    if p < 0.024_25 {
        tail((-2.0 * p.ln()).sqrt())
    } else if p > 0.975_75 {
        -tail((-2.0 * (1.0 - p).ln()).sqrt())
    } else {
        let q = p - 0.5;
        let r = q * q;
        (((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q
            / (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1.0)
    }
}

/// The levels a rate is made of, units a day, the season divided out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Levels {
    /// Half-lives of three weeks and of one.
    pub quick: f64,
    pub latest: f64,
    /// The whole history, single large weeks cut.
    pub year: f64,
    /// The coming twelve weeks a year ago, where the history reaches that far.
    pub last_year: Option<f64>,
    /// How much of the whole history's level is believed, where the item has its own season and is out of it.
    pub off_season: Option<f64>,
    /// What they come to.
    pub level: f64,
}

/// How far demand strays from its level.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    /// Squared variation at any length.
    pub lasting: f64,
    /// Squared variation of one week, divided by the weeks.
    pub weekly: f64,
}

impl Spread {
    /// Squared variation of the sum of so many days.
    #[must_use]
    pub fn variation(&self, days: f64) -> f64 {
        (self.lasting + self.weekly * WEEK as f64 / days.max(1.0)).clamp(1e-6, MOST_VARIATION)
    }
}

/// One item's history in weeks of in-stock days.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Units of each week, newest first, the season divided out.
    weeks: Vec<f64>,
    sizes: Vec<f64>,
    /// The median selling week.
    usual: f64,
    days: usize,
    demand_days: usize,
}

impl History {
    /// Takes the next item into the same memory. `days`: units and the season's factor of each in-stock day, newest
    /// first. Days that make no whole week are left out, but for an item that has no week at all.
    pub fn load(&mut self, days: impl Iterator<Item = (f64, f64)>) {
        self.weeks.clear();
        (self.days, self.demand_days) = (0, 0);
        let mut week = 0.0;
        for (units, factor) in days {
            self.days += 1;
            self.demand_days += usize::from(units > 0.0);
            week += units / factor;
            if self.days.is_multiple_of(WEEK) {
                self.weeks.push(week);
                week = 0.0;
            }
        }
        if self.weeks.is_empty() && self.days > 0 {
            self.weeks.push(week * WEEK as f64 / self.days as f64);
        }
        self.usual = self.median_week();
    }

    /// Takes whole weeks, newest first.
    pub fn load_weeks(&mut self, weeks: impl Iterator<Item = f64>) {
        self.weeks.clear();
        self.weeks.extend(weeks);
        self.days = self.weeks.len() * WEEK;
        self.demand_days = self.weeks.iter().filter(|units| **units > 0.0).count();
        self.usual = self.median_week();
    }

    fn median_week(&mut self) -> f64 {
        self.sizes.clear();
        self.sizes
            .extend(self.weeks.iter().copied().filter(|units| *units > 0.0));
        let length = self.sizes.len();
        if length == 0 {
            return 0.0;
        }
        let (below, median, _) = self.sizes.select_nth_unstable_by(length / 2, f64::total_cmp);
        let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if length % 2 == 1 {
            *median
        } else {
            f64::midpoint(lower, *median)
        }
    }

    /// Units of each week of in-stock days, newest first.
    #[must_use]
    pub fn weeks(&self) -> &[f64] {
        &self.weeks
    }

    /// The class by weeks, whose gaps and sizes a plan of weeks feels.
    #[must_use]
    pub fn pattern(&self) -> Option<DemandPattern> {
        classify(&self.weeks).ok()
    }

    #[must_use]
    pub fn demand_days(&self) -> usize {
        self.demand_days
    }

    /// Units a day over the whole history, season divided out, nothing cut.
    #[must_use]
    pub fn long_level(&self) -> f64 {
        mean(&self.weeks) / WEEK as f64
    }

    /// The rate of the coming weeks and what it is made of.
    #[must_use]
    pub fn levels(&self, tuning: &Tuning) -> Levels {
        let cap = (tuning.cap.0 * self.usual, tuning.cap.1 * self.usual);
        let (mut quick, mut latest) = (Smooth::new(3.0), Smooth::new(1.0));
        let (mut year, mut ago, mut weeks_ago) = (0.0, 0.0, 0_usize);
        for (place, units) in self.weeks.iter().enumerate() {
            quick.add(units.min(cap.0));
            latest.add(units.min(cap.0));
            year += units.min(cap.1);
            if place >= YEAR_AGO {
                ago += units.min(cap.1);
                weeks_ago += 1;
            }
        }
        let year = year / self.weeks.len().max(1) as f64;
        let (quick, latest) = (quick.mean(), latest.mean());
        let last_year = (weeks_ago >= LEAST_YEAR_AGO).then(|| ago / weeks_ago as f64);
        let rest = 1.0 - tuning.quick - tuning.latest - tuning.last_year;
        let off_season = last_year.and_then(|_| self.off_season(tuning));
        // Never zero on few weeks' word: the share is bounded by the weeks added.
        let long = year * off_season.unwrap_or(1.0);
        let level = tuning.quick * quick
            + tuning.latest * latest
            + tuning.last_year * last_year.unwrap_or(year)
            + rest * long;
        let level = level.clamp(long / tuning.factor_bound, year * tuning.factor_bound);
        let daily = |weekly: f64| weekly / WEEK as f64;
        Levels {
            quick: daily(quick),
            latest: daily(latest),
            year: daily(year),
            last_year: last_year.map(daily),
            off_season,
            level: daily(level),
        }
    }

    /// Selling weeks among the recent ones and those at this time last year, against as many as the whole history would
    /// have there: the share when it is far below one.
    fn off_season(&self, tuning: &Tuning) -> Option<f64> {
        let (recent, added, slack) = tuning.off_season;
        let selling = |weeks: &[f64]| weeks.iter().filter(|units| **units > 0.0).count() as f64;
        let recent = &self.weeks[..recent.min(self.weeks.len()).min(YEAR_AGO)];
        let ago = self.weeks.get(YEAR_AGO..).unwrap_or_default();
        let ago = &ago[..ago.len().min(SEASON_AGO)];
        let looked = (recent.len() + ago.len()) as f64;
        let usual = selling(&self.weeks) / self.weeks.len().max(1) as f64 * looked;
        let share = slack * (selling(recent) + selling(ago) + added) / (usual + added);
        (share < 1.0).then_some(share)
    }

    #[must_use]
    pub fn spread(&self, tuning: &Tuning) -> Spread {
        let (prior, weight) = tuning.months_prior;
        let months = self.weeks.chunks_exact(MONTH).map(|weeks| weeks.iter().sum());
        let months = match variation(months) {
            Some((own, count)) => {
                ((count - 1.0) * own.min(MOST_MONTHS) + weight * prior) / (count - 1.0 + weight)
            }
            None => prior,
        };
        let weeks = variation(self.weeks.iter().copied()).map_or(1.0, |(own, _)| own.min(MOST_WEEKS));
        let (usual, power) = tuning.seldom;
        // Two weeks of sales every day are not yet an item that sells every day.
        let share = (self.demand_days as f64 + usual * SHARE_DAYS) / (self.days as f64 + SHARE_DAYS);
        let seldom = (usual / share.clamp(LEAST_SHARE, 1.0)).powf(power);
        let short = (365.0 / self.days.max(1) as f64 - 1.0).clamp(0.0, 8.0);
        Spread {
            lasting: seldom
                * ((tuning.drift + tuning.months * months) * (1.0 + tuning.young * short)
                    + tuning.few_sales / self.demand_days.max(1) as f64),
            weekly: seldom * tuning.weeks * weeks,
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Squared variation of at least two sums that are not all nothing, and how many they are.
fn variation(sums: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for units in sums {
        count += 1.0;
        sum += units;
        squares += units * units;
    }
    let mean = sum / count;
    (count >= 2.0 && sum > 0.0).then(|| {
        let variance = (squares / count - mean * mean).max(0.0) * count / (count - 1.0);
        (variance / (mean * mean), count)
    })
}

/// A mean whose weights halve every so many weeks, newest first.
struct Smooth {
    decay: f64,
    weight: f64,
    weights: f64,
    sum: f64,
}

impl Smooth {
    fn new(half_life: f64) -> Self {
        Self {
            decay: 0.5_f64.powf(1.0 / half_life),
            weight: 1.0,
            weights: 0.0,
            sum: 0.0,
        }
    }

    fn add(&mut self, units: f64) {
        self.sum += self.weight * units;
        self.weights += self.weight;
        self.weight *= self.decay;
    }

    fn mean(&self) -> f64 {
        if self.weights > 0.0 {
            self.sum / self.weights
        } else {
            0.0
        }
    }
}

/// The shape of a demand of mean one: a gamma's (the cube of Wilson and Hilferty), its upper tail stretched. The value
/// at a place of the standard normal.
#[must_use]
pub fn shape(variation: f64, tail: f64, z: f64) -> f64 {
    let ninth = variation / 9.0;
    (1.0 - ninth + stretch(z, tail) * ninth.sqrt()).max(0.0).powi(3)
}

fn stretch(z: f64, tail: f64) -> f64 {
    z + tail * (z - 1.0).max(0.0).powi(2)
}

#[cfg(test)]
mod tests;
