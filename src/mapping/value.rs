//! Paths and formats: how a mapping names a value of the model.
//!
//! A template is text with places in braces: `"{order.number}-{line.no}"`. A place is a path and any number of
//! pipes: `{carton.gross_g|kg}`, `{lines[].units|sum}`. It is parsed once, when the mapping file is read, and
//! checked there against the shape of the model, so that a misspelt path never meets an order.

mod pipe;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::problem::{Problem, nearest};
use pipe::{Piece, Pipe};

/// Lookup tables of a mapping file: `[maps.mode] sea = "海运"`.
pub type Maps = BTreeMap<String, BTreeMap<String, String>>;

const MAX_TEMPLATE_CHARS: usize = 2_000;

/// A template, path or pipe that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {reason}")]
pub struct TemplateError {
    pub text: String,
    pub reason: String,
}

/// A value that is not what the mapping needs: the path, what was found there, what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub path: String,
    pub found: String,
    pub wanted: String,
}

impl Fault {
    #[must_use]
    pub fn problem(&self, file: &str, place: &str) -> Problem {
        Problem::new(file, place, self.path.as_str(), &self.found, self.wanted.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    /// `lines[]`: every element.
    every: bool,
}

/// Dotted names; `[]` after a list takes every element: `lines[].units`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    text: String,
    steps: Vec<Step>,
}

impl Path {
    /// # Errors
    /// When a name is empty or has other characters than `a-z`, `0-9` and `_`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = text.trim();
        let wrong = |reason: &str| TemplateError {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, every) = match part.strip_suffix("[]") {
                Some(name) => (name, true),
                None => (part, false),
            };
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                return Err(wrong("a path is names of a-z, 0-9 and _ joined by dots"));
            }
            steps.push(Step {
                name: name.to_owned(),
                every,
            });
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }

    /// Follows the path from the scope. A name that is not there is an error, an empty value is `Missing`.
    fn find<'a>(&self, scope: &Scope<'a>) -> Result<Piece<'a>, Fault> {
        let Some((first, rest)) = self.steps.split_first() else {
            return Ok(Piece::Missing);
        };
        let start = scope.name(&first.name).ok_or_else(|| {
            let bound = scope.bound.iter().map(|(name, _)| *name);
            let known: Vec<&str> = bound.chain(keys(scope.root)).collect();
            self.unknown(&first.name, &known)
        })?;
        self.walk(start, first.every, rest)
    }

    fn walk<'a>(&self, value: &'a Value, every: bool, rest: &[Step]) -> Result<Piece<'a>, Fault> {
        if every {
            let Value::Array(items) = value else {
                return Err(self.fault("no list", "a list before `[]`"));
            };
            let found: Result<Vec<_>, _> = items.iter().map(|item| self.walk(item, false, rest)).collect();
            return Ok(Piece::Many(found?));
        }
        let Some((step, rest)) = rest.split_first() else {
            return Ok(Piece::of(value));
        };
        match value {
            Value::Object(map) => match map.get(&step.name) {
                Some(next) => self.walk(next, step.every, rest),
                None => Err(self.unknown(&step.name, &keys(value).collect::<Vec<_>>())),
            },
            Value::Null => Ok(Piece::Missing),
            Value::Array(_) => Err(self.fault("a list", "`[]` after a list")),
            _ => Err(self.fault("a plain value", "nothing below it")),
        }
    }

    fn unknown(&self, name: &str, known: &[&str]) -> Fault {
        let wanted = match nearest(name, known.iter().copied()) {
            Some(near) => format!("a name of the model, perhaps `{near}`"),
            None => format!("a name of the model: {}", known.join(", ")),
        };
        self.fault(name, wanted)
    }

    fn fault(&self, found: impl Into<String>, wanted: impl Into<String>) -> Fault {
        Fault {
            path: self.text.clone(),
            found: found.into(),
            wanted: wanted.into(),
        }
    }
}

fn keys(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys().map(String::as_str))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What names mean at one place of a document: the model, and the elements bound by each `each` around it.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    root: &'a Value,
    maps: &'a Maps,
    bound: Vec<(&'a str, &'a Value)>,
}

impl<'a> Scope<'a> {
    #[must_use]
    pub fn new(root: &'a Value, maps: &'a Maps) -> Self {
        Self {
            root,
            maps,
            bound: Vec::new(),
        }
    }

    /// The same scope with one more name; the names around it stay visible.
    #[must_use]
    pub fn with(&self, name: &'a str, value: &'a Value) -> Self {
        let mut inner = self.clone();
        inner.bound.push((name, value));
        inner
    }

    fn name(&self, name: &str) -> Option<&'a Value> {
        let bound = self.bound.iter().rev().find(|(known, _)| *known == name);
        bound.map(|(_, value)| *value).or_else(|| self.root.get(name))
    }
}

/// `"line in lines"`: one turn for every element, bound to the name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Each {
    name: String,
    path: Path,
}

impl TryFrom<String> for Each {
    type Error = TemplateError;
    fn try_from(text: String) -> Result<Self, TemplateError> {
        let Some((name, path)) = text.split_once(" in ") else {
            return Err(TemplateError {
                text,
                reason: "wanted `<name> in <list>`, e.g. `line in lines`".to_owned(),
            });
        };
        let name = Path::parse(name)?.text;
        Ok(Self {
            name,
            path: Path::parse(path)?,
        })
    }
}

impl Each {
    /// The name that each element is bound to.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One scope for every element of the list.
    ///
    /// # Errors
    /// When the path is not a list of the model.
    pub fn scopes<'a>(&'a self, around: &Scope<'a>) -> Result<Vec<Scope<'a>>, Fault> {
        let list = self.list(around)?;
        Ok(list.iter().map(|item| around.with(&self.name, item)).collect())
    }

    fn list<'a>(&self, around: &Scope<'a>) -> Result<&'a [Value], Fault> {
        let mut steps = self.path.steps.iter();
        let first = steps.next().map_or("", |step| step.name.as_str());
        let mut value = around.name(first);
        for step in steps {
            value = value.and_then(|value| value.get(&step.name));
        }
        match value {
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.path.fault("no list", "a list of the model")),
            None => {
                let mut known = around
                    .bound
                    .iter()
                    .map(|(name, _)| *name)
                    .chain(keys(around.root));
                let hint = nearest(first, &mut known).unwrap_or("lines");
                Err(self
                    .path
                    .fault(first, format!("a list of the model, perhaps `{hint}`")))
            }
        }
    }
}

/// The scopes of nested `each`es, outermost first: `["carton in cartons", "content in carton.contents"]`.
///
/// # Errors
/// When one of the paths is not a list.
pub fn scopes<'a>(each: &'a [Each], around: &Scope<'a>) -> Result<Vec<Scope<'a>>, Fault> {
    let Some((first, rest)) = each.split_first() else {
        return Ok(vec![around.clone()]);
    };
    let mut all = Vec::new();
    for scope in first.scopes(around)? {
        all.extend(scopes(rest, &scope)?);
    }
    Ok(all)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place { path: Path, pipes: Vec<Pipe> },
}

/// Text with places, parsed. In TOML it is a plain string.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

impl TryFrom<String> for Template {
    type Error = TemplateError;
    fn try_from(text: String) -> Result<Self, TemplateError> {
        Self::parse(&text)
    }
}

impl Template {
    /// `{path|pipe}` is a place, `{{` and `}}` are braces.
    ///
    /// # Errors
    /// A brace without its partner, a wrong path, an unknown pipe (with the nearest name).
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let wrong = |reason: &str| TemplateError {
            text: text.chars().take(120).collect(),
            reason: reason.to_owned(),
        };
        if text.chars().count() > MAX_TEMPLATE_CHARS {
            return Err(wrong("longer than 2000 characters"));
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' if chars.next_if_eq(&'{').is_some() => plain.push('{'),
                '}' if chars.next_if_eq(&'}').is_some() => plain.push('}'),
                '}' => return Err(wrong("`}` without `{`; write `}}` for a brace")),
                '{' => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    let mut place = String::new();
                    let mut quoted = false;
                    loop {
                        match chars.next() {
                            None => return Err(wrong("`{` without `}`")),
                            Some('}') if !quoted => break,
                            Some(c) => {
                                quoted ^= c == '\'';
                                place.push(c);
                            }
                        }
                    }
                    parts.push(pipe::place(&place)?);
                }
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// The text as it stands in the mapping file.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The text with its places filled. `None` when there is nothing to show: an empty template, or every place empty.
    ///
    /// # Errors
    /// [`Fault`] names the path of a value that is missing though required, or not what a pipe needs.
    pub fn fill(&self, scope: &Scope<'_>) -> Result<Option<String>, Fault> {
        let mut out = String::new();
        Ok(self.fill_into(scope, &mut out)?.then_some(out))
    }

    /// Like [`Template::fill`], appending to `out`; false when there is nothing to show (and `out` is as before).
    ///
    /// # Errors
    /// As [`Template::fill`].
    pub fn fill_into(&self, scope: &Scope<'_>, out: &mut String) -> Result<bool, Fault> {
        let start = out.len();
        let (mut places, mut filled) = (0, 0);
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Place { path, pipes } => {
                    places += 1;
                    let mut piece = path.find(scope)?;
                    for pipe in pipes {
                        if let (Pipe::Or(other), Piece::Missing) = (pipe, &piece) {
                            piece = other.find(scope)?;
                        }
                        piece = pipe.apply(piece, scope.maps).map_err(|fault| Fault {
                            path: path.text.clone(),
                            ..fault
                        })?;
                    }
                    filled += usize::from(piece.write(out).map_err(|wanted| path.fault("a list", wanted))?);
                }
            }
        }
        let shown = out.len() > start && (places == 0 || filled > 0);
        if !shown {
            out.truncate(start);
        }
        Ok(shown)
    }

    /// Everything wrong with this template in itself: names the model does not have, tables the mapping does not have.
    /// `shape` is a scope over [`crate::mapping::model::shape`].
    #[must_use]
    pub fn faults(&self, shape: &Scope<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for part in &self.parts {
            let Part::Place { path, pipes } = part else {
                continue;
            };
            if let Err(fault) = path.find(shape) {
                faults.push(fault);
            }
            for pipe in pipes {
                if let Pipe::Or(other) = pipe
                    && let Err(fault) = other.find(shape)
                {
                    faults.push(fault);
                }
                if let Some(table) = pipe.table()
                    && !shape.maps.contains_key(table)
                {
                    let known: Vec<&str> = shape.maps.keys().map(String::as_str).collect();
                    let hint = nearest(table, known.iter().copied()).map_or_else(
                        || format!("a table `[maps.{table}]` in the mapping"),
                        |near| format!("a table of the mapping, perhaps `{near}`"),
                    );
                    faults.push(path.fault(format!("map({table})"), hint));
                }
            }
        }
        faults
    }

    /// True when a pipe says that an empty value is a fault.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Place { pipes, .. } => pipes.contains(&Pipe::Required),
            Part::Text(_) => false,
        })
    }
}

#[cfg(test)]
mod tests;
