//! Refresh tokens that work once: never sent twice at once, never lost without a word.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linkstar::clock::FixedClock;
use linkstar::connector::Bound;
use linkstar::http::{FailureKind, Pace};
use linkstar::ids::{AccountId, SourceId};
use linkstar::store::Store;
use linkstar::store::work::credential::{self, Key, State};
use serde_json::json;

use super::desk::{Desk, Said, ask, databases, process, said, stock};
use super::stage::at;

const ACCESS: &str = r#"
[auth]
kind = "refresh_token"
url = "${param:url}/refresh"
form = { refresh_token = "{refresh_token}" }
rotating = { first = "${secret:refresh_token}", next = "refresh_token" }
query = { access_token = "{access_token}" }
[retry]
attempts = 3
"#;

/// A server on whose side each refresh token works once; the second use of one ends all that came of it.
#[derive(Clone, Default)]
struct Issuer {
    state: Arc<Mutex<Issued>>,
    under_way: Arc<AtomicU32>,
    at_once: Arc<AtomicBool>,
    /// Answers to swallow: the token is used up, the answer is HTTP 502.
    swallow: Arc<AtomicU32>,
}

#[derive(Default)]
struct Issued {
    used: BTreeSet<String>,
    number: u32,
    access: Option<String>,
    reused: bool,
}

impl Issuer {
    fn refresh(&self, token: &str) -> Said {
        if self.under_way.fetch_add(1, Ordering::SeqCst) > 0 {
            self.at_once.store(true, Ordering::SeqCst);
        }
        // Long enough for another process to come in between.
        std::thread::sleep(Duration::from_millis(30));
        let answer = self.answer(token);
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    fn answer(&self, token: &str) -> Said {
        let mut state = self.state.lock().expect("issued");
        let newest = match state.number {
            0 => "refresh-0".to_owned(),
            number => format!("refresh-{number}"),
        };
        if token != newest || !state.used.insert(token.to_owned()) {
            state.reused = true;
            state.access = None;
            return said(400, json!({"error": "invalid_grant"}));
        }
        state.number += 1;
        let number = state.number;
        let access = format!("access-{number}");
        state.access = Some(access.clone());
        if self.swallow.load(Ordering::SeqCst) > 0 {
            self.swallow.fetch_sub(1, Ordering::SeqCst);
            return said(502, json!({}));
        }
        said(
            200,
            json!({"access_token": access, "refresh_token": format!("refresh-{number}"), "expires_in": 7200}),
        )
    }

    fn good(&self, access: &str) -> bool {
        self.state.lock().expect("issued").access.as_deref() == Some(access)
    }

    fn expire(&self) {
        self.state.lock().expect("issued").access = None;
    }

    async fn open(&self) -> Desk {
        let issuer = self.clone();
        Desk::open(move |heard| match heard.path.as_str() {
            "/refresh" => issuer.refresh(&super::desk::pairs(&heard.body)["refresh_token"]),
            _ if issuer.good(&heard.query["access_token"]) => stock(),
            _ => said(401, json!({})),
        })
        .await
    }
}

fn clock() -> FixedClock {
    FixedClock::new(at("2026-04-02T02:00:00Z"))
}

fn secrets(first: &str) -> [(&'static str, &str); 1] {
    [("refresh_token", first)]
}

async fn row(store: &Store, state: &str) -> i64 {
    let mut tx = store.read().await.expect("as the test set it up");
    tx.row(
        "SELECT COUNT(*) AS n FROM credential WHERE account_id = $1 AND state = $2",
        linkstar::args!["main", state],
    )
    .await
    .expect("as the test set it up")
    .expect("as the test set it up")
    .get("n")
    .expect("as the test set it up")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r4_three_processes_never_send_a_single_use_refresh_token_twice_or_at_once() {
    let (_folder, urls) = databases().await;
    for url in urls {
        let issuer = Issuer::default();
        let desk = issuer.open().await;
        let bound = Arc::new(desk.source(ACCESS, &secrets("refresh-0")));
        let mut processes = Vec::new();
        for name in ["one", "two", "three"] {
            processes.push(Arc::new(process(&url, name, Pace::Skip).await));
        }
        for round in 1..=4_u32 {
            let asked: Vec<_> = processes
                .iter()
                .map(|process| {
                    let (process, bound) = (Arc::clone(process), Arc::clone(&bound));
                    tokio::spawn(
                        async move { ask(&process.0, &bound, &clock()).await.map(|page| page.rows.seen) },
                    )
                })
                .collect();
            for asked in asked {
                assert_eq!(asked.await.unwrap(), Ok(1), "{url}");
            }
            assert!(!issuer.at_once.load(Ordering::SeqCst), "{url}");
            assert!(!issuer.state.lock().unwrap().reused, "{url}");
            assert_eq!(desk.at("/refresh").len(), round as usize, "one for all, {url}");
            issuer.expire();
        }
    }
}

#[tokio::test]
async fn the_newest_refresh_token_outlives_the_process_and_is_not_readable_in_the_database() {
    let (folder, urls) = databases().await;
    for url in &urls {
        let issuer = Issuer::default();
        let desk = issuer.open().await;
        let bound = desk.source(ACCESS, &secrets("refresh-0"));
        for life in 1..=3 {
            let (client, store) = process(url, "one", Pace::Skip).await;
            ask(&client, &bound, &clock()).await.unwrap();
            assert_eq!(desk.at("/refresh").len(), life);
            issuer.expire();
            store.close().await;
        }
    }
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let shown = String::from_utf8_lossy(&bytes);
        for secret in ["refresh-1", "refresh-2", "access-1", "access-3"] {
            assert!(!shown.contains(secret), "{secret} stands in the database file");
        }
    }
}

/// A process that claimed the token and died at `died`, before or after the server saw it.
async fn died(store: &Store, bound: &Bound, url: &str) {
    let (client, other) = process(url, "dead", Pace::Skip).await;
    // The first pull makes the row, so that its origin is known.
    ask(&client, bound, &clock())
        .await
        .expect("as the test set it up");
    other.close().await;
    let mut tx = store.write().await.expect("as the test set it up");
    let origin: String = tx
        .row(
            "SELECT origin FROM credential WHERE account_id = $1",
            linkstar::args!["main"],
        )
        .await
        .expect("as the test set it up")
        .expect("as the test set it up")
        .get("origin")
        .expect("as the test set it up");
    let key = Key {
        account: AccountId::new("main").expect("as the test set it up"),
        source: SourceId::new("desk").expect("as the test set it up"),
        origin,
    };
    let seen = credential::read(&mut tx, &key)
        .await
        .expect("as the test set it up")
        .expect("as the test set it up");
    assert_eq!(seen.state, State::Ready);
    let during = (at("2026-04-02T01:00:00Z"), chrono::Duration::seconds(32));
    let claim = credential::claim(&mut tx, &key, seen.fence, "dead", during)
        .await
        .expect("as the test set it up");
    assert!(claim.is_some());
    tx.commit().await.expect("as the test set it up");
}

#[tokio::test]
async fn a_process_that_died_before_the_server_saw_the_token_costs_nothing() {
    let (_folder, urls) = databases().await;
    for url in urls {
        let issuer = Issuer::default();
        let desk = issuer.open().await;
        let bound = desk.source(ACCESS, &secrets("refresh-0"));
        let (client, store) = process(&url, "one", Pace::Skip).await;
        died(&store, &bound, &url).await;
        issuer.expire();
        ask(&client, &bound, &clock()).await.unwrap();
        assert_eq!((row(&store, "ready").await, row(&store, "lost").await), (1, 0));
    }
}

#[tokio::test]
async fn a_process_that_died_between_the_answer_and_the_commit_is_a_named_state_for_a_person() {
    let (_folder, urls) = databases().await;
    for url in urls {
        let issuer = Issuer::default();
        let desk = issuer.open().await;
        let bound = desk.source(ACCESS, &secrets("refresh-0"));
        let (client, store) = process(&url, "one", Pace::Skip).await;
        died(&store, &bound, &url).await;
        // What the dead one had sent arrived, and nobody knows the answer.
        issuer.answer("refresh-1");
        issuer.expire();
        let failure = ask(&client, &bound, &clock()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::TokenLost, "{failure}");
        assert_eq!(
            failure.to_string(),
            "token_lost: the refresh token, which works once, was sent at 2026-04-02 01:00:00 UTC, its answer never \
             arrived, and the source takes it no more: authorise again and give the new refresh token as secret \
             `refresh_token`"
        );
        assert_eq!(row(&store, "lost").await, 1);
        // Nobody keeps knocking with it, and `doctor` says the same.
        let asked = desk.at("/refresh").len();
        let again = ask(&client, &bound, &clock()).await.unwrap_err();
        assert_eq!(again.kind, FailureKind::TokenLost);
        assert_eq!(desk.at("/refresh").len(), asked);
        // The person authorises again: another first token begins anew.
        *issuer.state.lock().unwrap() = Issued::default();
        let mut bound = desk.source(ACCESS, &secrets("refresh-0b"));
        let failure = ask(&client, &bound, &clock()).await.unwrap_err();
        assert_eq!(
            failure.kind,
            FailureKind::Expired,
            "a wrong one is refused as such: {failure}"
        );
        issuer.state.lock().unwrap().number = 7;
        bound = desk.source(ACCESS, &secrets("refresh-7"));
        ask(&client, &bound, &clock()).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_gets_lost_on_the_way_is_told_apart_from_a_refusal() {
    let (_folder, urls) = databases().await;
    let issuer = Issuer::default();
    issuer.swallow.store(1, Ordering::SeqCst);
    let desk = issuer.open().await;
    let bound = desk.source(ACCESS, &secrets("refresh-0"));
    let (client, _store) = process(&urls[0], "one", Pace::Skip).await;
    let failure = ask(&client, &bound, &clock()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TokenLost, "{failure}");
    assert_eq!(desk.at("/refresh").len(), 2, "tried once more, no oftener");
}

#[tokio::test]
async fn a_late_answer_is_taken_when_the_token_was_thought_lost() {
    let (_folder, urls) = databases().await;
    for url in urls {
        let store = Store::open(&url).await.unwrap();
        let key = Key {
            account: AccountId::new("main").unwrap(),
            source: SourceId::new("desk").unwrap(),
            origin: "o".to_owned(),
        };
        let now = at("2026-04-02T02:00:00Z");
        let later = now + chrono::Duration::seconds(60);
        let lease = chrono::Duration::seconds(30);
        let mut tx = store.write().await.unwrap();
        let slow = credential::claim(&mut tx, &key, 0, "slow", (now, lease))
            .await
            .unwrap()
            .unwrap();
        assert!(
            credential::claim(&mut tx, &key, 0, "two", (now, lease))
                .await
                .unwrap()
                .is_none()
        );
        let second = credential::claim(&mut tx, &key, 0, "two", (later, lease))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(second.unclear_at, Some(now));
        // Overtaken, it may not write over what the other is about to get.
        assert!(
            !credential::settle(&mut tx, &key, slow.fence, b"late", later)
                .await
                .unwrap()
        );
        let left = (true, second.unclear_at);
        credential::release(&mut tx, &key, second.fence, left, later)
            .await
            .unwrap();
        assert!(
            credential::claim(&mut tx, &key, second.fence, "three", (later, lease))
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            credential::settle(&mut tx, &key, slow.fence, b"late", later)
                .await
                .unwrap()
        );
        let row = credential::read(&mut tx, &key).await.unwrap().unwrap();
        assert_eq!(
            (row.state, row.sealed.as_deref(), row.unclear_at),
            (State::Ready, Some(&b"late"[..]), None)
        );
        tx.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_that_ends_the_one_before_is_shared_by_all_processes() {
    let access = r#"
[auth]
kind = "login"
url = "${param:url}/login"
json = { password = "${secret:password}" }
answer = { token = "token", life_seconds = 600 }
header = "x-token"
one_session = true
"#;
    let (_folder, urls) = databases().await;
    for url in urls {
        let newest = Arc::new(AtomicU32::new(0));
        let session = Arc::clone(&newest);
        let desk = Desk::open(move |heard| match heard.path.as_str() {
            "/login" => {
                let number = session.fetch_add(1, Ordering::SeqCst) + 1;
                said(200, json!({"token": format!("session-{number}")}))
            }
            _ if heard.header("x-token") == format!("session-{}", session.load(Ordering::SeqCst)) => stock(),
            _ => said(401, json!({})),
        })
        .await;
        let bound = Arc::new(desk.source(access, &[("password", "pass-word")]));
        let mut asked = Vec::new();
        for name in ["one", "two", "three"] {
            let (process, bound) = (process(&url, name, Pace::Skip).await, Arc::clone(&bound));
            asked.push(tokio::spawn(async move {
                ask(&process.0, &bound, &clock()).await.is_ok()
            }));
        }
        for asked in asked {
            assert!(asked.await.unwrap(), "{url}");
        }
        assert_eq!(newest.load(Ordering::SeqCst), 1, "one login for all, {url}");
    }
}
