//! A real SMTP server with STARTTLS and AUTH, and what it does on bad days.
//!
//! Every test has its own recipient, so that they can share the server.

use std::path::PathBuf;
use std::time::Duration;

use linkstar::report::render_mail;
use linkstar::secret::Secret;
use linkstar::transport::email::{
    Envelope, Refused, SendOutcome, SmtpSettings, SmtpTls, build_message, send,
};
use linkstar::wording::Lang;
use serde_json::{Value, json};

use crate::services::{missing, services};

use super::fixture;

const FROM: &str = "bot@seller.example";

struct Sink {
    settings: SmtpSettings,
    api: String,
    http: reqwest::Client,
}

/// `smtp://user:password@host:port`
fn settings(url: &str, tls: SmtpTls) -> Option<SmtpSettings> {
    let (_, rest) = url.split_once("://")?;
    let (login, place) = rest.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    let (host, port) = place.rsplit_once(':')?;
    Some(SmtpSettings {
        host: host.to_owned(),
        port: port.parse().ok()?,
        tls,
        user: user.to_owned(),
        password: Secret::new(password.to_owned()),
        ca_file: std::env::var("TLS_CA").ok().map(PathBuf::from),
        timeout: Duration::from_secs(20),
    })
}

/// The server, or the reason why the test is skipped.
fn sink() -> Option<Sink> {
    let services = services()?;
    // A second installation finds the first: all tests of this binary want the same provider.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        println!("the TLS provider is installed already");
    }
    Some(Sink {
        settings: settings(&services.smtp_url, SmtpTls::StartTls)
            .expect("SMTP_URL is smtp://user:password@host:port"),
        api: services.smtp_api,
        http: reqwest::Client::new(),
    })
}

impl Sink {
    async fn fault(&self, fault: Value) {
        let answer = self
            .http
            .post(format!("{}/faults", self.api))
            .body(fault.to_string())
            .send()
            .await
            .expect("the sink answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    async fn stored_for(&self, to: &str) -> Vec<Value> {
        let all = self.get("/messages").await;
        let all: Vec<Value> = serde_json::from_slice(&all).expect("a list");
        all.into_iter()
            .filter(|message| message["rcpt_tos"] == json!([to]))
            .collect()
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let answer = self
            .http
            .get(format!("{}{path}", self.api))
            .send()
            .await
            .expect("the sink answers");
        answer.bytes().await.expect("a body").to_vec()
    }

    async fn send(&self, to: &str) -> SendOutcome {
        send(&self.settings, &mail_to(to), &envelope(to)).await
    }
}

fn envelope(to: &str) -> Envelope {
    Envelope {
        from: FROM.to_owned(),
        to: to.to_owned(),
    }
}

fn mail_to(to: &str) -> Vec<u8> {
    let (plan, diff) = (fixture::full_plan(), fixture::full_diff());
    let mail = render_mail(&fixture::full_report(Lang::Zh, &plan, &diff)).expect("a mail");
    let id = format!("<2026-11-22.{to}.linkstar>");
    build_message(&mail, FROM, to, &id, fixture::now()).expect("a message")
}

/// Recipients of an earlier run on the same server must not count.
fn recipient(name: &str) -> String {
    let run = std::process::id();
    format!("{name}.{run}@seller.example")
}

#[tokio::test]
async fn r75_the_mail_arrives_as_it_was_built_under_tls_with_login() {
    let Some(sink) = sink() else { return };
    let to = recipient("li");
    let raw = mail_to(&to);
    let outcome = send(&sink.settings, &raw, &envelope(&to)).await;
    assert!(
        matches!(&outcome, SendOutcome::Accepted { answer } if answer.starts_with("250")),
        "{outcome:?}"
    );
    let stored = sink.stored_for(&to).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["tls"], json!(true));
    assert_eq!(stored[0]["auth"], json!(sink.settings.user));
    assert_eq!(
        stored[0]["subject"],
        json!("[补货日报] 2026-11-22 · 红3 黄3 · 需下单 ≥ ¥86k · 数据: 1源过期")
    );
    let received = sink.get(&format!("/messages/{}.eml", stored[0]["id"])).await;
    // The end of the body belongs to the protocol; everything before it is ours to the byte.
    let trimmed = |bytes: &[u8]| bytes.trim_ascii_end().to_vec();
    assert!(
        trimmed(&received) == trimmed(&raw),
        "the bytes changed on the way"
    );
}

#[tokio::test]
async fn tls_from_the_first_byte_works_too() {
    let (Some(mut sink), Some(services)) = (sink(), services()) else {
        return;
    };
    sink.settings = settings(&services.smtps_url, SmtpTls::Implicit)
        .expect("SMTPS_URL is smtps://user:password@host:port");
    let to = recipient("implicit");
    let outcome = sink.send(&to).await;
    assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(sink.stored_for(&to).await.len(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_refused_for_good() {
    let Some(mut sink) = sink() else { return };
    sink.settings.password = Secret::new("not-this".to_owned());
    let to = recipient("password");
    let outcome = sink.send(&to).await;
    assert!(
        matches!(
            outcome,
            SendOutcome::RefusedPermanent {
                what: Refused::Login,
                code: Some(535),
                ..
            }
        ),
        "{outcome:?}"
    );
    assert!(sink.stored_for(&to).await.is_empty());
}

#[tokio::test]
async fn an_untrusted_certificate_gets_no_login_and_no_mail() {
    let Some(mut sink) = sink() else { return };
    sink.settings.ca_file = None;
    let to = recipient("untrusted");
    let outcome = sink.send(&to).await;
    assert!(
        matches!(
            outcome,
            SendOutcome::RefusedPermanent {
                what: Refused::Tls,
                code: None,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert!(sink.stored_for(&to).await.is_empty());
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_named() {
    let Some(mut sink) = sink() else { return };
    sink.settings.ca_file = Some(PathBuf::from("/nowhere/ca.pem"));
    let outcome = sink.send(&recipient("ca")).await;
    let SendOutcome::RefusedPermanent {
        what: Refused::Settings,
        text,
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert!(text.contains("/nowhere/ca.pem"), "{text}");
}

#[tokio::test]
async fn a_451_is_tried_again_later_and_then_arrives_once() {
    let Some(sink) = sink() else { return };
    let to = recipient("greylisted");
    sink.fault(json!({"stage": "rcpt", "match": to, "code": 451, "text": "4.7.1 try later"}))
        .await;
    let outcome = sink.send(&to).await;
    assert!(
        matches!(&outcome, SendOutcome::RetryLater { code: Some(451), text } if text.contains("try later")),
        "{outcome:?}"
    );
    let outcome = sink.send(&to).await;
    assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(sink.stored_for(&to).await.len(), 1);
}

#[tokio::test]
async fn r75_a_recipient_that_bounces_does_not_stop_the_others() {
    let Some(sink) = sink() else { return };
    let (gone, there) = (recipient("gone"), recipient("there"));
    sink.fault(
        json!({"stage": "rcpt", "match": gone, "code": 550, "text": "5.1.1 no such user", "times": -1}),
    )
    .await;
    let outcome = sink.send(&gone).await;
    assert!(
        matches!(
            outcome,
            SendOutcome::RefusedPermanent {
                what: Refused::Recipient,
                code: Some(550),
                ..
            }
        ),
        "{outcome:?}"
    );
    let outcome = sink.send(&there).await;
    assert!(matches!(outcome, SendOutcome::Accepted { .. }), "{outcome:?}");
    assert!(sink.stored_for(&gone).await.is_empty());
}

#[tokio::test]
async fn a_message_refused_after_its_body_is_refused() {
    let Some(sink) = sink() else { return };
    let to = recipient("content");
    sink.fault(json!({"stage": "data", "match": to, "code": 554, "text": "5.7.1 not wanted"}))
        .await;
    let outcome = sink.send(&to).await;
    assert!(
        matches!(
            outcome,
            SendOutcome::RefusedPermanent {
                what: Refused::Message,
                code: Some(554),
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_body_leaves_nothing() {
    let Some(sink) = sink() else { return };
    let to = recipient("early");
    sink.fault(json!({"stage": "rcpt", "match": to, "action": "drop"}))
        .await;
    let outcome = sink.send(&to).await;
    assert!(
        matches!(outcome, SendOutcome::RetryLater { code: None, .. }),
        "{outcome:?}"
    );
    assert!(sink.stored_for(&to).await.is_empty());
}

#[tokio::test]
async fn stored_but_not_answered_is_doubtful() {
    let Some(sink) = sink() else { return };
    let to = recipient("doubt");
    sink.fault(json!({"stage": "after_store", "match": to, "action": "drop"}))
        .await;
    let outcome = sink.send(&to).await;
    assert!(matches!(outcome, SendOutcome::Doubtful { .. }), "{outcome:?}");
    assert_eq!(
        sink.stored_for(&to).await.len(),
        1,
        "it did arrive: sending again would be twice"
    );
}

#[tokio::test]
async fn a_server_that_hangs_is_left_in_time() {
    let Some(mut sink) = sink() else { return };
    sink.settings.timeout = Duration::from_secs(3);
    let (before, after) = (recipient("hang-before"), recipient("hang-after"));
    sink.fault(json!({"stage": "rcpt", "match": before, "action": "hang"}))
        .await;
    sink.fault(json!({"stage": "after_store", "match": after, "action": "hang"}))
        .await;
    let (first, second) = tokio::join!(sink.send(&before), sink.send(&after));
    assert!(
        matches!(first, SendOutcome::RetryLater { code: None, .. }),
        "{first:?}"
    );
    assert!(matches!(second, SendOutcome::Doubtful { .. }), "{second:?}");
}

#[tokio::test]
async fn nobody_listening_is_tried_again_later() {
    let Some(mut sink) = sink() else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    sink.settings.port = listener.local_addr().expect("an address").port();
    drop(listener);
    let outcome = sink.send(&recipient("nobody")).await;
    assert!(
        matches!(outcome, SendOutcome::RetryLater { code: None, .. }),
        "{outcome:?}"
    );
}

/// A real server that was never given a certificate.
#[tokio::test]
async fn a_server_without_starttls_is_told_nothing() {
    let python = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        std::process::Command::new(python)
            .args(["-c", "import aiosmtpd"])
            .output()
            .is_ok_and(|output| output.status.success())
    });
    let Some(python) = python else {
        missing("no python3 with aiosmtpd (Debian package python3-aiosmtpd)");
        return;
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let mut server = tokio::process::Command::new(python)
        .args([
            "-m",
            "aiosmtpd",
            "-n",
            "-c",
            "aiosmtpd.handlers.Debugging",
            "stdout",
            "-l",
        ])
        .arg(format!("127.0.0.1:{port}"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the server starts");
    let place = format!("smtp://user:never-sent@127.0.0.1:{port}");
    let settings = settings(&place, SmtpTls::StartTls).expect("settings");
    let to = recipient("plain");
    let mut outcome = send(&settings, &mail_to(&to), &envelope(&to)).await;
    // Until it listens.
    for _ in 0..100 {
        if !matches!(outcome, SendOutcome::RetryLater { .. }) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        outcome = send(&settings, &mail_to(&to), &envelope(&to)).await;
    }
    assert!(
        matches!(
            outcome,
            SendOutcome::RefusedPermanent {
                what: Refused::Tls,
                code: None,
                ..
            }
        ),
        "{outcome:?}"
    );
    server.kill().await.expect("it stops");
    let printed = server.wait_with_output().await.expect("its output").stdout;
    assert!(printed.is_empty(), "{}", String::from_utf8_lossy(&printed));
}
