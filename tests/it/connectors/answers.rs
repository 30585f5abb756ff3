//! How requests are written, what answers mean, and deadlines that fire.

use std::time::Duration;

use linkstar::clock::FixedClock;
use linkstar::http::{Client, FailureKind, Pace};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::desk::{Desk, Heard, Said, ask, said, source_at, stock};
use super::stage::at;

fn clock() -> FixedClock {
    FixedClock::new(at("2026-04-02T02:00:00Z"))
}

fn client() -> Client {
    Client::new(Pace::Skip).expect("as the test set it up")
}

/// What the server got of one call.
async fn sent(access: &str, secrets: &[(&str, &str)]) -> Heard {
    let desk = Desk::open(|_| stock()).await;
    ask(&client(), &desk.source(access, secrets), &clock())
        .await
        .expect("as the test set it up");
    desk.heard().remove(0)
}

#[tokio::test]
async fn soap_around_json_is_one_element_of_escaped_json() {
    let access = r#"
[soap]
namespace = "http://www.example.org/Ec/"
operation = "callService"
fields = { paramsJson = "{json}", appToken = "${secret:app_token}", appKey = "${secret:app_key}" }
[stream.stock]
request = { method = "POST", path = "/default/svc/web-service", headers = { SOAPAction = "callService" }, soap = { service = "getProductInventory" }, body = { warehouse_code = "A<B>&\"C\"", pageSize = 100, page = 1 } }
"#;
    let heard = sent(access, &[("app_token", "t<1>"), ("app_key", "k&1")]).await;
    assert_eq!(heard.header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(heard.header("soapaction"), "callService");
    insta::assert_snapshot!(heard.body, @r#"<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns1="http://www.example.org/Ec/"><SOAP-ENV:Body><ns1:callService><paramsJson>{&quot;warehouse_code&quot;:&quot;A&lt;B&gt;&amp;\&quot;C\&quot;&quot;,&quot;pageSize&quot;:100,&quot;page&quot;:1}</paramsJson><appToken>t&lt;1&gt;</appToken><appKey>k&amp;1</appKey><service>getProductInventory</service></ns1:callService></SOAP-ENV:Body></SOAP-ENV:Envelope>"#);
    // Read by an XML reader that is not the writer's, the JSON is what was asked for.
    let mut reader = quick_xml::Reader::from_str(&heard.body);
    let mut inside = String::new();
    let mut at_json = false;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(start) => at_json = start.name().as_ref() == "paramsJson",
            quick_xml::events::Event::End(_) => at_json = false,
            quick_xml::events::Event::Text(text) if at_json => inside.push_str(&text),
            quick_xml::events::Event::GeneralRef(name) if at_json => inside.push(match &*name {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                other => panic!("&{other};"),
            }),
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    let json: serde_json::Value = serde_json::from_str(&inside).unwrap();
    assert_eq!(json["warehouse_code"], "A<B>&\"C\"");
}

#[tokio::test]
async fn forms_texts_and_graphql_are_written_as_their_servers_read_them() {
    let form = "[stream.stock]\nrequest = { method = \"POST\", path = \"/f\", form = { z = \"1 & 2\", a = \"ü\" } }\n";
    let heard = sent(form, &[]).await;
    assert_eq!(heard.body, "z=1%20%26%202&a=%C3%BC");
    assert_eq!(heard.header("content-type"), "application/x-www-form-urlencoded");

    let text = "[stream.stock]\nrequest = { method = \"PUT\", path = \"/t\", text = \"<q>${secret:s}</q>\", content_type = \"application/xml\" }\n";
    let heard = sent(text, &[("s", "a<b")]).await;
    assert_eq!(
        (heard.method.as_str(), heard.body.as_str()),
        ("PUT", "<q>a&lt;b</q>")
    );

    let graphql = "[stream.stock]\nrequest = { method = \"POST\", path = \"/g\", graphql = { query = '''{ levels(first: 50) { id } }''', variables = { warehouse = \"{warehouse}\", first = 50 } } }\n";
    let heard = sent(graphql, &[]).await;
    assert_eq!(
        heard.body,
        r#"{"query":"{ levels(first: 50) { id } }","variables":{"warehouse":"W","first":50}}"#
    );
}

const RULES: &str = r#"
[auth]
kind = "login"
url = "${param:url}/login"
form = { p = "1" }
header = "x-token"
expired = { status = [403], text = "access token" }
[retry]
attempts = 2
[answer]
ok = "code == 0"
message = ["msg"]
rules = [
    { status = [404], is = "empty" },
    { header = { x-maintenance = "yes" }, is = "retry", message = "the source is being serviced" },
    { when = "code == 429001", is = "throttled" },
    { when = "code == 413", is = "split" },
    { text = "not in whitelist", is = "forbidden", message = "tell the provider this machine's address" },
    { when = "code == 99", is = "ok" },
]
"#;

#[tokio::test]
async fn every_rule_leads_to_the_word_a_person_needs() {
    let mut told = Vec::new();
    for (case, answer) in [
        ("404", said(404, json!({}))),
        (
            "header",
            Said {
                headers: vec![("x-maintenance", "YES until 3".to_owned())],
                ..said(200, json!({"code": 0}))
            },
        ),
        (
            "slow down in 200",
            said(200, json!({"code": 429_001, "msg": "too often"})),
        ),
        (
            "too much",
            said(200, json!({"code": 413, "msg": "narrow the window"})),
        ),
        (
            "address",
            said(200, json!({"code": 8, "msg": "1.2.3.4 not in whitelist"})),
        ),
        ("good by rule", said(200, json!({"code": 99, "data": []}))),
        (
            "business error",
            said(200, json!({"code": 7, "msg": "no such warehouse"})),
        ),
        (
            "403 that is no expired token",
            said(403, json!({"msg": "role missing"})),
        ),
        (
            "expired token as 403",
            said(403, json!({"msg": "The access token you provided has expired."})),
        ),
        ("500", said(500, json!({"msg": "INTERNAL_SERVER_ERROR"}))),
        (
            "html",
            Said {
                body: "<html>code == 99</html>".to_owned(),
                ..said(200, json!({}))
            },
        ),
    ] {
        let desk = Desk::open(move |heard| match heard.path.as_str() {
            "/login" => said(200, json!({"access_token": "tok-1"})),
            _ => answer.clone(),
        })
        .await;
        let what = match ask(&client(), &desk.source(RULES, &[]), &clock()).await {
            Ok(page) => format!("{} rows", page.rows.seen),
            // How a body is no JSON is told by its reader.
            Err(failure) if case == "html" => failure.kind.code().to_owned(),
            Err(failure) => failure.to_string(),
        };
        told.push(format!("{case} ({}x): {what}", desk.at("/stock").len()));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    404 (1x): 0 rows
    header (2x): refused: the source is being serviced (HTTP 200) (after 2 attempts)
    slow down in 200 (2x): throttled: HTTP 200: too often (after 2 attempts)
    too much (1x): too_much: HTTP 200: narrow the window
    address (1x): forbidden: tell the provider this machine's address (HTTP 200: 1.2.3.4 not in whitelist)
    good by rule (1x): 0 rows
    business error (1x): refused: HTTP 200: no such warehouse
    403 that is no expired token (1x): forbidden: HTTP 403: role missing
    expired token as 403 (3x): expired: HTTP 403: The access token you provided has expired.
    500 (2x): unreachable: HTTP 500: INTERNAL_SERVER_ERROR (after 2 attempts)
    html (1x): wrong_schema
    ");
}

#[tokio::test]
async fn complaint_62499_a_500_is_tried_again_and_never_skips_what_was_asked() {
    let times = std::sync::atomic::AtomicU32::new(0);
    let desk = Desk::open(
        move |_| match times.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => said(500, json!({"errors": [{"message": "INTERNAL_SERVER_ERROR"}]})),
            _ => stock(),
        },
    )
    .await;
    let page = ask(&client(), &desk.source("", &[]), &clock()).await.unwrap();
    assert_eq!((page.rows.seen, desk.heard().len()), (1, 2));
}

#[tokio::test]
async fn trap_8_a_server_that_sends_a_byte_now_and_then_is_given_up_at_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0_u8; 1024];
                let _ = stream.read(&mut request).await;
                let head =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
                let _ = stream.write_all(head.as_bytes()).await;
                // Never silent for long, never done.
                while stream.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            });
        }
    });
    let bound = source_at(&url, "desk", "[retry]\nattempts = 1\n", &[]);
    let patience = Duration::from_secs(10);
    let client = client();
    let clock = clock();
    let failure = tokio::time::timeout(patience, ask(&client, &bound, &clock))
        .await
        .expect("the deadline fires")
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Slow);
    assert_eq!(failure.text, "127.0.0.1 did not finish its answer within 2 s");
}

#[tokio::test]
async fn trap_8_a_server_that_takes_the_call_and_says_nothing_is_given_up_too() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bound = source_at(&url, "desk", "[retry]\nattempts = 1\n", &[]);
    let client = client();
    let clock = clock();
    let failure = tokio::time::timeout(Duration::from_secs(10), ask(&client, &bound, &clock))
        .await
        .expect("the deadline fires")
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Slow);
    drop(listener);
}
