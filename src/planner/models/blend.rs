//! A level that is right on sums over a season: the quick level, the last month, the last year and the same weeks of the
//! year before, with orders out of all proportion cut, moved by what all items together did at that time of the year.

use super::clean::{Cleaned, Cut};
use super::series::{self, ModelError};
use super::smoothing::level;

/// What was chosen on one half of the items and looked at on the other (`docs/planning-models.md`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlendTuning {
    /// Shares of the four levels; they sum to one.
    pub quick: f64,
    pub month: f64,
    pub year: f64,
    pub last_year: f64,
    /// Weight of the quick level's smoothing.
    pub alpha: f64,
    /// Periods of the month.
    pub month_periods: usize,
    /// A period above so many times the median selling period is cut to that (not for the quick level).
    pub cap: f64,
    /// How much of the common season is believed.
    pub belief: f64,
}

pub const BLEND_TUNING: BlendTuning = BlendTuning {
    quick: 0.35,
    month: 0.10,
    year: 0.35,
    last_year: 0.20,
    alpha: 0.2,
    month_periods: 4,
    cap: 4.0,
    belief: 0.3,
};

/// Fewer items and there is no common season.
const LEAST_ITEMS: usize = 20;
const BOUND: f64 = 3.0;

/// Selling periods above `times` the median selling period are cut to that; the units cut are kept.
pub fn cap_at_median(y: &[f64], times: f64) -> Result<Cleaned, ModelError> {
    series::demand(y)?;
    if !(times.is_finite() && times >= 1.0) {
        return Err(ModelError::Parameter {
            parameter: "times the median",
            wanted: "at least 1",
            got: times,
        });
    }
    let mut sizes: Vec<f64> = y.iter().copied().filter(|value| *value > 0.0).collect();
    let cap = times * super::clean::median(&mut sizes);
    let mut cleaned = Cleaned {
        values: y.to_vec(),
        cuts: Vec::new(),
    };
    for (index, value) in cleaned.values.iter_mut().enumerate() {
        if *value > cap {
            cleaned.cuts.push(Cut {
                index,
                sold: *value,
                kept: cap,
            });
            *value = cap;
        }
    }
    Ok(cleaned)
}

/// What all items together sold in the coming `h` periods of last year, over their own mean of that year: each counts as
/// the root of its selling periods, none with more than ten times its mean in its window. One for fewer than 20 items with a whole year.
pub fn common_season<'a>(
    items: impl IntoIterator<Item = &'a [f64]>,
    year: usize,
    h: usize,
) -> Result<f64, ModelError> {
    series::periods("year", year)?;
    series::periods("horizon", h)?;
    let (mut sum, mut weights, mut taught) = (0.0, 0.0, 0);
    for y in items {
        series::demand(y)?;
        let Some(last) = y.len().checked_sub(year).map(|from| &y[from..]) else {
            continue;
        };
        let mean = series::mean(last);
        if mean <= 0.0 {
            continue;
        }
        let selling = last.iter().filter(|value| **value > 0.0).count();
        let weight = (selling as f64).sqrt();
        let window = h.min(year);
        let cap = (10.0 * mean).max(1.0);
        let met: f64 = last[..window].iter().map(|value| value.min(cap)).sum();
        sum += weight * met / window as f64 / mean;
        weights += weight;
        taught += 1;
    }
    if taught < LEAST_ITEMS {
        return Ok(1.0);
    }
    Ok((sum / weights).clamp(1.0 / BOUND, BOUND))
}

/// `h` periods ahead of an item with a whole year of history; `season` is from [`common_season`].
pub fn blend(
    y: &[f64],
    year: usize,
    season: f64,
    tuning: &BlendTuning,
    h: usize,
) -> Result<Vec<f64>, ModelError> {
    series::demand(y)?;
    series::periods("year", year)?;
    series::weight("alpha", tuning.alpha)?;
    series::periods("month", tuning.month_periods)?;
    series::at_least("blend", y, year.max(tuning.month_periods))?;
    if !(season.is_finite() && season > 0.0) {
        return Err(ModelError::Parameter {
            parameter: "season",
            wanted: "above 0",
            got: season,
        });
    }
    let capped = cap_at_median(y, tuning.cap)?.values;
    let last = &capped[capped.len() - year..];
    let month = &capped[capped.len() - tuning.month_periods..];
    let flat = tuning.quick * level(y, tuning.alpha)
        + tuning.month * series::mean(month)
        + tuning.year * series::mean(last);
    let moved = 1.0 + tuning.belief * (season - 1.0);
    Ok((0..h)
        .map(|step| moved * (flat + tuning.last_year * last[step % year]))
        .collect())
}
