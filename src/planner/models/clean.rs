//! Outliers cut, and every unit cut kept: cleaned and removed units add up to what was sold.

use super::series::{self, ModelError};

/// One period that was cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    pub index: usize,
    pub sold: f64,
    pub kept: f64,
}

impl Cut {
    /// Negative where a hole was filled up.
    pub fn removed(&self) -> f64 {
        self.sold - self.kept
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cleaned {
    pub values: Vec<f64>,
    pub cuts: Vec<Cut>,
}

impl Cleaned {
    pub fn removed(&self) -> f64 {
        self.cuts.iter().map(Cut::removed).sum()
    }
}

pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A median absolute deviation is this share of a normal standard deviation.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// Hampel's filter (1974): a value further than `limit` robust standard deviations from the median of the `reach` periods
/// on each side becomes that median. A neighbourhood without spread judges nothing: where most periods are zero every
/// sale would be an outlier.
pub fn hampel(y: &[f64], reach: usize, limit: f64) -> Result<Cleaned, ModelError> {
    series::demand(y)?;
    series::periods("reach", reach)?;
    if !(limit.is_finite() && limit > 0.0) {
        return Err(ModelError::Parameter {
            parameter: "limit",
            wanted: "above 0",
            got: limit,
        });
    }
    let kept = |index: usize| {
        let from = index.saturating_sub(reach);
        let to = index.saturating_add(reach).saturating_add(1).min(y.len());
        let mut window = y[from..to].to_vec();
        let centre = median(&mut window);
        let mut deviations: Vec<f64> = window.iter().map(|value| (value - centre).abs()).collect();
        let spread = MAD_TO_SIGMA * median(&mut deviations);
        (spread > 0.0 && (y[index] - centre).abs() > limit * spread).then_some(centre)
    };
    Ok(replace(y, kept))
}

/// Selling periods above the `upper` quantile of selling periods (linear between ranks) are cut to it.
pub fn winsorise(y: &[f64], upper: f64) -> Result<Cleaned, ModelError> {
    series::demand(y)?;
    if !(0.5..=1.0).contains(&upper) {
        return Err(ModelError::Parameter {
            parameter: "upper",
            wanted: "between 0.5 and 1",
            got: upper,
        });
    }
    let mut sizes: Vec<f64> = y.iter().copied().filter(|value| *value > 0.0).collect();
    sizes.sort_by(f64::total_cmp);
    let cap = quantile_of_sorted(&sizes, upper);
    Ok(replace(y, |index| cap.filter(|cap| y[index] > *cap)))
}

fn replace(y: &[f64], kept: impl Fn(usize) -> Option<f64>) -> Cleaned {
    let mut cleaned = Cleaned {
        values: y.to_vec(),
        cuts: Vec::new(),
    };
    for (index, value) in cleaned.values.iter_mut().enumerate() {
        if let Some(kept) = kept(index) {
            cleaned.cuts.push(Cut {
                index,
                sold: *value,
                kept,
            });
            *value = kept;
        }
    }
    cleaned
}

/// Between the ranks in a straight line; nothing of an empty sample.
pub(super) fn quantile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let low = place.floor();
    let below = *sorted.get(low as usize)?;
    let above = *sorted.get((low as usize + 1).min(last))?;
    Some(below + (place - low) * (above - below))
}
