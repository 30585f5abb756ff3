//! The policies of the textbooks by name, on the line's own demand: what the plan orders by when the policy says so.
//!
//! All of them protect review and lead time together: a plan can order only at its reviews. Levels come from
//! [`super::inventory`] and the mean and deviation of the line's demand over that interval.

use serde::{Deserialize, Serialize};

use super::inventory::{Demand, eoq};
use super::snapshot::{ItemSeries, Policy};

/// How a quantity is decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// Up to the quantile of the line's demand: the engine's own.
    #[default]
    #[serde(rename = "linkstar")]
    Linkstar,
    /// Up to the quantile of a count distribution (Poisson or negative binomial) of its mean and variance.
    #[serde(rename = "base-stock")]
    BaseStock,
    /// Every R days up to S: `mean + z·σ` of the sums over review and lead time.
    #[serde(rename = "R,S", alias = "(R,S)")]
    ReviewUpTo,
    /// Nothing above s; at or below it up to S = s + a lot.
    #[serde(rename = "s,S", alias = "(s,S)")]
    PointUpTo,
    /// Nothing above r; at or below it whole lots Q until the position is above r.
    #[serde(rename = "r,Q", alias = "(r,Q)")]
    PointLot,
}

impl Method {
    pub const ALL: [Self; 5] = [
        Self::Linkstar,
        Self::BaseStock,
        Self::ReviewUpTo,
        Self::PointUpTo,
        Self::PointLot,
    ];

    /// As a policy names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linkstar => "linkstar",
            Self::BaseStock => "base-stock",
            Self::ReviewUpTo => "R,S",
            Self::PointUpTo => "s,S",
            Self::PointLot => "r,Q",
        }
    }

    /// A name, with or without brackets and blanks.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let plain: String = name
            .chars()
            .filter(|c| !matches!(c, '(' | ')' | ' ' | '\u{ff08}' | '\u{ff09}'))
            .collect();
        Self::ALL.into_iter().find(|method| method.name() == plain)
    }

    #[must_use]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::Linkstar
    }
}

/// The parameters a line got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    pub method: Method,
    /// The level to order up to, or the point at or below which is ordered.
    pub point: i64,
    /// The lot of `s,S` and `r,Q`.
    pub lot: i64,
}

impl Named {
    /// None for the engine's own method, and for a line that has no demand to decide by.
    #[must_use]
    pub fn of(
        item: &ItemSeries,
        (mean, variance): (f64, f64),
        rate: f64,
        service_permille: u16,
        policy: &Policy,
    ) -> Option<Self> {
        if policy.method == Method::Linkstar || mean <= 0.0 {
            return None;
        }
        let service = f64::from(service_permille) / 1000.0;
        let level = if policy.method == Method::ReviewUpTo {
            normal(mean, variance, service)
        } else {
            count(mean, variance, service)
        };
        let lots = matches!(policy.method, Method::PointUpTo | Method::PointLot);
        Some(Self {
            method: policy.method,
            point: (level - 1e-9).ceil().clamp(0.0, MOST_UNITS) as i64,
            lot: if lots { lot(item, rate, policy) } else { 0 },
        })
    }

    /// What the target level is called in the sum behind a quantity.
    #[must_use]
    pub fn level(&self) -> i64 {
        match self.method {
            Method::PointUpTo => self.point + self.lot,
            _ => self.point,
        }
    }

    /// The need of a position; `open` is what is missing to [`level`](Self::level).
    #[must_use]
    pub fn need(&self, open: i64) -> i64 {
        let position = self.level() - open;
        match self.method {
            Method::PointUpTo | Method::PointLot if position > self.point => 0,
            // The first whole number of lots that lifts the position above r.
            Method::PointLot => {
                let missing = self.point + 1 - position;
                (missing + self.lot - 1) / self.lot * self.lot
            }
            _ => open.max(0),
        }
    }
}

const MOST_UNITS: f64 = 1e12;

fn normal(mean: f64, variance: f64, service: f64) -> f64 {
    let demand = Demand::Normal {
        mean,
        sd: variance.sqrt(),
    };
    demand.quantile(service).unwrap_or(mean)
}

fn count(mean: f64, variance: f64, service: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    // Demand that spreads no more than a Poisson is one.
    let demand = if variance > mean * 1.000_001 {
        Demand::negative_binomial(mean, variance.sqrt()).unwrap_or(Demand::Poisson { mean })
    } else {
        Demand::Poisson { mean }
    };
    // Counts too large to sum term by term are a normal's.
    demand
        .quantile(service)
        .unwrap_or_else(|_| normal(mean, variance, service))
}

/// Wilson's lot where an order's cost and a unit's are known in one currency, else the policy's days of demand.
fn lot(item: &ItemSeries, rate: f64, policy: &Policy) -> i64 {
    use rust_decimal::prelude::ToPrimitive as _;
    let days = policy.lot_days.clamp(1, 365) as f64;
    let by_days = rate * days;
    let by_cost = policy.order_cost.zip(item.unit_cost).and_then(|(order, unit)| {
        if order.currency != unit.currency {
            return None;
        }
        let holding = unit.amount.to_f64()? * f64::from(policy.holding_permille) / 1000.0 / 365.0;
        let lot = eoq(order.amount.to_f64()?, holding, rate).ok()?;
        Some(lot.quantity)
    });
    by_cost.unwrap_or(by_days).round().clamp(1.0, MOST_UNITS) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: Method) -> Named {
        Named {
            method,
            point: 100,
            lot: 40,
        }
    }

    #[test]
    fn names_are_read_with_and_without_brackets() {
        for method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(method));
        }
        assert_eq!(Method::from_name("(s, S)"), Some(Method::PointUpTo));
        assert_eq!(Method::from_name("S,s"), None);
    }

    #[test]
    fn each_method_orders_by_its_own_rule() {
        // Position 90: ten below the point.
        assert_eq!(named(Method::BaseStock).need(10), 10);
        assert_eq!(named(Method::ReviewUpTo).need(10), 10);
        assert_eq!(named(Method::PointUpTo).need(50), 50);
        assert_eq!(named(Method::PointLot).need(10), 40);
        // At the point it is ordered, one above it nothing is.
        assert_eq!(named(Method::PointUpTo).need(40), 40);
        assert_eq!(named(Method::PointUpTo).need(39), 0);
        assert_eq!(named(Method::PointLot).need(0), 40);
        assert_eq!(named(Method::PointLot).need(-1), 0);
        // Far below it takes several lots.
        assert_eq!(named(Method::PointLot).need(100), 120);
    }

    #[test]
    fn a_count_level_is_the_published_quantile() {
        // Poisson 50: P(X <= 62) = 0.9577 is the first above 0.95.
        assert_eq!(count(50.0, 50.0, 0.95), 62.0);
        assert!((normal(50.0, 64.0, 0.795_454_545) - 56.603_956).abs() < 1e-3);
        assert_eq!(count(0.0, 0.0, 0.95), 0.0);
    }
}
