//! Pools and transactions of either engine behind one set of types.

mod places;

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use places::{numbered, place};

use super::archive::{self, Note};
use super::dialect::Engine;
use super::row::Row;
use super::statements;
use super::value::Value;
use super::work::Wake;
use crate::ids::AccountId;

mod whole;

pub use whole::Applied;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database URL `{shown}` is not understood, wanted `sqlite:PATH` or `postgres://…`")]
    Url { shown: String },
    #[error("cannot open the database")]
    Open(#[source] sqlx::Error),
    #[error("cannot bring the database to this version")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("statement `{statement}` failed")]
    Statement {
        statement: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("statement `{statement}` has {wanted} places but got {given} arguments")]
    Arguments {
        statement: String,
        wanted: usize,
        given: usize,
    },
    #[error("column `{column}`: {why}")]
    Column { column: String, why: String },
    #[error("{what}: expected {wanted} changed rows, got {changed}")]
    Affected { what: String, wanted: u64, changed: u64 },
    #[error("stored {what} cannot be read back: {why}")]
    Corrupt { what: String, why: String },
}

impl StoreError {
    /// Whether a unique key stopped the statement.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Statement { source: sqlx::Error::Database(error), .. } if error.is_unique_violation())
    }
}

#[derive(Clone)]
enum Pools {
    Sqlite { write: SqlitePool, read: SqlitePool },
    Postgres(PgPool),
}

/// The open database. A clone shares its connections.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    pub(super) wake: Wake,
}

const READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 8;
const BUSY: Duration = Duration::from_secs(30);

impl Store {
    /// Opens `sqlite:PATH` (made when missing), `sqlite::memory:` for tests, or `postgres://…`, and migrates.
    ///
    /// # Errors
    /// When the URL is not understood, the database cannot be reached, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url, true).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Opens without migrating; `create` says whether a missing SQLite file is made.
    async fn connect(url: &str, create: bool) -> Result<Self, StoreError> {
        let pools = if let Some(path) = url.strip_prefix("sqlite:") {
            open_sqlite(path.trim_start_matches("//"), create).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            // A statement's text may be thousands of places long; what is slow is seen in the steps' own times.
            let options = PgConnectOptions::from_str(url)
                .map_err(StoreError::Open)?
                .disable_statement_logging();
            let pool = PgPoolOptions::new()
                .max_connections(POSTGRES_CONNECTIONS)
                .acquire_timeout(BUSY)
                .connect_with(options)
                .await
                .map_err(StoreError::Open)?;
            Pools::Postgres(pool)
        } else {
            return Err(StoreError::Url {
                shown: url.split("://").next().unwrap_or_default().to_owned(),
            });
        };
        Ok(Self {
            pools,
            wake: Wake::default(),
        })
    }

    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// A transaction that only reads.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { read, .. } => Inner::Sqlite(read.begin().await.map_err(StoreError::Open)?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin().await.map_err(StoreError::Open)?),
        };
        Ok(Tx::new(inner, &self.wake))
    }

    /// A transaction that may write. Dropped without [`Tx::commit`] it leaves no trace.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { write, .. } => Inner::Sqlite(
                write
                    .begin_with("BEGIN IMMEDIATE")
                    .await
                    .map_err(StoreError::Open)?,
            ),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin().await.map_err(StoreError::Open)?),
        };
        Ok(Tx::new(inner, &self.wake))
    }

    pub(super) fn postgres(&self) -> Option<&PgPool> {
        match &self.pools {
            Pools::Sqlite { .. } => None,
            Pools::Postgres(pool) => Some(pool),
        }
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

async fn open_sqlite(path: &str, create: bool) -> Result<Pools, StoreError> {
    let memory = path == ":memory:";
    if let (false, true, Some(parent)) = (memory, create, Path::new(path).parent()) {
        std::fs::create_dir_all(parent).map_err(|error| StoreError::Open(sqlx::Error::Io(error)))?;
    }
    let options = SqliteConnectOptions::from_str(&format!("sqlite:{path}"))
        .map_err(StoreError::Open)?
        .create_if_missing(create)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(BUSY)
        .connect_with(options.clone())
        .await
        .map_err(StoreError::Open)?;
    // An in-memory database lives in one connection.
    let read = if memory {
        write.clone()
    } else {
        SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await
            .map_err(StoreError::Open)?
    };
    Ok(Pools::Sqlite { write, read })
}

enum Inner {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// One transaction on either engine.
pub struct Tx {
    inner: Inner,
    wake: Wake,
    wakes: bool,
    /// Things that get their archive entry when this transaction commits.
    pub(super) noted: Vec<(AccountId, Note)>,
}

/// Rows of a bulk insert go in statements of at most this many rows: one row a statement is 70 times slower.
const ROWS_PER_STATEMENT: usize = 500;
/// PostgreSQL numbers arguments with 16 bits.
const MAX_ARGUMENTS: usize = 32_000;

impl Tx {
    fn new(inner: Inner, wake: &Wake) -> Self {
        Self {
            inner,
            wake: wake.clone(),
            wakes: false,
            noted: Vec::new(),
        }
    }

    /// Wakes the workers of every process when this transaction commits.
    pub(super) async fn wake_workers(&mut self) -> Result<(), StoreError> {
        self.wakes = true;
        match self.engine().notify() {
            Some(statement) => self.execute(statement, &[]).await.map(drop),
            None => Ok(()),
        }
    }

    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.inner {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs a statement, returns the number of rows it changed.
    ///
    /// # Errors
    /// When the argument count differs from the statement's places, or the engine refuses.
    pub async fn execute(&mut self, sql: impl Into<String>, args: &[Value]) -> Result<u64, StoreError> {
        let sql = sql.into();
        check_places(&sql, args.len())?;
        statements::saw(self.engine(), &sql, args);
        let text = match self.inner {
            Inner::Sqlite(_) => numbered(&sql),
            Inner::Postgres(_) => sql,
        };
        self.run(&text, args).await
    }

    /// Runs a statement whose places are written as the engine wants them.
    async fn run(&mut self, text: &str, args: &[Value]) -> Result<u64, StoreError> {
        let query = AssertSqlSafe(text.to_owned());
        match &mut self.inner {
            Inner::Sqlite(tx) => sqlx::query_with(query, sqlite_arguments(args))
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            Inner::Postgres(tx) => sqlx::query_with(query, postgres_arguments(args))
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
        }
        .map_err(|source| failed(text, source))
    }

    /// Runs a statement that must change exactly `wanted` rows.
    ///
    /// # Errors
    /// [`StoreError::Affected`] when it changed another number; the caller's transaction should be dropped then.
    pub async fn execute_exactly(
        &mut self,
        wanted: u64,
        sql: impl Into<String>,
        args: &[Value],
    ) -> Result<(), StoreError> {
        let sql = sql.into();
        let changed = self.execute(sql.clone(), args).await?;
        if changed == wanted {
            Ok(())
        } else {
            Err(StoreError::Affected {
                what: shown(&sql),
                wanted,
                changed,
            })
        }
    }

    /// # Errors
    /// When the argument count differs from the statement's places, or the engine refuses.
    pub async fn rows(&mut self, sql: impl Into<String>, args: &[Value]) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        check_places(&sql, args.len())?;
        statements::saw(self.engine(), &sql, args);
        let text = AssertSqlSafe(sql.clone());
        match &mut self.inner {
            Inner::Sqlite(tx) => sqlx::query_with(AssertSqlSafe(numbered(&sql)), sqlite_arguments(args))
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Inner::Postgres(tx) => sqlx::query_with(text, postgres_arguments(args))
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        }
        .map_err(|source| failed(&sql, source))
    }

    /// The first row, if any.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub async fn row(&mut self, sql: impl Into<String>, args: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Bulk insert: `head` is `INSERT INTO t (a, b)`, `tail` an `ON CONFLICT …` clause or empty; neither has places.
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
        let mut changed = 0;
        let (mut text, mut rows_of_text) = (String::new(), 0);
        for chunk in rows.chunks(ROWS_PER_STATEMENT.min(MAX_ARGUMENTS / width.max(1))) {
            if chunk.len() != rows_of_text {
                text = bulk(self.engine(), head, chunk.len(), width, tail);
                rows_of_text = chunk.len();
            }
            let args: Vec<Value> = chunk.iter().flatten().cloned().collect();
            changed += self.run(&text, &args).await?;
        }
        Ok(changed)
    }

    /// # Errors
    /// When the engine could not make it durable; then nothing of it happened, or it cannot be known.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        archive::flush(&mut self).await?;
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        }
        .map_err(|source| failed("COMMIT", source))?;
        if self.wakes {
            self.wake.ring();
        }
        Ok(())
    }
}

/// One statement for so many rows.
fn bulk(engine: Engine, head: &str, rows: usize, width: usize, tail: &str) -> String {
    use std::fmt::Write as _;
    let mut sql = String::with_capacity(head.len() + tail.len() + rows * width * 6);
    sql.push_str(head);
    sql.push_str(" VALUES ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            sql.push_str(if column == 0 { "" } else { "," });
            match engine {
                // Without numbers, for the reason told at `numbered`.
                Engine::Sqlite => sql.push('?'),
                Engine::Postgres => {
                    let _ = write!(sql, "${}", row * width + column + 1);
                }
            }
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    sql
}

fn failed(sql: &str, source: sqlx::Error) -> StoreError {
    StoreError::Statement {
        statement: shown(sql),
        source,
    }
}

fn shown(sql: &str) -> String {
    sql.split_whitespace().take(12).collect::<Vec<_>>().join(" ")
}

/// SQLite reads a missing argument as NULL without a word, so the count is checked here for both engines.
fn check_places(sql: &str, given: usize) -> Result<(), StoreError> {
    let wanted = sql
        .split('$')
        .skip(1)
        .filter_map(|piece| place(piece).0)
        .max()
        .unwrap_or(0);
    if wanted == given {
        Ok(())
    } else {
        Err(StoreError::Arguments {
            statement: shown(sql),
            wanted,
            given,
        })
    }
}

macro_rules! bind_all {
    ($arguments:expr, $args:expr) => {{
        use sqlx::Arguments as _;
        let mut arguments = $arguments;
        for value in $args {
            // Encoding an integer, a text or bytes cannot fail; a lost one would show in the count of places.
            let _ = match value.clone() {
                Value::Int(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
                Value::Bytes(value) => arguments.add(value),
            };
        }
        arguments
    }};
}

fn sqlite_arguments(args: &[Value]) -> SqliteArguments {
    bind_all!(SqliteArguments::default(), args)
}

fn postgres_arguments(args: &[Value]) -> PgArguments {
    bind_all!(PgArguments::default(), args)
}

#[cfg(test)]
mod tests;
