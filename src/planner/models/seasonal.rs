//! Simple models with a season, and the classical decomposition others begin with.

use super::series::{self, ModelError};

/// The last value, for every period ahead.
pub fn naive(y: &[f64]) -> Result<f64, ModelError> {
    series::demand(y)?;
    Ok(y.last().copied().unwrap_or_default())
}

/// The last season again.
pub fn seasonal_naive(y: &[f64], season: usize, h: usize) -> Result<Vec<f64>, ModelError> {
    seasonal_window_average(y, season, 1, h)
}

/// The mean of the last `window` periods.
pub fn window_average(y: &[f64], window: usize) -> Result<f64, ModelError> {
    series::demand(y)?;
    series::periods("window", window)?;
    series::at_least("window average", y, window)?;
    Ok(series::mean(&y[y.len() - window..]))
}

/// For each place in the season, the mean over the last `window` seasons.
pub fn seasonal_window_average(
    y: &[f64],
    season: usize,
    window: usize,
    h: usize,
) -> Result<Vec<f64>, ModelError> {
    series::demand(y)?;
    series::periods("season", season)?;
    series::periods("window", window)?;
    series::at_least("seasonal average", y, season.saturating_mul(window))?;
    let from = y.len() - season * window;
    Ok((0..h)
        .map(|step| {
            let place = step % season;
            let sum: f64 = (0..window).map(|k| y[from + k * season + place]).sum();
            sum / window as f64
        })
        .collect())
}

/// The last value and the mean step from the first to the last.
pub fn random_walk_with_drift(y: &[f64], h: usize) -> Result<Vec<f64>, ModelError> {
    series::demand(y)?;
    series::at_least("random walk with drift", y, 2)?;
    let (first, last) = (y[0], y[y.len() - 1]);
    let drift = (last - first) / (y.len() - 1) as f64;
    Ok((1..=h).map(|step| last + drift * step as f64).collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composition {
    Additive,
    Multiplicative,
}

/// The factor (or the units) of each place in the season by the classical decomposition: a centred moving average over
/// one season (half weights at both ends when it is even), the mean of what is left for each place, normalised to a mean
/// of one (or zero). The caller has made sure of two whole seasons.
pub(super) fn decompose(y: &[f64], season: usize, composition: Composition) -> Vec<f64> {
    let half = season / 2;
    let mut sums = vec![0.0; season];
    let mut counts = vec![0.0; season];
    for t in half..y.len().saturating_sub(half) {
        let window = &y[t - half..=t + half];
        let mut trend: f64 = window.iter().sum();
        if season.is_multiple_of(2) {
            trend -= 0.5 * (window[0] + window[window.len() - 1]);
        }
        trend /= season as f64;
        sums[t % season] += match composition {
            Composition::Additive => y[t] - trend,
            Composition::Multiplicative => y[t] / trend,
        };
        counts[t % season] += 1.0;
    }
    let places: Vec<f64> = sums.iter().zip(&counts).map(|(s, c)| s / c).collect();
    let centre = series::mean(&places);
    places
        .iter()
        .map(|place| match composition {
            Composition::Additive => place - centre,
            Composition::Multiplicative => place / centre,
        })
        .collect()
}

/// Whether the autocorrelation at one season is above what chance gives at 95 % (one-sided), as the Theta method asks.
pub(super) fn has_season(y: &[f64], season: usize) -> bool {
    if season < 4 || y.len() < 2 * season {
        return false;
    }
    let centre = series::mean(y);
    let variance: f64 = y.iter().map(|v| (v - centre).powi(2)).sum();
    if variance <= 0.0 {
        return false;
    }
    let at = |lag: usize| -> f64 {
        y.iter()
            .zip(&y[lag..])
            .map(|(a, b)| (a - centre) * (b - centre))
            .sum::<f64>()
            / variance
    };
    let noise: f64 = (1..season).map(|lag| at(lag).powi(2)).sum();
    let limit = ((1.0 + 2.0 * noise) / y.len() as f64).sqrt();
    at(season).abs() / limit > 1.644_853_626_951_472_2
}
