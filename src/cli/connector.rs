//! `linkstar connector`: what an author of a connector file needs.

mod tape;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::args::Cli;
use super::context::print;
use super::declared::{found, read};
use super::{CliError, Exit};
use crate::connector::definition::RecordKind;
use crate::connector::{self, Definition, draft};
use crate::night::tools::CONNECTORS;

#[derive(Debug, Subcommand)]
pub enum ConnectorCommand {
    /// The files that ship with linkstar.
    List,
    /// The JSON Schema of connector files, for editors.
    #[command(
        after_help = "Example: linkstar connector schema > schema.json\n\nWith `#:schema ./schema.json` as the first line of a connector file, editors with taplo (Even Better TOML) offer its keys and mark what is wrong."
    )]
    Schema,
    /// What a file pulls, asks and needs, for the person who has to get the credentials.
    #[command(
        after_help = "Example: linkstar connector docs goodcang\n         linkstar --lang en connector docs my-warehouse.toml"
    )]
    Docs {
        /// A file, or the name of a connector that ships with linkstar.
        file: PathBuf,
    },
    /// Write a first file to standard output, from a page of the system if there is one.
    #[command(
        after_help = "Example: linkstar connector new my-warehouse --record stock --page stock.json > my-warehouse.toml\n         linkstar connector new my-warehouse --record stock --page stock.xlsx > my-warehouse.toml"
    )]
    New {
        /// The connector's name, lower case with dashes.
        name: String,
        /// What a row of the page is.
        #[arg(long, value_parser = record_kind, default_value = "stock")]
        record: RecordKind,
        /// An answer of the system, JSON or a table with a header: rows and fields are looked for in it.
        #[arg(long, value_name = "FILE")]
        page: Option<PathBuf>,
        /// The page is an export, CSV or XLSX, that people put into a folder; of an XLSX this goes without saying.
        #[arg(long, requires = "page")]
        files: bool,
    },
    /// Check a file and say where it is wrong.
    Check { file: PathBuf },
    /// Run the tests inside a file.
    Test { file: PathBuf },
    /// Pull a configured source once and keep its answers in a folder, without persons and secrets.
    #[command(
        after_help = "Example: linkstar connector record goodcang-uk tapes/goodcang --param history_days=7\n\nNothing is stored in the database. What was pulled, as lines, stands in rows.jsonl; `replay` must give the same."
    )]
    Record {
        /// The source, as the configuration calls it.
        source: String,
        /// A new folder.
        folder: PathBuf,
        /// Another value of a parameter, e.g. a shorter history.
        #[arg(long = "param", value_name = "NAME=VALUE", value_parser = param)]
        params: Vec<(String, String)>,
    },
    /// Read a recorded folder with a connector file, without the network, and compare the rows.
    #[command(after_help = "Example: linkstar connector replay tapes/goodcang connectors/goodcang.toml")]
    Replay {
        folder: PathBuf,
        /// A file, or the name of a connector that ships with linkstar.
        file: PathBuf,
        /// Take the rows that come now for the right ones.
        #[arg(long)]
        write: bool,
    },
}

fn param(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("wanted NAME=VALUE".to_owned()),
    }
}

/// A connector file, or the exit after its faults were named.
fn definition(file: &Path) -> Result<Result<Definition, Exit>, CliError> {
    let name = file.display().to_string();
    let shipped = CONNECTORS.iter().find(|(known, _)| *known == name);
    let text = match shipped {
        Some((_, text)) => (*text).to_owned(),
        None => read(file)?,
    };
    match Definition::parse(&name, &text) {
        Ok(definition) => Ok(Ok(definition)),
        Err(error) => found(&error.problems).map(Err),
    }
}

fn is_workbook(page: &Path) -> bool {
    page.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("xlsx"))
}

fn record_kind(text: &str) -> Result<RecordKind, String> {
    RecordKind::ALL
        .into_iter()
        .find(|kind| kind.word() == text)
        .ok_or_else(|| {
            let words: Vec<&str> = RecordKind::ALL.into_iter().map(RecordKind::word).collect();
            format!("wanted one of {}", words.join(", "))
        })
}

pub async fn connector(cli: &Cli, command: &ConnectorCommand) -> Result<Exit, CliError> {
    match command {
        ConnectorCommand::List => {
            for (name, _) in CONNECTORS {
                print(name)?;
            }
            Ok(Exit::Done)
        }
        ConnectorCommand::Schema => {
            print(connector::schema::schema().trim_end())?;
            Ok(Exit::Done)
        }
        ConnectorCommand::Docs { file } => match definition(file)? {
            Ok(definition) => {
                let lang = cli.lang.unwrap_or_default();
                print(connector::manual::manual(&definition, lang).trim_end())?;
                Ok(Exit::Done)
            }
            Err(exit) => Ok(exit),
        },
        ConnectorCommand::New {
            name,
            record,
            page,
            files,
        } => {
            let drafted = match page.as_deref().filter(|page| *files || is_workbook(page)) {
                Some(page) => {
                    let bytes = std::fs::read(page).map_err(|source| CliError::File {
                        what: "read",
                        path: page.to_owned(),
                        source,
                    })?;
                    let file = page.file_name().unwrap_or_default().to_string_lossy();
                    draft::draft_of_export(name, *record, (&file, &bytes))
                }
                None => {
                    let text = page.as_deref().map(read).transpose()?;
                    draft::draft(name, *record, text.as_deref())
                }
            };
            match drafted {
                Ok(text) => {
                    print(text.trim_end())?;
                    Ok(Exit::Done)
                }
                Err(why) => {
                    eprintln!(
                        "{}: {why}",
                        page.as_deref().unwrap_or_else(|| Path::new(name)).display()
                    );
                    Ok(Exit::Usage)
                }
            }
        }
        ConnectorCommand::Check { file } => match definition(file)? {
            Ok(definition) => {
                let streams = definition.streams.len();
                print(&format!("{}: {streams} streams: ok", file.display()))?;
                Ok(Exit::Done)
            }
            Err(exit) => Ok(exit),
        },
        ConnectorCommand::Test { file } => match definition(file)?.map(|file| connector::run_tests(&file)) {
            Ok(Ok(held)) => {
                print(&format!("{}: {held} tests hold", file.display()))?;
                Ok(Exit::Done)
            }
            Ok(Err(failures)) => {
                for failure in &failures {
                    eprintln!("{failure}");
                }
                Ok(Exit::Findings)
            }
            Err(exit) => Ok(exit),
        },
        ConnectorCommand::Record {
            source,
            folder,
            params,
        } => tape::record(cli, source, folder, params).await,
        ConnectorCommand::Replay { folder, file, write } => tape::replay(folder, file, *write).await,
    }
}
