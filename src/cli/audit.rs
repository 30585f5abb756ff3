//! `linkstar audit`: the archive, proven, handed over, held and thinned.

use std::path::Path;

use serde_json::json;

use super::args::{AuditCommand, Cli};
use super::context::{Context, columns, fill, heads, print, print_json};
use super::order::unknown;
use super::{CliError, Exit};
use crate::calendar::civil_day;
use crate::config::RetentionRules;
use crate::ids::OrderNo;
use crate::store::archive::{self, Dossier, Due, RetentionRun, Verified};
use crate::store::{Store, orders};
use crate::wording::{Lang, text};

/// An export is read into memory; a larger file is none of ours.
const MAX_EXPORT_BYTES: u64 = 1 << 30;

pub async fn run(cli: &Cli, command: &AuditCommand) -> Result<Exit, CliError> {
    match command {
        AuditCommand::Verify {
            export: Some(file),
            json,
        } => check_export(cli, file, *json),
        AuditCommand::Restore { file, to } => restore(cli, file, to),
        AuditCommand::Verify { export: None, json } => verify(&Context::open(cli, None).await?, *json).await,
        AuditCommand::Export { order, to } => export(&Context::open(cli, None).await?, order, to).await,
        AuditCommand::Hold { order, reason, by } => {
            hold(&Context::open(cli, None).await?, order, (by, reason)).await
        }
        AuditCommand::Release { order, by } => release(&Context::open(cli, None).await?, order, by).await,
        AuditCommand::Holds { json } => holds(&Context::open(cli, None).await?, *json).await,
        AuditCommand::Retain {
            dry_run,
            by,
            json,
            at,
        } => retain(&Context::open(cli, at.at).await?, *dry_run, by, *json).await,
    }
}

async fn verify(context: &Context, json: bool) -> Result<Exit, CliError> {
    let mut tx = context.store.read().await?;
    let found = archive::verify(&mut tx, &context.config.account.id).await?;
    if json {
        print_json(&serde_json::to_value(&found)?)?;
    } else {
        print(&verified(context.lang, &found))?;
    }
    Ok(if found.faults.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

fn verified(lang: Lang, found: &Verified) -> String {
    let mut out = String::new();
    for fault in &found.faults {
        out.push_str(&format!("! {fault}\n"));
    }
    for gone in &found.deleted {
        out.push_str(&format!("  {gone}\n"));
    }
    let key = match found.faults.len() {
        0 => "cli.audit.whole",
        _ => "cli.audit.broken",
    };
    let places = [
        ("entries", found.entries.to_string()),
        ("contents", found.contents.to_string()),
        ("deleted", found.deleted.len().to_string()),
        ("faults", found.faults.len().to_string()),
        ("head", found.head.clone()),
    ];
    out.push_str(&fill(lang, key, &places));
    out
}

async fn export(context: &Context, order: &OrderNo, to: &Path) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    if orders::get(&mut tx, account, order).await?.is_none() {
        return Err(unknown(&orders::all(&mut tx, account).await?, order.as_str()));
    }
    let bytes = archive::export_order(&mut tx, account, order).await?;
    std::fs::write(to, &bytes).map_err(|source| CliError::File {
        what: "write",
        path: to.to_owned(),
        source,
    })?;
    print(&format!(
        "{}  sha256 {}",
        to.display(),
        crate::digest::sha256_hex(&bytes)
    ))?;
    Ok(Exit::Done)
}

fn read_export(file: &Path) -> Result<Dossier, CliError> {
    let failed = |source| CliError::File {
        what: "read",
        path: file.to_owned(),
        source,
    };
    let size = std::fs::metadata(file).map_err(failed)?.len();
    if size > MAX_EXPORT_BYTES {
        return Err(CliError::Usage(format!(
            "{}: {size} bytes, wanted at most {MAX_EXPORT_BYTES}",
            file.display()
        )));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    archive::read_dossier(&bytes).map_err(|error| {
        CliError::Usage(format!(
            "{}: {}",
            file.display(),
            crate::night::step::chain(&error)
        ))
    })
}

fn lang(cli: &Cli) -> Lang {
    cli.lang.unwrap_or(Lang::En)
}

fn check_export(cli: &Cli, file: &Path, json: bool) -> Result<Exit, CliError> {
    let dossier = read_export(file)?;
    if json {
        print_json(&json!({
            "account": dossier.index.account,
            "order": dossier.index.order,
            "entries": dossier.index.entries.len(),
            "files": dossier.files.len(),
            "faults": dossier.faults,
        }))?;
    } else {
        print(&checked(lang(cli), &dossier))?;
    }
    Ok(if dossier.faults.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

fn checked(lang: Lang, dossier: &Dossier) -> String {
    let mut out: String = dossier
        .faults
        .iter()
        .map(|fault| format!("! {fault}\n"))
        .collect();
    let key = match dossier.faults.len() {
        0 => "cli.audit.export_whole",
        _ => "cli.audit.export_broken",
    };
    let places = [
        ("order", dossier.index.order.clone()),
        ("entries", dossier.index.entries.len().to_string()),
        ("files", dossier.files.len().to_string()),
        ("faults", dossier.faults.len().to_string()),
    ];
    out.push_str(&fill(lang, key, &places));
    out
}

/// Into a folder of its own: nothing that stands somewhere is ever overwritten.
fn restore(cli: &Cli, file: &Path, to: &Path) -> Result<Exit, CliError> {
    let dossier = read_export(file)?;
    print(&checked(lang(cli), &dossier))?;
    if !dossier.faults.is_empty() {
        eprintln!("{}", text(lang(cli), "cli.audit.not_restored", &[]));
        return Ok(Exit::Findings);
    }
    let failed = |what, path: &Path| {
        let path = path.to_owned();
        move |source| CliError::File { what, path, source }
    };
    std::fs::create_dir(to).map_err(failed("create", to))?;
    for (name, bytes) in &dossier.files {
        let path = to.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed("create", folder))?;
        }
        std::fs::write(&path, bytes).map_err(failed("write", &path))?;
    }
    print(&to.display().to_string())?;
    Ok(Exit::Done)
}

/// The order must be one of ours.
async fn known(context: &Context, store: &Store, order: &OrderNo) -> Result<(), CliError> {
    let account = &context.config.account.id;
    let mut tx = store.read().await?;
    match orders::get(&mut tx, account, order).await? {
        Some(_) => Ok(()),
        None => Err(unknown(&orders::all(&mut tx, account).await?, order.as_str())),
    }
}

async fn hold(context: &Context, order: &OrderNo, why: (&str, &str)) -> Result<Exit, CliError> {
    known(context, &context.store, order).await?;
    let mut tx = context.store.write().await?;
    let placed = archive::place_hold(
        &mut tx,
        &context.config.account.id,
        order,
        why,
        context.clock.now(),
    )
    .await?;
    tx.commit().await?;
    let key = if placed {
        "cli.audit.held"
    } else {
        "cli.audit.held_before"
    };
    print(&text(context.lang, key, &[("order", order.as_str())]))?;
    Ok(Exit::Done)
}

async fn release(context: &Context, order: &OrderNo, by: &str) -> Result<Exit, CliError> {
    known(context, &context.store, order).await?;
    let mut tx = context.store.write().await?;
    let lifted = archive::lift_hold(
        &mut tx,
        &context.config.account.id,
        order,
        by,
        context.clock.now(),
    )
    .await?;
    tx.commit().await?;
    if !lifted {
        return Err(CliError::Usage(format!("order {order} is not held")));
    }
    print(&text(
        context.lang,
        "cli.audit.released",
        &[("order", order.as_str())],
    ))?;
    Ok(Exit::Done)
}

async fn holds(context: &Context, json: bool) -> Result<Exit, CliError> {
    let mut tx = context.store.read().await?;
    let all = archive::holds(&mut tx, &context.config.account.id).await?;
    if json {
        print_json(&serde_json::to_value(&all)?)?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![heads(context.lang, "holds")];
    rows.extend(all.iter().map(|hold| {
        vec![
            hold.order.to_string(),
            hold.placed_at.date_naive().to_string(),
            hold.placed_by.clone(),
            hold.lifted_at
                .map_or_else(|| "-".to_owned(), |at| at.date_naive().to_string()),
            hold.reason.clone(),
        ]
    }));
    print(&columns(&rows))?;
    Ok(Exit::Done)
}

async fn retain(context: &Context, dry_run: bool, by: &str, json: bool) -> Result<Exit, CliError> {
    let rules = match &context.config.archive.retention {
        Some(path) => RetentionRules::read(&context.config.path(path)),
        None => RetentionRules::shipped(),
    };
    let rules = rules.map_err(|problems| {
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        CliError::Usage(said.join("\n"))
    })?;
    let now = context.clock.now();
    let run = RetentionRun {
        rules: &rules,
        today: civil_day(now, context.config.account.zone),
        now,
        by,
    };
    let mut tx = context.store.write().await?;
    let done = archive::retain(&mut tx, &context.config.account.id, run, dry_run).await?;
    if !dry_run {
        tx.commit().await?;
    }
    if json {
        print_json(&serde_json::to_value(&done)?)?;
        return Ok(Exit::Done);
    }
    let line = |mark: &str, due: &Due| format!("{mark} {} {} ({})\n", due.kind, due.subject, due.until);
    let mut out: String = done.deleted.iter().map(|due| line("-", due)).collect();
    out.extend(done.held.iter().map(|due| line("=", due)));
    let key = if dry_run {
        "cli.audit.would_delete"
    } else {
        "cli.audit.deleted"
    };
    let places = [
        ("deleted", done.deleted.len().to_string()),
        ("held", done.held.len().to_string()),
    ];
    out.push_str(&fill(context.lang, key, &places));
    print(&out)?;
    Ok(Exit::Done)
}
