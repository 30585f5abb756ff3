//! What a backtest reads beside the snapshot: the shelf day by day, and what bringing a unit costs.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Facts, STOCK_KINDS};
use crate::backtest::Rates;
use crate::ids::{Sku, WarehouseCode};

/// Sellable units by day, all codes of a SKU together; a day on which one of them is unknown is left out.
#[must_use]
pub fn recorded(facts: &Facts<'_>) -> BTreeMap<(WarehouseCode, Sku), BTreeMap<NaiveDate, i64>> {
    let mut days: BTreeMap<(WarehouseCode, Sku), BTreeMap<NaiveDate, Option<i64>>> = BTreeMap::new();
    for (warehouse, code, day, available) in &facts.stock_days {
        let view = facts.stock.iter().find(|view| view.warehouse == *warehouse);
        let Some(source) = view.map(|view| &view.source) else {
            continue;
        };
        let found = STOCK_KINDS
            .iter()
            .find_map(|kind| facts.catalog.resolve(source, *kind, code, *day));
        let Some(found) = found else { continue };
        let sum = days
            .entry((warehouse.clone(), found.sku))
            .or_default()
            .entry(*day)
            .or_insert(Some(0));
        *sum = sum
            .zip(*available)
            .map(|(sum, units)| sum.saturating_add(units.saturating_mul(found.multiple)));
    }
    days.into_iter()
        .map(|(key, days)| {
            let known = days.into_iter().filter_map(|(day, units)| Some((day, units?)));
            (key, known.collect())
        })
        .collect()
}

/// Freight of a unit on the lane used first, where its rate and the unit's weight are known. Nobody here knows what
/// storage costs.
#[must_use]
pub fn freight(facts: &Facts<'_>) -> BTreeMap<(WarehouseCode, Sku), Rates> {
    let mut rates = BTreeMap::new();
    for warehouse in facts.catalog.warehouses.keys() {
        let lanes = facts
            .catalog
            .lanes
            .iter()
            .filter(|lane| lane.warehouse == *warehouse);
        let first = lanes.min_by_key(|lane| (lane.priority.unwrap_or(i64::MAX), lane.mode));
        let Some(rate) = first.and_then(|lane| lane.cost_per_kg) else {
            continue;
        };
        for item in facts.catalog.items.values() {
            if let Some(grams) = item.unit_gross_g {
                rates.insert(
                    (warehouse.clone(), item.sku.clone()),
                    Rates {
                        currency: rate.currency,
                        storage: None,
                        freight: Some(rate.amount * Decimal::new(grams, 3)),
                    },
                );
            }
        }
    }
    rates
}
