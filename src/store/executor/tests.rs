use super::*;
use crate::args;

async fn memory() -> Store {
    Store::open("sqlite::memory:").await.unwrap()
}

#[tokio::test]
async fn a_missing_argument_is_an_error_not_a_null() {
    let store = memory().await;
    let mut tx = store.write().await.unwrap();
    let error = tx
        .rows("SELECT $1 AS a, $2 AS b", args!["x"])
        .await
        .err()
        .unwrap();
    assert!(
        matches!(
            error,
            StoreError::Arguments {
                wanted: 2,
                given: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    let store = memory().await;
    let mut tx = store.write().await.unwrap();
    let day: chrono::NaiveDate = "2026-11-22".parse().unwrap();
    let row = tx
        .row(
            "SELECT $1 AS day, $2 AS missing, $3 AS bytes, $4 AS n",
            args![day, None::<i64>, vec![0_u8, 255], 7_i64],
        )
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.get::<chrono::NaiveDate>("day").unwrap(), day);
    assert_eq!(row.get::<Option<i64>>("missing").unwrap(), None);
    assert!(row.get::<i64>("missing").is_err());
    assert_eq!(row.get::<Vec<u8>>("bytes").unwrap(), vec![0, 255]);
    assert_eq!(row.get::<i64>("n").unwrap(), 7);
}

#[test]
fn places_become_numbers_for_sqlite() {
    assert_eq!(
        numbered("SELECT $1, $23 || '$' FROM t"),
        "SELECT ?1, ?23 || '$' FROM t"
    );
    assert_eq!(
        numbered("SELECT $1 WHERE a = $2 AND b = $1"),
        "SELECT ?1 WHERE a = ?2 AND b = ?1"
    );
    assert_eq!(numbered("SELECT $2, $1"), "SELECT ?2, ?1");
}

#[test]
fn places_in_order_need_no_numbers() {
    assert_eq!(
        numbered("INSERT INTO t VALUES ($1,$2),($3,$4) ON CONFLICT DO NOTHING"),
        "INSERT INTO t VALUES (?,?),(?,?) ON CONFLICT DO NOTHING"
    );
    assert_eq!(numbered("SELECT 1"), "SELECT 1");
}

#[tokio::test]
async fn urls_that_are_neither_are_named_without_their_secret() {
    let error = Store::open("mysql://u:secret@h/d")
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("mysql") && !error.contains("secret"), "{error}");
}
