//! The arguments of a published case, as the functions here want them.

use serde_json::Value;

use super::super::*;
use crate::planner::models::tests::numbers;

pub(super) struct Arguments<'a>(pub(super) &'a Value);

impl Arguments<'_> {
    pub(super) fn given(&self, name: &str) -> Option<f64> {
        self.0[name].as_f64()
    }

    pub(super) fn number(&self, name: &str) -> f64 {
        self.given(name).unwrap_or_else(|| panic!("{name} of {}", self.0))
    }

    pub(super) fn whole(&self, name: &str) -> i64 {
        self.number(name) as i64
    }

    pub(super) fn list(&self, name: &str) -> Vec<f64> {
        numbers(&self.0[name])
    }

    /// One value for all periods, a list, or a list with an unused entry before the first.
    pub(super) fn per_period(&self, name: &str) -> Vec<f64> {
        let periods = self.whole("num_periods") as usize;
        match &self.0[name] {
            Value::Array(list) => list[list.len() - periods..]
                .iter()
                .map(|value| value.as_f64().unwrap())
                .collect(),
            Value::Null => vec![0.0; periods],
            one => vec![one.as_f64().unwrap(); periods],
        }
    }

    pub(super) fn normal(&self) -> Demand {
        let periods = self.given("lead_time").unwrap_or(0.0) + 1.0;
        Demand::Normal {
            mean: self.number("demand_mean") * periods,
            sd: self.number("demand_sd") * periods.sqrt(),
        }
    }

    pub(super) fn poisson(&self) -> Demand {
        Demand::Poisson {
            mean: self.number("demand_mean") * (self.given("lead_time").unwrap_or(0.0) + 1.0),
        }
    }

    pub(super) fn pmf(&self, name: &str) -> Demand {
        let entries: Vec<(usize, f64)> = match &self.0[name] {
            Value::Array(list) => list
                .iter()
                .enumerate()
                .map(|(units, p)| (units, p.as_f64().unwrap()))
                .collect(),
            Value::Object(map) => map
                .iter()
                .map(|(units, p)| (units.parse().unwrap(), p.as_f64().unwrap()))
                .collect(),
            other => panic!("{other}"),
        };
        let mut list = vec![0.0; entries.iter().map(|(units, _)| units + 1).max().unwrap()];
        for (units, probability) in entries {
            list[units] = probability;
        }
        Demand::Pmf(list)
    }

    /// A distribution as scipy names it, and how far it is shifted up.
    pub(super) fn distribution(&self, name: &str) -> (Demand, f64) {
        let scipy = &self.0[name];
        let args = numbers(&scipy["args"]);
        let scale = scipy["kwds"]["scale"].as_f64();
        let at = |index: usize| args[index];
        match scipy["scipy"].as_str().unwrap() {
            "norm" if args.is_empty() => (Demand::Normal { mean: 0.0, sd: 1.0 }, 0.0),
            "norm" => (
                Demand::Normal {
                    mean: at(0),
                    sd: at(1),
                },
                0.0,
            ),
            "lognorm" => (
                Demand::Lognormal {
                    mu: at(2).ln(),
                    sigma: at(0),
                },
                0.0,
            ),
            "expon" => (
                Demand::Exponential {
                    rate: 1.0 / scale.unwrap(),
                },
                0.0,
            ),
            "gamma" => (
                Demand::Gamma {
                    shape: at(0),
                    scale: scale.unwrap(),
                },
                0.0,
            ),
            "uniform" => (
                Demand::Uniform {
                    low: at(0),
                    high: at(0) + at(1),
                },
                0.0,
            ),
            "poisson" => (Demand::Poisson { mean: at(0) }, 0.0),
            "nbinom" => (Demand::NegativeBinomial { r: at(0), p: at(1) }, 0.0),
            // Trials until the first success: failures before it, and one.
            "geom" => (
                Demand::NegativeBinomial { r: 1.0, p: at(0) },
                1.0 + args.get(1).copied().unwrap_or(0.0),
            ),
            other => panic!("{other}"),
        }
    }

    pub(super) fn continuous(&self) -> Continuous {
        Continuous {
            holding: self.number("holding_cost"),
            stockout: self.number("stockout_cost"),
            fixed: self.given("fixed_cost").unwrap_or(0.0),
            mean: self.number("demand_mean"),
            sd: self.given("demand_sd").unwrap_or(0.0),
            lead: self.number("lead_time"),
        }
    }

    pub(super) fn poisson_reorder(&self) -> PoissonReorder {
        let c = self.continuous();
        PoissonReorder {
            holding: c.holding,
            stockout: c.stockout,
            fixed: c.fixed,
            mean: c.mean,
            lead: c.lead,
        }
    }

    pub(super) fn costs(&self) -> (f64, f64, f64) {
        (
            self.number("holding_cost"),
            self.number("stockout_cost"),
            self.number("fixed_cost"),
        )
    }
}
