//! Totals that are stated in any order leave one ledger, on both engines.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use linkstar::ids::{AccountId, WarehouseCode};
use linkstar::ledger::statement::{Posting, postings};
use linkstar::ledger::{Finding, ReceiptEvent, ReceiptKind, Statement};
use linkstar::store::{Tx, receipts, stated};

use crate::services::stores;

fn hour(n: i64) -> DateTime<Utc> {
    let first: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().expect("an instant");
    first + Duration::hours(n)
}

fn said(line: &str, at: i64, units: i64) -> Statement {
    Statement {
        document: "944|3PL|RCPT-5".to_owned(),
        line: line.to_owned(),
        said_at: hour(at),
        total: ReceiptEvent {
            source: "x12".to_owned(),
            key: String::new(),
            warehouse: WarehouseCode::new("goodcang:UKMA").expect("a code"),
            reference: "SO-STATED".to_owned(),
            carton: None,
            sku_code: format!("SKU-{line}"),
            kind: ReceiptKind::Received,
            units,
            at: hour(0),
            lot: None,
            unit_value: None,
        },
    }
}

/// A receipt, one sent again with less, and one between them that comes late; the second line falls out.
pub fn statements() -> Vec<Statement> {
    let issued = Statement {
        line: String::new(),
        ..said("", 9, 0)
    };
    vec![
        said("1", 5, 390),
        said("1", 1, 400),
        said("1", 3, 410),
        said("2", 1, 7),
        said("1", 5, 390),
        issued,
        said("1", 9, 390),
        said("1", 9, 380),
    ]
}

pub fn finding() -> Finding {
    Finding {
        source: "file:r.csv".to_owned(),
        key: "k1".to_owned(),
        warehouse: WarehouseCode::new("goodcang:UKMA").expect("a code"),
        reference: "SO-STATED".to_owned(),
        carton: Some("U1".to_owned()),
        sku_code: "SKU-1".to_owned(),
        expected: Some(400),
        counted: None,
        scanned: Some(398),
        wrong_label: Some(2),
        wrong_item: None,
        photos: vec!["1.jpg".to_owned()],
        note: "外箱湿".to_owned(),
        at: hour(2),
    }
}

async fn ledger(tx: &mut Tx, account: &AccountId) -> BTreeMap<Posting, i64> {
    let events = receipts::load_for(tx, account, &["SO-STATED".to_owned()])
        .await
        .expect("events");
    let mut sums = BTreeMap::new();
    for event in events {
        let posting = Posting {
            at: event.at,
            warehouse: event.warehouse,
            reference: event.reference,
            carton: event.carton,
            sku_code: event.sku_code,
            kind: event.kind,
            lot: event.lot,
        };
        *sums.entry(posting).or_insert(0) += event.units;
    }
    sums.retain(|_, units| *units != 0);
    sums
}

#[tokio::test]
async fn r54_documents_said_again_in_any_order_leave_one_ledger() {
    for store in stores().await {
        let wanted = postings(&statements()).0;
        assert_eq!(wanted.values().sum::<i64>(), 390);
        for (number, turn) in (0_usize..).zip([0, 3, 5]) {
            let account = AccountId::new(format!("a{number}")).unwrap();
            let mut all = statements();
            all.rotate_left(turn);
            if turn == 5 {
                all.reverse();
            }
            let mut tx = store.write().await.unwrap();
            for some in all.chunks(2) {
                stated::state(&mut tx, &account, some, hour(10)).await.unwrap();
            }
            assert_eq!(ledger(&mut tx, &account).await, wanted, "turn {turn}");
            // All of it again posts nothing, and names the two totals of one hour each time.
            let again = stated::state(&mut tx, &account, &all, hour(11)).await.unwrap();
            assert_eq!((again.new, again.contradictions.len()), (0, 1));
        }
    }
}
