//! What the books say of forwarders and warehouses (R42).

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use super::{Night, NightError, billed, clocks};
use crate::calendar::civil_day;
use crate::catalog::Catalog;
use crate::claim::Party;
use crate::ids::OrderNo;
use crate::ledger::milestone::Milestone;
use crate::order::OrderEventKind;
use crate::planner::Stage;
use crate::reconcile::Line;
use crate::scorecard::{Asked, Passage, Provider, Score, scores};
use crate::store::orders::{self, StoredOrder};
use crate::store::{Tx, bills, claims, lead_times, receipts};

/// The scores of everybody who carried or received something since a day.
///
/// # Errors
/// When the store fails.
pub async fn scorecard(
    night: &Night<'_>,
    tx: &mut Tx,
    catalog: &Catalog,
    since: NaiveDate,
) -> Result<Vec<Score>, NightError> {
    let account = night.account();
    let mut lines: BTreeMap<OrderNo, Vec<Line>> = BTreeMap::new();
    for line in receipts::current(tx, account).await? {
        lines.entry(line.order.clone()).or_default().push(line);
    }
    // By order and stage: the days that were learned.
    let mut learned: BTreeMap<(String, String), (NaiveDate, NaiveDate)> = BTreeMap::new();
    for seen in lead_times::all(tx, account).await? {
        learned.insert((seen.reference, seen.stage), (seen.from, seen.to));
    }
    let charges = bills::all(tx, account).await?;
    let mut passages = Vec::new();
    let mut by_order: BTreeMap<OrderNo, StoredOrder> = BTreeMap::new();
    for stored in orders::all(tx, account).await? {
        let Some(shipped_on) = stored.shipped_on.filter(|day| *day >= since) else {
            by_order.insert(stored.order.number.clone(), stored);
            continue;
        };
        let order = &stored.order;
        let stage = |stage: Stage| {
            learned
                .get(&(order.number.to_string(), stage.code().to_owned()))
                .copied()
        };
        let story = clocks::story_of(night, tx, &stored).await?;
        let zone = catalog
            .warehouses
            .get(&order.warehouse)
            .map_or(night.config.account.zone, |warehouse| warehouse.zone);
        let told = story
            .reached
            .get(&Milestone::Delivered)
            .map(|reached| civil_day(reached.at, zone));
        let delivered = told.or_else(|| stage(Stage::Transit).map(|(_, to)| to));
        let counted = counted(lines.get(&order.number).map_or(&[][..], Vec::as_slice));
        let faults = orders::events(tx, account, &order.number)
            .await?
            .iter()
            .filter(|event| {
                matches!(
                    event.kind,
                    OrderEventKind::BookingRejected { .. } | OrderEventKind::Reissued { .. }
                )
            })
            .count();
        let billed = match charges.get(&order.number) {
            Some(charges) => billed::of_order(night, tx, &stored, charges).await?,
            None => None,
        };
        let passage = |provider, from, to, promised: (Option<NaiveDate>, Option<NaiveDate>)| Passage {
            provider,
            order: order.number.clone(),
            mode: order.mode,
            warehouse: order.warehouse.clone(),
            from,
            to,
            promised_p50: promised.0,
            promised_p90: promised.1,
            counted,
            paper_faults: 0,
            billed: None,
        };
        passages.push(Passage {
            paper_faults: i64::try_from(faults).unwrap_or(i64::MAX),
            billed,
            ..passage(
                Provider::Forwarder(order.forwarder.clone()),
                shipped_on,
                delivered,
                (Some(order.eta), Some(stored.eta_p90)),
            )
        });
        if let Some(from) = delivered {
            let shelf = stage(Stage::Putaway).map(|(_, to)| to);
            let promise = catalog
                .lanes_to(&order.warehouse, order.mode)
                .find_map(|lane| lane.putaway);
            let promised = (
                promise.map(|days| from + Duration::days(days.p50)),
                promise.map(|days| from + Duration::days(days.p90)),
            );
            passages.push(passage(
                Provider::Warehouse(order.warehouse.clone()),
                from,
                shelf,
                promised,
            ));
        }
        by_order.insert(order.number.clone(), stored);
    }
    let mut asked = Vec::new();
    for claim in claims::claims(tx, account).await? {
        let Some(submitted) = claim.submitted_on.filter(|day| *day >= since) else {
            continue;
        };
        let provider = match claim.asked.party {
            Party::Warehouse => Provider::Warehouse(claim.asked.warehouse.clone()),
            Party::Carrier | Party::Customs => match by_order.get(&claim.asked.order) {
                Some(stored) => Provider::Forwarder(stored.order.forwarder.clone()),
                None => continue,
            },
            Party::Shipper | Party::Insurer => continue,
        };
        let total = claim.asked.amount.total;
        asked.push(Asked {
            provider,
            submitted,
            answered: claim.answered_on,
            ended: !claim.state.is_running() || claim.state == crate::claim::state::ClaimState::Rejected,
            currency: total.currency,
            amount: total.amount,
            recovered: claim
                .recovered()
                .get(&total.currency)
                .copied()
                .unwrap_or_default(),
        });
    }
    Ok(scores(&passages, &asked))
}

/// Shipped, missing and damaged of an order whose counts are all final.
fn counted(lines: &[Line]) -> Option<(i64, i64, i64)> {
    let shipped: Vec<&Line> = lines.iter().filter(|line| line.shipped > 0).collect();
    let is_final = !shipped.is_empty() && shipped.iter().all(|line| line.state.is_final());
    is_final.then(|| {
        shipped.iter().fold((0, 0, 0), |sum, line| {
            (
                sum.0 + line.shipped,
                sum.1 + line.closed_short,
                sum.2 + line.damaged,
            )
        })
    })
}
