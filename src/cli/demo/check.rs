//! What must hold after every night, and at the end against the world's own truth.

use std::collections::BTreeMap;

use super::Seller;
use crate::cli::CliError;
use crate::night::reconcile;
use crate::order::OrderState;
use crate::simulate::RunningWorld;
use crate::store::{catalog, orders};

/// Shipped = moving + received + closed short, for every line.
pub async fn conservation(seller: &Seller) -> Result<Vec<String>, CliError> {
    let night = seller.night();
    let mut tx = seller.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let books = reconcile::books(&night, &mut tx, &catalog).await?;
    Ok(books
        .done
        .breaches
        .iter()
        .map(|breach| format!("{}: {breach:?}", night.today()))
        .collect())
}

/// What linkstar believes against what the world did: loaded, received, put away, damaged, to the unit.
pub async fn books(seller: &Seller, world: &RunningWorld) -> Result<Vec<String>, CliError> {
    let night = seller.night();
    let mut tx = seller.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let books = reconcile::books(&night, &mut tx, &catalog).await?;
    let stored = orders::all(&mut tx, night.account()).await?;
    let truth = world.truth();
    let mut findings = Vec::new();
    for order in &stored {
        if order.state == OrderState::Cancelled || order.state == OrderState::Approved {
            continue;
        }
        let number = order.order.number.as_str();
        let Some(shipment) = truth.shipment(number) else {
            findings.push(format!("{number}: the world does not know it"));
            continue;
        };
        let mut ours: BTreeMap<&str, (i64, i64, i64, i64)> = BTreeMap::new();
        for line in books
            .done
            .lines
            .iter()
            .filter(|line| line.order.as_str() == number)
        {
            ours.insert(
                line.sku.as_str(),
                (line.shipped, line.received, line.put_away, line.damaged),
            );
        }
        for line in &shipment.lines {
            let believed = ours.remove(line.sku.as_str()).unwrap_or_default();
            let reported = (
                line.announced,
                line.reported_received,
                line.put_away,
                line.damaged,
            );
            if believed != reported {
                findings.push(format!(
                    "{number} {}: books say shipped {}, received {}, put away {}, damaged {}; the world says {}, {}, {}, {}",
                    line.sku, believed.0, believed.1, believed.2, believed.3, reported.0, reported.1, reported.2, reported.3
                ));
            }
        }
        for (sku, believed) in ours {
            findings.push(format!(
                "{number} {sku}: books have {believed:?}, the world has no such line"
            ));
        }
    }
    Ok(findings)
}
