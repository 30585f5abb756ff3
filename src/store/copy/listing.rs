//! What a pull left, as lines that can be compared: one JSON object a row, tables and rows in the order of their keys.

use serde_json::{Map, Value as Json};

use super::rows;
use crate::store::tables;
use crate::store::{StoreError, Tx, Value};

/// Tables that hold what sources say.
const TABLES: [&str; 7] = [
    "customer_return",
    "inbound_line",
    "inbound_notice",
    "order_line",
    "receipt_event",
    "stock_row",
    "tracking_event",
];
/// Columns that say for whom and when it was written down, not what was said.
const LEFT: [&str; 6] = [
    "account_id",
    "source",
    "origin",
    "event_key",
    "recorded_at",
    "told_at",
];

/// # Errors
/// When the tables cannot be read.
pub async fn listing(tx: &mut Tx) -> Result<String, StoreError> {
    let mut lines = String::new();
    for table in tables::read(tx).await? {
        if !TABLES.contains(&table.name.as_str()) {
            continue;
        }
        let mut after = None;
        loop {
            let piece = rows::next(tx, &table, after.as_ref(), "").await?;
            for row in &piece {
                let mut fields = Map::new();
                fields.insert("record".to_owned(), Json::from(table.name.as_str()));
                for (column, value) in table.columns.iter().zip(row) {
                    if LEFT.contains(&column.name.as_str()) {
                        continue;
                    }
                    match value {
                        Value::Int(Some(value)) => fields.insert(column.name.clone(), Json::from(*value)),
                        Value::Text(Some(value)) => {
                            fields.insert(column.name.clone(), Json::from(value.as_ref()))
                        }
                        Value::Int(None) | Value::Text(None) | Value::Bytes(_) => None,
                    };
                }
                lines.push_str(&Json::Object(fields).to_string());
                lines.push('\n');
            }
            let Some(last) = piece.last() else { break };
            after = Some(rows::pick(&table, last, &table.key));
        }
    }
    Ok(lines)
}
