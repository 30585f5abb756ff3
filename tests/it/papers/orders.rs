//! Random valid stocking orders from a seed, for every test that writes documents.

use chrono::{Days, NaiveDate};
use linkstar::ids::{ForwarderId, OrderNo, Sku, WarehouseCode};
use linkstar::mapping::model::DocumentContext;
use linkstar::money::Currency;
use linkstar::order::model::{
    Address, Carton, CartonContent, Goods, Mode, OrderLine, Party, StockingOrder, Term,
};
use linkstar::order::{Container, CustomsFacts, ExportFacts, Parties, PartyRole};
use linkstar::quantity::Dims;
use rust_decimal::Decimal;

/// A small generator of our own (splitmix64): the same seed gives the same orders on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.roll() % u64::try_from(high - low + 1).expect("low <= high")).expect("small")
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.roll() % all.len() as u64).expect("small")]
    }
}

const NAMES: [(&str, &str); 5] = [
    ("白色心形挂饰", "White hanging heart T-light holder"),
    ("茶与咖啡罐 <大>", "Tea & <Coffee> jar ]]> \"large\""),
    ("复古雨伞", "Red retrospot umbrella, 100% cotton"),
    ("铝制水壶", "Aluminium kettle 1.5 L"),
    ("儿童拼图（120片）", "Children's jigsaw"),
];

fn party(dice: &mut Dice, name: &str, country: &str) -> Party {
    let blank = |dice: &mut Dice, text: String| {
        if dice.between(0, 2) == 0 {
            String::new()
        } else {
            text
        }
    };
    Party {
        name: name.to_owned(),
        name_zh: blank(dice, "深圳市某某贸易有限公司".to_owned()),
        address: Address {
            lines: (1..=dice.between(1, 4))
                .map(|n| format!("Unit {n} & Co, Trade Street"))
                .collect(),
            city: "Manchester".to_owned(),
            region: blank(dice, "Greater Manchester".to_owned()),
            postcode: blank(dice, "M17 1AB".to_owned()),
            country: country.to_owned(),
        },
        contact: blank(dice, "王小姐".to_owned()),
        phone: blank(dice, "+86 755 1234 5678".to_owned()),
        email: blank(dice, "ops@example.test".to_owned()),
        uscc: blank(dice, "91440300MA5FXXXX0K".to_owned()),
        eori: blank(dice, "GB123456789000".to_owned()),
        vat: blank(dice, "GB123456789".to_owned()),
        ein: String::new(),
        ..Party::default()
    }
}

fn goods(dice: &mut Dice, no: u32) -> Goods {
    let (name_zh, name_en) = dice.one_of(&NAMES);
    let flag = |dice: &mut Dice| dice.between(0, 4) == 0;
    Goods {
        sku: Sku::new(format!(
            "{}-{no}{}",
            dice.between(10_000, 99_999),
            dice.one_of(&["A", "/B%", "-WHITE-LARGE-2026"])
        ))
        .expect("a SKU"),
        warehouse_sku: format!("X00{:07}", dice.between(0, 9_999_999)),
        asin: dice.one_of(&["B0CKX12345", ""]).to_string(),
        name_zh: name_zh.to_string(),
        name_en: name_en.to_string(),
        customs_name_zh: name_zh.to_string(),
        customs_name_en: name_en.to_string(),
        hs_cn: "9405500000".to_owned(),
        hs_destination: "9405500090".to_owned(),
        material_zh: "木".to_owned(),
        material_en: dice.one_of(&["wood", ""]).to_string(),
        usage_zh: "装饰".to_owned(),
        usage_en: dice.one_of(&["decoration", ""]).to_string(),
        brand: dice.one_of(&["NOBRAND", ""]).to_string(),
        model: dice.one_of(&["M-1", ""]).to_string(),
        origin: "CN".to_owned(),
        unit_net_g: dice.between(20, 1_500),
        battery: flag(dice),
        magnet: flag(dice),
        liquid: flag(dice),
        powder: flag(dice),
        sales_url: dice
            .one_of(&["https://example.test/dp/1?a=1&b=2", ""])
            .to_string(),
        customs: CustomsFacts::default(),
    }
}

/// An order with everything that customs, carriers and the authorities of a destination ask.
pub fn declared(seed: u64, country: &str) -> StockingOrder {
    let mut order = order(seed);
    let dice = &mut Dice::new(seed ^ 0x6465_636C);
    for party in [&mut order.shipper, &mut order.importer, &mut order.deliver_to] {
        party.name_zh = format!("{} 有限公司 <{}>", party.name, dice.between(1, 99));
        party.uscc = "91440300MA5FXXXX0K".to_owned();
        party.eori = "GB123456789000".to_owned();
        party.ein = "12-3456789".to_owned();
        party.contact = "王小姐".to_owned();
        party.local_id = format!("44031{:05}", dice.between(0, 99_999));
    }
    order.deliver_to.address.country = country.to_owned();
    order.importer.address.country = country.to_owned();
    order.port_of_loading = "Yantian".to_owned();
    order.port_of_discharge = "Felixstowe".to_owned();
    order.mode = Mode::Sea;
    order.currency = *dice.one_of(&[Currency::USD, Currency::GBP, Currency::CNY]);
    for line in &mut order.lines {
        line.goods.customs = CustomsFacts {
            category: "lamp".to_owned(),
            gtin: dice.one_of(&["4006381333931", ""]).to_string(),
            batch: dice.one_of(&["B-2026-11", ""]).to_string(),
            declared_elements: "4|0|装饰用|木制|<无>牌".to_owned(),
            unit_code: "007".to_owned(),
            legal_unit: "035".to_owned(),
            legal_factor: Some(Decimal::new(dice.between(1, 9_999), 3)),
            second_legal_unit: String::new(),
            second_legal_factor: None,
            source_region: "44031".to_owned(),
            levy_mode: "1".to_owned(),
            manufacturer: (dice.between(0, 1) == 0).then(|| Box::new(order.shipper.clone())),
            ..CustomsFacts::default()
        };
    }
    order.export = ExportFacts {
        supervision_mode: "9810".to_owned(),
        levy_nature: "101".to_owned(),
        customs_office: "5300".to_owned(),
        exit_office: "5316".to_owned(),
        exit_port: "470501".to_owned(),
        destination_port: "GBR315".to_owned(),
        package_kind: "22".to_owned(),
        contract_no: format!("HT-{seed}"),
        freight: Some(Decimal::new(dice.between(0, 90_000), 2)),
        insurance: Some(Decimal::new(dice.between(0, 5_000), 2)),
        exporter_code: "4403161234".to_owned(),
        typist_card: "8930000012345".to_owned(),
        dxp_id: "DXPENT0000000001".to_owned(),
        platform: "Amazon".to_owned(),
        ..ExportFacts::default()
    };
    order
        .parties
        .insert(PartyRole::Manufacturer, order.shipper.clone());
    if dice.between(0, 1) == 0 {
        order
            .parties
            .insert(PartyRole::Consolidator, order.shipper.clone());
        order.parties.insert(PartyRole::Notify, order.importer.clone());
        order.parties.insert(PartyRole::Broker, order.importer.clone());
    }
    order
}

/// What is said about the document of that order: two kinds of container for some.
pub fn context(order: &StockingOrder, seed: u64) -> DocumentContext {
    let issued = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a date");
    let mut context = DocumentContext::new(issued, format!("{}-1", order.number));
    let container = |number: &str, size_type: &str| Container {
        number: number.to_owned(),
        size_type: size_type.to_owned(),
        seal: "S1".to_owned(),
    };
    context
        .transport
        .containers
        .push(container("CSQU3054383", "45G1"));
    if seed.is_multiple_of(3) {
        context
            .transport
            .containers
            .push(container("MSKU0000001", "22G1"));
        context.transport.vessel = "EVER GIVEN".to_owned();
        context.transport.voyage = "0123W".to_owned();
        context.transport.departs_at = "2026-03-20T18:00:00+08:00".parse().ok();
    }
    context
}

/// An order that is valid in itself: contents of the cartons add up to the lines, gross is never below net.
pub fn order(seed: u64) -> StockingOrder {
    let dice = &mut Dice::new(seed);
    let created_on = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date")
        + Days::new(u64::try_from(dice.between(0, 300)).expect("positive"));
    let number = OrderNo::new(format!(
        "SO-{}-UKMA-{:03}",
        created_on.format("%Y%m%d"),
        seed % 1000
    ))
    .expect("a number");
    let mut lines: Vec<OrderLine> = (1..=u32::try_from(dice.between(1, 6)).expect("small"))
        .map(|no| OrderLine {
            no,
            goods: goods(dice, no),
            units: 0,
            unit_value: Decimal::new(
                dice.between(1, 20_000),
                u32::try_from(dice.between(2, 4)).expect("small"),
            ),
            suggested_units: None,
        })
        .collect();
    let mut cartons: Vec<Carton> = Vec::new();
    let mut pack = |dice: &mut Dice, contents: Vec<(usize, i64)>, lines: &mut Vec<OrderLine>| {
        let no = u32::try_from(cartons.len() + 1).expect("small");
        let net_g: i64 = contents
            .iter()
            .map(|(line, units)| lines[*line].goods.unit_net_g * units)
            .sum();
        for (line, units) in &contents {
            lines[*line].units += units;
        }
        cartons.push(Carton {
            no,
            mark: format!("{number}U{no:06}"),
            contents: contents
                .iter()
                .map(|(line, units)| CartonContent {
                    line: lines[*line].no,
                    units: *units,
                })
                .collect(),
            net_g,
            gross_g: net_g + dice.between(200, 1_500),
            dims: Dims {
                length_mm: dice.between(200, 700),
                width_mm: dice.between(150, 500),
                height_mm: dice.between(100, 450),
            },
            sscc: String::new(),
        });
    };
    for line in 0..lines.len() {
        for _ in 0..dice.between(1, 5) {
            let units = dice.between(1, 60);
            pack(dice, vec![(line, units)], &mut lines);
        }
    }
    if lines.len() > 1 {
        let mixed: Vec<(usize, i64)> = (0..lines.len())
            .map(|line| (line, 1 + i64::try_from(line).expect("small")))
            .collect();
        pack(dice, mixed, &mut lines);
    }
    StockingOrder {
        number: number.clone(),
        revision: u32::try_from(dice.between(1, 3)).expect("small"),
        created_on,
        plan: None,
        warehouse: WarehouseCode::new("goodcang:UKMA").expect("a code"),
        deliver_to: party(dice, "GoodCang Manchester Warehouse", "GB"),
        mode: *dice.one_of(&Mode::ALL),
        forwarder: ForwarderId::new("huatuo").expect("an id"),
        service: dice.one_of(&["美森快船", "Sea DDP 普货"]).to_string(),
        term: *dice.one_of(&Term::ALL),
        currency: *dice.one_of(&[Currency::USD, Currency::GBP]),
        shipper: party(dice, "Shenzhen Example Trading Co., Ltd.", "CN"),
        importer: party(dice, "Example UK Ltd", "GB"),
        port_of_loading: dice.one_of(&["Yantian", ""]).to_string(),
        port_of_discharge: dice.one_of(&["Felixstowe", ""]).to_string(),
        ship_by: created_on + Days::new(10),
        eta: created_on + Days::new(52),
        lines,
        cartons,
        pallets: Vec::new(),
        parties: Parties::default(),
        export: ExportFacts::default(),
    }
}
