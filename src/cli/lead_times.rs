//! `linkstar lead-times`: what was expected of every order's way, what came, and how often the promise held; what each stretch
//! of a way takes, and what is lost on it.

use std::collections::BTreeMap;

use serde_json::json;

use super::args::Cli;
use super::context::{Context, columns, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::night::{plan, reconcile};
use crate::order::Mode;
use crate::planner::supply::loss;
use crate::store::catalog;
use crate::store::lead_forecasts::{self, LeadForecast};
use crate::store::lead_times::{self, LeadTime};
use crate::wording::text;

/// How the forecasts of one warehouse and mode came out.
#[derive(Debug, Default)]
struct Score {
    orders: i64,
    arrived: i64,
    within_p50: i64,
    within_p90: i64,
    /// Days later than the median, summed.
    late: i64,
}

impl Score {
    fn count(&mut self, forecast: &LeadForecast) {
        self.orders += 1;
        let Some(arrived) = forecast.arrived else { return };
        self.arrived += 1;
        self.within_p50 += i64::from(arrived <= forecast.p50);
        self.within_p90 += i64::from(arrived <= forecast.p90);
        self.late += (arrived - forecast.p50).num_days();
    }

    /// Of those that arrived; nothing is claimed of none.
    fn share(&self, of: i64) -> Option<String> {
        (self.arrived > 0).then(|| format!("{:.1}", of as f64 * 100.0 / self.arrived as f64))
    }

    fn mean_late(&self) -> Option<String> {
        (self.arrived > 0).then(|| format!("{:.1}", self.late as f64 / self.arrived as f64))
    }
}

pub async fn run(cli: &Cli, json: bool) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let mut tx = context.store.read().await?;
    let forecasts = lead_forecasts::all(&mut tx, &context.config.account.id).await?;
    let passages = lead_times::all(&mut tx, &context.config.account.id).await?;
    let stretches = stretches(&passages);
    let night = context.night(false);
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let books = reconcile::books(&night, &mut tx, &catalog).await?;
    let losses = loss::learn(&plan::losses(&books));
    let mut scores: BTreeMap<(&str, &str), Score> = BTreeMap::new();
    for forecast in &forecasts {
        let key = (forecast.warehouse.as_str(), forecast.mode.as_str());
        scores.entry(key).or_default().count(forecast);
    }
    if json {
        let lanes: Vec<_> = scores
            .iter()
            .map(|((warehouse, mode), score)| {
                json!({
                    "warehouse": warehouse, "mode": mode, "orders": score.orders, "arrived": score.arrived,
                    "within_p50_percent": score.share(score.within_p50),
                    "within_p90_percent": score.share(score.within_p90),
                    "mean_days_after_p50": score.mean_late(),
                })
            })
            .collect();
        let orders: Vec<_> = forecasts
            .iter()
            .map(|forecast| {
                json!({
                    "order": forecast.reference, "warehouse": forecast.warehouse, "mode": forecast.mode,
                    "made_on": forecast.made_on, "p50": forecast.p50, "p90": forecast.p90,
                    "arrived": forecast.arrived,
                })
            })
            .collect();
        let stages: Vec<_> = stretches
            .iter()
            .map(|((warehouse, mode, stage), days)| {
                json!({
                    "warehouse": warehouse, "mode": mode, "stage": stage, "passages": days.len(),
                    "p50": share_of(days, 5), "p90": share_of(days, 9),
                })
            })
            .collect();
        print_json(&json!({"lanes": lanes, "stages": stages, "losses": losses, "orders": orders}))?;
        return Ok(Exit::Done);
    }
    if forecasts.is_empty() && stretches.is_empty() && losses.is_empty() {
        print(&text(context.lang, "cli.lead_times.none", &[]))?;
        return Ok(Exit::Done);
    }
    let unknown = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    let mut rows = vec![heads(context.lang, "lead_times")];
    for ((warehouse, mode), score) in &scores {
        rows.push(vec![
            (*warehouse).to_owned(),
            word(context.lang, "plan.value", mode),
            score.orders.to_string(),
            score.arrived.to_string(),
            unknown(score.share(score.within_p50)),
            unknown(score.share(score.within_p90)),
            unknown(score.mean_late()),
        ]);
    }
    if !scores.is_empty() {
        print(&columns(&rows))?;
    }
    if !stretches.is_empty() {
        let mut rows = vec![heads(context.lang, "lead_stages")];
        rows.extend(stretches.iter().map(|((warehouse, mode, stage), days)| {
            vec![
                (*warehouse).to_owned(),
                word(context.lang, "plan.value", mode),
                word(context.lang, "plan.explain.stage", stage),
                days.len().to_string(),
                unknown(share_of(days, 5).map(|days| days.to_string())),
                unknown(share_of(days, 9).map(|days| days.to_string())),
            ]
        }));
        print(&format!("\n{}", columns(&rows)))?;
    }
    if !losses.is_empty() {
        let mut rows = vec![heads(context.lang, "lead_losses")];
        rows.extend(losses.iter().map(|loss| {
            vec![
                loss.warehouse.to_string(),
                word(context.lang, "plan.value", loss.mode.map_or("", Mode::code)),
                loss.shipments.to_string(),
                format!("{}.{:02}", loss.lost_per_10000 / 100, loss.lost_per_10000 % 100),
            ]
        }));
        print(&format!("\n{}", columns(&rows)))?;
    }
    Ok(Exit::Done)
}

type Stretch<'p> = (&'p str, &'p str, &'p str);

/// Days of every stretch of every way that can be days; sorted.
fn stretches(passages: &[LeadTime]) -> BTreeMap<Stretch<'_>, Vec<i64>> {
    let mut found: BTreeMap<Stretch<'_>, Vec<i64>> = BTreeMap::new();
    for passage in passages {
        let days = (passage.to - passage.from).num_days();
        if (0..=366).contains(&days) {
            let key = (
                passage.warehouse.as_str(),
                passage.mode.as_str(),
                passage.stage.as_str(),
            );
            found.entry(key).or_default().push(days);
        }
    }
    for days in found.values_mut() {
        days.sort_unstable();
    }
    found
}

/// The day by which so many of ten had passed; nothing of fewer than the planner learns from.
fn share_of(sorted: &[i64], of_ten: usize) -> Option<i64> {
    const LEAST: usize = 5;
    if sorted.len() < LEAST {
        return None;
    }
    sorted.get((sorted.len() * of_ten).div_ceil(10) - 1).copied()
}
