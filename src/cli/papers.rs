//! `linkstar papers`: packs for agents and brokers, and papers that people edited.

mod write;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::args::{At, Cli};
use super::context::{Context, columns, heads, print, print_json};
use super::{CliError, Exit};
use crate::ids::OrderNo;
use crate::mapping::definition::Mapping;
use crate::night::packs::{self, PackError};
use crate::order::Transport;
use crate::pack::{Pack, PackKind, Tariff};
use crate::problem::Problem;
use crate::store::orders;
use crate::wording::{Lang, text};

#[derive(Debug, Subcommand)]
pub enum PapersCommand {
    /// Every paper the order can have: who gets it unasked, and what is missing for it.
    #[command(after_help = "Example: linkstar papers list BH260907-01")]
    List {
        order: OrderNo,
        #[command(flatten)]
        facts: FactArgs,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Write papers of the order into a folder, to look at or to hand over. Nothing is sent.
    #[command(
        after_help = "Example: linkstar papers write BH260907-01 --paper pallet-label --paper sales-contract --save out\n         linkstar papers write BH260907-01 --save out --png"
    )]
    Write {
        order: OrderNo,
        /// Ids that `papers list` shows; without it the papers the forwarder gets.
        #[arg(long = "paper", value_name = "MAPPING")]
        papers: Vec<String>,
        #[arg(long, value_name = "DIR")]
        save: PathBuf,
        /// Also as PDF (needs LibreOffice).
        #[arg(long)]
        pdf: bool,
        /// Also as one PNG a page (needs LibreOffice and pdftoppm).
        #[arg(long)]
        png: bool,
        #[command(flatten)]
        facts: FactArgs,
        #[command(flatten)]
        at: At,
    },
    /// Everything the export agent needs as one ZIP: declaration data, invoice, packing list, checked as customs would.
    Export {
        #[command(flatten)]
        pack: PackArgs,
        /// What the tariff asks of the codes in use: `[code.9405500000]`, elements, legal_unit, second_legal_unit, inspection.
        #[arg(long, value_name = "TOML")]
        tariff: Option<PathBuf>,
        /// Number of the inspection ledger (电子底账号), for codes that the tariff file says are inspected.
        #[arg(long, default_value = "", value_name = "NUMBER")]
        inspection: String,
    },
    /// Everything the importer's broker needs as one ZIP: documents, certificates, numbers, and who still owes what.
    Import {
        #[command(flatten)]
        pack: PackArgs,
        /// Number of the power of attorney (委托书) the broker acts by.
        #[arg(long, default_value = "", value_name = "REFERENCE")]
        power_of_attorney: String,
    },
    /// Read papers again, also edited ones, and compare every value with the order; what differs is named.
    Compare {
        order: OrderNo,
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The mapping they are of, where their names do not say it.
        #[arg(long = "as", value_name = "MAPPING")]
        of: Option<String>,
        #[command(flatten)]
        facts: FactArgs,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
}

/// What no order knows by itself.
#[derive(Debug, Args)]
pub struct FactArgs {
    /// What the carrier said: vessel, voyage, master_bill, departs_at, `[[containers]]`.
    #[arg(long, value_name = "TOML")]
    transport: Option<PathBuf>,
    /// The warehouse's own number of the announcement (入库单号, FBA shipment id).
    #[arg(long, default_value = "", value_name = "NUMBER")]
    inbound_no: String,
}

#[derive(Debug, Args)]
pub struct PackArgs {
    order: OrderNo,
    /// Write the ZIP into this folder; without it only the checklist is shown.
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// What the carrier said: vessel, voyage, master_bill, departs_at, `[[containers]]`.
    #[arg(long, value_name = "TOML")]
    transport: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

pub async fn run(cli: &Cli, command: &PapersCommand) -> Result<Exit, CliError> {
    let at = match command {
        PapersCommand::Export { pack, .. } | PapersCommand::Import { pack, .. } => pack.at.at,
        PapersCommand::List { at, .. }
        | PapersCommand::Write { at, .. }
        | PapersCommand::Compare { at, .. } => at.at,
    };
    let context = Context::open(cli, at).await?;
    match command {
        PapersCommand::List {
            order, facts, json, ..
        } => write::list(&context, order, facts, *json).await,
        PapersCommand::Write {
            order,
            papers,
            save,
            pdf,
            png,
            facts,
            ..
        } => write::write(&context, order, (papers, facts), (save, *pdf, *png)).await,
        PapersCommand::Export {
            pack,
            tariff,
            inspection,
        } => {
            let tariff = match tariff {
                Some(path) => Tariff::read(&named(path), &read_text(path)?).map_err(|all| usage(&all))?,
                None => Tariff::default(),
            };
            let wish = packs::Wish {
                kind: PackKind::Export,
                tariff,
                power_of_attorney: "",
                inspection,
            };
            if let Some(days) = wish.tariff.stale_days(context.night(false).today()) {
                let days = days.to_string();
                eprintln!(
                    "{}",
                    text(context.lang, "cli.papers.old_tariff", &[("days", &days)])
                );
            }
            gather(&context, pack, &wish).await
        }
        PapersCommand::Import {
            pack,
            power_of_attorney,
        } => {
            let wish = packs::Wish {
                kind: PackKind::Import,
                tariff: Tariff::default(),
                power_of_attorney,
                inspection: "",
            };
            gather(&context, pack, &wish).await
        }
        PapersCommand::Compare {
            order,
            files,
            of,
            facts,
            json,
            ..
        } => compare(&context, order, (files, of.as_deref()), (facts, *json)).await,
    }
}

fn usage(problems: &[Problem]) -> CliError {
    super::order::usage(problems)
}

fn named(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.display().to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })
}

fn read_transport(path: Option<&Path>) -> Result<Transport, CliError> {
    match path {
        Some(path) => crate::declared::read(&named(path), &read_text(path)?).map_err(|all| usage(&all)),
        None => Ok(Transport::default()),
    }
}

fn read_text(path: &Path) -> Result<String, CliError> {
    String::from_utf8(read(path)?)
        .map_err(|_| CliError::Usage(format!("{}: wanted UTF-8 text", path.display())))
}

async fn gather(context: &Context, args: &PackArgs, wish: &packs::Wish<'_>) -> Result<Exit, CliError> {
    let transport = read_transport(args.transport.as_deref())?;
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let pack = match packs::gather(&night, &mut tx, &args.order, wish, transport).await {
        Ok(pack) => pack,
        Err(PackError::Unknown(number)) => {
            let known = orders::all(&mut tx, &context.config.account.id).await?;
            return Err(super::order::unknown(&known, number.as_str()));
        }
        Err(PackError::Store(error)) => return Err(error.into()),
    };
    tell(context.lang, &pack, args.json)?;
    if !pack.is_complete() {
        return Ok(Exit::Findings);
    }
    if let Some(folder) = &args.save {
        let bytes = pack
            .write()
            .map_err(|error| CliError::Usage(crate::night::step::chain(&error)))?;
        std::fs::create_dir_all(folder).map_err(|source| CliError::File {
            what: "create",
            path: folder.clone(),
            source,
        })?;
        let path = folder.join(pack.file_name());
        std::fs::write(&path, bytes).map_err(|source| CliError::File {
            what: "write",
            path: path.clone(),
            source,
        })?;
        eprintln!("{}", path.display());
    }
    Ok(Exit::Done)
}

fn tell(lang: Lang, pack: &Pack, as_json: bool) -> Result<(), CliError> {
    if as_json {
        let tasks = pack.tasks.iter().map(|task| {
            json!({"what": if lang == Lang::Zh { &task.zh } else { &task.en }, "who": task.who, "due": task.due,
                "done_by": task.done_by, "may_follow": task.may_follow})
        });
        return print_json(&json!({
            "order": pack.order,
            "revision": pack.revision,
            "country": pack.country,
            "complete": pack.is_complete(),
            "file": pack.file_name(),
            "checklist": tasks.collect::<Vec<_>>(),
            "problems": pack.problems,
            "left_out": pack.left_out,
        }));
    }
    let mut rows = vec![heads(lang, "pack")];
    rows.extend(pack.tasks.iter().map(|task| {
        vec![
            if lang == Lang::Zh { &task.zh } else { &task.en }.clone(),
            text(lang, &format!("pack.who.{}", task.who), &[]),
            task.due.map_or_else(String::new, |day| day.to_string()),
            match (task.is_open(), task.may_follow) {
                (true, true) => text(lang, "pack.follows", &[]),
                (true, false) => text(lang, "pack.open", &[]),
                (false, _) => task.done_by.join(", "),
            },
        ]
    }));
    print(&columns(&rows))?;
    for problem in &pack.problems {
        eprintln!("{problem}");
    }
    Ok(())
}

async fn compare(
    context: &Context,
    number: &OrderNo,
    (files, of): (&[PathBuf], Option<&str>),
    (facts, as_json): (&FactArgs, bool),
) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let (stored, document) = write::gather(context, number, facts).await?;
    let mut tx = context.store.read().await?;
    let documents = orders::documents(&mut tx, account, number).await?;
    let mut found = Vec::new();
    for path in files {
        let name = named(path);
        let bytes = read(path)?;
        let written = documents
            .iter()
            .filter(|document| document.revision == stored.order.revision && document.file_name == name)
            .map(|document| document.document.as_str())
            .next();
        let mappings = &context.tools.mappings;
        let (mapping, problems) = Mapping::compare(
            mappings,
            of.or(written),
            (&name, &bytes),
            &stored.order,
            &document,
        );
        found.push((name, mapping, problems));
    }
    let clean = found.iter().all(|(_, _, problems)| problems.is_empty());
    if as_json {
        let files = found
            .iter()
            .map(|(name, mapping, problems)| json!({"file": name, "mapping": mapping, "problems": problems}));
        print_json(&json!({"order": number, "files": files.collect::<Vec<_>>()}))?;
    } else {
        for (name, mapping, problems) in &found {
            let count = problems.len().to_string();
            let key = if problems.is_empty() {
                "cli.papers.agrees"
            } else {
                "cli.papers.differs"
            };
            print(&text(
                context.lang,
                key,
                &[("file", name), ("mapping", mapping), ("n", &count)],
            ))?;
            for problem in problems {
                print(&format!("  {problem}"))?;
            }
        }
    }
    Ok(if clean { Exit::Done } else { Exit::Findings })
}
