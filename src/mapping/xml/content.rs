//! What an XSD says about order: for each element its children in sequence, how often each may stand, and its
//! attributes. Read from the schema files themselves, so that the author of a mapping never thinks about order.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// An expanded name in Clark's notation: `{namespace}local`.
pub type Name = String;

const XSD: &str = "http://www.w3.org/2001/XMLSchema";

#[must_use]
pub fn expanded(namespace: &str, local: &str) -> Name {
    format!("{{{namespace}}}{local}")
}

/// The part of an expanded name that people read.
#[must_use]
pub fn local(name: &str) -> &str {
    name.rsplit_once('}').map_or(name, |(_, local)| local)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    pub name: Name,
    pub min: u32,
    /// `None` is unbounded.
    pub max: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeRule {
    pub name: String,
    pub required: bool,
}

#[derive(Debug, Default)]
struct Shape {
    children: Vec<Child>,
    attributes: Vec<AttributeRule>,
    base: Option<Name>,
    has_text: bool,
    /// Holds constructs beyond plain sequences (choices, wildcards, derivation): only the validator judges it.
    opaque: bool,
}

/// What a mapping may put inside an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    Text,
    Children(&'a [Child]),
    Opaque,
}

#[derive(Debug, Default)]
pub struct ContentTable {
    types: BTreeMap<Name, Shape>,
    elements: BTreeMap<Name, Name>,
}

#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("read schema `{file}`")]
    Xml {
        file: String,
        #[source]
        source: quick_xml::Error,
    },
    #[error("schema `{file}`: {detail}")]
    Shape { file: String, detail: String },
    #[error("compile schema `{file}`")]
    Compile {
        file: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Derivation chains in real schemas are three long; a longer one is a cycle.
const MAX_BASES: usize = 8;

impl ContentTable {
    /// # Errors
    /// When a file is not XML or not an XSD.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, SchemaError> {
        let mut table = Self::default();
        for (file, text) in files {
            table.read_file(file, text)?;
        }
        Ok(table)
    }

    fn read_file(&mut self, file: &str, text: &str) -> Result<(), SchemaError> {
        let xml = |source| SchemaError::Xml {
            file: file.to_owned(),
            source,
        };
        let mut reader = NsReader::from_str(text);
        let mut target = String::new();
        // Name of the global type being read, and the open XSD elements above the cursor.
        let mut open_type: Option<Name> = None;
        let mut stack: Vec<String> = Vec::new();
        loop {
            let event = reader.read_event().map_err(xml)?;
            let (start, empty) = match &event {
                Event::Start(start) => (start, false),
                Event::Empty(start) => (start, true),
                Event::End(_) => {
                    if stack.pop().as_deref() == Some("complexType") && stack.len() == 1 {
                        open_type = None;
                    }
                    continue;
                }
                Event::Eof => return Ok(()),
                _ => continue,
            };
            let (namespace, local) = reader.resolver().resolve_element(start.name());
            let in_xsd = matches!(namespace, ResolveResult::Bound(bound) if bound.as_ref() == XSD);
            let tag = if in_xsd {
                local.as_ref().to_owned()
            } else {
                "other".to_owned()
            };
            let attributes = attributes_of(file, start)?;
            let resolve = |value: &str| -> Name {
                let name = quick_xml::name::QName(value);
                match reader.resolver().resolve_element(name) {
                    (ResolveResult::Bound(bound), local) => expanded(bound.as_ref(), local.as_ref()),
                    (_, local) => expanded("", local.as_ref()),
                }
            };
            match (tag.as_str(), stack.len()) {
                ("schema", 0) => {
                    target = attributes.get("targetNamespace").cloned().unwrap_or_default();
                }
                (_, 0) => {
                    return Err(SchemaError::Shape {
                        file: file.to_owned(),
                        detail: format!("the root is `{tag}`, not `schema`"),
                    });
                }
                ("element", 1) => {
                    if let (Some(name), Some(of_type)) = (attributes.get("name"), attributes.get("type")) {
                        self.elements.insert(expanded(&target, name), resolve(of_type));
                    }
                }
                ("complexType", 1) => {
                    let name = expanded(&target, attributes.get("name").map_or("", String::as_str));
                    self.types.insert(name.clone(), Shape::default());
                    open_type = (!empty).then_some(name);
                }
                _ => {
                    if let Some(shape) = open_type.as_ref().and_then(|name| self.types.get_mut(name)) {
                        shape.take(&tag, &attributes, &stack, &resolve);
                    }
                }
            }
            if !empty {
                stack.push(tag);
            }
        }
    }

    #[must_use]
    pub fn knows(&self, element: &str) -> bool {
        self.elements.contains_key(element)
    }

    /// What the element may hold; `None` when the schema does not know it.
    #[must_use]
    pub fn content(&self, element: &str) -> Option<Content<'_>> {
        let shape = self.types.get(self.elements.get(element)?);
        Some(match shape {
            None => Content::Text,
            Some(shape) if shape.opaque => Content::Opaque,
            Some(shape) if shape.has_text => Content::Text,
            Some(shape) => Content::Children(&shape.children),
        })
    }

    /// The attributes of an element with simple content: the most derived declaration of each name counts.
    #[must_use]
    pub fn attributes(&self, element: &str) -> Vec<&AttributeRule> {
        let mut rules: Vec<&AttributeRule> = Vec::new();
        let mut next = self.elements.get(element);
        for _ in 0..MAX_BASES {
            let Some(shape) = next.and_then(|name| self.types.get(name)) else {
                break;
            };
            for rule in &shape.attributes {
                if rules.iter().all(|known| known.name != rule.name) {
                    rules.push(rule);
                }
            }
            next = shape.base.as_ref();
        }
        rules
    }
}

impl Shape {
    fn take(
        &mut self,
        tag: &str,
        attributes: &BTreeMap<String, String>,
        stack: &[String],
        resolve: &dyn Fn(&str) -> Name,
    ) {
        if stack.iter().any(|open| open == "annotation") {
            return;
        }
        match tag {
            "element" => {
                // Only references directly in the one sequence of the type are a plain order.
                let plain = stack.len() == 3 && stack.last().is_some_and(|open| open == "sequence");
                let bound = |name: &str| attributes.get(name).map_or("1", String::as_str);
                match (plain, attributes.get("ref")) {
                    (true, Some(reference)) => self.children.push(Child {
                        name: resolve(reference),
                        min: bound("minOccurs").parse().unwrap_or(1),
                        max: bound("maxOccurs").parse().ok(),
                    }),
                    _ => self.opaque = true,
                }
            }
            "restriction" | "extension" => {
                self.base = attributes.get("base").map(|base| resolve(base));
            }
            "simpleContent" => self.has_text = true,
            "attribute" => {
                if let Some(name) = attributes.get("name") {
                    self.attributes.push(AttributeRule {
                        name: name.clone(),
                        required: attributes.get("use").is_some_and(|usage| usage == "required"),
                    });
                }
            }
            "sequence" | "annotation" => {}
            _ => self.opaque = true,
        }
    }
}

fn attributes_of(file: &str, start: &BytesStart<'_>) -> Result<BTreeMap<String, String>, SchemaError> {
    let fault = |detail: String| SchemaError::Shape {
        file: file.to_owned(),
        detail,
    };
    start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.map_err(|error| fault(error.to_string()))?;
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|error| fault(error.to_string()))?;
            Ok((attribute.key.as_ref().to_owned(), value.into_owned()))
        })
        .collect()
}
