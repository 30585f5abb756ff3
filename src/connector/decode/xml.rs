//! XML as a tree that the same paths read: elements by their local name, attributes as `@name`, text beside them as
//! `#text`. Document types are refused: they can make the reader open files, or grow without end.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::DecodeError;
use crate::connector::tree::Node;

const MAX_DEPTH: usize = 64;
const MAX_ELEMENTS: usize = 2_000_000;

#[derive(Default)]
struct Element {
    name: String,
    fields: Vec<(String, Vec<Node<'static>>)>,
    text: String,
}

impl Element {
    fn put(&mut self, name: String, node: Node<'static>) {
        match self.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, nodes)) => nodes.push(node),
            None => self.fields.push((name, vec![node])),
        }
    }

    fn close(self) -> (String, Node<'static>) {
        let text = self.text.trim();
        if self.fields.is_empty() {
            let node = if text.is_empty() {
                Node::Null
            } else {
                Node::Text(Cow::Owned(text.to_owned()))
            };
            return (self.name, node);
        }
        let mut fields: Vec<(Cow<'static, str>, Node<'static>)> = self
            .fields
            .into_iter()
            .map(|(name, nodes)| (Cow::Owned(name), Node::Many(nodes)))
            .collect();
        if !text.is_empty() {
            fields.push((Cow::Borrowed("#text"), Node::Text(Cow::Owned(text.to_owned()))));
        }
        (self.name, Node::Map(fields))
    }
}

fn start(tag: &BytesStart<'_>) -> Result<Element, DecodeError> {
    let wrong = |why: String| DecodeError::Xml { why };
    let mut element = Element {
        name: tag.local_name().as_ref().to_owned(),
        ..Element::default()
    };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| wrong(error.to_string()))?;
        let name: &str = attribute.key.as_ref();
        if name == "xmlns" || name.starts_with("xmlns:") {
            continue;
        }
        let local: &str = attribute.key.local_name().into_inner();
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| wrong(error.to_string()))?;
        element.put(format!("@{local}"), Node::Text(Cow::Owned(value.into_owned())));
    }
    Ok(element)
}

pub(super) fn parse(text: &str) -> Result<Node<'static>, DecodeError> {
    let wrong = |why: String| DecodeError::Xml { why };
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| wrong(format!("{error} at byte {}", reader.error_position())))?;
        if matches!(event, Event::Start(_) | Event::Empty(_)) {
            count += 1;
            if open.len() > MAX_DEPTH || count > MAX_ELEMENTS {
                return Err(wrong("too deep or too large".to_owned()));
            }
        }
        match event {
            Event::Start(tag) => open.push(start(&tag)?),
            Event::Empty(tag) => {
                let (name, node) = start(&tag)?.close();
                if let Some(above) = open.last_mut() {
                    above.put(name, node);
                }
            }
            Event::End(_) => {
                let (name, node) = open.pop().unwrap_or_default().close();
                match open.last_mut() {
                    Some(above) => above.put(name, node),
                    None => return Err(wrong("an end without a start".to_owned())),
                }
            }
            Event::Text(words) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&words);
                }
            }
            Event::CData(words) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&words);
                }
            }
            Event::GeneralRef(entity) => {
                let sign = match entity.resolve_char_ref() {
                    Ok(Some(sign)) => sign.to_string(),
                    Ok(None) => resolve_predefined_entity(&entity)
                        .ok_or_else(|| wrong(format!("unknown entity `{}`", &*entity)))?
                        .to_owned(),
                    Err(error) => return Err(wrong(error.to_string())),
                };
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&sign);
                }
            }
            Event::DocType(_) => return Err(DecodeError::DocumentType),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(root), true) if !root.fields.is_empty() => Ok(root.close().1),
        (Some(_), true) => Err(wrong("no element".to_owned())),
        _ => Err(wrong("it is cut off".to_owned())),
    }
}
