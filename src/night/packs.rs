//! Export and import packs of an order (R44, R48), gathered from what is stored.

use super::Night;
use super::gates::Basis;
use crate::ids::OrderNo;
use crate::mapping::model::DocumentContext;
use crate::order::Transport;
use crate::pack::{Pack, PackKind, Paper, Request, Tariff, assemble};
use crate::store::{StoreError, Tx, blob, catalog, orders};

/// Which pack, and what nobody stored.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    pub kind: PackKind,
    pub tariff: Tariff,
    pub power_of_attorney: &'a str,
    /// 电子底账号
    pub inspection: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum PackError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("order {0} does not exist")]
    Unknown(OrderNo),
}

/// Gathers a pack; it says itself whether it is complete.
///
/// # Errors
/// When the store fails, or there is no such order.
pub async fn gather(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    wish: &Wish<'_>,
    transport: Transport,
) -> Result<Pack, PackError> {
    let account = night.account();
    let stored = orders::get(tx, account, number).await?;
    let order = stored.ok_or_else(|| PackError::Unknown(number.clone()))?.order;
    let all = catalog::load(tx, account, night.today()).await?;
    let basis = Basis::load(night, tx).await?;
    let lane = all
        .lanes_to(&order.warehouse, order.mode)
        .find(|lane| lane.forwarder == order.forwarder && lane.service == order.service);
    let findings = basis.examine(night, &all, lane, &order, None).findings;
    let mut papers = Vec::new();
    for certificate in &basis.certificates {
        let bytes = match &certificate.sha256 {
            Some(sha256) => Some(blob::get(tx, account, sha256).await?),
            None => None,
        };
        papers.push(Paper {
            certificate: certificate.clone(),
            bytes,
        });
    }
    // The same revision gives the same pack on whatever day it is gathered.
    let documents = orders::documents(tx, account, number).await?;
    let day = orders::written_on(&order, &documents);
    let mut context = DocumentContext::new(day, number.as_str());
    context.transport = transport;
    Ok(assemble(&Request {
        kind: wish.kind,
        order: &order,
        context: &context,
        mappings: &night.tools.mappings,
        papers: &papers,
        findings: &findings,
        tariff: &wish.tariff,
        power_of_attorney: wish.power_of_attorney,
        inspection: wish.inspection,
    }))
}
