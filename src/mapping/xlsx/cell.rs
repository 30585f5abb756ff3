//! What one cell of a document says: a template, its type, and when it must not be empty.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::mapping::value::{Fault, Scope, Template};

/// More characters than this do not fit into an Excel cell.
const MAX_CELL_CHARS: usize = 32_767;
/// Excel keeps 15 digits of a number; a longer one would come back changed.
const MAX_DIGITS: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellType {
    #[default]
    Text,
    Number,
    Date,
}

/// A value of a cell, evaluated: what is written, and what must be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    Empty,
    Text(String),
    Number(Decimal),
    Date(NaiveDate),
}

impl Want {
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Date(date) => date.to_string(),
        }
    }
}

/// The value of a cell for one scope.
///
/// # Errors
/// A fault of the template, a required value that is empty, or a text that is not of the cell's type.
pub fn evaluate(
    value: &Template,
    kind: CellType,
    required: bool,
    when: Option<&Template>,
    scope: &Scope<'_>,
) -> Result<Want, Fault> {
    if let Some(when) = when
        && when.fill(scope)?.as_deref() != Some("true")
    {
        return Ok(Want::Empty);
    }
    let fault = |found: &str, wanted: String| Fault {
        path: value.source().to_owned(),
        found: found.to_owned(),
        wanted,
    };
    let Some(text) = value.fill(scope)? else {
        return match required {
            true => Err(fault("", "a value: the document needs it".to_owned())),
            false => Ok(Want::Empty),
        };
    };
    match kind {
        CellType::Text if text.chars().count() > MAX_CELL_CHARS => {
            Err(fault(&text, format!("at most {MAX_CELL_CHARS} characters")))
        }
        CellType::Text => Ok(Want::Text(without_controls(&text))),
        CellType::Number => {
            let number: Decimal = text
                .trim()
                .parse()
                .map_err(|_| fault(&text, "a number".to_owned()))?;
            let digits = number.normalize().mantissa().unsigned_abs().to_string().len();
            match digits > MAX_DIGITS {
                true => Err(fault(
                    &text,
                    format!("at most {MAX_DIGITS} digits, as Excel keeps"),
                )),
                false => Ok(Want::Number(number)),
            }
        }
        CellType::Date => {
            let date = text.trim().parse();
            date.map(Want::Date)
                .map_err(|_| fault(&text, "a date such as 2026-03-09".to_owned()))
        }
    }
}

/// XML 1.0 has no way to write control characters; line feeds and tabs stay.
fn without_controls(text: &str) -> String {
    let legal =
        |c: &char| matches!(c, '\n' | '\t') || (!c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    text.replace("\r\n", "\n").chars().filter(legal).collect()
}
