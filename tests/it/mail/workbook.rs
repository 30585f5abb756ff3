//! The workbook, and what comes back from it.

use std::io::{Cursor, Read, Write};
use std::process::Command;

use calamine::{Data, Reader, Xlsx};
use linkstar::report::decisions::{self, Choice, Decision};
use linkstar::report::render_mail;
use linkstar::wording::Lang;

use crate::services::missing;

use super::fixture::{self, LANGS};

/// Every filled cell as text, sheet by sheet.
pub fn dump(bytes: &[u8]) -> String {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    let mut out = String::new();
    for name in book.sheet_names() {
        out.push_str(&format!("## {name}\n"));
        let range = book.worksheet_range(&name).expect("a sheet");
        for row in range.rows() {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| match cell {
                    Data::DateTime(when) => when.as_datetime().expect("a date").date().to_string(),
                    other => other.to_string(),
                })
                .collect();
            out.push_str(cells.join("|").trim_end_matches('|'));
            out.push('\n');
        }
    }
    out
}

pub fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let mut text = String::new();
    let mut part = archive.by_name(name).expect("the part");
    part.read_to_string(&mut text).expect("text");
    text
}

fn book(lang: Lang) -> Vec<u8> {
    let (plan, diff) = (fixture::full_plan(), fixture::full_diff());
    let mail = render_mail(&fixture::full_report(lang, &plan, &diff)).expect("a mail");
    mail.attachments[0].bytes.clone()
}

#[test]
fn r75_the_workbook_in_both_languages() {
    for lang in LANGS {
        insta::assert_snapshot!(format!("workbook_{}", lang.code()), dump(&book(lang)));
    }
}

#[test]
fn an_untouched_workbook_decides_nothing() {
    for lang in LANGS {
        let read = decisions::read("answer.xlsx", &book(lang)).expect("one of ours");
        assert_eq!(read.plan_id, fixture::full_plan().id);
        assert_eq!((read.decisions, read.problems), (Vec::new(), Vec::new()));
    }
}

/// The cells of the first sheet, to be written again as a person's program would: plain, moved, retyped.
type Cells = Vec<Vec<String>>;

fn cells(lang: Lang) -> Cells {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(book(lang))).expect("a workbook");
    let range = book.worksheet_range_at(0).expect("a sheet").expect("readable");
    range
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect()
}

fn row_of(cells: &Cells, sku: &str) -> usize {
    cells.iter().position(|row| row[4] == sku).expect("the row")
}

fn rewritten(cells: &Cells) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in (0_u32..).zip(cells) {
        for (column, text) in (0_u16..).zip(line) {
            match text.strip_prefix("number:") {
                Some(number) => sheet.write_number(row, column, number.parse::<f64>().expect("a number")),
                None => sheet.write_string(row, column, text),
            }
            .expect("written");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

fn shown(decisions: &[Decision]) -> String {
    decisions
        .iter()
        .map(|d| {
            let units = d.units.map_or_else(String::new, |units| units.to_string());
            format!(
                "{} {} {} {units} {} @{}\n",
                d.warehouse,
                d.sku,
                d.choice.code(),
                d.reason,
                d.place
            )
        })
        .collect()
}

#[test]
fn sorted_rows_moved_columns_and_full_width_digits_are_understood() {
    let mut cells = cells(Lang::Zh);
    let mut set = |sku: &str, decision: &str, units: &str, reason: &str| {
        let row = row_of(&cells, sku);
        cells[row][0] = decision.to_owned();
        cells[row][1] = units.to_owned();
        cells[row][2] = reason.to_owned();
    };
    set("85123A", "采纳", "", "");
    set("22423", " 改量 ", "１，２００", "等促销");
    set("84879", "change", "number:960", "");
    set("20725", "Reject", "", "no cash");
    set("21212", "观察", "", "");
    set("22197", "改量", "45.0", "");
    // Sorted by SKU, a row put above the headings, the line key moved to the front.
    let head = 3;
    cells[head..].sort_by(|a, b| b[4].cmp(&a[4]));
    cells.insert(0, vec!["given to Li on Monday".to_owned()]);
    for row in &mut cells {
        row.resize(31, String::new());
        row.rotate_right(1);
    }
    let read = decisions::read("answer.xlsx", &rewritten(&cells)).expect("one of ours");
    assert_eq!(read.problems, Vec::new());
    insta::assert_snapshot!("decisions", shown(&read.decisions));
}

#[test]
fn every_cell_that_cannot_be_understood_is_named_at_once() {
    let mut cells = cells(Lang::En);
    let lines: [(&str, &str, &str); 10] = [
        ("85123A", "change", ""),
        ("22423", "change", "12.5"),
        ("47566", "adopt", ""),
        ("84879", "maybe", ""),
        ("20725", "adopt", "number:100"),
        ("21212", "", "number:40"),
        ("22197", "change", "number:-3"),
        ("21175", "reject", ""),
        ("22111", "adopt", ""),
        ("23166", "adopt", ""),
    ];
    for (sku, decision, units) in lines {
        let row = row_of(&cells, sku);
        cells[row][0] = decision.to_owned();
        cells[row][1] = units.to_owned();
    }
    // A SKU typed over: the row no longer fits its key.
    let row = row_of(&cells, "22720");
    cells[row][0] = "adopt".to_owned();
    cells[row][4] = "22721".to_owned();
    // A quantity typed over the suggestion instead of beside it.
    let row = row_of(&cells, "47566");
    cells[row][7] = "number:500".to_owned();
    // The same line twice.
    let again = cells[row_of(&cells, "21175")].clone();
    cells.push(again);
    let read = decisions::read("answer.xlsx", &rewritten(&cells)).expect("one of ours");
    let problems: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("decision_problems", problems.join("\n"));
    assert_eq!(
        read.decisions.len(),
        1,
        "the good row still loads: {:?}",
        read.decisions
    );
}

#[test]
fn a_file_that_is_not_ours_is_refused_with_its_reason() {
    let refused = |bytes: &[u8]| -> String {
        let problems = decisions::read("x.xlsx", bytes).expect_err("refused");
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(refused(b"hello").contains("wanted the XLSX workbook of a daily mail"));
    let other = rewritten(&vec![vec!["Decision".to_owned(), "SKU".to_owned()]]);
    assert!(
        refused(&other).contains("`Plan` and `Line key`"),
        "{}",
        refused(&other)
    );
    let mut no_decision = cells(Lang::En);
    no_decision[2][0] = "Mine".to_owned();
    assert!(refused(&rewritten(&no_decision)).contains("the column `Decision`"));
    let mut two_plans = cells(Lang::En);
    two_plans[4][29] = "another".to_owned();
    assert!(refused(&rewritten(&two_plans)).contains("the plan of the other rows"));
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let zeros = vec![0_u8; 1 << 20];
    zip.start_file("xl/workbook.xml", options).expect("a part");
    for _ in 0..300 {
        zip.write_all(&zeros).expect("written");
    }
    let bytes = zip.finish().expect("a zip").into_inner();
    assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    let problems = decisions::read("bomb.xlsx", &bytes).expect_err("refused");
    assert!(problems[0].found.contains("unpacks to more"), "{problems:?}");
}

#[test]
fn choices_are_read_in_both_languages() {
    for choice in Choice::ALL {
        for lang in LANGS {
            assert_eq!(Choice::parse(&choice.word(lang)), Some(choice));
        }
    }
    assert_eq!(Choice::parse("ok"), None);
}

/// As people do it: opened, edited and saved by another program.
#[test]
fn a_workbook_edited_by_another_program_comes_back() {
    let has = Command::new("python3").args(["-c", "import openpyxl"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        missing("python3 with openpyxl is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("answer.xlsx");
    for lang in LANGS {
        std::fs::write(&path, book(lang)).expect("written");
        let output = Command::new("python3")
            .arg("-c")
            .arg(include_str!("../../fixtures/mail/edit.py"))
            .arg(&path)
            .output()
            .expect("python3 runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let read = decisions::read("answer.xlsx", &std::fs::read(&path).expect("read")).expect("one of ours");
        assert_eq!(read.problems, Vec::new());
        let found: Vec<_> = read
            .decisions
            .iter()
            .map(|d| (d.sku.as_str(), d.choice, d.units, d.reason.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("22197", Choice::Watch, None, ""),
                ("84879", Choice::Change, Some(960), "等促销"),
                ("85123A", Choice::Adopt, None, ""),
            ]
        );
    }
}
