//! The worked example of `docs/connectors.md`: its file holds, and reads the workbook it tells of.

use linkstar::connector::{Definition, run_tests};
use linkstar::store::facts::PullState;

use super::super::stage::{House, stream};
use super::super::tape::run;
use super::workbooks::openpyxl;
use super::{NOW, known, own};

const DOCS: &str = include_str!("../../../../docs/connectors.md");

fn example() -> &'static str {
    DOCS.split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.contains("[files]\n"))
        .expect("the example")
}

#[tokio::test]
async fn the_example_of_a_warehouse_that_only_exports_excel_holds() {
    let definition = Definition::parse("my-warehouse.toml", example()).expect("a good file");
    assert_eq!(run_tests(&definition), Ok(1));
    let room = tempfile::tempdir().expect("a folder");
    let file = room.path().join("库存报表_20261123.xlsx");
    let rows = "sheet.append(['英国仓库存报表'])\nsheet.append(['货号', '良品数', '次品数'])\nsheet.append(['A-1', 1200, 3])\nsheet.append(['合计', 1200, 3])";
    if !openpyxl(&file, rows) {
        return;
    }
    let house = House::new(NOW).await;
    let report = house.pull(&own(example(), room.path())).await;
    assert_eq!(stream(&report, "stock").state, PullState::Ok, "{report:?}");
    let stock = known(&house, "files:UKMA").await.expect("stock");
    assert_eq!(stock.available, [("A-1".to_owned(), Some(1200))]);
    // What `new` writes of the same workbook is whole, and its own test holds.
    std::fs::write(
        room.path().join("linkstar.toml"),
        "[account]\nid = 'main'\nname = 'test'\nlanguage = 'en'\n",
    )
    .expect("written");
    let name = "库存报表_20261123.xlsx";
    let args = [
        "connector",
        "new",
        "my-warehouse",
        "--record",
        "stock",
        "--page",
        name,
    ];
    let draft = run(room.path(), &args).await;
    assert_eq!(draft.code, Some(0), "{}", draft.err);
    assert!(
        draft.out.contains("known = [\"货号\", \"良品数\", \"次品数\"]"),
        "{}",
        draft.out
    );
}
