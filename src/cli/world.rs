//! `linkstar simulate`: the world as a process of its own.

use std::path::Path;

use chrono::{NaiveDate, NaiveTime, SecondsFormat};

use super::context::print;
use super::{CliError, Exit};
use crate::simulate::{self, WorldOptions, shop};

pub async fn simulate(folder: &Path, start: NaiveDate, seed: u64) -> Result<Exit, CliError> {
    let options = WorldOptions::new(folder.to_owned(), seed, start.and_time(NaiveTime::MIN).and_utc());
    let world = simulate::start(options)
        .await
        .map_err(|error| CliError::World(error.into()))?;
    let config = shop::write(
        &folder.join("shop"),
        world.endpoints(),
        &world.opening_files(),
        None,
    )
    .map_err(|error| CliError::World(error.into()))?;
    print(&serde_json::to_string_pretty(world.endpoints())?)?;
    let now = world.now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let shop = format!("linkstar -c {}", config.display());
    eprintln!("the world stands at {now}; Ctrl-C ends it. In another terminal:");
    eprintln!(
        "  {shop} catalog import {}",
        folder.join("shop/catalog").display()
    );
    eprintln!("  {shop} night --at {now}");
    eprintln!(
        "  curl -X POST {}/advance -H 'content-type: application/json' -d '{{\"to\": \"…\"}}'",
        world.endpoints().control_url
    );
    // Ctrl-C ends it; so does a stop of the process.
    if tokio::signal::ctrl_c().await.is_err() {
        return Err(CliError::Usage("cannot listen for Ctrl-C".to_owned()));
    }
    world.stop().await;
    Ok(Exit::Done)
}
