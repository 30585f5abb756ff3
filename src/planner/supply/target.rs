//! A service target from what things cost: the newsvendor's ratio beside the service class.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::low_stock::LowStockTest;
use super::terms::Terms;
use super::{TargetRule, TargetView};
use crate::planner::snapshot::{ItemSeries, Policy};

/// No target is lower or higher, whatever the prices.
const BOUNDS: (u16, u16) = (500, 995);
const PLACES: u32 = 4;

/// None when margin or cost is unknown, or in two currencies.
///
/// A missing unit costs its margin and, when its test says so, the fee of low stock; a unit too many costs until the next order the storage of
/// its size at the first paid tier, and the money that stands in it.
#[must_use]
pub fn cost_target(
    item: &ItemSeries,
    terms: &Terms<'_>,
    policy: &Policy,
    as_of: NaiveDate,
    service_permille: u16,
) -> Option<TargetView> {
    let facts = terms.item(&item.warehouse, &item.sku)?;
    let margin = facts.margin?;
    let cost = item.unit_cost.filter(|cost| cost.currency == margin.currency)?;
    let days = Decimal::from(policy.review_days.clamp(1, 365));
    let low_stock = match facts.low_stock_fee {
        Some(fee) if fee.currency == margin.currency => {
            Some(LowStockTest::of(item, facts, fee.amount, as_of))
        }
        Some(_) => return None,
        None => None,
    };
    let low = low_stock
        .as_ref()
        .filter(|test| test.found.counts())
        .map_or(Decimal::ZERO, |test| test.fee);
    let tiers = terms.storage(&item.warehouse);
    let paid = tiers.iter().find(|tier| tier.rate > Decimal::ZERO);
    let storage = match (paid, facts.volume_cm3) {
        (Some(tier), Some(volume)) if tier.currency == margin.currency => {
            tier.rate * Decimal::from(volume) / Decimal::from(1_000_000) * days
        }
        (Some(_), _) => return None,
        (None, _) => Decimal::ZERO,
    };
    let capital = cost.amount * Decimal::from(policy.supply.capital_permille) / Decimal::ONE_THOUSAND * days
        / Decimal::from(365);
    let missing = margin.amount + low;
    let surplus = storage + capital;
    if missing <= Decimal::ZERO || surplus < Decimal::ZERO {
        return None;
    }
    let ratio = missing / (missing + surplus) * Decimal::ONE_THOUSAND;
    let cost_permille = ratio.round().to_u16()?.clamp(BOUNDS.0, BOUNDS.1);
    Some(TargetView {
        rule: policy.supply.target,
        service_permille,
        cost_permille,
        missing_costs: missing.round_dp(PLACES).normalize(),
        surplus_costs: surplus.round_dp(PLACES).normalize(),
        low_stock,
    })
}

impl TargetView {
    /// The target that the line is planned by.
    #[must_use]
    pub fn used(&self) -> u16 {
        match self.rule {
            TargetRule::Service => self.service_permille,
            TargetRule::Cost => self.cost_permille,
        }
    }
}
