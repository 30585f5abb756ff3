//! What the documents share: lines with many numbers and codes become statements and findings.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::{MAX_UNITS, ReceiptFile, Teller};
use crate::ledger::{CountUnit, Finding, ReceiptEvent, ReceiptKind, Statement, in_units_of_code};
use crate::problem::Problem;

/// A document that tells receipts line by line.
pub(super) struct Paper<'a> {
    pub file: &'a str,
    /// Where it is posted: `ubl`, `x12`.
    pub source: &'static str,
    /// Sender and number.
    pub document: String,
    pub said_at: DateTime<Utc>,
    /// Numbers that may name our order, the likeliest first.
    pub references: Vec<String>,
}

/// One line of it.
#[derive(Default)]
pub(super) struct Draft {
    pub place: String,
    pub references: Vec<String>,
    pub carton: Option<String>,
    pub lot: Option<String>,
    /// Codes of the goods, the likeliest first.
    pub codes: Vec<String>,
    pub at: Option<DateTime<Utc>>,
    pub received: Option<(String, String)>,
    pub damaged: Vec<(String, String)>,
    pub wrong_item: Vec<(String, String)>,
    pub expected: Option<(String, String)>,
    pub note: Vec<String>,
}

/// Longer numbers and codes are nobody's.
const MAX_CODE: usize = 100;
const MAX_NOTE: usize = 500;

pub(super) struct Drafts<'a> {
    paper: Paper<'a>,
    teller: Teller<'a>,
    lines: BTreeMap<String, u32>,
}

impl<'a> Drafts<'a> {
    pub fn new(paper: Paper<'a>, teller: Teller<'a>, file: &mut ReceiptFile) -> Self {
        let drafts = Self {
            paper,
            teller,
            lines: BTreeMap::new(),
        };
        // That it was issued: lines that are not in it any more are nothing.
        file.statements.push(drafts.statement(
            String::new(),
            drafts.event(String::new(), None, String::new(), ReceiptKind::Received, 0, None),
        ));
        drafts
    }

    fn event(
        &self,
        reference: String,
        carton: Option<String>,
        sku_code: String,
        kind: ReceiptKind,
        units: i64,
        at: Option<DateTime<Utc>>,
    ) -> ReceiptEvent {
        ReceiptEvent {
            source: self.paper.source.to_owned(),
            key: String::new(),
            warehouse: self.teller.warehouse.clone(),
            reference,
            carton,
            sku_code,
            kind,
            units,
            at: at.unwrap_or(self.paper.said_at),
            lot: None,
            unit_value: None,
        }
    }

    fn statement(&self, line: String, total: ReceiptEvent) -> Statement {
        Statement {
            document: self.paper.document.clone(),
            line,
            said_at: self.paper.said_at,
            total,
        }
    }

    /// Takes a line, or says what is wrong with it.
    pub fn take(&mut self, draft: Draft, file: &mut ReceiptFile) {
        let problem = |field: &str, found: &str, wanted: &str| {
            Problem::new(self.paper.file, draft.place.as_str(), field, found, wanted)
        };
        let mut problems = Vec::new();
        let ours = |number: &&String| number.chars().count() <= MAX_CODE && (self.teller.is_ours)(number);
        let numbers = || draft.references.iter().chain(&self.paper.references);
        let reference = numbers().find(ours).or_else(|| numbers().next()).cloned();
        if reference
            .as_ref()
            .is_none_or(|number| number.chars().count() > MAX_CODE)
        {
            let found = reference.as_deref().unwrap_or_default();
            problems.push(problem("reference", found, "an order number or inbound number"));
        }
        let at = draft.at.unwrap_or(self.paper.said_at);
        let day = crate::calendar::civil_day(at, self.teller.zone);
        let fits = |code: &&String| code.chars().count() <= MAX_CODE;
        let mapped = |code: &&String| (self.teller.packs)(code, day).is_some();
        let codes = || draft.codes.iter().filter(fits);
        let Some(code) = codes().find(mapped).or_else(|| codes().next()).cloned() else {
            problems.push(problem("sku", "", "a code of the goods"));
            file.problems.extend(problems);
            return;
        };
        let pack = (self.teller.packs)(&code, day);
        let mut single: Option<String> = None;
        let mut count = |field: &str, told: &(String, String)| -> Option<i64> {
            let Some(units) = whole(&told.0) else {
                problems.push(problem(field, &told.0, "a whole number"));
                return None;
            };
            match in_units_of_code(units, &CountUnit::parse(&told.1), None, pack.as_ref()) {
                Ok((units, None)) => Some(units),
                Ok((units, Some(code))) => {
                    single = Some(code);
                    Some(units)
                }
                Err(wanted) => {
                    let found = format!("{units} {}", told.1);
                    problems.push(problem(field, &found, &wanted.to_string()));
                    None
                }
            }
        };
        let received = draft.received.as_ref().map(|told| count("received_units", told));
        let mut sum = |field: &str, told: &[(String, String)]| -> Option<Option<i64>> {
            (!told.is_empty()).then(|| {
                told.iter()
                    .map(|told| count(field, told))
                    .try_fold(0_i64, |sum, units| sum.checked_add(units?))
            })
        };
        let damaged = sum("damaged_units", &draft.damaged);
        let wrong_item = sum("wrong_item_units", &draft.wrong_item);
        let expected = draft.expected.as_ref().map(|told| count("expected_units", told));
        if received.is_none() && damaged.is_none() {
            problems.push(problem("received_units", "", "a count of what was received"));
        }
        if !problems.is_empty() {
            file.problems.extend(problems);
            return;
        }
        let reference = reference.unwrap_or_default();
        let sku_code = single.unwrap_or(code);
        // The same goods in the same carton a second time in one document are another line of it.
        let carton = draft.carton.as_deref().unwrap_or_default();
        let lot = draft.lot.as_deref().unwrap_or_default();
        let name = [&reference, carton, &sku_code, lot].join("|");
        let occurrence = self.lines.entry(name.clone()).or_default();
        *occurrence += 1;
        let line = format!("{name}|{occurrence}");
        for (kind, units) in [
            (ReceiptKind::Received, received.flatten()),
            (ReceiptKind::Damaged, damaged.flatten()),
        ] {
            let Some(units) = units else { continue };
            let event = ReceiptEvent {
                lot: draft.lot.clone(),
                ..self.event(
                    reference.clone(),
                    draft.carton.clone(),
                    sku_code.clone(),
                    kind,
                    units,
                    draft.at,
                )
            };
            let line = format!("{line}|{}", crate::reconcile::kind_code(kind));
            file.statements.push(self.statement(line, event));
        }
        let note: String = draft.note.join("; ").chars().take(MAX_NOTE).collect();
        let finding = Finding {
            source: self.paper.source.to_owned(),
            key: format!(
                "{}|{line}|{}",
                self.paper.document,
                self.paper.said_at.timestamp_millis()
            ),
            warehouse: self.teller.warehouse.clone(),
            reference,
            carton: draft.carton,
            sku_code,
            expected: expected.flatten(),
            counted: received.flatten(),
            scanned: None,
            wrong_label: None,
            wrong_item: wrong_item.flatten(),
            photos: Vec::new(),
            note,
            at,
        };
        if !finding.is_empty() {
            file.findings.push(finding);
        }
    }
}

/// `400`, `400.00`; nothing else is a count.
fn whole(text: &str) -> Option<i64> {
    let value: Decimal = text.trim().parse().ok()?;
    (value.fract().is_zero())
        .then(|| value.to_i64())
        .flatten()
        .filter(|units| (-MAX_UNITS..=MAX_UNITS).contains(units))
}

/// Texts without blanks at their ends, once each, empty ones left out.
pub(super) fn distinct(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts
        .into_iter()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty() && seen.insert(text.clone()))
        .collect()
}
