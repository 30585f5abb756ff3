//! The commands of the night: run, pull, decide.

use std::path::PathBuf;

use clap::Args;

use super::At;
use super::role::{self, Role};

/// What to pull, or what pulling would take.
#[derive(Debug, Clone, Args)]
pub struct PullArgs {
    /// Ask nothing; say how many calls the next pull makes and how long the limits make it take.
    #[arg(long)]
    pub plan: bool,
    /// With --plan: how many rows a stream has, as STREAM=NUMBER; may be said several times.
    #[arg(long, value_name = "STREAM=NUMBER", requires = "plan")]
    pub rows: Vec<String>,
    /// With --plan: for programs.
    #[arg(long, requires = "plan")]
    pub json: bool,
    #[command(flatten)]
    pub at: At,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct RunArgs {
    /// What this process does: all, worker (nights, inboxes, outboxes), scheduler (writes down what is due) or web
    /// (pages, health and metrics; `all` serves them too where the configuration has a `web` section).
    #[arg(long, default_value = "all", value_parser = role::parse)]
    pub role: Role,
    /// Nights that run side by side in this process, each of another account.
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub nights: u8,
    /// The clock starts at this instant and goes on from there: a rehearsal.
    #[command(flatten)]
    pub at: At,
}

#[derive(Debug, Args)]
pub struct NightArgs {
    #[command(flatten)]
    pub at: At,
    /// Compute everything, send nothing, write nothing outside the data folder.
    #[arg(long)]
    pub dry_run: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// `WAREHOUSE/SKU` accepts, `WAREHOUSE/SKU=UNITS` changes, `WAREHOUSE/SKU=0` rejects.
    pub lines: Vec<String>,
    /// The suggestion workbook with its decision column filled in.
    #[arg(long, conflicts_with_all = ["lines", "all"])]
    pub file: Option<PathBuf>,
    /// Accept every suggestion whose data is complete.
    #[arg(long, conflicts_with = "lines")]
    pub all: bool,
    /// Plan id or its beginning; must be the current plan.
    #[arg(long)]
    pub plan: Option<String>,
    /// Who decides, for the log.
    #[arg(long, default_value = "cli")]
    pub by: String,
    #[command(flatten)]
    pub at: At,
}
