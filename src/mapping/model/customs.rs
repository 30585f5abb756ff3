//! What customs and carriers ask, as the model's groups `parties`, `export`, `transport`, `pallets` and `goods.customs`.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::party;
use crate::order::customs::{BatteryFacts, CustomsFacts, PartyRole, Transport};
use crate::order::model::StockingOrder;
use crate::quantity::{centimetres, cubic_metres, kilograms};

/// Every role by its name; nobody's is null, so that a paper that needs it says so.
pub(super) fn parties(order: &StockingOrder) -> Value {
    let roles = PartyRole::ALL.into_iter().map(|role| {
        (
            role.code().to_owned(),
            order.party(role).map_or(Value::Null, party),
        )
    });
    Value::Object(roles.collect::<Map<_, _>>())
}

pub(super) fn export(order: &StockingOrder) -> Value {
    let facts = &order.export;
    let cents = |amount: Option<Decimal>| amount.map(super::price);
    json!({
        "supervision_mode": facts.supervision_mode,
        "levy_nature": facts.levy_nature,
        "customs_office": facts.customs_office,
        "exit_office": facts.exit_office,
        "exit_port": facts.exit_port,
        "destination_port": facts.destination_port,
        "package_kind": facts.package_kind,
        "contract_no": facts.contract_no.replace("{order}", order.number.as_str()),
        "freight": cents(facts.freight),
        "insurance": cents(facts.insurance),
        "other_costs": cents(facts.other_costs),
        "exporter_code": facts.exporter_code,
        "typist_card": facts.typist_card,
        "dxp_id": facts.dxp_id,
        "platform": facts.platform,
        "platform_code": facts.platform_code,
    })
}

/// `lines` are the order's: a booking names the goods once, with the first kind of container.
pub(super) fn transport(order: &StockingOrder, facts: &Transport, lines: &[Value]) -> Value {
    let mut equipment: Vec<Value> = Vec::new();
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for container in &facts.containers {
        match kinds.iter_mut().find(|(kind, _)| *kind == container.size_type) {
            Some((_, count)) => *count += 1,
            None => kinds.push((&container.size_type, 1)),
        }
    }
    for (place, (size_type, count)) in kinds.into_iter().enumerate() {
        let lines = if place == 0 { lines } else { &[] };
        equipment.push(json!({"size_type": size_type, "count": count, "lines": lines}));
    }
    let departs_on = facts.departs_at.map(|at| at.date_naive());
    let containers: Vec<Value> = facts
        .containers
        .iter()
        .zip(1..)
        .map(|(container, no): (_, usize)| {
            json!({
                "no": no,
                "number": container.number,
                "size_type": container.size_type,
                "seal": container.seal,
            })
        })
        .collect();
    json!({
        "carrier": facts.carrier,
        "booking_no": facts.booking_no,
        "vessel": facts.vessel,
        "voyage": facts.voyage,
        "master_bill": facts.master_bill,
        "house_bill": facts.house_bill,
        "departs_at": facts.departs_at.map(|at| at.to_rfc3339()),
        "departs_on": departs_on.map(|day| day.to_string()),
        "expected_departure": departs_on.unwrap_or(order.ship_by).to_string(),
        "in_containers": !facts.containers.is_empty(),
        "containers": containers,
        "equipment": equipment,
    })
}

pub(super) fn pallets(order: &StockingOrder) -> Value {
    let rows = order.pallets.iter().map(|pallet| {
        json!({
            "no": pallet.no,
            "of": order.pallets.len(),
            "sscc": pallet.sscc,
            "cartons": pallet.cartons.len(),
            "carton_numbers": crate::mapping::xlsx::carton_ranges::shown(&pallet.cartons),
            "gross_g": pallet.gross_g,
            "gross_kg": kilograms(pallet.gross_g).to_string(),
            "length_cm": centimetres(pallet.dims.length_mm).to_string(),
            "width_cm": centimetres(pallet.dims.width_mm).to_string(),
            "height_cm": centimetres(pallet.dims.height_mm).to_string(),
            "volume_m3": cubic_metres(pallet.dims.volume_mm3()).to_string(),
        })
    });
    Value::Array(rows.collect())
}

pub(super) fn facts(facts: &CustomsFacts) -> Value {
    let elements: Vec<&str> = match facts.declared_elements.as_str() {
        "" => Vec::new(),
        text => text.split('|').map(str::trim).collect(),
    };
    json!({
        "category": facts.category,
        "gtin": facts.gtin,
        "batch": facts.batch,
        "declared_elements": facts.declared_elements,
        "elements": elements,
        "unit_code": facts.unit_code,
        "legal_unit": facts.legal_unit,
        "second_legal_unit": facts.second_legal_unit,
        "source_region": facts.source_region,
        "levy_mode": facts.levy_mode,
        "manufacturer": facts.manufacturer.as_deref().map(party),
        "has_no_manufacturer": facts.manufacturer.is_none(),
        "picture": facts.picture,
        "battery": facts.battery.as_ref().map(battery),
    })
}

fn battery(facts: &BatteryFacts) -> Value {
    json!({
        "un": facts.un,
        "packing_instruction": facts.packing_instruction,
        "watt_hours": facts.watt_hours.map(|hours| hours.normalize().to_string()),
        "charge_percent": facts.charge_percent,
    })
}

/// A line's quantity in a legal unit; unknown while nobody has said how many of it a unit is.
pub(super) fn quantity(units: i64, factor: Option<Decimal>) -> Option<String> {
    let quantity = Decimal::from(units).checked_mul(factor?)?;
    Some(quantity.round_dp(5).normalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::model::{DocumentContext, document_model, shape::sample};

    #[test]
    fn a_role_nobody_plays_is_null_and_the_importer_stands_in_for_the_consignee() {
        let order = sample().unwrap();
        let mut bare = order.clone();
        bare.parties.clear();
        bare.importer.name = "Importer Ltd".to_owned();
        let model = document_model(&bare, &DocumentContext::new(order.created_on, "1"));
        assert_eq!(model["parties"]["consignee"]["name"], "Importer Ltd");
        assert_eq!(model["parties"]["manufacturer"], Value::Null);
        bare.importer.name.clear();
        let model = document_model(&bare, &DocumentContext::new(order.created_on, "1"));
        assert_eq!(model["parties"]["consignee"], Value::Null);
    }

    #[test]
    fn a_contract_number_may_carry_the_orders() {
        let mut order = sample().unwrap();
        order.export.contract_no = "HT-{order}/1".to_owned();
        let model = document_model(&order, &DocumentContext::new(order.created_on, "1"));
        assert_eq!(model["export"]["contract_no"], "HT-x/1");
    }

    #[test]
    fn r44_a_legal_quantity_is_factor_times_units_and_unknown_without_a_factor() {
        let shown = |factor: &str| quantity(240, factor.parse().ok());
        assert_eq!(shown("0.35").as_deref(), Some("84"));
        assert_eq!(shown("0.33333").as_deref(), Some("79.9992"));
        assert_eq!(shown(""), None);
    }

    #[test]
    fn an_order_frozen_before_these_facts_were_kept_is_still_read() {
        let order = sample().unwrap();
        let mut tree = serde_json::to_value(&order).unwrap();
        for key in ["parties", "export", "pallets"] {
            tree.as_object_mut().unwrap().remove(key);
        }
        let read: StockingOrder = serde_json::from_value(tree).unwrap();
        assert!(read.parties.is_empty() && read.export.is_unknown() && read.pallets.is_empty());
    }
}
