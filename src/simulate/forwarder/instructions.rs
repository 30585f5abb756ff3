//! Reads a UBL `ForwardingInstructions` document the way a clerk does: looks for what he needs, ignores the rest.

use chrono::NaiveDate;
use quick_xml::Reader;
use quick_xml::events::Event;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::order::model::Mode;
use crate::simulate::truth::Place;

const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 200_000;

/// What the clerk takes from the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructions {
    pub order: String,
    pub place: Place,
    pub mode: Mode,
    /// The day the goods can be collected, when the paper says it.
    pub pickup: Option<NaiveDate>,
    /// Code and units, each code once.
    pub lines: Vec<(String, i64)>,
    /// Mark and contents; empty when the paper does not say what is in which carton.
    pub cartons: Vec<(String, Vec<(String, i64)>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// A good document, not one for the clerk.
    OtherDocument,
    Reason(String),
}

fn reason(text: impl Into<String>) -> Unreadable {
    Unreadable::Reason(text.into())
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.child(name))
    }

    fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)
            .map(|node| node.text.trim())
            .filter(|text| !text.is_empty())
    }

    /// Every node below, itself included, in document order.
    fn all(&self) -> Vec<&Self> {
        let mut found = Vec::new();
        let mut waiting = vec![self];
        while let Some(node) = waiting.pop() {
            found.push(node);
            waiting.extend(node.children.iter().rev());
        }
        found
    }

    /// The mark of a package: its id, unless that is a mere number and marks are given.
    fn mark(&self) -> Option<&str> {
        let marks = self
            .text_at(&["ShippingMarks"])
            .filter(|marks| !marks.contains(char::is_whitespace));
        match self.text_at(&["ID"]) {
            Some(id) if id.chars().all(|c| c.is_ascii_digit()) => marks.or(Some(id)),
            Some(id) => Some(id),
            None => marks,
        }
    }

    fn is_package(&self) -> bool {
        self.name.ends_with("Package") || self.name == "TransportHandlingUnit"
    }
}

fn parse(bytes: &[u8]) -> Result<Node, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| reason("the file is not UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open = vec![Node::default()];
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|error| {
            reason(format!(
                "not well-formed XML at byte {}: {error}",
                reader.buffer_position()
            ))
        })?;
        match event {
            Event::Start(tag) => {
                count += 1;
                if open.len() > MAX_DEPTH || count > MAX_NODES {
                    return Err(reason("the XML is too deep or too large"));
                }
                let name = tag.local_name().as_ref().to_owned();
                open.push(Node {
                    name,
                    ..Node::default()
                });
            }
            Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                if let Some(node) = open.last_mut() {
                    node.children.push(Node {
                        name,
                        ..Node::default()
                    });
                }
            }
            Event::Text(text) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&text.xml10_content());
                }
            }
            Event::CData(text) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(entity) => {
                let name = entity.xml10_content();
                let character = match name.as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "apos" => '\'',
                    "quot" => '"',
                    _ => entity
                        .resolve_char_ref()
                        .ok()
                        .flatten()
                        .ok_or_else(|| reason(format!("unknown entity `&{name};`")))?,
                };
                if let Some(node) = open.last_mut() {
                    node.text.push(character);
                }
            }
            Event::End(_) => {
                if let (Some(node), Some(parent)) = (open.pop(), open.last_mut()) {
                    parent.children.push(node);
                }
            }
            Event::DocType(_) => return Err(reason("a DTD is not accepted")),
            Event::Eof => break,
            _ => {}
        }
    }
    let (Some(mut document), true) = (open.pop(), open.is_empty()) else {
        return Err(reason("the file ends in the middle of the XML"));
    };
    document
        .children
        .pop()
        .ok_or_else(|| reason("the file holds no XML"))
}

fn code(item: &Node) -> Option<&str> {
    [
        "SellersItemIdentification",
        "BuyersItemIdentification",
        "StandardItemIdentification",
    ]
    .iter()
    .find_map(|identification| {
        item.children
            .iter()
            .filter(|child| child.name == "Item")
            .find_map(|found| found.text_at(&[identification, "ID"]))
    })
}

/// SKU code and whole units of one `GoodsItem`; in a package the id of a goods item named before will do.
fn goods(item: &Node, known: &[(String, String)]) -> Result<(String, i64), Unreadable> {
    let by_id = || {
        let id = item.text_at(&["ID"])?;
        known
            .iter()
            .find(|(known, _)| known == id)
            .map(|(_, code)| code.as_str())
    };
    let code = code(item)
        .or_else(by_id)
        .ok_or_else(|| reason("a GoodsItem has no Item/SellersItemIdentification/ID"))?;
    let text = item
        .text_at(&["Quantity"])
        .or_else(|| item.text_at(&["CustomsTariffQuantity"]))
        .ok_or_else(|| reason(format!("`{code}` has no Quantity")))?;
    let units = text
        .parse::<Decimal>()
        .ok()
        .filter(|units| units.fract().is_zero())
        .and_then(|units| units.to_i64())
        .filter(|units| (1..=10_000_000).contains(units))
        .ok_or_else(|| {
            reason(format!(
                "`{code}`: Quantity `{text}` is not a whole number of units"
            ))
        })?;
    Ok((code.to_owned(), units))
}

fn add(lines: &mut Vec<(String, i64)>, (code, units): (String, i64)) {
    match lines.iter_mut().find(|(known, _)| *known == code) {
        Some((_, sum)) => *sum += units,
        None => lines.push((code, units)),
    }
}

/// Goods items that lie in no package.
fn loose<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    for child in &node.children {
        if child.name == "GoodsItem" {
            found.push(child);
        } else if !child.is_package() {
            loose(child, found);
        }
    }
}

/// The innermost packages that hold goods, each with its mark: its own, else that of the unit around it.
fn packages<'a>(node: &'a Node, around: Option<&'a str>, found: &mut Vec<(Option<&'a str>, &'a Node)>) {
    for child in &node.children {
        let mark = if child.is_package() {
            child.mark().or(around)
        } else {
            around
        };
        let before = found.len();
        packages(child, mark, found);
        let holds_goods = child.children.iter().any(|inner| inner.name == "GoodsItem");
        if child.is_package() && holds_goods && found.len() == before {
            found.push((mark, child));
        }
    }
}

fn mode(root: &Node) -> Option<Mode> {
    root.all()
        .into_iter()
        .filter(|node| node.name == "TransportModeCode")
        .find_map(|node| {
            // UN/ECE recommendation 19.
            match node.text.trim() {
                "1" => Some(Mode::Sea),
                "2" => Some(Mode::Rail),
                "3" => Some(Mode::Truck),
                "4" => Some(Mode::Air),
                "5" => Some(Mode::Express),
                text => Mode::parse(text),
            }
        })
}

/// The day of the pickup that is asked for.
fn pickup(root: &Node) -> Option<NaiveDate> {
    root.all()
        .into_iter()
        .filter(|node| node.name == "RequestedPickupTransportEvent")
        .find_map(|node| node.text_at(&["OccurrenceDate"])?.parse().ok())
}

/// The destination by its full code, else by the warehouse's own code, else by its postcode.
fn place(root: &Node) -> Option<Place> {
    let texts: Vec<&str> = root.all().into_iter().map(|node| node.text.trim()).collect();
    let named = |names: [&str; 2]| {
        Place::ALL
            .into_iter()
            .zip(names)
            .find(|(_, name)| texts.contains(name))
            .map(|(place, _)| place)
    };
    named(Place::ALL.map(Place::code))
        .or_else(|| named(["BHX4", "UKMA"]))
        .or_else(|| named(["CV5 9PF", "CV21 9ZZ"]))
}

/// # Errors
/// [`Unreadable`]: another kind of document, or the reason a person at the forwarder would write back.
pub fn read(bytes: &[u8]) -> Result<Instructions, Unreadable> {
    let root = parse(bytes)?;
    if root.name != "ForwardingInstructions" {
        return Err(Unreadable::OtherDocument);
    }
    let order = root
        .text_at(&["ID"])
        .ok_or_else(|| reason("the document has no ID"))?
        .to_owned();
    let place =
        place(&root).ok_or_else(|| reason(format!("order `{order}`: no destination warehouse we know")))?;
    let mode = mode(&root).ok_or_else(|| reason(format!("order `{order}`: no TransportModeCode")))?;
    let (mut items, mut packed) = (Vec::new(), Vec::new());
    loose(&root, &mut items);
    packages(&root, None, &mut packed);
    let (mut lines, mut known) = (Vec::new(), Vec::new());
    for item in &items {
        let line = goods(item, &[])?;
        if let Some(id) = item.text_at(&["ID"]) {
            known.push((id.to_owned(), line.0.clone()));
        }
        add(&mut lines, line);
    }
    let mut cartons = Vec::new();
    for (mark, package) in packed {
        let mut contents = Vec::new();
        for item in package.children.iter().filter(|child| child.name == "GoodsItem") {
            add(&mut contents, goods(item, &known)?);
        }
        let mark = mark.map_or_else(|| format!("{order}U{:06}", cartons.len() + 1), str::to_owned);
        cartons.push((mark, contents));
    }
    if items.is_empty() {
        for (_, contents) in &cartons {
            for content in contents {
                add(&mut lines, content.clone());
            }
        }
    }
    if lines.is_empty() {
        return Err(reason(format!("order `{order}`: no GoodsItem")));
    }
    Ok(Instructions {
        order,
        place,
        mode,
        pickup: pickup(&root),
        lines,
        cartons,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<fi:ForwardingInstructions xmlns:fi="urn:oasis:names:specification:ubl:schema:xsd:ForwardingInstructions-2"
  xmlns:cac="urn:cac" xmlns:cbc="urn:cbc"><cbc:UBLVersionID>2.4</cbc:UBLVersionID><cbc:ID>SO-1 &amp; co</cbc:ID>
 <cac:Shipment><cbc:ID>1</cbc:ID>
  <cac:GoodsItem><cbc:ID>1</cbc:ID><cbc:Quantity unitCode="C62">120.00</cbc:Quantity>
   <cac:Item><cac:SellersItemIdentification><cbc:ID>BAG-22386</cbc:ID></cac:SellersItemIdentification></cac:Item></cac:GoodsItem>
  <cac:ShipmentStage><cbc:TransportModeCode>4</cbc:TransportModeCode></cac:ShipmentStage>
  <cac:Delivery><cac:DeliveryLocation><cbc:ID>goodcang:UKMA</cbc:ID></cac:DeliveryLocation></cac:Delivery>
  <cac:TransportHandlingUnit>PACKAGES</cac:TransportHandlingUnit>
 </cac:Shipment></fi:ForwardingInstructions>"#;

    fn package(mark: &str, units: &str) -> String {
        format!(
            "<cac:Package><cbc:ID>{mark}</cbc:ID><cac:GoodsItem><cbc:Quantity>{units}</cbc:Quantity><cac:Item>\
             <cac:SellersItemIdentification><cbc:ID>BAG-22386</cbc:ID></cac:SellersItemIdentification></cac:Item>\
             </cac:GoodsItem></cac:Package>"
        )
    }

    #[test]
    fn the_clerk_finds_order_goods_cartons_mode_and_destination() {
        let paper = PAPER.replace("PACKAGES", &(package("M1", "60") + &package("M2", "60")));
        let found = read(paper.as_bytes()).unwrap();
        assert_eq!(
            (found.order.as_str(), found.place, found.mode),
            ("SO-1 & co", Place::Goodcang, Mode::Air)
        );
        assert_eq!(found.lines, [("BAG-22386".to_owned(), 120)]);
        assert_eq!(found.cartons.len(), 2);
        assert_eq!(
            found.cartons[1],
            ("M2".to_owned(), vec![("BAG-22386".to_owned(), 60)])
        );
        assert!(read(PAPER.as_bytes()).unwrap().cartons.is_empty());
        assert_eq!(found.pickup, None);
        let pickup = "<cac:RequestedPickupTransportEvent><cbc:OccurrenceDate>2026-05-19</cbc:OccurrenceDate>\
                      </cac:RequestedPickupTransportEvent><cac:ShipmentStage>";
        let dated = PAPER.replace("<cac:ShipmentStage>", pickup);
        assert_eq!(
            read(dated.as_bytes()).unwrap().pickup,
            Some("2026-05-19".parse().unwrap())
        );
        // Goods named by the id of their item, in a package without an id, in a numbered unit with marks.
        let inner = "<cbc:ID>7</cbc:ID><cbc:ShippingMarks>SO-1U000007</cbc:ShippingMarks><cac:ActualPackage>\
                     <cac:GoodsItem><cbc:ID>1</cbc:ID><cbc:Quantity>120</cbc:Quantity></cac:GoodsItem></cac:ActualPackage>";
        let found = read(PAPER.replace("PACKAGES", inner).as_bytes()).unwrap();
        assert_eq!(
            found.cartons,
            [("SO-1U000007".to_owned(), vec![("BAG-22386".to_owned(), 120)])]
        );
    }

    #[test]
    fn other_documents_are_left_alone_and_broken_ones_get_a_reason() {
        assert_eq!(read(b"<PackingList/>"), Err(Unreadable::OtherDocument));
        assert_eq!(read(b""), Err(reason("the file holds no XML")));
        assert_eq!(
            read(b"<PackingList><ID>1</ID></PackingList>"),
            Err(Unreadable::OtherDocument)
        );
        let cut = &PAPER.as_bytes()[..PAPER.len() - 60];
        assert!(matches!(read(cut), Err(Unreadable::Reason(_))));
        let fraction = PAPER.replace("120.00", "120.5");
        let Err(Unreadable::Reason(text)) = read(fraction.as_bytes()) else {
            panic!("accepted")
        };
        assert_eq!(
            text,
            "`BAG-22386`: Quantity `120.5` is not a whole number of units"
        );
        let bomb = b"<!DOCTYPE a [<!ENTITY b \"c\">]><ForwardingInstructions>&b;</ForwardingInstructions>";
        assert_eq!(read(bomb), Err(reason("a DTD is not accepted")));
        let nowhere = PAPER.replace("goodcang:UKMA", "elsewhere");
        assert_eq!(
            read(nowhere.as_bytes()),
            Err(reason("order `SO-1 & co`: no destination warehouse we know"))
        );
    }
}
