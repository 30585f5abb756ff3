//! A list of order lines that stand beside each other: an order that ends on another page than it began on is whole.

use linkstar::args;
use linkstar::store::facts::PullState;
use serde_json::{Value as Json, json};

use super::desk::{Desk, config_at, said};
use super::stage::{House, at, stream};

const ACCESS: &str = r#"
[stream.lines]
record = "order_line"
request = { method = "GET", path = "/lines", query = { page = "{page}", from = "{from}" } }
page = { kind = "number", pages = "pages" }
rows = "lines[]"
[stream.lines.cursor]
start_days = "10"
window_days = 20
lookback_hours = 240
[stream.lines.map]
order_id = "order"
line = "line"
sku_code = "sku"
marketplace = "'m'"
fulfilment = "'f'"
ordered_at = "at | ts('rfc3339')"
updated_at = "changed | ts('rfc3339')"
state = "'shipped'"
units = "n | int"
[stream.stock]
request = { method = "GET", path = "/stock" }
"#;

fn line(order: &str, number: u32, units: i64, changed: &str) -> Json {
    json!({"order": order, "line": number, "sku": "A", "at": "2026-03-01T10:00:00Z", "changed": changed, "n": units})
}

async fn known(house: &House) -> Vec<(String, i64)> {
    let mut tx = house.store.read().await.expect("a transaction");
    let sql = "SELECT order_id, CAST(SUM(units) AS BIGINT) AS units FROM order_line WHERE account_id = $1
               GROUP BY order_id ORDER BY order_id";
    let rows = tx.rows(sql, args![&house.account]).await.expect("rows");
    let row = |row: &linkstar::store::Row| {
        (
            row.get("order_id").expect("an order"),
            row.get("units").expect("units"),
        )
    };
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn an_order_whose_lines_stand_on_two_pages_keeps_them_all() {
    let desk = Desk::open(|heard| {
        if heard.path == "/stock" {
            return super::desk::stock();
        }
        // The second line of the split order was changed later than the first.
        let (first, later) = ("2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z");
        let page = match heard.query["page"].as_str() {
            "1" => vec![
                line("O1", 1, 1, first),
                line("O2", 1, 2, first),
                line("O2", 2, 4, later),
            ],
            "2" => vec![line("O2", 3, 8, first), line("O3", 1, 16, first)],
            _ => vec![line("O2", 4, 32, later)],
        };
        said(200, json!({"pages": 3, "lines": page}))
    })
    .await;
    let house = House::new("2026-03-05T00:00:00Z").await;
    let config = config_at(&desk.url, "desk", ACCESS, &[]);
    let whole = [("O1".to_owned(), 1), ("O2".to_owned(), 46), ("O3".to_owned(), 16)];
    for night in ["2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z"] {
        house.clock.set(at(night));
        let report = house.pull(&config).await;
        let lines = stream(&report, "lines");
        assert_eq!((lines.state, lines.rows), (PullState::Ok, 6), "{lines:?}");
        assert_eq!(known(&house).await, whole);
    }
}
