//! A finite horizon with costs and demand that differ by period, by dynamic programming over whole levels.

use super::demand::Demand;
use super::error::{InventoryError, finite, length, not_negative, positive};

/// Costs and normal demand of one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HorizonPeriod {
    pub holding: f64,
    pub stockout: f64,
    pub purchase: f64,
    pub fixed: f64,
    pub mean: f64,
    pub sd: f64,
    /// What a cost one period later is worth now, above 0 and at most 1.
    pub discount: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HorizonPlan {
    /// In each period: at or below this level, order (without fixed costs: the level ordered up to).
    pub points: Vec<i64>,
    /// In each period: up to this level.
    pub levels: Vec<i64>,
    /// Expected cost of the whole horizon from the level at its start.
    pub cost: f64,
}

/// Demand is looked at this many of the largest standard deviations around the means; what lies beyond is left out.
const DEMAND_SPREAD: f64 = 4.0;
const LEVEL_SPREAD: f64 = 5.0;
/// Cells worked through in one period at most: levels times demands.
const MOST_CELLS: usize = 50_000_000;

struct Grid {
    lowest: i64,
    count: usize,
    demand: (i64, i64),
}

/// Levels from the deepest shortage to the top of the largest economic lot with backorders.
fn grid(periods: &[HorizonPeriod]) -> Result<Grid, InventoryError> {
    let over = |read: fn(&HorizonPeriod) -> f64, pick: fn(f64, f64) -> f64| {
        periods.iter().map(read).reduce(pick).unwrap_or_default()
    };
    let sd = over(|p| p.sd, f64::max);
    let (least, most) = (over(|p| p.mean, f64::min), over(|p| p.mean, f64::max));
    let mut lot = 0.0_f64;
    for p in periods {
        let planned = 2.0 * p.fixed * p.mean * (p.holding + p.stockout) / (p.holding * p.stockout);
        lot = lot.max(planned.sqrt());
    }
    let lowest = (least - most - sd * (LEVEL_SPREAD + DEMAND_SPREAD)).round_ties_even();
    let highest = (most + lot + sd * LEVEL_SPREAD).round_ties_even().max(1.0);
    let demand = (
        (least - DEMAND_SPREAD * sd).round_ties_even().max(0.0),
        (most + DEMAND_SPREAD * sd).round_ties_even(),
    );
    allow((highest - lowest + 1.0) * (demand.1 - demand.0 + 1.0))?;
    Ok(Grid {
        lowest: lowest as i64,
        count: (highest - lowest) as usize + 1,
        demand: (demand.0 as i64, demand.1 as i64),
    })
}

fn allow(needs: f64) -> Result<(), InventoryError> {
    if needs <= MOST_CELLS as f64 {
        return Ok(());
    }
    Err(InventoryError::TooLarge {
        what: "the grid of levels and demands",
        needs,
        most: MOST_CELLS,
    })
}

/// The best policy of each period (Scarf 1960: it has the form (s, S)); demand and levels in whole units, costs of a
/// period by the exact normal loss. `terminal` is what a unit left and a unit short cost after the last period.
pub fn finite_horizon(
    periods: &[HorizonPeriod],
    terminal: (f64, f64),
    start: i64,
) -> Result<HorizonPlan, InventoryError> {
    if periods.is_empty() {
        length("periods", 1, 0)?;
    }
    not_negative("terminal holding cost", terminal.0)?;
    not_negative("terminal stock-out cost", terminal.1)?;
    for period in periods {
        positive("holding cost", period.holding)?;
        positive("stock-out cost", period.stockout)?;
        not_negative("purchase cost", period.purchase)?;
        not_negative("fixed cost", period.fixed)?;
        positive("mean demand", period.mean)?;
        positive("standard deviation of demand", period.sd)?;
        positive("discount factor", period.discount)?;
        positive("2 less the discount factor", 2.0 - period.discount)?;
        finite("mean demand", period.mean)?;
    }
    let mut grid = grid(periods)?;
    loop {
        if let Some(plan) = solve(periods, terminal, start, &grid)? {
            return Ok(plan);
        }
        // The best order reached the top of the levels: look higher.
        let highest = grid.lowest + grid.count as i64 - 1;
        grid.count = (2 * highest - grid.lowest) as usize + 1;
        allow(grid.count as f64 * (grid.demand.1 - grid.demand.0 + 1) as f64)?;
    }
}

fn solve(
    periods: &[HorizonPeriod],
    terminal: (f64, f64),
    start: i64,
    grid: &Grid,
) -> Result<Option<HorizonPlan>, InventoryError> {
    let at = |index: usize| (grid.lowest + index as i64) as f64;
    let top = grid.count - 1;
    let mut ahead: Vec<f64> = (0..grid.count)
        .map(|index| terminal.0 * at(index).max(0.0) + terminal.1 * (-at(index)).max(0.0))
        .collect();
    let mut plan = HorizonPlan {
        points: vec![0; periods.len()],
        levels: vec![0; periods.len()],
        cost: 0.0,
    };
    for (number, period) in periods.iter().enumerate().rev() {
        let demand = Demand::Normal {
            mean: period.mean,
            sd: period.sd,
        };
        let probabilities: Vec<f64> = (grid.demand.0..=grid.demand.1)
            .map(|units| demand.cdf(units as f64 + 0.5) - demand.cdf(units as f64 - 0.5))
            .collect();
        // Cost of a level after ordering: this period's, and the best of all later ones.
        let after: Vec<f64> = (0..grid.count)
            .map(|index| {
                let loss = demand.loss(at(index));
                let later: f64 = probabilities
                    .iter()
                    .zip(grid.demand.0..)
                    .map(|(probability, units)| {
                        let left = (index as i64 - units).clamp(0, top as i64) as usize;
                        probability * ahead[left]
                    })
                    .sum();
                period.holding * loss.left + period.stockout * loss.short + period.discount * later
            })
            .collect();
        let mut best_above = (f64::INFINITY, top);
        let mut up_to = vec![0; grid.count];
        for index in (0..grid.count).rev() {
            let bought = best_above.0 + period.fixed - period.purchase * at(index);
            let (cost, level) = if bought < after[index] {
                (bought, best_above.1)
            } else {
                (after[index], index)
            };
            if level == top && index < top {
                return Ok(None);
            }
            ahead[index] = cost;
            up_to[index] = level;
            let ordered = period.purchase * at(index) + after[index];
            if ordered <= best_above.0 {
                best_above = (ordered, index);
            }
        }
        let level = up_to[0];
        let point = up_to
            .iter()
            .take_while(|other| **other == level)
            .count()
            .saturating_sub(1);
        plan.levels[number] = grid.lowest + level as i64;
        plan.points[number] = grid.lowest + point as i64;
    }
    let index = usize::try_from(start - grid.lowest)
        .ok()
        .filter(|index| *index <= top);
    let Some(index) = index else {
        return Err(InventoryError::Parameter {
            parameter: "level at the start",
            wanted: "within the levels the demand can reach",
            got: start as f64,
        });
    };
    plan.cost = ahead[index];
    Ok(Some(plan))
}
