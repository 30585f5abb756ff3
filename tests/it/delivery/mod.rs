//! Delivery against real servers: OpenSSH, PostgreSQL, an SMTP sink, a proxy that breaks connections.

mod announced;
mod announced_desks;
mod commands;
mod contract;
mod daily_mail;
mod faults;
mod flow;
mod kill;
mod large;
mod letter;
mod outbox_faults;
mod outgoing;
mod overwriting;
mod recipients;
mod servers;
mod sftp_double;
mod upload;
mod writes;

use std::path::Path;

use chrono::{DateTime, Utc};
use linkstar::delivery::Channel;
use linkstar::digest::sha256_hex;
use linkstar::ids::AccountId;
use linkstar::store::Store;
use linkstar::store::outbox::{self, Enqueued, Message, NewMessage};

use super::services::{fresh_database, services};

fn account() -> AccountId {
    AccountId::new("main").expect("an account id")
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + second, 0).expect("an instant")
}

async fn sqlite(dir: &Path) -> Store {
    let url = format!("sqlite:{}", dir.join("linkstar.db").display());
    Store::open(&url).await.expect("SQLite opens")
}

/// Both engines, PostgreSQL only when its server runs.
async fn engines(dir: &Path) -> Vec<Store> {
    let mut stores = vec![sqlite(dir).await];
    if let Some(services) = services() {
        let url = fresh_database(&services).await;
        stores.push(Store::open(&url).await.expect("PostgreSQL opens"));
    }
    stores
}

/// A file for the forwarder `huatuo`.
fn document<'a>(key: &'a str, name: &'a str, bytes: &'a [u8]) -> NewMessage<'a> {
    NewMessage {
        business_key: key,
        channel: Channel::Sftp,
        target: "huatuo",
        remote_name: name,
        kind: "document",
        bytes,
        envelope: None,
        message_id: None,
        depends_on: None,
        run_after: at(0),
    }
}

async fn enqueue_all(store: &Store, messages: &[NewMessage<'_>]) {
    let mut tx = store.write().await.expect("the store answers");
    for message in messages {
        let enqueued = outbox::enqueue(&mut tx, &account(), message, at(0))
            .await
            .expect("the store answers");
        assert_eq!(enqueued, Enqueued::New);
    }
    tx.commit().await.expect("the store answers");
}

async fn found(store: &Store, key: &str) -> Message {
    let mut tx = store.read().await.expect("the store answers");
    outbox::find(&mut tx, &account(), key)
        .await
        .expect("the store answers")
        .expect("the message is there")
}

/// Names and hashes of everything in a folder, hidden files too.
fn contents(folder: &Path) -> Vec<(String, String)> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is readable")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, sha256_hex(&std::fs::read(&path).expect("readable")))
        })
        .collect();
    all.sort();
    all
}

/// Bytes that do not compress and do not repeat, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}
