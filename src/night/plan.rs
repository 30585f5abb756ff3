//! Plan: facts of this moment in, an immutable plan out, with the current plan as its parent.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;

use super::assemble::{Assembled, Facts, Moving, UnknownInbound, assemble, freight, recorded};
use super::calibrate::{self, Judged};
use super::reconcile::{Books, under_our_numbers};
use super::sales_events;
use super::step::{StepReport, chain};
use super::{Night, NightError};
use crate::backtest::History;
use crate::catalog::Catalog;
use crate::connector::ConnectorConfig;
use crate::connector::definition::{RecordKind, Snapshot as Told, Stream};
use crate::ids::{AccountId, OrderNo, SourceId};
use crate::ledger::{InboundLine, InboundNotice};
use crate::mapping::plan_folder::demand::not_extended;
use crate::mapping::plan_folder::demand::shipped;
use crate::planner::supply::loss::LossSeen;
use crate::planner::{self, DataState, MissingYear, Plan, PlanDiff, Policy, Snapshot};
use crate::problem::Problem;
use crate::store::catalog::UnmappedCode;
use crate::store::orders::StoredOrder;
use crate::store::plans::{Basis, PlanError};
use crate::store::{Tx, catalog, facts, lead_times, orders, plans};

pub(super) async fn step(night: &Night<'_>) -> StepReport {
    match make(night).await {
        Ok(made) => {
            let mut report = told(&made.plan, made.unmapped);
            match super::accuracy::keep(night).await {
                Ok(judged) => report.count("forecasts_judged", judged),
                Err(error) => report.partial(chain(&error)),
            }
            for problem in made.folders {
                report.partial(problem.to_string());
            }
            report
        }
        Err(error) => StepReport::failed(chain(&error)),
    }
}

fn told(plan: &Plan, unmapped: usize) -> StepReport {
    let mut report = StepReport::default();
    report.count("lines", plan.lines.len());
    report.count("suggested", usize::try_from(plan.funnel.suggested).unwrap_or(0));
    report.count("unmapped_codes", unmapped);
    for (missing, lines) in lacking(plan) {
        report.partial(format!("{missing} ({lines} lines)"));
    }
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

/// Years that calendars lack, and how many lines need them (R16).
pub fn lacking(plan: &Plan) -> BTreeMap<&MissingYear, usize> {
    let mut lacking = BTreeMap::new();
    let missing = plan
        .lines
        .iter()
        .filter_map(|line| line.supply.as_ref()?.calendar_missing.as_ref());
    for missing in missing {
        *lacking.entry(missing).or_default() += 1;
    }
    lacking
}

/// A plan, and what is said beside it.
#[derive(Debug)]
pub struct Made {
    pub plan: Plan,
    /// Codes that nobody has mapped.
    pub unmapped: usize,
    /// What the folders `demand` and `supply` have wrong or lack.
    pub folders: Vec<Problem>,
}

/// So often a plan may be overtaken while it is computed; then it is computed with everybody else waiting.
const MOST_OVERTAKEN: u32 = 3;

/// Makes and stores the plan of today. The same facts make the same plan, which is stored once.
///
/// Facts are read in one transaction and the plan is stored in another, so that nobody waits while it is computed.
/// When an answer, a report or another plan came in between, it is made again: the units of an order that was just
/// issued must not be suggested a second time.
///
/// # Errors
/// When the store fails.
pub async fn make(night: &Night<'_>) -> Result<Made, NightError> {
    for _ in 0..MOST_OVERTAKEN {
        let mut tx = night.store.read().await?;
        let draft = Draft::make(night, &mut tx).await?;
        drop(tx);
        // The plan of a dry run is forgotten: it must not take the place of the one that people are answering.
        if night.dry_run {
            return Ok(draft.told());
        }
        let mut tx = night.store.write().await?;
        if plans::basis(&mut tx, night.account()).await? == draft.basis {
            draft.store(night, &mut tx).await?;
            tx.commit().await?;
            return Ok(draft.told());
        }
        tracing::info!("something came in while the plan was made: it is made again");
    }
    let mut tx = night.store.write().await?;
    let draft = Draft::make(night, &mut tx).await?;
    draft.store(night, &mut tx).await?;
    tx.commit().await?;
    Ok(draft.told())
}

/// A plan that is not stored yet, with what it was made from.
pub(super) struct Draft {
    pub(super) plan: Plan,
    snapshot: Snapshot,
    /// The account's, with what earlier decisions attained.
    policy: Policy,
    judged: Judged,
    pub(super) unmapped: Vec<UnmappedCode>,
    folders: Vec<Problem>,
    acknowledged: plans::Acknowledged,
    basis: Basis,
    /// The current plan is this one already.
    stored: bool,
}

impl Draft {
    pub(super) async fn make(night: &Night<'_>, tx: &mut Tx) -> Result<Self, NightError> {
        let account = night.account();
        let basis = plans::basis(tx, account).await?;
        let catalog = catalog::load(tx, account, night.today()).await?;
        let (facts, folders) = gather(
            night,
            tx,
            &catalog,
            night.config.plan.history_days.max(SEASON_DAYS),
        )
        .await?;
        let Assembled { snapshot, unmapped } = assemble(&facts);
        let unmapped = unmapped
            .iter()
            .map(|code| UnmappedCode {
                source: code.source.clone(),
                kind: code.kind,
                code: code.code.clone(),
                times: 1,
            })
            .collect();
        let (policy, judged) = calibrate::policy(tx, account, &snapshot, &night.config.plan).await?;
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
            let again = planner::plan(&snapshot, &policy, before.as_ref());
            if again.id == current.plan.id {
                return Ok(Self {
                    plan: again,
                    snapshot,
                    policy,
                    judged,
                    unmapped,
                    folders,
                    acknowledged: Vec::new(),
                    basis,
                    stored: true,
                });
            }
        }
        let plan = planner::plan(&snapshot, &policy, current.as_ref().map(|current| &current.plan));
        Ok(Self {
            plan,
            snapshot,
            policy,
            judged,
            unmapped,
            folders,
            acknowledged: current.map(|current| current.acknowledged).unwrap_or_default(),
            basis,
            stored: false,
        })
    }

    async fn store(&self, night: &Night<'_>, tx: &mut Tx) -> Result<(), NightError> {
        let account = night.account();
        catalog::record_unmapped(tx, account, &self.unmapped, night.now()).await?;
        if !self.stored {
            plans::save(
                tx,
                account,
                &self.plan,
                &self.snapshot,
                &self.policy,
                &self.acknowledged,
                night.now(),
            )
            .await?;
            calibrate::keep(
                tx,
                account,
                &self.judged,
                (&self.snapshot, &self.policy, &self.plan),
            )
            .await?;
        }
        Ok(())
    }

    fn told(self) -> Made {
        Made {
            plan: self.plan,
            unmapped: self.unmapped.len(),
            folders: self.folders,
        }
    }

    /// As [`diff_to_parent`], of a plan that is not stored.
    pub(super) async fn diff_to_parent(
        &self,
        night: &Night<'_>,
        tx: &mut Tx,
    ) -> Result<Option<PlanDiff>, PlanError> {
        let Some(parent) = &self.plan.parent else {
            return Ok(None);
        };
        let head = plans::head(tx, night.account(), parent.as_str()).await?;
        let before = plans::get(tx, night.account(), parent.as_str()).await?;
        let (snapshot, policy) = plans::inputs(tx, night.account(), &head).await?;
        Ok(Some(planner::diff(
            (&snapshot, &policy, &before),
            (&self.snapshot, &self.policy, &self.plan),
        )))
    }
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

/// The facts, and what is wrong in the folders that hold some of them.
async fn gather<'a>(
    night: &'a Night<'_>,
    tx: &mut Tx,
    catalog: &'a Catalog,
    history_days: i64,
) -> Result<(Facts<'a>, Vec<Problem>), NightError> {
    let account = night.account();
    let as_of = night.today();
    let from = as_of - Duration::days(history_days);
    let mut coverage = BTreeMap::new();
    for connector in &night.config.connectors {
        let days = facts::covered_days(tx, account, &connector.id, from, as_of).await?;
        if !days.is_empty() {
            coverage.insert(connector.id.clone(), days);
        }
    }
    let orders = orders::all(tx, account).await?;
    let (mut notices, lines) = facts::inbounds(tx, account).await?;
    under_our_numbers(tx, account, &orders, &mut notices, &mut []).await?;
    let (mut supply, supply_problems) = super::chain_folder::read(&night.config.home);
    let expected = super::whereabouts::place(night, tx, &orders, catalog, &mut supply).await?;
    let books = super::reconcile::books(night, tx, catalog).await?;
    let mut moving = moving(&books);
    for units in &mut moving {
        if let Some(day) = expected.get(&units.order) {
            units.eta = *day;
        }
    }
    let (mut demand, mut problems) = super::demand_folder::read(&night.config.home);
    let markets = sales_events::markets(night, catalog);
    // Asked of what the seller wrote down, before the program's own events stand beside it.
    problems.extend(not_extended(&demand.facts, as_of));
    problems.extend(shipped::not_extended(&markets, &demand.facts.events, as_of));
    problems.extend(supply_problems);
    let events = shipped::events(&markets, &demand.facts.events);
    demand
        .facts
        .events
        .extend(events.map_err(|problem| NightError::Shipped(Box::new(problem)))?);
    let facts = Facts {
        as_of,
        from,
        catalog,
        connectors: &night.config.connectors,
        sources: facts::source_states(tx, account, night.now()).await?,
        sales: facts::sales_history(tx, account, from, as_of).await?,
        coverage,
        stock: facts::latest_stock(tx, account).await?,
        without_pending: sources_whose_stock(night, |stream| !stream.map.contains_key("pending_putaway")),
        partial_stock: sources_whose_stock(night, |stream| stream.snapshot == Told::Partial),
        stock_days: facts::stock_days(tx, account, from, as_of).await?,
        large_lines: facts::large_lines(tx, account, from, as_of).await?,
        moving,
        unknown_inbound: unknown(&orders, &notices, &lines),
        lead_times: lead_times::all(tx, account).await?,
        lots: super::arrival_clocks::lots(&books.done.lines, catalog),
        losses: losses(&books),
        demand,
        supply,
    };
    Ok((facts, problems))
}

/// A plan's season and events are learned from two years, where they are known; its rates from the policy's days.
const SEASON_DAYS: i64 = 731;

/// Days a backtest looks back: the two years it lives again and learns from, and one more for the season.
const BACKTEST_DAYS: i64 = 1_100;

/// What is known up to today, further back than a plan needs: for a backtest.
///
/// # Errors
/// When the store fails.
pub async fn history(night: &Night<'_>, tx: &mut Tx) -> Result<History, NightError> {
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let (facts, _) = gather(night, tx, &catalog, BACKTEST_DAYS).await?;
    Ok(History {
        snapshot: assemble(&facts).snapshot,
        policy: night.config.plan.clone(),
        stock: recorded(&facts),
        rates: freight(&facts),
    })
}

/// Sources whose streams of stock are all like this.
fn sources_whose_stock(night: &Night<'_>, is: fn(&Stream) -> bool) -> BTreeSet<SourceId> {
    let stock = |connector: &&ConnectorConfig| {
        let streams = connector.definition.file.stream.values();
        let mut stock = streams.filter(|stream| stream.record == RecordKind::Stock);
        stock.all(is)
    };
    let connectors = night.tools.connectors.iter();
    connectors
        .filter(stock)
        .map(|connector| connector.id.clone())
        .collect()
}

/// Orders that are received to the end, and what of them is lost: short, or damaged.
#[must_use]
pub fn losses(books: &Books) -> Vec<LossSeen> {
    let mut sums: BTreeMap<&OrderNo, (i64, i64, bool)> = BTreeMap::new();
    for line in &books.done.lines {
        let sum = sums.entry(&line.order).or_insert((0, 0, true));
        sum.0 += line.shipped;
        sum.1 += line.closed_short + line.damaged;
        // What the warehouse put aside may be found fit or not: until it says so, nobody knows what is lost.
        sum.2 &= line.state.is_final() && line.set_aside == 0;
    }
    books
        .orders
        .iter()
        .filter_map(|stored| {
            let (shipped, lost, ended) = sums.get(&stored.order.number)?;
            ended.then(|| LossSeen {
                warehouse: stored.order.warehouse.clone(),
                mode: stored.order.mode,
                shipped: *shipped,
                lost: *lost,
            })
        })
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
