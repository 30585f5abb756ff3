//! Everything but sales: items, warehouses, lanes, stock, inbound shipments, past receipts.

use chrono::{Datelike as _, NaiveDate};

use super::cells::{Row, Sheet, count, date, decimal, flag, whole};
use super::{Draft, policy::Settings};
use crate::ids::{ForwarderId, Sku, WarehouseCode};
use crate::money::{Currency, Money};
use crate::order::Mode;
use crate::planner::{InboundShipment, LaneOption, Observation, Stage, StageTimes, WarehouseFacts};
use crate::problem::Problem;

/// Larger figures are slips of the hand, and would not fit where they are added up.
const MOST_UNITS: i64 = 4_000_000_000;
const MOST_COST: i64 = 1_000_000_000;
const COUNT: &str = "a whole number, 0 or more";
const DAYS: &str = "whole days from 0 to 400";
const DATE: &str = "a date such as 2026-11-22";
const MODES: &str = "sea, rail, truck, air or express";

#[derive(Debug, Clone, Default)]
pub struct ItemDraft {
    pub name_zh: String,
    pub name_en: String,
    pub carton_units: Option<i64>,
    pub moq: Option<i64>,
    pub unit_cost: Option<Money>,
    pub inactive: bool,
    pub service_permille: Option<u16>,
    pub production: Option<StageTimes>,
}

#[derive(Debug, Clone, Default)]
pub struct StockDraft {
    pub available: Option<i64>,
    pub pending: Option<i64>,
}

/// Lanes as the files name them, and the receipts of each mode.
#[derive(Debug, Clone, Default)]
pub struct WarehouseDraft {
    lanes: Vec<LaneOption>,
    putaway: Option<(i64, Option<i64>)>,
    receipts: Vec<(Mode, Receipt)>,
}

#[derive(Debug, Clone, Copy)]
struct Receipt {
    ordered: Option<NaiveDate>,
    shipped: NaiveDate,
    received: NaiveDate,
    sellable: Option<NaiveDate>,
}

fn days(cell: &str) -> Option<i64> {
    whole(cell).filter(|days| (0..=400).contains(days))
}

fn mode(cell: &str) -> Option<Mode> {
    Mode::parse(cell).or(match cell.trim() {
        "海运" | "海卡" | "ocean" | "Ocean" => Some(Mode::Sea),
        "铁路" | "中欧班列" | "卡铁" => Some(Mode::Rail),
        "卡航" | "陆运" => Some(Mode::Truck),
        "空运" | "空派" => Some(Mode::Air),
        "快递" => Some(Mode::Express),
        _ => None,
    })
}

/// `0.95`, `95`, `95%`: as thousandths, between 50 % and 99.9 %.
pub fn permille(cell: &str) -> Option<u16> {
    let text = cell.trim();
    let value = decimal(text.trim_end_matches(['%', '％']))?;
    let hundred = rust_decimal::Decimal::ONE_HUNDRED;
    let percent = if value <= rust_decimal::Decimal::ONE {
        value * hundred
    } else {
        value
    };
    let permille = u16::try_from(i64::try_from((percent * rust_decimal::Decimal::TEN).round()).ok()?).ok()?;
    (500..=999).contains(&permille).then_some(permille)
}

pub fn sku(sheet: &Sheet, row: &Row<'_>, problems: &mut Vec<Problem>) -> Option<Sku> {
    let sku = Sku::new(sheet.cell(row, "sku")).ok();
    if sku.is_none() {
        sheet.problem(row, "sku", "a SKU of 1 to 80 characters", problems);
    }
    sku
}

pub fn warehouse(
    sheet: &Sheet,
    row: &Row<'_>,
    default: Option<&WarehouseCode>,
    problems: &mut Vec<Problem>,
) -> Option<WarehouseCode> {
    let cell = sheet.cell(row, "warehouse");
    if cell.is_empty() {
        if default.is_none() {
            sheet.problem(
                row,
                "warehouse",
                "a warehouse code, as there are several warehouses",
                problems,
            );
        }
        return default.cloned();
    }
    let code = WarehouseCode::new(cell).ok();
    if code.is_none() {
        sheet.problem(
            row,
            "warehouse",
            "a warehouse code of 1 to 80 characters",
            problems,
        );
    }
    code
}

fn stage(stage: Stage, p50: Option<i64>, p90: Option<i64>) -> StageTimes {
    StageTimes {
        stage,
        p50,
        p90,
        observed: Vec::new(),
    }
}

pub fn items(sheet: &Sheet, draft: &mut Draft, problems: &mut Vec<Problem>) {
    for row in sheet.rows() {
        let Some(sku) = sku(sheet, &row, problems) else {
            continue;
        };
        if draft.items.contains_key(&sku) {
            sheet.problem(&row, "sku", "each SKU once; this row is left out", problems);
            continue;
        }
        let above_zero = |cell: &str| count(cell).filter(|units| *units > 0);
        let cost = sheet.value(&row, "unit_cost", "an amount", problems, |cell| {
            decimal(cell).filter(|amount| !amount.is_sign_negative() && *amount <= MOST_COST.into())
        });
        let currency = sheet.value(
            &row,
            "cost_currency",
            "an ISO 4217 code such as CNY",
            problems,
            |cell| Currency::new(cell).ok(),
        );
        let status = sheet.value(
            &row,
            "status",
            "active, paused or ended",
            problems,
            |cell| match cell.to_lowercase().as_str() {
                "active" | "在售" | "启用" => Some(true),
                "paused" | "ended" | "inactive" | "停售" | "暂停" => Some(false),
                _ => None,
            },
        );
        let active = sheet.value(&row, "active", "yes or no", problems, flag);
        let production_p50 = sheet.value(&row, "production_p50", DAYS, problems, days);
        let production_p90 = sheet.value(&row, "production_p90", DAYS, problems, days);
        let item = ItemDraft {
            name_zh: sheet.cell(&row, "name_zh").chars().take(200).collect(),
            name_en: sheet.cell(&row, "name_en").chars().take(200).collect(),
            carton_units: sheet.value(
                &row,
                "carton_units",
                "a whole number above 0",
                problems,
                above_zero,
            ),
            moq: sheet.value(&row, "moq", COUNT, problems, count),
            unit_cost: cost.map(|amount| Money::new(amount, currency.unwrap_or(Currency::CNY))),
            inactive: status == Some(false) || active == Some(false),
            service_permille: sheet.value(
                &row,
                "service_level",
                "a share such as 0.95 (from 0.5 to 0.999)",
                problems,
                permille,
            ),
            production: production_p50
                .is_some()
                .then(|| stage(Stage::Production, production_p50, production_p90)),
        };
        draft.items.insert(sku, item);
    }
}

/// Every other file whose rows belong to a warehouse.
pub fn rows(
    file: &str,
    sheet: &Sheet,
    default: Option<&WarehouseCode>,
    as_of: NaiveDate,
    draft: &mut Draft,
    problems: &mut Vec<Problem>,
) {
    for row in sheet.rows() {
        match file {
            "warehouses.csv" => warehouse_row(sheet, &row, draft, problems),
            "lanes.csv" => lane_row(sheet, &row, default, draft, problems),
            "receipts.csv" => receipt_row(sheet, &row, default, as_of, draft, problems),
            "stock.csv" => stock_row(sheet, &row, default, draft, problems),
            _ => inbound_row(sheet, &row, default, draft, problems),
        }
    }
}

fn warehouse_row(sheet: &Sheet, row: &Row<'_>, draft: &mut Draft, problems: &mut Vec<Problem>) {
    let Ok(code) = WarehouseCode::new(sheet.cell(row, "code")) else {
        sheet.problem(row, "code", "a warehouse code of 1 to 80 characters", problems);
        return;
    };
    let mode = sheet
        .value(row, "mode", MODES, problems, mode)
        .unwrap_or(Mode::Sea);
    let lead_p50 = sheet.value(row, "lead_p50", DAYS, problems, days);
    let lead_p90 = sheet.value(row, "lead_p90", DAYS, problems, days);
    let putaway_p50 = sheet.value(row, "putaway_p50", DAYS, problems, days);
    let putaway_p90 = sheet.value(row, "putaway_p90", DAYS, problems, days);
    let entry = draft.warehouses.entry(code).or_default();
    if lead_p50.is_some() {
        entry.lanes.push(LaneOption {
            mode,
            forwarder: None,
            service: String::new(),
            priority: 1,
            stages: vec![stage(Stage::Transit, lead_p50, lead_p90)],
        });
    }
    if let Some(p50) = putaway_p50 {
        entry.putaway = Some((p50, putaway_p90));
    }
}

fn lane_row(
    sheet: &Sheet,
    row: &Row<'_>,
    default: Option<&WarehouseCode>,
    draft: &mut Draft,
    problems: &mut Vec<Problem>,
) {
    let Some(code) = warehouse(sheet, row, default, problems) else {
        return;
    };
    let mode = sheet.value(row, "mode", MODES, problems, mode);
    let priority = sheet.value(row, "priority", "a whole number", problems, whole);
    let mut stages = Vec::new();
    for (kind, p50, p90) in [
        (Stage::Production, "production_p50", "production_p90"),
        (Stage::Transit, "transit_p50", "transit_p90"),
        (Stage::Putaway, "putaway_p50", "putaway_p90"),
    ] {
        let p50 = sheet.value(row, p50, DAYS, problems, days);
        let p90 = sheet.value(row, p90, DAYS, problems, days);
        // A lane without transit days is known by its receipts, or not at all.
        if p50.is_some() || kind == Stage::Transit {
            stages.push(stage(kind, p50, p90));
        }
    }
    let entry = draft.warehouses.entry(code).or_default();
    let next = i64::try_from(entry.lanes.len()).unwrap_or(0) + 1;
    entry.lanes.push(LaneOption {
        mode: mode.unwrap_or(Mode::Sea),
        forwarder: ForwarderId::new(sheet.cell(row, "forwarder")).ok(),
        service: sheet.cell(row, "service").to_owned(),
        priority: priority.unwrap_or(next),
        stages,
    });
}

fn receipt_row(
    sheet: &Sheet,
    row: &Row<'_>,
    default: Option<&WarehouseCode>,
    as_of: NaiveDate,
    draft: &mut Draft,
    problems: &mut Vec<Problem>,
) {
    let Some(code) = warehouse(sheet, row, default, problems) else {
        return;
    };
    let mode = sheet.value(row, "mode", MODES, problems, mode);
    let ordered = sheet.value(row, "ordered_on", DATE, problems, date);
    let shipped = sheet.value(row, "shipped_on", DATE, problems, date);
    let received = sheet.value(row, "received_on", DATE, problems, date);
    let sellable = sheet.value(row, "sellable_on", DATE, problems, date);
    let (Some(shipped), Some(received)) = (shipped, received) else {
        return;
    };
    // What was received later is not known yet on the as-of date.
    if received >= as_of || sellable.is_some_and(|day| day >= as_of) {
        return;
    }
    if received < shipped {
        sheet.problem(
            row,
            "received_on",
            "a day not before `shipped_on`; left out of the learning",
            problems,
        );
    } else if shipped.year() < 2000 {
        sheet.problem(
            row,
            "shipped_on",
            "a real date; left out of the learning",
            problems,
        );
    }
    draft.warehouses.entry(code).or_default().receipts.push((
        mode.unwrap_or(Mode::Sea),
        Receipt {
            ordered,
            shipped,
            received,
            sellable,
        },
    ));
}

fn stock_row(
    sheet: &Sheet,
    row: &Row<'_>,
    default: Option<&WarehouseCode>,
    draft: &mut Draft,
    problems: &mut Vec<Problem>,
) {
    let (Some(code), Some(sku)) = (
        warehouse(sheet, row, default, problems),
        sku(sheet, row, problems),
    ) else {
        return;
    };
    let available = sheet.value(row, "available", "a whole number", problems, |cell| {
        whole(cell).filter(|units| (-MOST_UNITS..=MOST_UNITS).contains(units))
    });
    if sheet.cell(row, "available").is_empty() {
        sheet.problem(
            row,
            "available",
            "the units that can be sold (0 if there are none)",
            problems,
        );
    }
    let pending = sheet.value(row, "pending_putaway", COUNT, problems, count);
    let transfer = sheet.value(row, "transfer", COUNT, problems, count);
    let key = (code, sku);
    if draft.stock.contains_key(&key) {
        sheet.problem(
            row,
            "sku",
            "each SKU once per warehouse; this row is left out",
            problems,
        );
        return;
    }
    let available = available.map(|units| units + transfer.unwrap_or(0));
    draft.stock.insert(key, StockDraft { available, pending });
}

fn inbound_row(
    sheet: &Sheet,
    row: &Row<'_>,
    default: Option<&WarehouseCode>,
    draft: &mut Draft,
    problems: &mut Vec<Problem>,
) {
    let (Some(code), Some(sku)) = (
        warehouse(sheet, row, default, problems),
        sku(sheet, row, problems),
    ) else {
        return;
    };
    let units = sheet.value(row, "units", COUNT, problems, count);
    if sheet.cell(row, "units").is_empty() {
        sheet.problem(row, "units", COUNT, problems);
    }
    let shipped_on = sheet.value(row, "shipped_on", DATE, problems, date);
    let eta = sheet.value(row, "eta", DATE, problems, date);
    let mode = sheet.value(row, "mode", MODES, problems, mode);
    let known = sheet
        .value(row, "known", "yes or no", problems, flag)
        .unwrap_or(true);
    let Some(units) = units else {
        return;
    };
    let reference = sheet.cell(row, "reference");
    draft
        .inbound
        .entry((code, sku))
        .or_default()
        .push(InboundShipment {
            reference: if reference.is_empty() {
                format!("line {}", row.line)
            } else {
                reference.chars().take(80).collect()
            },
            units,
            shipped_on,
            mode,
            eta,
            known,
        });
}

impl WarehouseDraft {
    /// Gives every lane the receipts of its mode; a mode that only receipts know becomes a lane.
    pub fn finish(mut self, warehouse: WarehouseCode, settings: &Settings) -> WarehouseFacts {
        for (mode, _) in &self.receipts {
            if !self.lanes.iter().any(|lane| lane.mode == *mode) {
                self.lanes.push(LaneOption {
                    mode: *mode,
                    forwarder: None,
                    service: String::new(),
                    priority: i64::try_from(self.lanes.len()).unwrap_or(0) + 1,
                    stages: vec![stage(Stage::Transit, settings.lead_p50, settings.lead_p90)],
                });
            }
        }
        if self.lanes.is_empty() && settings.lead_p50.is_some() {
            self.lanes.push(LaneOption {
                mode: Mode::Sea,
                forwarder: None,
                service: String::new(),
                priority: 1,
                stages: vec![stage(Stage::Transit, settings.lead_p50, settings.lead_p90)],
            });
        }
        let mut putaway = self
            .putaway
            .map(|(p50, p90)| stage(Stage::Putaway, Some(p50), p90));
        for (mode, receipt) in &self.receipts {
            for lane in self.lanes.iter_mut().filter(|lane| lane.mode == *mode) {
                see(
                    &mut lane.stages,
                    Stage::Transit,
                    Some(receipt.shipped),
                    Some(receipt.received),
                );
                see(
                    &mut lane.stages,
                    Stage::Production,
                    receipt.ordered,
                    Some(receipt.shipped),
                );
            }
            if let Some(sellable) = receipt.sellable {
                let times = putaway.get_or_insert_with(|| stage(Stage::Putaway, None, None));
                times.observed.push(Observation {
                    from: receipt.received,
                    to: sellable,
                });
            }
        }
        WarehouseFacts {
            warehouse,
            lanes: self.lanes,
            putaway,
        }
    }
}

fn see(stages: &mut Vec<StageTimes>, kind: Stage, from: Option<NaiveDate>, to: Option<NaiveDate>) {
    let (Some(from), Some(to)) = (from, to) else {
        return;
    };
    let index = stages
        .iter()
        .position(|times| times.stage == kind)
        .unwrap_or_else(|| {
            stages.push(stage(kind, None, None));
            stages.len() - 1
        });
    if let Some(times) = stages.get_mut(index) {
        times.observed.push(Observation { from, to });
    }
}
