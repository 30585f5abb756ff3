//! `linkstar deadlines` and `linkstar events`: which clocks run, and what everybody told of the goods.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use super::args::{At, Cli};
use super::context::{Context, columns, fill, heads, print, print_json, word};
use super::order::unknown;
use super::{CliError, Exit};
use crate::calendar::civil_day;
use crate::deadline::due::{NoSlot, slot};
use crate::deadline::{Alert, Rule, Severity, acknowledge, rule_text, severity_text, shown, snooze, when};
use crate::ids::{OrderNo, SourceId};
use crate::ledger::milestone::{Aside, Milestone, Story};
use crate::ledger::{EventStatus, TrackingEvent};
use crate::night::{chain_folder, clocks as running};
use crate::problem::nearest;
use crate::store::{catalog, clocks, orders, tracking, turn};
use crate::wording::{Lang, text};

#[derive(Debug, Args)]
pub struct DeadlinesArgs {
    #[command(subcommand)]
    pub command: Option<DeadlinesCommand>,
    /// How many days ahead.
    #[arg(long, default_value_t = 30, value_name = "N")]
    pub days: u16,
    #[command(flatten)]
    pub at: At,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum DeadlinesCommand {
    /// You are on it: only the last reminders, an earlier end and the end itself are told.
    Ack {
        /// As `--json` shows it: isf_importer, cargo_cut_off, …
        rule: String,
        /// Order, claim or certificate.
        subject: String,
        #[arg(long)]
        by: String,
    },
    /// Be told again then; its end is told all the same.
    Snooze {
        rule: String,
        subject: String,
        /// e.g. 2026-09-08T09:00+08:00
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        until: DateTime<Utc>,
    },
}

#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// The story of an order's goods.
    Show {
        order: OrderNo,
        #[arg(long)]
        json: bool,
    },
    /// Tell what happened, or a time that somebody set.
    Add {
        order: OrderNo,
        /// A milestone (departed, isf_filed, cargo_cut_off, …), or the words you were told.
        kind: String,
        /// With its offset: 2026-09-10T18:00+08:00. A slot (appointment) may be the warehouse's own time: 2026-09-10T18:00
        #[arg(value_parser = told_time)]
        when: When,
        /// Not yet: it is expected then.
        #[arg(long)]
        expected: bool,
        /// UN/LOCODE or name.
        #[arg(long)]
        place: Option<String>,
        #[arg(long)]
        vessel: Option<String>,
        #[arg(long)]
        text: Option<String>,
    },
    /// Words nobody has explained yet, of all orders under way.
    Unknown {
        #[arg(long)]
        json: bool,
    },
}

/// As people write it, with or without seconds; the offset must be there, for nobody knows whose clock it is else.
pub(super) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z"))
        .or_else(|_| DateTime::parse_from_str(&text.replace('Z', "+00:00"), "%Y-%m-%dT%H:%M%:z"))
        .map(|at| at.to_utc())
        .map_err(|_| "wanted a time with its offset, such as 2026-09-10T18:00+08:00".to_owned())
}

/// An instant, or a time of the warehouse's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Instant(DateTime<Utc>),
    Civil(NaiveDateTime),
}

fn told_time(text: &str) -> Result<When, String> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M")
        .map(When::Civil)
        .or_else(|_| instant(text).map(When::Instant))
}

/// Who tells what was typed here.
const BY_HAND: &str = "by-hand";

pub async fn deadlines(cli: &Cli, args: &DeadlinesArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    match &args.command {
        None => list(&context, args).await,
        Some(DeadlinesCommand::Ack { rule, subject, by }) => {
            change(&context, rule, subject, |alerts, rule| {
                acknowledge(alerts, rule, subject, by)
            })
            .await
        }
        Some(DeadlinesCommand::Snooze { rule, subject, until }) => {
            change(&context, rule, subject, |alerts, rule| {
                snooze(alerts, rule, subject, *until)
            })
            .await
        }
    }
}

async fn list(context: &Context, args: &DeadlinesArgs) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let alerts = running::list(&night, &mut tx).await?;
    let entries = shown(&alerts, night.now() + Duration::days(i64::from(args.days)));
    if args.json {
        print_json(&json!({ "deadlines": entries, "alerts": alerts }))?;
    } else if entries.is_empty() {
        print(&fill(
            context.lang,
            "cli.deadlines.none",
            &[("n", args.days.to_string())],
        ))?;
    } else {
        let lang = context.lang;
        let mut rows = vec![heads(lang, "deadlines")];
        rows.extend(entries.iter().map(|entry| {
            vec![
                severity_text(entry.severity, lang),
                rule_text(entry.rule, lang),
                entry.due.map_or_else(
                    || text(lang, "deadline.unknown", &[]),
                    |due| when(due, entry.zone),
                ),
                entry
                    .due
                    .map_or_else(|| "-".to_owned(), |due| due.format("%Y-%m-%d %H:%M").to_string()),
                entry.reference(lang),
                entry.missing.join(", "),
            ]
        }));
        print(&columns(&rows))?;
    }
    let urgent = entries.iter().any(|entry| entry.severity >= Severity::Critical);
    Ok(if urgent { Exit::Findings } else { Exit::Done })
}

async fn change(
    context: &Context,
    rule: &str,
    subject: &str,
    change: impl FnOnce(&mut [Alert], Rule) -> bool,
) -> Result<Exit, CliError> {
    let Some(known) = Rule::parse(rule) else {
        let codes = Rule::ALL.map(Rule::code);
        let near = nearest(rule, codes).map_or_else(
            || format!("one of {}", codes.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(CliError::Usage(format!(
            "`{rule}` is no kind of deadline; {near}"
        )));
    };
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    turn::hold(&mut tx, night.account(), turn::CLOCKS, night.now()).await?;
    let before = clocks::all(&mut tx, night.account()).await?;
    // What nobody was told of yet can be taken on too.
    let mut after = running::list(&night, &mut tx).await?;
    if !change(&mut after, known) {
        let open = after
            .iter()
            .filter(|alert| alert.is_open() && alert.rule == known);
        let near = nearest(subject, open.map(|alert| alert.subject.as_str()))
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        return Err(CliError::Usage(format!(
            "no deadline {} runs for `{subject}`{near}",
            known.code()
        )));
    }
    let changed = after
        .into_iter()
        .find(|alert| alert.rule == known && alert.subject == subject)
        .into_iter();
    let next = with(&before, changed);
    clocks::replace(&mut tx, night.account(), &before, &next, night.now()).await?;
    tx.commit().await?;
    Ok(Exit::Done)
}

/// What is remembered, with one alert changed: looking at a list tells nobody anything, so how far it was told stays.
fn with(before: &[Alert], changed: impl Iterator<Item = Alert>) -> Vec<Alert> {
    let mut next = before.to_vec();
    for mut alert in changed {
        let same = |known: &Alert| known.rule == alert.rule && known.subject == alert.subject;
        alert.told = before
            .iter()
            .find(|known| same(known))
            .and_then(|known| known.told.clone());
        next.retain(|known| !same(known));
        next.push(alert);
    }
    next
}

pub async fn events(cli: &Cli, command: &EventsCommand) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    match command {
        EventsCommand::Show { order, json } => show(&context, order, *json).await,
        EventsCommand::Add {
            order,
            kind,
            when,
            expected,
            place,
            vessel,
            text,
        } => {
            let at = time_of(&context, order, (kind, text.as_deref()), *when).await?;
            let event = TrackingEvent {
                source: SourceId::new(BY_HAND).map_err(|error| CliError::Usage(error.to_string()))?,
                key: String::new(),
                shipment: Some(order.to_string()),
                container: None,
                kind: kind.clone(),
                status: if *expected {
                    EventStatus::Estimated
                } else {
                    EventStatus::Actual
                },
                at,
                place: place.clone(),
                vessel: vessel.clone(),
                voyage: None,
                text: text.clone(),
                told_at: Some(context.clock.now()),
            };
            add(&context, order, &event.with_key(None)).await
        }
        EventsCommand::Unknown { json } => words(&context, *json).await,
    }
}

/// When it is. A slot is refused on a day its warehouse is closed, and at an hour its clocks skip or pass twice.
async fn time_of(
    context: &Context,
    order: &OrderNo,
    (kind, told): (&str, Option<&str>),
    when: When,
) -> Result<DateTime<Utc>, CliError> {
    let night = context.night(false);
    let is_slot = night.tools.words.means(kind, told) == Some(Milestone::Appointment);
    if !is_slot {
        return match when {
            When::Instant(at) => Ok(at),
            When::Civil(_) => Err(CliError::Usage(
                "wanted a time with its offset, such as 2026-09-10T18:00+08:00".to_owned(),
            )),
        };
    }
    let mut tx = context.store.read().await?;
    let Some(stored) = orders::get(&mut tx, night.account(), order).await? else {
        let all = orders::all(&mut tx, night.account()).await?;
        return Err(unknown(&all, order.as_str()));
    };
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let warehouse = &stored.order.warehouse;
    let Some(profile) = catalog.warehouses.get(warehouse) else {
        return Err(CliError::Usage(format!(
            "{warehouse} is in no catalog: its zone is not known"
        )));
    };
    let closures = chain_folder::read(&context.config.home).0.closures;
    let closed = |day: NaiveDate| closures.iter().any(|closure| closure.shuts_door(warehouse, day));
    let refused = |why: NoSlot, at: String| CliError::Usage(format!("no slot at {warehouse}, {at}: {why}"));
    match when {
        When::Civil(at) => slot(at, profile.zone, closed).map_err(|why| refused(why, at.to_string())),
        When::Instant(at) if closed(civil_day(at, profile.zone)) => {
            Err(refused(NoSlot::Closed, civil_day(at, profile.zone).to_string()))
        }
        When::Instant(at) => Ok(at),
    }
}

async fn show(context: &Context, order: &OrderNo, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let Some(stored) = orders::get(&mut tx, night.account(), order).await? else {
        let all = orders::all(&mut tx, night.account()).await?;
        return Err(unknown(&all, order.as_str()));
    };
    let story = running::story_of(&night, &mut tx, &stored).await?;
    if json {
        print_json(&serde_json::to_value(&story)?)?;
    } else {
        print(&story_text(context.lang, &story))?;
    }
    Ok(if story.aside.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

fn story_text(lang: Lang, story: &Story) -> String {
    let mut rows = vec![heads(lang, "events")];
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
    let mut all: Vec<(DateTime<Utc>, Vec<String>)> = Vec::new();
    for (milestone, reached) in &story.reached {
        let told = [
            reached.place.clone().unwrap_or_default(),
            reached.source.to_string(),
        ];
        all.push((
            reached.at,
            row(lang, *milestone, "actual", time(reached.at), told),
        ));
    }
    for (milestone, expected) in &story.expected {
        let told = [String::new(), String::new()];
        all.push((
            expected.at,
            row(lang, *milestone, expected.status.code(), time(expected.at), told),
        ));
    }
    all.sort();
    rows.extend(all.into_iter().map(|(_, row)| row));
    let mut out = columns(&rows);
    if let Some(vessel) = &story.vessel {
        out.push_str(&format!(
            "{}\n",
            fill(lang, "cli.events.vessel", &[("vessel", vessel.clone())])
        ));
    }
    for (why, at, words) in &story.aside {
        let why = match why {
            Aside::Unknown => "unknown",
            Aside::Future => "future",
            Aside::BeforeOrder => "before_order",
        };
        let places = [
            ("why", text(lang, &format!("cli.events.aside.{why}"), &[])),
            ("at", time(*at)),
            ("words", words.clone()),
        ];
        out.push_str(&format!("{}\n", fill(lang, "cli.events.aside", &places)));
    }
    out
}

fn row(
    lang: Lang,
    milestone: Milestone,
    status: &str,
    at: String,
    [place, source]: [String; 2],
) -> Vec<String> {
    vec![
        at,
        word(lang, "cli.milestone", milestone.code()),
        word(lang, "cli.events.status", status),
        place,
        source,
    ]
}

async fn add(context: &Context, order: &OrderNo, event: &TrackingEvent) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    if orders::get(&mut tx, night.account(), order).await?.is_none() {
        let all = orders::all(&mut tx, night.account()).await?;
        return Err(unknown(&all, order.as_str()));
    }
    let new = tracking::append(&mut tx, night.account(), std::slice::from_ref(event), night.now()).await?;
    tx.commit().await?;
    let meaning = context.tools.words.meaning(event);
    let places = [
        ("order", order.to_string()),
        (
            "meaning",
            meaning.map_or_else(
                || text(context.lang, "cli.events.aside.unknown", &[]),
                |milestone| word(context.lang, "cli.milestone", milestone.code()),
            ),
        ),
    ];
    let key = if new == 0 {
        "cli.events.known"
    } else {
        "cli.events.added"
    };
    print(&fill(context.lang, key, &places))?;
    Ok(if meaning.is_some() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

async fn words(context: &Context, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let mut found: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for stored in orders::all(&mut tx, night.account()).await? {
        if stored.state.is_moving() {
            let story = running::story_of(&night, &mut tx, &stored).await?;
            for (_, _, words) in story.aside.into_iter().filter(|(why, ..)| *why == Aside::Unknown) {
                *found.entry(words).or_default() += 1;
            }
        }
    }
    if json {
        print_json(&json!(found))?;
    } else {
        for (words, times) in &found {
            print(&format!("{times} × {words}"))?;
        }
    }
    Ok(if found.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn a_time_needs_its_offset_and_no_seconds() {
        let at = "2026-09-10T10:00:00Z".parse().unwrap();
        for text in [
            "2026-09-10T18:00+08:00",
            "2026-09-10T18:00:00+08:00",
            "2026-09-10T10:00Z",
            "2026-09-10T10:00:00Z",
        ] {
            assert_eq!(instant(text), Ok(at), "{text}");
        }
        assert!(instant("2026-09-10T18:00").is_err());
        assert!(instant("2026-09-10").is_err());
    }
}
