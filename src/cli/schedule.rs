//! `linkstar schedule`: what runs when, what ran, and a date that a person wants now.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Subcommand;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::{Mutex, watch};

use super::args::Cli;
use super::context::{Context, columns, print, print_json, word};
use super::{CliError, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::{JobEnd, JobFailure, JobHandler, Worker, WorkerOptions};
use crate::night::{Night, Tools};
use crate::problem::nearest;
use crate::schedule::{RunDate, Schedule, configured, handle, run_date};
use crate::store::Store;
use crate::store::work::{self, Job, JobClaim, JobState, Occurrence, OccurrenceState};
use crate::telemetry::SystemClock;
use crate::wording::text;

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Every schedule with its last and next date, then what became of the latest dates and why some were skipped.
    List {
        #[arg(long)]
        json: bool,
    },
    /// The next dates, in civil time and in UTC.
    Next {
        /// Only this schedule.
        schedule: Option<String>,
        /// How many of each.
        #[arg(long, short = 'n', default_value_t = 5)]
        count: usize,
        #[arg(long)]
        json: bool,
    },
    /// Make a date happen now, once: one that was skipped or failed, or today's before its hour.
    Run {
        /// `night` or `mail_by`.
        schedule: String,
        /// The civil date; today when left out.
        #[arg(long)]
        date: Option<NaiveDate>,
    },
}

pub async fn run(cli: &Cli, command: &ScheduleCommand) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    match command {
        ScheduleCommand::List { json } => list(&context, *json).await,
        ScheduleCommand::Next {
            schedule,
            count,
            json,
        } => next(&context, schedule.as_deref(), *count, *json),
        ScheduleCommand::Run { schedule, date } => by_hand(context, schedule, *date).await,
    }
}

/// So many of the latest dates are listed.
const DATES_SHOWN: u32 = 20;
/// More dates than this are no answer to a person's question.
const MAX_NEXT: usize = 400;

fn table_heads(context: &Context, table: &str) -> Vec<String> {
    text(context.lang, &format!("work.columns.{table}"), &[])
        .split('|')
        .map(str::to_owned)
        .collect()
}

fn utc(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%d %H:%M").to_string()
}

/// With its offset, so that the two 02:30 of an autumn night can be told apart.
fn civil(schedule: &Schedule, instant: DateTime<Utc>) -> String {
    instant
        .with_timezone(&schedule.zone)
        .format("%Y-%m-%d %H:%M %:z")
        .to_string()
}

async fn list(context: &Context, json: bool) -> Result<Exit, CliError> {
    let now = context.clock.now();
    let mut tx = context.store.read().await?;
    let dates = work::list_occurrences(&mut tx, &context.config.account.id, DATES_SHOWN).await?;
    let schedules = configured(&context.config);
    let last = |name: &str| dates.iter().find(|one| one.schedule == name);
    if json {
        print_json(&json!({
            "schedules": schedules.iter().map(|schedule| json!({
                "schedule": schedule.name,
                "at": schedule.time.format("%H:%M").to_string(),
                "zone": schedule.zone.name(),
                "last": last(&schedule.name).map(as_json),
                "next": schedule.next(now, 1).first().map(|(date, due_at)| json!({
                    "date": date, "civil": civil(schedule, *due_at), "utc": due_at,
                })),
            })).collect::<Vec<_>>(),
            "dates": dates.iter().map(as_json).collect::<Vec<_>>(),
        }))?;
    } else {
        let mut rows = vec![table_heads(context, "schedules")];
        rows.extend(schedules.iter().map(|schedule| {
            let next = schedule.next(now, 1);
            let next = next.first();
            let last = last(&schedule.name);
            vec![
                schedule.name.clone(),
                schedule.time.format("%H:%M").to_string(),
                schedule.zone.name().to_owned(),
                last.map_or_else(|| "–".to_owned(), |last| last.civil_date.to_string()),
                last.map_or_else(String::new, |last| {
                    word(context.lang, "work.occurrence", last.state.as_str())
                }),
                next.map(|(_, due_at)| civil(schedule, *due_at))
                    .unwrap_or_default(),
                next.map(|(_, due_at)| utc(*due_at)).unwrap_or_default(),
            ]
        }));
        let mut out = columns(&rows);
        if !dates.is_empty() {
            let mut rows = vec![table_heads(context, "occurrences")];
            rows.extend(dates.iter().map(|one| {
                vec![
                    one.schedule.clone(),
                    one.civil_date.to_string(),
                    word(context.lang, "work.occurrence", one.state.as_str()),
                    utc(one.due_at),
                    one.note.clone().unwrap_or_default(),
                ]
            }));
            out.push('\n');
            out.push_str(&columns(&rows));
        }
        print(&out)?;
    }
    let failed = schedules
        .iter()
        .filter_map(|schedule| last(&schedule.name))
        .any(|last| last.state == OccurrenceState::Failed);
    Ok(if failed { Exit::Findings } else { Exit::Done })
}

fn as_json(one: &Occurrence) -> serde_json::Value {
    json!({
        "schedule": one.schedule,
        "date": one.civil_date,
        "state": one.state.as_str(),
        "due_at": one.due_at,
        "note": one.note,
    })
}

fn next(context: &Context, only: Option<&str>, count: usize, json: bool) -> Result<Exit, CliError> {
    let now = context.clock.now();
    let schedules = match only {
        Some(name) => vec![named(&context.config, name)?],
        None => configured(&context.config),
    };
    let all: Vec<_> = schedules
        .iter()
        .flat_map(|schedule| {
            let dates = schedule.next(now, count.min(MAX_NEXT));
            dates
                .into_iter()
                .map(move |(date, due_at)| (schedule, date, due_at))
        })
        .collect();
    if json {
        let shown: Vec<_> = all
            .iter()
            .map(|(schedule, date, due_at)| {
                json!({"schedule": schedule.name, "date": date, "civil": civil(schedule, *due_at), "utc": due_at})
            })
            .collect();
        print_json(&json!(shown))?;
    } else {
        let mut rows = vec![table_heads(context, "next")];
        rows.extend(all.iter().map(|(schedule, date, due_at)| {
            vec![
                schedule.name.clone(),
                date.to_string(),
                civil(schedule, *due_at),
                utc(*due_at),
            ]
        }));
        print(&columns(&rows))?;
    }
    Ok(Exit::Done)
}

fn named(config: &Config, name: &str) -> Result<Schedule, CliError> {
    let schedules = configured(config);
    let known: Vec<String> = schedules.iter().map(|one| one.name.clone()).collect();
    schedules
        .into_iter()
        .find(|schedule| schedule.name == name)
        .ok_or_else(|| {
            let near = nearest(name, known.iter().map(String::as_str))
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            CliError::Usage(format!(
                "no schedule `{name}`, there is {}{near}",
                known.join(", ")
            ))
        })
}

/// What the jobs of this one process work with.
struct Here {
    store: Store,
    clock: SystemClock,
    config: Config,
    tools: Tools,
    turn: Mutex<()>,
}

impl JobHandler for Here {
    fn run<'a>(&'a self, job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move {
            let night = Night {
                store: &self.store,
                clock: &self.clock,
                config: &self.config,
                tools: &self.tools,
                dry_run: false,
            };
            handle(&night, &self.turn, job).await
        })
    }
}

async fn by_hand(context: Context, name: &str, date: Option<NaiveDate>) -> Result<Exit, CliError> {
    let schedule = named(&context.config, name)?;
    let Context {
        config, store, tools, ..
    } = context;
    let (clock, account) = (SystemClock, config.account.id.clone());
    let date = date.unwrap_or_else(|| crate::calendar::civil_day(clock.now(), schedule.zone));
    let job_id = match run_date(&store, &clock, &account, &schedule, date).await? {
        RunDate::Enqueued { job_id } => job_id,
        RunDate::Already(state) => {
            let said = match state {
                OccurrenceState::Due | OccurrenceState::Running => "is under way",
                _ => "has happened",
            };
            return Err(CliError::Usage(format!(
                "{name} of {date} {said} ({}): every date happens once",
                state.as_str()
            )));
        }
        RunDate::Ahead { today } => {
            return Err(CliError::Usage(format!(
                "{date} is ahead: today is {today} in {}",
                schedule.zone
            )));
        }
    };
    let here = Here {
        store: store.clone(),
        clock,
        config,
        tools,
        turn: Mutex::new(()),
    };
    let worker = Worker::new(
        Arc::new(store.clone()),
        Arc::new(clock),
        account.clone(),
        // No other process is called so; what it leaves when it is killed is taken back when its lease ends.
        format!("schedule run {name}/{}", std::process::id()),
        WorkerOptions::default(),
    )
    .handle(schedule.name.clone(), Arc::new(here));
    // A daemon may be quicker to claim it; then it is waited for.
    let (_stop, mut stopping) = watch::channel(false);
    let mut wake_ups = store.wake_ups();
    loop {
        let mut tx = store.read().await?;
        let job = work::find(&mut tx, &account, &job_id).await?;
        drop(tx);
        let state = job.as_ref().map_or(JobState::Dropped, |job| job.state);
        if matches!(state, JobState::Done | JobState::Dead | JobState::Dropped) {
            let why = job.and_then(|job| job.last_error).unwrap_or_default();
            print(format!("{name} {date}: {} {why}", state.as_str()).trim_end())?;
            store.close().await;
            return Ok(match state {
                JobState::Done => Exit::Done,
                _ => Exit::Findings,
            });
        }
        if worker.run_one(&mut stopping).await?.is_none() {
            tokio::select! {
                () = tokio::time::sleep(WorkerOptions::default().idle) => {}
                _ = wake_ups.changed() => {}
            }
        }
    }
}
