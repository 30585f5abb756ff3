//! R77: accept, change, reject, each with its reason, exactly as by the workbook.

use linkstar::cli::demo::person;
use linkstar::mapping::table::{Limits, read_sheet};
use linkstar::mapping::xlsx::{At, Want, write_cells};
use linkstar::night::decide;
use linkstar::store::{Store, orders, plans};
use linkstar::wording::{Lang, text};
use reqwest::StatusCode;

use super::stage::{self, Browser, Pages};
use crate::night::shop::{Shop, morning};
use crate::night::state::dump;
use crate::services::{fresh_database, services};

/// What both ways must store, but for who answered and from where.
const STORED: [(&str, &str); 5] = [
    ("decision", "plan_id warehouse sku decision units reason"),
    ("ordered_line", "plan_id warehouse sku order_no"),
    (
        "stocking_order",
        "order_no revision state warehouse forwarder mode plan_id created_on ship_by eta_p50 eta_p90 model",
    ),
    (
        "order_document",
        "order_no revision document file_name media_type sha256",
    ),
    (
        "outbox",
        "business_key channel target remote_name sha256 depends_on",
    ),
];

async fn stored(store: &Store) -> Vec<String> {
    let mut all = Vec::new();
    for (table, columns) in STORED {
        for row in dump(store, table, columns).await {
            // The morning's mail names a server of its own world.
            if !row.starts_with("mail/") {
                all.push(format!("{table}: {row}"));
            }
        }
    }
    all
}

/// A workbook answered in every way, each with a reason, as a person types it into the yellow cells.
fn fill_in(shop: &Shop) {
    let workbook = person::workbook(&shop.last_mail()).expect("a workbook in the mail");
    let sheet = text(Lang::Zh, "mail.sheet.suggestions", &[]);
    let table = read_sheet("mail.xlsx", &workbook, Some(&sheet), &Limits::default()).expect("a table");
    let title = |key: &str| text(Lang::Zh, &format!("mail.book.{key}"), &[]);
    let mut rows = table.raw_rows();
    let heads: Vec<String> = rows
        .by_ref()
        .map(|(_, cells)| cells.to_vec())
        .find(|cells| cells.contains(&title("decision")))
        .expect("headings");
    let column = |key: &str| {
        heads
            .iter()
            .position(|head| *head == title(key))
            .expect("a column")
    };
    let mut cells = Vec::new();
    let mut answered = 0;
    for (row, values) in rows {
        let wanted: i64 = values
            .get(column("suggested"))
            .and_then(|cell| cell.parse().ok())
            .unwrap_or(0);
        if wanted <= 0 {
            continue;
        }
        let at = |key: &str| At {
            row: u32::try_from(row).expect("a row"),
            column: u32::try_from(column(key) + 1).expect("a column"),
        };
        let choice = ["adopt", "change", "reject"][answered % 3];
        answered += 1;
        let word = text(Lang::Zh, &format!("mail.choice.{choice}"), &[]);
        cells.push((at("decision"), Want::Text(word)));
        cells.push((at("reason"), Want::Text(format!("原因 {answered}"))));
        if choice == "change" {
            cells.push((at("new_units"), Want::Number((wanted * 2).into())));
        }
    }
    assert!(answered >= 3, "{answered} suggestions");
    let edited = write_cells(&workbook, &sheet, &cells).expect("an edited workbook");
    std::fs::write(shop.inbox().join("answer.xlsx"), edited).expect("an answer");
}

fn suggested(store_plan: &linkstar::planner::Plan) -> Vec<(String, String)> {
    store_plan
        .lines
        .iter()
        .filter(|line| line.suggested_units.is_some_and(|units| units > 0))
        .map(|line| (line.warehouse.to_string(), line.sku.to_string()))
        .collect()
}

fn path(line: &(String, String)) -> String {
    format!("/line?warehouse={}&sku={}", line.0.replace(':', "%3A"), line.1)
}

async fn plan(shop: &Shop) -> linkstar::planner::Plan {
    let store = shop.store().await;
    let mut tx = store.read().await.expect("a transaction");
    let plan = plans::latest(&mut tx, &shop.config().account.id)
        .await
        .expect("readable")
        .expect("a plan");
    drop(tx);
    store.close().await;
    plan
}

/// The page of today with the same decisions as `wanted` filled in, all sent at once.
async fn send_all(browser: &mut Browser, wanted: &[plans::Decision]) -> stage::Answer {
    let page = browser.get("/").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let mut fields = vec![
        ("csrf".to_owned(), page.field("class=\"answers\"", "csrf")),
        ("plan".to_owned(), page.field("class=\"answers\"", "plan")),
        ("today".to_owned(), "1".to_owned()),
    ];
    let html = page.html();
    let mut filled = 0;
    for n in 1.. {
        let name = format!("sku.{n}");
        if !html.contains(&format!("name=\"{name}\"")) {
            break;
        }
        let (warehouse, sku) = (page.field("", &format!("warehouse.{n}")), page.field("", &name));
        let seen = page.field("", &format!("seen.{n}"));
        let decision = wanted
            .iter()
            .find(|one| one.warehouse.as_str() == warehouse && one.sku.as_str() == sku);
        let (choice, units, reason) = match decision {
            Some(one) => {
                filled += 1;
                let units = match one.choice {
                    plans::Choice::Change => one.units.map(|units| units.to_string()).unwrap_or_default(),
                    _ => String::new(),
                };
                (one.choice.code().to_owned(), units, one.reason.clone())
            }
            None => Default::default(),
        };
        for (name, value) in [
            ("warehouse", warehouse),
            ("sku", sku),
            ("seen", seen),
            ("choice", choice),
            ("units", units),
            ("reason", reason),
        ] {
            fields.push((format!("{name}.{n}"), value));
        }
    }
    assert_eq!(
        filled,
        wanted.len(),
        "every line the workbook answers is on the page"
    );
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.post("/decide", &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r77_what_is_answered_on_the_page_is_stored_as_what_is_answered_by_workbook() {
    let by_workbook = stage::shop(None).await;
    fill_in(&by_workbook);
    let opened = by_workbook.open(morning(0) + chrono::Duration::hours(1)).await;
    decide::run(&opened.night(false)).await.expect("the store works");
    let wanted = stored(&opened.store).await;
    let mut tx = opened.store.read().await.expect("a transaction");
    let account = &by_workbook.config().account.id;
    let current = plans::latest(&mut tx, account)
        .await
        .expect("readable")
        .expect("a plan");
    let decisions = plans::decisions(&mut tx, account, &current.id)
        .await
        .expect("decisions");
    drop(tx);
    for choice in ["adopt", "change", "reject"] {
        assert!(
            decisions.iter().any(|one| one.choice.code() == choice),
            "the workbook has a {choice}"
        );
    }
    opened.store.close().await;

    let mut urls = vec![None];
    if let Some(services) = services() {
        urls.push(Some(fresh_database(&services).await));
    }
    for url in urls {
        let shop = stage::shop(url.as_deref()).await;
        let pages = stage::serve(&shop, "").await;
        let mut wang = pages.wang().await;
        let sent = send_all(&mut wang, &decisions).await;
        assert_eq!(
            (sent.status, sent.head("location")),
            (StatusCode::SEE_OTHER, "/?done=1"),
            "{}",
            sent.text()
        );
        let store = shop.store().await;
        assert_eq!(stored(&store).await, wanted, "{url:?}");
        // Who it was is a person now.
        let who = dump(&store, "decision", "decided_by source").await;
        assert!(who.iter().all(|row| row == "小王 | 小王"), "{who:?}");
        store.close().await;
        assert_eq!(pages.stop().await, Some(0));
    }
}

async fn two_at_once(pages: &Pages, shop: &Shop) {
    let lines = suggested(&plan(shop).await);
    let (contested, twice, told) = (&lines[0], &lines[1], &lines[2]);
    let (mut wang, mut li) = (pages.wang().await, pages.li().await);

    // Both have opened the same line; both send.
    let (one, other) = (wang.form(&path(contested)).await, li.form(&path(contested)).await);
    let (first, second) = tokio::join!(
        wang.send(&one, &[("choice.0", "adopt"), ("reason.0", "好卖")]),
        li.send(
            &other,
            &[("choice.0", "reject"), ("reason.0", "slow <b>mover</b>")]
        ),
    );
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(
        statuses,
        [StatusCode::SEE_OTHER, StatusCode::CONFLICT],
        "{}\n{}",
        first.text(),
        second.text()
    );
    let store = shop.store().await;
    let kept = |rows: Vec<String>, sku: &str| rows.into_iter().filter(|row| row.contains(sku)).count();
    let rows = dump(&store, "decision", "sku decision decided_by").await;
    assert_eq!(kept(rows, &contested.1), 1, "the second has changed nothing");

    // The same form twice, as by an impatient finger.
    let form = wang.form(&path(twice)).await;
    let same = [("choice.0", "adopt"), ("units.0", ""), ("reason.0", "")];
    let mut again = wang.clone();
    let (first, second) = tokio::join!(wang.send(&form, &same), again.send(&form, &same));
    assert_eq!(
        [first.status, second.status],
        [StatusCode::SEE_OTHER; 2],
        "{}\n{}",
        first.text(),
        second.text()
    );
    let third = wang.send(&form, &same).await;
    assert_eq!(third.status, StatusCode::SEE_OTHER);
    assert_eq!(kept(dump(&store, "decision", "sku decision").await, &twice.1), 1);
    assert_eq!(
        kept(dump(&store, "ordered_line", "sku order_no").await, &twice.1),
        1
    );

    // What is in an order is not answered again, by nobody.
    let late = li
        .send(&form_of(&li, &form, &path(told)).await, &[("choice.0", "reject")])
        .await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text());
    assert!(late.text().contains("ordered already"), "{}", late.text());

    // A rejection is seen by the next one, with its reason as text; who has seen it may change it.
    let rejected = li
        .decide(
            &path(told),
            &[
                ("choice.0", "reject"),
                ("reason.0", "<img src=x onerror=alert(1)>"),
            ],
        )
        .await;
    assert_eq!(rejected.status, StatusCode::SEE_OTHER, "{}", rejected.text());
    let seen = wang.get(&path(told)).await;
    assert!(!seen.html().contains("<img src=x"), "{}", seen.html());
    assert!(
        seen.html().contains("&#60;img src=x onerror=alert(1)&#62;"),
        "{}",
        seen.text()
    );
    let changed = wang
        .decide(&path(told), &[("choice.0", "change"), ("units.0", "４８０")])
        .await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text());
    let rows = dump(&store, "decision", "sku decision units decided_by").await;
    let on_it: Vec<&String> = rows
        .iter()
        .filter(|row| row.starts_with(&format!("{} |", told.1)))
        .collect();
    assert_eq!(on_it.len(), 2, "{rows:?}");
    assert!(
        on_it.iter().any(|row| row.ends_with("change | 480 | 小王")),
        "{on_it:?}"
    );
    store.close().await;
}

/// The hidden fields of li's page, for the line that wang has ordered meanwhile.
async fn form_of(li: &Browser, ordered: &[(String, String)], open: &str) -> Vec<(String, String)> {
    let mut form = li.clone().form(open).await;
    for (name, value) in &mut form {
        if name != "csrf" {
            *value = ordered
                .iter()
                .find(|(known, _)| known == name)
                .expect("a field")
                .1
                .clone();
        }
    }
    form
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_answer_at_once_are_one_answer_and_one_who_is_told() {
    let mut urls = vec![None];
    if let Some(services) = services() {
        urls.push(Some(fresh_database(&services).await));
    }
    for url in urls {
        let shop = stage::shop(url.as_deref()).await;
        let pages = stage::serve(&shop, "").await;
        two_at_once(&pages, &shop).await;
        if url.is_none() {
            yesterdays_page(&pages, &shop).await;
        }
    }
}

/// A page that was opened before the night came.
async fn yesterdays_page(pages: &Pages, shop: &Shop) {
    let line = suggested(&plan(shop).await).pop().expect("a line");
    let mut wang = pages.wang().await;
    let form = wang.form(&path(&line)).await;
    for (answer, said) in [
        (vec![("choice.0", "change")], "改量需要 1 到 10000000 的整数"),
        (
            vec![("choice.0", "change"), ("units.0", "12.5")],
            "改量需要 1 到 10000000 的整数",
        ),
        (
            vec![("choice.0", "change"), ("units.0", "-5")],
            "改量需要 1 到 10000000 的整数",
        ),
        (vec![("choice.0", "adopt"), ("units.0", "7")], "只有改量才填数量"),
        (vec![("choice.0", "maybe")], "请选择一个决定"),
        (vec![("choice.0", "")], "请选择一个决定"),
        (vec![("units.0", "7")], "填了数量，但没有选择改量"),
    ] {
        let answered = wang.send(&form, &answer).await;
        assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
        assert!(answered.text().contains(said), "{answer:?}: {}", answered.text());
    }
    shop.advance(morning(1));
    shop.night(1).await;
    let old = wang.send(&form, &[("choice.0", "adopt")]).await;
    assert_eq!(old.status, StatusCode::CONFLICT);
    assert!(
        old.text().contains("计划已更新，您的答复没有记录"),
        "{}",
        old.text()
    );
    let store = shop.store().await;
    let mut tx = store.read().await.expect("a transaction");
    let account = shop.config().account.id;
    let current = plans::latest(&mut tx, &account)
        .await
        .expect("readable")
        .expect("a plan");
    let ordered = orders::ordered_lines(&mut tx, &account, &current.id)
        .await
        .expect("lines");
    assert!(ordered.is_empty(), "{ordered:?}");
    drop(tx);
    store.close().await;
}
