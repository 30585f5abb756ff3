//! The same nights on another engine, and the same nights twice.

use std::collections::BTreeMap;
use std::fs;

use linkstar::night::decide;

use super::shop::{Shop, date, morning};
use super::state::{State, assert_same, state};
use crate::services::{fresh_database, services};

struct Nights {
    state: State,
    dropped: BTreeMap<String, Vec<u8>>,
    mails: BTreeMap<String, Vec<u8>>,
}

/// Two nights with an answer between them, and everything that came out.
async fn nights(url: Option<&str>) -> Nights {
    let shop = Shop::with_store(11, url).await;
    let opened = shop.open(morning(0)).await;
    opened.night(false).run(date(0)).await.expect("the store works");
    shop.answer();
    let answered_at = morning(0) + chrono::Duration::hours(2);
    shop.advance(answered_at);
    opened.clock.set(answered_at);
    let night = opened.night(false);
    let decided = decide::run(&night).await.expect("the store works");
    assert!(
        decided.counts.get("orders").is_some_and(|orders| *orders > 0),
        "{decided:?}"
    );
    night.deliver().await;
    shop.advance(morning(1));
    opened.clock.set(morning(1));
    opened.night(false).run(date(1)).await.expect("the store works");
    let state = state(&opened.store).await;
    opened.store.close().await;
    let mails = shop
        .world
        .inbox()
        .iter()
        .map(|mail| {
            let raw = fs::read(&mail.file).expect("a mail");
            (format!("{} {:?}", mail.id, mail.to), raw)
        })
        .collect();
    Nights {
        state,
        dropped: shop.dropped(),
        mails,
    }
}

fn assert_equal(left: &Nights, right: &Nights, what: &str) {
    assert_same(&left.state, &right.state, what);
    assert_eq!(
        left.dropped.keys().collect::<Vec<_>>(),
        right.dropped.keys().collect::<Vec<_>>(),
        "{what}"
    );
    for (name, bytes) in &left.dropped {
        assert!(
            right.dropped.get(name) == Some(bytes),
            "{what}: {name} has other bytes"
        );
    }
    let by_reader = |nights: &Nights| {
        let mut mails: Vec<(String, Vec<u8>)> = nights
            .mails
            .iter()
            .map(|(name, raw)| {
                (
                    name.split_once(' ').expect("id and reader").1.to_owned(),
                    raw.clone(),
                )
            })
            .collect();
        mails.sort();
        mails
    };
    let (left, right) = (by_reader(left), by_reader(right));
    assert_eq!(left.len(), 4, "two mornings, two readers");
    for ((reader, one), (other_reader, two)) in left.iter().zip(&right) {
        assert_eq!(reader, other_reader);
        assert!(one == two, "{what}: the mail to {reader} has other bytes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_gives_the_same_plans_documents_and_mails_byte_for_byte() {
    let first = nights(None).await;
    let second = nights(None).await;
    assert!(!first.dropped.is_empty());
    assert_equal(&first, &second, "the second time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_gives_what_sqlite_gives() {
    let Some(services) = services() else { return };
    let url = fresh_database(&services).await;
    let sqlite = nights(None).await;
    let postgresql = nights(Some(&url)).await;
    assert_equal(&sqlite, &postgresql, "on PostgreSQL");
}
