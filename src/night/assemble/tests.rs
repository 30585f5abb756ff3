use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::*;
use crate::catalog::{CodeMapping, Item};
use crate::ledger::Buckets;
use crate::mapping::plan_folder::demand::DemandFiles;
use crate::order::Address;
use crate::planner::BulkUnits;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn source(id: &str) -> SourceId {
    SourceId::new(id).unwrap()
}

fn warehouse(code: &str) -> WarehouseCode {
    WarehouseCode::new(code).unwrap()
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for sku in ["MUG", "CUP"] {
        let sku = Sku::new(sku).unwrap();
        catalog.items.insert(sku.clone(), Item::bare(sku));
    }
    let code = warehouse("goodcang:UKMA");
    catalog.warehouses.insert(
        code.clone(),
        Warehouse {
            code,
            name: "UK".to_owned(),
            country: "GB".to_owned(),
            zone: chrono_tz::Europe::London,
            recipient: String::new(),
            address: Address::default(),
            phone: String::new(),
            port_of_discharge: String::new(),
            appointment: None,
            storage_free_days: None,
            clock_start: None,
            carton_max_g: None,
            carton_max_side_mm: None,
            carton_max_girth_mm: None,
            mixed_cartons: None,
            pallet_max_height_mm: None,
            pallet_max_g: None,
            max_age_hours: None,
        },
    );
    for (system, kind, code, sku, multiple) in [
        ("amazon-uk", CodeKind::Msku, "MUG-FBM", "MUG", 1),
        ("amazon-uk", CodeKind::Msku, "CUP-3P", "CUP", 3),
        ("goodcang-uk", CodeKind::WarehouseSku, "LT-MUG", "MUG", 1),
        ("goodcang-uk", CodeKind::WarehouseSku, "LT-CUP3", "CUP", 3),
    ] {
        let mapping = CodeMapping {
            system: source(system),
            store: String::new(),
            kind,
            code: code.to_owned(),
            sku: Sku::new(sku).unwrap(),
            multiple,
            valid_from: None,
            valid_to: None,
        };
        catalog.codes.take(mapping).unwrap();
    }
    catalog
}

fn connectors() -> Vec<ConnectorSection> {
    [("amazon-uk", "Merchant"), ("goodcang-uk", "UKMA")]
        .map(|(id, key)| ConnectorSection {
            id: source(id),
            uses: String::new(),
            params: BTreeMap::new(),
            secrets: BTreeMap::new(),
            warehouses: BTreeMap::from([(key.to_owned(), warehouse("goodcang:UKMA"))]),
        })
        .into()
}

fn stock_row(code: &str, available: Option<i64>, pending: Option<i64>) -> StockRow {
    StockRow {
        source: source("goodcang-uk"),
        warehouse: warehouse("goodcang:UKMA"),
        sku_code: code.to_owned(),
        buckets: Buckets {
            available,
            pending_putaway: pending,
            ..Buckets::default()
        },
        total: None,
    }
}

fn facts<'a>(catalog: &'a Catalog, connectors: &'a [ConnectorSection], rows: Vec<StockRow>) -> Facts<'a> {
    let sold = |code: &str, on: &str, units| SalesSeries {
        source: source("amazon-uk"),
        fulfilment: "Merchant".to_owned(),
        sku_code: code.to_owned(),
        days: vec![(day(on), units)],
    };
    let days = [
        ("2026-05-01", DayCoverage::Complete),
        ("2026-05-02", DayCoverage::Partial),
    ];
    Facts {
        as_of: day("2026-05-04"),
        from: day("2026-05-01"),
        catalog,
        connectors,
        sources: Vec::new(),
        sales: vec![
            sold("MUG-FBM", "2026-05-01", 4),
            sold("CUP-3P", "2026-05-01", 2),
            sold("NEW", "2026-05-01", 9),
        ],
        coverage: BTreeMap::from([(
            source("amazon-uk"),
            days.map(|(on, state)| (day(on), state)).into(),
        )]),
        stock: vec![StockSnapshotView {
            source: source("goodcang-uk"),
            warehouse: warehouse("goodcang:UKMA"),
            as_of: Some(at("2026-05-04T00:00:00Z")),
            stale_since: None,
            problem: None,
            rows,
        }],
        without_pending: BTreeSet::new(),
        partial_stock: BTreeSet::new(),
        large_lines: Vec::new(),
        stock_days: vec![(
            warehouse("goodcang:UKMA"),
            "LT-MUG".to_owned(),
            day("2026-05-01"),
            Some(0),
        )],
        moving: Vec::new(),
        unknown_inbound: Vec::new(),
        lots: Vec::new(),
        losses: Vec::new(),
        lead_times: Vec::new(),
        demand: DemandFiles::default(),
        supply: crate::planner::SupplyFacts::default(),
    }
}

fn line<'a>(assembled: &'a Assembled, sku: &str) -> &'a ItemSeries {
    assembled
        .snapshot
        .series
        .iter()
        .find(|item| item.sku.as_str() == sku)
        .unwrap()
}

#[test]
fn r8_a_day_that_was_not_answered_in_full_is_a_gap_not_a_zero() {
    let (catalog, connectors) = (catalog(), connectors());
    let assembled = assemble(&facts(&catalog, &connectors, Vec::new()));
    let mug = line(&assembled, "MUG");
    assert_eq!(mug.sales.on(day("2026-05-01")), Some(4));
    assert_eq!(mug.sales.on(day("2026-05-02")), None, "partial");
    assert_eq!(mug.sales.on(day("2026-05-03")), None, "never asked");
    let index = usize::try_from((day("2026-05-01") - mug.sales.first_day).num_days()).unwrap();
    assert!(
        mug.sales.out_of_stock(index),
        "the snapshot of that day showed an empty shelf"
    );
}

#[test]
fn r2_units_of_a_pack_count_as_master_units_and_unknown_codes_are_queued() {
    let (catalog, connectors) = (catalog(), connectors());
    let rows = vec![
        stock_row("LT-CUP3", Some(10), Some(2)),
        stock_row("LT-???", Some(5), None),
    ];
    let assembled = assemble(&facts(&catalog, &connectors, rows));
    let cup = line(&assembled, "CUP");
    assert_eq!((cup.available, cup.pending_putaway), (Some(30), Some(6)));
    assert_eq!(cup.sales.on(day("2026-05-01")), Some(6));
    let codes: Vec<&str> = assembled.unmapped.iter().map(|code| code.code.as_str()).collect();
    assert_eq!(codes, ["NEW", "LT-???"]);
}

#[test]
fn r9_a_whole_snapshot_without_a_row_is_zero_and_no_snapshot_is_unknown() {
    let (catalog, connectors) = (catalog(), connectors());
    let mut known = facts(&catalog, &connectors, Vec::new());
    assert_eq!(line(&assemble(&known), "MUG").available, Some(0));
    known.stock[0].as_of = None;
    let assembled = assemble(&known);
    let mug = line(&assembled, "MUG");
    assert_eq!((mug.available, mug.stock_state), (None, DataState::Missing));
}

#[test]
fn r10_a_missing_bucket_is_unknown_unless_the_system_has_none() {
    let (catalog, connectors) = (catalog(), connectors());
    let mut known = facts(&catalog, &connectors, vec![stock_row("LT-MUG", Some(7), None)]);
    assert_eq!(line(&assemble(&known), "MUG").pending_putaway, None);
    known.without_pending.insert(source("goodcang-uk"));
    assert_eq!(line(&assemble(&known), "MUG").pending_putaway, Some(0));
    known.stock[0].stale_since = Some(at("2026-05-03T00:00:00Z"));
    assert_eq!(line(&assemble(&known), "MUG").stock_state, DataState::Stale);
}

#[test]
fn r9_a_sku_that_a_partial_stock_never_told_of_is_unknown_and_not_zero() {
    let (catalog, connectors) = (catalog(), connectors());
    let mut known = facts(&catalog, &connectors, Vec::new());
    let mug = |known: &Facts<'_>| {
        let assembled = assemble(known);
        let mug = line(&assembled, "MUG");
        (mug.available, mug.pending_putaway, mug.stock_state)
    };
    assert_eq!(mug(&known), (Some(0), Some(0), DataState::Complete));
    known.partial_stock.insert(source("goodcang-uk"));
    assert_eq!(mug(&known), (None, None, DataState::Incomplete));
}

#[test]
fn r8_a_large_order_line_is_told_in_master_units_unless_a_file_names_such_orders() {
    let (catalog, connectors) = (catalog(), connectors());
    let large = |code: &str, fulfilment: &str| LargeLine {
        source: source("amazon-uk"),
        fulfilment: fulfilment.to_owned(),
        sku_code: code.to_owned(),
        day: day("2026-05-01"),
        units: 40,
    };
    let mut given = facts(&catalog, &connectors, Vec::new());
    given.large_lines = vec![
        large("CUP-3P", "Merchant"),
        large("NEW", "Merchant"),
        large("MUG-FBM", "Elsewhere"),
    ];
    let told = assemble(&given).snapshot.demand.large;
    let cup = BulkUnits {
        warehouse: warehouse("goodcang:UKMA"),
        sku: Sku::new("CUP").unwrap(),
        day: day("2026-05-01"),
        units: 120,
    };
    assert_eq!(told, [cup]);
    given.demand.names_bulk = true;
    assert_eq!(assemble(&given).snapshot.demand.large, []);
}
