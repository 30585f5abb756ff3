//! Changing attributes and texts inside an XML part while every other byte of it stays.

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::Event;

use super::package::attributes;

/// One value of a part that may be changed.
pub(super) struct Spot<'a> {
    /// Local names of the elements around it, its own element last.
    pub path: &'a [String],
    /// Local name of the attribute; `None` for the text of the element.
    pub attribute: Option<&'a str>,
    pub value: &'a str,
}

impl Spot<'_> {
    pub(super) fn element(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    pub(super) fn parent(&self) -> &str {
        let mut names = self.path.iter().rev().skip(1);
        names.next().map_or("", String::as_str)
    }

    pub(super) fn is(&self, element: &str, attribute: &str) -> bool {
        self.attribute == Some(attribute) && self.element() == element
    }

    pub(super) fn is_text_of(&self, element: &str) -> bool {
        self.attribute.is_none() && self.element() == element
    }
}

/// The XML with every attribute and text changed for which `change` gives a new value. `xml` may be the end of a
/// part: closing tags of elements that began before it are let through.
pub(super) fn edited(
    xml: &str,
    change: &mut dyn FnMut(&Spot<'_>) -> Option<String>,
) -> Result<String, quick_xml::Error> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let position = |reader: &Reader<&[u8]>| usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
    let mut out = String::with_capacity(xml.len() + xml.len() / 8);
    let mut path: Vec<String> = Vec::new();
    // The text of the innermost element, gathered over entities, with the place where it began.
    let mut text: Option<(usize, String)> = None;
    loop {
        let start = position(&reader);
        let event = reader.read_event()?;
        let end = position(&reader);
        let raw = xml.get(start..end).unwrap_or_default();
        match event {
            Event::Text(piece) => {
                let (_, gathered) = text.get_or_insert_with(|| (out.len(), String::new()));
                gathered.push_str(&unescape(&piece)?);
                out.push_str(raw);
                continue;
            }
            Event::GeneralRef(entity) => {
                let piece = format!("&{};", entity.xml10_content());
                let (_, gathered) = text.get_or_insert_with(|| (out.len(), String::new()));
                gathered.push_str(&unescape(&piece)?);
                out.push_str(raw);
                continue;
            }
            Event::Start(tag) => {
                path.push(tag.local_name().as_ref().to_owned());
                out.push_str(&edited_tag(raw, &path, &attributes(&tag)?, change));
            }
            Event::Empty(tag) => {
                path.push(tag.local_name().as_ref().to_owned());
                out.push_str(&edited_tag(raw, &path, &attributes(&tag)?, change));
                path.pop();
            }
            Event::End(_) => {
                if let Some((from, value)) = text.take() {
                    let spot = Spot {
                        path: &path,
                        attribute: None,
                        value: &value,
                    };
                    if let Some(now) = change(&spot) {
                        out.truncate(from);
                        out.push_str(&escape(now.as_str()));
                    }
                }
                path.pop();
                out.push_str(raw);
            }
            Event::Eof => {
                out.push_str(raw);
                return Ok(out);
            }
            _ => out.push_str(raw),
        }
        text = None;
    }
}

fn edited_tag(
    raw: &str,
    path: &[String],
    found: &std::collections::BTreeMap<String, String>,
    change: &mut dyn FnMut(&Spot<'_>) -> Option<String>,
) -> String {
    let mut tag = raw.to_owned();
    for (name, value) in found {
        let spot = Spot {
            path,
            attribute: Some(name),
            value,
        };
        if let Some(now) = change(&spot)
            && let Some((from, to)) = value_of(&tag, name)
        {
            tag.replace_range(from..to, &escape(now.as_str()));
        }
    }
    tag
}

/// Where the value of an attribute stands in a tag, between its quotes.
fn value_of(tag: &str, local_name: &str) -> Option<(usize, usize)> {
    let bytes = tag.as_bytes();
    let mut at = tag.find(|c: char| c.is_ascii_whitespace())?;
    loop {
        let equals = at + tag.get(at..)?.find('=')?;
        let key = tag.get(at..equals)?.trim();
        let quote_at = equals + 1 + tag.get(equals + 1..)?.find(['"', '\''])?;
        let quote = char::from(*bytes.get(quote_at)?);
        let end = quote_at + 1 + tag.get(quote_at + 1..)?.find(quote)?;
        if key.rsplit(':').next() == Some(local_name) {
            return Some((quote_at + 1, end));
        }
        at = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_changes() {
        let xml = "<?xml version='1.0'?>\n<a  x = '1&amp;2' r:id=\"rId1\"><!-- c --><b>A1&amp;\"x\"</b><b/><c>A1</c></a>";
        let same = edited(xml, &mut |_| None).unwrap();
        assert_eq!(same, xml);
        let changed = edited(xml, &mut |spot| {
            if spot.is("a", "x") {
                assert_eq!(spot.value, "1&2");
                return Some("<3>".to_owned());
            }
            (spot.is_text_of("b") && spot.parent() == "a").then(|| spot.value.replace("A1", "A2"))
        });
        assert_eq!(
            changed.unwrap(),
            "<?xml version='1.0'?>\n<a  x = '&lt;3&gt;' r:id=\"rId1\"><!-- c --><b>A2&amp;&quot;x&quot;</b><b/><c>A1</c></a>"
        );
    }

    #[test]
    fn the_end_of_a_part_is_let_through() {
        let tail = "<mergeCells count=\"1\"><mergeCell ref=\"A1:B2\"/></mergeCells></worksheet>";
        let changed = edited(tail, &mut |spot| {
            spot.is("mergeCell", "ref").then(|| "A3:B4".to_owned())
        });
        assert_eq!(changed.unwrap(), tail.replace("A1:B2", "A3:B4"));
    }
}
