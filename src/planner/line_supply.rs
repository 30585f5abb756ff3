//! What the chain does to one line: returns, modes side by side, deadlines, storage, targets from costs.

use chrono::NaiveDate;

use super::balance::{Arrival, day_after};
use super::context::{Context, WarehouseContext};
use super::forecast::DemandView;
use super::lead::LaneDays;
use super::line::Figures;
use super::model::{DataState, Explain, PlanLine, Reason};
use super::snapshot::ItemSeries;
use super::supply::{DeadlineView, SupplyLine, TargetView, ageing, bridge, rework, target};
use crate::money::Money;

/// Units coming back are counted by the week.
const RETURN_STEP: i64 = 7;

/// Units sold that come back and can be sold again (R71): each day's sales times rate and share, after the delay. What
/// was sold already is known, what will be sold is expected.
pub fn returns(
    item: &ItemSeries,
    demand: Option<&DemandView>,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
) -> Vec<Arrival> {
    let (Some(rule), Some(demand)) = (context.terms.returns(&item.warehouse, &item.sku), demand) else {
        return Vec::new();
    };
    let delay = rule.delay_days.clamp(0, 365);
    let share = f64::from(rule.rate_permille.min(1000)) * f64::from(rule.resellable_permille.min(1000)) / 1e6;
    if share <= 0.0 {
        return Vec::new();
    }
    let horizon = context.horizon as i64;
    let (mut back, mut told) = (0.0, 0_i64);
    let mut arrivals = Vec::new();
    for day in 0..horizon {
        let sold_on = day - delay;
        back += share
            * if sold_on < 0 {
                item.sales
                    .on(day_after(context.as_of, sold_on))
                    .map_or(demand.level, f64::from)
            } else {
                demand.expected(&warehouse.season_ahead, usize::try_from(sold_on).unwrap_or(0))
            };
        if day % RETURN_STEP == RETURN_STEP - 1 {
            let whole = (back + 1e-6).floor() as i64;
            if whole > told {
                arrivals.push(Arrival {
                    day,
                    late_day: day,
                    units: whole - told,
                });
                told = whole;
            }
        }
    }
    arrivals
}

/// Fee of destroying what comes back unsellable in the next thirty days.
pub fn destroy_cost(
    item: &ItemSeries,
    demand: &DemandView,
    context: &Context<'_>,
    ahead: &[f64],
) -> Option<Money> {
    let rule = context.terms.returns(&item.warehouse, &item.sku)?;
    let fee = rule.destroy_fee?;
    let lost =
        f64::from(rule.rate_permille.min(1000)) * f64::from(1000 - rule.resellable_permille.min(1000)) / 1e6;
    let sold = demand.level * ahead.get(30).copied().unwrap_or(30.0);
    Some(fee.times((sold * lost).round() as i64))
}

/// The targets of service and of cost, where prices are known.
pub fn targets(item: &ItemSeries, by_rank: Option<u16>, context: &Context<'_>) -> (u16, Option<TargetView>) {
    let service = item
        .service_permille
        .or(by_rank)
        .unwrap_or(context.policy.service_permille);
    let view = target::cost_target(item, &context.terms, context.policy, context.as_of, service);
    (view.as_ref().map_or(service, TargetView::used), view)
}

/// The lane of a quantity, where money decides it: Some lane, and the parts when it pays to fly some.
pub fn by_cost<'a>(
    item: &ItemSeries,
    lanes: &'a [LaneDays],
    need: i64,
    context: &Context<'_>,
    lost: impl Fn(i64) -> f64,
) -> Option<(&'a LaneDays, Option<bridge::Bridge<'a>>)> {
    if need <= 0 || !context.policy.supply.split_modes {
        return None;
    }
    let bridge = bridge::weigh(item, lanes, &context.terms, lost)?;
    Some((bridge.base, Some(bridge).filter(bridge::Bridge::pays)))
}

/// The next deadline of a platform and the lane that makes it: a faster one when the chosen one does not (R16).
pub fn by_deadline<'a>(
    lanes: &'a [LaneDays],
    chosen: &'a LaneDays,
    need: i64,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
    reasons: &mut Vec<Reason>,
) -> (&'a LaneDays, Option<DeadlineView>) {
    let permille = context.policy.lead_permille.clamp(1, 999);
    if need <= 0 {
        return (chosen, None);
    }
    let Some(view) = warehouse.deadlines.next(lanes, context.as_of, permille) else {
        return (chosen, None);
    };
    let in_time = |lane: &LaneDays| {
        let place = lanes.iter().position(|other| std::ptr::eq(other, lane));
        place
            .and_then(|place| view.modes.get(place))
            .is_some_and(|mode| mode.in_time)
    };
    if in_time(chosen) {
        return (chosen, Some(view));
    }
    if let Some(faster) = lanes.iter().find(|lane| in_time(lane)) {
        reasons.push(Reason::DeadlineFaster);
        return (faster, Some(view));
    }
    reasons.push(Reason::DeadlineMissed);
    (chosen, Some(view))
}

/// Latest dates: of the stock-out, and of the deadline if that is earlier.
pub fn deadline_dates(figures: &mut Figures, view: &DeadlineView, lane: &LaneDays) {
    let Some(mode) = view.modes.iter().find(|mode| mode.mode == lane.mode) else {
        return;
    };
    if mode.in_time {
        figures.order_by = Some(
            figures
                .order_by
                .map_or(mode.order_by, |day| day.min(mode.order_by)),
        );
        figures.ship_by = Some(figures.ship_by.map_or(mode.ship_by, |day| day.min(mode.ship_by)));
    }
}

/// Calendars: what they add, and what they lack.
pub fn calendars(
    figures: &mut Figures,
    supply: &mut SupplyLine,
    lane: &LaneDays,
    warehouse: &WarehouseContext<'_>,
    reasons: &mut Vec<Reason>,
) {
    if lane.calendar_days() > 0 {
        reasons.push(Reason::CalendarStops);
    }
    if let Some(missing) = lane.missing.as_ref().or(warehouse.deadlines.missing.as_ref()) {
        reasons.push(Reason::CalendarMissing);
        supply.calendar_missing = Some(missing.clone());
        figures.data = figures.data.max(DataState::Incomplete);
    }
}

/// Age, fees and the next tier of what stands there (R15, R58).
pub fn storage(
    item: &ItemSeries,
    demand: &DemandView,
    excess: i64,
    context: &Context<'_>,
    ahead: &[f64],
) -> Option<super::supply::AgeView> {
    let tiers = context.terms.storage(&item.warehouse);
    let lots = context.terms.lots(&item.warehouse, &item.sku);
    if tiers.is_empty() && lots.is_empty() {
        return None;
    }
    let facts = context.terms.item(&item.warehouse, &item.sku);
    let volume = facts.and_then(|facts| facts.volume_cm3);
    let gone = |days: i64| {
        let days = usize::try_from(days)
            .unwrap_or(0)
            .min(ahead.len().saturating_sub(1));
        (demand.level * ahead.get(days).copied().unwrap_or_default() + 1e-6).floor() as i64
    };
    let mut view = ageing::age(item.available?, lots, tiers, volume, context.as_of, gone)?;
    view.excess_units = excess;
    view.excess_cost = item.unit_cost.map(|cost| cost.times(excess));
    Some(view)
}

/// What the chain adds to the tree.
pub fn tree(line: &PlanLine, supply: &SupplyLine, as_of: NaiveDate) -> Vec<Explain> {
    let mut headings = Vec::new();
    headings.extend(rework::mode_terms(
        &supply.parts,
        line.suggested_units.unwrap_or(0),
    ));
    if let Some(deadline) = &supply.deadline {
        let mut terms = vec![
            Explain::fact("deadline_name", deadline.name.clone(), ""),
            Explain::date("deadline_date", Some(deadline.date)),
        ];
        for mode in &deadline.modes {
            let key = format!("deadline_order_by.{}", mode.mode.code());
            terms.push(Explain::date(key, Some(mode.order_by)));
        }
        headings.push(Explain::heading("deadline", terms));
    }
    if let Some(ageing) = &supply.ageing {
        let money = |key: &'static str, money: Option<Money>| {
            Explain::fact(
                key,
                money.map_or_else(String::new, |money| money.to_string()),
                "money",
            )
        };
        let mut terms = vec![money("fee_30", ageing.fee_30), money("fee_90", ageing.fee_90)];
        if let Some(next) = &ageing.next_tier {
            terms.push(Explain::days("tier_from", next.from_age));
            terms.push(Explain::date("tier_date", Some(next.date)));
            terms.push(Explain::days("tier_in", (next.date - as_of).num_days()));
            terms.push(Explain::units("tier_units", next.units));
            terms.push(money("tier_daily_fee", next.daily_fee));
        }
        if ageing.assumed_oldest {
            terms.push(Explain::fact("assumed_oldest", "yes", "source"));
        }
        headings.push(Explain::heading("storage", terms));
    }
    if let Some(cost) = supply.destroy_cost {
        headings.push(Explain::fact("destroy_cost", cost.to_string(), "money"));
    }
    headings
}
