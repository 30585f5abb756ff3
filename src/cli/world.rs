//! `linkstar simulate`: the world as a process of its own.

use std::path::Path;

use chrono::{NaiveDate, NaiveTime};

use super::context::print;
use super::{CliError, Exit};
use crate::simulate::{self, WorldOptions};

pub async fn simulate(folder: &Path, start: NaiveDate, seed: u64) -> Result<Exit, CliError> {
    let options = WorldOptions::new(folder.to_owned(), seed, start.and_time(NaiveTime::MIN).and_utc());
    let world = simulate::start(options)
        .await
        .map_err(|error| CliError::World(error.into()))?;
    print(&serde_json::to_string_pretty(world.endpoints())?)?;
    // Ctrl-C ends it; so does a stop of the process.
    if tokio::signal::ctrl_c().await.is_err() {
        return Err(CliError::Usage("cannot listen for Ctrl-C".to_owned()));
    }
    world.stop().await;
    Ok(Exit::Done)
}
