//! Economic order quantities: a steady demand, a cost for each order, a cost for each unit and period held.

use super::error::{InventoryError, length, not_negative, positive};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LotSize {
    pub quantity: f64,
    /// Cost a period.
    pub cost: f64,
}

pub(super) fn rates(fixed: f64, holding: f64, demand: f64) -> Result<(), InventoryError> {
    not_negative("fixed cost", fixed)?;
    positive("holding cost", holding)?;
    positive("demand rate", demand)
}

/// Harris (1913): `√(2KD/h)`.
pub fn eoq(fixed: f64, holding: f64, demand: f64) -> Result<LotSize, InventoryError> {
    rates(fixed, holding, demand)?;
    Ok(LotSize {
        quantity: (2.0 * fixed * demand / holding).sqrt(),
        cost: (2.0 * fixed * demand * holding).sqrt(),
    })
}

/// Cost a period of ordering `quantity` each time.
pub fn eoq_cost(quantity: f64, fixed: f64, holding: f64, demand: f64) -> Result<f64, InventoryError> {
    rates(fixed, holding, demand)?;
    positive("order quantity", quantity)?;
    Ok(fixed * demand / quantity + holding * quantity / 2.0)
}

/// A lot and the share of demand that waits for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackorderedLot {
    pub quantity: f64,
    pub backordered: f64,
    pub cost: f64,
}

/// Planned backorders at a cost for each unit and period waited: the share `h/(h + p)` waits.
pub fn eoq_with_backorders(
    fixed: f64,
    holding: f64,
    stockout: f64,
    demand: f64,
) -> Result<BackorderedLot, InventoryError> {
    rates(fixed, holding, demand)?;
    positive("fixed cost", fixed)?;
    positive("stock-out cost", stockout)?;
    let quantity = (2.0 * fixed * demand * (holding + stockout) / (holding * stockout)).sqrt();
    let backordered = holding / (holding + stockout);
    Ok(BackorderedLot {
        quantity,
        backordered,
        cost: eoq_with_backorders_cost(quantity, backordered, fixed, holding, stockout, demand)?,
    })
}

pub fn eoq_with_backorders_cost(
    quantity: f64,
    backordered: f64,
    fixed: f64,
    holding: f64,
    stockout: f64,
    demand: f64,
) -> Result<f64, InventoryError> {
    rates(fixed, holding, demand)?;
    positive("stock-out cost", stockout)?;
    positive("order quantity", quantity)?;
    not_negative("backordered share", backordered)?;
    let held = holding * quantity * (1.0 - backordered).powi(2) / 2.0;
    let waited = stockout * quantity * backordered.powi(2) / 2.0;
    Ok(held + waited + fixed * demand / quantity)
}

/// Economic production quantity (Taft 1918): the lot arrives at a rate, not at once.
pub fn epq(fixed: f64, holding: f64, demand: f64, production: f64) -> Result<LotSize, InventoryError> {
    let effective = production_holding(holding, demand, production)?;
    eoq(fixed, effective, demand)
}

pub fn epq_cost(
    quantity: f64,
    fixed: f64,
    holding: f64,
    demand: f64,
    production: f64,
) -> Result<f64, InventoryError> {
    let effective = production_holding(holding, demand, production)?;
    eoq_cost(quantity, fixed, effective, demand)
}

fn production_holding(holding: f64, demand: f64, production: f64) -> Result<f64, InventoryError> {
    positive("production rate above demand", production - demand)?;
    Ok(holding * (1.0 - demand / production))
}

/// A price list: `from[i]` is the first quantity that has the price `price[i]`; the first begins at zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriceBreaks<'a> {
    pub from: &'a [f64],
    pub price: &'a [f64],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscountedLot {
    pub quantity: f64,
    /// Index of the price bought at.
    pub region: usize,
    /// Cost a period, purchase included.
    pub cost: f64,
}

impl PriceBreaks<'_> {
    fn check(&self) -> Result<(), InventoryError> {
        length("prices", self.from.len(), self.price.len())?;
        if self.from.is_empty() {
            return length("price breaks", 1, 0);
        }
        for price in self.price {
            positive("price", *price)?;
        }
        for pair in self.from.windows(2) {
            positive("step between price breaks", pair[1] - pair[0])?;
        }
        if self.from[0] == 0.0 {
            return Ok(());
        }
        Err(InventoryError::Parameter {
            parameter: "first price break",
            wanted: "0",
            got: self.from[0],
        })
    }

    fn best(&self, lot: impl Fn(usize) -> Option<(f64, f64)>) -> Option<DiscountedLot> {
        let mut best: Option<DiscountedLot> = None;
        for region in 0..self.from.len() {
            let Some((quantity, cost)) = lot(region) else {
                continue;
            };
            if best.is_none_or(|other| cost < other.cost) {
                best = Some(DiscountedLot {
                    quantity,
                    region,
                    cost,
                });
            }
        }
        best
    }
}

/// The lower price holds for all units of the order. Holding costs `rate` of the price a period.
pub fn eoq_all_units_discount(
    fixed: f64,
    rate: f64,
    demand: f64,
    breaks: PriceBreaks<'_>,
) -> Result<DiscountedLot, InventoryError> {
    rates(fixed, rate, demand)?;
    breaks.check()?;
    let lot = |region: usize| {
        let price = breaks.price[region];
        let holding = rate * price;
        let quantity = (2.0 * fixed * demand / holding).sqrt().max(breaks.from[region]);
        // A larger quantity than this price covers is bought cheaper under the next one.
        if breaks.from.get(region + 1).is_some_and(|next| quantity >= *next) || quantity <= 0.0 {
            return None;
        }
        let cost = price * demand + fixed * demand / quantity + holding * quantity / 2.0;
        Some((quantity, cost))
    };
    breaks.best(lot).ok_or(InventoryError::Parameter {
        parameter: "fixed cost",
        wanted: "above 0",
        got: fixed,
    })
}

/// The lower price holds for the units beyond each break only.
pub fn eoq_incremental_discount(
    fixed: f64,
    rate: f64,
    demand: f64,
    breaks: PriceBreaks<'_>,
) -> Result<DiscountedLot, InventoryError> {
    rates(fixed, rate, demand)?;
    breaks.check()?;
    let lot = |region: usize| {
        let price = breaks.price[region];
        // What the dearer units before this region cost more than its price.
        let surcharge: f64 = (0..region)
            .map(|i| (breaks.price[i] - price) * (breaks.from[i + 1] - breaks.from[i]))
            .sum();
        let quantity = (2.0 * (fixed + surcharge) * demand / (rate * price)).sqrt();
        let above = breaks.from.get(region + 1).is_some_and(|next| quantity > *next);
        if quantity.is_nan() || quantity <= 0.0 || quantity < breaks.from[region] || above {
            return None;
        }
        let cost = price * demand
            + (fixed + surcharge) * demand / quantity
            + rate * surcharge / 2.0
            + rate * price * quantity / 2.0;
        Some((quantity, cost))
    };
    breaks.best(lot).ok_or(InventoryError::Parameter {
        parameter: "fixed cost",
        wanted: "above 0",
        got: fixed,
    })
}

/// One product of a joint order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointItem {
    /// Cost of having this product in an order.
    pub fixed: f64,
    pub holding: f64,
    pub demand: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JointPlan {
    /// Periods between two orders.
    pub cycle: f64,
    /// Each product is in every n-th order.
    pub multiples: Vec<u32>,
    pub quantities: Vec<f64>,
    pub cost: f64,
}

/// Joint replenishment by Silver's heuristic (1976): the product dearest to hold against its own fixed cost is in every
/// order, the others in every n-th, rounded to the nearest (halves to the even side).
pub fn joint_replenishment(shared: f64, items: &[JointItem]) -> Result<JointPlan, InventoryError> {
    not_negative("shared fixed cost", shared)?;
    for item in items {
        rates(item.fixed, item.holding, item.demand)?;
    }
    let ratio = |item: &JointItem| item.fixed / (item.holding * item.demand);
    let Some(base) = items.iter().min_by(|a, b| ratio(a).total_cmp(&ratio(b))) else {
        return Err(InventoryError::Length {
            what: "products",
            wants: 1,
            has: 0,
        });
    };
    positive("fixed cost of an order", shared + base.fixed)?;
    let scale = base.holding * base.demand / (shared + base.fixed);
    let multiples: Vec<u32> = items
        .iter()
        .map(|item| (ratio(item) * scale).sqrt().round_ties_even().clamp(1.0, 1e6) as u32)
        .collect();
    let with = |f: &dyn Fn(&JointItem, f64) -> f64| -> f64 {
        items
            .iter()
            .zip(&multiples)
            .map(|(item, multiple)| f(item, f64::from(*multiple)))
            .sum()
    };
    let fixed = shared + with(&|item, multiple| item.fixed / multiple);
    let held = with(&|item, multiple| item.holding * item.demand * multiple);
    let cycle = (2.0 * fixed / held).sqrt();
    Ok(JointPlan {
        cycle,
        quantities: items
            .iter()
            .zip(&multiples)
            .map(|(item, multiple)| cycle * f64::from(*multiple) * item.demand)
            .collect(),
        multiples,
        cost: fixed / cycle + cycle * held / 2.0,
    })
}
