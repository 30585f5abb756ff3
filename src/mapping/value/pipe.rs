//! The closed set of pipes: what may be done to a value between the model and the paper.

use std::borrow::Cow;

use chrono::NaiveDate;
use chrono::format::{Item, StrftimeItems};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

use super::{Fault, Maps, Part, Path, TemplateError};
use crate::problem::nearest;

const NAMES: [&str; 17] = [
    "cut", "date", "fixed", "kg", "g", "cm", "m3", "upper", "default", "or", "yes_no", "map", "join", "max",
    "sum", "first", "required",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pipe {
    Date(String),
    Fixed(u32),
    Kg,
    G,
    Cm,
    M3,
    Upper,
    Default(String),
    /// Another value of the model in place of a missing one.
    Or(Path),
    YesNo(String, String),
    Map(String),
    Join(String),
    Max(usize),
    /// From which character on, counted from one, and how many.
    Cut(usize, usize),
    Sum,
    First,
    Required,
}

/// A value on its way through the pipes.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Missing,
    Text(Cow<'a, str>),
    Flag(bool),
    Many(Vec<Piece<'a>>),
    /// An object: may be walked through, never printed.
    Tree,
}

impl<'a> Piece<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Missing,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => Self::Text(Cow::Owned(number.to_string())),
            Value::String(text) if text.trim().is_empty() => Self::Missing,
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::Many(items.iter().map(Self::of).collect()),
            Value::Object(_) => Self::Tree,
        }
    }

    /// Appends the piece; false when it is missing, an error when it cannot be printed.
    pub(super) fn write(&self, out: &mut String) -> Result<bool, &'static str> {
        match self {
            Self::Missing => Ok(false),
            Self::Text(text) => {
                out.push_str(text);
                Ok(true)
            }
            Self::Flag(flag) => {
                out.push_str(if *flag { "true" } else { "false" });
                Ok(true)
            }
            Self::Many(_) => Err("one value: add `join`, `sum` or `first`"),
            Self::Tree => Err("a value, not a group of values"),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Missing => String::new(),
            Self::Many(_) => "a list".to_owned(),
            Self::Tree => "a group of values".to_owned(),
        }
    }
}

fn fault(piece: &Piece<'_>, wanted: impl Into<String>) -> Fault {
    Fault {
        path: String::new(),
        found: piece.shown(),
        wanted: wanted.into(),
    }
}

fn decimal(piece: &Piece<'_>) -> Result<Decimal, Fault> {
    match piece {
        Piece::Text(text) => text.parse().map_err(|_| fault(piece, "a number")),
        _ => Err(fault(piece, "a number")),
    }
}

fn places(value: Decimal, places: u32) -> Piece<'static> {
    let mut rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(places);
    Piece::Text(Cow::Owned(rounded.to_string()))
}

/// A whole number of the small unit as a decimal of the large one.
fn scaled(piece: &Piece<'_>, unit: &str, scale: u32, show: u32) -> Result<Piece<'static>, Fault> {
    let value = decimal(piece)?;
    if !value.fract().is_zero() {
        return Err(fault(piece, format!("a whole number of {unit}")));
    }
    let whole: i64 = value
        .trunc()
        .try_into()
        .map_err(|_| fault(piece, format!("a whole number of {unit}")))?;
    Ok(places(Decimal::new(whole, scale), show))
}

impl Pipe {
    pub(super) fn table(&self) -> Option<&str> {
        match self {
            Self::Map(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn apply<'a>(&self, piece: Piece<'a>, maps: &Maps) -> Result<Piece<'a>, Fault> {
        match self {
            Self::Required if matches!(piece, Piece::Missing) => {
                return Err(fault(&piece, "a value: the document needs it"));
            }
            Self::Default(text) if matches!(piece, Piece::Missing) => {
                return Ok(Piece::Text(Cow::Owned(text.clone())));
            }
            Self::Required | Self::Default(_) | Self::Or(_) => return Ok(piece),
            _ if matches!(piece, Piece::Missing) => return Ok(piece),
            _ => {}
        }
        match self {
            Self::Date(format) => match &piece {
                Piece::Text(text) => {
                    let date: NaiveDate = text
                        .parse()
                        .map_err(|_| fault(&piece, "a date such as 2026-03-09"))?;
                    Ok(Piece::Text(Cow::Owned(date.format(format).to_string())))
                }
                _ => Err(fault(&piece, "a date such as 2026-03-09")),
            },
            Self::Fixed(count) => Ok(places(decimal(&piece)?, *count)),
            Self::Kg => scaled(&piece, "grams", 3, 3),
            Self::G => scaled(&piece, "grams", 0, 0),
            Self::Cm => scaled(&piece, "millimetres", 1, 1),
            Self::M3 => scaled(&piece, "cubic millimetres", 9, 3),
            Self::Upper => match piece {
                Piece::Text(text) => Ok(Piece::Text(Cow::Owned(text.to_uppercase()))),
                other => Ok(other),
            },
            Self::YesNo(yes, no) => match piece {
                Piece::Flag(flag) => Ok(Piece::Text(Cow::Owned(if flag { yes } else { no }.clone()))),
                other => Err(fault(&other, "yes or no")),
            },
            Self::Map(name) => {
                let key = piece.shown();
                match maps.get(name).and_then(|table| table.get(&key)) {
                    Some(text) if text.is_empty() => Ok(Piece::Missing),
                    Some(text) => Ok(Piece::Text(Cow::Owned(text.clone()))),
                    None => Err(fault(&piece, format!("an entry of the mapping's table `{name}`"))),
                }
            }
            Self::Join(glue) => match piece {
                Piece::Many(items) => join(&items, glue),
                other => Ok(other),
            },
            Self::Max(most) => {
                let length = piece.shown().chars().count();
                if length > *most {
                    return Err(fault(&piece, format!("at most {most} characters, not {length}")));
                }
                Ok(piece)
            }
            Self::Cut(from, count) => match &piece {
                Piece::Text(text) => {
                    let part: String = text.chars().skip(from.saturating_sub(1)).take(*count).collect();
                    Ok(match part.is_empty() {
                        true => Piece::Missing,
                        false => Piece::Text(Cow::Owned(part)),
                    })
                }
                _ => Err(fault(&piece, "a text")),
            },
            Self::Sum => match &piece {
                Piece::Many(items) => {
                    let numbers: Result<Vec<Decimal>, Fault> = items.iter().map(decimal).collect();
                    let total: Decimal = numbers?.into_iter().sum();
                    Ok(Piece::Text(Cow::Owned(total.to_string())))
                }
                _ => Err(fault(&piece, "a list to add up")),
            },
            Self::First => match piece {
                Piece::Many(items) => Ok(items
                    .into_iter()
                    .find(|item| !matches!(item, Piece::Missing))
                    .unwrap_or(Piece::Missing)),
                other => Ok(other),
            },
            Self::Required | Self::Default(_) | Self::Or(_) => Ok(piece),
        }
    }
}

/// Different texts in the order of their first appearance; empty ones are left out.
fn join(items: &[Piece<'_>], glue: &str) -> Result<Piece<'static>, Fault> {
    let mut texts: Vec<String> = Vec::new();
    for item in items {
        match item {
            Piece::Missing => {}
            Piece::Text(_) | Piece::Flag(_) => {
                let text = item.shown();
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            Piece::Many(_) | Piece::Tree => return Err(fault(item, "a list of plain values")),
        }
    }
    Ok(match texts.is_empty() {
        true => Piece::Missing,
        false => Piece::Text(Cow::Owned(texts.join(glue))),
    })
}

/// `path|pipe|pipe(…)`, the inside of a pair of braces.
pub(super) fn place(text: &str) -> Result<Part, TemplateError> {
    let mut sections = split(text, '|').into_iter();
    let path = Path::parse(&sections.next().unwrap_or_default())?;
    let pipes: Result<Vec<Pipe>, TemplateError> = sections.map(|section| pipe(&section)).collect();
    Ok(Part::Place { path, pipes: pipes? })
}

/// Splits at a character that stands outside quotes.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '\'';
        if c == at && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn pipe(text: &str) -> Result<Pipe, TemplateError> {
    let text = text.trim();
    let wrong = |reason: String| TemplateError {
        text: text.to_owned(),
        reason,
    };
    let (name, arguments) = match text.split_once('(') {
        None => (text, Vec::new()),
        Some((name, rest)) => {
            let inside = rest
                .strip_suffix(')')
                .ok_or_else(|| wrong("`(` without `)`".to_owned()))?;
            (
                name,
                split(inside, ',').iter().map(|part| unquote(part)).collect(),
            )
        }
    };
    let number = || -> Result<u32, TemplateError> {
        match arguments.as_slice() {
            [one] => one
                .parse()
                .ok()
                .filter(|n| *n <= 10_000)
                .ok_or_else(|| wrong("wanted a whole number".to_owned())),
            _ => Err(wrong("wanted one whole number".to_owned())),
        }
    };
    let one = || -> Result<String, TemplateError> {
        match arguments.as_slice() {
            [one] => Ok(one.clone()),
            _ => Err(wrong("wanted one text".to_owned())),
        }
    };
    let none = |pipe: Pipe| match arguments.is_empty() {
        true => Ok(pipe),
        false => Err(wrong("takes nothing in brackets".to_owned())),
    };
    match name {
        "date" => {
            let format = one()?;
            if StrftimeItems::new(&format).any(|item| matches!(item, Item::Error)) {
                return Err(wrong("wanted a date format such as %Y-%m-%d".to_owned()));
            }
            Ok(Pipe::Date(format))
        }
        "fixed" => match number()? {
            places @ 0..=12 => Ok(Pipe::Fixed(places)),
            _ => Err(wrong("at most 12 places".to_owned())),
        },
        "kg" => none(Pipe::Kg),
        "g" => none(Pipe::G),
        "cm" => none(Pipe::Cm),
        "m3" => none(Pipe::M3),
        "upper" => none(Pipe::Upper),
        "default" => Ok(Pipe::Default(one()?)),
        "or" => Ok(Pipe::Or(Path::parse(&one()?)?)),
        "yes_no" => match arguments.as_slice() {
            [] => Ok(Pipe::YesNo("是".to_owned(), "否".to_owned())),
            [yes, no] => Ok(Pipe::YesNo(yes.clone(), no.clone())),
            _ => Err(wrong("wanted nothing or two texts".to_owned())),
        },
        "map" => Ok(Pipe::Map(one()?)),
        "join" => Ok(Pipe::Join(one()?)),
        "max" => Ok(Pipe::Max(usize::try_from(number()?).unwrap_or(usize::MAX))),
        "cut" => match arguments.as_slice() {
            [from, count] => match (from.parse(), count.parse()) {
                (Ok(from @ 1..=10_000), Ok(count @ 1..=10_000)) => Ok(Pipe::Cut(from, count)),
                _ => Err(wrong(
                    "wanted two whole numbers: from which character on, and how many".to_owned(),
                )),
            },
            _ => Err(wrong(
                "wanted two whole numbers: from which character on, and how many".to_owned(),
            )),
        },
        "sum" => none(Pipe::Sum),
        "first" => none(Pipe::First),
        "required" => none(Pipe::Required),
        other => Err(wrong(match nearest(other, NAMES) {
            Some(near) => format!("no such pipe, perhaps `{near}`"),
            None => format!("no such pipe; there are {}", NAMES.join(", ")),
        })),
    }
}

fn unquote(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or(text)
        .to_owned()
}
