//! Forecasts are judged once their days are over, and people's files beside the configuration reach the plan.

use std::fs;

use serde_json::Value;

use super::shop::{Shop, date, morning, step};
use chrono::Duration;
use linkstar::night::Step;
use linkstar::store::{accuracy, plans};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_whose_days_are_over_is_judged_once_and_told() {
    let shop = Shop::new(19).await;
    shop.night(0).await;
    let early = shop.linkstar(&["--lang", "en", "forecast", "--at", &morning(1).to_rfc3339()]);
    assert!(early.out.contains("No forecast can be judged yet"), "{early:#?}");
    let late = 130;
    shop.advance(morning(late));
    let report = shop.night(late).await;
    let judged = &step(&report, Step::Plan).counts;
    assert_eq!(judged.get("forecasts_judged").copied(), Some(1), "{judged:?}");
    let store = shop.store().await;
    let account = shop.config().account.id;
    let mut tx = store.read().await.expect("a transaction");
    let rows = accuracy::since(&mut tx, &account, date(0)).await.expect("rows");
    drop(tx);
    store.close().await;
    assert!(rows.iter().all(|row| row.made_on == date(0)));
    let lines: i64 = rows.iter().map(|row| row.accuracy.lines).sum();
    assert!(lines > 0, "{rows:?}");
    for row in &rows {
        let score = &row.accuracy;
        assert!(
            score.covered.is_sorted() && score.covered[2] <= score.lines,
            "{row:?}"
        );
        assert!(score.loss.iter().all(|loss| *loss >= 0), "{row:?}");
    }
    let at = morning(late).to_rfc3339();
    let json: Value =
        serde_json::from_str(&shop.linkstar(&["forecast", "--json", "--at", &at]).out).expect("JSON");
    let all = json["classes"]
        .as_array()
        .and_then(|classes| classes.last())
        .expect("a sum")
        .clone();
    assert_eq!(all["sums"]["lines"].as_i64(), Some(lines));
    assert!(all["scores"]["pinball_permille"]["950"].is_i64(), "{all}");
    let told = shop.linkstar(&["--lang", "zh-CN", "forecast", "--at", &at]);
    assert!(
        told.out.contains("已评判 1 天的预测") && told.out.contains("全部"),
        "{told:#?}"
    );
    // Another night of that day judges nothing twice.
    let again = shop.night(late + 1).await;
    assert_eq!(
        step(&again, Step::Plan).counts.get("forecasts_judged").copied(),
        Some(0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_override_beside_the_configuration_reaches_the_plan_and_a_wrong_one_is_told() {
    let shop = Shop::new(7).await;
    let folder = shop.config().home.join("demand");
    fs::create_dir_all(&folder).expect("a folder");
    shop.night(0).await;
    let plan: Value = serde_json::from_str(&shop.linkstar(&["plan", "--json"]).out).expect("JSON");
    let line = plan["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .max_by_key(|line| line["need_units"].as_i64())
        .expect("a line")
        .clone();
    let (sku, warehouse) = (
        line["sku"].as_str().expect("a SKU"),
        line["warehouse"].as_str().expect("a code"),
    );
    let text = format!(
        "warehouse,sku,from,until,factor,author\n{warehouse},{sku},{},{},3,li\n{warehouse},{sku},{},,2,li\n",
        date(1),
        date(300),
        date(1),
    );
    fs::write(folder.join("overrides.csv"), text).expect("a file");
    shop.advance(morning(1));
    let report = shop.night(1).await;
    let problems = step(&report, Step::Plan).problems.join("\n");
    assert!(
        problems.contains("overrides.csv") && problems.contains("until"),
        "{problems}"
    );
    let plan: Value = serde_json::from_str(&shop.linkstar(&["plan", "--json"]).out).expect("JSON");
    let after = plan["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .find(|line| line["sku"] == sku && line["warehouse"] == warehouse)
        .expect("the line")
        .clone();
    let need = |line: &Value| line["need_units"].as_i64().expect("a need");
    assert!(need(&after) > 2 * need(&line), "{} {}", need(&after), need(&line));
    let explained = shop.linkstar(&["--lang", "en", "explain", sku, "--warehouse", warehouse]);
    assert!(
        explained.out.contains("Override: 300 %") && explained.out.contains("By: li"),
        "{explained:#?}"
    );
}

/// What came into the shop in spring is not judged by the year before, in which nobody could buy it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_an_item_begins_with_its_first_sale() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    let opened = shop.open(morning(0)).await;
    let account = opened.night(false).account().clone();
    let mut tx = opened.store.read().await.expect("the store works");
    let head = plans::latest_head(&mut tx, &account)
        .await
        .expect("read")
        .expect("a plan");
    let (snapshot, _) = plans::inputs(&mut tx, &account, &head)
        .await
        .expect("what it was made of");
    let sold: Vec<_> = snapshot
        .series
        .iter()
        .filter(|item| item.sales.units.iter().flatten().any(|units| units > 0))
        .collect();
    let earliest = sold.iter().map(|item| item.sales.first_day).min().expect("items");
    let late = sold
        .iter()
        .filter(|item| item.sales.first_day > earliest + Duration::days(20));
    assert!(late.count() > 3, "items of this spring");
    for item in sold {
        // The first night has seen one morning's stock: the sales alone say since when.
        assert!(
            item.sales.units.get(0) > Some(0),
            "{} {:?}",
            item.sku,
            item.sales.first_day
        );
    }
}
