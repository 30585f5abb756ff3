//! `linkstar inbox`: what came in, whom it is about, and what nobody could read.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::args::{Cli, InboxCommand};
use super::context::{Context, columns, fill, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::night::inbox::INBOX;
use crate::night::{StepReport, receive};
use crate::problem::Problem;
use crate::store::inbox::{self, InboxFile, Looked};
use crate::store::{Tx, blob};
use crate::wording::{Lang, text};

const SHOWN: u32 = 200;
const ID_CHARS: usize = 12;

pub async fn run(cli: &Cli, command: &InboxCommand) -> Result<Exit, CliError> {
    match command {
        InboxCommand::List { json } => list(&Context::open(cli, None).await?, *json).await,
        InboxCommand::Show { file, json, save } => {
            show(&Context::open(cli, None).await?, file, *json, save.as_deref()).await
        }
        InboxCommand::Retry { file, at } => retry(&Context::open(cli, at.at).await?, file).await,
        InboxCommand::Drop { file, reason, by } => {
            put_aside(&Context::open(cli, None).await?, file, by, reason).await
        }
    }
}

async fn list(context: &Context, json: bool) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let quarantined = inbox::quarantined(&mut tx, account).await?;
    let mut files = quarantined.clone();
    files.extend(
        inbox::newest(&mut tx, account, SHOWN)
            .await?
            .into_iter()
            .filter(|file| file.kind != inbox::QUARANTINE),
    );
    let links = inbox::links(&mut tx, account).await?;
    let waiting = inbox::looks(&mut tx, account, INBOX).await?;
    if json {
        let shown: Vec<Value> = files.iter().map(|file| as_json(file, &links)).collect();
        let waiting: Vec<Value> = waiting
            .iter()
            .map(|Looked { look, since, .. }| json!({"since": since, "name": look.name, "size": look.size}))
            .collect();
        print_json(&json!({"files": shown, "waiting": waiting}))?;
    } else {
        print(&table(context.lang, &files, &links, &waiting))?;
    }
    Ok(if quarantined.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

type Links = BTreeMap<String, Vec<String>>;

fn table(lang: Lang, files: &[InboxFile], links: &Links, waiting: &[Looked]) -> String {
    let mut rows = vec![heads(lang, "inbox")];
    rows.extend(files.iter().map(|file| row(lang, file, links.get(&file.sha256))));
    let mut out = columns(&rows);
    for Looked { look, .. } in waiting {
        let places = [
            ("from", INBOX.to_owned()),
            ("name", crate::mapping::inbound::shown(&look.name, 120)),
            ("size", look.size.to_string()),
        ];
        out.push_str(&fill(lang, "cli.inbox.waiting", &places));
        out.push('\n');
    }
    out
}

fn row(lang: Lang, file: &InboxFile, orders: Option<&Vec<String>>) -> Vec<String> {
    let orders = match orders.map(Vec::as_slice).unwrap_or_default() {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    };
    vec![
        when(file.read_at),
        word(lang, "cli.inbox.kind", &file.kind),
        file.origin.clone(),
        file.name.clone(),
        orders,
        id(file).to_owned(),
    ]
}

fn when(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn id(file: &InboxFile) -> &str {
    file.sha256.get(..ID_CHARS).unwrap_or(&file.sha256)
}

fn as_json(file: &InboxFile, links: &Links) -> Value {
    json!({
        "sha256": file.sha256,
        "kind": file.kind,
        "from": file.origin,
        "name": file.name,
        "received_at": file.read_at,
        "orders": links.get(&file.sha256).cloned().unwrap_or_default(),
        "problems": file.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "first_rows": file.first_rows,
    })
}

/// The received files of an order, for `order show` and `status ORDER`.
pub fn of_order(lang: Lang, files: &[InboxFile]) -> String {
    let rows: Vec<Vec<String>> = files
        .iter()
        .map(|file| {
            vec![
                when(file.read_at),
                word(lang, "cli.inbox.kind", &file.kind),
                file.name.clone(),
                id(file).to_owned(),
            ]
        })
        .collect();
    columns(&rows)
}

pub fn of_order_json(files: &[InboxFile]) -> Value {
    files
        .iter()
        .map(|file| json!({"kind": file.kind, "from": file.origin, "name": file.name, "sha256": file.sha256, "received_at": file.read_at}))
        .collect()
}

/// The one file that is meant.
async fn the_one(tx: &mut Tx, context: &Context, given: &str) -> Result<InboxFile, CliError> {
    let mut found = inbox::find(tx, &context.config.account.id, given).await?;
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => Err(CliError::Usage(format!(
            "more than one file is `{given}`; give its id from `linkstar inbox list`"
        ))),
        (None, _) => Err(CliError::Usage(format!(
            "no file `{given}`; `linkstar inbox list` shows them"
        ))),
    }
}

async fn show(context: &Context, given: &str, json: bool, save: Option<&Path>) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let file = the_one(&mut tx, context, given).await?;
    let links = inbox::links(&mut tx, account).await?;
    if let Some(path) = save {
        let bytes = blob::get(&mut tx, account, &file.sha256).await?;
        std::fs::write(path, bytes).map_err(|source| CliError::File {
            what: "write",
            path: path.to_owned(),
            source,
        })?;
        eprintln!("{}", path.display());
    }
    if json {
        let mut value = as_json(&file, &links);
        value["facts"] = serde_json::to_value(&file.facts)?;
        print_json(&value)?;
        return Ok(Exit::Done);
    }
    let mut out = columns(&[
        heads(context.lang, "inbox"),
        row(context.lang, &file, links.get(&file.sha256)),
    ]);
    for problem in &file.problems {
        out.push_str(&format!("! {problem}\n"));
    }
    for record in file.facts.iter().flat_map(|reading| &reading.records) {
        let facts: Vec<String> = record
            .facts
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        out.push_str(&format!("  {}\n", facts.join(" · ")));
    }
    if !file.first_rows.is_empty() {
        out.push_str(&text(context.lang, "cli.inbox.first_rows", &[]));
        out.push('\n');
        for row in &file.first_rows {
            out.push_str(&format!("  {row}\n"));
        }
    }
    print(&out)?;
    Ok(Exit::Done)
}

fn in_quarantine(file: &InboxFile) -> Result<(), CliError> {
    if file.kind == inbox::QUARANTINE {
        Ok(())
    } else {
        Err(CliError::Usage(format!(
            "`{}` is not in quarantine: it is {}",
            file.name, file.kind
        )))
    }
}

async fn retry(context: &Context, given: &str) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let file = the_one(&mut tx, context, given).await?;
    drop(tx);
    in_quarantine(&file)?;
    let mut report = StepReport::default();
    let after = receive::retry(&night, &file, &mut report).await?;
    for problem in &after.problems {
        eprintln!("{problem}");
    }
    let still = after.kind == inbox::QUARANTINE;
    let key = if still {
        "cli.inbox.still"
    } else {
        "cli.inbox.retried"
    };
    let places = [
        ("name", after.name.clone()),
        ("kind", word(context.lang, "cli.inbox.kind", &after.kind)),
    ];
    print(&fill(context.lang, key, &places))?;
    Ok(if still || !after.problems.is_empty() {
        Exit::Findings
    } else {
        Exit::Done
    })
}

async fn put_aside(context: &Context, given: &str, by: &str, reason: &str) -> Result<Exit, CliError> {
    let mut tx = context.store.write().await?;
    let file = the_one(&mut tx, context, given).await?;
    in_quarantine(&file)?;
    let mut after = InboxFile {
        kind: inbox::DROPPED.to_owned(),
        ..file
    };
    after.problems.push(Problem::new(
        by,
        "",
        "reason",
        reason,
        "nothing: put aside by a person",
    ));
    inbox::settle(&mut tx, &context.config.account.id, &after).await?;
    tx.commit().await?;
    print(&fill(
        context.lang,
        "cli.inbox.dropped",
        &[("name", after.name.clone())],
    ))?;
    Ok(Exit::Done)
}
