//! The pace that processes share: tokens and places.

use chrono::{DateTime, Duration, Utc};
use linkstar::ids::SourceId;
use linkstar::store::Store;
use linkstar::store::work::slots::{self, Rate};

use super::{account, at, databases, engines};

const LEASE: Duration = Duration::seconds(30);

fn source() -> SourceId {
    SourceId::new("goodcang-uk").expect("a source id")
}

async fn take(store: &Store, operation: &str, rate: &Rate, now: DateTime<Utc>) -> Duration {
    let mut tx = store.write().await.expect("a transaction");
    let wait = slots::take(&mut tx, &account(), (&source(), operation), rate, now)
        .await
        .expect("a token");
    tx.commit().await.expect("a commit");
    wait
}

#[tokio::test]
async fn a_bucket_lets_the_burst_through_then_keeps_the_rate_and_moves_back_with_the_clock() {
    let dir = tempfile::tempdir().unwrap();
    let rate = Rate {
        interval: Duration::milliseconds(500),
        burst: 2,
    };
    for store in engines(dir.path()).await {
        let mut waits = Vec::new();
        for _ in 0..4 {
            waits.push(take(&store, "all", &rate, at(0)).await.num_milliseconds());
        }
        assert_eq!(waits, [0, 0, 500, 1000]);
        // Another operation has a bucket of its own, and a rest fills it again.
        assert_eq!(take(&store, "other", &rate, at(0)).await, Duration::zero());
        assert_eq!(take(&store, "all", &rate, at(60)).await, Duration::zero());
        // Another process, whose clock is half a minute behind: it waits, never early.
        assert!(take(&store, "all", &rate, at(30)).await >= Duration::seconds(30));
        // A clock set back by two days does not wait for two days, and keeps the backlog.
        for _ in 0..5 {
            take(&store, "all", &rate, at(60)).await;
        }
        let wait = take(&store, "all", &rate, at(60 - 2 * 86_400)).await;
        assert!(
            (Duration::seconds(2)..Duration::seconds(4)).contains(&wait),
            "{wait}"
        );
        // A rest that the server asked for counts for everybody.
        let mut tx = store.write().await.unwrap();
        let span = (at(100), at(220));
        slots::hold(&mut tx, &account(), (&source(), "all"), &rate, span)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(take(&store, "all", &rate, at(100)).await, Duration::seconds(120));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_together_never_exceed_the_rate() {
    let dir = tempfile::tempdir().unwrap();
    let rate = Rate {
        interval: Duration::milliseconds(100),
        burst: 3,
    };
    for url in databases(dir.path()).await {
        // A store each, as processes have: nothing but the database is shared.
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let store = Store::open(&url).await.unwrap();
            let rate = rate.clone();
            tasks.push(tokio::spawn(async move {
                let mut sent = Vec::new();
                for number in 0..15 {
                    let now = at(number / 10);
                    sent.push(now + take(&store, "all", &rate, now).await);
                }
                store.close().await;
                sent
            }));
        }
        let mut sent = Vec::new();
        for task in tasks {
            sent.extend(task.await.unwrap());
        }
        sent.sort();
        assert_eq!(sent.len(), 60);
        for (index, first) in sent.iter().enumerate() {
            for (count, last) in sent[index..].iter().enumerate() {
                let allowed = 3 + (*last - *first).num_milliseconds() / 100;
                assert!(i64::try_from(count).unwrap() <= allowed, "{count} of {allowed}");
            }
        }
    }
}

#[tokio::test]
async fn so_many_places_at_a_source_and_a_dead_holder_gives_its_place_back() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let (account, source) = (account(), source());
        let mut tx = store.write().await.unwrap();
        let first = slots::acquire(&mut tx, &account, &source, 2, "a", (at(0), LEASE))
            .await
            .unwrap()
            .unwrap();
        let second = slots::acquire(&mut tx, &account, &source, 2, "b", (at(1), LEASE))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(first.place, second.place);
        let full = slots::acquire(&mut tx, &account, &source, 2, "c", (at(2), LEASE))
            .await
            .unwrap();
        assert_eq!(full, None);
        slots::renew(&mut tx, &second, (at(20), LEASE)).await.unwrap();
        // `a` has died: its place comes back when its lease ends, not before, and not that of `b`.
        let after = (at(30), LEASE);
        let third = slots::acquire(&mut tx, &account, &source, 2, "c", after)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(third.place, first.place);
        assert!(slots::renew(&mut tx, &first, after).await.is_err());
        tx.commit().await.unwrap();

        // What `a` gives back late is not its own any more.
        let mut tx = store.write().await.unwrap();
        slots::release(&mut tx, &first).await.unwrap();
        let full = slots::acquire(&mut tx, &account, &source, 2, "d", after)
            .await
            .unwrap();
        assert_eq!(full, None);
        slots::release(&mut tx, &third).await.unwrap();
        let again = slots::acquire(&mut tx, &account, &source, 2, "d", after)
            .await
            .unwrap();
        assert!(again.is_some());
        tx.commit().await.unwrap();
    }
}
