//! `linkstar pull --plan`: what the next pull will ask and how long its limits make it take, without asking.

use std::collections::BTreeMap;

use chrono::Duration;

use super::args::{Cli, PullArgs};
use super::context::{Context, fill, print, print_json};
use super::{CliError, Exit};
use crate::connector::forecast::{Forecast, Work};
use crate::connector::window::Resume;
use crate::connector::{Bound, ConnectorConfig};
use crate::store::facts;
use crate::wording::Lang;

pub async fn run(cli: &Cli, args: &PullArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    let rows = rows(&args.rows)?;
    let mut shown = Vec::new();
    for connector in &context.tools.connectors {
        let bound = Bound::new(connector).map_err(|problems| {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            CliError::Usage(texts.join("\n"))
        })?;
        let streams = connector.definition.file.stream.keys();
        for name in streams.filter(|name| bound.asks_for(name)) {
            if let Some((stream, _)) = bound.stream(name)
                && stream.file.is_some()
            {
                let names = bound.file_patterns(stream, None).map_err(CliError::Usage)?;
                let names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
                let label = format!("{}/{name}", connector.id);
                if args.json {
                    shown.push(serde_json::json!({"stream": label, "files": names, "folder": bound.folder}));
                } else {
                    let folder = bound.folder.as_deref().unwrap_or(std::path::Path::new(""));
                    let places = [
                        ("stream", label),
                        ("names", names.join(" | ")),
                        ("folder", folder.display().to_string()),
                    ];
                    print(&fill(context.lang, "cli.forecast.files", &places))?;
                }
                continue;
            }
            let work = work(&context, connector, &bound, name, &rows).await?;
            let Some(forecast) = bound.forecast(name, work) else {
                continue;
            };
            let label = format!("{}/{name}", connector.id);
            if args.json {
                shown.push(serde_json::json!({
                    "stream": label,
                    "windows": work.windows,
                    "calls": forecast.calls,
                    "seconds": forecast.takes.num_seconds(),
                    "slowest": forecast.slowest,
                }));
            } else {
                print(&sentence(context.lang, &label, work, &forecast))?;
            }
        }
    }
    if args.json {
        print_json(&shown.into())?;
    }
    Ok(Exit::Done)
}

/// `orders=200000` or `amazon-uk/orders=200000`.
fn rows(given: &[String]) -> Result<BTreeMap<String, u64>, CliError> {
    given
        .iter()
        .map(|text| {
            let (name, count) = text.rsplit_once('=').unwrap_or_default();
            match count.parse() {
                Ok(count) if !name.is_empty() => Ok((name.to_owned(), count)),
                _ => Err(CliError::Usage(format!(
                    "`--rows {text}`: wanted STREAM=NUMBER, such as orders=200000"
                ))),
            }
        })
        .collect()
}

async fn work(
    context: &Context,
    connector: &ConnectorConfig,
    bound: &Bound,
    name: &str,
    rows: &BTreeMap<String, u64>,
) -> Result<Work, CliError> {
    let known = |name: &str| {
        rows.get(&format!("{}/{name}", connector.id))
            .or_else(|| rows.get(name))
            .copied()
    };
    let mut work = Work {
        windows: 1,
        rows: known(name),
        parents: None,
    };
    let Some((stream, _)) = bound.stream(name) else {
        return Ok(work);
    };
    if let Some(parent) = &stream.parent {
        work.parents = known(parent.get_ref());
    }
    if let Some(cursor) = &stream.cursor
        && let Some(days) = &cursor.start_days
    {
        let mut tx = context.store.read().await?;
        let account = &context.config.account.id;
        let state = facts::resume_state(&mut tx, account, &connector.id, name).await?;
        let mut resume: Resume = match state {
            Some(text) => serde_json::from_str(&text)?,
            None => Resume::default(),
        };
        let days = bound.given.fill_text(days.get_ref()).map_err(CliError::Usage)?;
        let days = days
            .trim()
            .parse()
            .map_err(|_| CliError::Usage(format!("`{days}` is no number of days to start with")))?;
        if !cursor.catch_up {
            resume.let_go(days, bound.zone, context.clock.now());
        }
        let windows = resume
            .windows(cursor, days, bound.zone, context.clock.now())
            .len();
        work.windows = u64::try_from(windows).unwrap_or(u64::MAX);
    } else if stream.warehouse.is_some() {
        work.windows = u64::try_from(bound.snapshots(stream).len()).unwrap_or(u64::MAX);
    }
    Ok(work)
}

fn sentence(lang: Lang, label: &str, work: Work, forecast: &Forecast) -> String {
    let key = if forecast.takes < Duration::minutes(1) {
        "cli.forecast.soon"
    } else {
        "cli.forecast.line"
    };
    fill(
        lang,
        key,
        &[
            ("stream", label.to_owned()),
            ("windows", work.windows.to_string()),
            ("calls", forecast.calls_in_words()),
            ("hours", hours(forecast.takes)),
            (
                "slowest",
                forecast.slowest.clone().unwrap_or_else(|| "-".to_owned()),
            ),
        ],
    )
}

/// Hours with one decimal, rounded up: `0.3`, `98.3`.
fn hours(takes: Duration) -> String {
    let tenths = (takes.num_seconds() + 359) / 360;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_rounded_up_to_a_tenth() {
        assert_eq!(hours(Duration::seconds(353_572)), "98.3");
        assert_eq!(hours(Duration::seconds(61)), "0.1");
    }

    #[test]
    fn rows_are_named() {
        assert_eq!(rows(&["orders=5".to_owned()]).unwrap()["orders"], 5);
        for wrong in ["orders", "=5", "orders=x"] {
            assert!(rows(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
