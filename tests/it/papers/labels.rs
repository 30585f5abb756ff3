//! Carton marks: rendered at the label printer's resolution and read by other people's barcode readers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::NaiveDate;
use linkstar::mapping::label::font::Fonts;
use linkstar::mapping::label::{LabelMapping, pdf};
use linkstar::mapping::model::{DocumentContext, document_model};
use linkstar::mapping::value::Scope;
use linkstar::order::model::StockingOrder;
use linkstar::problem::Problem;
use serde_json::Value;

use super::orders::Dice;
use super::{Loaded, load, orders, tools};

fn mapping() -> Loaded<LabelMapping> {
    load(include_str!("../../../mappings/carton-mark.toml"), "carton-mark")
}

fn model(order: &StockingOrder, inbound_no: &str) -> Value {
    let issued = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a date");
    let mut context = DocumentContext::new(issued, order.number.as_str());
    context.inbound_no = inbound_no.to_owned();
    document_model(order, &context)
}

fn write(
    loaded: &Loaded<LabelMapping>,
    order: &StockingOrder,
    inbound_no: &str,
) -> Result<Vec<u8>, Vec<Problem>> {
    let model = model(order, inbound_no);
    let scope = Scope::new(&model, &loaded.maps);
    let bytes = loaded
        .section
        .write("marks", &scope, Fonts::built_in().expect("fonts"))?;
    assert_eq!(loaded.section.check("marks", &bytes, &scope), []);
    Ok(bytes)
}

/// One order with the given number of cartons of one SKU each.
fn order_of(cartons: usize) -> StockingOrder {
    let mut order = orders::order(1);
    let first = order.cartons.first().expect("a carton").clone();
    order.cartons = (1..=cartons)
        .map(|no| {
            let mut carton = first.clone();
            carton.no = u32::try_from(no).expect("small");
            carton.mark = format!("{}U{no:06}", order.number);
            carton
        })
        .collect();
    order
}

/// The lower part of every page, where the bars are.
fn pages(pdf: &[u8], folder: &Path) -> Vec<PathBuf> {
    tools::label_pages(pdf, folder, &["-y", "775", "-H", "425"])
}

/// What a reader says to all pages, sorted.
fn read_codes(
    program: &str,
    options: &[&str],
    pages: &[PathBuf],
    line: fn(&str) -> Option<&str>,
) -> Vec<String> {
    let mut codes = Vec::new();
    for some in pages.chunks(50) {
        let mut arguments: Vec<&str> = options.to_vec();
        arguments.extend(some.iter().map(|page| page.to_str().expect("UTF-8")));
        let (_, said, _) = tools::run(program, &arguments);
        codes.extend(said.lines().filter_map(line).map(str::to_owned));
    }
    codes.sort();
    codes
}

#[test]
fn the_built_in_carton_mark_has_no_faults() {
    let loaded = mapping();
    assert_eq!(loaded.section.faults("carton-mark", &loaded.maps), []);
}

#[test]
fn r31_two_independent_readers_decode_200_random_codes_at_203_dpi() {
    let needed = [
        ("pdftoppm", "poppler-utils"),
        ("zbarimg", "zbar-tools"),
        ("ZXingReader", "zxing-cpp-tools"),
    ];
    if !needed
        .iter()
        .all(|(program, package)| tools::has(program, package))
    {
        return;
    }
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/%.+_";
    let dice = &mut Dice::new(31);
    let mut order = order_of(200);
    let random = |dice: &mut Dice, most: i64| -> String {
        let length = dice.between(6, most);
        (0..length).map(|_| char::from(*dice.one_of(ALPHABET))).collect()
    };
    for carton in &mut order.cartons {
        carton.mark = format!("{}{:03}", random(dice, 24), carton.no);
    }
    order.lines.first_mut().expect("a line").goods.warehouse_sku = "SKU/24%LONG-CODE-1234567".to_owned();
    let mut wanted: Vec<String> = order.cartons.iter().map(|carton| carton.mark.clone()).collect();
    wanted.extend(std::iter::repeat_n("SKU/24%LONG-CODE-1234567".to_owned(), 200));
    wanted.sort();

    let folder = tempfile::tempdir().expect("a folder");
    let pages = pages(&write(&mapping(), &order, "").expect("labels"), folder.path());
    assert_eq!(pages.len(), 200);
    let zbar = read_codes(
        "zbarimg",
        &["-q", "--raw", "-Sdisable", "-Scode128.enable"],
        &pages,
        |line| Some(line),
    );
    assert_eq!(zbar, wanted, "zbar");
    // `-noscale`: zxing-cpp 1.4 aborts when it finds one code again in a smaller copy of the page.
    let zxing = read_codes(
        "ZXingReader",
        &["-1", "-noscale", "-format", "Code128"],
        &pages,
        |line| {
            line.split_once("Code128 \"")
                .and_then(|(_, rest)| rest.strip_suffix('"'))
        },
    );
    assert_eq!(zxing, wanted, "zxing-cpp");
}

#[test]
fn r31_the_text_of_a_mark_can_be_found_in_the_file() {
    if !tools::has("pdftotext", "poppler-utils") {
        return;
    }
    let mut order = order_of(2);
    let goods = &mut order.lines.first_mut().expect("a line").goods;
    goods.name_zh = "白色心形挂饰烛台".to_owned();
    goods.customs.batch = "2611A".to_owned();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("marks.pdf");
    std::fs::write(&file, write(&mapping(), &order, "GC26030100012").expect("labels")).expect("written");
    let (_, said, _) = tools::run("pdftotext", &["-layout", file.to_str().expect("UTF-8"), "-"]);
    for text in [
        "白色心形挂饰烛台",
        "UKMA",
        "目的仓 DESTINATION",
        "GC26030100012",
        "MADE IN CHINA",
        "批号 LOT 2611A",
        "/2",
        order.number.as_str(),
    ] {
        assert!(
            said.replace("/ 2", "/2").contains(text),
            "`{text}` is not in:\n{said}"
        );
    }
}

#[test]
fn r31_a_missing_inbound_number_is_refused_unless_the_mapping_allows_it() {
    let order = order_of(2);
    assert!(write(&mapping(), &order, "").is_ok());
    let mut strict = mapping();
    strict.section.allow_missing_inbound = false;
    assert!(write(&strict, &order, "GC26030100012").is_ok());
    let problems = write(&strict, &order, "").expect_err("refused");
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    marks, carton 1, `{document.inbound_no}`: found ``, wanted a value for the mark's `inbound_no`
    marks, carton 2, `{document.inbound_no}`: found ``, wanted a value for the mark's `inbound_no`
    ");
}

#[test]
fn r31_long_skus_are_kept_whole_and_hostile_text_is_named() {
    let mut order = order_of(1);
    let goods = &mut order.lines.first_mut().expect("a line").goods;
    goods.sku = linkstar::ids::Sku::new("LONG-SKU/WITH%SIGNS-2026-SPRING-COLLECTION-WHITE").expect("a SKU");
    assert!(write(&mapping(), &order, "").is_ok());
    let goods = &mut order.lines.first_mut().expect("a line").goods;
    goods.name_zh = "心形📦".to_owned();
    goods.warehouse_sku = "箱号一".to_owned();
    let fields = |order: &StockingOrder| -> Vec<String> {
        let problems = write(&mapping(), order, "").expect_err("refused");
        problems.into_iter().map(|problem| problem.field).collect()
    };
    assert_eq!(fields(&order), ["sku_code", "contents.name_zh"]);
}

#[test]
fn two_cartons_with_one_mark_and_an_unknown_origin_are_refused() {
    let mut order = order_of(2);
    order.cartons[1].mark = order.cartons[0].mark.clone();
    order.lines[0].goods.origin = "ZZ".to_owned();
    let problems = write(&mapping(), &order, "").expect_err("refused");
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("twins", shown.join("\n"));
}

/// The cost of a page must not grow with their number: 500 pages may take at most 500 times one page, alone, measured
/// in the same run.
#[test]
fn r31_500_cartons_in_one_file_cost_no_more_than_500_files() {
    let loaded = mapping();
    let timed = |cartons: usize| -> (Vec<u8>, Duration) {
        let order = order_of(cartons);
        let watch = linkstar_stopwatch();
        let bytes = write(&loaded, &order, "").expect("labels");
        (bytes, watch())
    };
    let (_, warm) = timed(1);
    let (_, one) = timed(1);
    let (bytes, many) = timed(500);
    assert_eq!(pdf::page_count(&bytes), Some(500));
    let ratio = many.as_secs_f64() / one.as_secs_f64();
    println!(
        "labels: first {warm:?}, one page {one:?}, 500 pages {many:?}: {ratio:.0} times one, {} bytes",
        bytes.len()
    );
    assert!(ratio <= 500.0, "{ratio}");
}

/// Process CPU would be better than a wall clock on a busy machine; a ratio of two walls is what std offers.
#[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
fn linkstar_stopwatch() -> impl FnOnce() -> Duration {
    let start = std::time::Instant::now();
    move || start.elapsed()
}
