//! The policies a backtest can run, by name.

use crate::planner::models::VelocityRule;
use crate::planner::{Method, Policy};

/// How a policy decides.
#[expect(clippy::large_enum_variant, reason = "a run has a handful of rules")]
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// The night's own plan, by any of its methods.
    Plan { name: String, policy: Policy },
    /// What sellers' tools compute: weighted velocity × (lead + review + safety days) − position.
    SellerVelocity {
        weights: VelocityRule,
        safety_days: i64,
        /// Days out of stock are left out of the velocity.
        in_stock_only: bool,
    },
    /// What business software computes: below `mean·L + z·σ·√L` order up to that and a cycle's demand.
    MinMax { window_days: usize, cycle_days: i64 },
    /// So many days of the mean of the last year's in-stock days, on hand and under way.
    Cover { name: String, days: i64 },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no policy `{name}`; there are {} · cover-DAYS", NAMES.join(" · "))]
pub struct RuleError {
    pub name: String,
}

/// Names of all policies, the default ones first.
pub const NAMES: [&str; 9] = [
    "linkstar",
    "seller-velocity",
    "min-max",
    "R,S",
    "s,S",
    "r,Q",
    "base-stock",
    "linkstar-uncalibrated",
    "seller-velocity-in-stock",
];

/// Shares of the velocities of the last 3, 7, 14, 30, 60 and 90 days: recent weeks most.
const SELLER_WEIGHTS: [f64; 6] = [0.1, 0.2, 0.2, 0.2, 0.15, 0.15];
const SELLER_SAFETY_DAYS: i64 = 15;
const MIN_MAX_WINDOW: usize = 180;

impl Rule {
    /// # Errors
    /// When no policy is called so.
    pub fn named(name: &str, policy: &Policy) -> Result<Self, RuleError> {
        let plan = |policy: Policy| Self::Plan {
            name: name.trim().to_owned(),
            policy,
        };
        let seller = |in_stock_only| Self::SellerVelocity {
            weights: VelocityRule::Weighted(SELLER_WEIGHTS),
            safety_days: SELLER_SAFETY_DAYS,
            in_stock_only,
        };
        // What the night has calibrated so far is of the very days that are lived through again.
        let fresh = Policy {
            calibration: Vec::new(),
            ..policy.clone()
        };
        Ok(match name.trim() {
            "linkstar" => plan(fresh),
            "linkstar-uncalibrated" => plan(Policy {
                calibrate: false,
                ..fresh
            }),
            "seller-velocity" => seller(false),
            "seller-velocity-in-stock" => seller(true),
            "min-max" => Self::MinMax {
                window_days: MIN_MAX_WINDOW,
                cycle_days: policy.review_days.max(1),
            },
            other if cover(other).is_some() => Self::Cover {
                name: other.to_owned(),
                days: cover(other).unwrap_or_default(),
            },
            other => match Method::from_name(other) {
                Some(method) => Self::Plan {
                    name: method.name().to_owned(),
                    policy: Policy {
                        method,
                        calibrate: false,
                        ..fresh
                    },
                },
                None => {
                    return Err(RuleError {
                        name: other.to_owned(),
                    });
                }
            },
        })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Plan { name, .. } | Self::Cover { name, .. } => name,
            Self::SellerVelocity {
                in_stock_only: false, ..
            } => "seller-velocity",
            Self::SellerVelocity { .. } => "seller-velocity-in-stock",
            Self::MinMax { .. } => "min-max",
        }
    }

    /// Units of demand over the protection interval the simple rules want on hand and under way: (level, only when the
    /// position is below). `seen` are the days so far, the newest last: units, None out of stock or without data;
    /// `counted` the same with those days as they were sold.
    #[must_use]
    pub(super) fn level(&self, seen: &Seen<'_>, lead: i64, policy: &Policy) -> (i64, i64) {
        let review = policy.review_days.max(1);
        match self {
            Self::Plan { .. } => (0, 0),
            Self::SellerVelocity {
                weights,
                safety_days,
                in_stock_only,
            } => {
                let days: Vec<Option<f64>> = seen
                    .last(LONGEST_WINDOW)
                    .map(|(units, stocked)| (stocked || !in_stock_only).then_some(units))
                    .collect();
                let rate = weights.velocity(&days).unwrap_or(0.0);
                let level = (rate * (lead + review + safety_days) as f64 - 1e-9).ceil() as i64;
                (level, level)
            }
            Self::Cover { days, .. } => {
                let (mut n, mut sum) = (0.0, 0.0);
                for (units, _) in seen.last(LONGEST_WINDOW).filter(|(_, stocked)| *stocked) {
                    n += 1.0;
                    sum += units;
                }
                let level = (sum / f64::max(n, 1.0) * *days as f64 - 1e-9).ceil() as i64;
                (level, level)
            }
            Self::MinMax {
                window_days,
                cycle_days,
            } => {
                let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
                for (units, _) in seen.last(*window_days) {
                    n += 1.0;
                    sum += units;
                    squares += units * units;
                }
                if n < 2.0 {
                    return (0, 0);
                }
                let mean: f64 = sum / n;
                let sd = ((squares - n * mean * mean).max(0.0) / (n - 1.0)).sqrt();
                let service = f64::from(policy.service_permille) / 1000.0;
                let z = crate::planner::inventory::Demand::Normal { mean: 0.0, sd: 1.0 }
                    .quantile(service)
                    .unwrap_or(0.0);
                let least = mean * lead as f64 + z * sd * (lead as f64).sqrt();
                let most = least + mean * *cycle_days as f64;
                ((most - 1e-9).ceil() as i64, (least - 1e-9).ceil() as i64)
            }
        }
    }
}

/// `cover-45`.
fn cover(name: &str) -> Option<i64> {
    let days = name.strip_prefix("cover-")?.parse().ok()?;
    (1..=365).contains(&days).then_some(days)
}

/// Longest reach of a seller's velocity: ninety days, further back for days that do not count.
const LONGEST_WINDOW: usize = 365;

/// The days a simple rule looks at.
pub(super) struct Seen<'a>(pub &'a crate::planner::DailySales);

impl Seen<'_> {
    /// The last days, oldest first: units sold (none where nobody knows) and whether there was stock to sell.
    fn last(&self, days: usize) -> impl Iterator<Item = (f64, bool)> + '_ {
        let length = self.0.units.len();
        (length.saturating_sub(days)..length).map(|index| {
            let units = self.0.units.get(index);
            (
                f64::from(units.unwrap_or(0)),
                units.is_some() && !self.0.out_of_stock(index),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::DailySales;

    fn sales(units: &[u32]) -> DailySales {
        DailySales {
            first_day: "2026-01-01".parse().unwrap(),
            units: units.iter().map(|units| Some(*units)).collect(),
            in_stock: Vec::new(),
        }
    }

    #[test]
    fn every_name_is_a_policy_and_others_are_refused_with_the_list() {
        for name in NAMES {
            assert_eq!(Rule::named(name, &Policy::default()).unwrap().name(), name);
        }
        assert_eq!(
            Rule::named("cover-45", &Policy::default()).unwrap().name(),
            "cover-45"
        );
        assert!(Rule::named("cover-0", &Policy::default()).is_err());
        let error = Rule::named("eoq", &Policy::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("no policy `eoq`; there are linkstar · ")
        );
    }

    #[test]
    fn the_seller_rule_is_velocity_times_days_and_min_max_leaves_the_review_out() {
        let policy = Policy::default();
        let even = sales(&[4; 200]);
        let seller = Rule::named("seller-velocity", &policy).unwrap();
        assert_eq!(seller.level(&Seen(&even), 34, &policy), (224, 224));
        let min_max = Rule::named("min-max", &policy).unwrap();
        assert_eq!(min_max.level(&Seen(&even), 34, &policy), (164, 136));
        let cover = Rule::named("cover-45", &policy).unwrap();
        assert_eq!(cover.level(&Seen(&even), 34, &policy), (180, 180));
        // z·σ·√L on top: sd of 0, 8, 0, 8 … is 4.011, √34 of it 23.39, z 1.645.
        let uneven = sales(&[0, 8].repeat(100));
        assert_eq!(min_max.level(&Seen(&uneven), 34, &policy), (203, 175));
    }
}
