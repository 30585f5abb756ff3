//! One contract for the outbox, run on both engines.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Duration;
use linkstar::delivery::{Backoff, Channel, Outcome, State, after_attempt};
use linkstar::store::outbox::{self, Change, Enqueued, NewMessage};
use linkstar::store::work;
use linkstar::store::{Store, StoreError};

use super::super::jobs::contract::job;
use super::{account, at, engines};

const LEASE: Duration = Duration::seconds(60);
const HUATUO: (Channel, &str) = (Channel::Sftp, "huatuo");

fn message<'a>(key: &'a str, target: &'a str, bytes: &'a [u8]) -> NewMessage<'a> {
    NewMessage {
        business_key: key,
        channel: Channel::Sftp,
        target,
        remote_name: key,
        kind: "document",
        bytes,
        envelope: None,
        message_id: None,
        depends_on: None,
        run_after: at(0),
    }
}

async fn enqueue(store: &Store, new: &NewMessage<'_>) -> Enqueued {
    let mut tx = store.write().await.expect("the store answers");
    let done = outbox::enqueue(&mut tx, &account(), new, at(0))
        .await
        .expect("the store answers");
    tx.commit().await.expect("the store answers");
    done
}

async fn claim(
    store: &Store,
    target: (Channel, &str),
    owner: &str,
    second: i64,
) -> Option<(outbox::Claim, outbox::Message)> {
    let mut tx = store.write().await.expect("the store answers");
    let claimed = outbox::claim(&mut tx, &account(), target, owner, at(second), LEASE)
        .await
        .expect("the store answers");
    tx.commit().await.expect("the store answers");
    claimed
}

async fn finish(
    store: &Store,
    claim: &outbox::Claim,
    outcome: Outcome,
    second: i64,
) -> Result<(), StoreError> {
    let verdict = after_attempt(
        outcome,
        &claim.business_key,
        claim.attempt,
        &Backoff::default(),
        at(second),
    );
    let mut tx = store.write().await.expect("the store answers");
    outbox::finish(&mut tx, claim, &verdict, at(second)).await?;
    tx.commit().await
}

async fn state(store: &Store, key: &str) -> outbox::Message {
    let mut tx = store.read().await.expect("the store answers");
    outbox::find(&mut tx, &account(), key)
        .await
        .expect("the store answers")
        .expect("the row is there")
}

fn sent() -> Outcome {
    Outcome::Sent {
        receipt: "read back".to_owned(),
    }
}

fn retry() -> Outcome {
    Outcome::Retry {
        why: "connection lost".to_owned(),
    }
}

#[tokio::test]
async fn r40_the_same_key_is_enqueued_once_and_never_with_other_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let new = message("order/SO-1/packing-list/r1", "huatuo", b"one");
        assert_eq!(enqueue(&store, &new).await, Enqueued::New);
        assert_eq!(enqueue(&store, &new).await, Enqueued::Already(State::Due));
        let other = NewMessage { bytes: b"two", ..new };
        assert!(matches!(enqueue(&store, &other).await, Enqueued::Taken { .. }));
        let mut tx = store.read().await.unwrap();
        assert_eq!(
            outbox::list(&mut tx, &account(), None, 10).await.unwrap().len(),
            1
        );
    }
}

#[tokio::test]
async fn a_message_that_is_not_committed_does_not_exist() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mut tx = store.write().await.unwrap();
        let new = message("k", "huatuo", b"x");
        assert_eq!(
            outbox::enqueue(&mut tx, &account(), &new, at(0)).await.unwrap(),
            Enqueued::New
        );
        drop(tx);
        assert_eq!(claim(&store, HUATUO, "a", 1).await, None);
    }
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_can_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        assert_eq!(
            enqueue(&store, &message("k", "huatuo", b"x")).await,
            Enqueued::New
        );
        let (slow, _) = claim(&store, HUATUO, "slow", 0).await.unwrap();
        assert_eq!(claim(&store, HUATUO, "fast", 30).await, None, "leased");
        let mut tx = store.write().await.unwrap();
        let lost = outbox::requeue_lost(&mut tx, &account(), None, at(61))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!((lost.len(), lost[0].state), (1, State::Due));

        let (fast, _) = claim(&store, HUATUO, "fast", 62).await.unwrap();
        assert_eq!(fast.attempt, 2);
        let mut tx = store.write().await.unwrap();
        for refused in [
            outbox::heartbeat(&mut tx, &slow, at(63), LEASE).await,
            outbox::mark_handed(&mut tx, &slow, at(63)).await,
        ] {
            assert!(matches!(refused, Err(StoreError::Affected { changed: 0, .. })));
        }
        drop(tx);
        assert!(finish(&store, &slow, sent(), 63).await.is_err());
        finish(&store, &fast, sent(), 64).await.unwrap();
        let done = state(&store, "k").await;
        assert_eq!((done.state, done.sent_at), (State::Sent, Some(at(64))));
        let mut tx = store.read().await.unwrap();
        let attempts = outbox::attempts(&mut tx, &account(), "k").await.unwrap();
        let outcomes: Vec<_> = attempts
            .iter()
            .map(|attempt| attempt.outcome.as_deref().unwrap())
            .collect();
        assert_eq!(outcomes, ["due", "sent"]);
    }
}

#[tokio::test]
async fn messages_of_a_target_leave_in_order_and_a_failing_target_holds_only_itself_back() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        for (key, target) in [("a1", "huatuo"), ("a2", "huatuo"), ("b1", "other")] {
            assert_eq!(
                enqueue(&store, &message(key, target, key.as_bytes())).await,
                Enqueued::New
            );
        }
        let (first, message) = claim(&store, HUATUO, "w", 1).await.unwrap();
        assert_eq!(message.business_key, "a1");
        assert_eq!(claim(&store, HUATUO, "w", 1).await, None, "a2 waits for a1");
        finish(&store, &first, retry(), 2).await.unwrap();
        assert_eq!(
            claim(&store, HUATUO, "w", 3).await,
            None,
            "a1 waits, a2 behind it"
        );
        assert!(claim(&store, (Channel::Sftp, "other"), "w", 3).await.is_some());

        let (again, message) = claim(&store, HUATUO, "w", 40).await.unwrap();
        assert_eq!((message.business_key.as_str(), again.attempt), ("a1", 2));
        let refused = Outcome::Refused {
            why: "permission denied".to_owned(),
        };
        finish(&store, &again, refused, 41).await.unwrap();
        let (_, message) = claim(&store, HUATUO, "w", 42).await.unwrap();
        assert_eq!(
            message.business_key, "a2",
            "what a person must solve holds nobody back"
        );
        let a1 = state(&store, "a1").await;
        assert_eq!(a1.first_error.as_deref(), Some("connection lost"));
        assert_eq!(a1.last_error.as_deref(), Some("permission denied"));
    }
}

#[tokio::test]
async fn a_message_waits_for_what_it_depends_on() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let document = message("doc", "other", b"d");
        assert_eq!(enqueue(&store, &document).await, Enqueued::New);
        let manifest = NewMessage {
            depends_on: Some("doc"),
            ..message("manifest", "huatuo", b"m")
        };
        assert_eq!(enqueue(&store, &manifest).await, Enqueued::New);
        assert_eq!(
            enqueue(&store, &message("free", "huatuo", b"f")).await,
            Enqueued::New
        );
        let (free, message) = claim(&store, HUATUO, "w", 1).await.unwrap();
        assert_eq!(
            message.business_key, "free",
            "not held back by one that waits elsewhere"
        );
        finish(&store, &free, sent(), 1).await.unwrap();
        assert_eq!(claim(&store, HUATUO, "w", 1).await, None);
        let (doc, _) = claim(&store, (Channel::Sftp, "other"), "w", 2).await.unwrap();
        finish(&store, &doc, sent(), 2).await.unwrap();
        let (_, message) = claim(&store, HUATUO, "w", 3).await.unwrap();
        assert_eq!(message.business_key, "manifest");
    }
}

#[tokio::test]
async fn a_mail_that_was_being_handed_over_is_doubtful_until_a_person_decides() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mail = NewMessage {
            channel: Channel::Mail,
            target: "buyer@example.com",
            message_id: Some("<plan-2026-11-22@linkstar>"),
            envelope: Some("{}"),
            ..message("plan-mail/2026-11-22", "", b"mail")
        };
        let to = (Channel::Mail, "buyer@example.com");
        assert_eq!(enqueue(&store, &mail).await, Enqueued::New);
        let (_, _) = claim(&store, to, "w", 1).await.unwrap();
        let mut tx = store.write().await.unwrap();
        let lost = outbox::requeue_lost(&mut tx, &account(), Some("w"), at(2))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(lost[0].state, State::Due, "not handed over yet");

        let (second, _) = claim(&store, to, "w", 3).await.unwrap();
        let mut tx = store.write().await.unwrap();
        outbox::mark_handed(&mut tx, &second, at(3)).await.unwrap();
        let lost = outbox::requeue_lost(&mut tx, &account(), Some("w"), at(4))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(lost[0].state, State::Doubtful);
        assert_eq!(
            claim(&store, to, "w", 100_000).await,
            None,
            "never sent again by itself"
        );

        let mut tx = store.write().await.unwrap();
        let key = "plan-mail/2026-11-22";
        let confirmed = outbox::confirm_sent(&mut tx, &account(), key, "seen in the inbox", at(5))
            .await
            .unwrap();
        assert_eq!(
            confirmed,
            Change::Done {
                from: State::Doubtful
            }
        );
        let again = outbox::retry(&mut tx, &account(), key, at(6)).await.unwrap();
        assert_eq!(again, Change::NotFrom(State::Sent));
        let unknown = outbox::withdraw(&mut tx, &account(), "no such", "", at(6))
            .await
            .unwrap();
        assert_eq!(unknown, Change::Unknown);
        tx.commit().await.unwrap();
        assert_eq!(
            state(&store, key).await.receipt.as_deref(),
            Some("seen in the inbox")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_workers_take_each_message_and_each_job_once() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let store = Arc::new(store);
        for number in 0..40 {
            let key = format!("m{number}");
            let target = format!("t{}", number % 4);
            assert_eq!(
                enqueue(&store, &message(&key, &target, key.as_bytes())).await,
                Enqueued::New
            );
            let mut tx = store.write().await.unwrap();
            work::enqueue(&mut tx, &account(), &job("plan", &key), at(0))
                .await
                .unwrap()
                .unwrap();
            tx.commit().await.unwrap();
        }
        let workers = (0..4).map(|worker| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let owner = format!("w{worker}");
                let mut done = Vec::new();
                let mut idle = 0;
                while idle < 20 {
                    let mut took = false;
                    for target in ["t0", "t1", "t2", "t3"] {
                        if let Some((claim, _)) = claim(&store, (Channel::Sftp, target), &owner, 1).await {
                            finish(&store, &claim, sent(), 2).await.unwrap();
                            done.push(claim.business_key);
                            took = true;
                        }
                    }
                    let mut tx = store.write().await.unwrap();
                    let claimed = work::claim(&mut tx, &account(), &["plan"], &owner, at(1), LEASE)
                        .await
                        .unwrap();
                    if let Some((claim, job)) = claimed {
                        work::complete(&mut tx, &claim, at(2)).await.unwrap();
                        done.push(format!("job {}", job.dedupe_key));
                        took = true;
                    }
                    tx.commit().await.unwrap();
                    idle = if took { 0 } else { idle + 1 };
                }
                done
            })
        });
        let mut all = Vec::new();
        for worker in workers.collect::<Vec<_>>() {
            all.extend(worker.await.unwrap());
        }
        let distinct: BTreeSet<_> = all.iter().cloned().collect();
        assert_eq!((all.len(), distinct.len()), (80, 80), "{:?}", store.engine());
    }
}
