//! `linkstar check` and `mapping`: declared files, without touching the network.

use std::path::Path;

use super::args::Cli;
use super::context::print;
use super::{CliError, Exit};
use crate::config;
use crate::http::Pace;
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
