//! The last step of a mapped value: is it of the kind its field has?

use std::borrow::Cow;

use crate::connector::cell::Cell;
use crate::connector::record::FieldKind;

/// The kind the record wants, or what was found and what is wanted.
pub(super) fn typed(cell: Cell<'_>, kind: FieldKind) -> Result<Cell<'_>, (String, String)> {
    if cell.is_null() {
        return Ok(Cell::Null);
    }
    let shown = || cell.show().map_or_else(|| "a list".to_owned(), Cow::into_owned);
    match kind {
        FieldKind::Text => match cell.show() {
            Some(text) if text.trim().is_empty() => Ok(Cell::Null),
            Some(_) => Ok(cell),
            None => Err((shown(), "one text".to_owned())),
        },
        FieldKind::Int => cell
            .int()
            .map(|value| value.map_or(Cell::Null, Cell::Int))
            .map_err(|found| (found, "a whole number".to_owned())),
        FieldKind::Time => match cell {
            Cell::Time(_) => Ok(cell),
            _ => Err((shown(), "a time; the map needs `ts(…)`".to_owned())),
        },
        FieldKind::Flag => match shown().trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Cell::Bool(true)),
            "false" | "no" | "0" => Ok(Cell::Bool(false)),
            _ => Err((shown(), "true or false".to_owned())),
        },
        FieldKind::Word(words) => {
            if cell.show().is_some_and(|word| words.contains(&word.as_ref())) {
                Ok(cell)
            } else {
                Err((
                    shown(),
                    format!("one of {}; the map needs `enum(…)`", words.join(", ")),
                ))
            }
        }
    }
}
