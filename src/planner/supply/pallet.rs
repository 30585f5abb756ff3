//! Orders of a way that takes whole pallets only.

use super::echelon::Items;
use super::facts::RoundTo;
use super::rework::change_suggestion;
use super::terms::Terms;
use crate::planner::model::{PlanLine, Reason};
use crate::planner::snapshot::ItemSeries;

/// Units of the line's whole pallets, where its way takes nothing else; None where nobody knows them.
fn pallet(line: &PlanLine, item: &ItemSeries, terms: &Terms<'_>) -> Option<i64> {
    let cartons = terms.item(&line.warehouse, &line.sku)?.pallet_cartons?;
    let units = cartons.checked_mul(item.carton_units.filter(|units| *units > 0)?)?;
    (units > 0).then_some(units)
}

/// The way that carries what is not flown.
fn slow_units(line: &PlanLine) -> Option<(crate::order::Mode, i64)> {
    let parts = line.supply.as_ref().map_or(&[][..], |supply| &supply.parts);
    match parts.last() {
        Some(slow) => Some((slow.mode, slow.units)),
        None => line.mode.zip(line.suggested_units),
    }
}

fn is_palletised(line: &PlanLine, terms: &Terms<'_>) -> bool {
    slow_units(line).is_some_and(|(mode, _)| terms.round_to(&line.warehouse, mode) == Some(RoundTo::Pallet))
}

/// In what steps a line is cut: pallets, cartons, else pieces. A line that flies a part is cut by cartons.
#[must_use]
pub fn step(line: &PlanLine, item: &ItemSeries, terms: &Terms<'_>) -> i64 {
    let whole = line.supply.as_ref().is_none_or(|supply| supply.parts.is_empty());
    let pallet = (whole && is_palletised(line, terms))
        .then(|| pallet(line, item, terms))
        .flatten();
    pallet
        .or(item.carton_units.filter(|units| *units > 0))
        .unwrap_or(1)
}

/// Rounds what goes by such a way up to whole pallets. What is flown beside it stays as it is.
pub fn pallets(lines: &mut [PlanLine], items: &Items<'_>, terms: &Terms<'_>) {
    for line in lines {
        let (Some(item), true) = (
            items.get(&(&line.warehouse, &line.sku)).copied(),
            is_palletised(line, terms),
        ) else {
            continue;
        };
        let Some((_, slow)) = slow_units(line).filter(|(_, units)| *units > 0) else {
            continue;
        };
        let Some(pallet) = pallet(line, item, terms) else {
            line.reasons.push(Reason::PalletUnknown);
            continue;
        };
        let missing = (pallet - slow % pallet) % pallet;
        if missing > 0 {
            change_suggestion(line, item, "pallet_rounding", missing);
            line.reasons.push(Reason::PalletRounded);
        }
    }
}
