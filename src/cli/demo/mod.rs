//! `linkstar demo`: the whole job on real orders, several weeks of nights at speed, in a fresh folder.
//!
//! The world and the seller run in one process on one clock that jumps from morning to morning. Everything between
//! them goes over loopback sockets: HTTP, SFTP, SMTP with STARTTLS. After every night the books are checked against
//! what the world knows.

mod check;
mod ledger_files;
pub mod letters;
mod papers;
pub mod person;
mod summary;
mod tally;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveTime, Utc, Weekday};

use super::args::{Cli, DemoArgs};
use super::catalog::{CatalogFile, import_files};
use super::{CliError, Exit};
use crate::calendar::instant_of;
use crate::clock::{Clock, FixedClock};
use crate::config::{self, Config};
use crate::http::Pace;
use crate::mapping::table::{self, Limits};
use crate::night::{Night, Tools, decide, opening};
use crate::simulate::{self, RunningWorld, WorldOptions, shop};
use crate::store::Store;
use crate::telemetry::{Progress, init_logs};
use tally::Tally;

/// A Monday with more than a year of real orders before it.
const START: (i32, u32, u32) = (2026, 5, 4);
/// Receipt errors are so many times as frequent as in docs/world.md, so that every kind is seen.
const FAULT_FACTOR: f64 = 3.0;
/// Off a terminal, progress is told after every week.
const TELL_EVERY: usize = 7;
/// The morning's answer comes so long after the mail.
const ANSWER_AFTER_HOURS: i64 = 2;

/// The seller of the demo: what a real installation has, on a clock that is moved by hand.
struct Seller {
    config: Config,
    store: Store,
    tools: Tools,
    clock: Arc<FixedClock>,
}

impl Seller {
    fn night(&self) -> Night<'_> {
        Night {
            store: &self.store,
            clock: &*self.clock,
            config: &self.config,
            tools: &self.tools,
            dry_run: false,
        }
    }
}

pub async fn run(cli: &Cli, args: &DemoArgs) -> Result<Exit, CliError> {
    let folder = fresh_folder(args.folder.as_deref())?;
    let first = NaiveDate::from_ymd_opt(START.0, START.1, START.2).unwrap_or_default();
    let zone = chrono_tz::Asia::Shanghai;
    let morning = |date: NaiveDate| {
        instant_of(
            date,
            NaiveTime::from_hms_opt(8, 10, 0).unwrap_or(NaiveTime::MIN),
            zone,
        )
    };
    let world_dir = folder.join("world");
    let mut options = WorldOptions::new(world_dir, args.seed, morning(first));
    options.fault_factor = FAULT_FACTOR;
    let world = simulate::start(options)
        .await
        .map_err(|error| CliError::World(error.into()))?;
    let seller = open(&folder, &world, args, morning(first)).await?;

    let days = usize::try_from(args.weeks.max(1)).unwrap_or(1) * 7;
    let progress = Progress::new("night", cli.quiet);
    let terminal = std::io::stderr().is_terminal();
    let mut tally = Tally::default();
    for (number, date) in (1..=days).zip(first.iter_days()) {
        one_day(&seller, &world, morning(date), date, &mut tally).await?;
        if terminal || number % TELL_EVERY == 0 {
            progress.at(number, days, &tally.line(date));
        }
    }
    progress.done();
    let books = check::books(&seller, &world).await?;
    let papers = papers::check(&seller, &world).await?;
    let end = summary::End {
        seller: &seller,
        world: &world,
        folder: &folder,
        tally: &tally,
        books: &books,
        papers: &papers,
        first,
        seed: args.seed,
        lang: cli.lang.unwrap_or_default(),
    };
    super::context::print(&end.write().await?)?;
    let exit = if end.holds() { Exit::Done } else { Exit::Findings };
    seller.store.close().await;
    world.stop().await;
    Ok(exit)
}

fn fresh_folder(wanted: Option<&Path>) -> Result<PathBuf, CliError> {
    let folder = match wanted {
        Some(folder) => folder.to_owned(),
        None => std::env::temp_dir().join(format!("linkstar-demo-{}", std::process::id())),
    };
    let file = |source| CliError::File {
        what: "create",
        path: folder.clone(),
        source,
    };
    std::fs::create_dir_all(&folder).map_err(file)?;
    if std::fs::read_dir(&folder).map_err(file)?.next().is_some() {
        return Err(CliError::Usage(format!(
            "{} is not empty; the demo wants a fresh folder",
            folder.display()
        )));
    }
    folder.canonicalize().map_err(file)
}

async fn open(
    folder: &Path,
    world: &RunningWorld,
    args: &DemoArgs,
    now: DateTime<Utc>,
) -> Result<Seller, CliError> {
    let home = folder.join("shop");
    let path = shop::write(
        &home,
        world.endpoints(),
        &world.opening_files(),
        args.store.as_deref(),
    )
    .map_err(|error| CliError::World(error.into()))?;
    let mut config = config::load(&path)?;
    // Seventy nights of logs would bury the progress; `--quiet` and the run records keep the rest.
    "error".clone_into(&mut config.log.level);
    init_logs(&config.log);
    let seller = Seller {
        tools: Tools::new(&config, Pace::Skip)?,
        store: Store::open(&config.store_url()).await?,
        clock: Arc::new(FixedClock::new(now)),
        config,
    };
    let night = seller.night();
    // Known a year ago: the history is planned with it.
    let effective = night.today() - Duration::days(500);
    let files = ["items", "certificates", "warehouses", "lanes", "codes"].map(|kind| CatalogFile {
        kind,
        name: format!("{kind}.csv"),
        bytes: simulate::catalog_files()
            .into_iter()
            .find(|(name, _)| name.starts_with(kind))
            .map(|(_, bytes)| bytes.to_vec())
            .unwrap_or_default(),
        folder: PathBuf::new(),
    });
    for (name, report) in import_files(
        &seller.store,
        night.account(),
        &seller.tools.rules,
        &files,
        effective,
        now,
    )
    .await?
    {
        if let Some(problem) = report.problems.first() {
            return Err(CliError::Usage(format!("{name}: {problem}")));
        }
    }
    let opening_files = world.opening_files();
    let read = |name: &str, text: &str| {
        table::read(name, text.as_bytes(), &Limits::default())
            .map_err(|problem| CliError::Usage(problem.to_string()))
    };
    let mut tx = seller.store.write().await?;
    let past = read("past_shipments.csv", &opening_files.past_shipments)?;
    opening::past_shipments(&night, &mut tx, &past).await?;
    let open = read("open_shipments.csv", &opening_files.open_shipments)?;
    let report = opening::open_shipments(&night, &mut tx, &open).await?;
    tx.commit().await?;
    if let Some(problem) = report.problems.first() {
        return Err(CliError::Usage(problem.clone()));
    }
    Ok(seller)
}

async fn one_day(
    seller: &Seller,
    world: &RunningWorld,
    morning: DateTime<Utc>,
    date: NaiveDate,
    tally: &mut Tally,
) -> Result<(), CliError> {
    advance(world, seller, morning)?;
    let night = seller.night();
    let report = night.run(date).await?;
    tally.night(&report);
    tally.findings.extend(check::conservation(seller).await?);
    // 运营 answers on Mondays and Thursdays.
    if matches!(date.weekday(), Weekday::Mon | Weekday::Thu)
        && let Some(mail) = world
            .inbox()
            .iter()
            .rev()
            .find(|mail| mail.to.iter().any(|to| to.starts_with("ops@")))
    {
        let inbox = seller.config.path(&seller.config.inbox.folder);
        let answered = person::answer(mail, &inbox).map_err(|error| CliError::World(error.into()))?;
        tally.answered(answered);
        advance(world, seller, morning + Duration::hours(ANSWER_AFTER_HOURS))?;
        let decided = decide::run(&night).await?;
        tally.step(&decided);
        let delivered = night.deliver().await;
        tally.step(&delivered);
    }
    Ok(())
}

fn advance(world: &RunningWorld, seller: &Seller, to: DateTime<Utc>) -> Result<(), CliError> {
    // The forwarder's folder is read and written: tell the runtime that this blocks.
    tokio::task::block_in_place(|| world.advance_to(to)).map_err(|error| CliError::World(error.into()))?;
    seller.clock.set(to);
    debug_assert_eq!(seller.clock.now(), to);
    Ok(())
}
