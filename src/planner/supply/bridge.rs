//! Sea for the base, air for what the sea comes too late for (R37).

use rust_decimal::Decimal;

use super::ModePart;
use super::terms::Terms;
use crate::planner::balance::day_after;
use crate::planner::lead::LaneDays;
use crate::planner::snapshot::ItemSeries;

/// What flying a part would save and cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bridge<'a> {
    pub base: &'a LaneDays,
    pub fast: &'a LaneDays,
    /// Units lost between the fast arrival and the slow one, in whole cartons.
    pub units: i64,
    /// Units of demand that the part serves.
    pub saved: i64,
    pub extra_freight: Decimal,
    pub margin: Decimal,
}

impl Bridge<'_> {
    /// Whether the margin saved is more than the freight it costs.
    #[must_use]
    pub fn pays(&self) -> bool {
        self.units > 0 && self.margin > self.extra_freight
    }
}

/// The best fast part beside the first lane. None where freight or margin is unknown or in two currencies: then nothing
/// can be weighed, and the whole quantity goes by one mode.
///
/// `lost` is the demand lost before a day without this order.
#[must_use]
pub fn weigh<'a>(
    item: &ItemSeries,
    lanes: &'a [LaneDays],
    terms: &Terms<'_>,
    lost: impl Fn(i64) -> f64,
) -> Option<Bridge<'a>> {
    let base = lanes.first()?;
    let margin = terms.item(&item.warehouse, &item.sku)?.margin?;
    let price = |lane: &LaneDays| {
        let freight = terms.freight(&item.warehouse, &item.sku, lane);
        freight.filter(|freight| freight.currency == margin.currency)
    };
    let slow = price(base)?;
    let arrives = base.total_at(500);
    let lost_at_all = lost(arrives);
    let carton = item.carton_units.filter(|units| *units > 0).unwrap_or(1);
    let mut best: Option<Bridge<'a>> = None;
    for fast in lanes.get(1..)? {
        if fast.total_at(500) >= arrives {
            continue;
        }
        let Some(freight) = price(fast) else { continue };
        let saved = (lost_at_all - lost(fast.total_at(500)) + 1e-6).floor().max(0.0) as i64;
        let units = saved.saturating_add(carton - 1) / carton * carton;
        let extra = (freight.amount - slow.amount) * Decimal::from(units);
        let bridge = Bridge {
            base,
            fast,
            units,
            saved,
            extra_freight: extra,
            margin: margin.amount * Decimal::from(saved),
        };
        let gain = |bridge: &Bridge<'_>| bridge.margin - bridge.extra_freight;
        if best.is_none_or(|best| gain(&bridge) > gain(&best)) {
            best = Some(bridge);
        }
    }
    // With one lane there is nothing to weigh.
    best
}

/// The parts of a suggestion: the fast one first. They add up to it.
#[must_use]
pub fn parts(
    bridge: &Bridge<'_>,
    suggested: i64,
    item: &ItemSeries,
    terms: &Terms<'_>,
    as_of: chrono::NaiveDate,
) -> Vec<ModePart> {
    let fast = bridge.units.min(suggested);
    let carton = item.carton_units.filter(|units| *units > 0);
    [(bridge.fast, fast), (bridge.base, suggested - fast)]
        .into_iter()
        .filter(|(_, units)| *units > 0)
        .map(|(lane, units)| ModePart {
            mode: lane.mode,
            forwarder: lane.forwarder.clone(),
            units,
            cartons: carton.map(|carton| units / carton),
            eta: day_after(as_of, lane.total_at(500)),
            eta_late: day_after(as_of, lane.total_at(900)),
            freight: terms
                .freight(&item.warehouse, &item.sku, lane)
                .map(|freight| freight.times(units)),
        })
        .collect()
}

/// Keeps the parts a sum when the suggestion changes: the slow part gives way first.
pub fn resize(parts: &mut Vec<ModePart>, suggested: i64, carton: Option<i64>) {
    let carton = carton.filter(|units| *units > 0);
    let fast = match parts.as_slice() {
        [only] => only.units.max(suggested),
        [fast, ..] => fast.units,
        [] => 0,
    }
    .min(suggested);
    let wanted = [fast, suggested - fast];
    for (part, units) in parts.iter_mut().zip(wanted) {
        if part.units != units {
            part.freight = part.freight.filter(|_| part.units > 0).map(|freight| {
                let each = freight.amount / Decimal::from(part.units);
                crate::money::Money::new(each, freight.currency).times(units)
            });
            part.units = units;
            part.cartons = carton.map(|carton| units / carton);
        }
    }
    parts.retain(|part| part.units > 0);
}
