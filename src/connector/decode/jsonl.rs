//! One JSON object a line. Lines that name a parent (`__parentId`) become lists of that parent, called by their type.

use std::collections::HashMap;

use super::{Content, DecodeError, Page};
use crate::connector::path::Tree as _;
use crate::connector::tree::{self, Node, Want};

const MAX_LINES: usize = 2_000_000;

struct Line<'a> {
    node: Node<'a>,
    /// Index of the line it belongs below.
    parent: Option<usize>,
    children: Vec<usize>,
}

fn text_of<'n>(node: &'n Node<'_>, name: &str) -> Option<&'n str> {
    match node.field(name)? {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

/// `LineItem` of `gid://shopify/LineItem/466`.
fn kind(node: &Node<'_>) -> String {
    let by_id = || text_of(node, "id")?.strip_prefix("gid://")?.split('/').nth(1);
    text_of(node, "__typename")
        .or_else(by_id)
        .unwrap_or("children")
        .to_owned()
}

/// The root holds the lines without a parent under `rows`.
pub(super) fn parse(bytes: &[u8]) -> Result<Page<'_>, DecodeError> {
    let want = Want::all();
    let mut lines: Vec<Option<Line<'_>>> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let mut parents: Vec<Option<String>> = Vec::new();
    for (number, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = u64::try_from(number + 1).unwrap_or(u64::MAX);
        let wrong = |why: String| DecodeError::Line { line: number, why };
        if lines.len() >= MAX_LINES {
            return Err(wrong(format!("more than {MAX_LINES} lines")));
        }
        let node = tree::parse(text, &want).map_err(|error| wrong(error.to_string()))?;
        if !matches!(node, Node::Map(_)) {
            return Err(wrong("no object".to_owned()));
        }
        parents.push(text_of(&node, "__parentId").map(str::to_owned));
        if let Some(id) = text_of(&node, "id") {
            by_id.insert(id.to_owned(), lines.len());
        }
        lines.push(Some(Line {
            node,
            parent: None,
            children: Vec::new(),
        }));
    }
    let mut orphans = 0;
    let mut roots = Vec::new();
    for (index, parent) in parents.into_iter().enumerate() {
        match parent {
            None => roots.push(index),
            Some(id) => match by_id.get(&id).filter(|parent| **parent != index) {
                Some(parent) => {
                    if let Some(Some(line)) = lines.get_mut(*parent) {
                        line.children.push(index);
                    }
                    if let Some(Some(line)) = lines.get_mut(index) {
                        line.parent = Some(*parent);
                    }
                }
                None => orphans += 1,
            },
        }
    }
    let objects = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    let rows = roots
        .into_iter()
        .filter_map(|index| assemble(&mut lines, index, 0))
        .collect();
    // What belongs to a circle of parents, or lies too deep, was reached from no root.
    let left = lines
        .iter()
        .flatten()
        .filter(|line| line.parent.is_some())
        .count();
    Ok(Page {
        content: Content::Tree(Node::Map(vec![("rows".into(), Node::List(rows))])),
        objects: Some(objects),
        orphans: orphans + u64::try_from(left).unwrap_or(u64::MAX),
    })
}

const MAX_DEPTH: usize = 16;

fn assemble<'a>(lines: &mut Vec<Option<Line<'a>>>, index: usize, depth: usize) -> Option<Node<'a>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let Line {
        mut node, children, ..
    } = lines.get_mut(index)?.take()?;
    for child in children {
        let Some(child) = assemble(lines, child, depth + 1) else {
            continue;
        };
        let (Node::Map(fields), name) = (&mut node, kind(&child)) else {
            continue;
        };
        match fields.iter_mut().find(|(known, _)| known.as_ref() == name) {
            Some((_, Node::List(items))) => items.push(child),
            Some(_) => {}
            None => fields.push((name.into(), Node::List(vec![child]))),
        }
    }
    Some(node)
}
