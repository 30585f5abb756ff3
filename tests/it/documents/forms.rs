//! Real forms of the trade, filled with the orders that ship with the mappings: nothing lost, everything found again.

use std::collections::BTreeMap;
use std::path::Path;

use linkstar::mapping::definition::{Mapping, builtin_file, sample_order};
use linkstar::mapping::model::DocumentContext;
use linkstar::mapping::xlsx::draft::{Purpose, draft};
use linkstar::order::StockingOrder;

use super::judge::{self, parts};
use super::papers_agree::mapping;
use super::templates::file;

fn sample(name: &str) -> (StockingOrder, DocumentContext) {
    let order = sample_order(&format!("samples/{name}.json"), &|_| None).expect("a sample");
    let mut context = DocumentContext::new(order.created_on, order.number.as_str());
    context.inbound_no = "FBA18K2M4NQ7".to_owned();
    (order, context)
}

fn fixture(name: &str) -> Option<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents");
    std::fs::read(folder.join(name)).ok()
}

/// Parts of the form that differ in the paper, besides sheets and the workbook part itself.
fn strange(form: &[u8], paper: &[u8]) -> Vec<String> {
    let (form, paper) = (parts(form), parts(paper));
    let mut strange: Vec<String> = form
        .iter()
        .filter(|(name, content)| paper.get(*name) != Some(content))
        .map(|(name, _)| name.clone())
        .chain(paper.keys().filter(|name| !form.contains_key(*name)).cloned())
        .collect();
    strange.retain(|name| name != "xl/workbook.xml" && !name.starts_with("xl/worksheets/sheet"));
    strange
}

/// The paper as LibreOffice calculates it, read by openpyxl.
fn recalculated(bytes: &[u8], folder: &Path) -> Option<BTreeMap<String, String>> {
    let saved = judge::libreoffice(&file(folder, bytes), folder)?;
    judge::openpyxl(&saved, true)
}

fn number(cells: &BTreeMap<String, String>, at: &str) -> f64 {
    let text = cells.get(at).map_or("", String::as_str);
    text.parse().expect(at)
}

#[test]
fn r36_every_real_form_is_filled_with_short_and_long_orders_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    for (form, template) in [
        ("huatuo-booking-gb", "wimoor-ship-customs-v1"),
        ("booking-invoice-v3", "wimoor-ship-customs-v3"),
        ("carton-configuration", "wimoor-CartonConfigurationTemplate"),
        ("customs-four-in-one", "wimoor-customsTemplate"),
        ("amazon-pack-list", "wimoor-shipmentid"),
        ("tax-invoice", "wimoor-Invoice"),
        ("us-sea-invoice", "us-sea-invoice"),
        ("br-sea-invoice", "br-sea-invoice"),
        ("fr-sea-invoice", "fr-sea-invoice"),
    ] {
        let template = builtin_file(&format!("templates/{template}.xlsx")).expect("the form");
        let form = mapping(form);
        for name in ["usual", "long"] {
            let (mut order, context) = sample(name);
            if ["huatuo-booking-gb", "fr-sea-invoice"].contains(&form.meta.id.as_str()) {
                order.importer.vat = "GB123456789".to_owned();
                order.importer.eori = "GB123456789000".to_owned();
            }
            order.importer.local_id = "12.345.678/0001-95".to_owned();
            if form.meta.id == "tax-invoice" {
                order.currency = linkstar::money::Currency::new("NZD").unwrap();
            }
            let paper = form.write(&order, &context);
            let paper = paper.unwrap_or_else(|problems| panic!("{}: {problems:#?}", form.meta.id));
            assert_eq!(
                strange(&template, &paper.bytes),
                [""; 0],
                "{} {name}",
                form.meta.id
            );
            assert_eq!(
                paper,
                form.write(&order, &context).unwrap(),
                "the same bytes again"
            );
            let cells = judge::openpyxl(&file(folder.path(), &paper.bytes), false);
            let goods = &order.lines[0].goods;
            let names = [goods.customs_name_en.as_str(), goods.customs_name_zh.as_str()];
            assert!(
                cells.is_none_or(|cells| cells.values().any(|text| names.contains(&text.as_str()))),
                "{} {name}: {names:?}",
                form.meta.id
            );
        }
    }
}

#[test]
fn r34_the_four_export_papers_follow_from_the_declaration_by_the_forms_own_formulas() {
    let folder = tempfile::tempdir().unwrap();
    let (order, context) = sample("long");
    let paper = mapping("customs-four-in-one").write(&order, &context).unwrap();
    let Some(cells) = recalculated(&paper.bytes, folder.path()) else {
        return;
    };
    let total = order.totals();
    let value: f64 = total.value.to_string().parse().unwrap();
    assert!((number(&cells, "发票!H60") - value).abs() < 0.005);
    assert!((number(&cells, "合同!H70") - value).abs() < 0.005);
    let units: f64 = total.units.to_string().parse().unwrap();
    assert!((number(&cells, "箱单!D61") - units).abs() < 1e-9);
    assert!((number(&cells, "箱单!C61") - 73.0).abs() < 1e-9);
    assert_eq!(cells["发票!C31"], order.lines[23].goods.customs_name_zh);
    assert_eq!(cells["合同!B41"], order.lines[23].goods.customs_name_zh);
    assert_eq!(cells["发票!G3"], "2026-11-22");
    let mut many = order.clone();
    for no in 25..=51 {
        let mut line = many.lines[0].clone();
        line.no = no;
        many.lines.push(line);
        many.cartons[0]
            .contents
            .push(linkstar::order::model::CartonContent {
                line: no,
                units: order.lines[0].units,
            });
    }
    let problems = mapping("customs-four-in-one").write(&many, &context).unwrap_err();
    assert!(
        problems
            .iter()
            .any(|problem| problem.found == "51" && problem.wanted.contains("at most 50")),
        "{problems:#?}"
    );
}

#[test]
fn rows_inserted_above_measures_keep_sums_formats_and_boxes_of_real_forms() {
    let folder = tempfile::tempdir().unwrap();
    let (order, context) = sample("long");
    let paper = mapping("carton-configuration").write(&order, &context).unwrap();
    if let Some(cells) = recalculated(&paper.bytes, folder.path()) {
        for (place, line) in order.lines.iter().enumerate() {
            let boxed = number(&cells, &format!("Sheet1!J{}", place + 6));
            let planned: f64 = line.units.to_string().parse().unwrap();
            assert!((boxed - planned).abs() < 1e-9, "line {}", line.no);
        }
    }
    // A folder of its own for each paper: LibreOffice's answer to the one before must not be taken for this one's.
    let folder = tempfile::tempdir().unwrap();
    let mut local = order.clone();
    local.currency = linkstar::money::Currency::new("NZD").unwrap();
    let paper = mapping("tax-invoice").write(&local, &context).unwrap();
    if let Some(cells) = recalculated(&paper.bytes, folder.path()) {
        let value: f64 = order.totals().value.to_string().parse().unwrap();
        assert_eq!(cells["Sheet1!A38"], "TOTAL", "20 rows further down");
        assert!(
            (number(&cells, "Sheet1!J39") - value).abs() < 0.005,
            "=H18 has become =H38"
        );
    }
    let paper = mapping("amazon-pack-list").write(&order, &context).unwrap();
    if let Some(cells) = judge::openpyxl(&file(folder.path(), &paper.bytes), false) {
        assert_eq!(cells["Pack List!C31"], "Weight of box (kg)");
        assert_eq!(cells["Pack List!CF30"], "Box 73");
        assert_eq!(cells["Pack List!A31"], "Ship To:US");
    }
}

#[test]
fn r36_the_forms_own_formulas_value_kinds_of_cartons() {
    let folder = tempfile::tempdir().unwrap();
    let (mut order, context) = sample("long");
    order.importer.local_id = "12.345.678/0001-95".to_owned();
    let paper = mapping("br-sea-invoice").write(&order, &context).unwrap();
    let Some(cells) = recalculated(&paper.bytes, folder.path()) else {
        return;
    };
    let rows = cells
        .iter()
        .filter(|(at, _)| at.starts_with("出货信息表!L") && *at != "出货信息表!L19");
    let value: f64 = rows.filter_map(|(_, text)| text.parse::<f64>().ok()).sum();
    let wanted: f64 = order.totals().value.to_string().parse().unwrap();
    assert!((value - wanted).abs() < 0.005, "{value}, wanted {wanted}");
}

/// Two pixels by one.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 2, 0, 0,
    0, 1, 8, 2, 0, 0, 0, 0x7b, 0x40, 0xe8, 0xdd, 0, 0, 0, 0x0f, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63,
    0xf8, 0xcf, 0xc0, 0xc0, 0xf0, 0x9f, 0x01, 0, 0x07, 0xfe, 0x01, 0xff, 0x6f, 0x9c, 0xd1, 0x83, 0, 0, 0, 0,
    b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

#[test]
fn pictures_stand_in_their_cells_on_the_drawing_or_as_wps_keeps_them() {
    let (mut order, mut context) = sample("usual");
    order.lines[0].goods.customs.picture = "photo".to_owned();
    let text = include_str!("../../../mappings/booking-invoice-v3.toml");
    let strict = text.replace("picture = \"drawing\"", "picture = \"drawing\", required = true");
    let strict = Mapping::parse("strict.toml", &strict, &builtin_file).unwrap();
    order.lines[1].goods.customs.picture = "other".to_owned();
    order.lines[2].goods.customs.picture = "photo".to_owned();
    order.lines[3].goods.customs.picture = "photo".to_owned();
    let problems = strict.write(&order, &context).unwrap_err();
    let named: Vec<&str> = problems.iter().map(|problem| problem.found.as_str()).collect();
    assert_eq!(named, ["photo", "other"], "each once: {problems:#?}");
    assert_eq!(problems[0].wanted, "a picture that is there");
    for line in &mut order.lines[1..] {
        line.goods.customs.picture.clear();
    }
    let form = mapping("booking-invoice-v3");
    let bare = form.write(&order, &context).unwrap();
    assert!(
        !parts(&bare.bytes).contains_key("xl/drawings/drawing1.xml"),
        "nothing to show, and not asked for"
    );
    context.pictures.insert("photo".to_owned(), PNG.to_vec());
    let paper = form.write(&order, &context).unwrap();
    let found = parts(&paper.bytes);
    let media: Vec<&String> = found
        .keys()
        .filter(|name| name.starts_with("xl/media/"))
        .collect();
    assert_eq!(media.len(), 1, "one picture for six cells");
    let drawing = String::from_utf8(found["xl/drawings/drawing1.xml"].clone()).unwrap();
    assert_eq!(drawing.matches("<xdr:pic>").count(), 6);
    // The comments of the form are still there, and LibreOffice shows both.
    let folder = tempfile::tempdir().unwrap();
    if let Some(saved) = judge::libreoffice(&file(folder.path(), &paper.bytes), folder.path()) {
        let shown = parts(&std::fs::read(saved).unwrap());
        assert!(
            shown.keys().any(|name| name.starts_with("xl/media/")),
            "{:?}",
            shown.keys()
        );
        assert!(
            shown.keys().any(|name| name.contains("comments")),
            "{:?}",
            shown.keys()
        );
    }
    let text = text.replace("picture = \"drawing\"", "picture = \"wps\"");
    let form = Mapping::parse("wps.toml", &text, &builtin_file).unwrap();
    let paper = form.write(&order, &context).unwrap();
    let found = parts(&paper.bytes);
    let images = String::from_utf8(found["xl/cellimages.xml"].clone()).unwrap();
    assert_eq!(images.matches("<etc:cellImage ").count(), 1);
    let sheet = String::from_utf8(found["xl/worksheets/sheet1.xml"].clone()).unwrap();
    assert_eq!(sheet.matches("_xlfn.DISPIMG(").count(), 6);
    assert!(judge::openpyxl(&file(folder.path(), &paper.bytes), false).is_none_or(|cells| cells.len() > 100));
}

#[test]
fn a_form_nobody_has_seen_is_drafted_checked_and_filled() {
    let purpose = Purpose {
        id: "draft",
        document: "booking",
        party: None,
        country: None,
    };
    for name in ["wimoor-ship-customs-v1.xlsx", "wimoor-ship-customs-v3.xlsx"] {
        let form = builtin_file(&format!("templates/{name}")).unwrap();
        let text = draft(name, &form, &purpose).unwrap();
        // The services and currencies of the form's own lists are for a person to choose.
        let lists = ["{order.service}", "{order.currency}"];
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| !lists.iter().any(|list| line.contains(list)))
            .collect();
        let mapping = Mapping::parse("draft.toml", &kept.join("\n"), &|_| Some(form.clone()));
        let mapping = mapping.unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
        let (order, context) = sample("usual");
        let paper = mapping
            .write(&order, &context)
            .unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
        assert_eq!(strange(&form, &paper.bytes), [""; 0]);
    }
    let problem = draft(
        "rates.xlsx",
        &fixture("wimoor-transdetail.xlsx").unwrap(),
        &purpose,
    );
    assert!(problem.is_err() || problem.is_ok_and(|text| text.contains("[mapping]")));
    let problem = draft("x.xls", b"<html><table></table></html>", &purpose).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "x.xls: found `an HTML or XML page`, wanted a workbook (.xlsx) that can be read"
    );
}
