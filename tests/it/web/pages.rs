//! R76: what stands on the pages, in both languages.

use linkstar::night::decide;
use reqwest::StatusCode;

use super::stage::{self, Answer, Browser, HOSTILE_SKU};
use crate::night::shop::morning;

/// Times of day and hashes move with the machine; the rest does not.
fn steady(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let mut out = String::new();
    for line in answer.text().lines() {
        let words: Vec<String> = line.split(' ').map(steady_word).collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

fn steady_word(word: &str) -> String {
    let bytes = word.as_bytes();
    let is_time = bytes.len() == 5
        && bytes[2] == b':'
        && bytes.iter().filter(|byte| byte.is_ascii_digit()).count() == 4;
    if is_time {
        return "HH:MM".to_owned();
    }
    word.to_owned()
}

/// The head of a page and its first lines.
fn beginning(text: &str, lines: usize) -> String {
    text.lines().take(lines).collect::<Vec<_>>().join("\n")
}

async fn first_order(browser: &mut Browser) -> String {
    let html = browser.get("/orders").await.html();
    let rest = html.split("href=\"/orders/BH").nth(1).expect("an order");
    format!("BH{}", rest.split('"').next().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r76_pages_in_chinese_and_english() {
    let shop = stage::shop(None).await;
    let pages = stage::serve(&shop, "").await;
    let mut wang = pages.wang().await;
    let login = pages.browser().get_in("/login", "en").await;
    insta::assert_snapshot!("login_en", steady(&login));
    for (lang, header) in [("zh", "zh-CN,zh;q=0.9,en;q=0.5"), ("en", "en-GB,en;q=0.9")] {
        let today = wang.get_in("/", header).await;
        let wanted = if lang == "zh" {
            "<html lang=\"zh-CN\">"
        } else {
            "<html lang=\"en\">"
        };
        assert!(today.html().contains(wanted));
        insta::assert_snapshot!(format!("today_{lang}"), beginning(&steady(&today), 150));
        let line = wang.get_in(&format!("/line?sku={HOSTILE_SKU}"), header).await;
        insta::assert_snapshot!(format!("line_{lang}"), steady(&line));
    }

    shop.answer();
    let opened = shop.open(morning(0) + chrono::Duration::hours(1)).await;
    decide::run(&opened.night(false)).await.expect("the store works");
    opened.store.close().await;
    let number = first_order(&mut wang).await;
    for (lang, header) in [("zh", "zh-CN"), ("en", "en")] {
        for (name, path) in [
            ("orders", "/orders".to_owned()),
            ("order", format!("/orders/{number}")),
            ("messages", "/messages".to_owned()),
            ("operation", "/operation".to_owned()),
        ] {
            let page = wang.get_in(&path, header).await;
            insta::assert_snapshot!(format!("{name}_{lang}"), beginning(&steady(&page), 150));
        }
    }
    // Answered lines say so, and stand in no form any more.
    let today = wang.get_in("/", "zh").await;
    assert!(
        today.text().contains(&format!("备货单 {number}")),
        "{}",
        today.text()
    );

    // `?lang` wins over the browser, and is remembered.
    assert!(
        wang.get_in("/orders?lang=en", "zh")
            .await
            .html()
            .contains("<html lang=\"en\">")
    );
    assert!(
        wang.get_in("/orders", "zh")
            .await
            .html()
            .contains("<html lang=\"en\">")
    );

    // R76: an unknown order is answered with the nearest ones.
    let unknown = wang.get(&format!("/orders/{}", number.replace("BH", "BX"))).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(
        unknown.text().contains("The nearest are")
            && unknown.html().contains(&format!("href=\"/orders/{number}\"")),
        "{}",
        unknown.text()
    );
    let found = wang.get(&format!("/find?q={number}")).await;
    assert_eq!(found.head("location"), format!("/orders/{number}"));
    let near = wang.get("/line?sku=BAG-2238").await;
    assert_eq!(near.status, StatusCode::NOT_FOUND);
    assert!(
        near.html().contains("href=\"/line?sku=BAG-2238"),
        "{}",
        near.html()
    );
    assert_eq!(pages.stop().await, Some(0));
}
