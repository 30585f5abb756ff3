//! What the plan's suggestions would cost besides their goods: the orders they would become are made up and reckoned, and not kept.

use std::collections::BTreeMap;

use super::Night;
use super::decide::suggested;
use super::gates::Basis;
use super::issue::{ApprovedLine, Booking, travels_apart};
use crate::catalog::Catalog;
use crate::ids::{OrderNo, WarehouseCode};
use crate::order::Mode;
use crate::order::cash::{Cash, Unknown};
use crate::order::term::responsibilities;
use crate::planner::Plan;
use crate::report::PlannedCash;
use crate::store::{StoreError, Tx};

/// One shipment a warehouse and mode, as they would be booked. Without `everything` only those with more to tell than the freight.
///
/// # Errors
/// When the store fails.
pub async fn of_plan(
    night: &Night<'_>,
    tx: &mut Tx,
    (plan, catalog): (&Plan, &Catalog),
    everything: bool,
) -> Result<Vec<PlannedCash>, StoreError> {
    let mut groups: BTreeMap<(WarehouseCode, Mode, bool), Vec<ApprovedLine>> = BTreeMap::new();
    for line in suggested(plan) {
        if everything || may_speak(night, catalog, &line.warehouse, line.mode) {
            let key = (line.warehouse.clone(), line.mode, travels_apart(catalog, &line));
            groups.entry(key).or_default().push(line);
        }
    }
    let Ok(number) = OrderNo::new("PLAN") else {
        return Ok(Vec::new());
    };
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let basis = Basis::load(night, tx).await?;
    let mut planned = Vec::new();
    for ((warehouse, mode, _), lines) in groups {
        let booking = Booking {
            night,
            plan: Some(&plan.id),
            catalog,
            basis: &basis,
            number: number.clone(),
            warehouse,
            mode,
            before: None,
            draft: None,
            reason: None,
        };
        planned.push(of_shipment(&booking, &lines));
    }
    if !everything {
        planned.retain(|one| one.cash.speaks());
    }
    Ok(planned)
}

/// Whether anything but freight can come of it: duty of our own, or a channel with surcharges.
fn may_speak(night: &Night<'_>, catalog: &Catalog, warehouse: &WarehouseCode, mode: Mode) -> bool {
    let inside = night
        .config
        .order
        .term
        .is_some_and(|term| responsibilities(term).duty_in_rate);
    !inside
        || catalog
            .lanes_to(warehouse, mode)
            .any(|lane| lane.channel.heavy_over_g.is_some() || lane.channel.large_over_mm.is_some())
}

fn of_shipment(booking: &Booking<'_>, lines: &[ApprovedLine]) -> PlannedCash {
    let all: Vec<&ApprovedLine> = lines.iter().collect();
    let (good, faulty) = booking.draft_lines(&all);
    let mut unknown = Vec::new();
    for (line, findings) in faulty {
        unknown.extend(findings.into_iter().map(|finding| Unknown {
            what: "goods".to_owned(),
            lacks: "catalog".to_owned(),
            of: finding.problem.field,
            sku: Some(line.sku.clone()),
        }));
    }
    let good: Vec<&ApprovedLine> = good.into_iter().map(|(line, _)| line).collect();
    let (mut cash, mut cartons) = (None, 0);
    if !good.is_empty() {
        match booking.drafted(&good) {
            Ok((order, _, check)) => {
                cartons = order.cartons.len();
                cash = check.cash;
            }
            Err(problems) => unknown.extend(problems.into_iter().map(|problem| Unknown {
                what: "goods".to_owned(),
                lacks: "booking".to_owned(),
                of: problem.to_string(),
                sku: None,
            })),
        }
    }
    let order = &booking.night.config.order;
    let mut cash = cash.unwrap_or_else(|| Cash {
        currency: order.currency.unwrap_or(crate::money::Currency::CNY),
        lines: Vec::new(),
        unknown: Vec::new(),
        inside_rate: false,
    });
    cash.unknown.extend(unknown);
    PlannedCash {
        warehouse: booking.warehouse.clone(),
        mode: booking.mode,
        units: lines.iter().map(|line| line.units).sum(),
        cartons,
        skus: lines.iter().map(|line| line.sku.clone()).collect(),
        cash,
    }
}
