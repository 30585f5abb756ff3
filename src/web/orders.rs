//! Stocking orders: where each stands, what happened, who must act, its papers (R76).

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::gate::{Visit, encoded};
use super::page::{Fault, Shell, moment, show};
use crate::cli::status::model::{OrderStory, deadline, happened_words, nearest, state_words, word};
use crate::money::round_cents;
use crate::store::{StoreError, blob, orders};
use crate::wording::text;

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    shell: Shell,
    /// In motion, then over.
    groups: Vec<(String, Vec<OrderRow>)>,
}

struct OrderRow {
    number: String,
    link: String,
    state: String,
    warehouse: String,
    mode: String,
    units: i64,
    cartons: i64,
    next: String,
    /// What must have happened by when, and whether that has passed.
    deadline: Option<(String, String, bool)>,
}

/// Orders that are over are shown so far back.
const MOST_OVER: usize = 100;

pub(super) async fn all(visit: Visit) -> Result<Response, Fault> {
    let night = visit.seller.night();
    let lang = visit.lang;
    let store = |error: StoreError| Fault::store(lang, &error);
    let mut tx = night.store.read().await.map_err(store)?;
    let stored = orders::all(&mut tx, night.account()).await.map_err(store)?;
    let (mut moving, mut over) = (Vec::new(), Vec::new());
    for one in stored.iter().rev() {
        let totals = one.order.totals();
        let number = one.order.number.to_string();
        let row = OrderRow {
            link: format!("/orders/{}", encoded(&number)),
            number,
            state: state_words(one.state, lang),
            warehouse: one.order.warehouse.to_string(),
            mode: word(lang, "plan.value", one.order.mode.code()),
            units: totals.units,
            cartons: totals.cartons,
            next: text(lang, &format!("cli.order.next.{}", one.state.code()), &[]),
            deadline: deadline(one)
                .map(|(date, key)| (date.to_string(), text(lang, key, &[]), date < night.today())),
        };
        if one.state.is_over() {
            over.push(row);
        } else {
            moving.push(row);
        }
    }
    over.truncate(MOST_OVER);
    let page = OrdersPage {
        shell: visit.shell(&text(lang, "web.nav.orders", &[])),
        groups: [("web.orders.moving", moving), ("web.orders.over", over)]
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(key, rows)| (text(lang, key, &[]), rows))
            .collect(),
    };
    Ok(show(lang, StatusCode::OK, &page))
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    shell: Shell,
    number: String,
    state: String,
    next: String,
    deadline: Option<(String, String, bool)>,
    problems: Vec<String>,
    facts: Vec<(String, String)>,
    lines: Vec<LineRow>,
    receipts: Vec<ReceiptRow>,
    events: Vec<(String, String, String)>,
    documents: Vec<DocumentRow>,
    messages: Vec<(String, String, String)>,
    received: Vec<(String, String, String)>,
}

struct LineRow {
    sku: String,
    name: String,
    units: i64,
    suggested: String,
}

struct ReceiptRow {
    sku: String,
    shipped: i64,
    received: i64,
    put_away: i64,
    difference: String,
    state: String,
    verdict: String,
}

struct DocumentRow {
    name: String,
    kind: String,
    link: String,
    sha256: String,
}

pub(super) async fn one(visit: Visit, Path(given): Path<String>) -> Result<Response, Fault> {
    let night = visit.seller.night();
    let lang = visit.lang;
    let store = |error: StoreError| Fault::store(lang, &error);
    let mut tx = night.store.read().await.map_err(store)?;
    let found = OrderStory::of(&mut tx, night.account(), &given)
        .await
        .map_err(store)?;
    let Some(story) = found else {
        let stored = orders::all(&mut tx, night.account()).await.map_err(store)?;
        let shown: String = given.chars().take(80).collect();
        let mut fault = Fault::missing(lang).say(text(lang, "web.order.unknown", &[("order", &shown)]));
        for near in nearest(&stored, &given) {
            fault = fault.link(format!("/orders/{}", encoded(near.as_str())), near.as_str());
        }
        return Err(fault.link("/orders", text(lang, "web.nav.orders", &[])));
    };
    let page = order_page(&visit, &story);
    Ok(show(lang, StatusCode::OK, &page))
}

fn order_page(visit: &Visit, story: &OrderStory) -> OrderPage {
    let night = visit.seller.night();
    let lang = visit.lang;
    let zone = night.config.account.zone;
    let order = &story.stored.order;
    let number = order.number.to_string();
    let totals = order.totals();
    let t = |key: &str| text(lang, &format!("web.order.{key}"), &[]);
    let mut facts = vec![
        (t("warehouse"), order.warehouse.to_string()),
        (t("mode"), word(lang, "plan.value", order.mode.code())),
        (t("forwarder"), order.forwarder.to_string()),
        (t("units"), format!("{} / {}", totals.units, totals.cartons)),
        (
            t("value"),
            format!("{} {}", round_cents(totals.value), order.currency),
        ),
        (t("ship_by"), order.ship_by.to_string()),
        (t("eta"), format!("{} – {}", order.eta, story.stored.eta_p90)),
    ];
    if let Some(shipped) = story.stored.shipped_on {
        facts.push((t("shipped"), shipped.to_string()));
    }
    OrderPage {
        shell: visit.shell(&number),
        state: story.state(lang),
        next: story.next(lang),
        deadline: story
            .deadline()
            .map(|(date, key)| (date.to_string(), text(lang, key, &[]), date < night.today())),
        problems: story.problems(lang),
        facts,
        lines: order
            .lines
            .iter()
            .map(|line| LineRow {
                sku: line.goods.sku.to_string(),
                name: match lang {
                    crate::wording::Lang::En if !line.goods.name_en.is_empty() => line.goods.name_en.clone(),
                    _ => line.goods.name_zh.clone(),
                },
                units: line.units,
                suggested: line
                    .suggested_units
                    .map_or_else(|| "?".to_owned(), |units| units.to_string()),
            })
            .collect(),
        receipts: story
            .lines
            .iter()
            .map(|line| ReceiptRow {
                sku: line.sku.to_string(),
                shipped: line.shipped,
                received: line.received,
                put_away: line.put_away,
                difference: format!("{:+}", line.difference),
                state: word(lang, "receipts.state", line.state.code()),
                verdict: word(lang, "receipts.verdict", line.verdict.code()),
            })
            .collect(),
        events: story
            .events
            .iter()
            .map(|event| {
                (
                    moment(event.at, zone),
                    happened_words(lang, &event.kind),
                    event.by.clone(),
                )
            })
            .collect(),
        documents: story
            .documents
            .iter()
            .map(|document| DocumentRow {
                name: document.file_name.clone(),
                kind: word(lang, "cli.document", &document.document),
                link: format!("/orders/{}/documents/{}", encoded(&number), document.sha256),
                sha256: document.sha256.chars().take(12).collect(),
            })
            .collect(),
        messages: story
            .messages
            .iter()
            .map(|message| {
                (
                    word(lang, "cli.message", message.state.as_str()),
                    message.remote_name.clone(),
                    message.last_error.clone().unwrap_or_default(),
                )
            })
            .collect(),
        received: story
            .received
            .iter()
            .map(|file| {
                (
                    moment(file.read_at, zone),
                    word(lang, "cli.inbox.kind", &file.kind),
                    file.name.clone(),
                )
            })
            .collect(),
        number,
    }
}

/// A document by its hash: one of this order of this account, or nothing.
pub(super) async fn document(
    visit: Visit,
    Path((given, sha256)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let night = visit.seller.night();
    let lang = visit.lang;
    let store = |error: StoreError| Fault::store(lang, &error);
    let mut tx = night.store.read().await.map_err(store)?;
    let found = OrderStory::of(&mut tx, night.account(), &given)
        .await
        .map_err(store)?;
    let document = found
        .into_iter()
        .flat_map(|story| story.documents)
        .find(|document| document.sha256 == sha256)
        .ok_or_else(|| Fault::missing(lang))?;
    let bytes = blob::get(&mut tx, night.account(), &document.sha256)
        .await
        .map_err(store)?;
    let mut response = bytes.into_response();
    let heads = response.headers_mut();
    let kind = HeaderValue::from_str(&document.media_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    heads.insert(header::CONTENT_TYPE, kind);
    // The name in ASCII for old readers, and as it is for the others.
    let plain: String = document
        .file_name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let name = format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        encoded(&document.file_name)
    );
    if let Ok(name) = HeaderValue::from_str(&name) {
        heads.insert(header::CONTENT_DISPOSITION, name);
    }
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", document.sha256)) {
        heads.insert(header::ETAG, tag);
    }
    Ok(response)
}
