//! X12 944 (warehouse stock transfer receipt advice) and 861 (receiving advice).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

use super::draft::{Draft, Drafts, Paper, distinct};
use super::{ReceiptFile, Teller};
use crate::calendar::instant_of;
use crate::mapping::table::decode;
use crate::problem::Problem;

const MAX_BYTES: usize = 32 << 20;
const MAX_SEGMENTS: usize = 1_000_000;
const MAX_ELEMENTS: usize = 100;
const MAX_ELEMENT: usize = 500;

/// Whether the bytes begin as an interchange does, or as one transaction of it.
pub(super) fn is_interchange(bytes: &[u8]) -> bool {
    let start = bytes
        .iter()
        .position(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xEF | 0xBB | 0xBF))
        .and_then(|at| bytes.get(at..))
        .unwrap_or_default();
    let separator = |at: usize| start.get(at).is_some_and(u8::is_ascii_punctuation);
    (start.starts_with(b"ISA") && separator(3))
        || ((start.starts_with(b"ST*944*") || start.starts_with(b"ST*861*")) && separator(2))
}

struct Segment<'a> {
    /// Counted from 1.
    number: usize,
    elements: Vec<&'a str>,
}

impl<'a> Segment<'a> {
    fn id(&self) -> &'a str {
        self.at(0)
    }

    /// `at(3)` of a W07 is W0703.
    fn at(&self, place: usize) -> &'a str {
        self.elements.get(place).map_or("", |text| text.trim())
    }

    fn place(&self) -> String {
        format!("segment {} {}", self.number, self.id())
    }
}

/// The two signs that divide everything: of the ISA itself, whose length other programs shorten.
fn signs(text: &str) -> Option<(char, char)> {
    let Some(rest) = text.strip_prefix("ISA") else {
        let terminator = if text.contains('~') { '~' } else { '\n' };
        return Some(('*', terminator));
    };
    let element = rest.chars().next()?;
    // Sixteen elements; the last is one sign, and the sign after it ends the segment.
    let (at, _) = text.match_indices(element).nth(15)?;
    let mut after = text.get(at + element.len_utf8()..)?.chars();
    let first = after.next()?;
    // An empty component sign, as some write it.
    let terminator = if after.as_str().starts_with("GS") || after.as_str().starts_with("\nGS") {
        first
    } else {
        after.next()?
    };
    Some((element, terminator))
}

fn segments(text: &str) -> Result<Vec<Segment<'_>>, &'static str> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let (element, terminator) = signs(text).ok_or("an ISA segment of sixteen elements")?;
    let mut found = Vec::new();
    for (number, segment) in (1..).zip(text.split(terminator)) {
        let segment = segment.trim_matches(['\r', '\n', ' ']);
        if segment.is_empty() {
            continue;
        }
        if found.len() >= MAX_SEGMENTS {
            return Err("at most 1,000,000 segments");
        }
        let elements: Vec<&str> = segment.split(element).take(MAX_ELEMENTS + 1).collect();
        if elements.len() > MAX_ELEMENTS || elements.iter().any(|element| element.len() > MAX_ELEMENT) {
            return Err("segments of at most 100 elements of 500 characters");
        }
        found.push(Segment { number, elements });
    }
    Ok(found)
}

pub(super) fn texts(bytes: &[u8], most: usize) -> Vec<String> {
    let Some(text) = bytes
        .get(..MAX_BYTES.min(bytes.len()))
        .and_then(|bytes| decode(bytes).ok())
    else {
        return Vec::new();
    };
    let Ok(segments) = segments(&text) else {
        return Vec::new();
    };
    let elements = segments
        .iter()
        .flat_map(|segment| segment.elements.iter().skip(1));
    distinct(elements.take(most).map(|element| (*element).to_owned()))
}

pub(super) fn read(name: &str, bytes: &[u8], teller: &Teller<'_>) -> ReceiptFile {
    let mut file = ReceiptFile::default();
    let mut refuse =
        |found: String, wanted: &str| file.problems.push(Problem::new(name, "", "", found, wanted));
    if bytes.len() > MAX_BYTES {
        refuse(format!("{} bytes", bytes.len()), "at most 32 MiB");
        return file;
    }
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(error) => {
            refuse(error, "text");
            return file;
        }
    };
    let segments = match segments(&text) {
        Ok(segments) => segments,
        Err(wanted) => {
            refuse("X12".to_owned(), wanted);
            return file;
        }
    };
    let mut envelope = Envelope::default();
    let mut at = 0;
    while let Some(segment) = segments.get(at) {
        match segment.id() {
            "ISA" => {
                envelope.sender = segment.at(6).to_owned();
                envelope.sent_at = time(segment.at(9), segment.at(10), teller.zone);
            }
            "GS" => envelope.sent_at = time(segment.at(4), segment.at(5), teller.zone).or(envelope.sent_at),
            "ST" => {
                let rest = segments.get(at..).unwrap_or_default();
                let end = rest.iter().position(|segment| segment.id() == "SE");
                let until = end.map_or(rest.len(), |end| end + 1);
                match whole(segment, rest.get(..until).unwrap_or_default(), end.is_some()) {
                    Ok(body) => transaction(name, segment, body, &envelope, teller, &mut file),
                    Err((found, wanted)) => {
                        let problem = Problem::new(name, segment.place(), "SE", found, wanted);
                        file.problems.push(problem);
                    }
                }
                at += until;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    file
}

#[derive(Default)]
struct Envelope {
    sender: String,
    sent_at: Option<DateTime<Utc>>,
}

/// What stands between ST and SE, when the SE says that it is all of it.
fn whole<'s, 'a>(
    head: &Segment<'a>,
    all: &'s [Segment<'a>],
    ended: bool,
) -> Result<&'s [Segment<'a>], (String, String)> {
    let Some(end) = all.last().filter(|_| ended) else {
        return Err(("the end of the file".to_owned(), "a whole transaction".to_owned()));
    };
    if end.at(2) != head.at(2) {
        return Err((end.at(2).to_owned(), format!("{}, as ST says", head.at(2))));
    }
    if end.at(1).parse() != Ok(all.len()) {
        return Err((end.at(1).to_owned(), format!("{} segments", all.len())));
    }
    Ok(all.get(1..all.len() - 1).unwrap_or_default())
}

fn transaction(
    name: &str,
    head: &Segment<'_>,
    body: &[Segment<'_>],
    envelope: &Envelope,
    teller: &Teller<'_>,
    file: &mut ReceiptFile,
) {
    let kind = head.at(1);
    let (first, detail) = match kind {
        "944" => ("W17", "W07"),
        "861" => ("BRA", "RCD"),
        _ => {
            file.other_rows += 1;
            return;
        }
    };
    let mut refuse = |field: &str, found: &str, wanted: &str| {
        file.problems
            .push(Problem::new(name, head.place(), field, found, wanted));
    };
    let Some(beginning) = body.first().filter(|segment| segment.id() == first) else {
        let found = body.first().map_or("", Segment::id);
        return refuse(first, found, first);
    };
    let number = beginning.at(if kind == "944" { 3 } else { 1 });
    if number.is_empty() {
        return refuse(first, "", "the number of the receipt");
    }
    let purpose = if kind == "861" { beginning.at(3) } else { "00" };
    if !["00", "01", "05", "06", "07"].contains(&purpose) {
        return refuse(
            "BRA03",
            purpose,
            "00 (original), 05 (replace) or 01 (cancellation)",
        );
    }
    let dated = if kind == "944" {
        time(beginning.at(2), "", teller.zone)
    } else {
        time(beginning.at(2), beginning.at(5), teller.zone)
    };
    // A receipt sent again is a newer word on the same receipt.
    let Some(said_at) = envelope.sent_at.or(dated) else {
        return refuse(first, beginning.at(2), "a date like 20261122");
    };
    let (header, details) = body.split_at(
        body.iter()
            .position(|segment| segment.id() == detail)
            .unwrap_or(body.len()),
    );
    let paper = Paper {
        file: name,
        source: "x12",
        document: format!("{kind}|{}|{number}", envelope.sender),
        said_at,
        references: references(header, kind, beginning),
    };
    let mut drafts = Drafts::new(paper, *teller, file);
    if purpose == "01" {
        return;
    }
    let received_at = received_at(header, teller.zone).or(dated);
    let mut counted: Option<i64> = Some(0);
    let mut lines = 0;
    for line in details.chunk_by(|_, next| next.id() != detail) {
        let Some(beginning) = line.first().filter(|segment| segment.id() == detail) else {
            continue;
        };
        lines += 1;
        counted = counted.and_then(|sum| sum.checked_add(beginning.at(1).parse().ok()?));
        let draft = if kind == "944" {
            stock_receipt(line, received_at)
        } else {
            receiving_advice(line, received_at)
        };
        drafts.take(draft, file);
    }
    control(name, kind, body, (counted, lines), file);
}

/// Totals that the sender gives, so that somebody can see whether something is missing.
fn control(
    name: &str,
    kind: &str,
    body: &[Segment<'_>],
    (counted, lines): (Option<i64>, usize),
    file: &mut ReceiptFile,
) {
    for segment in body {
        let (wanted, field) = match (kind, segment.id()) {
            ("944", "W14") => (counted.map(|sum| sum.to_string()), "W1401"),
            ("861", "CTT") => (Some(lines.to_string()), "CTT01"),
            _ => continue,
        };
        let Some(wanted) = wanted.filter(|wanted| segment.at(1) != wanted) else {
            continue;
        };
        file.problems.push(Problem::new(
            name,
            segment.place(),
            field,
            segment.at(1),
            format!("{wanted}, as the lines say"),
        ));
    }
}

/// Numbers that may name our order: the depositor's order, shipment, then what is referred to.
fn references(header: &[Segment<'_>], kind: &str, beginning: &Segment<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if kind == "944" {
        found.extend([4, 5].map(|place| beginning.at(place).to_owned()));
    }
    for segment in header {
        match segment.id() {
            "N9" | "REF" => found.push(segment.at(2).to_owned()),
            "PRF" => found.push(segment.at(1).to_owned()),
            _ => {}
        }
    }
    if kind == "944" {
        found.push(beginning.at(3).to_owned());
    }
    distinct(found)
}

/// When the goods were received, where the header says so apart from the paper's own date (DTM 050).
fn received_at(header: &[Segment<'_>], zone: Tz) -> Option<DateTime<Utc>> {
    header
        .iter()
        .find(|segment| segment.id() == "DTM" && segment.at(1) == "050")
        .and_then(|segment| time(segment.at(2), segment.at(3), zone))
}

/// Qualifiers of codes, the seller's own before trade numbers.
const CODES: [&str; 14] = [
    "SK", "VN", "VP", "VA", "BP", "IN", "PN", "PI", "ZZ", "MG", "UP", "UK", "EN", "UI",
];

fn codes(segment: &Segment<'_>, from: usize) -> Vec<String> {
    let mut ranked: BTreeMap<usize, String> = BTreeMap::new();
    let mut place = from;
    while place < segment.elements.len() {
        if let Some(rank) = CODES.iter().position(|code| *code == segment.at(place)) {
            ranked
                .entry(rank)
                .or_insert_with(|| segment.at(place + 1).to_owned());
            place += 2;
        } else {
            place += 1;
        }
    }
    ranked.into_values().collect()
}

fn pair(segment: &Segment<'_>, quantity: usize) -> (String, String) {
    let unit = segment.at(quantity + 1);
    // A composite unit of measure: its first part.
    let unit = unit.split(['>', ':']).next().unwrap_or(unit);
    (segment.at(quantity).to_owned(), unit.to_owned())
}

/// What a receiving condition (element 412) says of a quantity.
fn condition(draft: &mut Draft, code: &str, quantity: (String, String)) {
    match code {
        // Damaged, quality problem, rejected, on hold, scrapped: received, and cannot be sold.
        "01" | "04" | "08" | "09" | "10" => draft.damaged.push(quantity),
        "05" => draft.wrong_item.push(quantity),
        "02" => draft.note.push(format!("short {}", quantity.0)),
        "03" | "12" => draft.note.push(format!("over {}", quantity.0)),
        "" | "07" => {}
        code => draft.note.push(format!("condition {code}: {}", quantity.0)),
    }
}

fn shared(line: &[Segment<'_>], draft: &mut Draft) {
    let mut cartons = Vec::new();
    for segment in line {
        match segment.id() {
            "N9" | "REF" if matches!(segment.at(1), "PO" | "SI" | "ON" | "DO" | "F8") => {
                draft.references.push(segment.at(2).to_owned());
            }
            "N9" | "REF" if segment.at(1) == "LT" && !segment.at(2).is_empty() => {
                draft.lot = Some(segment.at(2).to_owned());
            }
            "PRF" => draft.references.push(segment.at(1).to_owned()),
            "MAN" => cartons.push(segment.at(2).to_owned()),
            "NTE" => draft.note.push(segment.at(2).to_owned()),
            _ => {}
        }
    }
    let cartons = distinct(cartons);
    draft.carton = (cartons.len() == 1).then(|| cartons.into_iter().next()).flatten();
    draft.references = distinct(std::mem::take(&mut draft.references));
}

/// W07 and what follows it.
fn stock_receipt(line: &[Segment<'_>], at: Option<DateTime<Utc>>) -> Draft {
    let mut draft = Draft {
        at,
        ..Draft::default()
    };
    for segment in line {
        match segment.id() {
            "W07" => {
                draft.place = segment.place();
                draft.received = Some(pair(segment, 1));
                // The UPC has a place of its own, which some use for a pair of qualifier and code.
                let is_pair = CODES.contains(&segment.at(3));
                draft.codes = codes(segment, if is_pair { 3 } else { 4 });
                if !is_pair {
                    draft.codes.push(segment.at(3).to_owned());
                }
            }
            "W13" => condition(&mut draft, segment.at(3), pair(segment, 1)),
            _ => {}
        }
    }
    draft.codes = distinct(std::mem::take(&mut draft.codes));
    shared(line, &mut draft);
    draft
}

/// RCD and what follows it.
fn receiving_advice(line: &[Segment<'_>], at: Option<DateTime<Utc>>) -> Draft {
    let mut draft = Draft {
        at,
        ..Draft::default()
    };
    for segment in line {
        match segment.id() {
            "RCD" => {
                draft.place = segment.place();
                draft.received = Some(pair(segment, 2));
                for place in [6, 9, 12, 15, 18] {
                    condition(&mut draft, segment.at(place + 2), pair(segment, place));
                }
                if !matches!(segment.at(4), "" | "0") {
                    draft.note.push(format!("returned {}", segment.at(4)));
                }
            }
            "SN1" => draft.expected = Some(pair(segment, 2)),
            "LIN" => draft.codes.extend(codes(segment, 2)),
            _ => {}
        }
    }
    draft.codes = distinct(std::mem::take(&mut draft.codes));
    shared(line, &mut draft);
    draft
}

/// `20261122` or `261122`, and `0930`, `093000`.
fn time(date: &str, time: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let day = match date.len() {
        8 => NaiveDate::parse_from_str(date, "%Y%m%d").ok()?,
        6 => NaiveDate::parse_from_str(&format!("20{date}"), "%Y%m%d").ok()?,
        _ => return None,
    };
    super::times::is_plausible_day(day).then_some(())?;
    let clock = match time.len() {
        0 => NaiveTime::MIN,
        4 => NaiveTime::parse_from_str(time, "%H%M").ok()?,
        _ => NaiveTime::parse_from_str(time.get(..6)?, "%H%M%S").ok()?,
    };
    Some(instant_of(day, clock, zone))
}
