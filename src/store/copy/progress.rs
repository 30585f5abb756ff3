//! How far a copy is: a table in the target that exists only while the copy is not finished.

use super::CopyError;
use super::rows::{key_from_json, key_to_json};
use crate::args;
use crate::store::tables::{self, Table};
use crate::store::{Store, StoreError, Tx, Value};

pub const TABLE: &str = "linkstar_copy";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Rows,
    /// Rows that point at rows of their own table: the pointers are set when all are there.
    Links,
    Done,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Links => "links",
            Self::Done => "done",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Rows, Self::Links, Self::Done]
            .into_iter()
            .find(|phase| phase.as_str() == text)
    }
}

/// Where a table stands.
#[derive(Debug, Clone)]
pub struct Place {
    pub phase: Phase,
    pub after: Option<Vec<Value>>,
    pub rows: i64,
}

/// Whose copy the target holds, if it holds an unfinished one.
pub async fn owner(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    if !tables::names(tx).await?.contains(&TABLE.to_owned()) {
        return Ok(None);
    }
    let row = tx
        .row("SELECT MIN(source_id) AS source_id FROM linkstar_copy", args![])
        .await?;
    Ok(match row {
        Some(row) => Some(row.get::<Option<String>>("source_id")?.unwrap_or_default()),
        None => Some(String::new()),
    })
}

/// Marks the target as the copy of this source.
pub async fn begin(to: &Store, source_id: &str, all: &[Table]) -> Result<(), StoreError> {
    let mut tx = to.write().await?;
    let create = tx.engine().ddl(
        "CREATE TABLE linkstar_copy (
    table_name TEXT NOT NULL PRIMARY KEY,
    source_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    after_key TEXT,
    row_count BIGINT NOT NULL
);",
    );
    tx.execute(create, args![]).await?;
    let rows: Vec<Vec<Value>> = all
        .iter()
        .map(|table| args![&table.name, source_id, Phase::Rows.as_str(), None::<&str>, 0_i64].to_vec())
        .collect();
    tx.insert_many(
        "INSERT INTO linkstar_copy (table_name, source_id, phase, after_key, row_count)",
        &rows,
        "",
    )
    .await?;
    tx.commit().await
}

pub async fn place(tx: &mut Tx, table: &Table) -> Result<Place, CopyError> {
    let row = tx
        .row(
            "SELECT phase, after_key, row_count FROM linkstar_copy WHERE table_name = $1",
            args![&table.name],
        )
        .await?
        .ok_or_else(|| CopyError::Key {
            table: table.name.clone(),
        })?;
    let phase: String = row.get("phase")?;
    let after: Option<String> = row.get("after_key")?;
    Ok(Place {
        phase: Phase::parse(&phase).ok_or_else(|| CopyError::Key {
            table: table.name.clone(),
        })?,
        after: after.map(|text| key_from_json(table, &text)).transpose()?,
        rows: row.get("row_count")?,
    })
}

/// Moves a table on, in the transaction of the rows it speaks for. Two copies at once meet here: the second one finds
/// that the table no longer stands where it thought.
pub async fn advance(tx: &mut Tx, table: &Table, from: &Place, to: &Place) -> Result<(), CopyError> {
    let key = |place: &Place| match &place.after {
        Some(key) => key_to_json(table, key).map(Some),
        None => Ok(None),
    };
    tx.execute_exactly(
        1,
        "UPDATE linkstar_copy SET phase = $2, after_key = $3, row_count = $4
         WHERE table_name = $1 AND phase = $5 AND row_count = $6 AND COALESCE(after_key, '') = $7",
        args![
            &table.name,
            to.phase.as_str(),
            key(to)?,
            to.rows,
            from.phase.as_str(),
            from.rows,
            key(from)?.unwrap_or_default()
        ],
    )
    .await?;
    Ok(())
}

/// The copy is whole and verified: the target is an ordinary database from here on.
pub async fn end(to: &Store) -> Result<(), StoreError> {
    let mut tx = to.write().await?;
    tx.execute("DROP TABLE linkstar_copy", args![]).await?;
    tx.commit().await
}
