//! `linkstar plan`, `explain`, `diff`, `replay`.

use std::path::Path;

use chrono::NaiveDate;

use super::args::Cli;
use super::context::{Context, columns, fill, heads, print, print_json, word};
use super::{CliError, Exit, plan_dir};
use crate::ids::WarehouseCode;
use crate::night::plan;
use crate::planner::{self, Plan, PlanLine};
use crate::store::{Tx, plans};
use crate::wording::Lang;

pub fn from_folder(cli: &Cli, folder: &Path, as_of: NaiveDate, json: bool) -> Result<Exit, CliError> {
    let lang = cli.lang.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let code = plan_dir::run(folder, as_of, json, lang, &mut out)
        .map_err(|error| CliError::Usage(crate::night::step::chain(&error)))?;
    Ok(match code {
        plan_dir::EXIT_COMPLETE => Exit::Done,
        plan_dir::EXIT_PROBLEMS => Exit::Findings,
        _ => Exit::Usage,
    })
}

pub async fn show(cli: &Cli, json: bool) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let mut tx = context.store.read().await?;
    let plan = current(&context, &mut tx).await?;
    if json {
        print_json(&serde_json::to_value(&plan)?)?;
        return Ok(Exit::Done);
    }
    print(&table(&plan, context.lang))?;
    Ok(Exit::Done)
}

fn table(plan: &Plan, lang: Lang) -> String {
    let shown = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    let mut rows = vec![heads(lang, "plan")];
    for line in plan.lines.iter().filter(|line| line.suggested_units != Some(0)) {
        let level = line
            .level
            .map_or_else(String::new, |level| planner::level_text(level, lang));
        rows.push(vec![
            level,
            line.sku.to_string(),
            line.warehouse.to_string(),
            shown(line.velocity.map(|velocity| velocity.to_string())),
            shown(line.available.map(|units| units.to_string())),
            line.stockout
                .p50
                .map_or_else(|| "-".to_owned(), |day| day.to_string()),
            line.order_by
                .map_or_else(|| "-".to_owned(), |day| day.to_string()),
            shown(line.suggested_units.map(|units| units.to_string())),
            modes(line, lang),
        ]);
    }
    format!("{}\n\n{}", plan_head(lang, plan), columns(&rows))
}

/// The mode, or each with its units where the suggestion is split.
fn modes(line: &PlanLine, lang: Lang) -> String {
    let named = |mode: crate::order::Mode| word(lang, "plan.value", mode.code());
    let parts = line.supply.as_ref().map_or(&[][..], |supply| &supply.parts);
    if parts.is_empty() {
        return line.mode.map_or_else(String::new, named);
    }
    let parts: Vec<String> = parts
        .iter()
        .map(|part| format!("{} {}", named(part.mode), part.units))
        .collect();
    parts.join(" + ")
}

/// A plan in one line.
pub fn plan_head(lang: Lang, plan: &Plan) -> String {
    let funnel = &plan.funnel;
    let counts = [
        ("id", plan.id.short().to_owned()),
        ("date", plan.as_of.to_string()),
        ("seen", funnel.seen.to_string()),
        ("computed", funnel.computed.to_string()),
        ("suggested", funnel.suggested.to_string()),
    ];
    fill(lang, "cli.plan.head", &counts)
}

async fn current(context: &Context, tx: &mut Tx) -> Result<Plan, CliError> {
    plans::latest(tx, &context.config.account.id)
        .await?
        .ok_or_else(no_plan)
}

pub fn no_plan() -> CliError {
    CliError::Usage("there is no plan yet; run `linkstar night` first".to_owned())
}

async fn named(context: &Context, tx: &mut Tx, prefix: Option<&str>) -> Result<Plan, CliError> {
    let Some(prefix) = prefix else {
        return current(context, tx).await;
    };
    Ok(plans::get(tx, &context.config.account.id, prefix).await?)
}

pub async fn explain(
    cli: &Cli,
    sku: &str,
    warehouse: Option<&WarehouseCode>,
    plan: Option<&str>,
    json: bool,
) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let mut tx = context.store.read().await?;
    let plan = named(&context, &mut tx, plan).await?;
    let lines: Vec<&PlanLine> = plan
        .lines
        .iter()
        .filter(|line| line.sku.as_str() == sku && warehouse.is_none_or(|wanted| line.warehouse == *wanted))
        .collect();
    if lines.is_empty() {
        let near = crate::problem::nearest(sku, plan.lines.iter().map(|line| line.sku.as_str()));
        let hint = near
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        return Err(CliError::Usage(format!(
            "plan {} has no line for SKU `{sku}`{hint}",
            plan.id.short()
        )));
    }
    if json {
        print_json(&serde_json::to_value(&lines)?)?;
    } else {
        for line in lines {
            print(&planner::explain_text(line, context.lang))?;
        }
    }
    Ok(Exit::Done)
}

pub async fn diff(
    cli: &Cli,
    before: Option<&str>,
    after: Option<&str>,
    json: bool,
) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let after = named(&context, &mut tx, after).await?;
    let found = match before {
        Some(prefix) => {
            let before = named(&context, &mut tx, Some(prefix)).await?;
            plan::diff(&mut tx, account, &before, &after).await?
        }
        None => plan::diff_to_parent(&mut tx, account, &after)
            .await?
            .ok_or_else(|| CliError::Usage(format!("plan {} has no plan before it", after.id.short())))?,
    };
    if json {
        print_json(&serde_json::to_value(&found)?)?;
    } else {
        print(&planner::diff_text(&found, context.lang))?;
    }
    Ok(Exit::Done)
}

pub async fn replay(cli: &Cli, prefix: &str) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let mut tx = context.store.read().await?;
    let replay = plans::replay(&mut tx, &context.config.account.id, prefix).await?;
    if replay.identical {
        print(&format!("{}: same bytes", replay.stored.id))?;
        return Ok(Exit::Done);
    }
    let engine = replay
        .other_engine
        .map(|engine| format!(" (stored by engine {engine})"))
        .unwrap_or_default();
    print(&format!("{}: differs{engine}", replay.stored.id))?;
    Ok(Exit::Findings)
}
