//! What it costs that no statement is kept: `cargo test --test it fleet::cost -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use crate::services::services;

const STATEMENTS: u32 = 3_000;
/// As a claim looks: some places, one row.
const STATEMENT: &str = "SELECT relname FROM pg_class WHERE relkind = $1 AND relpages >= $2 AND oid > 0
    AND NOT EXISTS (SELECT 1 FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary AND indnatts > $2)
    ORDER BY oid LIMIT 1";

#[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
async fn takes(connection: &mut PgConnection, kept: bool) -> Duration {
    let watch = Instant::now();
    for _ in 0..STATEMENTS {
        let mut tx = connection.begin().await.expect("a transaction");
        sqlx::query(STATEMENT)
            .bind("r")
            .bind(0_i64)
            .persistent(kept)
            .fetch_all(&mut *tx)
            .await
            .expect("rows");
        tx.commit().await.expect("an end");
    }
    watch.elapsed()
}

#[tokio::test]
#[ignore = "a measurement"]
async fn statements_that_are_not_kept_cost_less_than_three_times_as_much() {
    let Some(services) = services() else { return };
    let mut connection = PgConnection::connect(&services.database_url)
        .await
        .expect("PostgreSQL answers");
    takes(&mut connection, true).await;
    let (mut kept, mut unkept) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        kept = kept.min(takes(&mut connection, true).await);
        unkept = unkept.min(takes(&mut connection, false).await);
    }
    let ratio = unkept.as_secs_f64() / kept.as_secs_f64();
    println!(
        "a transaction of one statement: kept {:?}, not kept {:?}, {ratio:.2} times",
        kept / STATEMENTS,
        unkept / STATEMENTS
    );
    assert!(ratio < 3.0);
}
