//! A suggestion changed after its line was planned: the terms that changed it join the tree, and it still adds up.

use super::{ModePart, NoTransfer, SupplyLine, bridge};
use crate::planner::model::{Explain, PlanLine, Reason};
use crate::planner::rounding::round_need;
use crate::planner::snapshot::{ItemSeries, MoqPolicy};

/// What stands beyond the target (negative: what is missing), before nothing-to-order made a zero of it.
#[must_use]
pub fn open_units(line: &PlanLine) -> Option<i64> {
    let need = line.need_units?;
    Some(need - line.explain.units_of("surplus").unwrap_or(0))
}

/// Adds terms to the need and rounds it again. A need never falls below zero: what a term takes beyond it is surplus.
pub fn change_need(line: &mut PlanLine, item: &ItemSeries, moq: MoqPolicy, terms: &[(&'static str, i64)]) {
    let Some(before) = line.need_units else { return };
    let delta: i64 = terms.iter().map(|(_, units)| *units).sum();
    // What was beyond the target is used up first.
    let surplus = line.explain.units_of("surplus").unwrap_or(0);
    let open = before - surplus + delta;
    let need = open.max(0);
    let rounded = round_need(need, item.carton_units, item.moq, moq);
    if let Some(suggested) = find_mut(&mut line.explain, "suggested") {
        if let Some(node) = suggested.terms.iter_mut().find(|term| term.key == "need") {
            node.terms.retain(|term| term.key != "surplus");
            for (key, units) in terms.iter().filter(|(_, units)| *units != 0) {
                node.terms.push(Explain::units(*key, *units));
            }
            if need != open {
                node.terms.push(Explain::units("surplus", need - open));
            }
            node.value = need.to_string().into();
        }
        suggested.terms.retain(|term| term.key == "need");
        for (key, units) in [
            ("carton_rounding", rounded.carton_effect),
            ("moq_effect", rounded.moq_effect),
        ] {
            if units != 0 {
                suggested.terms.push(Explain::units(key, units));
            }
        }
        suggested.value = rounded.units.to_string().into();
    }
    line.need_units = Some(need);
    set_suggestion(line, item, rounded.units);
    if rounded.moq_effect == 0 {
        line.reasons
            .retain(|reason| !matches!(reason, Reason::MoqRaised | Reason::BelowMoq));
    }
    if need == 0 {
        // What covers it is named by the reasons of whoever changed the need.
        line.reasons.retain(|reason| *reason != Reason::Due);
        line.reasons.retain(|reason| *reason != Reason::TooLate);
        line.eta = None;
    } else {
        for reason in &mut line.reasons {
            if matches!(reason, Reason::EnoughCover | Reason::NoRecentSales) {
                *reason = Reason::Due;
            }
        }
    }
}

/// Adds a term behind the rounding: a container filled up, a budget that ends, a warehouse that is full.
pub fn change_suggestion(line: &mut PlanLine, item: &ItemSeries, key: &'static str, delta: i64) {
    let (Some(before), false) = (line.suggested_units, delta == 0) else {
        return;
    };
    let units = before + delta;
    if let Some(suggested) = find_mut(&mut line.explain, "suggested") {
        suggested.terms.push(Explain::units(key, delta));
        suggested.value = units.to_string().into();
    }
    set_suggestion(line, item, units);
}

fn set_suggestion(line: &mut PlanLine, item: &ItemSeries, units: i64) {
    line.suggested_units = Some(units);
    line.suggested_cartons = item
        .carton_units
        .filter(|carton| *carton > 0)
        .map(|carton| units / carton);
    line.cost = item.unit_cost.map(|cost| cost.times(units));
    if let Some(supply) = &mut line.supply {
        bridge::resize(&mut supply.parts, units, item.carton_units);
        if supply.parts.len() < 2 {
            if let Some(only) = supply.parts.first() {
                line.mode = Some(only.mode);
            }
            supply.parts.clear();
        }
        let modes = mode_terms(&supply.parts, units);
        line.explain.terms.retain(|term| term.key != "modes");
        line.explain.terms.extend(modes);
    }
}

/// The parts as a sum; None where nothing is split.
#[must_use]
pub fn mode_terms(parts: &[ModePart], suggested: i64) -> Option<Explain> {
    let terms = parts
        .iter()
        .map(|part| {
            (
                Explain::units(format!("part.{}", part.mode.code()), 0),
                part.units,
            )
        })
        .collect();
    (!parts.is_empty()).then(|| Explain::sum("modes", suggested, terms))
}

/// What comes from other warehouses, or why nothing does.
#[must_use]
pub fn transfer_terms(supply: &SupplyLine) -> Option<Explain> {
    let mut terms: Vec<Explain> = supply
        .transfers_in
        .iter()
        .map(|transfer| Explain {
            terms: vec![
                Explain::fact("transfer_from", transfer.from.to_string(), ""),
                Explain::date("transfer_eta", Some(transfer.eta)),
                Explain::fact(
                    "transfer_cost",
                    transfer.cost.map_or_else(String::new, |cost| cost.to_string()),
                    "money",
                ),
            ],
            ..Explain::units("transfer_in", transfer.units)
        })
        .collect();
    terms.extend(supply.transfers_out.iter().map(|transfer| Explain {
        terms: vec![Explain::fact("transfer_to", transfer.to.to_string(), "")],
        ..Explain::units("transfer_out", transfer.units)
    }));
    if let Some(why) = supply.no_transfer.filter(|_| supply.transfers_in.is_empty()) {
        let code = match why {
            NoTransfer::WayUnknown => "way_unknown",
            NoTransfer::Dearer => "way_dearer",
            NoTransfer::NothingToSpare => "nothing_to_spare",
            NoTransfer::StockUnknown => "stock_elsewhere_unknown",
        };
        terms.push(Explain::fact("no_transfer", code, "source"));
    }
    if supply.over_capacity > 0 {
        terms.push(Explain::units("over_capacity", supply.over_capacity));
    }
    (!terms.is_empty()).then(|| Explain::heading("transfers", terms))
}

/// The line's part of the chain, made when there is something to say.
pub fn supply(line: &mut PlanLine) -> &mut SupplyLine {
    line.supply.get_or_insert_default()
}

fn find_mut<'a>(node: &'a mut Explain, key: &str) -> Option<&'a mut Explain> {
    if node.key == key {
        return Some(node);
    }
    node.terms.iter_mut().find_map(|term| find_mut(term, key))
}
