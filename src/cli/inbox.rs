//! `linkstar inbox`.

use super::args::{Cli, InboxCommand};
use super::context::Context;
use super::{CliError, Exit};

pub async fn run(cli: &Cli, _command: &InboxCommand) -> Result<Exit, CliError> {
    let _ = Context::open(cli, None).await?;
    Ok(Exit::Done)
}
