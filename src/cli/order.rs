//! `linkstar approve` and `linkstar order`.

mod amend;
mod announce;
mod cash;
mod desk;
mod hand_over;
mod instruct;
mod look;

use std::path::Path;

use serde_json::{Value, json};

use super::args::{ApproveArgs, Cli, OrderCommand};
use super::context::{Context, columns, fill, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::money::round_cents;
use crate::night::decide::{Decided, adopt_all, decide};
use crate::order::labels::Labels;
use crate::order::state::is_verified;
use crate::order::term::responsibilities;
use crate::order::{OrderEvent, OrderEventKind};
use crate::planner::Plan;
use crate::report::decisions::{self, Choice, Decision};
use crate::store::orders::{self, StoredOrder};
use crate::store::{blob, inbox, order_checks, plans};
use crate::wording::{Lang, text};

pub async fn approve(cli: &Cli, args: &ApproveArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    let Some(current) = plans::latest(&mut tx, night.account()).await? else {
        return Err(CliError::Usage(
            "there is no plan yet; run `linkstar night` first".to_owned(),
        ));
    };
    let (plan_id, decisions, problems) = match &args.file {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|source| CliError::File {
                what: "read",
                path: file.clone(),
                source,
            })?;
            let sheet =
                decisions::read(&file.display().to_string(), &bytes).map_err(|problems| usage(&problems))?;
            (sheet.plan_id, sheet.decisions, sheet.problems)
        }
        None if args.all => (current.id.clone(), adopt_all(&current), Vec::new()),
        None => (
            current.id.clone(),
            parse_lines(&current, &args.lines)?,
            Vec::new(),
        ),
    };
    if let Some(wanted) = args
        .plan
        .as_ref()
        .filter(|wanted| !plan_id.as_str().starts_with(wanted.as_str()))
    {
        return Err(CliError::Usage(format!(
            "plan {wanted} is not the current plan {}",
            current.id.short()
        )));
    }
    if decisions.is_empty() {
        return Err(CliError::Usage(
            "nothing to decide: name WAREHOUSE/SKU lines, --file or --all".to_owned(),
        ));
    }
    let Decided { issued, refused } = match decide(&night, &mut tx, &plan_id, &decisions, &args.by).await? {
        Ok(decided) => decided,
        Err(why) => {
            return Err(CliError::Usage(format!(
                "plan {} cannot be decided on: wanted {why}",
                plan_id.short()
            )));
        }
    };
    tx.commit().await?;
    for order in &issued.orders {
        print(&order.to_string())?;
    }
    for held in &issued.held {
        for problem in &held.problems {
            eprintln!("held {}/{}: {problem}", held.warehouse, held.sku);
        }
    }
    for problem in problems.iter().chain(&refused) {
        eprintln!("{problem}");
    }
    Ok(
        if issued.held.is_empty() && problems.is_empty() && refused.is_empty() {
            Exit::Done
        } else {
            Exit::Findings
        },
    )
}

pub(super) fn usage(problems: &[crate::problem::Problem]) -> CliError {
    CliError::Usage(
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// `WAREHOUSE/SKU[=UNITS]`; every fault is said at once.
fn parse_lines(plan: &Plan, lines: &[String]) -> Result<Vec<Decision>, CliError> {
    let mut decisions = Vec::new();
    let mut faults = Vec::new();
    for line in lines {
        match parse_line(plan, line) {
            Ok(decision) => decisions.push(decision),
            Err(why) => faults.push(format!("`{line}`: {why}")),
        }
    }
    if faults.is_empty() {
        Ok(decisions)
    } else {
        Err(CliError::Usage(faults.join("\n")))
    }
}

fn parse_line(plan: &Plan, line: &str) -> Result<Decision, String> {
    let (key, units) = line
        .split_once('=')
        .map_or((line, None), |(key, units)| (key, Some(units)));
    let (warehouse, sku) = key
        .split_once('/')
        .ok_or("wanted WAREHOUSE/SKU or WAREHOUSE/SKU=UNITS")?;
    let warehouse = WarehouseCode::new(warehouse).map_err(|error| error.to_string())?;
    let sku = Sku::new(sku).map_err(|error| error.to_string())?;
    if !plan
        .lines
        .iter()
        .any(|known| known.warehouse == warehouse && known.sku == sku)
    {
        return Err(format!("no such line in the current plan {}", plan.id.short()));
    }
    let units = match units {
        None => None,
        Some(units) => {
            let units: i64 = units
                .parse()
                .map_err(|_| "units must be a whole number".to_owned())?;
            if units < 0 {
                return Err("units must not be below 0".to_owned());
            }
            Some(units)
        }
    };
    let choice = match units {
        None => Choice::Adopt,
        Some(0) => Choice::Reject,
        Some(_) => Choice::Change,
    };
    let place = line.to_owned();
    Ok(Decision {
        warehouse,
        sku,
        choice,
        units: units.filter(|units| *units > 0),
        reason: String::new(),
        place,
    })
}

pub async fn run(cli: &Cli, command: &OrderCommand) -> Result<Exit, CliError> {
    let at = match command {
        OrderCommand::Revise { why, .. }
        | OrderCommand::Cancel { why, .. }
        | OrderCommand::Edit { why, .. }
        | OrderCommand::Split { why, .. }
        | OrderCommand::Merge { why, .. } => why.at.at,
        OrderCommand::Announce { at, .. }
        | OrderCommand::New { at, .. }
        | OrderCommand::Check { at, .. }
        | OrderCommand::Issue { at, .. }
        | OrderCommand::Pack { at, .. }
        | OrderCommand::Scan { at, .. }
        | OrderCommand::Cash { at, .. }
        | OrderCommand::HandOver { at, .. }
        | OrderCommand::Instruct { at, .. } => at.at,
        OrderCommand::List { .. }
        | OrderCommand::Show { .. }
        | OrderCommand::Problems { .. }
        | OrderCommand::Rules { .. } => None,
    };
    let context = Context::open(cli, at).await?;
    match command {
        OrderCommand::Revise { order, why, units } => amend::reissue(&context, order, why, units).await,
        OrderCommand::Cancel { order, why } => amend::cancel(&context, order, why).await,
        OrderCommand::Announce {
            order, to, dry_run, ..
        } => announce::run(&context, order, to.as_deref(), *dry_run).await,
        OrderCommand::HandOver {
            order,
            unverified,
            by,
            ..
        } => hand_over::run(&context, order, unverified.as_deref(), by).await,
        OrderCommand::Cash { order, json, .. } => cash::run(&context, order.as_ref(), *json).await,
        OrderCommand::List { json } => list(&context, *json).await,
        OrderCommand::Show {
            order,
            json,
            changes: true,
            ..
        } => look::changes(&context, order, *json).await,
        OrderCommand::Show {
            order, json, save, ..
        } => show(&context, order, *json, save.as_deref()).await,
        OrderCommand::Problems { json, save } => look::problems(&context, *json, save.as_deref()).await,
        OrderCommand::Rules {
            country,
            mode,
            on,
            json,
        } => look::rules(&context, country, (*mode, *on), *json),
        OrderCommand::Instruct {
            order,
            save,
            stock,
            scan_back,
            unit_labels,
            by,
            ..
        } => {
            let asked = scan_back.then_some(by.as_str());
            let wanted = instruct::Wanted {
                save,
                stock: stock.as_deref(),
                unit_labels: *unit_labels,
            };
            instruct::run(&context, order, wanted, asked).await
        }
        other => desk::run(&context, other).await,
    }
}

async fn list(context: &Context, json: bool) -> Result<Exit, CliError> {
    let mut tx = context.store.read().await?;
    let stored = orders::all(&mut tx, &context.config.account.id).await?;
    if json {
        print_json(&Value::Array(stored.iter().map(head).collect()))?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![heads(context.lang, "orders")];
    rows.extend(stored.iter().map(|stored| {
        let totals = stored.order.totals();
        vec![
            stored.order.number.to_string(),
            text(
                context.lang,
                &format!("cli.order.state.{}", stored.state.code()),
                &[],
            ),
            stored.order.warehouse.to_string(),
            word(context.lang, "plan.value", stored.order.mode.code()),
            totals.units.to_string(),
            totals.cartons.to_string(),
            stored.order.ship_by.to_string(),
            stored.order.eta.to_string(),
        ]
    }));
    print(&columns(&rows))?;
    Ok(Exit::Done)
}

pub fn head(stored: &StoredOrder) -> Value {
    let totals = stored.order.totals();
    json!({
        "order": stored.order.number,
        "revision": stored.order.revision,
        "state": stored.state.code(),
        "warehouse": stored.order.warehouse,
        "mode": stored.order.mode.code(),
        "forwarder": stored.order.forwarder,
        "units": totals.units,
        "cartons": totals.cartons,
        "value": round_cents(totals.value),
        "currency": stored.order.currency,
        "ship_by": stored.order.ship_by,
        "eta_p50": stored.order.eta,
        "eta_p90": stored.eta_p90,
        "shipped_on": stored.shipped_on,
    })
}

async fn show(
    context: &Context,
    number: &OrderNo,
    json: bool,
    save: Option<&Path>,
) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let Some(stored) = orders::get(&mut tx, account, number).await? else {
        return Err(unknown(&orders::all(&mut tx, account).await?, number.as_str()));
    };
    let events = orders::events(&mut tx, account, number).await?;
    let documents = orders::documents(&mut tx, account, number).await?;
    let received = inbox::of_order(&mut tx, account, number).await?;
    let check = order_checks::of_order(&mut tx, account, number)
        .await?
        .unwrap_or_default();
    let verified = is_verified(events.iter().map(|event| &event.kind));
    if let Some(folder) = save {
        std::fs::create_dir_all(folder).map_err(|source| CliError::File {
            what: "create",
            path: folder.to_owned(),
            source,
        })?;
        for document in &documents {
            let path = folder.join(&document.file_name);
            let bytes = blob::get(&mut tx, account, &document.sha256).await?;
            std::fs::write(&path, bytes).map_err(|source| CliError::File {
                what: "write",
                path: path.clone(),
                source,
            })?;
            eprintln!("{}", path.display());
        }
    }
    if json {
        let mut value = head(&stored);
        value["model"] = serde_json::to_value(&stored.order)?;
        value["events"] = serde_json::to_value(&events)?;
        value["documents"] = documents
            .iter()
            .map(|document| json!({"document": document.document, "file": document.file_name, "sha256": document.sha256}))
            .collect();
        value["problems"] = serde_json::to_value(&check.findings)?;
        value["surcharges"] = serde_json::to_value(&check.surcharges)?;
        value["cash"] = check
            .cash
            .as_ref()
            .map(cash::as_json)
            .transpose()?
            .unwrap_or_default();
        value["rates"] = serde_json::to_value(&check.rates)?;
        value["labels_verified"] = json!(verified);
        value["hand_over_waits"] = json!(Labels::of(&events).waits.is_some());
        value["responsibilities"] = serde_json::to_value(responsibilities(stored.order.term))?;
        let night = context.night(false);
        let catalog = crate::store::catalog::load(&mut tx, account, night.today()).await?;
        let basis = crate::night::gates::Basis::load(&night, &mut tx).await?;
        value["admission"] = serde_json::to_value(basis.admissions(&night, &catalog, &stored.order))?;
        value["received_files"] = super::inbox::of_order_json(&received);
        print_json(&value)?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![heads(context.lang, "order_lines")];
    rows.extend(stored.order.lines.iter().map(|line| {
        vec![
            line.no.to_string(),
            line.goods.sku.to_string(),
            match context.lang {
                Lang::En if !line.goods.name_en.is_empty() => line.goods.name_en.clone(),
                _ => line.goods.name_zh.clone(),
            },
            line.units.to_string(),
            line.suggested_units
                .map_or_else(|| "?".to_owned(), |units| units.to_string()),
            line.value().to_string(),
        ]
    }));
    let totals = stored.order.totals();
    let state = text(
        context.lang,
        &format!("cli.order.state.{}", stored.state.code()),
        &[],
    );
    let head = [
        ("order", stored.order.number.to_string()),
        ("revision", stored.order.revision.to_string()),
        ("state", state),
        ("warehouse", stored.order.warehouse.to_string()),
        ("mode", word(context.lang, "plan.value", stored.order.mode.code())),
        ("units", totals.units.to_string()),
        ("cartons", totals.cartons.to_string()),
        ("value", round_cents(totals.value).to_string()),
        ("currency", stored.order.currency.to_string()),
        ("ship_by", stored.order.ship_by.to_string()),
        ("eta", stored.order.eta.to_string()),
    ];
    let mut out = fill(context.lang, "cli.order.head", &head);
    if verified == Some(false) && stored.state == crate::order::OrderState::Packed {
        out.push_str(&format!("\n{}", text(context.lang, "cli.order.unverified", &[])));
    }
    if !check.findings.is_empty() {
        out.push_str(&format!("\n\n{}", look::findings(context.lang, &check.findings)));
    }
    if let Some(cash) = check.cash.as_ref().filter(|cash| cash.speaks()) {
        out.push_str(&format!("\n\n{}", cash::table(context.lang, cash)));
    }
    out.push_str(&format!(
        "\n\n{}\n{}\n",
        columns(&rows),
        columns(&story(context.lang, &events))
    ));
    let files: Vec<Vec<String>> = documents
        .iter()
        .map(|document| {
            vec![
                word(context.lang, "cli.document", &document.document),
                document.file_name.clone(),
            ]
        })
        .collect();
    out.push_str(&columns(&files));
    if !received.is_empty() {
        out.push('\n');
        out.push_str(&super::inbox::of_order(context.lang, &received));
    }
    print(&out)?;
    Ok(Exit::Done)
}

/// An order's log: when, who, what.
pub fn story(lang: Lang, events: &[OrderEvent]) -> Vec<Vec<String>> {
    events
        .iter()
        .map(|event| {
            vec![
                event.at.format("%Y-%m-%d %H:%M UTC").to_string(),
                happened(lang, &event.kind),
                event.by.clone(),
            ]
        })
        .collect()
}

pub fn happened(lang: Lang, kind: &OrderEventKind) -> String {
    let say = |key: &str, places: &[(&str, &str)]| text(lang, &format!("cli.order.event.{key}"), places);
    match kind {
        OrderEventKind::Created => say("created", &[]),
        OrderEventKind::Reached { state } => text(lang, &format!("cli.order.state.{}", state.code()), &[]),
        OrderEventKind::Cancelled { reason } => say("cancelled", &[("reason", reason)]),
        OrderEventKind::BookingRejected { reason } => say("booking_rejected", &[("reason", reason)]),
        OrderEventKind::Reissued { revision, reason } => say(
            "reissued",
            &[("revision", &revision.to_string()), ("reason", reason)],
        ),
        OrderEventKind::Edited { reason } => say("edited", &[("reason", reason)]),
        OrderEventKind::Packed {
            cartons,
            beyond_stock,
            ..
        } => {
            let mut said = say("packed", &[("cartons", &cartons.to_string())]);
            if let Some(reason) = beyond_stock {
                said.push_str(&say("beyond_stock", &[("reason", reason)]));
            }
            said
        }
        OrderEventKind::Scanned { findings: 0, .. } => say("verified", &[]),
        OrderEventKind::Scanned { findings, .. } => say("unverified", &[("findings", &findings.to_string())]),
        OrderEventKind::ScanAsked => say("scan_asked", &[]),
        OrderEventKind::LabelsWaived { reason } => say("labels_waived", &[("reason", reason)]),
        OrderEventKind::HandOverWaits => say("hand_over_waits", &[]),
        OrderEventKind::SplitInto { order } => say("split_into", &[("order", order.as_str())]),
        OrderEventKind::SplitFrom { order } => say("split_from", &[("order", order.as_str())]),
        OrderEventKind::MergedFrom { order } => say("merged_from", &[("order", order.as_str())]),
        OrderEventKind::MergedInto { order } => say("merged_into", &[("order", order.as_str())]),
        OrderEventKind::Closed => say("closed", &[]),
        OrderEventKind::ShortClosed { missing } => say("short_closed", &[("missing", &missing.to_string())]),
        OrderEventKind::Reopened => say("reopened", &[]),
    }
}

/// R76: an order nobody knows is answered with the nearest ones.
pub fn unknown(stored: &[StoredOrder], given: &str) -> CliError {
    let known = stored.iter().map(|stored| stored.order.number.as_str());
    let near = crate::problem::nearest(given, known).map_or_else(
        || "`linkstar order list` shows them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    CliError::Usage(format!("no order `{given}`; {near}"))
}
