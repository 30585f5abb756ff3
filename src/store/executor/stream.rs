//! Rows as they come: for tables that are too large to be held at once.

use futures_util::TryStreamExt as _;
use sqlx::AssertSqlSafe;

use super::super::places::numbered;
use super::super::row::Row;
use super::super::statements;
use super::super::value::Value;
use super::{Inner, StoreError, Tx, check_places, postgres_arguments, sqlite_arguments};

impl Tx {
    /// Gives every row to `take` as it comes from the engine; none is kept. The first error of `take` ends it.
    ///
    /// # Errors
    /// As [`Tx::rows`], or what `take` says.
    pub async fn each(
        &mut self,
        sql: impl Into<String>,
        args: &[Value],
        mut take: impl FnMut(&Row) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        let sql = sql.into();
        check_places(&sql, args.len())?;
        statements::saw(self.engine(), &sql, args);
        let next = match &mut self.inner {
            Inner::Sqlite(tx) => {
                let mut rows = sqlx::query_with(AssertSqlSafe(numbered(&sql)), sqlite_arguments(args.iter()))
                    .fetch(&mut **tx);
                loop {
                    match rows.try_next().await {
                        Ok(Some(row)) => take(&Row::Sqlite(row))?,
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                }
            }
            Inner::Postgres(tx) => {
                let mut rows = sqlx::query_with(AssertSqlSafe(sql.clone()), postgres_arguments(args.iter()))
                    .persistent(false)
                    .fetch(&mut **tx);
                loop {
                    match rows.try_next().await {
                        Ok(Some(row)) => take(&Row::Postgres(row))?,
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                }
            }
        };
        next.map_err(|source| self.failed(&sql, source))
    }
}
