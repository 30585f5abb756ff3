//! The order that tests of requests inside connector files are made from.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::Announcement;
use crate::ids::{ForwarderId, IdError, OrderNo, Sku, WarehouseCode};
use crate::money::Currency;
use crate::order::model::{
    Address, Carton, CartonContent, Goods, Mode, OrderLine, Party, StockingOrder, Term,
};
use crate::order::{CustomsFacts, ExportFacts, Parties};
use crate::quantity::Dims;

impl Announcement {
    /// 120 of SKU-A and 30 of SKU-B by sea: a carton with 100 of the first, one with the rest of both.
    ///
    /// # Errors
    /// When one of its names is none.
    pub fn example(write: &str, warehouse: &str) -> Result<Self, IdError> {
        let lines = vec![line(1, "SKU-A", 120, 425)?, line(2, "SKU-B", 30, 1_250)?];
        let cartons = vec![
            carton(1, &[(1, 100)], 21_500, 20_000),
            carton(2, &[(1, 20), (2, 30)], 14_250, 13_000),
        ];
        Ok(Self {
            write: write.to_owned(),
            warehouse: warehouse.to_owned(),
            multiples: BTreeMap::new(),
            order: StockingOrder {
                number: OrderNo::new("SO-20260901-W-001")?,
                revision: 1,
                created_on: day(9, 1),
                plan: None,
                warehouse: WarehouseCode::new(format!("test:{warehouse}"))?,
                deliver_to: party("Warehouse W", "12 Dock Road", "Manchester", "", "M17 1AB", "GB"),
                mode: Mode::Sea,
                forwarder: ForwarderId::new("forwarder")?,
                service: "Sea LCL".to_owned(),
                term: Term::Ddp,
                currency: Currency::USD,
                shipper: party(
                    "Example Trade Ltd",
                    "Room 1203, Block B",
                    "Shenzhen",
                    "Guangdong",
                    "518000",
                    "CN",
                ),
                importer: Party::default(),
                port_of_loading: "Yantian".to_owned(),
                port_of_discharge: "Felixstowe".to_owned(),
                ship_by: day(9, 10),
                eta: day(10, 25),
                lines,
                cartons,
                pallets: Vec::new(),
                parties: Parties::default(),
                export: ExportFacts::default(),
            },
        })
    }
}

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap_or_default()
}

fn party(name: &str, street: &str, city: &str, region: &str, postcode: &str, country: &str) -> Party {
    Party {
        name: name.to_owned(),
        address: Address {
            lines: vec![street.to_owned()],
            city: city.to_owned(),
            region: region.to_owned(),
            postcode: postcode.to_owned(),
            country: country.to_owned(),
        },
        contact: "Chen Wei".to_owned(),
        phone: "+86 755 1234 5678".to_owned(),
        email: "ops@example.test".to_owned(),
        ..Party::default()
    }
}

fn line(no: u32, code: &str, units: i64, cents: i64) -> Result<OrderLine, IdError> {
    let empty = String::new;
    Ok(OrderLine {
        no,
        goods: Goods {
            sku: Sku::new(code)?,
            warehouse_sku: code.to_owned(),
            asin: empty(),
            name_zh: "灯".to_owned(),
            name_en: "Lamp".to_owned(),
            customs_name_zh: "灯".to_owned(),
            customs_name_en: "Lamp".to_owned(),
            hs_cn: "9405420000".to_owned(),
            hs_destination: "9405420039".to_owned(),
            material_zh: empty(),
            material_en: empty(),
            usage_zh: empty(),
            usage_en: empty(),
            brand: empty(),
            model: empty(),
            origin: "CN".to_owned(),
            unit_net_g: 200,
            battery: false,
            magnet: false,
            liquid: false,
            powder: false,
            sales_url: empty(),
            customs: CustomsFacts::default(),
        },
        units,
        unit_value: Decimal::new(cents, 2),
        suggested_units: None,
    })
}

fn carton(no: u32, contents: &[(u32, i64)], gross_g: i64, net_g: i64) -> Carton {
    Carton {
        no,
        mark: format!("SO-20260901-W-001U{no:06}"),
        contents: contents
            .iter()
            .map(|(line, units)| CartonContent {
                line: *line,
                units: *units,
            })
            .collect(),
        net_g,
        gross_g,
        dims: Dims {
            length_mm: 600,
            width_mm: 400,
            height_mm: 405,
        },
        sscc: String::new(),
    }
}
