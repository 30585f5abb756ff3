//! Who may see what, and what a stranger gets.

use std::fs;

use linkstar::digest::sha256_hex;
use linkstar::wording::Lang;
use reqwest::{Method, StatusCode, header};

use super::stage::{self, HOSTILE, HOSTILE_SKU, PASSWORD, Pages, TOKEN};
use crate::night::shop::{Shop, morning};
use crate::night::state::dump;

const INSIDE: [&str; 8] = [
    "/",
    "/line?sku=A",
    "/find?q=A",
    "/orders",
    "/orders/BH260504-01",
    "/orders/BH260504-01/documents/00",
    "/messages",
    "/operation",
];

async fn strangers(pages: &Pages) {
    let mut stranger = pages.browser();
    for path in INSIDE {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(
            answer.head("location").starts_with("/login"),
            "{path}: {}",
            answer.head("location")
        );
        assert!(answer.bytes.is_empty(), "{path}");
    }
    assert_eq!(
        stranger.get("/orders/BH260504-01").await.head("location"),
        "/login?to=%2Forders%2FBH260504-01"
    );
    for path in ["/decide", "/logout"] {
        let answer = stranger.post(path, &[("csrf", "x")]).await;
        assert_eq!(
            (answer.status, answer.head("location")),
            (StatusCode::SEE_OTHER, "/login"),
            "{path}"
        );
    }
    // A made-up session, and one with the mark of the account.
    let mark = &sha256_hex(b"account\nmain")[..16];
    for cookie in [
        "linkstar_session=x",
        "linkstar_session=.",
        &format!("linkstar_session={mark}.AAAA"),
    ] {
        let request = pages
            .browser()
            .to(Method::GET, "/")
            .header(header::COOKIE, cookie);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{cookie}");
    }
    for path in [
        "/../../etc/passwd",
        "/orders/..%2f..%2f..%2fetc%2fpasswd",
        "/orders/%00",
        "/style.css/../login",
        "/%2e%2e/%2e%2e/linkstar.toml",
        "//evil.example/",
        "/templates/shell.html",
    ] {
        let answer = stranger.get(path).await;
        let status = answer.status;
        assert!(
            matches!(
                status,
                StatusCode::NOT_FOUND | StatusCode::SEE_OTHER | StatusCode::OK
            ),
            "{path}: {status}"
        );
        assert!(
            !answer.html().contains("root:") && !answer.html().contains("[account]"),
            "{path}"
        );
    }
}

async fn heads(pages: &Pages) {
    let mut wang = pages.wang().await;
    for path in ["/", "/login", "/orders", "/nothing", "/style.css"] {
        let answer = wang.get(path).await;
        let policy = answer.head("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self';"),
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("script") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.head("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.head("x-frame-options"), "DENY", "{path}");
        let cache = if path == "/style.css" {
            "max-age=3600"
        } else {
            "no-store"
        };
        assert_eq!(answer.head("cache-control"), cache, "{path}");
        let html = answer.html();
        for wrong in ["<script", "style=\"", "onclick", "http://", "https://"] {
            assert!(!html.contains(wrong), "{path} has `{wrong}`");
        }
    }
}

async fn hostile_names(pages: &Pages) {
    let mut li = pages.li().await;
    let line = li.get(&format!("/line?sku={HOSTILE_SKU}")).await;
    assert_eq!(line.status, StatusCode::OK, "{}", line.text());
    let escaped = "&#60;script&#62;alert(1)&#60;/script&#62;&#38;&#39;x";
    assert!(line.html().contains(escaped), "{}", line.text());
    assert!(!line.html().contains(HOSTILE));
    // What is typed comes back as text, too.
    for path in [
        "/line?sku=%3Cscript%3Ealert(1)%3C/script%3E",
        "/orders/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/login?to=%2F%22%3E%3Cscript%3E",
    ] {
        let answer = li.get(path).await;
        assert!(!answer.html().contains("<script"), "{path}: {}", answer.html());
    }
}

async fn forms(pages: &Pages, shop: &Shop) {
    let mut wang = pages.wang().await;
    let mut li = pages.li().await;
    let line = format!("/line?sku={HOSTILE_SKU}");
    let form = wang.form(&line).await;
    let without: Vec<(String, String)> = form.iter().filter(|(name, _)| name != "csrf").cloned().collect();
    let others = li.form(&line).await;
    let mut wrong = without.clone();
    wrong.push(("csrf".to_owned(), "0".repeat(64)));
    let mut stolen = without.clone();
    stolen.push(
        others
            .into_iter()
            .find(|(name, _)| name == "csrf")
            .expect("a token"),
    );
    for (what, fields) in [("none", &without), ("wrong", &wrong), ("another's", &stolen)] {
        let answer = wang.send(fields, &[("choice.0", "reject")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
        let answer = wang.post("/logout", &[("csrf", "x")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
    }
    let large = "x".repeat(600 * 1024);
    let answer = wang
        .send(&form, &[("choice.0", "reject"), ("reason.0", &large)])
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let long = "x".repeat(501);
    let answer = wang
        .send(&form, &[("choice.0", "reject"), ("reason.0", &long)])
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Not a form at all.
    let request = wang
        .to(Method::POST, "/decide")
        .header(header::CONTENT_TYPE, "application/json")
        .body("{}");
    assert_eq!(wang.ask(request).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(wang.get("/decide").await.status, StatusCode::METHOD_NOT_ALLOWED);
    let store = shop.store().await;
    assert!(dump(&store, "decision", "sku").await.is_empty());
    store.close().await;
}

async fn logins(pages: &Pages, shop: &Shop) {
    // The form must have been served to this browser.
    let mut browser = pages.browser();
    let bare = browser
        .post("/login", &[("user", "小王"), ("password", PASSWORD)])
        .await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN);
    // Somebody's password is nobody else's, and a hash is no password.
    let hash = fs::read_to_string(shop.home.join("secrets/wang")).expect("a hash");
    for (user, password) in [
        ("li", PASSWORD),
        ("小王", TOKEN),
        ("小王", hash.as_str()),
        ("nobody", PASSWORD),
    ] {
        let answer = browser.login(&[("user", user), ("password", password)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{user}");
        assert!(browser.cookie("linkstar_session").is_none());
        assert!(!answer.html().contains(password), "a password is not repeated");
    }
    // Where one goes on to is a place of ours, or the beginning.
    for (to, goes) in [
        ("/orders", "/orders"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
    ] {
        let answer = pages
            .browser()
            .login(&[("user", "li"), ("password", TOKEN), ("to", to)])
            .await;
        assert_eq!(
            (answer.status, answer.head("location")),
            (StatusCode::SEE_OTHER, goes),
            "{to}"
        );
    }
    // The store has no token, and a log-out ends it.
    let mut wang = pages.wang().await;
    let cookie = wang.cookie("linkstar_session").expect("a session").to_owned();
    let token = cookie.split_once('.').expect("a token").1;
    let store = shop.store().await;
    let sessions = dump(&store, "web_session", "account_id token_sha256 user_name").await;
    store.close().await;
    assert!(sessions.iter().all(|row| !row.contains(token)), "{sessions:?}");
    assert!(
        sessions
            .iter()
            .any(|row| row.contains(&sha256_hex(token.as_bytes())))
    );
    let csrf = wang.get("/").await.field("/logout", "csrf");
    let out = wang.post("/logout", &[("csrf", &csrf)]).await;
    assert_eq!(
        (out.status, out.head("location")),
        (StatusCode::SEE_OTHER, "/login")
    );
    let request = pages
        .browser()
        .to(Method::GET, "/")
        .header(header::COOKIE, format!("linkstar_session={cookie}"));
    assert_eq!(
        request.send().await.expect("an answer").status(),
        StatusCode::SEE_OTHER
    );
    // Tries are counted.
    let mut guesser = pages.browser();
    let mut seen = Vec::new();
    for _ in 0..7 {
        let answer = guesser.login(&[("user", "guess"), ("password", "wrong")]).await;
        seen.push(answer.status.as_u16());
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.head("retry-after").parse::<u32>().expect("seconds") > 800);
        }
    }
    assert_eq!(seen, [401, 401, 401, 401, 401, 429, 429]);
    pages.li().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_forms_logins_heads_and_hostile_names() {
    let shop = stage::shop(None).await;
    let pages = stage::serve(&shop, "").await;
    strangers(&pages).await;
    heads(&pages).await;
    hostile_names(&pages).await;
    forms(&pages, &shop).await;
    logins(&pages, &shop).await;
    isolation(&shop, pages).await;
}

/// A second account in the same database and process sees nothing of the first, and no login is good for both. A
/// changed password ends the sessions made with the old one.
async fn isolation(shop: &Shop, pages: Pages) {
    shop.answer();
    let opened = shop.open(morning(0) + chrono::Duration::hours(1)).await;
    linkstar::night::decide::run(&opened.night(false))
        .await
        .expect("the store works");
    opened.store.close().await;
    assert_eq!(pages.stop().await, Some(0));

    let other = shop.folder.path().join("other");
    fs::create_dir_all(&other).expect("a folder");
    let ports = stage::ports();
    let text = fs::read_to_string(&shop.config_file).expect("a configuration");
    let (before, _) = text.split_once("\n[web]").expect("a section");
    let web = stage::section(&shop.home, ports, "");
    fs::write(&shop.config_file, format!("{before}{web}")).expect("a configuration");
    let url = shop.config().store_url();
    let web = stage::section(&other, ports, "");
    let config = other.join("linkstar.toml");
    fs::write(
        &config,
        format!("[account]\nid = 'other'\nname = 'Other'\n[store]\nurl = '{url}'\n{web}"),
    )
    .expect("a configuration");
    let pages = Pages::start(&[&shop.config_file, &config], "web", ports).await;

    let mut main = pages.browser();
    let asked = main.get_in("/login", "en").await;
    assert!(asked.text().contains("Account"), "{}", asked.text());
    assert!(!asked.text().contains("other") && !asked.text().contains("main"));
    let answer = main
        .login(&[("account", "main"), ("user", "li"), ("password", TOKEN)])
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let orders = main.get("/orders").await;
    let number = orders
        .html()
        .split("/orders/")
        .nth(2)
        .and_then(|rest| rest.split('"').next().map(str::to_owned));
    let number = number.expect("an order");
    let page = main.get(&format!("/orders/{number}")).await;
    assert_eq!(page.status, StatusCode::OK, "{number}");
    let html = page.html();
    let document = html
        .split("href=\"")
        .find(|rest| rest.contains("/documents/"))
        .and_then(|rest| rest.split('"').next());
    let document = document.expect("a document").to_owned();
    let file = main.get(&document).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(
        file.head("content-disposition")
            .starts_with("attachment; filename=\""),
        "{:?}",
        file.headers
    );
    assert_eq!(file.head("x-content-type-options"), "nosniff");
    assert!(document.ends_with(&sha256_hex(&file.bytes)), "by its hash");
    let other_hash = document.replace(&sha256_hex(&file.bytes), &sha256_hex(b"x"));
    assert_eq!(main.get(&other_hash).await.status, StatusCode::NOT_FOUND);

    let mut second = pages.browser();
    let wrong = second
        .login(&[("account", "nowhere"), ("user", "li"), ("password", TOKEN)])
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let answer = second
        .login(&[("account", "other"), ("user", "li"), ("password", TOKEN)])
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    for path in [
        document,
        format!("/orders/{number}"),
        format!("/line?sku={HOSTILE_SKU}"),
    ] {
        let answer = second.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.html().contains("packing"), "{path}");
    }
    let today = second.get("/").await;
    assert_eq!(today.status, StatusCode::OK);
    let no_plan = linkstar::wording::text(Lang::En, "web.today.no_plan", &[]);
    assert!(today.text().contains(&no_plan), "{}", today.text());
    let empty = second.get("/orders").await;
    assert!(
        empty.text().contains("There are no orders yet"),
        "{}",
        empty.text()
    );

    // The token of one account under the mark of the other.
    let cookie = main.cookie("linkstar_session").expect("a session");
    let forged = format!(
        "{}.{}",
        &sha256_hex(b"account\nother")[..16],
        cookie.split_once('.').expect("a token").1
    );
    let request = pages
        .browser()
        .to(Method::GET, "/")
        .header(header::COOKIE, format!("linkstar_session={forged}"));
    assert_eq!(
        request.send().await.expect("an answer").status(),
        StatusCode::SEE_OTHER
    );

    assert_eq!(pages.stop().await, Some(0));
    fs::write(
        shop.home.join("secrets/li"),
        "another-token-of-at-least-32-characters",
    )
    .expect("a token");
    let pages = Pages::start(&[&shop.config_file, &config], "web", ports).await;
    assert_eq!(
        second.get("/orders").await.status,
        StatusCode::OK,
        "a restart ends no session"
    );
    assert_eq!(
        main.get("/orders").await.status,
        StatusCode::SEE_OTHER,
        "a changed token does"
    );
    assert_eq!(pages.stop().await, Some(0));
}
