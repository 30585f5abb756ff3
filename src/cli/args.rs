//! What the command line understands.

pub mod backtest;
mod kept;
mod nightly;
mod order;
mod role;

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand};

pub use kept::{
    AuditCommand, CatalogCommand, DbCommand, ForecastArgs, InboxCommand, OutboxCommand, WebCommand,
};
pub use nightly::{ApproveArgs, NightArgs, PullArgs, RunArgs};
pub use order::{OrderCommand, OrderReason};
pub use role::Role;

use super::CliError;
use crate::ids::WarehouseCode;

const EXIT_CODES: &str = "Exit codes: 0 done · 1 done, but something needs a person (listed) · 2 wrong usage, configuration or input file · 3 a source, the database or a target cannot be reached · 70 a fault of linkstar itself";

/// Keeps overseas warehouses (海外仓) stocked: pull, plan, mail, approve, book, deliver, receive, reconcile.
#[derive(Debug, Parser)]
#[command(name = "linkstar", version, about, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// The configuration file. `run` takes several, or folders of them: one account each, all named behind `run`.
    #[arg(
        long,
        short,
        global = true,
        default_value = "linkstar.toml",
        value_name = "FILE"
    )]
    pub config: Vec<PathBuf>,
    /// Language of texts: zh-CN or en (default: the account's).
    #[arg(long, global = true, value_name = "LANG", value_parser = parse_lang)]
    pub lang: Option<crate::wording::Lang>,
    /// No progress lines.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The configuration of a command that works on one account.
    ///
    /// # Errors
    /// When several are named.
    pub fn config(&self) -> Result<&Path, CliError> {
        match self.config.as_slice() {
            [one] => Ok(one),
            several => Err(CliError::Usage(format!(
                "this command works on one configuration, and {} are named; only `run` takes several",
                several.len()
            ))),
        }
    }
}

fn parse_lang(text: &str) -> Result<crate::wording::Lang, String> {
    match text {
        "zh-CN" | "zh" => Ok(crate::wording::Lang::Zh),
        "en" => Ok(crate::wording::Lang::En),
        _ => Err("wanted zh-CN or en".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a folder to start from: configuration, catalog tables, inbox.
    #[command(after_help = "Example: linkstar init shop && cd shop && linkstar check")]
    Init { folder: PathBuf },
    /// Check configuration, connector files, mapping files and catalog without touching the network.
    #[command(after_help = "Example: linkstar -c shop/linkstar.toml check")]
    Check,
    /// One read call to every source and every forwarder's server: which would fail tonight?
    #[command(after_help = "Example: linkstar doctor --json")]
    Doctor {
        #[arg(long)]
        json: bool,
    },
    /// Import items, codes, warehouses and lanes from CSV or XLSX; good rows load, bad rows are listed.
    #[command(after_help = "Example: linkstar catalog import catalog/\n         linkstar catalog unmapped")]
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// The daemon: runs the night at its hour, watches the inbox, delivers what is due.
    #[command(
        after_help = "Example: linkstar run\n         linkstar run --config shops/ --role worker\nSeveral processes may run on one PostgreSQL. Stops cleanly on SIGTERM or Ctrl-C."
    )]
    Run(RunArgs),
    /// Run one night now, all steps in order. Repeating it has no second effect.
    #[command(after_help = "Example: linkstar night --dry-run")]
    Night(NightArgs),
    /// Only pull sales, stock and inbounds.
    #[command(
        after_help = "Example: linkstar pull\n         linkstar pull --plan --rows orders=200000\n\nExit codes: 0 done, 1 something is left for a person, 2 configuration, 3 a source or the database is away."
    )]
    Pull(PullArgs),
    /// Show the current plan, or plan from a folder of CSV files without a database.
    #[command(
        after_help = "Example: linkstar plan --json\n         linkstar plan --from sheets/ --as-of 2026-09-07 --json"
    )]
    Plan {
        /// A folder of CSV files (docs/plan-from-files.md).
        #[arg(long, value_name = "DIR", requires = "as_of")]
        from: Option<PathBuf>,
        /// The first day still ahead.
        #[arg(long, value_name = "DATE")]
        as_of: Option<NaiveDate>,
        #[arg(long)]
        json: bool,
    },
    /// Live the own history again: what each policy would have attained, held and cost.
    #[command(
        after_help = "Example: linkstar backtest --weeks 26 --report backtest/\n         linkstar backtest --from sheets/ --as-of 2026-09-07 --policy linkstar,seller-velocity\n\nExit codes: 0 done, 1 figures without a conclusion (too few items or days; listed), or cells left out; 2 wrong usage, or a history under 60 days."
    )]
    Backtest(backtest::BacktestArgs),
    /// How good the forecasts behind past decisions were, and how often they sufficed.
    #[command(after_help = "Example: linkstar accuracy --days 180 --json")]
    Accuracy {
        /// Decisions judged in so many days.
        #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=3650))]
        days: i64,
        #[arg(long)]
        json: bool,
    },
    /// Where a suggested number comes from.
    #[command(after_help = "Example: linkstar explain 85123A --warehouse goodcang:UKMA")]
    Explain {
        sku: String,
        #[arg(long)]
        warehouse: Option<WarehouseCode>,
        /// Plan id or its beginning; the current plan when left out.
        #[arg(long)]
        plan: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// How good past forecasts were: error, bias, coverage and loss by class of demand, from the ledger the night keeps.
    #[command(after_help = "Example: linkstar forecast\n         linkstar forecast --days 90 --json")]
    Forecast(ForecastArgs),
    /// What changed between two plans, and why.
    #[command(after_help = "Example: linkstar diff\n         linkstar diff 3fa9c2 81bd07")]
    Diff {
        /// Older plan; the parent of the current one when left out.
        before: Option<String>,
        after: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// What was expected of every order's way, what came, and how often the late date held.
    #[command(after_help = "Example: linkstar lead-times --json")]
    LeadTimes {
        #[arg(long)]
        json: bool,
    },
    /// How good forwarders and warehouses are: kept promises, lead times, losses, papers, claims; and how sure that is.
    #[command(after_help = "Example: linkstar scorecard --since 2026-01-01 --parts")]
    Scorecard(super::scorecard::ScorecardArgs),
    /// Compute a stored plan again from its stored inputs and compare the bytes.
    #[command(after_help = "Example: linkstar replay 3fa9c2")]
    Replay { plan: String },
    /// The current plan's facts by another policy: what it would order, before anybody changes the policy. Stores nothing.
    #[command(
        name = "whatif",
        after_help = "Example: linkstar whatif --set service_permille=980\n         linkstar whatif --set review_days=14 --set supply.split_modes=false --lines 50"
    )]
    WhatIf(super::whatif::WhatIfArgs),
    /// Accept, change or reject suggestions and issue the stocking orders.
    #[command(
        after_help = "Example: linkstar approve --file 'reply.xlsx'\n         linkstar approve --all\n         linkstar approve goodcang:UKMA/85123A=240 amazon:GB/22423"
    )]
    Approve(ApproveArgs),
    /// Deadlines that run: cut-offs, ISF, slots, customs; take one on, or be told again later.
    #[command(
        after_help = "Example: linkstar deadlines\n         linkstar deadlines ack isf_importer BH260907-01 --by wang"
    )]
    Deadlines(super::clocks::DeadlinesArgs),
    /// Units that are gone or broken: who seems responsible, until when one may ask, which papers are missing.
    #[command(
        after_help = "Example: linkstar case list\n         linkstar case show BH260907-01-L\n         linkstar case assign BH260907-01-L carrier --reason 'POD says 18' --by wang"
    )]
    Case {
        #[command(subcommand)]
        command: super::case::CaseCommand,
    },
    /// What is asked of whom for lost or broken units, and the money that came of it.
    #[command(
        after_help = "Example: linkstar claim draft BH260907-01-L --by wang\n         linkstar claim dossier BH260907-01-L-1 --to claim.zip --by wang\n         linkstar claim submit BH260907-01-L-1 --ticket T-17 --by wang"
    )]
    Claim {
        #[command(subcommand)]
        command: super::claim::ClaimCommand,
    },
    /// What carriers, trackers and people told of an order's goods; tell something yourself.
    #[command(
        after_help = "Example: linkstar events show BH260907-01\n         linkstar events add BH260907-01 isf_filed 2026-09-10T08:00+08:00 --text ISF-123\n         linkstar events unknown"
    )]
    Events {
        #[command(subcommand)]
        command: super::clocks::EventsCommand,
    },
    /// What people make of the suggestions: adopted, changed, rejected, watched, and why.
    #[command(after_help = "Example: linkstar decisions --since 2026-09-01 --json")]
    Decisions(super::trial::PeriodArgs),
    /// A trial: what may be ordered yet, and what people ordered beside what was suggested.
    #[command(
        after_help = "Example: linkstar trial --since 2026-09-01\nThe stage is set by [trial] (docs/trial.md)."
    )]
    Trial(super::trial::PeriodArgs),
    /// Stocking orders (备货单).
    #[command(
        after_help = "Example: linkstar order new --to goodcang:UKMA --mode sea --line MUG-350-WH=72\n         linkstar order issue BH260907-01\n         linkstar order show BH260907-01\n         linkstar order problems"
    )]
    Order {
        #[command(subcommand)]
        command: OrderCommand,
    },
    /// Packs for the export agent and the importer's broker, and edited papers compared with their order.
    #[command(
        after_help = "Example: linkstar papers export BH260907-01 --save out/\n         linkstar papers import BH260907-01 --save out/ --power-of-attorney POA-2026-7\n         linkstar papers compare BH260907-01 edited-invoice.xlsx"
    )]
    Papers {
        #[command(subcommand)]
        command: super::papers::PapersCommand,
    },
    /// Send what is due: documents to forwarders, mails to readers.
    #[command(after_help = "Example: linkstar deliver")]
    Deliver(At),
    /// Read receipt reports from files.
    #[command(after_help = "Example: linkstar receive report.xlsx more.csv")]
    Receive {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        at: At,
    },
    /// Shipped against received against put away, line by line.
    #[command(
        after_help = "Example: linkstar reconcile --json\n         linkstar reconcile --day 2026-10-31 --book october.xlsx"
    )]
    Reconcile(super::reconcile::ReconcileArgs),
    /// What is not as it should be with received units: kinds, evidence, history.
    #[command(
        after_help = "Example: linkstar differences --claimable\n         linkstar differences list --kind carton_missing --json\n         linkstar differences show 3fa9c2d0"
    )]
    Differences(super::differences::DifferencesArgs),
    /// What happened, what waits, what is late; or one order's story.
    #[command(after_help = "Example: linkstar status\n         linkstar status BH260907-01 --json")]
    Status {
        order: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Messages on their way out.
    #[command(
        after_help = "Example: linkstar outbox list\n         linkstar outbox show MESSAGE\n         linkstar outbox withdraw MESSAGE --reason \"wrong quantity\""
    )]
    Outbox {
        #[command(subcommand)]
        command: OutboxCommand,
    },
    /// Files that came in: what they were, whom they are about, and the ones nobody could read.
    #[command(
        after_help = "Example: linkstar inbox list\n         linkstar inbox show 3fa9c2\n         linkstar inbox retry 3fa9c2"
    )]
    Inbox {
        #[command(subcommand)]
        command: InboxCommand,
    },
    /// The archive: prove that nothing was changed, hand one order's papers over, delete what is old.
    #[command(
        after_help = "Example: linkstar audit verify\n         linkstar audit export BH260907-01 --to BH260907-01.zip\n         linkstar audit verify --export BH260907-01.zip\n         linkstar audit restore BH260907-01.zip --to papers/"
    )]
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// The database: is it sound, make it small again, back it up.
    #[command(
        after_help = "Example: linkstar db check --all\n         linkstar db vacuum\n         linkstar db repack\n         linkstar db backup /backup/linkstar-2026-09-07.db"
    )]
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// Copy one database into another, SQLite or PostgreSQL; killed and started again it goes on.
    #[command(
        after_help = "Example: linkstar copy --from sqlite:data/linkstar.db --to postgres://linkstar@db.example/linkstar\nStop every linkstar on the first database before; change [store] url after."
    )]
    Copy {
        /// The database that is read: sqlite:PATH or postgres://…
        #[arg(long, value_name = "URL")]
        from: String,
        /// The empty database that is written, or the unfinished copy of the same one.
        #[arg(long, value_name = "URL")]
        to: String,
        #[arg(long)]
        json: bool,
    },
    /// The web page: the hash of a password for the configuration.
    #[command(
        after_help = "Example: linkstar web hash > secrets/wang.hash\nThe password is read from standard input, its first line."
    )]
    Web {
        #[command(subcommand)]
        command: WebCommand,
    },
    /// The work that was enqueued: what waits, what runs, what is dead and needs a person.
    #[command(
        after_help = "Example: linkstar jobs list --state dead\n         linkstar jobs show 3fa9\n         linkstar jobs retry 3fa9c2"
    )]
    Jobs {
        #[command(subcommand)]
        command: super::jobs::JobsCommand,
    },
    /// What runs when: the night, and the watch over its mail.
    #[command(
        after_help = "Example: linkstar schedule list\n         linkstar schedule next -n 3\n         linkstar schedule run night --date 2026-09-07"
    )]
    Schedule {
        #[command(subcommand)]
        command: super::schedule::ScheduleCommand,
    },
    /// Connector files.
    #[command(
        after_help = "Example: linkstar connector new my-warehouse --page stock.json > my-warehouse.toml\n         linkstar connector test connectors/goodcang.toml"
    )]
    Connector {
        #[command(subcommand)]
        command: super::connector::ConnectorCommand,
    },
    /// Mapping files.
    #[command(after_help = "Example: linkstar mapping check mappings/huatuo-booking-gb.toml")]
    Mapping {
        #[command(subcommand)]
        command: super::mapping::MappingCommand,
    },
    /// Serve the simulated world: marketplace, warehouse, forwarder and mail on loopback.
    #[command(after_help = "Example: linkstar simulate world/ --start 2026-05-04")]
    Simulate {
        folder: PathBuf,
        /// First civil day of the world.
        #[arg(long, default_value = "2026-05-04")]
        start: NaiveDate,
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// The whole job once, on real orders, in a fresh folder: several weeks of nights in a few minutes.
    #[command(after_help = "Example: linkstar demo\n         linkstar demo --weeks 12 --folder /tmp/demo")]
    Demo(DemoArgs),
}

/// Run as of another instant than now, for replays and trials.
#[derive(Debug, Clone, Copy, Args)]
pub struct At {
    /// Take this instant for "now", e.g. 2026-09-07T22:30:00Z.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<DateTime<Utc>>,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where everything is written; a new folder below the system's temporary folder when left out.
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    #[arg(long, default_value_t = 12)]
    pub weeks: u32,
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Use this database instead of SQLite in the folder (`postgres://…`).
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn roles_are_named() {
        let role = |text: &str| match Cli::try_parse_from(["linkstar", "run", "--role", text]) {
            Ok(Cli {
                command: Command::Run(args),
                ..
            }) => args.role.word().to_owned(),
            Ok(_) => "another command".to_owned(),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        for known in ["all", "worker", "scheduler", "web"] {
            assert_eq!(role(known), known);
        }
        insta::assert_snapshot!(role("werker"), @"error: invalid value 'werker' for '--role <ROLE>': wanted all, worker, scheduler or web");
    }

    #[test]
    fn several_configurations_are_for_run_alone() {
        let cli = Cli::try_parse_from(["linkstar", "status", "-c", "a.toml", "-c", "b.toml"]).unwrap();
        let error = cli.config().err().unwrap().to_string();
        assert_eq!(
            error,
            "this command works on one configuration, and 2 are named; only `run` takes several"
        );
        let cli = Cli::try_parse_from(["linkstar", "status"]).unwrap();
        assert_eq!(cli.config().unwrap(), std::path::Path::new("linkstar.toml"));
    }

    #[test]
    fn the_definition_is_sound_and_every_command_shows_an_example() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "`{}` has no example", sub.get_name());
        }
    }
}
