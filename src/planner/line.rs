//! One line: from history and stock to a quantity with its dates. Numbers only; [`super::line_words`] says them.

use chrono::NaiveDate;

use super::balance::{Arrival, day_after};
use super::context::{Context, WarehouseContext};
use super::forecast::{Buffers, DemandView, learn_demand};
use super::inbound::{Incoming, predict};
use super::lead::LaneDays;
use super::line_demand;
use super::line_supply;
use super::model::{AlertLevel, DataState, PlanLine, Reason, StockoutDates};
use super::quantify::{Quantity, QuantityTerms, choose_lane, lost_before, quantify, settle_shortage};
use super::rounding::{Rounded, round_need};
use super::snapshot::{ItemSeries, MoqPolicy};
use super::supply::{SupplyLine, bridge};
use crate::money::Money;
use crate::order::Mode;

/// Below so many in-stock days an item counts as new.
const NEW_ITEM_DAYS: i64 = 28;

/// What a plan decides of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    pub data: DataState,
    pub level: Option<AlertLevel>,
    pub stockout: StockoutDates,
    pub order_by: Option<NaiveDate>,
    pub ship_by: Option<NaiveDate>,
    pub eta: Option<NaiveDate>,
    pub mode: Option<Mode>,
    pub need_units: Option<i64>,
    pub suggested_units: Option<i64>,
    pub suggested_cartons: Option<i64>,
    pub safety_units: Option<i64>,
}

impl Figures {
    /// Those of a line of a whole plan.
    #[must_use]
    pub fn of(line: &PlanLine) -> Self {
        Self {
            data: line.data,
            level: line.level,
            stockout: line.stockout,
            order_by: line.order_by,
            ship_by: line.ship_by,
            eta: line.eta,
            mode: line.mode,
            need_units: line.need_units,
            suggested_units: line.suggested_units,
            suggested_cartons: line.suggested_cartons,
            safety_units: line.safety_units,
        }
    }

    /// Purchase cost of the suggestion.
    #[must_use]
    pub fn cost(&self, item: &ItemSeries) -> Option<Money> {
        Some(item.unit_cost?.times(self.suggested_units?))
    }
}

/// Everything that was computed of a line.
pub struct Judged<'a> {
    pub figures: Figures,
    pub reasons: Vec<Reason>,
    pub demand: Option<DemandView>,
    pub incoming: Incoming<'a>,
    /// What comes, pending units and returns too.
    pub arrivals: Vec<Arrival>,
    pub quantity: Option<(Quantity, Rounded)>,
    pub lane: Option<&'a LaneDays>,
    pub supply: Option<Box<SupplyLine>>,
}

/// Judges one line.
pub fn judge<'a>(
    item: &'a ItemSeries,
    context: &Context<'_>,
    warehouse: &'a WarehouseContext<'_>,
    buffers: &mut Buffers,
) -> Judged<'a> {
    let mut reasons = Vec::new();
    let mut demand = learn_demand(item, context, warehouse, buffers);
    // A warehouse that only passes goods on sells nothing itself.
    let passes_on = demand.is_none() && warehouse.feeds_others;
    if passes_on {
        buffers.history.load(std::iter::once((0.0, 1.0)));
        demand = Some(DemandView::default());
    }
    let lanes: &[LaneDays] = match &item.production {
        Some(production) => warehouse.lanes_with(production),
        None => &warehouse.lanes,
    };
    let incoming = predict(item, lanes, &context.terms, context.policy, context.as_of);
    let data = data_state(item, demand.as_ref(), passes_on, &mut reasons);
    if lanes.is_empty() {
        reasons.push(Reason::LeadTimeUnknown);
    }
    reasons.extend(&incoming.reasons);
    if item.available.is_some_and(|units| units < 0) {
        reasons.push(Reason::NegativeStock);
    }

    let returns = line_supply::returns(item, demand.as_ref(), context, warehouse);
    let mut arrivals = all_arrivals(item, &incoming, warehouse);
    arrivals.extend_from_slice(&returns);
    let ahead = demand.as_ref().map_or(&warehouse.season_ahead[..], |demand| {
        demand.ahead(&warehouse.season_ahead)
    });
    let outs = match (&demand, item.available) {
        (Some(demand), Some(available)) => {
            let joint = &mut buffers.joint;
            joint.load(context.horizon, demand, ahead);
            context.scores.stockouts(available, &arrivals, joint)
        }
        _ => [None; 3],
    };
    let stockout = outs[1];
    let [p10, p50, p90] = outs.map(|day| day.map(|day| day_after(context.as_of, day)));

    let mut figures = Figures {
        data,
        level: None,
        stockout: StockoutDates { p10, p50, p90 },
        order_by: None,
        ship_by: None,
        eta: None,
        mode: None,
        need_units: None,
        suggested_units: None,
        suggested_cartons: None,
        safety_units: None,
    };
    let known_arrivals = arrivals.len();

    let usable =
        item.stock_state != DataState::Missing && (item.sales_state != DataState::Missing || passes_on);
    let mut supply = SupplyLine::default();
    let mut quantity = None;
    let mut lane_used = None;
    if let (Some(demand), Some(available), Some(preferred), true) =
        (&demand, item.available, lanes.first(), usable)
    {
        let (service_permille, target) = line_supply::targets(
            item,
            line_demand::service_by_rank(item, context, warehouse),
            context,
        );
        supply.target = target;
        let mut terms = QuantityTerms {
            review_days: context.policy.review_days,
            service_permille,
            returns: &returns,
        };
        let mut computed = quantify(
            item, available, &arrivals, demand, preferred, &terms, context, warehouse,
        );
        let mut stockout = stockout;
        let mut send_by = None;
        if let Some(relay) = &warehouse.relay {
            terms.review_days = relay.review_days;
            let now = quantify(
                item,
                available,
                &arrivals,
                demand,
                &relay.lane,
                &terms,
                context,
                warehouse,
            );
            supply.wanted_now = Some(now.need);
            send_by = stockout.map(|day| day - relay.lane.total_at(900));
            // What is ordered for it must be there when the stock of both warehouses ends.
            arrivals.push(Arrival {
                day: relay.lane.total_at(500),
                late_day: relay.lane.total_at(900),
                units: context.upstream(relay, &item.sku),
            });
            stockout = context.scores.stockouts(available, &arrivals, &mut buffers.joint)[1];
        }
        let lost = |day| lost_before(day, available, &arrivals, demand, warehouse);
        let (lane, split) = line_supply::by_cost(item, lanes, computed.need, context, lost)
            .unwrap_or_else(|| (choose_lane(lanes, preferred, computed.need > 0, lost), None));
        let (lane, deadline) =
            line_supply::by_deadline(lanes, lane, computed.need, context, warehouse, &mut reasons);
        computed.faster = lane.mode != preferred.mode || lane.forwarder != preferred.forwarder;
        settle_shortage(
            &mut computed,
            available,
            &arrivals,
            demand,
            lane,
            stockout,
            context,
            warehouse,
        );
        date_line(&mut figures, lane, stockout, computed.need, context);
        if let Some(view) = &deadline {
            line_supply::deadline_dates(&mut figures, view, lane);
        }
        supply.deadline = deadline;
        let position = available + computed.pending + computed.inbound;
        // What stands in a warehouse that passes goods on stands for others.
        computed.excess = match warehouse.feeds_others {
            true => 0,
            false => excess(position, demand, context, warehouse),
        };
        grade(
            &mut figures,
            &computed,
            available,
            lane,
            (stockout, send_by),
            context,
            &mut reasons,
        );
        let rounded = round_need(computed.need, item.carton_units, item.moq, context.policy.moq);
        state_rounding(item, &computed, rounded, context.policy.moq, demand, &mut reasons);
        figures.need_units = Some(computed.need);
        figures.suggested_units = Some(rounded.units);
        figures.suggested_cartons = rounded.cartons;
        figures.safety_units = Some((computed.order_up_to - computed.mean).max(0));
        if let Some(split) = split.filter(|split| std::ptr::eq(split.base, lane)) {
            supply.parts = bridge::parts(&split, rounded.units, item, &context.terms, context.as_of);
            match supply.parts.as_slice() {
                [only] => {
                    figures.mode = Some(only.mode);
                    figures.eta = Some(only.eta);
                    supply.parts.clear();
                }
                [_, _, ..] => reasons.push(Reason::ModeSplit),
                [] => {}
            }
        }
        line_supply::calendars(&mut figures, &mut supply, lane, warehouse, &mut reasons);
        supply.ageing = line_supply::storage(item, demand, computed.excess, context, ahead);
        supply.destroy_cost = line_supply::destroy_cost(item, demand, context, ahead);
        quantity = Some((computed, rounded));
        lane_used = Some(lane);
        if lane.is_fallback() {
            reasons.push(Reason::LeadTimeFallback);
        }
        if lane.dropped() > 0 {
            reasons.push(Reason::ObservationDropped);
        }
    }
    if !item.active {
        reasons.insert(0, Reason::Inactive);
        stop(&mut figures);
    }
    dedup(&mut reasons);
    arrivals.truncate(known_arrivals);
    Judged {
        figures,
        reasons,
        incoming,
        arrivals,
        quantity,
        lane: lane_used,
        supply: (!supply.is_empty() && item.active).then(|| Box::new(supply)),
        demand,
    }
}

/// An item nobody wants to order any more keeps its row and gets no quantity.
fn stop(figures: &mut Figures) {
    *figures = Figures {
        level: None,
        order_by: None,
        ship_by: None,
        eta: None,
        mode: None,
        need_units: None,
        suggested_units: None,
        suggested_cartons: None,
        ..*figures
    };
}

fn dedup(reasons: &mut Vec<Reason>) {
    let mut seen = Vec::with_capacity(reasons.len());
    reasons.retain(|reason| {
        let new = !seen.contains(reason);
        seen.push(*reason);
        new
    });
}

fn data_state(
    item: &ItemSeries,
    demand: Option<&DemandView>,
    passes_on: bool,
    reasons: &mut Vec<Reason>,
) -> DataState {
    let sales_state = if passes_on {
        DataState::Complete
    } else {
        item.sales_state
    };
    let mut state = sales_state.max(item.stock_state);
    match sales_state {
        DataState::Stale => reasons.push(Reason::SalesStale),
        DataState::Missing => reasons.push(Reason::SalesUnknown),
        _ => {}
    }
    match item.stock_state {
        DataState::Stale => reasons.push(Reason::StockStale),
        DataState::Missing => reasons.push(Reason::StockUnknown),
        _ => {}
    }
    match demand {
        None => {
            reasons.push(Reason::SalesUnknown);
            state = state.max(DataState::Incomplete);
        }
        Some(demand) if demand.days_used < NEW_ITEM_DAYS && !passes_on => reasons.push(Reason::NewItem),
        Some(_) => {}
    }
    if item.available.is_none() || item.pending_putaway.is_none() {
        reasons.push(Reason::StockUnknown);
        state = state.max(DataState::Incomplete);
    }
    state
}

fn all_arrivals(
    item: &ItemSeries,
    incoming: &Incoming<'_>,
    warehouse: &WarehouseContext<'_>,
) -> Vec<Arrival> {
    let mut arrivals = incoming.arrivals();
    if let Some(units) = item.pending_putaway.filter(|units| *units > 0) {
        let (p50, p90) = warehouse.putaway.unwrap_or(PUTAWAY_DAYS);
        arrivals.push(Arrival {
            day: p50,
            late_day: p90,
            units,
        });
    }
    arrivals
}

/// Received to sellable where nobody said: typical of a third-party warehouse.
const PUTAWAY_DAYS: (i64, i64) = (2, 5);

fn date_line(
    figures: &mut Figures,
    lane: &LaneDays,
    stockout: Option<i64>,
    need: i64,
    context: &Context<'_>,
) {
    let percentile = context.policy.lead_permille.clamp(1, 999);
    figures.mode = Some(lane.mode);
    figures.order_by = stockout.map(|day| day_after(context.as_of, lane.latest_order(day, percentile)));
    figures.ship_by = stockout.map(|day| day_after(context.as_of, lane.latest_hand_over(day, percentile)));
    figures.eta = (need > 0).then(|| day_after(context.as_of, lane.total_at(500)));
}

/// Units beyond the expected demand of the days of cover that are enough.
fn excess(
    position: i64,
    demand: &DemandView,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
) -> i64 {
    let ahead = demand.ahead(&warehouse.season_ahead);
    let days = usize::try_from(context.policy.overstock_days.max(1)).unwrap_or(1);
    let inside = days.min(ahead.len() - 1);
    // Beyond the season's reach the days are average ones.
    let enough = demand.level * (ahead[inside] + (days - inside) as f64);
    (position - enough.ceil() as i64).max(0)
}

fn grade(
    figures: &mut Figures,
    quantity: &Quantity,
    available: i64,
    lane: &LaneDays,
    (stockout, send_by): (Option<i64>, Option<i64>),
    context: &Context<'_>,
    reasons: &mut Vec<Reason>,
) {
    let as_of = context.as_of;
    let warning = day_after(as_of, context.policy.warning_days.clamp(0, 365));
    let safety = (quantity.order_up_to - quantity.mean).max(0);
    // The last day to send from upstream is as urgent as the last day to order.
    let act_by = figures
        .order_by
        .into_iter()
        .chain(send_by.map(|day| day_after(as_of, day)))
        .min();
    figures.level = match act_by {
        Some(order_by) if order_by <= as_of => Some(AlertLevel::Critical),
        Some(order_by) if order_by <= warning => Some(AlertLevel::Warning),
        _ if safety > 0 && available + quantity.pending < safety => Some(AlertLevel::Notice),
        _ if quantity.excess > 0 => Some(AlertLevel::Overstock),
        _ => None,
    };
    if quantity.need > 0 && stockout.is_some_and(|day| day < lane.total_at(500)) {
        reasons.push(Reason::TooLate);
    }
    if quantity.certain_shortage > 0 {
        reasons.push(Reason::CertainShortage);
    }
    if figures.level == Some(AlertLevel::Overstock) {
        reasons.push(Reason::Overstock);
    }
}

fn state_rounding(
    item: &ItemSeries,
    quantity: &Quantity,
    rounded: Rounded,
    policy: MoqPolicy,
    demand: &DemandView,
    reasons: &mut Vec<Reason>,
) {
    let first = if quantity.need > 0 {
        Reason::Due
    } else if demand.level <= 0.0 {
        Reason::NoRecentSales
    } else {
        Reason::EnoughCover
    };
    reasons.insert(0, first);
    if rounded.moq_effect != 0 {
        reasons.push(match policy {
            MoqPolicy::Raise => Reason::MoqRaised,
            MoqPolicy::Wait => Reason::BelowMoq,
        });
    }
    if item.carton_units.is_none_or(|units| units <= 0) {
        reasons.push(Reason::CartonUnknown);
    }
}
