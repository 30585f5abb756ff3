//! Fast forecast models with published definitions, and a tournament among them. Pure functions on numbers: periods are
//! whatever the caller counts in. Formulas, sources and how far reference outputs agree: `docs/planning-models.md`.

mod blend;
mod class;
mod clean;
mod ets;
mod intermittent;
mod scores;
mod seasonal;
mod series;
mod simplex;
mod smoothing;
mod theta;
pub mod tournament;
mod velocity;

pub use blend::{BLEND_TUNING, BlendTuning, blend, cap_at_median, common_season};
pub use class::{DemandClass, DemandPattern, GAP_LIMIT, VARIATION_LIMIT, classify};
pub use clean::{Cleaned, Cut, hampel, winsorise};
pub use ets::{Damping, Smoothed, holt, holt_winters};
pub use intermittent::{adida, croston, croston_optimised, imapa, sba, tsb};
pub use scores::{Weighted, bias, pinball, rmsse, squared_step, wape, wrmsse};
pub use seasonal::{
    Composition, naive, random_walk_with_drift, seasonal_naive, seasonal_window_average, window_average,
};
pub use series::ModelError;
pub use smoothing::{INTERMITTENT_BOUNDS, SES_BOUNDS, ses, ses_optimised};
pub use theta::{ThetaKind, theta};
pub use velocity::{DatedRule, VelocityRule, WINDOWS, rule_on, velocities};

#[cfg(test)]
pub(crate) mod tests;
