//! The distribution of demand over review + lead time, from what was really sold.
//!
//! Sums are sampled, not computed from a standard deviation: weeks of the item's own in-stock history are put
//! together to the length of the interval (moving blocks keep weekday and short runs), each path with its own lead
//! time and its own level. The level's spread stands for what one year of one item cannot tell: that the next weeks
//! are simply better or worse than the last ones. Its size was fitted on held-out windows (`docs/planning.md`).
//!
//! Statistics are f64 inside and leave this file rounded up to units. No dependency but the standard library: the
//! measuring program compiles this very file alone.

/// Days of a block: one week.
pub const BLOCK: usize = 7;
/// In-stock days of a month, four weeks.
pub const MONTH: usize = 28;
/// In-stock days that make the recent level.
pub const RECENT: usize = 56;

/// What was fitted. One set for all items: nothing here is per SKU.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Weight of the recent level against the whole history's.
    pub recent_weight: f64,
    /// Demand days at which the recent level counts half.
    pub recent_prior: f64,
    /// A day counts in the recent level at most so many times the mean of the days with sales: one large order is not a
    /// new level.
    pub recent_cap: f64,
    /// Squared variation of the level between the learned and the coming weeks, for an item that never varied.
    pub drift: f64,
    /// What is added to it of the item's own squared variation between months.
    pub months_weight: f64,
    /// Squared variation between months of an item nothing is known of, and the months it counts for.
    pub months_prior: (f64, f64),
    /// What is added to it, divided by the number of demand days: a level known from few sales.
    pub few_sales: f64,
    /// Bounds of every multiplicative factor.
    pub factor_bound: f64,
    /// How much longer than the gamma's the upper tail of the level is.
    pub tail: f64,
    /// How much the variation grows for a history shorter than a year.
    pub young: f64,
}

pub const TUNING: Tuning = Tuning {
    recent_weight: 0.7,
    recent_prior: 4.0,
    recent_cap: 10.0,
    drift: 0.005,
    months_weight: 0.1,
    months_prior: (0.3, 2.0),
    few_sales: 1.0,
    factor_bound: 3.0,
    tail: 0.5,
    young: 0.3,
};

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

/// One item's history, ready to be sampled from.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In-stock days with data, oldest first, the season divided out.
    days: Vec<f64>,
    /// Running sums: `sums[k]` is the sum of the first `k` days.
    sums: Vec<f64>,
    demand_days: usize,
    recent_demand_days: usize,
    /// Units of the recent days, none counted above [`Tuning::recent_cap`].
    recent_units: f64,
}

impl History {
    /// Takes the next item into the same memory. `days`: units and the season's factor of each in-stock day.
    pub fn load(&mut self, days: impl Iterator<Item = (f64, f64)>) {
        self.days.clear();
        self.sums.clear();
        self.sums.push(0.0);
        self.demand_days = 0;
        let mut sum = 0.0;
        for (units, factor) in days {
            self.demand_days += usize::from(units > 0.0);
            let level = units / factor;
            sum += level;
            self.days.push(level);
            self.sums.push(sum);
        }
        let from = self.days.len().saturating_sub(RECENT);
        let recent = &self.days[from..];
        self.recent_demand_days = recent.iter().filter(|units| **units > 0.0).count();
        let cap = TUNING.recent_cap * sum / self.demand_days.max(1) as f64;
        self.recent_units = recent.iter().map(|units| units.min(cap)).sum();
    }

    #[must_use]
    pub fn demand_days(&self) -> usize {
        self.demand_days
    }

    /// Units a day over the whole history, season divided out.
    #[must_use]
    pub fn long_level(&self) -> f64 {
        self.sums.last().copied().unwrap_or(0.0) / self.days.len().max(1) as f64
    }

    /// Units a day over the last [`RECENT`] in-stock days, season divided out, single large days capped.
    #[must_use]
    pub fn recent_level(&self) -> f64 {
        self.recent_units / self.days.len().clamp(1, RECENT) as f64
    }

    /// How the coming level stands to the history's: the recent weeks, believed as far as they sold, bounded.
    #[must_use]
    pub fn trend(&self, tuning: &Tuning) -> f64 {
        let long = self.long_level();
        if long <= 0.0 {
            return 1.0;
        }
        let ratio = (self.recent_level() / long).clamp(1.0 / tuning.factor_bound, tuning.factor_bound);
        let seen = self.recent_demand_days as f64;
        let believed = tuning.recent_weight * seen / (seen + tuning.recent_prior);
        1.0 + believed * (ratio - 1.0)
    }

    /// Squared variation of the sums of [`MONTH`] in-stock days, believed as far as there are months.
    fn months_variation(&self, tuning: &Tuning) -> f64 {
        let months = self.days.len() / MONTH;
        let (prior, weight) = tuning.months_prior;
        let (mut sum, mut squares) = (0.0, 0.0);
        for month in 0..months {
            // The latest whole months.
            let end = self.days.len() - month * MONTH;
            let units = self.sums[end] - self.sums[end - MONTH];
            sum += units;
            squares += units * units;
        }
        if months < 2 || sum <= 0.0 {
            return prior;
        }
        let count = months as f64;
        let mean = sum / count;
        let variance = (squares / count - mean * mean).max(0.0) * count / (count - 1.0);
        let own = (variance / (mean * mean)).min(tuning.factor_bound);
        ((count - 1.0) * own + weight * prior) / (count - 1.0 + weight)
    }

    /// Squared variation of the level.
    #[must_use]
    pub fn level_variation(&self, tuning: &Tuning) -> f64 {
        let short = (365.0 / self.days.len().max(1) as f64 - 1.0).clamp(0.0, 8.0);
        let own = tuning.drift + tuning.months_weight * self.months_variation(tuning);
        own * (1.0 + tuning.young * short) + tuning.few_sales / (self.demand_days.max(1) as f64)
    }

    /// Demand over each path's own number of days, in `out`. `season[k]` is the sum of the factors of the first `k`
    /// days ahead; `days_ahead` gives each path's interval and `draws` its draw of the level ([`level_draws`]).
    pub fn sample(
        &self,
        tuning: &Tuning,
        season: &[f64],
        days_ahead: &[u16],
        draws: &[f64],
        dice: &mut Dice,
        out: &mut Vec<f64>,
    ) {
        out.clear();
        let n = self.days.len();
        if n == 0 || self.demand_days == 0 {
            out.resize(days_ahead.len(), 0.0);
            return;
        }
        let block = BLOCK.min(n);
        let starts = n - block + 1;
        let trend = self.trend(tuning);
        let ninth = self.level_variation(tuning) / 9.0;
        let spread = ninth.sqrt();
        let last = season.len().saturating_sub(1);
        for (ahead, draw) in days_ahead.iter().zip(draws) {
            let ahead = usize::from(*ahead).min(last);
            let mut sum = 0.0;
            let mut day = 0;
            while day < ahead {
                let take = block.min(ahead - day);
                let start = dice.below(starts);
                let units = self.sums[start + take] - self.sums[start];
                sum += units * (season[day + take] - season[day]) / take as f64;
                day += take;
            }
            // A gamma value of mean 1 (Wilson and Hilferty's cube).
            let level = (1.0 - ninth + draw * spread).max(0.0).powi(3);
            out.push(sum * trend * level);
        }
    }
}

/// One draw in each of `paths` equal slices of the normal distribution, the upper tail stretched, in an order that
/// does not follow the sorted lead times.
#[must_use]
pub fn level_draws(tuning: &Tuning, paths: usize) -> Vec<f64> {
    (0..paths)
        .map(|path| {
            let slice = (path.wrapping_mul(389) + 101) % paths;
            let z = normal_quantile((slice as f64 + 0.5) / paths as f64);
            z + tuning.tail * (z - 1.0).max(0.0).powi(2)
        })
        .collect()
}

/// The thousandths to read from the sample for a wanted service: sampled weeks are a little too even in the far
/// tail and a little too wide before it. Fitted once on held-out windows (`docs/planning.md`).
#[must_use]
pub fn calibrated_permille(wanted: u16) -> u16 {
    const KNOTS: [(u32, u32); 6] = [
        (0, 0),
        (800, 780),
        (900, 878),
        (950, 950),
        (980, 986),
        (1000, 1000),
    ];
    let wanted = u32::from(wanted.min(1000));
    let mut found = 1000;
    for pair in KNOTS.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if (x0..=x1).contains(&wanted) {
            found = y0 + (y1 - y0) * (wanted - x0) / (x1 - x0);
            break;
        }
    }
    u16::try_from(found).unwrap_or(1000)
}

/// The value below which `permille` thousandths of the sample lie; sorts the sample.
#[must_use]
pub fn quantile(sample: &mut [f64], permille: u16) -> f64 {
    if sample.is_empty() {
        return 0.0;
    }
    let rank = (sample.len() * usize::from(permille))
        .div_ceil(1000)
        .clamp(1, sample.len())
        - 1;
    *sample.select_nth_unstable_by(rank, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(days: usize) -> Vec<f64> {
        (0..=days).map(|day| day as f64).collect()
    }

    fn history(units: &[f64]) -> History {
        let mut history = History::default();
        history.load(units.iter().map(|units| (*units, 1.0)));
        history
    }

    fn level(units: &[f64], permille: u16) -> f64 {
        let mut out = Vec::new();
        let draws = level_draws(&TUNING, 1000);
        history(units).sample(
            &TUNING,
            &flat(60),
            &[42; 1000],
            &draws,
            &mut Dice::new(1),
            &mut out,
        );
        quantile(&mut out, permille)
    }

    #[test]
    fn normal_quantiles_are_the_known_ones() {
        for (p, z) in [
            (0.5, 0.0),
            (0.9, 1.281_551_566),
            (0.975, 1.959_963_985),
            (0.001, -3.090_232_306),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-7, "{p}");
        }
    }

    #[test]
    fn the_mean_of_the_sample_is_the_mean_of_the_history() {
        let units: Vec<f64> = (0..364)
            .map(|day| if day % 7 == 0 { 14.0 } else { 1.0 })
            .collect();
        let mut out = Vec::new();
        let draws = level_draws(&TUNING, 4000);
        history(&units).sample(
            &TUNING,
            &flat(60),
            &[42; 4000],
            &draws,
            &mut Dice::new(1),
            &mut out,
        );
        let mean = out.iter().sum::<f64>() / out.len() as f64;
        assert!((mean / (42.0 * 20.0 / 7.0) - 1.0).abs() < 0.06, "{mean}");
    }

    #[test]
    fn steady_demand_needs_little_above_the_mean_and_lumpy_demand_much() {
        let steady = level(&[10.0; 365], 950);
        let lumpy: Vec<f64> = (0..365)
            .map(|day| if day % 40 == 0 { 400.0 } else { 0.0 })
            .collect();
        assert!(steady > 420.0 && steady < 560.0, "{steady}");
        assert!(level(&lumpy, 950) > 1.5 * steady);
    }

    #[test]
    fn a_higher_service_never_asks_for_less_and_the_calibration_is_monotone() {
        let units: Vec<f64> = (0..365).map(|day| f64::from(day % 11)).collect();
        let levels: Vec<f64> = [500, 800, 900, 950, 980, 999]
            .iter()
            .map(|p| level(&units, *p))
            .collect();
        assert!(levels.is_sorted());
        assert!((0..=1000).map(calibrated_permille).is_sorted());
        assert_eq!(calibrated_permille(1000), 1000);
    }

    #[test]
    fn one_large_order_among_the_recent_days_is_not_a_new_level() {
        let mut units = vec![12.0; 365];
        units[350] = 600.0;
        let trend = history(&units).trend(&TUNING);
        assert!(trend > 1.0 && trend < 1.2, "{trend}");
        // Selling three times as much every day is one.
        units[309..].fill(36.0);
        assert!(history(&units).trend(&TUNING) > 1.7);
    }

    #[test]
    fn factors_are_bounded_however_the_demand_jumps() {
        let mut units = vec![0.01; 309];
        units.extend([1000.0; 56]);
        assert!(history(&units).trend(&TUNING) <= TUNING.factor_bound);
        assert_eq!(history(&[0.0; 365]).trend(&TUNING), 1.0);
        assert_eq!(level(&[0.0; 365], 980), 0.0);
        assert_eq!(level(&[], 980), 0.0);
    }
}
