//! `linkstar status`: the first screen when something is wrong (R76).

pub mod model;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use self::model::{OrderStory, Overview, in_order};
use super::args::Cli;
use super::context::{Context, columns, fill, print, print_json, word};
use super::order::{head, story, unknown};
use super::outbox::as_json;
use super::planning::plan_head;
use super::reconcile::difference;
use super::{CliError, Exit, forecast};
use crate::config::Config;
use crate::ids::SourceId;
use crate::night::foresee::{ForeseeError, Foreseen, foresee};
use crate::night::notice::Notice;
use crate::store::run::RunView;
use crate::store::{Tx, facts, orders, returned};
use crate::wording::{Lang, text};

pub async fn run(cli: &Cli, order: Option<&str>, json: bool) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    match order {
        Some(order) => one_order(&context, order, json).await,
        None => overview(&context, json).await,
    }
}

async fn overview(context: &Context, json: bool) -> Result<Exit, CliError> {
    let mut tx = context.store.read().await?;
    let seen = Overview::of(&mut tx, &context.config, context.clock.now()).await?;
    let pulls = pulls(context, &mut tx).await?;
    let since = context.clock.now() - Duration::days(RETURN_DAYS);
    let returns = returned::sums(&mut tx, &context.config.account.id, since).await?;
    if json {
        print_json(&json!({
            "runs": seen.runs.iter().map(run_json).collect::<Vec<_>>(),
            "plan": seen.plan.as_ref().map(|plan| json!({"id": plan.id, "as_of": plan.as_of, "suggested": plan.funnel.suggested})),
            "orders_moving": seen.orders.iter().filter(|stored| stored.state.is_moving()).map(head).collect::<Vec<_>>(),
            "messages_due": seen.waiting,
            "messages_for_a_person": seen.stuck.iter().map(as_json).collect::<Vec<_>>(),
            "files_quarantined": seen.quarantined(),
            "bookings_rejected": rejected(&seen.notices),
            "pulls": pulls.iter().map(Pulling::as_json).collect::<Vec<_>>(),
            "returns_30_days": returns,
            "mail_late": seen.late.is_some(),
            "mail_absence": seen.late,
            "jobs_dead": seen.dead.iter().map(|job| json!({
                "job": job.job_id, "kind": job.kind, "key": job.dedupe_key, "last_error": job.last_error,
            })).collect::<Vec<_>>(),
        }))?;
    } else {
        let mut out = screen(context.lang, &context.config, &seen, &pulls);
        if !returns.is_empty() {
            out.push_str(&sent_back(context.lang, &returns));
        }
        print(&out)?;
    }
    Ok(if seen.is_calm() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

/// How far back the returns on the first screen go.
const RETURN_DAYS: i64 = 30;

/// `returns, 30 days: amazon-uk 12 (SELLABLE 9, DEFECTIVE 3)`.
fn sent_back(lang: Lang, returns: &[returned::Sum]) -> String {
    let mut sources: BTreeMap<&SourceId, Vec<&returned::Sum>> = BTreeMap::new();
    for sum in returns {
        sources.entry(&sum.source).or_default().push(sum);
    }
    let told: Vec<String> = sources
        .into_iter()
        .map(|(source, sums)| {
            let each: Vec<String> = sums
                .iter()
                .map(|sum| format!("{} {}", sum.disposition, sum.units).trim().to_owned())
                .collect();
            let units: i64 = sums.iter().map(|sum| sum.units).sum();
            format!("{source} {units} ({})", each.join(", "))
        })
        .collect();
    let places = [("days", RETURN_DAYS.to_string()), ("units", told.join("; "))];
    fill(lang, "cli.status.returns", &places) + "\n"
}

/// A long pull that is under way, or that has not begun yet.
struct Pulling {
    foreseen: Foreseen,
    since: Option<DateTime<Utc>>,
}

impl Pulling {
    fn as_json(&self) -> serde_json::Value {
        let mut value = forecast::as_json(&self.foreseen);
        value["since"] = json!(self.since);
        value
    }

    fn text(&self, lang: Lang) -> String {
        let since = self
            .since
            .map(|since| since.format("%Y-%m-%d %H:%M UTC").to_string());
        let key = if since.is_some() {
            "cli.status.pulling"
        } else {
            "cli.status.first_pull"
        };
        let places = [
            ("stream", self.foreseen.label()),
            ("since", since.unwrap_or_default()),
            ("windows", self.foreseen.work.windows.to_string()),
            ("hours", self.foreseen.hours()),
        ];
        fill(lang, key, &places)
    }
}

/// A source that cannot be foreseen is told of by `doctor` and by its pull.
async fn pulls(context: &Context, tx: &mut Tx) -> Result<Vec<Pulling>, CliError> {
    let (account, now) = (&context.config.account.id, context.clock.now());
    let mut running: BTreeMap<(SourceId, String), DateTime<Utc>> = BTreeMap::new();
    for row in facts::running(tx, account).await? {
        running.insert((row.source, row.stream), row.started_at);
    }
    let mut all = Vec::new();
    for connector in &context.tools.connectors {
        let streams = match foresee(tx, account, now, connector, &BTreeMap::new()).await {
            Ok(streams) => streams,
            Err(ForeseeError::Store(error)) => return Err(error.into()),
            Err(_) => continue,
        };
        for mut foreseen in streams {
            let since = running
                .get(&(foreseen.source.clone(), foreseen.stream.clone()))
                .copied();
            if let Some(since) = since {
                // What it set out to ask, not what has happened since.
                let left = foresee(tx, account, since, connector, &BTreeMap::new()).await;
                let same = |left: &Foreseen| left.stream == foreseen.stream;
                if let Some(left) = left.ok().and_then(|left| left.into_iter().find(same)) {
                    foreseen = left;
                }
            }
            if foreseen.is_long() && (since.is_some() || foreseen.first) {
                all.push(Pulling { foreseen, since });
            }
        }
    }
    Ok(all)
}

fn rejected(notices: &[Notice]) -> Vec<serde_json::Value> {
    notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::BookingRejected { order, reason, .. } => Some(json!({"order": order, "reason": reason})),
            _ => None,
        })
        .collect()
}

/// First what needs a person, then how the last night went.
fn screen(lang: Lang, config: &Config, seen: &Overview, pulls: &[Pulling]) -> String {
    let wanted = seen.wanted(config, lang);
    let mut out = match wanted.len() {
        0 => text(lang, "cli.status.calm", &[]),
        n => text(lang, "cli.status.wanted", &[("n", &n.to_string())]),
    };
    out.push('\n');
    for lines in wanted {
        out.push_str(&format!("  ! {}\n", lines.join("\n      ")));
    }
    out.push('\n');
    let stage = config.trial.stage.code();
    if !config.trial.is_live() {
        let places = [("stage", word(lang, "cli.trial.stage", stage))];
        out.push_str(&format!("{}\n", fill(lang, "cli.trial.stage", &places)));
    }
    let run = seen.last_night();
    match run {
        Some(run) => out.push_str(&format!(
            "{}  {}  {}\n",
            run.run_id,
            word(lang, "cli.step", &run.state),
            run.started_at.format("%Y-%m-%d %H:%M UTC")
        )),
        None => {
            out.push_str(&text(lang, "cli.status.no_run", &[]));
            out.push('\n');
        }
    }
    let rows: Vec<Vec<String>> = run
        .map(in_order)
        .unwrap_or_default()
        .iter()
        .map(|step| {
            vec![
                format!("  {}", word(lang, "mail.step", &step.step)),
                word(lang, "cli.step", &step.state),
            ]
        })
        .collect();
    out.push_str(&columns(&rows));
    for pull in pulls {
        out.push_str(&format!("  {}\n", pull.text(lang)));
    }
    let counts = [
        ("moving", seen.moving().to_string()),
        ("due", seen.waiting.to_string()),
        ("stuck", seen.stuck.len().to_string()),
    ];
    out.push_str(&fill(lang, "cli.status.counts", &counts));
    out.push('\n');
    if let Some(plan) = &seen.plan {
        out.push_str(&plan_head(lang, plan));
        out.push('\n');
    }
    out
}

fn run_json(run: &RunView) -> serde_json::Value {
    json!({
        "run": run.run_id,
        "state": run.state,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "steps": run.steps.iter().map(|step| json!({
            "step": step.step,
            "state": step.state,
            "counts": serde_json::from_str::<serde_json::Value>(&step.counts).unwrap_or_default(),
            "problem": step.problem,
        })).collect::<Vec<_>>(),
    })
}

async fn one_order(context: &Context, given: &str, json: bool) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let Some(found) = OrderStory::of(&mut tx, account, given).await? else {
        return Err(unknown(&orders::all(&mut tx, account).await?, given));
    };
    let (state, next) = (found.state(context.lang), found.next(context.lang));
    let OrderStory {
        stored,
        events,
        documents,
        received,
        messages,
        lines,
    } = found;
    let number = &stored.order.number;
    if json {
        let mut value = head(&stored);
        value["next"] = json!(next);
        value["events"] = serde_json::to_value(&events)?;
        value["documents"] = documents
            .iter()
            .map(|document| json!(document.file_name))
            .collect();
        value["messages"] = messages.iter().map(as_json).collect();
        value["received_files"] = super::inbox::of_order_json(&received);
        value["receipts"] = serde_json::to_value(&lines)?;
        print_json(&value)?;
        return Ok(Exit::Done);
    }
    let mut out = format!("{number} · {state} · {next}\n\n");
    out.push_str(&columns(&story(context.lang, &events)));
    if !messages.is_empty() {
        out.push('\n');
    }
    let sent: Vec<Vec<String>> = messages
        .iter()
        .map(|message| {
            vec![
                word(context.lang, "cli.message", message.state.as_str()),
                message.remote_name.clone(),
                message.last_error.clone().unwrap_or_default(),
            ]
        })
        .collect();
    out.push_str(&columns(&sent));
    if !received.is_empty() {
        out.push('\n');
        out.push_str(&super::inbox::of_order(context.lang, &received));
    }
    if !lines.is_empty() {
        let titles = [
            "sku",
            "shipped",
            "received",
            "put_away",
            "difference",
            "state",
            "verdict",
        ];
        let mut rows = vec![
            titles
                .iter()
                .map(|column| word(context.lang, "receipts.column", column))
                .collect::<Vec<_>>(),
        ];
        rows.extend(lines.iter().map(|line| {
            vec![
                line.sku.to_string(),
                line.shipped.to_string(),
                line.received.to_string(),
                line.put_away.to_string(),
                difference(line),
                word(context.lang, "receipts.state", line.state.code()),
                word(context.lang, "receipts.verdict", line.verdict.code()),
            ]
        }));
        out.push('\n');
        out.push_str(&columns(&rows));
    }
    print(&out)?;
    Ok(Exit::Done)
}
