//! Work that is dropped in the middle of a statement leaves nothing behind, and no connection that never comes back.

use std::time::Duration;

use linkstar::args;
use linkstar::store::dialect::Engine;
use linkstar::store::{Store, Value};

use crate::fleet::children::Draw;
use crate::services::stores;

fn rows(load: usize) -> Vec<Vec<Value>> {
    (0..3_000)
        .map(|line| {
            args![
                format!("cut-{}", std::process::id()),
                "shop",
                format!("O-{load}-{line}"),
                "1",
                "SKU",
                "shop.example",
                "Merchant",
                0_i64,
                0_i64,
                "2026-01-01",
                "shipped",
                1_i64,
                false
            ]
            .to_vec()
        })
        .collect()
}

async fn load(store: Store, number: usize) {
    let rows = rows(number);
    let mut tx = store.write().await.expect("a transaction");
    for part in rows.chunks(1_000) {
        tx.insert_many(
            "INSERT INTO order_line (account_id, source, order_id, fact_key, sku_code, marketplace, fulfilment,
                 ordered_at, updated_at, day, state, units, replacement)",
            part,
            "",
        )
        .await
        .expect("an insert");
    }
    // Never committed.
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_dropped_in_the_middle_leave_no_row_and_the_store_closes_in_time() {
    let account = format!("cut-{}", std::process::id());
    let mut draw = Draw(0x00c0_ffee_2026);
    // A database in memory goes with the connection that a dropped statement closes: SQLite from a file.
    let dir = tempfile::tempdir().expect("a folder");
    let file = format!("sqlite:{}", dir.path().join("cut.db").display());
    let mut all = vec![Store::open(&file).await.expect("the store opens")];
    all.extend(
        stores()
            .await
            .into_iter()
            .filter(|store| store.engine() == Engine::Postgres),
    );
    for store in all {
        for number in 0..24 {
            let task = tokio::spawn(load(store.clone(), number));
            tokio::time::sleep(draw.below(Duration::from_millis(60))).await;
            task.abort();
            let ended = task.await.expect_err("a load that never ends by itself");
            assert!(ended.is_cancelled(), "{ended}");
        }
        let mut tx = store.read().await.expect("a connection");
        let left = tx
            .rows(
                "SELECT order_id FROM order_line WHERE account_id = $1",
                args![&account],
            )
            .await
            .expect("rows");
        assert!(left.is_empty(), "{:?}: {} rows", store.engine(), left.len());
        drop(tx);
        let given_up = store.cut_off();
        // Before `close` gives up by itself, which would hide a connection that never comes back.
        let closed = tokio::time::timeout(Duration::from_secs(3), store.close()).await;
        assert!(
            closed.is_ok(),
            "{:?} does not close; {given_up} cut off",
            store.engine()
        );
    }
}
