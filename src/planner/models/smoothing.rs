//! Simple exponential smoothing (Brown 1956): `l ← α·y + (1 − α)·l`, begun at the first value; the forecast is flat.

use super::series::{self, ModelError};

/// The bounds within which the optimised form looks for its weight.
pub const SES_BOUNDS: (f64, f64) = (0.01, 0.99);
/// The bounds of the smoothings inside Croston's optimised form, ADIDA and IMAPA.
pub const INTERMITTENT_BOUNDS: (f64, f64) = (0.1, 0.3);

/// The level after the last value, with a fixed weight.
pub fn ses(y: &[f64], alpha: f64) -> Result<f64, ModelError> {
    series::demand(y)?;
    series::weight("alpha", alpha)?;
    Ok(level(y, alpha))
}

/// The level with the weight in [`SES_BOUNDS`] that makes the sum of squared one-step errors least, and that weight.
pub fn ses_optimised(y: &[f64]) -> Result<(f64, f64), ModelError> {
    series::demand(y)?;
    let alpha = best_weight(y, SES_BOUNDS);
    Ok((level(y, alpha), alpha))
}

/// As [`ses`], of a series known to be sound; an empty one has the level zero.
pub(super) fn level(y: &[f64], alpha: f64) -> f64 {
    let first = y.first().copied().unwrap_or_default();
    y.iter()
        .fold(first, |level, value| alpha * value + (1.0 - alpha) * level)
}

pub(super) fn optimised_level(y: &[f64], bounds: (f64, f64)) -> f64 {
    level(y, best_weight(y, bounds))
}

fn squared_errors(y: &[f64], alpha: f64) -> f64 {
    let mut level = y.first().copied().unwrap_or_default();
    let mut sum = 0.0;
    for pair in y.windows(2) {
        level = alpha * pair[0] + (1.0 - alpha) * level;
        let error = pair[1] - level;
        sum += error * error;
    }
    sum
}

/// Golden section search (Kiefer 1953) to a bracket of 1e-12; it stops at once where both inner points are equally
/// good, so a flat criterion gives the middle of the bounds.
fn best_weight(y: &[f64], bounds: (f64, f64)) -> f64 {
    let golden = (5.0_f64.sqrt() + 1.0) / 2.0;
    let (mut low, mut high) = bounds;
    let mut left = high - (high - low) / golden;
    let mut right = low + (high - low) / golden;
    let (mut at_left, mut at_right) = (squared_errors(y, left), squared_errors(y, right));
    // Each step shortens the bracket by 0.618: 60 reach 1e-12 from 1, the bound only guards against rounding.
    for _ in 0..100 {
        if high - low < 1e-12 || at_left == at_right {
            break;
        }
        if at_left < at_right {
            high = right;
            (right, at_right) = (left, at_left);
            left = high - (high - low) / golden;
            at_left = squared_errors(y, left);
        } else {
            low = left;
            (left, at_left) = (right, at_right);
            right = low + (high - low) / golden;
            at_right = squared_errors(y, right);
        }
    }
    f64::midpoint(low, high)
}
