//! What a computed line says: names, the projected balance, the tree behind its numbers.

use chrono::NaiveDate;

use super::balance::{Arrival, walk};
use super::context::{Context, WarehouseContext};
use super::forecast::DemandView;
use super::line::Judged;
use super::line_explain::explain;
use super::line_supply;
use super::model::{Explain, PlanLine, ProjectedDay};
use super::rounding::round_stat;
use super::snapshot::ItemSeries;

/// Days of the projection a plan carries.
const SHOWN_DAYS: usize = 90;
/// Days of sales a plan carries.
const SALES_DAYS: i64 = 60;

/// The line as a plan carries it.
pub fn say(
    item: &ItemSeries,
    judged: Judged<'_>,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
) -> PlanLine {
    let figures = judged.figures;
    let demand = judged.demand.as_ref();
    let stat = |value: Option<f64>| value.and_then(round_stat);
    let level = demand.map(|demand| demand.level);
    let projection = match (demand, item.available) {
        (Some(demand), Some(available)) => {
            let days = SHOWN_DAYS.min(context.horizon);
            let curves = Curves::walk(available, &judged.arrivals, days, demand, warehouse);
            curves.shown(context.as_of, &judged.arrivals)
        }
        _ => Vec::new(),
    };
    let mut line = PlanLine {
        warehouse: item.warehouse.clone(),
        sku: item.sku.clone(),
        name_zh: item.name_zh.clone(),
        name_en: item.name_en.clone(),
        data: figures.data,
        level: figures.level,
        reasons: judged.reasons,
        velocity_7: stat(demand.and_then(|demand| demand.velocity_7)),
        velocity_30: stat(demand.and_then(|demand| demand.velocity_30)),
        velocity_90: stat(demand.and_then(|demand| demand.velocity_90)),
        velocity: stat(level),
        out_of_stock_days: demand.map_or(0, |demand| demand.out_of_stock_days),
        available: item.available,
        pending_putaway: item.pending_putaway,
        inbound: judged.incoming.views(context.as_of),
        cover_days: match (level, item.available) {
            (Some(level), Some(available)) if level > 0.0 => round_stat(available.max(0) as f64 / level),
            _ => None,
        },
        stockout: figures.stockout,
        order_by: figures.order_by,
        ship_by: figures.ship_by,
        eta: figures.eta,
        mode: figures.mode,
        need_units: figures.need_units,
        suggested_units: figures.suggested_units,
        suggested_cartons: figures.suggested_cartons,
        safety_units: figures.safety_units,
        cost: figures.cost(item),
        sales_60: newest_sales(item, context.as_of),
        projection,
        explain: Explain::heading("line", Vec::new()),
        supply: judged.supply,
    };
    line.explain = explain(
        item,
        &line,
        demand,
        judged.quantity.as_ref(),
        judged.lane,
        context,
        warehouse,
    );
    if let Some(supply) = &line.supply {
        let more = line_supply::tree(&line, supply, context.as_of);
        line.explain.terms.extend(more);
    }
    line
}

fn newest_sales(item: &ItemSeries, as_of: NaiveDate) -> Vec<Option<i64>> {
    let end = (as_of - item.sales.first_day).num_days();
    (end - SALES_DAYS..end)
        .map(|index| {
            let index = usize::try_from(index).ok()?;
            item.sales.units.get(index).map(i64::from)
        })
        .collect()
}

/// The balance at the ends of the coming days at the edges of demand and arrivals, and expected.
struct Curves {
    low: Vec<f64>,
    mid: Vec<f64>,
    high: Vec<f64>,
}

impl Curves {
    fn walk(
        available: i64,
        arrivals: &[Arrival],
        days: usize,
        demand: &DemandView,
        warehouse: &WarehouseContext<'_>,
    ) -> Self {
        let ahead = &warehouse.season_ahead;
        let edge = |upper: bool| {
            move |day: usize| {
                (demand.cumulative(ahead, day + 1, upper) - demand.cumulative(ahead, day, upper)).max(0.0)
            }
        };
        Self {
            low: walk(available, arrivals, true, days, edge(true)),
            mid: walk(available, arrivals, false, days, |day| {
                demand.expected(ahead, day)
            }),
            high: walk(available, arrivals, false, days, edge(false)),
        }
    }

    fn shown(&self, as_of: NaiveDate, arrivals: &[Arrival]) -> Vec<ProjectedDay> {
        let ends = self.low.iter().zip(&self.mid).zip(&self.high);
        as_of
            .iter_days()
            .zip(ends)
            .enumerate()
            .map(|(place, (day, ((low, mid), high)))| {
                let mid = mid.round() as i64;
                ProjectedDay {
                    day,
                    low: (low.round() as i64).min(mid),
                    mid,
                    high: (high.round() as i64).max(mid),
                    arrivals: arrivals
                        .iter()
                        .filter(|arrival| arrival.day.max(0) == place as i64)
                        .map(|arrival| arrival.units)
                        .sum(),
                }
            })
            .collect()
    }
}
