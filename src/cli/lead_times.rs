//! `linkstar lead-times`: what was expected of every order's way, what came, and how often the promise held.

use std::collections::BTreeMap;

use serde_json::json;

use super::args::Cli;
use super::context::{Context, columns, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::store::lead_forecasts::{self, LeadForecast};
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
        print_json(&json!({"lanes": lanes, "orders": orders}))?;
        return Ok(Exit::Done);
    }
    if forecasts.is_empty() {
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
    print(&columns(&rows))?;
    Ok(Exit::Done)
}
