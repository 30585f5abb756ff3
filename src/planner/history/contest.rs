//! The published models against the engine's own level, on the item's own past (`tournament` in the policy).
//!
//! They are judged by the pinball loss of sums over the protection interval, at origins rolled through the item's weeks.
//! A dozen such origins overlap, and the best of twelve models by them is often luck: the models' rate is used only
//! where it was clearly better, and both losses are shown.

use crate::planner::demand::{History, TUNING};
use crate::planner::models::tournament::{Contest, FAST, Model, loss_of, loss_of_errors, run};

/// Weeks an origin must know.
const WARM_UP: usize = 26;
const STRIDE: usize = 2;
/// Of the best so many the mean is taken.
const BEST: usize = 3;
/// Fewer origins decide nothing.
const LEAST_ORIGINS: usize = 5;
/// The models' loss must be at most this share of ours.
const CLEARLY: f64 = 0.9;

/// How a contest ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Contested {
    pub models: Vec<&'static str>,
    /// Mean pinball loss over the interval, in units.
    pub loss: f64,
    pub loss_ours: f64,
    pub origins: usize,
    /// Weeks of the interval.
    pub interval: usize,
    /// The models' rate in units a day, and whether it is used.
    pub rate: f64,
    pub used: bool,
}

/// None where the history is too short to judge by.
#[must_use]
pub fn contest(history: &History, days: i64, service_permille: u16) -> Option<Contested> {
    let y: Vec<f64> = history.weeks().iter().rev().copied().collect();
    let interval = usize::try_from((days + 3) / 7).ok()?.clamp(1, 26);
    let rules = Contest {
        interval,
        target: f64::from(service_permille) / 1000.0,
        warm_up: WARM_UP,
        stride: STRIDE,
        best: BEST,
    };
    let (loss_ours, origins) = loss_of(&y, &rules, |past| {
        let mut known = History::default();
        known.load_weeks(past.iter().rev().copied());
        known.levels(&TUNING).level * 7.0 * interval as f64
    })?;
    if origins < LEAST_ORIGINS {
        return None;
    }
    let verdict = run(&y, &FAST, &rules).ok()?;
    let loss = loss_of_errors(&y, &rules, &verdict.errors)?;
    let rate = verdict.forecast.iter().sum::<f64>() / (7.0 * interval as f64);
    Some(Contested {
        models: verdict.chosen.iter().map(|model| name(*model)).collect(),
        loss,
        loss_ours,
        origins,
        interval,
        rate,
        // Two losses of nothing differ by rounding alone.
        used: rate > 0.0 && loss < CLEARLY * loss_ours - 1e-6 * rate,
    })
}

fn name(model: Model) -> &'static str {
    match model {
        Model::Naive => "Naive",
        Model::WindowAverage(_) => "moving average",
        Model::SeasonalNaive(_) => "seasonal naive",
        Model::Ses(_) => "SES",
        Model::SesOptimised => "SES optimised",
        Model::Holt(_) => "Holt",
        Model::HoltWinters(..) => "Holt-Winters",
        Model::Croston => "Croston",
        Model::CrostonOptimised => "Croston optimised",
        Model::Sba => "SBA",
        Model::Tsb(..) => "TSB",
        Model::Adida => "ADIDA",
        Model::Imapa => "IMAPA",
        Model::Theta(_) => "Theta",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(weeks: &[f64]) -> History {
        let mut history = History::default();
        history.load_weeks(weeks.iter().rev().copied());
        history
    }

    #[test]
    fn equal_forecasts_decide_for_ours_and_both_losses_are_known() {
        let found = contest(&history(&[70.0; 52]), 42, 950).unwrap();
        assert!(
            !found.used && found.loss.abs() < 1e-6 && found.loss_ours.abs() < 1e-6,
            "{found:?}"
        );
        assert_eq!((found.interval, found.models.len()), (6, 3));
        assert!((found.rate - 10.0).abs() < 1e-6);
        assert!(found.origins >= LEAST_ORIGINS);
    }

    #[test]
    fn a_short_history_judges_nothing() {
        assert_eq!(contest(&history(&[70.0; 30]), 84, 950), None);
        assert_eq!(contest(&history(&[]), 42, 950), None);
    }
}
