//! Lots for known demand that differs by period.

use super::error::{InventoryError, length, not_negative};

/// Costs and demand of one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LotPeriod {
    pub demand: f64,
    /// Cost of an order placed in this period.
    pub fixed: f64,
    /// Cost of a unit bought in this period.
    pub purchase: f64,
    /// Cost, for each unit bought in this period and each period it is held.
    pub holding: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LotPlan {
    /// What to order in each period.
    pub orders: Vec<f64>,
    /// If an order is placed in this period, the next is in that one (the number of periods: none).
    pub next: Vec<usize>,
    /// Least cost from each period on.
    pub cost_from: Vec<f64>,
    pub cost: f64,
}

const MOST_PERIODS: usize = 10_000;

/// Wagner and Whitin (1958): the cheapest orders for a known demand without shortage. Of equally cheap plans the one
/// whose first order covers fewest periods.
pub fn wagner_whitin(periods: &[LotPeriod]) -> Result<LotPlan, InventoryError> {
    if periods.is_empty() {
        length("periods", 1, 0)?;
    }
    if periods.len() > MOST_PERIODS {
        return Err(InventoryError::TooLarge {
            what: "the plan of lots",
            needs: periods.len() as f64,
            most: MOST_PERIODS,
        });
    }
    for period in periods {
        not_negative("demand", period.demand)?;
        not_negative("fixed cost", period.fixed)?;
        not_negative("purchase cost", period.purchase)?;
        not_negative("holding cost", period.holding)?;
    }
    let n = periods.len();
    let mut cost_from = vec![0.0; n + 1];
    let mut next = vec![n; n];
    for from in (0..n).rev() {
        let here = periods[from];
        let (mut bought, mut units, mut best) = (0.0, 0.0, f64::INFINITY);
        for to in from..n {
            let demand = periods[to].demand;
            units += demand;
            bought += demand * (here.purchase + here.holding * (to - from) as f64);
            let order = if units > 0.0 { here.fixed } else { 0.0 };
            let cost = order + bought + cost_from[to + 1];
            if cost < best {
                best = cost;
                next[from] = to + 1;
            }
        }
        cost_from[from] = best;
    }
    let mut orders = vec![0.0; n];
    let mut from = 0;
    while from < n {
        orders[from] = periods[from..next[from]].iter().map(|p| p.demand).sum();
        from = next[from];
    }
    cost_from.truncate(n);
    Ok(LotPlan {
        cost: cost_from[0],
        orders,
        next,
        cost_from,
    })
}
