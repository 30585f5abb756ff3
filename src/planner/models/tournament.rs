//! A tournament of models, judged by what a planner needs: the pinball loss of the sum over the protection interval
//! (review and lead time) at the service target, on origins rolled through the item's own past.

use super::clean::quantile_of_sorted;
use super::ets::{Damping, holt, holt_winters};
use super::intermittent::{adida, croston, croston_optimised, imapa, sba, tsb};
use super::scores::pinball;
use super::seasonal::{Composition, naive, seasonal_naive, window_average};
use super::series::{self, ModelError};
use super::smoothing::{ses, ses_optimised};
use super::theta::{ThetaKind, theta};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Model {
    Naive,
    WindowAverage(usize),
    SeasonalNaive(usize),
    Ses(f64),
    SesOptimised,
    Holt(Damping),
    HoltWinters(usize, Composition),
    Croston,
    CrostonOptimised,
    Sba,
    /// Weight of the size, weight of the probability.
    Tsb(f64, f64),
    Adida,
    Imapa,
    /// With its season, 1 for none.
    Theta(usize),
}

impl Model {
    /// `h` periods ahead, never below zero.
    pub fn forecast(self, y: &[f64], h: usize) -> Result<Vec<f64>, ModelError> {
        series::horizon(h)?;
        let flat = |rate: Result<f64, ModelError>| rate.map(|rate| vec![rate; h]);
        let mut ahead = match self {
            Self::Naive => flat(naive(y)),
            Self::WindowAverage(window) => flat(window_average(y, window)),
            Self::SeasonalNaive(season) => seasonal_naive(y, season, h),
            Self::Ses(alpha) => flat(ses(y, alpha)),
            Self::SesOptimised => flat(ses_optimised(y).map(|(level, _)| level)),
            Self::Holt(damping) => holt(y, damping, h).map(|fitted| fitted.forecast),
            Self::HoltWinters(season, composition) => {
                holt_winters(y, season, composition, Damping::Chosen, h).map(|fitted| fitted.forecast)
            }
            Self::Croston => flat(croston(y)),
            Self::CrostonOptimised => flat(croston_optimised(y)),
            Self::Sba => flat(sba(y)),
            Self::Tsb(size, probability) => flat(tsb(y, size, probability)),
            Self::Adida => flat(adida(y)),
            Self::Imapa => flat(imapa(y)),
            Self::Theta(season) => theta(y, season, Composition::Multiplicative, ThetaKind::Standard, h),
        }?;
        for value in &mut ahead {
            *value = value.max(0.0);
        }
        Ok(ahead)
    }
}

/// What the tournament offers an item: a few microseconds each, none with a season of its own (that is pooled).
pub const FAST: [Model; 12] = [
    Model::Tsb(0.1, 0.1),
    Model::Tsb(0.2, 0.05),
    Model::Ses(0.05),
    Model::Ses(0.1),
    Model::Ses(0.2),
    Model::SesOptimised,
    Model::Sba,
    Model::Croston,
    Model::CrostonOptimised,
    Model::Adida,
    Model::Imapa,
    Model::WindowAverage(13),
];

#[derive(Debug, Clone, PartialEq)]
pub struct Contest {
    /// Review and lead time, in periods.
    pub interval: usize,
    /// Service target the loss is measured at, between zero and one.
    pub target: f64,
    /// Shortest history a forecast may be judged from.
    pub warm_up: usize,
    /// Periods between two origins.
    pub stride: usize,
    /// How many of the best are averaged.
    pub best: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    pub model: Model,
    /// Mean pinball loss of its quantile at the target, in units.
    pub loss: f64,
    /// Mean of (sold less forecast) over the interval, in units.
    pub error: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Of all models that could forecast, best first; equal ones in the order they were named.
    pub scores: Vec<Score>,
    /// The models averaged.
    pub chosen: Vec<Model>,
    /// Mean of the chosen ones over the interval, period by period.
    pub forecast: Vec<f64>,
    /// Sold less forecast over the interval, of the chosen ones' mean at each origin, oldest first.
    pub errors: Vec<f64>,
    /// How far sums over the interval lay from their mean in the item's past, sorted.
    pub deviations: Vec<f64>,
}

impl Verdict {
    /// Sum over the interval at a service level: the forecast moved by the item's own deviations, never below zero.
    /// Nothing for a history shorter than the interval.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let deviation = quantile_of_sorted(&self.deviations, share)?;
        Some((self.forecast.iter().sum::<f64>() + deviation).max(0.0))
    }
}

/// Sums over each interval of a past, less their mean, sorted. The same for all models, so that a model is judged by where
/// it puts the middle: a spread made of its own errors would make good whatever it is always wrong by.
fn deviations(past: &[f64], interval: usize) -> Vec<f64> {
    let mut sums: Vec<f64> = past.windows(interval).map(|window| window.iter().sum()).collect();
    if sums.is_empty() {
        return sums;
    }
    let mean = series::mean(&sums);
    for sum in &mut sums {
        *sum -= mean;
    }
    sums.sort_by(f64::total_cmp);
    sums
}

fn origins(y: &[f64], contest: &Contest) -> Vec<usize> {
    let mut origins: Vec<usize> = (contest.warm_up.max(1)..=y.len().saturating_sub(contest.interval))
        .rev()
        .step_by(contest.stride.max(1))
        .collect();
    origins.reverse();
    origins
}

fn spreads(y: &[f64], origins: &[usize], contest: &Contest) -> Vec<f64> {
    let spread = |&origin: &usize| {
        quantile_of_sorted(&deviations(&y[..origin], contest.interval), contest.target).unwrap_or(0.0)
    };
    origins.iter().map(spread).collect()
}

/// How another forecast of the interval's sum does at the same origins by the same measure: mean pinball loss, in units,
/// and the origins it is a mean of. `forecast` sees the past only.
#[must_use]
pub fn loss_of(y: &[f64], contest: &Contest, forecast: impl Fn(&[f64]) -> f64) -> Option<(f64, usize)> {
    let origins = origins(y, contest);
    let errors: Vec<f64> = origins
        .iter()
        .map(|&origin| y[origin..origin + contest.interval].iter().sum::<f64>() - forecast(&y[..origin]))
        .collect();
    Some((loss_of_errors(y, contest, &errors)?, origins.len()))
}

/// The same of errors (sold less forecast) that are known already, one for each origin.
#[must_use]
pub fn loss_of_errors(y: &[f64], contest: &Contest, errors: &[f64]) -> Option<f64> {
    let origins = origins(y, contest);
    if origins.is_empty() || origins.len() != errors.len() {
        return None;
    }
    let spreads = spreads(y, &origins, contest);
    let losses = errors.iter().zip(&spreads);
    let sum: f64 = losses
        .map(|(error, spread)| pinball(*error, *spread, contest.target))
        .sum();
    Some(sum / errors.len() as f64)
}

/// A model, its forecast from the whole history, and its errors at the origins.
struct Entrant {
    model: Model,
    ahead: Vec<f64>,
    errors: Vec<f64>,
}

fn interval_sum(model: Model, y: &[f64], interval: usize) -> Result<f64, ModelError> {
    Ok(model.forecast(y, interval)?.iter().sum())
}

/// Rolls the origin from `warm_up` to one interval before the end; the last origin is always that one. An origin sees
/// nothing after itself. Without two origins nothing can be judged: all models are averaged, and `scores` is empty.
pub fn run(y: &[f64], models: &[Model], contest: &Contest) -> Result<Verdict, ModelError> {
    series::demand(y)?;
    series::periods("interval", contest.interval)?;
    series::periods("stride", contest.stride)?;
    series::periods("best", contest.best)?;
    if !(contest.target > 0.0 && contest.target < 1.0) {
        return Err(ModelError::Parameter {
            parameter: "target",
            wanted: "above 0 and below 1",
            got: contest.target,
        });
    }
    let origins = origins(y, contest);

    // A model that cannot forecast from the shortest history, or from the whole one, does not enter.
    let entered: Vec<Entrant> = models
        .iter()
        .filter_map(|&model| {
            let ahead = model.forecast(y, contest.interval).ok()?;
            let errors = origins
                .iter()
                .map(|&origin| {
                    let sold: f64 = y[origin..origin + contest.interval].iter().sum();
                    interval_sum(model, &y[..origin], contest.interval).map(|sum| sold - sum)
                })
                .collect::<Result<Vec<f64>, _>>()
                .ok()?;
            Some(Entrant { model, ahead, errors })
        })
        .collect();
    if entered.is_empty() {
        return Err(ModelError::NoModel);
    }

    let spreads = spreads(y, &origins, contest);
    let judged = origins.len() >= 2;
    let mut ranked: Vec<(usize, Score)> = entered
        .iter()
        .enumerate()
        .map(|(place, Entrant { model, errors, .. })| {
            let score = Score {
                model: *model,
                loss: errors
                    .iter()
                    .zip(&spreads)
                    .map(|(error, spread)| pinball(*error, *spread, contest.target))
                    .sum::<f64>()
                    / errors.len().max(1) as f64,
                error: errors.iter().sum::<f64>() / errors.len().max(1) as f64,
            };
            (place, score)
        })
        .collect();
    // Losses that differ in the last bits only are equal: the order named decides, not the rounding.
    let key = |loss: f64| (loss * 1e9).round();
    ranked.sort_by(|(a, left), (b, right)| key(left.loss).total_cmp(&key(right.loss)).then(a.cmp(b)));
    let keep = if judged { contest.best } else { ranked.len() };
    let chosen: Vec<usize> = ranked.iter().take(keep).map(|(place, _)| *place).collect();
    let mean_of = |read: &dyn Fn(&Entrant) -> f64| {
        chosen.iter().map(|&place| read(&entered[place])).sum::<f64>() / chosen.len() as f64
    };
    Ok(Verdict {
        forecast: (0..contest.interval)
            .map(|step| mean_of(&|entrant| entrant.ahead[step]))
            .collect(),
        errors: (0..origins.len())
            .map(|origin| mean_of(&|entrant| entrant.errors[origin]))
            .collect(),
        chosen: chosen.iter().map(|&place| entered[place].model).collect(),
        deviations: deviations(y, contest.interval),
        scores: if judged {
            ranked.into_iter().map(|(_, score)| score).collect()
        } else {
            Vec::new()
        },
    })
}
