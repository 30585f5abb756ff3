//! Mails to several recipients, and mails that come back, against the SMTP sink.

use std::time::Duration;

use futures_util::future::BoxFuture;
use linkstar::clock::FixedClock;
use linkstar::delivery::{Channel, Envelope, RecipientState, State, read_bounce};
use linkstar::jobs::{MailOutcome, MailSender, Senders, deliver_due};
use linkstar::secret::Secret;
use linkstar::store::Store;
use linkstar::store::outbox::{self, Logged, NewMessage};
use linkstar::transport::email::{Refused, SendOutcome, SmtpSettings, SmtpTls, look, send_to_all};

use super::super::services::{Services, control, services, unique};
use super::{account, at, engines, enqueue_all, found, sqlite};

fn settings(services: &Services) -> SmtpSettings {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rest = services.smtp_url.strip_prefix("smtp://").expect("smtp://");
    let (login, place) = rest.split_once('@').expect("a login");
    let (user, password) = login.split_once(':').expect("a password");
    let (host, port) = place.split_once(':').expect("a port");
    SmtpSettings {
        host: host.to_owned(),
        port: port.parse().expect("a port"),
        tls: SmtpTls::StartTls,
        user: user.to_owned(),
        password: Secret::new(password.to_owned()),
        ca_file: Some(services.tls_ca.clone()),
        timeout: Duration::from_secs(20),
    }
}

struct Post(SmtpSettings);

impl MailSender for Post {
    fn send<'a>(&'a self, raw: &'a [u8], envelope: &'a Envelope) -> BoxFuture<'a, MailOutcome> {
        Box::pin(async move {
            let outcomes = send_to_all(&self.0, raw, &envelope.from, &envelope.to).await;
            let told = outcomes.into_iter().map(|outcome| match outcome {
                SendOutcome::Accepted { answer } => MailOutcome::Accepted { reply: answer },
                SendOutcome::RefusedPermanent { text, .. } => MailOutcome::Refused { why: text },
                SendOutcome::RetryLater { text, .. } => MailOutcome::Retry { why: text },
                SendOutcome::Doubtful { why } => MailOutcome::Doubtful { why },
            });
            MailOutcome::Apart(envelope.to.iter().cloned().zip(told).collect())
        })
    }
}

struct Letter {
    key: String,
    id: String,
    to: Vec<String>,
    envelope: String,
    raw: Vec<u8>,
}

fn letter(names: &[&str]) -> Letter {
    let number = format!("{}-{}", std::process::id(), unique());
    let to: Vec<String> = names
        .iter()
        .map(|name| format!("{name}-{number}@example.com"))
        .collect();
    let id = format!("<{number}@linkstar.test>");
    let envelope = Envelope {
        from: "plan@linkstar.test".to_owned(),
        to: to.clone(),
    };
    Letter {
        key: format!("mail/{number}"),
        raw: format!("From: plan@linkstar.test\r\nMessage-ID: {id}\r\nSubject: plan\r\n\r\nHello\r\n")
            .into_bytes(),
        envelope: serde_json::to_string(&envelope).expect("JSON"),
        id,
        to,
    }
}

fn new(letter: &Letter) -> NewMessage<'_> {
    NewMessage {
        business_key: &letter.key,
        channel: Channel::Mail,
        target: "buyers",
        remote_name: "plan",
        kind: "mail",
        bytes: &letter.raw,
        envelope: Some(&letter.envelope),
        message_id: Some(&letter.id),
        depends_on: None,
        run_after: at(0),
    }
}

fn fault(services: &Services, stage: &str, who: &str, action: &str) {
    let body = format!(r#"{{"stage":"{stage}","match":"{who}",{action},"times":1}}"#);
    control("POST", &format!("{}/faults", services.smtp_api), &body);
}

/// Who the sink stored that mail for, transaction by transaction.
fn stored_for(services: &Services, id: &str) -> Vec<Vec<String>> {
    let all: serde_json::Value =
        serde_json::from_str(&control("GET", &format!("{}/messages", services.smtp_api), "")).expect("JSON");
    all.as_array()
        .expect("a list")
        .iter()
        .filter(|mail| mail["message_id"].as_str() == Some(id))
        .map(|mail| {
            let to = mail["rcpt_tos"].as_array().expect("recipients");
            to.iter()
                .map(|to| to.as_str().expect("an address").to_owned())
                .collect()
        })
        .collect()
}

async fn deliver(store: &Store, post: &Post, second: i64) {
    let senders = Senders {
        mail: Some(post),
        ..Senders::default()
    };
    deliver_due(store, &FixedClock::new(at(second)), &account(), &senders, "w")
        .await
        .expect("the store answers");
}

async fn answers(store: &Store, key: &str) -> Vec<(String, RecipientState, String)> {
    let mut tx = store.read().await.expect("the store answers");
    outbox::recipients(&mut tx, &account(), key)
        .await
        .expect("the store answers")
        .into_iter()
        .map(|to| {
            let name = to.recipient.split('-').next().unwrap_or_default().to_owned();
            (name, to.state, to.answer)
        })
        .collect()
}

fn states(answers: &[(String, RecipientState, String)]) -> Vec<(&str, RecipientState)> {
    answers
        .iter()
        .map(|(name, state, _)| (name.as_str(), *state))
        .collect()
}

#[tokio::test]
async fn r75_each_recipient_is_answered_apart_and_nobody_gets_the_mail_twice() {
    use RecipientState::{Accepted, Refused, Retry};
    let Some(services) = services() else { return };
    let post = Post(settings(&services));
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mail = letter(&["anna", "bad", "busy", "carl"]);
        enqueue_all(&store, &[new(&mail)]).await;
        fault(
            &services,
            "rcpt",
            &mail.to[1],
            r#""code":550,"text":"no such user""#,
        );
        fault(&services, "rcpt", &mail.to[2], r#""code":451,"text":"try later""#);
        deliver(&store, &post, 1).await;
        let first = answers(&store, &mail.key).await;
        assert_eq!(
            states(&first),
            [
                ("anna", Accepted),
                ("bad", Refused),
                ("busy", Retry),
                ("carl", Accepted)
            ]
        );
        assert!(first[1].2.contains("no such user"), "{first:?}");
        let message = found(&store, &mail.key).await;
        assert_eq!(message.state, State::Due);
        let why = message.last_error.unwrap();
        assert!(why.contains("try later") && why.contains(&mail.to[1]), "{why}");

        // The one who was busy, and only that one.
        deliver(&store, &post, 10_000).await;
        let message = found(&store, &mail.key).await;
        assert_eq!(message.state, State::Refused, "one recipient still has none");
        assert!(message.last_error.unwrap().contains("no such user"));
        // A person has the address mended at the other side and sends again: it goes to that one alone.
        let mut tx = store.write().await.unwrap();
        let again = outbox::retry(&mut tx, &account(), &mail.key, at(20_000))
            .await
            .unwrap();
        assert!(matches!(again, outbox::Change::Done { .. }));
        tx.commit().await.unwrap();
        deliver(&store, &post, 20_000).await;
        assert_eq!(found(&store, &mail.key).await.state, State::Sent);
        assert_eq!(
            stored_for(&services, &mail.id),
            [
                vec![mail.to[0].clone(), mail.to[3].clone()],
                vec![mail.to[2].clone()],
                vec![mail.to[1].clone()]
            ]
        );
    }
}

#[tokio::test]
async fn r75_a_lost_answer_leaves_only_those_doubtful_who_may_have_it() {
    use RecipientState::{Accepted, Doubtful, Refused};
    let Some(services) = services() else { return };
    let post = Post(settings(&services));
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    let mail = letter(&["anna", "bad"]);
    enqueue_all(&store, &[new(&mail)]).await;
    fault(
        &services,
        "rcpt",
        &mail.to[1],
        r#""code":550,"text":"no such user""#,
    );
    fault(&services, "after_store", &mail.to[0], r#""action":"drop""#);
    deliver(&store, &post, 1).await;
    assert_eq!(found(&store, &mail.key).await.state, State::Doubtful);
    assert_eq!(
        states(&answers(&store, &mail.key).await),
        [("anna", Doubtful), ("bad", Refused)]
    );
    let mut tx = store.write().await.unwrap();
    let seen = outbox::confirm_sent(&mut tx, &account(), &mail.key, "seen by a person", at(2))
        .await
        .unwrap();
    assert!(matches!(seen, outbox::Change::Done { .. }));
    tx.commit().await.unwrap();
    assert_eq!(
        states(&answers(&store, &mail.key).await),
        [("anna", Accepted), ("bad", Refused)]
    );
    assert_eq!(stored_for(&services, &mail.id).len(), 1);
}

#[tokio::test]
async fn r75_a_recipient_that_is_no_address_or_all_refused_stop_nobody_else() {
    let Some(services) = services() else { return };
    let settings = settings(&services);
    let mail = letter(&["anna", "bad"]);
    let to = vec!["not an address".to_owned(), mail.to[0].clone()];
    let outcomes = send_to_all(&settings, &mail.raw, "plan@linkstar.test", &to).await;
    assert!(
        matches!(
            &outcomes[..],
            [
                SendOutcome::RefusedPermanent {
                    what: Refused::Settings,
                    ..
                },
                SendOutcome::Accepted { .. }
            ]
        ),
        "{outcomes:?}"
    );
    for to in &mail.to {
        fault(&services, "rcpt", to, r#""code":550,"text":"no""#);
    }
    let outcomes = send_to_all(&settings, &mail.raw, "plan@linkstar.test", &mail.to).await;
    assert!(
        outcomes.iter().all(|outcome| matches!(
            outcome,
            SendOutcome::RefusedPermanent {
                what: Refused::Recipient,
                code: Some(550),
                ..
            }
        )),
        "{outcomes:?}"
    );
    assert_eq!(stored_for(&services, &mail.id).len(), 1);
}

#[tokio::test]
async fn a_look_at_the_mail_server_logs_in_and_sends_nothing() {
    let Some(services) = services() else { return };
    let good = settings(&services);
    look(&good).await.unwrap();
    let wrong = SmtpSettings {
        password: Secret::new("wrong".to_owned()),
        ..good.clone()
    };
    assert!(matches!(
        look(&wrong).await,
        Err(SendOutcome::RefusedPermanent {
            what: Refused::Login,
            ..
        })
    ));
    let nobody = SmtpSettings { port: 1, ..good };
    assert!(matches!(
        look(&nobody).await,
        Err(SendOutcome::RetryLater { code: None, .. })
    ));
}

pub(super) fn report(about: &str, recipient: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.com\r\nTo: plan@linkstar.test\r\nSubject: Undelivered\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b1\"\r\n\r\n--b1\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 user unknown\r\n\r\n--b1\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         Message-ID: {about}\r\nSubject: plan\r\n\r\n--b1--\r\n"
    )
}

#[tokio::test]
async fn r75_a_bounce_is_logged_once_on_its_mail_and_a_strangers_on_none() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mail = letter(&["gone", "there"]);
        enqueue_all(&store, &[new(&mail)]).await;
        let bounce = read_bounce(report(&mail.id, &mail.to[0]).as_bytes()).unwrap();
        let log = async |bounce| {
            let mut tx = store.write().await.unwrap();
            let logged = outbox::log_bounce(&mut tx, &account(), "hash-1", bounce, at(5))
                .await
                .unwrap();
            tx.commit().await.unwrap();
            logged
        };
        let on = Logged::On {
            business_key: mail.key.clone(),
            recipients: 1,
        };
        assert_eq!(log(&bounce).await, on);
        let again = Logged::Already {
            business_key: mail.key.clone(),
        };
        assert_eq!(log(&bounce).await, again);
        let stranger = read_bounce(report("<else@where>", &mail.to[0]).as_bytes()).unwrap();
        assert_eq!(log(&stranger).await, Logged::Unknown);

        let message = found(&store, &mail.key).await;
        assert_eq!(
            message.last_error,
            Some(format!("bounced: {}: 5.1.1 550 user unknown", mail.to[0]))
        );
        let told = answers(&store, &mail.key).await;
        assert_eq!(states(&told), [("gone", RecipientState::Bounced)]);
        let mut tx = store.read().await.unwrap();
        let bounces = outbox::bounces(&mut tx, &account(), &mail.key).await.unwrap();
        assert_eq!((bounces.len(), bounces[0].status.as_str()), (1, "5.1.1"));
        let since = outbox::bounced_since(&mut tx, &account(), at(4)).await.unwrap();
        assert_eq!(since.len(), 1);
        assert!(
            outbox::bounced_since(&mut tx, &account(), at(5))
                .await
                .unwrap()
                .is_empty()
        );
    }
}
