//! Values between Rust and the two engines: three storage classes, and the types that map onto them.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::executor::StoreError;
use super::row::Row;
use crate::ids::{AccountId, ForwarderId, OrderNo, PlanId, Sku, SourceId, WarehouseCode};

/// An argument of a statement. Null keeps its class, because PostgreSQL asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Int(Option<i64>),
    /// Shared: a load says the same account and source in every row.
    Text(Option<Arc<str>>),
    Bytes(Option<Vec<u8>>),
}

/// One class of them, for a column of many rows.
impl Value {
    pub(super) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => *value,
            Self::Text(_) | Self::Bytes(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => value.as_deref(),
            Self::Int(_) | Self::Bytes(_) => None,
        }
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(value) => value.as_deref(),
            Self::Int(_) | Self::Text(_) => None,
        }
    }
}

/// A text column that seldom changes from row to row: made anew only when it does.
#[derive(Default)]
pub(super) struct Repeated(Option<Arc<str>>);

impl Repeated {
    pub(super) fn value(&mut self, text: &str) -> Value {
        if self.0.as_deref() != Some(text) {
            self.0 = Some(Arc::from(text));
        }
        Value::Text(self.0.clone())
    }
}

macro_rules! value_from {
    ($($from:ty => $class:ident, $convert:expr;)*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                let convert: fn($from) -> _ = $convert;
                Self::$class(Some(convert(value)))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                let convert: fn($from) -> _ = $convert;
                Self::$class(value.map(convert))
            }
        }
    )*};
}

value_from! {
    i64 => Int, |value| value;
    u32 => Int, i64::from;
    i32 => Int, i64::from;
    bool => Int, i64::from;
    DateTime<Utc> => Int, |value| value.timestamp_millis();
    &str => Text, |value| Arc::from(value);
    String => Text, Arc::from;
    &String => Text, |value| Arc::from(value.as_str());
    NaiveDate => Text, |value| Arc::from(value.to_string());
    Decimal => Text, |value| Arc::from(value.to_string());
    Vec<u8> => Bytes, |value| value;
    &[u8] => Bytes, <[u8]>::to_vec;
}

/// A Rust type that one column can be read as.
pub trait FromColumn: Sized {
    /// # Errors
    /// When the column is missing, NULL where that is not allowed, or not of this type.
    fn from_column(row: &Row, column: &str) -> Result<Self, StoreError>;
}

fn required<T>(row: &Row, column: &str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| row.bad(column, "NULL where a value is required"))
}

macro_rules! from_column {
    ($($to:ty, $read:ident, $convert:expr;)*) => {$(
        impl FromColumn for Option<$to> {
            fn from_column(row: &Row, column: &str) -> Result<Self, StoreError> {
                match row.$read(column)? {
                    None => Ok(None),
                    Some(raw) => ($convert)(raw).map(Some).map_err(|why: String| row.bad(column, &why)),
                }
            }
        }
        impl FromColumn for $to {
            fn from_column(row: &Row, column: &str) -> Result<Self, StoreError> {
                let value = <Option<$to> as FromColumn>::from_column(row, column)?;
                required(row, column, value)
            }
        }
    )*};
}

from_column! {
    i64, int, Ok;
    u32, int, |raw: i64| u32::try_from(raw).map_err(|error| error.to_string());
    bool, int, |raw: i64| Ok(raw != 0);
    DateTime<Utc>, int, |raw: i64| DateTime::from_timestamp_millis(raw)
        .ok_or_else(|| format!("{raw} is no instant"));
    String, text, Ok;
    NaiveDate, text, |raw: String| raw.parse().map_err(|_| format!("`{raw}` is no civil date"));
    Decimal, text, |raw: String| raw.parse().map_err(|_| format!("`{raw}` is no decimal"));
    Vec<u8>, bytes, Ok;
}

macro_rules! id_columns {
    ($($id:ty),*) => {$(
        impl From<&$id> for Value {
            fn from(value: &$id) -> Self {
                Self::Text(Some(Arc::from(value.as_str())))
            }
        }
        impl From<Option<&$id>> for Value {
            fn from(value: Option<&$id>) -> Self {
                Self::Text(value.map(|id| Arc::from(id.as_str())))
            }
        }
        impl FromColumn for $id {
            fn from_column(row: &Row, column: &str) -> Result<Self, StoreError> {
                let text = String::from_column(row, column)?;
                <$id>::new(text).map_err(|error| row.bad(column, &error.to_string()))
            }
        }
        impl FromColumn for Option<$id> {
            fn from_column(row: &Row, column: &str) -> Result<Self, StoreError> {
                Option::<String>::from_column(row, column)?
                    .map(|text| <$id>::new(text).map_err(|error| row.bad(column, &error.to_string())))
                    .transpose()
            }
        }
    )*};
}

id_columns!(
    AccountId,
    Sku,
    WarehouseCode,
    SourceId,
    ForwarderId,
    OrderNo,
    PlanId
);
