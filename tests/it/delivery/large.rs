//! Large files on bad links: resets, resuming, slow links and limits.
//!
//! `LINKSTAR_TEST_RESET_BYTES=50000000` (and `LINKSTAR_TEST_RESETS=20`, the default) runs the resets with a file of
//! 50 MB; without it a file of 3 MB is used.

use std::time::Duration;

use linkstar::clock::FixedClock;
use linkstar::delivery::{Outgoing, PartialName, Staged, State};
use linkstar::digest::sha256_hex;
use linkstar::jobs::{Senders, deliver_due};
use linkstar::store::Store;
use linkstar::store::outbox;
use linkstar::transport::sftp::{Session, Target, Tuning};

use super::super::services::services;
use super::faults::Proxy;
use super::{account, at, contents, document, enqueue_all, found, noise, sqlite};

async fn deliver(store: &Store, target: &Target, second: i64) {
    let senders = Senders {
        sftp: std::slice::from_ref(target),
        ..Senders::default()
    };
    deliver_due(store, &FixedClock::new(at(second)), &account(), &senders, "w")
        .await
        .expect("the store answers");
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_a_reset_at_twenty_offsets_of_a_large_file_is_retried_and_continued() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let bytes = noise(21, number("LINKSTAR_TEST_RESET_BYTES", 3_000_000));
    let resets = number("LINKSTAR_TEST_RESETS", 20);
    let hash = sha256_hex(&bytes);
    let proxy = Proxy::new(&services);
    let direct = services.sftp.target("huatuo");
    let local = services.sftp.local(&direct.out_dir);
    let through = Target {
        idle_timeout: Duration::from_secs(10),
        tuning: Tuning {
            resume_from: 1_000_000,
            ..Tuning::default()
        },
        ..proxy.before(&direct, &services, dir.path())
    };
    let store = sqlite(dir.path()).await;
    let (mut cut, mut continued) = (0, 0);
    for number in 0..resets {
        let key = format!("large-{number}");
        let name = format!("large-{number}.xml");
        enqueue_all(&store, &[document(&key, &name, &bytes)]).await;
        // From inside the login to the bytes that are read back.
        let offset = 4_000 + bytes.len() / resets * number;
        proxy.toxic("reset_after", "upstream", &format!(r#"{{"bytes":{offset}}}"#));
        let second = i64::try_from(number).unwrap() * 10_000;
        deliver(&store, &through, second).await;
        proxy.heal();
        let broken = found(&store, &key).await;
        if broken.state != State::Sent {
            cut += 1;
            assert_eq!(broken.state, State::Due, "{broken:?}");
            let why = broken.last_error.unwrap();
            assert!(
                ["connection lost", "cannot connect", "no answer", "is gone"]
                    .iter()
                    .any(|words| why.contains(words)),
                "at {offset}: {why}"
            );
            assert!(
                !local.join(&name).exists(),
                "at {offset}: visible before it is whole"
            );
            deliver(&store, &through, second + 5_000).await;
        }
        let sent = found(&store, &key).await;
        assert_eq!(sent.state, State::Sent, "at {offset}: {:?}", sent.last_error);
        if sent.receipt.unwrap().contains("continued from byte") {
            continued += 1;
        }
        assert_eq!(contents(&local), [(name.clone(), hash.clone())], "at {offset}");
        std::fs::remove_file(local.join(&name)).unwrap();
    }
    assert!(cut * 10 >= resets * 9, "only {cut} of {resets} broke");
    // Those that broke after the first bytes had arrived.
    assert!(
        continued * 2 >= resets,
        "only {continued} of {resets} were continued"
    );
}

#[tokio::test]
async fn r40_a_partial_file_is_continued_only_as_far_as_it_is_ours() {
    let Some(services) = services() else { return };
    let mut target = services.sftp.target("huatuo");
    target.tuning.resume_from = 500_000;
    let local = services.sftp.local(&target.out_dir);
    let bytes = noise(4, 1_000_000);
    let hash = sha256_hex(&bytes);
    let mut holed = bytes[..800_000].to_vec();
    holed[650_000..700_000].fill(0);
    let mut longer = bytes.clone();
    longer.extend(b"more");
    for (name, left, wanted) in [
        ("whole-prefix", bytes[..700_000].to_vec(), 700_000),
        ("hole", holed, 650_000),
        ("all", bytes.clone(), 1_000_000),
        ("foreign", noise(5, 400_000), 0),
        ("longer", longer, 0),
        ("empty", Vec::new(), 0),
    ] {
        let file = |attempt| Outgoing {
            name,
            bytes: &bytes,
            sha256: &hash,
            attempt,
        };
        for attempt in [1, 2] {
            let partial = local.join(PartialName::new(name, &hash, attempt).file_name());
            std::fs::write(&partial, if attempt == 2 { &left[..] } else { b"older" }).unwrap();
            super::super::services::open_for_all(&partial);
            std::fs::set_permissions(&partial, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        }
        let session = Session::open(&target).await.unwrap();
        let staged = session.stage(&file(3)).await.unwrap();
        let Staged::Ready { continued_from, .. } = &staged else {
            panic!("{name}: {staged:?}");
        };
        assert!(
            // What differs by chance in its first bytes is no agreement worth the name.
            *continued_from == wanted || (wanted == 0 && *continued_from < 8),
            "{name}: {continued_from}"
        );
        session.publish(&file(3), &staged).await.unwrap();
        assert_eq!(contents(&local), [(name.to_owned(), hash.clone())], "{name}");
        std::fs::remove_file(local.join(name)).unwrap();
        session.close().await;
    }
}

#[tokio::test]
async fn a_slow_link_gets_through_and_a_limit_of_bytes_is_kept() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let proxy = Proxy::new(&services);
    let direct = services.sftp.target("huatuo");
    let local = services.sftp.local(&direct.out_dir);
    let store = sqlite(dir.path()).await;
    // 100 KB/s and an idle time below what the whole file takes: each answer has its own deadline.
    let bytes = noise(6, 250_000);
    enqueue_all(&store, &[document("slow", "slow.xml", &bytes)]).await;
    let slow = Target {
        idle_timeout: Duration::from_secs(3),
        ..proxy.before(&direct, &services, dir.path())
    };
    proxy.toxic("bandwidth", "upstream", r#"{"rate":100}"#);
    deliver(&store, &slow, 1).await;
    proxy.heal();
    let sent = found(&store, "slow").await;
    assert_eq!(sent.state, State::Sent, "{:?}", sent.last_error);

    let limited = Target {
        tuning: Tuning {
            bytes_per_second: Some(200_000),
            ..Tuning::default()
        },
        ..direct
    };
    enqueue_all(&store, &[document("limited", "limited.xml", &bytes)]).await;
    let started = tokio::time::Instant::now();
    deliver(&store, &limited, 2).await;
    let took = started.elapsed();
    assert_eq!(found(&store, "limited").await.state, State::Sent);
    // The last quarter second's worth leaves without a wait behind it.
    assert!(
        took > Duration::from_millis(950) && took < Duration::from_secs(15),
        "{took:?}"
    );
    let all = contents(&local);
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|(_, hash)| *hash == sha256_hex(&bytes)));
}

#[tokio::test]
async fn messages_per_minute_are_counted_over_all_deliveries_of_the_minute() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let mut target = services.sftp.target("huatuo");
    target.tuning.messages_per_minute = Some(3);
    let keys: Vec<String> = (0..8).map(|number| format!("m{number}")).collect();
    let new: Vec<_> = keys
        .iter()
        .map(|key| document(key, key, key.as_bytes()))
        .collect();
    enqueue_all(&store, &new).await;
    let sent = async || {
        let mut tx = store.read().await.unwrap();
        outbox::list(&mut tx, &account(), Some(State::Sent), 100)
            .await
            .unwrap()
            .len()
    };
    // 1 795 000 000 is the fortieth second of a minute.
    for (second, wanted) in [(0, 3), (10, 3), (19, 3), (20, 6), (21, 6), (80, 8)] {
        deliver(&store, &target, second).await;
        assert_eq!(sent().await, wanted, "after {second} s");
    }
}

#[tokio::test]
async fn r40_many_files_travel_together_in_their_order_and_a_bad_one_stops_only_itself() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let target = services.sftp.target("huatuo");
    let local = services.sftp.local(&target.out_dir);
    std::fs::write(local.join("f0100"), b"theirs").unwrap();
    let names: Vec<String> = (0..200).map(|number| format!("f{number:04}")).collect();
    let new: Vec<_> = names
        .iter()
        .map(|name| {
            document(
                name,
                if name == "f0050" { "../escape" } else { name },
                name.as_bytes(),
            )
        })
        .collect();
    enqueue_all(&store, &new).await;
    deliver(&store, &target, 1).await;
    for name in &names {
        let message = found(&store, name).await;
        let wanted = match name.as_str() {
            "f0050" => State::Refused,
            "f0100" => State::Conflict,
            _ => State::Sent,
        };
        assert_eq!((message.state, message.attempt), (wanted, 1), "{name}");
        assert_eq!(message.handed_at.is_some(), wanted == State::Sent, "{name}");
    }
    let all = contents(&local);
    assert_eq!(all.len(), 199);
    assert!(all.iter().all(|(name, hash)| {
        *hash
            == sha256_hex(if name == "f0100" {
                b"theirs"
            } else {
                name.as_bytes()
            })
    }));
    // What an earlier file waits for, the later ones wait for too: nothing overtakes.
    let gone = Target {
        out_dir: target.out_dir.clone(),
        idle_timeout: Duration::from_millis(800),
        ..target.clone()
    };
    let proxy = Proxy::new(&services);
    let through = proxy.before(&gone, &services, dir.path());
    let later: Vec<String> = (0..100).map(|number| format!("g{number:04}")).collect();
    let new: Vec<_> = later
        .iter()
        .map(|name| document(name, name, name.as_bytes()))
        .collect();
    enqueue_all(&store, &new).await;
    proxy.toxic("reset_after", "upstream", r#"{"bytes":14000}"#);
    deliver(&store, &through, 10_000).await;
    proxy.heal();
    let mut sent = Vec::new();
    for name in &later {
        sent.push(found(&store, name).await.state == State::Sent);
    }
    let first_waiting = sent.iter().position(|sent| !sent).expect("the link broke");
    assert!(
        sent.iter().skip(first_waiting).all(|sent| !sent),
        "something overtook"
    );
    deliver(&store, &through, 20_000).await;
    for name in &later {
        assert_eq!(found(&store, name).await.state, State::Sent, "{name}");
    }
    let hidden = contents(&local)
        .iter()
        .filter(|(name, _)| name.starts_with('.'))
        .count();
    assert_eq!((contents(&local).len(), hidden), (299, 0));
}
