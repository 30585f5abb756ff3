//! The gates' acceptance and bad-input cases (R3, R7, R23–R27, R33).

use super::*;
use crate::ids::{ForwarderId, OrderNo, WarehouseCode};
use crate::money::Currency;
use crate::order::model::{Address, Carton, CartonContent, Goods, Mode, OrderLine, Party, Term};
use crate::order::{CustomsFacts, ExportFacts, Parties, PartyId, PartyRole, Period};
use crate::quantity::Dims;

mod goods;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn usd(text: &str) -> Money {
    Money::new(text.parse().unwrap(), Currency::USD)
}

fn party(country: &str) -> Party {
    let mut party = Party {
        name: "Harbour Lights GmbH".to_owned(),
        address: Address {
            lines: vec!["1 Dock Road".to_owned()],
            city: "Hamburg".to_owned(),
            country: country.to_owned(),
            ..Address::default()
        },
        ..Party::default()
    };
    match country {
        "DE" => {
            party.eori = "DE1234567890123".to_owned();
            party.vat = "DE136695976".to_owned();
        }
        "GB" => {
            party.eori = "GB980780684000".to_owned();
            party.vat = "GB980780684".to_owned();
        }
        "US" => party.ein = "12-3456789".to_owned(),
        _ => {}
    }
    party
}

/// One line of goods of a category, 20 units in two cartons of 10.
pub(crate) fn order(country: &str, category: &str) -> StockingOrder {
    let goods = Goods {
        sku: Sku::new("LAMP-1").unwrap(),
        warehouse_sku: "X0001".to_owned(),
        asin: String::new(),
        name_zh: "台灯".to_owned(),
        name_en: "Desk lamp".to_owned(),
        customs_name_zh: "台灯".to_owned(),
        customs_name_en: "Desk lamp".to_owned(),
        hs_cn: "9405210090".to_owned(),
        hs_destination: "9405214090".to_owned(),
        material_zh: "塑料".to_owned(),
        material_en: "plastic".to_owned(),
        usage_zh: "照明".to_owned(),
        usage_en: "lighting".to_owned(),
        brand: "NONE".to_owned(),
        model: "L1".to_owned(),
        origin: "CN".to_owned(),
        unit_net_g: 800,
        battery: false,
        magnet: false,
        liquid: false,
        powder: false,
        sales_url: String::new(),
        customs: CustomsFacts {
            category: category.to_owned(),
            ..CustomsFacts::default()
        },
    };
    let carton = |no: u32| Carton {
        no,
        mark: format!("BH1U{no:06}"),
        sscc: String::new(),
        contents: vec![CartonContent { line: 1, units: 10 }],
        net_g: 8_000,
        gross_g: 10_000,
        dims: Dims {
            length_mm: 500,
            width_mm: 400,
            height_mm: 300,
        },
    };
    StockingOrder {
        number: OrderNo::new("BH260907-01").unwrap(),
        revision: 1,
        created_on: day("2026-09-07"),
        plan: None,
        warehouse: WarehouseCode::new("goodcang:X").unwrap(),
        deliver_to: party(country),
        mode: Mode::Sea,
        forwarder: ForwarderId::new("huatuo").unwrap(),
        service: "sea LCL".to_owned(),
        term: Term::Ddp,
        currency: Currency::USD,
        shipper: party("CN"),
        importer: party(country),
        port_of_loading: "CNYTN".to_owned(),
        port_of_discharge: "DEHAM".to_owned(),
        ship_by: day("2026-09-20"),
        eta: day("2026-10-30"),
        lines: vec![OrderLine {
            no: 1,
            goods,
            units: 20,
            unit_value: "9.8".parse().unwrap(),
            suggested_units: Some(20),
        }],
        cartons: vec![carton(1), carton(2)],
        pallets: Vec::new(),
        parties: Parties::new(),
        export: ExportFacts::default(),
    }
}

fn paper(kind: &str, number: &str) -> Certificate {
    Certificate {
        kind: kind.to_owned(),
        number: number.to_owned(),
        issuer: String::new(),
        country: String::new(),
        skus: Vec::new(),
        categories: Vec::new(),
        valid_from: None,
        valid_to: None,
        owner: String::new(),
        sha256: None,
        file_name: String::new(),
    }
}

/// Everything a lamp needs in Germany.
fn papers() -> Vec<Certificate> {
    ["lucid", "weee", "ce", "responsible_person"]
        .into_iter()
        .map(|kind| paper(kind, &format!("{kind}-1")))
        .collect()
}

static RULES: std::sync::LazyLock<RuleBook> = std::sync::LazyLock::new(|| RuleBook::shipped().unwrap());

struct Stage {
    certificates: Vec<Certificate>,
    goods: BTreeMap<Sku, GoodsFacts>,
    declared: Vec<DeclaredBefore>,
    rates: Rates,
    value: ValuePolicy,
    channel: Channel,
    warehouse: CartonLimits,
}

impl Stage {
    fn new() -> Self {
        let facts = GoodsFacts {
            cost: Some(usd("10")),
            price: None,
            unit_longest_mm: Some(300),
            carton_units: Some(10),
        };
        Self {
            certificates: papers(),
            goods: [(Sku::new("LAMP-1").unwrap(), facts)].into(),
            declared: Vec::new(),
            rates: Rates::default(),
            value: ValuePolicy::default(),
            channel: Channel::default(),
            warehouse: CartonLimits::default(),
        }
    }

    fn with<T>(&self, order: &StockingOrder, look: impl FnOnce(&Scene<'_>) -> T) -> T {
        look(&Scene {
            order,
            today: order.created_on,
            rules: &RULES,
            certificates: &self.certificates,
            goods: &self.goods,
            declared: &self.declared,
            rates: &self.rates,
            value: &self.value,
            channel: &self.channel,
            warehouse: &self.warehouse,
            value_reason: None,
        })
    }

    fn said(&self, order: &StockingOrder) -> String {
        let findings = self.with(order, examine);
        let lines: Vec<String> = findings
            .iter()
            .map(|one| {
                let what = &one.problem;
                let place = if what.place.is_empty() { "-" } else { &what.place };
                format!(
                    "{} {} {place} {} [{}] {}",
                    one.level.code(),
                    one.gate.code(),
                    what.field,
                    what.found,
                    what.wanted
                )
            })
            .collect();
        lines.join("\n")
    }
}

#[test]
fn a_complete_order_passes_every_gate() {
    assert_eq!(Stage::new().said(&order("DE", "lamp")), "");
}

#[test]
fn r3_germany_without_eori_and_vat_is_blocked_at_documents_field_by_field() {
    let mut order = order("DE", "lamp");
    order.importer.eori.clear();
    order.importer.vat.clear();
    insta::assert_snapshot!(Stage::new().said(&order), @"
    block documents - importer.eori [] the importer's EORI number (rule eu/eori; Regulation (EU) No 952/2013, art. 9)
    block documents - importer.vat [] the importer's VAT number in the country (rule eu/vat; Directive 2006/112/EC, art. 214)
    ");
}

#[test]
fn r3_a_number_of_another_country_an_expired_one_and_another_consignee_are_errors() {
    let mut order = order("DE", "lamp");
    order.importer.eori = "US1234".to_owned();
    let ended = Period {
        to: Some(day("2026-09-19")),
        ..Period::default()
    };
    order.importer.valid.insert(PartyId::Vat, ended);
    order.importer.ioe = "IOE-77".to_owned();
    let mut consignee = party("DE");
    consignee.name = "Somebody Else GmbH".to_owned();
    consignee.eori = "DE999".to_owned();
    order.parties.insert(PartyRole::Consignee, consignee);
    insta::assert_snapshot!(Stage::new().said(&order), @"
    block documents - importer.eori [US1234] an EORI of a member state of the Union (goods go to DE)
    block documents - importer.vat [DE136695976, until 2026-09-19] a number that still holds when the goods ship on 2026-09-20
    block documents - parties.consignee [Somebody Else GmbH] the same entity as the importer of record, Harbour Lights GmbH
    warn documents - importer.ioe [IOE-77] no such number as IOE is known: is the importer's number (IOR) or EIN meant? Then write it as `ein`
    ");
}

#[test]
fn r3_forms_of_numbers() {
    use crate::order::party_id::{Verdict, judge};
    let fine = |id, number: &str, country| judge(id, number, country) == Verdict::Fine;
    for (number, country, wanted) in [
        ("GB980780684000", "GB", true),
        ("XI980780684000", "GB", true),
        ("GB98078068400", "GB", false),
        ("DE1234567890123", "GB", false),
        ("DE1234567890123", "DE", true),
        ("FR12345678901234", "DE", true),
        ("GB980780684000", "DE", false),
        ("DE1234567890123456", "DE", false),
        ("DE", "DE", false),
        ("", "DE", false),
        ("编号12345", "DE", false),
    ] {
        assert_eq!(fine(PartyId::Eori, number, country), wanted, "{number} {country}");
    }
    for (number, country, wanted) in [
        ("DE136695976", "DE", true),
        ("136695976", "DE", true),
        ("FR136695976", "DE", false),
        ("DE13669597", "DE", false),
    ] {
        assert_eq!(fine(PartyId::Vat, number, country), wanted, "{number}");
    }
    for (number, wanted) in [
        ("12-3456789", true),
        ("12-345678900", true),
        ("260101-12345", true),
        ("123-45-6789", true),
        ("IOE-1", false),
    ] {
        assert_eq!(fine(PartyId::Ein, number, "US"), wanted, "{number}");
    }
}

#[test]
fn r7_a_country_without_pack_is_held_and_not_taken_for_one_without_rules() {
    let said = Stage::new().said(&order("BR", "lamp"));
    assert!(
        said.starts_with("hold admission - deliver_to.address.country [BR]"),
        "{said}"
    );
}

#[test]
fn r23_two_of_ten_is_held_nine_eighty_passes_and_a_fall_after_five_five_five_is_told() {
    let mut order = order("DE", "lamp");
    let mut stage = Stage::new();
    assert_eq!(stage.said(&order), "", "9.80 of 10");
    order.lines[0].unit_value = "2".parse().unwrap();
    insta::assert_snapshot!(stage.said(&order), @"hold value SKU LAMP-1 declared_value [2 USD] at least 50% of the purchase cost 10 USD, or a reason");
    order.lines[0].unit_value = "1".parse().unwrap();
    stage
        .goods
        .values_mut()
        .for_each(|facts| facts.cost = Some(usd("1")));
    stage.declared = ["2026-03-01", "2026-05-01", "2026-07-01"]
        .into_iter()
        .map(|on| DeclaredBefore {
            order: OrderNo::new("BH1").unwrap(),
            on: day(on),
            sku: Sku::new("LAMP-1").unwrap(),
            hs: "9405210090".to_owned(),
            value: usd("5"),
        })
        .collect();
    insta::assert_snapshot!(stage.said(&order), @"warn value SKU LAMP-1 declared_value [1 USD] about what was declared 3 times before (median 5 USD), or a reason");
}

#[test]
fn r23_without_cost_or_rate_nobody_can_judge_and_one_day_has_one_value() {
    let mut order = order("DE", "lamp");
    let mut stage = Stage::new();
    stage.goods.values_mut().for_each(|facts| {
        facts.cost = Some(Money::new(70.into(), Currency::CNY));
    });
    let said = stage.said(&order);
    assert!(said.contains("a rate from CNY to USD"), "{said}");
    stage
        .rates
        .0
        .insert(Currency::CNY, rust_decimal::Decimal::new(14, 2));
    assert_eq!(stage.said(&order), "", "70 CNY are 9.80 USD");
    stage.goods.clear();
    let said = stage.said(&order);
    assert!(said.starts_with("warn value SKU LAMP-1 declared_value"), "{said}");
    assert!(!said.contains("hold"), "{said}");
    stage.goods = Stage::new().goods;
    stage.declared = vec![DeclaredBefore {
        order: OrderNo::new("BH260907-00").unwrap(),
        on: order.created_on,
        sku: Sku::new("LAMP-1").unwrap(),
        hs: String::new(),
        value: usd("9.9"),
    }];
    assert!(
        stage.said(&order).starts_with("hold value"),
        "{}",
        stage.said(&order)
    );
    let answered = stage.with(&order, |scene| {
        examine(&Scene {
            value_reason: Some("promotion set"),
            ..*scene
        })
    });
    assert_eq!(answered, Vec::new());
    stage.declared.clear();
    stage.value.floor.insert("9405".to_owned(), usd("12"));
    assert!(
        stage
            .said(&order)
            .contains("at least 12 USD, the floor for HS 9405")
    );
    order.lines[0].unit_value = "12".parse().unwrap();
    assert_eq!(stage.said(&order), "");
}

#[test]
fn r24_every_role_is_somebody_and_exw_needs_the_factory() {
    let mut order = order("DE", "lamp");
    order.term = Term::Exw;
    order.shipper.address.lines.clear();
    order.importer.name.clear();
    insta::assert_snapshot!(Stage::new().said(&order), @"
    hold term - importer.name [] the name of who bears it under EXW (export_declarant, main_carriage, importer_of_record, duty_and_vat)
    hold term - shipper.address [] the factory's address, where EXW goods are picked up
    ");
}

#[test]
fn r25_a_certificate_that_ends_before_arrival_is_told_and_one_that_ended_blocks() {
    let order = order("DE", "lamp");
    let mut stage = Stage::new();
    let ce = |stage: &mut Stage, last: &str| {
        for one in &mut stage.certificates {
            if one.kind == "ce" {
                one.valid_to = Some(day(last));
            }
        }
    };
    ce(&mut stage, "2026-10-15");
    insta::assert_snapshot!(stage.said(&order), @"warn certificates SKU LAMP-1 ce [ce-1, until 2026-10-15] one that still holds when the goods arrive, about 2026-10-30: a CE declaration of conformity (rule eu/ce)");
    ce(&mut stage, "2026-09-19");
    insta::assert_snapshot!(stage.said(&order), @"block certificates SKU LAMP-1 ce [ce-1, until 2026-09-19] one that still holds when the goods ship on 2026-09-20: a CE declaration of conformity (rule eu/ce)");
}

#[test]
fn r26_a_lamp_to_germany_without_weee_is_blocked_and_to_america_not_asked() {
    let mut stage = Stage::new();
    stage.certificates.retain(|one| one.kind != "weee");
    insta::assert_snapshot!(stage.said(&order("DE", "lamp")), @"block admission SKU LAMP-1 weee [] WEEE registration number (stiftung ear) (rule de/weee; ElektroG § 6)");
    let american = order("US", "lamp");
    let asked = stage.with(&american, admissions);
    assert!(asked.iter().all(|one| one.paper != "weee"), "{asked:?}");
    // Paper rules of the homeware do not concern it.
    let states: BTreeMap<String, Admission> = stage
        .with(&order("DE", "homeware"), admissions)
        .into_iter()
        .map(|one| (one.rule, one.state))
        .collect();
    assert_eq!(states.get("de/weee"), Some(&Admission::NotNeeded));
    assert_eq!(states.get("de/lucid"), Some(&Admission::Ok));
}

#[test]
fn r26_what_nobody_classified_needs_a_person_and_is_not_ok() {
    let stage = Stage::new();
    for category in ["", "lampe"] {
        let said = stage.said(&order("DE", category));
        assert!(
            said.starts_with("hold admission SKU LAMP-1 category") && said.contains("perhaps lamp"),
            "{said}"
        );
    }
    let states = stage.with(&order("DE", ""), admissions);
    assert!(
        states
            .iter()
            .any(|one| one.rule == "de/weee" && one.state == Admission::Unclassified)
    );
}

#[test]
fn r26_a_responsible_person_on_the_order_answers_for_the_registration() {
    let mut stage = Stage::new();
    stage.certificates.retain(|one| one.kind != "responsible_person");
    let mut order = order("DE", "lamp");
    assert!(stage.said(&order).contains("responsible person"));
    order.parties.insert(PartyRole::ResponsiblePerson, party("DE"));
    assert_eq!(stage.said(&order), "");
}

proptest::proptest! {
    /// Whatever is missing or wrong, the gates answer, in the same words each time, and never twice the same.
    #[test]
    fn gates_answer_alike_and_once(
        country in proptest::sample::select(vec!["DE", "GB", "US", "JP", "AU", "BR", ""]),
        category in proptest::sample::select(vec!["lamp", "toy", "", "?"]),
        number in ".{0,20}",
        value in 0_i64..100_000,
        grams in 0_i64..100_000,
    ) {
        let mut order = order(country, category);
        order.importer.eori.clone_from(&number);
        order.importer.vat.clone_from(&number);
        order.importer.ein = number;
        order.lines[0].unit_value = rust_decimal::Decimal::new(value, 3);
        order.cartons[1].gross_g = grams;
        let stage = Stage::new();
        let first = stage.with(&order, examine);
        proptest::prop_assert_eq!(&first, &stage.with(&order, examine));
        for (place, one) in first.iter().enumerate() {
            proptest::prop_assert!(!first[..place].iter().any(|other| other.problem == one.problem));
            proptest::prop_assert!(!one.problem.wanted.contains('{') && !one.wanted_zh.contains('{'), "{:?}", one);
        }
    }
}
