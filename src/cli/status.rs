//! `linkstar status`: the first screen when something is wrong (R76).

use chrono::{DateTime, Utc};
use serde_json::json;

use super::args::Cli;
use super::context::{Context, columns, print, print_json};
use super::order::{head, unknown};
use super::outbox::as_json;
use super::{CliError, Exit};
use crate::calendar::{civil_day, instant_of};
use crate::delivery::State;
use crate::ids::OrderNo;
use crate::store::run::RunView;
use crate::store::{orders, outbox, plans, receipts, run};
use crate::wording::text;

const RUNS_SHOWN: u32 = 5;
const MESSAGES_SHOWN: u32 = 1_000;

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
    let late = mail_is_late(context, &messages);
    if json {
        print_json(&json!({
            "runs": runs.iter().map(run_json).collect::<Vec<_>>(),
            "plan": plan.as_ref().map(|plan| json!({"id": plan.id, "as_of": plan.as_of, "suggested": plan.funnel.suggested})),
            "orders_moving": orders.iter().filter(|stored| stored.state.is_moving()).map(head).collect::<Vec<_>>(),
            "messages_due": waiting,
            "messages_for_a_person": stuck.iter().map(|message| as_json(message)).collect::<Vec<_>>(),
            "mail_late": late,
        }))?;
    } else {
        let lang = context.lang;
        let mut out = String::new();
        if let Some(run) = runs.first() {
            out.push_str(&format!(
                "{}  {}  {}\n",
                run.run_id,
                run.state,
                run.started_at.format("%Y-%m-%d %H:%M UTC")
            ));
            let mut rows = Vec::new();
            for step in &run.steps {
                rows.push(vec![
                    format!("  {}", step.step),
                    step.state.clone(),
                    step.problem.clone().unwrap_or_default().replace('\n', " | "),
                ]);
            }
            out.push_str(&columns(&rows));
        } else {
            out.push_str(&text(lang, "cli.status.no_run", &[]));
            out.push('\n');
        }
        let moving = orders
            .iter()
            .filter(|stored| stored.state.is_moving())
            .count()
            .to_string();
        let counts = [
            ("moving", moving),
            ("due", waiting.to_string()),
            ("stuck", stuck.len().to_string()),
        ];
        let places: Vec<(&str, &str)> = counts
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        out.push_str(&text(lang, "cli.status.counts", &places));
        out.push('\n');
        for message in &stuck {
            out.push_str(&format!(
                "  {}  {}  {}\n",
                message.state,
                message.business_key,
                message.last_error.as_deref().unwrap_or_default()
            ));
        }
        if late {
            out.push_str(&text(lang, "cli.status.mail_late", &[]));
            out.push('\n');
        }
        print(&out)?;
    }
    let failed = runs.first().is_some_and(|run| run.state == "failed");
    Ok(if stuck.is_empty() && !late && !failed {
        Exit::Done
    } else {
        Exit::Findings
    })
}

/// The monitor alerts on absence: today's mail should have left by its hour and has not.
fn mail_is_late(context: &Context, messages: &[outbox::Message]) -> bool {
    if context.config.mail.is_none() {
        return false;
    }
    let now: DateTime<Utc> = context.clock.now();
    let zone = context.config.account.zone;
    let today = civil_day(now, zone);
    let by = instant_of(today, context.config.night.mail_by, zone);
    let key = format!("mail/daily/{today}/");
    let sent = messages
        .iter()
        .any(|message| message.business_key.starts_with(&key) && message.state == State::Sent);
    now > by && !sent
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
    for event in &events {
        out.push_str(&format!(
            "{}  {}  {}\n",
            event.at.format("%Y-%m-%d %H:%M"),
            event.by,
            serde_json::to_string(&event.kind)?
        ));
    }
    out.push('\n');
    for message in &messages {
        out.push_str(&format!(
            "{}  {}  {}\n",
            message.state,
            message.remote_name,
            message.last_error.as_deref().unwrap_or_default()
        ));
    }
    out.push('\n');
    for line in &lines {
        out.push_str(&format!(
            "{}  {} / {} / {}  {:+}  {} {}\n",
            line.sku,
            line.shipped,
            line.received,
            line.put_away,
            line.difference,
            line.state.code(),
            line.verdict.code()
        ));
    }
    print(&out)?;
    Ok(Exit::Done)
}
