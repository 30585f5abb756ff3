//! The one model of a stocking order that every mapping reads from.
//!
//! A tree of plain values: decimals as text with fixed places, dates as ISO text, weights in grams and as kilogram
//! text, measures in millimetres and centimetres, volumes in mm³ and m³. `docs/mappings.md` lists every name.
//! What is unknown or empty is null or an empty text, never a zero.

mod changes;
mod customs;
mod shares;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::ids::Sku;
use crate::money::round_cents;
use crate::order::Transport;
use crate::order::model::{Address, Carton, Goods, OrderLine, Party, StockingOrder};
use crate::quantity::{centimetres, cubic_metres, kilograms};

/// What a document says besides the order itself.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentContext {
    pub issued_on: NaiveDate,
    /// Number of the document (invoice number, packing list number).
    pub document_no: String,
    /// The warehouse's own number of the announcement (入库单号, FBA shipment id); empty until there is one.
    pub inbound_no: String,
    /// The revision that was sent before, to list what changed.
    pub previous: Option<StockingOrder>,
    /// Units at the domestic warehouse, where they are known: a shortage is listed, an unknown SKU is not a zero.
    pub domestic_stock: BTreeMap<Sku, i64>,
    /// Pictures that documents may show, by the name the goods give them (`goods.customs.picture`).
    pub pictures: Pictures,
    /// How the goods travel, as far as the carrier has said.
    pub transport: Transport,
}

/// PNG or JPEG files by name.
pub type Pictures = BTreeMap<String, Vec<u8>>;

impl DocumentContext {
    #[must_use]
    pub fn new(issued_on: NaiveDate, document_no: impl Into<String>) -> Self {
        Self {
            issued_on,
            document_no: document_no.into(),
            inbound_no: String::new(),
            previous: None,
            domestic_stock: BTreeMap::new(),
            pictures: Pictures::new(),
            transport: Transport::default(),
        }
    }
}

/// The tree. Two calls with equal arguments give equal trees.
#[must_use]
pub fn document_model(order: &StockingOrder, context: &DocumentContext) -> Value {
    let shares = shares::carton_shares(order);
    let totals = order.totals();
    let lines: Vec<Value> = order.lines.iter().map(|one| line(order, one, &shares)).collect();
    let id = document_id(order, context);
    json!({
        "document": {
            "no": context.document_no,
            "uuid": uuid(&id),
            "short_id": id.get(..18),
            "issued_on": context.issued_on.to_string(),
            "inbound_no": context.inbound_no,
        },
        "order": order_head(order),
        "shipper": party(&order.shipper),
        "importer": party(&order.importer),
        "deliver_to": party(&order.deliver_to),
        "parties": customs::parties(order),
        "export": customs::export(order),
        "transport": customs::transport(order, &context.transport, &lines),
        "lines": lines,
        "cartons": order.cartons.iter().map(|one| carton(order, one, &shares)).collect::<Vec<_>>(),
        "groups": groups(order),
        "pallets": customs::pallets(order),
        "totals": {
            "units": totals.units,
            "lines": order.lines.len(),
            "cartons": totals.cartons,
            "value": totals.value.to_string(),
            "net_g": totals.net_g,
            "gross_g": totals.gross_g,
            "net_kg": kilograms(totals.net_g).to_string(),
            "gross_kg": kilograms(totals.gross_g).to_string(),
            "volume_mm3": totals.volume_mm3,
            "volume_m3": cubic_metres(totals.volume_mm3).to_string(),
        },
        "changes": changes::changes(order, context.previous.as_ref()),
        "shortages": changes::shortages(order, &context.domestic_stock),
    })
}

/// What differs between two revisions, a row each: `sku`, `what_zh`, `what_en`, `was`, `now`.
#[must_use]
pub fn changes_between(previous: &StockingOrder, order: &StockingOrder) -> Value {
    changes::changes(order, Some(previous))
}

fn order_head(order: &StockingOrder) -> Value {
    let any = |flag: fn(&Goods) -> bool| order.lines.iter().any(|line| flag(&line.goods));
    json!({
        "number": order.number,
        "revision": order.revision,
        "is_first": order.revision <= 1,
        "created_on": order.created_on.to_string(),
        "plan": order.plan,
        "warehouse": order.warehouse,
        "warehouse_provider": order.warehouse.provider(),
        "warehouse_code": order.warehouse.local(),
        "mode": order.mode.code(),
        "forwarder": order.forwarder,
        "service": order.service,
        "term": order.term.code(),
        "mode_term": format!("{}-{}", order.mode.code(), order.term.code()),
        "currency": order.currency.code(),
        "port_of_loading": order.port_of_loading,
        "port_of_discharge": order.port_of_discharge,
        "ship_by": order.ship_by.to_string(),
        "eta": order.eta.to_string(),
        "battery": any(|goods| goods.battery),
        "magnet": any(|goods| goods.magnet),
        "liquid": any(|goods| goods.liquid),
        "powder": any(|goods| goods.powder),
    })
}

/// A name for the message that is the same whenever the document is written again, and another for every revision.
fn document_id(order: &StockingOrder, context: &DocumentContext) -> String {
    let of = format!("{}\n{}\n{}", order.number, order.revision, context.document_no);
    crate::digest::sha256_hex(of.as_bytes())
}

/// 128 bits of the name in the form of an RFC 9562 UUID of version 8.
fn uuid(id: &str) -> String {
    let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-8{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}

fn party(party: &Party) -> Value {
    json!({
        "name": party.name,
        "name_zh": party.name_zh,
        "contact": party.contact,
        "recipient": if party.contact.trim().is_empty() { &party.name } else { &party.contact },
        "phone": party.phone,
        "email": party.email,
        "uscc": party.uscc,
        "eori": party.eori,
        "vat": party.vat,
        "ein": party.ein,
        "local_id": party.local_id,
        "address": address(&party.address),
    })
}

fn address(address: &Address) -> Value {
    let street = |place: usize| address.lines.get(place).map_or("", String::as_str);
    // More than three street lines are joined into the third: nothing of an address is dropped.
    let third = address.lines.get(2..).unwrap_or_default().join(", ");
    let town = [address.city.as_str(), &address.region, &address.postcode].map(str::trim);
    let town: Vec<&str> = town.into_iter().filter(|part| !part.is_empty()).collect();
    let town = town.join(" ");
    let mut parts: Vec<&str> = address.lines.iter().map(String::as_str).collect();
    parts.extend([town.as_str(), address.country.as_str()]);
    parts.retain(|part| !part.trim().is_empty());
    json!({
        "lines": address.lines,
        "line_1": street(0),
        "line_2": street(1),
        "line_3": third,
        "city": address.city,
        "region": address.region,
        "postcode": address.postcode,
        "country": address.country,
        "one_line": parts.join(", "),
    })
}

fn goods(goods: &Goods) -> Value {
    json!({
        "sku": goods.sku,
        "warehouse_sku": goods.warehouse_sku,
        "asin": goods.asin,
        "name_zh": goods.name_zh,
        "name_en": goods.name_en,
        "customs_name_zh": goods.customs_name_zh,
        "customs_name_en": goods.customs_name_en,
        "hs_cn": goods.hs_cn,
        "hs_destination": goods.hs_destination,
        "material_zh": goods.material_zh,
        "material_en": goods.material_en,
        "usage_zh": goods.usage_zh,
        "usage_en": goods.usage_en,
        "brand": goods.brand,
        "model": goods.model,
        "origin": goods.origin,
        "unit_net_g": goods.unit_net_g,
        "unit_net_kg": kilograms(goods.unit_net_g).to_string(),
        "battery": goods.battery,
        "magnet": goods.magnet,
        "liquid": goods.liquid,
        "powder": goods.powder,
        "sales_url": goods.sales_url,
        "customs": customs::facts(&goods.customs),
    })
}

fn line(order: &StockingOrder, line: &OrderLine, shares: &shares::Shares) -> Value {
    let cartons: Vec<u32> = order
        .cartons
        .iter()
        .filter(|carton| carton.contents.iter().any(|content| content.line == line.no))
        .map(|carton| carton.no)
        .collect();
    let (net_g, gross_g) = shares.of_line(order, line.no);
    json!({
        "no": line.no,
        "goods": goods(&line.goods),
        "units": line.units,
        "suggested_units": line.suggested_units,
        "unit_value": price(line.unit_value),
        "value": line.value().to_string(),
        "legal_quantity": customs::quantity(line.units, line.goods.customs.legal_factor),
        "second_legal_quantity": customs::quantity(line.units, line.goods.customs.second_legal_factor),
        "cartons": cartons.len(),
        "carton_numbers": crate::mapping::xlsx::carton_ranges::shown(&cartons),
        "net_g": net_g,
        "gross_g": gross_g,
        "net_kg": kilograms(net_g).to_string(),
        "gross_kg": kilograms(gross_g).to_string(),
    })
}

/// At least two places, more when the declared value has them.
fn price(value: rust_decimal::Decimal) -> String {
    let mut shown = value.normalize();
    if shown.scale() < 2 {
        shown.rescale(2);
    }
    shown.to_string()
}

fn carton(order: &StockingOrder, carton: &Carton, shares: &shares::Shares) -> Value {
    let mut tree = carton_measures(carton);
    tree.insert("no".to_owned(), json!(carton.no));
    tree.insert("of".to_owned(), json!(order.cartons.len()));
    tree.insert("mark".to_owned(), json!(carton.mark));
    tree.insert("sscc".to_owned(), json!(carton.sscc));
    tree.insert("contents".to_owned(), contents(order, carton, Some(shares)));
    Value::Object(tree)
}

fn carton_measures(carton: &Carton) -> Map<String, Value> {
    let dims = carton.dims;
    let cm = |mm: i64| centimetres(mm).to_string();
    let size =
        [dims.length_mm, dims.width_mm, dims.height_mm].map(|mm| centimetres(mm).normalize().to_string());
    let tree = json!({
        "units": carton.units(),
        "mixed": carton.contents.len() > 1,
        "net_g": carton.net_g,
        "gross_g": carton.gross_g,
        "net_kg": kilograms(carton.net_g).to_string(),
        "gross_kg": kilograms(carton.gross_g).to_string(),
        "length_mm": dims.length_mm,
        "width_mm": dims.width_mm,
        "height_mm": dims.height_mm,
        "length_cm": cm(dims.length_mm),
        "width_cm": cm(dims.width_mm),
        "height_cm": cm(dims.height_mm),
        "size_cm": size.join("×"),
        "volume_mm3": dims.volume_mm3(),
        "volume_m3": cubic_metres(dims.volume_mm3()).to_string(),
    });
    match tree {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Contents joined to their line: the carton × SKU rows. A content of a line that does not exist has no goods.
fn contents(order: &StockingOrder, carton: &Carton, shares: Option<&shares::Shares>) -> Value {
    let rows = carton.contents.iter().enumerate().map(|(place, content)| {
        let line = order.line(content.line);
        let value = line.map(|line| {
            round_cents(line.unit_value * rust_decimal::Decimal::from(content.units)).to_string()
        });
        let weights = shares.and_then(|shares| shares.of_content(carton.no, place));
        json!({
            "no": place + 1,
            "first": place == 0,
            "line": content.line,
            "units": content.units,
            "goods": line.map(|line| goods(&line.goods)),
            "unit_value": line.map(|line| price(line.unit_value)),
            "value": value,
            "net_g": weights.map(|(net, _)| net),
            "gross_g": weights.map(|(_, gross)| gross),
            "net_kg": weights.map(|(net, _)| kilograms(net).to_string()),
            "gross_kg": weights.map(|(_, gross)| kilograms(gross).to_string()),
        })
    });
    Value::Array(rows.collect())
}

/// Cartons packed alike, one after the other or not, as one row: `1-10,12`. In the order of their first carton.
fn groups(order: &StockingOrder) -> Value {
    let mut groups: Vec<(&Carton, Vec<u32>)> = Vec::new();
    let alike = |a: &Carton, b: &Carton| {
        (a.net_g, a.gross_g, a.dims) == (b.net_g, b.gross_g, b.dims) && a.contents == b.contents
    };
    for carton in &order.cartons {
        match groups.iter_mut().find(|(first, _)| alike(first, carton)) {
            Some((_, numbers)) => numbers.push(carton.no),
            None => groups.push((carton, vec![carton.no])),
        }
    }
    let rows = groups.into_iter().map(|(first, numbers)| {
        let count = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
        let mut tree = carton_measures(first);
        tree.insert(
            "carton_numbers".to_owned(),
            json!(crate::mapping::xlsx::carton_ranges::shown(&numbers)),
        );
        tree.insert("count".to_owned(), json!(count));
        tree.insert("all_units".to_owned(), json!(first.units() * count));
        tree.insert(
            "all_net_kg".to_owned(),
            json!(kilograms(first.net_g * count).to_string()),
        );
        tree.insert(
            "all_gross_kg".to_owned(),
            json!(kilograms(first.gross_g * count).to_string()),
        );
        let volume = cubic_metres(first.dims.volume_mm3() * count).to_string();
        tree.insert("all_volume_m3".to_owned(), json!(volume));
        let mut rows = contents(order, first, None);
        for row in rows.as_array_mut().into_iter().flatten() {
            let units = row.get("units").and_then(Value::as_i64).unwrap_or_default();
            if let Some(row) = row.as_object_mut() {
                row.insert("all_units".to_owned(), json!(units * count));
            }
        }
        tree.insert("contents".to_owned(), rows);
        Value::Object(tree)
    });
    Value::Array(rows.collect())
}

/// A model with every name and one element in every list: what a mapping file is checked against when it is read.
#[must_use]
pub fn shape() -> &'static Value {
    static SHAPE: LazyLock<Value> = LazyLock::new(shape::build);
    &SHAPE
}

mod shape;
#[cfg(test)]
pub(crate) use shape::sample as sample_order;
#[cfg(test)]
mod tests;
