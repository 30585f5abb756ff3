//! What differs from the revision before, and what the domestic warehouse does not have.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::ids::Sku;
use crate::order::model::StockingOrder;

fn units(order: &StockingOrder) -> BTreeMap<Sku, i64> {
    let mut units = BTreeMap::new();
    for line in &order.lines {
        *units.entry(line.goods.sku.clone()).or_default() += line.units;
    }
    units
}

/// One row for every figure that a person packing the goods has to unlearn.
pub(super) fn changes(order: &StockingOrder, previous: Option<&StockingOrder>) -> Value {
    let Some(previous) = previous else {
        return json!([]);
    };
    let row = |sku: &str, what_zh: &str, what_en: &str, was: String, now: String| json!({"sku": sku, "what_zh": what_zh, "what_en": what_en, "was": was, "now": now});
    let (was, now) = (units(previous), units(order));
    let skus: std::collections::BTreeSet<&Sku> = was.keys().chain(now.keys()).collect();
    let mut rows = Vec::new();
    for sku in skus {
        let (before, after) = (was.get(sku), now.get(sku));
        if before != after {
            let shown = |units: Option<&i64>| units.map_or_else(|| "—".to_owned(), i64::to_string);
            rows.push(row(sku.as_str(), "数量", "units", shown(before), shown(after)));
        }
    }
    let heads = [
        (
            "货好日期",
            "ready date",
            previous.ship_by.to_string(),
            order.ship_by.to_string(),
        ),
        (
            "箱数",
            "cartons",
            previous.cartons.len().to_string(),
            order.cartons.len().to_string(),
        ),
        (
            "目的仓",
            "warehouse",
            previous.warehouse.to_string(),
            order.warehouse.to_string(),
        ),
        (
            "运输方式",
            "mode",
            previous.mode.code().to_owned(),
            order.mode.code().to_owned(),
        ),
    ];
    for (what_zh, what_en, before, after) in heads {
        if before != after {
            rows.push(row("", what_zh, what_en, before, after));
        }
    }
    Value::Array(rows)
}

/// Only SKUs whose domestic stock is known: unknown is not a shortage.
pub(super) fn shortages(order: &StockingOrder, stock: &BTreeMap<Sku, i64>) -> Value {
    let rows = units(order).into_iter().filter_map(|(sku, wanted)| {
        let held = *stock.get(&sku)?;
        (held < wanted).then(|| json!({"sku": sku, "wanted": wanted, "stock": held, "short": wanted - held}))
    });
    Value::Array(rows.collect())
}
