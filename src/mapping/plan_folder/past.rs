//! Files only a backtest reads: what was on the shelf day by day, and what keeping and moving a unit costs.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::cells::{Sheet, date, decimal, whole};
use super::{as_workbook, columns, facts};
use crate::backtest::{History, Rates};
use crate::ids::{Sku, WarehouseCode};
use crate::money::Currency;
use crate::planner::{Policy, Snapshot};
use crate::problem::Problem;

/// Names of the files.
pub const FILES: [&str; 2] = ["stock_history.csv", "rates.csv"];

/// Whether a backtest reads a file of this name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    FILES
        .iter()
        .any(|known| *known == name || as_workbook(known).as_deref() == Some(name))
}

/// The history of a folder: what a plan reads of it, and these files where they are there.
#[must_use]
pub fn history(
    files: &BTreeMap<String, Vec<u8>>,
    snapshot: Snapshot,
    policy: Policy,
    problems: &mut Vec<Problem>,
) -> History {
    let mut history = History {
        snapshot,
        policy,
        stock: BTreeMap::new(),
        rates: BTreeMap::new(),
    };
    let only = match history.snapshot.warehouses.as_slice() {
        [only] => Some(only.warehouse.clone()),
        _ => None,
    };
    for name in FILES {
        let found = files
            .get_key_value(name)
            .or_else(|| as_workbook(name).and_then(|name| files.get_key_value(&name)));
        let Some((found, bytes)) = found else { continue };
        let Some(sheet) = Sheet::open(found, bytes, columns::of(name), problems) else {
            continue;
        };
        if name == "rates.csv" {
            rates(&sheet, only.as_ref(), &mut history, problems);
        } else {
            stock(&sheet, only.as_ref(), &mut history, problems);
        }
    }
    history
}

fn stock(sheet: &Sheet, only: Option<&WarehouseCode>, history: &mut History, problems: &mut Vec<Problem>) {
    for row in sheet.rows() {
        let warehouse = facts::warehouse(sheet, &row, only, problems);
        let sku = facts::sku(sheet, &row, problems);
        let day: Option<NaiveDate> = sheet.value(&row, "date", facts::DATE, problems, date);
        let units = sheet.value(&row, "available", "a whole number of units", problems, whole);
        let (Some(warehouse), Some(sku), Some(day), Some(units)) = (warehouse, sku, day, units) else {
            continue;
        };
        if day < history.snapshot.as_of {
            history
                .stock
                .entry((warehouse, sku))
                .or_default()
                .insert(day, units);
        }
    }
}

/// A row without a SKU holds for all of the warehouse that have none of their own.
fn rates(sheet: &Sheet, only: Option<&WarehouseCode>, history: &mut History, problems: &mut Vec<Problem>) {
    let amount = |cell: &str| decimal(cell).filter(|amount| *amount >= Decimal::ZERO);
    let mut general: BTreeMap<WarehouseCode, Rates> = BTreeMap::new();
    for row in sheet.rows() {
        let Some(warehouse) = facts::warehouse(sheet, &row, only, problems) else {
            continue;
        };
        let letters = "three letters such as CNY";
        let currency = sheet.value(&row, "currency", letters, problems, |cell| {
            Currency::new(cell).ok()
        });
        let wanted = "an amount, 0 or more";
        let storage = sheet.value(&row, "storage_unit_day", wanted, problems, amount);
        let freight = sheet.value(&row, "freight_unit", wanted, problems, amount);
        let Some(currency) = currency else { continue };
        let rates = Rates {
            currency,
            storage,
            freight,
        };
        if sheet.cell(&row, "sku").is_empty() {
            general.insert(warehouse, rates);
        } else if let Some(sku) = facts::sku(sheet, &row, problems) {
            history.rates.insert((warehouse, sku), rates);
        }
    }
    let keys: Vec<(WarehouseCode, Sku)> = history
        .snapshot
        .series
        .iter()
        .map(|item| (item.warehouse.clone(), item.sku.clone()))
        .collect();
    for key in keys {
        if let Some(rates) = general.get(&key.0) {
            history.rates.entry(key).or_insert(*rates);
        }
    }
}
