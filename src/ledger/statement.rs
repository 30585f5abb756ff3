//! What a report says has come in all: documents that are issued again, and running totals.
//!
//! A statement replaces the one before it on the same line. What the ledger gets of it is the difference: units on top,
//! or units taken back. Statements may come in any order and any number of times; the postings they end in are the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{ReceiptEvent, ReceiptKind};
use crate::ids::WarehouseCode;

/// A total of one line, as somebody stated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The document it stands in, however often that is issued; for a running total the line itself. Unique within the source.
    pub document: String,
    /// What is counted; empty when the document says no more than that it was issued. A line that a later issue of its
    /// document does not have is nothing any more.
    pub line: String,
    /// When it was said: of two statements on a line the later one holds.
    pub said_at: DateTime<Utc>,
    /// The units are the total; the time is when they came, as far as the first statement says. The key is left out.
    pub total: ReceiptEvent,
}

/// Where units are posted: everything of a receipt event but its identity and its units.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    pub at: DateTime<Utc>,
    pub warehouse: WarehouseCode,
    pub reference: String,
    pub carton: Option<String>,
    pub sku_code: String,
    pub kind: ReceiptKind,
    pub lot: Option<String>,
}

impl Posting {
    fn of(total: &ReceiptEvent, at: DateTime<Utc>) -> Self {
        Self {
            at,
            warehouse: total.warehouse.clone(),
            reference: total.reference.clone(),
            carton: total.carton.clone(),
            sku_code: total.sku_code.clone(),
            kind: total.kind,
            lot: total.lot.clone(),
        }
    }

    /// The posting as an event of its own.
    #[must_use]
    pub fn event(self, source: &str, key: String, units: i64) -> ReceiptEvent {
        ReceiptEvent {
            source: source.to_owned(),
            key,
            warehouse: self.warehouse,
            reference: self.reference,
            carton: self.carton,
            sku_code: self.sku_code,
            kind: self.kind,
            units,
            at: self.at,
            lot: self.lot,
            unit_value: None,
        }
    }
}

/// Two different totals of one line, said at the same instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contradiction {
    pub line: String,
    pub said_at: DateTime<Utc>,
    /// What holds: the larger, so that nobody is asked to pay for units that may be there.
    pub holds: i64,
    pub other: i64,
}

/// What the statements of one document post, sums of zero left out.
#[must_use]
pub fn postings(statements: &[Statement]) -> (BTreeMap<Posting, i64>, Vec<Contradiction>) {
    let mut contradictions = Vec::new();
    let issues: BTreeSet<DateTime<Utc>> = statements.iter().map(|statement| statement.said_at).collect();
    let mut lines: BTreeMap<&str, BTreeMap<DateTime<Utc>, &Statement>> = BTreeMap::new();
    for statement in statements {
        if statement.line.is_empty() {
            continue;
        }
        let said = lines.entry(&statement.line).or_default();
        let held = said.entry(statement.said_at).or_insert(statement);
        if held.total.units != statement.total.units {
            contradictions.push(Contradiction {
                line: statement.line.clone(),
                said_at: statement.said_at,
                holds: held.total.units.max(statement.total.units),
                other: held.total.units.min(statement.total.units),
            });
        }
        // Of what was said at one instant the larger total stands.
        if rank(statement) > rank(held) {
            *held = statement;
        }
    }
    let mut posted: BTreeMap<Posting, i64> = BTreeMap::new();
    let mut post = |posting: Posting, units: i64| {
        let sum = posted.entry(posting).or_default();
        *sum = sum.saturating_add(units);
    };
    for said in lines.values() {
        let mut before: Option<(&ReceiptEvent, i64)> = None;
        for issued in &issues {
            let Some(total) = said.get(issued).map(|statement| &statement.total) else {
                // Not in this issue of the document any more.
                if let Some((thing, units)) = before {
                    post(Posting::of(thing, *issued), units.saturating_neg());
                    before = Some((thing, 0));
                }
                continue;
            };
            match before {
                None => post(Posting::of(total, total.at), total.units),
                Some((thing, units)) if is_same_thing(thing, total) => {
                    post(Posting::of(total, *issued), total.units.saturating_sub(units));
                }
                // It was another SKU, carton or inbound after all.
                Some((thing, units)) => {
                    post(Posting::of(thing, *issued), units.saturating_neg());
                    post(Posting::of(total, *issued), total.units);
                }
            }
            before = Some((total, total.units));
        }
    }
    posted.retain(|_, units| *units != 0);
    contradictions.sort();
    contradictions.dedup();
    (posted, contradictions)
}

type Rank<'a> = (
    DateTime<Utc>,
    i64,
    &'a str,
    Option<&'a str>,
    &'a str,
    ReceiptKind,
    Option<&'a str>,
    DateTime<Utc>,
);

fn rank(statement: &Statement) -> Rank<'_> {
    let total = &statement.total;
    (
        statement.said_at,
        total.units,
        &total.reference,
        total.carton.as_deref(),
        &total.sku_code,
        total.kind,
        total.lot.as_deref(),
        total.at,
    )
}

fn is_same_thing(a: &ReceiptEvent, b: &ReceiptEvent) -> bool {
    (&a.warehouse, &a.reference, &a.carton, &a.sku_code, a.kind, &a.lot)
        == (&b.warehouse, &b.reference, &b.carton, &b.sku_code, b.kind, &b.lot)
}

/// What must be posted so that the ledger says `after` where it said `before`.
#[must_use]
pub fn change(before: &BTreeMap<Posting, i64>, after: &BTreeMap<Posting, i64>) -> Vec<(Posting, i64)> {
    let mut change: BTreeMap<&Posting, i64> = BTreeMap::new();
    for (posting, units) in before {
        *change.entry(posting).or_default() -= units;
    }
    for (posting, units) in after {
        let sum = change.entry(posting).or_default();
        *sum = sum.saturating_add(*units);
    }
    change
        .into_iter()
        .filter(|(_, units)| *units != 0)
        .map(|(posting, units)| (posting.clone(), units))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hour(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + n * 3600, 0).unwrap()
    }

    fn said(at: i64, units: i64) -> Statement {
        Statement {
            document: "RA-1".to_owned(),
            line: "1".to_owned(),
            said_at: hour(at),
            total: ReceiptEvent {
                source: "ubl".to_owned(),
                key: String::new(),
                warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
                reference: "SO-1".to_owned(),
                carton: None,
                sku_code: "A1".to_owned(),
                kind: ReceiptKind::Received,
                units,
                at: hour(0),
                lot: None,
                unit_value: None,
            },
        }
    }

    fn units(statements: &[Statement]) -> Vec<i64> {
        postings(statements).0.into_values().collect()
    }

    #[test]
    fn r54_totals_become_increments_and_a_lower_one_takes_units_back() {
        assert_eq!(
            units(&[said(1, 400), said(2, 550), said(3, 550), said(4, 540)]),
            [400, 150, -10]
        );
    }

    #[test]
    fn an_earlier_total_that_comes_late_moves_units_to_their_day() {
        let first = postings(&[said(5, 550)]).0;
        let both = postings(&[said(5, 550), said(1, 400)]).0;
        let change = change(&first, &both);
        assert_eq!(change.iter().map(|(_, units)| units).sum::<i64>(), 0);
        assert_eq!(both.values().copied().collect::<Vec<_>>(), [400, 150]);
    }

    #[test]
    fn two_totals_at_one_instant_are_named_and_the_larger_holds() {
        let (posted, contradictions) = postings(&[said(1, 90), said(1, 100)]);
        assert_eq!(posted.into_values().collect::<Vec<_>>(), [100]);
        assert_eq!((contradictions[0].holds, contradictions[0].other), (100, 90));
    }

    #[test]
    fn a_line_that_turns_out_to_be_another_sku_moves_there() {
        let mut other = said(2, 100);
        other.total.sku_code = "B1".to_owned();
        let (posted, _) = postings(&[said(1, 100), other]);
        let sums: Vec<(&str, i64)> = posted
            .iter()
            .map(|(posting, units)| (posting.sku_code.as_str(), *units))
            .collect();
        assert_eq!(sums, [("A1", 100), ("A1", -100), ("B1", 100)]);
    }

    #[test]
    fn a_line_that_a_later_issue_leaves_out_is_taken_back_and_a_cancelled_document_is_nothing() {
        let second = |at, units| Statement {
            line: "2".to_owned(),
            ..said(at, units)
        };
        let all = [said(1, 100), second(1, 7), said(2, 100)];
        let sums = postings(&all).0;
        assert_eq!(sums.values().sum::<i64>(), 100);
        let cancelled = Statement {
            line: String::new(),
            ..said(3, 0)
        };
        let all: Vec<Statement> = all.into_iter().chain([cancelled]).collect();
        assert_eq!(postings(&all).0.values().sum::<i64>(), 0);
    }

    proptest! {
        #[test]
        fn in_any_order_and_number_the_ledger_ends_alike(
            facts in prop::collection::vec((0..6_i64, 1..3_u8, -20..200_i64), 1..10),
            seed in prop::collection::vec(0..1000_usize, 20),
        ) {
            let all: Vec<Statement> = facts
                .iter()
                .map(|(at, line, units)| Statement { line: line.to_string(), ..said(*at, *units) })
                .collect();
            let whole = postings(&all).0;
            // Each arrival posts what changes, as the store does it: the ledger is the sum of these.
            let mut known: Vec<Statement> = Vec::new();
            let mut ledger: BTreeMap<Posting, i64> = BTreeMap::new();
            let shuffled = seed.iter().map(|n| all[n % all.len()].clone()).chain(all.iter().rev().cloned());
            for statement in shuffled {
                let before = postings(&known).0;
                if !known.contains(&statement) {
                    known.push(statement);
                }
                for (posting, units) in change(&before, &postings(&known).0) {
                    *ledger.entry(posting).or_default() += units;
                }
            }
            ledger.retain(|_, units| *units != 0);
            prop_assert_eq!(&ledger, &whole);
            let last = facts.iter().map(|(at, ..)| *at).max().unwrap();
            let total: i64 = [1, 2]
                .iter()
                .filter_map(|line| {
                    let of_line = facts.iter().filter(|(at, of, _)| *at == last && of == line);
                    of_line.map(|(.., units)| *units).max()
                })
                .sum();
            prop_assert_eq!(ledger.values().sum::<i64>(), total);
        }
    }
}
