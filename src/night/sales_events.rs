//! Which of the events that come with the program concern an account.

use super::Night;
use crate::catalog::Catalog;
use crate::config::ConnectorSection;
use crate::mapping::plan_folder::demand::shipped::Market;

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
