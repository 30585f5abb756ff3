//! Issue: approved lines become stocking orders. The order, its documents and their messages are one transaction,
//! so that a crash leaves either all of them or none.

use std::collections::BTreeMap;

use super::gates::Basis;
use super::{Night, trial};
use crate::catalog::Catalog;
use crate::ids::{OrderNo, PlanId, Sku, WarehouseCode};
use crate::order::Mode;
use crate::store::orders::{self, HeldLine, OrderStoreError, OrderedLine};
use crate::store::{StoreError, Tx};

mod booking;
mod papers;

pub(super) use booking::{Booking, Ready, carton_spec, late};
pub(super) use papers::enqueue_document;

/// A line a person (or a rule of theirs) said yes to.
#[derive(Debug, Clone)]
pub struct ApprovedLine {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub units: i64,
    pub suggested: Option<i64>,
    pub mode: Mode,
}

/// What became of the approved lines.
#[derive(Debug, Default)]
pub struct Issued {
    pub orders: Vec<OrderNo>,
    pub documents: usize,
    pub held: Vec<HeldLine>,
}

/// Issues orders for the lines, one per warehouse and mode; lines already in an order of this plan are left alone.
///
/// # Errors
/// When the store fails; what cannot be booked is held and listed instead.
pub async fn issue(
    night: &Night<'_>,
    tx: &mut Tx,
    plan: &PlanId,
    catalog: &Catalog,
    approved: &[ApprovedLine],
    by: &str,
) -> Result<Issued, OrderStoreError> {
    let taken = Taken::of(night, tx, plan).await?;
    let open = approved.iter().filter(|line| taken.leaves(line));
    let (admitted, held) = trial::admit(night, tx, plan, open).await?;
    let skus = admitted.iter().map(|line| &line.sku);
    let basis = Basis::for_papers(night, tx, catalog, skus).await?;
    let mut groups: BTreeMap<(WarehouseCode, Mode, bool), Vec<&ApprovedLine>> = BTreeMap::new();
    for line in admitted {
        let apart = travels_apart(catalog, line);
        groups
            .entry((line.warehouse.clone(), line.mode, apart))
            .or_default()
            .push(line);
    }
    let mut issued = Issued {
        held,
        ..Issued::default()
    };
    for ((warehouse, mode, _), lines) in groups {
        let number = orders::next_number(tx, night.account(), night.today()).await?;
        let booking = Booking {
            night,
            plan: Some(plan),
            catalog,
            basis: &basis,
            number,
            warehouse,
            mode,
            before: None,
            draft: None,
            reason: None,
        };
        booking.book(tx, plan, &lines, by, &mut issued).await?;
    }
    for line in &issued.held {
        orders::hold(tx, night.account(), line, night.now()).await?;
    }
    Ok(issued)
}

/// Whether the goods need a shipment of their own: they hold batteries, and the first lane by the mode wants those apart.
pub(super) fn travels_apart(catalog: &Catalog, line: &ApprovedLine) -> bool {
    let battery = catalog.items.get(&line.sku).and_then(|item| item.battery);
    battery == Some(true)
        && catalog
            .lanes_to(&line.warehouse, line.mode)
            .next()
            .is_some_and(|lane| lane.channel.battery_apart)
}

/// Lines of a plan that stand in orders, and parts of them that were approved with them and held.
struct Taken {
    ordered: Vec<OrderedLine>,
    held: Vec<HeldLine>,
}

impl Taken {
    async fn of(night: &Night<'_>, tx: &mut Tx, plan: &PlanId) -> Result<Self, StoreError> {
        Ok(Self {
            ordered: orders::ordered_lines(tx, night.account(), plan).await?,
            held: orders::held(tx, night.account(), plan).await?,
        })
    }

    /// Whether a line is still to be ordered. A line is ordered once, however often it is approved; but when one part of it
    /// was ordered and the other held, that one may follow.
    fn leaves(&self, line: &ApprovedLine) -> bool {
        let mode = line.mode.code();
        let mut ordered = self
            .ordered
            .iter()
            .filter(|one| one.warehouse == line.warehouse && one.sku == line.sku)
            .peekable();
        if ordered.peek().is_none() {
            return true;
        }
        ordered.all(|one| one.mode != mode)
            && self
                .held
                .iter()
                .any(|one| one.warehouse == line.warehouse && one.sku == line.sku && one.mode == mode)
    }
}
