//! `linkstar copy`: every row of one database into another, on either engine.
//!
//! Tables are read in the order of their keys, piece by piece; a piece and the place it ends at are one transaction of
//! the target. Killed at any point and started again it goes on from there. At the end both sides are read once more
//! and compared by rows and content; only then the target is released.

pub mod listing;
mod progress;
mod rows;

use std::ops::ControlFlow;

use self::progress::{Phase, Place};
use self::rows::{list, next, null, pick, quoted};
use super::tables::{self, Table};
use super::{Store, StoreError, Tx, Value, migration_list};
use crate::args;
use crate::digest::sha256_hex;

pub use self::rows::Content;

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot open the database to copy {which}")]
    Open {
        which: &'static str,
        #[source]
        source: StoreError,
    },
    #[error("the database to copy from is at version {found}, this program at {wanted}: {hint}")]
    SourceVersion {
        found: i64,
        wanted: i64,
        hint: &'static str,
    },
    #[error(
        "the database to copy to has another schema (version {found}) than the one to copy from ({wanted})"
    )]
    TargetVersion { found: i64, wanted: i64 },
    #[error("the database to copy to is not empty: `{table}` has {rows} rows")]
    NotEmpty { table: String, rows: i64 },
    #[error("the database to copy to holds the unfinished copy of another database; empty it first")]
    Foreign,
    #[error("table `{table}` cannot be copied in the order of its key")]
    Key { table: String },
    #[error("the copy was stopped; start it again and it goes on")]
    Stopped,
}

/// Where the copy is; shown, and asked whether to go on, after every piece.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub table: &'a str,
    /// Tables before this one, and all.
    pub tables: (usize, usize),
    pub rows: i64,
    pub verifying: bool,
}

/// One table of both sides after the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub table: String,
    pub from: Content,
    pub to: Content,
}

impl Proof {
    #[must_use]
    pub fn holds(&self) -> bool {
        self.from == self.to
    }
}

/// Asked after every piece.
pub type Watch<'a> = dyn FnMut(Step<'_>) -> ControlFlow<()> + Send + 'a;

/// Copies everything and verifies it. What differs stands in the proofs; then the target stays marked as unfinished.
///
/// # Errors
/// When either database cannot be opened or read, the versions differ, or the target is neither empty nor an
/// unfinished copy of this source.
pub async fn copy(from: &str, to: &str, watch: &mut Watch<'_>) -> Result<Vec<Proof>, CopyError> {
    let open = |which| move |source| CopyError::Open { which, source };
    let from = Store::open_as_is(from).await.map_err(open("from"))?;
    source_version(&from).await?;
    let to = Store::open_or_make(to).await.map_err(open("to"))?;
    let proofs = between(&from, &to, watch).await;
    from.close().await;
    to.close().await;
    proofs
}

/// What every table of a database holds, by name.
///
/// # Errors
/// When it cannot be read.
pub async fn contents(store: &Store) -> Result<Vec<(String, Content)>, CopyError> {
    let mut tx = store.snapshot().await?;
    let mut found = Vec::new();
    for table in tables::read(&mut tx).await? {
        let content = content(&mut tx, &table, &mut |_| Ok(())).await?;
        found.push((table.name, content));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

async fn between(from: &Store, to: &Store, watch: &mut Watch<'_>) -> Result<Vec<Proof>, CopyError> {
    let mut source = from.snapshot().await?;
    let all = tables::read(&mut source).await?;
    if let Some(table) = all.iter().find(|table| table.key.is_empty()) {
        return Err(CopyError::Key {
            table: table.name.clone(),
        });
    }
    prepare(&mut source, to, &all).await?;
    for (number, table) in all.iter().enumerate() {
        let mut tell = |rows| tell(watch, table, (number, all.len()), rows, false);
        one_table(&mut source, to, table, &mut tell).await?;
    }
    let mut proofs = Vec::with_capacity(all.len());
    for (number, table) in all.iter().enumerate() {
        let mut tell = |rows| tell(watch, table, (number, all.len()), rows, true);
        let mut target = to.snapshot().await?;
        proofs.push(Proof {
            table: table.name.clone(),
            from: content(&mut source, table, &mut tell).await?,
            to: content(&mut target, table, &mut tell).await?,
        });
    }
    if proofs.iter().all(Proof::holds) {
        progress::end(to).await?;
    }
    Ok(proofs)
}

fn tell(
    watch: &mut Watch<'_>,
    table: &Table,
    tables: (usize, usize),
    rows: i64,
    verifying: bool,
) -> Result<(), CopyError> {
    let step = Step {
        table: &table.name,
        tables,
        rows,
        verifying,
    };
    match watch(step) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(CopyError::Stopped),
    }
}

fn newest() -> i64 {
    migration_list().last().map_or(0, |(version, _)| *version)
}

async fn source_version(from: &Store) -> Result<(), CopyError> {
    let applied = from.applied().await?;
    let found = applied.last().map_or(0, |migration| migration.version);
    let hint = match found.cmp(&newest()) {
        _ if applied.is_empty() => "it is no database of linkstar",
        std::cmp::Ordering::Less => "run `linkstar status` on it once, that brings it up",
        std::cmp::Ordering::Greater => "copy it with the program that it belongs to",
        std::cmp::Ordering::Equal if applied.iter().all(|migration| migration.whole) => return Ok(()),
        std::cmp::Ordering::Equal => "its last migration broke off",
    };
    Err(CopyError::SourceVersion {
        found,
        wanted: newest(),
        hint,
    })
}

/// Leaves the target with this program's schema and marked as the copy of this source.
async fn prepare(source: &mut Tx, to: &Store, all: &[Table]) -> Result<(), CopyError> {
    let source_id = source_id(source).await?;
    let applied = to.applied().await?;
    if applied.is_empty() {
        let mut tx = to.read().await?;
        if let Some(table) = tables::names(&mut tx).await?.into_iter().next() {
            let rows = count(&mut tx, &table).await?;
            return Err(CopyError::NotEmpty { table, rows });
        }
        drop(tx);
        to.migrate().await?;
    } else {
        let list: Vec<(i64, &str)> = applied
            .iter()
            .map(|migration| (migration.version, migration.name.as_str()))
            .collect();
        if list != migration_list() {
            return Err(CopyError::TargetVersion {
                found: applied.last().map_or(0, |migration| migration.version),
                wanted: newest(),
            });
        }
    }
    let mut tx = to.read().await?;
    match progress::owner(&mut tx).await? {
        Some(owner) if owner == source_id => return Ok(()),
        Some(_) => return Err(CopyError::Foreign),
        None => {}
    }
    for table in all {
        let rows = count(&mut tx, &table.name).await?;
        if rows > 0 {
            return Err(CopyError::NotEmpty {
                table: table.name.clone(),
                rows,
            });
        }
    }
    drop(tx);
    progress::begin(to, &source_id, all).await?;
    Ok(())
}

async fn count(tx: &mut Tx, table: &str) -> Result<i64, StoreError> {
    let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {}", quoted(table));
    match tx.row(sql, args![]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

/// What tells one database from another wherever it lies: when each of its migrations was made, and how long it took.
async fn source_id(source: &mut Tx) -> Result<String, StoreError> {
    let rows = source
        .rows(
            "SELECT version, CAST(installed_on AS TEXT) AS made, CAST(execution_time AS TEXT) AS took
             FROM _sqlx_migrations ORDER BY version",
            args![],
        )
        .await?;
    let mut text = String::new();
    for row in rows {
        let version: i64 = row.get("version")?;
        let made: String = row.get("made")?;
        let took: String = row.get("took")?;
        text.push_str(&format!("{version} {made} {took}\n"));
    }
    Ok(sha256_hex(text.as_bytes()))
}

/// Columns that point at rows of the same table, without those of the key.
fn links(table: &Table) -> Vec<String> {
    table
        .foreign
        .iter()
        .filter(|foreign| foreign.table == table.name)
        .flat_map(|foreign| foreign.columns.iter())
        .filter(|column| !table.key.contains(column))
        .cloned()
        .collect()
}

type Tell<'a> = dyn FnMut(i64) -> Result<(), CopyError> + Send + 'a;

async fn one_table(source: &mut Tx, to: &Store, table: &Table, tell: &mut Tell<'_>) -> Result<(), CopyError> {
    let links = links(table);
    if links
        .iter()
        .any(|name| table.column(name).is_some_and(|column| !column.nullable))
    {
        return Err(CopyError::Key {
            table: table.name.clone(),
        });
    }
    let mut tx = to.read().await?;
    let mut place = progress::place(&mut tx, table).await?;
    drop(tx);
    let points = links
        .iter()
        .map(|name| format!("{} IS NOT NULL", quoted(name)))
        .collect::<Vec<_>>()
        .join(" OR ");
    while place.phase != Phase::Done {
        let and = match place.phase {
            Phase::Links => format!("({points})"),
            Phase::Rows | Phase::Done => String::new(),
        };
        let piece = next(source, table, place.after.as_ref(), &and).await?;
        let mut tx = to.write().await?;
        let reached = match piece.last() {
            None => Place {
                phase: match place.phase {
                    Phase::Rows if !links.is_empty() => Phase::Links,
                    Phase::Rows | Phase::Links | Phase::Done => Phase::Done,
                },
                after: None,
                rows: place.rows,
            },
            Some(last) => {
                let after = Some(pick(table, last, &table.key));
                let rows = if place.phase == Phase::Rows {
                    insert(&mut tx, table, &piece, &links).await?;
                    place.rows + i64::try_from(piece.len()).unwrap_or(i64::MAX)
                } else {
                    for row in &piece {
                        link(&mut tx, table, row, &links).await?;
                    }
                    place.rows
                };
                Place {
                    phase: place.phase,
                    after,
                    rows,
                }
            }
        };
        progress::advance(&mut tx, table, &place, &reached).await?;
        tx.commit().await?;
        place = reached;
        tell(place.rows)?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    table: &Table,
    piece: &[Vec<Value>],
    links: &[String],
) -> Result<(), StoreError> {
    let head = format!(
        "INSERT INTO {} ({})",
        quoted(&table.name),
        list(table.columns.iter().map(|column| &column.name))
    );
    if links.is_empty() {
        tx.insert_many(&head, piece, "").await?;
        return Ok(());
    }
    let unlinked: Vec<Vec<Value>> = piece
        .iter()
        .map(|row| {
            table
                .columns
                .iter()
                .zip(row)
                .map(|(column, value)| {
                    if links.contains(&column.name) {
                        null(column.class)
                    } else {
                        value.clone()
                    }
                })
                .collect()
        })
        .collect();
    tx.insert_many(&head, &unlinked, "").await?;
    Ok(())
}

async fn link(tx: &mut Tx, table: &Table, row: &[Value], links: &[String]) -> Result<(), StoreError> {
    let assign = |names: &[String], first: usize, between: &str| {
        names
            .iter()
            .enumerate()
            .map(|(n, name)| format!("{} = ${}", quoted(name), first + n))
            .collect::<Vec<_>>()
            .join(between)
    };
    let sql = format!(
        "UPDATE {} SET {} WHERE {}",
        quoted(&table.name),
        assign(links, 1, ", "),
        assign(&table.key, 1 + links.len(), " AND ")
    );
    let mut arguments = pick(table, row, links);
    arguments.extend(pick(table, row, &table.key));
    tx.execute_exactly(1, sql, &arguments).await
}

async fn content(tx: &mut Tx, table: &Table, tell: &mut Tell<'_>) -> Result<Content, CopyError> {
    let mut content = Content::default();
    let mut after: Option<Vec<Value>> = None;
    loop {
        let piece = next(tx, table, after.as_ref(), "").await?;
        let Some(last) = piece.last() else {
            return Ok(content);
        };
        after = Some(pick(table, last, &table.key));
        for row in &piece {
            content.add(row);
        }
        tell(i64::try_from(content.rows).unwrap_or(i64::MAX))?;
    }
}
