//! `linkstar jobs`: the work that was enqueued, what became of it, and a person's second try.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde_json::json;

use super::args::Cli;
use super::context::{Context, columns, print, print_json, word};
use super::{CliError, Exit};
use crate::store::work::{self, Job, JobChange, JobFilter, JobState};
use crate::wording::text;

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// Jobs, the last changed first. Ends with 1 when one of them is dead.
    List {
        /// Only this state: ready, leased, done, dead or dropped.
        #[arg(long, value_parser = parse_state)]
        state: Option<JobState>,
        /// Only this kind, such as `night`.
        #[arg(long)]
        kind: Option<String>,
        /// Only those changed at or after this instant, e.g. 2026-09-07T00:00:00Z.
        #[arg(long, value_name = "INSTANT")]
        since: Option<DateTime<Utc>>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        #[arg(long)]
        json: bool,
    },
    /// One job with its attempts.
    Show {
        /// Its id, or the beginning of it.
        job: String,
        #[arg(long)]
        json: bool,
    },
    /// Make a dead job ready again, with fresh attempts.
    Retry {
        #[arg(required = true)]
        jobs: Vec<String>,
    },
    /// Take away a job that no worker holds; it stays in the history as dropped.
    Drop {
        #[arg(required = true)]
        jobs: Vec<String>,
    },
}

fn parse_state(text: &str) -> Result<JobState, String> {
    JobState::parse(text).ok_or_else(|| {
        let known: Vec<&str> = JobState::ALL.iter().map(|state| state.as_str()).collect();
        format!("wanted one of {}", known.join(", "))
    })
}

pub async fn run(cli: &Cli, command: &JobsCommand) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    match command {
        JobsCommand::List {
            state,
            kind,
            since,
            limit,
            json,
        } => {
            let filter = JobFilter {
                state: *state,
                kind: kind.as_deref(),
                since: *since,
            };
            list(&context, &filter, *limit, *json).await
        }
        JobsCommand::Show { job, json } => show(&context, job, *json).await,
        JobsCommand::Retry { jobs } => change(&context, jobs, Wish::Retry).await,
        JobsCommand::Drop { jobs } => change(&context, jobs, Wish::Drop).await,
    }
}

async fn list(context: &Context, filter: &JobFilter<'_>, limit: u32, json: bool) -> Result<Exit, CliError> {
    let mut tx = context.store.read().await?;
    let jobs = work::list(&mut tx, &context.config.account.id, filter, limit).await?;
    let now = context.clock.now();
    if json {
        let shown: Vec<_> = jobs.iter().map(|job| as_json(job, now)).collect();
        print_json(&json!(shown))?;
    } else if jobs.is_empty() {
        print(&text(context.lang, "work.none", &[]))?;
    } else {
        let mut rows = vec![work_heads(context, "jobs")];
        rows.extend(jobs.iter().map(|job| {
            vec![
                job.job_id.clone(),
                job.kind.clone(),
                word(context.lang, "work.job", state_at(job, now)),
                job.dedupe_key.clone(),
                format!("{}/{}", job.attempt, job.max_attempts),
                shown_at(job.run_after),
                job.last_error.clone().unwrap_or_default(),
            ]
        }));
        print(&columns(&rows))?;
    }
    let dead = jobs.iter().any(|job| job.state == JobState::Dead);
    Ok(if dead { Exit::Findings } else { Exit::Done })
}

fn work_heads(context: &Context, table: &str) -> Vec<String> {
    text(context.lang, &format!("work.columns.{table}"), &[])
        .split('|')
        .map(str::to_owned)
        .collect()
}

fn shown_at(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A job whose lease has run out is not running, whatever its row says until the next worker looks.
fn state_at(job: &Job, now: DateTime<Utc>) -> &'static str {
    match (job.state, job.lease_until) {
        (JobState::Leased, Some(until)) if until <= now => "lost",
        (state, _) => state.as_str(),
    }
}

fn as_json(job: &Job, now: DateTime<Utc>) -> serde_json::Value {
    json!({
        "job": job.job_id,
        "kind": job.kind,
        "state": state_at(job, now),
        "key": job.dedupe_key,
        "payload": serde_json::from_str::<serde_json::Value>(&job.payload).unwrap_or_else(|_| json!(job.payload)),
        "priority": job.priority,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "run_after": job.run_after,
        "owner": job.lease_owner,
        "lease_until": job.lease_until,
        "schedule": job.schedule,
        "civil_date": job.civil_date,
        "last_error": job.last_error,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    })
}

/// The one job that is meant.
async fn named(context: &Context, given: &str) -> Result<Job, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let mut found = work::find_by_prefix(&mut tx, account, given).await?;
    match (found.pop(), found.pop()) {
        (Some(job), None) if !given.is_empty() => Ok(job),
        (Some(one), Some(other)) => Err(CliError::Usage(format!(
            "`{given}` may be {} or {}: give more of it",
            other.job_id, one.job_id
        ))),
        _ => Err(CliError::Usage(format!(
            "no job `{given}`; `linkstar jobs list` shows them"
        ))),
    }
}

async fn show(context: &Context, given: &str, json: bool) -> Result<Exit, CliError> {
    let job = named(context, given).await?;
    let now = context.clock.now();
    let mut tx = context.store.read().await?;
    let attempts = work::job_attempts(&mut tx, &context.config.account.id, &job.job_id).await?;
    if json {
        let mut value = as_json(&job, now);
        value["attempts"] = attempts
            .iter()
            .map(|attempt| {
                json!({
                    "attempt": attempt.attempt,
                    "owner": attempt.owner,
                    "outcome": attempt.outcome,
                    "started_at": attempt.started_at,
                    "ended_at": attempt.ended_at,
                    "error": attempt.error,
                })
            })
            .collect();
        print_json(&value)?;
        return Ok(Exit::Done);
    }
    let state = word(context.lang, "work.job", state_at(&job, now));
    let mut out = format!(
        "{} · {} · {} · {state}\n{}\n\n",
        job.job_id, job.kind, job.dedupe_key, job.payload
    );
    let mut rows = vec![work_heads(context, "attempts")];
    rows.extend(attempts.iter().map(|attempt| {
        vec![
            attempt.attempt.to_string(),
            attempt.owner.clone(),
            attempt.outcome.clone().unwrap_or_default(),
            shown_at(attempt.started_at),
            attempt.ended_at.map(shown_at).unwrap_or_default(),
            attempt.error.clone().unwrap_or_default(),
        ]
    }));
    out.push_str(&columns(&rows));
    print(&out)?;
    Ok(Exit::Done)
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Retry,
    Drop,
}

/// All of them or none: a list with one wrong id changes nothing.
async fn change(context: &Context, given: &[String], wish: Wish) -> Result<Exit, CliError> {
    let mut jobs = Vec::with_capacity(given.len());
    for one in given {
        jobs.push(named(context, one).await?);
    }
    let (account, now) = (&context.config.account.id, context.clock.now());
    let mut tx = context.store.write().await?;
    let mut out = String::new();
    for job in &jobs {
        let (change, to) = match wish {
            Wish::Retry => (
                work::retry(&mut tx, account, &job.job_id, now).await?,
                JobState::Ready,
            ),
            Wish::Drop => (
                work::drop_job(&mut tx, account, &job.job_id, now).await?,
                JobState::Dropped,
            ),
        };
        match change {
            JobChange::Done { from } => {
                out.push_str(&format!("{}: {} -> {}\n", job.job_id, from.as_str(), to.as_str()));
            }
            JobChange::NotFrom(state) => {
                let wanted = match wish {
                    Wish::Retry => "only a dead job is tried again",
                    Wish::Drop => "only a ready or dead job is dropped",
                };
                return Err(CliError::Usage(format!(
                    "job {} is {}: {wanted}",
                    job.job_id,
                    state.as_str()
                )));
            }
            JobChange::Superseded { by } => {
                return Err(CliError::Usage(format!(
                    "job {} is superseded: {by} does the same and is not over",
                    job.job_id
                )));
            }
            JobChange::Unknown => {
                return Err(CliError::Usage(format!("job {} was cleaned away", job.job_id)));
            }
        }
    }
    tx.commit().await?;
    print(&out)?;
    Ok(Exit::Done)
}
