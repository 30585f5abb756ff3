//! Orders to write papers for.

use chrono::NaiveDate;
use linkstar::ids::{ForwarderId, OrderNo, Sku, WarehouseCode};
use linkstar::mapping::model::DocumentContext;
use linkstar::money::Currency;
use linkstar::order::model::{
    Address, Carton, CartonContent, Goods, Mode, OrderLine, Party, StockingOrder, Term,
};
use linkstar::order::{CustomsFacts, ExportFacts, Parties};
use linkstar::quantity::Dims;
use rust_decimal::Decimal;

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn address(lines: &[&str], city: &str, region: &str, postcode: &str, country: &str) -> Address {
    Address {
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        city: city.to_owned(),
        region: region.to_owned(),
        postcode: postcode.to_owned(),
        country: country.to_owned(),
    }
}

/// The kinds of goods the orders are made of: (sku, English, Chinese, HS, material, use, net grams).
const KINDS: [(&str, &str, &str, &str, &str, &str, i64); 4] = [
    (
        "85123A",
        "Hanging heart T-light holder",
        "心形悬挂烛台",
        "9405500000",
        "Iron 铁",
        "Home decoration 家居装饰",
        312,
    ),
    (
        "22423",
        "Regency cakestand, three tiers",
        "三层点心架",
        "6911100000",
        "Porcelain 瓷",
        "Table ware 餐具",
        1_480,
    ),
    (
        "47566",
        "Party bunting",
        "派对彩旗",
        "6307909890",
        "Cotton 棉",
        "Party decoration 派对装饰",
        205,
    ),
    (
        "84879",
        "Assorted colour bird ornament",
        "彩色小鸟摆件",
        "3926400000",
        "Polystone 树脂",
        "Ornament 摆件",
        96,
    ),
];

pub fn goods(kind: usize, no: usize) -> Goods {
    let (sku, name_en, name_zh, hs, material, usage, unit_net_g) = KINDS[kind % KINDS.len()];
    let half = |text: &str, place: usize| {
        text.split_once(' ')
            .map_or("", |(a, b)| if place == 0 { a } else { b })
            .to_owned()
    };
    let sku = if no < KINDS.len() {
        sku.to_owned()
    } else {
        format!("{sku}-{no}")
    };
    let last = |text: &str| {
        text.rsplit_once(' ')
            .map_or(String::new(), |(_, zh)| zh.to_owned())
    };
    let first = |text: &str| {
        text.rsplit_once(' ')
            .map_or(String::new(), |(en, _)| en.to_owned())
    };
    Goods {
        warehouse_sku: format!("X00{:07}", no + 1),
        asin: format!("B0{:08}", no + 1),
        name_zh: name_zh.to_owned(),
        name_en: name_en.to_owned(),
        customs_name_zh: name_zh.to_owned(),
        customs_name_en: name_en.to_owned(),
        hs_cn: hs.to_owned(),
        hs_destination: hs.to_owned(),
        material_zh: half(material, 1),
        material_en: half(material, 0),
        usage_zh: last(usage),
        usage_en: first(usage),
        brand: if kind == 1 {
            String::new()
        } else {
            "LUMINA".to_owned()
        },
        model: format!("LM-{sku}"),
        origin: "CN".to_owned(),
        unit_net_g,
        battery: false,
        magnet: kind == 3,
        liquid: false,
        powder: false,
        sales_url: format!("https://www.amazon.co.uk/dp/B0{:08}", no + 1),
        sku: Sku::new(sku).expect("a SKU"),
        customs: CustomsFacts::default(),
    }
}

/// A line as a test wants it: kind of goods, units per carton, whole cartons, units left over, cents of one unit.
pub type Wish = (usize, i64, i64, i64, i64);

/// Whole cartons line by line; what is left of all lines goes into one mixed carton at the end.
pub fn order(wishes: &[Wish]) -> StockingOrder {
    let number = OrderNo::new("LS-20261122-001").expect("a number");
    let (mut lines, mut packed) = (Vec::new(), Vec::new());
    let mut mixed = Vec::new();
    for (place, (kind, per_carton, cartons, left, cents)) in wishes.iter().enumerate() {
        let no = u32::try_from(place + 1).expect("few lines");
        lines.push(OrderLine {
            no,
            goods: goods(*kind, place),
            units: per_carton * cartons + left,
            unit_value: Decimal::new(*cents, 2),
            suggested_units: Some(per_carton * cartons),
        });
        for _ in 0..*cartons {
            packed.push(vec![CartonContent {
                line: no,
                units: *per_carton,
            }]);
        }
        if *left > 0 {
            mixed.push(CartonContent {
                line: no,
                units: *left,
            });
        }
    }
    if !mixed.is_empty() {
        packed.push(mixed);
    }
    let cartons = packed.into_iter().enumerate().map(|(place, contents)| {
        let net_g: i64 = contents
            .iter()
            .map(|content| lines[content.line as usize - 1].goods.unit_net_g * content.units)
            .sum();
        let no = u32::try_from(place + 1).expect("few cartons");
        Carton {
            no,
            mark: format!("{number}U{no:06}"),
            contents,
            net_g,
            gross_g: net_g + 850,
            dims: Dims {
                length_mm: 605,
                width_mm: 400,
                height_mm: 355,
            },
            sscc: String::new(),
        }
    });
    StockingOrder {
        cartons: cartons.collect(),
        number,
        revision: 1,
        created_on: day("2026-11-22"),
        plan: None,
        warehouse: WarehouseCode::new("goodcang:UKMA").expect("a code"),
        deliver_to: Party {
            name: "GoodCang Manchester Warehouse".to_owned(),
            address: address(
                &["Unit 4, Heywood Distribution Park", "Pilsworth Road"],
                "Heywood",
                "Greater Manchester",
                "OL10 2TT",
                "GB",
            ),
            contact: "Inbound Desk".to_owned(),
            phone: "+44 161 496 0000".to_owned(),
            email: "inbound@goodcang.example".to_owned(),
            ..Party::default()
        },
        mode: Mode::Sea,
        forwarder: ForwarderId::new("huatuo").expect("an id"),
        service: "英国海运双清DDP".to_owned(),
        term: Term::Ddp,
        currency: Currency::GBP,
        shipper: Party {
            name: "Shenzhen Lumina Trading Co., Ltd.".to_owned(),
            name_zh: "深圳市流明贸易有限公司".to_owned(),
            address: address(
                &["Room 1203, Block B, Bantian Innovation Park", "Longgang District"],
                "Shenzhen",
                "Guangdong",
                "518129",
                "CN",
            ),
            contact: "Chen Wei 陈伟".to_owned(),
            phone: "+86 755 2888 0000".to_owned(),
            uscc: "91440300MA5F000000".to_owned(),
            ..Party::default()
        },
        importer: Party {
            name: "Lumina Home UK Ltd".to_owned(),
            address: address(&["71 Queen Victoria Street"], "London", "", "EC4V 4AY", "GB"),
            eori: "GB123456789000".to_owned(),
            vat: "GB123456789".to_owned(),
            ..Party::default()
        },
        port_of_loading: "Yantian".to_owned(),
        port_of_discharge: "Felixstowe".to_owned(),
        ship_by: day("2026-12-04"),
        eta: day("2027-01-16"),
        lines,
        pallets: Vec::new(),
        parties: Parties::default(),
        export: ExportFacts::default(),
    }
}

/// Three lines, eleven cartons, the last one mixed.
pub fn usual() -> StockingOrder {
    order(&[
        (0, 48, 5, 12, 215),
        (1, 8, 3, 3, 1275),
        (2, 60, 2, 20, 189),
        (3, 0, 0, 40, 96),
    ])
}

pub fn context() -> DocumentContext {
    let mut context = DocumentContext::new(day("2026-11-23"), "INV-20261123-001");
    context.inbound_no = "RV000123-261123-0001".to_owned();
    context
}
