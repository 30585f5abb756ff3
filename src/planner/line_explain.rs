//! The explain tree of one line.

use super::calibration::Calibration;
use super::context::{Context, WarehouseContext};
use super::forecast::DemandView;
use super::lead::LaneDays;
use super::line_demand;
use super::method::{Method, Named};
use super::model::{AlertLevel, Explain, PlanLine};
use super::quantify::{Quantity, units_at};
use super::rounding::Rounded;
use super::snapshot::ItemSeries;
use super::supply::TargetRule;

const SHOWN_QUANTILES: [(&str, u16); 4] = [
    ("demand_p50", 500),
    ("demand_p90", 900),
    ("demand_p95", 950),
    ("demand_p98", 980),
];

/// Builds the tree; what is unknown has an empty value.
pub fn explain(
    item: &ItemSeries,
    line: &PlanLine,
    demand: Option<&DemandView>,
    quantity: Option<&(Quantity, Rounded)>,
    lane: Option<&LaneDays>,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
) -> Explain {
    let mut terms = Vec::with_capacity(5);
    if let (Some((quantity, rounded)), Some(_)) = (quantity, line.suggested_units) {
        terms.push(suggested(item, quantity, *rounded));
    } else {
        terms.push(Explain::fact("suggested", "", "units"));
    }
    if let Some((quantity, _)) = quantity {
        terms.push(interval(quantity, context));
    }
    if let Some(demand) = demand {
        terms.push(demand_terms(demand, item, warehouse));
    }
    if let Some(lane) = lane {
        terms.push(lead_terms(lane, context));
    }
    if let Some(target) = line.supply.as_ref().and_then(|supply| supply.target.as_ref()) {
        terms.push(target_terms(target));
    }
    if let Some((quantity, _)) = quantity {
        terms.push(date_terms(line, quantity));
        if line.level == Some(AlertLevel::Overstock) {
            terms.push(overstock_terms(item, quantity));
        }
    }
    Explain::heading("line", terms)
}

fn suggested(item: &ItemSeries, quantity: &Quantity, rounded: Rounded) -> Explain {
    let available = item.available.unwrap_or(0);
    let open = quantity.order_up_to - available - quantity.pending - quantity.inbound - quantity.returns
        + quantity.late
        - quantity.subtracted;
    let target = Explain::sum(
        "order_up_to",
        quantity.order_up_to,
        vec![
            (Explain::units("demand_mean", 0), quantity.mean),
            (Explain::units("safety", 0), quantity.order_up_to - quantity.mean),
        ],
    );
    let need = Explain::sum(
        "need",
        quantity.need,
        vec![
            (target, quantity.order_up_to),
            (Explain::units("less_available", 0), -available),
            (Explain::units("less_pending", 0), -quantity.pending),
            (Explain::units("less_inbound", 0), -quantity.inbound),
            (Explain::units("less_returns", 0), -quantity.returns),
            (Explain::units("late_inbound", 0), quantity.late),
            (Explain::units("less_certain_shortage", 0), -quantity.subtracted),
            (
                Explain::units("surplus", 0),
                quantity.need - open - quantity.method_effect - quantity.loss,
            ),
            (Explain::units("loss_allowance", 0), quantity.loss),
            (Explain::units("method_effect", 0), quantity.method_effect),
        ],
    );
    Explain::sum(
        "suggested",
        rounded.units,
        vec![
            (need, quantity.need),
            (Explain::units("carton_rounding", 0), rounded.carton_effect),
            (Explain::units("moq_effect", 0), rounded.moq_effect),
        ],
    )
}

fn interval(quantity: &Quantity, context: &Context<'_>) -> Explain {
    let mut terms = vec![Explain::percent(
        "service_target",
        i64::from(quantity.service_permille),
    )];
    terms.extend(quantity.calibration.as_ref().map(Calibration::explain));
    terms.extend(quantity.named.as_ref().map(|named| method_terms(named, context)));
    terms.extend([
        Explain::days("review", context.policy.review_days),
        Explain::days("protection", quantity.protection_days),
    ]);
    terms.push(Explain::units("demand_deviation", quantity.deviation));
    for (key, permille) in SHOWN_QUANTILES {
        terms.push(Explain {
            rule: "quantile".into(),
            ..Explain::units(key, units_at(&quantity.interval, permille))
        });
    }
    Explain::heading("interval", terms)
}

/// The parameters of a named method.
fn method_terms(named: &Named, context: &Context<'_>) -> Explain {
    let terms = match named.method {
        Method::Linkstar | Method::BaseStock => vec![Explain::units("method.S", named.point)],
        Method::ReviewUpTo => vec![
            Explain::days("method.R", context.policy.review_days),
            Explain::units("method.S", named.point),
        ],
        Method::PointUpTo => vec![
            Explain::units("method.s", named.point),
            Explain::units("method.S", named.level()),
        ],
        Method::PointLot => vec![
            Explain::units("method.r", named.point),
            Explain::units("method.Q", named.lot),
        ],
    };
    Explain {
        terms,
        ..Explain::fact("method", named.method.name(), "")
    }
}

fn demand_terms(demand: &DemandView, item: &ItemSeries, warehouse: &WarehouseContext<'_>) -> Explain {
    let mut terms = vec![Explain::rate("rate", demand.level)];
    for (key, rate) in [
        ("level_quick", Some(demand.levels.quick)),
        ("level_latest", Some(demand.levels.latest)),
        ("level_year", Some(demand.levels.year)),
        ("level_last_year", demand.levels.last_year),
    ] {
        terms.extend(rate.map(|rate| Explain::rate(key, rate)));
    }
    terms.extend(
        demand
            .levels
            .off_season
            .map(|share| Explain::percent("level_off_season", (share * 1000.0).round() as i64)),
    );
    for (key, velocity) in [
        ("velocity_7", demand.velocity_7),
        ("velocity_30", demand.velocity_30),
        ("velocity_90", demand.velocity_90),
    ] {
        if let Some(velocity) = velocity {
            terms.push(Explain::rate(key, velocity));
        }
    }
    terms.push(Explain::percent("trend", (demand.trend * 1000.0).round() as i64));
    terms.push(Explain::days("days_used", demand.days_used));
    terms.push(Explain::days("demand_days", demand.demand_days));
    terms.push(Explain::days("out_of_stock_days", demand.out_of_stock_days));
    terms.push(Explain::days("gap_days", demand.gap_days));
    if demand.outlier_units > 0 {
        terms.push(Explain::units("outlier_units", demand.outlier_units));
    }
    if !warehouse.season.is_flat() {
        let month = warehouse.season_ahead.get(28).copied().unwrap_or(28.0) / 28.0;
        terms.push(Explain::percent(
            "season_next_28",
            (month * 1000.0).round() as i64,
        ));
        terms.push(Explain::fact(
            "season_items",
            warehouse.season.items.to_string(),
            "",
        ));
    }
    terms.extend(line_demand::terms(demand, item, warehouse));
    Explain::heading("demand", terms)
}

fn lead_terms(lane: &LaneDays, context: &Context<'_>) -> Explain {
    let mut terms = vec![
        Explain::fact("mode", lane.mode.code(), "mode"),
        Explain::days("lead_p50", lane.total_at(500)),
        Explain::days("lead_p90", lane.total_at(900)),
        Explain::percent("lead_percentile", i64::from(context.policy.lead_permille)),
    ];
    for days in &lane.stages {
        let source = days.source.code();
        let mut stage = vec![
            Explain::days("stage_p50", days.p50),
            Explain::days("stage_p90", days.p90),
            Explain::fact("observations", days.used.to_string(), ""),
        ];
        if days.dropped > 0 {
            stage.push(Explain::fact(
                "observations_dropped",
                days.dropped.to_string(),
                "",
            ));
        }
        if days.share_permille < 1000 {
            stage.push(Explain::percent("stage_share", i64::from(days.share_permille)));
        }
        terms.push(Explain {
            terms: stage,
            ..Explain::fact(format!("stage.{}", days.stage.code()), source, "source")
        });
    }
    if lane.calendar_days() != 0 {
        terms.push(Explain::days("calendar_days", lane.calendar_days()));
    }
    if let Some(missing) = &lane.missing {
        terms.push(Explain::fact("calendar_missing", missing.to_string(), ""));
    }
    Explain::heading("lead_time", terms)
}

/// What is too much, and the money in it; an unknown cost leaves the units standing (R15).
fn overstock_terms(item: &ItemSeries, quantity: &Quantity) -> Explain {
    let cost = item.unit_cost.map(|cost| cost.times(quantity.excess).to_string());
    Explain::heading(
        "overstock",
        vec![
            Explain::units("excess_units", quantity.excess),
            Explain::fact("excess_cost", cost.unwrap_or_default(), "money"),
        ],
    )
}

/// Both targets, whichever is used.
fn target_terms(target: &super::supply::TargetView) -> Explain {
    let rule = match target.rule {
        TargetRule::Service => "rule_service",
        TargetRule::Cost => "rule_cost",
    };
    let mut terms = vec![
        Explain::percent("target_service", i64::from(target.service_permille)),
        Explain::percent("target_cost", i64::from(target.cost_permille)),
        Explain::fact("missing_costs", target.missing_costs.to_string(), ""),
        Explain::fact("surplus_costs", target.surplus_costs.to_string(), ""),
    ];
    terms.extend(target.low_stock.as_ref().map(low_stock_terms));
    Explain {
        value: rule.into(),
        unit: "source".into(),
        ..Explain::heading("target", terms)
    }
}

/// Whether the fee of low stock is among the costs, and what of its test is not known.
fn low_stock_terms(test: &super::supply::LowStockTest) -> Explain {
    let days = |key: &'static str, known: Option<rust_decimal::Decimal>| {
        known.map(|days| Explain::fact(key, days.normalize().to_string(), "days"))
    };
    let mut terms = vec![Explain::fact(
        "low_stock_amount",
        test.fee.normalize().to_string(),
        "",
    )];
    terms.extend(
        test.below_days
            .map(|limit| Explain::days("low_stock_limit", limit)),
    );
    terms.extend(days("supply_days_30", test.days_30));
    terms.extend(days("supply_days_90", test.days_90));
    if test.found == super::supply::LowStock::Unknown {
        let missing = [("supply_days_30", test.days_30), ("supply_days_90", test.days_90)];
        let missing: Vec<&str> = missing
            .iter()
            .filter_map(|(name, known)| known.is_none().then_some(*name))
            .collect();
        terms.push(Explain::fact("low_stock_missing", missing.join(", "), ""));
    }
    if !test.measured.is_empty() {
        terms.push(Explain::fact("low_stock_measured", test.measured.clone(), ""));
        terms.push(Explain::fact("low_stock_source", test.source.clone(), ""));
    }
    Explain {
        terms,
        ..Explain::fact("low_stock_fee", test.found.code(), "source")
    }
}

fn date_terms(line: &PlanLine, quantity: &Quantity) -> Explain {
    let mut terms = vec![
        Explain::date("stockout_p10", line.stockout.p10),
        Explain::date("stockout_p50", line.stockout.p50),
        Explain::date("stockout_p90", line.stockout.p90),
        Explain::date("order_by", line.order_by),
        Explain::date("ship_by", line.ship_by),
    ];
    if line.eta.is_some() {
        terms.push(Explain::date("eta", line.eta));
    }
    if quantity.certain_shortage > 0 {
        terms.push(Explain::days("gap_until_arrival", quantity.gap_days));
        terms.push(Explain::units("certain_shortage", quantity.certain_shortage));
    }
    if quantity.faster {
        terms.push(Explain::fact(
            "faster_mode",
            line.mode.map_or("", crate::order::Mode::code),
            "mode",
        ));
    }
    Explain::heading("dates", terms)
}
