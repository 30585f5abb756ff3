//! The command line: reads arguments, calls the flow, shows what came out. Decides nothing.

mod accuracy;
pub mod args;
mod audit;
pub mod backtest;
mod case;
mod catalog;
mod claim;
mod clocks;
mod connector;
mod context;
mod db;
mod declared;
pub mod demo;
mod differences;
mod doctor;
mod forecast;
mod forecasts;
mod inbox;
mod init;
pub mod jobs;
mod lead_times;
mod mapping;
mod nightly;
mod order;
mod outbox;
mod papers;
pub mod plan_dir;
mod planning;
mod preview;
mod receive;
mod reconcile;
mod run;
pub mod schedule;
mod scorecard;
pub mod status;
mod trial;
mod web;
mod whatif;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};

/// How a command ended, as the shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// Done, and something is listed that needs a person.
    Findings,
    /// Wrong usage, configuration or input file.
    Usage,
    /// A source, the database or a target cannot be reached.
    Unavailable,
    /// A fault of linkstar itself.
    Bug,
}

impl Exit {
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
            Self::Bug => 70,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error(transparent)]
    Tools(#[from] crate::night::ToolsError),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error(transparent)]
    Night(#[from] crate::night::NightError),
    #[error(transparent)]
    Plan(#[from] crate::store::plans::PlanError),
    #[error(transparent)]
    Copy(#[from] crate::store::copy::CopyError),
    #[error(transparent)]
    Backup(#[from] crate::store::upkeep::BackupError),
    #[error("{0}")]
    Usage(String),
    #[error("cannot {what} {}", path.display())]
    File {
        what: &'static str,
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot write to standard output")]
    Output(#[from] std::io::Error),
    #[error("the simulated world")]
    World(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("cannot draw the charts")]
    Charts(#[from] crate::mapping::label::raster::RasterError),
    #[error("cannot show as JSON")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    fn exit(&self) -> Exit {
        use crate::store::StoreError;
        use crate::store::plans::PlanError;
        match self {
            Self::Config(_) | Self::Tools(_) | Self::Usage(_) | Self::File { .. } => Exit::Usage,
            Self::Store(StoreError::Url { .. }) => Exit::Usage,
            Self::Store(
                StoreError::Open(_)
                | StoreError::Migrate(_)
                | StoreError::TurnHeld { .. }
                | StoreError::TurnLost { .. },
            ) => Exit::Unavailable,
            Self::Plan(
                PlanError::NotFound { .. } | PlanError::Ambiguous { .. } | PlanError::NotCurrent { .. },
            ) => Exit::Usage,
            Self::Copy(error) => db::exit_of_copy(error),
            Self::Backup(error) => db::exit_of_backup(error),
            Self::Plan(_)
            | Self::Store(_)
            | Self::Night(_)
            | Self::World(_)
            | Self::Charts(_)
            | Self::Json(_) => Exit::Bug,
            Self::Output(_) => Exit::Unavailable,
        }
    }
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start the runtime: {error}");
            return ExitCode::from(Exit::Bug.code());
        }
    };
    let exit = runtime.block_on(dispatch(&cli)).unwrap_or_else(|error| {
        // A reader that has seen enough (`| head`) is no fault.
        if matches!(&error, CliError::Output(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe) {
            return Exit::Done;
        }
        eprintln!("error: {}", crate::night::step::chain(&error));
        error.exit()
    });
    ExitCode::from(exit.code())
}

async fn dispatch(cli: &Cli) -> Result<Exit, CliError> {
    match &cli.command {
        Command::Init { folder } => init::run(folder),
        Command::Check => declared::check_all(cli),
        Command::Doctor { json } => doctor::run(cli, *json).await,
        Command::Catalog { command } => catalog::run(cli, command).await,
        Command::Run(args) => run::run(cli, args).await,
        Command::Night(args) => nightly::night(cli, args).await,
        Command::Pull(args) if args.plan => forecast::run(cli, args).await,
        Command::Pull(args) => nightly::pull(cli, args.at).await,
        Command::Plan {
            from: Some(folder),
            as_of: Some(as_of),
            json,
        } => planning::from_folder(cli, folder, *as_of, *json),
        Command::Plan { json, .. } => planning::show(cli, *json).await,
        Command::Accuracy { days, json } => accuracy::run(cli, *days, *json).await,
        Command::Backtest(args) => backtest::run(cli, args).await,
        Command::Explain {
            sku,
            warehouse,
            plan,
            json,
        } => planning::explain(cli, sku, warehouse.as_ref(), plan.as_deref(), *json).await,
        Command::Diff { before, after, json } => {
            planning::diff(cli, before.as_deref(), after.as_deref(), *json).await
        }
        Command::Forecast(args) => forecasts::run(cli, args).await,
        Command::Scorecard(args) => scorecard::run(cli, args).await,
        Command::LeadTimes { json } => lead_times::run(cli, *json).await,
        Command::Replay { plan } => planning::replay(cli, plan).await,
        Command::Deadlines(args) => clocks::deadlines(cli, args).await,
        Command::Case { command } => case::run(cli, command).await,
        Command::Claim { command } => claim::run(cli, command).await,
        Command::Events { command } => clocks::events(cli, command).await,
        Command::Decisions(args) => trial::decisions(cli, args).await,
        Command::Trial(args) => trial::trial(cli, args).await,
        Command::WhatIf(args) => whatif::run(cli, args).await,
        Command::Approve(args) => order::approve(cli, args).await,
        Command::Order { command } => order::run(cli, command).await,
        Command::Papers { command } => papers::run(cli, command).await,
        Command::Deliver(at) => nightly::deliver(cli, *at).await,
        Command::Receive { files, at } => receive::files(cli, files, *at).await,
        Command::Reconcile(args) => reconcile::run(cli, args).await,
        Command::Differences(args) => differences::run(cli, args).await,
        Command::Status { order, json } => status::run(cli, order.as_deref(), *json).await,
        Command::Outbox { command } => outbox::run(cli, command).await,
        Command::Inbox { command } => inbox::run(cli, command).await,
        Command::Audit { command } => audit::run(cli, command).await,
        Command::Db { command } => db::run(cli, command).await,
        Command::Copy { from, to, json } => db::copy(cli, from, to, *json).await,
        Command::Web { command } => web::run(command),
        Command::Jobs { command } => jobs::run(cli, command).await,
        Command::Schedule { command } => schedule::run(cli, command).await,
        Command::Connector { command } => connector::connector(cli, command).await,
        Command::Mapping { command } => mapping::run(cli, command),
        Command::Simulate { folder, start, seed } => world::simulate(folder, *start, *seed).await,
        Command::Demo(args) => demo::run(cli, args).await,
    }
}
