//! The `warehouses` and `lanes` files.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::{Parsed, money, parse, refuse_faults, required_id};
use crate::catalog::{ClockStart, Days, Lane, Warehouse};
use crate::ids::{ForwarderId, WarehouseCode};
use crate::mapping::table::{Column, Row, Table, half_width};
use crate::order::gate::{CartonLimits, Channel};
use crate::order::{Address, Mode};
use crate::problem::nearest;

const WAREHOUSES: [Column; 22] = [
    Column::required("code").or(&["仓库代码"]),
    Column::optional("name").or(&["仓库名称"]),
    Column::required("country").or(&["国家"]),
    Column::required("zone").or(&["时区"]),
    Column::optional("recipient").or(&["收件人"]),
    Column::optional("address_1").or(&["地址1", "地址"]),
    Column::optional("address_2").or(&["地址2"]),
    Column::optional("city").or(&["城市"]),
    Column::optional("region").or(&["州/省"]),
    Column::optional("postcode").or(&["邮编"]),
    Column::optional("phone").or(&["电话"]),
    Column::optional("port_of_discharge").or(&["目的港"]),
    Column::optional("appointment").or(&["需预约"]),
    Column::optional("storage_free_days").or(&["免租期"]),
    Column::optional("clock_start"),
    Column::optional("carton_max_g"),
    Column::optional("carton_max_side_mm"),
    Column::optional("carton_max_girth_mm"),
    Column::optional("mixed_cartons").or(&["可混装"]),
    Column::optional("pallet_max_height_mm"),
    Column::optional("pallet_max_g"),
    Column::optional("max_age_hours"),
];

/// Reads a `warehouses` file.
#[must_use]
pub fn parse_warehouses(table: &Table) -> Parsed<Warehouse> {
    parse(table, &WAREHOUSES, read_warehouse, |warehouse: &Warehouse| {
        ("code", warehouse.code.to_string())
    })
}

fn read_warehouse(row: &mut Row<'_>) -> Option<Warehouse> {
    let code = required_id(row, "code", WarehouseCode::new);
    let zone = row.required("zone", &zone_wanted(row.cell("zone")), |text| {
        text.parse::<Tz>().ok()
    });
    let country = row.code("country").unwrap_or_default().to_uppercase();
    let lines = ["address_1", "address_2"].map(|name| row.text(name));
    let appointment = row.flag("appointment");
    let storage_free_days = row.int("storage_free_days");
    let clock_start = row.parsed("clock_start", "arrival, receipt or putaway", ClockStart::parse);
    let carton_max_g = row.int("carton_max_g");
    let carton_max_side_mm = row.int("carton_max_side_mm");
    let carton_max_girth_mm = row.int("carton_max_girth_mm");
    let mixed_cartons = row.flag("mixed_cartons");
    let pallet_max_height_mm = row.int("pallet_max_height_mm");
    let pallet_max_g = row.int("pallet_max_g");
    let max_age_hours = row.int("max_age_hours");
    let known = code.is_some() && zone.is_some();
    let warehouse = Warehouse {
        code: code.or_else(|| WarehouseCode::new("-:-").ok())?,
        name: row.text("name"),
        country: country.clone(),
        zone: zone.unwrap_or(Tz::UTC),
        recipient: row.text("recipient"),
        address: Address {
            lines: lines.into_iter().filter(|line| !line.is_empty()).collect(),
            city: row.text("city"),
            region: row.text("region"),
            postcode: row.code("postcode").unwrap_or_default(),
            country,
        },
        phone: row.code("phone").unwrap_or_default(),
        port_of_discharge: row.text("port_of_discharge"),
        appointment,
        storage_free_days,
        clock_start,
        carton_max_g,
        carton_max_side_mm,
        carton_max_girth_mm,
        mixed_cartons,
        pallet_max_height_mm,
        pallet_max_g,
        max_age_hours,
    };
    refuse_faults(row, warehouse.faults());
    known.then_some(warehouse)
}

fn zone_wanted(found: &str) -> String {
    let hint = nearest(found, TZ_VARIANTS.iter().map(|zone| zone.name()))
        .map(|name| format!(", perhaps {name}"))
        .unwrap_or_default();
    format!("a time zone like Europe/London{hint}")
}

const LANES: [Column; 31] = [
    Column::required("warehouse").or(&["仓库代码"]),
    Column::required("mode").or(&["运输方式"]),
    Column::required("forwarder").or(&["货代"]),
    Column::optional("service").or(&["渠道"]),
    Column::optional("production_p50"),
    Column::optional("production_p90"),
    Column::optional("transit_p50"),
    Column::optional("transit_p90"),
    Column::optional("putaway_p50"),
    Column::optional("putaway_p90"),
    Column::optional("port_of_loading").or(&["起运港"]),
    Column::optional("cost_per_kg"),
    Column::optional("cost_currency"),
    Column::optional("priority"),
    Column::optional("battery").or(&["接受带电", "带电"]),
    Column::optional("magnet").or(&["接受带磁", "带磁"]),
    Column::optional("liquid").or(&["接受液体", "液体"]),
    Column::optional("powder").or(&["接受粉末", "粉末"]),
    Column::optional("battery_apart").or(&["带电单独出货"]),
    Column::optional("carton_max_g"),
    Column::optional("carton_max_side_mm"),
    Column::optional("carton_max_girth_mm"),
    Column::optional("mixed_cartons").or(&["可混装"]),
    Column::optional("pallet_max_height_mm"),
    Column::optional("pallet_max_g"),
    Column::optional("heavy_over_g").or(&["超重起点"]),
    Column::optional("heavy_fee").or(&["超重附加费"]),
    Column::optional("heavy_currency").or(&["附加费币种"]),
    Column::optional("large_over_mm").or(&["超长起点"]),
    Column::optional("large_fee").or(&["超长附加费"]),
    Column::optional("large_currency").or(&["超长附加费币种"]),
];

/// Reads a `lanes` file.
#[must_use]
pub fn parse_lanes(table: &Table) -> Parsed<Lane> {
    parse(table, &LANES, read_lane, |lane: &Lane| {
        ("warehouse", lane_key(lane))
    })
}

/// What makes a lane the same lane.
fn lane_key(lane: &Lane) -> String {
    [
        lane.warehouse.as_str(),
        lane.mode.code(),
        lane.forwarder.as_str(),
        &lane.service,
    ]
    .join(" ")
}

fn read_lane(row: &mut Row<'_>) -> Option<Lane> {
    let warehouse = required_id(row, "warehouse", WarehouseCode::new);
    let mode = row.required("mode", "one of sea, rail, truck, air, express", |text| {
        Mode::parse(&half_width(text))
    });
    let forwarder = required_id(row, "forwarder", ForwarderId::new);
    let production = days(row, ["production_p50", "production_p90"]);
    let transit = days(row, ["transit_p50", "transit_p90"]);
    let putaway = days(row, ["putaway_p50", "putaway_p90"]);
    let cost_per_kg = money(row, "cost_per_kg", "cost_currency");
    let priority = row.int("priority");
    let channel = channel(row);
    let known = warehouse.is_some() && mode.is_some() && forwarder.is_some();
    let lane = Lane {
        warehouse: warehouse.or_else(|| WarehouseCode::new("-").ok())?,
        mode: mode.unwrap_or(Mode::Sea),
        forwarder: forwarder.or_else(|| ForwarderId::new("-").ok())?,
        service: row.text("service"),
        production,
        transit,
        putaway,
        port_of_loading: row.text("port_of_loading"),
        cost_per_kg,
        priority,
        channel,
    };
    refuse_faults(row, lane.faults());
    known.then_some(lane)
}

/// What the service takes.
fn channel(row: &mut Row<'_>) -> Channel {
    Channel {
        battery: row.flag("battery"),
        magnet: row.flag("magnet"),
        liquid: row.flag("liquid"),
        powder: row.flag("powder"),
        battery_apart: row.flag("battery_apart").unwrap_or(false),
        limits: CartonLimits {
            max_g: row.int("carton_max_g"),
            max_side_mm: row.int("carton_max_side_mm"),
            max_girth_mm: row.int("carton_max_girth_mm"),
            mixed: row.flag("mixed_cartons"),
            max_pallet_height_mm: row.int("pallet_max_height_mm"),
            max_pallet_g: row.int("pallet_max_g"),
        },
        heavy_over_g: row.int("heavy_over_g"),
        heavy_fee: money(row, "heavy_fee", "heavy_currency"),
        large_over_mm: row.int("large_over_mm"),
        large_fee: money(row, "large_fee", "large_currency"),
    }
}

/// Both percentiles, or none.
fn days(row: &mut Row<'_>, names: [&str; 2]) -> Option<Days> {
    let values = names.map(|name| row.int(name));
    let given = names.map(|name| !row.cell(name).is_empty());
    if given[0] != given[1] {
        let absent = if given[0] { names[1] } else { names[0] };
        row.refuse(absent, "both percentiles or none");
    }
    for (name, value) in names.into_iter().zip(values) {
        if value.is_some_and(|value| value < 0) {
            row.refuse(name, "0 or more days");
        }
    }
    let [Some(p50), Some(p90)] = values else {
        return None;
    };
    Some(Days { p50, p90 })
}
