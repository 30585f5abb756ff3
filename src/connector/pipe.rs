//! The closed set of pipes: what may happen to a value between the answer and the fact.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::cell::Cell;
use crate::mapping::table::decimal_from;
use crate::problem::nearest;

mod time;

pub use time::TimeFormat;

/// Names of all pipes, for messages.
pub const PIPES: [&str; 21] = [
    "int",
    "decimal",
    "str",
    "trim",
    "upper",
    "ts",
    "enum",
    "default",
    "coalesce",
    "sum",
    "first",
    "zero_date_null",
    "lower",
    "replace",
    "split",
    "mul",
    "div",
    "neg",
    "date",
    "concat",
    "if_set",
];

#[derive(Debug, Clone, PartialEq)]
pub enum Pipe {
    Int,
    Decimal,
    Str,
    Trim,
    Upper,
    Time(TimeFormat),
    /// A pattern, and the parameter that says in which zone it is written.
    TimeIn(String, Vec<Source>),
    Enum {
        values: Vec<(String, String)>,
        /// `*=x`: what an unknown value becomes; it is counted.
        other: Option<String>,
    },
    Default(String),
    /// Other places to look when the value is null.
    Coalesce(Vec<Source>),
    /// Other places to add; unknown as soon as one of them is unknown.
    Sum(Vec<Source>),
    First,
    ZeroDateNull,
    Lower,
    /// Every occurrence of one text by another.
    Replace(String, String),
    /// A part between separators, counted from 0; from the end when negative.
    Split(String, i32),
    Mul(Decimal),
    Div(Decimal),
    Neg,
    /// Midnight of a civil day in a zone.
    Date(String, Tz),
    /// The value and further ones, one behind the other; null as soon as one is.
    Concat(Vec<Source>),
    /// A word when there is a value, null when there is none.
    IfSet(String),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Path(super::path::Path),
    Literal(String),
    /// `param:zone`
    Param(String),
    /// `parent:inbound_no`: a mapped field of the parent row.
    Parent(String),
    /// `page:data.code`: from the root of the answer.
    Page(super::path::Path),
    /// `file:time` and `file:name`, of the file a row stands in.
    File(FileFact),
}

/// What is known of a file besides its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFact {
    /// When it was made, as `as_of` finds it.
    Time,
    Name,
}

impl Source {
    /// # Errors
    /// What is wanted instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(literal) = text.strip_prefix('\'') {
            return literal
                .strip_suffix('\'')
                .map(|literal| Self::Literal(literal.to_owned()))
                .ok_or_else(|| format!("a closing quote after {text}"));
        }
        if let Some(name) = text.strip_prefix("param:") {
            return Ok(Self::Param(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("parent:") {
            return Ok(Self::Parent(name.to_owned()));
        }
        if let Some(fact) = text.strip_prefix("file:") {
            return match fact {
                "time" => Ok(Self::File(FileFact::Time)),
                "name" => Ok(Self::File(FileFact::Name)),
                _ => Err(format!("`file:time` or `file:name` instead of `{text}`")),
            };
        }
        if let Some(path) = text.strip_prefix("page:") {
            return super::path::Path::parse(path).map(Self::Page);
        }
        super::path::Path::parse(text).map(Self::Path)
    }
}

/// Reads `name(arg, arg)`.
///
/// # Errors
/// What is wanted instead, with the nearest pipe.
pub fn parse(text: &str) -> Result<Pipe, String> {
    let text = text.trim();
    let (name, inside) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => {
            let inside = rest
                .strip_suffix(')')
                .ok_or_else(|| format!("a closing bracket after `{text}`"))?;
            (name.trim(), Some(inside))
        }
    };
    let args = inside.map_or_else(Vec::new, split_arguments);
    let no_arguments = |pipe: Pipe| {
        if args.is_empty() {
            Ok(pipe)
        } else {
            Err(format!("no arguments for `{name}`"))
        }
    };
    match name {
        "int" => no_arguments(Pipe::Int),
        "decimal" => no_arguments(Pipe::Decimal),
        "str" => no_arguments(Pipe::Str),
        "trim" => no_arguments(Pipe::Trim),
        "upper" => no_arguments(Pipe::Upper),
        "lower" => no_arguments(Pipe::Lower),
        "neg" => no_arguments(Pipe::Neg),
        "replace" => match args.as_slice() {
            [from, to] if !unquote(from).is_empty() => {
                Ok(Pipe::Replace(unquote(from).to_owned(), unquote(to).to_owned()))
            }
            _ => Err("two texts for `replace`: what is there, and what stands there instead".to_owned()),
        },
        "split" => match args.as_slice() {
            [at, part] if !unquote(at).is_empty() => part
                .parse()
                .map(|part| Pipe::Split(unquote(at).to_owned(), part))
                .map_err(|_| format!("the number of the part for `split` instead of `{part}`")),
            _ => Err("a separator and the number of the part for `split`".to_owned()),
        },
        "mul" | "div" => match args.as_slice() {
            [by] => match by.parse::<Decimal>() {
                Ok(by) if name == "mul" => Ok(Pipe::Mul(by)),
                Ok(by) if !by.is_zero() => Ok(Pipe::Div(by)),
                _ => Err(format!("a number for `{name}` instead of `{by}`")),
            },
            _ => Err(format!("one number for `{name}`")),
        },
        "date" => match args.as_slice() {
            [pattern, zone] => match TimeFormat::parse(unquote(pattern), unquote(zone))? {
                TimeFormat::Civil(pattern, zone) => Ok(Pipe::Date(pattern, zone)),
                _ => Err("a pattern such as %Y-%m-%d for `date`".to_owned()),
            },
            _ => Err("a pattern and a zone for `date`".to_owned()),
        },
        "if_set" => match args.as_slice() {
            [word] => Ok(Pipe::IfSet(unquote(word).to_owned())),
            _ => Err("one word for `if_set`".to_owned()),
        },
        "first" => no_arguments(Pipe::First),
        "zero_date_null" => no_arguments(Pipe::ZeroDateNull),
        "ts" => match args.as_slice() {
            [pattern] => TimeFormat::parse(unquote(pattern), "UTC").map(Pipe::Time),
            [pattern, zone] if zone.starts_with("param:") => {
                // Whatever the zone will be, the pattern must be one.
                TimeFormat::parse(unquote(pattern), "UTC")?;
                Ok(Pipe::TimeIn(
                    unquote(pattern).to_owned(),
                    vec![Source::parse(zone)?],
                ))
            }
            [pattern, zone] => TimeFormat::parse(unquote(pattern), unquote(zone)).map(Pipe::Time),
            _ => Err("a pattern and a zone, or 'rfc3339', for `ts`".to_owned()),
        },
        "default" => match args.as_slice() {
            [value] => Ok(Pipe::Default(unquote(value).to_owned())),
            _ => Err("one value for `default`".to_owned()),
        },
        "coalesce" | "sum" | "concat" => {
            // `sum()` adds what a path found; the others need something to look at.
            let alone = name == "sum" && inside.is_some_and(|inside| inside.trim().is_empty());
            let sources = args
                .iter()
                .filter(|_| !alone)
                .map(|arg| Source::parse(arg))
                .collect::<Result<_, _>>()?;
            Ok(match name {
                "sum" => Pipe::Sum(sources),
                "concat" => Pipe::Concat(sources),
                _ => Pipe::Coalesce(sources),
            })
        }
        "enum" => {
            let mut values = Vec::new();
            let mut other = None;
            for arg in &args {
                let (from, to) = arg
                    .split_once('=')
                    .ok_or_else(|| format!("`their word = ours` instead of `{arg}`"))?;
                let (from, to) = (unquote(from.trim()), unquote(to.trim()).to_owned());
                if from == "*" {
                    other = Some(to);
                } else {
                    values.push((from.to_owned(), to));
                }
            }
            Ok(Pipe::Enum { values, other })
        }
        _ => Err(match nearest(name, PIPES) {
            Some(near) => format!("a pipe that exists; of `{name}`: did you mean `{near}`?"),
            None => format!("a pipe that exists instead of `{name}`: {}", PIPES.join(", ")),
        }),
    }
}

fn unquote(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .unwrap_or(text)
}

fn split_arguments(text: &str) -> Vec<String> {
    split_outside_quotes(text, ',')
}

/// Splits at a sign that does not stand in quotes or brackets.
#[must_use]
pub fn split_outside_quotes(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut depth) = (false, 0_i32);
    for sign in text.chars() {
        match sign {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if sign == at && !quoted && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(sign);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

impl Pipe {
    /// The other places it looks at.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        match self {
            Self::Coalesce(sources)
            | Self::Sum(sources)
            | Self::Concat(sources)
            | Self::TimeIn(_, sources) => sources,
            _ => &[],
        }
    }
}

fn changed<'a>(cell: &Cell<'_>, how: impl Fn(&str) -> String) -> Cell<'a> {
    match cell.show() {
        None => Cell::Null,
        Some(text) => Cell::Text(Cow::Owned(how(&text))),
    }
}

/// Whole numbers stay whole numbers where they can.
fn number<'a>(cell: &Cell<'_>, how: impl Fn(Decimal) -> Option<Decimal>) -> Result<Cell<'a>, Refused> {
    let Some(text) = cell.show() else {
        return Ok(Cell::Null);
    };
    let value = text.trim().parse::<Decimal>().ok();
    let value = value.or_else(|| decimal_from(&text)).and_then(how);
    value
        .map(|value| Cell::Decimal(value.normalize()))
        .ok_or_else(|| Refused {
            found: text.into_owned(),
            wanted: "a decimal number".to_owned(),
        })
}

/// A time that is one already stays as it is.
fn time<'a>(cell: Cell<'a>, format: &TimeFormat) -> Result<Cell<'a>, Refused> {
    let text = match &cell {
        Cell::Time(_) => return Ok(cell),
        cell => match cell.show() {
            None => return Ok(Cell::Null),
            Some(text) => text.into_owned(),
        },
    };
    format.read(text.trim()).map(Cell::Time).ok_or_else(|| {
        let wanted = match format {
            TimeFormat::Rfc3339 => "a time such as 2026-01-20T08:00:00+00:00".to_owned(),
            TimeFormat::Seconds => "seconds since 1970".to_owned(),
            TimeFormat::Millis => "milliseconds since 1970".to_owned(),
            TimeFormat::YearFirst(_) => "a time such as 2026-01-20 08:00, the year first".to_owned(),
            TimeFormat::Civil(pattern, _) => format!("a time as `{pattern}`"),
        };
        Refused { found: text, wanted }
    })
}

/// What a pipe could not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub found: String,
    pub wanted: String,
}

/// Applies a pipe. `look` answers the pipes that look elsewhere, `unknown` hears of values no enum names.
///
/// # Errors
/// When the value is of another kind than the pipe takes.
pub fn apply<'a>(
    pipe: &Pipe,
    cell: Cell<'a>,
    look: &dyn Fn(&Source) -> Cell<'a>,
    unknown: &mut dyn FnMut(&str),
) -> Result<Cell<'a>, Refused> {
    let refused = |found: &str, wanted: &str| Refused {
        found: found.to_owned(),
        wanted: wanted.to_owned(),
    };
    let int = |cell: &Cell<'_>| cell.int().map_err(|found| refused(&found, "a whole number"));
    Ok(match pipe {
        Pipe::Int => match &cell {
            Cell::List(_) => return Err(refused("a list", "one value; `sum` or `first` before `int`")),
            cell => int(cell)?.map_or(Cell::Null, Cell::Int),
        },
        Pipe::Decimal => match cell.show() {
            None => Cell::Null,
            Some(text) => Cell::Decimal(
                text.trim()
                    .parse::<Decimal>()
                    .ok()
                    .or_else(|| decimal_from(&text))
                    .ok_or_else(|| refused(&text, "a decimal number"))?,
            ),
        },
        Pipe::Str => match cell.show() {
            None => Cell::Null,
            Some(text) => Cell::Text(Cow::Owned(text.into_owned())),
        },
        Pipe::Trim => match cell.show() {
            None => Cell::Null,
            Some(text) if text.trim().is_empty() => Cell::Null,
            Some(text) => Cell::Text(Cow::Owned(text.trim().to_owned())),
        },
        Pipe::Upper => match cell.show() {
            None => Cell::Null,
            Some(text) => Cell::Text(Cow::Owned(text.to_uppercase())),
        },
        Pipe::Time(format) => time(cell, format)?,
        Pipe::TimeIn(pattern, zone) => {
            let zone = zone
                .first()
                .map(look)
                .and_then(|zone| zone.show().map(Cow::into_owned));
            let zone = zone.unwrap_or_default();
            let format = TimeFormat::parse(pattern, zone.trim()).map_err(|wanted| refused(&zone, &wanted))?;
            time(cell, &format)?
        }
        Pipe::Enum { values, other } => match cell.show() {
            None => Cell::Null,
            Some(text) => match (values.iter().find(|(from, _)| *from == *text), other) {
                // `NONE=` is null: another field says it, or nobody.
                (Some((_, to)), _) if to.is_empty() => Cell::Null,
                (Some((_, to)), _) => Cell::Text(Cow::Owned(to.clone())),
                (None, Some(other)) => {
                    unknown(&text);
                    Cell::Text(Cow::Owned(other.clone()))
                }
                (None, None) => {
                    let known: Vec<&str> = values.iter().map(|(from, _)| from.as_str()).collect();
                    return Err(refused(&text, &format!("one of {}", known.join(", "))));
                }
            },
        },
        Pipe::Default(value) if cell.is_null() => Cell::Text(Cow::Owned(value.clone())),
        Pipe::Default(_) => cell,
        Pipe::Coalesce(sources) => {
            sources.iter().fold(
                cell,
                |cell, source| if cell.is_null() { look(source) } else { cell },
            )
        }
        Pipe::Sum(sources) => {
            let mut terms = match cell {
                Cell::List(items) => items,
                cell => vec![cell],
            };
            for source in sources {
                match look(source) {
                    Cell::List(items) => terms.extend(items),
                    term => terms.push(term),
                }
            }
            let mut sum = Some(0_i64);
            for term in &terms {
                sum = sum.zip(int(term)?).and_then(|(sum, term)| sum.checked_add(term));
            }
            sum.map_or(Cell::Null, Cell::Int)
        }
        Pipe::First => match cell {
            Cell::List(items) => items.into_iter().next().unwrap_or(Cell::Null),
            cell => cell,
        },
        Pipe::ZeroDateNull => match cell.show() {
            Some(text) if text.starts_with("0000-00-00") => Cell::Null,
            _ => cell,
        },
        Pipe::Lower => changed(&cell, |text| text.to_lowercase()),
        Pipe::Replace(from, to) => changed(&cell, |text| text.replace(from, to)),
        Pipe::Split(at, part) => match cell.show() {
            None => Cell::Null,
            Some(text) => {
                let parts: Vec<&str> = text.split(at.as_str()).collect();
                let index = usize::try_from(*part).ok().or_else(|| {
                    parts
                        .len()
                        .checked_sub(usize::try_from(part.unsigned_abs()).ok()?)
                });
                match index.and_then(|index| parts.get(index)).map(|part| part.trim()) {
                    None | Some("") => Cell::Null,
                    Some(part) => Cell::Text(Cow::Owned(part.to_owned())),
                }
            }
        },
        Pipe::Mul(by) => number(&cell, |value| value.checked_mul(*by))?,
        Pipe::Div(by) => number(&cell, |value| value.checked_div(*by))?,
        Pipe::Neg => number(&cell, |value| Some(-value))?,
        Pipe::Date(pattern, zone) => match cell.show() {
            None => Cell::Null,
            Some(text) => match NaiveDate::parse_from_str(text.trim(), pattern) {
                Ok(day) => Cell::Time(crate::calendar::instant_of(day, NaiveTime::MIN, *zone)),
                Err(_) => return Err(refused(&text, &format!("a day as `{pattern}`"))),
            },
        },
        Pipe::Concat(sources) => {
            let others = sources.iter().map(look);
            let all: Option<Vec<String>> = std::iter::once(cell)
                .chain(others)
                .map(|cell| cell.show().map(Cow::into_owned))
                .collect();
            all.map_or(Cell::Null, |all| Cell::Text(Cow::Owned(all.concat())))
        }
        Pipe::IfSet(word) => match cell {
            Cell::Null => Cell::Null,
            _ => Cell::Text(Cow::Owned(word.clone())),
        },
    })
}

#[cfg(test)]
mod tests;
