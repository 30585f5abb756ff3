//! Faults of shape: a key nobody knows, a value of another type, a key that must be there. The reader stops at the
//! first one; a misspelt key is read as the one that was meant, any other fault left out, and the rest read again, so that a person sees them all at once.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use super::place::{Step, place_at, rename, way_to, without};
use crate::problem::{Problem, nearest};

/// A file with more faults than this is another kind of file.
const MAX_FAULTS: usize = 30;

/// A whole file.
///
/// # Errors
/// Every fault of shape, with line and column.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Vec<Problem>> {
    match DeTable::parse(text) {
        Ok(table) => {
            let root = Spanned::new(0..0, DeValue::Table(table.into_inner()));
            read_value(file, text, "", root)
        }
        Err(_) => {
            let (_, errors) = DeTable::parse_recoverable(text);
            Err(errors
                .iter()
                .take(MAX_FAULTS)
                .map(|error| syntax(file, text, error))
                .collect())
        }
    }
}

/// One value, called `name` in messages.
pub(super) fn read_value<T: DeserializeOwned>(
    file: &str,
    text: &str,
    name: &str,
    mut value: Spanned<DeValue<'_>>,
) -> Result<T, Vec<Problem>> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut guessed: Vec<Vec<Step>> = Vec::new();
    while problems.len() < MAX_FAULTS {
        let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(read) if problems.is_empty() => return Ok(read),
            Ok(_) => break,
            Err(error) => error,
        };
        let fault = Fault::of(text, name, &value, &error);
        // A value that does not suit the guessed name is no fault of its own.
        if guessed.contains(&fault.way) && !fault.missing {
            if without(&mut value, &fault.way) {
                continue;
            }
            break;
        }
        // A key whose value was left out is not missing.
        if fault.missing && !problems.is_empty() {
            break;
        }
        problems.push(Problem::new(
            file,
            fault.place,
            fault.field,
            fault.found,
            fault.wanted,
        ));
        if fault.missing {
            break;
        }
        match fault.near {
            Some(near) if rename(&mut value, &fault.way, &near) => {
                let mut way = fault.way;
                way.pop();
                way.push(Step::Key(near));
                guessed.push(way);
            }
            _ if without(&mut value, &fault.way) => {}
            _ => break,
        }
    }
    Err(problems)
}

/// What the TOML reader says of a text that is no TOML.
pub(super) fn syntax(file: &str, text: &str, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let shown = text.get(span.clone()).unwrap_or_default();
    Problem::new(
        file,
        place_at(text, span.start),
        "",
        shown.lines().next().unwrap_or_default().trim(),
        format!("TOML: {}", error.message().lines().next().unwrap_or_default()),
    )
}

struct Fault {
    place: String,
    field: String,
    found: String,
    wanted: String,
    missing: bool,
    /// The key that was meant.
    near: Option<String>,
    way: Vec<Step>,
}

impl Fault {
    fn of(text: &str, name: &str, value: &Spanned<DeValue<'_>>, error: &Error) -> Self {
        let span = error
            .span()
            .filter(|span| !span.is_empty())
            .unwrap_or_else(|| value.span());
        // The file itself has no span.
        let way = if span.is_empty() {
            None
        } else {
            way_to(value, span.start)
        };
        let own = way.as_ref().map_or_else(|| name.to_owned(), |way| way.name(name));
        let steps = way.as_ref().map_or_else(Vec::new, |way| way.steps.clone());
        let source = text.get(span.clone()).unwrap_or_default();
        let shown = source.lines().next().unwrap_or_default().trim().to_owned();
        let message = error.message().trim().lines().next().unwrap_or_default();
        let place = place_at(text, span.start);
        if let Some((given, known)) = quoted(message, &["unknown field `", "unknown variant `"]) {
            let is_key = message.starts_with("unknown field");
            let above = own.strip_suffix(given).unwrap_or(&own).trim_end_matches('.');
            return Self {
                place,
                field: if is_key { above.to_owned() } else { own.clone() },
                found: given.to_owned(),
                wanted: wanted_name(given, &known),
                missing: false,
                near: nearest(given, known.iter().copied())
                    .filter(|_| is_key)
                    .map(str::to_owned),
                way: steps,
            };
        }
        if let Some((missing, _)) = quoted(message, &["missing field `"]) {
            let field = if own.is_empty() {
                missing.to_owned()
            } else {
                format!("{own}.{missing}")
            };
            return Self {
                place,
                field,
                found: String::new(),
                wanted: format!("a value: `{missing}` must be said"),
                missing: true,
                near: None,
                way: steps,
            };
        }
        let wanted = message
            .split_once(", expected ")
            .filter(|_| message.starts_with("invalid "))
            .map_or_else(|| message.to_owned(), |(_, expected)| plain(expected));
        Self {
            place,
            field: own,
            found: shown,
            wanted,
            missing: false,
            near: None,
            way: steps,
        }
    }
}

/// The name a message is about and the names it offers instead.
fn quoted<'m>(message: &'m str, heads: &[&str]) -> Option<(&'m str, Vec<&'m str>)> {
    let rest = heads.iter().find_map(|head| message.strip_prefix(head))?;
    let (given, rest) = rest.split_once('`')?;
    Some((given, rest.split('`').skip(1).step_by(2).collect()))
}

pub(super) fn wanted_name(given: &str, known: &[&str]) -> String {
    match nearest(given, known.iter().copied()) {
        Some(near) => format!("a known name; did you mean `{near}`?"),
        None => format!("one of {}", known.join(", ")),
    }
}

/// A type as the reader calls it, in a person's words.
fn plain(expected: &str) -> String {
    let plain = match expected {
        "a string" | "a borrowed string" | "str" => "a text in quotes",
        "a boolean" | "bool" => "true or false",
        "a sequence" | "an array" => "a list in square brackets",
        "a map" => "a table",
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        other if other.starts_with("u16") || other.starts_with("a nonzero u") => "a whole number above 0",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    plain.to_owned()
}
