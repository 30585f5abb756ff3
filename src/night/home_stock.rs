//! What the domestic warehouse has (R29): by a list that a person gives, or by its newest snapshot.

use std::collections::BTreeMap;

use super::Night;
use crate::calendar::civil_day;
use crate::catalog::CodeKind;
use crate::ids::{Sku, SourceId};
use crate::ledger::StockRow;
use crate::order::StockingOrder;
use crate::problem::Problem;
use crate::store::{StoreError, Tx, catalog, facts};

/// Units by SKU, and what it means that one is not named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeStock {
    pub units: BTreeMap<Sku, i64>,
    /// Everything that is there is named.
    pub whole: bool,
    /// Who says so, and of which day.
    of: String,
}

impl HomeStock {
    /// As a person listed it: what is not on the list is not known.
    #[must_use]
    pub fn listed(units: BTreeMap<Sku, i64>) -> Self {
        Self {
            units,
            whole: false,
            of: String::new(),
        }
    }

    /// Units with who says so; empty where the warehouse does not have the goods at all.
    #[must_use]
    pub fn said(&self, units: Option<i64>) -> String {
        let units = units.map_or_else(|| "none".to_owned(), |units| units.to_string());
        match self.of.as_str() {
            "" => units,
            of => format!("{units} ({of})"),
        }
    }
}

/// By the newest snapshot of the warehouse that orders are shipped from; `None` where none is named. A warehouse that was never
/// asked has nothing that is known, and so nothing that may be packed without a reason.
///
/// # Errors
/// When the store fails.
pub async fn known(
    night: &Night<'_>,
    tx: &mut Tx,
    order: &StockingOrder,
) -> Result<Option<HomeStock>, StoreError> {
    let Some(home) = &night.config.order.ships_from else {
        return Ok(None);
    };
    let mut stock = HomeStock {
        units: BTreeMap::new(),
        whole: true,
        of: format!("{home} was never asked"),
    };
    let all = catalog::load(tx, night.account(), night.today()).await?;
    for view in facts::latest_stock(tx, night.account()).await? {
        let Some(as_of) = view.as_of.filter(|_| view.warehouse == *home) else {
            continue;
        };
        let mut said = format!("{home}, {}", civil_day(as_of, night.config.account.zone));
        if view.stale_since.is_some() {
            said.push_str(", stale");
        }
        stock.of = said;
        for line in &order.lines {
            let sku = &line.goods.sku;
            let rows = view
                .rows
                .iter()
                .filter_map(|row| there(row)?.checked_mul(multiple(night, &all, &view.source, row, sku)?));
            let rows: Vec<i64> = rows.collect();
            if !rows.is_empty() {
                let all = rows.into_iter().fold(0_i64, i64::saturating_add);
                stock.units.insert(sku.clone(), all);
            }
        }
    }
    Ok(Some(stock))
}

/// Goods of which the domestic warehouse has less than the order takes.
#[must_use]
pub fn shortages(order: &StockingOrder, stock: &HomeStock) -> Vec<Problem> {
    order
        .lines
        .iter()
        .filter_map(|line| {
            // Goods that a list does not name are not said to be zero; in a whole snapshot they are not there.
            let there = match stock.units.get(&line.goods.sku) {
                Some(there) => Some(*there),
                None if stock.whole => None,
                None => return None,
            };
            (there.is_none_or(|there| there < line.units)).then(|| {
                let wanted = format!(
                    "{} in the domestic warehouse, or --beyond-stock with a reason",
                    line.units
                );
                let place = format!("SKU {}", line.goods.sku);
                Problem::new(
                    format!("order {}", order.number),
                    place,
                    "stock",
                    stock.said(there),
                    wanted,
                )
            })
        })
        .collect()
}

/// What lies there: what is reserved may be for this very order. A row without the bucket says nothing.
fn there(row: &StockRow) -> Option<i64> {
    row.buckets
        .available?
        .checked_add(row.buckets.reserved.unwrap_or(0))
}

/// How many of our units one of the row's is, when the row is of these goods.
fn multiple(
    night: &Night<'_>,
    all: &crate::catalog::Catalog,
    source: &SourceId,
    row: &StockRow,
    sku: &Sku,
) -> Option<i64> {
    let known = [CodeKind::WarehouseSku, CodeKind::Fnsku, CodeKind::Msku]
        .into_iter()
        .find_map(|kind| all.codes.resolve(source, kind, &row.sku_code, night.today()));
    match known {
        Some(code) if code.sku == *sku => Some(code.multiple),
        Some(_) => None,
        // A warehouse of one's own often calls goods as the seller does.
        None => (row.sku_code == sku.as_str()).then_some(1),
    }
}
