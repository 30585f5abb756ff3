//! `linkstar order cash`: what an order, or the plan, costs besides the goods.

use serde_json::{Value, json};

use super::super::context::{Context, columns, heads, print, print_json, word};
use super::super::{CliError, Exit};
use super::unknown;
use crate::ids::OrderNo;
use crate::night::cash::of_plan;
use crate::order::cash::Cash;
use crate::report::{cost_name, cost_source, lacking};
use crate::store::{catalog, order_checks, orders, plans};
use crate::wording::{Lang, text};

/// With the total, which is null while anything is unknown.
pub(super) fn as_json(cash: &Cash) -> Result<Value, CliError> {
    let mut value = serde_json::to_value(cash)?;
    value["total"] = json!(cash.total());
    Ok(value)
}

/// The lines, what nobody has said, and the total.
pub(super) fn table(lang: Lang, cash: &Cash) -> String {
    let unknown = || text(lang, "cash.unknown", &[]);
    let mut rows = vec![heads(lang, "cash")];
    rows.extend(cash.lines.iter().map(|line| {
        vec![
            cost_name(lang, line),
            line.base.map_or_else(String::new, |base| base.to_string()),
            line.percent
                .map_or_else(String::new, |percent| percent.to_string()),
            line.charged.to_string(),
            line.amount.map_or_else(unknown, |amount| amount.to_string()),
            cost_source(lang, line),
        ]
    }));
    let total = cash.total().map_or_else(unknown, |total| total.to_string());
    rows.push(vec![
        text(lang, "cash.total", &[]),
        String::new(),
        String::new(),
        String::new(),
        format!("{total} {}", cash.currency),
    ]);
    let mut out = columns(&rows);
    for one in &cash.unknown {
        out.push_str(&format!("? {}\n", lacking(lang, one)));
    }
    if cash.inside_rate {
        out.push_str(&format!("{}\n", text(lang, "cash.inside", &[])));
    }
    out
}

/// Exit code 1: something is unknown, so there is no total.
fn exit<'c>(mut all: impl Iterator<Item = &'c Cash>) -> Exit {
    if all.all(|cash| cash.unknown.is_empty()) {
        Exit::Done
    } else {
        Exit::Findings
    }
}

pub(super) async fn run(context: &Context, number: Option<&OrderNo>, json: bool) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    if let Some(number) = number {
        let Some(stored) = orders::get(&mut tx, account, number).await? else {
            return Err(unknown(&orders::all(&mut tx, account).await?, number.as_str()));
        };
        let check = order_checks::of_order(&mut tx, account, number).await?;
        let Some(cash) = check.and_then(|check| check.cash) else {
            let wanted =
                format!("order {number}: nobody has looked at it yet; `linkstar order check {number}`");
            return Err(CliError::Usage(wanted));
        };
        if json {
            let mut value = as_json(&cash)?;
            value["order"] = json!(stored.order.number);
            print_json(&value)?;
        } else {
            print(&table(context.lang, &cash))?;
        }
        return Ok(exit([&cash].into_iter()));
    }
    let night = context.night(false);
    let Some(plan) = plans::latest(&mut tx, account).await? else {
        return Err(CliError::Usage(
            "there is no plan yet; run `linkstar night` first".to_owned(),
        ));
    };
    let goods = catalog::load(&mut tx, account, night.today()).await?;
    let planned = of_plan(&night, &mut tx, (&plan, &goods), true).await?;
    if json {
        let rows: Vec<Value> = planned
            .iter()
            .map(|one| {
                let mut value = serde_json::to_value(one)?;
                value["total"] = json!(one.cash.total());
                Ok(value)
            })
            .collect::<Result<_, serde_json::Error>>()?;
        print_json(&json!({"plan": plan.id, "shipments": rows}))?;
    } else {
        for one in &planned {
            let mode = word(context.lang, "plan.value", one.mode.code());
            print(&format!(
                "{} {mode}: {} / {}",
                one.warehouse, one.units, one.cartons
            ))?;
            print(&table(context.lang, &one.cash))?;
        }
    }
    Ok(exit(planned.iter().map(|one| &one.cash)))
}
