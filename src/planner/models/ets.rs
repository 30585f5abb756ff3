//! Exponential smoothing with trend and season in the state space form of Hyndman, Koehler, Ord and Snyder (2008),
//! fitted by likelihood from heuristic starting states (Hyndman and Khandakar 2008): Holt (1957), its damped form
//! (Gardner and McKenzie 1985) and Holt-Winters (Winters 1960).

use super::seasonal::{Composition, decompose};
use super::series::{self, ModelError};
use super::simplex;

const LOWEST: f64 = 1e-4;
const HIGHEST: f64 = 0.9999;
const PHI: (f64, f64) = (0.8, 0.98);

/// Whether the trend fades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damping {
    None,
    Damped,
    /// The one with the lower corrected Akaike criterion; the damped one when they are equal.
    Chosen,
}

/// A fitted model and its forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    pub forecast: Vec<f64>,
    pub damped: bool,
    /// Corrected Akaike criterion; lower is better among models of the same series.
    pub aicc: f64,
}

#[derive(Clone, Copy)]
struct Shape {
    damped: bool,
    /// The season's length and how it and the errors enter: both additive or both multiplicative.
    season: Option<(usize, Composition)>,
}

impl Shape {
    fn multiplicative(self) -> bool {
        matches!(self.season, Some((_, Composition::Multiplicative)))
    }

    /// α, β, level, slope; φ; γ and all but one of the season's places.
    fn parameters(self) -> usize {
        4 + usize::from(self.damped) + self.season.map_or(0, |(length, _)| length)
    }
}

#[derive(Clone)]
struct State {
    level: f64,
    slope: f64,
    /// By place in the season; empty without one.
    places: Vec<f64>,
}

#[derive(Clone, Copy)]
struct Weights {
    alpha: f64,
    beta: f64,
    gamma: f64,
    phi: f64,
}

/// Holt's linear trend, additive errors.
pub fn holt(y: &[f64], damping: Damping, h: usize) -> Result<Smoothed, ModelError> {
    series::demand(y)?;
    fit_best(y, None, damping, h)
}

/// Holt-Winters: level, trend and season. Multiplicative means season and errors both (a series with a zero refuses it).
pub fn holt_winters(
    y: &[f64],
    season: usize,
    composition: Composition,
    damping: Damping,
    h: usize,
) -> Result<Smoothed, ModelError> {
    series::demand(y)?;
    if season < 2 {
        return Err(ModelError::Parameter {
            parameter: "season",
            wanted: "at least 2",
            got: season as f64,
        });
    }
    series::at_least("holt-winters", y, 3 * season)?;
    if composition == Composition::Multiplicative
        && let Some((index, &value)) = y.iter().enumerate().find(|(_, value)| **value <= 0.0)
    {
        return Err(ModelError::NotPositive { index, value });
    }
    fit_best(y, Some((season, composition)), damping, h)
}

fn fit_best(
    y: &[f64],
    season: Option<(usize, Composition)>,
    damping: Damping,
    h: usize,
) -> Result<Smoothed, ModelError> {
    if series::constant(y) {
        return Ok(Smoothed {
            forecast: vec![y[0]; h],
            damped: false,
            aicc: f64::NEG_INFINITY,
        });
    }
    let candidates: &[bool] = match damping {
        Damping::None => &[false],
        Damping::Damped => &[true],
        Damping::Chosen => &[true, false],
    };
    // Each parameter needs an observation, and two more for the criterion's correction.
    let needs = |damped| Shape { damped, season }.parameters() + 3;
    series::at_least("holt", y, needs(candidates.contains(&true)).max(9))?;
    let mut best: Option<Smoothed> = None;
    for &damped in candidates {
        let fitted = fit(y, Shape { damped, season }, h);
        if best.as_ref().is_none_or(|other| fitted.aicc < other.aicc) {
            best = Some(fitted);
        }
    }
    best.ok_or(ModelError::NoModel)
}

fn fit(y: &[f64], shape: Shape, h: usize) -> Smoothed {
    let period = shape.season.map_or(1, |(length, _)| length);
    let alpha = LOWEST + 0.2 * (HIGHEST - LOWEST) / period as f64;
    // The trend's weight stays below the level's starting one, the season's below what that leaves.
    let beta_top = HIGHEST.min(alpha);
    let gamma_top = HIGHEST.min(1.0 - alpha);

    let state = starting_state(y, shape);
    let mut start = vec![alpha, LOWEST + 0.1 * (beta_top - LOWEST)];
    let mut lower = vec![LOWEST; 2];
    let mut upper = vec![HIGHEST, beta_top];
    if shape.season.is_some() {
        start.push(LOWEST + 0.05 * (gamma_top - LOWEST));
        lower.push(LOWEST);
        upper.push(gamma_top);
    }
    if shape.damped {
        start.push(PHI.0 + 0.99 * (PHI.1 - PHI.0));
        lower.push(PHI.0);
        upper.push(PHI.1);
    }
    start.extend([state.level, state.slope]);
    // The first place is what the others leave; the latest comes first.
    start.extend(state.places.iter().skip(1).rev());
    lower.resize(start.len(), f64::NEG_INFINITY);
    upper.resize(start.len(), f64::INFINITY);

    let found = simplex::minimise(&start, &lower, &upper, |x| {
        let (weights, mut state) = read(x, shape);
        if shape.multiplicative() && state.places.iter().any(|place| *place < 0.0) {
            return f64::INFINITY;
        }
        criterion(y, shape, weights, &mut state)
    });
    let (weights, mut state) = read(&found, shape);
    let likelihood = criterion(y, shape, weights, &mut state);
    let free = (found.len() + 1) as f64;
    let left = y.len() as f64 - free - 1.0;
    Smoothed {
        forecast: project(&state, shape, weights, y.len(), h),
        damped: shape.damped,
        aicc: likelihood + 2.0 * free + 2.0 * free * (free + 1.0) / left,
    }
}

fn read(x: &[f64], shape: Shape) -> (Weights, State) {
    let mut next = x.iter().copied();
    let mut take = || next.next().unwrap_or_default();
    let weights = Weights {
        alpha: take(),
        beta: take(),
        gamma: if shape.season.is_some() { take() } else { 0.0 },
        phi: if shape.damped { take() } else { 1.0 },
    };
    let (level, slope) = (take(), take());
    let mut places = Vec::new();
    if let Some((length, composition)) = shape.season {
        places.push(0.0);
        places.extend(next.rev());
        let rest: f64 = places.iter().sum();
        let total = match composition {
            Composition::Additive => 0.0,
            Composition::Multiplicative => length as f64,
        };
        places[0] = total - rest;
    }
    let state = State { level, slope, places };
    (weights, state)
}

/// Twice the negative log-likelihood without its constant; `state` is moved on to the end of the series.
fn criterion(y: &[f64], shape: Shape, weights: Weights, state: &mut State) -> f64 {
    let Weights {
        alpha,
        beta,
        gamma,
        phi,
    } = weights;
    let nearly = |value: f64| value.abs() < 1e-10;
    let mut squares = 0.0;
    let mut logs = 0.0;
    for (t, &value) in y.iter().enumerate() {
        let carried = phi * state.slope;
        let base = state.level + carried;
        let (expected, adjusted) = match shape.season {
            None => (base, value),
            Some((length, composition)) => {
                let place = state.places[t % length];
                match composition {
                    Composition::Additive => (base + place, value - place),
                    Composition::Multiplicative => {
                        (base * place, if nearly(place) { 1e10 } else { value / place })
                    }
                }
            }
        };
        let mut error = value - expected;
        if shape.multiplicative() {
            error /= if nearly(expected) {
                expected + 1e-10
            } else {
                expected
            };
            let size = expected.abs();
            logs += if size > 0.0 { size } else { 1e-8 }.ln();
        }
        squares += error * error;

        let level = base + alpha * (adjusted - base);
        state.slope = carried + beta / alpha * (level - state.level - carried);
        state.level = level;
        if let Some((length, composition)) = shape.season {
            let seen = match composition {
                Composition::Additive => value - base,
                Composition::Multiplicative if nearly(base) => 1e10,
                Composition::Multiplicative => value / base,
            };
            let place = &mut state.places[t % length];
            *place += gamma * (seen - *place);
        }
    }
    let n = y.len() as f64;
    let likelihood = n * if squares > 0.0 { squares } else { 1e-8 }.ln() + 2.0 * logs;
    if likelihood.is_finite() {
        likelihood
    } else {
        f64::INFINITY
    }
}

fn project(state: &State, shape: Shape, weights: Weights, n: usize, h: usize) -> Vec<f64> {
    let mut carried = 0.0;
    let mut factor = 1.0;
    (0..h)
        .map(|step| {
            factor *= weights.phi;
            carried += factor;
            let base = state.level + carried * state.slope;
            match shape.season {
                None => base,
                Some((length, Composition::Additive)) => base + state.places[(n + step) % length],
                Some((length, Composition::Multiplicative)) => base * state.places[(n + step) % length],
            }
        })
        .collect()
}

/// The season by classical decomposition; level and slope by least squares over the first ten periods (or two seasons)
/// of what is left.
fn starting_state(y: &[f64], shape: Shape) -> State {
    let mut places = Vec::new();
    let adjusted: Vec<f64> = match shape.season {
        None => y.to_vec(),
        Some((length, composition)) => {
            places = decompose(y, length, composition);
            if composition == Composition::Multiplicative {
                for place in &mut places {
                    *place = place.max(0.01);
                }
            }
            y.iter()
                .enumerate()
                .map(|(t, value)| match composition {
                    Composition::Additive => value - places[t % length],
                    Composition::Multiplicative => value / places[t % length],
                })
                .collect()
        }
    };
    let window = adjusted
        .len()
        .min((2 * shape.season.map_or(1, |(length, _)| length)).max(10));
    let n = window as f64;
    let mean_time = (n + 1.0) / 2.0;
    let mean_value = series::mean(&adjusted[..window]);
    let (mut across, mut along) = (0.0, 0.0);
    for (value, t) in adjusted[..window].iter().zip(1..) {
        let time = f64::from(t) - mean_time;
        across += time * (value - mean_value);
        along += time * time;
    }
    let mut slope = across / along;
    let mut level = mean_value - slope * mean_time;
    if (level + slope).abs() < 1e-8 {
        level *= 1.001;
        slope *= 0.999;
    }
    State { level, slope, places }
}
