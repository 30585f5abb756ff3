//! What concerns a database as a whole: its version, opening it as it is, statements outside of transactions.

use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;

use super::super::dialect::Engine;
use super::super::{migrations, tables};
use super::{Pools, Store, StoreError, Tx, failed};
use crate::args;

/// A migration as the database remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub version: i64,
    pub name: String,
    pub whole: bool,
}

impl Store {
    /// Opens a database that must be there, at whatever version it is.
    ///
    /// # Errors
    /// When the URL is not understood or the database cannot be reached.
    pub async fn open_as_is(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, false).await
    }

    /// As [`Store::open_as_is`], but a missing SQLite file is made.
    pub(in crate::store) async fn open_or_make(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, true).await
    }

    /// Brings the database to this program's version.
    ///
    /// # Errors
    /// When a migration fails, or the database is newer than the program.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.run_migrations(migrations::migrator(self.engine())).await
    }

    /// A database as an older program left it, to see what a migration makes of it.
    ///
    /// # Errors
    /// When it cannot be opened or a migration fails.
    pub async fn open_at_version(url: &str, version: i64) -> Result<Self, StoreError> {
        let store = Self::connect(url, true).await?;
        let migrator = migrations::migrator_until(store.engine(), version);
        store.run_migrations(migrator).await?;
        Ok(store)
    }

    async fn run_migrations(&self, migrator: Migrator) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { write, .. } => migrator.run(write).await,
            Pools::Postgres(pool) => migrator.run(pool).await,
        }
        .map_err(StoreError::Migrate)
    }

    /// The migrations the database has had, in order; none for an empty one.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn applied(&self) -> Result<Vec<Applied>, StoreError> {
        let mut tx = self.read().await?;
        if !tables::names(&mut tx)
            .await?
            .contains(&tables::MIGRATIONS.to_owned())
        {
            return Ok(Vec::new());
        }
        let sql = match self.engine() {
            Engine::Sqlite => {
                "SELECT version, description, success AS whole FROM _sqlx_migrations ORDER BY version"
            }
            Engine::Postgres => {
                "SELECT version, description, CASE WHEN success THEN 1::BIGINT ELSE 0::BIGINT END AS whole
                 FROM _sqlx_migrations ORDER BY version"
            }
        };
        tx.rows(sql, args![])
            .await?
            .iter()
            .map(|row| {
                Ok(Applied {
                    version: row.get("version")?,
                    name: row.get("description")?,
                    whole: row.get("whole")?,
                })
            })
            .collect()
    }

    /// Runs a statement that may stand in no transaction, such as a vacuum.
    pub(in crate::store) async fn outside(&self, sql: &str) -> Result<(), StoreError> {
        let text = AssertSqlSafe(sql.to_owned());
        match &self.pools {
            Pools::Sqlite { write, .. } => sqlx::raw_sql(text).execute(write).await.map(drop),
            Pools::Postgres(pool) => sqlx::raw_sql(text).execute(pool).await.map(drop),
        }
        .map_err(|source| failed(sql, source))
    }

    /// A transaction that sees one state of the database from its first statement to its last.
    pub(in crate::store) async fn snapshot(&self) -> Result<Tx, StoreError> {
        let mut tx = self.read().await?;
        if self.engine() == Engine::Postgres {
            tx.execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                args![],
            )
            .await?;
        }
        Ok(tx)
    }
}
