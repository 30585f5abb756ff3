//! Sum of the documents = order = what the warehouse was told: every paper that reached the forwarder is read again.

use std::collections::BTreeMap;
use std::path::Path;

use super::Seller;
use crate::cli::CliError;
use crate::delivery::State;
use crate::digest::sha256_hex;
use crate::mapping::definition::{Kind, Mapping};
use crate::mapping::xml::read_back::DocumentTotals;
use crate::order::StockingOrder;
use crate::simulate::RunningWorld;
use crate::simulate::truth::ShipmentTruth;
use crate::store::orders::{self, StoredDocument};
use crate::store::outbox;

#[derive(Debug, Default)]
pub struct Papers {
    pub orders: usize,
    /// Documents found at the forwarder with the bytes that were issued.
    pub documents: usize,
    /// Of these, XML whose totals were read back and compared.
    pub totals: usize,
    /// Orders compared with the world's announcement, line by line.
    pub announced: usize,
    pub findings: Vec<String>,
}

/// Compares every issued order with its papers and its announcement.
pub async fn check(seller: &Seller, world: &RunningWorld) -> Result<Papers, CliError> {
    let night = seller.night();
    let account = night.account();
    let mut tx = seller.store.read().await?;
    let delivered = world.endpoints().sftp_folder.join("in");
    let truth = world.truth();
    let mut papers = Papers::default();
    for stored in orders::all(&mut tx, account).await? {
        let order = &stored.order;
        // Orders that were under way before linkstar have no papers of ours.
        if order.plan.is_none() {
            continue;
        }
        papers.orders += 1;
        for document in orders::documents(&mut tx, account, &order.number).await? {
            let key = format!(
                "order/{}/r{}/{}",
                order.number, document.revision, document.document
            );
            let message = outbox::find(&mut tx, account, &key).await?;
            if message.is_none_or(|message| message.state != State::Sent) {
                continue;
            }
            let mapping = seller
                .tools
                .mappings
                .iter()
                .find(|mapping| mapping.meta.id == document.document);
            one(&delivered, order, &document, mapping, &mut papers);
        }
        if let Some(shipment) = truth.shipment(order.number.as_str()) {
            papers.announced += 1;
            announced(order, shipment, &mut papers.findings);
        }
    }
    Ok(papers)
}

fn one(
    folder: &Path,
    order: &StockingOrder,
    document: &StoredDocument,
    mapping: Option<&Mapping>,
    papers: &mut Papers,
) {
    let name = &document.file_name;
    let bytes = match std::fs::read(folder.join(name)) {
        Ok(bytes) => bytes,
        Err(error) => {
            papers
                .findings
                .push(format!("{name}: sent, but not at the forwarder: {error}"));
            return;
        }
    };
    if sha256_hex(&bytes) != document.sha256 {
        papers
            .findings
            .push(format!("{name}: other bytes at the forwarder than were issued"));
        return;
    }
    papers.documents += 1;
    let Some(Kind::Xml(section)) = mapping.map(|mapping| &mapping.kind) else {
        // Workbooks and labels were compared with the order value by value when they were written; their bytes are
        // the ones that were compared.
        return;
    };
    papers.totals += 1;
    let wanted = DocumentTotals::of_order(order.number.as_str(), &order.totals());
    let problems = match section.totals(name, &bytes) {
        Ok(totals) => totals.differences(name, &wanted),
        Err(problems) => problems,
    };
    papers
        .findings
        .extend(problems.iter().map(|problem| problem.to_string()));
}

/// What the warehouse was told to expect: the same units of every SKU, in as many cartons.
fn announced(order: &StockingOrder, shipment: &ShipmentTruth, findings: &mut Vec<String>) {
    let mut lines: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for line in &order.lines {
        lines.entry(line.goods.sku.as_str()).or_default().0 += line.units;
    }
    for line in &shipment.lines {
        lines.entry(line.sku.as_str()).or_default().1 += line.announced;
    }
    for (sku, (ordered, told)) in lines {
        if ordered != told {
            findings.push(format!(
                "{} {sku}: the order has {ordered} units, the warehouse was told {told}",
                order.number
            ));
        }
    }
    if order.cartons.len() != shipment.cartons {
        findings.push(format!(
            "{}: the order has {} cartons, the warehouse was told {}",
            order.number,
            order.cartons.len(),
            shipment.cartons
        ));
    }
}
