//! Servers that can do less: OpenSSH with requests forbidden, one combination after the other.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use linkstar::clock::FixedClock;
use linkstar::delivery::{Capabilities, Channel, RenameHabit, State};
use linkstar::digest::sha256_hex;
use linkstar::jobs::{Senders, deliver_due};
use linkstar::store::Store;
use linkstar::store::outbox::{self, KnownServer};
use linkstar::transport::sftp::{Session, Target};

use super::super::services::{Services, services};
use super::{account, at, contents, document, enqueue_all, found, noise, sqlite};

/// An sshd of its own on the same tree, which forbids some requests.
pub(super) struct Sshd {
    child: Child,
    pub(super) port: u16,
}

impl Sshd {
    pub(super) fn start(services: &Services, dir: &Path, forbidden: &str) -> Self {
        Self::start_by(services, dir, forbidden, Command::new("/usr/sbin/sshd"))
    }

    /// One whose files cannot grow beyond so many bytes: the write that would go further fails as on a full disk, and
    /// what was written before stays.
    pub(super) fn start_with_room(services: &Services, dir: &Path, bytes: u64) -> Self {
        let mut shell = Command::new("/bin/sh");
        // In blocks of 512 bytes; the signal would end the server where a full disk gives an error.
        let limit = format!(
            "trap '' XFSZ; ulimit -f {}; exec /usr/sbin/sshd \"$@\"",
            bytes / 512
        );
        shell.args(["-c", &limit, "sshd"]);
        Self::start_by(services, dir, "", shell)
    }

    fn start_by(services: &Services, dir: &Path, forbidden: &str, mut command: Command) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let config = services.sftp.key_file.with_file_name("sshd_config");
        let config = std::fs::read_to_string(config).expect("the server's own configuration");
        let mut lines = String::new();
        for line in config.lines() {
            if line.starts_with("ListenAddress") {
                lines.push_str(&format!("ListenAddress 127.0.0.1:{port}\n"));
            } else if line.starts_with("ForceCommand") && !forbidden.is_empty() {
                lines.push_str(&format!("{line} -P {forbidden}\n"));
            } else {
                lines.push_str(&format!("{line}\n"));
            }
        }
        let file = dir.join(format!("sshd_config-{port}"));
        std::fs::write(&file, lines).expect("the configuration is written");
        let child = command
            .args(["-D", "-e", "-f"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd starts");
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port }
    }

    pub(super) fn target(&self, services: &Services, dir: &Path) -> Target {
        Target {
            port: self.port,
            known_hosts: services.sftp.known_hosts_for(self.port, dir),
            ..services.sftp.target("huatuo")
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Only this one: sessions it has forked end with their connections.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn deliver(store: &Store, target: &Target, second: i64) {
    let senders = Senders {
        sftp: std::slice::from_ref(target),
        ..Senders::default()
    };
    deliver_due(store, &FixedClock::new(at(second)), &account(), &senders, "w")
        .await
        .expect("the store answers");
}

async fn known(store: &Store) -> Option<KnownServer> {
    let mut tx = store.read().await.expect("the store answers");
    outbox::known_server(&mut tx, &account(), (Channel::Sftp, "huatuo"))
        .await
        .expect("the store answers")
}

fn can(fsync: bool, hardlink: bool, posix_rename: bool, rename: RenameHabit) -> Capabilities {
    Capabilities {
        fsync,
        hardlink,
        posix_rename,
        rename,
    }
}

#[tokio::test]
async fn r40_each_kind_of_server_gets_its_files_whole_and_none_is_overwritten() {
    let Some(services) = services() else { return };
    use RenameHabit::{Denied, Refuses};
    for (forbidden, wanted, receipt) in [
        ("", can(true, true, true, Refuses), "read back, 300000 bytes"),
        (
            "fsync",
            can(false, true, true, Refuses),
            "read back, not synced, 300000 bytes",
        ),
        (
            "fsync,hardlink,posix-rename,limits,statvfs",
            can(false, false, false, Refuses),
            "read back, not synced, 300000 bytes",
        ),
        ("rename", can(true, true, true, Denied), "read back, 300000 bytes"),
        (
            "rename,posix-rename,fsync",
            can(false, true, false, Denied),
            "read back, not synced, 300000 bytes",
        ),
        (
            "rename,hardlink",
            can(true, false, true, Denied),
            "looked at before a rename that can overwrite, 300000 bytes",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let sshd = Sshd::start(&services, dir.path(), forbidden);
        let target = sshd.target(&services, dir.path());
        let local = services.sftp.local(&target.out_dir);
        let store = sqlite(dir.path()).await;
        std::fs::write(local.join("taken.xml"), b"theirs").unwrap();
        let (large, small) = (noise(1, 300_000), noise(2, 9_000));
        std::fs::write(local.join("ours.xml"), &small).unwrap();
        enqueue_all(
            &store,
            &[
                document("large", "large.xml", &large),
                document("taken", "taken.xml", b"ours"),
                document("ours", "ours.xml", &small),
                document("small", "small.xml", &small),
            ],
        )
        .await;
        deliver(&store, &target, 1).await;
        let server = known(&store).await.expect("the server is remembered");
        assert_eq!(server.capabilities, wanted, "forbidden: {forbidden}");
        assert_eq!(server.probed_at, at(1));
        for (key, state) in [
            ("large", State::Sent),
            ("taken", State::Conflict),
            ("ours", State::Sent),
            ("small", State::Sent),
        ] {
            let message = found(&store, key).await;
            assert_eq!(message.state, state, "{forbidden}: {message:?}");
        }
        let told = found(&store, "large").await.receipt.unwrap();
        assert!(told.contains(receipt), "{forbidden}: {told}");
        assert_eq!(
            contents(&local),
            [
                ("large.xml".to_owned(), sha256_hex(&large)),
                ("ours.xml".to_owned(), sha256_hex(&small)),
                ("small.xml".to_owned(), sha256_hex(&small)),
                ("taken.xml".to_owned(), sha256_hex(b"theirs")),
            ],
            "{forbidden}: each once, nothing hidden left, theirs untouched"
        );
    }
}

#[tokio::test]
async fn r40_a_server_that_lets_nobody_give_a_name_is_refused_and_left_clean() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let sshd = Sshd::start(&services, dir.path(), "rename,hardlink,posix-rename");
    let target = sshd.target(&services, dir.path());
    let store = sqlite(dir.path()).await;
    enqueue_all(&store, &[document("a", "a.xml", b"a")]).await;
    deliver(&store, &target, 1).await;
    let message = found(&store, "a").await;
    assert_eq!(message.state, State::Refused);
    let why = message.last_error.unwrap();
    assert!(why.contains("lets nobody rename or link"), "{why}");
    assert!(contents(&services.sftp.local(&target.out_dir)).is_empty());
}

#[tokio::test]
async fn a_server_is_tried_again_when_it_announces_other_things_and_once_a_month() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let sshd = Sshd::start(&services, dir.path(), "");
    let target = sshd.target(&services, dir.path());
    let send = async |key: &str, target: &Target, second: i64| {
        enqueue_all(&store, &[document(key, key, key.as_bytes())]).await;
        deliver(&store, target, second).await;
        known(&store).await.expect("remembered").probed_at
    };
    const DAY: i64 = 86_400;
    assert_eq!(send("one", &target, 1).await, at(1));
    assert_eq!(send("two", &target, 29 * DAY).await, at(1), "remembered");
    assert_eq!(send("three", &target, 31 * DAY).await, at(31 * DAY));
    // The forwarder changes his server's settings; the address stays.
    let stricter = Sshd::start(&services, dir.path(), "hardlink");
    let moved = Target {
        port: stricter.port,
        known_hosts: services.sftp.known_hosts_for(stricter.port, dir.path()),
        ..target
    };
    assert_eq!(send("four", &moved, 32 * DAY).await, at(32 * DAY));
    assert!(!known(&store).await.unwrap().capabilities.hardlink);
}

#[tokio::test]
async fn what_a_probe_left_behind_is_no_obstacle_to_the_next() {
    let Some(services) = services() else { return };
    let target = services.sftp.target("huatuo");
    let local = services.sftp.local(&target.out_dir);
    let mut session = Session::open(&target).await.unwrap();
    let first = session.probe("w").await.unwrap();
    assert_eq!(first, can(true, true, true, RenameHabit::Refuses));
    let tag = sha256_hex(b"w");
    for part in ["a", "c"] {
        std::fs::write(local.join(format!(".linkstar-{}-{part}.probe", &tag[..12])), b"").unwrap();
    }
    std::fs::set_permissions(&local, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(session.probe("w").await.unwrap(), first);
    assert!(contents(&local).is_empty());
    session.close().await;
}
