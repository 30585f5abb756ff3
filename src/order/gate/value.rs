//! Declared values (R23). The gate says that a value looks too low; it never offers one.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::finding::SKU_PLACE;
use super::{Finding, Gate, Level, Scene};
use crate::ids::{OrderNo, Sku};
use crate::money::{Currency, Money};
use crate::order::model::OrderLine;

/// What one unit of another currency is in the order's, fixed for the order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rates(pub BTreeMap<Currency, Decimal>);

impl Rates {
    /// An amount in `to`; `None` without a rate.
    #[must_use]
    pub fn convert(&self, money: Money, to: Currency) -> Option<Decimal> {
        if money.currency == to {
            return Some(money.amount);
        }
        self.0
            .get(&money.currency)
            .and_then(|rate| money.amount.checked_mul(*rate))
    }
}

/// From where on a value is told, and from where on it stops the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValuePolicy {
    /// Below so many thousandths of the purchase cost: hold.
    pub hold_cost_permille: u32,
    /// Below so many thousandths of the purchase cost: warn.
    pub warn_cost_permille: u32,
    /// Below so many thousandths of the lowest sales price: warn.
    pub warn_price_permille: u32,
    /// Below so many thousandths of the median of what was declared before: warn.
    pub warn_history_permille: u32,
    /// Least value of one unit by the beginning of the tariff code: hold below it.
    pub floor: BTreeMap<String, Money>,
}

impl Default for ValuePolicy {
    fn default() -> Self {
        Self {
            hold_cost_permille: 500,
            warn_cost_permille: 800,
            warn_price_permille: 100,
            warn_history_permille: 700,
            floor: BTreeMap::new(),
        }
    }
}

/// What was declared of goods on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredBefore {
    pub order: OrderNo,
    pub on: NaiveDate,
    pub sku: Sku,
    pub hs: String,
    pub value: Money,
}

pub(super) fn examine(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for line in &scene.order.lines {
        against_cost(scene, line, findings);
        against_price(scene, line, findings);
        against_floor(scene, line, findings);
        against_history(scene, line, findings);
    }
}

fn tell(
    scene: &Scene<'_>,
    line: &OrderLine,
    level: Level,
    words: (&str, &[(&str, &str)]),
    findings: &mut Vec<Finding>,
) {
    let found = Money::new(line.unit_value, scene.order.currency);
    findings.push(Finding::new(
        (Gate::Value, level),
        scene.order,
        format!("{SKU_PLACE}{}", line.goods.sku),
        ("declared_value", &shown(found)),
        words,
    ));
}

/// As it was written: a value of 0.004 is not 0.00.
fn shown(money: Money) -> String {
    format!("{} {}", money.amount.normalize(), money.currency)
}

fn permille(of: Decimal, permille: u32) -> Decimal {
    of * Decimal::new(i64::from(permille), 3)
}

fn against_cost(scene: &Scene<'_>, line: &OrderLine, findings: &mut Vec<Finding>) {
    let cost = scene
        .goods
        .get(&line.goods.sku)
        .and_then(|facts| facts.cost)
        .filter(|cost| cost.amount > Decimal::ZERO);
    let Some(cost) = cost else {
        tell(scene, line, Level::Warn, ("value.no_cost", &[]), findings);
        return;
    };
    let currency = scene.order.currency;
    let Some(converted) = scene.rates.convert(cost, currency) else {
        let places = [
            ("from", cost.currency.code()),
            ("to", currency.code()),
            ("cost", &shown(cost)),
        ];
        tell(scene, line, Level::Warn, ("value.no_rate", &places), findings);
        return;
    };
    let policy = scene.value;
    let (level, limit) = if line.unit_value < permille(converted, policy.hold_cost_permille) {
        (Level::Hold, policy.hold_cost_permille)
    } else if line.unit_value < permille(converted, policy.warn_cost_permille) {
        (Level::Warn, policy.warn_cost_permille)
    } else {
        return;
    };
    let percent = Decimal::new(i64::from(limit), 1).normalize().to_string();
    let places = [("percent", percent.as_str()), ("cost", &shown(cost))];
    tell(scene, line, level, ("value.cost", &places), findings);
}

fn against_price(scene: &Scene<'_>, line: &OrderLine, findings: &mut Vec<Finding>) {
    let price = scene.goods.get(&line.goods.sku).and_then(|facts| facts.price);
    let Some((price, converted)) =
        price.and_then(|price| Some((price, scene.rates.convert(price, scene.order.currency)?)))
    else {
        return;
    };
    let limit = scene.value.warn_price_permille;
    if line.unit_value < permille(converted, limit) {
        let percent = Decimal::new(i64::from(limit), 1).normalize().to_string();
        let places = [("percent", percent.as_str()), ("price", &shown(price))];
        tell(scene, line, Level::Warn, ("value.price", &places), findings);
    }
}

fn against_floor(scene: &Scene<'_>, line: &OrderLine, findings: &mut Vec<Finding>) {
    let goods = &line.goods;
    let floor = scene
        .value
        .floor
        .iter()
        .filter(|(prefix, _)| {
            goods.hs_cn.starts_with(prefix.as_str()) || goods.hs_destination.starts_with(prefix.as_str())
        })
        .max_by_key(|(prefix, _)| prefix.len());
    let Some((prefix, floor)) = floor else { return };
    match scene.rates.convert(*floor, scene.order.currency) {
        Some(least) if line.unit_value < least => {
            let places = [("hs", prefix.as_str()), ("floor", &shown(*floor))];
            tell(scene, line, Level::Hold, ("value.floor", &places), findings);
        }
        Some(_) => {}
        None => {
            let places = [
                ("from", floor.currency.code()),
                ("to", scene.order.currency.code()),
                ("cost", &shown(*floor)),
            ];
            tell(scene, line, Level::Warn, ("value.no_rate", &places), findings);
        }
    }
}

fn against_history(scene: &Scene<'_>, line: &OrderLine, findings: &mut Vec<Finding>) {
    let order = scene.order;
    let of_line = scene
        .declared
        .iter()
        .filter(|before| before.sku == line.goods.sku && before.order != order.number);
    let converted: Vec<(&super::DeclaredBefore, Decimal)> = of_line
        .filter_map(|before| Some((before, scene.rates.convert(before.value, order.currency)?)))
        .collect();
    let same_day = converted.iter().find(|(before, value)| {
        before.on == order.created_on && before.value.currency == order.currency && *value != line.unit_value
    });
    if let (Some((before, _)), None) = (same_day, scene.value_reason) {
        let places = [("order", before.order.as_str()), ("value", &shown(before.value))];
        tell(scene, line, Level::Hold, ("value.same_day", &places), findings);
    }
    let mut values: Vec<Decimal> = converted.iter().map(|(_, value)| *value).collect();
    if values.is_empty() {
        // Goods never declared are held against others of the seller's under the same tariff code.
        values = scene
            .declared
            .iter()
            .filter(|before| !line.goods.hs_cn.is_empty() && before.hs == line.goods.hs_cn)
            .filter(|before| before.order != order.number)
            .filter_map(|before| scene.rates.convert(before.value, order.currency))
            .collect();
    }
    values.sort();
    let Some(median) = values.get(values.len() / 2).copied() else {
        return;
    };
    if line.unit_value < permille(median, scene.value.warn_history_permille) {
        let places = [
            ("median", median.normalize().to_string()),
            ("count", values.len().to_string()),
            ("currency", order.currency.to_string()),
        ];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        tell(scene, line, Level::Warn, ("value.history", &places), findings);
    }
}
