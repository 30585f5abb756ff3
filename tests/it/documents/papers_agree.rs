//! Packing list, invoice, booking form and outbound instruction of one order.

use std::sync::LazyLock;

use linkstar::mapping::definition::{Mapping, Written, builtin};
use linkstar::order::model::StockingOrder;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::goods::{Wish, context, order, usual};
use super::judge;
use crate::papers::tools;

/// Read once: the property test writes hundreds of papers.
static BUILTIN: LazyLock<Vec<Mapping>> = LazyLock::new(|| builtin().expect("the built-in mappings"));

pub fn mapping(id: &str) -> &'static Mapping {
    BUILTIN
        .iter()
        .find(|mapping| mapping.meta.id == id)
        .expect("a built-in mapping")
}

pub fn written(id: &str, order: &StockingOrder) -> Written {
    mapping(id)
        .write(order, &context())
        .expect("no problem with the order")
}

#[test]
fn r34_every_paper_is_written_and_opened_by_programs_we_did_not_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = std::env::var_os("LINKSTAR_KEEP").map(std::path::PathBuf::from);
    let order = usual();
    for id in [
        "packing-list",
        "commercial-invoice",
        "huatuo-booking-gb",
        "outbound-instruction",
    ] {
        let paper = written(id, &order);
        let file = folder.path().join(&paper.file_name);
        std::fs::write(&file, &paper.bytes).expect("written");
        if let Some(keep) = &keep {
            std::fs::write(keep.join(&paper.file_name), &paper.bytes).expect("written");
        }
        if let Some(cells) = judge::openpyxl(&file, false) {
            assert!(
                cells.values().any(|value| value.contains(order.number.as_str())),
                "{id}: {cells:#?}"
            );
        }
    }
}

/// What a paper says in its last rows, read with calamine.
fn numbers(bytes: &[u8], column: u32) -> Vec<Decimal> {
    use calamine::Reader as _;
    let mut book = calamine::Xlsx::new(std::io::Cursor::new(bytes.to_vec())).expect("a workbook");
    // The outbound instruction says how to pack on a sheet of its own.
    let mut sheets = book.sheet_names();
    let sheet = sheets.swap_remove(sheets.iter().position(|name| name == "装箱 Pack").unwrap_or(0));
    let cells = book.worksheet_range(&sheet).expect("a sheet");
    let last = cells.end().map_or(0, |(row, _)| row);
    let number = |row| match cells.get_value((row, column)) {
        Some(calamine::Data::Float(number)) => number.to_string().parse().ok(),
        Some(calamine::Data::Int(number)) => Some(Decimal::from(*number)),
        _ => None,
    };
    (0..=last).filter_map(number).collect()
}

/// The total of a column of ours: its last number, which must be the sum of those above.
fn total(bytes: &[u8], column: u32, adds_up: bool) -> Decimal {
    let mut numbers = numbers(bytes, column);
    let total = numbers.pop().expect("a total");
    if adds_up {
        assert_eq!(numbers.iter().sum::<Decimal>(), total, "column {column}");
    }
    total
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wish = (0_usize..4, 1_i64..400, 0_i64..6, 0_i64..30, 1_i64..50_000);
    proptest::collection::vec(wish, 1..7).prop_map(|wishes| {
        let filled = |(kind, per_carton, cartons, left, cents): Wish| match cartons + left {
            0 => (kind, per_carton, 1, 0, cents),
            _ => (kind, per_carton, cartons, left, cents),
        };
        wishes.into_iter().map(filled).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn r34_any_order_gives_papers_that_agree_and_the_same_bytes_again(wishes in wishes()) {
        let order = order(&wishes);
        let totals = order.totals();
        let [list, invoice, booking, outbound] =
            ["packing-list", "commercial-invoice", "huatuo-booking-gb", "outbound-instruction"]
                .map(|id| written(id, &order));
        let (units, net, gross) =
            (Decimal::from(totals.units), Decimal::new(totals.net_g, 3), Decimal::new(totals.gross_g, 3));
        prop_assert_eq!(total(&list.bytes, 4, true), units);
        prop_assert_eq!(total(&list.bytes, 5, true), net);
        prop_assert_eq!(total(&list.bytes, 6, true), gross);
        prop_assert_eq!(total(&list.bytes, 0, false), Decimal::from(totals.cartons));
        prop_assert_eq!(total(&invoice.bytes, 6, true), units);
        prop_assert_eq!(total(&invoice.bytes, 8, true), totals.value);
        prop_assert_eq!(total(&outbound.bytes, 4, true), Decimal::from(totals.cartons));
        prop_assert_eq!(numbers(&booking.bytes, 5).iter().sum::<Decimal>(), units);
        prop_assert_eq!(numbers(&booking.bytes, 14).iter().sum::<Decimal>(), gross);
        prop_assert_eq!(numbers(&booking.bytes, 1), [Decimal::from(totals.cartons)]);
        let worth: Decimal = numbers(&booking.bytes, 4).iter().zip(numbers(&booking.bytes, 5)).map(|(a, b)| a * b).sum();
        prop_assert_eq!(worth, totals.value);
        let print = written("outbound-instruction-pdf", &order);
        prop_assert_eq!(written("outbound-instruction-pdf", &order).sha256, print.sha256);
        for (id, first) in [("packing-list", list), ("commercial-invoice", invoice), ("huatuo-booking-gb", booking)] {
            prop_assert_eq!(written(id, &order).sha256, first.sha256, "{} differs when written again", id);
        }
    }
}

#[test]
fn r29_a_revision_is_marked_and_lists_what_changed_and_what_is_short() {
    let before = usual();
    let mut order = order(&[
        (0, 48, 6, 12, 215),
        (1, 8, 3, 3, 1275),
        (2, 60, 2, 20, 189),
        (3, 0, 0, 40, 96),
    ]);
    order.revision = 2;
    let mut context = context();
    context.previous = Some(before);
    context
        .domestic_stock
        .insert(order.lines[0].goods.sku.clone(), 250);
    let paper = mapping("outbound-instruction")
        .write(&order, &context)
        .expect("written");
    assert_eq!(paper.file_name, "LS-20261122-001-outbound-r2.xlsx");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(&paper.file_name);
    std::fs::write(&file, &paper.bytes).expect("written");
    let Some(cells) = judge::openpyxl(&file, false) else {
        return;
    };
    let all: Vec<&str> = cells.values().map(String::as_str).collect();
    for text in ["252", "300", "50", "rev 2", "units", "cartons"] {
        assert!(
            all.iter().any(|value| value.contains(text)),
            "no `{text}` in {all:#?}"
        );
    }
    // The same page as PDF, read by a program we did not write.
    let print = mapping("outbound-instruction-pdf")
        .write(&order, &context)
        .expect("written");
    assert_eq!(print.file_name, "LS-20261122-001-outbound-r2.pdf");
    let said = pdf_text(&print);
    for text in [
        "rev 2",
        "与上一版相比的变更",
        "Shortage of domestic stock",
        "85123A",
        "300",
        "250",
        "二、装箱 Pack",
        "LS-20261122-001-R2-carton-marks.pdf",
        "60.5×40×35.5",
    ] {
        assert!(said.contains(text), "no `{text}` in {said}");
    }
}

/// What pdftotext reads; a copy stays where `LINKSTAR_KEEP` says.
fn pdf_text(paper: &Written) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(&paper.file_name);
    std::fs::write(&file, &paper.bytes).expect("written");
    if let Some(keep) = std::env::var_os("LINKSTAR_KEEP") {
        std::fs::copy(&file, std::path::Path::new(&keep).join(&paper.file_name)).expect("kept");
    }
    if !tools::has("pdftotext", "poppler-utils") {
        return String::new();
    }
    let (_, said, _) = tools::run("pdftotext", &["-layout", file.to_str().expect("UTF-8"), "-"]);
    said
}

/// An order of so many lines, a carton each.
fn long(lines: usize) -> StockingOrder {
    let wishes: Vec<Wish> = (0..lines).map(|line| (line % 4, 12, 1, 0, 500)).collect();
    order(&wishes)
}

#[test]
fn r29_a_long_instruction_has_its_titles_on_every_page_and_loses_no_line() {
    for lines in [1, 5, 60] {
        let mut order = long(lines);
        order.number = linkstar::ids::OrderNo::new(format!("LS-20261122-{lines:03}")).expect("a number");
        let print = written("outbound-instruction-pdf", &order);
        let said = pdf_text(&print);
        if said.is_empty() {
            return;
        }
        let pages = said.matches('\u{c}').count();
        for line in &order.lines {
            assert!(
                said.contains(line.goods.warehouse_sku.as_str()),
                "{lines}: line {} in {said}",
                line.no
            );
        }
        let close = said.replace(' ', "");
        assert!(close.contains(&format!("rev11/{pages}")), "{said}");
        for page in said.split('\u{c}') {
            for (row, title) in [("X0000", "Label (FNSKU)"), ("60.5×40", "Pcs per carton")] {
                assert!(
                    !page.contains(row) || page.contains(title),
                    "{lines} lines: no {title} over\n{page}"
                );
            }
        }
    }
}

#[test]
fn r34_what_both_sign_stands_on_no_page_with_the_titles_of_a_table() {
    use calamine::Reader as _;
    for (lines, sheets) in [(1, 1), (14, 1), (15, 2), (60, 2)] {
        let mut order = long(lines);
        order.export.contract_no = "HT-1".to_owned();
        let paper = written("sales-contract", &order);
        if let Some(keep) = std::env::var_os("LINKSTAR_KEEP") {
            let name = format!("contract-{lines}.xlsx");
            std::fs::write(std::path::Path::new(&keep).join(name), &paper.bytes).expect("kept");
        }
        let mut book = calamine::Xlsx::new(std::io::Cursor::new(paper.bytes.clone())).expect("a workbook");
        let names = book.sheet_names();
        assert_eq!(names.len(), sheets, "{lines} lines: {names:?}");
        let last = book
            .worksheet_range(names.last().expect("a sheet"))
            .expect("cells");
        let signed = last
            .rows()
            .any(|row| row.iter().any(|cell| cell.to_string().contains("卖方签章")));
        assert!(signed, "{lines} lines");
        let titled = last
            .rows()
            .any(|row| row.iter().any(|cell| cell.to_string().contains("HS code (CN)")));
        assert_eq!(titled, sheets == 1, "{lines} lines");
        let problems = linkstar::mapping::xlsx::compare(
            "contract.xlsx",
            &paper.bytes,
            mapping("sales-contract"),
            &order,
            &context(),
        );
        assert!(problems.is_empty(), "{problems:#?}");
    }
}

#[test]
fn an_order_that_contradicts_itself_has_no_papers() {
    let mut order = usual();
    order.cartons[0].contents[0].units -= 1;
    order.cartons[3].no = 9;
    let problems = mapping("packing-list")
        .write(&order, &context())
        .expect_err("refused");
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        text.iter()
            .any(|text| text.contains("units in cartons") && text.contains("251")),
        "{text:#?}"
    );
    assert!(
        text.iter().any(|text| text.contains("without holes")),
        "{text:#?}"
    );
}
