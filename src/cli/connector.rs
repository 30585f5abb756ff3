//! `linkstar connector`: what an author of a connector file needs.

use std::path::PathBuf;

use clap::Subcommand;

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
    /// Write a first file to standard output, from a page of the system if there is one.
    #[command(
        after_help = "Example: linkstar connector new my-warehouse --record stock --page stock.json > my-warehouse.toml"
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
    },
    /// Check a file and say where it is wrong.
    Check { file: PathBuf },
    /// Run the tests inside a file.
    Test { file: PathBuf },
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

pub fn connector(command: &ConnectorCommand) -> Result<Exit, CliError> {
    match command {
        ConnectorCommand::List => {
            for (name, _) in CONNECTORS {
                print(name)?;
            }
            Ok(Exit::Done)
        }
        ConnectorCommand::New { name, record, page } => {
            let text = page.as_deref().map(read).transpose()?;
            match draft::draft(name, *record, text.as_deref()) {
                Ok(text) => {
                    print(text.trim_end())?;
                    Ok(Exit::Done)
                }
                Err(why) => {
                    let page = page.as_deref().unwrap_or_else(|| std::path::Path::new(name));
                    eprintln!("{}: {why}", page.display());
                    Ok(Exit::Usage)
                }
            }
        }
        ConnectorCommand::Check { file } => {
            match Definition::parse(&file.display().to_string(), &read(file)?) {
                Ok(definition) => {
                    print(&format!(
                        "{}: {} streams: ok",
                        file.display(),
                        definition.streams.len()
                    ))?;
                    Ok(Exit::Done)
                }
                Err(error) => found(&error.problems),
            }
        }
        ConnectorCommand::Test { file } => match Definition::parse(&file.display().to_string(), &read(file)?)
        {
            Ok(definition) => match connector::run_tests(&definition) {
                Ok(held) => {
                    print(&format!("{}: {held} tests hold", file.display()))?;
                    Ok(Exit::Done)
                }
                Err(failures) => {
                    for failure in &failures {
                        eprintln!("{failure}");
                    }
                    Ok(Exit::Findings)
                }
            },
            Err(error) => found(&error.problems),
        },
    }
}
