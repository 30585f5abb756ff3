//! `linkstar claim draft`: asks for the units of a case, or of several of one order, that no other claim asks for.

use std::collections::BTreeMap;

use clap::Args;

use super::super::case::{money, no_case, party, refused};
use super::super::context::{Context, print};
use super::super::{CliError, Exit};
use super::{Who, line, scene_of};
use crate::claim::state::{Asked, Beside, Claimed};
use crate::claim::{LossKind, Party};
use crate::ids::Sku;
use crate::money::{Currency, Money};
use crate::night::cases::{self, INSURANCE, More};
use crate::store::{Tx, claims};

#[derive(Debug, Args)]
pub struct DraftArgs {
    pub case: String,
    /// Another case of the same order that the same claim asks for: one letter, one amount, one window.
    #[arg(long, value_name = "CASE")]
    pub with: Vec<String>,
    /// Who is asked; whom the case is assigned to when left out.
    #[arg(long, value_parser = party)]
    pub against: Option<Party>,
    /// Under which rules, by their id.
    #[arg(long)]
    pub regime: Option<String>,
    /// Of the claim; the order's when left out.
    #[arg(long, value_parser = Currency::new)]
    pub currency: Option<Currency>,
    /// Packages lost, where the reports do not tell cartons apart.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    pub packages: Option<i64>,
    /// What the warehouse billed for missed slots, where it is not what its terms say.
    #[arg(long, value_name = "AMOUNT", value_parser = money)]
    pub fee: Option<Money>,
    /// What the carriage of a late order cost, where no bill says so: contracts may owe a share of it.
    #[arg(long, value_name = "AMOUNT", value_parser = money)]
    pub freight: Option<Money>,
    /// Only so many units of a difference.
    #[arg(long, value_name = "DIFFERENCE=UNITS", value_parser = units)]
    pub units: Vec<(String, i64)>,
    /// Sales price less fees of one, as the platform says.
    #[arg(long, value_name = "SKU=PRICE", value_parser = sales)]
    pub sales: Vec<(Sku, Money)>,
    #[command(flatten)]
    pub who: Who,
}

fn units(text: &str) -> Result<(String, i64), String> {
    let wanted = || "DIFFERENCE=UNITS, units above 0".to_owned();
    let (difference, units) = text.split_once('=').ok_or_else(wanted)?;
    let units: i64 = units.trim().parse().map_err(|_| wanted())?;
    if units < 1 {
        return Err(wanted());
    }
    Ok((difference.trim().to_owned(), units))
}

fn sales(text: &str) -> Result<(Sku, Money), String> {
    let (sku, price) = text
        .rsplit_once('=')
        .ok_or_else(|| "SKU=PRICE, such as 85123A=12.50USD".to_owned())?;
    Ok((Sku::new(sku).map_err(|error| error.to_string())?, money(price)?))
}

pub(super) async fn draft(context: &Context, args: &DraftArgs) -> Result<Exit, CliError> {
    let night = context.night(false);
    let account = night.account();
    let mut tx = context.store.write().await?;
    claims::hold(&mut tx, account, night.now()).await?;
    let beside = beside(context, &mut tx, args).await?;
    let scene = scene_of(context, &mut tx, &args.case, &beside).await?;
    let case = &scene.case;
    let usage = |error: cases::NotYet| CliError::Usage(error.to_string());
    let against = args
        .against
        .or_else(|| case.against())
        .ok_or_else(|| usage(cases::NotYet::Nobody))?;
    let mut lines = Vec::new();
    for missing in case.lines.values().filter(|line| line.units > 0) {
        let free = claims::free(&mut tx, account, &missing.difference)
            .await?
            .unwrap_or(0);
        let units = if args.units.is_empty() {
            free
        } else {
            // What is asked for and held by another claim is refused where it is taken, with the holder's name.
            args.units
                .iter()
                .filter(|(difference, _)| *difference == missing.difference)
                .map(|(_, units)| *units)
                .sum()
        };
        if units > 0 {
            lines.push(Claimed {
                difference: missing.difference.clone(),
                sku: missing.sku.clone(),
                units,
            });
        }
    }
    if let Some((unknown, _)) = args
        .units
        .iter()
        .find(|(difference, _)| !case.lines.contains_key(difference))
    {
        return Err(CliError::Usage(format!(
            "difference `{unknown}` is not in case {}",
            case.number
        )));
    }
    // Days and slots cannot be shared out among units: who asks for them asks for all.
    let of_time = case.subject.kind.is_of_time();
    if of_time && !lines.is_empty() && lines.iter().map(|line| line.units).sum::<i64>() != case.units() {
        return Err(CliError::Usage(format!(
            "case {} is about time: a claim asks for all of it, without --units",
            case.number
        )));
    }
    if args.fee.is_some() && case.subject.kind != LossKind::MissedSlot {
        return Err(CliError::Usage(
            "--fee is what a warehouse billed for a missed slot".to_owned(),
        ));
    }
    if args.freight.is_some() && case.subject.kind != LossKind::Delay {
        return Err(CliError::Usage(
            "--freight is what the carriage of a late order cost".to_owned(),
        ));
    }
    if lines.is_empty() {
        return Err(CliError::Usage(format!(
            "every unit of case {} is claimed already, or found",
            case.number
        )));
    }
    let more = More {
        currency: args.currency,
        packages: args.packages,
        fee: args.fee,
        freight: args.freight,
        sales: args.sales.iter().cloned().collect::<BTreeMap<_, _>>(),
    };
    let named = args.regime.as_deref();
    let amount = scene
        .amount(&night, (against, named), &lines, &more, night.today())
        .map_err(usage)?;
    let regime = if against == Party::Insurer {
        INSURANCE.to_owned()
    } else {
        scene.regime(&night, against, named).map_err(usage)?.id.clone()
    };
    let asked = Asked {
        case: case.number.clone(),
        order: case.subject.order.clone(),
        warehouse: case.subject.warehouse.clone(),
        kind: case.subject.kind,
        party: against,
        regime,
        lines,
        amount,
        beside,
    };
    let claim = claims::draft(&mut tx, account, asked, (&args.who.by, night.now()))
        .await
        .map_err(refused)?;
    tx.commit().await?;
    let lacking = !claim.asked.amount.uncovered.is_empty();
    for uncovered in &claim.asked.amount.uncovered {
        eprintln!("{}", uncovered.text(context.lang));
    }
    print(&line(&claim, context.lang))?;
    Ok(if lacking { Exit::Findings } else { Exit::Done })
}

/// The cases beside, each of the same order and about goods that are gone or broken.
async fn beside(context: &Context, tx: &mut Tx, args: &DraftArgs) -> Result<Vec<Beside>, CliError> {
    let night = context.night(false);
    let all = claims::cases(tx, night.account()).await.map_err(refused)?;
    let known = |number: &str| {
        let found = all.iter().find(|case| case.number == number);
        found.ok_or_else(|| no_case(&all, number))
    };
    let own = known(&args.case)?;
    let mut beside: Vec<Beside> = Vec::new();
    for number in &args.with {
        let other = known(number)?;
        let of_time = own.subject.kind.is_of_time() || other.subject.kind.is_of_time();
        let twice = other.number == own.number || beside.iter().any(|one| one.case == other.number);
        if other.subject.order != own.subject.order || of_time || twice {
            return Err(CliError::Usage(format!(
                "case {number} cannot go into one claim with {}: wanted another case of order {} about goods that are gone or broken",
                own.number, own.subject.order
            )));
        }
        // Asking one party for what another is held to have done would be no claim.
        let (one, two) = (own.against(), other.against());
        if args.against.is_none() && one != two {
            return Err(CliError::Usage(format!(
                "{} and {number} are held against different parties: name one with --against, or draft two claims",
                own.number
            )));
        }
        beside.push(Beside {
            case: other.number.clone(),
            kind: other.subject.kind,
        });
    }
    Ok(beside)
}
