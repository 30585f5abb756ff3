//! The archive on both engines: proven whole, proven broken, thinned, and handed over.

mod broken;
mod chain;
mod export;
mod laws;
mod retention;

use chrono::{DateTime, Utc};
use linkstar::args;
use linkstar::delivery::Channel;
use linkstar::digest::sha256_hex;
use linkstar::ids::{AccountId, OrderNo, SourceId};
use linkstar::order::{OrderEvent, OrderEventKind, OrderState};
use linkstar::store::archive::{self, Verified};
use linkstar::store::facts;
use linkstar::store::inbox::{self, InboxFile};
use linkstar::store::orders::{self, StoredDocument};
use linkstar::store::outbox::{self, NewMessage};
use linkstar::store::{Store, Tx, blob};

use crate::papers::orders::order;
use crate::services::{fresh_database, services};

pub fn account() -> AccountId {
    AccountId::new("main").expect("an account id")
}

pub fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + second, 0).expect("an instant")
}

/// SQLite in memory, and an empty PostgreSQL database when its server runs.
pub async fn engines() -> Vec<Store> {
    let mut stores = vec![Store::open("sqlite::memory:").await.expect("a store")];
    if let Some(services) = services() {
        let url = fresh_database(&services).await;
        stores.push(Store::open(&url).await.expect("PostgreSQL opens"));
    }
    stores
}

pub async fn write(store: &Store) -> Tx {
    store.write().await.expect("the store answers")
}

pub async fn verify(store: &Store) -> Verified {
    let mut tx = store.read().await.expect("the store answers");
    archive::verify(&mut tx, &account())
        .await
        .expect("the store answers")
}

/// What is wrong, as a person reads it.
pub async fn faults(store: &Store) -> Vec<String> {
    verify(store)
        .await
        .faults
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Changes the database behind the program's back.
pub async fn tamper(store: &Store, sql: &str) {
    let mut tx = write(store).await;
    let changed = tx.execute(sql, args![]).await.expect("the statement runs");
    assert!(changed > 0, "{sql}");
    tx.commit().await.expect("committed");
}

pub async fn document(tx: &mut Tx, order: &OrderNo, name: &str, bytes: &[u8], now: DateTime<Utc>) {
    let sha256 = blob::put(tx, &account(), "document", bytes, now)
        .await
        .expect("stored");
    let document = StoredDocument {
        issued_on: None,
        order: order.clone(),
        revision: 1,
        document: name.to_owned(),
        file_name: format!("{order}-{name}.txt"),
        media_type: "text/plain".to_owned(),
        sha256,
    };
    orders::add_document(tx, &account(), &document, now)
        .await
        .expect("stored");
}

pub async fn message(tx: &mut Tx, key: &str, bytes: &[u8], now: DateTime<Utc>) {
    let message = NewMessage {
        business_key: key,
        channel: Channel::Folder,
        target: "huatuo",
        remote_name: &key.replace('/', "_"),
        kind: "document",
        bytes,
        envelope: None,
        message_id: None,
        depends_on: None,
        run_after: now,
    };
    let _ = outbox::enqueue(tx, &account(), &message, now)
        .await
        .expect("enqueued");
}

pub async fn received(tx: &mut Tx, name: &str, bytes: &[u8], order: &OrderNo, now: DateTime<Utc>) {
    let file = InboxFile {
        sha256: sha256_hex(bytes),
        origin: "huatuo".to_owned(),
        name: name.to_owned(),
        kind: "bill".to_owned(),
        problems: Vec::new(),
        facts: Vec::new(),
        first_rows: Vec::new(),
        read_at: now,
    };
    inbox::remember(tx, &account(), &file, bytes)
        .await
        .expect("stored");
    inbox::link(tx, &account(), &file.sha256, order)
        .await
        .expect("linked");
}

pub async fn page(tx: &mut Tx, bytes: &[u8], now: DateTime<Utc>) {
    let source = SourceId::new("amazon-uk").expect("a source");
    facts::keep_raw_page(tx, &account(), &source, "orders", bytes, now)
        .await
        .expect("stored");
}

pub async fn event(tx: &mut Tx, order: &OrderNo, kind: OrderEventKind, now: DateTime<Utc>) -> bool {
    let event = OrderEvent {
        at: now,
        by: "test".to_owned(),
        kind,
    };
    orders::append(tx, &account(), order, event).await.is_ok()
}

/// An order with everything that belongs to it: 10 entries.
pub async fn filled(store: &Store) -> OrderNo {
    let mut issued = order(7);
    issued.plan = None;
    let number = issued.number.clone();
    let mut tx = write(store).await;
    orders::create(&mut tx, &account(), &issued, issued.eta, "test", at(0))
        .await
        .expect("an order");
    document(&mut tx, &number, "packing-list", b"28 cartons, 2406 units", at(0)).await;
    document(&mut tx, &number, "commercial-invoice", b"USD 8,000.00", at(0)).await;
    message(
        &mut tx,
        &format!("order/{number}/r1/packing-list"),
        b"28 cartons, 2406 units",
        at(0),
    )
    .await;
    tx.commit().await.expect("committed");
    let mut tx = write(store).await;
    page(&mut tx, b"{\"orders\": []}", at(1)).await;
    page(&mut tx, b"{\"orders\": [1]}", at(1)).await;
    tx.commit().await.expect("committed");
    let mut tx = write(store).await;
    received(
        &mut tx,
        "bill-7.csv",
        b"bill_no,amount,currency\nB-7,800,CNY\n",
        &number,
        at(2),
    )
    .await;
    let handed = OrderEventKind::Reached {
        state: OrderState::HandedOver,
    };
    assert!(event(&mut tx, &number, handed, at(2)).await);
    tx.commit().await.expect("committed");
    let mut tx = write(store).await;
    let key = format!("order/{number}/r1/packing-list");
    let claimed = outbox::claim(
        &mut tx,
        &account(),
        (Channel::Folder, "huatuo"),
        "test",
        at(3),
        chrono::Duration::seconds(60),
    )
    .await
    .expect("the store answers")
    .expect("a message is due");
    assert_eq!(claimed.1.business_key, key);
    let sent = linkstar::delivery::Verdict {
        state: linkstar::delivery::State::Sent,
        run_after: None,
        receipt: Some("read back".to_owned()),
        error: None,
    };
    outbox::finish(&mut tx, &claimed.0, &sent, at(3))
        .await
        .expect("finished");
    tx.commit().await.expect("committed");
    number
}
