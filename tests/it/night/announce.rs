//! R28 at the keyboard: an order is shown as it would be told, and told.

use chrono::Duration;
use linkstar::night::decide;

use super::shop::{Shop, morning};
use super::state::dump;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_a_dry_run_sends_nothing_and_a_refusal_is_shown() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    shop.answer();
    let opened = shop.open(morning(0) + Duration::hours(2)).await;
    decide::run(&opened.night(false)).await.expect("the store works");
    opened.store.close().await;
    let store = shop.store().await;
    let orders = dump(&store, "stocking_order", "order_no warehouse").await;
    let order = orders
        .iter()
        .find_map(|row| row.strip_suffix(" | goodcang:UKMA"))
        .expect("an order to GoodCang")
        .to_owned();
    let messages = dump(&store, "outbox", "business_key").await;
    store.close().await;
    let at = (morning(0) + Duration::hours(3)).to_rfc3339();

    let shown = shop.linkstar(&["order", "announce", &order, "--dry-run", "--at", &at]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let json: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(json["body"]["reference_no"], order.as_str());
    assert_eq!(json["body"]["warehouse_code"], "UKMA");
    assert!(
        json["body"]["items"][0]["box_details"][0]["quantity"].as_i64() > Some(0),
        "{json}"
    );
    assert!(!shown.out.contains("app-key") && !shown.out.contains("app-token"));
    let store = shop.store().await;
    assert_eq!(
        dump(&store, "outbox", "business_key").await,
        messages,
        "nothing was written"
    );
    store.close().await;

    // Told for good: the double of the warehouse has no such call, and the refusal is shown with the order.
    let told = shop.linkstar(&["order", "announce", &order, "--at", &at]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.out.contains("HTTP 404") && told.out.contains(&order),
        "{told:?}"
    );

    let odd = shop.linkstar(&["order", "announce", &order, "--to", "goodcang-u", "--at", &at]);
    assert_eq!(odd.code, Some(2), "{odd:?}");
    assert!(odd.err.contains("did you mean `goodcang-uk`?"), "{odd:?}");
}
