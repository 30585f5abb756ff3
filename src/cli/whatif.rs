//! `linkstar whatif`: the current plan's facts by another policy.

use clap::Args;
use rust_decimal::Decimal;

use super::args::Cli;
use super::context::{Context, columns, fill, heads, print, print_json};
use super::planning::no_plan;
use super::{CliError, Exit};
use crate::night::whatif::{Compared, Totals, WhatIfError, compare};
use crate::store::plans;
use crate::telemetry::Progress;
use crate::wording::Lang;

#[derive(Debug, Args)]
pub struct WhatIfArgs {
    /// A key of the section `[plan]` and its value; may be given several times. Without any, what the plan itself comes to.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Plan id or its beginning; the current plan when left out.
    #[arg(long)]
    pub plan: Option<String>,
    /// Lines shown that change most.
    #[arg(long, value_name = "LINES", default_value_t = 20)]
    pub lines: usize,
    #[arg(long)]
    pub json: bool,
}

pub async fn run(cli: &Cli, args: &WhatIfArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let head = match &args.plan {
        Some(asked) => plans::head(&mut tx, account, asked).await?,
        None => plans::latest_head(&mut tx, account).await?.ok_or_else(no_plan)?,
    };
    let progress = Progress::new("whatif", cli.quiet);
    let compared = compare(
        &mut tx,
        account,
        &head,
        &args.settings,
        args.lines,
        &|done, of| {
            progress.at(done, of, "");
        },
    )
    .await
    .map_err(|error| match error {
        WhatIfError::Plan(error) => CliError::from(error),
        error => CliError::Usage(error.to_string()),
    })?;
    progress.done();
    if args.json {
        print_json(&serde_json::to_value(&compared)?)?;
    } else {
        print(&shown(&compared, context.lang))?;
    }
    Ok(Exit::Done)
}

fn shown(compared: &Compared, lang: Lang) -> String {
    let mut rows = vec![heads(lang, "whatif")];
    let nothing = Totals::default();
    let mut sums = (Totals::default(), Totals::default());
    for (warehouse, before) in &compared.before {
        let after = compared.after.get(warehouse).unwrap_or(&nothing);
        rows.push(row(warehouse.as_str(), before, after));
        sums.0.join(before);
        sums.1.join(after);
    }
    if compared.before.len() > 1 {
        rows.push(row("=", &sums.0, &sums.1));
    }
    let counts = [
        ("id", compared.plan.chars().take(12).collect()),
        ("items", compared.items.to_string()),
        ("changed", compared.changed.to_string()),
    ];
    let mut text = format!("{}\n\n{}", fill(lang, "cli.whatif.head", &counts), columns(&rows));
    if !compared.changes.is_empty() {
        let mut rows = vec![heads(lang, "whatif_changes")];
        let units = |units: Option<i64>| units.map_or_else(|| "?".to_owned(), |units| units.to_string());
        rows.extend(compared.changes.iter().map(|change| {
            vec![
                change.warehouse.to_string(),
                change.sku.to_string(),
                units(change.before),
                units(change.after),
                signed(change.after.unwrap_or(0) - change.before.unwrap_or(0)),
            ]
        }));
        text = format!("{text}\n{}", columns(&rows));
    }
    text
}

fn row(name: &str, before: &Totals, after: &Totals) -> Vec<String> {
    let both = |of: fn(&Totals) -> i64| match (of(before), of(after)) {
        (before, after) if before == after => before.to_string(),
        (before, after) => format!("{before} → {after} ({})", signed(after - before)),
    };
    vec![
        name.to_owned(),
        both(|totals| totals.lines),
        both(|totals| totals.critical),
        both(|totals| totals.unknown),
        both(|totals| totals.units),
        both(|totals| totals.cartons),
        match (costs(before), costs(after)) {
            (before, after) if before == after => before,
            (before, after) => format!("{before} → {after}"),
        },
    ]
}

/// By currency; units whose cost nobody named make it a least.
fn costs(totals: &Totals) -> String {
    let known: Vec<String> = totals
        .cost
        .iter()
        .filter(|(_, amount)| **amount != Decimal::ZERO)
        .map(|(currency, amount)| format!("{amount:.0} {currency}"))
        .collect();
    let least = if totals.units_without_cost > 0 { "≥ " } else { "" };
    match known.is_empty() {
        true if totals.units_without_cost > 0 => "?".to_owned(),
        true => "0".to_owned(),
        false => format!("{least}{}", known.join(" + ")),
    }
}

fn signed(units: i64) -> String {
    format!("{units:+}")
}
