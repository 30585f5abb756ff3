//! Many rows at once.
//!
//! SQLite takes statements of many rows. PostgreSQL reads thousands of places slowly: it gets one array a column. `COPY`
//! would be its other way: it cannot change rows that are there already without a second table, and saves little
//! (docs/decisions/0006).

use sqlx::AssertSqlSafe;

use super::super::dialect::Engine;
use super::super::places::bulk;
use super::super::statements;
use super::super::value::Value;
use super::{Bound, Inner, StoreError, Tx, shown};

/// Rows of a bulk insert go in statements of at most this many rows: one row a statement is 70 times slower.
const ROWS_PER_STATEMENT: usize = 500;
/// PostgreSQL numbers arguments with 16 bits.
const MAX_ARGUMENTS: usize = 32_000;
/// From so many rows on PostgreSQL takes arrays.
const A_LOAD: usize = 200;
/// Rows whose columns are arrays of one statement.
const ROWS_PER_ARRAY: usize = 10_000;

impl Tx {
    /// Bulk insert: `head` is `INSERT INTO t (a, b)`, `tail` an `ON CONFLICT …` clause or empty; neither has places. No
    /// two rows may have the same key.
    ///
    /// # Errors
    /// When a row has another number of values than the first, or the engine refuses.
    pub async fn insert_many(
        &mut self,
        head: &str,
        rows: &[Vec<Value>],
        tail: &str,
    ) -> Result<u64, StoreError> {
        let Some(width) = rows.first().map(Vec::len) else {
            return Ok(0);
        };
        statements::saw_bulk(self.engine(), (head, tail), rows);
        if let Some(row) = rows.iter().find(|row| row.len() != width) {
            return Err(StoreError::Arguments {
                statement: shown(head),
                wanted: width,
                given: row.len(),
            });
        }
        if self.engine() == Engine::Postgres && rows.len() >= A_LOAD {
            if !rows.iter().all(|row| alike(row, rows.first())) {
                return Err(StoreError::Column {
                    column: shown(head),
                    why: "numbers, texts and bytes in one column".to_owned(),
                });
            }
            return self.insert_arrays(head, rows, tail).await;
        }
        let mut changed = 0;
        let (mut text, mut rows_of_text) = (String::new(), 0);
        for chunk in rows.chunks(ROWS_PER_STATEMENT.min(MAX_ARGUMENTS / width.max(1))) {
            if chunk.len() != rows_of_text {
                text = bulk(self.engine(), head, chunk.len(), width, tail);
                rows_of_text = chunk.len();
            }
            let args = Bound::of(self.engine(), chunk.iter().flatten());
            changed += self.run(&text, args).await?;
        }
        Ok(changed)
    }

    /// `INSERT INTO t (a, b) SELECT … FROM UNNEST($1, $2)`: as many places as columns, however many rows.
    async fn insert_arrays(
        &mut self,
        head: &str,
        rows: &[Vec<Value>],
        tail: &str,
    ) -> Result<u64, StoreError> {
        use sqlx::Arguments as _;
        let Some(first) = rows.first() else { return Ok(0) };
        let arrays: Vec<String> = first
            .iter()
            .zip(1..)
            .map(|(value, place)| format!("${place}::{}[]", type_of(value)))
            .collect();
        let text = format!("{head} SELECT * FROM UNNEST({}) {tail}", arrays.join(", "));
        let mut changed = 0;
        for chunk in rows.chunks(ROWS_PER_ARRAY) {
            let mut arguments = sqlx::postgres::PgArguments::default();
            for (place, value) in first.iter().enumerate() {
                let column = chunk.iter().filter_map(|row| row.get(place));
                // Encoding integers, texts or bytes cannot fail; a lost one would show in the count of places.
                let _ = match value {
                    Value::Int(_) => arguments.add(column.map(Value::int).collect::<Vec<_>>()),
                    Value::Text(_) => arguments.add(column.map(Value::text).collect::<Vec<_>>()),
                    Value::Bytes(_) => arguments.add(column.map(Value::bytes).collect::<Vec<_>>()),
                };
            }
            let Inner::Postgres(tx) = &mut self.inner else {
                return Ok(changed);
            };
            let done = sqlx::query_with(AssertSqlSafe(text.clone()), arguments)
                .persistent(false)
                .execute(&mut **tx)
                .await;
            changed += done.map_err(|source| self.failed(&text, source))?.rows_affected();
        }
        Ok(changed)
    }
}

fn alike(row: &[Value], first: Option<&Vec<Value>>) -> bool {
    first.is_some_and(|first| row.iter().zip(first).all(|(a, b)| type_of(a) == type_of(b)))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Int(_) => "BIGINT",
        Value::Text(_) => "TEXT",
        Value::Bytes(_) => "BYTEA",
    }
}
