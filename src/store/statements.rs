//! Which statements were run: the tests hold both engines against the list.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Value;
use super::dialect::Engine;

/// A statement as it was asked for: with `$1…$n`, before the engine's own places are written in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    pub postgres: bool,
    pub text: String,
    /// Storage class of each argument.
    pub classes: Vec<Class>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Int,
    Text,
    Bytes,
}

impl Class {
    fn of(value: &Value) -> Self {
        match value {
            Value::Int(_) => Self::Int,
            Value::Text(_) => Self::Text,
            Value::Bytes(_) => Self::Bytes,
        }
    }
}

static SEEN: OnceLock<Mutex<BTreeSet<Statement>>> = OnceLock::new();

/// From now on every distinct statement of this process is remembered.
pub fn watch() {
    SEEN.get_or_init(Mutex::default);
}

/// What was run since [`watch`].
#[must_use]
pub fn seen() -> BTreeSet<Statement> {
    SEEN.get().map_or_else(BTreeSet::new, |seen| {
        seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    })
}

pub(super) fn saw(engine: Engine, text: &str, args: &[Value]) {
    if let Some(seen) = SEEN.get() {
        let statement = Statement {
            postgres: engine == Engine::Postgres,
            text: text.to_owned(),
            classes: args.iter().map(Class::of).collect(),
        };
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(statement);
    }
}

/// A bulk insert, as it would be for one row.
pub(super) fn saw_bulk(engine: Engine, (head, tail): (&str, &str), rows: &[Vec<Value>]) {
    if SEEN.get().is_some()
        && let Some(row) = rows.first()
    {
        let places: Vec<String> = (1..=row.len()).map(|place| format!("${place}")).collect();
        saw(
            engine,
            &format!("{head} VALUES ({}) {tail}", places.join(",")),
            row,
        );
    }
}
