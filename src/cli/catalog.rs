//! `linkstar catalog`.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use super::args::{CatalogCommand, Cli};
use super::context::{Context, columns, heads, print, print_json};
use super::{CliError, Exit};
use crate::calendar::civil_day;
use crate::catalog::Item;
use crate::ids::AccountId;
use crate::mapping::catalog_file::{
    Parsed, parse_certificates, parse_codes, parse_items, parse_lanes, parse_warehouses,
};
use crate::mapping::table::{self, Limits};
use crate::mapping::xlsx::image::{MAX_PICTURE_BYTES, is_picture};
use crate::night::opening;
use crate::order::Certificate;
use crate::order::certificate::{MAX_PAPER_BYTES, paper_fault};
use crate::order::rules::RuleBook;
use crate::problem::{Problem, nearest};
use crate::store::blob;
use crate::store::catalog::{self, ImportReport};
use crate::store::certificates::{self, Kept};
use crate::store::{Store, Tx};
use crate::wording::Lang;

/// Kinds in the order they are imported: lanes name warehouses, codes name items, shipments name all of them.
const KINDS: [&str; 7] = [
    "items",
    "certificates",
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
            let (rules, now) = (&context.tools.rules, context.clock.now());
            let done = import_files(&context.store, account, rules, &catalog, from, now).await?;
            let shown = show(&done, *json, context.lang)?;
            let opened = import_opening(&context, &opening).await?;
            Ok(if opened == Exit::Done { shown } else { opened })
        }
        CatalogCommand::Unmapped => unmapped(&context).await,
    }
}

/// A file and which of the tables it is, by its name.
pub struct CatalogFile {
    pub kind: &'static str,
    pub name: String,
    pub bytes: Vec<u8>,
    /// Where papers that it names lie.
    pub folder: PathBuf,
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
                path: path.clone(),
                source,
            })?;
            files.push(CatalogFile {
                kind,
                name,
                bytes,
                folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
            });
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
    rules: &RuleBook,
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
                    let mut parsed = parse_items(&table);
                    check_categories(rules, &mut parsed);
                    keep_pictures(&mut tx, account, file, &mut parsed, now).await?;
                    catalog::import_items(&mut tx, account, &parsed, effective, now).await?
                }
                "certificates" => {
                    import_certificates(&mut tx, account, rules, file, parse_certificates(&table), now)
                        .await?
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

/// Pictures named as files beside the table are stored by their hash, which the item keeps. One that cannot be kept is told, and the
/// item loads without it.
async fn keep_pictures(
    tx: &mut Tx,
    account: &AccountId,
    file: &CatalogFile,
    parsed: &mut Parsed<Item>,
    now: DateTime<Utc>,
) -> Result<(), CliError> {
    let most = u64::try_from(MAX_PICTURE_BYTES).unwrap_or(u64::MAX);
    for row in &mut parsed.rows {
        let picture = &mut row.value.customs.picture;
        let is_hash = picture.len() == 64 && picture.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash {
            picture.make_ascii_lowercase();
        }
        if picture.is_empty() || is_hash {
            continue;
        }
        let name = std::mem::take(picture);
        match read_beside(&file.folder, &name, most) {
            Ok(bytes) if is_picture(&bytes) => {
                *picture = blob::put(tx, account, "picture", &bytes, now).await?;
            }
            Ok(_) => parsed
                .warnings
                .push(not_kept(&parsed.file, &row.place, &name, "a PNG or JPEG")),
            Err(wanted) => parsed
                .warnings
                .push(not_kept(&parsed.file, &row.place, &name, &wanted)),
        }
    }
    Ok(())
}

fn not_kept(file: &str, place: &str, name: &str, wanted: &str) -> Problem {
    Problem::new(file, place, "picture", name, wanted)
}

/// A category that no rule speaks of is a slip: it is told, and the item loads and waits for its classification.
fn check_categories(rules: &RuleBook, parsed: &mut Parsed<Item>) {
    for row in &parsed.rows {
        let category = &row.value.customs.category;
        if !category.is_empty() && !rules.categories.contains_key(category) {
            let wanted = known_name(rules.categories.keys(), category);
            parsed.warnings.push(Problem::new(
                &parsed.file,
                &row.place,
                "category",
                category,
                wanted,
            ));
        }
    }
}

fn known_name<'k>(known: impl Iterator<Item = &'k String>, found: &str) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    match nearest(found, known.iter().copied()) {
        Some(near) => format!("a known name, perhaps {near}"),
        None => format!("one of {}", known.join(", ")),
    }
}

/// Certificates with the papers they name; a row whose paper cannot be kept is refused as a whole.
async fn import_certificates(
    tx: &mut Tx,
    account: &AccountId,
    rules: &RuleBook,
    file: &CatalogFile,
    parsed: Parsed<Certificate>,
    now: DateTime<Utc>,
) -> Result<ImportReport, CliError> {
    let mut report = ImportReport {
        problems: parsed.problems,
        warnings: parsed.warnings,
        ..ImportReport::default()
    };
    for row in &parsed.rows {
        let certificate = &row.value;
        let mut faults: Vec<(&str, &str, String)> = Vec::new();
        if !rules.papers.contains_key(&certificate.kind) {
            let wanted = known_name(rules.papers.keys(), &certificate.kind);
            faults.push(("type", &certificate.kind, wanted));
        }
        for category in &certificate.categories {
            if !rules.categories.contains_key(category) {
                let wanted = known_name(rules.categories.keys(), category);
                faults.push(("categories", category, wanted));
            }
        }
        let paper = match read_paper(&file.folder, &certificate.file_name) {
            Ok(paper) => paper,
            Err(wanted) => {
                faults.push(("file", &certificate.file_name, wanted));
                None
            }
        };
        if !faults.is_empty() {
            report.problems.extend(
                faults
                    .into_iter()
                    .map(|(field, found, wanted)| Problem::new(&file.name, &row.place, field, found, wanted)),
            );
            continue;
        }
        match certificates::keep(tx, account, certificate, paper.as_deref(), now).await? {
            Kept::New => report.new += 1,
            Kept::Changed => report.changed += 1,
            Kept::Same => report.same += 1,
        }
    }
    Ok(report)
}

/// The bytes of a paper that lies beside its table; what is too large is not read.
fn read_paper(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    let bytes = read_beside(folder, name, MAX_PAPER_BYTES)?;
    match paper_fault(&bytes) {
        Some(wanted) => Err(wanted.to_owned()),
        None => Ok(Some(bytes)),
    }
}

fn read_beside(folder: &Path, name: &str, most: u64) -> Result<Vec<u8>, String> {
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside {
        return Err("a file beside the table".to_owned());
    }
    let path = folder.join(name);
    let unreadable = |error: std::io::Error| format!("a file that can be read ({error})");
    let size = std::fs::metadata(&path).map_err(unreadable)?.len();
    if size > most {
        return Err(format!("at most {} MiB, it has {} MiB", most >> 20, size >> 20));
    }
    std::fs::read(&path).map_err(unreadable)
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
