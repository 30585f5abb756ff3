//! Hostile workbooks, as forms and as papers that come back: an answer in words, never a crash, never a file outside.

use std::io::{Cursor, Write as _};

use linkstar::mapping::definition::{Mapping, builtin_file};
use linkstar::mapping::xlsx::compare;
use linkstar::problem::Problem;
use linkstar::report::decisions;
use zip::write::SimpleFileOptions;

use super::goods::{context, usual};
use super::papers_agree::{mapping, written};
use super::templates::edited;

const FORM: &str = r#"
[mapping]
language = 1
id = "form"
version = 1
kind = "xlsx-template"
document = "booking"
file_name = "{order.number}.xlsx"
[xlsx-template]
template = "form.xlsx"
[[xlsx-template.sheets]]
name = "S"
[xlsx-template.sheets.table]
each = ["carton in cartons"]
header_row = 1
first_row = 2
key = "A"
columns = [{ column = "A", value = "{carton.mark}" }]
"#;

fn form(bytes: &[u8]) -> Result<Mapping, Vec<Problem>> {
    Mapping::parse("form.toml", FORM, &|_| Some(bytes.to_vec()))
}

fn book(sheet: &str) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().set_name("S").expect("a name");
    let plain = book.save_to_buffer().expect("a workbook");
    edited(&plain, "xl/worksheets/sheet1.xml", |xml| {
        xml.replace("<sheetData/>", &format!("<sheetData>{sheet}</sheetData>"))
    })
}

fn with_part(bytes: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new_append(Cursor::new(bytes.to_vec())).expect("a zip");
    zip.start_file(name, SimpleFileOptions::default())
        .expect("a part");
    zip.write_all(content).expect("written");
    zip.finish().expect("a zip").into_inner()
}

fn found(problems: &[Problem]) -> &str {
    problems.first().map_or("", |problem| problem.found.as_str())
}

#[test]
fn what_is_no_workbook_is_called_by_its_name_whatever_the_file_is_called() {
    let gbk = encoding_rs::GBK.encode("箱号\t数量\n1\t5\n").0.into_owned();
    let ole = [&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..], &[0; 600]].concat();
    for (bytes, wanted) in [
        (b"<html><body><table>".to_vec(), "an HTML or XML page"),
        (gbk, "a text, or something else that is no workbook"),
        (ole, "an old XLS workbook, or one with a password"),
        (b"%PDF-1.7".to_vec(), "a PDF document"),
        (Vec::new(), "an empty file"),
    ] {
        let problems = form(&bytes).unwrap_err();
        assert_eq!(found(&problems), wanted);
        let problems = compare(
            "back.xls",
            &bytes,
            mapping("huatuo-booking-gb"),
            &usual(),
            &context(),
        );
        assert_eq!(found(&problems), wanted);
    }
    // A workbook that is called .xls is one.
    let paper = written("huatuo-booking-gb", &usual());
    let same = compare(
        "back.xls",
        &paper.bytes,
        mapping("huatuo-booking-gb"),
        &usual(),
        &context(),
    );
    assert_eq!(same, []);
}

#[test]
fn a_truncated_or_damaged_form_gives_an_answer_at_every_place() {
    let whole = builtin_file("templates/wimoor-CartonConfigurationTemplate.xlsx").unwrap();
    for length in (0..whole.len()).step_by(173) {
        assert!(form(&whole[..length]).is_err(), "cut at {length}");
    }
    let carton = mapping("carton-configuration");
    for place in (0..whole.len()).step_by(211) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x5a;
        let _ = form(&damaged);
        let _ = compare("x.xlsx", &damaged, carton, &usual(), &context());
    }
}

#[test]
fn a_zip_bomb_and_too_many_parts_are_refused_before_they_are_unpacked() {
    let zeros = vec![b' '; 70 * 1024 * 1024];
    let bomb = with_part(&book(""), "xl/worksheets/sheet9.xml", &zeros);
    let named = edited(&bomb, "xl/_rels/workbook.xml.rels", |rels| {
        rels.replace("worksheets/sheet1.xml", "worksheets/sheet9.xml")
    });
    assert!(named.len() < 1024 * 1024, "{}", named.len());
    assert!(form(&named).is_err());
    let mut many = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for no in 0..2_100 {
        many.start_file(format!("xl/media/{no}.png"), SimpleFileOptions::default())
            .unwrap();
    }
    let problems = form(&many.finish().unwrap().into_inner()).unwrap_err();
    assert!(found(&problems).contains("more than 2000 parts"), "{problems:#?}");
}

#[test]
fn claims_that_cannot_be_true_are_refused_by_every_reader_of_workbooks() {
    let claim = r#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" uniqueCount="99999999999999"/>"#;
    let texts = with_part(&book(""), "xl/sharedStrings.xml", claim.as_bytes());
    let carton = mapping("packing-list");
    for problems in [
        form(&texts).unwrap_err(),
        compare("x.xlsx", &texts, carton, &usual(), &context()),
        decisions::read("x.xlsx", &texts).unwrap_err(),
    ] {
        assert!(
            found(&problems).contains("claims 99999999999999 texts"),
            "{problems:#?}"
        );
    }
    // A row number that no 32 bits hold.
    let far = book("<row r=\"1\"><c r=\"A99999999999\"><v>1</v></c></row>");
    assert!(!compare("x.xlsx", &far, carton, &usual(), &context()).is_empty());
    assert!(decisions::read("x.xlsx", &far).is_err());
}

#[test]
fn names_that_climb_out_of_the_package_stay_inside_the_zip() {
    let climbing = with_part(&book(""), "../../../tmp/linkstar-was-here", b"x");
    let paper = form(&climbing).map(|form| form.write(&usual(), &context()));
    if let Ok(Ok(paper)) = paper {
        assert!(paper.file_name.ends_with(".xlsx"));
    }
    assert!(!std::path::Path::new("/tmp/linkstar-was-here").exists());
    // Neither a relation nor a mapping may name a file outside.
    let pointing = edited(&book(""), "xl/_rels/workbook.xml.rels", |rels| {
        rels.replace("worksheets/sheet1.xml", "../../../../etc/passwd")
    });
    assert!(form(&pointing).is_err());
}

#[test]
fn ten_thousand_columns_and_formulas_in_every_cell_are_filled() {
    let mut wide = String::from("<row r=\"1\">");
    for column in 1..=10_000_u32 {
        let letters = linkstar::mapping::xlsx::address::column_letters(column);
        wide.push_str(&format!(
            "<c r=\"{letters}1\" t=\"inlineStr\"><is><t>{column}</t></is></c>"
        ));
    }
    wide.push_str("</row>");
    let paper = form(&book(&wide)).unwrap().write(&usual(), &context()).unwrap();
    assert!(paper.bytes.len() > 10_000);
    let mut rows = String::new();
    for row in 3..=203_u32 {
        rows.push_str(&format!("<row r=\"{row}\">"));
        for column in 1..=50_u32 {
            let at = format!(
                "{}{row}",
                linkstar::mapping::xlsx::address::column_letters(column)
            );
            let formula = match (row, column) {
                (3, 1) => "<f t=\"shared\" ref=\"A3:AX203\" si=\"0\">SUM(A$3:A3)+B2</f>".to_owned(),
                _ if row % 2 == 0 => "<f t=\"shared\" si=\"0\"/>".to_owned(),
                _ => format!("<f>A{row}*2+S!B{}</f>", row + 1),
            };
            rows.push_str(&format!("<c r=\"{at}\">{formula}<v>1</v></c>"));
        }
        rows.push_str("</row>");
    }
    let paper = form(&book(&rows)).unwrap().write(&usual(), &context()).unwrap();
    let sheet = edited(&paper.bytes, "xl/worksheets/sheet1.xml", |xml| {
        assert!(!xml.contains("<v>1</v>"), "old results are gone");
        assert!(
            !xml.contains("t=\"shared\""),
            "members that no longer say the same are written out"
        );
        assert!(
            xml.contains("<f>A16*2+S!B17</f>"),
            "formulas moved with their rows"
        );
        format!("{xml} ")
    });
    assert!(!sheet.is_empty());
}

#[test]
fn xml_that_lies_or_recurses_is_refused_or_read_as_text() {
    let entities = edited(&book(""), "xl/worksheets/sheet1.xml", |xml| {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]>";
        xml.replacen("?>", &format!("?>{bomb}"), 1).replace(
            "<sheetData></sheetData>",
            "<sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>&b;</t></is></c></row></sheetData>",
        )
    });
    assert!(form(&entities).is_err());
    for sheet in [
        "<row r=\"9999999999\"><c r=\"A1\"/></row>",
        "<row r=\"0\"><c r=\"ZZZZ0\"><v>1</v></c></row>",
        "<row r=\"5\"><c r=\"A5\"><f t=\"shared\" si=\"7\"/><v/></c></row><row r=\"5\"/><row r=\"2\"/>",
        "<row><c><v>1e999</v></c><c t=\"s\"><v>99999</v></c></row>",
    ] {
        let _ = form(&book(sheet)).map(|form| form.write(&usual(), &context()));
    }
}
