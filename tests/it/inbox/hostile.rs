//! Files made to harm: bombs, entities, names, sizes.

use std::fs;
use std::io::{Cursor, Write as _};

use linkstar::mapping::inbound::{self, Document};
use linkstar::order::OrderState;
use linkstar::store::inbox::QUARANTINE;
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use super::stage::{Stage, receive};

/// A workbook of a few kilobytes whose one sheet unpacks to more than is read.
fn bomb() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let parts = [
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>",
        ),
        ("xl/workbook.xml", "<workbook/>"),
    ];
    for (name, text) in parts {
        zip.start_file(name, options).expect("a part");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.start_file("xl/worksheets/sheet1.xml", options)
        .expect("a part");
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..140 {
        zip.write_all(&zeros).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}

#[tokio::test]
async fn r41_bombs_entities_and_oversized_files_are_quarantined_or_refused_and_move_no_order() {
    let stage = Stage::new().await;
    let order = stage.order.as_str();
    let entity = format!(
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><MetaData><Response><FunctionCode>01</FunctionCode><Declaration><FunctionalReferenceID>{order}</FunctionalReferenceID><ID>&e;</ID></Declaration></Response></MetaData>"
    );
    stage.they_leave("xxe.xml", entity);
    let laughs = "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><MetaData>&b;</MetaData>";
    stage.they_leave("laughs.xml", laughs);
    stage.they_leave("bomb.xlsx", bomb());
    stage.they_leave("deep.json", "[".repeat(100_000));
    stage.they_leave("nul.csv", [0_u8; 4_096]);
    let big = fs::File::create(stage.theirs.join("huge.csv")).expect("a file");
    big.set_len(40 << 20).expect("a hole");
    let huge = fs::File::create(stage.inbox().join("huge.csv")).expect("a file");
    huge.set_len(65 << 20).expect("a hole");
    let report = stage.night(0).await;
    let said = receive(&report).problems.join("\n");
    assert!(said.contains("huge.csv, `size`: found `41943040`"), "{said}");
    assert!(
        said.contains("huge.csv: found `68157440 bytes`, wanted a readable file of at most 64 MB"),
        "{said}"
    );
    assert!(!said.contains("root:"), "{said}");
    let mut files = stage.files().await;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        ["bomb.xlsx", "deep.json", "laughs.xml", "nul.csv", "xxe.xml"]
    );
    for file in &files {
        assert_eq!(file.kind, QUARANTINE, "{}", file.name);
        assert!(!format!("{file:?}").contains("root:"), "{file:?}");
    }
    let xxe = files.last().expect("xxe.xml");
    assert!(
        xxe.problems[0].to_string().to_lowercase().contains("doctype"),
        "{:?}",
        xxe.problems
    );
    assert_eq!(stage.state().await, OrderState::Approved);
}

#[tokio::test]
async fn r41_names_that_play_tricks_name_nothing_else() {
    let stage = Stage::new().await;
    let secret = stage.home.path().join("password");
    std::os::unix::fs::symlink(&secret, stage.inbox().join("link.csv")).expect("a link");
    std::os::unix::fs::symlink(&secret, stage.theirs.join("link.csv")).expect("a link");
    fs::create_dir(stage.inbox().join("folder.csv")).expect("a folder");
    let tricky = "a\n\u{1b}[2J\u{202e}..\\..\\..\\x.csv";
    stage.somebody_drops(tricky, "some,words\n");
    let long = format!("{}.csv", "长".repeat(80));
    stage.somebody_drops(&long, "other,words\n");
    let report = stage.night(0).await;
    let files = stage.files().await;
    assert_eq!(files.len(), 2, "links and folders are no files: {files:?}");
    for file in &files {
        assert!(!file.name.chars().any(char::is_control), "{:?}", file.name);
        assert!(
            !file.name.contains('\u{202e}') && file.name.chars().count() <= 160,
            "{:?}",
            file.name
        );
    }
    let said = receive(&report).problems.join("\n");
    assert!(
        !said.contains('\u{1b}') && !said.contains('\u{202e}') && !said.contains("secret"),
        "{said:?}"
    );
    assert!(
        stage.inbox().join("done").join(tricky).exists(),
        "put away under its own name"
    );
    let (code, said) = stage.linkstar(&["audit", "verify"]);
    assert_eq!(code, Some(0), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    /// Whatever comes in, nothing breaks and nothing unescaped is shown.
    #[test]
    fn r41_any_bytes_are_read_or_shown(
        head in proptest::sample::select(vec!["", "{\"order\": ", "<MetaData><Response>", "REJECTED ", "order,status,reason\n", "PK\u{3}\u{4}", "\u{feff}"]),
        bytes in proptest::collection::vec(any::<u8>(), 0..400)
    ) {
        let mappings = inbound::builtin().expect("sound mappings");
        let all = [head.as_bytes(), &bytes].concat();
        let document = Document::new("any", &all);
        for reading in inbound::read(&mappings, None, &document, chrono_tz::UTC) {
            prop_assert!(reading.records.iter().all(|record| !record.facts.is_empty()));
        }
        for row in document.first_rows() {
            prop_assert!(!row.chars().any(char::is_control), "{row:?}");
            prop_assert!(row.chars().count() < 6_000);
        }
    }
}
