//! The chain itself.

use linkstar::order::OrderEventKind;
use linkstar::store::{Store, archive};

use super::{account, at, engines, event, faults, filled, page, tamper, verify, write};
use crate::services::{fresh_database, services};

#[tokio::test]
async fn r72_every_thing_has_its_entry_and_both_engines_give_the_same_chain() {
    let mut heads = Vec::new();
    for store in engines().await {
        filled(&store).await;
        let found = verify(&store).await;
        assert_eq!(found.faults, [], "{:?}", store.engine());
        assert_eq!(
            (found.entries, found.deleted.len()),
            (10, 0),
            "{:?}",
            store.engine()
        );
        let mut tx = store.read().await.expect("the store answers");
        let entries = archive::entries(&mut tx, &account(), 0, 100)
            .await
            .expect("entries");
        let said: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} {} {}", entry.seq, entry.kind, entry.subject))
            .collect();
        insta::allow_duplicates! { insta::assert_snapshot!(said.join("\n")) };
        drop(tx);
        heads.push(found.head);
        store.close().await;
    }
    assert!(heads.windows(2).all(|pair| pair[0] == pair[1]), "{heads:?}");
}

#[tokio::test]
async fn r72_a_clock_set_back_does_not_reorder_the_chain() {
    for store in engines().await {
        let order = filled(&store).await;
        for (second, reason) in [
            (900, "late"),
            (-50_000, "the clock was set back"),
            (10, "right again"),
        ] {
            let mut tx = write(&store).await;
            let rejected = OrderEventKind::BookingRejected {
                reason: reason.to_owned(),
            };
            // Handed over already: only what the state allows is archived.
            assert!(!event(&mut tx, &order, rejected, at(second)).await);
            page(&mut tx, reason.as_bytes(), at(second)).await;
            tx.commit().await.expect("committed");
        }
        let mut tx = store.read().await.expect("the store answers");
        let entries = archive::entries(&mut tx, &account(), 10, 100)
            .await
            .expect("entries");
        let times: Vec<(i64, i64)> = entries.iter().map(|entry| (entry.seq, entry.at)).collect();
        assert_eq!(
            times,
            [
                (11, at(900).timestamp_millis()),
                (12, at(-50_000).timestamp_millis()),
                (13, at(10).timestamp_millis())
            ]
        );
        drop(tx);
        assert!(faults(&store).await.is_empty());
    }
}

#[tokio::test]
async fn what_stood_before_the_archive_began_is_taken_in_with_the_first_entry() {
    for store in engines().await {
        filled(&store).await;
        // As a database of an earlier version is after its migration.
        tamper(&store, "DELETE FROM archive_entry").await;
        tamper(&store, "DELETE FROM archive_head").await;
        assert_eq!(faults(&store).await.len(), 10);
        let mut tx = write(&store).await;
        page(&mut tx, b"the first night of the new version", at(100)).await;
        tx.commit().await.expect("committed");
        let found = verify(&store).await;
        assert_eq!((found.faults.len(), found.entries), (0, 11), "{found:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_is_not_committed_leaves_neither_thing_nor_entry() {
    for store in engines().await {
        let order = filled(&store).await;
        let before = verify(&store).await;
        let mut tx = write(&store).await;
        page(&mut tx, b"never", at(5)).await;
        super::document(&mut tx, &order, "never", b"never", at(5)).await;
        drop(tx);
        assert_eq!(verify(&store).await, before);
    }
}

const WRITERS: i64 = 4;
const EACH: i64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_make_one_chain_without_holes() {
    let Some(services) = services() else { return };
    let url = fresh_database(&services).await;
    let store = std::sync::Arc::new(Store::open(&url).await.expect("PostgreSQL opens"));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..EACH {
                    let mut tx = write(&store).await;
                    page(&mut tx, format!("{writer} {number}").as_bytes(), at(number)).await;
                    page(&mut tx, format!("{writer} {number} more").as_bytes(), at(number)).await;
                    tx.commit().await.expect("committed");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer ends");
    }
    let found = verify(&store).await;
    assert_eq!(
        (found.faults.len(), found.entries),
        (0, WRITERS * EACH * 2),
        "{found:?}"
    );
}
