//! Receive: reports that forwarders left on their servers and that people dropped into the inbox.

use std::collections::HashSet;
use std::path::Path;

use super::inbox::{self, Kind};
use super::step::{StepReport, chain};
use super::{Night, NightError};
use crate::catalog::Catalog;
use crate::delivery::{FetchLimits, Fetched};
use crate::ids::WarehouseCode;
use crate::ledger::ReceiptEvent;
use crate::mapping::booking_reply::{self, BookingReply};
use crate::mapping::receipt_file::{ReceiptFile, read_receipts};
use crate::mapping::table::{self, Limits, Table};
use crate::order::state::apply;
use crate::order::{OrderEvent, OrderEventKind, OrderState};
use crate::problem::Problem;
use crate::store::inbox::{self as store_inbox, InboxFile};
use crate::store::orders::{self as store_orders, StoredOrder};
use crate::store::{Tx, catalog, receipts, turn};
use crate::transport::sftp::Session;

pub(super) async fn step(night: &Night<'_>) -> StepReport {
    match run(night).await {
        Ok(report) => report,
        Err(error) => StepReport::failed(chain(&error)),
    }
}

async fn run(night: &Night<'_>) -> Result<StepReport, NightError> {
    let mut report = StepReport::default();
    if !night.dry_run {
        from_forwarders(night, &mut report).await?;
    }
    let (files, problems) = inbox::new_files(night).await?;
    for problem in problems {
        report.partial(problem.to_string());
    }
    for file in files {
        if super::bounce::take(night, &file, &mut report).await? {
            continue;
        }
        if matches!(file.kind(), Kind::Other) {
            let problems = take(night, "inbox", &file.name, &file.sha256, &file.bytes, &mut report).await?;
            inbox::put_away(&file.path, &problems).map_err(|source| NightError::File {
                path: file.path.clone(),
                source,
            })?;
        }
    }
    Ok(report)
}

async fn from_forwarders(night: &Night<'_>, report: &mut StepReport) -> Result<(), NightError> {
    let mut tx = night.store.read().await?;
    let known: HashSet<String> = store_inbox::known(&mut tx, night.account())
        .await?
        .into_iter()
        .collect();
    drop(tx);
    for target in night.tools.sftp.iter().filter(|target| target.in_dir.is_some()) {
        let fetched = match Session::open(target).await {
            Ok(session) => {
                let fetched = session.fetch_new(&known, FetchLimits::default()).await;
                session.close().await;
                fetched
            }
            Err(error) => Err(error),
        };
        take_fetched(night, &target.id, fetched, report).await?;
    }
    for target in night
        .tools
        .folders
        .iter()
        .filter(|target| target.in_dir.is_some())
    {
        let fetched = target.fetch_new(&known, FetchLimits::default()).await;
        take_fetched(night, &target.id, fetched, report).await?;
    }
    Ok(())
}

/// A forwarder that cannot be reached is told of and does not keep the others from being read.
async fn take_fetched<E: std::error::Error>(
    night: &Night<'_>,
    forwarder: &str,
    fetched: Result<Fetched, E>,
    report: &mut StepReport,
) -> Result<(), NightError> {
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(error) => {
            report.partial(format!("{forwarder}: {}", chain(&error)));
            return Ok(());
        }
    };
    for problem in fetched.problems {
        report.partial(problem.to_string());
    }
    for name in fetched.growing {
        report
            .problems
            .push(format!("{forwarder}: `{name}` is still being written; next time"));
    }
    for file in fetched.files {
        take(night, forwarder, &file.name, &file.sha256, &file.bytes, report).await?;
    }
    Ok(())
}

/// Reads one file; its events and the note that it was read are one transaction.
///
/// # Errors
/// When the store fails; what is wrong with the file is returned and reported.
pub async fn take(
    night: &Night<'_>,
    origin: &str,
    name: &str,
    sha256: &str,
    bytes: &[u8],
    report: &mut StepReport,
) -> Result<Vec<Problem>, NightError> {
    let account = night.account();
    let mut tx = night.store.write().await?;
    turn::hold(&mut tx, account, turn::ORDERS, night.now()).await?;
    let catalog = catalog::load(&mut tx, account, night.today()).await?;
    let orders = store_orders::all(&mut tx, account).await?;
    let (kind, problems, new) = match classify(name, bytes, &catalog, &orders) {
        Incoming::Receipts(read) => {
            let appended = receipts::append(&mut tx, account, &read.events, night.now()).await?;
            let mut problems = read.problems;
            problems.extend(appended.restated.iter().map(|event| restated(name, event)));
            ("receipts", problems, appended.new)
        }
        Incoming::Reply(reply) => (
            "reply",
            confirm(night, &mut tx, name, origin, &reply, &orders).await?,
            0,
        ),
        Incoming::Unread(problems) => ("quarantine", problems, 0),
    };
    let file = InboxFile {
        sha256: sha256.to_owned(),
        origin: origin.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        problems: problems.clone(),
        read_at: night.now(),
    };
    store_inbox::remember(&mut tx, account, &file, bytes).await?;
    tx.commit().await?;
    report.count("files", 1);
    report.count("events", usize::try_from(new).unwrap_or(0));
    if kind == "quarantine" {
        report.count("quarantined", 1);
    }
    for problem in &problems {
        report.partial(problem.to_string());
    }
    Ok(problems)
}

/// What a file turned out to be.
enum Incoming {
    Receipts(ReceiptFile),
    Reply(BookingReply),
    /// Kept, and told to a person with its first line.
    Unread(Vec<Problem>),
}

fn classify(name: &str, bytes: &[u8], catalog: &Catalog, orders: &[StoredOrder]) -> Incoming {
    if let Some(reply) = booking_reply::read(bytes) {
        return Incoming::Reply(reply);
    }
    match read(name, bytes, catalog, orders) {
        Ok(read) if !read.events.is_empty() => Incoming::Receipts(read),
        Ok(read) if !read.problems.is_empty() => Incoming::Unread(read.problems),
        Ok(_) => Incoming::Unread(vec![unread(name, bytes)]),
        Err(problem) => Incoming::Unread(vec![problem]),
    }
}

fn unread(name: &str, bytes: &[u8]) -> Problem {
    let text = String::from_utf8_lossy(bytes);
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    Problem::new(
        name,
        "",
        "",
        first,
        "a receipt report, a booking confirmation, or the workbook of a daily mail",
    )
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

/// The forwarder has the goods' papers: the order is handed over, unless what was accepted is not what was booked.
async fn confirm(
    night: &Night<'_>,
    tx: &mut Tx,
    name: &str,
    origin: &str,
    reply: &BookingReply,
    orders: &[StoredOrder],
) -> Result<Vec<Problem>, NightError> {
    let Some(stored) = orders
        .iter()
        .find(|stored| stored.order.number.as_str() == reply.order)
    else {
        return Ok(vec![Problem::new(
            name,
            "",
            "order",
            &reply.order,
            "the number of one of our orders",
        )]);
    };
    let totals = stored.order.totals();
    let mut problems = Vec::new();
    for (field, found, wanted) in [
        ("cartons", reply.cartons, totals.cartons),
        ("units", reply.units, totals.units),
    ] {
        if let Some(found) = found.filter(|found| *found != wanted) {
            let wanted = format!("{wanted}, as order {} says", reply.order);
            problems.push(Problem::new(name, "", field, found.to_string(), wanted));
        }
    }
    let kind = OrderEventKind::Reached {
        state: OrderState::HandedOver,
    };
    if apply(Some(stored.state), &kind).is_ok() {
        let at = reply.accepted_at.unwrap_or_else(|| night.now());
        let event = OrderEvent {
            at,
            by: origin.to_owned(),
            kind,
        };
        store_orders::append(tx, night.account(), &stored.order.number, event).await?;
    }
    Ok(problems)
}

/// A report names orders; the orders say which warehouse it is from, and so whose civil time it is written in.
fn read(name: &str, bytes: &[u8], catalog: &Catalog, orders: &[StoredOrder]) -> Result<ReceiptFile, Problem> {
    let table = table::read(name, bytes, &Limits::default())?;
    let warehouse = named_warehouse(&table, orders)
        .or_else(|| catalog.warehouses.keys().next().cloned())
        .ok_or_else(|| Problem::new(name, "", "warehouse", "", "a warehouse in the catalog"))?;
    let zone = catalog
        .warehouses
        .get(&warehouse)
        .map_or(chrono_tz::UTC, |profile| profile.zone);
    let mut read = read_receipts(&table, &warehouse, zone);
    for event in &mut read.events {
        place(event, orders);
    }
    Ok(read)
}

fn named_warehouse(table: &Table, orders: &[StoredOrder]) -> Option<WarehouseCode> {
    table
        .raw_rows()
        .flat_map(|(_, cells)| cells.iter())
        .find_map(|cell| {
            orders
                .iter()
                .find(|stored| stored.order.number.as_str() == cell.trim())
        })
        .map(|stored| stored.order.warehouse.clone())
}

fn place(event: &mut ReceiptEvent, orders: &[StoredOrder]) {
    if let Some(stored) = orders
        .iter()
        .find(|stored| stored.order.number.as_str() == event.reference)
    {
        event.warehouse = stored.order.warehouse.clone();
    }
}

/// As a person hands a file over on the command line.
///
/// # Errors
/// When the store fails or the file cannot be read.
pub async fn take_path(
    night: &Night<'_>,
    path: &Path,
    report: &mut StepReport,
) -> Result<Vec<Problem>, NightError> {
    let bytes = std::fs::read(path).map_err(|source| NightError::Read {
        path: path.to_owned(),
        source,
    })?;
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    take(
        night,
        "cli",
        &name,
        &crate::digest::sha256_hex(&bytes),
        &bytes,
        report,
    )
    .await
}
