//! The way of a line's units in figures, from the plan to the shelf (R55): what the papers and people say beside the counts.

use std::collections::BTreeMap;

use super::Books;
use crate::claim::evidence::Paper;
use crate::ids::{OrderNo, Sku};
use crate::night::{Night, NightError};
use crate::order::OrderState;
use crate::reconcile::Chain;
use crate::store::orders::{self, StoredOrder};
use crate::store::{Tx, claims};

/// Papers that declare units: to customs, or to the one who clears them.
const DECLARING: [&str; 6] = [
    "commercial-invoice",
    "customs-papers",
    "export-declaration",
    "export-inventory",
    "import-declaration",
    "overseas-warehouse-order",
];

/// The chain of every line of the books.
///
/// # Errors
/// When the store fails.
pub async fn chains(
    night: &Night<'_>,
    tx: &mut Tx,
    books: &Books,
) -> Result<BTreeMap<(OrderNo, Sku), Chain>, NightError> {
    let delivered = delivered(night, tx).await?;
    let mut chains = BTreeMap::new();
    let out = |stored: &&StoredOrder| !matches!(stored.state, OrderState::Draft | OrderState::Cancelled);
    for stored in books.orders.iter().filter(out) {
        let order = &stored.order;
        let papers = orders::documents(tx, night.account(), &order.number).await?;
        let is_declared = papers
            .iter()
            .any(|paper| paper.revision == order.revision && DECLARING.contains(&paper.document.as_str()));
        for line in &order.lines {
            let sku = &line.goods.sku;
            let lines = || order.lines.iter().filter(|line| line.goods.sku == *sku);
            let packed: i64 = order
                .cartons
                .iter()
                .flat_map(|carton| &carton.contents)
                .filter(|content| lines().any(|line| line.no == content.line))
                .map(|content| content.units)
                .sum();
            let is_packed = !order.cartons.is_empty();
            let chain = Chain {
                planned: lines().map(|line| line.suggested_units).sum(),
                packed: is_packed.then_some(packed),
                declared: is_declared.then(|| lines().map(|line| line.units).sum()),
                cartons: is_packed.then(|| order.totals().cartons),
                delivered_cartons: delivered.get(&order.number).copied(),
            };
            chains.insert((order.number.clone(), sku.clone()), chain);
        }
    }
    Ok(chains)
}

/// Cartons on proofs of delivery, where those of an order agree.
async fn delivered(night: &Night<'_>, tx: &mut Tx) -> Result<BTreeMap<OrderNo, i64>, NightError> {
    let mut told: BTreeMap<OrderNo, Option<i64>> = BTreeMap::new();
    for case in claims::cases(tx, night.account()).await? {
        let proofs = case
            .evidence
            .iter()
            .filter(|one| one.paper == Paper::DeliveryProof);
        for cartons in proofs.filter_map(|one| one.cartons) {
            told.entry(case.subject.order.clone())
                .and_modify(|known| *known = known.filter(|known| *known == cartons))
                .or_insert(Some(cartons));
        }
    }
    Ok(told
        .into_iter()
        .filter_map(|(order, cartons)| Some((order, cartons?)))
        .collect())
}
