//! `linkstar order reissue` and `linkstar order cancel`: the ways out of a booking that was refused.

use std::collections::BTreeMap;

use super::super::args::OrderReason;
use super::super::context::{Context, fill, print};
use super::super::{CliError, Exit};
use super::{unknown, usage};
use crate::ids::{OrderNo, Sku};
use crate::night::amend::{self, AmendError, TakenBack};
use crate::store::orders;

pub(super) async fn reissue(
    context: &Context,
    order: &OrderNo,
    why: &OrderReason,
    units: &[String],
) -> Result<Exit, CliError> {
    let units = parse_units(units)?;
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    let done = match amend::reissue(&night, &mut tx, order, &units, &why.reason, &why.by).await {
        Ok(done) => done,
        Err(error) => return Err(told(&night, &mut tx, order, error).await?),
    };
    tx.commit().await?;
    let places = [
        ("order", order.to_string()),
        ("revision", done.revision.to_string()),
        ("documents", done.documents.to_string()),
    ];
    say(context, "cli.order.reissued", &places, done.taken_back)
}

pub(super) async fn cancel(context: &Context, order: &OrderNo, why: &OrderReason) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    let taken_back = match amend::cancel(&night, &mut tx, order, &why.reason, &why.by).await {
        Ok(taken_back) => taken_back,
        Err(error) => return Err(told(&night, &mut tx, order, error).await?),
    };
    tx.commit().await?;
    say(
        context,
        "cli.order.cancelled",
        &[("order", order.to_string())],
        taken_back,
    )
}

fn say(
    context: &Context,
    key: &str,
    places: &[(&str, String)],
    taken_back: TakenBack,
) -> Result<Exit, CliError> {
    let mut all = places.to_vec();
    all.push(("kept", taken_back.kept.to_string()));
    all.push(("followed", taken_back.followed.to_string()));
    print(&fill(context.lang, key, &all))?;
    Ok(Exit::Done)
}

/// What stands in the way is for the person at the keyboard; only a store that fails is something else.
pub(super) async fn told(
    night: &crate::night::Night<'_>,
    tx: &mut crate::store::Tx,
    order: &OrderNo,
    error: AmendError,
) -> Result<CliError, CliError> {
    Ok(match error {
        AmendError::Unknown(_) => unknown(&orders::all(tx, night.account()).await?, order.as_str()),
        AmendError::Problems(problems) => usage(&problems),
        AmendError::Store(error) => error.into(),
        error => CliError::Usage(crate::night::step::chain(&error)),
    })
}

fn parse_units(given: &[String]) -> Result<BTreeMap<Sku, i64>, CliError> {
    parse(given, 1)
}

/// As [`parse_units`], with the least units a line may have.
pub(super) fn parse(given: &[String], least: i64) -> Result<BTreeMap<Sku, i64>, CliError> {
    let mut units = BTreeMap::new();
    let mut faults = Vec::new();
    for text in given {
        let parsed = text.split_once('=').and_then(|(sku, units)| {
            let units = units.parse::<i64>().ok().filter(|units| *units >= least)?;
            Some((Sku::new(sku).ok()?, units))
        });
        match parsed {
            Some((sku, n)) => {
                if units.insert(sku, n).is_some() {
                    faults.push(format!("`{text}`: the SKU is named twice"));
                }
            }
            None => {
                let wanted = if least > 0 {
                    "a whole number above 0"
                } else {
                    "a whole number of 0 or more"
                };
                faults.push(format!("`{text}`: wanted SKU=UNITS with {wanted}"));
            }
        }
    }
    if faults.is_empty() {
        Ok(units)
    } else {
        Err(CliError::Usage(faults.join("\n")))
    }
}
