//! `linkstar connector record` and `replay`: a source's answers on disk, without persons and secrets, and the rows they
//! make.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::definition;
use crate::cli::args::Cli;
use crate::cli::context::{Context, print};
use crate::cli::{CliError, Exit};
use crate::clock::{Clock, FixedClock};
use crate::connector::scrub::Scrub;
use crate::connector::{Bound, ConnectorConfig, Definition, Secret};
use crate::http::tape::{Exchange, FILE};
use crate::http::{Client, Pace};
use crate::ids::{AccountId, SourceId, WarehouseCode};
use crate::night::pull::{PullReport, pull};
use crate::problem::nearest;
use crate::store::Store;
use crate::store::copy::listing::listing;
use crate::store::facts::PullState;

const VERSION: u32 = 1;
const TAPE: &str = "tape.json";
const ROWS: &str = "rows.jsonl";
/// Long enough for every key a signature may want.
const NO_SECRET: &str = "replayedreplayed";
/// Differing lines that are shown; all are counted.
const SHOWN: usize = 20;

/// The head of a tape; bodies stand beside it in files of their own.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    connector: String,
    recorded_at: DateTime<Utc>,
    params: BTreeMap<String, String>,
    warehouses: BTreeMap<String, WarehouseCode>,
    exchanges: Vec<Exchange>,
}

fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    let path = path.to_owned();
    move |source| CliError::File { what, path, source }
}

fn body_file(index: usize) -> String {
    format!("{:04}.body", index + 1)
}

pub async fn record(
    cli: &Cli,
    source: &str,
    folder: &Path,
    given: &[(String, String)],
) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let connectors = &context.tools.connectors;
    let Some(found) = connectors.iter().find(|one| one.id.as_str() == source) else {
        let near = nearest(source, connectors.iter().map(|one| one.id.as_str()));
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(CliError::Usage(format!(
            "no source `{source}` is configured{near}"
        )));
    };
    let mut config = found.clone();
    config.params.extend(given.iter().cloned());
    let bound = bind(&config)?;
    if folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(CliError::Usage(format!("{} is not empty", folder.display())));
    }
    std::fs::create_dir_all(folder).map_err(io("create", folder))?;
    let client = &context.tools.client;
    client.record();
    let started = context.clock.now();
    let live = rows(folder, &*context.clock, &config, client).await?;
    let scrub = scrub(&bound);
    let mut exchanges = client.recorded();
    for (index, exchange) in exchanges.iter_mut().enumerate() {
        let path = folder.join(body_file(index));
        let spared = match exchange.ask.starts_with(FILE) {
            true => scrub.exported(&exchange.body),
            false => scrub.body(&exchange.body),
        };
        exchange.body =
            spared.map_err(|why| CliError::Usage(format!("`{}` cannot be recorded: {why}", exchange.ask)))?;
        exchange.ask = scrub.text(&exchange.ask);
        for value in exchange.headers.values_mut() {
            *value = scrub.text(value);
        }
        std::fs::write(&path, &exchange.body).map_err(io("write", &path))?;
    }
    let head = Head {
        version: VERSION,
        connector: config.definition.file.name.clone(),
        recorded_at: started,
        params: config.params.clone(),
        warehouses: config.warehouses.clone(),
        exchanges,
    };
    let path = folder.join(TAPE);
    let text = serde_json::to_string_pretty(&head)? + "\n";
    std::fs::write(&path, text).map_err(io("write", &path))?;
    // What was taken out must not have been needed: the tape has to give what the source gave.
    let played = play(folder, &head, Arc::clone(&config.definition)).await?;
    let path = folder.join(ROWS);
    std::fs::write(&path, &played).map_err(io("write", &path))?;
    print(&format!(
        "{}: {} answers, {} lines",
        folder.display(),
        head.exchanges.len(),
        played.lines().count()
    ))?;
    if live != played {
        eprintln!("the tape does not give the rows that the source gave:");
        differences(&live, &played);
        return Ok(Exit::Findings);
    }
    Ok(Exit::Done)
}

pub async fn replay(folder: &Path, file: &Path, write: bool) -> Result<Exit, CliError> {
    let definition = match definition(file)? {
        Ok(definition) => definition,
        Err(exit) => return Ok(exit),
    };
    let mut head: Head = {
        let path = folder.join(TAPE);
        let text = std::fs::read_to_string(&path).map_err(io("read", &path))?;
        serde_json::from_str(&text)?
    };
    if head.version != VERSION {
        let text = format!("{}: version {}, wanted {VERSION}", folder.display(), head.version);
        return Err(CliError::Usage(text));
    }
    for (index, exchange) in head.exchanges.iter_mut().enumerate() {
        let path = folder.join(body_file(index));
        exchange.body = std::fs::read(&path).map_err(io("read", &path))?;
    }
    let played = play(folder, &head, Arc::new(definition)).await?;
    let path = folder.join(ROWS);
    if write {
        std::fs::write(&path, &played).map_err(io("write", &path))?;
    }
    let kept = std::fs::read_to_string(&path).map_err(io("read", &path))?;
    if kept == played {
        print(&format!(
            "{}: {} answers give the same {} lines",
            folder.display(),
            head.exchanges.len(),
            played.lines().count()
        ))?;
        return Ok(Exit::Done);
    }
    differences(&kept, &played);
    Ok(Exit::Findings)
}

fn bind(config: &ConnectorConfig) -> Result<Bound, CliError> {
    Bound::new(config).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        CliError::Usage(texts.join("\n"))
    })
}

/// What the file reads is spared, what it calls personal is not.
fn scrub(bound: &Bound) -> Scrub {
    let file = &bound.definition.file;
    let secrets = bound
        .given
        .secrets
        .iter()
        .map(|(name, secret)| (secret.expose().to_owned(), format!("[{name}]")))
        .collect();
    let pii = file.stream.values().flat_map(|stream| &stream.pii);
    let read = file.stream.values().flat_map(|stream| {
        let paths = stream.map.values().chain(stream.pass.values());
        paths.map(|text| text.get_ref().split('|').next().unwrap_or_default().trim())
    });
    Scrub::new(pii.map(|name| name.get_ref().as_str()), read, secrets)
}

/// Pulls everything into a store of its own and lists what that left.
async fn rows(
    folder: &Path,
    clock: &dyn Clock,
    config: &ConnectorConfig,
    client: &Client,
) -> Result<String, CliError> {
    let scratch = Scratch(folder.join(format!(".scratch-{}.db", std::process::id())));
    let account = AccountId::new("tape").map_err(|error| CliError::Usage(error.to_string()))?;
    let store = Store::open(&format!("sqlite:{}", scratch.0.display())).await?;
    let report = pull(&store, clock, &account, config, client, None).await;
    let mut lines = streams(&report);
    let mut tx = store.read().await?;
    lines.push_str(&listing(&mut tx).await?);
    drop(tx);
    store.close().await;
    Ok(lines)
}

/// The file and what SQLite puts beside it.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(end);
            // It may not be there; what stays is only in the way.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn streams(report: &PullReport) -> String {
    let mut lines = String::new();
    for stream in &report.streams {
        if stream.state != PullState::Ok {
            eprintln!(
                "{}: {} {}",
                stream.stream,
                stream.state.code(),
                stream.problem.as_deref().unwrap_or_default()
            );
        }
        let line = serde_json::json!({
            "stream": stream.stream,
            "state": stream.state.code(),
            "pages": stream.pages,
            "rows": stream.rows,
            "skipped": stream.skipped,
            "rejected": stream.rejected_count,
            "warnings": stream.warnings,
        });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines
}

async fn play(folder: &Path, head: &Head, definition: Arc<Definition>) -> Result<String, CliError> {
    let secrets = &definition.file.secrets;
    let config = ConnectorConfig {
        id: SourceId::new("tape").map_err(|error| CliError::Usage(error.to_string()))?,
        params: head.params.clone(),
        secrets: secrets
            .keys()
            .map(|name| (name.clone(), Secret::new(NO_SECRET)))
            .collect(),
        warehouses: head.warehouses.clone(),
        definition,
    };
    bind(&config)?;
    let client = Client::new(Pace::Skip).map_err(|failure| CliError::Usage(failure.to_string()))?;
    client.play(head.exchanges.clone());
    let lines = rows(folder, &FixedClock::new(head.recorded_at), &config, &client).await?;
    for ask in client.unplayed() {
        eprintln!("not asked for any more: {ask}");
    }
    Ok(lines)
}

/// Lines that only one side has, as `-` and `+`.
fn differences(kept: &str, played: &str) {
    let count = |text: &str| {
        let mut lines: BTreeMap<String, i64> = BTreeMap::new();
        for line in text.lines() {
            *lines.entry(line.to_owned()).or_insert(0) += 1;
        }
        lines
    };
    let mut sides = count(kept);
    for (line, times) in count(played) {
        *sides.entry(line).or_insert(0) -= times;
    }
    let differing: Vec<(String, i64)> = sides.into_iter().filter(|(_, times)| *times != 0).collect();
    for (line, times) in differing.iter().take(SHOWN) {
        eprintln!("{} {line}", if *times > 0 { '-' } else { '+' });
    }
    eprintln!("{} lines differ", differing.len());
}
