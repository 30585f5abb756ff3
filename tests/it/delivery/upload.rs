//! Uploads to OpenSSH when nothing breaks, and the host key.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use linkstar::delivery::{FetchLimits, Outcome, Outgoing, Staged, Visit};
use linkstar::digest::sha256_hex;
use linkstar::transport::sftp::{Session, SftpError, Target};

use super::super::services::{open_for_all, services};
use super::{contents, noise};

fn file<'a>(name: &'a str, bytes: &'a [u8], sha256: &'a str, attempt: u32) -> Outgoing<'a> {
    Outgoing {
        name,
        bytes,
        sha256,
        attempt,
    }
}

async fn refused(target: &Target) -> SftpError {
    Session::open(target).await.err().expect("the server is refused")
}

#[tokio::test]
async fn r40_a_file_arrives_whole_under_its_name_and_an_earlier_attempt_is_adopted() {
    let Some(services) = services() else { return };
    let target = services.sftp.target("huatuo");
    let local = services.sftp.local(&target.out_dir);
    let session = Session::open(&target).await.unwrap();
    // Empty, below one request, many requests in flight.
    for (name, length) in [
        ("empty.csv", 0),
        ("SO-1_装箱单_r1.xlsx", 12_345),
        ("big.xml", 3_000_001),
    ] {
        let bytes = noise(7, length);
        let hash = sha256_hex(&bytes);
        let receipt = session.upload(&file(name, &bytes, &hash, 1)).await.unwrap();
        assert!(
            receipt.contains("read back") && receipt.contains(&hash),
            "{receipt}"
        );
        assert!(contents(&local).contains(&(name.to_owned(), hash.clone())));
        let again = session.upload(&file(name, &bytes, &hash, 2)).await.unwrap();
        assert!(again.contains("found there"), "{again}");
    }
    assert_eq!(contents(&local).len(), 3, "no hidden file stays");
    session.close().await;
}

#[tokio::test]
async fn r40_a_file_with_other_content_is_a_conflict_and_is_not_touched() {
    let Some(services) = services() else { return };
    let target = services.sftp.target("huatuo");
    let local = services.sftp.local(&target.out_dir);
    let session = Session::open(&target).await.unwrap();
    let hash = sha256_hex(b"ours");
    for (name, theirs) in [("same-size.csv", &b"them"[..]), ("longer.csv", &b"theirs"[..])] {
        std::fs::write(local.join(name), theirs).unwrap();
        let error = session.upload(&file(name, b"ours", &hash, 1)).await.unwrap_err();
        assert!(matches!(error.outcome(), Outcome::Conflict { .. }), "{error}");
    }
    // It appears after the look and before the rename.
    let late = file("late.csv", b"ours", &hash, 1);
    let staged = session.stage(&late).await.unwrap();
    assert!(matches!(staged, Staged::Ready { .. }));
    std::fs::write(local.join("late.csv"), b"them").unwrap();
    let error = session.publish(&late, &staged).await.unwrap_err();
    assert!(matches!(error, SftpError::Conflict { .. }), "{error}");

    let theirs = sha256_hex(b"them");
    assert_eq!(
        contents(&local),
        [
            ("late.csv".to_owned(), theirs.clone()),
            ("longer.csv".to_owned(), sha256_hex(b"theirs")),
            ("same-size.csv".to_owned(), theirs)
        ]
    );
    session.close().await;
}

#[tokio::test]
async fn r40_of_two_workers_with_the_same_message_one_file_comes_out() {
    let Some(services) = services() else { return };
    let target = services.sftp.target("huatuo");
    let local = services.sftp.local(&target.out_dir);
    let (slow, fast) = (
        Session::open(&target).await.unwrap(),
        Session::open(&target).await.unwrap(),
    );
    let bytes = noise(3, 200_000);
    let hash = sha256_hex(&bytes);
    let (first, second) = (
        file("SO-2.xml", &bytes, &hash, 1),
        file("SO-2.xml", &bytes, &hash, 2),
    );
    let staged = slow.stage(&first).await.unwrap();
    fast.upload(&second).await.unwrap();
    let late = slow.publish(&first, &staged).await.unwrap();
    assert!(late.contains("found there"), "{late}");
    assert_eq!(contents(&local), [("SO-2.xml".to_owned(), hash)]);
}

#[tokio::test]
async fn r40_an_unknown_and_a_changed_host_key_are_refused_with_file_and_line() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let target = services.sftp.target("huatuo");

    let empty = dir.path().join("empty");
    std::fs::write(&empty, "# nobody\n").unwrap();
    let unknown = refused(&Target {
        known_hosts: empty.clone(),
        ..target.clone()
    })
    .await;
    let text = unknown.to_string();
    assert!(matches!(unknown, SftpError::UnknownHost { .. }), "{text}");
    assert!(
        text.contains(&empty.display().to_string()) && text.contains("SHA256:"),
        "{text}"
    );

    let other = services.sftp.key_file.with_file_name("other_host_ed25519.pub");
    let other = std::fs::read_to_string(other).unwrap();
    let changed_file = dir.path().join("changed");
    std::fs::write(
        &changed_file,
        format!("# a comment\n[127.0.0.1]:{} {other}", target.port),
    )
    .unwrap();
    let changed = refused(&Target {
        known_hosts: changed_file,
        ..target.clone()
    })
    .await;
    assert!(
        matches!(changed, SftpError::ChangedHostKey { line: 2, .. }),
        "{changed}"
    );
    assert!(matches!(changed.outcome(), Outcome::Refused { .. }));
    assert!(contents(&services.sftp.local(&target.out_dir)).is_empty());

    let gone = refused(&Target {
        known_hosts: dir.path().join("gone"),
        ..target
    })
    .await;
    assert!(matches!(gone, SftpError::KnownHosts { .. }), "{gone}");
}

#[tokio::test]
async fn a_key_the_server_does_not_know_is_refused_and_a_broken_one_is_named() {
    let Some(services) = services() else { return };
    let target = services.sftp.target("huatuo");
    let wrong = refused(&Target {
        key_file: services.sftp.key_file.with_file_name("other_host_ed25519"),
        ..target.clone()
    })
    .await;
    assert!(matches!(wrong, SftpError::AuthRefused { .. }), "{wrong}");
    assert!(matches!(wrong.outcome(), Outcome::Refused { .. }));
    let broken = refused(&Target {
        key_file: services.sftp.known_hosts.clone(),
        ..target.clone()
    })
    .await;
    assert!(matches!(broken, SftpError::KeyFile { .. }), "{broken}");
    let nobody = refused(&Target { port: 1, ..target }).await;
    assert!(
        matches!(nobody, SftpError::Connect { .. } | SftpError::KnownHosts { .. }),
        "{nobody}"
    );
    assert!(matches!(nobody.outcome(), Outcome::Retry { .. }));
}

#[tokio::test]
async fn r41_receipts_are_fetched_once_by_content_and_a_growing_one_waits() {
    let Some(services) = services() else { return };
    let mut target = services.sftp.target("huatuo");
    target.in_dir = Some(target.out_dir.clone());
    target.settle = std::time::Duration::from_millis(600);
    let local = services.sftp.local(&target.out_dir);
    for (name, bytes) in [
        ("收货_1.csv", &b"sku,qty"[..]),
        ("copy.csv", b"sku,qty"),
        ("growing.csv", b"sku"),
        (".hidden", b"x"),
        ("half.csv.part", b"x"),
        ("large.csv", &[b'x'; 5000]),
        ("closed.csv", b"secret"),
    ] {
        std::fs::write(local.join(name), bytes).unwrap();
        open_for_all(&local.join(name));
    }
    let unreadable = local.join("closed.csv");
    std::fs::set_permissions(&unreadable, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::create_dir(local.join("archive")).unwrap();
    let limits = FetchLimits {
        max_files: 10,
        max_bytes: 4000,
    };
    let session = Session::open(&target).await.unwrap();
    let nothing = HashSet::new();
    // Grows until it was looked at twice, however slow the looks are.
    let growing = local.join("growing.csv");
    let writer = tokio::spawn(async move {
        use std::io::Write as _;
        let mut file = std::fs::File::options().append(true).open(growing).unwrap();
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            file.write_all(b",more").unwrap();
        }
    });
    let visit = Visit::default();
    // As a step of the night runs it: boxed and moved between threads.
    let look: BoxFuture<'_, _> = Box::pin(session.fetch_new(&nothing, &visit, limits));
    let fetched = look.await.unwrap();
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    let names: Vec<_> = fetched.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        ["copy.csv"],
        "the first by name; the other is the same content"
    );
    assert_eq!((fetched.known, fetched.growing.len()), (1, 1));
    let problems: Vec<_> = fetched.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "too large, and not readable: {problems:?}");

    let known = fetched.files.into_iter().map(|file| file.sha256).collect();
    let again = session.fetch_new(&known, &visit, limits).await.unwrap();
    let names: Vec<_> = again.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!((names, again.known), (vec!["growing.csv"], 2));
    session.close().await;
}
