use chrono_tz::Europe::London;

use super::*;
use crate::reconcile::kind_code;

pub(super) fn told(name: &str, bytes: &[u8]) -> ReceiptFile {
    let warehouse = WarehouseCode::new("goodcang:UKMA").unwrap();
    let teller = Teller {
        warehouse: &warehouse,
        zone: London,
        // A1 counts sets of six, 24 pieces in a carton; MUG counts pieces.
        packs: &|code, _| match code {
            "A1" => Some(Pack {
                multiple: 6,
                carton_units: Some(24),
                single: Some("MUG".to_owned()),
            }),
            "MUG" => Some(Pack {
                multiple: 1,
                carton_units: Some(24),
                single: None,
            }),
            _ => None,
        },
        is_ours: &|number| number.starts_with("SO-"),
    };
    read(name, bytes, &teller).unwrap()
}

fn receipts(name: &str, text: &str) -> ReceiptFile {
    told(name, text.as_bytes())
}

fn brief(file: &ReceiptFile) -> Vec<String> {
    file.events
        .iter()
        .map(|event| {
            let at = event.at.format("%m-%dT%H:%M");
            format!(
                "{} {} {} {} {at}",
                event.reference,
                event.sku_code,
                kind_code(event.kind),
                event.units
            )
        })
        .collect()
}

fn shown(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

const OWN: &str = "reference,carton,sku,kind,units,at\n\
    SO-1,U000001,A1,received,400,2026-11-01 09:30\n\
    SO-1,U000001,A1,收货,-5,2026-07-01T09:30:00+08:00\n\
    SO-1,,A1,上架,150,2026-07-01 09:30\n\
    SO-1,,A1,破损,2,20261101\n";

#[test]
fn our_own_columns_in_either_language_with_corrections() {
    let file = receipts("r.csv", OWN);
    assert_eq!(shown(&file.problems), "");
    assert_eq!(
        brief(&file),
        [
            "SO-1 A1 received 400 11-01T09:30",
            "SO-1 A1 received -5 07-01T01:30",
            "SO-1 A1 put_away 150 07-01T08:30",
            "SO-1 A1 damaged 2 11-01T00:00",
        ]
    );
    assert_eq!(file.events[0].carton.as_deref(), Some("U000001"));
}

#[test]
fn r54_the_same_rows_in_a_renamed_and_reordered_file_are_the_same_events() {
    let keys = |file: &ReceiptFile| -> std::collections::BTreeSet<String> {
        file.events.iter().map(|event| event.key.clone()).collect()
    };
    let mut lines: Vec<&str> = OWN.lines().collect();
    lines[1..].reverse();
    let renamed = receipts("again.csv", &lines.join("\r\n"));
    assert_eq!(keys(&receipts("r.csv", OWN)), keys(&renamed));
    assert_eq!(keys(&renamed).len(), 4);
}

#[test]
fn two_equal_rows_of_one_file_are_two_events() {
    let row = "SO-1,,A1,received,10,2026-11-01\n";
    let file = receipts(
        "r.csv",
        &format!("reference,carton,sku,kind,units,at\n{row}{row}"),
    );
    assert_eq!(file.events.len(), 2);
    assert_ne!(file.events[0].key, file.events[1].key);
}

#[test]
fn a_warehouse_export_with_chinese_heads_gives_batches_of_each_kind() {
    let text = "入库单号,参考号,SKU,收货数量,上架数量,收货时间,上架时间\n\
        GRN-1,SO-1,A1,４００,360,2026-11-01 10:00:00,2026-11-03 11:00:00\n\
        GRN-1,,B1,20,0,2026/11/1 10:00,\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let file = told("入库.csv", &gbk);
    assert_eq!(shown(&file.problems), "");
    assert_eq!(
        brief(&file),
        [
            "SO-1 A1 received 400 11-01T10:00",
            "SO-1 A1 put_away 360 11-03T11:00",
            "GRN-1 B1 received 20 11-01T10:00",
        ]
    );
}

#[test]
fn amazons_ledger_gives_its_receipts_and_what_of_them_is_not_sellable() {
    let file = receipts(
        "ledger.txt",
        "Date\tFNSKU\tASIN\tMSKU\tTitle\tEvent Type\tReference ID\tQuantity\tFulfillment Center\tDisposition\n\
         11/22/2026\tX1\tB0\tA1\tMug\tReceipts\tFBA15ABC\t40\tBHX4\tSELLABLE\n\
         11/22/2026\tX1\tB0\tA1\tMug\tReceipts\tFBA15ABC\t2\tBHX4\tWAREHOUSE_DAMAGED\n\
         11/23/2026\tX1\tB0\tA1\tMug\tShipments\t\t-1\tBHX4\tSELLABLE\n",
    );
    assert_eq!(shown(&file.problems) + &shown(&file.warnings), "");
    assert_eq!(file.other_rows, 1);
    assert_eq!(
        brief(&file),
        [
            "FBA15ABC A1 received 40 11-22T00:00",
            "FBA15ABC A1 received 2 11-22T00:00",
            "FBA15ABC A1 damaged 2 11-22T00:00",
        ]
    );
}

#[test]
fn every_fault_of_a_row_is_told_and_the_good_rows_count() {
    let file = receipts(
        "r.csv",
        "reference,sku,kind,units,at,colour\n\
         SO-1,A1,received,10,2026-11-01,red\n\
         ,,lost,1.5,11/02/2026,\n\
         SO-1,A1,received,,1970-01-01,\n\
         SO-1,A1,received,9999999999,2026-11-01,\n",
    );
    assert_eq!(file.events.len(), 1);
    insta::assert_snapshot!(shown(&file.problems), @r#"
    r.csv, line 3, `kind`: found `lost`, wanted received, put_away, damaged, mislabelled or set_aside (收货, 上架, 破损, 错标, 异常)
    r.csv, line 3, `units`: found `1.5`, wanted a whole number between -1000000000 and 1000000000
    r.csv, line 3, `at`: found `11/02/2026`, wanted the time of the batch, like 2026-11-22 10:30
    r.csv, line 3, `reference`: found ``, wanted an order number or inbound number
    r.csv, line 3, `sku`: found ``, wanted the warehouse's SKU code
    r.csv, line 4, `units`: found ``, wanted a whole number
    r.csv, line 4, `at`: found `1970-01-01`, wanted the time of the batch, like 2026-11-22 10:30
    r.csv, line 5, `units`: found `9999999999`, wanted a whole number between -1000000000 and 1000000000
    "#);
    assert!(file.warnings[0].to_string().contains("`colour`"));
}

#[test]
fn a_report_of_totals_is_refused_with_its_reason() {
    let file = receipts("totals.csv", "SKU,收货数量\nA1,10\n");
    assert!(file.events.is_empty());
    let unclear = receipts("r.csv", "reference,sku,units,at\nSO-1,A1,10,2026-11-01\n");
    insta::assert_snapshot!(shown(&file.problems) + &shown(&unclear.problems), @r#"
    totals.csv, `reference`: found `no such column`, wanted a column `reference` (参考号) or `inbound_no` (入库单号)
    totals.csv, `at`: found `no such column`, wanted a column `at` (收货时间): the time of each batch, not a report of totals
    r.csv, `kind`: found `no such column`, wanted columns `kind` and `units`, or `received_units` (收货数量) and `put_away_units` (上架数量)
    "#);
}
