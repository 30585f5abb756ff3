//! The whole plan: lines in parallel, funnel, alerts, and the name that is the hash of what went in.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::alerts::alerts;
use super::context::{Context, WarehouseContext};
use super::forecast::Buffers;
use super::line::judge;
use super::line_words::say;
use super::model::{Funnel, Plan, PlanLine, Reason};
use super::snapshot::{ItemSeries, Policy, Snapshot, WarehouseFacts};
use super::supply::{echelon, fill, pallet, rework};
use crate::digest::{Hasher, sha256_hex};
use crate::ids::{PlanId, Sku, WarehouseCode};

/// Version of the calculation. It is part of a plan's name: another engine makes another plan.
pub const ENGINE: &str = "linkstar-planner-7";

/// Computes the plan. The order of the snapshot's vectors and the number of threads do not matter.
#[must_use]
pub fn plan(snapshot: &Snapshot, policy: &Policy, parent: Option<&Plan>) -> Plan {
    let sorted = Sorted::new(snapshot);
    let context = Context::new(snapshot, policy);
    let warehouses: BTreeMap<&WarehouseCode, WarehouseContext<'_>> = sorted
        .by_warehouse()
        .into_par_iter()
        .map(|(code, facts, items)| (code, context.warehouse(facts, &items)))
        .collect();
    let mut lines: Vec<PlanLine> = sorted
        .series
        .par_iter()
        .map_init(Buffers::default, |buffers, (_, item)| {
            let warehouse = warehouses.get(&item.warehouse)?;
            let judged = judge(item, &context, warehouse, buffers);
            Some(say(item, judged, &context, warehouse))
        })
        .flatten()
        .collect();
    couple(&mut lines, snapshot, &warehouses, &context);
    lines.sort_by(|a, b| urgency(a).cmp(&urgency(b)));
    let alerts = alerts(&lines, parent, policy, snapshot.as_of);
    Plan {
        id: name(&sorted, snapshot, policy, parent),
        parent: parent.map(|plan| plan.id.clone()),
        as_of: snapshot.as_of,
        engine: ENGINE.to_owned(),
        sources: sorted.sources(snapshot),
        funnel: funnel(&lines),
        lines,
        alerts,
    }
}

/// The units [`plan`] would suggest for the wanted lines, without anything else of a plan. `wanted` stands beside
/// the snapshot's series.
pub(super) fn suggested(
    snapshot: &Snapshot,
    policy: &Policy,
    wanted: &[bool],
) -> Vec<((WarehouseCode, Sku), i64)> {
    if !wanted.contains(&true) {
        return Vec::new();
    }
    if is_coupled(snapshot, policy) {
        // One line's quantity is another's too: all of them, or none.
        let lines = plan(snapshot, policy, None).lines.into_iter();
        return lines
            .map(|line| ((line.warehouse, line.sku), line.suggested_units.unwrap_or(0)))
            .collect();
    }
    let context = Context::new(snapshot, policy);
    let mut items: Vec<&ItemSeries> = snapshot.series.iter().collect();
    items.sort_by_key(|item| (&item.warehouse, &item.sku));
    let groups: Vec<&[&ItemSeries]> = items.chunk_by(|a, b| a.warehouse == b.warehouse).collect();
    let warehouses: BTreeMap<&WarehouseCode, WarehouseContext<'_>> = groups
        .into_par_iter()
        .filter_map(|group| {
            let code = &group.first()?.warehouse;
            let facts = snapshot.warehouses.iter().find(|facts| facts.warehouse == *code);
            Some((code, context.warehouse(facts, group)))
        })
        .collect();
    snapshot
        .series
        .par_iter()
        .zip(wanted)
        .filter(|(_, wanted)| **wanted)
        .map_init(Buffers::default, |buffers, (item, _)| {
            let judged = judge(item, &context, warehouses.get(&item.warehouse)?, buffers);
            let units = judged.figures.suggested_units.unwrap_or(0);
            Some(((item.warehouse.clone(), item.sku.clone()), units))
        })
        .flatten()
        .collect()
}

pub(super) fn is_coupled(snapshot: &Snapshot, policy: &Policy) -> bool {
    let supply = &snapshot.supply;
    !supply.transfers.is_empty()
        || !supply.capacity.is_empty()
        || !supply.rounding.is_empty()
        || policy.supply.budget.is_some()
        || policy.supply.container_l.is_some()
}

/// What lines of different warehouses and SKUs have to do with each other: transfers before orders, then whole
/// pallets, what a warehouse takes, what money there is, and what fills a container. Nothing of it where nothing of it is known.
fn couple(
    lines: &mut [PlanLine],
    snapshot: &Snapshot,
    warehouses: &BTreeMap<&WarehouseCode, WarehouseContext<'_>>,
    context: &Context<'_>,
) {
    let (supply, policy) = (&snapshot.supply, context.policy);
    if !is_coupled(snapshot, policy) {
        return;
    }
    lines.sort_by(|a, b| urgency(a).cmp(&urgency(b)));
    let items: echelon::Items<'_> = snapshot
        .series
        .iter()
        .map(|item| ((&item.warehouse, &item.sku), item))
        .collect();
    let fastest = |code: &WarehouseCode| {
        let lanes = warehouses.get(code).map_or(&[][..], |warehouse| &warehouse.lanes);
        lanes.iter().min_by_key(|lane| lane.total_at(500))
    };
    let top_up: echelon::TopUp = lines
        .iter()
        .filter(|_| !supply.transfers.is_empty())
        .filter_map(|line| {
            let lane = fastest(&line.warehouse)?;
            let freight = context.terms.freight(&line.warehouse, &line.sku, lane)?;
            Some(((line.warehouse.clone(), line.sku.clone()), freight))
        })
        .collect();
    let etas: echelon::Etas = warehouses
        .iter()
        .flat_map(|(code, warehouse)| warehouse.lanes.iter().rev().map(move |lane| (code, lane)))
        .map(|(code, lane)| {
            let day = super::balance::day_after(snapshot.as_of, lane.total_at(500));
            (((*code).clone(), lane.mode), day)
        })
        .collect();
    echelon::couple(
        lines,
        &items,
        &context.terms,
        (&top_up, &etas),
        policy,
        snapshot.as_of,
    );
    pallet::pallets(lines, &items, &context.terms);
    echelon::cap(lines, &items, &context.terms);
    let left = fill::budget(lines, &items, &context.terms, policy);
    fill::containers(lines, &items, &context.terms, policy, left);
    for line in lines {
        if line.supply.as_ref().is_some_and(|supply| supply.is_empty()) {
            line.supply = None;
        }
        let transfers = line
            .supply
            .as_ref()
            .and_then(|supply| rework::transfer_terms(supply));
        line.explain.terms.extend(transfers);
    }
}

type Urgency<'a> = (
    (bool, Option<super::model::AlertLevel>),
    (bool, Option<chrono::NaiveDate>),
    &'a WarehouseCode,
    &'a Sku,
);

/// No level and no date come last.
fn urgency(line: &PlanLine) -> Urgency<'_> {
    (
        (line.level.is_none(), line.level),
        (line.order_by.is_none(), line.order_by),
        &line.warehouse,
        &line.sku,
    )
}

/// The snapshot's parts in an order that only their content decides.
struct Sorted<'a> {
    warehouses: Vec<(String, &'a WarehouseFacts)>,
    series: Vec<(String, &'a ItemSeries)>,
}

impl<'a> Sorted<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let mut warehouses: Vec<(String, &WarehouseFacts)> = snapshot
            .warehouses
            .iter()
            .map(|facts| (digest_of(&canonical_warehouse(facts)), facts))
            .collect();
        warehouses.sort_by(|a, b| (&a.1.warehouse, &a.0).cmp(&(&b.1.warehouse, &b.0)));
        let mut series: Vec<(String, &ItemSeries)> = snapshot
            .series
            .par_iter()
            .map(|item| {
                let digest = if item.inbound.is_sorted() && item.production.is_none() {
                    digest_of(item)
                } else {
                    digest_of(&canonical_item(item))
                };
                (digest, item)
            })
            .collect();
        series.par_sort_by(|a, b| (&a.1.warehouse, &a.1.sku, &a.0).cmp(&(&b.1.warehouse, &b.1.sku, &b.0)));
        Self { warehouses, series }
    }

    fn by_warehouse(&self) -> Vec<(&'a WarehouseCode, Option<&'a WarehouseFacts>, Vec<&'a ItemSeries>)> {
        self.series
            .chunk_by(|a, b| a.1.warehouse == b.1.warehouse)
            .filter_map(|chunk| {
                let code = &chunk.first()?.1.warehouse;
                let facts = self
                    .warehouses
                    .iter()
                    .find(|(_, facts)| facts.warehouse == *code)
                    .map(|(_, facts)| *facts);
                Some((code, facts, chunk.iter().map(|(_, item)| *item).collect()))
            })
            .collect()
    }

    fn sources(&self, snapshot: &Snapshot) -> Vec<super::model::SourceState> {
        let mut sources = snapshot.sources.clone();
        sources.sort_by(|a, b| (&a.source, &a.stream).cmp(&(&b.source, &b.stream)));
        sources
    }
}

fn canonical_item(item: &ItemSeries) -> ItemSeries {
    let mut item = item.clone();
    item.inbound.sort();
    if let Some(production) = &mut item.production {
        production.observed.sort();
    }
    item
}

fn canonical_warehouse(facts: &WarehouseFacts) -> WarehouseFacts {
    let mut facts = facts.clone();
    for lane in &mut facts.lanes {
        lane.stages.sort_by_key(|times| times.stage);
        for times in &mut lane.stages {
            times.observed.sort();
        }
    }
    facts.lanes.sort_by(|a, b| {
        (a.priority, a.mode, &a.forwarder, &a.service).cmp(&(b.priority, b.mode, &b.forwarder, &b.service))
    });
    if let Some(putaway) = &mut facts.putaway {
        putaway.observed.sort();
    }
    facts
}

/// The snapshot with its parts in the canonical order: what is stored for a replay.
#[must_use]
pub fn canonical(snapshot: &Snapshot) -> Snapshot {
    let sorted = Sorted::new(snapshot);
    Snapshot {
        as_of: snapshot.as_of,
        sources: sorted.sources(snapshot),
        warehouses: sorted
            .warehouses
            .iter()
            .map(|(_, facts)| canonical_warehouse(facts))
            .collect(),
        series: sorted
            .series
            .iter()
            .map(|(_, item)| canonical_item(item))
            .collect(),
        demand: snapshot.demand.sorted(),
        supply: snapshot.supply.sorted(),
    }
}

fn digest_of<T: serde::Serialize>(value: &T) -> String {
    // The types of a snapshot have text keys only and cannot fail to be written; a failure would name nothing.
    serde_json::to_vec(value).map_or_else(|_| String::new(), |bytes| sha256_hex(&bytes))
}

fn name(sorted: &Sorted<'_>, snapshot: &Snapshot, policy: &Policy, parent: Option<&Plan>) -> PlanId {
    let mut hasher = Hasher::default();
    for part in [
        ENGINE,
        parent.map_or("", |plan| plan.id.as_str()),
        &snapshot.as_of.to_string(),
        &digest_of(policy),
        &digest_of(&sorted.sources(snapshot)),
    ] {
        hasher.update(part.as_bytes());
        hasher.update(b"\n");
    }
    // A plan without them keeps the name it has always had.
    if !snapshot.demand.is_empty() {
        hasher.update(digest_of(&snapshot.demand.sorted()).as_bytes());
        hasher.update(b"\n");
    }
    if !snapshot.supply.is_empty() {
        hasher.update(digest_of(&snapshot.supply.sorted()).as_bytes());
        hasher.update(b"\n");
    }
    let warehouses = sorted.warehouses.iter().map(|(digest, _)| digest);
    for digest in warehouses.chain(sorted.series.iter().map(|(digest, _)| digest)) {
        hasher.update(digest.as_bytes());
    }
    let hex = hasher.finish();
    PlanId::new(&hex).unwrap_or_else(|_| unreachable!("a digest is sixty-four hex digits: {hex}"))
}

fn funnel(lines: &[PlanLine]) -> Funnel {
    let mut funnel = Funnelled::default();
    for line in lines {
        funnel.count(line.need_units, line.suggested_units, &line.reasons);
    }
    funnel.finish()
}

/// Counts lines by how far they went.
#[derive(Default)]
pub(super) struct Funnelled {
    funnel: Funnel,
    dropped: BTreeMap<(u8, &'static str, Reason), i64>,
}

impl Funnelled {
    pub(super) fn count(&mut self, need: Option<i64>, suggested: Option<i64>, reasons: &[Reason]) {
        let first = |wanted: &[Reason], otherwise: Reason| {
            let found = reasons.iter().copied().find(|reason| wanted.contains(reason));
            found.unwrap_or(otherwise)
        };
        let stage = if reasons.contains(&Reason::Inactive) {
            Some((0, "active", Reason::Inactive))
        } else if need.is_none() {
            let why = [
                Reason::SalesUnknown,
                Reason::StockUnknown,
                Reason::LeadTimeUnknown,
                Reason::CodeUnmapped,
            ];
            Some((1, "computed", first(&why, Reason::SalesUnknown)))
        } else if need == Some(0) {
            let why = [
                Reason::TransferFirst,
                Reason::OrderedUpstream,
                Reason::NoRecentSales,
                Reason::CertainShortage,
            ];
            Some((2, "due", first(&why, Reason::EnoughCover)))
        } else if suggested == Some(0) {
            Some((3, "suggested", Reason::BelowMoq))
        } else {
            None
        };
        let reached = stage.map_or(4, |(index, _, _)| index);
        let funnel = &mut self.funnel;
        funnel.seen += 1;
        funnel.active += i64::from(reached > 0);
        funnel.computed += i64::from(reached > 1);
        funnel.due += i64::from(reached > 2);
        funnel.suggested += i64::from(reached > 3);
        if let Some(key) = stage {
            *self.dropped.entry(key).or_default() += 1;
        }
    }

    pub(super) fn finish(mut self) -> Funnel {
        self.funnel.dropped = self
            .dropped
            .into_iter()
            .map(|((_, stage, reason), count)| (stage.to_owned(), reason, count))
            .collect();
        self.funnel
    }
}
