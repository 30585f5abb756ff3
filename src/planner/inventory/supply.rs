//! Suppliers who send more or less than ordered, or stop for a while.

use super::demand::Demand;
use super::eoq::{LotSize, rates};
use super::error::{InventoryError, not_negative, positive, share};

/// A supplier who sends a random amount more (or less) than ordered.
pub fn eoq_additive_yield(
    fixed: f64,
    holding: f64,
    demand: f64,
    more_mean: f64,
    more_sd: f64,
) -> Result<LotSize, InventoryError> {
    rates(fixed, holding, demand)?;
    not_negative("standard deviation of the yield", more_sd)?;
    let quantity = (2.0 * fixed * demand / holding + more_sd * more_sd).sqrt() - more_mean;
    Ok(LotSize {
        quantity,
        cost: eoq_additive_yield_cost(quantity, fixed, holding, demand, more_mean, more_sd)?,
    })
}

pub fn eoq_additive_yield_cost(
    quantity: f64,
    fixed: f64,
    holding: f64,
    demand: f64,
    more_mean: f64,
    more_sd: f64,
) -> Result<f64, InventoryError> {
    rates(fixed, holding, demand)?;
    let expected = quantity + more_mean;
    positive("expected receipt", expected)?;
    let spread = 2.0 * fixed * demand + holding * more_sd * more_sd;
    Ok(spread / (2.0 * expected) + holding * expected / 2.0)
}

/// A supplier of whose units only a random share is good.
pub fn eoq_multiplicative_yield(
    fixed: f64,
    holding: f64,
    demand: f64,
    good_mean: f64,
    good_sd: f64,
) -> Result<LotSize, InventoryError> {
    rates(fixed, holding, demand)?;
    positive("mean good share", good_mean)?;
    let square = good_sd * good_sd + good_mean * good_mean;
    let quantity = (2.0 * fixed * demand / (holding * square)).sqrt();
    Ok(LotSize {
        quantity,
        cost: eoq_multiplicative_yield_cost(quantity, fixed, holding, demand, good_mean, good_sd)?,
    })
}

pub fn eoq_multiplicative_yield_cost(
    quantity: f64,
    fixed: f64,
    holding: f64,
    demand: f64,
    good_mean: f64,
    good_sd: f64,
) -> Result<f64, InventoryError> {
    rates(fixed, holding, demand)?;
    positive("mean good share", good_mean)?;
    positive("order quantity", quantity)?;
    let square = good_sd * good_sd + good_mean * good_mean;
    Ok(fixed * demand / (quantity * good_mean) + holding * quantity * square / (2.0 * good_mean))
}

/// A supplier who stops and comes back at exponential rates; demand meanwhile is lost at `stockout` a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disruptions {
    /// Stops a period while running.
    pub stop: f64,
    /// Returns a period while stopped.
    pub recover: f64,
}

fn idle(quantity: Option<f64>, demand: f64, d: Disruptions) -> f64 {
    let both = d.stop + d.recover;
    let long_run = d.stop / both;
    quantity.map_or(long_run, |quantity| {
        -long_run * (-both * quantity / demand).exp_m1()
    })
}

/// Cost a period (Parlar and Berkin 1991, Berk and Arreola-Risa 1994). `approximate` takes the long-run share of stops
/// for the share at the moment of an order (Snyder 2014).
pub fn eoq_disrupted_cost(
    quantity: f64,
    (fixed, holding, stockout, demand): (f64, f64, f64, f64),
    disruptions: Disruptions,
    approximate: bool,
) -> Result<f64, InventoryError> {
    rates(fixed, holding, demand)?;
    positive("stock-out cost", stockout)?;
    positive("order quantity", quantity)?;
    positive("rate of stops", disruptions.stop)?;
    positive("rate of returns", disruptions.recover)?;
    let stopped = idle((!approximate).then_some(quantity), demand, disruptions);
    let wait = stopped / disruptions.recover;
    let numerator = fixed + holding * quantity * quantity / (2.0 * demand) + stockout * demand * wait;
    Ok(numerator / (quantity / demand + wait))
}

/// The quantity that makes [`eoq_disrupted_cost`] least: in closed form when approximate, by golden section else.
pub fn eoq_disrupted(
    costs: (f64, f64, f64, f64),
    disruptions: Disruptions,
    approximate: bool,
) -> Result<LotSize, InventoryError> {
    let (fixed, holding, stockout, demand) = costs;
    eoq_disrupted_cost(1.0, costs, disruptions, true)?;
    let recover = disruptions.recover;
    let drag = idle(None, demand, disruptions) * demand * holding;
    let gain = fixed * demand * recover + demand * demand * stockout * idle(None, demand, disruptions);
    let quantity = ((drag * drag + 2.0 * holding * recover * gain).sqrt() - drag) / (holding * recover);
    let quantity = if approximate {
        quantity
    } else {
        least(quantity / 10.0, quantity * 10.0, |q| {
            eoq_disrupted_cost(q, costs, disruptions, false).unwrap_or(f64::INFINITY)
        })
    };
    Ok(LotSize {
        quantity,
        cost: eoq_disrupted_cost(quantity, costs, disruptions, approximate)?,
    })
}

/// Golden section search of a function with one valley.
pub(super) fn least(mut low: f64, mut high: f64, cost: impl Fn(f64) -> f64) -> f64 {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let mut left = high - (high - low) * golden;
    let mut right = low + (high - low) * golden;
    let (mut at_left, mut at_right) = (cost(left), cost(right));
    for _ in 0..120 {
        if at_left <= at_right {
            high = right;
            (right, at_right) = (left, at_left);
            left = high - (high - low) * golden;
            at_left = cost(left);
        } else {
            low = left;
            (left, at_left) = (right, at_right);
            right = low + (high - low) * golden;
            at_right = cost(right);
        }
    }
    f64::midpoint(low, high)
}

/// A supplier who is down with probability `stop` after a good period and up again with `recover` after a bad one, for a
/// known demand a period: the level that covers enough bad periods (Tomlin 2006), and its cost.
pub fn newsvendor_disrupted(
    holding: f64,
    stockout: f64,
    demand: f64,
    stop: f64,
    recover: f64,
    level: Option<f64>,
) -> Result<LotSize, InventoryError> {
    positive("holding cost", holding)?;
    positive("stock-out cost", stockout)?;
    positive("demand", demand)?;
    share("probability of a stop", stop)?;
    share("probability of a return", recover)?;
    // A return rarer than this is none: the sum over bad periods would not end.
    positive("probability of a return less 0.00001", recover - 1e-5)?;
    let critical = stockout / (stockout + holding);
    // Down for more than n periods has probability down · (1 − recover)ⁿ.
    let down = stop / (stop + recover);
    let level = match level {
        Some(level) => level,
        None => {
            let mut covered = 0.0;
            let mut left = down;
            while 1.0 - left < critical {
                covered += 1.0;
                left *= 1.0 - recover;
            }
            demand * (1.0 + covered)
        }
    };
    let mut cost = 0.0;
    let mut probability = 1.0 - down;
    let mut needed = demand;
    let mut left = down;
    loop {
        let gap = level - needed;
        cost += probability * if gap > 0.0 { holding * gap } else { -stockout * gap };
        probability = left * recover;
        left -= probability;
        needed += demand;
        if left <= 1e-13 {
            break;
        }
    }
    Ok(LotSize {
        quantity: level,
        cost,
    })
}

/// A receipt of the order plus a random amount, for a known demand: the quantity and its cost.
pub fn newsvendor_additive_yield(
    holding: f64,
    stockout: f64,
    demand: f64,
    more: &Demand,
) -> Result<LotSize, InventoryError> {
    positive("holding cost", holding)?;
    positive("stock-out cost", stockout)?;
    let quantity = demand - more.quantile(holding / (holding + stockout))?;
    let loss = more.loss(demand - quantity);
    Ok(LotSize {
        quantity,
        cost: holding * loss.short + stockout * loss.left,
    })
}
