//! `linkstar mapping`: a forwarder's paper declared in a file: drafted, checked, tested and looked at.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};

use super::args::Cli;
use super::context::print;
use super::declared::{found, read};
use super::{CliError, Exit};
use crate::mapping::definition::{self, Mapping, SAMPLE, Written, sample_order};
use crate::mapping::inbound::{self, Inbound};
use crate::mapping::model::DocumentContext;
use crate::mapping::xlsx::draft::{Purpose, draft};
use crate::problem::Problem;

#[derive(Debug, Subcommand)]
pub enum MappingCommand {
    /// The files that ship with linkstar.
    List,
    /// Draft a mapping for a forwarder's workbook: what its labels and titles seem to ask for.
    #[command(
        after_help = "Example: linkstar mapping new booking.xlsx --id huatuo-de --party huatuo --country DE > huatuo-de.toml"
    )]
    New(NewArgs),
    /// Check a file and say where it is wrong.
    #[command(after_help = "Example: linkstar mapping check mappings/huatuo-de.toml")]
    Check { file: PathBuf },
    /// Run the tests inside a file.
    #[command(after_help = "Example: linkstar mapping test mappings/huatuo-de.toml")]
    Test { file: PathBuf },
    /// Write the document of a sample order, to look at; as PDF or PNG with LibreOffice.
    #[command(
        after_help = "Example: linkstar mapping preview mappings/huatuo-de.toml --to out/\n         linkstar mapping preview packing-list --order samples/long.json --png --to out/"
    )]
    Preview(PreviewArgs),
}

#[derive(Debug, Args)]
pub struct NewArgs {
    /// The forwarder's workbook (.xlsx).
    pub workbook: PathBuf,
    /// The mapping's name.
    #[arg(long, default_value = "new-booking")]
    pub id: String,
    #[arg(long, default_value = "booking")]
    pub document: String,
    /// Forwarder id of the configuration.
    #[arg(long)]
    pub party: Option<String>,
    #[arg(long, value_name = "XX")]
    pub country: Option<String>,
}

#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// A mapping file, or the id of one that ships with linkstar.
    pub mapping: String,
    /// An order as JSON: a file, or one that ships with linkstar (samples/usual.json, samples/long.json).
    #[arg(long, default_value = SAMPLE)]
    pub order: String,
    /// The folder it is written to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub to: PathBuf,
    /// Also as PDF (needs LibreOffice).
    #[arg(long)]
    pub pdf: bool,
    /// Also as one PNG a page (needs LibreOffice and pdftoppm).
    #[arg(long)]
    pub png: bool,
}

pub fn run(_cli: &Cli, command: &MappingCommand) -> Result<Exit, CliError> {
    match command {
        MappingCommand::List => list(),
        MappingCommand::New(args) => new(args),
        MappingCommand::Check { file } => one(file, false),
        MappingCommand::Test { file } => one(file, true),
        MappingCommand::Preview(args) => preview(args),
    }
}

fn list() -> Result<Exit, CliError> {
    match (definition::builtin(), inbound::builtin()) {
        (Ok(outbound), Ok(inbound)) => {
            for mapping in outbound {
                let on_request = if mapping.meta.on_request {
                    "  (on request)"
                } else {
                    ""
                };
                print(&format!(
                    "{}  {}{on_request}",
                    mapping.meta.id, mapping.meta.document
                ))?;
            }
            for mapping in inbound {
                print(&format!("inbound/{}  {}", mapping.id, mapping.kind.code()))?;
            }
            Ok(Exit::Done)
        }
        (Err(problems), _) | (_, Err(problems)) => found(&problems),
    }
}

fn new(args: &NewArgs) -> Result<Exit, CliError> {
    let bytes = std::fs::read(&args.workbook).map_err(|source| CliError::File {
        what: "read",
        path: args.workbook.clone(),
        source,
    })?;
    let name = args.workbook.file_name().unwrap_or_default().to_string_lossy();
    let purpose = Purpose {
        id: &args.id,
        document: &args.document,
        party: args.party.as_deref(),
        country: args.country.as_deref(),
    };
    match draft(&name, &bytes, &purpose) {
        Ok(text) => {
            print(text.trim_end())?;
            Ok(Exit::Done)
        }
        Err(problem) => found(&[problem]),
    }
}

/// Files that a mapping names stand beside it; a name that climbs out of the folder is no asset.
fn beside(folder: &Path) -> impl Fn(&str) -> Option<Vec<u8>> + use<> {
    let folder = folder.to_owned();
    move |name| {
        let inside = !name.starts_with('/') && !name.split(['/', '\\']).any(|part| part == "..");
        let own = inside.then(|| std::fs::read(folder.join(name)).ok()).flatten();
        own.or_else(|| definition::builtin_file(name))
    }
}

fn parsed(file: &Path) -> Result<Result<Mapping, Vec<Problem>>, CliError> {
    let assets = beside(file.parent().unwrap_or(Path::new(".")));
    Ok(Mapping::parse(&file.display().to_string(), &read(file)?, &assets))
}

fn one(file: &Path, test: bool) -> Result<Exit, CliError> {
    if Inbound::is_one(&read(file)?) {
        return inbound_mapping(file, test);
    }
    let mapping = match parsed(file)? {
        Ok(mapping) => mapping,
        Err(problems) => return found(&problems),
    };
    if !test {
        let meta = &mapping.meta;
        print(&format!(
            "{}: {} version {}: ok",
            file.display(),
            meta.id,
            meta.version
        ))?;
        return Ok(Exit::Done);
    }
    let assets = beside(file.parent().unwrap_or(Path::new(".")));
    told(file, mapping.run_tests(&assets))
}

/// A mapping of the other direction: its own tests are part of it.
fn inbound_mapping(file: &Path, test: bool) -> Result<Exit, CliError> {
    let mapping = match Inbound::parse(&file.display().to_string(), &read(file)?) {
        Ok(mapping) => mapping,
        Err(problems) => return found(&problems),
    };
    if !test {
        print(&format!(
            "{}: {} version {}: ok",
            file.display(),
            mapping.id,
            mapping.version
        ))?;
        return Ok(Exit::Done);
    }
    told(file, inbound::run_tests(&mapping))
}

fn told(file: &Path, outcome: Result<usize, Vec<String>>) -> Result<Exit, CliError> {
    match outcome {
        // A test run that tests nothing is no success.
        Ok(0) => {
            eprintln!("{}: no tests", file.display());
            Ok(Exit::Findings)
        }
        Ok(held) => {
            print(&format!("{}: {held} tests hold", file.display()))?;
            Ok(Exit::Done)
        }
        Err(failures) => {
            failures.iter().for_each(|failure| eprintln!("{failure}"));
            Ok(Exit::Findings)
        }
    }
}

fn preview(args: &PreviewArgs) -> Result<Exit, CliError> {
    let file = Path::new(&args.mapping);
    let mapping = if file.extension().is_some_and(|extension| extension == "toml") {
        parsed(file)?
    } else {
        definition::builtin().and_then(|all| {
            let known = all.into_iter().find(|mapping| mapping.meta.id == args.mapping);
            known.ok_or_else(|| {
                let wanted = "a mapping file (.toml), or an id that `linkstar mapping list` shows";
                vec![Problem::new("command line", "", "mapping", &args.mapping, wanted)]
            })
        })
    };
    let mapping = match mapping {
        Ok(mapping) => mapping,
        Err(problems) => return found(&problems),
    };
    let assets = |name: &str| std::fs::read(name).ok();
    let order = sample_order(&args.order, &assets).map_err(CliError::Usage)?;
    let context = DocumentContext::new(order.created_on, order.number.as_str());
    let written = match mapping.write(&order, &context) {
        Ok(written) => written,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            return Ok(Exit::Findings);
        }
    };
    let path = saved(&args.to, &written)?;
    print(&path.display().to_string())?;
    if args.pdf || args.png {
        let pdf = as_pdf(&path)?;
        print(&pdf.display().to_string())?;
        if args.png {
            let pages = pdf.with_extension("");
            run_program(
                Command::new("pdftoppm")
                    .args(["-r", "110", "-png"])
                    .arg(&pdf)
                    .arg(&pages),
            )?;
            print(&format!("{}-*.png", pages.display()))?;
        }
    }
    Ok(Exit::Done)
}

fn saved(folder: &Path, written: &Written) -> Result<PathBuf, CliError> {
    let path = folder.join(&written.file_name);
    let failed = |source| CliError::File {
        what: "write",
        path: path.clone(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::write(&path, &written.bytes).map_err(failed)?;
    Ok(path)
}

fn as_pdf(path: &Path) -> Result<PathBuf, CliError> {
    let pdf = path.with_extension("pdf");
    if path == pdf {
        return Ok(pdf);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    run_program(
        Command::new("soffice")
            .args(["--headless", "--convert-to", "pdf", "--outdir"])
            .arg(folder.unwrap_or(Path::new(".")))
            .arg(path),
    )?;
    match pdf.exists() {
        true => Ok(pdf),
        false => Err(CliError::Usage(format!(
            "LibreOffice made no PDF of {}",
            path.display()
        ))),
    }
}

/// A program that people have for looking at papers; its own words stay off our output.
fn run_program(command: &mut Command) -> Result<(), CliError> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(CliError::Usage(format!(
            "{name} failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
        Err(error) => Err(CliError::Usage(format!("cannot start {name}: {error}"))),
    }
}
