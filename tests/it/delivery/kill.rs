//! `kill -9` at random instants of a delivery, then a restart: each file once, whole, and recorded as sent.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use linkstar::clock::FixedClock;
use linkstar::delivery::{Channel, State};
use linkstar::digest::sha256_hex;
use linkstar::jobs::{Senders, deliver_due, recover};
use linkstar::store::Store;
use linkstar::store::outbox::{self, Enqueued, NewMessage};
use linkstar::transport::sftp::Target;

use super::super::services::{Services, fresh_database, services};
use super::{account, at, contents, noise};

const DATABASE: &str = "LINKSTAR_TEST_CHILD_DATABASE";
const FOLDER: &str = "LINKSTAR_TEST_CHILD_FOLDER";
const SECOND: &str = "LINKSTAR_TEST_CHILD_SECOND";
const OWNER: &str = "night";
const MESSAGES: u64 = 5;

/// Not a test by itself: the process that is killed. It returns at once unless a parent set its variables.
#[tokio::test]
async fn child_process_entry() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let database = std::env::var(DATABASE).unwrap();
    let second: i64 = std::env::var(SECOND).unwrap().parse().unwrap();
    let services = services().expect("the parent found the servers");
    let target = services.sftp.target_in("huatuo", &folder);
    let store = Store::open(&database).await.unwrap();
    deliver_all(&store, &target, second).await;
}

/// What a process does at its start and then: the same code after a crash.
async fn deliver_all(store: &Store, target: &Target, second: i64) {
    let clock = FixedClock::new(at(second));
    recover(store, &clock, &account(), OWNER)
        .await
        .expect("the store answers");
    let senders = Senders {
        sftp: std::slice::from_ref(target),
        ..Senders::default()
    };
    deliver_due(store, &clock, &account(), &senders, OWNER)
        .await
        .expect("the store answers");
}

fn start_child(database: &str, folder: &str, second: i64) -> Child {
    Command::new(std::env::current_exe().expect("the path of this test binary"))
        .args(["--exact", "delivery::kill::child_process_entry", "--nocapture"])
        .env(DATABASE, database)
        .env(FOLDER, folder)
        .env(SECOND, second.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

async fn enqueue_round(store: &Store, round: u64) -> Vec<(String, String)> {
    let mut wanted = Vec::new();
    let mut tx = store.write().await.expect("the store answers");
    for number in 0..MESSAGES {
        let name = format!("SO-{round:04}_{number}.xml");
        let bytes = noise(
            round * 100 + number,
            20_000 + 70_000 * usize::try_from(number).expect("a small number"),
        );
        let new = NewMessage {
            business_key: &format!("order/SO-{round:04}/{number}/r1"),
            channel: Channel::Sftp,
            target: "huatuo",
            remote_name: &name,
            kind: "document",
            bytes: &bytes,
            envelope: None,
            message_id: None,
            depends_on: None,
            run_after: at(0),
        };
        let enqueued = outbox::enqueue(&mut tx, &account(), &new, at(0))
            .await
            .expect("the store answers");
        assert_eq!(enqueued, Enqueued::New);
        wanted.push((name, sha256_hex(&bytes)));
    }
    tx.commit().await.expect("the store answers");
    wanted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_killed_at_25_random_instants_each_file_arrives_once_and_whole() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", dir.path().join("linkstar.db").display());
    kill_and_restart(&services, database, 25).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_the_same_on_postgresql() {
    let Some(services) = services() else { return };
    let database = fresh_database(&services).await;
    kill_and_restart(&services, database, 8).await;
}

async fn kill_and_restart(services: &Services, database: String, rounds: u64) {
    let target = services.sftp.target("huatuo");
    let local = services.sftp.local(&target.out_dir);
    let store = Store::open(&database).await.expect("the store answers");
    let mut wanted = enqueue_round(&store, 0).await;

    // How long an undisturbed run takes on this machine, so that the instants fall into it.
    let started = tokio::time::Instant::now();
    assert!(
        start_child(&database, &target.out_dir, 0)
            .wait()
            .expect("the child ends")
            .success()
    );
    let whole = started.elapsed();
    assert_eq!(contents(&local), wanted, "undisturbed");

    let mut second = 0;
    let mut cut_off = 0_u64;
    for round in 1..=rounds {
        wanted.extend(enqueue_round(&store, round).await);
        wanted.sort();
        // One to three lives that end early, then one that may finish.
        for life in 0..1 + round % 3 {
            second += 3600;
            let mut child = start_child(&database, &target.out_dir, second);
            let share = u32::from(noise(round * 10 + life, 1)[0]);
            tokio::time::sleep(whole * (share + 20) / 300).await;
            child.kill().expect("the child ends");
            child.wait().expect("the child ends");
            let visible: Vec<_> = contents(&local)
                .into_iter()
                .filter(|(name, _)| !name.starts_with('.'))
                .collect();
            assert!(
                visible.iter().all(|file| wanted.contains(file)),
                "round {round}: something partial under a final name"
            );
            if visible.len() < wanted.len() {
                cut_off += 1;
            }
        }
        // The server may still be working on what the dead process had sent.
        second += 3600;
        assert!(
            start_child(&database, &target.out_dir, second)
                .wait()
                .expect("the child ends")
                .success()
        );
        let mut tx = store.read().await.expect("the store answers");
        let left: Vec<_> = outbox::list(&mut tx, &account(), None, 1000)
            .await
            .expect("the store answers")
            .into_iter()
            .filter(|message| message.state != State::Sent)
            .collect();
        assert!(left.is_empty(), "round {round}: {left:?}");
    }
    assert!(
        cut_off * 3 >= rounds,
        "only {cut_off} lives of {rounds} rounds ended in the middle"
    );

    // A file that the server created after we had died is swept when the next message goes out.
    tokio::time::sleep(Duration::from_millis(300)).await;
    wanted.extend(enqueue_round(&store, rounds + 1).await);
    wanted.sort();
    deliver_all(&store, &target, second + 3600).await;
    assert_eq!(contents(&local), wanted, "each file once, and nothing else");

    let mut tx = store.read().await.expect("the store answers");
    let sent = outbox::count_by_state(&mut tx, &account())
        .await
        .expect("the store answers");
    assert_eq!(
        sent,
        [(State::Sent, i64::try_from(wanted.len()).expect("a small number"))]
    );
}
