//! `linkstar order announce`: an order is told to the system that waits for it.

use super::super::context::{Context, fill, print, print_json, word};
use super::super::{CliError, Exit};
use super::{unknown, usage};
use crate::delivery::State;
use crate::ids::OrderNo;
use crate::night::announce::{AnnounceError, Prepared, enqueue, prepare};
use crate::store::{Tx, orders, outbox};

pub(super) async fn run(
    context: &Context,
    order: &OrderNo,
    to: Option<&str>,
    dry_run: bool,
) -> Result<Exit, CliError> {
    let night = context.night(dry_run);
    if dry_run {
        let mut tx = context.store.read().await?;
        let prepared = match prepare(&night, &mut tx, order, to).await {
            Ok(prepared) => prepared,
            Err(error) => return Err(told(context, &mut tx, error).await?),
        };
        print_json(&prepared.shown())?;
        return Ok(Exit::Done);
    }
    let mut tx = context.store.write().await?;
    let (prepared, key) = match both(context, &mut tx, order, to).await {
        Ok(done) => done,
        Err(error) => return Err(told(context, &mut tx, error).await?),
    };
    tx.commit().await?;
    // Whatever else is due goes out too; what this one came to is read from its row.
    night.deliver().await;
    let mut tx = context.store.read().await?;
    let message = outbox::find(&mut tx, night.account(), &key).await?;
    let state = message.as_ref().map_or(State::Due, |message| message.state);
    let detail = message.and_then(|message| message.receipt.or(message.last_error));
    let places = [
        ("order", order.to_string()),
        ("source", prepared.source.to_string()),
        ("state", word(context.lang, "cli.message", state.as_str())),
        ("detail", detail.unwrap_or_default()),
    ];
    print(&fill(context.lang, "cli.order.announced", &places))?;
    Ok(if state == State::Sent {
        Exit::Done
    } else {
        Exit::Findings
    })
}

async fn both(
    context: &Context,
    tx: &mut Tx,
    order: &OrderNo,
    to: Option<&str>,
) -> Result<(Prepared, String), AnnounceError> {
    let night = context.night(false);
    let prepared = prepare(&night, tx, order, to).await?;
    let (key, _) = enqueue(&night, tx, &prepared).await?;
    Ok((prepared, key))
}

async fn told(context: &Context, tx: &mut Tx, error: AnnounceError) -> Result<CliError, CliError> {
    Ok(match error {
        AnnounceError::Unknown(order) => unknown(
            &orders::all(tx, &context.config.account.id).await?,
            order.as_str(),
        ),
        AnnounceError::Problems(problems) => usage(&problems),
        AnnounceError::Store(error) => error.into(),
        error => CliError::Usage(crate::night::step::chain(&error)),
    })
}
