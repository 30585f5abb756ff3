//! `linkstar night`, `pull`, `deliver`.

use serde_json::json;

use super::args::{At, Cli, NightArgs};
use super::context::{Context, columns, print, print_json};
use super::{CliError, Exit};
use crate::night::{NightReport, StepReport, StepState, sources};

pub async fn night(cli: &Cli, args: &NightArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    let night = context.night(args.dry_run);
    let report = night.run(night.today()).await?;
    show(&report, args.json)?;
    Ok(exit(report.state()))
}

pub fn exit(state: StepState) -> Exit {
    match state {
        StepState::Done | StepState::Skipped => Exit::Done,
        StepState::Partial | StepState::Failed => Exit::Findings,
    }
}

fn show(report: &NightReport, json: bool) -> Result<(), CliError> {
    if json {
        let steps: Vec<_> = report
            .steps
            .iter()
            .map(|(step, done)| {
                json!({"step": step.code(), "state": done.state.code(), "counts": done.counts, "problems": done.problems})
            })
            .collect();
        return print_json(&json!({"run": report.run_id, "state": report.state().code(), "steps": steps}));
    }
    let mut rows = vec![["STEP", "STATE", "COUNTS"].map(str::to_owned).to_vec()];
    rows.extend(
        report
            .steps
            .iter()
            .map(|(step, done)| vec![step.code().to_owned(), done.state.code().to_owned(), counts(done)]),
    );
    print(&columns(&rows))?;
    for (step, done) in &report.steps {
        for problem in &done.problems {
            eprintln!("{}: {problem}", step.code());
        }
    }
    Ok(())
}

fn counts(report: &StepReport) -> String {
    report
        .counts
        .iter()
        .map(|(what, count)| format!("{what} {count}"))
        .collect::<Vec<_>>()
        .join(" · ")
}

pub async fn pull(cli: &Cli, at: At) -> Result<Exit, CliError> {
    let context = Context::open(cli, at.at).await?;
    one(&sources::step(&context.night(false)).await)
}

pub async fn deliver(cli: &Cli, at: At) -> Result<Exit, CliError> {
    let context = Context::open(cli, at.at).await?;
    one(&context.night(false).deliver().await)
}

fn one(report: &StepReport) -> Result<Exit, CliError> {
    print(&format!("{}: {}", report.state.code(), counts(report)))?;
    for problem in &report.problems {
        eprintln!("{problem}");
    }
    Ok(exit(report.state))
}
