//! What a schema says about order: for each type its children, how often each may stand, and its attributes. Read from
//! the schema files themselves, so that the author of a mapping never thinks about order. A JSON Schema fills the same
//! table (`json_schema.rs`): a member is an element, a list is an element that repeats.

use std::collections::BTreeMap;

use super::facets::{self, Facets};
use super::xsd::{self, XsdNode};

/// An expanded name in Clark's notation: `{namespace}local`.
pub type Name = String;

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
    /// The name of its type: the same element name means different things in different places.
    pub of_type: Name,
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
pub(in crate::mapping) struct Shape {
    pub children: Vec<Child>,
    /// `xs:all` and JSON: the children may stand in any order. We write them in the order of the schema all the same.
    pub any_order: bool,
    pub attributes: Vec<AttributeRule>,
    pub base: Option<Name>,
    pub has_text: bool,
    /// Holds constructs beyond lists of elements (choices, wildcards, derivation): only the validator judges it.
    pub opaque: bool,
}

/// What a mapping may put inside an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    Text,
    Children { rules: &'a [Child], any_order: bool },
    Opaque,
}

#[derive(Debug, Default)]
pub struct ContentTable {
    types: BTreeMap<Name, Shape>,
    /// The elements a document may begin with, and those that are referred to: their types.
    elements: BTreeMap<Name, Name>,
    /// What plain values may be.
    values: BTreeMap<Name, Facets>,
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
/// A wildcard that takes any root element of one namespace, until all files are read.
const WILDCARD: &str = "*";

impl ContentTable {
    /// # Errors
    /// When a file is not XML or not an XSD.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, SchemaError> {
        let mut table = Self::default();
        for (file, text) in files {
            let schema = xsd::read(file, text)?;
            let reading = Reading {
                target: schema.get("targetNamespace").unwrap_or_default(),
                qualified: schema.get("elementFormDefault") == Some("qualified"),
                schema: &schema,
            };
            reading
                .into_table(&mut table)
                .map_err(|detail| SchemaError::Shape {
                    file: file.to_owned(),
                    detail,
                })?;
        }
        table.resolve();
        Ok(table)
    }

    pub(in crate::mapping) fn of_shapes(
        types: BTreeMap<Name, Shape>,
        elements: BTreeMap<Name, Name>,
    ) -> Self {
        Self {
            types,
            elements,
            values: BTreeMap::new(),
        }
    }

    /// Gives references their type and wildcards their elements.
    fn resolve(&mut self) {
        let elements = std::mem::take(&mut self.elements);
        for shape in self.types.values_mut() {
            let mut children = Vec::with_capacity(shape.children.len());
            for mut child in std::mem::take(&mut shape.children) {
                match child.name.strip_suffix(WILDCARD) {
                    Some(namespace) => {
                        let inside = elements.iter().filter(|(name, _)| {
                            name.strip_prefix(namespace)
                                .is_some_and(|rest| !rest.contains('}'))
                        });
                        children.extend(inside.map(|(name, of_type)| Child {
                            name: name.clone(),
                            of_type: of_type.clone(),
                            ..child
                        }));
                    }
                    None => {
                        if child.of_type.is_empty() {
                            child.of_type = elements.get(&child.name).cloned().unwrap_or_default();
                        }
                        children.push(child);
                    }
                }
            }
            shape.children = children;
        }
        self.elements = elements;
    }

    /// The type of a root element; `None` when the schema does not know it.
    #[must_use]
    pub fn root(&self, element: &str) -> Option<&str> {
        self.elements.get(element).map(String::as_str)
    }

    /// What an element of the type may hold. A type without a shape is a plain value.
    #[must_use]
    pub fn content(&self, of_type: &str) -> Content<'_> {
        match self.types.get(of_type) {
            None => Content::Text,
            Some(shape) if shape.opaque => Content::Opaque,
            Some(shape) if shape.has_text => Content::Text,
            Some(shape) => Content::Children {
                rules: &shape.children,
                any_order: shape.any_order,
            },
        }
    }

    /// The attributes of a type: the most derived declaration of each name counts.
    #[must_use]
    pub fn attributes(&self, of_type: &str) -> Vec<&AttributeRule> {
        let mut rules: Vec<&AttributeRule> = Vec::new();
        let mut next = self.types.get(of_type);
        for _ in 0..MAX_BASES {
            let Some(shape) = next else {
                break;
            };
            for rule in &shape.attributes {
                if rules.iter().all(|known| known.name != rule.name) {
                    rules.push(rule);
                }
            }
            next = shape.base.as_ref().and_then(|base| self.types.get(base));
        }
        rules
    }

    /// What is wrong with a plain value of the type.
    #[must_use]
    pub fn value_fault(&self, of_type: &str, text: &str) -> Option<String> {
        facets::fault(&self.values, of_type, text)
    }

    /// The child of that name, in an element of the type.
    #[must_use]
    pub fn child(&self, of_type: &str, name: &str) -> Option<&Child> {
        match self.content(of_type) {
            Content::Children { rules, .. } => rules.iter().find(|rule| rule.name == name),
            _ => None,
        }
    }
}

/// One XSD file on its way into the table.
struct Reading<'a> {
    target: &'a str,
    qualified: bool,
    schema: &'a XsdNode,
}

impl Reading<'_> {
    fn into_table(self, table: &mut ContentTable) -> Result<(), String> {
        for node in &self.schema.children {
            let Some(name) = node.get("name").map(|name| expanded(self.target, name)) else {
                continue;
            };
            match node.tag.as_str() {
                "complexType" => self.complex_type(name, node, table)?,
                "simpleType" => simple_type(name, node, table)?,
                "element" => {
                    let of_type = self.type_of(&name, node, table)?;
                    table.elements.insert(name, of_type);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The named type of an element, or its own one, which is called after the place it stands at.
    fn type_of(&self, place: &str, element: &XsdNode, table: &mut ContentTable) -> Result<Name, String> {
        if let Some(name) = element.get("type") {
            return Ok(name.to_owned());
        }
        let own = format!("{place}/");
        for node in &element.children {
            match node.tag.as_str() {
                "complexType" => self.complex_type(own.clone(), node, table)?,
                "simpleType" => simple_type(own.clone(), node, table)?,
                _ => {}
            }
        }
        Ok(own)
    }

    fn complex_type(&self, name: Name, node: &XsdNode, table: &mut ContentTable) -> Result<(), String> {
        let mut shape = Shape::default();
        for part in &node.children {
            match part.tag.as_str() {
                "sequence" | "all" => {
                    shape.any_order = part.tag == "all";
                    let once = part.min() == 1 && part.max() == Some(1);
                    shape.opaque |= !once || !self.particles(&name, part, &mut shape.children, table)?;
                }
                "choice" => {
                    shape.opaque |= !self.choice(&name, part, &mut shape.children, table)?;
                }
                "simpleContent" => {
                    shape.has_text = true;
                    for derived in &part.children {
                        shape.base = derived.get("base").map(str::to_owned);
                        table.values.insert(name.clone(), Facets::read(derived)?);
                        for inner in derived.children.iter().filter(|inner| inner.tag == "attribute") {
                            attribute(inner, &mut shape);
                        }
                    }
                }
                "attribute" => attribute(part, &mut shape),
                _ => shape.opaque = true,
            }
        }
        table.types.insert(name, shape);
        Ok(())
    }

    /// Appends the elements of a sequence; false when it holds something that is no plain list.
    fn particles(
        &self,
        owner: &str,
        list: &XsdNode,
        children: &mut Vec<Child>,
        table: &mut ContentTable,
    ) -> Result<bool, String> {
        for node in &list.children {
            if !self.particle(owner, node, children, table)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn particle(
        &self,
        owner: &str,
        node: &XsdNode,
        children: &mut Vec<Child>,
        table: &mut ContentTable,
    ) -> Result<bool, String> {
        let (min, max) = (node.min(), node.max());
        match node.tag.as_str() {
            "element" => {
                let (name, of_type) = match (node.get("ref"), node.get("name")) {
                    (Some(reference), _) => (reference.to_owned(), String::new()),
                    (None, Some(name)) => {
                        let namespace = if self.qualified { self.target } else { "" };
                        let of_type = self.type_of(&format!("{owner}/{name}"), node, table)?;
                        (expanded(namespace, name), of_type)
                    }
                    (None, None) => return Ok(false),
                };
                children.push(Child {
                    name,
                    of_type,
                    min,
                    max,
                });
                Ok(true)
            }
            "choice" => self.choice(owner, node, children, table),
            "group" => {
                let group = node.get("ref").and_then(|reference| {
                    let mut groups = self.schema.children.iter().filter(|one| one.tag == "group");
                    groups.find(|group| group.get("name") == Some(local(reference)))
                });
                let inside = group.and_then(|group| group.children.first());
                match inside {
                    Some(list) => self.particles(owner, list, children, table),
                    None => Ok(false),
                }
            }
            // Any root element of one namespace, judged strictly: the elements are those that are carried.
            "any" if node.get("processContents") == Some("strict") => {
                let namespace = node.get("namespace").unwrap_or("##any");
                children.push(Child {
                    name: expanded(namespace, WILDCARD),
                    of_type: String::new(),
                    min: 0,
                    max,
                });
                Ok(!namespace.starts_with("##"))
            }
            _ => Ok(false),
        }
    }

    /// A choice of one thing is that thing. A choice between groups, each of another namespace, is what is carried of them.
    fn choice(
        &self,
        owner: &str,
        choice: &XsdNode,
        children: &mut Vec<Child>,
        table: &mut ContentTable,
    ) -> Result<bool, String> {
        let once = choice.min() == 1 && choice.max() == Some(1);
        let plain = choice.children.len() == 1 || choice.children.iter().all(|part| part.tag == "group");
        Ok(once && plain && self.particles(owner, choice, children, table)?)
    }
}

/// The facets of a simple type; a union or a list is left to the validator.
fn simple_type(name: Name, node: &XsdNode, table: &mut ContentTable) -> Result<(), String> {
    if let Some(derived) = node.child("restriction") {
        table.values.insert(name, Facets::read(derived)?);
    }
    Ok(())
}

fn attribute(node: &XsdNode, shape: &mut Shape) {
    if let Some(name) = node.get("name") {
        shape.attributes.push(AttributeRule {
            name: name.to_owned(),
            required: node.get("use") == Some("required"),
        });
    }
}
