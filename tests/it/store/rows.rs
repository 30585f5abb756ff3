//! Rows for any table, made from what the catalog says of it.

use linkstar::store::statements::Class;
use linkstar::store::tables::{self, Table};
use linkstar::store::{Store, Value};

/// Fills every table with so many rows whose foreign keys lead to each other. Text beyond ASCII, bytes that are no
/// text, and missing values where they may be.
pub async fn fill(store: &Store, count: usize) {
    let mut tx = store.write().await.expect("a transaction");
    let all = tables::read(&mut tx).await.expect("the catalog");
    for table in &all {
        insert(&mut tx, &all, table, 0..count).await;
    }
    tx.commit().await.expect("committed");
}

pub async fn insert(
    tx: &mut linkstar::store::Tx,
    all: &[Table],
    table: &Table,
    numbers: std::ops::Range<usize>,
) {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let rows: Vec<Vec<Value>> = numbers
        .map(|number| {
            table
                .columns
                .iter()
                .map(|column| {
                    let pointed = table
                        .foreign
                        .iter()
                        .any(|foreign| foreign.columns.contains(&column.name));
                    // The first row of a table has no value where it may have none.
                    if column.nullable && (number == 0 || (pointed && number == 1)) {
                        return match column.class {
                            Class::Int => Value::Int(None),
                            Class::Text => Value::Text(None),
                            Class::Bytes => Value::Bytes(None),
                        };
                    }
                    value(all, table, &column.name, column.class, number)
                })
                .collect()
        })
        .collect();
    tx.insert_many(
        &format!("INSERT INTO \"{}\" ({})", table.name, names.join(", ")),
        &rows,
        "",
    )
    .await
    .unwrap_or_else(|error| panic!("{}: {error:?}", table.name));
}

fn value(all: &[Table], table: &Table, column: &str, class: Class, number: usize) -> Value {
    if column == "account_id" {
        return Value::from("main");
    }
    for foreign in &table.foreign {
        let Some(place) = foreign.columns.iter().position(|own| own == column) else {
            continue;
        };
        let parent = all
            .iter()
            .find(|other| other.name == foreign.table)
            .expect("the parent");
        let other = &foreign.referenced[place];
        // Rows of a table that point into it point forwards: a copy meets the child before its parent.
        let number = if parent.name == table.name && number > 1 {
            number ^ 1
        } else {
            number
        };
        if parent.name != table.name || other != column {
            return value(all, parent, other, class, number);
        }
    }
    match class {
        Class::Int => Value::from(i64::try_from(number).expect("small") - 1),
        Class::Text => Value::from(format!("{column}-{number:05}-ä仓'\"\\")),
        Class::Bytes => Value::from(vec![0_u8, 255, u8::try_from(number % 251).expect("small"), 10]),
    }
}
