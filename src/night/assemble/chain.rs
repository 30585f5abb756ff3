//! The chain behind the snapshot: what the folder says, and what the store has seen of stages and countries.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use crate::money::Money;
use crate::order::Mode;
use crate::planner::supply::loss;
use crate::planner::{Freight, ItemTerms, Observation, Stage, StageFacts, StageTimes, SupplyFacts};

/// Catalog and store fill what the folder leaves open: sizes and weights of items, freight by the kilogram, countries,
/// passages of the finer stages.
pub(super) fn supply(facts: &Facts<'_>) -> SupplyFacts {
    let mut supply = facts.supply.clone();
    for warehouse in facts.catalog.warehouses.values() {
        let known = supply.countries.iter().any(|(code, _)| *code == warehouse.code);
        if !known && !warehouse.country.is_empty() {
            supply
                .countries
                .push((warehouse.code.clone(), warehouse.country.clone()));
        }
    }
    let wanted = !supply.items.is_empty() || !supply.storage.is_empty() || !supply.capacity.is_empty();
    if wanted {
        sizes(facts, &mut supply);
        freight(facts, &mut supply);
    }
    let mut seen: BTreeMap<(&str, Mode, Stage), StageFacts> = BTreeMap::new();
    for passage in &facts.lead_times {
        let (Some(mode), Some(stage)) = (Mode::parse(&passage.mode), Stage::parse(&passage.stage)) else {
            continue;
        };
        // These are part of every lane already.
        if matches!(stage, Stage::Production | Stage::Transit | Stage::Putaway) {
            continue;
        }
        let entry = seen
            .entry((passage.warehouse.as_str(), mode, stage))
            .or_insert_with(|| StageFacts {
                warehouse: passage.warehouse.clone(),
                mode,
                times: StageTimes {
                    stage,
                    p50: None,
                    p90: None,
                    observed: Vec::new(),
                },
            });
        entry.times.observed.push(Observation {
            from: passage.from,
            to: passage.to,
        });
    }
    // Lots and losses of the folder are somebody's word, warehouse by warehouse; receipts tell the others.
    for lot in &facts.lots {
        let priced = supply.storage.iter().any(|tier| tier.warehouse == lot.warehouse);
        let named = facts
            .supply
            .lots
            .iter()
            .any(|known| known.warehouse == lot.warehouse);
        if priced && !named {
            supply.lots.push(lot.clone());
        }
    }
    for loss in loss::learn(&facts.losses) {
        let named = facts
            .supply
            .losses
            .iter()
            .any(|known| known.warehouse == loss.warehouse);
        if !named && loss.lost_per_10000 > 0 {
            supply.losses.push(loss);
        }
    }
    let ways: BTreeSet<(String, Mode)> = seen
        .iter()
        .filter(|((_, _, stage), times)| *stage == Stage::Sail && times.times.observed.len() >= LEAST_WAYS)
        .map(|((warehouse, mode, _), _)| ((*warehouse).to_owned(), *mode))
        .collect();
    for (_, stage) in seen {
        // The stretches of too few ways: the whole way has its own history, or its table.
        let known = supply.stages.iter().any(|known| {
            known.warehouse == stage.warehouse
                && known.mode == stage.mode
                && known.times.stage == stage.times.stage
        });
        if is_stretch(stage.times.stage)
            && !known
            && !ways.contains(&(stage.warehouse.to_string(), stage.mode))
        {
            continue;
        }
        let known = supply.stages.iter_mut().find(|known| {
            known.warehouse == stage.warehouse
                && known.mode == stage.mode
                && known.times.stage == stage.times.stage
        });
        match known {
            Some(known) => known.times.observed.extend(stage.times.observed),
            None => supply.stages.push(stage),
        }
    }
    supply
}

/// Fewer than the planner learns from.
const LEAST_WAYS: usize = 5;

/// Learned only together, from ways without a gap.
fn is_stretch(stage: Stage) -> bool {
    matches!(
        stage,
        Stage::WaitForSailing | Stage::Sail | Stage::Clearance | Stage::Drayage
    )
}

/// Size and weight of a unit as the catalog has them, where the folder says nothing of them.
fn sizes(facts: &Facts<'_>, supply: &mut SupplyFacts) {
    for item in facts.catalog.items.values() {
        let volume_cm3 = item
            .unit
            .map(|unit| unit.volume_mm3() / 1000)
            .filter(|volume| *volume > 0);
        let weight_g = item.unit_gross_g.or(item.unit_net_g).filter(|weight| *weight > 0);
        let mut known = false;
        for terms in supply.items.iter_mut().filter(|terms| terms.sku == item.sku) {
            terms.volume_cm3 = terms.volume_cm3.or(volume_cm3);
            terms.weight_g = terms.weight_g.or(weight_g);
            known |= terms.warehouse.is_none();
        }
        if !known {
            supply.items.push(ItemTerms {
                sku: item.sku.clone(),
                warehouse: None,
                margin: None,
                low_stock_fee: None,
                supply_days_30: None,
                supply_days_90: None,
                weight_g,
                volume_cm3,
                pallet_cartons: None,
            });
        }
    }
}

/// What the catalog's lanes cost by the kilogram.
fn freight(facts: &Facts<'_>, supply: &mut SupplyFacts) {
    for lane in &facts.catalog.lanes {
        let cost: Option<Money> = lane.cost_per_kg;
        let known = supply
            .freight
            .iter()
            .any(|freight| freight.warehouse == lane.warehouse && freight.mode == lane.mode);
        if let (Some(per_kg), false) = (cost, known) {
            supply.freight.push(Freight {
                warehouse: lane.warehouse.clone(),
                mode: lane.mode,
                forwarder: None,
                per_unit: None,
                per_kg: Some(per_kg),
            });
        }
    }
}
