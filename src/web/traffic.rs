//! What leaves and what came in.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::gate::{Visit, encoded};
use super::page::{Fault, Shell, moment, show};
use crate::cli::status::model::word;
use crate::delivery::State;
use crate::store::outbox::Message;
use crate::store::{StoreError, inbox, outbox};
use crate::wording::text;

const MOST_OF_STATE: u32 = 100;
const MOST_SENT: u32 = 100;
const MOST_RECEIVED: u32 = 100;

#[derive(Template)]
#[template(path = "messages.html")]
struct MessagesPage {
    shell: Shell,
    counts: Vec<(String, i64)>,
    /// What needs a person, then what waits, then what has left.
    messages: Vec<MessageRow>,
    files: Vec<FileRow>,
}

struct MessageRow {
    state: String,
    wants: bool,
    name: String,
    channel: String,
    target: String,
    key: String,
    attempts: u32,
    when: String,
    error: String,
}

struct FileRow {
    when: String,
    kind: String,
    wants: bool,
    name: String,
    origin: String,
    orders: Vec<(String, String)>,
    problems: Vec<String>,
}

pub(super) async fn all(visit: Visit) -> Result<Response, Fault> {
    let night = visit.seller.night();
    let lang = visit.lang;
    let zone = night.config.account.zone;
    let store = |error: StoreError| Fault::store(lang, &error);
    let mut tx = night.store.read().await.map_err(store)?;
    let account = night.account();
    let counts = outbox::count_by_state(&mut tx, account).await.map_err(store)?;
    let mut found: Vec<Message> = Vec::new();
    for state in State::ALL.iter().copied().filter(|state| *state != State::Sent) {
        found.extend(
            outbox::list(&mut tx, account, Some(state), MOST_OF_STATE)
                .await
                .map_err(store)?,
        );
    }
    found.sort_by_key(|message| {
        (
            !message.state.needs_a_person(),
            std::cmp::Reverse(message.created_at),
        )
    });
    found.extend(
        outbox::newest_sent(&mut tx, account, MOST_SENT)
            .await
            .map_err(store)?,
    );
    let files = inbox::newest(&mut tx, account, MOST_RECEIVED)
        .await
        .map_err(store)?;
    let links = inbox::links(&mut tx, account).await.map_err(store)?;
    let page = MessagesPage {
        shell: visit.shell(&text(lang, "web.nav.messages", &[])),
        counts: counts
            .into_iter()
            .map(|(state, n)| (word(lang, "cli.message", state.as_str()), n))
            .collect(),
        messages: found
            .into_iter()
            .map(|message| MessageRow {
                state: word(lang, "cli.message", message.state.as_str()),
                wants: message.state.needs_a_person(),
                channel: word(lang, "cli.channel", message.channel.as_str()),
                attempts: message.attempt,
                when: moment(message.sent_at.unwrap_or(message.created_at), zone),
                error: message.last_error.unwrap_or_default(),
                name: message.remote_name,
                target: message.target,
                key: message.business_key,
            })
            .collect(),
        files: files
            .into_iter()
            .map(|file| FileRow {
                when: moment(file.read_at, zone),
                kind: word(lang, "cli.inbox.kind", &file.kind),
                wants: file.kind == inbox::QUARANTINE,
                orders: links
                    .get(&file.sha256)
                    .into_iter()
                    .flatten()
                    .map(|order| (format!("/orders/{}", encoded(order)), order.clone()))
                    .collect(),
                problems: file.problems.iter().take(5).map(ToString::to_string).collect(),
                name: file.name,
                origin: file.origin,
            })
            .collect(),
    };
    Ok(show(lang, StatusCode::OK, &page))
}
