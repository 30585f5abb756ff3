//! Why a plan differs from an earlier one: each cause in units, adding up to the whole.
//!
//! With both snapshots at hand the plan is computed again with one part after the other replaced by the new one;
//! what a step changes is that part's. Without them the causes are read from the two explain trees.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::suggested;
use super::model::{Cause, LineChange, Plan, PlanDiff, PlanLine};
use super::snapshot::{ItemSeries, Policy, Snapshot};
use crate::ids::{Sku, WarehouseCode};

type Key<'a> = (&'a WarehouseCode, &'a Sku);
type Quantities = BTreeMap<(WarehouseCode, Sku), i64>;

/// The exact difference. Order of substitution: time, sales, stock, inbound, then parameters (policy, lead times,
/// cartons, minimums, status).
#[must_use]
pub fn diff(before: (&Snapshot, &Policy, &Plan), after: (&Snapshot, &Policy, &Plan)) -> PlanDiff {
    let (old, old_policy, old_plan) = before;
    let (new, _, new_plan) = after;
    let fresh: BTreeMap<Key<'_>, &ItemSeries> = new
        .series
        .iter()
        .map(|item| ((&item.warehouse, &item.sku), item))
        .collect();
    let mut mixed = old.clone();
    let mut steps: Vec<(Cause, Quantities)> = Vec::new();
    let mut known = Quantities::new();
    for cause in [Cause::Time, Cause::Sales, Cause::Stock, Cause::Inbound] {
        if cause == Cause::Time {
            mixed.as_of = new.as_of;
        }
        // Time and sales reach every line: the season is learned from all of them. Stock and what is under way
        // are a line's own, so that the other lines keep what was just computed.
        let all = matches!(cause, Cause::Time | Cause::Sales);
        let mut touched = vec![all; mixed.series.len()];
        for (item, touched) in mixed.series.iter_mut().zip(&mut touched) {
            let Some(fresh) = fresh.get(&(&item.warehouse, &item.sku)) else {
                continue;
            };
            match cause {
                Cause::Sales => {
                    item.sales = fresh.sales.clone();
                    item.sales_state = fresh.sales_state;
                }
                Cause::Stock => {
                    *touched |= (item.available, item.pending_putaway, item.stock_state)
                        != (fresh.available, fresh.pending_putaway, fresh.stock_state);
                    item.available = fresh.available;
                    item.pending_putaway = fresh.pending_putaway;
                    item.stock_state = fresh.stock_state;
                }
                Cause::Inbound => {
                    *touched |= item.inbound != fresh.inbound;
                    item.inbound = fresh.inbound.clone();
                }
                _ => {}
            }
        }
        known.extend(suggested(&mixed, old_policy, &touched));
        steps.push((cause, known.clone()));
    }
    compare(old_plan, new_plan, |before, after| {
        let key = (before.warehouse.clone(), before.sku.clone());
        let mut last = before.suggested_units.unwrap_or(0);
        let mut causes = Vec::new();
        for (cause, units) in &steps {
            let now = units.get(&key).copied().unwrap_or(last);
            causes.push((*cause, now - last));
            last = now;
        }
        causes.push((Cause::Parameter, after.suggested_units.unwrap_or(0) - last));
        causes
    })
}

/// The difference as far as the two plans tell by themselves: what stock, pending and inbound units changed, what
/// the level changed, and the rest.
#[must_use]
pub fn diff_plans(before: &Plan, after: &Plan) -> PlanDiff {
    compare(before, after, |old, new| {
        let term = |key: &str| {
            let of = |line: &PlanLine| line.explain.units_of(key).unwrap_or(0);
            of(new) - of(old)
        };
        let whole = new.suggested_units.unwrap_or(0) - old.suggested_units.unwrap_or(0);
        let sales = term("order_up_to");
        let stock = term("less_available") + term("less_pending");
        let inbound = term("less_inbound") + term("late_inbound");
        vec![
            (Cause::Sales, sales),
            (Cause::Stock, stock),
            (Cause::Inbound, inbound),
            (Cause::Parameter, whole - sales - stock - inbound),
        ]
    })
}

fn compare(
    before: &Plan,
    after: &Plan,
    causes: impl Fn(&PlanLine, &PlanLine) -> Vec<(Cause, i64)>,
) -> PlanDiff {
    let by_key = |plan: &'_ Plan| -> BTreeMap<(WarehouseCode, Sku), usize> {
        plan.lines
            .iter()
            .enumerate()
            .map(|(index, line)| ((line.warehouse.clone(), line.sku.clone()), index))
            .collect()
    };
    let (old, new) = (by_key(before), by_key(after));
    let keys: BTreeSet<&(WarehouseCode, Sku)> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let line =
            |plan: &'_ Plan, index: Option<&usize>| index.and_then(|index| plan.lines.get(*index)).cloned();
        let (old, new) = (line(before, old.get(key)), line(after, new.get(key)));
        let units = |line: &Option<PlanLine>| line.as_ref().and_then(|line| line.suggested_units);
        let level = |line: &Option<PlanLine>| line.as_ref().and_then(|line| line.level);
        let (from, to) = (units(&old), units(&new));
        if from == to && level(&old) == level(&new) && old.is_some() == new.is_some() {
            continue;
        }
        let difference = to.unwrap_or(0) - from.unwrap_or(0);
        let mut why = match (&old, &new) {
            (None, _) => vec![(Cause::NewLine, difference)],
            (_, None) => vec![(Cause::GoneLine, difference)],
            (Some(old), Some(new)) => causes(old, new),
        };
        why.retain(|(cause, units)| *units != 0 || matches!(cause, Cause::NewLine | Cause::GoneLine));
        changes.push(LineChange {
            warehouse: key.0.clone(),
            sku: key.1.clone(),
            before: from,
            after: to,
            level_before: level(&old),
            level_after: level(&new),
            causes: why,
        });
    }
    PlanDiff {
        before: before.id.clone(),
        after: after.id.clone(),
        changes,
    }
}
