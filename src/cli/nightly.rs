//! `linkstar night`, `pull`, `deliver`.

use serde_json::json;

use super::args::{At, Cli, NightArgs};
use super::context::{Context, columns, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::night::foresee::{Foreseen, before_pull};
use crate::night::step::{Told, told};
use crate::night::{NightReport, StepReport, StepState, TURN_PATIENCE, Wait, sources};
use crate::wording::{Lang, text};

pub async fn night(cli: &Cli, args: &NightArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    let night = context.night(args.dry_run);
    let report = night.run(night.today()).await?;
    show(&report, args.json, context.lang)?;
    Ok(exit(report.state()))
}

pub fn exit(state: StepState) -> Exit {
    match state {
        StepState::Done | StepState::Skipped => Exit::Done,
        StepState::Partial | StepState::Failed => Exit::Findings,
    }
}

fn show(report: &NightReport, json: bool, lang: Lang) -> Result<(), CliError> {
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
    let mut rows = vec![heads(lang, "night")];
    rows.extend(report.steps.iter().map(|(step, done)| {
        vec![
            word(lang, "mail.step", step.code()),
            word(lang, "cli.step", done.state.code()),
            counts(done),
        ]
    }));
    print(&columns(&rows))?;
    let problems = report.steps.iter().flat_map(|(step, done)| {
        done.problems
            .iter()
            .map(|problem| (step.code(), problem.as_str()))
    });
    for told in told(problems, lang) {
        eprintln!("{}", told_line(lang, &told));
    }
    Ok(())
}

/// A problem of a step in one line.
pub fn told_line(lang: Lang, told: &Told) -> String {
    let mut line = format!("{}: {}", word(lang, "mail.step", &told.step), told.text);
    if told.alike > 0 {
        line.push_str(&text(
            lang,
            "mail.problem.alike",
            &[("n", &told.alike.to_string())],
        ));
    }
    line
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
    let night = context.night(false);
    let pulled = night
        .in_turn(Wait::For(TURN_PATIENCE), |night| {
            let lang = context.lang;
            Box::pin(async move {
                announce(&before_pull(night).await?, lang);
                Ok(sources::step(night, None).await)
            })
        })
        .await?;
    one(&pulled.unwrap_or_default())
}

/// What a long pull will ask and how long it takes, before its first request.
fn announce(streams: &[Foreseen], lang: Lang) {
    let long: Vec<&Foreseen> = streams.iter().filter(|stream| stream.is_long()).collect();
    if !long.is_empty() {
        eprintln!("{}", text(lang, "cli.pull.long", &[]));
    }
    for stream in long {
        eprintln!("  {}", stream.sentence(lang));
    }
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
