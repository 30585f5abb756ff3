//! Labels that mapping files lay out: rendered at the label printer's resolution and read by other people's readers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use linkstar::mapping::definition::{Mapping, builtin};
use linkstar::mapping::label::design::DesignMapping;
use linkstar::mapping::label::font::Fonts;
use linkstar::mapping::label::zpl;
use linkstar::mapping::model::DocumentContext;
use linkstar::mapping::value::{Maps, Scope};
use linkstar::order::Pallet;
use linkstar::quantity::Dims;
use serde_json::json;

use super::orders::{self, Dice};
use super::tools;

/// Three kinds of code, as they stand on units, cartons and pallets.
const STRIP: &str = r#"
each = ["row in rows"]
title = "codes"
size = [100.0, 26.0]
elements = [{ field = "code", KIND = "{row}", at = [1.0, 3.0], width = 98.0, height = 20.0 }]
"#;

fn check_digit(before: &str) -> u32 {
    let digits: Vec<u32> = before.chars().filter_map(|c| c.to_digit(10)).collect();
    linkstar::identity::gtin_check_digit(&digits)
}

fn write_strips(kind: &str, rows: &[String]) -> Vec<u8> {
    let mapping: DesignMapping = toml::from_str(&STRIP.replace("KIND", kind)).expect("a design");
    let (model, maps) = (json!({ "rows": rows }), Maps::default());
    let fonts = Fonts::built_in().expect("fonts");
    mapping
        .write("strips", &Scope::new(&model, &maps), fonts)
        .expect("labels")
}

fn readers_are_here() -> bool {
    [
        ("pdftoppm", "poppler-utils"),
        ("zbarimg", "zbar-tools"),
        ("ZXingReader", "zxing-cpp-tools"),
    ]
    .iter()
    .all(|(program, package)| tools::has(program, package))
}

fn zbar(pages: &[PathBuf]) -> Vec<String> {
    let mut codes = Vec::new();
    for some in pages.chunks(50) {
        let mut arguments = vec!["-q", "--raw", "-Sdisable", "-Scode128.enable"];
        arguments.extend(some.iter().map(|page| page.to_str().expect("UTF-8")));
        let (_, said, _) = tools::run("zbarimg", &arguments);
        codes.extend(said.lines().map(str::to_owned));
    }
    codes
}

/// What zxing-cpp reads: the symbology's identifier (`]C1` is GS1, `]C0` is not) and the bytes, separators among them.
fn zxing(pages: &[PathBuf]) -> Vec<String> {
    let mut codes = Vec::new();
    for some in pages.chunks(50) {
        let mut arguments = vec!["-noscale", "-format", "Code128"];
        arguments.extend(some.iter().map(|page| page.to_str().expect("UTF-8")));
        let (_, said, _) = tools::run("ZXingReader", &arguments);
        codes.extend(
            said.lines()
                .filter_map(|line| line.strip_prefix("BytesECI:"))
                .map(|hex| {
                    hex.split_whitespace()
                        .map(|byte| char::from(u8::from_str_radix(byte, 16).expect("hexadecimal")))
                        .collect()
                }),
        );
    }
    codes
}

/// As the bars have to say it: an identifier in brackets begins an element, and one of open length ends with a separator.
fn with_identifiers(row: &str) -> String {
    let said = match row.split_once("(37)") {
        Some((before, count)) => format!("{before}\u{1d}37{count}"),
        None => row.to_owned(),
    };
    format!("]C1{}", said.replace(['(', ')'], ""))
}

#[test]
fn r31_a_thousand_random_codes_are_read_by_two_readers_at_203_dpi_with_their_identifiers() {
    if !readers_are_here() {
        return;
    }
    let dice = &mut Dice::new(1_000);
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/.";
    let mut some = |letters: &[u8], length: i64| -> String {
        (0..length).map(|_| char::from(*dice.one_of(letters))).collect()
    };
    let plain: Vec<String> = (0..400)
        .map(|no| format!("{}{no:03}", some(ALPHABET, 4 + no % 20)))
        .collect();
    let plates: Vec<String> = (0..300)
        .map(|_| some(b"0123456789", 17))
        .map(|body| format!("(00){body}{}", check_digit(&body)))
        .collect();
    let cartons: Vec<String> = (0..300)
        .map(|no| {
            let (body, lot) = (some(b"0123456789", 13), some(ALPHABET, 1 + no % 6));
            format!("(01){body}{}(10){lot}(37){}", check_digit(&body), 1 + no * 7)
        })
        .collect();
    for (kind, rows) in [("code128", &plain), ("gs1", &plates), ("gs1", &cartons)] {
        let folder = tempfile::tempdir().expect("a folder");
        let pages = tools::label_pages(&write_strips(kind, rows), folder.path(), &[]);
        assert_eq!(pages.len(), rows.len());
        let wanted: Vec<String> = rows
            .iter()
            .map(|row| match kind {
                "gs1" => with_identifiers(row),
                _ => format!("]C0{row}"),
            })
            .collect();
        // zbar keeps the separators and does not say the identifier.
        let bare: Vec<&str> = wanted.iter().map(|code| &code[3..]).collect();
        assert!(zbar(&pages) == bare, "zbar, {kind}");
        assert!(zxing(&pages) == wanted, "zxing-cpp, {kind}");
    }
}

fn mapping(id: &str) -> Mapping {
    let all = builtin().expect("built-in mappings");
    all.into_iter()
        .find(|mapping| mapping.meta.id == id)
        .expect("a built-in mapping")
}

fn order() -> linkstar::order::StockingOrder {
    let mut order = orders::order(31);
    for (carton, no) in order.cartons.iter_mut().zip(0_u32..) {
        let body = format!("3690000{no:010}");
        carton.sscc = format!("{body}{}", check_digit(&body));
    }
    let half = order.cartons.len() / 2;
    let (first, second): (Vec<u32>, Vec<u32>) = order
        .cartons
        .iter()
        .map(|carton| carton.no)
        .partition(|no| usize::try_from(*no).is_ok_and(|no| no <= half));
    order.pallets = [first, second]
        .into_iter()
        .zip(1_u32..)
        .map(|(cartons, no)| {
            let body = format!("1690000{no:010}");
            Pallet {
                no,
                sscc: format!("{body}{}", check_digit(&body)),
                gross_g: 412_500,
                dims: Dims {
                    length_mm: 1_200,
                    width_mm: 1_000,
                    height_mm: 1_650,
                },
                cartons,
            }
        })
        .collect();
    order
}

fn context(order: &linkstar::order::StockingOrder) -> DocumentContext {
    DocumentContext::new(order.created_on, order.number.as_str())
}

#[test]
fn r31_unit_labels_carton_codes_and_pallet_plates_are_read_back_by_another_program() {
    if !readers_are_here() {
        return;
    }
    let order = order();
    let units: BTreeMap<String, i64> = order
        .lines
        .iter()
        .map(|line| (format!("]C0{}", line.goods.warehouse_sku), line.units))
        .collect();
    let read = |id: &str| -> Vec<String> {
        let written = mapping(id).write(&order, &context(&order)).expect("labels");
        assert!(written.file_name.ends_with(".pdf"));
        let again = mapping(id).write(&order, &context(&order)).expect("labels");
        assert_eq!(written.sha256, again.sha256, "the same bytes again");
        let folder = tempfile::tempdir().expect("a folder");
        zxing(&tools::label_pages(&written.bytes, folder.path(), &[]))
    };
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    for code in read("unit-label") {
        *counted.entry(code).or_default() += 1;
    }
    assert_eq!(counted, units, "as many labels as units");
    let plates: Vec<String> = order
        .pallets
        .iter()
        .map(|pallet| format!("]C100{}", pallet.sscc))
        .collect();
    assert_eq!(read("pallet-label"), plates);
    let cartons: Vec<String> = order
        .cartons
        .iter()
        .map(|carton| format!("]C100{}", carton.sscc))
        .collect();
    assert_eq!(read("carton-sscc"), cartons);
}

#[test]
fn r31_24_unit_labels_stand_on_a_sheet_and_each_is_read() {
    if !readers_are_here() {
        return;
    }
    let order = order();
    let written = mapping("unit-label-a4")
        .write(&order, &context(&order))
        .expect("labels");
    let folder = tempfile::tempdir().expect("a folder");
    let pages = tools::label_pages(&written.bytes, folder.path(), &[]);
    let labels: i64 = order.lines.iter().map(|line| line.units).sum();
    assert_eq!(
        pages.len(),
        usize::try_from(labels).expect("positive").div_ceil(24)
    );
    // One reader over a whole sheet says every code on it, in no order.
    let mut wanted: Vec<String> = Vec::new();
    for line in &order.lines {
        wanted.extend((0..line.units).map(|_| line.goods.warehouse_sku.clone()));
    }
    let first: Vec<PathBuf> = pages.into_iter().take(1).collect();
    let mut found: Vec<String> = zbar(&first);
    found.sort();
    let mut sheet: Vec<String> = wanted.into_iter().take(24).collect();
    sheet.sort();
    sheet.dedup();
    found.dedup();
    assert_eq!(found, sheet);
}

/// A printer's bitmap as a picture that readers take.
fn pictures(zpl_file: &[u8], folder: &std::path::Path) -> Vec<PathBuf> {
    let text = str::from_utf8(zpl_file).expect("ASCII");
    zpl::read(text)
        .zip(1_u32..)
        .map(|(dots, no)| {
            let dots = dots.expect("a label");
            let file = folder.join(format!("label-{no:04}.pbm"));
            let mut bytes = format!("P4\n{} {}\n", dots.width, dots.height).into_bytes();
            bytes.extend(dots.bytes);
            std::fs::write(&file, bytes).expect("written");
            file
        })
        .collect()
}

#[test]
fn r31_the_dots_a_label_printer_gets_are_read_by_another_program() {
    if !tools::has("zbarimg", "zbar-tools") {
        return;
    }
    let order = order();
    let written = mapping("carton-mark-zpl")
        .write(&order, &context(&order))
        .expect("labels");
    assert!(written.file_name.ends_with(".zpl"));
    let folder = tempfile::tempdir().expect("a folder");
    let mut found = zbar(&pictures(&written.bytes, folder.path()));
    found.retain(|code| code.starts_with(order.number.as_str()));
    let marks: Vec<String> = order.cartons.iter().map(|carton| carton.mark.clone()).collect();
    assert_eq!(found, marks);
}

#[test]
fn r31_labels_without_what_they_need_are_not_written_and_say_so() {
    let mut order = order();
    order.pallets[1].sscc.clear();
    order.cartons[0].sscc = "369000000000000001".to_owned();
    let mut said = Vec::new();
    for id in ["pallet-label", "carton-sscc"] {
        let problems = mapping(id).write(&order, &context(&order)).expect_err("refused");
        said.extend(problems.iter().map(ToString::to_string));
    }
    order.pallets.clear();
    let problems = mapping("pallet-label")
        .write(&order, &context(&order))
        .expect_err("refused");
    said.extend(problems.iter().map(ToString::to_string));
    insta::assert_snapshot!("labels_refused", said.join("\n"));
}
