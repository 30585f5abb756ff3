//! Many rows in and out: whatever way a load takes, the rows are the same on both engines.

use linkstar::args;
use linkstar::ids::AccountId;
use linkstar::store::{Store, StoreError, Tx, Value};

use super::engines;

const HEAD: &str =
    "INSERT INTO order_line (account_id, source, order_id, fact_key, sku_code, marketplace, fulfilment,
     ordered_at, updated_at, day, state, units, replacement)";

fn account() -> AccountId {
    AccountId::new("main").expect("an account")
}

/// Texts that a text form of a load would have to escape.
fn line(number: i64) -> Vec<Value> {
    let odd = ["\\N", "tab\there", "line\nend\r", "\\.", "仓 ä '\"", ""];
    let code = odd[usize::try_from(number).expect("small") % odd.len()];
    args![
        &account(),
        "s",
        format!("order-{number:05}"),
        "k",
        code,
        "m",
        "Amazon",
        i64::MAX - number,
        i64::MIN + number,
        "2026-01-01",
        "shipped",
        number,
        0_i64
    ]
    .to_vec()
}

async fn read(tx: &mut Tx) -> Vec<(String, i64, i64, i64)> {
    let mut found = Vec::new();
    tx.each(
        "SELECT order_id, sku_code, ordered_at, updated_at, units FROM order_line WHERE account_id = $1 ORDER BY units",
        args![&account()],
        |row| {
            found.push((
                row.get("sku_code")?,
                row.get("ordered_at")?,
                row.get("updated_at")?,
                row.get("units")?,
            ));
            Ok(())
        },
    )
    .await
    .expect("the rows");
    found
}

async fn loaded(store: &Store, count: i64) -> Vec<(String, i64, i64, i64)> {
    let rows: Vec<Vec<Value>> = (0..count).map(line).collect();
    let mut tx = store.write().await.expect("a transaction");
    let written = tx.insert_many(HEAD, &rows, "").await.expect("loaded");
    assert_eq!(written, u64::try_from(count).expect("small"));
    tx.commit().await.expect("committed");
    read(&mut store.read().await.expect("a transaction")).await
}

#[tokio::test]
async fn a_load_of_any_size_leaves_the_same_rows_on_both_engines() {
    // A few rows, one statement, several of them.
    for count in [3, 199, 200, 1_201] {
        let dir = tempfile::tempdir().unwrap();
        let expected: Vec<(String, i64, i64, i64)> = (0..count)
            .map(|number| {
                let Some(Value::Text(Some(code))) = line(number).into_iter().nth(4) else {
                    unreachable!("a code")
                };
                (code.to_string(), i64::MAX - number, i64::MIN + number, number)
            })
            .collect();
        for store in engines(dir.path()).await {
            assert_eq!(loaded(&store, count).await, expected, "{:?}", store.engine());
        }
    }
}

#[tokio::test]
async fn missing_values_and_any_bytes_arrive() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let rows: Vec<Vec<Value>> = (0..600_i64)
            .map(|number| {
                let text = (number % 2 == 0).then(|| format!("p{number}"));
                args![
                    &account(),
                    "s",
                    format!("w{number:03}"),
                    Value::Int(None),
                    number,
                    text
                ]
                .to_vec()
            })
            .collect();
        let mut tx = store.write().await.unwrap();
        tx.insert_many(
            "INSERT INTO stock_snapshot (account_id, source, warehouse, as_of, stale_since, problem)",
            &rows,
            "ON CONFLICT (account_id, source, warehouse) DO UPDATE SET as_of = excluded.as_of",
        )
        .await
        .unwrap();
        let papers: Vec<Vec<Value>> = (0..300_i64)
            .map(|number| {
                let bytes: Vec<u8> = (0..number)
                    .map(|at| u8::try_from((at * 7 + number) % 256).unwrap())
                    .collect();
                args![
                    &account(),
                    format!("{number:064}"),
                    "document",
                    number,
                    "plain",
                    bytes,
                    0_i64
                ]
                .to_vec()
            })
            .collect();
        tx.insert_many(
            "INSERT INTO blob (account_id, sha256, kind, size, encoding, bytes, created_at)",
            &papers,
            "",
        )
        .await
        .unwrap();
        let found = tx
            .rows(
                "SELECT problem, as_of FROM stock_snapshot WHERE account_id = $1 ORDER BY warehouse",
                args![&account()],
            )
            .await
            .unwrap();
        for (number, row) in found.iter().enumerate() {
            let text: Option<String> = row.get("problem").unwrap();
            assert_eq!(text, number.is_multiple_of(2).then(|| format!("p{number}")));
            assert_eq!(row.get::<Option<i64>>("as_of").unwrap(), None);
        }
        let found = tx
            .rows(
                "SELECT bytes FROM blob WHERE account_id = $1 ORDER BY sha256",
                args![&account()],
            )
            .await
            .unwrap();
        let stored: Vec<Value> = found
            .iter()
            .map(|row| Value::Bytes(row.get("bytes").unwrap()))
            .collect();
        let given: Vec<Value> = papers.iter().map(|row| row[5].clone()).collect();
        assert_eq!(stored, given);
    }
}

#[tokio::test]
async fn rows_that_are_there_already_are_changed_by_a_load_of_any_size() {
    for count in [50_i64, 700] {
        let dir = tempfile::tempdir().unwrap();
        for store in engines(dir.path()).await {
            for _ in 0..2 {
                let rows: Vec<Vec<Value>> = (0..count)
                    .map(|number| {
                        args![
                            &account(),
                            "s",
                            "2026-01-01",
                            "Amazon",
                            format!("c{number}"),
                            number
                        ]
                        .to_vec()
                    })
                    .collect();
                let mut tx = store.write().await.unwrap();
                tx.insert_many(
                    "INSERT INTO sales_day (account_id, source, day, fulfilment, sku_code, units)",
                    &rows,
                    "ON CONFLICT (account_id, source, day, fulfilment, sku_code)
                         DO UPDATE SET units = sales_day.units + excluded.units",
                )
                .await
                .unwrap();
                tx.commit().await.unwrap();
            }
            let mut tx = store.read().await.unwrap();
            let sum = tx
                .row(
                    "SELECT CAST(SUM(units) AS BIGINT) AS n FROM sales_day WHERE account_id = $1",
                    args![&account()],
                )
                .await
                .unwrap()
                .unwrap();
            assert_eq!(sum.get::<i64>("n").unwrap(), count * (count - 1));
        }
    }
}

#[tokio::test]
async fn a_load_that_is_refused_leaves_nothing_and_the_connection_works_on() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mut rows: Vec<Vec<Value>> = (0..400).map(line).collect();
        rows.push(line(7));
        let mut tx = store.write().await.unwrap();
        let error = tx.insert_many(HEAD, &rows, "").await.unwrap_err();
        assert!(error.is_unique_violation(), "{error:?}");
        drop(tx);
        let mut narrow = rows.clone();
        narrow[3].pop();
        let mut tx = store.write().await.unwrap();
        let error = tx.insert_many(HEAD, &narrow, "").await.unwrap_err();
        assert!(matches!(error, StoreError::Arguments { .. }), "{error:?}");
        drop(tx);
        rows.truncate(400);
        let mut tx = store.write().await.unwrap();
        tx.insert_many(HEAD, &rows, "").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(read(&mut store.read().await.unwrap()).await.len(), 400);
        // The first error of whoever takes the rows ends the reading, and the transaction goes on.
        let mut tx = store.read().await.unwrap();
        let mut seen = 0;
        let stopped = tx
            .each(
                "SELECT units FROM order_line WHERE account_id = $1 ORDER BY units",
                args![&account()],
                |row| {
                    seen += 1;
                    row.get::<String>("units").map(drop)
                },
            )
            .await;
        assert!(matches!(stopped, Err(StoreError::Column { .. })), "{stopped:?}");
        assert_eq!(seen, 1);
        assert_eq!(read(&mut tx).await.len(), 400);
        drop(tx);
        store.close().await;
    }
}
