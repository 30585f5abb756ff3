//! PostgreSQL: several hosts, a pooler in between, servers that go away for a while.
//!
//! Nothing outlives a transaction: no named statement, no setting, no advisory lock. So any connection is as good as
//! any other, and a pooler may give each transaction another one.

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::executor::StoreError;
use crate::telemetry::Stopwatch;

const CONNECTIONS: u32 = 8;
/// How long a transaction waits for a server to come back, or for another to take its place.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one attempt may take; then the other hosts are asked.
const ACQUIRE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(250);

/// What is read must be of one moment, also when it takes several statements.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const BEGIN_WRITE: &str = "BEGIN";

#[derive(Clone)]
pub(super) struct Postgres {
    pub(super) pool: PgPool,
    hosts: Arc<Vec<PgConnectOptions>>,
    /// The host that new connections go to.
    current: Arc<AtomicUsize>,
}

impl Postgres {
    /// Connects to the first of the URL's hosts that takes writes.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let hosts = hosts(url)
            .iter()
            .map(|url| options(url))
            .collect::<Result<Vec<_>, _>>()
            .map_err(StoreError::Open)?;
        let first = hosts
            .first()
            .cloned()
            .ok_or_else(|| StoreError::Open(sqlx::Error::Configuration("no host".into())))?;
        let several = hosts.len() > 1;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if several && is_standby(connection).await? {
                        return Err(sqlx::Error::Io(std::io::Error::new(
                            std::io::ErrorKind::ConnectionRefused,
                            "the server is a standby",
                        )));
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(first);
        let opened = Self {
            pool,
            hosts: Arc::new(hosts),
            current: Arc::new(AtomicUsize::new(0)),
        };
        opened.begin(BEGIN_WRITE).await.map_err(StoreError::Open)?;
        Ok(opened)
    }

    pub(super) async fn read(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
        self.begin(BEGIN_READ).await
    }

    pub(super) async fn write(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
        self.begin(BEGIN_WRITE).await
    }

    /// Nothing has happened yet in a transaction that could not be begun, so that beginning is what is repeated.
    async fn begin(
        &self,
        how: &'static str,
    ) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
        let watch = Stopwatch::start();
        loop {
            match self.pool.begin_with(how).await {
                Ok(begun) => return Ok(begun),
                Err(error) if is_away(&error) && watch.elapsed() < PATIENCE => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "database is away, asking again"
                    );
                }
                Err(error) => return Err(error),
            }
            self.look_around().await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets new connections go to the host that takes writes, if there is one.
    async fn look_around(&self) {
        let count = self.hosts.len();
        if count < 2 {
            return;
        }
        let from = self.current.load(Ordering::Relaxed);
        for index in (0..count).map(|step| (from + step) % count) {
            let Some(options) = self.hosts.get(index) else {
                continue;
            };
            let asked = tokio::time::timeout(CONNECT, async {
                let mut connection = options.connect().await?;
                let standby = is_standby(&mut connection).await?;
                connection.close().await?;
                Ok::<bool, sqlx::Error>(standby)
            });
            if matches!(asked.await, Ok(Ok(false))) {
                if self.current.swap(index, Ordering::Relaxed) != index {
                    tracing::warn!(
                        host = options.get_host(),
                        port = options.get_port(),
                        "database moved"
                    );
                }
                self.pool.set_connect_options(options.clone());
                return;
            }
        }
    }

    /// Brings the schema to this version. The library's own way takes an advisory lock and leaves named statements
    /// behind; here everything is one transaction, and whoever comes second waits for the table's lock.
    pub(super) async fn migrate(&self, migrator: &Migrator) -> Result<(), StoreError> {
        let all: Vec<&Migration> = migrator.iter().collect();
        let mut tx = self.write().await.map_err(StoreError::Open)?;
        let there = sqlx::raw_sql("SELECT to_regclass('_sqlx_migrations') IS NOT NULL AS there")
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get::<bool, _>("there"))
            .map_err(migrate)?;
        if there && missing(&all, &applied(&mut tx).await?)?.is_empty() {
            return Ok(());
        }
        if !there {
            // Two that create it at once: one waits, and is told that it exists.
            let made = sqlx::raw_sql(MIGRATIONS_TABLE).execute(&mut *tx).await;
            match made {
                Ok(_) => {}
                Err(sqlx::Error::Database(error)) if is_made_meanwhile(error.code().as_deref()) => {
                    tx.rollback().await.map_err(migrate)?;
                    tx = self.write().await.map_err(StoreError::Open)?;
                }
                Err(error) => return Err(migrate(error)),
            }
        }
        sqlx::raw_sql("LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE")
            .execute(&mut *tx)
            .await
            .map_err(migrate)?;
        for migration in missing(&all, &applied(&mut tx).await?)? {
            sqlx::raw_sql(migration.sql.clone())
                .execute(&mut *tx)
                .await
                .map_err(|error| {
                    StoreError::Migrate(sqlx::migrate::MigrateError::ExecuteMigration(
                        error,
                        migration.version,
                    ))
                })?;
            sqlx::query(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES ($1, $2, TRUE, $3, -1)",
            )
            .bind(migration.version)
            .bind(migration.description.as_ref())
            .bind(migration.checksum.as_ref())
            .persistent(false)
            .execute(&mut *tx)
            .await
            .map_err(migrate)?;
        }
        tx.commit().await.map_err(migrate)
    }
}

/// As the library makes it, so that its tools understand it.
const MIGRATIONS_TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL,
    checksum BYTEA NOT NULL,
    execution_time BIGINT NOT NULL
)";

/// As a double key, a double table or a double type: which of them depends on how far the other one had come.
fn is_made_meanwhile(code: Option<&str>) -> bool {
    matches!(code, Some("23505" | "42P07" | "42710"))
}

fn migrate(error: sqlx::Error) -> StoreError {
    StoreError::Migrate(sqlx::migrate::MigrateError::Execute(error))
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    sqlx::query("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
        .persistent(false)
        .fetch_all(connection)
        .await
        .and_then(|rows| {
            rows.iter()
                .map(|row| Ok((row.try_get("version")?, row.try_get("checksum")?)))
                .collect()
        })
        .map_err(migrate)
}

/// What is still to be applied; a database that is ahead of this program, or was made by another text, is refused.
fn missing<'m>(all: &[&'m Migration], applied: &[(i64, Vec<u8>)]) -> Result<Vec<&'m Migration>, StoreError> {
    use sqlx::migrate::MigrateError;
    for (version, checksum) in applied {
        match all.iter().find(|migration| migration.version == *version) {
            None => return Err(StoreError::Migrate(MigrateError::VersionMissing(*version))),
            Some(known) if known.checksum.as_ref() != checksum.as_slice() => {
                return Err(StoreError::Migrate(MigrateError::VersionMismatch(*version)));
            }
            Some(_) => {}
        }
    }
    Ok(all
        .iter()
        .filter(|migration| !applied.iter().any(|(version, _)| *version == migration.version))
        .copied()
        .collect())
}

async fn is_standby(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::raw_sql("SELECT pg_is_in_recovery() AS standby")
        .fetch_one(connection)
        .await?
        .try_get("standby")
}

/// One URL a host of `postgres://user@a:5432,b:5432/database`.
fn hosts(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (login, places) = authority
        .rsplit_once('@')
        .map_or((String::new(), authority), |(login, places)| {
            (format!("{login}@"), places)
        });
    places
        .split(',')
        .map(|place| format!("{scheme}://{login}{}{tail}", place.trim()))
        .collect()
}

fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    // A statement's text may be thousands of places long; what is slow is seen in the steps' own times. A pooler knows
    // the settings it must carry from one server connection to the next; `extra_float_digits` is not among them, and
    // no column is a float.
    Ok(PgConnectOptions::from_str(url)?
        .statement_cache_capacity(0)
        .extra_float_digits(None)
        .disable_statement_logging())
}

/// Whether the server went away, is not yet there, or has become a standby: another attempt may find it.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Protocol(_) => true,
        // Class 08: connection; 57P01..3: the server is stopping or starting; 25006: it only reads.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("08") || matches!(code.as_ref(), "57P01" | "57P02" | "57P03" | "25006")
        }),
        _ => false,
    }
}

/// Whether two transactions stood in each other's way and one of them must begin again.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if matches!(error.code().as_deref(), Some("40001" | "40P01")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_name_several_hosts() {
        assert_eq!(
            hosts("postgres://u:p%40@a:1, b:2/shop?sslmode=require"),
            [
                "postgres://u:p%40@a:1/shop?sslmode=require",
                "postgres://u:p%40@b:2/shop?sslmode=require"
            ]
        );
        assert_eq!(hosts("postgresql://a/shop"), ["postgresql://a/shop"]);
        for url in hosts("postgres://u:p@[::1]:1,b/shop") {
            assert!(options(&url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused() {
        let migrator = crate::store::migrations::migrator(crate::store::dialect::Engine::Postgres);
        let all: Vec<&Migration> = migrator.iter().collect();
        let mut applied: Vec<(i64, Vec<u8>)> = all
            .iter()
            .map(|migration| (migration.version, migration.checksum.to_vec()))
            .collect();
        assert!(missing(&all, &applied).unwrap().is_empty());
        let last = applied.pop().unwrap();
        assert_eq!(missing(&all, &applied).unwrap()[0].version, last.0);
        applied.push((9_999, Vec::new()));
        assert!(missing(&all, &applied).is_err());
    }
}
