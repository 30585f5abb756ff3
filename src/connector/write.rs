//! An order as a declared request: what fills its places, and which of its lines a refusal is about.

mod example;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Bound;
use super::cell::Cell;
use super::definition::{Faults, Text, Write};
use super::path::Path;
use super::record::OwnCode;
use super::request::{Fresh, Request};
use super::template::Places;
use crate::money::round_cents;
use crate::order::model::{Carton, CartonContent, OrderLine, Party, StockingOrder};
use crate::problem::Problem;
use crate::quantity::{centimetres, cubic_metres, kilograms};

/// Places of a request with an effect, besides the usual ones.
pub(super) const PLACES: [&str; 53] = [
    "order",
    "revision",
    "mode",
    "service",
    "forwarder",
    "term",
    "currency",
    "value",
    "ship_by",
    "eta",
    "eta_ms",
    "packing",
    "units",
    "cartons",
    "gross_kg",
    "net_kg",
    "volume_m3",
    "port_of_loading",
    "port_of_discharge",
    "shipper_name",
    "shipper_street",
    "shipper_city",
    "shipper_region",
    "shipper_postcode",
    "shipper_country",
    "shipper_contact",
    "shipper_phone",
    "shipper_email",
    "consignee_name",
    "consignee_street",
    "consignee_city",
    "consignee_region",
    "consignee_postcode",
    "consignee_country",
    "consignee_contact",
    "consignee_phone",
    "consignee_email",
    "line",
    "sku",
    "own_sku",
    "goods_id",
    "name",
    "name_zh",
    "hs",
    "hs_destination",
    "hs6",
    "origin",
    "carton",
    "mark",
    "length_cm",
    "width_cm",
    "height_cm",
    "line_value",
];

/// The lists that `for_each` knows.
pub(super) const LISTS: [&str; 3] = ["lines", "cartons", "contents"];

/// An order to be told to a system, frozen as it was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Name of the `[write.NAME]`.
    pub write: String,
    /// The other side's code of the warehouse; empty where there is none.
    pub warehouse: String,
    pub order: StockingOrder,
    /// Our units in one of the other side's, by line.
    pub multiples: BTreeMap<u32, i64>,
}

/// The other side's numbers of the goods, by the code of the goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// What its own list says.
    Known(BTreeMap<String, String>),
    /// They are asked for when the request is made.
    ToBeAsked,
}

impl Announcement {
    /// What stands in the way of saying it: units that make no whole number of theirs.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let file = self.order.number.as_str();
        let mut problems = Vec::new();
        for carton in &self.order.cartons {
            for content in &carton.contents {
                let multiple = self.multiple(content.line);
                if content.units % multiple != 0 {
                    problems.push(Problem::new(
                        file,
                        format!("carton {}, line {}", carton.no, content.line),
                        "units",
                        content.units.to_string(),
                        format!("a multiple of {multiple}: the warehouse counts so many as one"),
                    ));
                }
            }
        }
        for line in &self.order.lines {
            if line.goods.warehouse_sku.is_empty() {
                let place = format!("line {}", line.no);
                problems.push(Problem::new(
                    file,
                    place,
                    "warehouse_sku",
                    "",
                    "the warehouse's code",
                ));
            }
        }
        problems
    }

    fn multiple(&self, line: u32) -> i64 {
        self.multiples.get(&line).copied().unwrap_or(1).max(1)
    }

    /// # Errors
    /// A word of ours that the file has none for.
    fn places(&self, write: &Write, ids: &Ids) -> Result<Places, String> {
        let (order, totals) = (&self.order, self.order.totals());
        let mut places = Places::default();
        let units = order.lines.iter().map(|line| line.units / self.multiple(line.no));
        places.int("units", units.sum());
        places.int("cartons", totals.cartons);
        places.int("revision", i64::from(order.revision));
        let midnight = order.eta.and_time(chrono::NaiveTime::MIN).and_utc();
        places.int("eta_ms", midnight.timestamp_millis());
        for (name, text) in [
            ("order", order.number.to_string()),
            ("warehouse", self.warehouse.clone()),
            ("mode", order.mode.code().to_owned()),
            ("service", order.service.clone()),
            ("forwarder", order.forwarder.to_string()),
            ("term", order.term.code().to_owned()),
            ("currency", order.currency.to_string()),
            ("value", round_cents(totals.value).to_string()),
            ("ship_by", order.ship_by.to_string()),
            ("eta", order.eta.to_string()),
            ("packing", self.packing().to_owned()),
            ("gross_kg", kilograms(totals.gross_g).to_string()),
            ("net_kg", kilograms(totals.net_g).to_string()),
            ("volume_m3", cubic_metres(totals.volume_mm3).to_string()),
            ("port_of_loading", order.port_of_loading.clone()),
            ("port_of_discharge", order.port_of_discharge.clone()),
        ] {
            places.text(name, text);
        }
        party(&mut places, "shipper", &order.shipper);
        party(&mut places, "consignee", &order.deliver_to);
        places.list(
            "lines",
            order
                .lines
                .iter()
                .map(|line| self.line(line, line.units, ids))
                .collect(),
        );
        places.list(
            "cartons",
            order
                .cartons
                .iter()
                .map(|carton| self.carton(carton, ids))
                .collect(),
        );
        let contents = order.cartons.iter().flat_map(|carton| self.contents(carton, ids));
        places.list("contents", contents.collect());
        for (name, words) in &write.words {
            let ours = places.shown().find(|(known, _)| known == name);
            let ours = ours.map(|(_, text)| text).unwrap_or_default();
            let theirs = words
                .get(&ours)
                .ok_or_else(|| format!("the connector file has no word for {name} `{ours}`"))?;
            put(&mut places, name, theirs);
        }
        Ok(places)
    }

    /// How the goods are packed: all in one carton, one code per carton, or anything else.
    fn packing(&self) -> &'static str {
        let codes = |carton: &Carton| {
            let code = |content: &CartonContent| {
                let line = self.order.line(content.line);
                line.map_or("", |line| line.goods.warehouse_sku.as_str())
                    .to_owned()
            };
            let codes: BTreeSet<String> = carton.contents.iter().map(code).collect();
            codes.len()
        };
        match self.order.cartons.as_slice() {
            [_] => "one_carton",
            cartons if cartons.iter().all(|carton| codes(carton) <= 1) => "one_sku",
            _ => "mixed",
        }
    }

    fn line(&self, line: &OrderLine, units: i64, ids: &Ids) -> Places {
        let goods = &line.goods;
        let mut places = Places::default();
        places.int("line", i64::from(line.no));
        places.int("units", units / self.multiple(line.no));
        let hs6: String = goods.hs_cn.chars().take(6).collect();
        for (name, text) in [
            ("sku", goods.warehouse_sku.as_str()),
            ("own_sku", goods.sku.as_str()),
            ("name", &goods.name_en),
            ("name_zh", &goods.name_zh),
            ("hs", &goods.hs_cn),
            ("hs6", &hs6),
            ("hs_destination", &goods.hs_destination),
            ("origin", &goods.origin),
        ] {
            places.text(name, text);
        }
        places.text("line_value", line.value().to_string());
        match ids {
            Ids::Known(ids) => {
                if let Some(id) = ids.get(&goods.warehouse_sku) {
                    put(&mut places, "goods_id", id);
                }
            }
            Ids::ToBeAsked => {
                places.text("goods_id", format!("(their number of {})", goods.warehouse_sku));
            }
        }
        places
    }

    fn carton(&self, carton: &Carton, ids: &Ids) -> Places {
        let mut places = Places::default();
        carton_places(&mut places, carton);
        places.list("contents", self.contents(carton, ids).collect());
        places
    }

    fn contents<'a>(&'a self, carton: &'a Carton, ids: &'a Ids) -> impl Iterator<Item = Places> + 'a {
        carton.contents.iter().filter_map(move |content: &CartonContent| {
            let line = self.order.lines.iter().find(|line| line.no == content.line)?;
            let mut places = self.line(line, content.units, ids);
            carton_places(&mut places, carton);
            Some(places)
        })
    }
}

/// A word of theirs, as a number where it is one.
fn put(places: &mut Places, name: &str, word: &str) {
    match word.parse::<i64>() {
        Ok(number) => places.int(name, number),
        Err(_) => places.text(name, word),
    }
}

fn carton_places(places: &mut Places, carton: &Carton) {
    places.int("carton", i64::from(carton.no));
    places.text("mark", &carton.mark);
    places.text("gross_kg", kilograms(carton.gross_g).to_string());
    places.text("net_kg", kilograms(carton.net_g).to_string());
    let side = |mm: i64| -> Decimal { centimetres(mm) };
    places.text("length_cm", side(carton.dims.length_mm).to_string());
    places.text("width_cm", side(carton.dims.width_mm).to_string());
    places.text("height_cm", side(carton.dims.height_mm).to_string());
}

fn party(places: &mut Places, role: &str, party: &Party) {
    for (name, text) in [
        ("name", party.name.clone()),
        ("street", party.address.lines.join(", ")),
        ("city", party.address.city.clone()),
        ("region", party.address.region.clone()),
        ("postcode", party.address.postcode.clone()),
        ("country", party.address.country.clone()),
        ("contact", party.contact.clone()),
        ("phone", party.phone.clone()),
        ("email", party.email.clone()),
    ] {
        places.text(&format!("{role}_{name}"), text);
    }
}

impl Bound {
    #[must_use]
    pub fn write(&self, name: &str) -> Option<&Write> {
        self.definition.file.write.get(name)
    }

    /// The request that tells an order.
    ///
    /// # Errors
    /// The name of what is missing.
    pub fn write_request(
        &self,
        write: &Write,
        announcement: &Announcement,
        ids: &Ids,
        fresh: &Fresh,
    ) -> Result<Request, String> {
        self.request(&write.request, &announcement.places(write, ids)?, None, fresh)
    }

    /// Picks the one number of each code of the order from everything the other side has.
    ///
    /// # Errors
    /// The lines whose code has none there, or several.
    pub fn pick_ids(&self, announcement: &Announcement, listed: &[OwnCode]) -> Result<Ids, Vec<Problem>> {
        let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for code in listed {
            ids.entry(code.sku_code.trim())
                .or_default()
                .insert(code.id.as_str());
        }
        let (order, mut known, mut problems) = (&announcement.order, BTreeMap::new(), Vec::new());
        for line in &order.lines {
            let code = &line.goods.warehouse_sku;
            let found: Vec<&str> = ids.get(code.as_str()).into_iter().flatten().copied().collect();
            let wanted = match found.as_slice() {
                [one] => {
                    known.insert(code.clone(), (*one).to_owned());
                    continue;
                }
                [] => "a code of goods that the warehouse knows".to_owned(),
                several => format!(
                    "a code that stands for one thing there; it is {}",
                    several.join(" and ")
                ),
            };
            let place = format!("line {}", line.no);
            problems.push(Problem::new(
                order.number.as_str(),
                place,
                "warehouse_sku",
                code,
                wanted,
            ));
        }
        if problems.is_empty() {
            Ok(Ids::Known(known))
        } else {
            Err(problems)
        }
    }

    /// What a refusal says, with our lines where they can be told.
    #[must_use]
    pub fn refusal(
        &self,
        write: &Write,
        announcement: &Announcement,
        said: &str,
        answer: Option<&Json>,
    ) -> Vec<Problem> {
        let mut told = write
            .faults
            .as_ref()
            .zip(answer)
            .map(|(faults, answer)| told(faults, answer))
            .unwrap_or_default();
        if told.is_empty() {
            told.push((String::new(), String::new(), said.to_owned()));
        }
        let order = &announcement.order;
        told.into_iter()
            .map(|(sku, field, text)| {
                let line = line_of(order, &sku, &field, &text);
                let place = line.map_or_else(String::new, |line| format!("line {}", line.no));
                let found = line.map_or(sku, |line| line.goods.warehouse_sku.clone());
                Problem::new(order.number.as_str(), place, field, found, text)
            })
            .collect()
    }
}

/// Code, field and text of each fault.
fn told(faults: &Faults, answer: &Json) -> Vec<(String, String, String)> {
    let all = match &faults.at {
        None => vec![answer],
        Some(at) => Path::parse(at.get_ref()).map_or_else(|_| Vec::new(), |at| at.all(answer)),
    };
    let text_at = |fault: &Json, path: Option<&Text>| {
        path.and_then(|path| super::text_at(Some(fault), path.get_ref()).ok().flatten())
            .unwrap_or_default()
    };
    let mut told = Vec::new();
    for found in all {
        match found {
            Json::Object(fields) if faults.text.is_none() => {
                for (name, texts) in fields {
                    let texts: Vec<String> = match texts {
                        Json::Array(texts) => texts.iter().map(show).collect(),
                        one => vec![show(one)],
                    };
                    told.push((String::new(), name.clone(), texts.join("; ")));
                }
            }
            Json::Object(_) => told.push((
                text_at(found, faults.sku.as_ref()),
                text_at(found, faults.field.as_ref()),
                text_at(found, faults.text.as_ref()),
            )),
            plain => told.push((String::new(), String::new(), show(plain))),
        }
    }
    told.retain(|(_, field, text)| !(field.is_empty() && text.is_empty()));
    told
}

fn show(value: &Json) -> String {
    Cell::of_json(value)
        .show()
        .map_or_else(|| value.to_string(), std::borrow::Cow::into_owned)
}

/// The line whose code is named, or whose place in a list of lines is.
fn line_of<'a>(order: &'a StockingOrder, sku: &str, field: &str, text: &str) -> Option<&'a OrderLine> {
    let names = |code: &str, inside: &str| {
        !code.is_empty()
            && inside.match_indices(code).any(|(at, _)| {
                let before = inside.get(..at).and_then(|part| part.chars().next_back());
                let after = inside.get(at + code.len()..).and_then(|part| part.chars().next());
                let part_of_a_code =
                    |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_alphanumeric() || sign == '-');
                !part_of_a_code(before) && !part_of_a_code(after)
            })
    };
    let mut lines = order.lines.iter();
    if !sku.is_empty() {
        return lines.find(|line| line.goods.warehouse_sku == sku);
    }
    let by_code: Vec<&OrderLine> = lines
        .filter(|line| names(&line.goods.warehouse_sku, text) || names(&line.goods.warehouse_sku, field))
        .collect();
    match by_code.as_slice() {
        [line] => Some(line),
        _ => None,
    }
}
