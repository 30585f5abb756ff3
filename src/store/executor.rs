//! Pools and transactions of either engine behind one set of types.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, PgPool};
use sqlx::sqlite::{SqliteArguments, SqlitePool};

use super::archive::{self, Note};
use super::dialect::Engine;
use super::failpoint::{self, Boundary};
use super::places::{numbered, place};
use super::postgres::{Postgres, is_away, is_conflict};
use super::row::Row;
use super::sqlite;
use super::statements;
use super::turn::{self, Turn};
use super::value::Value;
use super::work::Wake;
use crate::ids::AccountId;

mod bulk;
mod stream;
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
    #[error("the turn `{name}` of account `{account}` went to another process; it goes on from here")]
    TurnLost { account: String, name: String },
    #[error("account `{account}` is being worked on by `{owner}`, until {until} at most")]
    TurnHeld {
        account: String,
        owner: String,
        until: chrono::DateTime<chrono::Utc>,
    },
}

impl StoreError {
    /// Whether a unique key stopped the statement.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Statement { source: sqlx::Error::Database(error), .. } if error.is_unique_violation())
    }
}

/// How long closing waits for connections that are in use.
const CLOSING: std::time::Duration = std::time::Duration::from_secs(4);

#[derive(Clone)]
enum Pools {
    Sqlite { write: SqlitePool, read: SqlitePool },
    Postgres(Postgres),
}

/// The open database. A clone shares its connections.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    /// The turn that every write transaction must still have.
    fence: Option<Turn>,
    cut_off: Arc<AtomicU64>,
    pub(super) wake: Wake,
}

impl Store {
    /// Opens `sqlite:PATH` (made when missing), `sqlite::memory:` for tests, or `postgres://…` with one host or
    /// several, and migrates.
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
            let (write, read) = sqlite::open(path.trim_start_matches("//"), create).await?;
            Pools::Sqlite { write, read }
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Pools::Postgres(Postgres::open(url).await?)
        } else {
            return Err(StoreError::Url {
                shown: url.split("://").next().unwrap_or_default().to_owned(),
            });
        };
        Ok(Self {
            pools,
            fence: None,
            cut_off: Arc::default(),
            wake: Wake::default(),
        })
    }

    /// The same database, for whoever has the turn: a write transaction fails with [`StoreError::TurnLost`] as soon
    /// as another process has taken it.
    #[must_use]
    pub fn fenced(&self, turn: Turn) -> Self {
        Self {
            fence: Some(turn),
            ..self.clone()
        }
    }

    /// The same database without a fence, for what is fenced row by row.
    #[must_use]
    pub fn unfenced(&self) -> Self {
        Self {
            fence: None,
            ..self.clone()
        }
    }

    /// How many transactions were cut off because the server went away, or had to give way to another. What was being
    /// done then has not happened, or cannot be known: it is done again from its beginning.
    #[must_use]
    pub fn cut_off(&self) -> u64 {
        self.cut_off.load(Ordering::Relaxed)
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
            Pools::Sqlite { read, .. } => read.begin().await.map(Inner::Sqlite),
            Pools::Postgres(postgres) => postgres.read().await.map(Inner::Postgres),
        };
        self.begun(inner)
    }

    /// A transaction that may write. Dropped without [`Tx::commit`] it leaves no trace.
    ///
    /// # Errors
    /// When no connection can be had, or the turn is lost.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { write, .. } => write.begin_with("BEGIN IMMEDIATE").await.map(Inner::Sqlite),
            Pools::Postgres(postgres) => postgres.write().await.map(Inner::Postgres),
        };
        let mut tx = self.begun(inner)?;
        if let Some(turn) = &self.fence {
            turn::check(&mut tx, turn).await?;
        }
        Ok(tx)
    }

    fn begun(&self, inner: Result<Inner, sqlx::Error>) -> Result<Tx, StoreError> {
        match inner {
            Ok(inner) => Ok(Tx {
                inner,
                wake: self.wake.clone(),
                wakes: false,
                cut_off: Arc::clone(&self.cut_off),
                noted: Vec::new(),
            }),
            Err(error) => {
                self.cut_off.fetch_add(1, Ordering::Relaxed);
                Err(StoreError::Open(error))
            }
        }
    }

    pub(super) fn postgres(&self) -> Option<&PgPool> {
        match &self.pools {
            Pools::Sqlite { .. } => None,
            Pools::Postgres(postgres) => Some(&postgres.pool),
        }
    }

    /// Waits for running statements and closes every connection. A connection that does not come back in time, such as
    /// one whose server has stopped answering, is left to the end of the process.
    pub async fn close(&self) {
        let closed = async {
            match &self.pools {
                Pools::Sqlite { write, read } => {
                    read.close().await;
                    write.close().await;
                }
                Pools::Postgres(postgres) => postgres.pool.close().await,
            }
        };
        if tokio::time::timeout(CLOSING, closed).await.is_err() {
            tracing::warn!("a connection to the database did not come back; it is left open");
        }
    }
}

/// Arguments as one engine takes them.
enum Bound {
    Sqlite(SqliteArguments),
    Postgres(PgArguments),
}

impl Bound {
    fn of<'v>(engine: Engine, args: impl Iterator<Item = &'v Value>) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(sqlite_arguments(args)),
            Engine::Postgres => Self::Postgres(postgres_arguments(args)),
        }
    }
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
    cut_off: Arc<AtomicU64>,
    /// Things that get their archive entry when this transaction commits.
    pub(super) noted: Vec<(AccountId, Note)>,
}

impl Tx {
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
        let args = Bound::of(self.engine(), args.iter());
        self.run(&text, args).await
    }

    /// Runs a statement whose places are written as the engine wants them.
    async fn run(&mut self, text: &str, args: Bound) -> Result<u64, StoreError> {
        let query = AssertSqlSafe(text.to_owned());
        let done = match (&mut self.inner, args) {
            (Inner::Sqlite(tx), Bound::Sqlite(args)) => sqlx::query_with(query, args)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            (Inner::Postgres(tx), Bound::Postgres(args)) => sqlx::query_with(query, args)
                .persistent(false)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            _ => Err(sqlx::Error::Protocol("arguments of the other engine".to_owned())),
        };
        done.map_err(|source| self.failed(text, source))
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
        let rows = match &mut self.inner {
            Inner::Sqlite(tx) => {
                sqlx::query_with(AssertSqlSafe(numbered(&sql)), sqlite_arguments(args.iter()))
                    .fetch_all(&mut **tx)
                    .await
                    .map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Inner::Postgres(tx) => sqlx::query_with(text, postgres_arguments(args.iter()))
                .persistent(false)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        };
        rows.map_err(|source| self.failed(&sql, source))
    }

    /// The first row, if any.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub async fn row(&mut self, sql: impl Into<String>, args: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// # Errors
    /// When the engine could not make it durable; then nothing of it happened, or it cannot be known.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        archive::flush(&mut self).await?;
        let Self {
            inner,
            wake,
            wakes,
            cut_off,
            noted: _,
        } = self;
        failpoint::pass(Boundary::Before);
        match inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        }
        .map_err(|source| failed(&cut_off, "COMMIT", source))?;
        failpoint::pass(Boundary::After);
        if wakes {
            wake.ring();
        }
        Ok(())
    }

    fn failed(&self, sql: &str, source: sqlx::Error) -> StoreError {
        failed(&self.cut_off, sql, source)
    }
}

fn failed(cut_off: &AtomicU64, sql: &str, source: sqlx::Error) -> StoreError {
    if is_away(&source) || is_conflict(&source) {
        cut_off.fetch_add(1, Ordering::Relaxed);
    }
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

fn sqlite_arguments<'v>(args: impl Iterator<Item = &'v Value>) -> SqliteArguments {
    bind_all!(SqliteArguments::default(), args)
}

fn postgres_arguments<'v>(args: impl Iterator<Item = &'v Value>) -> PgArguments {
    bind_all!(PgArguments::default(), args)
}

#[cfg(test)]
mod tests;
