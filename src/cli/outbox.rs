//! `linkstar outbox`: what waits, what is stuck, the second try, and taking back.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::args::{Cli, OutboxCommand};
use super::context::{Context, columns, fill, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::delivery::State;
use crate::jobs::{CancelNote, WithdrawError, Withdrawn, withdraw};
use crate::night::amend::cancel_words;
use crate::store::outbox::{self, Change, Message};
use crate::wording::text;

const MAX_SHOWN: u32 = 1_000;

pub async fn run(cli: &Cli, command: &OutboxCommand) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    match command {
        OutboxCommand::List { json } => list(&context, *json).await,
        OutboxCommand::Show { message, json } => show(&context, message, *json).await,
        OutboxCommand::Retry { message } => retry(&context, message).await,
        OutboxCommand::Confirm { message } => confirm(&context, message).await,
        OutboxCommand::Withdraw { message, reason } => take_back(&context, message, reason).await,
    }
}

async fn list(context: &Context, json: bool) -> Result<Exit, CliError> {
    let mut tx = context.store.read().await?;
    let messages = outbox::list(&mut tx, &context.config.account.id, None, MAX_SHOWN).await?;
    if json {
        let shown: Vec<_> = messages.iter().map(as_json).collect();
        print_json(&json!(shown))?;
    } else {
        let mut rows: Vec<Vec<String>> = vec![heads(context.lang, "outbox")];
        rows.extend(messages.iter().map(|message| {
            vec![
                word(context.lang, "cli.message", message.state.as_str()),
                word(context.lang, "cli.channel", message.channel.as_str()),
                message.target.clone(),
                message.business_key.clone(),
                message.attempt.to_string(),
                message.last_error.clone().unwrap_or_default(),
            ]
        }));
        print(&columns(&rows))?;
    }
    let stuck = messages.iter().any(|message| message.state.needs_a_person());
    Ok(if stuck { Exit::Findings } else { Exit::Done })
}

pub fn as_json(message: &Message) -> serde_json::Value {
    json!({
        "message": message.business_key,
        "state": message.state.as_str(),
        "channel": message.channel.as_str(),
        "target": message.target,
        "name": message.remote_name,
        "sha256": message.sha256,
        "size": message.size,
        "attempts": message.attempt,
        "sent_at": message.sent_at,
        "last_error": message.last_error,
    })
}

async fn show(context: &Context, key: &str, json: bool) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let Some(message) = outbox::find(&mut tx, account, key).await? else {
        return Err(unknown(key));
    };
    let attempts = outbox::attempts(&mut tx, account, key).await?;
    let recipients = outbox::recipients(&mut tx, account, key).await?;
    let bounces = outbox::bounces(&mut tx, account, key).await?;
    let exit = if message.state.needs_a_person() || !bounces.is_empty() {
        Exit::Findings
    } else {
        Exit::Done
    };
    if json {
        let mut value = as_json(&message);
        value["message_id"] = json!(message.message_id);
        value["receipt"] = json!(message.receipt);
        value["first_error"] = json!(message.first_error);
        value["attempt_list"] = attempts
            .iter()
            .map(|attempt| {
                json!({
                    "attempt": attempt.attempt, "owner": attempt.owner, "outcome": attempt.outcome,
                    "error": attempt.error, "started_at": attempt.started_at, "ended_at": attempt.ended_at,
                })
            })
            .collect();
        value["recipients"] = recipients
            .iter()
            .map(|to| json!({"recipient": to.recipient, "state": to.state.as_str(), "answer": to.answer}))
            .collect();
        value["bounces"] = bounces
            .iter()
            .map(|bounce| {
                json!({
                    "recipient": bounce.recipient, "action": bounce.action, "status": bounce.status,
                    "diagnostic": bounce.diagnostic, "received_at": bounce.received_at,
                })
            })
            .collect();
        print_json(&value)?;
        return Ok(exit);
    }
    let lang = context.lang;
    let state = word(lang, "cli.message", message.state.as_str());
    let channel = word(lang, "cli.channel", message.channel.as_str());
    let mut out = format!(
        "{key} · {state}\n{channel} · {} · {} · {} B · sha256 {}\n",
        message.target, message.remote_name, message.size, message.sha256
    );
    for line in [&message.message_id, &message.receipt, &message.last_error]
        .into_iter()
        .flatten()
    {
        out.push_str(&format!("{line}\n"));
    }
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let attempts = attempts
        .iter()
        .map(|attempt| {
            let outcome = attempt.outcome.as_deref().unwrap_or("leased");
            vec![
                format!("  {}", attempt.attempt),
                time(attempt.started_at),
                word(lang, "cli.message", outcome),
                attempt.error.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let recipients = recipients
        .iter()
        .map(|to| {
            vec![
                format!("  {}", to.recipient),
                word(lang, "cli.recipient", to.state.as_str()),
                to.answer.clone(),
            ]
        })
        .collect();
    let bounces = bounces
        .iter()
        .map(|bounce| {
            vec![
                format!("  {}", bounce.recipient),
                time(bounce.received_at),
                format!("{} {}", bounce.action, bounce.status),
                bounce.diagnostic.clone(),
            ]
        })
        .collect();
    let tables: [(&str, Vec<Vec<String>>); 3] = [
        ("attempts", attempts),
        ("recipients", recipients),
        ("bounces", bounces),
    ];
    for (title, rows) in tables {
        if !rows.is_empty() {
            out.push_str(&format!(
                "\n{}\n{}",
                text(lang, &format!("cli.outbox.{title}"), &[]),
                columns(&rows)
            ));
        }
    }
    print(&out)?;
    Ok(exit)
}

async fn retry(context: &Context, message: &str) -> Result<Exit, CliError> {
    let mut tx = context.store.write().await?;
    let change = outbox::retry(&mut tx, &context.config.account.id, message, context.clock.now()).await?;
    tx.commit().await?;
    told(&change, message, State::Due, "nothing to try again")
}

async fn confirm(context: &Context, message: &str) -> Result<Exit, CliError> {
    let mut tx = context.store.write().await?;
    let (account, now) = (&context.config.account.id, context.clock.now());
    let change = outbox::confirm_sent(&mut tx, account, message, "seen by a person", now).await?;
    tx.commit().await?;
    told(
        &change,
        message,
        State::Sent,
        "only a doubtful message is confirmed",
    )
}

fn told(change: &Change, message: &str, to: State, otherwise: &str) -> Result<Exit, CliError> {
    match change {
        Change::Done { from } => {
            print(&format!("{message}: {from} -> {to}"))?;
            Ok(Exit::Done)
        }
        Change::NotFrom(state) => Err(CliError::Usage(format!("`{message}` is {state}: {otherwise}"))),
        Change::Unknown => Err(unknown(message)),
    }
}

fn unknown(message: &str) -> CliError {
    CliError::Usage(format!(
        "no message `{message}`; `linkstar outbox list` shows them"
    ))
}

async fn take_back(context: &Context, message: &str, reason: &str) -> Result<Exit, CliError> {
    let (account, now) = (&context.config.account.id, context.clock.now());
    let mut tx = context.store.write().await?;
    let target = outbox::find(&mut tx, account, message)
        .await?
        .map(|found| found.target);
    let (name, words) = cancel_words(&context.config, target.as_deref().unwrap_or_default());
    let note = CancelNote {
        name: &name,
        text: &words,
    };
    let done = withdraw(&mut tx, account, message, reason, note, now)
        .await
        .map_err(|error| match error {
            WithdrawError::Name(why) => CliError::Usage(format!("forwarder.cancel.name: {why}")),
            WithdrawError::Store(error) => error.into(),
        })?;
    tx.commit().await?;
    let say = |key: &str, places: &[(&str, String)]| {
        let mut all = vec![("message", message.to_owned())];
        all.extend_from_slice(places);
        print(&fill(context.lang, key, &all))
    };
    let state_word = |state: State| word(context.lang, "cli.message", state.as_str());
    match done {
        Withdrawn::Kept { from } => say("cli.outbox.kept", &[("from", state_word(from))])?,
        Withdrawn::Followed {
            from,
            business_key,
            name,
        } => say(
            "cli.outbox.followed",
            &[
                ("from", state_word(from)),
                ("name", name),
                ("cancel", business_key),
            ],
        )?,
        Withdrawn::Already { business_key, state } => say(
            "cli.outbox.already",
            &[("cancel", business_key), ("state", state_word(state))],
        )?,
        Withdrawn::NotFrom(state) => {
            return Err(CliError::Usage(format!(
                "`{message}` is {state}: it cannot be taken back"
            )));
        }
        Withdrawn::Unknown => return Err(unknown(message)),
    }
    Ok(Exit::Done)
}
