//! Plan: facts of this moment in, an immutable plan out, with the current plan as its parent.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;

use super::assemble::{Assembled, Facts, Moving, UnknownInbound, assemble};
use super::reconcile::Books;
use super::step::{StepReport, chain};
use super::{Night, NightError};
use crate::catalog::Catalog;
use crate::connector::ConnectorConfig;
use crate::connector::definition::RecordKind;
use crate::ids::{AccountId, OrderNo, SourceId};
use crate::ledger::{InboundLine, InboundNotice};
use crate::planner::{self, DataState, Plan, PlanDiff};
use crate::store::catalog::UnmappedCode;
use crate::store::orders::StoredOrder;
use crate::store::plans::PlanError;
use crate::store::{Tx, catalog, facts, lead_times, orders, plans};

pub(super) async fn step(night: &Night<'_>) -> StepReport {
    match make(night).await {
        Ok((plan, unmapped)) => told(&plan, unmapped),
        Err(error) => StepReport::failed(chain(&error)),
    }
}

fn told(plan: &Plan, unmapped: usize) -> StepReport {
    let mut report = StepReport::default();
    report.count("lines", plan.lines.len());
    report.count("suggested", usize::try_from(plan.funnel.suggested).unwrap_or(0));
    report.count("unmapped_codes", unmapped);
    for source in plan
        .sources
        .iter()
        .filter(|source| source.state != DataState::Complete)
    {
        let problem = source.problem.clone().unwrap_or_default();
        report.partial(format!(
            "{} {}: {:?} {problem}",
            source.source, source.stream, source.state
        ));
    }
    report
}

/// Makes and stores the plan of today. The same facts make the same plan, which is stored once.
///
/// # Errors
/// When the store fails.
pub async fn make(night: &Night<'_>) -> Result<(Plan, usize), NightError> {
    let mut tx = night.store.write().await?;
    let made = make_in(night, &mut tx).await?;
    // The plan of a dry run is forgotten: it must not take the place of the one that people are answering.
    if !night.dry_run {
        tx.commit().await?;
    }
    Ok(made)
}

/// As [`make`], in the caller's transaction.
pub(super) async fn make_in(night: &Night<'_>, tx: &mut Tx) -> Result<(Plan, usize), NightError> {
    let account = night.account();
    let catalog = catalog::load(tx, account, night.today()).await?;
    let facts = gather(night, tx, &catalog).await?;
    let Assembled { snapshot, unmapped } = assemble(&facts, &night.config.plan);
    let queue: Vec<UnmappedCode> = unmapped
        .iter()
        .map(|code| UnmappedCode {
            source: code.source.clone(),
            kind: code.kind,
            code: code.code.clone(),
            times: 1,
        })
        .collect();
    catalog::record_unmapped(tx, account, &queue, night.now()).await?;
    let current = plans::parent(tx, account).await?;
    if let Some(current) = current
        .as_ref()
        .filter(|current| current.plan.as_of == snapshot.as_of)
    {
        // Taken up again after a crash, or run twice on one day: the same facts must not become their own child.
        let before = match &current.plan.parent {
            Some(id) => Some(plans::get(tx, account, id.as_str()).await?),
            None => None,
        };
        let again = planner::plan(&snapshot, &night.config.plan, before.as_ref());
        if again.id == current.plan.id {
            return Ok((again, unmapped.len()));
        }
    }
    let plan = planner::plan(
        &snapshot,
        &night.config.plan,
        current.as_ref().map(|current| &current.plan),
    );
    let acknowledged = current.map(|current| current.acknowledged).unwrap_or_default();
    plans::save(
        tx,
        account,
        &plan,
        &snapshot,
        &night.config.plan,
        &acknowledged,
        night.now(),
    )
    .await?;
    Ok((plan, unmapped.len()))
}

/// What changed between two stored plans and why, computed from the inputs of both.
///
/// # Errors
/// When an input is missing.
pub async fn diff(
    tx: &mut Tx,
    account: &AccountId,
    before: &Plan,
    after: &Plan,
) -> Result<PlanDiff, PlanError> {
    let old_head = plans::head(tx, account, before.id.as_str()).await?;
    let new_head = plans::head(tx, account, after.id.as_str()).await?;
    let (old, old_policy) = plans::inputs(tx, account, &old_head).await?;
    let (new, new_policy) = plans::inputs(tx, account, &new_head).await?;
    Ok(planner::diff(
        (&old, &old_policy, before),
        (&new, &new_policy, after),
    ))
}

/// [`diff`] to the plan it was made from; None for a first plan.
///
/// # Errors
/// When an input is missing.
pub async fn diff_to_parent(
    tx: &mut Tx,
    account: &AccountId,
    plan: &Plan,
) -> Result<Option<PlanDiff>, PlanError> {
    let Some(parent) = &plan.parent else {
        return Ok(None);
    };
    let before = plans::get(tx, account, parent.as_str()).await?;
    diff(tx, account, &before, plan).await.map(Some)
}

async fn gather<'a>(
    night: &'a Night<'_>,
    tx: &mut Tx,
    catalog: &'a Catalog,
) -> Result<Facts<'a>, NightError> {
    let account = night.account();
    let as_of = night.today();
    let from = as_of - Duration::days(night.config.plan.history_days);
    let mut coverage = BTreeMap::new();
    for connector in &night.config.connectors {
        let days = facts::covered_days(tx, account, &connector.id, from, as_of).await?;
        if !days.is_empty() {
            coverage.insert(connector.id.clone(), days);
        }
    }
    let orders = orders::all(tx, account).await?;
    let (notices, lines) = facts::inbounds(tx, account).await?;
    Ok(Facts {
        as_of,
        catalog,
        connectors: &night.config.connectors,
        sources: facts::source_states(tx, account, night.now()).await?,
        sales: facts::sales_history(tx, account, from, as_of).await?,
        coverage,
        stock: facts::latest_stock(tx, account).await?,
        without_pending: without_pending(night),
        stock_days: facts::stock_days(tx, account, from, as_of).await?,
        moving: moving(&super::reconcile::books(night, tx, catalog).await?),
        unknown_inbound: unknown(&orders, &notices, &lines),
        lead_times: lead_times::all(tx, account).await?,
    })
}

/// Sources whose connector file maps no pending bucket at all.
fn without_pending(night: &Night<'_>) -> BTreeSet<SourceId> {
    let has_none = |connector: &&ConnectorConfig| {
        let mut stock = connector
            .definition
            .file
            .stream
            .values()
            .filter(|stream| stream.record == RecordKind::Stock);
        stock.all(|stream| !stream.map.contains_key("pending_putaway"))
    };
    night
        .tools
        .connectors
        .iter()
        .filter(has_none)
        .map(|connector| connector.id.clone())
        .collect()
}

/// What left, less what was reported: from the transit ledger, so that no unit is counted in two places.
fn moving(books: &Books) -> Vec<Moving> {
    let by_number: BTreeMap<&OrderNo, &StoredOrder> = books
        .orders
        .iter()
        .map(|stored| (&stored.order.number, stored))
        .collect();
    books
        .done
        .transit
        .iter()
        .filter_map(|line| {
            let stored = by_number.get(&line.order)?;
            stored.state.is_moving().then(|| Moving {
                order: line.order.clone(),
                warehouse: line.warehouse.clone(),
                sku: line.sku.clone(),
                units: line.moving(),
                shipped_on: stored.shipped_on.or(Some(stored.order.ship_by)),
                mode: stored.order.mode,
                eta: stored.order.eta,
            })
        })
        .collect()
}

/// Announced at the warehouse, open, and none of our orders' numbers on it.
fn unknown(orders: &[StoredOrder], notices: &[InboundNotice], lines: &[InboundLine]) -> Vec<UnknownInbound> {
    notices
        .iter()
        .filter(|notice| !notice.closed)
        .filter(|notice| {
            !orders
                .iter()
                .any(|stored| stored.order.number.as_str() == notice.reference)
        })
        .flat_map(|notice| {
            lines
                .iter()
                .filter(|line| line.source == notice.source && line.inbound_no == notice.inbound_no)
                .filter_map(|line| {
                    let units = line.announced? - line.put_away.unwrap_or(0);
                    Some(UnknownInbound {
                        source: notice.source.clone(),
                        warehouse: notice.warehouse.clone(),
                        inbound_no: notice.inbound_no.clone(),
                        sku_code: line.sku_code.clone(),
                        units,
                    })
                })
        })
        .filter(|inbound| inbound.units > 0)
        .collect()
}
