//! Orders, inbounds and receipts: each file once, in the order of time, a corrected one by key.

use std::time::Duration;

use linkstar::args;
use linkstar::store::facts::{self, PullState};

use super::super::stage::{House, stream};
use super::{NOW, beside, both_engines, only, put, source};

const HEAD: &str = "订单号,下单时间,更新时间,状态,SKU,数量,收件人\n";

async fn units(house: &House) -> Vec<(String, i64)> {
    let mut tx = house.store.read().await.expect("the store reads");
    let sql =
        "SELECT order_id, units, state FROM order_line WHERE account_id = $1 ORDER BY order_id, fact_key";
    tx.rows(sql, args![&house.account])
        .await
        .expect("rows")
        .iter()
        .map(|row| {
            let id: String = row.get("order_id").expect("an id");
            (id, row.get("units").expect("units"))
        })
        .collect()
}

fn orders(rows: &[&str]) -> Vec<u8> {
    let text: String = std::iter::once(HEAD.to_owned())
        .chain(rows.iter().map(|row| format!("{row}\n")))
        .collect();
    // As an office program in China saves it.
    encoding_rs::GBK.encode(&text).0.into_owned()
}

#[tokio::test]
async fn every_file_is_read_once_and_a_corrected_one_is_merged_by_key() {
    for house in both_engines().await {
        let room = tempfile::tempdir().expect("a folder");
        let config = source(room.path(), &only("orders"), &["UKMA"]);
        let first = orders(&[
            "O1,2026/11/20 10:00,2026/11/20 10:00,已发货,A,2,王五",
            "O2,2026/11/21 10:00,2026/11/21 10:00,待发货,A,1,李四",
        ]);
        put(room.path(), "订单1.csv", &first, "2026-11-22T01:00:00Z");
        let report = house.pull(&config).await;
        assert_eq!(stream(&report, "orders").rows, 2, "{report:?}");
        // The same bytes under another name and a later time.
        put(room.path(), "订单2.csv", &first, "2026-11-22T09:00:00Z");
        assert_eq!(stream(&house.pull(&config).await, "orders").rows, 0);
        // The corrected export, and an older one that turns up late: what is newer stays.
        put(
            room.path(),
            "订单3.csv",
            &orders(&["O2,2026/11/21 10:00,2026/11/22 12:00,已发货,A,5,李四"]),
            "2026-11-22T10:00:00Z",
        );
        put(
            room.path(),
            "订单0.csv",
            &orders(&["O2,2026/11/21 10:00,2026/11/21 09:00,待付款,A,9,李四"]),
            "2026-11-21T10:00:00Z",
        );
        assert_eq!(stream(&house.pull(&config).await, "orders").pages, 2);
        let wanted = [("O1".to_owned(), 2), ("O2".to_owned(), 5)];
        assert_eq!(units(&house).await, wanted);
        // Persons are nowhere in what was stored.
        let mut tx = house.store.read().await.expect("the store reads");
        let sql = "SELECT sha256 FROM raw_page WHERE account_id = $1";
        let pages = tx.rows(sql, args![&house.account]).await.expect("pages");
        assert_eq!(pages.len(), 3);
        for page in pages {
            let hash: String = page.get("sha256").expect("a hash");
            let bytes = linkstar::store::blob::get(&mut tx, &house.account, &hash)
                .await
                .expect("a page");
            let text = format!("{bytes:?}");
            assert!(
                !text.contains("王五") && !String::from_utf8_lossy(&bytes).contains('李'),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn bad_rows_are_kept_out_named_and_remembered_and_their_days_stay_open() {
    let house = House::new(NOW).await;
    let room = tempfile::tempdir().expect("a folder");
    let config = source(room.path(), &only("orders"), &["UKMA"]);
    let rows = [
        "O1,2026/11/20 10:00,,已发货,A,2,x",
        "O2,21.11.2026,,已发货,A,two,x",
    ];
    put(room.path(), "orders.csv", &orders(&rows), "2026-11-22T01:00:00Z");
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "orders").state, PullState::Partial);
    assert_eq!(units(&house).await, [("O1".to_owned(), 2)], "the good row loads");
    insta::assert_snapshot!(
        "rows_kept_out",
        beside(room.path(), "orders.csv").expect("the faults")
    );
    // Not read again, and not forgotten either.
    let again = house.pull(&config).await;
    let pulled = stream(&again, "orders");
    assert_eq!((pulled.state, pulled.pages), (PullState::Partial, 0));
    insta::assert_snapshot!("rows_still_out", pulled.problem.clone().expect("a reason"));
    let covered = days(&house).await;
    assert!(covered.is_empty(), "a row of any day is missing: {covered:?}");
    put(
        room.path(),
        "orders.csv",
        &orders(&[rows[0], "O2,2026/11/21 20:00,,已发货,A,2,x"]),
        "2026-11-21T20:00:00Z",
    );
    assert_eq!(stream(&house.pull(&config).await, "orders").state, PullState::Ok);
    // From the first order's day to the day it was made, whole days only; a day without orders among them has none.
    assert_eq!(days(&house).await, ["2026-11-20 complete", "2026-11-21 partial"]);
    assert_eq!(beside(room.path(), "orders.csv"), None);
}

async fn days(house: &House) -> Vec<String> {
    let mut tx = house.store.read().await.expect("the store reads");
    let sql = "SELECT day, state FROM source_day WHERE account_id = $1 ORDER BY day";
    tx.rows(sql, args![&house.account])
        .await
        .expect("days")
        .iter()
        .map(|row| {
            let day: chrono::NaiveDate = row.get("day").expect("a day");
            format!("{day} {}", row.get::<String>("state").expect("a state"))
        })
        .collect()
}

#[tokio::test]
async fn inbounds_with_their_lines_and_batches_of_receipts() {
    for house in both_engines().await {
        let room = tempfile::tempdir().expect("a folder");
        let params = [
            ("with_stock", "no"),
            ("with_inbound", "yes"),
            ("with_receipts", "yes"),
        ];
        let config = source(room.path(), &params, &["UKMA"]);
        let inbound = "入库单号,仓库,客户参考号,状态,SKU,预报数量,上架数量\nRV1,UKMA,BH1,上架中,A,100,60\nRV1,UKMA,BH1,上架中,B,40,\nRV2,XX,,新建,A,1,\n";
        put(
            room.path(),
            "入库单.csv",
            inbound.as_bytes(),
            "2026-11-22T01:00:00Z",
        );
        let receipts = "入库单号,仓库,SKU,上架数量,上架时间\nRV1,UKMA,A,60,2026-11-20 09:00\n";
        put(
            room.path(),
            "上架明细.csv",
            receipts.as_bytes(),
            "2026-11-22T01:00:00Z",
        );
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        let mut tx = house.store.read().await.expect("the store reads");
        let (notices, lines) = facts::inbounds(&mut tx, &house.account).await.expect("inbounds");
        assert_eq!(notices.len(), 1, "a warehouse that is not ours");
        assert_eq!((notices[0].reference.as_str(), notices[0].closed), ("BH1", false));
        let announced: Vec<_> = lines.iter().map(|line| (line.announced, line.put_away)).collect();
        assert_eq!(announced, [(Some(100), Some(60)), (Some(40), None)]);
        drop(tx);
        // The next export tells the first batch again, and one that came on top.
        let more = format!("{receipts}RV1,UKMA,A,40,2026-11-22 09:00\n");
        put(
            room.path(),
            "上架明细 (1).csv",
            more.as_bytes(),
            "2026-11-23T01:00:00Z",
        );
        let done = inbound.replace("上架中", "已完成").replace("40,\n", "40,40\n");
        put(room.path(), "入库单.csv", done.as_bytes(), "2026-11-23T01:00:00Z");
        house.pull(&config).await;
        let mut tx = house.store.read().await.expect("the store reads");
        let (notices, _) = facts::inbounds(&mut tx, &house.account).await.expect("inbounds");
        assert!(notices[0].closed);
        let sql = "SELECT units FROM receipt_event WHERE account_id = $1 ORDER BY happened_at";
        let rows = tx.rows(sql, args![&house.account]).await.expect("events");
        let units: Vec<i64> = rows.iter().map(|row| row.get("units").expect("units")).collect();
        assert_eq!(units, [60, 40]);
    }
}

/// The clock of the house stands still, so a writer is seen between two looks only where looks are real.
#[tokio::test]
async fn r41_a_file_that_is_still_being_written_is_left_for_the_next_time() {
    let house = House::new(NOW).await;
    let room = tempfile::tempdir().expect("a folder");
    let config = source(room.path(), &only("orders"), &["UKMA"]);
    let client = linkstar::http::Client::new(linkstar::http::Pace::Real).expect("a client");
    client.share(&house.store, &house.account, "test");
    let path = room.path().join("orders.csv");
    let whole = orders(&[
        "O1,2026/11/20 10:00,,已发货,A,2,x",
        "O2,2026/11/20 10:00,,已发货,A,2,x",
    ]);
    let half = whole.len() / 2;
    std::fs::write(&path, &whole[..half]).expect("written");
    let (writing, bytes) = (path.clone(), whole.clone());
    let writer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        std::fs::write(writing, bytes).expect("written");
    });
    let pull =
        || linkstar::night::pull::pull(&house.store, &house.clock, &house.account, &config, &client, None);
    let report = pull().await;
    writer.await.expect("the writer");
    assert!(
        units(&house).await.is_empty(),
        "half a file is no file: {report:?}"
    );
    let problem = stream(&report, "orders").problem.clone().expect("a reason");
    assert!(problem.contains("still being written"), "{problem}");
    assert_eq!(stream(&pull().await, "orders").rows, 2);
}
