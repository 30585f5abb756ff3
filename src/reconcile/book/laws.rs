//! Kept books say what fresh ones say, whatever came in which order.

use proptest::prelude::*;

use super::*;
use crate::ids::OrderNo;

/// One thing written into the books, in small numbers that often meet.
#[derive(Debug, Clone)]
enum Entry {
    Ship(u8),
    Close(u8, i32),
    Take(Vec<Batch>),
    Judge,
}

#[derive(Debug, Clone)]
struct Batch {
    key: u8,
    reference: u8,
    carton: Option<u8>,
    sku: u8,
    known: Known,
    kind: ReceiptKind,
    units: i64,
    on: i32,
    file: bool,
}

const ORDERS: u8 = 4;
const AS_OF: i32 = 60;

fn order(n: u8) -> String {
    format!("SO-{n}")
}

/// What each order always packs: some cartons stand on two lists, some goods in none.
fn rows(n: u8) -> Vec<(Option<String>, String, i64)> {
    let mark = |carton: u8| Some(format!("U{carton}"));
    match n {
        0 => vec![
            (mark(0), "A".into(), 12),
            (mark(1), "A".into(), 12),
            (mark(1), "B".into(), 3),
        ],
        1 => vec![
            (mark(2), "A".into(), 12),
            (mark(3), "C".into(), 8),
            (None, "B".into(), 5),
        ],
        2 => vec![(None, "A".into(), 30), (None, "C".into(), 12)],
        _ => vec![(mark(3), "B".into(), 9), (mark(4), "B".into(), 9)],
    }
}

fn ship(book: &mut Book, n: u8) {
    let rows = rows(n);
    let packed: Vec<Packed<'_>> = rows
        .iter()
        .map(|(carton, sku, units)| Packed {
            carton: carton.as_deref(),
            sku,
            units: *units,
        })
        .collect();
    let inbound = format!("GRN-{n}");
    book.ship(&Sent {
        order: &order(n),
        inbounds: &[&inbound],
        eta_p90: 20 + i32::from(n),
        rows: &packed,
    });
}

fn take(book: &mut Book, batch: &Batch) {
    let reference = match batch.reference {
        n if n < ORDERS => order(n),
        n if n < 2 * ORDERS => format!("grn-{}", n - ORDERS),
        n => format!("NOBODY-{n}"),
    };
    let carton = batch.carton.map(|carton| format!("U{carton}"));
    let known = batch.known;
    let sku = match (known, batch.sku) {
        (Known::No, n) => format!("\u{1}{n}"),
        (_, 0) => "A".to_owned(),
        (_, 1) => "B".to_owned(),
        (_, 2) => "C".to_owned(),
        _ => "D".to_owned(),
    };
    book.take(&Told {
        origin: if batch.file { "file" } else { "api" },
        key: &format!("k{}", batch.key),
        reference: &reference,
        carton: carton.as_deref(),
        sku: &sku,
        known,
        kind: batch.kind,
        units: batch.units,
        at: i64::from(batch.on) * 1000,
        on: batch.on,
        lot: None,
        value: None,
    });
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let kind = prop_oneof![
        5 => Just(ReceiptKind::Received),
        2 => Just(ReceiptKind::PutAway),
        1 => Just(ReceiptKind::Damaged),
        1 => Just(ReceiptKind::Mislabelled),
        1 => Just(ReceiptKind::SetAside),
    ];
    let known = prop_oneof![6 => Just(Known::Code), 1 => Just(Known::Barcode), 1 => Just(Known::No)];
    let units = prop_oneof![Just(12), Just(3), Just(9), -6_i64..30];
    let one = (
        (0_u8..30, 0_u8..11, prop::option::of(0_u8..6)),
        (0_u8..4, known, kind, units),
        (0_i32..=AS_OF, any::<bool>()),
    );
    let one = one.prop_map(
        |((key, reference, carton), (sku, known, kind, units), (on, file))| Batch {
            key,
            reference,
            carton,
            sku,
            known,
            kind,
            units,
            on,
            file,
        },
    );
    prop::collection::vec(one, 1..8)
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = prop_oneof![
        2 => (0..ORDERS).prop_map(Entry::Ship),
        1 => (0..ORDERS, 10_i32..50).prop_map(|(n, on)| Entry::Close(n, on)),
        5 => batches().prop_map(Entry::Take),
        3 => Just(Entry::Judge),
    ];
    prop::collection::vec(entry, 1..20)
}

fn book() -> Book {
    let mut book = Book::new(super::super::Rules::default().book(&warehouse()));
    book.packs("A", &[12]);
    book
}

fn warehouse() -> crate::ids::WarehouseCode {
    crate::ids::WarehouseCode::new("goodcang:UKMA").unwrap()
}

fn said(book: &Book) -> String {
    let mut said = String::new();
    for n in 0..ORDERS {
        let (lines, reopened) = book.lines(&order(n));
        let mut lines: Vec<String> = lines
            .into_iter()
            .map(|mut line| {
                line.sources.sort_unstable();
                format!("{line:?}")
            })
            .collect();
        lines.sort_unstable();
        let differences = book.differences(&warehouse(), &OrderNo::new(order(n)).unwrap());
        said += &format!("{n} {reopened:?}\n{lines:#?}\n{differences:#?}\n");
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kept_books_equal_fresh_ones(entries in entries(), seed in any::<u64>()) {
        let mut kept = book();
        let mut closed = BTreeMap::new();
        for entry in &entries {
            match entry {
                Entry::Ship(n) => ship(&mut kept, *n),
                Entry::Close(n, on) => {
                    if kept.knows(&order(*n), None) {
                        closed.insert(*n, *on);
                    }
                    kept.close(&order(*n), Some((i64::from(*on) * 1000, *on)));
                }
                Entry::Take(batches) => batches.iter().for_each(|batch| take(&mut kept, batch)),
                Entry::Judge => {
                    kept.judge(AS_OF);
                }
            }
        }
        (0..ORDERS).for_each(|n| ship(&mut kept, n));
        kept.judge(AS_OF);

        let mut fresh = book();
        (0..ORDERS).for_each(|n| ship(&mut fresh, n));
        for (n, on) in closed {
            fresh.close(&order(n), Some((i64::from(on) * 1000, on)));
        }
        let mut batches: Vec<&Batch> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Take(batches) => Some(batches),
                _ => None,
            })
            .flatten()
            .collect();
        // Another order, the same for the same seed.
        batches.sort_by_key(|batch| (u64::from(batch.key) ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for batch in batches {
            take(&mut fresh, batch);
        }
        fresh.judge(AS_OF);
        let (said, wanted) = (said(&kept), said(&fresh));
        let first = said.lines().zip(wanted.lines()).find(|(a, b)| a != b);
        prop_assert_eq!(first, None);
        prop_assert_eq!(said.len(), wanted.len());
        prop_assert_eq!(kept.judge(AS_OF), 0);
        for n in 0..ORDERS {
            for [shipped, moving, arrived, given_up] in kept.conserved(&order(n)) {
                prop_assert_eq!(shipped, moving + arrived + given_up);
                prop_assert!(moving >= 0 && arrived >= 0 && given_up >= 0);
            }
        }
    }
}
