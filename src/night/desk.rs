//! The desk: what people do with orders by hand. New drafts, changes, issuing, packing, scanning back, splitting and merging.
//! Each is one transaction of its caller's.

use std::collections::{BTreeMap, BTreeSet};

use super::amend::{self, AmendError};
use super::gates::Basis;
use super::home_stock::{self, HomeStock, shortages};
use super::issue::{ApprovedLine, Booking, Ready, late};
use super::{Night, hand_over, trial};
use crate::catalog::Catalog;
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::mapping::packing_file::{ScanBack, read_packing, scan_back};
use crate::mapping::pallet_file::read_pallets;
use crate::mapping::photo_list::photo_list;
use crate::order::gate::{Finding, stops};
use crate::order::{Mode, OrderEventKind, OrderState, Packed, StockingOrder};
use crate::problem::Problem;
use crate::store::order_checks::OrderCheck;
use crate::store::orders::{self, StoredOrder};
use crate::store::{Tx, blob, catalog, order_checks, order_desk, sscc, turn};

pub mod parts;

/// What is to be ordered, by hand.
#[derive(Debug, Clone)]
pub struct Wish {
    pub warehouse: WarehouseCode,
    pub mode: Mode,
    pub units: BTreeMap<Sku, i64>,
}

/// An order after something was done to it, and what the gates say of it.
#[derive(Debug, Clone)]
pub struct Done {
    pub order: StockingOrder,
    pub findings: Vec<Finding>,
}

fn approved(warehouse: &WarehouseCode, mode: Mode, units: &BTreeMap<Sku, i64>) -> Vec<ApprovedLine> {
    units
        .iter()
        .map(|(sku, units)| ApprovedLine {
            warehouse: warehouse.clone(),
            sku: sku.clone(),
            units: *units,
            suggested: None,
            mode,
        })
        .collect()
}

/// A new draft. What a draft lacks for its booking is told and does not keep it from being kept; what cannot stand in any
/// order does: no such goods, no quantity, no term, no currency.
///
/// # Errors
/// Everything that is wrong, at once.
pub async fn new(night: &Night<'_>, tx: &mut Tx, wish: &Wish, by: &str) -> Result<Done, AmendError> {
    turn::hold(tx, night.account(), turn::ORDERS, night.now()).await?;
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let basis = Basis::load(night, tx).await?;
    let number = orders::next_number(tx, night.account(), night.today()).await?;
    let booking = Booking {
        night,
        plan: None,
        catalog: &catalog,
        basis: &basis,
        number,
        warehouse: wish.warehouse.clone(),
        mode: wish.mode,
        before: None,
        draft: None,
        reason: None,
    };
    let lines = approved(&wish.warehouse, wish.mode, &wish.units);
    let (order, check, eta_p90) = drafted(&booking, &lines)?;
    orders::draft(tx, night.account(), &order, eta_p90, by, night.now()).await?;
    order_checks::keep(tx, night.account(), &order, &check, night.now()).await?;
    Ok(Done {
        order,
        findings: check.findings,
    })
}

/// A draft with what the gates say of it.
fn drafted(
    booking: &Booking<'_>,
    lines: &[ApprovedLine],
) -> Result<(StockingOrder, OrderCheck, chrono::NaiveDate), AmendError> {
    let lines: Vec<&ApprovedLine> = lines.iter().collect();
    let (order, lane, check) = booking.drafted(&lines).map_err(AmendError::Problems)?;
    let eta_p90 = late(lane, order.eta);
    Ok((order, check, eta_p90))
}

/// Changes a draft: units of goods (0 takes them out, new ones come in) and the mode.
///
/// # Errors
/// When it is no draft any more, or with everything that is wrong.
pub async fn edit(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    (units, mode): (&BTreeMap<Sku, i64>, Option<Mode>),
    (reason, by): (&str, &str),
) -> Result<Done, AmendError> {
    let stored = amend::held(night, tx, number).await?;
    let mut all: BTreeMap<Sku, i64> = units_of(&stored.order);
    for (sku, units) in units {
        all.insert(sku.clone(), *units);
    }
    all.retain(|_, units| *units != 0);
    let edited = OrderEventKind::Edited {
        reason: reason.to_owned(),
    };
    orders::append(tx, night.account(), number, amend::event(night, by, edited)).await?;
    let done = rewrite(night, tx, &stored, &all, mode.unwrap_or(stored.order.mode)).await?;
    Ok(done)
}

fn units_of(order: &StockingOrder) -> BTreeMap<Sku, i64> {
    order
        .lines
        .iter()
        .map(|line| (line.goods.sku.clone(), line.units))
        .collect()
}

/// Writes a draft anew, with other lines.
async fn rewrite(
    night: &Night<'_>,
    tx: &mut Tx,
    stored: &StoredOrder,
    units: &BTreeMap<Sku, i64>,
    mode: Mode,
) -> Result<Done, AmendError> {
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let basis = Basis::load(night, tx).await?;
    let booking = booking_of(night, &catalog, &basis, &stored.order, mode, None);
    let lines = lines_of(&stored.order, mode, units);
    let (order, check, eta_p90) = drafted(&booking, &lines)?;
    order_desk::replace(tx, night.account(), &order, eta_p90).await?;
    order_checks::keep(tx, night.account(), &order, &check, night.now()).await?;
    Ok(Done {
        order,
        findings: check.findings,
    })
}

/// The lines of an order with other units, keeping what the plan had suggested.
pub(super) fn lines_of(order: &StockingOrder, mode: Mode, units: &BTreeMap<Sku, i64>) -> Vec<ApprovedLine> {
    let mut lines = approved(&order.warehouse, mode, units);
    for line in &mut lines {
        line.suggested = order
            .lines
            .iter()
            .find(|known| known.goods.sku == line.sku)
            .and_then(|known| known.suggested_units);
    }
    lines
}

fn booking_of<'a>(
    night: &'a Night<'a>,
    catalog: &'a Catalog,
    basis: &'a Basis,
    order: &'a StockingOrder,
    mode: Mode,
    reason: Option<&'a str>,
) -> Booking<'a> {
    Booking {
        night,
        plan: order.plan.as_ref(),
        catalog,
        basis,
        number: order.number.clone(),
        warehouse: order.warehouse.clone(),
        mode,
        before: None,
        draft: Some(order),
        reason,
    }
}

/// What the gates say today of an order as it stands, kept with it.
///
/// # Errors
/// When there is no such order, or the store fails.
pub async fn check(night: &Night<'_>, tx: &mut Tx, number: &OrderNo) -> Result<Done, AmendError> {
    let stored = amend::held(night, tx, number).await?;
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let basis = Basis::load(night, tx).await?;
    let order = stored.order;
    let lane = catalog
        .lanes_to(&order.warehouse, order.mode)
        .find(|lane| lane.forwarder == order.forwarder && lane.service == order.service);
    let check = basis.examine(night, &catalog, lane, &order, None);
    order_checks::keep(tx, night.account(), &order, &check, night.now()).await?;
    Ok(Done {
        order,
        findings: check.findings,
    })
}

/// What came of issuing a draft.
#[derive(Debug, Clone)]
pub struct IssuedDraft {
    pub done: Done,
    /// 0: the gates hold it.
    pub documents: usize,
}

/// Issues a draft: through the gates, with its papers, to the forwarder. What stops it is kept as its problem list, and it
/// stays a draft.
///
/// # Errors
/// When it is no draft, or the store fails.
pub async fn issue(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    (reason, by): (Option<&str>, &str),
) -> Result<IssuedDraft, AmendError> {
    let stored = amend::held(night, tx, number).await?;
    let reached = OrderEventKind::Reached {
        state: OrderState::Approved,
    };
    if stored.state != OrderState::Draft {
        // Says which state it is in.
        orders::append(tx, night.account(), number, amend::event(night, by, reached)).await?;
        return Err(AmendError::NotDraft(number.clone()));
    }
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let skus = stored.order.lines.iter().map(|line| &line.goods.sku);
    let basis = Basis::for_papers(night, tx, &catalog, skus).await?;
    let booking = booking_of(night, &catalog, &basis, &stored.order, stored.order.mode, reason);
    let lines = lines_of(&stored.order, stored.order.mode, &units_of(&stored.order));
    let untrusted = trial::admit_again(night, tx, number, &lines).await?;
    let lines: Vec<&ApprovedLine> = lines.iter().collect();
    let mut held: Vec<Finding> = untrusted.into_iter().map(Finding::from).collect();
    match booking.ready(&lines, None) {
        Ok(ready) if held.is_empty() => {
            let Ready {
                order,
                documents,
                check,
                lane,
                forwarder,
            } = ready;
            let account = night.account();
            order_desk::replace(tx, account, &order, late(lane, order.eta)).await?;
            orders::append(tx, account, number, amend::event(night, by, reached)).await?;
            order_checks::keep(tx, account, &order, &check, night.now()).await?;
            for document in &documents {
                booking.send(tx, forwarder, &order, document).await?;
            }
            Ok(IssuedDraft {
                documents: documents.len(),
                done: Done {
                    order,
                    findings: check.findings,
                },
            })
        }
        Ok(_) => keep_held(night, tx, stored.order, held).await,
        Err(findings) => {
            held.extend(findings);
            keep_held(night, tx, stored.order, held).await
        }
    }
}

async fn keep_held(
    night: &Night<'_>,
    tx: &mut Tx,
    order: StockingOrder,
    findings: Vec<Finding>,
) -> Result<IssuedDraft, AmendError> {
    let check = OrderCheck {
        rates: night.config.order.rates.clone(),
        findings,
        ..OrderCheck::default()
    };
    order_checks::keep(tx, night.account(), &order, &check, night.now()).await?;
    Ok(IssuedDraft {
        documents: 0,
        done: Done {
            order,
            findings: check.findings,
        },
    })
}

/// How the warehouse packed.
#[derive(Debug, Clone, Copy)]
pub struct PackingList<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
    /// How the cartons were put on pallets: name and bytes of that list.
    pub pallets: Option<(&'a str, &'a [u8])>,
    /// What the domestic warehouse has, where somebody said so.
    pub stock: Option<&'a HomeStock>,
    /// Why more may be packed than it has.
    pub beyond_stock: Option<&'a str>,
}

/// Takes the actual packing: the cartons stand from now on. Where they differ from the planned ones, the papers are written
/// anew from them, as a new revision.
///
/// # Errors
/// Everything that is wrong with the list, or with the cartons by the gates, at once.
pub async fn pack(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    list: &PackingList<'_>,
    by: &str,
) -> Result<(Done, Option<amend::Reissued>), AmendError> {
    let stored = amend::held(night, tx, number).await?;
    if stored.state == OrderState::Packed {
        return Err(AmendError::Packed(number.clone()));
    }
    let mut packed = read_lists(list, &stored.order).map_err(AmendError::Problems)?;
    give_codes(night, tx, list.name, &mut packed).await?;
    let known = match list.stock {
        Some(_) => None,
        None => home_stock::known(night, tx, &stored.order).await?,
    };
    if let (Some(stock), None) = (list.stock.or(known.as_ref()), list.beyond_stock) {
        let short = shortages(&stored.order, stock);
        if !short.is_empty() {
            return Err(AmendError::Problems(short));
        }
    }
    let account = night.account();
    let sha256 = blob::put(tx, account, "packing", list.bytes, night.now()).await?;
    let event = OrderEventKind::Packed {
        cartons: u32::try_from(packed.cartons.len()).unwrap_or(u32::MAX),
        sha256,
        beyond_stock: list.beyond_stock.map(str::to_owned),
    };
    let same = packed.cartons == stored.order.cartons && packed.pallets == stored.order.pallets;
    let reissued = if same {
        None
    } else {
        let units = units_of(&stored.order);
        let lines = lines_of(&stored.order, stored.order.mode, &units);
        let reason = format!("packed by {}", list.name);
        Some(amend::reissue_with(night, tx, &stored, (&lines, Some(&packed)), (&reason, by)).await?)
    };
    orders::append(tx, account, number, amend::event(night, by, event)).await?;
    let findings = order_checks::of_order(tx, account, number)
        .await?
        .map(|check| check.findings)
        .unwrap_or_default();
    let order = orders::get(tx, account, number)
        .await?
        .map_or(stored.order, |stored| stored.order);
    Ok((Done { order, findings }, reissued))
}

/// Both lists, and everything that is wrong with either.
fn read_lists(list: &PackingList<'_>, order: &StockingOrder) -> Result<Packed, Vec<Problem>> {
    let cartons = read_packing(list.name, list.bytes, order)?;
    let pallets = match list.pallets {
        Some((name, bytes)) => read_pallets(name, bytes, &cartons)?,
        None => Vec::new(),
    };
    let packed = Packed { cartons, pallets };
    let twice: Vec<Problem> = packed
        .twice()
        .into_iter()
        .map(|sscc| {
            let wanted = "a code of its own for each carton and pallet";
            Problem::new(list.name, "", "sscc", sscc, wanted)
        })
        .collect();
    if twice.is_empty() { Ok(packed) } else { Err(twice) }
}

/// Gives cartons and pallets their codes, where the seller has a number at GS1.
async fn give_codes(
    night: &Night<'_>,
    tx: &mut Tx,
    list: &str,
    packed: &mut Packed,
) -> Result<(), AmendError> {
    let Some(prefix) = &night.config.order.gs1_prefix else {
        return Ok(());
    };
    let first = sscc::take(tx, night.account(), prefix.as_str(), packed.without_sscc()).await?;
    if packed.number(prefix, first) {
        return Ok(());
    }
    let wanted = format!(
        "codes of prefix {} that are not given yet; all are",
        prefix.as_str()
    );
    let problem = Problem::new(list, "", "sscc", first.to_string(), wanted);
    Err(AmendError::Problems(vec![problem]))
}

/// Takes the labels that were scanned back; the order is verified when every carton was there once and nothing else.
///
/// # Errors
/// When the order is not packed, or the store fails.
pub async fn scan(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    seen: Seen<'_>,
    by: &str,
) -> Result<ScanBack, AmendError> {
    let stored = amend::held(night, tx, number).await?;
    let others: BTreeSet<String> = orders::all(tx, night.account())
        .await?
        .iter()
        .map(|other| other.order.number.to_string())
        .filter(|other| other != number.as_str())
        .collect();
    let order = &stored.order;
    let (read, bytes, photos) = match seen {
        Seen::Codes(name, bytes) => {
            let read = scan_back(name, bytes, order, &others).map_err(|problem| vec![problem]);
            (read, bytes, false)
        }
        Seen::Photos(name, bytes, folder) => (photo_list(name, bytes, order, &others, folder), bytes, true),
    };
    let scan = read.map_err(AmendError::Problems)?;
    let sha256 = blob::put(tx, night.account(), "packing", bytes, night.now()).await?;
    let scanned = OrderEventKind::Scanned {
        findings: u32::try_from(scan.findings.len()).unwrap_or(u32::MAX),
        sha256,
        photos,
    };
    orders::append(tx, night.account(), number, amend::event(night, by, scanned)).await?;
    hand_over::release(night, tx, number).await?;
    Ok(scan)
}

/// What the warehouse sent of its labels: name and bytes of the file.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    Codes(&'a str, &'a [u8]),
    /// With the pictures that came with the list, and what is wrong with each.
    Photos(
        &'a str,
        &'a [u8],
        Option<&'a BTreeMap<String, Option<&'static str>>>,
    ),
}

/// The labels are wanted back before the goods go.
///
/// # Errors
/// When there is no such order or it has left, or the store fails.
pub async fn ask_for_scan(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    by: &str,
) -> Result<(), AmendError> {
    amend::held(night, tx, number).await?;
    let asked = amend::event(night, by, OrderEventKind::ScanAsked);
    orders::append(tx, night.account(), number, asked).await?;
    Ok(())
}

/// Whether anything stops the order.
#[must_use]
pub fn is_stopped(done: &Done) -> bool {
    stops(&done.findings)
}
