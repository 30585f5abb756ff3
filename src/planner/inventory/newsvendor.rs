//! One decision for one period: a unit left costs `holding`, a unit short `stockout`.

use super::demand::{Demand, normal_density, normal_quantile};
use super::error::{InventoryError, finite, not_negative, positive, share};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Order up to this; whole for counts.
    pub level: f64,
    /// Expected cost (or profit, where said so) of one period.
    pub cost: f64,
}

fn costs(holding: f64, stockout: f64) -> Result<f64, InventoryError> {
    not_negative("holding cost", holding)?;
    positive("stock-out cost", stockout)?;
    positive("holding cost", holding)?;
    Ok(stockout / (stockout + holding))
}

/// The critical quantile `p/(h + p)` of demand (Arrow, Harris and Marschak 1951) and its cost. For a lead time, give the
/// demand of lead time and review together.
pub fn newsvendor(holding: f64, stockout: f64, demand: &Demand) -> Result<Level, InventoryError> {
    let level = demand.quantile(costs(holding, stockout)?)?;
    Ok(Level {
        level,
        cost: newsvendor_cost(level, holding, stockout, demand)?,
    })
}

/// Expected cost of ordering up to `level`; a whole one for counts.
pub fn newsvendor_cost(
    level: f64,
    holding: f64,
    stockout: f64,
    demand: &Demand,
) -> Result<f64, InventoryError> {
    costs(holding, stockout)?;
    finite("level", level)?;
    demand.check()?;
    if demand.is_count() && level.fract() != 0.0 {
        return Err(InventoryError::Parameter {
            parameter: "level",
            wanted: "a whole number of units",
            got: level,
        });
    }
    let loss = demand.loss(level);
    Ok(holding * loss.left + stockout * loss.short)
}

/// What a unit earns and costs, from which over- and underage follow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margins {
    pub revenue: f64,
    pub purchase: f64,
    /// What a unit left is worth.
    pub salvage: f64,
    /// Cost of a unit left beside that.
    pub holding: f64,
    /// Cost of a unit short beside the margin lost.
    pub stockout: f64,
}

/// The level of the highest expected profit, and that profit; or the profit of a level given.
pub fn newsvendor_profit(
    margins: Margins,
    demand: &Demand,
    level: Option<f64>,
) -> Result<Level, InventoryError> {
    let under = margins.revenue - margins.purchase + margins.stockout;
    let over = margins.purchase - margins.salvage + margins.holding;
    positive("margin of a unit", under)?;
    positive("loss on a unit left", over)?;
    let level = match level {
        Some(level) => level,
        None => demand.quantile(under / (under + over))?,
    };
    let cost = newsvendor_cost(level, over, under, demand)?;
    Ok(Level {
        level,
        // What perfect knowledge would earn, less the cost of not having it.
        cost: (margins.revenue - margins.purchase) * demand.mean() - cost,
    })
}

/// Prices of this and the next period: a unit left then need not be bought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    pub now: f64,
    pub next: f64,
    pub discount: f64,
}

impl Prices {
    fn check(&self) -> Result<(), InventoryError> {
        finite("price", self.now)?;
        finite("next price", self.next)?;
        positive("discount factor", self.discount)
    }
}

/// The myopic level of a many-period problem (Veinott 1965): the quantile `(p + γc′ − c)/(h + p)`, and its cost.
pub fn myopic(holding: f64, stockout: f64, prices: Prices, demand: &Demand) -> Result<Level, InventoryError> {
    costs(holding, stockout)?;
    prices.check()?;
    let ratio = (stockout + prices.discount * prices.next - prices.now) / (holding + stockout);
    share("critical ratio", ratio)?;
    let level = demand.quantile(ratio)?;
    Ok(Level {
        level,
        cost: myopic_cost(level, holding, stockout, prices, demand)?,
    })
}

pub fn myopic_cost(
    level: f64,
    holding: f64,
    stockout: f64,
    prices: Prices,
    demand: &Demand,
) -> Result<f64, InventoryError> {
    prices.check()?;
    let credit = prices.discount * prices.next * (level - demand.mean());
    Ok(prices.now * level + newsvendor_cost(level, holding, stockout, demand)? - credit)
}

/// Order-up-to level of periodic review for a cycle service level, demand over review and lead time normal with a random
/// lead time: mean `m(R + L)`, variance `(R + L)s² + m²·Var L` (Silver, Pyke and Thomas 2017). For independent periods
/// only; measured sums are better where history allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodicReview {
    pub mean: f64,
    pub sd: f64,
    pub review: f64,
    pub lead_mean: f64,
    pub lead_sd: f64,
}

impl PeriodicReview {
    fn interval(&self) -> Result<(f64, f64), InventoryError> {
        positive("mean demand", self.mean)?;
        not_negative("standard deviation of demand", self.sd)?;
        not_negative("review", self.review)?;
        not_negative("mean lead time", self.lead_mean)?;
        not_negative("standard deviation of the lead time", self.lead_sd)?;
        let periods = self.review + self.lead_mean;
        let variance = periods * self.sd.powi(2) + (self.mean * self.lead_sd).powi(2);
        Ok((self.mean * periods, variance.sqrt()))
    }

    /// For a cycle service level.
    pub fn base_stock(&self, service: f64) -> Result<f64, InventoryError> {
        share("service level", service)?;
        let (mean, sd) = self.interval()?;
        Ok(mean + sd * normal_quantile(service))
    }

    /// Share of demand served from stock under the level `S`: one less the shortage that a cycle adds over its demand.
    pub fn fill_rate(&self, level: f64) -> Result<f64, InventoryError> {
        finite("level", level)?;
        positive("review", self.review)?;
        let short = |review: f64| -> Result<f64, InventoryError> {
            let (mean, sd) = Self { review, ..*self }.interval()?;
            if sd <= 0.0 {
                return Ok((mean - level).max(0.0));
            }
            Ok(Demand::Normal { mean, sd }.loss(level).short)
        };
        let added = short(self.review)? - short(0.0)?;
        Ok((1.0 - added / (self.mean * self.review)).clamp(0.0, 1.0))
    }
}

/// Least cost of a normal newsvendor in closed form: `(h + p)·φ(z)·σ`.
pub fn normal_least_cost(holding: f64, stockout: f64, sd: f64) -> Result<f64, InventoryError> {
    let ratio = costs(holding, stockout)?;
    not_negative("standard deviation", sd)?;
    Ok((holding + stockout) * normal_density(normal_quantile(ratio)) * sd)
}
