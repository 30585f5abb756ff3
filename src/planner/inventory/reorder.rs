//! (r, Q): order `Q` when the inventory position falls to `r`, with continuous review and backorders.

use super::demand::Demand;
use super::eoq::{eoq, eoq_with_backorders};
use super::error::{InventoryError, finite, not_negative, positive};
use super::newsvendor::newsvendor;
use super::order_up_to::LevelCosts;

/// Costs and demand of a continuously reviewed item; periods as the demand rate has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Continuous {
    pub holding: f64,
    /// Cost of a unit short: each period it waits, or once, as each function says.
    pub stockout: f64,
    pub fixed: f64,
    /// Demand a period.
    pub mean: f64,
    /// Standard deviation of a period's demand.
    pub sd: f64,
    pub lead: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReorderPolicy {
    pub point: f64,
    pub quantity: f64,
    pub cost: f64,
}

const ROUNDS: usize = 10_000;
const TOLERANCE: f64 = 1e-10;
/// In cost a period, where a heuristic quantity asks for its point.
const POINT_TOLERANCE: f64 = 1e-6;

impl Continuous {
    fn over_lead(&self) -> Result<Demand, InventoryError> {
        positive("holding cost", self.holding)?;
        positive("stock-out cost", self.stockout)?;
        not_negative("fixed cost", self.fixed)?;
        positive("mean demand", self.mean)?;
        positive("standard deviation of demand", self.sd)?;
        positive("lead time", self.lead)?;
        Ok(Demand::Normal {
            mean: self.mean * self.lead,
            sd: self.sd * self.lead.sqrt(),
        })
    }

    /// Expected cost a period, a unit short costing each period: the newsvendor cost averaged over `r` to `r + Q`.
    pub fn cost(&self, point: f64, quantity: f64) -> Result<f64, InventoryError> {
        let demand = self.over_lead()?;
        finite("reorder point", point)?;
        positive("order quantity", quantity)?;
        let (low, high) = (demand.second_loss(point), demand.second_loss(point + quantity));
        let held = self.holding * (high.left - low.left);
        let short = self.stockout * (low.short - high.short);
        Ok((self.fixed * self.mean + held + short) / quantity)
    }

    /// The best point for a quantity: where the cost rates at `r` and at `r + Q` are equal to within `tolerance`, by
    /// bisection from five quantities below the newsvendor level. A tolerance of zero goes on to the last bits.
    pub fn best_point(&self, quantity: f64, tolerance: f64) -> Result<f64, InventoryError> {
        let demand = self.over_lead()?;
        positive("order quantity", quantity)?;
        not_negative("tolerance", tolerance)?;
        let rate = |level: f64| {
            let loss = demand.loss(level);
            self.holding * loss.left + self.stockout * loss.short
        };
        let mut high = newsvendor(self.holding, self.stockout, &demand)?.level;
        let mut low = high - 5.0 * quantity;
        let mut point = f64::midpoint(low, high);
        for _ in 0..200 {
            let (below, above) = (rate(point), rate(point + quantity));
            if (below - above).abs() <= tolerance || point <= low || point >= high {
                break;
            }
            if below < above {
                high = point;
            } else {
                low = point;
            }
            point = f64::midpoint(low, high);
        }
        Ok(point)
    }

    /// Exact for the continuous cost: the best pair, by the valley along `Q` of each quantity's best point.
    pub fn exact(&self) -> Result<ReorderPolicy, InventoryError> {
        let demand = self.over_lead()?;
        let base = eoq(self.fixed.max(1e-9), self.holding, self.mean)?.quantity;
        let cost = |quantity: f64| {
            self.best_point(quantity, 0.0)
                .and_then(|point| self.cost(point, quantity))
                .unwrap_or(f64::INFINITY)
        };
        let top = 4.0 * base
            + 8.0 * demand.variance().sqrt()
            + eoq_with_backorders(self.fixed.max(1e-9), self.holding, self.stockout, self.mean)?.quantity;
        let quantity = super::supply::least(base * 1e-3, top, cost);
        let point = self.best_point(quantity, 0.0)?;
        Ok(ReorderPolicy {
            point,
            quantity,
            cost: self.cost(point, quantity)?,
        })
    }

    /// Economic quantity with backorders, and the best point for it.
    pub fn by_backorder_lot(&self) -> Result<ReorderPolicy, InventoryError> {
        self.over_lead()?;
        let quantity = eoq_with_backorders(self.fixed, self.holding, self.stockout, self.mean)?.quantity;
        let point = self.best_point(quantity, POINT_TOLERANCE)?;
        Ok(ReorderPolicy {
            point,
            quantity,
            cost: self.cost(point, quantity)?,
        })
    }

    /// Economic quantity, and the newsvendor level of the lead time as the point.
    pub fn by_lot_and_safety(&self) -> Result<ReorderPolicy, InventoryError> {
        let demand = self.over_lead()?;
        let quantity = eoq(self.fixed, self.holding, self.mean)?.quantity;
        let point = newsvendor(self.holding, self.stockout, &demand)?.level;
        Ok(ReorderPolicy {
            point,
            quantity,
            cost: self.cost(point, quantity)?,
        })
    }

    /// Hadley and Whitin (1963), a unit short costing once: `r = F⁻¹(1 − hQ/(pm))` and `Q = √(2m(K + p·n(r))/h)` in turn.
    /// The cost is theirs: stock as if nothing were ever short.
    pub fn by_expected_inventory(&self) -> Result<ReorderPolicy, InventoryError> {
        let demand = self.over_lead()?;
        let start = eoq(self.fixed, self.holding, self.mean)?.quantity;
        let (point, quantity) = settle(start, |quantity| {
            let share = 1.0 - quantity * self.holding / (self.stockout * self.mean);
            let point = demand.quantile(share)?;
            let short = demand.loss(point).short;
            let next = 2.0 * self.mean * (self.fixed + self.stockout * short) / self.holding;
            Ok((point, next.sqrt()))
        })?;
        let short = demand.loss(point).short;
        Ok(ReorderPolicy {
            point,
            quantity,
            cost: self.holding * (point - demand.mean() + quantity / 2.0)
                + (self.fixed + self.stockout * short) * self.mean / quantity,
        })
    }

    /// By loss functions (Snyder and Shen 2019): `n(r) = hQ/(h + p)` and `Q = √(2(Km + (h + p)·n₂(r))/h)` in turn.
    pub fn by_loss_functions(&self) -> Result<ReorderPolicy, InventoryError> {
        let demand = self.over_lead()?;
        let both = self.holding + self.stockout;
        let start = eoq(self.fixed, self.holding, self.mean)?.quantity;
        let (point, quantity) = settle(start, |quantity| {
            let point = point_with_short(&demand, self.holding * quantity / both);
            let second = demand.second_loss(point).short;
            let next = 2.0 * (self.fixed * self.mean + both * second) / self.holding;
            Ok((point, next.sqrt()))
        })?;
        Ok(ReorderPolicy {
            point,
            quantity,
            cost: self.cost(point, quantity)?,
        })
    }
}

/// The level at which this much is expected short.
fn point_with_short(demand: &Demand, short: f64) -> f64 {
    let spread = demand.variance().sqrt();
    let mut low = demand.mean() - short - spread;
    let mut high = demand.mean() + 40.0 * spread;
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if demand.loss(middle).short > short {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

fn settle(
    start: f64,
    step: impl Fn(f64) -> Result<(f64, f64), InventoryError>,
) -> Result<(f64, f64), InventoryError> {
    let mut last = (f64::INFINITY, start);
    for _ in 0..ROUNDS {
        let next = step(last.1)?;
        let scale = 1.0 + next.0.abs() + next.1.abs();
        if (next.0 - last.0).abs() <= TOLERANCE * scale && (next.1 - last.1).abs() <= TOLERANCE * scale {
            return Ok(next);
        }
        last = next;
    }
    Err(InventoryError::NoConvergence {
        what: "reorder point and quantity",
        rounds: ROUNDS,
    })
}

const MOST_QUANTITY: i64 = 10_000_000;

/// Whole units, demand a Poisson stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoissonReorder {
    pub holding: f64,
    /// Cost of a unit short each period.
    pub stockout: f64,
    pub fixed: f64,
    pub mean: f64,
    pub lead: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WholePolicy {
    pub point: i64,
    pub quantity: i64,
    pub cost: f64,
}

impl PoissonReorder {
    fn over_lead(&self) -> Result<Demand, InventoryError> {
        positive("holding cost", self.holding)?;
        positive("stock-out cost", self.stockout)?;
        not_negative("fixed cost", self.fixed)?;
        positive("mean demand", self.mean)?;
        positive("lead time", self.lead)?;
        Ok(Demand::Poisson {
            mean: self.mean * self.lead,
        })
    }

    fn levels(&self) -> Result<LevelCosts, InventoryError> {
        LevelCosts::new(self.holding, self.stockout, &self.over_lead()?)
    }

    pub fn cost(&self, point: i64, quantity: i64) -> Result<f64, InventoryError> {
        let levels = self.levels()?;
        positive("order quantity", quantity as f64)?;
        positive(
            "10,000,000 less the order quantity",
            (MOST_QUANTITY - quantity) as f64,
        )?;
        let rates: f64 = (1..=quantity)
            .map(|above| levels.rate(point.saturating_add(above)))
            .sum();
        Ok((self.fixed * self.mean + rates) / quantity as f64)
    }

    /// Federgruen and Zheng (1992): levels join the interval `r + 1 … r + Q` cheapest first, until one costs more than
    /// the average of those that have joined.
    pub fn exact(&self) -> Result<WholePolicy, InventoryError> {
        let demand = self.over_lead()?;
        let levels = self.levels()?;
        let best = newsvendor(self.holding, self.stockout, &demand)?.level as i64;
        let (mut below, mut above) = (best - 1, best + 1);
        let mut sum = self.fixed * self.mean + levels.rate(best);
        let mut quantity = 1;
        loop {
            let (at_below, at_above) = (levels.rate(below), levels.rate(above));
            if at_below.min(at_above) > sum / quantity as f64 {
                break;
            }
            if at_below < at_above {
                sum += at_below;
                below -= 1;
            } else {
                sum += at_above;
                above += 1;
            }
            quantity += 1;
            if quantity >= MOST_QUANTITY {
                return Err(InventoryError::TooLarge {
                    what: "the order quantity",
                    needs: quantity as f64,
                    most: MOST_QUANTITY as usize,
                });
            }
        }
        Ok(WholePolicy {
            point: below,
            quantity,
            cost: sum / quantity as f64,
        })
    }
}
