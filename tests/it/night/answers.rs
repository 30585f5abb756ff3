//! Answers that come late, twice, or untouched.

use std::fs;

use calamine::{Reader as _, Xlsx};
use linkstar::cli::demo::person;
use linkstar::night::{Step, StepState, decide};

use super::shop::{Shop, files, morning, step};
use super::state::dump;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_yesterdays_plan_is_refused_and_says_why() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    let yesterday = shop.last_mail();
    shop.advance(morning(1));
    shop.night(1).await;
    person::answer(&yesterday, &shop.inbox()).expect("an answer");
    let opened = shop.open(morning(1)).await;
    let decided = decide::run(&opened.night(false)).await.expect("the store works");
    assert_eq!(decided.state, StepState::Partial);
    assert_eq!(decided.counts.get("orders"), Some(&0), "{decided:?}");
    let said = decided.problems.join("\n");
    assert!(
        said.contains("answer the newest mail") && said.contains("of 2026-05-05"),
        "{said}"
    );
    assert!(dump(&opened.store, "ordered_line", "sku").await.is_empty());
    opened.store.close().await;
    let done = files(&shop.inbox().join("done"));
    let beside = done
        .keys()
        .find(|name| name.ends_with(".problems.txt"))
        .expect("a text beside it");
    assert!(String::from_utf8_lossy(&done[beside]).contains("answer the newest mail"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_untouched_workbook_decides_nothing_and_the_same_one_twice_orders_once() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    // As it came in the mail.
    let answered = shop.answer();
    let edited = files(&shop.inbox()).into_iter().next().expect("an answer");
    fs::remove_file(shop.inbox().join(&edited.0)).expect("taken back");
    let untouched = untouched(&shop);
    explained_in_words(&untouched);
    fs::write(shop.inbox().join("untouched.xlsx"), untouched).expect("a workbook");
    let opened = shop.open(morning(0) + chrono::Duration::hours(1)).await;
    let night = opened.night(false);
    let decided = decide::run(&night).await.expect("the store works");
    assert_eq!(
        decided.counts.get("orders").copied().unwrap_or(0),
        0,
        "{decided:?}"
    );
    assert_eq!(
        decided.counts.get("decisions").copied().unwrap_or(0),
        0,
        "{decided:?}"
    );
    assert!(dump(&opened.store, "decision", "sku").await.is_empty());

    fs::write(shop.inbox().join("first.xlsx"), &edited.1).expect("a workbook");
    let first = decide::run(&night).await.expect("the store works");
    let wanted = i64::try_from(answered.adopted + answered.changed + answered.rejected).expect("small");
    assert_eq!(first.counts.get("decisions"), Some(&wanted), "{first:?}");
    let orders = dump(&opened.store, "ordered_line", "warehouse sku order_no").await;
    assert!(!orders.is_empty());

    fs::write(shop.inbox().join("again.xlsx"), &edited.1).expect("a workbook");
    let again = decide::run(&night).await.expect("the store works");
    assert_eq!(again.counts.get("orders").copied().unwrap_or(0), 0, "{again:?}");
    assert_eq!(
        dump(&opened.store, "ordered_line", "warehouse sku order_no").await,
        orders
    );
    assert!(files(&shop.inbox()).is_empty(), "read files are put away");
    opened.store.close().await;
}

/// Values and units of the explanations are words of the reader's language, not codes of ours.
fn explained_in_words(book: &[u8]) {
    let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(book)).expect("a workbook");
    let sheet = book.worksheet_range("解释").expect("the explanations");
    let cells: Vec<String> = sheet
        .rows()
        .flat_map(|row| row.iter().skip(4).take(3))
        .map(ToString::to_string)
        .collect();
    assert!(cells.iter().any(|cell| cell == "间歇"), "classes of demand");
    let code = |cell: &&String| !cell.is_empty() && cell.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    assert_eq!(cells.iter().find(code), None);
}

/// The workbook of the newest mail, from its bytes on the wire.
fn untouched(shop: &Shop) -> Vec<u8> {
    person::workbook(&shop.last_mail()).expect("a workbook in the mail")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_nothing_known_is_put_away_with_its_reason() {
    let shop = Shop::new(7).await;
    fs::write(shop.inbox().join("holiday.txt"), "no table at all").expect("a file");
    let report = shop.night(0).await;
    let received = step(&report, Step::Receive);
    assert!(
        received
            .problems
            .iter()
            .any(|problem| problem.contains("holiday.txt")),
        "{report:?}"
    );
    assert!(files(&shop.inbox().join("done")).contains_key("holiday.txt.problems.txt"));
}
