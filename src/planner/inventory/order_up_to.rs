//! (s, S): at a review, order up to `S` when the position is at `s` or below. Whole units, backorders, independent demand.

use super::demand::Demand;
use super::error::{InventoryError, not_negative, positive};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderUpTo {
    pub point: i64,
    pub level: i64,
    /// Expected cost a period.
    pub cost: f64,
}

/// The same from an approximation that knows no whole units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApproximateOrderUpTo {
    pub point: f64,
    pub level: f64,
}

/// The furthest `S` from `s` looked at: beyond it a count is better approximated.
const MOST_LEVELS: usize = 20_000;

/// Newsvendor cost of each level of a count, worked out once.
pub(super) struct LevelCosts {
    mean: f64,
    holding: f64,
    stockout: f64,
    probabilities: Vec<f64>,
    /// Expected units left at 0, 1, 2, …; beyond the table nothing is short.
    left: Vec<f64>,
}

impl LevelCosts {
    pub(super) fn new(holding: f64, stockout: f64, demand: &Demand) -> Result<Self, InventoryError> {
        positive("holding cost", holding)?;
        positive("stock-out cost", stockout)?;
        demand.check()?;
        if !demand.is_count() {
            return Err(InventoryError::Parameter {
                parameter: "demand",
                wanted: "a distribution of whole units",
                got: demand.mean(),
            });
        }
        let mean = demand.mean();
        positive("mean demand", mean)?;
        let probabilities = demand.pmf_until(1e-17)?;
        let mut left = vec![0.0];
        let (mut below, mut sum) = (0.0, 0.0);
        for probability in &probabilities {
            below += probability;
            sum += below;
            left.push(sum);
        }
        Ok(Self {
            mean,
            holding,
            stockout,
            probabilities,
            left,
        })
    }

    pub(super) fn rate(&self, level: i64) -> f64 {
        let gap = level as f64 - self.mean;
        let left = match usize::try_from(level) {
            Err(_) => 0.0,
            Ok(level) => self.left.get(level).copied().unwrap_or(gap),
        };
        self.holding * left + self.stockout * (left - gap).max(0.0)
    }
}

/// How often a cycle that began at `S` stands `j` units below it: with the cost of each level all that a policy's cost
/// needs, lengthened as the search asks.
struct Renewal {
    costs: LevelCosts,
    fixed: f64,
    visits: Vec<f64>,
    visits_sum: Vec<f64>,
}

impl Renewal {
    fn new(holding: f64, stockout: f64, fixed: f64, demand: &Demand) -> Result<Self, InventoryError> {
        not_negative("fixed cost", fixed)?;
        let costs = LevelCosts::new(holding, stockout, demand)?;
        let first = 1.0 / (1.0 - costs.probabilities.first().copied().unwrap_or_default());
        Ok(Self {
            costs,
            fixed,
            visits: vec![first],
            visits_sum: vec![0.0, first],
        })
    }

    fn rate(&self, level: i64) -> f64 {
        self.costs.rate(level)
    }

    fn lengthen(&mut self, length: usize) -> Result<(), InventoryError> {
        if length > MOST_LEVELS {
            return Err(InventoryError::TooLarge {
                what: "the span from s to S",
                needs: length as f64,
                most: MOST_LEVELS,
            });
        }
        let probabilities = &self.costs.probabilities;
        while self.visits.len() < length {
            let j = self.visits.len();
            let reach = j.min(probabilities.len() - 1);
            let met: f64 = probabilities[1..=reach]
                .iter()
                .zip(self.visits[j - reach..j].iter().rev())
                .map(|(probability, visit)| probability * visit)
                .sum();
            let visit = self.visits[0] * met;
            self.visits.push(visit);
            self.visits_sum.push(self.visits_sum[j] + visit);
        }
        Ok(())
    }

    fn cost(&mut self, point: i64, level: i64) -> Result<f64, InventoryError> {
        let span = level
            .checked_sub(point)
            .and_then(|span| usize::try_from(span).ok())
            .unwrap_or(0);
        positive("S less s", span as f64)?;
        self.lengthen(span)?;
        let rates: f64 = self.visits[..span]
            .iter()
            .zip(0..)
            .map(|(visit, below)| visit * self.rate(level - below))
            .sum();
        Ok((self.fixed + rates) / self.visits_sum[span])
    }
}

/// Expected cost a period of one policy.
pub fn order_up_to_cost(
    point: i64,
    level: i64,
    (holding, stockout, fixed): (f64, f64, f64),
    demand: &Demand,
) -> Result<f64, InventoryError> {
    Renewal::new(holding, stockout, fixed, demand)?.cost(point, level)
}

/// Zheng and Federgruen (1991): the exact policy. `S` climbs from the newsvendor level while its own cost rate is below
/// the best average found; `s` follows.
pub fn order_up_to(
    (holding, stockout, fixed): (f64, f64, f64),
    demand: &Demand,
) -> Result<OrderUpTo, InventoryError> {
    let mut renewal = Renewal::new(holding, stockout, fixed, demand)?;
    let start = demand.quantile(stockout / (stockout + holding))? as i64;
    let mut point = start - 1;
    let mut cost = renewal.cost(point, start)?;
    while cost > renewal.rate(point) {
        point -= 1;
        cost = renewal.cost(point, start)?;
    }
    let mut best = OrderUpTo {
        point,
        level: start,
        cost,
    };
    let mut level = start + 1;
    while renewal.rate(level) <= best.cost {
        let at_same_point = renewal.cost(point, level)?;
        if at_same_point < best.cost {
            best = OrderUpTo {
                point,
                level,
                cost: at_same_point,
            };
            while point + 1 < level && best.cost <= renewal.rate(point + 1) {
                point += 1;
                best = OrderUpTo {
                    point,
                    level,
                    cost: renewal.cost(point, level)?,
                };
            }
        }
        level += 1;
    }
    Ok(best)
}

/// The revised power approximation of Ehrhardt and Mosier (1984), from mean and standard deviation alone (demand of lead
/// time and review; no fit of a distribution).
pub fn order_up_to_by_power(
    (holding, stockout, fixed): (f64, f64, f64),
    mean: f64,
    sd: f64,
) -> Result<ApproximateOrderUpTo, InventoryError> {
    positive("holding cost", holding)?;
    positive("stock-out cost", stockout)?;
    positive("fixed cost", fixed)?;
    positive("mean demand", mean)?;
    positive("standard deviation of demand", sd)?;
    let variation = 1.0 + (sd / mean).powi(2);
    let lot = 1.3 * mean.powf(0.494) * (fixed / holding).powf(0.506) * variation.powf(0.116);
    let z = (lot / sd * holding / stockout).sqrt();
    let point = 0.973 * mean + sd * (0.183 / z + 1.063 - 2.192 * z);
    Ok(ApproximateOrderUpTo {
        point,
        level: point + lot,
    })
}
