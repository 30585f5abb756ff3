//! `linkstar trial` and `decisions`: what linkstar may order yet, what it would have ordered, and what people make of it.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};
use clap::Args;
use serde_json::json;

use super::args::Cli;
use super::context::{Context, columns, fill, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::calendar::civil_day;
use crate::config::TrialRule;
use crate::ids::PlanId;
use crate::night::trial::Spent;
use crate::order::OrderState;
use crate::planner::Plan;
use crate::planner::shadow::{Answer, Comparing, Comparison, OwnOrder, share};
use crate::report::decisions::Choice;
use crate::report::decisions::statistics::{Decided, Statistics, Tally, statistics};
use crate::store::{Tx, orders, plans};
use crate::wording::Lang;

#[derive(Debug, Args)]
pub struct PeriodArgs {
    /// The first day looked at; eight weeks ago when left out.
    #[arg(long, value_name = "DATE")]
    pub since: Option<NaiveDate>,
    #[arg(long)]
    pub json: bool,
}

/// As many days as a stocking order by sea needs to be missed.
const PERIOD_DAYS: i64 = 56;
/// Rows of a table a person is shown without asking for all with `--json`.
const SHOWN: usize = 40;

impl PeriodArgs {
    fn from(&self, context: &Context) -> NaiveDate {
        let today = civil_day(context.clock.now(), context.config.account.zone);
        self.since.unwrap_or(today - Duration::days(PERIOD_DAYS))
    }
}

pub async fn trial(cli: &Cli, args: &PeriodArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let mut tx = context.store.read().await?;
    let spent = Spent::count(&context.night(false), &mut tx, None).await?;
    let found = compare(&context, &mut tx, args.from(&context)).await?;
    let trial = &context.config.trial;
    if args.json {
        let rules: Vec<_> = trial
            .rules
            .iter()
            .enumerate()
            .map(|(place, rule)| json!({"rule": rule, "ordered_units": spent.of(place)}))
            .collect();
        let (ordered, suggested) = found.units();
        print_json(&json!({
            "stage": trial.stage,
            "rules": rules,
            "comparison": found,
            "units_ordered": ordered,
            "units_suggested": suggested,
        }))?;
        return Ok(Exit::Done);
    }
    let lang = context.lang;
    let mut out = fill(
        lang,
        "cli.trial.stage",
        &[("stage", word(lang, "cli.trial.stage", trial.stage.code()))],
    );
    out.push('\n');
    for (place, rule) in trial.rules.iter().enumerate() {
        out.push_str(&rule_text(lang, rule, spent.of(place)));
        out.push('\n');
    }
    out.push('\n');
    out.push_str(&comparison_text(lang, &found));
    print(&out)?;
    Ok(Exit::Done)
}

fn rule_text(lang: Lang, rule: &TrialRule, spent: i64) -> String {
    let mut who: Vec<String> = rule.skus.iter().map(ToString::to_string).collect();
    who.extend(rule.warehouses.iter().map(ToString::to_string));
    who.extend(
        rule.modes
            .iter()
            .map(|mode| word(lang, "plan.value", mode.code())),
    );
    let stage = word(lang, "cli.trial.stage", rule.stage.code());
    let places = [("who", who.join(", ")), ("stage", stage)];
    let mut out = fill(lang, "cli.trial.rule", &places);
    if let Some(limit) = rule.max_units {
        let since = rule.since.map_or_else(String::new, |day| day.to_string());
        let key = if rule.since.is_some() {
            "cli.trial.limit_since"
        } else {
            "cli.trial.limit"
        };
        let places = [
            ("n", spent.to_string()),
            ("limit", limit.to_string()),
            ("since", since),
        ];
        out.push_str(&fill(lang, key, &places));
    }
    out
}

/// What people ordered is every order. One they approved answers the plan it came from, one of their own the plan of its day.
async fn compare(context: &Context, tx: &mut Tx, since: NaiveDate) -> Result<Comparison, CliError> {
    let account = &context.config.account.id;
    let mut answered: BTreeMap<PlanId, NaiveDate> = BTreeMap::new();
    let mut own = Vec::new();
    for stored in orders::all(tx, account).await? {
        let order = stored.order;
        if stored.state == OrderState::Cancelled {
            continue;
        }
        let day = match &order.plan {
            None => order.created_on,
            Some(plan) => match answered.get(plan) {
                Some(day) => *day,
                None => {
                    let day = plans::head(tx, account, plan.as_str()).await?.as_of;
                    answered.insert(plan.clone(), day);
                    day
                }
            },
        };
        own.extend(order.lines.into_iter().map(|line| OwnOrder {
            day,
            warehouse: order.warehouse.clone(),
            sku: line.goods.sku,
            units: line.units,
        }));
    }
    let mut comparing = Comparing::new(own, context.config.plan.review_days);
    for head in plans::last_of_each_day(tx, account, since).await? {
        comparing.plan(&plans::get(tx, account, head.id.as_str()).await?);
    }
    Ok(comparing.finish())
}

fn comparison_text(lang: Lang, found: &Comparison) -> String {
    let day = |day: Option<NaiveDate>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    let (Some(from), Some(to)) = (found.from, found.to) else {
        return fill(lang, "cli.trial.no_plans", &[]) + "\n";
    };
    let (ordered, suggested) = found.units();
    let places = [
        ("from", from.to_string()),
        ("to", to.to_string()),
        ("plans", found.plans.to_string()),
        ("lines", found.ordered.len().to_string()),
        ("ordered", ordered.to_string()),
        ("suggested", suggested.to_string()),
        (
            "share",
            share(ordered, suggested).map_or_else(|| "-".to_owned(), |share| share.to_string()),
        ),
    ];
    let mut out = fill(lang, "cli.trial.compared", &places);
    out.push('\n');
    for answer in Answer::ALL.into_iter().filter(|answer| found.count(*answer) > 0) {
        let words = word(lang, "cli.trial.answer", answer.code());
        out.push_str(&format!("  {words}: {}\n", found.count(answer)));
    }
    if !found.ordered.is_empty() {
        let mut rows = vec![heads(lang, "trial_ordered")];
        rows.extend(found.ordered.iter().rev().take(SHOWN).map(|line| {
            vec![
                line.day.to_string(),
                line.warehouse.to_string(),
                line.sku.to_string(),
                line.units.to_string(),
                line.suggested
                    .map_or_else(|| "?".to_owned(), |units| units.to_string()),
                day(line.since),
                word(lang, "cli.trial.answer", line.answer.code()),
            ]
        }));
        out.push_str(&format!("\n{}", columns(&rows)));
    }
    if !found.left_out.is_empty() {
        let mut rows = vec![heads(lang, "trial_left_out")];
        rows.extend(found.left_out.iter().take(SHOWN).map(|line| {
            vec![
                line.warehouse.to_string(),
                line.sku.to_string(),
                line.since.to_string(),
                day(line.until),
                line.first_units.to_string(),
                line.last_units.to_string(),
                line.out_of_stock_days
                    .map_or_else(|| "?".to_owned(), |days| days.to_string()),
            ]
        }));
        let told = fill(
            lang,
            "cli.trial.left_out",
            &[("n", found.left_out.len().to_string())],
        );
        out.push_str(&format!("\n{told}\n{}", columns(&rows)));
    }
    out
}

pub async fn decisions(cli: &Cli, args: &PeriodArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let mut tx = context.store.read().await?;
    let since = args.from(&context);
    let found = statistics(&decided(&context, &mut tx, since).await?);
    if args.json {
        print_json(&json!({
            "since": since,
            "all": found.all,
            "adopted_share": found.all.adopted_share(),
            "by_warehouse": found.by_warehouse,
            "by_week": found.by_week,
            "changed_up": found.changed_up,
            "changed_down": found.changed_down,
            "change": {"p10": found.change_p10, "p50": found.change_p50, "p90": found.change_p90},
            "reasons": found.reasons,
            "disputed": found.disputed,
        }))?;
    } else {
        print(&statistics_text(context.lang, since, &found))?;
    }
    Ok(Exit::Done)
}

async fn decided(context: &Context, tx: &mut Tx, since: NaiveDate) -> Result<Vec<Decided>, CliError> {
    let account = &context.config.account.id;
    let mut read: BTreeMap<PlanId, Plan> = BTreeMap::new();
    let mut found = Vec::new();
    for one in plans::decided_since(tx, account, since).await? {
        if !read.contains_key(&one.plan) {
            // Plan by plan: one is kept at a time.
            read.clear();
            read.insert(
                one.plan.clone(),
                plans::get(tx, account, one.plan.as_str()).await?,
            );
        }
        let Some(plan) = read.get(&one.plan) else { continue };
        let line = plan
            .lines
            .iter()
            .find(|line| line.warehouse == one.warehouse && line.sku == one.sku);
        found.push(Decided {
            day: plan.as_of,
            suggested: line.and_then(|line| line.suggested_units),
            warehouse: one.warehouse,
            sku: one.sku,
            choice: match one.choice {
                plans::Choice::Adopt => Choice::Adopt,
                plans::Choice::Change => Choice::Change,
                plans::Choice::Reject => Choice::Reject,
                plans::Choice::Watch => Choice::Watch,
            },
            units: one.units,
            reason: one.reason,
        });
    }
    Ok(found)
}

fn statistics_text(lang: Lang, since: NaiveDate, found: &Statistics) -> String {
    if found.all.all() == 0 {
        return fill(lang, "cli.decisions.none", &[("since", since.to_string())]) + "\n";
    }
    let figure =
        |value: Option<rust_decimal::Decimal>| value.map_or_else(|| "-".to_owned(), |v| v.to_string());
    let row = |name: String, tally: &Tally| {
        vec![
            name,
            tally.all().to_string(),
            tally.adopted.to_string(),
            tally.changed.to_string(),
            tally.rejected.to_string(),
            tally.watched.to_string(),
            figure(tally.adopted_share()),
        ]
    };
    let mut rows = vec![heads(lang, "decisions")];
    rows.push(row(
        fill(lang, "cli.decisions.all", &[("since", since.to_string())]),
        &found.all,
    ));
    rows.extend(
        found
            .by_warehouse
            .iter()
            .map(|(code, tally)| row(code.to_string(), tally)),
    );
    rows.extend(
        found
            .by_week
            .iter()
            .map(|(monday, tally)| row(monday.to_string(), tally)),
    );
    let mut out = columns(&rows);
    let places = [
        ("up", found.changed_up.to_string()),
        ("down", found.changed_down.to_string()),
        ("p10", figure(found.change_p10)),
        ("p50", figure(found.change_p50)),
        ("p90", figure(found.change_p90)),
    ];
    out.push_str(&format!("\n{}\n", fill(lang, "cli.decisions.changes", &places)));
    for given in found.reasons.iter().take(SHOWN) {
        let reason = if given.reason.is_empty() {
            fill(lang, "cli.decisions.no_reason", &[])
        } else {
            given.reason.clone()
        };
        let choice = word(lang, "mail.choice", given.choice);
        out.push_str(&format!("  {} × {choice}: {reason}\n", given.times));
    }
    for (warehouse, sku, times) in found.disputed.iter().take(SHOWN) {
        let places = [("line", format!("{warehouse}/{sku}")), ("n", times.to_string())];
        out.push_str(&format!("{}\n", fill(lang, "cli.decisions.disputed", &places)));
    }
    out
}
