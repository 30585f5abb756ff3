//! `linkstar outbox` and `linkstar doctor`, run as a person runs them.

use std::path::Path;
use std::process::Command;

use linkstar::delivery::{Channel, State};
use linkstar::digest::sha256_hex;
use linkstar::store::Store;
use linkstar::store::outbox::{self, NewMessage};

use super::super::services::{Services, services};
use super::{account, at, contents, document, enqueue_all, found};

pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

pub(super) struct Shop {
    pub(super) home: tempfile::TempDir,
    pub(super) out_dir: String,
}

impl Shop {
    pub(super) fn new(services: &Services, cancel: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let target = services.sftp.target("huatuo");
        let rest = services.smtp_url.strip_prefix("smtp://").expect("smtp://");
        let (login, place) = rest.split_once('@').expect("a login");
        let (user, password) = login.split_once(':').expect("a password");
        let (host, port) = place.split_once(':').expect("a port");
        std::fs::write(home.path().join("password"), password).expect("written");
        let config = format!(
            "[account]\nid = 'main'\nname = 'test'\nlanguage = 'en'\n\
             [mail]\nhost = '{host}'\nport = {port}\nuser = '{user}'\npassword = '${{file:password}}'\n\
             ca_file = '{}'\nfrom = 'plan@linkstar.test'\n[[mail.recipients]]\naddress = 'ops@example.com'\n\
             [[forwarder]]\nid = 'huatuo'\nname = '华拓'\ndocuments = ['packing-list']\n{cancel}\
             [forwarder.sftp]\nhost = '{}'\nport = {}\nuser = '{}'\nkey_file = '{}'\nknown_hosts = '{}'\nout_dir = '{}'\n",
            services.tls_ca.display(),
            target.host,
            target.port,
            target.user,
            target.key_file.display(),
            target.known_hosts.display(),
            target.out_dir
        );
        std::fs::write(home.path().join("linkstar.toml"), config).expect("written");
        Self {
            home,
            out_dir: target.out_dir,
        }
    }

    pub(super) fn run(&self, args: &[&str]) -> Ran {
        let out = Command::new(env!("CARGO_BIN_EXE_linkstar"))
            .arg("--config")
            .arg(self.home.path().join("linkstar.toml"))
            .args(args)
            .output()
            .expect("linkstar runs");
        Ran {
            code: out.status.code(),
            out: String::from_utf8_lossy(&out.stdout).into_owned(),
            err: String::from_utf8_lossy(&out.stderr).into_owned(),
        }
    }

    pub(super) async fn store(&self) -> Store {
        let path = self.home.path().join("data/linkstar.db");
        Store::open(&format!("sqlite:{}", path.display()))
            .await
            .expect("the store opens")
    }

    pub(super) fn change_config(&self, from: &str, to: &str) {
        let file = self.home.path().join("linkstar.toml");
        let text = std::fs::read_to_string(&file).expect("read");
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replace(from, to)).expect("written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_a_sent_file_is_taken_back_by_one_cancel_file_after_it() {
    let Some(services) = services() else { return };
    let shop = Shop::new(&services, "");
    let local = services.sftp.local(&shop.out_dir);
    let store = shop.store().await;
    enqueue_all(
        &store,
        &[
            document("order/1/r1/list", "list.xlsx", b"list"),
            document("order/2/r1/list", "other.xlsx", b"other"),
        ],
    )
    .await;
    let withdraw = |key: &str| shop.run(&["outbox", "withdraw", key, "--reason", "wrong quantity 数量错"]);
    // Not sent yet: it never leaves.
    let kept = withdraw("order/2/r1/list");
    assert_eq!(kept.code, Some(0), "{}", kept.err);
    assert!(kept.out.contains("it has not left"), "{}", kept.out);
    let delivered = shop.run(&["deliver"]);
    assert_eq!(delivered.code, Some(0), "{}{}", delivered.out, delivered.err);
    assert_eq!(contents(&local), [("list.xlsx".to_owned(), sha256_hex(b"list"))]);

    let followed = withdraw("order/1/r1/list");
    assert_eq!(followed.code, Some(0), "{}", followed.err);
    assert!(followed.out.contains("CANCEL_list.txt"), "{}", followed.out);
    let again = withdraw("order/1/r1/list");
    assert!(
        again.out.contains("there is a cancel file already"),
        "{}",
        again.out
    );
    assert_eq!(shop.run(&["deliver"]).code, Some(0));
    assert_eq!(shop.run(&["deliver"]).code, Some(0));
    let names: Vec<_> = contents(&local).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["CANCEL_list.txt", "list.xlsx"]);
    let text = std::fs::read_to_string(local.join("CANCEL_list.txt")).unwrap();
    for part in [
        "作废",
        "CANCELLED",
        "list.xlsx",
        &sha256_hex(b"list"),
        "wrong quantity 数量错",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(found(&store, "order/2/r1/list").await.state, State::Withdrawn);
    let cancel = found(&store, "cancel/order/1/r1/list").await;
    assert_eq!(cancel.depends_on.as_deref(), Some("order/1/r1/list"));

    let shown = shop.run(&["outbox", "show", "order/1/r1/list", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(shown["state"], "sent");
    assert_eq!(shown["attempt_list"][0]["outcome"], "sent");
    let people = shop.run(&["outbox", "show", "order/1/r1/list"]);
    assert!(people.out.contains("attempts") && people.out.contains("read back"));
    let unknown = withdraw("nobody");
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("no message `nobody`"), "{}", unknown.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_the_cancel_file_has_the_name_and_the_text_the_forwarder_wants() {
    let Some(services) = services() else { return };
    let declared = "[forwarder.cancel]\nname = '{name}.void'\ntext = 'VOID {name} {reason}'\n";
    let shop = Shop::new(&services, declared);
    let local = services.sftp.local(&shop.out_dir);
    let store = shop.store().await;
    enqueue_all(&store, &[document("k", "list.xlsx", b"list")]).await;
    assert_eq!(shop.run(&["deliver"]).code, Some(0));
    let bad = "name = 'a/{name}'";
    shop.change_config("name = '{name}.void'", bad);
    let refused = shop.run(&["outbox", "withdraw", "k", "--reason", "x"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("forwarder.cancel.name"), "{}", refused.err);
    shop.change_config(bad, "name = '{name}.void'");
    assert_eq!(
        shop.run(&["outbox", "withdraw", "k", "--reason", "late"]).code,
        Some(0)
    );
    assert_eq!(shop.run(&["deliver"]).code, Some(0));
    let text = std::fs::read_to_string(local.join("list.xlsx.void")).unwrap();
    assert_eq!(text, "VOID list.xlsx late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_a_conflict_stands_in_status_and_a_bounce_dropped_into_the_inbox_on_its_mail() {
    let Some(services) = services() else { return };
    let shop = Shop::new(&services, "");
    let local = services.sftp.local(&shop.out_dir);
    let store = shop.store().await;
    std::fs::write(local.join("list.xlsx"), b"theirs").unwrap();
    let id = "<daily.1@linkstar.test>";
    let mail = NewMessage {
        business_key: "mail/daily/1",
        channel: Channel::Mail,
        target: "gone@example.com",
        remote_name: "plan",
        kind: "mail",
        bytes: b"From: plan@linkstar.test\r\nSubject: plan\r\n\r\nHello\r\n",
        envelope: Some(r#"{"from":"plan@linkstar.test","to":["gone@example.com"]}"#),
        message_id: Some(id),
        depends_on: None,
        run_after: at(0),
    };
    enqueue_all(&store, &[document("order/1/r1/list", "list.xlsx", b"list"), mail]).await;
    assert_eq!(shop.run(&["deliver"]).code, Some(1));
    assert_eq!(found(&store, "order/1/r1/list").await.state, State::Conflict);
    let status = shop.run(&["status"]);
    assert!(status.out.contains("order/1/r1/list"), "{}", status.out);
    assert!(status.out.contains("already there with other content"));
    let refused = shop.run(&["outbox", "confirm", "order/1/r1/list"]);
    assert_eq!(refused.code, Some(2));

    let inbox = shop.home.path().join("inbox");
    std::fs::create_dir_all(&inbox).unwrap();
    let report = super::recipients::report(id, "gone@example.com");
    std::fs::write(inbox.join("bounce.eml"), &report).unwrap();
    shop.run(&["night"]);
    assert!(inbox.join("done/bounce.eml").exists());
    let shown = shop.run(&["outbox", "show", "mail/daily/1"]);
    assert_eq!(shown.code, Some(1));
    assert!(
        shown.out.contains("bounced") && shown.out.contains("5.1.1"),
        "{}",
        shown.out
    );
    let mut tx = store.read().await.unwrap();
    assert_eq!(
        outbox::bounces(&mut tx, &account(), "mail/daily/1")
            .await
            .unwrap()
            .len(),
        1
    );
}

fn state_of<'a>(findings: &'a serde_json::Value, what: &str) -> &'a str {
    findings
        .as_array()
        .expect("a list")
        .iter()
        .find(|finding| {
            finding["what"]
                .as_str()
                .is_some_and(|found| found.starts_with(what))
        })
        .and_then(|finding| finding["state"].as_str())
        .expect("a state")
}

#[test]
fn doctor_asks_the_mail_server_too() {
    let Some(services) = services() else { return };
    let shop = Shop::new(&services, "");
    let doctor = |shop: &Shop| {
        let ran = shop.run(&["doctor", "--json"]);
        let found: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        (ran.code, found)
    };
    let (code, found) = doctor(&shop);
    assert_eq!(code, Some(0), "{found}");
    assert_eq!(
        (state_of(&found, "mail"), state_of(&found, "huatuo")),
        ("ok", "ok")
    );

    let write = |path: &Path, text: &str| std::fs::write(path, text).expect("written");
    write(&shop.home.path().join("password"), "wrong");
    let (code, found) = doctor(&shop);
    assert_eq!((code, state_of(&found, "mail")), (Some(3), "expired"), "{found}");

    let empty = shop.home.path().join("known_hosts");
    write(&empty, "");
    shop.change_config(&services.sftp.known_hosts.display().to_string(), "known_hosts");
    let ca = services.tls_ca.display().to_string();
    shop.change_config(&ca, "missing.pem");
    let (_, found) = doctor(&shop);
    assert_eq!(
        (state_of(&found, "mail"), state_of(&found, "huatuo")),
        ("configuration", "forbidden"),
        "{found}"
    );
    shop.change_config("ca_file = 'missing.pem'\n", "");
    let (_, found) = doctor(&shop);
    assert_eq!(
        state_of(&found, "mail"),
        "forbidden",
        "an unknown authority: {found}"
    );
}
