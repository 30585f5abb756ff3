//! The outbox emptied through SFTP, a folder and a mail server, side by side.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::address::Envelope as SmtpEnvelope;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncTransport as _, Tokio1Executor};
use linkstar::clock::FixedClock;
use linkstar::delivery::{Channel, Envelope, PartialName, State};
use linkstar::digest::sha256_hex;
use linkstar::jobs::{MailOutcome, MailSender, Pace, Senders, deliver_due};
use linkstar::store::Store;
use linkstar::store::outbox::{self, NewMessage};
use linkstar::transport::folder::FolderTarget;
use linkstar::transport::sftp::Target;

use super::super::services::{Services, control, services, unique};
use super::{account, at, contents, engines, enqueue_all, sqlite};

/// Plain SMTP to the sink, which can also be asked what it stored.
struct Sink {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    api: Option<String>,
}

impl Sink {
    fn new(services: &Services, may_ask: bool) -> Self {
        let rest = services.smtp_url.strip_prefix("smtp://").expect("smtp://");
        let (login, place) = rest.split_once('@').expect("a login");
        let (user, password) = login.split_once(':').expect("a password");
        let (host, port) = place.split_once(':').expect("a port");
        let pem = std::fs::read(&services.tls_ca).expect("the certificate");
        let tls = TlsParameters::builder("localhost".to_owned())
            .add_root_certificate(Certificate::from_pem(&pem).expect("PEM"))
            .build()
            .expect("TLS");
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.parse().expect("a port"))
            .tls(Tls::Required(tls))
            .credentials(Credentials::new(user.to_owned(), password.to_owned()))
            .timeout(Some(Duration::from_secs(10)))
            .build();
        Self {
            transport,
            api: may_ask.then(|| services.smtp_api.clone()),
        }
    }
}

impl MailSender for Sink {
    fn send<'a>(&'a self, raw: &'a [u8], envelope: &'a Envelope) -> BoxFuture<'a, MailOutcome> {
        Box::pin(async move {
            let to = envelope
                .to
                .iter()
                .map(|to| to.parse().expect("an address"))
                .collect();
            let smtp =
                SmtpEnvelope::new(Some(envelope.from.parse().expect("an address")), to).expect("an envelope");
            match self.transport.send_raw(&smtp, raw).await {
                Ok(reply) => MailOutcome::Accepted {
                    reply: reply.message().collect(),
                },
                Err(error) if error.is_permanent() || error.is_tls() => MailOutcome::Refused {
                    why: error.to_string(),
                },
                Err(error) if error.is_transient() => MailOutcome::Retry {
                    why: error.to_string(),
                },
                Err(error) => MailOutcome::Doubtful {
                    why: error.to_string(),
                },
            }
        })
    }

    fn arrived<'a>(&'a self, message_id: &'a str) -> BoxFuture<'a, Option<bool>> {
        Box::pin(async move {
            let api = self.api.clone()?;
            Some(stored(&api, message_id) > 0)
        })
    }
}

/// How many mails of that Message-ID the sink holds.
fn stored(api: &str, message_id: &str) -> usize {
    let all: serde_json::Value =
        serde_json::from_str(&control("GET", &format!("{api}/messages"), "")).expect("JSON");
    all.as_array()
        .expect("a list")
        .iter()
        .filter(|mail| mail["message_id"].as_str() == Some(message_id))
        .count()
}

struct Mail {
    key: String,
    id: String,
    to: String,
    raw: Vec<u8>,
    envelope: String,
}

fn mail(name: &str) -> Mail {
    let number = format!("{name}-{}-{}", std::process::id(), unique());
    let id = format!("<{number}@linkstar.test>");
    let to = format!("{number}@example.com");
    let envelope = Envelope {
        from: "plan@linkstar.test".to_owned(),
        to: vec![to.clone()],
    };
    Mail {
        key: format!("mail/{number}"),
        raw: format!(
            "From: plan@linkstar.test\r\nTo: {to}\r\nMessage-ID: {id}\r\nSubject: plan\r\n\r\nHello\r\n"
        )
        .into_bytes(),
        envelope: serde_json::to_string(&envelope).expect("JSON"),
        id,
        to,
    }
}

fn of_mail(mail: &Mail) -> NewMessage<'_> {
    NewMessage {
        business_key: &mail.key,
        channel: Channel::Mail,
        target: &mail.to,
        remote_name: "plan",
        kind: "mail",
        bytes: &mail.raw,
        envelope: Some(&mail.envelope),
        message_id: Some(&mail.id),
        depends_on: None,
        run_after: at(0),
    }
}

fn document<'a>(key: &'a str, channel: Channel, target: &'a str, name: &'a str) -> NewMessage<'a> {
    NewMessage {
        business_key: key,
        channel,
        target,
        remote_name: name,
        kind: "document",
        bytes: key.as_bytes(),
        envelope: None,
        message_id: None,
        depends_on: None,
        run_after: at(0),
    }
}

async fn states(store: &Store) -> Vec<(String, State)> {
    let mut tx = store.read().await.expect("the store answers");
    outbox::list(&mut tx, &account(), None, 100)
        .await
        .expect("the store answers")
        .into_iter()
        .map(|message| (message.business_key, message.state))
        .collect()
}

#[tokio::test]
async fn a_target_that_fails_does_not_hold_up_the_others() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let huatuo = services.sftp.target("huatuo");
        let down = Target {
            id: "down".to_owned(),
            port: 1,
            ..huatuo.clone()
        };
        let empty = dir.path().join("known_hosts");
        std::fs::write(&empty, "").unwrap();
        let stranger = Target {
            id: "stranger".to_owned(),
            known_hosts: empty,
            ..huatuo.clone()
        };
        let drop_dir = tempfile::tempdir().unwrap();
        let folder = FolderTarget {
            id: "share".to_owned(),
            out_dir: drop_dir.path().to_owned(),
            in_dir: None,
            settle: Duration::from_millis(10),
        };
        let greeting = mail("greeting");
        enqueue_all(
            &store,
            &[
                document("d1", Channel::Sftp, "down", "a.xml"),
                document("d2", Channel::Sftp, "down", "b.xml"),
                document("s1", Channel::Sftp, "stranger", "a.xml"),
                document("s2", Channel::Sftp, "stranger", "b.xml"),
                document("h1", Channel::Sftp, "huatuo", "a.xml"),
                document("h2", Channel::Sftp, "huatuo", "../escape"),
                document("h3", Channel::Sftp, "huatuo", "c.xml"),
                document("f1", Channel::Folder, "share", "a.xml"),
                document("n1", Channel::Folder, "nobody", "a.xml"),
                of_mail(&greeting),
            ],
        )
        .await;
        let sink = Sink::new(&services, false);
        let targets = [down, stranger, huatuo.clone()];
        let senders = Senders {
            sftp: &targets,
            folders: std::slice::from_ref(&folder),
            mail: Some(&sink),
            ..Senders::default()
        };
        let clock = FixedClock::new(at(10));
        // As a job of the worker runs it: boxed and moved between threads.
        let main = account();
        let run: BoxFuture<'_, _> = Box::pin(deliver_due(&store, &clock, &main, &senders, "w"));
        let report = run.await.unwrap();
        let mut found = states(&store).await;
        found.sort();
        assert_eq!(
            found,
            [
                ("d1".to_owned(), State::Due),
                ("d2".to_owned(), State::Due),
                ("f1".to_owned(), State::Sent),
                ("h1".to_owned(), State::Sent),
                ("h2".to_owned(), State::Refused),
                ("h3".to_owned(), State::Sent),
                (greeting.key.clone(), State::Sent),
                ("n1".to_owned(), State::Refused),
                ("s1".to_owned(), State::Refused),
                ("s2".to_owned(), State::Refused),
            ]
        );
        assert_eq!(
            (
                report.count(State::Sent),
                report.count(State::Refused),
                report.count(State::Due)
            ),
            (4, 4, 1),
            "{report:?}"
        );
        assert_eq!(stored(&services.smtp_api, &greeting.id), 1);
        assert_eq!(
            contents(&services.sftp.local(&huatuo.out_dir)),
            [
                ("a.xml".to_owned(), sha256_hex(b"h1")),
                ("c.xml".to_owned(), sha256_hex(b"h3"))
            ]
        );
        assert_eq!(
            contents(drop_dir.path()),
            [("a.xml".to_owned(), sha256_hex(b"f1"))]
        );
        let again = deliver_due(&store, &clock, &account(), &senders, "w")
            .await
            .unwrap();
        assert!(
            again.attempts.is_empty(),
            "nothing is due before its time: {again:?}"
        );
    }
}

#[tokio::test]
async fn r75_a_mail_whose_answer_was_lost_is_doubtful_and_never_sent_twice_by_itself() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let lost = mail("answer-lost");
    enqueue_all(&store, &[of_mail(&lost)]).await;
    // Stored, then the connection is reset: the sender cannot know.
    let fault = format!(
        r#"{{"stage":"after_store","match":"{}","action":"drop","times":1}}"#,
        lost.to
    );
    control("POST", &format!("{}/faults", services.smtp_api), &fault);
    let clock = FixedClock::new(at(10));
    let deaf = Sink::new(&services, false);
    let senders = Senders {
        mail: Some(&deaf),
        ..Senders::default()
    };
    for second in [10, 100_000] {
        clock.set(at(second));
        deliver_due(&store, &clock, &account(), &senders, "w")
            .await
            .unwrap();
        assert_eq!(states(&store).await, [(lost.key.clone(), State::Doubtful)]);
    }
    assert_eq!(stored(&services.smtp_api, &lost.id), 1);

    // A server that can be asked settles it.
    let asking = Sink::new(&services, true);
    let senders = Senders {
        mail: Some(&asking),
        ..Senders::default()
    };
    let report = deliver_due(&store, &clock, &account(), &senders, "w")
        .await
        .unwrap();
    assert_eq!(report.resolved, [(lost.key.clone(), State::Sent)]);
    assert_eq!(stored(&services.smtp_api, &lost.id), 1);
}

#[tokio::test]
async fn r75_a_refusing_recipient_is_recorded_and_the_others_get_theirs() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let (bounces, busy, good) = (mail("bounces"), mail("busy"), mail("good"));
    enqueue_all(&store, &[of_mail(&bounces), of_mail(&busy), of_mail(&good)]).await;
    for (to, code) in [(&bounces.to, 550), (&busy.to, 451)] {
        let fault = format!(r#"{{"stage":"rcpt","match":"{to}","code":{code},"text":"no","times":1}}"#);
        control("POST", &format!("{}/faults", services.smtp_api), &fault);
    }
    let sink = Sink::new(&services, false);
    let senders = Senders {
        mail: Some(&sink),
        ..Senders::default()
    };
    let clock = FixedClock::new(at(10));
    deliver_due(&store, &clock, &account(), &senders, "w")
        .await
        .unwrap();
    clock.set(at(3600));
    deliver_due(&store, &clock, &account(), &senders, "w")
        .await
        .unwrap();
    let found = states(&store).await;
    assert!(found.contains(&(bounces.key, State::Refused)), "{found:?}");
    assert!(found.contains(&(busy.key, State::Sent)) && found.contains(&(good.key, State::Sent)));
    assert_eq!(
        (
            stored(&services.smtp_api, &bounces.id),
            stored(&services.smtp_api, &busy.id)
        ),
        (0, 1)
    );
}

#[tokio::test]
async fn what_a_server_created_after_our_death_is_swept_by_the_next_delivery() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let huatuo = services.sftp.target("huatuo");
    let local = services.sftp.local(&huatuo.out_dir);
    let senders = Senders {
        sftp: std::slice::from_ref(&huatuo),
        ..Senders::default()
    };
    let clock = FixedClock::new(at(10));
    enqueue_all(&store, &[document("one", Channel::Sftp, "huatuo", "one.xml")]).await;
    deliver_due(&store, &clock, &account(), &senders, "w")
        .await
        .unwrap();
    let late = PartialName::new("one.xml", &sha256_hex(b"one"), 7).file_name();
    let foreign = PartialName::new("one.xml", &sha256_hex(b"another"), 1).file_name();
    for name in [&late, &foreign] {
        std::fs::write(local.join(name), b"half").unwrap();
    }
    enqueue_all(&store, &[document("two", Channel::Sftp, "huatuo", "two.xml")]).await;
    deliver_due(&store, &clock, &account(), &senders, "w")
        .await
        .unwrap();
    let names: Vec<_> = contents(&local).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [foreign.as_str(), "one.xml", "two.xml"]);
}

/// Loses its lease to another process while it sends, and would never end by itself.
struct Robbed<'a> {
    store: &'a Store,
}

impl MailSender for Robbed<'_> {
    fn send<'a>(&'a self, _: &'a [u8], _: &'a Envelope) -> BoxFuture<'a, MailOutcome> {
        Box::pin(async {
            let mut tx = self.store.write().await.expect("the store answers");
            outbox::requeue_lost(&mut tx, &account(), None, at(100_000))
                .await
                .expect("the store answers");
            tx.commit().await.expect("the store answers");
            std::future::pending().await
        })
    }
}

#[tokio::test]
async fn a_worker_whose_lease_is_taken_stops_sending_and_records_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let taken = mail("taken");
        enqueue_all(&store, &[of_mail(&taken)]).await;
        let robbed = Robbed { store: &store };
        let senders = Senders {
            mail: Some(&robbed),
            pace: Pace {
                lease: Duration::from_millis(300),
                ..Pace::default()
            },
            ..Senders::default()
        };
        let clock = FixedClock::new(at(10));
        let main = account();
        let run = deliver_due(&store, &clock, &main, &senders, "w");
        let report = tokio::time::timeout(Duration::from_secs(30), run)
            .await
            .expect("it stops by itself")
            .unwrap();
        assert!(report.attempts.is_empty(), "{report:?}");
        assert_eq!(
            states(&store).await,
            [(taken.key.clone(), State::Doubtful)],
            "what the other process wrote stands"
        );
    }
}
