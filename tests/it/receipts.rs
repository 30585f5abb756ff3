//! Receipts from files and warehouses into the store, and what their reconciliation tells each day.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::London;
use linkstar::catalog::Resolved;
use linkstar::ids::{AccountId, OrderNo, Sku, WarehouseCode};
use linkstar::ledger::transit::Shipment;
use linkstar::ledger::{ReceiptEvent, ReceiptKind};
use linkstar::mapping::receipt_file::{self, ReceiptFile, Teller};
use linkstar::reconcile::{Evidence, Kind, Meaning, Reconciliation, Rules, Verdict, reconcile};
use linkstar::store::Tx;
use linkstar::store::differences::{self, DifferenceEventKind};
use linkstar::store::receipts::{append, changes_on, current, load_for, load_since, save};
use linkstar::wording::Lang;

use crate::services::stores;

fn account() -> AccountId {
    AccountId::new("main").expect("an id")
}

fn warehouse() -> WarehouseCode {
    WarehouseCode::new("goodcang:UKMA").expect("a code")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}T22:00:00Z").parse().expect("an instant")
}

fn file(name: &str, bytes: &[u8]) -> ReceiptFile {
    let teller = Teller {
        warehouse: &warehouse(),
        zone: London,
        packs: &|_, _| None,
        is_ours: &|_| true,
    };
    receipt_file::read(name, bytes, &teller).expect("a table")
}

fn workbook(rows: &[(&str, &str, &str, i64, &str)]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let write = |sheet: &mut rust_xlsxwriter::Worksheet, row, cells: [&str; 5]| {
        for (column, cell) in (0_u16..).zip(cells) {
            sheet.write(row, column, cell).expect("writes");
        }
    };
    write(sheet, 0, ["入库单号", "SKU", "类型", "数量", "时间"]);
    for (number, (reference, sku, kind, units, on)) in (1_u32..).zip(rows) {
        write(sheet, number, [reference, sku, kind, "", on]);
        sheet.write(number, 3, *units).expect("writes");
    }
    book.save_to_buffer().expect("a workbook")
}

fn shipment() -> Shipment {
    Shipment {
        order: OrderNo::new("SO-1").expect("an id"),
        warehouse: warehouse(),
        shipped_on: day("2026-09-20"),
        eta_p50: day("2026-10-25"),
        eta_p90: day("2026-11-01"),
        units: BTreeMap::from([(Sku::new("A1").expect("an id"), 600)]),
    }
}

fn run(events: &[ReceiptEvent], as_of: &str) -> Reconciliation {
    let shipments = [shipment()];
    let evidence = Evidence {
        shipments: &shipments,
        packing: &BTreeMap::new(),
        packs: &BTreeMap::new(),
        events,
        notices: &[],
        announced: &[],
    };
    let own = |_: &WarehouseCode, code: &str, _: NaiveDate| {
        Some(Meaning {
            resolved: Resolved {
                sku: Sku::new(code).ok()?,
                multiple: 1,
            },
            barcode: false,
        })
    };
    reconcile(evidence, &Rules::default(), &own, day(as_of))
}

async fn events(tx: &mut Tx) -> Vec<ReceiptEvent> {
    load_since(tx, &account(), at("2026-01-01")).await.expect("loads")
}

#[tokio::test]
async fn r54_three_batches_and_a_repeated_file_are_590_and_the_shelf_lacks_30() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        let first = workbook(&[("SO-1", "A1", "收货", 400, "2026-11-01 09:00")]);
        let second = workbook(&[
            ("SO-1", "A1", "收货", 150, "2026-11-02 09:00"),
            ("SO-1", "A1", "收货", 40, "2026-11-03 09:00"),
            ("SO-1", "A1", "上架", 560, "2026-11-04 09:00"),
        ]);
        let mut new = Vec::new();
        for (name, bytes) in [
            ("一.xlsx", &first),
            ("二.xlsx", &second),
            ("二 (1).xlsx", &second),
        ] {
            let file = file(name, bytes);
            assert!(file.problems.is_empty(), "{:?}", file.problems);
            new.push(
                append(&mut tx, &account(), &file.events, at("2026-11-04"))
                    .await
                    .unwrap()
                    .new,
            );
        }
        assert_eq!(new, [1, 3, 0]);
        let done = run(&events(&mut tx).await, "2026-11-05");
        assert_eq!((done.lines[0].received, done.lines[0].pending_putaway), (590, 30));
        assert_eq!(done.transit[0].moving(), 10);
    }
}

#[tokio::test]
async fn a_receipt_for_an_unknown_order_is_kept_and_named() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        let csv = "reference,sku,kind,units,at\nSO-404,A1,received,25,2026-11-01\nSO-1,A1,received,600,2026-11-01\n";
        let file = file("r.csv", csv.as_bytes());
        assert_eq!(
            append(&mut tx, &account(), &file.events, at("2026-11-01"))
                .await
                .unwrap()
                .new,
            2
        );
        let done = run(&events(&mut tx).await, "2026-11-02");
        assert_eq!(done.lines[0].received, 600);
        let texts: Vec<String> = done
            .anomalies
            .iter()
            .map(|anomaly| anomaly.text(Lang::En))
            .collect();
        assert_eq!(
            texts,
            ["goodcang:UKMA reports 25 units for `SO-404`, which is no order or inbound of ours."]
        );
        let known = load_for(&mut tx, &account(), &["SO-1".into(), "GRN-1".into()])
            .await
            .unwrap();
        assert_eq!(
            (known.len(), known[0].units, known[0].kind),
            (1, 600, ReceiptKind::Received)
        );
        assert!(load_for(&mut tx, &account(), &[]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn events_of_another_seller_are_not_seen() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        let csv = "reference,sku,kind,units,at\nSO-1,A1,received,600,2026-11-01\n";
        let other = AccountId::new("other").unwrap();
        let file = file("r.csv", csv.as_bytes());
        append(&mut tx, &other, &file.events, at("2026-11-01"))
            .await
            .unwrap();
        assert!(events(&mut tx).await.is_empty());
        assert_eq!(
            append(&mut tx, &account(), &file.events, at("2026-11-01"))
                .await
                .unwrap()
                .new,
            1
        );
        assert_eq!(events(&mut tx).await, file.events);
    }
}

#[tokio::test]
async fn the_day_a_difference_closes_it_is_news_and_never_again() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        let csv = |rows: &str| format!("reference,sku,kind,units,at\n{rows}");
        let nights = [
            ("2026-11-03", "SO-1,A1,received,580,2026-11-02\n"),
            ("2026-11-07", ""),
            ("2026-11-08", ""),
            ("2026-11-20", "SO-1,A1,received,20,2026-11-19\n"),
            ("2026-11-25", ""),
        ];
        let mut told = Vec::new();
        for (night, rows) in nights {
            let events_of_night = file("r.csv", csv(rows).as_bytes()).events;
            append(&mut tx, &account(), &events_of_night, at(night))
                .await
                .unwrap();
            let done = run(&events(&mut tx).await, night);
            let changes = save(&mut tx, &account(), &done, at(night)).await.unwrap();
            // The step may run twice in a night.
            assert!(
                save(&mut tx, &account(), &done, at(night))
                    .await
                    .unwrap()
                    .is_empty()
            );
            assert_eq!(
                changes_on(&mut tx, &account(), day(night)).await.unwrap(),
                changes,
                "{night}"
            );
            let news = changes.iter().filter(|change| change.is_news());
            told.extend(news.map(|change| format!("{night} {}", change.text(Lang::En))));
        }
        assert_eq!(
            told,
            [
                "2026-11-07 A1 of SO-1: new difference of -20 units (short, claim candidate).",
                // Found late: open again, so the claim must wait.
                "2026-11-20 A1 of SO-1: from short, claim candidate to open, difference 0 units.",
            ]
        );
        let now = current(&mut tx, &account()).await.unwrap();
        assert_eq!((now.len(), now[0].verdict), (1, Verdict::Exact));
    }
}

#[tokio::test]
async fn a_known_event_with_another_content_is_told_and_changes_nothing() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        let event = |units: i64| ReceiptEvent {
            source: "goodcang-uk".into(),
            key: "GRN-1:batch-1".into(),
            warehouse: warehouse(),
            reference: "SO-1".into(),
            carton: None,
            sku_code: "A1".into(),
            kind: ReceiptKind::Received,
            units,
            at: at("2026-11-01"),
            lot: None,
            unit_value: None,
        };
        let append = async |tx: &mut Tx, units| {
            append(tx, &account(), &[event(units)], at("2026-11-02"))
                .await
                .unwrap()
        };
        assert_eq!(append(&mut tx, 400).await.new, 1);
        assert_eq!(append(&mut tx, 400).await.restated, []);
        let restated = append(&mut tx, 390).await;
        assert_eq!((restated.new, restated.restated), (0, vec![event(390)]));
        assert_eq!(events(&mut tx).await, [event(400)]);
    }
}

#[tokio::test]
async fn r56_units_found_late_undo_a_difference_and_its_history_stays() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        let csv = |rows: &str| format!("reference,sku,kind,units,at\n{rows}");
        let first = file("a.csv", csv("SO-1,A1,received,580,2026-11-01\n").as_bytes());
        let found = file("b.csv", csv("SO-1,A1,received,20,2026-11-20\n").as_bytes());
        for (read, on) in [
            (&first, "2026-11-10"),
            (&first, "2026-11-11"),
            (&found, "2026-11-26"),
        ] {
            append(&mut tx, &account(), &read.events, at(on)).await.unwrap();
            let done = run(&events(&mut tx).await, on);
            differences::save(&mut tx, &account(), &done.classified, day(on), at(on))
                .await
                .unwrap();
        }
        let all = differences::all(&mut tx, &account()).await.unwrap();
        assert_eq!(differences::open(&mut tx, &account()).await.unwrap(), []);
        let one = &all[0];
        assert_eq!(
            (all.len(), one.difference.kind, one.difference.units),
            (1, Kind::Short, 20)
        );
        assert_eq!(
            (one.first_seen, one.undone_on),
            (day("2026-11-10"), Some(day("2026-11-26")))
        );
        assert!(one.difference.is_claimable());
        let history = differences::history(&mut tx, &account(), &one.difference.id)
            .await
            .unwrap();
        let kinds: Vec<DifferenceEventKind> = history.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [DifferenceEventKind::Opened, DifferenceEventKind::Undone]);
        let since = differences::events_since(&mut tx, &account(), day("2026-11-26"))
            .await
            .unwrap();
        assert_eq!(since, history[1..]);
        // Another seller sees none of it.
        let other = AccountId::new("other").unwrap();
        assert_eq!(differences::all(&mut tx, &other).await.unwrap(), []);
    }
}
