//! Units counted under another shipment's number: a short one and an over one of the same SKU and warehouse whose
//! receipts lie close together explain each other (R55).

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Line, Pooled, Rules};
use crate::ids::OrderNo;

/// Pairs shorts with overs, the closest receipts first, until one side is used up. A shipment of which nothing was
/// counted under its own number stands in time where its inbound was closed.
pub(super) fn share(lines: &mut [Line], closed_on: &BTreeMap<OrderNo, NaiveDate>, rules: &Rules) {
    let span = |line: &Line| -> Option<(NaiveDate, NaiveDate)> {
        let closed = closed_on.get(&line.order).copied();
        Some((line.first_receipt.or(closed)?, line.last_receipt.or(closed)?))
    };
    let mut short: Vec<i64> = lines
        .iter()
        .map(|line| {
            if line.state.is_final() {
                (-line.difference).max(0)
            } else {
                0
            }
        })
        .collect();
    let mut over: Vec<i64> = lines.iter().map(|line| line.difference.max(0)).collect();

    let mut pairs: Vec<(i64, usize, usize)> = Vec::new();
    let overs: Vec<usize> = (0..lines.len()).filter(|index| over[*index] > 0).collect();
    for (index, line) in lines.iter().enumerate() {
        if short[index] == 0 {
            continue;
        }
        for other_index in &overs {
            let Some(other) = lines.get(*other_index) else {
                continue;
            };
            if other.sku == line.sku
                && other.warehouse == line.warehouse
                && let (Some(own), Some(others)) = (span(line), span(other))
                && let days = days_apart(own, others)
                && days <= rules.pool_days
            {
                pairs.push((days, index, *other_index));
            }
        }
    }
    // Lines stand in their fixed order, so equal distances are settled the same way every time.
    pairs.sort_unstable();
    for (_, index, other) in pairs {
        let units = short[index].min(over[other]);
        if units == 0 {
            continue;
        }
        short[index] -= units;
        over[other] -= units;
        let (order, other_order) = (lines[index].order.clone(), lines[other].order.clone());
        lines[index].pooled.push(Pooled {
            other: other_order,
            units,
        });
        lines[other].pooled.push(Pooled {
            other: order,
            units: -units,
        });
    }
}

/// Days between two spans; 0 when they overlap.
fn days_apart(a: (NaiveDate, NaiveDate), b: (NaiveDate, NaiveDate)) -> i64 {
    (b.0 - a.1).num_days().max((a.0 - b.1).num_days()).max(0)
}
