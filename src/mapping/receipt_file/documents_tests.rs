//! UBL receipt advices, X12 944 and 861, running totals, and what stands beside counts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::ReceiptFile;
use super::tests::told;
use crate::ledger::statement::{Posting, postings};
use crate::ledger::{ReceiptKind, Statement};
use crate::reconcile::kind_code;

fn at(text: &str) -> DateTime<Utc> {
    text.parse::<DateTime<chrono::FixedOffset>>().unwrap().to_utc()
}

/// What all the papers post together, however often and in which order they are read.
fn ledger<'a>(files: impl IntoIterator<Item = &'a ReceiptFile>) -> BTreeMap<Posting, i64> {
    let mut documents: BTreeMap<String, Vec<Statement>> = BTreeMap::new();
    for statement in files.into_iter().flat_map(|file| &file.statements) {
        let said = documents.entry(statement.document.clone()).or_default();
        if !said.contains(statement) {
            said.push(statement.clone());
        }
    }
    let posted = documents.values().flat_map(|said| postings(said).0);
    let mut sums = BTreeMap::new();
    for (posting, units) in posted {
        *sums.entry(posting).or_insert(0) += units;
    }
    sums
}

fn brief<'a>(files: impl IntoIterator<Item = &'a ReceiptFile>) -> Vec<String> {
    ledger(files)
        .into_iter()
        .map(|(posting, units)| {
            let carton = posting.carton.as_deref().unwrap_or("-");
            format!(
                "{} {} {carton} {} {} {units}",
                posting.at.format("%m-%dT%H:%M"),
                posting.reference,
                posting.sku_code,
                kind_code(posting.kind),
            )
        })
        .collect()
}

fn problems(file: &ReceiptFile) -> String {
    file.problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect()
}

pub(super) fn advice(issued: &str, status: &str, lines: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ReceiptAdvice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:ReceiptAdvice-2\" \
         xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\" \
         xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\">\
         <cbc:UBLVersionID>2.4</cbc:UBLVersionID><cbc:ID>RA-77</cbc:ID><cbc:IssueDate>{issued}</cbc:IssueDate>\
         <cbc:IssueTime>09:30:00Z</cbc:IssueTime>{status}\
         <cac:OrderReference><cbc:ID>PO-9</cbc:ID></cac:OrderReference>\
         <cac:DespatchDocumentReference><cbc:ID>SO-1</cbc:ID></cac:DespatchDocumentReference>\
         <cac:DeliveryCustomerParty><cac:Party><cac:PartyName><cbc:Name>UK 3PL</cbc:Name></cac:PartyName></cac:Party></cac:DeliveryCustomerParty>\
         <cac:DespatchSupplierParty/>{lines}</ReceiptAdvice>"
    )
}

pub(super) fn line(id: u32, received: &str, unit: &str, rest: &str, sku: &str) -> String {
    format!(
        "<cac:ReceiptLine><cbc:ID>{id}</cbc:ID><cbc:ReceivedQuantity unitCode=\"{unit}\">{received}</cbc:ReceivedQuantity>{rest}\
         <cbc:ReceivedDate>2026-11-20</cbc:ReceivedDate><cac:Item><cac:SellersItemIdentification><cbc:ID>{sku}</cbc:ID>\
         </cac:SellersItemIdentification></cac:Item></cac:ReceiptLine>"
    )
}

#[test]
fn r54_a_ubl_receipt_advice_tells_received_rejected_and_what_was_expected() {
    let rest = "<cbc:ShortQuantity unitCode=\"C62\">8</cbc:ShortQuantity><cbc:RejectedQuantity unitCode=\"C62\">2</cbc:RejectedQuantity>\
                <cbc:RejectReason>wet carton</cbc:RejectReason>";
    let lines = line(1, "392.00", "C62", rest, "A1")
        + &line(2, "48", "H87", "", "A1")
        + &line(3, "5", "XCT", "", "MUG");
    let file = told("advice.xml", advice("2026-11-21", "", &lines).as_bytes());
    assert_eq!(problems(&file), "");
    // 48 pieces of a set of six are 8 of its code; five cartons of 24.
    assert_eq!(
        brief([&file]),
        [
            "11-20T00:00 SO-1 - A1 received 400",
            "11-20T00:00 SO-1 - A1 damaged 2",
            "11-20T00:00 SO-1 - MUG received 120",
        ]
    );
    let finding = &file.findings[0];
    assert_eq!((finding.expected, finding.counted), (Some(400), Some(392)));
    assert_eq!(finding.note, "RejectReason: wet carton");
}

#[test]
fn a_revised_advice_takes_back_and_a_cancelled_one_takes_all() {
    let first = told(
        "a.xml",
        advice("2026-11-21", "", &line(1, "100", "C62", "", "A1")).as_bytes(),
    );
    let second = told(
        "b.xml",
        advice("2026-11-22", "", &line(1, "95", "C62", "", "A1")).as_bytes(),
    );
    let gone = "<cbc:DocumentStatusCode>Cancelled</cbc:DocumentStatusCode>";
    let third = told("c.xml", advice("2026-11-23", gone, "").as_bytes());
    assert_eq!(
        brief([&second, &first, &first]),
        [
            "11-20T00:00 SO-1 - A1 received 100",
            "11-22T09:30 SO-1 - A1 received -5"
        ]
    );
    let sum: i64 = ledger([&third, &second, &first]).values().sum();
    assert_eq!(sum, 0);
}

#[test]
fn an_advice_that_cannot_be_counted_says_what_and_its_good_lines_hold() {
    let lines = line(1, "3.5", "C62", "", "A1")
        + &line(2, "4", "KGM", "", "A1")
        + &line(3, "7", "PCE", "", "NEW")
        + &line(4, "1", "C62", "", "A1")
        + "<cac:ReceiptLine><cbc:ID>5</cbc:ID></cac:ReceiptLine>";
    let file = told("advice.xml", advice("2026-11-21", "", &lines).as_bytes());
    insta::assert_snapshot!(problems(&file), @r"
    advice.xml, ReceiptLine 1, `received_units`: found `3.5`, wanted a whole number
    advice.xml, ReceiptLine 2, `received_units`: found `4 KGM`, wanted a unit of count that is known: pieces, sets or cartons
    advice.xml, ReceiptLine 3, `received_units`: found `7 PCE`, wanted a code that is mapped, to know how many pieces it means
    advice.xml, ReceiptLine 5, `sku`: found ``, wanted a code of the goods
    ");
    assert_eq!(brief([&file]), ["11-20T00:00 SO-1 - A1 received 1"]);
}

pub(super) fn interchange(body: &str, sent: &str) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*3PL            *ZZ*SELLER         *261121*0930*U*00401*000000007*0*P*>~\n\
         GS*RE*3PL*SELLER*{sent}*7*X*004010~\n{body}GE*1*7~\nIEA*1*000000007~\n"
    )
}

/// A transaction with its count of segments.
pub(super) fn set(kind: &str, segments: &[&str]) -> String {
    let body: String = segments.iter().map(|segment| format!("{segment}~\n")).collect();
    format!("ST*{kind}*0001~\n{body}SE*{}*0001~\n", segments.len() + 2)
}

const STOCK_RECEIPT: [&str; 8] = [
    "W17*F*20261120*RCPT-5*SO-1*SHP-9",
    "N1*WH*UK 3PL*91*UKMA",
    "W07*400*EA*196272171026*VN*A1",
    "N9*LI*1",
    "W13*3*EA*01**03",
    "W13*2*EA*05",
    "W07*24*PC**SK*MUG",
    "W14*424",
];

#[test]
fn r54_a_944_tells_what_was_received_and_in_which_condition() {
    let file = told(
        "r.edi",
        interchange(&set("944", &STOCK_RECEIPT), "20261121*0930").as_bytes(),
    );
    assert_eq!(problems(&file), "");
    assert_eq!(
        brief([&file]),
        [
            "11-20T00:00 SO-1 - A1 received 400",
            "11-20T00:00 SO-1 - A1 damaged 3",
            "11-20T00:00 SO-1 - MUG received 24",
        ]
    );
    assert_eq!(file.findings[0].wrong_item, Some(2));
    // The same on one line, with another separator and terminator, is the same paper.
    let other = interchange(&set("944", &STOCK_RECEIPT), "20261121*0930")
        .replace("~\n", "\u{1d}")
        .replace('*', "|");
    assert_eq!(told("x", other.as_bytes()).statements, file.statements);
}

#[test]
fn r54_an_861_tells_cartons_and_conditions_and_is_replaced_and_cancelled() {
    let lines = |received: u32| {
        [
            format!("RCD*1*{received}*EA***4*EA*01*1*EA*05"),
            "SN1*1*400*EA".to_owned(),
            "LIN*1*UP*196272171026*SK*A1".to_owned(),
            "MAN*GM*00312345678900000018".to_owned(),
            "CTT*1".to_owned(),
        ]
    };
    let paper = |purpose: &str, day: &str, received: u32| {
        let beginning = format!("BRA*RA-3*{day}*{purpose}*1*0900");
        let mut segments = vec![
            beginning,
            "REF*SI*SO-1".to_owned(),
            "DTM*050*20261119*1410".to_owned(),
        ];
        segments.extend(lines(received));
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        told(
            "r.edi",
            interchange(&set("861", &segments), &format!("{day}*0900")).as_bytes(),
        )
    };
    let first = paper("00", "20261120", 398);
    assert_eq!(problems(&first), "");
    assert_eq!(
        brief([&first]),
        [
            "11-19T14:10 SO-1 00312345678900000018 A1 received 398",
            "11-19T14:10 SO-1 00312345678900000018 A1 damaged 4",
        ]
    );
    let finding = &first.findings[0];
    assert_eq!((finding.expected, finding.wrong_item), (Some(400), Some(1)));
    let second = paper("05", "20261122", 400);
    assert!(
        brief([&second, &first]).contains(&"11-22T09:00 SO-1 00312345678900000018 A1 received 2".to_owned())
    );
    let cancelled = told(
        "c.edi",
        interchange(&set("861", &["BRA*RA-3*20261123*01*1*0900"]), "20261123*0900").as_bytes(),
    );
    assert_eq!(ledger([&cancelled, &first, &second]).values().sum::<i64>(), 0);
    let change = told(
        "c.edi",
        interchange(&set("861", &["BRA*RA-3*20261123*04*1"]), "20261123*0900").as_bytes(),
    );
    assert!(
        change.is_empty() && problems(&change).contains("05 (replace)"),
        "{change:?}"
    );
}

#[test]
fn an_interchange_that_is_cut_or_does_not_add_up_is_told() {
    let whole = interchange(&set("944", &STOCK_RECEIPT), "20261121*0930");
    let cut = &whole[..whole.find("W13").unwrap()];
    let file = told("cut.edi", cut.as_bytes());
    assert!(file.is_empty());
    insta::assert_snapshot!(problems(&file), @"cut.edi, segment 3 ST, `SE`: found `the end of the file`, wanted a whole transaction");
    let fewer = told("x", whole.replace("N9*LI*1~\n", "").as_bytes());
    assert!(
        fewer.is_empty() && problems(&fewer).contains("wanted 9 segments"),
        "{}",
        problems(&fewer)
    );
    let sum = told("x", whole.replace("W14*424", "W14*500").as_bytes());
    assert_eq!(sum.statements.len(), 4);
    assert!(problems(&sum).contains("`W1401`: found `500`, wanted 424, as the lines say"));
    let other = told(
        "x",
        interchange(&set("856", &["BSN*00*1*20261121*0930"]), "20261121*0930").as_bytes(),
    );
    assert!(other.is_empty() && other.other_rows == 1);
    for hostile in ["ISA*", "ISA*00*~~~~", "ISA**GS**", "ST*944*1~W07"] {
        assert!(told("x", hostile.as_bytes()).events.is_empty());
    }
    let wide = format!("ST*944*1~W17{}~SE*3*1~", "*x".repeat(300));
    assert!(problems(&told("x", wide.as_bytes())).contains("at most 100 elements"));
}

const TOTALS: &str = "入库单号,SKU,累计收货数量,累计上架数量,截至\n";

#[test]
fn r54_running_totals_of_several_days_become_increments_in_any_order() {
    let day = |on: &str, received: i64, put_away: i64| {
        told(
            "t.csv",
            format!("{TOTALS}SO-1,A1,{received},{put_away},{on} 18:00\n").as_bytes(),
        )
    };
    let days = [
        day("2026-11-01", 400, 0),
        day("2026-11-02", 550, 400),
        day("2026-11-03", 540, 540),
    ];
    let wanted = [
        "11-01T18:00 SO-1 - A1 received 400",
        "11-02T18:00 SO-1 - A1 received 150",
        "11-02T18:00 SO-1 - A1 put_away 400",
        "11-03T18:00 SO-1 - A1 received -10",
        "11-03T18:00 SO-1 - A1 put_away 140",
    ];
    assert_eq!(brief(&days), wanted);
    assert_eq!(brief([&days[2], &days[0], &days[2], &days[1], &days[0]]), wanted);
    let undated = told("t.csv", b"reference,sku,received_total\nSO-1,A1,400\n");
    assert!(problems(&undated).contains("`as_of`"), "{}", problems(&undated));
}

#[test]
fn r54_expected_counted_scanned_damaged_labels_and_photos_of_each_carton() {
    let text = "参考号,箱号,SKU,预报数量,清点数量,扫描数量,破损数量,错标数量,照片,备注,单位,收货时间\n\
        SO-1,U1,A1,40,40,38,1,2,https://x.test/1.jpg;2.jpg,外箱湿,,2026-11-01 10:00\n\
        SO-1,U2,A1,40,240,240,,,,,PCS,2026-11-01 10:00\n\
        SO-1,U3,A1,40,40,40,,,,,KGM,2026-11-01 10:00\n\
        SO-1,U4,A1,forty,40,1.5,,,,,,yesterday\n";
    let file = told("r.csv", text.as_bytes());
    let events: Vec<_> = file
        .events
        .iter()
        .map(|event| (event.carton.as_deref().unwrap(), event.kind, event.units))
        .collect();
    assert_eq!(
        events,
        [
            ("U1", ReceiptKind::Received, 40),
            ("U1", ReceiptKind::Damaged, 1),
            ("U1", ReceiptKind::Mislabelled, 2),
            ("U2", ReceiptKind::Received, 40)
        ]
    );
    let finding = &file.findings[0];
    assert_eq!(
        (
            finding.expected,
            finding.counted,
            finding.scanned,
            finding.wrong_label
        ),
        (Some(40), Some(40), Some(38), Some(2))
    );
    assert_eq!(finding.photos, ["https://x.test/1.jpg", "2.jpg"]);
    assert_eq!(finding.at, at("2026-11-01T10:00:00+00:00"));
    assert!(
        problems(&file).contains("line 4, `unit`: found `40 KGM`"),
        "{}",
        problems(&file)
    );
    // All faults of a row at once, beside the counts too.
    for fault in [
        "`at`: found `yesterday`",
        "`expected_units`: found `forty`",
        "`scanned_units`: found `1.5`",
    ] {
        assert!(problems(&file).contains(fault), "{fault}: {}", problems(&file));
    }
    assert!(file.warnings.is_empty(), "{:?}", file.warnings);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any paper in any order, any number of times: the ledger is the same, and what each line was last said to be.
    #[test]
    fn papers_in_any_order_and_number_give_the_same_ledger(
        said in prop::collection::vec((0..3_u8, 1..20_u32, 0..500_u32), 1..8),
        order in prop::collection::vec(0..100_usize, 1..24),
    ) {
        let files: Vec<ReceiptFile> = said
            .iter()
            .map(|(form, day, units)| match form {
                0 => told("u", advice(&format!("2026-11-{day:02}"), "", &line(1, &units.to_string(), "C62", "", "A1")).as_bytes()),
                1 => {
                    let w07 = format!("W07*{units}*EA**VN*A1");
                    let body = set("944", &["W17*F*20261101*RCPT-5*SO-1", &w07]);
                    told("x", interchange(&body, &format!("202611{day:02}*0930")).as_bytes())
                }
                _ => told("t", format!("{TOTALS}SO-1,A1,{units},,2026-11-{day:02} 18:00\n").as_bytes()),
            })
            .collect();
        let all = order.iter().map(|n| &files[n % files.len()]).chain(files.iter().rev());
        prop_assert_eq!(ledger(all), ledger(&files));
    }

    #[test]
    fn nothing_that_comes_in_breaks_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..300), seed in any::<u16>()) {
        let whole = interchange(&set("944", &STOCK_RECEIPT), "20261121*0930")
            + &advice("2026-11-21", "", &line(1, "100", "C62", "", "A1"));
        let mut torn = whole.into_bytes();
        for (n, byte) in bytes.iter().enumerate() {
            let place = (n * 131 + usize::from(seed)) % torn.len();
            torn[place] = *byte;
        }
        let warehouse = crate::ids::WarehouseCode::new("w:A").unwrap();
        let teller = super::Teller { warehouse: &warehouse, zone: chrono_tz::UTC, packs: &|_, _| None, is_ours: &|_| true };
        for text in [&torn, &bytes] {
            let _ = super::read("x", text, &teller);
            let _ = super::texts("x", text);
        }
    }
}
