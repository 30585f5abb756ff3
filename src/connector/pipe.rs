//! The closed set of pipes: what may happen to a value between the answer and the fact.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::cell::Cell;
use crate::problem::nearest;

/// Names of all pipes, for messages.
pub const PIPES: [&str; 12] = [
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
];

#[derive(Debug, Clone, PartialEq)]
pub enum Pipe {
    Int,
    Decimal,
    Str,
    Trim,
    Upper,
    Time(TimeFormat),
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
}

impl Source {
    /// # Errors
    /// A sentence fragment that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(literal) = text.strip_prefix('\'') {
            return literal
                .strip_suffix('\'')
                .map(|literal| Self::Literal(literal.to_owned()))
                .ok_or_else(|| format!("{text} has no closing quote"));
        }
        if let Some(name) = text.strip_prefix("param:") {
            return Ok(Self::Param(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("parent:") {
            return Ok(Self::Parent(name.to_owned()));
        }
        if let Some(path) = text.strip_prefix("page:") {
            return super::path::Path::parse(path).map(Self::Page);
        }
        super::path::Path::parse(text).map(Self::Path)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum TimeFormat {
    Rfc3339,
    /// A pattern and the zone it is written in.
    Civil(String, Tz),
}

impl TimeFormat {
    /// `rfc3339`, or a pattern of `%Y %m %d %H %M %S %F %T`.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn parse(pattern: &str, zone: &str) -> Result<Self, String> {
        if pattern == "rfc3339" {
            return Ok(Self::Rfc3339);
        }
        let zone = zone
            .parse()
            .map_err(|_| format!("`{zone}` is no time zone, wanted a name such as Asia/Shanghai"))?;
        Ok(Self::Civil(pattern.to_owned(), zone))
    }

    #[must_use]
    pub fn read(&self, text: &str) -> Option<DateTime<Utc>> {
        match self {
            Self::Rfc3339 => DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|at| at.with_timezone(&Utc)),
            Self::Civil(pattern, zone) => {
                let civil = NaiveDateTime::parse_from_str(text, pattern)
                    .or_else(|_| {
                        NaiveDate::parse_from_str(text, pattern).map(|day| day.and_time(NaiveTime::MIN))
                    })
                    .ok()?;
                Some(crate::calendar::instant_of(civil.date(), civil.time(), *zone))
            }
        }
    }

    #[must_use]
    pub fn write(&self, at: DateTime<Utc>) -> String {
        match self {
            Self::Rfc3339 => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            Self::Civil(pattern, zone) => zone
                .from_utc_datetime(&at.naive_utc())
                .format(pattern)
                .to_string(),
        }
    }
}

/// Reads `name(arg, arg)`.
///
/// # Errors
/// A sentence fragment that says what is wrong, with the nearest pipe.
pub fn parse(text: &str) -> Result<Pipe, String> {
    let text = text.trim();
    let (name, inside) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => {
            let inside = rest
                .strip_suffix(')')
                .ok_or_else(|| format!("`{text}` has no closing bracket"))?;
            (name.trim(), Some(inside))
        }
    };
    let args = inside.map_or_else(Vec::new, split_arguments);
    let no_arguments = |pipe: Pipe| {
        if args.is_empty() {
            Ok(pipe)
        } else {
            Err(format!("`{name}` takes no arguments"))
        }
    };
    match name {
        "int" => no_arguments(Pipe::Int),
        "decimal" => no_arguments(Pipe::Decimal),
        "str" => no_arguments(Pipe::Str),
        "trim" => no_arguments(Pipe::Trim),
        "upper" => no_arguments(Pipe::Upper),
        "first" => no_arguments(Pipe::First),
        "zero_date_null" => no_arguments(Pipe::ZeroDateNull),
        "ts" => match args.as_slice() {
            [pattern] => TimeFormat::parse(unquote(pattern), "UTC").map(Pipe::Time),
            [pattern, zone] => TimeFormat::parse(unquote(pattern), unquote(zone)).map(Pipe::Time),
            _ => Err("`ts` wants a pattern and a zone, or 'rfc3339'".to_owned()),
        },
        "default" => match args.as_slice() {
            [value] => Ok(Pipe::Default(unquote(value).to_owned())),
            _ => Err("`default` wants one value".to_owned()),
        },
        "coalesce" | "sum" => {
            let sources = args
                .iter()
                .map(|arg| Source::parse(arg))
                .collect::<Result<_, _>>()?;
            Ok(if name == "sum" {
                Pipe::Sum(sources)
            } else {
                Pipe::Coalesce(sources)
            })
        }
        "enum" => {
            let mut values = Vec::new();
            let mut other = None;
            for arg in &args {
                let (from, to) = arg
                    .split_once('=')
                    .ok_or_else(|| format!("`{arg}` of enum wants `their word = ours`"))?;
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
            Some(near) => format!("there is no pipe `{name}`, did you mean `{near}`?"),
            None => format!("there is no pipe `{name}`, there are {}", PIPES.join(", ")),
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
                    .map_err(|_| refused(&text, "a decimal number"))?,
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
        Pipe::Time(format) => match cell.show() {
            None => Cell::Null,
            Some(text) => Cell::Time(format.read(text.trim()).ok_or_else(|| {
                let wanted = match format {
                    TimeFormat::Rfc3339 => "a time such as 2026-01-20T08:00:00+00:00".to_owned(),
                    TimeFormat::Civil(pattern, _) => format!("a time as `{pattern}`"),
                };
                refused(&text, &wanted)
            })?),
        },
        Pipe::Enum { values, other } => match cell.show() {
            None => Cell::Null,
            Some(text) => match (values.iter().find(|(from, _)| *from == *text), other) {
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
    })
}
