//! The problem list (问题清单): what is in the way of approved lines, drafts and orders that have not left.

use std::collections::BTreeSet;

use chrono::Duration;

use super::hand_over::in_the_way;
use super::{Night, customs_receipts};
use crate::calendar::civil_day;
use crate::ids::{PlanId, Sku};
use crate::night::NightError;
use crate::order::OrderState;
use crate::order::gate::{Finding, Gate};
use crate::order::labels::Labels;
use crate::planner::Plan;
use crate::report::ToMend;
use crate::store::{StoreError, Tx, order_checks, orders, plans};

/// What a mail tells: what was held of the plan and of the one before it, drafts that may not go, and what is told of orders
/// that were issued since yesterday.
///
/// # Errors
/// When the store fails.
pub(super) async fn of_day(night: &Night<'_>, tx: &mut Tx, plan: &Plan) -> Result<Vec<ToMend>, StoreError> {
    let mut ids = vec![plan.id.clone()];
    ids.extend(plan.parent.clone());
    let mut rows = held(night, tx, &ids).await?;
    let yesterday = night.today() - Duration::days(1);
    rows.extend(
        of_orders(night, tx)
            .await?
            .into_iter()
            .filter(|one| one.finding.level.stops() || one.since.is_some_and(|day| day >= yesterday)),
    );
    Ok(rows)
}

/// Everything, for a person who asks.
///
/// # Errors
/// When the store fails.
pub async fn all(night: &Night<'_>, tx: &mut Tx) -> Result<Vec<ToMend>, NightError> {
    let mut ids = Vec::new();
    if let Some(head) = plans::latest_head(tx, night.account()).await? {
        ids.push(head.id.clone());
        ids.extend(head.parent);
    }
    let mut rows = held(night, tx, &ids).await?;
    rows.extend(of_orders(night, tx).await?);
    Ok(rows)
}

async fn held(night: &Night<'_>, tx: &mut Tx, plans: &[PlanId]) -> Result<Vec<ToMend>, StoreError> {
    let zone = night.config.account.zone;
    let mut rows: Vec<ToMend> = Vec::new();
    for plan in plans {
        let told: BTreeSet<String> = rows.iter().map(|row| row.about.clone()).collect();
        for line in orders::held(tx, night.account(), plan).await? {
            let about = format!("{}/{} {}", line.warehouse, line.sku, line.mode);
            // The newest plan's word about a line counts.
            if told.contains(&about) {
                continue;
            }
            rows.extend(line.problems.into_iter().map(|finding| ToMend {
                about: about.clone(),
                sku: Some(line.sku.clone()),
                since: line.since.map(|at| civil_day(at, zone)),
                finding,
            }));
        }
    }
    Ok(rows)
}

async fn of_orders(night: &Night<'_>, tx: &mut Tx) -> Result<Vec<ToMend>, StoreError> {
    let mut rows = Vec::new();
    for stored in orders::all(tx, night.account()).await? {
        // Customs may send a declaration back until they release it.
        if stored.state.is_moving() && stored.state < OrderState::Exported {
            let number = &stored.order.number;
            let returned = customs_receipts::returned(night, tx, &night.tools.words, number).await?;
            rows.extend(returned.map(|(at, problem)| ToMend {
                about: number.to_string(),
                sku: None,
                since: Some(civil_day(at, night.config.account.zone)),
                finding: Finding {
                    gate: Gate::Papers,
                    ..problem.into()
                },
            }));
        }
        if !stored.state.is_at_home() {
            continue;
        }
        if stored.state == OrderState::Packed {
            let events = orders::events(tx, night.account(), &stored.order.number).await?;
            rows.extend(Labels::of(&events).waits.map(|(at, _)| ToMend {
                about: stored.order.number.to_string(),
                sku: None,
                since: Some(civil_day(at, night.config.account.zone)),
                finding: Finding::from(in_the_way(&stored.order.number)),
            }));
        }
        let Some(check) = order_checks::of_order(tx, night.account(), &stored.order.number).await? else {
            continue;
        };
        rows.extend(check.findings.into_iter().map(|finding| ToMend {
            about: stored.order.number.to_string(),
            sku: finding.sku().and_then(|sku| Sku::new(sku).ok()),
            since: Some(stored.order.created_on),
            finding,
        }));
    }
    Ok(rows)
}
