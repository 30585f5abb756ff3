//! The Theta method (Assimakopoulos and Nikolopoulos 2000) in the state space form of Fiorucci et al. (2016).

use super::seasonal::{Composition, decompose, has_season};
use super::series::{self, ModelError};
use super::simplex;

/// Which line the curvature is measured from, and whether θ is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThetaKind {
    /// θ = 2, one regression line over the whole series.
    Standard,
    /// θ estimated, one regression line.
    Optimised,
    /// θ = 2, the line learned again with every value.
    Dynamic,
    /// θ estimated, the line learned again with every value.
    DynamicOptimised,
}

impl ThetaKind {
    fn dynamic(self) -> bool {
        matches!(self, Self::Dynamic | Self::DynamicOptimised)
    }

    fn estimates_theta(self) -> bool {
        matches!(self, Self::Optimised | Self::DynamicOptimised)
    }
}

#[derive(Clone, Copy)]
struct Parameters {
    level: f64,
    alpha: f64,
    theta: f64,
}

#[derive(Clone, Copy)]
struct State {
    level: f64,
    mean: f64,
    intercept: f64,
    slope: f64,
    /// `(1 − α)` to the power of the values seen.
    decay: f64,
    seen: usize,
}

impl State {
    fn start(y: &[f64], kind: ThetaKind, at: Parameters) -> (Self, f64) {
        let first = y[0];
        let n = y.len() as f64;
        let (intercept, slope) = if kind.dynamic() {
            (first, 0.0)
        } else {
            let mean = series::mean(y);
            let weighted = y.iter().zip(1..).map(|(v, t)| v * f64::from(t)).sum::<f64>() / n;
            let slope = 6.0 * (2.0 * weighted - (n + 1.0) * mean) / (n * n - 1.0);
            (mean - (n + 1.0) * slope / 2.0, slope)
        };
        let expected = if kind.dynamic() {
            first
        } else {
            at.level + (1.0 - 1.0 / at.theta) * (intercept + slope)
        };
        let state = Self {
            level: at.alpha * first + (1.0 - at.alpha) * at.level,
            mean: first,
            intercept,
            slope,
            decay: 1.0 - at.alpha,
            seen: 1,
        };
        (state, expected)
    }

    fn expected(&self, at: Parameters) -> f64 {
        let curve =
            self.intercept * self.decay + self.slope * (1.0 - self.decay * (1.0 - at.alpha)) / at.alpha;
        self.level + (1.0 - 1.0 / at.theta) * curve
    }

    fn see(&mut self, value: f64, kind: ThetaKind, at: Parameters) {
        let i = self.seen as f64;
        let mean = (i * self.mean + value) / (i + 1.0);
        if kind.dynamic() {
            self.slope = ((i - 1.0) * self.slope + 6.0 * (value - self.mean) / (i + 1.0)) / (i + 2.0);
            self.intercept = mean - self.slope * (i + 2.0) / 2.0;
        }
        self.mean = mean;
        self.level = at.alpha * value + (1.0 - at.alpha) * self.level;
        self.decay *= 1.0 - at.alpha;
        self.seen += 1;
    }
}

/// Squared errors from the fourth value on, over the mean absolute value.
fn cost(y: &[f64], kind: ThetaKind, at: Parameters) -> f64 {
    let (mut state, _) = State::start(y, kind, at);
    let mut sum = 0.0;
    for (index, &value) in y.iter().enumerate().skip(1) {
        if index >= 3 {
            sum += (value - state.expected(at)).powi(2);
        }
        state.see(value, kind, at);
    }
    let size = y.iter().map(|v| v.abs()).sum::<f64>() / y.len() as f64;
    let cost = sum / size.max(1e-10);
    if cost.is_finite() { cost } else { f64::INFINITY }
}

fn fit(y: &[f64], kind: ThetaKind) -> Parameters {
    let mut start = vec![y[0] / 2.0, 0.5];
    let mut lower = vec![-1e10, 0.1];
    let mut upper = vec![1e10, 0.99];
    if kind.estimates_theta() {
        start.push(2.0);
        lower.push(1.0);
        upper.push(1e10);
    }
    let read = |x: &[f64]| Parameters {
        level: x[0],
        alpha: x[1],
        theta: x.get(2).copied().unwrap_or(2.0),
    };
    read(&simplex::minimise(&start, &lower, &upper, |x| {
        cost(y, kind, read(x))
    }))
}

/// Forecast of `h` periods. The season (1: none) is taken out first when the series shows it, by factors where all
/// values and factors allow it and by differences else. Needs four periods; a constant series goes on as it is.
pub fn theta(
    y: &[f64],
    season: usize,
    composition: Composition,
    kind: ThetaKind,
    h: usize,
) -> Result<Vec<f64>, ModelError> {
    series::demand(y)?;
    series::periods("season", season)?;
    if series::constant(y) {
        return Ok(vec![y[0]; h]);
    }
    series::at_least("theta", y, 4)?;
    let Some((places, composition)) = seasonal_places(y, season, composition) else {
        return Ok(project(y, kind, h));
    };
    let adjusted: Vec<f64> = y
        .iter()
        .enumerate()
        .map(|(t, value)| match composition {
            Composition::Additive => value - places[t % season],
            Composition::Multiplicative => value / places[t % season],
        })
        .collect();
    Ok(project(&adjusted, kind, h)
        .into_iter()
        .enumerate()
        .map(|(step, value)| {
            let place = places[(y.len() + step) % season];
            match composition {
                Composition::Additive => value + place,
                Composition::Multiplicative => value * place,
            }
        })
        .collect())
}

fn seasonal_places(y: &[f64], season: usize, wanted: Composition) -> Option<(Vec<f64>, Composition)> {
    if !has_season(y, season) {
        return None;
    }
    if wanted == Composition::Multiplicative && y.iter().all(|value| *value > 0.0) {
        let factors = decompose(y, season, Composition::Multiplicative);
        if factors.iter().all(|factor| *factor >= 0.01) {
            return Some((factors, Composition::Multiplicative));
        }
    }
    Some((decompose(y, season, Composition::Additive), Composition::Additive))
}

fn project(y: &[f64], kind: ThetaKind, h: usize) -> Vec<f64> {
    let at = fit(y, kind);
    let (mut state, _) = State::start(y, kind, at);
    for &value in &y[1..] {
        state.see(value, kind, at);
    }
    (0..h)
        .map(|_| {
            let expected = state.expected(at);
            state.see(expected, kind, at);
            expected
        })
        .collect()
}
