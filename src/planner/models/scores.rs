//! How far a forecast was from what came.

use super::series::ModelError;

fn pairs(actual: &[f64], forecast: &[f64]) -> Result<(), ModelError> {
    if actual.is_empty() {
        return Err(ModelError::Empty);
    }
    if actual.len() != forecast.len() {
        return Err(ModelError::Length {
            what: "forecast",
            wants: actual.len(),
            has: forecast.len(),
        });
    }
    match actual
        .iter()
        .zip(forecast)
        .position(|(a, f)| !(a.is_finite() && f.is_finite()))
    {
        Some(index) => Err(ModelError::NotFinite { index }),
        None => Ok(()),
    }
}

/// Loss of a quantile forecast at `target`: units short cost `target`, units over `1 − target`.
pub fn pinball(actual: f64, quantile: f64, target: f64) -> f64 {
    let short = actual - quantile;
    if short >= 0.0 {
        target * short
    } else {
        (target - 1.0) * short
    }
}

/// Sum of absolute errors over the sum sold; nothing when nothing was sold.
pub fn wape(actual: &[f64], forecast: &[f64]) -> Result<Option<f64>, ModelError> {
    pairs(actual, forecast)?;
    let errors: f64 = actual.iter().zip(forecast).map(|(a, f)| (a - f).abs()).sum();
    let sold: f64 = actual.iter().sum();
    Ok((sold > 0.0).then(|| errors / sold))
}

/// (Sold less forecast) over sold: above zero the forecast was too low.
pub fn bias(actual: &[f64], forecast: &[f64]) -> Result<Option<f64>, ModelError> {
    pairs(actual, forecast)?;
    let errors: f64 = actual.iter().zip(forecast).map(|(a, f)| a - f).sum();
    let sold: f64 = actual.iter().sum();
    Ok((sold > 0.0).then(|| errors / sold))
}

/// The mean squared step of a history from its first sale on: the scale of [`rmsse`]. Nothing without two periods, or
/// when nothing ever changed.
pub fn squared_step(history: &[f64]) -> Option<f64> {
    let from = history.iter().position(|value| *value != 0.0)?;
    let alive = &history[from..];
    let steps = alive.len().checked_sub(1).filter(|steps| *steps > 0)?;
    let sum: f64 = alive.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    let mean = sum / steps as f64;
    (mean > 0.0).then_some(mean)
}

/// Root of the mean squared error over `scale` (Hyndman and Koehler 2006, as in the M5 competition).
pub fn rmsse(actual: &[f64], forecast: &[f64], scale: f64) -> Result<f64, ModelError> {
    pairs(actual, forecast)?;
    if !(scale.is_finite() && scale > 0.0) {
        return Err(ModelError::Parameter {
            parameter: "scale",
            wanted: "above 0",
            got: scale,
        });
    }
    let squares: f64 = actual.iter().zip(forecast).map(|(a, f)| (a - f).powi(2)).sum();
    Ok((squares / actual.len() as f64 / scale).sqrt())
}

/// One series of a weighted score.
#[derive(Debug, Clone, Copy)]
pub struct Weighted<'a> {
    pub actual: &'a [f64],
    pub forecast: &'a [f64],
    /// See [`squared_step`].
    pub scale: f64,
    /// Share of revenue; over all levels of the hierarchy they sum to one.
    pub weight: f64,
}

/// WRMSSE of Makridakis, Spiliotis and Assimakopoulos (2022): the weighted sum of [`rmsse`].
pub fn wrmsse<'a>(rows: impl IntoIterator<Item = Weighted<'a>>) -> Result<f64, ModelError> {
    let mut sum = 0.0;
    for row in rows {
        sum += row.weight * rmsse(row.actual, row.forecast, row.scale)?;
    }
    Ok(sum)
}
