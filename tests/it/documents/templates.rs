//! Forwarders' own workbooks: filled without loss, refused when they changed.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use linkstar::mapping::definition::{Mapping, builtin_file};
use linkstar::problem::Problem;

use super::goods::{context, order, usual};
use super::judge::{self, parts};
use super::papers_agree::{mapping, written};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/documents")
        .join(name)
}

fn asset(name: &str) -> Option<Vec<u8>> {
    let own = std::fs::read(fixture(name)).ok();
    own.or_else(|| builtin_file(&format!("templates/{name}")))
}

fn own(name: &str) -> Mapping {
    let file = format!("{name}.toml");
    let text = std::fs::read_to_string(fixture(&file)).expect("a fixture");
    Mapping::parse(&file, &text, &asset).expect("no problem with the mapping")
}

fn order_of_parts(bytes: &[u8]) -> Vec<String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    (0..zip.len())
        .map(|index| {
            zip.by_index(index)
                .expect("an entry")
                .name()
                .expect("a name")
                .into_owned()
        })
        .collect()
}

/// The workbook with one part changed by hand.
pub fn edited(bytes: &[u8], part: &str, edit: impl Fn(String) -> String) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts(bytes) {
        out.start_file(&name, zip::write::SimpleFileOptions::default())
            .expect("a part");
        let content = match name == part {
            true => {
                let text = edit(String::from_utf8(content.clone()).expect("UTF-8"));
                assert_ne!(text.as_bytes(), content, "the edit did not meet its text");
                text.into_bytes()
            }
            false => content,
        };
        out.write_all(&content).expect("written");
    }
    out.finish().expect("a zip").into_inner()
}

fn changed_parts(before: &[u8], after: &[u8]) -> Vec<String> {
    let (before, after) = (parts(before), parts(after));
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    before
        .iter()
        .filter(|(name, content)| after.get(*name) != Some(content))
        .map(|(name, _)| name.clone())
        .collect()
}

pub fn file(folder: &Path, bytes: &[u8]) -> PathBuf {
    let file = folder.join("filled.xlsx");
    std::fs::write(&file, bytes).expect("written");
    file
}

#[test]
fn r36_row_per_carton_the_real_booking_form_keeps_every_other_part() {
    let template = builtin_file("templates/wimoor-ship-customs-v1.xlsx").unwrap();
    let paper = written("huatuo-booking-gb", &usual());
    assert_eq!(
        changed_parts(&template, &paper.bytes),
        ["xl/worksheets/sheet1.xml"]
    );
    assert_eq!(order_of_parts(&template), order_of_parts(&paper.bytes));
    let sheet = |bytes: &[u8]| String::from_utf8(parts(bytes)["xl/worksheets/sheet1.xml"].clone()).unwrap();
    let (before, after) = (sheet(&template), sheet(&paper.bytes));
    let tail = |xml: &str| xml.split("</sheetData>").nth(1).unwrap().to_owned();
    assert_eq!(
        tail(&before),
        tail(&after),
        "merges, drop-down lists and print setup stay"
    );
    let row_28 = |xml: &str| {
        xml.split("<row r=\"28\"")
            .nth(1)
            .unwrap()
            .split("</row>")
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        row_28(&before),
        row_28(&after),
        "the header row stays byte for byte"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &paper.bytes);
    if let Some(cells) = judge::openpyxl(&file, false) {
        let cell = |at: &str| cells.get(&format!("模板!{at}")).map_or("", String::as_str);
        assert_eq!(
            (cell("B1"), cell("B27"), cell("B22")),
            ("英国海运双清DDP", "英镑", "DDP")
        );
        assert_eq!((cell("B24"), cell("B26")), ("GB123456789000", "11"));
        assert_eq!(
            (cell("A29"), cell("F29"), cell("O29")),
            ("LS-20261122-001U000001", "48", "15.826")
        );
        assert_eq!(
            (cell("A42"), cell("F42"), cell("O42")),
            ("LS-20261122-001U000011", "40", ""),
            "weight counted once"
        );
        assert_eq!(cell("A43"), "");
        assert!(
            !cells.values().any(|value| value.contains('{')),
            "an example of the forwarder was left over"
        );
    }
    assert!(judge::libreoffice(&file, folder.path()).is_none_or(|saved| saved.exists()));
}

#[test]
fn r36_row_per_carton_with_comments_and_drawings_keeps_every_other_part() {
    let template = asset("wimoor-ship-customs-v3.xlsx").unwrap();
    let paper = own("row-per-carton").write(&usual(), &context()).unwrap();
    assert_eq!(
        changed_parts(&template, &paper.bytes),
        ["xl/worksheets/sheet1.xml"]
    );
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &paper.bytes);
    if let Some(cells) = judge::openpyxl(&file, false) {
        assert_eq!(cells["Sheet1!T19"], "LS-20261122-001U000011");
        assert_eq!(cells["Sheet1!K19"], "40");
    }
    assert!(judge::libreoffice(&file, folder.path()).is_none_or(|saved| saved.exists()));
}

#[test]
fn r36_row_per_sku_formulas_are_recalculated() {
    let template = asset("row-per-sku.xlsx").unwrap();
    let paper = own("row-per-sku").write(&usual(), &context()).unwrap();
    assert_eq!(
        changed_parts(&template, &paper.bytes),
        ["xl/workbook.xml", "xl/worksheets/sheet1.xml"]
    );
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &paper.bytes);
    let Some(saved) = judge::libreoffice(&file, folder.path()) else {
        return;
    };
    let Some(cells) = judge::openpyxl(&saved, true) else {
        return;
    };
    assert_eq!(
        cells["货物 明细!D2"], "1189.05",
        "the workbook's own sum is the order's value"
    );
    assert_eq!(
        (cells["货物 明细!D3"].as_str(), cells["货物 明细!G6"].as_str()),
        ("459", "541.8")
    );
}

#[test]
fn r36_more_lines_than_rows_go_on_in_copied_rows_and_formulas_grow() {
    let wishes: Vec<_> = (0..25)
        .map(|place| (place, 10, 1, 0, 100 + i64::try_from(place).unwrap()))
        .collect();
    let order = order(&wishes);
    let paper = own("row-per-sku").write(&order, &context()).unwrap();
    let sheet = String::from_utf8(parts(&paper.bytes)["xl/worksheets/sheet1.xml"].clone()).unwrap();
    assert!(
        sheet.contains("<f>SUM(G6:G30)</f>") && sheet.contains("<f>E30*F30</f>"),
        "{sheet}"
    );
    assert!(
        sheet.contains("\"A6:A15\"") || sheet.contains("&quot;A6:A15&quot;"),
        "text in a formula is not a reference"
    );
    assert!(
        sheet.contains("sqref=\"E6:E30\"") && sheet.contains("sqref=\"F6:F30\""),
        "{sheet}"
    );
    assert!(sheet.contains("<dimension ref=\"A1:H30\""));
    let workbook = String::from_utf8(parts(&paper.bytes)["xl/workbook.xml"].clone()).unwrap();
    let workbook = workbook.replace("&apos;", "'");
    assert!(
        workbook.contains("'货物 明细'!$G$6:$G$30") && workbook.contains("fullCalcOnLoad=\"1\""),
        "{workbook}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &paper.bytes);
    let Some(saved) = judge::libreoffice(&file, folder.path()) else {
        return;
    };
    let Some(cells) = judge::openpyxl(&saved, true) else {
        return;
    };
    assert_eq!(
        cells["货物 明细!D2"].parse::<f64>().unwrap(),
        order.totals().value.to_string().parse::<f64>().unwrap()
    );
    assert_eq!(cells["货物 明细!D3"], "250");
}

#[test]
fn r36_head_and_lines_on_two_sheets() {
    let order = usual();
    let paper = own("head-and-lines").write(&order, &context()).unwrap();
    let changed = changed_parts(&asset("head-and-lines.xlsx").unwrap(), &paper.bytes);
    assert_eq!(
        changed,
        [
            "xl/workbook.xml",
            "xl/worksheets/sheet1.xml",
            "xl/worksheets/sheet2.xml"
        ]
    );
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &paper.bytes);
    let Some(saved) = judge::libreoffice(&file, folder.path()) else {
        return;
    };
    let Some(cells) = judge::openpyxl(&saved, true) else {
        return;
    };
    assert_eq!(
        (cells["基本信息!B4"].as_str(), cells["基本信息!B5"].as_str()),
        ("2026-12-04", "11")
    );
    assert_eq!(
        cells["基本信息!B6"].parse::<f64>().unwrap(),
        160.474,
        "formulas on the other sheet grow too"
    );
}

pub fn shown(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn r36_a_moved_header_stops_before_anything_is_written() {
    let original = asset("row-per-sku.xlsx").unwrap();
    let moved = edited(&original, "xl/worksheets/sheet1.xml", |xml| {
        xml.replace("<t>数量</t>", "<t>@</t>")
            .replace("<t>单价</t>", "<t>数量</t>")
            .replace("<t>@</t>", "<t>单价</t>")
    });
    let text = std::fs::read_to_string(fixture("row-per-sku.toml")).unwrap();
    let problems = Mapping::parse("row-per-sku.toml", &text, &|_| Some(moved.clone())).unwrap_err();
    insta::assert_snapshot!(shown(&problems));
}

#[test]
fn r36_another_workbook_than_the_one_looked_at_is_refused() {
    let original = builtin_file("templates/wimoor-ship-customs-v1.xlsx").unwrap();
    let changed = edited(&original, "docProps/app.xml", |xml| {
        xml.replace("Excel", "Excel ")
    });
    let text = include_str!("../../../mappings/huatuo-booking-gb.toml");
    let problems = Mapping::parse("huatuo-booking-gb.toml", text, &|_| Some(changed.clone())).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].field == "sha256" && problems[0].wanted.contains("has changed"));
}

#[test]
fn r36_covered_cells_and_formula_cells_are_refused_when_the_mapping_is_read() {
    let text = std::fs::read_to_string(fixture("row-per-sku.toml")).unwrap();
    let text = text.replace(
        "{ at = \"B3\", label = \"客户单号*\"",
        "{ at = \"C1\", value = \"x\" },\n  { at = \"D2\", label = \"总金额\"",
    );
    let problems = Mapping::parse("x.toml", &text, &asset).unwrap_err();
    let text = shown(&problems);
    assert!(
        text.contains("cell C1")
            && text.contains("merge A1:H1")
            && text.contains("cell D2")
            && text.contains("formula"),
        "{text}"
    );
}

#[test]
fn r36_a_value_outside_the_drop_down_list_of_a_hidden_sheet_is_refused() {
    let mut order = usual();
    order.mode = linkstar::order::Mode::Truck;
    let problems = own("row-per-sku").write(&order, &context()).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].place, "sheet 货物 明细, cell B2");
    assert_eq!(
        problems[0].wanted,
        "one of the workbook's list: 英国海运, 英国空运, 英国铁路"
    );
}

#[test]
fn r34_missing_fields_are_all_named_and_nothing_is_written() {
    let mut order = usual();
    order.importer.eori.clear();
    order.importer.vat.clear();
    order.lines[1].goods.hs_destination.clear();
    order.deliver_to.address.postcode.clear();
    let problems = mapping("huatuo-booking-gb")
        .write(&order, &context())
        .unwrap_err();
    insta::assert_snapshot!(shown(&problems));
}

#[test]
fn r36_text_that_looks_like_a_formula_stays_text() {
    let mut order = usual();
    order.lines[0].goods.customs_name_en = "=HYPERLINK(\"http://x\")<&>".to_owned();
    order.lines[1].goods.customs_name_en = "@SUM(A1)".to_owned();
    for id in ["huatuo-booking-gb", "commercial-invoice"] {
        let paper = written(id, &order);
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path(), &paper.bytes);
        let sheet = String::from_utf8(parts(&paper.bytes)["xl/worksheets/sheet1.xml"].clone()).unwrap();
        assert!(!sheet.contains("<f>"), "{id} holds a formula");
        if let Some(cells) = judge::openpyxl(&file, false) {
            assert!(cells.values().any(|value| value.starts_with("=HYPERLINK")));
        }
    }
}

#[test]
fn r36_content_below_a_full_table_refuses_the_order_instead_of_overwriting_it() {
    let text = std::fs::read_to_string(fixture("row-per-sku.toml")).unwrap();
    let with_footer = |name: &str| {
        asset(name).map(|bytes| {
            edited(&bytes, "xl/worksheets/sheet1.xml", |xml| {
                xml.replace(
                    "</sheetData>",
                    "<row r=\"18\"><c r=\"G18\" t=\"inlineStr\"><is><t>签字</t></is></c></row></sheetData>",
                )
            })
        })
    };
    let refusing = text.replace("header_row = 5\n", "header_row = 5\noverflow = \"refuse\"\n");
    let form = Mapping::parse("row-per-sku.toml", &refusing, &with_footer).unwrap();
    let lines = |count: usize| order(&(0..count).map(|kind| (kind, 10, 1, 0, 100)).collect::<Vec<_>>());
    assert!(
        form.write(&lines(10), &context()).is_ok(),
        "the prepared rows are all free"
    );
    let problems = form.write(&lines(11), &context()).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(
        (problems[0].place.as_str(), problems[0].found.as_str()),
        ("sheet 货物 明细, row 16", "11")
    );
    assert!(
        problems[0].wanted.contains("at most 10 rows") && problems[0].wanted.contains("G18"),
        "{problems:#?}"
    );
    // Without that word rows are inserted, and what stands below moves down.
    let form = Mapping::parse("row-per-sku.toml", &text, &with_footer).unwrap();
    let paper = form.write(&lines(25), &context()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    if let Some(cells) = judge::openpyxl(&file(folder.path(), &paper.bytes), false) {
        let cell = |at: &str| cells.get(&format!("货物 明细!{at}")).map_or("", String::as_str);
        assert_eq!((cell("G18"), cell("G33")), ("=E18*F18", "签字"));
        assert_eq!(cell("E30"), "10");
        assert_eq!(cell("D3"), "=SUM(E6:E30)");
    }
}

#[test]
fn r36_pictures_drawings_offset_formulas_and_names_of_real_workbooks_survive() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sheet, at) in [
        ("wimoor-customsTemplate.xlsx", "报关单", "AC3"),
        ("wimoor-customsTemplate.xlsx", "合同", "J93"),
        ("wimoor-Invoice.xlsx", "Sheet1", "I3"),
    ] {
        let text = format!(
            r#"
[mapping]
language = 1
id = "one-cell"
version = 1
kind = "xlsx-template"
document = "booking"
file_name = "x.xlsx"
[xlsx-template]
template = "{name}"
[[xlsx-template.sheets]]
name = "{sheet}"
cells = [{{ at = "{at}", value = "{{order.number}}" }}]
"#
        );
        let form = Mapping::parse("one-cell.toml", &text, &asset).expect("no problem with the mapping");
        let paper = form
            .write(&usual(), &context())
            .expect("no problem with the order");
        let changed = changed_parts(&asset(name).unwrap(), &paper.bytes);
        let allowed = |part: &String| part == "xl/workbook.xml" || part.starts_with("xl/worksheets/sheet");
        assert!(changed.iter().all(allowed), "{name}: {changed:?}");
        let file = file(folder.path(), &paper.bytes);
        if let Some(cells) = judge::openpyxl(&file, false) {
            assert_eq!(cells[&format!("{sheet}!{at}")], "LS-20261122-001");
        }
        assert!(judge::libreoffice(&file, folder.path()).is_none_or(|saved| saved.exists()));
    }
}
