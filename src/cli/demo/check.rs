//! What must hold after every night, and at the end against the world's own truth.

use std::collections::{BTreeMap, BTreeSet};

use super::Seller;
use crate::cli::CliError;
use crate::night::reconcile;
use crate::order::OrderState;
use crate::simulate::RunningWorld;
use crate::simulate::truth::Fault;
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

/// The books against the world's truth.
#[derive(Debug, Default)]
pub struct Books {
    /// Lines that were compared to the unit.
    pub lines: usize,
    /// Orders whose papers the forwarder has not read yet: the world cannot know them.
    pub unread: usize,
    /// Receipt errors the world made on shipments that are closed, and one line of each as an example.
    pub errors: BTreeMap<Fault, (usize, String)>,
    pub findings: Vec<String>,
}

/// Shipped, received, put away and damaged of every line, as linkstar believes and as the world did, to the unit.
pub async fn books(seller: &Seller, world: &RunningWorld) -> Result<Books, CliError> {
    let night = seller.night();
    let mut tx = seller.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let books = reconcile::books(&night, &mut tx, &catalog).await?;
    let stored = orders::all(&mut tx, night.account()).await?;
    let truth = world.truth();
    let mut done = Books::default();
    let mut ours: BTreeMap<(&str, &str), [i64; 4]> = books
        .done
        .lines
        .iter()
        .map(|line| {
            let figures = [line.shipped, line.received, line.put_away, line.damaged];
            ((line.order.as_str(), line.sku.as_str()), figures)
        })
        .collect();
    let mut known = BTreeSet::new();
    for order in stored
        .iter()
        .filter(|order| !matches!(order.state, OrderState::Cancelled | OrderState::Draft))
    {
        let number = order.order.number.as_str();
        known.insert(number);
        let Some(shipment) = truth.shipment(number) else {
            ours.retain(|(of, _), _| *of != number);
            if order.state == OrderState::Approved {
                done.unread += 1;
            } else {
                let state = order.state.code();
                done.findings
                    .push(format!("{number} is {state}, and the world does not know it"));
            }
            continue;
        };
        for line in &shipment.lines {
            let believed = ours.remove(&(number, line.sku.as_str())).unwrap_or_default();
            let reported = [
                line.announced,
                line.reported_received,
                line.put_away,
                line.damaged,
            ];
            done.lines += 1;
            if believed != reported {
                done.findings.push(format!(
                    "{number} {}: shipped, received, put away, damaged are {believed:?} in the books and {reported:?} in the world",
                    line.sku
                ));
            }
            for injected in line.injected.iter().filter(|_| shipment.closed) {
                let example = format!("{number} {}", line.sku);
                done.errors.entry(injected.fault).or_insert((0, example)).0 += 1;
            }
        }
    }
    for ((order, sku), believed) in ours {
        if known.contains(order) || believed != [0; 4] {
            done.findings.push(format!(
                "{order} {sku}: the books have {believed:?}, the world has no such line"
            ));
        }
    }
    Ok(done)
}
