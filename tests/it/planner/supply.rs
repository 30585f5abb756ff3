//! The chain behind a line: calendars, deadlines, modes side by side, other warehouses, storage.

mod calendars;
mod echelons;
mod laws;
mod modes;
mod pallets;
mod storage;

use std::collections::BTreeMap;

use linkstar::ids::{Sku, WarehouseCode};
use linkstar::money::{Currency, Money};
use linkstar::order::Mode;
use linkstar::planner::{
    AlertLevel, ArrivalDeadline, Capacity, Closure, CustomsExam, DataState, Freight, InboundShipment,
    ItemTerms, Lot, NoTransfer, Plan, PlanLine, Policy, Reason, ReturnTerms, Snapshot, Stage, StorageTier,
    SupplyPolicy, TargetRule, TransferWay, WarehouseFacts, Whereabouts,
};
use linkstar::wording::Lang;

use super::{after, code, day, item, lane, only, plan, snapshot, times};

fn cny(amount: &str) -> Money {
    Money::new(amount.parse().expect("an amount"), Currency::CNY)
}

fn terms(sku: &str) -> ItemTerms {
    ItemTerms {
        sku: Sku::new(sku).expect("a SKU"),
        warehouse: None,
        margin: None,
        low_stock_fee: None,
        supply_days_30: None,
        supply_days_90: None,
        weight_g: None,
        volume_cm3: None,
        pallet_cartons: None,
    }
}

fn freight(mode: Mode, per_unit: &str) -> Freight {
    Freight {
        warehouse: code("goodcang:UKMA"),
        mode,
        forwarder: None,
        per_unit: Some(cny(per_unit)),
        per_kg: None,
    }
}

fn line<'a>(plan: &'a Plan, warehouse: &str) -> &'a PlanLine {
    let found = plan
        .lines
        .iter()
        .find(|line| line.warehouse.as_str() == warehouse);
    found.expect("a line of the warehouse")
}

/// Every tree adds up, and parts are the suggestion.
fn sound(plan: &Plan) {
    for line in &plan.lines {
        assert_eq!(line.explain.broken_sums(), Vec::<String>::new(), "{}", line.sku);
        for lang in [Lang::Zh, Lang::En] {
            let text = linkstar::planner::explain_text(line, lang);
            assert!(!text.contains("[plan."), "{text}");
        }
        let Some(supply) = &line.supply else { continue };
        if !supply.parts.is_empty() {
            let sum: i64 = supply.parts.iter().map(|part| part.units).sum();
            assert_eq!(Some(sum), line.suggested_units);
        }
    }
}

fn two_warehouses(a_stock: i64, b_stock: i64, way: TransferWay) -> Snapshot {
    let as_of = day("2026-11-22");
    let mut b = item("A", as_of, &[1; 365], b_stock);
    b.warehouse = way.to.clone();
    let mut a = item("A", as_of, &[1; 365], a_stock);
    a.warehouse = way.from.clone();
    let mut facts = snapshot(
        as_of,
        vec![lane(Mode::Sea, 30, 30, 1), lane(Mode::Air, 8, 8, 2)],
        vec![a, b],
    );
    let lanes = facts.warehouses[0].lanes.clone();
    facts.warehouses = [&way.from, &way.to]
        .map(|warehouse| WarehouseFacts {
            warehouse: warehouse.clone(),
            lanes: lanes.clone(),
            putaway: None,
        })
        .to_vec();
    facts.supply.freight = vec![Freight {
        warehouse: way.to.clone(),
        ..freight(Mode::Air, "30")
    }];
    facts.supply.transfers = vec![way];
    facts
}

fn way(from: &str, to: &str) -> TransferWay {
    TransferWay {
        from: code(from),
        to: code(to),
        days_p50: Some(3),
        days_p90: Some(5),
        cost: Some(cny("4")),
        relay: false,
        cartons: false,
        review_days: None,
    }
}

fn tier(from_age: i64, rate: &str) -> StorageTier {
    StorageTier {
        warehouse: code("goodcang:UKMA"),
        from_age,
        rate: rate.parse().expect("a rate"),
        currency: Currency::GBP,
    }
}
