//! `linkstar claim`: what is asked of whom, until when, for how much, and what came of it.

mod draft;
mod show;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::args::{At, Cli};
use super::case::{money, no_case, refused};
use super::context::{Context, print};
use super::{CliError, Exit};
use crate::claim::case::{CaseEvent, CaseEventKind};
use crate::claim::state::{Answer, Beside, Claim, ClaimEvent, ClaimEventKind, Payment};
use crate::digest::sha256_hex;
use crate::money::Money;
use crate::night::cases::{self, Scene, World};
use crate::problem::nearest;
use crate::store::claims;
use crate::store::{Tx, blob, catalog};
use crate::wording::text;

pub use draft::DraftArgs;
pub(super) use show::{line, window_text};

#[derive(Debug, Subcommand)]
pub enum ClaimCommand {
    /// Every claim and what came of it.
    List {
        #[arg(long)]
        json: bool,
    },
    /// One claim: terms, dates, log.
    Show {
        claim: String,
        #[command(flatten)]
        at: At,
        #[arg(long)]
        json: bool,
    },
    /// Ask for the units of a case that no other claim asks for.
    #[command(
        after_help = "Example: linkstar claim draft BH260907-01-L --by wang\n         linkstar claim draft BH260907-01-L --against insurer --currency USD --by wang"
    )]
    Draft(Box<DraftArgs>),
    /// Note that a claim went out, or several together, and the other side's number of it.
    Submit {
        #[arg(required = true, value_name = "CLAIM")]
        claims: Vec<String>,
        #[arg(long)]
        ticket: String,
        /// The day it went out; today when left out.
        #[arg(long)]
        on: Option<NaiveDate>,
        #[command(flatten)]
        who: Who,
    },
    /// Note what the other side said.
    #[command(
        after_help = "Example: linkstar claim answer BH260907-01-L-1 --accepted 800.00USD --by wang\n         linkstar claim answer BH260907-01-L-1 --rejected 'no POD' --by wang"
    )]
    Answer {
        claim: String,
        /// All of it, or a part.
        #[arg(long, value_name = "AMOUNT", value_parser = money, conflicts_with = "rejected", required_unless_present = "rejected")]
        accepted: Option<Money>,
        #[arg(long, value_name = "REASON")]
        rejected: Option<String>,
        #[arg(long)]
        on: Option<NaiveDate>,
        #[command(flatten)]
        who: Who,
    },
    /// Note that you did not leave it at that.
    Appeal {
        claim: String,
        #[arg(long)]
        reason: String,
        #[arg(long)]
        on: Option<NaiveDate>,
        #[command(flatten)]
        who: Who,
    },
    /// Note money that came; the same reference again is the same payment.
    Pay {
        claim: String,
        #[arg(value_parser = money)]
        amount: Money,
        /// The bank's or platform's own number.
        #[arg(long)]
        reference: String,
        #[arg(long)]
        on: Option<NaiveDate>,
        #[command(flatten)]
        who: Who,
    },
    /// Take it back; its units may be claimed of somebody else.
    Withdraw {
        claim: String,
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
    /// Nothing more is expected.
    Settle {
        claim: String,
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
    /// Write the file for the other side: index, letter, evidence, hashes. Several claims against one party go into one file, a
    /// folder each, behind a cover that sums them up.
    #[command(
        after_help = "Example: linkstar claim dossier BH260907-01-L-1 BH260911-02-L-1 --to october.zip --by wang"
    )]
    Dossier {
        #[arg(required = true, value_name = "CLAIM")]
        claims: Vec<String>,
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        who: Who,
    },
    /// What one special drawing right is worth: the newest rate of each currency, who says so, and whether it still holds.
    Rates {
        #[command(flatten)]
        at: At,
        #[arg(long)]
        json: bool,
    },
    /// Money that came, payment by payment.
    Ledger {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Who {
    #[arg(long)]
    pub by: String,
    #[command(flatten)]
    pub at: At,
}

pub async fn run(cli: &Cli, command: &ClaimCommand) -> Result<Exit, CliError> {
    match command {
        ClaimCommand::List { json } => show::list(&Context::open(cli, None).await?, *json).await,
        ClaimCommand::Show { claim, at, json } => {
            show::show(&Context::open(cli, at.at).await?, claim, *json).await
        }
        ClaimCommand::Draft(args) => draft::draft(&Context::open(cli, args.who.at.at).await?, args).await,
        ClaimCommand::Submit {
            claims,
            ticket,
            on,
            who,
        } => {
            let context = Context::open(cli, who.at.at).await?;
            submit(&context, claims, ticket, *on, &who.by).await
        }
        ClaimCommand::Answer {
            claim,
            accepted,
            rejected,
            on,
            who,
        } => {
            let answer = match (accepted, rejected) {
                (Some(amount), _) => Answer::Accepted { amount: *amount },
                (None, reason) => Answer::Rejected {
                    reason: reason.clone().unwrap_or_default(),
                },
            };
            change(cli, claim, who, *on, |on| ClaimEventKind::Answered { on, answer }).await
        }
        ClaimCommand::Appeal {
            claim,
            reason,
            on,
            who,
        } => {
            let reason = reason.clone();
            change(cli, claim, who, *on, |on| ClaimEventKind::Appealed { on, reason }).await
        }
        ClaimCommand::Pay {
            claim,
            amount,
            reference,
            on,
            who,
        } => {
            change(cli, claim, who, *on, |on| ClaimEventKind::Paid {
                payment: Payment {
                    reference: reference.clone(),
                    amount: *amount,
                    on,
                },
            })
            .await
        }
        ClaimCommand::Withdraw { claim, reason, who } => {
            let reason = reason.clone();
            change(cli, claim, who, None, |_| ClaimEventKind::Withdrawn { reason }).await
        }
        ClaimCommand::Settle { claim, reason, who } => {
            let reason = reason.clone();
            change(cli, claim, who, None, |_| ClaimEventKind::Settled { reason }).await
        }
        ClaimCommand::Dossier { claims, to, who } => {
            dossier(&Context::open(cli, who.at.at).await?, claims, to, &who.by).await
        }
        ClaimCommand::Rates { at, json } => show::rates(&Context::open(cli, at.at).await?, *json),
        ClaimCommand::Ledger { json } => show::ledger(&Context::open(cli, None).await?, *json).await,
    }
}

async fn found(context: &Context, tx: &mut Tx, number: &str) -> Result<Claim, CliError> {
    let account = context.night(false).account().clone();
    match claims::claim(tx, &account, number).await.map_err(refused)? {
        Some(claim) => Ok(claim),
        None => {
            let all = claims::claims(tx, &account).await.map_err(refused)?;
            let near = nearest(number, all.iter().map(|claim| claim.number.as_str()))
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            Err(CliError::Usage(format!("there is no claim `{number}`{near}")))
        }
    }
}

async fn scene_of(
    context: &Context,
    tx: &mut Tx,
    number: &str,
    beside: &[Beside],
) -> Result<Scene, CliError> {
    let night = context.night(false);
    let Some(case) = claims::get(tx, night.account(), number).await.map_err(refused)? else {
        let all = claims::cases(tx, night.account()).await.map_err(refused)?;
        return Err(no_case(&all, number));
    };
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let world = World::load(&night, tx, &catalog).await?;
    cases::scene_of_claim(&night, tx, &world, case, beside)
        .await
        .map_err(refused)?
        .ok_or_else(|| CliError::Usage(format!("the order of case `{number}` is gone")))
}

/// All of them, or none.
async fn submit(
    context: &Context,
    numbers: &[String],
    ticket: &str,
    on: Option<NaiveDate>,
    by: &str,
) -> Result<Exit, CliError> {
    let night = context.night(false);
    let on = on.unwrap_or_else(|| night.today());
    let mut tx = context.store.write().await?;
    claims::hold(&mut tx, night.account(), night.now()).await?;
    let mut late = false;
    for (scene, claim) in together(context, &mut tx, numbers).await? {
        let number = &claim.number;
        let window = scene.window(&night, (claim.asked.party, cases::named(&claim)), Some(&claim));
        if let Some(first) = window
            .as_ref()
            .ok()
            .and_then(|window| window.not_before)
            .filter(|first| on < *first)
        {
            return Err(CliError::Usage(format!(
                "claim {number} cannot go out before {first}: until then the units may still be counted"
            )));
        }
        late |= window.as_ref().is_ok_and(|window| on > window.last_day);
        let event = ClaimEvent {
            at: night.now(),
            by: by.to_owned(),
            kind: ClaimEventKind::Submitted {
                on,
                ticket: ticket.to_owned(),
            },
        };
        claims::append_claim(&mut tx, night.account(), number, event)
            .await
            .map_err(refused)?;
    }
    tx.commit().await?;
    if late {
        eprintln!("{}", text(context.lang, "cli.claim.late", &[]));
        return Ok(Exit::Findings);
    }
    Ok(Exit::Done)
}

/// Claims with what they are about. Several go to one and the same, or not together.
async fn together(
    context: &Context,
    tx: &mut Tx,
    numbers: &[String],
) -> Result<Vec<(Scene, Claim)>, CliError> {
    let night = context.night(false);
    let mut all: Vec<(Scene, Claim)> = Vec::new();
    for number in numbers {
        let claim = found(context, tx, number).await?;
        let scene = scene_of(context, tx, &claim.asked.case, &claim.asked.beside).await?;
        if let Some((one, first)) = all.first() {
            let whom = |scene, claim: &Claim| (claim.asked.party, cases::asked_of(&night, scene, claim));
            let (own, other) = (whom(one, first), whom(&scene, &claim));
            if own != other {
                return Err(CliError::Usage(format!(
                    "claims {} and {number} are asked of two: {} ({}) and {} ({}); one file or ticket goes to one",
                    first.number,
                    own.1,
                    own.0.code(),
                    other.1,
                    other.0.code()
                )));
            }
        }
        if all.iter().any(|(_, known)| known.number == claim.number) {
            return Err(CliError::Usage(format!("claim {number} is named twice")));
        }
        all.push((scene, claim));
    }
    Ok(all)
}

async fn change(
    cli: &Cli,
    number: &str,
    who: &Who,
    on: Option<NaiveDate>,
    kind: impl FnOnce(NaiveDate) -> ClaimEventKind,
) -> Result<Exit, CliError> {
    let context = Context::open(cli, who.at.at).await?;
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    claims::hold(&mut tx, night.account(), night.now()).await?;
    found(&context, &mut tx, number).await?;
    let event = ClaimEvent {
        at: night.now(),
        by: who.by.clone(),
        kind: kind(on.unwrap_or_else(|| night.today())),
    };
    let claim = claims::append_claim(&mut tx, night.account(), number, event)
        .await
        .map_err(refused)?;
    tx.commit().await?;
    print(&line(&claim, context.lang))?;
    Ok(Exit::Done)
}

async fn dossier(context: &Context, numbers: &[String], to: &PathBuf, by: &str) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    claims::hold(&mut tx, night.account(), night.now()).await?;
    let all = together(context, &mut tx, numbers).await?;
    let bytes = cases::dossier(&night, &mut tx, &all).await?;
    let sha256 = sha256_hex(&bytes);
    for (_, claim) in &all {
        let case = &claim.asked.case;
        let known = claims::case_events(&mut tx, night.account(), case)
            .await?
            .iter()
            .any(|event| {
                matches!(&event.kind, CaseEventKind::Dossier { sha256: known, claim: of } if *known == sha256 && *of == claim.number)
            });
        if known {
            continue;
        }
        blob::put(&mut tx, night.account(), "dossier", &bytes, night.now()).await?;
        let event = CaseEvent {
            at: night.now(),
            by: by.to_owned(),
            kind: CaseEventKind::Dossier {
                claim: claim.number.clone(),
                sha256: sha256.clone(),
            },
        };
        claims::append(&mut tx, night.account(), case, event)
            .await
            .map_err(refused)?;
    }
    // The file first: what the log says was written, was.
    std::fs::write(to, &bytes).map_err(|source| CliError::File {
        what: "write",
        path: to.clone(),
        source,
    })?;
    tx.commit().await?;
    print(&format!("{sha256}  {}", to.display()))?;
    Ok(Exit::Done)
}
