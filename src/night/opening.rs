//! The books as people keep them beside linkstar: shipments under way, and past ones to learn lead times from. Read when
//! a seller starts, and through a trial in which people order by themselves; reading the files again changes nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};

use super::step::StepReport;
use super::{Night, NightError};
use crate::calendar::instant_of;
use crate::catalog::Catalog;
use crate::ids::{ForwarderId, OrderNo, Sku, WarehouseCode};
use crate::mapping::table::{Column, Table};
use crate::order::cartons::pack;
use crate::order::{Goods, Mode, OrderEvent, OrderEventKind, OrderLine, OrderState, StockingOrder, Term};
use crate::planner::Stage;
use crate::problem::Problem;
use crate::store::lead_times::{self, LeadTime};
use crate::store::orders;
use crate::store::{Tx, catalog};

const PAST: [Column; 6] = [
    Column::required("order"),
    Column::required("warehouse"),
    Column::required("mode"),
    Column::required("shipped_on"),
    Column::required("received_on"),
    Column::optional("put_away_on"),
];

const OPEN: [Column; 8] = [
    Column::required("order"),
    Column::required("warehouse"),
    Column::required("mode"),
    Column::required("forwarder"),
    Column::optional("ordered_on"),
    Column::optional("shipped_on"),
    Column::required("sku"),
    Column::required("units"),
];

const DATE: &str = "a date such as 2026-05-04";

/// Finished shipments: hand-over to receipt, receipt to shelf.
///
/// # Errors
/// When the store fails; bad rows are in the report and the others are learned from.
pub async fn past_shipments(night: &Night<'_>, tx: &mut Tx, table: &Table) -> Result<StepReport, NightError> {
    let mut report = StepReport::default();
    let columns = match table.columns(&PAST) {
        Ok(columns) => columns,
        Err(problems) => return Ok(refused(&problems)),
    };
    let mut passages = Vec::new();
    for mut row in columns.rows() {
        let order = row.required("order", "an order number", |text| OrderNo::new(text).ok());
        let warehouse = row.required("warehouse", "a warehouse code", |text| {
            WarehouseCode::new(text).ok()
        });
        let mode = row.required("mode", "sea, rail, truck, air or express", Mode::parse);
        let shipped = row.required("shipped_on", DATE, day);
        let received = row.required("received_on", DATE, day);
        let put_away = row.parsed("put_away_on", DATE, day);
        let (Some(order), Some(warehouse), Some(mode), Some(shipped), Some(received)) =
            (order, warehouse, mode, shipped, received)
        else {
            tell(&mut report, &row.into_problems());
            continue;
        };
        let mut passage = |stage: Stage, from: NaiveDate, to: NaiveDate| {
            passages.push(LeadTime {
                warehouse: warehouse.clone(),
                mode: mode.code().to_owned(),
                stage: stage.code().to_owned(),
                reference: order.to_string(),
                from,
                to,
            });
        };
        passage(Stage::Transit, shipped, received);
        if let Some(put_away) = put_away {
            passage(Stage::Putaway, received, put_away);
        }
    }
    let learned = lead_times::learn(tx, night.account(), &passages).await?;
    report.count("passages", usize::try_from(learned).unwrap_or(0));
    Ok(report)
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

fn tell(report: &mut StepReport, problems: &[Problem]) {
    for problem in problems {
        report.partial(problem.to_string());
    }
}

fn refused(problems: &[Problem]) -> StepReport {
    let mut report = StepReport::default();
    tell(&mut report, problems);
    report
}

struct OpenLine {
    warehouse: WarehouseCode,
    mode: Mode,
    forwarder: ForwarderId,
    ordered_on: NaiveDate,
    /// `None` until it was handed over.
    shipped_on: Option<NaiveDate>,
    sku: Sku,
    units: i64,
}

/// Shipments under way become orders, handed over on their day, so that they count as moving. One that is known and
/// was not handed over yet gets its day when the file has it.
///
/// # Errors
/// When the store fails; bad rows are in the report and the others are taken.
pub async fn open_shipments(night: &Night<'_>, tx: &mut Tx, table: &Table) -> Result<StepReport, NightError> {
    let mut report = StepReport::default();
    let columns = match table.columns(&OPEN) {
        Ok(columns) => columns,
        Err(problems) => return Ok(refused(&problems)),
    };
    let mut by_order: BTreeMap<OrderNo, Vec<OpenLine>> = BTreeMap::new();
    for mut row in columns.rows() {
        let order = row.required("order", "an order number", |text| OrderNo::new(text).ok());
        let line = read_line(&mut row);
        match (order, line) {
            (Some(order), Some(line)) => by_order.entry(order).or_default().push(line),
            _ => tell(&mut report, &row.into_problems()),
        }
    }
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    for (number, lines) in by_order {
        let Some(first) = lines.first() else { continue };
        if let Some(known) = orders::get(tx, night.account(), &number).await? {
            // Orders of linkstar's own are handed over by the forwarder's word, not by this file.
            let waits = known.order.plan.is_none() && known.state == OrderState::Approved;
            if let Some(shipped_on) = first.shipped_on.filter(|_| waits) {
                hand_over(night, tx, &number, shipped_on).await?;
                report.count("handed_over", 1);
            } else {
                report.count("known", 1);
            }
            continue;
        }
        let (order, eta_p90) = order_of(night, &catalog, &number, first, &lines, &mut report);
        if let Some(order) = order {
            let at = instant_of(first.ordered_on, NaiveTime::MIN, night.config.account.zone);
            orders::create(tx, night.account(), &order, eta_p90, "opening", at).await?;
            if let Some(shipped_on) = first.shipped_on {
                hand_over(night, tx, &number, shipped_on).await?;
            }
            report.count("orders", 1);
        }
    }
    Ok(report)
}

fn read_line(row: &mut crate::mapping::table::Row<'_>) -> Option<OpenLine> {
    let warehouse = row.required("warehouse", "a warehouse code", |text| {
        WarehouseCode::new(text).ok()
    });
    let mode = row.required("mode", "sea, rail, truck, air or express", Mode::parse);
    let forwarder = row.required("forwarder", "a forwarder id", |text| ForwarderId::new(text).ok());
    let shipped_on = row.parsed("shipped_on", DATE, day);
    let ordered_on = row.parsed("ordered_on", DATE, day);
    if let (Some(ordered), Some(shipped)) = (ordered_on, shipped_on)
        && shipped < ordered
    {
        row.refuse(
            "shipped_on",
            format!("{ordered} or later, the day it was ordered"),
        );
    }
    if row.cell("shipped_on").is_empty() && row.cell("ordered_on").is_empty() {
        row.refuse("shipped_on", format!("{DATE} here or in ordered_on"));
    }
    let sku = row.required("sku", "a SKU of the catalog", |text| Sku::new(text).ok());
    let units = row.required("units", "a whole number above 0", |text| {
        text.parse().ok().filter(|n: &i64| *n > 0)
    });
    Some(OpenLine {
        warehouse: warehouse?,
        mode: mode?,
        forwarder: forwarder?,
        ordered_on: ordered_on.or(shipped_on)?,
        shipped_on,
        sku: sku?,
        units: units?,
    })
    .filter(|_| row.problems().is_empty())
}

async fn hand_over(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    day: NaiveDate,
) -> Result<(), NightError> {
    let at: DateTime<Utc> = day.and_time(NaiveTime::MIN).and_utc();
    let kind = OrderEventKind::Reached {
        state: OrderState::HandedOver,
    };
    orders::append(
        tx,
        night.account(),
        number,
        OrderEvent {
            at,
            by: "opening".to_owned(),
            kind,
        },
    )
    .await?;
    Ok(())
}

fn order_of(
    night: &Night<'_>,
    catalog: &Catalog,
    number: &OrderNo,
    first: &OpenLine,
    lines: &[OpenLine],
    report: &mut StepReport,
) -> (Option<StockingOrder>, NaiveDate) {
    let lane = catalog.lanes_to(&first.warehouse, first.mode).next();
    let days = |pick: fn(&crate::catalog::Days) -> i64| {
        lane.and_then(|lane| lane.transit.as_ref().map(pick)).unwrap_or(0)
    };
    let production = lane.and_then(|lane| lane.production).map_or(0, |days| days.p50);
    let ship_by = first
        .shipped_on
        .unwrap_or(first.ordered_on + Duration::days(production));
    let eta = ship_by + Duration::days(days(|days| days.p50));
    let eta_p90 =
        ship_by + Duration::days(days(|days| days.p90) + lane.and_then(|l| l.putaway).map_or(0, |d| d.p90));
    let config = &night.config.order;
    let warehouse = catalog.warehouses.get(&first.warehouse);
    let country = warehouse.map_or("", |warehouse| warehouse.country.as_str());
    let mut order = StockingOrder {
        number: number.clone(),
        revision: 1,
        created_on: first.ordered_on,
        plan: None,
        warehouse: first.warehouse.clone(),
        deliver_to: warehouse
            .map(crate::catalog::Warehouse::party)
            .unwrap_or_default(),
        mode: first.mode,
        forwarder: first.forwarder.clone(),
        service: lane.map_or_else(String::new, |lane| lane.service.clone()),
        term: config.term.unwrap_or(Term::Dap),
        currency: config.currency.unwrap_or(crate::money::Currency::USD),
        shipper: config.shipper.clone(),
        importer: config.importer.get(country).cloned().unwrap_or_default(),
        port_of_loading: lane.map_or_else(String::new, |lane| lane.port_of_loading.clone()),
        port_of_discharge: warehouse
            .map_or_else(String::new, |warehouse| warehouse.port_of_discharge.clone()),
        ship_by,
        eta,
        lines: Vec::new(),
        cartons: Vec::new(),
        pallets: Vec::new(),
        parties: config.parties_to(country),
        export: config.export.clone(),
    };
    for line in lines {
        match goods(catalog, line) {
            Ok(goods) => add_line(&mut order, catalog, line, goods),
            Err(missing) => report.partial(format!(
                "order {number}, SKU {}: {}",
                line.sku,
                missing.join(", ")
            )),
        }
    }
    ((!order.lines.is_empty()).then_some(order), eta_p90)
}

/// The papers of these shipments were written elsewhere: only the codes are needed here.
fn goods(catalog: &Catalog, line: &OpenLine) -> Result<Goods, Vec<&'static str>> {
    let Some(item) = catalog.items.get(&line.sku) else {
        return Err(vec!["an item of the catalog"]);
    };
    item.goods(line.sku.as_str(), "")
}

fn add_line(order: &mut StockingOrder, catalog: &Catalog, line: &OpenLine, goods: Goods) {
    let no = u32::try_from(order.lines.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    let item = catalog.items.get(&line.sku);
    if let Some(spec) = item.and_then(super::issue::carton_spec) {
        let first = u32::try_from(order.cartons.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        order
            .cartons
            .extend(pack(no, line.units, &spec, first, order.number.as_str()));
    }
    order.lines.push(OrderLine {
        no,
        goods,
        units: line.units,
        unit_value: item
            .and_then(|item| item.declared)
            .map(|value| value.amount)
            .unwrap_or_default(),
        suggested_units: None,
    });
}
