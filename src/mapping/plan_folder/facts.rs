//! Items, stock and inbound shipments, and the cells all files share.

use chrono::NaiveDate;

use super::Draft;
use super::cells::{Row, Sheet, count, date, decimal, flag, whole};
use super::ways::{lane_row, median_and_late, receipt_row, stage, warehouse_row};
use crate::ids::{Sku, WarehouseCode};
use crate::money::{Currency, Money};
use crate::order::Mode;
use crate::planner::{InboundShipment, Stage, StageTimes};
use crate::problem::Problem;

/// Larger figures are slips of the hand, and would not fit where they are added up.
const MOST_UNITS: i64 = 4_000_000_000;
const MOST_COST: i64 = 1_000_000_000;
const COUNT: &str = "a whole number, 0 or more";
pub const DAYS: &str = "whole days from 0 to 400";
pub const DATE: &str = "a date such as 2026-11-22";
pub const MODES: &str = "sea, rail, truck, air or express";

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

pub fn days(cell: &str) -> Option<i64> {
    whole(cell).filter(|days| (0..=400).contains(days))
}

pub fn mode(cell: &str) -> Option<Mode> {
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
        let (production_p50, production_p90) =
            median_and_late(sheet, &row, ("production_p50", "production_p90"), problems);
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
