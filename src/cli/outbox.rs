//! `linkstar outbox`: what waits, what is stuck, and the second try.

use serde_json::json;

use super::args::{Cli, OutboxCommand};
use super::context::{Context, columns, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::delivery::State;
use crate::store::outbox::{self, Change, Message};

const MAX_SHOWN: u32 = 1_000;

pub async fn run(cli: &Cli, command: &OutboxCommand) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    match command {
        OutboxCommand::List { json } => list(&context, *json).await,
        OutboxCommand::Retry { message } => retry(&context, message).await,
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

async fn retry(context: &Context, message: &str) -> Result<Exit, CliError> {
    let mut tx = context.store.write().await?;
    let change = outbox::retry(&mut tx, &context.config.account.id, message, context.clock.now()).await?;
    tx.commit().await?;
    match change {
        Change::Done { from } => {
            print(&format!("{message}: {from} -> {}", State::Due))?;
            Ok(Exit::Done)
        }
        Change::NotFrom(state) => Err(CliError::Usage(format!(
            "`{message}` is {state}: nothing to try again"
        ))),
        Change::Unknown => Err(CliError::Usage(format!(
            "no message `{message}`; `linkstar outbox list` shows them"
        ))),
    }
}
