//! Files that somebody made to do harm: the file is refused by name, nothing else happens.

use std::io::Write as _;
use std::path::Path;

use linkstar::store::facts::PullState;
use zip::write::SimpleFileOptions;

use super::super::stage::{House, stream};
use super::{NOW, known, only, source, touch};

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
const SHEET: &str = r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>available</t></is></c></row><row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2"><v>7</v></c></row></sheetData></worksheet>"#;
const STRINGS: &str = r#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" uniqueCount="2"><si><t>SKU</t></si><si><t>A</t></si></sst>"#;

fn book(path: &Path, sheet: &str, strings: &str, filler: u64) {
    let file = std::fs::File::create(path).expect("a file");
    let mut zip = zip::ZipWriter::new(file);
    let options = SimpleFileOptions::default();
    for (name, text) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", strings),
    ] {
        zip.start_file(name, options).expect("a part");
        zip.write_all(text.as_bytes()).expect("written");
    }
    if filler > 0 {
        zip.start_file("xl/media/x.bin", options).expect("a part");
        let block = vec![0_u8; 1 << 20];
        for _ in 0..filler {
            zip.write_all(&block).expect("written");
        }
    }
    zip.finish().expect("a zip");
    touch(path, NOW);
}

#[tokio::test]
async fn hostile_workbooks_are_refused_by_name() {
    let house = House::new(NOW).await;
    let secret = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(secret.path(), "TOPSECRET").expect("written");
    let entity = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE sst [<!ENTITY x SYSTEM \"file://{}\">]><sst uniqueCount=\"2\"><si><t>SKU</t></si><si><t>&x;</t></si></sst>",
        secret.path().display()
    );
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE sst [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><sst uniqueCount=\"2\"><si><t>SKU</t></si><si><t>&b;</t></si></sst>";
    let claimed = STRINGS.replace("uniqueCount=\"2\"", "uniqueCount=\"2000000000\"");
    let wide = SHEET.replace("r=\"B2\"", "r=\"XFD2\"");
    let backwards = SHEET
        .replace("<row r=\"2\"><c r=\"A2\"", "<row r=\"1\"><c r=\"A1\"")
        .replace("r=\"1\"", "r=\"9\"");
    let shared = SHEET.replace(
        "<c r=\"B2\"><v>7</v>",
        "<c r=\"B2\"><f t=\"shared\" ref=\"B2:B9\" si=\"4294967290\">A2</f>",
    );
    let reversed = SHEET
        .replace("<sheetData>", "<dimension ref=\"B9:A1\"/><sheetData>")
        .replace("<v>7</v>", "<v>x</v>");
    let mut said = Vec::new();
    for (name, sheet, strings, filler) in [
        ("bomb", SHEET, STRINGS, 600),
        ("claims", SHEET, claimed.as_str(), 0),
        ("entity", SHEET, entity.as_str(), 0),
        ("laughs", SHEET, laughs, 0),
        ("wide", wide.as_str(), STRINGS, 0),
        ("backwards", backwards.as_str(), STRINGS, 0),
        ("shared", shared.as_str(), STRINGS, 0),
        ("reversed", reversed.as_str(), STRINGS, 0),
        ("cut", &SHEET[..SHEET.len() - 60], STRINGS, 0),
    ] {
        let room = tempfile::tempdir().expect("a folder");
        let path = room.path().join(format!("stock-{name}.xlsx"));
        book(&path, sheet, strings, filler);
        assert!(std::fs::metadata(&path).expect("a file").len() < 1 << 20);
        let report = house.pull(&source(room.path(), &only("stock"), &["UKMA"])).await;
        let pulled = stream(&report, "stock");
        assert_eq!(pulled.state, PullState::Failed, "{name}: {pulled:?}");
        let problem = pulled.problem.clone().expect("a reason");
        assert!(!problem.contains("TOPSECRET"), "{problem}");
        said.push(problem);
    }
    insta::assert_snapshot!("hostile", said.join("\n"));
    let stock = known(&house, "files:UKMA").await.expect("known of");
    assert!(stock.as_of.is_none() && stock.available.is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_names_that_are_tricks_are_refused() {
    let house = House::new(NOW).await;
    let room = tempfile::tempdir().expect("a folder");
    let outside = tempfile::tempdir().expect("a folder");
    let target = outside.path().join("stock.csv");
    std::fs::write(&target, "SKU,available\nA,1\n").expect("written");
    std::os::unix::fs::symlink(&target, room.path().join("stock.csv")).expect("a link");
    let config = source(room.path(), &only("stock"), &["UKMA"]);
    let report = house.pull(&config).await;
    let mut said = vec![stream(&report, "stock").problem.clone().expect("a reason")];
    std::fs::remove_file(room.path().join("stock.csv")).expect("removed");
    std::fs::write(room.path().join("stock\u{1b}[2J.csv"), "SKU,available\nA,1\n").expect("written");
    std::fs::write(room.path().join(".stock.csv"), "SKU,available\nA,1\n").expect("written");
    std::fs::create_dir(room.path().join("stock.d")).expect("a folder");
    std::fs::write(room.path().join("stock.csv.part"), "SKU,available\nA,1\n").expect("written");
    let report = house.pull(&config).await;
    said.push(stream(&report, "stock").problem.clone().expect("a reason"));
    let here = room.path().display().to_string();
    insta::assert_snapshot!("tricks", said.join("\n").replace(&here, "FOLDER"));
    // What an office program leaves when a workbook is saved as a page, and other things that are no tables.
    let mut said = String::new();
    for (name, bytes) in [
        (
            "stock.xls",
            b"<html><table><tr><td>SKU</td></tr></table></html>".to_vec(),
        ),
        ("stock.xlsx", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 old".to_vec()),
        ("stock.csv", b"SKU,available\nA,\"1\nB,2\nC,3\n".to_vec()),
        ("stock.txt", vec![b'S', 0, 1, 2, 255]),
    ] {
        let room = tempfile::tempdir().expect("a folder");
        super::put(room.path(), name, &bytes, NOW);
        let report = house.pull(&source(room.path(), &only("stock"), &["UKMA"])).await;
        said.push_str(&stream(&report, "stock").problem.clone().expect("a reason"));
        said.push('\n');
    }
    insta::assert_snapshot!("no_tables", said);
}
