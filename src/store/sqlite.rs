//! SQLite: one writer, some readers, a file that survives a power cut.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::executor::StoreError;

const READERS: u32 = 4;
/// Pages of the file the writer keeps at hand, in KiB: a load touches indexes in random places.
const WRITER_CACHE: &str = "-12000";
/// The log is written back when it has so many pages: a page that a load changes again and again is written back once.
const LOG_PAGES: &str = "4000";
const BUSY: Duration = Duration::from_secs(30);

/// The pool of the one writer, and the readers'.
pub(super) async fn open(path: &str, create: bool) -> Result<(SqlitePool, SqlitePool), StoreError> {
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
        .connect_with(
            options
                .clone()
                .pragma("cache_size", WRITER_CACHE)
                .pragma("wal_autocheckpoint", LOG_PAGES),
        )
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
    Ok((write, read))
}
