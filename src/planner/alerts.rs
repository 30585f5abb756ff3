//! Alerts with a memory (R14): one per condition, told again only when worse or after some days.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::balance::day_after;
use super::model::{Alert, AlertLevel, Plan, PlanLine};
use super::snapshot::Policy;

/// A condition ends only when it is better than its threshold by so much: a unit more or less must not open and
/// close an alert every other day.
const MARGIN_DAYS: i64 = 2;
const MARGIN_PERCENT: i64 = 10;

/// Today's alerts from today's lines and yesterday's alerts.
#[must_use]
pub fn alerts(lines: &[PlanLine], parent: Option<&Plan>, policy: &Policy, as_of: NaiveDate) -> Vec<Alert> {
    let before: BTreeMap<_, &Alert> = parent
        .into_iter()
        .flat_map(|plan| &plan.alerts)
        .map(|alert| ((&alert.warehouse, &alert.sku), alert))
        .collect();
    let mut alerts: Vec<Alert> = lines
        .iter()
        .filter_map(|line| {
            alert(
                line,
                before.get(&(&line.warehouse, &line.sku)).copied(),
                policy,
                as_of,
            )
        })
        .collect();
    alerts.sort_by(|a, b| (a.level, &a.warehouse, &a.sku).cmp(&(b.level, &b.warehouse, &b.sku)));
    alerts
}

fn alert(line: &PlanLine, before: Option<&Alert>, policy: &Policy, as_of: NaiveDate) -> Option<Alert> {
    let Some(before) = before else {
        return line.level.map(|level| Alert {
            warehouse: line.warehouse.clone(),
            sku: line.sku.clone(),
            level,
            first_seen: as_of,
            last_sent: as_of,
            stockout: line.stockout.p50,
            acknowledged: false,
            tell: true,
        });
    };
    // What cannot be computed today is not over.
    let level = match line.level {
        Some(level) if level <= before.level => level,
        _ if still_holds(before.level, line, policy, as_of) => before.level,
        Some(level) => level,
        None => return None,
    };
    let nearer = match (before.stockout, line.stockout.p50) {
        (Some(told), Some(now)) => (told - now).num_days() >= policy.worse_days.max(1),
        (None, Some(_)) => level != AlertLevel::Overstock,
        _ => false,
    };
    let worse = level < before.level || nearer;
    let due = !before.acknowledged && (as_of - before.last_sent).num_days() >= policy.remind_days.max(1);
    let tell = worse || due;
    Some(Alert {
        warehouse: line.warehouse.clone(),
        sku: line.sku.clone(),
        level,
        first_seen: before.first_seen,
        last_sent: if tell { as_of } else { before.last_sent },
        // The date last told is what "nearer" is measured against, so that a slow slide is told too.
        stockout: if tell { line.stockout.p50 } else { before.stockout },
        acknowledged: before.acknowledged && !worse,
        tell,
    })
}

fn still_holds(level: AlertLevel, line: &PlanLine, policy: &Policy, as_of: NaiveDate) -> bool {
    if line.need_units.is_none() {
        return true;
    }
    let within = |days: i64| {
        line.order_by
            .is_some_and(|order_by| order_by <= day_after(as_of, days + MARGIN_DAYS))
    };
    let stock = line.available.unwrap_or(0) + line.pending_putaway.unwrap_or(0);
    match level {
        AlertLevel::Critical => within(0),
        AlertLevel::Warning => within(policy.warning_days),
        AlertLevel::Notice => line
            .safety_units
            .is_some_and(|safety| stock * 100 < safety * (100 + MARGIN_PERCENT)),
        AlertLevel::Overstock => match (line.velocity, line.available) {
            (Some(velocity), Some(_)) => {
                let inbound: i64 = line.inbound.iter().map(|inbound| inbound.units).sum();
                rust_decimal::Decimal::from((stock + inbound) * 100)
                    > velocity
                        * rust_decimal::Decimal::from(policy.overstock_days.max(1) * (100 - MARGIN_PERCENT))
            }
            _ => true,
        },
    }
}
