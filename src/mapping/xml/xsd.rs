//! Reads an XSD file as a tree of its own elements, without annotations and with every name it refers to resolved.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::content::{SchemaError, expanded};

const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// `xs:element name="ID" type="ds:IDType"`, and what stands inside it.
#[derive(Debug, Default)]
pub(super) struct XsdNode {
    /// The local name; `other` for anything outside the XSD namespace.
    pub tag: String,
    /// `type`, `base` and `ref` are expanded names.
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<XsdNode>,
}

impl XsdNode {
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(String::as_str)
    }

    pub fn child(&self, tag: &str) -> Option<&XsdNode> {
        self.children.iter().find(|child| child.tag == tag)
    }

    pub fn min(&self) -> u32 {
        self.get("minOccurs")
            .and_then(|text| text.parse().ok())
            .unwrap_or(1)
    }

    /// `None` is unbounded.
    pub fn max(&self) -> Option<u32> {
        match self.get("maxOccurs") {
            None => Some(1),
            Some(text) => text.parse().ok(),
        }
    }
}

/// The `schema` element of a file.
pub(super) fn read(file: &str, text: &str) -> Result<XsdNode, SchemaError> {
    let shape = |detail: String| SchemaError::Shape {
        file: file.to_owned(),
        detail,
    };
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<XsdNode> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|source| SchemaError::Xml {
            file: file.to_owned(),
            source,
        })?;
        let closed = match &event {
            Event::Start(start) => {
                let node = node(&reader, file, start)?;
                open.push(node);
                continue;
            }
            Event::Empty(start) => node(&reader, file, start)?,
            Event::End(_) => open
                .pop()
                .ok_or_else(|| shape("an end without a start".to_owned()))?,
            Event::Eof => return Err(shape("no whole `schema`".to_owned())),
            _ => continue,
        };
        match open.last_mut() {
            Some(parent) if closed.tag == "annotation" || parent.tag == "annotation" => {}
            Some(parent) => parent.children.push(closed),
            None if closed.tag == "schema" => return Ok(closed),
            None => return Err(shape(format!("the root is `{}`, not `schema`", closed.tag))),
        }
    }
}

fn node(reader: &NsReader<&[u8]>, file: &str, start: &BytesStart<'_>) -> Result<XsdNode, SchemaError> {
    let fault = |detail: String| SchemaError::Shape {
        file: file.to_owned(),
        detail,
    };
    let (namespace, local) = reader.resolver().resolve_element(start.name());
    let in_xsd = matches!(namespace, ResolveResult::Bound(bound) if bound.as_ref() == XSD);
    let mut node = XsdNode {
        tag: match in_xsd {
            true => local.as_ref().to_owned(),
            false => "other".to_owned(),
        },
        ..XsdNode::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| fault(error.to_string()))?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| fault(error.to_string()))?;
        let key = attribute.key.as_ref().to_owned();
        let value = match key.as_str() {
            "type" | "base" | "ref" => {
                match reader.resolver().resolve_element(quick_xml::name::QName(&value)) {
                    (ResolveResult::Bound(bound), local) => expanded(bound.as_ref(), local.as_ref()),
                    (_, local) => expanded("", local.as_ref()),
                }
            }
            _ => value.into_owned(),
        };
        node.attributes.insert(key, value);
    }
    Ok(node)
}
