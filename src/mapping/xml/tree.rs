//! An XML document as a tree: written deterministically, read with limits and without any entity of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::content::{Name, expanded};
use crate::problem::Problem;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    pub name: Name,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Node>,
}

const MAX_BYTES: usize = 64 << 20;
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 2_000_000;

impl Node {
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// All nodes below at a path of expanded names.
    #[must_use]
    pub fn all<'a>(&'a self, path: &[Name]) -> Vec<&'a Node> {
        path.iter().fold(vec![self], |nodes, step| {
            nodes
                .into_iter()
                .flat_map(|node| node.children.iter().filter(move |child| child.name == *step))
                .collect()
        })
    }
}

/// True for the characters that XML 1.0 can hold at all.
#[must_use]
pub fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Writes the document with two spaces of indent. `prefixes` maps namespaces to prefixes; the empty prefix is the default.
#[must_use]
pub fn write(root: &Node, prefixes: &BTreeMap<String, String>) -> Vec<u8> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let declarations: Vec<(String, String)> = prefixes
        .iter()
        .map(|(namespace, prefix)| match prefix.is_empty() {
            true => ("xmlns".to_owned(), namespace.clone()),
            false => (format!("xmlns:{prefix}"), namespace.clone()),
        })
        .collect();
    write_node(&mut out, root, prefixes, &declarations, 0);
    out.into_bytes()
}

fn write_node(
    out: &mut String,
    node: &Node,
    prefixes: &BTreeMap<String, String>,
    declarations: &[(String, String)],
    depth: usize,
) {
    let name = prefixed(&node.name, prefixes);
    let indent = "  ".repeat(depth);
    let _ = write!(out, "{indent}<{name}");
    let mut declared: Vec<&(String, String)> = declarations.iter().collect();
    declared.sort();
    for (key, value) in declared.into_iter().chain(&node.attributes) {
        let _ = write!(out, " {key}=\"{}\"", escaped(value, true));
    }
    if node.children.is_empty() && node.text.is_empty() {
        out.push_str("/>\n");
    } else if node.children.is_empty() {
        let _ = writeln!(out, ">{}</{name}>", escaped(&node.text, false));
    } else {
        out.push_str(">\n");
        for child in &node.children {
            write_node(out, child, prefixes, &[], depth + 1);
        }
        let _ = writeln!(out, "{indent}</{name}>");
    }
}

/// `cbc:ID` of `{urn:…}ID`.
#[must_use]
pub fn prefixed(name: &str, prefixes: &BTreeMap<String, String>) -> String {
    let split = name.strip_prefix('{').and_then(|rest| rest.rsplit_once('}'));
    match split.and_then(|(namespace, local)| prefixes.get(namespace).map(|prefix| (prefix, local))) {
        Some((prefix, local)) if prefix.is_empty() => local.to_owned(),
        Some((prefix, local)) => format!("{prefix}:{local}"),
        None => name.strip_prefix("{}").unwrap_or(name).to_owned(),
    }
}

/// A carriage return, and line breaks in an attribute, only survive a parser as character references.
fn escaped(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' if attribute => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Reads a foreign or own document. `file` names it in problems.
///
/// # Errors
/// Not UTF-8, not well-formed, a DOCTYPE (external entities and entity bombs live there), or beyond the limits.
pub fn read(file: &str, bytes: &[u8]) -> Result<Node, Problem> {
    let refuse = |place: String, found: &str, wanted: &str| Problem::new(file, place, "", found, wanted);
    if bytes.len() > MAX_BYTES {
        return Err(refuse(
            String::new(),
            &format!("{} bytes", bytes.len()),
            "at most 64 MiB",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        refuse(
            format!("byte {}", error.valid_up_to()),
            "other bytes",
            "UTF-8 text",
        )
    })?;
    if let Some((at, bad)) = text.char_indices().find(|(_, c)| !is_legal(*c)) {
        let found = format!("U+{:04X}", u32::from(bad));
        return Err(refuse(
            format!("byte {at}"),
            &found,
            "characters that XML can hold",
        ));
    }
    let mut reader = NsReader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open: Vec<Node> = Vec::new();
    let mut root: Option<Node> = None;
    let mut nodes = 0_usize;
    loop {
        let at = format!("byte {}", reader.buffer_position());
        let event = reader
            .read_event()
            .map_err(|error| refuse(at.clone(), &error.to_string(), "well-formed XML"))?;
        match event {
            Event::Start(start) => {
                nodes += 1;
                if open.len() >= MAX_DEPTH || nodes > MAX_NODES {
                    return Err(refuse(at, "more", "at most 64 levels and 2,000,000 elements"));
                }
                if open.is_empty() && root.is_some() {
                    return Err(refuse(at, "a second root element", "one root element"));
                }
                open.push(node_of(&reader, &start).map_err(|found| refuse(at, &found, "well-formed XML"))?);
            }
            Event::Empty(start) => {
                nodes += 1;
                if nodes > MAX_NODES {
                    return Err(refuse(at, "more", "at most 2,000,000 elements"));
                }
                let node = node_of(&reader, &start)
                    .map_err(|found| refuse(at.clone(), &found, "well-formed XML"))?;
                close(node, &mut open, &mut root).map_err(|found| refuse(at, found, "one root element"))?;
            }
            Event::End(_) => {
                let Some(mut node) = open.pop() else {
                    return Err(refuse(at, "an end tag", "a start tag before it"));
                };
                // Space between elements is layout, not content.
                if !node.children.is_empty() && node.text.trim().is_empty() {
                    node.text.clear();
                }
                close(node, &mut open, &mut root).map_err(|found| refuse(at, found, "one root element"))?;
            }
            Event::Text(part) => {
                let text = part.xml10_content();
                match open.last_mut() {
                    Some(node) => node.text.push_str(&text),
                    None if text.trim().is_empty() => {}
                    None => return Err(refuse(at, &text, "text only inside the root element")),
                }
            }
            Event::CData(part) => match open.last_mut() {
                Some(node) => node.text.push_str(&part.xml10_content()),
                None => return Err(refuse(at, "CDATA", "text only inside the root element")),
            },
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content().into_owned();
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(c)) => Some(c),
                    Ok(None) => match name.as_str() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    },
                    Err(_) => None,
                };
                match (resolved.filter(|c| is_legal(*c)), open.last_mut()) {
                    (Some(c), Some(node)) => node.text.push(c),
                    _ => return Err(refuse(at, &format!("&{name};"), "only the five entities of XML")),
                }
            }
            Event::DocType(_) => return Err(refuse(at, "a DOCTYPE", "a document without one")),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
    match (root, open.is_empty()) {
        (Some(root), true) => Ok(root),
        _ => Err(refuse(
            format!("byte {}", bytes.len()),
            "the end",
            "a whole document",
        )),
    }
}

fn close(node: Node, open: &mut [Node], root: &mut Option<Node>) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(parent) => parent.children.push(node),
        None if root.is_none() => *root = Some(node),
        None => return Err("a second root element"),
    }
    Ok(())
}

fn node_of(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Node, String> {
    let name = match reader.resolver().resolve_element(start.name()) {
        (ResolveResult::Bound(namespace), local) => expanded(namespace.as_ref(), local.as_ref()),
        (ResolveResult::Unbound, local) => expanded("", local.as_ref()),
        (ResolveResult::Unknown(prefix), _) => return Err(format!("the undeclared prefix `{prefix}`")),
    };
    let mut node = Node::new(name);
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let key = attribute.key.as_ref();
        if key == "xmlns" || key.starts_with("xmlns:") {
            continue;
        }
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        node.attributes.push((key.to_owned(), value.into_owned()));
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes() -> BTreeMap<String, String> {
        BTreeMap::from([
            ("urn:a".to_owned(), String::new()),
            ("urn:b".to_owned(), "b".to_owned()),
        ])
    }

    #[test]
    fn hard_text_survives_writing_and_reading() {
        let hard = "Tea & <Coffee> ]]> \"5'\" 箱唛📦\r\nend";
        let mut leaf = Node::new(expanded("urn:b", "Note"));
        leaf.text = hard.to_owned();
        leaf.attributes.push(("name".to_owned(), format!("{hard}\t")));
        let mut root = Node::new(expanded("urn:a", "Root"));
        root.children.push(leaf);
        let bytes = write(&root, &prefixes());
        assert_eq!(read("x.xml", &bytes).unwrap(), root);
    }

    #[test]
    fn a_doctype_is_refused_before_anything_is_expanded() {
        let external = r#"<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>"#;
        let laughs = r#"<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><r>&b;</r>"#;
        for text in [
            external,
            laughs,
            "<!DOCTYPE r SYSTEM \"http://example.test/r.dtd\"><r/>",
        ] {
            assert_eq!(read("x.xml", text.as_bytes()).unwrap_err().found, "a DOCTYPE");
        }
        assert_eq!(read("x.xml", b"<r>&x;</r>").unwrap_err().found, "&x;");
    }

    #[test]
    fn broken_and_hostile_documents_are_refused() {
        let deep = "<a>".repeat(100);
        for text in [
            "",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><a/>",
            "<a/>text",
            "<p:a/>",
            "<a>&#1;</a>",
            "<a b='1' b='2'/>",
            &deep,
        ] {
            assert!(read("x.xml", text.as_bytes()).is_err(), "{text}");
        }
        assert!(read("x.xml", b"<a>\xff</a>").is_err());
        assert_eq!(read("x.xml", b"<a>\x01</a>").unwrap_err().found, "U+0001");
    }
}
