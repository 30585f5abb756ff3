//! One line: from history and stock to a quantity with its dates.

use chrono::NaiveDate;

use super::balance::{Arrival, Curve, day_after, walk};
use super::context::{Context, WarehouseContext};
use super::forecast::{Buffers, DemandView, learn_demand};
use super::inbound::{Incoming, predict};
use super::lead::LaneDays;
use super::line_demand;
use super::line_explain::explain;
use super::line_supply;
use super::model::{AlertLevel, DataState, PlanLine, ProjectedDay, Reason, StockoutDates};
use super::quantify::{Quantity, QuantityTerms, choose_lane, lost_before, quantify, settle_shortage};
use super::rounding::{Rounded, round_need, round_stat};
use super::snapshot::{ItemSeries, MoqPolicy};
use super::supply::{SupplyLine, bridge};

/// Days of the projection a plan carries.
const SHOWN_DAYS: usize = 90;
/// Below so many in-stock days an item counts as new.
const NEW_ITEM_DAYS: i64 = 28;

/// Plans one line.
pub fn plan_line(
    item: &ItemSeries,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
    buffers: &mut Buffers,
) -> PlanLine {
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

    let horizon = context.horizon;
    let returns = line_supply::returns(item, demand.as_ref(), context, warehouse);
    let mut arrivals = all_arrivals(item, &incoming, warehouse);
    arrivals.extend_from_slice(&returns);
    let curves = match (&demand, item.available) {
        (Some(demand), Some(available)) => Some(curves(available, &arrivals, horizon, demand, warehouse)),
        _ => None,
    };
    let ahead = demand.as_ref().map_or(&warehouse.season_ahead[..], |demand| {
        demand.ahead(&warehouse.season_ahead)
    });
    let outs = match (&demand, &curves, item.available) {
        (Some(_), Some(curves), Some(_)) if arrivals.is_empty() => curves.stockouts(),
        (Some(demand), _, Some(available)) => {
            let joint = &mut buffers.joint;
            context
                .scores
                .stockouts(available, &arrivals, horizon, demand, ahead, joint)
        }
        _ => [None; 3],
    };
    let stockout = outs[1];
    let [p10, p50, p90] = outs.map(|day| day.map(|day| day_after(context.as_of, day)));
    let dates = StockoutDates { p10, p50, p90 };

    let mut line = empty_line(item, data, dates, demand.as_ref(), context.as_of);
    line.inbound = incoming.views;
    if let Some(curves) = &curves {
        line.projection = curves.shown(context.as_of, &arrivals);
    }

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
            let outs =
                context
                    .scores
                    .stockouts(available, &arrivals, horizon, demand, ahead, &mut buffers.joint);
            stockout = outs[1];
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
        date_line(&mut line, lane, stockout, computed.need, context);
        if let Some(view) = &deadline {
            line_supply::deadline_dates(&mut line, view, lane);
        }
        supply.deadline = deadline;
        let position = available + computed.pending + computed.inbound;
        // What stands in a warehouse that passes goods on stands for others.
        computed.excess = match warehouse.feeds_others {
            true => 0,
            false => excess(position, demand, context, warehouse),
        };
        grade(
            &mut line,
            &computed,
            available,
            lane,
            (stockout, send_by),
            context,
            &mut reasons,
        );
        let rounded = round_need(computed.need, item.carton_units, item.moq, context.policy.moq);
        state_rounding(item, &computed, rounded, context.policy.moq, demand, &mut reasons);
        line.need_units = Some(computed.need);
        line.suggested_units = Some(rounded.units);
        line.suggested_cartons = rounded.cartons;
        line.safety_units = Some((computed.order_up_to - computed.mean).max(0));
        line.cost = item.unit_cost.map(|cost| cost.times(rounded.units));
        if let Some(split) = split.filter(|split| std::ptr::eq(split.base, lane)) {
            supply.parts = bridge::parts(&split, rounded.units, item, &context.terms, context.as_of);
            match supply.parts.as_slice() {
                [only] => {
                    line.mode = Some(only.mode);
                    line.eta = Some(only.eta);
                    supply.parts.clear();
                }
                [_, _, ..] => reasons.push(Reason::ModeSplit),
                [] => {}
            }
        }
        line_supply::calendars(&mut line, &mut supply, lane, warehouse, &mut reasons);
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
        stop(&mut line);
    }
    dedup(&mut reasons);
    line.reasons = reasons;
    line.supply = (!supply.is_empty() && item.active).then(|| Box::new(supply));
    line.explain = explain(
        item,
        &line,
        demand.as_ref(),
        quantity.as_ref(),
        lane_used,
        context,
        warehouse,
    );
    if let Some(supply) = &line.supply {
        let more = line_supply::tree(&line, supply, context.as_of);
        line.explain.terms.extend(more);
    }
    line
}

/// An item nobody wants to order any more keeps its row and gets no quantity.
fn stop(line: &mut PlanLine) {
    line.need_units = None;
    line.suggested_units = None;
    line.suggested_cartons = None;
    line.cost = None;
    line.level = None;
    line.order_by = None;
    line.ship_by = None;
    line.eta = None;
    line.mode = None;
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

fn all_arrivals(item: &ItemSeries, incoming: &Incoming, warehouse: &WarehouseContext<'_>) -> Vec<Arrival> {
    let mut arrivals = incoming.arrivals.clone();
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

struct Curves {
    low: Curve,
    mid: Curve,
    high: Curve,
}

fn curves(
    available: i64,
    arrivals: &[Arrival],
    horizon: usize,
    demand: &DemandView,
    warehouse: &WarehouseContext<'_>,
) -> Curves {
    let ahead = &warehouse.season_ahead;
    let edge = |upper: bool| {
        move |day: usize| {
            (demand.cumulative(ahead, day + 1, upper) - demand.cumulative(ahead, day, upper)).max(0.0)
        }
    };
    Curves {
        low: walk(available, arrivals, true, horizon, edge(true)),
        mid: walk(available, arrivals, false, horizon, |day| {
            demand.expected(ahead, day)
        }),
        high: walk(available, arrivals, false, horizon, edge(false)),
    }
}

impl Curves {
    fn stockouts(&self) -> [Option<i64>; 3] {
        [self.low.stockout, self.mid.stockout, self.high.stockout]
    }

    fn shown(&self, as_of: NaiveDate, arrivals: &[Arrival]) -> Vec<ProjectedDay> {
        (0..self.mid.end.len().min(SHOWN_DAYS))
            .map(|day| {
                let (low, mid, high) = (self.low.end[day], self.mid.end[day], self.high.end[day]);
                let mid = mid.round() as i64;
                ProjectedDay {
                    day: day_after(as_of, day as i64),
                    low: (low.round() as i64).min(mid),
                    mid,
                    high: (high.round() as i64).max(mid),
                    arrivals: arrivals
                        .iter()
                        .filter(|arrival| arrival.day.max(0) == day as i64)
                        .map(|arrival| arrival.units)
                        .sum(),
                }
            })
            .collect()
    }
}

fn date_line(line: &mut PlanLine, lane: &LaneDays, stockout: Option<i64>, need: i64, context: &Context<'_>) {
    let percentile = context.policy.lead_permille.clamp(1, 999);
    line.mode = Some(lane.mode);
    line.order_by = stockout.map(|day| day_after(context.as_of, lane.latest_order(day, percentile)));
    line.ship_by = stockout.map(|day| day_after(context.as_of, lane.latest_hand_over(day, percentile)));
    line.eta = (need > 0).then(|| day_after(context.as_of, lane.total_at(500)));
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
    line: &mut PlanLine,
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
    let act_by = line
        .order_by
        .into_iter()
        .chain(send_by.map(|day| day_after(as_of, day)))
        .min();
    line.level = match act_by {
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
    if line.level == Some(AlertLevel::Overstock) {
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

fn empty_line(
    item: &ItemSeries,
    data: DataState,
    stockout: StockoutDates,
    demand: Option<&DemandView>,
    as_of: NaiveDate,
) -> PlanLine {
    let stat = |value: Option<f64>| value.and_then(round_stat);
    let level = demand.map(|demand| demand.level);
    PlanLine {
        warehouse: item.warehouse.clone(),
        sku: item.sku.clone(),
        name_zh: item.name_zh.clone(),
        name_en: item.name_en.clone(),
        data,
        level: None,
        reasons: Vec::new(),
        velocity_7: stat(demand.and_then(|demand| demand.velocity_7)),
        velocity_30: stat(demand.and_then(|demand| demand.velocity_30)),
        velocity_90: stat(demand.and_then(|demand| demand.velocity_90)),
        velocity: stat(level),
        out_of_stock_days: demand.map_or(0, |demand| demand.out_of_stock_days),
        available: item.available,
        pending_putaway: item.pending_putaway,
        inbound: Vec::new(),
        cover_days: match (level, item.available) {
            (Some(level), Some(available)) if level > 0.0 => round_stat(available.max(0) as f64 / level),
            _ => None,
        },
        stockout,
        order_by: None,
        ship_by: None,
        eta: None,
        mode: None,
        need_units: None,
        suggested_units: None,
        suggested_cartons: None,
        safety_units: None,
        cost: None,
        sales_60: (1..=60)
            .rev()
            .map(|back| item.sales.on(day_after(as_of, -back)).map(i64::from))
            .collect(),
        projection: Vec::new(),
        explain: super::model::Explain::heading("line", Vec::new()),
        supply: None,
    }
}
