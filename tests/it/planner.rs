//! Tests of the room `planner`.

mod cases;
mod chain_folder;
mod demand;
mod folder;
mod golden;
mod laws;
mod m5;
mod methods;
mod shadow;
mod store;
mod supply;
mod whatif;
mod worked;

use chrono::{Days, NaiveDate};
use linkstar::ids::{Sku, WarehouseCode};
use linkstar::order::Mode;
use linkstar::planner::{
    DailySales, DataState, ItemSeries, LaneOption, Plan, PlanLine, Policy, Snapshot, Stage, StageTimes,
    WarehouseFacts,
};

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub fn after(date: NaiveDate, days: i64) -> NaiveDate {
    if days >= 0 {
        date + Days::new(days.unsigned_abs())
    } else {
        date - Days::new(days.unsigned_abs())
    }
}

pub fn code(text: &str) -> WarehouseCode {
    WarehouseCode::new(text).expect("a warehouse code")
}

/// An item with the given daily sales up to the day before `as_of`, stock known and complete.
pub fn item(sku: &str, as_of: NaiveDate, days: &[u32], available: i64) -> ItemSeries {
    let length = i64::try_from(days.len()).expect("short");
    ItemSeries {
        warehouse: code("goodcang:UKMA"),
        sku: Sku::new(sku).expect("a SKU"),
        name_zh: "收纳盒".to_owned(),
        name_en: "Storage box".to_owned(),
        active: true,
        sales: DailySales {
            first_day: after(as_of, -length),
            units: days.iter().map(|units| Some(*units)).collect(),
            in_stock: Vec::new(),
        },
        sales_state: DataState::Complete,
        available: Some(available),
        pending_putaway: Some(0),
        stock_state: DataState::Complete,
        inbound: Vec::new(),
        production: None,
        carton_units: Some(1),
        moq: None,
        unit_cost: None,
        service_permille: None,
    }
}

pub fn times(stage: Stage, p50: i64, p90: i64) -> StageTimes {
    StageTimes {
        stage,
        p50: Some(p50),
        p90: Some(p90),
        observed: Vec::new(),
    }
}

pub fn lane(mode: Mode, p50: i64, p90: i64, priority: i64) -> LaneOption {
    LaneOption {
        mode,
        forwarder: None,
        service: String::new(),
        priority,
        stages: vec![times(Stage::Transit, p50, p90)],
    }
}

pub fn snapshot(as_of: NaiveDate, lanes: Vec<LaneOption>, series: Vec<ItemSeries>) -> Snapshot {
    Snapshot {
        as_of,
        sources: Vec::new(),
        warehouses: vec![WarehouseFacts {
            warehouse: code("goodcang:UKMA"),
            lanes,
            putaway: None,
        }],
        series,
        demand: linkstar::planner::DemandFacts::default(),
        supply: linkstar::planner::SupplyFacts::default(),
    }
}

pub fn plan(snapshot: &Snapshot, policy: &Policy) -> Plan {
    linkstar::planner::plan(snapshot, policy, None)
}

/// The only line of a plan.
pub fn only(plan: &Plan) -> &PlanLine {
    assert_eq!(plan.lines.len(), 1, "one line expected");
    &plan.lines[0]
}

/// Lumpy demand that looks like a shop's, the same on every machine.
pub fn lumpy(seed: u64, days: usize) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..days)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state % 5 < 2 {
                u32::try_from(state % 17).expect("small") + 1
            } else {
                0
            }
        })
        .collect()
}
