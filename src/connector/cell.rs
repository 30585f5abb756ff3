//! One value on its way from an answer to a fact.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::tree::Node;
use crate::mapping::table::int_from;

/// Absent, null and empty text are all [`Cell::Null`]: unknown, never zero.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Int(i64),
    Decimal(Decimal),
    Bool(bool),
    Time(DateTime<Utc>),
    List(Vec<Cell<'a>>),
}

impl<'a> Cell<'a> {
    #[must_use]
    pub fn of_text(text: &'a str) -> Self {
        if text.is_empty() {
            Self::Null
        } else {
            Self::Text(Cow::Borrowed(text))
        }
    }

    #[must_use]
    pub fn of_json(value: &'a Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => number
                .as_i64()
                .map_or_else(|| Self::Text(Cow::Owned(number.to_string())), Self::Int),
            Json::String(text) => Self::of_text(text),
            Json::Array(items) => Self::List(items.iter().map(Cell::of_json).collect()),
            Json::Object(_) => Self::Text(Cow::Owned(value.to_string())),
        }
    }

    #[must_use]
    pub fn of_node(node: &'a Node<'_>) -> Self {
        match node {
            Node::Null | Node::Skipped => Self::Null,
            Node::Bool(value) => Self::Bool(*value),
            Node::Int(value) => Self::Int(*value),
            Node::Number(text) => Self::Text(Cow::Borrowed(text)),
            Node::Text(text) => Self::of_text(text),
            Node::List(items) => Self::List(items.iter().map(Cell::of_node).collect()),
            Node::Many(items) => match items.as_slice() {
                [one] => Self::of_node(one),
                items => Self::List(items.iter().map(Cell::of_node).collect()),
            },
            Node::Map(fields) => match fields.iter().find(|(name, _)| name == "#text") {
                Some((_, text)) => Self::of_node(text),
                None => Self::Text(Cow::Owned(node.to_json().to_string())),
            },
        }
    }

    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// As a person would write it; None for null and lists.
    #[must_use]
    pub fn show(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Null | Self::List(_) => return None,
            Self::Text(text) => Cow::Borrowed(text.as_ref()),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Decimal(value) => Cow::Owned(value.to_string()),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Time(at) => Cow::Owned(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        })
    }

    /// # Errors
    /// What was found, when it is no whole number.
    pub fn int(&self) -> Result<Option<i64>, String> {
        let whole = |value: Decimal| {
            (value.fract().is_zero())
                .then(|| i64::try_from(value.trunc()).ok())
                .flatten()
        };
        match self {
            Self::Null => Ok(None),
            Self::Int(value) => Ok(Some(*value)),
            Self::Decimal(value) => whole(*value).map(Some).ok_or_else(|| value.to_string()),
            Self::Text(text) => {
                let text = text.trim();
                if text.is_empty() {
                    return Ok(None);
                }
                text.parse::<i64>()
                    .ok()
                    .or_else(|| text.parse::<Decimal>().ok().and_then(whole))
                    // `1,200` and `１２００`, as people and their programs write them.
                    .or_else(|| int_from(text))
                    .map(Some)
                    .ok_or_else(|| text.to_owned())
            }
            Self::Bool(_) | Self::Time(_) | Self::List(_) => Err(format!("{self:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_written_as_text_are_whole_numbers_and_nothing_else_is() {
        let int = |value: Json| Cell::of_json(&value).int();
        assert_eq!(int(json!("1482")), Ok(Some(1482)));
        assert_eq!(int(json!(-3)), Ok(Some(-3)));
        assert_eq!(int(json!("12.0")), Ok(Some(12)));
        assert_eq!(int(json!(null)), Ok(None));
        assert_eq!(int(json!("")), Ok(None));
        assert_eq!(int(json!("1,482")), Ok(Some(1482)));
        assert_eq!(int(json!("１２")), Ok(Some(12)));
        assert_eq!(int(json!("1,5")), Err("1,5".to_owned()));
        assert_eq!(int(json!("1.5")), Err("1.5".to_owned()));
        assert_eq!(int(json!("1E5x")), Err("1E5x".to_owned()));
    }
}
