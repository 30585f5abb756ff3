//! `linkstar pull --plan`: what the next pull will ask and how long its limits make it take, without asking.

use std::collections::BTreeMap;

use super::args::{Cli, PullArgs};
use super::context::{Context, fill, print, print_json};
use super::{CliError, Exit};
use crate::connector::{Bound, ConnectorConfig};
use crate::night::foresee::{ForeseeError, Foreseen, foresee};

pub async fn run(cli: &Cli, args: &PullArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    let rows = rows(&args.rows)?;
    let mut tx = context.store.read().await?;
    let (account, now) = (&context.config.account.id, context.clock.now());
    let mut shown = Vec::new();
    for connector in &context.tools.connectors {
        for (label, folder, names) in exports(connector)? {
            if args.json {
                shown.push(serde_json::json!({"stream": label, "files": names, "folder": folder}));
            } else {
                let places = [
                    ("stream", label),
                    ("names", names.join(" | ")),
                    ("folder", folder),
                ];
                print(&fill(context.lang, "cli.forecast.files", &places))?;
            }
        }
        let streams =
            foresee(&mut tx, account, now, connector, &rows)
                .await
                .map_err(|error| match error {
                    ForeseeError::Store(error) => CliError::Store(error),
                    error => CliError::Usage(crate::night::step::chain(&error)),
                })?;
        for foreseen in streams {
            if args.json {
                shown.push(as_json(&foreseen));
            } else {
                print(&foreseen.sentence(context.lang))?;
            }
        }
    }
    if args.json {
        print_json(&shown.into())?;
    }
    Ok(Exit::Done)
}

/// The streams of a source that are read from files: name, folder and the names of its files.
fn exports(connector: &ConnectorConfig) -> Result<Vec<(String, String, Vec<String>)>, CliError> {
    let file = &connector.definition.file;
    if file.files.is_none() {
        return Ok(Vec::new());
    }
    let bound = Bound::new(connector).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        CliError::Usage(texts.join("\n"))
    })?;
    let folder = bound.folder.as_deref().unwrap_or(std::path::Path::new(""));
    let mut all = Vec::new();
    for (name, stream) in &file.stream {
        if stream.file.is_some() && bound.asks_for(name) {
            let names = bound.file_patterns(stream, None).map_err(CliError::Usage)?;
            let names = names.into_iter().map(|(name, _)| name).collect();
            all.push((
                format!("{}/{name}", connector.id),
                folder.display().to_string(),
                names,
            ));
        }
    }
    Ok(all)
}

pub fn as_json(foreseen: &Foreseen) -> serde_json::Value {
    serde_json::json!({
        "stream": foreseen.label(),
        "windows": foreseen.work.windows,
        "calls": foreseen.forecast.calls,
        "seconds": foreseen.forecast.takes.num_seconds(),
        "slowest": foreseen.forecast.slowest,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_named() {
        assert_eq!(rows(&["orders=5".to_owned()]).unwrap()["orders"], 5);
        for wrong in ["orders", "=5", "orders=x"] {
            assert!(rows(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
