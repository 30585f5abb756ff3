//! `linkstar catalog`.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use super::args::{CatalogCommand, Cli};
use super::context::{Context, columns, heads, print, print_json};
use super::{CliError, Exit};
use crate::calendar::civil_day;
use crate::ids::AccountId;
use crate::mapping::catalog_file::{parse_codes, parse_items, parse_lanes, parse_warehouses};
use crate::mapping::table::{self, Limits};
use crate::night::opening;
use crate::problem::Problem;
use crate::store::Store;
use crate::store::catalog::{self, ImportReport};
use crate::wording::Lang;

/// Kinds in the order they are imported: lanes name warehouses, codes name items, shipments name all of them.
const KINDS: [&str; 6] = [
    "items",
    "warehouses",
    "lanes",
    "codes",
    "past_shipments",
    "open_shipments",
];
const OPENING: [&str; 2] = ["past_shipments", "open_shipments"];

pub async fn run(cli: &Cli, command: &CatalogCommand) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    match command {
        CatalogCommand::Import {
            paths,
            effective,
            json,
        } => {
            let today = civil_day(context.clock.now(), context.config.account.zone);
            let files = collect(paths)?;
            let account = &context.config.account.id;
            let (catalog, opening): (Vec<_>, Vec<_>) =
                files.into_iter().partition(|file| !OPENING.contains(&file.kind));
            let from = effective.unwrap_or(today);
            let done = import_files(&context.store, account, &catalog, from, context.clock.now()).await?;
            let shown = show(&done, *json, context.lang)?;
            let opened = import_opening(&context, &opening).await?;
            Ok(if opened == Exit::Done { shown } else { opened })
        }
        CatalogCommand::Unmapped => unmapped(&context).await,
    }
}

/// A file and which of the four tables it is, by its name.
pub struct CatalogFile {
    pub kind: &'static str,
    pub name: String,
    pub bytes: Vec<u8>,
}

fn collect(paths: &[PathBuf]) -> Result<Vec<CatalogFile>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        let found = if path.is_dir() {
            listed(path)?
        } else {
            vec![path.clone()]
        };
        for path in found {
            let name = path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let Some(kind) = KINDS
                .into_iter()
                .find(|kind| name.to_lowercase().starts_with(kind))
            else {
                let wanted = format!("a name that begins with one of {}", KINDS.join(", "));
                return Err(CliError::Usage(
                    Problem::new(name.clone(), "", "", name, wanted).to_string(),
                ));
            };
            let bytes = std::fs::read(&path).map_err(|source| CliError::File {
                what: "read",
                path,
                source,
            })?;
            files.push(CatalogFile { kind, name, bytes });
        }
    }
    files.sort_by_key(|file| KINDS.iter().position(|kind| *kind == file.kind));
    Ok(files)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let read = |source| CliError::File {
        what: "read",
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        if matches!(extension.as_deref(), Some("csv" | "xlsx" | "xls" | "tsv" | "txt")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Imports the files; each is a transaction of its own, so that a bad one does not keep the others out.
pub async fn import_files(
    store: &Store,
    account: &AccountId,
    files: &[CatalogFile],
    effective: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<(String, ImportReport)>, CliError> {
    let mut done = Vec::new();
    for file in files {
        let mut tx = store.write().await?;
        let report = match table::read(&file.name, &file.bytes, &Limits::default()) {
            Ok(table) => match file.kind {
                "items" => {
                    catalog::import_items(&mut tx, account, &parse_items(&table), effective, now).await?
                }
                "warehouses" => {
                    catalog::import_warehouses(&mut tx, account, &parse_warehouses(&table), effective, now)
                        .await?
                }
                "lanes" => {
                    catalog::import_lanes(&mut tx, account, &parse_lanes(&table), effective, now).await?
                }
                _ => catalog::import_codes(&mut tx, account, &parse_codes(&table), now).await?,
            },
            Err(problem) => ImportReport {
                problems: vec![problem],
                ..ImportReport::default()
            },
        };
        tx.commit().await?;
        done.push((file.name.clone(), report));
    }
    Ok(done)
}

fn show(done: &[(String, ImportReport)], json: bool, lang: Lang) -> Result<Exit, CliError> {
    if json {
        let files: Vec<_> = done
            .iter()
            .map(|(name, report)| {
                json!({"file": name, "new": report.new, "changed": report.changed, "same": report.same,
                       "problems": report.problems, "warnings": report.warnings})
            })
            .collect();
        print_json(&json!(files))?;
    } else {
        let mut rows = vec![heads(lang, "import")];
        rows.extend(done.iter().map(|(name, report)| {
            vec![
                name.clone(),
                report.new.to_string(),
                report.changed.to_string(),
                report.same.to_string(),
                report.problems.len().to_string(),
            ]
        }));
        print(&columns(&rows))?;
        for (_, report) in done {
            for problem in &report.problems {
                eprintln!("{problem}");
            }
            for warning in &report.warnings {
                eprintln!("note: {warning}");
            }
        }
    }
    let clean = done.iter().all(|(_, report)| report.problems.is_empty());
    Ok(if clean { Exit::Done } else { Exit::Findings })
}

/// The books as they stood before linkstar.
async fn import_opening(context: &Context, files: &[CatalogFile]) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut exit = Exit::Done;
    for file in files {
        let table = match table::read(&file.name, &file.bytes, &Limits::default()) {
            Ok(table) => table,
            Err(problem) => return Err(CliError::Usage(problem.to_string())),
        };
        let mut tx = context.store.write().await?;
        let report = match file.kind {
            "past_shipments" => opening::past_shipments(&night, &mut tx, &table).await?,
            _ => opening::open_shipments(&night, &mut tx, &table).await?,
        };
        tx.commit().await?;
        let counts: Vec<String> = report
            .counts
            .iter()
            .map(|(what, count)| format!("{what} {count}"))
            .collect();
        print(&format!("{}  {}", file.name, counts.join(" · ")))?;
        for problem in &report.problems {
            eprintln!("{problem}");
            exit = Exit::Findings;
        }
    }
    Ok(exit)
}

async fn unmapped(context: &Context) -> Result<Exit, CliError> {
    let mut tx = context.store.read().await?;
    let queue = catalog::unmapped(&mut tx, &context.config.account.id).await?;
    let mut rows = vec![heads(context.lang, "unmapped")];
    rows.extend(queue.iter().map(|code| {
        vec![
            code.source.to_string(),
            code.kind.code().to_owned(),
            code.code.clone(),
            code.times.to_string(),
            code.first_seen.date_naive().to_string(),
            code.last_seen.date_naive().to_string(),
        ]
    }));
    print(&columns(&rows))?;
    Ok(if queue.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}
