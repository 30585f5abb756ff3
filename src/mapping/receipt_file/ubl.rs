//! UBL ReceiptAdvice (2.0 to 2.4): what a party says it received of a despatch.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

use super::draft::{Draft, Drafts, Paper, distinct};
use super::{ReceiptFile, Teller};
use crate::calendar::instant_of;
use crate::mapping::xml::content::local;
use crate::mapping::xml::tree::Node;
use crate::problem::Problem;

const NAMESPACE: &str = "urn:oasis:names:specification:ubl:schema:xsd:ReceiptAdvice-2";
/// The largest documents seen have a few hundred.
const MAX_LINES: usize = 100_000;

fn is_ours(root: &Node) -> bool {
    root.name == format!("{{{NAMESPACE}}}ReceiptAdvice")
}

/// Children at a path of local names: the namespaces of UBL's parts are fixed.
fn all<'a>(node: &'a Node, path: &str) -> Vec<&'a Node> {
    path.split('/').fold(vec![node], |nodes, step| {
        nodes
            .into_iter()
            .flat_map(|node| {
                node.children
                    .iter()
                    .filter(move |child| local(&child.name) == step)
            })
            .collect()
    })
}

fn texts_at<'a>(node: &'a Node, path: &str) -> impl Iterator<Item = String> + use<'a> {
    all(node, path)
        .into_iter()
        .map(|node| node.text.trim().to_owned())
}

fn text(node: &Node, path: &str) -> String {
    texts_at(node, path).next().unwrap_or_default()
}

/// A quantity and its unit code.
fn quantity(node: &Node, name: &str) -> Option<(String, String)> {
    let found = all(node, name).into_iter().next()?;
    let unit = found
        .attributes
        .iter()
        .find(|(name, _)| name == "unitCode")
        .map(|(_, unit)| unit.clone())
        .unwrap_or_default();
    Some((found.text.trim().to_owned(), unit))
}

pub(super) fn texts(root: &Node, most: usize) -> Vec<String> {
    fn walk(node: &Node, most: usize, found: &mut Vec<String>) {
        if !node.text.trim().is_empty() && found.len() < most {
            found.push(node.text.trim().to_owned());
        }
        for child in &node.children {
            walk(child, most, found);
        }
    }
    let mut found = Vec::new();
    walk(root, most, &mut found);
    found
}

pub(super) fn read(name: &str, root: &Node, teller: &Teller<'_>) -> Result<ReceiptFile, Problem> {
    if !is_ours(root) {
        return Err(Problem::new(
            name,
            "",
            "root",
            local(&root.name),
            "a UBL ReceiptAdvice",
        ));
    }
    let mut file = ReceiptFile::default();
    let problem = |field: &str, found: &str, wanted: &str| Problem::new(name, "", field, found, wanted);
    let number = text(root, "ID");
    if number.is_empty() {
        file.problems
            .push(problem("ID", "", "the number of the receipt advice"));
    }
    let issued = text(root, "IssueDate");
    let said_at = instant(&issued, &text(root, "IssueTime"), teller.zone);
    let Some(said_at) = said_at.filter(|_| !number.is_empty()) else {
        if said_at.is_none() {
            file.problems
                .push(problem("IssueDate", &issued, "the day of issue, like 2026-11-22"));
        }
        return Ok(file);
    };
    let receiver = ["EndpointID", "PartyIdentification/ID", "PartyName/Name"]
        .iter()
        .map(|path| text(root, &format!("DeliveryCustomerParty/Party/{path}")))
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let references = [
        "DespatchDocumentReference/ID",
        "OrderReference/ID",
        "OrderReference/SalesOrderID",
        "OrderReference/CustomerReference",
        "Shipment/ID",
        "Shipment/Consignment/ID",
        "AdditionalDocumentReference/ID",
    ];
    let paper = Paper {
        file: name,
        source: "ubl",
        document: format!("{receiver}|{number}"),
        said_at,
        references: distinct(references.iter().flat_map(|path| texts_at(root, path))),
    };
    let mut drafts = Drafts::new(paper, *teller, &mut file);
    // A cancelled advice was issued, and says nothing.
    if text(root, "DocumentStatusCode").eq_ignore_ascii_case("cancelled") {
        return Ok(file);
    }
    let lines = all(root, "ReceiptLine");
    if lines.len() > MAX_LINES {
        let found = format!("{} lines", lines.len());
        file.statements.clear();
        file.problems.push(problem(
            "ReceiptLine",
            &found,
            &format!("at most {MAX_LINES} lines"),
        ));
        return Ok(file);
    }
    for line in lines {
        let draft = draft(line, teller.zone);
        drafts.take(draft, &mut file);
    }
    Ok(file)
}

fn draft(line: &Node, zone: Tz) -> Draft {
    let references = [
        "DespatchLineReference/DocumentReference/ID",
        "OrderLineReference/OrderReference/ID",
        "DocumentReference/ID",
        "Shipment/ID",
    ];
    let cartons = [
        "Shipment/TransportHandlingUnit/ActualPackage/ID",
        "Shipment/TransportHandlingUnit/Package/ID",
        "Shipment/TransportHandlingUnit/ID",
    ];
    let codes = [
        "Item/BuyersItemIdentification/ID",
        "Item/SellersItemIdentification/ID",
        "Item/AdditionalItemIdentification/ID",
        "Item/StandardItemIdentification/ID",
        "Item/ManufacturersItemIdentification/ID",
    ];
    let cartons = distinct(cartons.iter().flat_map(|path| texts_at(line, path)));
    let received = quantity(line, "ReceivedQuantity");
    let short = quantity(line, "ShortQuantity");
    let over = quantity(line, "OversupplyQuantity");
    let mut note: Vec<String> = Vec::new();
    for name in [
        "RejectReasonCode",
        "RejectReason",
        "QuantityDiscrepancyCode",
        "ShortageActionCode",
        "TimingComplaint",
        "Note",
    ] {
        note.extend(
            texts_at(line, name)
                .filter(|text| !text.is_empty())
                .map(|text| format!("{name}: {text}")),
        );
    }
    let expected = expected(received.as_ref(), short.as_ref(), over.as_ref());
    Draft {
        place: format!("ReceiptLine {}", text(line, "ID")),
        references: distinct(references.iter().flat_map(|path| texts_at(line, path))),
        // Goods in several cartons are nobody's carton.
        carton: (cartons.len() == 1).then(|| cartons.into_iter().next()).flatten(),
        lot: texts_at(line, "Item/ItemInstance/LotIdentification/LotNumberID").find(|lot| !lot.is_empty()),
        codes: distinct(codes.iter().flat_map(|path| texts_at(line, path))),
        at: instant(&text(line, "ReceivedDate"), "", zone),
        received,
        damaged: quantity(line, "RejectedQuantity").into_iter().collect(),
        wrong_item: Vec::new(),
        expected,
        note,
    }
}

/// What should have come: received, and what was short, less what was too many.
fn expected(
    received: Option<&(String, String)>,
    short: Option<&(String, String)>,
    over: Option<&(String, String)>,
) -> Option<(String, String)> {
    let (received, unit) = received?;
    if short.is_none() && over.is_none() {
        return None;
    }
    let of = |told: Option<&(String, String)>| -> Option<rust_decimal::Decimal> {
        match told {
            None => Some(rust_decimal::Decimal::ZERO),
            Some((count, of)) => (of == unit).then(|| count.parse().ok()).flatten(),
        }
    };
    let received: rust_decimal::Decimal = received.parse().ok()?;
    let sum = received.checked_add(of(short)?)?.checked_sub(of(over)?)?;
    Some((sum.to_string(), unit.clone()))
}

/// `2026-11-22` and `09:30:00`, `09:30:00Z` or `09:30:00+01:00`; the date may have an offset too.
fn instant(date: &str, time: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let day: NaiveDate = date.get(..10)?.parse().ok()?;
    super::times::is_plausible_day(day).then_some(())?;
    let time = if time.is_empty() { "00:00:00" } else { time };
    let clock = NaiveTime::parse_from_str(time.get(..8)?, "%H:%M:%S").ok()?;
    let offset = time
        .get(8..)
        .filter(|rest| !rest.is_empty())
        .or_else(|| date.get(10..));
    let rest = offset
        .unwrap_or_default()
        .trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    match offset_seconds(rest) {
        Some(seconds) => Some((day.and_time(clock) - Duration::seconds(seconds)).and_utc()),
        None if rest.is_empty() => Some(instant_of(day, clock, zone)),
        None => None,
    }
}

fn offset_seconds(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let hours: i64 = hours.parse().ok().filter(|hours| (0..=14).contains(hours))?;
    let minutes: i64 = minutes.parse().ok().filter(|minutes| (0..60).contains(minutes))?;
    Some(sign * (hours * 3600 + minutes * 60))
}
