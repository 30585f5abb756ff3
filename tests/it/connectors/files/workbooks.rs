//! Workbooks as other programs write them: openpyxl and LibreOffice.

use std::path::Path;
use std::process::Command;

use linkstar::store::facts::PullState;

use super::super::stage::{House, stream};
use super::{NOW, beside, known, only, own, source, touch};
use crate::services::missing;

/// Runs a program with openpyxl over `sys.argv[1]`; false when there is none.
pub fn openpyxl(file: &Path, program: &str) -> bool {
    let ran = Command::new("python3")
        .arg("-c")
        .arg(format!("import sys, datetime, openpyxl\nbook = openpyxl.Workbook()\nsheet = book.active\n{program}\nbook.save(sys.argv[1])"))
        .arg(file)
        .output();
    let said = match &ran {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(_) => String::new(),
    };
    assert!(said.is_empty() || said.contains("No module"), "{said}");
    missing("python3 with openpyxl is not installed");
    false
}

const REPORT: &str = r#"
sheet.title = "说明"
sheet.append(["please read"])
stock = book.create_sheet("库存")
stock.append(["英国仓库存报表"])
stock.append(["导出时间：2026-11-23 08:30"])
stock.append([])
stock.append(["仓库", "商品编码", "可用数量", "在途", "库存日期"])
stock.append(["UKMA", "A", 1200, "1,000", datetime.date(2026, 11, 23)])
stock.append(["UKMA", "B", "３５", None, datetime.date(2026, 11, 23)])
stock.append(["UKMA", "C", FORMULA, 0, datetime.date(2026, 11, 23)])
stock.append(["合计", None, 1240])
"#;

/// The shipped stream, on a named sheet, with the time in a cell.
fn on_sheet(folder: &Path, as_of: &str) -> linkstar::connector::ConnectorConfig {
    let text = format!(
        r#"version = 1
name = "own"
zone = "Asia/Shanghai"
doctor = "stock"
[params]
folder = {{ about = "the folder" }}
[files]
folder = "${{param:folder}}"
[stream.stock]
record = "stock"
snapshot = "complete"
warehouse = "UKMA"
file = "*.xlsx"
decode = {{ kind = "xlsx", sheet = "库存" }}
as_of = {as_of}
totals = ["合计"]
map = {{ sku_code = "sku", warehouse = "仓库", available = "available | int", inbound = "在途 | int" }}
known = ["库存日期"]
alias = {{ sku = ["商品编码"], available = ["可用数量"] }}
"#
    );
    own(&text, folder)
}

#[tokio::test]
async fn a_sheet_of_openpyxl_with_a_title_text_numbers_and_a_date() {
    let room = tempfile::tempdir().expect("a folder");
    let file = room.path().join("report.xlsx");
    if !openpyxl(&file, &REPORT.replace("FORMULA", "5")) {
        return;
    }
    for (as_of, wanted) in [
        ("{ cell = \"A2\" }", "2026-11-23T00:30:00+00:00"),
        ("{ column = \"库存日期\" }", "2026-11-22T16:00:00+00:00"),
    ] {
        let house = House::new(NOW).await;
        let report = house.pull(&on_sheet(room.path(), as_of)).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        let stock = known(&house, "files:UKMA").await.expect("stock");
        assert_eq!(stock.as_of.as_deref(), Some(wanted));
        let units: Vec<_> = stock.available.iter().map(|(_, units)| *units).collect();
        assert_eq!(units, [Some(1200), Some(35), Some(5)]);
    }
}

#[tokio::test]
async fn a_formula_is_read_by_its_result_and_one_without_is_named_with_its_cell() {
    let room = tempfile::tempdir().expect("a folder");
    let file = room.path().join("report.xlsx");
    if !openpyxl(&file, &REPORT.replace("FORMULA", "\"=SUM(2,3)\"")) {
        return;
    }
    touch(&file, NOW);
    let house = House::new(NOW).await;
    let config = on_sheet(room.path(), "{ cell = \"A2\" }");
    let report = house.pull(&config).await;
    let pulled = stream(&report, "stock");
    assert_eq!(pulled.state, PullState::Failed);
    insta::assert_snapshot!(
        "formula_without_a_result",
        beside(room.path(), "report.xlsx").expect("the fault")
    );
    // LibreOffice works it out and saves it.
    let profile = tempfile::tempdir().expect("a folder");
    let Some(saved) = crate::documents::judge::libreoffice(&file, profile.path()) else {
        return;
    };
    std::fs::copy(saved, &file).expect("copied");
    touch(&file, NOW);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let stock = known(&house, "files:UKMA").await.expect("stock");
    assert_eq!(stock.available.last(), Some(&("C".to_owned(), Some(5))));
}

#[tokio::test]
async fn a_workbook_without_the_columns_or_with_one_twice_says_what_is_there() {
    let room = tempfile::tempdir().expect("a folder");
    let house = House::new(NOW).await;
    let config = source(room.path(), &only("stock"), &["UKMA"]);
    let mut said = String::new();
    for (name, rows) in [
        (
            "stock1.xlsx",
            "sheet.append(['SKU', '可用库存', '可用数量'])\nsheet.append(['A', 1, 2])",
        ),
        (
            "stock2.xlsx",
            "sheet.append(['SKU', '数目'])\nsheet.append(['A', 1])",
        ),
        (
            "stock3.xlsx",
            "sheet.append(['nothing', 'of', 'it'])\nsheet.append(['A', 1])",
        ),
    ] {
        let file = room.path().join(name);
        if !openpyxl(&file, rows) {
            return;
        }
        touch(&file, NOW);
        house.pull(&config).await;
        said.push_str(&beside(room.path(), name).expect("the fault"));
    }
    insta::assert_snapshot!("columns", said);
}
