//! What can go wrong at a forwarder's server, each through the outbox: the state it leads to, the words a person
//! reads, and how the file arrives once it is repaired. Against OpenSSH, and the fault proxy before it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linkstar::clock::FixedClock;
use linkstar::delivery::State;
use linkstar::digest::sha256_hex;
use linkstar::jobs::{Senders, deliver_due};
use linkstar::store::Store;
use linkstar::store::outbox::{self, Change};
use linkstar::transport::sftp::{Target, Tuning};

use super::super::services::{Services, services};
use super::commands::Shop;
use super::faults::Proxy;
use super::servers::Sshd;
use super::{account, at, contents, document, enqueue_all, found, noise};

const KEY: &str = "order/BH1/r1/packing-list";
const NAME: &str = "BH1-packing-list-r1.xlsx";

struct Stage {
    services: Services,
    shop: Shop,
    store: Store,
    /// The forwarder as he is when nothing is wrong.
    target: Target,
    /// His drop folder on this machine.
    local: PathBuf,
    bytes: Vec<u8>,
}

impl Stage {
    async fn new(size: usize) -> Option<Self> {
        let services = services()?;
        let shop = Shop::new(&services, "");
        let store = shop.store().await;
        let target = services.sftp.target("huatuo");
        let local = services.sftp.local(&target.out_dir);
        let bytes = noise(size as u64, size);
        enqueue_all(&store, &[document(KEY, NAME, &bytes)]).await;
        Some(Self {
            services,
            shop,
            store,
            target,
            local,
            bytes,
        })
    }

    fn home(&self) -> &Path {
        self.shop.home.path()
    }

    async fn deliver(&self, target: &Target, second: i64) {
        let senders = Senders {
            sftp: std::slice::from_ref(target),
            ..Senders::default()
        };
        let clock = FixedClock::new(at(second));
        let main = account();
        let run = deliver_due(&self.store, &clock, &main, &senders, "w");
        tokio::time::timeout(Duration::from_secs(60), run)
            .await
            .expect("no fault holds the worker")
            .expect("the store answers");
    }

    /// What a person sees, with what differs from run to run left out.
    async fn seen(&self, target: &Target) -> String {
        let message = found(&self.store, KEY).await;
        let listed = self.shop.run(&["outbox", "list"]);
        let shown = self.shop.run(&["outbox", "show", KEY]);
        let text = format!(
            "state {}, attempt {}, handed over: {}\n\noutbox list, exit code {:?}\n{}\noutbox show, exit code {:?}\n{}",
            message.state,
            message.attempt,
            message.handed_at.is_some(),
            listed.code,
            listed.out,
            shown.code,
            shown.out
        );
        self.steady(&text, target)
    }

    fn steady(&self, text: &str, target: &Target) -> String {
        let mut text = text
            .replace(&self.home().display().to_string(), "HOME")
            .replace(&target.known_hosts.display().to_string(), "KNOWN_HOSTS")
            .replace(&target.key_file.display().to_string(), "KEY_FILE")
            .replace(&target.out_dir, "FOLDER")
            .replace(&format!("{}@127.0.0.1", target.user), "USER@127.0.0.1")
            .replace(&format!(":{}", target.port), ":PORT");
        let mut rest = std::mem::take(&mut text);
        while let Some((before, after)) = rest.split_once("SHA256:") {
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '/')
                .unwrap_or(after.len());
            text.push_str(before);
            text.push_str("SHA256_…");
            rest = after[end..].to_owned();
        }
        text.push_str(&rest);
        // Columns are as wide as what was left out.
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        lines.join("\n")
    }

    /// Nothing stands under the final name; so many hidden files are left.
    fn nothing_but(&self, hidden: usize) {
        let all = contents(&self.local);
        assert!(
            all.iter().all(|(name, _)| name.starts_with('.')),
            "visible before it is whole: {all:?}"
        );
        assert_eq!(all.len(), hidden, "{all:?}");
    }

    /// A person tries again, or the time has come: the file arrives, and no further delivery changes anything.
    async fn arrives_once(&self, repaired: &Target, attempt: u32) {
        if found(&self.store, KEY).await.state.needs_a_person() {
            let mut tx = self.store.write().await.expect("the store answers");
            let change = outbox::retry(&mut tx, &account(), KEY, at(5_000)).await;
            assert!(matches!(change.expect("the store answers"), Change::Done { .. }));
            tx.commit().await.expect("committed");
        }
        for second in [10_000, 20_000, 30_000] {
            self.deliver(repaired, second).await;
            let message = found(&self.store, KEY).await;
            assert_eq!(message.state, State::Sent, "{:?}", message.last_error);
            assert_eq!(message.attempt, attempt, "sent once");
            assert_eq!(
                contents(&self.local),
                [(NAME.to_owned(), sha256_hex(&self.bytes))],
                "one file, nothing hidden"
            );
        }
        assert_eq!(
            self.shop.run(&["outbox", "list"]).code,
            Some(0),
            "nobody is needed"
        );
    }

    async fn fails(&self, broken: &Target, wanted: State, snapshot: &str) {
        self.deliver(broken, 10).await;
        let message = found(&self.store, KEY).await;
        assert_eq!((message.state, message.attempt), (wanted, 1), "{message:?}");
        assert!(message.first_error.is_some() && message.sent_at.is_none());
        assert!(!self.local.join(NAME).exists());
        let mut tx = self.store.read().await.expect("the store answers");
        let attempts = outbox::attempts(&mut tx, &account(), KEY).await.expect("read");
        assert_eq!(attempts.len(), 1, "the attempt has a row of its own");
        assert!(attempts[0].ended_at.is_some() && attempts[0].error == message.last_error);
        drop(tx);
        if wanted == State::Due {
            assert!(message.run_after > at(10), "not at once again");
            // Before its time nothing happens.
            self.deliver(broken, 11).await;
            assert_eq!(found(&self.store, KEY).await.attempt, 1);
        } else {
            // Neither does time mend it: a person must.
            self.deliver(broken, 1_000_000).await;
            assert_eq!(found(&self.store, KEY).await.attempt, 1);
        }
        insta::assert_snapshot!(snapshot, self.seen(broken).await);
    }

    fn known_hosts(&self, text: &str) -> PathBuf {
        let file = self.home().join("known_hosts");
        std::fs::write(&file, text).expect("written");
        file
    }

    fn mode(&self, mode: u32) {
        std::fs::set_permissions(&self.local, std::fs::Permissions::from_mode(mode)).expect("mode is set");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_host_key_changed() {
    let Some(stage) = Stage::new(20_000).await else {
        return;
    };
    let other = stage
        .services
        .sftp
        .key_file
        .with_file_name("other_host_ed25519.pub");
    let other = std::fs::read_to_string(other).unwrap();
    let lines = format!("# forwarders\n[127.0.0.1]:{} {other}", stage.target.port);
    let changed = Target {
        known_hosts: stage.known_hosts(&lines),
        ..stage.target.clone()
    };
    stage.fails(&changed, State::Refused, "host_key_changed").await;
    stage.nothing_but(0);
    stage.arrives_once(&stage.target, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_host_key_unknown() {
    let Some(stage) = Stage::new(20_000).await else {
        return;
    };
    let unknown = Target {
        known_hosts: stage.known_hosts("# nobody yet\n"),
        ..stage.target.clone()
    };
    stage.fails(&unknown, State::Refused, "host_key_unknown").await;
    stage.nothing_but(0);
    stage.arrives_once(&stage.target, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_wrong_key() {
    let Some(stage) = Stage::new(20_000).await else {
        return;
    };
    let wrong = Target {
        key_file: stage.services.sftp.key_file.with_file_name("other_host_ed25519"),
        ..stage.target.clone()
    };
    stage.fails(&wrong, State::Refused, "wrong_key").await;
    stage.nothing_but(0);
    stage.arrives_once(&stage.target, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_permission_denied_in_the_drop_folder() {
    let Some(stage) = Stage::new(20_000).await else {
        return;
    };
    stage.mode(0o555);
    stage
        .fails(&stage.target, State::Refused, "permission_denied")
        .await;
    stage.nothing_but(0);
    stage.mode(0o777);
    stage.arrives_once(&stage.target, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_drop_folder_missing() {
    let Some(stage) = Stage::new(20_000).await else {
        return;
    };
    std::fs::remove_dir(&stage.local).unwrap();
    stage.fails(&stage.target, State::Refused, "folder_missing").await;
    std::fs::create_dir(&stage.local).unwrap();
    stage.mode(0o777);
    stage.arrives_once(&stage.target, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_disk_full_with_a_partial_left_by_the_server() {
    // Its files end after a million bytes: what has been written stays, and the rest is refused as on a full disk.
    let Some(stage) = Stage::new(3_000_000).await else {
        return;
    };
    let full = Sshd::start_with_room(&stage.services, stage.home(), 1_000_000);
    let target = Target {
        out_dir: stage.target.out_dir.clone(),
        ..full.target(&stage.services, stage.home())
    };
    stage.fails(&target, State::Due, "disk_full").await;
    stage.nothing_but(0);
    // Still full: it is tried again, and told again.
    stage.deliver(&target, 4_000).await;
    let message = found(&stage.store, KEY).await;
    assert_eq!((message.state, message.attempt), (State::Due, 2));
    stage.nothing_but(0);
    stage.arrives_once(&stage.target, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_connection_lost_leaves_a_partial_that_the_next_attempt_clears() {
    let Some(stage) = Stage::new(3_000_000).await else {
        return;
    };
    let hidden = linkstar::delivery::PartialName::new(NAME, &sha256_hex(&stage.bytes), 1).file_name();
    let proxy = Proxy::new(&stage.services);
    // Each request is answered before the next one leaves: what was answered stands there.
    let through = Target {
        tuning: Tuning {
            bytes_per_second: Some(4_000_000),
            ..Tuning::default()
        },
        ..proxy.before(&stage.target, &stage.services, stage.home())
    };
    proxy.toxic("reset_after", "upstream", r#"{"bytes":1200000}"#);
    stage.deliver(&through, 10).await;
    proxy.heal();
    assert_eq!(found(&stage.store, KEY).await.state, State::Due);
    let left = std::fs::metadata(stage.local.join(&hidden))
        .map(|file| file.len())
        .unwrap_or(0);
    assert!(left > 0 && left < 3_000_000, "{left}");
    stage.nothing_but(1);
    stage.arrives_once(&stage.target, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_silent_peer_while_connecting() {
    let Some(stage) = Stage::new(20_000).await else {
        return;
    };
    let proxy = Proxy::new(&stage.services);
    let silent = Target {
        connect_timeout: Duration::from_millis(700),
        ..proxy.before(&stage.target, &stage.services, stage.home())
    };
    proxy.toxic("timeout", "downstream", r#"{"timeout":0}"#);
    stage.fails(&silent, State::Due, "silent_connecting").await;
    stage.nothing_but(0);
    proxy.heal();
    let healed = Target {
        connect_timeout: Duration::from_secs(20),
        ..silent
    };
    stage.arrives_once(&healed, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_silent_peer_in_the_middle_of_the_file() {
    let Some(stage) = Stage::new(2_000_000).await else {
        return;
    };
    let proxy = Proxy::new(&stage.services);
    let through = Target {
        idle_timeout: Duration::from_millis(900),
        tuning: Tuning {
            bytes_per_second: Some(500_000),
            ..Tuning::default()
        },
        ..proxy.before(&stage.target, &stage.services, stage.home())
    };
    let hidden = linkstar::delivery::PartialName::new(NAME, &sha256_hex(&stage.bytes), 1).file_name();
    let hidden = stage.local.join(hidden);
    let falls_silent = async {
        while std::fs::metadata(&hidden).map(|file| file.len()).unwrap_or(0) < 200_000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy.toxic("timeout", "downstream", r#"{"timeout":0}"#);
    };
    tokio::join!(stage.deliver(&through, 10), falls_silent);
    let message = found(&stage.store, KEY).await;
    assert_eq!((message.state, message.attempt), (State::Due, 1));
    let why = message.last_error.unwrap();
    assert!(
        why.starts_with("no answer within 0.9 s while writing") && why.contains(" after "),
        "{why}"
    );
    assert!(!stage.local.join(NAME).exists());
    proxy.heal();
    let healed = Target {
        idle_timeout: Duration::from_secs(10),
        tuning: Tuning::default(),
        ..through
    };
    stage.arrives_once(&healed, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_slow_link_needs_one_attempt() {
    let Some(stage) = Stage::new(900_000).await else {
        return;
    };
    let proxy = Proxy::new(&stage.services);
    let slow = Target {
        // Below what the whole file takes: each answer has its own deadline.
        idle_timeout: Duration::from_secs(3),
        ..proxy.before(&stage.target, &stage.services, stage.home())
    };
    proxy.toxic("bandwidth", "upstream", r#"{"rate":200}"#);
    stage.deliver(&slow, 10).await;
    let message = found(&stage.store, KEY).await;
    assert_eq!(
        (message.state, message.attempt),
        (State::Sent, 1),
        "{:?}",
        message.last_error
    );
    insta::assert_snapshot!("slow_link", stage.seen(&slow).await);
    proxy.heal();
    stage.arrives_once(&slow, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_server_down() {
    let Some(stage) = Stage::new(20_000).await else {
        return;
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let down = Target {
        port,
        ..stage.target.clone()
    };
    stage.fails(&down, State::Due, "server_down").await;
    stage.nothing_but(0);
    stage.arrives_once(&stage.target, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_other_content_under_the_name() {
    let Some(stage) = Stage::new(20_000).await else {
        return;
    };
    std::fs::write(stage.local.join(NAME), b"theirs").unwrap();
    stage.deliver(&stage.target, 10).await;
    let message = found(&stage.store, KEY).await;
    assert_eq!((message.state, message.attempt), (State::Conflict, 1));
    insta::assert_snapshot!("conflict", stage.seen(&stage.target).await);
    assert_eq!(contents(&stage.local), [(NAME.to_owned(), sha256_hex(b"theirs"))]);
    std::fs::remove_file(stage.local.join(NAME)).unwrap();
    stage.arrives_once(&stage.target, 2).await;
}

/// From inside the login to behind the last byte; a large file is reset in `large.rs`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_outbox_connection_reset_at_twenty_offsets() {
    let Some(stage) = Stage::new(100_000).await else {
        return;
    };
    let proxy = Proxy::new(&stage.services);
    let through = Target {
        idle_timeout: Duration::from_secs(5),
        ..proxy.before(&stage.target, &stage.services, stage.home())
    };
    // This one is only there for the other tests.
    stage.arrives_once(&stage.target, 1).await;
    std::fs::remove_file(stage.local.join(NAME)).unwrap();
    let mut cut = 0;
    for number in 0..20_i64 {
        let key = format!("reset-{number}");
        let name = format!("{key}.xlsx");
        let bytes = noise(u64::try_from(number).unwrap() + 1, 100_000);
        enqueue_all(&stage.store, &[document(&key, &name, &bytes)]).await;
        let offset = 900 + number * 5_600;
        proxy.toxic("reset_after", "upstream", &format!(r#"{{"bytes":{offset}}}"#));
        let second = 40_000 + number * 10_000;
        stage.deliver(&through, second).await;
        proxy.heal();
        let message = found(&stage.store, &key).await;
        if message.state != State::Sent {
            cut += 1;
            assert_eq!(message.state, State::Due, "at {offset}: {:?}", message.last_error);
            assert!(!stage.local.join(&name).exists(), "at {offset}");
        }
        for second in [second + 5_000, second + 6_000] {
            stage.deliver(&through, second).await;
            let message = found(&stage.store, &key).await;
            assert_eq!(
                message.state,
                State::Sent,
                "at {offset}: {:?}",
                message.last_error
            );
            assert!(message.attempt <= 2, "at {offset}");
            assert_eq!(
                contents(&stage.local),
                [(name.clone(), sha256_hex(&bytes))],
                "at {offset}"
            );
        }
        std::fs::remove_file(stage.local.join(&name)).unwrap();
    }
    assert!(cut >= 18, "only {cut} of 20 broke");
}
