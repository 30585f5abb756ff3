//! Where something stands in a TOML text: from a name such as `stream.stock.map.available` or `sign[2].key` to a line
//! and a column, and back from an offset to the name.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::problem::Problem;

/// `line 3, column 5`, both counted from 1, columns in characters.
#[must_use]
pub fn place_at(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(1, |start| start.chars().count() + 1);
    format!("line {line}, column {column}")
}

/// Faults of a file with the line they stand in.
#[derive(Debug)]
pub struct Faults<'t> {
    file: &'t str,
    text: &'t str,
    pub problems: Vec<Problem>,
}

impl<'t> Faults<'t> {
    #[must_use]
    pub fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            file,
            text,
            problems: Vec::new(),
        }
    }

    /// `at` is the table, such as `rate[2]`.
    pub fn add(&mut self, at: &str, field: &str, found: &str, wanted: &str) {
        let field = format!("{at}.{field}");
        let place = locate(self.text, &field, found);
        self.problems
            .push(Problem::new(self.file, place, field, found, wanted));
    }
}

/// The place of `found` at the dotted name `field`; of the nearest table above it that exists, when it does not; empty
/// when nothing of it is there.
#[must_use]
pub fn locate(text: &str, field: &str, found: &str) -> String {
    let Ok(table) = DeTable::parse(text) else {
        return String::new();
    };
    let root = Spanned::new(0..0, DeValue::Table(table.into_inner()));
    let (mut at, mut node) = (None, &root);
    for part in field.split('.') {
        let (name, index) = indexed(part);
        let Some((start, value)) = entry(node, name) else {
            break;
        };
        (at, node) = (Some(start), value);
        if let Some(element) = index.and_then(|index| element(node, index)) {
            (at, node) = (Some(element.span().start), element);
        }
    }
    let inside = if found.is_empty() {
        None
    } else {
        spot(text, node, found)
    };
    inside
        .or(at)
        .map_or_else(String::new, |offset| place_at(text, offset))
}

/// `rules[2]`: the name, and the element counted from 0.
fn indexed(part: &str) -> (&str, Option<usize>) {
    let index = part.split_once('[').and_then(|(name, rest)| {
        Some((
            name,
            rest.strip_suffix(']')?.parse::<usize>().ok()?.checked_sub(1)?,
        ))
    });
    match index {
        Some((name, index)) => (name, Some(index)),
        None => (part, None),
    }
}

fn entry<'n, 'i>(node: &'n Spanned<DeValue<'i>>, name: &str) -> Option<(usize, &'n Spanned<DeValue<'i>>)> {
    let DeValue::Table(table) = node.get_ref() else {
        return None;
    };
    table
        .iter()
        .find(|(key, _)| key.get_ref().as_ref() == name)
        .map(|(key, value)| (key.span().start, value))
}

fn element<'n, 'i>(node: &'n Spanned<DeValue<'i>>, index: usize) -> Option<&'n Spanned<DeValue<'i>>> {
    match node.get_ref() {
        DeValue::Array(array) => array.get(index),
        _ => None,
    }
}

/// Where a text stands in a value: as a key, as a value of its own, or inside a text.
fn spot(text: &str, node: &Spanned<DeValue<'_>>, found: &str) -> Option<usize> {
    match node.get_ref() {
        DeValue::Table(table) => entry(node, found)
            .map(|(start, _)| start)
            .or_else(|| table.iter().find_map(|(_, value)| spot(text, value, found))),
        DeValue::Array(array) => array.iter().find_map(|value| spot(text, value, found)),
        _ => within(text, node.span(), found),
    }
}

/// Where a name stands inside a value, not as a part of a longer name.
#[must_use]
pub fn within(text: &str, span: std::ops::Range<usize>, found: &str) -> Option<usize> {
    let source = text.get(span.clone())?;
    let is_name = |sign: char| sign.is_alphanumeric() || sign == '_';
    let alone = |at: usize| {
        let before = source.get(..at).and_then(|before| before.chars().next_back());
        let after = source
            .get(at + found.len()..)
            .and_then(|after| after.chars().next());
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    };
    let mut all = source.match_indices(found).map(|(at, _)| at);
    all.clone()
        .find(|at| alone(*at))
        .or_else(|| all.next())
        .map(|at| span.start + at)
}

/// The way to a value that holds an offset.
#[derive(Default)]
pub(super) struct Way {
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Element(usize),
}

impl Way {
    /// As a person would name it, behind the name of what holds it.
    pub fn name(&self, above: &str) -> String {
        let mut name = above.to_owned();
        for step in &self.steps {
            match step {
                Step::Key(key) => {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(key);
                }
                Step::Element(index) => name.push_str(&format!("[{}]", index + 1)),
            }
        }
        name
    }
}

/// The innermost value whose key or text holds the offset. Tables under headings of their own lie outside of the span
/// of what holds them, so that every table is looked into.
pub(super) fn way_to(node: &Spanned<DeValue<'_>>, offset: usize) -> Option<Way> {
    let own = |span: std::ops::Range<usize>| span.contains(&offset);
    match node.get_ref() {
        DeValue::Table(table) => {
            for (key, value) in table {
                let step = Step::Key(key.get_ref().to_string());
                let inner = way_to(value, offset);
                let here = (own(key.span()) || own(value.span())).then(Way::default);
                if let Some(mut way) = inner.or(here) {
                    way.steps.insert(0, step);
                    return Some(way);
                }
            }
            None
        }
        DeValue::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                let here = || own(value.span()).then(Way::default);
                if let Some(mut way) = way_to(value, offset).or_else(here) {
                    way.steps.insert(0, Step::Element(index));
                    return Some(way);
                }
            }
            None
        }
        _ => None,
    }
}

/// Calls a key by another name, unless there is one of that name already.
pub(super) fn rename(node: &mut Spanned<DeValue<'_>>, way: &[Step], name: &str) -> bool {
    let Some((Step::Key(key), above)) = way.split_last() else {
        return false;
    };
    let Some(DeValue::Table(table)) = inner(node, above).map(Spanned::get_mut) else {
        return false;
    };
    if key_of(table, name).is_some() {
        return false;
    }
    let Some(mut key) = key_of(table, key) else {
        return false;
    };
    let Some(value) = table.remove(&key) else {
        return false;
    };
    *key.get_mut() = name.to_owned().into();
    table.insert(key, value);
    true
}

fn key_of<'i>(table: &DeTable<'i>, name: &str) -> Option<Spanned<DeString<'i>>> {
    table.keys().find(|key| key.get_ref().as_ref() == name).cloned()
}

fn inner<'n, 'i>(node: &'n mut Spanned<DeValue<'i>>, way: &[Step]) -> Option<&'n mut Spanned<DeValue<'i>>> {
    let Some((first, rest)) = way.split_first() else {
        return Some(node);
    };
    let next = match (node.get_mut(), first) {
        (DeValue::Table(table), Step::Key(name)) => table
            .iter_mut()
            .find(|(key, _)| key.get_ref().as_ref() == name.as_str())
            .map(|(_, value)| value),
        (DeValue::Array(array), Step::Element(index)) => array.get_mut(*index),
        _ => None,
    };
    inner(next?, rest)
}

/// Puts a value under a key that is not there or was put there before; key and value stand at the
/// offset. False: there is no table for it.
pub(super) fn put<'i>(node: &mut Spanned<DeValue<'i>>, way: &[Step], value: DeValue<'i>, at: usize) -> bool {
    without(node, way);
    let Some((Step::Key(name), above)) = way.split_last() else {
        return false;
    };
    let Some(DeValue::Table(table)) = inner(node, above).map(Spanned::get_mut) else {
        return false;
    };
    let key = Spanned::new(at..at + 1, name.clone().into());
    table.insert(key, Spanned::new(at..at + 1, value));
    true
}

/// Takes away what a fault was about, so that the next one shows. False: it is not there.
pub(super) fn without(node: &mut Spanned<DeValue<'_>>, way: &[Step]) -> bool {
    let Some((Step::Key(name), above)) = way.split_last() else {
        return false;
    };
    let Some(DeValue::Table(table)) = inner(node, above).map(Spanned::get_mut) else {
        return false;
    };
    let key = key_of(table, name);
    key.is_some_and(|key| table.remove(&key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[stream.\"库存\"]\nbody = { w = \"{warehose}\", n = 2 }\n[[sign]]\nkey = \"x\"\n[[sign]]\nkey = \"yy\"\n";

    #[test]
    fn names_lead_to_lines_and_columns() {
        let said = |field: &str, found: &str| locate(TEXT, field, found);
        assert_eq!(said("a", ""), "line 1, column 1");
        assert_eq!(said("stream.库存.body", "warehose"), "line 3, column 16");
        assert_eq!(said("stream.库存.body.n", "2"), "line 3, column 32");
        assert_eq!(said("sign[2].key", "yy"), "line 7, column 8");
        assert_eq!(said("stream.库存.map.sku", ""), "line 2, column 9");
        assert_eq!(said("nothing", ""), "");
    }

    #[test]
    fn a_name_is_not_found_inside_a_longer_one() {
        let text = "x = \"{pages}{page}\"";
        assert_eq!(locate(text, "x", "page"), "line 1, column 14");
    }
}
