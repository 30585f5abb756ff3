//! Reading any table in the order of its key, a bounded piece at a time.

use super::CopyError;
use crate::digest::Hasher;
use crate::store::statements::Class;
use crate::store::tables::Table;
use crate::store::{Row, StoreError, Tx, Value};

/// Rows of one piece, and about how many bytes of them: a table of blobs is cut by bytes, the others by rows.
const PIECE_ROWS: usize = 2_000;
const PIECE_BYTES: i64 = 8 << 20;

/// A name as both engines take it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names
        .into_iter()
        .map(|name| quoted(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// `WHERE (key) > (places)` with the places from `$1`, or nothing before the first row.
fn after_key(table: &Table, after: Option<&Vec<Value>>, and: &str) -> String {
    let mut conditions = Vec::new();
    if after.is_some() {
        let places: Vec<String> = (1..=table.key.len()).map(|place| format!("${place}")).collect();
        conditions.push(format!("({}) > ({})", list(&table.key), places.join(", ")));
    }
    if !and.is_empty() {
        conditions.push(and.to_owned());
    }
    if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    }
}

/// The next rows after a key, all columns in the table's order.
pub async fn next(
    tx: &mut Tx,
    table: &Table,
    after: Option<&Vec<Value>>,
    and: &str,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let arguments = after.cloned().unwrap_or_default();
    let limit = fitting(tx, table, after, and).await?;
    let sql = format!(
        "SELECT {} FROM {}{} ORDER BY {} LIMIT {limit}",
        list(table.columns.iter().map(|column| &column.name)),
        quoted(&table.name),
        after_key(table, after, and),
        list(&table.key)
    );
    tx.rows(sql, &arguments)
        .await?
        .iter()
        .map(|row| {
            table
                .columns
                .iter()
                .map(|column| value(row, &column.name, column.class))
                .collect()
        })
        .collect()
}

/// How many of the next rows fit into a piece; one that is larger alone goes alone.
async fn fitting(
    tx: &mut Tx,
    table: &Table,
    after: Option<&Vec<Value>>,
    and: &str,
) -> Result<usize, StoreError> {
    let sizes: Vec<String> = table
        .columns
        .iter()
        .filter(|column| column.class == Class::Bytes)
        .map(|column| format!("COALESCE(OCTET_LENGTH({}), 0)", quoted(&column.name)))
        .collect();
    if sizes.is_empty() {
        return Ok(PIECE_ROWS);
    }
    let sql = format!(
        "SELECT CAST({} AS BIGINT) AS size FROM {}{} ORDER BY {} LIMIT {PIECE_ROWS}",
        sizes.join(" + "),
        quoted(&table.name),
        after_key(table, after, and),
        list(&table.key)
    );
    let arguments = after.cloned().unwrap_or_default();
    let mut room = PIECE_BYTES;
    let mut rows = 0;
    for row in tx.rows(sql, &arguments).await? {
        room -= row.get::<i64>("size")?;
        if room < 0 {
            break;
        }
        rows += 1;
    }
    Ok(rows.max(1))
}

fn value(row: &Row, column: &str, class: Class) -> Result<Value, StoreError> {
    Ok(match class {
        Class::Int => Value::Int(row.get(column)?),
        Class::Text => row.get::<Option<String>>(column)?.into(),
        Class::Bytes => Value::Bytes(row.get(column)?),
    })
}

/// A NULL of the column's class.
pub fn null(class: Class) -> Value {
    match class {
        Class::Int => Value::Int(None),
        Class::Text => Value::Text(None),
        Class::Bytes => Value::Bytes(None),
    }
}

/// The values of these columns of a row.
pub fn pick(table: &Table, row: &[Value], columns: &[String]) -> Vec<Value> {
    table
        .columns
        .iter()
        .zip(row)
        .filter(|(column, _)| columns.contains(&column.name))
        .map(|(column, value)| {
            (
                columns.iter().position(|name| *name == column.name),
                value.clone(),
            )
        })
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_values()
        .collect()
}

/// The rows of a table and what they say, in whatever order they are read: the sum of the SHA-256 of every row, eight
/// bytes at a time. The order differs where databases sort text by their own rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    pub rows: u64,
    sum: [u64; 4],
}

impl Content {
    pub fn add(&mut self, row: &[Value]) {
        let mut hasher = Hasher::default();
        for value in row {
            let (tag, bytes): (u8, Option<Vec<u8>>) = match value {
                Value::Int(value) => (b'i', value.map(|value| value.to_be_bytes().to_vec())),
                Value::Text(value) => (b't', value.as_ref().map(|text| text.as_bytes().to_vec())),
                Value::Bytes(value) => (b'b', value.clone()),
            };
            hasher.update(&[tag, u8::from(bytes.is_some())]);
            let bytes = bytes.unwrap_or_default();
            hasher.update(&(bytes.len() as u64).to_be_bytes());
            hasher.update(&bytes);
        }
        let hex = hasher.finish();
        for (part, sum) in self.sum.iter_mut().enumerate() {
            let digits = hex.get(part * 16..part * 16 + 16).unwrap_or_default();
            let word = u64::from_str_radix(digits, 16).unwrap_or_default();
            *sum = sum.wrapping_add(word);
        }
        self.rows += 1;
    }

    #[must_use]
    pub fn hash(&self) -> String {
        self.sum.iter().map(|word| format!("{word:016x}")).collect()
    }
}

/// A key as JSON, for the progress row.
pub fn key_to_json(table: &Table, key: &[Value]) -> Result<String, CopyError> {
    let parts: Vec<serde_json::Value> = key
        .iter()
        .map(|value| match value {
            Value::Int(Some(value)) => Ok((*value).into()),
            Value::Text(Some(text)) => Ok(text.as_ref().into()),
            Value::Int(None) | Value::Text(None) | Value::Bytes(_) => Err(CopyError::Key {
                table: table.name.clone(),
            }),
        })
        .collect::<Result<_, _>>()?;
    Ok(serde_json::Value::from(parts).to_string())
}

pub fn key_from_json(table: &Table, text: &str) -> Result<Vec<Value>, CopyError> {
    let odd = || CopyError::Key {
        table: table.name.clone(),
    };
    let parts: Vec<serde_json::Value> = serde_json::from_str(text).map_err(|_| odd())?;
    if parts.len() != table.key.len() {
        return Err(odd());
    }
    parts
        .into_iter()
        .map(|part| match part {
            serde_json::Value::String(text) => Ok(Value::from(text)),
            serde_json::Value::Number(number) => number.as_i64().map(Value::from).ok_or_else(odd),
            _ => Err(odd()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(rows: &[Vec<Value>]) -> Content {
        let mut content = Content::default();
        for row in rows {
            content.add(row);
        }
        content
    }

    #[test]
    fn content_does_not_depend_on_order_but_on_every_value() {
        let one = vec![Value::from("a"), Value::from(1_i64)];
        let two = vec![Value::from("b"), Value::Int(None)];
        let both = content(&[one.clone(), two.clone()]);
        assert_eq!(both, content(&[two, one.clone()]));
        assert_ne!(both, content(std::slice::from_ref(&one)));
        assert_ne!(both, content(&[one, vec![Value::from("b"), Value::from(0_i64)]]));
        // The border between two columns is part of the content.
        let left = content(&[vec![Value::from("ab"), Value::from("c")]]);
        assert_ne!(left, content(&[vec![Value::from("a"), Value::from("bc")]]));
        // A missing text is not an empty one.
        assert_ne!(
            content(&[vec![Value::Text(None)]]),
            content(&[vec![Value::from("")]])
        );
    }
}
