//! A result row of either engine.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Row as _};

use super::executor::StoreError;
use super::value::FromColumn;

/// One result row of either engine.
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// Reads a column by name.
    ///
    /// # Errors
    /// When the column is missing or of another type.
    pub fn get<T: FromColumn>(&self, column: &str) -> Result<T, StoreError> {
        T::from_column(self, column)
    }

    pub(super) fn int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(|error| self.bad(column, &error.to_string()))
    }

    pub(super) fn text(&self, column: &str) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(|error| self.bad(column, &error.to_string()))
    }

    pub(super) fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(|error| self.bad(column, &error.to_string()))
    }

    pub(super) fn bad(&self, column: &str, why: &str) -> StoreError {
        StoreError::Column {
            column: column.to_owned(),
            why: why.to_owned(),
        }
    }

    /// Names of the columns, for tests that compare engines.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        match self {
            Self::Sqlite(row) => row
                .columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect(),
            Self::Postgres(row) => row
                .columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect(),
        }
    }
}
