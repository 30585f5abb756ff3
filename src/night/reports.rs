//! Receipt reports: whose they are, how their codes count, and what they change.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::receive::Taken;
use super::reconcile::{resolve, sources_of};
use super::{Night, NightError, forwarded};
use crate::catalog::Catalog;
use crate::ids::WarehouseCode;
use crate::ledger::{InboundNotice, Pack, ReceiptEvent};
use crate::mapping::receipt_file::{self, ReceiptFile, Teller};
use crate::problem::Problem;
use crate::store::orders::StoredOrder;
use crate::store::{Tx, facts, receipts, stated};

/// Which warehouse a number belongs to: our orders, and what warehouses call their inbounds.
struct Numbers {
    warehouses: BTreeMap<String, WarehouseCode>,
}

impl Numbers {
    fn new(orders: &[StoredOrder], notices: &[InboundNotice]) -> Self {
        let of_orders = orders
            .iter()
            .map(|stored| (stored.order.number.to_string(), stored.order.warehouse.clone()));
        let mut warehouses: BTreeMap<String, WarehouseCode> = notices
            .iter()
            .map(|notice| (notice.inbound_no.clone(), notice.warehouse.clone()))
            .collect();
        // An order number is never overruled by what a warehouse calls its inbound.
        warehouses.extend(of_orders);
        Self { warehouses }
    }

    fn warehouse(&self, number: &str) -> Option<&WarehouseCode> {
        self.warehouses.get(number.trim())
    }
}

/// Reads a report, and takes what it tells; `None` when it tells nothing, with what is wrong in `taken`.
///
/// # Errors
/// When the store fails.
pub(super) async fn take(
    night: &Night<'_>,
    tx: &mut Tx,
    (name, bytes): (&str, &[u8]),
    catalog: &Catalog,
    orders: &[StoredOrder],
    taken: &mut Taken,
) -> Result<Option<()>, NightError> {
    let account = night.account();
    let (notices, _) = facts::inbounds(tx, account).await?;
    let numbers = Numbers::new(orders, &notices);
    let report = match read(night, (name, bytes), catalog, &numbers) {
        Ok(report) => report,
        Err(problem) => {
            taken.problems.push(problem);
            return Ok(None);
        }
    };
    let is_empty = report.is_empty();
    taken.orders = report
        .references()
        .filter_map(|reference| {
            let notice = notices.iter().find(|notice| notice.inbound_no == reference);
            let reference = notice.map_or(reference, |notice| notice.reference.as_str());
            forwarded::named_order(reference, orders)
        })
        .collect();
    taken.problems.extend(report.problems);
    if is_empty {
        return Ok(None);
    }
    let appended = receipts::append(tx, account, &report.events, night.now()).await?;
    let said = stated::state(tx, account, &report.statements, night.now()).await?;
    stated::find(tx, account, &report.findings, night.now()).await?;
    taken.kind = "receipts".to_owned();
    let restated = appended.restated.iter().map(|event| restated(name, event));
    taken.problems.extend(restated);
    taken.problems.extend(said.contradictions.iter().map(|two| {
        let found = format!("{}: {} and {}", two.line, two.other, two.holds);
        let wanted = format!("one total at {}; the larger counts", two.said_at.to_rfc3339());
        Problem::new(name, "", "units", found, wanted)
    }));
    taken.new_events = appended.new + said.new;
    Ok(Some(()))
}

fn restated(name: &str, event: &ReceiptEvent) -> Problem {
    let found = format!("{} {} {}", event.reference, event.sku_code, event.units);
    Problem::new(
        name,
        "",
        "units",
        found,
        "the units this row had when it was first read; a correction is a row of its own",
    )
}

/// A report names orders; the orders say which warehouse it is from, and so whose civil time it is written in.
fn read(
    night: &Night<'_>,
    (name, bytes): (&str, &[u8]),
    catalog: &Catalog,
    numbers: &Numbers,
) -> Result<ReceiptFile, Problem> {
    let warehouse = receipt_file::texts(name, bytes)
        .iter()
        .find_map(|text| numbers.warehouse(text).cloned())
        .or_else(|| catalog.warehouses.keys().next().cloned())
        .ok_or_else(|| Problem::new(name, "", "warehouse", "", "a warehouse in the catalog"))?;
    let zone = catalog
        .warehouses
        .get(&warehouse)
        .map_or(chrono_tz::UTC, |profile| profile.zone);
    let sources = sources_of(night);
    let packs = |code: &str, on: NaiveDate| {
        let meaning = resolve(&sources, catalog, &warehouse, code, on)?.resolved;
        let item = catalog.items.get(&meaning.sku);
        let single = resolve(&sources, catalog, &warehouse, meaning.sku.as_str(), on)
            .map(|single| single.resolved)
            .filter(|single| single.multiple == 1 && single.sku == meaning.sku)
            .map(|single| single.sku.to_string());
        Some(Pack {
            multiple: meaning.multiple,
            carton_units: item.and_then(|item| item.carton_units),
            single,
        })
    };
    let is_ours = |number: &str| numbers.warehouse(number).is_some();
    let teller = Teller {
        warehouse: &warehouse,
        zone,
        packs: &packs,
        is_ours: &is_ours,
    };
    let mut report = receipt_file::read(name, bytes, &teller)?;
    let events = report.events.iter_mut();
    let totals = report.statements.iter_mut().map(|statement| &mut statement.total);
    for event in events.chain(totals) {
        if let Some(warehouse) = numbers.warehouse(&event.reference) {
            event.warehouse = warehouse.clone();
        }
    }
    for finding in &mut report.findings {
        if let Some(warehouse) = numbers.warehouse(&finding.reference) {
            finding.warehouse = warehouse.clone();
        }
    }
    Ok(report)
}
