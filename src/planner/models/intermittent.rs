//! Models for demand with empty periods: all forecast a flat rate in units a period.

use super::series::{self, ModelError};
use super::smoothing::{INTERMITTENT_BOUNDS, level, optimised_level};

/// The weight of Croston's two smoothings.
const CROSTON_WEIGHT: f64 = 0.1;

struct Parts {
    /// Sizes of the periods that sold.
    sizes: Vec<f64>,
    /// Periods from one sale to the next; the first counts from the start of the series.
    gaps: Vec<f64>,
}

fn parts(y: &[f64]) -> Parts {
    let mut parts = Parts {
        sizes: Vec::new(),
        gaps: Vec::new(),
    };
    let mut gap = 0.0;
    for &value in y {
        gap += 1.0;
        if value > 0.0 {
            parts.sizes.push(value);
            parts.gaps.push(gap);
            gap = 0.0;
        }
    }
    parts
}

/// Croston (1972): smoothed size over smoothed gap, both updated on a sale only, weight 0.1.
/// A series that never sold forecasts zero.
pub fn croston(y: &[f64]) -> Result<f64, ModelError> {
    series::demand(y)?;
    let Parts { sizes, gaps } = parts(y);
    if sizes.is_empty() {
        return Ok(0.0);
    }
    Ok(level(&sizes, CROSTON_WEIGHT) / level(&gaps, CROSTON_WEIGHT))
}

/// As [`croston`], each weight chosen in 0.1 to 0.3 by least squared one-step errors.
pub fn croston_optimised(y: &[f64]) -> Result<f64, ModelError> {
    series::demand(y)?;
    let Parts { sizes, gaps } = parts(y);
    if sizes.is_empty() {
        return Ok(0.0);
    }
    Ok(optimised_level(&sizes, INTERMITTENT_BOUNDS) / optimised_level(&gaps, INTERMITTENT_BOUNDS))
}

/// Syntetos and Boylan (2005): Croston's rate less its bias, times `1 − α/2` with α = 0.1.
pub fn sba(y: &[f64]) -> Result<f64, ModelError> {
    Ok(croston(y)? * (1.0 - CROSTON_WEIGHT / 2.0))
}

/// Teunter, Syntetos and Babai (2011): smoothed size times the smoothed probability of a sale, the latter updated every
/// period, so that an item that died fades.
pub fn tsb(y: &[f64], alpha_size: f64, alpha_probability: f64) -> Result<f64, ModelError> {
    series::demand(y)?;
    series::weight("alpha of size", alpha_size)?;
    series::weight("alpha of probability", alpha_probability)?;
    let sold: Vec<f64> = y.iter().map(|&value| f64::from(u8::from(value > 0.0))).collect();
    Ok(level(&parts(y).sizes, alpha_size) * level(&sold, alpha_probability))
}

/// Sums of blocks of `size` periods, counted from the end: what is left over at the start is dropped.
fn blocks(y: &[f64], size: usize) -> Vec<f64> {
    y.get(y.len() % size..)
        .unwrap_or_default()
        .chunks_exact(size)
        .map(|block| block.iter().sum())
        .collect()
}

/// The mean gap in whole periods, halves to the even side; at least one.
fn mean_gap(y: &[f64]) -> Option<usize> {
    let gaps = parts(y).gaps;
    (!gaps.is_empty()).then(|| series::mean(&gaps).round_ties_even().max(1.0) as usize)
}

fn rate_of_blocks(y: &[f64], size: usize) -> f64 {
    optimised_level(&blocks(y, size), INTERMITTENT_BOUNDS) / size as f64
}

/// ADIDA (Nikolopoulos et al. 2011): blocks of the mean gap, smoothed, and divided again.
pub fn adida(y: &[f64]) -> Result<f64, ModelError> {
    series::demand(y)?;
    Ok(mean_gap(y).map_or(0.0, |size| rate_of_blocks(y, size)))
}

/// IMAPA (Petropoulos and Kourentzes 2015): the mean over all blocks from one period to the mean gap.
pub fn imapa(y: &[f64]) -> Result<f64, ModelError> {
    series::demand(y)?;
    Ok(mean_gap(y).map_or(0.0, |longest| {
        (1..=longest).map(|size| rate_of_blocks(y, size)).sum::<f64>() / longest as f64
    }))
}
