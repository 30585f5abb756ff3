//! `linkstar case`: what is missing or broken of which order, who seems responsible, and the papers.

mod show;

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Subcommand};
use rust_decimal::Decimal;

use super::args::{At, Cli};
use super::context::{Context, print};
use super::{CliError, Exit};
use crate::claim::Party;
use crate::claim::amount::CostInvoice;
use crate::claim::case::{Case, CaseEvent, CaseEventKind};
use crate::claim::evidence::{Evidence, Paper, Tag};
use crate::ids::Sku;
use crate::money::{Currency, Money};
use crate::night::cases::{self, World};
use crate::problem::nearest;
use crate::reconcile::DifferenceId;
use crate::store::claims::{self, ClaimStoreError};
use crate::store::{catalog, differences};

/// A paper larger than this is a film.
const MAX_EVIDENCE_BYTES: u64 = 64 << 20;

#[derive(Debug, Subcommand)]
pub enum CaseCommand {
    /// Open cases, the one with the nearest last day first.
    List {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        at: At,
        #[arg(long)]
        json: bool,
    },
    /// One case: units, proposal, papers, dates, claims and what people did.
    Show {
        case: String,
        #[command(flatten)]
        at: At,
        #[arg(long)]
        json: bool,
    },
    /// Make a case of a difference that is not final, or may be something else.
    Open {
        difference: String,
        #[arg(long)]
        by: String,
        #[command(flatten)]
        at: At,
    },
    /// Decide who is asked.
    Assign {
        case: String,
        /// carrier, warehouse, customs, shipper or insurer
        #[arg(value_parser = party)]
        party: Party,
        #[arg(long)]
        reason: String,
        #[arg(long)]
        by: String,
        #[command(flatten)]
        at: At,
    },
    /// Papers of a case.
    Evidence {
        #[command(subcommand)]
        command: EvidenceCommand,
    },
    /// Note that the other side was told of the loss: that stops the clock of the notice.
    Notify {
        case: String,
        #[arg(long)]
        on: NaiveDate,
        /// How: mail, ticket, remark on the delivery note.
        #[arg(long)]
        how: String,
        #[arg(long)]
        by: String,
        #[command(flatten)]
        at: At,
    },
    /// Nothing more is done about it.
    Close {
        case: String,
        #[arg(long)]
        reason: String,
        #[arg(long)]
        by: String,
        #[command(flatten)]
        at: At,
    },
    /// Take up a closed case again.
    Reopen {
        case: String,
        #[arg(long)]
        reason: String,
        #[arg(long)]
        by: String,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Keep a paper with a case; a count on it goes into the proposal.
    #[command(
        after_help = "Example: linkstar case evidence add BH260907-01-L pod.pdf --paper delivery_proof --cartons 20 --clean --at 2026-09-30T10:00+01:00 --by wang\n         linkstar case evidence add BH260907-01-L inv.pdf --paper cost_invoice --number INV-1 --on 2026-07-01 --line 85123A=400@23.50CNY --by wang"
    )]
    Add(Box<AddArgs>),
}

#[derive(Debug, Args)]
pub struct AddArgs {
    pub case: String,
    pub file: PathBuf,
    /// delivery_proof, carrier_receipt, cost_invoice, customs_notice, carton_photos, …
    #[arg(long, value_parser = paper)]
    pub paper: Paper,
    /// Personal and secret papers never go into a dossier.
    #[arg(long, default_value = "open", value_parser = tag)]
    pub tag: Tag,
    /// Cartons that the paper says were there.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=100_000))]
    pub cartons: Option<i64>,
    /// The paper has no remark of damage.
    #[arg(long, conflicts_with = "damaged")]
    pub clean: bool,
    /// The paper has a remark of damage.
    #[arg(long)]
    pub damaged: bool,
    /// The time on the paper, with its offset.
    #[arg(long, value_name = "INSTANT", value_parser = super::clocks::instant)]
    pub at: Option<DateTime<Utc>>,
    #[arg(long, default_value = "")]
    pub note: String,
    /// Of a maker's invoice: its number.
    #[arg(long, requires = "line")]
    pub number: Option<String>,
    /// Of a maker's invoice: its day.
    #[arg(long, requires = "line")]
    pub on: Option<NaiveDate>,
    /// Of a maker's invoice: SKU=UNITS@PRICE of one, such as 85123A=400@23.50CNY.
    #[arg(long, value_name = "SKU=UNITS@PRICE", value_parser = cost_line, requires = "number", requires = "on")]
    pub line: Vec<(Sku, i64, Money)>,
    #[arg(long)]
    pub by: String,
}

pub(super) fn party(text: &str) -> Result<Party, String> {
    Party::parse(text).ok_or_else(|| one_of(text, Party::ALL.iter().map(|party| party.code())))
}

fn paper(text: &str) -> Result<Paper, String> {
    Paper::parse(text).ok_or_else(|| one_of(text, Paper::ALL.iter().map(|paper| paper.code())))
}

fn tag(text: &str) -> Result<Tag, String> {
    Tag::parse(text).ok_or_else(|| one_of(text, Tag::ALL.iter().map(|tag| tag.code())))
}

fn one_of<'a>(text: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    nearest(text, known.clone()).map_or_else(
        || format!("one of {}", known.collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    )
}

/// `23.50CNY`, with or without a blank.
pub(super) fn money(text: &str) -> Result<Money, String> {
    let wanted = || "an amount with its currency, such as 23.50CNY".to_owned();
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wanted)?;
    let (amount, currency) = text.split_at(at);
    let amount: Decimal = amount.trim().parse().map_err(|_| wanted())?;
    let currency = Currency::new(currency).map_err(|_| wanted())?;
    Ok(Money::new(amount, currency))
}

fn cost_line(text: &str) -> Result<(Sku, i64, Money), String> {
    let wanted = || "SKU=UNITS@PRICE, such as 85123A=400@23.50CNY".to_owned();
    let (sku, rest) = text.rsplit_once('=').ok_or_else(wanted)?;
    let (units, price) = rest.split_once('@').ok_or_else(wanted)?;
    let units: i64 = units.trim().parse().map_err(|_| wanted())?;
    let price = money(price)?;
    if units < 1 || price.amount <= Decimal::ZERO {
        return Err("units and price above 0".to_owned());
    }
    Ok((Sku::new(sku).map_err(|error| error.to_string())?, units, price))
}

/// What a person can mend is wrong usage.
pub(super) fn refused(error: ClaimStoreError) -> CliError {
    match error {
        ClaimStoreError::Store(error) => CliError::Store(error),
        other => CliError::Usage(other.to_string()),
    }
}

pub(super) fn no_case(cases: &[Case], given: &str) -> CliError {
    let near = nearest(given, cases.iter().map(|case| case.number.as_str()))
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    CliError::Usage(format!("there is no case `{given}`{near}"))
}

pub async fn run(cli: &Cli, command: &CaseCommand) -> Result<Exit, CliError> {
    match command {
        CaseCommand::List { all, at, json } => {
            show::list(&Context::open(cli, at.at).await?, *all, *json).await
        }
        CaseCommand::Show { case, at, json } => {
            show::show(&Context::open(cli, at.at).await?, case, *json).await
        }
        CaseCommand::Open { difference, by, at } => {
            open(&Context::open(cli, at.at).await?, difference, by).await
        }
        CaseCommand::Assign {
            case,
            party,
            reason,
            by,
            at,
        } => {
            let kind = CaseEventKind::Assigned {
                party: *party,
                reason: reason.clone(),
            };
            change(&Context::open(cli, at.at).await?, case, by, kind).await
        }
        CaseCommand::Evidence {
            command: EvidenceCommand::Add(args),
        } => add(&Context::open(cli, None).await?, args).await,
        CaseCommand::Notify {
            case,
            on,
            how,
            by,
            at,
        } => {
            let kind = CaseEventKind::Notified {
                on: *on,
                how: how.clone(),
            };
            change(&Context::open(cli, at.at).await?, case, by, kind).await
        }
        CaseCommand::Close { case, reason, by, at } => {
            let kind = CaseEventKind::Closed {
                reason: reason.clone(),
            };
            change(&Context::open(cli, at.at).await?, case, by, kind).await
        }
        CaseCommand::Reopen { case, reason, by, at } => {
            let kind = CaseEventKind::Reopened {
                reason: reason.clone(),
            };
            change(&Context::open(cli, at.at).await?, case, by, kind).await
        }
    }
}

async fn open(context: &Context, given: &str, by: &str) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    claims::hold(&mut tx, night.account(), night.now()).await?;
    let stored = match DifferenceId::read(given) {
        Some(id) => differences::get(&mut tx, night.account(), &id).await?,
        None => None,
    };
    let Some(stored) = stored.filter(|stored| stored.undone_on.is_none()) else {
        return Err(CliError::Usage(format!(
            "there is no difference `{given}` that stands"
        )));
    };
    if !stored.difference.kind.is_loss() {
        return Err(CliError::Usage(format!(
            "difference `{given}` is {}: no units are gone or broken",
            stored.difference.kind.code()
        )));
    }
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let world = World::load(&night, &mut tx, &catalog).await?;
    let case = cases::open_by_hand(&night, &mut tx, &world, &stored, by).await?;
    tx.commit().await?;
    print(&case.number)?;
    Ok(Exit::Done)
}

async fn change(context: &Context, number: &str, by: &str, kind: CaseEventKind) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    claims::hold(&mut tx, night.account(), night.now()).await?;
    let event = CaseEvent {
        at: night.now(),
        by: by.to_owned(),
        kind,
    };
    if claims::get(&mut tx, night.account(), number)
        .await
        .map_err(refused)?
        .is_none()
    {
        let all = claims::cases(&mut tx, night.account()).await.map_err(refused)?;
        return Err(no_case(&all, number));
    }
    claims::append(&mut tx, night.account(), number, event)
        .await
        .map_err(refused)?;
    tx.commit().await?;
    Ok(Exit::Done)
}

fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::File {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_EVIDENCE_BYTES {
        return Err(CliError::Usage(format!(
            "{} has {size} bytes; a paper has at most {MAX_EVIDENCE_BYTES}",
            path.display()
        )));
    }
    std::fs::read(path).map_err(failed)
}

async fn add(context: &Context, args: &AddArgs) -> Result<Exit, CliError> {
    let bytes = read_file(&args.file)?;
    let name = args.file.file_name().map_or_else(
        || args.paper.code().to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let costs = match (&args.number, args.on) {
        (Some(number), Some(on)) => args
            .line
            .iter()
            .map(|(sku, units, price)| CostInvoice {
                number: number.clone(),
                on,
                sku: sku.clone(),
                units: *units,
                price: *price,
            })
            .collect(),
        _ => Vec::new(),
    };
    if !costs.is_empty() && args.paper != Paper::CostInvoice {
        return Err(CliError::Usage(
            "--line is what a maker's invoice says: --paper cost_invoice".to_owned(),
        ));
    }
    let evidence = Evidence {
        paper: args.paper,
        name,
        sha256: String::new(),
        tag: args.tag,
        cartons: args.cartons,
        clean: (args.clean || args.damaged).then_some(args.clean),
        at: args.at,
        note: args.note.clone(),
        costs,
    };
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    claims::hold(&mut tx, night.account(), night.now()).await?;
    if claims::get(&mut tx, night.account(), &args.case)
        .await
        .map_err(refused)?
        .is_none()
    {
        let all = claims::cases(&mut tx, night.account()).await.map_err(refused)?;
        return Err(no_case(&all, &args.case));
    }
    let at = (args.by.as_str(), night.now());
    let case = claims::add_evidence(&mut tx, night.account(), &args.case, (evidence, &bytes), at)
        .await
        .map_err(refused)?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let world = World::load(&night, &mut tx, &catalog).await?;
    let case = cases::look_again(&night, &mut tx, &world, case).await?;
    tx.commit().await?;
    if let Some(proposal) = &case.proposal {
        print(&proposal.text(context.lang))?;
    }
    Ok(Exit::Done)
}
