//! One byte changed anywhere is named.

use std::fs;

use linkstar::store::Store;

use super::{engines, faults, filled, tamper};

/// Each change, how it is undone, and what is said of it.
#[tokio::test]
async fn r72_every_change_behind_the_programs_back_is_named() {
    for store in engines().await {
        let order = filled(&store).await;
        let order = order.as_str();
        let packing = format!("order/{order}/r1/packing-list");
        let cases = [
            (
                "UPDATE blob SET bytes = CAST('28 cartons, 2407 units' AS BYTEA) WHERE size = 22".to_owned(),
                "UPDATE blob SET bytes = CAST('28 cartons, 2406 units' AS BYTEA) WHERE size = 22".to_owned(),
                format!("document `{packing}`: its bytes have changed"),
            ),
            (
                "UPDATE archive_entry SET subject = 'order/x/r1/y' WHERE seq = 3".to_owned(),
                format!(
                    "UPDATE archive_entry SET subject = 'order/{order}/r1/commercial-invoice' WHERE seq = 3"
                ),
                "entry 3, document `order/x/r1/y`: the entry itself was changed".to_owned(),
            ),
            (
                "UPDATE archive_entry SET recorded_at = recorded_at + 1 WHERE seq = 6".to_owned(),
                "UPDATE archive_entry SET recorded_at = recorded_at - 1 WHERE seq = 6".to_owned(),
                "entry 6, page `page/amazon-uk/orders`: the entry itself was changed".to_owned(),
            ),
            (
                "UPDATE archive_entry SET seq = 100 WHERE seq = 7".to_owned(),
                "UPDATE archive_entry SET seq = 7 WHERE seq = 100".to_owned(),
                "entry 7 before it is missing".to_owned(),
            ),
            (
                "UPDATE archive_entry SET seq = CASE seq WHEN 6 THEN -7 ELSE -6 END WHERE seq IN (6, 7)"
                    .to_owned(),
                "UPDATE archive_entry SET seq = CASE seq WHEN -7 THEN 6 ELSE 7 END WHERE seq < 0".to_owned(),
                "entries 6..7 before it are missing".to_owned(),
            ),
            (
                "UPDATE order_event SET event = event || ' ' WHERE seq = 2".to_owned(),
                "UPDATE order_event SET event = rtrim(event) WHERE seq = 2".to_owned(),
                format!("event `order/{order}/event/2`: its bytes have changed"),
            ),
            (
                "UPDATE order_document SET document = 'forged' WHERE document = 'packing-list'".to_owned(),
                "UPDATE order_document SET document = 'packing-list' WHERE document = 'forged'".to_owned(),
                format!("no entry, document `order/{order}/r1/forged`: stored"),
            ),
            (
                "UPDATE archive_head SET hash = '0' || substr(hash, 2) || 'x'".to_owned(),
                "UPDATE archive_head SET hash = (SELECT hash FROM archive_entry WHERE seq = 10)".to_owned(),
                "the last entry is not the one the archive ended with".to_owned(),
            ),
        ];
        for (change, undo, said) in cases {
            let blobs = |sql: &str| match store.engine() {
                linkstar::store::dialect::Engine::Sqlite => sql.replace("BYTEA", "BLOB"),
                linkstar::store::dialect::Engine::Postgres => sql
                    .replace("CAST(", "convert_to(")
                    .replace(" AS BYTEA", ", 'UTF8'"),
            };
            tamper(&store, &blobs(&change)).await;
            let found = faults(&store).await;
            assert!(
                found.iter().any(|fault| fault.contains(&said)),
                "{change}\n{found:#?}\nwanted {said}"
            );
            tamper(&store, &blobs(&undo)).await;
            let found = faults(&store).await;
            assert!(found.is_empty(), "{undo}: {found:#?}");
        }
        // The newest entries cut off, and the chain's end made to fit: the things themselves still tell.
        tamper(&store, "DELETE FROM archive_entry WHERE seq >= 9").await;
        tamper(
            &store,
            "UPDATE archive_head SET seq = 8, hash = (SELECT hash FROM archive_entry WHERE seq = 8)",
        )
        .await;
        let found = faults(&store).await;
        assert!(
            found
                .iter()
                .any(|fault| fault.contains("but not archived as such")),
            "{found:#?}"
        );
    }
}

#[tokio::test]
async fn r72_one_byte_flipped_on_disk_names_the_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("linkstar.db");
    let url = format!("sqlite:{}", file.display());
    let store = Store::open(&url).await.expect("SQLite opens");
    let order = filled(&store).await;
    store.close().await;
    let mut bytes = fs::read(&file).expect("the database");
    let needle = b"USD 8,000.00";
    let place = bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .expect("the invoice lies in the file");
    bytes[place + 4] ^= 1;
    fs::write(&file, bytes).expect("written");
    let store = Store::open(&url).await.expect("SQLite opens");
    let found = faults(&store).await;
    assert_eq!(
        found,
        [format!(
            "entry 3, document `order/{order}/r1/commercial-invoice`: its bytes have changed"
        )]
    );
}
