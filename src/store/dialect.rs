//! The few places where the two engines need different words.

/// Which database is behind the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// PostgreSQL: which of the server's processes serves this connection.
pub const SERVING_PROCESS: &str = "SELECT pg_backend_pid()";

impl Engine {
    /// Migrations are written once, in PostgreSQL's types.
    #[must_use]
    pub fn ddl(self, script: &str) -> String {
        match self {
            Self::Postgres => script.to_owned(),
            Self::Sqlite => script
                .replace("BIGINT", "INTEGER")
                .replace("BYTEA", "BLOB")
                .replace("\n);", "\n) STRICT;"),
        }
    }

    /// Tells other processes that there is work, in the transaction that makes it; SQLite has no such word.
    #[must_use]
    pub(super) fn notify(self) -> Option<&'static str> {
        match self {
            Self::Postgres => Some("SELECT pg_notify('linkstar_jobs', '')"),
            Self::Sqlite => None,
        }
    }

    /// Row locks for claims: PostgreSQL skips rows that another worker holds, SQLite has one writer.
    #[must_use]
    pub fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
            Self::Sqlite => "",
        }
    }

    /// A row that nobody else may lock or change until the transaction ends; SQLite has one writer.
    #[must_use]
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Postgres => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }

    /// A row that must not change until the transaction ends; others may look at it.
    #[must_use]
    pub fn for_share(self) -> &'static str {
        match self {
            Self::Postgres => " FOR SHARE",
            Self::Sqlite => "",
        }
    }
}
