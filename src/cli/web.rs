//! `linkstar web`: what the page's configuration needs.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use super::args::WebCommand;
use super::context::print;
use super::{CliError, Exit};
use crate::secret::password;
use crate::web::salt;

/// A shorter one is tried out in an afternoon.
const LEAST_CHARS: usize = 10;

pub fn run(command: &WebCommand) -> Result<Exit, CliError> {
    match command {
        WebCommand::Hash => hash(),
    }
}

fn hash() -> Result<Exit, CliError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("Password (it is shown while you type): ");
    }
    let mut line = String::new();
    let most = u64::try_from(password::MOST_CHARS * 4 + 2).unwrap_or(u64::MAX);
    stdin.lock().take(most).read_line(&mut line)?;
    let typed = line.trim_end_matches(['\r', '\n']);
    if !(LEAST_CHARS..=password::MOST_CHARS).contains(&typed.chars().count()) {
        return Err(CliError::Usage(format!(
            "wanted a password of {LEAST_CHARS} to {} characters on the first line of standard input",
            password::MOST_CHARS
        )));
    }
    let hash = salt()
        .and_then(|salt| password::hash(typed, salt))
        .map_err(CliError::Usage)?;
    print(&hash)?;
    Ok(Exit::Done)
}
