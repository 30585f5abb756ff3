//! JSON with exact numbers and without double members, and its two ways from and to the tree that mappings fill.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::mapping::xml::content::{expanded, local};
use crate::mapping::xml::tree::Node;
use crate::problem::Problem;

const MAX_BYTES: usize = 64 << 20;
const MAX_DEPTH: usize = 64;
const MAX_VALUES: usize = 2_000_000;

/// A JSON value. Numbers keep their digits: no float stands between a document and its decimals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Flag(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// The members of an object in their order; a name that stands twice is refused, because readers disagree about it.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                let mut names = std::collections::BTreeSet::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if !names.insert(name.clone()) {
                        return Err(serde::de::Error::custom(format!(
                            "the member `{name}` stands twice"
                        )));
                    }
                    members.push((name, value));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect).map(Self)
    }
}

impl Json {
    /// Reads a document. `file` names it in problems.
    ///
    /// # Errors
    /// Not UTF-8, not JSON, a member twice, or beyond the limits.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Problem> {
        let refuse = |found: String, wanted: &str| Problem::new(file, "", "", found, wanted);
        if bytes.len() > MAX_BYTES {
            return Err(refuse(format!("{} bytes", bytes.len()), "at most 64 MiB"));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let raw: &RawValue =
            serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string(), "JSON in UTF-8"))?;
        let mut left = MAX_VALUES;
        value(raw, 0, &mut left).map_err(|found| refuse(found, "JSON of at most 64 levels"))
    }

    /// The kind of the value in the words of JSON Schema, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }

    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The document as text, two spaces a level and a line break at the end. Equal values give equal bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = String::new();
        self.write_into(&mut out, 0);
        out.push('\n');
        out.into_bytes()
    }

    fn write_into(&self, out: &mut String, depth: usize) {
        let (open, close, count) = match self {
            Self::Null => return out.push_str("null"),
            Self::Flag(flag) => return out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => return out.push_str(number),
            Self::Text(text) => return out.push_str(&quoted(text)),
            Self::List(items) => ('[', ']', items.len()),
            Self::Object(members) => ('{', '}', members.len()),
        };
        out.push(open);
        for place in 0..count {
            out.push_str(if place == 0 { "\n" } else { ",\n" });
            out.push_str(&"  ".repeat(depth + 1));
            match self {
                Self::List(items) => {
                    if let Some(item) = items.get(place) {
                        item.write_into(out, depth + 1);
                    }
                }
                Self::Object(members) => {
                    if let Some((name, value)) = members.get(place) {
                        out.push_str(&quoted(name));
                        out.push_str(": ");
                        value.write_into(out, depth + 1);
                    }
                }
                _ => {}
            }
        }
        if count > 0 {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
        out.push(close);
    }

    /// The value as the tree that mappings read: lists are elements that repeat.
    #[must_use]
    pub fn node(&self, name: &str) -> Node {
        let mut node = Node::new(expanded("", name));
        match self {
            Self::Null => {}
            Self::Flag(flag) => node.text = flag.to_string(),
            Self::Number(text) | Self::Text(text) => node.text.clone_from(text),
            Self::List(items) => node
                .children
                .extend(items.iter().map(|item| item.node(local(name)))),
            Self::Object(members) => {
                for (name, value) in members {
                    match value {
                        Self::List(items) => {
                            node.children.extend(items.iter().map(|item| item.node(name)));
                        }
                        value => node.children.push(value.node(name)),
                    }
                }
            }
        }
        node
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

fn value(raw: &RawValue, depth: usize, left: &mut usize) -> Result<Json, String> {
    if depth > MAX_DEPTH {
        return Err("more than 64 levels".to_owned());
    }
    *left = left
        .checked_sub(1)
        .ok_or_else(|| "more than 2,000,000 values".to_owned())?;
    let text = raw.get();
    let read = |error: serde_json::Error| error.to_string();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text).map_err(read)?;
            let members: Result<Vec<_>, String> = members
                .0
                .into_iter()
                .map(|(name, raw)| Ok((name, value(raw, depth + 1, left)?)))
                .collect();
            Json::Object(members?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(read)?;
            let items: Result<Vec<_>, String> =
                items.into_iter().map(|raw| value(raw, depth + 1, left)).collect();
            Json::List(items?)
        }
        Some(b'"') => Json::Text(serde_json::from_str(text).map_err(read)?),
        Some(b't') => Json::Flag(true),
        Some(b'f') => Json::Flag(false),
        Some(b'n') => Json::Null,
        _ => Json::Number(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_texts_survive() {
        let text = "{\n  \"a\": 12.340,\n  \"b\": [\n    \"箱 \\\"5'\\\" \\n\",\n    true,\n    null\n  ],\n  \"c\": {}\n}\n";
        let json = Json::read("x.json", text.as_bytes()).unwrap();
        assert_eq!(json.member("a"), Some(&Json::Number("12.340".to_owned())));
        assert_eq!(String::from_utf8(json.write()).unwrap(), text);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
        for text in ["", "{", "{\"a\":1,\"a\":2}", "[1,]", "{} {}", "NaN", &deep] {
            assert!(Json::read("x.json", text.as_bytes()).is_err(), "{text}");
        }
        assert!(Json::read("x.json", b"\"\xff\"").is_err());
        let twice = Json::read("x.json", br#"{"a":{"b":1,"b":2}}"#).unwrap_err();
        assert!(twice.found.contains("`b` stands twice"), "{twice}");
    }
}
