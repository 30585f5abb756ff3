//! From approved lines to an order that can be issued, or to everything that is in its way at once.

use chrono::NaiveDate;

use super::cartons::{CartonSpec, LineSpec, Packing, pack_all};
use super::customs::{ExportFacts, Parties};
use super::gate::Finding;
use super::model::{Goods, Mode, OrderLine, Party, StockingOrder, Term};
use super::term::{Role, responsibilities};
use crate::ids::{ForwarderId, OrderNo, PlanId, WarehouseCode};
use crate::money::{Currency, Money};
use crate::problem::Problem;

/// One line a person approved, with what the catalog knows about the goods on the order's date.
#[derive(Debug, Clone)]
pub struct DraftLine {
    pub goods: Goods,
    pub units: i64,
    pub suggested_units: Option<i64>,
    pub unit_value: Option<Money>,
    pub carton: Option<CartonSpec>,
    /// Fields the catalog lacks before this item can be booked.
    pub missing: Vec<String>,
}

/// What is asked to become an order.
#[derive(Debug, Clone)]
pub struct Draft {
    pub number: OrderNo,
    pub revision: u32,
    pub created_on: NaiveDate,
    pub plan: Option<PlanId>,
    pub warehouse: WarehouseCode,
    pub deliver_to: Party,
    pub mode: Mode,
    pub forwarder: ForwarderId,
    pub service: String,
    pub term: Option<Term>,
    pub currency: Option<Currency>,
    pub shipper: Party,
    pub importer: Option<Party>,
    pub parties: Parties,
    pub export: ExportFacts,
    pub port_of_loading: String,
    pub port_of_discharge: String,
    pub ship_by: NaiveDate,
    pub eta: NaiveDate,
    /// Whether rests of several lines may share a carton, and what such a carton may hold.
    pub packing: Packing,
    pub lines: Vec<DraftLine>,
}

/// Builds the order with its carton plan.
///
/// # Errors
/// Every problem of every line and of the head, at once; then nothing is issued.
pub fn build(draft: Draft) -> Result<StockingOrder, Vec<Problem>> {
    let (order, problems) = provisional(draft);
    if problems.is_empty() {
        Ok(order)
    } else {
        Err(problems.into_iter().map(Problem::from).collect())
    }
}

/// The order as far as it can be built, and everything that is wrong with it. With any problem it is good for nothing but
/// being looked at: gates tell theirs in the same breath.
#[must_use]
pub fn provisional(draft: Draft) -> (StockingOrder, Vec<Finding>) {
    let mut problems = Vec::new();
    check_head(&draft, &mut problems);
    let mut lines = Vec::with_capacity(draft.lines.len());
    let mut specs = Vec::with_capacity(draft.lines.len());
    for (line, no) in draft.lines.iter().zip(1_u32..) {
        let Some((value, spec)) = check_line(&draft, line, &mut problems) else {
            continue;
        };
        specs.push(LineSpec {
            line: no,
            units: line.units,
            spec,
            // What may not travel beside other goods is not packed with them either.
            apart: line.goods.battery || line.goods.liquid || line.goods.powder,
        });
        lines.push(OrderLine {
            no,
            goods: line.goods.clone(),
            units: line.units,
            unit_value: value.amount,
            suggested_units: line.suggested_units,
        });
    }
    let cartons = pack_all(&specs, &draft.packing, draft.number.as_str());
    let currency = draft
        .currency
        .or_else(|| {
            let mut values = draft.lines.iter().filter_map(|line| line.unit_value);
            values.next().map(|value| value.currency)
        })
        .unwrap_or(Currency::CNY);
    let order = StockingOrder {
        number: draft.number,
        revision: draft.revision,
        created_on: draft.created_on,
        plan: draft.plan,
        warehouse: draft.warehouse,
        deliver_to: draft.deliver_to,
        mode: draft.mode,
        forwarder: draft.forwarder,
        service: draft.service,
        term: draft.term.unwrap_or(Term::Dap),
        currency,
        shipper: draft.shipper,
        importer: draft.importer.unwrap_or_default(),
        port_of_loading: draft.port_of_loading,
        port_of_discharge: draft.port_of_discharge,
        ship_by: draft.ship_by,
        eta: draft.eta,
        lines,
        cartons,
        pallets: Vec::new(),
        parties: draft.parties,
        export: draft.export,
    };
    (order, problems)
}

fn lack(draft: &Draft, place: &str, what: (&str, &str), wanted: (&str, &[(&str, &str)])) -> Finding {
    Finding::lack(format!("order {}", draft.number), place, what, wanted)
}

fn check_head(draft: &Draft, problems: &mut Vec<Finding>) {
    let mut need = |ok: bool, field: &str, wanted: &str| {
        if !ok {
            problems.push(lack(draft, "", (field, ""), (wanted, &[])));
        }
    };
    need(!draft.lines.is_empty(), "lines", "lacks.lines");
    need(draft.currency.is_some(), "currency", "lacks.currency");
    need(draft.term.is_some(), "term", "lacks.term_of_trade");
    need(
        !draft.shipper.name.is_empty(),
        "shipper.name",
        "lacks.shipper_name",
    );
    need(
        !draft.deliver_to.address.lines.is_empty(),
        "deliver_to.address",
        "lacks.street",
    );
    let importer = draft.importer.as_ref();
    need(importer.is_some(), "importer", "lacks.importer");
    if let Some(term) = draft.term {
        let duties = responsibilities(term);
        if duties.pickup_address_required {
            need(
                !draft.shipper.address.lines.is_empty(),
                "shipper.address",
                "lacks.pickup",
            );
        }
        if duties.duty_and_vat == Role::Seller {
            need(
                importer.is_none_or(|party| !party.name.is_empty()),
                "importer.name",
                "lacks.importer_name",
            );
        }
    }
}

fn check_line<'a>(
    draft: &Draft,
    line: &'a DraftLine,
    problems: &mut Vec<Finding>,
) -> Option<(Money, &'a CartonSpec)> {
    let before = problems.len();
    let place = format!("SKU {}", line.goods.sku);
    let mut lacks = |field: &str, found: &str, wanted: (&str, &[(&str, &str)])| {
        problems.push(lack(draft, &place, (field, found), wanted));
    };
    if line.units <= 0 {
        lacks("units", &line.units.to_string(), ("lacks.units", &[]));
    }
    for field in &line.missing {
        lacks(field, "", ("lacks.catalog_value", &[]));
    }
    match (line.unit_value, draft.currency) {
        (None, _) => lacks("declared_value", "", ("lacks.declared_value", &[])),
        (Some(value), Some(wanted)) if value.currency != wanted => {
            let wanted = wanted.to_string();
            let places = [("currency", wanted.as_str())];
            lacks(
                "declared_currency",
                value.currency.code(),
                ("lacks.declared_currency", &places),
            );
        }
        (Some(_), _) => {}
    }
    if line.carton.is_none() && !line.missing.iter().any(|field| field.starts_with("carton")) {
        lacks("carton_units", "", ("lacks.carton", &[]));
    }
    match (line.unit_value, &line.carton) {
        (Some(value), Some(spec)) if problems.len() == before => Some((value, spec)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Sku;
    use crate::order::model::Address;
    use crate::quantity::Dims;
    use crate::wording::Lang;

    fn party(country: &str) -> Party {
        Party {
            name: "Harbour Gifts Ltd".to_owned(),
            address: Address {
                lines: vec!["1 Dock Road".to_owned()],
                city: "Manchester".to_owned(),
                country: country.to_owned(),
                ..Address::default()
            },
            eori: "GB123456789000".to_owned(),
            vat: "GB123456789".to_owned(),
            ..Party::default()
        }
    }

    fn line(sku: &str, units: i64) -> DraftLine {
        DraftLine {
            goods: Goods {
                sku: Sku::new(sku).unwrap(),
                warehouse_sku: sku.to_owned(),
                asin: String::new(),
                name_zh: "马克杯".to_owned(),
                name_en: "Mug".to_owned(),
                customs_name_zh: "陶瓷杯".to_owned(),
                customs_name_en: "Ceramic mug".to_owned(),
                hs_cn: "6912001000".to_owned(),
                hs_destination: "6912002500".to_owned(),
                material_zh: "陶瓷".to_owned(),
                material_en: "ceramic".to_owned(),
                usage_zh: "饮水".to_owned(),
                usage_en: "drinking".to_owned(),
                brand: "NONE".to_owned(),
                model: sku.to_owned(),
                origin: "CN".to_owned(),
                unit_net_g: 300,
                battery: false,
                magnet: false,
                liquid: false,
                powder: false,
                sales_url: String::new(),
                customs: crate::order::CustomsFacts::default(),
            },
            units,
            suggested_units: Some(units),
            unit_value: Some(Money::new("2.35".parse().unwrap(), Currency::GBP)),
            carton: Some(CartonSpec {
                units: 24,
                dims: Dims {
                    length_mm: 450,
                    width_mm: 350,
                    height_mm: 300,
                },
                gross_g: 8_500,
                unit_net_g: 300,
                unit_gross_g: 330,
            }),
            missing: Vec::new(),
        }
    }

    fn draft(lines: Vec<DraftLine>) -> Draft {
        let day: NaiveDate = "2026-09-07".parse().unwrap();
        Draft {
            number: OrderNo::new("BH260907-01").unwrap(),
            revision: 1,
            created_on: day,
            plan: None,
            warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
            deliver_to: party("GB"),
            mode: Mode::Sea,
            forwarder: ForwarderId::new("huatuo").unwrap(),
            service: "UK sea LCL".to_owned(),
            term: Some(Term::Ddp),
            currency: Some(Currency::GBP),
            shipper: party("CN"),
            importer: Some(party("GB")),
            parties: Parties::default(),
            export: ExportFacts::default(),
            port_of_loading: "CNYTN".to_owned(),
            port_of_discharge: "GBFXT".to_owned(),
            ship_by: day,
            eta: day,
            packing: Packing::default(),
            lines,
        }
    }

    #[test]
    fn totals_of_cartons_and_lines_agree() {
        let order = build(draft(vec![line("A", 100), line("B", 48)])).unwrap();
        let totals = order.totals();
        assert_eq!((totals.units, totals.cartons), (148, 7));
        let packed: i64 = order.cartons.iter().map(super::super::model::Carton::units).sum();
        assert_eq!(packed, totals.units);
        assert_eq!(totals.value.to_string(), "347.80");
    }

    #[test]
    fn r22_everything_in_the_way_is_said_at_once() {
        let mut bad = line("A", 0);
        bad.carton = None;
        bad.unit_value = Some(Money::new(1.into(), Currency::USD));
        let mut head = draft(vec![bad, line("B", 24)]);
        head.term = None;
        let said: Vec<String> = build(head).unwrap_err().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        order BH260907-01, `term`: found ``, wanted a trade term such as DDP, DAP (DDU), FOB or EXW
        order BH260907-01, SKU A, `units`: found `0`, wanted a whole number above 0
        order BH260907-01, SKU A, `declared_currency`: found `USD`, wanted the order's currency GBP
        order BH260907-01, SKU A, `carton_units`: found ``, wanted the packing specification of a carton
        ");
    }

    #[test]
    fn r24_ddp_without_a_named_importer_is_held() {
        let mut head = draft(vec![line("A", 24)]);
        head.importer = None;
        let said = build(head).unwrap_err();
        assert!(
            said.iter().any(|problem| problem.wanted.contains("who clears")),
            "{said:?}"
        );
    }

    #[test]
    fn r26_what_an_order_lacks_is_said_in_both_languages() {
        let mut bare = line("A", 0);
        bare.unit_value = None;
        bare.carton = None;
        bare.missing = vec!["hs_cn".to_owned()];
        let mut other = line("B", 24);
        other.unit_value = Some(Money::new("2.35".parse().unwrap(), Currency::USD));
        let mut draft = draft(vec![bare, other]);
        draft.term = None;
        draft.importer = None;
        draft.shipper = Party::default();
        draft.deliver_to = Party::default();
        let (_, lacks) = provisional(draft);
        assert_eq!(lacks.len(), 9, "{lacks:#?}");
        for lack in &lacks {
            let (zh, en) = (lack.wanted(Lang::Zh), lack.wanted(Lang::En));
            assert!(
                !zh.is_ascii() && zh != en && !zh.contains(['{', '}']),
                "{lack:#?}"
            );
            assert!(en.is_ascii() && !en.contains(['{', '}']), "{lack:#?}");
        }
    }
}
