//! What a line's tree says of its demand beside the rate: classes, group, promotions, rules, overrides, events.

use rust_decimal::Decimal;

use super::context::{Context, WarehouseContext};
use super::forecast::DemandView;
use super::history::{Adjusted, DemandChange, DemandOverride, LearnedEvent};
use super::model::Explain;
use super::models::DemandClass;
use super::rounding::round_stat;
use super::snapshot::ItemSeries;

/// The target of the line's rank, where the policy has targets by rank and the rank is known.
pub fn service_by_rank(
    item: &ItemSeries,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
) -> Option<u16> {
    let targets = context.policy.service_by_rank?;
    let rank = warehouse.ranks.get(&item.sku)?;
    targets.get(rank.place()).copied()
}

pub fn terms(demand: &DemandView, item: &ItemSeries, warehouse: &WarehouseContext<'_>) -> Vec<Explain> {
    let mut terms = Vec::new();
    if let Some(pattern) = &demand.pattern {
        let class = match pattern.class {
            DemandClass::Smooth => "smooth",
            DemandClass::Erratic => "erratic",
            DemandClass::Intermittent => "intermittent",
            DemandClass::Lumpy => "lumpy",
            DemandClass::None => "never_sold",
        };
        terms.push(Explain::fact("class_demand", class, "class"));
    }
    terms.push(Explain::fact("class_life", demand.life.code(), "class"));
    if let Some(rank) = warehouse.ranks.get(&item.sku) {
        terms.push(Explain::fact("class_margin", rank.code(), ""));
    }
    if let Some(found) = &demand.contested {
        terms.push(Explain {
            terms: vec![
                Explain::fact("contest_models", found.models.join(", "), ""),
                Explain::rate("contest_rate", found.rate),
                Explain::rate("contest_ours", demand.levels.level),
                loss("contest_loss", found.loss),
                loss("contest_loss_ours", found.loss_ours),
                Explain::fact("contest_origins", found.origins.to_string(), ""),
                Explain::days("contest_interval", 7 * found.interval as i64),
            ],
            ..Explain::fact("contest", if found.used { "models" } else { "ours" }, "class")
        });
    }
    if let Some((group, weight)) = &demand.group {
        terms.push(Explain {
            terms: vec![
                Explain::fact("group_items", group.items.to_string(), ""),
                Explain::percent("group_own_weight", (weight * 1000.0).round() as i64),
            ],
            ..Explain::rate("group_rate", group.rate)
        });
    }
    if let Some(adjusted) = &demand.adjusted {
        terms.extend(adjusted_terms(adjusted));
    }
    // One that nobody assumes anything of, and that was never seen, changes nothing.
    let telling = |event: &&LearnedEvent| event.evidence > 0.0 || event.prior != 1.0;
    terms.extend(
        warehouse
            .events
            .learned
            .iter()
            .filter(telling)
            .map(|event| Explain {
                terms: vec![
                    Explain::fact("event_name", event.name.clone(), ""),
                    Explain::percent("event_prior", (event.prior * 1000.0).round() as i64),
                    Explain::fact("event_evidence", event.evidence.round().to_string(), ""),
                ],
                ..Explain::percent("event", (event.multiplier * 1000.0).round() as i64)
            }),
    );
    terms
}

fn loss(key: &'static str, units: f64) -> Explain {
    Explain::fact(
        key,
        round_stat(units).map_or_else(String::new, |units| units.to_string()),
        "units",
    )
}

fn adjusted_terms(adjusted: &Adjusted) -> Vec<Explain> {
    let mut terms = Vec::new();
    if adjusted.promotion_units != 0 {
        terms.push(Explain::units("promotion_units", adjusted.promotion_units));
    }
    if adjusted.bulk_units > 0 {
        terms.push(Explain {
            terms: vec![Explain::rate("bulk_rate", adjusted.bulk_rate)],
            ..Explain::units("bulk_units", adjusted.bulk_units)
        });
    }
    if let Some((choice, rate)) = &adjusted.rule {
        let key = if choice.used { "rule_used" } else { "rule_beside" };
        let mut beside = vec![
            Explain::rate("rate_ours", adjusted.own_rate),
            Explain::date("from", Some(choice.from)),
        ];
        beside.extend(choice.until.map(|until| Explain::date("until", Some(until))));
        terms.push(Explain {
            terms: beside,
            ..Explain::rate(key, *rate)
        });
    }
    terms.extend(adjusted.overrides.iter().map(override_term));
    terms
}

fn override_term(given: &DemandOverride) -> Explain {
    let mut about = vec![
        Explain::date("from", Some(given.from)),
        Explain::date("until", Some(given.until)),
        Explain::fact("author", given.author.clone(), ""),
    ];
    if !given.note.is_empty() {
        about.push(Explain::fact("note", given.note.clone(), ""));
    }
    let (value, unit) = match &given.change {
        DemandChange::Factor(times) => (times * Decimal::ONE_HUNDRED, "percent"),
        DemandChange::UnitsPerDay(units) => (*units, "units_per_day"),
    };
    Explain {
        terms: about,
        ..Explain::fact("override", value.normalize().to_string(), unit)
    }
}
