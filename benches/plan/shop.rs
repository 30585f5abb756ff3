//! What every bench of this folder plans for: one warehouse, one way by sea, items with nothing but a history.

use chrono::NaiveDate;
use linkstar::ids::{Sku, WarehouseCode};
use linkstar::order::Mode;
use linkstar::planner::{
    DailySales, DataState, DemandFacts, ItemSeries, LaneOption, Snapshot, StageTimes, SupplyFacts,
    WarehouseFacts,
};

pub fn warehouse() -> WarehouseCode {
    WarehouseCode::new("main").unwrap_or_else(|error| unreachable!("{error}"))
}

/// An empty shelf and a history.
pub fn item(sku: &str, sales: DailySales) -> ItemSeries {
    ItemSeries {
        warehouse: warehouse(),
        sku: Sku::new(sku).unwrap_or_else(|error| unreachable!("{error}")),
        name_zh: String::new(),
        name_en: String::new(),
        active: true,
        sales,
        sales_state: DataState::Complete,
        available: Some(0),
        pending_putaway: Some(0),
        stock_state: DataState::Complete,
        inbound: Vec::new(),
        production: None,
        carton_units: None,
        moq: None,
        unit_cost: None,
        service_permille: None,
    }
}

/// The items, and one stage for the whole way.
pub fn snapshot(as_of: NaiveDate, way: StageTimes, series: Vec<ItemSeries>) -> Snapshot {
    Snapshot {
        as_of,
        sources: Vec::new(),
        warehouses: vec![WarehouseFacts {
            warehouse: warehouse(),
            lanes: vec![LaneOption {
                mode: Mode::Sea,
                forwarder: None,
                service: String::new(),
                priority: 1,
                stages: vec![way],
            }],
            putaway: None,
        }],
        series,
        demand: DemandFacts::default(),
        supply: SupplyFacts::default(),
    }
}
