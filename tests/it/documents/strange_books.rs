//! Workbooks as other programs write them: each filled right, or refused with the reason.

mod rows;
mod spilling;

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

use linkstar::mapping::definition::{Mapping, Written};
use linkstar::mapping::xlsx::{At, Want, write_cells};
use linkstar::problem::Problem;

use super::goods::{context, usual};
use super::judge::{self, parts};
use super::templates::{file, shown};

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const SHEET: &str = "xl/worksheets/sheet1.xml";

/// A booking form of three prepared rows with a sum below, part by part; no shared strings at all.
fn form() -> BTreeMap<String, String> {
    let text = |at: &str, text: &str| format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#);
    let mut rows = format!(
        r#"<row r="1">{}</row><row r="2">{}<c r="B2" s="1"/></row><row r="5">{}{}{}{}</row>"#,
        text("A1", "Order"),
        text("A2", "Date"),
        text("A5", "SKU"),
        text("B5", "Qty"),
        text("C5", "Price"),
        text("D5", "Value")
    );
    for row in 6..=8 {
        rows += &format!(
            r#"<row r="{row}"><c r="A{row}"/><c r="B{row}"/><c r="C{row}"/><c r="D{row}"><f>B{row}*C{row}</f><v>0</v></c></row>"#
        );
    }
    rows += &format!(
        r#"<row r="9">{}<c r="B9"><f>SUM(B6:B8)</f><v>0</v></c><c r="D9"><f>SUM(D6:D8)</f></c></row>"#,
        text("A9", "Total")
    );
    let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    let packages = "http://schemas.openxmlformats.org/package/2006";
    [
        ("[Content_Types].xml", format!(r#"{head}<Types xmlns="{packages}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/{SHEET}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>"#)),
        ("_rels/.rels", format!(r#"{head}<Relationships xmlns="{packages}/relationships"><Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#)),
        ("xl/workbook.xml", format!(r#"{head}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><workbookPr/><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets><definedNames><definedName name="Local" localSheetId="0">Data!$B$6:$B$8</definedName><definedName name="Above">Data!B1</definedName></definedNames></workbook>"#)),
        ("xl/_rels/workbook.xml.rels", format!(r#"{head}<Relationships xmlns="{packages}/relationships"><Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>"#)),
        ("xl/styles.xml", format!(r#"{head}<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>"#)),
        (SHEET, format!(r#"{head}<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}"><dimension ref="A1:D9"/><sheetData>{rows}</sheetData></worksheet>"#)),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into()
}

fn packed(parts: &BTreeMap<String, String>) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        out.start_file(name, zip::write::SimpleFileOptions::default())
            .expect("a part");
        out.write_all(content.as_bytes()).expect("written");
    }
    out.finish().expect("a zip").into_inner()
}

/// The form with texts of one part changed; every text must be there.
fn form_with(part: &str, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut parts = form();
    changed(&mut parts, part, changes);
    parts
}

fn changed(parts: &mut BTreeMap<String, String>, part: &str, changes: &[(&str, &str)]) {
    let text = parts.get_mut(part).expect("the part");
    for (from, to) in changes {
        assert!(text.contains(from), "`{from}` is not in {part}");
        *text = text.replace(from, to);
    }
}

const MAPPING: &str = r#"
[mapping]
language = 1
id = "strange"
version = 1
kind = "xlsx-template"
document = "booking"
file_name = "x.xlsx"
[xlsx-template]
template = "form.xlsx"
[[xlsx-template.sheets]]
name = "Data"
cells = [
  { at = "B1", label = "Order", value = "{order.number}", required = true },
  { at = "B2", label = "Date", value = "{order.ship_by}", type = "date" },
]
[xlsx-template.sheets.table]
each = ["line in lines"]
header_row = 5
first_row = 6
key = "A"
columns = [
  { column = "A", title = "SKU", value = "{line.goods.sku}", required = true },
  { column = "B", title = "Qty", value = "{line.units}", type = "number" },
  { column = "C", title = "Price", value = "{line.unit_value}", type = "number" },
]
checks = [{ total = "{totals.units}", sum = "B" }]
"#;

/// Four lines into three prepared rows: one is inserted above the sum.
fn filled_with(mapping: &str, bytes: &[u8]) -> Result<Written, Vec<Problem>> {
    let mapping = Mapping::parse("strange.toml", mapping, &|_| Some(bytes.to_vec()))?;
    mapping.write(&usual(), &context())
}

fn filled(parts: &BTreeMap<String, String>) -> Result<Written, Vec<Problem>> {
    filled_with(MAPPING, &packed(parts))
}

fn text(bytes: &[u8], part: &str) -> String {
    String::from_utf8(parts(bytes)[part].clone()).expect("UTF-8")
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Vec<Problem>>) -> String {
    shown(&outcome.expect_err("refused"))
}

#[test]
fn r36_one_form_as_many_programs_write_it_is_filled_alike() {
    let prefixed = |parts: &mut BTreeMap<String, String>, part: &str| {
        let xml = &parts[part];
        let at = xml.find("?>").expect("a declaration") + 2;
        let (head, body) = xml.split_at(at);
        let body = body
            .replace("</", "\u{1}")
            .replace('<', "<x:")
            .replace('\u{1}', "</x:");
        let body = body.replace("<x:r:", "<r:").replace(" xmlns=", " xmlns:x=");
        let now = format!("{head}{body}");
        parts.insert(part.to_owned(), now);
    };
    let mut all_prefixed = form();
    for part in [
        SHEET,
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "[Content_Types].xml",
    ] {
        prefixed(&mut all_prefixed, part);
    }
    let mut strict = form();
    for xml in strict.values_mut() {
        *xml = xml
            .replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main")
            .replace(
                RELATIONS,
                "http://purl.oclc.org/ooxml/officeDocument/relationships",
            );
    }
    let mut shared = form_with(
        SHEET,
        &[(
            r#"<c r="A5" t="inlineStr"><is><t>SKU</t></is></c>"#,
            r#"<c r="A5" t="s"><v>0</v></c>"#,
        )],
    );
    shared.insert(
        "xl/sharedStrings.xml".to_owned(),
        format!(r#"<sst xmlns="{MAIN}"><si><r><t>SK</t></r><r><rPr><b/></rPr><t>U</t></r></si></sst>"#),
    );
    changed(
        &mut shared,
        "[Content_Types].xml",
        &[(
            "</Types>",
            r#"<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>"#,
        )],
    );
    changed(
        &mut shared,
        "xl/_rels/workbook.xml.rels",
        &[(
            "</Relationships>",
            &format!(
                r#"<Relationship Id="rId3" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#
            ),
        )],
    );
    let mut chained = form();
    chained.insert(
        "xl/calcChain.xml".to_owned(),
        format!(r#"<calcChain xmlns="{MAIN}"><c r="D6" i="1"/></calcChain>"#),
    );
    changed(
        &mut chained,
        "[Content_Types].xml",
        &[(
            "</Types>",
            r#"<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"/></Types>"#,
        )],
    );
    changed(
        &mut chained,
        "xl/_rels/workbook.xml.rels",
        &[(
            "</Relationships>",
            &format!(
                r#"<Relationship Id="rId3" Type="{RELATIONS}/calcChain" Target="calcChain.xml"/></Relationships>"#
            ),
        )],
    );
    let mut charted = form_with(
        "xl/workbook.xml",
        &[(
            "</sheets>",
            r#"<sheet name="Chart" sheetId="2" r:id="rId9"/></sheets>"#,
        )],
    );
    charted.insert(
        "xl/chartsheets/_rels/sheet1.xml.rels".to_owned(),
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"/>".to_owned(),
    );
    charted.insert("xl/chartsheets/sheet1.xml".to_owned(), format!(r#"<chartsheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"/></sheetViews></chartsheet>"#));
    changed(
        &mut charted,
        "[Content_Types].xml",
        &[(
            "</Types>",
            r#"<Override PartName="/xl/chartsheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.chartsheet+xml"/></Types>"#,
        )],
    );
    changed(
        &mut charted,
        "xl/_rels/workbook.xml.rels",
        &[(
            "</Relationships>",
            &format!(
                r#"<Relationship Id="rId9" Type="{RELATIONS}/chartsheet" Target="chartsheets/sheet1.xml"/></Relationships>"#
            ),
        )],
    );
    let rels = "xl/_rels/workbook.xml.rels";
    let forms = [
        ("as usual", form()),
        ("prefixes", all_prefixed),
        ("strict", strict),
        ("rich shared strings", shared),
        ("order of calculation", chained),
        ("a tab with a chart", charted),
        (
            "absolute targets",
            form_with(rels, &[("\"worksheets/", "\"/xl/worksheets/")]),
        ),
        (
            "rows and cells without places",
            form_with(
                SHEET,
                &[
                    (
                        "<row r=\"6\"><c r=\"A6\"/><c r=\"B6\"/><c r=\"C6\"/><c r=\"D6\">",
                        "<row r=\"6\"><c/><c/><c/><c>",
                    ),
                    ("<row r=\"7\">", "<row>"),
                ],
            ),
        ),
        (
            "formulas in character data",
            form_with(SHEET, &[("<f>SUM(B6:B8)</f>", "<f><![CDATA[SUM(B6:B8)]]></f>")]),
        ),
        (
            "a protected sheet",
            form_with(
                SHEET,
                &[(
                    "</sheetData>",
                    "</sheetData><sheetProtection sheet=\"1\" objects=\"1\"/>",
                )],
            ),
        ),
        (
            "grouped rows",
            form_with(SHEET, &[("<row r=\"8\"", "<row r=\"8\" outlineLevel=\"1\"")]),
        ),
        (
            "attributes of other programs",
            form_with(
                SHEET,
                &[
                    (
                        "<worksheet ",
                        "<worksheet xmlns:etc=\"urn:etc\" xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\" mc:Ignorable=\"etc\" ",
                    ),
                    ("<row r=\"7\"", "<row r=\"7\" etc:compat=\"1\""),
                ],
            ),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, parts) in forms {
        let paper = filled(&parts).unwrap_or_else(|problems| panic!("{name}: {}", shown(&problems)));
        // openpyxl does not know the strict form.
        if name == "strict" {
            assert!(text(&paper.bytes, SHEET).contains("<f>SUM(B6:B9)</f>"), "{name}");
            continue;
        }
        let Some(cells) = judge::openpyxl(&file(folder.path(), &paper.bytes), false) else {
            return;
        };
        let found = |at: &str| cells.get(&format!("Data!{at}")).map_or("", String::as_str);
        assert_eq!(
            (found("B1"), found("A9"), found("B9")),
            ("LS-20261122-001", "84879", "40"),
            "{name}"
        );
        assert_eq!(
            (found("A10"), found("B10"), found("D9")),
            ("Total", "=SUM(B6:B9)", "=B9*C9"),
            "{name}"
        );
        assert_eq!(found("B2"), "2026-12-04", "{name}");
        assert!(
            !judge::parts(&paper.bytes).contains_key("xl/calcChain.xml"),
            "{name}"
        );
        if name == "as usual" {
            let workbook = text(&paper.bytes, "xl/workbook.xml");
            assert!(
                workbook.contains("Data!$B$6:$B$9") && workbook.contains("Data!B1<"),
                "{workbook}"
            );
        }
    }
}

#[test]
fn r36_a_date_in_a_workbook_that_counts_from_1904_is_the_same_day() {
    let parts = form_with(
        "xl/workbook.xml",
        &[("<workbookPr/>", "<workbookPr date1904=\"1\"/>")],
    );
    let paper = filled(&parts).unwrap();
    assert!(text(&paper.bytes, SHEET).contains("<c r=\"B2\" s=\"1\"><v>44898</v>"));
    let day = Want::Date(super::goods::day("2026-12-04"));
    let written = write_cells(&packed(&parts), "Data", &[(At { row: 2, column: 2 }, day)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&paper.bytes, &written] {
        if let Some(cells) = judge::openpyxl(&file(folder.path(), bytes), false) {
            assert_eq!(cells["Data!B2"], "2026-12-04");
        }
    }
}

#[test]
fn r36_formulas_that_share_a_text_keep_it_when_its_cell_is_overwritten_moved_or_widened() {
    let shared = [
        (
            "<f>B6*C6</f>",
            "<f t=\"shared\" ref=\"D6:D8\" si=\"0\">B6*C6+SUM(B6:B$8)</f>",
        ),
        ("<f>B7*C7</f>", "<f t=\"shared\" si=\"0\"/>"),
        ("<f>B8*C8</f>", "<f t=\"shared\" si=\"0\"/>"),
    ];
    let parts = form_with(SHEET, &shared);
    let number = Want::Number(5.into());
    let written = write_cells(&packed(&parts), "Data", &[(At { row: 6, column: 4 }, number)]).unwrap();
    let sheet = text(&written, SHEET);
    assert!(
        sheet.contains("<f>B7*C7+SUM(B7:B$8)</f>") && sheet.contains("<f>B8*C8+SUM(B8:B$8)</f>"),
        "{sheet}"
    );
    let sheet = text(&filled(&parts).unwrap().bytes, SHEET);
    for row in 6..=9 {
        assert!(
            sheet.contains(&format!("<f>B{row}*C{row}+SUM(B{row}:B$9)</f>")),
            "{row}: {sheet}"
        );
    }
}

#[test]
fn r36_a_value_in_a_hidden_row_is_refused() {
    let text = refused(filled(&form_with(
        SHEET,
        &[("<row r=\"7\"", "<row r=\"7\" hidden=\"1\"")],
    )));
    assert!(
        text.contains("sheet Data, cell A7") && text.contains("row 7 of the workbook is hidden"),
        "{text}"
    );
}

#[test]
fn r36_macros_stay_and_the_file_says_what_it_is() {
    let kind = "vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";
    let mut parts = form_with(
        "[Content_Types].xml",
        &[(kind, "vnd.ms-excel.sheet.macroEnabled.main+xml")],
    );
    parts.insert("xl/vbaProject.bin".to_owned(), "Attribut\u{0}e".to_owned());
    let text = refused(filled(&parts));
    assert!(text.contains("`x.xlsx`, wanted .xlsm"), "{text}");
    let macros = MAPPING.replace("x.xlsx", "{order.number}.xlsm");
    let paper = filled_with(&macros, &packed(&parts)).unwrap();
    assert_eq!(paper.media_type, "application/vnd.ms-excel.sheet.macroEnabled.12");
    assert_eq!(judge::parts(&paper.bytes)["xl/vbaProject.bin"], b"Attribut\0e");
    let text = refused(filled_with(&macros, &packed(&form())));
    assert!(text.contains("wanted .xlsx"), "{text}");
    let template = form_with(
        "[Content_Types].xml",
        &[(
            kind,
            "vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml",
        )],
    );
    let text = refused(filled(&template));
    assert!(text.contains("save it as a workbook first"), "{text}");
}

#[test]
fn r36_what_cannot_be_read_is_refused_with_what_is_wrong() {
    let mut elsewhere = form();
    let book = elsewhere.remove("xl/workbook.xml").unwrap();
    elsewhere.insert("book/workbook.xml".to_owned(), book);
    let mixed = form_with(
        SHEET,
        &[
            ("<sheetData>", "<x:sheetData xmlns:x=\"urn:x\">"),
            ("</sheetData>", "</x:sheetData>"),
        ],
    );
    let climbing = form_with(
        "xl/_rels/workbook.xml.rels",
        &[("\"worksheets/", "\"../xl/./worksheets/")],
    );
    for (parts, why) in [
        (&climbing, "`Worksheet 'Data' not found`"),
        (&elsewhere, "workbook.xml"),
        (&mixed, "wanted a workbook (.xlsx) that can be read"),
    ] {
        let text = refused(filled(parts));
        assert!(text.contains(why), "{why} in {text}");
    }
}
