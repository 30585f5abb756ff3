//! `linkstar check` and `mapping`: declared files, without touching the network.

use std::path::Path;

use super::args::{Cli, FileCommand};
use super::context::print;
use super::{CliError, Exit};
use crate::config;
use crate::http::Pace;
use crate::mapping::definition::{self, Mapping};
use crate::mapping::inbound::{self, Inbound};
use crate::night::Tools;
use crate::problem::Problem;

pub fn check_all(cli: &Cli) -> Result<Exit, CliError> {
    let config = config::load(cli.config()?)?;
    let tools = Tools::new(&config, Pace::Real)?;
    print(&format!(
        "{}: {} connectors, {} mappings, {} forwarders: ok",
        cli.config()?.display(),
        tools.connectors.len(),
        tools.mappings.len(),
        config.forwarders.len()
    ))?;
    Ok(Exit::Done)
}

pub(super) fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|source| CliError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })
}

pub(super) fn found(problems: &[Problem]) -> Result<Exit, CliError> {
    for problem in problems {
        eprintln!("{problem}");
    }
    Ok(Exit::Usage)
}

pub fn mapping(_cli: &Cli, command: &FileCommand) -> Result<Exit, CliError> {
    match command {
        FileCommand::List => match definition::builtin() {
            Ok(all) => {
                for mapping in all {
                    print(&format!("{}  {}", mapping.meta.id, mapping.meta.document))?;
                }
                match inbound::builtin() {
                    Ok(all) => {
                        for mapping in all {
                            print(&format!("inbound/{}  {}", mapping.id, mapping.kind.code()))?;
                        }
                        Ok(Exit::Done)
                    }
                    Err(problems) => found(&problems),
                }
            }
            Err(problems) => found(&problems),
        },
        FileCommand::Check { file } | FileCommand::Test { file } if Inbound::is_one(&read(file)?) => {
            inbound_mapping(file, matches!(command, FileCommand::Test { .. }))
        }
        FileCommand::Check { file } | FileCommand::Test { file } => {
            let folder = file.parent().unwrap_or(Path::new("."));
            let assets = |name: &str| {
                std::fs::read(folder.join(name))
                    .ok()
                    .or_else(|| definition::builtin_file(name))
            };
            match Mapping::parse(&file.display().to_string(), &read(file)?, &assets) {
                Ok(mapping) => {
                    print(&format!(
                        "{}: {} version {}: ok",
                        file.display(),
                        mapping.meta.id,
                        mapping.meta.version
                    ))?;
                    Ok(Exit::Done)
                }
                Err(problems) => found(&problems),
            }
        }
    }
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
    match inbound::run_tests(&mapping) {
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
    }
}
