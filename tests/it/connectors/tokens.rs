//! Who asks: keys, logins and tokens, each where its source wants it, refreshed once and asked again.

use std::sync::atomic::{AtomicU32, Ordering};

use linkstar::clock::FixedClock;
use linkstar::http::{Client, FailureKind, Pace};
use serde_json::json;

use super::desk::{Desk, Said, ask, config_at, said, stock};
use super::stage::at;

fn clock() -> FixedClock {
    FixedClock::new(at("2026-04-02T02:00:00Z"))
}

fn client() -> Client {
    Client::new(Pace::Skip).expect("as the test set it up")
}

fn denied() -> Said {
    said(401, json!({"message": "who are you"}))
}

#[tokio::test]
async fn keys_go_into_headers_query_and_body_as_the_file_says() {
    let desk = Desk::open(|heard| {
        let body = heard.json();
        let good = heard.header("app-key") == "k-1"
            && heard.query.get("api_key").map(String::as_str) == Some("k-2")
            && body["Verify"] == json!({"Clientid": "c-1", "Token": "k-3", "Lang": "zh"})
            && body["sku"] == "A";
        if good { stock() } else { denied() }
    })
    .await;
    let access = r#"
[auth]
kind = "keys"
headers = { app-key = "${secret:one}" }
query = { api_key = "${secret:two}" }
body = { Verify = { Clientid = "c-1", Token = "${secret:three}" } }
[stream.stock]
request = { method = "POST", path = "/stock", body = { Verify = { Lang = "zh" }, sku = "A" } }
"#;
    let bound = desk.source(access, &[("one", "k-1"), ("two", "k-2"), ("three", "k-3")]);
    ask(&client(), &bound, &clock()).await.unwrap();
    let sent = &desk.heard()[0].body;
    assert_eq!(
        sent, r#"{"Verify":{"Clientid":"c-1","Token":"k-3","Lang":"zh"},"sku":"A"}"#,
        "keys keep their order"
    );
}

#[tokio::test]
async fn basic_is_sent_as_http_says() {
    let desk = Desk::open(|heard| match heard.header("authorization") {
        // `user:pässword`
        "Basic dXNlcjpww6Rzc3dvcmQ=" => stock(),
        _ => denied(),
    })
    .await;
    let access = "[auth]\nkind = \"basic\"\nbasic = { user = \"user\", password = \"${secret:pw}\" }\n";
    ask(&client(), &desk.source(access, &[("pw", "pässword")]), &clock())
        .await
        .unwrap();
    let failure = ask(&client(), &desk.source(access, &[("pw", "wrong-one")]), &clock())
        .await
        .unwrap_err();
    assert_eq!(failure.to_string(), "expired: HTTP 401");
}

/// eBay's way: the client in a Basic header, the refresh token in a form; a token that ran out is 401.
const EBAY: &str = r#"
[auth]
kind = "refresh_token"
url = "${param:url}/identity/v1/oauth2/token"
basic = { user = "${secret:client_id}", password = "${secret:client_secret}" }
form = { grant_type = "refresh_token", refresh_token = "${secret:refresh_token}", scope = "https://api.ebay.com/oauth/api_scope/sell.fulfillment.readonly" }
header = "authorization"
prefix = "Bearer "
"#;

const EBAY_SECRETS: [(&str, &str); 3] = [
    ("client_id", "id-1"),
    ("client_secret", "secret-1"),
    ("refresh_token", "r-1"),
];

/// A token that was never given before: `a-0`, `a-1`, …
fn granted(tokens: &AtomicU32) -> Said {
    let number = tokens.fetch_add(1, Ordering::Relaxed);
    said(
        200,
        json!({"access_token": format!("a-{number}"), "expires_in": 7200}),
    )
}

#[tokio::test]
async fn a_401_gets_a_new_token_once_and_the_same_page_is_asked_again() {
    let tokens = AtomicU32::new(0);
    let desk = Desk::open(move |heard| match heard.path.as_str() {
        "/identity/v1/oauth2/token" => {
            let form = super::desk::pairs(&heard.body);
            if heard.header("authorization") != "Basic aWQtMTpzZWNyZXQtMQ==" || form["refresh_token"] != "r-1"
            {
                return denied();
            }
            assert!(form["scope"].ends_with("readonly"));
            granted(&tokens)
        }
        _ if heard.header("authorization") == "Bearer a-1" => stock(),
        _ => denied(),
    })
    .await;
    let page = ask(&client(), &desk.source(EBAY, &EBAY_SECRETS), &clock())
        .await
        .unwrap();
    assert_eq!(page.rows.seen, 1);
    assert_eq!(desk.at("/identity/v1/oauth2/token").len(), 2);
    assert_eq!(desk.at("/stock").len(), 2);
}

/// The streams of a source share its token, and some servers end it for all when they refuse it to one.
#[tokio::test]
async fn a_new_token_that_ends_before_it_is_used_is_replaced_once_more() {
    let tokens = AtomicU32::new(0);
    let desk = Desk::open(move |heard| match heard.path.as_str() {
        "/identity/v1/oauth2/token" => granted(&tokens),
        _ if heard.header("authorization") == "Bearer a-2" => stock(),
        _ => denied(),
    })
    .await;
    let page = ask(&client(), &desk.source(EBAY, &EBAY_SECRETS), &clock())
        .await
        .unwrap();
    assert_eq!(page.rows.seen, 1);
    assert_eq!(desk.at("/identity/v1/oauth2/token").len(), 3);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_ends_as_expired_after_two_new_ones() {
    let desk = Desk::open(|heard| match heard.path.as_str() {
        "/identity/v1/oauth2/token" => said(200, json!({"access_token": "a", "expires_in": 7200})),
        _ => denied(),
    })
    .await;
    let failure = ask(&client(), &desk.source(EBAY, &EBAY_SECRETS), &clock())
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Expired);
    assert_eq!(desk.at("/stock").len(), 3);
}

#[tokio::test]
async fn client_credentials_with_headers_of_their_own_as_walmart_wants_them() {
    let desk = Desk::open(|heard| match heard.path.as_str() {
        "/v3/token" => {
            let id = heard.header("wm_qos.correlation_id");
            let uuid = id.len() == 36 && id.as_bytes()[14] == b'4' && id.as_bytes()[19] == b'a';
            if heard.header("wm_svc.name") == "linkstar"
                && uuid
                && heard.body == "grant_type=client_credentials"
            {
                said(200, json!({"access_token": "w-1", "expires_in": 900}))
            } else {
                denied()
            }
        }
        _ if heard.header("wm_sec.access_token") == "w-1" => stock(),
        _ => denied(),
    })
    .await;
    let access = r#"
[stamp]
nonce = "uuid"
[auth]
kind = "client_credentials"
url = "${param:url}/v3/token"
basic = { user = "${secret:id}", password = "${secret:secret}" }
form = { grant_type = "client_credentials" }
request_headers = { "WM_SVC.NAME" = "linkstar", "WM_QOS.CORRELATION_ID" = "{nonce}" }
header = "WM_SEC.ACCESS_TOKEN"
"#;
    let bound = desk.source(access, &[("id", "id-1"), ("secret", "secret-1")]);
    let (client, clock) = (client(), clock());
    for _ in 0..3 {
        ask(&client, &bound, &clock).await.unwrap();
    }
    assert_eq!(desk.at("/v3/token").len(), 1, "asked once, used three times");
    // Nine tenths of 900 s later it is old.
    clock.set(at("2026-04-02T02:14:01Z"));
    ask(&client, &bound, &clock).await.unwrap();
    assert_eq!(desk.at("/v3/token").len(), 2);
}

/// A login whose session lives as long as the file says, whose end is told by a business code, with the token in the
/// body.
const LOGIN: &str = r#"
[auth]
kind = "login"
url = "${param:url}/login"
json = { user = "${secret:user}", password = "${secret:password}" }
answer = { token = "data.session", life_seconds = 600, ok = "code == 0", message = ["msg"] }
body = { validation = { access_token = "{access_token}" } }
expired = { status = [200], when = "code == 40100" }
[answer]
ok = "code == 0"
message = ["msg"]
[stream.stock]
request = { method = "POST", path = "/stock", body = { sku = "A" } }
"#;

#[tokio::test]
async fn a_login_gives_a_session_and_a_business_code_ends_it() {
    let logins = AtomicU32::new(0);
    let desk = Desk::open(move |heard| match heard.path.as_str() {
        "/login" if heard.json()["password"] == "pass-word" => {
            let number = logins.fetch_add(1, Ordering::Relaxed);
            said(
                200,
                json!({"code": 0, "data": {"session": format!("s-{number}")}}),
            )
        }
        "/login" => said(200, json!({"code": 7, "msg": "密码错误 pass-w0rd"})),
        _ if heard.json()["validation"]["access_token"] == "s-0" => {
            said(200, json!({"code": 40100, "msg": "登录已过期"}))
        }
        _ => stock(),
    })
    .await;
    let bound = desk.source(LOGIN, &[("user", "u-1"), ("password", "pass-word")]);
    ask(&client(), &bound, &clock()).await.unwrap();
    assert_eq!(desk.at("/login").len(), 2);

    let bound = desk.source(LOGIN, &[("user", "u-1"), ("password", "pass-w0rd")]);
    let failure = ask(&client(), &bound, &clock()).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "expired: the token endpoint refused the credentials (密码错误 [redacted])"
    );
}

#[tokio::test]
async fn doctor_names_what_it_meets_for_every_way_to_authorise() {
    let desk = Desk::open(|heard| match heard.path.as_str() {
        "/login" => said(200, json!({"code": 7, "msg": "账号停用"})),
        "/identity/v1/oauth2/token" => said(400, json!({"error": "invalid_grant"})),
        _ => said(403, json!({"message": "IP not in the list"})),
    })
    .await;
    let basic = "[auth]\nkind = \"basic\"\nbasic = { user = \"u\", password = \"${secret:password}\" }\n[answer]\nmessage = [\"message\"]\n";
    let mut told = Vec::new();
    for (access, secrets) in [
        (basic, vec![("password", "p-1")]),
        (LOGIN, vec![("user", "u-1"), ("password", "p-1")]),
        (
            EBAY,
            vec![
                ("client_id", "i-1"),
                ("client_secret", "s-1"),
                ("refresh_token", "r-1"),
            ],
        ),
    ] {
        let config = config_at(&desk.url, "desk", access, &secrets);
        let said = linkstar::http::doctor(&client(), &clock(), &config).await;
        told.push(format!("{}: {}", said.code, said.text));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    forbidden: HTTP 403: IP not in the list
    expired: the token endpoint refused the credentials (账号停用)
    expired: the token endpoint refused the credentials (HTTP 400, invalid_grant)
    ");
}

#[tokio::test]
async fn no_secret_is_in_any_error_log_or_debug_text() {
    // A server that says back whatever it was sent.
    let desk = Desk::open(|heard| match heard.path.as_str() {
        "/login" => said(200, json!({"code": 0, "data": {"session": "sess-tok-1"}})),
        _ => said(
            400,
            json!({"code": 5, "msg": format!("bad request: {} {:?} {:?}", heard.body, heard.query, heard.headers)}),
        ),
    })
    .await;
    let access = LOGIN.replace(
        "[answer]",
        "headers = { x-key = \"${secret:password}\" }\nquery = { t = \"{access_token}\" }\n[answer]",
    );
    let secrets = [("user", "s3cret-user"), ("password", "s3cret-password")];
    let bound = desk.source(&access, &secrets);
    let client = client();
    let failure = ask(&client, &bound, &clock()).await.unwrap_err();
    let shown = format!("{failure} {failure:?} {bound:?} {client:?}");
    assert!(shown.contains("[redacted]"), "{shown}");
    for secret in ["s3cret", "sess-tok"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn faults_of_the_access_part_are_named_at_their_line() {
    let told = |access: &str, secrets: &[(&str, &str)]| {
        linkstar::connector::Definition::parse("desk.toml", &super::desk::file(access, secrets))
            .expect_err("faults")
            .to_string()
    };
    let mut all = vec![told(
        r#"
[auth]
kind = "login"
json = { password = "${secret:passwort}" }
expired = {}
[stamp]
timestamp = "%Q"
[limits]
all = { rate = 1.0, burst = 1, per_day = 5 }
[[sign]]
kind = "md5_wrap"
into = "cookie.sign"
key = "${secret:password}"
[answer]
rules = [{ is = "retry" }, { is = "refused", when = "code = 1" }]
[stream.stock]
request = { method = "GET", path = "/x", limit = ["al", "all"], soap = {}, form = { a = "{timestmp}" } }
"#,
        &[("password", "x")],
    )];
    for wrong in [
        "[auth]\nkind = \"logon\"\n",
        "[auth]\nkind = \"basic\"\nuser = \"u\"\n",
        "[[sign]]\nkind = \"md5\"\ninto = \"query.sign\"\nkey = \"k\"\n",
        "[answer]\nrules = [{ is = \"throtled\", status = [1] }]\n",
    ] {
        all.push(told(wrong, &[]));
    }
    insta::assert_snapshot!(all.join("\n"), @r"
    desk.toml, line 15, column 31, `auth.json`: found `passwort`, wanted a declared name, did you mean `password`?
    desk.toml, line 16, column 1, `auth.expired`: found ``, wanted a `status`, `text` or `when`: it would hold for every answer
    desk.toml, line 13, column 2, `auth.url`: found ``, wanted where to ask for a token
    desk.toml, line 13, column 2, `auth.header`: found ``, wanted the header that carries the token, or `{access_token}` in `headers`, `query` or `body`
    desk.toml, line 20, column 1, `limits.all`: found ``, wanted one of `rate` and `burst`, `requests` and `seconds`, `per_day`, `cost`
    desk.toml, line 18, column 13, `stamp.timestamp`: found `%Q`, wanted `ms`, `s`, `rfc3339` or a pattern such as `%Y-%m-%d %H:%M:%S`
    desk.toml, line 23, column 8, `sign[1].into`: found `cookie.sign`, wanted `query.NAME`, `header.NAME` or `body.PATH`
    desk.toml, line 23, column 8, `sign[1].parts`: found ``, wanted what is signed, in its order
    desk.toml, line 26, column 10, `answer.rules[1]`: found ``, wanted a `status`, `header`, `text` or `when`: it would hold for every answer
    desk.toml, line 26, column 53, `answer.rules[2].when`: found `code = 1`, wanted no `=` in `code = 1`
    desk.toml, line 28, column 50, `stream.stock.request.limit`: found `al`, wanted a name of this file, did you mean `all`?
    desk.toml, line 28, column 91, `stream.stock.request.form`: found `timestmp`, wanted a declared name, did you mean `timestamp`?
    desk.toml, line 28, column 36, `stream.stock.request.soap`: found ``, wanted a table `[soap]` with the envelope
    desk.toml, line 28, column 36, `stream.stock.request`: found ``, wanted one of `body`, `form`, `text`, `graphql`, or `soap` with the `body` inside it
    desk.toml, line 11, column 8, `auth.kind`: found `logon`, wanted a known name; did you mean `login`?
    desk.toml, line 12, column 1, `auth`: found `user`, wanted a known name; did you mean `answer`?
    desk.toml, line 11, column 8, `sign[1].kind`: found `md5`, wanted one of md5_wrap, hmac_sorted_json, aes_ecb_md5, body_md5
    desk.toml, line 11, column 17, `answer.rules[1].is`: found `throtled`, wanted a known name; did you mean `throttled`?
    ");
}
