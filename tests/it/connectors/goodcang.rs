//! GoodCang: stock per warehouse, inbounds and what arrived.

use linkstar::store::facts::{self, PullState};
use serde_json::{Value as Json, json};

use super::stage::{House, Reply, Stage, goodcang, stream};

const INVENTORY: &str = "/inventory/get_product_inventory";
const LIST: &str = "/inbound_order/get_grn_list";
const DETAIL: &str = "/inbound_order/get_grn_detail";
const RECEIPTS: &str = "/inbound_order/get_receipt_batch";
const PUTAWAY: &str = "/inbound_order/get_batch";

fn inventory(count: usize, rows: &[(&str, &str)]) -> Json {
    let rows: Vec<Json> = rows
        .iter()
        .map(|(sku, sellable)| {
            json!({"product_sku": sku, "warehouse_code": "UKMA", "onway": "5", "pending": "50", "sellable": sellable,
                "unsellable": "2", "reserved": "1", "pi_freeze": 0})
        })
        .collect();
    json!({"ask": "Success", "message": "Success", "count": count.to_string(), "data": rows})
}

fn no_inbounds(stage: &Stage) {
    stage.json(
        LIST,
        json!({"ask": "Success", "message": "Success", "count": "0", "data": []}),
    );
}

fn one_inbound(stage: &Stage) {
    stage.json(
        LIST,
        json!({"ask": "Success", "message": "Success", "count": "1", "data": [
            {"receiving_code": "RV1", "reference_no": "SO-1", "receiving_status": "9", "update_at": "2026-01-21 09:48:07", "warehouse_code": "UKMA"}
        ]}),
    );
    stage.json(
        DETAIL,
        json!({"ask": "Success", "data": {"overseas_detail": [
            {"box_no": "RV1-1", "product_sku": "A", "overseas_pre_count": "100", "overseas_shelves_count": "96"}]}}),
    );
    let batch = |units: &str, time: &str| json!({"receiving_code": "RV1", "box_no": "RV1-1", "product_sku": "A", "received_qty": units, "received_time": time, "quantity": "100"});
    stage.json(
        RECEIPTS,
        json!({"ask": "Success", "data": {"gc_receiving_data": [
            batch("60", "2026-01-20 09:38:59"), batch("38", "2026-01-21 09:48:07"), batch("38", "2026-01-21 09:48:07")]}}),
    );
    stage.json(
        PUTAWAY,
        json!({"ask": "Success", "data": [
            {"product_sku": "A", "quantity": "96", "putaway_time": "2026-01-21 12:00:00", "inventory_type": "1"},
            {"product_sku": "A", "quantity": "2", "putaway_time": "2026-01-21 12:00:00", "inventory_type": "2"}]}),
    );
}

async fn available(house: &House) -> Vec<(String, Option<i64>)> {
    let mut tx = house.store.read().await.expect("a transaction");
    let views = facts::latest_stock(&mut tx, &house.account).await.expect("stock");
    let rows = views.into_iter().flat_map(|view| view.rows);
    rows.map(|row| (row.sku_code, row.buckets.available)).collect()
}

#[tokio::test]
async fn r9_the_buckets_of_a_warehouse_and_r10_only_available_is_available() {
    let stage = Stage::open().await;
    no_inbounds(&stage);
    stage.json(INVENTORY, inventory(2, &[("A", "100"), ("B", "0")]));
    let house = House::new("2026-01-22T20:00:00Z").await;
    let config = goodcang(&stage);
    let report = house.pull(&config).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let asked = &stage.asked(INVENTORY)[0];
    assert_eq!(asked.body, r#"{"page":1,"pageSize":200,"warehouse_code":"UKMA"}"#);
    assert_eq!(asked.headers["app-key"], "s3cret-app_key");
    let mut tx = house.store.read().await.unwrap();
    let view = &facts::latest_stock(&mut tx, &house.account).await.unwrap()[0];
    let buckets = view.rows[0].buckets;
    assert_eq!(
        (buckets.available, buckets.pending_putaway, buckets.inbound),
        (Some(100), Some(50), Some(5))
    );
    assert_eq!(
        (buckets.unsellable, buckets.frozen, buckets.transfer),
        (Some(2), Some(0), None)
    );
    let day = "2026-01-22".parse().unwrap();
    let days = facts::stock_days(&mut tx, &house.account, day, day)
        .await
        .unwrap();
    assert_eq!(
        days.iter().map(|row| row.3).collect::<Vec<_>>(),
        [Some(100), Some(0)]
    );
}

#[tokio::test]
async fn r10_a_bucket_that_is_not_in_the_answer_is_unknown() {
    let stage = Stage::open().await;
    no_inbounds(&stage);
    stage.json(
        INVENTORY,
        json!({"ask": "Success", "count": 1, "data": [{"product_sku": "A", "warehouse_code": "UKMA", "sellable": "3"}]}),
    );
    let house = House::new("2026-01-22T02:00:00Z").await;
    house.pull(&goodcang(&stage)).await;
    let mut tx = house.store.read().await.unwrap();
    let buckets = facts::latest_stock(&mut tx, &house.account).await.unwrap()[0].rows[0].buckets;
    assert_eq!((buckets.available, buckets.pending_putaway), (Some(3), None));
}

#[tokio::test]
async fn r9_half_a_page_discards_the_snapshot_and_keeps_the_previous_one_as_stale() {
    let stage = Stage::open().await;
    no_inbounds(&stage);
    stage.json(
        INVENTORY,
        inventory(4, &[("A", "100"), ("B", "7"), ("C", "1"), ("D", "2")]),
    );
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = goodcang(&stage);
    house.pull(&config).await;
    let before = available(&house).await;
    assert_eq!(before.len(), 4);

    let cases = [
        ("half a page", inventory(4, &[("A", "0")]), "still to come"),
        (
            "an empty list after many SKUs",
            inventory(0, &[]),
            "4 SKUs were there before",
        ),
        (
            "an error in a good answer",
            json!({"ask": "Failure", "message": "系统繁忙"}),
            "系统繁忙",
        ),
        (
            "a number that is none",
            inventory(4, &[("A", "x"), ("B", "7"), ("C", "1"), ("D", "2")]),
            "`x`",
        ),
        (
            "no list",
            json!({"ask": "Success", "count": "4"}),
            "`data` of rows path",
        ),
    ];
    house.clock.set("2026-01-23T02:00:00Z".parse().unwrap());
    for (case, answer, says) in cases {
        stage.clear();
        no_inbounds(&stage);
        stage.json(INVENTORY, answer);
        let report = house.pull(&config).await;
        assert_eq!(stream(&report, "stock").state, PullState::Failed, "{case}");
        assert_eq!(stream(&report, "inbound").state, PullState::Ok, "{case}");
        assert_eq!(available(&house).await, before, "{case}");
        let mut tx = house.store.read().await.unwrap();
        let view = facts::latest_stock(&mut tx, &house.account)
            .await
            .unwrap()
            .remove(0);
        assert_eq!(
            view.stale_since,
            Some("2026-01-23T02:00:00Z".parse().unwrap()),
            "{case}"
        );
        assert_eq!(
            view.as_of,
            Some("2026-01-22T02:00:00Z".parse().unwrap()),
            "{case}"
        );
        let problem = view.problem.unwrap();
        assert!(problem.contains(says), "{case}: {problem}");
    }
    stage.clear();
    no_inbounds(&stage);
    stage.json(INVENTORY, inventory(3, &[("A", "90"), ("B", "7"), ("C", "1")]));
    house.pull(&config).await;
    let mut tx = house.store.read().await.unwrap();
    let view = facts::latest_stock(&mut tx, &house.account)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((view.rows.len(), view.stale_since, view.problem), (3, None, None));
    // D is gone from a complete snapshot: here, and only here, absence is zero.
    let day = "2026-01-23".parse().unwrap();
    let days = facts::stock_days(&mut tx, &house.account, day, day)
        .await
        .unwrap();
    let d = days.iter().find(|row| row.1 == "D").unwrap();
    assert_eq!(d.3, Some(0));
}

#[tokio::test]
async fn receipts_are_summed_over_batches_once_and_announced_is_taken_once() {
    let stage = Stage::open().await;
    stage.json(INVENTORY, inventory(1, &[("A", "100")]));
    one_inbound(&stage);
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = goodcang(&stage);
    for round in 0..2 {
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        let mut tx = house.store.read().await.unwrap();
        let (notices, lines) = facts::inbounds(&mut tx, &house.account).await.unwrap();
        assert_eq!(notices.len(), 1);
        assert_eq!(
            (notices[0].reference.as_str(), notices[0].closed),
            ("SO-1", false)
        );
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].announced, lines[0].put_away), (Some(100), Some(96)));
        let rows = tx
            .rows(
                "SELECT kind, CAST(SUM(units) AS BIGINT) AS units, COUNT(*) AS events FROM receipt_event
                 WHERE account_id = $1 GROUP BY kind ORDER BY kind",
                linkstar::args![&house.account],
            )
            .await
            .unwrap();
        let found: Vec<(String, i64, i64)> = rows
            .iter()
            .map(|row| {
                (
                    row.get("kind").unwrap(),
                    row.get("units").unwrap(),
                    row.get("events").unwrap(),
                )
            })
            .collect();
        let expected = [("damaged", 2, 1), ("put_away", 96, 1), ("received", 136, 3)];
        assert_eq!(
            found,
            expected.map(|(kind, units, events)| (kind.to_owned(), units, events)),
            "round {round}"
        );
    }
    // Beijing time, three days back from where the last pull ended.
    let asked = stage.asked(LIST);
    assert!(
        asked[0]
            .body
            .contains(r#""modify_date_to":"2026-01-22 10:00:00""#),
        "{}",
        asked[0].body
    );
    assert!(
        asked[1]
            .body
            .contains(r#""modify_date_from":"2026-01-19 10:00:00""#),
        "{}",
        asked[1].body
    );
}

#[tokio::test]
async fn an_inbound_whose_batches_fail_is_asked_for_again_and_the_others_go_on() {
    let stage = Stage::open().await;
    stage.json(INVENTORY, inventory(1, &[("A", "100")]));
    one_inbound(&stage);
    let house = House::new("2026-01-22T02:00:00Z").await;
    let config = goodcang(&stage);
    let broken = Stage::open().await;
    broken.json(INVENTORY, inventory(1, &[("A", "100")]));
    broken.json(
        LIST,
        json!({"ask": "Success", "count": "1", "data": [
            {"receiving_code": "RV1", "reference_no": "SO-1", "receiving_status": "9", "update_at": "2026-01-21 09:48:07", "warehouse_code": "UKMA"}]}),
    );
    broken.json(DETAIL, json!({"ask": "Success", "data": {"overseas_detail": []}}));
    broken.on(RECEIPTS, Reply::Json(500, json!({"message": "down"})));
    broken.json(PUTAWAY, json!({"ask": "Success", "data": []}));
    let mut failing = config.clone();
    failing.params.insert("base_url".to_owned(), broken.url.clone());

    let report = house.pull(&failing).await;
    assert_eq!(stream(&report, "receipts").state, PullState::Failed, "{report:?}");
    assert_eq!(stream(&report, "putaway").state, PullState::Ok);
    assert_eq!(stream(&report, "inbound").state, PullState::Partial);
    assert_eq!(stream(&report, "stock").state, PullState::Ok);
    house.clock.set("2026-01-29T02:00:00Z".parse().unwrap());
    house.pull(&config).await;
    // The cursor had not moved: the second pull starts like a first one, not three days before the failed one.
    let body = &stage.asked(LIST)[0].body;
    assert!(
        body.contains(r#""modify_date_from":"2026-01-09 08:00:00""#),
        "{body}"
    );
}
