//! `linkstar status`: the first screen when something is wrong (R76).

use serde_json::json;

use super::args::Cli;
use super::context::{Context, columns, fill, print, print_json, word};
use super::nightly::told_line;
use super::order::{head, story, unknown};
use super::outbox::as_json;
use super::planning::plan_head;
use super::receive::difference;
use super::{CliError, Exit};
use crate::delivery::State;
use crate::ids::OrderNo;
use crate::night::notice::{self, Notice};
use crate::night::step::{Step, told};
use crate::planner::Plan;
use crate::schedule::mail_due;
use crate::schedule::watch::{Absence, absent_mail};
use crate::store::run::{RunView, StepView};
use crate::store::work::{self, Job, JobFilter, JobState};
use crate::store::{Tx, orders, outbox, plans, receipts, run};
use crate::wording::{Lang, text};

const RUNS_SHOWN: u32 = 5;
const MESSAGES_SHOWN: u32 = 1_000;
const JOBS_SHOWN: u32 = 20;

pub async fn run(cli: &Cli, order: Option<&str>, json: bool) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    match order {
        Some(order) => one_order(&context, order, json).await,
        None => overview(&context, json).await,
    }
}

async fn overview(context: &Context, json: bool) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let runs = run::latest(&mut tx, account, RUNS_SHOWN).await?;
    let messages = outbox::list(&mut tx, account, None, MESSAGES_SHOWN).await?;
    let stuck: Vec<_> = messages
        .iter()
        .filter(|message| message.state.needs_a_person())
        .collect();
    let waiting = messages
        .iter()
        .filter(|message| message.state == State::Due)
        .count();
    let orders = orders::all(&mut tx, account).await?;
    let plan = plans::latest(&mut tx, account).await?;
    let notices = notice::standing(&mut tx, account).await?;
    let quarantined = notices.iter().find_map(|notice| match notice {
        Notice::Quarantined { n, .. } => Some(*n),
        _ => None,
    });
    let late = late_mail(context, &mut tx).await?;
    let dead = JobFilter {
        state: Some(JobState::Dead),
        ..JobFilter::default()
    };
    let dead = work::list(&mut tx, account, &dead, JOBS_SHOWN).await?;
    if json {
        print_json(&json!({
            "runs": runs.iter().map(run_json).collect::<Vec<_>>(),
            "plan": plan.as_ref().map(|plan| json!({"id": plan.id, "as_of": plan.as_of, "suggested": plan.funnel.suggested})),
            "orders_moving": orders.iter().filter(|stored| stored.state.is_moving()).map(head).collect::<Vec<_>>(),
            "messages_due": waiting,
            "messages_for_a_person": stuck.iter().map(|message| as_json(message)).collect::<Vec<_>>(),
            "files_quarantined": quarantined.unwrap_or(0),
            "bookings_rejected": rejected(&notices),
            "mail_late": late.is_some(),
            "mail_absence": late,
            "jobs_dead": dead.iter().map(|job| json!({
                "job": job.job_id, "kind": job.kind, "key": job.dedupe_key, "last_error": job.last_error,
            })).collect::<Vec<_>>(),
        }))?;
    } else {
        let seen = Seen {
            run: runs.first(),
            stuck: &stuck,
            notices: &notices,
            late: late
                .as_ref()
                .map(|absence| absence.lines(&context.config, context.lang))
                .unwrap_or_default(),
            dead: &dead,
            waiting,
            moving: orders.iter().filter(|stored| stored.state.is_moving()).count(),
            plan: plan.as_ref(),
        };
        print(&screen(context.lang, &seen))?;
    }
    let failed = runs.first().is_some_and(|run| run.state == "failed");
    Ok(
        if stuck.is_empty() && late.is_none() && dead.is_empty() && notices.is_empty() && !failed {
            Exit::Done
        } else {
            Exit::Findings
        },
    )
}

fn rejected(notices: &[Notice]) -> Vec<serde_json::Value> {
    notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::BookingRejected { order, reason, .. } => Some(json!({"order": order, "reason": reason})),
            _ => None,
        })
        .collect()
}

/// What the first screen tells of.
struct Seen<'a> {
    run: Option<&'a RunView>,
    stuck: &'a [&'a outbox::Message],
    /// Rejected bookings and files nobody could read.
    notices: &'a [Notice],
    /// What is known about the day's mail when it has not left.
    late: Vec<String>,
    dead: &'a [Job],
    waiting: usize,
    moving: usize,
    plan: Option<&'a Plan>,
}

/// First what needs a person, then how the last night went.
fn screen(lang: Lang, seen: &Seen<'_>) -> String {
    let mut wanted = Vec::new();
    if !seen.late.is_empty() {
        wanted.push(format!(
            "{}\n      {}",
            text(lang, "cli.status.mail_late", &[]),
            seen.late.join("\n      ")
        ));
    }
    wanted.extend(seen.notices.iter().map(|notice| notice.text(lang)));
    wanted.extend(seen.dead.iter().map(|job| {
        let error = job.last_error.as_deref().unwrap_or_default();
        let places = [
            ("kind", job.kind.as_str()),
            ("key", &job.dedupe_key),
            ("error", error),
        ];
        text(lang, "work.dead", &places)
    }));
    wanted.extend(seen.stuck.iter().map(|message| {
        format!(
            "{}: {}  {}",
            word(lang, "cli.message", message.state.as_str()),
            message.business_key,
            message.last_error.as_deref().unwrap_or_default()
        )
    }));
    let steps = seen.run.map(in_order).unwrap_or_default();
    let problems = steps.iter().flat_map(|step| {
        // Notices are told above, as they stand now.
        let lines = step
            .problem
            .iter()
            .flat_map(|problem| problem.lines())
            .filter(|line| Notice::read(line).is_none());
        lines.map(|line| (step.step.as_str(), line))
    });
    wanted.extend(told(problems, lang).iter().map(|told| told_line(lang, told)));
    let mut out = match wanted.len() {
        0 => text(lang, "cli.status.calm", &[]),
        n => text(lang, "cli.status.wanted", &[("n", &n.to_string())]),
    };
    out.push('\n');
    for line in wanted {
        out.push_str(&format!("  ! {line}\n"));
    }
    out.push('\n');
    match seen.run {
        Some(run) => out.push_str(&format!(
            "{}  {}  {}\n",
            run.run_id,
            word(lang, "cli.step", &run.state),
            run.started_at.format("%Y-%m-%d %H:%M UTC")
        )),
        None => {
            out.push_str(&text(lang, "cli.status.no_run", &[]));
            out.push('\n');
        }
    }
    let rows: Vec<Vec<String>> = steps
        .iter()
        .map(|step| {
            vec![
                format!("  {}", word(lang, "mail.step", &step.step)),
                word(lang, "cli.step", &step.state),
            ]
        })
        .collect();
    out.push_str(&columns(&rows));
    let counts = [
        ("moving", seen.moving.to_string()),
        ("due", seen.waiting.to_string()),
        ("stuck", seen.stuck.len().to_string()),
    ];
    out.push_str(&fill(lang, "cli.status.counts", &counts));
    out.push('\n');
    if let Some(plan) = seen.plan {
        out.push_str(&plan_head(lang, plan));
        out.push('\n');
    }
    out
}

/// As they run, not as their names sort.
fn in_order(run: &RunView) -> Vec<&StepView> {
    let place = |step: &&StepView| Step::ALL.iter().position(|known| known.code() == step.step);
    let mut steps: Vec<&StepView> = run.steps.iter().collect();
    steps.sort_by_key(place);
    steps
}

/// The day's mail should have left by its hour and has not: what is known about it. The watch of the daemon mails the
/// same; where the mail server is what is broken, only this can say so.
async fn late_mail(context: &Context, tx: &mut Tx) -> Result<Option<Absence>, CliError> {
    let config = &context.config;
    let (Some(mail), Some(due)) = (&config.mail, mail_due(config, context.clock.now())) else {
        return Ok(None);
    };
    Ok(absent_mail(tx, config, mail, due).await?)
}

fn run_json(run: &RunView) -> serde_json::Value {
    json!({
        "run": run.run_id,
        "state": run.state,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "steps": run.steps.iter().map(|step| json!({
            "step": step.step,
            "state": step.state,
            "counts": serde_json::from_str::<serde_json::Value>(&step.counts).unwrap_or_default(),
            "problem": step.problem,
        })).collect::<Vec<_>>(),
    })
}

async fn one_order(context: &Context, given: &str, json: bool) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let found = match OrderNo::new(given) {
        Ok(number) => orders::get(&mut tx, account, &number).await?,
        Err(_) => None,
    };
    let Some(stored) = found else {
        return Err(unknown(&orders::all(&mut tx, account).await?, given));
    };
    let number = &stored.order.number;
    let events = orders::events(&mut tx, account, number).await?;
    let documents = orders::documents(&mut tx, account, number).await?;
    let received = crate::store::inbox::of_order(&mut tx, account, number).await?;
    let prefix = format!("order/{number}/");
    let messages: Vec<_> = outbox::list(&mut tx, account, None, MESSAGES_SHOWN)
        .await?
        .into_iter()
        .filter(|message| message.business_key.starts_with(&prefix))
        .collect();
    let lines: Vec<_> = receipts::current(&mut tx, account)
        .await?
        .into_iter()
        .filter(|line| line.order == *number)
        .collect();
    let next = text(
        context.lang,
        &format!("cli.order.next.{}", stored.state.code()),
        &[],
    );
    if json {
        let mut value = head(&stored);
        value["next"] = json!(next);
        value["events"] = serde_json::to_value(&events)?;
        value["documents"] = documents
            .iter()
            .map(|document| json!(document.file_name))
            .collect();
        value["messages"] = messages.iter().map(as_json).collect();
        value["received_files"] = super::inbox::of_order_json(&received);
        value["receipts"] = serde_json::to_value(&lines)?;
        print_json(&value)?;
        return Ok(Exit::Done);
    }
    let state = text(
        context.lang,
        &format!("cli.order.state.{}", stored.state.code()),
        &[],
    );
    let mut out = format!("{number} · {state} · {next}\n\n");
    out.push_str(&columns(&story(context.lang, &events)));
    if !messages.is_empty() {
        out.push('\n');
    }
    let sent: Vec<Vec<String>> = messages
        .iter()
        .map(|message| {
            vec![
                word(context.lang, "cli.message", message.state.as_str()),
                message.remote_name.clone(),
                message.last_error.clone().unwrap_or_default(),
            ]
        })
        .collect();
    out.push_str(&columns(&sent));
    if !received.is_empty() {
        out.push('\n');
        out.push_str(&super::inbox::of_order(context.lang, &received));
    }
    if !lines.is_empty() {
        let titles = [
            "sku",
            "shipped",
            "received",
            "put_away",
            "difference",
            "state",
            "verdict",
        ];
        let mut rows = vec![
            titles
                .iter()
                .map(|column| word(context.lang, "receipts.column", column))
                .collect::<Vec<_>>(),
        ];
        rows.extend(lines.iter().map(|line| {
            vec![
                line.sku.to_string(),
                line.shipped.to_string(),
                line.received.to_string(),
                line.put_away.to_string(),
                difference(line),
                word(context.lang, "receipts.state", line.state.code()),
                word(context.lang, "receipts.verdict", line.verdict.code()),
            ]
        }));
        out.push('\n');
        out.push_str(&columns(&rows));
    }
    print(&out)?;
    Ok(Exit::Done)
}
