//! Amazon: what customers sent back (R71).

use linkstar::args;
use linkstar::store::facts::PullState;

use super::amazon_orders::config;
use super::stage::{House, REPORTS, Stage, at, report_text, stream};

const RETURNS: &str = "return-date\torder-id\tsku\tasin\tfnsku\tproduct-name\tquantity\tfulfillment-center-id\tdetailed-disposition\treason\tstatus\tlicense-plate-number\tcustomer-comments\n\
2026-03-20T10:00:00+00:00\t202-1\tA\tB1\tX1\tMug\t1\tLTN4\tSELLABLE\tUNWANTED_ITEM\tUnit returned to inventory\tLPN1\tmy secret words\n\
2026-03-20T10:00:00+00:00\t202-1\tA\tB1\tX1\tMug\t1\tLTN4\tSELLABLE\tUNWANTED_ITEM\tUnit returned to inventory\tLPN1\tmy secret words\n\
2026-03-21T10:00:00+00:00\t202-2\tA\tB1\tX1\tMug\t1\tLTN4\tCUSTOMER_DAMAGED\tDEFECTIVE\t\t\t\n\
2026-03-21T10:00:00+00:00\t202-2\tA\tB1\tX1\tMug\t1\tLTN4\tCUSTOMER_DAMAGED\tDEFECTIVE\t\t\t\n\
2026-03-22T10:00:00+00:00\t202-3\tNOBODY-KNOWS\tB1\tX1\tMug\t2\tLTN4\tDEFECTIVE\t\t\tLPN3\t\n";

#[tokio::test]
async fn r71_returns_are_kept_once_brought_up_to_date_and_change_neither_stock_nor_sales() {
    let stage = Stage::open().await;
    let house = House::new("2026-04-02T02:00:00Z").await;
    let config = config(&stage, &["returns"]);
    let mut told = Vec::new();
    let changed = RETURNS.replace("SELLABLE", "DEFECTIVE");
    for (night, text) in [
        ("2026-04-02T02:00:00Z", RETURNS),
        ("2026-04-03T02:00:00Z", &changed),
    ] {
        stage.clear();
        // One document for orders and returns, with the columns of both: no row of it is an order.
        let head = report_text(&[]);
        let columns = head.trim_end();
        let mut both = String::new();
        for (number, line) in text.lines().enumerate() {
            let empty = "\t".repeat(columns.matches('\t').count());
            let own = if number == 0 { columns } else { &empty };
            both.push_str(&format!("{own}\t{line}\n"));
        }
        stage.with_token().with_report(&both).with_summaries(&[("A", 7)]);
        house.clock.set(at(night));
        let report = house.pull(&config).await;
        let returns = stream(&report, "returns");
        assert_eq!(returns.state, PullState::Ok, "{returns:?}");
        assert!(returns.rows >= 5, "{returns:?}");
        let asked = stage.asked(REPORTS);
        assert!(
            asked
                .iter()
                .any(|asked| asked.body.contains("GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"))
        );
        let mut tx = house.store.read().await.unwrap();
        let rows = linkstar::store::returned::since(&mut tx, &house.account, at("2026-01-01T00:00:00Z"))
            .await
            .unwrap();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|row| {
                (
                    row.key,
                    row.sku_code,
                    row.units,
                    row.disposition.unwrap_or_default(),
                )
            })
            .collect();
        told.push(rows);
        // Seven in the stock before and after, and nothing sold or taken back.
        let view = &linkstar::store::facts::latest_stock(&mut tx, &house.account)
            .await
            .unwrap()[0];
        assert_eq!(view.rows[0].buckets.available, Some(7));
        for table in ["sales_day", "order_line", "receipt_event"] {
            let sql = format!("SELECT COUNT(*) AS n FROM {table} WHERE account_id = $1");
            let sql: &'static str = Box::leak(sql.into_boxed_str());
            let row = tx.row(sql, args![&house.account]).await.unwrap().unwrap();
            assert_eq!(row.get::<i64>("n").unwrap(), 0, "{table}");
        }
        let pages = tx
            .rows(
                "SELECT sha256 FROM raw_page WHERE account_id = $1",
                args![&house.account],
            )
            .await
            .unwrap();
        for page in &pages {
            let sha: String = page.get("sha256").unwrap();
            let bytes = linkstar::store::blob::get(&mut tx, &house.account, &sha)
                .await
                .unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("my secret words"));
        }
    }
    let expected = |first: &str| {
        vec![
            ("unit|LPN1".to_owned(), "A".to_owned(), 1, first.to_owned()),
            (
                "said|202-2|A|2026-03-21T10:00:00Z|1".to_owned(),
                "A".to_owned(),
                1,
                "CUSTOMER_DAMAGED".to_owned(),
            ),
            (
                "said|202-2|A|2026-03-21T10:00:00Z|2".to_owned(),
                "A".to_owned(),
                1,
                "CUSTOMER_DAMAGED".to_owned(),
            ),
            (
                "unit|LPN3".to_owned(),
                "NOBODY-KNOWS".to_owned(),
                2,
                "DEFECTIVE".to_owned(),
            ),
        ]
    };
    assert_eq!(told[0], expected("SELLABLE"));
    assert_eq!(told[1], expected("DEFECTIVE"));
}
