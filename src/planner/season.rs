//! The yearly pattern all items of a warehouse share: one factor a week of the year, learned together, because one
//! item's one year cannot tell a season from luck.

/// Weeks of a year; day 365 falls into the last one.
pub const WEEKS: usize = 53;

/// What was fitted on held-out windows (`docs/planning.md`).
#[derive(Debug, Clone, Copy)]
pub struct SeasonTuning {
    /// How much of the measured pattern is believed.
    pub belief: f64,
    /// Bound of a factor, and of its inverse.
    pub bound: f64,
    /// An item's history must span so many days to teach.
    pub least_days: usize,
    /// Fewer teaching items and there is no pattern.
    pub least_items: usize,
}

pub const SEASON_TUNING: SeasonTuning = SeasonTuning {
    belief: 0.6,
    bound: 3.0,
    least_days: 360,
    least_items: 20,
};

/// A factor a week, mean about 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Season {
    factors: [f64; WEEKS],
    pub items: usize,
}

impl Season {
    #[must_use]
    pub fn flat() -> Self {
        Self {
            factors: [1.0; WEEKS],
            items: 0,
        }
    }

    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.items == 0
    }

    /// The factor of a day of the year (0 is 1 January).
    #[must_use]
    pub fn factor(&self, day_of_year: usize) -> f64 {
        self.factors[(day_of_year / 7).min(WEEKS - 1)]
    }
}

/// Learns from items one after the other, in an order the caller keeps fixed.
#[derive(Debug, Clone)]
pub struct SeasonLearner {
    sum: [f64; WEEKS],
    count: [f64; WEEKS],
    items: usize,
}

impl Default for SeasonLearner {
    fn default() -> Self {
        Self {
            sum: [0.0; WEEKS],
            count: [0.0; WEEKS],
            items: 0,
        }
    }
}

impl SeasonLearner {
    /// One item's in-stock days: day of the year and units. Each item counts by the square root of its sales, so that
    /// neither one best-seller nor a thousand sleepers make the pattern.
    pub fn teach(&mut self, tuning: &SeasonTuning, days: impl Iterator<Item = (usize, f64)> + Clone) {
        let (mut n, mut total, mut demand_days) = (0_usize, 0.0, 0_usize);
        for (_, units) in days.clone() {
            n += 1;
            total += units;
            demand_days += usize::from(units > 0.0);
        }
        if n < tuning.least_days || demand_days < 20 {
            return;
        }
        self.items += 1;
        let mean = total / n as f64;
        let weight = (demand_days as f64).sqrt();
        // A day of many times the mean is an order, not a season.
        let cap = 10.0;
        for (day, units) in days {
            let week = (day / 7).min(WEEKS - 1);
            self.sum[week] += weight * (units / mean).min(cap);
            self.count[week] += weight;
        }
    }

    #[must_use]
    pub fn finish(&self, tuning: &SeasonTuning) -> Season {
        if self.items < tuning.least_items || self.count.iter().any(|count| *count <= 0.0) {
            return Season::flat();
        }
        let mut raw = [0.0; WEEKS];
        for week in 0..WEEKS {
            // A week and its neighbours, the year being round.
            let (mut sum, mut count) = (0.0, 0.0);
            for (offset, weight) in [(WEEKS - 1, 0.5), (0, 1.0), (1, 0.5)] {
                let near = (week + offset) % WEEKS;
                sum += weight * self.sum[near];
                count += weight * self.count[near];
            }
            raw[week] = sum / count;
        }
        let mean = raw.iter().sum::<f64>() / WEEKS as f64;
        if mean <= 0.0 {
            return Season::flat();
        }
        let mut factors = [1.0; WEEKS];
        for (factor, raw) in factors.iter_mut().zip(raw) {
            *factor = (1.0 + tuning.belief * (raw / mean - 1.0)).clamp(1.0 / tuning.bound, tuning.bound);
        }
        Season {
            factors,
            items: self.items,
        }
    }
}
