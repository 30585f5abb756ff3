//! `linkstar order hand-over`: the goods left the domestic warehouse.

use super::super::context::{Context, fill, print};
use super::super::{CliError, Exit};
use super::amend::told;
use crate::ids::OrderNo;
use crate::night::hand_over::by_hand;

pub(super) async fn run(
    context: &Context,
    number: &OrderNo,
    unverified: Option<&str>,
    by: &str,
) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.write().await?;
    match by_hand(&night, &mut tx, number, (unverified, by)).await {
        Ok(stored) => {
            tx.commit().await?;
            let day = stored.shipped_on.map_or_else(String::new, |day| day.to_string());
            let places = [("order", number.to_string()), ("day", day)];
            print(&fill(context.lang, "cli.order.handed_over", &places))?;
            Ok(Exit::Done)
        }
        Err(error) => Err(told(&night, &mut tx, number, error).await?),
    }
}
