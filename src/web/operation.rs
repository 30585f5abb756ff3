//! Sources, runs, jobs and schedules: how the machine is.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::gate::Visit;
use super::page::{Fault, Shell, moment, show};
use crate::cli::status::model::{in_order, step_state, word};
use crate::night::notice::Notice;
use crate::planner::DataState;
use crate::store::work::{self, JobFilter, JobState};
use crate::store::{StoreError, facts, run};
use crate::wording::text;

const MOST_RUNS: u32 = 10;
const MOST_JOBS: u32 = 50;
const MOST_DATES: u32 = 20;

#[derive(Template)]
#[template(path = "operation.html")]
struct OperationPage {
    shell: Shell,
    sources: Vec<SourceRow>,
    runs: Vec<RunRow>,
    counts: Vec<(String, i64)>,
    jobs: Vec<JobRow>,
    dates: Vec<(String, String, String, String)>,
}

struct SourceRow {
    source: String,
    stream: String,
    state: String,
    good: bool,
    as_of: String,
    rows: String,
    problem: String,
}

struct RunRow {
    run: String,
    state: String,
    good: bool,
    started: String,
    steps: Vec<(String, String, Vec<String>)>,
}

struct JobRow {
    kind: String,
    key: String,
    state: String,
    dead: bool,
    attempts: String,
    when: String,
    error: String,
}

pub(super) async fn all(visit: Visit) -> Result<Response, Fault> {
    let night = visit.seller.night();
    let lang = visit.lang;
    let zone = night.config.account.zone;
    let account = night.account();
    let store = |error: StoreError| Fault::store(lang, &error);
    let mut tx = night.store.read().await.map_err(store)?;
    let sources = facts::source_states(&mut tx, account, night.now())
        .await
        .map_err(store)?;
    let runs = run::latest(&mut tx, account, MOST_RUNS).await.map_err(store)?;
    let counts = work::count_jobs(&mut tx, account).await.map_err(store)?;
    let jobs = work::list(&mut tx, account, &JobFilter::default(), MOST_JOBS)
        .await
        .map_err(store)?;
    let dates = work::list_occurrences(&mut tx, account, MOST_DATES)
        .await
        .map_err(store)?;
    let problems = |problem: Option<&str>| -> Vec<String> {
        let lines = problem.into_iter().flat_map(str::lines);
        lines
            .map(|line| Notice::read(line).map_or_else(|| line.to_owned(), |notice| notice.text(lang)))
            .collect()
    };
    let page = OperationPage {
        shell: visit.shell(&text(lang, "web.nav.operation", &[])),
        sources: sources
            .into_iter()
            .map(|source| SourceRow {
                state: text(lang, data_key(source.state), &[]),
                good: source.state == DataState::Complete,
                as_of: source
                    .as_of
                    .map_or_else(|| text(lang, "mail.source.never", &[]), |at| moment(at, zone)),
                rows: source
                    .rows
                    .map_or_else(|| "?".to_owned(), |rows| rows.to_string()),
                problem: source.problem.unwrap_or_default(),
                stream: word(lang, "mail.stream", &source.stream),
                source: source.source.to_string(),
            })
            .collect(),
        runs: runs
            .iter()
            .map(|run| RunRow {
                run: run.run_id.clone(),
                state: step_state(lang, &run.state),
                good: run.state == "done",
                started: moment(run.started_at, zone),
                steps: in_order(run)
                    .into_iter()
                    .map(|step| {
                        (
                            word(lang, "mail.step", &step.step),
                            step_state(lang, &step.state),
                            problems(step.problem.as_deref()),
                        )
                    })
                    .collect(),
            })
            .collect(),
        counts: counts
            .into_iter()
            .map(|(state, n)| (word(lang, "work.job", state.as_str()), n))
            .collect(),
        jobs: jobs
            .into_iter()
            .map(|job| JobRow {
                state: word(lang, "work.job", job.state.as_str()),
                dead: job.state == JobState::Dead,
                attempts: format!("{}/{}", job.attempt, job.max_attempts),
                when: moment(job.updated_at, zone),
                error: job.last_error.unwrap_or_default(),
                kind: word(lang, "work.schedule", &job.kind),
                key: job.dedupe_key,
            })
            .collect(),
        dates: dates
            .into_iter()
            .map(|date| {
                (
                    word(lang, "work.schedule", &date.schedule),
                    date.civil_date.to_string(),
                    word(lang, "work.occurrence", date.state.as_str()),
                    date.note.unwrap_or_default(),
                )
            })
            .collect(),
    };
    Ok(show(lang, StatusCode::OK, &page))
}

fn data_key(state: DataState) -> &'static str {
    match state {
        DataState::Complete => "mail.state.complete",
        DataState::Stale => "mail.state.stale",
        DataState::Incomplete => "mail.state.incomplete",
        DataState::Missing => "mail.state.missing",
    }
}
