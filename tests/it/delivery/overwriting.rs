//! A server whose rename overwrites: it is found out by trying, and no file of anybody is overwritten.

use std::sync::atomic::Ordering;

use linkstar::clock::FixedClock;
use linkstar::delivery::{Capabilities, Channel, Outgoing, Placing, RenameHabit, Staged, State};
use linkstar::digest::sha256_hex;
use linkstar::jobs::{Senders, deliver_due};
use linkstar::store::outbox;
use linkstar::transport::sftp::{Session, SftpError};

use super::sftp_double::Overwriting;
use super::{account, at, contents, document, enqueue_all, found, noise, sqlite};

const FOUND: Capabilities = Capabilities {
    fsync: false,
    hardlink: false,
    posix_rename: false,
    rename: RenameHabit::Overwrites,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_a_server_that_overwrites_is_found_out_and_overwrites_nothing_of_ours_or_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let server = Overwriting::start(dir.path()).await;
    let store = sqlite(dir.path()).await;
    let (large, small) = (noise(1, 300_000), noise(2, 9_000));
    std::fs::write(server.folder.join("taken.xml"), b"theirs").unwrap();
    std::fs::write(server.folder.join("same-size.xml"), b"them").unwrap();
    std::fs::write(server.folder.join("ours.xml"), &small).unwrap();
    enqueue_all(
        &store,
        &[
            document("large", "large.xml", &large),
            document("taken", "taken.xml", b"ours"),
            document("same-size", "same-size.xml", b"ours"),
            document("ours", "ours.xml", &small),
            document("small", "small.xml", &small),
        ],
    )
    .await;
    let senders = Senders {
        sftp: std::slice::from_ref(&server.target),
        ..Senders::default()
    };
    for second in [1, 100_000] {
        deliver_due(&store, &FixedClock::new(at(second)), &account(), &senders, "w")
            .await
            .unwrap();
        for (key, state) in [
            ("large", State::Sent),
            ("taken", State::Conflict),
            ("same-size", State::Conflict),
            ("ours", State::Sent),
            ("small", State::Sent),
        ] {
            let message = found(&store, key).await;
            assert_eq!((message.state, message.attempt), (state, 1), "{message:?}");
        }
    }
    assert_eq!(
        contents(&server.folder),
        [
            ("large.xml".to_owned(), sha256_hex(&large)),
            ("ours.xml".to_owned(), sha256_hex(&small)),
            ("same-size.xml".to_owned(), sha256_hex(b"them")),
            ("small.xml".to_owned(), sha256_hex(&small)),
            ("taken.xml".to_owned(), sha256_hex(b"theirs")),
        ],
        "each once, nothing hidden left, theirs untouched"
    );
    let mut tx = store.read().await.unwrap();
    let known = outbox::known_server(&mut tx, &account(), (Channel::Sftp, "huatuo"))
        .await
        .unwrap()
        .expect("remembered");
    assert_eq!((known.capabilities, known.announced.as_str()), (FOUND, ""));
    assert_eq!(known.capabilities.placing(), Some(Placing::LookThenRename));
    // One rename to find out, and one for each of the two files that were new.
    assert_eq!(server.counts.renames.load(Ordering::Relaxed), 3);
    assert_eq!(
        server.counts.extended.load(Ordering::Relaxed),
        0,
        "nothing is asked for that was not announced"
    );
    let address = server.target.address();
    let receipt = found(&store, "small")
        .await
        .receipt
        .unwrap()
        .replace(&address, "ADDRESS");
    assert_eq!(
        receipt,
        format!(
            "ADDRESS/drop/small.xml read back, looked at before a rename that can overwrite, not synced, 9000 bytes, sha256 {}",
            sha256_hex(&small)
        )
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_what_comes_between_the_halves_is_not_overwritten_by_a_server_that_would() {
    let dir = tempfile::tempdir().unwrap();
    let server = Overwriting::start(dir.path()).await;
    let mut session = Session::open(&server.target).await.unwrap();
    assert_eq!(session.probe("w").await.unwrap(), FOUND);
    let hash = sha256_hex(b"ours");
    let file = |attempt| Outgoing {
        name: "late.csv",
        bytes: b"ours",
        sha256: &hash,
        attempt,
    };
    let staged = session.stage(&file(1)).await.unwrap();
    assert!(matches!(staged, Staged::Ready { .. }));
    std::fs::write(server.folder.join("late.csv"), b"them").unwrap();
    let error = session.publish(&file(1), &staged).await.unwrap_err();
    assert!(matches!(error, SftpError::Conflict { .. }), "{error}");
    assert_eq!(
        contents(&server.folder),
        [("late.csv".to_owned(), sha256_hex(b"them"))]
    );

    // Another worker of ours was quicker: the same bytes are adopted, not written over.
    std::fs::remove_file(server.folder.join("late.csv")).unwrap();
    let staged = session.stage(&file(2)).await.unwrap();
    std::fs::write(server.folder.join("late.csv"), b"ours").unwrap();
    let before = server.counts.renames.load(Ordering::Relaxed);
    let receipt = session.publish(&file(2), &staged).await.unwrap();
    assert!(receipt.contains("found there"), "{receipt}");
    assert_eq!(server.counts.renames.load(Ordering::Relaxed), before);
    assert_eq!(contents(&server.folder), [("late.csv".to_owned(), hash.clone())]);
    session.close().await;
}
