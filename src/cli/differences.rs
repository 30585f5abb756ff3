//! `linkstar differences`: what is not as it should be with received units, and what shows it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::args::Cli;
use super::context::{Context, columns, fill, print, print_json};
use super::{CliError, Exit};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::reconcile::{DifferenceId, Kind, Standing};
use crate::report::pointer_text;
use crate::store::differences::{self, DifferenceEvent, StoredDifference};
use crate::wording::{Lang, text};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DifferencesArgs {
    #[command(subcommand)]
    pub command: Option<DifferencesCommand>,
    #[command(flatten)]
    pub filter: Filter,
}

#[derive(Debug, Subcommand)]
pub enum DifferencesCommand {
    /// Those that stand, or the ones asked for.
    List(Filter),
    /// One with its evidence and its history.
    Show {
        /// The sixteen digits, or as many of the first as make it one only.
        id: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Filter {
    #[arg(long)]
    pub order: Option<OrderNo>,
    #[arg(long)]
    pub warehouse: Option<WarehouseCode>,
    #[arg(long)]
    pub sku: Option<Sku>,
    /// short, over, damaged, wrong_sku, carton_missing, …
    #[arg(long, value_parser = kind)]
    pub kind: Option<Kind>,
    /// Only those that are final.
    #[arg(long = "final")]
    pub is_final: bool,
    /// Only those that may be two things: a person decides.
    #[arg(long)]
    pub undetermined: bool,
    /// Only losses that somebody may be asked to pay for.
    #[arg(long)]
    pub claimable: bool,
    /// Those that went away, too.
    #[arg(long)]
    pub all: bool,
    #[arg(long)]
    pub json: bool,
}

fn kind(code: &str) -> Result<Kind, String> {
    Kind::parse(code).ok_or_else(|| format!("one of {}", Kind::ALL.map(Kind::code).join(", ")))
}

impl Filter {
    fn lets(&self, stored: &StoredDifference) -> bool {
        let one = &stored.difference;
        let is = |wanted: Option<bool>| wanted.unwrap_or(true);
        is(self.order.as_ref().map(|order| *order == one.order))
            && is(self
                .warehouse
                .as_ref()
                .map(|warehouse| *warehouse == one.warehouse))
            && is(self.sku.as_ref().map(|sku| *sku == one.sku))
            && is(self.kind.map(|kind| kind == one.kind || one.or.contains(&kind)))
            && (!self.is_final || one.standing == Standing::Final)
            && (!self.undetermined || !one.is_determined())
            && (!self.claimable || one.is_claimable())
    }
}

pub async fn run(cli: &Cli, args: &DifferencesArgs) -> Result<Exit, CliError> {
    match &args.command {
        None => list(cli, &args.filter).await,
        Some(DifferencesCommand::List(filter)) => list(cli, filter).await,
        Some(DifferencesCommand::Show { id, json }) => show(cli, id, *json).await,
    }
}

async fn list(cli: &Cli, filter: &Filter) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let account = &context.config.account.id;
    let mut tx = context.store.read().await?;
    let mut stored = match (&filter.order, filter.all) {
        (Some(order), _) => differences::of_order(&mut tx, account, order).await?,
        (None, true) => differences::all(&mut tx, account).await?,
        (None, false) => differences::open(&mut tx, account).await?,
    };
    stored.retain(|stored| filter.lets(stored) && (filter.all || stored.undone_on.is_none()));
    stored.sort_by(|a, b| {
        let key = |stored: &StoredDifference| {
            let one = &stored.difference;
            (one.order.clone(), one.sku.clone(), one.kind, one.id.clone())
        };
        key(a).cmp(&key(b))
    });
    let stands = stored.iter().any(|stored| stored.undone_on.is_none());
    if filter.json {
        print_json(&Value::Array(stored.iter().map(shown).collect()))?;
    } else if stored.is_empty() {
        print(&text(context.lang, "differences.none", &[]))?;
    } else {
        let mut rows = vec![columns_of(context.lang)];
        rows.extend(stored.iter().map(|stored| row(stored, context.lang)));
        print(&columns(&rows))?;
    }
    Ok(if stands { Exit::Findings } else { Exit::Done })
}

fn columns_of(lang: Lang) -> Vec<String> {
    text(lang, "differences.columns.list", &[])
        .split('|')
        .map(str::to_owned)
        .collect()
}

fn row(stored: &StoredDifference, lang: Lang) -> Vec<String> {
    let one = &stored.difference;
    let standing = stored.undone_on.map_or_else(
        || one.standing.text(lang),
        |day| fill(lang, "differences.undone_on", &[("date", day.to_string())]),
    );
    vec![
        one.id.to_string(),
        one.order.to_string(),
        one.warehouse.to_string(),
        one.sku.to_string(),
        one.carton.clone().unwrap_or_default(),
        one.kind.text(lang),
        kinds(&one.or, lang),
        one.units.to_string(),
        one.confidence.to_string(),
        standing,
        stored.first_seen.to_string(),
    ]
}

fn kinds(kinds: &[Kind], lang: Lang) -> String {
    kinds
        .iter()
        .map(|kind| kind.text(lang))
        .collect::<Vec<_>>()
        .join(" / ")
}

fn shown(stored: &StoredDifference) -> Value {
    json!({
        "difference": stored.difference, "revision": stored.revision, "first_seen": stored.first_seen,
        "as_of": stored.as_of, "undone_on": stored.undone_on,
        "determined": stored.difference.is_determined(), "claimable": stored.difference.is_claimable(),
    })
}

async fn show(cli: &Cli, id: &str, json: bool) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let (lang, account) = (context.lang, &context.config.account.id);
    let mut tx = context.store.read().await?;
    let found = match DifferenceId::read(id) {
        Some(id) => differences::get(&mut tx, account, &id).await?,
        None => {
            let mut all = differences::all(&mut tx, account).await?;
            all.retain(|stored| !id.is_empty() && stored.difference.id.as_str().starts_with(id));
            let only = all.len() == 1;
            all.pop().filter(|_| only)
        }
    };
    let Some(stored) = found else {
        return Err(CliError::Usage(text(lang, "differences.unknown", &[("id", id)])));
    };
    let history = differences::history(&mut tx, account, &stored.difference.id).await?;
    if json {
        let mut value = shown(&stored);
        value["history"] = history.iter().map(happened).collect();
        print_json(&value)?;
    } else {
        print(&told(&stored, &history, lang))?;
    }
    Ok(Exit::Done)
}

fn happened(event: &DifferenceEvent) -> Value {
    json!({
        "revision": event.revision, "as_of": event.as_of, "event": event.kind.code(),
        "units": event.difference.units, "standing": event.difference.standing, "recorded_at": event.recorded_at,
    })
}

fn told(stored: &StoredDifference, history: &[DifferenceEvent], lang: Lang) -> String {
    let one = &stored.difference;
    let mut lines = vec![
        one.id.to_string(),
        fill(
            lang,
            "differences.show.head",
            &[
                ("order", one.order.to_string()),
                ("sku", one.sku.to_string()),
                ("warehouse", one.warehouse.to_string()),
                ("kind", one.kind.text(lang)),
                ("units", one.units.to_string()),
                ("shipped", one.shipped.to_string()),
                ("received", one.received.to_string()),
                ("standing", one.standing.text(lang)),
                ("confidence", one.confidence.to_string()),
            ],
        ),
    ];
    let mut say = |key: &str, places: &[(&str, String)]| {
        lines.push(fill(lang, &format!("differences.{key}"), places));
    };
    if let Some(day) = stored.undone_on {
        say("undone_on", &[("date", day.to_string())]);
    }
    if !one.is_determined() {
        say("show.or", &[("or", kinds(&one.or, lang))]);
    }
    if let Some(carton) = &one.carton {
        say("show.carton", &[("carton", carton.clone())]);
    }
    if let Some(sku) = &one.counted_as {
        say("show.counted_as", &[("sku", sku.to_string())]);
    }
    if let (Some(expected), Some(found)) = (&one.expected, &one.found) {
        say(
            "show.papers",
            &[("expected", expected.clone()), ("found", found.clone())],
        );
    }
    if let Some(key) = one.matched_by {
        say("show.key", &[("key", key.text(lang))]);
    }
    if !one.evidence.is_empty() {
        say("show.evidence", &[]);
    }
    lines.extend(one.evidence.iter().map(|pointer| {
        let by = pointer
            .by
            .map(|key| format!(" [{}]", key.text(lang)))
            .unwrap_or_default();
        format!("  {}{by}", pointer_text(pointer, lang))
    }));
    lines.push(text(lang, "differences.show.history", &[]));
    lines.extend(history.iter().map(|event| {
        let kind = text(lang, &format!("differences.event.{}", event.kind.code()), &[]);
        let standing = event.difference.standing.text(lang);
        format!("  {} {kind} {} {standing}", event.as_of, event.difference.units)
    }));
    lines.join("\n")
}
