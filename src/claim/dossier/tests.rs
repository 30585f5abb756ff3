use std::collections::BTreeMap;
use std::io::Read as _;

use rust_decimal::Decimal;
use zip::ZipArchive;

use super::*;
use crate::claim::amount::{Amount, Term};
use crate::claim::case::{CaseEvent, CaseEventKind, Subject};
use crate::claim::responsibility::{Custody, Point, Seen, propose};
use crate::claim::state::{Asked, ClaimState, Claimed};
use crate::claim::{LossKind, Party, case};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::mapping::label::pdf::page_count;
use crate::money::{Currency, Money};

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + hour * 3_600, 0).unwrap()
}

fn the_case() -> Case {
    let subject = Subject {
        order: OrderNo::new("BH260907-01").unwrap(),
        warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
        kind: LossKind::Loss,
    };
    let seen = |point, cartons| Seen {
        point,
        cartons: Some(cartons),
        clean: Some(true),
        at: None,
        source: format!("{}.pdf", Point::code(point)),
    };
    let custody = Custody {
        cartons: 20,
        seen: vec![seen(Point::Delivered, 20), seen(Point::Counted, 18)],
        exams: Vec::new(),
    };
    let events = [
        CaseEventKind::Opened { subject },
        CaseEventKind::Proposed {
            proposal: propose(&custody),
        },
    ]
    .map(|kind| CaseEvent {
        at: at(0),
        by: "reconcile".to_owned(),
        kind,
    });
    case::replay(&events).unwrap()
}

fn the_claim() -> Claim {
    let term = |key: &str, cents, places: &[(&str, &str)]| Term {
        key: key.to_owned(),
        places: places
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        amount: Decimal::new(cents, 2),
    };
    let price = [
        ("sku", "85123A"),
        ("units", "48"),
        ("price", "23 CNY"),
        ("exchange", ""),
        ("invoices", "INV-1, INV-2"),
    ];
    Claim {
        number: "BH260907-01-L-1".to_owned(),
        asked: Asked {
            case: "BH260907-01-L".to_owned(),
            order: OrderNo::new("BH260907-01").unwrap(),
            warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
            kind: LossKind::Loss,
            party: Party::Warehouse,
            regime: "goodcang-contract".to_owned(),
            lines: vec![Claimed {
                difference: "00c1a2b3d4e5f607".to_owned(),
                sku: Sku::new("85123A").unwrap(),
                units: 48,
            }],
            beside: Vec::new(),
            amount: Amount {
                total: Money::new(Decimal::new(110_400, 2), Currency::CNY),
                terms: vec![term("cost", 110_400, &price)],
                uncovered: Vec::new(),
                row: "goodcang-contract".to_owned(),
                source: "contract 2026-01, clause 9".to_owned(),
            },
        },
        state: ClaimState::Draft,
        drafted_at: at(2),
        ticket: None,
        submitted_on: None,
        answered_on: None,
        declined_on: None,
        accepted: None,
        payments: Vec::new(),
        found: 0,
    }
}

fn item(paper: Paper, name: &str, tag: Tag, bytes: &str) -> Item {
    Item {
        paper,
        name: name.to_owned(),
        tag,
        note: String::new(),
        bytes: bytes.as_bytes().to_vec(),
    }
}

fn items() -> Vec<Item> {
    vec![
        item(Paper::ReceiptReport, "../收货 报告.csv", Tag::Open, "counted 18"),
        item(Paper::PackingList, "packing.xlsx", Tag::Open, "packed 20"),
        item(Paper::Message, "wechat.txt", Tag::Personal, "name of a person"),
        item(Paper::Other, "same.xlsx", Tag::Open, "packed 20"),
    ]
}

fn with<T>(items: &[Item], look: impl FnOnce(&Facts<'_>) -> T) -> T {
    let (case, claim) = (the_case(), the_claim());
    let happened = [Happened {
        at: at(-40),
        zh: "已签收".to_owned(),
        en: "delivered".to_owned(),
        source: "huatuo".to_owned(),
    }];
    look(&Facts {
        claim: &claim,
        case: &case,
        window: None,
        regime: ("谷仓合同", "GoodCang contract"),
        seller: "深圳示例贸易有限公司 Example Trading Co.",
        to: "GoodCang Manchester",
        shipped: 480,
        received: Some(432),
        damaged: Some(0),
        happened: &happened,
        items,
        missing: &[Paper::DeliveryProof, Paper::CostInvoice],
    })
}

fn files(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut file = zip.by_index(at).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[test]
fn r69_the_dossier_is_the_same_bytes_again_whatever_the_order_of_its_papers() {
    let bytes = with(&items(), |facts| write(facts).unwrap());
    let mut turned = items();
    turned.reverse();
    assert_eq!(bytes, with(&turned, |facts| write(facts).unwrap()));
}

#[test]
fn r69_every_file_has_its_hash_and_no_name_climbs() {
    let files = files(&with(&items(), |facts| write(facts).unwrap()));
    let sums = String::from_utf8(files["SHA256SUMS"].clone()).unwrap();
    assert_eq!(sums.lines().count(), files.len() - 1);
    for line in sums.lines() {
        let (hash, name) = line.split_once("  ").unwrap();
        assert_eq!(sha256_hex(&files[name]), hash, "{name}");
        assert!(!name.contains("..") && !name.starts_with('/'), "{name}");
    }
    let evidence: Vec<&str> = files
        .keys()
        .filter_map(|name| name.strip_prefix("evidence/"))
        .collect();
    // One content that proves two things is there once.
    assert_eq!(
        evidence,
        [
            "001-packing_list-packing.xlsx",
            "002-receipt_report-收货_报告.csv"
        ]
    );
    assert!(page_count(&files[INDEX]).is_some_and(|pages| pages == 2));
    assert!(page_count(&files[LETTER]).is_some_and(|pages| pages == 2));
}

#[test]
fn r69_personal_and_secret_papers_do_not_leave_and_missing_ones_have_a_page() {
    let bytes = with(&items(), |facts| write(facts).unwrap());
    for (name, content) in files(&bytes) {
        let text = String::from_utf8_lossy(&content);
        assert!(
            !text.contains("name of a person") && !name.contains("wechat"),
            "{name}"
        );
        assert!(!text.contains("wechat"), "{name}");
    }
    let index = with(&items(), index_text);
    insta::assert_snapshot!(index);
}

#[test]
fn r69_the_letter_is_neutral_and_in_both_languages() {
    insta::assert_snapshot!(with(&items(), letter_text));
}

#[test]
fn r69_a_complete_dossier_has_no_page_of_what_is_missing() {
    let (case, claim) = (the_case(), the_claim());
    let items = [item(Paper::DeliveryProof, "pod.pdf", Tag::Open, "20")];
    let index = index_text(&Facts {
        claim: &claim,
        case: &case,
        window: None,
        regime: ("谷仓合同", "GoodCang contract"),
        seller: "s",
        to: "t",
        shipped: 1,
        received: None,
        damaged: Some(0),
        happened: &[],
        items: &items,
        missing: &[],
    });
    assert!(index.contains("Every paper that is needed is there."), "{index}");
}
