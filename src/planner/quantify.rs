//! The order-up-to quantity, the position against it, and the lane.

use super::balance::{Arrival, shortfall};
use super::calibration::{Calibration, SalesClass};
use super::context::{Context, WarehouseContext};
use super::demand::Interval;
use super::forecast::DemandView;
use super::lead::LaneDays;
use super::method::Named;
use super::snapshot::{CertainShortage, ItemSeries};
use super::supply::loss::allowance;

/// Everything the quantity is made of.
#[derive(Debug, Clone, Default)]
pub struct Quantity {
    pub protection_days: i64,
    pub service_permille: u16,
    pub mean: i64,
    /// Standard deviation of demand in the interval.
    pub deviation: i64,
    pub order_up_to: i64,
    /// Demand of the interval, to be read at other places too.
    pub interval: Interval,
    pub pending: i64,
    pub inbound: i64,
    /// Units sold that come back and can be sold again, in time.
    pub returns: i64,
    /// Units that come too late for the demand before them.
    pub late: i64,
    pub certain_shortage: i64,
    pub subtracted: i64,
    pub need: i64,
    pub gap_days: i64,
    pub faster: bool,
    /// Units beyond the limit of cover.
    pub excess: i64,
    /// What moved the place read, when earlier decisions attained something else than was wanted.
    pub calibration: Option<Calibration>,
    /// The method the policy names, when it is not the engine's own.
    pub named: Option<Named>,
    /// What its lots and points add to the need, or take off.
    pub method_effect: i64,
    /// Sent on top, because a share of what leaves is lost.
    pub loss: i64,
}

/// What a quantity is asked for, beside the line's facts.
#[derive(Debug, Clone, Copy)]
pub struct QuantityTerms<'a> {
    pub review_days: i64,
    pub service_permille: u16,
    /// Those of the arrivals that are units coming back from customers.
    pub returns: &'a [Arrival],
}

/// The whole units that demand does not exceed with so many thousandths of probability.
#[must_use]
pub fn units_at(interval: &Interval, permille: u16) -> i64 {
    (interval.quantile(permille) - 1e-9).ceil() as i64
}

#[expect(clippy::too_many_arguments, reason = "the whole of a line's facts meet here")]
pub fn quantify(
    item: &ItemSeries,
    available: i64,
    arrivals: &[Arrival],
    demand: &DemandView,
    lane: &LaneDays,
    terms: &QuantityTerms<'_>,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
) -> Quantity {
    let review = terms.review_days.clamp(0, 365);
    let ahead = &warehouse.season_ahead;
    let interval = demand.over(&lane.slices, review, ahead);
    let service_permille = terms.service_permille.clamp(1, 999);
    let class = SalesClass::of(demand.demand_days, demand.days_used);
    let calibration = Calibration::of(
        context.policy,
        &item.warehouse,
        lane.mode,
        class,
        service_permille,
    );
    let read_permille = calibration.map_or(service_permille, Calibration::read_permille);
    let moments = (interval.mean(), interval.variance());
    let named = Named::of(item, moments, demand.level, read_permille, context.policy);
    let order_up_to = match &named {
        Some(named) => named.level(),
        None => units_at(&interval, read_permille),
    };
    let protection_days = review + lane.until_next_at(500);
    // What comes after anything ordered at the next review would have come hides no need of today. The late edge of
    // that counts: an order of ours with a long passage is not forgotten, and ordered again, for being slow.
    let on_time: Vec<Arrival> = arrivals
        .iter()
        .copied()
        .filter(|arrival| arrival.day <= review + lane.until_next_at(900))
        .collect();
    let (worst, _) = shortfall(available, &on_time, protection_days as usize, |day| {
        demand.expected(ahead, day)
    });
    let pending = item.pending_putaway.unwrap_or(0).max(0);
    let pending_on_time = pending.min(on_time.iter().map(|arrival| arrival.units).sum());
    let returns = terms
        .returns
        .iter()
        .filter(|arrival| arrival.day <= review + lane.until_next_at(900))
        .map(|arrival| arrival.units)
        .sum::<i64>();
    let inbound = on_time.iter().map(|arrival| arrival.units).sum::<i64>() - pending_on_time - returns;
    let open = order_up_to - available - pending_on_time - inbound - returns;
    // Rounded down: half a unit of a slow item is no gap, and would be ordered at every review.
    let worst = (worst + 1e-6).floor().max(0.0) as i64;
    // What comes too late is taken out of the position again, as far as it hid a need.
    let late = if worst > open.max(0) { worst - open } else { 0 };
    let need = named
        .as_ref()
        .map_or((open + late).max(0), |named| named.need(open + late));
    let method_effect = need - (open + late).max(0);
    let share = context.terms.loss(&item.warehouse, lane.mode);
    let loss = share.map_or(0, |share| allowance(need, inbound, share.lost_per_10000));
    let need = need + loss;
    Quantity {
        calibration: calibration.cloned(),
        method_effect,
        loss,
        named,
        protection_days,
        service_permille,
        mean: interval.mean().round() as i64,
        deviation: interval.variance().sqrt().round() as i64,
        order_up_to,
        interval,
        pending: pending_on_time,
        inbound,
        returns,
        late,
        need,
        ..Quantity::default()
    }
}

/// The first lane by priority whose late edge loses no demand that a faster lane would save; when each one does, the
/// fastest. `lost` is the demand lost before a day, with everything that is on its way: a stock-out that no lane
/// comes before, and that goods under way end, is no reason to fly.
pub fn choose_lane<'a>(
    lanes: &'a [LaneDays],
    first: &'a LaneDays,
    needed: bool,
    lost: impl Fn(i64) -> f64,
) -> &'a LaneDays {
    let Some(fastest) = lanes.iter().min_by_key(|lane| lane.total_at(500)) else {
        return first;
    };
    if !needed {
        return first;
    }
    let saved_by_none = lost(fastest.total_at(500));
    lanes
        .iter()
        .find(|lane| lost(lane.total_at(900)) - saved_by_none < LESS_THAN_A_UNIT)
        .unwrap_or(fastest)
}

/// Fractions of a unit are no demand that a mode of transport could save.
const LESS_THAN_A_UNIT: f64 = 0.5;

/// Demand lost before a day, on the expected path.
pub fn lost_before(
    day: i64,
    available: i64,
    arrivals: &[Arrival],
    demand: &DemandView,
    warehouse: &WarehouseContext<'_>,
) -> f64 {
    let days = usize::try_from(day).unwrap_or(0);
    let (_, lost) = shortfall(available.max(0), arrivals, days, |day| {
        demand.expected(&warehouse.season_ahead, day)
    });
    lost
}

/// Demand nothing can serve any more, because even this lane arrives after the stock-out.
#[expect(clippy::too_many_arguments, reason = "the whole of a line's facts meet here")]
pub fn settle_shortage(
    quantity: &mut Quantity,
    available: i64,
    arrivals: &[Arrival],
    demand: &DemandView,
    lane: &LaneDays,
    stockout: Option<i64>,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
) {
    let arrives = lane.total_at(500);
    let lost = lost_before(arrives, available, arrivals, demand, warehouse);
    quantity.certain_shortage = (lost - 1e-6).ceil().max(0.0) as i64;
    if let Some(stockout) = stockout.filter(|_| quantity.certain_shortage > 0) {
        quantity.gap_days = (arrives - stockout).max(0);
    }
    if context.policy.certain_shortage == CertainShortage::Subtract {
        quantity.subtracted = quantity.certain_shortage.min(quantity.need);
        quantity.need -= quantity.subtracted;
    }
}
