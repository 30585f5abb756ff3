//! What is in the way of orders, what a destination asks for, what changed, and the warehouse's instruction.

use std::path::Path;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::super::context::{Context, columns, heads, print, print_json};
use super::super::{CliError, Exit};
use super::unknown;
use crate::calendar::civil_day;
use crate::ids::OrderNo;
use crate::mapping::model::changes_between;
use crate::night::to_mend;
use crate::order::Mode;
use crate::order::gate::Finding;
use crate::order::rules::Ask;
use crate::report::problem_list;
use crate::store::{order_desk, orders};
use crate::wording::{Lang, text};

fn level(lang: Lang, finding: &Finding) -> String {
    text(lang, &format!("gate.level.{}", finding.level.code()), &[])
}

/// Findings of one order as a table.
pub(super) fn findings(lang: Lang, findings: &[Finding]) -> String {
    let mut rows = vec![heads(lang, "findings")];
    rows.extend(findings.iter().map(|finding| {
        let problem = &finding.problem;
        vec![
            level(lang, finding),
            text(lang, &format!("gate.gate.{}", finding.gate.code()), &[]),
            problem.place.clone(),
            problem.field.clone(),
            problem.found.clone(),
            finding.wanted(lang).to_owned(),
        ]
    }));
    columns(&rows)
}

pub(super) fn written(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|source| CliError::File {
        what: "write",
        path: path.to_owned(),
        source,
    })?;
    eprintln!("{}", path.display());
    Ok(())
}

pub(super) async fn problems(context: &Context, json: bool, save: Option<&Path>) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let rows = to_mend::all(&night, &mut tx).await?;
    if let Some(path) = save {
        let bytes = problem_list(context.lang, &rows).map_err(crate::night::NightError::from)?;
        written(path, &bytes)?;
    }
    if json {
        print_json(&serde_json::to_value(&rows)?)?;
    } else if rows.is_empty() {
        print(&text(context.lang, "gate.none", &[]))?;
    } else {
        let mut table = vec![heads(context.lang, "to_mend")];
        table.extend(rows.iter().map(|row| {
            vec![
                level(context.lang, &row.finding),
                row.about.clone(),
                row.finding.problem.field.clone(),
                row.finding.problem.found.clone(),
                row.finding.wanted(context.lang).to_owned(),
            ]
        }));
        print(&columns(&table))?;
    }
    let stops = rows.iter().any(|row| row.finding.level.stops());
    Ok(if stops { Exit::Findings } else { Exit::Done })
}

pub(super) fn rules(
    context: &Context,
    country: &str,
    (mode, on): (Mode, Option<NaiveDate>),
    json: bool,
) -> Result<Exit, CliError> {
    let country = country.to_uppercase();
    let book = &context.tools.rules;
    let day = on.unwrap_or_else(|| civil_day(context.clock.now(), context.config.account.zone));
    if !book.knows(&country) {
        let said = text(context.lang, "cli.order.no_pack", &[("country", &country)]);
        if json {
            print_json(&json!({"country": country, "known": false, "rules": []}))?;
        } else {
            print(&said)?;
        }
        return Ok(Exit::Findings);
    }
    let found: Vec<_> = book.rules(&country, mode, day).collect();
    if json {
        let rules: Vec<Value> = found
            .iter()
            .map(|(pack, rule)| {
                let mut value = serde_json::to_value(rule)?;
                value["pack"] = json!(pack.id);
                Ok(value)
            })
            .collect::<Result<_, serde_json::Error>>()?;
        print_json(
            &json!({"country": country, "known": true, "on": day, "mode": mode.code(), "rules": rules}),
        )?;
        return Ok(Exit::Done);
    }
    let mut table = vec![heads(context.lang, "rules")];
    table.extend(found.iter().map(|(pack, rule)| {
        let words = rule.words.of(context.lang).to_owned();
        let asks = match &rule.ask {
            Ask::Filing {
                hours_before_loading, ..
            } => format!("{words} (-{hours_before_loading} h)"),
            _ => words,
        };
        vec![
            format!("{}/{}", pack.id, rule.id),
            text(context.lang, &format!("gate.level.{}", rule.level.code()), &[]),
            asks,
            rule.valid_from.to_string(),
            rule.valid_to.map_or_else(String::new, |day| day.to_string()),
            rule.source.clone(),
            rule.checked.map_or_else(
                || text(context.lang, "cli.order.unchecked", &[]),
                |day| day.to_string(),
            ),
        ]
    }));
    print(&columns(&table))?;
    Ok(Exit::Done)
}

pub(super) async fn changes(context: &Context, number: &OrderNo, json: bool) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let Some(stored) = orders::get(&mut tx, account, number).await? else {
        return Err(unknown(&orders::all(&mut tx, account).await?, number.as_str()));
    };
    let mut all = order_desk::revisions(&mut tx, account, number).await?;
    all.push(stored.order);
    let mut between = Vec::new();
    for pair in all.windows(2) {
        if let [before, after] = pair {
            between.push((after.revision, changes_between(before, after)));
        }
    }
    if json {
        let rows: Vec<Value> = between
            .iter()
            .map(|(revision, changes)| json!({"revision": revision, "changes": changes}))
            .collect();
        print_json(&Value::Array(rows))?;
        return Ok(Exit::Done);
    }
    if between.is_empty() {
        print(&text(context.lang, "cli.order.no_changes", &[]))?;
        return Ok(Exit::Done);
    }
    let what = match context.lang {
        Lang::Zh => "what_zh",
        Lang::En => "what_en",
    };
    let mut table = vec![heads(context.lang, "changes")];
    for (revision, changes) in &between {
        for change in changes.as_array().into_iter().flatten() {
            let cell = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
            table.push(vec![
                revision.to_string(),
                cell("sku"),
                cell(what),
                cell("was"),
                cell("now"),
            ]);
        }
    }
    print(&columns(&table))?;
    Ok(Exit::Done)
}
