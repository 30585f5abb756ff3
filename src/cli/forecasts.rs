//! `linkstar forecast`: how good forecasts were, from the ledger the night keeps.

use std::collections::BTreeMap;

use chrono::Duration;
use serde_json::json;

use super::args::{Cli, ForecastArgs};
use super::context::{Context, columns, heads, print, print_json};
use super::{CliError, Exit};
use crate::planner::history::accuracy::{Accuracy, TARGETS};
use crate::store::accuracy::{Judged, since};
use crate::wording::{Lang, text};

pub async fn run(cli: &Cli, args: &ForecastArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    let mut tx = context.store.read().await?;
    let zone = context.config.account.zone;
    let today = crate::calendar::civil_day(context.clock.now(), zone);
    let from = today - Duration::days(args.days.clamp(1, 3_660));
    let rows = since(&mut tx, &context.config.account.id, from).await?;
    if args.json {
        let scored: Vec<_> = rows
            .iter()
            .map(|row| json!({"row": row, "scores": scores(&row.accuracy)}))
            .collect();
        let classes: Vec<_> = by_class(&rows)
            .iter()
            .map(|(class, sum)| json!({"class": class, "sums": sum, "scores": scores(sum)}))
            .collect();
        print_json(&json!({"from": from, "rows": scored, "classes": classes}))?;
    } else {
        print(&told(context.lang, &rows))?;
    }
    Ok(Exit::Done)
}

fn scores(sums: &Accuracy) -> serde_json::Value {
    let at = |read: &dyn Fn(usize) -> Option<i64>| -> serde_json::Map<String, serde_json::Value> {
        let places = TARGETS.iter().enumerate();
        places
            .map(|(place, (permille, _))| (permille.to_string(), json!(read(place))))
            .collect()
    };
    json!({
        "wape_permille": sums.wape(),
        "bias_permille": sums.bias(),
        "pinball_permille": at(&|place| sums.pinball(place)),
        "coverage_permille": at(&|place| sums.coverage(place)),
    })
}

/// All days and warehouses together, by class of demand; the last is everything.
fn by_class(rows: &[Judged]) -> Vec<(String, Accuracy)> {
    let mut classes: BTreeMap<&str, Accuracy> = BTreeMap::new();
    let mut all = Accuracy::default();
    for row in rows {
        classes.entry(&row.class).or_default().join(&row.accuracy);
        all.join(&row.accuracy);
    }
    let mut classes: Vec<(String, Accuracy)> = classes
        .into_iter()
        .map(|(class, sum)| (class.to_owned(), sum))
        .collect();
    classes.push(("all".to_owned(), all));
    classes
}

fn told(lang: Lang, rows: &[Judged]) -> String {
    if rows.is_empty() {
        return text(lang, "cli.forecasts.none", &[]);
    }
    let percent = |permille: Option<i64>| {
        permille.map_or_else(
            || "-".to_owned(),
            |permille| format!("{} %", rust_decimal::Decimal::new(permille, 1)),
        )
    };
    let mut table = vec![heads(lang, "forecasts")];
    for (class, sum) in by_class(rows) {
        let name = match class.as_str() {
            "all" => text(lang, "cli.forecasts.all", &[]),
            "unknown" => "-".to_owned(),
            class => text(lang, &format!("plan.value.{class}"), &[]),
        };
        let at = |place| {
            format!(
                "{} / {}",
                percent(sum.coverage(place)),
                percent(sum.pinball(place))
            )
        };
        table.push(vec![
            name,
            sum.lines.to_string(),
            sum.left_out.to_string(),
            percent(sum.wape()),
            percent(sum.bias()),
            at(0),
            at(1),
            at(2),
        ]);
    }
    let days: std::collections::BTreeSet<_> = rows.iter().map(|row| row.made_on).collect();
    let head = text(lang, "cli.forecasts.head", &[("days", &days.len().to_string())]);
    format!("{head}\n{}", columns(&table))
}
