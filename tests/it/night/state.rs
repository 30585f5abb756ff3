//! What a shop knows, as text that two shops can be compared by: everything but the instants of writing it down.

use std::collections::BTreeMap;

use linkstar::store::Store;

/// Table and the columns that must not depend on how often a night was cut off.
const FACTS: [(&str, &str); 20] = [
    ("sales_day", "source day fulfilment sku_code units"),
    ("sales_series", "source fulfilment sku_code year"),
    ("sales_packed", "source form"),
    ("source_day", "source day stream state"),
    ("stock_snapshot", "source warehouse as_of stale_since problem"),
    (
        "stock_row",
        "source warehouse sku_code available reserved pending_putaway inbound unsellable frozen transfer total",
    ),
    ("stock_day", "warehouse sku_code day available"),
    (
        "inbound_notice",
        "source inbound_no warehouse reference state closed",
    ),
    (
        "inbound_line",
        "source inbound_no line_no carton sku_code announced put_away",
    ),
    ("unmapped_code", "source kind code"),
    (
        "plan",
        "plan_id seq parent_id as_of snapshot_sha256 plan_sha256 acknowledged",
    ),
    (
        "decision",
        "plan_id warehouse sku source decision units decided_by reason",
    ),
    (
        "stocking_order",
        "order_no revision state warehouse forwarder mode plan_id created_on ship_by eta_p50 eta_p90 shipped_on model",
    ),
    ("ordered_line", "plan_id warehouse sku order_no"),
    (
        "order_document",
        "order_no revision document file_name media_type sha256",
    ),
    ("held_line", "plan_id warehouse sku units problems"),
    (
        "receipt_event",
        "origin event_key source warehouse reference carton sku_code kind units happened_at",
    ),
    (
        "receipt_line",
        "order_no sku revision as_of state verdict difference body",
    ),
    ("difference_event", "difference_id revision as_of event body"),
    ("inbox_file", "sha256 origin name kind problems"),
];

pub type State = BTreeMap<&'static str, Vec<String>>;

/// Facts, plans, orders and their papers; messages with their states; runs with the states of their steps.
pub async fn state(store: &Store) -> State {
    let mut state = State::new();
    for (table, columns) in FACTS {
        state.insert(table, dump(store, table, columns).await);
    }
    state.insert("outbox", dump(store, "outbox", OUTBOX).await);
    state.insert("run_step", dump(store, "run_step", "run_id step state").await);
    state.insert("run", dump(store, "run", "run_id kind state").await);
    state
}

const OUTBOX: &str = "business_key channel target sequence remote_name sha256 size message_id state";

/// Rows of a table as text, in an order that does not depend on the engine.
pub async fn dump(store: &Store, table: &str, columns: &str) -> Vec<String> {
    let names: Vec<&str> = columns.split_whitespace().collect();
    let cast: Vec<String> = names
        .iter()
        .map(|name| format!("CAST({name} AS TEXT) AS {name}"))
        .collect();
    let mut tx = store.read().await.expect("the store reads");
    let rows = tx
        .rows(format!("SELECT {} FROM {table}", cast.join(", ")), &[])
        .await
        .expect("the table is read");
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            names
                .iter()
                .map(|name| {
                    row.get::<Option<String>>(name)
                        .expect("a column")
                        .unwrap_or_else(|| "∅".to_owned())
                })
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect();
    lines.sort();
    lines
}

/// Says what differs, not that something does: a whole state fills many screens.
pub fn assert_same(left: &State, right: &State, what: &str) {
    for (table, rows) in left {
        let other = right.get(table).map(Vec::as_slice).unwrap_or_default();
        let gone: Vec<&String> = rows.iter().filter(|row| !other.contains(row)).take(5).collect();
        let new: Vec<&String> = other.iter().filter(|row| !rows.contains(row)).take(5).collect();
        assert!(
            rows == other,
            "{what}: {table} differs ({} rows, then {})\nonly before: {gone:#?}\nonly after: {new:#?}",
            rows.len(),
            other.len()
        );
    }
}
