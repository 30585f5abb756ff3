//! A folder of files as input: what is read, what is assumed, what is refused.

use std::collections::BTreeMap;
use std::path::Path;

use linkstar::cli::plan_dir;
use linkstar::mapping::plan_folder::{FolderInput, read};
use linkstar::planner::{Plan, Reason, plan};
use linkstar::problem::Problem;
use linkstar::wording::Lang;

use super::{after, day};

type Files = BTreeMap<String, Vec<u8>>;

pub fn small() -> FolderInput {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planner/small");
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).expect("fixture") {
        let entry = entry.expect("entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, std::fs::read(entry.path()).expect("bytes"));
    }
    read(&files, day("2026-11-22")).expect("readable")
}

fn files(list: &[(&str, &str)]) -> Files {
    list.iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn good(list: &[(&str, &str)]) -> FolderInput {
    read(&files(list), day("2026-11-22")).expect("a plan can be made")
}

fn planned(input: &FolderInput) -> Plan {
    plan(&input.snapshot, &input.policy, None)
}

fn places(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Sales every `step` days for a year, `units` each.
fn sparse(step: i64, units: i64) -> String {
    let mut text = "sku,date,units\n".to_owned();
    for back in (1..=365).rev().filter(|back| back % step == 0 || *back == 1) {
        text.push_str(&format!("A,{},{units}\n", after(day("2026-11-22"), -back)));
    }
    text
}

#[test]
fn a_sheet_of_sales_days_only_counts_the_days_between_as_zero_and_says_so() {
    let input = good(&[
        ("sales.csv", &sparse(5, 10)),
        ("stock.csv", "sku,available\nA,100\n"),
    ]);
    let codes: Vec<&str> = input.assumptions.iter().map(|a| a.code.as_str()).collect();
    assert!(
        codes.contains(&"absent_day_zero") && codes.contains(&"one_warehouse"),
        "{codes:?}"
    );
    let line = &planned(&input).lines[0];
    let velocity: f64 = line.velocity_90.unwrap().to_string().parse().unwrap();
    assert!((velocity - 2.0).abs() < 0.15, "{velocity}");
}

#[test]
fn a_dense_sheet_with_zeros_counts_a_missing_day_as_unknown() {
    let mut text = "sku,date,units\n".to_owned();
    for back in (1..=200).rev().filter(|back| back % 10 != 0) {
        let units = if back % 2 == 0 { 0 } else { 10 };
        text.push_str(&format!("A,{},{units}\n", after(day("2026-11-22"), -back)));
    }
    let input = good(&[("sales.csv", &text), ("stock.csv", "sku,available\nA,100\n")]);
    assert!(input.assumptions.iter().any(|a| a.code == "absent_day_gap"));
    assert_eq!(planned(&input).lines[0].explain.units_of("gap_days"), Some(19));
    let forced = good(&[
        ("sales.csv", &text),
        ("stock.csv", "sku,available\nA,100\n"),
        ("policy.toml", "absent_day = \"zero\"\n"),
    ]);
    assert_eq!(planned(&forced).lines[0].explain.units_of("gap_days"), Some(0));
}

#[test]
fn r8_a_day_missing_from_the_whole_file_is_a_gap_and_not_a_zero() {
    let mut text = "sku,date,units\n".to_owned();
    for back in (1..=200).rev().filter(|back| !(40..50).contains(back)) {
        text.push_str(&format!("A,{},12\n", after(day("2026-11-22"), -back)));
    }
    let stock = ("stock.csv", "sku,available\nA,100\n");
    let input = good(&[("sales.csv", &text), stock]);
    assert!(
        input
            .assumptions
            .iter()
            .any(|a| a.code == "missed_days" && a.value == "10")
    );
    let line = &planned(&input).lines[0];
    assert_eq!(line.velocity_90.map(|v| v.to_string()).as_deref(), Some("12"));
    assert_eq!(line.explain.units_of("gap_days"), Some(10));
    // A shop that is closed on Sundays sells nothing on Sundays.
    let mut closed = "sku,date,units\n".to_owned();
    for back in (1..=210).rev().filter(|back| back % 7 != 0) {
        closed.push_str(&format!("A,{},7\n", after(day("2026-11-22"), -back)));
    }
    let line = planned(&good(&[("sales.csv", &closed), stock])).lines[0].clone();
    assert_eq!(line.velocity_7.map(|v| v.to_string()).as_deref(), Some("6"));
}

#[test]
fn the_future_is_hidden_sales_on_and_after_the_day_change_nothing() {
    let past = sparse(2, 4);
    let mut leaking = past.clone();
    for ahead in 0..60 {
        leaking.push_str(&format!("A,{},{}\n", after(day("2026-11-22"), ahead), 500));
    }
    let stock = ("stock.csv", "sku,available\nA,10\n");
    let lead = ("policy.toml", "lead_p50 = 40\n");
    let receipts = "shipped_on,received_on\n2026-11-01,2026-12-24\n2026-11-02,2026-12-20\n";
    let honest = good(&[("sales.csv", &past), stock, lead]);
    let tempted = good(&[("sales.csv", &leaking), stock, lead, ("receipts.csv", receipts)]);
    let (honest, tempted) = (planned(&honest), planned(&tempted));
    assert_eq!(
        honest.lines[0].explain.units_of("order_up_to"),
        tempted.lines[0].explain.units_of("order_up_to")
    );
    assert!(honest.lines[0].suggested_units > Some(0));
}

#[test]
fn three_faults_in_one_row_and_faults_in_every_file_are_listed_at_once() {
    let input = good(&[
        (
            "items.csv",
            "sku,carton_units,moq,unit_cost,cost_currency\nA,0,x,free,RMB1\n",
        ),
        (
            "sales.csv",
            "sku,date,units,in_stock\nA,2026-11-20,3,yes\nA,20/11/2026,2,yes\n,2026-11-19,1,yes\nA,2026-11-18,1.5,maybe\n",
        ),
        ("stock.csv", "sku,available\nA,ten\n"),
        ("inbound.csv", "sku,units,eta\nA,-5,soon\n"),
        ("receipts.csv", "shipped_on,received_on\n2026-05-01,2026-04-01\n"),
        ("policy.toml", "servce_level = 0.95\nreview_days = 0\n"),
    ]);
    insta::assert_snapshot!("folder_problems", places(&input.problems).join("\n"));
    let line = &planned(&input).lines[0];
    assert_eq!(line.suggested_units, None);
    assert!(line.reasons.contains(&Reason::StockUnknown));
}

#[test]
fn a_missing_file_or_column_is_named_with_the_nearest() {
    let error = read(&files(&[("sale.csv", "sku,date,units\n")]), day("2026-11-22")).unwrap_err();
    insta::assert_snapshot!("folder_missing_file", places(&error).join("\n"));
    let error = read(
        &files(&[("sales.csv", "sku,dat,units\nA,2026-11-01,3\n")]),
        day("2026-11-22"),
    )
    .unwrap_err();
    insta::assert_snapshot!("folder_missing_column", places(&error).join("\n"));
}

#[test]
fn chinese_headers_gbk_and_full_width_digits_are_read() {
    let (sales, _, _) = encoding_rs::GBK.encode("货号,日期,销量\nA,2026/11/20,１２\nA,2026/11/21,１２\n");
    let mut all = files(&[
        ("stock.csv", "货号,可用\nA,５０\n"),
        ("policy.csv", "参数,值\nlead_p50,30\n"),
    ]);
    all.insert("sales.csv".to_owned(), sales.into_owned());
    let input = read(&all, day("2026-11-22")).unwrap();
    assert_eq!(input.problems, vec![]);
    let line = &planned(&input).lines[0];
    assert_eq!(line.available, Some(50));
    assert_eq!(line.velocity_7.map(|v| v.to_string()).as_deref(), Some("12"));
    assert!(line.reasons.contains(&Reason::NewItem));
}

#[test]
fn the_command_tells_complete_from_partial_from_nothing_by_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    let run =
        |out: &mut Vec<u8>| plan_dir::run(folder.path(), day("2026-11-22"), true, Lang::En, out).unwrap();
    assert_eq!(run(&mut out), plan_dir::EXIT_NO_PLAN);
    std::fs::write(folder.path().join("sales.csv"), sparse(3, 5)).unwrap();
    std::fs::write(folder.path().join("stock.csv"), "sku,available\nA,9\nA,9\n").unwrap();
    out.clear();
    assert_eq!(run(&mut out), plan_dir::EXIT_PROBLEMS);
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value["problems"].as_array().unwrap().len(), 1);
    assert_eq!(value["lines"][0]["reasons"][0], "lead_time_unknown");
    std::fs::write(folder.path().join("stock.csv"), "sku,available\nA,9\n").unwrap();
    std::fs::write(
        folder.path().join("policy.toml"),
        "lead_p50 = 30\nlead_p90 = 40\n",
    )
    .unwrap();
    out.clear();
    assert_eq!(run(&mut out), plan_dir::EXIT_COMPLETE);
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert!(value["lines"][0]["order_up_to"].as_i64().unwrap() > 0);
    assert!(
        plan_dir::run(
            &folder.path().join("none"),
            day("2026-11-22"),
            true,
            Lang::En,
            &mut out
        )
        .is_err()
    );
}

#[test]
fn a_workbook_is_read_as_the_csv_of_its_name_and_its_faults_are_named_by_row() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let form = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    for (column, head) in ["货号", "日期", "销量"].into_iter().enumerate() {
        sheet.write(0, u16::try_from(column).unwrap(), head).unwrap();
    }
    let mut csv = "sku,date,units\n".to_owned();
    for row in 1..=30_u32 {
        let date = after(day("2026-11-22"), -i64::from(row));
        sheet.write(row, 0, "A").unwrap();
        sheet.write_with_format(row, 1, &date, &form).unwrap();
        sheet.write(row, 2, row % 5).unwrap();
        csv.push_str(&format!("A,{date},{}\n", row % 5));
    }
    sheet.write(31, 0, "A").unwrap();
    sheet.write(31, 1, "soon").unwrap();
    let mut files = files(&[
        ("stock.csv", "sku,available\nA,5\n"),
        ("policy.csv", "key,value\nlead_p50,30\n"),
    ]);
    files.insert("sales.xlsx".to_owned(), book.save_to_buffer().unwrap());
    let from_book = read(&files, day("2026-11-22")).unwrap();
    assert_eq!(
        places(&from_book.problems),
        ["sales.xlsx, row 32, `date`: found `soon`, wanted a date such as 2026-11-22"]
    );
    files.remove("sales.xlsx");
    files.insert("sales.csv".to_owned(), csv.into_bytes());
    let from_text = read(&files, day("2026-11-22")).unwrap();
    assert_eq!(from_book.snapshot.series, from_text.snapshot.series);
    files.insert("sales.xlsx".to_owned(), b"PK\x03\x04".to_vec());
    let both = read(&files, day("2026-11-22")).unwrap();
    assert_eq!(both.problems.len(), 1, "{:?}", places(&both.problems));
}

#[test]
fn a_quote_never_closed_is_named_and_what_it_takes_in_counted() {
    let input = good(&[
        (
            "sales.csv",
            "sku,date,units\nA,2026-11-18,4\n\"A,2026-11-19,4\nA,2026-11-20,4\nA,2026-11-21,4\n",
        ),
        ("stock.csv", "sku,available\nA,5\n"),
        ("notes.csv", ""),
    ]);
    assert_eq!(input.problems.len(), 1, "{:?}", places(&input.problems));
    assert_eq!(input.problems[0].place, "line 3");
    assert!(
        input.problems[0].wanted.contains("takes in"),
        "{:?}",
        input.problems
    );
}

#[test]
fn r21_days_that_cannot_be_are_listed_by_row() {
    let input = good(&[
        ("sales.csv", &sparse(3, 5)),
        (
            "receipts.csv",
            "ordered_on,shipped_on,received_on,sellable_on\n\
             2026-01-01,2026-02-01,2026-03-01,2026-03-04\n\
             2026-02-02,2026-02-01,2026-03-01,2026-03-04\n\
             2025-01-01,2025-01-02,2026-08-01,\n\
             2026-01-01,,2026-03-01,\n\
             2026-10-01,2026-10-20,,\n",
        ),
        (
            "warehouses.csv",
            "code,lead_p50,lead_p90,putaway_p90\nmain,45,30,4\n",
        ),
        ("policy.toml", "review_days = 7\nlead_p90 = 50\nmoq = \"never\"\n"),
    ]);
    insta::assert_snapshot!("folder_days", places(&input.problems).join("\n"));
}
