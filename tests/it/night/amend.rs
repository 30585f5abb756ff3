//! The ways out of a booking that the forwarder refused: mended and issued anew, or given up.

use std::fs;

use chrono::Duration;
use linkstar::night::decide;

use super::shop::{Shop, morning};
use super::state::dump;

/// A first night that was answered and delivered, and a forwarder who refuses the first order.
async fn refused() -> (Shop, String, String) {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    shop.answer();
    let opened = shop.open(morning(0) + Duration::hours(2)).await;
    decide::run(&opened.night(false)).await.expect("the store works");
    opened.store.close().await;
    shop.deliver(morning(0) + Duration::hours(2)).await;
    let store = shop.store().await;
    let order = dump(&store, "stocking_order", "order_no").await.remove(0);
    let sku = dump(&store, "ordered_line", "order_no sku").await;
    store.close().await;
    let sku = sku
        .iter()
        .find_map(|row| row.strip_prefix(&format!("{order} | ")))
        .expect("a line")
        .to_owned();
    let file = shop.folder.path().join(format!("rejected-{order}-booking.txt"));
    fs::write(&file, format!("REJECTED {order}-booking\nbattery without MSDS\n")).expect("written");
    let at = (morning(0) + Duration::hours(3)).to_rfc3339();
    let taken = shop.linkstar(&["receive", &file.display().to_string(), "--at", &at]);
    assert!(matches!(taken.code, Some(0 | 1)), "{taken:?}");
    (shop, order, sku)
}

async fn state_of(shop: &Shop, order: &str) -> String {
    let store = shop.store().await;
    let rows = dump(&store, "stocking_order", "order_no state revision").await;
    store.close().await;
    rows.into_iter()
        .find(|row| row.starts_with(order))
        .expect("the order")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_a_refused_booking_is_issued_anew_under_new_names_and_the_old_papers_are_taken_back() {
    let (shop, order, sku) = refused().await;
    assert_eq!(
        state_of(&shop, &order).await,
        format!("{order} | booking_rejected | 1")
    );
    let before = shop.dropped();
    let first: Vec<String> = before
        .keys()
        .filter(|name| name.starts_with(&order))
        .cloned()
        .collect();
    assert!(!first.is_empty(), "{:?}", before.keys());
    let at = (morning(0) + Duration::hours(4)).to_rfc3339();
    let reissue = |extra: &[&str]| {
        let mut args = vec![
            "order",
            "reissue",
            order.as_str(),
            "--reason",
            "MSDS added",
            "--at",
            &at,
        ];
        args.extend_from_slice(extra);
        shop.linkstar(&args)
    };
    // Every fault at once, and nothing is changed.
    let odd = reissue(&["--units", "X=0", "--units", "nonsense"]);
    assert_eq!(odd.code, Some(2), "{odd:?}");
    assert!(
        odd.err.contains("`X=0`") && odd.err.contains("`nonsense`"),
        "{odd:?}"
    );
    let stranger = reissue(&["--units", "NOSUCH=12"]);
    assert_eq!(stranger.code, Some(2), "{stranger:?}");
    assert!(stranger.err.contains("NOSUCH"), "{stranger:?}");
    assert_eq!(
        state_of(&shop, &order).await,
        format!("{order} | booking_rejected | 1")
    );

    let units = format!("{sku}=48");
    let done = reissue(&["--units", &units]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(state_of(&shop, &order).await, format!("{order} | approved | 2"));
    let shown = shop.linkstar(&["order", "show", &order, "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    let lines = shown["model"]["lines"].as_array().expect("lines").clone();
    let changed = lines
        .iter()
        .find(|line| line["goods"]["sku"] == sku.as_str())
        .expect("the line");
    assert_eq!(changed["units"], 48);
    let last = shown["events"]
        .as_array()
        .and_then(|events| events.last())
        .expect("events");
    assert_eq!(
        (last["kind"].as_str(), last["reason"].as_str()),
        (Some("reissued"), Some("MSDS added"))
    );

    shop.deliver(morning(0) + Duration::hours(4)).await;
    let after = shop.dropped();
    for (name, bytes) in &before {
        assert_eq!(after.get(name), Some(bytes), "{name} was touched");
    }
    let new: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    let cancels = new.iter().filter(|name| name.starts_with("CANCEL_")).count();
    assert_eq!(cancels, first.len(), "one for each paper: {new:?}");
    assert_eq!(new.len(), 2 * first.len(), "and as many new ones: {new:?}");
    assert!(new.iter().all(|name| !first.contains(*name)));
    // The notice has gone with its cause.
    let status = shop.linkstar(&["status"]);
    assert!(!status.out.contains("battery without MSDS"), "{status:?}");
    // Once more, as often as it takes.
    assert_eq!(reissue(&[]).code, Some(0));
    assert_eq!(state_of(&shop, &order).await, format!("{order} | approved | 3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_a_refused_booking_is_given_up_and_nothing_follows() {
    let (shop, order, _) = refused().await;
    let before = shop.dropped();
    let at = (morning(0) + Duration::hours(4)).to_rfc3339();
    let cancel =
        |number: &str| shop.linkstar(&["order", "cancel", number, "--reason", "too late", "--at", &at]);
    let unknown = cancel("BH000000-99");
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.err.contains("no order `BH000000-99`"), "{unknown:?}");
    let done = cancel(&order);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(state_of(&shop, &order).await, format!("{order} | cancelled | 1"));
    let again = cancel(&order);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(
        again.err.contains("cancelled cannot become cancelled"),
        "{again:?}"
    );
    let reissued = shop.linkstar(&["order", "reissue", &order, "--reason", "x", "--at", &at]);
    assert_eq!(reissued.code, Some(2), "{reissued:?}");
    assert!(reissued.err.contains("cannot become reissued"), "{reissued:?}");
    shop.deliver(morning(0) + Duration::hours(4)).await;
    let after = shop.dropped();
    let papers = before.keys().filter(|name| name.starts_with(&order)).count();
    let new: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert_eq!(new.len(), papers, "{new:?}");
    assert!(new.iter().all(|name| name.starts_with("CANCEL_")), "{new:?}");
}
