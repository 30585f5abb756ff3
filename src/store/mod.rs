//! The store: one SQL text and one Rust body for SQLite and PostgreSQL.
//!
//! [`Store`] holds the pools, [`Tx`] is the only way to speak SQL. Statements use `$1…$n`, columns are `BIGINT`,
//! `TEXT` and `BYTEA` (SQLite's own names are put in by [`migrations`]); instants are Unix milliseconds, civil dates
//! ISO text, decimals text. What differs between the engines stands in [`dialect`].
//!
//! Every write transaction takes the writer lock at once (`BEGIN IMMEDIATE`): a reader that turns writer fails on
//! SQLite in spite of its busy timeout.

pub mod accuracy;
pub mod archive;
pub mod bills;
pub mod blob;
pub mod calibration;
pub mod catalog;
pub mod certificates;
pub mod claims;
pub mod clocks;
pub mod copy;
pub mod dialect;
pub mod differences;
mod executor;
pub mod facts;
mod failpoint;
pub mod inbox;
pub mod lead_forecasts;
pub mod lead_times;
pub mod lease;
mod migrations;
pub mod order_checks;
pub mod order_desk;
pub mod orders;
pub mod outbox;
mod places;
pub mod plans;
mod postgres;
pub mod receipts;
pub mod references;
pub mod returned;
mod row;
pub mod run;
pub mod session;
mod sqlite;
pub mod sscc;
pub mod stated;
pub mod statements;
pub mod tables;
pub mod tracking;
pub mod turn;
pub mod upkeep;
mod value;
pub mod work;

pub use executor::{Applied, Store, StoreError, Tx};
pub use migrations::migration_list;
pub use row::Row;
pub use value::{FromColumn, Value};

/// Arguments of a statement: `args![account, sku, day]`. The count is checked against the statement.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::Value::from($value)),*]
    };
}
