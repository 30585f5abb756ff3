//! `linkstar db` and `linkstar copy`: looking after the database.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::json;

use super::args::{Cli, DbCommand};
use super::context::{Context, columns, fill, heads, print, print_json};
use super::{CliError, Exit};
use crate::clock::Clock as _;
use crate::config;
use crate::night::reconcile;
use crate::store::copy::{self, CopyError, Proof, Step};
use crate::store::upkeep::{self, BackupError, Checked, Part, Sample};
use crate::store::{Store, catalog};
use crate::telemetry::{Progress, SystemClock};
use crate::wording::{Lang, text};

/// Papers read by a check that is not told to read all.
const SAMPLE: u64 = 1_000;

pub async fn run(cli: &Cli, command: &DbCommand) -> Result<Exit, CliError> {
    match command {
        DbCommand::Check { all, json } => check(cli, *all, *json).await,
        DbCommand::Vacuum => vacuum(cli).await,
        DbCommand::Repack => repack(cli).await,
        DbCommand::Backup { file } => backup(cli, file).await,
    }
}

/// The database as it is: a check must not change what it looks at.
async fn open(cli: &Cli) -> Result<(Store, Lang), CliError> {
    let config = config::load(cli.config()?)?;
    let store = Store::open_as_is(&config.store_url()).await?;
    Ok((store, cli.lang.unwrap_or(config.account.language)))
}

/// A line of the check's table; `store` knows most of them, the last one takes the books.
struct Line {
    code: &'static str,
    looked_at: u64,
    of: u64,
    by_rule: u64,
    findings: Vec<String>,
}

impl From<Checked> for Line {
    fn from(checked: Checked) -> Self {
        Self {
            code: checked.part.code(),
            looked_at: checked.looked_at,
            of: checked.of,
            by_rule: checked.by_rule,
            findings: checked.findings,
        }
    }
}

async fn check(cli: &Cli, all: bool, json: bool) -> Result<Exit, CliError> {
    let (store, lang) = open(cli).await?;
    let sample = if all { Sample::All } else { Sample::About(SAMPLE) };
    let checked = upkeep::check(&store, sample, SystemClock.now().date_naive()).await?;
    store.close().await;
    let known = checked
        .iter()
        .all(|part| part.part != Part::Version || part.findings.is_empty());
    let mut lines: Vec<Line> = checked.into_iter().map(Line::from).collect();
    if known {
        lines.push(conservation(cli).await?);
    }
    let findings: usize = lines.iter().map(|line| line.findings.len()).sum();
    if json {
        let shown: Vec<_> = lines
            .iter()
            .map(|line| {
                json!({
                    "check": line.code,
                    "looked_at": line.looked_at,
                    "of": line.of,
                    "deleted_by_rule": line.by_rule,
                    "findings": line.findings,
                })
            })
            .collect();
        print_json(&json!(shown))?;
    } else {
        print(&table(lang, &lines))?;
    }
    Ok(if findings == 0 { Exit::Done } else { Exit::Findings })
}

fn table(lang: Lang, lines: &[Line]) -> String {
    let mut rows = vec![heads(lang, "db_check")];
    rows.extend(lines.iter().map(|line| {
        let result = match line.findings.len() {
            0 => text(lang, "cli.db.ok", &[]),
            n => fill(lang, "cli.db.findings", &[("n", n.to_string())]),
        };
        let result = match line.by_rule {
            0 => result,
            n => fill(
                lang,
                "cli.db.by_rule",
                &[("result", result), ("n", n.to_string())],
            ),
        };
        vec![
            text(lang, &format!("cli.db.part.{}", line.code), &[]),
            line.looked_at.to_string(),
            line.of.to_string(),
            result,
        ]
    }));
    let mut out = columns(&rows);
    for finding in lines.iter().flat_map(|line| &line.findings) {
        out.push_str(&format!("- {finding}\n"));
    }
    out
}

/// The law of the books, over every line that is stored.
async fn conservation(cli: &Cli) -> Result<Line, CliError> {
    let context = Context::open(cli, None).await?;
    let night = context.night(true);
    let mut tx = context.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let books = reconcile::books(&night, &mut tx, &catalog).await?;
    let lines = books.done.lines.len() as u64;
    Ok(Line {
        code: "conservation",
        looked_at: lines,
        of: lines,
        by_rule: 0,
        findings: books
            .done
            .breaches
            .iter()
            .map(|breach| format!("{breach:?}"))
            .collect(),
    })
}

async fn vacuum(cli: &Cli) -> Result<Exit, CliError> {
    let (store, lang) = open(cli).await?;
    let sizes = upkeep::vacuum(&store).await?;
    store.close().await;
    print(&fill(
        lang,
        "cli.db.vacuumed",
        &[
            ("before", sizes.before.to_string()),
            ("after", sizes.after.to_string()),
        ],
    ))?;
    Ok(Exit::Done)
}

async fn repack(cli: &Cli) -> Result<Exit, CliError> {
    let config = config::load(cli.config()?)?;
    let store = Store::open(&config.store_url()).await?;
    let done = upkeep::repack(&store).await?;
    store.close().await;
    print(&fill(
        cli.lang.unwrap_or(config.account.language),
        "cli.db.repacked",
        &[
            ("sources", done.sources.to_string()),
            ("years", done.years.to_string()),
        ],
    ))?;
    Ok(Exit::Done)
}

async fn backup(cli: &Cli, file: &Path) -> Result<Exit, CliError> {
    let (store, lang) = open(cli).await?;
    let bytes = upkeep::backup(&store, file).await?;
    store.close().await;
    print(&fill(
        lang,
        "cli.db.backed_up",
        &[("file", file.display().to_string()), ("bytes", bytes.to_string())],
    ))?;
    Ok(Exit::Done)
}

/// Needs no configuration: the two databases are all it works on.
pub async fn copy(cli: &Cli, from: &str, to: &str, json: bool) -> Result<Exit, CliError> {
    let lang = cli.lang.unwrap_or_default();
    let progress = Progress::new("copy", cli.quiet);
    let proofs = copy::copy(from, to, &mut |step: Step<'_>| {
        let (table, of) = step.tables;
        let what = if step.verifying { "verify" } else { "copy" };
        progress.at(
            table + 1,
            of,
            &format!("{what} {}: {} rows", step.table, step.rows),
        );
        ControlFlow::Continue(())
    })
    .await;
    progress.done();
    let proofs = proofs?;
    let holds = proofs.iter().all(Proof::holds);
    if json {
        let tables: Vec<_> = proofs
            .iter()
            .map(|proof| {
                json!({
                    "table": proof.table,
                    "rows_from": proof.from.rows,
                    "rows_to": proof.to.rows,
                    "content_from": proof.from.hash(),
                    "content_to": proof.to.hash(),
                    "same": proof.holds(),
                })
            })
            .collect();
        print_json(&json!({ "same": holds, "tables": tables }))?;
    } else {
        print(&shown(lang, &proofs, holds))?;
    }
    Ok(if holds { Exit::Done } else { Exit::Findings })
}

/// So many digits of a hash are enough for an eye; `--json` has all.
const DIGITS: usize = 16;

fn shown(lang: Lang, proofs: &[Proof], holds: bool) -> String {
    let mut rows = vec![heads(lang, "copy")];
    rows.extend(proofs.iter().map(|proof| {
        let short = |hash: String| hash.get(..DIGITS).unwrap_or(&hash).to_owned();
        let same = if proof.holds() { "same" } else { "differs" };
        vec![
            proof.table.clone(),
            proof.from.rows.to_string(),
            proof.to.rows.to_string(),
            short(proof.from.hash()),
            short(proof.to.hash()),
            text(lang, &format!("cli.copy.{same}"), &[]),
        ]
    }));
    let rows_in_all: u64 = proofs.iter().map(|proof| proof.from.rows).sum();
    let mut out = columns(&rows);
    out.push_str(&if holds {
        fill(
            lang,
            "cli.copy.done",
            &[
                ("tables", proofs.len().to_string()),
                ("rows", rows_in_all.to_string()),
            ],
        )
    } else {
        text(lang, "cli.copy.not_done", &[])
    });
    out
}

pub fn exit_of_copy(error: &CopyError) -> Exit {
    use crate::store::StoreError;
    match error {
        CopyError::Open {
            source: StoreError::Url { .. },
            ..
        }
        | CopyError::SourceVersion { .. }
        | CopyError::TargetVersion { .. }
        | CopyError::NotEmpty { .. }
        | CopyError::Foreign => Exit::Usage,
        CopyError::Open { .. } | CopyError::Store(_) | CopyError::Stopped => Exit::Unavailable,
        CopyError::Key { .. } => Exit::Bug,
    }
}

pub fn exit_of_backup(error: &BackupError) -> Exit {
    match error {
        BackupError::Postgres { .. } | BackupError::There { .. } | BackupError::File { .. } => Exit::Usage,
        BackupError::Unsound { .. } => Exit::Findings,
        BackupError::Store(_) => Exit::Unavailable,
    }
}
