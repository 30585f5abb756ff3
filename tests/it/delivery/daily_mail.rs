//! What the next daily mail tells of the outbox, as the readers get it from the mail server.

use base64::Engine as _;

use super::super::services::{Services, control, services, unique};
use super::commands::Shop;
use super::{at, contents, document, enqueue_all, found};
use linkstar::delivery::State;
use linkstar::digest::sha256_hex;

struct Received {
    id: String,
    text: String,
}

/// The mails a reader has got, oldest first, each with its text as it is shown.
fn received(services: &Services, reader: &str) -> Vec<Received> {
    let all = control("GET", &format!("{}/messages", services.smtp_api), "");
    let all: Vec<serde_json::Value> = serde_json::from_str(&all).expect("a list");
    all.iter()
        .filter(|mail| mail["rcpt_tos"] == serde_json::json!([reader]))
        .map(|mail| {
            let url = format!("{}/messages/{}.eml", services.smtp_api, mail["id"]);
            let raw = control("GET", &url.replace('"', ""), "");
            Received {
                id: mail["message_id"].as_str().expect("a Message-ID").to_owned(),
                text: plain_text(&raw),
            }
        })
        .collect()
}

fn plain_text(raw: &str) -> String {
    let raw = raw.replace("\r\n", "\n");
    let part = raw
        .split("Content-Type: text/plain")
        .nth(1)
        .expect("a mail has a plain text");
    let (head, body) = part.split_once("\n\n").expect("a head and a body");
    let body = body.split("\n--").next().unwrap_or_default();
    if head.contains("base64") {
        let packed: String = body.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(packed)
            .expect("base64");
        return String::from_utf8(bytes).expect("UTF-8");
    }
    if !head.contains("quoted-printable") {
        return body.to_owned();
    }
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'=', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("ASCII");
                bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
                rest = after;
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

struct House {
    services: Services,
    shop: Shop,
    zh: String,
    en: String,
}

const FIRST: &str = "2026-11-20T22:30:00Z";
const SECOND: &str = "2026-11-21T22:30:00Z";
const THIRD: &str = "2026-11-22T22:30:00Z";

impl House {
    fn new() -> Option<Self> {
        let services = services()?;
        let shop = Shop::new(&services, "");
        let number = format!("{}-{}", std::process::id(), unique());
        let (zh, en) = (
            format!("zh-{number}@example.com"),
            format!("en-{number}@example.com"),
        );
        shop.change_config(
            "[[mail.recipients]]\naddress = 'ops@example.com'\n",
            &format!(
                "[[mail.recipients]]\naddress = '{zh}'\nlanguage = 'zh-CN'\n[[mail.recipients]]\naddress = '{en}'\nlanguage = 'en'\n"
            ),
        );
        Some(Self {
            services,
            shop,
            zh,
            en,
        })
    }

    /// The lines of that night's mails that name something, in Chinese and in English.
    fn told(&self, at: &str, nights: usize, words: &str) -> (Vec<String>, Vec<String>) {
        let ran = self.shop.run(&["night", "--at", at]);
        assert!(matches!(ran.code, Some(0 | 1)), "{}{}", ran.out, ran.err);
        let lines = |reader: &str| {
            let mails = received(&self.services, reader);
            assert_eq!(mails.len(), nights, "one mail a night: {}{}", ran.out, ran.err);
            let newest = mails.last().map(|mail| mail.text.clone()).unwrap_or_default();
            newest
                .lines()
                .filter(|line| line.contains(words))
                .map(|line| line.trim().to_owned())
                .collect()
        };
        (lines(&self.zh), lines(&self.en))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r75_a_conflict_stands_in_the_next_daily_mail_until_a_person_has_decided() {
    let Some(house) = House::new() else { return };
    const KEY: &str = "order/BH1/r1/packing-list";
    let local = house.services.sftp.local(&house.shop.out_dir);
    let store = house.shop.store().await;
    std::fs::write(local.join("list.xlsx"), b"theirs").unwrap();
    enqueue_all(&store, &[document(KEY, "list.xlsx", b"ours")]).await;
    assert!(at(0).to_rfc3339().as_str() < FIRST);
    // It comes up in the first night's delivery, after its mail was written.
    assert_eq!(house.told(FIRST, 1, KEY), (Vec::new(), Vec::new()));
    assert_eq!(found(&store, KEY).await.state, State::Conflict);
    let (zh, en) = house.told(SECOND, 2, KEY);
    // Cut at a length, and the folder's name is not always as long.
    let steady = |lines: Vec<String>| {
        let lines = lines
            .iter()
            .map(|line| line.split(" (6 bytes").next().unwrap_or(line));
        let lines: Vec<String> = lines
            .map(|line| line.replace(&house.shop.out_dir, "FOLDER"))
            .collect();
        lines.join("\n")
    };
    insta::assert_snapshot!(
        "conflict_in_the_mail",
        format!("{}\n\n{}", steady(zh), steady(en))
    );
    // Withdrawn: nothing is left to decide.
    let withdrawn = house
        .shop
        .run(&["outbox", "withdraw", KEY, "--reason", "theirs is right"]);
    assert_eq!(withdrawn.code, Some(0), "{}", withdrawn.err);
    assert_eq!(house.told(THIRD, 3, KEY), (Vec::new(), Vec::new()));
    assert_eq!(
        contents(&local),
        [("list.xlsx".to_owned(), sha256_hex(b"theirs"))]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r75_a_bounce_stands_in_the_next_daily_mail_and_no_longer() {
    let Some(house) = House::new() else { return };
    let nothing = (Vec::new(), Vec::new());
    assert_eq!(house.told(FIRST, 1, &house.zh), nothing);
    let id = received(&house.services, &house.zh).remove(0).id;
    let inbox = house.shop.home.path().join("inbox");
    std::fs::create_dir_all(&inbox).unwrap();
    std::fs::write(
        inbox.join("returned.eml"),
        super::recipients::report(&id, &house.zh),
    )
    .unwrap();
    let (zh, en) = house.told(SECOND, 2, &house.zh);
    let steady = |lines: Vec<String>| lines.join("\n").replace(&house.zh, "READER");
    insta::assert_snapshot!("bounce_in_the_mail", format!("{}\n\n{}", steady(zh), steady(en)));
    assert_eq!(
        house.told(THIRD, 3, &house.zh),
        nothing,
        "a day later it is no news"
    );
}
