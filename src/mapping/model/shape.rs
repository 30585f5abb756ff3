//! An order with every list filled once, for checking mapping files.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{DocumentContext, document_model};
use crate::ids::{ForwarderId, OrderNo, Sku, WarehouseCode};
use crate::money::Currency;
use crate::order::model::{
    Address, Carton, CartonContent, Goods, Mode, OrderLine, Party, StockingOrder, Term,
};
use crate::order::{BatteryFacts, Container, CustomsFacts, ExportFacts, Pallet, PartyRole, Transport};
use crate::quantity::Dims;

pub(super) fn build() -> Value {
    match sample() {
        Ok(order) => {
            let mut previous = order.clone();
            previous.lines.clear();
            let mut context = DocumentContext::new(NaiveDate::MIN, "x");
            context.domestic_stock = order
                .lines
                .iter()
                .map(|line| (line.goods.sku.clone(), 0))
                .collect();
            context.previous = Some(previous);
            context.transport = Transport {
                departs_at: Some(chrono::DateTime::UNIX_EPOCH.fixed_offset()),
                containers: vec![Container::default()],
                ..Transport::default()
            };
            document_model(&order, &context)
        }
        // Only an identifier rule that refuses "x" leads here; then every path is reported as unknown.
        Err(_) => Value::Object(serde_json::Map::new()),
    }
}

pub(crate) fn sample() -> Result<StockingOrder, crate::ids::IdError> {
    let text = || "x".to_owned();
    let party = || Party {
        name: text(),
        address: Address {
            lines: vec![text()],
            ..Address::default()
        },
        ..Party::default()
    };
    let goods = Goods {
        sku: Sku::new("x")?,
        warehouse_sku: text(),
        asin: text(),
        name_zh: text(),
        name_en: text(),
        customs_name_zh: text(),
        customs_name_en: text(),
        hs_cn: text(),
        hs_destination: text(),
        material_zh: text(),
        material_en: text(),
        usage_zh: text(),
        usage_en: text(),
        brand: text(),
        model: text(),
        origin: text(),
        unit_net_g: 1,
        battery: false,
        magnet: false,
        liquid: false,
        powder: false,
        sales_url: text(),
        customs: CustomsFacts {
            manufacturer: Some(Box::new(party())),
            battery: Some(BatteryFacts::default()),
            declared_elements: text(),
            ..CustomsFacts::default()
        },
    };
    Ok(StockingOrder {
        number: OrderNo::new("x")?,
        revision: 1,
        created_on: NaiveDate::MIN,
        plan: None,
        warehouse: WarehouseCode::new("x:x")?,
        deliver_to: party(),
        mode: Mode::Sea,
        forwarder: ForwarderId::new("x")?,
        service: text(),
        term: Term::Ddp,
        currency: Currency::USD,
        shipper: party(),
        importer: party(),
        port_of_loading: text(),
        port_of_discharge: text(),
        ship_by: NaiveDate::MIN,
        eta: NaiveDate::MIN,
        lines: vec![OrderLine {
            no: 1,
            goods,
            units: 1,
            unit_value: Decimal::ONE,
            suggested_units: Some(1),
        }],
        cartons: vec![Carton {
            no: 1,
            mark: text(),
            contents: vec![CartonContent { line: 1, units: 1 }],
            net_g: 1,
            gross_g: 1,
            dims: Dims {
                length_mm: 1,
                width_mm: 1,
                height_mm: 1,
            },
            sscc: String::new(),
        }],
        pallets: vec![Pallet {
            no: 1,
            sscc: text(),
            cartons: vec![1],
            gross_g: 1,
            dims: Dims {
                length_mm: 1,
                width_mm: 1,
                height_mm: 1,
            },
        }],
        parties: PartyRole::ALL.into_iter().map(|role| (role, party())).collect(),
        export: ExportFacts::default(),
    })
}
