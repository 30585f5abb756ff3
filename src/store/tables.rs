//! What the database says of its own tables: read from the catalog of either engine.

use std::collections::{BTreeMap, BTreeSet};

use super::dialect::Engine;
use super::statements::Class;
use super::{StoreError, Tx};
use crate::args;

/// Where sqlx remembers the migrations.
pub const MIGRATIONS: &str = "_sqlx_migrations";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// Columns of the primary key, in its order.
    pub key: Vec<String>,
    pub foreign: Vec<Foreign>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub class: Class,
    pub nullable: bool,
}

/// A foreign key: these columns name a row of `table` by those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    pub table: String,
    pub columns: Vec<String>,
    pub referenced: Vec<String>,
}

impl Table {
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Every table of the schema, whatever made it, by name.
///
/// # Errors
/// When the engine refuses.
pub async fn names(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let sql = match tx.engine() {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        Engine::Postgres => {
            "SELECT tablename::TEXT AS name FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        }
    };
    tx.rows(sql, args![])
        .await?
        .iter()
        .map(|row| row.get("name"))
        .collect()
}

/// The tables that hold data, those that others point to first; of equals, by name.
///
/// # Errors
/// When the engine refuses, a column is of a type linkstar does not use, or tables point at each other in a circle.
pub async fn read(tx: &mut Tx) -> Result<Vec<Table>, StoreError> {
    let keys = keys(tx).await?;
    let mut foreign = foreign(tx).await?;
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for (table, column) in columns(tx).await? {
        tables
            .entry(table.clone())
            .or_insert_with(|| Table {
                key: keys.get(&table).cloned().unwrap_or_default(),
                foreign: foreign.remove(&table).unwrap_or_default(),
                columns: Vec::new(),
                name: table,
            })
            .columns
            .push(column);
    }
    tables.remove(MIGRATIONS);
    parents_first(tables)
}

fn parents_first(mut left: BTreeMap<String, Table>) -> Result<Vec<Table>, StoreError> {
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free: BTreeSet<String> = left
            .values()
            .filter(|table| {
                table
                    .foreign
                    .iter()
                    .all(|foreign| foreign.table == table.name || !left.contains_key(&foreign.table))
            })
            .map(|table| table.name.clone())
            .collect();
        if free.is_empty() {
            return Err(StoreError::Corrupt {
                what: "schema".to_owned(),
                why: format!(
                    "tables point at each other in a circle: {}",
                    left.into_keys().collect::<Vec<_>>().join(", ")
                ),
            });
        }
        ordered.extend(free.iter().filter_map(|name| left.remove(name)));
    }
    Ok(ordered)
}

async fn columns(tx: &mut Tx) -> Result<Vec<(String, Column)>, StoreError> {
    let sql = match tx.engine() {
        Engine::Sqlite => {
            "SELECT m.name AS t, c.name AS c, c.type AS k, CASE WHEN c.\"notnull\" = 0 THEN 1 ELSE 0 END AS nullable
             FROM sqlite_schema m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations'
             ORDER BY m.name, c.cid"
        }
        Engine::Postgres => {
            "SELECT table_name::TEXT AS t, column_name::TEXT AS c, data_type::TEXT AS k,
                 CASE is_nullable WHEN 'NO' THEN 0::BIGINT ELSE 1::BIGINT END AS nullable
             FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'
             ORDER BY table_name COLLATE \"C\", ordinal_position"
        }
    };
    tx.rows(sql, args![])
        .await?
        .iter()
        .map(|row| {
            let table: String = row.get("t")?;
            let name: String = row.get("c")?;
            let declared: String = row.get("k")?;
            let class = match declared.to_ascii_uppercase().as_str() {
                "INTEGER" | "BIGINT" => Class::Int,
                "TEXT" => Class::Text,
                "BLOB" | "BYTEA" => Class::Bytes,
                _ => {
                    return Err(StoreError::Corrupt {
                        what: format!("column {table}.{name}"),
                        why: format!("its type {declared} is none that linkstar uses"),
                    });
                }
            };
            let nullable = row.get("nullable")?;
            Ok((
                table,
                Column {
                    name,
                    class,
                    nullable,
                },
            ))
        })
        .collect()
}

async fn keys(tx: &mut Tx) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let sql = match tx.engine() {
        Engine::Sqlite => {
            "SELECT m.name AS t, c.name AS c FROM sqlite_schema m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.pk > 0 ORDER BY m.name, c.pk"
        }
        Engine::Postgres => {
            "SELECT t.relname::TEXT AS t, a.attname::TEXT AS c
             FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
             CROSS JOIN LATERAL unnest(x.indkey::SMALLINT[]) WITH ORDINALITY AS u(attnum, place)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.attnum
             WHERE n.nspname = current_schema() AND x.indisprimary ORDER BY t.relname, u.place"
        }
    };
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in tx.rows(sql, args![]).await? {
        keys.entry(row.get("t")?).or_default().push(row.get("c")?);
    }
    Ok(keys)
}

async fn foreign(tx: &mut Tx) -> Result<BTreeMap<String, Vec<Foreign>>, StoreError> {
    let sql = match tx.engine() {
        Engine::Sqlite => {
            "SELECT m.name AS t, CAST(f.id AS TEXT) AS k, f.\"table\" AS p, f.\"from\" AS c, f.\"to\" AS r
             FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
             WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq"
        }
        Engine::Postgres => {
            "SELECT t.relname::TEXT AS t, k.conname::TEXT AS k, p.relname::TEXT AS p, a.attname::TEXT AS c,
                 b.attname::TEXT AS r
             FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
             JOIN pg_namespace n ON n.oid = t.relnamespace
             CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(own, other, place)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.own
             JOIN pg_attribute b ON b.attrelid = p.oid AND b.attnum = u.other
             WHERE k.contype = 'f' AND n.nspname = current_schema() ORDER BY t.relname, k.conname, u.place"
        }
    };
    let mut found: BTreeMap<(String, String), Foreign> = BTreeMap::new();
    for row in tx.rows(sql, args![]).await? {
        let foreign = found
            .entry((row.get("t")?, row.get("k")?))
            .or_insert_with(|| Foreign {
                table: String::new(),
                columns: Vec::new(),
                referenced: Vec::new(),
            });
        foreign.table = row.get("p")?;
        foreign.columns.push(row.get("c")?);
        foreign.referenced.push(row.get("r")?);
    }
    let mut tables: BTreeMap<String, Vec<Foreign>> = BTreeMap::new();
    for ((table, _), foreign) in found {
        tables.entry(table).or_default().push(foreign);
    }
    // Ids and names of keys differ between the engines; what they say does not.
    for foreign in tables.values_mut() {
        foreign.sort_by(|one, other| (&one.columns, &one.table).cmp(&(&other.columns, &other.table)));
    }
    Ok(tables)
}
