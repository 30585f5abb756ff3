//! Looking after a database: is it sound, make it small again, keep a second one.

mod series;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::blob::Content;
use super::dialect::Engine;
use super::tables::{self, Foreign, Table};
use super::{Store, StoreError, Tx, archive, blob, migration_list};
use crate::args;
use crate::ids::AccountId;

pub use series::{Repacked, repack};

/// What [`check`] looks at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Every migration of this program, each whole, and none it does not know.
    Version,
    /// The engine's own structure: pages and indexes.
    Structure,
    /// Every foreign key leads to a row.
    Keys,
    /// Every hash that a row names is stored.
    Papers,
    /// Stored bytes still have the hash they are named by.
    Bytes,
    /// Sales days are the sum of their order lines.
    Sales,
    /// Packed series say what the sales days say.
    Series,
}

impl Part {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Structure => "structure",
            Self::Keys => "keys",
            Self::Papers => "papers",
            Self::Bytes => "bytes",
            Self::Sales => "sales",
            Self::Series => "series",
        }
    }
}

/// What one part of the check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub part: Part,
    /// How many things were looked at.
    pub looked_at: u64,
    /// Of how many; more than `looked_at` where a sample was taken.
    pub of: u64,
    /// Papers whose bytes a rule of retention took away, and a deletion says so: nothing is missing.
    pub by_rule: u64,
    pub findings: Vec<String>,
}

/// How many blobs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    All,
    /// About so many, spread evenly; another day takes others, so that all have their turn.
    About(u64),
}

/// At most so many findings of one kind are listed: one broken page would else fill the screen.
const LISTED: usize = 20;

/// Looks at everything it can without changing anything. A database of another version is not looked into.
///
/// # Errors
/// When the database cannot be read at all.
pub async fn check(store: &Store, sample: Sample, day: NaiveDate) -> Result<Vec<Checked>, StoreError> {
    let version = version(store).await?;
    let other_version = !version.findings.is_empty();
    let mut done = vec![version];
    if other_version {
        return Ok(done);
    }
    let mut tx = store.snapshot().await?;
    done.push(structure(&mut tx).await?);
    let tables = tables::read(&mut tx).await?;
    done.push(keys(&mut tx, &tables).await?);
    done.push(papers(&mut tx).await?);
    done.push(bytes(&mut tx, sample, day).await?);
    done.push(sales(&mut tx).await?);
    done.push(series::check(&mut tx).await?);
    Ok(done)
}

async fn version(store: &Store) -> Result<Checked, StoreError> {
    let applied = store.applied().await?;
    let wanted = migration_list();
    let mut findings = Vec::new();
    for (version, name) in &wanted {
        match applied.iter().find(|migration| migration.version == *version) {
            None => findings.push(format!(
                "migration {version} ({name}) is missing; `linkstar status` brings the database up"
            )),
            Some(migration) if !migration.whole => {
                findings.push(format!("migration {version} ({name}) broke off"));
            }
            Some(_) => {}
        }
    }
    for migration in &applied {
        if wanted.iter().all(|(version, _)| *version != migration.version) {
            findings.push(format!(
                "migration {} ({}) belongs to a newer program",
                migration.version, migration.name
            ));
        }
    }
    let looked_at = applied.len() as u64;
    Ok(checked(Part::Version, looked_at, looked_at, findings))
}

fn checked(part: Part, looked_at: u64, of: u64, mut findings: Vec<String>) -> Checked {
    let more = findings.len().saturating_sub(LISTED);
    if more > 0 {
        findings.truncate(LISTED);
        findings.push(format!("and {more} more"));
    }
    Checked {
        part,
        looked_at,
        of,
        by_rule: 0,
        findings,
    }
}

/// SQLite reads every page. PostgreSQL has no such statement: indexes and constraints that it knows to be invalid are
/// named; pages are checked by its own checksums and by a dump.
async fn structure(tx: &mut Tx) -> Result<Checked, StoreError> {
    let (sql, said) = match tx.engine() {
        Engine::Sqlite => ("PRAGMA integrity_check", "integrity_check"),
        Engine::Postgres => (
            "SELECT 'index ' || i.relname || ' is not valid' AS said FROM pg_index x
             JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
             WHERE n.nspname = current_schema() AND NOT x.indisvalid
             UNION ALL
             SELECT 'constraint ' || k.conname || ' is not validated' AS said FROM pg_constraint k
             JOIN pg_namespace n ON n.oid = k.connamespace
             WHERE n.nspname = current_schema() AND NOT k.convalidated",
            "said",
        ),
    };
    let findings: Vec<String> = tx
        .rows(sql, args![])
        .await?
        .iter()
        .map(|row| row.get::<String>(said))
        .filter(|line| !matches!(line, Ok(line) if line == "ok"))
        .collect::<Result<_, _>>()?;
    Ok(checked(Part::Structure, 1, 1, findings))
}

/// One question for every foreign key, the same on both engines: rows whose parent is not there.
async fn keys(tx: &mut Tx, tables: &[Table]) -> Result<Checked, StoreError> {
    let mut findings = Vec::new();
    let mut looked_at = 0;
    for table in tables {
        for foreign in &table.foreign {
            looked_at += 1;
            let orphans = number(tx, &orphans_of(&table.name, foreign)).await?;
            if orphans > 0 {
                findings.push(format!(
                    "{orphans} rows of `{}` point at no row of `{}` ({})",
                    table.name,
                    foreign.table,
                    foreign.columns.join(", ")
                ));
            }
        }
    }
    Ok(checked(Part::Keys, looked_at, looked_at, findings))
}

fn orphans_of(table: &str, foreign: &Foreign) -> String {
    let pairs: Vec<String> = foreign
        .columns
        .iter()
        .zip(&foreign.referenced)
        .map(|(own, other)| format!("p.\"{other}\" = c.\"{own}\""))
        .collect();
    let given: Vec<String> = foreign
        .columns
        .iter()
        .map(|own| format!("c.\"{own}\" IS NOT NULL"))
        .collect();
    format!(
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM \"{table}\" c WHERE {} AND NOT EXISTS (
             SELECT 1 FROM \"{}\" p WHERE {})",
        given.join(" AND "),
        foreign.table,
        pairs.join(" AND ")
    )
}

async fn number(tx: &mut Tx, sql: &str) -> Result<i64, StoreError> {
    match tx.row(sql, args![]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

/// Columns that name stored bytes and are no foreign key.
const PAPERS: [(&str, &str); 6] = [
    ("certificate", "sha256"),
    ("order_document", "sha256"),
    ("inbox_file", "sha256"),
    ("plan", "snapshot_sha256"),
    ("plan", "policy_sha256"),
    ("plan", "plan_sha256"),
];

async fn papers(tx: &mut Tx) -> Result<Checked, StoreError> {
    let mut findings = Vec::new();
    for (table, column) in PAPERS {
        let lost = format!(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {table} c WHERE c.{column} IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM blob b WHERE b.account_id = c.account_id AND b.sha256 = c.{column})"
        );
        let lost = number(tx, &lost).await?;
        if lost > 0 {
            findings.push(format!(
                "{lost} rows of `{table}` name bytes ({column}) that are not stored"
            ));
        }
    }
    let looked_at = PAPERS.len() as u64;
    Ok(checked(Part::Papers, looked_at, looked_at, findings))
}

/// Names of blobs are read so many at a time; their bytes one by one.
const NAMES: u64 = 1_000;

async fn bytes(tx: &mut Tx, sample: Sample, day: NaiveDate) -> Result<Checked, StoreError> {
    let stored = number(tx, "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM blob").await?;
    let of = u64::try_from(stored).unwrap_or(0);
    let every = match sample {
        Sample::All => 1,
        Sample::About(wanted) => of.div_ceil(wanted.max(1)).max(1),
    };
    let turn = u64::try_from(day.signed_duration_since(NaiveDate::MIN).num_days()).unwrap_or(0) % every;
    let (mut place, mut looked_at, mut by_rule) = (0_u64, 0, 0);
    let mut findings = Vec::new();
    let mut deletions = BTreeMap::new();
    let mut after = (String::new(), String::new());
    loop {
        let rows = tx
            .rows(
                "SELECT account_id, sha256 FROM blob WHERE (account_id, sha256) > ($1, $2)
                 ORDER BY account_id, sha256 LIMIT $3",
                args![&after.0, &after.1, i64::try_from(NAMES).unwrap_or(i64::MAX)],
            )
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            after = (row.get("account_id")?, row.get("sha256")?);
            place += 1;
            if place % every != turn {
                continue;
            }
            looked_at += 1;
            let account: AccountId = row.get("account_id")?;
            let why = match blob::look(tx, &account, &after.1).await?.0 {
                Content::Whole => continue,
                Content::Deleted => {
                    if !deletions.contains_key(&account) {
                        let told = archive::deletions(tx, &account).await?;
                        deletions.insert(account.clone(), told);
                    }
                    if deletions
                        .get(&account)
                        .is_some_and(|told| told.contains_key(&after.1))
                    {
                        by_rule += 1;
                        continue;
                    }
                    "it is gone and no deletion tells of it".to_owned()
                }
                Content::Missing => "it is missing".to_owned(),
                Content::Changed(why) => why,
            };
            findings.push(format!(
                "{account}: stored blob {} cannot be read back: {why}",
                after.1
            ));
        }
    }
    Ok(Checked {
        by_rule,
        ..checked(Part::Bytes, looked_at, of, findings)
    })
}

/// Sales days are changed by what came and went; here they are summed anew.
async fn sales(tx: &mut Tx) -> Result<Checked, StoreError> {
    let days = number(tx, "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM sales_day").await?;
    let rows = tx
        .rows(
            "SELECT account_id, source, day, sku_code, CAST(SUM(stored) AS BIGINT) AS stored,
                 CAST(SUM(summed) AS BIGINT) AS summed
             FROM (
                 SELECT account_id, source, day, fulfilment, sku_code, units AS stored, 0 AS summed FROM sales_day
                 UNION ALL
                 SELECT account_id, source, day, fulfilment, sku_code, 0 AS stored, units AS summed FROM order_line
                 WHERE state <> 'cancelled') both_sides
             GROUP BY account_id, source, day, fulfilment, sku_code HAVING SUM(stored) <> SUM(summed)
             ORDER BY account_id, source, day, sku_code",
            args![],
        )
        .await?;
    let mut findings = Vec::with_capacity(rows.len());
    for row in rows {
        findings.push(format!(
            "{}: {} {} `{}`: {} units stored, {} in the order lines",
            row.get::<String>("account_id")?,
            row.get::<String>("source")?,
            row.get::<String>("day")?,
            row.get::<String>("sku_code")?,
            row.get::<i64>("stored")?,
            row.get::<i64>("summed")?
        ));
    }
    let days = u64::try_from(days).unwrap_or(0);
    Ok(checked(Part::Sales, days, days, findings))
}

/// Bytes of the database before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub before: i64,
    pub after: i64,
}

/// Gives the space of deleted rows back and counts the rows anew for the engine's planner.
///
/// # Errors
/// When the engine refuses; SQLite needs nobody else to write meanwhile, and twice the space.
pub async fn vacuum(store: &Store) -> Result<Sizes, StoreError> {
    let before = size(store).await?;
    let statements: &[&str] = match store.engine() {
        Engine::Sqlite => &["VACUUM", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
        Engine::Postgres => &["VACUUM (ANALYZE)"],
    };
    for statement in statements {
        store.outside(statement).await?;
    }
    Ok(Sizes {
        before,
        after: size(store).await?,
    })
}

/// Bytes of the database as the engine counts them.
///
/// # Errors
/// When the engine refuses.
pub async fn size(store: &Store) -> Result<i64, StoreError> {
    let mut tx = store.read().await?;
    let sql = match tx.engine() {
        Engine::Sqlite => "SELECT page_count * page_size AS n FROM pragma_page_count(), pragma_page_size()",
        Engine::Postgres => "SELECT pg_database_size(current_database()) AS n",
    };
    number(&mut tx, sql).await
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("PostgreSQL is backed up by its own program: pg_dump --format=custom --file={} \"$DATABASE_URL\"", file.display())]
    Postgres { file: PathBuf },
    #[error("{} is there already; a backup does not replace one", file.display())]
    There { file: PathBuf },
    #[error("the backup {} is not sound: {found}", file.display())]
    Unsound { file: PathBuf, found: String },
    #[error("cannot {what} {}", file.display())]
    File {
        what: &'static str,
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// Writes the state of this moment into a new file while others go on writing. The file gets its name only when it is
/// whole, synced, and has been read back.
///
/// # Errors
/// On PostgreSQL, when the file is there already, or when it cannot be written or read back.
pub async fn backup(store: &Store, file: &Path) -> Result<u64, BackupError> {
    if store.engine() == Engine::Postgres {
        return Err(BackupError::Postgres {
            file: file.to_owned(),
        });
    }
    if file.exists() {
        return Err(BackupError::There {
            file: file.to_owned(),
        });
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let fault = |what, file: &Path| {
        let file = file.to_owned();
        move |source| BackupError::File { what, file, source }
    };
    // Left by a backup that was killed.
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(fault("replace", &part)(error));
        }
        _ => {}
    }
    let quoted = part.display().to_string().replace('\'', "''");
    store.outside(&format!("VACUUM INTO '{quoted}'")).await?;
    let copy = Store::open_as_is(&format!("sqlite:{}", part.display())).await?;
    let found = {
        let mut tx = copy.read().await?;
        let mut findings = structure(&mut tx).await?.findings;
        let tables = tables::read(&mut tx).await?;
        findings.extend(keys(&mut tx, &tables).await?.findings);
        findings
    };
    copy.close().await;
    if !found.is_empty() {
        return Err(BackupError::Unsound {
            file: part,
            found: found.join("; "),
        });
    }
    let opened = std::fs::File::open(&part).map_err(fault("read", &part))?;
    opened.sync_all().map_err(fault("sync", &part))?;
    let bytes = opened.metadata().map_err(fault("read", &part))?.len();
    // A link does not replace what came there meanwhile, as a rename would; not every file system has links.
    match std::fs::hard_link(&part, file) {
        Ok(()) => std::fs::remove_file(&part).map_err(fault("remove", &part))?,
        Err(_) if !file.exists() => std::fs::rename(&part, file).map_err(fault("write", file))?,
        Err(_) => {
            return Err(BackupError::There {
                file: file.to_owned(),
            });
        }
    }
    Ok(bytes)
}
