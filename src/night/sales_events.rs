//! Which of the events that come with the program concern an account.

use super::{Night, NightError};
use crate::catalog::Catalog;
use crate::config::ConnectorSection;
use crate::mapping::plan_folder::demand::DemandFiles;
use crate::mapping::plan_folder::demand::shipped::{self, Market};
use crate::problem::Problem;
use crate::store::catalog;

/// The account's warehouses with what sells from them.
pub(super) fn markets<'a>(night: &'a Night<'_>, catalog: &'a Catalog) -> Vec<Market<'a>> {
    let platform = |warehouse| {
        let sells = |connector: &&ConnectorSection| {
            connector.warehouses.values().any(|code| code == warehouse)
                && connector.uses.starts_with("amazon")
        };
        night.config.connectors.iter().find(sells).map(|_| "amazon")
    };
    let warehouses = catalog.warehouses.values();
    warehouses
        .map(|warehouse| Market {
            warehouse: &warehouse.code,
            country: &warehouse.country,
            platforms: platform(&warehouse.code).into_iter().collect(),
        })
        .collect()
}

/// Shipped events whose next days nobody has written down.
pub(super) async fn to_extend(night: &Night<'_>, known: &DemandFiles) -> Result<Vec<Problem>, NightError> {
    let mut tx = night.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let markets = markets(night, &catalog);
    Ok(shipped::not_extended(
        &markets,
        &known.facts.events,
        night.today(),
    ))
}
